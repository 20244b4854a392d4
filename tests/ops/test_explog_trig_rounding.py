"""Corners of the exponentials, angles and remainders: digits that must not be lost, operators, signs."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import tensorgrad as tg


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("op", [tg.atan, tg.asinh, tg.sinc, tg.cbrt, lambda x: tg.hypot(x, 1), tg.log1p])
def test_slopes_do_not_overflow(op: Any, dtype: str) -> None:
    """With NumPy's warnings as errors."""
    big = {"float32": 1e30, "float64": 1e200}[dtype]
    slope = tg.grad(lambda x: op(x).sum())(np.array([big, 1.0], dtype))
    assert np.isfinite(slope).all()


def test_slopes_of_logaddexp_keep_small_digits() -> None:
    a, b = tg.grad(lambda a, b: tg.logaddexp(a, b), argnums=(0, 1))(np.float64(1e10), np.float64(1e10 + 50))
    assert a == pytest.approx(math.exp(-50), rel=1e-12)
    assert b == 1


def test_sinc_at_0_to_the_sixth_order() -> None:
    f: Any = tg.sinc
    for order in range(7):
        expected = 0 if order % 2 else (-1) ** (order // 2) * math.pi**order / (order + 1)
        assert f(np.float64(0.0)) == pytest.approx(expected, rel=1e-14)
        assert f(np.float64(1e-9)) == pytest.approx(expected, rel=1e-12, abs=1e-4)
        f = tg.grad(f)


def test_division_operators_agree_with_numpy() -> None:
    a, b = np.array([7.5, -7.5, 6.0]), np.array([2.0, 2.0, -4.0])
    x, y = tg.tensor(a), tg.tensor(b)
    for found, expected in [
        (x // y, a // b), (x % y, a % b), (7 // y, 7 // b), (7 % y, 7 % b), (a % y, a % b), (x // b, a // b),
        *zip(divmod(x, y), divmod(a, b), strict=True),
        *zip(divmod(7, y), divmod(7, b), strict=True),
        *zip(np.divmod(x, b), np.divmod(a, b), strict=True),
        *zip(tg.divmod(a, b), divmod(a, b), strict=True),
    ]:  # fmt: skip
        np.testing.assert_array_equal(np.asarray(found), expected)
    x %= 4
    y //= 3
    assert x.tolist() == [3.5, 0.5, 2.0]
    assert y.tolist() == [0.0, 0.0, -2.0]


def test_divmod_of_integers() -> None:
    quotient, rest = divmod(tg.tensor([7, -7]), 2)
    assert (quotient.tolist(), rest.tolist()) == ([3, -4], [1, 1])
    assert quotient.dtype == rest.dtype == np.int64


def test_remainder_of_a_division_carries_the_gradient() -> None:
    a, b = tg.grad(lambda a, b: a % b, argnums=(0, 1))(np.float64(7.5), np.float64(2.0))
    assert (a, b) == (1, -3)


def test_the_sign_that_is_copied_gets_no_gradient() -> None:
    slopes = tg.grad(lambda a, b: tg.copysign(a, b).sum(), argnums=(0, 1))
    a, b = slopes(np.array([0.0, -2.0, 2.0]), np.array([-1.0, -1.0, -0.0]))
    assert a.tolist() == [0, 1, -1]
    assert b.tolist() == [0, 0, 0]


def test_clip_with_crossed_bounds_is_the_upper_one() -> None:
    slopes = tg.grad(lambda x, low, high: tg.clip(x, low, high), argnums=(0, 1, 2))
    assert slopes(np.float64(0.0), np.float64(2.0), np.float64(1.0)) == (0, 0, 1)


def test_atan2_has_no_curvature_where_it_has_no_slope() -> None:
    at = tg.zeros(2, dtype="float64")
    slopes = tg.grad(lambda p: tg.atan2(p[0], p[1]))
    for k in range(2):
        assert tg.grad(lambda p, k=k: slopes(p)[k])(at).tolist() == [0.0, 0.0]
