"""Reductions: the primitives, and what is composed of them."""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from .._primitive import constant, linear, primitive
from .adding import LONG, added
from .dtype import astype, cast_back, conjugate, in_dtype, numeric_dtype, real
from .elementwise import multiply, sqrt, square, subtract
from .shape import Axis, as_sequence, broadcast_to, lifted, normalise_axes, reduced_axes, reshape

_add: Any = np.add.reduce
_maximum: Any = np.maximum.reduce
_minimum: Any = np.minimum.reduce


@linear
def sum(x: Any, /, axis: Axis = None, keepdims: bool = False, *, dtype: Any = None) -> Any:
    """Sum over the axes, in a dtype if one is given; float16 is added up in float32."""
    if dtype is not None:
        x = x.astype(numeric_dtype(dtype, "sum"))
    if x.size < LONG and x.dtype.char != "e":
        return _add(x, axis=numpy_axes(axis), keepdims=keepdims)
    return added(x, numpy_axes(axis), keepdims)


@primitive
def max(x: Any, /, axis: Axis = None, keepdims: bool = False) -> Any:
    """The largest element along the axes; equal ones share the gradient evenly."""
    return _maximum(x, axis=numpy_axes(axis), keepdims=keepdims)


@primitive
def min(x: Any, /, axis: Axis = None, keepdims: bool = False) -> Any:
    """The smallest element along the axes; equal ones share the gradient evenly."""
    return _minimum(x, axis=numpy_axes(axis), keepdims=keepdims)


@constant
def share(x: Any, top: Any, /, axis: Axis = None) -> Any:
    """1/n at the n elements of ``x`` that equal the extremum ``top``, 0 elsewhere; a NaN is its own equal."""
    hit = np.equal(x, top)
    if np.any(np.not_equal(top, top)):
        hit |= np.not_equal(x, x) & np.not_equal(top, top)
    found = hit.astype(x.dtype)
    # Ones are added exactly in float32 up to 2 ** 24, in float16 only to 2048.
    count = _add(hit if x.dtype == np.float16 else found, axis=numpy_axes(axis), keepdims=True)
    return found if np.all(count == 1) else found / count.astype(x.dtype)


sum.transpose(
    x=lambda g, x_shape, x_dtype, axis, keepdims, dtype: broadcast_to(
        restore_axes(g if dtype is None else cast_back(g, x_dtype), x_shape, axis, keepdims), x_shape
    )
)
for _extremum in (max, min):
    _extremum.vjp(
        x=lambda g, x, y, axis, keepdims: (
            restore_axes(g, x.shape, axis, keepdims)
            * share(x, restore_axes(y, x.shape, axis, keepdims), axis)
        )
    )
    _extremum.jvp(
        x=lambda t, x, y, axis, keepdims: sum(
            t * share(x, restore_axes(y, x.shape, axis, keepdims), axis), axis, keepdims
        )
    )


def _batch_rule(op: Any) -> Any:
    def rule(size: int, batched: Any, args: Any, axis: Axis, **settings: Any) -> Any:
        axes = reduced_axes(op.card.name, axis, args[0].ndim - 1)
        return op(args[0], tuple([a + 1 for a in axes]), **settings)

    return rule


for _op in (sum, max, min):
    _op.batching(_batch_rule(_op))


@share.batching
def _share_batch(size: int, batched: Any, args: Any, axis: Axis) -> Any:
    x, top = [a if b else broadcast_to(a, (size, *a.shape)) for a, b in zip(args, batched, strict=True)]
    return share(x, top, tuple([a + 1 for a in reduced_axes("max", axis, x.ndim - 1)]))


# ---- composed


def mean(x: Any, /, axis: Axis = None, keepdims: bool = False, *, dtype: Any = None) -> Any:
    """Arithmetic mean over the axes.

    Args:
        x: an array or tensor; of integers, the mean is a float.
        axis: the axes to average over, all if None.
        keepdims: keep them with length 1.
        dtype: to compute in, by default that of ``x``.

    Example:
        >>> import tensorgrad as tg
        >>> tg.mean(tg.tensor([[1.0, 2.0], [3.0, 6.0]]), axis=0)
        tensor([2., 4.])
    """
    x = in_dtype("mean", lifted("mean", x), dtype)
    if x.dtype == np.float16:  # the sum may be larger than float16 can hold
        return astype(mean(astype(x, np.float32), axis, keepdims), np.float16)
    count = _count("mean", x, axis)
    return sum(x, axis, keepdims) / count


def var(
    x: Any, /, axis: Axis = None, correction: float = 0, keepdims: bool = False, *, ddof: float | None = None
) -> Any:
    """Variance over the axes: the mean squared distance from the mean.

    Args:
        x: an array or tensor.
        axis: the axes, all if None.
        correction: subtracted from the count of elements; 1 gives the unbiased estimate.
        keepdims: keep the axes with length 1.
        ddof: NumPy's name for ``correction``.
    """
    return _variance("var", x, axis, correction if ddof is None else ddof, keepdims)


def std(
    x: Any, /, axis: Axis = None, correction: float = 0, keepdims: bool = False, *, ddof: float | None = None
) -> Any:
    """Standard deviation over the axes, the root of `var`; its gradient where all are equal is 0."""
    return root(_variance("std", x, axis, correction if ddof is None else ddof, keepdims))


def _variance(op: str, x: Any, axis: Axis, correction: float, keepdims: bool) -> Any:
    x = lifted(op, x)
    if x.dtype == np.float16:
        return astype(_variance(op, astype(x, np.float32), axis, correction, keepdims), np.float16)
    count = _count(op, x, axis)
    centred = subtract(x, mean(x, axis, True))
    free = count - correction
    return sum(squared_size(centred), axis, keepdims) / (
        free if free > 0 else 0
    )  # NaN, not a negative variance


def squared_size(x: Any) -> Any:
    """The square of each element; of a complex one that of its absolute value."""
    return real(multiply(x, conjugate(x))) if x.dtype.kind == "c" else square(x)


def root(v: Any) -> Any:
    """The square root of each element, with slope 0 at 0."""
    # sqrt has an infinite slope at 0, and 0 * inf would be NaN: shift zeros to 1 for the slope only.
    flat = v == 0
    return multiply(sqrt(v + flat), flat == 0)


# ---- helpers


def restore_axes(g: Any, shape: Sequence[int], axis: Axis, keepdims: bool) -> Any:
    """``g``, the result of a reduction, with the axes that it lost put back with length 1."""
    if keepdims or not shape:
        return g
    if axis is None:
        return reshape(g, (1,) * len(shape))
    gone = {operator.index(a) % len(shape) for a in as_sequence(axis)}
    return reshape(g, tuple([1 if i in gone else n for i, n in enumerate(shape)]))


def numpy_axes(axis: Axis) -> Any:
    """Axes as NumPy's reductions take them."""
    if axis is None or type(axis) is int:
        return axis
    found = tuple([operator.index(a) for a in as_sequence(axis)])
    return found if isinstance(axis, Sequence) else found[0]


def _count(op: str, x: Any, axis: Axis) -> int:
    return math.prod([x.shape[a] for a in normalise_axes(op, axis, x.ndim)])
