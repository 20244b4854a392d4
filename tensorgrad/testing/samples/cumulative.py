"""Rows of products, and what runs along an axis."""

from __future__ import annotations

import math
from functools import partial
from itertools import accumulate
from operator import mul
from typing import Any

import numpy as np

from ... import ops
from ..._errors import DtypeError, ShapeError
from ...ops import cumulative
from .row import Fails, OpSamples, along, at, complex_normal, kink, normal, over_axes, row, spread

INF, NAN = math.inf, math.nan
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


def _log_add(a: float, b: float) -> float:
    top = max(a, b)
    return top if abs(top) == INF else top + math.log1p(math.exp(-abs(a - b)))


PRIMITIVES = [
    row(
        "prod",
        at("0-d", 2.5),
        at("0-d, along an axis", 2.5, axis=-1),
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
        "running_logsumexp",
        at("size 1", normal(1), axis=0),
        at("axes", normal(2, 4), axis=1),
        at("axes, first", normal(3, 2), axis=0),
        at("edge: far apart", np.array([3.0, 2.5, -30.0, 4.0]), axis=0),
        at("edge: large", np.array([1000.0, 1000.5, -1000.0, 999.0]), axis=0, smooth=False),
        at("edge: infinities", np.array([-INF, -INF, 1.0, INF, 2.0]), axis=0, smooth=False),
        at("edge: empty", np.zeros((0, 3)), axis=0),
        reference=along(lambda values: list(accumulate(values, _log_add))),
        errors=_missing("running_logsumexp", cumulative.running_logsumexp),
        kinks=(
            kink("-inf in front", np.array([-INF, 0.0, 0.0]), axis=0, gradients=(np.array([0.0, 1.5, 0.5]),)),
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


def _ends(f: Any) -> Any:
    """A call of ``diff`` with what is put in front and behind as arguments."""

    def call(x: Any, prepend: Any = None, append: Any = None, n: int = 1, axis: int = -1) -> Any:
        given = {k: v for k, v in (("prepend", prepend), ("append", append)) if v is not None}
        return f(x, n=n, axis=axis, **given)

    return call


def _cumulative_trapezoid(y: Any, x: Any = None, dx: float = 1.0, axis: int = -1) -> Any:
    y = np.moveaxis(y, axis, -1)
    points = np.arange(y.shape[-1]) * dx if x is None else x
    done = [np.trapezoid(y[..., : k + 1], points[..., : k + 1]) for k in range(1, y.shape[-1])]
    return np.moveaxis(np.stack(done, -1) if done else y[..., 1:], -1, axis)


COMPOSED: list[OpSamples] = [
    _running("cumsum", lambda a, b: a + b, np.cumsum),
    _running("cumprod", mul, np.cumprod),
    *[
        row(
            f"{name} in a dtype",
            at("size 1", normal(1), dtype="float64"),
            at("axes", normal(2, 3), axis=1, dtype="float64"),
            at("axes, complex", normal(2, 3), axis=0, dtype="complex128"),
            at("edge: integers", np.array([1.75, -2.0]), dtype="int64", smooth=False),
            reference=partial(getattr(np, name)),
            errors=Fails(partial(getattr(ops, name), np.ones(2), dtype="U3"), DtypeError, f"{name}: .*<U3"),
            op=getattr(ops, name),
            keeps_dtype=False,
        )
        for name in ("sum", "prod", "cumsum", "cumprod", "cumulative_sum", "cumulative_prod")
    ],
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
        at("0-d, along an axis", 2.5, axis=-1),
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
    row(
        "logcumsumexp",
        at("0-d", 2.5),
        at("axes, flattened", normal(2, 3)),
        at("axes", normal(2, 3), axis=-1),
        at("edge: large", np.array([1000.0, 1000.0]), smooth=False),
        reference=lambda x, axis=None: np.logaddexp.accumulate(
            np.ravel(x) if axis is None else x, axis=0 if axis is None else axis
        ),
        errors=(
            _missing("logcumsumexp", ops.logcumsumexp),
            Fails(
                lambda: ops.logcumsumexp(np.ones(2, complex)),
                DtypeError,
                "logcumsumexp: x has dtype complex128",
            ),
        ),
        op=ops.logcumsumexp,
    ),
    row(
        "diff with ends",
        at("size 1", normal(1), 0.5),
        at("axes", normal(2, 3), normal(2, 1, seed=1), normal(2, 2, seed=2)),
        at("axes, first, twice", normal(2, 3), normal(1, 3, seed=1), 1.5, n=2, axis=0),
        at("axes, complex in front", normal(2, 3), np.array(1.0 + 2j)),
        at("edge: not at all", normal(2), 0.5, n=0, wrt=(0,)),
        reference=lambda x, *ends, n=1, axis=-1: _ends(np.diff)(x, *ends, n=n, axis=axis),
        errors=Fails(lambda: ops.diff(np.ones((2, 3)), prepend=np.ones((3, 1))), ShapeError, "concat: "),
        op=_ends(ops.diff),
    ),
    row(
        "ediff1d",
        at("0-d", 2.5),
        at("axes", normal(2, 3)),
        at("axes, ends", normal(2, 3), normal(2, seed=1), 0.5),
        at("edge: empty", np.zeros(0)),
        reference=np.ediff1d,
        errors=(
            Fails(lambda: ops.ediff1d(["word"]), DtypeError, "ediff1d: "),
            Fails(
                lambda: ops.ediff1d([1, 4], to_begin=0.5),
                DtypeError,
                "ediff1d: to_begin: values of dtype float64",
            ),
        ),
        op=ops.ediff1d,
    ),
    *[
        row(
            name,
            at("size 1", normal(1)),
            at("axes", normal(2, 4), axis=1, dx=0.5),
            at("axes, first, places", normal(3, 2), np.array([0.0, 0.5, 2.0]), axis=0),
            at("axes, a place for each", normal(2, 3), np.array([[0.0, 0.5, 2.0], [1.0, 0.0, 3.0]])),
            at("edge: falling places", normal(3), np.array([2.0, 1.0, 0.5])),
            reference=reference,
            errors=(
                _missing(name, getattr(ops, name)),
                Fails(
                    partial(getattr(ops, name), np.ones((2, 3)), np.ones(2)),
                    ShapeError,
                    rf"{name}: points of shape",
                ),
            ),
            op=getattr(ops, name),
        )
        for name, reference in (
            ("trapezoid", np.trapezoid),
            ("cumulative_trapezoid", _cumulative_trapezoid),
        )
    ],
    row(
        "gradient",
        at("size 1", normal(2)),
        at("axes", normal(3, 4)),
        at("axes, one, second order", normal(2, 5), axis=1, edge_order=2),
        at("axes, a distance", normal(3, 3), np.array(0.5)),
        at("axes, both ways", normal(3, 3), np.array([0.0, 1.0, 1.5]), np.array(2.0)),
        at("axes, places, second order", normal(4), np.array([0.0, 1.0, 1.5, 3.0]), edge_order=2),
        at("edge: falling places", normal(3), np.array([2.0, 1.0, 0.5])),
        reference=np.gradient,
        errors=(
            _missing("gradient", ops.gradient),
            Fails(lambda: ops.gradient(np.ones(1)), ShapeError, "gradient: axis 0 has length 1"),
            Fails(lambda: ops.gradient(np.ones(3), edge_order=3), ShapeError, "gradient: edge_order is 3"),
            Fails(lambda: ops.gradient(np.ones(3), 1, 1), ShapeError, "gradient: 2 spacings for 1 axes"),
            Fails(
                lambda: ops.gradient(np.ones(3), np.ones(2)),
                ShapeError,
                r"gradient: coordinates of shape \(2,\)",
            ),
        ),
        op=ops.gradient,
    ),
]

ROWS: list[OpSamples] = PRIMITIVES
