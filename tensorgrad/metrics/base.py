"""What every metric is, the mean of numbers, and any function of all data at once."""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar, Generic, Self, TypeVar

import numpy as np

from .._errors import DtypeError, ShapeError, StateDictError
from .._tensor import Tensor

Array = np.ndarray[Any, np.dtype[Any]]
R = TypeVar("R")


class Metric(ABC, Generic[R]):
    """A measure that takes in batches: what it says at the end is what it says of all data at once.

    A batch that is refused changes nothing. ``a + b`` is the metric of the data of both, and ``merge``
    takes in another's in place.

    Example:
        >>> from tensorgrad.metrics import Accuracy
        >>> accuracy = Accuracy()
        >>> accuracy.update([[0.1, 0.9], [0.8, 0.2]], [1, 1])
        >>> accuracy.update([[0.3, 0.7], [0.4, 0.6]], [1, 1])
        >>> accuracy.compute()
        0.75
    """

    _start: ClassVar[dict[str, Any]] = {}  # what is gathered, empty

    def __init__(self) -> None:
        self.reset()

    @abstractmethod
    def update(self, prediction: Any, target: Any, /) -> None:
        """Take in a batch: arrays, tensors or lists."""

    @abstractmethod
    def compute(self) -> R:
        """The measure of what came in since the last `reset`.

        Raises:
            ValueError: nothing came in yet.
        """

    def reset(self) -> None:
        """Forget what came in."""
        vars(self).update(copy.deepcopy(self._start))

    def merge(self, other: Self) -> None:
        """Take in what another metric of the same kind and settings took in."""
        if type(other) is not type(self) or other._settings() != self._settings():
            raise TypeError(
                f"{self!r} cannot take in {other!r}; give metrics of one kind with the same settings"
            )
        self._take(other)

    def state_dict(self) -> dict[str, Any]:
        """What came in since the last `reset`, as numbers and arrays."""
        return {name: copy.deepcopy(getattr(self, name)) for name in self._start}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from a state of a metric of the same kind and settings.

        Raises:
            StateDictError: it is of another kind; nothing is changed then.
        """
        if state_dict.keys() != self._start.keys():
            found = f"{sorted(state_dict)}, and {sorted(self._start)} are needed"
            raise StateDictError(f"{type(self).__name__}: this state is of another metric, with {found}")
        vars(self).update(copy.deepcopy(state_dict))

    def __add__(self, other: Self) -> Self:
        if not isinstance(other, Metric):
            return NotImplemented
        both = copy.deepcopy(self)
        both.merge(other)
        return both

    def __repr__(self) -> str:
        settings = ", ".join(f"{name}={value!r}" for name, value in self._settings().items())
        return f"{type(self).__name__}({settings})"

    def _take(self, other: Self) -> None:
        for name in self._start:
            setattr(self, name, getattr(self, name) + getattr(other, name))

    def _settings(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name not in self._start}

    def _seen(self, count: Any) -> None:
        if not count:
            raise ValueError(f"{type(self).__name__}: there is no data; call update with some first")


def once(metric: Metric[R], prediction: Any, target: Any) -> R:
    """The measure of all data at once."""
    metric.update(prediction, target)
    return metric.compute()


class Mean(Metric[float]):
    """The mean of numbers, each with a weight, such as the losses of batches with their sizes.

    Example:
        >>> loss = Mean()
        >>> loss.update(0.5, 128)
        >>> loss.update(0.2, 64)
        >>> round(loss.compute(), 6)
        0.4
    """

    _start: ClassVar[dict[str, Any]] = {"_total": 0.0, "_weight": 0}
    _total: float
    _weight: float

    def update(self, value: Any, weight: float = 1) -> None:
        """Take in a number, or a tensor of one.

        Args:
            value: the number; a NaN makes the mean NaN.
            weight: how much it counts, at least 0.
        """
        number = float(value)
        if not 0 <= weight < float("inf"):
            raise ValueError(f"Mean: weight is {weight}; give at least 0")
        if weight:
            self._total += number * weight
            self._weight += weight

    def compute(self) -> float:
        """The weighted mean."""
        self._seen(self._weight)
        return self._total / self._weight


class Collected(Metric[R]):
    """Any function of predictions and targets, over batches: they are kept, and joined at the end.

    Args:
        function: takes both, joined along the first axis.
        settings: further arguments of it, by name.

    Example:
        >>> from tensorgrad.metrics import roc_curve
        >>> curve = Collected(roc_curve)
        >>> curve.update([0.1, 0.8], [0, 1])
        >>> curve.update([0.4, 0.3], [0, 1])
        >>> curve.compute()[1].tolist()
        [0.0, 0.5, 0.5, 1.0, 1.0]
    """

    _start: ClassVar[dict[str, Any]] = {"_predictions": [], "_targets": []}
    _predictions: list[Array]
    _targets: list[Array]

    def __init__(self, function: Callable[..., R], **settings: Any) -> None:
        self._function, self._more = function, settings
        super().__init__()

    def update(self, prediction: Any, target: Any, /) -> None:  # noqa: D102
        name = type(self).__name__
        made = array(name, "prediction", prediction).copy()
        true = array(name, "target", target).copy()
        if made.shape[:1] != true.shape[:1] or not made.ndim:
            raise ShapeError(
                f"{name}: prediction has shape {made.shape}, target {true.shape}; give as many of both"
            )
        if len(self._predictions) and made.shape[1:] != self._predictions[0].shape[1:]:
            raise ShapeError(
                f"{name}: prediction has shape {made.shape} after batches of {self._predictions[0].shape}; "
                "only the first axis may change"
            )
        self._predictions.append(made)
        self._targets.append(true)

    def compute(self) -> R:  # noqa: D102
        self._seen(sum(map(len, self._targets)))
        joined = np.concatenate(self._predictions), np.concatenate(self._targets)
        return self._function(*joined, **self._more)


def array(metric: str, name: str, value: Any) -> Array:
    """A tensor's numbers, or a list's.

    Raises:
        DtypeError: they are no real numbers.
        ValueError: there is a NaN among them.
    """
    made: Array = value.numpy() if isinstance(value, Tensor) else np.asarray(value)
    if made.dtype.kind not in "biuf":
        raise DtypeError(f"{metric}: {name} has dtype {made.dtype}; give real numbers")
    if made.dtype.kind == "f" and np.isnan(made).any():
        raise ValueError(f"{metric}: {name} has {int(np.isnan(made).sum())} NaN among {made.size} values")
    return made


def same_shape(metric: str, prediction: Any, target: Any) -> tuple[Array, Array]:
    """Both as arrays in float64, one row for each sample.

    Raises:
        ShapeError: their shapes differ.
    """
    made, true = array(metric, "prediction", prediction), array(metric, "target", target)
    if made.shape != true.shape:
        raise ShapeError(
            f"{metric}: prediction has shape {made.shape}, target {true.shape}; give both the same shape"
        )
    rows = (made.shape[0] if made.ndim else 1, -1 if made.size else 1)
    return made.reshape(rows).astype(np.float64), true.reshape(rows).astype(np.float64)
