"""The affine map of a dense layer as one op."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from ..._fused import fused
from ..contract import matmul
from ..shape import matrix_transpose


def _composite(x: Any, w: Any, *bias: Any) -> Any:
    y = matmul(x, matrix_transpose(w))
    return y + bias[0] if bias else y


@fused(_composite)
def linear(*operands: Any) -> Any:
    """``x @ w.T + bias`` for ``x`` (..., I), ``w`` (O, I) and, if given, ``bias`` (O,)."""
    x, w, *bias = operands
    y = np.matmul(x if x.ndim < 3 else x.reshape(prod(x.shape[:-1]), x.shape[-1]), w.T)
    if bias:
        np.add(y, bias[0], out=y) if y.ndim else None
    return y if x.ndim < 3 else y.reshape(*x.shape[:-1], len(w))


@linear.pull
def _(g: Any, operands: Any, y: Any, wanted: Any) -> Any:
    x, w = operands[:2]
    rows = prod(x.shape[:-1])
    flat, seen = g.reshape(rows, w.shape[0]), x.reshape(rows, w.shape[1])
    found = [
        np.matmul(g, w)
        if wanted[0] and x.ndim < 3
        else np.matmul(flat, w).reshape(x.shape)
        if wanted[0]
        else None,
        np.matmul(flat.T, seen) if wanted[1] else None,
    ]
    if len(operands) > 2:
        found.append(_column_sums(flat) if wanted[2] else None)
    return found


def _column_sums(g: Any) -> Any:
    """Sums over the rows; a product with ones where BLAS is faster than NumPy's sum."""
    return np.add.reduce(g, axis=0)
