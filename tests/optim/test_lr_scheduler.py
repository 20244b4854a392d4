"""Schedules: closed forms, chaining, resuming, and what is refused."""

from __future__ import annotations

import copy
import json
import math
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad.optim import lr_scheduler as S


class Optimizer:
    """All that a schedule sees of one."""

    def __init__(self, *rates: float, **more: Any) -> None:
        self.param_groups: list[dict[str, Any]] = [{"lr": rate, **more} for rate in rates or (0.5, 0.02)]
        self._stepped = False

    def step(self) -> None:
        self._stepped = True


Make = Callable[[Any, int], Any]
MOMENTUM = {"momentum": 0.9}
BETAS = {"betas": (0.9, 0.99)}
SIMPLE: dict[str, Make] = {
    "lambda": lambda o, n: S.LambdaLR(o, [lambda e: 0.9**e, lambda e: 1 / (1 + e)], n),
    "multiplicative": lambda o, n: S.MultiplicativeLR(o, lambda e: 1 - 1 / (e + 2), n),
    "step": lambda o, n: S.StepLR(o, 7, 0.7, n),
    "multistep": lambda o, n: S.MultiStepLR(o, [30, 10, 10, 60], 0.3, n),
    "constant": lambda o, n: S.ConstantLR(o, 0.3, 12, n),
    "linear": lambda o, n: S.LinearLR(o, 0.2, 0.7, 40, n),
    "exponential": lambda o, n: S.ExponentialLR(o, 0.93, n),
    "polynomial": lambda o, n: S.PolynomialLR(o, 60, 1.7, n),
    "cosine": lambda o, n: S.CosineAnnealingLR(o, 15, 0.001, n),
    "restarts": lambda o, n: S.CosineAnnealingWarmRestarts(o, 6, 2, 0.001, n),
    "inverse": lambda o, n: S.InverseTimeDecay(o, 0.05, n),
    "noam": lambda o, n: S.NoamLR(o, 64, 20, n),
    "cyclic": lambda o, n: S.CyclicLR(o, [0.01, 0.002], 0.5, 8, 5, "triangular2", last_epoch=n),
    "onecycle": lambda o, n: S.OneCycleLR(o, [0.5, 0.1], 100, last_epoch=n),
    "swa": lambda o, n: S.SWALR(o, [0.05, 0.3], 10, "cos", n),
}
JUMPING = sorted(SIMPLE.keys() - {"multiplicative", "swa"})


def composed(optimizer: Optimizer, _: int) -> S.LRScheduler:
    warm = S.LinearLR(optimizer, 0.1, 1.0, 5)
    both = S.ChainedScheduler([S.StepLR(optimizer, 9, 0.5), S.ExponentialLR(optimizer, 0.99)])
    later = S.SequentialLR(optimizer, [both, S.CosineAnnealingLR(optimizer, 11)], [20])
    return S.SequentialLR(optimizer, [warm, later, S.NoamLR(optimizer, 16, 5)], [5, 50])


EVERY = {**SIMPLE, "composed": composed, "warmup": lambda o, n: S.WarmupLR(o, 7, S.CosineAnnealingLR(o, 30))}


def rates(optimizer: Optimizer, schedule: Any, steps: int) -> list[list[float]]:
    """The rates and momentums that `steps` updates are made with."""
    found = []
    for _ in range(steps):
        found.append([group["lr"] for group in optimizer.param_groups])
        found.append([group["momentum"] for group in optimizer.param_groups])
        assert schedule.get_last_lr() == found[-2]
        optimizer.step()
        schedule.step()
    return found


def lr(schedule: Any, steps: int) -> list[float]:
    return [one[0] for one in rates(schedule.optimizer, schedule, steps)[::2]]


@pytest.mark.parametrize("name", JUMPING)
def test_the_closed_form_is_the_same_curve(name: str) -> None:
    walking, jumping = Optimizer(**MOMENTUM), Optimizer(**MOMENTUM)
    walk, jump = SIMPLE[name](walking, -1), SIMPLE[name](jumping, -1)
    for epoch in range(100):
        assert walk.last_epoch == epoch
        if epoch:
            jumping.step()
            jump.step(epoch)
        # The recursive cosine is accurate to the rate itself, not to the little that is left at the bottom.
        assert walk.get_last_lr() == pytest.approx(jump.get_last_lr(), rel=1e-12, abs=1e-12)
        walking.step()
        walk.step()
    jump.step(3)
    assert jump.get_last_lr() == pytest.approx(rates_at(name, 3), rel=1e-12)


