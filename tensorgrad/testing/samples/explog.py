"""Rows of the exponentials, logarithms and roots."""

from __future__ import annotations

import cmath
import math
from typing import Any

import numpy as np

from ... import ops
from ..._errors import DtypeError, ShapeError
from .elementwise import broadcasting, misfit, not_numbers, simple
from .row import Fails, OpSamples, at, between, complex_normal, each, kink, row, spread

INF, NAN = math.inf, math.nan


def real_only(name: str, inputs: int = 1) -> Fails:
    """A call with complex numbers of an op for real ones."""
    op = getattr(ops, name)
    return Fails(lambda: op(*[np.array([1j])] * inputs), DtypeError, f"{name}: .*complex128")


def _pos(*shape: int, seed: int = 0) -> Any:
    return between(0.5, 2, *shape, seed=seed)


def _of(real: Any, complex_: Any) -> Any:
    return each(lambda x: complex_(x) if isinstance(x, complex) else real(x))


def _log1p_of_complex(x: complex) -> complex:
    return cmath.log(1 + x) if abs(x) > 1e-5 else x * (1 - x * (1 / 2 - x / 3))


def _log_sum(base: float) -> Any:
    def f(a: float, b: float) -> float:
        high, low = max(a, b), min(a, b)
        if math.isinf(high) or low == -INF:
            return high
        return high + math.log1p(base ** (low - high)) / math.log(base)

    return each(f)


def _reciprocal_root(x: Any) -> Any:
    return math.pow(x, -0.5) if isinstance(x, float) else 1 / cmath.sqrt(x)


BOTH_EMPTY = kink(
    "both -inf", np.array([-INF, -INF]), np.array([-INF, 0.0]), gradients=(np.zeros(2), np.array([0.0, 1.0]))
)

ROWS: list[OpSamples] = [
    row(
        "exp2",
        *simple(),
        at("edge: nearly over- and underflow", np.array([1023.0, -1074.0, -INF]), smooth=False),
        at("complex", complex_normal(3)),
        reference=_of(math.exp2, lambda x: cmath.exp(x * math.log(2))),
        errors=not_numbers("exp2"),
        numpy=np.exp2,
    ),
    row(
        "expm1",
        *simple(),
        at("edge: near 0, far below", np.array([1e-12, -1e-300, -40.0])),
        at("complex", complex_normal(3)),
        reference=_of(math.expm1, lambda x: cmath.exp(x) - 1),
        errors=not_numbers("expm1"),
        numpy=np.expm1,
    ),
    row(
        "log1p",
        *simple(_pos),
        at("edge: near 0", np.array([1e-12, -1e-300, 0.0])),
        at("edge: near -1, huge", np.array([-1 + 1e-16, 1e308, INF]), smooth=False),
        at("complex", complex_normal(3)),
        at("edge: complex, near 0", np.array([1e-9 + 2e-10j, -1e-200j, 0.0]), smooth=False),
        reference=_of(math.log1p, _log1p_of_complex),
        errors=not_numbers("log1p"),
        numpy=np.log1p,
    ),
    row(
        "log2",
        *simple(_pos),
        at("edge: tiny, huge", np.array([5e-324, 1e308, INF]), smooth=False),
        at("complex", complex_normal(3)),
        reference=_of(math.log2, lambda x: cmath.log(x) / math.log(2)),
        errors=not_numbers("log2"),
        numpy=np.log2,
    ),
    row(
        "log10",
        *simple(_pos),
        at("edge: tiny, huge", np.array([5e-324, 1e308, INF]), smooth=False),
        at("complex", complex_normal(3)),
        reference=_of(math.log10, cmath.log10),
        errors=not_numbers("log10"),
        numpy=np.log10,
    ),
    *[
        row(
            name,
            *broadcasting(),
            at("edge: far apart, large", np.array([500.0, -500.0, 1e4]), np.array([-500.0, 500.0, 1e4])),
            at("edge: infinities", np.array([INF, -INF, -INF]), np.array([0.0, 2.0, -INF]), smooth=False),
            reference=_log_sum(base),
            errors=(misfit(name), real_only(name, 2)),
            numpy=numpy,
            kinks=(BOTH_EMPTY,),
        )
        for name, base, numpy in (("logaddexp", math.e, np.logaddexp), ("logaddexp2", 2.0, np.logaddexp2))
    ],
    row(
        "cbrt",
        *simple(spread),
        at("edge: large, negative", np.array([1e6, -30.0])),
        at("edge: tiny, huge, signed zero", np.array([5e-324, -1e308, -0.0, INF]), smooth=False),
        reference=each(math.cbrt),
        errors=(not_numbers("cbrt"), real_only("cbrt")),
        numpy=np.cbrt,
        kinks=(kink("0", np.array([0.0, -8.0]), gradients=(np.array([INF, 1 / 12]),)),),
    ),
    row(
        "reciprocal",
        *simple(_pos),
        at("edge: negative, large", np.array([-2.0, 1e6])),
        at("edge: infinity", np.array([-INF, INF]), smooth=False),
        at("complex", complex_normal(3)),
        reference=each(lambda x: x**-1),
        errors=not_numbers("reciprocal"),
        numpy=np.reciprocal,
    ),
    row(
        "rsqrt",
        *simple(_pos),
        at("edge: large", np.array([1e6, 4.0])),
        at("edge: huge, infinity", np.array([1e300, INF]), smooth=False),
        at("complex", complex_normal(3)),
        reference=each(_reciprocal_root),
        errors=not_numbers("rsqrt"),
        numpy=lambda x: 1 / np.sqrt(x),
    ),
    row(
        "hypot",
        *broadcasting(a=spread),
        at("edge: one is 0", np.array([0.0, 3.0]), np.array([-2.0, 0.0])),
        at(
            "edge: no overflow", np.array([1e300, -1e-300, INF]), np.array([1e300, 1e-300, 1.0]), smooth=False
        ),
        reference=each(math.hypot),
        errors=(misfit("hypot"), real_only("hypot", 2)),
        numpy=np.hypot,
        kinks=(
            kink(
                "(0, 0)",
                np.array([0.0, 3.0]),
                np.array([0.0, -4.0]),
                gradients=(np.array([0.0, 0.6]), np.array([0.0, -0.8])),
            ),
        ),
    ),
]

COMPOSED: list[OpSamples] = [
    row(
        "float_power",
        *broadcasting(a=_pos),
        at("edge: integers", np.array([2, -3, 0]), np.array([-1, 3, 0])),
        at("edge: negative base", np.array([-2.0, -1.5]), np.array([2.0, 3.0]), wrt=(0,)),
        at("complex", complex_normal(3), np.array([2.0, 0.5, -1.0])),
        reference=each(lambda a, b: a**b),
        errors=Fails(
            lambda: ops.float_power(np.ones(2), np.ones(3)), ShapeError, "power: .* do not broadcast"
        ),
        numpy=np.float_power,
        op=ops.float_power,
        keeps_dtype=False,
    ),
]
