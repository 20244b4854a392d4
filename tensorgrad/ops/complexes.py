"""Complex numbers from two real ones, and back."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._errors import DtypeError, ShapeError
from .._primitive import linear
from .._specialise import plain
from .arrange import broadcast_arrays
from .dtype import cast, imag, real
from .elementwise import cos, multiply, sin
from .shape import lifted, stack


@linear
def joined(x: Any, /) -> Any:
    """Complex numbers from real and imaginary parts that lie along the last axis."""
    # Not x[..., 0] + 1j * x[..., 1]: an infinite imaginary part would make a NaN of the real one.
    y = np.empty(x.shape[:-1], np.result_type(x, np.complex64))
    y.real, y.imag = x[..., 0], x[..., 1]
    return plain(y)


joined.transpose(x=lambda g, x_dtype: cast(stack([real(g), imag(g)], axis=-1), x_dtype))


@joined.batching
def _joined_batch(size: int, batched: Any, args: Any) -> Any:
    return joined(args[0])


def complex(real: Any, imag: Any, /) -> Any:
    """Complex numbers from their real and imaginary parts.

    Args:
        real: the real parts.
        imag: the imaginary parts, broadcast with the others.

    Raises:
        DtypeError: one of them is complex already.

    Example:
        >>> import tensorgrad as tg
        >>> tg.complex(tg.tensor(1.0), tg.tensor(2.0)).item()
        (1+2j)
    """
    return _join(_real_only("complex", real), _real_only("complex", imag))


def polar(abs: Any, angle: Any, /) -> Any:
    """Complex numbers from their absolute values and their angles in radians.

    Raises:
        DtypeError: one of them is complex already.

    Example:
        >>> import tensorgrad as tg
        >>> tg.polar(tg.tensor(2.0), tg.tensor(0.0)).item()
        (2+0j)
    """
    r, angle = _real_only("polar", abs), _real_only("polar", angle)
    return _join(multiply(r, cos(angle)), multiply(r, sin(angle)))


def view_as_real(x: Any, /) -> Any:
    """The real and the imaginary part of each element, along a new last axis.

    Raises:
        DtypeError: ``x`` is not complex.
    """
    x = lifted("view_as_real", x)
    if x.dtype.kind != "c":
        raise DtypeError(f"view_as_real: x has dtype {x.dtype}; complex numbers are needed")
    return stack([real(x), imag(x)], axis=-1)


def view_as_complex(x: Any, /) -> Any:
    """Complex numbers from real and imaginary parts that lie along the last axis.

    Raises:
        ShapeError: the last axis does not have length 2.
        DtypeError: ``x`` is complex already.
    """
    x = _real_only("view_as_complex", x)
    if not x.ndim or x.shape[-1] != 2:
        raise ShapeError(f"view_as_complex: x has shape {x.shape}; the last axis must have length 2")
    return joined(x)


def _join(a: Any, b: Any) -> Any:
    return joined(stack(broadcast_arrays(a, b), axis=-1))


def _real_only(op: str, x: Any) -> Any:
    x = lifted(op, x)
    if x.dtype.kind not in "biuf":
        raise DtypeError(f"{op}: real numbers are needed, not {x.dtype}")
    return x
