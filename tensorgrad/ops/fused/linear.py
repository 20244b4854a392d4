"""The affine map of a dense layer as one op."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from ..._errors import ShapeError
from ..._fused import fused
from ..contract import matmul
from ..shape import matrix_transpose


def _composite(x: Any, w: Any, *bias: Any) -> Any:
    _check(w, *bias)
    y = matmul(x, matrix_transpose(w))
    return y + bias[0] if bias else y


@fused(_composite)
def linear(*operands: Any) -> Any:
    """``x @ w.T + bias`` for ``x`` (..., I), ``w`` (O, I) and, if given, ``bias`` (O,)."""
    x, w, *bias = operands
    _check(w, *bias)
    y = np.matmul(x if x.ndim < 3 else x.reshape(prod(x.shape[:-1]), x.shape[-1]), w.T)
    if bias:
        np.add(y, bias[0], out=y)
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
        found.append(np.add.reduce(flat, axis=0) if wanted[2] else None)
    return found


def _check(w: Any, *bias: Any) -> None:
    if bias and bias[0].shape != w.shape[:1]:
        raise ShapeError(
            f"linear: bias {bias[0].shape} for weight {w.shape}; one number for each row is needed"
        )
