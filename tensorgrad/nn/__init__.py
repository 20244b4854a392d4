"""Neural networks: for now the trainable leaf."""

from __future__ import annotations

from .._tensor import Parameter as Parameter
from . import functional as functional
