"""Rows of choosing, scattering, sorting and counting."""

from __future__ import annotations

from .row import OpSamples

ROWS: list[OpSamples] = []

COMPOSED: list[OpSamples] = []
