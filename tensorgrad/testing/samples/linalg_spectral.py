"""Rows of eigenvalues, singular values, norms and what follows from them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ... import linalg
from ..._errors import DtypeError, LinalgError, ShapeError
from ...ops.linalg import norms, singular
from . import spectra_by_hand as plain
from .row import Fails, OpSamples, at, complex_normal, kink, normal, row, spread

APART = np.array([[1.0, 0.25, -0.5], [0.25, 3.0, 0.125], [-0.5, 0.125, 6.0]])
"""A symmetric matrix with eigenvalues that are far apart."""
COMPLEX = np.array([[1.0, 0.25 + 0.5j, -0.5j], [0.25, 3.0, 0.125j], [-0.5, 0.5 + 0.125j, 6.0]])
TALL = np.array([[3.0, 0.5], [-0.25, 1.0], [0.5, 0.25]])
DEPENDENT = np.array([[1.0, 2.0], [2.0, 4.0], [-1.0, -2.0]])
"""Of rank 1."""
PAIR = np.array([[0.5, -2.0, 0.25], [1.0, 0.5, 0.5], [0.25, 0.125, 4.0]])
"""A real matrix with two complex eigenvalues."""


# ---- rows


def _not_square(name: str, call: Any) -> Fails:
    return Fails(
        lambda: call(np.ones((2, 3))), ShapeError, rf"{name}: a has shape \(2, 3\); the last two axes"
    )


def _no_matrix(name: str, call: Any, argument: str = "a") -> Fails:
    return Fails(lambda: call(np.ones(3)), ShapeError, rf"{name}: {argument} has shape \(3,\); a matrix")


EIGEN = [
    row(
        "eigh",
        at("size 1", np.array([[2.5]]), UPLO="L"),
        at("axes", np.stack([APART, APART[::-1, ::-1] * 1.5]), UPLO="L"),
        at("axes, the upper triangle", APART, UPLO="U"),
        at("edge: complex, phases", COMPLEX, UPLO="L"),
        at("complex, the upper triangle", COMPLEX, UPLO="U"),
        reference=plain.eigh,
        errors=(
            _not_square("eigh", linalg.eigh),
            _no_matrix("eigh", linalg.eigh),
            Fails(lambda: linalg.eigh(np.eye(2), "X"), ShapeError, "eigh: UPLO is 'X'; it is 'L'"),
        ),
        op=lambda a, UPLO: linalg.eigh(plain.hermitian(a), UPLO),
    ),
    row(
        "eigvalsh",
        at("size 1", np.array([[2.5]]), UPLO="L"),
        at("axes", np.stack([APART, APART[::-1, ::-1] * 1.5]), UPLO="U"),
        at("edge: complex", COMPLEX, UPLO="L"),
        reference=lambda a, UPLO: plain.eigh(a, UPLO=UPLO)[0],
        errors=(
            _not_square("eigvalsh", linalg.eigvalsh),
            Fails(lambda: linalg.eigvalsh(np.eye(2), "LU"), ShapeError, "eigvalsh: UPLO is 'LU'; it is 'L'"),
        ),
        op=lambda a, UPLO: linalg.eigvalsh(plain.hermitian(a), UPLO),
    ),
    row(
        "eig",
        at("size 1", np.array([[2.5 + 1j]])),
        at("axes", np.stack([COMPLEX, COMPLEX[::-1, ::-1] * 1.5j])),
        at("edge: far from normal", np.array([[1.0 + 0j, 5.0], [0.25j, 3.0]])),
        reference=plain.eig,
        errors=(
            _not_square("eig", linalg.eig),
            _no_matrix("eig", linalg.eig),
            Fails(
                lambda: linalg.eig(np.full((2, 2), np.inf)),
                LinalgError,
                "eig: the matrix a of 2 x 2 has eigenv",
            ),
        ),
        op=linalg.eig,
    ),
]

SINGULAR = [
    row(
        "svd",
        at("size 1", np.array([[-2.5]])),
        at("axes, tall", np.stack([TALL, TALL[::-1] * 1.5])),
        at("axes, wide", TALL.T),
        at("axes, square", APART[::-1]),
        at("edge: complex, phases", COMPLEX[:, :2]),
        at("complex, wide", COMPLEX[:2]),
        reference=plain.svd,
        errors=(
            _no_matrix("svd", linalg.svd),
            Fails(
                lambda: linalg.svd(np.full((2, 2), np.nan)),
                LinalgError,
                "svd: the matrix a of 2 x 2 has sing",
            ),
        ),
        op=lambda a: linalg.svd(a, full_matrices=False),
    ),
    row(
        "svdvals",
        at("size 1", np.array([[-2.5]])),
        at("axes, tall", np.stack([TALL, TALL[::-1] * 1.5])),
        at("axes, wide", TALL.T),
        at("edge: dependent columns", DEPENDENT, smooth=False),
        at("complex", COMPLEX[:2]),
        reference=plain.svdvals,
        errors=_no_matrix("svdvals", linalg.svdvals),
        kinks=(
            kink("dependent columns", np.diag([2.0, 0.0]), gradients=(np.diag([1.0, 0.0]),)),
            kink("zeros", np.zeros((2, 2)), gradients=(np.zeros((2, 2)),)),
        ),
        op=linalg.svdvals,
    ),
    row(
        "pinv",
        at("size 1", np.array([[-2.5]]), rtol=1e-10),
        at("axes, tall", np.stack([TALL, TALL[::-1] * 1.5]), rtol=1e-10),
        at("axes, wide", TALL.T, rtol=1e-10),
        at("edge: dependent columns", DEPENDENT, rtol=1e-6, smooth=False),
        at("complex", COMPLEX[:2], rtol=1e-10),
        reference=plain.pinv,
        errors=(
            _no_matrix("pinv", linalg.pinv),
            Fails(
                lambda: linalg.pinv(np.full((2, 2), np.nan)),
                LinalgError,
                "pinv: the matrix a of 2 x 2 has sing",
            ),
        ),
        op=linalg.pinv,
    ),
    row(
        "complement",
        at("size 1", np.array([[1.0], [0.0]])),
        at("axes", np.linalg.qr(np.stack([TALL, TALL[::-1]]))[0]),
        at("edge: two columns to find", np.array([[0.6], [0.0], [-0.8]])),
        at("edge: none to find", np.eye(2)),
        reference=plain.complement,
        errors=Fails(lambda: singular.complement(np.ones(3)), ShapeError, "complement: "),
    ),
]

QR = [
    row(
        "qr",
        at("size 1", np.array([[-2.5]])),
        at("axes", np.stack([TALL, TALL[::-1] * 1.5])),
        at("axes, square", PAIR),
        at("edge: complex, phases", COMPLEX[:, :2]),
        at("complex, square", COMPLEX),
        reference=plain.gram_schmidt,
        errors=(
            _no_matrix("qr", linalg.qr),
            Fails(lambda: linalg.qr(np.eye(2), "raw"), ShapeError, "qr: mode is 'raw'; it is 'reduced', "),
        ),
        op=lambda a: linalg.qr(a),
    ),
]

NORMS = [
    row(
        "_vector_norm",
        at("0-d", -2.5, axis=(), keepdims=False, ord=2.0),
        at("size 1", normal(1, 1), axis=(0, 1), keepdims=True, ord=3.5),
        at("axes", normal(2, 3), axis=(1,), keepdims=False, ord=2.0),
        at("axes, order 1.5", normal(3, 2), axis=(-2,), keepdims=False, ord=1.5),
        at("axes, order -2", spread(2, 3), axis=(0, 1), keepdims=False, ord=-2.0),
        at("edge: a zero", np.array([0.0, 3.0, -4.0]), axis=(0,), keepdims=False, ord=2.0),
        at("complex", complex_normal(2, 2), axis=(0,), keepdims=False, ord=2.0),
        at("complex, order 3", complex_normal(2, 2), axis=(0,), keepdims=False, ord=3.0),
        reference=plain.vector_norm,
        errors=Fails(
            lambda: norms._vector_norm(np.ones(2), (1,), False, 2.0), ShapeError, "_vector_norm: .*axis 1"
        ),
        kinks=(
            kink("0", np.zeros(2), axis=(0,), keepdims=False, ord=2.0, gradients=(np.zeros(2),)),
            kink("0, order 0.5", np.zeros(2), axis=(0,), keepdims=False, ord=0.5, gradients=(np.zeros(2),)),
            kink(
                "0, order -1",
                np.array([0.0, 2.0]),
                axis=(0,),
                keepdims=False,
                ord=-1.0,
                gradients=(np.zeros(2),),
            ),
        ),
    ),
]

ROWS: list[OpSamples] = [*EIGEN, *SINGULAR, *QR, *NORMS]


# ---- composed


COMPOSED: list[OpSamples] = [
    row(
        "eigh, a function of the matrix",
        at("size 1", np.array([[2.5]])),
        at("axes", np.stack([APART, APART[::-1, ::-1] * 1.5])),
        at("edge: complex", COMPLEX, UPLO="U"),
        reference=plain.cubed,
        errors=_not_square("eigh", linalg.eigh),
        op=plain.through_eigh,
    ),
    row(
        "eig, a function of the matrix",
        at("size 1", np.array([[2.5 + 1j]])),
        at("axes", np.stack([COMPLEX, COMPLEX[::-1, ::-1] * 1.5j])),
        at("edge: far from normal", np.array([[1.0 + 0j, 5.0], [0.25j, 3.0]])),
        reference=lambda a: a @ a @ a,
        errors=_not_square("eig", linalg.eig),
        op=plain.through_eig,
    ),
    row(
        "eig of real matrices",
        at("size 1", np.array([[2.5]])),
        at("axes", np.stack([PAIR, APART])),
        at("edge: not far from equal", np.array([[2.0, 1.0], [0.125, 2.25]])),
        reference=lambda a: plain.halves(plain.eig)(a),
        errors=_not_square("eig", linalg.eig),
        op=plain.halves(linalg.eig),
    ),
    row(
        "eigvals",
        at("size 1", np.array([[2.5 + 1j]])),
        at("axes", np.stack([COMPLEX, COMPLEX[::-1, ::-1] * 1.5j])),
        at("edge: far from normal", np.array([[1.0 + 0j, 5.0], [0.25j, 3.0]])),
        reference=lambda a: plain.eig(a)[0],
        errors=(_not_square("eigvals", linalg.eigvals), _no_matrix("eigvals", linalg.eigvals)),
        op=linalg.eigvals,
    ),
    row(
        "eigvals of real matrices",
        at("size 1", np.array([[2.5]])),
        at("axes", np.stack([PAIR, APART])),
        at("edge: not far from equal", np.array([[2.0, 1.0], [0.125, 2.25]])),
        reference=lambda a: plain.halves(lambda a: plain.eig(a)[0])(a),
        errors=_not_square("eigvals", linalg.eigvals),
        op=plain.halves(linalg.eigvals),
    ),
    row(
        "svd in full",
        at("size 1", np.array([[-2.5]])),
        at("axes, tall", np.stack([TALL, TALL[::-1] * 1.5])),
        at("axes, two more rows", normal(1, 3)),
        at("edge: complex, wide", COMPLEX[:1]),
        reference=plain.svd_in_full,
        errors=_no_matrix("svd", linalg.svd),
        op=plain.svd_without_basis,
    ),
    row(
        "qr, any mode",
        at("size 1", np.array([[-2.5]]), mode="complete"),
        at("axes, wide", np.stack([TALL.T, TALL[::-1].T * 1.5]), mode="reduced"),
        at("axes, complete", TALL, mode="complete"),
        at("axes, r", TALL, mode="r"),
        at("edge: complex, wide", COMPLEX[:2], mode="complete"),
        reference=plain.qr,
        errors=_no_matrix("qr", linalg.qr),
        op=linalg.qr,
    ),
    row(
        "pinv of constant rank",
        at("size 1", np.array([[-2.5]]), np.array([[2.0]])),
        at("axes", np.array([[1.0], [2.0], [-1.0]]), np.array([[1.0, 0.5]])),
        at("edge: rank 2 of 3", TALL, np.array([[1.0, 0.5, -0.5], [0.25, 2.0, 1.0]])),
        reference=lambda u, v: plain.pinv(u @ v, rtol=1e-2),
        errors=_no_matrix("pinv", linalg.pinv),
        op=lambda u, v: linalg.pinv(u @ v, rcond=1e-2),
    ),
    row(
        "lstsq",
        at("size 1", np.array([[-2.5]]), np.array([2.0])),
        at("axes", TALL, normal(3)),
        at("broadcast", np.stack([TALL, TALL[::-1] * 1.5]), normal(3, 2)),
        at("axes, wide", TALL.T, normal(2, 1)),
        at("edge: dependent columns", DEPENDENT, normal(3), rcond=1e-2, smooth=False),
        at("complex", COMPLEX[:, :2], complex_normal(3)),
        reference=plain.lstsq,
        errors=(
            _no_matrix("lstsq", lambda a: linalg.lstsq(a, a)),
            Fails(
                lambda: linalg.lstsq(np.ones((3, 2)), np.ones(2)),
                ShapeError,
                r"lstsq: a \(3, 2\) and b \(2,\); they must have as many rows",
            ),
        ),
        op=linalg.lstsq,
    ),
    row(
        "matrix_rank",
        at("size 1", np.array([[2.5]])),
        at("axes", np.stack([DEPENDENT, TALL])),
        at("axes, by a bound", APART, tol=2.0),
        at("axes, by a share", APART, rtol=0.25),
        at("edge: zeros", np.zeros((2, 3))),
        reference=lambda a, tol=None, rtol=1e-14: np.sum(
            plain.svdvals(a) > (rtol * plain.svdvals(a)[..., :1] if tol is None else tol), -1
        ),
        errors=_no_matrix("matrix_rank", linalg.matrix_rank),
        op=linalg.matrix_rank,
        keeps_dtype=False,
    ),
    row(
        "cond",
        at("size 1", np.array([[-2.5]])),
        at("axes", np.stack([APART, PAIR])),
        at("axes, tall, the inverse", TALL, p=-2),
        at("axes, order 1", PAIR, p=1),
        at("axes, fro", PAIR, p="fro"),
        at("edge: complex, nuc", COMPLEX, p="nuc"),
        reference=plain.cond,
        errors=(
            _no_matrix("cond", linalg.cond),
            Fails(
                lambda: linalg.cond(np.ones((2, 3)), 1), ShapeError, r"cond: a has shape \(2, 3\); the last"
            ),
            Fails(lambda: linalg.cond(np.ones((0, 0))), ShapeError, r"cond: x has shape \(0, 0\); matrices"),
            Fails(lambda: linalg.cond(np.eye(2), 3), ShapeError, r"cond: ord is 3; for matrices it is 'fro'"),
        ),
        op=linalg.cond,
    ),
    row(
        "vector_norm",
        at("0-d", -2.5),
        at("axes, all", normal(2, 3)),
        at("axes, largest", spread(2, 3), axis=1, ord=math.inf),
        at("axes, smallest", spread(2, 3), axis=0, ord=-math.inf, keepdims=True),
        at("axes, sum", spread(2, 3), axis=(0, 1), ord=1),
        at("edge: not 0", np.array([0.0, 2.0, -3.0]), ord=0, smooth=False),
        at("edge: order 0.5", np.array([1.0, 2.0, -3.0]), ord=0.5),
        at("edge: empty", np.zeros((2, 0)), axis=1),
        at("complex", complex_normal(3), ord=1),
        reference=plain.vector_norm,
        errors=(
            Fails(
                lambda: linalg.vector_norm(np.ones(2), axis=1),
                ShapeError,
                "vector_norm: axis 1 is out of range",
            ),
            Fails(lambda: linalg.norm(np.ones(2), "fro"), DtypeError, "norm: ord is 'fro'"),
            Fails(
                lambda: linalg.vector_norm(np.ones(0), ord=-math.inf),
                ShapeError,
                r"vector_norm: x has shape \(0,\)",
            ),
        ),
        numpy=lambda x, axis=None, keepdims=False, ord=2: np.linalg.vector_norm(
            x, axis=axis, keepdims=keepdims, ord=ord
        ),
        kinks=(
            kink("0, largest", np.zeros(2), ord=math.inf, gradients=(np.zeros(2),)),
            kink("0, sum", np.zeros(2), ord=1, gradients=(np.zeros(2),)),
            kink("equal", np.array([2.0, -2.0]), ord=math.inf, gradients=(np.array([0.5, -0.5]),)),
        ),
        op=linalg.vector_norm,
    ),
    row(
        "matrix_norm",
        at("size 1", np.array([[-2.5]])),
        at("axes", normal(2, 2, 3), keepdims=True),
        at("axes, nuc", np.stack([TALL, TALL[::-1] * 1.5]), ord="nuc"),
        at("axes, 2", TALL, ord=2, keepdims=True),
        at("axes, -2", TALL, ord=-2),
        at("axes, columns", spread(3, 2), ord=1),
        at("axes, smallest column", spread(3, 2), ord=-1),
        at("axes, rows", normal(3, 2), ord=math.inf),
        at("edge: complex, smallest row", COMPLEX, ord=-math.inf),
        reference=plain.matrix_norm,
        errors=(
            _no_matrix("matrix_norm", linalg.matrix_norm, "x"),
            Fails(
                lambda: linalg.matrix_norm(np.eye(2), ord=3),
                ShapeError,
                "matrix_norm: ord is 3; for matrices",
            ),
            Fails(
                lambda: linalg.matrix_norm(np.ones((0, 2)), ord=-2),
                ShapeError,
                r"matrix_norm: x has shape \(0, 2\)",
            ),
        ),
        numpy=lambda x, keepdims=False, ord="fro": np.linalg.matrix_norm(x, keepdims=keepdims, ord=ord),
        kinks=(
            kink("nuc, dependent columns", np.diag([2.0, 0.0]), ord="nuc", gradients=(np.diag([1.0, 0.0]),)),
            kink("2, equal", np.diag([2.0, 2.0]), ord=2, gradients=(np.diag([0.5, 0.5]),)),
            kink("0", np.zeros((2, 2)), gradients=(np.zeros((2, 2)),)),
        ),
        op=linalg.matrix_norm,
    ),
    row(
        "norm",
        at("0-d", -2.5),
        at("axes, all", normal(2, 3, 2)),
        at("axes, vectors", normal(2, 3), axis=0, keepdims=True),
        at("axes, a vector", normal(3), ord=3),
        at("axes, a matrix", TALL, ord="nuc"),
        at("axes, matrices", np.stack([TALL, TALL[::-1] * 1.5], axis=1), ord=2, axis=(0, 2), keepdims=True),
        at("edge: empty", np.zeros((2, 0))),
        reference=plain.norm,
        errors=(
            Fails(
                lambda: linalg.norm(np.ones((2, 2, 2)), 1),
                ShapeError,
                r"norm: 3 axes of x \(2, 2, 2\); vectors",
            ),
            Fails(lambda: linalg.norm(np.ones((2, 2)), 3), ShapeError, "norm: ord is 3; for matrices"),
            Fails(
                lambda: linalg.norm(np.ones(2), "nuc"), DtypeError, "norm: ord is 'nuc'; the norms of vectors"
            ),
        ),
        numpy=np.linalg.norm,
        op=linalg.norm,
    ),
]
