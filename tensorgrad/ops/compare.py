"""Comparisons, logic and positions: ops without derivatives."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Concatenate

import numpy as np

from .._primitive import Op, P, constant, declare
from .shape import normalise_axes, normalise_axis


def each(forward: Callable[Concatenate[Any, P], Any]) -> Op[P]:
    """Declare an op without derivatives that works on each element, inputs broadcast together."""
    return declare(forward, "constant", broadcasts=True)


@each
def equal(a: Any, b: Any, /) -> Any:
    """Whether the elements of each pair are equal."""
    return np.equal(a, b)


@each
def not_equal(a: Any, b: Any, /) -> Any:
    """Whether the elements of each pair differ."""
    return np.not_equal(a, b)


@each
def less(a: Any, b: Any, /) -> Any:
    """Whether ``a < b``, element by element."""
    return np.less(a, b)


@each
def less_equal(a: Any, b: Any, /) -> Any:
    """Whether ``a <= b``, element by element."""
    return np.less_equal(a, b)


@each
def greater(a: Any, b: Any, /) -> Any:
    """Whether ``a > b``, element by element."""
    return np.greater(a, b)


@each
def greater_equal(a: Any, b: Any, /) -> Any:
    """Whether ``a >= b``, element by element."""
    return np.greater_equal(a, b)


@each
def logical_not(x: Any, /) -> Any:
    """Whether each element is zero or false."""
    return np.logical_not(x)


@each
def logical_and(a: Any, b: Any, /) -> Any:
    """Whether both elements of each pair are true."""
    return np.logical_and(a, b)


@each
def logical_or(a: Any, b: Any, /) -> Any:
    """Whether one element of each pair, or both, is true."""
    return np.logical_or(a, b)


@each
def isfinite(x: Any, /) -> Any:
    """Whether each element is neither infinite nor NaN."""
    return np.isfinite(x)


@constant
def argmax(x: Any, /, axis: int | None = None, keepdims: bool = False) -> Any:
    """Position of the largest element along an axis, the first one where several are equal."""
    return np.argmax(x, axis=axis, keepdims=keepdims)


@constant
def argmin(x: Any, /, axis: int | None = None, keepdims: bool = False) -> Any:
    """Position of the smallest element along an axis, the first one where several are equal."""
    return np.argmin(x, axis=axis, keepdims=keepdims)


@constant
def argsort(x: Any, /, axis: int = -1, descending: bool = False) -> Any:
    """The positions that sort ``x`` along an axis; equal elements keep their order."""
    if not descending:
        return np.argsort(x, axis=axis, kind="stable")
    # Sorting the reversed array and reversing the answer keeps the order of equal elements.
    found = np.flip(np.argsort(np.flip(x, axis), axis=axis, kind="stable"), axis)
    return x.shape[axis] - 1 - found


@constant
def any(x: Any, /, axis: Any = None, keepdims: bool = False) -> Any:
    """Whether some element along the axes is true."""
    return np.any(x, axis=axis, keepdims=keepdims)


@constant
def all(x: Any, /, axis: Any = None, keepdims: bool = False) -> Any:
    """Whether every element along the axes is true."""
    return np.all(x, axis=axis, keepdims=keepdims)


# ---- batching


def _batch_positions(op: Any) -> Any:
    def rule(size: int, batched: Any, args: Any, axis: int | None, keepdims: bool) -> Any:
        (x,) = args
        if axis is not None:
            return op(x, normalise_axis(op.card.name, axis, x.ndim - 1) + 1, keepdims)
        found = op(x.reshape((size, int(np.prod(x.shape[1:])))), 1)
        return found.reshape((size, *[1] * (x.ndim - 1))) if keepdims else found

    return rule


def _batch_axes(op: Any) -> Any:
    def rule(size: int, batched: Any, args: Any, axis: Any, keepdims: bool) -> Any:
        axes = normalise_axes(op.card.name, axis, args[0].ndim - 1)
        return op(args[0], tuple([a + 1 for a in axes]), keepdims)

    return rule


for _op in (argmax, argmin):
    _op.batching(_batch_positions(_op))
for _op in (any, all):
    _op.batching(_batch_axes(_op))


@argsort.batching
def _argsort_batch(size: int, batched: Any, args: Any, axis: int, descending: bool) -> Any:
    return argsort(args[0], normalise_axis("argsort", axis, args[0].ndim - 1) + 1, descending)
