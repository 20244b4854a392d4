"""Reverse mode: backward, hooks, ``autograd.grad``, and a graph that is freed as it is walked."""

from __future__ import annotations

import gc
import sys
import weakref

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad._tape import Leaf, Node


def leaf(data, dtype=None):
    return tg.tensor(data, dtype, requires_grad=True)


# ---- backward


def test_gradients_add_up_over_paths_and_calls():
    x = leaf([1.0, 2.0])
    y = x * x + x
    (y * y).sum().backward()
    first = [2 * (1 + 1) * 3, 2 * (4 + 2) * 5]
    assert x.grad.tolist() == first
    (x * 3).sum().backward()
    assert x.grad.tolist() == [first[0] + 3, first[1] + 3]
    x.grad = None
    x.sum().backward()
    assert x.grad.tolist() == [1, 1]


def test_only_leaves_that_were_reached_get_a_gradient():
    x, y, unused = leaf(2.0), leaf(3.0), leaf(4.0)
    (x * tg.stop_gradient(y) + x * y.detach()).backward()
    assert x.grad.item() == 6 and y.grad is None and unused.grad is None


def test_backward_on_a_leaf_and_on_an_output_that_is_used_again():
    x = leaf([1.0, 2.0])
    x.backward(np.array([3.0, 4.0]))
    assert x.grad.tolist() == [3, 4]
    y = x * 2
    z = y * 3
    y.backward([1, 1], retain_graph=True)
    z.sum().backward()
    assert x.grad.tolist() == [3 + 2 + 6, 4 + 2 + 6]


def test_backward_without_a_cotangent_needs_one_real_number():
    x = leaf([[3.0]])
    (x * x).backward()
    assert x.grad.tolist() == [[6]]
    for y in (leaf([1.0, 2.0]) * 2, leaf([1j]) * 2, leaf([]) * 1):
        with pytest.raises(tg.ShapeError, match=r"sum\(\)"):
            y.backward()


@pytest.mark.parametrize("seed", [[1.0, 2.0], (1, 2), np.array([1.0, 2.0]), np.array([1, 2], np.int8), "tensor", "leaf"])
def test_any_cotangent_of_the_right_shape_will_do(seed):
    x = leaf([1.0, 1.0])
    seed = {"tensor": tg.tensor([1.0, 2.0]), "leaf": leaf([1.0, 2.0])}.get(seed, seed) if isinstance(seed, str) else seed
    (x * 3).backward(seed)
    assert x.grad.tolist() == [3, 6] and x.grad.dtype == np.float32 and not x.grad.requires_grad


@pytest.mark.parametrize("seed", [1.0, [1.0], np.ones((2, 1)), tg.tensor(1.0)])
def test_a_cotangent_of_another_shape_is_refused_and_changes_nothing(seed):
    x = leaf([1.0, 1.0])
    y = x * 3
    with pytest.raises(tg.ShapeError, match=r"\(2,\)"):
        y.backward(seed)
    assert x.grad is None
    y.backward([1, 1])


def test_a_complex_cotangent_of_a_real_result_is_refused():
    y = leaf([1.0, 1.0]) * 3
    with pytest.raises(tg.DtypeError, match="complex"):
        y.backward(np.array([1j, 1.0]))


def test_second_backward_says_what_to_do_and_leaves_gradients_alone():
    x = leaf([1.0, 2.0])
    y = (x * x).sum()
    y.backward(retain_graph=True)
    y.backward()
    assert x.grad.tolist() == [4, 8]
    for again in (y.backward, (y * 2).backward, lambda: tg.autograd.grad(y, x)):
        with pytest.raises(tg.NoGraphError, match="retain_graph=True"):
            again()
    assert x.grad.tolist() == [4, 8]
    with pytest.raises(tg.NoGraphError, match="requires_grad=True"):
        tg.tensor(1.0).backward()
    with tg.no_grad():
        z = x * 2
    with pytest.raises(tg.NoGraphError, match="no_grad"):
        z.sum().backward()


