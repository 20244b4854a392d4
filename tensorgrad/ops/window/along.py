"""Windows that slide along one axis: their maximum and their sum, and what leads back from them.

A window over several axes is a window along each of them in turn, for maxima and for sums, so these
cards know one axis. Elements outside of the array, where the padding is, do not take part.
"""

from __future__ import annotations

from collections.abc import Iterator
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


# ---- maxima


@primitive
def window_max(x: Any, /, axis: int, window: Window) -> Any:
    """The largest element of each window along a negative axis; of equal ones the first gets the gradient."""
    if x.dtype.kind == "c":
        raise DtypeError(f"window_max: x has dtype {x.dtype}; complex numbers have no order")
    _check("window_max", x, axis)
    y = np.full(_length(x.shape, axis, window.number), _lowest(x.dtype))
    rows, found = _front(x, axis), _front(y, axis)
    for _, windows, places in window.parts(x.shape[axis]):
        np.maximum(found[windows], rows[places], out=found[windows])
    return y


@constant
def window_leader(x: Any, top: Any, /, axis: int, window: Window) -> Any:
    """The place in each window of the first element that is its maximum ``top``, or of the first NaN."""
    _check("window_leader", x, axis)
    rows, tops = _front(x, axis), _front(top, axis)
    has_nan = bool(np.isnan(top).any())
    missing = np.ones(tops.shape, bool)
    leader = np.zeros(top.shape, np.min_scalar_type(window.size))
    steps = _front(leader, axis)
    for _, windows, places in window.parts(x.shape[axis]):
        differs = np.not_equal(rows[places], tops[windows])
        if has_nan:
            differs &= ~np.isnan(rows[places])
        missing[windows] &= differs
        # Each place without the maximum, and with none before it, moves the answer on by one.
        steps += missing
    return leader


@linear
def window_read(x: Any, leader: Any, /, axis: int, window: Window) -> Any:
    """The element of each window at the place that ``leader`` names."""
    _check("window_read", x, axis)
    y = np.zeros(_length(x.shape, axis, window.number), x.dtype)
    rows, found, which = _front(x, axis), _front(y, axis), _front(leader, axis)
    select = _selector(x)
    for k, windows, places in window.parts(x.shape[axis]):
        found[windows] += select(rows[places], which[windows] == k)
    return y


@linear
def window_add(x: Any, leader: Any, /, axis: int, window: Window, length: int) -> Any:
    """Zeros with an element for each window added at the place that ``leader`` names."""
    _check("window_add", x, axis)
    y = np.zeros(_length(x.shape, axis, length), x.dtype)
    rows, found, which = _front(x, axis), _front(y, axis), _front(leader, axis)
    select = _selector(x)
    for k, windows, places in window.parts(length):
        found[places] += select(rows[windows], which[windows] == k)
    return y


window_max.vjp(
    x=lambda g, x, y, axis, window: window_add(
        g, window_leader(x, y, axis, window), axis, window, x.shape[axis]
    )
)
window_max.jvp(
    x=lambda t, x, y, axis, window: window_read(t, window_leader(x, y, axis, window), axis, window)
)
window_read.transpose(
    x=lambda g, leader, x_shape, axis, window: window_add(g, leader, axis, window, x_shape[axis])
)
window_add.transpose(x=lambda g, leader, axis, window: window_read(g, leader, axis, window))


# ---- sums


@linear
def window_sum(x: Any, /, axis: int, window: Window) -> Any:
    """The sum of each window along a negative axis; float16 is added up in float32."""
    _check("window_sum", x, axis)
    y = np.zeros(_length(x.shape, axis, window.number), _wide(x.dtype))
    rows, sums = _front(x, axis), _front(y, axis)
    for _, windows, places in window.parts(x.shape[axis]):
        sums[windows] += rows[places]
    return y.astype(x.dtype, copy=False)


@linear
def window_spread(x: Any, /, axis: int, window: Window, length: int) -> Any:
    """Zeros with the element of each window added at all its places: the transpose of `window_sum`."""
    _check("window_spread", x, axis)
    y = np.zeros(_length(x.shape, axis, length), _wide(x.dtype))
    rows, sums = _front(x, axis), _front(y, axis)
    for _, windows, places in window.parts(length):
        sums[places] += rows[windows]
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


def _check(op: str, x: Any, axis: int) -> None:
    if not -x.ndim <= axis < 0:
        raise ShapeError(f"{op}: axis {axis} is out of range for x {x.shape}; it counts from the end")


def _length(shape: tuple[int, ...], axis: int, n: int) -> tuple[int, ...]:
    whole = list(shape)
    whole[axis] = n
    return tuple(whole)


def _front(x: Any, axis: int) -> Any:
    return np.moveaxis(x, axis, 0)


def _wide(dtype: Any) -> Any:
    return np.float32 if dtype.char == "e" else dtype


def _lowest(dtype: Any) -> Any:
    if dtype.kind == "f":
        return dtype.type(-np.inf)
    return dtype.type(np.iinfo(dtype).min if dtype.kind in "iu" else False)


def _selector(x: Any) -> Any:
    """``where(mask, x, 0)``: by a product, ten times faster, if no infinity is there to become NaN."""
    if np.isfinite(x).all():
        return np.multiply
    return lambda part, mask: np.where(mask, part, x.dtype.type(0))
