"""Joining, repeating and turning arrays by NumPy's names; all made of the ops of `shape` and `index`."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any, SupportsIndex

import numpy as np

from .._errors import ShapeError
from .dtype import astype
from .elementwise import power
from .index import read
from .positions import known
from .shape import (
    Axis,
    as_sequence,
    broadcast_to,
    concat,
    flip,
    lifted,
    moveaxis,
    normalise_axes,
    normalise_axis,
    ravel,
    reshape,
    split,
    swapaxes,
)

# ---- joining and taking apart


def concatenate(arrays: Sequence[Any], /, axis: int | None = 0) -> Any:
    """Join arrays along an axis that they have: `concat` by NumPy's name."""
    return concat(arrays, axis=axis)


def hstack(arrays: Sequence[Any], /) -> Any:
    """Join arrays side by side: along the second axis, 1-D ones along their only one.

    Example:
        >>> import tensorgrad as tg
        >>> tg.hstack([tg.ones((2, 1)), tg.zeros((2, 2))]).shape
        (2, 3)
    """
    parts = [atleast_1d(x) for x in _some("hstack", arrays)]
    return concat(parts, axis=0 if parts[0].ndim == 1 else 1)


def vstack(arrays: Sequence[Any], /) -> Any:
    """Join arrays one below the other: along the first axis, 1-D ones as rows."""
    return concat([atleast_2d(x) for x in _some("vstack", arrays)], axis=0)


def dstack(arrays: Sequence[Any], /) -> Any:
    """Join arrays one behind the other: along the third axis, which those with fewer get."""
    return concat([atleast_3d(x) for x in _some("dstack", arrays)], axis=2)


def column_stack(arrays: Sequence[Any], /) -> Any:
    """Join arrays side by side, 1-D ones as columns.

    Example:
        >>> import tensorgrad as tg
        >>> tg.column_stack([tg.ones(2), tg.zeros((2, 2))]).shape
        (2, 3)
    """
    parts = [lifted("column_stack", x) for x in _some("column_stack", arrays)]
    return concat([reshape(x, (x.size, 1)) if x.ndim < 2 else x for x in parts], axis=1)


def unstack(x: Any, /, *, axis: SupportsIndex = 0) -> tuple[Any, ...]:
    """The parts of ``x`` along an axis, each without it."""
    x = lifted("unstack", x)
    place = normalise_axis("unstack", axis, x.ndim)
    lead = (slice(None),) * place
    return tuple([x[(*lead, i)] for i in range(x.shape[place])])


def array_split(x: Any, sections: int | Sequence[int], /, axis: int = 0) -> tuple[Any, ...]:
    """Take ``x`` apart along an axis, as `split`, but into parts that may differ by one in length.

    Example:
        >>> import tensorgrad as tg
        >>> [len(part) for part in tg.array_split(tg.ones(5), 3)]
        [2, 2, 1]
    """
    x = lifted("array_split", x)
    place = normalise_axis("array_split", axis, x.ndim)
    if isinstance(sections, Sequence) or np.ndim(sections):
        return split(x, sections, axis=place)
    count = operator.index(sections)
    if count < 1:
        raise ShapeError(f"array_split: {count} parts were asked for; one or more are needed")
    short, longer = divmod(x.shape[place], count)
    ends = np.cumsum([short + 1] * longer + [short] * (count - longer))
    return split(x, ends[:-1].tolist(), axis=place)


def hsplit(x: Any, sections: int | Sequence[int], /) -> tuple[Any, ...]:
    """Take ``x`` apart along its second axis, as `split`; 1-D ones along their only one."""
    x = lifted("hsplit", x)
    return split(x, sections, axis=_axis_for("hsplit", x, 0 if x.ndim == 1 else 1))


def vsplit(x: Any, sections: int | Sequence[int], /) -> tuple[Any, ...]:
    """Take ``x``, which has two axes or more, apart along its first one, as `split`."""
    x = lifted("vsplit", x)
    _axis_for("vsplit", x, 1)
    return split(x, sections, axis=0)


def dsplit(x: Any, sections: int | Sequence[int], /) -> tuple[Any, ...]:
    """Take ``x``, which has three axes or more, apart along its third one, as `split`."""
    x = lifted("dsplit", x)
    return split(x, sections, axis=_axis_for("dsplit", x, 2))


def atleast_1d(*arrays: Any) -> Any:
    """Each array with an axis, if it has none; of one array the result, of several a tuple."""
    return _each("atleast_1d", arrays, lambda s: s or (1,))


def atleast_2d(*arrays: Any) -> Any:
    """Each array with two axes or more, new ones in front; of one array the result, of several a tuple."""
    return _each("atleast_2d", arrays, lambda s: (*[1] * (2 - len(s)), *s))


def atleast_3d(*arrays: Any) -> Any:
    """Each array with three axes or more: ``(n,)`` becomes ``(1, n, 1)``, and ``(m, n)`` ``(m, n, 1)``."""
    return _each("atleast_3d", arrays, lambda s: (*[1] * (2 - len(s)), *s, *[1] * (len(s) < 3)))


