"""The incomplete gamma and beta functions, regularised: distributions of the gamma and the beta law.

Their derivatives in the parameters come from the series and continued fractions, term by term (`_jets`).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..._primitive import elementwise
from ._gamma_kernels import Array, choose, run, two_sum
from ._jets import Jet, Place, until_settled, variable
from .beta import beta_kernel, log_beta_correction, log_beta_kernel, rise_kernel
from .gamma import gamma_kernel, polygamma_kernel, stirling

STEPS = 100_000

# ---- cards


@elementwise
def gammainc_slope(a: Any, x: Any, /, *, order: int, upper: bool) -> Any:
    """The derivative in ``a`` of an order from 0 of `gammainc`, or of `gammaincc` for ``upper``."""
    name = "gammaincc" if upper else "gammainc"
    return run(name, lambda a, x: _gamma_share(a, x, order, upper), a, x)


@elementwise
def gamma_density(a: Any, x: Any, /, *, order: int) -> Any:
    """The derivative in ``a`` of an order from 0 of ``x**(a - 1) exp(-x) / gamma(a)``, the slope of `gammainc`."""
    return run("gamma_density", lambda a, x: _gamma_density(a, x, order), a, x)


@elementwise
def betainc_slope(a: Any, b: Any, x: Any, /, *, orders: Place) -> Any:
    """The derivative in ``a`` and ``b``, of two orders from 0, of `betainc`."""
    return run("betainc", lambda a, b, x: _beta_share(a, b, x, orders), a, b, x)


@elementwise
def beta_density(a: Any, b: Any, x: Any, /, *, orders: Place) -> Any:
    """The derivative in ``a`` and ``b`` of ``x**(a - 1) (1 - x)**(b - 1) / beta(a, b)``."""
    return run("beta_density", lambda a, b, x: _beta_density(a, b, x, orders), a, b, x)


gammainc_slope.derivative(
    a=lambda a, x, order, upper: gammainc_slope(a, x, order=order + 1, upper=upper),
    x=lambda a, x, order, upper: gamma_density(a, x, order=order) * (-1 if upper else 1),
)
gamma_density.derivative(
    a=lambda a, x, order: gamma_density(a, x, order=order + 1),
    x=lambda a, x, y, order: _times_less_1(gamma_density, (a, x), y, a, (order,), 0) / x - y,
)
betainc_slope.derivative(
    a=lambda a, b, x, orders: betainc_slope(a, b, x, orders=(orders[0] + 1, orders[1])),
    b=lambda a, b, x, orders: betainc_slope(a, b, x, orders=(orders[0], orders[1] + 1)),
    x=lambda a, b, x, orders: beta_density(a, b, x, orders=orders),
)
beta_density.derivative(
    a=lambda a, b, x, orders: beta_density(a, b, x, orders=(orders[0] + 1, orders[1])),
    b=lambda a, b, x, orders: beta_density(a, b, x, orders=(orders[0], orders[1] + 1)),
    x=lambda a, b, x, y, orders: (
        _times_less_1(beta_density, (a, b, x), y, a, orders, 0) / x
        - _times_less_1(beta_density, (a, b, x), y, b, orders, 1) / (1 - x)
    ),
)


def _times_less_1(op: Any, args: Any, y: Any, a: Any, orders: tuple[int, ...], which: int) -> Any:
    """The derivatives of ``(a - 1)`` times a density, by Leibniz's rule."""
    k = orders[which]
    if not k:
        return (a - 1) * y
    fewer = tuple([n - (i == which) for i, n in enumerate(orders)])
    lower = op(*args, order=fewer[0]) if len(fewer) == 1 else op(*args, orders=fewer)
    return (a - 1) * y + k * lower


# ---- names


