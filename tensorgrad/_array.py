"""The one table of operators and methods, shared by every kind of value.

`Array` refers to the ops and defines nothing twice: ``x.sin`` is ``tg.sin``. Tensors, dual numbers
and batches inherit it, so code under a transformation sees the same methods.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from . import ops
from ._errors import DtypeError, ShapeError
from ._primitive import Value
from .ops import index as indexing

UFUNCS: dict[Any, Any] = {
    np.add: ops.add,
    np.subtract: ops.subtract,
    np.multiply: ops.multiply,
    np.divide: ops.divide,
    np.power: ops.power,
    np.float_power: ops.power,
    np.negative: ops.negative,
    np.positive: ops.positive,
    np.square: ops.square,
    np.exp: ops.exp,
    np.log: ops.log,
    np.sqrt: ops.sqrt,
    np.sin: ops.sin,
    np.cos: ops.cos,
    np.tanh: ops.tanh,
    np.absolute: ops.abs,
    np.fabs: ops.abs,
    np.sign: ops.sign,
    np.maximum: ops.maximum,
    np.minimum: ops.minimum,
    np.matmul: ops.matmul,
    np.conjugate: ops.conjugate,
    np.equal: ops.equal,
    np.not_equal: ops.not_equal,
    np.less: ops.less,
    np.less_equal: ops.less_equal,
    np.greater: ops.greater,
    np.greater_equal: ops.greater_equal,
    np.logical_not: ops.logical_not,
    np.isfinite: ops.isfinite,
}
"""NumPy's functions that arrive at the same card when an argument is a value of ours."""


