"""Schedules made of others: at once, one after another, and after a warm-up."""

from __future__ import annotations

import copy
from bisect import bisect_right
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from ..._errors import StateDictError
from .base import LRScheduler, Optimizer, at_least
from .decay import LinearLR


class _Composed(LRScheduler):
    """Others of the same optimizer, and their states."""

    def __init__(self, optimizer: Optimizer | None, schedulers: Sequence[LRScheduler]) -> None:
        name = type(self).__name__
        if not schedulers or optimizer is None:
            raise ValueError(f"{name}: there are no schedulers; give at least one")
        self._attach(optimizer)
        for index, scheduler in enumerate(schedulers):
            if scheduler.optimizer is not optimizer:
                kind = type(scheduler).__name__
                raise ValueError(
                    f"{name}: scheduler {index}, a {kind}, is of another optimizer; give one for all"
                )
        self._schedulers = list(schedulers)
        self.base_lrs = [group.get("initial_lr", group["lr"]) for group in optimizer.param_groups]
        self._step_count = self.last_epoch = 0

    @property
    def needs_metrics(self) -> bool:
        """Whether one of them does."""
        return any(one.needs_metrics for one in self._schedulers)

    def state_dict(self) -> dict[str, Any]:
        return {**super().state_dict(), "_schedulers": [one.state_dict() for one in self._schedulers]}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self._check_state(state_dict)
        vars(self).update({n: copy.deepcopy(v) for n, v in state_dict.items() if n != "_schedulers"})
        for one, state in zip(self._schedulers, state_dict["_schedulers"], strict=True):
            one.load_state_dict(state)

    def _check_state(self, state: dict[str, Any]) -> None:
        parts = state.get("_schedulers", [])
        super()._check_state({name: value for name, value in state.items() if name != "_schedulers"})
        if len(parts) != len(self._schedulers):
            count = f"{len(parts)} schedules, and here are {len(self._schedulers)}"
            raise StateDictError(f"{type(self).__name__}: this state is of {count}")
        for one, part in zip(self._schedulers, parts, strict=True):
            one._check_state(part)

    def _saved(self, name: str) -> bool:
        return name != "_schedulers" and super()._saved(name)

    def _undo(self) -> None:
        super()._undo()
        for one in self._schedulers:
            one._undo()

    def _restart(self) -> None:
        self._set(self.base_lrs)
        self._undo()
        self._initial_step()

    def _advance(self, metrics: Any) -> None:
        self.step(metrics)


class ChainedScheduler(_Composed):
    """Several schedules at once, each working on what the one before it has set.

    It is meant for those that multiply the rate by something; one that sets it anew, such as `LambdaLR`,
    undoes those before it.

    Args:
        schedulers: of the same optimizer, in the order in which they are stepped.
        optimizer: theirs.

    Raises:
        ValueError: there are none, or one is of another optimizer.

    Example:
        >>> from types import SimpleNamespace
        >>> optimizer = SimpleNamespace(param_groups=[{"lr": 1.0}], step=lambda: None)
        >>> from tensorgrad.optim.lr_scheduler import ConstantLR, ExponentialLR
        >>> half, falling = ConstantLR(optimizer, 0.5, total_iters=2), ExponentialLR(optimizer, 0.5)
        >>> schedule = ChainedScheduler([half, falling])
        >>> schedule.step(); schedule.get_last_lr()
        [0.25]
    """

    def __init__(self, schedulers: Sequence[LRScheduler], optimizer: Optimizer | None = None) -> None:
        super().__init__(optimizer or schedulers[0].optimizer if schedulers else None, schedulers)
        self._last_lr = self._rates()

    def step(self, metrics: Any = None) -> None:
        """Step all of them.

        Args:
            metrics: for `ReduceLROnPlateau`, where it is among them.
        """
        self.last_epoch += 1
        for one in self._schedulers:
            one._advance(metrics)
        self._last_lr = self._rates()

    def _initial_step(self) -> None:
        self.last_epoch = 0
        for one in self._schedulers:
            one._initial_step()
        self._last_lr = self._rates()


