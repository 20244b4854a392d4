"""The beta function, its logarithm, and the differences of polygamma functions that are its slopes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..._primitive import elementwise
from ._gamma_kernels import Array, choose, pair_product, pair_quotient, run, two_sum
from ._gamma_tables import EULER_MACLAURIN, HALF_LOG_TWO_PI
from .gamma import gamma_kernel, gamma_pair, log_gamma, polygamma, polygamma_kernel, stirling

TERMS = 12
EULER = 0.5772156649015329

# ---- cards


@elementwise
def beta(a: Any, b: Any, /) -> Any:
    """The beta function ``gamma(a) * gamma(b) / gamma(a + b)``, for each pair of elements.

    Within 4 units in the last place for positive numbers with a sum below 130. Above, the relative error is
    about ``1e-16 * abs(betaln(a, b))``; below 0 it is that of the gamma functions.

    Args:
        a: real numbers, in an array or tensor.
        b: real numbers; broadcast with ``a``.

    Example:
        >>> import tensorgrad as tg
        >>> tg.special.beta(2.0, tg.tensor([3.0, 4.0]))
        tensor([0.08333334, 0.05      ])

    Source: DLMF 5.12.1.
    """
    return run("beta", beta_kernel, a, b)


@elementwise
def betaln(a: Any, b: Any, /) -> Any:
    """Logarithm of the absolute value of `beta`, for each pair of elements, without cancellation.

    For positive numbers the error is below 1e-15 times the sum of 1 and the value.

    Args:
        a: real numbers, in an array or tensor.
        b: real numbers; broadcast with ``a``.

    Example:
        >>> import tensorgrad as tg
        >>> tg.special.betaln(tg.tensor([2.0, 1e10]), 1.0)
        tensor([ -0.6931472, -23.02585  ])

    Source: Stirling's series for the larger argument, as in A. R. DiDonato and A. H. Morris, Algorithm 708,
        ACM Transactions on Mathematical Software 18 (1992).
    """
    return run("betaln", log_beta_kernel, a, b)


@elementwise
def polygamma_rise(a: Any, b: Any, /, *, order: int) -> Any:
    """``polygamma(order, a + b) - polygamma(order, a)`` for each pair, with all digits if ``b`` is small."""
    return run("polygamma_rise", lambda a, b: rise_kernel(a, b, order), a, b)


beta.derivative(
    a=lambda a, b, y: -y * polygamma_rise(a, b, order=0),
    b=lambda a, b, y: -y * polygamma_rise(b, a, order=0),
)
betaln.derivative(
    a=lambda a, b: -polygamma_rise(a, b, order=0),
    b=lambda a, b: -polygamma_rise(b, a, order=0),
)
polygamma_rise.derivative(
    a=lambda a, b, order: polygamma_rise(a, b, order=order + 1),
    b=lambda a, b, order: polygamma(order + 1, a + b),
)


# ---- kernels


def log_beta_kernel(a: Array, b: Array) -> Array:
    """`betaln` of rows of float64."""
    positive = (a > 0) & (b > 0)
    return choose(
        [np.where(positive, np.minimum(a, b), a), np.where(positive, np.maximum(a, b), b)],
        (positive & np.isinf(np.maximum(a, b)), lambda a, b: np.full(a.shape, -np.inf)),
        (positive & (np.minimum(a, b) < 1e-16), lambda a, b: np.log(beta_kernel(a, b))),
        (positive & (a + b < 130), lambda a, b: np.log(_beta_near(a, b))),
        (positive & (np.minimum(a, b) >= 10), _log_beta_far),
        (positive, lambda a, b: log_gamma(a) - _log_gamma_rise(b, a)),
        (a == a, lambda a, b: (log_gamma(a) + log_gamma(b)) - log_gamma(a + b)),
    )


def _log_gamma_rise(x: Array, step: Array) -> Array:
    """``lgamma(x + step) - lgamma(x)`` for ``x`` of 10 and more."""
    corrections = stirling(x + step) - stirling(x)
    whole = (x + (step - 0.5)) * np.log1p(step / x) - step
    return whole + step * np.log(x) + corrections


def log_beta_correction(a: Array, b: Array) -> Array:
    """What Stirling's series add to the logarithm of beta, for 10 and more."""
    return stirling(a) + stirling(b) - stirling(a + b)


def _log_beta_far(a: Array, b: Array) -> Array:
    exponents = (a - 0.5) * np.log1p(b / a) + b * np.log1p(a / b)
    return HALF_LOG_TWO_PI[0] + log_beta_correction(a, b) - 0.5 * np.log(b) - exponents


def beta_kernel(a: Array, b: Array) -> Array:
    """`beta` of rows of float64."""
    low, high = np.minimum(a, b), np.maximum(a, b)
    return choose(
        [low, high],
        ((low > 0) & (low < 1e-16), lambda a, b: 1 / a - (polygamma_kernel(np.zeros(b.shape), b) + EULER)),
        ((low > 0) & (low + high < 130), _beta_near),
        (low > 0, lambda a, b: np.exp(log_beta_kernel(a, b))),
        (low < 0, lambda a, b: gamma_kernel(a) / gamma_kernel(a + b) * gamma_kernel(b)),
        (low == 0, lambda a, b: 1 / a + np.where(b == 0, 1 / b, 0)),
    )


def _beta_near(a: Array, b: Array) -> Array:
    total, lost = two_sum(a, b)
    bottom = gamma_pair(total)
    # What the sum loses to rounding counts: for 100, gamma changes 460 times as fast as its argument.
    slope = polygamma_kernel(np.zeros(a.shape), total)
    bottom = two_sum(bottom[0], bottom[1] + bottom[0] * lost * slope)
    high, low = pair_quotient(pair_product(gamma_pair(a), gamma_pair(b)), bottom)
    return high + low


def rise_kernel(a: Array, b: Array, order: int) -> Array:
    """`polygamma_rise` of rows of float64."""
    n = np.full(a.shape, float(order))
    return choose(
        [a, b, n],
        ((a > 0) & (a + b > 0) & np.isfinite(a + b), lambda a, b, n: _rise_positive(a, b, order)),
        (a == a, lambda a, b, n: polygamma_kernel(n, a + b) - polygamma_kernel(n, a)),
    )


def _rise_positive(a: Array, b: Array, order: int) -> Array:
    """Euler and Maclaurin's formula for the sum of the differences of powers."""
    s = order + 1
    far = a + TERMS

    def fall(a: Array, power: int) -> Array:
        """``a ** -power - (a + b) ** -power``."""
        return -np.expm1(-power * np.log1p(b / a)) * a**-power

    total = np.log1p(b / far) if s == 1 else fall(far, s - 1) / (s - 1)
    total = total + 0.5 * fall(far, s)
    factor = s
    for j, weight in enumerate(EULER_MACLAURIN[:10]):
        total += weight * factor * fall(far, s + 2 * j + 1)
        factor *= (s + 2 * j + 1) * (s + 2 * j + 2)
    for k in range(TERMS - 1, -1, -1):
        total += fall(a + k, s)
    return (-1) ** order * math.factorial(order) * total
