"""Cross-correlation over any number of axes: three bilinear ops, each the transpose of the others.

With ``y = correlation(x, w)``, the cotangent of ``x`` is ``correlation_spread(y, w)`` and that of ``w``
is ``correlation_filters(x, y)``; and so round, for every order of derivative. Convolutions and their
transposes, of one axis or three, are these with other settings.

Shapes: images ``(..., N, C, *lengths)``, filters ``(..., O, C / groups, *extents)``, results
``(..., N, O, *places)``. A place is where a filter lay: there are as many as fit, and what is left over
at the end is not seen. ``padding`` has the number of zeros before and after each axis.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import reduce
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided

from ..._primitive import bilinear
from ..shape import reshape
from . import blocked
from .geometry import ALL, Lengths, Pads, overlap, parts, places_of

COLUMNS = 8 << 20
"""Bytes of windows that are copied out at a time. Larger products are not faster, and the windows of a
whole batch would take as many times the memory of the images as a filter has elements."""


@bilinear
def correlation(x: Any, w: Any, /, stride: Lengths, padding: Pads, dilation: Lengths, groups: int) -> Any:
    """Sums of images times filters, which are not flipped, at each place."""
    x, w, dtype = _wide(x, w)
    rank = len(stride)
    direct = x.flags.c_contiguous and math.prod(w.shape[-rank:]) == 1  # then nothing needs to be copied
    if not direct and _in_blocks(x, w, groups, rank, w.shape[-rank - 1] * w.shape[-1]):
        return blocked.correlate(x, w, stride, padding, dilation).astype(dtype, copy=False)
    windows = _windows(x, w.shape[-rank:], stride, padding, dilation, groups)
    filters = _as_matrices(w, rank, groups)
    lead = np.broadcast_shapes(windows.shape[: -2 * rank - 3], filters.shape[:-4])
    images, places = windows.shape[-2 * rank - 3], windows.shape[-rank:]
    y = np.empty((*lead, images, *filters.shape[-3:-1], math.prod(places)), x.dtype)
    if groups == 1:  # the channels lie last, as `blocked` has them
        y = np.moveaxis(y.reshape((*lead, images, math.prod(places), 1, filters.shape[-2])), -3, -1)
    for some, rows in parts(windows.nbytes, images, places[0], COLUMNS):
        part = windows[_at(some, [ALL] * (2 + rank), rows, rank)]
        row = math.prod(places[1:])
        out = y[..., some, :, :, rows.start * row : rows.stop * row]
        np.matmul(filters, _flat(part, 1 + rank, rank), out=out)
    return y.reshape((*lead, images, w.shape[-rank - 2], *places)).astype(dtype, copy=False)


@bilinear
def correlation_spread(
    z: Any, w: Any, /, stride: Lengths, padding: Pads, dilation: Lengths, groups: int, lengths: Lengths
) -> Any:
    """Each element of ``z`` times its filter, added up where the filter lay: images of ``lengths``."""
    z, w, dtype = _wide(z, w)
    rank = len(stride)
    extents, places = w.shape[-rank:], z.shape[-rank:]
    _require(places, places_of(lengths, extents, stride, padding, dilation))
    if _in_blocks(z, w, groups, rank, w.shape[-rank - 1] * w.shape[-1]):
        return blocked.spread(z, w, stride, padding, dilation, lengths).astype(dtype, copy=False)
    z, filters = _grouped(z, rank, groups), np.swapaxes(_as_matrices(w, rank, groups), -1, -2)
    lead = np.broadcast_shapes(z.shape[: -rank - 3], filters.shape[:-4])
    images, channels = z.shape[-rank - 3], w.shape[-rank - 1]
    if _touches_once(extents, stride, padding):
        out: Any = _product(filters, _flat(z, 1, rank))
    else:
        out = np.zeros((*lead, images, groups, channels, *lengths), z.dtype)
        size = math.prod((*lead, images, groups * channels, *extents, *places)) * z.itemsize
        for some, rows in parts(size, images, places[0], COLUMNS):
            part = z[_at(some, [ALL] * 2, rows, rank)]
            products = _product(filters, _flat(part, 1, rank))
            products = products.reshape((*products.shape[:-2], channels, *extents, *part.shape[-rank:]))
            starts = (rows.start, *[0] * (rank - 1))
            for place in np.ndindex(*extents):
                seen, lie = overlap(place, stride, padding, dilation, lengths, starts, products.shape[-rank:])
                out[(..., some, ALL, ALL, *lie)] += products[(..., *place, *seen)]
    return out.reshape((*lead, images, groups * channels, *lengths)).astype(dtype, copy=False)


@bilinear
def correlation_filters(
    x: Any, z: Any, /, stride: Lengths, padding: Pads, dilation: Lengths, groups: int, extents: Lengths
) -> Any:
    """The sums of ``x`` times ``z`` over all images and places: filters of ``extents``."""
    x, z, dtype = _wide(x, z)
    rank, images = len(stride), x.shape[-len(stride) - 2]
    places = places_of(x.shape[-rank:], extents, stride, padding, dilation)
    _require(z.shape[-rank:], places)
    if z.shape[-rank - 2] != images:
        raise ValueError(f"{images} and {z.shape[-rank - 2]} images")
    if _in_blocks(x, z, groups, rank, x.shape[-rank - 1] * extents[-1]):
        return blocked.filters(x, z, stride, padding, dilation, extents).astype(dtype, copy=False)
    windows = _windows(x, extents, stride, padding, dilation, groups)
    z = np.moveaxis(_grouped(z, rank, groups), -rank - 3, -rank - 1)
    windows = np.moveaxis(windows, -2 * rank - 3, -rank - 1)  # the images count like places
    products = (
        _flat(z[_at(some, [], rows, rank)], 1, 1 + rank)
        @ np.swapaxes(_flat(windows[_at(some, [], rows, rank)], 1 + rank, 1 + rank), -1, -2)
        for some, rows in parts(windows.nbytes, images, places[0], COLUMNS)
    )
    w = reduce(np.add, products)
    shape = (*w.shape[:-3], w.shape[-3] * w.shape[-2], windows.shape[-2 * rank - 2], *extents)
    return w.reshape(shape).astype(dtype, copy=False)


correlation.transpose(
    x=lambda g, w, x_shape, stride, padding, dilation, groups: correlation_spread(
        g, w, stride, padding, dilation, groups, x_shape[-len(stride) :]
    ),
    w=lambda g, x, w_shape, stride, padding, dilation, groups: correlation_filters(
        x, g, stride, padding, dilation, groups, w_shape[-len(stride) :]
    ),
)
correlation_spread.transpose(
    z=lambda g, w, stride, padding, dilation, groups: correlation(g, w, stride, padding, dilation, groups),
    w=lambda g, z, w_shape, stride, padding, dilation, groups: correlation_filters(
        g, z, stride, padding, dilation, groups, w_shape[-len(stride) :]
    ),
)
correlation_filters.transpose(
    x=lambda g, z, x_shape, stride, padding, dilation, groups: correlation_spread(
        z, g, stride, padding, dilation, groups, x_shape[-len(stride) :]
    ),
    z=lambda g, x, stride, padding, dilation, groups: correlation(x, g, stride, padding, dilation, groups),
)


def _batch(op: Any) -> Any:
    def rule(size: int, batched: Any, args: Any, *settings: Any, **named: Any) -> Any:
        # The cards take any leading axes; those of both inputs must only stand below each other.
        rank = max(a.ndim - b for a, b in zip(args, batched, strict=True))
        a, b = [
            reshape(x, (size, *[1] * (rank - x.ndim + 1), *x.shape[1:])) if own else x
            for x, own in zip(args, batched, strict=True)
        ]
        return op(a, b, *settings, **named)

    return rule


for _op in (correlation, correlation_spread, correlation_filters):
    _op.batching(_batch(_op))


# ---- where the windows lie


def _touches_once(extents: Lengths, stride: Lengths, padding: Pads) -> bool:
    """Whether each place is one element of the image, and each element one place."""
    return set(extents) == set(stride) == {1} and not any(map(any, padding))


def _require(found: Lengths, places: Lengths) -> None:
    if tuple(found) != tuple(places):
        raise ValueError(f"{tuple(found)} places are given and there are {places}")


# ---- which way: all compute the same


RUN = 16
"""Elements of a row of a window, with all channels, that are worth copying as one piece."""


def _in_blocks(a: Any, b: Any, groups: int, rank: int, run: int) -> bool:
    """Whether `blocked` takes both, and is faster."""
    return groups == 1 and a.ndim == b.ndim == rank + 2 and a.dtype.char in "fdFD" and run >= RUN


# ---- the same as matrices


def _wide(a: Any, b: Any) -> tuple[Any, Any, Any]:
    """Both in one dtype, and that of the result: products of float16 are added up in float32."""
    dtype = np.result_type(a, b)
    work = np.dtype(np.float32) if dtype.char == "e" else dtype
    return a.astype(work, copy=False), b.astype(work, copy=False), dtype


def _windows(x: Any, extents: Lengths, stride: Lengths, padding: Pads, dilation: Lengths, groups: int) -> Any:
    """Every window of an image: a view ``(..., N, groups, C / groups, *extents, *places)``."""
    rank = len(stride)
    places = places_of(x.shape[-rank:], extents, stride, padding, dilation)
    x = _grouped(x, rank, groups)
    if any(map(any, padding)):
        padded = [n + sum(p) for n, p in zip(x.shape[-rank:], padding, strict=True)]
        wide: Any = np.zeros((*x.shape[:-rank], *padded), x.dtype)
        inner = [slice(before, before + n) for n, (before, _) in zip(x.shape[-rank:], padding, strict=True)]
        wide[(..., *inner)] = x
        x = wide
    steps = x.strides[-rank:]
    along = [s * d for s, d in zip(steps, dilation, strict=True)]
    between = [s * t for s, t in zip(steps, stride, strict=True)]
    return as_strided(
        x,
        (*x.shape[:-rank], *extents, *places),
        (*x.strides[:-rank], *along, *between),
        writeable=False,
    )


def _grouped(x: Any, rank: int, groups: int) -> Any:
    """Images with their channels in groups: ``(..., N, groups, C / groups, *lengths)``."""
    channels = x.shape[-rank - 1]
    return x.reshape((*x.shape[: -rank - 1], groups, channels // groups, *x.shape[-rank:]))


def _as_matrices(w: Any, rank: int, groups: int) -> Any:
    """Filters as matrices ``(..., 1, groups, O / groups, C / groups * elements)``; the 1 is for the images."""
    filters, elements = w.shape[-rank - 2], math.prod(w.shape[-rank - 1 :])
    return w.reshape((*w.shape[: -rank - 2], 1, groups, filters // groups, elements))


def _product(a: Any, b: Any) -> Any:
    """The product of matrices; BLAS takes several times as long for an outer one as a multiplication."""
    return a * b if a.shape[-1] == 1 else a @ b


def _at(images: slice, between: Sequence[slice], rows: slice, rank: int) -> Any:
    """The index of images and first places, in an array with axes between them and places behind."""
    return (..., images, *between, rows, *[ALL] * (rank - 1))


def _flat(x: Any, rows: int, columns: int) -> Any:
    """``x`` as matrices: the last ``columns`` axes in one, the ``rows`` axes before them in another."""
    cut, lead = x.ndim - columns, x.ndim - columns - rows
    return x.reshape((*x.shape[:lead], math.prod(x.shape[lead:cut]), math.prod(x.shape[cut:])))
