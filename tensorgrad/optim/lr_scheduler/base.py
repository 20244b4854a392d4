"""What every schedule is: an epoch, a rule for the rates at it, and a state to save."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeVar

from ..._errors import StateDictError

T = TypeVar("T")
_UNSAVED = ("optimizer", "_is_initial")


class Optimizer(Protocol):
    """What a schedule needs of an optimizer."""

    param_groups: list[dict[str, Any]]

    def step(self) -> Any:
        """Change the parameters once."""


class LRScheduler:
    """Base of all schedules; a new one overrides `get_lr`.

    Making a schedule takes its first step: it notes each group's ``lr`` as ``initial_lr`` and sets the
    rates of epoch 0. What `step` counts is called an epoch, though it may as well be a batch.

    Args:
        optimizer: has ``param_groups``, a list of dicts with ``lr``.
        last_epoch: the last epoch that is done; -1 starts anew. From 0 on the groups must have an
            ``initial_lr`` already, and their ``lr`` is taken to be that of the epoch to come.

    Raises:
        TypeError: `optimizer` is none.
        ValueError: a run is resumed and a group has no ``initial_lr``.

    Example:
        >>> class Halves(LRScheduler):
        ...     def get_lr(self):
        ...         return [rate * 0.5**self.last_epoch for rate in self.base_lrs]
    """

    _is_initial = False

    @property
    def needs_metrics(self) -> bool:
        """Whether `step` wants a measure, as `ReduceLROnPlateau` does."""
        return False

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1) -> None:
        self._attach(optimizer)
        name = type(self).__name__
        if last_epoch < -1:
            raise ValueError(
                f"{name}: last_epoch is {last_epoch}; give -1 to start anew, or the last one done"
            )
        if last_epoch >= 0 and any("initial_lr" not in group for group in optimizer.param_groups):
            raise ValueError(
                f"{name}: last_epoch is {last_epoch}, but a parameter group has no 'initial_lr'; "
                "load the optimizer's state first, or give last_epoch=-1 to start anew"
            )
        for group in optimizer.param_groups:
            group.setdefault("initial_lr", group["lr"])
        self.base_lrs: list[float] = [group["initial_lr"] for group in optimizer.param_groups]
        self.last_epoch = last_epoch
        self._initial_step()

    def get_lr(self) -> list[float]:
        """The rates at ``last_epoch``, one for each parameter group, when the epoch before is set.

        `step` calls this; `get_last_lr` is the question to ask from outside.
        """
        raise NotImplementedError(f"{type(self).__name__} does not say its rates; override get_lr")

    def _get_closed_form_lr(self) -> list[float] | None:
        """The rates at ``last_epoch``, whatever is set now; None where there is no such form."""
        return None

    def step(self, epoch: int | None = None) -> None:
        """Set the rates of the next epoch; call it after the optimizer's step.

        Args:
            epoch: jump to this epoch instead, where the schedule has a closed form.

        Raises:
            ValueError: a jump, and the schedule has no closed form.
        """
        if epoch is None:
            self._warn_if_early()
            self._step_count += 1
            self._go(self.last_epoch + 1, self.get_lr)
        else:
            self._go(epoch, self._closed_form)
            self._step_count += 1

    def get_last_lr(self) -> list[float]:
        """The rates that this schedule set last, one for each parameter group."""
        return list(self._last_lr)

    def state_dict(self) -> dict[str, Any]:
        """What a stopped run needs besides the optimizer's state: numbers, texts and lists, no functions."""
        return {name: copy.deepcopy(value) for name, value in vars(self).items() if self._saved(name)}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from a state; the rates themselves are in the optimizer's.

        Raises:
            StateDictError: the state is of another kind of schedule; nothing is changed then.
        """
        self._check_state(state_dict)
        vars(self).update(copy.deepcopy(state_dict))

    def __repr__(self) -> str:
        rates = ", ".join(f"{rate:.6g}" for rate in self._last_lr)
        return f"{type(self).__name__}(last_epoch={self.last_epoch}, lr=[{rates}])"

    def _attach(self, optimizer: Optimizer) -> None:
        if not hasattr(optimizer, "param_groups") or not hasattr(optimizer, "step"):
            kind = type(optimizer).__name__
            raise TypeError(f"{type(self).__name__}: optimizer is a {kind}; give one of tensorgrad.optim")
        self.optimizer = optimizer

    def _initial_step(self) -> None:
        """The step that making takes: to epoch 0, or to the one that a resumed run goes on with."""
        self._step_count = 0
        self._is_initial = True
        try:
            self.step()
        finally:
            self._is_initial = False

    def _undo(self) -> None:
        """Back to before the first step."""
        self.last_epoch = -1

    def _restart(self) -> None:
        """Take over from another schedule, at epoch 0."""
        self._go(0, lambda: self._get_closed_form_lr() or self.get_lr())

    def _advance(self, metrics: Any) -> None:
        """One step within a composed schedule; `metrics` is for those that want one."""
        self.step()

    def _closed_form(self) -> list[float]:
        rates = self._get_closed_form_lr()
        if rates is None:
            raise ValueError(
                f"{type(self).__name__}: step(epoch) needs a closed form, and there is none; call step() each epoch"
            )
        return rates

    def _go(self, epoch: int, rates: Callable[[], list[float]]) -> None:
        before, self.last_epoch = self.last_epoch, epoch
        try:
            found = rates()
        except BaseException:
            self.last_epoch = before
            raise
        self._set(found)

    def _set(self, rates: Sequence[float]) -> None:
        for group, rate in zip(self.optimizer.param_groups, rates, strict=True):
            group["lr"] = rate
        self._last_lr = self._rates()

    def _rates(self) -> list[float]:
        return [group["lr"] for group in self.optimizer.param_groups]

    def _saved(self, name: str) -> bool:
        return name not in _UNSAVED

    def _check_state(self, state: dict[str, Any]) -> None:
        own = {name for name in vars(self) if self._saved(name)}
        if state.keys() != own:
            raise StateDictError(
                f"{type(self).__name__}: this state is of another schedule; "
                f"it lacks {sorted(own - state.keys())} and has {sorted(state.keys() - own)} besides"
            )

    def _warn_if_early(self) -> None:
        """Warn of a first step before any of the optimizer's: the first rate would never be used."""
        if not self._is_initial and self._step_count == 1 and not getattr(self.optimizer, "_stepped", True):
            warnings.warn(
                f"{type(self).__name__}: step() came before the optimizer's first step(), so the first rate of "
                "the schedule is skipped; call optimizer.step(), then the schedule's",
                UserWarning,
                stacklevel=3,
            )


def per_group(name: str, optimizer: Optimizer, value: T | Sequence[T]) -> list[T]:
    """A setting for each parameter group: the same for all, or one of a list for each.

    Raises:
        ValueError: the list has another length.
    """
    groups = len(optimizer.param_groups)
    if not isinstance(value, list | tuple):
        return [value] * groups  # type: ignore[list-item]
    if len(value) != groups:
        raise ValueError(f"{name} has {len(value)} values for {groups} parameter groups; give one for each")
    return list(value)


def at_least(least: float, **numbers: float) -> None:
    """Raise ValueError where a number is less than `least`, or no number."""
    for name, value in numbers.items():
        if not value >= least:
            raise ValueError(f"{name} is {value}; give at least {least:g}")


def one_of(schedule: str, name: str, value: str, choices: Sequence[str]) -> None:
    """Raise ValueError where a setting is none of its choices."""
    if value not in choices:
        raise ValueError(f"{schedule}: {name} is {value!r}; give one of {', '.join(map(repr, choices))}")
