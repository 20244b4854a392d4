"""Products, and what runs along an axis: sums, products, extrema so far, differences."""

from __future__ import annotations

import math
from typing import Any, SupportsIndex

import numpy as np

from .._errors import DtypeError, ShapeError
from .._primitive import constant, linear, primitive
from .compare import equal
from .dtype import astype, cast_back, conjugate, in_dtype, numeric_dtype
from .elementwise import exp, subtract, where
from .index import take_along_axis
from .reduce import max, min, numpy_axes, restore_axes, sum
from .shape import (
    Axis,
    broadcast_to,
    concat,
    invert,
    lifted,
    normalise_axis,
    permute_dims,
    ravel,
    reduced_axes,
    reshape,
)

_product: Any = np.multiply.reduce

# ---- cards


@primitive
def prod(x: Any, /, axis: Axis = None, keepdims: bool = False, *, dtype: Any = None) -> Any:
    """Product over the axes; its derivative in an element is the product of the others, without division."""
    if dtype is not None:
        x = x.astype(numeric_dtype(dtype, "prod"))
    if x.dtype.char == "e":
        product = _product(x, axis=numpy_axes(axis), dtype=np.float32, keepdims=keepdims)
        return product.astype(x.dtype)
    return _product(x, axis=numpy_axes(axis), keepdims=keepdims)


@linear
def running_sum(x: Any, /, axis: int) -> Any:
    """The sum of each element and those before it along an axis; float16 is added up in float32."""
    if x.dtype.char == "e":
        return np.add.accumulate(x, axis=axis, dtype=np.float32).astype(x.dtype)
    return np.add.accumulate(x, axis=axis)


@primitive
def running_product(x: Any, /, axis: int) -> Any:
    """The product of each element and those before it along an axis."""
    if x.dtype.char == "e":
        return np.multiply.accumulate(x, axis=axis, dtype=np.float32).astype(x.dtype)
    return np.multiply.accumulate(x, axis=axis)


@primitive
def recurrence(a: Any, b: Any, /, axis: int) -> Any:
    """``y[k] = a[k] * y[k - 1] + b[k]`` along an axis: the derivative of running products, and its own."""
    if a.shape != b.shape:
        raise ShapeError(f"recurrence: a has shape {a.shape} and b {b.shape}; one shape is needed")
    y = np.empty(b.shape, np.result_type(a, b))
    rows, factors, terms = np.moveaxis(y, axis, 0), np.moveaxis(a, axis, 0), np.moveaxis(b, axis, 0)
    rows[:1] = terms[:1]
    for k in range(1, len(rows)):
        rows[k] = factors[k] * rows[k - 1] + terms[k]
    return y


@primitive
def running_logsumexp(x: Any, /, axis: int) -> Any:
    """The logarithm of the sum of exponentials up to each element along an axis; where it is -inf, the slopes are 0."""
    if x.dtype.char == "e":
        return np.logaddexp.accumulate(x, axis=axis, dtype=np.float32).astype(x.dtype)
    return np.logaddexp.accumulate(x, axis=axis)


@constant
def leaders(x: Any, /, axis: int, largest: bool) -> Any:
    """Where the largest (or smallest) element so far stands, the first of equal ones; a NaN stays in front."""
    x = np.moveaxis(x, axis, 0)
    top = (np.maximum if largest else np.minimum).accumulate(x, axis=0)
    fresh = np.ones(x.shape, bool)
    fresh[1:] = np.not_equal(top[1:], top[:-1]) & np.equal(top[:-1], top[:-1])
    places = np.arange(len(x)).reshape((-1, *[1] * (x.ndim - 1)))
    return np.moveaxis(np.maximum.accumulate(places * fresh, axis=0), 0, axis)


prod.vjp(
    x=lambda g, x, axis, keepdims, dtype: cast_back(
        restore_axes(g, x.shape, axis, keepdims) * _conjugate(_others(in_dtype("prod", x, dtype), axis)),
        x.dtype,
    )
)
prod.jvp(
    x=lambda t, x, axis, keepdims, dtype: sum(t * _others(in_dtype("prod", x, dtype), axis), axis, keepdims)
)
running_sum.transpose(x=lambda g, axis: _reversed(running_sum(_reversed(g, axis), axis), axis))
running_product.vjp(x=lambda g, x, y, axis: _conjugate(delayed(y, axis, 1)) * _recurrence_pull(g, x, axis))
running_product.jvp(x=lambda t, x, y, axis: recurrence(x, t * delayed(y, axis, 1), axis))
recurrence.vjp(
    a=lambda g, a, y, axis: _recurrence_pull(g, a, axis) * _conjugate(delayed(y, axis, 0)),
    b=lambda g, a, axis: _recurrence_pull(g, a, axis),
)
recurrence.jvp(
    a=lambda t, a, y, axis: recurrence(a, t * delayed(y, axis, 0), axis),
    b=lambda t, a, axis: recurrence(a, t, axis),
)

