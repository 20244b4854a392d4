"""A program as text, one line an equation."""

from __future__ import annotations

from typing import Any

import numpy as np

from .graph import Equation, Graph, Var


def text(graph: Graph) -> str:
    """``graph`` written out; small constants stand where they are used, and defaults are left out.

    Equations of a backward pass are marked by ``'`` behind the name of the op.
    """
    numbers = {
        c.index: graph.values[c.index] for c in graph.constants if not c.shape and c.index in graph.values
    }

    def show(var: Var) -> str:
        if var.index in numbers:
            value = numbers[var.index]
            return str(value) if isinstance(value, np.generic | np.ndarray) else repr(value)
        return str(var)

    lines = [f"program({', '.join(_typed(v) for v in graph.inputs)}):"]
    lines += [f"  captured {_typed(v)}" for v in graph.captured]
    lines += [f"  constant {_typed(v)}" for v in graph.constants if v.index not in numbers]
    for equation in graph.equations:
        arguments = [show(v) for v in equation.inputs]
        arguments += [f"{name}={_short(value)}" for name, value in _chosen(equation)]
        mark = "'" if equation.direction == "backward" else ""
        outputs = ", ".join(_typed(v) for v in equation.outputs)
        scope = f"  # {equation.scope}" if equation.scope else ""
        lines.append(f"  {outputs} = {equation.op}{mark}({', '.join(arguments)}){scope}")
    for write in graph.writes:
        place = f"{write.target}.grad" if write.slot == "grad" else f"{write.target}[...]"
        lines.append(f"  {place} <- {'None' if write.value is None else show(write.value)}")
    lines.append(f"  return {', '.join(show(v) for v in graph.outputs)}".rstrip())
    return "\n".join(lines)


def _typed(var: Var) -> str:
    return f"{var}{' ' + var.label if var.label else ''}: {var.dtype}[{','.join(map(str, var.shape))}]"


def _chosen(equation: Equation) -> list[tuple[str, Any]]:
    """The parameters that are not at their defaults."""
    defaults = equation.primitive.defaults if equation.primitive else {}
    return [
        (name, value)
        for name, value in equation.params.items()
        if name not in defaults or repr(value) != repr(defaults[name])
    ]


def _short(value: Any) -> str:
    shown = str(value) if isinstance(value, np.dtype | np.random.Generator) else repr(value)
    return shown if len(shown) <= 60 else shown[:57] + "..."
