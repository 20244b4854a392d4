"""Rows of the fused ops: the pair against loops, and so also against the composite."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..._errors import IndexingError, ShapeError
from ...nn import functional
from ...ops import fused
from .row import Fails, OpSamples, at, normal, row


def _linear(x: Any, w: Any, *bias: Any) -> Any:
    out = np.zeros((*x.shape[:-1], len(w)), np.result_type(x, w))
    for index in np.ndindex(out.shape):
        *where, k = index
        out[index] = sum(x[(*where, i)] * w[k, i] for i in range(w.shape[1])) + (bias[0][k] if bias else 0)
    return out


def _softmax_cross_entropy(labels: Any, logits: Any) -> Any:
    top = [max(row) for row in logits]
    return np.array([
        math.log(sum(math.exp(v - t) for v in row)) + t - row[k]
        for row, k, t in zip(logits, labels, top, strict=True)
    ])  # fmt: skip


def _batch_norm(x: Any, *affine: Any, eps: float) -> tuple[Any, ...]:
    y, centre, variance = np.zeros(x.shape, x.dtype), *np.zeros((2, x.shape[1]), x.dtype)
    for c in range(x.shape[1]):
        values = x[:, c].reshape(-1).tolist()
        centre[c] = sum(values) / len(values)
        variance[c] = sum((v - centre[c]) ** 2 for v in values) / len(values)
        y[:, c] = (x[:, c] - centre[c]) / (variance[c] + eps) ** 0.5
        if affine:
            y[:, c] = y[:, c] * affine[0][c] + affine[1][c]
    return y, centre, variance


def _row_norm(x: Any, *affine: Any, rank: int, eps: float, centred: bool) -> Any:
    y = np.zeros(x.shape, x.dtype)
    for place in np.ndindex(x.shape[: x.ndim - rank]):
        row = x[place] - x[place].sum() / x[place].size if centred else x[place]
        size = sum(v * v for v in row.reshape(-1).tolist()) / row.size
        y[place] = row / (size + eps) ** 0.5
        for step, operand in zip((np.multiply, np.add), affine, strict=False):
            y[place] = step(y[place], operand)
    return y


ROWS: tuple[OpSamples, ...] = (
    row(
        "linear",
        at("size 1", normal(1, 1), normal(1, 1, seed=1), normal(1, seed=2)),
        at("axes", normal(2, 2, 3), normal(4, 3, seed=1), normal(4, seed=2)),
        at("broadcast", normal(3), normal(2, 3, seed=1), normal(2, seed=2)),
        at("edge no rows", normal(0, 3), normal(2, 3, seed=1)),
        at("no bias", normal(2, 3), normal(2, 3, seed=1)),
        reference=_linear,
        op=fused.linear,
        errors=Fails(
            lambda: functional.linear(normal(2, 3), normal(2, 4)),
            ShapeError,
            r"linear: input \(2, 3\) and weight",
        ),
    ),
    row(
        "softmax_cross_entropy",
        at("size 1", np.array([0]), normal(1, 1)),
        at("axes", np.array([2, 0]), normal(2, 3), complex_step=False),
        at(
            "edge far apart",
            np.array([0, 1]),
            np.array([[1e3, -1e3, 0.0], [800.0, 0.0, -800.0]]),
            smooth=False,
        ),
        reference=_softmax_cross_entropy,
        op=fused.softmax_cross_entropy,
        errors=Fails(
            lambda: fused.softmax_cross_entropy(np.array([3]), normal(1, 3)),
            IndexingError,
            "softmax_cross_entropy",
        ),
    ),
    row(
        "batch_norm",
        at("size 1", normal(2, 1), eps=0.1),
        at("axes", normal(2, 3, 2, 1), normal(3, seed=1), normal(3, seed=2), eps=0.1),
        at(
            "axes, channels last",
            np.moveaxis(normal(2, 2, 2), -1, 1),
            normal(2, seed=1),
            normal(2, seed=2),
            eps=0.1,
        ),
        at("edge: all equal", np.full((3, 2), 0.5), eps=0.1),
        reference=_batch_norm,
        op=fused.batch_norm,
        errors=Fails(
            lambda: functional.batch_norm(normal(1, 3), None, None, training=True),
            ShapeError,
            r"batch_norm: input \(1, 3\) has 1 elements",
        ),
    ),
    row(
        "row_norm",
        at("size 1", normal(1, 1), rank=1, eps=0.1, centred=True),
        at("axes", normal(2, 3), normal(3, seed=1), normal(3, seed=2), rank=1, eps=0.1, centred=True),
        at("axes, two", normal(2, 2, 2), normal(2, 2, seed=1), rank=2, eps=0.1, centred=False),
        at("edge: no rows", normal(0, 3), rank=1, eps=0.1, centred=True),
        at("edge: all equal", np.full((1, 3), 0.5), rank=1, eps=0.1, centred=True),
        reference=_row_norm,
        op=fused.row_norm,
        errors=Fails(
            lambda: functional.layer_norm(normal(2, 3), (2,)),
            ShapeError,
            r"layer_norm: input has shape \(2, 3\)",
        ),
    ),
)
