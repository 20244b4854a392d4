"""Schedules that go up and down, with the momentum against them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Literal

from .base import LRScheduler, Optimizer, at_least, one_of, per_group

MODES = ("triangular", "triangular2", "exp_range")


class _WithMomentum(LRScheduler):
    """Sets the momentum, or the first of Adam's betas, together with the rates."""

    cycle_momentum: bool
    base_momentums: list[float]
    max_momentums: list[float]

    def _momentums(self) -> list[float]:
        """The momentums at ``last_epoch``."""
        raise NotImplementedError

    def _take_momentum(
        self, cycle: bool, base: float | Sequence[float], most: float | Sequence[float], last_epoch: int
    ) -> None:
        groups = self.optimizer.param_groups
        self.cycle_momentum = cycle
        self.base_momentums = per_group("base_momentum", self.optimizer, base)
        self.max_momentums = per_group("max_momentum", self.optimizer, most)
        if cycle and not all("momentum" in group or "betas" in group for group in groups):
            raise ValueError(
                f"{type(self).__name__}: cycle_momentum needs an optimizer with momentum or betas; "
                "choose another one, or give cycle_momentum=False"
            )
        if cycle and last_epoch == -1:
            for group, low, high in zip(groups, self.base_momentums, self.max_momentums, strict=True):
                group["base_momentum"], group["max_momentum"] = low, high

    def _set(self, rates: Sequence[float]) -> None:
        momentums: Sequence[float] = self._momentums() if self.cycle_momentum else ()
        super()._set(rates)
        for group, momentum in zip(self.optimizer.param_groups, momentums, strict=False):
            if "betas" in group:
                group["betas"] = (momentum, *group["betas"][1:])
            else:
                group["momentum"] = momentum


