"""The derivative of a subject beside numeric slopes: all entries of the Jacobian, or random projections.

What looks wrong is looked at again before anybody is accused: with other steps, and from both sides,
because at a kink every slope between those of the two sides is right.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .differences import entries
from .point import Point
from .slopes import FIRST, Row, Slope, central_slope, complex_slope, fixed_slope, one_sided_slope
from .subject import Pullback

FLOOR = 128
"""What a rule may leave of terms that cancel, in units of the precision and of the largest entry."""

SMALLEST_SCALE = 0.125
"""Where an entry is smaller and steps in parts of it tell little, steps in parts of this are tried too."""

GOOD = 1e-8
"""The relative error at which a slope tells enough."""

LOOKED_AT_AGAIN = 24
"""So many columns of a Jacobian are looked at again at a time, the worst first."""

PROJECTIONS = 8
"""Random cotangents of the fast mode."""

FAST_LEVELS = 8
"""Halvings of the step along a projection: with the base that makes at most 18 evaluations."""

MANY_KINKS = 16
"""From so many entries at kinks on, projections give way to a look at every entry."""

SMALL = 1 << 18
"""A Jacobian of so many entries is computed in full once a projection disagrees."""

CONFIRMED = 0.7 * 2.0**-8
"""The first step, in parts of the usual one, when something is looked at again."""


@dataclass(frozen=True)
class Tolerance:
    """How far the two may be apart, beyond the bound of the numeric error.

    Args:
        atol: absolute; None derives it from the precision and the largest entry nearby.
        rtol: relative; None takes two thirds of the digits of the precision.
        unit: the distance between 1 and the next float.
        eps: a step to use instead of a search for the best one.
    """

    atol: float | None
    rtol: float | None
    unit: float
    eps: float | None = None

    @property
    def relative(self) -> float:
        """The relative part."""
        return self.unit ** (2 / 3) if self.rtol is None else self.rtol

    def allowed(self, analytic: Row, numeric: Slope) -> Row:
        """The largest difference that says nothing, for each entry of a Jacobian."""
        size = np.abs(np.where(np.isfinite(numeric.value), numeric.value, 0))
        own = self.relative * size + numeric.error
        if self.atol is not None:
            return np.asarray(self.atol + own)
        # Rounding in the rule is relative to what it adds up: entries in the same row and column.
        near = np.minimum(size.max(axis=0, initial=0)[None, :], size.max(axis=1, initial=0)[:, None])
        # Where all are exactly 0 there is no scale but that of the cotangents, which is 1.
        least = min(FLOOR * self.unit, self.relative) * (float(size.max(initial=0)) or 1.0)
        return np.asarray(own + self.relative * near + least)


@dataclass
class Comparison:
    """One input: what the rule says beside what differences say.

    Attributes:
        which: the number of the input.
        analytic: the Jacobian by the rule; one row for each of ``rows``, one column for each of ``columns``.
        numeric: the same by differences, with bounds.
        allowed: how far they may be apart.
        wrong: where they are further apart, and it stood a second look.
        columns: the entries of the input that the columns belong to.
        rows: the entries of the results that the rows belong to.
        kinks: by column, what was seen there besides: one-sided slopes, edges of the domain.
    """

    which: int
    analytic: Row
    numeric: Slope
    allowed: Row
    wrong: Row
    columns: Row
    rows: Row
    kinks: dict[int, str] = field(default_factory=dict)

    @classmethod
    def nothing(cls, which: int, kinks: dict[int, str]) -> Comparison:
        """A comparison in which nothing is wrong and no entry was looked at."""
        none = np.zeros((0, 0))
        return cls(which, none, Slope(none, none), none, none > 0, np.arange(0), np.arange(0), kinks)

    @property
    def severity(self) -> float:
        """The largest error of a wrong entry, in parts of the largest entry."""
        if not self.wrong.any():
            return 0.0
        distance = np.abs(self.analytic - self.numeric.value)[self.wrong]
        size = float(np.abs(np.where(np.isfinite(self.numeric.value), self.numeric.value, 0)).max(initial=0))
        return float(np.max(np.where(np.isfinite(distance), distance, np.inf))) / (size or 1.0)

    def worst(self) -> tuple[int, int]:
        """Row and column of the wrong entry that is furthest out."""
        with np.errstate(all="ignore"):
            distance = np.where(self.wrong, np.abs(self.analytic - self.numeric.value), -1.0)
        distance = np.where(self.wrong & ~np.isfinite(distance), np.inf, distance)
        row, column = np.unravel_index(int(np.argmax(distance)), distance.shape)
        return int(row), int(column)


# ---- every entry


def full(point: Point, pull: Pullback, tolerance: Tolerance) -> list[Comparison]:
    """Compare every entry of the Jacobian, input by input."""
    analytic = point.rows(pull, np.eye(point.size))
    return [judged(point, i, rows, tolerance) for i, rows in enumerate(analytic)]


def full_input(point: Point, pull: Pullback, which: int, tolerance: Tolerance) -> Comparison:
    """The same for one input."""
    return judged(point, which, point.rows(pull, np.eye(point.size))[which], tolerance)


def jacobian(point: Point, which: int, tolerance: Tolerance) -> Slope:
    """The Jacobian in one input by differences, column by column."""
    slopes = [column(point, which, i, tolerance) for i in range(entries(point.arrays[which]).size)]
    if not slopes:
        return Slope(np.zeros((point.size, 0)), np.zeros((point.size, 0)))
    bent = [np.zeros(point.size, bool) if s.bent is None else s.bent for s in slopes]
    return Slope(
        np.stack([s.value for s in slopes], 1), np.stack([s.error for s in slopes], 1), np.stack(bent, 1)
    )


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
    """A column by central differences, with steps relative to the entry: so they never step over 0."""
    near = walked(point, which, entry, reach(point, which, entry), first)
    if reach(point, which, entry) >= SMALLEST_SCALE:
        return near
    size = float(np.abs(np.where(np.isfinite(near.value), near.value, 0)).max(initial=0))
    if bool((near.error <= GOOD * size).all()):
        return near
    far = walked(point, which, entry, SMALLEST_SCALE, first)
    agree = np.abs(far.value - near.value) <= far.error + near.error
    return near.better(Slope(far.value, np.where(agree, far.error, np.inf)))


def walked(point: Point, which: int, entry: int, scale: float, first: float) -> Slope:
    """The same with steps in parts of ``scale``."""
    line = point.line(which, scale * unit_vector(point, which, entry))
    return scaled(central_slope(line, point.unit, first=first), scale)


def judged(point: Point, which: int, analytic: Row, tolerance: Tolerance) -> Comparison:
    """Compare the Jacobian of the rule with differences; whatever is apart is looked at again."""
    numeric = jacobian(point, which, tolerance)
    allowed = tolerance.allowed(analytic, numeric)
    wrong = apart(analytic, numeric.value, allowed)
    rows, columns = [np.arange(n) for n in analytic.shape]
    found = Comparison(which, analytic, numeric, allowed, wrong, columns, rows)
    if wrong.any():
        point.suspect()
    if tolerance.eps is None:
        look_again(point, found)
    return found


def look_again(point: Point, found: Comparison) -> None:
    """Clear columns at kinks and those where other steps agree with the rule; stop when one stays wrong."""
    unsure = found.wrong | ~np.isfinite(found.numeric.error)
    if found.numeric.bent is not None:
        unsure |= found.numeric.bent
    suspects = [int(c) for c in np.argsort(-found.wrong.sum(axis=0), kind="stable") if unsure[:, c].any()]
    for start in range(0, len(suspects), LOOKED_AT_AGAIN):
        some = suspects[start : start + LOOKED_AT_AGAIN]
        for c in some:
            found.wrong[:, c], note = second_look(point, found, c)
            if note:
                found.kinks[int(found.columns[c])] = note
        if found.wrong[:, some].any():
            return


def second_look(point: Point, found: Comparison, c: int) -> tuple[Row, str]:
    """What is wrong in column ``c`` after all, and a note on what was seen there."""
    which, entry = found.which, int(found.columns[c])
    analytic, wrong, sure = found.analytic[:, c], found.wrong[:, c], np.isfinite(found.numeric.error[:, c])
    slack = np.where(sure, found.allowed[:, c], 0) - np.where(sure, found.numeric.error[:, c], 0)
    if wrong.any():
        first, again = found.numeric[:, c], stepped(point, which, entry, CONFIRMED * FIRST)
        again = again[found.rows]
        # A kink nearby: smaller steps tell another slope, and tell it well enough to contradict the first.
        other = apart(first.value, again.value, first.error + again.error)
        wrong = wrong & ~(other & ~apart(analytic, again.value, slack + again.error))
    if wrong.any():
        # Noise that the bound did not foresee shows in what other steps of the same size tell.
        twice = [stepped(point, which, entry, f * FIRST)[found.rows].value for f in (0.8, 0.6)]
        noise = np.max([np.abs(one - first.value) for one in twice], axis=0)
        wrong = wrong & apart(analytic, first.value, found.allowed[:, c] + 8 * noise)
    above, below = [side[found.rows] for side in sides(point, which, entry)]
    up, down = np.isfinite(above.error), np.isfinite(below.error)
    error = above.error + below.error
    with np.errstate(invalid="ignore"):
        kink = up & down & (np.abs(above.value - below.value) > 4 * error + slack)
        low = np.minimum(above.value, below.value) - error - slack
        high = np.maximum(above.value, below.value) + error + slack
    inside = (low <= analytic) & (analytic <= high)
    edge = up ^ down
    near = above.better(below)
    outside = ~(finite_beside(point, which, entry)[found.rows])
    wild = ~up & ~down & ~outside
    wrong = np.where(kink, wrong & ~inside, wrong)
    wrong = np.where(edge, apart(analytic, near.value, near.error + slack), wrong)
    wrong = np.where(wild, np.isnan(analytic), wrong) | (outside & ~sure)
    at = point.input_place(which, entry)
    if kink.any():
        row = int(np.argmax(kink))
        return wrong, (
            f"not differentiable at {at}: the slope of {point.result_place(int(found.rows[row]))} is "
            f"{below.value[row] + 0.0:.6g} from below and {above.value[row] + 0.0:.6g} from above; the rule says "
            f"{analytic[row]:.6g}"
        )
    if (outside & ~sure).any():
        return wrong, f"the function is not finite on either side of {at}, so differences say nothing"
    if edge.any():
        return wrong, f"{at} lies at the edge of the domain: compared from one side only"
    if wild.any():
        return wrong, f"{at} lies where the function jumps or rises steeply: differences say nothing"
    return wrong, ""


def finite_beside(point: Point, which: int, entry: int) -> Row:
    """Which results are finite a little above or a little below an entry."""
    line = point.line(which, reach(point, which, entry) * unit_vector(point, which, entry))
    step = math.sqrt(point.unit)
    return np.isfinite(line(step)) | np.isfinite(line(-step))


def sides(point: Point, which: int, entry: int) -> tuple[Slope, Slope]:
    """The slopes of a column from above and from below."""
    scale = reach(point, which, entry)
    found = []
    for sign in (1, -1):
        line = point.line(which, sign * scale * unit_vector(point, which, entry))
        found.append(scaled(one_sided_slope(line, point.unit), sign * scale))
    return found[0], found[1]


# ---- random projections


def fast(point: Point, pull: Pullback, tolerance: Tolerance, rng: np.random.Generator) -> list[Comparison]:
    """Compare random projections ``v' J u``; only where they disagree are entries looked at.

    No weight of a projection is near 0. So one wrong entry shows in every projection, unless its error is
    smaller than the bound of the projection's own; several wrong entries would have to cancel in all
    `PROJECTIONS` cotangents at once.
    """
    weights = away_from_zero(rng, (PROJECTIONS, point.size))
    analytic = point.rows(pull, weights)
    found = []
    for which, rows in enumerate(analytic):
        probe = _Probe(point, which, rows, weights, tolerance)
        along = away_from_zero(rng, (rows.shape[1],)) * reaches(point.arrays[which])
        kinks: dict[int, str] = {}
        while along.any() and probe.disagrees(along):
            point.suspect()
            entry = probe.narrowed(along)
            located = at_entry(point, pull, which, entry, tolerance, rng)
            kinks |= located.kinks
            if located.wrong.any():
                located.kinks |= kinks
                found.append(located)
                break
            along[entry] = 0
            if len(kinks) > MANY_KINKS or point.size * along.size <= SMALL:
                found.append(full_input(point, pull, which, tolerance))
                break
        else:
            found.append(Comparison.nothing(which, kinks))
    return found


@dataclass(frozen=True)
class _Probe:
    """Projections of one input's Jacobian."""

    point: Point
    which: int
    rows: Row
    weights: Row
    tolerance: Tolerance

    def disagrees(self, along: Row) -> bool:
        """Whether the rule and differences tell different slopes along a direction."""
        line = self.point.line(self.which, along)
        eps = self.tolerance.eps
        slope = (
            central_slope(line, self.point.unit, levels=FAST_LEVELS)
            if eps is None
            else fixed_slope(line, self.point.unit, eps)
        )
        numeric = self.weights @ slope.value
        loose = self.tolerance.relative * 1e-2 if self.tolerance.rtol is None else self.tolerance.rtol
        allowed = loose * (np.abs(self.rows) @ np.abs(along)) + np.abs(self.weights) @ slope.error
        if self.tolerance.atol is not None:
            allowed = allowed + self.tolerance.atol * float(np.abs(along).sum())
        return bool(apart(self.rows @ along, numeric, allowed).any())

    def narrowed(self, along: Row) -> int:
        """An entry that is to blame for the disagreement, by halving."""
        active = np.flatnonzero(along)
        while active.size > 1:
            half, rest = np.array_split(active, 2)
            mask = np.zeros(along.size)
            mask[half] = along[half]
            active = half if self.disagrees(mask) else rest
        return int(active[0])


