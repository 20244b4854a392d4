"""Numeric derivatives that know how wrong they may be.

Everything happens on a line: a function of one number ``t`` whose results are a row of numbers. Its
slope at 0 is extrapolated from central differences at ever smaller steps, and each entry of the
results takes the step that serves it best. Next to a slope stands a bound for its error, made of what
the extrapolation still moves and of what rounding may do, so that who compares need not guess.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

Row = np.ndarray[Any, Any]
Line = Callable[[float], Row]

LEVELS = 11
"""Halvings of the first step: from an eighth of the scale of the input to a 16,000th."""

FIRST = 0.125

SAFETY = 4.0
"""What the change between two extrapolations is multiplied by to make a bound of it."""


@dataclass(frozen=True)
class Slope:
    """Slopes, and for each a bound of its error: infinite where no step told anything.

    ``bent`` marks results that may have a kink right here: their slopes from both sides stay apart as
    the step gets smaller. ``torn`` marks those that jump: the result here is not what it is beside.
    """

    value: Row
    error: Row
    bent: Row | None = None
    torn: Row | None = None

    def better(self, other: Slope) -> Slope:
        """Entry by entry the one with the smaller bound."""
        mine = ~(other.error < self.error)
        value, error = np.where(mine, self.value, other.value), np.where(mine, self.error, other.error)
        return Slope(value, error, self.bent, self.torn)

    def __getitem__(self, index: Any) -> Slope:
        bent, torn = [None if one is None else one[index] for one in (self.bent, self.torn)]
        return Slope(self.value[index], self.error[index], bent, torn)


def central_slope(
    line: Line, unit: float, *, first: float = FIRST, levels: int = LEVELS, goal: float = 1e-10
) -> Slope:
    """The slope at 0 of a function of a number, from both sides.

    Args:
        line: the function; it returns a row of numbers, in any of which it may fail (NaN).
        unit: the distance between 1 and the next float in the precision that ``line`` computes in.
        first: the largest step.
        levels: how often the step is halved, at most.
        goal: the relative error at which to stop.

    Example:
        >>> import numpy as np
        >>> slope = central_slope(lambda t: np.array([np.exp(t), np.sin(3 * t)]), 2.2e-16)
        >>> slope.value.round(9), bool((slope.error < 1e-8).all())
        (array([1., 3.]), True)

    Source:
        Ridders, Accurate computation of F'(x) and F'(x)F''(x), Advances in Engineering Software 4 (1982).
    """
    base = line(0.0)
    bends: list[Row] = []

    def difference(h: float) -> tuple[Row, Row]:
        up, down = line(h), line(-h)
        size = np.maximum(np.abs(up), np.abs(down))
        bend = np.abs(up + down - 2 * base) / h
        bends.append(np.where(bend > 64 * unit * size / h, bend, 0))
        return (up - down) / (2 * h), size

    found = _extrapolated(difference, unit, first, levels, goal, order=2)
    # With the step the bend is halved where a function is smooth, stays at a kink, and is doubled at a jump.
    last, before = bends[-1], bends[max(0, len(bends) - 3)]
    return Slope(found.value, found.error, last > 0.75 * before, (last > 2 * before) & (before > 0))


def one_sided_slope(line: Line, unit: float, *, first: float = FIRST, levels: int = 16) -> Slope:
    """The slope at 0 as seen from ``t > 0``.

    Example:
        >>> import numpy as np
        >>> one_sided_slope(lambda t: np.array([abs(t)]), 2.2e-16).value
        array([1.])
    """
    base = line(0.0)

    def difference(h: float) -> tuple[Row, Row]:
        up = line(h)
        return (up - base) / h, np.maximum(np.abs(up), np.abs(base))

    return _extrapolated(difference, unit, first, levels, 1e-9, order=1)


def fixed_slope(line: Line, unit: float, step: float) -> Slope:
    """The central difference at one given step; twice that step tells its error."""
    near, far = [(line(h) - line(-h)) / (2 * h) for h in (step, 2 * step)]
    size = np.abs(line(0.0))
    return Slope(near, np.abs(far - near) + 2 * unit * size / step)


def complex_slope(line: Callable[[complex], Any], unit: float) -> Slope:
    """The slope at 0 of a complex-differentiable function, exact to rounding.

    Nothing is subtracted, so the step may be as small as one likes.

    Source:
        Squire and Trapp, Using complex variables to estimate derivatives of real functions, 1998.
    """
    step = 1e-40
    found = line(step * 1j)
    value = np.imag(found) / step
    return Slope(value, unit * (16 * np.abs(value) + np.abs(found)))


def _extrapolated(
    difference: Callable[[float], tuple[Row, Row]],
    unit: float,
    first: float,
    levels: int,
    goal: float,
    *,
    order: int,
) -> Slope:
    """Neville's tableau over halved steps. ``order`` is the power of the step in each term of the error."""
    base, size = difference(first)
    rows = [base]
    best = Slope(base, np.full(base.shape, np.inf))
    start = np.zeros(base.shape, int)
    change = np.full(base.shape, np.inf)
    stuck = 0
    h = first
    for level in range(1, levels):
        h /= 2
        base, size = difference(h)
        noise = unit * (size + np.abs(base)) / h
        row = [base]
        for j in range(1, level + 1):
            row.append(row[-1] + (row[-1] - rows[j - 1]) / (2.0 ** (order * j) - 1))
        # The change from step to step must shrink. Where it grows, a pole, a kink or a wave was stepped over, and
        # what came before tells nothing.
        last, change = change, np.abs(base - rows[0])
        again = ~(change <= last + noise)
        start = np.where(again, level, start)
        lost = ~(np.abs(base - best.value) <= best.error + change + 16 * noise)
        found = Slope(best.value, np.where(lost, np.inf, best.error))
        for j in range(1, level + 1):
            moved = np.maximum(np.abs(row[j] - row[j - 1]), np.abs(row[j] - rows[j - 1]))
            error = np.where(level - j >= start, SAFETY * moved + noise, np.inf)
            found = found.better(Slope(row[j], error))
        unsettled = ~np.isfinite(base) | (again & (change > 4 * noise))
        hopeful = level < 4 or bool((unsettled | (found.error < 0.5 * best.error)).any())
        best, rows = found, row
        stuck = 0 if hopeful else stuck + 1
        top = float(np.abs(np.where(np.isfinite(best.value), best.value, 0)).max(initial=0.0))
        settled = not bool((again & (change > 4 * noise)).any())
        if level >= 2 and (stuck >= 3 or (settled and bool((best.error <= goal * top + 2 * noise).all()))):
            break
    return Slope(best.value, np.where(np.isfinite(best.error), best.error, np.inf))
