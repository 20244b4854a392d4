"""Schedules that multiply the rates: by a function of the epoch, in steps, or along a curve."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from itertools import starmap
from operator import mul

from .base import LRScheduler, Optimizer, at_least, per_group

Factor = Callable[[int], float]


class _Scaled(LRScheduler):
    """The initial rates times a factor."""

    def _factor(self, epoch: int) -> float:
        raise NotImplementedError

    def get_lr(self) -> list[float]:
        return self._get_closed_form_lr()

    def _get_closed_form_lr(self) -> list[float]:
        factor = self._factor(self.last_epoch)
        return [rate * factor for rate in self.base_lrs]


class _Chainable(_Scaled):
    """The same, taken from epoch to epoch by a ratio, so that several can work on one optimizer."""

    def _ratio(self, epoch: int) -> float:
        """The factor over that of the epoch before; at epoch 0 the factor."""
        raise NotImplementedError

    def get_lr(self) -> list[float]:
        # A resumed run has the rate of this epoch already.
        ratio = 1.0 if self._is_initial and self.last_epoch > 0 else self._ratio(self.last_epoch)
        return [rate * ratio for rate in self._rates()]


class _OfFunctions(LRScheduler):
    """Rates by a function for all parameter groups, or one for each; functions are not saved."""

    def __init__(
        self, optimizer: Optimizer, lr_lambda: Factor | Sequence[Factor], last_epoch: int = -1
    ) -> None:
        self._attach(optimizer)
        self.lr_lambdas = per_group("lr_lambda", optimizer, lr_lambda)
        for function in self.lr_lambdas:
            if not callable(function):
                raise TypeError(
                    f"{type(self).__name__}: lr_lambda is {function!r}; give a function of the epoch"
                )
        super().__init__(optimizer, last_epoch)

    def _times(self, rates: list[float]) -> list[float]:
        factors = [function(self.last_epoch) for function in self.lr_lambdas]
        return list(starmap(mul, zip(rates, factors, strict=True)))

    def _saved(self, name: str) -> bool:
        return name != "lr_lambdas" and super()._saved(name)


class LambdaLR(_OfFunctions):
    """The initial rate times a function of the epoch.

    Args:
        optimizer: whose rates are set.
        lr_lambda: a function of the epoch, or a list of one for each parameter group.
        last_epoch: the last epoch that is done.

    Example:
        >>> from types import SimpleNamespace
        >>> optimizer = SimpleNamespace(param_groups=[{"lr": 0.5}], step=lambda: None)
        >>> schedule = LambdaLR(optimizer, lambda epoch: 1 / (epoch + 1))
        >>> schedule.step(); schedule.get_last_lr()
        [0.25]
    """

    def get_lr(self) -> list[float]:  # noqa: D102
        return self._get_closed_form_lr()

    def _get_closed_form_lr(self) -> list[float]:
        return self._times(self.base_lrs)


class MultiplicativeLR(_OfFunctions):
    """The rate of the epoch before times a function of the epoch.

    Args:
        optimizer: whose rates are set.
        lr_lambda: a function of the epoch, or a list of one for each parameter group.
        last_epoch: the last epoch that is done.
    """

    def get_lr(self) -> list[float]:  # noqa: D102
        return self._rates() if self._is_initial else self._times(self._rates())


class StepLR(_Chainable):
    """Times `gamma` every `step_size` epochs.

    Args:
        optimizer: whose rates are set.
        step_size: how many epochs a rate lasts, at least 1.
        gamma: what the rate is multiplied by.
        last_epoch: the last epoch that is done.

    Example:
        >>> from types import SimpleNamespace
        >>> optimizer = SimpleNamespace(param_groups=[{"lr": 1.0}], step=lambda: None)
        >>> schedule = StepLR(optimizer, step_size=2, gamma=0.5)
        >>> rates = []
        >>> for _ in range(5):
        ...     rates += schedule.get_last_lr()
        ...     schedule.step()
        >>> rates
        [1.0, 1.0, 0.5, 0.5, 0.25]
    """

    def __init__(
        self, optimizer: Optimizer, step_size: int, gamma: float = 0.1, last_epoch: int = -1
    ) -> None:
        at_least(1, step_size=step_size)
        self.step_size, self.gamma = step_size, gamma
        super().__init__(optimizer, last_epoch)

    def _ratio(self, epoch: int) -> float:
        return self.gamma if epoch and epoch % self.step_size == 0 else 1.0

    def _factor(self, epoch: int) -> float:
        return self.gamma ** (epoch // self.step_size)


class MultiStepLR(_Chainable):
    """Times `gamma` at each milestone.

    Args:
        optimizer: whose rates are set.
        milestones: the epochs; one that is given twice counts twice.
        gamma: what the rate is multiplied by.
        last_epoch: the last epoch that is done.
    """

    def __init__(
        self, optimizer: Optimizer, milestones: Iterable[int], gamma: float = 0.1, last_epoch: int = -1
    ) -> None:
        self.milestones, self.gamma = sorted(milestones), gamma
        super().__init__(optimizer, last_epoch)

    def _ratio(self, epoch: int) -> float:
        return self.gamma ** self.milestones.count(epoch)

    def _factor(self, epoch: int) -> float:
        return self.gamma ** bisect_right(self.milestones, epoch)


class ConstantLR(_Chainable):
    """Times `factor` until epoch `total_iters`, then the whole rate.

    Args:
        optimizer: whose rates are set.
        factor: greater than 0 and at most 1.
        total_iters: the epoch at which the rate becomes whole, at least 1.
        last_epoch: the last epoch that is done.
    """

    def __init__(
        self, optimizer: Optimizer, factor: float = 1.0 / 3, total_iters: int = 5, last_epoch: int = -1
    ) -> None:
        _share("ConstantLR", factor=factor)
        at_least(1, total_iters=total_iters)
        self.factor, self.total_iters = factor, total_iters
        super().__init__(optimizer, last_epoch)

    def _ratio(self, epoch: int) -> float:
        return self.factor if epoch == 0 else 1.0 / self.factor if epoch == self.total_iters else 1.0

    def _factor(self, epoch: int) -> float:
        return self.factor if epoch < self.total_iters else 1.0


class LinearLR(_Chainable):
    """From `start_factor` to `end_factor` of the rate in a straight line of `total_iters` epochs.

    Args:
        optimizer: whose rates are set.
        start_factor: greater than 0 and at most 1.
        end_factor: from 0 to 1.
        total_iters: the epoch at which the line ends, at least 1.
        last_epoch: the last epoch that is done.

    Example:
        >>> from types import SimpleNamespace
        >>> optimizer = SimpleNamespace(param_groups=[{"lr": 1.0}], step=lambda: None)
        >>> schedule = LinearLR(optimizer, start_factor=0.5, total_iters=2)
        >>> schedule.step(); schedule.get_last_lr()
        [0.75]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        start_factor: float = 1.0 / 3,
        end_factor: float = 1.0,
        total_iters: int = 5,
        last_epoch: int = -1,
    ) -> None:
        _share("LinearLR", start_factor=start_factor)
        if end_factor != 0:
            _share("LinearLR", end_factor=end_factor)
        at_least(1, total_iters=total_iters)
        self.start_factor, self.end_factor, self.total_iters = start_factor, end_factor, total_iters
        super().__init__(optimizer, last_epoch)

    def _ratio(self, epoch: int) -> float:
        if epoch == 0:
            return self.start_factor
        if epoch > self.total_iters:
            return 1.0
        rise = self.end_factor - self.start_factor
        return 1.0 + rise / (self.total_iters * self.start_factor + (epoch - 1) * rise)

    def _factor(self, epoch: int) -> float:
        done = min(epoch, self.total_iters) / self.total_iters
        return self.start_factor + (self.end_factor - self.start_factor) * done


