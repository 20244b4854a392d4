"""Structural zeros: a branch that is not taken, and a mask, add nothing to a derivative."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

import tensorgrad as tg
from tensorgrad._primitive import registry
from tensorgrad._zeros import MATRICES
from tensorgrad.ir import of_tape
from tensorgrad.testing.case import Case, random_like
from tensorgrad.testing.samples import ROWS

INF, NAN = np.inf, np.nan
x3 = np.array([0.0, 4.0, -1.0])
PAIRS = np.array([[1.0, 2.0], [3.0, 4.0], [0.0, 0.0]])
ROW = np.array([True, False])
SEEN = np.array([[True, True, True], [False, False, False]])


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """The forward passes of the untaken branches warn, as they should."""
    with np.errstate(all="ignore"):
        yield


def _root(x: Any) -> Any:
    r = tg.sqrt((x**2).sum(1))
    return tg.where(r > 0.5, r, 1.0).sum()


def _attention(x: Any) -> Any:
    scores = tg.where(SEEN, x, -INF)
    return tg.where(ROW[:, None], tg.softmax(scores, -1), 0.0)[:, 0].sum()


def _nested(x: Any) -> Any:
    return tg.where(x > -2, tg.where(x > 0, tg.log(x), 0.0), tg.sqrt(x)).sum()


def _log_loss(x: Any) -> Any:
    p = tg.relu(x)
    return (np.array([0.0, 1.0, 0.0]) * tg.log(p)).nansum()


def _normalised(x: Any) -> Any:
    r = tg.linalg.vector_norm(x, axis=1, keepdims=True)
    return (tg.where(r > 0, x / r, 0.0) * np.array([1.0, 2.0])).sum()


# What people reported elsewhere (the threads are named), and what lies near: function, point, gradient.
REPRODUCERS: dict[str, tuple[Callable[[Any], Any], Any, Any]] = {
    # jax-ml/jax 347, 1052, 5798, 20601; tinygrad 12409; pytorch 18287, 16317, 52248, 108618; tensorflow 38349
    "root of a zero row": (_root, PAIRS, np.array([[1 / 5**0.5, 2 / 5**0.5], [0.6, 0.8], [0, 0]])),
    "atan2 at 0": (lambda x: tg.where([False, True, False], 0.0, tg.atan2(x, x)).sum(), np.array([3.0, 0, -5]), [0, 0, 0]),
    "x or its root": (lambda x: tg.where(x < 1, x, tg.sqrt(x)).sum(), np.array([0.0, 4.0]), [1, 0.25]),
    "a false branch of NaN": (lambda b: tg.where(False, b * NAN, 1.0), np.array(2.3), 0),
    "x times its root": (lambda x: tg.where(x == 0, 0.0, x * tg.sqrt(x)).sum(), np.array([0.0, 4.0]), [0, 3]),
    "cos at infinity": (lambda x: tg.where(x < 1, tg.cos(x), 0.0).sum(), np.array([0.0, INF]), [-0.0, 0]),
    "divided by 0": (lambda x: tg.where(ROW, x / np.array([2.0, 0.0]), 0.0).sum(), np.array([1.0, 1.0]), [0.5, 0]),
    "a number over 0": (lambda x: tg.where(False, x / 0.0, 1.0), np.array(0.3), 0),
    "log2 or a line": (lambda x: tg.where(x > 2, tg.log2(x), 2 * x).sum(), np.array([0.0, 4.0]), [2, 0.25 / np.log(2)]),
    "overflow": (lambda x: tg.where(x < 15, x, 10 ** tg.exp(x)), np.array(10.0), 1),
    # masks that multiply, slopes that are 0
    "entropy": (lambda x: tg.where(x > 0, x * tg.log(x), 0.0).sum(), x3, [0, np.log(4) + 1, 0]),
    "relu of a log": (lambda x: tg.relu(tg.log(x)).sum(), x3, [0, 0.25, 0]),
    "root of a relu": (lambda x: tg.sqrt(tg.relu(x)).sum(), np.array([-1.0, 4.0]), [0, 0.25]),
    "maximum": (lambda x: tg.maximum(tg.log(x), 0.0).sum(), np.array([0.0, 4.0]), [0, 0.25]),
    "clip": (lambda x: tg.clip(tg.log(x), -1.0, 9.0).sum(), np.array([0.0, 4.0]), [0, 0.25]),
    "product with a mask": (lambda x: (tg.sqrt(x) * np.array([0.0, 1.0])).sum(), np.array([0.0, 4.0]), [0, 0.25]),
    "log loss": (_log_loss, x3, [0, 0.25, 0]),
    "root of 0": (lambda x: tg.where(x > 0, tg.sqrt(x), 0.0).sum(), x3, [0, 0.25, 0]),
    "norm at 0": (lambda x: tg.sqrt((x * x).sum()), np.zeros(3), [0, 0, 0]),
    "normalised rows": (_normalised, PAIRS, [[0, 0], [-8 / 125, 6 / 125], [0, 0]]),
    "sinc by hand": (lambda x: tg.where(x == 0, 1.0, tg.sin(x) / x).sum(), np.array([0.0, np.pi]), [0, -1 / np.pi]),
    "acos": (lambda x: tg.where(tg.abs(x) < 1, tg.acos(x), 0.0).sum(), np.array([-1.0, 0.0, 1.0]), [0, -1, 0]),
    "power": (lambda x: tg.where(x > 0, x**-0.5, 0.0).sum(), np.array([0.0, 4.0]), [0, -1 / 16]),
    "x to the x": (lambda x: tg.where(x > 0, x**x, 0.0).sum(), np.array([-1.0, 1.0]), [0, 1]),
    "nested": (_nested, np.array([-3.0, -1.0, 0.0, 4.0])[1:], [0, 0, 0.25]),
    "masked row of softmax": (_attention, np.array([0.0, 0.0, 0.0]), [2 / 9, -1 / 9, -1 / 9]),
    "empty logsumexp": (
        lambda x: tg.where(ROW, tg.log(tg.exp(tg.where(SEEN, x, -INF)).sum(-1)), 0.0).sum(), np.zeros(3), [1 / 3] * 3
    ),
    "matmul with NaN": (lambda x: tg.where(ROW, np.array([[1.0, 2.0], [NAN, INF]]) @ x, 0.0).sum(), np.ones(2), [1, 2]),
    "einsum with inf": (
        lambda x: tg.where(ROW, tg.einsum("ij,j->i", np.array([[1.0, 2.0], [INF, 1.0]]), x), 0.0).sum(), np.ones(2), [1, 2]
    ),
    "convolution": (
        lambda x: tg.where(np.array([True, True, False]), tg.convolve(np.array([1.0, 2.0, NAN, 1.0]), x, "valid"), 0.0)[0],
        np.array([3.0, 4.0]), [2, 1],
    ),
    "stack of matrices": (
        lambda x: tg.where(ROW, tg.linalg.matrix_exp(tg.stack([tg.diag(x), tg.diag(x * INF)])).sum((1, 2)), 0.0).sum(),
        np.array([0.0, 1.0]), [1, np.e],
    ),
}  # fmt: skip


def ways() -> dict[str, Callable[[Any, Any], Any]]:
    """Ways to differentiate ``f`` at ``x`` with structural zeros; each returns the gradient as an array."""

    def transformed(f: Any, x: Any) -> Any:
        with tg.structural_zeros():
            found = tg.grad(f)(x)
        assert not isinstance(found, tg.Tensor)
        return found

    def backward_inside(f: Any, x: Any) -> Any:
        t = tg.tensor(x, requires_grad=True)
        y = f(t)
        with tg.structural_zeros():
            y.backward()
        return t.grad.numpy()

    def recorded_inside(f: Any, x: Any) -> Any:
        t = tg.tensor(x, requires_grad=True)
        tg.structural_zeros()(f)(t).backward()
        return t.grad.numpy()

    def recorded_pass(f: Any, x: Any) -> Any:
        t = tg.tensor(x, requires_grad=True)
        with tg.structural_zeros():
            (found,) = tg.autograd.grad(f(t), t, create_graph=True)
        return found.numpy()

    def in_a_batch(f: Any, x: Any) -> Any:
        with tg.structural_zeros():
            return tg.vmap(tg.grad(f))(np.stack([x, x]))[1]

    def forward(f: Any, x: Any) -> Any:
        basis = np.eye(x.size).reshape(-1, *x.shape)
        with tg.structural_zeros():
            return np.reshape([tg.jvp(f, (x,), (e,))[1] for e in basis], x.shape)

    def watched(f: Any, x: Any) -> Any:
        t = tg.tensor(x, requires_grad=True)
        with tg.record(), tg.structural_zeros():
            f(t).backward()
        return t.grad.numpy()

    def traced(f: Any, x: Any) -> Any:
        with tg.structural_zeros():
            graph = tg.trace(tg.grad(f), tg.tensor(np.full_like(x, 0.7)))
        return np.asarray(graph(tg.tensor(x)))

    return {f.__name__: f for f in (
        transformed, backward_inside, recorded_inside, recorded_pass, in_a_batch, forward, watched, traced)}  # fmt: skip


@pytest.mark.parametrize("way", ways())
@pytest.mark.parametrize("name", REPRODUCERS)
def test_every_reproducer_gives_the_finite_answer(name, way):
    f, x, expected = REPRODUCERS[name]
    assert_allclose(ways()[way](f, x), np.broadcast_to(expected, x.shape), rtol=1e-12, atol=1e-15)


def test_most_reproducers_are_not_finite_without():
    bad = [name for name, (f, x, _) in REPRODUCERS.items() if not np.isfinite(tg.grad(f)(x)).all()]
    assert len(bad) >= len(REPRODUCERS) - 6, set(REPRODUCERS) - set(bad)


# ---- the rule, op by op

NO_ENTRIES = {"cholesky", "det", "lu", "qr", "solve_triangular"}
"""Factorisations: of these each matrix is taken by itself, and not each entry."""

MULTIPLYING = [
    name
    for name in ROWS
    if name in registry and registry[name].kind in ("elementwise", "bilinear", "general")
]


def _cases(name: str) -> Iterator[tuple[Any, list[Any]]]:
    for sample in sorted(ROWS[name].samples, key=lambda one: not one.label.startswith(("axes", "broadcast"))):
        case = Case(ROWS[name], sample)
        if case.xs and all(x.size for x in case.xs):
            yield case, [np.asarray(getattr(y, "_d", y)) for y in case.of(*case.xs)]


def _pulled(of: Any, xs: list[Any], gs: list[Any]) -> list[Any] | None:
    """The cotangents of ``xs``, None where the forward refuses such numbers."""
    ts = [tg.tensor(x, requires_grad=True) for x in xs]
    try:
        ys = of(*ts)
    except tg.TensorgradError:
        return None
    pairs = [(y, g) for y, g in zip(ys, gs, strict=True) if isinstance(y, tg.Tensor) and y.requires_grad]
    if not pairs:
        return None
    found = tg.autograd.grad([y for y, _ in pairs], ts, [g for _, g in pairs], allow_unused=True)
    return [np.zeros_like(x) if c is None else c.numpy() for c, x in zip(found, xs, strict=True)]


@pytest.mark.parametrize("name", MULTIPLYING)
def test_what_is_finite_stays_and_what_is_not_seen_does_not_matter(name):
    rng = np.random.default_rng(0)
    for case, ys in _cases(name):
        gs = [random_like(y, 1) * (rng.random(y.shape) > 0.4) if y.dtype.kind in "fc" else None for y in ys]
        plain = _pulled(case.of, case.xs, gs)
        if plain is None:
            continue
        with tg.structural_zeros():
            _assert_same_where_finite(plain, _pulled(case.of, case.xs, gs))
            _one_entry_spoilt(name, case, ys)
            _one_example_spoilt(case, gs, plain)
        break


def _assert_same_where_finite(plain: Any, found: Any) -> None:
    for p, c in zip(plain, found, strict=True):
        assert p.dtype == c.dtype and p.shape == c.shape
        assert p[np.isfinite(p)].tobytes() == c[np.isfinite(p)].tobytes()


def _one_entry_spoilt(name: str, case: Any, ys: list[Any]) -> None:
    """Where a NaN among the inputs does not reach, the gradient is that of the inputs without it."""
    for which in range(len(case.xs) * (name not in NO_ENTRIES)):
        xs = [np.array(x) for x in case.xs]
        xs[which].reshape(-1)[xs[which].size // 2] = NAN
        try:
            zs = [np.asarray(getattr(z, "_d", z)) for z in case.of(*xs)]
        except tg.TensorgradError:
            continue
        gs = [
            (random_like(y, 2) * (y == z)).astype(y.dtype) if y.dtype.kind in "fc" else None
            for y, z in zip(ys, zs, strict=True)
        ]
        expected, found = _pulled(case.of, case.xs, gs), _pulled(case.of, xs, gs)
        if found is None or not all(np.isfinite(e).all() for e in expected):
            continue
        for e, c in zip(expected, found, strict=True):
            assert_allclose(c, e, rtol=1e-3 if e.dtype == np.float16 else 1e-5, atol=1e-6)


def _one_example_spoilt(case: Any, gs: list[Any], expected: list[Any]) -> None:
    """Of a batch, an example of NaN that has cotangent 0 gets zeros, and leaves the other alone."""
    xs = [np.stack([x, np.full_like(x, NAN)]) for x in case.xs]

    def of(*xs: Any) -> Any:
        return tg.vmap(lambda *one: tuple(case.of(*one)))(*xs)

    found = _pulled(of, xs, [None if g is None else np.stack([g, 0 * g]) for g in gs])
    if found is None:
        return
    for e, c in zip(expected, found, strict=True):
        assert_array_equal(c[1], 0)
        finite = np.isfinite(e)
        assert_allclose(c[0][finite], e[finite], rtol=1e-3 if e.dtype == np.float16 else 1e-5, atol=1e-6)


@pytest.mark.parametrize("name", sorted(MATRICES))
def test_the_matrices_are_ops_of_that_kind(name):
    assert registry[name].kind == "general" and registry[name].forward.__module__.startswith(
        "tensorgrad.ops.linalg"
    )


# ---- random programs

STEPS: dict[str, Callable[[Any, Any], Any]] = {
    "log": lambda a, b: tg.log(a),
    "sqrt": lambda a, b: tg.sqrt(a),
    "reciprocal": lambda a, b: 1 / a,
    "power": lambda a, b: a**0.3,
    "acos": lambda a, b: tg.acos(a),
    "exp": lambda a, b: tg.exp(a),
    "relu": lambda a, b: tg.relu(a),
    "divide": lambda a, b: a / b,
    "multiply": lambda a, b: a * b,
    "where": lambda a, b: tg.where(tg.isfinite(a), a, b),
    "where positive": lambda a, b: tg.where(b > 0, a, 0.5),
    "mask": lambda a, b: a * np.array([1.0, 0.0, 1.0, 0.0]),
    "softmax": lambda a, b: tg.softmax(a),
    "prod": lambda a, b: tg.prod(a) * b,
    "matmul": lambda a, b: tg.outer(a, b) @ b,
    "norm": lambda a, b: a / tg.linalg.vector_norm(a),
    "cumsum": lambda a, b: tg.cumsum(a),
}


@settings(max_examples=40)
@given(
    steps=st.lists(
        st.tuples(st.sampled_from(sorted(STEPS)), st.integers(0, 5), st.integers(0, 5)),
        min_size=1,
        max_size=6,
    ),
    x=st.lists(st.sampled_from([0.0, -0.0, 1.0, -1.0, 0.5, 2.0, INF, NAN]), min_size=4, max_size=4),
)
def test_a_program_has_the_same_gradient_wherever_it_is_finite_without(steps, x):
    def f(x: Any) -> Any:
        pool = [x, tg.sin(x)]
        for name, i, j in steps:
            pool.append(STEPS[name](pool[i % len(pool)], pool[j % len(pool)]))
        return tg.where(tg.isfinite(pool[-1]), pool[-1], 0.0).sum()

    def tangents(x: Any) -> Any:
        return [np.array([tg.jvp(f, (x,), (e,))[1] for e in np.eye(4)])]

    with np.errstate(all="ignore"):
        point = np.array(x)
        plain, plain_tangents = tg.grad(f)(point), tangents(point)
        with tg.structural_zeros():
            _assert_same_where_finite([plain], [tg.grad(f)(point)])
            _assert_same_where_finite(plain_tangents, tangents(point))


# ---- where it is switched on


def _leaky(x: Any) -> Any:
    with np.errstate(all="ignore"):  # other threads have their own settings
        return tg.where(x > 0, tg.log(x), 0.0).sum()


def test_it_ends_with_the_block_and_leaves_a_graph_as_it_was():
    x = tg.tensor([0.0, 2.0], requires_grad=True)
    y = _leaky(x)
    with tg.structural_zeros():
        assert_array_equal(tg.autograd.grad(y, x, retain_graph=True)[0].numpy(), [0, 0.5])
    assert np.isnan(tg.autograd.grad(y, x)[0].numpy()[0])
    with pytest.raises(KeyError), tg.structural_zeros():
        raise KeyError
    assert np.isnan(tg.grad(_leaky)(np.array([0.0]))[0])


def test_threads_and_tasks_have_their_own():
    found: list[Any] = []

    def in_thread() -> None:
        with np.errstate(all="ignore"):
            found.append(tg.grad(_leaky)(np.array([0.0])))

    with tg.structural_zeros():
        thread = threading.Thread(target=in_thread)
        thread.start()
        thread.join()

    @tg.structural_zeros()
    async def safe() -> None:
        await asyncio.sleep(0)
        found.append(tg.grad(_leaky)(np.array([0.0])))

    async def plain() -> None:
        await asyncio.sleep(0)
        found.append(tg.grad(_leaky)(np.array([0.0])))

    async def both() -> None:
        await asyncio.gather(safe(), plain())

    asyncio.run(both())
    assert [bool(np.isnan(one[0])) for one in found] == [True, False, True]


def test_a_generator_that_is_decorated_has_it_while_it_runs():
    @tg.structural_zeros()
    def steps() -> Iterator[Any]:
        yield tg.grad(_leaky)(np.array([0.0]))
        yield tg.grad(_leaky)(np.array([0.0]))

    running = steps()
    assert next(running)[0] == 0 and np.isnan(tg.grad(_leaky)(np.array([0.0]))[0]) and next(running)[0] == 0


def test_what_is_recorded_inside_keeps_it_for_every_order():
    f = tg.structural_zeros()(_leaky)
    x = tg.tensor([0.0, 2.0], requires_grad=True)
    (first,) = tg.autograd.grad(f(x), x, create_graph=True)
    (second,) = tg.autograd.grad(first.sum(), x, create_graph=True)
    (third,) = tg.autograd.grad(second.sum(), x)
    for found, expected in ((first, 0.5), (second, -0.25), (third, 0.25)):
        assert_allclose(found.numpy(), [0, expected])


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.complex64, np.complex128])
def test_dtypes_stay(dtype):
    def f(x: Any) -> Any:
        return tg.where(tg.real(x) > 0, tg.log(x), 0.0).real.sum()

    x = np.array([0, 2], dtype)
    with tg.structural_zeros():
        found = tg.grad(f)(x)
        _, t = tg.jvp(f, (x,), (np.ones(2, dtype),))
    assert found.dtype == dtype
    assert_allclose(found, [0, 0.5], rtol=1e-3)
    assert_allclose(t, 0.5, rtol=1e-3)


def test_nothing_warns_inside_of_the_derivative():
    x = tg.tensor([0.0, 2.0], requires_grad=True)
    y = _leaky(x)
    with np.errstate(all="raise"), tg.structural_zeros():
        y.backward()
    assert_array_equal(x.grad.numpy(), [0, 0.5])


def test_graphs_of_what_was_recorded_inside_hold_the_card_itself():
    x = tg.tensor([1.0, 2.0], requires_grad=True)
    with tg.structural_zeros():
        y = _leaky(x)
    assert y._node.edges[0].edges[1].prim is not tg.log.card
    for equation in of_tape(y).equations:
        assert equation.primitive is registry[equation.op]


# ---- rules of the user's own


@tg.elementwise
def root(x):
    return np.sqrt(x)


root.derivative(x=lambda y: 0.5 / y)


@tg.primitive
def by_numpy(x):
    return np.log(x)


by_numpy.vjp(x=lambda g, x: np.divide(g, x) * np.ones_like(np.asarray(x)))


@tg.primitive
def needs_arrays(x):
    return np.log(x)


needs_arrays.vjp(x=lambda g, x: np.ascontiguousarray(np.frombuffer(np.asarray(g).tobytes())) / x)


@tg.custom_vjp
def logged(x):
    return tg.log(x)


logged.defvjp(lambda x: (tg.log(x), x), lambda x, g: (g / x,))


@tg.custom_jvp
def pushed(x):
    return tg.log(x)


pushed.defjvp(lambda xs, ts: (tg.log(xs[0]), ts[0] / xs[0]))


class Logged(tg.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return tg.log(x)

    @staticmethod
    def backward(ctx, g):
        return g / ctx.saved_tensors[0]


OWN = {"elementwise": (root, 0.25), "by numpy": (by_numpy, 0.25), "custom_vjp": (logged, 0.25),
       "custom_jvp": (pushed, 0.25), "Function": (Logged.apply, 0.25)}  # fmt: skip


@pytest.mark.parametrize("name", OWN)
def test_rules_of_the_users_own(name):
    op, slope = OWN[name]
    with tg.structural_zeros():
        found = tg.grad(lambda x: tg.where(x > 0, op(x), 0.0).sum())(np.array([0.0, 4.0]))
    assert_allclose(found, [0, slope])


def test_a_rule_that_needs_plain_arrays_counts_as_one():
    with tg.structural_zeros():
        x = np.array([0.0, 4.0])
        assert_array_equal(tg.grad(lambda x: tg.where(False, needs_arrays(x), 0.0).sum())(x), [0, 0])
        partly = tg.grad(lambda x: tg.where(x > 0, needs_arrays(x), 0.0).sum())(x)
    assert np.isnan(partly[0]) and partly[1] == 0.25


# ---- what the rule means


def test_sums_keep_their_infinities():
    a = np.array([[INF, 1.0], [-INF, INF], [NAN, 0.0], [2.0, 3.0]])
    with tg.structural_zeros():

        def found(g: list[float]) -> Any:
            return tg.grad(lambda x: (np.array(g) * (a @ x)).sum())(np.ones(2)).tolist()

        assert found([1, 0, 0, 1]) == [INF, 4]
        assert found([0, 1, 0, 1]) == [-INF, INF]
        assert found([1, -1, 0, 0]) == [INF, -INF]
        assert str(found([1, 1, 0, 0])) == "[nan, inf]"
        assert str(found([0, 0, 1, 0])) == "[nan, 0.0]"


def test_an_infinite_slope_that_is_asked_for_stays():
    with tg.structural_zeros():
        assert tg.grad(tg.sqrt)(0.0) == INF and tg.jvp(tg.sqrt, (0.0,), (1.0,))[1] == INF


def test_what_the_rule_hides():
    with tg.structural_zeros():
        assert tg.grad(lambda x: tg.sqrt(x) * tg.sqrt(x))(0.0) == 0  # and the limit is 1
        assert tg.grad(lambda x: 1e-200 * (1e-200 * tg.sqrt(x)))(0.0) == 0  # underflow; it is infinite


@pytest.mark.parametrize("inner", ["log", "sqrt"])
def test_why_names_the_way_out(inner):
    x = tg.tensor([0.0, 2.0], requires_grad=True)

    def loss() -> Any:
        return tg.where(x > 0, getattr(tg, inner)(x), 0.0).sum()

    def steep() -> Any:
        return getattr(tg, inner)(x).sum()

    answer = tg.why(x, of=loss)
    assert "tg.structural_zeros()" in f"{answer.reason} {answer.advice}"
    answer = tg.why(x, of=steep)
    assert "structural" not in f"{answer.reason} {answer.advice}"
    with tg.structural_zeros():
        assert tg.why(x, of=loss).ok
