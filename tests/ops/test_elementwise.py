"""Corners of the elementwise ops: powers of zero, ties, NaN, branches that are not taken, extremes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import tensorgrad as tg

INF, NAN = math.inf, math.nan


def gradients(f: Any, *xs: Any) -> list[Any]:
    """The gradients of the sum of ``f`` at float64 values."""
    tensors = [tg.tensor(x, dtype="float64", requires_grad=True) for x in xs]
    return [g.tolist() for g in tg.autograd.grad(f(*tensors).sum(), tensors)]


@pytest.mark.parametrize(
    ("a", "b", "da"),
    [
        (0, 0, 0),
        (0, 1, 1),
        (0, 2, 0),
        (0, 3, 0),
        (2, 0, 0),
        (-2, 2, -4),
        (-2, 3, 12),
        (-2, -1, -0.25),
        (0, 0.5, INF),
    ],
)
def test_power_slope_in_the_base(a: float, b: float, da: float) -> None:
    x = tg.tensor(a, dtype="float64", requires_grad=True)
    with np.errstate(divide="ignore"):
        (tg.power(x, tg.tensor(b, dtype="float64"))).backward()
        (found,) = gradients(lambda x: x ** float(b), a)
    assert x.grad is not None
    assert x.grad.item() == da
    assert found == da


@pytest.mark.parametrize(
    ("a", "b", "db"), [(0, 0, 0), (0, 1, 0), (0, 2.5, 0), (1, 5, 0), (math.e, 2, math.e**2)]
)
def test_power_slope_in_the_exponent(a: float, b: float, db: float) -> None:
    assert gradients(tg.power, a, b)[1] == pytest.approx(db)


def test_power_has_all_orders_at_zero() -> None:
    f: Any = lambda x: x**3
    for expected in (0.0, 0.0, 6.0, 0.0):
        f = tg.grad(f)
        assert f(np.float64(0.0)) == expected


def test_power_of_a_negative_base_without_a_gradient_for_the_exponent() -> None:
    """The formula of the exponent has a logarithm in it, which nobody may take if nobody asks."""
    assert gradients(lambda x: x ** tg.tensor([2.0, 3.0], dtype="float64"), [-1.0, -2.0]) == [[-2.0, 12.0]]


def test_number_to_the_power_of_a_tensor_is_exact_in_float64() -> None:
    (found,) = gradients(lambda x: 2.0**x, [0.3, -1.0])
    assert found == pytest.approx([2**0.3 * math.log(2), 0.5 * math.log(2)], rel=1e-15)


@pytest.mark.parametrize("op", [tg.maximum, tg.minimum])
def test_ties_share_evenly(op: Any) -> None:
    assert gradients(op, [1.0, -0.0, INF], [1.0, 0.0, INF]) == [[0.5] * 3, [0.5] * 3]


@pytest.mark.parametrize("op", [tg.maximum, tg.minimum])
def test_nan_spreads(op: Any) -> None:
    assert np.isnan(op(np.array([NAN, 1.0]), np.array([1.0, NAN]))).all()


def test_clipping_composes() -> None:
    """At a bound that is a number, the tie gives the tensor half of the gradient."""
    (found,) = gradients(lambda x: tg.minimum(tg.maximum(x, -1.0), 1.0), [-2.0, -1.0, 0.0, 1.0, 2.0])
    assert found == [0.0, 0.5, 1.0, 0.5, 0.0]


@pytest.mark.parametrize(
    ("f", "x"),
    [
        (lambda x: tg.where(x > 0, tg.log(x), 0.0), 0.0),
        (lambda x: tg.where(x > 0, tg.sqrt(x), 0.0), 0.0),
        (lambda x: tg.where(x < 1, 1 / (1 - x), x - x), 1.0),
    ],
    ids=["log", "sqrt", "reciprocal"],
)
def test_where_stops_at_the_branch_but_not_before_it(f: Any, x: float) -> None:
    """``where`` itself passes exact zeros; what 0 meets behind it (0 * inf) is for the argument to avoid."""
    taken = tg.tensor(x, dtype="float64", requires_grad=True)
    branch = tg.tensor(INF, dtype="float64", requires_grad=True)
    tg.where(taken > 5, branch, 0.0 * taken).backward()
    assert branch.grad is not None
    assert branch.grad.item() == 0.0
    safe: Any = lambda x: tg.where(x > 0, tg.log(tg.where(x > 0, x, 1.0)), 0.0)
    assert gradients(safe, 0.0) == [0.0]
    with np.errstate(divide="ignore", invalid="ignore"):
        assert math.isfinite(float(f(tg.tensor(x, dtype="float64"))))


def test_where_takes_numbers_and_keeps_the_dtype() -> None:
    x = tg.tensor([1.0, -1.0], dtype="float32", requires_grad=True)
    y = tg.where(x > 0, x, 0.0)
    assert y.dtype == np.float32
    y.sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [1.0, 0.0]


WITH_A_NUMBER = {
    "add": lambda x: x + 1.5,
    "rsub": lambda x: 1.5 - x,
    "mul": lambda x: x * 2,
    "rdiv": lambda x: 3 / x,
    "square": lambda x: x**2,
    "pow": lambda x: x**0.5,
    "rpow": lambda x: 2.0**x,
    "maximum": lambda x: tg.maximum(x, 0),
    "minimum": lambda x: tg.minimum(1.0, x),
    "where": lambda x: tg.where(x > 0, x, 1),
}


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("name", WITH_A_NUMBER)
def test_python_numbers_do_not_change_the_dtype(name: str, dtype: str) -> None:
    for value in (2.0, [1.0, 2.0]):
        x = tg.tensor(value, dtype=dtype, requires_grad=True)
        y = WITH_A_NUMBER[name](x)
        assert y.dtype == np.dtype(dtype)
        y.sum().backward()
        assert x.grad is not None
        assert x.grad.dtype == np.dtype(dtype)


@pytest.mark.parametrize("scalar", [np.float64(2.0), np.array([2.0])], ids=["scalar", "array"])
def test_numpy_float64_widens_and_the_gradient_comes_back_in_float32(scalar: Any) -> None:
    x = tg.tensor([1.0, 3.0], dtype="float32", requires_grad=True)
    y = x * scalar
    assert y.dtype == np.float64
    y.sum().backward()
    assert x.grad is not None
    assert x.grad.dtype == np.float32
    assert x.grad.tolist() == [2.0, 2.0]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    "op", [tg.sigmoid, tg.tanh, tg.relu, tg.softmax, tg.log_softmax, tg.logsumexp, tg.abs]
)
def test_extremes_pass_without_a_warning(op: Any, dtype: str) -> None:
    """Forward, and two orders of derivative, with NumPy's warnings as errors (pytest makes them so)."""
    big = 1e4
    x = tg.tensor([-big, -1.0, 0.5, big], dtype=dtype, requires_grad=True)
    (g,) = tg.autograd.grad((op(x) * op(x)).sum(), x, create_graph=True)
    (h,) = tg.autograd.grad((g * g).sum(), x, allow_unused=True)
    assert np.isfinite(g.numpy()).all()
    assert np.isfinite(h.numpy()).all()


def test_sigmoid_is_symmetric_and_never_leaves_its_range() -> None:
    x = np.linspace(-50, 50, 1001)
    y = tg.sigmoid(x)
    assert ((y >= 0) & (y <= 1)).all()
    np.testing.assert_allclose(y + tg.sigmoid(-x), 1, rtol=1e-15)


def test_division_of_integers_gives_floats() -> None:
    y = tg.tensor([1, 2]) / tg.tensor([2, 2])
    assert y.dtype == np.float64
    assert y.tolist() == [0.5, 1.0]
