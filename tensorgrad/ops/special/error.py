"""The error function and its relatives: complements, inverses, the normal distribution, entropies.

Values are within 4 units in the last place of float64, which `tests/ops/test_ulp.py` measures; float32 and
float16 are computed in float64 and rounded. Slopes are exact formulas that neither overflow nor lose their
digits far out, to every order. Complex numbers are refused.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..._errors import DtypeError
from ..._primitive import elementwise
from ..._specialise import plain
from ..elementwise import exp, log, where
from ..explog import log1p
from ..rounding import clip
from . import _error_kernels as kernels

ROOT_PI, ROOT_2PI, ROOT2 = math.sqrt(math.pi), math.sqrt(2 * math.pi), math.sqrt(2)


def in_double(name: str, kernel: Callable[..., Any], *xs: Any) -> Any:
    """Apply a function of flat float64 arrays; the result has the dtype of the inputs."""
    dtype = np.result_type(*xs)
    if dtype.kind not in "fbiu":
        kinds = " and ".join(str(getattr(x, "dtype", type(x).__name__)) for x in xs)
        raise DtypeError(f"{name}: cannot be applied to {kinds}; real numbers are needed")
    wide = [np.asarray(x, np.float64) for x in xs]
    wide = wide if len(wide) == 1 else list(np.broadcast_arrays(*wide))
    y = kernel(*[x.ravel() for x in wide]).reshape(wide[0].shape)
    return plain(y.astype(dtype, copy=False) if dtype.kind == "f" else y)


# ---- the error function


@elementwise
def erf(x: Any, /) -> Any:
    """The error function ``2 / sqrt(pi)`` times the integral of ``exp(-t**2)`` from 0 to x.

    Example:
        >>> import tensorgrad as tg
        >>> tg.erf([0.0, 0.5, 6.0])
        tensor([0.       , 0.5204999, 1.       ])
    """
    return in_double("erf", kernels.erf, x)


@elementwise
def erfc(x: Any, /) -> Any:
    """``1 - erf(x)``, with all digits where that is small.

    Example:
        >>> import numpy as np, tensorgrad as tg
        >>> print(f"{tg.erfc(np.array(10.0)):.12g}")
        2.08848758376e-45
    """
    return in_double("erfc", kernels.erfc, x)


@elementwise
def erfcx(x: Any, /) -> Any:
    """``exp(x**2) * erfc(x)``, which falls as slowly as ``1 / x``; it overflows below -26.6.

    Example:
        >>> import numpy as np, tensorgrad as tg
        >>> print(f"{tg.special.erfcx(np.array(1e10)):.12g}")
        5.64189583548e-11
    """
    return in_double("erfcx", kernels.erfcx, x)


@elementwise
def erfinv(x: Any, /) -> Any:
    """The inverse of `erf`, on [-1, 1]; infinite at the ends and NaN outside.

    Example:
        >>> import tensorgrad as tg
        >>> tg.erfinv(tg.erf([0.25, 0.5]))
        tensor([0.25, 0.5 ])
    """
    return in_double("erfinv", kernels.erfinv, x)


@elementwise
def erfcinv(x: Any, /) -> Any:
    """The inverse of `erfc`, on [0, 2]; infinite at the ends and NaN outside.

    Example:
        >>> import numpy as np, tensorgrad as tg
        >>> print(f"{tg.special.erfcinv(np.array(2.08848758376e-45)):.12g}")
        10
    """
    return in_double("erfcinv", kernels.erfcinv, x)


@elementwise
def laplace_fraction(x: Any, /, *, order: int) -> Any:
    """Laplace's continued fraction ``(m/2) / (x + ((m+1)/2) / (x + ...))`` with m = ``order``.

    With order 1 it is ``-erfcx'(x) / (2 erfcx(x))``, and all derivatives of `erfcx` come from it without loss.

    Source:
        DLMF 7.9.1, and 7.18.3 with 7.18.7 for the derivatives.
    """
    return in_double("laplace_fraction", lambda x: kernels.laplace_fraction(x, order), x)


def _bell(x: Any) -> Any:
    """``exp(-x**2)``; farther out than 40 it is 0, and the square could overflow."""
    x = clip(x, -40, 40)
    return exp(-x * x)


def _erfcx_slope(x: Any, y: Any) -> Any:
    # 2 x y - 2 / sqrt(pi) everywhere; on the right the two cancel.
    right = x > 0
    to_the_right, to_the_left = where(right, x, 0), where(right, 0, x)
    return where(right, -2 * laplace_fraction(to_the_right, order=1) * y, 2 * to_the_left * y - 2 / ROOT_PI)


erf.derivative(x=lambda x: 2 / ROOT_PI * _bell(x))
erfc.derivative(x=lambda x: -2 / ROOT_PI * _bell(x))
erfcx.derivative(x=_erfcx_slope)
erfinv.derivative(x=lambda y: ROOT_PI / 2 * exp(y * y))
erfcinv.derivative(x=lambda y: -ROOT_PI / 2 * exp(y * y))
laplace_fraction.derivative(x=lambda x, y, order: 2 * y * (y - laplace_fraction(x, order=order + 1)))


# ---- the normal distribution


@elementwise
def ndtr(x: Any, /) -> Any:
    """Distribution function of the normal distribution, the area of its density from -inf to x.

    Example:
        >>> import numpy as np, tensorgrad as tg
        >>> tg.special.ndtr(np.array([-30.0, 0.0, 1.0]))
        array([4.90671393e-198, 5.00000000e-001, 8.41344746e-001])
    """
    return in_double("ndtr", kernels.ndtr, x)


@elementwise
def log_ndtr(x: Any, /) -> Any:
    """Logarithm of `ndtr`, with all digits on both sides.

    Example:
        >>> import numpy as np, tensorgrad as tg
        >>> float(tg.special.log_ndtr(np.array(-1e10)))
        -5e+19
        >>> tg.grad(lambda x: tg.special.log_ndtr(x).sum())(np.array([-1e10, 0.0, 40.0]))
        array([1.00000000e+10, 7.97884561e-01, 0.00000000e+00])
    """
    return in_double("log_ndtr", kernels.log_ndtr, x)


@elementwise
def ndtri(x: Any, /) -> Any:
    """Quantile of the normal distribution, the inverse of `ndtr` on [0, 1]; NaN outside.

    Example:
        >>> import numpy as np, tensorgrad as tg
        >>> print(f"{tg.special.ndtri(np.array(0.975)):.12g}")
        1.95996398454
    """
    return in_double("ndtri", kernels.ndtri, x)


@elementwise
def ndtr_ratio(x: Any, /) -> Any:
    """The normal density divided by `ndtr`, which is the slope of `log_ndtr`."""
    return in_double("ndtr_ratio", kernels.ndtr_ratio, x)


def _above_line(x: Any) -> Any:
    # x + ndtr_ratio(x) everywhere; on the left the two cancel, on the right nothing is left of the second.
    left = x < 0
    to_the_left, to_the_right = where(left, -x, 0), clip(where(left, 0, x), 0, 60)
    return where(
        left, ROOT2 * laplace_fraction(to_the_left / ROOT2, order=1), to_the_right + ndtr_ratio(to_the_right)
    )


ndtr.derivative(x=lambda x: _bell(x / ROOT2) / ROOT_2PI)
log_ndtr.derivative(x=lambda x: ndtr_ratio(x))
ndtri.derivative(x=lambda y: ROOT_2PI * exp(0.5 * y * y))
ndtr_ratio.derivative(x=lambda x, y: -y * _above_line(x))


# ---- logarithms and entropies


@elementwise
def expit(x: Any, /) -> Any:
    """Logistic function ``1 / (1 + exp(-x))``, with all digits in its slopes as well; `sigmoid` is faster.

    Example:
        >>> import numpy as np, tensorgrad as tg
        >>> tg.special.expit(np.array([-700.0, 0.0, 1.0]))
        array([9.85967654e-305, 5.00000000e-001, 7.31058579e-001])
    """
    return in_double("expit", kernels.expit, x)


@elementwise
def logit(x: Any, /) -> Any:
    """``log(x / (1 - x))``, the inverse of `expit` on [0, 1]; infinite at the ends and NaN outside.

    Example:
        >>> import tensorgrad as tg
        >>> tg.logit([0.5, 0.75])
        tensor([0.       , 1.0986123])
    """
    return in_double("logit", kernels.logit, x)


@elementwise
def log_expit(x: Any, /) -> Any:
    """``log(expit(x))``, the logarithm of the logistic function, with all digits on both sides.

    Example:
        >>> import numpy as np, tensorgrad as tg
        >>> tg.special.log_expit(np.array([-1000.0, 0.0, 50.0]))
        array([-1.00000000e+03, -6.93147181e-01, -1.92874985e-22])
    """
    return in_double("log_expit", kernels.log_expit, x)


@elementwise
def entr(x: Any, /) -> Any:
    """``-x log(x)``, 0 at 0 and -inf below.

    Example:
        >>> import tensorgrad as tg
        >>> tg.special.entr([0.0, 0.5, 1.0])
        tensor([0.       , 0.3465736, 0.       ])
    """
    return in_double("entr", kernels.entr, x)


@elementwise
def rel_entr(a: Any, b: Any, /) -> Any:
    """``a log(a / b)`` for ``a > 0`` and ``b > 0``, 0 for ``a = 0`` and ``b >= 0``, and inf elsewhere.

    Example:
        >>> import tensorgrad as tg
        >>> tg.special.rel_entr([0.0, 0.5], [0.25, 0.25])
        tensor([0.       , 0.3465736])
    """
    return in_double("rel_entr", kernels.rel_entr, a, b)


@elementwise
def xlogy(a: Any, b: Any, /) -> Any:
    """``a log(b)``, and 0 where ``a`` is 0, whatever number ``b`` is; the slope in ``b`` is 0 there as well.

    Example:
        >>> import tensorgrad as tg
        >>> tg.xlogy([0.0, 2.0], [0.0, 1.0])
        tensor([0., 0.])
    """
    return in_double("xlogy", kernels.xlogy, a, b)


@elementwise
def xlog1py(a: Any, b: Any, /) -> Any:
    """``a log(1 + b)``, and 0 where ``a`` is 0, whatever number ``b`` is; the slope in ``b`` is 0 there as well.

    Example:
        >>> import tensorgrad as tg
        >>> tg.special.xlog1py([0.0, 2.0], [-1.0, 1e-9])
        tensor([0.e+00, 2.e-09])
    """
    return in_double("xlog1py", kernels.xlog1py, a, b)


def _over(a: Any, b: Any) -> Any:
    """``a / b``, and 0 where both are 0."""
    return a / (b + (a == 0) * (b == 0))


expit.derivative(x=lambda x, y: y * expit(-x))
logit.derivative(x=lambda x: 1 / (x * (1 - x)))
log_expit.derivative(x=lambda x: expit(-x))
entr.derivative(x=lambda x: -log(x) - 1)
rel_entr.derivative(a=lambda a, b: log(a) - log(b) + 1, b=lambda a, b: -_over(a, b))
xlogy.derivative(a=lambda b: log(b), b=lambda a, b: _over(a, b))
xlog1py.derivative(a=lambda b: log1p(b), b=lambda a, b: _over(a, 1 + b))
