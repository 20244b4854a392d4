"""Rows of what slides over an array: correlations and convolutions."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..._errors import ShapeError
from ...ops.window import correlate as window
from .row import Fails, OpSamples, at, normal, row


def _pair(n: Any) -> tuple[int, int]:
    return (n, n) if isinstance(n, int) else n


def _places(shape: Any, size: Any, stride: Any, padding: Any) -> Any:
    """Every pair of a place of the window and an element in it that lies inside the image."""
    (down, across), (ph, pw) = _pair(stride), _pair(padding)
    rows = (shape[2] + 2 * ph - size[0]) // down + 1
    columns = (shape[3] + 2 * pw - size[1]) // across + 1
    for r, c, i, j in np.ndindex(rows, columns, *size):
        y, x = r * down + i - ph, c * across + j - pw
        if 0 <= y < shape[2] and 0 <= x < shape[3]:
            yield (r, c), (i, j), (y, x)


def _correlate(x: Any, w: Any, stride: Any = 1, padding: Any = 0) -> Any:
    (down, across), (ph, pw) = _pair(stride), _pair(padding)
    rows = (x.shape[2] + 2 * ph - w.shape[2]) // down + 1
    columns = (x.shape[3] + 2 * pw - w.shape[3]) // across + 1
    out = np.zeros((x.shape[0], w.shape[0], rows, columns))
    for (r, c), (i, j), (v, u) in _places(x.shape, w.shape[2:], stride, padding):
        for n, o, k in np.ndindex(x.shape[0], w.shape[0], x.shape[1]):
            out[n, o, r, c] += x[n, k, v, u] * w[o, k, i, j]
    return out


def _spread(z: Any, w: Any, stride: Any, padding: Any, extent: Any) -> Any:
    out = np.zeros((z.shape[0], w.shape[1], *extent))
    for (r, c), (i, j), (v, u) in _places(out.shape, w.shape[2:], stride, padding):
        for n, o, k in np.ndindex(z.shape[0], w.shape[0], w.shape[1]):
            out[n, k, v, u] += z[n, o, r, c] * w[o, k, i, j]
    return out


def _filters(x: Any, z: Any, stride: Any, padding: Any, extent: Any) -> Any:
    out = np.zeros((z.shape[1], x.shape[1], *extent))
    for (r, c), (i, j), (v, u) in _places(x.shape, extent, stride, padding):
        for n, o, k in np.ndindex(x.shape[0], z.shape[1], x.shape[1]):
            out[o, k, i, j] += x[n, k, v, u] * z[n, o, r, c]
    return out


ROWS: list[OpSamples] = [
    row(
        "_correlate2d",
        at("size 1", normal(1, 1, 1, 1), normal(1, 1, 1, 1, seed=1), stride=(1, 1), padding=(0, 0)),
        at("axes", normal(2, 2, 3, 4), normal(3, 2, 2, 2, seed=1), stride=(1, 1), padding=(0, 0)),
        at(
            "axes, stride and padding",
            normal(1, 2, 5, 4),
            normal(1, 2, 2, 3, seed=1),
            stride=(2, 1),
            padding=(1, 2),
        ),
        at(
            "edge: rows left over",
            normal(1, 1, 4, 5),
            normal(1, 1, 2, 2, seed=1),
            stride=(3, 2),
            padding=(0, 0),
        ),
        at("edge: no images", np.zeros((0, 1, 2, 2)), normal(1, 1, 2, 2), stride=(1, 1), padding=(0, 0)),
        reference=_correlate,
        errors=Fails(
            lambda: window._correlate2d(np.ones((1, 3, 3, 3)), np.ones((1, 2, 2, 2)), (1, 1), (0, 0)),
            ShapeError,
            r"correlate2d: .*\(1, 3, 3, 3\).*\(1, 2, 2, 2\)",
        ),
    ),
    row(
        "_spread2d",
        at(
            "size 1",
            normal(1, 1, 1, 1),
            normal(1, 1, 1, 1, seed=1),
            stride=(1, 1),
            padding=(0, 0),
            extent=(1, 1),
        ),
        at(
            "axes",
            normal(2, 3, 2, 3),
            normal(3, 2, 2, 2, seed=1),
            stride=(1, 1),
            padding=(0, 0),
            extent=(3, 4),
        ),
        at(
            "edge: rows left over",
            normal(1, 1, 1, 2),
            normal(1, 1, 2, 2, seed=1),
            stride=(3, 2),
            padding=(0, 0),
            extent=(4, 5),
        ),
        reference=_spread,
        errors=Fails(
            lambda: window._spread2d(np.ones((1, 3, 3, 3)), np.ones((2, 1, 2, 2)), (1, 1), (0, 0), (4, 4)),
            ShapeError,
            r"spread2d: .*\(1, 3, 3, 3\).*\(2, 1, 2, 2\)",
        ),
    ),
    row(
        "_correlate2d_filters",
        at(
            "size 1",
            normal(1, 1, 1, 1),
            normal(1, 1, 1, 1, seed=1),
            stride=(1, 1),
            padding=(0, 0),
            extent=(1, 1),
        ),
        at(
            "axes",
            normal(2, 2, 3, 4),
            normal(2, 3, 2, 3, seed=1),
            stride=(1, 1),
            padding=(0, 0),
            extent=(2, 2),
        ),
        at(
            "edge: rows left over",
            normal(1, 1, 4, 5),
            normal(1, 1, 1, 2, seed=1),
            stride=(3, 2),
            padding=(0, 0),
            extent=(2, 2),
        ),
        reference=_filters,
        errors=Fails(
            lambda: window._correlate2d_filters(
                np.ones((3, 1, 3, 3)), np.ones((2, 1, 2, 2)), (1, 1), (0, 0), (2, 2)
            ),
            ShapeError,
            r"correlate2d_filters: .*\(3, 1, 3, 3\).*\(2, 1, 2, 2\)",
        ),
    ),
]

COMPOSED = [
    row(
        "correlate2d",
        at("size 1", normal(1, 1, 1, 1), normal(1, 1, 1, 1, seed=1)),
        at("axes", normal(1, 2, 4, 3), normal(2, 2, 2, 2, seed=1), stride=2, padding=1),
        at("edge: the window fits once", normal(1, 1, 2, 3), normal(1, 1, 2, 3, seed=1)),
        reference=_correlate,
        errors=(
            Fails(
                lambda: window.correlate2d(np.ones((1, 2, 3, 3)), np.ones((1, 1, 2, 2))),
                ShapeError,
                "correlate2d: x has 2 channels and w has 1",
            ),
            Fails(
                lambda: window.correlate2d(np.ones((2, 3, 3)), np.ones((1, 1, 2, 2))),
                ShapeError,
                r"correlate2d: images \(N, C, H, W\)",
            ),
            Fails(
                lambda: window.correlate2d(np.ones((1, 1, 2, 2)), np.ones((1, 1, 3, 3))),
                ShapeError,
                "correlate2d: the window does not fit",
            ),
        ),
        op=lambda x, w, stride=1, padding=0: window.correlate2d(x, w, stride=stride, padding=padding),
    ),
]
