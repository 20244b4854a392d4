"""How likely the targets are by the predicted probabilities: log-loss and perplexity."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import numpy as np

from .._errors import ShapeError
from .base import Array, Metric, array, once
from .classes import labels, scores_of


class LogLoss(Metric[float]):
    """The mean of minus the logarithm of the probability that was given to the true class.

    Args:
        axis: of the predictions, which has the classes.
    """

    _start: ClassVar[dict[str, Any]] = {"_total": 0.0, "_count": 0}
    _total: float
    _count: int

    def __init__(self, *, axis: int = 1) -> None:
        self.axis = axis
        super().__init__()

    def update(self, prediction: Any, target: Any, /) -> None:  # noqa: D102
        chances = array("log_loss", "prediction", prediction)
        if ((chances < 0) | (chances > 1)).any():
            worst = float(chances.flat[int(np.abs(chances - 0.5).argmax())])
            raise ValueError(
                f"log_loss: prediction has {worst:.6g}; give probabilities from 0 to 1, such as softmax makes them"
            )
        kind = np.float64 if chances.dtype.kind != "f" else chances.dtype
        tiny = float(np.finfo(kind).eps)
        own = np.clip(self._own(chances, target, math.sqrt(tiny)).astype(np.float64), tiny, 1 - tiny)
        self._total -= float(np.log(own).sum())
        self._count += own.size

    def compute(self) -> float:
        """The mean, at least 0."""
        self._seen(self._count)
        return self._total / self._count

    def _own(self, chances: Array, target: Any, tolerance: float) -> Array:
        """The probability of each true class."""
        true = array("log_loss", "target", target)
        if chances.ndim == true.ndim + 1 and self.axis < chances.ndim > 1 and chances.shape[self.axis] == 1:
            chances = chances.squeeze(self.axis)
        if chances.shape == true.shape and (chances.ndim < 2 or chances.shape[1] == 1):
            found = labels("log_loss", "target", true, 2)
            flat = chances.reshape(-1)
            own: Array = np.where(found == 1, flat, 1 - flat)
            return own
        if chances.ndim < 2:
            raise ShapeError(
                f"log_loss: prediction has shape {chances.shape}, target {true.shape}; make them fit"
            )
        rows, found = scores_of("log_loss", chances, true, self.axis)
        sums = rows.sum(1, dtype=np.float64)
        if (np.abs(sums - 1) > tolerance).any():
            where = int(np.abs(sums - 1).argmax())
            raise ValueError(
                f"log_loss: the probabilities of sample {where} sum to {sums[where]:.6g}; make each row sum to 1"
            )
        own = rows[np.arange(len(found)), found]
        return own


class Perplexity(Metric[float]):
    """The exponential of the mean cross-entropy: among how many classes a guess would be as hard.

    Args:
        axis: of the predictions, which has the classes; -1 for shape (N, T, C).
        ignore_index: a target that does not count, such as one of padding.
    """

    _start: ClassVar[dict[str, Any]] = {"_total": 0.0, "_count": 0}
    _total: float
    _count: int

    def __init__(self, *, axis: int = 1, ignore_index: int | None = -100) -> None:
        self.axis, self.ignore_index = axis, ignore_index
        super().__init__()

    def update(self, prediction: Any, target: Any, /) -> None:  # noqa: D102
        scores, true = scores_of("perplexity", prediction, target, self.axis, self.ignore_index)
        scores = scores.astype(np.float64)
        top = scores.max(1, keepdims=True, initial=-np.inf)
        if not np.isfinite(top).all():
            raise ValueError(
                "perplexity: the scores of a sample are infinite; give logits or log-probabilities"
            )
        logs = np.log(np.exp(scores - top).sum(1)) + top[:, 0]
        self._total += float((logs - scores[np.arange(len(true)), true]).sum())
        self._count += len(true)

    def compute(self) -> float:
        """The perplexity, at least 1; infinite where a true class was held impossible."""
        self._seen(self._count)
        mean = self._total / self._count
        return math.exp(mean) if mean < 709 else math.inf


def log_loss(prediction: Any, target: Any, *, axis: int = 1) -> float:
    """The mean of minus the logarithm of the probability that was given to the true class.

    A probability is taken to be at least the precision of its dtype, so that no single one is infinite.

    Args:
        prediction: probabilities of shape (N, C, ...) that sum to 1 over the classes; or of class 1, one
            for each target.
        target: the true classes, of shape (N, ...).
        axis: of the predictions, which has the classes.

    Returns:
        The mean, at least 0.

    Raises:
        ShapeError: the shapes do not fit.
        IndexingError: a class is out of range.
        ValueError: the predictions are no probabilities, or there is no data.

    Example:
        >>> log_loss([[0.7, 0.1, 0.2], [0.1, 0.5, 0.4], [0.02, 0.9, 0.08]], [0, 1, 1])
        0.38506088005216804
    """
    return once(LogLoss(axis=axis), prediction, target)


def perplexity(prediction: Any, target: Any, *, axis: int = 1, ignore_index: int | None = -100) -> float:
    """The exponential of the mean cross-entropy: among how many classes a guess would be as hard.

    Args:
        prediction: logits, or log-probabilities, of shape (N, C, ...).
        target: the true classes, of shape (N, ...).
        axis: of the predictions, which has the classes; -1 for shape (N, T, C).
        ignore_index: a target that does not count.

    Returns:
        The perplexity, at least 1.

    Raises:
        ShapeError: the shapes do not fit.
        IndexingError: a class is out of range.
        ValueError: a score is NaN, or there is no data.

    Example:
        >>> round(perplexity([[0.0, 0.0, 0.0, 0.0]], [2]), 6)
        4.0
    """
    return once(Perplexity(axis=axis, ignore_index=ignore_index), prediction, target)
