"""Singular values and vectors, and what is made of them: pseudo-inverse, least squares, rank, condition.

Equal singular values are treated as equal eigenvalues are (see `eigen`). Those that are 0 to rounding have
no slope: a singular value is never negative, and at 0 it turns back, as an absolute value does.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ..._errors import DtypeError, ShapeError
from ..._primitive import constant, declare
from ..compare import greater
from ..dtype import astype, conjugate, imag, real, stop_gradient
from ..elementwise import square
from ..reduce import sum
from ..shape import concat, expand_dims, lifted
from ._matrices import adjoint, attempt, lapack
from ._spectra import (
    closed,
    differentiable_once,
    inverse_gaps,
    inverse_or_zero,
    mirrored,
    opened,
    pinned,
    unless_zero,
)

WRONG = "has singular values that LAPACK does not find; look for NaN and infinities in it"

# ---- cards


def _singular_triplets(a: Any, /) -> tuple[Any, Any, Any]:
    """The min(M, N) singular values, in descending order, between their vectors."""
    if a.dtype.kind == "c" and a.shape[-2] < a.shape[-1]:
        # Of tall matrices LAPACK leaves the first row of V real, which `pinned` has to know.
        v, s, uh = _singular_triplets(np.conjugate(a.swapaxes(-1, -2)))
        return np.conjugate(uh.swapaxes(-1, -2)), s, np.conjugate(v.swapaxes(-1, -2))
    u, s, vh = attempt("svd", WRONG, lambda one: np.linalg.svd(one, full_matrices=False), a)
    return u, s, vh


def _singular_values(a: Any, /) -> Any:
    """Singular values in descending order; vectors are computed for the gradient only."""
    return attempt("svdvals", WRONG, lambda one: np.linalg.svd(one, compute_uv=False), a)


def _pseudo_inverse(a: Any, /, rtol: float) -> Any:
    """The inverse on the space where ``a`` is not 0; singular values up to ``rtol`` times the largest are 0."""
    return attempt("pinv", WRONG, lambda one: np.linalg.pinv(one, rcond=rtol), a)


@constant
def complement(q: Any, /) -> Any:
    """Orthonormal columns that, with those of ``q`` ``(..., M, K)``, span the whole space."""
    return lapack(np.linalg.qr, q, mode="complete")[0][..., q.shape[-1] :]


_svd = declare(_singular_triplets, "general", several=True, name="svd")
_svdvals = declare(_singular_values, "general", name="svdvals")
_pinv = declare(_pseudo_inverse, "general", name="pinv")

_svd.vjp(a=lambda g, y: _svd_pull(*g, *y))
_svdvals.vjp(a=lambda g, a: _svdvals_pull(g, *_svd(a)))
_pinv.vjp(a=lambda g, a, y: _pinv_pull(g, a, y))
_pinv.jvp(a=lambda t, a, y: _pinv_push(t, a, y))
_svd.batching(lambda size, batched, args: _svd(args[0]))
_svdvals.batching(lambda size, batched, args: _svdvals(args[0]))
_pinv.batching(lambda size, batched, args, rtol: _pinv(args[0], rtol))
complement.batching(lambda size, batched, args: complement(args[0]))


def _svdvals_pull(g: Any, u: Any, s: Any, vh: Any) -> Any:
    return differentiable_once((u * unless_zero(g, s)[..., None, :]) @ vh, s, g)


def _svd_pull(gu: Any, gs: Any, gvh: Any, u: Any, s: Any, vh: Any) -> Any:
    """Townsend's formula, with the gaps of squares taken as products so that no square over- or underflows."""
    v, uh, gv = adjoint(vh), adjoint(u), adjoint(gvh)
    m, n, k = u.shape[-2], v.shape[-2], s.shape[-1]
    if u.dtype.kind == "c":
        both = pinned(concat([gu, gv], axis=-2), concat([u, v], axis=-2), m if m >= n else 0)
        gu, gv = both[..., :m, :], both[..., m:, :]
    left, right = uh @ gu, vh @ gv
    sums = s[..., None, :] + s[..., :, None]
    share = s[..., None, :] / (sums + (sums == 0))
    turned = share * (left - adjoint(left)) + (1 - share) * (right - adjoint(right))
    c = (u * unless_zero(gs, s)[..., None, :]) @ vh + u @ (inverse_gaps(s) * turned) @ vh
    inverse = inverse_or_zero(s)[..., None, :]
    if u.dtype.kind == "c":  # the phase that two vectors have in common is free, the difference is not
        eye = np.eye(k, dtype=s.dtype)
        c = c + (u * (0.5j * inverse)) @ (eye * (imag(left) - imag(right))) @ vh
    if m > k:
        c = c + ((gu - u @ left) * inverse) @ vh
    if n > k:
        c = c + (u * inverse) @ adjoint(gv - v @ right)
    return differentiable_once(c, s, gu, gs, gvh)


