"""Convolutions of one to three axes and their transposes, by PyTorch's names.

What is called a convolution here does not flip the filters.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..._errors import DtypeError, ShapeError
from ..padding import pad
from ..shape import lifted, reshape
from .correlation import correlation, correlation_spread

Numbers = int | Sequence[int]
AXES = ("L", "H, W", "D, H, W")


def conv1d(
    x: Any,
    weight: Any,
    bias: Any = None,
    stride: Numbers = 1,
    padding: Numbers | str = 0,
    dilation: Numbers = 1,
    groups: int = 1,
) -> Any:
    """Slide filters along one axis: `conv2d` for sequences.

    Args:
        x: sequences ``(N, C, L)``, or one ``(C, L)``.
        weight: filters ``(O, C / groups, K)``.
        bias: ``(O,)``, added to each filter's result.
        stride: step of the window, at least 1.
        padding: zeros put on each side; "same", "valid".
        dilation: distance of the elements that a filter sees, at least 1.
        groups: how many groups the channels are in; a filter sees those of its own.

    Raises:
        ShapeError: as `conv2d`.

    Example:
        >>> import numpy as np, tensorgrad as tg
        >>> tg.nn.functional.conv1d(np.array([[1.0, 2.0, 4.0]]), np.array([[[1.0, -1.0]]]))
        array([[-1., -2.]])
    """
    return _convolution("conv1d", 1, x, weight, bias, stride, padding, dilation, groups)


def conv2d(
    x: Any,
    weight: Any,
    bias: Any = None,
    stride: Numbers = 1,
    padding: Numbers | str = 0,
    dilation: Numbers = 1,
    groups: int = 1,
) -> Any:
    """Slide filters over images, without flipping them, and add up the products at each place.

    Args:
        x: images ``(N, C, H, W)``, or one ``(C, H, W)``.
        weight: filters ``(O, C / groups, KH, KW)``.
        bias: ``(O,)``, added to each filter's result.
        stride: step of the window, one number or ``(rows, columns)``, at least 1.
        padding: zeros put on each side, likewise, at least 0; "same" puts so many that the lengths stay
            (an odd one more at the end; for stride 1), "valid" none.
        dilation: distance of the elements that a filter sees, likewise, at least 1.
        groups: how many groups the channels are in; the filters are in as many, and see their own group.

    Shape:
        ``(N, O, H', W')`` with ``H' = (H + 2 padding - dilation (KH - 1) - 1) // stride + 1``; what
        is left over at the end is not seen.

    Raises:
        ShapeError: the channels do not fit the filters, ``groups`` does not divide channels and filters,
            or the window is larger than the padded image.

    Example:
        >>> import tensorgrad as tg
        >>> tg.nn.functional.conv2d(tg.ones((1, 4, 5, 5)), tg.ones((8, 2, 3, 3)), padding=1, groups=2).shape
        (1, 8, 5, 5)

    Source:
        Dumoulin and Visin, A guide to convolution arithmetic for deep learning, 2016, section 2.
    """
    return _convolution("conv2d", 2, x, weight, bias, stride, padding, dilation, groups)


def conv3d(
    x: Any,
    weight: Any,
    bias: Any = None,
    stride: Numbers = 1,
    padding: Numbers | str = 0,
    dilation: Numbers = 1,
    groups: int = 1,
) -> Any:
    """Slide filters over volumes: `conv2d` with one axis more.

    Args:
        x: volumes ``(N, C, D, H, W)``, or one ``(C, D, H, W)``.
        weight: filters ``(O, C / groups, KD, KH, KW)``.
        bias: ``(O,)``, added to each filter's result.
        stride: step of the window, one number or three, at least 1.
        padding: zeros put on each side, likewise, at least 0; "same", "valid".
        dilation: distance of the elements that a filter sees, likewise, at least 1.
        groups: how many groups the channels are in; a filter sees those of its own.

    Raises:
        ShapeError: as `conv2d`.

    Example:
        >>> import tensorgrad as tg
        >>> tg.nn.functional.conv3d(tg.ones((1, 1, 4, 4, 4)), tg.ones((2, 1, 2, 2, 2)), stride=2).shape
        (1, 2, 2, 2, 2)
    """
    return _convolution("conv3d", 3, x, weight, bias, stride, padding, dilation, groups)


def conv_transpose1d(
    x: Any,
    weight: Any,
    bias: Any = None,
    stride: Numbers = 1,
    padding: Numbers = 0,
    output_padding: Numbers = 0,
    groups: int = 1,
    dilation: Numbers = 1,
) -> Any:
    """The transpose of `conv1d` in its sequences: `conv_transpose2d` with one axis.

    Args:
        x: ``(N, C, L)`` or ``(C, L)``.
        weight: filters ``(C, O / groups, K)``.
        bias: ``(O,)``, added to each channel of the result.
        stride: step of the window, at least 1.
        padding: elements cut off on each side.
        output_padding: elements more at the end, less than ``stride`` or ``dilation``.
        groups: how many groups the channels are in.
        dilation: distance of the elements of a filter, at least 1.

    Raises:
        ShapeError: as `conv_transpose2d`.

    Example:
        >>> import numpy as np, tensorgrad as tg
        >>> tg.nn.functional.conv_transpose1d(np.array([[1.0, 3.0]]), np.ones((1, 1, 2)), stride=2)
        array([[1., 1., 3., 3.]])
    """
    return _transposed(
        "conv_transpose1d", 1, x, weight, bias, stride, padding, output_padding, groups, dilation
    )


def conv_transpose2d(
    x: Any,
    weight: Any,
    bias: Any = None,
    stride: Numbers = 1,
    padding: Numbers = 0,
    output_padding: Numbers = 0,
    groups: int = 1,
    dilation: Numbers = 1,
) -> Any:
    """The transpose of `conv2d` in its images: each element times its filter, added up where the filter lies.

    Args:
        x: ``(N, C, H, W)`` or ``(C, H, W)``.
        weight: filters ``(C, O / groups, KH, KW)``, as `conv2d` has them from O channels to C.
        bias: ``(O,)``, added to each channel of the result.
        stride: step of the window, one number or ``(rows, columns)``, at least 1.
        padding: rows and columns cut off on each side, likewise.
        output_padding: rows and columns more at the end, likewise, less than ``stride`` or ``dilation``:
            a convolution with a stride has the same number of places for several lengths.
        groups: how many groups the channels are in; a filter writes to its own group.
        dilation: distance of the elements of a filter, likewise, at least 1.

    Shape:
        ``(N, O, H', W')`` with
        ``H' = (H - 1) stride - 2 padding + dilation (KH - 1) + output_padding + 1``.

    Raises:
        ShapeError: the channels do not fit the filters, ``groups`` does not divide them,
            ``output_padding`` is too large, or nothing is left of the result.

    Example:
        >>> import tensorgrad as tg
        >>> tg.nn.functional.conv_transpose2d(tg.ones((1, 8, 4, 4)), tg.ones((8, 3, 2, 2)), stride=2).shape
        (1, 3, 8, 8)

    Source:
        Dumoulin and Visin, A guide to convolution arithmetic for deep learning, 2016, section 4.
    """
    return _transposed(
        "conv_transpose2d", 2, x, weight, bias, stride, padding, output_padding, groups, dilation
    )


def conv_transpose3d(
    x: Any,
    weight: Any,
    bias: Any = None,
    stride: Numbers = 1,
    padding: Numbers = 0,
    output_padding: Numbers = 0,
    groups: int = 1,
    dilation: Numbers = 1,
) -> Any:
    """The transpose of `conv3d` in its volumes: `conv_transpose2d` with one axis more.

    Args:
        x: ``(N, C, D, H, W)`` or ``(C, D, H, W)``.
        weight: filters ``(C, O / groups, KD, KH, KW)``.
        bias: ``(O,)``, added to each channel of the result.
        stride: step of the window, one number or three, at least 1.
        padding: elements cut off on each side, likewise.
        output_padding: elements more at the end, likewise, less than ``stride`` or ``dilation``.
        groups: how many groups the channels are in.
        dilation: distance of the elements of a filter, likewise, at least 1.

    Raises:
        ShapeError: as `conv_transpose2d`.

    Example:
        >>> import tensorgrad as tg
        >>> tg.nn.functional.conv_transpose3d(tg.ones((1, 2, 2, 2, 2)), tg.ones((2, 1, 3, 3, 3))).shape
        (1, 1, 4, 4, 4)
    """
    return _transposed(
        "conv_transpose3d", 3, x, weight, bias, stride, padding, output_padding, groups, dilation
    )


# ---- arguments


def _convolution(
    op: str, rank: int, x: Any, weight: Any, bias: Any, stride: Any, padding: Any, dilation: Any, groups: Any
) -> Any:
    x, weight = lifted(op, x), lifted(op, weight)
    steps, apart = numbers(op, "stride", stride, rank, 1), numbers(op, "dilation", dilation, rank, 1)
    groups = _group_count(op, rank, x, weight, groups, filters_first=True)
    spans = [d * (k - 1) + 1 for k, d in zip(weight.shape[2:], apart, strict=True)]
    pads = _pads(op, padding, rank, steps, spans)
    if any(n + sum(p) < s or s < 1 for n, p, s in zip(x.shape[-rank:], pads, spans, strict=True)):
        raise ShapeError(
            f"{op}: a window of {tuple(spans)} does not fit the lengths {x.shape[-rank:]} padded by {pads}; "
            f"x {x.shape}, weight {weight.shape}"
        )
    return _with_batch_axis(
        op, rank, x, bias, weight.shape[0], lambda x: correlation(x, weight, steps, pads, apart, groups)
    )


def _transposed(
    op: str,
    rank: int,
    x: Any,
    weight: Any,
    bias: Any,
    stride: Any,
    padding: Any,
    output_padding: Any,
    groups: Any,
    dilation: Any,
) -> Any:
    x, weight = lifted(op, x), lifted(op, weight)
    steps, apart = numbers(op, "stride", stride, rank, 1), numbers(op, "dilation", dilation, rank, 1)
    cut, more = (
        numbers(op, "padding", padding, rank, 0),
        numbers(op, "output_padding", output_padding, rank, 0),
    )
    groups = _group_count(op, rank, x, weight, groups, filters_first=False)
    if any(m >= max(s, d) for m, s, d in zip(more, steps, apart, strict=True)):
        raise ShapeError(f"{op}: output_padding {more} must be less than stride {steps} or dilation {apart}")
    spans = [d * (k - 1) + 1 for k, d in zip(weight.shape[2:], apart, strict=True)]
    whole = [(n - 1) * s + span for n, s, span in zip(x.shape[-rank:], steps, spans, strict=True)]
    lengths = tuple([n - 2 * p + m for n, p, m in zip(whole, cut, more, strict=True)])
    if min(*lengths, *x.shape[-rank:], *weight.shape[2:]) < 1:
        raise ShapeError(
            f"{op}: the result would have lengths {lengths}; x {x.shape}, weight {weight.shape}, padding {cut}"
        )
    # Where a whole step is added at the end there would be room for another window, which must not count:
    # first less is cut off there, then zeros are put there, which no window reaches.
    extra = [m - min(m, s - 1) for m, s in zip(more, steps, strict=True)]
    pads = tuple([(p, max(0, p - e)) for p, e in zip(cut, extra, strict=True)])
    zeros = [(0, max(0, e - p)) for p, e in zip(cut, extra, strict=True)]
    written = tuple([n - z for n, (_, z) in zip(lengths, zeros, strict=True)])

    def spread(x: Any) -> Any:
        y = correlation_spread(x, weight, steps, pads, apart, groups, written)
        return pad(y, [(0, 0), (0, 0), *zeros]) if any(map(any, zeros)) else y

    return _with_batch_axis(op, rank, x, bias, groups * weight.shape[1], spread)


def _with_batch_axis(
    op: str, rank: int, x: Any, bias: Any, channels: int, apply: Callable[[Any], Any]
) -> Any:
    single = x.ndim == rank + 1
    y = apply(reshape(x, (1, *x.shape)) if single else x)
    if bias is not None:
        bias = lifted(op, bias)
        if bias.shape != (channels,):
            raise ShapeError(
                f"{op}: bias has shape {bias.shape}; ({channels},) is needed, a number each channel"
            )
        y = y + reshape(bias, (channels, *[1] * rank))
    return reshape(y, y.shape[1:]) if single else y


def _group_count(op: str, rank: int, x: Any, weight: Any, groups: Any, *, filters_first: bool) -> int:
    """The number of groups, where images and filters fit each other in it."""
    shapes = f"x {x.shape}, weight {weight.shape}"
    axes, (o, c) = AXES[rank - 1], ("O", "C / groups") if filters_first else ("C", "O / groups")
    if x.ndim not in (rank + 1, rank + 2) or weight.ndim != rank + 2:
        kernel = ", ".join(["K" + a for a in axes.split(", ")]) if rank > 1 else "K"
        raise ShapeError(
            f"{op}: x (N, C, {axes}) or (C, {axes}) and weight ({o}, {c}, {kernel}) are needed; {shapes}"
        )
    (count,) = numbers(op, "groups", groups, 1, 1)
    channels, filters = x.shape[-rank - 1], weight.shape[0]
    if channels % count or filters % count:
        raise ShapeError(f"{op}: groups {count} must divide the channels of x and the filters; {shapes}")
    needed = weight.shape[1] * count if filters_first else filters
    if channels != needed:
        last = x.shape[-1] == needed
        way = f"; where they are last, give tg.moveaxis(x, -1, {x.ndim - rank - 1})" if last else ""
        raise ShapeError(
            f"{op}: x has {channels} channels and weight is for {needed}; {shapes}, groups {count}{way}"
        )
    return count


def _pads(op: str, padding: Any, rank: int, steps: Any, spans: Any) -> tuple[tuple[int, int], ...]:
    if not isinstance(padding, str):
        return tuple([(p, p) for p in numbers(op, "padding", padding, rank, 0)])
    if padding not in ("same", "valid"):
        raise ShapeError(f"{op}: padding is {padding!r}; numbers, 'same' or 'valid' are meant")
    if padding == "same" and set(steps) != {1}:
        raise ShapeError(f"{op}: padding 'same' is for stride 1; {steps} given")
    return tuple([((s - 1) // 2, s // 2) if padding == "same" else (0, 0) for s in spans])


def numbers(op: str, name: str, value: Any, rank: int, least: int) -> tuple[int, ...]:
    """One number for each axis, from one for all or a sequence of them."""
    several = value if isinstance(value, Sequence) or np.ndim(value) else [value] * rank
    wanted = "one integer is" if rank == 1 else f"one integer or {rank} are"
    try:
        found = tuple([operator.index(n) for n in several])
    except TypeError:
        raise DtypeError(f"{op}: {name} is {value!r}; {wanted} needed") from None
    if len(found) != rank or min(found, default=least) < least:
        raise ShapeError(f"{op}: {name} is {value}; {wanted} needed, at least {least}")
    return found