def gammainc(a: Any, x: Any, /) -> Any:
    """The lower incomplete gamma function, regularised: from 0 at ``x = 0`` to 1 at infinity.

    For ``a`` up to 1000 the relative error is below 1e-14, or 1e-15 times the logarithm of the result where that is
    larger. The number of steps grows with the square root of
    ``a``; above about 1e8, next to ``x = a``, the result is NaN. It has derivatives of any order in both arguments.

    Args:
        a: numbers from 0, in an array or tensor.
        x: numbers from 0; broadcast with ``a``. Below 0 either gives NaN.

    Example:
        >>> import tensorgrad as tg
        >>> tg.special.gammainc(2.0, tg.tensor([1.0, 3.0]))
        tensor([0.26424113, 0.8008517 ])

    Source: DLMF 8.11.4, and the continued fraction 8.9.2 for large ``x``.
    """
    return gammainc_slope(a, x, order=0, upper=False)


def gammaincc(a: Any, x: Any, /) -> Any:
    """The upper incomplete gamma function, regularised: ``1 - gammainc(a, x)``, with all digits for large ``x``.

    Above ``a + 1`` the relative error is below 5e-14 while the result is above 1e-10; below ``a + 1`` the absolute
    error is about 1e-15.

    Args:
        a: numbers from 0, in an array or tensor.
        x: numbers from 0; broadcast with ``a``. Below 0 either gives NaN.

    Example:
        >>> import tensorgrad as tg
        >>> tg.special.gammaincc(2.0, tg.tensor([1.0, 30.0]))
        tensor([7.3575890e-01, 2.9008631e-12])
    """
    return gammainc_slope(a, x, order=0, upper=True)


def betainc(a: Any, b: Any, x: Any, /) -> Any:
    """The incomplete beta function, regularised: from 0 at ``x = 0`` to 1 at ``x = 1``.

    For ``a`` and ``b`` up to 1000 the error is below 5e-13: relative for ``x`` below ``(a + 1) / (a + b + 2)``,
    and absolute above. It has derivatives of any order in all arguments.

    Args:
        a: numbers above 0, in an array or tensor.
        b: numbers above 0.
        x: numbers from 0 to 1; all broadcast together. Outside the result is NaN.

    Example:
        >>> import tensorgrad as tg
        >>> tg.special.betainc(2.0, 3.0, tg.tensor([0.0, 0.5, 1.0]))
        tensor([0.    , 0.6875, 1.    ])

    Source: the continued fraction DLMF 8.17.22.
    """
    return betainc_slope(a, b, x, orders=(0, 0))


# ---- gamma


def _gamma_share(a: Array, x: Array, order: int, upper: bool) -> Array:
    top = (order, 0)
    first, last = (1.0, 0.0) if upper else (0.0, 1.0)
    if order:
        first = last = 0.0

    def near(a: Array, x: Array) -> Array:
        lower = _gamma_series(a, x, top)
        return (1 - lower.last() if not order else -lower.last()) if upper else lower.last()

    def far(a: Array, x: Array) -> Array:
        rest = _gamma_fraction(a, x, top)
        return rest.last() if upper else 1 - rest.last() if not order else -rest.last()

    return choose(
        [a, x],
        ((a < 0) | (x < 0) | np.isnan(a + x), lambda a, x: np.full(a.shape, np.nan)),
        (np.isinf(a) & np.isinf(x), lambda a, x: np.full(a.shape, np.nan)),
        (np.isinf(x), lambda a, x: np.full(a.shape, last)),
        (np.isinf(a), lambda a, x: np.full(a.shape, first)),
        ((a == 0) & (x == 0), lambda a, x: np.full(a.shape, np.nan)),
        ((a == 0) & (order == 0), lambda a, x: np.full(a.shape, last)),
        (a == 0, lambda a, x: np.full(a.shape, np.nan)),
        (x == 0, lambda a, x: np.full(a.shape, first)),
        (x < a + 1, near),
        (x >= a + 1, far),
    )


def _gamma_series(a: Array, x: Array, top: Place) -> Jet:
    variable_a = variable(top, a, 0)
    one = Jet(top, {(0, 0): np.ones(a.shape)})

    def step(n: int, state: Any) -> Any:
        total, term = state
        term = term * x / (variable_a + n)
        return total + term, term

    return _gamma_front(a, x, top) / variable_a * until_settled(step, (one, one), STEPS)


