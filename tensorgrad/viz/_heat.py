"""Gradient flow as colour: how large each gradient is beside the others, in steps of a factor ten."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import hypot, isfinite, log10
from statistics import median_low

from tensorgrad.ir.graph import Graph, Stats, Var

DECADES = 3  # to either side of the median
STEPS = 2 * DECADES + 1
# What a box can be besides a step of the scale: its class in the picture, and what the legend says.
MARKS = {
    "none": "no gradient",
    "zero": "all zero",
    "bad": "NaN or infinite",
}


@dataclass(frozen=True, slots=True)
class Heat:
    """The scale of one picture: the median of the norms of its gradients, None where there is no norm."""

    median: float | None

    def mark(self, graph: Graph, variables: Iterable[Var]) -> str:
        """The class of a box with these results: a step such as ``"heat-2"``, or one of `MARKS`."""
        found = [stats for var in variables if (stats := _gradient(graph, var)) is not None]
        if not found:
            return "heat-none"
        if any(map(alarm, found)):
            return "heat-bad"
        size = hypot(*(stats.norm for stats in found))
        if size == 0 or not self.median:
            return "heat-zero"
        return f"heat-{DECADES + max(-DECADES, min(DECADES, round(log10(size) - log10(self.median))))}"


def heat_of(graph: Graph) -> Heat:
    """The scale for a graph; the finished gradients of its last backward pass count once each."""
    known = (_gradient(graph, var) for var in graph.variables)
    norms = [s.norm for s in known if s is not None and s.norm > 0 and isfinite(s.norm) and not alarm(s)]
    return Heat(median_low(norms) if norms else None)


def norm_of(graph: Graph, variables: Iterable[Var]) -> float | None:
    """The norm of the gradient of some values together, None if no gradient reached them."""
    found = [stats for var in variables if (stats := _gradient(graph, var)) is not None]
    return hypot(*(stats.norm for stats in found)) if found else None


def alarm(stats: Stats | None) -> str:
    """What is wrong with a value or gradient that is not finite, or the empty string.

    Example:
        >>> alarm(Stats((3,), "float32", nans=2)), alarm(Stats((3,), "float32"))
        ('NaN', '')
    """
    if stats is None:
        return ""
    return "NaN" if stats.nans else "infinite" if stats.infs or not isfinite(stats.norm) else ""


def _gradient(graph: Graph, var: Var) -> Stats | None:
    return graph.gradients.get(var.index)
