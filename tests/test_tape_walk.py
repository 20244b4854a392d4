"""The walk back over a graph: no recursion, no repetition, no reference cycles, and memory that falls."""

from __future__ import annotations

import gc
import sys
import weakref

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad._tape import Leaf, Node
from tests.collector import collector_off


def leaf(data, dtype=None):
    return tg.tensor(data, dtype, requires_grad=True)


# ---- steps


def pullbacks_during(run):
    """The names of the cards whose pullbacks run, in order."""
    names = []

    def profile(frame, event, arg):
        if event == "call" and frame.f_code.co_name == "pullback":
            file = frame.f_code.co_filename
            if file.startswith("<tensorgrad op"):
                names.append(file.split()[-2])
            elif file.endswith("_tape.py"):  # and not the writer of pullbacks, at the first use of an op
                names.append("pick")

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


def test_autograd_grad_does_not_walk_where_nothing_is_wanted():
    x, w = leaf([1.0]), leaf([2.0])
    y = (tg.exp(w) * x).sum()
    assert pullbacks_during(lambda: tg.autograd.grad(y, x)) == ["sum", "multiply"]


def test_a_diamond_waits_for_both_sides():
    x = leaf(2.0)
    h = x * 3
    long = h
    for _ in range(5):
        long = tg.sin(long)
    y = h * long + h
    assert len(pullbacks_during(lambda: y.backward(retain_graph=True))) == 1 + 5 + 2
    wanted = tg.grad(lambda v: (lambda h: h * tg.sin(tg.sin(tg.sin(tg.sin(tg.sin(h))))) + h)(v * 3))(
        np.float32(2.0)
    )
    assert abs(x.grad.item() - wanted) < 1e-5


# ---- memory


@pytest.fixture
def no_collector():
    with collector_off():
        yield


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


def fails(call):
    with pytest.raises(tg.TensorgradError):
        call()


CYCLES = {
    "unwalked": lambda w: tg.tanh(w * w).sum(),
    "retained": lambda w: (w * w).sum().backward(retain_graph=True),
    "second order": lambda w: tg.autograd.grad(
        tg.autograd.grad((w**3).sum(), w, create_graph=True)[0].sum(), w
    ),
    "grad of grad": lambda w: tg.grad(lambda v: tg.grad(lambda u: (u**3).sum())(v).sum())(w),
    "jvp": lambda w: tg.jvp(lambda v: (v * v).sum(), (w.detach(),), (tg.ones(3),)),
    "vmap": lambda w: tg.vmap(tg.grad(lambda v: (v * v).sum()))(tg.ones((2, 3))),
    "trace": lambda w: tg.trace(lambda v: (v * w).sum(), tg.ones(3)),
    "several results": lambda w: [p.sum().backward() for p in tg.split(w * 1, 3)[:1]],
    "write": lambda w: (w * 2).__setitem__(0, 5.0),
    "hook": lambda w: (w * 2).register_hook(lambda g: None),
    "custom": lambda w: CUSTOM(w).sum().backward(),
    "failed": lambda w: fails(lambda: w + np.ones(7)),
    "second backward": lambda w: (lambda y: (y.backward(), fails(y.backward)))((w * w).sum()),
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


def test_a_kept_loss_keeps_one_node_after_backward_and_the_graph_before(no_collector):
    def nodes():
        return sum(type(one) is Node for one in gc.get_objects())

    x, before = leaf([1.0]), nodes()
    y = x
    for _ in range(50):
        y = y * x
    assert nodes() - before == 50
    y.backward()
    assert nodes() - before <= 1


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
