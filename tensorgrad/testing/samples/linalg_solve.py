"""Rows of solving, inverting, determinants and factorisations without eigenvalues."""

from __future__ import annotations

from typing import Any

import numpy as np

from ... import linalg, ops
from ..._errors import LinalgError, ShapeError
from ...ops.linalg import determinant
from .row import Fails, OpSamples, at, complex_normal, normal, row

SINGULAR = np.array([[[2.0, 0.0], [0.0, 1.0]], [[1.0, 2.0], [2.0, 4.0]]])
"""Two matrices, of which the second is singular."""


def regular(*shape: int, seed: int = 0) -> Any:
    """Well conditioned matrices: a few times the identity, and normal numbers."""
    return normal(*shape, seed=seed) + 3 * np.eye(shape[-1])


def complex_regular(*shape: int, seed: int = 0) -> Any:
    """The same with complex numbers."""
    return complex_normal(*shape, seed=seed) + 4 * np.eye(shape[-1])


def _gauss_jordan(a: Any, b: Any) -> Any:
    """Solve by elimination with the largest pivot, row by row."""
    n = len(a)
    rows = [[*map(complex, a[i].tolist()), *map(complex, b[i].tolist())] for i in range(n)]
    for j in range(n):
        best = max(range(j, n), key=lambda i: abs(rows[i][j]))
        rows[j], rows[best] = rows[best], rows[j]
        rows[j] = [value / rows[j][j] for value in rows[j]]
        for i in range(n):
            if i != j:
                factor = rows[i][j]
                rows[i] = [x - factor * y for x, y in zip(rows[i], rows[j], strict=True)]
    return np.array([row[n:] for row in rows]).reshape(b.shape)


def _solve(a: Any, b: Any) -> Any:
    if b.ndim == 1:
        return _solve(a, b[:, None])[..., 0]
    batch = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    a, b = (np.broadcast_to(x, (*batch, *x.shape[-2:])) for x in (a, b))
    out = np.zeros(b.shape, complex)
    for index in np.ndindex(batch):
        out[index] = _gauss_jordan(a[index], b[index])
    return out if np.iscomplexobj(a) or np.iscomplexobj(b) else out.real


def _inv(a: Any) -> Any:
    return _solve(a, np.eye(a.shape[-1]))


def _triangle_of(a: Any, upper: bool, unitriangular: bool = False) -> Any:
    part = np.triu(a) if upper else np.tril(a)
    return part * (1 - np.eye(a.shape[-1])) + np.eye(a.shape[-1]) if unitriangular else part


def _solve_triangular(a: Any, b: Any, upper: bool, left: bool = True, unitriangular: bool = False) -> Any:
    part = _triangle_of(a, upper, unitriangular)
    return _solve(part, b) if left else _solve(part.swapaxes(-1, -2), b.swapaxes(-1, -2)).swapaxes(-1, -2)


def _not_square(name: str, call: Any) -> Fails:
    return Fails(
        lambda: call(np.ones((2, 3))), ShapeError, rf"{name}: a has shape \(2, 3\); the last two axes"
    )


def _no_matrix(name: str, call: Any) -> Fails:
    return Fails(lambda: call(np.ones(3)), ShapeError, rf"{name}: a has shape \(3,\); a matrix")


