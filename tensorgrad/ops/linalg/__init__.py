"""Linear algebra on matrices in the last two axes, with any number of axes before them.

Loaded on first use, so that importing tensorgrad stays light.
"""

from __future__ import annotations

from .determinant import det, slogdet
from .solve import inv, solve, solve_triangular, tensorinv, tensorsolve

__all__ = [
    "det",
    "inv",
    "slogdet",
    "solve",
    "solve_triangular",
    "tensorinv",
    "tensorsolve",
]