# y[k] = log(exp(y[k - 1]) + exp(x[k])): the share of each term is a number in [0, 1], so nothing overflows.
running_logsumexp.vjp(
    x=lambda g, x, y, axis: _part(x, y) * _recurrence_pull(g, _part(delayed(y, axis, -math.inf), y), axis)
)
running_logsumexp.jvp(
    x=lambda t, x, y, axis: recurrence(_part(delayed(y, axis, -math.inf), y), _part(x, y) * t, axis)
)


def _part(a: Any, y: Any) -> Any:
    """``exp(a - y)``: 0 where ``y`` is -inf, 1 where both are the same other infinity."""
    same = equal(a, y)
    return where(equal(y, -math.inf), 0, exp(where(same, 0, a) - where(same, 0, y)))


def _others(x: Any, axis: Axis) -> Any:
    """At each element the product of all others that are multiplied with it: those before times those after."""
    axes = reduced_axes("prod", axis, x.ndim)
    if not axes:
        return np.ones(x.shape, x.dtype)
    order = (*[i for i in range(x.ndim) if i not in axes], *axes)
    moved = permute_dims(x, order)
    kept = moved.shape[: x.ndim - len(axes)]
    count = int(np.prod(moved.shape[len(kept) :]))
    rows = reshape(moved, (*kept, count))
    last = len(kept)
    before = delayed(running_product(rows, last), last, 1)
    after = _reversed(delayed(running_product(_reversed(rows, last), last), last, 1), last)
    return permute_dims(reshape(before * after, moved.shape), invert(order))


def _recurrence_pull(g: Any, a: Any, axis: int) -> Any:
    """The transpose in ``b``: the recurrence from the end, where each step has the factor of the next."""
    factors = delayed(_reversed(_conjugate(a), axis), axis, 0)
    return _reversed(recurrence(factors, _reversed(g, axis), axis), axis)


def delayed(x: Any, axis: int, first: float) -> Any:
    """``x`` one place later along the axis, with ``first`` in front; the last element drops out."""
    if not x.shape[axis]:
        return x
    lead = (slice(None),) * axis
    front = np.full((*x.shape[:axis], 1, *x.shape[axis + 1 :]), first, x.dtype)
    return concat([front, x[(*lead, slice(0, -1))]], axis=axis)


def _reversed(x: Any, axis: int) -> Any:
    return x[(*(slice(None),) * axis, slice(None, None, -1))]


def _conjugate(x: Any) -> Any:
    return conjugate(x) if x.dtype.kind == "c" else x


@prod.batching
def _prod_batch(size: int, batched: Any, args: Any, axis: Axis, **settings: Any) -> Any:
    axes = reduced_axes("prod", axis, args[0].ndim - 1)
    return prod(args[0], tuple([a + 1 for a in axes]), **settings)


running_sum.batching(lambda size, batched, args, axis: running_sum(args[0], axis + 1))
running_product.batching(lambda size, batched, args, axis: running_product(args[0], axis + 1))
running_logsumexp.batching(lambda size, batched, args, axis: running_logsumexp(args[0], axis + 1))
leaders.batching(lambda size, batched, args, axis, largest: leaders(args[0], axis + 1, largest))


@recurrence.batching
def _recurrence_batch(size: int, batched: Any, args: Any, axis: int) -> Any:
    a, b = [x if own else broadcast_to(x, (size, *x.shape)) for x, own in zip(args, batched, strict=True)]
    return recurrence(a, b, axis + 1)


# ---- what runs along an axis


def cumsum(x: Any, /, axis: SupportsIndex | None = None, *, dtype: Any = None) -> Any:
    """The sum of each element and those before it.

    Args:
        x: an array or tensor.
        axis: the axis to go along; None flattens ``x`` first.
        dtype: to compute in, by default that of ``x``.

    Example:
        >>> import tensorgrad as tg
        >>> tg.cumsum(tg.tensor([1.0, 2.0, 3.0]))
        tensor([1., 3., 6.])
    """
    x, place = _line("cumsum", x, axis)
    return running_sum(in_dtype("cumsum", x, dtype), place)


