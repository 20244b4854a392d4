"""Eigenvalues, singular values and norms computed another way, to compare the ops with.

Columns are turned until they are orthogonal (Jacobi), or made so one after the other (Gram and Schmidt), and
norms add up in loops. Signs and phases of vectors are a choice of LAPACK's, and are taken from it.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ... import linalg, ops
from ..._errors import DtypeError
from ...ops.linalg import singular
from .row import Function

# ---- references


def stacked(f: Function) -> Function:
    """Apply a function of one matrix to each of a stack."""

    def reference(a: Any, **params: Any) -> Any:
        found = [f(a[i], **params) for i in np.ndindex(a.shape[:-2])]
        parts = zip(*found, strict=True) if isinstance(found[0], tuple) else [found]
        made = [np.array(part).reshape((*a.shape[:-2], *np.shape(part[0]))) for part in parts]
        return tuple(made) if isinstance(found[0], tuple) else made[0]

    return reference


def triplets(a: Any) -> tuple[Any, Any, Any]:
    """Singular values and vectors: rotate pairs of columns until all are orthogonal."""
    if a.shape[0] < a.shape[1]:
        v, s, u = triplets(np.conj(a.T))
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


def like(v: Any, model: Any) -> Any:
    """Columns with the phases of a model."""
    turn = np.sum(np.conj(v) * model, 0)
    return v * turn / np.abs(turn)


@stacked
def svd(a: Any) -> Any:
    """Singular vectors with the signs of LAPACK's."""
    u, s, v = triplets(a)
    model = singular._svd(a)[0]
    turned = like(u, model)
    return turned, s, np.conj((v * np.sum(np.conj(u) * turned, 0)).T)


@stacked
def svd_in_full(a: Any) -> Any:
    """Projectors onto what the singular vectors leave over, and the singular values between."""
    u, s, v = triplets(a)
    return np.eye(len(u)) - u @ np.conj(u.T), s, np.eye(len(v)) - v @ np.conj(v.T)


@stacked
def svdvals(a: Any) -> Any:
    """Singular values alone."""
    return triplets(a)[1]


def mirrored(a: Any) -> Any:
    """The Hermitian part of an array."""
    return (a + np.conj(a.swapaxes(-1, -2))) / 2


@stacked
def eigh(a: Any, UPLO: str = "L") -> Any:
    """Shift the eigenvalues above 0, where they are singular values."""
    a = mirrored(a)
    shift = 1 + np.abs(a).sum()
    _, s, v = triplets(a + shift * np.eye(len(a)))
    return s[::-1] - shift, like(
        v[:, ::-1], np.linalg.eigh(a)[1] if UPLO == "L" else np.linalg.eigh(a, "U")[1]
    )


@stacked
def eig(a: Any) -> Any:
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
    return np.array(roots), like(vectors, model)


@stacked
def gram_schmidt(a: Any) -> Any:
    """Make each column orthogonal to those before it, twice."""
    q = np.zeros((a.shape[0], min(a.shape)), a.dtype)
    for j in range(q.shape[1]):
        v = a[:, j] + 0
        for _ in range(2):
            for i in range(j):
                v = v - q[:, i] * sum(np.conj(q[:, i]) * v)
        q[:, j] = v / np.sqrt(sum(np.abs(v) ** 2))
    q = like(q, np.linalg.qr(a)[0])
    return q, np.conj(q.T) @ a


def qr(a: Any, mode: str) -> Any:
    """Any mode; the one column that may be left over is taken from LAPACK."""
    q, r = gram_schmidt(a)
    if mode == "complete" and a.shape[-2] > a.shape[-1]:
        last = np.linalg.qr(a, "complete")[0][..., -1:]
        return np.concatenate([q, last], -1), np.concatenate([r, 0 * r[..., :1, :]], -2)
    return r if mode == "r" else (q, r)


@stacked
def pinv(a: Any, rtol: float = 1e-12) -> Any:
    """Invert the singular values that are not small."""
    u, s, v = triplets(a)
    kept = s > rtol * s[0]
    return (v[:, kept] / s[kept]) @ np.conj(u[:, kept].T)


def lstsq(a: Any, b: Any, rcond: float = 1e-12) -> Any:
    """All four results by the pseudo-inverse."""
    if b.ndim == 1:
        x, residuals, rank, s = lstsq(a, b[:, None], rcond)
        return x[..., 0], residuals[..., 0], rank, s
    x, s = pinv(a, rtol=rcond) @ b, svdvals(a)
    return x, np.sum(np.abs(b - a @ x) ** 2, -2), np.sum(s > rcond * s[..., :1], -1), s


