"""What the Array API standard has besides functions of arrays: dtypes, constants, questions about dtypes.

The dtypes are NumPy's, so ``x.dtype == tg.float32`` and ``x.dtype == np.float32`` say the same.
"""

from __future__ import annotations

import builtins
import math
from typing import Any

import numpy as np

from .._errors import DtypeError
from .._primitive import Value

bool = np.dtype("bool")
int8, int16, int32, int64 = [np.dtype(f"int{n}") for n in (8, 16, 32, 64)]
uint8, uint16, uint32, uint64 = [np.dtype(f"uint{n}") for n in (8, 16, 32, 64)]
float16, float32, float64 = [np.dtype(f"float{n}") for n in (16, 32, 64)]
complex64, complex128 = [np.dtype(f"complex{n}") for n in (64, 128)]

e, euler_gamma, pi, inf, nan, newaxis = math.e, np.euler_gamma, math.pi, math.inf, math.nan, None


def finfo(type: Any, /) -> Any:
    """What a floating dtype can hold: ``eps``, ``max``, ``smallest_normal`` and more, as NumPy has it.

    Args:
        type: a dtype, real or complex, or an array or tensor that has it.

    Raises:
        DtypeError: the dtype is not floating.

    Example:
        >>> import tensorgrad as tg
        >>> float(tg.finfo(tg.float64).eps)
        2.220446049250313e-16
    """
    dtype = _dtype_of("finfo", type)
    if dtype.kind not in "fc":
        raise DtypeError(f"finfo: {dtype} is not floating; use tg.iinfo")
    return np.finfo(dtype)


def iinfo(type: Any, /) -> Any:
    """What an integer dtype can hold: ``min``, ``max`` and ``bits``, as NumPy has it.

    Args:
        type: a dtype, or an array or tensor that has it.

    Raises:
        DtypeError: the dtype is not one of integers.

    Example:
        >>> import tensorgrad as tg
        >>> tg.iinfo(tg.int8).max
        127
    """
    dtype = _dtype_of("iinfo", type)
    if dtype.kind not in "iu":
        raise DtypeError(f"iinfo: {dtype} is not a dtype of integers; use tg.finfo")
    return np.iinfo(dtype)


def isdtype(dtype: Any, kind: Any) -> builtins.bool:
    """Whether a dtype is of a kind.

    Args:
        dtype: a dtype.
        kind: a dtype; one of "bool", "signed integer", "unsigned integer", "integral", "real floating",
            "complex floating", "numeric"; or a tuple of these.

    Raises:
        DtypeError: there is no such kind.

    Example:
        >>> import tensorgrad as tg
        >>> tg.isdtype(tg.float32, ("real floating", "complex floating"))
        True
    """
    try:
        return np.isdtype(_dtype_of("isdtype", dtype), kind)
    except (TypeError, ValueError) as error:
        raise DtypeError(f"isdtype: kind is {kind!r}; {error}") from None


def result_type(*arrays_and_dtypes: Any) -> np.dtype[Any]:
    """The dtype that an op of these has; Python's numbers are weak, as everywhere.

    Raises:
        DtypeError: there is none, or nothing was given.

    Example:
        >>> import tensorgrad as tg
        >>> tg.result_type(tg.float32, tg.int8, 2.5)
        dtype('float32')
    """
    try:
        return np.result_type(*[one.dtype if isinstance(one, Value) else one for one in arrays_and_dtypes])
    except (TypeError, ValueError) as error:
        raise DtypeError(f"result_type: {error}") from None


def can_cast(from_: Any, to: Any, /) -> builtins.bool:
    """Whether an op may turn one dtype into another without being asked to: no value is lost.

    Args:
        from_: a dtype, or an array or tensor that has it.
        to: a dtype.

    Raises:
        DtypeError: one of them is no dtype.

    Example:
        >>> import tensorgrad as tg
        >>> tg.can_cast(tg.int32, tg.float64), tg.can_cast(tg.float64, tg.float32)
        (True, False)
    """
    return np.can_cast(_dtype_of("can_cast", from_), _dtype_of("can_cast", to))


def _dtype_of(op: str, x: Any) -> np.dtype[Any]:
    try:
        return x.dtype if isinstance(x, Value | np.ndarray | np.generic) else np.dtype(x)
    except TypeError:
        raise DtypeError(f"{op}: {x!r} is no dtype") from None
