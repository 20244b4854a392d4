"""Factorisations into triangles: Cholesky's, and LU with exchange of rows."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from ..._errors import LinalgError
from ..._primitive import declare
from ..diagonals import tril
from ..elementwise import multiply
from ..shape import concat, lifted
from ._matrices import adjoint, as_matrices, attempt, square
from .solve import solve_triangular, substitution

PANEL = 32
"""How many columns of an LU factorisation are eliminated one by one before a matrix product does the rest."""


# ---- Cholesky


def _root(a: Any, /) -> Any:
    """The lower triangle low with ``low @ adjoint(low) = a``; only the lower triangle of ``a`` is read."""
    wrong = "is not positive definite; linalg.eigh takes any that is symmetric"
    return attempt("cholesky", wrong, np.linalg.cholesky, square("cholesky", a))


_cholesky = declare(_root, "general", name="cholesky")
_cholesky.vjp(a=lambda g, y: _between(adjoint(y), _hermitian_part(_halved(adjoint(y) @ g)), upper=True))
_cholesky.jvp(a=lambda t, y: y @ _halved(_between(y, _hermitian_part(t), upper=False)))


@_cholesky.batching
def _cholesky_batch(size: int, batched: Any, args: Any) -> Any:
    return _cholesky(args[0])


def cholesky(a: Any, /, *, upper: bool = False) -> Any:
    """The triangle with positive diagonal that is a square root of a positive definite matrix.

    Args:
        a: symmetric or Hermitian matrices in the last two axes. Only the triangle that is asked for is read;
            the gradient is that of a function of symmetric matrices, and symmetric itself.
        upper: return u with ``adjoint(u) @ u = a``, and not low with ``low @ adjoint(low) = a``.

    Raises:
        ShapeError: the matrices are not square.
        LinalgError: one is not positive definite.

    Example:
        >>> import tensorgrad as tg
        >>> tg.linalg.cholesky(tg.tensor([[4.0, 2.0], [2.0, 5.0]]))
        tensor([[2., 0.],
                [1., 2.]])

    Source:
        Murray, Differentiation of the Cholesky decomposition, 2016, equations 8 and 10.
    """
    a = lifted("cholesky", a)
    return adjoint(_cholesky(adjoint(square("cholesky", a)))) if upper else _cholesky(a)


def cholesky_solve(b: Any, factor: Any, /, *, upper: bool = False) -> Any:
    """The x with ``a @ x = b``, from the Cholesky factor of a.

    Args:
        b: a vector, or matrices.
        factor: what `cholesky` returned for a.
        upper: whether it is the upper triangle.

    Raises:
        ShapeError: the shapes do not fit.
        LinalgError: there is a 0 on the diagonal.

    Example:
        >>> import tensorgrad as tg
        >>> low = tg.linalg.cholesky(tg.tensor([[4.0, 2.0], [2.0, 5.0]]))
        >>> tg.linalg.cholesky_solve(tg.tensor([6.0, 7.0]), low)
        tensor([1., 1.])
    """
    factor = as_matrices("cholesky_solve", lifted("cholesky_solve", factor), "factor")
    first, second = (adjoint(factor), factor) if upper else (factor, adjoint(factor))
    return solve_triangular(second, solve_triangular(first, b, upper=False), upper=True)


# ---- LU


class LUResult(NamedTuple):
    """What `lu` returns: the permutation, the lower triangle with diagonal 1, and the upper triangle."""

    P: Any
    L: Any
    U: Any


def _factors(a: Any, /) -> tuple[Any, ...]:
    """The permutation p, lower triangle low and upper triangle u with ``p @ low @ u = a``."""
    wide = np.result_type(a, np.float32) if a.dtype.kind in "fc" else np.dtype(np.float64)
    parts = _eliminated(as_matrices("lu", a).astype(wide))
    return tuple([part.astype(a.dtype) for part in parts]) if a.dtype.char == "e" else parts


_lu = declare(_factors, "general", several=True, name="lu")
_lu.vjp(a=lambda g, y: _lu_pull(y, g))


@_lu.batching
def _lu_batch(size: int, batched: Any, args: Any) -> Any:
    return _lu(args[0])


def lu(a: Any, /) -> LUResult:
    """Factorise matrices by elimination: ``a = p @ low @ u``, the largest element of a column as its pivot.

    Args:
        a: matrices (..., m, n).

    Returns:
        A named tuple: ``P``, a permutation (..., m, m); ``L``, a lower triangle (..., m, k) with diagonal 1;
        ``U``, an upper triangle (..., k, n), with k the smaller of m and n.

    Raises:
        ShapeError: there are fewer than two axes.
        LinalgError: a gradient is wanted where a pivot with rows below it is 0, and there is none.

    Example:
        >>> import tensorgrad as tg
        >>> p, low, u = tg.linalg.lu(tg.tensor([[1.0, 2.0], [2.0, 2.0]]))
        >>> low
        tensor([[1. , 0. ],
                [0.5, 1. ]])

    Source:
        Golub and Van Loan, Matrix Computations, 4th edition, 2013, section 3.4.
    """
    return LUResult(*_lu(a))


# ---- their derivatives


def _halved(x: Any) -> Any:
    """The lower triangle with half of the diagonal."""
    n = x.shape[-1]
    return multiply(x, (np.tri(n, k=-1) + np.eye(n) / 2).astype(x.dtype))


def _hermitian_part(x: Any) -> Any:
    return (x + adjoint(x)) * 0.5


def _between(triangle: Any, x: Any, upper: bool) -> Any:
    """``inv(r) @ x @ adjoint(inv(r))`` for a triangle r, and x that is Hermitian."""
    half = solve_triangular(triangle, x, upper=upper)
    return solve_triangular(triangle, adjoint(half), upper=upper)


def _lu_pull(y: Any, g: Any) -> Any:
    p, low, u = y
    try:
        return p @ _pull_of_rows(low, u, g[1], g[2])
    except LinalgError as error:
        raise LinalgError(
            f"lu: where columns are dependent, the factors have no derivative ({error})"
        ) from None


def _pull_of_rows(low: Any, u: Any, glow: Any, gu: Any) -> Any:
    """The cotangent of the rows in their new order, r.

    Of the square parts l1 and u1, inv(l1) @ dr @ inv(u1) = inv(l1) @ dl1 + du1 @ inv(u1): the first is
    strictly lower and the second upper. Further rows of l are those of r @ inv(u1), and further columns
    of u those of inv(l1) @ r.
    """
    k = low.shape[-1]
    l1, u1, gl1, gu1 = low[..., :k, :], u[..., :k], glow[..., :k, :], gu[..., :k]
    below = beside = None
    if low.shape[-2] > k:
        below = adjoint(solve_triangular(u1, adjoint(glow[..., k:, :]), upper=True))
        gu1 = gu1 - adjoint(low[..., k:, :]) @ below
    if u.shape[-1] > k:
        beside = solve_triangular(adjoint(l1), gu[..., k:], upper=True, unitriangular=True)
        gl1 = gl1 - beside @ adjoint(u[..., k:])
    # Nothing is divided by the last pivot, unless there are rows below it: it may be 0.
    last = np.zeros((k, k), u.dtype)
    last[k - 1 :, k - 1 :] = 1
    divisor = u1 if below is not None else u1 * (1 - last) + last
    strict = tril(adjoint(l1) @ gl1 - gu1 @ adjoint(u1), k=-1)
    g = gu1 + adjoint(solve_triangular(divisor, adjoint(strict), upper=True))
    g = solve_triangular(adjoint(l1), g, upper=True, unitriangular=True)
    if below is not None:
        return concat([g, below], axis=-2)
    return g if beside is None else concat([g, beside], axis=-1)


# ---- elimination


def _eliminated(a: Any) -> tuple[Any, Any, Any]:
    """Factors of matrices whose memory is used: panels of columns, then a product for what is right of them."""
    *lead, m, n = a.shape
    k = min(m, n)
    x = a.reshape((math.prod(lead), m, n))
    batch = np.arange(len(x))
    order = np.broadcast_to(np.arange(m), (len(x), m)).copy()
    for start in range(0, k, PANEL):
        end = min(start + PANEL, k)
        for j in range(start, end):
            _exchange(x, order, batch, j)
            pivot, below = x[:, j, j], x[:, j + 1 :, j]
            below /= (pivot if pivot.all() else np.where(pivot == 0, 1, pivot))[:, None]
            x[:, j + 1 :, j + 1 : end] -= below[:, :, None] * x[:, j, None, j + 1 : end]
        if end < n:
            x[:, start:end, end:] = substitution(
                x[:, start:end, start:end], x[:, start:end, end:], upper=False, unitriangular=True
            )
            x[:, end:, end:] -= x[:, end:, start:end] @ x[:, start:end, end:]
    p = np.zeros((len(x), m, m), x.dtype)
    p[batch[:, None], order, np.arange(m)] = 1
    low = np.tril(x[:, :, :k], -1) + np.eye(m, k, dtype=x.dtype)
    u = np.triu(x[:, :k])
    return p.reshape((*lead, m, m)), low.reshape((*lead, m, k)), u.reshape((*lead, k, n))


def _exchange(x: Any, order: Any, batch: Any, j: int) -> None:
    """Bring the largest element of column ``j``, from row ``j`` down, to row ``j``: as LAPACK measures it."""
    column = x[:, j:, j]
    size = np.abs(column.real) + np.abs(column.imag) if column.dtype.kind == "c" else np.abs(column)
    best = j + size.argmax(-1)
    if len(x) == 1:  # the same without lists of indices, at a quarter of the cost
        (k,) = best.tolist()
        x[0, j], x[0, k] = x[0, k].copy(), x[0, j].copy()
        order[0, j], order[0, k] = order[0, k], order[0, j]
        return
    for rows in (x, order):
        upper = rows[:, j].copy()
        rows[:, j] = rows[batch, best]
        rows[batch, best] = upper
