"""Linear algebra on matrices in the last two axes, with any number of axes before them.

Loaded on first use, so that importing tensorgrad stays light.
"""

from __future__ import annotations

from .determinant import det, slogdet
from .solve import inv, solve, solve_triangular, tensorinv, tensorsolve
from .triangular import cholesky, cholesky_solve, lu

__all__ = [
    "cholesky",
    "cholesky_solve",
    "det",
    "inv",
    "lu",
    "slogdet",
    "solve",
    "solve_triangular",
    "tensorinv",
    "tensorsolve",
]
