"""Losses of yes or no: each element is a decision of its own."""

from __future__ import annotations

from typing import Any

from ..._errors import ShapeError
from ...ops import add, divide, mean, multiply, negative, power, sigmoid, square, subtract, sum
from ...ops import losses as cards
from .loss_parts import clipped, exponent, pair, positive, probabilities, reduced, weighted


def binary_cross_entropy(input: Any, target: Any, weight: Any = None, *, reduction: str = "mean") -> Any:
    """``-target * log(input) - (1 - target) * log(1 - input)``, from probabilities.

    No logarithm is taken for less than -100, so that the loss is finite at 0 and 1. In training use
    `binary_cross_entropy_with_logits`, which loses no digits.

    Args:
        input: probabilities.
        target: 0 and 1, or what is between, in the same shape.
        weight: of each element, or broadcast to them.
        reduction: 'none', 'mean' or 'sum'.

    Raises:
        ShapeError: the shapes differ, or an element is not in [0, 1].
        DtypeError: ``input`` is not floating.

    Example:
        >>> import tensorgrad as tg
        >>> tg.nn.functional.binary_cross_entropy(tg.tensor([0.5, 1.0]), tg.tensor([1.0, 0.0]), reduction="none")
        tensor([  0.6931472, 100.       ])
    """
    name = "binary_cross_entropy"
    p, t = _decisions(name, input, target)
    return reduced(name, weighted(name, cards.binary_cross_entropy(p, t), weight), reduction)


def binary_cross_entropy_with_logits(
    input: Any,
    target: Any,
    weight: Any = None,
    *,
    reduction: str = "mean",
    pos_weight: Any = None,
) -> Any:
    """`binary_cross_entropy` of ``sigmoid(input)``, exact also where that rounds to 0 or 1.

    Args:
        input: scores, any numbers.
        target: 0 and 1, or what is between, in the same shape.
        weight: of each element, or broadcast to them.
        reduction: 'none', 'mean' or 'sum'.
        pos_weight: of the part of the loss that belongs to ``target = 1``, broadcast to the elements.

    Raises:
        ShapeError: the shapes do not fit, or a target is not in [0, 1].
        DtypeError: ``input`` is not floating.

    Example:
        >>> import tensorgrad as tg
        >>> scores = tg.tensor([-1000.0, 0.0])
        >>> tg.nn.functional.binary_cross_entropy_with_logits(scores, tg.tensor([1.0, 0.0]), reduction="none")
        tensor([1.000000e+03, 6.931472e-01])
    """
    name = "binary_cross_entropy_with_logits"
    x, t = _decisions(name, input, target)
    if pos_weight is None:
        losses = cards.binary_cross_entropy_with_logits(x, t)
    else:
        yes = weighted(
            name, multiply(t, cards.binary_cross_entropy_with_logits(x, 1.0)), pos_weight, "pos_weight"
        )
        no = multiply(subtract(1.0, t), cards.binary_cross_entropy_with_logits(x, 0.0))
        losses = add(yes, no)
    return reduced(name, weighted(name, losses, weight), reduction)


def clipped_binary_cross_entropy(
    probabilities: Any, target: Any, *, clip: float = 1e-7, reduction: str = "mean"
) -> Any:
    """`binary_cross_entropy` with the probabilities clipped instead of their logarithms.

    Args:
        probabilities: of yes.
        target: 0 and 1, or what is between, in the same shape.
        clip: probabilities are kept in [clip, 1 - clip]; those outside have gradient 0.
        reduction: 'none', 'mean' or 'sum'.

    Raises:
        ShapeError: the shapes differ, an element is not in [0, 1], or ``clip`` is not in [0, 0.5).

    Example:
        >>> import tensorgrad as tg
        >>> tg.nn.functional.clipped_binary_cross_entropy(tg.tensor([0.0]), tg.tensor([1.0])).item()
        16.118...

    Source:
        H. Kinsley and D. Kukieła, Neural Networks from Scratch in Python, 2020, chapter 16.
    """
    name = "clipped_binary_cross_entropy"
    p, t = _decisions(name, probabilities, target)
    return reduced(name, cards.binary_cross_entropy(clipped(name, p, clip), t), reduction)


