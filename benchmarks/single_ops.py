"""Single ops at (32, 32), recorded; no bars.

Each row times one op on a leaf that requires a gradient, and freeing the result. Before that, its value and
the gradients of a weighted sum of it must agree.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

import tensorgrad as tg

from .harness import Case, Implementation

SIZE = 32

Op = Callable[[Any, Any, Any], Any]
"""A function of two leaves and a mask."""


def cases(torch: Any) -> Iterator[Case]:
    """A row per op."""
    theirs = _torch_ops(torch) if torch else {}
    for name, op in _our_ops().items():
        peers = {"torch": partial(_recorded, torch, theirs[name])} if torch else {}
        yield Case(name, f"({SIZE}, {SIZE})", partial(_recorded, tg, op), peers)


def _our_ops() -> dict[str, Op]:
    return {
        "add": lambda x, w, mask: x + w,
        "times a number": lambda x, w, mask: x * 0.9,
        "negative": lambda x, w, mask: -x,
        "where": lambda x, w, mask: tg.where(mask, x, w),
        "sum": lambda x, w, mask: x.sum(),
        "sum over an axis": lambda x, w, mask: x.sum(axis=1),
        "reshape": lambda x, w, mask: x.reshape(-1),
        "transpose": lambda x, w, mask: x.T,
        "getitem": lambda x, w, mask: x[3:20, 5],
        "matmul": lambda x, w, mask: x @ w,
        "split in three": lambda x, w, mask: tg.split(x, [10, 20]),
        "concat of three": lambda x, w, mask: tg.concat([x, w, x]),
        "sort": lambda x, w, mask: tg.sort(x, axis=1),
        "softmax": lambda x, w, mask: tg.softmax(x, axis=1),
    }


def _torch_ops(torch: Any) -> dict[str, Op]:
    return {
        **_our_ops(),
        "where": lambda x, w, mask: torch.where(mask, x, w),
        "split in three": lambda x, w, mask: torch.split(x, [10, 10, 12]),
        "concat of three": lambda x, w, mask: torch.concat([x, w, x]),
        "sort": lambda x, w, mask: torch.sort(x, dim=1)[0],
        "softmax": lambda x, w, mask: torch.softmax(x, dim=1),
    }


def _recorded(lib: Any, op: Op) -> Implementation:
    rng = np.random.default_rng(0)
    x, w = (
        lib.tensor(rng.normal(size=(SIZE, SIZE)).astype(np.float32), requires_grad=True) for _ in range(2)
    )
    mask = lib.tensor(rng.random((SIZE, SIZE)) < 0.5)

    def check() -> Any:
        result = op(x, w, mask)
        parts = list(result) if isinstance(result, list | tuple) else [result]
        weights = np.random.default_rng(1)
        x.grad = w.grad = None
        total = sum((part * _like(lib, weights, part)).sum() for part in parts)
        total.backward()
        return parts, [leaf.grad for leaf in (x, w) if leaf.grad is not None]

    return Implementation(partial(op, x, w, mask), check)


def _like(lib: Any, rng: np.random.Generator, part: Any) -> Any:
    return lib.tensor(np.asarray(rng.normal(size=tuple(part.shape)), np.float32))
