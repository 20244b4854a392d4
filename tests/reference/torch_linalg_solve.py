"""What the ops of this family are called in PyTorch, and where the two differ on purpose."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.reference.peer import torch


def alike(f: Callable[..., Any]) -> Callable[..., Any]:
    """A function of two arrays of one dtype, which PyTorch does not make alike by itself."""

    def call(a: Any, b: Any, **settings: Any) -> Any:
        dtype = torch.promote_types(a.dtype, b.dtype)
        return f(a.to(dtype), b.to(dtype), **settings)

    return call


def columns(f: Callable[..., Any]) -> Callable[..., Any]:
    """A vector as a matrix of one column, as NumPy reads it."""
    return lambda a, b, **settings: (
        f(a, b[:, None], **settings)[..., 0] if b.ndim == 1 else f(a, b, **settings)
    )


def hermitian(a: Any) -> Any:
    return (a + a.mH) / 2


def cholesky_of_product(a: Any, upper: bool = False) -> Any:
    return torch.linalg.cholesky(a @ a.mH + torch.eye(a.shape[-2], dtype=a.dtype), upper=upper)


def cholesky_solve(b: Any, low: Any, upper: bool = False) -> Any:
    low = low.triu() if upper else low.tril()
    return columns(lambda low, b: torch.cholesky_solve(b, low, upper=upper))(low, b)


def lu(a: Any) -> Any:
    """The permutation as what has a gradient of 0, as any constant has here."""
    p, low, up = torch.linalg.lu(a)
    return p + 0 * a.sum(), low, up


def matrix_exp(a: Any, *directions: Any) -> Any:
    """With directions, from the exponential of a block matrix that has them above its diagonal."""
    n = a.shape[-1]
    for direction in directions:
        beside = torch.kron(torch.eye(a.shape[-1] // n, dtype=a.dtype), direction)
        a = torch.cat([torch.cat([a, beside], -1), torch.cat([0 * a, a], -1)], -2)
    return torch.linalg.matrix_exp(a)[..., :n, a.shape[-1] - n :]


TORCH: dict[str, Callable[..., Any]] = {
    "inv": torch.linalg.inv,
    "solve": torch.linalg.solve,
    "solve, a vector too": alike(columns(torch.linalg.solve)),
    "solve_triangular": torch.linalg.solve_triangular,
    "solve_triangular, either side": alike(columns(torch.linalg.solve_triangular)),
    "cholesky": lambda a: torch.linalg.cholesky(hermitian(a)),
    "cholesky of a product": cholesky_of_product,
    "cholesky_solve": cholesky_solve,
    "lu": lu,
    "det": torch.linalg.det,
    "slogdet": torch.linalg.slogdet,
    "matrix_exp": matrix_exp,
    "matrix_power": lambda a, n: torch.linalg.matrix_power(a, n),
    "multi_dot": lambda *arrays: torch.linalg.multi_dot(arrays),
    "trace of matrices": lambda x, offset=0: torch.linalg.diagonal(x, offset=offset).sum(-1),
    "diagonal of matrices": lambda x, offset=0: torch.linalg.diagonal(x, offset=offset),
    "tensorinv": torch.linalg.tensorinv,
    "tensorsolve": lambda a, b, axes=None: torch.linalg.tensorsolve(a, b, dims=axes),
}

WITHOUT_COUNTERPART: dict[str, str] = {
    "cofactors": "a derivative with a card of its own",
}

DIFFERENT: dict[tuple[str, str], str] = {}

SECOND_ORDER_DIFFERS: dict[tuple[str, str], str] = {
    ("det", "edge: 0"): "a polynomial has derivatives everywhere; PyTorch's second is NaN at 0",
}

KINKS_THAT_DIFFER: dict[tuple[str, str], str] = {}
