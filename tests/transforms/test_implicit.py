"""Roots, fixed points and linear systems: derivatives against closed forms, in every mode and order."""

from __future__ import annotations

import gc
import tracemalloc
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose

import tensorgrad as tg

A = np.array([0.5, 2.0, 9.0])
SOLVERS = ["dense", "gmres", "neumann"]


def total(f: Any) -> Any:
    return lambda *args: f(*args).sum()


def push(f: Any) -> Any:
    return lambda a: tg.jvp(f, (a,), (tg.ones_like(a),))[1]


def pull(f: Any) -> Any:
    return tg.grad(total(f))


def sqrt(a: Any, **settings: Any) -> Any:
    return tg.custom_root(lambda x: x * x - a, tg.ones_like(a), **settings)


# ---- known answers


@pytest.mark.parametrize("solver", ["dense", "gmres"])
@pytest.mark.parametrize("vmapped", [False, True], ids=["whole", "vmap"])
def test_square_roots_to_third_order_in_every_mode(solver: str, vmapped: bool) -> None:
    def f(a: Any) -> Any:
        return sqrt(a, linear_solver=solver)

    f = tg.vmap(f) if vmapped else f
    assert_allclose(f(A), np.sqrt(A), rtol=1e-14)
    expected = [0.5 * A**-0.5, -0.25 * A**-1.5, 0.375 * A**-2.5]
    for first in (push, pull):
        assert_allclose(first(f)(A), expected[0], rtol=1e-10)
        for second in (push, pull):
            assert_allclose(second(first(f))(A), expected[1], rtol=1e-10)
            assert_allclose(
                tg.vmap(second(first(lambda a: sqrt(a, linear_solver=solver))))(A), expected[1], rtol=1e-10
            )
            for third in (push, pull) if second is not first else ():
                assert_allclose(third(second(first(f)))(A), expected[2], rtol=1e-9)


@pytest.mark.parametrize("linear_solver", SOLVERS)
@pytest.mark.parametrize("solver", ["iteration", "anderson", "newton"])
def test_keplers_equation(solver: str, linear_solver: str) -> None:
    """E - e sin E = M: dE/de = sin E / (1 - e cos E), and what follows."""
    mean = np.array([0.4, 1.5, 3.0])

    def anomaly(e: Any, mean: Any) -> Any:
        return tg.fixed_point(
            lambda x, m: m + e * tg.sin(x), mean, mean, solver=solver, linear_solver=linear_solver
        )

    e = np.float64(0.3)
    x = np.asarray(anomaly(e, mean))
    assert_allclose(x - e * np.sin(x), mean, rtol=1e-11)
    c = 1 - e * np.cos(x)
    first = np.sin(x) / c
    second = 2 * np.cos(x) * first / c - e * np.sin(x) * first**2 / c
    assert_allclose(tg.grad(total(anomaly))(e, mean), first.sum(), rtol=1e-10)
    assert_allclose(tg.grad(total(anomaly), 1)(e, mean), 1 / c, rtol=1e-10)
    assert_allclose(tg.jvp(lambda e: anomaly(e, mean), (e,), (1.0,))[1], first, rtol=1e-10)
    assert_allclose(tg.grad(tg.grad(total(anomaly)))(e, mean), second.sum(), rtol=1e-10)
    forward = tg.jvp(tg.grad(lambda e: anomaly(e, mean).sum()), (e,), (1.0,))[1]
    assert_allclose(forward, second.sum(), rtol=1e-10)
    assert_allclose(tg.vmap(lambda m: anomaly(e, m))(mean), x, rtol=1e-10)
    assert_allclose(
        tg.grad(lambda e: tg.vmap(lambda m: anomaly(e, m))(mean).sum())(e), first.sum(), rtol=1e-10
    )