def rates_at(name: str, epoch: int) -> list[float]:
    optimizer = Optimizer(**MOMENTUM)
    return rates(optimizer, SIMPLE[name](optimizer, -1), epoch + 1)[-2]


@pytest.mark.parametrize("name", ["multiplicative", "swa"])
def test_without_a_closed_form_there_is_no_jump(name: str) -> None:
    schedule = SIMPLE[name](Optimizer(), -1)
    with pytest.raises(ValueError, match="closed form"):
        schedule.step(3)
    assert schedule.last_epoch == 0


def test_formulas_at_single_epochs() -> None:
    def at(make: Callable[[Any], Any], epoch: int) -> float:
        return lr(make(Optimizer(1.0, **MOMENTUM)), epoch + 1)[-1]

    assert at(lambda o: S.StepLR(o, 30), 59) == pytest.approx(0.1)
    assert at(lambda o: S.StepLR(o, 30), 60) == pytest.approx(0.01)
    assert at(lambda o: S.MultiStepLR(o, [2, 2]), 2) == pytest.approx(0.01)
    assert at(lambda o: S.ConstantLR(o), 4) == 1 / 3 and at(lambda o: S.ConstantLR(o), 5) == 1
    assert at(lambda o: S.LinearLR(o, 0.5, 0.0, 4), 2) == pytest.approx(0.25)
    assert at(lambda o: S.LinearLR(o, 0.5, 0.0, 4), 9) == pytest.approx(0, abs=1e-16)
    assert at(lambda o: S.PolynomialLR(o, 4, 2), 2) == pytest.approx(0.25)
    assert at(lambda o: S.PolynomialLR(o, 4, 2), 7) == 0
    assert at(lambda o: S.CosineAnnealingLR(o, 8), 4) == pytest.approx(0.5)
    assert at(lambda o: S.CosineAnnealingLR(o, 8), 16) == pytest.approx(1)
    assert at(lambda o: S.CosineAnnealingLR(o, 1), 2) == pytest.approx(1)
    assert at(lambda o: S.CosineAnnealingWarmRestarts(o, 4, 2), 4) == 1
    assert at(lambda o: S.CosineAnnealingWarmRestarts(o, 4, 2), 8) == pytest.approx(0.5)
    assert at(lambda o: S.CyclicLR(o, 0.1, 0.5, 4), 4) == 0.5
    assert at(lambda o: S.CyclicLR(o, 0.1, 0.5, 4, mode="triangular2"), 12) == pytest.approx(0.3)
    assert at(lambda o: S.CyclicLR(o, 0.1, 0.5, 4, scale_fn=lambda c: 1 / c), 12) == pytest.approx(0.3)
    assert at(lambda o: S.OneCycleLR(o, 1.0, 11, pct_start=0.5), 0) == pytest.approx(0.04)
    assert at(lambda o: S.OneCycleLR(o, 1.0, 10, pct_start=0.5), 4) == 1
    assert at(lambda o: S.OneCycleLR(o, 1.0, 10, pct_start=0.5), 9) == pytest.approx(4e-6)
    # Where the way up has no step, the top is where it begins.
    assert at(lambda o: S.OneCycleLR(o, 1.0, 10, pct_start=0.1), 0) == 1
    assert at(lambda o: S.SWALR(o, 0.2, 4, "linear"), 2) == pytest.approx(0.6)
    assert at(lambda o: S.SWALR(o, 0.2, 0), 1) == at(lambda o: S.SWALR(o, 0.2, 3), 9) == 0.2
    # Attention Is All You Need: the top is at the end of the climb, d_model**-0.5 * warmup**-0.5.
    assert at(lambda o: S.NoamLR(o, 512, 400), 399) == pytest.approx(512**-0.5 * 400**-0.5)
    assert at(lambda o: S.NoamLR(o, 512, 400), 0) == pytest.approx(512**-0.5 * 400**-1.5)


