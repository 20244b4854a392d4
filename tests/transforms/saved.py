"""How many bytes of arrays a graph keeps."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from tensorgrad._primitive import Value
from tensorgrad._tape import Leaf


def saved_bytes(*results: Any) -> int:
    """The bytes of all arrays that the nodes of ``results`` save, each counted once."""
    todo = [node for one in results for node in _nodes(one)]
    seen, found = set(todo), {}
    for node in todo:
        for array in _arrays(node.saved):
            while array.base is not None and isinstance(array.base, np.ndarray):
                array = array.base
            found[id(array)] = array.nbytes
        todo += [
            edge for edge in node.edges if edge is not None and type(edge) is not Leaf and edge not in seen
        ]
        seen.update(node.edges)
    return sum(found.values())


def _nodes(value: Any) -> list[Any]:
    return [value._node] if getattr(value, "_node", None) is not None else []


def _arrays(value: Any) -> Iterator[np.ndarray[Any, Any]]:
    if isinstance(value, np.ndarray) and value.ndim:
        yield value
    elif isinstance(value, tuple | list):
        for one in value:
            yield from _arrays(one)
    elif isinstance(value, Value):
        inside = [name for name in ("batch", "primal", "tangent") if hasattr(value, name)]
        for name in inside or ["_d"]:
            yield from _arrays(getattr(value, name))
    elif hasattr(value, "given"):  # what a checkpointed call keeps
        yield from _arrays([*value.given, *[held.data for _, held in value.touched.tensors.values()]])
