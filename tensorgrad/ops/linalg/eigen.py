"""Eigenvalues and eigenvectors.

Equal eigenvalues (to rounding) share a space, and LAPACK picks some basis of it. How that basis would
turn is not defined; the formulas take it to stand still. So the gradient is exact there for sums of ``f``
of all eigenvalues, and for what depends on the space only, as the projector onto it does. All else has a
gradient that is finite, and lacks what the turning would add. Second derivatives would lack it for sums of
``f``, too, and are inf or NaN instead (`differentiable_once`).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ..._errors import ShapeError
from ..._primitive import declare
from ..dtype import conjugate, real
from ..reduce import sum
from ._matrices import adjoint, attempt
from ._spectra import closed, differentiable_once, divided, inverse_gaps, opened, pinned

# ---- cards


def _eigenpairs_hermitian(a: Any, /, UPLO: str = "L") -> tuple[Any, Any]:
    """Eigenvalues, in ascending order, and eigenvectors of Hermitian matrices."""
    return tuple(_attempt("eigh", np.linalg.eigh, a, UPLO))


def _eigenvalues_hermitian(a: Any, /, UPLO: str = "L") -> Any:
    """Eigenvalues of Hermitian matrices, in ascending order; vectors are computed for the gradient only."""
    return _attempt("eigvalsh", np.linalg.eigvalsh, a, UPLO)


def _eigenpairs(a: Any, /) -> tuple[Any, Any]:
    """Complex eigenvalues and eigenvectors of any square matrices."""
    values, vectors = _attempt("eig", np.linalg.eig, a)
    dtype = np.result_type(values, np.complex64)
    return values.astype(dtype, copy=False), vectors.astype(dtype, copy=False)


_eigh = declare(_eigenpairs_hermitian, "general", several=True, name="eigh")
_eigvalsh = declare(_eigenvalues_hermitian, "general", name="eigvalsh")
_eig = declare(_eigenpairs, "general", several=True, name="eig")

_eigh.vjp(a=lambda g, y, UPLO: _eigh_pull(g, y, UPLO))
_eigvalsh.vjp(a=lambda g, a, UPLO: _eigvalsh_pull(g, *_eigh(a, UPLO)))
_eig.vjp(a=lambda g, y, a_dtype: _like(_eig_pull(*g, *y), a_dtype))
_eigh.batching(lambda size, batched, args, UPLO: _eigh(args[0], UPLO))
_eigvalsh.batching(lambda size, batched, args, UPLO: _eigvalsh(args[0], UPLO))
_eig.batching(lambda size, batched, args: _eig(args[0]))


def _eigvalsh_pull(g: Any, values: Any, v: Any) -> Any:
    return differentiable_once(_hermitian_pull(g, v), values, g)


def _hermitian_pull(g: Any, v: Any) -> Any:
    return (v * g[..., None, :]) @ adjoint(v)


def _eigh_pull(g: Any, y: Any, UPLO: str) -> Any:
    (g, gv), (values, v) = g, y
    real_row = 0 if UPLO == "L" else v.shape[-1] - 1  # LAPACK reduces the matrix from the other end
    turned = inverse_gaps(values) * (adjoint(v) @ pinned(gv, v, real_row))
    c = _hermitian_pull(g, v) + v @ turned @ adjoint(v)
    return differentiable_once((c + adjoint(c)) / 2, values, g, gv)


def _eig_pull(g: Any, gv: Any, values: Any, v: Any) -> Any:
    gv = pinned(gv, v)
    gv = gv - v * sum(real(conjugate(v) * gv), -2, True)  # the vectors keep their length
    inner = np.eye(v.shape[-1], dtype=v.dtype) * g[..., None, :]
    inner = inner + conjugate(inverse_gaps(values)) * (adjoint(v) @ gv)
    wrong = "the eigenvectors of some matrix are linearly dependent"
    c = divided("eig", wrong, adjoint(v), inner @ adjoint(v))
    return differentiable_once(c, values, g, gv)


def _like(c: Any, dtype: Any) -> Any:
    return c if dtype.kind == "c" else real(c)


# ---- public functions


class EighResult(NamedTuple):
    """What `eigh` returns."""

    eigenvalues: Any
    eigenvectors: Any


class EigResult(NamedTuple):
    """What `eig` returns."""

    eigenvalues: Any
    eigenvectors: Any


def eigh(a: Any, /, UPLO: str = "L") -> EighResult:
    """Eigenvalues and eigenvectors of symmetric or Hermitian matrices: ``a = v @ diag(w) @ v^H``.

    One triangle is read, the other is taken to be its mirror image. The gradient is Hermitian: it is that
    of changes which keep ``a`` Hermitian, and both triangles have their half of it.

    Eigenvectors of eigenvalues that are equal (to rounding) are taken to stand still. Sums of a function of
    all eigenvalues, and projectors onto the whole space of equal ones, have an exact gradient there. All else
    has a finite one that need not be exact. Second derivatives are not known there, and are inf or NaN.

    The sign of a vector, or its phase, is the one that LAPACK picked, and the gradient is that of this very
    vector.

    Args:
        a: matrices ``(..., N, N)``.
        UPLO: the triangle to read, "L" (lower) or "U" (upper).

    Returns:
        ``(eigenvalues, eigenvectors)``: real and ascending, ``(..., N)``; and one in each column, of length 1,
        ``(..., N, N)``.

    Raises:
        ShapeError: the matrices are not square, or ``UPLO`` is neither letter.
        LinalgError: LAPACK does not converge.

    Example:
        >>> import tensorgrad as tg
        >>> tg.linalg.eigh(tg.tensor([[2.0, 1.0], [1.0, 2.0]])).eigenvalues
        tensor([1., 3.])

    Source:
        Giles, Collected matrix derivative results for forward and reverse mode, 2008, section 3.1.
    """
    values, vectors = _eigh(opened("eigh", a, square_only=True), _triangle("eigh", UPLO))
    return EighResult(closed(values, a), closed(vectors, a))


def eigvalsh(a: Any, /, UPLO: str = "L") -> Any:
    """Eigenvalues of symmetric or Hermitian matrices, in ascending order.

    As of `eigh`, several times faster where no gradient is wanted. Where eigenvalues are equal, second derivatives
    are inf or NaN, except where the first is constant as that of their sum is. `slogdet`, `matrix_power` and
    `matrix_exp` with `trace` have exact ones everywhere.

    Args:
        a: matrices ``(..., N, N)``.
        UPLO: the triangle to read, "L" (lower) or "U" (upper).

    Raises:
        ShapeError: the matrices are not square, or ``UPLO`` is neither letter.
        LinalgError: LAPACK does not converge.

    Example:
        >>> import tensorgrad as tg
        >>> tg.linalg.eigvalsh([[2.0, 1.0], [1.0, 2.0]])
        tensor([1., 3.])
    """
    return closed(_eigvalsh(opened("eigvalsh", a, square_only=True), _triangle("eigvalsh", UPLO)), a)


def eig(a: Any, /) -> EigResult:
    """Eigenvalues and eigenvectors of square matrices: ``a @ v = v * w``.

    Both are complex, also where all imaginary parts are 0, as the Array API has it; `numpy.linalg.eig`
    lets the values decide. Each vector has length 1, and its largest element is real, as LAPACK has it;
    the gradient is that of these very vectors. For float16 they are complex64. Where the eigenvectors do not
    span the space, as those of ``[[0, 1], [0, 0]]``, slopes are infinite, and what comes out is very large.

    Args:
        a: matrices ``(..., N, N)``.

    Returns:
        ``(eigenvalues, eigenvectors)``: ``(..., N)``, in no particular order; and one in each column.

    Raises:
        ShapeError: the matrices are not square.
        LinalgError: LAPACK does not converge; or a gradient is wanted, and the eigenvectors are dependent.

    Example:
        >>> import tensorgrad as tg
        >>> tg.real(tg.linalg.eig(tg.tensor([[2.0, 1.0], [0.0, 3.0]])).eigenvalues)
        tensor([2., 3.])

    Source:
        Boeddeker, Hanebrink, Drude, Heymann and Haeb-Umbach, On the computation of complex-valued gradients
        with application to statistically optimum beamforming, 2017, section 4.5.
    """
    return EigResult(*_eig(opened("eig", a, square_only=True)))


def eigvals(a: Any, /) -> Any:
    """Eigenvalues of square matrices, always complex: those of `eig`.

    The vectors are computed as well. LAPACK finds the values in another order without them (from about a
    hundred rows on), so that they could not be computed later, for the gradient.

    Args:
        a: matrices ``(..., N, N)``.

    Raises:
        ShapeError: the matrices are not square.
        LinalgError: as for `eig`.

    Example:
        >>> import tensorgrad as tg
        >>> tg.imag(tg.linalg.eigvals(tg.tensor([[0.0, -1.0], [1.0, 0.0]])))
        tensor([ 1., -1.])
    """
    values: Any = _eig(opened("eigvals", a, square_only=True))[0]
    return values


# ---- helpers


def _attempt(op: str, function: Any, a: Any, *settings: Any) -> Any:
    wrong = "has eigenvalues that LAPACK does not find; look for NaN and infinities in it"
    return attempt(op, wrong, lambda one: function(one, *settings), a)


def _triangle(op: str, UPLO: str) -> str:
    if UPLO not in ("L", "U", "l", "u"):
        raise ShapeError(f"{op}: UPLO is {UPLO!r}; it is 'L' for the lower triangle, 'U' for the upper one")
    return UPLO.upper()
