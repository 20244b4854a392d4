"""The gradient through each use of a parameter: tied weights, a cell over time, two towers with one set of weights."""

from __future__ import annotations

from typing import Any

from .._tape import PICK, Leaf
from .._tensor import made_by
from .attribute_case import Case, Piece, Split
from .attribute_walk import REST, Family


def by_use(case: Case) -> Split:
    """A part for each operation that reads a parameter, or a view of it, in the order in which they ran."""
    tape = case.tape
    owners = {param._node: i for i, param in enumerate(case.params)}
    uses: dict[tuple[int, int, int], tuple[Any, int]] = {}
    for node in tape.between():
        edges = tape.edges(node)
        mine = owners.get(node)
        if mine is None and _is_view(node) and edges[0] in owners:
            owners[node] = owners[edges[0]]
            continue
        for position, edge in enumerate(edges):
            if edge in owners:
                uses[owners[edge], tape.number[node], position] = node, position
    label_of = {(node, position): key for key, (node, position) in uses.items()}

    def sending(node: Any, position: int, family: Family) -> Family:
        key = label_of.get((node, position))
        return family if key is None else Family((key,), _only(family).stack)

    gradients = case.gradients(tape.sweep(tape.start(), sending=sending))
    pieces, counts = [], [0] * len(case.params)
    twice = {node for node, position in label_of if position and (node, 0) in label_of}
    for key in sorted(uses):
        node, position = uses[key]
        counts[key[0]] += 1
        name = f"{case.param_names[key[0]]} " if len(case.params) > 1 else ""
        where = f" ({_input(node, position)})" if node in twice else ""
        pieces.append(
            Piece(
                f"{name}{counts[key[0]]}. {made_by(node)}{where}",
                counts[key[0]],
                gradients.get(key, case.zeros()),
                case.place(node) or f"op {tape.number[node]} of {len(tape.order)}",
            )
        )
    return Split(pieces, gradients.get(REST), "the loss itself")


# ---- helpers


def _is_view(node: Any) -> bool:
    """Whether a node only shows its input in another way: a view, a part of a split, another dtype."""
    return type(node) is not Leaf and (
        node.prim is PICK or node.prim.kind == "view" or node.prim.name == "cast"
    )


def _only(family: Family) -> Family:
    return family.renamed([REST] * len(family.labels))


def _input(node: Any, position: int) -> str:
    return "" if node.prim is PICK else str(node.prim.input_of(position))
