"""The derivative of a subject beside numeric slopes: all entries of the Jacobian, or random projections.

What looks wrong is looked at again before anybody is accused: with other steps, and from both sides,
because at a kink every slope between those of the two sides is right.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .differences import entries, joined
from .point import Point, shifted
from .slopes import FIRST, Row, Slope, central_slope, complex_slope, fixed_slope, one_sided_slope
from .subject import Pullback

FLOOR = 128
"""What a rule may leave of terms that cancel, in units of the precision and of the largest entry."""

SMALLEST_SCALE = 0.125
"""Where an entry is smaller and steps in parts of it tell little, steps in parts of this are tried too."""

GOOD = 1e-8
"""The relative error at which a slope tells enough."""

LOOKED_AT_AGAIN = 8
"""So many columns of a Jacobian are looked at again at a time, the worst first."""

PROJECTIONS = 8
"""Random cotangents of the fast mode."""

FAST_LEVELS = 8
"""Halvings of the step along a projection: with the base that makes at most 18 evaluations."""

MANY_KINKS = 16
"""From so many entries at kinks on, projections give way to a look at every entry."""

FEW, SMALL = 512, 1 << 18
"""A Jacobian of so few columns and entries is computed in full once a projection disagrees."""

CLEAR = 1e-3
"""How far slopes must differ, in parts of the larger, to be those of a kink."""

NEIGHBOURS = 24
"""Points close by at which slopes are looked at where entries may be tied."""

ROWS_OF_NOISE = 32
"""Rows of a column in which the rounding of the rule is measured."""

TINY = 2.0**-14
"""What the first step is multiplied by close to where a function ends."""

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

    def allowed(self, numeric: Slope, rounding: Row) -> Row:
        """The largest difference that says nothing, for each entry of a Jacobian.

        ``rounding`` is what a unit of precision in the result is worth there.
        """
        size = np.abs(np.where(np.isfinite(numeric.value), numeric.value, 0))
        own = self.relative * size + numeric.error
        if self.atol is not None:
            return np.asarray(self.atol + own)
        # Rounding in the rule is relative to what it adds up: entries in the same row and column.
        near = np.minimum(size.max(axis=0, initial=0)[None, :], size.max(axis=1, initial=0)[:, None])
        # Where all are exactly 0 there is no scale but that of the cotangents, which is 1.
        least = min(FLOOR * self.unit, self.relative) * (float(size.max(initial=0)) or 1.0)
        return np.asarray(own + self.relative * near + least + FLOOR / 8 * self.unit * rounding)


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
        tied: whether slopes close by may differ, as far as was looked.
    """

    which: int
    analytic: Row
    numeric: Slope
    allowed: Row
    wrong: Row
    columns: Row
    rows: Row
    kinks: dict[int, str] = field(default_factory=dict)
    tied: bool = True

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


def judged(point: Point, which: int, analytic: Row, tolerance: Tolerance) -> Comparison:
    """Compare the Jacobian of the rule with differences; whatever is apart is looked at again."""
    numeric = jacobian(point, which, tolerance)
    rows, columns = [np.arange(n) for n in analytic.shape]
    allowed = tolerance.allowed(numeric, worth(point, which, rows, columns))
    wrong = apart(analytic, numeric.value, allowed)
    found = Comparison(which, analytic, numeric, allowed, wrong, columns, rows)
    if wrong.any():
        point.suspect()
        _read_as_symmetric(point, found)
    if tolerance.eps is None:
        look_again(point, found)
        if point.subject.single:
            _look_at_ties(point, found)
    return found


def _look_at_ties(point: Point, found: Comparison) -> None:
    """Move all entries at kinks together: where that is smooth, the rule's slopes must add up to the slope.

    Each of two tied entries may have the whole gradient of their maximum, but not both of them.
    """
    tied = [c for c, note in found.kinks.items() if note.startswith("not differentiable")]
    if len(tied) < 2:
        return
    along = np.zeros(found.columns.size)
    along[tied] = 1.0
    above, below = [
        scaled(one_sided_slope(point.line(found.which, sign * along), point.unit), sign) for sign in (1, -1)
    ]
    error = above.error + below.error
    slack = found.allowed.sum(axis=1) + error
    with np.errstate(invalid="ignore"):
        smooth = np.isfinite(error) & (np.abs(above.value - below.value) <= slack)
    off = smooth & apart(found.analytic @ along, above.value, slack)
    found.wrong[np.ix_(off, np.array(tied))] = True


