"""Gradients of functions that use tensors from outside: higher orders, modes, backward inside."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import tensorgrad as tg

X = np.array([1.0, 2.0, 3.0])


def test_a_captured_parameter_makes_the_gradient_differentiable() -> None:
    w = tg.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    x = np.array([0.5, -1.0], np.float32)
    g = tg.grad(lambda x: ((w @ x) ** 2).sum())(x)  # 2 W^T W x
    assert_allclose(g, 2 * w.numpy().T @ w.numpy() @ x)
    assert g.requires_grad
    (g * g).sum().backward()
    # d/dW |2 W^T W x|^2 = 2 (W h x^T + W x h^T) with h = 2 g
    h = 2 * g.numpy()
    assert_allclose(w.grad, 2 * w.numpy() @ (np.outer(h, x) + np.outer(x, h)), rtol=1e-6)


def test_a_penalty_on_the_input_gradient() -> None:
    """The gradient penalty of a critic: second order through everything captured."""
    generator = np.random.default_rng(0)
    w1 = tg.tensor(generator.normal(size=(3, 4)), requires_grad=True)
    w2 = tg.tensor(generator.normal(size=4), requires_grad=True)
    x = generator.normal(size=3)

    def penalty(w1: Any, w2: Any) -> Any:
        g = tg.grad(lambda x: tg.tanh(x @ w1) @ w2)(x)
        return ((g * g).sum() - 1) ** 2

    penalty(w1, w2).backward()
    for w, position in ((w1, 0), (w2, 1)):
        v = generator.normal(size=w.shape)
        points = [[w1.numpy(), w2.numpy()] for _ in range(2)]
        for sign, point in zip((1, -1), points, strict=True):
            point[position] = point[position] + sign * 1e-6 * v
        with tg.no_grad():
            plus, minus = [penalty(tg.tensor(a), tg.tensor(b)).item() for a, b in points]
        assert (w.grad.numpy() * v).sum() == pytest.approx((plus - minus) / 2e-6, rel=1e-6)


def test_nothing_arrives_at_captured_leaves() -> None:
    w = tg.tensor(X, requires_grad=True)
    tg.grad(lambda x: (w * x).sum())(X)
    assert w.grad is None


def test_an_argument_with_a_history() -> None:
    w = tg.tensor(X, requires_grad=True)
    y = w * 2
    g = tg.grad(lambda v: (v**3).sum())(y)  # 3 y^2 = 12 w^2
    g.sum().backward()
    assert_allclose(w.grad, 24 * X)


# ---- no_grad


def test_gradients_are_computed_under_no_grad_too() -> None:
    with tg.no_grad():
        assert_array_equal(tg.grad(lambda x: (x * x).sum())(X), 2 * X)
        assert not tg.is_grad_enabled()
        assert_allclose(tg.grad(lambda x: tg.grad(lambda y: (y**3).sum())(x).sum())(X), 6 * X)


def test_under_no_grad_the_gradient_carries_no_graph() -> None:
    w = tg.tensor(X, requires_grad=True)
    with tg.no_grad():
        g = tg.grad(lambda x: (w * x * x).sum())(tg.tensor(X))
        value, h = tg.value_and_grad(lambda v: (v * v).sum())(w)
        rows = tg.vmap(tg.grad(lambda x: (w * x * x).sum()))(np.stack([X, X]))
    assert_allclose(g, 2 * X * X)
    assert_allclose(h, 2 * X)
    assert_allclose(rows[1], 2 * X * X)
    assert not any(one.requires_grad for one in (g, h, value, rows))


def test_no_grad_inside_cuts_what_it_covers() -> None:
    def f(x: Any) -> Any:
        with tg.no_grad():
            frozen = x * x
        return (frozen * x).sum()

    assert_allclose(tg.grad(f)(X), X * X)
    assert_allclose(tg.vmap(tg.grad(f))(X), X * X)


def test_a_gradient_taken_inside_no_grad_inside_is_a_constant() -> None:
    def f(x: Any) -> Any:
        with tg.no_grad():
            slope = tg.grad(lambda v: (v**3).sum())(x)
        return (slope * x).sum()

    assert_allclose(tg.grad(f)(X), 3 * X * X)


# ---- backward inside


def test_a_function_that_trains_inside() -> None:
    def fit(x: Any) -> Any:
        w = tg.tensor(np.zeros(3), requires_grad=True)
        for _ in range(3):
            w.grad = None
            ((w - tg.tensor(X)) ** 2).sum().backward()
            with tg.no_grad():
                w -= 0.5 * w.grad
        return (w.detach() * x * x).sum()

    assert_allclose(tg.grad(fit)(X), 2 * X * X)


def test_backward_inside_a_level_says_what_to_use() -> None:
    def f(x: Any) -> Any:
        (x * x).sum().backward()
        return x.sum()

    with pytest.raises(tg.GradientError, match=r"tg\.grad"):
        tg.vmap(tg.grad(f))(np.ones((2, 3)))
