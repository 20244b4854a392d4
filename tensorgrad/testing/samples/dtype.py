"""Rows of changes of dtype, the parts of complex numbers, and random numbers."""

from __future__ import annotations

import cmath
import math
from typing import Any

import numpy as np

from ... import _random, ops
from ..._errors import DtypeError, ShapeError
from ...nn import functional
from ...ops import complexes
from ...ops import dtype as dtypes
from .row import Fails, Fresh, OpSamples, at, between, complex_normal, each, normal, row

SEED = 7


def _drawn(law: str, arguments: Any, size: Any, generator: Any, dtype: Any) -> Any:
    source = np.random.Generator(np.random.PCG64(SEED))
    drawn = source.permutation(*arguments) if law == "permutation" else getattr(source, law)(*arguments, size)
    return np.asarray(drawn, dtype)


def _truncated(x: Any, dtype: Any) -> Any:
    whole = [math.trunc(v) if dtype.kind != "b" else v != 0 for v in x.ravel().tolist()]
    return np.array(whole, dtype).reshape(x.shape)


def _draw(label: str, law: str, arguments: Any, size: Any, dtype: str = "float64") -> Any:
    generator = Fresh(lambda: np.random.default_rng(SEED))
    return at(label, law=law, arguments=arguments, size=size, generator=generator, dtype=np.dtype(dtype))


def _trials(label: str, n: Any, p: Any, shape: Any) -> Any:
    generator = Fresh(lambda: np.random.default_rng(SEED))
    return at(label, n, p, law="binomial", shape=shape, generator=generator, dtype=np.dtype(np.int64))


ROWS: list[OpSamples] = [
    row(
        "cast",
        at("0-d", 1.5, dtype=np.dtype("float64")),
        at("axes", np.array([[0.5, 1.25], [-2.0, 3.0]]), dtype=np.dtype("float64")),
        at("axes, narrower", np.array([[0.5, 1.25], [-2.0, 3.0]]), dtype=np.dtype("float32"), smooth=False),
        at("edge: rounds", np.array([1 / 3, 1e-9]), dtype=np.dtype("float16"), smooth=False),
        at("edge: becomes complex", normal(3), dtype=np.dtype("complex128")),
        at("empty", np.zeros((0, 2)), dtype=np.dtype("float32")),
        reference=lambda x, dtype: np.array(x.tolist(), dtype).reshape(x.shape),
        errors=Fails(lambda: dtypes.cast(np.array("word"), np.dtype("float64")), DtypeError, "cast: .*<U4"),
        keeps_dtype=False,
    ),
    row(
        "truncate",
        at("0-d", 1.5, dtype=np.dtype("int64")),
        at("axes", np.array([[0.5, 1.25], [-2.75, 3.0]]), dtype=np.dtype("int32")),
        at("edge: to truth", np.array([0.0, -0.0, 0.1]), dtype=np.dtype("bool")),
        reference=_truncated,
        errors=Fails(
            lambda: dtypes.truncate(np.array("word"), np.dtype("int64")), DtypeError, "truncate: .*<U4"
        ),
    ),
    row(
        "stop_gradient",
        at("0-d", 1.5),
        at("axes", normal(2, 3)),
        at("empty", np.zeros((0, 2))),
        at("edge: NaN", np.array([math.nan, -0.0])),
        reference=each(lambda x: x),
        errors=Fails(lambda: ops.stop_gradient("word"), DtypeError, "stop_gradient: .*<U4"),
        numpy=np.copy,
    ),
    row(
        "real",
        at("0-d", 1.5 - 2j),
        at("axes", complex_normal(2, 3)),
        at("edge: real already", normal(3)),
        reference=lambda x: np.array([v.real for v in x.ravel().tolist()]).reshape(x.shape),
        errors=Fails(lambda: ops.real("word"), DtypeError, "real: .*<U4"),
        numpy=np.real,
    ),
    row(
        "imag",
        at("0-d", 1.5 - 2j),
        at("axes", complex_normal(2, 3)),
        at("edge: real already", normal(3)),
        reference=lambda x: np.array([v.imag for v in x.ravel().tolist()]).reshape(x.shape),
        errors=Fails(lambda: ops.imag("word"), DtypeError, "imag: .*<U4"),
        numpy=np.imag,
    ),
    row(
        "conjugate",
        at("0-d", 1.5 - 2j),
        at("axes", complex_normal(2, 3)),
        at("edge: real already", normal(3)),
        reference=each(lambda x: x.conjugate()),
        errors=Fails(lambda: ops.conjugate(np.array(["word"])), DtypeError, "conjugate: .*<U4"),
        numpy=np.conjugate,
    ),
    row(
        "joined",
        at("size 1", normal(1, 2)),
        at("axes", normal(2, 3, 2)),
        at("edge: infinite", np.array([[1.0, math.inf], [math.inf, -0.0]]), smooth=False),
        reference=lambda x: np.array([complex(*v) for v in x.reshape(-1, 2).tolist()]).reshape(x.shape[:-1]),
        errors=Fails(lambda: complexes.joined(np.ones((2, 1))), IndexError, "joined: "),
    ),
    row(  # without inputs: only what is drawn can be looked at
        "random",
        _draw("0-d", "normal", (0.0, 1.0), ()),
        _draw("axes", "uniform", (-1.0, 2.0), (2, 3)),
        _draw("axes, integers", "integers", (0, 10), (2, 3), "int64"),
        _draw("axes, permutation", "permutation", (5,), (), "int64"),
        _draw("edge: empty", "normal", (0.0, 1.0), (0, 2)),
        reference=_drawn,
        errors=Fails(
            lambda: _random.randint(3, 3), ValueError, "randint: high 3 must be a number greater than low 3"
        ),
        keeps_dtype=False,
    ),
    row(  # what is always kept, or never
        "random_mask",
        at("0-d", keep=1.0, size=(), generator=None),
        at("axes", keep=0.0, size=(2, 3), generator=None),
        at("edge: empty", keep=0.5, size=(0, 2), generator=None),
        reference=lambda keep, size, generator: np.full(size, keep == 1),
        errors=Fails(
            lambda: functional.dropout(np.ones(2), 0.5, generator=1),  # type: ignore[arg-type]
            DtypeError,
            "generator: a int given",
        ),
        keeps_dtype=False,
    ),
    row(  # trials that always or never succeed: the draws do not depend on the noise
        "random_given",
        _trials("0-d", np.array(5), np.array(1), shape=()),
        _trials("broadcast", np.array([3, 4]), np.array([[1], [0]]), shape=(2, 2)),
        _trials("axes", np.array([[3, 4, 5]]), np.array([1, 0, 1]), shape=(2, 3)),
        _trials("edge: empty", np.zeros((0, 2), int), np.array([1, 0]), shape=(0, 2)),
        reference=lambda n, p, shape, **settings: np.broadcast_to(n * p, shape),
        errors=Fails(lambda: _random.normal(np.ones(2), np.ones(3)), ShapeError, r"normal: .*\(2,\), \(3,\)"),
        keeps_dtype=False,
    ),
]