SOLVING = [
    row(
        "inv",
        at("size 1", np.array([[2.0]])),
        at("axes", regular(2, 3, 3)),
        at("edge: rows are exchanged", np.array([[0.0, 1.0], [2.0, 1.0]])),
        at("edge: empty", np.zeros((2, 0, 0))),
        at("complex", complex_regular(2, 2)),
        reference=_inv,
        errors=(
            _not_square("inv", linalg.inv),
            _no_matrix("inv", linalg.inv),
            Fails(lambda: linalg.inv(SINGULAR), LinalgError, r"inv: the matrix a\[1\] of 2 x 2 is singular"),
        ),
        numpy=np.linalg.inv,
    ),
    row(
        "solve",
        at("size 1", np.array([[2.0]]), np.array([[3.0]])),
        at("axes", regular(3, 3), normal(3, 2)),
        at("broadcast (2, 1) (2,)", regular(2, 1, 2, 2), normal(2, 2, 1)),
        at("edge: empty", np.zeros((0, 0)), np.zeros((0, 2))),
        at("edge: no columns", regular(2, 2), np.zeros((2, 0))),
        at("complex", complex_regular(2, 2), complex_normal(2, 2)),
        reference=_solve,
        errors=(
            Fails(
                lambda: linalg.solve(SINGULAR, np.ones((2, 1))),
                LinalgError,
                r"solve: the matrix a\[1\] of 2 x 2 is singular",
            ),
            Fails(
                lambda: linalg.solve(np.eye(2), np.ones((3, 1))),
                ShapeError,
                r"solve: a \(2, 2\) has 2 rows, and b \(3, 1\) has 3",
            ),
            Fails(
                lambda: linalg.solve(np.ones((2, 1, 1)), np.ones((3, 1, 1))),
                ShapeError,
                "solve: .*do not broadcast",
            ),
        ),
        numpy=np.linalg.solve,
    ),
    row(
        "solve_triangular",
        at("size 1", np.array([[2.0]]), np.array([[3.0]]), upper=True, unitriangular=False),
        at("axes, lower", regular(3, 3), normal(3, 2), upper=False, unitriangular=False),
        at("broadcast (2, 1) (2,)", regular(2, 1, 2, 2), normal(2, 2, 1), upper=True, unitriangular=False),
        at("edge: diagonal not read", normal(3, 3), normal(3, 1), upper=False, unitriangular=True),
        at("edge: empty", np.zeros((0, 0)), np.zeros((0, 2)), upper=True, unitriangular=False),
        at("complex", complex_regular(2, 2), complex_normal(2, 2), upper=True, unitriangular=True),
        reference=_solve_triangular,
        errors=(
            Fails(
                lambda: linalg.solve_triangular(np.zeros((2, 2)), np.ones((2, 1)), upper=True),
                LinalgError,
                "solve_triangular: an element on the diagonal is 0",
            ),
            Fails(
                lambda: linalg.solve_triangular(np.ones((2, 3)), np.ones((2, 1)), upper=True),
                ShapeError,
                r"solve_triangular: a has shape \(2, 3\)",
            ),
        ),
    ),
]


def _det(a: Any) -> Any:
    """By expansion along the first row."""
    n = a.shape[-1]
    if n == 0:
        return np.ones(a.shape[:-2], a.dtype)
    rest = [_det(a[..., 1:, [k for k in range(n) if k != j]]) for j in range(n)]
    return np.asarray(sum((-1) ** j * a[..., 0, j] * rest[j] for j in range(n)))


def _cofactors(*operands: Any) -> Any:
    """Cofactors by minors; of sums of directions, of which the part linear in each is taken."""
    a, *directions = operands
    if directions:
        *others, last = directions
        # A polynomial of degree n - 1 along a line: differences of so many points give its slope.
        n = a.shape[-1]
        points = np.arange(n) - (n - 1) / 2
        values = np.stack([_cofactors(a + h * last, *others) for h in points])
        weights = np.linalg.inv(np.vander(points, increasing=True))[1] if n > 1 else np.zeros(n)
        return np.tensordot(weights, values, 1)
    n = a.shape[-1]
    out = np.zeros_like(a)
    for i in range(n):
        for j in range(n):
            rows, columns = ([k for k in range(n) if k != m] for m in (i, j))
            out[..., i, j] = (-1) ** (i + j) * _det(a[..., rows, :][..., columns])
    return out


def _slogdet(a: Any) -> Any:
    value = _det(a)
    return value / np.abs(value), np.log(np.abs(value))


RANK_2 = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [5.0, 7.0, 9.0]])
RANK_1 = np.array([[1.0, 2.0, 3.0], [2.0, 4.0, 6.0], [-1.0, -2.0, -3.0]])

DETERMINANTS = [
    row(
        "det",
        at("size 1", np.array([[2.5]])),
        at("axes", regular(2, 3, 3)),
        at("edge: rank n - 1", RANK_2),
        at("edge: rank n - 2", RANK_1),
        at("edge: 0", np.zeros((2, 2))),
        at("edge: empty", np.zeros((2, 0, 0))),
        at("complex", complex_normal(2, 2)),
        reference=_det,
        errors=(_not_square("det", linalg.det), _no_matrix("det", linalg.det)),
        numpy=np.linalg.det,
    ),
    row(
        "cofactors",
        at("size 1", np.array([[2.5]])),
        at("axes", regular(2, 3, 3)),
        at("axes, one direction", regular(2, 3, 3), normal(2, 3, 3)),
        at("edge: two directions, rank n - 1", RANK_2, normal(3, 3), normal(3, 3, seed=1)),
        at("edge: a direction, rank n - 2", RANK_1, normal(3, 3)),
        at("edge: empty", np.zeros((0, 0))),
        at("complex", complex_normal(2, 2), complex_normal(2, 2, seed=1)),
        reference=_cofactors,
        errors=Fails(lambda: determinant.cofactors(np.ones((2, 3))), ShapeError, "cofactors: "),
    ),
    row(
        "slogdet",
        at("size 1", np.array([[-2.5]])),
        at("axes", regular(2, 3, 3)),
        at("edge: rows are exchanged", np.array([[0.0, 1.0], [2.0, 1.0]])),
        at("edge: empty", np.zeros((2, 0, 0))),
        at("complex", complex_regular(2, 2)),
        reference=_slogdet,
        errors=(_not_square("slogdet", linalg.slogdet), _no_matrix("slogdet", linalg.slogdet)),
        numpy=np.linalg.slogdet,
    ),
]


