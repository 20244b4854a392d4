"""``autograd.grad``: gradients of tensors with respect to tensors, leaves or not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose

import tensorgrad as tg

X = np.array([1.0, 2.0, 3.0])


def test_autograd_grad_of_values_in_the_middle() -> None:
    x = tg.tensor(X, requires_grad=True)
    y = x * x
    z = (y**3).sum()
    dy, dx = tg.autograd.grad(z, [y, x])
    assert_allclose(dy, 3 * X**4)
    assert_allclose(dx, 6 * X**5)
    assert x.grad is None


def test_autograd_grad_of_an_output_with_respect_to_itself() -> None:
    x = tg.tensor(X, requires_grad=True)
    y = (x * x).sum()
    dy, dx = tg.autograd.grad(y, [y, x])
    assert dy.item() == 1.0
    assert_allclose(dx, 2 * X)


def test_autograd_grad_of_several_outputs_adds_up() -> None:
    x = tg.tensor(X, requires_grad=True)
    (found,) = tg.autograd.grad([x * x, x**3], x, grad_outputs=[np.ones(3), 2 * np.ones(3)])
    assert_allclose(found, 2 * X + 6 * X * X)


def test_autograd_grad_unused() -> None:
    w, v = [tg.tensor(X, requires_grad=True) for _ in range(2)]
    for y in ((w * w).sum(), tg.exp(w).sum(), (w @ w)):
        assert tg.autograd.grad(y, v, retain_graph=True, allow_unused=True) == (None,)
        dw, dv = tg.autograd.grad(y, [w, v], retain_graph=True, allow_unused=True)
        assert dv is None and dw is not None
        with pytest.raises(tg.GradientError, match="allow_unused=True"):
            tg.autograd.grad(y, v)


def test_autograd_grad_keeps_or_frees_the_graph() -> None:
    x = tg.tensor(X, requires_grad=True)
    y = (x * x).sum()
    tg.autograd.grad(y, x, retain_graph=True)
    tg.autograd.grad(y, x)
    with pytest.raises(tg.NoGraphError, match="retain_graph=True"):
        tg.autograd.grad(y, x)


def test_the_cotangents_given_may_have_a_history() -> None:
    """With create_graph the result is linear in grad_outputs, and differentiable in them."""
    w = tg.tensor(X, requires_grad=True)
    v = tg.tensor(np.ones(3), requires_grad=True)
    (g,) = tg.autograd.grad(w * w * w, w, grad_outputs=v, create_graph=True)  # 3 w^2 v
    assert_allclose(g, 3 * X * X)
    dw, dv = tg.autograd.grad(g, [w, v], grad_outputs=np.ones(3))
    assert_allclose(dw, 6 * X)
    assert_allclose(dv, 3 * X * X)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda x, y: tg.autograd.grad(y, np.ones(3)), tg.GradientError, "input 0 does not require"),
        (lambda x, y: tg.autograd.grad(y.detach(), x), tg.NoGraphError, "requires_grad=True"),
        (lambda x, y: tg.autograd.grad(y, x), tg.ShapeError, "cotangent"),
        (lambda x, y: tg.autograd.grad(y, x, grad_outputs=np.ones(2)), tg.ShapeError, r"\(2,\)"),
        (lambda x, y: tg.autograd.grad([y, y], x, grad_outputs=[np.ones(3)]), tg.ShapeError, "one for each"),
    ],
)
def test_autograd_grad_errors(call: Any, error: Any, words: str) -> None:
    x = tg.tensor(X, requires_grad=True)
    with pytest.raises(error, match=words):
        call(x, x * x)
