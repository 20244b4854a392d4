"""Rows of ops over sequences, against loops over steps, batch and queries."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..._errors import ShapeError
from ...nn import functional
from ...ops import fused
from .row import Fails, OpSamples, at, normal, row


def _stepped(cell: Any, x: Any, states: Any, sizes: Any, reverse: bool) -> Any:
    """Each sequence by itself, one step after the other; the first state is the output."""
    steps = [range(sum(sizes[:t]), sum(sizes[: t + 1])) for t in range(len(sizes))]
    outputs = np.zeros((len(x), states[0].shape[1]), np.result_type(x, *states))
    ends = [np.array(one, outputs.dtype) for one in states]
    for b in range(sizes[0]):
        now = [one[b] for one in states]
        for rows in reversed(steps) if reverse else steps:
            if b < len(rows):
                now = cell(x[rows[b]], *now)
                outputs[rows[b]] = now[0]
        for end, one in zip(ends, now, strict=True):
            end[b] = one
    return outputs, *ends


def _sigmoid(x: Any) -> Any:
    return 1 / (1 + np.exp(-x))


def _lstm(x: Any, h: Any, c: Any, w: Any, v: Any, *more: Any, sizes: Any, reverse: bool) -> Any:
    bias = more[0] + more[1] if len(more) > 1 else 0

    def cell(x: Any, h: Any, c: Any) -> Any:
        i, f, g, o = np.split(w @ x + v @ h + bias, 4)
        c = _sigmoid(f) * c + _sigmoid(i) * np.tanh(g)
        h = _sigmoid(o) * np.tanh(c)
        return [more[-1] @ h if len(more) % 2 else h, c]

    return _stepped(cell, x, [h, c], sizes, reverse)


def _gru(x: Any, h: Any, w: Any, v: Any, *biases: Any, sizes: Any, reverse: bool) -> Any:
    b, a = biases or (0, 0)

    def cell(x: Any, h: Any) -> Any:
        (x_r, x_z, x_n), (h_r, h_z, h_n) = np.split(w @ x + b, 3), np.split(v @ h + a, 3)
        z = _sigmoid(x_z + h_z)
        return [(1 - z) * np.tanh(x_n + _sigmoid(x_r + h_r) * h_n) + z * h]

    return _stepped(cell, x, [h], sizes, reverse)


def _elman(x: Any, h: Any, w: Any, v: Any, *biases: Any, sizes: Any, reverse: bool, nonlinearity: str) -> Any:
    f = np.tanh if nonlinearity == "tanh" else lambda s: s * (s > 0)
    return _stepped(lambda x, h: [f(w @ x + v @ h + sum(biases))], x, [h], sizes, reverse)


def _attention(*operands: Any, scale: float, causal: bool, biased: bool) -> Any:
    q, k, v, *more = operands
    lead = np.broadcast_shapes(q.shape[:-2], k.shape[:-2])
    shape = (*lead, q.shape[-2], k.shape[-2])
    q, k, v = (np.broadcast_to(one, (*lead, *one.shape[-2:])) for one in (q, k, v))
    bias = np.broadcast_to(more[0] if biased else 0.0, shape)
    keep = np.broadcast_to(more[-1] if len(more) > biased else 1.0, shape)
    y = np.zeros((*shape[:-1], v.shape[-1]), np.result_type(*operands))
    for place in np.ndindex(shape[:-1]):
        *where, i = place
        parts = []
        for j in range(shape[-1]):
            score = sum(q[place] * k[(*where, j)]) * scale + bias[(*place, j)]
            parts.append(0.0 if (causal and j > i) or np.isneginf(score.real) else np.exp(score))
        total = sum(parts)
        for j, part in enumerate(parts):
            if total != 0:
                y[place] += part / total * keep[(*place, j)] * v[(*where, j)]
    return y


def _operands(rows: int, batch: int, gates: int, states: int, *, biased: bool = True, size: int = 2) -> Any:
    """Inputs of 3 features, states, weights and biases."""
    shapes: list[tuple[int, ...]] = [
        (rows, 3),
        *[(batch, size)] * states,
        (gates * size, 3),
        (gates * size, size),
    ]
    shapes += [(gates * size,)] * 2 * biased
    return [normal(*shape, seed=i) * 0.7 for i, shape in enumerate(shapes)]


def _wide(*shape: int) -> Any:
    """Queries and keys whose scores are hundreds: the weights are 0 and 1."""
    return normal(*shape) * 30


_HIDDEN = np.array([[0.0, -np.inf, 0.5], [-np.inf, -np.inf, -np.inf]])
_PROJECTION = normal(1, 2, seed=9)
_ATTENTION: dict[str, Any] = {"scale": 0.5, "causal": False, "biased": False}
_FORWARD: dict[str, Any] = {"sizes": (2, 2, 1), "reverse": False}
_BACKWARD: dict[str, Any] = {"sizes": (2, 2, 1), "reverse": True}


def _recurrent_rows(name: str, gates: int, states: int, reference: Any, more: Any) -> OpSamples:
    op = getattr(fused, name)
    single, step = _operands(1, 1, gates, states, size=1), {"sizes": (1,), "reverse": False}
    extra = []
    if name == "lstm":
        x, h, *others = _operands(5, 2, gates, states)
        others[2] = others[2][:, :1]
        extra = [at("axes projected", x, h[:, :1], *others, _PROJECTION, **_FORWARD)]
    if name == "elman":
        extra = [at("axes relu", *_operands(5, 2, 1, 1), **_FORWARD, nonlinearity="relu", complex_step=False)]
    return row(
        name,
        at("size 1", *single, **step, **more),
        at("axes", *_operands(5, 2, gates, states), **_FORWARD, **more),
        at("axes reverse", *_operands(5, 2, gates, states), **_BACKWARD, **more),
        at("axes no bias", *_operands(4, 2, gates, states, biased=False), sizes=(2, 2), reverse=False, **more),
        at(
            "edge large", *[8 * one for one in _operands(4, 2, gates, states)], sizes=(2, 2), reverse=True,
            smooth=False, **more,
        ),
        *extra,
        reference=reference,
        op=op,
        errors=Fails(
            lambda: getattr(functional, "rnn_tanh" if name == "elman" else name)(
                normal(4, 2, 5), None, _operands(1, 1, gates, 0)[1:]
            ),
            ShapeError,
            "5 features",
        ),
    )  # fmt: skip


ROWS: tuple[OpSamples, ...] = (
    _recurrent_rows("lstm", 4, 2, _lstm, {}),
    _recurrent_rows("gru", 3, 1, _gru, {}),
    _recurrent_rows("elman", 1, 1, _elman, {"nonlinearity": "tanh"}),
    row(
        "attention",
        at("size 1", normal(1, 1), normal(1, 1, seed=1), normal(1, 1, seed=2), **_ATTENTION),
        at("axes", normal(2, 3, 2), normal(2, 4, 2, seed=1), normal(2, 4, 3, seed=2), **_ATTENTION),
        at("axes causal", normal(3, 2), normal(3, 2, seed=1), normal(3, 2, seed=2), **{**_ATTENTION, "causal": True}),
        at(
            "broadcast", normal(2, 1, 2, 2), normal(3, 3, 2, seed=1), normal(3, 3, 1, seed=2), normal(2, 1, 2, 3, seed=3),
            normal(3, 1, 3, seed=4), **{**_ATTENTION, "biased": True},
        ),
        at(
            "edge hidden", normal(2, 2), normal(3, 2, seed=1), normal(3, 2, seed=2), _HIDDEN, wrt=(0, 1, 2),
            complex_step=False, **{**_ATTENTION, "biased": True},
        ),
        at("edge far", _wide(2, 2), _wide(3, 2), normal(3, 2, seed=2), smooth=False, **_ATTENTION),
        reference=_attention,
        op=fused.attention,
        errors=Fails(
            lambda: functional.scaled_dot_product_attention(normal(2, 3), normal(2, 4), normal(2, 4)),
            ShapeError,
            r"query \(2, 3\), key \(2, 4\)",
        ),
    ),
)  # fmt: skip
