"""Complex programs: forward and reverse mode are adjoint, batches are loops, replays are calls.

A gradient is taken with respect to the inner product Re(sum(conj(a) b)), so that it points uphill:
the derivative of a real function along ``t`` is Re(sum(conj(grad) t)).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose

import tensorgrad as tg

generator = np.random.default_rng(3)
Z = generator.normal(size=(3, 3)) + 1j * generator.normal(size=(3, 3))
T = generator.normal(size=(3, 3)) + 1j * generator.normal(size=(3, 3))
R, S = generator.normal(size=(3, 3)), generator.normal(size=(3, 3))
CLOSE = {"rtol": 1e-9, "atol": 1e-10}

# Functions of one complex matrix; some are not holomorphic, some pass through real numbers.
PROGRAMS: dict[str, Callable[[Any], Any]] = {
    "product": lambda z: z * z * (1 - 2j),
    "quotient": lambda z: (1 + z) / (3 + z * tg.conjugate(z)),
    "exp": lambda z: tg.exp(0.3j * z),
    "sin": lambda z: tg.sin(z) + tg.cos(z) * 2j,
    "power": lambda z: (2 + 0.1 * z) ** 3 + (3 + 0.2 * z) ** 1.5,
    "sqrt and log": lambda z: tg.sqrt(5 + z) + tg.log(5 + z),
    "real and imag": lambda z: tg.real(z) * tg.imag(z) + 1j * z.real,
    "conjugate": lambda z: tg.conjugate(z) @ z.T,
    "absolute": lambda z: tg.abs(z) * z + tg.abs(z) ** 3,
    "matmul": lambda z: z @ (z + 1j * np.eye(3)) @ R,
    "einsum": lambda z: tg.einsum("ij,kj,k->i", z, tg.conjugate(z), z[0]),
    "where": lambda z: tg.where(R > 0, z * z, tg.conjugate(z)),
    "where of the modulus": lambda z: tg.where(tg.abs(z) > 1, z, 1j * z.real),
    "sums": lambda z: z.sum(0) * tg.conjugate(z.mean(1)),
    "parts": lambda z: tg.concat([tg.split(z, 3)[1] * z[0], z[1:, ::-1]], axis=0),
    "positions": lambda z: z[[0, 2, 0], [1, 1, 2]] * z[:, 0],
    "mixed with real": lambda z: (R * z).astype("complex128") + z.real @ R,
}
every = pytest.mark.parametrize("f", PROGRAMS.values(), ids=PROGRAMS.keys())


def real_part(y: Any) -> Any:
    return tg.real(y * (0.3 - 0.7j)).sum() + (tg.abs(y) ** 2).sum()


def inner(a: Any, b: Any) -> float:
    return float(np.sum(np.conj(a) * b).real)


@every
def test_gradients_and_tangents_are_adjoint(f: Any) -> None:
    def total(z: Any) -> Any:
        return real_part(f(z))

    h = 1e-6
    with tg.no_grad():
        difference = (total(tg.tensor(Z + h * T)).item() - total(tg.tensor(Z - h * T)).item()) / (2 * h)
    gradient = tg.grad(total)(Z)
    assert gradient.dtype == Z.dtype
    assert inner(gradient, T) == pytest.approx(difference, rel=1e-6, abs=1e-7)
    _, slope = tg.jvp(total, (Z,), (T,))
    assert float(slope) == pytest.approx(inner(gradient, T), rel=1e-10)
    y, t = tg.jvp(f, (Z,), (T,))
    with tg.no_grad():
        along = (f(tg.tensor(Z + h * T)).numpy() - f(tg.tensor(Z - h * T)).numpy()) / (2 * h)
    assert_allclose(t, along, rtol=1e-6, atol=1e-7)
    w = tg.tensor(Z, requires_grad=True)
    g = np.cos(np.real(y)) + 1j * np.sin(np.imag(y))
    f(w).backward(g)
    assert inner(w.grad.numpy(), T) == pytest.approx(inner(g, t), rel=1e-10)


@pytest.mark.parametrize("f", [lambda z: z * 0.1, lambda z: 0.1 * z, lambda z: z / 10, lambda z: z - 0.9 * z])
def test_numbers_beside_complex_arrays_are_exact(f: Any) -> None:
    found = tg.grad(lambda z: tg.real(f(z)).sum())(Z)
    assert type(found) is np.ndarray and found.dtype == Z.dtype
    assert_allclose(found, np.full((3, 3), 0.1 + 0j), rtol=1e-14)
    assert_allclose(tg.jvp(f, (Z,), (T,))[1], 0.1 * T, rtol=1e-14)


@every
def test_second_order(f: Any) -> None:
    def total(z: Any) -> Any:
        return real_part(f(z))

    def product(z: Any) -> Any:
        return tg.grad(lambda z: tg.real(tg.conjugate(tg.grad(total)(z)) * T).sum())(z)

    h = 1e-5
    expected = (tg.grad(total)(Z + h * T) - tg.grad(total)(Z - h * T)) / (2 * h)
    assert_allclose(tg.jvp(tg.grad(total), (Z,), (T,))[1], expected, rtol=1e-6, atol=1e-6)
    assert_allclose(product(Z), expected, rtol=1e-6, atol=1e-6)
    assert_allclose(tg.jvp(tg.grad(total), (Z,), (T,))[1], product(Z), **CLOSE)
    assert_allclose(tg.grad(lambda z: tg.jvp(total, (z,), (T,))[1])(Z), product(Z), **CLOSE)


@every
def test_batches(f: Any) -> None:
    def total(z: Any) -> Any:
        return real_part(f(z))

    rows = np.stack([Z, T, 1j * Z])
    assert_allclose(tg.vmap(f)(rows), np.stack([f(tg.tensor(z)).numpy() for z in rows]), **CLOSE)
    gradients = np.stack([tg.grad(total)(z) for z in rows])
    assert_allclose(tg.vmap(tg.grad(total))(rows), gradients, **CLOSE)
    assert_allclose(tg.grad(lambda zs: tg.vmap(total)(zs).sum())(rows), gradients, **CLOSE)
    slopes = [inner(g, z) for g, z in zip(gradients, rows, strict=True)]
    assert_allclose(tg.jvp(tg.vmap(total), (rows,), (rows,))[1], slopes, **CLOSE)


@every
def test_replay(f: Any) -> None:
    def step(z: Any, t: Any) -> Any:
        return f(z), tg.jvp(tg.grad(lambda z: real_part(f(z))), (z,), (t,))

    graph = tg.trace(step, tg.tensor(T), tg.tensor(Z))
    y, (gradient, turn) = graph(tg.tensor(Z), tg.tensor(T))
    y_, (gradient_, turn_) = step(tg.tensor(Z), tg.tensor(T))
    for found, expected in ((y, y_), (gradient, gradient_), (turn, turn_)):
        assert_allclose(found, expected, rtol=1e-12, atol=1e-13)


@every
def test_a_real_argument_of_a_complex_function_has_a_real_gradient(f: Any) -> None:
    def total(x: Any) -> Any:
        return real_part(f(x * (1 + 0.5j)))

    found = tg.grad(total)(R)
    assert found.dtype == np.float64
    assert_allclose(tg.vmap(tg.grad(total))(R[None])[0], found, **CLOSE)
    h = 1e-6
    difference = (total(tg.tensor(R + h * S)).item() - total(tg.tensor(R - h * S)).item()) / (2 * h)
    assert inner(found, S) == pytest.approx(difference, rel=1e-6, abs=1e-7)
    assert float(tg.jvp(total, (R,), (S,))[1]) == pytest.approx(inner(found, S), rel=1e-10)
