"""Results as a text table, as Markdown and as JSON."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from .harness import Result

COLUMNS = ("workload", "shape", "ours", "peer", "ratio", "quartiles", "must", "aim", "verdict")
_WIDTHS = (45, 10, 8, 19, 5, 12, 5, 4, 7)
_LEFT = ("workload", "shape", "verdict")


@dataclass(frozen=True)
class Section:
    """The results of one family, and what else is to be said of it."""

    title: str
    results: list[Result] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def head() -> str:
    """The column heads of the text table."""
    return _aligned(COLUMNS)


def line(result: Result) -> str:
    """One row of the text table; a void row says why on a line of its own."""
    row = _aligned(cells(result))
    return row if result.void is None else f"{row}\n    void: {result.void}"


def markdown(header: list[tuple[str, str]], sections: list[Section]) -> str:
    """All figures as Markdown: the conditions as a list, one table per family."""
    lines = [f"- {name}: {value}" for name, value in header]
    for section in sections:
        lines += ["", f"### {section.title}", "", _pipes(COLUMNS)]
        lines.append(_pipes(["---" if column in _LEFT else "--:" for column in COLUMNS]))
        lines += [_pipes(cells(result)) for result in section.results]
        for one in section.results:
            if one.void is not None:
                lines += ["", f"Void: {one.case.workload} {one.case.shape}: {one.void}"]
        for note in section.notes:
            lines += ["", note]
    return "\n".join(lines)


def as_json(header: list[tuple[str, str]], sections: list[Section]) -> dict[str, Any]:
    """Everything that was measured, the time of each round included (in seconds, for the whole workload)."""
    return {
        "conditions": dict(header),
        "rows": [
            {
                "family": section.title,
                "workload": one.case.workload,
                "shape": one.case.shape,
                "ops": one.case.per,
                "seconds": dict(one.times),
                "peer": one.peer_name,
                "ratio": one.ratio,
                "quartiles": one.quartiles,
                "must": one.case.must,
                "aim": one.case.aim,
                "verdict": one.verdict,
                "void": one.void,
            }
            for section in sections
            for one in section.results
        ],
        "notes": [note for section in sections for note in section.notes],
    }


def summary(results: list[Result]) -> str:
    """Which rows missed their bar or are void, a line each; or that none did."""
    bad = [one for one in results if one.failed]
    if bad:
        names = [f"  {one.verdict}  {one.case.workload}  {one.case.shape}" for one in bad]
        return "\n".join([f"{len(bad)} of {len(results)} rows failed:", *names])
    compared = sum(bool(one.verdict) for one in results)
    return f"{len(results)} rows, {compared} with a bar, none missed and none void"


def cells(result: Result) -> list[str]:
    """The text of one row, column by column."""
    case, quartiles = result.case, result.quartiles
    peer = "" if result.peer is None else f"{result.peer_name} {duration(result.peer)}"
    return [
        case.workload,
        case.shape,
        "" if result.ours is None else duration(result.ours),
        peer,
        _number(result.ratio),
        "" if quartiles is None else f"{_number(quartiles[0])} to {_number(quartiles[1])}",
        _number(case.must),
        _number(case.aim),
        result.verdict,
    ]


def duration(seconds: float) -> str:
    """Three digits and a unit.

    Example:
        >>> duration(1.2345e-6)
        '1.23 us'
    """
    units = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}
    unit = next((unit for unit, size in units.items() if seconds >= 0.9995 * size), "ns")
    value = seconds / units[unit]
    return f"{value:.{2 if value < 9.995 else 1 if value < 99.95 else 0}f} {unit}"


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}" if value < 9.995 else f"{value:.1f}"


def _aligned(texts: Any) -> str:
    columns = zip(COLUMNS, _WIDTHS, texts, strict=True)
    padded = [text.ljust(width) if column in _LEFT else text.rjust(width) for column, width, text in columns]
    return "  ".join(padded).rstrip()


def _pipes(texts: Any) -> str:
    return "| " + " | ".join(texts) + " |"
