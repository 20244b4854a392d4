"""Numeric slopes: right to many digits, and never further off than they say."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tensorgrad.testing.slopes import FIRST, central_slope, complex_slope, fixed_slope, one_sided_slope

Function = Callable[[Any], Any]

ZOO: dict[str, tuple[Function, Function]] = {
    "exp": (np.exp, np.exp),
    "sin": (np.sin, np.cos),
    "log": (np.log, lambda x: 1 / x),
    "sqrt": (np.sqrt, lambda x: 0.5 / np.sqrt(x)),
    "fifth power": (lambda x: x**5, lambda x: 5 * x**4),
    "tanh": (np.tanh, lambda x: 1 - np.tanh(x) ** 2),
    "fast wave": (lambda x: np.sin(30 * x), lambda x: 30 * np.cos(30 * x)),
    "reciprocal": (lambda x: 1 / x, lambda x: -1 / x**2),
    "log1p": (np.log1p, lambda x: 1 / (1 + x)),
    "expm1": (np.expm1, np.exp),
    "arctan": (np.arctan, lambda x: 1 / (1 + x * x)),
    "bell": (lambda x: np.exp(-x * x), lambda x: -2 * x * np.exp(-x * x)),
    "relu": (lambda x: np.maximum(x, 0), lambda x: np.where(x > 0, 1, 0)),
    "smooth kink": (lambda x: np.abs(x) ** 3, lambda x: 3 * x * np.abs(x)),
    "line far up": (lambda x: 7 * x + 1e3, lambda x: 7 + 0 * x),
    "constant": (lambda x: 0 * x + 3, lambda x: 0 * x),
    "lost digits": (lambda x: x * x + 1e8, lambda x: 2 * x),
    "rational": (lambda x: x / (1 + x * x), lambda x: (1 - x * x) / (1 + x * x) ** 2),
    "logistic": (lambda x: 1 / (1 + np.exp(-x)), lambda x: np.exp(-x) / (1 + np.exp(-x)) ** 2),
    "sinh": (np.sinh, np.cosh),
}
POINTS = np.abs(np.random.default_rng(7).standard_normal(10)) + 1e-3
EASY = set(ZOO) - {"lost digits", "line far up", "constant"}


def line_of(f: Function, x: float, scale: float, dtype: type) -> Callable[[float], Any]:
    def line(t: float) -> Any:
        with np.errstate(all="ignore"):
            return np.array([f(dtype(x) + dtype(t * scale))], np.float64)

    return line


@pytest.mark.parametrize("dtype", [np.float64, np.float32], ids=["float64", "float32"])
@pytest.mark.parametrize("name", ZOO)
def test_no_slope_is_further_off_than_its_bound(name: str, dtype: type) -> None:
    """200 functions and points; the relative error stays below 1e-10 where rounding lets it."""
    f, slope = ZOO[name]
    unit = float(np.finfo(dtype).eps)
    for x in POINTS.astype(dtype):
        scale = 2.0 ** np.floor(np.log2(float(x)))
        found = central_slope(line_of(f, x, scale, dtype), unit)
        exact = float(slope(np.float64(x)))
        distance = abs(found.value[0] / scale - exact)
        assert distance <= found.error[0] / scale + 1e-15 * abs(exact)
        if name in EASY and dtype is np.float64:
            assert distance <= 1e-10 * abs(exact) + 1e-13
            assert found.error[0] / scale <= 1e-7 * abs(exact) + 1e-11


def test_each_result_has_the_step_that_serves_it() -> None:
    found = central_slope(lambda t: np.array([np.sin(40 * t), 1e-3 * t, np.exp(t)]), 2.2e-16)
    np.testing.assert_allclose(found.value, [40, 1e-3, 1], rtol=1e-9)


def test_a_function_that_ends_nearby_is_met_with_smaller_steps() -> None:
    with np.errstate(invalid="ignore"):
        found = central_slope(lambda t: np.array([np.log(1e-3 + t)]), 2.2e-16)
    assert abs(found.value[0] - 1e3) <= found.error[0] < 20


@pytest.mark.parametrize("x", [0.3, 0.02, 0.001])
@pytest.mark.parametrize("power", [1, 2, 3])
def test_a_pole_that_is_stepped_over_does_not_fool_the_bound(x: float, power: int) -> None:
    """Steps start at an eighth and so lie on both sides of the pole at 0."""
    found = central_slope(lambda t: np.array([1 / (x + t) ** power]), 2.2e-16)
    assert abs(found.value[0] + power / x ** (power + 1)) <= found.error[0]


def test_where_nothing_can_be_told_the_bound_is_infinite() -> None:
    found = central_slope(lambda t: np.array([np.nan if t else 0.0]), 2.2e-16)
    assert found.error[0] == np.inf


@pytest.mark.parametrize(
    ("f", "bent"), [(abs, True), (lambda t: max(t, 0.0), True), (lambda t: t * t, False), (np.exp, False)]
)
def test_a_kink_right_here_is_noticed(f: Function, bent: bool) -> None:
    found = central_slope(lambda t: np.array([f(t)]), 2.2e-16)
    assert found.bent is not None
    assert found.bent[0] == bent


def test_slopes_from_one_side() -> None:
    above = one_sided_slope(lambda t: np.array([max(t, -2 * t), np.exp(t), abs(t) ** 1.5]), 2.2e-16)
    assert (np.abs(above.value - [1, 1, 0]) <= above.error).all()
    assert above.error[0] < 1e-10
    assert above.error[1] < 1e-6
    assert above.error[2] < 0.1


def test_the_complex_step_is_exact() -> None:
    found = complex_slope(lambda t: np.array([np.exp(0.3 + t) * np.sin(0.3 + t)]), 2.2e-16)
    exact = np.exp(0.3) * (np.sin(0.3) + np.cos(0.3))
    assert abs(found.value[0] - exact) <= found.error[0] <= 1e-14


def test_a_given_step_is_used_as_it_is() -> None:
    asked: list[float] = []

    def line(t: float) -> Any:
        asked.append(t)
        return np.array([t**3])

    found = fixed_slope(line, 2.2e-16, 1e-2)
    assert found.value[0] == pytest.approx(1e-4)
    assert set(map(abs, asked)) == {0.0, 1e-2, 2e-2}
    assert found.error[0] >= 1e-4
    assert FIRST not in asked
