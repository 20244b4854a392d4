"""One layer and direction of a simple recurrent network over all its steps: ``h' = f(W x + V h + b)``.

Source: J. Elman, Finding Structure in Time, Cognitive Science 14 (1990).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..._fused import fused
from ..adding import added
from ..contract import matmul
from ..elementwise import add, relu, tanh
from ..shape import matrix_transpose
from .stepping import Sizes, before, carried, check_fit, last, scanned, walk


def _composite(*operands: Any, sizes: Sizes, reverse: bool, nonlinearity: str) -> tuple[Any, ...]:
    check_fit("elman", 1, 1, operands, sizes)
    x, h, w, v, *biases = operands
    f: Any = relu if nonlinearity == "relu" else tanh
    rows = matmul(x, matrix_transpose(w))
    for b in biases:
        rows = add(rows, b)
    v_transposed = matrix_transpose(v)
    return scanned(lambda row, h: (f(add(row, matmul(h, v_transposed))),), rows, (h,), sizes, reverse)


@fused(_composite, public=2)
def elman(*operands: Any, sizes: Sizes, reverse: bool, nonlinearity: str) -> tuple[Any, ...]:
    """Outputs of all rows, and the last ``h``.

    Args:
        operands: the inputs (rows, input), ``h`` at the start (batch, hidden), the weights of the input (hidden, input)
            and of ``h`` (hidden, hidden); then two biases, or nothing.
        sizes: the number of rows of each step.
        reverse: whether time runs backwards.
        nonlinearity: 'tanh' or 'relu'.
    """
    check_fit("elman", 1, 1, operands, sizes)
    x, h, w, v, *biases = operands
    y = x @ w.T
    if biases:
        y += biases[0] + biases[1]
    recurrent = np.ascontiguousarray(v.T)
    products = np.empty((sizes[0], h.shape[1]), x.dtype)
    now = h[:0]
    for begin, n in walk(sizes, reverse):
        now, out, product = carried(now, h, n), y[begin : begin + n], products[:n]
        np.matmul(now, recurrent, out=product)
        out += product
        if nonlinearity == "relu":
            np.maximum(out, 0, out=out)
        else:
            np.tanh(out, out=out)
        now = out
    return y, last(y, sizes, reverse)


@elman.pull
def _(
    gs: Any, operands: Any, results: Any, wanted: Any, sizes: Sizes, reverse: bool, nonlinearity: str
) -> list[Any]:
    x, h, w, v, *biases = operands
    y = results[0]
    d = (y > 0).astype(y.dtype) if nonlinearity == "relu" else 1 - y * y
    g_y, g_h = gs[0], gs[1].copy()
    v = np.ascontiguousarray(v)
    for begin, n in walk(sizes, not reverse):
        dh, step = g_h[:n], d[begin : begin + n]
        dh += g_y[begin : begin + n]
        step *= dh
        np.matmul(step, v, out=dh)
    found: list[Any] = [None] * (4 + len(biases))
    if wanted[0]:
        found[0] = d @ w
    found[1] = g_h
    if wanted[2]:
        found[2] = d.T @ x
    if wanted[3]:
        found[3] = d.T @ before(y, h, sizes, reverse)
    if biases and (wanted[4] or wanted[5]):
        found[4] = added(d, 0)
        found[5] = found[4].copy()
    return [one if asked else None for one, asked in zip(found, wanted, strict=True)]
