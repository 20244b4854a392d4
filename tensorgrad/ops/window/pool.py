"""The maximum of windows that slide over the last one, two or three axes, and the way back."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..._errors import DtypeError, IndexingError, ShapeError
from ..._primitive import constant
from ..dtype import astype
from ..index import set_at, take_along_axis
from ..shape import lifted, reshape
from .along import Window, window_leader, window_max
from .arguments import Sizes, images, per_axis, windows_for

# ---- maximum


def max_pool1d(
    x: Any,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    dilation: Sizes = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The largest element of each window over the last axis, see `max_pool2d`.

    Shape:
        x ``(N, C, L)`` or ``(C, L)``.
    """
    return _max_pool("max_pool1d", 1, x, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


def max_pool2d(
    x: Any,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    dilation: Sizes = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The largest element of each window over the last two axes.

    Of equal elements the first one, row by row, gets the gradient. A NaN is larger than all else.

    Args:
        x: images, of floats or integers.
        kernel_size: size of the windows, one number or one for each axis.
        stride: step from window to window, the size if None.
        padding: how far windows may reach over each end, at most half of their extent; nothing out
            there is ever the maximum.
        dilation: distance of the places of a window.
        ceil_mode: also take a last window that reaches over the end, if it starts before it.
        return_indices: also return the position of each maximum in its flattened image, as int64.

    Shape:
        x ``(N, C, H, W)`` or ``(C, H, W)`` to the same with
        ``H' = (H + 2 padding - dilation (kernel_size - 1) - 1) / stride + 1``, rounded down, or up in ceil mode.

    Raises:
        ShapeError: a window does not fit, lies in the padding alone, or an argument is out of range.
        DtypeError: complex numbers, which have no order.

    Example:
        >>> import tensorgrad as tg
        >>> tg.nn.functional.max_pool2d(tg.tensor([[[1.0, 2.0], [4.0, 3.0]]]), 2, return_indices=True)
        (tensor([[[4.]]]), tensor([[[2]]]))
    """
    return _max_pool("max_pool2d", 2, x, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


def max_pool3d(
    x: Any,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    dilation: Sizes = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The largest element of each window over the last three axes, see `max_pool2d`.

    Shape:
        x ``(N, C, D, H, W)`` or ``(C, D, H, W)``.
    """
    return _max_pool("max_pool3d", 3, x, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


def max_unpool1d(
    x: Any,
    indices: Any,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    output_size: Sequence[int] | None = None,
) -> Any:
    """Zeros with the elements of ``x`` at ``indices`` of the last axis, see `max_unpool2d`.

    Shape:
        x ``(N, C, L)`` or ``(C, L)``.
    """
    return _max_unpool("max_unpool1d", 1, x, indices, kernel_size, stride, padding, output_size)


def max_unpool2d(
    x: Any,
    indices: Any,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    output_size: Sequence[int] | None = None,
) -> Any:
    """Zeros with the elements of ``x`` at ``indices``: the way back from `max_pool2d` to its maxima.

    Where an index occurs more than once, the last element counts, and only it gets a gradient.

    Args:
        x: the maxima.
        indices: their positions in the flattened image, as ``return_indices=True`` gives them.
        kernel_size: as it was in pooling.
        stride: likewise.
        padding: likewise.
        output_size: the size of the images, or the whole shape, where several sizes pool to this one.

    Shape:
        x ``(N, C, H, W)`` or ``(C, H, W)`` to the same with
        ``H' = (H - 1) stride - 2 padding + kernel_size``, or to ``output_size``, which differs from it by
        less than ``stride``.

    Raises:
        ShapeError: ``indices`` do not have the shape of ``x``, or ``output_size`` does not fit.
        IndexingError: an index is outside of the image.

    Example:
        >>> import tensorgrad as tg
        >>> tg.nn.functional.max_unpool2d(tg.tensor([[[4.0]]]), tg.tensor([[[2]]]), 2)
        tensor([[[0., 0.],
                 [4., 0.]]])
    """
    return _max_unpool("max_unpool2d", 2, x, indices, kernel_size, stride, padding, output_size)


def max_unpool3d(
    x: Any,
    indices: Any,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    output_size: Sequence[int] | None = None,
) -> Any:
    """Zeros with the elements of ``x`` at ``indices`` of the last three axes, see `max_unpool2d`.

    Shape:
        x ``(N, C, D, H, W)`` or ``(C, D, H, W)``.
    """
    return _max_unpool("max_unpool3d", 3, x, indices, kernel_size, stride, padding, output_size)


# ---- for any number of axes

SMALL = 9
"""Places of a window that are looked at one by one, rather than the rows of windows and then their columns."""


def _max_pool(
    op: str,
    rank: int,
    x: Any,
    kernel_size: Any,
    stride: Any,
    padding: Any,
    dilation: Any,
    ceil_mode: bool,
    return_indices: bool,
) -> Any:
    x = images(op, rank, x)
    windows = windows_for(op, rank, x.shape, kernel_size, stride, padding, dilation, ceil_mode)
    for n, window in zip(x.shape[-rank:], windows, strict=True):
        if not window.counts(n).all():
            raise ShapeError(f"{op}: a window lies in the padding alone; {window} over {n} elements")
    return maxima(op, x, windows, return_indices)


def maxima(op: str, x: Any, windows: Sequence[Window], return_indices: bool) -> Any:
    """The maxima of windows over the last axes, and their positions in the plane of these if wanted."""
    if x.dtype.kind == "c":
        raise DtypeError(f"{op}: x has dtype {x.dtype}; complex numbers have no order")
    lengths = x.shape[-len(windows) :]
    if not return_indices and math.prod([window.size for window in windows]) <= SMALL:
        return window_max(x, -len(windows), tuple(windows))
    positions: Any = None
    # The last axis first: then the first of equal rows wins, and in it the first column.
    for axis in range(-1, -len(windows) - 1, -1):
        window, y = windows[axis], window_max(x, axis, (windows[axis],))
        if return_indices:
            own = _places(window_leader(x, y, axis, (window,)), axis, window)
            below = 0 if positions is None else take_along_axis(positions, own, axis)
            positions = own * math.prod(lengths[axis + len(lengths) + 1 :]) + below
        x = y
    return (x, positions) if return_indices else x


def _places(leader: Any, axis: int, window: Window) -> Any:
    """The position along the axis of a place in each window."""
    starts = np.arange(window.number) * window.stride - window.before
    return astype(leader, np.int64) * window.dilation + starts.reshape((-1, *[1] * (-axis - 1)))


def _max_unpool(
    op: str, rank: int, x: Any, indices: Any, kernel_size: Any, stride: Any, padding: Any, output_size: Any
) -> Any:
    x, indices = images(op, rank, x), lifted(op, indices)
    if indices.dtype.kind not in "iu" or indices.shape != x.shape:
        raise ShapeError(
            f"{op}: x is {x.shape} and indices are {indices.shape} of dtype {indices.dtype}; "
            "an integer for each element is needed"
        )
    kernel = per_axis(op, "kernel_size", rank, kernel_size, 1)
    steps = per_axis(op, "stride", rank, kernel if stride is None else stride, 1)
    pads = per_axis(op, "padding", rank, padding, 0)
    least = [(n - 1) * s - 2 * p + k for n, k, s, p in zip(x.shape[-rank:], kernel, steps, pads, strict=True)]
    sizes = least
    if output_size is not None:
        given = list(output_size)[-rank:] if len(output_size) in (rank, x.ndim) else output_size
        sizes = list(per_axis(op, "output_size", rank, given, 1))
        if any(not m - s < n < m + s for n, m, s in zip(sizes, least, steps, strict=True)):
            raise ShapeError(f"{op}: output_size {sizes} is not less than a stride {steps} from {least}")
    rows, plane = math.prod(x.shape[:-rank]), math.prod(sizes)
    zeros = np.zeros((rows, plane), x.dtype)
    at = reshape(plane_positions(indices, op, plane), (rows, math.prod(x.shape[-rank:])))
    filled = set_at(zeros, reshape(x, at.shape), np.arange(rows)[:, None], at, pattern=("array", "array"))
    return reshape(filled, (*x.shape[:-rank], *sizes))


@constant
def plane_positions(indices: Any, /, function: str, plane: int) -> Any:
    """Integers as they are, if each is a position in a plane of that many elements."""
    if indices.size and (indices.min() < 0 or indices.max() >= plane):
        raise IndexingError(
            f"{function}: indices run from {indices.min()} to {indices.max()}; [0, {plane}) is the range"
        )
    return indices.astype(np.intp)


plane_positions.batching(lambda size, batched, args, **settings: plane_positions(args[0], **settings))
