"""Rows of the elementwise ops."""

from __future__ import annotations

import cmath
import math
from typing import Any

import numpy as np

from ... import ops
from ..._errors import DtypeError, ShapeError
from .row import Fails, OpSamples, Sample, at, between, complex_normal, each, kink, normal, row, spread

INF, NAN = math.inf, math.nan


def broadcasting(a: Any = normal, b: Any = normal) -> tuple[Sample, ...]:
    """What every op of two inputs is tried at."""
    return (
        at("0-d", a(), b(seed=1)),
        at("0-d with axes", a(), b(2, 3)),
        at("axes", a(2, 3), b(2, 3, seed=1)),
        at("broadcast (2,1,3) (4,1)", a(2, 1, 3), b(4, 1, seed=1)),
        at("empty", a(0, 3), b(3, seed=1)),
    )


def simple(a: Any = normal) -> tuple[Sample, ...]:
    """What every op of one input is tried at."""
    return at("0-d", a()), at("size 1", a(1, 1)), at("axes", a(2, 3)), at("empty", a(3, 0))


def misfit(name: str) -> Fails:
    """A call with shapes that do not broadcast."""
    op = getattr(ops, name)
    return Fails(
        lambda: op(np.ones(2), np.ones((2, 3))),
        ShapeError,
        rf"{name}: a \(2,\) and b \(2, 3\) do not broadcast",
    )


def not_numbers(name: str, op: Any = None) -> Fails:
    """A call with text for numbers."""
    return Fails(lambda: (op or getattr(ops, name))(np.array(["word"])), DtypeError, rf"{name}: .*<U4")


def _pos(*shape: int, seed: int = 0) -> Any:
    return between(0.5, 2, *shape, seed=seed)


def _real_or_complex(name: str) -> Any:
    return each(lambda x: getattr(cmath if isinstance(x, complex) else math, name)(x))


def _power(a: float, b: float) -> float:
    return 1.0 if b == 0 else a**b if not isinstance(a, float) or a >= 0 else math.pow(a, b)


def _sigmoid(x: Any) -> Any:
    if isinstance(x, complex):
        return 1 / (1 + cmath.exp(-x)) if x.real > -700 else cmath.exp(x)
    return 1 / (1 + math.exp(-x)) if x > -700 else math.exp(x)


def _larger(a: float, b: float) -> float:
    return NAN if a != a or b != b else a if a > b else b


def _signed(x: Any) -> Any:
    if isinstance(x, complex):
        return x / abs(x) if x else 0
    return x if x != x else math.copysign(1.0, x) if x else 0.0


