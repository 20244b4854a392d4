"""Counts, weighted means, covariance and correlation."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._errors import DtypeError, ShapeError, TraceError
from .._primitive import Value
from .arrange import atleast_2d
from .compare import not_equal
from .contract import matmul
from .diagonals import diag
from .dtype import astype, conjugate, real
from .elementwise import divide, multiply, sqrt, subtract
from .reduce import mean, sum
from .rounding import clip
from .shape import Axis, broadcast_to, concat, lifted, normalise_axes, reduced_axes, reshape, transpose


def count_nonzero(x: Any, /, axis: Axis = None, keepdims: bool = False) -> Any:
    """The number of elements along the axes that are not 0.

    Example:
        >>> import tensorgrad as tg
        >>> tg.count_nonzero(tg.tensor([0.0, 2.0, 3.0])).item()
        2
    """
    x = lifted("count_nonzero", x)
    return sum(not_equal(x, 0), reduced_axes("count_nonzero", axis, x.ndim), keepdims)


def average(
    x: Any, /, axis: Axis = None, weights: Any = None, returned: bool = False, *, keepdims: bool = False
) -> Any:
    """Weighted mean over the axes.

    Args:
        x: an array or tensor.
        axis: the axes, all if None.
        weights: in the shape of ``x``, or 1-D along the one axis; all equal if None.
        returned: give the sum of the weights as well, in the shape of the mean.
        keepdims: keep the axes with length 1.

    Raises:
        ShapeError: the weights have another shape, or add up to 0. Inside a transformation nothing is known
            of their sum, and the mean is infinite or NaN there.

    Example:
        >>> import tensorgrad as tg
        >>> tg.average(tg.tensor([1.0, 5.0]), weights=tg.tensor([3.0, 1.0])).item()
        2.0
    """
    x = lifted("average", x)
    axes = normalise_axes("average", axis, x.ndim)
    if weights is None:
        y = mean(x, axes, keepdims)
        count = np.prod([x.shape[a] for a in axes], dtype=y.dtype)
        return (y, broadcast_to(count, y.shape)) if returned else y
    w = lifted("average", weights)
    if w.shape != x.shape:
        if w.ndim != 1 or len(axes) != 1 or w.shape[0] != x.shape[axes[0]]:
            raise ShapeError(
                f"average: weights {w.shape} for x {x.shape} over axis {axis}; one for each is needed"
            )
        w = reshape(w, tuple([x.shape[i] if i in axes else 1 for i in range(x.ndim)]))
    dtype = np.result_type(x.dtype, w.dtype, *([] if x.dtype.kind in "fc" else [np.float64]))
    wide = np.float32 if dtype == np.float16 else dtype  # the sum may be larger than float16 can hold
    x, w = astype(x, wide), astype(w, wide)
    total = sum(w, axes, keepdims)
    if _has_zero(total):
        raise ShapeError("average: the weights add up to 0, and so there is no mean")
    y = divide(sum(multiply(x, w), axes, keepdims), total)
    y = astype(y, dtype) if dtype == np.float16 else y
    return (y, broadcast_to(astype(total, y.dtype), y.shape)) if returned else y


def cov(
    x: Any,
    /,
    y: Any = None,
    rowvar: bool = True,
    bias: bool = False,
    ddof: float | None = None,
    fweights: Any = None,
    aweights: Any = None,
) -> Any:
    """Covariance of variables, from observations of them.

    Args:
        x: the observations, a variable in each row; 1-D for one variable.
        y: more variables with as many observations.
        rowvar: whether variables are rows; otherwise they are columns.
        bias: divide by the number of observations, and not by one less.
        ddof: what to subtract from this number; it takes the place of ``bias``.
        fweights: how often each observation was made; 1-D.
        aweights: how much each one weighs; 1-D.

    Raises:
        ShapeError: the variables have more than two axes, or the weights another length.

    Example:
        >>> import tensorgrad as tg
        >>> tg.cov(tg.tensor([[1.0, 2.0, 3.0], [3.0, 2.0, 1.0]]))
        tensor([[ 1., -1.],
                [-1.,  1.]])
    """
    c = _covariance("cov", x, y, rowvar, (0 if bias else 1) if ddof is None else ddof, fweights, aweights)
    return reshape(c, ()) if c.shape == (1, 1) else c


def corrcoef(x: Any, /, y: Any = None, rowvar: bool = True) -> Any:
    """Correlation of variables: their covariance divided by both of their standard deviations.

    Args:
        x: the observations, a variable in each row; 1-D for one variable.
        y: more variables with as many observations.
        rowvar: whether variables are rows; otherwise they are columns.

    Raises:
        ShapeError: the variables have more than two axes.

    Example:
        >>> import tensorgrad as tg
        >>> tg.corrcoef(tg.tensor([[1.0, 2.0, 3.0], [3.0, 2.0, 1.0]]))
        tensor([[ 1., -1.],
                [-1.,  1.]])
    """
    c = _covariance("corrcoef", x, y, rowvar, 1, None, None)
    size = sqrt(real(diag(c)))
    y = c / reshape(size, (size.shape[0], 1)) / size
    if y.dtype.kind != "c":
        y = clip(y, -1, 1)
    return reshape(y, ()) if y.shape == (1, 1) else y


# ---- helpers


def _covariance(op: str, x: Any, y: Any, rowvar: bool, ddof: float, fweights: Any, aweights: Any) -> Any:
    x = _variables(op, x, rowvar)
    if y is not None:
        y = _variables(op, y, rowvar)
        if y.shape[1] != x.shape[1]:
            raise ShapeError(
                f"{op}: {x.shape[1]} observations of x and {y.shape[1]} of y; as many are needed"
            )
        x = concat([x, y], axis=0)
    if x.dtype.kind not in "fc":
        x = astype(x, np.float64)
    if x.dtype == np.float16:
        low = _covariance(op, astype(x, np.float32), None, True, ddof, fweights, aweights)
        return astype(low, np.float16)
    n = x.shape[1]
    for name, w in (("fweights", fweights), ("aweights", aweights)):
        if w is not None and np.shape(w) != (n,):
            raise ShapeError(f"{op}: {name} has shape {np.shape(w)} for {n} observations; ({n},) is needed")
    if fweights is not None and lifted(op, fweights).dtype.kind not in "iu":
        raise DtypeError(f"{op}: fweights are counts, so whole numbers; for others there is aweights")
    both = [astype(lifted(op, w), x.dtype) for w in (fweights, aweights) if w is not None]
    if not both:
        centred, scale = subtract(x, mean(x, 1, True)), max(n - ddof, 0)
        return divide(matmul(centred, conjugate(transpose(centred))), scale)
    w = both[0] if len(both) == 1 else multiply(*both)
    total = sum(w)
    centred = subtract(x, divide(sum(multiply(x, w), 1, True), total))
    extra = divide(sum(multiply(w, both[-1])), total) if aweights is not None else 1
    return divide(matmul(multiply(centred, w), conjugate(transpose(centred))), clip(total - ddof * extra, 0))


def _variables(op: str, x: Any, rowvar: bool) -> Any:
    x = lifted(op, x)
    if x.ndim > 2:
        raise ShapeError(
            f"{op}: an array has shape {x.shape}; two axes at most are meant, variables and observations"
        )
    return transpose(x) if not rowvar and x.ndim == 2 else atleast_2d(x)


def _has_zero(total: Any) -> bool:
    """Whether a sum is known to be 0 somewhere; of a value inside a transformation nothing is known."""
    if isinstance(total, Value) and total.level > 0:
        return False
    try:
        return not np.asarray(total).all()
    except TraceError:
        return False