class Array(Value):
    """Operators and methods of everything that behaves like an array."""

    __slots__ = ()

    # ---- facts

    @property
    def shape(self) -> tuple[int, ...]:
        """The length of each axis."""
        raise NotImplementedError

    @property
    def dtype(self) -> np.dtype[Any]:
        """The dtype of the elements."""
        raise NotImplementedError

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """The number of elements."""
        return int(np.prod(self.shape, dtype=np.int64))

    @property
    def device(self) -> str:
        """Where the data lies; always ``"cpu"``."""
        return "cpu"

    def __len__(self) -> int:
        if not self.shape:
            raise DtypeError("len: a 0-d tensor has no length; use .item() for its value")
        return self.shape[0]

    def __iter__(self) -> Iterator[Any]:
        if not self.shape:
            raise DtypeError("iteration: a 0-d tensor has no elements to go through; use .item() for its value")
        return (self[i] for i in range(self.shape[0]))

    def __contains__(self, item: Any) -> bool:
        return bool(ops.any(ops.equal(self, item)))

    __hash__ = object.__hash__

    # ---- operators

    __add__ = ops.add
    __sub__ = ops.subtract
    __mul__ = ops.multiply
    __truediv__ = ops.divide
    __matmul__ = ops.matmul
    __neg__ = ops.negative
    __pos__ = ops.positive
    __abs__ = ops.abs
    __lt__ = ops.less
    __le__ = ops.less_equal
    __gt__ = ops.greater
    __ge__ = ops.greater_equal
    __eq__ = ops.equal  # type: ignore[assignment]
    __ne__ = ops.not_equal  # type: ignore[assignment]

    def __radd__(self, other: Any) -> Any:
        return ops.add(other, self)

    def __rsub__(self, other: Any) -> Any:
        return ops.subtract(other, self)

    def __rmul__(self, other: Any) -> Any:
        return ops.multiply(other, self)

    def __rtruediv__(self, other: Any) -> Any:
        return ops.divide(other, self)

    def __rmatmul__(self, other: Any) -> Any:
        return ops.matmul(other, self)

    def __pow__(self, other: Any) -> Any:
        # x ** 2 is much the most frequent power, and its derivative needs no other power.
        return ops.square(self) if type(other) is int and other == 2 else ops.power(self, other)

    def __rpow__(self, other: Any) -> Any:
        return ops.power(other, self)

    def __invert__(self) -> Any:
        if self.dtype != np.bool_:
            raise DtypeError(f"~: a boolean tensor is needed, this one has dtype {self.dtype}")
        return ops.logical_not(self)

    def __and__(self, other: Any) -> Any:
        return ops.logical_and(_boolean("&", self), _boolean("&", other))

    def __or__(self, other: Any) -> Any:
        return ops.logical_or(_boolean("|", self), _boolean("|", other))

    __rand__ = __and__
    __ror__ = __or__

    def __getitem__(self, index: Any) -> Any:
        return indexing.read(self, index)

    # ---- NumPy's protocol

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        op = UFUNCS.get(ufunc)
        if kwargs.get("out") is not None:
            raise DtypeError(
                f"np.{ufunc.__name__}: a tensor cannot be written into an array by out= or by an operator such as "
                "+=; write a = a + t, or use t.numpy() if no gradient is meant"
            )
        if op is None or method != "__call__" or kwargs:
            what = ufunc.__name__ + ("" if method == "__call__" else f".{method}")
            raise DtypeError(
                f"np.{what}({', '.join(kwargs)}) is not defined for tensors; use the function of tensorgrad "
                "that does it, or t.numpy() if no gradient is meant"
            )
        return op(*inputs)

    # ---- methods

    sin = ops.sin
    cos = ops.cos
    tanh = ops.tanh
    exp = ops.exp
    log = ops.log
    sqrt = ops.sqrt
    square = ops.square
    abs = ops.abs
    sign = ops.sign
    relu = ops.relu
    sigmoid = ops.sigmoid
    add = ops.add
    subtract = ops.subtract
    multiply = ops.multiply
    divide = ops.divide
    power = ops.power
    negative = ops.negative
    maximum = ops.maximum
    minimum = ops.minimum
    matmul = ops.matmul
    conj = ops.conjugate
    sum = ops.sum
    max = ops.max
    min = ops.min
    mean = ops.mean
    var = ops.var
    std = ops.std
    any = ops.any
    all = ops.all
    argmax = ops.argmax
    argmin = ops.argmin
    argsort = ops.argsort
    sort = ops.sort
    softmax = ops.softmax
    log_softmax = ops.log_softmax
    logsumexp = ops.logsumexp
    isfinite = ops.isfinite
    astype = ops.astype
    broadcast_to = ops.broadcast_to
    expand_dims = ops.expand_dims
    squeeze = ops.squeeze
    ravel = ops.ravel
    flatten = ops.ravel
    swapaxes = ops.swapaxes
    split = ops.split
    take_along_axis = ops.take_along_axis

    def reshape(self, *shape: Any) -> Any:
        """The elements in another shape: ``x.reshape(2, -1)`` or ``x.reshape((2, -1))``."""
        return ops.reshape(self, shape[0] if len(shape) == 1 else shape)

    def transpose(self, *axes: Any) -> Any:
        """The axes in another order, reversed if none is given."""
        if not axes or axes == (None,):
            return ops.transpose(self)
        return ops.transpose(self, axes[0] if isinstance(axes[0], Sequence) else axes)

    @property
    def T(self) -> Any:
        """The axes in reversed order."""
        return ops.transpose(self)

    @property
    def mT(self) -> Any:
        """The last two axes exchanged."""
        return ops.matrix_transpose(self)

    @property
    def real(self) -> Any:
        """The real part."""
        return ops.real(self) if self.dtype.kind == "c" else self

    @property
    def imag(self) -> Any:
        """The imaginary part."""
        return ops.imag(self)

    def clone(self) -> Any:
        """The same value as a new object; gradients flow through."""
        return ops.positive(self)


def _boolean(operator: str, value: Any) -> Any:
    dtype = value.dtype if hasattr(value, "dtype") else np.asarray(value).dtype
    if dtype != np.bool_:
        raise DtypeError(f"{operator}: boolean operands are needed, one has dtype {dtype}")
    return value


def check_shape(op: str, got: tuple[int, ...], wanted: tuple[int, ...]) -> None:
    """Raise unless a new value has the shape of the tensor that it is written to."""
    if got != wanted:
        raise ShapeError(f"{op}: the value has shape {got} and the tensor {wanted}; a tensor keeps its shape")
