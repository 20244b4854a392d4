"""Positions: checked against the axis that they are for, made from shapes, and from one form to another."""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import _specialise
from .._errors import DtypeError, IndexingError, ShapeError
from .._primitive import Value
from .compare import each
from .elementwise import add, multiply
from .rounding import clip, floor_divide, remainder

# ---- positions in an axis


@each
def positions(x: Any, /, caller: str, axis: Any, length: int, negative: bool = True) -> Any:
    """Integers as positions from 0 in an axis; negative ones count from its end, if that is allowed.

    Being an op, it is recorded, so that a replay checks its own integers.
    """
    if x.dtype.kind not in "iu":
        raise DtypeError(
            f"{caller}: the indices have dtype {x.dtype}; integers are needed (a mask chooses by x[mask])"
        )
    low, high = (x.min(), x.max()) if x.size else (0, -1)
    if high >= length or low < (-length if negative else 0):
        raise IndexingError(
            f"{caller}: index {high if high >= length else low} is out of range for axis {axis} of length {length}"
            + ("" if negative or high >= length else "; it must not be negative")
        )
    place = x.astype(np.intp)
    return place if low >= 0 else place + length * (place < 0)


def positions_of(caller: str, indices: Any, axis: Any, length: int, *, negative: bool = True) -> Any:
    """What a user gave as indices, as positions in an axis; an empty list counts as integers."""
    found = as_integers(caller, indices)
    return positions(found, caller, axis, length, negative)


def as_integers(caller: str, indices: Any) -> Any:
    """A number or a list as an array, all else as it is."""
    if hasattr(indices, "ndim"):
        return indices
    try:
        made = np.asarray(indices)
    except ValueError as error:
        raise DtypeError(f"{caller}: the indices cannot become an array: {error}") from None
    return made if made.size else made.astype(np.intp)


def moded(caller: str, indices: Any, axis: Any, length: int, mode: str, *, negative: bool = True) -> Any:
    """Positions in an axis with NumPy's choice of what becomes of those outside of it."""
    if mode not in ("raise", "wrap", "clip"):
        raise ShapeError(f"{caller}: mode is {mode!r}; it is 'raise', 'wrap' or 'clip'")
    found = as_integers(caller, indices)
    if mode != "raise" and length and found.dtype.kind in "iu":
        wide = found.astype(np.intp)
        found = remainder(wide, length) if mode == "wrap" else clip(wide, 0, length - 1)
    return positions_of(caller, found, axis, length, negative=negative)


# ---- values that decide a shape


def known(caller: str, x: Any) -> Any:
    """The elements of ``x`` as an array, for what has as many results as the elements say.

    Derivatives do not move them. But in a recorded program, and under `vmap`, there is no one answer.
    """
    while isinstance(x, Value) and x.level:
        if x.many:
            raise IndexingError(
                f"{caller}: under vmap a mask or the elements decide how many results there are, and each example "
                "may have another number of them; use tg.where(mask, x, 0), or a function with results of a fixed shape"
            )
        x = x.under
    return np.asarray(x._leave(caller) if isinstance(x, Value) else x)  # type: ignore[attr-defined]


def as_given(array: Any, *givers: Any) -> Any:
    """An array as a tensor where an argument was no array: results are of the kind of the arguments."""
    plain = all(isinstance(one, np.ndarray | np.generic) for one in givers)
    return array if plain and givers else _specialise.Tensor(array)


# ---- positions from shapes


def indices(dimensions: Sequence[int], *, dtype: Any = np.intp, sparse: bool = False) -> Any:
    """The position of each element of an array along each of its axes.

    Args:
        dimensions: the shape of the array.
        dtype: of the result.
        sparse: return one tensor for each axis, that broadcast together, and not all in one.

    Example:
        >>> import tensorgrad as tg
        >>> tg.indices((2, 3))[1]
        tensor([[0, 1, 2],
                [0, 1, 2]])
    """
    shape = _lengths("indices", dimensions)
    if sparse:
        return tuple([as_given(one) for one in np.indices(shape, dtype, sparse=True)])
    return as_given(np.indices(shape, dtype))


def tril_indices(n: int, k: int = 0, m: int | None = None) -> tuple[Any, Any]:
    """Rows and columns of the elements of an ``(n, m)`` matrix on its ``k``-th diagonal and below.

    Example:
        >>> import tensorgrad as tg
        >>> rows, columns = tg.tril_indices(2)
        >>> rows, columns
        (tensor([0, 1, 1]), tensor([0, 0, 1]))
    """
    rows, columns = _lengths("tril_indices", (n, n if m is None else m))
    return _pair(np.tril_indices(rows, operator.index(k), columns))