class SequentialLR(_Composed):
    """One schedule after another; at each milestone the next one begins, at its epoch 0.

    Args:
        optimizer: whose rates are set.
        schedulers: of this optimizer; making this one sets the rates back, so that only the first counts.
        milestones: the epochs at which the second and later ones begin, rising.
        last_epoch: -1. To resume, load the state dict.

    Raises:
        ValueError: there are no schedulers, one is of another optimizer, the milestones are not one fewer
            or do not rise, or `last_epoch` is not -1.

    Example:
        >>> from types import SimpleNamespace
        >>> optimizer = SimpleNamespace(param_groups=[{"lr": 1.0}], step=lambda: None)
        >>> from tensorgrad.optim.lr_scheduler import ConstantLR, ExponentialLR
        >>> tenth, falling = ConstantLR(optimizer, 0.1, total_iters=9), ExponentialLR(optimizer, 0.5)
        >>> schedule = SequentialLR(optimizer, [tenth, falling], milestones=[2])
        >>> rates = []
        >>> for _ in range(5):
        ...     rates += schedule.get_last_lr()
        ...     schedule.step()
        >>> rates
        [0.1, 0.1, 1.0, 0.5, 0.25]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        schedulers: Sequence[LRScheduler],
        milestones: Sequence[int],
        last_epoch: int = -1,
    ) -> None:
        super().__init__(optimizer, schedulers)
        if len(milestones) != len(schedulers) - 1:
            count = f"{len(schedulers)} schedulers and {len(milestones)} milestones"
            raise ValueError(f"SequentialLR: there are {count}; give one milestone fewer")
        if any(later <= first for first, later in pairwise([0, *milestones])):
            raise ValueError(f"SequentialLR: milestones are {list(milestones)}; make them rise from 1 on")
        if last_epoch != -1:
            raise ValueError(f"SequentialLR: last_epoch is {last_epoch}; resume by load_state_dict instead")
        self._milestones = list(milestones)
        self._restart()

    def step(self, metrics: Any = None) -> None:
        """Step the one whose time it is.

        Args:
            metrics: for `ReduceLROnPlateau`, where it is among them.
        """
        self.last_epoch += 1
        index = bisect_right(self._milestones, self.last_epoch)
        if index and self._milestones[index - 1] == self.last_epoch:
            self._schedulers[index]._restart()
        else:
            self._schedulers[index]._advance(metrics)
        self._last_lr = self._rates()

    def _initial_step(self) -> None:
        self.last_epoch = 0
        self._schedulers[0]._initial_step()
        self._last_lr = self._rates()


class WarmupLR(SequentialLR):
    """A gentle start: the rate climbs in a straight line to the whole one, then any schedule takes over.

    Args:
        optimizer: whose rates are set.
        warmup_steps: how many steps have less than the whole rate, at least 1.
        after: the schedule that begins when the rate is whole, at its epoch 0; None keeps the rate.
        start_factor: the share of the rate at the first step, more than 0 and at most 1; by default
            ``1 / (warmup_steps + 1)``, which makes every step of the climb the same.

    Example:
        >>> from types import SimpleNamespace
        >>> optimizer = SimpleNamespace(param_groups=[{"lr": 1.0}], step=lambda: None)
        >>> from tensorgrad.optim.lr_scheduler import ExponentialLR
        >>> schedule = WarmupLR(optimizer, 3, ExponentialLR(optimizer, 0.5))
        >>> rates = []
        >>> for _ in range(5):
        ...     rates += schedule.get_last_lr()
        ...     schedule.step()
        >>> rates
        [0.25, 0.5, 0.75, 1.0, 0.5]

    Source:
        P. Goyal and others, Accurate, Large Minibatch SGD: Training ImageNet in 1 Hour, 2017, section 2.2.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        warmup_steps: int,
        after: LRScheduler | None = None,
        start_factor: float | None = None,
    ) -> None:
        at_least(1, warmup_steps=warmup_steps)
        start = 1 / (warmup_steps + 1) if start_factor is None else start_factor
        climb = LinearLR(optimizer, start, total_iters=warmup_steps)
        if after is None:
            super().__init__(optimizer, [climb], [])
        else:
            super().__init__(optimizer, [climb, after], [warmup_steps])
