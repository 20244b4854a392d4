"""The gradient checker: it passes what is right, finds what is wrong, and says where and how."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad.testing import gradcheck
from tensorgrad.testing.differences import central, complex_step, step_for

X = np.linspace(0.5, 2.0, 6).reshape(2, 3)
COUNT = itertools.count()


def with_slope(slope: Any) -> Any:
    """A cube with a derivative of one's own."""

    @tg.elementwise
    def cube(x: Any) -> Any:
        return x * x * x

    cube.derivative(x=slope)
    return cube


def with_pullback(pullback: Any) -> Any:
    @tg.primitive
    def cube(x: Any, /) -> Any:
        return x * x * x

    cube.vjp(x=pullback)
    return cube


def message(f: Any, inputs: Any, **settings: Any) -> str:
    with pytest.raises(tg.GradcheckError) as caught:
        gradcheck(f, inputs, **settings)
    assert gradcheck(f, inputs, raise_exception=False, **settings) is False
    return str(caught.value)


# ---- what is right


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16"])
def test_right_gradients_pass(dtype: str) -> None:
    x = X.astype(dtype)
    assert gradcheck(tg.tanh, x)
    assert gradcheck(lambda a, b: (a @ b.T, tg.sin(a)), [x, tg.tensor(x)])
    assert gradcheck(lambda x: tg.softmax(x, axis=0) * 3, [x])
    assert gradcheck(with_slope(lambda x: 3 * x * x), [x])


def test_large_results_are_checked_by_random_sums() -> None:
    assert gradcheck(lambda x: tg.broadcast_to(x, (50, 2, 3)) ** 2, X)


def test_containers_numbers_and_complex_values() -> None:
    assert gradcheck(lambda p, x: {"y": p["w"] * x + p["b"]}, [{"w": 2.0, "b": tg.tensor([1.0, 2.0])}, 0.5])
    assert gradcheck(lambda z: z * tg.conjugate(z) + tg.exp(z), [np.array([1 + 2j, -0.5])])
    assert gradcheck(lambda z: tg.abs(z), [np.array([1 + 2j, -0.5])])


def test_a_gradient_is_a_function_like_others() -> None:
    assert gradcheck(lambda x: tg.grad(lambda x: (x**3).sum())(x), X)


def test_inputs_of_size_0() -> None:
    assert gradcheck(lambda x, y: x.sum() + y, [np.zeros((0, 3)), 1.0])


def test_a_result_without_elements() -> None:
    assert gradcheck(lambda x: x[:0] * 2, [np.ones(2)])
    assert gradcheck(lambda x: (x[:0] * 2, x * 3), [np.ones(2)])


def test_integer_results_are_left_out() -> None:
    assert gradcheck(lambda x: (x * 2, x.argmax(axis=1)), X)


# ---- what is wrong


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16"])
def test_opposite_sign(dtype: str) -> None:
    text = message(with_slope(lambda x: -3 * x * x), X.astype(dtype))
    assert text.startswith("cube: the gradient of x is wrong in 6 of 6 entries")
    assert "worst      d result[1, 2] / d x[1, 2]\n  analytic   -12\n" in text
    assert "every entry has the opposite sign" in text


def test_a_factor_of_one_percent() -> None:
    text = message(with_slope(lambda x: 3.03 * x * x), X)
    assert "ratio      1.01\n" in text
    assert "every entry is off by the same factor, 1.01" in text


def test_one_wrong_entry() -> None:
    wrong = np.ones((2, 3))
    wrong[1, 0] = 1.5
    text = message(with_slope(lambda x: 3 * x * x * wrong), X)
    assert "wrong in 1 of 6 entries" in text
    assert "d result[1, 0] / d x[1, 0]" in text
    assert "single entry: all other entries of 6 are right" in text


