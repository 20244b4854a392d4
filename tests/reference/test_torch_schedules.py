"""Every schedule of PyTorch for 100 epochs: rates and momentums to 1e-12, composed and resumed, too."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from typing import Any

import pytest

from tensorgrad.optim import lr_scheduler as ours
from tests.reference.peer import torch

theirs = torch.optim.lr_scheduler
SAME = {"rel": 1e-12, "abs": 1e-15}


def both(adam: bool = False) -> tuple[Any, Any]:
    """An optimizer of PyTorch with two parameter groups, and a stand-in with the same."""

    def groups() -> list[dict[str, Any]]:
        return [{"params": [torch.zeros(1, requires_grad=True)], "lr": rate} for rate in (0.5, 0.02)]

    made = torch.optim.Adam(groups()) if adam else torch.optim.SGD(groups(), momentum=0.9)
    return Stand([dict(group) for group in made.param_groups]), made


class Stand:
    def __init__(self, groups: list[dict[str, Any]]) -> None:
        self.param_groups = groups

    def step(self) -> None:
        pass


def settings(optimizer: Any) -> list[float]:
    groups = optimizer.param_groups
    return [group["lr"] for group in groups] + [
        group["betas"][0] if "betas" in group else group["momentum"] for group in groups
    ]


Make = Callable[[Any, Any, int], Any]
CASES: dict[str, Make] = {
    "lambda": lambda s, o, n: s.LambdaLR(o, [lambda e: 0.9**e, lambda e: 1 / (1 + e)], n),
    "multiplicative": lambda s, o, n: s.MultiplicativeLR(o, lambda e: 1 - 1 / (e + 2), n),
    "step": lambda s, o, n: s.StepLR(o, 7, 0.7, n),
    "multistep": lambda s, o, n: s.MultiStepLR(o, [30, 10, 10, 60], 0.3, n),
    "multistep at once": lambda s, o, n: s.MultiStepLR(o, [0, 10], 0.3, n),
    "constant": lambda s, o, n: s.ConstantLR(o, 0.3, 12, n),
    "linear": lambda s, o, n: s.LinearLR(o, 0.2, 0.7, 40, n),
    "linear to 0": lambda s, o, n: s.LinearLR(o, 1.0, 0.0, 50, n),
    "exponential": lambda s, o, n: s.ExponentialLR(o, 0.93, n),
    "polynomial": lambda s, o, n: s.PolynomialLR(o, 60, 1.7, n),
    "cosine": lambda s, o, n: s.CosineAnnealingLR(o, 15, 0.001, n),
    "cosine of 1": lambda s, o, n: s.CosineAnnealingLR(o, 1, 0.001, n),
    "cosine once": lambda s, o, n: s.CosineAnnealingLR(o, 100, 0, n),
    "restarts": lambda s, o, n: s.CosineAnnealingWarmRestarts(o, 7, eta_min=0.001, last_epoch=n),
    "cyclic": lambda s, o, n: s.CyclicLR(o, [0.01, 0.002], 0.5, 8, 5, last_epoch=n),
    "cyclic halved": lambda s, o, n: s.CyclicLR(o, 0.01, [0.5, 0.1], 8, mode="triangular2", last_epoch=n),
    "cyclic exponential": lambda s, o, n: s.CyclicLR(o, 0.1, 0.5, 9, 3, "exp_range", 0.98, last_epoch=n),
    "cyclic of one's own": lambda s, o, n: s.CyclicLR(
        o, 0.1, 0.5, 9, scale_fn=lambda x: 1 / (1 + x), scale_mode="iterations", last_epoch=n
    ),
    "one cycle": lambda s, o, n: s.OneCycleLR(o, [0.5, 0.1], 100, last_epoch=n),
    "one cycle, linear": lambda s, o, n: s.OneCycleLR(o, 0.5, 100, anneal_strategy="linear", last_epoch=n),
    "one cycle, three phases": lambda s, o, n: s.OneCycleLR(
        o, 0.5, epochs=10, steps_per_epoch=10, pct_start=0.4, three_phase=True, base_momentum=[0.7, 0.8],
        div_factor=10.0, final_div_factor=100.0, last_epoch=n
    ),
}  # fmt: skip
FRESH: dict[str, Make] = {
    "restarts, longer": lambda s, o, n: s.CosineAnnealingWarmRestarts(o, 6, 2, 0.001),
    "chained": lambda s, o, n: s.ChainedScheduler(
        [s.LinearLR(o, 0.25, 1.0, 9), s.ExponentialLR(o, 0.97), s.StepLR(o, 25), s.CosineAnnealingLR(o, 40, 1e-3)]
    ),
    "sequential": lambda s, o, n: s.SequentialLR(
        o, [s.LinearLR(o, 0.1, 1.0, 5), s.CosineAnnealingLR(o, 30), s.StepLR(o, 9), s.PolynomialLR(o, 20)],
        [5, 35, 60],
    ),
    "sequential of the others": lambda s, o, n: s.SequentialLR(
        o, [
            s.ConstantLR(o, 0.1, 4), s.MultiplicativeLR(o, lambda e: 0.9), s.LambdaLR(o, lambda e: 1 / (1 + e)),
            s.CosineAnnealingWarmRestarts(o, 5), s.MultiStepLR(o, [2, 9], 0.5), s.ExponentialLR(o, 0.9),
        ],
        [4, 15, 30, 50, 70],
    ),
    "sequential, then one cycle": lambda s, o, n: s.SequentialLR(
        o, [s.ConstantLR(o, 0.5, 3), s.OneCycleLR(o, 0.5, 97)], [3]
    ),
    "chain of a sequence": lambda s, o, n: s.ChainedScheduler(
        [s.SequentialLR(o, [s.ConstantLR(o, 0.5, 90), s.ExponentialLR(o, 0.9)], [90]), s.StepLR(o, 7, 0.9)]
    ),
}  # fmt: skip


@pytest.mark.parametrize("adam", [False, True])
@pytest.mark.parametrize("name", [*CASES, *FRESH])
def test_a_hundred_epochs(name: str, adam: bool) -> None:
    mine, peer = both(adam)
    make = {**CASES, **FRESH}[name]
    my, their = make(ours, mine, -1), make(theirs, peer, -1)
    for epoch in range(100):
        assert settings(mine) == pytest.approx(settings(peer), **SAME), epoch
        assert my.get_last_lr() == pytest.approx(their.get_last_lr(), **SAME)
        mine.step()
        peer.step()
        my.step()
        their.step()


# At these epochs PyTorch's own resumed run differs from its uninterrupted one: where it is at a milestone
# these three multiply by gamma once more.
TWICE = {("step", 35), ("multistep", 10), ("constant", 12)}


@pytest.mark.parametrize("done", [1, 10, 12, 35])
@pytest.mark.parametrize("name", sorted(CASES.keys() - {"multistep at once"}))
def test_resumed_by_the_last_epoch(name: str, done: int) -> None:
    mine, peer = both()
    my, their = CASES[name](ours, mine, -1), CASES[name](theirs, peer, -1)
    for _ in range(done):
        peer.step()
        my.step()
        their.step()
    mine, second = Stand(copy.deepcopy(mine.param_groups)), both()[1]
    second.load_state_dict(peer.state_dict())
    my = CASES[name](ours, mine, done - 1)
    if (name, done) not in TWICE:
        their, peer = CASES[name](theirs, second, done - 1), second
    for epoch in range(done, 100):
        assert settings(mine) == pytest.approx(settings(peer), **SAME), epoch
        peer.step()
        my.step()
        their.step()


@pytest.mark.parametrize("name", ["linear", "cosine", "onecycle", "chained", "sequential"])
def test_resumed_by_the_state(name: str) -> None:
    make = {**CASES, **FRESH, "onecycle": CASES["one cycle"]}[name]
    runs = []
    for schedules, optimizer, another in zip((ours, theirs), both(), both(), strict=True):
        schedule = make(schedules, optimizer, -1)
        for _ in range(37):
            optimizer.step()
            schedule.step()
        again = make(schedules, another, -1)
        for group, old in zip(another.param_groups, optimizer.param_groups, strict=True):
            group.update({key: value for key, value in old.items() if key != "params"})
        again.load_state_dict(copy.deepcopy(schedule.state_dict()))
        found = []
        for _ in range(60):
            found += settings(another)
            another.step()
            again.step()
        runs.append(found)
    assert runs[0] == pytest.approx(runs[1], **SAME)


@pytest.mark.parametrize("strategy", ["cos", "linear"])
@pytest.mark.parametrize("epochs", [0, 1, 20])
def test_the_rates_of_averaging(strategy: str, epochs: int) -> None:
    mine, peer = both()
    my = ours.ExponentialLR(mine, 0.95), ours.SWALR(mine, [0.05, 0.1], epochs, strategy)
    their = (
        theirs.ExponentialLR(peer, 0.95),
        torch.optim.swa_utils.SWALR(peer, [0.05, 0.1], epochs, strategy),
    )
    for epoch in range(100):
        assert settings(mine) == pytest.approx(settings(peer), **SAME), epoch
        peer.step()
        my[epoch > 40].step()
        their[epoch > 40].step()


@pytest.mark.parametrize("mode", ["min", "max"])
@pytest.mark.parametrize("threshold_mode", ["rel", "abs"])
@pytest.mark.parametrize("cooldown", [0, 3])
def test_plateaus(mode: str, threshold_mode: str, cooldown: int) -> None:
    mine, peer = both()
    setting = {"mode": mode, "threshold_mode": threshold_mode, "cooldown": cooldown, "patience": 2,
               "factor": 0.7, "threshold": 0.03, "min_lr": [0.01, 0.001]}  # fmt: skip
    my, their = ours.ReduceLROnPlateau(mine, **setting), theirs.ReduceLROnPlateau(peer, **setting)
    for epoch in range(100):
        loss = math.nan if epoch == 30 else math.exp(-epoch / 20) + 0.1 * math.sin(5 * epoch)
        my.step(loss)
        their.step(loss)
        assert settings(mine) == pytest.approx(settings(peer), **SAME), epoch
        assert my.best == their.best and my.num_bad_epochs == their.num_bad_epochs
    assert settings(mine)[0] < 0.1


def test_fractions_of_an_epoch() -> None:
    mine, peer = both()
    my = ours.CosineAnnealingWarmRestarts(mine, 5, 2)
    their = theirs.CosineAnnealingWarmRestarts(peer, 5, 2)
    for tenth in range(400):
        if tenth % 10 == 9:
            my.step()
            their.step()
        else:
            my.step(tenth / 10)
            their.step(tenth / 10)
        assert settings(mine) == pytest.approx(settings(peer), rel=1e-12, abs=1e-14), tenth
        assert (my.T_cur, my.T_i) == pytest.approx((their.T_cur, their.T_i), abs=1e-9)


def test_every_name_is_here() -> None:
    assert set(theirs.__all__) <= set(dir(ours))
