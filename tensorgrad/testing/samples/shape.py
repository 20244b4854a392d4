"""Rows of the ops that move elements about."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from ... import ops
from ..._errors import DtypeError, IndexingError, ShapeError
from ...ops.shape import split_at
from .row import Fails, OpSamples, at, complex_normal, normal, row


def _reshape(x: Any, shape: Any) -> Any:
    lengths = [shape] if isinstance(shape, int) else list(shape)
    if -1 in lengths:
        known = int(np.prod([n for n in lengths if n != -1]))
        lengths[lengths.index(-1)] = x.size // known
    out = np.zeros(lengths, x.dtype)
    for k in range(x.size):
        out[np.unravel_index(k, out.shape)] = x[np.unravel_index(k, x.shape)]
    return out


def _permute(x: Any, axes: Sequence[int]) -> Any:
    out = np.zeros([x.shape[a] for a in axes], x.dtype)
    for index in np.ndindex(x.shape):
        out[tuple([index[a] for a in axes])] = x[index]
    return out


def _sum_to(x: Any, shape: Sequence[int]) -> Any:
    out = np.zeros(shape, x.dtype)
    for index in np.ndindex(x.shape):
        own = index[x.ndim - len(shape) :]
        out[tuple([i if n != 1 else 0 for i, n in zip(own, shape, strict=True)])] += x[index]
    return out


def _concat(*arrays: Any, axis: int = 0) -> Any:
    if axis is None:
        return np.array([v for a in arrays for v in a.flat])
    axis %= arrays[0].ndim
    shape = list(arrays[0].shape)
    shape[axis] = sum(a.shape[axis] for a in arrays)
    out, start = np.zeros(shape, np.result_type(*arrays)), 0
    for a in arrays:
        for index in np.ndindex(a.shape):
            out[(*index[:axis], index[axis] + start, *index[axis + 1 :])] = a[index]
        start += a.shape[axis]
    return out


def _parts(x: Any, sections: Any, axis: int = 0) -> Any:
    n = x.shape[axis]
    if isinstance(sections, int):
        sections = [n // sections * i for i in range(1, sections)]
    ends = [0, *[max(0, min(n, s + n if s < 0 else s)) for s in sections], n]
    return tuple([np.take(x, range(i, max(i, j)), axis) for i, j in pairwise(ends)])


def _insert(x: Any, axis: Any) -> Any:
    axes = [axis] if isinstance(axis, int) else list(axis)
    n = x.ndim + len(axes)
    lengths, rest = [1] * n, iter(x.shape)
    for i in range(n):
        if i not in [a % n for a in axes]:
            lengths[i] = next(rest)
    return _reshape(x, lengths)


PRIMITIVES = [
    row(
        "reshape",
        at("0-d", 2.5, shape=(1, 1)),
        at("0-d from size 1", np.array([[2.5]]), shape=()),
        at("axes", normal(2, 3, 2), shape=(3, 4)),
        at("axes, one by itself", normal(2, 3), shape=6),
        at("axes, -1", normal(2, 3, 2), shape=(4, -1)),
        at("edge: empty", np.zeros((0, 3)), shape=(3, 0, 2)),
        at("complex", complex_normal(2, 3), shape=(3, 2)),
        reference=_reshape,
        errors=(
            Fails(
                lambda: ops.reshape(np.ones(6), (4, 2)), ShapeError, r"reshape: x \(6,\), shape=\(4, 2\): "
            ),
            Fails(lambda: ops.reshape(np.ones(6), (-1, -1)), ShapeError, r"reshape: .*one unknown"),
        ),
        numpy=lambda x, shape: np.reshape(x, shape),
    ),
    row(
        "permute_dims",
        at("0-d", 2.5, axes=()),
        at("size 1", np.array([[2.5]]), axes=(1, 0)),
        at("axes", normal(2, 3, 4), axes=(2, 0, 1)),
        at("axes, negative", normal(2, 3, 4), axes=(0, -1, 1)),
        at("edge: empty", np.zeros((0, 3)), axes=(1, 0)),
        reference=_permute,
        errors=Fails(
            lambda: ops.permute_dims(np.ones((2, 3)), (0, 0)),
            ShapeError,
            r"permute_dims: x \(2, 3\), axes=\(0, 0\)",
        ),
        numpy=lambda x, axes: np.transpose(x, axes),
    ),
    row(
        "broadcast_to",
        at("0-d", 2.5, shape=(2, 3)),
        at("size 1", np.array([2.5]), shape=(3,)),
        at("broadcast (2,1,3)", normal(2, 1, 3), shape=(2, 4, 3)),
        at("broadcast to more axes", normal(3), shape=(2, 2, 3)),
        at("edge: to nothing", normal(1, 3), shape=(0, 3)),
        at("edge: to itself", normal(2, 3), shape=(2, 3)),
        reference=lambda x, shape: x + np.zeros(shape),
        errors=Fails(
            lambda: ops.broadcast_to(np.ones((2, 3)), (3, 2)),
            ShapeError,
            r"broadcast_to: x \(2, 3\), shape=\(3, 2\)",
        ),
        numpy=lambda x, shape: np.broadcast_to(x, shape),
    ),
    row(
        "sum_to",
        at("0-d", normal(2, 3), shape=()),
        at("size 1", np.array([2.5]), shape=(1,)),
        at("broadcast (2,4,3) from (2,1,3)", normal(2, 4, 3), shape=(2, 1, 3)),
        at("axes", normal(2, 4, 3), shape=(3,)),
        at("edge: nothing to sum", np.zeros((0, 3)), shape=(1, 3)),
        reference=_sum_to,
        errors=Fails(
            lambda: ops.sum_to(np.ones((2, 3)), (2,)), ShapeError, r"sum_to: x \(2, 3\), shape=\(2,\)"
        ),
    ),
    row(
        "concat",
        at("size 1", np.array([1.5]), axis=0),
        at("axes", normal(2, 3), normal(1, 3, seed=1), normal(3, 3, seed=2), axis=0),
        at("axes, last", normal(2, 3), normal(2, 1, seed=1), axis=-1),
        at("edge: an empty part", normal(2, 3), np.zeros((0, 3)), axis=0),
        reference=_concat,
        errors=Fails(
            lambda: ops.concat([np.ones((2, 3)), np.ones((2, 4))], axis=0),
            ShapeError,
            r"concat: arrays \(2, 3\) and arrays \(2, 4\), axis=0",
        ),
        numpy=lambda *arrays, axis: np.concatenate(arrays, axis),
    ),
    row(
        "split",
        at("size 1", np.array([1.5]), sections=(), axis=0),
        at("axes", normal(5, 2), sections=(1, 3), axis=0),
        at("axes, last", normal(2, 3, 4), sections=(2,), axis=2),
        at("edge: empty parts", normal(3, 2), sections=(0, 3), axis=0),
        reference=_parts,
        errors=Fails(
            lambda: split_at(np.ones((2, 3)), (1,), 2),
            IndexingError,
            r"split: x \(2, 3\), sections=\(1,\), axis=2",
        ),
        numpy=lambda x, sections, axis: np.split(x, sections, axis),
    ),
]

COMPOSED = [
    row(
        "transpose",
        at("0-d", 2.5),
        at("axes, reversed", normal(2, 3, 4)),
        at("axes, given", normal(2, 3, 4), axes=(0, 2, 1)),
        at("edge: empty", np.zeros((0, 3))),
        reference=lambda x, axes=None: _permute(x, range(x.ndim)[::-1] if axes is None else axes),
        errors=Fails(lambda: ops.transpose(np.ones((2, 3)), (0,)), ShapeError, r"transpose: axes \(0,\)"),
        op=ops.transpose,
    ),
    row(
        "matrix_transpose",
        at("size 1", np.array([[2.5]])),
        at("axes", normal(2, 3, 4)),
        at("edge: empty", np.zeros((2, 0, 3))),
        reference=lambda x: _permute(x, [*range(x.ndim - 2), x.ndim - 1, x.ndim - 2]),
        errors=Fails(
            lambda: ops.matrix_transpose(np.ones(3)), ShapeError, r"matrix_transpose: x has shape \(3,\)"
        ),
        op=ops.matrix_transpose,
    ),
    row(
        "swapaxes",
        at("size 1", np.array([[2.5]]), axis1=0, axis2=1),
        at("axes", normal(2, 3, 4), axis1=0, axis2=-1),
        at("edge: with itself", normal(2, 3), axis1=1, axis2=1),
        reference=lambda x, axis1, axis2: np.swapaxes(x, axis1, axis2).copy(),
        errors=Fails(lambda: ops.swapaxes(np.ones((2, 3)), 0, 2), ShapeError, r"swapaxes: axis 2"),
        op=lambda x, axis1, axis2: ops.swapaxes(x, axis1, axis2),
    ),
    row(
        "moveaxis",
        at("size 1", np.array([[2.5]]), source=0, destination=1),
        at("axes", normal(2, 3, 4), source=0, destination=-1),
        at("edge: stays", normal(2, 3), source=1, destination=1),
        reference=lambda x, source, destination: np.moveaxis(x, source, destination).copy(),
        errors=Fails(
            lambda: ops.moveaxis(np.ones((2, 3)), 0, 2), ShapeError, r"moveaxis: axis 2 is out of range"
        ),
        op=lambda x, source, destination: ops.moveaxis(x, source, destination),
    ),
    row(
        "expand_dims",
        at("0-d", 2.5, axis=0),
        at("axes", normal(2, 3), axis=(0, -1)),
        at("edge: empty", np.zeros((0, 3)), axis=1),
        reference=_insert,
        errors=Fails(
            lambda: ops.expand_dims(np.ones(2), (0, 0)),
            ShapeError,
            r"expand_dims: axis \(0, 0\) names a place twice",
        ),
        op=ops.expand_dims,
    ),
    row(
        "squeeze",
        at("size 1", np.array([[2.5]])),
        at("axes", normal(1, 3, 1, 2), axis=(0, -2)),
        at("axes, all", normal(1, 3, 1, 2)),
        at("edge: nothing to drop", normal(2, 3)),
        reference=lambda x, axis=None: np.squeeze(x, axis).copy(),
        errors=Fails(
            lambda: ops.squeeze(np.ones((1, 2)), 1),
            ShapeError,
            r"squeeze: x has shape \(1, 2\); axis 1 is longer",
        ),
        op=ops.squeeze,
    ),
    row(
        "ravel",
        at("0-d", 2.5),
        at("axes", normal(2, 3, 2)),
        at("edge: empty", np.zeros((0, 3))),
        reference=lambda x: np.array(list(x.flat), x.dtype),
        errors=Fails(lambda: ops.ravel("word"), DtypeError, "ravel: "),
        op=ops.ravel,
    ),
    row(
        "flip",
        at("size 1", np.array([2.5])),
        at("axes, all", normal(2, 3)),
        at("axes, some", normal(2, 3, 2), axis=(0, -1)),
        at("edge: empty", np.zeros((0, 3)), axis=0),
        reference=lambda x, axis=None: np.flip(x, axis).copy(),
        errors=Fails(
            lambda: ops.flip(np.ones(2), axis=1), ShapeError, r"flip: axis 1 is out of range for 1 axes"
        ),
        op=ops.flip,
    ),
    row(
        "stack",
        at("0-d", 1.5, 2.5, axis=0),
        at("axes", normal(2, 3), normal(2, 3, seed=1), axis=-1),
        at("axes, middle", normal(2, 3), normal(2, 3, seed=1), axis=1),
        at("edge: empty", np.zeros((0, 3)), np.zeros((0, 3)), axis=0),
        reference=lambda *arrays, axis: np.moveaxis(
            np.array([a.tolist() for a in arrays]).reshape(len(arrays), *arrays[0].shape), 0, axis
        ),
        errors=(
            Fails(
                lambda: ops.stack([np.ones(2), np.ones(3)]),
                ShapeError,
                r"stack: the arrays have shapes \[\(2,\), \(3,\)\]",
            ),
            Fails(lambda: ops.stack([]), ShapeError, "stack: "),
        ),
        op=lambda *arrays, axis: ops.stack(arrays, axis=axis),
    ),
    row(
        "concat of a list",
        at("size 1", np.array([1.5]), axis=0),
        at("axes, flattened", normal(2, 3), normal(2, seed=1), axis=None),
        at("edge: one empty", normal(2, 3), np.zeros((2, 0)), axis=1),
        reference=_concat,
        errors=Fails(lambda: ops.concat([]), ShapeError, "concat: no arrays given"),
        op=lambda *arrays, axis: ops.concat(arrays, axis=axis),
    ),
    row(
        "split in parts",
        at("size 1", np.array([1.5]), sections=1),
        at("axes, equal parts", normal(6, 2), sections=3),
        at("axes, positions", normal(2, 5), sections=[1, -1], axis=1),
        at("edge: beyond the end", normal(3), sections=[2, 7]),
        at("edge: overlapping", normal(5), sections=[4, 2, -9]),
        reference=_parts,
        errors=Fails(
            lambda: ops.split(np.ones(5), 2),
            ShapeError,
            "split: axis 0 has length 5, which 2 equal parts do not",
        ),
        op=lambda x, sections, axis=0: ops.split(x, sections, axis=axis),
    ),
]

ROWS: list[OpSamples] = PRIMITIVES
