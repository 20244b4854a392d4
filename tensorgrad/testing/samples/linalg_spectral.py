"""Rows of eigenvalues, singular values, norms and what follows from them."""

from __future__ import annotations

from .row import OpSamples

ROWS: list[OpSamples] = []

COMPOSED: list[OpSamples] = []
