"""Optimizers: steps by their formulas, groups, hooks, states that are saved, and what is refused."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import optim
from tensorgrad.optim import book

ELEMENTWISE = [
    "SGD",
    "Adagrad",
    "Adadelta",
    "RMSprop",
    "Adam",
    "AdamW",
    "Adamax",
    "NAdam",
    "RAdam",
    "Rprop",
    "ASGD",
    "Lion",
]
TENSORWISE = ["LAMB", "LARS", "Adafactor", "Muon"]
BOOK = ["SGD", "Adagrad", "RMSprop", "Adam"]
OPTIONS: dict[str, dict[str, Any]] = {
    "SGD": {"momentum": 0.9, "weight_decay": 0.1},
    "RMSprop": {"momentum": 0.5, "centered": True},
    "Adam": {"amsgrad": True},
}
MAKERS: dict[str, Callable[..., Any]] = {
    **{name: getattr(optim, name) for name in (*ELEMENTWISE, *TENSORWISE)},
    **{f"book.{name}": getattr(book, name) for name in BOOK},
}


def make(name: str, ps: Any, **options: Any) -> Any:
    return MAKERS[name](ps, lr=0.1, **OPTIONS.get(name, {}), **options)


def matrices(count: int = 3, dtype: Any = np.float64) -> list[Any]:
    rng = np.random.default_rng(3)
    return [tg.nn.Parameter(rng.normal(size=(3, 2)).astype(dtype)) for _ in range(count)]


def step(optimizer: Any, seed: int) -> None:
    rng = np.random.default_rng(seed)
    for group in optimizer.param_groups:
        for p in group["params"]:
            p.grad = rng.normal(size=p.shape).astype(p.dtype)
    optimizer.step()


def values(ps: list[Any]) -> Any:
    return np.stack([p.numpy() for p in ps])


# ---- the formulas, on numbers


def descend(optimizer: Any, p: Any, gradients: list[float]) -> list[float]:
    found = []
    for g in gradients:
        p.grad = np.float64(g)
        optimizer.step()
        found.append(p.item())
    return found


def lion(
    x: float, gs: list[float], lr: float = 0.1, b1: float = 0.9, b2: float = 0.99, wd: float = 0.5
) -> list[float]:
    m, found = 0.0, []
    for g in gs:
        x = x - lr * (np.sign(b1 * m + (1 - b1) * g) + wd * x)
        m = b2 * m + (1 - b2) * g
        found.append(x)
    return found


def test_lion_is_the_papers_program() -> None:
    p, gs = tg.nn.Parameter(np.float64(2.0)), [1.0, -0.05, -3.0, 0.0, 2.0]
    found = descend(optim.Lion([p], lr=0.1, weight_decay=0.5), p, gs)
    np.testing.assert_allclose(found, lion(2.0, gs), rtol=1e-12)


@pytest.mark.parametrize("decay", [0.0, 0.3])
def test_lamb_is_the_papers_algorithm(decay: float) -> None:
    (p,), rng = matrices(1), np.random.default_rng(9)
    x, m, v = p.numpy().copy(), np.zeros((3, 2)), np.zeros((3, 2))
    optimizer = optim.LAMB([p], lr=0.05, betas=(0.8, 0.9), eps=1e-3, weight_decay=decay)
    for t in range(1, 21):
        g = rng.normal(size=(3, 2))
        p.grad = g
        optimizer.step()
        m, v = 0.8 * m + 0.2 * g, 0.9 * v + 0.1 * g**2
        r = m / (1 - 0.8**t) / (np.sqrt(v / (1 - 0.9**t)) + 1e-3) + decay * x
        x = x - 0.05 * np.linalg.norm(x) / np.linalg.norm(r) * r
        np.testing.assert_allclose(p.numpy(), x, rtol=1e-12)


def test_a_trust_ratio_of_zeros_is_one() -> None:
    p, q = tg.nn.Parameter(np.zeros(2)), tg.nn.Parameter(np.zeros(2))
    for optimizer in (optim.LAMB([p], lr=0.1), optim.LARS([q], lr=0.1)):
        optimizer.param_groups[0]["params"][0].grad = [1.0, 1.0]
        optimizer.step()
    np.testing.assert_allclose(p.numpy(), [-0.1, -0.1], rtol=1e-5)
    np.testing.assert_allclose(q.numpy(), [-0.1, -0.1], rtol=1e-12)


def test_lars_is_the_papers_algorithm() -> None:
    (p,), rng = matrices(1), np.random.default_rng(9)
    x, b = p.numpy().copy(), np.zeros((3, 2))
    optimizer = optim.LARS([p], lr=0.5, momentum=0.8, weight_decay=0.2, trust_coefficient=0.1)
    for _ in range(5):
        g = rng.normal(size=(3, 2))
        p.grad = g
        optimizer.step()
        size = np.linalg.norm(x)
        b = 0.8 * b + 0.5 * 0.1 * size / (np.linalg.norm(g) + 0.2 * size) * (g + 0.2 * x)
        x = x - b
        np.testing.assert_allclose(p.numpy(), x, rtol=1e-12)


@pytest.mark.parametrize("shape", [(4, 3), (3, 5), (2, 2)])
@pytest.mark.parametrize("nesterov", [False, True])
def test_muon_changes_the_singular_values_only(shape: tuple[int, int], nesterov: bool) -> None:
    """The polynomial on the singular values, which the iteration on matrices never computes."""
    rng = np.random.default_rng(4)
    p = tg.nn.Parameter(rng.normal(size=shape))
    x, b = p.numpy().copy(), np.zeros(shape)
    optimizer = optim.Muon([p], lr=0.1, weight_decay=0.2, momentum=0.9, nesterov=nesterov)
    for _ in range(20):
        g = rng.normal(size=shape)
        p.grad = g
        optimizer.step()
        b = 0.9 * b + 0.1 * g
        u, s, vt = np.linalg.svd(0.1 * g + 0.9 * b if nesterov else b, full_matrices=False)
        s = s / np.sqrt((s * s).sum())
        for _ in range(5):
            s = 3.4445 * s - 4.7750 * s**3 + 2.0315 * s**5
        x = x * (1 - 0.1 * 0.2) - 0.1 * max(1, shape[0] / shape[1]) ** 0.5 * (u * s) @ vt
        np.testing.assert_allclose(p.numpy(), x, rtol=1e-9, atol=1e-9)


def books_own(name: str, w: Any, gradients: list[Any], lr: float, decay: float, **more: float) -> list[Any]:
    """The updates of chapter 10, written out."""
    found, eps = [], 1e-7
    momentum = cache = np.zeros_like(w)
    for iterations, g in enumerate(gradients):
        rate = lr * (1.0 / (1.0 + decay * iterations))
        if name == "SGD":
            momentum = more["momentum"] * momentum - rate * g
            w = w + momentum
        elif name == "Adagrad":
            cache = cache + g**2
            w = w + -rate * g / (np.sqrt(cache) + eps)
        elif name == "RMSprop":
            cache = more["rho"] * cache + (1 - more["rho"]) * g**2
            w = w + -rate * g / (np.sqrt(cache) + eps)
        else:
            b1, b2 = more["beta_1"], more["beta_2"]
            momentum = b1 * momentum + (1 - b1) * g
            corrected = momentum / (1 - b1 ** (iterations + 1))
            cache = b2 * cache + (1 - b2) * g**2
            root = np.sqrt(cache / (1 - b2 ** (iterations + 1)))
            w = w + -rate * corrected / (root + eps)
        found.append(w)
    return found


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("SGD", {"momentum": 0.0}),
        ("SGD", {"momentum": 0.9}),
        ("Adagrad", {}),
        ("RMSprop", {"rho": 0.9}),
        ("Adam", {"beta_1": 0.9, "beta_2": 0.999}),
    ],
)
def test_the_book(name: str, options: dict[str, float]) -> None:
    (p,), rng = matrices(1), np.random.default_rng(6)
    gradients = [rng.normal(size=(3, 2)) for _ in range(20)]
    wanted = books_own(name, p.numpy().copy(), gradients, 0.05, 1e-2, **options)
    optimizer = getattr(book, name)([p], lr=0.05, decay=1e-2, **options)
    for iteration, (g, w) in enumerate(zip(gradients, wanted, strict=True)):
        assert optimizer.iterations == iteration
        assert optimizer.current_learning_rate == pytest.approx(0.05 / (1 + 1e-2 * iteration), rel=1e-15)
        p.grad = g
        optimizer.step()
        np.testing.assert_allclose(p.numpy(), w, rtol=1e-12)


def test_the_books_defaults() -> None:
    defaults = {
        "SGD": {"lr": 1.0, "decay": 0.0, "momentum": 0.0},
        "Adagrad": {"lr": 1.0, "decay": 0.0, "epsilon": 1e-7},
        "RMSprop": {"lr": 0.001, "decay": 0.0, "epsilon": 1e-7, "rho": 0.9},
        "Adam": {"lr": 0.001, "decay": 0.0, "epsilon": 1e-7, "beta_1": 0.9, "beta_2": 0.999},
    }
    for name, expected in defaults.items():
        assert getattr(book, name)(matrices(1)).defaults == expected


def test_momentum_inside_and_outside_the_learning_rate() -> None:
    """They agree while the rate stands, and part when it changes."""
    p, q = tg.nn.Parameter(np.float64(1.0)), tg.nn.Parameter(np.float64(1.0))
    ours, theirs = optim.SGD([p], lr=0.1, momentum=0.5), book.SGD([q], lr=0.1, momentum=0.5)
    assert descend(ours, p, [1.0, 1.0]) == pytest.approx(descend(theirs, q, [1.0, 1.0]))
    ours.param_groups[0]["lr"] = theirs.param_groups[0]["lr"] = 0.01
    assert descend(ours, p, [0.0]) == pytest.approx([0.75 - 0.01 * 0.75])
    assert descend(theirs, q, [0.0]) == pytest.approx([0.75 - 0.1 * 0.75])


def test_sam_steps_by_the_gradient_uphill() -> None:
    w = tg.nn.Parameter(np.array([3.0, 4.0]))
    optimizer = optim.SAM(optim.SGD([w], lr=0.1, momentum=0.9), rho=0.5)
    seen: list[Any] = []

    def closure() -> Any:
        optimizer.zero_grad()
        seen.append(w.numpy().copy())
        loss = (w**3).sum()
        loss.backward()
        return loss

    loss = optimizer.step(closure)
    assert loss.item() == 91.0
    g = 3 * np.array([3.0, 4.0]) ** 2
    up = np.array([3.0, 4.0]) + 0.5 * g / np.linalg.norm(g)
    np.testing.assert_allclose(seen, [[3.0, 4.0], up], rtol=1e-12)
    np.testing.assert_allclose(w.numpy(), [3.0, 4.0] - 0.1 * 3 * up**2, rtol=1e-12)
    with pytest.raises(ValueError, match="closure"):
        optimizer.step()


def test_sam_puts_the_parameters_back_when_the_closure_fails() -> None:
    w = tg.nn.Parameter([3.0])
    optimizer, calls = optim.SAM(optim.SGD([w]), rho=0.5), [1]

    def closure() -> Any:
        if not calls.pop():
            raise KeyboardInterrupt
        calls.append(0)
        w.grad = [1.0]
        return 0.0

    with pytest.raises(KeyboardInterrupt):
        optimizer.step(closure)
    assert w.item() == 3.0


def test_lookahead_goes_half_the_way_every_k_steps() -> None:
    w = tg.nn.Parameter(np.array([1.0]))
    optimizer = optim.Lookahead(optim.SGD([w], lr=0.1), k=2, alpha=0.5)
    found, slow, fast = [], 1.0, 1.0
    for t in range(1, 6):
        w.grad = [float(t)]
        optimizer.step()
        fast -= 0.1 * t
        if t % 2 == 0:
            slow = fast = slow + 0.5 * (fast - slow)
        found.append((w.item(), fast))
    np.testing.assert_allclose(*zip(*found, strict=True), rtol=1e-12)
    state = optimizer.state_dict()
    v = tg.nn.Parameter(w.numpy())
    other = optim.Lookahead(optim.SGD([v], lr=0.1), k=2, alpha=0.5)
    other.load_state_dict(state)
    for one in (w, v):
        one.grad = [1.0]
    optimizer.step()
    other.step()
    assert v.item() == w.item()


@pytest.mark.parametrize("name", MAKERS)
def test_a_step_lowers_a_loss(name: str) -> None:
    ps = matrices()
    optimizer = MAKERS[name](ps, **({"lr": 0.01} if name == "book.SGD" else {}))

    def closure() -> Any:
        optimizer.zero_grad()
        loss = sum((p * p).sum() for p in ps)
        loss.backward()
        return loss

    losses = [optimizer.step(closure).item() for _ in range(5)]
    assert all(b < a for a, b in pairwise(losses))


# ---- groups


@pytest.mark.parametrize("name", MAKERS)
def test_groups_have_options_of_their_own(name: str) -> None:
    ps, alone = matrices(2), matrices(2)
    optimizer = make(name, [{"params": ps[:1]}, {"params": [ps[1]], "lr": 0.02}])
    others = [make(name, alone[:1]), make(name, [{"params": alone[1], "lr": 0.02}])]
    for seed in range(3):
        rng = np.random.default_rng(seed)
        for p, q in zip(ps, alone, strict=True):
            p.grad = rng.normal(size=p.shape)
            q.grad = p.grad
        optimizer.step()
        for other in others:
            other.step()
    np.testing.assert_array_equal(values(ps), values(alone))


def test_names_options_and_looks() -> None:
    weight, bias = matrices(2)
    optimizer = optim.SGD([("weight", weight), ("bias", bias)], lr=0.5)
    assert optimizer.param_groups[0]["param_names"] == ["weight", "bias"]
    assert optimizer.param_groups[0]["params"] == [weight, bias]
    assert repr(optimizer) == (
        "SGD (\nParameter Group 0\n    dampening: 0\n    lr: 0.5\n    maximize: False\n    momentum: 0\n"
        "    nesterov: False\n    param_names: ['weight', 'bias']\n    weight_decay: 0\n)"
    )
    with pytest.raises(ValueError, match="either all parameter groups have names or none"):
        optimizer.add_param_group({"params": matrices(1)})
    with pytest.raises(ValueError, match="1 of 2 parameters have no name"):
        optim.SGD([("weight", weight), bias])


def test_a_group_joins_later() -> None:
    ps = matrices(2)
    optimizer = optim.Adam(ps[:1], lr=0.1)
    step(optimizer, 0)
    optimizer.add_param_group({"params": ps[1], "lr": 0.5, "tag": "head"})
    step(optimizer, 1)
    assert [group["lr"] for group in optimizer.param_groups] == [0.1, 0.5]
    assert optimizer.param_groups[1]["tag"] == "head"
    assert [optimizer.state[p]["step"] for p in ps] == [2, 1]


def test_options_are_read_at_each_step() -> None:
    w = tg.nn.Parameter(np.float64(1.0))
    optimizer = optim.SGD([w], lr=1.0)
    assert descend(optimizer, w, [1.0]) == [0.0]
    optimizer.param_groups[0].update(lr=np.float64(0.5), momentum=0.5)
    assert descend(optimizer, w, [1.0, 1.0]) == [-0.5, -1.25]


def test_a_rate_of_numpy_keeps_float32_arithmetic() -> None:
    start = np.random.default_rng(0).normal(size=1000).astype(np.float32)
    ps, qs = [tg.nn.Parameter(start)], [tg.nn.Parameter(start)]
    one, two = optim.Adam(ps, lr=0.1), optim.Adam(qs, lr=0.1)
    two.param_groups[0]["lr"] = np.float64(0.1)
    step(one, 0)
    step(two, 0)
    np.testing.assert_array_equal(values(ps), values(qs))


def test_zero_grad() -> None:
    w, frozen = matrices(2)
    frozen.requires_grad = False
    optimizer = optim.SGD([w, frozen])
    w.grad = np.ones((3, 2))
    optimizer.zero_grad(set_to_none=False)
    np.testing.assert_array_equal(w.grad.numpy(), np.zeros((3, 2)))
    optimizer.zero_grad()
    assert w.grad is None and frozen.grad is None


def test_a_gradient_of_zero_counts_and_none_does_not() -> None:
    a, b = matrices(2)
    optimizer = optim.Adam([a, b], weight_decay=0.1)
    before = b.numpy().copy()
    a.grad = np.zeros((3, 2))
    optimizer.step()
    assert optimizer.state[a]["step"] == 1 and b not in optimizer.state
    np.testing.assert_array_equal(b.numpy(), before)


# ---- closures and hooks


def test_a_closure_records_also_within_no_grad() -> None:
    (w,) = matrices(1)
    optimizer = optim.SGD([w], lr=0.1)
    with tg.no_grad():
        loss = optimizer.step(lambda: (optimizer.zero_grad(), (loss := (w * w).sum()).backward(), loss)[2])
    assert loss.requires_grad and not np.isnan(w.numpy()).any()


@pytest.mark.parametrize("name", ["SGD", "LAMB", "LBFGS", "book.Adam"])
def test_hooks_run_once_around_a_step(name: str) -> None:
    (w,) = matrices(1)
    optimizer = optim.LBFGS([w]) if name == "LBFGS" else make(name, [w])
    heard: list[Any] = []
    before = optimizer.register_step_pre_hook(lambda one, args, kwargs: heard.append((one, args, kwargs)))
    optimizer.register_step_post_hook(lambda one, args, kwargs: heard.append("after"))

    def closure() -> Any:
        w.grad = np.ones((3, 2))
        return 1.0

    optimizer.step(closure)
    assert heard == [(optimizer, (closure,), {}), "after"]
    before.remove()
    optimizer.step(closure=closure)
    assert heard[2:] == ["after"]


def test_a_hook_may_change_the_arguments() -> None:
    (w,) = matrices(1)
    optimizer = optim.SGD([w])
    optimizer.register_step_pre_hook(lambda one, args, kwargs: ((lambda: 5.0,), {}))
    assert optimizer.step() == 5.0


def test_an_optimizer_of_ones_own() -> None:
    class Signs(optim.Optimizer):
        def __init__(self, params: Any, lr: float) -> None:
            super().__init__(params, {"lr": lr})

        def step(self, closure: Any = None) -> None:
            for p, g, state, group in self.gradients():
                state["step"] = state.get("step", 0) + 1
                self.write(p, p.numpy() - group["lr"] * np.sign(g))

    w = tg.nn.Parameter([1.0, 2.0])
    optimizer = Signs([w], lr=0.5)
    heard: list[str] = []
    optimizer.register_step_post_hook(lambda *_: heard.append("after"))
    w.grad = [3.0, -3.0]
    optimizer.step()
    np.testing.assert_array_equal(w.numpy(), [0.5, 2.5])
    assert heard == ["after"] and optimizer.state_dict()["state"] == {0: {"step": 1}}


def test_a_rule_of_ones_own() -> None:
    class Plain(optim.Elementwise):
        def rule(self, group: Any, numbers: Any, held: Any) -> Any:
            numbers["step"] += 1

            def update(p: Any, g: Any, state: Any, work: Any) -> None:
                p -= np.multiply(g, group["lr"] / numbers["step"], out=work[0])

            return update

    w = tg.nn.Parameter(np.float64(1.0))
    assert descend(Plain([w], {"lr": 1.0}), w, [1.0, 1.0]) == [0.0, -0.5]


# ---- saving


@pytest.mark.parametrize("name", [*MAKERS, "LBFGS"])
def test_a_run_goes_on_bit_for_bit_from_a_saved_state(name: str) -> None:
    def new(ps: list[Any]) -> Any:
        return optim.LBFGS(ps, lr=0.1, max_iter=3) if name == "LBFGS" else make(name, ps)

    def go(optimizer: Any, ps: list[Any], seed: int) -> None:
        if name != "LBFGS":
            return step(optimizer, seed)

        def closure() -> Any:
            optimizer.zero_grad()
            loss = sum(tg.cosh(p * p).sum() for p in ps)
            loss.backward()
            return loss

        optimizer.step(closure)

    ps = matrices()
    optimizer = new(ps)
    for seed in range(4):
        go(optimizer, ps, seed)
    state, start = optimizer.state_dict(), [tg.nn.Parameter(p.numpy()) for p in ps]
    frozen = copy.deepcopy(state)
    for seed in range(4, 7):
        go(optimizer, ps, seed)
    other = new(start)
    other.load_state_dict(state)
    for seed in range(4, 7):
        go(other, start, seed)
    np.testing.assert_array_equal(values(start), values(ps))
    again = new([tg.nn.Parameter(p.numpy()) for p in start])
    again.load_state_dict(state)  # neither optimizer wrote to it
    assert repr(again.state_dict()) == repr(frozen)


def test_the_layout_of_a_state() -> None:
    ps = matrices(3, np.float32)
    optimizer = optim.Adam([{"params": ps[:1]}, {"params": ps[1:], "lr": 0.5}])
    ps[0].grad = ps[2].grad = np.ones((3, 2))
    optimizer.step()
    state = optimizer.state_dict()
    assert state["state"].keys() == {0, 2}
    assert [group["params"] for group in state["param_groups"]] == [[0], [1, 2]]
    assert state["param_groups"][1]["lr"] == 0.5 and state["param_groups"][0]["betas"] == (0.9, 0.999)
    entry = state["state"][2]
    assert entry.keys() == {"step", "exp_avg", "exp_avg_sq"} and entry["step"] == 1
    assert type(entry["exp_avg"]) is tg.Tensor and entry["exp_avg"].shape == (3, 2)
    np.testing.assert_allclose(entry["exp_avg"].numpy(), 0.1 * np.ones((3, 2)), rtol=1e-6)
    assert optimizer.state[ps[2]].keys() == entry.keys()


def test_a_state_is_a_copy_in_both_directions() -> None:
    (w,) = matrices(1)
    optimizer = optim.SGD([w], lr=0.1, momentum=0.9)
    step(optimizer, 0)
    state = optimizer.state_dict()
    kept = state["state"][0]["momentum_buffer"].numpy().copy()
    arrays = {"state": {0: {"momentum_buffer": kept.copy()}}, "param_groups": state["param_groups"]}
    optimizer.load_state_dict(arrays)
    arrays["state"][0]["momentum_buffer"][...] = 7
    step(optimizer, 1)
    np.testing.assert_array_equal(state["state"][0]["momentum_buffer"].numpy(), kept)
    assert not np.array_equal(optimizer.state[w]["momentum_buffer"].numpy(), kept)
    assert optimizer.state[w]["momentum_buffer"].numpy().max() < 7


def test_options_come_with_the_state_and_unknown_ones_stay() -> None:
    (w,) = matrices(1)
    optimizer = optim.Adam([w])
    state = optimizer.state_dict()
    state["param_groups"][0].update(lr=0.25, betas=[0.5, 0.6], foreach=None, initial_lr=1.0)
    optimizer.load_state_dict(state)
    group = optimizer.param_groups[0]
    assert (group["lr"], group["betas"], group["foreach"], group["initial_lr"]) == (
        0.25,
        (0.5, 0.6),
        None,
        1.0,
    )


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda s: s.pop("state"), "keys 'state' and 'param_groups'"),
        (lambda s: s["param_groups"].pop(), r"have \[1\] parameters and this optimizer's have \[1, 2\]"),
        (lambda s: s["param_groups"][1]["params"].pop(), r"\[1, 1\] parameters"),
        (lambda s: s["param_groups"][1].update(params=[1, 1]), "two places"),
        (lambda s: s["param_groups"][1].update(lr=-1.0), "lr is -1.0"),
        (lambda s: s["state"].update({9: {}}), r"\[9\], which is no number"),
        (
            lambda s: s["state"][1].update(exp_avg=np.zeros((2, 3))),
            r"parameter 1: the state 'exp_avg' has shape \(2, 3\)",
        ),
        (lambda s: s["state"][1].pop("exp_avg"), "parameter 1 lacks the state 'exp_avg'"),
        (lambda s: s["state"][1].pop("step"), "lacks the state 'step'"),
        (lambda s: s["state"][1].update(sum=np.zeros((3, 2))), "state 'sum', which Adam does not keep"),
    ],
)
def test_a_state_that_does_not_fit_changes_nothing(change: Any, says: str) -> None:
    ps, qs = matrices(), matrices()
    optimizer, twin = [optim.Adam([{"params": one[:1]}, {"params": one[1:]}], lr=0.1) for one in (ps, qs)]
    for one in (optimizer, twin):
        step(one, 0)
    state = optimizer.state_dict()
    change(state)
    with pytest.raises(ValueError, match=says):
        optimizer.load_state_dict(state)
    for one in (optimizer, twin):
        step(one, 1)
    np.testing.assert_array_equal(values(ps), values(qs))


@pytest.mark.parametrize("name", TENSORWISE)
def test_a_state_of_another_kind_is_refused(name: str) -> None:
    ps = matrices()
    optimizer, adam = make(name, ps), optim.Adagrad(matrices())
    step(optimizer, 0)
    step(adam, 0)
    state = {**optimizer.state_dict(), "state": adam.state_dict()["state"]}
    with pytest.raises(ValueError, match=f"{name} keeps"):
        optimizer.load_state_dict(state)
    state = optimizer.state_dict()
    part = next(key for key in state["state"][0] if key != "step")
    state["state"][0][part] = np.zeros((7,))
    with pytest.raises(tg.ShapeError, match=f"'{part}' has shape \\(7,\\)"):
        optimizer.load_state_dict(state)


# ---- what is refused


def test_what_is_no_parameter() -> None:
    (w,) = matrices(1)
    for params, error, says in (
        ([], ValueError, "params is empty"),
        (w, TypeError, "single Parameter; give a list"),
        ([np.ones(3)], TypeError, "parameter 0 is a ndarray"),
        ([w, 2.0], TypeError, "parameter 1 is a float"),
        ([w * 2], ValueError, "computed from others"),
        ([w, w], ValueError, "given twice"),
        ([{"params": [w]}, {"params": [w]}], ValueError, "given twice"),
        ([{"lr": 0.1}], TypeError, "the key 'params'"),
        ([{"params": {w}}], TypeError, "a set, whose order"),
    ):
        with pytest.raises(error, match=says):
            optim.SGD(params)  # type: ignore[arg-type]


BAD: list[tuple[str, dict[str, Any]]] = [
    *[(name, {"lr": -0.1}) for name in MAKERS],
    *[(name, {"lr": float("nan")}) for name in ("SGD", "Adam")],
    *[
        (name, {"weight_decay": -1})
        for name in MAKERS
        if "weight_decay" in inspect.signature(MAKERS[name]).parameters
    ],
    *[
        (name, {"eps": -1})
        for name in ("Adagrad", "Adadelta", "RMSprop", "Adam", "Adamax", "NAdam", "RAdam", "LAMB")
    ],
    *[
        (name, {"betas": (1.0, 0.9)})
        for name in ("Adam", "AdamW", "Adamax", "NAdam", "RAdam", "Lion", "LAMB")
    ],
    ("Adam", {"betas": (0.9, -0.1)}),
    ("Adam", {"betas": 0.9}),
    ("Adam", {"lr": "fast"}),
    ("SGD", {"momentum": -1}),
    ("SGD", {"nesterov": True}),
    ("SGD", {"nesterov": True, "momentum": 0.9, "dampening": 0.1}),
    ("Adagrad", {"lr_decay": -1}),
    ("Adagrad", {"initial_accumulator_value": -1}),
    ("Adadelta", {"rho": 1.5}),
    ("RMSprop", {"alpha": -1}),
    ("NAdam", {"momentum_decay": -1}),
    ("Rprop", {"etas": (1.5, 0.5)}),
    ("Rprop", {"step_sizes": (2.0, 1.0)}),
    ("Adafactor", {"beta2_decay": 0.5}),
    ("Adafactor", {"d": 0.5}),
    ("Adafactor", {"eps": (-1.0, 1e-3)}),
    ("Muon", {"adjust_lr_fn": "other"}),
    ("Muon", {"ns_steps": 100}),
    ("book.Adam", {"beta_1": 1.0}),
    ("book.SGD", {"decay": -1}),
]


@pytest.mark.parametrize(("name", "options"), BAD)
def test_options_out_of_their_range(name: str, options: dict[str, Any]) -> None:
    ps = matrices()
    with pytest.raises(ValueError, match=name.rpartition(".")[2]):
        MAKERS[name](ps, **options)
    optimizer = MAKERS[name](ps[:1])
    with pytest.raises(ValueError, match=name.rpartition(".")[2]):
        optimizer.add_param_group({"params": ps[1:], **options})
    assert len(optimizer.param_groups) == 1


def test_what_single_optimizers_cannot_do() -> None:
    z, vector, single = tg.nn.Parameter([1j]), tg.nn.Parameter([1.0]), tg.nn.Parameter(np.float32([[1]]))
    for name in TENSORWISE:
        with pytest.raises(tg.DtypeError, match=f"{name}: .*complex64"):
            make(name, [z])
    with pytest.raises(tg.ShapeError, match=r"Muon: a parameter has shape \(1,\).*AdamW"):
        optim.Muon([vector])
    with pytest.raises(ValueError, match="there can be one group only"):
        optim.LBFGS([{"params": [vector]}, {"params": [single]}])
    with pytest.raises(ValueError, match=r"LBFGS\.step: a closure"):
        optim.LBFGS([vector]).step()
    with pytest.raises(tg.DtypeError, match="'float32', 'float64'"):
        optim.LBFGS([single, tg.nn.Parameter(np.ones(1))])
    with pytest.raises(ValueError, match="line_search_fn"):
        optim.LBFGS([vector], line_search_fn="armijo")
    with pytest.raises(ValueError, match="rho"):
        optim.SAM(optim.SGD([vector]), rho=-1)
    with pytest.raises(ValueError, match="Lookahead"):
        optim.Lookahead(optim.SGD([vector]), k=0)


@pytest.mark.parametrize("name", MAKERS)
def test_float32_stays_and_infinities_do_not_warn(name: str) -> None:
    ps = matrices(2, np.float32)
    optimizer = make(name, ps)
    step(optimizer, 0)
    assert all(p.dtype == np.float32 for p in ps)
    ps[0].grad = np.float32([[np.inf, 0], [np.nan, 1e38], [0, 0]])
    optimizer.step()
    assert np.isfinite(ps[1].numpy()).all()


@pytest.mark.parametrize("name", [n for n in MAKERS if n != "Muon"])  # which takes matrices only
@pytest.mark.parametrize("shape", [(), (0, 3), (0,), (1, 1), (2, 0, 3)])
def test_parameters_without_axes_or_elements_are_no_exception(name: str, shape: tuple[int, ...]) -> None:
    p, other = tg.nn.Parameter(np.ones(shape)), tg.nn.Parameter(np.ones((2, 2)))
    optimizer = make(name, [p, other])
    step(optimizer, 0)
    assert (p.numpy() != 1).all() and (other.numpy() != 1).all()
    step(optimizer, 1)
    assert (p.shape, p.dtype) == (shape, np.float64)


def test_docstrings_name_every_argument() -> None:
    for maker in (*MAKERS.values(), optim.LBFGS, optim.SAM, optim.Lookahead):
        section = (inspect.getdoc(maker) or "").split("Args:")[1].split("\n\n")[0]
        named = {
            line.split(":")[0].strip()
            for line in section.splitlines()
            if line[:4] == "    " and line[4:5].isalpha()
        }
        assert named == set(inspect.signature(maker).parameters), maker
