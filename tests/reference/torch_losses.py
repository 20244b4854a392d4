"""What the losses of single elements are called in PyTorch; `test_torch_losses` has those that are public."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.reference.peer import torch

F = torch.nn.functional


def _unreduced(loss: Callable[..., Any]) -> Callable[..., Any]:
    return lambda x, target: loss(*torch.broadcast_tensors(x, target), reduction="none")


TORCH: dict[str, Callable[..., Any]] = {
    "binary_cross_entropy": _unreduced(F.binary_cross_entropy),
    "binary_cross_entropy_with_logits": _unreduced(F.binary_cross_entropy_with_logits),
    "log_cosh": lambda x: torch.log(torch.cosh(x)),
}

GATE = "PyTorch checks its targets inside of each loss"

WITHOUT_COUNTERPART: dict[str, str] = {
    "class_positions": GATE,
    "ctc": "PyTorch's gradient supposes a log_softmax in front; compared behind one in test_torch_losses",
    "signs": GATE,
    "within": GATE,
}

DIFFERENT: dict[tuple[str, str], str] = {
    (
        "log_cosh",
        "edge: near 0 and far away",
    ): "PyTorch has no such function, and what it is made of overflows",
}

SECOND_ORDER_DIFFERS: dict[tuple[str, str], str] = {
    ("binary_cross_entropy", "axes"): "PyTorch adds 1e-12 to what it divides by",
}

KINKS_THAT_DIFFER: dict[tuple[str, str], str] = {}
