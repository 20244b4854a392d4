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


# ---- shapes


@pytest.mark.parametrize("mode", ["constant", "reflect", "replicate", "circular"])
@pytest.mark.parametrize(
    "counts", [(1, 2), (-1, 2), (2, 0, 1, 3), (-1, -1, 2, -2), (1, 2, 0, 1, 2, 1)], ids=str
)
def test_padding(mode: str, counts: tuple[int, ...]) -> None:
    shape = (2, 3, *(4, 5, 4)[: len(counts) // 2])
    agree(lambda x: ours.pad(x, counts, mode), lambda x: theirs.pad(x, counts, mode), normal(*shape))


def test_padding_with_a_value() -> None:
    x = normal(2, 3)
    agree(lambda x: ours.pad(x, (1, 0, 0, 2), value=1.5), lambda x: theirs.pad(x, (1, 0, 0, 2), value=1.5), x)


def test_shuffles() -> None:
    x = normal(2, 12, 4, 6)
    agree(lambda x: ours.pixel_shuffle(x, 2), lambda x: theirs.pixel_shuffle(x, 2), x)
    agree(lambda x: ours.pixel_unshuffle(x, 2), lambda x: theirs.pixel_unshuffle(x, 2), x)
    agree(lambda x: ours.pixel_shuffle(x, 2), lambda x: theirs.pixel_shuffle(x, 2), x[0])
    agree(lambda x: ours.channel_shuffle(x, 3), lambda x: theirs.channel_shuffle(x, 3), x)


@pytest.mark.filterwarnings("ignore:.*upsample")
def test_old_names_of_interpolation() -> None:
    x = normal(2, 3, 4, 5)
    agree(lambda x: ours.upsample(x, scale_factor=2.0), lambda x: theirs.upsample(x, scale_factor=2.0), x)
    agree(lambda x: ours.upsample_nearest(x, (6, 7)), lambda x: theirs.upsample_nearest(x, (6, 7)), x)
    agree(lambda x: ours.upsample_bilinear(x, (6, 7)), lambda x: theirs.upsample_bilinear(x, (6, 7)), x)


def test_one_hot() -> None:
    labels = np.array([[2, 0], [1, 1]])
    for classes in (-1, 5):
        expected = theirs.one_hot(torch.tensor(labels), classes)
        found = ours.one_hot(labels, classes)
        np.testing.assert_array_equal(found, expected.numpy())
        assert found.dtype == np.int64


@pytest.mark.parametrize("rank", [2, 3])
@pytest.mark.parametrize(
    "given", [{"output_size": 3}, {"output_ratio": (0.6, 0.7, 0.5)}, {"output_size": 1}], ids=str
)
def test_fractional_pools(rank: int, given: dict[str, Any]) -> None:
    x = normal(2, 3, *(7, 8, 6)[:rank])
    u = np.random.default_rng(0).random((2, 3, rank))
    name = f"fractional_max_pool{rank}d"
    given = {k: v[:rank] if isinstance(v, tuple) else v for k, v in given.items()}
    f = lambda x, **more: getattr(ours, name)(x, 2, **given, _random_samples=u, **more)
    g = lambda x, **more: getattr(theirs, name)(x, 2, **given, _random_samples=torch.tensor(u), **more)
    agree(f, g, x)
    np.testing.assert_array_equal(
        f(x, return_indices=True)[1], g(torch.tensor(x), return_indices=True)[1].numpy()
    )


# ---- layers

IMAGE, VOLUME, SIGNAL = (2, 4, 6, 8), (1, 4, 5, 6, 5), (2, 4, 9)
SMALL = [(name, ()) for name in (
    "ReLU", "ReLU6", "LeakyReLU", "PReLU", "RReLU", "ELU", "SELU", "CELU", "GELU", "SiLU", "Mish", "Softplus",
    "Softsign", "Sigmoid", "LogSigmoid", "Tanh", "Tanhshrink", "Softshrink", "Hardshrink", "Hardtanh",
    "Hardsigmoid", "Hardswish", "GLU", "Softmax2d", "Identity",
)]  # fmt: skip
LAYERS: list[tuple[str, tuple[Any, ...], dict[str, Any], tuple[int, ...]]] = [
    *[(name, given, {}, IMAGE) for name, given in SMALL],
    ("PReLU", (4, 0.1), {}, IMAGE),
    ("LeakyReLU", (0.2,), {}, IMAGE),
    ("Hardtanh", (-0.5, 0.25), {}, IMAGE),
    ("GELU", ("tanh",), {}, IMAGE),
    ("Threshold", (0.1, 20.0), {}, IMAGE),
    ("Softmax", (1,), {}, IMAGE),
    ("LogSoftmax", (-1,), {}, IMAGE),
    ("Softmin", (0,), {}, IMAGE),
    *[(f"{name}Dropout", (0.4,), {}, IMAGE) for name in ("", "Alpha", "FeatureAlpha")],
    *[(f"Dropout{rank}d", (0.4,), {}, shape) for rank, shape in ((1, SIGNAL), (2, IMAGE), (3, VOLUME))],
    *[
        (f"{name}Pad{rank}d", (counts, *([1.5] if name == "Constant" else [])), {}, shape)
        for name in ("Constant", "Zero", "Reflection", "Replication", "Circular")
        for rank, shape in ((1, SIGNAL), (2, IMAGE), (3, VOLUME))
        for counts in (2, (1, 0, 2, 1, 3, 2)[: 2 * rank])
    ],
    ("Flatten", (), {}, IMAGE),
    ("Flatten", (0, 2), {}, IMAGE),
    ("Unflatten", (1, (2, 2)), {}, IMAGE),
    ("Unflatten", (-1, (2, -1)), {}, IMAGE),
    ("Upsample", (None, 2.0), {}, IMAGE),
    ("Upsample", ((3, 5),), {"mode": "bilinear", "align_corners": True}, IMAGE),
    ("UpsamplingNearest2d", (None, 2.0), {}, IMAGE),
    ("UpsamplingBilinear2d", ((5, 3),), {}, IMAGE),
    ("PixelShuffle", (2,), {}, IMAGE),
    ("PixelUnshuffle", (2,), {}, IMAGE),
    ("ChannelShuffle", (2,), {}, IMAGE),
    ("Unfold", (2,), {"stride": (2, 1), "padding": 1, "dilation": 2}, IMAGE),
    ("Fold", ((3, 4), 2), {}, (2, 8, 6)),
    *[
        (name.format(rank), given, more, shape)
        for rank, shape in ((1, SIGNAL), (2, IMAGE), (3, VOLUME))
        for name, given, more in [
            ("MaxPool{}d", (2,), {}),
            ("MaxPool{}d", (3, 2, 1), {"ceil_mode": True}),
            ("AvgPool{}d", (2,), {}),
            ("AvgPool{}d", (3, 2, 1), {"count_include_pad": False}),
            ("AdaptiveMaxPool{}d", (2,), {}),
            ("AdaptiveAvgPool{}d", (3,), {}),
            ("LPPool{}d", (3.0, 2), {}),
        ]
    ],
    ("AvgPool2d", (2,), {"divisor_override": 3}, IMAGE),
    ("FractionalMaxPool2d", (2, 3), {"_random_samples": np.full((2, 4, 2), 0.3)}, IMAGE),
    ("FractionalMaxPool3d", (2, 3), {"_random_samples": np.full((1, 4, 3), 0.7)}, VOLUME),
]


def pair(name: str, given: tuple[Any, ...], more: dict[str, Any]) -> tuple[Any, Any]:
    """The layer of that name on both sides, in float64 and evaluation."""
    mine = getattr(tg.nn, name)(*given, **more).eval()
    lifted = {k: torch.tensor(v) if isinstance(v, np.ndarray) else v for k, v in more.items()}
    other = getattr(torch.nn, name)(*given, **lifted).double().eval()
    return mine.double(), other


@pytest.mark.parametrize(("name", "given", "more", "shape"), LAYERS, ids=str)
def test_layers(name: str, given: Any, more: Any, shape: tuple[int, ...]) -> None:
    mine, other = pair(name, given, more)
    x = normal(*shape)
    rtol = 1e-7 if name == "Hardsigmoid" else 1e-10
    agree(mine, other, abs(x) + 0.1 if name.startswith("LP") else x, rtol=rtol)
    assert [*mine.state_dict()] == [*other.state_dict()]
    for p, q in zip(mine.parameters(), other.parameters(), strict=True):
        assert p.shape == tuple(q.shape)
        np.testing.assert_allclose(p.detach().numpy(), q.detach().numpy(), rtol=1e-7)  # made in float32


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_unpooling(rank: int) -> None:
    x = normal(2, 3, *(4, 6, 4)[:rank])
    pool, unpool = (
        pair(f"MaxPool{rank}d", (2,), {"return_indices": True}),
        pair(f"MaxUnpool{rank}d", (2,), {}),
    )
    places = pool[0](x)[1]
    agree(lambda y: unpool[0](y, places), lambda y: unpool[1](y, torch.tensor(places)), pool[0](x)[0])


NAMES = sorted({name for name, *_ in LAYERS} | {f"MaxUnpool{rank}d" for rank in (1, 2, 3)})
DEPRECATED = {"min_value", "max_value"}


@pytest.mark.parametrize("name", NAMES)
def test_layers_have_the_same_arguments(name: str) -> None:
    there = arguments(getattr(torch.nn, name))
    assert arguments(getattr(tg.nn, name)) == {k: v for k, v in there.items() if k not in DEPRECATED}


def test_one_learned_slope_trains_the_same() -> None:
    mine, other = pair("PReLU", (3,), {})
    x = normal(4, 3)
    mine(tg.tensor(x)).sum().backward()
    other(torch.tensor(x)).sum().backward()
    np.testing.assert_allclose(mine.weight.grad.numpy(), other.weight.grad.numpy(), rtol=1e-12)


# ---- initial values


def test_gains_and_fans() -> None:
    from torch.nn import init

    for name in ("linear", "conv1d", "conv_transpose3d", "sigmoid", "tanh", "relu", "leaky_relu", "selu"):
        assert tg.nn.init.calculate_gain(name) == pytest.approx(init.calculate_gain(name), rel=1e-15)
    for shape in [(3, 5), (4, 6, 3, 2)]:
        w = torch.empty(shape)
        assert tg.nn.init.fans("test", tg.zeros(shape)) == init._calculate_fan_in_and_fan_out(w)


@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize("shape", [(4, 2, 3), (4, 3, 2, 3), (2, 4, 3, 3, 2)], ids=str)
def test_structured_initial_values(shape: tuple[int, ...], groups: int) -> None:
    ours = tg.nn.init.dirac_(tg.nn.Parameter(tg.ones(shape)), groups)
    np.testing.assert_array_equal(
        ours.detach().numpy(), torch.nn.init.dirac_(torch.ones(shape), groups).numpy()
    )


INITS = [
    "uniform_", "normal_", "trunc_normal_", "constant_", "ones_", "zeros_", "eye_", "dirac_", "xavier_uniform_",
    "xavier_normal_", "kaiming_uniform_", "kaiming_normal_", "orthogonal_", "sparse_", "calculate_gain",
]  # fmt: skip


@pytest.mark.parametrize("name", INITS)
def test_initialisers_have_the_same_arguments(name: str) -> None:
    assert arguments(getattr(tg.nn.init, name)) == arguments(getattr(torch.nn.init, name))


def test_no_initialiser_is_missing() -> None:
    there = {n for n in dir(torch.nn.init) if n.endswith("_") and not n.startswith("_")}
    assert there <= set(dir(tg.nn.init))