def _read_as_symmetric(point: Point, found: Comparison) -> None:
    """Clear a rule that gives both triangles of a symmetric matrix their share, where the function reads only one."""
    x = point.arrays[found.which]
    if not is_symmetric(x):
        return
    analytic, numeric = symmetrised(found.analytic, x), symmetrised(found.numeric.value, x)
    bounds = symmetrised(found.allowed, x, signed=False)
    if (
        apart(found.analytic, analytic, found.allowed + bounds).any()
        or apart(analytic, numeric, bounds).any()
    ):
        return
    found.wrong[...] = False
    name = point.subject.names[found.which]
    found.kinks[-1] = (
        f"{name} is symmetric and the function reads one triangle of it; the gradient is that of a symmetric matrix"
    )


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
        noise = np.max([np.abs(one - first.value) for one in twice], axis=0) + rule_noise(point, found, c)
        wrong = wrong & apart(analytic, first.value, found.allowed[:, c] + 8 * noise)
    above, below = [side[found.rows] for side in sides(point, which, entry)]
    up, down = np.isfinite(above.error), np.isfinite(below.error)
    error = above.error + below.error
    with np.errstate(invalid="ignore"):
        gap, top = np.abs(above.value - below.value), np.maximum(np.abs(above.value), np.abs(below.value))
        kink = up & down & (gap > 4 * error + slack) & (gap > CLEAR * top)
        low = np.minimum(above.value, below.value) - error - slack
        high = np.maximum(above.value, below.value) + error + slack
    inside = (low <= analytic) & (analytic <= high)
    if (wrong & ~inside).any() and (found.tied or kink.any() or _bent(found, c)):
        among, found.tied = among_neighbours(point, found, c, slack)
        inside |= among
        kink |= among & wrong
    edge = up ^ down
    near = above.better(below)
    outside = ~(finite_beside(point, which, entry)[found.rows])
    wild = ~up & ~down & ~outside
    if found.numeric.torn is not None and found.numeric.torn[:, c].any():
        wild |= ~outside & ~kink & ~edge
    wrong = np.where(kink, wrong & ~inside, wrong)
    open_ = wrong | ~sure
    wrong = np.where(edge & open_, apart(analytic, near.value, near.error + slack), wrong)
    wrong = np.where(wild, np.isnan(analytic), wrong) | (outside & ~sure)
    if (
        not np.isfinite(analytic).all()
        and (wrong & ~np.isfinite(analytic)).any()
        and steep(point, which, entry)
    ):
        # Where a slope is infinite, one-hot cotangents give 0 times infinity for the other results.
        wrong &= np.isfinite(analytic)
        wild |= ~np.isfinite(analytic)
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


def rule_noise(point: Point, found: Comparison, c: int) -> Row:
    """How much column ``c`` of the rule moves, relative to it, when cotangents do by a few units of the precision."""
    rows = np.flatnonzero(found.wrong[:, c])[:ROWS_OF_NOISE]
    noise = np.zeros(len(found.rows))
    pull = point.pullback()
    for units in (3, 5, 9):
        size = 1 + units * point.unit
        weights = np.zeros((len(rows), point.size))
        weights[np.arange(len(rows)), found.rows[rows]] = size
        moved = point.rows(pull, weights)[found.which][:, found.columns[c]] / size
        noise[rows] = np.fmax(noise[rows], np.abs(moved - found.analytic[rows, c]))
    return np.where(np.isfinite(noise), noise, 0)


def steep(point: Point, which: int, entry: int) -> bool:
    """Whether the slope of some result grows without end as the step gets smaller."""
    line = point.line(which, reach(point, which, entry) * unit_vector(point, which, entry))
    base = line(0.0)
    for sign in (1, -1):
        far, near = [np.abs(line(sign * h) - base) / h for h in (2.0**-8, 2.0**-20)]
        if (near > 4 * far + 1).any():
            return True
    return False


def _bent(found: Comparison, c: int) -> bool:
    return found.numeric.bent is not None and bool(found.numeric.bent[:, c].any())