class CyclicLR(_WithMomentum):
    """Up from `base_lr` to `max_lr` and down again, over and over; step it every batch.

    Args:
        optimizer: whose rates are set.
        base_lr: the least rate, for all parameter groups or a list of one for each.
        max_lr: the greatest rate, the same way.
        step_size_up: how many steps it goes up, at least 1.
        step_size_down: how many it goes down; by default as many as up.
        mode: ``"triangular"``: all cycles alike; ``"triangular2"``: each half as high as the last;
            ``"exp_range"``: as high as `gamma` to the power of the step.
        gamma: of ``"exp_range"``.
        scale_fn: the height by a function of one's own, instead of `mode`; it is not saved.
        scale_mode: what that is a function of, ``"cycle"`` (from 1) or ``"iterations"`` (from 0).
        cycle_momentum: whether the momentum, or the first of the betas, goes the other way.
        base_momentum: the least momentum.
        max_momentum: the greatest momentum.
        last_epoch: the last step that is done.

    Source:
        L. N. Smith, Cyclical Learning Rates for Training Neural Networks, 2017.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        base_lr: float | list[float],
        max_lr: float | list[float],
        step_size_up: int = 2000,
        step_size_down: int | None = None,
        mode: Literal["triangular", "triangular2", "exp_range"] = "triangular",
        gamma: float = 1.0,
        scale_fn: Callable[[float], float] | None = None,
        scale_mode: Literal["cycle", "iterations"] = "cycle",
        cycle_momentum: bool = True,
        base_momentum: float | list[float] = 0.8,
        max_momentum: float | list[float] = 0.9,
        last_epoch: int = -1,
    ) -> None:
        self._attach(optimizer)
        step_size_down = step_size_up if step_size_down is None else step_size_down
        at_least(1, step_size_up=step_size_up, step_size_down=step_size_down)
        if scale_fn is None:
            one_of("CyclicLR", "mode", mode, MODES)
            scale_mode = "iterations" if mode == "exp_range" else "cycle"
        one_of("CyclicLR", "scale_mode", scale_mode, ("cycle", "iterations"))
        self.total_size = float(step_size_up + step_size_down)
        self.step_ratio = step_size_up / self.total_size
        self.mode, self.gamma, self.scale_mode, self._scale_fn = mode, gamma, scale_mode, scale_fn
        lows, self.max_lrs = per_group("base_lr", optimizer, base_lr), per_group("max_lr", optimizer, max_lr)
        self._take_momentum(cycle_momentum, base_momentum, max_momentum, last_epoch)
        self._lows = lows
        if last_epoch == -1:
            for group, low in zip(optimizer.param_groups, lows, strict=True):
                group["lr"] = low
        super().__init__(optimizer, last_epoch)
        self.base_lrs = list(lows)

    def get_lr(self) -> list[float]:  # noqa: D102
        return self._get_closed_form_lr()

    def _get_closed_form_lr(self) -> list[float]:
        height, scale = self._height(), self._scale()
        pairs = zip(self._lows, self.max_lrs, strict=True)
        return [low + (high - low) * height * scale for low, high in pairs]

    def _momentums(self) -> list[float]:
        height, scale = self._height(), self._scale()
        pairs = zip(self.base_momentums, self.max_momentums, strict=True)
        return [high - (high - low) * height * scale for low, high in pairs]

    def _cycle(self) -> int:
        return math.floor(1 + self.last_epoch / self.total_size)

    def _height(self) -> float:
        """From 0 at the foot of the triangle to 1 at its top."""
        x = 1.0 + self.last_epoch / self.total_size - self._cycle()
        return x / self.step_ratio if x <= self.step_ratio else (x - 1) / (self.step_ratio - 1)

    def _scale(self) -> float:
        x = self._cycle() if self.scale_mode == "cycle" else self.last_epoch
        if self._scale_fn is not None:
            return self._scale_fn(x)
        return {"triangular": 1.0, "triangular2": 0.5 ** (x - 1), "exp_range": self.gamma**x}[self.mode]

    def _saved(self, name: str) -> bool:
        return name != "_scale_fn" and super()._saved(name)


class OneCycleLR(_WithMomentum):
    """Up to `max_lr` and down to nearly nothing, once in a whole training; step it every batch.

    Args:
        optimizer: whose rates are set; what they were before does not matter.
        max_lr: the greatest rate, for all parameter groups or a list of one for each.
        total_steps: how many steps there are; or else give the next two.
        epochs: how many epochs there are.
        steps_per_epoch: how many steps each has.
        pct_start: the share of the steps in which the rate goes up, from 0 to 1.
        anneal_strategy: along half a cosine, ``"cos"``, or a line, ``"linear"``.
        cycle_momentum: whether the momentum, or the first of the betas, goes the other way.
        base_momentum: the least momentum, where the rate is greatest.
        max_momentum: the greatest momentum.
        div_factor: the first rate is `max_lr` over this.
        final_div_factor: the last rate is the first over this.
        three_phase: go down as long as up, and from there to the last rate.
        last_epoch: the last step that is done.

    Raises:
        ValueError: a setting cannot be, or there are more steps than `total_steps`.

    Source:
        L. N. Smith and N. Topin, Super-Convergence: Very Fast Training of Neural Networks Using Large
        Learning Rates, 2018.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        max_lr: float | list[float],
        total_steps: int | None = None,
        epochs: int | None = None,
        steps_per_epoch: int | None = None,
        pct_start: float = 0.3,
        anneal_strategy: Literal["cos", "linear"] = "cos",
        cycle_momentum: bool = True,
        base_momentum: float | list[float] = 0.85,
        max_momentum: float | list[float] = 0.95,
        div_factor: float = 25.0,
        final_div_factor: float = 1e4,
        three_phase: bool = False,
        last_epoch: int = -1,
    ) -> None:
        self._attach(optimizer)
        if total_steps is None:
            if epochs is None or steps_per_epoch is None:
                raise ValueError("OneCycleLR: give total_steps, or both epochs and steps_per_epoch")
            at_least(1, epochs=epochs, steps_per_epoch=steps_per_epoch)
            total_steps = epochs * steps_per_epoch
        at_least(1, total_steps=total_steps)
        if not 0 <= pct_start <= 1:
            raise ValueError(f"OneCycleLR: pct_start is {pct_start}; give a share from 0 to 1")
        one_of("OneCycleLR", "anneal_strategy", anneal_strategy, ("cos", "linear"))
        self.total_steps, self._anneal_strategy = total_steps, anneal_strategy
        top, last = pct_start * total_steps - 1, float(total_steps - 1)
        self._phases: list[tuple[float, str, str, str, str]]
        # Each phase: its last step, the rates and the momentums from which and to which it goes.
        if three_phase:
            foot = 2 * pct_start * total_steps - 2
            self._phases = [
                (top, "first", "max", "max", "base"),
                (foot, "max", "first", "base", "max"),
                (last, "first", "last", "max", "max"),
            ]
        else:
            self._phases = [(top, "first", "max", "max", "base"), (last, "max", "last", "base", "max")]
        highest = per_group("max_lr", optimizer, max_lr)
        first = [rate / div_factor for rate in highest]
        self._ends = {"first": first, "max": highest, "last": [rate / final_div_factor for rate in first]}
        self._take_momentum(cycle_momentum, base_momentum, max_momentum, last_epoch)
        if last_epoch == -1:
            for index, group in enumerate(optimizer.param_groups):
                group["initial_lr"] = first[index]
                group["max_lr"], group["min_lr"] = highest[index], self._ends["last"][index]
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:  # noqa: D102
        return self._get_closed_form_lr()

    def _get_closed_form_lr(self) -> list[float]:
        if self.last_epoch > self.total_steps:
            raise ValueError(
                f"OneCycleLR: step {self.last_epoch} is past the end; make total_steps, "
                f"which is {self.total_steps}, as many as there are"
            )
        done, (_, start, end, _, _) = self._phase()
        return self._between(self._ends[start], self._ends[end], done)

    def _momentums(self) -> list[float]:
        ends = {"base": self.base_momentums, "max": self.max_momentums}
        done, (_, _, _, start, end) = self._phase()
        return self._between(ends[start], ends[end], done)

    def _phase(self) -> tuple[float, tuple[float, str, str, str, str]]:
        """The phase of ``last_epoch``, and which share of it is done."""
        begin = 0.0
        for phase in self._phases:
            end = phase[0]
            if self.last_epoch <= end or phase is self._phases[-1]:
                break
            begin = end
        return (self.last_epoch - begin) / (end - begin) if end != begin else 1.0, phase

    def _between(self, starts: list[float], ends: list[float], done: float) -> list[float]:
        pairs = zip(starts, ends, strict=True)
        if self._anneal_strategy == "linear":
            return [(end - start) * done + start for start, end in pairs]
        height = math.cos(math.pi * done) + 1
        return [end + (start - end) / 2.0 * height for start, end in pairs]
