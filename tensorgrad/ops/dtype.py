"""Change of dtype, and the parts of complex numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._errors import DtypeError
from .._primitive import declare


def _cast(x: Any, /, dtype: Any) -> Any:
    """``x`` in another floating or complex dtype; the gradient comes back in the dtype of ``x``."""
    return x.astype(dtype)


def _truncate(x: Any, /, dtype: Any) -> Any:
    """``x`` in an integer or boolean dtype, which has no gradient."""
    return x.astype(dtype)


def _stop_gradient(x: Any, /) -> Any:
    """``x`` as a constant: no gradient, tangent or anything else flows through."""
    return x.view() if isinstance(x, np.ndarray) else x.copy()


def _real(x: Any, /) -> Any:
    """Real part of each element."""
    return np.real(x)


def _imag(x: Any, /) -> Any:
    """Imaginary part of each element; 0 for real numbers."""
    return np.imag(x)


def _conjugate(x: Any, /) -> Any:
    """Complex conjugate of each element; real numbers as they are."""
    return np.conjugate(x)


# Each works on one element at a time, and none is complex-differentiable.
cast = declare(_cast, "linear", broadcasts=True, name="cast")
truncate = declare(_truncate, "constant", broadcasts=True, name="truncate")
stop_gradient = declare(_stop_gradient, "constant", broadcasts=True, name="stop_gradient")
real = declare(_real, "linear", broadcasts=True, name="real")
imag = declare(_imag, "linear", broadcasts=True, name="imag")
conjugate = declare(_conjugate, "linear", broadcasts=True, name="conjugate")

# Transposes with respect to the inner product Re(sum(conj(a) * b)), PyTorch's convention: a real
# input of a complex result gets the real part of the cotangent.
cast.transpose(x=lambda g, x_dtype: cast_back(g, x_dtype))
real.transpose(x=lambda g, x_dtype: cast(g, x_dtype))
imag.transpose(x=lambda g, x_dtype: 1j * cast(g, x_dtype) if x_dtype.kind == "c" else g * 0)
conjugate.transpose(x=lambda g: conjugate(g))


def astype(x: Any, dtype: Any, /, *, copy: bool = True) -> Any:
    """``x`` in another dtype.

    Args:
        x: an array or tensor.
        dtype: a NumPy dtype or its name. To an integer or boolean dtype no gradient flows.
        copy: False returns ``x`` itself if it has that dtype.

    Raises:
        DtypeError: it is not a numeric dtype of up to 64 bits.

    Example:
        >>> import tensorgrad as tg
        >>> tg.astype(tg.tensor([1.0, 2.5]), "int64")
        tensor([1, 2])
    """
    dtype = numeric_dtype(dtype, "astype")
    if not copy and x.dtype == dtype:
        return x
    return cast(x, dtype) if dtype.kind in "fc" else truncate(x, dtype)


def in_dtype(op: str, x: Any, dtype: Any) -> Any:
    """``x`` in the dtype that a reduction was asked to compute in; as it is, if it was asked for none."""
    return x if dtype is None else astype(x, numeric_dtype(dtype, op), copy=False)


def cast_back(g: Any, dtype: Any) -> Any:
    """A cotangent in the dtype of the input: of a real one, the real part."""
    return cast(real(g) if g.dtype.kind == "c" and dtype.kind != "c" else g, dtype)


def numeric_dtype(dtype: Any, what: str) -> np.dtype[Any]:
    """The dtype, or an error if tensors cannot have it."""
    try:
        chosen = np.dtype(dtype)
    except TypeError:
        raise DtypeError(f"{what}: {dtype!r} is not a dtype; 'float32' or 'int64', for example, is") from None
    if chosen.kind not in "biufc" or chosen.itemsize > (16 if chosen.kind == "c" else 8):
        raise DtypeError(
            f"{what}: tensors cannot have dtype {chosen}; booleans, integers, floats and complex numbers of up "
            "to 64 bits they can"
        )
    native: np.dtype[Any] = chosen.newbyteorder("=")
    return native
