"""Rows of the trigonometric and hyperbolic functions."""

from __future__ import annotations

import cmath
import math
from typing import Any

import numpy as np

from ... import ops
from ..._errors import DtypeError
from ...ops import trig
from .elementwise import broadcasting, misfit, not_numbers, simple
from .explog import real_only
from .row import Fails, OpSamples, Sample, at, between, complex_normal, each, kink, row, spread

INF = math.inf


def _inner(*shape: int, seed: int = 0) -> Any:
    return between(-0.8, 0.8, *shape, seed=seed)


def _above(*shape: int, seed: int = 0) -> Any:
    return between(2.5, 4, *shape, seed=seed)


def _function(name: str, numpy: Any, *edges: Sample, a: Any = _inner) -> OpSamples:
    def reference(x: Any) -> Any:
        return getattr(cmath if isinstance(x, complex) else math, name)(x)

    return row(
        name,
        *simple(a),
        *edges,
        at("complex", complex_normal(3)),
        reference=each(reference),
        errors=not_numbers(name),
        numpy=numpy,
    )


def _sinc(x: Any) -> Any:
    return math.sin(math.pi * x) / (math.pi * x) if x else 1.0


def _sinc_slope(x: Any, order: int) -> Any:
    """The mean of the derivatives of cos(pi t x) over t in [0, 1], by Gauss's rule."""
    nodes, weights = np.polynomial.legendre.leggauss(60)
    t = (nodes + 1) / 2
    at_x = [
        sum(w / 2 * (math.pi * s) ** order * math.cos(math.pi * s * v + order * math.pi / 2)
            for s, w in zip(t.tolist(), weights.tolist(), strict=True))
        for v in x.ravel().tolist()
    ]  # fmt: skip
    return np.array(at_x, float).reshape(x.shape)


ROWS: list[OpSamples] = [
    _function("tan", np.tan, at("edge: 0, near the pole", np.array([0.0, 1.4, -1.4]))),
    _function("sinh", np.sinh, at("edge: 0, large", np.array([0.0, 6.0, -6.0]))),
    _function("cosh", np.cosh, at("edge: 0, large", np.array([0.0, 6.0, -6.0]))),
    _function("asin", np.asin, at("edge: 0, ends", np.array([0.0, 1.0, -1.0]), smooth=False)),
    _function("acos", np.acos, at("edge: 0, ends", np.array([0.0, 1.0, -1.0]), smooth=False)),
    _function("atan", np.atan, at("edge: 0, far out", np.array([0.0, 1e300, -INF]), smooth=False)),
    _function("asinh", np.asinh, at("edge: 0, far out", np.array([0.0, 1e300, -INF]), smooth=False)),
    _function(
        "acosh", np.acosh, at("edge: end, far out", np.array([1.0, 1e300, INF]), smooth=False), a=_above
    ),
    _function("atanh", np.atanh, at("edge: 0, near the ends", np.array([0.0, 0.99, -0.99]))),
    row(
        "radius",
        *simple(),
        at("edge: 0, far out", np.array([0.0, 1e100, -INF]), smooth=False),
        at("complex", complex_normal(3)),
        at("edge: complex, far out", np.array([1e15 + 1e15j, -3e15j, 1 - 3e12j]), smooth=False),
        reference=each(
            lambda x: (
                math.hypot(1, x) if isinstance(x, float) else cmath.sqrt(1 + 1j * x) * cmath.sqrt(1 - 1j * x)
            )
        ),
        errors=not_numbers("radius", trig.radius),
    ),
    row(
        "one_minus_square",
        *simple(),
        at("edge: 1 and near it", np.array([1.0, 1 - 1e-9, -1.0])),
        at("complex", complex_normal(3)),
        reference=each(lambda x: (1 - x) * (1 + x)),
        errors=not_numbers("one_minus_square", trig.one_minus_square),
    ),
    row(
        "atan2",
        *broadcasting(a=spread),
        at("edge: on the axes", np.array([0.0, 2.0, -2.0]), np.array([3.0, 0.0, 0.0])),
        at("edge: the cut", np.array([0.0, -0.0, 0.0]), np.array([-1.0, -1.0, -0.0]), smooth=False),
        reference=each(math.atan2),
        errors=(misfit("atan2"), real_only("atan2", 2)),
        numpy=np.atan2,
        kinks=(kink("(0, 0)", np.zeros(1), np.zeros(1), gradients=(np.zeros(1), np.zeros(1))),),
    ),
    row(
        "deg2rad",
        *simple(),
        at("edge: turns", np.array([180.0, -360.0, 0.0])),
        reference=each(math.radians),
        errors=(not_numbers("deg2rad"), real_only("deg2rad")),
        numpy=np.deg2rad,
    ),
    row(
        "rad2deg",
        *simple(),
        at("edge: turns", np.array([math.pi, -2 * math.pi, 0.0])),
        reference=each(math.degrees),
        errors=(not_numbers("rad2deg"), real_only("rad2deg")),
        numpy=np.rad2deg,
    ),
    row(
        "sinc",
        *simple(),
        at("edge: 0 and near it", np.array([0.0, 1e-9, -1e-3]), complex_step=False),
        at("edge: whole numbers", np.array([0.5, 1.0, -3.0])),
        reference=each(_sinc),
        errors=not_numbers("sinc"),
    ),
    row(
        "sinc_slope",
        at("0-d", 0.3, order=1),
        at("axes", between(-3, 3, 2, 3), order=2),
        at("edge: 0 and near it", np.array([0.0, 1e-9, -1e-3]), order=1),
        at("edge: both forms", np.array([0.95, 0.96, -1.5, 4.0]), order=3),
        reference=_sinc_slope,
        errors=Fails(
            lambda: ops.trig.sinc_slope(np.array(["word"]), order=1), DtypeError, "sinc_slope: .*<U4"
        ),
    ),
]

COMPOSED: list[OpSamples] = [
    row(
        "angle",
        *simple(),
        at("axes, complex", complex_normal(2, 3)),
        at("axes, degrees", complex_normal(2, 1), deg=True),
        at("edge: on the axes, NaN", np.array([0.0, -2.0, math.nan]), smooth=False),
        reference=lambda x, deg=False: (
            each(lambda z: math.degrees(cmath.phase(z)) if deg else cmath.phase(z))(x).real
        ),
        errors=Fails(lambda: ops.angle(["word"]), DtypeError, "angle: "),
        op=ops.angle,
        kinks=(kink("0, real", np.array([0.0, -2.0, 3.0]), gradients=(np.zeros(3),)),),
    ),
]
