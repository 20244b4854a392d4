"""Chains of 200 ops, record and backward; times are per op of the chain.

Three mixes, each at three shapes. A chain starts from leaves that all require gradients (`leaves`), and
`backward` gets ones in the shape of the result. The three rows of a chain and shape time

- record + backward: ``grad = None`` on each leaf, the chain, ``backward``: with a bar;
- record only: the chain, and freeing its graph;
- under no_grad: the chain where nothing is recorded.

The functions are written once and run with either library: both offer the names that are used here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

import tensorgrad as tg

from .harness import Case, Implementation

OPS = 200
SHAPES: tuple[tuple[int, ...], ...] = ((), (32, 32), (128, 256))

Chain = Callable[..., Any]


def tanh_chain(lib: Any, x: Any, w: Any, b: Any) -> Any:
    """50 times ``tanh(x * w + b) * 0.9``."""
    tanh = lib.tanh
    for _ in range(50):
        x = tanh(x * w + b) * 0.9
    return x


def broadcast_chain(lib: Any, x: Any, w: Any, row: Any, column: Any) -> Any:
    """40 times: ``* w``, ``+ row``, ``tanh``, ``- column``, ``* 0.9``."""
    tanh = lib.tanh
    for _ in range(40):
        x = (tanh(x * w + row) - column) * 0.9
    return x


def multiply_add_chain(lib: Any, x: Any, w: Any, b: Any) -> Any:
    """100 times ``x * w + b``; both inputs of each op need gradients."""
    for _ in range(100):
        x = x * w + b
    return x


def leaves(lib: Any, shape: tuple[int, ...], *, sides: bool = False) -> list[Any]:
    """``x, w, b`` of one shape, or ``x, w, row, column``; all require gradients.

    The values are such that neither results nor gradients of a chain come near the denormal numbers of
    float32, on which processors are many times slower.
    """
    rng = np.random.default_rng(0)
    last = [(1, *shape[1:]), (*shape[:1], 1)] if sides and shape else [(), ()] if sides else [shape]
    spreads = [(shape, 0.0, 0.5), (shape, 0.95, 0.02), *((one, 0.0, 0.02) for one in last)]
    return [
        lib.tensor(np.asarray(rng.normal(mean, spread, one), np.float32), requires_grad=True)
        for one, mean, spread in spreads
    ]


# chain -> its name in the table, whether it takes a row and a column, and (must, aim) by shape
CHAINS: dict[Chain, tuple[str, bool, tuple[tuple[float, float | None], ...]]] = {
    tanh_chain: ("50 x tanh(x*w + b) * 0.9", False, ((0.35, 0.26), (0.6, 0.5), (0.6, 0.4))),
    broadcast_chain: ("40 x (*w, +row, tanh, -column, *0.9)", True, ((0.5, None), (0.75, None), (0.7, None))),
    multiply_add_chain: ("100 x (*w, +b)", False, ((0.5, None), (0.75, None), (0.7, None))),
}


def cases(torch: Any) -> Iterator[Case]:
    """Nine rows with a bar and eighteen without."""
    for chain, (name, sides, bars) in CHAINS.items():
        for make, what in ((backward, ""), (_record, ", record"), (_no_grad, ", no_grad")):
            for shape, (must, aim) in zip(SHAPES, bars, strict=True):
                yield Case(
                    name + what,
                    str(shape),
                    partial(make, tg, chain, shape, sides),
                    {"torch": partial(make, torch, chain, shape, sides)} if torch else {},
                    must=None if what else must,
                    aim=None if what else aim,
                    per=OPS,
                )


def backward(lib: Any, chain: Chain, shape: tuple[int, ...], sides: bool) -> Implementation:
    inputs = leaves(lib, shape, sides=sides)
    seed = lib.tensor(np.ones(shape, np.float32))

    def run() -> Any:
        for leaf in inputs:
            leaf.grad = None
        y = chain(lib, *inputs)
        y.backward(seed)
        return y, [leaf.grad for leaf in inputs]

    return Implementation(run)


def _record(lib: Any, chain: Chain, shape: tuple[int, ...], sides: bool) -> Implementation:
    return Implementation(partial(chain, lib, *leaves(lib, shape, sides=sides)))


def _no_grad(lib: Any, chain: Chain, shape: tuple[int, ...], sides: bool) -> Implementation:
    inputs = leaves(lib, shape, sides=sides)

    def run() -> Any:
        with lib.no_grad():
            return chain(lib, *inputs)

    return Implementation(run)
