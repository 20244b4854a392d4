"""Differences of neighbours, slopes and integrals of what is sampled at points."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, SupportsIndex

import numpy as np

from .._errors import ShapeError
from .compare import not_equal
from .cumulative import cumsum
from .dtype import astype
from .elementwise import divide, multiply, subtract
from .index import check_fits
from .reduce import sum
from .shape import Axis, broadcast_to, concat, lifted, normalise_axes, normalise_axis, ravel, reshape


def diff(x: Any, /, n: int = 1, axis: SupportsIndex = -1, prepend: Any = None, append: Any = None) -> Any:
    """Each element minus the one before it along an axis, ``n`` times over.

    Args:
        x: an array or tensor.
        n: how often; 0 gives ``x``.
        axis: the axis to go along.
        prepend: what to put in front first: an array, or a number for one place.
        append: what to put behind first.

    Raises:
        ShapeError: ``n`` is negative, or ``x`` has no axis.

    Example:
        >>> import tensorgrad as tg
        >>> tg.diff(tg.tensor([1.0, 4.0, 9.0]), prepend=0)
        tensor([1., 3., 5.])
    """
    x = lifted("diff", x)
    place = normalise_axis("diff", axis, x.ndim)
    if n < 0:
        raise ShapeError(f"diff: n is {n}; it says how often to take differences, 0 or more")
    ends = [None if v is None or not n else _beside(v, x, place) for v in (prepend, append)]
    parts = [part for part in (ends[0], x, ends[1]) if part is not None]
    x = concat(parts, axis=place) if len(parts) > 1 else x
    for _ in range(min(n, x.shape[place])):  # after that there is nothing left
        late, early = _cut(x, place, 1, None), _cut(x, place, 0, -1)
        x = not_equal(late, early) if x.dtype.kind == "b" else subtract(late, early)
    return x


def ediff1d(x: Any, /, to_end: Any = None, to_begin: Any = None) -> Any:
    """The differences of neighbours among all elements in a row, with others put behind or in front.

    Example:
        >>> import tensorgrad as tg
        >>> tg.ediff1d(tg.tensor([1.0, 4.0, 9.0]), to_begin=0)
        tensor([0., 3., 5.])
    """
    y = ravel(lifted("ediff1d", x))
    y = subtract(y[1:], y[:-1])
    for name, v in (("to_begin", to_begin), ("to_end", to_end)):
        if v is not None:
            check_fits(v, y.dtype, f"ediff1d: {name}")
    ends = [None if v is None else ravel(_array("ediff1d", v, y.dtype)) for v in (to_begin, to_end)]
    front, back = [None if v is None else astype(v, y.dtype) for v in ends]
    parts = [part for part in (front, y, back) if part is not None]
    return concat(parts, axis=0) if len(parts) > 1 else y


def gradient(x: Any, /, *spacing: Any, axis: Axis = None, edge_order: int = 1) -> Any:
    """Slopes of what is sampled on a grid: central differences inside, one-sided ones at both ends.

    Args:
        x: an array or tensor, two elements or more along each axis.
        spacing: nothing for a distance of 1; one number for all axes; or for each axis a number, the
            distance, or a 1-D array, the coordinates.
        axis: the axes, all if None.
        edge_order: 1 or 2, the order of the error at the ends.

    Returns:
        The slopes along the axis, or a tuple with those along each, if there are several.

    Raises:
        ShapeError: an axis is too short, or the spacing does not fit.

    Example:
        >>> import tensorgrad as tg
        >>> tg.gradient(tg.tensor([1.0, 2.0, 4.0, 7.0]))
        tensor([1. , 1.5, 2.5, 3. ])

    Source: B. Fornberg, Generation of finite difference formulas on arbitrarily spaced grids,
    Mathematics of Computation 51 (1988), 699-706; the weights of the parabola through three points.
    """
    x = lifted("gradient", x)
    axes = normalise_axes("gradient", axis, x.ndim)
    if edge_order not in (1, 2):
        raise ShapeError(f"gradient: edge_order is {edge_order}; 1 or 2 is meant")
    steps = spacing or (1,)
    steps = steps * len(axes) if len(steps) == 1 and not np.ndim(steps[0]) else steps
    if len(steps) != len(axes):
        raise ShapeError(f"gradient: {len(steps)} spacings for {len(axes)} axes; one for each is needed")
    if x.dtype.kind not in "fc":
        x = astype(x, np.float64)
    slopes = tuple([_slopes(x, step, place, edge_order) for step, place in zip(steps, axes, strict=True)])
    return slopes[0] if len(slopes) == 1 else slopes


def trapezoid(y: Any, /, x: Any = None, dx: Any = 1.0, axis: SupportsIndex = -1) -> Any:
    """Integral along an axis, straight between the samples.

    Args:
        y: the samples.
        x: where they were taken: in the shape of ``y``, or 1-D along the axis.
        dx: the distance between them, where no ``x`` is given.
        axis: the axis to integrate over.

    Raises:
        ShapeError: ``x`` does not fit.

    Example:
        >>> import tensorgrad as tg
        >>> tg.trapezoid(tg.tensor([1.0, 2.0, 3.0]), tg.tensor([0.0, 1.0, 3.0])).item()
        6.5
    """
    areas, place = _areas("trapezoid", y, x, dx, axis)
    return sum(areas, place)


def cumulative_trapezoid(y: Any, /, x: Any = None, dx: Any = 1.0, axis: SupportsIndex = -1) -> Any:
    """Integral along an axis up to each sample but the first, straight between the samples.

    Args:
        y: the samples.
        x: where they were taken: in the shape of ``y``, or 1-D along the axis.
        dx: the distance between them, where no ``x`` is given.
        axis: the axis to integrate over.

    Raises:
        ShapeError: ``x`` does not fit.
    """
    areas, place = _areas("cumulative_trapezoid", y, x, dx, axis)
    return cumsum(areas, place)


# ---- helpers


def _cut(x: Any, axis: int, start: int | None, stop: int | None) -> Any:
    return x[(*(slice(None),) * axis, slice(start, stop))]


def _array(op: str, v: Any, dtype: Any) -> Any:
    """``v`` as something with axes; Python's numbers are weak, and take the dtype."""
    return np.asarray(v, dtype) if isinstance(v, bool | int | float | complex) else lifted(op, v)