def test_inverse_time_decay_is_the_books_to_the_last_bit() -> None:
    optimizer = Optimizer(0.85, **MOMENTUM)
    found = lr(S.InverseTimeDecay(optimizer, 1e-2), 1000)
    assert found == [0.85 * (1.0 / (1.0 + 1e-2 * iterations)) for iterations in range(1000)]
    assert found[0] == 0.85


def test_momentum_goes_against_the_rate() -> None:
    optimizer = Optimizer(0.1, **MOMENTUM)
    schedule = S.CyclicLR(optimizer, 0.1, 0.5, 4, base_momentum=0.8, max_momentum=0.95)
    found = [one[0] for one in rates(optimizer, schedule, 9)[1::2]]
    assert [found[0], found[4], found[8]] == pytest.approx([0.95, 0.8, 0.95])
    adam = Optimizer(0.1, **BETAS)
    once = S.OneCycleLR(adam, 1.0, 10, pct_start=0.5)
    assert adam.param_groups[0]["betas"] == (0.95, 0.99)
    for _ in range(4):
        adam.step()
        once.step()
    assert adam.param_groups[0]["betas"] == (0.85, 0.99)
    left = Optimizer(0.1, **MOMENTUM)
    S.OneCycleLR(left, 1.0, 10, cycle_momentum=False)
    assert left.param_groups[0]["momentum"] == 0.9


# ---- composed


