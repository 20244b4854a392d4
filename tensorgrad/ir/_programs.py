"""What makes a graph that was read a program again: its cards, its values, the structure of its arguments.

Nothing that a file names is imported. An op is looked up by its name among the library's own cards, and only if
the file says that it was the library's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from pkgutil import walk_packages

from .._primitive import Primitive, registry
from .._tensor import Tensor
from .._tree import LEAF, Tree
from ._values import (
    DEEPEST,
    Node,
    Refused,
    decoded,
    encoded,
    field,
    is_data,
    object_of,
    pair_of,
    short,
    string,
    tuple_of,
)
from .graph import Equation, Graph


def program_node(graph: Graph, equations: list[Node], values: Mapping[int, Node]) -> Node:
    """The structure of arguments and results, if the graph can be run when it is read; else None."""
    whole = all(is_data(node.get("params")) for node in equations) and graph.values.keys() == values.keys()
    trees = [_write_tree(tree) for tree in (graph.input_tree, graph.result_tree)]
    if not whole or None in trees or not all(node.get("library") for node in equations) or cannot_run(graph):
        return None
    return dict(zip(("arguments", "results"), trees, strict=True))


def cannot_run(graph: Graph) -> str:
    """Why a graph that should be a program is none, or the empty string."""
    if (inputs := graph.input_tree.size) != len(graph.inputs):
        return f"there are {len(graph.inputs)} inputs, and arguments for {inputs}"
    if (outputs := graph.result_tree.size) != len(graph.outputs):
        return f"there are {len(graph.outputs)} outputs, and results for {outputs}"
    if missing := [var for var in (*graph.captured, *graph.constants) if var.index not in graph.values]:
        return f"the value of variable {missing[0].index} is missing"
    targets = [write.target for write in graph.writes]
    if fixed := [var for var in targets if not isinstance(graph.values.get(var.index), Tensor)]:
        return f"variable {fixed[0].index} is written to and no tensor"
    return ""


def card_for(equation: Equation) -> Primitive | None:
    """The library's card of that name, if the equation fits it; an older or newer version may have another."""
    if equation.op not in registry:
        _load_all_cards()
    card = registry.get(equation.op)
    if card is None or not set(equation.params) <= set(card.params):
        return None
    given, listed = len(equation.inputs), card.variadic
    fits = given >= len(card.inputs) - 1 if listed else given == len(card.inputs)
    return card if fits and (card.several or len(equation.outputs) == 1) else None


def _load_all_cards() -> None:
    from .. import ops

    for module in walk_packages(ops.__path__, f"{ops.__name__}."):
        import_module(module.name)


def _write_tree(tree: Tree | None, depth: int = 0) -> Node:
    """A structure; a named tuple is written as a tuple, and a data class as a dict of its fields."""
    if tree is None or depth > DEEPEST:
        return None
    if tree.kind is None:
        return {"kind": "leaf"}
    if tree.kind is type(None):
        return {"kind": "none"}
    items = [_write_tree(child, depth + 1) for child in tree.children]
    if None in items:
        return None
    if issubclass(tree.kind, list | tuple):
        return {"kind": "list" if issubclass(tree.kind, list) else "tuple", "items": items}
    keys = [encoded(key, 0) for key in tree.keys]
    return (
        {"kind": "dict", "items": [list(pair) for pair in zip(keys, items, strict=True)]}
        if is_data(keys)
        else None
    )


def program_of(node: Node) -> tuple[Tree, Tree]:
    return field(object_of(node), "arguments", _read_tree), field(node, "results", _read_tree)


def _read_tree(node: Node, depth: int = 0) -> Tree:
    kind = field(object_of(node), "kind", string)
    if kind in ("leaf", "none"):
        return LEAF if kind == "leaf" else Tree(type(None))
    if depth > DEEPEST or kind not in ("list", "tuple", "dict"):
        raise Refused(f"{short(kind)} is no structure of arguments, or they are nested too deeply")
    inner: Callable[[Node], Tree] = lambda one: _read_tree(one, depth + 1)
    if kind == "dict":
        pairs = field(node, "items", tuple_of(pair_of(decoded, inner)))
        return Tree(dict, tuple([key for key, _ in pairs]), tuple([child for _, child in pairs]))
    children = field(node, "items", tuple_of(inner))
    return Tree(list if kind == "list" else tuple, tuple(range(len(children))), children)
