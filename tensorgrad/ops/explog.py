"""Exponentials, logarithms and roots: other bases, and forms that keep digits where the plain ones lose them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .._primitive import analytic, elementwise
from .._specialise import plain
from .dtype import astype
from .elementwise import exp, power, where
from .rounding import isinf
from .shape import lifted

LN2, LN10 = math.log(2), math.log(10)

# ---- exponentials and logarithms


@analytic
def exp2(x: Any, /) -> Any:
    """2 to the power of each element."""
    return np.exp2(x)


@analytic
def expm1(x: Any, /) -> Any:
    """``exp(x) - 1``, with all digits near 0."""
    return np.expm1(x)


@analytic
def log1p(x: Any, /) -> Any:
    """``log(1 + x)``, with all digits near 0."""
    if x.dtype.kind != "c":
        return np.log1p(x)
    # The real part by the logarithm of abs(1 + x) ** 2, where NumPy would take that of 1 + x.
    y = np.array(np.log1p(x))
    near = np.abs(x) < 0.5
    a, b = np.real(x)[near], np.imag(x)[near]
    y.real[near], y.imag[near] = 0.5 * np.log1p(a * (2 + a) + b * b), np.arctan2(b, 1 + a)
    return plain(y)


@analytic
def log2(x: Any, /) -> Any:
    """Logarithm to base 2 of each element."""
    return np.log2(x)


@analytic
def log10(x: Any, /) -> Any:
    """Logarithm to base 10 of each element."""
    return np.log10(x)


exp2.derivative(x=lambda y: LN2 * y)
expm1.derivative(x=lambda x: exp(x))
log1p.derivative(x=lambda x: 1 / (1 + x))
log2.derivative(x=lambda x: 1 / LN2 / x)
log10.derivative(x=lambda x: 1 / LN10 / x)


# ---- sums of exponentials


@elementwise
def logaddexp(a: Any, b: Any, /) -> Any:
    """``log(exp(a) + exp(b))`` without overflow; where both are -inf, both slopes are 0."""
    return np.logaddexp(a, b)


@elementwise
def logaddexp2(a: Any, b: Any, /) -> Any:
    """``log2(2**a + 2**b)`` without overflow; where both are -inf, both slopes are 0."""
    return np.logaddexp2(a, b)


def _gap(a: Any, b: Any) -> Any:
    """``a - b``, and 0 where both are the same infinity."""
    same = (a == b) & isinf(a)
    return where(same, 0, a) - where(same, 0, b)


def _share(a: Any, b: Any, y: Any) -> Any:
    # 1 / (1 + exp(b - a)): through the logarithm nothing overflows and small shares keep their digits.
    return (y > -math.inf) * exp(-logaddexp(_gap(b, a), 0))


def _share2(a: Any, b: Any, y: Any) -> Any:
    return (y > -math.inf) * exp2(-logaddexp2(_gap(b, a), 0))


logaddexp.derivative(a=lambda a, b, y: _share(a, b, y), b=lambda a, b, y: _share(b, a, y))
logaddexp2.derivative(a=lambda a, b, y: _share2(a, b, y), b=lambda a, b, y: _share2(b, a, y))


# ---- roots and reciprocals


@elementwise
def cbrt(x: Any, /) -> Any:
    """Cube root of each element, negative ones too; its slope at 0 is +inf."""
    return np.cbrt(x)


@analytic
def reciprocal(x: Any, /) -> Any:
    """``1 / x`` for each element; integers give integers, as in NumPy."""
    return np.reciprocal(x)


@analytic
def rsqrt(x: Any, /) -> Any:
    """``1 / sqrt(x)`` for each element."""
    return 1 / np.sqrt(x)


@elementwise
def hypot(a: Any, b: Any, /) -> Any:
    """``sqrt(a**2 + b**2)`` without overflow; its slopes at (0, 0) are 0."""
    return np.hypot(a, b)


cbrt.derivative(x=lambda y: 1 / (3 * y * y))
reciprocal.derivative(x=lambda y: -y * y)
rsqrt.derivative(x=lambda x, y: -0.5 * y / x)
# At (0, 0) the quotient is 0 / 1.
hypot.derivative(a=lambda a, y: a / (y + (y == 0)), b=lambda b, y: b / (y + (y == 0)))


# ---- powers


def float_power(a: Any, b: Any, /) -> Any:
    """`power` in double precision, whatever the dtypes: integers have negative powers, too.

    Example:
        >>> import tensorgrad as tg
        >>> tg.float_power(tg.tensor([1, 2]), -1).tolist()
        [1.0, 0.5]
    """
    # A number beside an array goes straight to double: by way of the default float it would lose its digits.
    double = {float: np.float64, complex: np.complex128}
    if hasattr(a, "dtype") or hasattr(b, "dtype"):
        a, b = [double[type(x)](x) if type(x) in double else x for x in (a, b)]
    a, b = lifted("float_power", a), lifted("float_power", b)
    return power(*[astype(x, np.complex128 if x.dtype.kind == "c" else np.float64) for x in (a, b)])
