"""Indexing: reads, writes and their transposes, positions along an axis, sorting.

An index is split into what is fixed (slices, numbers, new axes: the *pattern*) and the integer
arrays in it, which are inputs. So positions may be tensors, are recorded, and can be batched.
"""

from __future__ import annotations

import math
import operator
from typing import Any

import numpy as np

from .._config import get_default_dtype
from .._errors import DtypeError, IndexingError, ShapeError
from .._primitive import constant, declare, linear, view
from .._specialise import SCALARS, plain
from .compare import argsort
from .elementwise import multiply
from .positions import known
from .shape import broadcast_to, lifted, normalise_axis, permute_dims, ravel, reshape, sum_to

# ---- basic indexing: slices, numbers, ellipsis and new axes


@view
def getitem(x: Any, /, index: Any) -> Any:
    """The part of ``x`` that a basic index names, without a copy."""
    y = x[index]
    return y if y.ndim else y[()]


@linear
def place(x: Any, /, index: Any, shape: Any) -> Any:
    """Zeros of ``shape`` with ``x`` at ``index``: the transpose of `getitem`."""
    out = np.zeros(shape, x.dtype)
    out[index] = x
    return out


@linear
def setitem(x: Any, v: Any, /, index: Any) -> Any:
    """A copy of ``x`` with ``v`` at a basic index."""
    return _written(x, v, index)


getitem.transpose(x=lambda g, x_shape, index: place(g, index, x_shape))
place.transpose(x=lambda g, index: getitem(g, index))
setitem.transpose(
    x=lambda g, index: setitem(g, 0, index),
    v=lambda g, v_shape, index: sum_to(getitem(g, index), v_shape),
)

# ---- advanced indexing: with integer arrays


@linear
def take_at(x: Any, /, *indices: Any, pattern: Any) -> Any:
    """The elements of ``x`` at integer positions; ``pattern`` is the index with a gap for each array."""
    return x[_index(pattern, indices)]


@linear
def add_at(x: Any, /, *indices: Any, pattern: Any, shape: Any) -> Any:
    """Zeros of ``shape`` with ``x`` added at integer positions, repeated ones again and again."""
    return _added(x, _index(pattern, indices), shape)


@linear
def set_at(x: Any, v: Any, /, *indices: Any, pattern: Any) -> Any:
    """A copy of ``x`` with ``v`` at integer positions; of repeated positions the last one counts."""
    return _written(x, v, _index(pattern, indices))


@constant
def winners(x: Any, /, *indices: Any, pattern: Any) -> Any:
    """For each written position whether its value is the one that stays, as `set_at` writes to ``x``."""
    index = _index(pattern, indices)
    order = np.arange(x[index].size).reshape(x[index].shape)
    last = np.empty(x.shape, np.intp)
    last[index] = order
    return last[index] == order


take_at.transpose(x=lambda g, x_shape, indices, pattern: add_at(g, *indices, pattern=pattern, shape=x_shape))
add_at.transpose(x=lambda g, indices, pattern: take_at(g, *indices, pattern=pattern))
set_at.transpose(
    x=lambda g, indices, pattern: set_at(g, 0, *indices, pattern=pattern),
    v=lambda g, v_shape, indices, pattern: sum_to(
        multiply(take_at(g, *indices, pattern=pattern), winners(g, *indices, pattern=pattern)), v_shape
    ),
)

# ---- along one axis


@linear
def take_along_axis(x: Any, indices: Any, /, axis: int | None = -1) -> Any:
    """The elements of ``x`` at positions along an axis, one position for each place of the others.

    With ``axis=None`` they are positions in the row of all elements.
    """
    return np.take_along_axis(x, indices, axis)


@linear
def add_along_axis(x: Any, indices: Any, /, axis: int, shape: Any) -> Any:
    """Zeros of ``shape`` with ``x`` added at positions along an axis: the transpose of `take_along_axis`."""
    axis = normalise_axis("add_along_axis", axis, len(shape))
    if x.ndim != indices.ndim or any(n not in (1, m) for n, m in zip(indices.shape, x.shape, strict=True)):
        raise ShapeError(f"add_along_axis: indices {indices.shape} do not broadcast to x {x.shape}")
    whole = tuple([shape[axis] if i == axis else n for i, n in enumerate(x.shape)])
    grid = list(np.ogrid[tuple(slice(n) for n in x.shape)])
    grid[axis] = indices
    out = _added(x, tuple(grid), whole)
    return sum_to(out, shape) if whole != tuple(shape) else out  # `take_along_axis` broadcasts the other axes


