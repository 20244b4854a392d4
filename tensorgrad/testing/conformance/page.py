"""The table as text: for a terminal, as the page docs/conformance.md, and read back from that page."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import groupby

from .cells import CHECKED, DUE, FAILED, MISSING, NOT_APPLICABLE, REFUSED, Row, Table
from .columns import COLUMNS
from .public import EXCUSED

MARKS = {NOT_APPLICABLE: "·", REFUSED: "-", FAILED: "!", MISSING: "?", DUE: "~"}
"""What stands for a cell that is not checked; a checked one shows the letter of its column."""

GROUPS = {
    group: tuple(columns) for group, columns in groupby(COLUMNS[2:], lambda column: column.group)
}  # the first two columns are what every sample goes through
HEAD = ("op", "kind", "samples", *GROUPS, "kinks", "errors")
COMMAND = "python -m tensorgrad.testing.conformance"

INTRODUCTION = f"""\
# Conformance

What each op has been checked for, found by running the checks: `make conformance` writes this page, and nobody
edits it. `tests/testing/test_conformance.py` fails when an op has no row here, when a row has no op, and when
the page and the samples of an op disagree.

`{COMMAND} sin matmul` prints the rows of two ops, and fails where a cell does.

A row is a string of letters for each group of columns. A letter means that samples of this class went through
the checks: values against a reference that computes in another way, dtype and shape of results and gradients,
gradients against differences. Where an op has no sample of a class, some were derived by cutting its
arrays to length 0 or 1, stacking them, or making them complex or whole.

