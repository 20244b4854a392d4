"""What the ops of this family are called in PyTorch, and where the two differ on purpose."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from tests.reference.peer import torch


def zeta_of(n: int, x: Any) -> Any:
    """``polygamma`` by the zeta function, which has all digits; PyTorch's own has nine at order 1."""
    return (-1) ** (n + 1) * math.factorial(n) * torch.special.zeta(torch.tensor(n + 1.0, dtype=x.dtype), x)


class Digamma(torch.autograd.Function):  # type: ignore[misc]
    """PyTorch's ``digamma`` with a slope of all digits."""

    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        ctx.save_for_backward(x)
        return torch.digamma(x)

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return g * zeta_of(1, ctx.saved_tensors[0])


class Lgamma(torch.autograd.Function):  # type: ignore[misc]
    """PyTorch's ``lgamma`` with the slopes of that."""

    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        ctx.save_for_backward(x)
        return torch.lgamma(x)

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return g * Digamma.apply(ctx.saved_tensors[0])


lgamma, digamma = Lgamma.apply, Digamma.apply


def betaln(a: Any, b: Any) -> Any:
    return lgamma(a) + lgamma(b) - lgamma(a + b)


def multigammaln(x: Any, p: int) -> Any:
    return p * (p - 1) / 4 * math.log(math.pi) + sum(lgamma(x - j / 2) for j in range(p))


def polygamma(n: Any, x: Any) -> Any:
    n, x = torch.broadcast_tensors(n, x)
    pairs = zip(n.ravel().tolist(), x.ravel(), strict=True)
    return torch.stack([zeta_of(k, one) if k else digamma(one) for k, one in pairs]).reshape(x.shape)


TORCH: dict[str, Callable[..., Any]] = {
    "lgamma": lgamma,
    "gamma": lambda x: torch.exp(lgamma(x)),
    "digamma": digamma,
    "_polygamma": polygamma,
    "polygamma": polygamma,
    "beta": lambda a, b: torch.exp(betaln(a, b)),
    "betaln": betaln,
    "multigammaln": multigammaln,
    "i0": torch.special.i0,
    "i1": torch.special.i1,
    "i0e": torch.special.i0e,
    "i1e": torch.special.i1e,
}

WITHOUT_COUNTERPART: dict[str, str] = {
    "hurwitz_slope": "derivatives of zeta in x; PyTorch has none",
    "zeta": "PyTorch has no derivative in x; its values are compared in tests/ops/test_special_gamma.py",
    "bessel_i": "all orders of i0 and i1; PyTorch has no name for them",
    "gammainc_slope": "PyTorch has no derivative in a; values: tests/ops/test_special_gamma.py",
    "gammainc": "PyTorch has no derivative in a; values: tests/ops/test_special_gamma.py",
    "gammaincc": "PyTorch has no derivative in a; values: tests/ops/test_special_gamma.py",
    "gamma_density": "the slope of gammainc; PyTorch has no name for it",
    "betainc_slope": "PyTorch has no incomplete beta function",
    "betainc": "PyTorch has no incomplete beta function",
    "beta_density": "the slope of betainc; PyTorch has no name for it",
    "polygamma_rise": "the slope of betaln; PyTorch has no name for it",
}

DIFFERENT: dict[tuple[str, str], str] = {
    ("gamma", "edge: small, negative"): "PyTorch has the logarithm only, without the sign",
    ("gamma", "edge: large"): "PyTorch has the logarithm only, without the sign",
}

SECOND_ORDER_DIFFERS: dict[tuple[str, str], str] = {}

KINKS_THAT_DIFFER: dict[tuple[str, str], str] = {}
