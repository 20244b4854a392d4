"""Tensors from nothing: filled, counted, and like another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ._config import get_default_dtype
from ._data import as_data
from ._errors import ShapeError
from ._specialise import plain
from ._tensor import Tensor, fresh

if TYPE_CHECKING:
    from numpy.typing import DTypeLike

Shape = int | Sequence[int]


def zeros(shape: Shape, *, dtype: DTypeLike | None = None, requires_grad: bool = False) -> Tensor:
    """A tensor of zeros.

    Example:
        >>> import tensorgrad as tg
        >>> tg.zeros((2, 2))
        tensor([[0., 0.],
                [0., 0.]])
    """
    return full(shape, 0, dtype=dtype or get_default_dtype(), requires_grad=requires_grad)


def ones(shape: Shape, *, dtype: DTypeLike | None = None, requires_grad: bool = False) -> Tensor:
    """A tensor of ones."""
    return full(shape, 1, dtype=dtype or get_default_dtype(), requires_grad=requires_grad)


def full(
    shape: Shape, fill_value: Any, *, dtype: DTypeLike | None = None, requires_grad: bool = False
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


def zeros_like(x: Any, *, dtype: DTypeLike | None = None, requires_grad: bool = False) -> Tensor:
    """Zeros of the shape and dtype of ``x``."""
    x = _shaped("zeros_like", x)
    return zeros(x.shape, dtype=dtype or x.dtype, requires_grad=requires_grad)


def ones_like(x: Any, *, dtype: DTypeLike | None = None, requires_grad: bool = False) -> Tensor:
    """Ones of the shape and dtype of ``x``."""
    x = _shaped("ones_like", x)
    return ones(x.shape, dtype=dtype or x.dtype, requires_grad=requires_grad)


def full_like(
    x: Any, fill_value: Any, *, dtype: DTypeLike | None = None, requires_grad: bool = False
) -> Tensor:
    """One value everywhere, in the shape and dtype of ``x``."""
    x = _shaped("full_like", x)
    return full(x.shape, fill_value, dtype=dtype or x.dtype, requires_grad=requires_grad)


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
    start: float,
    stop: float | None = None,
    step: float = 1,
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
    if dtype is None and any(isinstance(one, float) for one in (start, stop, step)):
        dtype = get_default_dtype()
    counted: Any = np.arange
    return fresh(counted(start, stop, step, dtype)).requires_grad_(requires_grad)


def linspace(
    start: float,
    stop: float,
    num: int,
    *,
    endpoint: bool = True,
    dtype: DTypeLike | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """``num`` evenly spaced numbers from ``start`` to ``stop``."""
    if not isinstance(num, int | np.integer) or num < 0:
        raise ShapeError(f"linspace: num is {num}; a count of 0 or more is needed")
    chosen = np.dtype(dtype or get_default_dtype())
    return fresh(np.linspace(start, stop, num, endpoint=endpoint, dtype=chosen)).requires_grad_(requires_grad)


def checked_shape(op: str, shape: Shape) -> tuple[int, ...]:
    """A shape as a tuple of lengths, or an error that names the op."""
    if isinstance(shape, np.ndarray) and shape.ndim:
        shape = tuple(shape)
    lengths = (shape,) if not isinstance(shape, Sequence) or isinstance(shape, str) else tuple(shape)
    if not all(hasattr(n, "__index__") and n >= 0 for n in lengths):
        raise ShapeError(
            f"{op}: shape {shape!r}; one length or a sequence of lengths is needed, each 0 or more"
        )
    return tuple([int(n) for n in lengths])


def _shaped(op: str, x: Any) -> Any:
    if not hasattr(x, "shape") or not hasattr(x, "dtype"):
        raise ShapeError(f"{op}: a {type(x).__name__} has no shape and dtype; give an array or a tensor")
    return x
