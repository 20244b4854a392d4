"""Rows of rounding, remainders, bounds and signs, NaN and infinities."""

from __future__ import annotations

import math
from fractions import Fraction
from functools import partial
from typing import Any

import numpy as np

from ... import ops
from ..._errors import DtypeError, ShapeError
from .elementwise import broadcasting, misfit, not_numbers, simple
from .explog import real_only
from .row import Fails, OpSamples, at, between, complex_normal, each, kink, normal, row, spread

INF, NAN = math.inf, math.nan
HALVES = np.array([-2.5, -1.5, -0.5, 0.5, 1.5, 2.0])


def _pos(*shape: int, seed: int = 0) -> Any:
    return between(0.5, 2, *shape, seed=seed)


def _floor_divide(a: float, b: float) -> float:
    return float(math.floor(Fraction(a) / Fraction(b)))


def _remainder(a: float, b: float) -> float:
    return float(Fraction(a) - math.floor(Fraction(a) / Fraction(b)) * Fraction(b))


def _round(x: Any, decimals: int = 0) -> Any:
    return each(lambda v: float(round(v, decimals)))(x)


def _least(x: float, low: float) -> float:
    return x if x != x else low if x < low else x


def _most(x: float, high: float) -> float:
    return x if x != x else high if x > high else x


def _clip(x: Any, min: Any = None, max: Any = None) -> Any:
    low = -INF if min is None else min
    high = INF if max is None else max
    return each(lambda v, a, b: _most(_least(v, a), b))(x, np.asarray(low), np.asarray(high))


def _fmax(a: float, b: float) -> float:
    return b if a != a else a if b != b or a >= b else b


def _fmin(a: float, b: float) -> float:
    return -_fmax(-a, -b)


def _heaviside(x: float, h: float) -> float:
    return NAN if x != x else 0.0 if x < 0 else 1.0 if x > 0 else h


def _nan_to_num(x: Any, nan: float = 0.0, posinf: Any = None, neginf: Any = None) -> Any:
    top = np.finfo(x.dtype).max.item()
    high, low = top if posinf is None else posinf, -top if neginf is None else neginf
    return each(lambda v: nan if v != v else high if v == INF else low if v == -INF else v)(x)


EDGES = at("edge: NaN, infinities", np.array([NAN, INF, -INF, 0.0]), smooth=False)

WHOLE = [
    row(
        name,
        *simple(),
        at("edge: halves, signed zero", np.append(HALVES, -0.0), smooth=False),
        reference=each(lambda x, f=f: float(f(x))),
        errors=(not_numbers(name), real_only(name)),
        numpy=numpy,
    )
    for name, f, numpy in (
        ("floor", math.floor, np.floor),
        ("ceil", math.ceil, np.ceil),
        ("trunc", math.trunc, np.trunc),
    )
]

DIVISION = [
    row(
        "round",
        *simple(),
        at("axes, decimals", normal(2, 3), decimals=2),
        at("edge: halves", HALVES, smooth=False),
        reference=_round,
        errors=not_numbers("round"),
        numpy=np.round,
    ),
    row(
        "floor_divide",
        *broadcasting(b=_pos),
        at("edge: exact, negative", np.array([6.0, -7.5, 7.5]), np.array([3.0, 2.0, -2.0]), smooth=False),
        reference=each(_floor_divide),
        errors=(misfit("floor_divide"), real_only("floor_divide", 2)),
        numpy=np.floor_divide,
    ),
    row(
        "remainder",
        *broadcasting(a=_pos, b=_pos),
        at("edge: negative", np.array([-7.5, 7.5, -7.5]), np.array([2.0, -2.0, -2.0])),
        reference=each(_remainder),
        errors=(misfit("remainder"), real_only("remainder", 2)),
        numpy=np.remainder,
        kinks=(kink("exact", np.array([6.0]), np.array([3.0]), gradients=(np.ones(1), np.array([-2.0]))),),
    ),
    row(
        "fmod",
        *broadcasting(a=_pos, b=_pos),
        at("edge: negative", np.array([-7.5, 7.5, -7.5]), np.array([2.0, -2.0, -2.0])),
        at("edge: just below a multiple", np.array([3 * 0.1]), np.array([0.1]), smooth=False),
        reference=each(math.fmod),
        errors=(misfit("fmod"), real_only("fmod", 2)),
        numpy=np.fmod,
        kinks=(
            kink(
                "exact, negative, large",
                np.array([6.0, -6.0, 1.0]),
                np.array([3.0, 4.0, INF]),
                gradients=(np.ones(3), np.array([-2.0, 1.0, 0.0])),
            ),
        ),
    ),
    row(
        "signbit",
        *simple(),
        at("edge: signed zeros, infinity", np.array([0.0, -0.0, -INF])),
        reference=each(lambda x: math.copysign(1.0, x) < 0, bool),
        errors=(not_numbers("signbit"), real_only("signbit")),
        numpy=np.signbit,
    ),
    row(
        "nextafter",
        *broadcasting(),
        at("edge: 0, itself, infinities", np.array([0.0, 2.0, INF, 1.0]), np.array([-1.0, 2.0, 0.0, NAN])),
        reference=each(math.nextafter),
        errors=(misfit("nextafter"), real_only("nextafter", 2)),
        numpy=np.nextafter,
    ),
]

