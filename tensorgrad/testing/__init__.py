"""Checks of derivatives, and the table of samples that describes every op to the tests."""

from __future__ import annotations

from .bridges import from_autograd as from_autograd
from .bridges import from_jax as from_jax
from .bridges import from_torch as from_torch
from .gradcheck import gradcheck as gradcheck
