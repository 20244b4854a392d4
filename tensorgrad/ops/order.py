"""Order: the largest, the k-th, several keys, and places in what is sorted. NaN counts as the largest."""

from __future__ import annotations

import operator
from typing import Any, NamedTuple, SupportsIndex

import numpy as np

from .._errors import ShapeError
from .._primitive import constant
from .compare import argsort, equal, logical_and, logical_not
from .elementwise import minimum, subtract
from .index import sort, take_along_axis, take_at
from .positions import known, positions_of
from .shape import broadcast_to, concat, lifted, normalise_axis, ravel, reshape, squeeze


class Ranked(NamedTuple):
    """Elements picked by their rank, and where they stood."""

    values: Any
    indices: Any


# ---- picking by rank


def topk(x: Any, k: int, /, axis: SupportsIndex = -1, *, largest: bool = True, sorted: bool = True) -> Ranked:
    """The ``k`` largest elements along an axis, and their positions.

    Args:
        x: an array or tensor.
        k: how many.
        axis: the axis.
        largest: whether the largest are wanted, and not the smallest.
        sorted: accepted for PyTorch's sake; they always come in order, the best first. Of equal ones
            those that stand first come first.

    Returns:
        A named tuple ``(values, indices)``.

    Raises:
        ShapeError: there are fewer than ``k`` elements.

    Example:
        >>> import tensorgrad as tg
        >>> tg.topk(tg.tensor([1.0, 4.0, 3.0]), 2)
        Ranked(values=tensor([4., 3.]), indices=tensor([1, 2]))
    """
    x = lifted("topk", x)
    axis = normalise_axis("topk", axis, x.ndim)
    k = operator.index(k)
    if not 0 <= k <= x.shape[axis]:
        raise ShapeError(f"topk: k is {k}, and axis {axis} has length {x.shape[axis]}")
    first = argsort(x, axis, bool(largest))[(*[slice(None)] * axis, slice(k))]
    return Ranked(take_along_axis(x, first, axis), first)


def kthvalue(x: Any, k: int, /, axis: SupportsIndex = -1, *, keepdims: bool = False) -> Ranked:
    """The ``k``-th smallest element along an axis, counted from 1, and its position.

    Raises:
        ShapeError: ``k`` is not in [1, length of the axis].

    Example:
        >>> import tensorgrad as tg
        >>> tg.kthvalue(tg.tensor([5.0, 1.0, 3.0]), 2).values
        tensor(3.)
    """
    x = lifted("kthvalue", x)
    axis = normalise_axis("kthvalue", axis, x.ndim)
    k = operator.index(k)
    if not 1 <= k <= x.shape[axis]:
        raise ShapeError(f"kthvalue: k is {k}; [1, {x.shape[axis]}] is the range for axis {axis}")
    place = argsort(x, axis)[(*[slice(None)] * axis, slice(k - 1, k))]
    value = take_along_axis(x, place, axis)
    return Ranked(value, place) if keepdims else Ranked(squeeze(value, axis), squeeze(place, axis))


def partition(x: Any, /, kth: Any, axis: SupportsIndex | None = -1) -> Any:
    """``x`` with the ``kth`` element along an axis where sorting puts it, smaller ones before it.

    All of it is sorted, which is one of the orders that are allowed.

    Raises:
        IndexingError: ``kth`` is out of range.
    """
    x, axis = _checked_kth("partition", x, kth, axis)
    return sort(x, axis=axis)


def argpartition(x: Any, /, kth: Any, axis: SupportsIndex | None = -1) -> Any:
    """The positions that `partition` takes the elements from."""
    x, axis = _checked_kth("argpartition", x, kth, axis)
    return argsort(x, axis)


def lexsort(keys: Any, /, *, axis: SupportsIndex = -1) -> Any:
    """The positions that sort by several keys, the last of them first; a constant.

    Args:
        keys: arrays of one shape, or one array whose first axis counts them.
        axis: the axis to sort along.

    Raises:
        ShapeError: there are none, or their shapes differ.

    Example:
        >>> import tensorgrad as tg
        >>> tg.lexsort([tg.tensor([1, 0, 2]), tg.tensor([1, 1, 0])])
        tensor([2, 1, 0])
    """
    if not getattr(keys, "ndim", hasattr(keys, "__iter__")):
        raise ShapeError("lexsort: a single number given; a sequence of keys is needed")
    parts = [lifted("lexsort", one) for one in keys]
    shapes = {one.shape for one in parts}
    if len(shapes) != 1:
        raise ShapeError(f"lexsort: the keys have shapes {[one.shape for one in parts]}; one shape is needed")
    axis = normalise_axis("lexsort", axis, parts[0].ndim)
    order = argsort(parts[0], axis)
    for one in parts[1:]:
        order = take_along_axis(order, argsort(take_along_axis(one, order, axis), axis), axis)
    return order


# ---- places in what is sorted


def searchsorted(a: Any, v: Any, /, side: str = "left", sorter: Any = None) -> Any:
    """Where to insert ``v`` into a sorted ``a`` so that it stays sorted; integers, a constant.

    Args:
        a: a 1-D array in ascending order.
        v: an array of any shape.
        side: 'left' for the first place that will do, before equal elements, or 'right' for the last.
        sorter: positions that sort ``a``, if it is not in order.

    Raises:
        ShapeError: ``a`` is not 1-D, or ``side`` another word.

    Example:
        >>> import tensorgrad as tg
        >>> tg.searchsorted(tg.tensor([1.0, 2.0, 4.0]), tg.tensor([2.0, 3.0]))
        tensor([1, 2])
    """
    a, v = lifted("searchsorted", a), lifted("searchsorted", v)
    if side not in ("left", "right"):
        raise ShapeError(f"searchsorted: side is {side!r}; it is 'left' or 'right'")
    if a.ndim != 1:
        raise ShapeError(f"searchsorted: a has shape {a.shape}; one axis is needed")
    if sorter is not None:
        a = take_at(a, positions_of("searchsorted", sorter, 0, a.shape[0]), pattern=("array",))
    return insertion(a, v, side)


