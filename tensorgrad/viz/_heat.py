"""Gradient flow as colour: how large each gradient is beside those near the result, in steps of a factor ten."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import hypot, isfinite, log10
from statistics import median_low

from tensorgrad.ir.graph import Graph, Stats, Var

DECADES = 3  # to either side of the usual norm
STEPS = 2 * DECADES + 1
# What a box can be besides a step of the scale: its class in the picture, and what the legend says.
MARKS = {
    "none": "no gradient",
    "zero": "all zero",
    "bad": "NaN or infinite",
}


@dataclass(frozen=True, slots=True)
class Heat:
    """The scale of one picture.

    A backward pass begins at the result. What its first third reaches is the measure for all: where gradients
    vanish, those far from the result are cold, and where they explode, those are hot.

    Args:
        usual: the median of the norms near the result, None where there is no norm.
    """

    usual: float | None

    def mark(self, gradients: Sequence[Stats]) -> str:
        """The class of a box with these gradients: a step such as ``"heat-2"``, or one of `MARKS`."""
        if not gradients:
            return "heat-none"
        if any(map(alarm, gradients)):
            return "heat-bad"
        size = norm_of(gradients)
        if size == 0 or not self.usual:
            return "heat-zero"
        return f"heat-{DECADES + max(-DECADES, min(DECADES, round(log10(size) - log10(self.usual))))}"


def heat_of(graph: Graph) -> Heat:
    """The scale for a graph, by its last backward pass."""
    steps = graph.passes[-1].steps if graph.passes else ()
    near = [
        var for step in steps[: max(3, -(-len(steps) // 3))] for var in graph.equations[step.equation].outputs
    ]
    for variables in (near, graph.variables):
        found = gradients_of(graph, variables)
        norms = [stats.norm for stats in found if stats.norm > 0 and not alarm(stats)]
        if norms:
            return Heat(median_low(norms))
    return Heat(None)


def gradients_of(graph: Graph, variables: Iterable[Var]) -> list[Stats]:
    """The gradients that reached some values."""
    found = (graph.gradients.get(var.index) for var in variables)
    return [stats for stats in found if stats is not None]


def norm_of(gradients: Iterable[Stats]) -> float:
    """The norm of gradients together."""
    return hypot(*(stats.norm for stats in gradients))


def alarm(stats: Stats | None) -> str:
    """What is wrong with a value or gradient that is not finite, or the empty string.

    Example:
        >>> alarm(Stats((3,), "float32", nans=2)), alarm(Stats((3,), "float32"))
        ('NaN', '')
    """
    if stats is None:
        return ""
    return "NaN" if stats.nans else "infinite" if stats.infs or not isfinite(stats.norm) else ""
