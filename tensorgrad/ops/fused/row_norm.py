"""Layer and root-mean-square normalisation as one op: each row scaled to size 1, its mean taken off before or not.

Sources: J. Ba, J. Kiros and G. Hinton, Layer Normalization, 2016; B. Zhang and R. Sennrich, Root Mean Square
Layer Normalization, 2019.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from ..._fused import fused
from ..elementwise import add, divide, multiply, sqrt, square, subtract
from ..reduce import mean

BLOCK = 1 << 16
"""Elements that are worked on at a time, so that they stay in the cache."""


def _composite(*operands: Any, rank: int, eps: float, centred: bool) -> Any:
    x, *affine = operands
    axes = tuple(range(-rank, 0))
    if centred:
        x = subtract(x, mean(x, axes, True))
    y = divide(x, sqrt(add(mean(square(x), axes, True), eps)))
    if affine:
        y = multiply(y, affine[0])
    return add(y, affine[1]) if len(affine) > 1 else y


@fused(_composite, public=1)
def row_norm(*operands: Any, rank: int, eps: float, centred: bool) -> Any:
    """Rows over the last axes with variance 1, then scaled and shifted.

    Args:
        operands: rows (..., *sizes); then weight (*sizes) or nothing; then bias (*sizes) or nothing.
        rank: the number of sizes.
        eps: added to the variance.
        centred: whether the mean is taken off before; otherwise it is the mean square that becomes 1.
    """
    x, *affine = _flat(operands, rank)
    y = np.empty_like(x)
    centre, scale = np.zeros((2, len(x), 1), x.dtype)
    for at in _blocks(x):
        part = y[at]
        if centred:
            np.divide(np.add.reduce(x[at], axis=1, keepdims=True), x.shape[1], out=centre[at])
        np.subtract(x[at], centre[at], out=part)
        size = np.einsum("ij,ij->i", part, part)[:, None] / x.shape[1]
        scale[at] = 1 / np.sqrt(size + np.asarray(eps, x.dtype))
        part *= scale[at]
        if affine:
            part *= affine[0]
        if len(affine) > 1:
            part += affine[1]
    return y.reshape(operands[0].shape), centre, scale


@row_norm.pull
def _(gs: Any, operands: Any, results: Any, wanted: Any, rank: int, eps: float, centred: bool) -> list[Any]:
    x, *affine = _flat(operands, rank)
    g, (_, centre, scale) = gs[0].reshape(x.shape), results
    dx = np.empty_like(x)
    sums = np.zeros((2, x.shape[1]), x.dtype)
    buffer = np.empty_like(x[: _height(x)])
    for at in _blocks(x):
        part, rows = dx[at], buffer[: len(x[at])]
        np.subtract(x[at], centre[at], out=rows)
        rows *= scale[at]
        if affine:
            sums[0] += np.add.reduce(np.multiply(g[at], rows, out=part), axis=0)
            sums[1] += np.add.reduce(g[at], axis=0)
        if not wanted[0]:
            continue
        np.multiply(g[at], affine[0] if affine else 1, out=part)
        along = np.einsum("ij,ij->i", part, rows)[:, None] / x.shape[1]
        if centred:
            part -= np.add.reduce(part, axis=1, keepdims=True) / x.shape[1]
        part -= np.multiply(rows, along, out=rows)
        part *= scale[at]
    shapes = [one.shape for one in operands]
    found = [dx, sums[0], sums[1]][: len(operands)]
    return [c.reshape(s) if asked else None for c, s, asked in zip(found, shapes, wanted, strict=True)]


def _flat(operands: Any, rank: int) -> list[Any]:
    x, *affine = operands
    size = math.prod(x.shape[x.ndim - rank :])
    rows = np.ascontiguousarray(x).reshape(math.prod(x.shape[: x.ndim - rank]), size)
    return [rows, *[one.reshape(size) for one in affine]]


def _height(x: Any) -> int:
    return max(1, BLOCK // int(x.shape[1]))


def _blocks(x: Any) -> Iterator[slice]:
    for start in range(0, len(x), _height(x)):
        yield slice(start, start + _height(x))
