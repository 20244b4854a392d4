"""The error functions on float64 arrays, each to a few units in the last place.

Everything here takes and gives float64 arrays of one axis. Polynomials carry what is smooth: near 0 the odd
functions, elsewhere ``exp(x**2) erfc(x)``, which falls as slowly as ``1 / x``. The rest is ``exp(-x**2)``, in
which the rounding error of ``x**2`` is made good. Of NumPy's functions only ``exp``, ``log`` and ``sqrt`` are used,
which are right to the last digit or nearly so on every machine.

Source:
    J. L. Schonfelder, "Chebyshev expansions for the error and related functions", Math. Comp. 32 (1978), for
    the mapping of the half-line; T. J. Dekker, "A floating-point technique for extending the available
    precision", Numer. Math. 18 (1971), for the exact square; DLMF 7.9 and 7.18 for the continued fraction.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from . import _error_tables as tables

LARGEST_ERFCX = -26.64  # exp(x**2) is still finite here, and 2 exp(x**2) is not
HALF_ROOT, ROOT2, ROOT_PI = math.sqrt(0.5), math.sqrt(2), math.sqrt(math.pi)

Piece = tuple[Any, Callable[..., Any]]


def piecewise(xs: tuple[Any, ...], *pieces: Piece) -> Any:
    """What the function of each piece gives where its mask is true, and NaN elsewhere."""
    for mask, f in pieces:
        if mask.all():
            return f(*xs)
    out = np.full(xs[0].shape, np.nan)
    for mask, f in pieces:
        if mask.any():
            out[mask] = f(*[x[mask] for x in xs])
    return out


# ---- erf and its complement


def erf(x: Any) -> Any:
    """The error function."""
    size = np.abs(x)
    return piecewise((x,), (size <= 1, _erf_near), (size > 1, _erf_far))


def erfc(x: Any) -> Any:
    """``1 - erf(x)``."""
    return piecewise(
        (x,),
        (np.abs(x) <= 0.5, lambda x: 1 - _erf_near(x)),
        (x > 0.5, _erfc_far),
        (x < -0.5, lambda x: 2 - _erfc_far(-x)),
    )


def erfcx(x: Any) -> Any:
    """``exp(x**2) * erfc(x)``."""
    return piecewise(
        (x,),
        (np.abs(x) <= 0.5, lambda x: _exp_of_square(x, 1) * (1 - _erf_near(x))),
        (x > 0.5, _erfcx_right),
        ((x >= LARGEST_ERFCX) & (x < -0.5), lambda x: 2 * _exp_of_square(x, 1) - _erfcx_right(-x)),
        (x < LARGEST_ERFCX, lambda x: np.full_like(x, np.inf)),
    )


def _erf_near(x: Any) -> Any:
    return x + x * _polynomial(tables.ERF, x * x)


def _erf_far(x: Any) -> Any:
    return np.copysign(1 - _erfc_far(np.abs(x)), x)


def _erfc_far(x: Any) -> Any:
    x = np.minimum(x, 40)  # the result is 0 there, and x * x cannot overflow
    return _exp_of_square(x, -1) * _erfcx_right(x)


def _erfcx_right(x: Any) -> Any:
    return _polynomial(tables.ERFCX, _mapped(x, 3)) / (x + 0.5)


# ---- their inverses


def erfinv(y: Any) -> Any:
    """The x with ``erf(x) = y``."""
    size = np.abs(y)
    return piecewise(
        (y,),
        (size <= 0.63, _erfinv_near),
        ((size > 0.63) & (size <= 1), lambda y: np.copysign(_erfcinv_far(1 - np.abs(y)), y)),
    )


def erfcinv(y: Any) -> Any:
    """The x with ``erfc(x) = y``."""
    return piecewise(
        (y,),
        (np.abs(1 - y) <= 0.63, lambda y: _erfinv_near(1 - y)),
        ((y >= 0) & (y < 0.37), _erfcinv_far),
        ((y <= 2) & (y > 1.63), lambda y: -_erfcinv_far(2 - y)),
    )


def ndtri(y: Any) -> Any:
    """The x with ``ndtr(x) = y``."""
    return piecewise(
        (y,),
        (np.abs(2 * y - 1) <= 0.63, lambda y: ROOT2 * _erfinv_near(2 * y - 1)),
        ((y >= 0) & (y < 0.185), lambda y: -ROOT2 * _erfcinv_far(2 * y)),
        ((y <= 1) & (y > 0.815), lambda y: ROOT2 * _erfcinv_far(2 * (1 - y))),
    )


def _erfinv_near(y: Any) -> Any:
    return np.copysign(y + y * _polynomial(tables.ERFINV, y * y), y)  # of -0.0, too


def _erfcinv_far(y: Any) -> Any:
    w = np.sqrt(-np.log(y))
    return w + piecewise(
        (w,),
        (w <= 4, lambda w: _polynomial(tables.ERFCINV_NEAR, _mapped(w, 2))),
        (w > 4, lambda w: _polynomial(tables.ERFCINV_FAR, _mapped(w, 10.5))),
    )


# ---- the normal distribution


def ndtr(x: Any) -> Any:
    """The distribution function of the normal distribution."""
    return piecewise(
        (x,), (np.abs(x) <= 0.5, _ndtr_near), (x < -0.5, _ndtr_left), (x > 0.5, lambda x: 1 - _ndtr_left(-x))
    )


def log_ndtr(x: Any) -> Any:
    """The logarithm of `ndtr`."""
    return piecewise(
        (x,),
        (x < -1, lambda x: np.log(_mills(-x)) - 0.5 * x * x),
        (np.abs(x) <= 0.5, lambda x: np.log(_ndtr_near(x))),
        (x > 0.5, lambda x: log1p(-_ndtr_left(-x))),
        ((x >= -1) & (x < -0.5), lambda x: np.log(_ndtr_left(x))),
    )


def ndtr_ratio(x: Any) -> Any:
    """The normal density divided by `ndtr`, the slope of `log_ndtr`."""
    c = 1 / math.sqrt(2 * math.pi)
    return piecewise(
        (x,),
        (x < 0, lambda x: c / _mills(-x)),
        (x >= 0, lambda x: c * _exp_of_square(np.minimum(x, 60), -1, 0.5) / ndtr(x)),
    )


def _ndtr_near(x: Any) -> Any:
    return 0.5 + 0.5 * _erf_near(HALF_ROOT * x)


def _ndtr_left(x: Any) -> Any:
    x = np.minimum(-x, 60)
    return _exp_of_square(x, -1, 0.5) * _mills(x)


def _mills(x: Any) -> Any:
    """``ndtr(-x)`` divided by ``exp(-x**2 / 2)``, for x >= 0."""
    return _polynomial(tables.MILLS, _mapped(x, 4)) / (x + 0.75)


# ---- logarithms


def logit(x: Any) -> Any:
    """``log(x / (1 - x))``."""
    return piecewise(
        (x,),
        # Near 1/2 the quotient is near 1, and its distance from 1 is known exactly.
        ((x >= 0.25) & (x <= 0.5), lambda x: 0 - log1p((1 - 2 * x) / x)),
        ((x > 0.5) & (x <= 0.75), lambda x: log1p((2 * x - 1) / (1 - x))),
        (((x >= 0) & (x < 0.25)) | ((x > 0.75) & (x <= 1)), lambda x: np.log(x / (1 - x))),
    )


def expit(x: Any) -> Any:
    """``1 / (1 + exp(-x))``."""
    e = np.exp(-np.abs(x))
    return np.where(x >= 0, 1, e) / (1 + e)


def log_expit(x: Any) -> Any:
    """``-log(1 + exp(-x))``."""
    return np.minimum(x, 0) - log1p(np.exp(-np.abs(x)))


def entr(x: Any) -> Any:
    """``-x log(x)``."""
    return piecewise(
        (x,),
        (x > 0, lambda x: 0 - x * np.log(x)),
        (x == 0, np.zeros_like),
        (x < 0, lambda x: np.full_like(x, -np.inf)),
    )


def rel_entr(a: Any, b: Any) -> Any:
    """``a log(a / b)``."""
    inside = (a > 0) & (b > 0)
    with np.errstate(over="ignore", invalid="ignore"):
        near = inside & (a >= 0.5 * b) & (a <= 2 * b)
        far = inside & ~near & ((a > 1e200 * b) | (b > 1e200 * a))
    return piecewise(
        (a, b),
        # a - b is exact where a quotient near 1 would lose its distance from 1.
        (near, lambda a, b: a * log1p((a - b) / b)),
        (inside & ~near & ~far, lambda a, b: a * np.log(a / b)),
        (far, lambda a, b: a * (np.log(a) - np.log(b))),
        ((a == 0) & (b >= 0), lambda a, b: np.zeros_like(a)),
        ((a < 0) | (b < 0) | ((a > 0) & (b == 0)), lambda a, b: np.full_like(a, np.inf)),
    )


def xlogy(a: Any, b: Any) -> Any:
    """``a log(b)``, and 0 where a is 0 and b is a number."""
    return a * np.log(np.where((a == 0) & ~np.isnan(b), 1, b))


def xlog1py(a: Any, b: Any) -> Any:
    """``a log(1 + b)``, and 0 where a is 0 and b is a number."""
    b = np.where((a == 0) & ~np.isnan(b), 0, b)
    return piecewise(
        (a, b),
        (np.abs(b) < 0.5, lambda a, b: a * log1p(b)),
        (np.abs(b) >= 0.5, lambda a, b: a * np.log1p(b)),
    )


def log1p(x: Any) -> Any:
    """``log(1 + x)`` for finite ``x > -1``, by NumPy's ``log`` and what rounding ``1 + x`` lost."""
    w = 1 + x
    return np.log(w) + (x - (w - 1)) / w