def among_neighbours(point: Point, found: Comparison, c: int, slack: Row) -> tuple[Row, bool]:
    """Whether the rule's slopes lie between those at points close by, and whether any of these differ.

    With several entries tied, the slopes from two sides do not tell all that are possible at the tie.
    """
    rng = np.random.default_rng(0)
    entry = int(found.columns[c])
    scale = reach(point, found.which, entry)
    along = scale * unit_vector(point, found.which, entry)
    step = point.unit ** (1 / 3)
    h = step / 16
    seen = []
    for _ in range(NEIGHBOURS):
        moved = [shifted(a, step, rng.standard_normal(entries(a).size) * reaches(a)) for a in point.arrays]
        own, ends = moved[found.which], []
        for sign in (1, -1):
            moved[found.which] = shifted(own, sign * h, along)
            ends.append(point.row(moved)[found.rows])
        seen.append((ends[0] - ends[1]) / (2 * h * scale))
    low, high, analytic = np.min(seen, axis=0), np.max(seen, axis=0), found.analytic[:, c]
    rounding = 64 * point.unit * np.abs(joined(point.ys))[found.rows] / (h * scale)
    width = high - low
    told = (width > CLEAR * np.maximum(np.abs(low), np.abs(high))) & (width > rounding)
    loose = slack + 1e-2 * width
    return np.asarray(told & (low - loose <= analytic) & (analytic <= high + loose)), bool(told.any())


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
        probe = Probe(point, which, rows, weights, tolerance)
        along = away_from_zero(rng, (rows.shape[1],)) * reaches(point.arrays[which])
        kinks: dict[int, str] = {}
        while along.any() and probe.disagrees(along):
            point.suspect()
            even = (
                symmetrised(along[None, :], point.arrays[which])[0]
                if is_symmetric(point.arrays[which])
                else along
            )
            if even is not along and point.size * along.size > SMALL and not probe.disagrees(even):
                break  # too large to look at every entry, and right for symmetric changes
            if along.size <= FEW and point.size * along.size <= SMALL:
                found.append(full_input(point, pull, which, tolerance))
                break
            x = point.arrays[which]
            if is_symmetric(x) and not probe.disagrees(symmetrised(along[None, :], x)[0]):
                break  # one triangle is read; for symmetric changes the rule is right
            entry = probe.narrowed(along)
            located = at_entry(point, pull, which, entry, tolerance, rng)
            kinks |= located.kinks
            if located.wrong.any():
                located.kinks |= kinks
                found.append(located)
                break
            along[entry] = 0
            if len(kinks) > MANY_KINKS and point.size * along.size <= SMALL:
                found.append(full_input(point, pull, which, tolerance))
                break
        if len(found) == which:
            found.append(Comparison.nothing(which, kinks))
    return found


@dataclass(frozen=True)
class Probe:
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
        if eps is not None:
            slope = fixed_slope(line, self.point.unit, eps)
        elif self.point.subject.analytic and is_real(self.point):
            slope = complex_slope(self.point.complex_line(self.which, along), self.point.unit)
        else:
            slope = central_slope(line, self.point.unit, levels=FAST_LEVELS)
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
    allowed = tolerance.allowed(mine, worth(point, which, active, np.array([entry])))
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


def worth(point: Point, which: int, rows: Row, columns: Row) -> Row:
    """Result by input, entry by entry: what slopes are measured in. Small inputs count as if they were larger."""
    y, x = np.abs(joined(point.ys))[rows], np.abs(entries(point.arrays[which]))[columns]
    return np.asarray(y[:, None] / np.maximum(x.astype(np.float64), SMALLEST_SCALE)[None, :])


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
    return Slope(slope.value / scale, slope.error / abs(scale), slope.bent, slope.torn)


def is_symmetric(x: Any) -> bool:
    """Whether an array holds symmetric, or Hermitian, matrices that are not diagonal."""
    if x.ndim < 2 or x.shape[-1] != x.shape[-2] or x.shape[-1] < 2:
        return False
    return bool(np.array_equal(x, np.conj(np.swapaxes(x, -1, -2))))


def symmetrised(rows: Row, x: Any, *, signed: bool = True) -> Row:
    """The mean of each row, a gradient of ``x`` in real entries, and its conjugate transpose."""
    shape = (len(rows), *x.shape, 2) if x.dtype.kind == "c" else (len(rows), *x.shape, 1)
    full = rows.reshape(shape)
    sign = np.array([1.0, -1.0 if signed else 1.0])[: shape[-1]]
    return np.asarray((full + sign * np.swapaxes(full, -2, -3)) / 2).reshape(rows.shape)


def is_real(point: Point) -> bool:
    """Whether neither inputs nor results are complex."""
    return all(a.dtype.kind == "f" for a in (*point.arrays, *point.ys))