def test_backward_refuses_a_gradient_with_a_graph():
    with pytest.raises(tg.GradientError, match=r"autograd\.grad"):
        (leaf(1.0) * 2).backward(create_graph=True)
    with pytest.raises(tg.NoGraphError, match=r"tg\.grad"):
        tg.backward(np.ones(3))


def test_setting_grad():
    x = leaf([1.0, 2.0])
    x.grad = np.array([5.0, 6.0])
    assert type(x.grad) is tg.Tensor and x.grad.dtype == np.float32
    (x * 2).sum().backward()
    assert x.grad.tolist() == [7, 8]
    for bad in ([1.0], 3.0, "a", [1j, 1.0]):
        with pytest.raises((ValueError, TypeError)) as error:
            x.grad = bad
        assert isinstance(error.value, tg.TensorgradError)
    assert x.grad.tolist() == [7, 8]
    with pytest.raises(tg.GradientError, match="leaf"):
        (x * 2).grad = x
    x.grad = x * 2
    assert not x.grad.requires_grad


def test_freezing_between_forward_and_backward_does_not_lose_a_gradient_silently():
    x = leaf(2.0)
    y = x * x
    x.requires_grad_(False)
    x.requires_grad_(True)
    try:
        y.backward()
    except tg.GradientError:
        return
    assert x.grad is not None and x.grad.item() == 4


# ---- autograd.grad


def test_autograd_grad_touches_no_grad_and_takes_inner_tensors():
    x, w = leaf([1.0, 2.0]), leaf([3.0, 4.0])
    h = x * w
    y = (h * h).sum()
    gx, gh, gx_again = tg.autograd.grad(y, [x, h, x])
    assert gh.tolist() == [6, 16] and gx.tolist() == gx_again.tolist() == [18, 64]
    assert x.grad is w.grad is None and not gx.requires_grad
    assert not np.shares_memory(gx.numpy(), gx_again.numpy())
    assert tg.autograd.grad(x, x, np.ones(2))[0].tolist() == [1, 1]


def test_autograd_grad_leaves_no_retained_gradient_either():
    x = leaf(2.0)
    h = x * 3
    h.retain_grad()
    assert tg.autograd.grad(h * h, h)[0].item() == 12
    assert h.grad is None and x.grad is None


def test_autograd_grad_outputs_and_cotangents():
    x = leaf([1.0, 2.0])
    a, b = (x * 2).sum(), x * 3
    (g,) = tg.autograd.grad([a, b], x, [None, [10.0, 100.0]], retain_graph=True)
    assert g.tolist() == [32, 302]
    assert tg.autograd.grad(a, x, 2.0, retain_graph=True)[0].tolist() == [4, 4]
    assert tg.autograd.grad([a, a], [x], [tg.tensor(1.0), None])[0].tolist() == [4, 4]
    with pytest.raises(tg.ShapeError, match="2 grad_outputs"):
        tg.autograd.grad(a, x, [1.0, 1.0])
    with pytest.raises(tg.ShapeError, match="cotangent"):
        tg.autograd.grad(x * 2, x)


def test_autograd_grad_unused_inputs():
    x, unused = leaf(2.0), leaf(3.0)
    with pytest.raises(tg.GradientError, match="allow_unused"):
        tg.autograd.grad(x * x, [x, unused])
    assert tg.autograd.grad(x * x, [x, unused], allow_unused=True)[1] is None
    for bad in (tg.tensor(1.0), np.ones(2), 1.0):
        with pytest.raises(tg.GradientError, match="input 0"):
            tg.autograd.grad(x * x, bad if isinstance(bad, tg.Tensor) else [bad])
    with pytest.raises(tg.NoGraphError, match="no output"):
        tg.autograd.grad(tg.tensor(1.0), x)


def test_autograd_grad_does_not_walk_where_nothing_is_wanted():
    x, w = leaf([1.0]), leaf([2.0])
    y = (tg.exp(w) * x).sum()
    assert pullbacks_during(lambda: tg.autograd.grad(y, x)) == ["sum", "multiply"]


