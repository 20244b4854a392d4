"""Rows of solving, inverting, determinants and factorisations without eigenvalues."""

from __future__ import annotations

from typing import Any

import numpy as np

from ... import linalg, ops
from ..._errors import DtypeError, LinalgError, ShapeError
from ...ops.linalg import determinant
from . import linalg_reference as by
from .linalg_reference import complex_positive, complex_regular, positive, regular
from .row import Fails, OpSamples, at, complex_normal, normal, row

HALF: Any = 0.5
SINGULAR = np.array([[[2.0, 0.0], [0.0, 1.0]], [[1.0, 2.0], [2.0, 4.0]]])
"""Two matrices, of which the second is singular."""


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
        reference=by.inv,
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
        reference=by.solve,
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
                r"solve: the leading axes of a \(2, 1, 1\) and b \(3, 1, 1\) do not broadcast",
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
        reference=by.solve_triangular,
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
        reference=by.det,
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
        reference=by.cofactors,
        errors=Fails(lambda: determinant.cofactors(np.ones((2, 3))), ShapeError, "cofactors: "),
    ),
    row(
        "slogdet",
        at("size 1", np.array([[-2.5]])),
        at("axes", regular(2, 3, 3)),
        at("edge: rows are exchanged", np.array([[0.0, 1.0], [2.0, 1.0]])),
        at("edge: empty", np.zeros((2, 0, 0))),
        at("complex", complex_regular(2, 2)),
        reference=by.slogdet,
        errors=(_not_square("slogdet", linalg.slogdet), _no_matrix("slogdet", linalg.slogdet)),
        numpy=np.linalg.slogdet,
    ),
]


def _hermitian(a: Any) -> Any:
    """The Hermitian part: what `cholesky` is a function of, whichever triangle it reads."""
    return (a + ops.matrix_transpose(ops.conjugate(a))) * 0.5 if np.ndim(a) > 1 else a


