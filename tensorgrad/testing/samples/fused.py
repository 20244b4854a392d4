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
)