def _pinv_pull(g: Any, a: Any, p: Any) -> Any:
    gh, ph = adjoint(g), adjoint(p)
    c = (gh - a @ (p @ gh)) @ p @ ph + ph @ p @ (gh - (gh @ p) @ a)
    return c - ph @ g @ ph


def _pinv_push(t: Any, a: Any, p: Any) -> Any:
    th, ph = adjoint(t), adjoint(p)
    return p @ ph @ (th - (th @ a) @ p) + (th - p @ (a @ th)) @ ph @ p - p @ t @ p


# ---- singular values and vectors


class SVDResult(NamedTuple):
    """What `svd` returns."""

    U: Any
    S: Any
    Vh: Any


def svd(a: Any, /, full_matrices: bool = True, compute_uv: bool = True, hermitian: bool = False) -> Any:
    """Singular values and vectors: ``a = U @ diag(S) @ Vh``.

    Vectors of equal singular values are taken to stand still, and singular values that are 0 (both to
    rounding) to have no slope. What depends on either only through values that are neither has an exact gradient,
    and so have sums of a function of all values that are not 0; all else has a finite one. Second derivatives
    are not known where values are equal, and are inf or NaN there.
    Columns of ``U`` and rows of ``Vh`` beyond the first ``min(M, N)`` are some basis of the rest of the space;
    their gradient is that of any function which does not depend on the choice of basis.

    Args:
        a: matrices ``(..., M, N)``.
        full_matrices: ``U`` is ``(..., M, M)`` and ``Vh`` ``(..., N, N)``; else they are
            ``(..., M, K)`` and ``(..., K, N)`` with ``K = min(M, N)``.
        compute_uv: without, the result is ``S`` alone.
        hermitian: the matrices are Hermitian; of each the lower triangle is read, as by `eigh`.

    Returns:
        ``(U, S, Vh)``, with ``S`` descending, ``(..., K)``.

    Raises:
        ShapeError: there are fewer than two axes, or Hermitian matrices are not square.
        LinalgError: LAPACK does not converge.

    Example:
        >>> import tensorgrad as tg
        >>> tg.linalg.svd(tg.tensor([[0.0, 2.0], [3.0, 0.0]])).S
        tensor([3., 2.])

    Source:
        Townsend, Differentiating the singular value decomposition, 2016; for complex matrices Wan and
        Zhang, Automatic differentiation for complex valued SVD, 2019.
    """
    x = opened("svd", a)
    if hermitian:
        x = mirrored("svd", x)
    if not compute_uv:
        return closed(_svdvals(x), a)
    u, s, vh = _svd(x)
    if full_matrices:
        u, vh = completed(u), adjoint(completed(adjoint(vh)))
    return SVDResult(closed(u, a), closed(s, a), closed(vh, a))


def svdvals(a: Any, /) -> Any:
    """Singular values in descending order, as of `svd`, and several times faster where no gradient is wanted.

    Args:
        a: matrices ``(..., M, N)``.

    Raises:
        ShapeError: there are fewer than two axes.
        LinalgError: LAPACK does not converge.

    Example:
        >>> import tensorgrad as tg
        >>> tg.grad(lambda a: tg.linalg.svdvals(a)[0])(tg.tensor([[3.0, 0.0], [0.0, 2.0]]))
        tensor([[1., 0.],
                [0., 0.]])
    """
    return closed(_svdvals(opened("svdvals", a)), a)


# ---- pseudo-inverse and least squares


def pinv(a: Any, /, rcond: float | None = None, hermitian: bool = False, *, rtol: float | None = None) -> Any:
    """The Moore-Penrose inverse of matrices.

    The gradient holds for any rank, as long as it does not change nearby; it does not go through singular
    vectors, so equal singular values do no harm.

    Args:
        a: matrices ``(..., M, N)``.
        rcond: singular values up to ``rcond`` times the largest count as 0; by default
            ``max(M, N)`` times the spacing of floats at 1, as in the Array API.
        hermitian: the matrices are Hermitian; of each the lower triangle is read, as by `eigh`.
        rtol: the same as ``rcond``; the name that the Array API has for it.

    Raises:
        ShapeError: there are fewer than two axes, Hermitian matrices are not square, or both ``rcond`` and
            ``rtol`` are given.
        DtypeError: the bound is not a number.
        LinalgError: LAPACK does not converge.

    Example:
        >>> import tensorgrad as tg
        >>> tg.linalg.pinv(tg.tensor([[2.0, 0.0], [0.0, 0.0]]))
        tensor([[0.5, 0. ],
                [0. , 0. ]])

    Source:
        Golub and Pereyra, The differentiation of pseudo-inverses and nonlinear least squares problems whose
        variables separate, 1973, theorem 4.3.
    """
    if rcond is not None and rtol is not None:
        raise ShapeError(f"pinv: rcond is {rcond} and rtol is {rtol}; they are two names of one bound")
    x = opened("pinv", a)
    if hermitian:
        x = mirrored("pinv", x)
    return closed(_pinv(x, _tolerance("pinv", x, rcond if rtol is None else rtol)), a)


