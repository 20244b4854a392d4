"""What slides over an array, by plain loops: the references of `window`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np


def correlation(x: Any, w: Any, stride: Any, padding: Any, dilation: Any, groups: Any) -> Any:
    """The card of that name."""
    lengths, extents = x.shape[2:], w.shape[2:]
    counts = _counts(lengths, extents, stride, padding, dilation)
    y = np.zeros((x.shape[0], w.shape[0], *counts), np.result_type(x, w))
    for place, element, position in _visits(lengths, extents, stride, padding, dilation):
        for n in range(x.shape[0]):
            for o, c, own in _links(w.shape[0], x.shape[1], groups):
                y[(n, o, *place)] += x[(n, c, *position)] * w[(o, own, *element)]
    return y


def spread(z: Any, w: Any, stride: Any, padding: Any, dilation: Any, groups: Any, lengths: Any) -> Any:
    """The card `correlation_spread`."""
    x = np.zeros((z.shape[0], w.shape[1] * groups, *lengths), np.result_type(z, w))
    for place, element, position in _visits(lengths, w.shape[2:], stride, padding, dilation):
        for n in range(z.shape[0]):
            for o, c, own in _links(z.shape[1], x.shape[1], groups):
                x[(n, c, *position)] += z[(n, o, *place)] * w[(o, own, *element)]
    return x


def filters(x: Any, z: Any, stride: Any, padding: Any, dilation: Any, groups: Any, extents: Any) -> Any:
    """The card `correlation_filters`."""
    w = np.zeros((z.shape[1], x.shape[1] // groups, *extents), np.result_type(x, z))
    for place, element, position in _visits(x.shape[2:], extents, stride, padding, dilation):
        for n in range(x.shape[0]):
            for o, c, own in _links(z.shape[1], x.shape[1], groups):
                w[(o, own, *element)] += x[(n, c, *position)] * z[(n, o, *place)]
    return w


def convolution(
    x: Any, w: Any, bias: Any = None, stride: Any = 1, padding: Any = 0, dilation: Any = 1, groups: Any = 1
) -> Any:
    """A convolution of as many axes as its filters have."""
    if x.ndim < w.ndim:
        return convolution(x[None], w, bias, stride, padding, dilation, groups)[0]
    rank = w.ndim - 2
    stride, dilation = _each_axis(stride, rank), _each_axis(dilation, rank)
    if padding == "same":
        spans = [(k - 1) * d for k, d in zip(w.shape[2:], dilation, strict=True)]
        pads = [(s // 2, s - s // 2) for s in spans]
    else:
        pads = [(p, p) for p in _each_axis(0 if padding == "valid" else padding, rank)]
    y = correlation(x, w, stride, pads, dilation, groups)
    return y if bias is None else y + bias.reshape(-1, *[1] * rank)


def transposed(
    x: Any,
    w: Any,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    groups: Any = 1,
    dilation: Any = 1,
) -> Any:
    """By its definition: each element adds its filter to a large image, which is cut at the end."""
    rank = w.ndim - 2
    stride, dilation, padding, more = [
        _each_axis(v, rank) for v in (stride, dilation, padding, output_padding)
    ]
    whole = [
        (n - 1) * s + (k - 1) * d + 1 + m
        for n, s, k, d, m in zip(x.shape[-rank:], stride, w.shape[2:], dilation, more, strict=True)
    ]
    y = np.zeros((x.shape[0], w.shape[1] * groups, *whole), np.result_type(x, w))
    for place in np.ndindex(*x.shape[2:]):
        for element in np.ndindex(*w.shape[2:]):
            to = [i * s + k * d for i, s, k, d in zip(place, stride, element, dilation, strict=True)]
            for n in range(x.shape[0]):
                for c, o, own in _links(x.shape[1], y.shape[1], groups):
                    y[(n, o, *to)] += x[(n, c, *place)] * w[(c, own, *element)]
    inner: Any = (..., *[slice(p, n - p) for p, n in zip(padding, whole, strict=True)])
    y = y[inner]
    return y if bias is None else y + bias.reshape(-1, *[1] * rank)


def convolved(a: Any, v: Any, mode: str = "full") -> Any:
    """NumPy's convolution: every pair of elements, and a part of the sums."""
    a, v = np.atleast_1d(a, v)
    n, m = sorted((len(a), len(v)))
    y = np.zeros(n + m - 1, np.result_type(a, v))
    for i, j in np.ndindex(len(a), len(v)):
        y[i + j] += a[i] * v[j]
    first, count = {"full": (0, n + m - 1), "same": ((n - 1) // 2, m), "valid": (n - 1, m - n + 1)}[mode]
    return y[first : first + count]


def correlated(a: Any, v: Any, mode: str = "valid") -> Any:
    """NumPy's correlation: every shift of one along the other, and a part of them."""
    a, v = np.atleast_1d(a, v)
    n, m = len(a), len(v)
    every = {k: sum(a[i + k] * np.conj(v[i]) for i in range(m) if 0 <= i + k < n) for k in range(-m + 1, n)}
    first, last = {
        "full": (-m + 1, n),
        "same": (-(m // 2), n - m // 2) if n >= m else (n // 2 - m + 1, n // 2 + 1),
        "valid": (0, n - m + 1) if n >= m else (n - m, 1),
    }[mode]
    return np.array([every[k] for k in range(first, last)])


def windows(x: Any, extents: Any, axes: Any, step: Any, dilation: Any) -> Any:
    """The card of that name, element by element."""
    counts = _counts([x.shape[a] for a in axes], extents, step, [(0, 0)] * len(axes), dilation)
    shape = [counts[axes.index(i)] if i in axes else n for i, n in enumerate(x.shape)]
    y = np.zeros((*shape, *extents), x.dtype)
    for index in np.ndindex(*y.shape):
        y[index] = x[_position(index, x.ndim, axes, step, dilation)]
    return y


def overlap_added(x: Any, shape: Any, axes: Any, step: Any, dilation: Any) -> Any:
    """The card `overlap_add`, element by element."""
    y = np.zeros(shape, x.dtype)
    for index in np.ndindex(*x.shape):
        y[_position(index, len(shape), axes, step, dilation)] += x[index]
    return y


def slid(x: Any, window_shape: Any, axis: Any = None) -> Any:
    """Windows along some axes, or all."""
    axes = tuple(range(x.ndim)) if axis is None else (axis % x.ndim,)
    ones = (1,) * len(axes)
    return windows(x, _each_axis(window_shape, 1), axes, ones, ones)


def unfolded(x: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1) -> Any:
    """The convolution with filters that each read one element of the window."""
    if x.ndim == 3:
        return unfolded(x[None], kernel_size, dilation, padding, stride)[0]
    size = _each_axis(kernel_size, 2)
    n = x.shape[1] * size[0] * size[1]
    y = convolution(x, np.eye(n).reshape(n, x.shape[1], *size), None, stride, padding, dilation)
    return y.reshape(*y.shape[:2], -1)


def folded(
    x: Any, output_size: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1
) -> Any:
    """The transposed convolution with filters that each write one element of the window."""
    if x.ndim == 2:
        return folded(x[None], output_size, kernel_size, dilation, padding, stride)[0]
    size, lengths = _each_axis(kernel_size, 2), _each_axis(output_size, 2)
    step, apart, pads = (
        _each_axis(stride, 2),
        _each_axis(dilation, 2),
        [(p, p) for p in _each_axis(padding, 2)],
    )
    counts = _counts(lengths, size, step, pads, apart)
    z = x.reshape(*x.shape[:2], *counts)
    w = np.eye(x.shape[1]).reshape(x.shape[1], -1, *size)
    return spread(z, w, step, pads, apart, 1, lengths)


# ---- helpers


def _visits(lengths: Any, extents: Any, stride: Any, padding: Any, dilation: Any) -> Iterator[Any]:
    """Every place, each element of the filter there, and the position it sees, if that is in the image."""
    for place in np.ndindex(*_counts(lengths, extents, stride, padding, dilation)):
        for element in np.ndindex(*extents):
            position = tuple(
                [
                    i * s + k * d - p
                    for i, s, k, d, (p, _) in zip(place, stride, element, dilation, padding, strict=True)
                ]
            )
            if all(0 <= i < n for i, n in zip(position, lengths, strict=True)):
                yield place, element, position


def _counts(lengths: Any, extents: Any, stride: Any, padding: Any, dilation: Any) -> list[int]:
    return [
        len(range(0, n + p + q - (k - 1) * d, s))
        for n, k, s, (p, q), d in zip(lengths, extents, stride, padding, dilation, strict=True)
    ]


def _links(filters: int, channels: int, groups: int) -> Iterator[tuple[int, int, int]]:
    """A filter, a channel of the image that it sees, and which one of its own this is."""
    for o, c in np.ndindex(filters, channels // groups):
        yield o, o // (filters // groups) * (channels // groups) + c, c


def _each_axis(value: Any, rank: int) -> Any:
    return (value,) * rank if isinstance(value, int) else value


def _position(index: Any, rank: int, axes: Any, step: Any, dilation: Any) -> tuple[int, ...]:
    """Where in the array the element of a window lies that stands at ``index`` among all windows."""
    place = list(index[:rank])
    for a, k, s, d in zip(axes, index[rank:], step, dilation, strict=True):
        place[a] = place[a] * s + k * d
    return tuple(place)
