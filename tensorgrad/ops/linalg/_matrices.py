"""What the ops on matrices share: checks of their arguments, and LAPACK by way of NumPy.

`square`, `as_matrices` and `lapack` work on arrays, in forwards; `adjoint` is for formulas.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..._errors import LinalgError, ShapeError
from ..dtype import cast, conjugate
from ..shape import broadcast_to, lifted, matrix_transpose, sum_to

# ---- in forwards


def as_matrices(op: str, x: Any, name: str = "a") -> Any:
    """``x``, or an error that names the op if it is no matrix and no stack of matrices."""
    if x.ndim < 2:
        raise ShapeError(f"{op}: {name} has shape {x.shape}; a matrix, or a stack of them, is needed")
    return x


def square(op: str, x: Any, name: str = "a") -> Any:
    """``x``, or an error that names the op if its last two axes differ in length."""
    if as_matrices(op, x, name).shape[-1] != x.shape[-2]:
        raise ShapeError(f"{op}: {name} has shape {x.shape}; the last two axes must have one length")
    return x


def lapack(function: Callable[..., Any], *arrays: Any, **settings: Any) -> Any:
    """Call a function of `numpy.linalg`; float16, which LAPACK lacks, goes through float32 and back."""
    if not any(x.dtype.char == "e" for x in arrays):
        return function(*arrays, **settings)
    wide = [x.astype(np.float32) if x.dtype.char == "e" else x for x in arrays]
    y = function(*wide, **settings)
    if np.result_type(*arrays).char != "e":
        return y
    return tuple([_half(part) for part in y]) if isinstance(y, tuple) else _half(y)


def attempt(
    op: str, wrong: str, function: Callable[..., Any], a: Any, *others: Any, culprit: Any = None
) -> Any:
    """`lapack`, with an error that says which matrix of a stack it is that LAPACK fails at.

    Args:
        op: to name in the error.
        wrong: what is wrong with the matrix, and the way out, as in "is singular; ...".
        function: one of `numpy.linalg`.
        a: the matrices.
        *others: further arguments of the function.
        culprit: a function of one matrix that fails as ``function`` does, if that takes more than ``a``.
    """
    try:
        return lapack(function, a, *others)
    except np.linalg.LinAlgError:
        where = _first_failure(culprit or function, a)
        raise LinalgError(f"{op}: {_which(a, where)} {wrong}") from None


# ---- in public functions, formulas and batching rules


def alike(op: str, *xs: Any) -> list[Any]:
    """Arguments lifted, and cast to one floating dtype, so that each gets a cotangent in its own."""
    xs = tuple([lifted(op, x) for x in xs])
    dtype = np.result_type(*[x.dtype for x in xs])
    if dtype.kind not in "fc":
        dtype = np.dtype(np.float64)
    return [x if x.dtype == dtype else cast(x, dtype) for x in xs]


def full_batches(size: int, batched: Any, args: Any) -> list[Any]:
    """Arguments with a batch axis in front, repeated where they have none."""
    return [x if b else broadcast_to(x, (size, *x.shape)) for x, b in zip(args, batched, strict=True)]


def refitted(x: Any, shape: tuple[int, ...]) -> Any:
    """A cotangent summed over the axes that its input was repeated along."""
    return x if x.shape == shape else sum_to(x, shape)


def adjoint(x: Any) -> Any:
    """The conjugate transpose of matrices."""
    return matrix_transpose(conjugate(x) if x.dtype.kind == "c" else x)


# ---- helpers


def _half(y: Any) -> Any:
    return y.astype(np.float16) if y.dtype.kind == "f" else y


def _first_failure(function: Callable[..., Any], a: Any) -> tuple[int, ...]:
    for index in np.ndindex(a.shape[:-2]):
        try:
            lapack(function, a[index])
        except np.linalg.LinAlgError:
            return index
    return ()


def _which(a: Any, index: tuple[int, ...]) -> str:
    place = f"[{', '.join(map(str, index))}]" if index else ""
    return f"the matrix a{place} of {a.shape[-2]} x {a.shape[-1]}"
