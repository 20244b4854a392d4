"""Correlation of images whose channels lie last in memory: products of blocks of windows and filters.

The interface has the channels first; what comes in is copied where it lies otherwise, and what goes out is a
transposed view, whose layout elementwise functions keep by themselves. A row of a window is then one run of
memory, and as many windows as fit a cache are copied at a time into one buffer. There are no groups, and no
axes before those of images and filters.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided

from .geometry import ALL, Lengths, Pads, overlap, parts, places_of

BLOCK = 1 << 19
"""Bytes of windows that are copied at a time: what was copied is still in the cache when it is multiplied."""

FLIPPED = 8
"""How many filters for each channel make it cheaper to add up products than to copy windows of all filters."""


def correlate(x: Any, w: Any, stride: Lengths, padding: Pads, dilation: Lengths) -> Any:
    """Images ``(N, C, *lengths)`` and filters ``(O, C, *extents)`` to ``(N, O, *places)``."""
    windows = _windows(x, w.shape[2:], stride, padding, dilation)
    filters = np.moveaxis(w, 0, -1)
    matrix = np.moveaxis(filters, 0, -2).reshape(math.prod(w.shape[1:]), len(w))
    y = np.empty((*windows.shape[: x.ndim - 1], len(w)), x.dtype)
    for at, columns in _columns(windows, len(stride)):
        np.matmul(columns, matrix, out=y[at].reshape(len(columns), len(w)))
    return np.moveaxis(y, -1, 1)


def spread(z: Any, w: Any, stride: Lengths, padding: Pads, dilation: Lengths, lengths: Lengths) -> Any:
    """The transpose of `correlate` in the images, which are of ``lengths``."""
    reach = [d * (k - 1) for k, d in zip(w.shape[2:], dilation, strict=True)]
    around = tuple([(r - before, r - after) for r, (before, after) in zip(reach, padding, strict=True)])
    if set(stride) == {1} and min(map(min, around)) >= 0 and len(w) <= FLIPPED * w.shape[1]:
        flipped = np.flip(w, tuple(range(2, w.ndim))).swapaxes(0, 1)
        return correlate(z, flipped, stride, around, dilation)
    z, matrix = _last(z), np.moveaxis(w, 1, -1).reshape(len(w), math.prod(w.shape[1:]))
    extents, channels, places = w.shape[2:], w.shape[1], z.shape[1:-1]
    x = np.zeros((len(z), *lengths, channels), z.dtype)
    size = math.prod(z.shape[:-1]) * matrix.shape[1] * z.itemsize
    for some, rows in parts(size, len(z), places[0], 4 * BLOCK):
        part = z[some, rows]
        products = part.reshape(math.prod(part.shape[:-1]), z.shape[-1]) @ matrix
        products = products.reshape(*part.shape[:-1], *extents, channels)
        starts = (rows.start, *[0] * (len(stride) - 1))
        for place in np.ndindex(*extents):
            seen, lie = overlap(place, stride, padding, dilation, lengths, starts, part.shape[1:-1])
            x[(some, *lie)] += products[(ALL, *seen, *place)]
    return np.moveaxis(x, -1, 1)


def filters(x: Any, z: Any, stride: Lengths, padding: Pads, dilation: Lengths, extents: Lengths) -> Any:
    """The transpose of `correlate` in the filters, which are of ``extents``."""
    windows, z = _windows(x, extents, stride, padding, dilation), _last(z)
    w = np.zeros((math.prod(extents) * x.shape[1], z.shape[-1]), x.dtype)
    for at, columns in _columns(windows, len(stride)):
        w += columns.T @ z[at].reshape(len(columns), z.shape[-1])
    return np.ascontiguousarray(np.moveaxis(w.reshape(*extents, x.shape[1], z.shape[-1]), (-1, -2), (0, 1)))


# ---- windows


def _last(x: Any) -> Any:
    """``(N, C, *lengths)`` as ``(N, *lengths, C)``, in one piece of memory."""
    return np.ascontiguousarray(np.moveaxis(x, 1, -1))


def _windows(x: Any, extents: Lengths, stride: Lengths, padding: Pads, dilation: Lengths) -> Any:
    """Every window of the images: a view ``(N, *places, *extents, C)``."""
    lengths = x.shape[2:]
    places = places_of(lengths, extents, stride, padding, dilation)
    if any(map(any, padding)):
        padded = [n + sum(p) for n, p in zip(lengths, padding, strict=True)]
        wide = np.zeros((len(x), *padded, x.shape[1]), x.dtype)
        inner = [slice(before, before + n) for n, (before, _) in zip(lengths, padding, strict=True)]
        wide[(ALL, *inner)] = np.moveaxis(x, 1, -1)
        x = wide
    else:
        x = _last(x)
    steps = x.strides[1:-1]
    between = [s * t for s, t in zip(steps, stride, strict=True)]
    along = [s * d for s, d in zip(steps, dilation, strict=True)]
    return as_strided(
        x,
        (len(x), *places, *extents, x.shape[-1]),
        (x.strides[0], *between, *along, x.strides[-1]),
        writeable=False,
    )


def _columns(windows: Any, rank: int) -> Iterator[tuple[Any, Any]]:
    """The windows as rows of matrices, block by block, and where each block is; the next one overwrites it."""
    length = math.prod(windows.shape[1 + rank :])
    if windows.flags.c_contiguous:
        yield (ALL,), windows.reshape(math.prod(windows.shape[: 1 + rank]), length)
        return
    buffer: Any = None
    for at in parts(windows.nbytes, len(windows), windows.shape[1], BLOCK):
        part = windows[at]
        buffer = np.empty(part.size, part.dtype) if buffer is None else buffer
        block = buffer[: part.size]
        np.copyto(block.reshape(part.shape), part)
        yield at, block.reshape(math.prod(part.shape[: 1 + rank]), length)
