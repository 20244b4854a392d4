"""What the ops of this family are called in PyTorch, and where the two differ on purpose."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.reference.peer import torch

functional = torch.nn.functional


def correlation(x: Any, w: Any, stride: Any, padding: Any, dilation: Any, groups: Any) -> Any:
    padded = functional.pad(x, [n for pair in reversed(padding) for n in pair])
    return getattr(functional, f"conv{len(stride)}d")(padded, w, None, stride, 0, dilation, groups)


def spread(z: Any, w: Any, stride: Any, padding: Any, dilation: Any, groups: Any, lengths: Any) -> Any:
    """The transposed convolution, without what lies in the padding and with zeros that no window reaches."""
    y = getattr(functional, f"conv_transpose{len(stride)}d")(z, w, None, stride, 0, 0, groups, dilation)
    ends = [n + before - have for n, (before, _), have in zip(lengths, padding, y.shape[2:], strict=True)]
    pairs = [(-before, end) for (before, _), end in zip(padding, ends, strict=True)]
    return functional.pad(y, [n for pair in reversed(pairs) for n in pair])


def filters(x: Any, z: Any, stride: Any, padding: Any, dilation: Any, groups: Any, extents: Any) -> Any:
    """The gradient of the convolution, which is linear in its filters."""
    shape = (z.shape[1], x.shape[1] // groups, *extents)
    w = torch.zeros(shape, dtype=x.dtype, requires_grad=True)
    y = correlation(x, w, stride, padding, dilation, groups)
    # PyTorch's cotangents are conjugated, and ours is a product without conjugates.
    (found,) = torch.autograd.grad(y, w, z.conj(), create_graph=True)
    return found.conj()


def windows(x: Any, extents: Any, axes: Any, step: Any = None, dilation: Any = None) -> Any:
    """Window after window; PyTorch has no dilation here, so that elements are left out of longer ones."""
    axes = [a % x.ndim for a in axes]
    ones = [1] * len(axes)
    for a, k, s, d in zip(axes, extents, step or ones, dilation or ones, strict=True):
        x = x.unfold(a, d * (k - 1) + 1, s)[..., ::d]
    return x


def overlap_add(x: Any, shape: Any, axes: Any, step: Any, dilation: Any) -> Any:
    """The gradient of the windows, which are linear."""
    y = torch.zeros(shape, dtype=x.dtype, requires_grad=True)
    seen = windows(y, x.shape[len(shape) :], axes, step, dilation)
    return torch.autograd.grad(seen, y, x, create_graph=True)[0]


def pair_of(value: Any) -> Any:
    return (value,) if isinstance(value, int) else value


def convolve(a: Any, v: Any, mode: str = "full") -> Any:
    """From the product of polynomials; PyTorch has only the module."""
    a, v = torch.atleast_1d(a, v)
    short, long = sorted((a, v), key=len)
    n = len(short)
    pads = {"full": n - 1, "same": n - 1, "valid": 0}[mode]
    y = functional.conv1d(long[None, None], short.flip(0)[None, None], padding=pads)[0, 0]
    return y[(n - 1) // 2 : (n - 1) // 2 + len(long)] if mode == "same" else y


def correlate(a: Any, v: Any, mode: str = "valid") -> Any:
    if len(v) > len(a):
        return convolve(a, v.conj().flip(0), mode) if mode != "same" else correlate(v, a, mode).conj().flip(0)
    n = len(v)
    y = functional.conv1d(a[None, None], v.conj()[None, None], padding=0 if mode == "valid" else n - 1)[0, 0]
    return y[n - 1 - n // 2 :][: len(a)] if mode == "same" else y


TORCH: dict[str, Callable[..., Any]] = {
    "correlation": correlation,
    "correlation_spread": spread,
    "correlation_filters": filters,
    "conv1d": functional.conv1d,
    "conv2d": functional.conv2d,
    "conv3d": functional.conv3d,
    "conv_transpose1d": functional.conv_transpose1d,
    "conv_transpose2d": functional.conv_transpose2d,
    "conv_transpose3d": functional.conv_transpose3d,
    "windows": windows,
    "overlap_add": overlap_add,
    "sliding_window_view": lambda x, window_shape, axis=None: windows(
        x, pair_of(window_shape), range(x.ndim) if axis is None else pair_of(axis)
    ),
    "unfold of an axis": lambda x, axis, size, step: x.unfold(axis, size, step),
    "unfold": functional.unfold,
    "fold": functional.fold,
    "convolve": convolve,
    "correlate": correlate,
}

WITHOUT_COUNTERPART: dict[str, str] = {}

DIFFERENT: dict[tuple[str, str], str] = {}

SECOND_ORDER_DIFFERS: dict[tuple[str, str], str] = {}

KINKS_THAT_DIFFER: dict[tuple[str, str], str] = {}
