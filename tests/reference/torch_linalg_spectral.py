"""What the ops of this family are called in PyTorch, and where the two differ on purpose."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.reference.peer import torch


def hermitian(a: Any) -> Any:
    return (a + a.mH) / 2


def through_eigh(a: Any, UPLO: str = "L") -> Any:
    values, v = torch.linalg.eigh(hermitian(a), UPLO)
    return values, (v * values[..., None, :] ** 3) @ v.mH


def halves(f: Callable[..., Any]) -> Callable[..., Any]:
    def call(a: Any) -> Any:
        y = f(a)
        parts = [y] if isinstance(y, torch.Tensor) else y
        return tuple([part(one) for one in parts for part in (torch.real, torch.imag)])

    return call


def without_basis(a: Any) -> Any:
    """By projectors: PyTorch has no gradient of the vectors that are left over."""
    u, s, vh = torch.linalg.svd(a, full_matrices=False)
    left, right = torch.eye(u.shape[-2], dtype=a.dtype), torch.eye(vh.shape[-1], dtype=a.dtype)
    return left - u @ u.mH, s, right - vh.mH @ vh


def through_eig(a: Any) -> Any:
    values, v = torch.linalg.eig(a)
    return (v * values[..., None, :] ** 3) @ torch.linalg.inv(v)


def cond(a: Any, p: Any = None) -> Any:
    """By two norms: of PyTorch's own there is no second order."""
    if p in (None, 2, -2):
        return torch.linalg.cond(a, p)
    return torch.linalg.matrix_norm(a, p) * torch.linalg.matrix_norm(torch.linalg.inv(a), p)


def lstsq(a: Any, b: Any, rcond: Any = None) -> Any:
    if b.ndim == 1:
        x, residuals, rank, s = lstsq(a, b[:, None], rcond)
        return x[..., 0], residuals[..., 0], rank, s
    x = torch.linalg.pinv(a, rtol=rcond) @ b
    residuals = (torch.abs(b - a @ x) ** 2).sum(-2)
    return x, residuals, torch.linalg.matrix_rank(a, rtol=rcond), torch.linalg.svdvals(a)


def vector_norm(x: Any, axis: Any = None, keepdims: bool = False, ord: Any = 2) -> Any:
    return torch.linalg.vector_norm(x, ord, () if x.ndim == 0 and axis == () else axis, keepdims)


def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    return torch.linalg.norm(x, ord, axis, keepdims)


TORCH: dict[str, Callable[..., Any]] = {
    "eigh": lambda a, UPLO: torch.linalg.eigh(hermitian(a), UPLO),
    "eigvalsh": lambda a, UPLO: torch.linalg.eigvalsh(hermitian(a), UPLO),
    "eig": torch.linalg.eig,
    "eigvals": torch.linalg.eigvals,
    "svd": lambda a: torch.linalg.svd(a, full_matrices=False),
    "svdvals": torch.linalg.svdvals,
    "pinv": lambda a, rtol: torch.linalg.pinv(a, rtol=rtol),
    "qr": torch.linalg.qr,
    "_vector_norm": vector_norm,
    "eigh, a function of the matrix": through_eigh,
    "eig, a function of the matrix": through_eig,
    "eig of real matrices": halves(torch.linalg.eig),
    "eigvals of real matrices": halves(torch.linalg.eigvals),
    "svd in full": without_basis,
    "qr, any mode": lambda a, mode: torch.linalg.qr(a, mode) if mode != "r" else torch.linalg.qr(a)[1],
    "pinv of constant rank": lambda u, v: torch.linalg.pinv(u @ v, rtol=1e-2),
    "lstsq": lstsq,
    "matrix_rank": lambda a, tol=None, rtol=None: torch.linalg.matrix_rank(a, atol=tol, rtol=rtol),
    "cond": cond,
    "vector_norm": vector_norm,
    "matrix_norm": lambda x, keepdims=False, ord="fro": torch.linalg.matrix_norm(x, ord, keepdim=keepdims),
    "norm": norm,
}

WITHOUT_COUNTERPART: dict[str, str] = {
    "complement": "a basis of what other vectors leave over; PyTorch has it only as part of others",
}

PHASES = "PyTorch refuses a loss that depends on phases; here it has the gradient of the vectors returned"
DIFFERENT: dict[tuple[str, str], str] = {
    ("eigh", "edge: complex, phases"): PHASES,
    ("eigh", "complex, the upper triangle"): PHASES,
    ("svd", "edge: complex, phases"): PHASES,
    ("svd", "complex, wide"): PHASES,
    ("eig", "size 1"): PHASES,
    ("eig", "axes"): PHASES,
    ("eig", "edge: far from normal"): PHASES,
    ("eig of real matrices", "size 1"): PHASES,
    ("eig of real matrices", "axes"): PHASES,
    ("eig of real matrices", "edge: not far from equal"): PHASES,
    ("svd", "axes, wide"): "the LAPACK of PyTorch picks other signs",
    ("qr, any mode", "axes, complete"): "PyTorch has no gradient of the columns that are left over",
}

SECOND_ORDER_DIFFERS: dict[tuple[str, str], str] = {}

TURNS_BACK = (
    "a singular value has slope 0 at 0 here, as abs; in PyTorch 1 along the vectors that LAPACK picks"
)
KINKS_THAT_DIFFER: dict[tuple[str, str], str] = {
    ("svdvals", "dependent columns"): TURNS_BACK,
    ("svdvals", "zeros"): TURNS_BACK,
    ("matrix_norm", "nuc, dependent columns"): TURNS_BACK,
}