def broadcast_arrays(*arrays: Any) -> tuple[Any, ...]:
    """The arrays in the shape that they broadcast to together.

    Raises:
        ShapeError: they do not broadcast.
    """
    parts = [lifted("broadcast_arrays", x) for x in arrays]
    shapes = [x.shape for x in parts]
    try:
        shape = np.broadcast_shapes(*shapes)
    except ValueError:
        raise ShapeError(f"broadcast_arrays: shapes {shapes} do not broadcast together") from None
    return tuple([broadcast_to(x, shape) for x in parts])


def meshgrid(*arrays: Any, indexing: str = "xy") -> tuple[Any, ...]:
    """Coordinates on a grid: each 1-D array repeated along the axes of the others.

    Args:
        arrays: 1-D, the positions along each axis.
        indexing: ``"ij"`` for axes in the order of the arrays, ``"xy"`` with the first two exchanged.

    Raises:
        ShapeError: an array has more than one axis, or ``indexing`` is something else.

    Example:
        >>> import tensorgrad as tg
        >>> x, y = tg.meshgrid(tg.arange(3), tg.arange(2))
        >>> y
        tensor([[0, 0, 0],
                [1, 1, 1]])
    """
    if indexing not in ("xy", "ij"):
        raise ShapeError(f"meshgrid: indexing is {indexing!r}; 'xy' or 'ij' is meant")
    parts = [atleast_1d(x) for x in arrays]
    if wrong := [x.shape for x in parts if x.ndim > 1]:
        raise ShapeError(f"meshgrid: an array has shape {wrong[0]}; 1-D arrays are needed")
    n = len(parts)
    places = list(range(n))
    if indexing == "xy" and n > 1:
        places[:2] = [1, 0]
    shape = tuple([parts[i].size for i in places])  # exchanging two places is its own inverse
    return tuple(
        [
            broadcast_to(reshape(x, tuple([x.size if i == place else 1 for i in range(n)])), shape)
            for x, place in zip(parts, places, strict=True)
        ]
    )


# ---- repeating


def tile(x: Any, repetitions: int | Sequence[int], /) -> Any:
    """``x`` laid out side by side, so many times along each axis.

    Args:
        x: an array or tensor.
        repetitions: for the last axes if there are fewer, for new axes in front if there are more.

    Example:
        >>> import tensorgrad as tg
        >>> tg.tile(tg.tensor([1.0, 2.0]), (2, 2))
        tensor([[1., 2., 1., 2.],
                [1., 2., 1., 2.]])
    """
    x = lifted("tile", x)
    times = tuple([operator.index(r) for r in as_sequence(repetitions)])
    if negative := [r for r in times if r < 0]:
        raise ShapeError(f"tile: {negative[0]} repetitions; 0 or more are needed")
    rank = max(x.ndim, len(times))
    times = (*[1] * (rank - len(times)), *times)
    shape = (*[1] * (rank - x.ndim), *x.shape)
    wide = reshape(x, tuple([k for n in shape for k in (1, n)]))
    wide = broadcast_to(wide, tuple([k for pair in zip(times, shape, strict=True) for k in pair]))
    return reshape(wide, tuple([r * n for r, n in zip(times, shape, strict=True)]))


def repeat(x: Any, repeats: int | Sequence[int], /, axis: SupportsIndex | None = None) -> Any:
    """Each element repeated in its place.

    Args:
        x: an array or tensor.
        repeats: how often, for all or for each position along the axis.
        axis: the axis to repeat along; None flattens ``x`` first.

    Raises:
        ShapeError: the counts do not fit the axis, or one is negative.

    Example:
        >>> import tensorgrad as tg
        >>> tg.repeat(tg.tensor([1.0, 2.0]), [1, 3])
        tensor([1., 2., 2., 2.])
    """
    x = lifted("repeat", x)
    if axis is None:
        x, axis = ravel(x), 0
    place = normalise_axis("repeat", axis, x.ndim)
    try:
        positions = np.repeat(np.arange(x.shape[place]), known("repeat", repeats))
    except ValueError:
        raise ShapeError(
            f"repeat: repeats={repeats} for an axis of length {x.shape[place]}; one count of 0 or more, or one "
            "for each position, is needed"
        ) from None
    return _taken(x, positions, place)


