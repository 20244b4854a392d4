"""Numbers of any array: scaled, normalised, encoded; and functions in a row."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from ..._config import get_default_dtype
from ..._errors import DtypeError, ShapeError
from ._arrays import like, raw_of

BLOCK = 1 << 22  # numbers that are made float64 at a time


def to_float(x: Any, dtype: DTypeLike | None = None) -> Any:
    """Bytes as numbers from 0 to 1; other numbers converted to floats as they are.

    Args:
        x: an array or tensor.
        dtype: of the result, by default the default float.

    Example:
        >>> to_float(np.array([0, 51, 255], np.uint8))
        array([0. , 0.2, 1. ], dtype=float32)
    """
    raw = raw_of(x)
    made = raw.astype(get_default_dtype() if dtype is None else dtype)
    if raw.dtype == np.uint8:
        made /= made.dtype.type(255)
    return like(x, made)


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
    raw = raw_of(x)
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
    raw = raw_of(x)
    dtype = raw.dtype if raw.dtype.kind == "f" else get_default_dtype()
    shape = [1] * raw.ndim
    try:
        if channel_axis is not None:
            shape[channel_axis] = raw.shape[channel_axis]
        shift, scale = (np.broadcast_to(raw_of(one), math.prod(shape)).reshape(shape) for one in (mean, std))
    except (ValueError, IndexError):
        raise ShapeError(
            f"normalise: mean {mean} and std {std} for x of shape {raw.shape}; "
            "a number each, or channel_axis= and a number for each channel, is needed"
        ) from None
    if not (np.isfinite(scale) & (scale > 0)).all():
        raise ShapeError(f"normalise: std must be above 0, {std} given; a constant channel needs 1")
    made = np.subtract(raw, shift.astype(dtype), dtype=dtype)
    made /= scale.astype(dtype)
    return like(x, made)


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
    raw = checked_labels("one_hot", labels, num_classes)
    count = int(raw.max(initial=-1)) + 1 if num_classes is None else num_classes
    made = np.zeros((*raw.shape, count), get_default_dtype() if dtype is None else dtype)
    np.put_along_axis(made, raw[..., None].astype(np.intp), 1, axis=-1)
    return like(labels, made)


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


def checked_labels(what: str, labels: Any, num_classes: int | None) -> NDArray[Any]:
    """The array of labels, if they are whole numbers from 0 to one less than ``num_classes``."""
    raw = raw_of(labels)
    if raw.dtype.kind not in "iu":
        raise DtypeError(f"{what}: labels of dtype {raw.dtype}; whole numbers are needed")
    most = np.inf if num_classes is None else num_classes - 1
    wrong = raw[(raw < 0) | (raw > most)]
    if wrong.size:
        raise ShapeError(f"{what}: label {wrong.flat[0]} is outside 0 to {most}")
    return raw


def _channels_last(raw: NDArray[Any], axis: int) -> NDArray[Any]:
    if not -raw.ndim <= axis < raw.ndim:
        raise ShapeError(f"mean_std: channel_axis {axis} of an array with {raw.ndim} axes")
    return np.moveaxis(raw, axis, -1).reshape(-1, raw.shape[axis])