def at_entry(
    point: Point, pull: Pullback, which: int, entry: int, tolerance: Tolerance, rng: np.random.Generator
) -> Comparison:
    """One column of the Jacobian, compared at the results that matter there: one row, found by halving."""
    numeric = column(point, which, entry, tolerance)
    active = np.arange(point.size)
    weights = away_from_zero(rng, (point.size,))
    while active.size > 1:
        half, rest = np.array_split(active, 2)
        mask = np.zeros(point.size)
        mask[half] = weights[half]
        said = point.rows(pull, mask[None, :])[which][0, entry]
        bound = np.abs(mask) @ (numeric.error + tolerance.relative * 1e-2 * np.abs(numeric.value))
        active = half if bool(apart(said, mask @ numeric.value, bound)) else rest
    unit = np.zeros((1, point.size))
    unit[0, active] = 1
    analytic = point.rows(pull, unit)[which][:, entry : entry + 1]
    mine = Slope(numeric.value[active][:, None], numeric.error[active][:, None])
    allowed = tolerance.allowed(analytic, mine)
    found = Comparison(
        which, analytic, mine, allowed, apart(analytic, mine.value, allowed), np.array([entry]), active
    )
    look_again(point, found)
    return found


# ---- helpers


def apart(analytic: Any, numeric: Any, allowed: Any) -> Any:
    """Where two values are further apart than allowed; what is not finite is apart from all but itself."""
    with np.errstate(all="ignore"):
        distance = np.abs(analytic - numeric)
        return ~((distance <= allowed) | (analytic == numeric)) & (
            np.isfinite(allowed) | ~np.isfinite(analytic)
        )