def test_ridge_regressions_hypergradient() -> None:
    """w(lam) = (X'X + lam I)^-1 X'y, found by a solver that knows nothing of derivatives."""
    generator = np.random.default_rng(0)
    x, y = generator.normal(size=(20, 4)), generator.normal(size=20)
    xv, yv = generator.normal(size=(10, 4)), generator.normal(size=10)

    def closed(lam: Any) -> Any:
        return tg.linalg.solve(x.T @ x + lam * np.eye(4), x.T @ y)

    def found(lam: Any) -> Any:
        def inner(w: Any) -> Any:
            return tg.grad(lambda w: ((x @ w - y) ** 2).sum() / 2 + lam * (w * w).sum() / 2)(w)

        def descend(f: Any, w: Any) -> Any:
            steps = np.linalg.inv(x.T @ x + float(tg.stop_gradient(lam)) * np.eye(4))
            for _ in range(2):
                w = np.asarray(w) - steps @ np.asarray(f(w))
            return w

        return tg.custom_root(inner, np.zeros(4), descend)

    def outer(w: Any) -> Any:
        return lambda lam: ((xv @ w(lam) - yv) ** 2).sum()

    lam = np.float64(0.7)
    assert_allclose(outer(found)(lam), outer(closed)(lam), rtol=1e-10)
    assert_allclose(tg.grad(outer(found))(lam), tg.grad(outer(closed))(lam), rtol=1e-10)
    assert_allclose(tg.grad(tg.grad(outer(found)))(lam), tg.grad(tg.grad(outer(closed)))(lam), rtol=1e-10)


@pytest.mark.parametrize("solver", ["dense", "gmres", "neumann"])
def test_a_small_equilibrium_layer(solver: str) -> None:
    """z = tanh(W z + U x + b), parameters in a container and captured, against the unrolled iteration."""
    generator = np.random.default_rng(1)
    params = {"w": generator.normal(size=(3, 3)) * 0.2, "b": [generator.normal(size=3)]}
    u, xs = generator.normal(size=(3, 2)), generator.normal(size=(4, 2))

    def step(z: Any, p: Any, x: Any) -> Any:
        return tg.tanh(p["w"] @ z + u @ x + p["b"][0])

    def layer(p: Any, x: Any) -> Any:
        return tg.fixed_point(lambda z, x: step(z, p, x), np.zeros(3), x, linear_solver=solver)

    def unrolled(p: Any, x: Any) -> Any:
        z = np.zeros(3)
        for _ in range(60):
            z = step(z, p, x)
        return z

    def loss(f: Any) -> Any:
        return lambda p: (tg.vmap(lambda x: f(p, x))(xs) ** 2).sum()

    found, expected = tg.grad(loss(layer))(params), tg.grad(loss(unrolled))(params)
    assert_allclose(found["w"], expected["w"], rtol=1e-10, atol=1e-12)
    assert_allclose(found["b"][0], expected["b"][0], rtol=1e-10, atol=1e-12)
    each = [
        tg.vmap(tg.grad(lambda p, x, f=f: (f(p, x) ** 2).sum()), (None, 0))(params, xs)["w"]
        for f in (layer, unrolled)
    ]
    assert_allclose(*each, rtol=1e-9, atol=1e-11)
    second = [
        tg.grad(lambda p, f=f: (tg.grad(loss(f))(p)["w"] ** 2).sum())(params)["b"][0]
        for f in (layer, unrolled)
    ]
    assert_allclose(*second, rtol=1e-9, atol=1e-11)
    weights = {
        "w": tg.tensor(params["w"], requires_grad=True),
        "b": [tg.tensor(params["b"][0], requires_grad=True)],
    }
    loss(layer)(weights).backward()
    assert_allclose(weights["w"].grad, expected["w"], rtol=1e-10, atol=1e-12)
    assert_allclose(weights["b"][0].grad, expected["b"][0], rtol=1e-10, atol=1e-12)


# ---- shapes of use


def test_containers_several_unknowns_and_dtypes() -> None:
    """x^2 + y^2 = r^2, y = k x: x = r / sqrt(1 + k^2)."""

    def point(r: Any, k: Any) -> Any:
        def f(v: Any) -> Any:
            return {"c": v["x"] ** 2 + v["y"] ** 2 - r * r, "l": v["y"] - k * v["x"]}

        return tg.custom_root(lambda v: dict(zip("xy", f(v).values(), strict=True)), {"x": 1.0, "y": 1.0})[
            "x"
        ]

    r, k = np.float64(2.0), np.float64(0.75)
    assert_allclose(point(r, k), 1.6, rtol=1e-14)
    assert_allclose(tg.grad(point, (0, 1))(r, k), (0.8, -2 * 0.75 * 1.25**-3), rtol=1e-12)
    assert_allclose(tg.grad(tg.grad(point, 1), 0)(r, k), -0.75 * 1.25**-3, rtol=1e-12)
    single = tg.custom_root(lambda x: x * x - np.float32(2), np.float32(1))
    assert single.dtype == np.float32
    assert isinstance(single, np.floating)
    assert_allclose(single, np.sqrt(2), rtol=1e-6)


