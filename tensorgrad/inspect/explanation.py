"""Explain a gradient: the forward formulas, the local derivatives, and the chain rule that joins them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

import numpy as np

from .._errors import DtypeError, GradientError
from .._tape import collect
from .._tensor import Tensor
from .._where import user_frame, variables
from ..ir import Graph, Var
from ..ir.builder import Builder
from ..ir.recorder import named, named_locals, run_of
from ..ir.tape import events, of_tape
from ._chain import Derivation
from ._layout import as_latex, as_markdown, as_text
from ._lines import Known, Line
from ._program import Program, identifier, name_unknown, read
from ._symbols import Name


@dataclass(frozen=True)
class Explanation:
    """A gradient, derived step by step; made by `explain`.

    Printing it gives text, a notebook shows formulas.

    Attributes:
        result: what was differentiated, by name.
        given: names of what the computation starts from, with their shapes.
        composed: the whole computation as one formula, if it is short.
        forward: each step, ``name = formula``.
        local: for each step on the way, its derivative by each input: ``∂u/∂w``, or where it does not work element
            by element what becomes of a gradient ``G``.
        chain: for scalars the product of the local derivatives along each path; otherwise the gradient of each
            value on the way, from the result back.
        simplified: the gradients that were asked for, in closed form.
        patterns: what was recognised for these.
        omitted: how many steps in the middle were left out because there are too many.
        notes: what else a reader should know.
    """

    result: str
    given: tuple[Line, ...]
    composed: Line | None
    forward: tuple[Line, ...]
    local: tuple[Line, ...]
    chain: tuple[Line, ...]
    simplified: tuple[Line, ...]
    patterns: tuple[Known, ...] = ()
    omitted: int = 0
    notes: tuple[str, ...] = ()
    values: bool = field(default=False, repr=False)

    def to_text(self) -> str:
        """The explanation for a terminal, formulas in the notation of Python."""
        return as_text(self)

    def to_markdown(self) -> str:
        """The explanation as Markdown, formulas in LaTeX between dollar signs."""
        return as_markdown(self)

    def to_latex(self) -> str:
        """The explanation as LaTeX: a block of aligned formulas for each part. It needs amsmath and amssymb."""
        return as_latex(self)

    def __str__(self) -> str:
        return self.to_text()

    def __repr__(self) -> str:
        return self.to_text()

    def _repr_markdown_(self) -> str:
        return self.to_markdown()

    def _repr_latex_(self) -> str:
        return self.to_latex()


def explain(
    x: Any, wrt: Any = None, *, values: bool = False, names: Any = None, limit: int = 60
) -> Explanation:
    """Derive the gradient of a result by hand, so to speak: formulas, local derivatives, chain rule, closed form.

    Args:
        x: the result, a tensor that has its history still; or a run made by `record`, whose last scalar is
            meant; or a graph, as `trace` makes it, whose first output is meant.
        wrt: what to differentiate with respect to: a tensor, the name of one, or a list of these. By default
            all that gradients flow to.
        values: put numbers into the formulas, of scalars and small arrays.
        names: names for tensors, as a container such as ``{"w": w}``; by default they are called by the
            variables that hold them where this is called.
        limit: of longer computations only this many steps are shown, those nearest to both ends.

    Returns:
        An `Explanation`: print it, or take its parts.

    Raises:
        GradientError: no gradient flows from ``x`` to ``wrt``, or there is no such value.
        DtypeError: ``x`` is complex, or nothing that has a history.

    Example:
        >>> import tensorgrad as tg
        >>> w, x, t = tg.tensor(2.0, requires_grad=True), tg.tensor(3.0), tg.tensor(5.0)
        >>> with tg.record() as run:
        ...     y = w * x
        ...     loss = (y - t) ** 2
        >>> print(tg.explain(loss, w, values=True))
        loss = (w * x - t) ** 2
        <BLANKLINE>
        Given
          w = 2
          x = 3
          t = 5
        <BLANKLINE>
        Forward
          y = w * x = 2 * 3 = 6
          u = y - t = 6 - 5 = 1
          loss = u ** 2 = 1 ** 2 = 1
        <BLANKLINE>
        Local derivatives
          ∂loss/∂u = 2 * u = 2 * 1 = 2
          ∂u/∂y = 1
          ∂y/∂w = x = 3
        <BLANKLINE>
        Chain rule
          dloss/dw = ∂loss/∂u * ∂u/∂y * ∂y/∂w = 2 * u * x = 2 * 1 * 3 = 6
        <BLANKLINE>
        Closed form
          dloss/dw = 2 * (y - t) * x = 2 * (6 - 5) * 3 = 6

    Source:
        Chain rule and notation: K. B. Petersen, M. S. Pedersen, The Matrix Cookbook, 2012, chapter 2.
    """
    frame = user_frame()
    graph, target, arrays, find = _source(x, names, frame)
    if target.dtype[:1] == "c":
        raise DtypeError("explain: the result is complex; explain its real part, or its absolute value")
    program = read(graph, target, arrays)
    if len(program.steps) <= limit:
        name_unknown(program, {k: getattr(v, "_d", v) for k, v in _tensors(frame).items()})
    wanted = _wanted(wrt, graph, program, find)
    return Explanation(**Derivation(program, wanted, values=values, limit=limit).parts())


Find = Callable[[Tensor], Var | None]


def _source(x: Any, names: Any, frame: FrameType | None) -> tuple[Graph, Var, Mapping[int, Any], Find]:
    """The graph, the variable of the result, known arrays, and what finds the variable of a tensor."""
    if isinstance(x, Graph):
        if not x.outputs:
            raise GradientError("explain: the graph has no output; return what is to be explained")
        captured = {id(value): var for var in x.captured if (value := x.values.get(var.index)) is not None}
        return x, x.outputs[0], {}, lambda tensor: captured.get(id(tensor))
    if isinstance(x, Tensor):
        return _of_tensor(x, names, frame)
    if hasattr(x, "graph") and hasattr(x, "arrays"):
        graph = x.graph
        scalars = [var for var in graph.outputs if not var.shape and var.tracked]
        if not (scalars or graph.outputs):
            raise GradientError(
                "explain: the run recorded nothing; compute inside of `with tg.record() as run:`"
            )
        return graph, (scalars or list(graph.outputs))[-1], x.arrays, x.var
    raise DtypeError(
        f"explain: {type(x).__name__} given; a tensor with a history, a run of tg.record() or a graph of tg.trace() "
        "can be explained"
    )


def _of_tensor(x: Tensor, names: Any, frame: FrameType | None) -> tuple[Graph, Var, Mapping[int, Any], Find]:
    run = run_of(x)
    if run is not None:
        var = run.var(x)
        assert var is not None
        if any(var in equation.outputs for equation in run.graph.equations):
            return run.graph, var, run.arrays, run.var
    labels: dict[Any, str] = {}
    for key, label in {**named_locals(frame), **named(names)}.items():
        labels[key] = label if label not in labels.values() else f"{label}_{len(labels)}"
    if x._node is None:
        of_tape(x)  # raises, and says why there is no history
    # As `of_tape` does, but with the arrays and without their statistics.
    order, _ = collect([x._node])
    builder = Builder(labels)
    for event in events(order, {x._node: x._d}):
        builder.apply(event)
    graph, known = builder.graph(outputs=[builder.input(x._d, x._node)])
    by_label = {var.label: var for var in graph.variables if var.label}

    def find(tensor: Tensor) -> Var | None:
        return by_label.get(labels.get(tensor._node, ""))

    arrays = dict(known.values)
    for one in _tensors(frame).values():
        if isinstance(one, Tensor) and one._node is not None and (var := find(one)) is not None:
            arrays[var.index] = one._d
    return graph, graph.outputs[0], arrays, find


def _tensors(frame: FrameType | None) -> dict[str, Any]:
    """The variables of a frame that hold arrays or numbers."""
    kinds = (Tensor, np.ndarray, np.generic, int, float)
    return {k: x for k, x in variables(frame).items() if isinstance(x, kinds) and not getattr(x, "level", 0)}


def _wanted(wrt: Any, graph: Graph, program: Program, find: Find) -> list[Name]:
    """The names to differentiate with respect to."""
    if wrt is None:
        leaves = [*graph.inputs, *graph.captured]
        leaves = [
            var for var in leaves if var.dtype[:1] == "f" and isinstance(program.names.get(var.index), Name)
        ]
        tracked = [var for var in leaves if var.tracked]
        found = [program.names[var.index] for var in tracked or leaves]
        if not found:
            raise GradientError(
                "explain: nothing that gradients flow to leads to the result; give requires_grad=True"
            )
        return list(dict.fromkeys(found))  # type: ignore[arg-type]
    return [_one(each, program, find) for each in (wrt if isinstance(wrt, list | tuple) else [wrt])]


def _one(wrt: Any, program: Program, find: Find) -> Name:
    known = [*program.given, *[step.name for step in program.steps]]
    if isinstance(wrt, str):
        found: Any = next((name for name in known if name.text == identifier(wrt)), None)
    else:
        var = find(wrt) if isinstance(wrt, Tensor) else wrt if isinstance(wrt, Var) else None
        found = program.names.get(var.index) if var is not None else None
    if not isinstance(found, Name):
        raise GradientError(
            f"explain: {wrt if isinstance(wrt, str) else 'the tensor given as wrt'} is not a value that "
            f"{program.result.text} was computed from; its values are {', '.join(name.text for name in known[:20])}"
        )
    return found
