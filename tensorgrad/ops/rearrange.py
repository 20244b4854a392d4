"""Elements in other arrangements: axes taken apart, cyclic copies, combinations, runs of equal elements."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any, SupportsIndex

import numpy as np

from .._errors import ShapeError
from .._specialise import SCALARS
from .arrange import meshgrid
from .count import unique
from .index import check_fits, read, set_at, take_at
from .positions import as_given, known, lead_to, positions_of
from .shape import concat, lifted, normalise_axis, ravel, reshape, stack


def unflatten(x: Any, axis: SupportsIndex, shape: Sequence[int], /) -> Any:
    """``x`` with one axis taken apart into several.

    Args:
        x: an array or tensor.
        axis: the axis.
        shape: the lengths it becomes; one may be -1, for what is left.

    Raises:
        ShapeError: the lengths do not multiply to that of the axis.

    Example:
        >>> import tensorgrad as tg
        >>> tg.unflatten(tg.zeros((2, 6)), 1, (3, -1)).shape
        (2, 3, 2)
    """
    x = lifted("unflatten", x)
    axis, lengths = normalise_axis("unflatten", axis, x.ndim), list(shape)
    if lengths.count(-1) == 1:
        rest = math.prod([n for n in lengths if n != -1])
        lengths[lengths.index(-1)] = x.shape[axis] // rest if rest else 0
    if math.prod(lengths) != x.shape[axis] or any(n < 0 for n in lengths):
        raise ShapeError(f"unflatten: axis {axis} of {x.shape} cannot become {tuple(shape)}")
    return reshape(x, (*x.shape[:axis], *lengths, *x.shape[axis + 1 :]))


def resize(x: Any, shape: int | Sequence[int], /) -> Any:
    """The elements of ``x``, again and again, in another shape.

    Args:
        x: an array or tensor.
        shape: any lengths.

    Raises:
        ShapeError: a length is negative, or ``x`` is empty and the shape is not.

    Example:
        >>> import tensorgrad as tg
        >>> tg.resize(tg.tensor([1.0, 2.0, 3.0]), (2, 2))
        tensor([[1., 2.],
                [3., 1.]])
    """
    x = lifted("resize", x)
    lengths = (shape,) if isinstance(shape, int) else tuple(shape)
    size = math.prod(lengths)
    if any(n < 0 for n in lengths) or (size and not x.size):
        raise ShapeError(f"resize: x with {x.size} elements cannot fill the shape {lengths}")
    return reshape(read(ravel(x), np.arange(size) % max(x.size, 1)), lengths)


def index_fill(x: Any, axis: SupportsIndex, index: Any, value: Any, /) -> Any:
    """``x`` with ``value`` at some positions along an axis.

    Args:
        x: an array or tensor.
        axis: the axis.
        index: integers, 1-D.
        value: a number.

    Raises:
        IndexingError: an index is out of range.
        ShapeError: ``value`` is not one number.

    Example:
        >>> import tensorgrad as tg
        >>> tg.index_fill(tg.zeros((2, 3)), 1, [0, 2], 1.0)
        tensor([[1., 0., 1.],
                [1., 0., 1.]])
    """
    x = lifted("index_fill", x)
    axis = normalise_axis("index_fill", axis, x.ndim)
    if np.ndim(value):
        raise ShapeError(f"index_fill: value has shape {np.shape(value)}; one number is needed")
    value = np.asarray(value, np.result_type(x.dtype, value)) if type(value) in SCALARS else value
    check_fits(value, x.dtype, "index_fill")
    place = positions_of("index_fill", index, axis, x.shape[axis])
    return set_at(x, value, place, pattern=lead_to(axis))


def cartesian_prod(*arrays: Any) -> Any:
    """Every choice of one element from each array, in a row each; the last array runs fastest.

    Args:
        *arrays: 1-D.

    Raises:
        ShapeError: there is no array, or one has more than one axis.

    Example:
        >>> import tensorgrad as tg
        >>> tg.cartesian_prod(tg.tensor([1, 2]), tg.tensor([5, 6]))
        tensor([[1, 5],
                [1, 6],
                [2, 5],
                [2, 6]])
    """
    if not arrays or any(np.ndim(one) != 1 for one in arrays):
        raise ShapeError(f"cartesian_prod: 1-D arrays are needed, not {[np.shape(one) for one in arrays]}")
    parts = [ravel(one) for one in meshgrid(*arrays, indexing="ij")]
    return stack(parts, axis=-1) if len(parts) > 1 else parts[0]


def combinations(x: Any, /, r: int = 2, *, with_replacement: bool = False) -> Any:
    """Every choice of ``r`` elements, in a row each, in the order of `itertools.combinations`.

    Args:
        x: 1-D.
        r: how many.
        with_replacement: whether one element may be chosen again.

    Raises:
        ShapeError: ``x`` is not 1-D, or ``r`` is negative.

    Example:
        >>> import tensorgrad as tg
        >>> tg.combinations(tg.tensor([1.0, 2.0, 3.0]))
        tensor([[1., 2.],
                [1., 3.],
                [2., 3.]])
    """
    x = lifted("combinations", x)
    if x.ndim != 1 or r < 0:
        raise ShapeError(f"combinations: of x with shape {x.shape}, {r}; one axis and r >= 0 are needed")
    chosen = itertools.combinations_with_replacement if with_replacement else itertools.combinations
    places = list(chosen(range(x.shape[0]), r))
    return read(x, np.array(places, np.intp).reshape(len(places), r))


def unique_consecutive(
    x: Any,
    /,
    *,
    return_inverse: bool = False,
    return_counts: bool = False,
    axis: SupportsIndex | None = None,
) -> Any:
    """The first of each run of equal elements; it gets the gradient.

    Args:
        x: an array or tensor.
        return_inverse: return in which run each element is, too.
        return_counts: return how long the runs are, too.
        axis: find runs of equal parts along this axis; None is for the elements.

    Raises:
        TraceError: in a recorded program, or IndexingError under `vmap`, since their number is not fixed.

    Example:
        >>> import tensorgrad as tg
        >>> tg.unique_consecutive(tg.tensor([1.0, 1.0, 2.0, 1.0]), return_counts=True)
        (tensor([1., 2., 1.]), tensor([2, 1, 1]))
    """
    x = lifted("unique_consecutive", x)
    given = x
    place = 0 if axis is None else normalise_axis("unique_consecutive", axis, x.ndim)
    x = ravel(x) if axis is None else x
    parts = np.moveaxis(known("unique_consecutive", x), place, 0)
    changed = (parts[1:] != parts[:-1]).any(axis=tuple(range(1, parts.ndim)))
    starts = np.concatenate([np.ones(min(len(parts), 1), bool), changed])
    first = np.flatnonzero(starts)
    values = take_at(x, first, pattern=lead_to(place))
    found = [values]
    if return_inverse:
        run = np.cumsum(starts) - 1
        found.append(as_given(run.reshape(given.shape) if axis is None else run, x))
    if return_counts:
        found.append(as_given(np.diff(first, append=len(parts)), x))
    return tuple(found) if len(found) > 1 else values


def setxor1d(a: Any, b: Any, /) -> Any:
    """The distinct elements that are in one of two arrays but not in both, in ascending order.

    Raises:
        TraceError: in a recorded program, or IndexingError under `vmap`, since their number is not fixed.

    Example:
        >>> import tensorgrad as tg
        >>> tg.setxor1d(tg.tensor([1, 2, 3]), tg.tensor([2, 5]))
        tensor([1, 3, 5])
    """
    both = concat([unique(lifted("setxor1d", a)), unique(lifted("setxor1d", b))])
    values, counts = unique(both, return_counts=True, equal_nan=False)
    return take_at(values, np.flatnonzero(known("setxor1d", counts) == 1), pattern=("array",))
