"""How close two vectors are: their distance, and the cosine of the angle between them."""

from __future__ import annotations

from typing import Any

from ..._errors import ShapeError
from ...ops import add, broadcast_shapes, broadcast_to, divide, maximum, multiply, subtract, sum
from ...ops.linalg import vector_norm
from .loss_parts import floating


def pairwise_distance(x1: Any, x2: Any, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> Any:
    """The norm of ``x1 - x2 + eps`` along the last axis.

    Args:
        x1: vectors ``(..., D)``.
        x2: vectors, broadcast with the first.
        p: the order of the norm.
        eps: added to each difference; without it, points at one place have a gradient of 0.
        keepdim: keep the last axis with length 1.

    Raises:
        ShapeError: the shapes do not broadcast, or there is no axis.

    Example:
        >>> import tensorgrad as tg
        >>> tg.nn.functional.pairwise_distance(tg.tensor([[3.0, 4.0]]), tg.tensor([[0.0, 0.0]]), eps=0.0)
        tensor([5.])
    """
    a, b = _vectors("pairwise_distance", x1, x2)
    return vector_norm(add(subtract(a, b), eps), ord=p, axis=-1, keepdims=keepdim)


def cosine_similarity(x1: Any, x2: Any, dim: int = 1, eps: float = 1e-8) -> Any:
    """The cosine of the angle between vectors, from -1 to 1.

    Args:
        x1: vectors along the axis ``dim``.
        x2: vectors, broadcast with the first.
        dim: the axis of the common shape.
        eps: shorter vectors are divided by this instead of their length.

    Raises:
        ShapeError: the shapes do not broadcast, or the axis does not exist.

    Example:
        >>> import tensorgrad as tg
        >>> tg.nn.functional.cosine_similarity(tg.tensor([[1.0, 0.0]]), tg.tensor([[3.0, 4.0]]))
        tensor([0.6])
    """
    a, b = _vectors("cosine_similarity", x1, x2)
    # Each divided by itself: a product of squares would over- or underflow long before.
    return sum(multiply(normalised(a, dim, eps), normalised(b, dim, eps)), axis=dim)


def normalised(x: Any, axis: int, eps: float) -> Any:
    """Vectors divided by their length, or by ``eps`` if that is larger."""
    return divide(x, maximum(vector_norm(x, axis=axis, keepdims=True), eps))


def _vectors(name: str, x1: Any, x2: Any) -> tuple[Any, Any]:
    a, b = floating(name, "x1", x1), floating(name, "x2", x2)
    if not a.ndim or not b.ndim:
        raise ShapeError(f"{name}: x1 {a.shape} and x2 {b.shape}; vectors along an axis are needed")
    if a.shape == b.shape:
        return a, b
    try:
        shape = broadcast_shapes(a.shape, b.shape)
    except ValueError:
        raise ShapeError(f"{name}: x1 {a.shape} and x2 {b.shape} do not broadcast together") from None
    return broadcast_to(a, shape), broadcast_to(b, shape)
