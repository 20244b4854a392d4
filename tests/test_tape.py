"""Reverse mode: ``backward``, ``autograd.grad``, hooks, and graphs that are used again."""

from __future__ import annotations

import numpy as np
import pytest

import tensorgrad as tg


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


@pytest.mark.parametrize(
    "seed", [[1.0, 2.0], (1, 2), np.array([1.0, 2.0]), np.array([1, 2], np.int8), "tensor", "leaf"]
)
def test_any_cotangent_of_the_right_shape_will_do(seed):
    x = leaf([1.0, 1.0])
    seed = (
        {"tensor": tg.tensor([1.0, 2.0]), "leaf": leaf([1.0, 2.0])}.get(seed, seed)
        if isinstance(seed, str)
        else seed
    )
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


def test_python_numbers_keep_the_precision_of_the_tensor():
    x = leaf(np.zeros(1))
    (x * 1).backward([0.1])
    assert x.grad.tolist() == [0.1]
    x.grad = [0.1]
    assert x.grad.tolist() == [0.1]
    assert tg.autograd.grad(x * 1, x, [[0.1]])[0].tolist() == [0.1]
    (x.sum() * 1).backward(0.2)
    assert x.grad.tolist() == [0.1 + 0.2]


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


@pytest.mark.parametrize("kind", [tg.tensor, np.array])
def test_a_gradient_that_was_set_stays_the_users(kind):
    x, mine = leaf([1.0, 2.0]), kind(np.array([5.0, 6.0], np.float32))
    (x * 2).sum().backward()
    x.grad = mine
    for _ in range(2):
        (x * 2).sum().backward()
    assert mine.tolist() == [5, 6] and x.grad.tolist() == [9, 10]
    mine[0] = 100.0
    assert x.grad.tolist() == [9, 10]


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


def test_what_a_hook_keeps_is_not_changed_by_later_backwards():
    x, kept = leaf([1.0, 2.0]), []
    h = x * 1
    x.register_hook(kept.append)
    h.register_hook(kept.append)
    for _ in range(3):
        (h * h).sum().backward(retain_graph=True)
        assert all(g.tolist() == [2, 4] for g in kept)
    assert len(kept) == 6 and x.grad.tolist() == [6, 12]


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
    ("returned", "kind"),
    [(np.ones(7), ValueError), (1.0, ValueError), ("a", TypeError), ([1j, 1.0], TypeError)],
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
