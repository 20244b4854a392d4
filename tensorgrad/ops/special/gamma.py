"""The gamma function, its logarithm, and the derivatives of that."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..._errors import DtypeError
from ..._primitive import elementwise
from ..dtype import cast
from ..elementwise import where
from ..shape import lifted
from ._gamma_kernels import (
    Array,
    Pair,
    choose,
    pair_product,
    pair_quotient,
    polynomial,
    run,
    sin_pi,
    tan_pi,
    two_product,
    two_sum,
)
from ._gamma_tables import (
    DIGAMMA_AT_2,
    DIGAMMA_AT_5,
    DIGAMMA_FAR,
    DIGAMMA_ZERO,
    GAMMA_5_HALVES,
    GAMMA_AT_5_HALVES,
    HALF_LOG_TWO_PI,
    LGAMMA_AT_1,
    LGAMMA_AT_2,
    PI,
    ROOT_TWO_PI,
    STIRLING,
)
from .zeta import hurwitz, powers

NEAR = 24  # up to here products of pairs, of which all factorials are exact that a double can hold
LARGEST = 171.62437695630272  # beyond it the result overflows
FACTORIALS = np.array([*[float(math.factorial(n)) for n in range(171)], math.inf])

# ---- cards


@elementwise
def lgamma(x: Any, /) -> Any:
    """Logarithm of the absolute value of the gamma function, for each element.

    Within 4 units in the last place for ``x > -2``, next to the zeros at 1 and 2 too. Below, where zeros lie
    between any two poles, within 4 such units of ``lgamma(-x) + 4``. It is +inf at 0, -1, -2, ...

    Args:
        x: real numbers, in an array or tensor.

    Example:
        >>> import tensorgrad as tg
        >>> tg.special.lgamma(tg.tensor([1.0, 5.0]))
        tensor([0.       , 3.1780539])

    Source: Stirling's series, DLMF 5.11.1, and reflection, 5.5.3.
    """
    return run("lgamma", log_gamma, x)


@elementwise
def gamma(x: Any, /) -> Any:
    """The gamma function of each element: the factorial of ``x - 1`` for whole numbers above 0.

    Within 4 units in the last place. It is NaN at -1, -2, ..., and infinite at 0, with the sign of the zero.

    Args:
        x: real numbers, in an array or tensor.

    Example:
        >>> import tensorgrad as tg
        >>> tg.special.gamma(tg.tensor([0.5, 5.0]))
        tensor([ 1.7724539, 24.       ])

    Source: Stirling's series, DLMF 5.11.3, and reflection, 5.5.3.
    """
    return run("gamma", gamma_kernel, x)


@elementwise
def digamma(x: Any, /) -> Any:
    """The derivative of `lgamma`, for each element.

    Within 4 units in the last place for ``x > 0``, next to the zero at 1.4616... too. Below, where a zero lies
    between any two poles, within 4 such units of ``abs(digamma(-x)) + abs(pi / tan(pi * x))``. It is NaN at
    -1, -2, ..., and infinite at 0, with the sign opposite to that of the zero.

    Args:
        x: real numbers, in an array or tensor.

    Example:
        >>> import tensorgrad as tg
        >>> tg.special.digamma(tg.tensor([1.0, 2.0]))
        tensor([-0.5772157 ,  0.42278433])

    Source: DLMF 5.11.2 for large ``x``, and reflection, 5.5.4.
    """
    return run("digamma", _digamma, x)


@elementwise
def _polygamma(n: Any, x: Any, /) -> Any:
    """`polygamma` for integers ``n``."""
    if not np.all((n >= 0) & (n <= 1000)):
        raise DtypeError("polygamma: n is the order of a derivative; whole numbers from 0 to 1000 are needed")
    # Orders are often int64, and would make float64 of float32.
    x = np.asarray(x)
    return run("polygamma", polygamma_kernel, n.astype(x.dtype) if x.dtype.kind == "f" else n, x)


lgamma.derivative(x=lambda x: digamma(x))
gamma.derivative(x=lambda x, y: y * digamma(x))
digamma.derivative(x=lambda x: polygamma(1, x))
_polygamma.derivative(x=lambda n, x: _polygamma(n + 1, x))


# ---- other names, and what is made of these


def polygamma(n: Any, x: Any, /) -> Any:
    """The derivative of order ``n`` of `digamma`, for each element.

    Within 4 units in the last place for ``x > 0``, whatever ``n``. At 0, -1, -2, ... it is +inf for odd ``n``;
    for even ones it is NaN there, and infinite at 0.

    Args:
        n: whole numbers from 0 to 1000, as an integer or an array of integers.
        x: real numbers, in an array or tensor; broadcast with ``n``.

    Raises:
        DtypeError: ``n`` is not of integers, negative or above 1000.

    Example:
        >>> import tensorgrad as tg
        >>> tg.special.polygamma(1, tg.tensor([1.0, 2.0]))
        tensor([1.644934  , 0.64493406])

    Source: DLMF 5.15.2 and 25.11.12, by Hurwitz's zeta function.
    """
    n = n if hasattr(n, "dtype") else np.asarray(n)
    if n.dtype.kind not in "iu":
        # A number that is whole but floating would look as if there were a derivative in it.
        raise DtypeError(f"polygamma: n is of {n.dtype}; integers from 0 to 1000 are needed")
    return _polygamma(n, x)


def multigammaln(x: Any, /, p: int) -> Any:
    """Logarithm of the gamma function of ``p`` dimensions, for each element.

    Args:
        x: real numbers above ``(p - 1) / 2``, in an array or tensor; NaN below.
        p: the number of dimensions, 1 or more.

    Raises:
        DtypeError: ``p`` is not a whole number from 1.

    Example:
        >>> import tensorgrad as tg
        >>> tg.special.multigammaln(tg.tensor([2.0, 3.0]), 2)
        tensor([0.45158267, 1.550195  ])

    Source: DLMF 35.3.4.
    """
    if not isinstance(p, int) or isinstance(p, bool) or p < 1:
        raise DtypeError(f"multigammaln: p is {p!r}; the number of dimensions is a whole number from 1")
    x = lifted("multigammaln", x)
    y = lgamma(x)
    for j in range(1, p):
        y = y + (lgamma(x - j / 2) + j / 2 * math.log(math.pi))
    return y * cast(where(x > (p - 1) / 2, 1.0, math.nan), y.dtype)


gammaln = lgamma
psi = digamma


# ---- kernels


def log_gamma(x: Array) -> Array:
    """`lgamma` of a row of float64."""
    return choose(
        [x],
        (x >= 8, _log_gamma_far),
        (x > 2.5, _log_gamma_shifted),
        (x > 1.5, lambda x: (x - 2) * polynomial(x - 2, LGAMMA_AT_2)),
        (x > 0.5, lambda x: (1 - x) * -polynomial(x - 1, LGAMMA_AT_1)),
        (x > -0.5, lambda x: x * polynomial(x, LGAMMA_AT_1) - np.log(np.abs(x))),
        (x == np.floor(x), lambda x: np.full(x.shape, np.inf)),
        (x > -2, lambda x: np.log(np.abs(gamma_kernel(x)))),
        (x < 0, _log_gamma_reflected),
    )


def stirling(x: Array) -> Array:
    """`lgamma` without ``(x - 1/2) log(x) - x + log(2 pi) / 2``; for 8 and more."""
    inverse = 1 / x
    return inverse * polynomial(inverse * inverse, STIRLING)


def _log_gamma_far(x: Array) -> Array:
    rest = (HALF_LOG_TWO_PI[0] - 0.5) + stirling(x)
    return np.where(np.isinf(x), x, (x - 0.5) * (np.log(x) - 1) + rest)


def _log_gamma_shifted(x: Array) -> Array:
    low, product = x.copy(), np.ones(x.shape)
    for _ in range(6):
        down = low > 2.5
        low[down] -= 1
        product[down] *= low[down]
    return np.log(product) + (low - 2) * polynomial(low - 2, LGAMMA_AT_2)


def _log_gamma_reflected(x: Array) -> Array:
    s = sin_pi(x)[0]
    return -np.log(np.abs(x * s) / math.pi) - log_gamma(-x)


def gamma_kernel(x: Array) -> Array:
    """`gamma` of a row of float64."""
    return choose(
        [x],
        (x > LARGEST, lambda x: np.full(x.shape, np.inf)),
        (np.abs(x) < 1e-17, lambda x: 1 / x),
        (x > 0, lambda x: _rounded(gamma_pair(x))),
        (x == np.floor(x), lambda x: np.full(x.shape, np.nan)),
        (x < -184, lambda x: np.where(np.floor(x) % 2 == 0, 0.0, -0.0)),
        (x < 0, _gamma_reflected),
    )


def gamma_pair(x: Array) -> Pair:
    """`gamma` of a row of float64 from 1e-17 to `LARGEST` as a pair, of which the last 50 bits or so are wrong."""
    high, low = np.empty(x.shape), np.empty(x.shape)
    for mask, f in ((x < NEAR, _gamma_near), (x >= NEAR, _gamma_far)):
        places = np.flatnonzero(mask)
        if places.size:
            high[places], low[places] = f(x[places])
    return high, low


def _gamma_near(x: Array) -> Pair:
    below = x < 2
    steps = np.where(below, 2 - np.floor(x), 0)
    # x + n - 5/2 is rounded; what that changes goes into the low part.
    moved, lost = two_sum(x, steps)
    product: Pair = (np.ones(x.shape), np.zeros(x.shape))
    factor = x.copy()
    for k in range(2):
        product = _times(product, below & (k < steps), *two_sum(x, np.full(x.shape, float(k))))
    while np.any(moved >= 3):
        factor = np.where((factor >= 3) & ~below, factor - 1, factor)
        product = _times(product, ~below & (moved >= 3), factor, np.zeros(x.shape))
        moved = np.where((moved >= 3) & ~below, moved - 1, moved)
    u = (moved - 2.5) + lost
    value = two_sum(np.full(x.shape, GAMMA_5_HALVES[0]), u * polynomial(u, GAMMA_AT_5_HALVES[1:]))
    value = (value[0], value[1] + GAMMA_5_HALVES[1])
    up, down = pair_product(value, product), pair_quotient(value, product)
    return np.where(below, down[0], up[0]), np.where(below, down[1], up[1])


def _times(product: Pair, mask: Array, high: Array, low: Array) -> Pair:
    more = pair_product(product, (high, low))
    return np.where(mask, more[0], product[0]), np.where(mask, more[1], product[1])


def _gamma_far(x: Array) -> Pair:
    # In two halves above 130: there the power alone overflows before the result does.
    large = x > 130
    exponent = np.where(large, 2.0, 1.0)
    part = two_product(np.power(x, (x - 0.5) / exponent), np.exp(-x / exponent))
    constant = np.full(x.shape, ROOT_TWO_PI[0]), np.full(x.shape, ROOT_TWO_PI[1])
    whole = pair_product(part, constant)
    whole = _times(whole, large, *part)
    return two_sum(whole[0], whole[1] + whole[0] * np.expm1(stirling(x)))


def _gamma_reflected(x: Array) -> Array:
    # gamma(-x) overflows long before 1 / gamma(-x) underflows, so for large -x it stays in factors.
    far = x < -150
    y = np.where(far, -x - 20, -x)
    numerator = (np.full(x.shape, PI[0]), np.full(x.shape, PI[1]))
    factors = pair_product(sin_pi(x), (-x, np.zeros(x.shape)))
    for k in range(20):
        factors = _times(factors, far, y + k, np.zeros(x.shape))
    return _rounded(pair_quotient(pair_quotient(numerator, gamma_pair(y)), factors))


def _rounded(pair: Pair) -> Array:
    return pair[0] + np.where(np.isfinite(pair[0]), pair[1], 0)


def _digamma(x: Array) -> Array:
    return choose(
        [x],
        (x >= 7, _digamma_far),
        (x > 3, lambda x: polynomial(x - 5, DIGAMMA_AT_5)),
        (x >= 1, _digamma_at_zero),
        (x == 0, lambda x: -1 / x),
        (x > 0, lambda x: _digamma_at_zero(x + 1) - 1 / x),
        (x == np.floor(x), lambda x: np.full(x.shape, np.nan)),
        (x < 0, lambda x: (_digamma(-x) - 1 / x) - math.pi / tan_pi(x)),
    )


def _digamma_far(x: Array) -> Array:
    inverse = 1 / x
    square = inverse * inverse
    return np.log(x) - (0.5 * inverse + square * polynomial(square, DIGAMMA_FAR))


def _digamma_at_zero(x: Array) -> Array:
    return ((x - DIGAMMA_ZERO[0]) - DIGAMMA_ZERO[1]) * polynomial(x - 2, DIGAMMA_AT_2)


def polygamma_kernel(n: Array, x: Array) -> Array:
    """`polygamma` of rows of float64."""
    return choose(
        [n, x],
        (n == 0, lambda n, x: _digamma(x)),
        ((x > 0) & np.isfinite(x), _polygamma_positive),
        (n > 0, _polygamma_negative),
    )


def _polygamma_positive(n: Array, x: Array) -> Array:
    # The factorial overflows where powers of x underflow, so the powers of 2 in both are kept apart.
    orders, places = np.unique(n, return_inverse=True)
    factorials = [math.factorial(int(one)) for one in orders]
    bits = [one.bit_length() for one in factorials]
    leading = np.array([one / (1 << b) for one, b in zip(factorials, bits, strict=True)])
    exponent = np.frexp(x)[1] - 1
    scaled = np.where(n % 2 == 1, 1.0, -1.0) * leading[places] * powers(n + 1, x, np.ldexp(1.0, exponent))
    return np.ldexp(scaled, np.array(bits)[places] - exponent * (n + 1).astype(int))


def _polygamma_negative(n: Array, x: Array) -> Array:
    factor = FACTORIALS[np.minimum(n, 171).astype(int)]
    return np.where(n % 2 == 1, factor, -factor) * hurwitz(n + 1, x)
