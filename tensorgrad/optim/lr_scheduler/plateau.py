"""The schedule that waits until nothing improves."""

from __future__ import annotations

import math
from typing import Any, Literal

from .base import LRScheduler, Optimizer, at_least, one_of, per_group


class ReduceLROnPlateau(LRScheduler):
    """Times `factor` when a measure has not improved for more than `patience` epochs.

    Args:
        optimizer: whose rates are set.
        mode: ``"min"`` where less is better, ``"max"`` where more is.
        factor: what the rate is multiplied by, less than 1.
        patience: how many epochs without improvement are borne.
        threshold: how much better the measure must be to count as improved.
        threshold_mode: ``"rel"`` for a share of the best value, ``"abs"`` for a difference.
        cooldown: how many epochs after a reduction nothing is counted.
        min_lr: the least rate, for all parameter groups or a list of one for each.
        eps: a smaller change of the rate is not made.

    Example:
        >>> from types import SimpleNamespace
        >>> optimizer = SimpleNamespace(param_groups=[{"lr": 1.0}], step=lambda: None)
        >>> schedule = ReduceLROnPlateau(optimizer, factor=0.5, patience=1)
        >>> for loss in (3.0, 2.0, 2.0, 2.0):
        ...     schedule.step(loss)
        >>> schedule.get_last_lr()
        [0.5]
    """

    cooldown_counter: int
    num_bad_epochs: int

    def __init__(
        self,
        optimizer: Optimizer,
        mode: Literal["min", "max"] = "min",
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        threshold_mode: Literal["rel", "abs"] = "rel",
        cooldown: int = 0,
        min_lr: float | list[float] = 0,
        eps: float = 1e-8,
    ) -> None:
        self._attach(optimizer)
        if not factor < 1:
            raise ValueError(f"ReduceLROnPlateau: factor is {factor}; give less than 1")
        one_of("ReduceLROnPlateau", "mode", mode, ("min", "max"))
        one_of("ReduceLROnPlateau", "threshold_mode", threshold_mode, ("rel", "abs"))
        at_least(0, patience=patience, cooldown=cooldown)
        self.mode, self.factor, self.patience, self.cooldown, self.eps = mode, factor, patience, cooldown, eps
        self.threshold, self.threshold_mode = threshold, threshold_mode
        self.min_lrs = per_group("min_lr", optimizer, min_lr)
        self._initial_step()

    @property
    def needs_metrics(self) -> bool:
        """True."""
        return True

    @property
    def in_cooldown(self) -> bool:
        """Whether nothing is counted now."""
        return self.cooldown_counter > 0

    def step(self, metrics: Any, epoch: int | None = None) -> None:  # type: ignore[override]
        """Take in the measure of an epoch, and reduce the rates where it is time.

        Args:
            metrics: the measure, a number or a tensor of one; a NaN is no improvement.
            epoch: what to call this epoch; by default the next one.
        """
        current = float(metrics)
        self.last_epoch = self.last_epoch + 1 if epoch is None else epoch
        if self._is_better(current):
            self.best, self.num_bad_epochs = current, 0
        else:
            self.num_bad_epochs += 1
        if self.in_cooldown:
            self.cooldown_counter -= 1
            self.num_bad_epochs = 0
        if self.num_bad_epochs > self.patience:
            self.cooldown_counter, self.num_bad_epochs = self.cooldown, 0
            self._reduce()
        self._last_lr = self._rates()

    def _reduce(self) -> None:
        rates = self._rates()
        lower = [max(rate * self.factor, least) for rate, least in zip(rates, self.min_lrs, strict=True)]
        self._set([new if old - new > self.eps else old for old, new in zip(rates, lower, strict=True)])

    def _is_better(self, value: float) -> bool:
        sign = -1 if self.mode == "min" else 1
        if self.threshold_mode == "abs":
            return sign * value > sign * self.best + self.threshold
        return sign * value > sign * self.best * (1 + sign * self.threshold)

    def _initial_step(self) -> None:
        self.last_epoch = 0
        self.best = math.inf if self.mode == "min" else -math.inf
        self.cooldown_counter = self.num_bad_epochs = 0
        self._last_lr = self._rates()

    def _restart(self) -> None:
        self._set([group.get("initial_lr", group["lr"]) for group in self.optimizer.param_groups])
        self._initial_step()

    def _advance(self, metrics: Any) -> None:
        if metrics is None:
            raise TypeError(
                "ReduceLROnPlateau: step needs the measure; call step(metrics) of the whole schedule"
            )
        self.step(metrics)
