"""The graph of a result, read off its tape."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .._errors import NoGraphError
from .._specialise import ARRAYS
from .._tape import PICK, Leaf, collect
from .._tensor import Tensor
from .._tree import flatten
from .._writer import saved_names
from .builder import Applied, Builder, Missing, measure, without_collector
from .graph import Graph


def of_tape(results: Any, *, names: dict[Any, str] | None = None, values: int = 64) -> Graph:
    """The differentiable operations that led to a result, while its graph is there.

    Args:
        results: a tensor, or a nested container of tensors.
        names: labels by node; see `tensorgrad.ir.recorder.named`.
        values: keep all entries of arrays of at most this size.

    Returns:
        Its graph. A tape keeps what pullbacks need and no more: an input through which no gradient flows may be
        missing (role ``"unknown"``), and statistics are those of values that were kept.

    Raises:
        NoGraphError: the results have no history, or a backward pass has freed it.

    Example:
        >>> import tensorgrad as tg
        >>> w = tg.tensor([1.0, 2.0], requires_grad=True)
        >>> print(of_tape((w * w).sum(), names={w._node: "w"}))
        program():
          captured %0 w: float32[2]
          %1: float32[2] = multiply(%0, %0)
          %2: float32[] = sum(%1)
          return %2
    """
    tensors = [x for x in flatten(results)[0] if isinstance(x, Tensor)]
    roots = [x for x in tensors if x._node is not None and not x.level]
    if not roots:
        raise NoGraphError(
            "graph: the result has no history: none of its inputs requires a gradient, or it was computed under "
            "no_grad; give requires_grad=True, or record the computation: with tg.record() as run: ..."
        )
    try:
        order, _ = collect(dict.fromkeys([x._node for x in roots]))
    except NoGraphError:
        raise NoGraphError(
            "graph: a backward pass has freed the history of the result; look before it, pass retain_graph=True "
            "to it, or record the computation: with tg.record() as run: ..."
        ) from None
    builder = Builder(names or {}, measure(values))
    with without_collector():
        for event in events(order, {x._node: x._d for x in roots}):
            builder.apply(event)
        return builder.graph(outputs=[builder.input(x._d, x._node) for x in roots])[0]


def events(order: Sequence[Any], known: dict[Any, Any] | None = None) -> list[Applied]:
    """The operations of nodes, oldest first, with the data that the nodes saved.

    Args:
        order: the nodes.
        known: data of some of them.
    """
    data: dict[Any, Any] = dict(known or {})
    saved = {node: dict(zip(saved_names(node.prim), node.saved, strict=True)) for node in order}
    picks: dict[Any, dict[int, Any]] = {}
    dtypes: dict[Any, str] = {}
    for node in order:
        if node.prim is PICK:
            picks.setdefault(node.edges[0], {})[saved[node]["index"]] = node
            continue
        if type(saved[node].get("y")) in ARRAYS:
            data.setdefault(node, saved[node]["y"])
        for i, edge in enumerate(node.edges):
            value, _, dtype = _input(node, saved[node], i)
            if edge is not None and type(value) in ARRAYS:
                data.setdefault(edge, value)
            elif edge is not None and dtype:
                dtypes.setdefault(edge, dtype)
    found = []
    for node in order:
        if node.prim is PICK:
            continue
        inputs = []
        for i, edge in enumerate(node.edges):
            value, shape, dtype = _input(node, saved[node], i)
            if edge is not None:
                value = data.get(edge, value)
                shape = tuple(edge.shape)
                dtype = _dtype(edge, data, dtypes)
            inputs.append(value if type(value) in ARRAYS else Missing(shape, dtype))
        found.append(
            Applied(
                getattr(node.prim, "card", node.prim),  # that of a twin (see `_zeros`)
                tuple(inputs),
                tuple(node.edges),
                tuple([saved[node][name] for name in node.prim.params]),
                _results(node, saved[node], picks.get(node, {}), data, dtypes),
                node,
                node.saved,
            )
        )
    return found


def label(path: str) -> str:
    """A path as people write it: ``layers.0.w`` for ``['layers'][0].w``."""
    return path.replace("['", ".").replace("']", "").replace("[", ".").replace("]", "").lstrip(".")


# ---- helpers


def _input(node: Any, saved: dict[str, Any], i: int) -> tuple[Any, tuple[int, ...], str]:
    """What a node knows of an input: its data or None, its shape, its dtype or an empty string."""
    card = node.prim
    last = len(card.inputs) - 1
    name, part = card.input_of(i), i - last if card.variadic and i >= last else None

    def of(what: str) -> Any:
        value = saved.get(what)
        return value[part] if value is not None and part is not None else value

    value, shape, dtype = of(name), of(f"{name}_shape"), of(f"{name}_dtype")
    if type(value) in ARRAYS:
        return value, tuple(value.shape), str(value.dtype)
    return None, tuple(shape or ()), str(dtype) if dtype is not None and shape is not None else ""


def _dtype(edge: Any, data: dict[Any, Any], dtypes: dict[Any, str]) -> str:
    if edge in data:
        return str(data[edge].dtype)
    return str(edge.dtype) if type(edge) is Leaf else dtypes.get(edge, "")


def _results(
    node: Any, saved: dict[str, Any], picked: dict[int, Any], data: dict[Any, Any], dtypes: dict[Any, str]
) -> tuple[tuple[Any, Any], ...]:
    if node.prim.several:
        return tuple([
            (data.get(picked.get(i), Missing(tuple(shape), str(dtype))), picked.get(i))
            for i, (shape, dtype) in enumerate(saved["outputs_"])
        ])  # fmt: skip
    if node not in data and node not in dtypes:  # an op keeps the dtype of what gradients flow to
        target = saved.get("dtype") if node.prim.name == "cast" else None
        inherited = [_dtype(edge, data, dtypes) for edge in node.edges if edge is not None]
        dtypes[node] = str(np.dtype(target)) if target is not None else next(filter(None, inherited), "")
    return ((data.get(node, Missing(tuple(node.shape), dtypes.get(node, ""))), node),)
