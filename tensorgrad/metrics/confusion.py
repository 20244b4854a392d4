"""The confusion matrix and what follows from it: precision, recall, F1."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import numpy as np

from .base import Array, Metric, once
from .classes import classes_of

Average = Literal["binary", "micro", "macro", "weighted"] | None
AVERAGES = ("binary", "micro", "macro", "weighted", None)


class _Counting(Metric[Any]):
    """Counts, for each true class, what was predicted."""

    _start: ClassVar[dict[str, Any]] = {"_counts": np.zeros((0, 0), np.int64)}
    _counts: Array

    def __init__(self, *, num_classes: int | None = None, threshold: float = 0.5, axis: int = 1) -> None:
        self.num_classes, self.threshold, self.axis = num_classes, threshold, axis
        super().__init__()

    def update(self, prediction: Any, target: Any, /) -> None:
        made, true, classes = classes_of(
            self._name(), prediction, target, self.threshold, self.axis, classes=self.num_classes
        )
        if self.num_classes is not None and classes > self.num_classes:
            raise ValueError(
                f"{self._name()}: the scores are of {classes} classes, and num_classes is {self.num_classes}"
            )
        size = max(classes, self.num_classes or 0, len(self._counts))
        self._grow(size)
        self._counts += np.bincount(true * size + made, minlength=size * size).reshape(size, size)

    def _take(self, other: Any) -> None:
        size = len(other._counts)
        self._grow(size)
        self._counts[:size, :size] += other._counts

    def _grow(self, size: int) -> None:
        more = size - len(self._counts)
        if more > 0:
            self._counts = np.pad(self._counts, ((0, more), (0, more)))

    def _name(self) -> str:
        return type(self).__name__


class ConfusionMatrix(_Counting):
    """How often each class was predicted for each true class.

    Args:
        num_classes: how many there are; by default as many as turn up.
        threshold: a score above it means class 1, where there is one for each target.
        axis: of the predictions, which has the classes.

    Example:
        >>> matrix = ConfusionMatrix()
        >>> matrix.update([0, 1, 1], [0, 1, 0])
        >>> matrix.compute().tolist()
        [[1, 1], [0, 1]]
    """

    def compute(self) -> Array:
        """Counts of shape (C, C), int64: a row for each true class, a column for each predicted one."""
        self._seen(self._counts.any())
        return self._counts.copy()


class _Ratio(_Counting):
    """A share for each class, and its averages."""

    def __init__(
        self,
        *,
        average: Average = "binary",
        num_classes: int | None = None,
        threshold: float = 0.5,
        axis: int = 1,
        zero_division: float = 0.0,
    ) -> None:
        if average not in AVERAGES:
            raise ValueError(f"{self._name()}: average is {average!r}; give one of {AVERAGES}")
        self.average, self.zero_division = average, zero_division
        super().__init__(num_classes=num_classes, threshold=threshold, axis=axis)

    def compute(self) -> Any:
        """The share, or with ``average=None`` an array of one for each class."""
        self._seen(self._counts.any())
        right, made, true = self._counts.diagonal(), self._counts.sum(0), self._counts.sum(1)
        if self.average == "binary" and len(right) > 2:
            raise ValueError(
                f"{self._name()}: there are {len(right)} classes; give average='macro', 'micro', 'weighted' or None"
            )
        if self.average == "micro":
            right, made, true = (counts.sum(keepdims=True) for counts in (right, made, true))
            return float(self._shares(right, made, true)[0])
        shares = self._shares(right, made, true)
        if self.average is None:
            return shares
        if self.average == "binary":
            return float(shares[1]) if len(shares) > 1 else self.zero_division
        weights = ((made + true) > 0).astype(np.int64) if self.average == "macro" else true
        return self._mean(shares, weights)

    def _shares(self, right: Array, made: Array, true: Array) -> Array:
        above, below = self._fraction(right, made, true)
        return np.where(below > 0, above / np.maximum(below, 1), self.zero_division)

    def _mean(self, shares: Array, weights: Array) -> float:
        known = ~np.isnan(shares)
        if not weights[known].any():
            return float("nan")
        return float(np.average(shares[known], weights=weights[known]))

    def _fraction(self, right: Array, made: Array, true: Array) -> tuple[Array, Array]:
        """For each class the share as a fraction, of how many are right, predicted and true."""
        raise NotImplementedError


class Precision(_Ratio):
    """Of what was predicted as a class, the share that is of it.

    Args:
        average: ``"binary"``: that of class 1, for two classes; ``"micro"``: over all classes at once;
            ``"macro"``: the mean over the classes that occur; ``"weighted"``: the mean by how often they
            are true; None: one for each class.
        num_classes: how many there are; by default as many as turn up.
        threshold: a score above it means class 1, where there is one for each target.
        axis: of the predictions, which has the classes.
        zero_division: the share of a class that was never predicted, such as 0, 1 or NaN; a mean leaves
            NaN out.
    """

    def _fraction(self, right: Array, made: Array, true: Array) -> tuple[Array, Array]:
        return right, made


class Recall(_Ratio):
    """Of what is of a class, the share that was predicted as it.

    Args:
        average: as for `Precision`.
        num_classes: how many there are; by default as many as turn up.
        threshold: a score above it means class 1, where there is one for each target.
        axis: of the predictions, which has the classes.
        zero_division: the share of a class that is never true.
    """

    def _fraction(self, right: Array, made: Array, true: Array) -> tuple[Array, Array]:
        return right, true


class F1(_Ratio):
    """The harmonic mean of precision and recall.

    Args:
        average: as for `Precision`.
        num_classes: how many there are; by default as many as turn up.
        threshold: a score above it means class 1, where there is one for each target.
        axis: of the predictions, which has the classes.
        zero_division: that of a class that neither is true nor was predicted.
    """

    def _fraction(self, right: Array, made: Array, true: Array) -> tuple[Array, Array]:
        return 2 * right, made + true


def confusion_matrix(
    prediction: Any, target: Any, *, num_classes: int | None = None, threshold: float = 0.5, axis: int = 1
) -> Array:
    """How often each class was predicted (columns) for each true class (rows).

    Args:
        prediction: scores or classes, as for `accuracy`.
        target: the true classes.
        num_classes: how many there are; by default as many as turn up.
        threshold: a score above it means class 1, where there is one for each target.
        axis: of the predictions, which has the classes.

    Returns:
        Counts of shape (C, C), int64.

    Raises:
        ShapeError: the shapes do not fit.
        IndexingError: a class is out of range.
        ValueError: a score is NaN, or there is no data.

    Example:
        >>> confusion_matrix([0, 1, 2, 2], [0, 1, 1, 2]).tolist()
        [[1, 0, 0], [0, 1, 1], [0, 0, 1]]
    """
    metric = ConfusionMatrix(num_classes=num_classes, threshold=threshold, axis=axis)
    made: Array = once(metric, prediction, target)
    return made


def precision(
    prediction: Any,
    target: Any,
    *,
    average: Average = "binary",
    num_classes: int | None = None,
    threshold: float = 0.5,
    axis: int = 1,
    zero_division: float = 0.0,
) -> Any:
    """Of what was predicted as a class, the share that is of it; the arguments are those of `Precision`.

    Example:
        >>> precision([1, 1, 0, 1], [1, 0, 0, 1])
        0.6666666666666666
    """
    return once(Precision(**_given(average, num_classes, threshold, axis, zero_division)), prediction, target)


def recall(
    prediction: Any,
    target: Any,
    *,
    average: Average = "binary",
    num_classes: int | None = None,
    threshold: float = 0.5,
    axis: int = 1,
    zero_division: float = 0.0,
) -> Any:
    """Of what is of a class, the share that was predicted as it; the arguments are those of `Recall`.

    Example:
        >>> recall([0, 2, 1, 2], [0, 2, 2, 2], average=None).round(3).tolist()
        [1.0, 0.0, 0.667]
    """
    return once(Recall(**_given(average, num_classes, threshold, axis, zero_division)), prediction, target)


def f1(
    prediction: Any,
    target: Any,
    *,
    average: Average = "binary",
    num_classes: int | None = None,
    threshold: float = 0.5,
    axis: int = 1,
    zero_division: float = 0.0,
) -> Any:
    """The harmonic mean of precision and recall; the arguments are those of `F1`.

    Example:
        >>> f1([0.9, 0.7, 0.2, 0.8], [1, 0, 0, 1])
        0.8
    """
    return once(F1(**_given(average, num_classes, threshold, axis, zero_division)), prediction, target)


def _given(
    average: Average, num_classes: int | None, threshold: float, axis: int, zero_division: float
) -> dict[str, Any]:
    return {
        "average": average,
        "num_classes": num_classes,
        "threshold": threshold,
        "axis": axis,
        "zero_division": zero_division,
    }
