"""Nested containers: lists, tuples, named tuples, dicts and dataclasses of values.

`flatten` takes a container apart into its leaves and a description; `unflatten` puts leaves into
the same shape again. What is not a container is a leaf; ``None`` is an empty container.
"""

from __future__ import annotations

import dataclasses
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from ._errors import ShapeError


@dataclass(frozen=True)
class Tree:
    """The shape of a nested container, without its leaves.

    ``keys`` are the dict keys, field names or positions of the children; a leaf has ``kind`` None.
    """

    kind: type | None
    keys: tuple[Any, ...] = ()
    children: tuple[Tree, ...] = ()

    @property
    def size(self) -> int:
        """The number of leaves."""
        return 1 if self.kind is None else sum(child.size for child in self.children)

    def paths(self, prefix: str = "") -> list[str]:
        """A readable path for each leaf, such as ``['layers'][0].weight``."""
        if self.kind is None:
            return [prefix]
        return [
            path
            for key, child in zip(self.keys, self.children, strict=True)
            for path in child.paths(prefix + _step(self.kind, key))
        ]


LEAF = Tree(None)


def flatten(value: Any) -> tuple[list[Any], Tree]:
    """Take ``value`` apart: its leaves in order, and its shape.

    Example:
        >>> leaves, tree = flatten({"w": 1.0, "layers": [2.0, (3.0,)]})
        >>> leaves
        [1.0, 2.0, 3.0]
        >>> unflatten(tree, [10, 20, 30])
        {'w': 10, 'layers': [20, (30,)]}
    """
    leaves: list[Any] = []
    return leaves, _flatten_into(leaves, value)


def unflatten(tree: Tree, leaves: Iterable[Any]) -> Any:
    """Put ``leaves`` into the shape ``tree``; the reverse of `flatten`."""
    return _build(tree, iter(leaves))


def flatten_like(tree: Tree, value: Any, what: str) -> list[Any]:
    """The leaves of ``value`` in the order of ``tree``, whose structure it must have.

    Entries of dictionaries are found by their keys, in whatever order they stand.
    """
    if tree.kind is None:
        leaves, found = flatten(value)
        if found.kind is not None:
            raise ShapeError(f"{what}: a {found.kind.__name__} stands where there was a single value")
        return leaves
    children = _children(value)
    if children is None or set(children) != set(tree.keys):
        given = type(value).__name__ if children is None else list(children)
        raise ShapeError(f"{what}: the same structure is needed, entries {list(tree.keys)}, {given} given")
    pairs = zip(tree.keys, tree.children, strict=True)
    return [leaf for key, child in pairs for leaf in flatten_like(child, children[key], what)]


def map_leaves(function: Callable[..., Any], value: Any, *others: Any, what: str = "containers") -> Any:
    """Apply ``function`` to each leaf of ``value``, and to the leaves beside it in ``others``."""
    leaves, tree = flatten(value)
    columns = [leaves, *[flatten_like(tree, other, what) for other in others]]
    return unflatten(tree, [function(*row) for row in zip(*columns, strict=True)])


def _children(value: Any) -> dict[Any, Any] | None:
    """The entries of a container by key, or None for a leaf."""
    if value is None:
        return {}
    if isinstance(value, dict):
        return dict(value)
    if isinstance(value, tuple | list):
        return dict(enumerate(value))
    if hasattr(
        type(value), "__dataclass_fields__"
    ):  # as `dataclasses.is_dataclass`, which costs ten times as much
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    return None


def _flatten_into(leaves: list[Any], value: Any) -> Tree:
    children = _children(value)
    if children is None:
        leaves.append(value)
        return LEAF
    # Other dictionaries are built in ways of their own, and come back as plain ones.
    kind = dict if isinstance(value, dict) and type(value) is not OrderedDict else type(value)
    return Tree(kind, tuple(children), tuple([_flatten_into(leaves, child) for child in children.values()]))


def _build(tree: Tree, leaves: Iterator[Any]) -> Any:
    kind: Any = tree.kind
    if kind is None:
        return next(leaves)
    if kind is type(None):
        return None
    items = [_build(child, leaves) for child in tree.children]
    if issubclass(kind, dict):
        return kind(zip(tree.keys, items, strict=True))
    if dataclasses.is_dataclass(kind):
        # Not by calling the class: a field may be init=False, and __post_init__ may refuse leaves
        # that are tangents, batches or gradients of what it expects.
        made_of: Any = kind
        made = object.__new__(made_of)
        for name, item in zip(tree.keys, items, strict=True):
            object.__setattr__(made, name, item)
        return made
    return kind(*items) if hasattr(kind, "_fields") else kind(items)


def _step(kind: type, key: Any) -> str:
    return f".{key}" if dataclasses.is_dataclass(kind) else f"[{key!r}]"
