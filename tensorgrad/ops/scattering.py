"""Writing or adding values at positions along an axis, into a new array.

Where positions repeat, additions add all; of several writes the last one counts, as in ``x[i] = v``.
"""

from __future__ import annotations

from typing import Any, SupportsIndex

import numpy as np

from .._errors import ShapeError
from .._specialise import SCALARS
from .choosing import cut_to, place_of
from .compare import argsort, equal
from .dtype import astype
from .elementwise import add, divide, maximum, minimum, multiply, negative, where
from .index import add_at, check_fits, set_at, take_at
from .positions import grid, lead_to, one_axis, positions_of, ravel_multi_index, same_rank
from .shape import broadcast_to, concat, lifted, normalise_axis, ravel, reshape

# ---- one position for each element


def put_along_axis(x: Any, indices: Any, values: Any, /, axis: SupportsIndex | None) -> Any:
    """``x`` with values at positions along an axis, as a new array: what `take_along_axis` reads.

    NumPy's function writes in place; a tensor is written to by ``x[...] = v``.

    Args:
        x: an array or tensor.
        indices: integers with as many axes as ``x``, broadcast against its other axes. Where they repeat,
            the last value counts.
        values: broadcast to ``indices``.
        axis: the axis; None writes to the flattened ``x``.

    Raises:
        IndexingError: an index is out of range.
        DtypeError: values of a kind that does not fit into ``x``.
    """
    x = lifted("put_along_axis", x)
    shape = x.shape
    if axis is None:
        x, axis = ravel(x), 0
    axis = normalise_axis("put_along_axis", axis, x.ndim)
    place = positions_of("put_along_axis", indices, axis, x.shape[axis])
    same_rank("put_along_axis", x, place)
    check_fits(values, x.dtype, "put_along_axis")
    others = [n for i, n in enumerate(x.shape) if i != axis]
    if any(
        a not in (1, n) for a, n in zip([*place.shape[:axis], *place.shape[axis + 1 :]], others, strict=True)
    ):
        raise ShapeError(f"put_along_axis: indices {place.shape} do not broadcast against x {x.shape}")
    whole = (*x.shape[:axis], place.shape[axis], *x.shape[axis + 1 :])
    pattern = ("array",) * x.ndim
    return reshape(set_at(x, values, *grid(broadcast_to(place, whole), axis), pattern=pattern), shape)


def scatter(x: Any, axis: SupportsIndex, index: Any, src: Any, /) -> Any:
    """``x`` with the elements of ``src`` written to positions along an axis, as a new array.

    In two dimensions ``y[index[i, j], j] = src[i, j]`` for axis 0. Of several writes to one place the last
    counts, row by row, and it alone gets the gradient.

    Args:
        x: an array or tensor.
        axis: the axis that the positions are along.
        index: integers with as many axes as ``x``, and no longer than ``x`` along the others.
        src: of the same number of axes, no shorter than ``index``, the rest is not used; or one number.

    Raises:
        IndexingError: an index is out of range.
        ShapeError: the shapes do not fit.
        DtypeError: ``src`` is of a kind that does not fit into ``x``.

    Example:
        >>> import tensorgrad as tg
        >>> tg.scatter(tg.zeros(4), 0, [3, 1], tg.tensor([5.0, 6.0]))
        tensor([0., 6., 0., 5.])
    """
    x = lifted("scatter", x)
    check_fits(src, x.dtype, "scatter")
    places, src = _writes("scatter", x, axis, index, src)
    return set_at(x, src, *places, pattern=("array",) * x.ndim)


def scatter_add(x: Any, axis: SupportsIndex, index: Any, src: Any, /) -> Any:
    """``x`` with the elements of ``src`` added at positions along an axis; repeated ones add up.

    The arguments are those of `scatter`.

    Example:
        >>> import tensorgrad as tg
        >>> tg.scatter_add(tg.zeros(3), 0, [1, 1, 0], tg.tensor([1.0, 2.0, 3.0]))
        tensor([3., 3., 0.])
    """
    x = lifted("scatter_add", x)
    places, src = _writes("scatter_add", x, axis, index, src)
    return add(x, _added(x, src, places))


def scatter_reduce(
    x: Any, axis: SupportsIndex, index: Any, src: Any, /, reduce: str, *, include_self: bool = True
) -> Any:
    """``x`` with the elements of ``src`` that go to the same place combined there.

    Args:
        x: an array or tensor.
        axis: the axis that the positions are along.
        index: integers, see `scatter`.
        src: an array, see `scatter`.
        reduce: 'sum', 'prod', 'mean', 'amax' or 'amin'. Of equal extrema in ``src`` one gets the gradient; it and
            an equal element of ``x`` share it evenly, as in `maximum`.
        include_self: whether the element of ``x`` takes part where something goes to its place.

    Raises:
        IndexingError: an index is out of range.
        ShapeError: the shapes do not fit, or ``reduce`` is another word.

    Example:
        >>> import tensorgrad as tg
        >>> tg.scatter_reduce(tg.zeros(2), 0, [0, 0, 1], tg.tensor([3.0, 5.0, -1.0]), "amax")
        tensor([5., 0.])
    """
    if reduce not in ("sum", "prod", "mean", "amax", "amin"):
        raise ShapeError(
            f"scatter_reduce: reduce is {reduce!r}; it is 'sum', 'prod', 'mean', 'amax' or 'amin'"
        )
    x = lifted("scatter_reduce", x)
    places, src = _writes("scatter_reduce", x, axis, index, src)
    if reduce == "prod":
        check_fits(src, x.dtype, "scatter_reduce")
        return (
            multiply(x, _products(np.ones(x.shape, x.dtype), src, places))
            if include_self
            else _products(x, src, places)
        )
    if reduce in ("amax", "amin"):
        check_fits(src, x.dtype, "scatter_reduce")
        best = _extremum(x, src, places, reduce == "amax")
        return best if not include_self else maximum(x, best) if reduce == "amax" else minimum(x, best)
    count = _added(x, np.ones((), np.intp), places)
    base = x if include_self else where(count > 0, np.zeros((), x.dtype), x)
    total = add(base, _added(x, src, places))
    if reduce == "sum":
        return total
    kind = total.dtype if total.dtype.kind in "fc" else np.dtype(np.float64)
    return divide(total, astype(count + 1 if include_self else maximum(count, 1), kind))


