"""Rows of the products that NumPy has names for."""

from __future__ import annotations

from typing import Any

import numpy as np

from ... import ops
from ..._errors import ShapeError
from .row import Fails, OpSamples, at, complex_normal, normal, row

A, B = normal(2, 3), normal(3, 2, seed=1)


def _flat(a: Any, b: Any) -> Any:
    return np.array(
        sum(x.conjugate() * y for x, y in zip(a.ravel().tolist(), b.ravel().tolist(), strict=True))
    )


def _summed(a: Any, b: Any, of_a: Any, of_b: Any) -> Any:
    """Sums of products over pairs of axes, by loops over the other axes."""
    of_a, of_b = [i % a.ndim for i in of_a], [i % b.ndim for i in of_b]
    rows, columns = np.moveaxis(a, of_a, range(-len(of_a), 0)), np.moveaxis(b, of_b, range(len(of_b)))
    n = len(of_a)
    out = np.zeros(rows.shape[: rows.ndim - n] + columns.shape[n:], np.result_type(a, b))
    for i in np.ndindex(rows.shape[: rows.ndim - n]):
        for j in np.ndindex(columns.shape[n:]):
            pairs = [(rows[i + k], columns[k + j]) for k in np.ndindex(columns.shape[:n])]
            out[i + j] = sum(x * y for x, y in pairs)
    return out


def _dot(a: Any, b: Any) -> Any:
    return np.array(a * b) if not a.ndim or not b.ndim else _summed(a, b, [-1], [max(0, b.ndim - 2)])


def _inner(a: Any, b: Any) -> Any:
    return np.array(a * b) if not a.ndim or not b.ndim else _summed(a, b, [-1], [-1])


def _outer(a: Any, b: Any) -> Any:
    return np.array([x * y for x in a.ravel() for y in b.ravel()]).reshape(a.size, b.size)


def _tensordot(a: Any, b: Any, axes: Any = 2) -> Any:
    if isinstance(axes, int):
        return _summed(a, b, range(a.ndim - axes, a.ndim), range(axes))
    return _summed(a, b, *[[i] if isinstance(i, int) else i for i in axes])


def _along(f: Any) -> Any:
    """A function of two vectors along an axis, the others broadcast."""

    def reference(a: Any, b: Any, axis: int = -1) -> Any:
        a, b = np.broadcast_arrays(np.moveaxis(a, axis, -1), np.moveaxis(b, axis, -1))
        found = [f(a[i].tolist(), b[i].tolist()) for i in np.ndindex(a.shape[:-1])]
        made = np.array(found).reshape((*a.shape[:-1], *np.shape(found)[1:]))
        return np.moveaxis(made, -1, axis) if made.ndim == a.ndim else made

    return reference


def _cross(a: Any, b: Any) -> list[Any]:
    return [a[i - 2] * b[i - 1] - a[i - 1] * b[i - 2] for i in range(3)]


