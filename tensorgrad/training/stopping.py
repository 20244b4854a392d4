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
        restore_best: whether the model gets the weights of its best epoch at the end.

    Example:
        >>> from tensorgrad.training import EarlyStopping
        >>> stop = EarlyStopping("val_accuracy", mode="max", patience=3)
    """

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

    def on_epoch_end(self, trainer: Trainer) -> None:
        """Compare, and stop the run where patience is at its end."""
        value = trainer.history.last(self.monitor)
        sign = 1 if self.mode == "min" else -1
        better = self.best is None or sign * (self.best - value) > self.min_delta
        if better and not math.isnan(value):
            self.best, self.waited = value, 0
            if self.restore_best:
                self.weights = trainer.model.state_dict()
            return
        self.waited += 1
        trainer.stop |= self.waited > self.patience

    def on_train_end(self, trainer: Trainer) -> None:
        """Give the model the weights of its best epoch, if the run came to its end."""
        if self.weights is not None and (trainer.stop or trainer.epoch == trainer.epochs):
            trainer.model.load_state_dict(self.weights)

    def state_dict(self) -> dict[str, Any]:
        """The best value, its weights, and how long it has been waiting."""
        return {"best": self.best, "waited": self.waited, "weights": self.weights}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on waiting."""
        self.best, self.waited, self.weights = state["best"], state["waited"], state["weights"]
