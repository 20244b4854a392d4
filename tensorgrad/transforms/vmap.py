"""Batching: run a function written for one example on many at once."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .. import ops
from .._array import Array, check_become
from .._data import as_data
from .._errors import ShapeError, TraceError
from .._levels import new_level
from .._primitive import Primitive, Value
from .._tensor import watched
from .._tree import Tree, flatten, unflatten
from .jvp import apply

looped: dict[str, int] = {}
"""How often each op was run example by example because it has no batching rule."""


def vmap(f: Callable[..., Any], in_axes: Any = 0, out_axes: Any = 0) -> Callable[..., Any]:
    """The function that applies ``f`` to each example of a batch, all at once.

    Args:
        f: written for one example.
        in_axes: the batch axis of the arguments: one for all, or a tuple with one for each, which may
            go on into containers; None for what all examples share.
        out_axes: where to put the batch axis in the results, likewise; None for a result that is the
            same for all examples.

    Random draws, such as the mask of dropout, are made once and are the same for all examples; pass what should
    differ as an argument with a batch axis.

    Raises:
        ShapeError: the batch axes have different lengths, or there is none.

    Example:
        >>> import numpy as np, tensorgrad as tg
        >>> x = np.array([[1.0, 2.0], [3.0, 4.0]])
        >>> tg.vmap(tg.grad(lambda row: (row ** 2).sum()))(x)
        array([[2., 4.],
               [6., 8.]])
    """

    @functools.wraps(f)
    def batched(*args: Any, **kwargs: Any) -> Any:
        leaves, tree = flatten(args)
        axes = spread_axes(tuple(in_axes) if isinstance(in_axes, list) else in_axes, tree, "in_axes")
        values = [leaf if isinstance(leaf, Value) or axis is None else as_data(leaf, copy=True)
                  for leaf, axis in zip(leaves, axes, strict=True)]  # fmt: skip
        size = _batch_size(values, axes, tree)
        with new_level() as level:
            examples = [
                value if axis is None else Batched(_to_front(watched(value), axis), level)
                for value, axis in zip(values, axes, strict=True)
            ]
            results, result_tree = flatten(f(*unflatten(tree, examples), **kwargs))
            places = spread_axes(
                tuple(out_axes) if isinstance(out_axes, list) else out_axes, result_tree, "out_axes"
            )
            found = [_unbatch(r, size, place, level) for r, place in zip(results, places, strict=True)]
        return unflatten(result_tree, found)

    return batched


class Batched(Array):
    """Many examples in one value, along its first axis, which the program does not see."""

    __slots__ = ("batch", "level")
    level: float

    def __init__(self, batch: Any, level: float) -> None:
        self.batch = batch
        self.level = level

    @property
    def shape(self) -> tuple[int, ...]:
        """The length of each axis, as the program sees it."""
        return self.batch.shape[1:]  # type: ignore[no-any-return]

    @property
    def dtype(self) -> np.dtype[Any]:
        """The dtype of the elements."""
        return self.batch.dtype  # type: ignore[no-any-return]

    def __repr__(self) -> str:
        return f"Batched({self.batch!r}, level={self.level:g})"

    def __bool__(self) -> bool:
        raise TraceError(
            "bool: under vmap a value stands for many examples, which may decide differently; "
            "use tg.where(condition, a, b) instead of if"
        )

    def _become(self, new: Any, how: str) -> Batched:
        check_become(self, new, how)
        own = isinstance(new, Batched) and new.level == self.level
        self.batch = new.batch if own else ops.broadcast_to(new, self.batch.shape)
        return self

    def process(self, primitive: Primitive, args: tuple[Any, ...], params: tuple[Any, ...]) -> Any:
        """Apply an op to values of this level."""
        if primitive.composite is not None:
            return primitive.composite(*args, **dict(zip(primitive.params, params, strict=True)))
        level, size = self.level, self.batch.shape[0]
        batched = tuple([isinstance(arg, Batched) and arg.level == level for arg in args])
        data = [arg.batch if own else arg for arg, own in zip(args, batched, strict=True)]
        y = None
        if primitive.broadcasts and primitive.kind != "bilinear":
            y = apply(primitive, align(data, batched), params)
        elif primitive.batch is not None:
            y = primitive.batch(size, batched, data, **dict(zip(primitive.params, params, strict=True)))
            if not primitive.trusted and y is not None:
                check_batch(primitive, size, y)
        if y is None:
            looped[primitive.name] = looped.get(primitive.name, 0) + 1
            y = one_by_one(primitive, size, batched, data, params)
        return tuple([Batched(part, level) for part in y]) if primitive.several else Batched(y, level)


def check_batch(card: Primitive, size: int, y: Any) -> None:
    """Check that a user's batching rule put the batch axis first in each result."""
    for part in y if isinstance(y, tuple) else (y,):
        shape = getattr(part, "shape", None)
        if not shape or shape[0] != size:
            raise ShapeError(
                f"{card.name}: the batching rule returned shape {shape} for a batch of {size}; the first axis must be "
                "that of the batch"
            )


