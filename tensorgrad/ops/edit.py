"""Arrays with something put in, taken out or written over; each gives a new array."""

from __future__ import annotations

from typing import Any, SupportsIndex

import numpy as np

from .._errors import DtypeError, IndexingError, ShapeError
from .._primitive import Value
from .dtype import astype
from .index import read, set_at
from .positions import known
from .shape import broadcast_to, concat, lifted, moveaxis, normalise_axis, ravel, reshape


def append(x: Any, values: Any, /, axis: SupportsIndex | None = None) -> Any:
    """``values`` put behind ``x`` along an axis; without one, both as rows.

    Raises:
        ShapeError: they have other lengths along the other axes.

    Example:
        >>> import tensorgrad as tg
        >>> tg.append(tg.tensor([1.0, 2.0]), 3.0)
        tensor([1., 2., 3.])
    """
    x = lifted("append", x)
    values = _beside("append", values, x.dtype)
    if axis is None:
        return concat([ravel(x), ravel(values)], axis=0)
    return concat([x, values], axis=normalise_axis("append", axis, x.ndim))


def delete(x: Any, index: Any, /, axis: SupportsIndex | None = None) -> Any:
    """``x`` without the elements at some places along an axis.

    Args:
        x: an array or tensor.
        index: the places: a number, a slice, a list of numbers, or booleans; constants, as they say
            what shape the result has.
        axis: the axis; None flattens ``x`` first.

    Raises:
        IndexingError: a place is out of range.
        DtypeError: the places are no constants.

    Example:
        >>> import tensorgrad as tg
        >>> tg.delete(tg.tensor([1.0, 2.0, 3.0]), 1)
        tensor([1., 3.])
    """
    x, place = _line("delete", x, axis)
    n = x.shape[place]
    kept = np.ones(n, bool)
    kept[_places("delete", index, n, n)] = False
    return read(x, (*(slice(None),) * place, np.flatnonzero(kept)))


def insert(x: Any, index: Any, values: Any, /, axis: SupportsIndex | None = None) -> Any:
    """``x`` with ``values`` put in before some places along an axis.

    Args:
        x: an array or tensor.
        index: the places in ``x``, as for `delete`; the length of the axis is the end.
        values: what to put in; it broadcasts to as many places.
        axis: the axis; None flattens ``x`` first.

    Raises:
        IndexingError: a place is out of range.
        ShapeError: the values do not broadcast.

    Example:
        >>> import tensorgrad as tg
        >>> tg.insert(tg.tensor([1.0, 2.0, 3.0]), [0, 2], [7.0, 8.0])
        tensor([7., 1., 2., 8., 3.])
    """
    x, place = _line("insert", x, axis)
    n = x.shape[place]
    values = astype(_beside("insert", values, x.dtype), x.dtype)
    alone = np.ndim(index) == 0 and not isinstance(index, slice)
    places = np.atleast_1d(_places("insert", index, n, n + 1))
    if alone:  # as in x[..., index, ...] = values: with all axes given, the first one counts what to put in
        values = reshape(values, (*[1] * (x.ndim - values.ndim), *values.shape))
        values = moveaxis(values, 0, place)
        places = np.repeat(places, values.shape[place])
    shape = (*x.shape[:place], len(places), *x.shape[place + 1 :])
    try:
        values = broadcast_to(values, shape)
    except ShapeError:
        raise ShapeError(f"insert: values {values.shape} do not broadcast to {shape}") from None
    order = np.argsort(places, kind="stable")
    into = np.empty(len(places), np.intp)
    into[order] = places[order] + np.arange(len(places))
    source = np.empty(n + len(places), np.intp)
    old = np.ones(len(source), bool)
    old[into] = False
    source[old], source[into] = np.arange(n), n + np.arange(len(places))
    return read(concat([x, values], axis=place), (*(slice(None),) * place, source))


def trim_zeros(x: Any, /, trim: str = "fb") -> Any:
    """``x`` without the zeros at its ends; its length depends on the values, so no program can hold it.

    Args:
        x: 1-D.
        trim: ``"f"`` for the front, ``"b"`` for the back, or both.

    Raises:
        ShapeError: ``x`` is not 1-D.
        TraceError: inside `tg.trace`, or IndexingError so under `vmap`.

    Example:
        >>> import tensorgrad as tg
        >>> tg.trim_zeros(tg.tensor([0.0, 1.0, 0.0, 2.0, 0.0]))
        tensor([1., 0., 2.])
    """
    x = lifted("trim_zeros", x)
    if x.ndim != 1:
        raise ShapeError(f"trim_zeros: x has shape {x.shape}; one axis is needed")
    found = np.flatnonzero(known("trim_zeros", x))
    if not found.size:
        return x[:0] if trim else x
    trim = trim.lower()
    return x[int(found[0]) if "f" in trim else 0 : int(found[-1]) + 1 if "b" in trim else x.size]