ARITHMETIC = [
    row(
        "add",
        *broadcasting(),
        at("edge: infinities", np.array([INF, 1e308, -0.0]), np.array([1.0, -1e308, -0.0]), smooth=False),
        at("complex", complex_normal(3), complex_normal(2, 1, seed=1)),
        reference=each(lambda a, b: math.fsum([a, b]) if isinstance(a, float) else a + b),
        errors=misfit("add"),
        numpy=np.add,
    ),
    row(
        "subtract",
        *broadcasting(),
        at("edge: equal, signed zeros", np.array([2.5, 0.0, -0.0]), np.array([2.5, -0.0, 0.0])),
        at("complex", complex_normal(3), complex_normal(2, 1, seed=1)),
        reference=each(lambda a, b: math.fsum([a, -b]) if isinstance(a, float) else a - b),
        errors=misfit("subtract"),
        numpy=np.subtract,
    ),
    row(
        "multiply",
        *broadcasting(),
        at("edge: zeros", np.array([0.0, -0.0, 3.0]), np.array([2.0, 5.0, 0.0])),
        at("complex", complex_normal(3), complex_normal(2, 1, seed=1)),
        reference=each(lambda a, b: math.prod([a, b])),
        errors=misfit("multiply"),
        numpy=np.multiply,
    ),
    row(
        "divide",
        *broadcasting(b=_pos),
        at("edge: 0 above, small below", np.array([0.0, 1.0]), np.array([-2.0, 0.1])),
        at("edge: infinities", np.array([INF, 1.0]), np.array([2.0, -INF]), smooth=False),
        at("complex", complex_normal(3), complex_normal(2, 1, seed=1)),
        reference=each(lambda a, b: a * b**-1),
        errors=misfit("divide"),
        numpy=np.divide,
    ),
    row(
        "power",
        *broadcasting(a=_pos),
        at("edge: negative base", np.array([-2.0, -1.5]), np.array([2.0, 3.0]), wrt=(0,), complex_step=False),
        at("edge: exponents 0, 1, 2", np.array([0.5, 0.5, 0.5, 3.0]), np.array([0.0, 1.0, 2.0, -1.0])),
        reference=each(_power),
        errors=misfit("power"),
        numpy=np.power,
        kinks=(
            kink(
                "0**0, 0**1, 0**2, 0**3",
                np.zeros(4),
                np.array([0.0, 1.0, 2.0, 3.0]),
                gradients=(np.array([0.0, 1.0, 0.0, 0.0]), np.zeros(4)),
            ),
            kink("0**0.5", 0.0, 0.5, gradients=(INF, 0.0)),
        ),
    ),
    row(
        "negative",
        *simple(),
        at("edge: signed zeros, infinity", np.array([0.0, -0.0, INF]), smooth=False),
        at("complex", complex_normal(3)),
        reference=each(lambda x: -x),
        errors=not_numbers("negative"),
        numpy=np.negative,
    ),
    row(
        "positive",
        *simple(),
        at("edge: signed zeros, NaN", np.array([0.0, -0.0, NAN]), smooth=False),
        reference=each(lambda x: x),
        errors=not_numbers("positive"),
        numpy=np.positive,
    ),
    row(
        "square",
        *simple(),
        at("edge: 0, large", np.array([0.0, 30.0])),
        at("complex", complex_normal(3)),
        reference=each(lambda x: x**2),
        errors=Fails(lambda: ops.square(np.array(["word"])), DtypeError, "square: .*<U4"),
        numpy=np.square,
    ),
]

FUNCTIONS = [
    row(
        "exp",
        *simple(),
        at("edge: nearly over- and underflow", np.array([709.0, -745.0, -INF]), smooth=False),
        at("complex", complex_normal(3)),
        reference=_real_or_complex("exp"),
        errors=not_numbers("exp"),
        numpy=np.exp,
    ),
    row(
        "log",
        *simple(_pos),
        at("edge: tiny, huge", np.array([5e-324, 1e308, INF]), smooth=False),
        at("complex", complex_normal(3)),
        reference=_real_or_complex("log"),
        errors=not_numbers("log"),
        numpy=np.log,
    ),
    row(
        "sqrt",
        *simple(_pos),
        at("edge: 0, huge", np.array([0.0, 1e308, INF]), smooth=False),
        reference=each(lambda x: x**0.5),
        errors=not_numbers("sqrt"),
        numpy=np.sqrt,
        kinks=(kink("0", np.array([0.0, 4.0]), gradients=(np.array([INF, 0.25]),)),),
    ),
    row(
        "sin",
        *simple(),
        at("edge: 0, a quarter turn, many turns", np.array([0.0, math.pi / 2, 100.0])),
        at("complex", complex_normal(3)),
        reference=_real_or_complex("sin"),
        errors=not_numbers("sin"),
        numpy=np.sin,
    ),
    row(
        "cos",
        *simple(),
        at("edge: 0, a quarter turn, many turns", np.array([0.0, math.pi / 2, 100.0])),
        reference=_real_or_complex("cos"),
        errors=not_numbers("cos"),
        numpy=np.cos,
    ),
    row(
        "tanh",
        *simple(),
        at("edge: flat on both sides", np.array([-30.0, 30.0, 0.0])),
        at("edge: infinities", np.array([-INF, INF, 1e4]), smooth=False),
        reference=_real_or_complex("tanh"),
        errors=not_numbers("tanh"),
        numpy=np.tanh,
    ),
    row(
        "sigmoid",
        *simple(),
        at("edge: flat on both sides", np.array([-40.0, 40.0, 0.0])),
        at("edge: infinities", np.array([-INF, INF, -1000.0]), smooth=False),
        at("complex", complex_normal(3)),
        at("edge: complex, far out", np.array([-400 + 1j, 800 - 1j, -30 + 2j])),
        reference=each(_sigmoid),
        errors=not_numbers("sigmoid"),
    ),
]

