"""The parts of a gradient as text: aligned rows with bars, and the matrix of cosines."""

from __future__ import annotations

import math
from html import escape
from typing import TYPE_CHECKING, Any

from ..viz._draw import clean, shorten

if TYPE_CHECKING:
    from .attribution import Attribution, Conflicts, Part

BAR = 16
LONGEST = 44
FULL, AGAINST = "█", "░"
PLURALS = {"term": "terms", "sample": "samples", "use": "uses", "path": "paths"}


def table(found: Attribution, limit: int) -> str:
    """A title, a row for each part, the whole and the residue."""
    strongest = {id(part) for part in sorted(found.parts, key=lambda part: -abs(part.norm))[:limit]}
    shown = [part for part in found.parts if id(part) in strongest]
    ends = [*shown, *([found.remainder] if found.remainder is not None else [])]
    most = max([abs(part.share) for part in ends if math.isfinite(part.share)], default=0.0)
    rows: list[tuple[str, ...]] = [
        (found.by, "norm", "share", "", "cosine", "value" if found.by == "sample" and _noted(found) else "")
    ]
    rows += [_row(part, most) for part in shown]
    hidden = len(found.parts) - len(shown)
    if hidden:
        rows.append((f"… {hidden} more {plural(found.by, hidden)}", "", "", "", "", ""))
    if found.remainder is not None:
        rows.append(_row(found.remainder, most))
    last = ("total", amount(found.total.norm), percent(1.0 if found.total.norm else math.nan), "", "", "")
    lines = _aligned([*rows, last])
    rule = "─" * max(map(len, lines))
    return "\n".join([title(found), lines[0], rule, *lines[1:-1], rule, lines[-1], foot(found)])


def matrix(conflicts: Conflicts) -> str:
    """The cosines, a row and a column for each part, and a line about the worst."""
    names = [shorten(clean(label), 16) for label in conflicts.labels]
    cells = [[f"{value:.2f}" if math.isfinite(value) else "–" for value in row] for row in conflicts.cosines]
    wide = [max(5, len(name), *[len(row[j]) for row in cells]) for j, name in enumerate(names)]
    first = max([len("cosine"), *map(len, names)])
    lines = ["  ".join(["cosine".ljust(first), *[n.rjust(w) for n, w in zip(names, wide, strict=True)]])]
    lines += [
        "  ".join([name.ljust(first), *[c.rjust(w) for c, w in zip(row, wide, strict=True)]])
        for name, row in zip(names, cells, strict=True)
    ]
    return "\n".join([*lines, verdict(conflicts)])


def matrix_html(conflicts: Conflicts) -> str:
    """The same for notebooks: orange where two parts pull against each other, blue where they agree."""
    cell = 'style="text-align:right;padding:.15em .7em;background:{}"'

    def ground(value: float) -> str:
        if not math.isfinite(value) or not value:
            return "transparent"
        return f"rgba({'192,95,12' if value < 0 else '47,111,196'},{abs(value) * 0.45:.2f})"

    head = "".join(f'<th style="text-align:right">{escape(clean(label))}</th>' for label in conflicts.labels)
    body = "".join(
        f'<tr><th style="text-align:left">{escape(clean(label))}</th>'
        + "".join(
            f"<td {cell.format(ground(value))}>{f'{value:.2f}' if math.isfinite(value) else '–'}</td>"
            for value in row
        )
        + "</tr>"
        for label, row in zip(conflicts.labels, conflicts.cosines, strict=True)
    )
    return (
        f'<table style="font-size:inherit"><tr><th style="text-align:left">cosine</th>{head}</tr>{body}</table>'
        f"<div>{escape(verdict(conflicts))}</div>"
    )


def verdict(conflicts: Conflicts) -> str:
    """Which two pull against each other most."""
    worst = conflicts.worst
    if worst is None:
        return "no two of them pull against each other"
    return f"{clean(worst[0])} and {clean(worst[1])} pull against each other most: cosine {worst[2]:.2f}"


def title(found: Attribution) -> str:
    """What was split by what."""
    names = found.parameters
    what = names[0] if len(names) == 1 else f"{len(names)} parameters"
    return clean(f"gradient of {found.loss} in {what}, by {found.by}")


def foot(found: Attribution) -> str:
    """What parts and remainder leave of the whole."""
    return (
        f"parts{' and remainder' if found.remainder is not None else ''} less the whole: {found.residue:.1e}"
    )


def plural(by: str, count: int) -> str:
    """The word for parts of this kind.

    Example:
        >>> plural("path", 2), plural("path", 1)
        ('paths', 'path')
    """
    return PLURALS[by] if count != 1 else by


def amount(value: float) -> str:
    """A norm in four digits.

    Example:
        >>> amount(12.3456), amount(0.0), amount(1.5e-9)
        ('12.35', '0', '1.5e-09')
    """
    return f"{value:.4g}"


def percent(share: float) -> str:
    """A share in per cent.

    Example:
        >>> percent(0.1234), percent(-0.5), percent(float("nan"))
        ('12.3 %', '-50.0 %', '–')
    """
    return f"{100 * share:.1f} %" if math.isfinite(share) else "–"


def _noted(found: Attribution) -> bool:
    return any(part.note for part in found.parts)


def _row(part: Part, most: float) -> tuple[str, ...]:
    length = 0 if not most or not math.isfinite(part.share) else round(BAR * abs(part.share) / most)
    bar = (FULL if part.share >= 0 else AGAINST) * length
    cosine = f"{part.cosine:.2f}" if math.isfinite(part.cosine) else "–"
    label = shorten(clean(part.label), LONGEST)
    return label, amount(part.norm), percent(part.share), bar, cosine, clean(part.note)


def _aligned(rows: list[tuple[Any, ...]]) -> list[str]:
    """Columns of equal width; the second, third and fifth to the right."""
    widths = [max(len(row[i]) for row in rows) for i in range(6)]
    lines = []
    for row in rows:
        cells = [
            text.rjust(width) if i in (1, 2, 4) else text.ljust(width)
            for i, (text, width) in enumerate(zip(row, widths, strict=True))
            if width
        ]
        lines.append("  ".join(cells).rstrip())
    return lines
