"""Rows of activations."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..._errors import DtypeError, ShapeError
from ...nn import functional
from ...ops import activations, fused
from .elementwise import not_numbers
from .row import Fails, OpSamples, at, each, kink, normal, row, spread

INF, NAN = math.inf, math.nan


def _softplus(x: float, beta: float, threshold: float) -> float:
    z = x * beta
    return x if z > threshold or z == INF else math.log1p(math.exp(z)) / beta


def _bounded(x: Any, low: float, high: float) -> Any:
    return each(lambda v: v if v != v else low if v < low else high if v > high else v)(x)


def _complex(op: Any) -> Fails:
    name = op.card.name
    params = {"low": 0.0, "high": 1.0} if name == "hardtanh" else {}
    return Fails(
        lambda: op(np.array([1j]), **params), DtypeError, f"{name}: .*complex128|{name}: .*complex numbers"
    )


ROWS: list[OpSamples] = [
    row(
        "gelu",
        at("0-d", 0.25),
        at("size 1", np.array([[0.5]])),
        at("axes", normal(2, 3)),
        at("edge: far out", np.array([-1e3, -6.0, 0.0, 6.0, 1e3])),
        at("edge: NaN", np.array([NAN]), smooth=False),
        at("empty", normal(3, 0)),
        reference=each(lambda x: x * 0.5 * math.erfc(-x / math.sqrt(2))),
        op=fused.gelu,
        errors=Fails(
            lambda: functional.gelu(np.ones(1), "fast"), ShapeError, "gelu: approximate is 'fast'; 'none' and"
        ),
    ),
    row(
        "hardtanh",
        at("0-d", 0.25, low=-1.0, high=1.0),
        at("size 1", np.array([[0.5]]), low=-1.0, high=1.0),
        at("axes", spread(2, 3), low=-0.5, high=0.25),
        at("edge: bounds, infinities, NaN", np.array([-1.0, 6.0, INF, -INF, NAN]), smooth=False, low=-1.0, high=6.0),
        at("empty", normal(3, 0), low=0.0, high=6.0),
        reference=_bounded,
        errors=(
            _complex(activations.hardtanh),
            not_numbers("hardtanh", lambda x: activations.hardtanh(x, low=0.0, high=1.0)),
        ),
        kinks=(
            kink("bounds", np.array([-1.0, 0.0, 6.0]), gradients=(np.array([0.0, 1.0, 0.0]),), low=-1.0, high=6.0),
        ),
    ),
    row(
        "softplus",
        at("0-d", 0.25),
        at("size 1", np.array([[0.5]])),
        at("axes", normal(2, 3), beta=2.0, threshold=20.0),
        at("axes, negative beta", normal(2, 3), beta=-0.5, threshold=20.0),
        at("edge: both ends", np.array([-700.0, -40.0, 0.0, 40.0, 700.0]), beta=1.0, threshold=20.0),
        at("edge: infinities, NaN", np.array([INF, -INF, NAN]), smooth=False),
        at("empty", normal(3, 0)),
        reference=lambda x, beta=1.0, threshold=INF: each(lambda v: _softplus(v, beta, threshold))(x),
        errors=(_complex(activations.softplus), not_numbers("softplus", activations.softplus)),
    ),
]  # fmt: skip