# ---- parts


def laplace_fraction(x: Any, order: int) -> Any:
    """The continued fraction ``(m/2) / (x + ((m+1)/2) / (x + ...))`` with m = ``order``."""
    return piecewise(
        (x,), (x >= 1, lambda x: _fraction_far(x, order)), (x < 1, lambda x: _fraction_near(x, order))
    )


def _fraction_far(x: Any, order: int) -> Any:
    last = order + 100
    # The tail t at m = last, from t (x + t + dt/dm) = m / 2, with dt/dm as if the terms were constant.
    x_there = x + 0.5 / np.hypot(x, math.sqrt(2 * last))
    tail = 0.5 * (np.hypot(x_there, math.sqrt(2 * last)) - x_there)
    for m in range(last - 1, order - 1, -1):
        tail = 0.5 * m / (x + tail)
    return tail


def _fraction_near(x: Any, order: int) -> Any:
    y = 1 / (ROOT_PI * erfcx(x)) - x
    for m in range(1, order):
        y = 0.5 * m / y - x
    return y


def _polynomial(coefficients: tuple[float, ...], x: Any) -> Any:
    y = np.full_like(x, coefficients[0])
    for c in coefficients[1:]:
        y *= x
        y += c
    return y


def _mapped(x: Any, k: float) -> Any:
    # (x - k) / (x + k), in a form that is 1 and not NaN at infinity
    return 1 - 2 * k / (x + k)


def _exp_of_square(x: Any, sign: int, factor: float = 1.0) -> Any:
    """``exp(sign * factor * x**2)``, with the part of the square that rounding takes away."""
    square = x * x
    split = 134217729.0 * x
    high = split - (split - x)
    low = x - high
    lost = ((high * high - square) + 2 * high * low) + low * low
    y = np.exp(sign * factor * square)
    return y + y * (sign * factor * lost)
