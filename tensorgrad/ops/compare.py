"""Comparisons, logic and positions: ops without derivatives."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._primitive import constant


@constant
def equal(a: Any, b: Any, /) -> Any:
    """Whether the elements of each pair are equal."""
    return np.equal(a, b)


@constant
def not_equal(a: Any, b: Any, /) -> Any:
    """Whether the elements of each pair differ."""
    return np.not_equal(a, b)


@constant
def less(a: Any, b: Any, /) -> Any:
    """Whether ``a < b``, element by element."""
    return np.less(a, b)


@constant
def less_equal(a: Any, b: Any, /) -> Any:
    """Whether ``a <= b``, element by element."""
    return np.less_equal(a, b)


@constant
def greater(a: Any, b: Any, /) -> Any:
    """Whether ``a > b``, element by element."""
    return np.greater(a, b)


@constant
def greater_equal(a: Any, b: Any, /) -> Any:
    """Whether ``a >= b``, element by element."""
    return np.greater_equal(a, b)


@constant
def logical_not(x: Any, /) -> Any:
    """Whether each element is zero or false."""
    return np.logical_not(x)


@constant
def logical_and(a: Any, b: Any, /) -> Any:
    """Whether both elements of each pair are true."""
    return np.logical_and(a, b)


@constant
def logical_or(a: Any, b: Any, /) -> Any:
    """Whether one element of each pair, or both, is true."""
    return np.logical_or(a, b)


@constant
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
