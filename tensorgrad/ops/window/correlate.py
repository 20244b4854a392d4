"""Two-dimensional cross-correlation: three bilinear ops, each the transpose of the others.

With ``y = correlate2d(x, w)``, the cotangent of ``x`` is ``spread2d(y, w)`` and that of ``w`` is
``correlate2d_filters(x, y)``; and so round, for every order of derivative.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided

from ..._errors import ShapeError
from ..._primitive import bilinear
from ..shape import lifted, reshape

Pair = tuple[int, int]


@bilinear
def _correlate2d(x: Any, w: Any, /, stride: Pair, padding: Pair) -> Any:
    """Cross-correlation of images ``(..., N, C, H, W)`` with filters ``(..., O, C, KH, KW)``."""
    columns = _columns(x, w.shape[-2:], stride, padding)  # (..., N, OH, OW, C, KH, KW)
    y = _flat(columns, 3, 3) @ np.swapaxes(_flat(w, 1, 3), -1, -2)
    return np.moveaxis(y.reshape((*y.shape[:-2], *columns.shape[-6:-3], w.shape[-4])), -1, -3)


@bilinear
def _spread2d(z: Any, w: Any, /, stride: Pair, padding: Pair, extent: Pair) -> Any:
    """Each element of ``z`` times its filter, added up where the filter lay: images of ``extent``."""
    (down, across), (ph, pw), (height, width) = stride, padding, extent
    n, _, rows, columns = z.shape[-4:]
    parts = _flat(np.moveaxis(z, -3, -1), 3, 1) @ _flat(w, 1, 3)
    parts = parts.reshape((*parts.shape[:-2], n, rows, columns, *w.shape[-3:]))
    out = np.zeros((*parts.shape[:-5], w.shape[-3], height + 2 * ph, width + 2 * pw), parts.dtype)
    for i in range(w.shape[-2]):
        for j in range(w.shape[-1]):
            part = np.moveaxis(parts[..., i, j], -1, -3)
            out[..., i : i + rows * down : down, j : j + columns * across : across] += part
    return np.ascontiguousarray(out[..., ph : ph + height, pw : pw + width])


@bilinear
def _correlate2d_filters(x: Any, z: Any, /, stride: Pair, padding: Pair, extent: Pair) -> Any:
    """The sums of ``x`` times ``z`` over all places where a filter of ``extent`` lay."""
    columns = _columns(x, extent, stride, padding)[..., : z.shape[-2], : z.shape[-1], :, :, :]
    w = np.swapaxes(_flat(np.moveaxis(z, -3, -1), 3, 1), -1, -2) @ _flat(columns, 3, 3)
    return w.reshape((*w.shape[:-1], *columns.shape[-3:]))


_correlate2d.transpose(
    x=lambda g, w, x_shape, stride, padding: _spread2d(g, w, stride, padding, x_shape[-2:]),
    w=lambda g, x, w_shape, stride, padding: _correlate2d_filters(x, g, stride, padding, w_shape[-2:]),
)
_spread2d.transpose(
    z=lambda g, w, stride, padding: _correlate2d(g, w, stride, padding),
    w=lambda g, z, w_shape, stride, padding: _correlate2d_filters(g, z, stride, padding, w_shape[-2:]),
)
_correlate2d_filters.transpose(
    x=lambda g, z, x_shape, stride, padding: _spread2d(z, g, stride, padding, x_shape[-2:]),
    z=lambda g, x, stride, padding: _correlate2d(x, g, stride, padding),
)


def correlate2d(
    x: Any, w: Any, /, *, stride: int | tuple[int, int] = 1, padding: int | tuple[int, int] = 0
) -> Any:
    """Two-dimensional cross-correlation: slide the filters over the images without flipping them.

    Args:
        x: images.
        w: filters.
        stride: step of the window, one number or ``(rows, columns)``, at least 1.
        padding: zeros put on each side, likewise, at least 0.

    Shape:
        x ``(N, C, H, W)``, w ``(O, C, KH, KW)`` to ``(N, O, H', W')`` with
        ``H' = (H + 2 padding - KH) // stride + 1``.

    Raises:
        ShapeError: the channels of ``x`` and ``w`` differ, or the window is larger than the padded image.

    Example:
        >>> import tensorgrad as tg
        >>> tg.correlate2d(tg.ones((1, 1, 3, 3)), tg.ones((1, 1, 2, 2))).shape
        (1, 1, 2, 2)

    Source:
        Dumoulin and Visin, A guide to convolution arithmetic for deep learning, 2016, section 2.
    """
    x, w = lifted("correlate2d", x), lifted("correlate2d", w)
    steps, pads = _pair(stride), _pair(padding)
    shapes = f"x {x.shape}, w {w.shape}"
    if x.ndim != 4 or w.ndim != 4:
        raise ShapeError(f"correlate2d: images (N, C, H, W) and filters (O, C, KH, KW) are needed; {shapes}")
    if x.shape[1] != w.shape[1]:
        raise ShapeError(f"correlate2d: x has {x.shape[1]} channels and w has {w.shape[1]}; {shapes}")
    if min(steps) < 1 or min(pads) < 0:
        raise ShapeError(f"correlate2d: stride {stride} must be at least 1 and padding {padding} at least 0")
    if any(n + 2 * p < k or k < 1 for n, p, k in zip(x.shape[2:], pads, w.shape[2:], strict=True)):
        raise ShapeError(f"correlate2d: the window does not fit the image padded by {pads}; {shapes}")
    return _correlate2d(x, w, steps, pads)


def _batch(op: Any) -> Any:
    def rule(size: int, batched: Any, args: Any, *settings: Any, **named: Any) -> Any:
        # The cards take any leading axes; those of both inputs must only stand below each other.
        rank = max(a.ndim - b for a, b in zip(args, batched, strict=True))
        a, b = [
            reshape(x, (size, *[1] * (rank - x.ndim + 1), *x.shape[1:])) if own else x
            for x, own in zip(args, batched, strict=True)
        ]
        return op(a, b, *settings, **named)

    return rule


for _op in (_correlate2d, _spread2d, _correlate2d_filters):
    _op.batching(_batch(_op))


def _pair(n: int | tuple[int, int]) -> Pair:
    both = tuple(n) if isinstance(n, Sequence) else (n, n)
    if len(both) != 2:
        raise ShapeError(f"correlate2d: {n} given; one number or (rows, columns) is needed")
    return operator.index(both[0]), operator.index(both[1])


def _columns(x: Any, extent: Pair, stride: Pair, padding: Pair) -> Any:
    """Every window of an image: a view ``(..., N, OH, OW, C, KH, KW)``."""
    (ph, pw), (kh, kw), (down, across) = padding, extent, stride
    if ph or pw:
        x = np.pad(x, [(0, 0)] * (x.ndim - 2) + [(ph, ph), (pw, pw)])
    *lead, n, c, height, width = x.shape
    *lead_steps, sn, sc, sh, sw = x.strides
    rows, columns = (height - kh) // down + 1, (width - kw) // across + 1
    shape = (*lead, n, rows, columns, c, kh, kw)
    return as_strided(x, shape, (*lead_steps, sn, sh * down, sw * across, sc, sh, sw), writeable=False)


def _flat(x: Any, rows: int, columns: int) -> Any:
    """``x`` as matrices: the last ``columns`` axes in one, the ``rows`` axes before them in another."""
    cut, lead = x.ndim - columns, x.ndim - columns - rows
    return x.reshape((*x.shape[:lead], math.prod(x.shape[lead:cut]), math.prod(x.shape[cut:])))
