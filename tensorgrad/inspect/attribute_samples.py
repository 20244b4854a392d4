"""The gradient of each example of a batch."""

from __future__ import annotations

import heapq
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from .._errors import GradientError, ShapeError
from .._tape import PICK, Leaf, collect
from .._tree import flatten
from .._writer import saved_names
from .attribute_case import Case, Piece, Split, check_on_the_way, node_of
from .attribute_terms import single, summands
from .attribute_walk import REST, Family

MEMORY = 2**26
"""Samples go together through the graph as long as their cotangents of the largest value fit into so many bytes."""


def by_sample(case: Case, samples: Any, axis: int, top: int | None) -> Split:
    """A part for each place along the batch axis of the values where the loss meets it.

    The cotangent of such a value is cut into its rows, and each walks on by itself. What comes to a parameter without
    passing them, such as a penalty, is the remainder.
    """
    cuts, values = _given(case, samples) if samples is not None else (found(case), None)
    places = _axes(cuts, axis, given=samples is not None)
    size = cuts[0].shape[places[0]]
    at: dict[Any, Family] = {}

    def arriving(node: Any, family: Family) -> Family | None:
        if node not in places_of:
            return family
        at[node] = family
        return None

    places_of = dict(zip(cuts, places, strict=True))
    around = case.gradients(case.tape.sweep(case.tape.start(), arriving)).get(REST)
    kept = _Kept(case, size if top is None else top)
    width = _together(case, size)
    for first in range(0, size, width):
        chunk = range(first, min(first + width, size))
        start = {node: _rows(family, places_of[node], chunk) for node, family in at.items()}
        found_here = case.gradients(case.tape.sweep(start))
        for i in chunk:
            kept.add(i, found_here.get(i) or case.zeros())
    pieces = [
        Piece(f"sample {i}", i, gradients, "" if values is None else f"{values[i]:.4g}")
        for i, gradients in kept.ranked()
    ]
    left = size - len(pieces)
    rest = [f"{left} more sample{'s' * (left != 1)}"] * bool(left) + ["around the samples"] * (
        around is not None
    )
    others = [one for one in (kept.others, around) if one is not None]
    remainder = [sum(parts[1:], parts[0]) for parts in zip(*others, strict=True)] if others else None
    return Split(pieces, remainder, " and ".join(rest))


def found(case: Case) -> list[Any]:
    """The values that hold one number or row for each sample: the last that still have axes on the way to the loss.

    Those that were computed from parameters alone, such as a penalty on weights, have no samples.
    """
    ends: dict[Any, None] = {}
    singles: dict[Any, None] = {}
    todo = [loss._node for loss in case.losses]
    seen = set(todo)
    for node in todo:  # it grows while it is walked
        if type(node) is Leaf:
            continue
        for edge in summands(node) or case.tape.edges(node):
            if edge is None or edge in seen or edge not in case.tape.leading:
                continue
            seen.add(edge)
            if _is_array(edge) and not single(edge) and type(edge) is not Leaf:
                ends[edge] = None
            else:
                todo.append(edge)
                if edge.shape and type(edge) is not Leaf:
                    singles[edge] = None
    ends = ends or dict.fromkeys([node for node in singles if _is_array(node)][:1])  # a batch of one
    cuts = [node for node in ends if _reads_data(node)] or list(ends)
    if not cuts:
        raise GradientError(
            f"attribute: {case.loss_name} has no batch axis: it is not a sum or mean over a value with axes; give the "
            "losses of the samples, samples=losses, or any value on the way with the batch along its axis 0"
        )
    if len({node.shape[0] for node in cuts}) > 1:
        listed = ", ".join(f"{case.called(node)} {node.shape}" for node in cuts[:6])
        raise GradientError(
            f"attribute: {case.loss_name} is made of values of different lengths, {listed}, and it is not clear which axis "
            "is that of the samples; give samples=, the tensor with the batch along its axis 0"
        )
    return cuts


# ---- parts


