"""The tables of a run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .judge import Verdict
from .operators import OPERATORS
from .runs import Told

REQUIRED = {"found": 0.98, "named": 0.95, "diagnosed": 0.85}
"""The least share of all instances."""


def shares(verdicts: Sequence[Verdict]) -> dict[str, float]:
    """The share of instances that were found, named first, and diagnosed right."""
    return {what: sum(getattr(v, what) for v in verdicts) / max(len(verdicts), 1) for what in REQUIRED}


def missed(verdicts: Sequence[Verdict], accused: Sequence[Verdict], told: Sequence[Told]) -> list[str]:
    """The limits that were missed, in words."""
    have = shares(verdicts)
    found = [f"{what} {have[what]:.1%}, required {least:.0%}" for what, least in REQUIRED.items()
             if verdicts and have[what] < least]  # fmt: skip
    if accused:
        found.append(f"{len(accused)} clean graphs accused, required 0")
    if told and (lost := [one for one in told if not one.found["tensorgrad"]]):
        found.append(f"{len(lost)} published bugs not found")
    if wrongly := [one for one in told if one.accused]:
        found.append(f"{len(wrongly)} right derivatives of published bugs accused")
    return found


def mutants(verdicts: Sequence[Verdict], by_peers: dict[int, dict[str, Any]]) -> str:
    """A row for each kind of fault."""
    names = sorted({name for one in by_peers.values() for name in one})
    rows = [["fault", "instances", "found", "op named", "diagnosed", *names]]
    for operator in OPERATORS:
        mine = [v for v in verdicts if v.operator == operator.label]
        if mine:
            rows.append(_row(operator.label, mine, by_peers, names))
    rows.append(_row("all", verdicts, by_peers, names))
    rows.append(["required", "", *[f"{least:.0%}" for least in REQUIRED.values()], *["" for _ in names]])
    return text(rows)


def published(told: Sequence[Told]) -> str:
    """A row for each published bug."""
    names = list(told[0].found) if told else []
    words = {True: "found", False: "-", None: "n/a"}
    rows = [["published bug", "thread", *names, "expected", "said"]]
    rows += [
        [one.name, one.issue, *[words[one.found[n]] for n in names], one.label, one.said] for one in told
    ]
    return text(rows)


def misses(verdicts: Sequence[Verdict], seed: int) -> str:
    """What went wrong, a line each."""
    lines = []
    for v in sorted(verdicts, key=lambda v: (v.operator, v.number)):
        if not v.operator or not (v.found and v.named and v.diagnosed):
            lack = (
                "accused" if not v.operator else "missed" if not v.found else "" if v.named else "not named"
            )
            lines.append(
                f"{seed}:{v.number} {v.operator or 'clean'} / {v.card} / layer {v.place} of {v.depth} / "
                f"{lack or 'diagnosis'} / {v.said[:160]}"
            )
    return "\n".join(lines)


def text(rows: Sequence[Sequence[str]]) -> str:
    """Rows as a table in Markdown, aligned."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = [
        "| " + " | ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)) + " |" for row in rows
    ]
    rule = "|" + "|".join("-" * (w + 2) for w in widths) + "|"
    return "\n".join([lines[0], rule, *lines[1:]])


def _row(
    label: str, mine: Sequence[Verdict], by_peers: dict[int, dict[str, Any]], names: list[str]
) -> list[str]:
    have = shares(mine)
    cells = [label, str(len(mine)), *[f"{have[what]:.1%}" for what in REQUIRED]]
    for name in names:
        known = [by_peers[v.number][name] for v in mine if by_peers.get(v.number, {}).get(name) is not None]
        cells.append(f"{sum(known)}/{len(known)}" if known else "n/a")
    return cells
