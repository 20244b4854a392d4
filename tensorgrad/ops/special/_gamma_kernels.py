"""How the kernels of this family run: in float64, on rows of numbers, piece by piece; and sums of two doubles.

A *pair* is an unevaluated sum ``high + low`` of two doubles, with about twice their digits.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..._errors import DtypeError
from ._gamma_tables import PI

Array = Any
Pair = tuple[Array, Array]


def run(op: str, kernel: Callable[..., Array], *xs: Any) -> Array:
    """Broadcast, compute in float64 whatever the dtype, and round once to that of the result.

    The kernel gets one-dimensional arrays. It may overflow on the way, so nothing is reported.
    """
    # Python's numbers take the dtype of the others.
    least = np.float16 if any(hasattr(x, "dtype") for x in xs) else np.float64
    numbers, xs = xs, tuple([np.asarray(x) for x in xs])
    if bad := [x.dtype for x in xs if x.dtype.kind not in "biuf"]:
        raise DtypeError(f"{op}: cannot be applied to {bad[0]}; real numbers are needed")
    dtype = np.result_type(*numbers, least)
    wide = np.broadcast_arrays(*[x.astype(np.float64) for x in xs])
    with np.errstate(all="ignore"):
        y = kernel(*[x.ravel() for x in wide])
        return y.reshape(wide[0].shape).astype(dtype)


def choose(xs: Sequence[Array], *pieces: tuple[Array, Callable[..., Array]]) -> Array:
    """Apply to each element the function of the first mask that holds; NaN where none does."""
    y = np.full(xs[0].shape, np.nan)
    free = np.ones(xs[0].shape, bool)
    for mask, f in pieces:
        places = np.flatnonzero(mask & free)
        if places.size:
            y[places] = f(*[x[places] for x in xs])
            free[places] = False
    return y


def polynomial(u: Array, coefficients: Sequence[float]) -> Array:
    """Horner's rule; the coefficients come lowest first."""
    y = np.full(u.shape, coefficients[-1])
    for c in coefficients[-2::-1]:
        y *= u
        y += c
    return y


def two_sum(a: Array, b: Array) -> Pair:
    """``a + b`` as a pair, exactly.

    Source: D. E. Knuth, The Art of Computer Programming, volume 2, section 4.2.2, theorem B.
    """
    s = a + b
    t = s - a
    return s, (a - (s - t)) + (b - t)


def two_product(a: Array, b: Array) -> Pair:
    """``a * b`` as a pair, exactly if nothing overflows.

    Source: T. J. Dekker, A floating-point technique for extending the available precision (1971).
    """
    p = a * b
    a_high, b_high = _upper_half(a), _upper_half(b)
    a_low, b_low = a - a_high, b - b_high
    return p, ((a_high * b_high - p) + a_high * b_low + a_low * b_high) + a_low * b_low


def pair_product(x: Pair, y: Pair) -> Pair:
    """The product of two pairs, to nearly all of their digits."""
    high, low = two_product(x[0], y[0])
    return two_sum(high, low + (x[0] * y[1] + x[1] * y[0]))


def pair_quotient(x: Pair, y: Pair) -> Pair:
    """The quotient of two pairs, to nearly all of their digits."""
    q = x[0] / y[0]
    high, low = two_product(q, y[0])
    return two_sum(q, (((x[0] - high) - low) + x[1] - q * y[1]) / y[0])


def sin_pi(x: Array) -> Pair:
    """``sin(pi x)`` as a pair, with the digits of about one and a half doubles; exactly 0 at whole numbers."""
    r = x - 2 * np.round(x / 2)
    r = np.where(r > 0.5, 1 - r, np.where(r < -0.5, -1 - r, r))
    high, low = two_product(r, np.full(r.shape, PI[0]))
    low = low + r * PI[1]
    return two_sum(np.sin(high), low * np.cos(high))


def tan_pi(x: Array) -> Array:
    """``tan(pi x)``."""
    r = x - np.round(x)
    high, low = two_product(r, np.full(r.shape, PI[0]))
    t = np.tan(high)
    return t + (low + r * PI[1]) * (1 + t * t)


def _upper_half(a: Array) -> Array:
    scaled = a * 134217729.0  # 2**27 + 1
    return scaled - (scaled - a)
