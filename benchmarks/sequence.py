"""Forward and backward of networks over sequences, in float32; no bars.

Both libraries have the same layers with the same weights. Before each pass the gradients are forgotten; what
must agree are the result and the gradients of the input and of all parameters.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np

import tensorgrad as tg

from .harness import Case, Implementation

STEPS, BATCH = 64, 32
RECURRENT = ("LSTM", "GRU", "RNN")
WIDTH, HEADS, LAYERS, SENTENCES = 128, 4, 2, 16
VOCABULARY = 10_000


def cases(torch: Any) -> Iterator[Case]:
    """Recurrent layers, a transformer, one attention, and an embedding."""
    recurrent = (STEPS, BATCH, 64)
    for name in RECURRENT:
        yield _case(torch, f"{name} 64->128", recurrent, partial(_recurrent, name=name))
    yield _case(torch, "LSTM 64->128, forward", recurrent, partial(_recurrent, name="LSTM"), backward=False)
    sentences = (SENTENCES, STEPS, WIDTH)
    yield _case(torch, f"transformer, {LAYERS} layers, {HEADS} heads", sentences, _transformer)
    yield _case(torch, f"attention, {HEADS} heads", sentences, _attention)
    yield _case(torch, f"embedding of {VOCABULARY}", (SENTENCES, STEPS), _embedding)


def _case(torch: Any, workload: str, shape: tuple[int, ...], make: Any, *, backward: bool = True) -> Case:
    peers = {"torch": partial(_passes, torch, shape, make, backward)} if torch else {}
    return Case(workload, str(shape), partial(_passes, tg, shape, make, backward), peers)


def _recurrent(nn: Any, name: str) -> Any:
    layer = getattr(nn, name)(64, 128)
    return layer, lambda x: layer(x)[0]


def _transformer(nn: Any) -> Any:
    layer = nn.TransformerEncoderLayer(WIDTH, HEADS, 4 * WIDTH, 0.0, batch_first=True)
    model = nn.TransformerEncoder(layer, LAYERS)
    return model, model


def _attention(nn: Any) -> Any:
    layer = nn.MultiheadAttention(WIDTH, HEADS, batch_first=True)
    return layer, lambda x: layer(x, x, x, need_weights=False)[0]


def _embedding(nn: Any) -> Any:
    layer = nn.Embedding(VOCABULARY, WIDTH)
    return layer, layer


def _passes(lib: Any, shape: tuple[int, ...], make: Any, backward: bool) -> Implementation:
    model, call = make(lib.nn)
    rng = np.random.default_rng(0)
    numbers = len(shape) == 2
    array = rng.integers(0, VOCABULARY, shape) if numbers else rng.normal(size=shape).astype(np.float32)
    x = lib.tensor(array) if numbers else lib.tensor(array, requires_grad=True)
    parameters = list(model.parameters())
    with lib.no_grad():
        for p in parameters:
            values = (rng.normal(size=tuple(p.shape)) / np.sqrt(p.shape[-1])).astype(np.float32)
            p[...] = lib.tensor(values)
    leaves = parameters if numbers else [x, *parameters]
    weights = lib.tensor(rng.normal(size=tuple(call(x).shape)).astype(np.float32))

    def run() -> Any:
        if not backward:
            with lib.no_grad():
                return call(x)
        for leaf in leaves:
            leaf.grad = None
        y = call(x)
        (y * weights).sum().backward()
        return y, [leaf.grad for leaf in leaves]

    return Implementation(run)
