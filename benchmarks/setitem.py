"""Filling 10,000 entries one by one without gradients, against NumPy; times are per entry."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

import tensorgrad as tg

from .harness import Case, Implementation

ENTRIES = 10_000
MUST = 20.0


def cases(torch: Any) -> Iterator[Case]:
    """Against NumPy with the bar, against PyTorch without."""
    ours = partial(_filled, partial(tg.zeros, ENTRIES))
    yield _case(ours, "numpy", partial(np.zeros, ENTRIES, np.float32), MUST)
    if torch:
        yield _case(ours, "torch", partial(torch.zeros, ENTRIES), None)


def _case(ours: Callable[[], Implementation], name: str, peer: Callable[[], Any], must: float | None) -> Case:
    peers = {name: partial(_filled, peer)}
    return Case("x[i] = number", f"({ENTRIES},)", ours, peers, must, per=ENTRIES)


def _filled(make: Callable[[], Any]) -> Implementation:
    values = [0.5 * i for i in range(ENTRIES)]

    def run() -> Any:
        x = make()
        for i, value in enumerate(values):
            x[i] = value
        return x

    return Implementation(run)
