"""How far numbers are from their targets."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from .base import Array, Metric, once, same_shape

SHARE = 250  # of the standard deviation, which is near enough


class _Sums(Metric[float]):
    """Sums over the samples, for each column."""

    _start: ClassVar[dict[str, Any]] = {"_total": 0.0, "_count": 0}
    _total: Any
    _count: int

    def update(self, prediction: Any, target: Any, /) -> None:
        made, true = same_shape(type(self).__name__, prediction, target)
        self._total = self._total + self._measure(made - true).sum(0)
        self._count += len(true)

    def compute(self) -> float:
        """The mean over samples, and of that over columns."""
        self._seen(self._count)
        return float(np.mean(self._finish(self._total / self._count)))

    def _measure(self, error: Array) -> Array:
        raise NotImplementedError

    def _finish(self, means: Array) -> Array:
        return means


class MeanAbsoluteError(_Sums):
    """The mean of the errors without their signs."""

    def _measure(self, error: Array) -> Array:
        return np.abs(error)


class MeanSquaredError(_Sums):
    """The mean of the squares of the errors."""

    def _measure(self, error: Array) -> Array:
        return error * error


class RootMeanSquaredError(MeanSquaredError):
    """The root of the mean squared error of each column, and the mean of those."""

    def _finish(self, means: Array) -> Array:
        return np.sqrt(means)


class R2(Metric[float]):
    """The coefficient of determination: 1 is perfect, 0 no better than the mean of the targets."""

    _start: ClassVar[dict[str, Any]] = {"_wrong": 0.0, "_mean": 0.0, "_spread": 0.0, "_count": 0}
    _wrong: Any
    _mean: Any
    _spread: Any
    _count: int

    def update(self, prediction: Any, target: Any, /) -> None:  # noqa: D102
        made, true = same_shape("r2_score", prediction, target)
        if len(true):
            mean = true.mean(0)
            self._join(((made - true) ** 2).sum(0), mean, ((true - mean) ** 2).sum(0), len(true))

    def compute(self) -> float:
        """The coefficient, at most 1: the mean over columns."""
        self._seen(self._count)
        if self._count < 2:
            raise ValueError("r2_score: there is one sample; the spread of the targets needs at least two")
        spread, wrong = np.atleast_1d(self._spread), np.atleast_1d(self._wrong)
        # Where all targets are equal there is nothing to explain: right is 1, wrong is 0. The mean of
        # equal numbers may be off by its rounding.
        varied = spread > self._count * (4 * np.finfo(np.float64).eps * np.abs(self._mean)) ** 2
        share = np.where(varied, wrong / np.where(varied, spread, 1), wrong > 0)
        return float(np.mean(1 - share))

    def _take(self, other: R2) -> None:
        if other._count:
            self._join(other._wrong, other._mean, other._spread, other._count)

    def _join(self, wrong: Array, mean: Array, spread: Array, count: int) -> None:
        """Join the sums of two parts.

        Source: T. F. Chan, G. H. Golub, R. J. LeVeque, Updating formulae and a pairwise algorithm for
        computing sample variances, 1979.
        """
        total = self._count + count
        gap = mean - self._mean
        self._spread = self._spread + spread + gap * gap * (self._count * count / total)
        self._mean = self._mean + gap * (count / total)
        self._wrong = self._wrong + wrong
        self._count = total


class RegressionAccuracy(Metric[float]):
    """The share of predictions that are nearer to their target than a tolerance.

    Args:
        tolerance: the distance; by default the standard deviation of all targets over 250, for which all
            of them are kept. The book takes that of the training data: ``np.std(y) / 250``.

    Source:
        H. Kinsley and D. Kukieła, Neural Networks from Scratch in Python, 2020, chapter 17.
    """

    _start: ClassVar[dict[str, Any]] = {"_near": 0, "_count": 0, "_errors": [], "_targets": []}
    _near: int
    _count: int
    _errors: list[Array]
    _targets: list[Array]

    def __init__(self, *, tolerance: float | None = None) -> None:
        if tolerance is not None and not tolerance > 0:
            raise ValueError(f"regression_accuracy: tolerance is {tolerance}; give more than 0")
        self.tolerance = tolerance
        super().__init__()

    def update(self, prediction: Any, target: Any, /) -> None:  # noqa: D102
        made, true = same_shape("regression_accuracy", prediction, target)
        error = np.abs(made - true).reshape(-1)
        if self.tolerance is None:
            self._errors.append(error)
            self._targets.append(true.reshape(-1))
        else:
            self._near += int(np.count_nonzero(error < self.tolerance))
        self._count += error.size

    def compute(self) -> float:
        """The share, from 0 to 1."""
        self._seen(self._count)
        if self.tolerance is not None:
            return self._near / self._count
        limit = float(np.std(np.concatenate(self._targets))) / SHARE
        return int(np.count_nonzero(np.concatenate(self._errors) < limit)) / self._count


def mean_absolute_error(prediction: Any, target: Any) -> float:
    """The mean of the errors without their signs.

    Args:
        prediction: numbers of any shape.
        target: as many of the same shape.

    Raises:
        ShapeError: the shapes differ.
        ValueError: there is a NaN, or no data.

    Example:
        >>> mean_absolute_error([2.0, 5.0], [3.0, 3.0])
        1.5
    """
    return once(MeanAbsoluteError(), prediction, target)


def mean_squared_error(prediction: Any, target: Any) -> float:
    """The mean of the squares of the errors.

    Args:
        prediction: numbers of any shape.
        target: as many of the same shape.

    Raises:
        ShapeError: the shapes differ.
        ValueError: there is a NaN, or no data.

    Example:
        >>> mean_squared_error([2.0, 5.0], [3.0, 3.0])
        2.5
    """
    return once(MeanSquaredError(), prediction, target)


def root_mean_squared_error(prediction: Any, target: Any) -> float:
    """The root of the mean squared error; of several columns, the mean of their roots.

    Args:
        prediction: numbers of any shape, one sample along the first axis.
        target: as many of the same shape.

    Raises:
        ShapeError: the shapes differ.
        ValueError: there is a NaN, or no data.

    Example:
        >>> root_mean_squared_error([2.0, 7.0], [3.0, 0.0])
        5.0
    """
    return once(RootMeanSquaredError(), prediction, target)


def r2_score(prediction: Any, target: Any) -> float:
    """The coefficient of determination: 1 is perfect, 0 no better than the mean of the targets.

    Args:
        prediction: numbers of any shape, one sample along the first axis.
        target: as many of the same shape; of several columns the mean is taken.

    Raises:
        ShapeError: the shapes differ.
        ValueError: there is a NaN, or fewer than two samples.

    Example:
        >>> r2_score([1.0, 2.0, 4.0], [1.0, 2.0, 3.0])
        0.5
    """
    return once(R2(), prediction, target)


def regression_accuracy(prediction: Any, target: Any, *, tolerance: float | None = None) -> float:
    """The share of predictions that are nearer to their target than a tolerance.

    Args:
        prediction: numbers of any shape.
        target: as many of the same shape.
        tolerance: the distance; by default the standard deviation of the targets over 250.

    Raises:
        ShapeError: the shapes differ.
        ValueError: there is a NaN, no data, or the tolerance is not greater than 0.

    Example:
        >>> regression_accuracy([1.0, 2.001], [1.0, 2.0])
        1.0

    Source:
        H. Kinsley and D. Kukieła, Neural Networks from Scratch in Python, 2020, chapter 17.
    """
    return once(RegressionAccuracy(tolerance=tolerance), prediction, target)
