"""Rows of sorting, searching and counting, and positions."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np

from ... import ops
from ..._errors import DtypeError, IndexingError, ShapeError
from ...ops import order as ordering
from .row import Fails, OpSamples, at, normal, row, rows_along, spread

NAN, INF = math.nan, math.inf
BESIDE_NAN = np.array([[NAN, -INF, NAN], [1.0, NAN, 1.0]])
HIGH = np.array([2, 0, 2])


def _out_of_range(name: str, call: Callable[[], Any], axis: Any = 0) -> Fails:
    return Fails(call, IndexingError, rf"{name}: index 3 is out of range for axis {axis} of length 3")


# ---- references, by loops


def _ranked(pick: Callable[[list[int]], Any], descending: bool = False) -> Callable[..., Any]:
    """Values and positions picked from the sorted positions of each row; NaN counts as the largest."""

    def reference(x: Any, axis: int) -> Any:
        found = []
        for place, values in rows_along(x, axis):
            key = [(v != v, 0.0 if v != v else v) for v in values]
            order = sorted(range(len(values)), key=key.__getitem__, reverse=descending)
            found.append((place, pick(order)))
        n = len(found[0][1]) if found else len(pick(list(range(x.shape[axis]))))
        shape = tuple([n if i == axis % x.ndim else m for i, m in enumerate(x.shape)])
        where = np.zeros(shape, np.intp)
        for place, order in found:
            where[place] = order
        return np.take_along_axis(x, where, axis), where

    return reference


def _inserted(a: Any, v: Any, side: str = "left") -> Any:
    def before(one: Any, other: Any) -> bool:
        if one != one or other != other:
            return bool(one == one or (side == "right" and other != other))
        return bool(one < other or (side == "right" and one == other))

    return np.array([sum(before(e, x) for e in a.tolist()) for x in v.ravel().tolist()], int).reshape(v.shape)


def _digitized(x: Any, bins: Any, right: bool = False) -> Any:
    def inside(one: Any, edge: Any) -> bool:
        up = bins[0] <= bins[-1]
        return bool((edge < one if right else edge <= one) if up else (one <= edge if right else one < edge))

    return np.array([sum(inside(x, e) for e in bins) for x in x.ravel().tolist()], int).reshape(x.shape)


def _counted(x: Any, weights: Any = None, length: int = 0) -> Any:
    out = np.zeros(length, int if weights is None else weights.dtype)
    for k, i in enumerate(x.tolist()):
        out[i] += 1 if weights is None else weights[k]
    return out


def _histogram(x: Any, weights: Any, bins: Any, range: Any = None, density: bool = False) -> Any:
    edges: Any = np.linspace(range[0], range[1], bins + 1) if isinstance(bins, int) else np.asarray(bins)
    out = np.zeros(len(edges) - 1, weights.dtype)
    for value, w in zip(x.ravel().tolist(), weights.ravel().tolist(), strict=True):
        for k, (low, high) in enumerate(pairwise(edges.tolist())):
            if low <= value < high or (value == high and k == len(out) - 1):
                out[k] += w
    return out / (out.sum() * np.diff(edges)) if density else out


def _position(largest: bool) -> Callable[..., Any]:
    def reference(x: Any, axis: Any, **_: Any) -> Any:
        shape = tuple([1 if i == axis % x.ndim else n for i, n in enumerate(x.shape)])
        out = np.zeros(shape, np.intp)
        for place, values in rows_along(x, axis):
            numbers = [v for v in values if v == v]
            out[place] = values.index(max(numbers) if largest else min(numbers))
        return out

    return reference


# ---- cards

ROWS: list[OpSamples] = [
    row(
        "insertion",
        at("0-d", np.array([1.0, 2.0]), 1.5, side="left"),
        at("axes", np.array([-1.0, 0.0, 0.0, 1.0]), np.array([[0.0, 5.0, -1.0], [-2.0, 1.0, 0.5]]), side="right"),
        at("edge: NaN, infinities", np.array([-INF, 0.0, INF, NAN]), np.array([NAN, INF, -INF, 0.0]), side="left"),
        at("edge: NaN, right", np.array([0.0, NAN, NAN]), np.array([NAN, 0.0]), side="right"),
        at("edge: empty", np.zeros(0), np.ones(2), side="left"),
        reference=_inserted,
        errors=Fails(
            lambda: ordering.insertion(np.ones(2), np.ones(2), "middle"), ShapeError, "insertion: a .*'middle'"
        ),
    ),
    row(
        "best_number",
        at("size 1", np.array([1.5]), caller="nanargmax", axis=0, largest=True),
        at("axes", spread(2, 3), caller="nanargmax", axis=1, largest=True),
        at("axes, first", spread(3, 2), caller="nanargmin", axis=0, largest=False),
        at("edge: NaN beside -inf, ties", BESIDE_NAN, caller="nanargmax", axis=1, largest=True),
        reference=lambda x, caller, axis, largest: _position(largest)(x, axis),
        errors=(
            Fails(lambda: ops.nanargmax(np.array([NAN])), ShapeError, "nanargmax: a row along axis 0 .*nothing but NaN"),
            Fails(lambda: ops.nanargmin(np.zeros((2, 0)), axis=1), ShapeError, "nanargmin: .*no elements"),
        ),
    ),
]  # fmt: skip

# ---- composed

ORDER = [
    row(
        "topk",
        at("size 1", normal(1), k=1),
        at("axes", spread(2, 4), k=2),
        at("axes, first, smallest", spread(4, 2), k=3, axis=0, largest=False),
        at("edge: ties and NaN", np.array([1.0, NAN, 2.0, 1.0, 2.0]), k=4, smooth=False),
        reference=lambda x, k, axis=-1, largest=True: _ranked(lambda order: order[:k], largest)(x, axis),
        errors=Fails(lambda: ops.topk(np.ones(2), 3), ShapeError, "topk: k is 3, and axis 0 has length 2"),
        op=lambda x, k, axis=-1, largest=True: tuple(ops.topk(x, k, axis, largest=largest)),
    ),
    row(
        "kthvalue",
        at("size 1", normal(1), k=1, axis=0),
        at("axes", spread(2, 4), k=2, axis=-1),
        at("axes, first", spread(4, 2), k=4, axis=0),
        at("edge: ties and NaN", np.array([1.0, NAN, 2.0, 1.0]), k=2, axis=0, smooth=False),
        reference=lambda x, k, axis: tuple(
            [one.squeeze(axis) for one in _ranked(lambda order: order[k - 1 : k])(x, axis)]
        ),
        errors=Fails(lambda: ops.kthvalue(np.ones(2), 0), ShapeError, r"kthvalue: k is 0; \[1, 2\]"),
        op=lambda x, k, axis: tuple(ops.kthvalue(x, k, axis)),
    ),
    row(
        "partition",
        at("size 1", normal(1), kth=0),
        at("axes", spread(2, 4), kth=(1, -1), axis=0),
        at("edge: flattened", spread(2, 2), kth=1, axis=None),
        reference=lambda x, kth, axis=-1: np.sort(x, axis),
        errors=Fails(lambda: ops.partition(np.ones(3), 3), IndexingError, "partition: index 3 is out of range"),
        op=ops.partition,
    ),
    row(
        "argpartition",
        at("size 1", normal(1), kth=0),
        at("axes", spread(2, 4), kth=1, axis=0),
        at("edge: flattened", spread(2, 2), kth=1, axis=None),
        reference=lambda x, kth, axis=-1: np.argsort(x, axis, kind="stable"),
        errors=Fails(lambda: ops.argpartition(np.ones(3), 3), IndexingError, "argpartition: index 3 is out"),
        op=ops.argpartition,
    ),
    row(
        "lexsort",
        at("size 1", np.array([1.5]), np.array([2.5])),
        at("axes", np.array([[1, 0, 2], [2, 1, 0]]), np.array([[0, 1, 1], [0, 0, 0]])),
        at("axes, first", np.array([[1, 0, 2], [2, 1, 0]]), np.array([[0, 1, 1], [0, 0, 0]]), axis=0),
        at("edge: ties and NaN", np.array([1.0, NAN, 0.0, 1.0]), np.array([0.0, 0.0, NAN, 0.0])),
        reference=lambda *keys, axis=-1: np.lexsort(keys, axis),
        errors=Fails(lambda: ops.lexsort([[1], [1, 2]]), ShapeError, r"lexsort: the keys have shapes"),
        numpy=lambda *keys, axis=-1: np.lexsort(keys, axis),
        op=lambda *keys, axis=-1: ops.lexsort(keys, axis=axis),
    ),
    row(
        "searchsorted",
        at("0-d", np.array([1.0, 2.0]), np.array(2.0)),
        at("axes", np.array([3.0, 1.0, 2.0]), np.array([[2.0, 5.0], [0.0, 1.0]]), sorter=(1, 2, 0), side="right"),
        at("edge: empty", np.zeros(0), np.ones(2)),
        reference=lambda a, v, sorter=None, side="left": _inserted(a if sorter is None else a[list(sorter)], v, side),
        errors=(
            Fails(lambda: ops.searchsorted(np.ones(2), 1.0, side="no"), ShapeError, "searchsorted: side is 'no'"),
            Fails(lambda: ops.searchsorted(np.ones((2, 2)), 1.0), ShapeError, r"searchsorted: a has shape \(2, 2\)"),
        ),
        op=ops.searchsorted,
    ),
    row(
        "digitize",
        at("0-d", np.array(0.5), bins=[0.0, 1.0]),
        at("axes", np.array([[0.0, 0.5, 1.0], [-1.0, 2.0, 9.0]]), bins=[0.0, 1.0, 2.0], right=True),
        at("edge: descending", np.array([0.0, 1.0, 2.0, 3.0]), bins=[2.0, 1.0, 0.0]),
        reference=_digitized,
        errors=Fails(lambda: ops.digitize(1.0, [0.0, 2.0, 1.0]), ShapeError, "digitize: bins must be 1-D"),
        op=ops.digitize,
    ),
    row(
        "isin",
        at("0-d", np.array(2), np.array([1, 2])),
        at("axes", np.array([[1, 2], [3, 4]]), np.array([4, 1, 1])),
        at("edge: NaN, inverted", np.array([NAN, 1.0]), np.array([NAN, 1.0]), invert=True),
        at("edge: none", np.array([NAN, 1.0]), np.zeros(0)),
        reference=lambda x, some, invert=False: np.isin(x, some, invert=invert),
        errors=Fails(lambda: ops.isin([1, [2]], 1), DtypeError, "isin: "),
        op=ops.isin,
    ),
    row(
        "nanargmax",
        at("size 1", np.array([1.5])),
        at("axes", spread(2, 3), axis=-1),
        at("edge: NaN", np.array([[NAN, 1.0], [2.0, NAN]]), axis=0, keepdims=True),
        reference=lambda x, axis=None, keepdims=False: np.nanargmax(x, axis, keepdims=keepdims),
        errors=Fails(
            lambda: ops.nanargmax(np.ones((2, 0))), ShapeError, r"nanargmax: x has shape \(0,\); of no elements"
        ),
        numpy=lambda x, axis=None, keepdims=False: np.nanargmax(x, axis, keepdims=keepdims),
        op=ops.nanargmax,
    ),
    row(
        "nanargmin",
        at("size 1", np.array([1.5]), keepdims=True),
        at("axes", spread(2, 3), axis=0),
        at("edge: NaN", np.array([[NAN, 1.0], [2.0, NAN]])),
        reference=lambda x, axis=None, keepdims=False: np.nanargmin(x, axis, keepdims=keepdims),
        errors=Fails(lambda: ops.nanargmin(np.ones(2), axis=1), ShapeError, "nanargmin: axis 1 is out of range"),
        op=ops.nanargmin,
    ),
]  # fmt: skip

COUNTING = [
    row(
        "bincount",
        at("size 1", np.array([0]), np.array([1.5]), length=2),
        at("axes, repeated", HIGH, normal(3), length=4),
        at("edge: empty", np.zeros(0, int), np.zeros(0), length=2),
        reference=_counted,
        errors=(
            Fails(lambda: ops.bincount([0, -1]), IndexingError, "bincount: index -1 .*must not be negative"),
            Fails(lambda: ops.bincount([3], length=3), IndexingError, "bincount: index 3 .* of length 3"),
            Fails(lambda: ops.bincount([1.0]), DtypeError, "bincount: x has dtype float"),
            Fails(lambda: ops.bincount([[1]]), ShapeError, r"bincount: x has shape \(1, 1\)"),
            Fails(lambda: ops.bincount([1], np.ones(2)), ShapeError, r"bincount: weights \(2,\) for x \(1,\)"),
        ),
        op=ops.bincount,
    ),
    row(
        "bincount without weights",
        at("size 1", np.array([0]), length=2),
        at("axes, repeated", HIGH, length=4),
        at("edge: empty", np.zeros(0, int), length=2),
        reference=_counted,
        errors=Fails(lambda: ops.bincount([1], minlength=-1), ShapeError, "bincount: minlength is -1"),
        numpy=lambda x, length: np.bincount(x, minlength=length),
        op=ops.bincount,
    ),
    row(
        "histogram",
        at("size 1", np.array([0.5]), np.array([1.5]), bins=2, range=(0, 1), wrt=(1,)),
        at("axes, density", spread(2, 3), normal(2, 3) + 3, bins=[-1.0, 0.0, 0.5, 1.0], density=True, wrt=(1,)),
        at("edge: outside, NaN, both ends", np.array([-1.0, 0.0, 2.0, 2.1, NAN]), normal(5), bins=2, range=(0, 2), wrt=(1,)),
        reference=_histogram,
        errors=(
            Fails(lambda: ops.histogram(np.ones(2), [1.0, 0.0]), ShapeError, "histogram: .*increas"),
            Fails(lambda: ops.histogram(np.array([NAN])), ShapeError, "histogram: .*finite"),
            Fails(lambda: ops.histogram(np.ones(2), weights=np.ones(3)), ShapeError, r"histogram: weights \(3,\)"),
        ),
        op=lambda x, weights, bins, range=None, density=False: ops.histogram(
            x, bins, range, density=density, weights=weights
        ).hist,
    ),
    row(
        "ravel_multi_index",
        at("0-d", np.array(1), np.array(2), dims=(2, 3)),
        at("broadcast", np.array([[0], [1]]), np.array([0, 2]), dims=(2, 3)),
        at("edge: wrapped and clipped", np.array([-1, 5]), np.array([-1, 5]), dims=(2, 3), mode=("wrap", "clip")),
        reference=lambda *index, dims, mode="raise": np.ravel_multi_index(index, dims, mode),
        errors=(
            _out_of_range("ravel_multi_index", lambda: ops.ravel_multi_index(([1], [3]), (2, 3)), 1),
            Fails(lambda: ops.ravel_multi_index(([1],), (2, 3)), ShapeError, r"1 arrays and 2 modes for the shape \(2, 3\)"),
        ),
        op=lambda *index, dims, mode="raise": ops.ravel_multi_index(index, dims, mode=mode),
    ),
    row(
        "unravel_index",
        at("0-d", np.array(4), shape=(2, 3)),
        at("axes", np.array([[0, 5], [2, 3]]), shape=(2, 3)),
        at("edge: three axes", np.array([23, 0]), shape=(2, 3, 4)),
        reference=lambda indices, shape: np.unravel_index(indices, shape),
        errors=Fails(lambda: ops.unravel_index([6], (2, 3)), IndexingError, "unravel_index: index 6 .* of length 6"),
        op=lambda indices, shape: ops.unravel_index(indices, shape),
    ),
]  # fmt: skip

COMPOSED: list[OpSamples] = [*ORDER, *COUNTING]
