"""Losses with a margin: what is right by more than it costs nothing."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..._errors import ShapeError
from ...ops import (
    add,
    any,
    cumsum,
    divide,
    equal,
    expand_dims,
    logical_and,
    logical_not,
    multiply,
    negative,
    relu,
    square,
    subtract,
    sum,
    take,
    take_along_axis,
    where,
)
from ...ops import losses as cards
from ...ops.shape import lifted
from .loss_parts import class_weight, floating, pair, reduced, same_shape


def hinge_embedding_loss(input: Any, target: Any, margin: float = 1.0, *, reduction: str = "mean") -> Any:
    """The input where the target is 1, ``max(0, margin - input)`` where it is -1.

    Args:
        input: distances of pairs.
        target: 1 for pairs that belong together, -1 for others, in the same shape.
        margin: how far apart the others must be.
        reduction: 'none', 'mean' or 'sum'.

    Raises:
        ShapeError: the shapes differ, or a target is neither 1 nor -1.

    Example:
        >>> import tensorgrad as tg
        >>> tg.nn.functional.hinge_embedding_loss(tg.tensor([0.5, 0.25]), [1, -1], reduction="none")
        tensor([0.5 , 0.75])
    """
    x, together = _signed("hinge_embedding_loss", input, target)
    losses = where(together, x, relu(subtract(margin, x)))
    return reduced("hinge_embedding_loss", losses, reduction)


def soft_margin_loss(input: Any, target: Any, *, reduction: str = "mean") -> Any:
    """``log(1 + exp(-target * input))``, exact for scores of any size.

    Args:
        input: scores.
        target: 1 and -1 in the same shape.
        reduction: 'none', 'mean' or 'sum'.

    Raises:
        ShapeError: the shapes differ, or a target is neither 1 nor -1.

    Example:
        >>> import tensorgrad as tg
        >>> tg.nn.functional.soft_margin_loss(tg.tensor([-1000.0, 1000.0]), [1, 1], reduction="none")
        tensor([1000.,    0.])
    """
    x, yes = _signed("soft_margin_loss", input, target)
    losses = cards.binary_cross_entropy_with_logits(where(yes, x, negative(x)), 1.0)
    return reduced("soft_margin_loss", losses, reduction)


def margin_ranking_loss(
    input1: Any, input2: Any, target: Any, margin: float = 0.0, *, reduction: str = "mean"
) -> Any:
    """``max(0, margin - target * (input1 - input2))``.

    Args:
        input1: scores.
        input2: other scores, in the same shape.
        target: 1 where the first is to be larger, -1 where the second is, in the same shape.
        margin: by how much.
        reduction: 'none', 'mean' or 'sum'.

    Raises:
        ShapeError: the shapes differ, or a target is neither 1 nor -1.

    Example:
        >>> import tensorgrad as tg
        >>> tg.nn.functional.margin_ranking_loss(tg.tensor([1.0]), tg.tensor([3.0]), [1]).item()
        2.0
    """
    name = "margin_ranking_loss"
    a, first = _signed(name, input1, target)
    b = floating(name, "input2", input2)
    same_shape(name, input1=a, input2=b)
    ahead = where(first, subtract(a, b), subtract(b, a))
    return reduced(name, relu(subtract(margin, ahead)), reduction)


def multi_margin_loss(
    input: Any,
    target: Any,
    p: int = 1,
    margin: float = 1.0,
    weight: Any = None,
    *,
    reduction: str = "mean",
) -> Any:
    """The mean over classes of ``max(0, margin - score of the right class + score of another) ** p``.

    Args:
        input: scores ``(N, C)`` or ``(C,)``.
        target: labels ``(N,)`` or ``()``.
        p: 1 or 2.
        margin: by how much the right class must win.
        weight: of each class, ``(C,)``.
        reduction: 'none', 'mean' or 'sum'; the mean is over the number of examples.

    Raises:
        IndexingError: a label is negative, or not below C.
        DtypeError: the labels are not integers.
        ShapeError: the shapes do not fit, or ``p`` is neither 1 nor 2.

    Example:
        >>> import tensorgrad as tg
        >>> tg.nn.functional.multi_margin_loss(tg.tensor([[1.0, 0.5, 2.0]]), [0]).item()
        0.8333333...

    Source:
        J. Weston and C. Watkins, Support vector machines for multi-class pattern recognition, 1999.
    """
    name = "multi_margin_loss"
    if p not in (1, 2):
        raise ShapeError(f"{name}: p is {p}; it is 1 or 2")
    x, labels = _rows(name, input), lifted(name, target)
    count = x.shape[-1]
    if labels.shape != x.shape[:-1]:
        raise ShapeError(
            f"{name}: target has shape {labels.shape}; for input {x.shape} labels have shape {x.shape[:-1]}"
        )
    positions = cards.class_positions(labels, count, None, name)
    right = expand_dims(positions, axis=-1)
    losses = relu(add(subtract(x, take_along_axis(x, right, axis=-1)), margin))
    losses = where(equal(right, np.arange(count)), 0.0, losses)
    if p == 2:
        losses = square(losses)
    if weight is not None:
        losses = multiply(losses, expand_dims(take(class_weight(name, weight, count, x), positions), axis=-1))
    return reduced(name, divide(sum(losses, axis=-1), count), reduction)


def multilabel_margin_loss(input: Any, target: Any, *, reduction: str = "mean") -> Any:
    """The sum of ``max(0, 1 - score of a right class + score of a wrong one)`` over all pairs, divided by C.

    Args:
        input: scores ``(N, C)`` or ``(C,)``.
        target: in the same shape, the labels of the right classes, then -1; what follows does not count.
        reduction: 'none', 'mean' or 'sum'; the mean is over the number of examples.

    Raises:
        IndexingError: a label is below -1, or not below C.
        DtypeError: the labels are not integers.
        ShapeError: the shapes differ.

    Example:
        >>> import tensorgrad as tg
        >>> scores = tg.tensor([[0.1, 0.2, 0.4, 0.8]])
        >>> tg.nn.functional.multilabel_margin_loss(scores, [[3, 0, -1, 1]]).item()
        0.85...
    """
    name = "multilabel_margin_loss"
    x, labels = _rows(name, input), lifted(name, target)
    same_shape(name, input=x, target=labels)
    count = x.shape[-1]
    positions = cards.class_positions(labels, count, -1, name)
    listed = equal(cumsum(equal(labels, -1), axis=-1), 0)
    listed = expand_dims(listed, axis=-1)
    right = any(logical_and(listed, equal(expand_dims(positions, axis=-1), np.arange(count))), axis=-2)
    picked = expand_dims(take_along_axis(x, positions, axis=-1), axis=-1)
    losses = relu(add(subtract(1.0, picked), expand_dims(x, axis=-2)))
    pairs = logical_and(listed, logical_not(expand_dims(right, axis=-2)))
    return reduced(name, divide(sum(where(pairs, losses, 0.0), axis=(-2, -1)), count), reduction)


# ---- parts


def _signed(loss: str, input: Any, target: Any) -> tuple[Any, Any]:
    """The input, and whether each target is 1 and not -1."""
    x, t = pair(loss, input, target)
    return x, cards.signs(t, loss)


def _rows(loss: str, input: Any) -> Any:
    x = floating(loss, "input", input)
    if x.ndim not in (1, 2) or not x.shape[-1]:
        raise ShapeError(f"{loss}: input has shape {x.shape}; (N, C) or (C,) is needed")
    return x
