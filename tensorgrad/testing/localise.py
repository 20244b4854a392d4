"""Find the op that is to blame: each op that a function applied is checked on the arrays that it saw."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from .compare import Tolerance
from .contracts import CLAUSES, Examination, NotApplicable
from .differences import entries
from .point import FAILURES, Point, RuleFailed
from .report import Finding
from .subject import Step

HABITS = (
    "upstream unchanged", "inputs unchanged", "independent of other calls", "form of the gradient",
    "linear in the upstream gradient",
)  # fmt: skip
"""Clauses about how a rule behaves. Where one is broken it explains wrong values, so it comes first."""

HIDDEN = ("upstream unchanged", "form of the gradient")
"""Those that need not show in a function that applies the op among others."""

FULL = 4096
"""Up to so many entries in the Jacobian of an op, all of them are compared."""


def habits(exam: Examination, names: Sequence[str] = HABITS) -> list[Finding]:
    """What an op does that it must not, whatever its values."""
    found = []
    for name in names:
        try:
            found += list(CLAUSES[name](exam))
        except (NotApplicable, RuleFailed):
            continue
    return found


def culprits(
    steps: Sequence[Step], tolerance: Tolerance, seed: int, *, thorough: bool = True
) -> list[Finding]:
    """What is wrong with the ops that a function applied, the most likely cause first.

    Args:
        steps: the ops and the arrays that they saw.
        tolerance: as for the function as a whole.
        seed: of random cotangents and directions.
        thorough: look at everything, for something is wrong. Else only at what need not show in the function
            as a whole, such as a rule that writes to what others hold.
    """
    found: list[tuple[float, Finding]] = []
    for step in steps:
        try:
            point = Point(step.subject, step.arrays)
        except FAILURES:
            continue  # it needs what the function around it set up
        size = point.size * sum(entries(a).size for a in point.arrays)
        if not size or not all(np.isfinite(y).all() for y in point.ys):
            continue
        exam = Examination(point, replace(tolerance, unit=point.unit, eps=None), size > FULL, seed)
        try:
            values = list(CLAUSES["derivative"](exam)) if thorough else []
            broken = habits(exam, HABITS if thorough else HIDDEN)
        except FAILURES:
            continue
        severity = max([one.severity for one in exam.comparisons], default=0.0)
        for one in (*broken, *values):
            rank = np.inf if one in broken or not exam.comparisons else severity
            found.append((rank, replace(one, where=step.where)))
    order = sorted(range(len(found)), key=lambda i: -found[i][0])
    return [found[i][1] for i in order]
