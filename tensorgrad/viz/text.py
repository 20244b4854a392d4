"""A recorded graph as text for a terminal: one line an equation, and rails that show where values go."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tensorgrad.ir.graph import Equation, Graph, Position, Stats, Step, Var, Write
from tensorgrad.viz._cells import cells, fitted, in_ascii, one_line, padded
from tensorgrad.viz._details import amount, duration, parameter, plain, shape_text, stats_text, value_stats
from tensorgrad.viz._heat import alarm
from tensorgrad.viz._rails import MARKS, Stop, rails, signs_in_ascii
from tensorgrad.viz._scene import CUTS, headline
from tensorgrad.viz._select import selected
from tensorgrad.viz.options import Options, changed

NARROWEST = 20
USUAL = 30  # cells of a name that are not given up for another column
ARGUMENTS = 6  # that are written out
WORDS = {mark: mark for mark in MARKS} | {"result": "returned", "cut": "gradient stops"}


def graph_text(
    graph: Graph,
    width: int | None = None,
    options: Options | None = None,
    *,
    ascii: bool = False,
    **changes: Any,
) -> str:
    """Draw a recorded graph with characters, to be looked at in a terminal.

    Each input, tensor from outside, array, equation, write and result is a line. At the left, each value has a
    rail from where it is made to where it is read for the last time; a name with ``↑`` is a value without a rail,
    further up. Modules are headings. At the right stand shapes and, of a recorded run, whatever was measured, as far
    as there is room. No line is longer than ``width``.

    Args:
        graph: what to draw.
        width: how many characters a line may have, at least 20; None for the width of the terminal.
        options: what to show. With the usual ``show``, all that was recorded. All equations are drawn, however many.
        ascii: whether to use nothing but ASCII.
        **changes: fields of `Options` by name, such as ``depth=1``, instead of or besides ``options``.

    Returns:
        The lines, the same for the same graph and width.

    Raises:
        TypeError: there is no such option.
        ValueError: an option does not have this value, or the graph does not have what it asks for.

    Example:
        >>> import tensorgrad as tg
        >>> def layer(x, w):
        ...     with tg.scope("layer"):
        ...         return tg.tanh(x @ w)
        >>> print(graph_text(tg.trace(layer, tg.ones((2, 3)), tg.ones((3, 4))), width=60))
        2 operations, float32
        ○ given  ● forward  ◎ returned
        <BLANKLINE>
        ○    %0  x              (2, 3)
        │ ○  %1  w              (3, 4)
        │ │      ▾ layer
        ●─╯  %2    matmul(x, w) (2, 4)
        ●    %3    tanh(%2)     (2, 4)
        ◎    %3  return
    """
    options = changed(options, changes)
    graph = selected(graph, options)
    if width is None:
        width = shutil.get_terminal_size().columns
    width = max(width, NARROWEST)
    rows = _Rows(graph, options, in_ascii if ascii else str)
    rows.walk()
    drawn, unseen = rails([row.stop for row in rows.found], max(3, width // 10))
    lines = [*_head(graph, options, rows, bool(unseen)), "", *_table(rows, drawn, unseen, width)]
    lines = [fitted(line, width).rstrip() for line in lines]
    return "\n".join(map(signs_in_ascii, lines) if ascii else lines).rstrip()


@dataclass(slots=True)
class Row:
    """One line, but for its rails: ``name``, and of an equation ``op(arguments)``.

    Args:
        stop: what its rails need to know.
        number: of the first value that it makes.
        indent: how many headings it is under.
        name: what stands first.
        arguments: of an equation: what to call each input, with its number, or -1 for what never has a rail.
        more: what stands behind the arguments.
        columns: what stands to the right, by column.
    """

    stop: Stop
    number: str
    indent: int
    name: str
    arguments: list[tuple[int, str]] | None = None
    more: str = ""
    columns: dict[str, str] = field(default_factory=dict)

    def text(self, place: int, unseen: set[tuple[int, int]]) -> str:
        """Its words; ``unseen`` are the pairs of a row and a value that has no rail there."""
        words = "  " * self.indent + self.name
        if self.arguments is None:
            return words + self.more
        some = [name + ("↑" if (place, index) in unseen else "") for index, name in self.arguments]
        return f"{words}({', '.join(some)}{self.more})"


class _Rows:
    """Makes the rows of one graph, in the order of the program."""

    def __init__(self, graph: Graph, options: Options, spelled: Callable[[str], str]) -> None:
        self.graph, self.options = graph, options
        self.found: list[Row] = []
        self.said: Callable[[str], str] = lambda text: spelled(one_line(text))
        self.show: set[str] = set(options.show)
        if options.show == Options().show:
            self.show |= {"gradients", "time"} | ({"values"} if graph.stats else set())
        self.dtype = _usual(var.dtype for var in graph.variables if var.dtype)
        self.labels = Counter(var.label for var in graph.variables)
        steps = graph.passes[-1].steps if graph.passes else ()
        self.steps: dict[int, Step] = {step.equation: step for step in steps}
        self.files = _short_names(e.position for e in graph.equations)
        self.open: list[str] = []
        self.direction = "forward"
        self.seen: set[int] = set()

    def walk(self) -> None:
        """All rows, from the inputs that nothing reads to the results."""
        graph = self.graph
        read = {var.index for equation in graph.equations for var in equation.inputs}
        read |= {var.index for var in graph.outputs} | {
            w.value.index for w in graph.writes if w.value is not None
        }
        self.leaves(var for var in graph.variables if var.role != "result" and var.index not in read)
        writes: dict[int, list[Write]] = {}
        for write in graph.writes:
            writes.setdefault(-1 if write.value is None else write.value.index, []).append(write)
        for place, equation in enumerate(graph.equations):
            self.leaves(var for var in equation.inputs if var.role == "input")
            self.headings(equation)
            self.leaves(equation.inputs)
            self.found.append(self.operation(place, equation))
            for var in equation.outputs:
                self.seen.add(var.index)
                self.writes(writes.pop(var.index, ()))
        self.open = []
        for rest in writes.values():
            self.writes(rest)
        for var in graph.outputs:
            self.leaves([var])
            label = f" {self.said(var.label)}" if var.label else ""
            self.found.append(
                Row(Stop("result", self.rails_of([var])), self.number([var]), 0, f"return{label}")
            )

    def leaves(self, variables: Iterable[Var]) -> None:
        """A row for each value from outside that is not there yet; numbers stand where they are read."""
        for var in dict.fromkeys(variables):
            if var.index in self.seen or self.constant(var):
                continue
            self.seen.add(var.index)
            name = self.said(var.label) or {"unknown": "not kept", "captured": "from outside"}.get(
                var.role, var.role
            )
            row = Row(Stop("given", (), (var.index,)), self.number([var]), len(self.open), name)
            row.columns = self.measured([var])
            self.found.append(row)

    def headings(self, equation: Equation) -> None:
        """A heading for the other pass, and for each module that begins here."""
        if equation.direction != self.direction:
            self.direction = equation.direction
            self.open = []
            self.found.append(Row(Stop(""), "", 0, f"{self.direction} pass"))
        names = equation.scope.split("/") if equation.scope else []
        same = 0
        while same < min(len(names), len(self.open)) and names[same] == self.open[same]:
            same += 1
        for depth in range(same, len(names)):
            self.found.append(Row(Stop(""), "", depth, f"▾ {self.said(names[depth])}"))
        self.open = names

    def operation(self, place: int, equation: Equation) -> Row:
        """The row of an equation."""
        stop = Stop(
            "cut" if equation.op in CUTS else equation.direction,
            self.rails_of(equation.inputs),
            tuple([var.index for var in equation.outputs]),
        )
        label = ", ".join([self.said(var.label) for var in equation.outputs[:3] if var.label])
        folded = "operations" in equation.params and equation.primitive is None
        name = (f"{label} = " if label else "") + ("▸ " if folded else "") + self.said(equation.op)
        row = Row(stop, self.number(equation.outputs), len(self.open), name)
        if folded:
            row.more = self.folded(equation)
        else:
            row.arguments = [(var.index, self.called(var)) for var in equation.inputs[:ARGUMENTS]]
            rest = ["…"] if len(equation.inputs) > ARGUMENTS else []
            rest += [f"{self.said(key)}={self.said(parameter(value))}" for key, value in _chosen(equation)]
            row.more = (", " if row.arguments and rest else "") + ", ".join(rest)
        row.columns = self.measured(equation.outputs)
        step = self.steps.get(place)
        if equation.position is not None:
            row.columns["at"] = self.said(f"{self.files[equation.position.file]}:{equation.position.line}")
        if "time" in self.show:
            row.columns["time"] = "" if equation.seconds is None else duration(equation.seconds)
            row.columns["back"] = "" if step is None or step.seconds is None else duration(step.seconds)
        if "memory" in self.show and equation.saved_bytes:
            row.columns["kept"] = amount(equation.saved_bytes, "B")
        if "flops" in self.show and equation.flops is not None:
            row.columns["FLOPs"] = amount(equation.flops)
        row.columns = {column: self.said(text) for column, text in row.columns.items() if text}
        return row

    def writes(self, writes: Iterable[Write]) -> None:
        """What tensors and their gradients become, where the new value is made."""
        for write in writes:
            values = [] if write.value is None else [write.value]
            self.leaves(values)
            target = self.called(write.target) + (".grad" if write.slot == "grad" else "")
            new = "None" if write.value is None else self.called(write.value)
            new = str(write.value) if new == target else new
            stop = Stop("written", self.rails_of(values))
            self.found.append(Row(stop, "", len(self.open), f"{target} = {new}"))

    def folded(self, equation: Equation) -> str:
        """What a folded equation stands for."""
        times, size = equation.params.get("times"), equation.params["operations"]
        count = f"{size:,} operation{'' if size == 1 else 's'}" if isinstance(size, int) else ""
        what = self.said(str(equation.params.get("ops", "")))
        return (f" × {times}" if times else "") + f"  {count}{': ' + what if what else ''}"

    def measured(self, variables: Sequence[Var]) -> dict[str, str]:
        """Shape, value and gradient of what a row makes; several shapes if there is room for them."""
        found = {}
        kept = [var for var in variables if var.dtype]
        types = [self.typed(var) for var in kept[:2]]
        if any(types):
            found["shape"] = ", ".join(types) + (f" +{len(kept) - 2}" if len(kept) > 2 else "")
        first = variables[0] if variables else None
        if first is not None and "values" in self.show and (stats := value_stats(self.graph, first)):
            found["value"] = stats_text(stats)
        if "gradients" in self.show and self.graph.passes:
            reached = [var for var in variables if self.graph.gradients.get(var.index) is not None]
            if reached:
                found["|gradient|"] = _norm(self.graph.gradients[reached[0].index])
            elif first is not None and first.tracked:
                found["|gradient|"] = "none"
        return found

    def typed(self, var: Var) -> str:
        """The shape of a value, and its dtype if it is not the usual one."""
        parts = [shape_text(var)] if "shapes" in self.show else []
        if "dtypes" in self.show or ("shapes" in self.show and var.dtype != self.dtype):
            parts.append(self.said(var.dtype))
        return " ".join(parts)

    def called(self, var: Var) -> str:
        """A value among arguments: as its row is called, if only one row is called that."""
        if number := self.constant(var):
            return number
        return self.said(var.label) if var.label and self.labels[var.label] == 1 else str(var)

    def constant(self, var: Var) -> str:
        """A constant that is one number, written out; or the empty string."""
        held = self.graph.values.get(var.index) if var.role == "constant" else None
        if isinstance(held, np.ndarray | np.generic):
            held = held.item() if held.size == 1 and held.dtype.kind in "biufc" else None
        return plain(held, 6) if isinstance(held, bool | int | float | complex) else ""

    def rails_of(self, variables: Iterable[Var]) -> tuple[int, ...]:
        return tuple([var.index for var in variables if not self.constant(var)])

    def number(self, variables: Sequence[Var]) -> str:
        return f"{variables[0]}{f' +{len(variables) - 1}' if len(variables) > 1 else ''}" if variables else ""


# ---- lines


COLUMNS = ("shape", "value", "|gradient|", "time", "back", "kept", "FLOPs", "at")
KEPT = ("shape", "kept", "FLOPs", "value", "|gradient|", "at", "time", "back")
"""The columns again: the last is given up first where there is no room. Two are there only if asked for."""

NUMBERS = frozenset({"|gradient|", "time", "back", "kept", "FLOPs"})


def _head(graph: Graph, options: Options, rows: _Rows, unseen: bool) -> list[str]:
    """The title, one line on the size, and what the signs mean."""
    legend = [
        f"{MARKS[mark][0]} {WORDS[mark]}" for mark in MARKS if any(r.stop.mark == mark for r in rows.found)
    ]
    legend += ["↑ further up"] if unseen else []
    size = headline(graph, options) + (f", {rows.dtype}" if rows.dtype else "")
    return [rows.said(line) for line in (options.title, size) if line] + (
        ["  ".join(legend)] if legend else []
    )


def _table(rows: _Rows, drawn: list[str], unseen: set[tuple[int, int]], width: int) -> list[str]:
    """Rails, numbers, names and columns, each below the other."""
    names = [row.text(place, unseen) for place, row in enumerate(rows.found)]
    wide = {
        column: min(
            MOST.get(column, 99),
            max([cells(row.columns.get(column, "")) for row in rows.found]),
        )
        for column in COLUMNS
        if any(column in row.columns for row in rows.found)
    }
    wide = {column: max(size, len(column)) if len(wide) > 1 else size for column, size in wide.items()}
    rail = max([len(line) for line in drawn], default=0)
    number = max([len(row.number) for row in rows.found], default=0)
    left = rail + 2 + number + 2
    name = max([cells(text) for text in names], default=0)
    shown = [column for column in KEPT if column in wide]
    while shown and left + min(name, USUAL) + sum(wide[column] + 2 for column in shown) > width:
        shown.pop()
    name = max(min(name, width - left - sum(wide[column] + 2 for column in shown)), 1)
    columns = [column for column in COLUMNS if column in shown]
    head = " " * (left + name) + "".join(
        "  " + padded(column, wide[column], right=column in NUMBERS) for column in columns
    )
    lines = [head] if len(columns) > 1 else []
    for row, text, line in zip(rows.found, names, drawn, strict=True):
        said = [padded(line, rail), "  ", padded(row.number, number), "  ", padded(fitted(text, name), name)]
        for column in columns:
            value = fitted(row.columns.get(column, ""), wide[column], start=column == "at")
            said += ["  ", padded(value, wide[column], right=column in NUMBERS)]
        lines.append("".join(said))
    return lines


MOST = {"shape": 26, "value": 34, "at": 30}
"""Cells of a column at most."""


def _chosen(equation: Equation) -> list[tuple[str, Any]]:
    """The parameters that are not at their defaults."""
    defaults = equation.primitive.defaults if equation.primitive else {}
    return [
        (name, value)
        for name, value in equation.params.items()
        if name not in defaults or type(value) is not type(defaults[name]) or value != defaults[name]
    ]


def _norm(stats: Stats | None) -> str:
    return "" if stats is None else alarm(stats) or plain(stats.norm, 3)


def _usual(dtypes: Iterable[str]) -> str:
    """The most frequent, and the first of these."""
    return max(Counter(dtypes).items(), key=lambda found: found[1], default=("", 0))[0]


def _short_names(positions: Iterable[Position | None]) -> dict[str, str]:
    """Files by their names; those that share one, with the folder."""
    files = dict.fromkeys(position.file for position in positions if position is not None)
    parts = {file: file.replace("\\", "/").rsplit("/", 2) for file in files}
    last = Counter(part[-1] for part in parts.values())
    return {file: part[-1] if last[part[-1]] == 1 else "/".join(part[-2:]) for file, part in parts.items()}