FACTORS = [
    row(
        "cholesky",
        at("size 1", np.array([[2.5]])),
        at("axes", positive(2, 3, 3)),
        at("edge: no neighbours", np.diag([1.0, 1e-6, 1e6]), smooth=False),
        at("edge: empty", np.zeros((2, 0, 0))),
        at("complex", complex_positive(2, 2)),
        reference=by.cholesky,
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
        at("edge: the last pivot is 0", np.array([[3.0, 1.0, 2.0], [2.0, 5.0, 1.0], [7.0, 11.0, 4.0]])),
        at("edge: empty", np.zeros((2, 0, 3))),
        at("complex", complex_regular(3, 3)),
        reference=by.lu,
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
        reference=lambda a, upper=False: by.cholesky(
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
        reference=lambda b, low, upper=False: by.solve(by.squared(by.triangle_of(low, upper), upper), b),
        errors=Fails(
            lambda: linalg.cholesky_solve(np.ones(2), np.ones(2)),
            ShapeError,
            "cholesky_solve: factor has shape",
        ),
        op=linalg.cholesky_solve,
    ),
]


COMPOSED_SOLVING = [
    row(
        "solve, a vector too",
        at("size 1", np.array([[2.0]]), np.array([3.0])),
        at("axes", regular(3, 3), normal(3)),
        at("broadcast: one vector for all", regular(2, 2, 2), normal(2)),
        at("edge: real and complex", regular(2, 2), complex_normal(2)),
        reference=by.solve,
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
        reference=lambda a, b, **settings: by.solve_triangular(a, b, **settings),
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
            by.inv(a.reshape((int(np.sqrt(a.size)), -1))), (*a.shape[ind:], *a.shape[:ind])
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


POWERS = [
    row(
        "matrix_exp",
        at("size 1", np.array([[0.5]])),
        at("axes", normal(2, 2, 2)),
        at("axes, scaled", 3 * normal(2, 2, seed=1)),
        at("axes, a direction", 0.1 * normal(2, 2), normal(2, 2, seed=1)),
        at("edge: two directions", normal(2, 2), normal(2, 2, seed=1), normal(2, 2, seed=2)),
        at("edge: 0", np.zeros((2, 2))),
        at("edge: empty", np.zeros((2, 0, 0))),
        at("complex", complex_normal(2, 2)),
        reference=by.matrix_exp,
        errors=(
            _not_square("matrix_exp", lambda a: linalg.matrix_exp(a)),
            _no_matrix("matrix_exp", lambda a: linalg.matrix_exp(a)),
        ),
    ),
]

COMPOSED_POWERS = [
    row(
        "matrix_power",
        at("size 1", np.array([[2.5]]), n=3),
        at("axes", normal(2, 2, 2), n=5),
        at("axes, inverse", regular(2, 2), n=-2),
        at("edge: 0", np.zeros((2, 2)), n=2),
        at("edge: exponent 0", normal(2, 2), n=0),
        at("edge: exponent 1", normal(2, 2), n=1),
        at("complex", complex_normal(2, 2), n=3),
        reference=by.power,
        errors=(
            _not_square("matrix_power", lambda a: linalg.matrix_power(a, 2)),
            Fails(
                lambda: linalg.matrix_power(np.eye(2), HALF), DtypeError, "matrix_power: n is 0.5; an integer"
            ),
            Fails(
                lambda: linalg.matrix_power(np.zeros((2, 2)), -1), LinalgError, "inv: .* 2 x 2 is singular"
            ),
        ),
        numpy=lambda a, n: np.linalg.matrix_power(a, n),
        op=lambda a, n: linalg.matrix_power(a, n),
    ),
    row(
        "multi_dot",
        at("size 1", np.array([2.0]), np.array([3.0])),
        at("axes", normal(2, 3), normal(3, 1), normal(1, 2), normal(2, 2)),
        at("axes, vectors", normal(2), normal(2, 3), normal(3)),
        at("edge: empty", np.zeros((2, 0)), np.zeros((0, 3)), np.zeros((3, 2))),
        at("complex", complex_normal(2, 1), complex_normal(1, 2), complex_normal(2)),
        reference=by.multi_dot,
        errors=(
            Fails(lambda: linalg.multi_dot([np.eye(2)]), ShapeError, "multi_dot: 1 given; two"),
            Fails(
                lambda: linalg.multi_dot([np.eye(2), np.ones(2), np.eye(2)]),
                ShapeError,
                r"multi_dot: number 1 has shape \(2,\)",
            ),
            Fails(
                lambda: linalg.multi_dot([np.eye(2), np.eye(3)]),
                ShapeError,
                r"multi_dot: number 0 has 2 columns and number 1, \(3, 3\), has 3 rows",
            ),
        ),
        numpy=lambda *arrays: np.linalg.multi_dot(arrays),
        op=lambda *arrays: linalg.multi_dot(arrays),
    ),
    row(
        "trace of matrices",
        at("size 1", np.array([[2.5]])),
        at("axes", normal(2, 3, 2)),
        at("axes, above", normal(2, 3), offset=1),
        at("edge: outside", normal(2, 2), offset=-5),
        at("complex", complex_normal(2, 2), offset=-1),
        reference=by.trace,
        errors=Fails(lambda: linalg.trace(np.ones(3)), ShapeError, r"trace: x has shape \(3,\); a matrix"),
        numpy=np.linalg.trace,
        op=linalg.trace,
    ),
    row(
        "diagonal of matrices",
        at("size 1", np.array([[2.5]])),
        at("axes", normal(2, 3, 2)),
        at("edge: outside", normal(2, 2), offset=5),
        at("complex", complex_normal(2, 2), offset=-1),
        reference=lambda x, offset=0: np.diagonal(x, offset, -2, -1),
        errors=Fails(lambda: linalg.diagonal(np.ones(3)), ShapeError, r"diagonal: x has shape \(3,\)"),
        numpy=np.linalg.diagonal,
        op=linalg.diagonal,
    ),
]

ROWS: list[OpSamples] = [*SOLVING, *DETERMINANTS, *FACTORS, *POWERS]

COMPOSED: list[OpSamples] = [*COMPOSED_SOLVING, *COMPOSED_FACTORS, *COMPOSED_POWERS]