COMPOSED = [
    row(
        "complex",
        at("0-d", 1.5, -2.0),
        at("broadcast", normal(2, 1), normal(3, seed=1)),
        at("edge: empty", np.zeros(0), np.zeros(0)),
        reference=each(lambda a, b: complex(a, b), complex),
        errors=Fails(
            lambda: ops.complex(1j, 1.0), DtypeError, "complex: real numbers are needed, not complex"
        ),
        op=ops.complex,
    ),
    row(
        "polar",
        at("0-d", 1.5, -2.0),
        at("broadcast", between(1, 2, 2, 1), normal(3, seed=1)),
        at("edge: 0", np.array([0.0]), np.array([1.0])),
        reference=each(cmath.rect, complex),
        errors=Fails(lambda: ops.polar(1j, 1.0), DtypeError, "polar: real numbers are needed, not complex"),
        op=ops.polar,
    ),
    row(
        "view_as_real",
        at("0-d", 1.5 - 2j),
        at("axes", complex_normal(2, 3)),
        at("edge: 0", np.zeros((1, 2), complex)),
        reference=lambda x: np.stack([x.real, x.imag], -1),
        errors=Fails(lambda: ops.view_as_real(np.ones(2)), DtypeError, "view_as_real: x has dtype float64"),
        op=ops.view_as_real,
    ),
    row(
        "view_as_complex",
        at("size 1", normal(1, 2)),
        at("axes", normal(2, 3, 2)),
        at("edge: 0", np.zeros((1, 2))),
        reference=lambda x: x[..., 0] + 1j * x[..., 1],
        errors=Fails(
            lambda: ops.view_as_complex(np.ones(3)), ShapeError, r"view_as_complex: x has shape \(3,\)"
        ),
        op=ops.view_as_complex,
    ),
    row(
        "astype",
        at("0-d", 1.5, dtype="complex128"),
        at("axes", normal(2, 3), dtype="float64"),
        at("edge: integers", np.array([1.75, -1.75]), dtype="int64", smooth=False),
        reference=lambda x, dtype: np.array([np.dtype(dtype).type(v) for v in x.flat], dtype).reshape(
            x.shape
        ),
        errors=Fails(lambda: ops.astype(np.ones(2), "no such"), TypeError, "no such"),
        op=lambda x, dtype: ops.astype(x, dtype),
        keeps_dtype=False,
    ),
]