COMPOSED: list[OpSamples] = [
    row(
        "dot",
        at("0-d", 1.5, 2.5),
        at("axes, vectors", normal(3), normal(3, seed=1)),
        at("axes, matrices", A, B),
        at("axes, many", normal(2, 2, 3), normal(2, 3, 2)),
        at("axes, matrix and vector", A, normal(3)),
        at("edge: empty", np.zeros((2, 0)), np.zeros(0)),
        reference=_dot,
        errors=Fails(lambda: ops.dot(np.ones(2), np.ones(3)), ShapeError, r"dot: axes \(0,\) of a \(2,\)"),
        numpy=np.dot,
        op=ops.dot,
    ),
    row(
        "vdot",
        at("0-d", 1.5, 2.5),
        at("axes", A, normal(2, 3, seed=1)),
        at("axes, of other shape", A, B),
        at("edge: one element", np.array([[2.0]]), np.array([3.0])),
        at("complex", complex_normal(3), complex_normal(3, seed=1)),
        reference=_flat,
        errors=Fails(lambda: ops.vdot(np.ones(2), np.ones(3)), ShapeError, r"vdot: axes \(0,\) of a \(2,\)"),
        numpy=np.vdot,
        op=ops.vdot,
    ),
    row(
        "inner",
        at("0-d", 1.5, 2.5),
        at("axes", A, normal(4, 3, seed=1)),
        at("axes, many", normal(2, 2, 3), normal(3)),
        at("edge: empty", np.zeros((2, 0)), np.zeros(0)),
        reference=_inner,
        errors=Fails(
            lambda: ops.inner(np.ones(2), np.ones(3)), ShapeError, r"inner: axes \(0,\) of a \(2,\)"
        ),
        numpy=np.inner,
        op=ops.inner,
    ),
    row(
        "outer",
        at("0-d", 1.5, 2.5),
        at("axes", A, normal(2)),
        at("edge: empty", np.zeros(0), normal(2)),
        reference=_outer,
        errors=Fails(lambda: ops.outer("word", np.ones(3)), TypeError, "outer: "),
        numpy=np.outer,
        op=ops.outer,
    ),
    row(
        "tensordot",
        at("0-d", 1.5, 2.5, axes=0),
        at("axes", normal(2, 3, 2), normal(3, 2, 4)),
        at("axes, one", A, B, axes=1),
        at("axes, pairs", normal(2, 3, 4), normal(4, 3, 2), axes=((-1, 1), (0, 1))),
        at("axes, numbers", normal(2, 3), normal(2, 3, seed=1), axes=(0, 0)),
        at("edge: none", A, normal(2), axes=0),
        reference=_tensordot,
        errors=(
            Fails(lambda: ops.tensordot(A, A, axes=1), ShapeError, r"tensordot: axes \(1,\) of a \(2, 3\)"),
            Fails(lambda: ops.tensordot(A, B, axes=3), ShapeError, "tensordot: axes=3, but a has 2"),
            Fails(lambda: ops.tensordot(A, B, axes=(0, 2)), ShapeError, "tensordot: axis 2 is out of range"),
        ),
        numpy=np.tensordot,
        op=ops.tensordot,
    ),
    row(
        "kron",
        at("0-d", 1.5, 2.5),
        at("axes", A, B),
        at("axes, of other rank", A, normal(2)),
        at("edge: empty", np.zeros((0, 2)), A),
        reference=lambda a, b: np.array(np.kron(a, b)),
        errors=Fails(lambda: ops.kron("word", A), TypeError, "kron: "),
        numpy=np.kron,
        op=ops.kron,
    ),
    row(
        "vecdot",
        at("size 1", np.array([1.5]), np.array([2.5])),
        at("axes", normal(3, 2), normal(3, 2, seed=1), axis=0),
        at("broadcast", normal(2, 3), normal(3)),
        at("edge: zero vectors", np.zeros((2, 3)), np.zeros((2, 3))),
        at("complex", complex_normal(2, 3), complex_normal(2, 3, seed=1)),
        reference=_along(lambda a, b: sum(x.conjugate() * y for x, y in zip(a, b, strict=True))),
        errors=(
            Fails(lambda: ops.vecdot(np.ones(2), np.ones(3)), ShapeError, "vecdot: vectors of 2 and of 3"),
            Fails(lambda: ops.vecdot(np.ones(2), np.ones(2), axis=2), ShapeError, "vecdot: axis 2 is out of"),
        ),
        op=ops.vecdot,
    ),
    row(
        "cross",
        at("size 1", normal(1, 3), normal(1, 3, seed=1)),
        at("axes", normal(3, 2), normal(3, 2, seed=1), axis=0),
        at("broadcast", normal(2, 3), normal(3)),
        at("edge: parallel", np.array([1.0, 2.0, 3.0]), np.array([2.0, 4.0, 6.0])),
        reference=_along(_cross),
        errors=(
            Fails(lambda: ops.cross(np.ones(2), np.ones(3)), ShapeError, "cross: vectors of 2 and of 3"),
            Fails(lambda: ops.cross(np.ones(3), np.ones(3), axis=1), ShapeError, "cross: axis 1 is out of"),
        ),
        op=ops.cross,
    ),
]
