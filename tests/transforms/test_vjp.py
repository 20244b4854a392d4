"""Pullbacks: against grad and jvp, called often, inside everything, and never with stale values."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import tensorgrad as tg

X = np.array([0.5, 1.5, -2.0])
A = np.arange(6.0).reshape(2, 3) / 3


def curve(x: Any) -> Any:
    return tg.tanh(A @ x) * x[0]


def dense(f: Any, x: Any) -> Any:
    """The Jacobian by forward mode, one direction at a time."""
    return np.stack([np.asarray(tg.jvp(f, (x,), (e,))[1]) for e in np.eye(x.size)], -1)


def test_pull_is_the_transpose_of_the_jacobian_and_may_be_called_often() -> None:
    y, pull = tg.vjp(curve, X)
    assert type(y) is np.ndarray
    assert_allclose(y, np.tanh(A @ X) * X[0])
    for e, row in zip(np.eye(2), dense(curve, X), strict=True):
        (g,) = pull(e)
        assert type(g) is np.ndarray
        assert_allclose(g, row)


def test_one_gradient_for_each_argument_of_its_structure() -> None:
    def f(params: Any, x: Any, scale: float) -> Any:
        return {"sum": (params["w"] * x).sum() * scale, "each": [x * scale], "count": 3}

    y, pull = tg.vjp(f, {"w": X, "unused": X}, 2 * X, 3.0)
    assert y["count"] == 3
    dp, dx, ds = pull({"sum": 1.0, "each": [np.array([1.0, 0.0, 0.0])], "count": 0})
    assert_allclose(dp["w"], 6 * X)
    assert_array_equal(dp["unused"], np.zeros(3))
    assert_allclose(dx, 3 * X + [3.0, 0, 0])
    assert_allclose(ds, (2 * X * X).sum() + 2 * X[0])


def test_has_aux() -> None:
    y, pull, aux = tg.vjp(lambda x: (x * x, {"seen": x + 1}), X, has_aux=True)
    assert type(aux["seen"]) is np.ndarray
    assert_allclose(aux["seen"], X + 1)
    assert_allclose(pull(y)[0], 2 * X**3)
    with pytest.raises(tg.GradientError, match=r"vjp: with has_aux=True .* must return \(result, aux\)"):
        tg.vjp(lambda x: x, X, has_aux=True)


@pytest.mark.parametrize("kind", ["array", "tensor", "float32"])
def test_results_are_of_the_kind_of_the_arguments(kind: str) -> None:
    x = {"array": X, "tensor": tg.tensor(X), "float32": X.astype(np.float32)}[kind]
    y, pull = tg.vjp(lambda x: x * 2.0, x)
    (g,) = pull(np.ones(3, X.dtype))
    for one in (y, g):
        assert type(one) is (tg.Tensor if kind == "tensor" else np.ndarray)
        assert one.dtype == x.dtype
    assert not getattr(y, "requires_grad", False)


def test_what_is_handed_out_is_nobody_elses_memory() -> None:
    x = X.copy()
    y, pull = tg.vjp(lambda x: x, x)
    y += 1
    x += 1
    one = np.ones(3)
    (g,) = pull(one)
    g += 5
    assert_array_equal(one, np.ones(3))
    y, pull = tg.vjp(tg.exp, X)
    y *= 0  # what the node saved is another array
    assert_allclose(pull(one)[0], np.exp(X))


def test_complex_cotangents_follow_the_convention_of_grad() -> None:
    z = X + 1j * X[::-1]
    _, pull = tg.vjp(lambda z: z * z, z)
    assert_allclose(pull(np.ones(3))[0], np.conj(2 * z))
    _, pull = tg.vjp(lambda z: (z * tg.conj(z)).real.sum(), z)
    assert_allclose(pull(1.0)[0], tg.grad(lambda z: (z * tg.conj(z)).real.sum())(z))
    _, pull = tg.vjp(lambda x: x * (2 + 3j), X)
    assert pull(np.ones(3))[0].dtype == np.float64


# ---- differentiable, and inside of everything


def cube(x: Any, factor: Any = 1.0) -> Any:
    """The gradient of sum(x^3) * factor by a pullback: 3 x^2 * factor."""
    _, pull = tg.vjp(lambda z: z**3 * factor, x)
    return pull(tg.ones_like(x))[0]


WAYS = {
    "grad": lambda f, x: tg.grad(lambda x: f(x).sum())(x),
    "jvp": lambda f, x: tg.jvp(f, (x,), (np.ones_like(x),))[1],
    "vjp": lambda f, x: tg.vjp(f, x)[1](np.ones_like(x))[0],
    "grad of tensors": lambda f, x: tg.grad(lambda x: f(x).sum())(tg.tensor(x)),
    "vmap of grad": lambda f, x: tg.vmap(tg.grad(f))(x),
    "grad of vmap": lambda f, x: tg.grad(lambda x: tg.vmap(f)(x).sum())(x),
    "jvp of vmap": lambda f, x: tg.jvp(tg.vmap(f), (x,), (np.ones_like(x),))[1],
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("mode", [tg.enable_grad, tg.no_grad])
def test_a_pullback_can_be_differentiated_inside_any_transformation(way: str, mode: Any) -> None:
    with mode():
        assert_allclose(np.asarray(WAYS[way](cube, X)), 6 * X)


@pytest.mark.parametrize("way", WAYS)
def test_a_pullback_that_stands_outside_takes_cotangents_of_any_transformation(way: str) -> None:
    point = np.float64(0.3) if "vmap" in way else np.full(3, 0.3)  # under vmap a cotangent is one number
    _, pull = tg.vjp(tg.sin, point)
    found = WAYS[way](lambda g: pull(g)[0] ** 2, X)
    assert_allclose(np.asarray(found), 2 * X * np.cos(0.3) ** 2)


def test_gradients_by_captured_tensors_and_by_arguments_with_a_history() -> None:
    w = tg.tensor(X, requires_grad=True)
    x = tg.tensor(X, requires_grad=True)
    y, pull = tg.vjp(lambda x: x * x * w, x)
    (y.sum() + pull(tg.ones(3))[0].sum()).backward()
    assert_allclose(x.grad, 2 * X * X + 2 * X)
    assert_allclose(w.grad, X * X + 2 * X)


def test_under_no_grad_nothing_is_recorded_for_others() -> None:
    w = tg.tensor(X, requires_grad=True)
    with tg.no_grad():
        _, pull = tg.vjp(lambda x: x * w, tg.tensor(X))
        (g,) = pull(tg.ones(3))
    assert not g.requires_grad
    assert_allclose(g, X)


def test_nested_pullbacks_do_not_mix_up_their_variables() -> None:
    def outer(x: Any) -> Any:
        _, pull = tg.vjp(lambda y: x * y, 2.0)
        return x * pull(1.0)[0]

    assert_allclose(np.asarray(tg.vjp(outer, 3.0)[1](1.0)[0]), 6.0)


def test_per_example_pullbacks() -> None:
    batch = np.stack([X, 2 * X])
    found = tg.vmap(lambda x, g: tg.vjp(curve, x)[1](g)[0])(batch, np.ones((2, 2)))
    assert_allclose(found, [dense(curve, x).sum(0) for x in batch])


# ---- errors


def test_errors_say_what_is_wanted() -> None:
    _, pull = tg.vjp(lambda x: {"a": x, "b": [x.sum()]}, X)
    with pytest.raises(
        tg.ShapeError, match=r"vjp: the cotangent at \['a'\] has shape \(2,\), the result \(3,\)"
    ):
        pull({"a": np.ones(2), "b": [1.0]})
    with pytest.raises(tg.ShapeError, match=r"the same structure is needed, entries \['a', 'b'\]"):
        pull({"a": X})
    with pytest.raises(tg.DtypeError, match="take its real part"):
        pull({"a": X * 1j, "b": [1.0]})
    with pytest.raises(tg.ShapeError, match=r"pull\(\(g1, g2\)\)"):
        pull(X, 1.0)
    with pytest.raises(tg.DtypeError, match=r"vjp: primal \[1\] is 3 \(int\).*lambda x: f\(x, n\)"):
        tg.vjp(lambda x, n: x * n, X, 3)
    with pytest.raises(tg.DtypeError, match=r"vjp: primal \[0\] has dtype int64"):
        tg.vjp(tg.sin, np.arange(3))


def inside(f: Any) -> Any:
    """Call ``f`` while another transformation is open, and hand out what it returned."""
    return tg.vmap(lambda _: f(), out_axes=None)(np.ones(2))


@pytest.mark.parametrize("call", [lambda f: f(), inside], ids=["alone", "inside another transformation"])
def test_what_is_written_in_between_is_an_error_and_never_a_wrong_number(call: Any) -> None:
    w, held = tg.tensor(X, requires_grad=True), tg.tensor(X)

    def f() -> Any:
        _, pull_held = tg.vjp(lambda x: x * held, X)
        _, pull_w = tg.vjp(lambda x: x * w, X)
        y, pull_y = tg.vjp(tg.exp, X)
        held[...] = 0.0
        y *= 0.0
        with tg.no_grad():
            w[...] = 0.0
        with pytest.raises(tg.MutatedError, match="written to"):
            pull_w(np.ones(3))
        return pull_held(np.ones(3))[0], pull_y(np.ones(3))[0]

    found = call(f)
    assert_allclose(np.asarray(found[0]), X)
    assert_allclose(np.asarray(found[1]), np.exp(X))


def test_a_pullback_of_an_ended_transformation_says_so() -> None:
    kept = []

    def f(x: Any) -> Any:
        kept.append(tg.vjp(lambda z: z * x, x)[1])
        return x

    tg.vmap(f)(X)
    with pytest.raises(tg.TraceError, match="used after it ended"):
        kept[0](1.0)