def test_a_missing_gradient() -> None:
    assert "the gradient is missing" in message(lambda x: tg.stop_gradient(x) * 2, X)
    assert "the gradient is missing" in message(lambda x: x.numpy() * 2, X)
    assert "the gradient of b is wrong" in message(lambda a, b: a + tg.stop_gradient(b), [X, X])


def test_a_gradient_that_should_not_be() -> None:
    assert "the gradient should be 0" in message(with_pullback_of_constant(), X)


def with_pullback_of_constant() -> Any:
    @tg.primitive
    def seven(x: Any, /) -> Any:
        return 0 * x + 7

    seven.vjp(x=lambda g: g)
    return seven


@pytest.mark.parametrize("x", [X, np.array(0.5)], ids=["axes", "0-d"])
def test_a_formula_that_ignores_g(x: Any) -> None:
    """With a single result ``g`` is 1 for a plain gradient, where the mistake would not show."""
    assert "missing upstream factor" in message(with_pullback(lambda g, x: 3 * x * x), x)


def test_not_a_number() -> None:
    with np.errstate(divide="ignore", invalid="ignore"):
        text = message(with_slope(lambda x: 3 * x * x * (x - x) / (x - x)), X)
    assert "gives a value that is not finite" in text


def test_a_random_backward_pass() -> None:
    f = with_pullback(lambda g, x: g * 3 * x * x * (1 + 1e-9 * next(COUNT)))
    with pytest.raises(tg.GradcheckError, match="cube: two backward passes"):
        gradcheck(f, X)


def test_a_random_function() -> None:
    with pytest.raises(tg.GradcheckError, match="two evaluations at the same inputs differ"):
        gradcheck(lambda x: x * tg.randn(3), X)


def test_the_worst_input_comes_first_and_the_others_are_named() -> None:
    text = message(lambda a, b, c: tg.stop_gradient(a) * b * tg.stop_gradient(c), [X, X, 2 * X])
    assert "the gradient of a is wrong" in text
    assert "also       c" in text


def test_names_of_inputs() -> None:
    assert "d result / d p['w'][0]" in message(lambda p: tg.stop_gradient(p["w"]).sum(), {"w": X[0, :2]})
    assert "gradient of xs[1] is wrong" in message(lambda *xs: xs[0] + tg.stop_gradient(xs[1]), [X, X])
    assert "(imaginary part)" in message(lambda z: tg.real(z) + tg.stop_gradient(tg.imag(z)), np.array([1j]))


# ---- what cannot be checked


def test_integers_are_refused() -> None:
    with pytest.raises(
        tg.DtypeError, match=r"gradcheck: input index is int64.*gradcheck\(lambda x: f\(x, index\)"
    ):
        gradcheck(lambda x, index: x[index], [X, np.array([0, 1])])
    with pytest.raises(tg.DtypeError, match="gradcheck: input x is bool"):
        gradcheck(lambda x: x, [np.array([True])])


def test_nothing_to_check() -> None:
    with pytest.raises(tg.DtypeError, match="returned nothing floating"):
        gradcheck(lambda x: x > 1, X)
    with pytest.raises(tg.DtypeError, match="no inputs given"):
        gradcheck(lambda: 1.0, [])


def test_points_where_the_function_is_not_finite() -> None:
    with (
        np.errstate(all="ignore"),
        pytest.raises(tg.GradcheckError, match="result 0 is not finite at these inputs"),
    ):
        gradcheck(tg.log, np.array([0.0, 1.0]))


# ---- differences


def test_central_differences_are_right_to_ten_digits() -> None:
    found = central(lambda x: [np.exp(x)], [X], 0, step_for(np.dtype(np.float64)))
    np.testing.assert_allclose(found, np.diag(np.exp(X).ravel()), rtol=1e-9, atol=1e-9)


def test_the_complex_step_is_right_to_the_last_digit() -> None:
    found = complex_step(lambda x: [np.exp(x) * x], [X], 0)
    np.testing.assert_allclose(found, np.diag((np.exp(X) * (1 + X)).ravel()), rtol=1e-15, atol=0)
