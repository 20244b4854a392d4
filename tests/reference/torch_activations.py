"""What the activations that are ops are called in PyTorch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.reference.peer import torch

F = torch.nn.functional

TORCH: dict[str, Callable[..., Any]] = {
    "gelu": F.gelu,
    "hardtanh": lambda x, low, high: F.hardtanh(x, low, high),
    "softplus": lambda x, beta=1.0, threshold=float("inf"): F.softplus(x, beta, threshold),
}

WITHOUT_COUNTERPART: dict[str, str] = {"random_mask": "other generators draw other numbers"}

DIFFERENT: dict[tuple[str, str], str] = {}

SECOND_ORDER_DIFFERS: dict[tuple[str, str], str] = {}

KINKS_THAT_DIFFER: dict[tuple[str, str], str] = {}
