"""Rows of bits and integers."""

from __future__ import annotations

from .row import OpSamples

ROWS: list[OpSamples] = []

COMPOSED: list[OpSamples] = []
