"""Linear algebra on matrices in the last two axes, with any number of axes before them.

Loaded on first use, so that importing tensorgrad stays light.
"""

from __future__ import annotations

from ..contract import matmul
from ..products import cross, tensordot, vecdot
from ..shape import matrix_transpose
from .determinant import det, slogdet
from .eigen import eig, eigh, eigvals, eigvalsh
from .exponential import matrix_exp
from .norms import cond, matrix_norm, norm, vector_norm
from .orthogonal import qr
from .products import diagonal, matrix_power, multi_dot, outer, trace
from .singular import lstsq, matrix_rank, pinv, svd, svdvals
from .solve import inv, solve, solve_triangular, tensorinv, tensorsolve
from .triangular import cholesky, cholesky_solve, lu

__all__ = [
    "cholesky",
    "cholesky_solve",
    "cond",
    "cross",
    "det",
    "diagonal",
    "eig",
    "eigh",
    "eigvals",
    "eigvalsh",
    "inv",
    "lstsq",
    "lu",
    "matmul",
    "matrix_exp",
    "matrix_norm",
    "matrix_power",
    "matrix_rank",
    "matrix_transpose",
    "multi_dot",
    "norm",
    "outer",
    "pinv",
    "qr",
    "slogdet",
    "solve",
    "solve_triangular",
    "svd",
    "svdvals",
    "tensordot",
    "tensorinv",
    "tensorsolve",
    "trace",
    "vecdot",
    "vector_norm",
]
