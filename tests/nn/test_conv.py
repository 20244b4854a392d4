"""Convolution layers: shapes, what is put on the sides, starting values, errors."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import nn
from tensorgrad.nn import functional as F
from tensorgrad.nn.layers.conv import MODES


def generator() -> Any:
    return np.random.default_rng(0)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("padding", [2, (1, 0), "same", "valid"])
def test_what_is_put_on_the_sides(mode: str, padding: Any) -> None:
    layer = nn.Conv2d(
        2, 3, (2, 3), padding=padding, padding_mode=mode, dilation=(1, 2), generator=generator()
    )
    layer.double()
    x = np.random.default_rng(1).standard_normal((2, 2, 5, 6))
    ends = {2: [(2, 2), (2, 2)], (1, 0): [(1, 1), (0, 0)], "same": [(0, 1), (2, 2)], "valid": [(0, 0)] * 2}
    padded = np.pad(x, [(0, 0), (0, 0), *ends[padding]], MODES[mode])  # type: ignore[call-overload]
    wanted = F.conv2d(padded, layer.weight, layer.bias, dilation=(1, 2))
    np.testing.assert_allclose(layer(x).detach(), wanted.detach(), rtol=1e-12)
    np.testing.assert_allclose(layer(x[0]).detach(), wanted[0].detach(), rtol=1e-12)


def test_starting_values_are_within_their_bounds_and_from_the_generator() -> None:
    layer = nn.Conv2d(8, 64, 3, groups=2, generator=generator())
    bound = 1 / math.sqrt(4 * 9)
    w = layer.weight.numpy()
    assert w.shape == (64, 4, 3, 3) and w.dtype == np.float32
    assert 0.99 * bound < abs(w).max() <= bound and abs(layer.bias.numpy()).max() <= bound
    assert nn.Conv2d(8, 64, 3, groups=2, generator=generator()).weight.tolist() == w.tolist()
    turned = nn.ConvTranspose2d(8, 64, 3, groups=2, generator=generator(), dtype="float64")
    assert turned.weight.shape == (8, 32, 3, 3) and turned.weight.dtype == np.float64
    assert 0.98 / math.sqrt(32 * 9) < abs(turned.weight.numpy()).max() <= 1 / math.sqrt(32 * 9)


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_every_size_can_be_given_back(rank: int) -> None:
    there = getattr(nn, f"Conv{rank}d")(2, 3, 3, stride=2, generator=generator())
    back = getattr(nn, f"ConvTranspose{rank}d")(3, 2, 3, stride=2, generator=generator())
    for n in (7, 8):
        x = tg.ones((1, 2, *[n] * rank))
        assert back(there(x), output_size=x.shape).shape == x.shape
        assert back(there(x), output_size=x.shape[2:]).shape == x.shape
    with pytest.raises(tg.ShapeError, match=r"output_size \(9,.*from \[7"):
        back(there(x), output_size=[9] * rank)
    with pytest.raises(tg.ShapeError, match="output_size"):
        back(there(x), output_size=[7] * (rank + 1))


def test_a_network_of_them_learns() -> None:
    rng = generator()
    model = nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=1, bias=False, generator=rng),
        nn.BatchNorm2d(8),
        nn.Conv2d(8, 1, 3, generator=rng),
    )
    x = tg.tensor(rng.standard_normal((8, 1, 6, 6)).astype(np.float32))
    wanted = x[:, :, 1:-1, 1:-1] * 2
    losses = []
    for _ in range(30):
        loss = ((model(x) - wanted) ** 2).mean()
        loss.backward()
        losses.append(loss.item())
        with tg.no_grad():
            for p in model.parameters():
                p -= 0.1 * p.grad
                p.grad = None
    assert losses[-1] < 0.1 * losses[0]


def test_settings_are_shown() -> None:
    assert repr(nn.Conv1d(2, 4, 3, padding="same", bias=False)) == (
        "Conv1d(2, 4, kernel_size=(3,), stride=(1,), padding=same, bias=False)"
    )
    assert repr(nn.ConvTranspose2d(2, 4, 3, 2, output_padding=1)) == (
        "ConvTranspose2d(2, 4, kernel_size=(3, 3), stride=(2, 2), output_padding=(1, 1))"
    )


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: nn.Conv2d(3, 4, 3, groups=2), "Conv2d: groups=2 must divide in_channels 3"),
        (lambda: nn.Conv2d(3, 4, 0), "Conv2d: kernel_size is 0"),
        (lambda: nn.Conv2d(3, 4, 3, stride=0), "stride is 0"),
        (lambda: nn.Conv2d(-1, 4, 3), "in_channels=-1"),
        (lambda: nn.Conv2d(3, 4, 3, padding="full"), "padding is 'full'"),
        (lambda: nn.Conv2d(3, 4, 3, 2, padding="same"), "padding 'same' is for stride 1"),
        (lambda: nn.Conv2d(3, 4, 3, padding_mode="mirror"), "padding_mode is 'mirror'"),
        (lambda: nn.ConvTranspose2d(3, 4, 3, padding_mode="reflect"), "only 'zeros'"),
        (lambda: nn.Conv2d(3, 4, 3)(tg.ones((1, 2, 5, 5))), "x has 2 channels and weight is for 3"),
    ],
)
def test_wrong_arguments_are_named(call: Any, message: str) -> None:
    with pytest.raises(tg.ShapeError, match=message):
        call()
