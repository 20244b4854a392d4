"""Losses of vectors: what belongs together is to be close, what does not is to be far apart."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..._errors import ShapeError
from ...ops import (
    add,
    concat,
    divide,
    expand_dims,
    matmul,
    matrix_transpose,
    minimum,
    multiply,
    relu,
    squeeze,
    subtract,
    sum,
    where,
)
from ...ops import losses as cards
from .loss_classification import cross_entropy
from .loss_parts import floating, like, reduced, same_shape
from .similarity import cosine_similarity, normalised, pairwise_distance


def cosine_embedding_loss(
    input1: Any, input2: Any, target: Any, margin: float = 0.0, *, reduction: str = "mean"
) -> Any:
    """1 less the cosine where the target is 1, ``max(0, cosine - margin)`` where it is -1.

    Args:
        input1: vectors ``(N, D)`` or ``(D,)``.
        input2: vectors in the same shape.
        target: 1 for pairs that belong together, -1 for others: ``(N,)`` or ``()``.
        margin: the cosine up to which the others cost nothing, from -1 to 1.
        reduction: 'none', 'mean' or 'sum'.

    Raises:
        ShapeError: the shapes do not fit, or a target is neither 1 nor -1.

    Example:
        >>> import tensorgrad as tg
        >>> a, b = tg.tensor([[1.0, 0.0]]), tg.tensor([[0.6, 0.8]])
        >>> tg.nn.functional.cosine_embedding_loss(a, b, [-1]).item()
        0.6000000...
    """
    name = "cosine_embedding_loss"
    a, b = floating(name, "input1", input1), floating(name, "input2", input2)
    same_shape(name, input1=a, input2=b)
    if a.ndim not in (1, 2):
        raise ShapeError(f"{name}: input1 has shape {a.shape}; (N, D) or (D,) is needed")
    t = like(name, "target", target, a)
    if t.shape != a.shape[:-1]:
        raise ShapeError(f"{name}: target has shape {t.shape}; for input1 {a.shape} it is {a.shape[:-1]}")
    cosine = cosine_similarity(a, b, dim=-1)
    losses = where(cards.signs(t, name), subtract(1.0, cosine), relu(subtract(cosine, margin)))
    return reduced(name, losses, reduction)


def triplet_margin_loss(
    anchor: Any,
    positive: Any,
    negative: Any,
    margin: float = 1.0,
    p: float = 2.0,
    eps: float = 1e-6,
    swap: bool = False,
    *,
    reduction: str = "mean",
) -> Any:
    """``max(0, margin + distance to the positive - distance to the negative)``.

    Args:
        anchor: vectors ``(N, D)`` or ``(D,)``.
        positive: vectors that belong to them, in the same shape.
        negative: vectors that do not, in the same shape.
        margin: by how much the negative must be farther away.
        p: the order of the distance, see `pairwise_distance`.
        eps: added to each difference of coordinates.
        swap: take the distance of positive and negative instead, where that is less.
        reduction: 'none', 'mean' or 'sum'.

    Raises:
        ShapeError: the shapes differ, or the margin is not positive.

    Example:
        >>> import tensorgrad as tg
        >>> a, b, c = tg.tensor([0.0, 0.0]), tg.tensor([3.0, 4.0]), tg.tensor([0.0, 4.0])
        >>> tg.nn.functional.triplet_margin_loss(a, b, c, eps=0.0).item()
        2.0

    Source:
        V. Balntas et al., Learning local feature descriptors with triplets and shallow convolutional neural
        networks, 2016.
    """

    def distance(x: Any, y: Any) -> Any:
        return pairwise_distance(x, y, p, eps)

    return _triplets("triplet_margin_loss", anchor, positive, negative, distance, margin, swap, reduction)


def triplet_margin_with_distance_loss(
    anchor: Any,
    positive: Any,
    negative: Any,
    *,
    distance_function: Callable[[Any, Any], Any] | None = None,
    margin: float = 1.0,
    swap: bool = False,
    reduction: str = "mean",
) -> Any:
    """`triplet_margin_loss` with a distance of one's own.

    Args:
        anchor: examples.
        positive: examples that belong to them, in the same shape.
        negative: examples that do not, in the same shape.
        distance_function: takes two of these and returns their distances; `pairwise_distance` if None.
        margin: by how much the negative must be farther away.
        swap: take the distance of positive and negative instead, where that is less.
        reduction: 'none', 'mean' or 'sum'.

    Raises:
        ShapeError: the shapes differ, or the margin is not positive.

    Example:
        >>> import tensorgrad as tg
        >>> a, b, c = tg.tensor([[1.0]]), tg.tensor([[2.0]]), tg.tensor([[5.0]])
        >>> tg.nn.functional.triplet_margin_with_distance_loss(
        ...     a, b, c, distance_function=lambda x, y: tg.abs(x - y), margin=4.0).item()
        1.0
    """
    name = "triplet_margin_with_distance_loss"
    distance = distance_function or pairwise_distance
    return _triplets(name, anchor, positive, negative, distance, margin, swap, reduction)


def info_nce_loss(
    query: Any, positive: Any, negatives: Any = None, *, temperature: float = 0.1, reduction: str = "mean"
) -> Any:
    """Cross-entropy of finding the positive among the negatives by its cosine with the query.

    Args:
        query: vectors ``(N, D)``.
        positive: the vector that belongs to each, ``(N, D)``.
        negatives: vectors that do not: ``(M, D)`` for all queries, or ``(N, M, D)`` for each. If None, the
            positives of the other queries.
        temperature: cosines are divided by it.
        reduction: 'none', 'mean' or 'sum'.

    Raises:
        ShapeError: the shapes do not fit, or the temperature is not positive.

    Example:
        >>> import tensorgrad as tg
        >>> tg.nn.functional.info_nce_loss(tg.eye(2), tg.eye(2), temperature=1.0).item()
        0.313261...

    Source:
        A. van den Oord, Y. Li and O. Vinyals, Representation learning with contrastive predictive coding, 2018.
    """
    name = "info_nce_loss"
    q, k = floating(name, "query", query), floating(name, "positive", positive)
    same_shape(name, query=q, positive=k)
    if q.ndim != 2:
        raise ShapeError(f"{name}: query has shape {q.shape}; (N, D) is needed")
    if not temperature > 0:
        raise ShapeError(f"{name}: temperature is {temperature}; it must be positive")
    q, k = normalised(q, -1, 1e-8), normalised(k, -1, 1e-8)
    if negatives is None:
        cosines, right = matmul(q, matrix_transpose(k)), np.arange(q.shape[0])
    else:
        n = floating(name, "negatives", negatives)
        if n.ndim not in (2, 3) or n.shape[-1] != q.shape[-1] or (n.ndim == 3 and n.shape[0] != q.shape[0]):
            raise ShapeError(
                f"{name}: negatives {n.shape} for query {q.shape}; (M, D) or (N, M, D) is needed"
            )
        n = matrix_transpose(normalised(n, -1, 1e-8))
        others = matmul(q, n) if n.ndim == 2 else squeeze(matmul(expand_dims(q, axis=1), n), axis=1)
        cosines = concat([sum(multiply(q, k), axis=-1, keepdims=True), others], axis=1)
        right = np.zeros(q.shape[0], np.intp)
    return cross_entropy(divide(cosines, temperature), right, reduction=reduction)


def _triplets(
    loss: str,
    anchor: Any,
    positive: Any,
    negative: Any,
    distance: Callable[[Any, Any], Any],
    margin: float,
    swap: bool,
    reduction: str,
) -> Any:
    a, p = floating(loss, "anchor", anchor), floating(loss, "positive", positive)
    n = floating(loss, "negative", negative)
    same_shape(loss, anchor=a, positive=p, negative=n)
    if not margin > 0:
        raise ShapeError(f"{loss}: margin is {margin}; it must be positive")
    far = distance(a, n)
    if swap:
        far = minimum(far, distance(p, n))
    return reduced(loss, relu(add(margin, subtract(distance(a, p), far))), reduction)
