"""Linear algebra on matrices in the last two axes, with any number of axes before them.

Loaded on first use, so that importing tensorgrad stays light.
"""

from __future__ import annotations

from .eigen import eig, eigh, eigvals, eigvalsh
from .norms import cond, matrix_norm, norm, vector_norm
from .orthogonal import qr
from .singular import lstsq, matrix_rank, pinv, svd, svdvals
from .solve import inv, solve, solve_triangular, tensorinv, tensorsolve

__all__ = [
    "cond",
    "eig",
    "eigh",
    "eigvals",
    "eigvalsh",
    "inv",
    "lstsq",
    "matrix_norm",
    "matrix_rank",
    "norm",
    "pinv",
    "qr",
    "solve",
    "solve_triangular",
    "svd",
    "svdvals",
    "tensorinv",
    "tensorsolve",
    "vector_norm",
]
