"""What is there, and how often: positions of nonzero elements, distinct elements, sets, counts, histograms.

Most of these have as many results as the elements say. They cannot be recorded or batched, and raise
rather than keep the answer of one run. Values that they pick carry gradients, positions and counts none.
"""

from __future__ import annotations

from typing import Any, NamedTuple, SupportsIndex

import numpy as np

from .._errors import DtypeError, ShapeError
from .compare import greater_equal, less_equal, logical_and
from .dtype import astype
from .elementwise import divide, multiply, subtract, where
from .index import add_at, take_at
from .order import isin, searchsorted
from .positions import as_given, as_integers, known, lead_to, positions_of
from .reduce import sum
from .shape import concat, lifted, normalise_axis, ravel


class UniqueAll(NamedTuple):
    """Distinct elements, where each stands first, which one each element is, and how often it is there."""

    values: Any
    indices: Any
    inverse_indices: Any
    counts: Any


class UniqueCounts(NamedTuple):
    """Distinct elements, and how often each is there."""

    values: Any
    counts: Any


class UniqueInverse(NamedTuple):
    """Distinct elements, and which one each element is."""

    values: Any
    inverse_indices: Any


# ---- where something is


def nonzero(x: Any, /) -> tuple[Any, ...]:
    """The index of the elements that are not 0: an integer array for each axis.

    Raises:
        ShapeError: ``x`` has no axes.
        TraceError: in a recorded program, or IndexingError under `vmap`, since their number is not fixed.

    Example:
        >>> import tensorgrad as tg
        >>> tg.nonzero(tg.tensor([0.0, 2.0, 3.0]))
        (tensor([1, 2]),)
    """
    x = lifted("nonzero", x)
    if not x.ndim:
        raise ShapeError("nonzero: x has no axes, so there is no index; use tg.atleast_1d(x)")
    return tuple([as_given(one, x) for one in np.nonzero(known("nonzero", x))])


def flatnonzero(x: Any, /) -> Any:
    """The positions in the flattened ``x`` of the elements that are not 0."""
    x = lifted("flatnonzero", x)
    return as_given(np.flatnonzero(known("flatnonzero", x)), x)


def argwhere(x: Any, /) -> Any:
    """The positions of the elements that are not 0, one in each row.

    Example:
        >>> import tensorgrad as tg
        >>> tg.argwhere(tg.tensor([[0, 1], [1, 0]]))
        tensor([[0, 1],
                [1, 0]])
    """
    x = lifted("argwhere", x)
    return as_given(np.argwhere(known("argwhere", x)), x)


# ---- distinct elements


def unique(
    x: Any,
    /,
    *,
    return_index: bool = False,
    return_inverse: bool = False,
    return_counts: bool = False,
    axis: SupportsIndex | None = None,
    equal_nan: bool = True,
) -> Any:
    """The distinct elements in ascending order; the first of equal ones gets the gradient.

    Args:
        x: an array or tensor.
        return_index: return where each stands first, too.
        return_inverse: return which of them each element is, too.
        return_counts: return how often each is there, too.
        axis: find the distinct parts along this axis; None is for the elements.
        equal_nan: whether all NaN are one.

    Returns:
        The values, or a tuple of them and what else was asked for, in the order above.

    Raises:
        TraceError: in a recorded program, or IndexingError under `vmap`, since their number is not fixed.

    Example:
        >>> import tensorgrad as tg
        >>> tg.unique(tg.tensor([3.0, 1.0, 3.0]), return_counts=True)
        (tensor([1., 3.]), tensor([1, 2]))
    """
    found = _distinct("unique", x, axis, equal_nan)
    if not (return_index or return_inverse or return_counts):
        return found.values
    asked = (True, return_index, return_inverse, return_counts)
    return tuple([one for one, wanted in zip(found, asked, strict=True) if wanted])


def unique_all(x: Any, /) -> UniqueAll:
    """The distinct elements, where each stands first, which one each element is, and how often it is there.

    As the Array API has it, each NaN is an element of its own; so in the other functions of this name.
    """
    return _distinct("unique_all", x, None, False)


def unique_counts(x: Any, /) -> UniqueCounts:
    """The distinct elements, and how often each is there."""
    found = _distinct("unique_counts", x, None, False)
    return UniqueCounts(found.values, found.counts)


def unique_inverse(x: Any, /) -> UniqueInverse:
    """The distinct elements, and which one each element is: ``values[inverse_indices]`` is ``x``."""
    found = _distinct("unique_inverse", x, None, False)
    return UniqueInverse(found.values, found.inverse_indices)


def unique_values(x: Any, /) -> Any:
    """The distinct elements in ascending order."""
    return _distinct("unique_values", x, None, False).values


def union1d(a: Any, b: Any, /) -> Any:
    """The distinct elements of two arrays together, in ascending order."""
    return unique(concat([ravel(lifted("union1d", a)), ravel(lifted("union1d", b))]))


def intersect1d(a: Any, b: Any, /) -> Any:
    """The distinct elements of ``a`` that are also in ``b``, in ascending order; gradients go to ``a``."""
    a, b = lifted("intersect1d", a), lifted("intersect1d", b)
    return astype(_members("intersect1d", a, b, invert=False), np.result_type(a.dtype, b.dtype))


def setdiff1d(a: Any, b: Any, /) -> Any:
    """The distinct elements of ``a`` that are not in ``b``, in ascending order.

    Example:
        >>> import tensorgrad as tg
        >>> tg.setdiff1d(tg.tensor([3, 1, 2, 1]), [2])
        tensor([1, 3])
    """
    return _members("setdiff1d", a, b, invert=True)