take_along_axis.transpose(
    x=lambda g, indices, x_shape, axis: (
        reshape(add_along_axis(g, indices, 0, (math.prod(x_shape),)), x_shape)
        if axis is None
        else add_along_axis(g, indices, axis, x_shape)
    )
)
add_along_axis.transpose(x=lambda g, indices, axis: take_along_axis(g, indices, axis))


def sort(x: Any, /, axis: int | None = -1, *, descending: bool = False, stable: bool = True) -> Any:
    """``x`` sorted along an axis, all in one row for None; equal elements keep their order, and so do gradients.

    It is stable also where ``stable=False`` allows it not to be.

    Example:
        >>> import tensorgrad as tg
        >>> tg.sort(tg.tensor([3.0, 1.0, 2.0]))
        tensor([1., 2., 3.])
    """
    x = lifted("sort", x)
    if axis is None:
        x, axis = ravel(x), 0
    axis = normalise_axis("sort", axis, x.ndim)
    return take_along_axis(x, argsort(x, axis, descending), axis)


def one_hot(labels: Any, num_classes: int, *, dtype: Any = None) -> Any:
    """A 1 at the position that each label names, zeros elsewhere.

    Args:
        labels: integers in [0, num_classes).
        num_classes: length of the new last axis.
        dtype: of the result, the default float if None.

    Raises:
        DtypeError: the labels are not integers.
        ShapeError: a label is out of range; negative ones too.

    Example:
        >>> import tensorgrad as tg
        >>> tg.one_hot([1, 0], 2)
        tensor([[0., 1.],
                [1., 0.]])
    """
    return _one_hot(labels, operator.index(num_classes), np.dtype(dtype or get_default_dtype()))


def _positions_of(labels: Any, /, num_classes: int, dtype: Any) -> Any:
    """Zeros with a 1 at the position that each label names, along a new last axis."""
    if labels.dtype.kind not in "iu":
        raise DtypeError(f"one_hot: the labels have dtype {labels.dtype}; integers are needed")
    if labels.size and (labels.min() < 0 or labels.max() >= num_classes):
        raise ShapeError(
            f"one_hot: labels run from {labels.min()} to {labels.max()}; [0, {num_classes}) is the range"
        )
    return np.equal(labels[..., None], np.arange(num_classes)).astype(dtype)


_one_hot = declare(_positions_of, "constant", name="one_hot")
_one_hot.batching(lambda size, batched, args, num_classes, dtype: _one_hot(args[0], num_classes, dtype))

# ---- the index that a user writes


def read(x: Any, index: Any) -> Any:
    """``x[index]`` for any index that NumPy takes."""
    pattern, arrays = parse(index, x.shape)
    return take_at(x, *arrays, pattern=pattern) if arrays else getitem(x, pattern)


def written(x: Any, v: Any, index: Any) -> Any:
    """``x`` with ``v`` at ``index``, as a new value."""
    pattern, arrays = parse(index, x.shape)
    return set_at(x, v, *arrays, pattern=pattern) if arrays else setitem(x, v, pattern)


def plain_index(index: Any, shape: tuple[int, ...]) -> tuple[Any, ...]:
    """``index`` as NumPy takes it, of a kind that may hold tensors without a level."""
    pattern, arrays = parse(index, shape)
    return _index(pattern, [np.asarray(a) for a in arrays])


def parse(index: Any, shape: tuple[int, ...]) -> tuple[tuple[Any, ...], list[Any]]:
    """Split an index into its pattern and the integer arrays that fill the gaps (``None`` is a new axis).

    A gap is the string ``"array"``. A boolean mask becomes the positions where it is true.
    """
    items = index if isinstance(index, tuple) else (index,)
    pattern: list[Any] = []
    arrays: list[Any] = []
    axis = 0
    for item in items:
        if item is None or (isinstance(item, int | np.integer) and not isinstance(item, bool)):
            pattern.append(item if item is None else int(item))
            axis += item is not None
        elif isinstance(item, slice):
            pattern.append(
                slice(*[None if end is None else _whole(end) for end in (item.start, item.stop, item.step)])
            )
            axis += 1
        elif item is Ellipsis:
            pattern.append(item)
            axis += len(shape) - sum_of_axes(items)
        else:
            positions = _positions(item, shape, axis)
            arrays += positions
            pattern += ["array"] * len(positions)
            axis += len(positions)
    return tuple(pattern), arrays


def sum_of_axes(items: tuple[Any, ...]) -> int:
    """How many axes the items of an index use up; a mask uses one for each of its own."""
    used = 0
    for item in items:
        if item is None or item is Ellipsis:
            continue
        is_mask = getattr(item, "dtype", None) == np.bool_ or isinstance(item, bool)
        used += np.ndim(item) if is_mask and not hasattr(item, "ndim") else item.ndim if is_mask else 1
    return used


