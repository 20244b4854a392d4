"""Where the differentiable ops of the library can be called: a box of arguments for each sample of each card.

The arguments come from `tensorgrad.testing.samples`. How far they may move without leaving the domain of
the op is found by trying: of several boxes around the sample the widest is taken in which values and
gradients are finite, and the gradient agrees with differences, at the corners and points that are drawn.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from typing import Any

import numpy as np

import tensorgrad as tg
from tensorgrad._primitive import Primitive, registry
from tensorgrad.testing.case import Case, gradient_of, inner, random_like
from tensorgrad.testing.samples import ROWS, Fresh, OpSamples, Sample

ENOUGH = 4
"""Samples with so many entries in an input are preferred: one of few has little to be wrong in."""

HERMITIAN = ("cholesky", "eigh", "eigvalsh")
"""Functions of Hermitian matrices; they are applied to the Hermitian part of what they get."""

_TRIES = 6


@dataclass(frozen=True, eq=False)
class Point:
    """A box of arguments for a card.

    Attributes:
        card: the card.
        label: of the sample that it was made of.
        args: the arguments in the middle of the box.
        params: the parameters by name.
        positions: the arguments that are differentiated.
        radii: how far each of these may move, per entry.
    """

    card: Primitive
    label: str
    args: tuple[Any, ...]
    params: dict[str, Any]
    positions: tuple[int, ...]
    radii: tuple[Any, ...]

    def call(self, op: Any, xs: Any) -> Any:
        """Apply ``op`` with ``xs`` in place of the arguments that are differentiated."""
        args = list(self.args)
        for i, x in zip(self.positions, xs, strict=True):
            args[i] = (x + tg.conjugate(tg.matrix_transpose(x))) / 2 if self.card.name in HERMITIAN else x
        return op(*args, **self.params)

    def draw(self, rng: np.random.Generator, part: float = 1.0) -> list[Any]:
        """Arguments in the middle ``part`` of the box."""
        return [
            self.args[i] + part * r * rng.uniform(-1, 1, np.shape(r))
            for i, r in zip(self.positions, self.radii, strict=True)
        ]


@functools.cache
def names() -> tuple[str, ...]:
    """The differentiable cards, but for the fused: their formulas are one function, which is held to the composite."""
    cards = {name: registry[name] for name in ROWS if name in registry}
    return tuple([name for name, card in cards.items() if card.formulas and card.composite is None])


@functools.cache
def boxes(name: str) -> tuple[Point, ...]:
    """The boxes of a card; those with enough entries if there are any."""
    row, card = ROWS[name], registry[name]
    found = [box for sample in row.samples if (box := _box(card, row, sample)) is not None]
    large = [box for box in found if largest(box) >= ENOUGH]
    return tuple(large or found)


def largest(point: Point) -> int:
    """How many entries the largest input has."""
    return max(np.size(point.args[i]) for i in point.positions)


def _box(card: Primitive, row: OpSamples, sample: Sample) -> Point | None:
    case = Case(row, sample)
    if not sample.smooth or not case.positions or any(isinstance(p, Fresh) for p in sample.params.values()):
        return None
    args = tuple([np.asarray(a) for a in sample.args])
    if any(args[i].dtype not in (np.float64, np.complex128) or not args[i].size for i in case.positions):
        return None
    if card.kind == "elementwise":
        args = _widened(args)
    with np.errstate(all="ignore"):
        for middle, radii in _candidates([args[i] for i in case.positions]):
            moved = list(args)
            for i, a in zip(case.positions, middle, strict=True):
                moved[i] = a
            point = Point(
                card, sample.label, tuple(moved), dict(sample.params), tuple(case.positions), tuple(radii)
            )
            if _is_inside(point):
                return point
    return None


def _widened(args: tuple[Any, ...]) -> tuple[Any, ...]:
    """Arguments of an elementwise op, repeated along a new axis where there are less than enough entries."""
    shape = np.broadcast_shapes(*[np.shape(a) for a in args])
    size = math.prod(shape)
    if size >= ENOUGH or not size:
        return args
    times = -(-ENOUGH // size)
    return tuple(
        [np.stack([np.broadcast_to(a, shape)] * times) if np.ndim(a) == len(shape) else a for a in args]
    )


def _candidates(xs: list[Any]) -> Any:
    """Boxes from wide to narrow: by a number, and by a share of each entry."""
    for add in (0.3, 0.1):
        yield xs, [np.full(np.shape(x), add) for x in xs]
    for share in (0.15, 0.05):
        yield [0.9 * x for x in xs], [share * np.abs(x) + 1e-3 for x in xs]
    for add in (0.03, 0.01, 0.003):
        yield xs, [np.full(np.shape(x), add) for x in xs]


def _is_inside(point: Point) -> bool:
    rng = np.random.default_rng(7)
    seeds: list[Any] = []

    def scalar(*xs: Any) -> Any:
        y = point.call(point.card.op, xs)
        ys = [one for one in (y if isinstance(y, tuple) else (y,)) if one.dtype.kind in "fc"]
        if not seeds:
            seeds.extend([random_like(one, k) for k, one in enumerate(ys)])
        return inner(seeds, ys)

    for k in range(_TRIES):
        corner = [np.sign(rng.uniform(-1, 1, np.shape(r))) if k % 2 else rng.uniform(-1, 1, np.shape(r))
                  for r in point.radii]  # fmt: skip
        xs = [point.args[i] + r * c for i, r, c in zip(point.positions, point.radii, corner, strict=True)]
        try:
            value = scalar(*xs)
            found = [np.asarray(g._d) for g in gradient_of(scalar, xs, create=False)]
        except Exception:  # an argument outside of the domain may raise anything
            return False
        if not seeds or not all(np.size(v) for v in seeds):
            return False  # a derivative of nothing
        if not all(np.isfinite(a).all() for a in (np.asarray(value), *found)):
            return False
        ts = [rng.standard_normal(np.shape(x)) for x in xs]
        slope = sum(float(np.sum(np.real(g) * t)) for g, t in zip(found, ts, strict=True))
        step = 1e-6
        ends = [scalar(*[x + s * step * t for x, t in zip(xs, ts, strict=True)]) for s in (1, -1)]
        numeric = float(np.real(ends[0] - ends[1])) / (2 * step)
        size = max(1.0, abs(slope), float(np.abs(value)))
        if not abs(numeric - slope) < 1e-5 * size:
            return False
    return True
