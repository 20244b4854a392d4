"""What distances, arrangements and short formulas are called in PyTorch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.reference.peer import torch

TORCH: dict[str, Callable[..., Any]] = {
    "dist": lambda a, b, p=2: torch.dist(a, b, p),
    "cdist": lambda a, b, p=2: torch.cdist(a, b, float(p), compute_mode="donot_use_mm_for_euclid_dist"),
    "pdist": lambda x, p=2: torch.pdist(x, float(p)),
    "unflatten": lambda x, axis, shape: torch.unflatten(x, axis, shape),
    "index_fill": lambda x, index, value, axis: torch.index_fill(x, axis, index % x.shape[axis], value),
    "cartesian_prod": torch.cartesian_prod,
    "combinations": torch.combinations,
    "matvec": lambda a, v: torch.einsum("...ij,j->...i", a, v),
    "vecmat": lambda v, a: torch.einsum("i,...ij->...j", v.conj(), a),
}

NO_SECOND = "PyTorch has no second derivative of it"

SECOND_ORDER_DIFFERS: dict[tuple[str, str], str] = {
    ("cdist", "size 1"): NO_SECOND,
    ("cdist", "axes"): NO_SECOND,
    ("cdist", "broadcast, order 1"): NO_SECOND,
    ("cdist", "edge: no points"): NO_SECOND,
    ("pdist", "edge: one point"): NO_SECOND,
    ("pdist", "size 1"): NO_SECOND,
    ("pdist", "axes"): NO_SECOND,
    ("pdist", "axes, order 3"): NO_SECOND,
}

WITHOUT_COUNTERPART: dict[str, str] = {
    "resize": "torch.Tensor.resize_ does not repeat elements",
    "polyval": "PyTorch has none",
    "unwrap": "PyTorch has none",
}
