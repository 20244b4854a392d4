"""Windows that slide along axes: their maximum and their sum, and what leads back from them.

A window over several axes is a window along each of them in turn, for maxima and for sums. The cards of
sums know one axis; those of maxima also take several at once, which for small windows is faster. Elements
outside of the array, where the padding is, do not take part. Results lie in memory as ``x`` does.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import product
from typing import Any, NamedTuple

import numpy as np

from ..._errors import DtypeError, ShapeError
from ..._primitive import constant, linear, primitive
from ..shape import broadcast_to


class Window(NamedTuple):
    """Windows along an axis: window ``j`` has the places ``j * stride + k * dilation - before``, k < size."""

    size: int
    stride: int
    before: int
    dilation: int
    number: int

    def parts(self, n: int) -> Iterator[tuple[int, slice, slice]]:
        """For each ``k``: the windows whose k-th place is in an axis of length ``n``, and these places."""
        for k in range(self.size):
            first = k * self.dilation - self.before
            low = max(0, -(first // self.stride))
            high = min(self.number, (n - 1 - first) // self.stride + 1)
            if low < high:
                start, stop = low * self.stride + first, (high - 1) * self.stride + first + 1
                yield k, slice(low, high), slice(start, stop, self.stride)
            else:
                yield k, slice(0, 0), slice(0, 0)

    def counts(self, n: int) -> Any:
        """How many places of each window are in an axis of length ``n``."""
        found = np.zeros(self.number, np.intp)
        for _, windows, _ in self.parts(n):
            found[windows] += 1
        return found


Windows = tuple[Window, ...]

# ---- maxima


@primitive
def window_max(x: Any, /, axis: int, windows: Windows) -> Any:
    """The largest element of each window over the axes from a negative one on.

    Of equal ones the first gets the gradient.
    """
    if x.dtype.kind == "c":
        raise DtypeError(f"window_max: x has dtype {x.dtype}; complex numbers have no order")
    _check("window_max", x, axis, windows)
    steps = [(found, places) for _, found, places in _parts(x.shape, axis, windows)]
    shape = _shape(x.shape, axis, [window.number for window in windows])
    if x.size and all(x[places].shape == shape for _, places in steps):
        y = x[steps[0][1]].copy("K")
        steps = steps[1:]
    else:
        y = np.full_like(x, _lowest(x.dtype), shape=shape)
    for found, places in steps:
        np.maximum(y[found], x[places], out=y[found])
    return y


@constant
def window_leader(x: Any, top: Any, /, axis: int, windows: Windows) -> Any:
    """The place in each window of the first element that is its maximum ``top``, or of the first NaN."""
    _check("window_leader", x, axis, windows)
    has_nan = bool(np.isnan(top).any())
    missing = np.ones_like(top, bool)
    leader = np.zeros_like(top, np.min_scalar_type(math.prod([window.size for window in windows])))
    buffer = np.empty_like(missing)
    for _, found, places in _parts(x.shape, axis, windows):
        differs = np.not_equal(x[places], top[found], out=buffer[found])
        if has_nan:
            differs &= ~np.isnan(x[places])
        missing[found] &= differs
        # Each place without the maximum, and with none before it, moves the answer on by one.
        leader += missing
    return leader


@linear
def window_read(x: Any, leader: Any, /, axis: int, windows: Windows) -> Any:
    """The element of each window at the place that ``leader`` names."""
    _check("window_read", x, axis, windows)
    y = np.zeros_like(x, shape=_shape(x.shape, axis, [window.number for window in windows]))
    if leader.shape != y.shape:
        raise ShapeError(
            f"window_read: leader {leader.shape} for windows of x {x.shape}; {y.shape} is needed"
        )
    select, part = _selector(x), np.empty_like(y)
    for k, found, places in _parts(x.shape, axis, windows):
        y[found] += select(x[places], leader[found] == k, out=part[found])
    return y


@linear
def window_add(x: Any, leader: Any, /, axis: int, windows: Windows, lengths: tuple[int, ...]) -> Any:
    """Zeros with an element for each window added at the place that ``leader`` names."""
    _check("window_add", x, axis, windows)
    y = np.zeros_like(leader, x.dtype, shape=_shape(x.shape, axis, lengths))  # as what `window_max` saw
    apart = all(window.stride > (window.size - 1) * window.dilation for window in windows)
    select, named, part = _selector(x), np.empty_like(leader, bool), np.empty_like(leader, x.dtype)
    for k, found, places in _parts(y.shape, axis, windows):
        np.equal(leader[found], k, out=named[found])
        select(x[found], named[found], out=part[found])
        if apart:
            y[places] = np.add(part[found], 0, out=part[found])  # no -0 from a product with False
        else:
            y[places] += part[found]
    return y


window_max.vjp(
    x=lambda g, x, y, axis, windows: window_add(
        g, window_leader(x, y, axis, windows), axis, windows, _lengths(x.shape, axis, windows)
    )
)
window_max.jvp(
    x=lambda t, x, y, axis, windows: window_read(t, window_leader(x, y, axis, windows), axis, windows)
)
window_read.transpose(
    x=lambda g, leader, x_shape, axis, windows: window_add(
        g, leader, axis, windows, _lengths(x_shape, axis, windows)
    )
)
window_add.transpose(x=lambda g, leader, axis, windows: window_read(g, leader, axis, windows))


# ---- sums


@linear
def window_sum(x: Any, /, axis: int, window: Window) -> Any:
    """The sum of each window along a negative axis; float16 is added up in float32."""
    _check("window_sum", x, axis, (window,))
    parts = [(found, places) for _, found, places in _parts(x.shape, axis, (window,))]
    shape = _shape(x.shape, axis, (window.number,))
    wide = _wide(x.dtype)
    if x.size and all(x[places].shape == shape for _, places in parts):
        y = x[parts[0][1]].astype(wide, order="K")
        parts = parts[1:]
    else:
        y = np.zeros_like(x, wide, shape=shape)
    for found, places in parts:
        y[found] += x[places]
    return y.astype(x.dtype, copy=False)


@linear
def window_spread(x: Any, /, axis: int, window: Window, length: int) -> Any:
    """Zeros with the element of each window added at all its places: the transpose of `window_sum`."""
    _check("window_spread", x, axis, (window,))
    y = np.zeros_like(x, _wide(x.dtype), shape=_shape(x.shape, axis, (length,)))
    for _, found, places in _parts(y.shape, axis, (window,)):
        y[places] += x[found]
    return y.astype(x.dtype, copy=False)


window_sum.transpose(x=lambda g, x_shape, axis, window: window_spread(g, axis, window, x_shape[axis]))
window_spread.transpose(x=lambda g, axis, window: window_sum(g, axis, window))


# ---- batching: the axis counts from the end, so that any axes may stand in front


def _batch(op: Any) -> Any:
    def rule(size: int, batched: Any, args: Any, **settings: Any) -> Any:
        return op(
            *[a if own else broadcast_to(a, (size, *a.shape)) for a, own in zip(args, batched, strict=True)],
            **settings,
        )

    return rule


for _op in (window_max, window_leader, window_read, window_add, window_sum, window_spread):
    _op.batching(_batch(_op))


# ---- helpers


def _parts(shape: tuple[int, ...], axis: int, windows: Windows) -> Iterator[tuple[int, Any, Any]]:
    """For each place of a window: its number, the windows that have it in the array, and where they have it."""
    each = [window.parts(n) for n, window in zip(_lengths(shape, axis, windows), windows, strict=True)]
    behind = [slice(None)] * (-axis - len(windows))
    for k, steps in enumerate(product(*each)):
        yield (
            k,
            (..., *[found for _, found, _ in steps], *behind),
            (..., *[places for _, _, places in steps], *behind),
        )


def _check(op: str, x: Any, axis: int, windows: Windows) -> None:
    if not -x.ndim <= axis <= -len(windows):
        raise ShapeError(f"{op}: axis {axis} is out of range for x {x.shape}; it counts from the end")


def _lengths(shape: tuple[int, ...], axis: int, windows: Windows) -> tuple[int, ...]:
    first = axis + len(shape)
    return shape[first : first + len(windows)]


def _shape(shape: tuple[int, ...], axis: int, lengths: Sequence[int]) -> tuple[int, ...]:
    first = axis + len(shape)
    return (*shape[:first], *lengths, *shape[first + len(lengths) :])


def _wide(dtype: Any) -> Any:
    return np.float32 if dtype.char == "e" else dtype


def _lowest(dtype: Any) -> Any:
    if dtype.kind == "f":
        return dtype.type(-np.inf)
    return dtype.type(np.iinfo(dtype).min if dtype.kind in "iu" else False)


def _selector(x: Any) -> Any:
    """``where(mask, x, 0)``: by a product, several times faster, if no infinity is there to become NaN."""
    return np.multiply if np.isfinite(x).all() else _chosen


def _chosen(x: Any, mask: Any, out: Any) -> Any:
    out[...] = 0
    np.copyto(out, x, where=mask)
    return out
