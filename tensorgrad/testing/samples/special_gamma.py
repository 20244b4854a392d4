"""Rows of the gamma, beta, zeta and Bessel functions."""

from __future__ import annotations

from .row import OpSamples

ROWS: list[OpSamples] = []

COMPOSED: list[OpSamples] = []