# ---- counting


def bincount(x: Any, /, weights: Any = None, minlength: int = 0, *, length: int | None = None) -> Any:
    """How often each number from 0 on occurs, or the sum of the weights where it does.

    Args:
        x: integers that are not negative, 1-D.
        weights: one for each, differentiable; integer ones become float64.
        minlength: the least length of the result, which is otherwise that of the largest number plus 1.
        length: of the result, if it is to be fixed: then the function can be recorded and batched, and
            numbers from there on are errors.

    Raises:
        IndexingError: a number is negative, or not below ``length``.
        DtypeError: ``x`` has no integers.
        TraceError: in a recorded program without ``length``, or IndexingError so under `vmap`.

    Example:
        >>> import tensorgrad as tg
        >>> tg.bincount(tg.tensor([0, 2, 2]), tg.tensor([1.0, 2.0, 3.0]))
        tensor([1., 0., 5.])
    """
    x = lifted("bincount", as_integers("bincount", x) if isinstance(x, list | tuple) and not len(x) else x)
    if x.ndim != 1:
        raise ShapeError(f"bincount: x has shape {x.shape}; one axis is needed")
    if x.dtype.kind not in "iu":
        raise DtypeError(f"bincount: x has dtype {x.dtype}; integers are needed")
    if minlength < 0:
        raise ShapeError(f"bincount: minlength is {minlength}; it must not be negative")
    if length is None:
        length = max(int(known("bincount", x).max(initial=0)) + 1 if x.size else 0, minlength)
    place = positions_of("bincount", x, 0, length, negative=False)
    return _sums(_weights("bincount", weights, x.shape), place, length)


class Histogram(NamedTuple):
    """How many elements fall into each bin, and the edges of the bins."""

    hist: Any
    bin_edges: Any


def histogram(
    x: Any, /, bins: Any = 10, range: Any = None, *, density: bool = False, weights: Any = None
) -> Histogram:
    """How many elements fall into each bin, or the sum of their weights.

    Counts are constants; the result is differentiable in the weights.

    Args:
        x: an array or tensor.
        bins: the number of bins of one width, or their edges in ascending order. A bin has its left edge
            and not its right one, but for the last, which has both.
        range: where the bins begin and end, from the smallest to the largest element if None. Elements
            outside are not counted.
        density: divide by the sum and by the widths, so that the integral is 1.
        weights: in the shape of ``x``.

    Returns:
        A named tuple ``(hist, bin_edges)``.

    Raises:
        ShapeError: the edges are not in order, or the range is not finite.
        TraceError: in a recorded program without ``range`` or edges, or IndexingError so under `vmap`.

    Example:
        >>> import tensorgrad as tg
        >>> tg.histogram(tg.tensor([0.0, 1.0, 1.5]), bins=2, range=(0, 2)).hist
        tensor([1, 2])
    """
    x = lifted("histogram", x)
    if x.dtype.kind == "c":
        raise DtypeError("histogram: x is complex, and complex numbers have no order")
    by_number = isinstance(bins, int | np.integer)
    data = known("histogram", x) if by_number and range is None else np.zeros(0, x.dtype)
    try:
        edges = np.histogram_bin_edges(data, bins if by_number else known("histogram", bins), range)
    except ValueError as error:
        raise ShapeError(f"histogram: {error}") from None
    w, row, n = _weights("histogram", weights, x.shape), ravel(x), len(edges) - 1
    inside = logical_and(greater_equal(row, edges[0]), less_equal(row, edges[-1]))
    # The last bin has its right edge, which all others leave to the next.
    place = where(greater_equal(row, edges[-1]), n - 1, subtract(searchsorted(edges, row, side="right"), 1))
    place = positions_of("histogram", where(inside, place, n), 0, n + 1)
    hist = _sums(w if w is None else ravel(w), place, n + 1)[:n]
    if density:
        hist = astype(hist, np.float64) if hist.dtype.kind not in "fc" else hist
        hist = divide(hist, multiply(sum(hist), np.diff(edges).astype(hist.dtype)))
    return Histogram(hist, as_given(edges, x))


# ---- helpers


def _distinct(caller: str, x: Any, axis: Any, equal_nan: bool) -> UniqueAll:
    x = lifted(caller, x)
    shape = x.shape
    if axis is None:
        x = ravel(x)
    else:
        axis = normalise_axis(caller, axis, x.ndim)
    _, first, inverse, counts = np.unique(known(caller, x), True, True, True, axis=axis, equal_nan=equal_nan)
    values = take_at(x, first, pattern=lead_to(axis or 0))
    inverse = inverse.reshape(shape if axis is None else (shape[axis],))
    return UniqueAll(values, *[as_given(one, x) for one in (first, inverse, counts)])


def _members(caller: str, a: Any, b: Any, *, invert: bool) -> Any:
    own = _distinct(caller, a, None, True).values
    place = np.flatnonzero(known(caller, isin(own, b, invert=invert)))
    return take_at(own, place, pattern=("array",))


def _weights(caller: str, weights: Any, shape: Any) -> Any:
    if weights is None:
        return None
    w = lifted(caller, weights)
    if w.shape != shape:
        raise ShapeError(f"{caller}: weights {w.shape} for x {shape}; one for each is needed")
    return w if w.dtype.kind in "fc" else astype(w, np.float64)


def _sums(weights: Any, place: Any, n: int) -> Any:
    values = np.ones(place.shape, np.intp) if weights is None else weights
    return add_at(values, place, pattern=("array",), shape=(n,))