Each letter is one class by itself, not all their products: dtypes, shapes and layouts are checked in values and
at first order, the orders in double precision at all samples that are differentiable.
"""

LETTERS = {
    "dtype": "the arguments' dtype: float16, float32, float64; **m**ixed float32 and float64; complex, integers",
    "shape": "0-d; size **1**; **e**mpty; several axes (**n**); shapes that **b**roadcast",
    "order": "derivatives of order 1, 2, 3 against differences; **f**orward mode, also over and under reverse mode",
    "layout": "**F**ortran order, every **S**econd element, **N**egative strides, **R**ead-only memory",
    "programs": "`vmap` equals a loop (**v**); a recorded program, run on other arguments, equals the call (**t**)",
}

LEGEND = """\
| mark | means |
|---|---|
| a letter | checked |
| `·` | not applicable: [the reasons](#what-is-not-applicable) |
| `-` | refused: every such call raises an error of ours, shown under each table |
| `!` | failed |
| `?` | missing: nothing covers it |

`samples` is how many there are, `kinks` how many points where the derivative is a
[convention](conventions.md), `errors` how many bad calls whose message is checked.
"""


def strip(row: Row, group: str) -> str:
    """The columns of a group, one character each."""
    states = [(column, row.cells[column.name].state) for column in GROUPS[group]]
    return "".join([column.letter if state == CHECKED else MARKS[state] for column, state in states])


def text(table: Table) -> str:
    """The table for a terminal, what fails, and the totals."""
    lines = _aligned([HEAD, *[_words(row) for row in table.rows]])
    counts = table.count()
    totals = ", ".join([f"{n:,} {state}" for state, n in counts.most_common()])
    return "\n".join(
        [*lines, "", *table.problems(), f"{len(table.rows)} ops, {counts.total():,} cells: {totals}"]
    )


def markdown(table: Table) -> str:
    """The page."""
    parts = [
        INTRODUCTION,
        _pipes(("group", "letters", "what they are"), [_letters(group) for group in GROUPS]),
        LEGEND,
        _totals(table),
    ]
    for title, rows in table.families().items():
        parts += [f"## {title}\n", _pipes(HEAD, [_coded(row) for row in rows]), _refusals(rows)]
    return "\n".join([part for part in [*parts, _reasons(table), _excused()] if part])


def read(page: str) -> dict[str, dict[str, str]]:
    r"""The strings of each op on a page, by op and group; with ``samples``, ``kinks`` and ``errors`` as they stand.

    Example:
        >>> read("| op | kind | samples | dtype |\n|---|---|---|---|\n| `sin` | card | 5 | `hsd·ci` |")
        {'sin': {'kind': 'card', 'samples': '5', 'dtype': 'hsd·ci'}}
    """
    found: dict[str, dict[str, str]] = {}
    names: Sequence[str] = ()
    for line in page.splitlines():
        cells = (
            [cell.strip().strip("`") for cell in line.strip("|").split(" | ")] if line.startswith("|") else []
        )
        if not cells or cells[0] == "op":
            names = cells
        elif names and not line.startswith("|---"):
            found[cells[0]] = dict(zip(names[1:], cells[1:], strict=True))
    return found


# ---- parts


def _words(row: Row) -> list[str]:
    """The cells of a row as text."""
    bad = {row.cells[name].state for name in ("value", "unchanged")} & {FAILED, MISSING}
    samples = str(row.samples) + "".join([f" {MARKS[state]}" for state in sorted(bad)])
    counts = [
        str(cell.count) if cell.state in (CHECKED, DUE) else MARKS[cell.state]
        for cell in (row.cells["kinks"], row.cells["errors"])
    ]
    return [row.name, row.kind, samples, *[strip(row, group) for group in GROUPS], *counts]


def _coded(row: Row) -> list[str]:
    name, kind, samples, *strips, kinks, errors = _words(row)
    return [f"`{name}`", kind, samples, *[f"`{one}`" for one in strips], kinks, errors]


def _letters(group: str) -> list[str]:
    return [group, f"`{''.join([column.letter for column in GROUPS[group]])}`", LETTERS[group]]


def _totals(table: Table) -> str:
    cards = sum([row.kind != "composed" for row in table.rows])
    states = (CHECKED, REFUSED, NOT_APPLICABLE, FAILED, MISSING)
    rows = []
    for column in table.columns:
        counts = table.count(column)
        derived = sum([r.cells[column].derived and r.cells[column].state == CHECKED for r in table.rows])
        rows.append(
            [column, *[f"{counts[state]:,}" if counts[state] else "" for state in states], str(derived or "")]
        )
    counts = table.count()
    rows.append(["**all**", *[f"**{counts[state]:,}**" for state in states], ""])
    return (
        f"## Totals\n\n{cards} cards and {len(table.rows) - cards} functions composed of them: {len(table.rows)} rows, "
        f"{counts.total():,} cells.\n\n" + _pipes(("column", *states, "checked on derived samples"), rows)
    )


def _refusals(rows: Iterable[Row]) -> str:
    found = {
        # What one sample was refused for in two columns is said once.
        (row.name, cell.why): f"- `{row.name}`, {column}: {_quoted(cell.why)}"
        for row in rows
        for column, cell in reversed(row.cells.items())
        if cell.state in (REFUSED, FAILED)
    }
    if not found:
        return ""
    summary = f"<details><summary>{len(found)} refused</summary>"
    return "\n".join([summary, "", *found.values(), "", "</details>", ""])


def _quoted(message: str) -> str:
    """The error of a refusal, without the sample that it was met with."""
    words = re.sub(r"^.*?: (?=\w+(?:Error|Warning): )", "", message)
    return f"`{words if len(words) <= 160 else words[:157] + '...'}`"


def _reasons(table: Table) -> str:
    found: dict[str, dict[str, list[str]]] = {}  # reason, column: ops
    for row, column, cell in table.cells(NOT_APPLICABLE):
        found.setdefault(cell.why, {}).setdefault(column, []).append(row.name)
    rows = []
    for why, columns in found.items():
        ops = dict.fromkeys([name for names in columns.values() for name in names])
        counts = ", ".join([f"{column} {len(names)}" for column, names in columns.items()])
        few = ", ".join([f"`{name}`" for name in ops]) + f": {len(columns)} column" + "s" * (len(columns) > 1)
        rows.append([why, few if len(ops) < 5 else counts])
    return "## What is not applicable\n\n" + _pipes(("reason", "column, and for how many ops"), rows)


def _excused() -> str:
    rows = [[", ".join([f"`{name}`" for name in names.split()]), reason] for reason, names in EXCUSED.items()]
    return "## Public functions without a row\n\n" + _pipes(("functions", "because"), rows)


def _pipes(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return (
        "\n".join(
            [
                "|" + "---|" * len(head) if i == 1 else "| " + " | ".join(line) + " |"
                for i, line in enumerate(lines)
            ]
        )
        + "\n"
    )


def _aligned(lines: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return [
        "  ".join([cell.ljust(n) for cell, n in zip(line, widths, strict=True)]).rstrip() for line in lines
    ]