def multilabel_soft_margin_loss(
    input: Any, target: Any, weight: Any = None, *, reduction: str = "mean"
) -> Any:
    """`binary_cross_entropy_with_logits` of each class, and the mean of it over the classes.

    Args:
        input: scores, classes along the last axis.
        target: 0 and 1 in the same shape.
        weight: of each class, or broadcast to the elements.
        reduction: of the losses, one for each row: 'none', 'mean' or 'sum'.

    Raises:
        ShapeError: the shapes do not fit, or a target is not in [0, 1].

    Example:
        >>> import tensorgrad as tg
        >>> tg.nn.functional.multilabel_soft_margin_loss(tg.tensor([[0.0, 0.0]]), [[1, 0]]).item()
        0.693147...
    """
    name = "multilabel_soft_margin_loss"
    x, t = _decisions(name, input, target)
    if not x.ndim:
        raise ShapeError(f"{name}: input has no axis; classes along the last one are needed")
    losses = weighted(name, cards.binary_cross_entropy_with_logits(x, t), weight)
    return reduced(name, mean(losses, axis=-1), reduction)


def sigmoid_focal_loss(
    input: Any, target: Any, alpha: float = 0.25, gamma: float = 2.0, *, reduction: str = "mean"
) -> Any:
    """`binary_cross_entropy_with_logits` times ``(1 - p) ** gamma``, with ``p`` given to the right answer.

    Args:
        input: scores.
        target: 0 and 1 in the same shape.
        alpha: weight of the elements with target 1, the others have ``1 - alpha``; none if it is negative.
        gamma: how strongly easy examples are played down.
        reduction: 'none', 'mean' or 'sum'.

    Raises:
        ShapeError: the shapes differ, a target is not in [0, 1], ``alpha`` is above 1 or ``gamma`` negative.

    Example:
        >>> import tensorgrad as tg
        >>> tg.nn.functional.sigmoid_focal_loss(tg.tensor([0.0]), tg.tensor([1.0])).item()
        0.0433216...

    Source:
        T.-Y. Lin et al., Focal loss for dense object detection, 2017.
    """
    name = "sigmoid_focal_loss"
    x, t = _decisions(name, input, target)
    if alpha > 1:
        raise ShapeError(f"{name}: alpha is {alpha}; it is at most 1, and negative for none")
    no = subtract(1.0, t)
    # What is given to the wrong answer is no difference from 1, which would lose it.
    wrong = add(multiply(sigmoid(x), no), multiply(sigmoid(negative(x)), t))
    losses = cards.binary_cross_entropy_with_logits(x, t)
    losses = multiply(losses, power(positive(wrong), exponent(name, gamma)))
    if alpha >= 0:
        losses = multiply(losses, add(multiply(alpha, t), multiply(1 - alpha, no)))
    return reduced(name, losses, reduction)


def dice_loss(
    input: Any, target: Any, *, smooth: float = 1.0, squared: bool = True, reduction: str = "mean"
) -> Any:
    """1 less twice the overlap of what is predicted and what is there, divided by the size of both.

    ``1 - (2 sum(p t) + smooth) / (sum(p^2) + sum(t^2) + smooth)``, for each example, which is what lies along
    the first axis.

    Args:
        input: probabilities, ``(N, ...)``.
        target: 0 and 1 in the same shape.
        smooth: keeps the quotient defined, and near 1, where nothing is there and nothing predicted.
        squared: whether sizes are sums of squares, as in the source, or plain sums.
        reduction: of the losses, one for each example: 'none', 'mean' or 'sum'.

    Raises:
        ShapeError: the shapes differ, or an element is not in [0, 1].

    Example:
        >>> import tensorgrad as tg
        >>> tg.nn.functional.dice_loss(tg.tensor([[1.0, 0.0]]), [[1, 1]], smooth=0.0).item()
        0.333333...

    Source:
        F. Milletari, N. Navab and S.-A. Ahmadi, V-Net, 2016.
    """
    name = "dice_loss"
    p, t = _decisions(name, input, target)
    if p.ndim < 2:
        raise ShapeError(f"{name}: input has shape {p.shape}; (N, ...) is needed")
    probabilities(name, "input", p)
    axes = tuple(range(1, p.ndim))
    overlap = 2.0 * sum(multiply(p, t), axis=axes) + smooth
    sizes = add(square(p), square(t)) if squared else add(p, t)
    return reduced(name, subtract(1.0, divide(overlap, sum(sizes, axis=axes) + smooth)), reduction)


# ---- parts


def _decisions(loss: str, input: Any, target: Any) -> tuple[Any, Any]:
    x, t = pair(loss, input, target)
    probabilities(loss, "target", t)
    return x, t
