"""Modified Bessel functions of the first kind, of whole orders."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..._primitive import elementwise
from ..elementwise import sign
from ._gamma_kernels import Array, choose, polynomial, run
from ._gamma_tables import I0E_MIDDLE, I0E_NEAR, I1E_MIDDLE, I1E_NEAR

NAMES = {(0, False): "i0", (1, False): "i1", (0, True): "i0e", (1, True): "i1e"}

# ---- card


@elementwise
def bessel_i(x: Any, /, *, order: int, scaled: bool) -> Any:
    """The modified Bessel function of an order from 0, for each element; ``scaled`` by ``exp(-abs(x))``."""
    name = NAMES.get((order, scaled), "bessel_i")
    return run(name, lambda x: _with_sign(x, order, scaled), x)


bessel_i.derivative(x=lambda x, y, order, scaled: _slope(x, y, order, scaled))


def _slope(x: Any, y: Any, order: int, scaled: bool) -> Any:
    """Half the sum of both neighbours: unlike quotients by ``x`` it is exact at 0."""
    above = bessel_i(x, order=order + 1, scaled=scaled)
    slope = (bessel_i(x, order=order - 1, scaled=scaled) + above) * 0.5 if order else above
    return slope - sign(x) * y if scaled else slope


# ---- names


def i0(x: Any, /) -> Any:
    """Modified Bessel function of order 0, for each element.

    Within 4 units in the last place. Derivatives of any order are exact at 0 too.

    Args:
        x: real numbers, in an array or tensor.

    Example:
        >>> import tensorgrad as tg
        >>> tg.i0(tg.tensor([0.0, 1.0]))
        tensor([1.       , 1.2660658])

    Source: DLMF 10.25.2 and 10.40.1.
    """
    return bessel_i(x, order=0, scaled=False)


def i1(x: Any, /) -> Any:
    """Modified Bessel function of order 1, for each element; the derivative of `i0`.

    Within 4 units in the last place.

    Example:
        >>> import tensorgrad as tg
        >>> tg.special.i1(tg.tensor([0.0, 1.0]))
        tensor([0.       , 0.5651591])
    """
    return bessel_i(x, order=1, scaled=False)


def i0e(x: Any, /) -> Any:
    """``exp(-abs(x)) * i0(x)`` without overflow, for each element; its slope at 0 is 0.

    Within 4 units in the last place.

    Example:
        >>> import tensorgrad as tg
        >>> tg.special.i0e(tg.tensor([0.0, 1000.0]))
        tensor([1.        , 0.01261724])
    """
    return bessel_i(x, order=0, scaled=True)


def i1e(x: Any, /) -> Any:
    """``exp(-abs(x)) * i1(x)`` without overflow, for each element.

    Within 4 units in the last place.

    Example:
        >>> import tensorgrad as tg
        >>> tg.special.i1e(tg.tensor([0.0, 1000.0]))
        tensor([0.        , 0.01261093])
    """
    return bessel_i(x, order=1, scaled=True)


# ---- kernels


def _with_sign(x: Array, order: int, scaled: bool) -> Array:
    z = np.abs(x)
    y = _scaled(z, order) if scaled else _plain(z, order)
    return np.where(x < 0, -y, y) if order % 2 else y


def _plain(z: Array, order: int) -> Array:
    return choose(
        [z],
        (z < 2, lambda z: _series(z, order)),
        (z < 700, lambda z: np.exp(z) * _scaled(z, order)),
        # In two halves: exp(z) overflows before the product does.
        (z < 800, lambda z: np.exp(z / 2) * _scaled(z, order) * np.exp(z / 2)),
        (z >= 800, lambda z: np.full(z.shape, np.inf)),
    )


def _scaled(z: Array, order: int) -> Array:
    near, middle = ((I0E_NEAR, I0E_MIDDLE), (I1E_NEAR, I1E_MIDDLE))[order % 2]
    fitted = order < 2
    return choose(
        [z],
        (np.isinf(z), np.zeros_like),
        (fitted & (z >= 2) & (z < 8), lambda z: polynomial(z - 5, near)),
        (fitted & (z >= 8) & (z < 32), lambda z: polynomial(1 / z - 5 / 64, middle) / np.sqrt(z)),
        (z > min(max(32, 2 * order**2), 600), lambda z: _far(z, order)),
        (z >= 0, lambda z: np.exp(-z) * _series(z, order)),
    )


def _far(z: Array, order: int) -> Array:
    """Hankel's expansion, DLMF 10.40.1."""
    terms = [np.ones(z.shape)]
    for k in range(1, 26):
        terms.append(terms[-1] * ((2 * k - 1) ** 2 - 4 * order**2) / (8 * k * z))
    total = sum(terms[:0:-1], np.zeros(z.shape))
    return (1 + total) / np.sqrt(2 * math.pi * z)


def _series(z: Array, order: int) -> Array:
    """The power series, DLMF 10.25.2, whose terms are all positive."""
    first = np.ones(z.shape)
    for k in range(1, order + 1):
        first = first * (z / (2 * k))
    term, rest = first, np.zeros(z.shape)
    k = 0
    while np.any(term > 1e-18 * (first + rest)):
        k += 1
        term = term * (z / (2 * k)) * (z / (2 * (k + order)))
        rest = rest + term
    return first + rest
