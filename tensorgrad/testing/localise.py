"""Find the op that is to blame: each op that a function applied is checked on the arrays that it saw."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from .compare import Probe
from .comparison import Tolerance, away_from_zero, reaches
from .contracts import CLAUSES
from .differences import entries
from .examination import Examination, NotApplicable
from .point import FAILURES, Point, RuleFailed
from .report import Finding
from .subject import Step

HABITS = (
    "upstream unchanged", "inputs unchanged", "independent of other calls", "form of the gradient",
    "linear in the upstream gradient",
)  # fmt: skip
"""Clauses about how a rule behaves. Where one is broken it explains wrong values, so it comes first."""

FULL = 4096
"""Up to so many entries in the Jacobian of an op, all of them are compared."""


SEEN_AT_ONCE = ("upstream unchanged", "form of the gradient")
"""Those that one backward pass shows; every op is held to them."""


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

    An op is examined in full if a projection of its Jacobian disagrees with differences; all are if none does.

    Args:
        steps: the ops and the arrays that they saw.
        tolerance: as for the function as a whole.
        seed: of random cotangents and directions.
        thorough: look at everything, for something is wrong. Else only at what need not show in the function
            as a whole, such as a rule that writes to what others hold.
    """
    exams = [(step, exam) for step in steps if (exam := _examination(step, tolerance, seed)) is not None]
    found: list[tuple[float, Finding]] = []
    for step, exam in exams:
        broken = _attempted(partial(habits, exam, SEEN_AT_ONCE))
        if thorough and (broken or suspicious(exam)):
            found += _examined(step, exam)
        else:
            found += [(np.inf, replace(one, where=step.where)) for one in broken]
    if thorough and not found:
        for step, exam in exams:
            found += _examined(step, exam)
    order = sorted(range(len(found)), key=lambda i: -found[i][0])
    return [found[i][1] for i in order]


def suspicious(exam: Examination) -> bool:
    """Whether a random projection of the Jacobian is another than differences tell."""
    point, rng = exam.point, exam.rng()
    weights = away_from_zero(rng, (1, point.size))
    try:
        rows = point.rows(point.pullback(), weights)
    except (*FAILURES, RuleFailed):
        return True
    probes = [Probe(point, i, row, weights, exam.tolerance) for i, row in enumerate(rows)]
    return any(
        one.disagrees(away_from_zero(rng, (one.rows.shape[1],)) * reaches(point.arrays[one.which]))
        for one in probes
    )


def _examination(step: Step, tolerance: Tolerance, seed: int) -> Examination | None:
    try:
        point = Point(step.subject, step.arrays)
    except FAILURES:
        return None  # it needs what the function around it set up
    size = point.size * sum(entries(a).size for a in point.arrays)
    if not size or not all(np.isfinite(y).all() for y in point.ys):
        return None
    return Examination(point, replace(tolerance, unit=point.unit, eps=None), size > FULL, seed)


def _examined(step: Step, exam: Examination) -> list[tuple[float, Finding]]:
    """What is wrong with an op, each finding with its weight: a habit explains wrong values, so it comes first."""
    values = _attempted(lambda: list(CLAUSES["derivative"](exam)))
    broken = _attempted(lambda: habits(exam))
    severity = max([one.severity for one in exam.comparisons], default=np.inf)
    weighed = [(np.inf, one) for one in broken] + [(severity, one) for one in values]
    return [(weight, replace(one, where=step.where)) for weight, one in weighed]


def _attempted(look: Callable[[], list[Finding]]) -> list[Finding]:
    try:
        return look()
    except FAILURES:
        return []
