"""Users' cards of each kind, in every transformation, and what the gate says of wrong ones."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import tensorgrad as tg

pytestmark = pytest.mark.filterwarnings("ignore::tensorgrad.LoopWarning")

X = np.array([0.5, -1.2, 2.0, 0.7])
V = np.array([1.0, 0.3, -0.2, 0.4])


@tg.elementwise
def cube(x: Any) -> Any:
    return x * x * x


@tg.linear
def scaled(x: Any, /, by: float = 2.0) -> Any:
    return x * by


@tg.view
def first_half(x: Any) -> Any:
    return x[: x.shape[0] // 2]


@tg.bilinear
def outer(a: Any, b: Any) -> Any:
    return a[:, None] * b[None, :]


@tg.constant
def floor(x: Any) -> Any:
    return np.floor(x)


@tg.primitive
def norm(x: Any) -> Any:
    return np.sqrt((x * x).sum())


@tg.primitive
def weighted(*xs: Any, weights: Any) -> Any:
    return sum(w * x for w, x in zip(weights, xs, strict=True))


cube.derivative(x=lambda x: 3 * x * x)
scaled.transpose(x=lambda g, by: scaled(g, by))
first_half.transpose(
    x=lambda g, x_shape: tg.concat([g, np.zeros(x_shape[0] - g.shape[0], g.dtype)]),
)
outer.transpose(a=lambda g, b: g @ b, b=lambda g, a: tg.transpose(g) @ a)
norm.vjp(x=lambda g, x, y: g * x / y)
weighted.vjp(
    xs=lambda g, wanted, weights: [g * w if one else None for w, one in zip(weights, wanted, strict=True)]
)

# The op, and the same written with tensorgrad.
KINDS: dict[str, tuple[Any, Any]] = {
    "elementwise": (cube, lambda x: x**3),
    "linear": (lambda x: scaled(x, 3.0), lambda x: 3.0 * x),
    "linear by keyword": (lambda x: scaled(x, by=3.0), lambda x: 3.0 * x),
    "view": (first_half, lambda x: x[:2]),
    "bilinear": (lambda x: outer(x, x * x), lambda x: x[:, None] * (x * x)[None, :]),
    "bilinear in one": (lambda x: outer(V, x), lambda x: V[:, None] * x[None, :]),
    "constant": (lambda x: floor(x) * x, lambda x: np.array([0.0, -2.0, 2.0, 0.0]) * x),
    "general": (norm, lambda x: tg.sqrt((x * x).sum())),
    "list": (lambda x: weighted(x, V, x * x, weights=(1.0, 2.0, 3.0)), lambda x: x + 2 * V + 3 * x * x),
}
every_kind = pytest.mark.parametrize(("f", "same"), KINDS.values(), ids=KINDS.keys())


def ways(f: Any) -> dict[str, Any]:
    """Derivatives of ``f`` up to third order, through every transformation."""

    def total(x: Any) -> Any:
        return (f(x) ** 3).sum()

    def product(x: Any) -> Any:
        return tg.grad(lambda x: (tg.grad(total)(x) * V).sum())(x)

    rows = np.stack([X, X * 0.9])
    graph = tg.trace(lambda x: tg.jvp(tg.grad(total), (x,), (x,)), tg.tensor(0.9 * X))
    return {
        "value": f(X),
        "grad": tg.grad(total)(X),
        "jvp": tg.jvp(f, (X,), (V,))[1],
        "jvp of grad": tg.jvp(tg.grad(total), (X,), (V,))[1],
        "grad of grad": product(X),
        "grad of jvp": tg.grad(lambda x: tg.jvp(total, (x,), (V,))[1])(X),
        "third": tg.grad(lambda x: (product(x) * V).sum())(X),
        "third by tangents": tg.jvp(lambda x: tg.jvp(tg.grad(total), (x,), (V,))[1], (X,), (V,))[1],
        "vmap": tg.vmap(f)(rows)[0],
        "vmap of grad": tg.vmap(tg.grad(total))(rows)[0],
        "grad of vmap": tg.grad(lambda xs: (tg.vmap(f)(xs) ** 3).sum())(rows)[0],
        "jvp of vmap": tg.jvp(tg.vmap(f), (rows,), (np.stack([V, V]),))[1][0],
        "vmap of jvp of grad": tg.vmap(lambda v: tg.jvp(tg.grad(total), (X,), (v,))[1])(np.stack([V, X]))[0],
        "replay": graph(tg.tensor(X))[1],
    }


@every_kind
def test_every_way(f: Any, same: Any) -> None:
    expected = ways(same)
    for way, found in ways(f).items():
        if way != "value":
            assert_allclose(found, expected[way], rtol=1e-9, atol=1e-12, err_msg=way)


@every_kind
def test_backward_and_shapes_without_elements(f: Any, same: Any) -> None:
    ours, theirs = tg.tensor(X, requires_grad=True), tg.tensor(X, requires_grad=True)
    (f(ours) ** 2).sum().backward()
    (same(theirs) ** 2).sum().backward()
    assert_allclose(ours.grad, theirs.grad, rtol=1e-12)


# ---- missing formulas


@tg.primitive
def bare(x: Any) -> Any:
    return x * 1


@tg.primitive
def half_known(a: Any, b: Any) -> Any:
    return a * b


half_known.vjp(a=lambda g, b: g * b)


def test_a_missing_formula_is_an_error_in_both_modes() -> None:
    for call in (
        lambda: tg.grad(lambda x: bare(x).sum())(X),
        lambda: tg.jvp(bare, (X,), (V,)),
        lambda: tg.vmap(tg.grad(bare))(X),
        lambda: tg.jvp(tg.grad(lambda x: bare(x).sum()), (X,), (V,)),
    ):
        with pytest.raises(tg.RuleMissingError, match="bare"):
            call()
    for call in (
        lambda: tg.grad(lambda b: half_known(X, b).sum())(X),
        lambda: tg.jvp(lambda b: half_known(X, b), (X,), (V,)),
        lambda: tg.jvp(half_known, (X, X), (V, V)),
    ):
        with pytest.raises(tg.RuleMissingError, match="half_known"):
            call()


def test_what_is_not_asked_for_need_not_be_known() -> None:
    assert_array_equal(bare(X), X)
    assert_array_equal(tg.vmap(bare)(X), X)
    assert_array_equal(tg.trace(bare, tg.tensor(X))(V), V)
    assert_array_equal(tg.grad(lambda a: half_known(a, X).sum())(X), X)
    assert_array_equal(tg.jvp(lambda a: half_known(a, X), (X,), (V,))[1], X * V)
    assert_array_equal(tg.grad(lambda x: (bare(tg.stop_gradient(x)) * x).sum())(X), X)


# ---- the gate, in every mode


def with_vjp(formula: Any) -> Any:
    @tg.primitive
    def mine(x: Any) -> Any:
        return x * 1

    mine.vjp(x=formula)
    return mine


@pytest.mark.parametrize(
    ("formula", "error"),
    [
        (lambda g: g.sum(), tg.ShapeError),
        (lambda g: tg.stack([g, g]), tg.ShapeError),
        (lambda g: g.astype("float32"), tg.DtypeError),
        (lambda g: g * 1j, tg.DtypeError),
        (lambda g: "text", tg.DtypeError),
    ],
    ids=["sum", "stack", "float32", "complex", "text"],
)
def test_wrong_cotangents(formula: Any, error: Any) -> None:
    mine = with_vjp(formula)
    for call in (
        lambda: tg.grad(lambda x: mine(x).sum())(X),
        lambda: tg.vmap(tg.grad(lambda x: mine(x).sum()))(np.stack([X, V])),
        lambda: tg.grad(lambda x: tg.grad(lambda x: mine(x).sum())(x).sum())(X),
        lambda: tg.jvp(tg.grad(lambda x: mine(x).sum()), (X,), (V,)),
        lambda: tg.jvp(mine, (X,), (V,)),
    ):
        with pytest.raises(error, match="mine"):
            call()


@pytest.mark.parametrize(
    ("formula", "error"),
    [
        (lambda t: t.sum(), tg.ShapeError),
        (lambda t: tg.stack([t, t]), tg.ShapeError),
        (lambda t: t * 1j, tg.DtypeError),
        (lambda t: "text", tg.DtypeError),
    ],
    ids=["sum", "stack", "complex", "text"],
)
def test_wrong_tangents(formula: Any, error: Any) -> None:
    mine = with_vjp(lambda g: g)
    mine.jvp(x=formula)
    for call in (
        lambda: tg.jvp(mine, (X,), (V,)),
        lambda: tg.vmap(lambda x: tg.jvp(mine, (x,), (x,))[1])(np.stack([X, V])),
    ):
        with pytest.raises(error, match="mine"):
            call()


@pytest.mark.parametrize(
    "rule",
    [lambda size, batched, args: args[0].sum(), lambda size, batched, args: args[0][0]],
    ids=["nothing", "one example"],
)
def test_wrong_batches(rule: Any) -> None:
    mine = with_vjp(lambda g: g)
    mine.batching(rule)
    with pytest.raises(tg.ShapeError, match="mine"):
        tg.vmap(mine)(np.stack([X, V, X]))


def test_wrong_declarations() -> None:
    for declare, words in (
        (lambda: bare.vjp(x=lambda g, z: g), "'z'"),
        (lambda: bare.vjp(z=lambda g: g), "not an input"),
        (lambda: bare.derivative(x=lambda x: x), r"takes its formulas by \.vjp"),
        (lambda: floor.vjp(x=lambda g: g), "takes no formulas"),
        (lambda: tg.primitive(lambda x, **more: x), "name each one"),
        (lambda: tg.primitive(lambda g: g), "reserved"),
        (lambda: tg.primitive(lambda x, n_=1: x), "reserved"),
        (lambda: tg.elementwise(lambda op: op), "reserved"),
        (lambda: tg.primitive(lambda x, card=1: x), "reserved"),
        (lambda: tg.primitive(lambda x, forward=1: x), "reserved"),
    ):
        with pytest.raises(tg.GradientError, match=words):
            declare()


def test_a_forward_must_return_an_array() -> None:
    @tg.primitive
    def pair(x: Any) -> Any:
        return x, x

    @tg.primitive
    def text(x: Any) -> Any:
        return "text"

    @tg.primitive
    def tensor(x: Any) -> Any:
        return tg.tensor(x)

    for mine in (pair, text, tensor):
        with pytest.raises(tg.DtypeError, match=mine.__name__):
            mine(X)


def test_a_forward_may_not_write_to_its_input() -> None:
    @tg.primitive
    def writes(x: Any) -> Any:
        x += 1
        return x

    for x in (X.copy(), tg.tensor(X)):
        with pytest.raises(ValueError, match="read-only"):
            writes(x)
        assert_array_equal(x, X)
