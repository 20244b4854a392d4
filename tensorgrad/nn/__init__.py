"""Neural networks: the trainable leaf, and functions by PyTorch's names."""

from __future__ import annotations

from .._tensor import Parameter as Parameter
from . import functional as functional