def test_retain_graph_defaults_to_create_graph():
    x = leaf(2.0)
    y = x**3
    (g,) = tg.autograd.grad(y, x, create_graph=True)
    (gg,) = tg.autograd.grad(g, x, create_graph=True)
    (ggg,) = tg.autograd.grad(gg, x)
    assert (g.item(), gg.item(), ggg.item()) == (12, 12, 6)
    tg.autograd.grad(y, x)
    with pytest.raises(tg.NoGraphError):
        tg.autograd.grad(y, x)


def test_cotangents_may_be_differentiated_too():
    x, v = leaf([1.0, 2.0]), leaf([3.0, 4.0])
    (g,) = tg.autograd.grad(x**3, x, v, create_graph=True)
    assert tg.autograd.grad(g.sum(), v)[0].tolist() == [3, 12]


# ---- hooks and retained gradients


def test_hooks_see_the_whole_gradient_once_and_may_replace_it():
    x = leaf([1.0, 2.0])
    seen = []
    h = x * 2
    h.register_hook(lambda g: seen.append(g.tolist()))
    h.register_hook(lambda g: g * 10)
    h.register_hook(lambda g: seen.append(g.tolist()))
    x.register_hook(lambda g: g + 1)
    (h * 3 + h).sum().backward()
    assert seen == [[4, 4], [40, 40]]
    assert x.grad.tolist() == [81, 81]


@pytest.mark.parametrize("on_leaf", [True, False])
@pytest.mark.parametrize("kind", [np.array, tg.tensor])
def test_what_a_hook_returns_stays_the_users(on_leaf, kind):
    x = leaf([1.0, 2.0])
    mine = kind(np.array([5.0, 6.0], np.float32))
    for _ in range(3):
        y = x * x
        (x if on_leaf else y).register_hook(lambda g: mine)
        y.sum().backward()
    assert mine.tolist() == [5, 6]
    assert not np.shares_memory(np.asarray(mine), x.grad.numpy())
    assert x.grad.tolist() == ([15, 18] if on_leaf else [30, 72])


def test_what_a_hook_gets_may_be_kept_and_written():
    x = leaf([1.0, 2.0])
    kept = []

    def hook(g):
        kept.append(g)
        g *= 100

    h = x * 1
    h.register_hook(hook)
    x.register_hook(hook)
    (h * 2).sum().backward()
    assert x.grad.tolist() == [2, 2] and [k.tolist() for k in kept] == [[200, 200]] * 2


def test_hook_handles():
    x = leaf(1.0)
    seen = []
    first = x.register_hook(lambda g: seen.append(1))
    with x.register_hook(lambda g: seen.append(2)):
        x.backward()
    first.remove()
    first.remove()
    x.backward()
    assert seen == [1, 2]
    with pytest.raises(tg.GradientError, match="require"):
        tg.tensor(1.0).register_hook(print)
    with pytest.raises(TypeError):
        x.register_hook(5)


def test_a_hook_may_remove_itself_and_run_backward_itself():
    x, other = leaf(2.0), leaf(3.0)
    seen = []

    def hook(g):
        handle.remove()
        seen.append(g.item())
        with tg.enable_grad():  # hooks run without recording, as the whole backward pass does
            y = other * x * 5
        y.backward()

    handle = x.register_hook(hook)
    (x * 4).backward()
    assert seen == [4] and other.grad.item() == 10 and x.grad.item() == 15 + 4


@pytest.mark.parametrize(
    ("returned", "kind"), [(np.ones(7), ValueError), (1.0, ValueError), ("a", TypeError), ([1j, 1.0], TypeError)]
)
def test_a_hook_that_returns_nonsense(returned, kind):
    x = leaf([1.0, 2.0])
    y = x * 2
    y.register_hook(lambda g: returned)
    with pytest.raises(kind, match="hook"):
        y.sum().backward()
    assert x.grad is None