class ExponentialLR(_Chainable):
    """Times `gamma` every epoch.

    Args:
        optimizer: whose rates are set.
        gamma: what the rate is multiplied by.
        last_epoch: the last epoch that is done.
    """

    def __init__(self, optimizer: Optimizer, gamma: float, last_epoch: int = -1) -> None:
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def _ratio(self, epoch: int) -> float:
        return self.gamma if epoch else 1.0

    def _factor(self, epoch: int) -> float:
        return self.gamma**epoch


class PolynomialLR(_Chainable):
    """Down to 0 at epoch `total_iters` along a power of what is left of it.

    Args:
        optimizer: whose rates are set.
        total_iters: the epoch at which the rate becomes 0, at least 1.
        power: of the polynomial, at least 0.
        last_epoch: the last epoch that is done.
    """

    def __init__(
        self, optimizer: Optimizer, total_iters: int = 5, power: float = 1.0, last_epoch: int = -1
    ) -> None:
        at_least(1, total_iters=total_iters)
        at_least(0, power=power)
        self.total_iters, self.power = total_iters, power
        super().__init__(optimizer, last_epoch)

    def _ratio(self, epoch: int) -> float:
        if epoch == 0 or epoch > self.total_iters:
            return 1.0
        left, before = 1.0 - epoch / self.total_iters, 1.0 - (epoch - 1) / self.total_iters
        return math.pow(left / before, self.power)

    def _factor(self, epoch: int) -> float:
        return math.pow(1.0 - min(epoch, self.total_iters) / self.total_iters, self.power)


