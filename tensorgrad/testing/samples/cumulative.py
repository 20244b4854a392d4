"""Rows of products and of what runs along an axis."""

from __future__ import annotations

import math
from itertools import accumulate
from operator import mul
from typing import Any

import numpy as np

from ... import ops
from ..._errors import ShapeError
from ...ops import cumulative
from .row import Fails, OpSamples, along, at, complex_normal, kink, normal, over_axes, row, spread

NAN = math.nan
ZEROS = np.array([[0.0, 2.0, 3.0], [0.0, 0.0, 5.0], [1.5, -2.0, 0.5]])
"""Rows with one zero, two and none."""


def _missing(name: str, call: Any) -> Fails:
    return Fails(lambda: call(np.ones(2), axis=1), ShapeError, rf"{name}: .*axis.*1.* out of (bounds|range)")


def _recurrence(a: Any, b: Any, axis: int) -> Any:
    out = np.zeros(b.shape, np.result_type(a, b))
    for index in np.ndindex(b.shape):
        before = (*index[:axis], index[axis] - 1, *index[axis + 1 :])
        out[index] = b[index] + (a[index] * out[before] if index[axis] else 0)
    return out


def _leaders(x: Any, axis: int, largest: bool) -> Any:
    def places(values: list[float]) -> list[int]:
        found: list[int] = []
        for k, v in enumerate(values):
            best = values[found[-1]] if found else v
            ahead = best == best and (v != v or (v > best if largest else v < best))
            found.append(k if not found or ahead else found[-1])
        return found

    return along(places, int)(x, axis)


PRIMITIVES = [
    row(
        "prod",
        at("0-d", 2.5),
        at("size 1", normal(1, 1), axis=1),
        at("axes, all", normal(2, 3)),
        at("axes, one", normal(2, 3), axis=0),
        at("axes, two kept", normal(2, 3, 2), axis=(-1, 0), keepdims=True),
        at("axes, none", normal(2, 3), axis=()),
        at("edge: zeros", ZEROS, axis=1),
        at("edge: empty", np.zeros((0, 3)), axis=0),
        at("complex", complex_normal(2, 3), axis=1),
        reference=over_axes(math.prod),
        errors=Fails(
            lambda: ops.prod(np.ones((2, 3)), axis=2), ShapeError, r"prod: .*axis.*2.* out of (bounds|range)"
        ),
        numpy=np.prod,
        kinks=(
            kink("zeros", ZEROS[:2], axis=1, gradients=(np.array([[6.0, 0.0, 0.0], [0.0, 0.0, 0.0]]),)),
            kink("underflow", np.array([1e-200, 1e-200]), gradients=(np.array([1e-200, 1e-200]),)),
        ),
    ),
    row(
        "running_sum",
        at("size 1", normal(1), axis=0),
        at("axes", normal(2, 3), axis=1),
        at("axes, first", normal(3, 2), axis=0),
        at("edge: empty", np.zeros((0, 3)), axis=0),
        reference=along(lambda values: list(accumulate(values))),
        errors=_missing("running_sum", cumulative.running_sum),
        numpy=np.cumsum,
    ),
    row(
        "running_product",
        at("size 1", normal(1), axis=0),
        at("axes", normal(2, 4), axis=1),
        at("axes, middle", normal(2, 3, 2), axis=1),
        at("edge: zeros", ZEROS, axis=1),
        at("edge: empty", np.zeros((0, 3)), axis=0),
        at("complex", complex_normal(2, 3), axis=1),
        reference=along(lambda values: list(accumulate(values, mul))),
        errors=_missing("running_product", cumulative.running_product),
        numpy=np.cumprod,
        kinks=(kink("zero", np.array([2.0, 0.0, 5.0]), axis=0, gradients=(np.array([1.0, 12.0, 0.0]),)),),
    ),
    row(
        "recurrence",
        at("size 1", normal(1), normal(1, seed=1), axis=0),
        at("axes", normal(2, 4), normal(2, 4, seed=1), axis=1),
        at("axes, first", normal(3, 2), normal(3, 2, seed=1), axis=0),
        at("edge: zeros", ZEROS, normal(3, 3), axis=1),
        at("edge: empty", np.zeros((0, 3)), np.zeros((0, 3)), axis=0),
        at("complex", complex_normal(2, 3), complex_normal(2, 3, seed=1), axis=1),
        reference=_recurrence,
        errors=Fails(
            lambda: cumulative.recurrence(np.ones(2), np.ones(2), 1),
            ShapeError,
            "recurrence: .*axis.*1.* out of",
        ),
    ),
    row(
        "leaders",
        at("size 1", normal(1), axis=0, largest=True),
        at("axes", spread(2, 5), axis=1, largest=True),
        at("axes, first, smallest", spread(5, 2), axis=0, largest=False),
        at("edge: ties and NaN", np.array([1.0, 1.0, 2.0, 2.0, NAN, 3.0, NAN]), axis=0, largest=True),
        at("edge: empty", np.zeros((0, 3)), axis=0, largest=True),
        reference=_leaders,
        errors=Fails(
            lambda: cumulative.leaders(np.ones(2), 1, True),
            ShapeError,
            "leaders: .*axis.*1.* out of|leaders: ",
        ),
    ),
]


