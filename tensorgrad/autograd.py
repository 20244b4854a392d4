"""PyTorch's names for gradients of tensors: ``autograd.grad`` and ``autograd.Function``."""

from __future__ import annotations

from .transforms.custom import Function as Function
from .transforms.grad import backward as backward
from .transforms.grad import gradients as grad

__all__ = ["Function", "backward", "grad"]
