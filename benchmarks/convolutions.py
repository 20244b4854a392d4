"""Convolutions forward, and with the gradients of images and filters, in float32; no bars.

One row is PyTorch's usual case, a layer in the middle of a network; the others are the ends: filters of one
element, which are a product of matrices, small images, and filters of one channel each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

import tensorgrad as tg

from .harness import Case, Implementation

LAYERS: dict[str, tuple[tuple[int, ...], tuple[int, ...], dict[str, int]]] = {
    "3x3": ((8, 16, 32, 32), (32, 16, 3, 3), {"padding": 1}),
    "3x3, 64 channels": ((16, 64, 14, 14), (64, 64, 3, 3), {"padding": 1}),
    "1x1": ((8, 16, 32, 32), (32, 16, 1, 1), {}),
    "3x3, stride 2": ((8, 16, 32, 32), (32, 16, 3, 3), {"padding": 1, "stride": 2}),
    "3x3, small images": ((128, 8, 8, 8), (16, 8, 3, 3), {"padding": 1}),
    "3x3, depthwise": ((8, 32, 32, 32), (32, 1, 3, 3), {"padding": 1, "groups": 32}),
}


def cases(torch: Any) -> Iterator[Case]:
    """Two rows per layer."""
    for name, (images, filters, settings) in LAYERS.items():
        for what, make in {"forward": _forward, "with gradients": _with_gradients}.items():
            peers = {}
            if torch:
                theirs = partial(torch.nn.functional.conv2d, **settings)
                peers = {"torch": partial(make, torch, theirs, images, filters)}
            ours = partial(make, tg, partial(tg.nn.functional.conv2d, **settings), images, filters)
            yield Case(f"{name}, {what}", f"{images} {filters}", ours, peers)


def _forward(lib: Any, conv: Callable[..., Any], images: Any, filters: Any) -> Implementation:
    return Implementation(partial(conv, *_leaves(lib, images, filters)))


def _with_gradients(lib: Any, conv: Callable[..., Any], images: Any, filters: Any) -> Implementation:
    x, w = _leaves(lib, images, filters)

    def run() -> Any:
        x.grad = w.grad = None
        conv(x, w).sum().backward()
        return x.grad, w.grad

    return Implementation(run)


def _leaves(lib: Any, *shapes: tuple[int, ...]) -> list[Any]:
    rng = np.random.default_rng(0)
    return [lib.tensor(rng.normal(size=shape).astype(np.float32), requires_grad=True) for shape in shapes]
