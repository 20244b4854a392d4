"""The rearrangements of a Jacobian that mistakes with axes make: reversed, shifted, two axes exchanged.

Each function looks at a `diagnose.Pattern` for shapes only, and yields functions of a Jacobian, so that a
bound of its errors can be rearranged alike.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from .slopes import Row

Change = Callable[[Row], Row]
"""A rearrangement of the entries of a Jacobian."""


def moves(p: Any, move: Callable[..., Any]) -> Iterator[tuple[int, Any]]:
    """How a Jacobian changes if ``move`` is applied along an axis of the input, or of the result."""
    if not p.whole:
        return
    m, n = p.n.shape
    for k, length in enumerate(p.shape):
        if length > 1:
            yield k, lambda j, k=k: move(j.reshape(m, *p.shape), axis=k + 1).reshape(m, n)
    for k, length in enumerate(p.result_shape):
        if length > 1:
            yield k, lambda j, k=k: move(j.reshape(*p.result_shape, n), axis=k).reshape(m, n)


def input_swaps(p: Any) -> Iterator[Any]:
    """How a Jacobian changes if two axes of the input are exchanged."""
    m, n = p.n.shape
    for i, k, shape in _pairs(p.shape) if p.whole else ():
        yield lambda j, i=i, k=k, shape=shape: np.swapaxes(j.reshape(m, *shape), i + 1, k + 1).reshape(m, n)


def result_swaps(p: Any) -> Iterator[Any]:
    """How a Jacobian changes if two axes of the result are exchanged."""
    m, n = p.n.shape
    for i, k, shape in _pairs(p.result_shape) if p.whole else ():
        yield lambda j, i=i, k=k, shape=shape: np.swapaxes(j.reshape(*shape, n), i, k).reshape(m, n)


def _pairs(shape: tuple[int, ...]) -> Iterator[tuple[int, int, tuple[int, ...]]]:
    """Two axes, and the shape before they are exchanged: their lengths may be the wrong way round already."""
    for i, k in itertools.combinations(range(len(shape)), 2):
        if shape[i] > 1 and shape[k] > 1:
            yield i, k, shape
            turned = list(shape)
            turned[i], turned[k] = turned[k], turned[i]
            yield i, k, tuple(turned)


def swaps_on_both_sides(p: Any) -> Iterator[Any]:
    """How a Jacobian changes if the same axes of input and result are exchanged: the op along another axis."""
    m, n = p.n.shape
    r = len(p.shape)
    for i, k in itertools.combinations(range(r), 2) if p.whole and p.shape == p.result_shape else ():
        if p.shape[i] == p.shape[k] > 1:
            yield lambda j, i=i, k=k: np.swapaxes(
                np.swapaxes(j.reshape(*p.shape, *p.shape), i, k), r + i, r + k
            ).reshape(m, n)
