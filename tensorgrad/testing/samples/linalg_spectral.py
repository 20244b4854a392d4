"""Rows of eigenvalues, singular values, norms and what follows from them.

References turn columns until they are orthogonal (Jacobi), go by Gram and Schmidt, or add up in loops. Signs
and phases of vectors are a choice of LAPACK's, and are taken from it.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ... import linalg, ops
from ..._errors import DtypeError, LinalgError, ShapeError
from ...ops.linalg import norms, singular
from .row import Fails, Function, OpSamples, at, complex_normal, kink, normal, row, spread

APART = np.array([[1.0, 0.25, -0.5], [0.25, 3.0, 0.125], [-0.5, 0.125, 6.0]])
"""A symmetric matrix with eigenvalues that are far apart."""
COMPLEX = np.array([[1.0, 0.25 + 0.5j, -0.5j], [0.25, 3.0, 0.125j], [-0.5, 0.5 + 0.125j, 6.0]])
TALL = np.array([[3.0, 0.5], [-0.25, 1.0], [0.5, 0.25]])
DEPENDENT = np.array([[1.0, 2.0], [2.0, 4.0], [-1.0, -2.0]])
"""Of rank 1."""
PAIR = np.array([[0.5, -2.0, 0.25], [1.0, 0.5, 0.5], [0.25, 0.125, 4.0]])
"""A real matrix with two complex eigenvalues."""


# ---- references


def _stacked(f: Function) -> Function:
    """Apply a function of one matrix to each of a stack."""

    def reference(a: Any, **params: Any) -> Any:
        found = [f(a[i], **params) for i in np.ndindex(a.shape[:-2])]
        parts = zip(*found, strict=True) if isinstance(found[0], tuple) else [found]
        made = [np.array(part).reshape((*a.shape[:-2], *np.shape(part[0]))) for part in parts]
        return tuple(made) if isinstance(found[0], tuple) else made[0]

    return reference


def _triplets(a: Any) -> tuple[Any, Any, Any]:
    """Singular values and vectors: rotate pairs of columns until all are orthogonal."""
    if a.shape[0] < a.shape[1]:
        v, s, u = _triplets(np.conj(a.T))
        return u, s, v
    n = a.shape[1]
    u, v = a + 0, np.eye(n, dtype=a.dtype)
    for _ in range(12):
        for p in range(n):
            for q in range(p + 1, n):
                mixed = sum(np.conj(u[:, p]) * u[:, q])
                if abs(mixed) < 1e-200:
                    continue
                phase = mixed / abs(mixed)
                zeta = (sum(abs(u[:, q]) ** 2) - sum(abs(u[:, p]) ** 2)) / (2 * abs(mixed))
                t = math.copysign(1, zeta) / (abs(zeta) + math.hypot(1, zeta))
                c, s = 1 / math.hypot(1, t), t / math.hypot(1, t)
                for w in (u, v):
                    x, y = w[:, p].copy(), w[:, q] / phase
                    w[:, p], w[:, q] = c * x - s * y, s * x + c * y
    lengths = np.sqrt(np.sum(np.abs(u) ** 2, 0))
    order = np.argsort(-lengths)
    with np.errstate(all="ignore"):
        return (u / lengths)[:, order], lengths[order], v[:, order]


def _like(v: Any, model: Any) -> Any:
    """Columns with the phases of a model."""
    turn = np.sum(np.conj(v) * model, 0)
    return v * turn / np.abs(turn)


@_stacked
def _svd(a: Any) -> Any:
    u, s, v = _triplets(a)
    model = singular._svd(a)[0]
    turned = _like(u, model)
    return turned, s, np.conj((v * np.sum(np.conj(u) * turned, 0)).T)


@_stacked
def _svd_in_full(a: Any) -> Any:
    u, s, v = _triplets(a)
    return np.eye(len(u)) - u @ np.conj(u.T), s, np.eye(len(v)) - v @ np.conj(v.T)


@_stacked
def _svdvals(a: Any) -> Any:
    return _triplets(a)[1]


def _mirrored(a: Any) -> Any:
    return (a + np.conj(a.swapaxes(-1, -2))) / 2


@_stacked
def _eigh(a: Any, UPLO: str = "L") -> Any:
    a = _mirrored(a)
    shift = 1 + np.abs(a).sum()
    _, s, v = _triplets(a + shift * np.eye(len(a)))
    return s[::-1] - shift, _like(
        v[:, ::-1], np.linalg.eigh(a)[1] if UPLO == "L" else np.linalg.eigh(a, "U")[1]
    )


@_stacked
def _eig(a: Any) -> Any:
    """Roots of the characteristic polynomial (Faddeev and Le Verrier), and inverse iteration."""
    n = len(a)
    m, coefficients = np.eye(n), [1.0]
    for k in range(1, n + 1):
        coefficients.append(-np.trace(a @ m) / k)
        m = a @ m + coefficients[-1] * np.eye(n)
    roots = list(np.roots(coefficients).astype(complex))
    values, model = np.linalg.eig(a)
    roots = [min(roots, key=lambda r: abs(r - w)) for w in values]
    vectors = np.zeros((n, n), complex)
    for j, root in enumerate(roots):
        v = np.arange(1.0, n + 1)
        for _ in range(4):
            v = np.linalg.solve(a - (root + 1e-7) * np.eye(n), v)
            v = v / np.sqrt(np.sum(np.abs(v) ** 2))
        vectors[:, j] = v
    return np.array(roots), _like(vectors, model)


@_stacked
def _gram_schmidt(a: Any) -> Any:
    q = np.zeros((a.shape[0], min(a.shape)), a.dtype)
    for j in range(q.shape[1]):
        v = a[:, j] + 0
        for _ in range(2):
            for i in range(j):
                v = v - q[:, i] * sum(np.conj(q[:, i]) * v)
        q[:, j] = v / np.sqrt(sum(np.abs(v) ** 2))
    q = _like(q, np.linalg.qr(a)[0])
    return q, np.conj(q.T) @ a


def _qr(a: Any, mode: str) -> Any:
    q, r = _gram_schmidt(a)
    if mode == "complete" and a.shape[-2] > a.shape[-1]:
        last = np.linalg.qr(a, "complete")[0][..., -1:]
        return np.concatenate([q, last], -1), np.concatenate([r, 0 * r[..., :1, :]], -2)
    return r if mode == "r" else (q, r)


@_stacked
def _pinv(a: Any, rtol: float = 1e-12) -> Any:
    u, s, v = _triplets(a)
    kept = s > rtol * s[0]
    return (v[:, kept] / s[kept]) @ np.conj(u[:, kept].T)


def _lstsq(a: Any, b: Any, rcond: float = 1e-12) -> Any:
    if b.ndim == 1:
        x, residuals, rank, s = _lstsq(a, b[:, None], rcond)
        return x[..., 0], residuals[..., 0], rank, s
    x, s = _pinv(a, rtol=rcond) @ b, _svdvals(a)
    return x, np.sum(np.abs(b - a @ x) ** 2, -2), np.sum(s > rcond * s[..., :1], -1), s


@_stacked
def _complement(q: Any) -> Any:
    """The last columns of a product of Householder's reflections."""
    m, k = q.shape
    whole, q = np.eye(m), q + 0
    for j in range(k):
        v = np.where(np.arange(m) >= j, q[:, j], 0)
        v[j] += math.copysign(math.hypot(*v), v[j])
        mirror = np.eye(m) - 2 * np.outer(v, v) / sum(v * v)
        whole, q = whole @ mirror, mirror @ q
    return whole[:, k:]


