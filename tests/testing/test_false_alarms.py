"""Right derivatives that once were accused, or could be: far out, at jumps, at ties, where everything cancels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad.testing import check, check_vjp

RNG = np.random.default_rng(0)
X = RNG.standard_normal((5, 3))
SYMMETRIC = (lambda a: a @ a.T + 3 * np.eye(3))(RNG.standard_normal((3, 3)))

RIGHT: dict[str, tuple[Callable[..., Any], list[Any]]] = {
    "close to the end of the domain": (tg.atanh, [np.array(-0.999999)]),
    "close to the other end": (tg.asin, [np.array(0.999999)]),
    "a jump where steps land on integers": (tg.floor, [np.array(10.0)]),
    "a jump far out": (tg.round, [np.array(30000.5)]),
    "an infinite slope": (tg.cbrt, [np.array(0.0)]),
    "an infinite slope beside a finite one": (tg.sqrt, [np.array([0.0, 1.0])]),
    "saturated": (tg.tanh, [np.array([5.0, 10.0, 15.0, 19.0, 30.0])]),
    "about to overflow": (tg.exp, [np.array(709.6827)]),
    "large results": (tg.special.i0, [np.array(700.0)]),
    "a sum that cancels": (lambda x: (x - tg.mean(x)).sum(), [X]),
    "a sum of shares": (lambda x: (tg.exp(x) / tg.exp(x).sum()).sum(), [X]),
    "sums along an axis that cancel": (lambda x: (x - x.mean(axis=1, keepdims=True)).sum(axis=1), [X]),
    "a tie of three, sorted": (tg.sort, [np.ones(3)]),
    "a tie of three, halved": (tg.median, [np.ones(3)]),
    "no complex numbers inside": (
        lambda x: tg.grad(lambda x: (tg.einsum("ii->i", x) ** 2).sum())(x),
        [np.eye(3)],
    ),
    "reflections that jump": (lambda a: tg.linalg.qr(a), [np.eye(2)]),
    "reflections that jump, complex": (lambda a: tg.linalg.qr(a), [np.array([[1.3 + 0j]])]),
    "one triangle is read": (tg.linalg.cholesky, [SYMMETRIC]),
    "one triangle is read, eigenvalues": (lambda a: tg.linalg.eigh(a)[0], [SYMMETRIC]),
    "curved at a scale of 1, far out": (
        tg.logaddexp2,
        [np.array([10000.01, 3.0]), np.array([10000.08, 2.0])],
    ),
    "all sizes": (lambda x: x**2, [np.array([1e8, 1e-8, 0.0, -3e5])]),
    "very large and very small": (lambda x: x * x * x, [np.array([1e20, 1e-20])]),
    "float32": (lambda x: tg.softmax(x, axis=1), [(10 * X).astype(np.float32)]),
}


@pytest.mark.parametrize("fast_mode", [False, True], ids=["full", "fast"])
@pytest.mark.parametrize("name", RIGHT)
def test_right_derivatives_are_left_alone(name: str, fast_mode: bool) -> None:
    f, inputs = RIGHT[name]
    report = check(f, inputs, fast_mode=fast_mode)
    assert report.ok, str(report)


@pytest.mark.parametrize("x", [1e3, 1e5, 3e5, 1e6])
def test_waves_are_not_stepped_over(x: float) -> None:
    """Steps in parts of a large input are many periods long, and agree with each other by accident."""
    assert check_vjp(np.sin, lambda i, y, g: g * np.cos(i[0]), np.array(x)).ok
    assert not check_vjp(np.sin, lambda i, y, g: g * np.cos(i[0]) * 1.001, np.array(x)).ok


def test_tied_entries_may_not_each_have_the_whole_gradient() -> None:
    """Each by itself lies between its slopes from both sides; together they do not."""
    x = np.array([1.0, 1.0, 0.5])
    assert not check_vjp(lambda x: x.max(), lambda i, y, g: g * (i[0] == y), x).ok
    assert check_vjp(lambda x: x.max(), lambda i, y, g: g * (i[0] == y) / (i[0] == y).sum(), x).ok


def test_a_gradient_of_the_wrong_shape_is_seen_without_elements() -> None:
    report = check_vjp(np.sin, lambda i, y, g: np.zeros((0,) * 4), np.zeros((0, 3)))
    assert not report.ok


def test_a_fault_at_equal_inputs_is_no_rounding() -> None:
    a = np.full((2, 3), 3.0)
    rule = lambda i, y, g: (2 * g, 2 * g) if np.array_equal(*i) else (g, g)
    assert not check_vjp(lambda a, b: a + b, rule, [a, a.copy()]).ok


SHAPES_OF_CURVES: tuple[tuple[Any, Any], ...] = (
    (np.sin, np.cos),
    (lambda x: np.log(np.abs(x)), lambda x: 1 / x),
    (lambda x: np.sqrt(np.abs(x)), lambda x: 0.5 * np.sign(x) / np.sqrt(np.abs(x))),
    (lambda x: x**3, lambda x: 3 * x * x),
    (lambda x: 1 / x, lambda x: -1 / x**2),
    (lambda x: np.maximum(x, 0), lambda x: (x > 0) * 1.0),
    (lambda x: np.sqrt(1 + x * x), lambda x: x / np.sqrt(1 + x * x)),
    (np.arctan, lambda x: 1 / (1 + x * x)),
    (lambda x: 7 * x + 3, lambda x: 7 + 0 * x),
)


@pytest.mark.parametrize("fast_mode", [False, True], ids=["full", "fast"])
@pytest.mark.parametrize("seed", range(36))
def test_at_any_scale_what_is_right_passes_and_one_in_a_thousand_is_found(seed: int, fast_mode: bool) -> None:
    f, slope = SHAPES_OF_CURVES[seed % len(SHAPES_OF_CURVES)]
    rng = np.random.default_rng(seed)
    x = rng.standard_normal(4) * 10.0 ** rng.uniform(-6, 6)
    options: dict[str, Any] = {"fast_mode": fast_mode, "clauses": ["derivative"], "seed": seed}
    assert check_vjp(f, lambda i, y, g: g * slope(i[0]), x, **options).ok
    if (np.abs(slope(x) * x) > 1e-6 * np.abs(f(x))).all():  # else no difference of values could show it
        assert not check_vjp(f, lambda i, y, g: g * slope(i[0]) * 1.001, x, **options).ok
