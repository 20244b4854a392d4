"""Recording: what a program holds, what is captured, and what cannot be recorded."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import tensorgrad as tg

X = np.array([1.0, 2.0, 3.0])


def ops_of(graph: Any) -> list[str]:
    return [equation.op for equation in graph.equations]


# ---- what is recorded


def test_a_program_is_frozen_data() -> None:
    graph = tg.trace(lambda x, y: (x * y + 1).sum(), tg.tensor(X), tg.tensor(X))
    assert ops_of(graph) == ["multiply", "add", "sum"]
    assert [v.role for v in graph.inputs] == ["input", "input"]
    assert all(v.shape == (3,) and v.dtype == "float64" for v in graph.inputs)
    assert graph.outputs == graph.equations[-1].outputs
    assert graph.equations[-1].params == {"axis": None, "keepdims": False, "dtype": None}
    with pytest.raises(AttributeError):
        graph.inputs = ()
    indices = [v.index for e in graph.equations for v in e.outputs]
    assert len(set(indices)) == len(indices)


def test_every_value_is_defined_before_it_is_used() -> None:
    w = tg.tensor(np.ones((3, 2)), requires_grad=True)

    def f(x: Any) -> Any:
        a, b = tg.split(tg.tanh(x @ w) * np.arange(2.0), 2)
        return tg.grad(lambda v: (v * a).sum())(b) + tg.vmap(tg.sin)(b)

    graph = tg.trace(f, tg.tensor(X))
    known = {*graph.inputs, *graph.captured, *graph.constants}
    for equation in graph.equations:
        assert set(equation.inputs) <= known
        known |= set(equation.outputs)
    assert set(graph.outputs) <= known


def test_arguments_and_results_may_be_containers() -> None:
    def f(p: Any, rest: Any) -> Any:
        return {"sum": p["a"] + rest[0], "same": p["a"], "none": None, "number": 2.5}

    graph = tg.trace(f, {"a": tg.tensor(X)}, [tg.tensor(X), None])
    found = graph({"a": tg.tensor(2 * X)}, [tg.tensor(X), None])
    assert_array_equal(found["sum"], 3 * X)
    assert_array_equal(found["same"], 2 * X)
    assert found["none"] is None and found["number"] == 2.5


def test_examples_may_be_arrays_and_numbers() -> None:
    graph = tg.trace(lambda x, s: x * s, X, 2.0)
    assert [v.dtype for v in graph.inputs] == ["float64", "float32"]
    assert_array_equal(graph(X, np.float32(3.0)), 3 * X)


def test_the_function_runs_once_on_the_examples() -> None:
    calls = []

    def f(x: Any) -> Any:
        calls.append(x.shape)
        return x + len(calls)

    graph = tg.trace(f, tg.tensor(X))
    assert calls == [(3,)]
    graph(tg.tensor(X))
    assert calls == [(3,)]


def test_python_control_flow_on_shapes_is_unrolled() -> None:
    def f(x: Any) -> Any:
        total = x[0]
        for i in range(1, len(x)):
            if i % 2 and x.ndim == 1:
                total = total * x[i]
        return total

    assert tg.trace(f, tg.tensor(np.arange(1.0, 7.0)))(tg.tensor(np.arange(2.0, 8.0))).item() == 2 * 3 * 5 * 7


def test_scopes_and_directions_are_noted() -> None:
    w = tg.tensor(X, requires_grad=True)

    def f(x: Any) -> Any:
        with tg.scope("net"), tg.scope("layer"):
            y = x * w
        (y * y).sum().backward()
        return w.grad

    graph = tg.trace(f, tg.tensor(X))
    assert graph.equations[0].scope == "net/layer"
    forward = [e.op for e in graph.equations if e.direction == "forward"]
    backward = [e.op for e in graph.equations if e.direction == "backward"]
    assert forward == ["multiply", "multiply", "sum"]
    assert backward and ops_of(graph) == forward + backward


def test_captured_tensors_are_read_anew_and_constants_are_not() -> None:
    b = tg.tensor(X)
    c = X.copy()
    graph = tg.trace(lambda x: x * b + c, tg.tensor(X))
    assert len(graph.captured) == 1
    assert graph.values[graph.captured[0].index] is b
    b += 1
    c += 1
    assert_array_equal(graph(tg.tensor(X)), X * (X + 1) + X)


def test_one_tensor_is_captured_once_and_two_twice() -> None:
    a, b = tg.tensor(X), tg.tensor(X)
    graph = tg.trace(lambda x: x * a + a * b + a.detach(), tg.tensor(X))
    assert len(graph.captured) == 2


def test_captured_and_given_booleans_without_axes_are_kept_apart() -> None:
    """NumPy has only two of them, so identity does not tell one from another."""

    def f(a: Any, b: Any) -> Any:
        return tg.where(a, 1.0, 2.0) + tg.where(b, 10.0, 20.0)

    graph = tg.trace(f, tg.tensor(True), tg.tensor(True))
    for a in (True, False):
        for b in (True, False):
            assert graph(tg.tensor(a), tg.tensor(b)).item() == f(tg.tensor(a), tg.tensor(b)).item()
    p, q = tg.tensor(False), tg.tensor(False)
    graph = tg.trace(
        lambda x: tg.where(p, x, 2 * x) + tg.where(q, 10 * x, 20 * x) + tg.where(x > 0, 0.0, 1.0), 1.0
    )
    with tg.no_grad():
        q[...] = True
    assert graph(np.float32(1.0)) == 12.0


def test_zero_dimensional_values_are_kept_apart() -> None:
    def f(a: Any, b: Any) -> Any:
        c = a + b
        d = c * 1.0
        return tg.stack([a, b, c, d, +a, c.reshape(()), a.T, tg.where(a > b, a, b), a.clone(), a.detach()])

    graph = tg.trace(f, tg.tensor(1.0), tg.tensor(1.0))
    assert_array_equal(graph(tg.tensor(2.0), tg.tensor(5.0)), f(tg.tensor(2.0), tg.tensor(5.0)))


def test_integer_values_without_axes_are_kept_apart() -> None:
    def f(a: Any, b: Any) -> Any:
        return tg.stack([a + b, a * b, a - b, tg.stack([a, b]).argmax(), tg.stack([a, b, a]).argmin()])

    graph = tg.trace(f, tg.tensor(1), tg.tensor(1))
    assert_array_equal(graph(tg.tensor(2), tg.tensor(5)), [7, 10, -3, 1, 0])


def test_values_that_are_rebound_and_written() -> None:
    def f(x: Any) -> Any:
        y = x * 1
        z = y
        y[0] = 7.0
        y += x
        y[1:] = y[1:] * z[:2]
        return y, z, x

    graph = tg.trace(f, tg.tensor(X))
    for got, want in zip(graph(tg.tensor(-X)), f(tg.tensor(-X)), strict=True):
        assert_array_equal(got, want)


def test_the_argument_of_a_trace_may_be_written_to() -> None:
    def f(x: Any) -> Any:
        before = x * 1
        x *= 2
        return before, x

    given = tg.tensor(X)
    graph = tg.trace(f, given)
    assert_array_equal(given, X)
    before, after = graph(given)
    assert_array_equal(before, X)
    assert_array_equal(after, 2 * X)


def test_indices_that_are_computed_are_part_of_the_program() -> None:
    def f(x: Any) -> Any:
        order = x.argsort()
        return x[order], tg.take_along_axis(x, order, 0), x[order[:1]]

    graph = tg.trace(f, tg.tensor(X))
    for got, want in zip(graph(tg.tensor(X[::-1])), f(tg.tensor(X[::-1])), strict=True):
        assert_array_equal(got, want)


def test_an_index_array_changed_afterwards_changes_nothing() -> None:
    index, mask, seed = np.array([0, 2]), np.array([True, False, True]), np.ones(3)
    w = tg.tensor(X, requires_grad=True)

    def f(x: Any) -> Any:
        (w * x).backward(seed)
        return x[index] + x[mask] + w.grad[:2]

    graph = tg.trace(f, tg.tensor(X))
    first = graph(tg.tensor(X)).tolist()
    index[:], mask[:], seed[:] = 1, False, 9
    assert graph(tg.tensor(X)).tolist() == first


# ---- random draws


def test_draws_are_drawn_anew() -> None:
    graph = tg.trace(lambda x: x + tg.randn(3) + tg.rand(3) + tg.randint(0, 10, (3,)), tg.tensor(X))
    assert len({tuple(np.asarray(graph(tg.tensor(X))).tolist()) for _ in range(3)}) == 3
    tg.manual_seed(1)
    first = graph(tg.tensor(X))
    tg.manual_seed(1)
    assert_array_equal(first, graph(tg.tensor(X)))


def test_draws_follow_the_generator_and_their_order() -> None:
    def f(x: Any) -> Any:
        a = tg.uniform(-1, 1, (3,))
        return x[tg.permutation(3)] * a + tg.normal(2.0, 0.5, (3,))

    tg.manual_seed(5)
    graph = tg.trace(f, tg.tensor(X))
    for seed in (6, 7):
        tg.manual_seed(seed)
        expected = f(tg.tensor(X))
        tg.manual_seed(seed)
        assert_array_equal(graph(tg.tensor(X)), expected)
    source = np.random.default_rng(0)
    graph = tg.trace(lambda x: x + tg.rand(3, generator=source), tg.tensor(X))
    again = np.random.default_rng(0)
    again.random(3)
    assert_allclose(graph(tg.tensor(X)), X + again.random(3), rtol=1e-6)


def test_a_draw_with_traced_parameters_draws_with_those_of_the_replay() -> None:
    for draw in (lambda m: tg.normal(m, 0.01, (50,)), lambda m: tg.uniform(m, m + 0.01, (50,))):
        graph = tg.trace(lambda x, draw=draw: draw(x.max()), tg.tensor(X))
        for top in (3.0, 100.0):
            drawn = graph(tg.tensor(np.minimum(X, top - 1)).maximum(top)).numpy()
            assert abs(drawn.mean() - top) < 0.1 and len(set(drawn.tolist())) > 10
        assert tg.grad(lambda x, draw=draw: draw(x).sum())(1.0).item() == pytest.approx(50)


# ---- derivatives in a program


def test_a_cotangent_that_was_computed_is_part_of_the_program() -> None:
    def f(a: Any, g: Any) -> Any:
        p = tg.tensor(X, requires_grad=True)
        (p * a).backward(g)
        (q,) = tg.autograd.grad(p * p * a, p, grad_outputs=g * 2)
        return p.grad, q

    graph = tg.trace(f, tg.tensor(X), tg.tensor(X))
    first, second = graph(tg.tensor(2 * X), tg.tensor(3 * X))
    assert_allclose(first, 6 * X * X)
    assert_allclose(second, 2 * X * 2 * X * 6 * X)


def test_transformations_inside_a_program() -> None:
    w = tg.tensor(np.outer(X, X), requires_grad=True)

    def energy(x: Any) -> Any:
        return (tg.tanh(w @ x) ** 2).sum()

    def f(x: Any, v: Any) -> Any:
        slope, turn = tg.jvp(tg.grad(energy), (x,), (v,))
        rows = tg.vmap(tg.grad(energy))(tg.stack([x, v, x * v]))
        return slope, turn, rows, tg.grad(tg.grad(lambda s: energy(x * s)))(2.0)

    small = 0.1 * X
    graph = tg.trace(f, tg.tensor(small), tg.tensor(small))
    for got, want in zip(
        graph(tg.tensor(-small), tg.tensor(X)), f(tg.tensor(-small), tg.tensor(X)), strict=True
    ):
        assert_allclose(got, want, rtol=1e-12)


def test_a_trace_inside_a_gradient_and_a_gradient_of_a_program() -> None:
    def f(x: Any) -> Any:
        return (x**3).sum()

    graph = tg.trace(f, tg.tensor(X))
    assert_allclose(tg.grad(graph)(X), 3 * X * X)
    assert_allclose(tg.grad(lambda x: tg.trace(f, tg.tensor(X))(x))(X), 3 * X * X)
    assert_allclose(tg.jvp(graph, (X,), (X,))[1], (3 * X**3).sum())
    assert_allclose(tg.vmap(graph)(np.stack([X, -X])), [(X**3).sum(), -(X**3).sum()])
    assert_allclose(tg.trace(graph, tg.tensor(X))(2 * X), 8 * (X**3).sum())
