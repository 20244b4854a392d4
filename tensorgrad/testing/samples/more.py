"""Rows of distances, elements in other arrangements, and short formulas."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np

from ..._errors import IndexingError, ShapeError
from ...ops import distances, formulas, rearrange
from .row import Fails, OpSamples, at, complex_normal, kink, normal, row, spread


def _distance(p: float, differences: Any) -> Any:
    sizes = [abs(d) for d in differences]
    if p == math.inf:
        return max(sizes)
    return math.fsum([s**p for s in sizes]) ** (1 / p)


def _cdist(a: Any, b: Any, p: float = 2) -> Any:
    shape = (*np.broadcast_shapes(a.shape[:-2], b.shape[:-2]), a.shape[-2], b.shape[-2])
    a, b = (np.broadcast_to(x, (*shape[:-2], *x.shape[-2:])) for x in (a, b))
    out = np.zeros(shape, a.dtype)
    for *batch, i, j in np.ndindex(shape):
        out[(*batch, i, j)] = _distance(p, (a[(*batch, i)] - b[(*batch, j)]).tolist())
    return out


def _pdist(x: Any, p: float = 2) -> Any:
    pairs = itertools.combinations(x, 2)
    return np.array([_distance(p, (a - b).tolist()) for a, b in pairs], x.dtype)


DISTANCES = [
    row(
        "dist",
        at("0-d", 1.0, -2.5),
        at("broadcast", normal(2, 3), normal(3, seed=1)),
        at("axes, order 3", normal(2, 3), normal(2, 3, seed=1), p=3),
        at("edge: the largest difference", spread(4), np.zeros(4), p=math.inf, wrt=(0,)),
        reference=lambda a, b, p=2: np.array(_distance(p, np.ravel(a - b).tolist())),
        errors=Fails(lambda: distances.dist(np.ones(2), np.ones(3)), ShapeError, "subtract: "),
        kinks=(kink("0", np.ones(2), np.ones(2), gradients=(np.zeros(2), np.zeros(2))),),
        op=distances.dist,
    ),
    row(
        "cdist",
        at("size 1", normal(1, 1), normal(1, 1, seed=1)),
        at("axes", normal(2, 3), normal(3, 3, seed=1)),
        at("broadcast, order 1", normal(2, 2, 2), normal(3, 2, seed=1), p=1.0),
        at("edge: no points", normal(2, 2), np.zeros((0, 2))),
        reference=_cdist,
        errors=Fails(
            lambda: distances.cdist(np.ones((2, 3)), np.ones((2, 2))),
            ShapeError,
            r"cdist: a \(2, 3\) and b \(2, 2\); points",
        ),
        kinks=(kink("0", np.ones((1, 2)), np.ones((1, 2)), gradients=(np.zeros((1, 2)), np.zeros((1, 2)))),),
        op=distances.cdist,
    ),
    row(
        "pdist",
        at("size 1", normal(2, 1)),
        at("axes", normal(4, 2)),
        at("axes, order 3", normal(3, 2), p=3.0),
        at("edge: one point", normal(1, 2)),
        reference=_pdist,
        errors=Fails(lambda: distances.pdist(np.ones(3)), ShapeError, r"pdist: x has shape \(3,\)"),
        kinks=(kink("0", np.ones((2, 2)), gradients=(np.zeros((2, 2)),)),),
        op=distances.pdist,
    ),
]


def _resize(x: Any, shape: Any) -> Any:
    lengths = (shape,) if isinstance(shape, int) else shape
    elements = itertools.islice(itertools.cycle(x.ravel().tolist()), math.prod(lengths))
    return np.array(list(elements), x.dtype).reshape(lengths)


def _index_fill(x: Any, index: Any, value: Any, axis: int) -> Any:
    out = np.array(np.swapaxes(x, 0, axis))
    for i in index.tolist():
        out[i] = value
    return np.swapaxes(out, 0, axis)


def _combinations(x: Any, r: int = 2, with_replacement: bool = False) -> Any:
    n = len(x)
    chosen = [
        places
        for places in itertools.product(range(n), repeat=r)
        if all(a < b or (with_replacement and a == b) for a, b in itertools.pairwise(places))
    ]
    return np.array([[x[i] for i in places] for places in chosen], x.dtype).reshape(len(chosen), r)


ARRANGED = [
    row(
        "unflatten",
        at("size 1", normal(1), axis=0, shape=(1, 1)),
        at("axes", normal(2, 6), axis=-1, shape=(3, -1)),
        at("edge: empty", np.zeros((2, 0)), axis=1, shape=(0, 3)),
        reference=lambda x, axis, shape: np.reshape(
            x, (*x.shape[: axis % x.ndim], *shape, *x.shape[axis % x.ndim + 1 :])
        ),
        errors=(
            Fails(
                lambda: rearrange.unflatten(np.ones((2, 6)), 1, (4, -1)),
                ShapeError,
                r"unflatten: axis 1 of \(2, 6\) cannot become \(4, -1\)",
            ),
            Fails(lambda: rearrange.unflatten(np.ones(2), 1, (2,)), ShapeError, "unflatten: axis 1"),
        ),
        op=lambda x, axis, shape: rearrange.unflatten(x, axis, shape),
    ),
    row(
        "resize",
        at("0-d", 2.5, shape=(2, 2)),
        at("axes, cut", normal(2, 3), shape=(2, 2)),
        at("axes, repeated", normal(2, 2), shape=6),
        at("edge: empty", normal(2), shape=(0, 3)),
        reference=_resize,
        errors=Fails(lambda: rearrange.resize(np.ones(0), 2), ShapeError, "resize: x with 0 elements"),
        numpy=lambda x, shape: np.resize(x, shape),
        op=lambda x, shape: rearrange.resize(x, shape),
    ),
    row(
        "index_fill",
        at("size 1", normal(1), np.array([0]), 2.5, axis=0),
        at("axes", normal(2, 3), np.array([0, -1]), -1.5, axis=1),
        at("edge: repeated", normal(2, 2), np.array([1, 1]), 0.5, axis=-2),
        reference=_index_fill,
        errors=(
            Fails(lambda: rearrange.index_fill(np.ones(3), 0, [3], 0.0), IndexingError, "index_fill: .*3"),
            Fails(
                lambda: rearrange.index_fill(np.ones(3), 0, [0], np.ones(1)),
                ShapeError,
                r"index_fill: value has shape \(1,\)",
            ),
        ),
        op=lambda x, index, value, axis: rearrange.index_fill(x, axis, index, value),
    ),
    row(
        "cartesian_prod",
        at("size 1", normal(1), normal(1, seed=1)),
        at("axes: three", normal(2), normal(3), normal(2, seed=1)),
        at("edge: one array", normal(2)),
        reference=lambda *xs: np.array(list(itertools.product(*xs))) if len(xs) > 1 else xs[0],
        errors=Fails(
            lambda: rearrange.cartesian_prod(np.ones((2, 2))), ShapeError, "cartesian_prod: 1-D arrays"
        ),
        op=rearrange.cartesian_prod,
    ),
    row(
        "combinations",
        at("size 1", normal(1), with_replacement=True),
        at("axes", normal(4)),
        at("axes, three", normal(3), r=3, with_replacement=True),
        at("edge: none", normal(2), r=3),
        reference=_combinations,
        errors=Fails(lambda: rearrange.combinations(np.ones((2, 2))), ShapeError, "combinations: of x"),
        op=rearrange.combinations,
    ),
]


def _polyval(p: Any, x: Any) -> Any:
    return np.array(sum([c * x ** (len(p) - 1 - i) for i, c in enumerate(p)]))


def _unwrap(x: Any, discont: Any = None, axis: int = -1, period: float = 2 * math.pi) -> Any:
    out = np.moveaxis(np.array(x), axis, 0)
    for i in range(1, len(out)):
        for place in np.ndindex(out.shape[1:]):
            step = float(x.dtype.type(0)) + float(np.moveaxis(x, axis, 0)[(i, *place)])
            before = float(np.moveaxis(x, axis, 0)[(i - 1, *place)])
            jump = step - before
            turns = (
                math.ceil((jump - period / 2) / period)
                if jump > 0
                else math.floor((jump + period / 2) / period)
            )
            if abs(jump) < max(discont or 0, period / 2):
                turns = 0
            out[(i, *place)] = out[(i - 1, *place)] + jump - turns * period
    return np.moveaxis(out, 0, axis)


FORMULAS = [
    row(
        "polyval",
        at("0-d", normal(3), 0.5),
        at("axes", normal(4), normal(2, 3)),
        at("size 1: a constant", normal(1), normal(2)),
        at("edge: 0", normal(3), np.array([0.0, 1.0])),
        at("edge: no coefficients", normal(0), normal(2)),
        at("complex", complex_normal(3), complex_normal(2)),
        reference=lambda p, x: np.broadcast_to(_polyval(p, x), x.shape) + 0.0,
        errors=Fails(
            lambda: formulas.polyval(np.ones((2, 2)), np.ones(2)),
            ShapeError,
            r"polyval: p has shape \(2, 2\)",
        ),
        numpy=np.polyval,
        op=formulas.polyval,
    ),
    row(
        "unwrap",
        at("size 1", normal(1)),
        at("axes", np.array([[0.5, 6.0, 1.0], [0.0, -3.0, 5.0]])),
        at("axes, first", np.array([[0.5, 6.0], [4.0, 1.0]]), axis=0, discont=4.0, period=5.0),
        at("edge: many turns", np.array([0.0, 17.0, -11.0])),
        reference=_unwrap,
        errors=Fails(lambda: formulas.unwrap(np.ones(2), axis=1), ShapeError, "unwrap: axis 1"),
        op=formulas.unwrap,
    ),
    row(
        "matvec",
        at("size 1", normal(1, 1), normal(1)),
        at("broadcast", normal(2, 2, 3), normal(3)),
        at("edge: empty", np.zeros((2, 0)), np.zeros(0)),
        at("complex", complex_normal(2, 2), complex_normal(2)),
        reference=lambda a, v: (a * v[..., None, :]).sum(-1),
        errors=Fails(
            lambda: formulas.matvec(np.ones((2, 3)), np.ones(2)), ShapeError, r"matvec: a matrix \(2, 3\)"
        ),
        op=formulas.matvec,
    ),
    row(
        "vecmat",
        at("size 1", normal(1), normal(1, 1)),
        at("broadcast", normal(2), normal(2, 2, 3)),
        at("edge: empty", np.zeros(0), np.zeros((0, 2))),
        at("complex", complex_normal(2), complex_normal(2, 2)),
        reference=lambda v, a: (np.conj(v)[..., :, None] * a).sum(-2),
        errors=Fails(
            lambda: formulas.vecmat(np.ones(3), np.ones((2, 3))), ShapeError, r"vecmat: a matrix \(2, 3\)"
        ),
        op=formulas.vecmat,
    ),
]

COMPOSED: list[OpSamples] = [*DISTANCES, *ARRANGED, *FORMULAS]
