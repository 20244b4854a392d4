"""Changes of whole batches: scaling, encoding, and random augmentation of images.

Images are arrays ``(N, ..., H, W)``: samples first, rows and columns last, channels, if any, between. A function
gives arrays for arrays and tensors for tensors; no gradient flows through. What is drawn is drawn for each
sample on its own, from ``generator=``: a seed, a generator, or by default `tensorgrad.default_generator`, which
a `DataLoader` sets for each batch.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import DTypeLike, NDArray

from .._config import get_default_dtype
from .._data import as_data
from .._errors import DtypeError, ShapeError
from .._specialise import plain
from .._tensor import Tensor, fresh
from ._draws import Draws, as_generator

Size = int | tuple[int, int]
BLOCK = 1 << 22  # numbers that are made float64 at a time


# ---- numbers


def to_float(x: Any, dtype: DTypeLike | None = None) -> Any:
    """Bytes as numbers from 0 to 1; other numbers converted to floats as they are.

    Args:
        x: an array or tensor.
        dtype: of the result, by default the default float.

    Example:
        >>> to_float(np.array([0, 51, 255], np.uint8))
        array([0. , 0.2, 1. ], dtype=float32)
    """
    raw = _raw(x)
    made = raw.astype(get_default_dtype() if dtype is None else dtype)
    if raw.dtype == np.uint8:
        made /= made.dtype.type(255)
    return _like(x, made)


def mean_std(x: Any, channel_axis: int | None = None) -> tuple[Any, Any]:
    """Mean and standard deviation, of all numbers or of each channel: what `normalise` needs.

    They are computed in float64, block by block, so that images as bytes need not be converted first.

    Args:
        x: an array or tensor.
        channel_axis: the axis of the channels; with None all numbers are taken together.

    Returns:
        Two numbers, or two float64 arrays with a number for each channel.

    Example:
        >>> mean_std(np.array([[0, 2], [4, 6]], np.uint8))
        (3.0, 2.23606797749979)
    """
    raw = _raw(x)
    if not raw.size:
        raise ShapeError(f"mean_std: an array of shape {raw.shape} has no numbers")
    rows = raw.reshape(-1, 1) if channel_axis is None else _channels_last(raw, channel_axis)
    step = max(1, BLOCK // rows.shape[1])
    blocks = [rows[start : start + step] for start in range(0, len(rows), step)]
    mean = sum(block.sum(axis=0, dtype=np.float64) for block in blocks) / len(rows)
    variance = sum(np.square(block - mean).sum(axis=0) for block in blocks) / len(rows)
    std = np.sqrt(variance)
    return (float(mean[0]), float(std[0])) if channel_axis is None else (mean, std)


def normalise(x: Any, mean: Any, std: Any, channel_axis: int | None = None) -> Any:
    """``(x - mean) / std``, in the default float where ``x`` holds whole numbers, else in its dtype.

    Args:
        x: an array or tensor.
        mean: a number, or one for each channel.
        std: a number above 0, or one for each channel.
        channel_axis: the axis of the channels, where ``mean`` and ``std`` have one number for each.

    Example:
        >>> normalise(np.array([0, 255], np.uint8), 127.5, 127.5)
        array([-1.,  1.], dtype=float32)
    """
    raw = _raw(x)
    dtype = raw.dtype if raw.dtype.kind == "f" else get_default_dtype()
    shape = [1] * raw.ndim
    try:
        if channel_axis is not None:
            shape[channel_axis] = raw.shape[channel_axis]
        shift, scale = (np.broadcast_to(_raw(one), math.prod(shape)).reshape(shape) for one in (mean, std))
    except (ValueError, IndexError):
        raise ShapeError(
            f"normalise: mean {mean} and std {std} for x of shape {raw.shape}; "
            "a number each, or channel_axis= and a number for each channel, is needed"
        ) from None
    if not (np.isfinite(scale) & (scale > 0)).all():
        raise ShapeError(f"normalise: std must be above 0, {std} given; a constant channel needs 1")
    made = np.subtract(raw, shift.astype(dtype), dtype=dtype)
    made /= scale.astype(dtype)
    return _like(x, made)


def one_hot(labels: Any, num_classes: int | None = None, dtype: DTypeLike | None = None) -> Any:
    """Labels as rows with a one at their place.

    Args:
        labels: whole numbers from 0 to ``num_classes - 1``, of any shape.
        num_classes: by default one more than the largest label.
        dtype: of the result, by default the default float.

    Raises:
        DtypeError: labels are not whole numbers.
        ShapeError: a label is outside the range.

    Example:
        >>> one_hot([0, 2])
        array([[1., 0., 0.],
               [0., 0., 1.]], dtype=float32)
    """
    raw = _labels("one_hot", labels, num_classes)
    count = int(raw.max(initial=-1)) + 1 if num_classes is None else num_classes
    made = np.zeros((*raw.shape, count), get_default_dtype() if dtype is None else dtype)
    np.put_along_axis(made, raw[..., None].astype(np.intp), 1, axis=-1)
    return _like(labels, made)


# ---- images: size and place


def center_crop(x: Any, size: Size) -> Any:
    """The middle of images.

    Args:
        x: images ``(..., H, W)``.
        size: of the result: a side, or height and width.
    """
    raw = _images("center_crop", x, least=2)
    height, width = _fitting("center_crop", raw, size)
    top, left = (raw.shape[-2] - height) // 2, (raw.shape[-1] - width) // 2
    return _like(x, raw[..., top : top + height, left : left + width].copy())


def random_crop(x: Any, size: Size, padding: int = 0, fill: float = 0.0, *, generator: Draws = None) -> Any:
    """A part of each image, at a random place.

    Args:
        x: images ``(N, ..., H, W)``.
        size: of the result: a side, or height and width.
        padding: how many pixels to add on each side first.
        fill: the value of those.
        generator: a seed or a generator.
    """
    raw = _images("random_crop", x)
    if padding:
        around = [(0, 0)] * (raw.ndim - 2) + [(padding, padding)] * 2
        raw = np.pad(raw, around, constant_values=_filling("random_crop", raw, fill))
    height, width = _fitting("random_crop", raw, size)
    draw, count = as_generator(generator), len(raw)
    top = draw.integers(raw.shape[-2] - height + 1, size=count)
    left = draw.integers(raw.shape[-1] - width + 1, size=count)
    windows = sliding_window_view(raw, (height, width), axis=(-2, -1))
    return _like(x, windows[np.arange(count), ..., top, left, :, :])


def random_shift(x: Any, pixels: int, fill: float = 0.0, *, generator: Draws = None) -> Any:
    """Each image moved by up to ``pixels`` in both directions.

    Args:
        x: images ``(N, ..., H, W)``.
        pixels: the largest distance.
        fill: the value of what comes in from outside.
        generator: a seed or a generator.
    """
    return random_crop(x, _raw(x).shape[-2:], padding=pixels, fill=fill, generator=generator)


def random_flip(x: Any, p: float = 0.5, axis: int = -1, *, generator: Draws = None) -> Any:
    """Each image mirrored with probability ``p``.

    Args:
        x: images ``(N, ..., H, W)``.
        p: the probability, from 0 to 1.
        axis: -1 swaps left and right, -2 top and bottom.
        generator: a seed or a generator.
    """
    raw = _images("random_flip", x)
    if not 0 <= p <= 1:
        raise ShapeError(f"random_flip: p={p} given; it is a probability from 0 to 1")
    chosen = as_generator(generator).random(len(raw)) < p
    made = raw.copy()
    made[chosen] = np.flip(raw[chosen], axis)
    return _like(x, made)


def random_rotation(x: Any, degrees: float, fill: float = 0.0, *, generator: Draws = None) -> Any:
    """Each image turned about its middle by an angle from ``-degrees`` to ``degrees``, interpolated linearly.

    Args:
        x: images ``(N, ..., H, W)``.
        degrees: the largest angle.
        fill: the value of what comes in from outside.
        generator: a seed or a generator.
    """
    raw = _images("random_rotation", x)
    count, height, width = len(raw), *raw.shape[-2:]
    _filling("random_rotation", raw, fill)
    angle = np.deg2rad(as_generator(generator).uniform(-degrees, degrees, count))[:, None, None]
    rows, columns = np.arange(height)[:, None] - (height - 1) / 2, np.arange(width) - (width - 1) / 2
    # Where a pixel of the result comes from; one pixel of `fill` around the image is where the rest comes from.
    from_row = np.cos(angle) * rows + np.sin(angle) * columns + (height - 1) / 2
    from_column = np.cos(angle) * columns - np.sin(angle) * rows + (width - 1) / 2
    padded = np.pad(raw, [(0, 0)] * (raw.ndim - 2) + [(1, 1)] * 2, constant_values=fill)
    top, down = _cell(from_row, height)
    left, right = _cell(from_column, width)
    sample = np.arange(count)[:, None, None]
    mixed: Any = 0.0
    for row, of_row in ((top, 1 - down), (top + 1, down)):
        for column, of_column in ((left, 1 - right), (left + 1, right)):
            # Advanced indices around `...` put their axes first: (N, H, W, ...).
            weight = (of_row * of_column).reshape(count, height, width, *[1] * (raw.ndim - 3))
            mixed = mixed + weight * padded[sample, ..., row, column]
    made = np.moveaxis(mixed, (1, 2), (-2, -1))
    return _like(x, _in_dtype(made, raw.dtype))


def resize(x: Any, size: Size) -> Any:
    """Images in another size: linear interpolation, over a wider window where they shrink.

    Args:
        x: images ``(..., H, W)``.
        size: of the result: a side, or height and width.

    Example:
        >>> resize(np.array([[0.0, 1.0], [2.0, 3.0]]), 1)
        array([[1.5]])
    """
    raw = _images("resize", x, least=2)
    height, width = _pair("resize", size)
    made = _weights(raw.shape[-2], height) @ raw @ _weights(raw.shape[-1], width).T
    return _like(x, _in_dtype(made, raw.dtype))


# ---- images: parts left out, samples mixed


def cutout(x: Any, size: Size, fill: float = 0.0, *, generator: Draws = None) -> Any:
    """Each image with a box painted over, whose middle is anywhere in it.

    Args:
        x: images ``(N, ..., H, W)``.
        size: of the box, of which a part may be outside: a side, or height and width.
        fill: the value that the box gets.
        generator: a seed or a generator.

    Source:
        T. DeVries and G. W. Taylor, Improved Regularization of Convolutional Neural Networks with Cutout, 2017.
    """
    raw = _images("cutout", x)
    height, width = _pair("cutout", size)
    inside = _boxes(raw, np.full(len(raw), height), np.full(len(raw), width), as_generator(generator))
    return _like(x, np.where(inside, raw.dtype.type(_filling("cutout", raw, fill)), raw))


def mixup(
    x: Any, y: Any, alpha: float = 0.2, num_classes: int | None = None, *, generator: Draws = None
) -> tuple[Any, Any]:
    """Each sample mixed with another one of the batch, and its target likewise.

    Args:
        x: samples ``(N, ...)``; whole numbers become floats.
        y: labels ``(N,)``, which become probabilities, or rows of probabilities ``(N, classes)``.
        alpha: the share of a sample comes from the Beta distribution of (alpha, alpha).
        num_classes: needed where ``y`` holds labels.
        generator: a seed or a generator.

    Returns:
        Samples, and the probabilities of their classes.

    Source:
        H. Zhang et al., mixup: Beyond Empirical Risk Minimization, ICLR 2018.
    """
    raw, target = _raw(x), _probabilities("mixup", x, y, num_classes)
    draw = as_generator(generator)
    share, other = _shares("mixup", alpha, len(raw), draw), draw.permutation(len(raw))
    floats = raw if raw.dtype.kind == "f" else raw.astype(get_default_dtype())
    return _like(x, _blend(floats, floats[other], share)), _like(y, _blend(target, target[other], share))


def cutmix(
    x: Any, y: Any, alpha: float = 1.0, num_classes: int | None = None, *, generator: Draws = None
) -> tuple[Any, Any]:
    """Each image with a box from another one of the batch, and its target mixed in proportion to the area.

    Args:
        x: images ``(N, ..., H, W)``.
        y: labels ``(N,)``, which become probabilities, or rows of probabilities ``(N, classes)``.
        alpha: the share that an image keeps comes from the Beta distribution of (alpha, alpha).
        num_classes: needed where ``y`` holds labels.
        generator: a seed or a generator.

    Returns:
        Images, and the probabilities of their classes.

    Source:
        S. Yun et al., CutMix: Regularization Strategy to Train Strong Classifiers with Localizable Features,
        ICCV 2019.
    """
    raw, target = _images("cutmix", x), _probabilities("cutmix", x, y, num_classes)
    draw = as_generator(generator)
    side = np.sqrt(1 - _shares("cutmix", alpha, len(raw), draw))
    other = draw.permutation(len(raw))
    height, width = raw.shape[-2:]
    inside = _boxes(raw, np.rint(side * height).astype(int), np.rint(side * width).astype(int), draw)
    kept = 1 - inside.reshape(len(raw), -1).mean(axis=1)
    return _like(x, np.where(inside, raw[other], raw)), _like(y, _blend(target, target[other], kept))


def compose(*functions: Callable[..., Any]) -> Callable[..., Any]:
    """One function that calls these in turn, each with what the one before returned; a tuple is spread out.

    Example:
        >>> compose(to_float, lambda x: 1 - x)(np.array([0, 255], np.uint8))
        array([1., 0.], dtype=float32)
    """

    def composed(*values: Any) -> Any:
        for function in functions:
            result = function(*values)
            values = result if type(result) is tuple else (result,)
        return values if len(values) != 1 else values[0]

    return composed


# ---- their parts


def _raw(x: Any) -> NDArray[Any]:
    return np.asarray(as_data(x))


def _like(x: Any, made: NDArray[Any]) -> Any:
    return fresh(plain(made)) if isinstance(x, Tensor) else made


def _images(what: str, x: Any, least: int = 3) -> NDArray[Any]:
    raw = _raw(x)
    if raw.ndim < least:
        raise ShapeError(
            f"{what}: x of shape {raw.shape}; images ({'N, ' * (least > 2)}..., H, W) are needed"
        )
    return raw


def _pair(what: str, size: Size) -> tuple[int, int]:
    height, width = (size, size) if isinstance(size, int | np.integer) else size
    if height < 1 or width < 1:
        raise ShapeError(f"{what}: size {size} given; sides of at least 1 are needed")
    return int(height), int(width)


def _fitting(what: str, raw: NDArray[Any], size: Size) -> tuple[int, int]:
    height, width = _pair(what, size)
    if height > raw.shape[-2] or width > raw.shape[-1]:
        raise ShapeError(
            f"{what}: size {(height, width)} is more than the images' {raw.shape[-2:]}; pad or resize them"
        )
    return height, width


def _filling(what: str, raw: NDArray[Any], fill: float) -> float:
    """``fill``, if the images' dtype holds it."""
    if raw.dtype.kind != "f" and np.array(fill).astype(raw.dtype) != fill:
        raise DtypeError(f"{what}: fill={fill} does not fit images of {raw.dtype}")
    return fill


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


