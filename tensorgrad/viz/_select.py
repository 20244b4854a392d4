"""The part of a graph that a picture shows: which passes, and how far modules are folded."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from tensorgrad.ir.backward import with_backward
from tensorgrad.ir.fold import fold
from tensorgrad.ir.graph import Equation, Graph, Var
from tensorgrad.viz._absorb import absorbed
from tensorgrad.viz.options import Options


def selected(graph: Graph, options: Options) -> Graph:
    """The graph as the options want to see it; the same graph where they ask for all that was recorded.

    Raises:
        ValueError: the graph has no gradients to colour by, or no backward pass to show.
    """
    if options.colour == "gradient" and not graph.passes:
        raise ValueError(
            "graph: colour='gradient' needs the gradients of a backward pass, and this graph has none; "
            "record one, as in `with tg.record() as run: loss.backward()`, and give tg.graph(run)"
        )
    if options.passes in {"backward", "both"} and not _directed(graph, "backward"):
        graph = with_backward(graph)
    if options.passes in {"forward", "backward"}:
        graph = _one_pass(graph, options.passes)
    if options.depth is not None or options.fold_repeats:
        graph = absorbed(fold(graph, options.depth, options.fold_repeats))
    return graph


def _one_pass(graph: Graph, direction: Literal["forward", "backward"]) -> Graph:
    """The equations of one pass.

    The forward pass is what needs no result of the backward pass, so that an optimiser's update, which
    runs after it, is not part of it. The backward pass reads results of the forward pass as leaves.
    """
    kept: list[tuple[int, Equation]] = []
    later: set[Var] = set()
    for index, equation in enumerate(graph.equations):
        if direction == "forward" and (
            equation.direction == "backward" or later.intersection(equation.inputs)
        ):
            later.update(equation.outputs)
        elif equation.direction == direction:
            kept.append((index, equation))
    made = {var for _, equation in kept for var in equation.outputs}
    read = {var for _, equation in kept for var in equation.inputs}
    leaves = [
        tuple(var for var in some if var in read) for some in (graph.inputs, graph.captured, graph.constants)
    ]
    if direction == "forward":
        leaves[0] = graph.inputs
    known = made.union(*leaves)
    place = {index: new for new, (index, _) in enumerate(kept)}
    return replace(
        graph,
        inputs=leaves[0],
        captured=leaves[1],
        constants=leaves[2],
        equations=tuple(equation for _, equation in kept),
        outputs=tuple(var for var in graph.outputs if var in known),
        writes=tuple(write for write in graph.writes if write.value in known),
        passes=tuple(
            replace(
                one,
                steps=tuple(
                    replace(step, equation=place[step.equation])
                    for step in one.steps
                    if step.equation in place
                ),
            )
            for one in graph.passes
        ),
    )


def _directed(graph: Graph, direction: str) -> bool:
    return any(equation.direction == direction for equation in graph.equations)
