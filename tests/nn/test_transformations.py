"""Modules as functions of their parameters: gradients, batches of gradients, directions and curvature agree."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose

import tensorgrad as tg
from tensorgrad import nn

CLOSE = {"rtol": 1e-8, "atol": 1e-9}
NORMAL = np.random.default_rng(0).normal
IMAGES, ROWS, SEQUENCES = NORMAL(size=(2, 2, 3, 3)), NORMAL(size=(4, 3)), NORMAL(size=(2, 3, 4))
DOUBLE: dict[str, Any] = {"dtype": tg.float64}

MODULES: dict[str, tuple[Callable[[], Any], Any]] = {
    "Linear": (lambda: nn.Linear(3, 2, **DOUBLE), ROWS),
    "Conv2d": (lambda: nn.Conv2d(2, 3, 2, **DOUBLE), IMAGES),
    "ConvTranspose2d": (lambda: nn.ConvTranspose2d(2, 1, 2, **DOUBLE), IMAGES),
    "BatchNorm1d in evaluation": (lambda: nn.BatchNorm1d(3, **DOUBLE).eval(), ROWS),
    "BatchNorm1d in training": (lambda: nn.BatchNorm1d(3, **DOUBLE), ROWS),
    "LayerNorm": (lambda: nn.LayerNorm(3, **DOUBLE), ROWS),
    "GroupNorm": (lambda: nn.GroupNorm(1, 2, **DOUBLE), IMAGES),
    "Embedding": (lambda: nn.Embedding(4, 2, **DOUBLE), np.array([[0, 1], [3, 1]])),
    "LSTM": (lambda: nn.LSTM(4, 2, batch_first=True, **DOUBLE), SEQUENCES),
    "GRU": (lambda: nn.GRU(4, 1, bidirectional=True, batch_first=True, **DOUBLE), SEQUENCES),
    "MultiheadAttention": (lambda: nn.MultiheadAttention(4, 2, batch_first=True, **DOUBLE), SEQUENCES),
    "TransformerEncoderLayer": (
        lambda: nn.TransformerEncoderLayer(4, 2, 5, batch_first=True, norm_first=True, **DOUBLE).eval(),
        SEQUENCES,
    ),
    "Dropout in evaluation": (lambda: nn.Sequential(nn.Linear(3, 2, **DOUBLE), nn.Dropout(0.5)).eval(), ROWS),
}


def made(name: str) -> tuple[Callable[..., Any], dict[str, Any], Any]:
    """A loss of weights and input, the weights, and an input."""
    tg.manual_seed(0)
    make, x = MODULES[name]
    module = make()

    def loss(weights: Any, x: Any) -> Any:
        y = nn.functional_call(module, weights, (x, x, x) if "Multihead" in name else (x,))
        y = y[0] if isinstance(y, tuple) else y
        return (tg.tanh(y) * (1 + tg.arange(y.size, dtype=y.dtype).reshape(y.shape))).sum()

    return loss, {key: p.numpy().copy() for key, p in module.named_parameters()}, x


def backward(loss: Any, weights: Any, x: Any) -> dict[str, Any]:
    leaves = {key: tg.tensor(w, requires_grad=True) for key, w in weights.items()}
    loss(leaves, x).backward()
    return {key: leaf.grad.numpy() for key, leaf in leaves.items()}  # type: ignore[union-attr]


def assert_same(ours: Any, expected: Any, **tolerance: float) -> None:
    assert ours.keys() == expected.keys()
    for key, value in expected.items():
        assert_allclose(ours[key], value, err_msg=key, **(tolerance or CLOSE))


@pytest.mark.parametrize("name", MODULES)
def test_derivatives_in_all_weights(name: str) -> None:
    loss, weights, x = made(name)
    slopes = backward(loss, weights, x)
    assert_same(tg.grad(loss)(weights, x), slopes)

    along = {key: NORMAL(size=w.shape) for key, w in weights.items()}
    rate = tg.jvp(lambda w: loss(w, x), (weights,), (along,))[1]
    assert_allclose(rate, sum((slopes[key] * along[key]).sum() for key in along), **CLOSE)

    def product(weights: Any) -> Any:
        return sum(tg.sum(g * along[key]) for key, g in tg.grad(loss)(weights, x).items())

    curved = tg.grad(product)(weights)
    assert_same(tg.jvp(lambda w: tg.grad(loss)(w, x), (weights,), (along,))[1], curved)
    ahead, behind = [
        backward(loss, {k: w + h * along[k] for k, w in weights.items()}, x) for h in (1e-5, -1e-5)
    ]
    assert_same(curved, {k: (ahead[k] - behind[k]) / 2e-5 for k in ahead}, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", [name for name in MODULES if "in training" not in name])
def test_gradients_of_each_example(name: str) -> None:
    loss, weights, x = made(name)
    each = tg.vmap(lambda w, one: tg.grad(loss)(w, one[None]), in_axes=(None, 0))(weights, x)
    for i in range(len(x)):
        assert_same({key: g[i] for key, g in each.items()}, backward(loss, weights, x[i : i + 1]))
    together = tg.grad(lambda w: tg.vmap(lambda one: loss(w, one[None]))(x).sum())(weights)
    assert_same(together, {key: g.sum(0) for key, g in each.items()})


@pytest.mark.parametrize("name", MODULES)
def test_a_replay_is_a_call(name: str) -> None:
    loss, weights, x = made(name)
    graph = tg.trace(lambda x: tg.grad(loss)(weights, x), tg.tensor(x))
    assert_same(graph(x[::-1]), backward(loss, weights, x[::-1]))