def cumprod(x: Any, /, axis: SupportsIndex | None = None, *, dtype: Any = None) -> Any:
    """The product of each element and those before it; derivatives are exact where elements are 0.

    Args:
        x: an array or tensor.
        axis: the axis to go along; None flattens ``x`` first.
        dtype: to compute in, by default that of ``x``.

    Example:
        >>> import tensorgrad as tg
        >>> tg.grad(lambda x: tg.cumprod(x).sum())(tg.tensor([2.0, 0.0, 5.0]))
        tensor([ 1., 12.,  0.])
    """
    x, place = _line("cumprod", x, axis)
    return running_product(in_dtype("cumprod", x, dtype), place)


def cumulative_sum(
    x: Any, /, *, axis: SupportsIndex | None = None, dtype: Any = None, include_initial: bool = False
) -> Any:
    """The sums of `cumsum`, as the Array API standard has them.

    Args:
        x: an array or tensor.
        axis: the axis to go along; it may be left out if there is only one.
        dtype: to compute in, by default that of ``x``.
        include_initial: put the sum of nothing, 0, in front.

    Raises:
        ShapeError: no axis is named, and ``x`` has several.
    """
    return _cumulative("cumulative_sum", running_sum, 0, x, axis, dtype, include_initial)


def cumulative_prod(
    x: Any, /, *, axis: SupportsIndex | None = None, dtype: Any = None, include_initial: bool = False
) -> Any:
    """The products of `cumprod`, as the Array API standard has them.

    Args:
        x: an array or tensor.
        axis: the axis to go along; it may be left out if there is only one.
        dtype: to compute in, by default that of ``x``.
        include_initial: put the product of nothing, 1, in front.

    Raises:
        ShapeError: no axis is named, and ``x`` has several.
    """
    return _cumulative("cumulative_prod", running_product, 1, x, axis, dtype, include_initial)


def cummax(x: Any, /, axis: SupportsIndex = -1) -> Any:
    """The largest element so far along an axis; of equal ones the first gets the gradient.

    Example:
        >>> import tensorgrad as tg
        >>> tg.cummax(tg.tensor([1.0, 3.0, 2.0, 4.0]))
        tensor([1., 3., 3., 4.])
    """
    return _extremum_so_far("cummax", x, axis, True)


def cummin(x: Any, /, axis: SupportsIndex = -1) -> Any:
    """The smallest element so far along an axis; of equal ones the first gets the gradient."""
    return _extremum_so_far("cummin", x, axis, False)


def logcumsumexp(x: Any, /, axis: SupportsIndex | None = None) -> Any:
    """The logarithm of the sum of the exponentials of each element and those before it, without overflow.

    Args:
        x: an array or tensor of real numbers.
        axis: the axis to go along; None flattens ``x`` first.

    Raises:
        DtypeError: ``x`` is complex.

    Example:
        >>> import tensorgrad as tg
        >>> tg.logcumsumexp(tg.tensor([1000.0, 1000.0]))
        tensor([1000.    , 1000.6932])
    """
    x, place = _line("logcumsumexp", x, axis)
    if x.dtype.kind == "c":
        raise DtypeError(f"logcumsumexp: x has dtype {x.dtype}; real numbers are needed")
    return running_logsumexp(x if x.dtype.kind == "f" else astype(x, np.float64), place)


def ptp(x: Any, /, axis: Axis = None, keepdims: bool = False) -> Any:
    """Peak to peak: the largest element minus the smallest; equal ones share the gradient evenly."""
    x = lifted("ptp", x)
    axes = reduced_axes("ptp", axis, x.ndim)
    if not all(x.shape[a] for a in axes):
        raise ShapeError(f"ptp: x has shape {x.shape}; of no elements there is no largest")
    return subtract(max(x, axes, keepdims), min(x, axes, keepdims))


# ---- helpers


def _line(op: str, x: Any, axis: SupportsIndex | None) -> tuple[Any, int]:
    x = lifted(op, x)
    return (ravel(x), 0) if axis is None else (x, normalise_axis(op, axis, x.ndim))


def _cumulative(
    op: str, run: Any, start: int, x: Any, axis: SupportsIndex | None, dtype: Any, include_initial: bool
) -> Any:
    x = in_dtype(op, lifted(op, x), dtype)
    if axis is None and x.ndim > 1:
        raise ShapeError(f"{op}: x has shape {x.shape}; name the axis to go along")
    if not x.ndim:
        x = reshape(x, (1,))
    place = normalise_axis(op, 0 if axis is None else axis, x.ndim)
    y = run(x, place)
    if include_initial:
        front = np.full((*y.shape[:place], 1, *y.shape[place + 1 :]), start, y.dtype)
        y = concat([front, y], axis=place)
    return y


def _extremum_so_far(op: str, x: Any, axis: SupportsIndex, largest: bool) -> Any:
    x = lifted(op, x)
    place = normalise_axis(op, axis, x.ndim)
    return take_along_axis(x, leaders(x, place, largest), place)
