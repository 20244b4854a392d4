"""The schedule of stochastic weight averaging."""

from __future__ import annotations

import math
from typing import Literal

from .base import LRScheduler, Optimizer, at_least, one_of, per_group


class SWALR(LRScheduler):
    """From the rate that is set to `swa_lr` in `anneal_epochs` steps, and that rate from then on.

    Step it instead of the other schedule from the epoch on at which averaging begins.

    Args:
        optimizer: whose rates are set.
        swa_lr: the last rate, for all parameter groups or a list of one for each.
        anneal_epochs: how many steps it takes, at least 0.
        anneal_strategy: ``"cos"`` or ``"linear"``.
        last_epoch: the last epoch that is done.

    Source:
        P. Izmailov and others, Averaging Weights Leads to Wider Optima and Better Generalization, 2018.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        swa_lr: float | list[float],
        anneal_epochs: int = 10,
        anneal_strategy: Literal["cos", "linear"] = "cos",
        last_epoch: int = -1,
    ) -> None:
        self._attach(optimizer)
        self._swa_lrs = per_group("swa_lr", optimizer, swa_lr)
        one_of("SWALR", "anneal_strategy", anneal_strategy, ("cos", "linear"))
        at_least(0, anneal_epochs=anneal_epochs)
        self.anneal_epochs, self._anneal_strategy = anneal_epochs, anneal_strategy
        for group, rate in zip(optimizer.param_groups, self._swa_lrs, strict=True):
            group["swa_lr"] = rate
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:  # noqa: D102
        step = self._step_count - 1
        if self.anneal_epochs == 0:
            step = max(1, step)
        before, now = self._done(step - 1), self._done(step)
        if before == 1:
            return list(self._swa_lrs)
        # The rate where the way began is told from the one that is set, which others may have changed.
        starts = [
            (rate - before * last) / (1 - before)
            for rate, last in zip(self._rates(), self._swa_lrs, strict=True)
        ]
        return [last * now + start * (1 - now) for start, last in zip(starts, self._swa_lrs, strict=True)]

    def _done(self, step: int) -> float:
        """The share of the way that is done."""
        share = max(0.0, min(1.0, step / max(1, self.anneal_epochs)))
        return share if self._anneal_strategy == "linear" else (1 - math.cos(math.pi * share)) / 2
