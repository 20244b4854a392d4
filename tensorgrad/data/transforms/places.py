"""Images moved, cut, turned and brought to another size."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from ..._errors import ShapeError
from .._draws import Draws, as_generator
from ._arrays import Size, checked_fill, height_width, images_of, like, raw_of


def center_crop(x: Any, size: Size) -> Any:
    """The middle of images.

    Args:
        x: images ``(..., H, W)``.
        size: of the result: a side, or height and width.
    """
    raw = images_of("center_crop", x, least=2)
    height, width = _fitting("center_crop", raw, size)
    top, left = (raw.shape[-2] - height) // 2, (raw.shape[-1] - width) // 2
    return like(x, raw[..., top : top + height, left : left + width].copy())


def random_crop(x: Any, size: Size, padding: int = 0, fill: float = 0.0, *, generator: Draws = None) -> Any:
    """A part of each image, at a random place.

    Args:
        x: images ``(N, ..., H, W)``.
        size: of the result: a side, or height and width.
        padding: how many pixels to add on each side first.
        fill: the value of those.
        generator: a seed or a generator.
    """
    raw = images_of("random_crop", x)
    if padding:
        around = [(0, 0)] * (raw.ndim - 2) + [(padding, padding)] * 2
        raw = np.pad(raw, around, constant_values=checked_fill("random_crop", raw, fill))
    height, width = _fitting("random_crop", raw, size)
    draw, count = as_generator(generator), len(raw)
    top = draw.integers(raw.shape[-2] - height + 1, size=count)
    left = draw.integers(raw.shape[-1] - width + 1, size=count)
    windows = sliding_window_view(raw, (height, width), axis=(-2, -1))
    return like(x, windows[np.arange(count), ..., top, left, :, :])


def random_shift(x: Any, pixels: int, fill: float = 0.0, *, generator: Draws = None) -> Any:
    """Each image moved by up to ``pixels`` in both directions.

    Args:
        x: images ``(N, ..., H, W)``.
        pixels: the largest distance.
        fill: the value of what comes in from outside.
        generator: a seed or a generator.
    """
    return random_crop(x, raw_of(x).shape[-2:], padding=pixels, fill=fill, generator=generator)


def random_flip(x: Any, p: float = 0.5, axis: int = -1, *, generator: Draws = None) -> Any:
    """Each image mirrored with probability ``p``.

    Args:
        x: images ``(N, ..., H, W)``.
        p: the probability, from 0 to 1.
        axis: -1 swaps left and right, -2 top and bottom.
        generator: a seed or a generator.
    """
    raw = images_of("random_flip", x)
    if not 0 <= p <= 1:
        raise ShapeError(f"random_flip: p={p} given; it is a probability from 0 to 1")
    chosen = as_generator(generator).random(len(raw)) < p
    made = raw.copy()
    made[chosen] = np.flip(raw[chosen], axis)
    return like(x, made)


def random_rotation(x: Any, degrees: float, fill: float = 0.0, *, generator: Draws = None) -> Any:
    """Each image turned about its middle by an angle from ``-degrees`` to ``degrees``, interpolated linearly.

    Args:
        x: images ``(N, ..., H, W)``.
        degrees: the largest angle.
        fill: the value of what comes in from outside.
        generator: a seed or a generator.
    """
    raw = images_of("random_rotation", x)
    count, height, width = len(raw), *raw.shape[-2:]
    checked_fill("random_rotation", raw, fill)
    angle = np.deg2rad(as_generator(generator).uniform(-degrees, degrees, count))[:, None, None]
    rows, columns = np.arange(height)[:, None] - (height - 1) / 2, np.arange(width) - (width - 1) / 2
    # Where a pixel of the result comes from; one pixel of `fill` around the image is where the rest comes from.
    from_row = np.cos(angle) * rows + np.sin(angle) * columns + (height - 1) / 2
    from_column = np.cos(angle) * columns - np.sin(angle) * rows + (width - 1) / 2
    top, down = _cell(from_row, height)
    left, right = _cell(from_column, width)
    around = [(0, 0)] * (raw.ndim - 2) + [(1, 1)] * 2
    padded = np.pad(raw, around, constant_values=fill)
    channels, area = math.prod(raw.shape[1:-2]), (height + 2) * (width + 2)
    pixels = padded.reshape(count, channels, area).swapaxes(1, 2).reshape(count * area, channels)
    corner = (np.arange(count)[:, None, None] * (height + 2) + top) * (width + 2) + left
    mixed: Any = 0.0
    for step, of_row in ((0, 1 - down), (width + 2, down)):
        for aside, of_column in ((0, 1 - right), (1, right)):
            mixed = mixed + (of_row * of_column)[..., None] * pixels.take(corner + step + aside, axis=0)
    made = np.moveaxis(mixed, -1, 1).reshape(raw.shape)
    return like(x, _in_dtype(made, raw.dtype))


def resize(x: Any, size: Size) -> Any:
    """Images in another size: linear interpolation, over a wider window where they shrink.

    Args:
        x: images ``(..., H, W)``.
        size: of the result: a side, or height and width.

    Example:
        >>> resize(np.array([[0.0, 1.0], [2.0, 3.0]]), 1)
        array([[1.5]])
    """
    raw = images_of("resize", x, least=2)
    height, width = height_width("resize", size)
    made = _weights(raw.shape[-2], height) @ raw @ _weights(raw.shape[-1], width).T
    return like(x, _in_dtype(made, raw.dtype))


def _fitting(what: str, raw: NDArray[Any], size: Size) -> tuple[int, int]:
    height, width = height_width(what, size)
    if height > raw.shape[-2] or width > raw.shape[-1]:
        raise ShapeError(
            f"{what}: size {(height, width)} is more than the images' {raw.shape[-2:]}; pad or resize them"
        )
    return height, width


def _in_dtype(made: NDArray[Any], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Averages in the dtype of what was averaged: rounded where that holds whole numbers."""
    return (made if dtype.kind == "f" else np.rint(made)).astype(dtype)


def _cell(place: NDArray[Any], length: int) -> tuple[NDArray[np.intp], NDArray[Any]]:
    """The padded pixel before each place along an axis, and the distance from it."""
    inside = np.clip(place, -1, length) + 1
    before = np.minimum(inside.astype(np.intp), length)
    return before, inside - before


def _weights(old: int, new: int) -> NDArray[np.float64]:
    """The share of each old pixel in each new one: a triangle over at least two pixels."""
    scale = old / new
    middles = (np.arange(new) + 0.5) * scale - 0.5
    share = np.maximum(0, 1 - np.abs(np.arange(old) - middles[:, None]) / max(scale, 1.0))
    share /= share.sum(axis=1, keepdims=True)
    return share