def positive(*shape: int, seed: int = 0) -> Any:
    """Positive definite matrices."""
    a = normal(*shape, seed=seed)
    return a @ a.swapaxes(-1, -2) + np.eye(shape[-1])


def complex_positive(*shape: int, seed: int = 0) -> Any:
    """The same with complex numbers."""
    a = complex_normal(*shape, seed=seed)
    return a @ a.conj().swapaxes(-1, -2) + np.eye(shape[-1])


def _hermitian(a: Any) -> Any:
    """The Hermitian part: what `cholesky` is a function of, whichever triangle it reads."""
    return (a + ops.matrix_transpose(ops.conjugate(a))) * 0.5 if np.ndim(a) > 1 else a


def _cholesky(a: Any, upper: bool = False) -> Any:
    """Column by column."""
    out = np.zeros(a.shape, a.dtype)
    for index in np.ndindex(a.shape[:-2]):
        x, low = a[index], out[index]
        for j in range(len(x)):
            low[j, j] = np.sqrt(x[j, j].real - sum(abs(low[j, k]) ** 2 for k in range(j)))
            for i in range(j + 1, len(x)):
                low[i, j] = (x[i, j] - sum(low[i, k] * low[j, k].conj() for k in range(j))) / low[j, j]
    return out.conj().swapaxes(-1, -2) if upper else out


def _lu(a: Any) -> tuple[Any, ...]:
    """Row by row, by the formula of Doolittle."""
    *lead, m, n = a.shape
    k = min(m, n)
    p, low, u = (np.zeros((*lead, *shape), a.dtype) for shape in ((m, m), (m, k), (k, n)))
    for index in np.ndindex(*lead):
        rows: list[Any] = [(i, list(map(complex, a[index][i].tolist())), []) for i in range(m)]
        for j in range(k):
            best = max(range(j, m), key=lambda i: abs(rows[i][1][j].real) + abs(rows[i][1][j].imag))
            rows[j], rows[best] = rows[best], rows[j]
            pivot = rows[j][1]
            for i in range(j + 1, m):
                factor = rows[i][1][j] / pivot[j] if pivot[j] else 0
                rows[i][2].append(factor)
                rows[i][1][:] = [x - factor * y for x, y in zip(rows[i][1], pivot, strict=True)]
        for i, (source, remains, factors) in enumerate(rows):
            p[(*index, source, i)] = 1
            for j in range(k):
                factor = 1 if i == j else factors[j] if j < min(i, len(factors)) else 0
                low[(*index, i, j)] = factor if np.iscomplexobj(a) else np.real(factor)
            for j in range(i, n if i < k else 0):
                u[(*index, i, j)] = remains[j] if np.iscomplexobj(a) else remains[j].real
    return p, low, u


FACTORS = [
    row(
        "cholesky",
        at("size 1", np.array([[2.5]])),
        at("axes", positive(2, 3, 3)),
        at("edge: no neighbours", np.diag([1.0, 1e-6, 1e6]), smooth=False),
        at("edge: empty", np.zeros((2, 0, 0))),
        at("complex", complex_positive(2, 2)),
        reference=_cholesky,
        errors=(
            _not_square("cholesky", linalg.cholesky),
            _no_matrix("cholesky", linalg.cholesky),
            Fails(
                lambda: linalg.cholesky(SINGULAR - [[[0.0]], [[1.0]]]),
                LinalgError,
                r"cholesky: the matrix a\[1\] of 2 x 2 is not positive definite",
            ),
        ),
        op=lambda a: linalg.cholesky(_hermitian(a)),
    ),
    row(
        "lu",
        at("size 1", np.array([[2.5]])),
        at("axes", regular(2, 3, 3)),
        at("axes, wide", regular(5, 5)[:2]),
        at("axes, tall", np.array([[1.0, 2.0], [3.0, 1.0], [2.0, 4.0], [0.5, 0.25]])),
        at("edge: rows are exchanged", np.array([[0.0, 1.0, 2.0], [2.0, 3.0, 1.0], [3.0, 0.0, 2.0]])),
        at("edge: empty", np.zeros((2, 0, 3))),
        at("complex", complex_regular(3, 3)),
        reference=_lu,
        errors=_no_matrix("lu", linalg.lu),
    ),
]