def _beside(v: Any, x: Any, axis: int) -> Any:
    """What is put in front or behind: a number becomes one place along the axis."""
    weak = isinstance(v, bool | int | float | complex)
    v = np.asarray(v, np.result_type(x.dtype, v)) if weak else lifted("diff", v)
    return v if v.ndim else broadcast_to(v, (*x.shape[:axis], 1, *x.shape[axis + 1 :]))


def _along(op: str, v: Any, shape: Sequence[int], axis: int) -> Any:
    """1-D ``v`` with its axis where it belongs beside an array of ``shape``."""
    if v.shape == (shape[axis],):
        return reshape(v, tuple([shape[axis] if i == axis else 1 for i in range(len(shape))]))
    if v.shape == tuple(shape):
        return v
    raise ShapeError(f"{op}: points of shape {v.shape} for samples of shape {tuple(shape)} along axis {axis}")


def _areas(op: str, y: Any, x: Any, dx: Any, axis: SupportsIndex) -> tuple[Any, int]:
    y = lifted(op, y)
    place = normalise_axis(op, axis, y.ndim)
    if y.dtype.kind not in "fc":
        y = astype(y, np.float64)
    width = dx if x is None else diff(_along(op, lifted(op, x), y.shape, place), axis=place)
    return multiply(width, (_cut(y, place, 1, None) + _cut(y, place, 0, -1)) * 0.5), place


def _slopes(x: Any, step: Any, axis: int, edge_order: int) -> Any:
    n = x.shape[axis]
    if n < edge_order + 1:
        raise ShapeError(
            f"gradient: axis {axis} has length {n}; {edge_order + 1} elements or more are needed"
        )
    if isinstance(step, int | float):
        h: Any = np.full(
            [n - 1 if i == axis else 1 for i in range(x.ndim)], step, np.zeros((), x.dtype).real.dtype
        )
    elif not (h := lifted("gradient", step)).ndim:
        h = broadcast_to(h, tuple([n - 1 if i == axis else 1 for i in range(x.ndim)]))
    elif h.shape == (n,):
        h = diff(
            _along("gradient", h if h.dtype.kind in "fc" else astype(h, x.dtype), x.shape, axis), axis=axis
        )
    else:
        raise ShapeError(f"gradient: coordinates of shape {h.shape} for axis {axis} of length {n}")
    chords = divide(subtract(_cut(x, axis, 1, None), _cut(x, axis, 0, -1)), h)
    ends = [_cut(chords, axis, 0, 1), _cut(chords, axis, n - 2, None)]
    if n == 2:
        return concat(ends, axis=axis)
    before, after = _cut(h, axis, 0, -1), _cut(h, axis, 1, None)
    left, right = _cut(chords, axis, 0, -1), _cut(chords, axis, 1, None)
    if np.ndim(step):  # the slope of the parabola through three points lies between those of its two chords
        inside = divide(after * left + before * right, before + after)
    else:  # the same, without the element between the two: a NaN there is of no concern
        inside = divide(subtract(_cut(x, axis, 2, None), _cut(x, axis, 0, -2)), 2 * after)
    if edge_order == 2:  # and its slope at an end is as far from the chord there as that in the middle
        first, last = _cut(inside, axis, 0, 1), _cut(inside, axis, n - 3, None)
        ends = [2 * ends[0] - first, 2 * ends[1] - last]
    return concat([ends[0], inside, ends[1]], axis=axis)
