"""Optimizers against PyTorch's: 20 steps of a small problem in float64, option by option."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import tensorgrad as tg
from tests.reference.peer import torch

STEPS = 20
RNG = np.random.default_rng(5)
SHAPES = [(3, 4), (4,), (), (2, 3, 2), (5,)]
START = [RNG.normal(size=shape) for shape in SHAPES]
X, Y = RNG.normal(size=(6, 3)), RNG.normal(size=(6, 4))

# Every option of every optimizer, with values at which it matters within 20 steps.
CASES: dict[str, list[dict[str, Any]]] = {
    "SGD": [
        {"lr": 0.1},
        {"lr": 0.1, "momentum": 0.9},
        {"lr": 0.1, "momentum": 0.8, "dampening": 0.3, "weight_decay": 0.1},
        {"lr": 0.1, "momentum": 0.9, "nesterov": True, "weight_decay": 0.1},
        {"lr": 0.003, "momentum": 0.5, "maximize": True},
    ],
    "Adagrad": [
        {"lr": 0.3},
        {"lr": 0.3, "lr_decay": 0.2, "weight_decay": 0.1, "initial_accumulator_value": 0.5, "eps": 1e-3},
        {"lr": 0.01, "maximize": True},
    ],
    "Adadelta": [
        {},
        {"lr": 0.5, "rho": 0.7, "eps": 1e-3, "weight_decay": 0.1},
        {"lr": 0.01, "maximize": True},
    ],
    "RMSprop": [
        {"lr": 0.05},
        {"lr": 0.05, "alpha": 0.8, "eps": 1e-3, "weight_decay": 0.1},
        {"lr": 0.05, "momentum": 0.7, "centered": True},
        {"lr": 0.05, "centered": True, "maximize": True},
    ],
    "Adam": [
        {"lr": 0.1},
        {"lr": 0.1, "betas": (0.7, 0.9), "eps": 1e-2, "weight_decay": 0.1},
        {"lr": 0.2, "betas": (0.5, 0.6), "amsgrad": True},
        {"lr": 0.1, "maximize": True, "amsgrad": True},
        {"lr": 0.1, "weight_decay": 0.3, "decoupled_weight_decay": True},
    ],
    "AdamW": [{"lr": 0.1}, {"lr": 0.1, "weight_decay": 0.5, "amsgrad": True}, {"lr": 0.01, "maximize": True}],
    "Adamax": [
        {"lr": 0.1},
        {"lr": 0.1, "betas": (0.6, 0.7), "eps": 1e-2, "weight_decay": 0.1, "maximize": True},
    ],
    "NAdam": [
        {"lr": 0.1},
        {"lr": 0.1, "betas": (0.6, 0.7), "eps": 1e-2, "momentum_decay": 0.1, "weight_decay": 0.1},
        {"lr": 0.1, "weight_decay": 0.2, "decoupled_weight_decay": True, "maximize": True},
    ],
    "RAdam": [
        {"lr": 0.1},
        {"lr": 0.1, "betas": (0.6, 0.9), "eps": 1e-2, "weight_decay": 0.1},
        {"lr": 0.1, "weight_decay": 0.2, "decoupled_weight_decay": True, "maximize": True},
    ],
    "Rprop": [
        {"lr": 0.1},
        {"lr": 0.1, "etas": (0.4, 1.5), "step_sizes": (1e-2, 0.3)},
        {"lr": 0.01, "maximize": True},
    ],
    "ASGD": [
        {"lr": 0.1, "t0": 5},
        {"lr": 0.1, "lambd": 0.1, "alpha": 0.5, "t0": 3, "weight_decay": 0.1},
        {"lr": 0.002, "maximize": True},
    ],
    "Adafactor": [
        {"lr": 0.1},
        {"lr": 0.3, "beta2_decay": -0.5, "eps": (1e-3, 1e-2), "d": 1.5, "weight_decay": 0.1},
        {"lr": 0.01, "maximize": True},
    ],
}
LISTED = [
    pytest.param(name, options, id=f"{name}-{i}")
    for name, all_ in CASES.items()
    for i, options in enumerate(all_)
]


@pytest.fixture(autouse=True)
def double() -> Iterator[None]:
    """Counts and products that PyTorch keeps as tensors have its default dtype."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(before)