DIVISION_COMPOSED = [
    row(
        "divmod",
        *broadcasting(a=_pos, b=_pos),
        at("edge: negative", np.array([-7.5, 7.5, -7.5]), np.array([2.0, -2.0, -2.0])),
        reference=lambda a, b: (each(_floor_divide)(a, b), each(_remainder)(a, b)),
        errors=Fails(
            lambda: ops.divmod(np.array([1j]), np.ones(1)), DtypeError, "floor_divide: .*complex128"
        ),
        numpy=np.divmod,
        op=ops.divmod,
    ),
    row(
        "modf",
        *simple(),
        at("edge: signed zeros", np.array([0.0, -0.0]), smooth=False),
        at("edge: infinities, NaN", np.array([INF, -INF, NAN]), smooth=False),
        reference=lambda x: (each(lambda v: math.modf(v)[0])(x), each(lambda v: math.modf(v)[1])(x)),
        errors=real_only("modf"),
        numpy=np.modf,
        op=ops.modf,
    ),
    row(
        "rint",
        *simple(),
        at("edge: halves", HALVES, smooth=False),
        reference=_round,
        errors=not_numbers("round"),
        numpy=np.rint,
        op=ops.rint,
    ),
    *[
        row(
            name,
            *simple(),
            EDGES,
            reference=each(lambda x, end=end: x == end, bool),
            errors=real_only(name),
            numpy=getattr(np, name),
            op=getattr(ops, name),
        )
        for name, end in (("isposinf", INF), ("isneginf", -INF))
    ],
]

BOUNDS = [
    row(
        name,
        *broadcasting(),
        at("edge: NaN, infinities", np.array([NAN, INF, -INF]), np.array([0.0, 1.0, 2.0]), smooth=False),
        reference=each(f),
        errors=Fails(
            partial(getattr(ops.rounding, name), np.ones(2), np.ones(3)),
            ShapeError,
            rf"{name}: x \(2,\) and .* \(3,\) do not broadcast",
        ),
        numpy=numpy,
        kinks=(kink("equal", np.array([1.0]), np.array([1.0]), gradients=(np.ones(1), np.zeros(1))),),
    )
    for name, f, numpy in (("at_least", _least, np.maximum), ("at_most", _most, np.minimum))
]