# ---- composed


def _so_far(f: Any) -> Any:
    def reference(x: Any, axis: Any = None) -> Any:
        x, axis = (x.ravel(), 0) if axis is None else (x, axis)
        return along(lambda values: list(accumulate(values, f)))(x, axis)

    return reference


def _with_initial(f: Any, start: float) -> Any:
    def reference(x: Any, axis: int = 0, include_initial: bool = False) -> Any:
        x = np.atleast_1d(x)
        y = along(lambda values: list(accumulate(values, f)))(x, axis)
        shape = list(x.shape)
        shape[axis] = 1
        return np.concatenate([np.full(shape, start), y], axis) if include_initial else y

    return reference


def _running(name: str, f: Any, function: Any) -> OpSamples:
    op = getattr(ops, name)
    return row(
        name,
        at("0-d", 2.5),
        at("axes, flattened", normal(2, 3)),
        at("axes", normal(2, 3), axis=-1),
        at("edge: empty", np.zeros((2, 0)), axis=1),
        reference=_so_far(f),
        errors=_missing(name, op),
        numpy=function,
        op=op,
    )


def _cumulative(name: str, f: Any, start: float) -> OpSamples:
    op = getattr(ops, name)
    return row(
        name,
        at("0-d", 2.5),
        at("size 1", normal(1), include_initial=True),
        at("axes", normal(2, 3), axis=-1),
        at("axes, with the initial value", normal(2, 3), axis=0, include_initial=True),
        at("edge: empty", np.zeros((2, 0)), axis=1, include_initial=True),
        reference=_with_initial(f, start),
        errors=(
            _missing(name, op),
            Fails(lambda: op(np.ones((2, 3))), ShapeError, rf"{name}: x has shape \(2, 3\); name the axis"),
        ),
        op=op,
    )


def _extremum(name: str, f: Any, function: Any, sign: int) -> OpSamples:
    op = getattr(ops, name)
    return row(
        name,
        at("size 1", normal(1)),
        at("axes", spread(2, 5)),
        at("axes, first", spread(5, 2), axis=0),
        at("edge: NaN stays", np.array([1.0, NAN, 2.0]), smooth=False),
        at("edge: empty", np.zeros((0, 3)), axis=0),
        reference=lambda x, axis=-1: along(lambda values: list(accumulate(values, f)))(x, axis),
        errors=_missing(name, op),
        numpy=lambda x, axis=-1: function.accumulate(x, axis=axis),
        kinks=(
            kink(
                "the first of equal ones",
                np.array([1.0, 2.0, 2.0, 1.0]) * sign,
                gradients=(np.array([1.0, 3.0, 0.0, 0.0]),),
            ),
        ),
        op=op,
    )


def _diff(x: Any, n: int = 1, axis: int = -1) -> Any:
    for _ in range(n):
        rows = np.moveaxis(x, axis, 0)
        x = np.moveaxis(np.array([rows[i + 1] - rows[i] for i in range(len(rows) - 1)]), 0, axis)
    return x


COMPOSED = [
    _running("cumsum", lambda a, b: a + b, np.cumsum),
    _running("cumprod", mul, np.cumprod),
    _cumulative("cumulative_sum", lambda a, b: a + b, 0.0),
    _cumulative("cumulative_prod", mul, 1.0),
    _extremum("cummax", lambda a, b: a if a != a or a >= b else b, np.maximum, 1),
    _extremum("cummin", lambda a, b: a if a != a or a <= b else b, np.minimum, -1),
    row(
        "diff",
        at("size 1", normal(1), n=0),
        at("axes", normal(2, 4)),
        at("axes, twice, first", normal(4, 2), n=2, axis=0),
        at("edge: nothing", normal(2, 3), n=0),
        reference=_diff,
        errors=(
            _missing("diff", ops.diff),
            Fails(lambda: ops.diff(np.ones(2), n=-1), ShapeError, "diff: n is -1"),
        ),
        numpy=np.diff,
        op=ops.diff,
    ),
    row(
        "ptp",
        at("0-d", 2.5),
        at("axes", spread(2, 3)),
        at("axes, one kept", spread(2, 3), axis=1, keepdims=True),
        at("edge: all equal", np.full((2, 2), 3.0), axis=0, smooth=False),
        reference=over_axes(lambda values: max(values) - min(values)),
        errors=(
            Fails(lambda: ops.ptp(np.ones(2), axis=1), ShapeError, "ptp: axis 1 is out of range"),
            Fails(lambda: ops.ptp(np.ones(0)), ShapeError, r"ptp: x has shape \(0,\)"),
        ),
        kinks=(kink("ties share", np.array([1.0, 2.0, 2.0]), gradients=(np.array([-1.0, 0.5, 0.5]),)),),
        op=ops.ptp,
    ),
]

ROWS: list[OpSamples] = PRIMITIVES
