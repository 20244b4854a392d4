"""Rows of solving, inverting, determinants and factorisations without eigenvalues."""

from __future__ import annotations

from .row import OpSamples

ROWS: list[OpSamples] = []

COMPOSED: list[OpSamples] = []
