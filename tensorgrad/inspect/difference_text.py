"""A `Difference` as rows, and rows as a unified diff."""

from __future__ import annotations

import os
from collections import defaultdict
from typing import TYPE_CHECKING

from ..ir import Equation, Var
from ..viz._draw import clean
from ..viz.compare import MOST, Cell, Row, around
from .matching import FREE
from .statements import Program, written

if TYPE_CHECKING:
    from .diff import Difference

_COLOURS = {"-": "31", "+": "32", "@": "36", "!": "1;35"}


FAR = Cell("")
"""Stands for what is so far from any difference that nobody looks at it."""


def rows_of(difference: Difference, reach: int = MOST) -> tuple[Row, ...]:
    """Both programs line by line in the order of the second; what only the first has follows what it followed.

    Only what is at most ``reach`` rows away from a difference, or from an end, is written out.
    """
    a, b = difference.programs
    mate_of_b = {j: i for i, j in enumerate(difference.mates) if j != FREE}
    follows: dict[int, list[int]] = defaultdict(list)
    last = FREE
    for i, j in enumerate(difference.mates):
        if j == FREE:
            follows[last].append(i)
        else:
            last = j
    what = {id(change.after): change.what for change in difference.changed}
    marks: dict[int, list[str]] = defaultdict(list)
    for found in (difference.first_value, difference.first_gradient):
        if found is not None:
            marks[id(found.after)].append(f"first {'value' if found.what == 'value' else 'gradient'}"
                                          f" that differs: {clean(str(found))}")  # fmt: skip
    plan: list[tuple[str, int, int]] = [("removed", i, FREE) for i in follows[FREE]]
    for j, statement in enumerate(b.statements):
        i = mate_of_b.get(j, FREE)
        plan.append(("added" if i == FREE else "changed" if id(statement) in what else "same", i, j))
        plan += [("removed", one, FREE) for one in follows.get(j, ())]
    differs = [kind != "same" or id(b.statements[j]) in marks for kind, _, j in plan]
    keep = around([True, *differs, True], reach)[1:-1]
    left, right = _Words(a, difference), _Words(b, None)
    rows = []
    for shown, (kind, i, j) in zip(keep, plan, strict=True):
        key = id(b.statements[j]) if j != FREE else FREE
        old = None if i == FREE else left.cell(i) if shown else FAR
        new = None if j == FREE else right.cell(j) if shown else FAR
        rows.append(Row(kind, old, new, tuple(what.get(key, ())), tuple(marks.get(key, ()))))
    return tuple(rows)


class _Words:
    """Writes statements of a program; those of the first have the names of their mates."""

    def __init__(self, program: Program, difference: Difference | None) -> None:
        self.program = program
        self.names: dict[int, str] = {}
        if difference is not None:
            for statement, j in zip(program.statements, difference.mates, strict=True):
                outputs: tuple[Var, ...] = () if j == FREE else difference.programs[1].statements[j].outputs
                for place, var in enumerate(statement.outputs):
                    self.names[var.index] = str(outputs[place]) if outputs[place:] else f"%a{var.index}"

    def name(self, var: Var) -> str:
        return self.names.get(var.index, str(var))

    def cell(self, i: int) -> Cell:
        program, statement = self.program, self.program.statements[i]
        arguments = [
            program.numbers[v.index] if source is None else self.name(v)
            for v, source in zip(statement.inputs, program.sources[i], strict=True)
        ]
        text = written(statement, program.part(i), self.name, arguments)
        return Cell(clean(text), clean(statement.scope), clean(place_of(statement)))


def place_of(statement: Equation) -> str:
    """``file:line``, relative to the working directory if it is below it."""
    if statement.position is None:
        return ""
    file = statement.position.file
    here = os.getcwd() + os.sep
    return f"{file.removeprefix(here)}:{statement.position.line}"


def summary(difference: Difference) -> tuple[str, ...]:
    """How much differs, in words: counts, the first value, the first gradient."""
    parts = [
        f"{len(found)} {name}"
        for name in ("added", "removed", "changed")
        if (found := getattr(difference, name))
    ]
    lines = [", ".join(parts)] if parts else []
    for what, found in (("value", difference.first_value), ("gradient", difference.first_gradient)):
        if found is not None:
            lines.append(f"first {what} that differs: {clean(str(found))}")
    return tuple(lines) or ("no difference",)


def titles(difference: Difference) -> tuple[str, str]:
    """What the two sides are called."""
    sizes = [len(graph.equations) for graph in (difference.a, difference.b)]
    return f"a: {sizes[0]} op{'s' * (sizes[0] != 1)}", f"b: {sizes[1]} op{'s' * (sizes[1] != 1)}"


def unified(difference: Difference, rows: tuple[Row, ...], *, context: int, colour: bool) -> str:
    """The rows around differences, with signs in front."""
    old, new = titles(difference)
    lines = [f"--- {old}", f"+++ {new}", *summary(difference)]
    shown = [row.kind != "same" or bool(row.marks) for row in rows]
    keep = around(shown, context)
    counts = [1, 1]
    i = 0
    while i < len(rows):
        if not keep[i]:
            counts[0] += rows[i].left is not None
            counts[1] += rows[i].right is not None
            i += 1
            continue
        end = keep.find(0, i)
        end = len(rows) if end < 0 else end
        hunk = rows[i:end]
        sizes = [sum(row.left is not None for row in hunk), sum(row.right is not None for row in hunk)]
        lines.append(f"@@ -{counts[0]},{sizes[0]} +{counts[1]},{sizes[1]} @@")
        lines += [line for row in hunk for line in _lines(row)]
        counts = [counts[0] + sizes[0], counts[1] + sizes[1]]
        i = end
    return "\n".join(_coloured(line) for line in lines) if colour else "\n".join(lines)


def _lines(row: Row) -> list[str]:
    """A row as lines: two where it changed."""
    found = []
    if row.kind in ("removed", "changed") and row.left is not None:
        found.append("- " + _line(row.left, row.kind != "same"))
    if row.right is not None:
        sign = "  " if row.kind == "same" else "+ "
        note = f"    <- {', '.join(row.what)}" if row.what else ""
        found.append(sign + _line(row.right, row.kind != "same") + note)
    return found + [f"! {mark}" for mark in row.marks]


def _line(cell: Cell, place: bool) -> str:
    comment = ", ".join([one for one in (cell.scope, cell.place if place else "") if one])
    return f"{cell.text}  # {comment}" if comment else cell.text


def _coloured(line: str) -> str:
    code = _COLOURS.get(line[:1])
    return f"\x1b[{code}m{line}\x1b[0m" if code else line
