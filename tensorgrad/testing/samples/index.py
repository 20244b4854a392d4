"""Rows of indexing: reads, writes, positions along an axis, sorting."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ... import ops
from ..._errors import DtypeError, IndexingError, ShapeError
from ...ops import index as indexing
from .row import Fails, OpSamples, along, at, kink, normal, row, spread

ROWS_ = ("array", slice(None))
"""The pattern of an integer array in the first of two axes."""
BOTH = ("array", "array")
AROUND = ("array", slice(None), "array")
"""Integer arrays around a slice: NumPy then moves their axes to the front."""
HIGH, INF = np.array([2, 0, 2]), math.inf


def _filled(pattern: Any, indices: Any) -> Any:
    gaps = iter(indices)
    return tuple([next(gaps) if type(item) is str else item for item in pattern])


def _positions(shape: Any, index: Any) -> Any:
    """Where each element of ``x[index]`` lies in ``x``, counted row by row."""
    return np.arange(math.prod(shape)).reshape(shape)[index]


def _read(x: Any, index: Any) -> Any:
    places = _positions(x.shape, index)
    return np.array([x.flat[p] for p in np.ravel(places)], x.dtype).reshape(np.shape(places))


def _added(x: Any, index: Any, shape: Any) -> Any:
    out = np.zeros(shape, x.dtype)
    places = _positions(shape, index)
    for p, value in zip(np.ravel(places), np.ravel(x), strict=True):
        out.flat[p] += value
    return out


def _written(x: Any, v: Any, index: Any) -> Any:
    out = x.copy()
    places = _positions(x.shape, index)
    for p, value in zip(np.ravel(places), np.ravel(np.broadcast_to(v, np.shape(places))), strict=True):
        out.flat[p] = value
    return out


def _winners(x: Any, *indices: Any, pattern: Any) -> Any:
    places = _positions(x.shape, _filled(pattern, indices))
    last = {p: k for k, p in enumerate(np.ravel(places))}
    return np.array([last[p] == k for k, p in enumerate(np.ravel(places))], bool).reshape(np.shape(places))


def _take_along(x: Any, indices: Any, axis: int | None = -1) -> Any:
    if axis is None:
        return np.array([x.ravel()[i] for i in indices.tolist()])
    shape = np.broadcast_shapes(
        *[s[: axis % x.ndim] + s[axis % x.ndim + 1 :] for s in (x.shape, indices.shape)]
    )
    axis %= x.ndim
    wide = np.broadcast_to(indices, (*shape[:axis], indices.shape[axis], *shape[axis:]))
    tall = np.broadcast_to(x, (*shape[:axis], x.shape[axis], *shape[axis:]))
    out = np.zeros(wide.shape, x.dtype)
    for index in np.ndindex(wide.shape):
        out[index] = tall[(*index[:axis], wide[index], *index[axis + 1 :])]
    return out


def _add_along(x: Any, indices: Any, axis: int, shape: Any) -> Any:
    out = np.zeros(shape, x.dtype)
    for index in np.ndindex(x.shape):
        out[(*index[:axis], indices[index], *index[axis + 1 :])] += x[index]
    return out


def _sorted(values: list[float], descending: bool) -> list[float]:
    """NaN counts as the largest."""
    return sorted(values, key=lambda v: (v != v, 0 if v != v else v), reverse=descending)


BASIC = [
    row(
        "getitem",
        at("0-d result", normal(3), index=(1,)),
        at("0-d", 2.5, index=()),
        at("axes", normal(3, 4), index=(slice(None, None, 2), slice(-1, 0, -2))),
        at("axes, new and ellipsis", normal(2, 3, 4), index=(None, 1, ..., None, slice(1, 3))),
        at("edge: nothing", normal(3, 4), index=(slice(2, 1),)),
        reference=_read,
        errors=Fails(
            lambda: indexing.read(np.ones((2, 3)), (2,)),
            IndexingError,
            r"getitem: x \(2, 3\), index=\(2,\).*out of bounds",
        ),
        numpy=lambda x, index: x[index],
    ),
    row(
        "place",
        at("0-d", 2.5, index=(1,), shape=(3,)),
        at("size 1", normal(1), index=(slice(1, 2),), shape=(3,)),
        at("axes", normal(2, 2), index=(slice(None, None, 2), slice(-1, 0, -2)), shape=(3, 4)),
        at("edge: nothing", np.zeros((0, 4)), index=(slice(2, 1),), shape=(3, 4)),
        reference=_added,
        errors=Fails(
            lambda: indexing.place(np.ones(2), (0,), (3,)),
            ShapeError,
            r"place: x \(2,\), index=\(0,\), shape=\(3,\)",
        ),
    ),
    row(
        "setitem",
        at("0-d", 2.5, 1.5, index=()),
        at("axes", normal(3, 4), normal(2, 2, seed=1), index=(slice(None, None, 2), slice(-1, 0, -2))),
        at("broadcast v", normal(3, 4), normal(2, 1, seed=1), index=(slice(1, 3),)),
        at("broadcast 0-d v", normal(3, 4), normal(seed=1), index=(1, ...)),
        at("edge: nothing", normal(3), np.zeros(0), index=(slice(2, 1),)),
        reference=_written,
        errors=(
            Fails(
                lambda: indexing.written(np.ones(3), np.ones(2), slice(None)),
                ShapeError,
                r"setitem: x \(3,\) and v \(2,\)",
            ),
            Fails(
                lambda: indexing.written(np.ones(3, int), np.ones(3), ...),
                DtypeError,
                "values of dtype float64 do not fit",
            ),
        ),
    ),
]

ADVANCED = [
    row(
        "take_at",
        at("0-d result", normal(3), np.array(1), pattern=("array",)),
        at("size 1", np.array([1.5]), np.array([0]), pattern=("array",)),
        at("axes, repeated", normal(3, 2), HIGH, pattern=ROWS_),
        at("axes, both negative", normal(3, 4), np.array([0, -1]), np.array([-4, 3]), pattern=BOTH),
        at("broadcast indices", normal(3, 4), np.array([[0], [2]]), np.array([1, 3, 3]), pattern=BOTH),
        at("axes, around a slice", normal(3, 2, 4), np.array([0, 2]), np.array([3, 3]), pattern=AROUND),
        at("edge: no index", normal(3, 2), np.zeros(0, int), pattern=ROWS_),
        reference=lambda x, *indices, pattern: _read(x, _filled(pattern, indices)),
        errors=Fails(
            lambda: indexing.read(np.ones(3), np.array([3])),
            IndexingError,
            r"take_at: x \(3,\) and indices \(1,\).*out of bounds",
        ),
    ),
    row(
        "add_at",
        at("0-d", 1.5, np.array(1), pattern=("array",), shape=(3,)),
        at("size 1", normal(1), np.array([2]), pattern=("array",), shape=(3,)),
        at("axes, repeated", normal(3, 2), HIGH, pattern=ROWS_, shape=(3, 2)),
        at(
            "axes, around a slice",
            normal(2, 2),
            np.array([0, 2]),
            np.array([3, 3]),
            pattern=AROUND,
            shape=(3, 2, 4),
        ),
        at("edge: no index", np.zeros((0, 2)), np.zeros(0, int), pattern=ROWS_, shape=(3, 2)),
        reference=lambda x, *indices, pattern, shape: _added(x, _filled(pattern, indices), shape),
        errors=Fails(
            lambda: indexing.add_at(np.ones(1), np.array([3]), pattern=("array",), shape=(3,)),
            IndexingError,
            "add_at: .*out of bounds",
        ),
    ),
    row(
        "set_at",
        at("0-d v", normal(3), 1.5, np.array(1), pattern=("array",)),
        at("size 1", normal(1), normal(1, seed=1), np.array([0]), pattern=("array",)),
        at("axes, repeated: the last counts", normal(3, 2), normal(3, 2, seed=1), HIGH, pattern=ROWS_),
        at("broadcast v", normal(3, 2), normal(1, 2, seed=1), HIGH, pattern=ROWS_),
        at(
            "axes, around a slice",
            normal(3, 2, 4),
            normal(2, 2, seed=1),
            np.array([0, 2]),
            np.array([3, 3]),
            pattern=AROUND,
        ),
        at("edge: no index", normal(3, 2), normal(2, seed=1), np.zeros(0, int), pattern=ROWS_),
        reference=lambda x, v, *indices, pattern: _written(x, v, _filled(pattern, indices)),
        errors=Fails(
            lambda: indexing.written(np.ones(3), np.ones(3), np.array([0, 1])),
            ShapeError,
            r"set_at: x \(3,\) and v \(3,\)",
        ),
    ),
    row(
        "winners",
        at("0-d", normal(3), np.array(1), pattern=("array",)),
        at("size 1", normal(1), np.array([0]), pattern=("array",)),
        at("axes, repeated", normal(3, 2), HIGH, pattern=ROWS_),
        at("edge: no index", normal(3, 2), np.zeros(0, int), pattern=ROWS_),
        reference=_winners,
        errors=Fails(
            lambda: indexing.winners(np.ones(2), np.array([5]), pattern=("array",)),
            IndexingError,
            "winners: .*out of bounds",
        ),
    ),
]

ALONG = [
    row(
        "take_along_axis",
        at("size 1", np.array([1.5]), np.array([0])),
        at("axes, repeated", normal(2, 3), np.array([[0, 0, 2, 1], [2, 2, 2, 0]])),
        at("axes, first", normal(3, 2), np.array([[2, 0]]), axis=0),
        at("edge: no index", normal(2, 3), np.zeros((2, 0), int), axis=1),
        at("edge: of all elements in one row", normal(2, 3), np.array([4, 0, 4]), axis=None),
        reference=_take_along,
        errors=Fails(
            lambda: ops.take_along_axis(np.ones(3), np.array([3])),
            IndexingError,
            r"take_along_axis: x \(3,\) and indices \(1,\)",
        ),
        numpy=lambda x, indices, axis=-1: np.take_along_axis(
            x, indices % (x.size if axis is None else x.shape[axis]), axis
        ),
    ),
    row(
        "add_along_axis",
        at("size 1", np.array([1.5]), np.array([0]), axis=0, shape=(1,)),
        at("axes, repeated", normal(2, 4), np.array([[0, 0, 2, 1], [2, 2, 2, 0]]), axis=1, shape=(2, 3)),
        at("axes, from the end", normal(2, 3), np.array([[0, 3, 1], [2, 2, 2]]), axis=-2, shape=(4, 3)),
        at("edge: no index", np.zeros((2, 0)), np.zeros((2, 0), int), axis=1, shape=(2, 3)),
        reference=_add_along,
        errors=Fails(
            lambda: indexing.add_along_axis(np.ones(1), np.array([3]), 0, (3,)),
            IndexingError,
            "add_along_axis: .*out of bounds",
        ),
    ),
]

POSITIONS = [
    row(
        "one_hot",
        at("0-d", np.array(1), num_classes=3, dtype=np.dtype("float64")),
        at("axes", np.array([[0, 2], [1, 1]]), num_classes=3, dtype=np.dtype("float32")),
        at("edge: first and last class", np.array([0, 4]), num_classes=5, dtype=np.dtype("int64")),
        at("edge: empty", np.zeros(0, int), num_classes=2, dtype=np.dtype("float64")),
        reference=lambda labels, num_classes, dtype: np.array(
            [[k == label for k in range(num_classes)] for label in labels.ravel().tolist()], dtype
        ).reshape(*labels.shape, num_classes),
        errors=(
            Fails(
                lambda: ops.one_hot(np.array([0, 3]), 3),
                ShapeError,
                r"one_hot: labels run from 0 to 3; \[0, 3\)",
            ),
            Fails(lambda: ops.one_hot(np.array([-1]), 3), ShapeError, "one_hot: labels run from -1"),
            Fails(
                lambda: ops.one_hot(np.array([1.0]), 3), DtypeError, "one_hot: the labels have dtype float64"
            ),
        ),
        keeps_dtype=False,
    ),
]

MASK = np.array([[True, False, True], [False, False, True]])

COMPOSED = [
    row(
        "x[index]",
        at("0-d", 2.5, index=...),
        at("size 1", normal(1), index=[True]),
        at("axes, mask", normal(2, 3), index=MASK),
        at("axes, mask of the first axis", normal(2, 3), index=np.array([False, True])),
        at("axes, list", normal(3, 2), index=([0, 2, 2], slice(None))),
        at("axes, mixed", normal(2, 3, 4), index=(slice(None), np.array([[0], [2]]), np.array([1, -1]))),
        at("axes, array and number", normal(2, 3, 4), index=(1, slice(None, None, -1), np.array([0, 0]))),
        at("axes, new between", normal(2, 3), index=(np.array([0, 1]), None, np.array([2, 2]))),
        at("edge: no true", normal(2, 3), index=np.zeros((2, 3), bool)),
        reference=_read,
        errors=(
            Fails(
                lambda: indexing.read(np.ones((2, 3)), np.ones(3, bool)),
                IndexingError,
                r"mask has shape \(3,\).*are \(2,\)",
            ),
            Fails(
                lambda: indexing.read(np.ones(3), np.array([0.5])),
                IndexingError,
                "index: ndarray of dtype float64",
            ),
            Fails(
                lambda: indexing.read(np.ones(3), slice(0.5, 2)),
                IndexingError,
                "index: a slice has 0.5 as an end",
            ),
        ),
        op=lambda x, index: indexing.read(x, index),
    ),
    row(
        "x[index] = v",
        at("0-d", 2.5, 1.5, index=...),
        at("size 1", normal(1), normal(1, seed=1), index=[0]),
        at("axes, mask", normal(2, 3), normal(3, seed=1), index=MASK),
        at("axes, mixed", normal(2, 3), normal(2, seed=1), index=(slice(None), 2)),
        at("broadcast v", normal(3, 2), normal(2, seed=1), index=[0, 2]),
        at("edge: repeated", normal(3), normal(3, seed=1), index=np.array([0, 0, 2])),
        reference=_written,
        errors=Fails(
            lambda: indexing.written(np.ones(3), 1.0, np.array([7])),
            IndexingError,
            r"set_at: x \(3,\).*out of bounds",
        ),
        op=lambda x, v, index: indexing.written(x, v, index),
    ),
    row(
        "sort",
        at("size 1", np.array([2.5])),
        at("axes", spread(2, 4)),
        at("axes, first, descending", spread(3, 2), axis=0, descending=True),
        at("empty", np.zeros((0, 3)), axis=0),
        at("edge: NaN last, infinities", np.array([np.nan, INF, -INF, 0.0]), smooth=False),
        reference=lambda x, axis=-1, descending=False: along(lambda values: _sorted(values, descending))(
            x, axis
        ),
        errors=Fails(
            lambda: ops.sort(np.ones(2), axis=1), ShapeError, "sort: axis 1 is out of range for 1 axes"
        ),
        kinks=(kink("ties keep their order", np.array([1.0, 0.0, 1.0]), gradients=(np.ones(3),)),),
        op=ops.sort,
    ),
]

ROWS: list[OpSamples] = [*BASIC, *ADVANCED, *ALONG, *POSITIONS]
