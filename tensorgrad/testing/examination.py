"""A subject at a point, and what the clauses of the contract need to look at it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from .compare import fast, full
from .comparison import Comparison, Tolerance, apart, away_from_zero
from .differences import entries, joined
from .point import FAILURES, Point, RuleFailed, real_entries, shifted
from .report import Finding
from .slopes import Row
from .subject import Pullback

LOOSE = 1e4
"""Rounding, in units of the precision, that two ways of computing the same may differ by."""

NOISY = 100
"""The same in units of what rounding was seen to do."""


class NotApplicable(Exception):
    """A clause says nothing about this subject; the message says why."""


@dataclass
class Examination:
    """A subject at a point, and what is needed to check it.

    Attributes:
        point: the subject and its arrays.
        tolerance: how far numbers may be apart.
        fast: whether to compare projections instead of entries.
        seed: of everything random.
        nondet_tol: how far two evaluations of the same may be apart.
        asked: the clauses that were asked for by name.
        notes: what is worth knowing and no fault, such as entries at which the function has a kink.
        comparisons: of the inputs, once the derivative was compared.
    """

    point: Point
    tolerance: Tolerance
    fast: bool
    seed: int
    nondet_tol: float = 0.0
    asked: frozenset[str] = frozenset()
    notes: list[str] = field(default_factory=list)
    comparisons: list[Comparison] = field(default_factory=list)

    def rng(self) -> np.random.Generator:
        """Random numbers, the same for each clause."""
        return np.random.default_rng(self.seed)

    def cotangents(self) -> list[Any]:
        """A random cotangent for each result, no entry near 0."""
        return self.point.shaped(away_from_zero(self.rng(), (self.point.size,)))

    @cached_property
    def noise(self) -> tuple[float, float]:
        """How much results and gradients move when inputs and cotangents move by a few units of the precision."""
        rng, point = self.rng(), self.point
        pull = point.pullback()
        here = pulled(point, pull, self.cotangents())
        results, scaled_ones, moved_ones = [joined(point.ys)], [here], [here]
        for units in (3, 5, 9):
            size = 1 + units * point.unit
            scaled_ones.append(
                pulled(point, pull, [v * v.dtype.type(size) for v in self.cotangents()]) / size
            )
            along = [rng.uniform(-4, 4, entries(x).size) * entries(x) for x in point.arrays]
            xs = [shifted(x, point.unit, u) for x, u in zip(point.arrays, along, strict=True)]
            results.append(point.row(xs))
            try:
                near = Point(point.subject, xs)
                moved_ones.append(pulled(near, near.pullback(), self.cotangents()))
            except (*FAILURES, RuleFailed):
                continue
        # More than rounding is a gradient that jumps here, and no noise.
        moved = min(_spread(moved_ones), LOOSE * point.unit)
        return _spread(results), max(_spread(scaled_ones), moved)

    def same_results(self, a: Row, b: Row) -> bool:
        """Whether two rows of results agree but for rounding."""
        return same(a, b, self.point.unit, self.noise[0])

    def same_gradients(self, a: Row, b: Row) -> bool:
        """Whether two rows of gradients agree but for rounding."""
        return same(a, b, self.point.unit, self.noise[1])

    def finding(self, clause: str, message: str, **more: Any) -> Finding:
        """A finding about the subject."""
        return Finding(clause, self.point.subject.name, message, **more)

    def compared(self, point: Point, *, every_entry: bool) -> list[Comparison]:
        """The derivative at a point beside differences."""
        tolerance = replace(self.tolerance, unit=point.unit)
        pull = point.pullback()
        return full(point, pull, tolerance) if every_entry else fast(point, pull, tolerance, self.rng())


# ---- helpers


def quietly(pull: Pullback, cotangents: Sequence[Any]) -> list[Any]:
    """Gradients, without warnings."""
    with np.errstate(all="ignore"):
        return pull(cotangents)


def pulled(point: Point, pull: Pullback, cotangents: Sequence[Any]) -> np.ndarray[Any, Any]:
    """The gradients of all inputs in one row."""
    return joined_gradients(point, quietly(pull, cotangents))


def joined_gradients(point: Point, found: Sequence[Any]) -> np.ndarray[Any, Any]:
    """Gradients in one row, None as zeros."""
    rows = [
        real_entries(None if g is None else np.asarray(g), x)
        for g, x in zip(found, point.arrays, strict=True)
    ]
    return np.concatenate([np.zeros(0), *rows])


def same(a: Row, b: Row, unit: float, noise: float = 0.0) -> bool:
    """Whether two rows agree but for rounding and ``noise``; NaN agrees with NaN."""
    if a.shape != b.shape:
        return False
    both = np.isnan(a) & np.isnan(b)
    size = np.abs(np.where(np.isfinite(a), a, 0)).max(initial=0)
    return not bool((apart(a, b, LOOSE * unit * size + NOISY * noise) & ~both).any())


def _spread(rows: Sequence[Row]) -> float:
    """How far rows that should be the same are apart."""
    stacked = np.stack([row for row in rows if row.shape == rows[0].shape])
    found = np.ptp(np.where(np.isfinite(stacked), stacked, 0), axis=0)
    return float(found.max(initial=0.0))
