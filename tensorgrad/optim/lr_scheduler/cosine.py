"""Schedules along half a cosine, once or with restarts."""

from __future__ import annotations

import math

from .base import LRScheduler, Optimizer, at_least


class CosineAnnealingLR(LRScheduler):
    """Down to `eta_min` along half a cosine of `T_max` epochs, then up again the same way, and so on.

    Args:
        optimizer: whose rates are set.
        T_max: the epochs of half a period, at least 1.
        eta_min: the least rate.
        last_epoch: the last epoch that is done.

    Example:
        >>> from types import SimpleNamespace
        >>> optimizer = SimpleNamespace(param_groups=[{"lr": 1.0}], step=lambda: None)
        >>> schedule = CosineAnnealingLR(optimizer, T_max=2)
        >>> schedule.step(); round(schedule.get_last_lr()[0], 6)
        0.5

    Source:
        I. Loshchilov and F. Hutter, SGDR: Stochastic Gradient Descent with Warm Restarts, 2017.
    """

    def __init__(self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0, last_epoch: int = -1) -> None:
        at_least(1, T_max=T_max)
        self.T_max, self.eta_min = T_max, eta_min
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:  # noqa: D102
        if self._is_initial:
            return self._rates()
        if self.last_epoch % (2 * self.T_max) == (self.T_max + 1) % (2 * self.T_max):
            # One epoch after the bottom, where the ratio below would divide by zero.
            rise = (1 - math.cos(math.pi / self.T_max)) / 2
            pairs = zip(self._rates(), self.base_lrs, strict=True)
            return [rate + (base - self.eta_min) * rise for rate, base in pairs]
        ratio = self._height(self.last_epoch) / self._height(self.last_epoch - 1)
        return [ratio * (rate - self.eta_min) + self.eta_min for rate in self._rates()]

    def _get_closed_form_lr(self) -> list[float]:
        share = self._height(self.last_epoch) / 2
        return [self.eta_min + (base - self.eta_min) * share for base in self.base_lrs]

    def _height(self, epoch: int) -> float:
        return 1 + math.cos(math.pi * epoch / self.T_max)


class CosineAnnealingWarmRestarts(LRScheduler):
    """Down along half a cosine, then back at the top at once; each cycle `T_mult` times as long as the last.

    ``step(epoch + batch / batches)`` follows the curve within an epoch.

    Args:
        optimizer: whose rates are set.
        T_0: the epochs of the first cycle, at least 1.
        T_mult: what each cycle's length is multiplied by, a whole number of at least 1.
        eta_min: the least rate.
        last_epoch: the last epoch that is done.

    Source:
        I. Loshchilov and F. Hutter, SGDR: Stochastic Gradient Descent with Warm Restarts, 2017.
    """

    def __init__(
        self, optimizer: Optimizer, T_0: int, T_mult: int = 1, eta_min: float = 0.0, last_epoch: int = -1
    ) -> None:
        at_least(1, T_0=T_0, T_mult=T_mult)
        if int(T_0) != T_0 or T_mult != int(T_mult):
            raise ValueError(
                f"CosineAnnealingWarmRestarts: T_0 is {T_0}, T_mult is {T_mult}; give whole numbers"
            )
        self.T_0, self.T_mult, self.eta_min = T_0, T_mult, eta_min
        self._fraction = 0.0
        super().__init__(optimizer, last_epoch)

    @property
    def T_cur(self) -> float:
        """How many epochs of this cycle are done."""
        return self._cycle()[0]

    @property
    def T_i(self) -> int:
        """How many epochs this cycle has."""
        return self._cycle()[1]

    def step(self, epoch: float | None = None) -> None:
        """Set the rates of the next epoch, or of any, whole or not.

        Args:
            epoch: jump to this one, at least 0.

        Raises:
            ValueError: `epoch` is less than 0.
        """
        if epoch is None:
            return super().step()
        at_least(0, epoch=epoch)
        whole = math.floor(epoch)
        self._fraction = epoch - whole
        super().step(whole)

    def get_lr(self) -> list[float]:  # noqa: D102
        return self._get_closed_form_lr()

    def _get_closed_form_lr(self) -> list[float]:
        done, length = self._cycle()
        share = (1 + math.cos(math.pi * done / length)) / 2
        return [self.eta_min + (base - self.eta_min) * share for base in self.base_lrs]

    def _cycle(self) -> tuple[float, int]:
        done, length = self.last_epoch + self._fraction, self.T_0
        if self.T_mult == 1:
            return done % length, length
        while done >= length:
            done, length = done - length, length * self.T_mult
        return done, length
