"""The mean, or a norm, of windows that slide over the last one, two or three axes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..._errors import DtypeError, ShapeError
from ..compare import equal
from ..dtype import astype, stop_gradient
from ..elementwise import abs, divide, multiply, power, where
from ..reduce import max
from .along import Window, window_sum
from .arguments import Sizes, images, windows_for


def avg_pool1d(
    x: Any,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Any:
    """The mean of each window over the last axis, see `avg_pool2d`.

    Shape:
        x ``(N, C, L)`` or ``(C, L)``.
    """
    return _avg_pool("avg_pool1d", 1, x, kernel_size, stride, padding, ceil_mode, count_include_pad, None)


def avg_pool2d(
    x: Any,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: float | None = None,
) -> Any:
    """The mean of each window over the last two axes; of integers it is a float.

    Args:
        x: images.
        kernel_size: size of the windows, one number or one for each axis.
        stride: step from window to window, the size if None.
        padding: zeros on each side, at most half of the window.
        ceil_mode: also take a last window that reaches over the end, if it starts before it.
        count_include_pad: whether zeros of the padding count as elements. What is beyond, in ceil mode,
            never does.
        divisor_override: divide the sums by this number instead.

    Shape:
        x ``(N, C, H, W)`` or ``(C, H, W)`` to the same with
        ``H' = (H + 2 padding - kernel_size) / stride + 1``, rounded down, or up in ceil mode.

    Raises:
        ShapeError: a window does not fit, or an argument is out of range.

    Example:
        >>> import tensorgrad as tg
        >>> tg.nn.functional.avg_pool2d(tg.tensor([[[1.0, 2.0], [4.0, 3.0]]]), 2)
        tensor([[[2.5]]])
    """
    return _avg_pool(
        "avg_pool2d", 2, x, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override
    )


def avg_pool3d(
    x: Any,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: float | None = None,
) -> Any:
    """The mean of each window over the last three axes, see `avg_pool2d`.

    Shape:
        x ``(N, C, D, H, W)`` or ``(C, D, H, W)``.
    """
    return _avg_pool(
        "avg_pool3d", 3, x, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override
    )


def lp_pool1d(
    x: Any, norm_type: float, kernel_size: Sizes, stride: Sizes | None = None, ceil_mode: bool = False
) -> Any:
    """The power mean of each window over the last axis times its size, see `lp_pool2d`."""
    return _lp_pool("lp_pool1d", 1, x, norm_type, kernel_size, stride, ceil_mode)


def lp_pool2d(
    x: Any, norm_type: float, kernel_size: Sizes, stride: Sizes | None = None, ceil_mode: bool = False
) -> Any:
    """``sum(x ** p) ** (1 / p)`` of each window over the last two axes, with ``p = norm_type``.

    For ``p = 1`` it is the sum. Powers are those of ``x``, not of ``abs(x)``: for an odd ``p`` a negative
    sum gives NaN, as everywhere for such a root. Where the sum is 0 the gradient is 0. In ceil mode the
    sum over a window that reaches over the end is scaled up to the full size.

    Args:
        x: images, ``(N, C, H, W)`` or ``(C, H, W)``; of integers the result is a float.
        norm_type: the power, positive and finite.
        kernel_size: size of the windows, one number or one for each axis.
        stride: step from window to window, the size if None.
        ceil_mode: also take a last window that reaches over the end, if it starts before it.

    Raises:
        ShapeError: a window does not fit, or an argument is out of range.
        DtypeError: ``norm_type`` is not a positive finite number.

    Example:
        >>> import tensorgrad as tg
        >>> tg.nn.functional.lp_pool2d(tg.tensor([[[3.0, 0.0], [4.0, 0.0]]]), 2, 2)
        tensor([[[5.]]])
    """
    return _lp_pool("lp_pool2d", 2, x, norm_type, kernel_size, stride, ceil_mode)


def lp_pool3d(
    x: Any, norm_type: float, kernel_size: Sizes, stride: Sizes | None = None, ceil_mode: bool = False
) -> Any:
    """The power mean of each window over the last three axes times its size, see `lp_pool2d`."""
    return _lp_pool("lp_pool3d", 3, x, norm_type, kernel_size, stride, ceil_mode)


# ---- for any number of axes


def _avg_pool(
    op: str,
    rank: int,
    x: Any,
    kernel_size: Any,
    stride: Any,
    padding: Any,
    ceil_mode: bool,
    count_include_pad: bool,
    divisor_override: float | None,
) -> Any:
    x = images(op, rank, x)
    windows = windows_for(op, rank, x.shape, kernel_size, stride, padding, (1,) * rank, ceil_mode)
    if divisor_override is not None and not divisor_override:
        raise ShapeError(f"{op}: divisor_override is 0; it divides the sums")
    return means(x, windows, count_include_pad, divisor_override)


def means(x: Any, windows: Sequence[Window], count_include_pad: bool, divisor: float | None) -> Any:
    """The means of windows over the last axes."""
    if x.dtype == np.float16:  # sums may be larger than float16 can hold
        return astype(means(astype(x, np.float32), windows, count_include_pad, divisor), np.float16)
    x = x if x.dtype.kind in "fc" else astype(x, np.float64)
    lengths = x.shape[-len(windows) :]
    for axis in range(-1, -len(windows) - 1, -1):
        x = window_sum(x, axis, windows[axis])
    if divisor is not None:
        return divide(x, divisor)
    counts: Any = 1
    for n, window in zip(lengths, windows, strict=True):
        counts = np.multiply.outer(counts, _divisors(window, n, count_include_pad))
    if (counts == counts.flat[0]).all():
        return divide(x, int(counts.flat[0]))
    return divide(x, counts.astype(x.real.dtype))


def _divisors(window: Window, n: int, count_include_pad: bool) -> Any:
    if not count_include_pad:
        return window.counts(n)
    starts = np.arange(window.number) * window.stride
    return np.minimum(window.size, n + 2 * window.before - starts)


def _lp_pool(
    op: str, rank: int, x: Any, norm_type: float, kernel_size: Any, stride: Any, ceil_mode: bool
) -> Any:
    x = images(op, rank, x)
    if not 0 < norm_type < math.inf:
        raise DtypeError(
            f"{op}: norm_type is {norm_type}; a positive finite number is needed, and for infinity "
            f"max_pool{rank}d of abs(x)"
        )
    if x.dtype.kind == "c":
        raise DtypeError(f"{op}: x has dtype {x.dtype}; real numbers are needed")
    if x.dtype.kind != "f":
        x = astype(x, np.float64)
    if x.dtype == np.float16:
        wide = _lp_pool(op, rank, astype(x, np.float32), norm_type, kernel_size, stride, ceil_mode)
        return astype(wide, np.float16)
    windows = windows_for(op, rank, x.shape, kernel_size, stride, (0,) * rank, (1,) * rank, ceil_mode)
    full = math.prod([window.size for window in windows])
    if norm_type == 1:
        return multiply(means(x, windows, True, None), full)
    # Powers of large and small numbers leave the range where the root of their sum does not.
    largest = stop_gradient(max(abs(x), tuple(range(-rank, 0)), True))
    scale = where((largest > 0) & (largest < math.inf), largest, 1.0)
    sums = multiply(means(power(divide(x, scale), norm_type), windows, True, None), full)
    # The root has an infinite slope at 0, and 0 * inf would be NaN: shift zeros to 1 for the slope only.
    flat = equal(sums, 0)
    return multiply(power(where(flat, 1.0, sums), 1 / norm_type) * (flat == 0), scale)
