"""Windows of an array as a view of it, and their transpose, which adds up what overlaps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, SupportsIndex

import numpy as np
from numpy.lib.stride_tricks import as_strided

from ..._errors import ShapeError
from ..._primitive import linear, view
from ..shape import Axis, as_sequence, lifted, normalise_axes, normalise_axis
from .convolution import numbers

Lengths = tuple[int, ...]


@view
def windows(x: Any, /, extents: Lengths, axes: Lengths, step: Lengths, dilation: Lengths) -> Any:
    """Every window of ``x``, its elements on new axes at the end; read-only, because windows overlap."""
    shape, strides = list(x.shape), list(x.strides)
    for a, n, s in zip(axes, _counts(x.shape, extents, axes, step, dilation), step, strict=True):
        shape[a], strides[a] = n, x.strides[a] * s
    within = [x.strides[a] * d for a, d in zip(axes, dilation, strict=True)]
    return as_strided(x, (*shape, *extents), (*strides, *within), writeable=False)


@linear
def overlap_add(x: Any, /, shape: Lengths, axes: Lengths, step: Lengths, dilation: Lengths) -> Any:
    """Windows put back where they lie in an array of ``shape``, elements that overlap added up."""
    extents = x.shape[-len(axes) :]
    counts = [x.shape[a] for a in axes]
    if counts != _counts(shape, extents, axes, step, dilation):
        raise ValueError(f"{tuple(counts)} windows along axes {axes} are not those of an array {shape}")
    out: Any = np.zeros(shape, np.float32 if x.dtype.char == "e" else x.dtype)
    place = [slice(None)] * len(shape)
    for element in np.ndindex(*extents):
        for a, k, n, s, d in zip(axes, element, counts, step, dilation, strict=True):
            place[a] = slice(k * d, k * d + (n - 1) * s + 1, s)
        out[tuple(place)] += x[(..., *element)]
    return out.astype(x.dtype, copy=False)


windows.transpose(x=lambda g, x_shape, axes, step, dilation: overlap_add(g, x_shape, axes, step, dilation))
overlap_add.transpose(
    x=lambda g, x_shape, axes, step, dilation: windows(g, x_shape[-len(axes) :], axes, step, dilation)
)


@windows.batching
def _windows_batch(
    size: int, batched: Any, args: Any, extents: Any, axes: Any, step: Any, dilation: Any
) -> Any:
    return windows(args[0], extents, tuple([a + 1 for a in axes]), step, dilation)


@overlap_add.batching
def _overlap_batch(
    size: int, batched: Any, args: Any, shape: Any, axes: Any, step: Any, dilation: Any
) -> Any:
    return overlap_add(args[0], (size, *shape), tuple([a + 1 for a in axes]), step, dilation)


def sliding_window_view(x: Any, /, window_shape: int | Sequence[int], axis: Axis = None) -> Any:
    """Every window of ``x`` as a view, by NumPy's name; the gradient adds up what overlaps.

    Args:
        x: an array or tensor.
        window_shape: the lengths of a window, one number or one for each axis.
        axis: the axes that the window slides along, all of them if none is given.

    Shape:
        Along these axes ``length - window + 1``, and the axes of the window at the end.

    Raises:
        ShapeError: a window is longer than its axis, or lengths and axes are not as many.

    Example:
        >>> import tensorgrad as tg
        >>> tg.sliding_window_view(tg.tensor([1.0, 2.0, 3.0, 4.0]), 3)
        tensor([[1., 2., 3.],
                [2., 3., 4.]])
    """
    x = lifted("sliding_window_view", x)
    axes = normalise_axes("sliding_window_view", axis, x.ndim)
    given = as_sequence(window_shape)
    if len(given) != len(axes):
        raise ShapeError(
            f"sliding_window_view: window_shape is {window_shape}; a length for each of the {len(axes)} axes "
            "is needed"
        )
    lengths = numbers("sliding_window_view", "window_shape", given, len(axes), 1)
    if any(k > x.shape[a] for k, a in zip(lengths, axes, strict=True)):
        raise ShapeError(
            f"sliding_window_view: a window of {lengths} along axes {axes} is larger than x {x.shape}"
        )
    ones = (1,) * len(axes)
    return windows(x, lengths, axes, ones, ones) if axes else x


def unfold(x: Any, /, axis: SupportsIndex, size: int, step: int) -> Any:
    """Windows of ``x`` along one axis, as PyTorch's method of that name: a view with their elements at the end.

    Args:
        x: an array or tensor.
        axis: the axis that the window slides along.
        size: the length of a window, at least 1.
        step: the distance from one window to the next, at least 1; what is left over at the end is not seen.

    Raises:
        ShapeError: the window is longer than the axis.

    Example:
        >>> import tensorgrad as tg
        >>> tg.unfold(tg.arange(6.0), 0, 2, 3)
        tensor([[0., 1.],
                [3., 4.]])
    """
    x = lifted("unfold", x)
    place = normalise_axis("unfold", axis, x.ndim)
    length, apart = numbers("unfold", "size", size, 1, 1), numbers("unfold", "step", step, 1, 1)
    if length[0] > x.shape[place]:
        raise ShapeError(f"unfold: a window of {size} along axis {place} is larger than x {x.shape}")
    return windows(x, length, (place,), apart, (1,))


def _counts(shape: Lengths, extents: Lengths, axes: Lengths, step: Lengths, dilation: Lengths) -> list[int]:
    """How many windows there are along each of the axes."""
    room = [shape[a] - (k - 1) * d - 1 for a, k, d in zip(axes, extents, dilation, strict=True)]
    if min(room, default=0) < 0 or min(extents, default=1) < 1:
        raise ValueError(f"a window of {extents} does not fit axes {axes} of {tuple(shape)}")
    return [r // s + 1 for r, s in zip(room, step, strict=True)]
