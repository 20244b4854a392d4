"""Which op a NumPy function arrives at, when an argument is a value of ours."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import ops
from ._errors import DtypeError


def boolean(operator: str, value: Any) -> Any:
    """``value``, or an error if it is not boolean."""
    dtype = value.dtype if hasattr(value, "dtype") else np.asarray(value).dtype
    if dtype != np.bool_:
        raise DtypeError(f"{operator}: boolean operands are needed, one has dtype {dtype}")
    return value


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
    np.exp2: ops.exp2,
    np.expm1: ops.expm1,
    np.log1p: ops.log1p,
    np.log2: ops.log2,
    np.log10: ops.log10,
    np.logaddexp: ops.logaddexp,
    np.logaddexp2: ops.logaddexp2,
    np.cbrt: ops.cbrt,
    np.reciprocal: ops.reciprocal,
    np.hypot: ops.hypot,
    np.tan: ops.tan,
    np.sinh: ops.sinh,
    np.cosh: ops.cosh,
    np.asin: ops.asin,
    np.acos: ops.acos,
    np.atan: ops.atan,
    np.asinh: ops.asinh,
    np.acosh: ops.acosh,
    np.atanh: ops.atanh,
    np.atan2: ops.atan2,
    np.deg2rad: ops.deg2rad,
    np.rad2deg: ops.rad2deg,
    np.floor: ops.floor,
    np.ceil: ops.ceil,
    np.trunc: ops.trunc,
    np.copysign: ops.copysign,
    np.heaviside: ops.heaviside,
    np.fmax: ops.fmax,
    np.fmin: ops.fmin,
    np.isnan: ops.isnan,
    np.isinf: ops.isinf,
    np.floor_divide: ops.floor_divide,
    np.remainder: ops.remainder,
    np.divmod: ops.divmod,
    np.degrees: ops.rad2deg,
    np.radians: ops.deg2rad,
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
    np.logical_and: ops.logical_and,
    np.logical_or: ops.logical_or,
    np.logical_not: ops.logical_not,
    np.bitwise_and: lambda a, b: ops.logical_and(boolean("&", a), boolean("&", b)),
    np.bitwise_or: lambda a, b: ops.logical_or(boolean("|", a), boolean("|", b)),
    np.invert: lambda x: ops.logical_not(boolean("~", x)),
    np.isfinite: ops.isfinite,
}
"""NumPy's functions that arrive at the same card when an argument is a value of ours."""
