"""What the formulas of eigenvalues and singular values share: gaps between them, and phases.

LAPACK finds an eigenvalue only to about the spacing of floats at the largest one. Values that are
closer than that are taken for equal, and their vectors for an arbitrary basis of one space.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..._errors import DtypeError, LinalgError
from ..compare import any as any_of
from ..compare import argmax, equal, greater, less_equal
from ..diagonals import tril
from ..dtype import astype, conjugate, imag, real, stop_gradient
from ..elementwise import abs, sqrt, where
from ..reduce import max, sum
from ..shape import expand_dims, lifted
from ._matrices import adjoint, as_matrices, square
from .solve import solve

# ---- in public functions


def opened(op: str, x: Any, *, square_only: bool = False) -> Any:
    """``x`` as matrices that LAPACK can take: integers become float64, float16 becomes float32."""
    x = (square if square_only else as_matrices)(op, lifted(op, x))
    if x.dtype.kind in "biu":
        return astype(x, np.float64)
    if x.dtype.char not in "efdFD":
        raise DtypeError(f"{op}: cannot be applied to {x.dtype}; LAPACK has no such numbers")
    return astype(x, np.float32) if x.dtype.char == "e" else x


def mirrored(op: str, x: Any) -> Any:
    """Hermitian matrices: the lower triangle and its mirror image, with a Hermitian gradient, as for `eigh`."""
    low = tril(stop_gradient(square(op, x)), k=-1)
    middle = where(np.eye(x.shape[-1], dtype=bool), stop_gradient(real(x)), 0.0)
    half = (x + adjoint(x)) / 2
    return low + adjoint(low) + astype(middle, x.dtype) + (half - stop_gradient(half))


def closed(y: Any, x: Any) -> Any:
    """A real result in float16, if ``x`` was."""
    half = getattr(x, "dtype", None) == np.float16 and y.dtype.kind == "f"
    return astype(y, np.float16) if half else y


# ---- in formulas


def negligible(values: Any) -> Any:
    """What differences of ``values`` are rounding, in each row.

    Equal eigenvalues of random matrices come out of LAPACK up to ``2 sqrt(n)`` spacings apart; this is four
    times as much.
    """
    n = values.shape[-1]
    if not n:
        return np.zeros((*values.shape[:-1], 1), values.dtype)
    return 8 * math.sqrt(n) * float(np.finfo(values.dtype).eps) * max(abs(values), -1, True)


def inverse_gaps(values: Any) -> Any:
    """``1 / (values[j] - values[i])`` in row i and column j, and 0 where the two are equal."""
    gaps = values[..., None, :] - values[..., :, None]
    same = less_equal(abs(gaps), negligible(values)[..., None])
    return where(same, 0.0, 1 / where(same, 1.0, gaps))


def differentiable_once(c: Any, values: Any, *cotangents: Any) -> Any:
    """``c``; where ``values`` are equal and the cotangents will be differentiated, with derivatives inf or NaN.

    There a second derivative takes the one by which cotangents of equal values would part, and that is not
    known: better no number than a wrong one. Of constant cotangents (the trace) nothing is missing.
    """
    if not any(getattr(g, "level", 0) or getattr(g, "requires_grad", False) for g in cotangents):
        return c
    fixed = stop_gradient(values)
    apart = greater(abs(fixed[..., None, :] - fixed[..., :, None]), negligible(fixed)[..., None])
    shared = any_of(equal(apart | np.eye(values.shape[-1], dtype=bool), False), (-2, -1))
    total = sum(real(values), -1)
    step = where(shared, total - stop_gradient(total), 1.0)  # 0, where the root has no slope
    return c + expand_dims(where(shared, sqrt(step), 0.0), (-2, -1))


def inverse_or_zero(values: Any) -> Any:
    """``1 / values``, and 0 for those that are 0 beside the largest."""
    tiny = less_equal(abs(values), negligible(values))
    return where(tiny, 0.0, 1 / where(tiny, 1.0, values))


def unless_zero(g: Any, values: Any) -> Any:
    """``g``, and 0 where ``values`` are 0 beside the largest."""
    return where(greater(values, negligible(values)), g, 0.0)


def divided(op: str, wrong: str, a: Any, b: Any) -> Any:
    """The solution of ``a @ x = b`` in a formula, with an error that says what it means that there is none."""
    try:
        return solve(a, b)
    except LinalgError:
        raise LinalgError(f"{op}: {wrong}, so there is no gradient") from None


def pinned(g: Any, v: Any, row: int | None = None) -> Any:
    """The cotangent of vectors before their phases were chosen, so that one element of each is real.

    LAPACK chooses it: the one in ``row``, or for None the largest. Nothing is done where its imaginary part is
    not exactly 0, or where it is 0 itself.
    """
    if v.dtype.kind != "c" or not v.shape[-2]:
        return g
    size = where(equal(imag(v), 0), abs(v), 0.0)
    place = argmax(size, -2, True) if row is None else row
    chosen = equal(np.arange(v.shape[-2])[:, None], place) & greater(size, 0)
    pivot = sum(where(chosen, real(v), 0.0), -2, True)
    turn = sum(imag(conjugate(v) * g), -2, True) / where(equal(pivot, 0), 1.0, pivot)
    return g - 1j * where(chosen, turn, 0.0)
