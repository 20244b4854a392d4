"""Columns of a Jacobian by differences: how all results move with one entry of an input."""

from __future__ import annotations

import math

import numpy as np

from .comparison import SMALLEST_SCALE, Tolerance, reach, unit_vector
from .differences import entries
from .point import Point
from .slopes import FIRST, Row, Slope, central_slope, complex_slope, fixed_slope, one_sided_slope

GOOD = 1e-8
"""The relative error at which a slope tells enough."""

TINY = 2.0**-14
"""What the first step is multiplied by close to where a function ends."""


def jacobian(point: Point, which: int, tolerance: Tolerance) -> Slope:
    """The Jacobian in one input by differences, column by column."""
    slopes = [column(point, which, i, tolerance) for i in range(entries(point.arrays[which]).size)]
    if not slopes:
        return Slope(np.zeros((point.size, 0)), np.zeros((point.size, 0)))
    no = np.zeros(point.size, bool)
    bent = [no if s.bent is None else s.bent for s in slopes]
    torn = [no if s.torn is None else s.torn for s in slopes]
    values, errors = [s.value for s in slopes], [s.error for s in slopes]
    return Slope(*[np.stack(some, axis=1) for some in (values, errors, bent, torn)])


def column(point: Point, which: int, entry: int, tolerance: Tolerance) -> Slope:
    """How all results move with one real entry of an input."""
    if point.subject.analytic and tolerance.eps is None and is_real(point):
        scale = reach(point, which, entry)
        line = point.complex_line(which, scale * unit_vector(point, which, entry))
        return scaled(complex_slope(line, point.unit), scale)
    x = float(entries(point.arrays[which])[entry])
    if tolerance.eps is not None:
        step = tolerance.eps * max(1.0, abs(x))
        return scaled(fixed_slope(point.line(which, unit_vector(point, which, entry)), point.unit, step), 1.0)
    return stepped(point, which, entry)


def stepped(point: Point, which: int, entry: int, first: float = FIRST) -> Slope:
    """A column by central differences.

    Steps in parts of the entry never step over 0; of a large entry they are parts of 1 first, for a wave
    would alias. Where these tell little, others are tried: steps in parts of a usual size, and tiny ones.
    """
    x = reach(point, which, entry)
    near = walked(point, which, entry, min(x, 1.0), first)
    if not np.isfinite(near.error).all():
        near = near.better(walked(point, which, entry, min(x, 1.0), first * TINY))
    usual = max(x, SMALLEST_SCALE)
    size = float(np.abs(np.where(np.isfinite(near.value), near.value, 0)).max(initial=0))
    if usual == min(x, 1.0) or bool((near.error <= GOOD * size).all()):
        return near
    far = walked(point, which, entry, usual, first)
    agree = np.abs(far.value - near.value) <= far.error + near.error
    return near.better(Slope(far.value, np.where(agree, far.error, np.inf)))


def walked(point: Point, which: int, entry: int, scale: float, first: float) -> Slope:
    """The same with steps in parts of ``scale``."""
    line = point.line(which, scale * unit_vector(point, which, entry))
    return scaled(central_slope(line, point.unit, first=first), scale)


def sides(point: Point, which: int, entry: int) -> tuple[Slope, Slope]:
    """The slopes of a column from above and from below."""
    scale = min(reach(point, which, entry), 1.0)  # of a large entry a part is many periods of a wave
    found = []
    for sign in (1, -1):
        line = point.line(which, sign * scale * unit_vector(point, which, entry))
        found.append(scaled(one_sided_slope(line, point.unit), sign * scale))
    return found[0], found[1]


def finite_beside(point: Point, which: int, entry: int) -> Row:
    """Which results are finite a little above or a little below an entry."""
    line = point.line(which, reach(point, which, entry) * unit_vector(point, which, entry))
    step = math.sqrt(point.unit)
    return np.isfinite(line(step)) | np.isfinite(line(-step))


def steep(point: Point, which: int, entry: int) -> bool:
    """Whether the slope of some result grows without end as the step gets smaller."""
    line = point.line(which, reach(point, which, entry) * unit_vector(point, which, entry))
    base = line(0.0)
    for sign in (1, -1):
        far, near = [np.abs(line(sign * h) - base) / h for h in (2.0**-8, 2.0**-20)]
        if (near > 4 * far + 1).any():
            return True
    return False


def scaled(slope: Slope, scale: float) -> Slope:
    """The slope of a line that was walked in steps of ``scale``."""
    return Slope(slope.value / scale, slope.error / abs(scale), slope.bent, slope.torn)


def is_real(point: Point) -> bool:
    """Whether neither inputs nor results are complex."""
    return all(a.dtype.kind == "f" for a in (*point.arrays, *point.ys))
