"""Ending a run when it no longer gets better."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal

from .._errors import ShapeError
from .callback import Callback

if TYPE_CHECKING:
    from .trainer import Trainer


class EarlyStopping(Callback):
    """End the run when a measure has not become better for some epochs.

    Args:
        monitor: a column of the history.
        patience: how many epochs in a row may be no better, at least 0.
        min_delta: by how much the best value must be beaten to count as better.
        mode: whether less ("min") or more ("max") is better.
        restore_best: whether the model gets the weights of its best epoch at the end: those that were measured, which
            with `WeightAverage` are the mean.

    Raises:
        ShapeError: a number or mode that cannot be; after an epoch, there is no such column or no number in it.

    Example:
        >>> from tensorgrad.training import EarlyStopping
        >>> stop = EarlyStopping("val_accuracy", mode="max", patience=3)
    """

    rank = 1  # the weights that are measured are those that others put there

    def __init__(
        self,
        monitor: str = "val_loss",
        *,
        patience: int = 5,
        min_delta: float = 0.0,
        mode: Literal["min", "max"] = "min",
        restore_best: bool = True,
    ) -> None:
        if patience < 0 or min_delta < 0 or mode not in ("min", "max"):
            raise ShapeError(
                f"EarlyStopping: patience={patience}, min_delta={min_delta}, mode={mode!r}; numbers of 0 or more and "
                "'min' or 'max' are needed"
            )
        self.monitor, self.patience, self.min_delta = monitor, patience, min_delta
        self.mode, self.restore_best = mode, restore_best
        self.best: float | None = None
        self.waited = 0
        self.weights: dict[str, Any] | None = None
        self._measured: dict[str, Any] | None = None

    def on_validation_begin(self, trainer: Trainer) -> None:
        """Set the weights aside that are about to be measured."""
        if self.restore_best:
            self._measured = trainer.model.state_dict()

    def on_epoch_end(self, trainer: Trainer) -> None:
        """Compare, and stop the run where patience is at its end."""
        measured, self._measured = self._measured, None
        if self._is_better(self._value(trainer)):
            self.best, self.waited = self._value(trainer), 0
            if self.restore_best:
                self.weights = measured or trainer.model.state_dict()
            return
        self.waited += 1
        trainer.stop |= self.waited > self.patience

    def on_train_end(self, trainer: Trainer) -> None:
        """Give the model the weights of its best epoch, if the run came to its end."""
        if self.weights is not None and trainer.ended:
            trainer.model.load_state_dict(self.weights)

    def _value(self, trainer: Trainer) -> float:
        row = trainer.history.rows[-1]
        value = row.get(self.monitor)
        if not isinstance(value, int | float):
            raise ShapeError(
                f"EarlyStopping: there is no number {self.monitor!r} in the history, which has {', '.join(row)}; monitor "
                "one of these, or give validation data to fit"
            )
        return value

    def _is_better(self, value: float) -> bool:
        if math.isnan(value):
            return False
        sign = 1 if self.mode == "min" else -1
        return self.best is None or sign * (self.best - value) > self.min_delta

    def state_dict(self) -> dict[str, Any]:
        """The best value, its weights, and how long it has been waiting."""
        return {"best": self.best, "waited": self.waited, "weights": self.weights}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on waiting."""
        self.best, self.waited, self.weights = state["best"], state["waited"], state["weights"]