def _boxes(raw: NDArray[Any], heights: Any, widths: Any, draw: np.random.Generator) -> NDArray[np.bool_]:
    """For each image, which pixels are in a box of the given size about a random one."""
    spans = []
    for length, sizes in ((raw.shape[-2], heights), (raw.shape[-1], widths)):
        first = (draw.integers(length, size=len(raw)) - sizes // 2)[:, None]
        pixel = np.arange(length)
        spans.append((pixel >= first) & (pixel < first + sizes[:, None]))
    inside: NDArray[np.bool_] = spans[0][:, :, None] & spans[1][:, None, :]
    return inside.reshape(len(raw), *[1] * (raw.ndim - 3), *raw.shape[-2:])


def _labels(what: str, labels: Any, num_classes: int | None) -> NDArray[Any]:
    raw = _raw(labels)
    if raw.dtype.kind not in "iu":
        raise DtypeError(f"{what}: labels of dtype {raw.dtype}; whole numbers are needed")
    most = np.inf if num_classes is None else num_classes - 1
    wrong = raw[(raw < 0) | (raw > most)]
    if wrong.size:
        raise ShapeError(f"{what}: label {wrong.flat[0]} is outside 0 to {most}")
    return raw


def _probabilities(what: str, x: Any, y: Any, num_classes: int | None) -> NDArray[Any]:
    target, count = _raw(y), len(_raw(x))
    if target.ndim == 1 and target.dtype.kind in "iu":
        if num_classes is None:
            raise ShapeError(f"{what}: y holds labels; num_classes is needed")
        target = one_hot(_labels(what, target, num_classes), num_classes)
    if target.dtype.kind != "f" or target.ndim != 2 or len(target) != count:
        raise ShapeError(
            f"{what}: y of shape {target.shape} and dtype {target.dtype}; {count} labels or rows of probabilities are needed"
        )
    return target


def _shares(what: str, alpha: float, count: int, draw: np.random.Generator) -> NDArray[np.float64]:
    if not alpha > 0:
        raise ShapeError(f"{what}: alpha={alpha} given; it must be above 0")
    return draw.beta(alpha, alpha, count)


def _blend(one: NDArray[Any], other: NDArray[Any], share: NDArray[Any]) -> NDArray[Any]:
    share = share.reshape(-1, *[1] * (one.ndim - 1))
    mixed: NDArray[Any] = share.astype(one.dtype) * one + (1 - share).astype(one.dtype) * other
    return mixed


def _channels_last(raw: NDArray[Any], axis: int) -> NDArray[Any]:
    if not -raw.ndim <= axis < raw.ndim:
        raise ShapeError(f"mean_std: channel_axis {axis} of an array with {raw.ndim} axes")
    return np.moveaxis(raw, axis, -1).reshape(-1, raw.shape[axis])
