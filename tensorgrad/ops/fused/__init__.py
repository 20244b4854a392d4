"""Fused ops: composites of the heavy parts of neural networks, each with a fast pair; see `_fused`."""

from __future__ import annotations

from .attention import attention as attention
from .batch_norm import batch_norm as batch_norm
from .cross_entropy import softmax_cross_entropy as softmax_cross_entropy
from .ctc import ctc as ctc
from .elman import elman as elman
from .gelu import gelu as gelu
from .gru import gru as gru
from .linear import linear as linear
from .lstm import lstm as lstm
from .row_norm import row_norm as row_norm
