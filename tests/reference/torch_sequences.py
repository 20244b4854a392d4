"""Ops over sequences have no counterparts by themselves; `test_torch_sequence` compares the layers made of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

TORCH: dict[str, Callable[..., Any]] = {}

WITHOUT_COUNTERPART: dict[str, str] = {
    "lstm": "one direction of one layer; test_torch_sequence compares nn.LSTM",
    "gru": "likewise, nn.GRU",
    "elman": "likewise, nn.RNN",
    "attention": "with dropout as an operand; test_torch_sequence compares scaled_dot_product_attention",
}

DIFFERENT: dict[tuple[str, str], str] = {}

SECOND_ORDER_DIFFERS: dict[tuple[str, str], str] = {}

KINKS_THAT_DIFFER: dict[tuple[str, str], str] = {}