def _length(values: Any, ord: float) -> Any:
    sizes = [abs(v) for v in values]
    if abs(ord) == math.inf:
        return max(sizes) if ord > 0 else min(sizes)
    if ord == 0:
        return float(sum(v != 0 for v in sizes))
    top = max([*sizes, 0.0]) or 1.0
    total = math.fsum((v / top) ** ord for v in sizes)
    return top * total ** (1 / ord)


def _vector_norm(x: Any, axis: Any = None, keepdims: bool = False, ord: float = 2) -> Any:
    axes = range(x.ndim) if axis is None else [axis] if isinstance(axis, int) else axis
    gone = {a % x.ndim for a in axes}
    out = np.zeros([1 if i in gone else n for i, n in enumerate(x.shape)])
    for index in np.ndindex(out.shape):
        place = tuple([slice(None) if i in gone else k for i, k in enumerate(index)])
        out[index] = _length(x[place].ravel().tolist(), ord)
    return out if keepdims else out.reshape([n for i, n in enumerate(x.shape) if i not in gone])


def _matrix_norm(x: Any, ord: Any = "fro", keepdims: bool = False) -> Any:
    def one(a: Any) -> Any:
        if ord in (None, "fro"):
            return _length(a.ravel().tolist(), 2)
        if ord in ("nuc", 2, -2):
            s = _triplets(a)[1]
            return sum(s) if ord == "nuc" else s[0] if ord == 2 else s[-1]
        sums = [_length(v, 1) for v in (a.T if ord in (1, -1) else a).tolist()]
        return max(sums) if ord > 0 else min(sums)

    y = _stacked(one)(x)
    return y[..., None, None] if keepdims else y


