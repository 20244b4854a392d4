"""What the ops of this family are called in PyTorch, and where the two differ on purpose."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.reference.peer import torch

F = torch.nn.functional
KINDS = ("max_pool", "max_unpool", "avg_pool", "lp_pool", "adaptive_avg_pool", "adaptive_max_pool")

TORCH: dict[str, Callable[..., Any]] = {
    **{f"{kind}{rank}d": getattr(F, f"{kind}{rank}d") for kind in KINDS for rank in (1, 2, 3)},
    "interpolate": F.interpolate,
}

WITHOUT_COUNTERPART: dict[str, str] = {
    **dict.fromkeys(
        ("window_max", "window_leader", "window_read", "window_add", "window_sum", "window_spread"),
        "a part of pooling along one axis, which is compared",
    ),
    "resample": "a part of interpolation along one axis, which is compared",
    "plane_positions": "a check of max_unpool",
    "segment_of": "a part of interp",
    "interp": "NumPy's function; tests/ops/test_pool.py compares with that",
}

DIFFERENT: dict[tuple[str, str], str] = {}

SECOND_ORDER_DIFFERS: dict[tuple[str, str], str] = {}

KINKS_THAT_DIFFER: dict[tuple[str, str], str] = {
    ("window_max", "a tie"): "compared as max_pool",
    ("interp", "knots, ends and outside"): "no counterpart",
}