PAIRS = [
    *[
        row(
            name,
            *broadcasting(),
            at("edge: NaN loses", np.array([NAN, 1.0, INF]), np.array([1.0, NAN, 0.0]), smooth=False),
            reference=each(f),
            errors=misfit(name),
            numpy=numpy,
            kinks=(
                kink(
                    "equal, NaN",
                    np.array([1.0, NAN, 3.0]),
                    np.array([1.0, 5.0, NAN]),
                    gradients=(np.array([0.5, 0.0, 1.0]), np.array([0.5, 1.0, 0.0])),
                ),
            ),
        )
        for name, f, numpy in (
            ("fmax", _fmax, np.fmax),
            ("fmin", _fmin, np.fmin),
        )
    ],
    row(
        "copysign",
        *broadcasting(a=spread),
        at("edge: signed zeros", np.array([1.5, -2.5, 3.0]), np.array([-0.0, 0.0, -INF])),
        reference=each(math.copysign),
        errors=(misfit("copysign"), real_only("copysign", 2)),
        numpy=np.copysign,
    ),
    row(
        "heaviside",
        at("0-d", 0.0, 0.25),
        at("axes", np.array([[0.0, 1.5, -2.0]]), normal(2, 3)),
        at("empty", normal(0, 3), normal(3)),
        at("edge: zeros, infinities, NaN", np.array([-0.0, INF, NAN]), np.array([0.5, 2.0, 2.0]), smooth=False),
        reference=each(_heaviside),
        errors=(
            Fails(
                lambda: ops.heaviside(np.ones(2), np.ones(3)),
                ShapeError,
                r"heaviside: x \(2,\) and h \(3,\) do not broadcast",
            ),
            real_only("heaviside", 2),
        ),
        numpy=np.heaviside,
    ),
    row(
        "lerp",
        at("0-d", 1.5, -2.0, 0.25),
        at("axes", normal(2, 3), normal(2, 3, seed=1), between(0.1, 0.9, 2, 3)),
        at("broadcast (2,1) (3,) ()", normal(2, 1), normal(3), 0.75),
        at("edge: the ends and beyond", np.array([1.0, 2.0, 3.0, 4.0]), np.array([0.1, 7.0, 5.0, 1.0]),
           np.array([0.0, 1.0, -1.0, 2.0])),
        at("empty", normal(0, 2), normal(2), normal(2)),
        reference=each(lambda a, b, w: math.fsum([a, w * b, -w * a])),
        errors=Fails(
            lambda: ops.lerp(np.ones(2), np.ones(3), np.ones(3)),
            ShapeError,
            r"lerp: a \(2,\) and b \(3,\) and w \(3,\) do not broadcast",
        ),
    ),
]  # fmt: skip

SPECIAL = [
    *[
        row(
            name, *simple(), EDGES, reference=each(f, bool), errors=not_numbers(name), numpy=numpy
        )
        for name, f, numpy in (("isnan", math.isnan, np.isnan), ("isinf", math.isinf, np.isinf))
    ],
    row(
        "nan_to_num",
        *simple(),
        EDGES,
        at("edge: numbers given", np.array([NAN, INF, -INF, 1.0]), smooth=False, nan=-1.0, posinf=9.0, neginf=-9.0),
        reference=_nan_to_num,
        errors=not_numbers("nan_to_num"),
        numpy=np.nan_to_num,
        kinks=(
            kink("NaN, infinities", np.array([NAN, INF, -INF, 2.0]), gradients=(np.array([0.0, 0.0, 0.0, 1.0]),)),
        ),
    ),
]  # fmt: skip

ROWS: list[OpSamples] = [*WHOLE, *DIVISION, *BOUNDS, *PAIRS, *SPECIAL]

COMPOSED: list[OpSamples] = [
    row(
        "nan_to_num of parts",
        at("0-d", 1.5 - 2.0j),
        at("axes", complex_normal(2, 3)),
        at("edge: NaN, infinities", np.array([complex(NAN, 2.0), complex(-INF, INF), 1.0]), smooth=False, neginf=-9.0),
        reference=lambda x, **params: _nan_to_num(x.real, **params) + 1j * _nan_to_num(x.imag, **params),
        errors=not_numbers("nan_to_num"),
        op=ops.nan_to_num,
    ),
    row(
        "clip",
        at("0-d", 1.5, min=-1.0, max=1.0),
        at("axes", spread(2, 3), min=-0.5, max=0.5),
        at("axes, one bound", spread(2, 3), min=0.1),
        at("broadcast (2,3) (3,) (2,1)", 3 * normal(2, 3), normal(3) - 1.0, normal(2, 1) + 1.0),
        at("edge: NaN, bounds crossed", np.array([NAN, 5.0, -5.0]), np.array([0.0, 2.0, 2.0]), np.array([1.0, 1.0, 1.0]),
           smooth=False),
        at("edge: no bound", np.array([1.0, -2.0])),
        reference=_clip,
        errors=Fails(lambda: ops.clip(np.ones(2), np.ones(3)), ShapeError, r"at_least: x \(2,\) and low \(3,\)"),
        op=ops.clip,
        kinks=(
            kink("at the bounds", np.array([-2.0, -1.0, 0.0, 1.0, 2.0]), min=-1.0, max=1.0,
                 gradients=(np.array([0.0, 1.0, 1.0, 1.0, 0.0]),)),
        ),
    ),
    *DIVISION_COMPOSED,
]  # fmt: skip
