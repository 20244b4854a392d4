"""Functions of the array language forward and with the gradient, against PyTorch; no bars.

One row for each kind of work: special functions, factorisations, one large matrix and many small ones, sorting,
gathering, pooling. In float64 for mathematics, in float32 for pooling.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

import tensorgrad as tg

from .harness import Case, Implementation

DTYPES = ("float64", "float32")
N = 100_000
POSITIONS = np.random.default_rng(1).integers(0, N, N)


def _positive(*shape: int) -> Any:
    return np.random.default_rng(0).uniform(0.5, 6, shape)


def _matrices(*shape: int) -> Any:
    made = np.random.default_rng(0).standard_normal(shape)
    return made + shape[-1] * np.eye(shape[-1])


# name: the argument, ours, theirs
WORK: dict[str, tuple[Any, Callable[..., Any], Callable[[Any], Callable[..., Any]]]] = {
    "erf": (_positive(N), tg.erf, lambda torch: torch.erf),
    "lgamma": (_positive(N), tg.lgamma, lambda torch: torch.lgamma),
    "i0e": (_positive(N), tg.special.i0e, lambda torch: torch.special.i0e),
    "cumprod": (_positive(100, 1000) / 3, lambda x: tg.cumprod(x, 1), lambda torch: partial(torch.cumprod, dim=1)),
    "sort": (_positive(N), tg.sort, lambda torch: lambda x: torch.sort(x, stable=True).values),
    "quantile": (_positive(1000, 100), lambda x: tg.quantile(x, 0.9, 0), lambda t: lambda x: t.quantile(x, 0.9, 0)),
    "x[positions]": (
        _positive(N), lambda x: x[POSITIONS], lambda torch: lambda x: x[torch.from_numpy(POSITIONS)],
    ),
    "inv": (_matrices(100, 100), tg.linalg.inv, lambda torch: torch.linalg.inv),
    "det, many": (_matrices(1000, 4, 4), tg.linalg.det, lambda torch: torch.linalg.det),
    "cholesky": (
        _matrices(100, 100), lambda a: tg.linalg.cholesky(a @ a.mT), lambda t: lambda a: t.linalg.cholesky(a @ a.mT),
    ),
    "svdvals": (_matrices(60, 60), tg.linalg.svdvals, lambda torch: torch.linalg.svdvals),
    "eigvalsh, many": (
        _matrices(1000, 4, 4), lambda a: tg.linalg.eigvalsh(a + a.mT), lambda t: lambda a: t.linalg.eigvalsh(a + a.mT),
    ),
    "max_pool2d": (
        _positive(32, 16, 32, 32).astype(np.float32),
        partial(tg.nn.functional.max_pool2d, kernel_size=2),
        lambda torch: partial(torch.nn.functional.max_pool2d, kernel_size=2),
    ),
    "bilinear x 2": (
        _positive(8, 16, 32, 32).astype(np.float32),
        partial(tg.nn.functional.interpolate, scale_factor=2, mode="bilinear"),
        lambda torch: partial(torch.nn.functional.interpolate, scale_factor=2, mode="bilinear"),
    ),
}  # fmt: skip


def cases(torch: Any) -> Iterator[Case]:
    """Two rows per function."""
    for name, (x, ours, theirs) in WORK.items():
        for what, make in {"forward": _forward, "with the gradient": _with_gradient}.items():
            peers = {"torch": partial(make, torch, theirs(torch), x)} if torch else {}
            yield Case(f"{name}, {what}", f"{x.shape}", partial(make, tg, ours, x), peers)


def _forward(lib: Any, f: Callable[..., Any], x: Any) -> Implementation:
    return Implementation(partial(f, lib.tensor(x, requires_grad=True)))


def _with_gradient(lib: Any, f: Callable[..., Any], x: Any) -> Implementation:
    leaf = lib.tensor(x, requires_grad=True)

    def run() -> Any:
        leaf.grad = None
        f(leaf).sum().backward()
        return leaf.grad

    return Implementation(run)
