"""A recorded training step: equal to the step itself, to the last bit, with all its updates."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import tensorgrad as tg

X = np.array([1.0, 2.0, 3.0])
generator = np.random.default_rng(0)
BATCHES = generator.normal(size=(10, 16, 4)).astype(np.float32)
LABELS = generator.integers(0, 3, size=(10, 16))


def parameters() -> dict[str, Any]:
    g = np.random.default_rng(1)
    return {
        "w1": tg.tensor(g.normal(size=(4, 8)).astype(np.float32), requires_grad=True),
        "b1": tg.nn.Parameter(np.zeros(8, np.float32)),
        "w2": tg.tensor(g.normal(size=(8, 3)).astype(np.float32), requires_grad=True),
        "scale": tg.tensor(1.0, requires_grad=True),
    }


def loss_of(p: Any, x: Any, labels: Any) -> Any:
    hidden = tg.tanh(x @ p["w1"] + p["b1"])
    logp = tg.log_softmax(hidden @ p["w2"] * p["scale"])
    return -tg.take_along_axis(logp, labels[:, None], 1).mean()


def sgd(p: Any, state: Any) -> None:
    for w in p.values():
        w -= 0.1 * w.grad


def momentum(p: Any, state: Any) -> None:
    for name, w in p.items():
        v = state[name]
        v *= 0.9
        v += w.grad
        w -= 0.1 * v


def adam(p: Any, state: Any) -> None:
    t = state["t"]
    t += 1
    for name, w in p.items():
        m, s = state[name], state[name + "2"]
        m[...] = 0.9 * m + 0.1 * w.grad
        s[...] = 0.999 * s + 0.001 * w.grad * w.grad
        w -= 0.01 * (m / (1 - 0.9**t)) / (tg.sqrt(s / (1 - 0.999**t)) + 1e-8)


def fresh_state(p: Any) -> dict[str, Any]:
    state = {name: tg.zeros_like(w) for name, w in p.items()}
    state |= {name + "2": tg.zeros_like(w) for name, w in p.items()}
    return state | {"t": tg.tensor(0.0)}


def step_of(p: Any, state: Any, update: Any) -> Any:
    def step(x: Any, labels: Any) -> Any:
        for w in p.values():
            w.grad = None
        loss = loss_of(p, x, labels)
        loss.backward()
        with tg.no_grad():
            update(p, state)
        return loss

    return step


@pytest.mark.parametrize("update", [sgd, momentum, adam], ids=lambda f: f.__name__)
def test_a_whole_training_step_is_replayed_bit_for_bit(update: Any) -> None:
    p, q = parameters(), parameters()
    state, other = fresh_state(p), fresh_state(q)
    eager = step_of(p, state, update)
    losses = [eager(tg.tensor(x), tg.tensor(y)).item() for x, y in zip(BATCHES, LABELS, strict=True)]
    # The trace runs the first step itself; the program does the others.
    graph = tg.trace(step_of(q, other, update), tg.tensor(BATCHES[0]), tg.tensor(LABELS[0]))
    again = [graph(tg.tensor(x), tg.tensor(y)).item() for x, y in zip(BATCHES[1:], LABELS[1:], strict=True)]
    assert again == losses[1:]
    assert losses[-1] != losses[0]
    for name in p:
        assert_array_equal(p[name], q[name])
        assert_array_equal(p[name].grad, q[name].grad)
        assert_array_equal(state[name], other[name])
        assert q[name].requires_grad and q[name].is_leaf
    assert type(q["b1"]) is tg.nn.Parameter


def test_a_step_by_gradients_of_functions() -> None:
    def run(p: Any, steps: Any) -> None:
        def step(x: Any, labels: Any) -> Any:
            loss, g = tg.value_and_grad(lambda p: loss_of(p, x, labels))(p)
            with tg.no_grad():
                for name, w in p.items():
                    w -= 0.1 * g[name]
            return loss

        steps(step)

    p, q = parameters(), parameters()
    run(p, lambda f: [f(tg.tensor(x), tg.tensor(y)) for x, y in zip(BATCHES, LABELS, strict=True)])

    def recorded(f: Any) -> None:
        graph = tg.trace(f, tg.tensor(BATCHES[0]), tg.tensor(LABELS[0]))
        for x, y in zip(BATCHES[1:], LABELS[1:], strict=True):
            graph(tg.tensor(x), tg.tensor(y))

    run(q, recorded)
    for name in p:
        assert_array_equal(p[name], q[name])


def test_several_steps_in_one_program() -> None:
    def run(w: Any) -> Any:
        def two(x: Any) -> Any:
            nonlocal w
            for _ in range(2):
                w.grad = None
                ((w * x - 1) ** 2).sum().backward()
                with tg.no_grad():
                    w -= 0.1 * w.grad
            return w * 1

        return two

    v, w = tg.tensor(X, requires_grad=True), tg.tensor(X, requires_grad=True)
    graph = tg.trace(run(w), tg.tensor(X))
    eager = run(v)
    first = eager(tg.tensor(X))
    assert_array_equal(w, first)
    assert_array_equal(graph(tg.tensor(-X)), eager(tg.tensor(-X)))
    assert_array_equal(v, w)
    assert_array_equal(v.grad, w.grad)


def test_a_step_with_random_draws_follows_the_generator() -> None:
    def run(w: Any) -> Any:
        def step(x: Any) -> Any:
            nonlocal w
            w.grad = None
            mask = tg.rand(3) > 0.3
            (tg.where(mask, w * x, 0.0) ** 2).sum().backward()
            with tg.no_grad():
                w -= 0.01 * w.grad + 0.001 * tg.randn(3)
            return mask

        return step

    v, w = tg.tensor(X, requires_grad=True), tg.tensor(X, requires_grad=True)
    tg.manual_seed(3)
    eager = run(v)
    masks = [eager(tg.tensor(X)).tolist() for _ in range(6)]
    tg.manual_seed(3)
    graph = tg.trace(run(w), tg.tensor(X))
    assert [graph(tg.tensor(X)).tolist() for _ in range(5)] == masks[1:]
    assert_array_equal(v, w)


CHANGES: dict[str, Any] = {
    "set": lambda w: setattr(w, "grad", w.grad * 0.5),
    "multiplied": lambda w: w.grad.__imul__(0.5),
    "written to": lambda w: w.grad.__setitem__(0, 7.0),
    "dropped": lambda w: setattr(w, "grad", None),
    "replaced by the value": lambda w: setattr(w, "grad", w.detach()),
    "twice": lambda w: (setattr(w, "grad", w.grad * 3), w.grad.__iadd__(1.0)),
}


@pytest.mark.parametrize("name", CHANGES)
def test_what_becomes_of_a_gradient_is_part_of_the_program(name: str) -> None:
    def run(w: Any) -> Any:
        def f(x: Any) -> Any:
            w.grad = None
            (w * w * x).sum().backward()
            with tg.no_grad():
                CHANGES[name](w)
                if w.grad is not None:
                    w.__isub__(0.1 * w.grad)
            return w * 1

        return f

    v, w = tg.tensor(X, requires_grad=True), tg.tensor(X, requires_grad=True)
    eager = run(v)
    eager(tg.tensor(X))
    graph = tg.trace(run(w), tg.tensor(X))
    for x in (2 * X, -X):
        assert_array_equal(graph(tg.tensor(x)), eager(tg.tensor(x)))
        assert_array_equal(w, v)
        assert (w.grad is None) == (v.grad is None)
        if v.grad is not None:
            assert_array_equal(w.grad, v.grad)


def test_a_replayed_step_keeps_no_graph() -> None:
    """It has its own backward; a tape of it would keep every value alive until the loss dies."""
    w = tg.tensor(X, requires_grad=True)

    def step(x: Any) -> Any:
        w.grad = None
        loss = (tg.tanh(w * x) ** 2).sum()
        loss.backward()
        with tg.no_grad():
            w.__isub__(0.1 * w.grad)
        return loss

    graph = tg.trace(step, tg.tensor(X))
    loss = graph(tg.tensor(X))
    assert not loss.requires_grad
    assert w.requires_grad and w.is_leaf


def test_a_program_with_a_backward_pass_can_be_differentiated() -> None:
    graph = tg.trace(tg.grad(lambda x: (x**3).sum()), tg.tensor(X))
    assert_array_equal(tg.grad(lambda x: graph(x).sum())(X), 6 * X)
    x = tg.tensor(X, requires_grad=True)
    graph(x).sum().backward()
    assert_array_equal(x.grad, 6 * X)


def test_counters_and_running_means() -> None:
    def run(mean: Any, count: Any) -> Any:
        def f(x: Any) -> Any:
            nonlocal mean
            count[...] = count + 1
            mean *= 0.9
            mean += 0.1 * x.mean(0)
            return (x - mean) * count

        return f

    m, n = tg.tensor(np.zeros(4, np.float32)), tg.tensor(0)
    k, c = tg.tensor(np.zeros(4, np.float32)), tg.tensor(0)
    eager = run(m, n)
    results = [np.asarray(eager(tg.tensor(x))) for x in BATCHES]
    graph = tg.trace(run(k, c), tg.tensor(BATCHES[0]))
    for x, want in zip(BATCHES[1:], results[1:], strict=True):
        assert_array_equal(graph(tg.tensor(x)), want)
    assert_array_equal(k, m)
    assert n.item() == c.item() == 10


def test_tensors_made_inside_start_afresh_at_each_run() -> None:
    def f(x: Any) -> Any:
        total, table, copy = tg.zeros(3, dtype="float64"), tg.eye(3, dtype="float64"), tg.tensor(X)
        for _ in range(2):
            total += x
            table[0] = x * 2
            table[1, 1] = x[0]
        copy *= x
        return total, table, copy

    graph = tg.trace(f, tg.tensor(X))
    assert not graph.captured and not graph.writes
    for x in (X, 2 * X, X):
        for got, want in zip(graph(tg.tensor(x)), f(tg.tensor(x)), strict=True):
            assert_array_equal(got, want)


def test_writes_come_last_and_do_not_disturb_one_another() -> None:
    a, b = tg.tensor(X), tg.tensor(10 * X)

    def swap(x: Any) -> Any:
        old = a * 1
        a[...] = b + x
        b[...] = old
        return a - b

    graph = tg.trace(swap, tg.tensor(X))
    assert_array_equal(a, 11 * X)
    assert_array_equal(b, X)
    assert_array_equal(graph(tg.tensor(X)), X + X - 11 * X)
    assert_array_equal(a, 2 * X)
    assert_array_equal(b, 11 * X)


def test_nothing_is_written_after_an_error() -> None:
    w = tg.tensor(X)

    def f(x: Any, i: Any) -> Any:
        w[...] = w * 2
        return x[i]

    graph = tg.trace(f, tg.tensor(X), tg.tensor([0]))
    assert_array_equal(w, 2 * X)
    with pytest.raises(tg.IndexingError):
        graph(tg.tensor(X), tg.tensor([5]))
    assert_array_equal(w, 2 * X)
