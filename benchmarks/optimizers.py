"""Steps of optimizers by gradients that are there: parameters of small, middle and large models.

PyTorch's are the plain loop over parameters, ``foreach=True`` and ``fused=True``; the fastest counts. What must
agree are the parameters after ten steps.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np

import tensorgrad as tg

from .harness import Case, Implementation

CHECKED_STEPS = 10
OPTIMIZERS: dict[str, dict[str, Any]] = {"Adam": {}, "AdamW": {}, "SGD": {"momentum": 0.9}}
WAYS: dict[str, dict[str, bool]] = {
    "torch": {"foreach": False},
    "torch foreach": {"foreach": True},
    "torch fused": {"fused": True},
}
SHAPES: dict[str, list[tuple[int, ...]]] = {
    "64-64-10": [(64, 64), (64,), (10, 64), (10,)],
    "784-256-128-10": [(256, 784), (256,), (128, 256), (128,), (10, 128), (10,)],
    "five of 1000-1000": [(1000, 1000)] * 5,
}


def cases(torch: Any) -> Iterator[Case]:
    """Each optimizer at each size; small models are where a step must cost next to nothing."""
    for name, (model, shapes) in itertools.product(OPTIMIZERS, SHAPES.items()):
        size = sum(int(np.prod(shape)) for shape in shapes)
        peers = {way: partial(_torch, torch, name, shapes, options) for way, options in WAYS.items()}
        yield Case(
            f"{name}, {model}",
            f"{size:,} parameters",
            partial(_ours, name, shapes),
            peers if torch else {},
            must=1.0 if size < 10_000 else None,
        )


def _ours(name: str, shapes: Sequence[tuple[int, ...]]) -> Implementation:
    parameters = []
    for value, gradient in _arrays(shapes):
        parameters.append(tg.nn.Parameter(value))
        parameters[-1].grad = gradient
    optimizer = getattr(tg.optim, name)(parameters, **OPTIMIZERS[name])
    return _implementation(optimizer, parameters)


def _torch(torch: Any, name: str, shapes: Sequence[tuple[int, ...]], way: dict[str, bool]) -> Implementation:
    parameters = []
    for value, gradient in _arrays(shapes):
        parameters.append(torch.nn.Parameter(torch.tensor(value)))
        parameters[-1].grad = torch.tensor(gradient)
    optimizer = getattr(torch.optim, name)(parameters, **OPTIMIZERS[name], **way)
    return _implementation(optimizer, parameters)


def _implementation(optimizer: Any, parameters: list[Any]) -> Implementation:
    def check() -> Any:
        for _ in range(CHECKED_STEPS):
            optimizer.step()
        return [np.array(p.detach().numpy()) for p in parameters]

    return Implementation(optimizer.step, check)


def _arrays(shapes: Sequence[tuple[int, ...]]) -> Iterator[tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]]:
    rng = np.random.default_rng(7)
    for shape in shapes:
        yield (
            rng.uniform(-0.05, 0.05, shape).astype(np.float32),
            rng.normal(0, 0.01, shape).astype(np.float32),
        )