def _norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    if ord is None or isinstance(axis, int) or x.ndim == 1:
        return _vector_norm(x, axis, keepdims, 2 if ord is None else ord)
    y = _matrix_norm(np.moveaxis(x, axis or (0, 1), (-2, -1)), ord)
    return np.expand_dims(y, axis or (0, 1)) if keepdims else y


@_stacked
def _cond(a: Any, p: Any = None) -> Any:
    s = _triplets(a)[1]
    if p in (None, 2, -2):
        return s[-1] / s[0] if p == -2 else s[0] / s[-1]
    return _matrix_norm(a, p) * _matrix_norm(_pinv(a), p)


# ---- ops without a choice of signs and phases


def hermitian(a: Any) -> Any:
    """The Hermitian part: the ops on Hermitian matrices have the gradient of changes that keep them so."""
    return (a + ops.matrix_transpose(ops.conjugate(a))) / 2


def _eigenpart(values: Any, v: Any) -> Any:
    """A function of Hermitian matrices: the matrix with the cubes of the eigenvalues."""
    return (v * values[..., None, :] ** 3) @ ops.matrix_transpose(ops.conjugate(v))


def _through_eigh(a: Any, UPLO: str = "L") -> Any:
    values, v = linalg.eigh(hermitian(a), UPLO)
    return values, _eigenpart(values, v)


def _cubed(a: Any, UPLO: str = "L") -> Any:
    a = _mirrored(a)
    return _eigh(a)[0], a @ a @ a


def _through_eig(a: Any) -> Any:
    values, v = linalg.eig(a)
    return (v * values[..., None, :] ** 3) @ linalg.inv(v)


def _halves(f: Any) -> Any:
    """Complex results as real and imaginary parts in the dtype of the input."""

    def op(a: Any) -> Any:
        y = f(a)
        parts = y if isinstance(y, tuple) else (y,)
        return tuple([ops.astype(part(one), a.dtype) for one in parts for part in (ops.real, ops.imag)])

    return op


