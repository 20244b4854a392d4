"""Normalisation and convolution layers against PyTorch: values, gradients, running statistics, state, arguments."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import nn
from tensorgrad.nn import functional as ours
from tests.reference.peer import torch

theirs = torch.nn.functional


def normal(*shape: int, seed: int = 0) -> Any:
    return np.random.default_rng((seed, *shape)).standard_normal(shape) * 2 + 1


def same(found: Any, wanted: Any) -> None:
    np.testing.assert_allclose(tg.asarray(found).numpy(), wanted.detach().numpy(), rtol=1e-9, atol=1e-10)


def agree_as_layers(own: Any, peer: Any, batches: list[Any], **call: Any) -> None:
    """Same state and settings; same results, gradients and new state, in training and after it."""
    own, peer = own.double(), peer.double()
    assert list(own.state_dict()) == list(peer.state_dict())
    for name, value in own.state_dict().items():
        assert value.shape == tuple(peer.state_dict()[name].shape), name
    rng = np.random.default_rng(0)
    state = {
        name: value.numpy() if value.dtype.kind == "i" else rng.uniform(0.5, 1.5, value.shape)
        for name, value in own.state_dict().items()
    }
    own.load_state_dict(state)
    peer.load_state_dict({name: torch.tensor(value) for name, value in state.items()})
    for training in (True, False):
        own.train(training)
        peer.train(training)
        for x in batches:
            a, b = tg.tensor(x, requires_grad=True), torch.tensor(x, requires_grad=True)
            y, z = own(a, **call), peer(b, **call)
            same(y.detach(), z)
            v = normal(*y.shape, seed=9)
            own.zero_grad()
            peer.zero_grad()
            (y * v).sum().backward()
            (z * torch.tensor(v)).sum().backward()
            same(a.grad, b.grad)
            for p, q in zip(own.parameters(), peer.parameters(), strict=True):
                same(p.grad, q.grad)
    for name, value in own.state_dict().items():
        same(value, peer.state_dict()[name])


SPACES = {1: (5,), 2: (4, 3), 3: (2, 3, 2)}


@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize("kind", ["BatchNorm", "InstanceNorm"])
@pytest.mark.parametrize(
    "how",
    [
        {},
        {"momentum": 0.3, "eps": 1e-2, "affine": True, "track_running_stats": True},
        {"affine": False, "track_running_stats": True},
        {"affine": True, "track_running_stats": False},
    ],
    ids=str,
)
def test_running_statistics(kind: str, rank: int, how: dict[str, Any]) -> None:
    name = f"{kind}{rank}d"
    batches = [normal(n, 6, *SPACES[rank]) for n in (4, 2)]
    if name == "BatchNorm1d":
        batches.append(normal(5, 6))
    if kind == "InstanceNorm":
        batches.append(normal(6, *SPACES[rank]))
    agree_as_layers(getattr(nn, name)(6, **how), getattr(torch.nn, name)(6, **how), batches)


def test_the_mean_of_all_batches() -> None:
    batches = [normal(n, 3, 2, 2) for n in (4, 2, 3)]
    agree_as_layers(nn.BatchNorm2d(3, momentum=None), torch.nn.BatchNorm2d(3, momentum=None), batches)


@pytest.mark.parametrize(
    ("name", "args", "how"),
    [
        ("LayerNorm", (5,), {}),
        ("LayerNorm", ([4, 5],), {"eps": 0.1, "bias": False}),
        ("LayerNorm", ((4, 5),), {"elementwise_affine": False}),
        ("RMSNorm", (5,), {}),
        ("RMSNorm", ((4, 5),), {"eps": 0.1}),
        ("RMSNorm", (5,), {"elementwise_affine": False}),
        ("GroupNorm", (3, 6), {}),
        ("GroupNorm", (1, 6), {"eps": 0.1, "affine": False}),
        ("LocalResponseNorm", (3,), {}),
        ("LocalResponseNorm", (2,), {"alpha": 0.5, "beta": 0.6, "k": 2.0}),
    ],
)
def test_without_running_statistics(name: str, args: Any, how: dict[str, Any]) -> None:
    agree_as_layers(
        getattr(nn, name)(*args, **how), getattr(torch.nn, name)(*args, **how), [normal(2, 6, 4, 5)]
    )


@pytest.mark.parametrize("weight", [True, False])
@pytest.mark.parametrize("bias", [True, False])
def test_weight_or_bias_alone(weight: bool, bias: bool) -> None:
    x, w, b = normal(3, 4, 2), normal(4) if weight else None, normal(4, seed=1) if bias else None
    there = [None if one is None else torch.tensor(one) for one in (w, b)]
    z = torch.tensor(x)
    same(ours.batch_norm(x, None, None, w, b, True), theirs.batch_norm(z, None, None, *there, True))
    same(ours.instance_norm(x, None, None, w, b), theirs.instance_norm(z, None, None, *there))
    same(ours.group_norm(x, 2, w, b), theirs.group_norm(z, 2, *there))
    rows, across = x.swapaxes(1, 2), z.swapaxes(1, 2)
    same(ours.layer_norm(rows, (4,), w, b), theirs.layer_norm(across, (4,), *there))


CONVOLUTIONS: list[tuple[int, dict[str, Any]]] = [
    (1, {}),
    (2, {"padding": 1, "stride": 2, "bias": False}),
    (3, {"padding": (1, 0, 1), "dilation": (1, 2, 1)}),
    (2, {"groups": 2, "padding": "same"}),
    (1, {"padding": 2, "padding_mode": "reflect"}),
    (2, {"padding": (1, 2), "padding_mode": "replicate"}),
    (3, {"padding": 1, "padding_mode": "circular"}),
    (2, {"padding": "same", "padding_mode": "circular"}),
]


@pytest.mark.parametrize(("rank", "how"), CONVOLUTIONS, ids=str)
def test_convolutions(rank: int, how: dict[str, Any]) -> None:
    batches = [normal(2, 8, *[7, 6, 5][:rank]), normal(8, *[5, 6, 7][:rank])]
    own, peer = (getattr(lib, f"Conv{rank}d")(8, 4, 3, **how) for lib in (nn, torch.nn))
    agree_as_layers(own, peer, batches)


@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize(
    ("how", "call"),
    [
        ({}, {}),
        ({"stride": 2, "padding": 1, "output_padding": 1, "bias": False}, {}),
        ({"stride": 3, "dilation": 2, "groups": 2}, {}),
        ({"stride": 2}, {"output_size": 10}),
    ],
    ids=str,
)
def test_transposed_convolutions(rank: int, how: dict[str, Any], call: dict[str, Any]) -> None:
    call = {name: [n] * rank for name, n in call.items()}
    own, peer = (getattr(lib, f"ConvTranspose{rank}d")(8, 4, 3, **how) for lib in (nn, torch.nn))
    agree_as_layers(own, peer, [normal(2, 8, *[4] * rank)], **call)


def arguments(f: Any) -> dict[str, Any]:
    """Names and defaults, without what is only here (keywords) or only there."""
    return {
        name: one.default
        for name, one in inspect.signature(f).parameters.items()
        if one.kind is one.POSITIONAL_OR_KEYWORD and name not in ("device", "dtype")
    }


LAYERS = [
    *[f"{kind}{rank}d" for kind in ("BatchNorm", "InstanceNorm", "Conv", "ConvTranspose") for rank in (1, 2, 3)],
    "LayerNorm", "RMSNorm", "GroupNorm", "LocalResponseNorm",
]  # fmt: skip
FUNCTIONS = ["batch_norm", "instance_norm", "layer_norm", "rms_norm", "group_norm", "local_response_norm"]


@pytest.mark.parametrize("name", LAYERS)
def test_layers_have_the_same_arguments(name: str) -> None:
    assert arguments(getattr(nn, name)) == arguments(getattr(torch.nn, name))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_have_the_same_arguments(name: str) -> None:
    assert arguments(getattr(ours, name)) == arguments(getattr(theirs, name))


@pytest.mark.parametrize("name", ["Conv2d", "ConvTranspose2d"])
def test_parameters_start_as_wide(name: str) -> None:
    own = getattr(nn, name)(16, 32, 3, groups=2, generator=np.random.default_rng(0))
    torch.manual_seed(0)
    peer = getattr(torch.nn, name)(16, 32, 3, groups=2)
    for p, q in zip(own.parameters(), peer.parameters(), strict=True):
        assert abs(p.numpy()).max() == pytest.approx(q.detach().abs().max().item(), rel=0.1)
        assert p.numpy().std() == pytest.approx(q.detach().std().item(), rel=0.2)
