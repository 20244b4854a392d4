"""Trigonometric and hyperbolic functions, their inverses, and angles."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .._primitive import analytic, elementwise
from .._specialise import plain
from .dtype import astype, imag, real, stop_gradient
from .elementwise import where
from .explog import hypot, rsqrt
from .shape import lifted

DEGREE = math.pi / 180
TINY = 1e-30

# ---- functions


@analytic
def tan(x: Any, /) -> Any:
    """Tangent of each element, in radians."""
    return np.tan(x)


@analytic
def sinh(x: Any, /) -> Any:
    """Hyperbolic sine of each element."""
    return np.sinh(x)


@analytic
def cosh(x: Any, /) -> Any:
    """Hyperbolic cosine of each element."""
    return np.cosh(x)


tan.derivative(x=lambda y: 1 + y * y)
sinh.derivative(x=lambda x: cosh(x))
cosh.derivative(x=lambda x: sinh(x))


# ---- inverse functions


@analytic
def asin(x: Any, /) -> Any:
    """Inverse sine of each element, in radians; its slope at -1 and 1 is +inf."""
    return np.arcsin(x)


@analytic
def acos(x: Any, /) -> Any:
    """Inverse cosine of each element, in radians; its slope at -1 and 1 is -inf."""
    return np.arccos(x)


@analytic
def atan(x: Any, /) -> Any:
    """Inverse tangent of each element, in radians."""
    return np.arctan(x)


@analytic
def asinh(x: Any, /) -> Any:
    """Inverse hyperbolic sine of each element."""
    return np.arcsinh(x)


@analytic
def acosh(x: Any, /) -> Any:
    """Inverse hyperbolic cosine of each element; its slope at 1 is +inf."""
    return np.arccosh(x)


@analytic
def atanh(x: Any, /) -> Any:
    """Inverse hyperbolic tangent of each element."""
    return np.arctanh(x)


@elementwise  # analytic, but a complex step along the real axis would be lost beside 1
def radius(x: Any, /) -> Any:
    """``sqrt(1 + x ** 2)`` for each element, without overflow."""
    if x.dtype.kind != "c":
        return np.hypot(x, np.ones((), x.dtype))
    # The root of (1 + ix) (1 - ix), factor by factor; 1 is subtracted, since adding it would lose the sign of
    # a zero, which says on which side of a cut a number lies.
    turned = np.empty_like(x)
    turned.real, turned.imag = -np.imag(x), np.real(x)
    return plain(np.sqrt(turned - (-1)) * np.sqrt(-(turned - 1)))


@analytic
def one_minus_square(x: Any, /) -> Any:
    """``1 - x ** 2`` with the digits that the plain formula loses near 1, and its slope with those near 0."""
    return (1 - x) * (1 + x)


def _asin_slope(x: Any) -> Any:
    # As for `radius`: factor by factor, and subtracted.
    return rsqrt(-(x - 1)) * rsqrt(x - (-1)) if x.dtype.kind == "c" else rsqrt(one_minus_square(x))


radius.derivative(x=lambda x, y: x / y)
one_minus_square.derivative(x=lambda x: -2 * x)
asin.derivative(x=lambda x: _asin_slope(x))
acos.derivative(x=lambda x: -_asin_slope(x))
atan.derivative(x=lambda x: 1 / radius(x) / radius(x))
asinh.derivative(x=lambda x: 1 / radius(x))
acosh.derivative(x=lambda x: rsqrt(x - 1) * rsqrt(x - (-1)))
atanh.derivative(x=lambda x: 1 / (1 - x) / (1 + x) if x.dtype.kind == "c" else 1 / one_minus_square(x))


# ---- angles


@elementwise
def atan2(a: Any, b: Any, /) -> Any:
    """The angle of the point ``(b, a)`` in radians, from -pi to pi; its slopes at (0, 0) are 0."""
    return np.arctan2(a, b)


@elementwise
def deg2rad(x: Any, /) -> Any:
    """Angles from degrees to radians."""
    return np.deg2rad(x)


@elementwise
def rad2deg(x: Any, /) -> Any:
    """Angles from radians to degrees."""
    return np.rad2deg(x)


def angle(x: Any, /, deg: bool = False) -> Any:
    """The angle of each complex number in the plane, from -pi to pi; of a real one 0 or pi.

    Args:
        x: an array or tensor.
        deg: in degrees instead of radians.

    Example:
        >>> import numpy as np, tensorgrad as tg
        >>> tg.angle(np.array([1.0, 1j, -1.0]), deg=True)
        array([  0.,  90., 180.])
    """
    x = lifted("angle", x)
    if x.dtype.kind not in "fc":
        x = astype(x, np.float64)
    y = atan2(imag(x), real(x)) if x.dtype.kind == "c" else atan2(imag(stop_gradient(x)), x)
    return rad2deg(y) if deg else y


def _distance(a: Any, b: Any) -> Any:
    y = hypot(a, b)
    return where(y == 0, math.inf, y)  # then slopes are 0 at (0, 0), and theirs too


atan2.derivative(
    a=lambda a, b: b / _distance(a, b) / _distance(a, b),
    b=lambda a, b: -a / _distance(a, b) / _distance(a, b),
)
deg2rad.derivative(x=DEGREE)
rad2deg.derivative(x=1 / DEGREE)


# ---- sinc


@analytic
def sinc(x: Any, /) -> Any:
    """``sin(pi x) / (pi x)`` for each element, and 1 at 0."""
    u = x * math.pi
    # Of the square of a tiny number nothing is left, and to divide by a complex one would overflow.
    zero = np.abs(u) < TINY if u.dtype.kind == "c" else u == 0
    return np.where(zero, 1, _turned(x)[0] / np.where(zero, 1, u))


@analytic
def sinc_slope(x: Any, /, *, order: int) -> Any:
    """The derivative of ``sinc`` of an order of 1 or more, with all digits at 0 and near it."""
    u = x * math.pi
    near = np.abs(u) < order + 1
    # Near 0 Taylor's series; farther out u f = sin(u) differentiated n times, u f(n) + n f(n-1) = sin(n)(u),
    # whose errors grow by n / u from one order to the next.
    small, large = np.where(near, u, 0), np.where(near, 1, u)
    term, series = small ** (order % 2), np.zeros_like(small)
    for m in range(order % 2, 20 + 5 * (order + 1), 2):
        series = series + term * ((-1) ** ((m + order) // 2) / (m + order + 1))
        term = term * small * small / ((m + 1) * (m + 2))
    sin, cos = _turned(np.where(near, 0, x))
    far = sin / large
    for n in range(1, order + 1):
        far = ((sin, cos, -sin, -cos)[n % 4] - n * far) / large
    return np.where(near, series, far) * math.pi**order


def _turned(x: Any) -> tuple[Any, Any]:
    """Sine and cosine of ``pi x``; without the whole half turns first, rounding ``pi x`` would cost digits."""
    half_turns = np.rint(np.real(x))
    sign, rest = 1 - 2 * (half_turns % 2), (x - half_turns) * math.pi
    return sign * np.sin(rest), sign * np.cos(rest)


sinc.derivative(x=lambda x: sinc_slope(x, order=1))
sinc_slope.derivative(x=lambda x, order: sinc_slope(x, order=order + 1))
