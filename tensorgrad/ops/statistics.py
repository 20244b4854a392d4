"""Reductions that leave out NaN, weigh, count, or pick from the sorted elements."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .._errors import DtypeError, ShapeError
from .._primitive import Value
from .compare import all, not_equal
from .dtype import astype
from .elementwise import divide, multiply, where
from .index import read, sort
from .reduce import max, mean, min, sum
from .shape import Axis, lifted, moveaxis, normalise_axes, permute_dims, reshape


def count_nonzero(x: Any, /, *, axis: Axis = None, keepdims: bool = False) -> Any:
    """The number of elements along the axes that are not 0.

    Example:
        >>> import tensorgrad as tg
        >>> tg.count_nonzero(tg.tensor([0.0, 2.0, 3.0])).item()
        2
    """
    x = lifted("count_nonzero", x)
    return sum(not_equal(x, 0), normalise_axes("count_nonzero", axis, x.ndim), keepdims)


def nansum(x: Any, /, axis: Axis = None, keepdims: bool = False) -> Any:
    """Sum over the axes of what is not NaN; a NaN gets no gradient."""
    x = lifted("nansum", x)
    return sum(_without_nan(x, 0), normalise_axes("nansum", axis, x.ndim), keepdims)


def nanmean(x: Any, /, axis: Axis = None, keepdims: bool = False) -> Any:
    """Mean over the axes of what is not NaN; NaN where there is nothing else.

    Example:
        >>> import tensorgrad as tg
        >>> tg.nanmean(tg.tensor([1.0, float("nan"), 3.0])).item()
        2.0
    """
    x = lifted("nanmean", x)
    axes = normalise_axes("nanmean", axis, x.ndim)
    if x.dtype.kind not in "fc":
        return mean(x, axes, keepdims)
    if x.dtype == np.float16:  # the sum may be larger than float16 can hold
        return astype(nanmean(astype(x, np.float32), axes, keepdims), np.float16)
    count = sum(astype(_is_number(x), x.dtype), axes, keepdims)
    return divide(sum(_without_nan(x, 0), axes, keepdims), count)


def nanmax(x: Any, /, axis: Axis = None, keepdims: bool = False) -> Any:
    """The largest element along the axes that is not NaN; equal ones share the gradient evenly."""
    return _nan_extremum("nanmax", max, -math.inf, x, axis, keepdims)


def nanmin(x: Any, /, axis: Axis = None, keepdims: bool = False) -> Any:
    """The smallest element along the axes that is not NaN; equal ones share the gradient evenly."""
    return _nan_extremum("nanmin", min, math.inf, x, axis, keepdims)


def average(x: Any, /, axis: Axis = None, weights: Any = None, *, keepdims: bool = False) -> Any:
    """Weighted mean over the axes.

    Args:
        x: an array or tensor.
        axis: the axes, all if None.
        weights: in the shape of ``x``, or 1-D along the one axis; all equal if None.
        keepdims: keep the axes with length 1.

    Raises:
        ShapeError: the weights have another shape.

    Example:
        >>> import tensorgrad as tg
        >>> tg.average(tg.tensor([1.0, 5.0]), weights=tg.tensor([3.0, 1.0])).item()
        2.0
    """
    x = lifted("average", x)
    axes = normalise_axes("average", axis, x.ndim)
    if weights is None:
        return mean(x, axes, keepdims)
    w = lifted("average", weights)
    if w.shape != x.shape:
        if w.ndim != 1 or len(axes) != 1 or w.shape[0] != x.shape[axes[0]]:
            raise ShapeError(
                f"average: weights {w.shape} for x {x.shape} over axis {axis}; one for each is needed"
            )
        w = reshape(w, tuple([x.shape[i] if i in axes else 1 for i in range(x.ndim)]))
    return divide(sum(multiply(x, w), axes, keepdims), sum(w, axes, keepdims))


def median(x: Any, /, axis: Axis = None, keepdims: bool = False) -> Any:
    """The middle element along the axes, or the mean of both middle ones; NaN if there is a NaN.

    Raises:
        ShapeError: there are no elements.

    Example:
        >>> import tensorgrad as tg
        >>> tg.median(tg.tensor([5.0, 1.0, 2.0, 3.0])).item()
        2.5
    """
    rows, shape = _sorted_rows("median", x, axis, keepdims)
    n = rows.shape[-1]
    middle = mean(rows[..., (n - 1) // 2 : n // 2 + 1], -1)
    return reshape(_nan_wins(rows, middle), shape)


def quantile(x: Any, q: Any, /, axis: Axis = None, *, keepdims: bool = False) -> Any:
    """The value below which a part ``q`` of the elements lies, linear between the two that are nearest.

    Args:
        x: an array or tensor of floating numbers.
        q: a number in [0, 1], or an array of them, whose axes come first in the result; a constant.
        axis: the axes, all if None.
        keepdims: keep them with length 1.

    Raises:
        DtypeError: ``q`` is a tensor, or ``x`` is boolean or complex.
        ShapeError: there are no elements, or ``q`` is out of range.

    Example:
        >>> import tensorgrad as tg
        >>> tg.quantile(tg.tensor([1.0, 2.0, 3.0, 5.0]), 0.5).item()
        2.5
    """
    if isinstance(q, Value):
        raise DtypeError("quantile: q is a tensor; it is a constant, give a number or an array")
    if lifted("quantile", x).dtype.kind == "b":
        raise DtypeError("quantile: x is boolean, and there is nothing between its elements")
    part = np.asarray(q, np.float64)
    if not ((part >= 0) & (part <= 1)).all():
        raise ShapeError(f"quantile: q is {q}; [0, 1] is the range")
    rows, shape = _sorted_rows("quantile", x, axis, keepdims)
    place = part.ravel() * (rows.shape[-1] - 1)
    low = np.floor(place).astype(np.intp)
    weight = (place - low).astype(rows.dtype)
    y = read(rows, (..., low))
    if weight.any():  # otherwise both are the same elements, and infinities stay what they are
        y = y + (read(rows, (..., np.ceil(place).astype(np.intp))) - y) * weight
    y = moveaxis(_nan_wins(rows[..., None, :], y), -1, 0)
    return reshape(y, (*part.shape, *shape))


# ---- helpers


def _is_number(x: Any) -> Any:
    return x == x  # only a NaN differs from itself


def _without_nan(x: Any, value: float) -> Any:
    return where(_is_number(x), x, np.asarray(value, x.dtype)) if x.dtype.kind in "fc" else x


def _nan_extremum(op: str, reduce: Any, least: float, x: Any, axis: Axis, keepdims: bool) -> Any:
    x = lifted(op, x)
    axes = normalise_axes(op, axis, x.ndim)
    if not math.prod([x.shape[a] for a in axes]):
        raise ShapeError(f"{op}: x has shape {x.shape}; of no elements there is no extremum")
    if x.dtype.kind != "f":
        return reduce(x, axes, keepdims)
    y = reduce(_without_nan(x, least), axes, keepdims)
    return where(all(not_equal(x, x), axes, keepdims), np.asarray(math.nan, x.dtype), y)


def _sorted_rows(op: str, x: Any, axis: Axis, keepdims: bool) -> tuple[Any, tuple[int, ...]]:
    """``x`` with the axes as one, sorted, at the end; and the shape of what is picked from each row."""
    x = lifted(op, x)
    if x.dtype.kind == "c":
        raise DtypeError(f"{op}: x is complex, and complex numbers have no order")
    if x.dtype.kind != "f":
        x = astype(x, np.float64)
    axes = normalise_axes(op, axis, x.ndim)
    kept = [i for i in range(x.ndim) if i not in axes]
    lengths = [x.shape[i] for i in kept]
    count = math.prod([x.shape[a] for a in axes])
    if not count:
        raise ShapeError(f"{op}: x has shape {x.shape}; of no elements there is none in the middle")
    rows = sort(reshape(permute_dims(x, (*kept, *axes)), (*lengths, count)))
    shape = tuple([1 if i in axes else n for i, n in enumerate(x.shape)]) if keepdims else tuple(lengths)
    return rows, shape


def _nan_wins(rows: Any, picked: Any) -> Any:
    last = rows[..., -1]  # sorting puts NaN there
    return where(_is_number(last), picked, last)