def away_from_zero(rng: np.random.Generator, shape: tuple[int, ...]) -> Row:
    """Random numbers between 1 and 2 in size, of either sign."""
    return np.asarray(rng.uniform(1, 2, shape) * rng.choice([-1.0, 1.0], shape))


def reach(point: Point, which: int, entry: int) -> float:
    """The scale of the steps of one entry: a power of two, so that steps along it are exact."""
    x = abs(float(entries(point.arrays[which])[entry]))
    return float(2.0 ** math.floor(math.log2(x))) if x else 1.0


def reaches(x: Any) -> Row:
    """How far each real entry may be moved at once: its own size, so that a step never crosses 0."""
    size = np.abs(entries(x)).astype(np.float64)
    return np.where(size == 0, 1.0, np.maximum(size, 1e-3))


def unit_vector(point: Point, which: int, entry: int) -> Row:
    """The direction of one real entry."""
    found = np.zeros(entries(point.arrays[which]).size)
    found[entry] = 1.0
    return found


def scaled(slope: Slope, scale: float) -> Slope:
    """The slope of a line that was walked in steps of ``scale``."""
    return Slope(slope.value / scale, slope.error / abs(scale), slope.bent)


def is_real(point: Point) -> bool:
    """Whether neither inputs nor results are complex."""
    return all(a.dtype.kind == "f" for a in (*point.arrays, *point.ys))