def roll(x: Any, /, shift: int | Sequence[int], axis: Axis = None) -> Any:
    """``x`` moved along an axis; what leaves at the end comes in at the start.

    Args:
        x: an array or tensor.
        shift: by how many places, for each axis.
        axis: the axes; None moves the elements as one row.

    Example:
        >>> import tensorgrad as tg
        >>> tg.roll(tg.tensor([1.0, 2.0, 3.0]), 1)
        tensor([3., 1., 2.])
    """
    x = lifted("roll", x)
    if axis is None:
        whole = np.sum([operator.index(s) for s in as_sequence(shift)])
        return reshape(roll(ravel(x), int(whole), axis=0), x.shape)
    axes = [normalise_axis("roll", a, x.ndim) for a in as_sequence(axis)]
    shifts = [operator.index(s) for s in as_sequence(shift)]
    if len(shifts) != len(axes) and 1 not in (len(shifts), len(axes)):
        raise ShapeError(f"roll: {len(shifts)} shifts for {len(axes)} axes; one for each is needed")
    for s, place in np.broadcast(shifts, axes):
        n = x.shape[place]
        if n and s % n:
            lead = (slice(None),) * int(place)
            cut = n - int(s) % n
            x = concat([x[(*lead, slice(cut, n))], x[(*lead, slice(0, cut))]], axis=int(place))
    return x


def fliplr(x: Any, /) -> Any:
    """``x`` with the order of its columns, the second axis, reversed."""
    x = lifted("fliplr", x)
    return flip(x, axis=_axis_for("fliplr", x, 1))


def flipud(x: Any, /) -> Any:
    """``x`` with the order of its rows, the first axis, reversed."""
    x = lifted("flipud", x)
    return flip(x, axis=_axis_for("flipud", x, 0))


def rollaxis(x: Any, axis: int, start: int = 0, /) -> Any:
    """``x`` with an axis moved to stand before another one; `moveaxis` says where it comes to stand.

    Example:
        >>> import tensorgrad as tg
        >>> tg.rollaxis(tg.ones((2, 3, 4)), 2).shape
        (4, 2, 3)
    """
    x = lifted("rollaxis", x)
    axis = normalise_axis("rollaxis", axis, x.ndim)
    start = (
        normalise_axis("rollaxis", start, x.ndim + 1)
        if start >= 0
        else normalise_axis("rollaxis", start, x.ndim)
    )
    return moveaxis(x, axis, start - (axis < start))


def broadcast_shapes(*shapes: Sequence[int] | int) -> tuple[int, ...]:
    """The shape that arrays of these shapes broadcast to together.

    Raises:
        ShapeError: they do not broadcast.

    Example:
        >>> import tensorgrad as tg
        >>> tg.broadcast_shapes((2, 1), (3,))
        (2, 3)
    """
    try:
        found: tuple[int, ...] = np.broadcast_shapes(*shapes)
    except ValueError:
        raise ShapeError(f"broadcast_shapes: {list(shapes)} do not broadcast together") from None
    return found


def rot90(x: Any, /, k: int = 1, axes: Sequence[int] = (0, 1)) -> Any:
    """``x`` turned by 90 degrees ``k`` times, from the first of two axes towards the second.

    Raises:
        ShapeError: the axes are not two different ones.
    """
    x = lifted("rot90", x)
    if len(axes) != 2:
        raise ShapeError(f"rot90: axes={tuple(axes)}; two are needed")
    first, second = normalise_axes("rot90", tuple(axes), x.ndim)
    if k % 4 == 0:
        return x
    if k % 4 == 2:
        return flip(x, axis=(first, second))
    return swapaxes(flip(x, axis=second if k % 4 == 1 else first), first, second)


# ---- matrices of powers


def vander(x: Any, /, N: int | None = None, increasing: bool = False) -> Any:
    """Vandermonde matrix: a row of powers of each element, from the highest to ``x ** 0``.

    Args:
        x: 1-D.
        N: the number of columns, as many as rows if None.
        increasing: from ``x ** 0`` up.

    Raises:
        ShapeError: ``x`` is not 1-D.

    Example:
        >>> import tensorgrad as tg
        >>> tg.vander(tg.tensor([2.0, 3.0]), 3)
        tensor([[4., 2., 1.],
                [9., 3., 1.]])
    """
    x = lifted("vander", x)
    if x.ndim != 1:
        raise ShapeError(f"vander: x has shape {x.shape}; one axis is needed")
    if x.dtype.kind not in "fc":  # powers soon leave the small integers
        x = astype(x, np.promote_types(x.dtype, np.int64))
    exponents = np.arange(x.size if N is None else N).astype(x.dtype)
    return power(reshape(x, (x.size, 1)), exponents if increasing else exponents[::-1])


# ---- helpers


def _axis_for(op: str, x: Any, axis: int) -> int:
    if x.ndim <= axis:
        raise ShapeError(f"{op}: x has shape {x.shape}; {axis + 1} axes or more are needed")
    return axis


def _some(op: str, arrays: Sequence[Any]) -> Sequence[Any]:
    if not len(arrays):
        raise ShapeError(f"{op}: no arrays given; at least one is needed")
    return arrays


def _each(op: str, arrays: tuple[Any, ...], shape_for: Any) -> Any:
    lifteds = [lifted(op, x) for x in arrays]
    made = [reshape(x, shape_for(x.shape)) for x in lifteds]
    return made[0] if len(made) == 1 else tuple(made)


def _taken(x: Any, positions: Any, axis: int) -> Any:
    return read(x, (*(slice(None),) * axis, positions))