def test_complex_roots() -> None:
    a = np.array([-2.0 + 1j, 3.0 - 1j])

    def f(a: Any) -> Any:
        return tg.custom_root(lambda x: x * x - a, a * 0 + (1 + 1j))

    assert_allclose(f(a) ** 2, a, rtol=1e-12)
    expected = tg.grad(lambda a: tg.real(tg.sqrt(a)).sum() * 1.0)(a)
    sign = np.sign((f(a) / np.sqrt(a)).real)
    assert_allclose(tg.grad(lambda a: tg.real(f(a)).sum())(a), sign * expected, rtol=1e-10)


@pytest.mark.parametrize("tangent_solve", [None, lambda g, y: y / g(1.0)], ids=["default", "own"])
def test_as_in_jax(tangent_solve: Any) -> None:
    def newton(f: Any, x: Any) -> Any:
        while abs(f(x)) > 1e-12:
            x = x - f(x) / tg.grad(f)(x)
        return x

    def cube_root(a: Any) -> Any:
        return tg.custom_root(lambda x: x**3 - a, tg.ones_like(a), newton, tangent_solve)

    a = np.float64(8.0)
    for first in (tg.grad, push):
        assert_allclose(first(cube_root)(a), 1 / 12, rtol=1e-10)
        for second in (tg.grad, push):
            assert_allclose(second(first(cube_root))(a), -2 / 9 * 8 ** (-5 / 3), rtol=1e-10)


def test_the_solver_sees_plain_values_and_costs_no_memory() -> None:
    kinds = set()

    def watched(f: Any, x: Any) -> Any:
        kinds.add((type(x), type(f(x)), tg.is_grad_enabled()))
        return tg.sqrt(x * 0 + 4.0)

    tg.grad(lambda b: tg.grad(lambda a: tg.custom_root(lambda x: x * x - a * b, a, watched))(4.0))(1.0)
    assert kinds == {(tg.Tensor, tg.Tensor, False)}

    def peak(count: int) -> int:
        w = tg.tensor(np.ones(2000), requires_grad=True)
        gc.collect()
        tracemalloc.start()
        x = tg.fixed_point(
            lambda x: 0.5 * x + 0.5 * w, np.zeros(2000), max_iterations=count, tol=1e-30, on_failure="warn",
            linear_solver="neumann",
        )  # fmt: skip
        x.sum().backward()
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    with pytest.warns(RuntimeWarning, match="not converged"):
        assert peak(40) < 1.3 * peak(8)


def test_without_gradients_and_captured_integers() -> None:
    w = tg.tensor(A, requires_grad=True)
    with tg.no_grad():
        assert not sqrt(w).requires_grad
        assert_allclose(tg.grad(total(sqrt))(A), 0.5 / np.sqrt(A))
    assert not sqrt(w.detach()).requires_grad
    i = tg.tensor([2, 1, 0])
    found = tg.grad(lambda a: (tg.custom_root(lambda x: x * x - a[i], A) * A).sum())(A)
    assert_allclose(found, (A / 2 / np.sqrt(A[::-1]))[::-1])


def test_programs() -> None:
    program = tg.trace(
        lambda a: tg.custom_root(lambda x, a: x * x - a, tg.ones_like(a), args=(a,)), tg.tensor(A)
    )
    assert [e.op for e in program.equations].count("custom_root") == 1
    assert_allclose(program(4 * A), 2 * np.sqrt(A))
    assert_allclose(tg.grad(lambda a: program(a).sum())(A), 0.5 / np.sqrt(A), rtol=1e-12)
    assert_allclose(tg.jvp(program, (A,), (np.ones(3),))[1], 0.5 / np.sqrt(A), rtol=1e-12)
    slope = tg.trace(
        tg.grad(lambda a: tg.fixed_point(lambda x, a: (x + a / x) / 2, a, a).sum()), tg.tensor(A)
    )
    assert_allclose(slope(4 * A), 0.25 / np.sqrt(A), rtol=1e-12)
    with pytest.raises(tg.TraceError, match="pass it as an argument"):
        tg.trace(sqrt, tg.tensor(A))
    w = tg.tensor(A, requires_grad=True)
    with pytest.raises(tg.TraceError, match="requires a gradient"):
        tg.trace(lambda x: tg.custom_root(lambda y: y * y - w, x), tg.tensor(A))