@stacked
def complement(q: Any) -> Any:
    """The last columns of a product of Householder's reflections."""
    m, k = q.shape
    whole, q = np.eye(m), q + 0
    for j in range(k):
        v = np.where(np.arange(m) >= j, q[:, j], 0)
        v[j] += math.copysign(math.hypot(*v), v[j])
        mirror = np.eye(m) - 2 * np.outer(v, v) / sum(v * v)
        whole, q = whole @ mirror, mirror @ q
    return whole[:, k:]


def length(values: Any, ord: float) -> Any:
    """The norm of a list of numbers."""
    sizes = [abs(v) for v in values]
    if abs(ord) == math.inf:
        return max(sizes) if ord > 0 else min(sizes)
    if ord == 0:
        return float(sum(v != 0 for v in sizes))
    top = max([*sizes, 0.0]) or 1.0
    total = math.fsum((v / top) ** ord for v in sizes)
    return top * total ** (1 / ord)


def vector_norm(x: Any, axis: Any = None, keepdims: bool = False, ord: float = 2) -> Any:
    """The norm of each group of elements along the axes."""
    axes = range(x.ndim) if axis is None else [axis] if isinstance(axis, int) else axis
    gone = {a % x.ndim for a in axes}
    out = np.zeros([1 if i in gone else n for i, n in enumerate(x.shape)])
    for index in np.ndindex(out.shape):
        place = tuple([slice(None) if i in gone else k for i, k in enumerate(index)])
        out[index] = length(x[place].ravel().tolist(), ord)
    return out if keepdims else out.reshape([n for i, n in enumerate(x.shape) if i not in gone])


def matrix_norm(x: Any, ord: Any = "fro", keepdims: bool = False) -> Any:
    """By sums of columns and rows, or singular values."""

    def one(a: Any) -> Any:
        if ord in (None, "fro"):
            return length(a.ravel().tolist(), 2)
        if ord in ("nuc", 2, -2):
            s = triplets(a)[1]
            return sum(s) if ord == "nuc" else s[0] if ord == 2 else s[-1]
        sums = [length(v, 1) for v in (a.T if ord in (1, -1) else a).tolist()]
        return max(sums) if ord > 0 else min(sums)

    y = stacked(one)(x)
    return y[..., None, None] if keepdims else y


def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    """The one of vectors or the one of matrices."""
    if ord is None or isinstance(axis, int) or x.ndim == 1:
        return vector_norm(x, axis, keepdims, 2 if ord is None else ord)
    y = matrix_norm(np.moveaxis(x, axis or (0, 1), (-2, -1)), ord)
    return np.expand_dims(y, axis or (0, 1)) if keepdims else y


@stacked
def cond(a: Any, p: Any = None) -> Any:
    """By the norms of the matrix and of its pseudo-inverse."""
    s = triplets(a)[1]
    if p in (None, 2, -2):
        return s[-1] / s[0] if p == -2 else s[0] / s[-1]
    return matrix_norm(a, p) * matrix_norm(pinv(a), p)


# ---- ops without a choice of signs and phases


def hermitian(a: Any) -> Any:
    """The Hermitian part: the ops on Hermitian matrices have the gradient of changes that keep them so."""
    return (a + ops.matrix_transpose(ops.conjugate(a))) / 2


def eigenpart(values: Any, v: Any) -> Any:
    """A function of Hermitian matrices: the matrix with the cubes of the eigenvalues."""
    return (v * values[..., None, :] ** 3) @ ops.matrix_transpose(ops.conjugate(v))


def through_eigh(a: Any, UPLO: str = "L") -> Any:
    """Eigenvalues, and the cube of the matrix by way of them."""
    values, v = linalg.eigh(hermitian(a), UPLO)
    return values, eigenpart(values, v)


def cubed(a: Any, UPLO: str = "L") -> Any:
    """The same by products."""
    a = mirrored(a)
    return eigh(a)[0], a @ a @ a


def through_eig(a: Any) -> Any:
    """The cube of any square matrix by way of its eigenvalues."""
    values, v = linalg.eig(a)
    return (v * values[..., None, :] ** 3) @ linalg.inv(v)


def halves(f: Any) -> Any:
    """Complex results as real and imaginary parts in the dtype of the input, which has to be real."""

    def op(a: Any) -> Any:
        if a.dtype.kind != "f":
            raise DtypeError(f"{a.dtype}: this row is about matrices of real floating numbers")
        y = f(a)
        parts = y if isinstance(y, tuple) else (y,)
        return tuple([ops.astype(part(one), a.dtype) for one in parts for part in (ops.real, ops.imag)])

    return op


def svd_without_basis(a: Any) -> Any:
    """What `svd_in_full` gives, from the full singular vectors."""
    u, s, vh = linalg.svd(a)
    k = s.shape[-1]
    rest_u, rest_v = u[..., :, k:], vh[..., k:, :]
    return (
        rest_u @ ops.matrix_transpose(ops.conjugate(rest_u)),
        s,
        ops.matrix_transpose(ops.conjugate(rest_v)) @ rest_v,
    )
