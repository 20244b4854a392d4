"""Rows of the reductions, what is composed of them, and the softmax family."""

from __future__ import annotations

import cmath
import math
import statistics
from collections.abc import Callable
from typing import Any

import numpy as np

from ... import ops
from ..._errors import ShapeError
from .row import Fails, OpSamples, Sample, along, at, complex_normal, kink, normal, over_axes, row, spread

NAN, INF = math.nan, math.inf


def _axes(make: Any = normal) -> tuple[Sample, ...]:
    """What every reduction is tried at."""
    return (
        at("0-d", make()),
        at("size 1", make(1, 1), axis=1),
        at("axes, all", make(2, 3)),
        at("axes, one", make(2, 3), axis=0),
        at("axes, last kept", make(2, 3), axis=-1, keepdims=True),
        at("axes, two", make(2, 3, 2), axis=(0, 2)),
        at("axes, two kept", make(2, 3, 2), axis=(-1, 0), keepdims=True),
        at("axes, none", make(2, 3), axis=()),
    )


def _no_axis(name: str, call: Callable[..., Any]) -> Fails:
    return Fails(
        lambda: call(np.ones((2, 3)), axis=2), ShapeError, rf"{name}: .*axis.*2.* out of (bounds|range)"
    )


def _sum(values: list[Any]) -> Any:
    if any(isinstance(v, complex) for v in values):
        return complex(math.fsum(v.real for v in values), math.fsum(v.imag for v in values))
    return math.fsum(values)


def _largest(values: list[float]) -> float:
    return NAN if any(v != v for v in values) else max(values)


def _extremum(name: str, sign: int, function: Any) -> OpSamples:
    op = getattr(ops, name)
    ties = np.array([[2.0, 5.0, 5.0], [7.0, 7.0, 7.0]]) * sign
    return row(
        name,
        *_axes(spread),
        at("0-d, along an axis", 2.5, axis=-1),
        at("empty", np.zeros((0, 3)), axis=1),
        at("edge: NaN wins", np.array([[1.0, NAN], [2.0, 3.0]]), axis=1, smooth=False),
        at("edge: infinities", np.array([[-INF, -INF], [INF, 1.0]]), axis=1, smooth=False),
        reference=over_axes(lambda values: sign * _largest([sign * v for v in values])),
        errors=(
            _no_axis(name, op),
            Fails(lambda: op(np.ones((0, 2)), axis=0), ShapeError, rf"{name}: x \(0, 2\), axis=0.*identity"),
        ),
        numpy=function,
        kinks=(
            kink("ties", ties, axis=1, gradients=(np.array([[0.0, 0.5, 0.5], [1 / 3, 1 / 3, 1 / 3]]),)),
            kink("ties over all", np.full((2, 2), 3.0), gradients=(np.full((2, 2), 0.25),)),
            kink("NaN gets it", np.array([1.0, NAN, 5.0]), gradients=(np.array([0.0, 1.0, 0.0]),)),
        ),
    )


def _share(x: Any, top: Any, axis: Any = None) -> Any:
    same = [
        (a == b or (a != a and b != b))
        for a, b in zip(x.flat, np.broadcast_to(top, x.shape).flat, strict=True)
    ]
    hit = np.array(same, float).reshape(x.shape)
    return hit / over_axes(math.fsum)(hit, axis, True) if x.size else hit


PRIMITIVES = [
    row(
        "sum",
        *_axes(),
        at("0-d, along an axis", 2.5, axis=-1),
        at("edge: empty", np.zeros((0, 3)), axis=0),
        at("edge: cancels", np.array([1e8, 1.0, -1e8]), smooth=False),
        at("complex", complex_normal(2, 3), axis=1),
        reference=over_axes(_sum),
        errors=_no_axis("sum", ops.sum),
        numpy=np.sum,
    ),
    _extremum("max", 1, np.max),
    _extremum("min", -1, np.min),
    row(
        "share",
        at("0-d", 2.0, 2.0),
        at("axes", np.array([[1.0, 3.0, 3.0], [2.0, 2.0, 2.0]]), np.array([[3.0], [2.0]]), axis=1),
        at("axes, all", np.array([[1.0, 3.0], [3.0, 3.0]]), np.array([[3.0]])),
        at("edge: NaN equals itself", np.array([1.0, NAN]), np.array([NAN]), axis=0),
        reference=_share,
        errors=Fails(
            lambda: ops.reduce.share(np.ones((2, 3)), np.ones(2)),
            ShapeError,
            r"share: x \(2, 3\) and top \(2,\)",
        ),
    ),
]


# ---- composed


