"""Penalties, norms that are bounded, and averages of weights."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad.optim import regularise, swa_utils
from tensorgrad.testing import gradcheck


def model() -> Any:
    tg.manual_seed(4)
    return tg.nn.Sequential(tg.nn.Linear(3, 4), tg.nn.Linear(4, 2)).double()


# ---- penalties


def test_weights_and_biases_have_strengths_of_their_own() -> None:
    net = model()
    penalty = regularise.Penalty(weight_l1=0.1, weight_l2=0.2, bias_l1=0.3, bias_l2=0.4)
    found = penalty(net.named_parameters())
    wanted = 0.0
    for layer in net:
        w, b = layer.weight.numpy(), layer.bias.numpy()
        wanted += 0.1 * abs(w).sum() + 0.2 * (w * w).sum() + 0.3 * abs(b).sum() + 0.4 * (b * b).sum()
    assert found.item() == pytest.approx(wanted, rel=1e-12)
    found.backward()
    for layer in net:
        w, b = layer.weight.numpy(), layer.bias.numpy()
        np.testing.assert_allclose(layer.weight.grad.numpy(), 0.1 * np.sign(w) + 0.4 * w, rtol=1e-12)
        np.testing.assert_allclose(layer.bias.grad.numpy(), 0.3 * np.sign(b) + 0.8 * b, rtol=1e-12)
    assert repr(penalty) == "Penalty(weight_l1=0.1, weight_l2=0.2, bias_l1=0.3, bias_l2=0.4, at_zero=0)"


@pytest.mark.parametrize(
    ("name", "bias"),
    [
        ("layer.bias", True),
        ("bias", True),
        ("lstm.bias_ih_l0", True),
        ("attention.in_proj_bias", True),
        ("bias.weight", False),
        ("unbiased", False),
        ("weight", False),
    ],
)
def test_what_is_a_bias(name: str, bias: bool) -> None:
    assert regularise.is_bias(name) is bias


@pytest.mark.parametrize(("at_zero", "slope"), [(0, 0.0), (1, 0.5)])
def test_the_slope_of_the_absolute_value_at_zero(at_zero: int, slope: float) -> None:
    w = tg.nn.Parameter([-2.0, 0.0, 3.0])
    loss = regularise.penalty(w, l1=0.5, at_zero=at_zero)
    assert loss.item() == 2.5
    loss.backward()
    assert w.grad is not None
    np.testing.assert_array_equal(w.grad.numpy(), [-0.5, slope, 0.5])


def test_the_books_regularisation_gradient() -> None:
    """Its L1 derivative is an array of ones, minus one where the weight is negative."""
    w = tg.nn.Parameter(np.array([[0.5, -0.5], [0.0, 2.0]]))
    regularise.penalty([w], l1=3e-3, l2=5e-4, at_zero=1).backward()
    slopes = np.ones((2, 2))
    slopes[w.numpy() < 0] = -1
    np.testing.assert_allclose(w.grad.numpy(), 3e-3 * slopes + 2 * 5e-4 * w.numpy(), rtol=1e-12)


def test_penalties_are_differentiable_twice_and_for_complex_numbers() -> None:
    z = tg.tensor(np.array([1.5 - 2j, 0.5 + 1j]), requires_grad=True)
    assert regularise.penalty(z, l1=1.0, l2=2.0).item() == pytest.approx(2.5 + abs(0.5 + 1j) + 2 * 7.5)
    assert gradcheck(
        lambda x: regularise.penalty(x, 0.3, 0.7), tg.tensor(np.array([0.4, -1.2]), requires_grad=True)
    )


def test_no_strength_is_no_penalty() -> None:
    net = model()
    assert regularise.Penalty()(net.named_parameters()).item() == 0.0
    assert regularise.penalty([]).item() == 0.0
    assert regularise.Penalty(bias_l1=1.0)([("weight", net[0].weight)]).item() == 0.0


def test_strengths_that_cannot_be() -> None:
    with pytest.raises(ValueError, match="weight_l1 is -1"):
        regularise.Penalty(weight_l1=-1)
    with pytest.raises(ValueError, match="l2 is nan"):
        regularise.penalty([], l2=float("nan"))
    with pytest.raises(ValueError, match="at_zero is 2"):
        regularise.Penalty(at_zero=2)


# ---- norms


@pytest.mark.parametrize("norm_type", [1.0, 2.0, 3.0, float("inf")])
def test_rows_shrink_to_the_bound(norm_type: float) -> None:
    w = tg.nn.Parameter(np.array([[3.0, -4.0], [0.1, 0.2], [0.0, 0.0]]))
    before = w.numpy().copy()
    regularise.max_norm_(w, 1.5, norm_type=norm_type)
    norms = np.linalg.norm(w.numpy(), ord=norm_type, axis=1)
    assert norms[0] == pytest.approx(1.5)
    np.testing.assert_array_equal(w.numpy()[1:], before[1:])
    np.testing.assert_allclose(
        w.numpy()[0] / before[0], [norms[0] / np.linalg.norm(before[0], norm_type)] * 2
    )


def test_the_vectors_of_a_norm() -> None:
    kernel, vector, column = (tg.nn.Parameter(np.full(shape, 2.0)) for shape in ((2, 3, 2, 2), (4,), (3, 2)))
    regularise.max_norm_([kernel, vector], 1.0)
    regularise.max_norm_(column, 1.0, axis=0)
    np.testing.assert_allclose(np.sqrt((kernel.numpy() ** 2).sum((1, 2, 3))), [1, 1])
    np.testing.assert_allclose(vector.numpy(), np.full(4, 0.5))
    np.testing.assert_allclose(np.sqrt((column.numpy() ** 2).sum(0)), [1, 1])


def test_a_bound_works_between_steps() -> None:
    w = tg.nn.Parameter(np.array([[3.0, 4.0]]))
    optimizer = tg.optim.SGD([w], lr=1.0)
    for _ in range(2):
        w.grad = [[-3.0, -4.0]]
        optimizer.step()
        regularise.max_norm_(w, 1.0)
        np.testing.assert_allclose(w.numpy(), [[0.6, 0.8]])


def test_bounds_that_cannot_be() -> None:
    w = tg.nn.Parameter([[1.0]])
    for call, error in (
        (lambda: regularise.max_norm_(w, 0), ValueError),
        (lambda: regularise.max_norm_(w, 1, axis=2), tg.ShapeError),
        (lambda: regularise.max_norm_(w * 2, 1), tg.DtypeError),
    ):
        with pytest.raises(error, match="max_norm_"):
            call()


# ---- averages


def shift(net: Any, by: float) -> None:
    with tg.no_grad():
        for p in net.parameters():
            p += by


@pytest.mark.parametrize("multi", [False, True])
def test_averages_are_means_or_moving_ones(multi: bool) -> None:
    net = model()
    start = net[0].weight.numpy().copy()
    swa_fn = {"multi_avg_fn": swa_utils.get_swa_multi_avg_fn()} if multi else {}
    ema_fn = (
        {"multi_avg_fn": swa_utils.get_ema_multi_avg_fn(0.75)}
        if multi
        else {"avg_fn": swa_utils.get_ema_avg_fn(0.75)}
    )
    mean, moving = swa_utils.AveragedModel(net, **swa_fn), swa_utils.AveragedModel(net, **ema_fn)
    expected = 0.0
    for step in range(4):
        shift(net, 1.0)
        mean.update_parameters(net)
        moving.update_parameters(net)
        expected = step + 1 if not step else 0.75 * expected + 0.25 * (step + 1)
    np.testing.assert_allclose(mean.module[0].weight.numpy(), start + 2.5, rtol=1e-12)
    np.testing.assert_allclose(moving.module[0].weight.numpy(), start + expected, rtol=1e-12)
    np.testing.assert_allclose(net[0].weight.numpy(), start + 4, rtol=1e-12)
    assert mean.n_averaged == 4
    x = tg.tensor(np.ones((1, 3)))
    np.testing.assert_allclose(mean(x).numpy(), mean.module(x).numpy())
    assert len(list(mean.parameters())) == 4


def test_an_average_saves_and_copies() -> None:
    net = model()
    mean = swa_utils.AveragedModel(net)
    mean.update_parameters(net)
    shift(net, 1.0)
    mean.update_parameters(net)
    state = mean.state_dict()
    assert state["n_averaged"].item() == 2 and "module.0.weight" in state
    other = swa_utils.AveragedModel(net)
    other.load_state_dict(state)
    shift(net, 1.0)
    for one in (mean, other, copied := copy.deepcopy(other)):
        one.update_parameters(net)
    for one in (other, copied):
        for p, q in zip(mean.parameters(), one.parameters(), strict=True):
            np.testing.assert_array_equal(p.numpy(), q.numpy())


class Norm(tg.nn.Module):
    """What `update_bn` looks for in a batch normalisation."""

    def __init__(self) -> None:
        self.register_buffer("running_mean", tg.zeros(1, dtype=np.float64))
        self.momentum: float | None = 0.1
        self.count = 0

    def reset_running_stats(self) -> None:
        self.running_mean, self.count = tg.zeros(1, dtype=np.float64), 0

    def forward(self, x: Any) -> Any:
        if self.training:
            self.count += 1
            share = 1 / self.count if self.momentum is None else self.momentum
            self.running_mean += share * (x.mean() - self.running_mean)
        return x


def test_buffers_are_copied_or_averaged() -> None:
    net = Norm()
    copied, averaged = swa_utils.AveragedModel(net), swa_utils.AveragedModel(net, use_buffers=True)
    for value in (1.0, 3.0):
        net.running_mean[...] = value
        copied.update_parameters(net)
        averaged.update_parameters(net)
    assert copied.module.running_mean.item() == 3.0 and averaged.module.running_mean.item() == 2.0


def test_statistics_of_averaged_weights_are_counted_anew() -> None:
    net = Norm().eval()
    net.running_mean[...] = 100.0
    batches = [(tg.full((2,), float(i), dtype=np.float64), "label") for i in range(1, 5)]
    swa_utils.update_bn(batches, swa_utils.AveragedModel(net))
    swa_utils.update_bn(batches, net)
    assert net.running_mean.item() == pytest.approx(2.5)
    assert net.momentum == 0.1 and not net.training


def test_models_that_do_not_fit_an_average() -> None:
    net = model()
    mean = swa_utils.AveragedModel(net)
    with pytest.raises(tg.ShapeError, match="not of the shape"):
        mean.update_parameters(tg.nn.Linear(3, 4))
    assert mean.n_averaged == 0
    with pytest.raises(ValueError, match="not both"):
        swa_utils.AveragedModel(net, swa_utils.get_swa_avg_fn(), swa_utils.get_swa_multi_avg_fn())
    with pytest.raises(ValueError, match=r"decay is 1\.5"):
        swa_utils.get_ema_avg_fn(1.5)