# ---- linear systems


@pytest.mark.parametrize("solver", ["dense", "gmres", "cg", "neumann", "own"])
def test_linear_systems(solver: Any) -> None:
    generator = np.random.default_rng(2)
    m = np.eye(4) + 0.1 * generator.normal(size=(4, 4))
    m = (m + m.T) / 2 if solver == "cg" else m
    b = generator.normal(size=(3, 4))

    def own(matvec: Any, b: Any) -> Any:
        return np.linalg.solve(np.stack([np.asarray(matvec(e)) for e in np.eye(4)], 1), np.asarray(b))

    def matrix_free(m: Any, b: Any) -> Any:
        return tg.linear_solve(lambda x: m @ x, b, solver=own if solver == "own" else solver)

    def by(solve: Any, b: Any) -> Any:
        def scaled(s: Any) -> Any:
            return (solve(m * s, b * s * s) ** 3).sum()

        s = np.float64(1.1)
        return (
            scaled(s),
            tg.grad(scaled)(s),
            push(scaled)(s),
            tg.grad(tg.grad(scaled))(s),
            push(tg.grad(scaled))(s),
        )

    assert_allclose(by(matrix_free, b[0]), by(tg.linalg.solve, b[0]), rtol=1e-9)
    if solver != "own":
        each = tg.vmap(tg.grad(total(matrix_free), 1), (None, 0))(m, b)
        assert_allclose(each, np.tile(np.linalg.solve(m.T, np.ones(4)), (3, 1)), rtol=1e-10)


def test_a_large_system_makes_no_matrix() -> None:
    n, shapes = 3000, set()

    def matvec(x: Any) -> Any:
        shapes.add(x.shape)
        return 3 * x - tg.roll(x, 1) - 0.5 * tg.roll(x, -1)

    b = np.random.default_rng(3).normal(size=n)
    g = tg.grad(lambda b: (tg.linear_solve(matvec, b) ** 2).sum() / 2)(b)
    x = tg.linear_solve(matvec, b)
    assert shapes == {(n,)}
    assert_allclose(np.asarray(3 * g - np.roll(g, -1) - 0.5 * np.roll(g, 1)), x, atol=1e-9)


# ---- what goes wrong


def test_what_does_not_converge_is_an_error() -> None:
    with pytest.raises(tg.ConvergenceError, match="fixed_point: not converged after 20 iterations"):
        tg.fixed_point(lambda x: tg.cos(x) * 3, np.float64(1.0), max_iterations=20)
    with pytest.raises(tg.ConvergenceError, match="in 1 of 2 examples"):
        tg.vmap(lambda a: tg.fixed_point(lambda x: a * x + 1, np.float64(0.0), max_iterations=100))(
            np.array([0.5, 2.0])
        )
    with pytest.raises(tg.ConvergenceError, match="custom_root"):
        tg.custom_root(lambda x: x * x + 1, np.float64(0.3))
    with pytest.raises(tg.ConvergenceError, match=r"no root: \|f\| is 0.2"):
        tg.custom_root(lambda x: x * x - 2, np.float64(1.0), lambda f, x: 1.5 + 0 * x)
    with pytest.raises(tg.ConvergenceError, match="singular"):
        tg.linear_solve(lambda x: x * np.array([1.0, 0.0]), np.ones(2), solver="gmres")
    with pytest.raises(tg.ConvergenceError, match="positive definite"):
        tg.linear_solve(lambda x: -x, np.ones(2), solver="cg")
    with pytest.raises(tg.LinalgError):
        tg.grad(lambda a: tg.custom_root(lambda x: (x - a) ** 3, a, lambda f, x: x))(np.float64(1.0))


