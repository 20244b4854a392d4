"""Checks of derivatives, and the table of samples that describes every op to the tests."""

from __future__ import annotations

from .gradcheck import gradcheck as gradcheck