def digitize(x: Any, /, bins: Any, right: bool = False) -> Any:
    """The number of the bin that each element falls into: 0 before the first edge; integers, a constant.

    Args:
        x: an array or tensor.
        bins: the edges, 1-D, ascending or descending; constants.
        right: whether a bin has its right edge and not its left one.

    Raises:
        ShapeError: the edges are not in order.

    Example:
        >>> import tensorgrad as tg
        >>> tg.digitize(tg.tensor([0.5, 1.0, 9.0]), [0.0, 1.0, 2.0])
        tensor([1, 2, 3])
    """
    edges = known("digitize", bins)
    steps = np.diff(edges) if edges.ndim == 1 else None
    if steps is None or not ((steps >= 0).all() or (steps <= 0).all()):
        raise ShapeError("digitize: bins must be 1-D, and ascending or descending")
    if (steps >= 0).all():
        return searchsorted(edges, x, side="left" if right else "right")
    return subtract(len(edges), searchsorted(edges[::-1], x, side="left" if right else "right"))


def isin(x: Any, test_elements: Any, /, *, assume_unique: bool = False, invert: bool = False) -> Any:
    """Whether each element is among others; a NaN is not.

    Args:
        x: an array or tensor.
        test_elements: the others, in any shape.
        assume_unique: accepted for NumPy's sake; nothing depends on it.
        invert: ask whether it is not among them.

    Example:
        >>> import tensorgrad as tg
        >>> tg.isin(tg.tensor([1, 2, 3]), [2, 3, 5])
        tensor([False,  True,  True])
    """
    x, others = lifted("isin", x), sort(ravel(lifted("isin", test_elements)))
    n = others.shape[0]
    if not n:
        found = logical_and(equal(x, x), False)
    else:
        place = minimum(searchsorted(others, x), n - 1)
        found = equal(take_at(others, place, pattern=("array",)), x)
    return logical_not(found) if invert else found


@constant
def insertion(a: Any, v: Any, /, side: Any) -> Any:
    """The places at which each element of ``v`` keeps ``a`` sorted: ``a`` is 1-D."""
    return np.searchsorted(a, v, side)


@insertion.batching
def _insertion_batch(size: int, batched: Any, args: Any, side: str) -> Any:
    a, v = args
    if not batched[0]:
        return insertion(a, v, side)
    # Sorted together, each of v has before it those of v that sort before it, and the elements wanted.
    rows = (
        reshape(v, (size, -1) if v.size else (size, 0))
        if batched[1]
        else broadcast_to(ravel(v), (size, v.size))
    )
    n = a.shape[1]
    both = argsort(argsort(concat([rows, a] if side == "left" else [a, rows], axis=1)))
    both = both[:, : rows.shape[1]] if side == "left" else both[:, n:]
    return reshape(subtract(both, argsort(argsort(rows))), (size, *v.shape[batched[1] :]))


# ---- extrema beside NaN


def nanargmax(x: Any, /, axis: SupportsIndex | None = None, *, keepdims: bool = False) -> Any:
    """Position of the largest element along an axis that is not NaN, the first one where several are equal.

    Raises:
        ShapeError: there is a row of NaN only, or without elements.

    Example:
        >>> import tensorgrad as tg
        >>> tg.nanargmax(tg.tensor([1.0, float("nan"), 3.0]))
        tensor(2)
    """
    return _nan_position("nanargmax", x, axis, keepdims, True)


def nanargmin(x: Any, /, axis: SupportsIndex | None = None, *, keepdims: bool = False) -> Any:
    """Position of the smallest element along an axis that is not NaN, the first one where several are equal."""
    return _nan_position("nanargmin", x, axis, keepdims, False)


@constant
def best_number(x: Any, /, caller: str, axis: int, largest: bool) -> Any:
    """Position of the extremum along an axis that is not NaN, keeping the axis."""
    if not x.shape[axis]:
        raise ShapeError(f"{caller}: x has shape {x.shape}; of no elements there is no extremum")
    best = (
        (np.nanmax if largest else np.nanmin)
        if x.dtype.kind not in "fc"
        else np.fmax.reduce
        if largest
        else np.fmin.reduce
    )
    extremum = best(x, axis=axis, keepdims=True)
    if x.dtype.kind in "fc" and np.isnan(extremum).any():
        raise ShapeError(f"{caller}: a row along axis {axis} of x {x.shape} has nothing but NaN")
    return np.argmax(x == extremum, axis=axis, keepdims=True)


# ---- helpers


def _nan_position(caller: str, x: Any, axis: Any, keepdims: bool, largest: bool) -> Any:
    x = lifted(caller, x)
    if axis is None:
        found = best_number(ravel(x), caller, 0, largest)
        return reshape(found, (1,) * x.ndim if keepdims else ())
    axis = normalise_axis(caller, axis, x.ndim)
    found = best_number(x, caller, axis, largest)
    return found if keepdims else squeeze(found, axis)


@best_number.batching
def _best_number_batch(size: int, batched: Any, args: Any, caller: str, axis: int, largest: bool) -> Any:
    return best_number(args[0], caller, axis + 1, largest)


def _checked_kth(caller: str, x: Any, kth: Any, axis: Any) -> tuple[Any, int]:
    x = lifted(caller, x)
    if axis is None:
        x, axis = ravel(x), 0
    axis = normalise_axis(caller, axis, x.ndim)
    positions_of(caller, kth, axis, x.shape[axis])
    return x, axis
