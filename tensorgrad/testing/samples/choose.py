"""Rows of choosing and scattering."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ... import ops
from ..._errors import DtypeError, IndexingError, ShapeError
from ...ops import positions as places
from .row import Fails, OpSamples, at, normal, row, spread

ONE = np.array([0])
HIGH = np.array([2, 0, 2])
WIDE = np.array([[0, 2, 1], [2, 2, 0]])
APART = spread(2, 3, seed=1) + 0.07
ZEROS = np.array([[0.0, 2.0, 3.0], [0.0, 0.0, 5.0]])
MASK = np.array([[True, False, True], [False, False, True]])


def _out_of_range(name: str, call: Callable[[], Any], axis: Any = 0) -> Fails:
    return Fails(call, IndexingError, rf"{name}: index 3 is out of range for axis {axis} of length 3")


# ---- references, by loops


def _take(x: Any, indices: Any, axis: Any = None, mode: str = "raise") -> Any:
    x, axis = (x.ravel(), 0) if axis is None else (x, axis % x.ndim)
    n = x.shape[axis]
    fit: Any = {"raise": lambda i: i % n, "wrap": lambda i: i % n, "clip": lambda i: min(max(i, 0), n - 1)}[
        mode
    ]
    out = np.zeros((*x.shape[:axis], *indices.shape, *x.shape[axis + 1 :]), x.dtype)
    for index in np.ndindex(indices.shape):
        lead = (slice(None),) * axis
        out[(*lead, *index)] = x[(*lead, fit(int(indices[index])))]
    return out


def _flat(*arrays: Any) -> list[Any]:
    return [a.ravel().tolist() for a in np.broadcast_arrays(*arrays)]


def _at(index: Any, place: Any, axis: int) -> Any:
    return (*place[:axis], int(index[place]), *place[axis + 1 :])


def _gather(x: Any, index: Any, axis: int) -> Any:
    out = np.zeros(index.shape, x.dtype)
    for place in np.ndindex(index.shape):
        out[place] = x[_at(index, place, axis)]
    return out


def _scatter(combine: Callable[[Any, Any], Any]) -> Callable[..., Any]:
    def reference(x: Any, src: Any, index: Any, axis: int) -> Any:
        out = x.copy()
        for place in np.ndindex(index.shape):
            out[_at(index, place, axis)] = combine(out[_at(index, place, axis)], src[place])
        return out

    return reference


def _scatter_reduce(x: Any, src: Any, index: Any, axis: int, reduce: str, include_self: bool = True) -> Any:
    combine: Any = {
        "sum": sum,
        "prod": math.prod,
        "mean": lambda v: sum(v) / len(v),
        "amax": max,
        "amin": min,
    }
    found: dict[Any, list[Any]] = {}
    for place in np.ndindex(index.shape):
        target = _at(index, place, axis)
        found.setdefault(target, [x[target]] if include_self else []).append(src[place])
    out = x.copy()
    for target, values in found.items():
        out[target] = combine[reduce](values)
    return out


def _parts(combine: Callable[[Any, Any], Any]) -> Callable[..., Any]:
    def reference(x: Any, src: Any, index: Any, axis: int) -> Any:
        out = x.copy()
        for k, i in enumerate(index.tolist()):
            to, of = ((*[slice(None)] * axis, n) for n in (i, k))
            out[to] = combine(out[to], src[of])
        return out

    return reference


def _put(x: Any, values: Any, indices: Any, axis: Any) -> Any:
    flat, axis = (x.ravel(), 0) if axis is None else (x, axis)
    shape = tuple(
        [m if i == axis else n for i, (n, m) in enumerate(zip(flat.shape, indices.shape, strict=True))]
    )
    wide, v = np.broadcast_to(indices, shape), np.broadcast_to(values, shape)
    return _scatter(lambda old, new: new)(flat, v, wide, axis).reshape(x.shape)


# ---- cards

ROWS: list[OpSamples] = [
    row(
        "positions",
        at("0-d", np.array(-1), caller="take", axis=0, length=3),
        at("axes", np.array([[0, -3], [2, 1]]), caller="take", axis=0, length=3),
        at("edge: unsigned, none negative", np.array([2, 0], "u1"), caller="take", axis=0, length=3, negative=False),
        at("edge: empty", np.zeros(0, int), caller="take", axis=0, length=0),
        reference=lambda x, caller, axis, length, negative=True: np.array(
            [i % length for i in x.ravel().tolist()], int
        ).reshape(x.shape),
        errors=(
            _out_of_range("take", lambda: places.positions(np.array([0, 3]), "take", 0, 3)),
            Fails(
                lambda: places.positions(np.array([-1]), "bincount", 0, 3, False),
                IndexingError,
                "bincount: index -1 .* of length 3; it must not be negative",
            ),
            Fails(lambda: places.positions(np.ones(2), "take", 0, 3), DtypeError, "take: the indices have dtype float64"),
        ),
    ),
]  # fmt: skip

# ---- composed

CHOOSING = [
    row(
        "take",
        at("0-d result", normal(3), np.array(-1), axis=0),
        at("axes, flattened and repeated", normal(2, 3), np.array([[0, 5], [-1, 0]])),
        at("axes, one", normal(2, 3), HIGH, axis=1),
        at("edge: wrapped", normal(3, 2), np.array([-7, 4]), axis=0, mode="wrap"),
        at("edge: clipped", normal(3, 2), np.array([-7, 4, 1]), axis=0, mode="clip"),
        reference=_take,
        errors=(
            _out_of_range("take", lambda: ops.take(np.ones(3), [0, 3])),
            Fails(lambda: ops.take(np.ones(3), [-4]), IndexingError, "take: index -4 is out of range for axis 0"),
            Fails(lambda: ops.take(np.ones(3), [0.0]), DtypeError, "take: the indices have dtype float64"),
            Fails(lambda: ops.take(np.ones(3), [0], mode="no"), ShapeError, "take: mode is 'no'"),
            Fails(lambda: ops.take(np.ones((0,)), [0], mode="wrap"), IndexingError, "take: index 0 .* of length 0"),
        ),
        numpy=np.take,
        op=ops.take,
    ),
    row(
        "index_select",
        at("size 1", normal(1), ONE, axis=0),
        at("axes", normal(2, 3), HIGH, axis=1),
        at("edge: none", normal(2, 3), np.zeros(0, int), axis=1),
        reference=lambda x, index, axis: _take(x, index, axis),
        errors=(
            _out_of_range("index_select", lambda: ops.index_select(np.ones(3), 0, [3])),
            Fails(lambda: ops.index_select(np.ones(3), 0, [[1]]), ShapeError, r"index_select: index has shape \(1, 1\)"),
        ),
        op=lambda x, index, axis: ops.index_select(x, axis, index),
    ),
    row(
        "gather",
        at("size 1", normal(1), ONE, axis=0),
        at("axes, repeated", normal(2, 3), WIDE, axis=1),
        at("axes, shorter", normal(3, 4), np.array([[2, 0], [1, 1]]), axis=0),
        at("edge: none", normal(2, 3), np.zeros((2, 0), int), axis=1),
        reference=_gather,
        errors=(
            _out_of_range("gather", lambda: ops.gather(np.ones((2, 3)), 1, [[3]]), 1),
            Fails(lambda: ops.gather(np.ones(3), 0, [[1]]), ShapeError, r"gather: index \(1, 1\) for x \(3,\)"),
            Fails(lambda: ops.gather(np.ones((1, 2)), 1, [[1], [0]]), ShapeError, r"gather: index \(2, 1\) is longer"),
        ),
        op=lambda x, index, axis: ops.gather(x, axis, index),
    ),
    row(
        "choose",
        at("0-d", 1.5, 2.5, np.array(1)),
        at("broadcast", normal(2, 1), normal(3, seed=1), WIDE % 2),
        at("edge: wrapped", normal(3), normal(3, seed=1), np.array([-1, 2, 5]), mode="wrap"),
        reference=lambda a, b, x, mode="raise": np.where(x % 2 == 0, a, b),
        errors=(
            Fails(lambda: ops.choose([2], [1.0, 2.0]), IndexingError, "choose: index 2 .* of the choices of length 2"),
            Fails(lambda: ops.choose([-1], [1.0, 2.0]), IndexingError, "choose: index -1 .*not be negative"),
            Fails(lambda: ops.choose([0], []), ShapeError, "choose: no choices"),
        ),
        op=lambda a, b, x, mode="raise": ops.choose(x, [a, b], mode=mode),
    ),
    row(
        "select",
        at("0-d", 1.5, 2.5, np.array(True), np.array(True)),
        at("broadcast", normal(2, 1), normal(3, seed=1), MASK, np.array([True, True, False])),
        at("edge: none true", normal(2), normal(2, seed=1), np.zeros(2, bool), np.zeros(2, bool)),
        reference=lambda a, b, p, q: np.where(p, a, np.where(q, b, 7.0)),
        errors=(
            Fails(lambda: ops.select([], []), ShapeError, "select: 0 conditions and 0 choices"),
            Fails(lambda: ops.select([np.ones(2)], [1.0]), DtypeError, "select: the mask has dtype float64"),
        ),
        op=lambda a, b, p, q: ops.select([p, q], [a, b], 7.0),
    ),
    row(
        "masked_fill",
        at("0-d", 1.5, 2.5, np.array(True)),
        at("broadcast value", normal(2, 3), 2.5, MASK),
        at("broadcast mask", normal(2, 3), normal(3, seed=1), MASK[1]),
        at("edge: none", normal(3), normal(seed=1), np.zeros(3, bool)),
        reference=lambda x, value, mask: np.where(np.broadcast_to(mask, x.shape), value, x),
        errors=(
            Fails(lambda: ops.masked_fill(np.ones(3), MASK, 0.0), ShapeError, r"masked_fill: the mask \(2, 3\)"),
            Fails(lambda: ops.masked_fill(np.ones(3), [1, 0, 1], 0.0), DtypeError, "the mask has dtype int64"),
            Fails(lambda: ops.masked_fill(np.ones(3, int), MASK[0], 0.5), DtypeError, "masked_fill: values of dtype"),
        ),
        op=lambda x, value, mask: ops.masked_fill(x, mask, value),
    ),
    # What is chosen by a mask has a size that no batch and no program may change: the mask is a parameter.
    row(
        "masked_select",
        at("0-d", 2.5, mask=True),
        at("axes", normal(2, 3), mask=MASK),
        at("broadcast", normal(3), mask=MASK),
        at("edge: none", normal(3), mask=[False] * 3),
        at("edge: empty", np.zeros((0, 3)), mask=np.zeros((0, 3), bool)),
        reference=lambda x, mask: np.array([v for v, m in zip(*_flat(x, mask), strict=True) if m], x.dtype),
        errors=Fails(lambda: ops.masked_select(np.ones(2), [1, 0]), DtypeError, "masked_select: the mask has dtype"),
        op=lambda x, mask: ops.masked_select(x, mask),
    ),
    row(
        "compress",
        at("size 1", normal(1), condition=[True]),
        at("axes", normal(2, 3), condition=[0, 1, 2], axis=1),
        at("axes, flattened", normal(2, 3), condition=[True, False, True]),
        at("edge: none", normal(2, 3), condition=[False], axis=0),
        reference=lambda x, condition, axis=None: np.compress(condition, x, axis),
        errors=Fails(lambda: ops.compress([True] * 4, np.ones(3)), IndexingError, "compress: index 3 is out"),
        numpy=lambda x, condition, axis=None: np.compress(condition, x, axis),
        op=lambda x, condition, axis=None: ops.compress(condition, x, axis),
    ),
    row(
        "extract",
        at("0-d", 2.5, condition=True),
        at("axes", normal(2, 3), condition=MASK),
        at("edge: none", normal(2, 3), condition=np.zeros((2, 3))),
        reference=lambda x, condition: np.array([v for v, c in zip(*_flat(x, condition), strict=True) if c], x.dtype),
        errors=Fails(lambda: ops.extract([True] * 4, np.ones(3)), IndexingError, "compress: index 3 is out"),
        numpy=lambda x, condition: np.extract(condition, x),
        op=lambda x, condition: ops.extract(condition, x),
    ),
]  # fmt: skip

SCATTERING = [
    row(
        "put_along_axis",
        at("size 1", normal(1), normal(1, seed=1), ONE, axis=0),
        at("axes, repeated: the last counts", normal(2, 3), normal(2, 3, seed=1), WIDE, axis=1),
        at("axes, flattened", normal(2, 3), normal(2, seed=1), np.array([4, 0]), axis=None),
        at("broadcast", normal(2, 3), normal(1, 2, seed=1), np.array([[2, 0]]), axis=1),
        at("edge: none", normal(2, 3), normal(2, 1), np.zeros((2, 0), int), axis=1),
        reference=_put,
        errors=(
            _out_of_range("put_along_axis", lambda: ops.put_along_axis(np.ones(3), [3], 1.0, 0)),
            Fails(
                lambda: ops.put_along_axis(np.ones((2, 3)), [[0], [0], [0]], 1.0, 1),
                ShapeError,
                r"put_along_axis: indices \(3, 1\) do not broadcast against x \(2, 3\)",
            ),
        ),
        op=lambda x, values, indices, axis: ops.put_along_axis(x, indices, values, axis),
    ),
    row(
        "scatter",
        at("size 1", normal(1), normal(1, seed=1), ONE, axis=0),
        at("axes, repeated: the last counts", normal(2, 3), normal(2, 3, seed=1), WIDE, axis=1),
        at("axes, shorter", normal(3, 2), normal(2, 2, seed=1), np.array([[2, 0]]), axis=0),
        at("edge: none", normal(2, 3), normal(2, 2), np.zeros((2, 0), int), axis=1),
        reference=_scatter(lambda old, new: new),
        errors=(
            _out_of_range("scatter", lambda: ops.scatter(np.ones(3), 0, [3], np.ones(1))),
            Fails(lambda: ops.scatter(np.ones(3), 0, [1, 0], np.ones(1)), ShapeError, r"src \(1,\) is shorter .*\(2,\)"),
            Fails(lambda: ops.scatter(np.ones(3, int), 0, [1], np.ones(1)), DtypeError, "scatter: values of dtype float64"),
        ),
        op=lambda x, src, index, axis: ops.scatter(x, axis, index, src),
    ),
    row(
        "scatter_add",
        at("size 1", normal(1), normal(1, seed=1), ONE, axis=0),
        at("axes, repeated", normal(2, 3), normal(2, 3, seed=1), WIDE, axis=1),
        at("axes, shorter", normal(3, 2), normal(2, 2, seed=1), np.array([[2, 0]]), axis=0),
        at("edge: none", normal(2, 3), normal(2, 2), np.zeros((2, 0), int), axis=1),
        reference=_scatter(lambda old, new: old + new),
        errors=(
            _out_of_range("scatter_add", lambda: ops.scatter_add(np.ones(3), 0, [3], np.ones(1))),
            Fails(lambda: ops.scatter_add(np.ones(3), 0, [0], np.ones((1, 1))), ShapeError, r"src \(1, 1\) for index"),
        ),
        op=lambda x, src, index, axis: ops.scatter_add(x, axis, index, src),
    ),
    row(
        "scatter_reduce",
        at("size 1, sum", normal(1), normal(1, seed=1), ONE, axis=0, reduce="sum"),
        at("axes, mean", normal(2, 3), normal(2, 3, seed=1), WIDE, axis=1, reduce="mean"),
        at("axes, mean without self", normal(2, 3), normal(2, 3, seed=1), WIDE, axis=1, reduce="mean", include_self=False),
        at("axes, prod", ZEROS, normal(2, 3, seed=1), WIDE, axis=1, reduce="prod"),
        at("axes, prod without self", normal(2, 3), ZEROS, WIDE, axis=1, reduce="prod", include_self=False),
        at("axes, amax", spread(2, 3), APART, WIDE, axis=1, reduce="amax"),
        at("axes, amin without self", spread(2, 3), APART, WIDE, axis=1, reduce="amin", include_self=False),
        at("edge: none", normal(2, 3), normal(2, 2), np.zeros((2, 0), int), axis=1, reduce="amin"),
        reference=_scatter_reduce,
        errors=(
            _out_of_range("scatter_reduce", lambda: ops.scatter_reduce(np.ones(3), 0, [3], np.ones(1), "sum")),
            Fails(lambda: ops.scatter_reduce(np.ones(3), 0, [0], np.ones(1), "last"), ShapeError, "reduce is 'last'"),
        ),
        op=lambda x, src, index, axis, reduce, include_self=True: ops.scatter_reduce(
            x, axis, index, src, reduce, include_self=include_self
        ),
    ),
    row(
        "index_add",
        at("size 1", normal(1), normal(1, seed=1), ONE, axis=0),
        at("axes, repeated", normal(2, 3), normal(2, 3, seed=1), HIGH, axis=1),
        at("edge: none", normal(2, 3), np.zeros((2, 0)), np.zeros(0, int), axis=1),
        reference=_parts(lambda old, new: old + new),
        errors=(
            _out_of_range("index_add", lambda: ops.index_add(np.ones(3), 0, [3], np.ones(1))),
            Fails(lambda: ops.index_add(np.ones(3), 0, [0], np.ones(2)), ShapeError, r"index_add: src has shape \(2,\)"),
        ),
        op=lambda x, src, index, axis: ops.index_add(x, axis, index, src),
    ),
    row(
        "index_copy",
        at("size 1", normal(1), normal(1, seed=1), ONE, axis=0),
        at("axes, repeated: the last counts", normal(2, 3), normal(2, 3, seed=1), HIGH, axis=1),
        at("edge: none", normal(2, 3), np.zeros((2, 0)), np.zeros(0, int), axis=1),
        reference=_parts(lambda old, new: new),
        errors=_out_of_range("index_copy", lambda: ops.index_copy(np.ones(3), 0, [3], np.ones(1))),
        op=lambda x, src, index, axis: ops.index_copy(x, axis, index, src),
    ),
]  # fmt: skip

COMPOSED: list[OpSamples] = [*CHOOSING, *SCATTERING]
