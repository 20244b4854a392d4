"""Rows of the reductions that leave out NaN, weigh, count, or pick from the sorted elements."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable
from typing import Any

import numpy as np

from ... import ops
from ..._errors import DtypeError, ShapeError
from .row import Fails, OpSamples, at, kink, normal, over_axes, row, spread

NAN, INF = math.nan, math.inf
HOLES = np.array([[1.0, NAN, 2.5], [NAN, 0.5, -1.0]])


def _no_axis(name: str) -> Fails:
    return Fails(
        lambda: getattr(ops, name)(np.ones((2, 3)), axis=2), ShapeError, f"{name}: axis 2 is out of range"
    )


def _numbers(f: Callable[[list[float]], float], nothing: float) -> Any:
    def found(values: list[float]) -> float:
        some = [v for v in values if v == v]
        return f(some) if some else nothing

    return over_axes(found)


def _without_nan(name: str, f: Any, nothing: float, *more: Any) -> OpSamples:
    op = getattr(ops, name)
    return row(
        name,
        at("0-d", 2.5),
        at("axes", spread(2, 3)),
        at("axes, one kept", spread(2, 3), axis=1, keepdims=True),
        at("axes, two", spread(2, 3, 2), axis=(0, 2)),
        at("edge: NaN", HOLES, axis=1, smooth=False),
        *more,
        reference=_numbers(f, nothing),
        errors=_no_axis(name),
        numpy=getattr(np, name),
        op=op,
    )


def _median(values: list[float]) -> float:
    return NAN if any(v != v for v in values) else statistics.median(values)


def _quantile(x: Any, q: Any, axis: Any = None, keepdims: bool = False) -> Any:
    def at_part(part: float) -> Any:
        def found(values: list[float]) -> float:
            if any(v != v for v in values):
                return NAN
            ordered, place = sorted(values), part * (len(values) - 1)
            low = math.floor(place)
            return ordered[low] + (ordered[math.ceil(place)] - ordered[low]) * (place - low)

        return over_axes(found)(x, axis, keepdims)

    made = [at_part(part) for part in np.ravel(q).tolist()]
    return np.array(made).reshape((*np.shape(q), *made[0].shape))


def _average(x: Any, w: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    if w is None:
        w = np.ones(x.shape)
    elif w.shape != x.shape:
        w = np.broadcast_to(w if axis in (-1, x.ndim - 1) else w[:, None], x.shape)
    total = over_axes(math.fsum)
    return np.array(total(x * w, axis, keepdims) / total(w, axis, keepdims))


COMPOSED: list[OpSamples] = [
    row(
        "count_nonzero",
        at("0-d", 2.5),
        at("axes", np.array([[0.0, 1.0], [2.0, 3.0]])),
        at("axes, one kept", np.array([[0.0, 1.0], [2.0, 3.0]]), axis=0, keepdims=True),
        at("edge: NaN, -0", np.array([NAN, -0.0, INF]), smooth=False),
        reference=over_axes(lambda values: sum(v != 0 for v in values), int),
        errors=_no_axis("count_nonzero"),
        numpy=np.count_nonzero,
        op=ops.count_nonzero,
        keeps_dtype=False,
    ),
    _without_nan("nansum", math.fsum, 0.0, at("edge: only NaN", np.array([NAN, NAN]), smooth=False)),
    _without_nan("nanmean", statistics.fmean, NAN),
    _without_nan("nanmax", max, NAN, at("edge: infinities", np.array([-INF, NAN, -INF]), smooth=False)),
    _without_nan("nanmin", min, NAN, at("edge: only NaN", np.array([NAN, NAN]), smooth=False)),
    row(
        "average",
        at("0-d", 2.5),
        at("axes, all equal", normal(2, 3), axis=1),
        at("axes, a weight each", normal(2, 3), np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])),
        at("axes, along one", normal(2, 3), np.array([1.0, 2.0]), axis=0, keepdims=True),
        at("edge: no weight", normal(3), np.array([0.0, 2.0, 0.0])),
        reference=_average,
        errors=(
            _no_axis("average"),
            Fails(
                lambda: ops.average(np.ones((2, 3)), 0, np.ones(3)),
                ShapeError,
                r"average: weights \(3,\) for x \(2, 3\) over axis 0",
            ),
        ),
        op=lambda x, w=None, axis=None, keepdims=False: ops.average(x, axis, w, keepdims=keepdims),
    ),
    row(
        "median",
        at("0-d", 2.5),
        at("size 1", np.array([[2.5]]), axis=1),
        at("axes, odd", spread(2, 3), axis=1),
        at("axes, even", spread(3, 4), keepdims=True),
        at("axes, two", spread(2, 3, 2), axis=(0, -1)),
        at("edge: NaN, infinity", np.array([[1.0, NAN, 2.0], [INF, 1.0, INF]]), axis=1, smooth=False),
        reference=over_axes(_median),
        errors=(
            _no_axis("median"),
            Fails(lambda: ops.median(np.ones(0)), ShapeError, r"median: x has shape \(0,\)"),
            Fails(lambda: ops.median(np.ones(2, complex)), DtypeError, "median: x is complex"),
        ),
        numpy=np.median,
        kinks=(
            kink(
                "both in the middle", np.array([4.0, 1.0, 3.0, 2.0]), gradients=(np.array([0, 0, 0.5, 0.5]),)
            ),
        ),
        op=ops.median,
    ),
    row(
        "quantile",
        at("0-d", 2.5, q=0.5),
        at("axes", spread(2, 3), q=0.3, axis=1),
        at("axes, several parts", spread(3, 4), q=[0.25, 0.9], axis=0, keepdims=True),
        at("axes, a table of parts", spread(2, 3), q=[[0.1, 0.2], [0.5, 0.6]]),
        at("edge: first and last", spread(5), q=[0.0, 1.0]),
        at("edge: NaN", np.array([1.0, NAN, 2.0]), q=0.3, smooth=False),
        reference=_quantile,
        errors=(
            Fails(
                lambda: ops.quantile(np.ones(2), 0.5, axis=1), ShapeError, "quantile: axis 1 is out of range"
            ),
            Fails(lambda: ops.quantile(np.ones(2), 1.5), ShapeError, "quantile: q is 1.5"),
            Fails(lambda: ops.quantile(np.ones(0), 0.5), ShapeError, r"quantile: x has shape \(0,\)"),
        ),
        numpy=lambda x, q, **settings: np.quantile(x, q, **settings),
        op=lambda x, q, **settings: ops.quantile(x, q, **settings),
    ),
]
