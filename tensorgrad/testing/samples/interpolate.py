"""Rows of interpolation: of images, and between the knots of a function."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import numpy as np

from ..._errors import DtypeError, ShapeError
from ...ops.window.interpolate import MODES, interp, interpolate, segment_of
from ...ops.window.resample import DENSE, Plan, resample
from .row import Fails, OpSamples, at, between, complex_normal, kink, normal, row

NO_SIZE: Any = 1.5


def _cubic(d: float) -> float:
    """Keys' kernel with a = -3/4, its two pieces multiplied out."""
    if d < 1:
        return 1.25 * d**3 - 2.25 * d**2 + 1
    return -0.75 * d**3 + 3.75 * d**2 - 6 * d + 3 if d < 2 else 0.0


def _weight(rule: str, n: int, m: int, step: float | None, corners: bool, j: int, i: int) -> float:
    """The weight of element ``i`` of a row with its ends continued, in result ``j``."""
    ratio = n / m if step is None else step
    if rule == "area":
        start, stop = math.floor(j * n / m), math.ceil((j + 1) * n / m)
        return (start <= i < stop) / (stop - start)
    if rule.startswith("nearest"):
        return float(i == math.floor((j + 0.5 * (rule != "nearest")) * ratio + 1e-9))
    middle = j * (n - 1) / max(m - 1, 1) if corners else (j + 0.5) * ratio - 0.5
    return max(0.0, 1 - abs(i - middle)) if rule == "linear" else _cubic(abs(i - middle))


def _resampled(x: Any, axis: int, plan: Plan, turned: bool = False) -> Any:
    n, m = plan.length, plan.number
    matrix = np.zeros((m, n))
    for j, i in np.ndindex(m, n + 8):
        matrix[j, min(max(i - 4, 0), n - 1)] += _weight(plan.rule, n, m, plan.step, plan.corners, j, i - 4)
    return np.moveaxis(np.tensordot(matrix.T if turned else matrix, x, (1, axis)), 0, axis)


def _interpolated(
    x: Any, size: Any = None, scale_factor: Any = None, mode: str = "nearest", align_corners: Any = None
) -> Any:
    for axis in range(2, x.ndim):
        n, k = x.shape[axis], axis - 2
        factor = scale_factor[k] if isinstance(scale_factor, tuple) else scale_factor
        m = math.floor(n * factor) if size is None else size[k] if isinstance(size, tuple) else size
        step = None if factor is None else 1 / factor
        x = _resampled(x, axis, Plan(MODES[mode][0], n, m, step, bool(align_corners)))
    return x


def _interp(x: Any, xp: Any, fp: Any, left: Any = None, right: Any = None, period: Any = None) -> Any:
    knots = sorted(zip(xp.tolist(), fp.tolist(), strict=True))
    if period is not None:
        knots = sorted((p % period + k * period, f) for p, f in knots for k in (-1, 0, 1))
        x, left, right = x % period, None, None

    def value(v: float) -> Any:
        if v < knots[0][0]:
            return knots[0][1] if left is None else left
        for (p, f), (q, h) in pairwise(knots):
            if p <= v <= q:
                return (f * (q - v) + h * (v - p)) / (q - p)
        return knots[-1][1] if right is None or v == knots[-1][0] else right

    return np.array([value(v) for v in x.ravel().tolist()], fp.dtype).reshape(x.shape)


def _segments(x: Any, xp: Any) -> Any:
    found = [max([0, *[k for k in range(len(xp) - 1) if xp[k] <= v]]) for v in x.ravel().tolist()]
    return np.array(found).reshape(x.shape)


ROWS: list[OpSamples] = [
    row(
        "resample",
        at("size 1", normal(1), axis=-1, plan=Plan("linear", 1, 1)),
        at("axes, linear", normal(2, 3), axis=-1, plan=Plan("linear", 3, 5)),
        at("axes, cubic, first, turned", normal(5, 2), axis=-2, plan=Plan("cubic", 3, 5), turned=True),
        at("axes, nearest", normal(3, 2), axis=-2, plan=Plan("nearest", 3, 5, 1 / 1.9)),
        at("axes, area, middle", normal(2, 3, 2), axis=-2, plan=Plan("area", 3, 2)),
        at(
            "edge: corners, turned", normal(1, 2), axis=-1, plan=Plan("linear", 4, 2, None, True), turned=True
        ),
        at("edge: longer than a matrix", normal(2), axis=-1, plan=Plan("linear", 2, DENSE + 1)),
        reference=_resampled,
        errors=Fails(
            lambda: resample(np.ones(2), 0, Plan("linear", 2, 3)),
            ShapeError,
            "resample: axis 0 is out of range",
        ),
    ),
    row(
        "segment_of",
        at("0-d", 0.5, np.array([0.0, 1.0])),
        at("axes", normal(2, 3), np.array([-1.0, 0.0, 0.5])),
        at("edge: knots, outside", np.array([-1.0, 0.0, 1.0, 2.0, 3.0]), np.array([0.0, 1.0, 2.0])),
        reference=_segments,
        errors=Fails(lambda: segment_of(np.ones(1), np.array([1.0, 0.0])), ShapeError, "interp: xp"),
    ),
]