PIECES = [
    row(
        "abs",
        *simple(spread),
        at("edge: infinity, NaN", np.array([-INF, NAN, -0.0]), smooth=False),
        at("complex", complex_normal(3)),
        reference=each(lambda x: math.hypot(x.real, x.imag), np.float64),
        errors=not_numbers("abs"),
        numpy=np.abs,
        kinks=(kink("0", np.array([-2.0, 0.0, -0.0, 2.0]), gradients=(np.array([-1.0, 0.0, 0.0, 1.0]),)),),
    ),
    row(
        "maximum",
        *broadcasting(),
        at("edge: NaN wins", np.array([NAN, 1.0, INF]), np.array([1.0, NAN, 0.0]), smooth=False),
        reference=each(_larger),
        errors=misfit("maximum"),
        numpy=np.maximum,
        kinks=(
            kink(
                "equal",
                np.array([1.0, 2.0, 3.0]),
                np.array([1.0, 5.0, 0.0]),
                gradients=(np.array([0.5, 0.0, 1.0]), np.array([0.5, 1.0, 0.0])),
            ),
        ),
    ),
    row(
        "minimum",
        *broadcasting(),
        at("edge: NaN wins", np.array([NAN, 1.0, INF]), np.array([1.0, NAN, 0.0]), smooth=False),
        reference=each(lambda a, b: -_larger(-a, -b)),
        errors=misfit("minimum"),
        numpy=np.minimum,
        kinks=(
            kink(
                "equal",
                np.array([1.0, 2.0, 3.0]),
                np.array([1.0, 5.0, 0.0]),
                gradients=(np.array([0.5, 1.0, 0.0]), np.array([0.5, 0.0, 1.0])),
            ),
        ),
    ),
    row(
        "relu",
        *simple(spread),
        at("edge: infinities", np.array([-INF, INF, -0.0]), smooth=False),
        reference=each(lambda x: x if x > 0 else 0.0),
        errors=not_numbers("relu"),
        numpy=lambda x: np.maximum(x, np.zeros((), x.dtype)),
        kinks=(kink("0", np.array([-2.0, 0.0, 2.0]), gradients=(np.array([0.0, 0.0, 1.0]),)),),
    ),
    row(
        "where",
        at("0-d", np.array(True), 1.5, -2.0),
        at("axes", np.array([[True, False], [False, True]]), normal(2, 2), normal(2, 2, seed=1)),
        at("broadcast (2,1) (3,) ()", np.array([[True], [False]]), normal(3), normal()),
        at("empty", np.ones((0, 2), bool), normal(0, 2), normal(2)),
        at(
            "edge: NaN and infinity not taken",
            np.array([True, False]),
            np.array([1.0, NAN]),
            np.array([INF, 2.0]),
            smooth=False,
        ),
        reference=each(lambda c, a, b: a if c else b),
        errors=Fails(
            lambda: ops.where(np.array([True, False]), np.ones(3), np.ones(3)),
            ShapeError,
            r"where: condition \(2,\) and a \(3,\) and b \(3,\) do not broadcast",
        ),
        numpy=np.where,
    ),
    row(
        "sign",
        *simple(spread),
        at("edge: zeros, infinity, NaN", np.array([0.0, -0.0, -INF, NAN]), smooth=False),
        reference=each(_signed),
        errors=not_numbers("sign"),
        numpy=np.sign,
    ),
    row(
        "direction",
        at("0-d", 3.0 + 4.0j),
        at("axes", complex_normal(2, 3)),
        at("edge: 0, tiny, large", np.array([0j, 3e-30 + 4e-30j, 3e30 - 4e30j]), smooth=False),
        reference=each(_signed),
        errors=not_numbers("direction", ops.elementwise.direction),
    ),
    row(
        "wins",
        *broadcasting(),
        at("edge: equal, NaN", np.array([1.0, NAN, 2.0]), np.array([1.0, 1.0, NAN]), smooth=False),
        reference=each(lambda a, b: 1.0 if a > b else 0.5 if a == b else 0.0),
        errors=Fails(
            lambda: ops.elementwise.wins(np.ones(2), np.ones(3)), ShapeError, r"wins: a \(2,\) and b \(3,\)"
        ),
    ),
]

ROWS: list[OpSamples] = [*ARITHMETIC, *FUNCTIONS, *PIECES]
