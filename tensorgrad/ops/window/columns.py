"""Images to columns and back, by PyTorch's names: `unfold` and its transpose `fold`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from ..._errors import ShapeError
from ..padding import pad
from ..shape import lifted, permute_dims, reshape
from .convolution import numbers
from .sliding import overlap_add, windows

Numbers = int | Sequence[int]


def unfold(
    x: Any, /, kernel_size: Numbers, dilation: Numbers = 1, padding: Numbers = 0, stride: Numbers = 1
) -> Any:
    """Every window of images as a column, so that a convolution is a product of matrices.

    Args:
        x: images ``(N, C, H, W)``, or one ``(C, H, W)``.
        kernel_size: of the window, one number or ``(rows, columns)``.
        dilation: distance of the elements that a window sees, likewise, at least 1.
        padding: zeros put on each side, likewise, at least 0.
        stride: step of the window, likewise, at least 1.

    Shape:
        ``(N, C KH KW, L)``, where L counts the places of the window row by row.

    Raises:
        ShapeError: the window is larger than the padded image.

    Example:
        >>> import tensorgrad as tg
        >>> tg.nn.functional.unfold(tg.arange(6.0).reshape((1, 2, 3)), 2)
        tensor([[0., 1.],
                [1., 2.],
                [3., 4.],
                [4., 5.]])
    """
    x = lifted("unfold", x)
    if x.ndim not in (3, 4):
        raise ShapeError(f"unfold: x has shape {x.shape}; (N, C, H, W) or (C, H, W) is needed")
    size, apart, edges, step = _settings("unfold", kernel_size, dilation, padding, stride)
    counts = _places("unfold", x.shape[-2:], size, apart, edges, step)
    if any(edges):
        x = pad(x, [(0, 0)] * (x.ndim - 2) + [(p, p) for p in edges])
    lead = x.ndim - 3
    parts = windows(x, size, (lead + 1, lead + 2), step, apart)  # (N, C, *counts, *size)
    return reshape(
        permute_dims(parts, _swapped(lead)),
        (*x.shape[:lead], x.shape[lead] * math.prod(size), math.prod(counts)),
    )


def fold(
    x: Any,
    /,
    output_size: Numbers,
    kernel_size: Numbers,
    dilation: Numbers = 1,
    padding: Numbers = 0,
    stride: Numbers = 1,
) -> Any:
    """The transpose of `unfold`: columns put back as windows of images, what overlaps added up.

    Args:
        x: columns ``(N, C KH KW, L)``, or those of one image ``(C KH KW, L)``.
        output_size: of the images, one number or ``(H, W)``.
        kernel_size: of the window, one number or ``(rows, columns)``.
        dilation: distance of the elements of a window, likewise, at least 1.
        padding: rows and columns cut off on each side, likewise, at least 0.
        stride: step of the window, likewise, at least 1.

    Shape:
        ``(N, C, H, W)``.

    Raises:
        ShapeError: the columns are not as long as a window has elements, or not as many as places.

    Example:
        >>> import tensorgrad as tg
        >>> tg.nn.functional.fold(tg.ones((4, 2)), (2, 3), 2)
        tensor([[[1., 2., 1.],
                 [1., 2., 1.]]])
    """
    x = lifted("fold", x)
    if x.ndim not in (2, 3):
        raise ShapeError(f"fold: x has shape {x.shape}; (N, C KH KW, L) or (C KH KW, L) is needed")
    size, apart, edges, step = _settings("fold", kernel_size, dilation, padding, stride)
    lengths = numbers("fold", "output_size", output_size, 2, 1)
    counts = _places("fold", lengths, size, apart, edges, step)
    lead, elements = x.ndim - 2, math.prod(size)
    if x.shape[lead] % elements or x.shape[-1] != math.prod(counts):
        raise ShapeError(
            f"fold: x has shape {x.shape}; columns of a multiple of {elements} elements are needed, "
            f"{math.prod(counts)} of them"
        )
    channels = x.shape[lead] // elements
    parts = permute_dims(reshape(x, (*x.shape[:lead], channels, *size, *counts)), _swapped(lead))
    padded = [n + 2 * p for n, p in zip(lengths, edges, strict=True)]
    y = overlap_add(parts, (*x.shape[:lead], channels, *padded), (lead + 1, lead + 2), step, apart)
    return y[(..., *[slice(p, p + n) for p, n in zip(edges, lengths, strict=True)])] if any(edges) else y


def _settings(op: str, kernel_size: Any, dilation: Any, padding: Any, stride: Any) -> list[tuple[int, ...]]:
    given = (
        ("kernel_size", kernel_size, 1),
        ("dilation", dilation, 1),
        ("padding", padding, 0),
        ("stride", stride, 1),
    )
    return [numbers(op, name, value, 2, least) for name, value, least in given]


def _places(op: str, lengths: Any, size: Any, apart: Any, edges: Any, step: Any) -> list[int]:
    room = [n + 2 * p - d * (k - 1) - 1 for n, k, d, p in zip(lengths, size, apart, edges, strict=True)]
    if min(room) < 0:
        raise ShapeError(
            f"{op}: a window of {size}, dilation {apart}, does not fit images of {tuple(lengths)} padded by {edges}"
        )
    return [r // s + 1 for r, s in zip(room, step, strict=True)]


def _swapped(lead: int) -> tuple[int, ...]:
    """The order of axes that exchanges the last two with the two before them."""
    return (*range(lead + 1), lead + 3, lead + 4, lead + 1, lead + 2)