COMPOSED: list[OpSamples] = [
    row(
        "interpolate",
        at("size 1", normal(1, 1, 1), size=1),
        at("axes, nearest", normal(1, 1, 2, 3), scale_factor=2),
        at("axes, nearest-exact", normal(1, 1, 4), size=3, mode="nearest-exact"),
        at("axes, area", normal(1, 1, 3), size=2, mode="area"),
        at("axes, linear", normal(2, 1, 3), scale_factor=1.7, mode="linear"),
        at("axes, bilinear", normal(1, 1, 2, 3), size=(3, 2), mode="bilinear"),
        at("axes, trilinear", normal(1, 1, 2, 2, 1), size=(3, 2, 2), mode="trilinear", align_corners=True),
        at("axes, bicubic", normal(1, 1, 3, 2), scale_factor=(1.5, 2.0), mode="bicubic"),
        at("edge: bicubic, one element and corners", normal(1, 1, 1, 3), size=(2, 1), mode="bicubic",
           align_corners=True),
        reference=_interpolated,
        errors=(
            Fails(lambda: interpolate(np.ones((1, 1, 2)), 2, 2.0), ShapeError, "exactly one of them"),
            Fails(lambda: interpolate(np.ones((1, 1, 2))), ShapeError, "exactly one of them"),
            Fails(lambda: interpolate(np.ones((1, 1, 2)), 2, mode="mean"), ShapeError, "mode is 'mean'"),
            Fails(lambda: interpolate(np.ones((1, 1, 2)), 2, mode="bilinear"), ShapeError,
                  "bilinear is for"),
            Fails(lambda: interpolate(np.ones((1, 1, 2)), 0), ShapeError, "at least one element"),
            Fails(lambda: interpolate(np.ones((1, 1, 2)), 2, align_corners=True), ShapeError,
                  "align_corners means nothing"),
            Fails(lambda: interpolate(np.ones((1, 1, 2)), NO_SIZE), DtypeError, "for size integers"),
        ),
        op=interpolate,
    ),
    row(
        "interp",
        at("0-d", 0.3, np.array([0.0, 1.0]), np.array([2.0, -1.0])),
        at("axes", between(-2, 3, 2, 3), np.array([-1.1, 0.2, 0.5, 2.0]), normal(4)),
        at("axes, outside", np.array([[-2.0, 0.4, 9.0]]), np.array([-1.1, 0.2]), normal(2), left=7.0, right=-7.0),
        at("axes, with a period", np.array([0.3, 4.9, -1.6]), np.array([1.5, 0.1, 2.7]), normal(3), period=2.0),
        at("edge: one knot", np.array([0.0, 2.0]), np.array([1.0]), normal(1)),
        at("complex", np.array([0.3]), np.array([0.0, 1.0]), complex_normal(2)),
        reference=_interp,
        errors=(
            Fails(lambda: interp(0.5, [0.0, 1.0], [1.0]), ShapeError, "two rows of one length"),
            Fails(lambda: interp(0.5, [1.0, 0.0], [1.0, 2.0]), ShapeError, "does not rise"),
            Fails(lambda: interp(0.5, [], []), ShapeError, "two rows of one length"),
            Fails(lambda: interp(0.5, [0.0], [1.0], period=0), ShapeError, "period is 0"),
            Fails(lambda: interp(np.array(1j), [0.0], [1.0]), DtypeError, "have no order"),
        ),
        kinks=(
            kink("knots, ends and outside", np.array([-1.0, 0.0, 1.0, 3.0, 4.0]), np.array([0.0, 1.0, 3.0]),
                 np.array([0.0, 1.0, 7.0]),
                 gradients=(np.array([0.0, 1.0, 3.0, 3.0, 0.0]), np.array([-1.0, -3.0, -3.0]),
                            np.array([2.0, 1.0, 2.0]))),
        ),
        op=interp,
    ),
]  # fmt: skip
