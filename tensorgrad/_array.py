"""The one table of operators and methods, shared by every kind of value.

`Array` refers to the ops and defines nothing twice: ``x.sin`` is ``tg.sin``. Tensors, dual numbers
and batches inherit it, so code under a transformation sees the same methods.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator, Sequence
from types import MethodType
from typing import TYPE_CHECKING, Any

import numpy as np

from . import ops
from ._data import read_only
from ._errors import DtypeError, GradientError, ShapeError
from ._names import missing
from ._primitive import Op, Value
from ._tree import flatten, map_leaves
from ._ufuncs import UFUNCS
from .ops import index as indexing

if TYPE_CHECKING:
    from numpy.typing import DTypeLike


class Array(Value):
    """Operators and methods of everything that behaves like an array."""

    __slots__ = ()

    # ---- facts

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """The number of elements."""
        return math.prod(self.shape)

    @property
    def device(self) -> str:
        """Where the data lies; always ``"cpu"``."""
        return "cpu"

    @property
    def requires_grad(self) -> bool:
        """Whether gradients flow to this value by ``backward``; never to a value of a transformation."""
        return False

    @property
    def grad(self) -> Any:
        """The gradient that ``backward`` left here; a value of a transformation has none."""
        return None

    def backward(self, grad: Any = None, retain_graph: bool = False) -> None:
        """Refused inside a transformation; see `Tensor.backward`."""
        raise GradientError("backward: inside a transformation (tg.grad, tg.vmap, tg.jvp) use tg.grad")

    def __len__(self) -> int:
        if not self.shape:
            raise DtypeError("len: a 0-d tensor has no length; use .item() for its value")
        return self.shape[0]

    def __iter__(self) -> Iterator[Any]:
        if not self.shape:
            raise DtypeError(
                "iteration: a 0-d tensor has no elements to go through; use .item() for its value"
            )
        return (self[i] for i in range(self.shape[0]))

    def __contains__(self, item: Any) -> bool:
        return _comparable(item) and bool(ops.any(ops.equal(self, item)))

    __hash__ = object.__hash__

    if not TYPE_CHECKING:  # to a type checker, an attribute that is not declared is not there

        def __getattr__(self, name: str) -> Any:
            if name in ops.LATE:
                return MethodType(getattr(ops, name), self)
            raise missing(f"{type(self).__name__!r} object", name, dir(self))

        def __dir__(self) -> list[str]:
            return sorted({*dir(type(self)), *ops.LATE})

    # ---- operators

    __add__: Op[[Any]] = ops.add
    __sub__: Op[[Any]] = ops.subtract
    __mul__: Op[[Any]] = ops.multiply
    __truediv__: Op[[Any]] = ops.divide
    __floordiv__: Op[[Any]] = ops.floor_divide
    __mod__: Op[[Any]] = ops.remainder
    __matmul__: Op[[Any]] = ops.matmul
    __neg__: Op[[]] = ops.negative
    __pos__: Op[[]] = ops.positive
    __abs__: Op[[]] = ops.abs
    __lt__: Op[[Any]] = ops.less
    __le__: Op[[Any]] = ops.less_equal
    __gt__: Op[[Any]] = ops.greater
    __ge__: Op[[Any]] = ops.greater_equal
    __invert__: Op[[]] = ops.bitwise_invert
    __and__: Op[[Any]] = ops.bitwise_and
    __or__: Op[[Any]] = ops.bitwise_or
    __xor__: Op[[Any]] = ops.bitwise_xor
    __lshift__: Op[[Any]] = ops.bitwise_left_shift
    __rshift__: Op[[Any]] = ops.bitwise_right_shift

    def __eq__(self, other: Any) -> Any:
        return ops.equal(self, other) if _comparable(other) else NotImplemented

    def __ne__(self, other: Any) -> Any:
        return ops.not_equal(self, other) if _comparable(other) else NotImplemented

    def __radd__(self, other: Any) -> Any:
        return ops.add(other, self)

    def __rsub__(self, other: Any) -> Any:
        return ops.subtract(other, self)

    def __rmul__(self, other: Any) -> Any:
        return ops.multiply(other, self)

    def __rtruediv__(self, other: Any) -> Any:
        return ops.divide(other, self)

    def __rfloordiv__(self, other: Any) -> Any:
        return ops.floor_divide(other, self)

    def __rmod__(self, other: Any) -> Any:
        return ops.remainder(other, self)

    def __divmod__(self, other: Any) -> Any:
        return ops.divmod(self, other)

    def __rdivmod__(self, other: Any) -> Any:
        return ops.divmod(other, self)

    def __rmatmul__(self, other: Any) -> Any:
        return ops.matmul(other, self)

    def __pow__(self, other: Any) -> Any:
        # x ** 2 is much the most frequent power, and its derivative needs no other power.
        return ops.square(self) if type(other) is int and other == 2 else ops.power(self, other)

    def __rpow__(self, other: Any) -> Any:
        return ops.power(other, self)

    def __rand__(self, other: Any) -> Any:
        return ops.bitwise_and(other, self)

    def __ror__(self, other: Any) -> Any:
        return ops.bitwise_or(other, self)

    def __rxor__(self, other: Any) -> Any:
        return ops.bitwise_xor(other, self)

    def __rlshift__(self, other: Any) -> Any:
        return ops.bitwise_left_shift(other, self)

    def __rrshift__(self, other: Any) -> Any:
        return ops.bitwise_right_shift(other, self)

    def __getitem__(self, index: Any) -> Any:
        return indexing.read(self, index)

    def __setitem__(self, index: Any, value: Any) -> None:
        self._become(indexing.written(self, value, index), "[...] =")

    def __iadd__(self, other: Any) -> Any:
        return self._become(ops.add(self, other), "+=")

    def __isub__(self, other: Any) -> Any:
        return self._become(ops.subtract(self, other), "-=")

    def __imul__(self, other: Any) -> Any:
        return self._become(ops.multiply(self, other), "*=")

    def __itruediv__(self, other: Any) -> Any:
        return self._become(ops.divide(self, other), "/=")

    def __ifloordiv__(self, other: Any) -> Any:
        return self._become(ops.floor_divide(self, other), "//=")

    def __imod__(self, other: Any) -> Any:
        return self._become(ops.remainder(self, other), "%=")

    def __iand__(self, other: Any) -> Any:
        return self._become(ops.bitwise_and(self, other), "&=")

    def __ior__(self, other: Any) -> Any:
        return self._become(ops.bitwise_or(self, other), "|=")

    def __ixor__(self, other: Any) -> Any:
        return self._become(ops.bitwise_xor(self, other), "^=")

    def __ilshift__(self, other: Any) -> Any:
        return self._become(ops.bitwise_left_shift(self, other), "<<=")

    def __irshift__(self, other: Any) -> Any:
        return self._become(ops.bitwise_right_shift(self, other), ">>=")

    def __ipow__(self, other: Any) -> Any:
        return self._become(self**other, "**=")

    def __imatmul__(self, other: Any) -> Any:
        return self._become(ops.matmul(self, other), "@=")

    def _alike(self, data: Any) -> Any:
        """Plain data as a value of the same transformation: what can be written to there."""
        return data

    def _become(self, new: Any, how: str) -> Any:
        """Give this object the value of ``new``; each kind of value says how."""
        raise NotImplementedError

    # ---- leaving the library: plain data for Python and NumPy

    def numpy(self) -> np.ndarray[Any, Any]:
        """The elements as a read-only array that shares memory with this tensor."""
        return read_only(np.asarray(self._leave("numpy()")))  # type: ignore[no-any-return]

    def item(self) -> Any:
        """The only element, as a Python number.

        Raises:
            ShapeError: there is not exactly one.
        """
        data = self._leave("item()")
        if data.size != 1:
            raise ShapeError(f"item: the tensor has shape {self.shape}; one element is needed, see .tolist()")
        return data.item()

    def tolist(self) -> Any:
        """The elements as nested lists of Python numbers."""
        return self._leave("tolist()").tolist()

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> np.ndarray[Any, Any]:
        data = np.asarray(self._leave("np.asarray"))
        if dtype is not None and data.dtype != np.dtype(dtype):
            if copy is False:
                raise ValueError(f"np.asarray: {data.dtype} cannot become {np.dtype(dtype)} without a copy")
            return data.astype(dtype)
        return data.copy() if copy else read_only(data)

    def _number(self, how: str) -> Any:
        data = self._leave(how)
        if data.size != 1:
            raise ShapeError(
                f"{how}: the tensor has shape {self.shape}; one element is needed, for several see .all() and .any()"
            )
        return data.item()

    def __bool__(self) -> bool:
        return bool(self._number("bool"))

    def __float__(self) -> float:
        return float(self._number("float"))

    def __int__(self) -> int:
        return int(self._number("int"))

    def __complex__(self) -> complex:
        return complex(self._number("complex"))

    def __index__(self) -> int:
        if self.dtype.kind not in "iu" or self.shape:
            raise DtypeError(f"index: a 0-d integer tensor is needed, this is {self.dtype} {self.shape}")
        return int(self._number("index"))

    def __round__(self, digits: int | None = None) -> Any:
        return round(self._number("round"), digits)

    def __format__(self, spec: str) -> str:
        if not spec or self.shape or self.level:
            return str(self) if not spec else self._format_each(spec)
        return format(self._leave("format").item(), spec)

    def _format_each(self, spec: str) -> str:
        return np.array2string(
            np.asarray(self._leave("format")), separator=", ", formatter={"all": lambda v: format(v, spec)}
        )

    def _leave(self, how: str) -> Any:
        """The plain data, for use outside. A value inside a transformation has none."""
        raise DtypeError(
            f"{how}: a value inside a transformation (tg.grad, tg.vmap, tg.jvp) stands for more than one number; "
            "compute with tensors there, and look at what the transformation returns"
        )

    # ---- NumPy's protocol

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        op = UFUNCS.get(ufunc)
        if kwargs.get("out") is not None:
            raise DtypeError(
                f"np.{ufunc.__name__}: a tensor cannot be written into an array by out= or by an operator "
                "such as +=; write a = a + t, or use t.numpy() if no gradient is meant"
            )
        if op is None or method != "__call__" or kwargs:
            what = ufunc.__name__ + ("" if method == "__call__" else f".{method}")
            raise DtypeError(
                f"np.{what}({', '.join(kwargs)}) is not defined for tensors; use the function of tensorgrad "
                "that does it, or t.numpy() if no gradient is meant"
            )
        return op(*inputs)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        if function in (np.shape, np.ndim, np.size) and len(args) == 1:
            return getattr(args[0], function.__name__)
        # NumPy's other functions get arrays, unless that would lose a history without a word.
        values = [one for one in flatten((args, kwargs))[0] if isinstance(one, Value)]
        asked, ours = _two_names(function)
        if any(one.level > 0 for one in values):
            raise DtypeError(
                f"{asked} cannot see values inside a transformation (tg.grad, tg.vmap, tg.jvp); use {ours}"
            )
        if any(one.requires_grad for one in values):  # type: ignore[attr-defined]
            raise DtypeError(
                f"{asked} does not record gradients; use {ours}, or t.detach() if no gradient is meant"
            )
        args, kwargs = map_leaves(
            lambda one: np.asarray(one) if isinstance(one, Value) else one, (args, kwargs)
        )
        return function(*args, **kwargs)

    # ---- methods

    sin = ops.sin
    cos = ops.cos
    tanh = ops.tanh
    exp2 = ops.exp2
    expm1 = ops.expm1
    log1p = ops.log1p
    log2 = ops.log2
    log10 = ops.log10
    logaddexp = ops.logaddexp
    logaddexp2 = ops.logaddexp2
    reciprocal = ops.reciprocal
    rsqrt = ops.rsqrt
    hypot = ops.hypot
    tan = ops.tan
    sinh = ops.sinh
    cosh = ops.cosh
    asin = ops.asin
    acos = ops.acos
    atan = ops.atan
    asinh = ops.asinh
    acosh = ops.acosh
    atanh = ops.atanh
    atan2 = ops.atan2
    sinc = ops.sinc
    deg2rad = ops.deg2rad
    rad2deg = ops.rad2deg
    floor = ops.floor
    ceil = ops.ceil
    trunc = ops.trunc
    round = ops.round
    copysign = ops.copysign
    heaviside = ops.heaviside
    clip = ops.clip
    fmax = ops.fmax
    fmin = ops.fmin
    lerp = ops.lerp
    nan_to_num = ops.nan_to_num
    isnan = ops.isnan
    isinf = ops.isinf
    floor_divide = ops.floor_divide
    remainder = ops.remainder
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
    isclose = ops.isclose
    allclose = ops.allclose
    logical_and = ops.logical_and
    logical_or = ops.logical_or
    logical_xor = ops.logical_xor
    logical_not = ops.logical_not
    bitwise_and = ops.bitwise_and
    bitwise_or = ops.bitwise_or
    bitwise_xor = ops.bitwise_xor
    bitwise_left_shift = ops.bitwise_left_shift
    bitwise_right_shift = ops.bitwise_right_shift
    gcd = ops.gcd
    lcm = ops.lcm
    signbit = ops.signbit
    nextafter = ops.nextafter
    fmod = ops.fmod
    float_power = ops.float_power
    angle = ops.angle
    isposinf = ops.isposinf
    isneginf = ops.isneginf
    isreal = ops.isreal
    astype = ops.astype
    broadcast_to = ops.broadcast_to
    expand_dims = ops.expand_dims
    squeeze = ops.squeeze
    ravel = ops.ravel
    flatten = ops.ravel
    swapaxes = ops.swapaxes
    split = ops.split
    take_along_axis = ops.take_along_axis
    prod = ops.prod
    cumsum = ops.cumsum
    cumprod = ops.cumprod
    cummax = ops.cummax
    cummin = ops.cummin
    diff = ops.diff
    count_nonzero = ops.count_nonzero
    nansum = ops.nansum
    nanmean = ops.nanmean
    median = ops.median
    quantile = ops.quantile
    percentile = ops.percentile
    nanmedian = ops.nanmedian
    nanquantile = ops.nanquantile
    logcumsumexp = ops.logcumsumexp
    cov = ops.cov
    corrcoef = ops.corrcoef
    dot = ops.dot
    inner = ops.inner
    outer = ops.outer
    diag = ops.diag
    diagonal = ops.diagonal
    tril = ops.tril
    triu = ops.triu
    tile = ops.tile
    repeat = ops.repeat
    roll = ops.roll
    unstack = ops.unstack
    argpartition = ops.argpartition
    argwhere = ops.argwhere
    bincount = ops.bincount
    gather = ops.gather
    index_add = ops.index_add
    index_copy = ops.index_copy
    index_select = ops.index_select
    kthvalue = ops.kthvalue
    masked_fill = ops.masked_fill
    masked_select = ops.masked_select
    nonzero = ops.nonzero
    scatter = ops.scatter
    scatter_add = ops.scatter_add
    scatter_reduce = ops.scatter_reduce
    searchsorted = ops.searchsorted
    take = ops.take
    topk = ops.topk
    unique = ops.unique

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
        return ops.permute_dims(self, tuple(range(len(self.shape)))[::-1])

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

    def detach(self) -> Any:
        """The same value as a constant."""
        return ops.stop_gradient(self)

    def clone(self) -> Any:
        """The same value as a new object; gradients flow through."""
        return ops.positive(self)


def _comparable(other: Any) -> bool:
    return isinstance(other, Value | np.ndarray | np.generic | bool | int | float | complex | list | tuple)


def check_shape(op: str, got: tuple[int, ...], wanted: tuple[int, ...]) -> None:
    """Raise unless a new value has the shape of the tensor that it is written to."""
    if got != wanted:
        raise ShapeError(f"{op}: the value has shape {got} and the tensor {wanted}; a tensor keeps its shape")


def _two_names(function: Any) -> tuple[str, str]:
    """Of a function of NumPy: its name, and what stands for it here."""
    path = f"{function.__module__}.{function.__name__}".removeprefix("numpy.")
    ours: Any = sys.modules[__name__.partition(".")[0]]
    for part in path.split("."):
        ours = getattr(ours, part, None)
    return f"np.{path}", f"tg.{path}" if callable(ours) else "the function of tensorgrad that does it"


def check_become(target: Array, new: Any, how: str) -> None:
    """Raise unless ``target`` may get the value ``new``: same shape and dtype, and no higher level."""
    if isinstance(new, Value) and new.level > target.level:
        raise GradientError(
            f"{how}: the value belongs to a transformation (tg.grad, tg.vmap, tg.jvp) and this tensor does not: it "
            "was made beside it, or comes from outside; compute a new tensor instead (tg.stack, tg.where), or make the "
            "one to write to by tg.zeros_like(x) of a value x that belongs to it"
        )
    check_shape(how, new.shape, target.shape)
    if not np.can_cast(new.dtype, target.dtype, "same_kind"):
        raise DtypeError(
            f"{how}: the value has dtype {new.dtype} and the tensor {target.dtype}; a tensor keeps its "
            "dtype, convert by .astype first"
        )
