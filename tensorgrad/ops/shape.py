"""Ops that move elements about: views first, then those that join and take apart."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, SupportsIndex

import numpy as np

from .._errors import DtypeError, ShapeError, TensorgradError
from .._primitive import declare, linear, view
from .._specialise import plain
from .adding import added

Axis = SupportsIndex | Sequence[SupportsIndex] | None


# ---- views


@view
def reshape(x: Any, /, shape: int | Sequence[int]) -> Any:
    """The elements of ``x`` in another shape, row by row; one length may be -1."""
    y = x.reshape(shape)
    return y if y.ndim else y[()]


@view
def permute_dims(x: Any, /, axes: Sequence[int]) -> Any:
    """``x`` with its axes in the order ``axes``."""
    return x.transpose(axes)


@view
def broadcast_to(x: Any, /, shape: Sequence[int]) -> Any:
    """``x`` repeated, without a copy, to a shape that it broadcasts to."""
    if x.size == 1 and type(shape) is tuple and len(shape) >= x.ndim and min(shape, default=0) >= 0:
        # One number everywhere, as in the gradient of a full sum: ten times faster than by NumPy's function.
        repeated: Any = np.ndarray(shape, x.dtype, x if x.ndim == 0 else x.reshape(()), 0, (0,) * len(shape))
        repeated.flags.writeable = False
        return repeated
    return np.broadcast_to(x, shape)


@linear
def sum_to(x: Any, /, shape: Sequence[int]) -> Any:
    """Sum ``x`` over the axes along which ``shape`` would be repeated: the transpose of `broadcast_to`."""
    before = x.ndim - len(shape)
    axes = (*range(before), *[i + before for i, n in enumerate(shape) if n == 1 and x.shape[i + before] != 1])
    return plain(added(x, axes).reshape(shape))


reshape.transpose(x=lambda g, x_shape: reshape(g, x_shape))
permute_dims.transpose(x=lambda g, axes: permute_dims(g, invert(axes)))
broadcast_to.transpose(x=lambda g, x_shape: sum_to(g, x_shape))
sum_to.transpose(x=lambda g, x_shape: broadcast_to(g, x_shape))


@reshape.batching
def _reshape_batch(size: int, batched: Any, args: Any, shape: Any) -> Any:
    (x,) = args
    shape = (shape,) if isinstance(shape, int) else tuple(shape)
    if -1 in shape and x.size == 0:  # NumPy cannot tell the length meant by -1 with the batch axis beside it
        shape = np.empty(x.shape[1:]).reshape(shape).shape
    return reshape(x, (size, *shape))


@permute_dims.batching
def _permute_batch(size: int, batched: Any, args: Any, axes: Any) -> Any:
    n = args[0].ndim - 1
    return permute_dims(args[0], (0, *[a % n + 1 for a in axes]))


@broadcast_to.batching
def _broadcast_batch(size: int, batched: Any, args: Any, shape: Any) -> Any:
    (x,) = args
    shape = (shape,) if isinstance(shape, SupportsIndex) else shape
    missing = len(shape) - (x.ndim - 1)
    return broadcast_to(reshape(x, (size, *[1] * missing, *x.shape[1:])), (size, *shape))


@sum_to.batching
def _sum_to_batch(size: int, batched: Any, args: Any, shape: Any) -> Any:
    (x,) = args
    missing = x.ndim - 1 - len(shape)
    summed = sum_to(x, (size, *[1] * missing, *shape))
    return reshape(summed, (size, *shape))


def transpose(x: Any, /, axes: Sequence[int] | None = None) -> Any:
    """``x`` with its axes in another order, reversed if none is given.

    Example:
        >>> import tensorgrad as tg
        >>> tg.transpose(tg.ones((2, 3, 4)), (0, 2, 1)).shape
        (2, 4, 3)
    """
    x = lifted("transpose", x)
    n = x.ndim
    order = tuple(range(n))[::-1] if axes is None else tuple(axes)
    if sorted([a % n if -n <= a < n else a for a in order]) != list(range(n)):
        raise ShapeError(f"transpose: axes {order} do not name each axis of a {n}-d array once")
    return permute_dims(x, order)


def matrix_transpose(x: Any, /) -> Any:
    """``x`` with its last two axes exchanged.

    Raises:
        ShapeError: it has fewer than two axes.
    """
    x = lifted("matrix_transpose", x)
    n = x.ndim
    if n < 2:
        raise ShapeError(f"matrix_transpose: x has shape {x.shape}; two axes or more are needed")
    return permute_dims(x, (*range(n - 2), n - 1, n - 2))


def swapaxes(x: Any, /, axis1: int, axis2: int) -> Any:
    """``x`` with two axes exchanged."""
    x = lifted("swapaxes", x)
    axis1, axis2 = normalise_axis("swapaxes", axis1, x.ndim), normalise_axis("swapaxes", axis2, x.ndim)
    order = list(range(x.ndim))
    order[axis1], order[axis2] = order[axis2], order[axis1]
    return permute_dims(x, tuple(order))


def moveaxis(x: Any, /, source: int | Sequence[int], destination: int | Sequence[int]) -> Any:
    """``x`` with one axis or several moved to other places, the others in their order.

    Raises:
        ShapeError: there are not as many places as axes, or one is named twice.
    """
    x = lifted("moveaxis", x)
    sources, places = [normalise_axes("moveaxis", as_sequence(a), x.ndim) for a in (source, destination)]
    if len(sources) != len(places):
        raise ShapeError(f"moveaxis: {len(sources)} axes and {len(places)} places; one for each is needed")
    order = [i for i in range(x.ndim) if i not in sources]
    for place, axis in sorted(zip(places, sources, strict=True)):
        order.insert(place, axis)
    return permute_dims(x, tuple(order))


def expand_dims(x: Any, /, axis: int | Sequence[int]) -> Any:
    """``x`` with an axis of length 1 put in at each place of ``axis`` (counted in the result)."""
    x = lifted("expand_dims", x)
    axes = tuple(as_sequence(axis))
    n = x.ndim + len(axes)
    places = {normalise_axis("expand_dims", a, n) for a in axes}
    if len(places) != len(axes):
        raise ShapeError(f"expand_dims: axis {axis} names a place twice")
    rest = iter(x.shape)
    return reshape(x, tuple(1 if i in places else next(rest) for i in range(n)))


def squeeze(x: Any, /, axis: int | Sequence[int] | None = None) -> Any:
    """``x`` without axes of length 1: those named, or all.

    Raises:
        ShapeError: a named axis is longer than 1.
    """
    x = lifted("squeeze", x)
    if axis is None:
        drop = {i for i, n in enumerate(x.shape) if n == 1}
    else:
        drop = set(normalise_axes("squeeze", axis, x.ndim))
    if wrong := [i for i in drop if x.shape[i] != 1]:
        raise ShapeError(f"squeeze: x has shape {x.shape}; axis {wrong[0]} is longer than 1")
    return reshape(x, tuple(n for i, n in enumerate(x.shape) if i not in drop))


def ravel(x: Any, /) -> Any:
    """The elements of ``x`` in one row."""
    x = lifted("ravel", x)
    return reshape(x, (-1,)) if x.size else reshape(x, (0,))


# ---- joining and taking apart


def _join(*arrays: Any, axis: int = 0) -> Any:
    """Arrays joined along an axis."""
    return np.concatenate(arrays, axis=axis)


def _split(x: Any, /, sections: Sequence[int], axis: int) -> tuple[Any, ...]:
    """Parts of ``x`` along an axis, cut before each position of ``sections``, which ascend."""
    lead = (slice(None),) * axis
    return tuple([x[(*lead, slice(i, j))] for i, j in pairwise((0, *sections, x.shape[axis]))])


_concat = declare(_join, "linear", analytic=True, name="concat")
split_at = declare(_split, "view", several=True, analytic=True, name="split")

_concat.transpose(
    arrays=lambda g, arrays_shape, axis: split_at(g, cuts([s[axis] for s in arrays_shape]), axis % g.ndim)
)
split_at.transpose(x=lambda g, axis: _concat(*g, axis=axis))


@_concat.batching
def _concat_batch(size: int, batched: Any, args: Any, axis: int) -> Any:
    full = [a if b else broadcast_to(a, (size, *a.shape)) for a, b in zip(args, batched, strict=True)]
    return _concat(*full, axis=normalise_axis("concat", axis, full[0].ndim - 1) + 1)


@split_at.batching
def _split_batch(size: int, batched: Any, args: Any, sections: Any, axis: int) -> Any:
    return split_at(args[0], sections, axis % (args[0].ndim - 1) + 1)


def concat(arrays: Sequence[Any], /, axis: int | None = 0) -> Any:
    """Join arrays along an axis that they have.

    Args:
        arrays: of one shape but for the length of ``axis``.
        axis: the axis; None flattens the arrays first.

    Raises:
        ShapeError: there are none, or their other lengths differ.

    Example:
        >>> import tensorgrad as tg
        >>> tg.concat([tg.ones((2, 1)), tg.zeros((2, 2))], axis=1).shape
        (2, 3)
    """
    if not len(arrays):
        raise ShapeError("concat: no arrays given; at least one is needed")
    if axis is None:
        return _concat(*[ravel(x) for x in _of_one_dtype(arrays)], axis=0)
    return _concat(*arrays, axis=axis)


def stack(arrays: Sequence[Any], /, axis: int = 0) -> Any:
    """Join arrays of one shape along a new axis.

    Raises:
        ShapeError: there are none, or their shapes differ.
    """
    shapes = {np.shape(x) if not hasattr(x, "shape") else x.shape for x in arrays}
    if len(shapes) != 1:
        raise ShapeError(f"stack: the arrays have shapes {sorted(shapes)}; one shape for all is needed")
    if not any(hasattr(x, "ndim") for x in arrays):
        return _concat(*[[x] for x in arrays], axis=axis)
    arrays = _of_one_dtype(arrays)
    axis = normalise_axis("stack", axis, arrays[0].ndim + 1)
    return _concat(*[expand_dims(x, axis) for x in arrays], axis=axis)


def _of_one_dtype(arrays: Sequence[Any]) -> Sequence[Any]:
    """The arrays, with lists among them as tensors, and numbers in the dtype that all have together."""
    if not any(hasattr(x, "ndim") for x in arrays):
        return arrays
    arrays = [lifted("stack", x) if isinstance(x, list | tuple) else x for x in arrays]
    dtype = np.result_type(*[x.dtype if hasattr(x, "dtype") else x for x in arrays])
    return [x if hasattr(x, "ndim") else np.asarray(x, dtype) for x in arrays]


def split(x: Any, sections: int | Sequence[int], /, axis: int = 0) -> tuple[Any, ...]:
    """Take ``x`` apart along an axis.

    Args:
        x: an array or tensor.
        sections: the number of equal parts, or the positions to cut before. As with slices, negative ones
            count from the end, and those beyond an end mean the end; where they descend, parts overlap.
        axis: the axis to cut.

    Raises:
        ShapeError: the axis cannot be cut into that many equal parts.

    Example:
        >>> import tensorgrad as tg
        >>> [part.shape for part in tg.split(tg.ones((6, 2)), [1, 3])]
        [(1, 2), (2, 2), (3, 2)]
    """
    x = lifted("split", x)
    axis = normalise_axis("split", axis, x.ndim)
    n = x.shape[axis]
    if isinstance(sections, Sequence) or np.ndim(sections):
        cut = tuple(
            [max(0, min(n, i + n if i < 0 else i)) for i in map(operator.index, as_sequence(sections))]
        )
    else:
        count = operator.index(sections)
        if count < 1 or n % count:
            raise ShapeError(f"split: axis {axis} has length {n}, which {count} equal parts do not divide")
        cut = tuple([n // count * i for i in range(1, count)])
    parts: tuple[Any, ...] = (split_at if sorted(cut) == [*cut] else _split)(x, cut, axis)
    return parts


def flip(x: Any, /, axis: int | Sequence[int] | None = None) -> Any:
    """``x`` with the order of its elements reversed along the axes, along all if none is given."""
    x = lifted("flip", x)
    places = normalise_axes("flip", axis, x.ndim)
    return x[tuple(slice(None, None, -1) if i in places else slice(None) for i in range(x.ndim))]


# ---- helpers


def lifted(op: str, x: Any) -> Any:
    """``x`` as something with axes: a list or a number becomes a tensor."""
    if hasattr(x, "ndim"):
        return x
    try:
        return reshape(x, np.shape(x))
    except (TensorgradError, ValueError) as error:
        raise DtypeError(f"{op}: {str(error).removeprefix('reshape: ')}") from None


def normalise_axis(op: str, axis: SupportsIndex, n: int) -> int:
    """The axis as a number from 0, or an error that names the op."""
    try:
        a = operator.index(axis)
    except TypeError:
        raise DtypeError(f"{op}: axis is {axis!r}; an integer is needed") from None
    if not -n <= a < n:
        raise ShapeError(f"{op}: axis {a} is out of range for {n} axes")
    return a % n


def normalise_axes(op: str, axis: Axis, n: int) -> tuple[int, ...]:
    """The axes as numbers from 0, all of them for None."""
    if axis is None:
        return tuple(range(n))
    axes = tuple([normalise_axis(op, a, n) for a in as_sequence(axis)])
    if len(set(axes)) != len(axes):
        raise ShapeError(f"{op}: axis {axis} names an axis twice")
    return axes


def reduced_axes(op: str, axis: Axis, n: int) -> tuple[int, ...]:
    """The axes of a reduction: with NumPy, 0 or -1 stands for none where there is no axis."""
    if not n and isinstance(axis, SupportsIndex) and operator.index(axis) in (0, -1):
        return ()
    return normalise_axes(op, axis, n)


def as_sequence(axis: Any) -> Sequence[Any]:
    """One axis, or several, as a sequence."""
    return axis if isinstance(axis, Sequence) else tuple(axis) if np.ndim(axis) else (axis,)


def invert(axes: Sequence[int]) -> tuple[int, ...]:
    """The order of axes that undoes ``axes``."""
    n = len(axes)
    places = [0] * n
    for i, a in enumerate(axes):
        places[a % n] = i
    return tuple(places)


def cuts(lengths: Sequence[int]) -> tuple[int, ...]:
    """The positions between parts of these lengths."""
    return tuple(np.cumsum(lengths[:-1]).tolist())
