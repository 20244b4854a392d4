"""Parts that stand in one row each: the pullback of one row instead of the whole batch.

The cotangent that belongs to sample i is zero in all rows but the i-th. An operation that treats rows alone keeps it so,
and needs only row i of what it saved: it is pulled back as if it had run on a batch of one, for all samples side by
side. So the work is that of one backward pass, not of one for each sample. What is not known to treat rows alone gets
the whole cotangent, zeros and all, which is always right.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import transforms
from .._specialise import ARRAYS
from .._tape import Parts
from .._tensor import Tensor
from .._writer import saved_names


@dataclass(frozen=True, slots=True)
class Shaped:
    """Stands for an edge where only its shape is asked for."""

    shape: tuple[int, ...]


def spread_rows(stack: Any, rows: Sequence[int], shape: Any) -> Any:
    """The parts in full: zeros but for one row of each.

    Args:
        stack: of shape (parts, 1, ...), or `Parts` of such.
        rows: in which row each part stands.
        shape: of the value; of each result, for `Parts`.
    """
    if type(stack) is Parts:
        return Parts({i: spread_rows(one, rows, shape[i]) for i, one in stack.parts.items()})
    made = np.zeros((len(rows), *shape), stack.dtype)
    made[np.arange(len(rows)), list(rows)] = stack[:, 0]
    return made


def pulled_rows(
    node: Any, stack: Any, rows: Sequence[int], edges: tuple[Any, ...]
) -> list[tuple[Any, bool] | None] | None:
    """What an operation that treats rows alone sends to its inputs.

    Returns:
        For each edge its stack, and whether it stands in rows; None if the operation is not known to do so.
    """
    card = node.prim
    saved = dict(zip(saved_names(card), node.saved, strict=True))
    length = node.shape[0][0] if card.several else node.shape[0] if node.shape else 0
    alone = _rowwise(node, saved, length)
    if not alone:
        return None
    chosen = list(rows)
    arrays: list[Any] = []
    template: list[Any] = []

    def hold(value: Any) -> Any:
        """A place in the arguments of vmap for the rows of an array."""
        arrays.append(np.asarray(value)[chosen][:, None])
        return _Held(len(arrays) - 1)

    last = len(card.inputs) - 1
    for name, value in saved.items():
        base, _, what = name.rpartition("_")
        if name in card.inputs:
            i = card.inputs.index(name)
            if card.variadic and i == last:
                mine = [k for k, one in enumerate(value) if i + k in alone and _is_data(one)]
                template.append([hold(one) if k in mine else one for k, one in enumerate(value)])
            else:
                template.append(hold(value) if i in alone and _is_data(value) else value)
        elif name == "y":
            several_kept = isinstance(value, tuple)
            template.append([hold(one) for one in value] if several_kept else hold(value))
        elif name == "outputs_":
            template.append(tuple([((1, *shape[1:]), dtype) for shape, dtype in value]))
        elif (
            what == "shape"
            and base in card.inputs
            and not (card.variadic and card.inputs.index(base) == last)
        ):
            template.append((1, *value[1:]) if card.inputs.index(base) in alone else value)
        else:
            template.append(value)
    shown = tuple([
        None if edge is None else Shaped((1, *edge.shape[1:])) if i in alone else edge
        for i, edge in enumerate(edges)
    ])  # fmt: skip
    shape = tuple([(1, *one[1:]) for one in node.shape]) if card.several else (1, *node.shape[1:])
    places: list[int] = []
    several = type(stack) is Parts

    def pull(parts: dict[int, Any], held: list[Any]) -> list[Any]:
        def filled(value: Any) -> Any:
            if isinstance(
                value, list
            ):  # only those that are made here: a parameter may be a tuple of its own kind
                return tuple([filled(one) for one in value])
            return held[value.place] if isinstance(value, _Held) else value

        results = card.pullback(Parts(parts) if several else parts[0], shown, filled(template), shape)
        places[:] = [i for i, c in enumerate(results) if c is not None and edges[i] is not None]
        return [results[i] for i in places]

    made = transforms.vmap(pull)(stack.parts if several else {0: stack}, arrays)
    found: list[tuple[Any, bool] | None] = [None] * len(edges)
    for i, one in zip(places, made, strict=True):
        found[i] = np.asarray(one._d if isinstance(one, Tensor) else one), i in alone
    return found


# ---- what is known of operations


ALWAYS = frozenset({"gelu", "correlation"})
ALONG_AN_AXIS = frozenset({
    "cumulative_sum", "log_softmax", "logsumexp", "max", "min", "prod", "softmax", "split", "sum",
    "window_max", "window_sum",
})  # fmt: skip
"""Those whose rows are alone if the axis is not the first."""


@dataclass(frozen=True, slots=True)
class _Held:
    place: int


def _rowwise(node: Any, saved: dict[str, Any], length: int) -> frozenset[int]:
    """The inputs whose rows are those of the result, each by itself; empty if that is not known."""
    card, name = node.prim, node.prim.name
    shapes = [_shape(node, saved, i) for i in range(len(node.edges))]
    rows = {i for i, shape in enumerate(shapes) if shape and shape[0] == length}
    if not length or not card.trusted:
        return frozenset()
    if card.kind == "elementwise":
        rank = len(node.shape)
        return frozenset([i for i in rows if len(shapes[i] or ()) == rank])
    first, second, *_ = [shape or () for shape in (*shapes, None)]
    if name == "softmax_cross_entropy":
        return frozenset(range(len(node.edges)))
    if 0 not in rows:
        return frozenset()
    if name == "matmul" and len(first) == len(second) > 2:
        return frozenset([0, 1]) if 1 in rows else frozenset()
    if name == "attention":
        alike = rows >= {0, 1, 2} and len(first) > 2 and len(node.edges) == 3
        return frozenset([0, 1, 2]) if alike else frozenset()
    return frozenset([0]) if _keeps_rows(name, saved, first, second) else frozenset()


def _keeps_rows(name: str, saved: dict[str, Any], first: tuple[int, ...], second: tuple[int, ...]) -> bool:
    """Whether each row of the result is made of that row of the first input."""
    rank = len(first)
    if name in ALWAYS:
        return True
    if name in ALONG_AN_AXIS:
        axis = saved["axis"]
        axes = axis if isinstance(axis, tuple) else (axis,)
        return all(type(one) is int and one % rank > 0 for one in axes)
    if name == "matmul":
        return rank > 1 and len(second) in (1, 2)
    if name == "linear":
        return rank > 1
    if name == "row_norm":
        return bool(rank > saved["rank"])
    if name == "permute_dims":
        return bool(saved["axes"][0] == 0)
    if name == "getitem":
        index = saved["index"]
        whole = isinstance(index, tuple) and bool(index) and index[0] == slice(None)
        return whole and all(type(one) in (int, slice) for one in index)
    return name == "reshape" and math.prod(first) > 0


def _shape(node: Any, saved: dict[str, Any], i: int) -> tuple[int, ...] | None:
    """The shape of an input, None if the tape has not kept it."""
    if node.edges[i] is not None:
        return tuple(node.edges[i].shape)
    card = node.prim
    last = len(card.inputs) - 1
    value = saved.get(card.input_of(i))
    if card.variadic and i >= last and value is not None:
        value = value[i - last]
    return tuple(value.shape) if value is not None and _is_data(value) else None


def _is_data(value: Any) -> bool:
    return type(value) in ARRAYS
