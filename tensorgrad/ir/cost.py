"""What an operation costs, from the shapes of what goes in and comes out."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from math import prod
from typing import Any

import numpy as np

from .._config import no_grad
from .._tensor import wrap
from .._watch import Watcher, watching


def flops_of(primitive: Any, args: Sequence[Any], params: Sequence[Any], result: Any) -> int:
    """The arithmetic of one operation: additions, multiplications and functions of elements.

    Args:
        primitive: the card.
        args: the inputs, or whatever has their ``shape`` and ``dtype``.
        params: its parameters, in the order of the card.
        result: the result, or a tuple of results.

    Returns:
        A multiplication and an addition count as two, a function of an element as one, and views and
        copies as nothing. A fused op counts what its composite does.
    """
    if primitive.composite is not None:
        shapes = tuple([(tuple(getattr(a, "shape", ())), str(getattr(a, "dtype", "float32"))) for a in args])
        try:
            return _of_composite(primitive.composite, primitive.params, shapes, tuple(params))
        except TypeError:  # a parameter without a hash
            return _of_composite.__wrapped__(primitive.composite, primitive.params, shapes, tuple(params))
    results = result if isinstance(result, tuple) else (result,)
    made = sum(_size(one) for one in results)
    if primitive.kind == "view":
        return 0
    if primitive.name == "matmul":
        return 2 * made * int(args[0].shape[-1])
    if primitive.name == "einsum":
        letters = params[0].split("->")[0].replace(",", "")
        lengths = [n for one in args for n in one.shape]
        return len(args) * prod(dict(zip(letters, lengths, strict=True)).values())
    if primitive.name == "correlation":
        return 2 * made * int(prod(args[1].shape[1:]))
    if primitive.name in ("correlation_spread", "correlation_filters"):
        return 2 * _size(args[0]) * int(prod(args[1].shape[1:]))
    if primitive.kind == "linear":  # sums, and copies that compute nothing
        return sum(_size(one) for one in args) if made < sum(_size(one) for one in args) else 0
    return max(made, *[_size(one) for one in args]) if args else made


class _Counter(Watcher):
    """Adds up what it is shown."""

    def __init__(self) -> None:
        self.total = 0

    def op(self, primitive: Any, args: Any, params: Any, result: Any, seconds: float) -> None:
        self.total += flops_of(primitive, args, params, result)


@lru_cache(maxsize=256)
def _of_composite(composite: Any, names: Any, shapes: Any, params: Any) -> int:
    """Run a composite on zeros of these shapes, and count."""
    counter = _Counter()
    args = [wrap(np.zeros(shape, dtype), None) for shape, dtype in shapes]
    with no_grad(), np.errstate(all="ignore"), watching(counter, alone=True):
        composite(*args, **dict(zip(names, params, strict=True)))
    return counter.total


def _size(value: Any) -> int:
    return prod(getattr(value, "shape", (1,)))
