"""Sparse matrices that act along one axis: each result is a weighted sum of a few elements.

Interpolation and averages over uneven windows are such matrices, and so are their transposes.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from ..._errors import DtypeError, ShapeError
from ..._primitive import linear

# Up to this length a product with the full matrix is faster than adding up a few elements each.
DENSE = 256
CUBIC = -0.75


class Plan(NamedTuple):
    """How ``number`` results come from ``length`` elements.

    ``rule`` is nearest, nearest-exact, linear, cubic or area. ``step`` is the distance of neighbouring
    results, measured in elements, and ``length / number`` if None. With ``corners`` the first and last
    results lie on the first and last elements.
    """

    rule: str
    length: int
    number: int
    step: float | None = None
    corners: bool = False


@linear
def resample(x: Any, /, axis: int, plan: Plan, turned: bool = False) -> Any:
    """The product of a plan's matrix, or of its transpose, with the elements along a negative axis."""
    if not -x.ndim <= axis < 0:
        raise ShapeError(f"resample: axis {axis} is out of range for x {x.shape}; it counts from the end")
    taps, copies = _taps(plan, turned)
    if copies:
        return np.take(x, taps[0][1], axis)
    wide = x.astype(np.float32) if x.dtype.char == "e" else x
    if x.dtype.kind not in "fc":
        raise DtypeError(f"resample: x has dtype {x.dtype}; the sums of floating numbers are meant")
    # Zeros of the matrix would make NaN of infinities.
    dense = plan.length <= DENSE and plan.number <= DENSE and np.isfinite(x).all()
    return (_product if dense else _added)(wide, axis, plan, turned).astype(x.dtype, copy=False)


resample.transpose(x=lambda g, axis, plan, turned: resample(g, axis, plan, not turned))
resample.batching(
    lambda size, batched, args, axis, plan, turned: resample(args[0], axis=axis, plan=plan, turned=turned)
)


def _product(x: Any, axis: int, plan: Plan, turned: bool) -> Any:
    matrix = _matrix(plan, turned).astype(x.real.dtype)
    if axis == -1:
        return x @ matrix.T
    y = matrix @ x.reshape((*x.shape[: axis + 1], math.prod(x.shape[axis + 1 :])))
    return y.reshape((*x.shape[:axis], len(matrix), *x.shape[axis + 1 :]))


def _added(x: Any, axis: int, plan: Plan, turned: bool) -> Any:
    shape = list(x.shape)
    shape[axis] = plan.length if turned else plan.number
    y = np.zeros(shape, x.dtype)
    results = np.moveaxis(y, axis, 0)
    for rows, places, weights in _taps(plan, turned)[0]:
        factors = weights.astype(x.real.dtype).reshape((-1, *[1] * (-axis - 1)))
        results[rows] += np.moveaxis(np.take(x, places, axis) * factors, axis, 0)
    return y


# ---- the matrix


@lru_cache(maxsize=256)
def _taps(plan: Plan, turned: bool) -> tuple[list[Any], bool]:
    """The k-th elements of all rows, as rows, places and weights; and whether all it does is to copy."""
    entries = [sorted(row.items()) for row in _entries(plan, turned)]
    taps = []
    for k in range(max(map(len, entries), default=0)):
        having = [(row, *some[k]) for row, some in enumerate(entries) if len(some) > k]
        rows, places, weights = zip(*having, strict=True)
        every = slice(None) if len(rows) == len(entries) else np.array(rows)
        taps.append((every, np.array(places), np.array(weights)))
    return taps, all(len(some) == 1 and some[0][1] == 1 for some in entries)


@lru_cache(maxsize=256)
def _matrix(plan: Plan, turned: bool) -> Any:
    entries = _entries(plan, turned)
    matrix = np.zeros((len(entries), plan.number if turned else plan.length))
    for row, some in enumerate(entries):
        for place, weight in some.items():
            matrix[row, place] = weight
    return matrix


def _entries(plan: Plan, turned: bool) -> list[dict[int, float]]:
    """For each row of the matrix its places and weights that are not 0."""
    rows: list[dict[int, float]] = []
    for j in range(plan.number):
        row: dict[int, float] = {}
        for place, weight in _row(plan, j):
            inside = min(max(place, 0), plan.length - 1)
            row[inside] = row.get(inside, 0.0) + weight
        rows.append({place: weight for place, weight in row.items() if weight})
    if not turned:
        return rows
    columns: list[dict[int, float]] = [{} for _ in range(plan.length)]
    for j, row in enumerate(rows):
        for place, weight in row.items():
            columns[place][j] = weight
    return columns


def _row(plan: Plan, j: int) -> list[tuple[int, float]]:
    n, m = plan.length, plan.number
    if plan.rule == "area":
        start, stop = j * n // m, -(-(j + 1) * n // m)
        return [(place, 1 / (stop - start)) for place in range(start, stop)]
    if plan.rule == "nearest":
        return [(j * n // m if plan.step is None else math.floor(j * plan.step), 1.0)]
    if plan.rule == "nearest-exact":
        return [((2 * j + 1) * n // (2 * m) if plan.step is None else math.floor((j + 0.5) * plan.step), 1.0)]
    if plan.corners:
        at = j * (n - 1) / (m - 1) if m > 1 else 0.0
    else:
        at = (j + 0.5) * (n / m if plan.step is None else plan.step) - 0.5
    if plan.rule == "linear":
        at = max(at, 0.0)
    below = math.floor(at)
    t = at - below
    if plan.rule == "linear":
        return [(below, 1 - t), (below + 1, t)]
    return [(below + k, _cubic(abs(t - k))) for k in range(-1, 3)]


def _cubic(d: float) -> float:
    """Keys' convolution kernel at distance ``d`` below 2."""
    if d <= 1:
        return ((CUBIC + 2) * d - (CUBIC + 3)) * d * d + 1
    return ((d - 5) * d + 8) * d * CUBIC - 4 * CUBIC