def _svd_without_basis(a: Any) -> Any:
    u, s, vh = linalg.svd(a)
    k = s.shape[-1]
    rest_u, rest_v = u[..., :, k:], vh[..., k:, :]
    return (
        rest_u @ ops.matrix_transpose(ops.conjugate(rest_u)),
        s,
        ops.matrix_transpose(ops.conjugate(rest_v)) @ rest_v,
    )


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
        reference=_eigh,
        errors=(
            _not_square("eigh", linalg.eigh),
            _no_matrix("eigh", linalg.eigh),
            Fails(lambda: linalg.eigh(np.eye(2), "X"), ShapeError, "eigh: UPLO is 'X'; it is 'L'"),
        ),
        op=lambda a, UPLO: linalg.eigh(hermitian(a), UPLO),
    ),
    row(
        "eigvalsh",
        at("size 1", np.array([[2.5]]), UPLO="L"),
        at("axes", np.stack([APART, APART[::-1, ::-1] * 1.5]), UPLO="U"),
        at("edge: complex", COMPLEX, UPLO="L"),
        reference=lambda a, UPLO: _eigh(a, UPLO=UPLO)[0],
        errors=(
            _not_square("eigvalsh", linalg.eigvalsh),
            Fails(lambda: linalg.eigvalsh(np.eye(2), "l"), ShapeError, "eigvalsh: UPLO is 'l'; it is 'L'"),
        ),
        op=lambda a, UPLO: linalg.eigvalsh(hermitian(a), UPLO),
    ),
    row(
        "eig",
        at("size 1", np.array([[2.5 + 1j]])),
        at("axes", np.stack([COMPLEX, COMPLEX[::-1, ::-1] * 1.5j])),
        at("edge: far from normal", np.array([[1.0 + 0j, 5.0], [0.25j, 3.0]])),
        reference=_eig,
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
        reference=_svd,
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
        reference=_svdvals,
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
        reference=_pinv,
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
        reference=_complement,
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
        reference=_gram_schmidt,
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
        reference=_vector_norm,
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
        reference=_cubed,
        errors=_not_square("eigh", linalg.eigh),
        op=_through_eigh,
    ),
    row(
        "eig, a function of the matrix",
        at("size 1", np.array([[2.5 + 1j]])),
        at("axes", np.stack([COMPLEX, COMPLEX[::-1, ::-1] * 1.5j])),
        at("edge: far from normal", np.array([[1.0 + 0j, 5.0], [0.25j, 3.0]])),
        reference=lambda a: a @ a @ a,
        errors=_not_square("eig", linalg.eig),
        op=_through_eig,
    ),
    row(
        "eig of real matrices",
        at("size 1", np.array([[2.5]])),
        at("axes", np.stack([PAIR, APART])),
        at("edge: not far from equal", np.array([[2.0, 1.0], [0.125, 2.25]])),
        reference=lambda a: _halves(_eig)(a),
        errors=_not_square("eig", linalg.eig),
        op=_halves(linalg.eig),
    ),
    row(
        "eigvals",
        at("size 1", np.array([[2.5 + 1j]])),
        at("axes", np.stack([COMPLEX, COMPLEX[::-1, ::-1] * 1.5j])),
        at("edge: far from normal", np.array([[1.0 + 0j, 5.0], [0.25j, 3.0]])),
        reference=lambda a: _eig(a)[0],
        errors=(_not_square("eigvals", linalg.eigvals), _no_matrix("eigvals", linalg.eigvals)),
        op=linalg.eigvals,
    ),
    row(
        "eigvals of real matrices",
        at("size 1", np.array([[2.5]])),
        at("axes", np.stack([PAIR, APART])),
        at("edge: not far from equal", np.array([[2.0, 1.0], [0.125, 2.25]])),
        reference=lambda a: _halves(lambda a: _eig(a)[0])(a),
        errors=_not_square("eigvals", linalg.eigvals),
        op=_halves(linalg.eigvals),
    ),
    row(
        "svd in full",
        at("size 1", np.array([[-2.5]])),
        at("axes, tall", np.stack([TALL, TALL[::-1] * 1.5])),
        at("axes, two more rows", normal(1, 3)),
        at("edge: complex, wide", COMPLEX[:1]),
        reference=_svd_in_full,
        errors=_no_matrix("svd", linalg.svd),
        op=_svd_without_basis,
    ),
    row(
        "qr, any mode",
        at("size 1", np.array([[-2.5]]), mode="complete"),
        at("axes, wide", np.stack([TALL.T, TALL[::-1].T * 1.5]), mode="reduced"),
        at("axes, complete", TALL, mode="complete"),
        at("axes, r", TALL, mode="r"),
        at("edge: complex, wide", COMPLEX[:2], mode="complete"),
        reference=_qr,
        errors=_no_matrix("qr", linalg.qr),
        op=linalg.qr,
    ),
    row(
        "pinv of constant rank",
        at("size 1", np.array([[-2.5]]), np.array([[2.0]])),
        at("axes", np.array([[1.0], [2.0], [-1.0]]), np.array([[1.0, 0.5]])),
        at("edge: rank 2 of 3", TALL, np.array([[1.0, 0.5, -0.5], [0.25, 2.0, 1.0]])),
        reference=lambda u, v: _pinv(u @ v, rtol=1e-2),
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
        reference=_lstsq,
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
            _svdvals(a) > (rtol * _svdvals(a)[..., :1] if tol is None else tol), -1
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
        reference=_cond,
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
        reference=_vector_norm,
        errors=(
            Fails(
                lambda: linalg.vector_norm(np.ones(2), axis=1),
                ShapeError,
                "vector_norm: axis 1 is out of range",
            ),
            Fails(lambda: linalg.norm(np.ones(2), "fro"), DtypeError, "norm: ord is 'fro'"),
            Fails(
                lambda: linalg.vector_norm(np.ones(0), ord=math.inf),
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
        reference=_matrix_norm,
        errors=(
            _no_matrix("matrix_norm", linalg.matrix_norm, "x"),
            Fails(
                lambda: linalg.matrix_norm(np.eye(2), ord=3),
                ShapeError,
                "matrix_norm: ord is 3; for matrices",
            ),
            Fails(
                lambda: linalg.matrix_norm(np.ones((0, 2)), ord=2),
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
        reference=_norm,
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
