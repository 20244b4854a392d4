"""What a check found, as data: printable, HTML in notebooks, and machine readable."""

from __future__ import annotations

import dataclasses
import json
import math
from dataclasses import dataclass
from typing import Any

LABELS = (
    "sign flipped", "factor", "transposed", "missing sum", "wrong axis", "off by one", "stale value",
    "wrong mask", "wrong in a region", "upstream mutated", "wrong dtype", "missing path",
    "missing upstream factor", "precision loss", "not finite", "single entry", "nondeterministic", "unknown",
)  # fmt: skip
"""The diagnoses that a finding may carry, in the words of reports and of the mutation suite."""


@dataclass(frozen=True)
class Finding:
    """One clause that an op, or the function as a whole, breaks.

    Attributes:
        clause: the clause, such as ``"derivative"`` or ``"upstream is not mutated"``.
        op: the op or function that breaks it.
        message: what is wrong, in a sentence.
        where: ``file:line`` of the user's code that called the op, or the empty string.
        input: the input whose gradient is wrong.
        place: the worst entry, such as ``"d result[1] / d x[0, 2]"``.
        analytic: the value that the derivative rule gives there.
        numeric: the value that differences give.
        bound: the error that the two may have there, at most.
        wrong: how many entries of the gradient are wrong, of ``total``.
        diagnosis: one of `LABELS`, or the empty string where the clause says all.
        hint: what to look for.
        error_map: the relative error of each entry of the gradient, 0 where it is right, the last axis of the
            input from left to right and the others from top to bottom. Large inputs are reduced to the
            largest errors of at most 16 by 16 blocks. Empty where not every entry was looked at.
    """

    clause: str
    op: str
    message: str
    where: str = ""
    input: str = ""
    place: str = ""
    analytic: float = math.nan
    numeric: float = math.nan
    bound: float = math.nan
    wrong: int = 0
    total: int = 0
    diagnosis: str = ""
    hint: str = ""
    error_map: tuple[tuple[float, ...], ...] = ()

    @property
    def ratio(self) -> float:
        """The analytic value by the numeric one; NaN where that is 0."""
        return self.analytic / self.numeric if self.numeric else math.nan


@dataclass(frozen=True)
class Clause:
    """One clause of the contract and how it went: ``verdict`` is ``"ok"``, ``"failed"`` or ``"skipped"``."""

    name: str
    verdict: str
    detail: str = ""


@dataclass(frozen=True)
class Report:
    """The outcome of `check`.

    It is true if nothing was found, prints as a page of text, and shows as a table in notebooks.

    Attributes:
        name: of the function.
        inputs: name, dtype and shape of each input, as text.
        mode: ``"full"`` (every entry of the Jacobian) or ``"fast"`` (random projections).
        clauses: each clause of the contract with its verdict.
        findings: what the function as a whole breaks.
        culprits: what ops inside of it break, the most likely cause first. Empty where the function is
            itself one op, or cannot be looked into.
        notes: what is worth knowing and no fault, such as entries at which the function has a kink.
        seed: of the random cotangents and directions; the same seed repeats the check.
        evaluations: how often the function was evaluated.
        suspected_after: how many of these it took until something looked wrong; 0 if nothing did.
        seconds: how long it took.
        reproducer: lines of Python that repeat the check.
    """

    name: str
    inputs: tuple[str, ...]
    mode: str
    clauses: tuple[Clause, ...]
    findings: tuple[Finding, ...] = ()
    culprits: tuple[Finding, ...] = ()
    notes: tuple[str, ...] = ()
    seed: int = 0
    evaluations: int = 0
    suspected_after: int = 0
    seconds: float = 0.0
    reproducer: str = ""

    def __bool__(self) -> bool:
        return self.ok

    @property
    def ok(self) -> bool:
        """Whether nothing was found."""
        return not self.findings

    @property
    def cause(self) -> Finding | None:
        """The finding to look at first: the first culprit, or else the first finding."""
        return next(iter((*self.culprits, *self.findings)), None)

    def __str__(self) -> str:
        from .page import text

        return text(self)

    def _repr_html_(self) -> str:
        from .notebook import html

        return html(self)

    def summary(self) -> str:
        """What was found in a few lines, as an error message has it."""
        from .page import summary

        return summary(self)

    def to_dict(self) -> dict[str, Any]:
        """The report as dicts, lists, strings and numbers; NaN and infinities become None."""
        return {"ok": self.ok, **_plain(dataclasses.asdict(self))}

    def to_json(self, **options: Any) -> str:
        """The report as JSON; ``options`` are those of `json.dumps`."""
        return json.dumps(self.to_dict(), **options)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(one) for one in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
