"""Parameters of folded modules go into their boxes: forty leaves around one box would say less than a number."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from tensorgrad.ir.graph import Equation, Graph, Var


class Parts(tuple[Var, ...]):
    """Values that are drawn as part of a folded equation; reads as how many they are.

    Example:
        >>> Parts([Var(0, (2, 3), "float32", "captured"), Var(1, (3,), "float32", "captured")])
        2 tensors of 9 numbers
    """

    __slots__ = ()

    def __repr__(self) -> str:
        entries = sum(var.size for var in self)
        return f"{len(self):,} tensor{'s' * (len(self) != 1)} of {entries:,} number{'s' * (entries != 1)}"

    __str__ = __repr__


def absorbed(graph: Graph) -> Graph:
    """The graph with the leaves that only folded equations read, and what those alone write, as part of them.

    They are the parameters ``parameters``, ``gradients`` and ``updates`` of the equations; ``unused`` are results
    without a name that nothing reads. Inputs and all other results stay.
    """
    if not any(map(is_folded, graph.equations)):
        return graph
    readers: dict[int, list[Equation]] = {}
    for equation in graph.equations:
        for var in dict.fromkeys(equation.inputs):
            readers.setdefault(var.index, []).append(equation)
    shown = {var.index for var in graph.outputs if var.label} or {var.index for var in graph.outputs[-1:]}
    written = {write.value.index: write.slot for write in graph.writes if write.value is not None}
    kept_by_others = shown | written.keys()
    leaves = {
        var.index
        for var in (*graph.captured, *graph.constants)
        if var.index not in kept_by_others and all(map(is_folded, readers.get(var.index, ())))
    }
    gone = set(leaves)
    equations: list[Equation] = []
    for equation in graph.equations:
        if is_folded(equation):
            unread = [var for var in equation.outputs if var.index not in readers and var.index not in shown]
            gone |= {var.index for var in unread}
            equation = _with_parts(equation, leaves, unread, written)
        equations.append(equation)
    return replace(
        graph,
        captured=tuple(var for var in graph.captured if var.index not in gone),
        constants=tuple(var for var in graph.constants if var.index not in gone),
        equations=tuple(equations),
        outputs=tuple(var for var in graph.outputs if var.index not in gone),
        writes=tuple(w for w in graph.writes if w.value is None or w.value.index not in gone),
    )


def _with_parts(
    equation: Equation, leaves: set[int], unread: list[Var], written: Mapping[int, str]
) -> Equation:
    parts = {
        "parameters": Parts(var for var in dict.fromkeys(equation.inputs) if var.index in leaves),
        "gradients": Parts(var for var in unread if written.get(var.index) == "grad"),
        "updates": Parts(var for var in unread if written.get(var.index) == "data"),
        "unused": Parts(var for var in unread if var.index not in written),
    }
    return replace(
        equation,
        inputs=tuple(var for var in equation.inputs if var.index not in leaves),
        outputs=tuple(var for var in equation.outputs if var not in unread),
        params={**equation.params, **{name: some for name, some in parts.items() if some}},
    )


def is_folded(equation: Equation) -> bool:
    """Whether `tensorgrad.ir.fold` made it of several."""
    return equation.primitive is None and "operations" in equation.params
