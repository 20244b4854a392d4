"""The frequencies that discrete Fourier transforms tell apart."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any, SupportsIndex

import numpy as np

from ._config import get_default_dtype
from ._errors import DtypeError, ShapeError
from ._tensor import Tensor, tensor
from .ops.dtype import numeric_dtype

if TYPE_CHECKING:
    from numpy.typing import DTypeLike


def fftfreq(
    n: SupportsIndex, d: float = 1.0, *, dtype: DTypeLike | None = None, requires_grad: bool = False
) -> Tensor:
    """The frequencies of `fft`: 0, the positive and then the negative ones, in periods per unit of ``d``.

    Args:
        n: the number of points.
        d: the distance between two points, not 0.
        dtype: of the result, by default the default float.
        requires_grad: whether gradients flow to the result, a leaf.

    Raises:
        ShapeError: n is not positive, or ``d`` is 0.
        DtypeError: n is not a whole number, or the dtype no floating one.

    Example:
        >>> import tensorgrad as tg
        >>> tg.fft.fftfreq(5, d=0.1)
        tensor([ 0.,  2.,  4., -4., -2.])
    """
    n = _points("fftfreq", n, d)
    return _made(
        "fftfreq",
        np.concatenate([np.arange((n + 1) // 2), np.arange(-(n // 2), 0)]),
        n * d,
        dtype,
        requires_grad,
    )


def rfftfreq(
    n: SupportsIndex, d: float = 1.0, *, dtype: DTypeLike | None = None, requires_grad: bool = False
) -> Tensor:
    """The frequencies of `rfft`, none of them negative; arguments and errors as for `fftfreq`.

    Example:
        >>> import tensorgrad as tg
        >>> tg.fft.rfftfreq(5, d=0.1)
        tensor([0., 2., 4.])
    """
    n = _points("rfftfreq", n, d)
    return _made("rfftfreq", np.arange(n // 2 + 1), n * d, dtype, requires_grad)


def _points(op: str, n: Any, d: Any) -> int:
    try:
        points = operator.index(n)
    except TypeError:
        raise DtypeError(f"{op}: n is {n!r}; a whole number is needed") from None
    if not isinstance(d, int | float | np.number):
        raise DtypeError(
            f"{op}: d is a {type(d).__name__}; a number is needed, as tg.fft.{op}(n) / d has a gradient in d"
        )
    if points < 1 or not d:
        raise ShapeError(f"{op}: n is {n} and d is {d}; n must be 1 or more, d not 0")
    return points


def _made(op: str, cycles: Any, span: Any, dtype: Any, requires_grad: bool) -> Tensor:
    chosen = get_default_dtype() if dtype is None else numeric_dtype(dtype, op)
    if chosen.kind not in "fc":
        raise DtypeError(
            f"{op}: frequencies of dtype {chosen} would be cut to whole numbers; give a floating one"
        )
    return tensor((cycles / span).astype(chosen), requires_grad=requires_grad)
