"""Rows of comparisons, logic and positions: ops without derivatives."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from ... import ops
from ..._errors import DtypeError, ShapeError
from .row import Fails, OpSamples, at, each, normal, over_axes, row, rows_along, spread

NAN, INF = math.nan, math.inf


def _pairs(name: str, f: Callable[[Any, Any], Any], ufunc: Any) -> OpSamples:
    """A row of an op that compares two inputs."""
    few = np.array([0.0, 1.0, 2.0, 1.0])
    return row(
        name,
        at("0-d", 1.0, 1.0),
        at("0-d with axes", 1.0, few),
        at("broadcast (4,) (3,1)", few, np.array([[0.0], [1.0], [3.0]])),
        at("empty", np.zeros((0, 2)), few[:2]),
        at("edge: NaN, infinities, signed zeros", np.array([NAN, INF, -0.0]), np.array([NAN, INF, 0.0])),
        reference=each(f, bool),
        errors=Fails(
            lambda: getattr(ops, name)(np.ones(2), np.ones(3)), ShapeError, rf"{name}: a \(2,\) and b \(3,\)"
        ),
        numpy=ufunc,
    )


def _position(name: str, better: Callable[[Any, Any], bool], function: Any) -> OpSamples:
    """A row of argmax or argmin: the first of the best, where a NaN beats everything."""

    def of(values: list[float]) -> int:
        best = 0
        for i, value in enumerate(values):
            if values[best] == values[best] and (value != value or better(value, values[best])):
                best = i
        return best

    op = getattr(ops, name)
    return row(
        name,
        at("0-d", 1.5),
        at("0-d, along an axis", 2.5, axis=-1),
        at("size 1", np.array([[2.0]]), axis=0),
        at("axes", spread(2, 3), axis=1),
        at("axes, kept", spread(2, 3, 2), axis=-2, keepdims=True),
        at("axes, all", spread(2, 3)),
        at("empty", np.zeros((0, 3)), axis=1),
        at("edge: ties and NaN", np.array([[1.0, 1.0, 0.0], [0.0, NAN, NAN], [0.0, 0.0, 2.0]]), axis=1),
        reference=over_axes(of, np.int64),
        errors=(
            Fails(
                lambda: op(np.ones((2, 3)), axis=2), ShapeError, rf"{name}: x \(2, 3\), axis=2.*out of bounds"
            ),
            Fails(lambda: op(np.ones(0)), ShapeError, rf"{name}: x \(0,\).*empty"),
        ),
        numpy=function,
    )


def _isclose(a: Any, b: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> Any:
    def near(u: float, v: float) -> bool:
        if u != u or v != v:
            return equal_nan and u != u and v != v
        return u == v or (abs(v) < INF and abs(u - v) <= atol + rtol * abs(v))

    return each(near, bool)(a, b)


def _ragged(name: str) -> Fails:
    return Fails(lambda: getattr(ops, name)([[1.0], [1.0, 2.0]], 1.0), DtypeError, f"{name}: ")


def _argsort(x: Any, axis: int | None = -1, descending: bool = False, stable: bool = True) -> Any:
    x, axis = (x.ravel(), 0) if axis is None else (x, axis)
    out = np.zeros(x.shape, np.int64)
    for place, values in rows_along(x, axis):
        # A stable sort; NaN counts as larger than everything.
        key = lambda i, values=values: (values[i] != values[i], values[i] if values[i] == values[i] else 0.0)
        sign = -1 if descending else 1
        order = sorted(range(len(values)), key=lambda i, key=key: tuple(sign * part for part in key(i)))  # type: ignore[misc]
        out[place] = order
    return out


def _truth(name: str, f: Callable[[list[Any]], bool], function: Any) -> OpSamples:
    op = getattr(ops, name)
    mixed = np.array([[True, False, True], [True, True, True], [False, False, False]])
    return row(
        name,
        at("0-d", np.array(True)),
        at("0-d, along an axis", np.array(True), axis=-1),
        at("size 1", np.array([[0.0]]), axis=(0, 1)),
        at("axes", mixed, axis=1),
        at("axes, kept", np.stack([mixed, ~mixed]), axis=(0, 2), keepdims=True),
        at("edge: empty", np.zeros((0, 2), bool), axis=0),
        at("edge: NaN is true", np.array([NAN, 0.0])),
        reference=over_axes(f, bool),
        errors=Fails(lambda: op(np.ones(2), axis=1), ShapeError, rf"{name}: x \(2,\), axis=1"),
        numpy=function,
    )


ROWS: list[OpSamples] = [
    _pairs("equal", operator.eq, np.equal),
    _pairs("not_equal", operator.ne, np.not_equal),
    _pairs("less", operator.lt, np.less),
    _pairs("less_equal", operator.le, np.less_equal),
    _pairs("greater", operator.gt, np.greater),
    _pairs("greater_equal", operator.ge, np.greater_equal),
    _pairs("logical_and", lambda a, b: bool(a) and bool(b), np.logical_and),
    _pairs("logical_or", lambda a, b: bool(a) or bool(b), np.logical_or),
    row(
        "logical_not",
        at("0-d", np.array(True)),
        at("axes", np.array([[0.0, 1.5], [-2.0, 0.0]])),
        at("empty", np.zeros((0, 2))),
        at("edge: NaN, signed zero", np.array([NAN, -0.0])),
        reference=each(operator.not_, bool),
        errors=Fails(lambda: ops.logical_not(np.zeros(2, "M8[s]")), DtypeError, "logical_not: .*datetime"),
        numpy=np.logical_not,
    ),
    row(
        "isfinite",
        at("0-d", 1.0),
        at("axes", normal(2, 3)),
        at("empty", np.zeros((0, 2))),
        at("edge: NaN, infinities, huge", np.array([NAN, INF, -INF, 1e308])),
        reference=each(math.isfinite, bool),
        errors=Fails(lambda: ops.isfinite(np.array(["word"])), DtypeError, "isfinite: .*<U4"),
        numpy=np.isfinite,
    ),
    row(
        "isclose",
        at("0-d", 1.0, 1.000001),
        at("broadcast", np.array([1.0, 2.0, 0.0]), np.array([[1.000001], [2.1]])),
        at("axes, no tolerance", np.array([1.0, 2.0]), np.array([1.0, 2.5]), rtol=0.0, atol=0.0),
        at("axes, coarse", np.array([1.0, 2.0]), np.array([1.5, 3.5]), rtol=0.0, atol=1.0),
        at("edge: NaN, infinities", np.array([NAN, INF, INF]), np.array([NAN, INF, -INF])),
        at("edge: NaN equal", np.array([NAN, 1.0]), np.array([NAN, NAN]), equal_nan=True),
        at("edge: 0", np.array([0.0, 0.0]), np.array([0.9e-8, 1.2e-8])),
        reference=_isclose,
        errors=Fails(
            lambda: ops.isclose(np.ones(2), np.ones(3)), ShapeError, r"isclose: a \(2,\) and b \(3,\)"
        ),
        numpy=np.isclose,
    ),
    _position("argmax", operator.gt, np.argmax),
    _position("argmin", operator.lt, np.argmin),
    row(
        "argsort",
        at("size 1", np.array([2.0])),
        at("axes", spread(3, 4), axis=0),
        at("axes, descending", spread(2, 3, 2), axis=-2, descending=True),
        at("empty", np.zeros((0, 3)), axis=0),
        at("edge: ties keep their order", np.array([1.0, 0.0, 1.0, 0.0])),
        at("edge: ties keep their order, descending", np.array([1.0, 0.0, 1.0, 0.0]), descending=True),
        at("edge: NaN last", np.array([NAN, 0.0, INF, NAN])),
        at("edge: all in one row, descending", spread(2, 3), axis=None, descending=True),
        at("edge: need not be stable", np.array([1.0, 0.0, 1.0]), stable=False),
        reference=_argsort,
        errors=Fails(
            lambda: ops.argsort(np.ones((2, 3)), axis=2), ShapeError, r"argsort: x \(2, 3\), axis=2"
        ),
    ),
    _truth("any", any, np.any),
    _truth("all", all, np.all),
]

COMPOSED: list[OpSamples] = [
    row(
        "logical_xor",
        at("0-d", 1.0, 0.0),
        at("broadcast", np.array([0.0, 1.5, -2.0]), np.array([[0.0], [3.0]])),
        at("edge: NaN, signed zero", np.array([NAN, -0.0]), np.array([0.0, 0.0])),
        reference=each(lambda a, b: bool(a) != bool(b), bool),
        errors=Fails(
            lambda: ops.logical_xor(np.ones(2), np.ones(3)), ShapeError, "not_equal: .* do not broadcast"
        ),
        numpy=np.logical_xor,
        op=ops.logical_xor,
    ),
    row(
        "allclose",
        at("0-d", 1.0, 1.000001),
        at("broadcast", np.array([1.0, 1.0]), np.array([[1.0], [1.000001]])),
        at("axes, one apart", np.array([1.0, 2.0]), np.array([1.0, 2.1])),
        at("edge: nothing", np.zeros(0), np.zeros(0)),
        reference=lambda a, b, **params: np.bool_(_isclose(a, b, **params).all()),
        errors=Fails(
            lambda: ops.allclose(np.ones(2), np.ones(3)), ShapeError, "isclose: .* do not broadcast"
        ),
        op=ops.allclose,
    ),
    row(
        "array_equal",
        at("0-d", 1.0, 1.0),
        at("axes", np.array([[1.0, 2.0]]), np.array([[1.0, 2.0]])),
        at("axes, one differs", np.array([1.0, 2.0]), np.array([1.0, 3.0])),
        at("axes, another shape", np.ones(2), np.ones((1, 2))),
        at("edge: NaN", np.array([NAN, 1.0]), np.array([NAN, 1.0])),
        at("edge: NaN equal", np.array([NAN, 1.0]), np.array([NAN, 1.0]), equal_nan=True),
        reference=lambda a, b, **params: np.bool_(np.array_equal(a, b, **params)),
        errors=_ragged("array_equal"),
        op=ops.array_equal,
    ),
    row(
        "array_equiv",
        at("0-d", 1.0, 1.0),
        at("broadcast", np.array([1.0, 2.0]), np.array([[1.0, 2.0], [1.0, 2.0]])),
        at("axes, one differs", np.array([1.0, 2.0]), np.array([1.0, 3.0])),
        at("edge: do not broadcast", np.ones(2), np.ones(3)),
        reference=lambda a, b: np.bool_(np.array_equiv(a, b)),
        errors=_ragged("array_equiv"),
        op=ops.array_equiv,
    ),
    *[
        row(
            name,
            at("0-d", 1.0),
            at("axes", np.array([[1.0, 2j], [0j, 1 + 1j]])),
            at("edge: NaN, infinity", np.array([NAN, INF]), smooth=False),
            reference=each(lambda x, real=real: (complex(x).imag == 0) == real, bool),
            errors=Fails(partial(getattr(ops, name), ["word"]), DtypeError, "imag: .*"),
            numpy=getattr(np, name),
            op=getattr(ops, name),
        )
        for name, real in (("isreal", True), ("iscomplex", False))
    ],
]