def _positions(item: Any, shape: tuple[int, ...], axis: int) -> list[Any]:
    if isinstance(item, np.ma.MaskedArray):
        raise DtypeError(
            "index: a masked array was given, and its mask would be lost; fill it first: a.filled(0)"
        )
    if isinstance(item, list | bool | np.bool_):
        item = np.asarray(item)
        if item.size == 0 and item.dtype.kind == "f":
            item = item.astype(np.intp)
    kind = getattr(getattr(item, "dtype", None), "kind", "")
    if kind in ("i", "u"):
        return [item]
    if kind != "b":
        raise IndexingError(
            f"index: {type(item).__name__} of dtype {getattr(item, 'dtype', None)} given; an index is made "
            "of integers, slices, None, ..., integer arrays and boolean masks"
        )
    mask = known("index", item)
    if mask.ndim == 0:
        raise IndexingError("index: a single boolean given; use tg.where, or a mask with an axis")
    if mask.shape != shape[axis : axis + mask.ndim]:
        raise IndexingError(
            f"index: the mask has shape {mask.shape}, but the axes that it covers are {shape[axis : axis + mask.ndim]}"
        )
    return list(np.nonzero(mask))


def _whole(end: Any) -> int:
    if not hasattr(end, "__index__"):
        raise IndexingError(f"index: a slice has {end!r} as an end; integers are needed")
    return int(end.__index__())


def _index(pattern: Any, indices: Any) -> tuple[Any, ...]:
    if len(indices) == len(pattern):
        return tuple(indices)
    gaps = iter(indices)
    return tuple([next(gaps) if item == "array" else item for item in pattern])


def check_fits(v: Any, dtype: Any, caller: str = "[...] =") -> None:
    """Raise if writing ``v`` into an array of ``dtype`` would change its kind: a float into integers."""
    if type(v) in SCALARS:
        if dtype.kind in "fc" or (dtype.kind in "iu" and type(v) is not float) or type(v) is bool:
            return  # whether its size fits is for NumPy to say
        kind = np.asarray(v).dtype
    else:
        kind = v.dtype if hasattr(v, "dtype") else np.asarray(v).dtype
    if not np.can_cast(kind, dtype, "same_kind"):
        raise DtypeError(
            f"{caller}: values of dtype {kind} do not fit an array of {dtype}; convert by .astype first"
        )


def _written(x: Any, v: Any, index: Any) -> Any:
    check_fits(v, x.dtype)
    out = np.array(x)
    out[index] = v
    return plain(out)


def _added(x: Any, index: Any, shape: Any) -> Any:
    # A sum in half precision stops at 2048, where adding 1 changes nothing.
    out = np.zeros(shape, np.float32 if x.dtype.char == "e" else x.dtype)
    if len(index) == 1 and len(shape) > 1 and x.shape == (*np.shape(index[0]), *shape[1:]):
        # Whole rows, as in an embedding: NumPy adds single elements several times faster than rows.
        width = math.prod(shape[1:])
        np.add.at(
            out.reshape(-1), (np.asarray(index[0])[..., None] * width + np.arange(width)).ravel(), x.ravel()
        )
    else:
        np.add.at(out, index, x)
    return out.astype(x.dtype, copy=False)


# ---- batching


def _batched(args: Any, batched: Any, size: int) -> list[Any]:
    return [a if b else broadcast_to(a, (size, *np.shape(a))) for a, b in zip(args, batched, strict=True)]


@getitem.batching
def _getitem_batch(size: int, batched: Any, args: Any, index: Any) -> Any:
    return getitem(args[0], _behind_batch(index))


@place.batching
def _place_batch(size: int, batched: Any, args: Any, index: Any, shape: Any) -> Any:
    return place(args[0], _behind_batch(index), (size, *shape))


@take_along_axis.batching
def _take_along_batch(size: int, batched: Any, args: Any, axis: int | None) -> Any:
    x, indices = _batched(args, batched, size)
    if axis is None:
        x, axis = reshape(x, (size, math.prod(x.shape[1:]))), 0
    return take_along_axis(x, indices, normalise_axis("take_along_axis", axis, x.ndim - 1) + 1)


@add_along_axis.batching
def _add_along_batch(size: int, batched: Any, args: Any, axis: int, shape: Any) -> Any:
    x, indices = _batched(args, batched, size)
    return add_along_axis(x, indices, axis % len(shape) + 1, (size, *shape))


def _behind_batch(index: Any) -> tuple[Any, ...]:
    return (slice(None), *(index if isinstance(index, tuple) else (index,)))


