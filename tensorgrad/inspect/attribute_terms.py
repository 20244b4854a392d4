"""The gradient of each term of a loss."""

from __future__ import annotations

from typing import Any

from .._tape import PICK, Leaf
from .._tree import flatten
from ..ir.tape import label
from .attribute_case import Case, Piece, Split, node_of
from .attribute_walk import REST, Family

SUMS = frozenset({"add", "subtract"})
SAME = frozenset({"negative", "positive", "cast", "reshape", "real"})


def by_term(case: Case, given: Any) -> Split:
    """A part for each term: one that was given, or that the loss is a sum of.

    A cotangent belongs to the first term that it meets on its way from the loss. So if one term was computed from
    another, what came through the one is not counted again for the other.
    """
    terms = found(case) if given is None else named(case, given)
    owner = {node: i for i, (_, nodes) in enumerate(terms) for node in nodes}

    def arriving(node: Any, family: Family) -> Family:
        if node not in owner or REST not in family.labels:
            return family
        return family.renamed([owner[node] if one == REST else one for one in family.labels])

    gradients = case.gradients(case.tape.sweep(case.tape.start(), arriving))
    notes = [case.place(nodes[0]) if given is None else "" for _, nodes in terms]
    pieces = [
        Piece(name, name, gradients.get(i, case.zeros()), note)
        for i, ((name, _), note) in enumerate(zip(terms, notes, strict=True))
    ]
    return Split(pieces, gradients.get(REST), "through no term")


def named(case: Case, given: Any) -> list[tuple[str, list[Any]]]:
    """Those that the user gives, with their names."""
    leaves, tree = flatten(given)
    result: dict[str, list[Any]] = {}
    for path, value in zip(tree.paths(), leaves, strict=True):
        node = node_of(value, f"terms{path}")
        name = label(path)
        if not name or name.isdigit():
            name = case.variables.get(node, f"term {name or 0}")
        result.setdefault(name, []).append(node)
    return list(result.items())


def found(case: Case) -> list[tuple[str, list[Any]]]:
    """The terms of the losses, in the order in which they are written: what sums and constant factors leave.

    What a variable of the caller holds is one term, even where it is a sum itself.
    """
    roots = [loss._node for loss in case.losses]
    several = len(roots) > 1
    ends: dict[Any, None] = {}
    todo = list(reversed(roots))
    seen: set[Any] = set()
    while todo:
        node = todo.pop()
        if node in seen:
            continue
        seen.add(node)
        whole = node in case.names and (several or node not in roots)
        following = [] if whole or type(node) is Leaf else summands(node)
        if following:
            todo += reversed(following)
        else:
            ends[node] = None
    names: dict[str, list[Any]] = {}
    given = dict(zip(roots, case.loss_names, strict=True)) if several else {}
    for node in ends:
        name = given.get(node) or case.called(node)
        while name in names:
            name += "'"
        names[name] = [node]
    return list(names.items())


def summands(node: Any) -> list[Any]:
    """The inputs of a node that adds numbers, or multiplies one by a constant; empty if it does neither."""
    name = node.prim.name if node.prim is not PICK else ""
    edges = [edge for edge in node.edges if edge is not None]
    if name in SUMS and all(single(edge) for edge in edges) and single(node):
        return edges
    if name in SAME and single(node) and single(edges[0]):
        return edges
    if _scales(node, edges) and single(node) and single(edges[0]):
        return edges
    return _listed(edges[0]) if name == "sum" and single(node) else []


def _listed(node: Any) -> list[Any]:
    """The numbers that were put into the list at a node, if it is one, through constant factors; else nothing."""
    while type(node) is not Leaf and node.prim is not PICK:
        edges = [edge for edge in node.edges if edge is not None]
        if node.prim.name in ("concat", "stack"):
            return edges if all(single(edge) for edge in edges) else []
        if not (node.prim.name in SAME or _scales(node, edges)) or edges[0].shape != node.shape:
            return []
        node = edges[0]
    return []


def _scales(node: Any, edges: list[Any]) -> bool:
    """Whether a node multiplies a value by a constant, or divides it by one."""
    return (node.prim.name == "multiply" and len(edges) == 1) or (
        node.prim.name == "divide" and node.edges[1] is None
    )


def single(node: Any) -> bool:
    """Whether a value is one number."""
    return type(node.shape) is tuple and all(length == 1 for length in node.shape)
