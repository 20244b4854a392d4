"""The derivative of a subject beside numeric slopes: all entries of the Jacobian, or random projections."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .columns import GOOD, column, is_real, jacobian
from .comparison import (
    Comparison,
    Tolerance,
    apart,
    away_from_zero,
    is_symmetric,
    reaches,
    symmetrised,
    worth,
)
from .differences import joined
from .point import Point
from .second_look import look_again, look_at_ties, read_as_symmetric
from .slopes import Row, Slope, central_slope, complex_slope, fixed_slope
from .subject import Pullback

PROJECTIONS = 8
"""Random cotangents of the fast mode."""

FAST_LEVELS = 8
"""Halvings of the step along a projection: with the base that makes at most 18 evaluations."""

UNSURE = 1e-2
"""A projection whose error may be so large, in parts of it, tells too little."""

MANY_KINKS = 16
"""From so many entries at kinks on, projections give way to a look at every entry."""

FEW, SMALL = 512, 1 << 18
"""A Jacobian of so few columns and entries is computed in full once a projection disagrees."""


def full(point: Point, pull: Pullback, tolerance: Tolerance) -> list[Comparison]:
    """Compare every entry of the Jacobian, input by input."""
    analytic = point.rows(pull, np.eye(point.size))
    return [judged(point, i, rows, tolerance) for i, rows in enumerate(analytic)]


def full_input(point: Point, pull: Pullback, which: int, tolerance: Tolerance) -> Comparison:
    """The same for one input."""
    return judged(point, which, point.rows(pull, np.eye(point.size))[which], tolerance)


def judged(point: Point, which: int, analytic: Row, tolerance: Tolerance) -> Comparison:
    """Compare the Jacobian of the rule with differences; whatever is apart is looked at again."""
    numeric = jacobian(point, which, tolerance)
    rows, columns = [np.arange(n) for n in analytic.shape]
    allowed = tolerance.allowed(numeric, worth(point, which, rows, columns))
    wrong = apart(analytic, numeric.value, allowed)
    found = Comparison(which, analytic, numeric, allowed, wrong, columns, rows)
    if wrong.any():
        point.suspect()
        read_as_symmetric(point, found)
    if tolerance.eps is None:
        look_again(point, found)
        if point.subject.single:
            look_at_ties(point, found)
    return found


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
            if len(kinks) > MANY_KINKS or along.size <= FEW:
                if point.size * along.size <= SMALL:
                    found.append(full_input(point, pull, which, tolerance))
                    break
                if len(kinks) > MANY_KINKS:
                    name = point.subject.names[which]
                    kinks[-1] = (
                        f"{name} has too many entries at kinks to compare projections; check fewer entries"
                    )
                    break
            x = point.arrays[which]
            if is_symmetric(x) and not probe.disagrees(symmetrised(along[None, :], x)[0]):
                break  # one triangle is read; for symmetric changes the rule is right
            entry = probe.narrowed(along)
            located = at_entry(point, pull, which, entry, tolerance, rng)
            kinks |= located.kinks or {entry: ""}
            if located.wrong.any():
                located.kinks |= kinks
                found.append(located)
                break
            along[entry] = 0
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
        """Whether the rule and differences tell different slopes along a direction, or differences too little."""
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
        if bool(apart(self.rows @ along, numeric, allowed).any()):
            return True
        bound, told = np.abs(self.weights) @ slope.error, np.abs(self.rows) @ np.abs(along)
        seen = np.abs(self.weights) @ np.abs(joined(self.point.ys))
        return bool((~(bound <= UNSURE * np.maximum(told, np.abs(numeric))) & ~(bound <= GOOD * seen)).any())

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
