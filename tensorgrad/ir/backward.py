"""The backward pass of a recorded graph as equations, so that whatever shows equations shows it too."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np

from .._errors import TraceError
from .graph import Contribution, Equation, Graph, Pass, Stats, Step, Var, Write


def with_backward(graph: Graph, k: int = -1) -> Graph:
    """The graph with a backward pass behind it: an equation for each step, and one for each sum.

    Args:
        graph: of a recorded run, of a tape, or of a trace. A tape has recorded no pass: shown is the one that
            would run from its outputs. A trace that has backward equations stays as it is.
        k: which of the recorded passes.

    Returns:
        A graph with equations of direction ``"backward"``: each takes the gradients of the outputs of its forward
        equation, and the values that the formulas read, and gives a contribution for each input. Where
        several contributions meet, an ``add`` gives their sum. The gradients of captured and input variables
        are writes.

    Raises:
        TraceError: the graph has no backward pass of that number.

    Example:
        >>> import tensorgrad as tg
        >>> w = tg.tensor([1.0, 2.0], requires_grad=True)
        >>> with tg.record() as run:
        ...     loss = (w * w).sum()
        ...     loss.backward()
        >>> print(with_backward(run.graph))
        program():
          captured %0 w: float32[2]
          %1: float32[2] = multiply(%0, %0)
          %2 loss: float32[] = sum(%1)
          %4: float32[2] = sum'(1.0)
          %5: float32[2], %6: float32[2] = multiply'(%4, %0)
          %7 w.grad: float32[2] = add'(%5, %6)
          %0.grad <- %7
          return %2
    """
    if any(equation.direction == "backward" for equation in graph.equations):
        return graph
    if graph.passes:
        if not -len(graph.passes) <= k < len(graph.passes):
            raise TraceError(f"with_backward: pass {k} of {len(graph.passes)} recorded passes")
        return _Mirror(graph, graph.passes[k]).graph()
    return _Mirror(graph, _expected(graph)).graph()


def _expected(graph: Graph) -> Pass:
    """The pass that would run from the outputs of a graph."""
    seeds = [var for var in graph.outputs if var.tracked]
    reached = {var.index for var in seeds}
    steps = []
    for number in reversed(range(len(graph.equations))):
        equation = graph.equations[number]
        if reached.isdisjoint([var.index for var in equation.outputs]) or equation.primitive is None:
            continue
        given = [
            Contribution(i, var)
            for i, var in enumerate(equation.inputs)
            if var.tracked and equation.primitive.formula_for(i) is not None
        ]
        reached |= {one.target.index for one in given}
        if given:
            steps.append(Step(number, (None,) * len(equation.outputs), tuple(given)))
    return Pass(tuple([(var, None) for var in seeds]), tuple(steps), {})


class _Mirror:
    """Writes the equations of a pass, one by one."""

    def __init__(self, graph: Graph, one: Pass) -> None:
        self.forward, self.one = graph, one
        self.count = max((var.index for var in graph.variables), default=-1) + 1
        self.equations: list[Equation] = []
        self.constants: list[Var] = []
        self.stats: dict[int, Stats] = {}
        self.values: dict[int, Any] = {}
        self.pending: dict[int, list[Var]] = {}  # contributions, by the variable they are for
        self.scopes: dict[int, str] = {}  # of contributions
        given = [c.target.index for step in one.steps for c in step.contributions]
        self.parts = Counter([var.index for var, _ in one.seeds] + given)

    def graph(self) -> Graph:
        targets = {var.index: var for var in self.forward.variables}
        for var, stats in self.one.seeds:
            seed = self.new(var, stats, "constant")
            self.constants.append(seed)
            if not self.forward.passes or (stats is not None and stats.values is not None):
                kept = stats.values if stats is not None else None
                self.values[seed.index] = np.reshape(kept or (1.0,) * var.size, var.shape).astype(var.dtype)
            self.pending.setdefault(var.index, []).append(seed)
        for step in self.one.steps:
            self.step(step)
        writes = []
        for index in sorted(self.pending):
            target = targets[index]
            if target.role != "result":
                writes.append(Write(target, self.gradient(target), "grad"))
        return replace(
            self.forward,
            equations=(*self.forward.equations, *self.equations),
            constants=(*self.forward.constants, *self.constants),
            writes=(*self.forward.writes, *writes),
            values={**self.forward.values, **self.values},
            stats={**self.forward.stats, **self.stats},
        )

    def step(self, step: Step) -> None:
        equation = self.forward.equations[step.equation]
        cotangents = [self.gradient(var) for var in equation.outputs if var.index in self.pending]
        outputs = []
        for given in step.contributions:
            made = self.new(given.target, given.stats, "result")
            self.pending.setdefault(given.target.index, []).append(made)
            self.scopes[made.index] = equation.scope
            outputs.append(made)
        inputs = (*cotangents, *_read(equation, step))
        self.equations.append(_backward(equation, equation.op, inputs, tuple(outputs), step.seconds))

    def gradient(self, var: Var) -> Var:
        """The finished gradient of a variable: its only contribution, or the sum of several."""
        given = self.pending[var.index]
        if len(given) > 1:
            total = self.new(var, self.one.gradients.get(var.index), "result", whole=True)
            scope = self.scopes[given[-1].index]
            self.equations.append(Equation("add", tuple(given), (total,), {}, scope, "backward"))
            given = self.pending[var.index] = [total]
        return given[0]

    def new(self, target: Var, stats: Stats | None, role: Any, *, whole: bool = False) -> Var:
        whole = (whole or self.parts[target.index] == 1) and role == "result"
        label = f"{target.label}.grad" if target.label and whole else "seed" if role == "constant" else ""
        made = Var(self.count, target.shape, target.dtype, role, label)
        self.count += 1
        if stats is not None:
            self.stats[made.index] = stats
        return made


# ---- helpers


def _backward(equation: Equation, op: str, inputs: Any, outputs: Any, seconds: float | None) -> Equation:
    return Equation(
        op, inputs, outputs, {}, equation.scope, "backward", position=equation.position, seconds=seconds
    )


def _read(equation: Equation, step: Step) -> list[Var]:
    """The forward values that the formulas of the step ask for."""
    card = equation.primitive
    if card is None:
        return []
    formulas = [card.formula_for(given.position) for given in step.contributions]
    asked = {name for formula in formulas if formula is not None for name in formula.names}
    read = [var for i, var in enumerate(equation.inputs) if card.input_of(i) in asked]
    return list(dict.fromkeys([*read, *(equation.outputs if "y" in asked else ())]))
