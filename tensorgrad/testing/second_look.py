"""What looks wrong is looked at again before anybody is accused.

With other steps, with the rounding of both sides measured, from both sides, and at points close by: at a kink
every slope between those of the two sides is right, at a tie every one that is seen nearby.
"""

from __future__ import annotations

import numpy as np

from .columns import finite_beside, scaled, sides, steep, stepped
from .comparison import Comparison, apart, is_symmetric, reach, reaches, symmetrised, unit_vector
from .differences import entries, joined
from .point import Point, shifted
from .slopes import FIRST, Row, one_sided_slope

LOOKED_AT_AGAIN = 8
"""So many columns of a Jacobian are looked at again at a time, the worst first."""

CLEAR = 1e-3
"""How far slopes must differ, in parts of the larger, to be those of a kink."""

NEIGHBOURS = 24
"""Points close by at which slopes are looked at where entries may be tied."""

ROWS_OF_NOISE = 32
"""Rows of a column in which the rounding of the rule is measured."""

CONFIRMED = 0.7 * 2.0**-8
"""The first step, in parts of the usual one, when something is looked at again."""


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


def among_neighbours(point: Point, found: Comparison, c: int, slack: Row) -> tuple[Row, bool]:
    """Whether the rule's slopes lie between those at points close by, and whether any of these differ.

    With several entries tied, the slopes from two sides do not tell all that are possible at the tie.
    """
    rng = np.random.default_rng(0)
    entry = int(found.columns[c])
    scale = min(reach(point, found.which, entry), 1.0)
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
    x = abs(float(entries(point.arrays[found.which])[entry]))
    size = np.abs(joined(point.ys))[found.rows] + x * np.maximum(np.abs(low), np.abs(high))
    rounding = 64 * point.unit * size / (h * scale)
    width = high - low
    told = (width > CLEAR * np.maximum(np.abs(low), np.abs(high))) & (width > rounding)
    loose = slack + 1e-2 * width
    return np.asarray(told & (low - loose <= analytic) & (analytic <= high + loose)), bool(told.any())


def look_at_ties(point: Point, found: Comparison) -> None:
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


def read_as_symmetric(point: Point, found: Comparison) -> None:
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


def _bent(found: Comparison, c: int) -> bool:
    return found.numeric.bent is not None and bool(found.numeric.bent[:, c].any())
