"""Tensors from nothing: filled, counted, and like another."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from . import ops
from ._config import get_default_dtype
from ._data import as_data
from ._errors import GradientError, ShapeError
from ._primitive import Value
from ._specialise import plain
from ._tensor import Tensor, asarray, fresh, tensor, watched

if TYPE_CHECKING:
    from numpy.typing import DTypeLike

Shape = int | Sequence[int]


def zeros(shape: Shape, dtype: DTypeLike | None = None, *, requires_grad: bool = False) -> Tensor:
    """A tensor of zeros.

    Example:
        >>> import tensorgrad as tg
        >>> tg.zeros((2, 2))
        tensor([[0., 0.],
                [0., 0.]])
    """
    _one_shape("zeros", shape, dtype)
    return full(shape, 0, dtype=dtype or get_default_dtype(), requires_grad=requires_grad)


def ones(shape: Shape, dtype: DTypeLike | None = None, *, requires_grad: bool = False) -> Tensor:
    """A tensor of ones."""
    _one_shape("ones", shape, dtype)
    return full(shape, 1, dtype=dtype or get_default_dtype(), requires_grad=requires_grad)


def full(
    shape: Shape, fill_value: Any, dtype: DTypeLike | None = None, *, requires_grad: bool = False
) -> Tensor:
    """A tensor with the same value everywhere; a Python float makes the default float.

    Raises:
        ShapeError: a length is negative.
    """
    value = as_data(fill_value, dtype)
    if value.shape:
        raise ShapeError(f"full: fill_value has shape {value.shape}; one number is needed")
    made = fresh(plain(np.full(checked_shape("full", shape), value, value.dtype)))
    return made.requires_grad_(requires_grad)


def zeros_like(x: Any, dtype: DTypeLike | None = None, *, requires_grad: bool = False) -> Tensor:
    """Zeros of the shape and dtype of ``x``, also inside a transformation: values of it can be written to them.

    Example:
        >>> import numpy as np, tensorgrad as tg
        >>> def shifted(x):
        ...     y = tg.zeros_like(x)
        ...     y[1:] = x[:-1]
        ...     return y
        >>> tg.vmap(shifted)(np.array([[1.0, 2.0], [3.0, 4.0]]))
        array([[0., 1.],
               [0., 3.]])
    """
    return full_like(shaped("zeros_like", x), 0, dtype, requires_grad=requires_grad)


def ones_like(x: Any, dtype: DTypeLike | None = None, *, requires_grad: bool = False) -> Tensor:
    """Ones of the shape and dtype of ``x``."""
    return full_like(shaped("ones_like", x), 1, dtype, requires_grad=requires_grad)


def full_like(
    x: Any, fill_value: Any, dtype: DTypeLike | None = None, *, requires_grad: bool = False
) -> Tensor:
    """One value everywhere, in the shape and dtype of ``x``."""
    x = shaped("full_like", x)
    made = full(x.shape, fill_value, dtype=dtype or x.dtype, requires_grad=requires_grad)
    if not (isinstance(x, Value) and x.level):
        return made
    if requires_grad:
        raise GradientError(
            "requires_grad: gradients of a value inside a transformation (tg.grad, tg.vmap, tg.jvp) come from tg.grad"
        )
    return x._alike(watched(made._d))  # type: ignore[attr-defined,no-any-return]


def empty(shape: Shape, dtype: DTypeLike | None = None, *, requires_grad: bool = False) -> Tensor:
    """A tensor to be filled; its elements are zeros, so that no result depends on what lay in memory."""
    _one_shape("empty", shape, dtype)
    return zeros(shape, dtype=dtype, requires_grad=requires_grad)


def empty_like(x: Any, dtype: DTypeLike | None = None, *, requires_grad: bool = False) -> Tensor:
    """A tensor of the shape and dtype of ``x`` to be filled; its elements are zeros."""
    return zeros_like(x, dtype=dtype, requires_grad=requires_grad)


def identity(n: int, *, dtype: DTypeLike | None = None) -> Tensor:
    """The identity matrix with ``n`` rows."""
    return eye(n, dtype=dtype)


def tri(rows: int, columns: int | None = None, k: int = 0, *, dtype: DTypeLike | None = None) -> Tensor:
    """Ones on the ``k``-th diagonal and below it, zeros above; as many columns as rows, if no others are given.

    Example:
        >>> import tensorgrad as tg
        >>> tg.tri(2)
        tensor([[1., 0.],
                [1., 1.]])
    """
    checked_shape("tri", (rows, rows if columns is None else columns))
    return fresh(np.tri(rows, columns, k, dtype=dtype or get_default_dtype()))


def eye(
    n_rows: int,
    n_cols: int | None = None,
    *,
    k: int = 0,
    dtype: DTypeLike | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """Ones on the ``k``-th diagonal, zeros elsewhere."""
    checked_shape("eye", (n_rows, n_rows if n_cols is None else n_cols))
    return fresh(np.eye(n_rows, n_cols, k, dtype or get_default_dtype())).requires_grad_(requires_grad)


def arange(
    start: Any,
    stop: Any = None,
    step: Any = 1,
    *,
    dtype: DTypeLike | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """Numbers from ``start`` up to, but not including, ``stop``; with one argument, from 0 up to it.

    Example:
        >>> import tensorgrad as tg
        >>> tg.arange(3)
        tensor([0, 1, 2])
    """
    if stop is None:
        start, stop = 0, start
    if not step or not all(
        isinstance(one, int | float | np.number) and one == one for one in (start, stop, step)
    ):
        raise ShapeError(
            f"arange: start {start}, stop {stop}, step {step}; numbers are needed, and a step other than 0"
        )
    if dtype is None and any(type(one) is float for one in (start, stop, step)):
        typed = [one.dtype for one in (start, stop, step) if isinstance(one, np.floating)]
        dtype = np.result_type(*typed) if typed else get_default_dtype()
    counted: Any = np.arange
    return fresh(counted(start, stop, step, dtype)).requires_grad_(requires_grad)


def linspace(
    start: Any,
    stop: Any,
    num: int = 50,
    *,
    endpoint: bool = True,
    axis: int = 0,
    dtype: DTypeLike | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """``num`` evenly spaced numbers from ``start`` to ``stop``, differentiable in both.

    Args:
        start: the first number, or an array or tensor of them.
        stop: the last number, likewise.
        num: how many, 0 or more.
        endpoint: whether the last number is ``stop``, or the one a step before it.
        axis: where the numbers lie in the result, if ``start`` and ``stop`` have axes.
        dtype: of the elements, by default that of ``start`` and ``stop``, or the default float.
        requires_grad: whether gradients flow to the result, if it is a leaf.

    Raises:
        ShapeError: ``num`` is negative.

    Example:
        >>> import tensorgrad as tg
        >>> tg.linspace(0, 1, 5)
        tensor([0.  , 0.25, 0.5 , 0.75, 1.  ])
    """
    if not isinstance(num, int | np.integer) or num < 0:
        raise ShapeError(f"linspace: num is {num}; a count of 0 or more is needed")
    if all(isinstance(one, int | float | np.number) for one in (start, stop)):
        own = [one.dtype for one in (start, stop) if isinstance(one, np.inexact)]
        chosen = np.dtype(dtype or (np.result_type(*own) if own else get_default_dtype()))
        made = fresh(np.linspace(start, stop, num, endpoint=endpoint, dtype=chosen))
    else:
        made = _between(start, stop, num, endpoint, axis, dtype)
    return made.requires_grad_() if requires_grad else made


def _between(start: Any, stop: Any, num: int, endpoint: bool, axis: int, dtype: DTypeLike | None) -> Tensor:
    ends = [one if isinstance(one, Value) else tensor(one) for one in (start, stop)]
    if dtype is None:
        own = [one.dtype for one in ends if one.dtype.kind in "fc"]
        dtype = np.result_type(*own) if own else get_default_dtype()
    start, stop = [ops.astype(one, dtype) for one in ends]
    ramp = np.linspace(0, 1, num, endpoint=endpoint, dtype=start.dtype)
    rank = len(np.broadcast_shapes(start.shape, stop.shape))
    spaced = ops.lerp(start, stop, ramp.reshape((num, *[1] * rank)))
    return ops.moveaxis(spaced, 0, axis)  # type: ignore[no-any-return]


def logspace(
    start: Any,
    stop: Any,
    num: int = 50,
    *,
    endpoint: bool = True,
    base: float = 10.0,
    dtype: DTypeLike | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """``base`` to the power of ``num`` evenly spaced numbers from ``start`` to ``stop``.

    Example:
        >>> import tensorgrad as tg
        >>> tg.logspace(0, 2, 3)
        tensor([  1.,  10., 100.])
    """
    made = ops.power(base, linspace(start, stop, num, endpoint=endpoint, dtype=dtype))
    return made.requires_grad_() if requires_grad else made  # type: ignore[no-any-return]


def geomspace(
    start: Any,
    stop: Any,
    num: int = 50,
    *,
    endpoint: bool = True,
    dtype: DTypeLike | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """``num`` numbers from ``start`` to ``stop``, each the same multiple of the one before.

    Complex numbers lie on a spiral, the shorter way around 0. Of tensors and arrays with different signs, or
    0, the result is NaN.

    Raises:
        ShapeError: an end is 0, or they have different signs, and both are numbers.

    Example:
        >>> import tensorgrad as tg
        >>> tg.geomspace(1, 8, 4)
        tensor([1., 2., 4., 8.])
    """
    if all(isinstance(one, int | float | np.number) for one in (start, stop)):
        if not start * stop > 0:
            raise ShapeError(
                f"geomspace: from {start} to {stop}; both ends must have the same sign, and not be 0"
            )
        chosen = np.dtype(dtype or get_default_dtype())
        made = fresh(np.geomspace(start, stop, num, endpoint=endpoint, dtype=chosen))
    else:
        start, stop = [one if isinstance(one, Value) else tensor(one) for one in (start, stop)]
        turned = ops.sign(start)  # what is left without it is positive at the start: the rest is its power
        first, last = ops.log(ops.abs(start)), ops.log(ops.divide(stop, turned))
        made = ops.multiply(turned, ops.exp(linspace(first, last, num, endpoint=endpoint, dtype=dtype)))
    return made.requires_grad_() if requires_grad else made


def from_numpy(array: np.ndarray[Any, Any]) -> Tensor:
    """A tensor that shares memory with an array: what is written to one shows in the other.

    Raises:
        ValueError: memory cannot be shared, since the array has no axis or another byte order.
    """
    return asarray(array, copy=False)


def from_dlpack(x: Any, /, *, copy: bool | None = None) -> Tensor:
    """A tensor of the array of another library, which need not know of this one.

    Args:
        x: anything on the CPU with ``__dlpack__``, such as an array of PyTorch or JAX.
        copy: False shares memory, with what either library writes to it later. Otherwise it is copied.

    Example:
        >>> import numpy as np
        >>> import tensorgrad as tg
        >>> tg.from_dlpack(np.ones(2, "float32"))
        tensor([1., 1.])
    """
    return asarray(np.from_dlpack(x), copy=copy)


# ---- windows for signals


def bartlett(n: int, *, dtype: DTypeLike | None = None) -> Tensor:
    """Bartlett's window of ``n`` points: a triangle that is 0 at both ends."""
    return _window("bartlett", np.bartlett, n, dtype)