def _gamma_fraction(a: Array, x: Array, top: Place) -> Jet:
    """By W. J. Lentz's way to evaluate a continued fraction (Applied Optics 15, 1976), from the front."""
    variable_a = variable(top, a, 0)
    one = Jet(top, {(0, 0): np.ones(a.shape)})
    bottom = one * (x + 1) - variable_a
    start = one / bottom

    def step(n: int, state: Any) -> Any:
        total, c, d = state
        above, below = (variable_a - n) * float(n), bottom + 2.0 * n
        c, d = below + above / c if n > 1 else below, one / (above * d + below)
        return total * (c * d), c, d

    return _gamma_front(a, x, top) * until_settled(step, (start, bottom, start), STEPS)


def _gamma_front(a: Array, x: Array, top: Place) -> Jet:
    """``x**a exp(-x) / gamma(a)`` as a jet in ``a``."""
    value = choose([a, x], (a >= 10, _gamma_front_far), (a > 0, _gamma_front_near))
    logs: dict[Place, Array] = {}
    for k in range(1, top[0] + 1):
        logs[k, 0] = -polygamma_kernel(np.full(a.shape, k - 1.0), a) / math.factorial(k)
    if top[0]:
        logs[1, 0] = logs[1, 0] + np.log(x)
    return Jet(top, logs).grown(value)


def _gamma_front_near(a: Array, x: Array) -> Array:
    return np.where(x > 900, 0, np.power(x, a) * np.exp(-x) / gamma_kernel(a))


def _gamma_front_far(a: Array, x: Array) -> Array:
    return np.exp(-a * excess((x - a) / a) - stirling(a)) * np.sqrt(a / (2 * math.pi))


def excess(u: Array) -> Array:
    """``u - log(1 + u)``, with all digits near 0."""
    near = np.abs(u) < 0.6
    v = np.where(near, u, 0)
    r = v / (2 + v)
    square, series = r * r, np.zeros(u.shape)
    for k in range(41, 1, -2):
        series = series * square + 1 / k
    return np.where(near, r * (v - 2 * square * series), u - np.log1p(u))


def _gamma_density(a: Array, x: Array, order: int) -> Array:
    edge = choose(
        [a], (a > 1, np.zeros_like), (a == 1, np.ones_like), (a >= 0, lambda a: np.full(a.shape, np.inf))
    )
    return choose(
        [a, x, edge],
        ((x == 0) & (order == 0), lambda a, x, edge: edge),
        ((x == 0) & (a > 1), lambda a, x, edge: np.zeros(a.shape)),
        (np.isposinf(x) & (a > 0), lambda a, x, edge: np.zeros(a.shape)),
        ((x > 0) & (a > 0), lambda a, x, edge: _gamma_front(a, x, (order, 0)).last() / x),
    )


# ---- beta


def _beta_share(a: Array, b: Array, x: Array, orders: Place) -> Array:
    constant = orders == (0, 0)

    def swapped(a: Array, b: Array, x: Array) -> Array:
        rest = _beta_fraction(b, a, 1 - x, x, orders[::-1]).last()
        return 1 - rest if constant else -rest

    return choose(
        [a, b, x],
        (~((a > 0) & (b > 0) & np.isfinite(a + b)), lambda a, b, x: np.full(a.shape, np.nan)),
        (x == 0, lambda a, b, x: np.zeros(a.shape)),
        (x == 1, lambda a, b, x: np.full(a.shape, 1.0 if constant else 0.0)),
        ((x > 0) & (x * (a + b + 2) < a + 1), lambda a, b, x: _beta_fraction(a, b, x, 1 - x, orders).last()),
        ((x > 0) & (x < 1), swapped),
    )