# ---- one position for each part


def index_add(x: Any, axis: SupportsIndex, index: Any, src: Any, /) -> Any:
    """``x`` with the parts of ``src`` added at the positions of a 1-D ``index`` along an axis.

    Args:
        x: an array or tensor.
        axis: the axis.
        index: integers, one for each part of ``src``; repeated ones add up.
        src: in the shape of ``x`` but for the length of the axis.

    Raises:
        IndexingError: an index is out of range.
        ShapeError: the shapes do not fit.

    Example:
        >>> import tensorgrad as tg
        >>> tg.index_add(tg.zeros(3), 0, [2, 2], tg.tensor([1.0, 2.0]))
        tensor([0., 0., 3.])
    """
    x = lifted("index_add", x)
    place, src, pattern = _parts("index_add", x, axis, index, src)
    return add(x, add_at(src, place, pattern=pattern, shape=x.shape))


def index_copy(x: Any, axis: SupportsIndex, index: Any, src: Any, /) -> Any:
    """``x`` with the parts of ``src`` written at positions along an axis; of repeated ones the last counts.

    The arguments are those of `index_add`.
    """
    x = lifted("index_copy", x)
    place, src, pattern = _parts("index_copy", x, axis, index, src)
    check_fits(src, x.dtype, "index_copy")
    return set_at(x, src, place, pattern=pattern)


# ---- parts


def _writes(caller: str, x: Any, axis: Any, index: Any, src: Any) -> tuple[list[Any], Any]:
    axis, index = place_of(caller, x, axis, index)
    if type(src) in SCALARS:
        src = np.asarray(src, np.result_type(x.dtype, src))
    src = lifted(caller, src)
    if src.ndim:
        if src.ndim != index.ndim:
            raise ShapeError(
                f"{caller}: src {src.shape} for index {index.shape}; it needs an axis for each axis of x"
            )
        if any(a > n for a, n in zip(index.shape, src.shape, strict=True)):
            raise ShapeError(f"{caller}: src {src.shape} is shorter than index {index.shape}")
        src = cut_to(src, index.shape)
    return grid(index, axis), broadcast_to(src, index.shape) if not src.ndim else src


def _added(x: Any, src: Any, places: list[Any]) -> Any:
    if not src.ndim:
        src = np.broadcast_to(src, np.broadcast_shapes(*[one.shape for one in places]))
    return add_at(src, *places, pattern=("array",) * x.ndim, shape=x.shape)


def _extremum(x: Any, src: Any, places: list[Any], largest: bool) -> Any:
    """Each element of ``x`` that is written to as the extremum of what goes there: written last, it stays."""
    shape = np.broadcast_shapes(*[one.shape for one in places])
    row = ravel(src)
    # NaN sorts to the end, so it is written last and stays, as it does in a maximum.
    order = (
        argsort(row)
        if largest
        else argsort(negative(row) if row.dtype.kind == "f" else row, -1, row.dtype.kind != "f")
    )
    pattern = ("array",)
    rows = [take_at(ravel(broadcast_to(one, shape)), order, pattern=pattern) for one in places]
    return set_at(x, take_at(row, order, pattern=pattern), *rows, pattern=("array",) * x.ndim)


def _products(x: Any, src: Any, places: list[Any]) -> Any:
    """Each element of ``x`` that is written to as the product of what goes there.

    Sorted by target, each element is multiplied with the 1, 2, 4... before it that have the same one, so
    that the last of them has the product, without a division that a zero would spoil. It is written last.
    """
    shape, pattern = np.broadcast_shapes(*[one.shape for one in places]), ("array",)
    target = ravel(ravel_multi_index([broadcast_to(one, shape) for one in places], x.shape))
    order = argsort(target)
    target, row = take_at(target, order, pattern=pattern), take_at(ravel(src), order, pattern=pattern)
    step = 1
    while step < row.shape[0]:
        before = where(equal(target[step:], target[:-step]), row[:-step], np.ones((), row.dtype))
        row = concat([row[:step], multiply(row[step:], before)])
        step *= 2
    return reshape(set_at(ravel(x), row, target, pattern=pattern), x.shape)


def _parts(caller: str, x: Any, axis: Any, index: Any, src: Any) -> tuple[Any, Any, tuple[Any, ...]]:
    axis = normalise_axis(caller, axis, x.ndim)
    place = positions_of(caller, index, axis, x.shape[axis])
    one_axis(caller, place)
    src = lifted(caller, src)
    wanted = (*x.shape[:axis], *place.shape, *x.shape[axis + 1 :])
    if src.shape != wanted:
        raise ShapeError(
            f"{caller}: src has shape {src.shape}; for x {x.shape} and index {place.shape} it is {wanted}"
        )
    return place, src, lead_to(axis)
