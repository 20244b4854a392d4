"""Batch normalisation in training as one op: each channel shifted and scaled to mean 0 and variance 1.

Passes over the images run in blocks that stay in the cache, in the order of their memory: channels first
or last.

Source: S. Ioffe and C. Szegedy, Batch Normalization, 2015, algorithm 1.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from ..._errors import ShapeError
from ..._fused import fused
from ..elementwise import add, divide, multiply, sqrt, square, subtract
from ..reduce import mean
from ..shape import reshape

BLOCK = 1 << 16
"""Elements that are worked on at a time."""

RUN = 1 << 12
"""Elements of a row, as many pixels side by side, where the channels lie last; short rows are slow."""


def _composite(*operands: Any, eps: float) -> tuple[Any, Any, Any]:
    x, *affine = operands
    _check(x, affine)
    axes = (0, *range(2, x.ndim))
    each = (x.shape[1], *[1] * (x.ndim - 2))
    centre = mean(x, axes)
    centred = subtract(x, reshape(centre, each))
    variance = mean(square(centred), axes)
    y = divide(centred, reshape(sqrt(add(variance, eps)), each))
    if affine:
        y = add(multiply(y, reshape(affine[0], each)), reshape(affine[1], each))
    return y, centre, variance


@fused(_composite, public=3)
def batch_norm(*operands: Any, eps: float) -> Any:
    """The channels of images with mean 0 and variance 1, then scaled and shifted; and their means and variances.

    Args:
        operands: images (N, C, ...), not empty; then weight (C,) and bias (C,), or nothing.
        eps: added to the variances.
    """
    x, *affine = operands
    _check(x, affine)
    sheet = _Sheet(x)
    x = sheet.flat(x)
    sums = sheet.sums(x.dtype)
    for at in sheet.blocks():
        sheet.gather(sums, x[at], at)
    centre = sheet.each(sums) / sheet.count
    beside, sums = sheet.beside(centre), sheet.sums(x.dtype)
    buffer = np.empty_like(x[sheet.first])
    for at in sheet.blocks():
        part = buffer[: len(x[at])]
        np.subtract(x[at], sheet.part(beside, at), out=part)
        sheet.gather(sums, np.square(part, out=part), at)
    variance = sheet.each(sums) / sheet.count
    scale = 1 / np.sqrt(variance + np.asarray(eps, x.dtype))
    slope = scale * affine[0] if affine else scale
    rise = (affine[1] if affine else 0) - centre * slope
    slope, rise = sheet.beside(slope), sheet.beside(rise)
    y = np.empty_like(x)
    for at in sheet.blocks():
        np.multiply(x[at], sheet.part(slope, at), out=y[at])
        np.add(y[at], sheet.part(rise, at), out=y[at])
    return sheet.shaped(y), centre, variance, scale


@batch_norm.pull
def _(gs: Any, operands: Any, results: Any, wanted: Any, eps: float) -> list[Any]:
    x, *affine = operands
    _, centre, _, scale = results
    sheet = _Sheet(x)
    x, g = sheet.flat(x), sheet.flat(gs[0])
    beside, sums, products = sheet.beside(centre), sheet.sums(x.dtype), sheet.sums(x.dtype)
    buffer = np.empty_like(x[sheet.first])
    for at in sheet.blocks():
        part = buffer[: len(x[at])]
        sheet.gather(sums, g[at], at)
        np.subtract(x[at], sheet.part(beside, at), out=part)
        sheet.gather(products, np.multiply(part, g[at], out=part), at)
    total, product = sheet.each(sums), sheet.each(products) * scale
    found: list[Any] = [None, product, total][: len(operands)]
    if wanted[0]:
        # dx = slope g + bend x + rise, for each channel
        slope = scale * affine[0] if affine else scale
        bend = (2 * gs[2] - slope * scale * product) / sheet.count
        rise = (gs[1] - slope * total) / sheet.count - bend * centre
        slope, bend, rise = sheet.beside(slope), sheet.beside(bend), sheet.beside(rise)
        dx = np.empty_like(x)
        for at in sheet.blocks():
            part = buffer[: len(x[at])]
            np.multiply(x[at], sheet.part(bend, at), out=part)
            np.multiply(g[at], sheet.part(slope, at), out=dx[at])
            part += dx[at]
            np.add(part, sheet.part(rise, at), out=dx[at])
        found[0] = sheet.shaped(dx)
    return found


def _check(x: Any, affine: list[Any]) -> None:
    if x.ndim < 2 or 0 in x.shape or any(one.shape != x.shape[1:2] for one in affine):
        raise ShapeError(
            f"batch_norm: images {x.shape} with weight and bias {[one.shape for one in affine]}; images (N, C, ...), "
            "not empty, and a number for each channel are needed"
        )


class _Sheet:
    """Images as a matrix in the order of their memory, and numbers of channels as what broadcasts beside it."""

    def __init__(self, x: Any) -> None:
        self.shape = x.shape
        self.channels, self.count = x.shape[1], x.size // x.shape[1]
        self.last = x.ndim == 2 or np.moveaxis(x, 1, -1).flags.c_contiguous
        if self.last:
            self.width = 1  # pixels in a row
            for n in reversed(x.shape[2:]):
                if self.width * n * self.channels > RUN:
                    break
                self.width *= n
            columns = self.width * self.channels
        else:
            columns = math.prod(x.shape[2:])
        self.rows, self.columns = x.size // columns, columns
        self.height = max(1, min(self.rows, BLOCK // columns))
        self.first = slice(0, self.height)

    def flat(self, x: Any) -> Any:
        x = np.moveaxis(x, 1, -1) if self.last else x
        return np.ascontiguousarray(x).reshape(self.rows, self.columns)

    def shaped(self, x: Any) -> Any:
        if not self.last:
            return x.reshape(self.shape)
        return np.moveaxis(x.reshape(self.shape[0], *self.shape[2:], self.channels), -1, 1)

    def blocks(self) -> Iterator[slice]:
        for start in range(0, self.rows, self.height):
            yield slice(start, start + self.height)

    def beside(self, v: Any) -> Any:
        return np.tile(v, self.width)[None] if self.last else np.tile(v, self.shape[0])[:, None]

    def part(self, beside: Any, at: slice) -> Any:
        return beside if self.last else beside[at]

    def sums(self, dtype: Any) -> Any:
        return np.zeros(self.columns if self.last else self.rows, dtype)

    def gather(self, sums: Any, part: Any, at: slice) -> None:
        """Add up what is in a block, as far as that is in one run of memory."""
        if self.last:
            sums += np.add.reduce(part, axis=0)
        else:
            np.add.reduce(part, axis=1, out=sums[at])

    def each(self, sums: Any) -> Any:
        """The sums of channels, from those of columns or rows."""
        return np.add.reduce(sums.reshape(-1, self.channels), axis=0)