class LstsqResult(NamedTuple):
    """What `lstsq` returns."""

    x: Any
    residuals: Any
    rank: Any
    s: Any


def lstsq(a: Any, b: Any, /, rcond: float | None = None) -> LstsqResult:
    """The shortest ``x`` for which ``a @ x`` is nearest to ``b``.

    Args:
        a: matrices ``(..., M, N)``.
        b: a vector ``(M,)``, or matrices ``(..., M, K)`` whose leading axes broadcast with those of ``a``.
        rcond: singular values up to ``rcond`` times the largest count as 0; by default
            ``max(M, N)`` times the spacing of floats at 1.

    Returns:
        ``(x, residuals, rank, s)``: ``(..., N, K)``; the sums of squares of ``b - a @ x`` for each column,
        ``(..., K)``, whatever the rank (NumPy leaves them out unless it is N, and M > N); the rank of each
        matrix; and its singular values. ``x`` has a gradient for any rank, see `pinv`.

    Raises:
        ShapeError: ``a`` is no matrix, or has another number of rows than ``b``.
        LinalgError: LAPACK does not converge.

    Example:
        >>> import tensorgrad as tg
        >>> tg.linalg.lstsq(tg.tensor([[2.0], [0.0]]), tg.tensor([6.0, 1.0])).x
        tensor([3.])
    """
    m, b = opened("lstsq", a), lifted("lstsq", b)
    if not b.ndim or m.shape[-2] != b.shape[-1 if b.ndim == 1 else -2]:
        raise ShapeError(f"lstsq: a {m.shape} and b {b.shape}; they must have as many rows")
    half = b if b.dtype == getattr(a, "dtype", None) == np.float16 else None
    b = astype(b, m.dtype) if b.dtype.kind in "biu" or b.dtype.char == "e" else b
    column = b[:, None] if b.ndim == 1 else b
    x = _pinv(m, _tolerance("lstsq", m, rcond)) @ column
    rest = column - m @ x
    residuals = sum(real(rest * conjugate(rest)) if rest.dtype.kind == "c" else square(rest), -2)
    if b.ndim == 1:
        x, residuals = x[..., 0], residuals[..., 0]
    s = _svdvals(m)
    return LstsqResult(
        closed(x, half), closed(residuals, half), _rank("lstsq", s, m, None, rcond), closed(s, a)
    )


# ---- rank and condition


def matrix_rank(a: Any, /, tol: Any = None, hermitian: bool = False, *, rtol: float | None = None) -> Any:
    """The number of singular values of each matrix that are not 0; it has no gradient.

    Args:
        a: matrices ``(..., M, N)``.
        tol: singular values up to this count as 0; one number, or one for each matrix.
        hermitian: the matrices are Hermitian; of each the lower triangle is read, as by `eigh`.
        rtol: those up to ``rtol`` times the largest do; by default ``max(M, N)`` times the spacing of
            floats at 1.

    Raises:
        ShapeError: there are fewer than two axes, Hermitian matrices are not square, or both ``tol`` and
            ``rtol`` are given.

    Example:
        >>> import tensorgrad as tg
        >>> tg.linalg.matrix_rank(tg.tensor([[1.0, 2.0], [2.0, 4.0]])).item()
        1
    """
    if tol is not None and rtol is not None:
        raise ShapeError(f"matrix_rank: tol is {tol} and rtol is {rtol}; one of the two can hold")
    x = stop_gradient(opened("matrix_rank", a))
    if hermitian:
        x = mirrored("matrix_rank", x)
    return _rank("matrix_rank", _svdvals(x), x, tol, rtol)


def completed(q: Any) -> Any:
    """Orthonormal columns and the complement of what they span, which turns with them.

    The complement ``c`` is a constant to the formulas. What is made of it here equals it, and stays orthonormal
    and orthogonal to ``q`` when ``q`` moves, to third order.
    """
    if q.shape[-1] >= q.shape[-2]:
        return q
    c = complement(q)
    w = adjoint(q) @ c
    rest = c - q @ w
    return concat([q, rest + rest @ (adjoint(w) @ w) / 2], axis=-1)


# ---- helpers


def _tolerance(op: str, a: Any, rtol: Any) -> float:
    if rtol is None:
        return float(max(a.shape[-2:]) * np.finfo(a.dtype).eps)
    if not isinstance(rtol, int | float | np.integer | np.floating):
        raise DtypeError(
            f"{op}: the bound for singular values is a {type(rtol).__name__}; one number is needed"
        )
    return float(rtol)


def _rank(op: str, s: Any, a: Any, tol: Any, rtol: float | None) -> Any:
    s = stop_gradient(s)
    if tol is None:
        tol = s[..., :1] * _tolerance(op, a, rtol)
    elif not isinstance(tol, int | float):
        tol = expand_dims(lifted(op, tol), -1)
    return sum(greater(s, tol), -1)
