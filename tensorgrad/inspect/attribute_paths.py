"""The gradient along each path between a parameter and the loss, told apart by the places that it goes through."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .._errors import DtypeError, GradientError
from .._tape import PICK, Leaf
from .._tensor import Tensor
from .._tree import flatten
from ..ir.tape import label
from .attribute_case import Case, Piece, Split, check_on_the_way, node_of
from .attribute_walk import OTHERS, Family


def by_path(case: Case, through: Any, top: int | None, limit: int) -> Split:
    """A part for each sequence of places that a path from a parameter to the loss goes through.

    One pass over the graph, not one for each path: at each node the paths that came by the same places are one
    cotangent. Where more than ``limit`` would be kept apart, the weakest there are added up for good.
    """
    places = waypoints(case, through)
    merged = False

    def arriving(node: Any, family: Family) -> Family:
        nonlocal merged
        place = places.get(node)
        if place is not None:
            family = family.renamed([_longer(one, place) for one in family.labels])
        if len(family.labels) > limit:
            merged = True
            strongest = set(np.argsort(-family.norms(), kind="stable")[:limit].tolist())
            family = family.renamed(
                [one if i in strongest and one != OTHERS else OTHERS for i, one in enumerate(family.labels)]
            )
        return family

    tape = case.tape
    gradients = case.gradients(tape.sweep(_start(case), arriving))
    others = gradients.pop(OTHERS, None)
    sizes = {path: float(np.sqrt(sum(np.linalg.norm(g) ** 2 for g in gs))) for path, gs in gradients.items()}
    ranked = sorted(gradients, key=lambda path: -sizes[path] if sizes[path] == sizes[path] else -np.inf)
    kept = ranked if top is None else ranked[:top]
    pieces = [Piece(_written(path), path[::-1], gradients[path]) for path in kept]
    rest = [gradients[path] for path in ranked[len(kept) :]] + ([others] if others is not None else [])
    remainder = [sum(parts[1:], parts[0]) for parts in zip(*rest, strict=True)] if rest else None
    many = "" if merged else f"{len(ranked) - len(kept)} "
    return Split(
        pieces, remainder, f"{many}more paths" if merged or len(ranked) - len(kept) != 1 else "1 more path"
    )


def waypoints(case: Case, through: Any) -> dict[Any, str]:
    """The nodes to go through, each with the name of its place.

    Args:
        case: what is asked.
        through: tensors, modules, names of variables or of modules, or a container of these whose keys are names;
            None for the modules that the run has seen, or else the caller's variables.

    Raises:
        GradientError: there is no such place on the way from the parameters to the loss.
    """
    ends = {*[loss._node for loss in case.losses], *[param._node for param in case.params]}
    if through is None:
        found = {node: name for node, name in _all_modules(case).items() if node not in ends}
        found = found or {
            node: name
            for node, name in case.names.items()
            if node in case.tape.leading and node not in ends and type(node) is not Leaf
        }
        if not found:
            raise GradientError(
                "attribute: by='path' needs places that paths go through, and no variable here holds a value on the way; "
                "give through=, a list of tensors, modules or names"
            )
        return found
    if isinstance(through, Tensor | str) or hasattr(through, "named_parameters"):
        through = [through]
    leaves, tree = flatten(through)
    found = {}
    for path, one in zip(tree.paths(), leaves, strict=True):
        nodes, name = _place(case, one, f"through{path}")
        given = label(path).partition(".")[0]
        check_on_the_way(case, nodes, f"through{path}")
        for node in nodes:
            found[node] = name if not given or given.isdigit() else given
    return found


# ---- parts


def _start(case: Case) -> dict[Any, Family]:
    return {node: Family(((),), family.stack) for node, family in case.tape.start().items()}


def _longer(path: Any, place: str) -> Any:
    """A path, from the loss on, that comes to a place; to stay in a place is no step."""
    return path if path is OTHERS or (path and path[-1] == place) else (*path, place)


def _written(path: tuple[str, ...]) -> str:
    """A path in the direction of the computation."""
    return " → ".join(reversed(path)) if path else "direct"


def _place(case: Case, one: Any, what: str) -> tuple[list[Any], str]:
    """The nodes that a tensor, a module or a name stands for, and what to call them."""
    if isinstance(one, Tensor):
        node = node_of(one, what)
        return [node], case.called(node)
    if hasattr(one, "named_parameters"):
        return _of_module(case, one), _module_name(case, one)
    if isinstance(one, str):
        return _of_name(case, one), one
    raise DtypeError(f"attribute: {what} is a {type(one).__name__}; give a tensor, a module or a name")


def _of_name(case: Case, name: str) -> list[Any]:
    nodes = [node for node, known in case.names.items() if known == name and type(node) is not Leaf]
    nodes = [node for node in nodes if node in case.tape.leading] or _in_scope(case, name)
    if not nodes:
        modules = sorted({equation.scope for equation in case.equations.values() if equation.scope})
        known = [*[n for node, n in case.names.items() if node in case.tape.leading], *modules]
        raise GradientError(
            f"attribute: nothing on the way is called {name!r}; there are {', '.join(known[:20]) or 'no names'}. Give the "
            "tensor, or record the computation, with tg.record() as run: ..., for the names of modules"
        )
    return nodes


def _in_scope(case: Case, name: str) -> list[Any]:
    """The nodes that ran inside of a module, by its path or the end of it."""
    wanted = name.replace(".", "/").split("/")

    def inside(scope: str) -> bool:
        parts = scope.replace(".", "/").split("/")
        return any(parts[i : i + len(wanted)] == wanted for i in range(len(parts)))

    return [
        node for node in case.tape.between() if node in case.equations and inside(case.equations[node].scope)
    ]


def _of_module(case: Case, module: Any) -> list[Any]:
    """The nodes of a module: those that ran inside of it, or without a run those that read its parameters."""
    if case.run is not None:
        for outer in case.run.modules:
            for path, part in outer.named_modules():
                if part is module:
                    scope = "/".join(filter(None, [type(outer).__name__, path]))
                    if found := _in_scope(case, scope):
                        return found
    mine = {p._node for p in module.parameters()}
    found = []
    for node in case.tape.order:
        if not mine.isdisjoint(node.edges):
            view = node.prim is PICK or node.prim.kind == "view"
            mine.add(node) if view else found.append(node)
    if not found:
        raise GradientError(
            f"attribute: {type(module).__name__} has no parameters by which its operations would be known; record the "
            "computation, with tg.record() as run: ..., or give the tensor that it returns"
        )
    return found


def _module_name(case: Case, module: Any) -> str:
    for outer in case.run.modules if case.run is not None else ():
        for path, part in outer.named_modules():
            if part is module:
                return path or type(outer).__name__
    return str(case.module_names.get(id(module), type(module).__name__))


def _all_modules(case: Case) -> dict[Any, str]:
    """The nodes that ran inside of a module, by the name of the outermost but one."""
    scopes: Sequence[tuple[Any, str]] = [
        (node, case.equations[node].scope) for node in case.tape.between() if node in case.equations
    ]
    found = {}
    for node, scope in scopes:
        parts = scope.split("/")
        if len(parts) > 1:
            found[node] = parts[1]
    return found
