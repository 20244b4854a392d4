"""How well scores rank: the ROC and the precision-recall curve, and the areas under them."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from .._errors import ShapeError
from .base import Array, Collected, array
from .classes import labels, scores_of

Mean = Literal["macro", "weighted"] | None


def roc_curve(prediction: Any, target: Any, *, drop_intermediate: bool = True) -> tuple[Array, Array, Array]:
    """The share of true and of false alarms, at each threshold on a score.

    Args:
        prediction: scores of class 1, of shape (N,), (N, 1), or (N, 2) with those of both classes.
        target: 0 or 1, of shape (N,).
        drop_intermediate: leave out points on a straight line between others.

    Returns:
        False positive rates, true positive rates, and the thresholds from infinity down: a score counts
        as class 1 that is not less.

    Raises:
        ShapeError: the shapes do not fit.
        IndexingError: a target is neither 0 nor 1.
        ValueError: a score is NaN, or only one class is there.

    Example:
        >>> false, true, at = roc_curve([0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1])
        >>> false.tolist(), true.tolist()
        ([0.0, 0.0, 0.5, 0.5, 1.0], [0.0, 0.5, 0.5, 1.0, 1.0])

    Source:
        T. Fawcett, An introduction to ROC analysis, Pattern Recognition Letters 27, 2006.
    """
    false, true, thresholds = _alarms("roc_curve", *_binary("roc_curve", prediction, target))
    if drop_intermediate and len(false) > 2:
        bends = (np.diff(false, 2) != 0) | (np.diff(true, 2) != 0)
        keep = np.concatenate([[True], bends, [True]])
        false, true, thresholds = false[keep], true[keep], thresholds[keep]
    false, true = np.concatenate([[0], false]), np.concatenate([[0], true])
    return false / false[-1], true / true[-1], np.concatenate([[np.inf], thresholds])


def roc_auc(prediction: Any, target: Any, *, average: Mean = "macro") -> Any:
    """The area under the ROC curve: how often a random member of a class scores above a random other one.

    Args:
        prediction: scores of class 1, of shape (N,) or (N, 1); or of shape (N, C), where each class is
            taken against the rest.
        target: the true classes, of shape (N,).
        average: over more than two classes ``"macro"``: the mean; ``"weighted"``: by how often they are
            true; None: an array of one for each class.

    Returns:
        The area, from 0 to 1; 0.5 is chance.

    Raises:
        ShapeError: the shapes do not fit.
        IndexingError: a class is out of range.
        ValueError: a score is NaN, or a class or all others are missing.

    Example:
        >>> roc_auc([0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1])
        0.75

    Source:
        T. Fawcett, An introduction to ROC analysis, Pattern Recognition Letters 27, 2006.
    """
    return _each("roc_auc", _area, prediction, target, average)


def precision_recall_curve(prediction: Any, target: Any) -> tuple[Array, Array, Array]:
    """Precision and recall at each threshold on a score.

    Args:
        prediction: scores of class 1, of shape (N,), (N, 1), or (N, 2) with those of both classes.
        target: 0 or 1, of shape (N,).

    Returns:
        Precisions and recalls, each with a last value, 1 and 0, that has no threshold; and the thresholds,
        which rise.

    Raises:
        ShapeError: the shapes do not fit.
        IndexingError: a target is neither 0 nor 1.
        ValueError: a score is NaN, or only one class is there.

    Example:
        >>> precisions, recalls, at = precision_recall_curve([0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1])
        >>> at.tolist(), recalls.tolist()
        ([0.1, 0.35, 0.4, 0.8], [1.0, 1.0, 0.5, 0.5, 0.0])
    """
    name = "precision_recall_curve"
    false, true, thresholds = _alarms(name, *_binary(name, prediction, target))
    precision, recall = true / (true + false), true / true[-1]
    return np.append(precision[::-1], 1.0), np.append(recall[::-1], 0.0), thresholds[::-1]


def average_precision(prediction: Any, target: Any, *, average: Mean = "macro") -> Any:
    """The mean of the precision over the recall, without interpolation between thresholds.

    Args:
        prediction: scores of class 1, of shape (N,) or (N, 1); or of shape (N, C), where each class is
            taken against the rest.
        target: the true classes, of shape (N,).
        average: as for `roc_auc`.

    Returns:
        The mean, from 0 to 1; the share of the class is chance.

    Raises:
        ShapeError: the shapes do not fit.
        IndexingError: a class is out of range.
        ValueError: a score is NaN, or a class or all others are missing.

    Example:
        >>> round(average_precision([0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1]), 4)
        0.8333
    """
    return _each("average_precision", _steps, prediction, target, average)


class ROCAUC(Collected[Any]):
    """`roc_auc` over batches; it keeps all scores.

    Args:
        average: as for `roc_auc`.
    """

    def __init__(self, *, average: Mean = "macro") -> None:
        super().__init__(roc_auc, average=average)


class AveragePrecision(Collected[Any]):
    """`average_precision` over batches; it keeps all scores.

    Args:
        average: as for `roc_auc`.
    """

    def __init__(self, *, average: Mean = "macro") -> None:
        super().__init__(average_precision, average=average)


def _binary(metric: str, prediction: Any, target: Any) -> tuple[Array, Array]:
    """The scores of class 1 and whether it is true."""
    scores, true = array(metric, "prediction", prediction), array(metric, "target", target)
    if scores.ndim == 2 and scores.shape[1] in (1, 2):
        scores = scores[:, -1]
    if true.ndim == 2 and true.shape[1] == 1:
        true = true[:, 0]
    if scores.ndim != 1 or scores.shape != true.shape:
        raise ShapeError(
            f"{metric}: prediction has shape {np.shape(prediction)}, target {np.shape(target)}; "
            "give one score of class 1 for each target"
        )
    return scores, labels(metric, "target", true, 2)


def _alarms(metric: str, scores: Array, true: Array, what: str = "class 1") -> tuple[Array, Array, Array]:
    """False and true positives at each distinct score, from the greatest on."""
    positives = int(true.sum())
    if not scores.size:
        raise ValueError(f"{metric}: there is no data")
    if positives in (0, true.size):
        kind = "none is" if positives == 0 else "all are"
        raise ValueError(
            f"{metric}: of {true.size} targets {kind} of {what}; the curve needs some of both kinds"
        )
    order = np.argsort(-scores.astype(np.float64), kind="stable")
    scores, hits = scores[order], np.cumsum(true[order])
    last = np.append(np.flatnonzero(scores[1:] != scores[:-1]), scores.size - 1)
    return last + 1 - hits[last], hits[last], scores[last]


def _area(metric: str, scores: Array, true: Array, what: str) -> float:
    false, hits, _ = _alarms(metric, scores, true, what)
    false, hits = np.concatenate([[0], false]), np.concatenate([[0], hits])
    # In whole numbers, so that the order of the data makes no difference.
    twice = int((np.diff(false) * (hits[1:] + hits[:-1])).sum())
    return twice / (2 * int(false[-1]) * int(hits[-1]))


def _steps(metric: str, scores: Array, true: Array, what: str) -> float:
    false, hits, _ = _alarms(metric, scores, true, what)
    return float((np.diff(hits, prepend=0) / hits[-1] * (hits / (hits + false))).sum())


def _each(metric: str, measure: Any, prediction: Any, target: Any, average: Mean) -> Any:
    if average not in ("macro", "weighted", None):
        raise ValueError(f"{metric}: average is {average!r}; give 'macro', 'weighted' or None")
    shape = np.shape(prediction)
    if len(shape) != 2 or shape[1] < 3:
        return measure(metric, *_binary(metric, prediction, target), "class 1")
    scores, true = scores_of(metric, prediction, target)
    classes = range(scores.shape[1])
    found = np.array([measure(metric, scores[:, c], true == c, f"class {c}") for c in classes])
    if average is None:
        return found
    weights = np.bincount(true, minlength=len(classes)) if average == "weighted" else None
    return float(np.average(found, weights=weights))
