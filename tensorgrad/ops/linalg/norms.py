"""Norms of vectors and matrices."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..._errors import DtypeError, ShapeError
from ..._primitive import primitive
from ..._specialise import plain
from ..compare import not_equal
from ..dtype import astype, conjugate, real, stop_gradient
from ..elementwise import abs, power, where
from ..reduce import max, min, numpy_axes, restore_axes, sum
from ..shape import Axis, expand_dims, lifted, normalise_axes, permute_dims
from ._matrices import as_matrices
from ._spectra import closed, opened
from .determinant import slogdet
from .singular import svdvals
from .solve import inv

_add: Any = np.add.reduce

# ---- the card


@primitive
def _vector_norm(x: Any, /, axis: Axis, keepdims: bool, ord: float) -> Any:
    """``sum(abs(x) ** ord) ** (1 / ord)`` for a finite order other than 0, without overflow on the way."""
    size = np.abs(x.astype(np.float32) if x.dtype.char == "e" else x)
    axes = numpy_axes(axis)
    with np.errstate(all="ignore"):
        if ord == 2:
            total = np.asarray(_add(size * size, axes, keepdims=keepdims))
            limits = np.finfo(total.dtype)
            if ((total > limits.tiny / limits.eps) & (total < math.inf)).all():  # no square was lost
                return plain(np.sqrt(total).astype(_real_of(x.dtype), copy=False))
        extreme = np.maximum if ord > 0 else np.minimum
        m = extreme.reduce(size, axes, keepdims=True, initial=0 if ord > 0 else math.inf)
        m = np.where(np.isfinite(m) & (m > 0), m, np.ones((), m.dtype))
        total = _add((size / m) ** ord, axes, keepdims=keepdims)
        y = (m if keepdims else m.reshape(np.shape(total))) * total ** (1 / ord)
    return y.astype(_real_of(x.dtype), copy=False)


_vector_norm.vjp(
    x=lambda g, x, y, axis, keepdims, ord: (
        restore_axes(g, x.shape, axis, keepdims) * _slope(x, restore_axes(y, x.shape, axis, keepdims), ord)
    )
)
_vector_norm.jvp(
    x=lambda t, x, y, axis, keepdims, ord: sum(
        _real_product(t, _slope(x, restore_axes(y, x.shape, axis, keepdims), ord)), axis, keepdims
    )
)


@_vector_norm.batching
def _vector_norm_batch(size: int, batched: Any, args: Any, axis: Axis, keepdims: bool, ord: float) -> Any:
    axes = normalise_axes("vector_norm", axis, args[0].ndim - 1)
    return _vector_norm(args[0], tuple([a + 1 for a in axes]), keepdims, ord)


def _real_of(dtype: Any) -> Any:
    return np.finfo(dtype).dtype


def _slope(x: Any, y: Any, ord: float) -> Any:
    """The derivative of the norm ``y`` in each element; 0, as are its own, where it would be 0 / 0 or infinite."""
    alive = not_equal(y, 0)  # else every element is 0, or (for negative orders) one is
    if ord == 2:
        return x / where(alive, y, math.inf)
    size = abs(x)
    some = not_equal(size, 0)
    unit = x / where(some, size, math.inf)
    return unit * alive * power(where(some, size, 1.0) / where(alive, y, 1.0), ord - 1)


def _real_product(t: Any, slope: Any) -> Any:
    return real(t * conjugate(slope)) if slope.dtype.kind == "c" else t * slope


# ---- norms


def vector_norm(x: Any, /, *, axis: Axis = None, keepdims: bool = False, ord: float = 2) -> Any:
    """The norm of vectors: of all elements, or of those along the axes.

    Squares neither overflow nor vanish: the norm of ``[3e300, 4e300]`` is 5e300. The gradient of the norm
    of zeros is 0, as for `abs`; equal largest (or smallest) elements share it evenly.

    Args:
        x: an array or tensor; its norm is real, and of integers it is float64.
        axis: the axes that the vectors lie along, all if None.
        keepdims: keep these axes with length 1.
        ord: any number: ``sum(abs(x) ** ord) ** (1 / ord)``; ``inf`` and ``-inf`` for the largest and the
            smallest absolute value, 0 for the number of elements that are not 0.

    Raises:
        ShapeError: an axis that ``x`` does not have, or of no elements the smallest is wanted (the largest is 0).
        DtypeError: ``ord`` is not a number.

    Example:
        >>> import tensorgrad as tg
        >>> tg.grad(tg.linalg.vector_norm)(tg.tensor([3.0, 4.0]))
        tensor([0.6, 0.8])
    """
    return _norm_of_vectors("vector_norm", x, axis, keepdims, ord)


def matrix_norm(x: Any, /, *, keepdims: bool = False, ord: float | str | None = "fro") -> Any:
    """The norm of matrices in the last two axes.

    Args:
        x: matrices ``(..., M, N)``.
        keepdims: keep the last two axes with length 1.
        ord: 'fro' (or None) for the root of the sum of squares, 'nuc' for the sum of singular values, 2 and
            -2 for the largest and the smallest of them, 1 and -1 for the largest and the smallest sum of
            absolute values in a column, inf and -inf for those in a row.

    Equal largest (or smallest) values share the gradient evenly. Singular values that are 0 to rounding get
    none, so the gradient of 'nuc' is ``U @ Vh`` of those that are not 0.

    Raises:
        ShapeError: there are fewer than two axes, or ``ord`` is none of these.

    Example:
        >>> import tensorgrad as tg
        >>> tg.linalg.matrix_norm(tg.tensor([[3.0, 0.0], [0.0, 4.0]]), ord="nuc").item()
        7.0
    """
    x = as_matrices("matrix_norm", lifted("matrix_norm", x), "x")
    return _norm_of_matrices("matrix_norm", x, keepdims, ord)


def norm(x: Any, /, ord: Any = None, axis: Axis = None, keepdims: bool = False) -> Any:
    """The norm of vectors or matrices, as `numpy.linalg.norm`.

    Args:
        x: an array or tensor.
        ord: which norm, see `vector_norm` and `matrix_norm`; None is the root of the sum of squares.
        axis: one axis for norms of vectors, two for those of matrices. With None it is the norm of
            all elements; or, if ``ord`` is given, of ``x`` as a vector or a matrix.
        keepdims: keep the axes with length 1.

    Raises:
        ShapeError: neither one nor two axes are named (or there), or there is no such norm.

    Example:
        >>> import tensorgrad as tg
        >>> tg.norm(tg.tensor([[3.0, 4.0], [6.0, 8.0]]), axis=1)
        tensor([ 5., 10.])
    """
    x = lifted("norm", x)
    if axis is None and ord is None:
        return _norm_of_vectors("norm", x, None, keepdims, 2)
    axes = normalise_axes("norm", axis, x.ndim)
    if len(axes) == 1:
        return _norm_of_vectors("norm", x, axes, keepdims, 2 if ord is None else ord)
    if len(axes) != 2:
        raise ShapeError(
            f"norm: {len(axes)} axes of x {x.shape}; vectors have one and matrices two, name them"
        )
    rest = [i for i in range(x.ndim) if i not in axes]
    y = _norm_of_matrices("norm", permute_dims(x, (*rest, *axes)), False, ord)
    return expand_dims(y, axes) if keepdims else y


def cond(x: Any, /, p: float | str | None = None) -> Any:
    """The condition number of matrices: how much larger relative errors can become in solving with them.

    Args:
        x: matrices ``(..., N, N)``; for ``p`` None, 2 and -2 also ``(..., M, N)``.
        p: None or 2 for the largest singular value over the smallest, -2 for the smallest over the
            largest; any other ``ord`` of `matrix_norm` for the norm of ``x`` times that of its inverse.

    Of a singular matrix the condition number is infinite, and has no gradient: it is 0.

    Raises:
        ShapeError: the matrices are empty, not square where they have to be, or there is no such norm.

    Example:
        >>> import tensorgrad as tg
        >>> tg.linalg.cond(tg.tensor([[4.0, 0.0], [0.0, 0.5]])).item()
        8.0
    """
    a = opened("cond", x, square_only=p not in (None, 2, -2))
    if not a.shape[-1] * a.shape[-2]:
        raise ShapeError(f"cond: x has shape {a.shape}; matrices without elements have no condition number")
    if p in (None, 2, -2):
        s = svdvals(a)
        top, low = (s[..., 0], s[..., -1]) if p != -2 else (s[..., -1], s[..., 0])
        good = not_equal(low, 0)
        return closed(where(good, top / where(good, low, 1.0), math.inf), x)
    good = not_equal(slogdet(stop_gradient(a)).sign, 0)  # elimination met no pivot of 0
    safe = where(good[..., None, None], a, np.eye(a.shape[-1], dtype=a.dtype))
    both = [_norm_of_matrices("cond", one, False, p) for one in (safe, inv(safe))]
    return closed(where(good, both[0] * both[1], math.inf), x)


# ---- their parts


def _norm_of_vectors(op: str, x: Any, axis: Axis, keepdims: bool, ord: Any) -> Any:
    x = lifted(op, x)
    if not isinstance(ord, int | float | np.integer | np.floating):
        raise DtypeError(f"{op}: ord is {ord!r}; the norms of vectors have a number, such as 2 or inf")
    axes = normalise_axes(op, axis, x.ndim)
    x = astype(x, np.float64) if x.dtype.kind in "biu" else x
    if ord in (math.inf, -math.inf):
        return _extreme(op, x, abs(x), axes, keepdims, ord)
    if ord == 0:
        return sum(astype(not_equal(x, 0), _real_of(x.dtype)), axes, keepdims)
    if ord == 1:
        return sum(abs(x), axes, keepdims)
    return _vector_norm(x, axes, keepdims, float(ord))


def _norm_of_matrices(op: str, x: Any, keepdims: bool, ord: Any) -> Any:
    if ord is None or ord == "fro":
        return _norm_of_vectors(op, x, (-2, -1), keepdims, 2)
    if ord not in ("nuc", 1, -1, 2, -2, math.inf, -math.inf):
        raise ShapeError(
            f"{op}: ord is {ord!r}; for matrices it is 'fro', 'nuc', or one of 1, -1, 2, -2, inf, -inf"
        )
    if ord == "nuc":
        y = sum(svdvals(x), -1)
    elif ord in (2, -2):
        y = _extreme(op, x, svdvals(x), (-1,), False, ord)
    else:
        sums = _norm_of_vectors(op, x, -2 if ord in (1, -1) else -1, False, 1)
        y = _extreme(op, x, sums, (sums.ndim - 1,), False, ord)
    return expand_dims(y, (-2, -1)) if keepdims else y


def _extreme(op: str, x: Any, sizes: Any, axes: Any, keepdims: bool, ord: Any) -> Any:
    """The largest of ``sizes``, which none is below 0, or the smallest; the largest of none is 0."""
    if all(sizes.shape[a] for a in axes):
        return (max if ord > 0 else min)(sizes, axes, keepdims)
    if ord < 0:
        raise ShapeError(f"{op}: x has shape {x.shape}; of no elements there is no smallest")
    return sum(sizes, axes, keepdims)
