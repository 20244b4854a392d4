"""Rearrangements of images and signals: padding, shuffling of pixels and channels, resizing, one-hot vectors."""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from ... import ops
from ..._errors import DtypeError, ShapeError
from ...ops.shape import lifted
from ...ops.window import interpolate

# PyTorch's names of the modes, and NumPy's.
MODES = {"constant": "constant", "reflect": "reflect", "replicate": "edge", "circular": "wrap"}


def pad(input: Any, pad: Sequence[int], mode: str = "constant", value: float | None = None) -> Any:
    """The input with elements added at the ends of its last axes, or taken away.

    Args:
        input: of any shape.
        pad: two counts for each axis, before and after, the **last axis first**; negative ones take away.
        mode: ``"constant"`` puts in ``value``; ``"reflect"`` goes back without repeating the last element,
            ``"replicate"`` repeats it, ``"circular"`` goes on at the other end.
        value: for ``"constant"``, 0 if None.

    Raises:
        ShapeError: the counts are no pairs, more pairs than axes, or more than the mode has elements for; or the
            mode is unknown, or takes no value.
        DtypeError: the input is of integers and ``value`` is not.

    Example:
        >>> import tensorgrad as tg
        >>> tg.nn.functional.pad(tg.tensor([[1.0, 2.0, 3.0]]), (2, -1), mode="circular")
        tensor([[1., 2., 1., 2.]])
    """
    x = lifted("pad", input)
    counts = [operator.index(n) for n in pad]
    if len(counts) % 2 or len(counts) > 2 * x.ndim:
        raise ShapeError(
            f"pad: {tuple(counts)} given for an input of shape {x.shape}; a pair for each axis is needed"
        )
    if mode not in MODES:
        raise ShapeError(f"pad: mode is {mode!r}; {', '.join(MODES)} are known")
    if value and mode != "constant":
        raise ShapeError(f"pad: value is {value}, and mode {mode!r} takes none")
    if value and x.dtype.kind not in "fc" and value != int(value):
        raise DtypeError(f"pad: value is {value}, which an input of dtype {x.dtype} cannot hold")
    pairs = [
        *[(0, 0)] * (x.ndim - len(counts) // 2),
        *reversed([*zip(counts[::2], counts[1::2], strict=True)]),
    ]
    for axis, pair in enumerate(pairs):
        _check_fits(x.shape, axis, pair, mode)
    if mode == "circular":  # only there it matters what comes first
        x = _cut(x, pairs)
    if max(counts, default=0) > 0:
        settings = {} if value is None else {"constant_values": value}
        x = ops.pad(x, [(max(0, b), max(0, a)) for b, a in pairs], MODES[mode], **settings)
    return _cut(x, pairs) if mode != "circular" else x


def _cut(x: Any, pairs: list[tuple[int, int]]) -> Any:
    """Without the elements that negative counts take away."""
    if all(min(pair) >= 0 for pair in pairs):
        return x
    return x[tuple([slice(max(0, -b), n - max(0, -a)) for n, (b, a) in zip(x.shape, pairs, strict=True)])]


def _check_fits(shape: tuple[int, ...], axis: int, pair: tuple[int, int], mode: str) -> None:
    n = shape[axis]
    left = n + min(0, pair[0]) + min(0, pair[1])
    most = {"reflect": n - 1, "circular": left, "replicate": math.inf if n else 0}.get(mode, math.inf)
    if left < 0 or max(*pair, 0) > max(most, 0):
        raise ShapeError(
            f"pad: {pair} given for axis {axis} of an input of shape {shape}; mode {mode!r} has too few elements there"
        )


# ---- pixels and channels


def pixel_shuffle(input: Any, upscale_factor: int) -> Any:
    """Channels moved into the plane: ``(..., C * r * r, H, W)`` becomes ``(..., C, H * r, W * r)``.

    Args:
        input: with three axes or more.
        upscale_factor: r, at least 1.

    Raises:
        ShapeError: there are fewer axes, or the channels are no multiple of ``r * r``.

    Source:
        W. Shi et al., "Real-time single image and video super-resolution using an efficient sub-pixel
        convolutional neural network", CVPR 2016.
    """
    x, r = _image("pixel_shuffle", input, upscale_factor)
    *lead, channels, h, w = x.shape
    if channels % (r * r):
        raise ShapeError(f"pixel_shuffle: {channels} channels of shape {x.shape} are no multiple of {r}**2")
    parts = ops.reshape(x, (*lead, channels // (r * r), r, r, h, w))
    return ops.reshape(_permuted(parts, 0, 3, 1, 4, 2), (*lead, channels // (r * r), h * r, w * r))


def pixel_unshuffle(input: Any, downscale_factor: int) -> Any:
    """The plane moved into channels, the inverse of `pixel_shuffle`.

    Raises:
        ShapeError: there are fewer than three axes, or height or width is no multiple of the factor.
    """
    x, r = _image("pixel_unshuffle", input, downscale_factor)
    *lead, channels, h, w = x.shape
    if h % r or w % r:
        raise ShapeError(f"pixel_unshuffle: height and width of shape {x.shape} are no multiples of {r}")
    parts = ops.reshape(x, (*lead, channels, h // r, r, w // r, r))
    return ops.reshape(_permuted(parts, 0, 2, 4, 1, 3), (*lead, channels * r * r, h // r, w // r))


def channel_shuffle(input: Any, groups: int) -> Any:
    """Channels dealt out anew: the first of each group, then the second of each, and so on.

    Args:
        input: ``(N, C, ...)``.
        groups: how many groups of channels there are.

    Raises:
        ShapeError: there are fewer than three axes, or the channels cannot be divided into such groups.

    Source:
        X. Zhang et al., "ShuffleNet", CVPR 2018.
    """
    x = lifted("channel_shuffle", input)
    if x.ndim < 3 or groups < 1 or x.shape[1] % groups:
        raise ShapeError(
            f"channel_shuffle: (N, C, ...) with C in {groups} groups is needed, not shape {x.shape}"
        )
    n, channels, *rest = x.shape
    parts = ops.reshape(x, (n, groups, channels // groups, *rest))
    return ops.reshape(ops.swapaxes(parts, 1, 2), x.shape)


def _image(op: str, input: Any, factor: int) -> tuple[Any, int]:
    x = lifted(op, input)
    if x.ndim < 3 or operator.index(factor) < 1:
        raise ShapeError(
            f"{op}: a shape {x.shape} and a factor {factor} given; (..., C, H, W) and 1 or more are needed"
        )
    return x, operator.index(factor)


def _permuted(x: Any, *order: int) -> Any:
    """The last axes in another order."""
    lead = x.ndim - len(order)
    return ops.permute_dims(x, (*range(lead), *[lead + i for i in order]))


# ---- sizes


def upsample(
    input: Any,
    size: Any = None,
    scale_factor: Any = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
) -> Any:
    """`interpolate` by its old name."""
    return interpolate(input, size, scale_factor, mode, align_corners)


def upsample_nearest(input: Any, size: Any = None, scale_factor: Any = None) -> Any:
    """`interpolate` with the nearest element."""
    return interpolate(input, size, scale_factor, "nearest")


def upsample_bilinear(input: Any, size: Any = None, scale_factor: Any = None) -> Any:
    """`interpolate` in straight lines, with the corners kept."""
    return interpolate(input, size, scale_factor, "bilinear", True)


# ---- classes


def one_hot(tensor: Any, num_classes: int = -1) -> Any:
    """A 1 at the position that each class index names, zeros elsewhere, as int64.

    Args:
        tensor: integers of any shape.
        num_classes: the length of the new last axis; by default one more than the largest index.

    Raises:
        DtypeError: the indices are no integers.
        ShapeError: an index is negative or too large, or there are none and ``num_classes`` is not given.

    Example:
        >>> import tensorgrad as tg
        >>> tg.nn.functional.one_hot(tg.tensor([2, 0]))
        tensor([[0, 0, 1],
                [1, 0, 0]])
    """
    x = lifted("one_hot", tensor)
    if x.dtype.kind not in "iu":
        raise DtypeError(f"one_hot: the indices have dtype {x.dtype}; integers are needed")
    if num_classes == -1:
        if 0 in x.shape:
            raise ShapeError(
                f"one_hot: no index in shape {x.shape} to tell the number of classes; give num_classes"
            )
        num_classes = int(ops.max(x)) + 1
    return ops.one_hot(x, num_classes, dtype=np.int64)