def test_mistakes() -> None:
    with pytest.raises(tg.ShapeError, match="has shape"):
        tg.custom_root(lambda x: (x * x).sum(), np.ones(2))
    with pytest.raises(tg.ShapeError, match="one structure"):
        tg.fixed_point(lambda x: (x["a"], x["a"]), {"a": np.ones(2)})
    with pytest.raises(tg.DtypeError, match="floating"):
        tg.custom_root(lambda x: x * x - 2, np.array([1, 2]))
    with pytest.raises(tg.DtypeError, match="complex"):
        tg.custom_root(lambda x: x * 1j, np.ones(2))
    for call in (
        lambda: tg.fixed_point(lambda x: x, 1.0, solver="magic"),
        lambda: tg.fixed_point(lambda x: x, 1.0, on_failure="hide"),
        lambda: tg.linear_solve(lambda x: x, np.ones(2), solver="magic"),
    ):
        with pytest.raises(tg.GradientError, match="take '"):
            call()


def test_what_changes_after_the_solution_is_noticed() -> None:
    w = tg.tensor(A, requires_grad=True)
    y = sqrt(w)
    with tg.no_grad():
        w += 1.0
    with pytest.raises(tg.MutatedError):
        y.sum().backward()
    h = tg.tensor(A, requires_grad=True) * 2
    y = tg.custom_root(lambda x: x * x - h, np.ones(3))
    h += 1.0
    with pytest.raises(tg.MutatedError, match="depends on other tensors"):
        y.sum().backward()


@pytest.mark.parametrize("solver", ["dense", "gmres"])
def test_the_other_transformations_and_who_watches(solver: str) -> None:
    def f(a: Any) -> Any:
        return sqrt(a, linear_solver=solver)

    d = 0.5 / np.sqrt(A)
    for jacobian in (tg.jacfwd, tg.jacrev):
        assert_allclose(jacobian(f)(A), np.diag(d), atol=1e-12)
    assert_allclose(tg.hessian(lambda a: (f(a) ** 3).sum())(A), np.diag(0.75 / np.sqrt(A)), atol=1e-10)
    product = tg.hvp(lambda a: (f(a) ** 3).sum(), A, A)[1]
    assert_allclose(product, 0.75 * np.sqrt(A), rtol=1e-10)
    assert not getattr(product, "requires_grad", False)
    assert_allclose(tg.linearize(f, A)[1](A), d * A, rtol=1e-10)
    assert_allclose(tg.vjp(f, A)[1](A)[0], d * A, rtol=1e-10)
    assert_allclose(tg.grad(lambda a: (tg.checkpoint(f)(a) ** 3).sum())(A), 1.5 * np.sqrt(A), rtol=1e-10)
    w, seen = tg.tensor(A, requires_grad=True), []
    w.register_hook(lambda g: seen.append(g))
    with tg.detect_anomaly(), tg.record():
        y = f(w)
        y.sum().backward(retain_graph=True)
    tg.graph(y)
    y.sum().backward()
    assert_allclose(w.grad, 2 * d, rtol=1e-10)
    assert len(seen) == 2


@pytest.mark.parametrize(
    "curved",
    [lambda x: x * x + 1, lambda x: 2 * x + 1, tg.abs, tg.relu],
    ids=["square", "affine", "abs", "relu"],
)
@pytest.mark.parametrize("solver", ["dense", "gmres"])
def test_a_map_that_is_not_linear_is_refused(curved: Any, solver: str) -> None:
    with pytest.raises(tg.GradientError, match="matvec is not linear"):
        tg.linear_solve(curved, np.array([1.0, 2.0]), solver=solver)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_the_default_tolerance_can_be_reached_in_every_dtype(dtype: Any) -> None:
    x = tg.fixed_point(tg.cos, np.array([1.0, 2.0], dtype))
    assert x.dtype == dtype
    assert_allclose(x, 0.7390851, atol=20 * np.finfo(dtype).eps ** 0.75)
    root = tg.custom_root(lambda x: x * x - 2, np.array([1.0], dtype))
    assert_allclose(root, np.sqrt(2), atol=20 * np.finfo(dtype).eps ** 0.75)


def test_a_python_number_becomes_a_tensor() -> None:
    assert isinstance(tg.fixed_point(tg.cos, 1.0), tg.Tensor)
    assert isinstance(tg.fixed_point(tg.cos, np.float64(1.0)), np.float64)


def test_a_singular_start_of_newton_is_named() -> None:
    with pytest.raises(
        tg.LinalgError, match="custom_root: the derivative is singular where Newton's method stands"
    ):
        tg.custom_root(lambda x: x * x - 2, np.zeros(2))
