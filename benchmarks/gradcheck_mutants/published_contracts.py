"""Published bugs that are not in the formula: the upstream array, the memory or the dtype were mistreated."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .published_pair import Published


def _softmax(x: Any) -> Any:
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def _softmax_in_place(inputs: Any, y: Any, g: Any) -> Any:
    g -= (g * y).sum(-1, keepdims=True)
    g *= y
    return (g,)


def _products_of_rows(x: Any) -> Any:
    return np.tril(x @ x.T)


def _products_of_rows_in_place(inputs: Any, y: Any, g: Any) -> Any:
    g[np.diag_indices_from(g)] *= 2
    return ((np.tril(g) + np.tril(g, -1).T) @ inputs[0],)


class _Sequential:
    """Two layers that keep what the first one gave for the second one's backward pass."""

    def __init__(self) -> None:
        self.hidden: Any = None

    def forward(self, x: Any) -> Any:
        self.hidden = np.tanh(x)
        return self.hidden**3

    def backward(self, inputs: Any, y: Any, g: Any) -> Any:
        return (3 * g * self.hidden**2 * (1 - np.tanh(inputs[0]) ** 2),)


_SEQUENTIAL = _Sequential()


def _max_vjp(inputs: Any, y: Any, g: Any) -> Any:
    (x,) = inputs
    chosen = x == y[:, None]
    return (g[:, None] * chosen / chosen.sum(1, keepdims=True),)  # floats over integers: double precision


CONTRACTS: tuple[Published, ...] = (
    Published(
        name="fused softmax",
        issue="NVIDIA/apex#1430",
        what="the kernel wrote its result over the gradient from upstream, which others may still read",
        label="upstream mutated",
        f=_softmax,
        f_vjp=_softmax_in_place,
        right_vjp=lambda inputs, y, g: (y * (g - (g * y).sum(-1, keepdims=True)),),
        inputs=lambda rng: (rng.standard_normal((2, 3)),),
    ),
    Published(
        name="products of rows",
        issue="happynear/caffe-windows#46",
        what="the covariance layer doubled the diagonal of the gradient from upstream before using it",
        label="upstream mutated",
        f=_products_of_rows,
        f_vjp=_products_of_rows_in_place,
        right_vjp=lambda inputs, y, g: ((np.tril(g) + np.tril(g).T) @ inputs[0],),
        inputs=lambda rng: (rng.standard_normal((3, 2)),),
    ),
    Published(
        name="two layers in sequence",
        issue="torch/nn#1015",
        what="the backward pass used what the last forward pass had left, be it of another input",
        label="stale value",
        f=_SEQUENTIAL.forward,
        f_vjp=_SEQUENTIAL.backward,
        right_vjp=lambda inputs, y, g: (3 * g * np.tanh(inputs[0]) ** 2 * (1 - np.tanh(inputs[0]) ** 2),),
        inputs=lambda rng: (rng.standard_normal(5),),
    ),
    Published(
        name="max of single precision",
        issue="HIPS/autograd#199",
        what="dividing by the number of ties, an integer, made the gradient double precision",
        label="wrong dtype",
        f=lambda x: x.max(1),
        f_vjp=_max_vjp,
        right_vjp=lambda inputs, y, g: (_max_vjp(inputs, y, g)[0].astype(inputs[0].dtype),),
        inputs=lambda rng: (rng.permutation(12).reshape(3, 4).astype(np.float32),),
    ),
    Published(
        name="log10 of single precision",
        issue="pymc-devs/pytensor#667",
        what="the constant log(10) was double precision, and so was the gradient",
        label="wrong dtype",
        f=np.log10,
        f_vjp=lambda inputs, y, g: (g / (inputs[0] * np.log(np.float64(10))),),
        right_vjp=lambda inputs, y, g: (g / (inputs[0] * math.log(10)),),
        inputs=lambda rng: (rng.uniform(0.5, 3.0, (2, 3)).astype(np.float32),),
    ),
)