class InverseTimeDecay(_Scaled):
    """The initial rate over ``1 + decay * iterations``; step it after every batch.

    The first update has the whole rate, the second the rate over ``1 + decay``. It is the decay of the
    book's optimizers, to the last bit: the rate times the reciprocal.

    Args:
        optimizer: whose rates are set.
        decay: at least 0.
        last_epoch: the last iteration that is done.

    Example:
        >>> from types import SimpleNamespace
        >>> optimizer = SimpleNamespace(param_groups=[{"lr": 1.0}], step=lambda: None)
        >>> schedule = InverseTimeDecay(optimizer, decay=0.25)
        >>> schedule.step(); schedule.get_last_lr()
        [0.8]

    Source:
        H. Kinsley and D. Kukieła, Neural Networks from Scratch in Python, 2020, chapter 10.
    """

    def __init__(self, optimizer: Optimizer, decay: float, last_epoch: int = -1) -> None:
        at_least(0, decay=decay)
        self.decay = decay
        super().__init__(optimizer, last_epoch)

    def _factor(self, epoch: int) -> float:
        return 1.0 / (1.0 + self.decay * epoch)


class NoamLR(_Scaled):
    """The schedule of the Transformer: up in a line, then down with the root of the step; step it every batch.

    With ``s = last_epoch + 1`` the rate is the initial one times ``d_model**-0.5 * min(s**-0.5,
    s * warmup_steps**-1.5)``, so an initial rate of 1 gives the paper's.

    Args:
        optimizer: whose rates are set.
        d_model: the width of the model, at least 1.
        warmup_steps: how many steps the rate climbs, at least 1.
        last_epoch: the last step that is done.

    Source:
        A. Vaswani and others, Attention Is All You Need, 2017, section 5.3.
    """

    def __init__(
        self, optimizer: Optimizer, d_model: int, warmup_steps: int = 4000, last_epoch: int = -1
    ) -> None:
        at_least(1, d_model=d_model, warmup_steps=warmup_steps)
        self.d_model, self.warmup_steps = d_model, warmup_steps
        super().__init__(optimizer, last_epoch)

    def _factor(self, epoch: int) -> float:
        step = epoch + 1
        return min(1 / math.sqrt(step), step / math.pow(self.warmup_steps, 1.5)) / math.sqrt(self.d_model)


def _share(schedule: str, **factors: float) -> None:
    for name, factor in factors.items():
        if not 0 < factor <= 1:
            raise ValueError(f"{schedule}: {name} is {factor}; give more than 0 and at most 1")