def test_chained_factors_multiply() -> None:
    optimizer = Optimizer(1.0, **MOMENTUM)
    parts = [
        S.LinearLR(optimizer, 0.25, total_iters=9),
        S.ExponentialLR(optimizer, 0.9),
        S.StepLR(optimizer, 5),
    ]
    found = lr(S.ChainedScheduler(parts), 100)
    wanted = [(0.25 + 0.75 * min(e, 9) / 9) * 0.9**e * 0.1 ** (e // 5) for e in range(100)]
    assert found == pytest.approx(wanted, rel=1e-12)


def test_one_after_another_and_nested() -> None:
    def parts(o: Optimizer) -> list[Any]:
        return [S.ConstantLR(o, 0.1, 99), S.ExponentialLR(o, 0.9), S.LambdaLR(o, lambda e: 2.0**e)]

    flat, deep = Optimizer(1.0, **MOMENTUM), Optimizer(1.0, **MOMENTUM)
    found = lr(S.SequentialLR(flat, parts(flat), [3, 5]), 8)
    assert found == pytest.approx([0.1, 0.1, 0.1, 1, 0.9, 1, 2, 4])
    first, *rest = parts(deep)
    assert lr(S.SequentialLR(deep, [first, S.SequentialLR(deep, rest, [2])], [3]), 8) == found
    one, two, three = parts(deep)
    inner = S.SequentialLR(deep, [one, two], [3])
    assert lr(S.SequentialLR(deep, [inner, three], [5]), 8) == found


def test_a_chain_within_a_sequence_begins_at_its_epoch_0() -> None:
    optimizer = Optimizer(1.0, **MOMENTUM)
    chain = S.ChainedScheduler([S.ConstantLR(optimizer, 0.5, 2), S.ExponentialLR(optimizer, 0.8)])
    schedule = S.SequentialLR(optimizer, [S.ConstantLR(optimizer, 0.1, 9), chain], [2])
    assert lr(schedule, 6) == pytest.approx([0.1, 0.1, 0.5, 0.4, 0.64, 0.512])


def test_warm_up_then_anything() -> None:
    optimizer = Optimizer(1.0, **MOMENTUM)
    schedule = S.WarmupLR(optimizer, 4, S.CosineAnnealingLR(optimizer, 4))
    tail = [(1 + math.cos(math.pi * e / 4)) / 2 for e in range(5)]
    assert lr(schedule, 9) == pytest.approx([0.2, 0.4, 0.6, 0.8, *tail], abs=1e-12)
    assert lr(S.WarmupLR(Optimizer(1.0, **MOMENTUM), 2), 5) == pytest.approx([1 / 3, 2 / 3, 1, 1, 1])
    assert lr(S.WarmupLR(Optimizer(1.0, **MOMENTUM), 2, start_factor=0.5), 3) == [0.5, 0.75, 1]
    waiting = Optimizer(1.0)
    plateau = S.WarmupLR(waiting, 2, S.ReduceLROnPlateau(waiting, patience=1, factor=0.5))
    found = []
    for _ in range(8):
        found += plateau.get_last_lr()
        waiting.step()
        plateau.step(1.0)
    assert found == pytest.approx([1 / 3, 2 / 3, 1, 1, 1, 0.5, 0.5, 0.25])
    with pytest.raises(TypeError, match="needs the measure"):
        plateau.step()
    assert plateau.needs_metrics and not schedule.needs_metrics


def test_plateau() -> None:
    def run(losses: list[float], **more: Any) -> list[float]:
        optimizer, found = Optimizer(1.0), []
        schedule = S.ReduceLROnPlateau(optimizer, **{"patience": 1, "factor": 0.5, **more})
        for loss in losses:
            schedule.step(loss)
            found += schedule.get_last_lr()
        return found

    assert run([3, 2, 2, 2, 2, 2]) == [1, 1, 1, 0.5, 0.5, 0.25]
    assert run([3, 2, 2, 2, 2, 2, 2], cooldown=1) == [1, 1, 1, 0.5, 0.5, 0.5, 0.25]
    assert run([1, 2, 2, 2], mode="max") == [1, 1, 1, 0.5]
    assert run([1.0, 0.96, 0.92], patience=0, threshold=0.05) == [1, 0.5, 0.5]
    assert run([1.0, 0.96, 0.92], patience=0, threshold=0.05, threshold_mode="abs") == [1, 0.5, 0.5]
    assert run([1.0] * 9, patience=0, min_lr=0.3) == [1, 0.5] + [0.3] * 7
    assert run([1.0, math.nan, math.nan]) == [1, 1, 0.5]
    assert run([1.0] * 3, patience=0, eps=0.6) == [1, 1, 1]


# ---- resuming


@pytest.mark.parametrize("name", sorted(EVERY))
@pytest.mark.parametrize("stop", [1, 7, 37, 60])
def test_a_resumed_run_is_the_same_run(name: str, stop: int) -> None:
    straight = Optimizer(**MOMENTUM)
    wanted = rates(straight, EVERY[name](straight, -1), 100)
    first = Optimizer(**MOMENTUM)
    schedule = EVERY[name](first, -1)
    found = rates(first, schedule, stop)
    state = json.loads(json.dumps([schedule.state_dict(), first.param_groups]))
    second = Optimizer(**MOMENTUM)
    again = EVERY[name](second, -1)
    second.param_groups = state[1]
    again.load_state_dict(state[0])
    assert found + rates(second, again, 100 - stop) == wanted
    assert again.last_epoch == 100


@pytest.mark.parametrize("name", sorted(SIMPLE.keys() - {"swa"}))
@pytest.mark.parametrize("done", [1, 7, 30, 60])
def test_a_run_resumed_by_its_last_epoch_is_the_same_run(name: str, done: int) -> None:
    """At a milestone, too: what `lr` is in the groups is the rate of the epoch to come."""
    straight = Optimizer(**MOMENTUM)
    wanted = rates(straight, SIMPLE[name](straight, -1), 90)
    first = Optimizer(**MOMENTUM)
    found = rates(first, SIMPLE[name](first, -1), done)
    second = Optimizer()
    second.param_groups = copy.deepcopy(first.param_groups)
    again = SIMPLE[name](second, done - 1)
    assert again.last_epoch == done
    assert found + rates(second, again, 90 - done) == wanted


def test_plateau_resumes() -> None:
    losses = [1.0, 0.8, 0.8, 0.9, 0.8, 0.7, 0.7, 0.7, 0.7, 0.7, 0.7]
    first, second = Optimizer(), Optimizer()
    schedule, again = (S.ReduceLROnPlateau(o, patience=1, cooldown=1) for o in (first, second))
    for loss in losses[:5]:
        schedule.step(loss)
    second.param_groups = copy.deepcopy(first.param_groups)
    again.load_state_dict(json.loads(json.dumps(schedule.state_dict())))
    for loss in losses[5:]:
        schedule.step(loss)
        again.step(loss)
        assert schedule.get_last_lr() == again.get_last_lr()
    assert schedule.get_last_lr()[0] < 0.5 and schedule.state_dict() == again.state_dict()


def test_a_state_of_another_schedule_changes_nothing() -> None:
    optimizer = Optimizer()
    state = S.StepLR(optimizer, 3).state_dict()
    schedule = S.ExponentialLR(optimizer, 0.9)
    before = schedule.state_dict()
    with pytest.raises(tg.StateDictError, match=r"lacks \[\] and has \['step_size'\]"):
        schedule.load_state_dict(state)
    assert schedule.state_dict() == before
    both = [S.SequentialLR(optimizer, [schedule, S.StepLR(optimizer, n)], [2]) for n in (3, 4)]
    changed = both[0].state_dict()
    changed["_schedulers"][1] = before
    kept = both[1].state_dict()
    with pytest.raises(tg.StateDictError, match="StepLR: this state"):
        both[1].load_state_dict(changed)
    changed["_schedulers"].pop()
    with pytest.raises(tg.StateDictError, match="of 1 schedules, and here are 2"):
        both[1].load_state_dict(changed)
    assert both[1].state_dict() == kept


def test_a_state_is_a_copy() -> None:
    optimizer = Optimizer(**MOMENTUM)
    schedule = S.MultiStepLR(optimizer, [2, 4])
    schedule.state_dict()["milestones"].append(1)
    schedule.get_last_lr().clear()
    assert schedule.milestones == [2, 4] and schedule.get_last_lr() == [0.5, 0.02]


# ---- order, errors


@pytest.mark.parametrize("name", sorted(EVERY))
def test_a_step_before_the_optimizers_warns_once(name: str) -> None:
    optimizer = Optimizer(**MOMENTUM)
    schedule = EVERY[name](optimizer, -1)
    with pytest.warns(UserWarning, match="before the optimizer's first step"):
        schedule.step()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        schedule.step()


def test_the_warning_points_at_the_caller() -> None:
    schedule = S.StepLR(Optimizer(), 3)
    with pytest.warns(UserWarning, match="first rate") as caught:
        schedule.step()
    assert caught[0].filename == __file__


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda o: S.StepLR(o, 0), "step_size is 0; give at least 1"),
        (lambda o: S.StepLR(o, 3, last_epoch=-2), "last_epoch is -2"),
        (lambda o: S.StepLR(o, 3, last_epoch=4), "has no 'initial_lr'"),
        (lambda o: S.ConstantLR(o, 0.0), "factor is 0.0"),
        (lambda o: S.LinearLR(o, 0.0), "start_factor is 0.0"),
        (lambda o: S.LinearLR(o, 0.5, 1.5), "end_factor is 1.5"),
        (lambda o: S.CosineAnnealingLR(o, 0), "T_max is 0"),
        (lambda o: S.CosineAnnealingWarmRestarts(o, 0), "T_0 is 0"),
        (lambda o: S.CosineAnnealingWarmRestarts(o, 2, 1.5), "whole numbers"),
        (lambda o: S.InverseTimeDecay(o, math.nan), "decay is nan"),
        (lambda o: S.LambdaLR(o, [abs]), "1 values for 2 parameter groups"),
        (lambda o: S.CyclicLR(o, 0.1, 0.2), "needs an optimizer with momentum"),
        (lambda o: S.CyclicLR(o, 0.1, 0.2, mode="square"), "mode is 'square'"),
        (lambda o: S.OneCycleLR(o, 0.1), "give total_steps, or both"),
        (lambda o: S.OneCycleLR(o, 0.1, 10, pct_start=3), "pct_start is 3"),
        (lambda o: S.OneCycleLR(o, 0.1, 10, anneal_strategy="cubic"), "one of 'cos', 'linear'"),
        (lambda o: S.ReduceLROnPlateau(o, factor=1.0), "factor is 1.0"),
        (lambda o: S.ReduceLROnPlateau(o, mode="best"), "mode is 'best'"),
        (lambda o: S.SWALR(o, 0.1, anneal_strategy="cubic"), "anneal_strategy is 'cubic'"),
        (lambda o: S.ChainedScheduler([]), "there are no schedulers"),
        (lambda o: S.ChainedScheduler([S.StepLR(o, 3), S.StepLR(Optimizer(), 3)]), "of another optimizer"),
        (lambda o: S.SequentialLR(o, [S.StepLR(o, 3)], [2]), "one milestone fewer"),
        (lambda o: S.SequentialLR(o, [S.StepLR(o, 3)] * 3, [4, 2]), "make them rise"),
        (lambda o: S.SequentialLR(o, [S.StepLR(o, 3)], [], 4), "load_state_dict"),
        (lambda o: S.WarmupLR(o, 0), "warmup_steps is 0"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused(make: Callable[[Optimizer], Any], message: str) -> None:
    optimizer = Optimizer()
    with pytest.raises(ValueError, match=message):
        make(optimizer)
    assert [group["lr"] for group in optimizer.param_groups] == [0.5, 0.02]


def test_no_optimizer_and_no_function() -> None:
    with pytest.raises(TypeError, match="optimizer is a list; give one of"):
        S.StepLR([], 3)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="give a function of the epoch"):
        S.LambdaLR(Optimizer(), 0.9)  # type: ignore[arg-type]


def test_past_the_end_of_one_cycle_nothing_moves() -> None:
    optimizer = Optimizer(0.1, **MOMENTUM)
    schedule = S.OneCycleLR(optimizer, 1.0, epochs=2, steps_per_epoch=2)
    lr(schedule, 4)
    before = copy.deepcopy(optimizer.param_groups), schedule.last_epoch
    with pytest.raises(ValueError, match="step 5 is past the end"):
        schedule.step()
    assert before == (optimizer.param_groups, schedule.last_epoch)


def test_with_the_optimizers() -> None:
    """Momentum and betas follow, the optimizer's state holds what is resumed, early steps warn."""

    def made(kind: type) -> tuple[tg.Tensor, Any, Any]:
        w = tg.tensor(np.ones(3), requires_grad=True)
        optimizer = kind([w], lr=0.1, **({"momentum": 0.9} if kind is tg.optim.SGD else {}))
        return w, optimizer, S.WarmupLR(optimizer, 3, S.OneCycleLR(optimizer, 0.5, 30))

    def train(w: tg.Tensor, optimizer: Any, schedule: Any, steps: int) -> None:
        for _ in range(steps):
            optimizer.zero_grad()
            (w * w).sum().backward()
            optimizer.step()
            schedule.step()

    for kind in (tg.optim.SGD, tg.optim.Adam):
        straight, whole = made(kind), made(kind)
        train(*straight, 25)
        train(*whole, 9)
        again = made(kind)
        with tg.no_grad():
            again[0][...] = whole[0].numpy()
        again[1].load_state_dict(whole[1].state_dict())
        again[2].load_state_dict(whole[2].state_dict())
        train(*again, 16)
        assert again[0].tolist() == straight[0].tolist()
        assert again[2].state_dict() == straight[2].state_dict()
        key = "momentum" if kind is tg.optim.SGD else "betas"
        assert again[1].param_groups[0][key] == straight[1].param_groups[0][key]
        with pytest.warns(UserWarning, match="before the optimizer's first step"):
            made(kind)[2].step()


def test_one_of_ones_own() -> None:
    class Halves(S.LRScheduler):
        def get_lr(self) -> list[float]:
            return [rate * 0.5**self.last_epoch for rate in self.base_lrs]

    optimizer = Optimizer(1.0, **MOMENTUM)
    assert lr(S.WarmupLR(optimizer, 1, Halves(optimizer)), 4) == [0.5, 1, 0.5, 0.25]
    with pytest.raises(NotImplementedError, match="override get_lr"):
        S.LRScheduler(Optimizer())
    assert repr(S.StepLR(Optimizer(), 3)) == "StepLR(last_epoch=0, lr=[0.5, 0.02])"


def test_the_schedule_of_averaging_is_found_where_pytorch_has_it() -> None:
    assert tg.optim.swa_utils.SWALR is S.SWALR
