"""Rows of the reductions that leave out NaN, weigh, count, or pick from the sorted elements."""

from __future__ import annotations

import math
import statistics
import warnings
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from ... import ops
from ..._errors import DtypeError, ShapeError
from ...ops.quantiles import PLACES
from .row import Fails, OpSamples, at, complex_normal, kink, normal, over_axes, row, spread

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


def _median(values: list[Any]) -> Any:
    if any(v != v for v in values):
        return NAN
    n, ordered = len(values), sorted(values, key=lambda v: (v.real, v.imag))
    return (ordered[(n - 1) // 2] + ordered[n // 2]) / 2


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


def _deviation(
    x: Any, root: bool, axis: Any = None, correction: float = 0, keepdims: bool = False, ddof: Any = 0
) -> Any:
    def spread_of(values: list[Any]) -> float:
        some = [v for v in values if v == v]
        free = len(some) - correction - ddof
        if free <= 0:
            return NAN
        middle = sum(some) / len(some)
        found = math.fsum(abs(v - middle) ** 2 for v in some) / free
        return math.sqrt(found) if root else found

    return over_axes(spread_of, float)(x, axis, keepdims)


def _quiet(f: Any, *args: Any, **params: Any) -> Any:
    """NumPy warns of rows without numbers."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return f(*args, **params)


def _with_part(f: Any, x: Any, q: Any, **params: Any) -> Any:
    return f(x, q, **params)


PARTS = (0.0, 12.5, 35.0, 50.0, 64.0, 100.0)

COMPOSED: list[OpSamples] = [
    row(
        "count_nonzero",
        at("0-d", 2.5),
        at("0-d, along an axis", 2.5, axis=-1),
        at("axes", np.array([[0.0, 1.0], [2.0, 3.0]])),
        at("axes, one kept", np.array([[0.0, 1.0], [2.0, 3.0]]), axis=0, keepdims=True),
        at("edge: NaN, -0", np.array([NAN, -0.0, INF]), smooth=False),
        reference=over_axes(lambda values: sum(v != 0 for v in values), int),
        errors=_no_axis("count_nonzero"),
        numpy=np.count_nonzero,
        op=ops.count_nonzero,
        keeps_dtype=False,
    ),
    _without_nan(
        "nansum",
        math.fsum,
        0.0,
        at("0-d, along an axis", 2.5, axis=-1),
        at("edge: only NaN", np.array([NAN, NAN]), smooth=False),
    ),
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
                lambda: ops.average(np.ones(2), None, np.array([1.0, -1.0])),
                ShapeError,
                "average: the weights add up to 0",
            ),
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
        at("complex", complex_normal(4)),
        at("edge: NaN, infinity", np.array([[1.0, NAN, 2.0], [INF, 1.0, INF]]), axis=1, smooth=False),
        reference=over_axes(_median),
        errors=(
            _no_axis("median"),
            Fails(lambda: ops.median(np.ones(0)), ShapeError, r"median: x has shape \(0,\)"),
            Fails(lambda: ops.quantile(np.ones(2, complex), 0.5), DtypeError, "quantile: x is complex"),
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
    _without_nan("nanprod", math.prod, 1.0),
    *[
        row(
            name,
            at("size 1", np.array([2.5])),
            at("axes", HOLES, axis=1, smooth=False),
            at("axes, no NaN", spread(2, 3), axis=0),
            at("edge: only NaN", np.array([NAN, NAN]), smooth=False),
            reference=partial(_quiet, getattr(np, name)),
            errors=Fails(
                partial(getattr(ops, name), np.ones(2), axis=1),
                ShapeError,
                f"{name[3:]}: axis 1 is out of range",
            ),
            numpy=getattr(np, name),
            op=getattr(ops, name),
        )
        for name in ("nancumsum", "nancumprod")
    ],
    *[
        row(
            name,
            at("0-d", 2.5),
            at("axes", spread(2, 3)),
            at("axes, one kept", spread(2, 3), axis=1, keepdims=True, correction=1),
            at("axes, complex", complex_normal(2, 3), axis=0),
            at("edge: NaN", HOLES, axis=1, smooth=False),
            at("edge: only NaN, too few", np.array([[NAN, NAN], [1.0, NAN]]), axis=1, ddof=1, smooth=False),
            reference=lambda x, root=root, **params: _deviation(x, root, **params),
            errors=_no_axis(name),
            numpy=getattr(np, name),
            op=getattr(ops, name),
        )
        for name, root in (("nanvar", False), ("nanstd", True))
    ],
    row(
        "nanmedian",
        at("0-d", 2.5),
        at("axes", spread(2, 3), axis=1),
        at("axes, even", spread(3, 4), keepdims=True),
        at("edge: NaN", np.array([[1.0, NAN, 2.0], [NAN, NAN, INF], [NAN, NAN, NAN]]), axis=1, smooth=False),
        reference=_numbers(_median, NAN),
        errors=(
            _no_axis("nanmedian"),
            Fails(lambda: ops.nanmedian(np.ones(0)), ShapeError, r"nanmedian: x has shape \(0,\)"),
        ),
        numpy=np.nanmedian,
        op=ops.nanmedian,
    ),
    row(
        "percentile",
        at("0-d", 2.5, q=50),
        at("axes", spread(2, 3), q=30, axis=1),
        at("axes, several", spread(3, 4), q=[25, 90.5], axis=0, keepdims=True),
        *[at(f"axes, {m}", spread(7), q=PARTS, method=m) for m in sorted(PLACES)],
        at("edge: NaN", np.array([1.0, NAN, 2.0]), q=30, smooth=False),
        reference=lambda x, q, **params: np.percentile(x, q, **params),
        errors=(
            Fails(lambda: ops.percentile(np.ones(2), 101), ShapeError, r"percentile: q is 101; \[0, 100\]"),
            Fails(
                lambda: ops.percentile(np.ones(2), 5, method="best"),
                ShapeError,
                "percentile: method is 'best'",
            ),
        ),
        op=lambda x, q, **params: ops.percentile(x, q, **params),
    ),
    *[
        row(
            name,
            at("0-d", 2.5, q=0.5),
            at("axes", spread(2, 3), q=0.3, axis=1, method="hazen"),
            at("axes, several parts", spread(3, 4), q=[0.25, 0.9], axis=0, keepdims=True),
            at("edge: NaN", HOLES, q=[0.3, 1.0], axis=1, smooth=False),
            at("edge: only NaN", np.full((2, 2), NAN), q=0.5, smooth=False),
            reference=partial(_quiet, getattr(np, name)),
            errors=(
                Fails(partial(getattr(ops, name), np.ones(2), -1), ShapeError, f"{name}: q is -1"),
                Fails(
                    partial(getattr(ops, name), np.ones(2, complex), 0), DtypeError, f"{name}: x is complex"
                ),
            ),
            op=partial(_with_part, getattr(ops, name)),
        )
        for name in ("nanquantile", "nanpercentile")
    ],
    row(
        "cov",
        at("size 1", normal(3)),
        at("axes", normal(2, 4)),
        at("axes, two arrays", normal(2, 4), normal(4)),
        at("axes, columns, biased", normal(4, 2), rowvar=False, bias=True),
        at(
            "axes, weights",
            normal(2, 4),
            fweights=np.array([1, 2, 0, 1]),
            aweights=np.array([0.5, 1.0, 2.0, 1.5]),
        ),
        at("axes, repeated", normal(2, 4), fweights=np.array([1, 2, 0, 1]), ddof=0),
        at("edge: equal", np.full((2, 3), 2.0)),
        at("complex", complex_normal(2, 4)),
        reference=np.cov,
        errors=(
            Fails(lambda: ops.cov(np.ones((2, 2, 2))), ShapeError, r"cov: an array has shape \(2, 2, 2\)"),
            Fails(lambda: ops.cov(np.ones(2), np.ones(3)), ShapeError, "cov: 2 observations of x and 3 of y"),
            Fails(
                lambda: ops.cov(np.ones(2), aweights=np.ones(3)),
                ShapeError,
                r"cov: aweights has shape \(3,\)",
            ),
            Fails(lambda: ops.cov(np.ones(2), fweights=np.ones(2)), DtypeError, "cov: fweights are counts"),
        ),
        op=ops.cov,
    ),
    row(
        "corrcoef",
        at("size 1", normal(3), smooth=False),
        at("axes", normal(2, 4)),
        at("axes, columns", normal(4, 2), rowvar=False),
        at("edge: opposite", np.array([[1.0, 2.0, 4.0], [-1.0, -2.0, -4.0]]), smooth=False),
        reference=np.corrcoef,
        errors=Fails(lambda: ops.corrcoef(np.ones((2, 2, 2))), ShapeError, r"corrcoef: an array has shape"),
        op=ops.corrcoef,
    ),
]
