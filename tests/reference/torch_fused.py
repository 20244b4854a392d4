"""What the fused ops are called in PyTorch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.reference.peer import torch

F = torch.nn.functional

TORCH: dict[str, Callable[..., Any]] = {
    "linear": F.linear,
    "softmax_cross_entropy": lambda labels, logits: F.cross_entropy(logits, labels, reduction="none"),
}

WITHOUT_COUNTERPART: dict[str, str] = {}

DIFFERENT: dict[tuple[str, str], str] = {}

SECOND_ORDER_DIFFERS: dict[tuple[str, str], str] = {}

KINKS_THAT_DIFFER: dict[tuple[str, str], str] = {}
