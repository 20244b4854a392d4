"""What the ops of this family are called in PyTorch, and where the two differ on purpose."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.reference.peer import torch

TORCH: dict[str, Callable[..., Any]] = {
    "bitwise_and": torch.bitwise_and, "bitwise_or": torch.bitwise_or, "bitwise_xor": torch.bitwise_xor,
    "bitwise_invert": torch.bitwise_not, "bitwise_left_shift": torch.bitwise_left_shift,
    "bitwise_right_shift": torch.bitwise_right_shift, "gcd": torch.gcd, "lcm": torch.lcm,
    "logical_xor": torch.logical_xor,
    "isclose": lambda a, b, **params: torch.isclose(*torch.broadcast_tensors(a, b), **params),
    "allclose": lambda a, b, **params: torch.isclose(*torch.broadcast_tensors(a, b), **params).all(),
    "isreal": torch.isreal, "isposinf": torch.isposinf, "isneginf": torch.isneginf,
    "iscomplex": lambda x: ~torch.isreal(x), "fmod": torch.fmod, "signbit": torch.signbit,
    "nextafter": torch.nextafter, "rint": torch.round, "float_power": torch.float_power,
    "angle": lambda x, deg=False: torch.rad2deg(torch.angle(x)) if deg else torch.angle(x),
}  # fmt: skip

WITHOUT_COUNTERPART: dict[str, str] = {
    "bitwise_count": "PyTorch counts no bits",
    "array_equal": "torch.equal gives a bool, and knows no NaN that equals itself",
    "array_equiv": "PyTorch has none",
    "modf": "PyTorch has only the fraction, and NaN for that of infinity",
}

DIFFERENT: dict[tuple[str, str], str] = {}

SECOND_ORDER_DIFFERS: dict[tuple[str, str], str] = {}

KINKS_THAT_DIFFER: dict[tuple[str, str], str] = {}
