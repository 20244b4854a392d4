"""Rows of the error function and its relatives."""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import Any

import numpy as np

from ... import special
from ..._errors import DtypeError, ShapeError
from ...ops.special import error
from .elementwise import broadcasting, simple
from .row import Fails, OpSamples, Sample, at, between, each, kink, row, spread

INF, NAN = math.inf, math.nan
ROOT2 = math.sqrt(2)


def _no_numbers(name: str, op: Any, inputs: int = 1) -> tuple[Fails, ...]:
    return (
        Fails(lambda: op(*[np.array(["word"])] * inputs), DtypeError, f"{name}: .*<U4"),
        Fails(lambda: op(*[np.array([1j])] * inputs), DtypeError, f"{name}: .*complex128.*real numbers"),
    )


def _function(name: str, reference: Any, *edges: Sample, a: Any = spread, kinks: Any = ()) -> OpSamples:
    return row(
        name,
        *simple(a),
        *edges,
        reference=each(reference),
        errors=_no_numbers(name, getattr(error, name)),
        kinks=kinks,
    )


def _function2(name: str, reference: Any, *edges: Sample, a: Any, b: Any, kinks: Any) -> OpSamples:
    op = getattr(special, name)
    misfit = Fails(
        lambda: op(np.ones(2), np.ones((2, 3))),
        ShapeError,
        rf"{name}: a \(2,\) and b \(2, 3\) do not broadcast",
    )
    return row(
        name,
        *broadcasting(a, b),
        *edges,
        reference=each(reference),
        errors=(misfit, *_no_numbers(name, op, 2)),
        kinks=kinks,
    )


def _pos(*shape: int, seed: int = 0) -> Any:
    return between(0.5, 2, *shape, seed=seed)


def _part(*shape: int, seed: int = 0) -> Any:
    return between(0.1, 0.9, *shape, seed=seed)


def _erfcx(x: float) -> float:
    if x < 25:
        return math.exp(x * x) * math.erfc(x)
    total = term = 1 / math.sqrt(math.pi) / x
    for k in range(1, 10):  # the asymptotic series, DLMF 7.12.1
        term *= -(2 * k - 1) / 2 / x / x
        total += term
    return total


def _fraction(x: float, order: int) -> float:
    """The integral of ``t**m exp(-t**2 - 2 x t)`` by that of one power less (DLMF 7.18.2), by Gauss's rule."""
    nodes, weights = np.polynomial.legendre.leggauss(120)
    ts = (4.5 + 4.5 * nodes).tolist()
    ws = [w * math.exp(-t * t - 2 * x * t) for t, w in zip(ts, weights.tolist(), strict=True)]
    above, below = (math.fsum(w * t**m for t, w in zip(ts, ws, strict=True)) for m in (order, order - 1))
    return above / below


def _erfcinv(x: float) -> float:
    low, high = -6.0, 28.0
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if math.erfc(middle) > x else (low, middle)
    return low


def _log_ndtr(x: float) -> float:
    return math.log(_erfcx(-x / ROOT2) / 2) - x * x / 2 if x < 0 else math.log1p(-math.erfc(x / ROOT2) / 2)


def _ratio(x: float) -> float:
    density = math.exp(-x * x / 2) / math.sqrt(2 * math.pi)
    return 2 / math.sqrt(2 * math.pi) / _erfcx(-x / ROOT2) if x < -5 else density / _ndtr(x)


def _ndtr(x: float) -> float:
    return math.erfc(-x / ROOT2) / 2


def _log_expit(x: float) -> float:
    return -math.log1p(math.exp(-x)) if x > -30 else x


def _entr(x: float) -> float:
    return -INF if x < 0 else -math.log(x) * x if x else 0.0


def _rel_entr(a: float, b: float) -> float:
    if a > 0 and b > 0:
        return a * (math.log(a) - math.log(b))
    return 0.0 if a == 0 and b >= 0 else INF


