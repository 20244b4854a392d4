"""Sums over long axes that keep their digits.

NumPy adds in pairs, with an error that grows like log(n), only along the axis whose elements lie side
by side in memory. Over any other axis it adds one row after the other, and the error grows with n:
``np.full((10**6, 3), 0.1, "f")`` adds up to 100958 per column. Here such an axis is cut into about
sqrt(n) blocks, which are added to each other, and then what they hold: the error grows like sqrt(n). For
short rows it is also many times faster, since NumPy then adds runs of a block instead of a row.

Source: N. J. Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., section 4.2.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

LONG = 512  # an axis of as many elements is worth two passes

_add: Any = np.add.reduce


def added(x: Any, axis: Any, keepdims: bool = False) -> Any:
    """Sum over an axis, a tuple of them, or None for all; float16 is added up in float32."""
    wide = np.float32 if x.dtype.char == "e" else None
    if x.size >= LONG and (found := _long_axis(x, axis)) is not None:
        y = _in_blocks(*found, wide)
        if keepdims:
            gone = {a % x.ndim for a in ((axis,) if type(axis) is int else axis)}
            y = y.reshape([1 if i in gone else n for i, n in enumerate(x.shape)])
    else:
        y = _add(x, axis=axis, dtype=wide, keepdims=keepdims)
    return y if wide is None else y.astype(x.dtype)


# ---- parts


def _in_blocks(x: Any, axis: int, wide: Any) -> Any:
    n = x.shape[axis]
    width = 1 << n.bit_length() // 2
    whole = n // width * width
    lead = (slice(None),) * axis
    blocks = x[(*lead, slice(whole))].reshape((*x.shape[:axis], n // width, width, *x.shape[axis + 1 :]))
    y = _add(_add(blocks, axis=axis, dtype=wide), axis=axis)
    return y if whole == n else y + _add(x[(*lead, slice(whole, None))], axis=axis, dtype=wide)


def _long_axis(x: Any, axis: Any) -> tuple[Any, int] | None:
    """``x`` and the one axis to add over, if it is a long one along which NumPy adds row after row."""
    axes = (axis,) if type(axis) is int else axis
    if x.ndim < 2 or not axes:
        return None
    if len(axes) > 1:  # those that lie in front are one axis, as over a batch, or images with channels last
        gone = [a % x.ndim for a in axes if -x.ndim <= a < x.ndim]
        if len({*gone}) != len(axes) or len(gone) == x.ndim:
            return None
        x = x.transpose(gone + [a for a in range(x.ndim) if a not in gone])
        if not x.flags.c_contiguous:
            return None
        x, place = x.reshape((math.prod(x.shape[: len(gone)]), *x.shape[len(gone) :])), 0
    else:
        place = axes[0] + x.ndim if axes[0] < 0 else axes[0]
    if not 0 <= place < x.ndim or x.shape[place] < LONG or abs(x.strides[place]) == x.itemsize:
        return None
    return x, place
