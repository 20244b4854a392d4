"""What slides over an array: correlation and convolution, pooling, folding, interpolation.

Loaded on first use, so that importing tensorgrad stays light.
"""

from __future__ import annotations

from .correlate import correlate2d as correlate2d

__all__ = ["correlate2d"]