@pytest.mark.parametrize("error", [ZeroDivisionError, KeyboardInterrupt])
def test_an_exception_in_a_hook_leaves_gradients_and_modes_alone(error):
    x, w = leaf([1.0, 2.0]), leaf([3.0, 4.0])
    h = x * 2

    def hook(g):
        raise error("stop")

    h.register_hook(hook)
    y = (h * w).sum()
    with pytest.raises(error, match="stop"):
        y.backward()
    assert x.grad is None and w.grad is None and tg.is_grad_enabled()
    with pytest.raises(tg.NoGraphError):
        y.backward()
    (x * w).sum().backward()
    assert x.grad.tolist() == [3, 4]


def test_retain_grad():
    x = leaf([1.0, 2.0])
    h = x * 2
    h.retain_grad()
    h.retain_grad()
    assert h.grad is None
    (h * h).sum().backward()
    assert h.grad.tolist() == [4, 8]
    x.retain_grad()
    with pytest.raises(tg.GradientError, match="require"):
        tg.tensor(1.0).retain_grad()
    y = x * 3
    y.retain_grad()
    z = y.sum()
    z.backward(retain_graph=True)
    z.backward()
    assert y.grad.tolist() == [2, 2]


# ---- the walk: no recursion, no repetition, no cycles


def pullbacks_during(run):
    """The names of the cards whose pullbacks run, in order."""
    names = []

    def profile(frame, event, arg):
        if event == "call" and frame.f_code.co_name == "pullback":
            names.append(frame.f_code.co_filename.split()[-2] if " " in frame.f_code.co_filename else "pick")

    sys.setprofile(profile)
    try:
        run()
    finally:
        sys.setprofile(None)
    return names


def chain_records_walks_and_frees(n):
    limit = sys.getrecursionlimit()
    x = leaf(1.0)
    y = x
    for _ in range(n):
        y = y + 1.0
    sys.setrecursionlimit(200)  # whatever recursed over the chain would fail here
    try:
        y.backward(retain_graph=True)
        assert x.grad.item() == 1 and y.item() == n + 1
        assert tg.autograd.grad(y, x)[0].item() == 1
        unwalked = x
        for _ in range(n):
            unwalked = unwalked * 1.0
        node = weakref.ref(y)
        del y, unwalked
        assert node() is None
    finally:
        sys.setrecursionlimit(limit)


def test_a_chain_of_100_000_operations():
    chain_records_walks_and_frees(100_000)


@pytest.mark.slow
def test_a_chain_of_1_000_000_operations():
    chain_records_walks_and_frees(1_000_000)


def test_a_deep_chain_of_second_order():
    x = leaf(1.0)
    y = x
    for _ in range(3_000):
        y = y * 1.0
    (g,) = tg.autograd.grad(y * y, x, create_graph=True)
    assert tg.autograd.grad(g, x)[0].item() == 2


def test_60_doublings_take_60_steps():
    x = leaf(1.0, "float64")
    y = x
    for _ in range(60):
        y = y + y
    names = pullbacks_during(y.backward)
    assert x.grad.item() == 2.0**60 and names == ["add"] * 60


def test_a_diamond_waits_for_both_sides():
    x = leaf(2.0)
    h = x * 3
    long = h
    for _ in range(5):
        long = tg.sin(long)
    y = h * long + h
    assert len(pullbacks_during(lambda: y.backward(retain_graph=True))) == 1 + 5 + 2
    wanted = tg.grad(lambda v: (lambda h: h * tg.sin(tg.sin(tg.sin(tg.sin(tg.sin(h))))) + h)(v * 3))(np.float32(2.0))
    assert abs(x.grad.item() - wanted) < 1e-5


@pytest.fixture
def no_collector():
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def mlp_step(w1, w2, x):
    parts = tg.split(tg.tanh(x @ w1), 2, axis=1)
    h = tg.concat(parts, axis=1)
    h[0] = h[1] * 2
    h.register_hook(lambda g: g * 1)
    h.retain_grad()
    loss = ((h @ w2) ** 2).mean() + (w1[:, 0] ** 2).sum()
    loss.backward()
    with tg.no_grad():
        for p in (w1, w2):
            p -= 0.01 * p.grad
            p.grad = None
    return loss


