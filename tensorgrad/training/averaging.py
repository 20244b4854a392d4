"""Averaged weights: a running mean of the parameters, which is often better than the last ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .._errors import ShapeError
from .._tensor import Tensor, overwrite
from .callback import Callback

if TYPE_CHECKING:
    from .trainer import Trainer


class WeightAverage(Callback):
    """Keep an exponential mean of parameters and floating buffers, and use it to validate and at the end.

    After each step the mean becomes ``d * mean + (1 - d) * weights``, where ``d`` is the lesser of ``decay`` and
    ``(1 + steps) / (10 + steps)``, so that the first steps do not weigh on it for long. When the run has
    come to its end, by the last epoch or early, the model has the mean.

    Args:
        decay: between 0 and 1; 0.999 averages over about the last 1,000 steps.

    Raises:
        ShapeError: ``decay`` is not between 0 and 1.

    Source:
        B. Polyak and A. Juditsky, "Acceleration of stochastic approximation by averaging", SIAM Journal on
        Control and Optimization 30 (1992).
    """

    def __init__(self, decay: float = 0.999) -> None:
        if not 0 <= decay < 1:
            raise ShapeError(f"WeightAverage: decay={decay}; a number from 0 to less than 1 is needed")
        self.decay = decay
        self.steps = 0
        self.means: list[np.ndarray[Any, Any]] | None = None
        self._aside: list[np.ndarray[Any, Any]] | None = None

    def on_batch_end(self, trainer: Trainer) -> None:
        """Take in the weights, if a step was made."""
        self._take(trainer)

    def on_validation_begin(self, trainer: Trainer) -> None:
        """Put the mean into the model."""
        self._take(trainer)  # what was left of an accumulation led to a step after the last batch
        if self.means is not None:
            self._aside = [np.array(tensor.numpy()) for tensor in _averaged(trainer)]
            _put(trainer, self.means)

    def on_validation_end(self, trainer: Trainer) -> None:
        """Put the weights back."""
        if self._aside is not None:
            _put(trainer, self._aside)
            self._aside = None

    def on_epoch_end(self, trainer: Trainer) -> None:
        """Likewise where there was no validation."""
        self._take(trainer)

    def on_train_end(self, trainer: Trainer) -> None:
        """Leave the mean in the model, if the run came to its end."""
        self.on_validation_end(trainer)  # an error may have come between
        if self.means is not None and trainer.ended:
            _put(trainer, self.means)

    def state_dict(self) -> dict[str, Any]:
        """The means and the step."""
        return {"steps": self.steps, "means": self.means}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on averaging."""
        means = state["means"]
        self.steps, self.means = state["steps"], None if means is None else [np.array(mean) for mean in means]

    def _take(self, trainer: Trainer) -> None:
        if trainer.step == self.steps:
            return
        self.steps = trainer.step
        values = [tensor.numpy() for tensor in _averaged(trainer)]
        if self.means is None:
            self.means = [np.array(value) for value in values]
            return
        decay = min(self.decay, (1 + self.steps) / (10 + self.steps))
        for mean, value in zip(self.means, values, strict=True):
            mean *= decay
            mean += (1 - decay) * value


def _averaged(trainer: Trainer) -> list[Tensor]:
    floating = [buffer for buffer in trainer.model.buffers() if buffer.dtype.kind in "fc"]
    return [*trainer.model.parameters(), *floating]


def _put(trainer: Trainer, values: list[np.ndarray[Any, Any]]) -> None:
    for tensor, value in zip(_averaged(trainer), values, strict=True):
        overwrite(tensor, value, "WeightAverage")
