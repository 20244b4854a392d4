"""Elementwise arithmetic and functions: what each computes, and below it the table of derivatives."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._config import get_default_dtype
from .._errors import DtypeError
from .._primitive import analytic, declare, elementwise
from .compare import each
from .dtype import conjugate, imag, real
from .shape import lifted

# ---- arithmetic


@analytic
def add(a: Any, b: Any, /) -> Any:
    """Sum of each pair of elements."""
    return a + b


@analytic
def subtract(a: Any, b: Any, /) -> Any:
    """Difference of each pair of elements."""
    return a - b


@analytic
def multiply(a: Any, b: Any, /) -> Any:
    """Product of each pair of elements."""
    return a * b


@analytic
def divide(a: Any, b: Any, /) -> Any:
    """Quotient of each pair of elements; integers give floats."""
    return a / b


@analytic
def negative(x: Any, /) -> Any:
    """Each element with its sign changed."""
    return -x


@analytic
def positive(x: Any, /) -> Any:
    """Each element as it is."""
    return +x


@analytic
def power(a: Any, b: Any, /) -> Any:
    """``a`` to the power ``b``, element by element.

    At ``a = 0`` the derivative in ``a`` is exact for ``b`` = 0, 1, 2 (it is 0, 1, 0), and the one in
    ``b`` is 0 for ``b >= 0``.
    """
    return a**b


@analytic
def square(x: Any, /) -> Any:
    """Square of each element."""
    return np.square(x)


add.derivative(a=1, b=1)
subtract.derivative(a=1, b=-1)
multiply.derivative(a=lambda b: b, b=lambda a: a)
divide.derivative(a=lambda b: 1 / b, b=lambda b, y: -y / b)
negative.derivative(x=-1)
positive.derivative(x=1)
square.derivative(x=lambda x: 2 * x)


# ---- exponentials and roots


@analytic
def exp(x: Any, /) -> Any:
    """Exponential of each element."""
    return np.exp(x)


@analytic
def log(x: Any, /) -> Any:
    """Natural logarithm of each element."""
    return np.log(x)


@analytic
def sqrt(x: Any, /) -> Any:
    """Square root of each element; its slope at 0 is +inf."""
    return np.sqrt(x)


exp.derivative(x=lambda y: y)
log.derivative(x=lambda x: 1 / x)
sqrt.derivative(x=lambda y: 0.5 / y)
# The added terms are 1 where the textbook formula is 0 * inf, and 0 everywhere else.
power.derivative(
    a=lambda a, b: b * (a + (a == 0) * (b == 0)) ** (b - 1),
    b=lambda a, y: y * log(a + (a == 0)),
)


# ---- trigonometric and hyperbolic


@analytic
def sin(x: Any, /) -> Any:
    """Sine of each element, in radians."""
    return np.sin(x)


@analytic
def cos(x: Any, /) -> Any:
    """Cosine of each element, in radians."""
    return np.cos(x)


@analytic
def tanh(x: Any, /) -> Any:
    """Hyperbolic tangent of each element."""
    return np.tanh(x)


sin.derivative(x=lambda x: cos(x))
cos.derivative(x=lambda x: -sin(x))
tanh.derivative(x=lambda y: 1 - y * y)


# ---- pieces


def _abs(x: Any, /) -> Any:
    """Absolute value of each element; its slope at 0 is 0."""
    return np.abs(x)


@elementwise
def maximum(a: Any, b: Any, /) -> Any:
    """The larger of each pair; where they are equal, each gets half of the gradient."""
    return np.maximum(a, b)


@elementwise
def minimum(a: Any, b: Any, /) -> Any:
    """The smaller of each pair; where they are equal, each gets half of the gradient."""
    return np.minimum(a, b)


@elementwise
def relu(x: Any, /) -> Any:
    """``max(x, 0)``; its slope at 0 is 0."""
    if x.dtype.kind == "c":
        raise DtypeError("relu: cannot be applied to complex numbers, which have no order")
    return np.maximum(x, np.zeros((), x.dtype))  # an array for 0: NumPy is 4 times faster than with a number


@elementwise
def sigmoid(x: Any, /) -> Any:
    """Logistic function ``1 / (1 + exp(-x))``, in (0, 1)."""
    # The exponential of what is not positive: no overflow, and all digits on the left.
    if x.dtype.kind == "c":
        right = x.real >= 0
        e = np.exp(np.where(right, -x, x))
        return np.where(right, 1, e) / (1 + e)
    e = np.exp(-np.abs(x if x.dtype.kind == "f" else x * 1.0))
    return np.where(x >= 0, 1, e) / (1 + e)


def _where(condition: Any, a: Any, b: Any, /) -> Any:
    """``a`` where ``condition`` is true, else ``b``; all three broadcast together.

    The gradient of the branch that was not taken is exactly 0, even if it would be infinite.
    """
    if type(a) is float and type(b) is float:  # there is no array whose dtype they could take
        a, b = get_default_dtype().type(a), get_default_dtype().type(b)
    return np.where(condition, a, b)


# Linear in a and b, and not a product with the mask: 0 * inf would be NaN.
where = declare(_where, "linear", analytic=True, broadcasts=True, name="where")


def _sign(x: Any, /) -> Any:
    """-1, 0 or 1 for each element of real numbers."""
    return np.sign(x)


def _direction(x: Any, /) -> Any:
    """``x / abs(x)`` for each complex number, and 0 at 0, where its slope is 0, too."""
    return np.sign(x)


def sign(x: Any, /) -> Any:
    """-1, 0 or 1 for each element; for complex numbers ``x / abs(x)``, and 0 at 0.

    The direction of a complex number turns where the number moves around 0: unlike the sign of a real
    number it is not constant, and has a gradient.

    Example:
        >>> import numpy as np, tensorgrad as tg
        >>> tg.sign(np.array([-2.0, 0.0])), tg.sign(np.array([2j, 0j]))
        (array([-1.,  0.]), array([0.+1.j, 0.+0.j]))
    """
    x = lifted("sign", x)
    return direction(x) if x.dtype.kind == "c" else signs(x)


@each
def wins(a: Any, b: Any, /) -> Any:
    """1 where ``a > b``, 1/2 where they are equal, 0 elsewhere: the slope of ``maximum`` in ``a``."""
    dtype = np.result_type(a, b)
    return (np.greater(a, b).astype(dtype) + np.greater_equal(a, b)) / dtype.type(2)


# Of a complex number the absolute value is real, and its slope a direction in the plane.
abs = declare(_abs, "general", broadcasts=True, name="abs")
abs.vjp(x=lambda g, x: g * sign(x))
abs.jvp(x=lambda t, x: real(t * conjugate(sign(x))) if x.dtype.kind == "c" else t * sign(x))

signs = declare(_sign, "constant", broadcasts=True, name="sign")
direction = declare(_direction, "general", broadcasts=True, name="direction")
# What goes around 0 turns it, the faster the nearer; what goes away from 0 does not.
direction.vjp(x=lambda g, x, y: _across(g, x, y))
direction.jvp(x=lambda t, x, y: _across(t, x, y))


def _across(v: Any, x: Any, y: Any) -> Any:
    size = abs(x)
    return y * (1j * (imag(conjugate(y) * v) / (size + (size == 0))))


maximum.derivative(a=lambda a, b: wins(a, b), b=lambda a, b: wins(b, a))
minimum.derivative(a=lambda a, b: wins(b, a), b=lambda a, b: wins(a, b))
relu.derivative(x=lambda y: y > 0)
sigmoid.derivative(x=lambda y: y * (1 - y))
where.transpose(a=lambda g, condition: where(condition, g, 0), b=lambda g, condition: where(condition, 0, g))
