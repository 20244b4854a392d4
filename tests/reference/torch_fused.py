"""What the fused ops are called in PyTorch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.reference.peer import torch

F = torch.nn.functional


def _batch_norm(x: Any, *affine: Any, eps: float) -> Any:
    axes = (0, *range(2, x.ndim))
    y = F.batch_norm(x, None, None, *affine, training=True, eps=eps)
    return y, x.mean(axes), x.var(axes, correction=0)


def _row_norm(x: Any, *affine: Any, rank: int, eps: float, centred: bool) -> Any:
    return (F.layer_norm if centred else F.rms_norm)(x, x.shape[x.ndim - rank :], *affine, eps=eps)


TORCH: dict[str, Callable[..., Any]] = {
    "linear": F.linear,
    "batch_norm": _batch_norm,
    "row_norm": _row_norm,
    "softmax_cross_entropy": lambda labels, logits: F.cross_entropy(logits, labels, reduction="none"),
}

WITHOUT_COUNTERPART: dict[str, str] = {}

DIFFERENT: dict[tuple[str, str], str] = {}

SECOND_ORDER_DIFFERS: dict[tuple[str, str], str] = {}

KINKS_THAT_DIFFER: dict[tuple[str, str], str] = {}
