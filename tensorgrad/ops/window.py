"""Two-dimensional cross-correlation: three bilinear ops, each the transpose of the others.

With ``y = correlate2d(x, w)``, the cotangent of ``x`` is ``spread2d(y, w)`` and that of ``w`` is
``correlate2d_filters(x, y)``; and so round, for every order of derivative.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided

from .._errors import ShapeError
from .._primitive import bilinear
from .shape import moveaxis, reshape


@bilinear
def _correlate2d(x: Any, w: Any, /, stride: tuple[int, int], padding: tuple[int, int]) -> Any:
    """Cross-correlation of images ``(N, C, H, W)`` with filters ``(O, C, KH, KW)``."""
    windows = _windows(_padded(x, padding), w.shape[2:], stride)  # (N, C, KH, KW, OH, OW)
    return np.einsum("ncijhw,ocij->nohw", windows, w, optimize=True)


@bilinear
def _spread2d(
    z: Any, w: Any, /, stride: tuple[int, int], padding: tuple[int, int], extent: tuple[int, int]
) -> Any:
    """Each element of ``z`` times its filter, added up where the filter lay: images of ``extent``."""
    parts = np.einsum("nohw,ocij->ncijhw", z, w, optimize=True)
    (down, across), (ph, pw), (height, width) = stride, padding, extent
    out = np.zeros((z.shape[0], w.shape[1], height + 2 * ph, width + 2 * pw), parts.dtype)
    rows, columns = z.shape[2:]
    for i in range(w.shape[2]):
        for j in range(w.shape[3]):
            out[:, :, i : i + rows * down : down, j : j + columns * across : across] += parts[:, :, i, j]
    return np.ascontiguousarray(out[:, :, ph : ph + height, pw : pw + width])


@bilinear
def _correlate2d_filters(
    x: Any, z: Any, /, stride: tuple[int, int], padding: tuple[int, int], extent: tuple[int, int]
) -> Any:
    """The sums of ``x`` times ``z`` over all places where a filter of ``extent`` lay."""
    windows = _windows(_padded(x, padding), extent, stride)
    return np.einsum("ncijhw,nohw->ocij", windows, z, optimize=True)


_correlate2d.transpose(
    x=lambda g, w, x_shape, stride, padding: _spread2d(g, w, stride, padding, x_shape[2:]),
    w=lambda g, x, w_shape, stride, padding: _correlate2d_filters(x, g, stride, padding, w_shape[2:]),
)
_spread2d.transpose(
    z=lambda g, w, stride, padding: _correlate2d(g, w, stride, padding),
    w=lambda g, z, w_shape, stride, padding: _correlate2d_filters(g, z, stride, padding, w_shape[2:]),
)
_correlate2d_filters.transpose(
    x=lambda g, z, x_shape, stride, padding: _spread2d(z, g, stride, padding, x_shape[2:]),
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


@_correlate2d.batching
def _correlate2d_batch(size: int, batched: Any, args: Any, stride: Any, padding: Any) -> Any:
    x, w = args
    if batched == (True, False):  # the examples are more images
        y = _correlate2d(reshape(x, (size * x.shape[1], *x.shape[2:])), w, stride, padding)
        return reshape(y, (*x.shape[:2], *y.shape[1:]))
    if batched == (False, True):  # the examples are more filters
        y = _correlate2d(x, reshape(w, (size * w.shape[1], *w.shape[2:])), stride, padding)
        return moveaxis(reshape(y, (y.shape[0], *w.shape[:2], *y.shape[2:])), 1, 0)
    return None


@_spread2d.batching
def _spread2d_batch(size: int, batched: Any, args: Any, stride: Any, padding: Any, **extent: Any) -> Any:
    z, w = args
    if batched == (True, False):
        x = _spread2d(reshape(z, (size * z.shape[1], *z.shape[2:])), w, stride, padding, **extent)
        return reshape(x, (*z.shape[:2], *x.shape[1:]))
    return None


def _pair(n: int | tuple[int, int]) -> tuple[int, int]:
    return (n, n) if isinstance(n, int) else (int(n[0]), int(n[1]))


def _padded(x: Any, padding: tuple[int, int]) -> Any:
    (ph, pw) = padding
    return np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw))) if ph or pw else x


def _windows(x: Any, size: tuple[int, int], stride: tuple[int, int]) -> Any:
    """Every window of an image, as a view ``(N, C, KH, KW, OH, OW)``."""
    (n, c, height, width), (kh, kw), (down, across) = x.shape, size, stride
    rows, columns = (height - kh) // down + 1, (width - kw) // across + 1
    sn, sc, sh, sw = x.strides
    shape, strides = (n, c, kh, kw, rows, columns), (sn, sc, sh, sw, sh * down, sw * across)
    return as_strided(x, shape, strides, writeable=False)
