"""Losses of classes: cross-entropy of scores, of their logarithms and of probabilities.

Classes lie along axis 1, or along the only axis. A label that does not name a class is an error that says
which; so is a label that is not an integer. What PyTorch has deprecated (``size_average``, ``reduce``) is not
there; what stands behind it is given by keyword.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..._config import GENERAL, get_mode
from ..._errors import DtypeError, ShapeError
from ..._primitive import Value
from ...ops import (
    astype,
    divide,
    expand_dims,
    expm1,
    fused,
    log,
    log_softmax,
    moveaxis,
    multiply,
    negative,
    not_equal,
    power,
    reshape,
    squeeze,
    sum,
    take,
    take_along_axis,
    where,
)
from ...ops import losses as cards
from ...ops.positions import known
from ...ops.shape import lifted
from .loss_parts import class_weight, clipped, exponent, floating, like, positive, probabilities, reduced


def cross_entropy(
    input: Any,
    target: Any,
    weight: Any = None,
    *,
    ignore_index: int = -100,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Any:
    """The negative logarithm of the probability that softmax gives to the right class.

    Args:
        input: scores, not normalised: ``(N, C)``, ``(N, C, d1, ...)`` or ``(C,)``.
        target: labels, integers in [0, C) in the shape of the input without its classes: ``(N,)``,
            ``(N, d1, ...)`` or ``()``. Or probabilities of the classes (one-hot, for one) in the shape of the input.
        weight: of each class, ``(C,)``. The mean over labels is divided by the sum of their weights.
        ignore_index: labels with this number count nothing. Has no meaning for probabilities.
        reduction: 'none', 'mean' or 'sum'. The mean is NaN if all labels are ignored, as in PyTorch.
        label_smoothing: what part of each target, from 0 to 1, is spread evenly over all classes.

    Raises:
        IndexingError: a label is negative, or not below C, and not ``ignore_index``.
        DtypeError: the scores are not floating, the labels no integers, or the probabilities not floating.
        ShapeError: the shapes do not fit, a probability is not in [0, 1], or another argument is out of range.

    Example:
        >>> import tensorgrad as tg
        >>> scores = tg.log(tg.tensor([[0.7, 0.1, 0.2], [0.1, 0.5, 0.4], [0.02, 0.9, 0.08]]))
        >>> round(tg.nn.functional.cross_entropy(scores, [0, 1, 1]).item(), 6)
        0.385061

    Source:
        C. Szegedy et al., Rethinking the Inception architecture for computer vision, 2016 (label smoothing).
    """
    name = "cross_entropy"
    x, target = _scores(name, input), lifted(name, target)
    if not 0 <= label_smoothing <= 1:
        raise ShapeError(f"{name}: label_smoothing is {label_smoothing}; it is in [0, 1]")
    if target.shape == x.shape:
        logp = log_softmax(x, axis=_axis(x))
        return _of_probabilities(name, logp, target, weight, reduction, label_smoothing)
    if label_smoothing:
        logp = log_softmax(x, axis=_axis(x))
        return _of_labels(name, _picked, logp, target, weight, ignore_index, reduction, label_smoothing)
    return _of_labels(name, _softmax_picked, x, target, weight, ignore_index, reduction)


def nll_loss(
    input: Any, target: Any, weight: Any = None, *, ignore_index: int = -100, reduction: str = "mean"
) -> Any:
    """`cross_entropy` with labels, of scores that are logarithms of probabilities already.

    Args:
        input: the output of `tensorgrad.log_softmax`, classes along axis 1.
        target: labels, see `cross_entropy`.
        weight: of each class.
        ignore_index: labels with this number count nothing.
        reduction: 'none', 'mean' or 'sum'.

    Raises:
        IndexingError: a label is negative, or not below C, and not ``ignore_index``.
        DtypeError: the labels are not integers.
        ShapeError: the shapes do not fit.

    Example:
        >>> import tensorgrad as tg
        >>> tg.nn.functional.nll_loss(tg.log(tg.tensor([[0.5, 0.5]])), [1]).item()
        0.693147...
    """
    x = _scores("nll_loss", input)
    return _of_labels("nll_loss", _picked, x, lifted("nll_loss", target), weight, ignore_index, reduction)


def categorical_cross_entropy(
    probabilities: Any, target: Any, *, clip: float = 1e-7, reduction: str = "mean"
) -> Any:
    """The negative logarithm of the probability of the right class, from probabilities instead of scores.

    It equals `cross_entropy` of their logarithms, but for the clipping: in training use that one, which
    loses no digits. Probabilities that are clipped have gradient 0.

    Args:
        probabilities: ``(N, C)``, or other shapes as in `cross_entropy`.
        target: labels ``(N,)``, or one-hot rows in the shape of the probabilities.
        clip: probabilities are kept in [clip, 1 - clip].
        reduction: 'none', 'mean' or 'sum'.

    Raises:
        IndexingError: a label is negative, or not below C.
        ShapeError: the shapes do not fit, a probability is not in [0, 1], or ``clip`` is not in [0, 0.5).

    Example:
        >>> import tensorgrad as tg
        >>> p = tg.tensor([[0.7, 0.1, 0.2], [0.1, 0.5, 0.4], [0.02, 0.9, 0.08]], dtype=tg.float64)
        >>> tg.nn.functional.categorical_cross_entropy(p, [0, 1, 1]).item()
        0.38506088005216804

    Source:
        H. Kinsley and D. Kukieła, Neural Networks from Scratch in Python, 2020, chapter 5.
    """
    name = "categorical_cross_entropy"
    p, target = _scores(name, probabilities), lifted(name, target)
    logp = log(clipped(name, p, clip))
    if target.shape == p.shape:
        return _of_probabilities(name, logp, like(name, "target", target, p), None, reduction)
    return _of_labels(name, _picked, logp, target, None, None, reduction)


def softmax_focal_loss(
    input: Any,
    target: Any,
    gamma: float = 2.0,
    weight: Any = None,
    *,
    ignore_index: int = -100,
    reduction: str = "mean",
) -> Any:
    """`cross_entropy` with each term times ``(1 - p) ** gamma``: what is classified well counts little.

    Args:
        input: scores, see `cross_entropy`.
        target: labels.
        gamma: how strongly easy examples are played down; 0 is cross-entropy.
        weight: of each class, the paper's alpha.
        ignore_index: labels with this number count nothing.
        reduction: 'none', 'mean' or 'sum'; the mean is divided by the sum of the weights of the labels.

    Raises:
        IndexingError: a label is negative, or not below C, and not ``ignore_index``.
        ShapeError: the shapes do not fit, or ``gamma`` is negative.

    Example:
        >>> import tensorgrad as tg
        >>> tg.nn.functional.softmax_focal_loss(tg.tensor([[0.0, 0.0]]), [1]).item()
        0.173286...

    Source:
        T.-Y. Lin et al., Focal loss for dense object detection, 2017.
    """
    name = "softmax_focal_loss"
    x, target = _scores(name, input), lifted(name, target)
    focus = exponent(name, gamma)

    def losses_of(x: Any, positions: Any) -> Any:
        losses = _softmax_picked(x, positions)
        wrong = negative(expm1(negative(losses)))  # 1 - p, with all its digits where p is near 1
        return multiply(losses, power(positive(wrong), focus)) if focus else losses

    return _of_labels(name, losses_of, x, target, weight, ignore_index, reduction)


# ---- parts


def _scores(loss: str, input: Any) -> Any:
    x = floating(loss, "input", input)
    if not x.ndim or not x.shape[_axis(x)]:
        raise ShapeError(f"{loss}: input has shape {x.shape}; (N, C), (N, C, d1, ...) or (C,) is needed")
    return x


def _axis(x: Any) -> int:
    """The axis of the classes."""
    return 1 if x.ndim > 1 else 0


def _picked(logp: Any, positions: Any) -> Any:
    """Minus the logarithm of the probability at each position."""
    axis = _axis(logp)
    return negative(squeeze(take_along_axis(logp, expand_dims(positions, axis=axis), axis=axis), axis=axis))


def _softmax_picked(x: Any, positions: Any) -> Any:
    """The same from scores, as one op on rows."""
    if x.ndim == 2:
        return fused.softmax_cross_entropy(positions, x)
    rows = reshape(moveaxis(x, _axis(x), -1), (-1, x.shape[_axis(x)]))
    return reshape(fused.softmax_cross_entropy(reshape(positions, (-1,)), rows), positions.shape)


def _of_labels(
    loss: str,
    losses_of: Callable[[Any, Any], Any],
    x: Any,
    labels: Any,
    weight: Any,
    ignore_index: int | None,
    reduction: str,
    smoothing: float = 0.0,
) -> Any:
    """Reduced losses of labels; ``losses_of`` computes them from scores and the positions of the right classes."""
    axis = _axis(x)
    count = x.shape[axis]
    expected = (*x.shape[:axis], *x.shape[axis + 1 :])
    if labels.shape != expected:
        raise ShapeError(
            f"{loss}: target has shape {labels.shape}; for input {x.shape} labels have shape {expected} "
            f"and probabilities of classes that of the input"
        )
    positions = cards.class_positions(labels, count, ignore_index, loss)
    losses = losses_of(x, positions)
    shares = None
    if weight is not None:
        w = class_weight(loss, weight, count, x)
        shares = take(w, positions)
        losses = multiply(losses, shares)
    if smoothing:
        even = x if weight is None else multiply(x, _along_classes(w, x))
        losses = (1 - smoothing) * losses - smoothing / count * sum(even, axis=axis)
    if ignore_index is not None and not _all_count(loss, labels, ignore_index):
        kept = not_equal(labels, ignore_index)
        losses = where(kept, losses, 0)  # and no product: a score of -inf would make NaN of it
        shares = astype(kept, losses.dtype) if shares is None else where(kept, shares, 0)
    if reduction != "mean" or shares is None:
        return reduced(loss, losses, reduction)
    total = sum(shares)
    return divide(sum(losses), where(total == 0, np.nan, total))


def _all_count(loss: str, labels: Any, ignore_index: int) -> bool:
    """Whether it is certain that no label is ignored; a traced program may get other labels later."""
    if isinstance(labels, Value) and (labels.level or get_mode() & GENERAL):
        return False
    return not (known(loss, labels) == ignore_index).any()


def _of_probabilities(
    loss: str, logp: Any, target: Any, weight: Any, reduction: str, smoothing: float = 0.0
) -> Any:
    """Reduced losses of target probabilities; their mean is over everything but the classes."""
    axis = _axis(logp)
    if target.dtype.kind != "f":
        raise DtypeError(
            f"{loss}: target has the shape {target.shape} of the input, so it holds probabilities of classes, "
            f"and dtype {target.dtype}; floats are needed (labels have no axis of classes)"
        )
    probabilities(loss, "target", target)
    if smoothing:
        target = target * (1 - smoothing) + smoothing / logp.shape[axis]
    terms = multiply(logp, target)
    if weight is not None:
        terms = multiply(terms, _along_classes(class_weight(loss, weight, logp.shape[axis], logp), logp))
    return reduced(loss, negative(sum(terms, axis=axis)), reduction)


def _along_classes(w: Any, x: Any) -> Any:
    """One number for each class, to broadcast with scores."""
    return reshape(w, (w.shape[0], *[1] * (x.ndim - _axis(x) - 1)))