def _beta_fraction(a: Array, b: Array, x: Array, y: Array, top: Place) -> Jet:
    """`betainc` by its continued fraction, for ``x`` below the mean; ``y`` is ``1 - x``."""
    va, vb = variable(top, a, 0), variable(top, b, 1)
    one = Jet(top, {(0, 0): np.ones(a.shape)})
    start = one / (one - (va + vb) * x / (va + 1.0))

    def step(m: int, state: Any) -> Any:
        total, c, d = state
        even = (vb - m) * (m * x) / ((va + (2.0 * m - 1)) * (va + 2.0 * m))
        odd = (va + m) * (va + vb + m) * -x / ((va + 2.0 * m) * (va + (2.0 * m + 1)))
        for part in (even, odd):
            c, d = part / c + 1.0, one / (part * d + 1.0)
            total = total * (c * d)
        return total, c, d

    return _beta_front(a, b, x, y, top) / va * until_settled(step, (start, one, start), STEPS)


def _beta_front(a: Array, b: Array, x: Array, y: Array, top: Place) -> Jet:
    """``x**a y**b / beta(a, b)`` as a jet in ``a`` and ``b``."""
    both = np.minimum(a, b) >= 10
    value = choose(
        [a, b, x, y], (a + b < 130, _beta_front_near), (both, _beta_front_far), (a > 0, _beta_front_mixed)
    )
    logs: dict[Place, Array] = {}
    for i in range(top[0] + 1):
        for j in range(top[1] + 1):
            if i and j:
                slope = polygamma_kernel(np.full(a.shape, i + j - 1.0), a + b)
            elif i:
                slope = rise_kernel(a, b, i - 1) + (_log_of_share(x, y) if i == 1 else 0)
            elif j:
                slope = rise_kernel(b, a, j - 1) + (_log_of_share(y, x) if j == 1 else 0)
            else:
                continue
            logs[i, j] = slope / (math.factorial(i) * math.factorial(j))
    return Jet(top, logs).grown(value)


def _log_of_share(x: Array, y: Array) -> Array:
    """``log(x)`` where the larger of ``x`` and ``y = 1 - x`` has been rounded."""
    return np.where(x < 0.5, np.log(x), np.log1p(-y))


def _beta_front_near(a: Array, b: Array, x: Array, y: Array) -> Array:
    return _power_beside(x, y, a) * _power_beside(y, x, b) / beta_kernel(a, b)


def _power_beside(x: Array, y: Array, a: Array) -> Array:
    """``x ** a`` where the larger of ``x`` and ``y = 1 - x`` has been rounded."""
    _, lost = two_sum(np.ones(y.shape), -y)
    return np.power(x, a) * np.where(x > 0.5, 1 + a * lost / x, 1)


def _beta_front_far(a: Array, b: Array, x: Array, y: Array) -> Array:
    total = a + b
    off = np.where(x < 0.5, total * x - a, b - total * y)
    exponent = a * excess(off / a) + b * excess(-off / b)
    return np.exp(-exponent - log_beta_correction(a, b)) * np.sqrt(a / total * b / (2 * math.pi))


def _beta_front_mixed(a: Array, b: Array, x: Array, y: Array) -> Array:
    return np.exp(a * _log_of_share(x, y) + b * _log_of_share(y, x) - log_beta_kernel(a, b))


def _beta_density(a: Array, b: Array, x: Array, orders: Place) -> Array:
    inside = (a > 0) & (b > 0) & np.isfinite(a + b)
    near: Array = np.where(x == 0, a, b)
    edge = choose(
        [near, a + b - near],
        (near > 1, lambda a, b: np.zeros(a.shape)),
        (near == 1, lambda a, b: b),
        (near > 0, lambda a, b: np.full(a.shape, np.inf)),
    )
    at_edge = (x == 0) | (x == 1)
    return choose(
        [a, b, x, edge],
        (inside & at_edge & (orders == (0, 0)), lambda a, b, x, edge: edge),
        (inside & at_edge & (near > 1), lambda a, b, x, edge: np.zeros(a.shape)),
        (
            inside & (x > 0) & (x < 1),
            lambda a, b, x, edge: _beta_front(a, b, x, 1 - x, orders).last() / x / (1 - x),
        ),
    )