COMPOSED_FACTORS = [
    row(
        "cholesky of a product",
        at("size 1", np.array([[2.5]])),
        at("axes, upper", normal(2, 3, 3), upper=True),
        at("edge: one column", normal(3, 1)),
        at("complex, upper", complex_normal(2, 2), upper=True),
        reference=lambda a, upper=False: _cholesky(
            a @ a.conj().swapaxes(-1, -2) + np.eye(a.shape[-2]), upper
        ),
        errors=_not_square("cholesky", lambda a: linalg.cholesky(a, upper=True)),
        op=lambda a, upper=False: linalg.cholesky(
            a @ ops.matrix_transpose(ops.conjugate(a)) + np.eye(a.shape[-2], dtype=a.dtype), upper=upper
        ),
    ),
    row(
        "cholesky_solve",
        at("size 1", np.array([3.0]), np.array([[2.0]])),
        at("axes", normal(3, 2), regular(3, 3)),
        at("broadcast", normal(3, 2), regular(2, 3, 3), upper=True),
        at("edge: complex", complex_normal(2, 2), complex_regular(2, 2), upper=True),
        reference=lambda b, low, upper=False: _solve(_squared(_triangle_of(low, upper), upper), b),
        errors=Fails(
            lambda: linalg.cholesky_solve(np.ones(2), np.ones(2)), ShapeError, "cholesky_solve: low has shape"
        ),
        op=linalg.cholesky_solve,
    ),
]


def _squared(low: Any, upper: bool) -> Any:
    other = low.conj().swapaxes(-1, -2)
    return other @ low if upper else low @ other


COMPOSED_SOLVING = [
    row(
        "solve, a vector too",
        at("size 1", np.array([[2.0]]), np.array([3.0])),
        at("axes", regular(3, 3), normal(3)),
        at("broadcast: one vector for all", regular(2, 2, 2), normal(2)),
        at("edge: real and complex", regular(2, 2), complex_normal(2)),
        reference=_solve,
        errors=Fails(
            lambda: linalg.solve(np.eye(2), np.float64(1.0)), ShapeError, r"solve: b has shape \(\); a matrix"
        ),
        numpy=np.linalg.solve,
        op=linalg.solve,
    ),
    row(
        "solve_triangular, either side",
        at("size 1", np.array([[2.0]]), np.array([3.0]), upper=False),
        at("axes, right", regular(3, 3), normal(2, 3), upper=True, left=False),
        at("axes, a vector", regular(3, 3), normal(3), upper=True),
        at("edge: real and complex", regular(2, 2), complex_normal(2, 2), upper=False, left=False),
        reference=lambda a, b, **settings: _solve_triangular(a, b, **settings),
        errors=Fails(
            lambda: linalg.solve_triangular(np.eye(2), np.ones(2), upper=True, left=False),
            ShapeError,
            r"solve_triangular: b has shape \(2,\)",
        ),
        op=linalg.solve_triangular,
    ),
    row(
        "tensorinv",
        at("size 1", np.full((1, 1, 1), 2.0), ind=1),
        at("axes", np.reshape(regular(4, 4), (2, 2, 4))),
        at("edge: rows last", np.reshape(regular(4, 4), (4, 2, 2)), ind=1),
        reference=lambda a, ind=2: np.reshape(
            _inv(a.reshape((int(np.sqrt(a.size)), -1))), (*a.shape[ind:], *a.shape[:ind])
        ),
        errors=(
            Fails(lambda: linalg.tensorinv(np.ones((2, 3)), ind=1), ShapeError, r"tensorinv: axes \(2,\)"),
            Fails(lambda: linalg.tensorinv(np.ones((2, 2)), ind=0), ShapeError, "tensorinv: ind is 0"),
        ),
        numpy=None,
        op=linalg.tensorinv,
    ),
    row(
        "tensorsolve",
        at("size 1", np.full((1, 1), 2.0), np.array([3.0])),
        at("axes", np.reshape(regular(4, 4), (2, 2, 4)), normal(2, 2)),
        at("edge: another order", np.reshape(regular(4, 4), (2, 4, 2)), normal(4), axes=(0, 2)),
        reference=lambda a, b, axes=None: np.linalg.tensorsolve(a, b, axes),
        errors=(
            Fails(
                lambda: linalg.tensorsolve(np.ones((2, 2)), np.ones(3)),
                ShapeError,
                r"tensorsolve: a has shape \(2, 2\), which does not begin",
            ),
        ),
        op=linalg.tensorsolve,
    ),
]

ROWS: list[OpSamples] = [*SOLVING, *DETERMINANTS, *FACTORS]

COMPOSED: list[OpSamples] = [*COMPOSED_SOLVING, *COMPOSED_FACTORS]
