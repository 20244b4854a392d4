"""Change of dtype, and the parts of complex numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._primitive import constant, linear


@linear
def cast(x: Any, /, dtype: Any) -> Any:
    """``x`` in another floating or complex dtype; the gradient comes back in the dtype of ``x``."""
    return x.astype(dtype)


@constant
def truncate(x: Any, /, dtype: Any) -> Any:
    """``x`` in an integer or boolean dtype, which has no gradient."""
    return x.astype(dtype)


@constant
def stop_gradient(x: Any, /) -> Any:
    """``x`` as a constant: no gradient, tangent or anything else flows through."""
    return x.view() if isinstance(x, np.ndarray) else x.copy()


@linear
def real(x: Any, /) -> Any:
    """Real part of each element."""
    return np.real(x)


@linear
def imag(x: Any, /) -> Any:
    """Imaginary part of each element; 0 for real numbers."""
    return np.imag(x)


@linear
def conjugate(x: Any, /) -> Any:
    """Complex conjugate of each element; real numbers as they are."""
    return np.conjugate(x)


# Transposes with respect to the inner product Re(sum(conj(a) * b)), PyTorch's convention: a real
# input of a complex result gets the real part of the cotangent.
cast.transpose(
    x=lambda g, x_dtype: cast(real(g) if g.dtype.kind == "c" and x_dtype.kind != "c" else g, x_dtype)
)
real.transpose(x=lambda g, x_dtype: cast(g, x_dtype))
imag.transpose(x=lambda g, x_dtype: cast(g, x_dtype) * 1j if x_dtype.kind == "c" else g * 0)
conjugate.transpose(x=lambda g: conjugate(g))


def astype(x: Any, dtype: Any, /) -> Any:
    """``x`` in another dtype.

    Args:
        x: an array or tensor.
        dtype: a NumPy dtype or its name. To an integer or boolean dtype no gradient flows.

    Example:
        >>> import tensorgrad as tg
        >>> tg.astype(tg.tensor([1.0, 2.5]), "int64")
        tensor([1, 2], dtype=int64)
    """
    dtype = np.dtype(dtype)
    return cast(x, dtype) if dtype.kind in "fc" else truncate(x, dtype)
