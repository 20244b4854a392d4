"""Comparisons, logic and positions: ops without derivatives."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Concatenate

import numpy as np

from .._primitive import Op, P, constant, declare
from .dtype import imag
from .shape import lifted, reduced_axes, reshape


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


def logical_xor(a: Any, b: Any, /) -> Any:
    """Whether just one element of each pair is true."""
    return not_equal(logical_not(a), logical_not(b))


@each
def isfinite(x: Any, /) -> Any:
    """Whether each element is neither infinite nor NaN."""
    return np.isfinite(x)


@each
def isclose(a: Any, b: Any, /, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> Any:
    """Whether ``abs(a - b) <= atol + rtol * abs(b)``, element by element; infinities are near their equals.

    Args:
        a: an array or tensor.
        b: what it is compared with; the tolerance follows its size.
        rtol: the part of ``abs(b)`` that the distance may have.
        atol: what it may have beside that; the default is too coarse for numbers that are very small.
        equal_nan: whether a NaN is near a NaN.
    """
    with np.errstate(over="ignore"):  # a distance beyond all numbers is no near one
        return np.isclose(a, b, rtol, atol, equal_nan)


def allclose(a: Any, b: Any, /, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> Any:
    """Whether all elements are near each other, as `isclose` has it.

    Example:
        >>> import tensorgrad as tg
        >>> bool(tg.allclose(tg.tensor([1.0, 2.0]), [1.0, 2.00001]))
        True
    """
    return all(isclose(a, b, rtol, atol, equal_nan))


def array_equal(a: Any, b: Any, /, *, equal_nan: bool = False) -> Any:
    """Whether two arrays have the same shape and the same elements.

    Args:
        a: an array or tensor.
        b: another one.
        equal_nan: whether a NaN equals a NaN.

    Example:
        >>> import tensorgrad as tg
        >>> bool(tg.array_equal(tg.ones(2), tg.ones((2, 1))))
        False
    """
    a, b = lifted("array_equal", a), lifted("array_equal", b)
    if a.shape != b.shape:
        return _false(a, b)
    same = equal(a, b)
    if equal_nan:
        same = logical_or(same, logical_and(not_equal(a, a), not_equal(b, b)))
    return all(same)


def array_equiv(a: Any, b: Any, /) -> Any:
    """Whether two arrays have the same elements in the shape that they broadcast to together.

    Example:
        >>> import tensorgrad as tg
        >>> bool(tg.array_equiv(tg.ones(2), tg.ones((3, 2))))
        True
    """
    a, b = lifted("array_equiv", a), lifted("array_equiv", b)
    try:
        np.broadcast_shapes(a.shape, b.shape)
    except ValueError:
        return _false(a, b)
    return all(equal(a, b))


# ---- kinds of numbers


def isreal(x: Any, /) -> Any:
    """Whether the imaginary part of each element is 0."""
    return equal(imag(x), 0)


def iscomplex(x: Any, /) -> Any:
    """Whether the imaginary part of each element is not 0."""
    return not_equal(imag(x), 0)


# ---- positions


@constant
def argmax(x: Any, /, axis: int | None = None, keepdims: bool = False) -> Any:
    """Position of the largest element along an axis, the first one where several are equal."""
    return np.argmax(x, axis=axis, keepdims=keepdims)


@constant
def argmin(x: Any, /, axis: int | None = None, keepdims: bool = False) -> Any:
    """Position of the smallest element along an axis, the first one where several are equal."""
    return np.argmin(x, axis=axis, keepdims=keepdims)


@constant
def argsort(x: Any, /, axis: int | None = -1, descending: bool = False, stable: bool = True) -> Any:
    """The positions that sort ``x`` along an axis, all in one row for None; equal elements keep their order.

    They keep it also where ``stable=False`` allows them not to.
    """
    if not descending:
        return np.argsort(x, axis=axis, kind="stable")
    if axis is None:
        x, axis = x.reshape(-1), 0
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
        axes = None if axis is None else reduced_axes(op.card.name, axis, x.ndim - 1)
        if axes:
            return op(x, axes[0] + 1, keepdims)
        found = op(x.reshape((size, int(np.prod(x.shape[1:])))), 1)
        return found.reshape((size, *[1] * (x.ndim - 1))) if keepdims else found

    return rule


def _batch_axes(op: Any) -> Any:
    def rule(size: int, batched: Any, args: Any, axis: Any, keepdims: bool) -> Any:
        axes = reduced_axes(op.card.name, axis, args[0].ndim - 1)
        return op(args[0], tuple([a + 1 for a in axes]), keepdims)

    return rule


for _op in (argmax, argmin):
    _op.batching(_batch_positions(_op))
for _op in (any, all):
    _op.batching(_batch_axes(_op))


@argsort.batching
def _argsort_batch(size: int, batched: Any, args: Any, axis: Any, descending: bool, stable: bool) -> Any:
    axes = None if axis is None else reduced_axes("argsort", axis, args[0].ndim - 1)
    if axes:
        return argsort(args[0], axes[0] + 1, descending)
    return argsort(args[0].reshape((size, int(np.prod(args[0].shape[1:])))), 1, descending)


# ---- helpers


def _false(a: Any, b: Any) -> Any:
    """False, as a value of the kind that a comparison of the two gives."""
    nothing = [reshape(one, (one.size,))[:0] for one in (a, b)]
    return logical_not(all(equal(*nothing)))