ROWS: list[OpSamples] = [
    _function(
        "erf",
        math.erf,
        at("edge: flat on both sides", np.array([-7.0, 0.0, 7.0])),
        at("edge: tiny, huge", np.array([1e-300, -0.0, -1e300, INF]), smooth=False),
    ),
    _function(
        "erfc",
        math.erfc,
        at("edge: flat on both sides", np.array([-7.0, 0.0, 7.0])),
        at("edge: huge", np.array([-1e300, 1e300, INF]), smooth=False),
    ),
    _function(
        "erfcx",
        _erfcx,
        at("edge: both sides of 0 and 1", np.array([-1e-9, 1e-9, 0.999, 1.001])),
        at("edge: far out", np.array([4.5, 1e8, INF]), smooth=False),
    ),
    row(
        "laplace_fraction",
        at("0-d", 0.7, order=1),
        at("axes", between(0, 3, 2, 3), order=2),
        at("edge: both forms", np.array([0.0, 0.99, 1.01]), order=1),
        at("edge: negative", np.array([-2.0, -0.5]), order=2),
        reference=lambda x, order: each(lambda v: _fraction(v, order))(x),
        errors=Fails(
            lambda: error.laplace_fraction(np.array(["word"]), order=1), DtypeError, "laplace_fraction: .*<U4"
        ),
    ),
    _function(
        "erfinv",
        lambda x: NormalDist().inv_cdf((1 + x) / 2) / ROOT2,
        at("edge: small, from one form to the next", np.array([1e-9, 0.0, 0.62, -0.64])),
        at("edge: near the ends", np.array([0.999, -0.99999]), smooth=False),
        a=lambda *shape, seed=0: between(-0.8, 0.8, *shape, seed=seed),
    ),
    _function(
        "erfcinv",
        _erfcinv,
        at("edge: from one form to the next", np.array([0.36, 0.38, 1.0, 1.64])),
        at("edge: near the ends", np.array([1e-9, 1e-300, 1.999]), smooth=False),
        a=_pos,
    ),
    _function(
        "ndtr",
        _ndtr,
        at("edge: flat on both sides", np.array([-9.0, 0.0, 9.0])),
        at("edge: huge", np.array([-1e300, 1e300, -INF]), smooth=False),
    ),
    _function(
        "log_ndtr",
        _log_ndtr,
        at("edge: both sides of 0, flat", np.array([-1e-9, 1e-9, 9.0])),
        at("edge: far out", np.array([-1e10, 50.0, INF]), smooth=False),
    ),
    _function(
        "ndtri",
        NormalDist().inv_cdf,
        at("edge: from one form to the next", np.array([0.18, 0.19, 0.5, 0.82])),
        at("edge: near the ends", np.array([1e-9, 1e-300, 0.9999]), smooth=False),
        a=_part,
    ),
    _function(
        "ndtr_ratio",
        _ratio,
        at("edge: both sides of 0, flat", np.array([-1e-9, 1e-9, 9.0])),
        at("edge: far out", np.array([-1e10, 50.0, INF]), smooth=False),
    ),
    _function(
        "expit",
        lambda x: (1 + math.tanh(x / 2)) / 2,
        at("edge: flat on both sides", np.array([-40.0, 40.0, 0.0])),
        at("edge: infinities", np.array([-INF, INF, -1000.0]), smooth=False),
    ),
    _function(
        "logit",
        lambda x: 2 * math.atanh(2 * x - 1),
        at("edge: the middle", np.array([0.5, 0.5 + 1e-9, 0.24, 0.26])),
        at("edge: near the ends", np.array([1e-4, 0.999]), smooth=False),
        a=_part,
    ),
    _function(
        "log_expit",
        _log_expit,
        at("edge: both sides", np.array([-40.0, 40.0, 0.0])),
        at("edge: infinities", np.array([-INF, INF, -1000.0]), smooth=False),
    ),
    _function(
        "entr",
        _entr,
        at("edge: 1, large", np.array([1.0, 30.0, 1e-2]), complex_step=False),
        at("edge: outside, infinite", np.array([-1.0, -INF, INF]), smooth=False),
        a=_pos,
        kinks=(kink("0", np.array([0.0, 1.0]), gradients=(np.array([INF, -1.0]),)),),
    ),
    _function2(
        "rel_entr",
        _rel_entr,
        at("edge: nearly equal", np.array([1.0, 2.0]), np.array([1.0 + 1e-9, 2.0])),
        at("edge: outside", np.array([-1.0, 1.0, 0.0]), np.array([1.0, -1.0, -1.0]), smooth=False),
        a=_pos,
        b=_pos,
        kinks=(
            kink(
                "a = 0",
                np.array([0.0, 0.0]),
                np.array([2.0, 0.0]),
                gradients=(np.array([-INF, NAN]), np.zeros(2)),
            ),
        ),
    ),
    _function2(
        "xlogy",
        lambda a, b: a * math.log(b) if a else 0.0,
        at("edge: b near 1", np.array([2.0, -3.0]), np.array([1.0, 1.0 + 1e-9])),
        at("edge: a = 0", np.zeros(3), np.array([0.0, -1.0, INF]), smooth=False),
        a=spread,
        b=_pos,
        kinks=(
            kink(
                "a = 0",
                np.array([0.0, 0.0]),
                np.array([2.0, 0.0]),
                gradients=(np.array([math.log(2), -INF]), np.zeros(2)),
            ),
        ),
    ),
    _function2(
        "xlog1py",
        lambda a, b: a * math.log1p(b) if a else 0.0,
        at("edge: b near 0", np.array([2.0, -3.0]), np.array([0.0, 1e-9])),
        at("edge: a = 0", np.zeros(3), np.array([-1.0, -2.0, INF]), smooth=False),
        a=spread,
        b=_pos,
        kinks=(
            kink(
                "a = 0",
                np.array([0.0, 0.0]),
                np.array([1.0, -1.0]),
                gradients=(np.array([math.log(2), -INF]), np.zeros(2)),
            ),
        ),
    ),
]

COMPOSED: list[OpSamples] = []
