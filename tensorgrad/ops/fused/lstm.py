"""One layer and direction of a long short-term memory over all its steps.

    i, f, o = sigmoid(W x + V h + b)      g = tanh(W x + V h + b)
    c' = f c + i g                        h' = R (o tanh(c'))        (R only where there is a projection)

The fast pass makes the input's part of all steps in one product, and of each step one product with ``h``. Its
gates stand in the order o, i, f, g: three neighbours are sigmoids, ``(1 + tanh(x / 2)) / 2`` with the half put into
the weights, so that one tanh does all four; and on the way back three neighbours take the cotangent of ``c``.

Source: S. Hochreiter and J. Schmidhuber, Long Short-Term Memory, Neural Computation 9 (1997); the forget gate is
of F. Gers, J. Schmidhuber and F. Cummins (2000), the projection of H. Sak, A. Senior and F. Beaufays (2014).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..._fused import fused
from ..adding import added
from ..contract import matmul
from ..elementwise import add, multiply, sigmoid, tanh
from ..shape import matrix_transpose, split
from .stepping import Sizes, before, carried, check_fit, last, scanned, walk


def _composite(*operands: Any, sizes: Sizes, reverse: bool) -> tuple[Any, ...]:
    check_fit("lstm", 4, 2, operands, sizes)
    x, h, c, w, v, *more = operands
    biases, r = _parted(more)
    rows = matmul(x, matrix_transpose(w))
    for b in biases:
        rows = add(rows, b)
    v_transposed = matrix_transpose(v)
    r_transposed = None if r is None else matrix_transpose(r)

    def step(row: Any, h: Any, c: Any) -> tuple[Any, Any]:
        return gated(add(row, matmul(h, v_transposed)), c, r_transposed)

    return scanned(step, rows, (h, c), sizes, reverse)


def gated(gates: Any, c: Any, r_transposed: Any = None) -> tuple[Any, Any]:
    """The next ``h`` and ``c``, from the sums that go into the gates."""
    i, f, g, o = split(gates, 4, axis=-1)
    c = add(multiply(sigmoid(f), c), multiply(sigmoid(i), tanh(g)))
    h = multiply(sigmoid(o), tanh(c))
    return (h if r_transposed is None else matmul(h, r_transposed)), c


def _parted(more: list[Any]) -> tuple[list[Any], Any]:
    """The biases, and the projection or None."""
    return (more[:-1], more[-1]) if len(more) % 2 else (more, None)


@fused(_composite, public=3)
def lstm(*operands: Any, sizes: Sizes, reverse: bool) -> tuple[Any, ...]:
    """Outputs of all rows, and the last ``h`` and ``c``.

    Args:
        operands: the inputs (rows, input), ``h`` (batch, output) and ``c`` (batch, hidden) at the start, the weights
            of the input (4 hidden, input) and of ``h`` (4 hidden, output), gates in the order i, f, g, o; then the
            two biases, or the projection (output, hidden), or all three, or nothing.
        sizes: the number of rows of each step.
        reverse: whether time runs backwards.
    """
    check_fit("lstm", 4, 2, operands, sizes)
    x, h, c, w, v, *more = operands
    biases, r = _parted(more)
    hidden = c.shape[1]
    third = 3 * hidden
    half = np.ones((4 * hidden, 1), x.dtype)
    half[:third] = 0.5
    gates = x @ (_turned(w) * half).T
    if biases:
        gates += _turned(biases[0] + biases[1]) * half[:, 0]
    recurrent = np.ascontiguousarray((_turned(v) * half).T)
    cells = np.empty((len(x), hidden), x.dtype)
    squashed = np.empty_like(cells)
    raw = np.empty_like(cells)
    y = raw if r is None else np.empty((len(x), r.shape[0]), x.dtype)
    products = np.empty((sizes[0], 4 * hidden), x.dtype)
    inputs = np.empty((sizes[0], hidden), x.dtype)
    h_now, c_now = h[:0], c[:0]
    for begin, n in walk(sizes, reverse):
        end = begin + n
        h_now, c_now = carried(h_now, h, n), carried(c_now, c, n)
        gate, product, cell = gates[begin:end], products[:n], cells[begin:end]
        np.matmul(h_now, recurrent, out=product)
        gate += product
        np.tanh(gate, out=gate)
        sigmoids = gate[:, :third]
        sigmoids *= 0.5
        sigmoids += 0.5
        np.multiply(gate[:, 2 * hidden : third], c_now, out=cell)
        np.multiply(gate[:, hidden : 2 * hidden], gate[:, third:], out=inputs[:n])
        cell += inputs[:n]
        np.tanh(cell, out=squashed[begin:end])
        np.multiply(gate[:, :hidden], squashed[begin:end], out=raw[begin:end])
        if r is not None:
            np.matmul(raw[begin:end], r.T, out=y[begin:end])
        h_now, c_now = y[begin:end], cell
    return y, last(y, sizes, reverse), last(cells, sizes, reverse), gates, cells, squashed, raw


@lstm.pull
def _(gs: Any, operands: Any, results: Any, wanted: Any, sizes: Sizes, reverse: bool) -> list[Any]:
    x, h, c, w, v, *more = operands
    y, _, _, gates, cells, squashed, raw = results
    biases, r = _parted(more)
    hidden = c.shape[1]
    o, i, f, g = (gates[:, k * hidden : (k + 1) * hidden] for k in range(4))
    # All that does not wait for a cotangent, at once: d is what multiplies it to give those of the gates' sums.
    d = np.empty_like(gates)
    np.multiply(gates, gates, out=d)
    np.subtract(gates[:, : 3 * hidden], d[:, : 3 * hidden], out=d[:, : 3 * hidden])
    np.subtract(1, d[:, 3 * hidden :], out=d[:, 3 * hidden :])
    d[:, :hidden] *= squashed
    d[:, hidden : 2 * hidden] *= g
    d[:, 2 * hidden : 3 * hidden] *= before(cells, c, sizes, reverse)
    d[:, 3 * hidden :] *= i
    through = np.multiply(squashed, squashed)
    np.subtract(1, through, out=through)
    through *= o
    recurrent = np.ascontiguousarray(_turned(v))
    g_y, g_h, g_c = gs[0], gs[1].copy(), gs[2].copy()
    outputs = np.empty_like(y) if r is not None else None
    part = np.empty((sizes[0], hidden), x.dtype)
    for begin, n in walk(sizes, not reverse):
        end = begin + n
        dh, dc = g_h[:n], g_c[:n]
        dh += g_y[begin:end]
        if r is not None:
            outputs[begin:end] = dh  # type: ignore[index]
            dh = dh @ r
        np.multiply(dh, through[begin:end], out=part[:n])
        dc += part[:n]
        step = d[begin:end]
        step[:, :hidden] *= dh
        rest = step[:, hidden:].reshape(n, 3, hidden)
        rest *= dc[:, None]
        dc *= f[begin:end]
        np.matmul(step, recurrent, out=g_h[:n])
    found: list[Any] = [None] * (5 + len(more))
    if wanted[0]:
        found[0] = d @ _turned(w)
    found[1], found[2] = g_h, g_c
    if wanted[3]:
        found[3] = _returned(d.T @ x)
    if wanted[4]:
        found[4] = _returned(d.T @ before(y, h, sizes, reverse))
    if biases and (wanted[5] or wanted[6]):
        found[5] = _returned(added(d, 0))
        found[6] = found[5].copy()
    if r is not None and wanted[-1]:
        found[-1] = outputs.T @ raw  # type: ignore[union-attr]
    return [one if asked else None for one, asked in zip(found, wanted, strict=True)]


def _turned(w: Any) -> Any:
    """Weights with their gates in the order o, i, f, g."""
    return np.roll(w, len(w) // 4, 0)


def _returned(w: Any) -> Any:
    return np.roll(w, -(len(w) // 4), 0)