class Problem:
    """Parameters of one library, and a loss of them; the fourth parameter takes part in some steps only."""

    def __init__(self, lib: Any, start: list[np.ndarray[Any, Any]] = START) -> None:
        self.lib = lib
        self.x, self.y = (X, Y) if lib is tg else (torch.tensor(X), torch.tensor(Y))
        self.parameters = [
            tg.nn.Parameter(one) if lib is tg else torch.nn.Parameter(torch.tensor(one)) for one in start
        ]

    def loss(self, step: int) -> Any:
        lib, (w, b, s, v, u) = self.lib, self.parameters
        h = lib.tanh(self.x @ w + b) * s
        loss = ((h - self.y) ** 2).sum() + (0.1 * w * w).sum() + lib.exp(0.3 * u).sum() - u.sum()
        return loss if step % 3 == 1 else loss + (lib.sin(2 * v) + v * v).sum()

    def groups(self, options: dict[str, Any]) -> list[dict[str, Any]]:
        return [
            {"params": self.parameters[:2]},
            {"params": self.parameters[2:], "lr": options.get("lr", 0.02) / 2},
        ]

    def train(self, optimizer: Any, steps: range) -> None:
        for step in steps:
            optimizer.zero_grad()
            self.loss(step).backward()
            optimizer.step()

    def values(self) -> list[np.ndarray[Any, Any]]:
        return [np.array(p.detach().numpy()) for p in self.parameters]


def assert_close(ours: list[Any], theirs: list[Any]) -> None:
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-9)


def as_arrays(value: Any) -> Any:
    """A state dict of PyTorch with arrays for tensors."""
    if isinstance(value, torch.Tensor):
        return value.detach().numpy().copy()
    if isinstance(value, dict):
        return {key: as_arrays(one) for key, one in value.items()}
    return [as_arrays(one) for one in value] if isinstance(value, list) else value


@pytest.mark.parametrize(("name", "options"), LISTED)
def test_twenty_steps_are_pytorchs(name: str, options: dict[str, Any]) -> None:
    ours, theirs = Problem(tg), Problem(torch)
    for problem in (ours, theirs):
        make = getattr(problem.lib.optim, name)
        problem.train(make(problem.groups(options), **options), range(STEPS))
    assert_close(ours.values(), theirs.values())
    assert max(float(np.abs(a - b).max()) for a, b in zip(ours.values(), START, strict=True)) > 1e-4