def fill_diagonal(x: Any, value: Any, /, *, wrap: bool = False) -> Any:
    """``x`` with ``value`` on its diagonal, as a new array.

    Args:
        x: an array or tensor with two axes, or with more of the same length.
        value: a number, or an array, which is repeated or cut to the length of the diagonal.
        wrap: in a tall matrix, go on below the square after a row is left out.

    Raises:
        ShapeError: ``x`` has one axis, or several of different lengths.

    Example:
        >>> import tensorgrad as tg
        >>> tg.fill_diagonal(tg.zeros((2, 2)), [1.0, 2.0])
        tensor([[1., 0.],
                [0., 2.]])
    """
    x = lifted("fill_diagonal", x)
    if x.ndim < 2 or (x.ndim > 2 and len(set(x.shape)) > 1):
        raise ShapeError(f"fill_diagonal: x has shape {x.shape}; two axes, or more of one length, are needed")
    step = x.shape[1] + 1 if x.ndim == 2 else sum([x.shape[0] ** i for i in range(x.ndim)])
    end = x.size if x.ndim > 2 or wrap else x.shape[1] * x.shape[1]
    places = np.arange(x.size)[:end:step]
    value = ravel(astype(_beside("fill_diagonal", value, x.dtype), x.dtype))
    if value.size != 1 and places.size:
        value = read(value, np.arange(places.size) % value.size)
    return reshape(set_at(ravel(x), value, places, pattern=("array",)), x.shape)


def block(arrays: Any, /) -> Any:
    """Blocks put together: the innermost lists along the last axis, those around them along the one before.

    Raises:
        ShapeError: a list is empty, the lists are not equally deep, or the blocks do not fit.

    Example:
        >>> import tensorgrad as tg
        >>> tg.block([[tg.ones((1, 1)), tg.zeros((1, 2))], [tg.zeros((1, 3))]])
        tensor([[1., 0., 0.],
                [0., 0., 0.]])
    """
    depth = _depth(arrays)
    leaves = [lifted("block", leaf) for leaf in _leaves(arrays)]
    rank = max([depth, *[leaf.ndim for leaf in leaves]])
    return _block(arrays, depth, rank)


# ---- helpers


def _block(arrays: Any, depth: int, rank: int) -> Any:
    if not depth:
        x = lifted("block", arrays)
        return reshape(x, (*[1] * (rank - x.ndim), *x.shape))
    return concat([_block(one, depth - 1, rank) for one in arrays], axis=rank - depth)


def _depth(arrays: Any) -> int:
    if not isinstance(arrays, list):
        return 0
    depths = {_depth(one) for one in arrays}
    if len(depths) != 1:
        raise ShapeError("block: a list is empty, or the lists are not equally deep")
    return depths.pop() + 1


def _leaves(arrays: Any) -> list[Any]:
    return [leaf for one in arrays for leaf in _leaves(one)] if isinstance(arrays, list) else [arrays]


def _beside(op: str, v: Any, dtype: Any) -> Any:
    """``v`` as something with axes; Python's numbers are weak, and take the dtype."""
    if isinstance(v, bool | int | float | complex):
        return np.asarray(v, np.result_type(dtype, v))
    return lifted(op, v)


def _line(op: str, x: Any, axis: SupportsIndex | None) -> tuple[Any, int]:
    x = lifted(op, x)
    return (ravel(x), 0) if axis is None else (x, normalise_axis(op, axis, x.ndim))


def _places(op: str, index: Any, n: int, end: int) -> Any:
    """The places that an index names, from 0; ``end`` is the first one that is out of range."""
    if isinstance(index, slice):
        return np.arange(n)[index]
    if isinstance(index, Value):
        raise DtypeError(
            f"{op}: the places are a tensor; they are constants, give a number, a list or an array"
        )
    found = np.asarray(index)
    if found.dtype.kind == "b":
        if found.shape != (n,):
            raise IndexingError(f"{op}: a mask of shape {found.shape} for an axis of length {n}")
        return np.flatnonzero(found)
    if found.dtype.kind not in "iu" and found.size:
        raise DtypeError(f"{op}: places of dtype {found.dtype}; whole numbers are needed")
    found = found.astype(np.intp).ravel()
    if ((found < -n) | (found >= end)).any():
        raise IndexingError(f"{op}: place {index} is out of range for an axis of length {n}")
    return np.where(found < 0, found + n, found)
