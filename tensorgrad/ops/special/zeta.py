"""Hurwitz's zeta function and its derivatives."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..._primitive import elementwise
from ._gamma_kernels import Array, choose, run, two_sum
from ._gamma_tables import EULER_MACLAURIN

TERMS = 10

# ---- cards


@elementwise
def hurwitz_slope(x: Any, q: Any, /, *, order: int) -> Any:
    """The derivative in ``x`` of an order from 0 of `zeta`, for each element; for ``q > 0`` from order 1."""
    if order == 0:
        return run("zeta", hurwitz, x, q)
    return run("zeta", lambda x, q: _hurwitz_slope(x, q, order), x, q)


hurwitz_slope.derivative(
    x=lambda x, q, order: hurwitz_slope(x, q, order=order + 1),
    q=lambda x, q, order: _slope_in_q(x, q, order),
)


def _slope_in_q(x: Any, q: Any, order: int) -> Any:
    # The derivative of -x zeta(x + 1, q), by Leibniz's rule.
    whole = -x * hurwitz_slope(x + 1, q, order=order)
    return whole - order * hurwitz_slope(x + 1, q, order=order - 1) if order else whole


def zeta(x: Any, q: Any = 1.0, /) -> Any:
    """Hurwitz's zeta function: the sum of ``(q + k) ** -x`` over k = 0, 1, 2, ...; Riemann's for ``q = 1``.

    Within 4 units in the last place for ``q > 0``. It has derivatives of any order in both arguments.

    Args:
        x: real numbers, in an array or tensor. It is +inf at 1 and NaN below.
        q: real numbers; broadcast with ``x``. Below 0 only whole ``x`` give a value, and there is then no
            derivative in ``x``; at 0, -1, -2, ... it is +inf.

    Example:
        >>> import tensorgrad as tg
        >>> tg.special.zeta(2.0, tg.tensor([1.0, 2.0]))
        tensor([1.644934  , 0.64493406])

    Source: Euler and Maclaurin's formula, DLMF 25.11.28, and for ``q < 0`` 25.11.3.
    """
    return hurwitz_slope(x, q, order=0)


# ---- kernels


def hurwitz(s: Array, q: Array) -> Array:
    """`zeta` of rows of float64."""
    whole = s == np.floor(s)
    odd = whole & (s % 2 == 1)
    pole = (q <= 0) & (q == np.floor(q)) & np.isfinite(q)
    return choose(
        [s, q],
        ((s == 1) & ~np.isnan(q), lambda s, q: np.full(s.shape, np.inf)),
        (~(s > 1), lambda s, q: np.full(s.shape, np.nan)),
        (np.isinf(s) & (q > 0), lambda s, q: np.where(q > 1, 0.0, np.where(q == 1, 1.0, np.inf))),
        (np.isposinf(q), lambda s, q: np.zeros(s.shape)),
        (q > 0, _positive),
        (pole & odd & (q < 0), lambda s, q: np.full(s.shape, np.nan)),
        (pole, lambda s, q: np.copysign(np.inf, np.where(s % 2 == 1, q, 1.0))),
        ((q < 0) & whole & np.isfinite(q), _reflected),
    )


def powers(s: Array, q: Array, unit: Array) -> Array:
    """The sum of ``((q + k) / unit) ** -s`` for ``s > 1`` and ``q > 0``; the units are powers of 2."""
    total, rest = np.power(q / unit, -s), np.zeros(s.shape)
    for k in range(1, TERMS):
        total, lost = two_sum(total, _power(q, k, s, unit))
        rest += lost
    a = q + TERMS
    ratio = s / a
    factor, series = ratio, np.zeros(s.shape)
    for j, weight in enumerate(EULER_MACLAURIN):
        series += weight * factor
        factor = factor * ((s + 2 * j + 1) / a) * ((s + 2 * j + 2) / a)
    whole, lost = two_sum(total, _power(q, TERMS, s - 1, unit) * unit / (s - 1))
    tail = _power(q, TERMS, s, unit) * (0.5 + series)
    # Where the series overflows, what it is multiplied with is 0.
    return np.where(np.isfinite(whole), whole + (np.where(tail > 0, tail, 0) + (lost + rest)), whole)


def _power(q: Array, k: int, s: Array, unit: Array) -> Array:
    """``((q + k) / unit) ** -s``, with what the sum loses to rounding made good."""
    a, lost = two_sum(q, np.full(q.shape, float(k)))
    return np.power(a / unit, -s) * (1 - s * (lost / a))


def _positive(s: Array, q: Array) -> Array:
    return powers(s, q, np.ones(q.shape))


def _reflected(s: Array, q: Array) -> Array:
    """From the sum over all whole numbers, of which the part beyond ``q`` is taken off."""
    r = q - np.round(q)
    sign = np.where(s % 2 == 1, -1.0, 1.0)
    behind = _positive(s, 1 - r) - _positive(s, 1 - q)
    return np.power(r, -s) + (_positive(s, 1 + r) + sign * behind)


def _hurwitz_slope(s: Array, q: Array, order: int) -> Array:
    inside = (s > 1) & (q > 0) & np.isfinite(s) & np.isfinite(q)
    return choose([s, q], (inside, lambda s, q: _jet(s, q, order)))


def _jet(s: Array, q: Array, order: int) -> Array:
    """Euler and Maclaurin's formula in Taylor series in ``s``, of which the last coefficient counts."""
    total = sum(np.power(q + k, -s) * (-np.log(q + k)) ** order for k in range(TERMS))
    a = q + TERMS
    logs = [(-np.log(a)) ** k / math.factorial(k) for k in range(order + 1)]
    inverse = [(-1) ** k * (s - 1) ** -(k + 1.0) for k in range(order + 1)]
    zero = np.zeros(s.shape)
    series = [zero + 0.5, *[zero] * order]
    factor = [s / a, 1 / a, *[zero] * order][: order + 1]
    for j, weight in enumerate(EULER_MACLAURIN):
        series = [x + weight * y for x, y in zip(series, factor, strict=True)]
        for m in (1, 2):
            up = (s + 2 * j + m) / a
            factor = [up * factor[k] + (factor[k - 1] / a if k else 0) for k in range(order + 1)]
    series = [x + a * y for x, y in zip(series, inverse, strict=True)]
    last = sum(logs[k] * series[order - k] for k in range(order + 1))
    return total + np.power(a, -s) * last * math.factorial(order)
