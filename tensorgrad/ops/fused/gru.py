"""One layer and direction of gated recurrent units over all its steps.

    r, z = sigmoid(W x + b + V h + a)      n = tanh(W x + b + r (V h + a))      h' = (1 - z) n + z h

Source: K. Cho et al., Learning Phrase Representations using RNN Encoder-Decoder, 2014; with the reset gate behind
the product, as in PyTorch.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..._fused import fused
from ..adding import added
from ..contract import matmul
from ..elementwise import add, multiply, sigmoid, subtract, tanh
from ..shape import matrix_transpose, split
from .stepping import Sizes, before, carried, check_fit, last, scanned, walk


def _composite(*operands: Any, sizes: Sizes, reverse: bool) -> tuple[Any, ...]:
    check_fit("gru", 3, 1, operands, sizes)
    x, h, w, v, *biases = operands
    rows = matmul(x, matrix_transpose(w))
    if biases:
        rows = add(rows, biases[0])
    v_transposed = matrix_transpose(v)

    def step(row: Any, h: Any) -> tuple[Any]:
        product = matmul(h, v_transposed)
        return (gated(row, add(product, biases[1]) if biases else product, h),)

    return scanned(step, rows, (h,), sizes, reverse)


def gated(row: Any, product: Any, h: Any) -> Any:
    """The next ``h``, from what the input and ``h`` add to the gates."""
    (x_r, x_z, x_n), (h_r, h_z, h_n) = split(row, 3, axis=-1), split(product, 3, axis=-1)
    z = sigmoid(add(x_z, h_z))
    n = tanh(add(x_n, multiply(sigmoid(add(x_r, h_r)), h_n)))
    return add(n, multiply(z, subtract(h, n)))


@fused(_composite, public=2)
def gru(*operands: Any, sizes: Sizes, reverse: bool) -> tuple[Any, ...]:
    """Outputs of all rows, and the last ``h``.

    Args:
        operands: the inputs (rows, input), ``h`` at the start (batch, hidden), the weights of the input
            (3 hidden, input) and of ``h`` (3 hidden, hidden), gates in the order r, z, n; then ``b`` and ``a``, or nothing.
        sizes: the number of rows of each step.
        reverse: whether time runs backwards.
    """
    check_fit("gru", 3, 1, operands, sizes)
    x, h, w, v, *biases = operands
    hidden = h.shape[1]
    two = 2 * hidden
    half = np.ones((3 * hidden, 1), x.dtype)
    half[:two] = 0.5
    gates = x @ (w * half).T
    if biases:
        gates += biases[0] * half[:, 0]
        gates[:, :two] += biases[1][:two] * np.asarray(0.5, x.dtype)
    recurrent = np.ascontiguousarray((v * half).T)
    y = np.empty((len(x), hidden), x.dtype)
    news = np.empty_like(y)
    products = np.empty((sizes[0], 3 * hidden), x.dtype)
    parts = np.empty((sizes[0], hidden), x.dtype)
    now = h[:0]
    for begin, n in walk(sizes, reverse):
        end = begin + n
        now = carried(now, h, n)
        gate, product, part, new, out = (
            gates[begin:end],
            products[:n],
            parts[:n],
            news[begin:end],
            y[begin:end],
        )
        np.matmul(now, recurrent, out=product)
        sigmoids, candidate = gate[:, :two], gate[:, two:]
        sigmoids += product[:, :two]
        np.tanh(sigmoids, out=sigmoids)
        sigmoids *= 0.5
        sigmoids += 0.5
        if biases:
            np.add(product[:, two:], biases[1][two:], out=new)
        else:
            new[...] = product[:, two:]
        np.multiply(sigmoids[:, :hidden], new, out=part)
        candidate += part
        np.tanh(candidate, out=candidate)
        np.subtract(now, candidate, out=out)
        out *= sigmoids[:, hidden:]
        out += candidate
        now = out
    return y, last(y, sizes, reverse), gates, news


@gru.pull
def _(gs: Any, operands: Any, results: Any, wanted: Any, sizes: Sizes, reverse: bool) -> list[Any]:
    x, h, w, v, *biases = operands
    y, _, gates, news = results
    hidden = h.shape[1]
    r, z, n = (gates[:, k * hidden : (k + 1) * hidden] for k in range(3))
    previous = before(y, h, sizes, reverse)
    # Of n from the input, of r, of z, and of n from h: all of them multiply the cotangent of h'.
    d = np.empty((len(x), 4 * hidden), x.dtype)
    from_x, of_r, of_z, from_h = (d[:, k * hidden : (k + 1) * hidden] for k in range(4))
    np.multiply(n, n, out=from_x)
    np.subtract(1, from_x, out=from_x)
    from_x *= 1 - z
    np.multiply(from_x, r, out=from_h)
    np.subtract(1, r, out=of_r)
    of_r *= from_h
    of_r *= news
    np.subtract(1, z, out=of_z)
    of_z *= z
    of_z *= previous - n
    g_y, g_h = gs[0], gs[1].copy()
    v = np.ascontiguousarray(v)
    products = np.empty((sizes[0], hidden), x.dtype)
    for begin, size in walk(sizes, not reverse):
        end = begin + size
        dh, product = g_h[:size], products[:size]
        dh += g_y[begin:end]
        step = d[begin:end].reshape(size, 4, hidden)
        step *= dh[:, None]
        np.matmul(d[begin:end, hidden:], v, out=product)
        dh *= z[begin:end]
        dh += product
    found: list[Any] = [None] * (4 + len(biases))
    input_side, state_side = d[:, : 3 * hidden], d[:, hidden:]
    if wanted[0]:
        found[0] = input_side @ np.roll(w, hidden, 0)
    found[1] = g_h
    if wanted[2]:
        found[2] = np.roll(input_side.T @ x, -hidden, 0)
    if wanted[3]:
        found[3] = state_side.T @ previous
    if biases and (wanted[4] or wanted[5]):
        sums = added(d, 0)
        found[4], found[5] = np.roll(sums[: 3 * hidden], -hidden), sums[hidden:].copy()
    return [one if asked else None for one, asked in zip(found, wanted, strict=True)]
