"""A graph as a list of statements that can be compared: leaves, equations, writes, and what it returns.

Numbers of variables and labels are left out of what a statement is, for they change when an op is put in
or a variable has another name. What is left are three labels for each statement, small numbers that two
programs share: ``exact`` (everything but the wiring), ``kind`` (the op alone), and ``hint`` (what the user
called a leaf, which helps to find its mate and is never a difference).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Mapping
from typing import Any

import numpy as np

from ..ir import Equation, Graph, Var

Source = tuple[int, int] | None
"""Where an argument comes from: the statement, and which of its results; None for a number in the code."""

_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")


class Labels:
    """Small numbers for things that are equal, so that two programs are compared by integers."""

    def __init__(self) -> None:
        self.known: dict[Hashable, int] = {}

    def __call__(self, thing: Hashable) -> int:
        """The number of a thing."""
        return self.known.setdefault(thing, len(self.known))


class Program:
    """The statements of a graph, and how they hang together.

    Args:
        graph: the graph.
        labels: shared with the program that it is compared with.
    """

    def __init__(self, graph: Graph, labels: Labels) -> None:
        self.graph = graph
        self.numbers = numbers_of(graph)
        leaves, ends = leaves_of(graph, self.numbers), ends_of(graph)
        self.statements = [*leaves, *graph.equations, *ends]
        self.leaves = len(leaves)
        """How many of the statements are leaves; they come first."""
        self.ends = len(self.statements) - len(ends)
        """The number of the first statement behind the equations."""
        self.returns = len(self.statements) - 1 if graph.outputs else -1
        """The number of ``return``, -1 if there is none."""
        self.place_of = {
            var.index: (i, place)
            for i, statement in enumerate(self.statements)
            for place, var in enumerate(statement.outputs)
        }
        self.sources: list[tuple[Source, ...]] = [
            tuple([self.place_of.get(var.index) for var in statement.inputs]) for statement in self.statements
        ]
        self.uses: list[list[tuple[int, int, int]]] = [[] for _ in self.statements]
        """Of each statement: (who uses it, as which argument, which of its results)."""
        for i, sources in enumerate(self.sources):
            for slot, source in enumerate(sources):
                if source is not None:
                    self.uses[source[0]].append((i, slot, source[1]))
        numbers = range(len(self.statements))
        self.exact = [labels((self.part(i), *self.facts(i).values())) for i in numbers]
        self.kind = [
            labels((self.part(i), i < self.leaves or s.op, s.direction))
            for i, s in enumerate(self.statements)
        ]
        self.hint = [s.outputs[0].label if i < self.leaves else "" for i, s in enumerate(self.statements)]

    def __len__(self) -> int:
        return len(self.statements)

    def part(self, i: int) -> str:
        """Which part of the program a statement belongs to; an op may have the name of a role."""
        return "leaf" if i < self.leaves else "equation" if i < self.ends else "end"

    def facts(self, i: int) -> dict[str, Hashable]:
        """What a statement is, besides where its arguments come from."""
        statement = self.statements[i]
        numbers = tuple([
            self.numbers[var.index].removesuffix(".0") if source is None else None
            for var, source in zip(statement.inputs, self.sources[i], strict=True)
        ])  # fmt: skip
        return {
            "op": statement.op,
            "parameters": frozen(statement.params),
            "numbers": numbers,
            "shapes": tuple([var.shape for var in statement.outputs]),
            "dtypes": tuple([var.dtype for var in statement.outputs]),
            "scope": statement.scope,
            "direction": statement.direction,
            "taped": statement.taped,
        }


def leaves_of(graph: Graph, numbers: Mapping[int, str]) -> list[Equation]:
    """An equation without arguments for each value that no equation made; its op is the role."""
    made = {var.index for equation in graph.equations for var in equation.outputs}
    listed: list[tuple[str, Var]] = [("input", v) for v in graph.inputs]
    listed += [("captured", v) for v in graph.captured] + [("constant", v) for v in graph.constants]
    used = [v for equation in graph.equations for v in equation.inputs] + list(graph.outputs)
    used += [v for write in graph.writes for v in (write.target, write.value) if v is not None]
    leaves: dict[int, Equation] = {}
    for role, var in [*listed, *[(v.role if v.role != "result" else "unknown", v) for v in used]]:
        if var.index not in made and var.index not in leaves and var.index not in numbers:
            leaves[var.index] = Equation(role, (), (var,), {})
    return list(leaves.values())


def ends_of(graph: Graph) -> list[Equation]:
    """Writes and ``return`` as equations without results."""
    writes = [
        Equation("write", (w.target,) if w.value is None else (w.target, w.value), (), {"slot": w.slot})
        for w in graph.writes
    ]
    return [*writes, *([Equation("return", graph.outputs, (), {})] if graph.outputs else [])]


def numbers_of(graph: Graph) -> dict[int, str]:
    """The constants that are plain numbers, which stand where they are used, as text."""
    found = {}
    for var in graph.constants:
        if not var.shape and var.index in graph.values:
            value = graph.values[var.index]
            found[var.index] = (
                str(np.asarray(value)[()]) if isinstance(value, np.generic | np.ndarray) else repr(value)
            )
    return found


def frozen(value: Any) -> Hashable:
    """A parameter as something that equals its like: NaN too, arrays by their bytes, functions by their names."""
    if isinstance(value, Mapping):
        return ("mapping", *sorted((str(key), frozen(one)) for key, one in value.items()))
    if isinstance(value, tuple | list):
        return (type(value).__name__, *map(frozen, value))
    if isinstance(value, np.ndarray):
        return "array", value.shape, str(value.dtype), value.tobytes()
    if isinstance(value, np.generic | np.dtype | np.random.Generator):
        return type(value).__name__, str(value)
    return type(value).__name__, getattr(value, "__qualname__", None) or _ADDRESS.sub("", repr(value))


def position_of(statement: Equation | None) -> str:
    """``file:line`` of a statement, if it is known."""
    return "" if statement is None or statement.position is None else str(statement.position)


def type_of(var: Var) -> str:
    """Dtype and shape as printed: ``float32[2,3]``."""
    return f"{var.dtype}[{','.join(map(str, var.shape))}]"


def written(
    statement: Equation, part: str, name: Callable[[Var], str], arguments: list[str], *, labels: bool = True
) -> str:
    """A statement as a line of text, with the names that it is given.

    Args:
        statement: the statement.
        part: see `Program.part`.
        name: what a result is called.
        arguments: its arguments in words.
        labels: whether the label of a leaf follows its name.
    """
    results = ", ".join(
        f"{name(v)}{' ' + v.label if labels and v.label and part == 'leaf' else ''}: {type_of(v)}"
        for v in statement.outputs
    )
    if part == "leaf":
        return f"{results} = {statement.op}"
    if part == "end" and statement.op == "return":
        return f"return {', '.join(arguments)}"
    if part == "end":
        place = f"{arguments[0]}{'.grad' if statement.params['slot'] == 'grad' else '[...]'}"
        return f"{place} <- {arguments[1] if arguments[1:] else 'None'}"
    defaults = statement.primitive.defaults if statement.primitive else {}
    chosen = [
        f"{key}={_short(value)}"
        for key, value in statement.params.items()
        if key not in defaults or repr(value) != repr(defaults[key])
    ]
    mark = "'" if statement.direction == "backward" else ""
    call = f"{statement.op}{mark}({', '.join([*arguments, *chosen])})"
    return f"{results} = {call}" if results else call


def _short(value: Any) -> str:
    shown = str(value) if isinstance(value, np.dtype | np.random.Generator) else _ADDRESS.sub("", repr(value))
    return shown if len(shown) <= 60 else shown[:57] + "..."