def blackman(n: int, *, dtype: DTypeLike | None = None) -> Tensor:
    """Blackman's window of ``n`` points: a constant and two cosines."""
    return _window("blackman", np.blackman, n, dtype)


def hamming(n: int, *, dtype: DTypeLike | None = None) -> Tensor:
    """Hamming's window of ``n`` points: a raised cosine that ends above 0."""
    return _window("hamming", np.hamming, n, dtype)


def hanning(n: int, *, dtype: DTypeLike | None = None) -> Tensor:
    """Hann's window of ``n`` points: a raised cosine that ends at 0."""
    return _window("hanning", np.hanning, n, dtype)


def kaiser(n: int, beta: float, *, dtype: DTypeLike | None = None) -> Tensor:
    """Kaiser's window of ``n`` points; a larger ``beta`` makes it narrower."""
    return _window("kaiser", lambda count: np.kaiser(count, beta), n, dtype)


def _window(op: str, shape: Any, n: int, dtype: DTypeLike | None) -> Tensor:
    (n,) = checked_shape(op, n)
    return fresh(shape(n).astype(dtype or get_default_dtype()))


# ---- helpers


def _one_shape(op: str, shape: Any, dtype: Any) -> None:
    """Lengths one by one, as PyTorch takes them, would come as the dtype."""
    if isinstance(dtype, int | np.integer) and not isinstance(dtype, bool):
        raise ShapeError(f"{op}: the lengths are one argument, a tuple: {op}(({shape}, {dtype}))")


def checked_shape(op: str, shape: Shape) -> tuple[int, ...]:
    """A shape as a tuple of lengths, or an error that names the op."""
    if isinstance(shape, np.ndarray) and shape.ndim:
        shape = tuple(shape)
    lengths = (shape,) if not isinstance(shape, Sequence) or isinstance(shape, str) else tuple(shape)
    lengths = tuple([operator.index(n) if isinstance(n, Value) else n for n in lengths])
    if not all(hasattr(n, "__index__") and n >= 0 for n in lengths):
        raise ShapeError(
            f"{op}: shape {shape!r}; one length or a sequence of lengths is needed, each 0 or more"
        )
    return tuple([int(n) for n in lengths])


def shaped(op: str, x: Any) -> Any:
    """``x`` if it has a shape and a dtype, or an error that names the op."""
    if not hasattr(x, "shape") or not hasattr(x, "dtype"):
        raise ShapeError(f"{op}: a {type(x).__name__} has no shape and dtype; give an array or a tensor")
    return x
