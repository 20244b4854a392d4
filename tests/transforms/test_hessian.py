"""Second derivatives: against differences of gradients, both orders of modes, structures, cost in runs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose

import tensorgrad as tg

RNG = np.random.default_rng(5)
X = np.array([0.5, 1.5, -2.0])
V = np.array([1.0, -0.5, 2.0])
A = RNG.normal(size=(3, 3))


def wave(x: Any) -> Any:
    return (tg.sin(A @ x) * tg.exp(x[0] * x)).sum()


FUNCTIONS = {
    "wave": wave,
    "log of sum": lambda x: tg.logsumexp(A @ x),
    "linalg": lambda x: tg.linalg.slogdet(A @ A.T + tg.diag(x**2))[1],
    "norm": lambda x: tg.linalg.norm(x),
    "linear": lambda x: x.sum(),
    "constant": lambda x: 3.0,
    "branch": lambda x: (x**3).sum() if x[0] > 0 else x.sum(),
}


def differences(f: Any, x: Any) -> Any:
    gradient = tg.grad(f)
    return np.stack([(gradient(x + e) - gradient(x - e)) / 2e-5 for e in 1e-5 * np.eye(3)])


@pytest.mark.parametrize("name", FUNCTIONS)
def test_against_differences_of_the_gradient(name: str) -> None:
    f = FUNCTIONS[name]
    h = tg.hessian(f)(X)
    assert type(h) is np.ndarray and h.shape == (3, 3)
    assert_allclose(h, differences(f, X), atol=1e-7)
    assert_allclose(h, h.T, atol=1e-12)
    assert_allclose(tg.hessian(f, chunk_size=2)(X), h, atol=1e-12)
    for product in (tg.hvp, tg.vhp):
        value, hv = product(f, X, V)
        assert type(hv) is np.ndarray
        assert_allclose(value, f(X))
        assert_allclose(hv, h @ V, atol=1e-12)


@pytest.mark.parametrize("inner", [tg.jacfwd, tg.jacrev], ids=["jacfwd", "jacrev"])
@pytest.mark.parametrize("outer", [tg.jacfwd, tg.jacrev], ids=["jacfwd", "jacrev"])
def test_all_orders_of_modes_agree(outer: Any, inner: Any) -> None:
    assert_allclose(outer(inner(wave))(X), tg.hessian(wave)(X))


def loss(p: Any, scale: Any = 1.0) -> Any:
    return (tg.tanh(p["w"] @ p["b"]) ** 2).sum() * scale


P = {"w": RNG.normal(size=(2, 3)), "b": X}
DP = {"b": V, "w": RNG.normal(size=(2, 3))}  # in another order


def test_containers() -> None:
    h = tg.hessian(loss)(P)
    assert h["w"]["b"].shape == (2, 3, 3) and h["b"]["w"].shape == (3, 2, 3)
    assert_allclose(h["w"]["b"], np.moveaxis(h["b"]["w"], 0, -1))
    for product in (tg.hvp, tg.vhp):
        _, hv = product(loss, P, DP)
        assert hv.keys() == P.keys()
        assert_allclose(hv["b"], np.tensordot(h["b"]["w"], DP["w"], 2) + h["b"]["b"] @ V)
        assert_allclose(hv["w"], np.tensordot(h["w"]["w"], DP["w"], 2) + h["w"]["b"] @ V)


def test_several_arguments() -> None:
    h = tg.hessian(loss, argnums=(0, 1))(P, 2.0)
    gradient = tg.grad(loss)(P)
    assert_allclose(h[0]["b"][1], gradient["b"], rtol=1e-6)
    assert_allclose(h[1][0]["w"], gradient["w"], rtol=1e-6)
    assert_allclose(h[0]["w"][0]["b"], 2 * tg.hessian(loss)(P)["w"]["b"])
    assert_allclose(h[1][1], 0.0)
    assert_allclose(tg.hessian(loss, 1)(P, 2.0), 0.0)
    for product in (tg.hvp, tg.vhp):
        value, hv = product(loss, (P, np.array(2.0)), (DP, np.array(1.0)))
        assert type(hv) is tuple and len(hv) == 2
        assert_allclose(value, 2 * loss(P))
        assert_allclose(hv[1], (gradient["w"] * DP["w"]).sum() + (gradient["b"] * V).sum())
        alone = product(lambda p: loss(p, 2.0), P, DP)[1]
        assert_allclose(hv[0]["b"], alone["b"] + gradient["b"])


def test_kinds_and_aux() -> None:
    x = tg.tensor(X, dtype=np.float32)
    assert type(tg.hessian(wave)(x)) is tg.Tensor and tg.hessian(wave)(x).dtype == np.float32
    h, aux = tg.hessian(lambda x: (wave(x), {"x": x}), has_aux=True)(X)
    assert_allclose(h, tg.hessian(wave)(X))
    assert type(aux["x"]) is np.ndarray
    for product in (tg.hvp, tg.vhp):
        value, hv = product(wave, x, V)
        assert type(value) is type(hv) is tg.Tensor and hv.dtype == np.float32
        assert not value.requires_grad and not hv.requires_grad
        value, hv, aux = product(lambda x: (wave(x), {"x": x}), X, V, has_aux=True)
        assert_allclose(value, wave(X))
        assert type(aux["x"]) is np.ndarray
        assert_allclose(product(lambda x: x**3, 2.0, 5.0)[1], 60.0)


# ---- cost


@tg.elementwise
def cube(x):  # type: ignore[no-untyped-def]
    """x^3, which notes the shape that it was called with."""
    CALLS.append(x.shape)
    return x * x * x


cube.derivative(x=lambda x: 3 * x * x)
CALLS: list[tuple[int, ...]] = []


def test_the_function_runs_once_whatever_the_number_of_inputs() -> None:
    for size in (5, 50):
        del CALLS[:]
        x = np.linspace(1, 2, size)
        assert_allclose(tg.hessian(lambda x: cube(x).sum())(x), np.diag(6 * x))
        assert [(size,)] == CALLS
        del CALLS[:]
        tg.vhp(lambda x: cube(x).sum(), x, x)
        assert [(size,)] == CALLS


def test_rules_of_ones_own_that_are_not_a_derivative() -> None:
    """The product with the Hessian is then not that with its transpose; each does what it says."""

    @tg.custom_vjp
    def odd(x: Any) -> Any:
        return x * x

    odd.defvjp(lambda x: (x * x, x), lambda x, g: (g * tg.roll(x, 1),))
    f = lambda x: odd(x).sum()
    h = np.roll(np.eye(3), 1, 0)
    assert_allclose(tg.hessian(f)(X), h)
    assert_allclose(tg.jacfwd(tg.grad(f))(X), h)
    assert_allclose(tg.hvp(f, X, V)[1], h @ V)
    assert_allclose(tg.vhp(f, X, V)[1], V @ h)


# ---- with other transformations


@pytest.mark.parametrize("product", [tg.hvp, tg.vhp], ids=["hvp", "vhp"])
def test_products_inside_any_transformation(product: Any) -> None:
    def f(x: Any) -> Any:  # the third derivative of sum(x^4) / 4 in the direction of V
        return product(lambda z: (z**4).sum() / 4, x, V)[1]

    want = 6 * X * V
    assert_allclose(tg.grad(lambda x: f(x).sum())(X), want)
    assert_allclose(tg.grad(lambda x: f(x).sum())(tg.tensor(X)), want)
    assert_allclose(tg.jvp(f, (X,), (np.ones(3),))[1], want)
    assert_allclose(tg.vmap(f)(np.stack([X, 2 * X])), [3 * X**2 * V, 12 * X**2 * V])
    assert_allclose(tg.vmap(lambda v: product(wave, X, v)[1])(np.eye(3)), tg.hessian(wave)(X))
    with tg.no_grad():
        assert_allclose(f(X), 3 * X**2 * V)
    w = tg.tensor(V, requires_grad=True)
    product(lambda x: (w * x**3).sum(), X, V)[1].sum().backward()
    assert_allclose(w.grad, 6 * X * V)


def test_hessians_inside_transformations() -> None:
    batch = np.stack([X, 2 * X])
    assert_allclose(tg.vmap(tg.hessian(wave))(batch), [tg.hessian(wave)(x) for x in batch])
    third = tg.jacobian(tg.hessian(lambda x: (x**4).sum()))(X)
    assert_allclose(third[1, 1], [0, 24 * X[1], 0])
    assert_allclose(tg.grad(lambda x: tg.hessian(lambda z: (z**4).sum())(x).sum())(X), 24 * X)
    assert_allclose(tg.hessian(tg.grad(lambda t: t**5))(2.0), 240.0)


# ---- errors


def test_errors_say_what_is_wanted() -> None:
    for name, call in {
        "hessian": lambda f, x: tg.hessian(f)(x),
        "hvp": lambda f, x: tg.hvp(f, x, x),
        "vhp": lambda f, x: tg.vhp(f, x, x),
    }.items():
        with pytest.raises(tg.ShapeError, match=rf"^{name}: the function returned shape \(3,\); one number"):
            call(lambda x: x * 2, X)
        with pytest.raises(tg.DtypeError, match=f"^{name}: .* has dtype int64"):
            call(lambda x: x.sum(), np.arange(3))
    with pytest.raises(
        tg.DtypeError, match=r"tg.hessian\(lambda a, b: f\(a \+ 1j \* b\), argnums=\(0, 1\)\)"
    ):
        tg.hessian(lambda z: (z * tg.conj(z)).real.sum())(X + 1j)
    with pytest.raises(tg.ShapeError, match=r"hvp: the tangent at \[0\]\['w'\] has shape \(2,\), the primal"):
        tg.hvp(loss, P, {"w": np.ones(2), "b": X})
    with pytest.raises(tg.ShapeError, match=r"vhp: the cotangent: the same structure is needed"):
        tg.vhp(wave, (X,), V)


def test_products_of_a_complex_argument_follow_the_real_plane() -> None:
    """The Hessian of the two real parts, applied to the two real parts of v."""
    z, v = X + 1j * V, V - 2j * X
    f = lambda z: (tg.exp(z) * tg.conj(z) * z).real.sum()
    split = lambda a, b: f(a + 1j * b)
    (aa, ab), (ba, bb) = tg.hessian(split, argnums=(0, 1))(X, V)
    want = (aa @ v.real + ab @ v.imag) + 1j * (ba @ v.real + bb @ v.imag)
    for product in (tg.hvp, tg.vhp):
        assert_allclose(product(f, z, v)[1], want)
    assert_allclose(tg.jvp(tg.grad(f), (z,), (v,))[1], want)
