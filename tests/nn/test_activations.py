"""Activations: closed forms, far out, kinks, gradients to second order, in place, and what is refused."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import nn
from tensorgrad.testing import gradcheck, gradgradcheck

F = nn.functional

# value at -1 and at 2, in closed form; then the slope at 0, by the convention where there is none
FORMS: dict[str, tuple[float, float, float]] = {
    "relu": (0, 2, 0),
    "relu6": (0, 2, 0),
    "leaky_relu": (-0.01, 2, 0.01),
    "rrelu": (-11 / 48, 2, 11 / 48),
    "elu": (math.expm1(-1), 2, 1),
    "selu": (
        1.0507009873554805 * 1.6732632423543772 * math.expm1(-1),
        2 * 1.0507009873554805,
        1.7580993408473766,
    ),
    "celu": (math.expm1(-1), 2, 1),
    "gelu": (-0.5 * math.erfc(math.sqrt(0.5)), 1 + math.erf(math.sqrt(2)), 0.5),
    "silu": (-1 / (1 + math.e), 2 / (1 + math.exp(-2)), 0.5),
    "mish": (-math.tanh(math.log1p(math.exp(-1))), 2 * math.tanh(math.log1p(math.exp(2))), 0.6),
    "softplus": (math.log1p(math.exp(-1)), math.log1p(math.exp(2)), 0.5),
    "softsign": (-0.5, 2 / 3, 1),
    "sigmoid": (1 / (1 + math.e), 1 / (1 + math.exp(-2)), 0.25),
    "logsigmoid": (-math.log1p(math.e), -math.log1p(math.exp(-2)), 0.5),
    "tanh": (math.tanh(-1), math.tanh(2), 1),
    "tanhshrink": (-1 - math.tanh(-1), 2 - math.tanh(2), 0),
    "softshrink": (-0.5, 1.5, 0),
    "hardshrink": (-1, 2, 0),
    "hardtanh": (-1, 1, 1),
    "hardsigmoid": (1 / 3, 5 / 6, 1 / 6),
    "hardswish": (-1 / 3, 5 / 3, 0.5),
}
FLAT_LEFT = {
    "relu",
    "relu6",
    "gelu",
    "silu",
    "mish",
    "softplus",
    "sigmoid",
    "hardsigmoid",
    "hardswish",
    "hardtanh",
}


@pytest.mark.parametrize("name", FORMS)
def test_closed_forms(name: str) -> None:
    f = getattr(F, name)
    left, right, slope = FORMS[name]
    np.testing.assert_allclose(f(np.array([-1.0, 2.0])), [left, right], rtol=1e-14)
    np.testing.assert_allclose(tg.grad(lambda x: f(x).sum())(np.zeros(1)), [slope], rtol=1e-14)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("name", FORMS)
def test_far_out_values_and_slopes_are_exact(name: str, dtype: Any) -> None:
    f = getattr(F, name)
    x = np.array([-1e3, 1e3], dtype)
    y, slopes = f(x), tg.grad(lambda x: f(x).sum())(x)
    assert y.dtype == slopes.dtype == dtype
    assert np.isfinite(y).all() and np.isfinite(slopes).all()
    curvature = tg.grad(lambda x: tg.grad(lambda x: f(x).sum())(x).sum())(x)
    assert np.isfinite(curvature).all()
    wide = np.array([-1e3, 1e3])
    np.testing.assert_allclose(y, f(wide).astype(dtype), rtol=4 * np.finfo(dtype).eps)
    if name in FLAT_LEFT:
        assert slopes[0] == 0


@pytest.mark.parametrize("name", FORMS)
def test_lists_arrays_and_tensors(name: str) -> None:
    f = getattr(F, name)
    data = [[-0.5, 0.25], [2.0, -3.0]]
    expected = f(np.array(data, np.float32))
    assert isinstance(expected, np.ndarray) and expected.dtype == np.float32
    for given in (data, tg.tensor(data)):
        y = f(given)
        assert isinstance(y, tg.Tensor)
        np.testing.assert_array_equal(y.numpy(), expected)
    assert f(np.zeros((0, 2))).shape == (0, 2) and f(np.array(0.5)).shape == ()
    assert math.isnan(f(np.array([math.nan]))[0])


SMOOTH: list[tuple[str, dict[str, Any]]] = [
    *[
        (name, {})
        for name in ("celu", "gelu", "silu", "mish", "softplus", "logsigmoid", "tanhshrink", "sigmoid")
    ],
    ("gelu", {"approximate": "tanh"}),
    ("softplus", {"beta": -2.0}),
    ("celu", {"alpha": 0.5}),
    *[
        (name, {"dim": 1})
        for name in ("softmax", "log_softmax", "softmin", "glu", "normalize", "maxout", "sparsemax")
    ],
]


@pytest.mark.parametrize(("name", "given"), SMOOTH, ids=str)
def test_gradients_to_second_order(name: str, given: dict[str, Any]) -> None:
    x = np.array([[-1.7, 0.31, 0.9, -0.42], [2.3, -0.11, 0.57, 1.1]])
    given = {**given, **({"pool_size": 2} if name == "maxout" else {})}
    f = lambda x: getattr(F, name)(x, **given)
    assert gradcheck(f, x, check_forward_ad=True) and gradgradcheck(f, x)


@pytest.mark.parametrize(
    "name", ["relu", "relu6", "leaky_relu", "elu", "selu", "softsign", "hardswish", "hardshrink"]
)
def test_gradients_between_kinks(name: str) -> None:
    assert gradcheck(getattr(F, name), np.array([-3.7, -1.3, -0.2, 0.3, 1.7, 3.5, 7.1]))


def test_gelu_in_single_precision() -> None:
    """The pair has a formula of its own there; more elements than are worked on at once, and not side by side."""
    x = np.linspace(-15, 15, 80_001).astype(np.float32)[::2]
    w, wide = tg.tensor(x, requires_grad=True), tg.tensor(x.astype(np.float64), requires_grad=True)
    for one in (w, wide):
        F.gelu(one).sum().backward()
    y, exact = F.gelu(x), F.gelu(x.astype(np.float64))
    np.testing.assert_allclose(y, exact, rtol=2e-7, atol=3e-7)
    near = abs(x) < 4
    np.testing.assert_allclose(y[near], exact[near], rtol=1e-6)
    np.testing.assert_allclose(w.grad.numpy(), wide.grad.numpy(), atol=4e-7)  # type: ignore[union-attr]
    assert F.gelu(np.float32([-np.inf, np.inf])).tolist() == [0, np.inf]


def test_learned_slopes() -> None:
    x, w = np.array([[-2.0, 3.0], [-1.0, -4.0]]), np.array([0.5, 0.1])
    np.testing.assert_allclose(F.prelu(x, w), [[-1.0, 3.0], [-0.5, -0.4]])
    np.testing.assert_allclose(F.prelu(x, np.array([0.5])), [[-1.0, 3.0], [-0.5, -2.0]])
    assert gradcheck(F.prelu, (x, w)) and gradgradcheck(F.prelu, (x, w))


def test_slopes_are_drawn_for_each_element() -> None:
    x = -np.ones(2000)
    y = F.rrelu(x, 0.2, 0.4, True, generator=np.random.default_rng(0))
    assert (y <= -0.2).all() and (y > -0.4).all() and abs(y.mean() + 0.3) < 0.005
    np.testing.assert_array_equal(y, F.rrelu(x, 0.2, 0.4, True, generator=np.random.default_rng(0)))
    assert (F.rrelu(-x, 0.2, 0.4, True) == 1).all()
    w = tg.tensor(x[:3], requires_grad=True)
    z = F.rrelu(w, training=True)
    z.sum().backward()
    np.testing.assert_array_equal(w.grad.numpy(), -z.detach().numpy())  # type: ignore[union-attr]


def test_pieces_with_numbers_of_ones_own() -> None:
    x = np.array([-3.0, -0.5, 0.5, 3.0])
    np.testing.assert_array_equal(F.threshold(x, 0.5, 9.0), [9, 9, 9, 3])
    np.testing.assert_array_equal(F.hardtanh(x, -1.0, 0.25), [-1, -0.5, 0.25, 0.25])
    np.testing.assert_array_equal(F.softshrink(x, 1.0), [-2, 0, 0, 2])
    np.testing.assert_array_equal(F.hardshrink(x, 0.5), [-3, 0, 0, 3])
    np.testing.assert_array_equal(F.softplus(x, 2.0, 5.0)[-1], 3)


# ---- along an axis


def test_softmax_of_the_sources() -> None:
    y = F.softmax(np.array([[4.8, 1.21, 2.385]]), dim=1)
    np.testing.assert_allclose(y, [[0.89528266, 0.02470831, 0.08000903]], atol=5e-9)


def test_softmax_in_another_dtype() -> None:
    x = np.array([1000, 1001, 0], np.int64)
    for f in (F.softmax, F.log_softmax, F.softmin):
        assert f(x, 0, dtype=np.float32).dtype == np.float32
    np.testing.assert_allclose(F.softmax(x, 0), [1 / (1 + math.e), 1 / (1 + 1 / math.e), 0], rtol=1e-12)


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_sparsemax_is_the_nearest_point_of_the_simplex(axis: int) -> None:
    x = np.random.default_rng(0).standard_normal((5, 4, 6)) * 2
    y = F.sparsemax(x, axis)
    np.testing.assert_allclose(y.sum(axis), 1, rtol=1e-12)
    assert (y >= 0).all() and (y == 0).any()
    # The nearest point is x minus a level where it is positive, and x is below the level elsewhere.
    level = np.max(np.where(y > 0, x - y, -np.inf), axis, keepdims=True)
    np.testing.assert_allclose(np.maximum(x - level, 0), y, atol=1e-12)


def test_sparsemax_of_ties_and_far_out() -> None:
    np.testing.assert_array_equal(F.sparsemax(np.array([3.0, 3.0, 3.0, 3.0])), [0.25] * 4)
    np.testing.assert_array_equal(F.sparsemax(np.array([1e3, -1e3, 0.0])), [1, 0, 0])
    slopes = tg.grad(lambda x: F.sparsemax(x)[0])(np.array([1.0, 1.0, -5.0]))
    np.testing.assert_allclose(slopes, [0.5, -0.5, 0])


def test_gates_and_groups() -> None:
    x = np.array([[1.0, -2.0, 0.0, 100.0]])
    np.testing.assert_allclose(F.glu(x), [[0.5, -2.0]])
    np.testing.assert_array_equal(F.maxout(x, 2), [[1.0, 100.0]])
    np.testing.assert_array_equal(F.maxout(x.T, 4, 0), [[100.0]])
    slopes = tg.grad(lambda x: F.maxout(x, 2).sum())(np.array([[1.0, 1.0, 0.0, 2.0]]))
    np.testing.assert_array_equal(slopes, [[0.5, 0.5, 0.0, 1.0]])


def test_unit_length() -> None:
    x = np.array([[3.0, 4.0], [0.0, 0.0], [3e200, 4e200]])
    np.testing.assert_allclose(F.normalize(x), [[0.6, 0.8], [0, 0], [0.6, 0.8]])
    np.testing.assert_allclose(F.normalize(x, 1.0, 0)[:, 0], [1e-200, 0, 1])
    assert np.isfinite(tg.grad(lambda x: F.normalize(x).sum())(x)).all()


def test_gumbel_softmax() -> None:
    logits = np.log(np.array([0.2, 0.5, 0.3]))
    draws = F.gumbel_softmax(
        np.broadcast_to(logits, (4000, 3)), tau=0.1, hard=True, generator=np.random.default_rng(0)
    )
    np.testing.assert_allclose(np.sort(draws, 1), [[0, 0, 1]] * 4000, atol=1e-12)
    np.testing.assert_allclose(draws.mean(0), [0.2, 0.5, 0.3], atol=4 * math.sqrt(0.25 / 4000))
    for hard in (False, True):
        w = tg.tensor(logits, requires_grad=True)
        y = F.gumbel_softmax(w, 0.5, hard, generator=np.random.default_rng(1))
        assert y.sum().item() == pytest.approx(1)
        (g,) = tg.autograd.grad(y[0], [w])
        soft = F.gumbel_softmax(logits, 0.5, generator=np.random.default_rng(1))
        np.testing.assert_allclose(g.numpy(), soft[0] * (np.array([1, 0, 0]) - soft) / 0.5, rtol=1e-6)
    assert F.gumbel_softmax(np.zeros((2, 3, 4)), hard=True, dim=1).sum(1) == pytest.approx(np.ones((2, 4)))


# ---- in place

IN_PLACE: dict[str, tuple[Any, ...]] = {
    "relu": (), "relu6": (), "leaky_relu": (0.2,), "rrelu": (), "elu": (), "selu": (), "celu": (), "silu": (),
    "mish": (), "hardtanh": (), "hardsigmoid": (), "hardswish": (), "threshold": (0.0, 5.0),
}  # fmt: skip


@pytest.mark.parametrize("name", IN_PLACE)
def test_in_place_gives_the_input_the_result_and_its_history(name: str) -> None:
    f, given = getattr(F, name), IN_PLACE[name]
    data = np.array([-1.5, 0.5, 2.0])
    expected = f(data, *given)
    array = data.copy()
    assert f(array, *given, inplace=True) is array
    np.testing.assert_array_equal(array, expected)
    w = tg.tensor(data, requires_grad=True)
    x = w * 1
    assert f(x, *given, inplace=True) is x
    np.testing.assert_array_equal(x.detach().numpy(), expected)
    np.testing.assert_array_equal(
        tg.autograd.grad(x.sum(), [w])[0], tg.grad(lambda x: f(x, *given).sum())(data)
    )
    with pytest.raises(tg.GradientError, match="inplace=True: this leaf"):
        f(w, *given, inplace=True)
    if short := getattr(F, name + "_", None):
        np.testing.assert_array_equal(short(data.copy(), *given), expected)


# ---- refused

BAD: list[tuple[Callable[[], Any], type[Exception], str]] = [
    (lambda: F.gelu(tg.ones(2), "fast"), tg.ShapeError, "gelu: approximate is 'fast'; 'none' and 'tanh'"),
    (lambda: F.celu(tg.ones(2), 0.0), tg.ShapeError, "celu: alpha is 0"),
    (lambda: F.softplus(tg.ones(2), 0.0), tg.ShapeError, "softplus: beta is 0"),
    (lambda: F.hardtanh(tg.ones(2), 1.0, -1.0), tg.ShapeError, "hardtanh: min_val 1.0 is greater"),
    (lambda: F.rrelu(tg.ones(2), 0.5, 0.2), tg.ShapeError, "rrelu: lower 0.5 is greater"),
    (lambda: F.softshrink(tg.ones(2), -0.5), tg.ShapeError, "softshrink: lambd is -0.5"),
    (
        lambda: F.prelu(tg.ones((2, 3)), tg.ones(2)),
        tg.ShapeError,
        r"prelu: .*\(2,\).*\(2, 3\); one is needed, or 3",
    ),
    (lambda: F.prelu(tg.ones((2, 3)), tg.ones((1, 3))), tg.ShapeError, r"prelu: .*\(1, 3\)"),
    (lambda: F.softmax(tg.ones((2, 3)), 2), tg.ShapeError, "softmax: axis 2 is out of range for 2 axes"),
    (lambda: F.log_softmax(tg.ones((2, 3)), -3), tg.ShapeError, "log_softmax: axis -3"),
    (lambda: F.softmin(tg.ones((2, 3)), 5), tg.ShapeError, "softmin: axis 5"),
    (lambda: F.softmax(tg.ones((2, 3)), 0.5), tg.DtypeError, "softmax: axis is 0.5"),  # type: ignore[arg-type]
    (lambda: F.glu(tg.ones((2, 3))), tg.ShapeError, r"glu: .*\(2, 3\) cannot be halved along axis -1"),
    (lambda: F.maxout(tg.ones((2, 3)), 2), tg.ShapeError, "maxout: .*no groups of 2"),
    (lambda: F.maxout(tg.ones((2, 3)), 0), tg.ShapeError, "maxout: .*no groups of 0"),
    (lambda: F.sparsemax(tg.ones((2, 0))), tg.ShapeError, "sparsemax: .*with elements"),
    (lambda: F.sparsemax(tg.ones((2, 3)), 2), tg.ShapeError, "sparsemax: axis 2"),
    (lambda: F.normalize(tg.ones(3)), tg.ShapeError, "normalize: axis 1"),
    (lambda: F.gumbel_softmax(tg.ones(3), 0.0), tg.ShapeError, "gumbel_softmax: tau is 0.0"),
    (lambda: F.gumbel_softmax(tg.ones(3), dim=1), tg.ShapeError, "gumbel_softmax: axis 1"),
    (lambda: F.silu([["x"]]), tg.DtypeError, "silu"),
    (lambda: F.relu(tg.tensor([1j])), tg.DtypeError, "relu: .*complex"),
    (lambda: F.softplus(tg.tensor([1j])), tg.DtypeError, "softplus: .*complex"),
    (lambda: nn.Softmax2d()(tg.ones((2, 3))), tg.ShapeError, r"Softmax2d: .*\(2, 3\)"),
    (lambda: nn.PReLU(0), tg.ShapeError, "PReLU: num_parameters is 0"),
]


@pytest.mark.parametrize(("call", "error", "match"), BAD)
def test_what_is_refused(call: Callable[[], Any], error: type[Exception], match: str) -> None:
    with pytest.raises(error, match=match):
        call()


def test_a_missing_axis_is_chosen_with_a_warning() -> None:
    with pytest.warns(UserWarning, match="softmax: no dim given, so axis 1"):
        y = nn.Softmax()(tg.ones((2, 4)))
    assert y.tolist() == [[0.25] * 4] * 2


# ---- layers


def test_layers_show_their_settings() -> None:
    layers = nn.Sequential(
        nn.ReLU(), nn.LeakyReLU(0.2, True), nn.PReLU(3), nn.GELU("tanh"), nn.Softmax(1), nn.Tanh()
    )
    assert [repr(layer) for layer in layers] == [
        "ReLU()",
        "LeakyReLU(negative_slope=0.2, inplace=True)",
        "PReLU(num_parameters=3)",
        "GELU(approximate='tanh')",
        "Softmax(dim=1)",
        "Tanh()",
    ]


def test_random_slopes_depend_on_the_mode_and_the_generator() -> None:
    x = -tg.ones(50)
    layer = nn.RReLU(0.1, 0.9, generator=np.random.default_rng(0))
    first, second = layer(x).numpy(), layer(x).numpy()
    assert (first != second).any()
    np.testing.assert_array_equal(nn.RReLU(0.1, 0.9, generator=np.random.default_rng(0))(x).numpy(), first)
    np.testing.assert_allclose(layer.eval()(x).numpy(), -0.5)


def test_learned_slopes_are_a_parameter() -> None:
    layer = nn.PReLU(2, 0.1, dtype=np.float64)
    assert [(name, p.shape, p.dtype) for name, p in layer.named_parameters()] == [
        ("weight", (2,), np.float64)
    ]
    layer(tg.tensor([[-1.0, -2.0], [3.0, -4.0]])).sum().backward()
    assert layer.weight.grad.tolist() == [-1.0, -6.0]  # type: ignore[union-attr]
    with tg.no_grad():
        layer.weight += 1
    layer.reset_parameters()
    assert layer.weight.tolist() == [0.1, 0.1]


def test_layers_without_parameters_of_their_own() -> None:
    x = np.array([[2.0, 1.5, -1.0, 4.0]])
    np.testing.assert_array_equal(nn.Sparsemax()(x), F.sparsemax(x))
    np.testing.assert_array_equal(nn.Maxout(2)(x), F.maxout(x, 2))