def triu_indices(n: int, k: int = 0, m: int | None = None) -> tuple[Any, Any]:
    """Rows and columns of the elements of an ``(n, m)`` matrix on its ``k``-th diagonal and above."""
    rows, columns = _lengths("triu_indices", (n, n if m is None else m))
    return _pair(np.triu_indices(rows, operator.index(k), columns))


def diag_indices(n: int, ndim: int = 2) -> tuple[Any, ...]:
    """The index of the main diagonal of an array with ``ndim`` axes of length ``n``."""
    (length,) = _lengths("diag_indices", (n,))
    return (as_given(np.arange(length)),) * operator.index(ndim)


# ---- one number for a position in several axes


def ravel_multi_index(
    multi_index: Sequence[Any], dims: Sequence[int], /, *, mode: str | Sequence[str] = "raise"
) -> Any:
    """Positions in the flattened array for positions along each axis.

    Args:
        multi_index: an integer array for each axis; they broadcast together.
        dims: the shape of the array.
        mode: what becomes of integers outside of an axis: 'raise', 'wrap' or 'clip', one for all or for each.

    Raises:
        IndexingError: an integer is out of range for its axis, or negative.

    Example:
        >>> import tensorgrad as tg
        >>> tg.ravel_multi_index(([0, 1], [2, 0]), (2, 3))
        tensor([2, 3])
    """
    shape = _lengths("ravel_multi_index", dims)
    modes = (mode,) * len(shape) if isinstance(mode, str) else tuple(mode)
    if not len(multi_index) == len(shape) == len(modes) > 0:
        raise ShapeError(
            f"ravel_multi_index: {len(multi_index)} arrays and {len(modes)} modes for the shape {shape}; one for each "
            "axis is needed"
        )
    total: Any = 0
    listed = [_tensor_of_list("ravel_multi_index", one) for one in multi_index]
    for axis, (one, n, how) in enumerate(zip(listed, shape, modes, strict=True)):
        place = moded("ravel_multi_index", one, axis, n, how, negative=False)
        total = add(multiply(total, n), place) if axis else place
    return total


def unravel_index(indices: Any, shape: Sequence[int], /) -> tuple[Any, ...]:
    """Positions along each axis for positions in the flattened array: `ravel_multi_index` undone.

    Raises:
        IndexingError: an integer is out of range, or negative.
    """
    lengths = _lengths("unravel_index", shape)
    indices = _tensor_of_list("unravel_index", indices)
    rest = positions_of("unravel_index", indices, None, math.prod(lengths), negative=False)
    found: list[Any] = []
    for n in reversed(lengths):
        found.append(remainder(rest, max(n, 1)))
        rest = floor_divide(rest, max(n, 1))
    return tuple(found[::-1])


# ---- helpers


def grid(index: Any, axis: int) -> list[Any]:
    """An array for each axis that together say: here along the others, at ``index`` along ``axis``."""
    arrays: list[Any] = list(np.ogrid[tuple([slice(n) for n in index.shape])])
    arrays[axis] = index
    return arrays


def lead_to(axis: int) -> tuple[Any, ...]:
    """The pattern of one integer array along an axis, see `index.parse`."""
    return (*[slice(None)] * axis, "array")


def same_rank(caller: str, x: Any, index: Any) -> None:
    """Raise unless the index has an axis for each of ``x``."""
    if index.ndim != x.ndim:
        raise ShapeError(
            f"{caller}: index {index.shape} for x {x.shape}; it needs an axis for each axis of x"
        )


def one_axis(caller: str, index: Any) -> None:
    """Raise unless the index is 1-D."""
    if index.ndim != 1:
        raise ShapeError(f"{caller}: index has shape {index.shape}; one axis is needed, see tg.take")


def _tensor_of_list(caller: str, indices: Any) -> Any:
    return indices if hasattr(indices, "ndim") else as_given(as_integers(caller, indices))


def _lengths(caller: str, shape: Any) -> tuple[int, ...]:
    lengths = tuple(
        [operator.index(n) for n in (shape if isinstance(shape, Sequence) else np.ravel(shape).tolist())]
    )
    if any(n < 0 for n in lengths):
        raise ShapeError(f"{caller}: shape {lengths} has a negative length")
    return lengths


def _pair(arrays: Any) -> tuple[Any, Any]:
    rows, columns = arrays
    return as_given(rows), as_given(columns)
