"""Systems of linear equations, and inverses."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..._errors import LinalgError, ShapeError
from ..._primitive import declare, primitive
from ..diagonals import tril, triu
from ..elementwise import negative, subtract
from ..shape import (
    expand_dims,
    lifted,
    matrix_transpose,
    normalise_axis,
    permute_dims,
    reshape,
)
from ._matrices import adjoint, alike, as_matrices, attempt, lapack, refitted, square

BLOCK = 64
"""The size of the triangles that LAPACK solves; what lies between them are matrix products."""


# ---- inverse


@primitive
def inv(a: Any, /) -> Any:
    """Inverse of square matrices.

    Args:
        a: a matrix, or a stack of them in the last two axes.

    Raises:
        ShapeError: the matrices are not square.
        LinalgError: one is singular.

    Example:
        >>> import tensorgrad as tg
        >>> tg.linalg.inv(tg.tensor([[2.0, 0.0], [0.0, 4.0]]))
        tensor([[0.5 , 0.  ],
                [0.  , 0.25]])
    """
    return attempt("inv", "is singular; linalg.pinv has an answer for it", np.linalg.inv, square("inv", a))


inv.vjp(a=lambda g, y: negative(adjoint(y) @ g @ adjoint(y)))
inv.jvp(a=lambda t, y: negative(y @ t @ y))


@inv.batching
def _inv_batch(size: int, batched: Any, args: Any) -> Any:
    return inv(args[0])


# ---- systems of equations. Both inputs are one list, so that one formula serves both cotangents:
# they share the solution of the adjoint system.


def _solution(*operands: Any) -> Any:
    """The matrices x with ``a @ x = b``."""
    a, b = operands
    square("solve", a)
    _check_rows("solve", a, b)
    wrong = "is singular; linalg.lstsq has an answer for it"
    return attempt("solve", wrong, np.linalg.solve, a, b, culprit=np.linalg.inv)


_solve = declare(_solution, "general", broadcasts=True, name="solve")
_solve.vjp(
    operands=lambda g, operands, operands_shape, y, wanted: _pull(
        _solve(adjoint(operands[0]), g), operands_shape, y, wanted
    )
)
_solve.jvp(operands=lambda t, operands, y: _solve(operands[0], subtract(t[1], t[0] @ y)))


def substitution(*operands: Any, upper: bool, unitriangular: bool) -> Any:
    """The matrices x with ``a @ x = b``, where one triangle of ``a`` is read and the other taken as 0."""
    a, b = operands
    square("solve_triangular", a)
    _check_rows("solve_triangular", a, b)
    if upper:
        return lapack(_back_substitution, a, b, unit=unitriangular)
    y = lapack(_back_substitution, a[..., ::-1, ::-1], b[..., ::-1, :], unit=unitriangular)
    return y[..., ::-1, :].copy()


_solve_triangular = declare(substitution, "general", broadcasts=True, name="solve_triangular")
_solve_triangular.vjp(
    operands=lambda g, operands, operands_shape, y, wanted, upper, unitriangular: _pull(
        _solve_triangular(adjoint(operands[0]), g, upper=not upper, unitriangular=unitriangular),
        operands_shape,
        y,
        wanted,
        lambda ga: _read_part(ga, upper, unitriangular),
    )
)
_solve_triangular.jvp(
    operands=lambda t, operands, y, upper, unitriangular: _solve_triangular(
        operands[0],
        subtract(t[1], _read_part(t[0], upper, unitriangular) @ y),
        upper=upper,
        unitriangular=unitriangular,
    )
)


def solve(a: Any, b: Any, /) -> Any:
    """The x with ``a @ x = b``.

    Args:
        a: square matrices, shape (..., n, n).
        b: a vector of n elements, or matrices (..., n, k); the leading axes broadcast.

    Raises:
        ShapeError: the shapes do not fit.
        LinalgError: a matrix is singular.

    Example:
        >>> import tensorgrad as tg
        >>> tg.linalg.solve(tg.tensor([[2.0, 1.0], [0.0, 4.0]]), tg.tensor([4.0, 8.0]))
        tensor([1., 2.])
    """
    a, b = alike("solve", a, b)
    return _solve(a, expand_dims(b, -1))[..., 0] if b.ndim == 1 else _solve(a, b)


def solve_triangular(
    a: Any, b: Any, /, *, upper: bool, left: bool = True, unitriangular: bool = False
) -> Any:
    """The x with ``a @ x = b``, or ``x @ a = b``, where ``a`` is triangular.

    Args:
        a: square matrices, shape (..., n, n), of which one triangle is read.
        b: matrices, (..., n, k), or a vector of n elements; the leading axes broadcast.
        upper: whether the upper triangle is read, or else the lower one.
        left: whether ``a`` stands on the left of ``x``; on its right, ``b`` has the shape (..., k, n).
        unitriangular: take the diagonal as 1, whatever stands there.

    Raises:
        ShapeError: the shapes do not fit.
        LinalgError: there is a 0 on a diagonal.

    Example:
        >>> import tensorgrad as tg
        >>> l = tg.tensor([[2.0, 0.0], [1.0, 4.0]])
        >>> tg.linalg.solve_triangular(l, tg.tensor([4.0, 10.0]), upper=False)
        tensor([2., 2.])
    """
    a, b = alike("solve_triangular", a, b)
    settings = {"upper": bool(upper), "unitriangular": bool(unitriangular)}
    if not left:
        settings["upper"] = not upper
        as_matrices("solve_triangular", b, "b")
        a, b = matrix_transpose(a), matrix_transpose(b)
        return matrix_transpose(_solve_triangular(a, b, **settings))
    if b.ndim == 1:
        return _solve_triangular(a, expand_dims(b, -1), **settings)[..., 0]
    return _solve_triangular(a, b, **settings)


# ---- the same for arrays with more axes


def tensorinv(a: Any, /, ind: int = 2) -> Any:
    """The inverse of ``a`` for `tensordot`: with respect to the sum over ``ind`` axes.

    Args:
        a: an array or tensor whose first ``ind`` axes have as many elements as the others together.
        ind: how many of the axes are the rows of the matrix to invert.

    Raises:
        ShapeError: they have not, or ``ind`` is out of range.
        LinalgError: there is no inverse.

    Example:
        >>> import tensorgrad as tg
        >>> tg.linalg.tensorinv(tg.reshape(tg.eye(6), (2, 3, 6)), ind=2).shape
        (6, 2, 3)
    """
    a = lifted("tensorinv", a)
    if not 0 < ind <= a.ndim:
        raise ShapeError(f"tensorinv: ind is {ind}; 1 to {a.ndim} axes of a {a.shape} can be the rows")
    rows, columns = a.shape[:ind], a.shape[ind:]
    _check_square("tensorinv", rows, columns)
    n = math.prod(rows)
    return reshape(inv(reshape(a, (n, n))), (*columns, *rows))


def tensorsolve(a: Any, b: Any, /, axes: Sequence[int] | None = None) -> Any:
    """The x with ``tensordot(a, x, x.ndim) = b``.

    Args:
        a: an array or tensor whose first axes have the lengths of those of ``b``, and whose others have as
            many elements.
        b: an array or tensor.
        axes: the axes of ``a`` to put last first, if any.

    Raises:
        ShapeError: the shapes do not fit.
        LinalgError: there is no single answer.

    Example:
        >>> import tensorgrad as tg
        >>> tg.linalg.tensorsolve(tg.reshape(tg.eye(6), (2, 3, 6)), tg.ones((2, 3))).shape
        (6,)
    """
    a, b = alike("tensorsolve", a, b)
    if axes is not None:
        last = [normalise_axis("tensorsolve", one, a.ndim) for one in axes]
        a = permute_dims(a, (*[i for i in range(a.ndim) if i not in last], *last))
    rows, columns = a.shape[: b.ndim], a.shape[b.ndim :]
    if rows != b.shape:
        raise ShapeError(f"tensorsolve: a has shape {a.shape}, which does not begin with that of b {b.shape}")
    _check_square("tensorsolve", rows, columns)
    n = math.prod(rows)
    return reshape(solve(reshape(a, (n, n)), reshape(b, (n,))), columns)


# ---- parts


def _pull(gb: Any, shapes: Any, y: Any, wanted: Any, part: Any = lambda ga: ga) -> list[Any]:
    """Cotangents of ``a`` and ``b``, from that of ``b`` before what was repeated is summed up."""
    return [
        refitted(part(negative(gb @ adjoint(y))), shapes[0]) if wanted[0] else None,
        refitted(gb, shapes[1]) if wanted[1] else None,
    ]


def _read_part(a: Any, upper: bool, unitriangular: bool) -> Any:
    return triu(a, k=int(unitriangular)) if upper else tril(a, k=-int(unitriangular))


def _back_substitution(a: Any, b: Any, unit: bool) -> Any:
    """Solve upper triangles from the last rows up. LAPACK's `solve` exchanges no rows of a triangle."""
    n = a.shape[-1]
    y = np.empty((*np.broadcast_shapes(a.shape[:-2], b.shape[:-2]), *b.shape[-2:]), np.result_type(a, b))
    for end in range(n, 0, -BLOCK):
        start = max(0, end - BLOCK)
        triangle = np.triu(a[..., start:end, start:end], int(unit))
        if unit:
            triangle += np.eye(end - start, dtype=triangle.dtype)
        rest = b[..., start:end, :]
        if end < n:
            rest = rest - a[..., start:end, end:] @ y[..., end:, :]
        try:
            y[..., start:end, :] = np.linalg.solve(triangle, rest)
        except np.linalg.LinAlgError:
            raise LinalgError(
                f"solve_triangular: {_zero_on_diagonal(a)} the diagonal is 0, so the matrix is singular"
            ) from None
    return y


def _zero_on_diagonal(a: Any) -> str:
    *batch, _ = np.argwhere(np.diagonal(a, axis1=-2, axis2=-1) == 0)[0].tolist()
    return f"of a{batch} an element on" if batch else "an element on"


def _check_rows(op: str, a: Any, b: Any) -> None:
    if as_matrices(op, b, "b").shape[-2] != a.shape[-1]:
        raise ShapeError(f"{op}: a {a.shape} has {a.shape[-1]} rows, and b {b.shape} has {b.shape[-2]}")


def _check_square(op: str, rows: tuple[int, ...], columns: tuple[int, ...]) -> None:
    if math.prod(rows) != math.prod(columns):
        raise ShapeError(
            f"{op}: axes {rows} for the rows and {columns} for the columns have {math.prod(rows)} and "
            f"{math.prod(columns)} elements; one number is needed"
        )