@pytest.mark.parametrize(("name", "options"), LISTED)
def test_a_state_of_pytorch_loads_and_goes_on(name: str, options: dict[str, Any]) -> None:
    theirs = Problem(torch)
    there = getattr(torch.optim, name)(theirs.groups(options), **options)
    theirs.train(there, range(7))
    ours = Problem(tg, theirs.values())
    here = getattr(tg.optim, name)(ours.groups(options), **options)
    here.load_state_dict(as_arrays(there.state_dict()))
    theirs.train(there, range(7, STEPS))
    ours.train(here, range(7, STEPS))
    assert_close(ours.values(), theirs.values())
    mine, other = here.state_dict(), as_arrays(there.state_dict())
    assert mine["state"].keys() == other["state"].keys()
    for key, entry in other["state"].items():
        assert mine["state"][key].keys() == entry.keys()
        for part, value in entry.items():
            np.testing.assert_allclose(np.asarray(mine["state"][key][part]), value, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", [*CASES, "Muon", "LBFGS"])
def test_signatures_and_defaults_are_pytorchs(name: str) -> None:
    left_out = {"foreach", "fused", "capturable", "differentiable"}
    theirs = inspect.signature(getattr(torch.optim, name)).parameters
    ours = inspect.signature(getattr(tg.optim, name)).parameters
    facts = [
        [(p.name, p.default, p.kind) for p in one.values() if p.name not in left_out]
        for one in (ours, theirs)
    ]
    if name in ("RMSprop", "ASGD", "Adagrad", "Adadelta"):  # maximize stands behind what is left out
        facts = [[(n, d) for n, d, _ in one] for one in facts]
    if name == "Muon":
        facts = [sorted(map(str, one)) for one in facts]
    assert facts[0] == facts[1]


def test_all_of_pytorchs_are_here() -> None:
    left_out = {"SparseAdam"}  # gradients are dense here
    theirs = {name for name, one in vars(torch.optim).items() if isinstance(one, type)}
    assert {name for name in theirs if not hasattr(tg.optim, name)} == left_out


@pytest.mark.parametrize("name", CASES)
def test_learning_rates_that_change_and_closures(name: str) -> None:
    """As schedules change them, and with the loss that a closure returns."""
    ours, theirs = Problem(tg), Problem(torch)
    losses: list[list[float]] = [[], []]
    for problem, found in zip((ours, theirs), losses, strict=True):
        optimizer = getattr(problem.lib.optim, name)(problem.parameters, lr=0.05)
        for step in range(STEPS):

            def closure(problem: Any = problem, optimizer: Any = optimizer, step: int = step) -> Any:
                optimizer.zero_grad()
                loss = problem.loss(step)
                loss.backward()
                return loss

            found.append(float(optimizer.step(closure).item()))
            optimizer.param_groups[0]["lr"] = 0.05 * 0.9**step
    assert_close(ours.values(), theirs.values())
    np.testing.assert_allclose(*losses, rtol=1e-9)


LBFGS_CASES = [
    {"lr": 0.1, "max_iter": 6},
    {"lr": 0.5, "max_iter": 10, "history_size": 3},
    {"line_search_fn": "strong_wolfe", "max_iter": 4},
    {"line_search_fn": "strong_wolfe", "max_iter": 8, "max_eval": 5, "history_size": 2},
    {"line_search_fn": "strong_wolfe", "lr": 0.01, "tolerance_change": 1e-3, "tolerance_grad": 1e-3},
]


def lbfgs_losses(problem: Problem, optimizer: Any, steps: int) -> list[float]:
    calls: list[float] = []

    def closure() -> Any:
        optimizer.zero_grad()
        loss = problem.loss(0)
        loss.backward()
        calls.append(float(loss.item()))
        return loss

    for _ in range(steps):
        optimizer.step(closure)
    return calls


@pytest.mark.parametrize("options", LBFGS_CASES)
def test_lbfgs_evaluates_where_pytorch_does(options: dict[str, Any]) -> None:
    ours, theirs = [
        (problem := Problem(lib), lbfgs_losses(problem, lib.optim.LBFGS(problem.parameters, **options), 3))
        for lib in (tg, torch)
    ]
    np.testing.assert_allclose(ours[1], theirs[1], rtol=1e-9)
    assert_close(ours[0].values(), theirs[0].values())


def test_lbfgs_goes_on_from_pytorchs_state() -> None:
    options = {"max_iter": 3, "line_search_fn": "strong_wolfe"}
    theirs = Problem(torch)
    there = torch.optim.LBFGS(theirs.parameters, **options)
    lbfgs_losses(theirs, there, 2)
    ours = Problem(tg, theirs.values())
    here = tg.optim.LBFGS(ours.parameters, **options)
    here.load_state_dict(as_arrays(there.state_dict()))
    np.testing.assert_allclose(lbfgs_losses(ours, here, 2), lbfgs_losses(theirs, there, 2), rtol=1e-9)
    assert_close(ours.values(), theirs.values())


@pytest.mark.parametrize("name", [name for name in [*CASES, "LBFGS"] if name != "Adafactor"])
def test_complex_parameters(name: str) -> None:
    start = RNG.normal(size=(3, 2)) + 1j * RNG.normal(size=(3, 2))
    goal = RNG.normal(size=(3, 2)) + 1j * RNG.normal(size=(3, 2))
    extra = {"momentum": 0.9, "weight_decay": 0.1} if name in ("SGD", "RMSprop") else {}
    found = []
    for lib in (tg, torch):
        z = tg.nn.Parameter(start) if lib is tg else torch.nn.Parameter(torch.tensor(start))
        to = goal if lib is tg else torch.tensor(goal)
        optimizer = getattr(lib.optim, name)([z], lr=0.05, **extra)

        def closure(z: Any = z, to: Any = to, lib: Any = lib, optimizer: Any = optimizer) -> Any:
            optimizer.zero_grad()
            d = z * z - to
            loss = (d.real * d.real + d.imag * d.imag).sum()
            loss.backward()
            return loss

        for _ in range(8):
            optimizer.step(closure)
        found.append(np.array(z.detach().numpy()))
    np.testing.assert_allclose(*found, rtol=1e-9)


@pytest.mark.parametrize(
    "options", [{}, {"nesterov": False, "adjust_lr_fn": "match_rms_adamw", "weight_decay": 0.0}]
)
def test_muon_is_pytorchs_up_to_its_bfloat16(options: dict[str, Any]) -> None:
    start, found = [RNG.normal(size=(4, 6)), RNG.normal(size=(6, 3))], []
    for lib in (tg, torch):
        ws = [tg.nn.Parameter(one) if lib is tg else torch.nn.Parameter(torch.tensor(one)) for one in start]
        optimizer = lib.optim.Muon(ws, lr=0.1, **options)
        for _ in range(5):
            optimizer.zero_grad()
            lib.exp(0.3 * (ws[0] @ ws[1])).sum().backward()
            optimizer.step()
        found.append([w.detach().numpy() for w in ws])
    for a, b, before in zip(*found, start, strict=True):
        assert np.abs(a - b).max() < 0.15 * np.abs(a - before).max()


@pytest.mark.parametrize("order", [1, 2, 3.5, float("inf")])
def test_clipping(order: float) -> None:
    found = []
    for lib in (tg, torch):
        problem = Problem(lib)
        problem.loss(1).backward()  # without a gradient of the fourth
        total = lib.nn.utils.clip_grad_norm_(problem.parameters, 0.5, order)
        lib.nn.utils.clip_grad_value_(problem.parameters, 0.05)
        gradients = [p.grad for p in problem.parameters if p.grad is not None]
        found.append(
            [float(total), float(lib.nn.utils.get_total_norm(gradients)), *[g.numpy() for g in gradients]]
        )
    assert_close(*found)
    assert len(found[0]) == 6


@pytest.mark.parametrize(
    "make", ["get_ema_avg_fn", "get_swa_avg_fn", "get_ema_multi_avg_fn", "get_swa_multi_avg_fn"]
)
def test_averages(make: str) -> None:
    found = []
    for lib in (tg, torch):
        layer = lib.nn.Linear(3, 2).double()
        optimizer = lib.optim.SGD(layer.parameters(), lr=1.0)
        utils = tg.optim.swa_utils if lib is tg else torch.optim.swa_utils
        kind = "multi_avg_fn" if "multi" in make else "avg_fn"
        averaged = utils.AveragedModel(
            layer, **{kind: getattr(utils, make)(*([0.7] if "ema" in make else []))}
        )
        with lib.no_grad():
            for p in layer.parameters():
                p *= 0
        for step in range(5):
            for i, p in enumerate(layer.parameters()):
                p.grad = lib.ones(p.shape, dtype=lib.float64) * (step + i)
            optimizer.step()
            averaged.update_parameters(layer)
        found.append([p.detach().numpy() for p in averaged.parameters()])
    assert_close(*found)
