"""From scores to classes, and how many are right."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from .._errors import DtypeError, IndexingError, ShapeError
from .base import Array, Metric, array, once


class Accuracy(Metric[float]):
    """The share of predictions that are right.

    Args:
        threshold: a score above it means class 1, where there is one score for each target; give 0 for
            logits.
        top_k: a prediction is right when the true class is among the best so many; of equal scores the
            lower class comes first.
        axis: of the predictions, which has the scores of the classes.
        ignore_index: a target that does not count, such as one of padding.

    Example:
        >>> accuracy = Accuracy(top_k=2)
        >>> accuracy.update([[0.5, 0.3, 0.2], [0.1, 0.2, 0.7]], [1, 0])
        >>> accuracy.compute()
        0.5
    """

    _start: ClassVar[dict[str, Any]] = {"_right": 0, "_count": 0}
    _right: int
    _count: int

    def __init__(
        self, *, threshold: float = 0.5, top_k: int = 1, axis: int = 1, ignore_index: int | None = None
    ) -> None:
        if top_k < 1:
            raise ValueError(f"accuracy: top_k is {top_k}; give at least 1")
        self.threshold, self.top_k, self.axis, self.ignore_index = threshold, top_k, axis, ignore_index
        super().__init__()

    def update(self, prediction: Any, target: Any, /) -> None:  # noqa: D102
        if self.top_k > 1:
            scores, true = scores_of("accuracy", prediction, target, self.axis, self.ignore_index)
            if self.top_k > scores.shape[1]:
                raise ValueError(f"accuracy: top_k is {self.top_k}, and there are {scores.shape[1]} classes")
            own = scores[np.arange(len(true)), true][:, None]
            earlier = np.arange(scores.shape[1]) < true[:, None]
            right = ((scores > own) | ((scores == own) & earlier)).sum(1) < self.top_k
        else:
            made, true, _ = classes_of(
                "accuracy", prediction, target, self.threshold, self.axis, self.ignore_index
            )
            right = made == true
        self._right += int(np.count_nonzero(right))
        self._count += right.size

    def compute(self) -> float:
        """The share, from 0 to 1."""
        self._seen(self._count)
        return self._right / self._count


def accuracy(
    prediction: Any,
    target: Any,
    *,
    threshold: float = 0.5,
    top_k: int = 1,
    axis: int = 1,
    ignore_index: int | None = None,
) -> float:
    """The share of predictions that are right.

    Args:
        prediction: scores of shape (N, C, ...), of which the greatest counts; or one score for each
            target; or whole numbers, which are classes already.
        target: classes from 0 on, of shape (N, ...); or for scores of shape (N, C) rows with a single 1.
        threshold: a score above it means class 1, where there is one for each target.
        top_k: how many of the best scores may hold the true class.
        axis: of the predictions, which has the classes.
        ignore_index: a target that does not count.

    Returns:
        The share, from 0 to 1.

    Raises:
        ShapeError: the shapes do not fit.
        IndexingError: a class is out of range.
        ValueError: a score is NaN, or there is no data.

    Example:
        >>> accuracy([[0.1, 0.9], [0.8, 0.2]], [1, 1])
        0.5
        >>> accuracy([0.9, 0.2, 0.6], [1, 0, 0])
        0.6666666666666666
    """
    return once(
        Accuracy(threshold=threshold, top_k=top_k, axis=axis, ignore_index=ignore_index), prediction, target
    )


def scores_of(
    metric: str, prediction: Any, target: Any, axis: int = 1, ignore_index: int | None = None
) -> tuple[Array, Array]:
    """Scores of shape (N, C) and classes of shape (N,), whatever further axes there were."""
    scores, true = array(metric, "prediction", prediction), array(metric, "target", target)
    if scores.ndim < 2 or not -scores.ndim <= axis < scores.ndim:
        raise ShapeError(
            f"{metric}: prediction has shape {scores.shape}; give scores of shape (N, classes, ...)"
        )
    scores = np.moveaxis(scores, axis, -1)
    count = scores.shape[-1]
    if true.shape == scores.shape and true.ndim == 2 and count > 1:
        true = _hot(metric, true)
    if true.shape != scores.shape[:-1]:
        raise ShapeError(
            f"{metric}: prediction has shape {np.shape(prediction)} with {count} classes along axis {axis}, "
            f"target {true.shape}; make the target {scores.shape[:-1]}"
        )
    scores, true = scores.reshape(-1, count), labels(metric, "target", true, count, ignore_index)
    if ignore_index is not None:
        scores, true = scores[true != ignore_index], true[true != ignore_index]
    return scores, true


def classes_of(
    metric: str,
    prediction: Any,
    target: Any,
    threshold: float = 0.5,
    axis: int = 1,
    ignore_index: int | None = None,
    classes: int | None = None,
) -> tuple[Array, Array, int]:
    """The classes that are predicted and the true ones, both of shape (N,), and how many there are at least."""
    made, true = array(metric, "prediction", prediction), array(metric, "target", target)
    if made.ndim == true.ndim + 1 and axis < made.ndim > 1 and made.shape[axis] == 1:
        made = made.squeeze(axis)
    if made.ndim == true.ndim + 1 or (made.ndim == true.ndim == 2 and made.shape[1] > 1 and _is_float(made)):
        scores, true = scores_of(metric, made, true, axis, ignore_index)
        return scores.argmax(1), true, scores.shape[1]
    if made.shape != true.shape:
        raise ShapeError(
            f"{metric}: prediction has shape {made.shape}, target {true.shape}; "
            "give classes or scores of class 1 of the same shape, or scores of shape (N, classes)"
        )
    if _is_float(made):
        found, classes = (made > threshold).astype(np.int64).reshape(-1), 2
    else:
        found = labels(metric, "prediction", made, classes)
    wanted = labels(metric, "target", true, classes, ignore_index)
    if ignore_index is not None:
        found, wanted = found[wanted != ignore_index], wanted[wanted != ignore_index]
    top = max(int(found.max(initial=-1)), int(wanted.max(initial=-1))) + 1
    return found, wanted, max(top, classes or 0)


def labels(
    metric: str, name: str, values: Array, classes: int | None = None, ignore_index: int | None = None
) -> Array:
    """Classes as a flat array of int64.

    Raises:
        DtypeError: they are no whole numbers.
        IndexingError: one is negative, or not less than `classes`.
    """
    flat = values.reshape(-1)
    if _is_float(flat) and not (np.isfinite(flat).all() and (flat == np.rint(flat)).all()):
        raise DtypeError(f"{metric}: {name} has fractions; give whole numbers, the classes from 0 on")
    whole = flat.astype(np.int64)
    wrong = whole < 0
    if classes is not None:
        wrong |= whole >= classes
    if ignore_index is not None:
        wrong &= whole != ignore_index
    if wrong.any():
        where = int(wrong.argmax())
        limit = "negative" if classes is None else f"not one of the {classes} classes, 0 to {classes - 1}"
        raise IndexingError(f"{metric}: {name} {whole[where]} at position {where} is {limit}")
    return whole


def _is_float(values: Array) -> bool:
    return values.dtype.kind == "f"


def _hot(metric: str, rows: Array) -> Array:
    """The classes of rows with a single 1."""
    if not (((rows == 0) | (rows == 1)).all() and (rows.sum(1) == 1).all()):
        raise ValueError(
            f"{metric}: target has shape {rows.shape}, so each row must have a single 1; where rows may have "
            "several labels, flatten prediction and target"
        )
    found: Array = rows.argmax(1)
    return found
