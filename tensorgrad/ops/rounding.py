"""Rounding, division with remainder, bounds and signs, and what is done with NaN and infinities."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .._errors import DtypeError
from .._primitive import analytic, declare, elementwise
from .compare import each, equal, isfinite
from .dtype import astype, stop_gradient
from .elementwise import positive, sign, where, wins
from .shape import lifted

# ---- questions


@each
def isnan(x: Any, /) -> Any:
    """Whether each element is NaN."""
    return np.isnan(x)


@each
def isinf(x: Any, /) -> Any:
    """Whether each element is infinite."""
    return np.isinf(x)


def isposinf(x: Any, /) -> Any:
    """Whether each element is +inf."""
    return equal(_real("isposinf", x), math.inf)


def isneginf(x: Any, /) -> Any:
    """Whether each element is -inf."""
    return equal(_real("isneginf", x), -math.inf)


@each
def signbit(x: Any, /) -> Any:
    """Whether the sign of each element is minus, which it is also for -0.0."""
    return np.signbit(x)


# ---- rounding: constant almost everywhere, so nothing flows


@each
def floor(x: Any, /) -> Any:
    """The largest whole number that is not above each element."""
    return np.floor(x)


@each
def ceil(x: Any, /) -> Any:
    """The smallest whole number that is not below each element."""
    return np.ceil(x)


@each
def trunc(x: Any, /) -> Any:
    """Each element without its fraction, so the nearest whole number towards 0."""
    return np.trunc(x)


def _round(x: Any, /, decimals: int = 0) -> Any:
    """Each element rounded to so many decimals; halves go to the even neighbour."""
    return np.round(x, decimals)


round = declare(_round, "constant", broadcasts=True, name="round")


def rint(x: Any, /) -> Any:
    """The nearest whole number of each element, halves to the even neighbour; integers become floats."""
    x = lifted("rint", x)
    return round(x if x.dtype.kind in "fc" else astype(x, np.rint(np.zeros((), x.dtype)).dtype))


@each
def nextafter(a: Any, b: Any, /) -> Any:
    """The number beside each ``a`` in its dtype, in the direction of ``b``; nothing flows through."""
    return np.nextafter(a, b)


# ---- division with remainder


@each
def floor_divide(a: Any, b: Any, /) -> Any:
    """The largest whole number that is not above ``a / b``."""
    return np.floor_divide(a, b)


@elementwise
def remainder(a: Any, b: Any, /) -> Any:
    """``a - floor_divide(a, b) * b``, which has the sign of ``b``; where it jumps, the slopes of its formula."""
    return np.remainder(a, b)


@elementwise
def fmod(a: Any, b: Any, /) -> Any:
    """``a - trunc(a / b) * b``, which has the sign of ``a``; where it jumps, the slopes of its formula."""
    return np.fmod(a, b)


def modf(x: Any, /) -> tuple[Any, Any]:
    """The fraction of each element and its whole part, both with its sign; the slope of the fraction is 1.

    Raises:
        DtypeError: the elements are complex.

    Example:
        >>> import tensorgrad as tg
        >>> tg.modf(tg.tensor([1.5, -2.25]))
        (tensor([ 0.5 , -0.25]), tensor([ 1., -2.]))
    """
    x = _real("modf", x)
    if x.dtype.kind != "f":
        x = astype(x, np.modf(np.zeros((), x.dtype))[0].dtype)
    endless = isinf(x)  # has no fraction
    fraction = fmod(where(endless, 0.0, x), 1)
    return where(endless, copysign(0.0, stop_gradient(x)), fraction), trunc(x)


def divmod(a: Any, b: Any, /) -> tuple[Any, Any]:
    """``floor_divide(a, b)`` and ``remainder(a, b)``.

    Example:
        >>> import tensorgrad as tg
        >>> tg.divmod(tg.tensor([7.5, -1.0]), 2)
        (tensor([ 3., -1.]), tensor([1.5, 1. ]))
    """
    return floor_divide(a, b), remainder(a, b)


remainder.derivative(a=1, b=lambda a, b: -floor_divide(a, b))
# The quotient from what is left of it: a / b could round up to the next whole number.
fmod.derivative(a=1, b=lambda a, b, y: -round((a - y) / b))


# ---- bounds


@elementwise
def at_least(x: Any, low: Any, /) -> Any:
    """The larger of each pair; where they are equal, all of the gradient goes to ``x``."""
    return np.maximum(x, low)


@elementwise
def at_most(x: Any, high: Any, /) -> Any:
    """The smaller of each pair; where they are equal, all of the gradient goes to ``x``."""
    return np.minimum(x, high)


at_least.derivative(x=lambda x, low: x >= low, low=lambda x, low: x < low)
at_most.derivative(x=lambda x, high: x <= high, high=lambda x, high: x > high)


def clip(x: Any, /, min: Any = None, max: Any = None) -> Any:
    """``x`` where it lies between bounds, else the bound that it crossed; the slope at a bound is 1.

    Args:
        x: an array or tensor.
        min: the lower bound: a number, or an array that broadcasts with ``x``. None leaves it open.
        max: the upper bound, which counts where it is below the lower one. None leaves it open.

    Example:
        >>> import tensorgrad as tg
        >>> tg.clip(tg.tensor([-2.0, 0.5, 2.0]), -1, 1)
        tensor([-1. ,  0.5,  1. ])
    """
    if min is None and max is None:
        return positive(x)
    if type(min) is int or type(max) is int:
        min, max = _reachable(min, max, x)
    raised = x if min is None else at_least(x, min)
    return raised if max is None else at_most(raised, max)


def _reachable(low: Any, high: Any, x: Any) -> tuple[Any, Any]:
    """The bounds, but for a number beyond the integers of ``x`` the outermost of them: none is below it."""
    if getattr(getattr(x, "dtype", None), "kind", "") in ("i", "u"):
        least, most = np.iinfo(x.dtype).min, np.iinfo(x.dtype).max
        low = least if type(low) is int and low < least else low
        high = most if type(high) is int and high > most else high
    return low, high


# ---- pairs


@elementwise
def fmax(a: Any, b: Any, /) -> Any:
    """The larger of each pair, a number where one is NaN; where they are equal, each gets half the gradient."""
    return np.fmax(a, b)


@elementwise
def fmin(a: Any, b: Any, /) -> Any:
    """The smaller of each pair, a number where one is NaN; where they are equal, each gets half the gradient."""
    return np.fmin(a, b)


@elementwise
def copysign(a: Any, b: Any, /) -> Any:
    """The size of ``a`` with the sign of ``b``; its slope at ``a = 0`` is 0."""
    return np.copysign(a, b)


@elementwise
def heaviside(x: Any, h: Any, /) -> Any:
    """0 where ``x < 0``, 1 where ``x > 0``, and ``h`` where ``x`` is 0; nothing flows to ``x``."""
    return np.heaviside(x, h)


@analytic
def lerp(a: Any, b: Any, w: Any, /) -> Any:
    """``a + w * (b - a)``, exactly ``a`` for a weight of 0 and ``b`` for 1."""
    return np.where(np.abs(w) < 0.5, a + w * (b - a), b - (b - a) * (1 - w))


# Two NaN: the first one is the result, as in NumPy.
fmax.derivative(a=lambda a, b: wins(a, b) + isnan(b), b=lambda a, b: wins(b, a) + (isnan(a) & (b == b)))
fmin.derivative(a=lambda a, b: wins(b, a) + isnan(b), b=lambda a, b: wins(a, b) + (isnan(a) & (b == b)))
copysign.derivative(a=lambda a, b: sign(a) * copysign(1, b))
heaviside.derivative(h=lambda x: x == 0)
lerp.derivative(a=lambda w: 1 - w, b=lambda w: w, w=lambda a, b: b - a)


# ---- NaN and infinities


def _with_numbers(
    x: Any, /, nan: float = 0.0, posinf: float | None = None, neginf: float | None = None
) -> Any:
    """Each real element, with numbers in place of NaN and infinities, through which nothing flows."""
    return np.nan_to_num(x, nan=nan, posinf=posinf, neginf=neginf)


with_numbers = declare(_with_numbers, "elementwise", name="nan_to_num")
with_numbers.derivative(x=lambda x: isfinite(x))


# ---- helpers


def _real(op: str, x: Any) -> Any:
    x = lifted(op, x)
    if x.dtype.kind == "c":
        raise DtypeError(f"{op}: x has dtype {x.dtype}; apply it to tg.real(x) and tg.imag(x) by themselves")
    return x