def steps_leave_nothing(n):
    w1, w2, x = tg.nn.Parameter(np.ones((3, 4))), tg.nn.Parameter(np.ones((4, 1))), tg.tensor(np.ones((2, 3)))
    for _ in range(10):
        mlp_step(w1, w2, x)
    before = len(gc.get_objects())
    for _ in range(n):
        mlp_step(w1, w2, x)
    return len(gc.get_objects()) - before


def test_memory_is_flat_over_1000_training_steps(no_collector):
    assert steps_leave_nothing(1000) <= 2
    assert gc.collect() == 0


@pytest.mark.slow
def test_memory_is_flat_over_10_000_training_steps(no_collector):
    assert steps_leave_nothing(10_000) <= 2


CYCLES = {
    "unwalked": lambda w: tg.tanh(w * w).sum(),
    "retained": lambda w: (w * w).sum().backward(retain_graph=True),
    "second order": lambda w: tg.autograd.grad(tg.autograd.grad((w**3).sum(), w, create_graph=True)[0].sum(), w),
    "grad of grad": lambda w: tg.grad(lambda v: tg.grad(lambda u: (u**3).sum())(v).sum())(w),
    "jvp": lambda w: tg.jvp(lambda v: (v * v).sum(), (w.detach(),), (tg.ones(3),)),
    "vmap": lambda w: tg.vmap(tg.grad(lambda v: (v * v).sum()))(tg.ones((2, 3))),
    "trace": lambda w: tg.trace(lambda v: (v * w).sum(), tg.ones(3)),
    "several results": lambda w: [p.sum().backward() for p in tg.split(w * 1, 3)[:1]],
    "write": lambda w: (w * 2).__setitem__(0, 5.0),
    "hook": lambda w: (w * 2).register_hook(lambda g: None),
    "custom": lambda w: CUSTOM(w).sum().backward(),
    "failed": lambda w: pytest.raises(tg.ShapeError, tg.add, w, np.ones(7)),
    "second backward": lambda w: (lambda y: (y.backward(), pytest.raises(tg.NoGraphError, y.backward)))((w * w).sum()),
}

CUSTOM = tg.custom_vjp(lambda x: x * x)
CUSTOM.defvjp(lambda x: (x * x, x), lambda x, g: (2 * x * g,))


@pytest.mark.parametrize("make", CYCLES.values(), ids=CYCLES)
def test_there_are_no_reference_cycles(make, no_collector):
    w = leaf(np.ones(3))
    make(w)
    gc.collect()
    for _ in range(5):
        make(w)
        w.grad = None
    kinds = (Node, Leaf, tg.Tensor, np.ndarray)
    gc.set_debug(gc.DEBUG_SAVEALL)
    try:
        gc.collect()
        found = [type(one).__name__ for one in gc.garbage if isinstance(one, kinds)]
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
    assert found == []


def test_tensors_die_at_once(no_collector):
    x = leaf([1.0])
    y = tg.exp(x)
    z = (y * y).sum()
    refs = [weakref.ref(one) for one in (x, y, z)]
    z.backward()
    del x, y, z
    assert [ref() for ref in refs] == [None] * 3


def test_a_freed_loss_keeps_nothing_alive():
    x = leaf(np.ones(1000))
    saved = x * 2
    array = weakref.ref(saved._d)
    loss = (saved * saved).sum()
    del saved
    assert array() is not None
    loss.backward()
    assert array() is None and loss.item() == 4000


def test_saved_arrays_go_while_backward_runs():
    x = leaf(np.ones(100))
    alive, arrays, y = [], [], x
    for _ in range(20):
        y = tg.exp(y * 0.1)
        arrays.append(weakref.ref(y._d))
        y.register_hook(lambda g: alive.append(sum(ref() is not None for ref in arrays)))
    loss = y.sum()
    del y
    loss.backward()
    assert alive[0] == 20 and alive[-1] <= 2
    assert alive == sorted(alive, reverse=True)