def align(data: Sequence[Any], batched: Sequence[bool]) -> list[Any]:
    """Put axes of length 1 behind the batch axis, so that examples of different rank broadcast."""
    rank = max(
        np.ndim(d) if not hasattr(d, "ndim") else d.ndim - own for d, own in zip(data, batched, strict=True)
    )
    return [
        ops.reshape(d, (d.shape[0], *[1] * (rank - d.ndim + 1), *d.shape[1:]))
        if own and d.ndim - 1 < rank
        else d
        for d, own in zip(data, batched, strict=True)
    ]


def one_by_one(
    card: Primitive, size: int, batched: Sequence[bool], data: Sequence[Any], params: Sequence[Any]
) -> Any:
    """Apply an op to each example and stack the results: always right, and slow."""
    if size == 0:
        raise ShapeError(f"vmap: {card.name} has no batching rule, so the batch must not be empty")
    results = [
        apply(card, [d[i] if own else d for d, own in zip(data, batched, strict=True)], params)
        for i in range(size)
    ]
    if card.several:
        return tuple([ops.stack(parts) for parts in zip(*results, strict=True)])
    return ops.stack(results)


def spread_axes(axes: Any, tree: Tree, what: str) -> list[int | None]:
    """One axis for each leaf of ``tree``: ``axes`` may stop at any depth, and then counts for all below."""
    if axes is None or isinstance(axes, int):
        return [axes] * tree.size
    keys = (
        tuple(axes)
        if isinstance(axes, dict)
        else range(len(axes))
        if isinstance(axes, tuple | list)
        else None
    )
    if keys is None or tree.kind is None or set(keys) != set(tree.keys):
        raise ShapeError(
            f"vmap: {what} is {axes!r}, which does not fit a container with the entries {list(tree.keys)}; give an "
            "integer or None for each, or one for all"
        )
    return [
        axis
        for key, child in zip(tree.keys, tree.children, strict=True)
        for axis in spread_axes(axes[key], child, what)
    ]


def _batch_size(values: Sequence[Any], axes: Sequence[int | None], tree: Tree) -> int:
    sizes: dict[int, str] = {}
    for value, axis, path in zip(values, axes, tree.paths(), strict=True):
        if axis is None:
            continue
        if not -value.ndim <= axis < value.ndim:
            raise ShapeError(f"vmap: argument {path} has shape {value.shape}, so it has no axis {axis}")
        sizes.setdefault(value.shape[axis], path)
    if len(sizes) != 1:
        found = ", ".join(f"{n} in argument {path}" for n, path in sizes.items()) or "none"
        raise ShapeError(f"vmap: the batch axes must have one length; found {found}")
    return next(iter(sizes))


def _to_front(leaf: Any, axis: int) -> Any:
    return leaf if axis % leaf.ndim == 0 else ops.moveaxis(leaf, axis, 0)


def _unbatch(result: Any, size: int, place: int | None, level: int) -> Any:
    if not isinstance(result, Batched) or result.level != level:
        value = result if isinstance(result, Value) else as_data(result)
        if place is None:
            return value
        batch = ops.broadcast_to(value, (size, *value.shape))
    elif place is None:
        raise ShapeError(
            "vmap: out_axes is None for a result that differs between the examples; give it an axis"
        )
    else:
        batch = result.batch
    return batch if place == 0 else ops.moveaxis(batch, 0, place)
