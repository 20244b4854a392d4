"""Batches as values: many examples in one, and how an op is applied to them."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any, NoReturn

import numpy as np

from .. import ops
from .._array import check_become
from .._errors import DtypeError, LoopWarning, ShapeError, TraceError
from .._primitive import Primitive
from .._specialise import SCALARS
from .._where import user_frame
from .inside import Inside
from .jvp import apply

looped: dict[str, int] = {}
"""How often each op was run example by example because it has no batching rule."""


class Batched(Inside):
    """Many examples in one value, along its first axis, which the program does not see."""

    __slots__ = ("batch", "level")
    level: float
    many = True

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

    @property
    def under(self) -> Any:
        """The batch, with its axis in front."""
        return self.batch

    def _alike(self, data: Any) -> Any:
        return Batched(ops.broadcast_to(data, (self.batch.shape[0], *data.shape)), self.level)

    def __repr__(self) -> str:
        return f"Batched({self.batch!r}, level={self.level:g})"

    def __bool__(self) -> bool:
        raise TraceError(
            "bool: under vmap a value stands for many examples, which may decide differently; use "
            "tg.where(condition, a, b) instead of if, and & | ~ instead of and, or, not"
        )

    def _leave(self, how: str) -> NoReturn:
        raise DtypeError(
            f"{how}: under vmap a value stands for many examples, and has no numbers that Python or NumPy could use; "
            "compute with tensors, return it from the function to look at it, and give what is the same for all examples "
            "an axis of None in in_axes"
        )

    def _become(self, new: Any, how: str) -> Batched:
        check_become(self, new, how)
        own = isinstance(new, Batched) and new.level == self.level
        data = new.batch if own else ops.broadcast_to(new, self.batch.shape)
        self.batch = data if data.dtype == self.dtype else ops.astype(data, self.dtype)
        return self

    def process(self, primitive: Primitive, args: tuple[Any, ...], params: tuple[Any, ...]) -> Any:
        """Apply an op to values of this level."""
        named = dict(zip(primitive.params, params, strict=True)) if params else {}
        if primitive.composite is not None:
            return primitive.composite(*args, **named)
        level, batched, data = self.level, [], []
        for arg in args:
            own = type(arg) is Batched and arg.level == level
            batched.append(own)
            data.append(arg.batch if own else arg)
        y = None
        if primitive.broadcasts and primitive.kind != "bilinear":
            y = primitive.op(*(data if len(data) == 1 else align(data, batched)), **named)
        elif primitive.batch is not None:
            size = self.batch.shape[0]
            y = primitive.batch(size, batched, data, **named)
            if not primitive.trusted and y is not None:
                check_batch(primitive, size, y)
        if y is None:
            y = one_by_one(primitive, self.batch.shape[0], batched, data, params)
        return tuple([Batched(part, level) for part in y]) if primitive.several else Batched(y, level)


def way_of(card: Primitive) -> str:
    """How ``vmap`` runs an op: where its batching comes from.

    Returns:
        ``"kind"`` where it follows from that of the card, ``"rule"`` for a rule of its own, ``"composite"`` for a
        fused op, ``"draw"`` for one without inputs, ``"loop"`` where the examples run one by one.
    """
    if card.composite is not None:
        return "composite"
    if card.broadcasts and card.kind != "bilinear":
        return "kind"
    if not card.inputs:
        return "draw"
    return "loop" if card.batch is None else "rule"


def check_batch(card: Primitive, size: int, y: Any) -> None:
    """Check that a user's batching rule put the batch axis first in each result."""
    for part in y if isinstance(y, tuple) else (y,):
        shape = getattr(part, "shape", None)
        if not shape or shape[0] != size:
            raise ShapeError(
                f"{card.name}: the batching rule returned shape {shape} for a batch of {size}; the first axis must be "
                "that of the batch"
            )


def align(data: list[Any], batched: Sequence[bool]) -> list[Any]:
    """Put axes of length 1 behind the batch axis, so that examples of different rank broadcast."""
    ranks = [
        (0 if type(d) in SCALARS else len(d.shape) if hasattr(d, "shape") else np.ndim(d)) - own
        for d, own in zip(data, batched, strict=True)
    ]
    rank = max(ranks)
    for i, own in enumerate(batched):
        if own and ranks[i] < rank:
            shape = data[i].shape
            data[i] = ops.reshape(data[i], (shape[0], *[1] * (rank - ranks[i]), *shape[1:]))
    return data


def one_by_one(
    card: Primitive, size: int, batched: Sequence[bool], data: Sequence[Any], params: Sequence[Any]
) -> Any:
    """Apply an op to each example and stack the results: always right, and slow, which is said once."""
    way_out = f"write @{card.name}.batching beside the op: rule(size, batched, args, **parameters), the batch axis in front"
    if size == 0:
        raise ShapeError(f"vmap: {card.name} has no batching rule, so the batch must not be empty; {way_out}")
    looped[card.name] = looped.get(card.name, 0) + 1
    if looped[card.name] == 1:
        _warn(
            f"vmap: {card.name} has no batching rule, so its examples run one by one, which is slow; {way_out}"
        )
    results = [
        apply(card, [d[i] if own else d for d, own in zip(data, batched, strict=True)], params)
        for i in range(size)
    ]
    many = [r if card.several else (r,) for r in results]
    if any(len({part.shape for part in parts}) > 1 for parts in zip(*many, strict=True)):
        raise ShapeError(
            f"vmap: {card.name} gives results of different shapes for the examples, which no batch can hold; pad them "
            "to one shape, or loop over the examples in Python"
        )
    stacked = tuple([ops.stack(parts) for parts in zip(*many, strict=True)])
    return stacked if card.several else stacked[0]


def _warn(text: str) -> None:
    """Warn with the user's own line as the place."""
    frame = user_frame()
    place = ("<unknown>", 0) if frame is None else (frame.f_code.co_filename, frame.f_lineno)
    warnings.warn_explicit(text, LoopWarning, *place)
