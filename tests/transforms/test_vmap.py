"""Batching: every form of op against a loop over the examples."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import tensorgrad as tg
from tensorgrad.transforms.vmap import looped

generator = np.random.default_rng(11)
X = generator.normal(size=(4, 3, 5))


@pytest.fixture(autouse=True)
def _count_from_zero() -> Iterator[None]:
    looped.clear()
    yield
    looped.clear()


def loop(f: Any, *args: Any) -> Any:
    """What vmap must equal: each example by itself, stacked."""
    each = [f(*[tg.tensor(a[i]) for a in args]) for i in range(len(args[0]))]
    if isinstance(each[0], tuple):
        return tuple([np.stack([np.asarray(e[k]) for e in each]) for k in range(len(each[0]))])
    return np.stack([np.asarray(e) for e in each])


def squares(y: Any) -> Any:
    """One number that depends on all results, each in its own way."""
    parts = y if isinstance(y, tuple) else (y,)
    return sum([((k + 1) * part * part).sum() for k, part in enumerate(parts)], start=0.0)


# ---- every op against a loop

DIFFERENTIABLE: dict[str, Any] = {
    "arithmetic": lambda x: (x * 2 - 1) / (x * x + 1),
    "number to a power": lambda x: 2.0**x,
    "broadcast row": lambda x: x * x[0],
    "broadcast column": lambda x: x + x[:, :1],
    "lower rank first": lambda x: x[0] * x,
    "exp": tg.exp,
    "abs": tg.abs,
    "relu": tg.relu,
    "sigmoid": tg.sigmoid,
    "maximum with a number": lambda x: tg.maximum(x, 0.0),
    "maximum of two": lambda x: tg.maximum(x, x[::-1]),
    "where with numbers": lambda x: tg.where(x > 0, x, 0.0),
    "where with a number each": lambda x: tg.where(x > 0, 1.0, x) * tg.where(x > 0, x, -1.0),
    "where of a row": lambda x: tg.where(x[0] > 0, x, x[0]),
    "where of a fixed mask": lambda x: tg.where(np.arange(5) > 2, x, -x),
    "astype": lambda x: x.astype("float32").astype("float64"),
    "real and conjugate": lambda x: tg.real(tg.conjugate(x * (1 + 2j))),
    "stop_gradient": lambda x: tg.stop_gradient(x) * x,
    "detach": lambda x: x.detach() * x,
    "clone": lambda x: x.clone() * x,
    "flip": tg.flip,
    "flip an axis": lambda x: tg.flip(x, axis=-1) * x,
    "transpose": lambda x: x.T,
    "transpose by axes": lambda x: x[None].transpose(-1, 0, 1),
    "moveaxis": lambda x: tg.moveaxis(x[None], 0, -1),
    "swapaxes": lambda x: x.swapaxes(0, -1),
    "matrix transpose": lambda x: x[None].mT,
    "reshape": lambda x: x.reshape(5, 3),
    "reshape with -1": lambda x: x.reshape(-1),
    "ravel": lambda x: x.ravel(),
    "expand_dims": lambda x: x.expand_dims((0, -1)),
    "squeeze": lambda x: x[:1].squeeze(0),
    "squeeze all": lambda x: x[:1, None].squeeze(),
    "broadcast_to": lambda x: tg.broadcast_to(x, (2, 3, 5)),
    "sum_to": lambda x: tg.sum_to(x, (1, 5)),
    "basic index": lambda x: x[1:, None, ::-2],
    "ellipsis": lambda x: x[..., -1],
    "number": lambda x: x[1],
    "fixed positions": lambda x: x[[0, 0, 2]],
    "fixed positions in two axes": lambda x: x[np.array([[0], [2]]), [1, 4]],
    "positions around a slice": lambda x: x[None][[0, 0], :, [1, 2]],
    "fixed mask": lambda x: x[np.arange(15).reshape(3, 5) % 2 == 0],
    "split": lambda x: tg.split(x, [1, 2]),
    "split the last axis": lambda x: tg.split(x, 5, axis=-1),
    "concat": lambda x: tg.concat([x, 2 * x], axis=-1),
    "concat with a constant": lambda x: tg.concat([x, np.ones((2, 5)), x]),
    "concat flat": lambda x: tg.concat([x, x], axis=None),
    "stack": lambda x: tg.stack([x, x * x], axis=1),
    "sort": tg.sort,
    "sort down the columns": lambda x: tg.sort(x, axis=0, descending=True),
    "own positions along an axis": lambda x: tg.take_along_axis(x, tg.argsort(x, 1), 1),
    "fixed positions along an axis": lambda x: tg.take_along_axis(x, np.array([[0], [3], [3]]), axis=-1),
    "softmax": tg.softmax,
    "softmax of rows": lambda x: tg.softmax(x, 0),
    "log_softmax": lambda x: tg.log_softmax(x, -2),
    "logsumexp": lambda x: tg.logsumexp(x, axis=(0,), keepdims=True),
    "logsumexp of all": tg.logsumexp,
    "var": lambda x: x.var(0),
    "std": lambda x: x.std(),
    "einsum": lambda x: tg.einsum("ij,kj->ik", x, x),
    "einsum diagonal": lambda x: tg.einsum("ii->i", x[:, :3]),
    "einsum with a fixed operand": lambda x: tg.einsum("ij,j,i", x, np.arange(5.0), np.arange(3.0)),
    "einsum ellipsis": lambda x: tg.einsum("...j,j->...", x, x[0]),
    "conv2d": lambda x: tg.nn.functional.conv2d(x[None, None], x[None, None, :2, :2], padding=1),
    "conv2d with fixed filters": lambda x: tg.nn.functional.conv2d(
        x[None, None], np.ones((2, 1, 2, 3)), stride=(1, 2)
    ),
    "written to": lambda x: written(x),
}
CONSTANT: dict[str, Any] = {
    "greater": lambda x: x > 0,
    "equal": lambda x: x == x[0],
    "not": lambda x: ~(x > 0),
    "and, or": lambda x: ((x > 0) & (x < 1)) | (x < -1),
    "sign": tg.sign,
    "isfinite": tg.isfinite,
    "any": lambda x: (x > 1).any(0),
    "all": lambda x: (x > -1).all(axis=(0, 1), keepdims=True),
    "argmax": lambda x: x.argmax(1),
    "argmax of all": lambda x: x.argmax(),
    "argmin": lambda x: x.argmin(-2, keepdims=True),
    "argsort": lambda x: x.argsort(0, descending=True),
    "to integers": lambda x: (x * 10).astype("int64"),
}


def written(x: Any) -> Any:
    y = x * 1
    y[0] = 3.0
    y[1, [0, 2]] = x[0, :2] * 2
    y[2] *= 2
    y += 1
    return y


@pytest.mark.parametrize("name", [*DIFFERENTIABLE, *CONSTANT])
def test_batched_is_a_loop(name: str) -> None:
    f = (DIFFERENTIABLE | CONSTANT)[name]
    expected = loop(f, X)
    got = tg.vmap(f)(X)
    looped_ops = dict(looped)
    if not isinstance(expected, tuple):
        got, expected = (got,), (expected,)
    for one, other in zip(got, expected, strict=True):
        assert type(one) is np.ndarray and one.dtype == other.dtype
        assert_allclose(one, other, rtol=1e-13, atol=1e-13)
    assert not looped_ops, f"run example by example: {looped_ops}"


@pytest.mark.parametrize("name", DIFFERENTIABLE)
def test_gradients_of_examples(name: str) -> None:
    f = DIFFERENTIABLE[name]
    expected = np.stack([tg.grad(lambda x: squares(f(x)))(x) for x in X])
    assert_allclose(tg.vmap(tg.grad(lambda x: squares(f(x))))(X), expected, rtol=1e-10, atol=1e-10)
    assert not looped


@pytest.mark.parametrize("name", DIFFERENTIABLE)
def test_gradient_of_the_batch(name: str) -> None:
    f = DIFFERENTIABLE[name]
    expected = np.stack([tg.grad(lambda x: squares(f(x)))(x) for x in X])
    found = tg.grad(lambda x: tg.vmap(lambda one: squares(f(one)))(x).sum())(X)
    assert_allclose(found, expected, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("name", DIFFERENTIABLE)
def test_tangent_of_the_batch(name: str) -> None:
    f = DIFFERENTIABLE[name]
    direction = np.cos(X)
    expected = np.stack(
        [
            np.asarray(tg.jvp(lambda x: squares(f(x)), (x,), (d,))[1])
            for x, d in zip(X, direction, strict=True)
        ]
    )
    _, found = tg.jvp(tg.vmap(lambda x: squares(f(x))), (X,), (direction,))
    assert_allclose(found, expected, rtol=1e-10, atol=1e-10)
    found = tg.vmap(lambda x, d: tg.jvp(lambda x: squares(f(x)), (x,), (d,))[1])(X, direction)
    assert_allclose(found, expected, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("name", [*DIFFERENTIABLE, *CONSTANT])
def test_a_batch_in_a_batch(name: str) -> None:
    f = (DIFFERENTIABLE | CONSTANT)[name]
    twice = np.stack([X[:2], X[2:]])
    got, expected = tg.vmap(tg.vmap(f))(twice), loop(f, X)
    if not isinstance(expected, tuple):
        got, expected = (got,), (expected,)
    for one, other in zip(got, expected, strict=True):
        assert_allclose(one, other.reshape(2, 2, *other.shape[1:]), rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize("name", [*DIFFERENTIABLE, *CONSTANT])
def test_an_empty_batch(name: str) -> None:
    f = (DIFFERENTIABLE | CONSTANT)[name]
    got, expected = tg.vmap(f)(X[:0]), loop(f, X)
    for one, other in zip(
        *((got, expected) if isinstance(expected, tuple) else ((got,), (expected,))), strict=True
    ):
        assert one.shape == (0, *other.shape[1:]) and one.dtype == other.dtype


# ---- reductions in every form

AXES = [None, 0, 1, -1, -2, (0,), (1, 0), (-1, 0), [0, 1], ()]


@pytest.mark.parametrize("axis", AXES, ids=str)
@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize(
    "op", [tg.sum, tg.mean, tg.max, tg.min, tg.var, tg.logsumexp], ids=lambda f: f.__name__
)
def test_reductions(op: Any, axis: Any, keepdims: bool) -> None:
    def f(x: Any) -> Any:
        return op(x, axis=axis, keepdims=keepdims)

    assert_allclose(tg.vmap(f)(X), loop(f, X), rtol=1e-13, atol=1e-14)
    expected = np.stack([tg.grad(lambda x: squares(f(x)))(x) for x in X])
    assert_allclose(tg.vmap(tg.grad(lambda x: squares(f(x))))(X), expected, rtol=1e-11, atol=1e-13)
    assert not looped


# ---- products of all ranks

LEFT = [(3,), (2, 3), (5, 2, 3), (4, 1, 2, 3)]
RIGHT = [(3,), (3, 2), (5, 3, 2), (1, 5, 3, 2)]


@pytest.mark.parametrize(("a", "b"), list(itertools.product(LEFT, RIGHT)), ids=str)
def test_matmul_of_all_ranks(a: Any, b: Any) -> None:
    left, right = generator.normal(size=(6, *a)), generator.normal(size=(6, *b))
    expected = loop(tg.matmul, left, right)
    assert_allclose(tg.vmap(tg.matmul)(left, right), expected, rtol=1e-12, atol=1e-12)
    only_left = np.stack([np.matmul(one, right[0]) for one in left])
    assert_allclose(tg.vmap(tg.matmul, (0, None))(left, right[0]), only_left, rtol=1e-12, atol=1e-12)
    only_right = np.stack([np.matmul(left[0], one) for one in right])
    assert_allclose(tg.vmap(tg.matmul, (None, 0))(left[0], right), only_right, rtol=1e-12, atol=1e-12)

    def f(a: Any, b: Any) -> Any:
        return squares(a @ b)

    for argnum in (0, 1):
        found = tg.vmap(tg.grad(f, argnum))(left, right)
        each = [tg.grad(f, argnum)(p, q) for p, q in zip(left, right, strict=True)]
        assert_allclose(found, np.stack(each), rtol=1e-11, atol=1e-11)
        _, t = tg.jvp(tg.vmap(f), (left, right), (left, right))
        both = [tg.jvp(f, (p, q), (p, q))[1] for p, q in zip(left, right, strict=True)]
        assert_allclose(t, np.stack([np.asarray(one) for one in both]), rtol=1e-11)
    assert not looped


# ---- batched positions

POSITIONS = np.array([[0, 2], [1, 1], [2, 0], [0, 0]])


@pytest.mark.parametrize("which", ["both", "values", "positions"])
def test_reading_at_batched_positions(which: str) -> None:
    def f(x: Any, i: Any) -> Any:
        return x[i], x[i, i + 1], x[:, i], x[i, ..., 0]

    x = X if which != "positions" else tg.tensor(X[0])
    i = POSITIONS if which != "values" else POSITIONS[0]
    axes = (0 if which != "positions" else None, 0 if which != "values" else None)
    got = tg.vmap(f, axes)(x, i)
    for k, part in enumerate(got):
        rows = [f(tg.tensor(X[n] if axes[0] == 0 else x), i[n] if axes[1] == 0 else i)[k] for n in range(4)]
        assert_array_equal(part, np.stack([np.asarray(row) for row in rows]))


def test_writing_at_batched_positions() -> None:
    def f(x: Any, i: Any, v: Any) -> Any:
        y = x + 0 * v.sum()
        y[i] = v
        y[:, i] = y[:, i] * 2
        return y

    values = generator.normal(size=(4, 5))
    expected = np.stack(
        [np.asarray(f(tg.tensor(x), i, tg.tensor(v))) for x, i, v in zip(X, POSITIONS, values, strict=True)]
    )
    assert_allclose(tg.vmap(f)(X, POSITIONS, values), expected)
    for argnum in (0, 2):

        def h(x: Any, i: Any, v: Any) -> Any:
            return squares(f(x, i, v))

        each = [tg.grad(h, argnum)(x, i, v) for x, i, v in zip(X, POSITIONS, values, strict=True)]
        assert_allclose(tg.vmap(tg.grad(h, argnum))(X, POSITIONS, values), np.stack(each), rtol=1e-12)


def test_a_tensor_from_outside_of_the_batch_cannot_hold_many_examples() -> None:
    def f(x: Any) -> Any:
        y = tg.zeros(3)
        y[0] = x[0, 0]
        return y

    with pytest.raises(tg.GradientError, match="compute a new tensor"):
        tg.vmap(f)(X)


def test_writing_one_number_at_a_batched_position() -> None:
    def f(x: Any, i: Any) -> Any:
        y = x[0] * 1
        y[i] = 0.0
        return y

    got = tg.vmap(f)(X, np.array([0, 1, 2, 1]))
    expected = X[:, 0].copy()
    expected[np.arange(4), [0, 1, 2, 1]] = 0
    assert_array_equal(got, expected)


def test_a_picked_class_of_each_example() -> None:
    labels = np.array([4, 0, 2, 2])
    rows = X[:, 0]
    loss = tg.vmap(lambda row, label: -tg.log_softmax(row)[label])
    expected = -np.log(np.exp(rows) / np.exp(rows).sum(1, keepdims=True))[np.arange(4), labels]
    assert_allclose(loss(rows, labels), expected)
    found = tg.grad(lambda r: loss(r, labels).sum())(rows)
    assert_allclose(found, np.exp(rows) / np.exp(rows).sum(1, keepdims=True) - np.eye(5)[labels])


# ---- captured tensors


def test_a_captured_parameter_gets_its_gradient_through_the_batch() -> None:
    w = tg.tensor(generator.normal(size=(5, 2)), requires_grad=True)
    b = tg.nn.Parameter(np.zeros(2))
    loss = tg.vmap(lambda x: (tg.tanh(x @ w + b) ** 2).sum())(X).sum()
    loss.backward()
    plain = tg.tensor(w.numpy(), requires_grad=True)
    bias = tg.tensor(b.numpy(), requires_grad=True)
    (tg.tanh(tg.tensor(X) @ plain + bias) ** 2).sum().backward()
    assert_allclose(w.grad, plain.grad, rtol=1e-12)
    assert_allclose(b.grad, bias.grad, rtol=1e-6)


@pytest.mark.parametrize(
    "name", ["where with numbers", "sort", "concat", "basic index", "softmax", "written to"]
)
def test_gradients_of_captured_tensors_through_each_op(name: str) -> None:
    f = DIFFERENTIABLE[name]
    w = tg.tensor(generator.normal(size=(3, 5)), requires_grad=True)
    squares(tg.vmap(lambda x: f(x * w))(X)).backward()
    other = tg.tensor(w.numpy(), requires_grad=True)
    for x in X:
        squares(f(x * other)).backward()
    assert_allclose(w.grad, other.grad, rtol=1e-10, atol=1e-12)


def test_per_example_gradients_with_a_captured_parameter_can_be_differentiated() -> None:
    w = tg.tensor(generator.normal(size=5), requires_grad=True)
    norms = tg.vmap(lambda x: (tg.grad(lambda x: tg.tanh(x @ w))(x) ** 2).sum())(X[:, 0])
    norms.sum().backward()
    u, h = generator.normal(size=5), 1e-6

    def total(v: Any) -> float:
        return float((((1 - np.tanh(X[:, 0] @ v) ** 2)[:, None] * v) ** 2).sum())

    expected = (total(w.numpy() + h * u) - total(w.numpy() - h * u)) / (2 * h)
    assert w.grad.numpy() @ u == pytest.approx(expected, rel=1e-6)


# ---- ops without a rule


def test_an_op_without_a_rule_is_looped_and_counted() -> None:
    @tg.primitive
    def trace_of(x: Any) -> Any:
        return np.trace(x)

    trace_of.vjp(x=lambda g, x_shape: g * np.eye(*x_shape))
    square = X[:, :, :3]
    with pytest.warns(tg.LoopWarning, match=r"trace_of.*@trace_of\.batching") as seen:
        assert_allclose(tg.vmap(trace_of)(square), np.trace(square, axis1=1, axis2=2))
    assert looped == {"trace_of": 1} and seen[0].filename == __file__
    tg.vmap(trace_of)(square)  # said once: another warning would be an error here
    found = tg.vmap(tg.grad(lambda x: trace_of(x) ** 2))(square)
    assert_allclose(found, 2 * np.trace(square, axis1=1, axis2=2)[:, None, None] * np.eye(3))
    with pytest.raises(tg.ShapeError, match="trace_of has no batching rule"):
        tg.vmap(trace_of)(square[:0])


def test_an_op_with_a_rule_is_not_looped() -> None:
    @tg.primitive
    def total(x: Any) -> Any:
        return x.sum()

    total.vjp(x=lambda g, x_shape: tg.broadcast_to(g, x_shape))
    total.batching(lambda size, batched, args: args[0].reshape(size, -1).sum(1))
    assert_allclose(tg.vmap(total)(X), X.sum((1, 2)))
    assert_allclose(tg.vmap(tg.grad(lambda x: total(x * x)))(X), 2 * X)
    assert not looped