class _Kept:
    """The samples with the greatest gradients, and the sum of all others."""

    def __init__(self, case: Case, most: int) -> None:
        self.case, self.most = case, most
        self.heap: list[tuple[float, int, list[Any]]] = []
        self.others: list[Any] | None = None

    def add(self, i: int, gradients: list[Any]) -> None:
        norm = math.hypot(*[float(np.linalg.norm(g)) for g in gradients])
        heapq.heappush(self.heap, (norm if math.isfinite(norm) else math.inf, -i, gradients))
        if len(self.heap) > self.most:
            _, _, least = heapq.heappop(self.heap)
            before = self.others or self.case.zeros()
            self.others = [a + b for a, b in zip(before, least, strict=True)]

    def ranked(self) -> list[tuple[int, list[Any]]]:
        ordered = sorted(self.heap, key=lambda one: (-one[0], -one[1]))
        return [(-number, gradients) for _, number, gradients in ordered]


def _given(case: Case, samples: Any) -> tuple[list[Any], Any]:
    """The nodes of the tensors that the user gives, and the losses of the samples, if that is what they are."""
    leaves, _ = flatten(samples)
    cuts = [node_of(one, "samples") for one in leaves]
    if not cuts:
        raise GradientError("attribute: samples is an empty container; give the losses of the samples")
    check_on_the_way(case, cuts, "samples")
    alone = len(leaves) == 1 and leaves[0].ndim == 1 and leaves[0].dtype.kind == "f"
    return cuts, leaves[0].numpy() if alone else None


def _axes(cuts: Sequence[Any], axis: int, *, given: bool) -> list[int]:
    for node in cuts:
        if not -len(node.shape) <= axis < len(node.shape):
            what = "samples" if given else "what the loss is a sum of"
            raise ShapeError(
                f"attribute: {what} has shape {node.shape}, so it has no axis {axis} for the batch; give another axis="
            )
    axes = [axis % len(node.shape) for node in cuts]
    lengths = {node.shape[a] for node, a in zip(cuts, axes, strict=True)}
    if len(lengths) > 1:
        raise ShapeError(
            f"attribute: along axis {axis} the samples have the lengths {sorted(lengths)}; give tensors with one length"
        )
    return axes


def _rows(family: Family, axis: int, chunk: range) -> Family:
    """The cotangent of a value, one row of it in each part, and zeros elsewhere."""
    whole = family.part(0)
    if axis == 0:
        return Family(tuple(chunk), whole[list(chunk)][:, None], tuple(chunk))
    stack = np.zeros((len(chunk), *whole.shape), whole.dtype)
    for part, i in enumerate(chunk):
        place: tuple[Any, ...] = (*[slice(None)] * axis, i)
        stack[(part, *place)] = whole[place]
    return Family(tuple(chunk), stack)


def _together(case: Case, size: int) -> int:
    """How many samples go through the graph at once."""
    largest = max([math.prod(node.shape) for node in case.tape.between() if _is_array(node)], default=1)
    largest = max([largest, *[param.size for param in case.params]])
    return max(1, min(size, MEMORY // (8 * largest)))


def _is_array(node: Any) -> bool:
    """Whether a node stands for one value, not for several results of an op."""
    return node.shape == () or type(node.shape[0]) is int


def _reads_data(node: Any) -> bool:
    """Whether a value was computed from an array with axes that is no parameter, as far as the tape has kept it."""
    order, _ = collect([node])
    return any(
        edge is None and np.ndim(_saved(one, position)) > 0
        for one in order
        if one.prim is not PICK
        for position, edge in enumerate(one.edges)
    )


def _saved(node: Any, position: int) -> Any:
    """What a node has kept of one of its inputs; 0 for nothing."""
    saved = dict(zip(saved_names(node.prim), node.saved, strict=True))
    card = node.prim
    value = saved.get(card.input_of(position))
    if card.variadic and position >= len(card.inputs) - 1 and value is not None:
        value = value[position - len(card.inputs) + 1]
    return 0 if value is None else value
