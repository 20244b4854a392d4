"""Activations, padding, shape and pooling layers against PyTorch: values, gradients, arguments, defaults."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tensorgrad as tg
from tests.reference.peer import torch

ours, theirs = tg.nn.functional, torch.nn.functional


def normal(*shape: int, seed: int = 0) -> Any:
    return np.random.default_rng((seed, *shape)).standard_normal(shape)


def agree(f: Callable[..., Any], g: Callable[..., Any], *xs: Any, rtol: float = 1e-10) -> None:
    """Values, and gradients to ``rtol``, in float64."""
    tensors = [torch.tensor(x, requires_grad=True) for x in xs]
    expected = g(*tensors)
    leaves = [tg.tensor(x, requires_grad=True) for x in xs]
    y = f(*leaves)
    assert y.shape == tuple(expected.shape) and y.dtype == np.float64
    np.testing.assert_allclose(y.detach().numpy(), expected.detach().numpy(), rtol=1e-10, atol=1e-10)
    c = normal(*y.shape, seed=1)
    found = tg.autograd.grad(y, leaves, tg.tensor(c))
    for slope, exact in zip(found, torch.autograd.grad(expected, tensors, torch.tensor(c)), strict=True):
        np.testing.assert_allclose(slope.numpy(), exact.numpy(), rtol=rtol, atol=1e-10)


# ---- functions

GRID = np.concatenate(
    [
        normal(60) * 3,
        np.linspace(-8, 8, 33),  # 0, and where pieces meet: -3, -1, -0.5, 0.5, 1, 3, 6
        [-1e3, 1e3, -40.0, 40.0, 20.0, 20.5, -1e-8, 1e-8],
    ]
)

ELEMENTWISE: list[tuple[str, dict[str, Any]]] = [
    ("relu", {}),
    ("relu6", {}),
    ("leaky_relu", {}),
    ("leaky_relu", {"negative_slope": -0.3}),
    ("leaky_relu", {"negative_slope": 1.5}),
    ("rrelu", {}),
    ("rrelu", {"lower": 0.25, "upper": 0.25, "training": True}),
    ("elu", {}),
    ("elu", {"alpha": 0.3}),
    ("selu", {}),
    ("celu", {}),
    ("celu", {"alpha": 2.5}),
    ("celu", {"alpha": -1.5}),
    ("gelu", {}),
    ("gelu", {"approximate": "tanh"}),
    ("silu", {}),
    ("mish", {}),
    ("softplus", {}),
    ("softplus", {"beta": 2.0, "threshold": 3.0}),
    ("softplus", {"beta": -0.5}),
    ("softsign", {}),
    ("sigmoid", {}),
    ("logsigmoid", {}),
    ("tanh", {}),
    ("tanhshrink", {}),
    ("softshrink", {}),
    ("softshrink", {"lambd": 1.0}),
    ("hardshrink", {}),
    ("hardshrink", {"lambd": 1.0}),
    ("hardshrink", {"lambd": -1.0}),
    ("hardtanh", {}),
    ("hardtanh", {"min_val": -3.0, "max_val": 0.5}),
    ("hardsigmoid", {}),
    ("hardswish", {}),
    ("threshold", {"threshold": 0.5, "value": -7.0}),
]


@pytest.mark.parametrize(("name", "given"), ELEMENTWISE, ids=str)
def test_elementwise_functions(name: str, given: dict[str, Any]) -> None:
    x = GRID[GRID > -1000] if given.get("alpha") == -1.5 else GRID  # the exponential of a thousand overflows
    rtol = 1e-7 if name == "hardsigmoid" else 1e-10  # PyTorch's slope there is 1 / 6 in float32
    agree(
        lambda x: getattr(ours, name)(x, **given), lambda x: getattr(theirs, name)(x, **given), x, rtol=rtol
    )


@pytest.mark.parametrize("name", ["silu", "mish", "softplus", "logsigmoid", "gelu", "celu", "softsign"])
def test_second_derivatives(name: str) -> None:
    x, v = normal(20) * 4, normal(20, seed=1)
    f = getattr(ours, name)
    found = tg.grad(lambda x: tg.sum(tg.grad(lambda x: f(x).sum())(x) * v))(x)
    z = torch.tensor(x, requires_grad=True)
    (first,) = torch.autograd.grad(getattr(theirs, name)(z).sum(), z, create_graph=True)
    (second,) = torch.autograd.grad(first, z, torch.tensor(v))
    np.testing.assert_allclose(found, second.numpy(), rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("name", ["softmax", "log_softmax", "softmin"])
@pytest.mark.parametrize("dim", [0, 1, -1])
def test_shares(name: str, dim: int) -> None:
    x = normal(3, 4, 5) * 300
    agree(lambda x: getattr(ours, name)(x, dim), lambda x: getattr(theirs, name)(x, dim=dim), x)


@pytest.mark.parametrize("name", ["softmax", "log_softmax", "softmin"])
@pytest.mark.parametrize("ndim", [1, 2, 3, 4])
@pytest.mark.filterwarnings("ignore:.*Implicit dimension")
def test_shares_without_a_dim_choose_the_same_one(name: str, ndim: int) -> None:
    x = normal(*range(2, 2 + ndim))
    with pytest.warns(UserWarning, match=f"{name}: no dim given"):
        y = getattr(ours, name)(x)
    np.testing.assert_allclose(y, getattr(theirs, name)(torch.tensor(x)).numpy(), rtol=1e-12)


@pytest.mark.parametrize("dim", [0, 1, -1])
def test_halves_and_unit_length(dim: int) -> None:
    x = normal(4, 6, 2)
    agree(lambda x: ours.glu(x, dim), lambda x: theirs.glu(x, dim), x)
    for p in (1.0, 2.0, 3.0, float("inf")):
        agree(lambda x, p=p: ours.normalize(x, p, dim), lambda x, p=p: theirs.normalize(x, p, dim), x)


@pytest.mark.parametrize("shape", [(3,), (4, 3), (2, 3, 4), (2, 3, 2, 2)], ids=str)
def test_learned_slopes(shape: tuple[int, ...]) -> None:
    x = normal(*shape)
    x.flat[0] = 0
    agree(ours.prelu, theirs.prelu, x, normal(1))
    if len(shape) > 1:
        agree(ours.prelu, theirs.prelu, x, normal(3))


def arguments(f: Callable[..., Any]) -> dict[str, Any]:
    """Names and defaults, without what is only here (keywords) or only there."""
    return {
        name: one.default
        for name, one in inspect.signature(f).parameters.items()
        if one.kind is one.POSITIONAL_OR_KEYWORD and name not in ("_stacklevel", "dtype", "out", "device")
    }


FUNCTIONS = [
    "relu", "relu6", "leaky_relu", "rrelu", "elu", "selu", "celu", "silu", "mish", "hardtanh", "hardsigmoid",
    "hardswish", "threshold", "softmax", "log_softmax", "softmin", "glu", "gumbel_softmax", "normalize",
    "tanhshrink", "softsign", "dropout", "dropout1d", "dropout2d", "dropout3d", "alpha_dropout",
    "feature_alpha_dropout",
]  # fmt: skip


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_have_the_same_arguments(name: str) -> None:
    assert arguments(getattr(ours, name)) == arguments(getattr(theirs, name))
