"""Distances between points; two points at one place have distance 0, and its derivative is 0."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._errors import ShapeError
from .elementwise import subtract
from .index import read
from .linalg.norms import vector_norm
from .shape import expand_dims, lifted


def dist(a: Any, b: Any, /, p: float = 2) -> Any:
    """The distance of two arrays: the norm of order ``p`` of all differences.

    Args:
        a: an array or tensor.
        b: another, broadcast with the first.
        p: the order, see `tensorgrad.linalg.vector_norm`.

    Raises:
        ShapeError: the two do not broadcast.

    Example:
        >>> import tensorgrad as tg
        >>> tg.dist(tg.tensor([1.0, 2.0]), tg.tensor([4.0, 6.0])).item()
        5.0
    """
    return vector_norm(subtract(lifted("dist", a), lifted("dist", b)), ord=p)


def cdist(a: Any, b: Any, /, p: float = 2) -> Any:
    """The distance of each point of ``a`` to each point of ``b``.

    All differences are formed, ``M * N * D`` of them: distances of close points keep their digits, which they
    lose when squares are multiplied out.

    Args:
        a: points ``(..., M, D)``.
        b: points ``(..., N, D)``.
        p: the order of the norm.

    Returns:
        The distances ``(..., M, N)``.

    Raises:
        ShapeError: the points have different numbers of coordinates, or there is no axis of points.

    Example:
        >>> import tensorgrad as tg
        >>> tg.cdist(tg.tensor([[0.0, 0.0], [3.0, 0.0]]), tg.tensor([[0.0, 4.0]]))
        tensor([[4.],
                [5.]])
    """
    a, b = lifted("cdist", a), lifted("cdist", b)
    if min(a.ndim, b.ndim) < 2 or a.shape[-1] != b.shape[-1]:
        raise ShapeError(f"cdist: a {a.shape} and b {b.shape}; points (..., M, D) and (..., N, D) are needed")
    return vector_norm(subtract(expand_dims(a, axis=-2), expand_dims(b, axis=-3)), axis=-1, ord=p)


def pdist(x: Any, /, p: float = 2) -> Any:
    """The distances of points to each other, each pair once: of 0 to 1, 2 and so on, then of 1 to 2.

    Args:
        x: points ``(N, D)``.
        p: the order of the norm.

    Returns:
        The distances ``(N * (N - 1) / 2,)``.

    Raises:
        ShapeError: ``x`` does not have two axes.

    Example:
        >>> import tensorgrad as tg
        >>> tg.pdist(tg.tensor([[0.0, 0.0], [3.0, 0.0], [3.0, 4.0]]))
        tensor([3., 5., 4.])
    """
    x = lifted("pdist", x)
    if x.ndim != 2:
        raise ShapeError(f"pdist: x has shape {x.shape}; points (N, D) are needed")
    i, j = np.triu_indices(x.shape[0], 1)
    return vector_norm(subtract(read(x, i), read(x, j)), axis=-1, ord=p)
