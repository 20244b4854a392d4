"""Layers of positions: what they add, in both orders of axes, and what they refuse."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import nn
from tensorgrad._errors import ShapeError
from tensorgrad.nn import functional as F


@pytest.mark.parametrize("kind", ["SinusoidalPositionalEncoding", "LearnedPositionalEncoding"])
def test_rows_of_the_table_are_added(kind: str) -> None:
    for first in (False, True):
        layer = getattr(nn, kind)(4, max_len=6, batch_first=first, dtype=np.float64)
        table = layer.weight if hasattr(layer, "weight") else layer.table
        y = layer(tg.zeros((2, 5, 4) if first else (5, 2, 4), dtype=np.float64)).numpy()
        for b in range(2):
            np.testing.assert_array_equal(y[b] if first else y[:, b], table.numpy()[:5])
        np.testing.assert_array_equal(layer(tg.zeros((3, 4), dtype=np.float64)).numpy(), table.numpy()[:3])


def test_what_is_trained_and_what_is_saved() -> None:
    fixed, learned = nn.SinusoidalPositionalEncoding(4), nn.LearnedPositionalEncoding(4)
    assert not list(fixed.parameters()) and not fixed.state_dict()
    assert list(learned.state_dict()) == ["weight"]
    learned(tg.zeros((3, 1, 4))).sum().backward()
    assert learned.weight.grad.numpy().sum(1).tolist() == [4] * 3 + [0] * 509


def test_dropout_of_the_sum_in_training() -> None:
    layer = nn.SinusoidalPositionalEncoding(8, dropout=0.5, generator=np.random.default_rng(0))
    assert (layer(tg.ones((5, 2, 8))).numpy() == 0).any()
    assert (layer.eval()(tg.ones((5, 2, 8))).numpy() != 0).all()


def test_rotation_as_a_layer() -> None:
    x = np.random.default_rng(0).standard_normal((2, 3, 4))
    layer = nn.RotaryEmbedding(100.0, interleaved=False)
    np.testing.assert_array_equal(layer(x, [2, 3, 4]), F.rotary_embedding(x, [2, 3, 4], 100.0, False))
    assert repr(layer) == "RotaryEmbedding(base=100.0, interleaved=False)"


@pytest.mark.parametrize("shape", [(3, 2, 5), (7, 2, 4), (4,), (1, 3, 2, 4)])
def test_bad_input(shape: Any) -> None:
    for kind in (nn.SinusoidalPositionalEncoding, nn.LearnedPositionalEncoding):
        with pytest.raises(ShapeError, match=f"{kind.__name__}: input"):
            kind(4, max_len=6)(tg.ones(shape))