@setitem.batching
def _setitem_batch(size: int, batched: Any, args: Any, index: Any) -> Any:
    x, v = args
    if not batched[0]:
        x = broadcast_to(x, (size, *x.shape))
    behind = _behind_batch(index)
    if batched[1]:
        missing = len(_region(x.shape, behind)) - v.ndim
        v = reshape(v, (size, *[1] * missing, *v.shape[1:])) if missing > 0 else v
    return setitem(x, v, behind)


@take_at.batching
def _take_at_batch(size: int, batched: Any, args: Any, pattern: Any) -> Any:
    x, *indices = args
    x = x if batched[0] else broadcast_to(x, (size, *x.shape))
    found = _BatchIndex(size, batched[1:], indices, pattern, x.ndim - 1)
    return found.restore(take_at(x, *found.indices, pattern=found.pattern))


@add_at.batching
def _add_at_batch(size: int, batched: Any, args: Any, pattern: Any, shape: Any) -> Any:
    x, *indices = args
    x = x if batched[0] else broadcast_to(x, (size, *x.shape))
    found = _BatchIndex(size, batched[1:], indices, pattern, len(shape))
    return add_at(found.arrange(x), *found.indices, pattern=found.pattern, shape=(size, *shape))


@set_at.batching
def _set_at_batch(size: int, batched: Any, args: Any, pattern: Any) -> Any:
    x, v, *indices = args
    x = x if batched[0] else broadcast_to(x, (size, *x.shape))
    found = _BatchIndex(size, batched[2:], indices, pattern, x.ndim - 1)
    region = found.region(x.shape)
    own = (size, *v.shape[1:]) if batched[1] else np.shape(v)
    missing = len(region) - len(own) if batched[1] else 0
    if batched[1]:
        v = reshape(v, (size, *[1] * missing, *v.shape[1:]))
    return set_at(x, found.arrange(broadcast_to(v, region)), *found.indices, pattern=found.pattern)


@winners.batching
def _winners_batch(size: int, batched: Any, args: Any, pattern: Any) -> Any:
    x, *indices = args
    x = x if batched[0] else broadcast_to(x, (size, *x.shape))
    found = _BatchIndex(size, batched[1:], indices, pattern, x.ndim - 1)
    return found.restore(winners(x, *found.indices, pattern=found.pattern))


class _BatchIndex:
    """An index with arrays, for a batch: the position in the batch becomes one more array.

    NumPy puts the axes of arrays that do not stand together in front. With the batch array in front
    the axes are (batch, arrays, all slices), so those of the slices before the arrays are moved.
    """

    def __init__(self, size: int, batched: Any, indices: Any, pattern: Any, rank: int) -> None:
        ranks = [i.ndim - b for i, b in zip(indices, batched, strict=True)]
        self.wide = max(ranks)
        self.indices = [np.arange(size).reshape((size, *[1] * self.wide))]
        for i, own, b in zip(indices, ranks, batched, strict=True):
            self.indices.append(reshape(i, (size, *[1] * (self.wide - own), *i.shape[1:])) if b else i)
        self.pattern = ("array", *pattern)
        advanced = [item == "array" or isinstance(item, int) for item in pattern]
        first, last = advanced.index(True), len(advanced) - 1 - advanced[::-1].index(True)
        self.lead = 0
        if all(advanced[first : last + 1]):
            used = sum_of_axes(tuple([i for i in pattern if i != "array"])) + pattern.count("array")
            self.lead = first + (rank - used - 1 if Ellipsis in pattern[:first] else 0)

    def restore(self, y: Any) -> Any:
        """A result with its axes where one example has them."""
        w, n = self.wide, self.lead
        return (
            permute_dims(y, (0, *range(1 + w, 1 + w + n), *range(1, 1 + w), *range(1 + w + n, y.ndim)))
            if n
            else y
        )

    def arrange(self, v: Any) -> Any:
        """A value for the index, with its axes where the batch index has them."""
        w, n = self.wide, self.lead
        return (
            permute_dims(v, (0, *range(1 + n, 1 + n + w), *range(1, 1 + n), *range(1 + n + w, v.ndim)))
            if n
            else v
        )

    def region(self, shape: Any) -> tuple[int, ...]:
        """The shape of what the index names, axes as one example has them."""
        plain = [np.zeros(i.shape, np.intp) for i in self.indices]
        return tuple(self.restore(np.broadcast_to(np.False_, shape)[_index(self.pattern, plain)]).shape)


def _region(shape: Any, index: Any) -> tuple[int, ...]:
    return tuple(np.broadcast_to(np.False_, shape)[index].shape)