def _keeping(f: Callable[[list[Any], float], Any]) -> Callable[..., Any]:
    def reference(x: Any, axis: Any = None, correction: float = 0, keepdims: bool = False) -> Any:
        return over_axes(lambda values: f(values, correction), float)(x, axis, keepdims)

    return reference


def _variance(values: list[float], correction: float) -> float:
    spread_of = statistics.variance if correction == 1 else statistics.pvariance
    return float(spread_of(values))


COMPOSED = [
    row(
        "mean",
        *_axes(),
        at("edge: large offset", 1e8 + normal(4), smooth=False),
        reference=over_axes(lambda values: statistics.fmean(values), float),
        errors=_no_axis("mean", ops.mean),
        numpy=np.mean,
        op=ops.mean,
    ),
    row(
        "var",
        *_axes()[2:],
        at("size 1", np.array([2.0]), smooth=False),
        at("axes, unbiased", normal(2, 4), axis=1, correction=1),
        at("edge: constant", np.full((2, 3), 4.0), axis=1),
        reference=_keeping(_variance),
        errors=_no_axis("var", ops.var),
        numpy=lambda x, axis=None, correction=0, keepdims=False: np.var(
            x, axis=axis, ddof=correction, keepdims=keepdims
        ),
        op=ops.var,
    ),
    row(
        "std",
        at("axes, all", normal(2, 3)),
        at("axes, one", normal(2, 3), axis=0),
        at("axes, unbiased, kept", normal(2, 4), axis=1, correction=1, keepdims=True),
        at("size 1", np.array([2.0]), smooth=False),
        at("edge: constant", np.full((2, 3), 4.0), axis=1, smooth=False),
        reference=_keeping(lambda values, correction: math.sqrt(_variance(values, correction))),
        errors=_no_axis("std", ops.std),
        numpy=lambda x, axis=None, correction=0, keepdims=False: np.std(
            x, axis=axis, ddof=correction, keepdims=keepdims
        ),
        kinks=(kink("constant", np.full((2, 3), 4.0), axis=1, gradients=(np.zeros((2, 3)),)),),
        op=ops.std,
    ),
]

# ---- softmax


def _softmax(values: list[Any]) -> list[Any]:
    return [math.exp(v) if isinstance(v, float) else cmath.exp(v) for v in _log_softmax(values)]


def _log_softmax(values: list[Any]) -> list[Any]:
    return [v - _logsumexp(values) for v in values]


def _logsumexp(values: list[Any]) -> Any:
    top = max(v.real for v in values)
    if isinstance(values[0], complex):
        parts = [cmath.exp(v - top) for v in values]
        return top + cmath.log(complex(math.fsum(p.real for p in parts), math.fsum(p.imag for p in parts)))
    return top if top == -INF else top + math.log(math.fsum(math.exp(v - top) for v in values))


def _normaliser(name: str, f: Callable[[list[Any]], list[Any]]) -> OpSamples:
    op = getattr(ops, name)
    return row(
        name,
        at("size 1", np.array([3.0])),
        at("axes", normal(2, 3)),
        at("axes, first", normal(2, 3), axis=0),
        at("axes, middle", normal(2, 3, 2), axis=-2),
        at("axes, complex", complex_normal(2, 3)),
        at("empty", np.zeros((0, 3)), axis=1),
        at("empty along the axis", np.zeros((2, 0)), axis=1),
        at("edge: far apart", np.array([40.0, 41.0, -40.0])),
        at("edge: large", np.array([1000.0, 1001.0, -1000.0]), smooth=False),
        at("edge: -inf in a row", np.array([0.5, -INF, 1.0]), smooth=False),
        reference=along(f),
        errors=_no_axis(name, op),
    )


SOFTMAX = [
    _normaliser("softmax", _softmax),
    _normaliser("log_softmax", _log_softmax),
    row(
        "logsumexp",
        *_axes()[:-1],
        at("0-d, along an axis", 2.5, axis=-1),
        at("axes, complex", complex_normal(2, 3), axis=1),
        at("edge: far apart", np.array([40.0, 41.0, -40.0])),
        at("edge: large", np.array([1000.0, 1001.0, -1000.0]), smooth=False),
        at("edge: all -inf", np.array([[-INF, -INF], [0.0, -INF]]), axis=1, smooth=False),
        reference=over_axes(_logsumexp),
        errors=_no_axis("logsumexp", ops.logsumexp),
        kinks=(
            kink(
                "all -inf",
                np.array([[-INF, -INF], [0.0, -INF]]),
                axis=1,
                gradients=(np.array([[0.0, 0.0], [1.0, 0.0]]),),
            ),
        ),
    ),
]

ROWS: list[OpSamples] = [*PRIMITIVES, *SOFTMAX]
