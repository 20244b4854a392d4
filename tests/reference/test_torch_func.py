"""Transformations compared with torch.func: the same program in both libraries, composed the same way."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose

import tensorgrad as tg
from tests.reference.peer import torch

# torch.func.jvp compiles its decompositions with a function that torch itself deprecated.
pytestmark = pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")

generator = np.random.default_rng(42)
X, V = generator.normal(size=4), generator.normal(size=4)
W, B = generator.normal(size=(4, 4)), generator.normal(size=4)
XS = generator.normal(size=(5, 4))
LABELS = np.array([0, 3, 1, 1, 2])
CLOSE = {"rtol": 1e-10, "atol": 1e-12}

# name: the program for tensorgrad and for torch, a function of (x, w) to one number
PROGRAMS: dict[str, tuple[Callable[..., Any], Callable[..., Any]]] = {
    "network": (
        lambda x, w: (tg.tanh(tg.tanh(x @ w) @ w) ** 2).sum(),
        lambda x, w: (torch.tanh(torch.tanh(x @ w) @ w) ** 2).sum(),
    ),
    "softmax": (
        lambda x, w: (tg.softmax(w * x, axis=0) @ tg.log_softmax(w @ x)).sum(),
        lambda x, w: (torch.softmax(w * x, dim=0) @ torch.log_softmax(w @ x, dim=-1)).sum(),
    ),
    "logsumexp of distances": (
        lambda x, w: tg.logsumexp(-((w - x) ** 2).sum(1)),
        lambda x, w: torch.logsumexp(-((w - x) ** 2).sum(1), dim=0),
    ),
    "piecewise": (
        lambda x, w: (tg.where(w > x, w * w * x, tg.abs(x)) * tg.relu(w + 0.1)).sum() + tg.max(w @ x) ** 3,
        lambda x, w: (
            (torch.where(w > x, w * w * x, torch.abs(x)) * torch.relu(w + 0.1)).sum() + torch.amax(w @ x) ** 3
        ),
    ),
    "einsum and sort": (
        lambda x, w: (tg.einsum("ij,kj,i->k", w, w, x) * tg.sort(x)).sum(),
        lambda x, w: (torch.einsum("ij,kj,i->k", w, w, x) * torch.sort(x).values).sum(),
    ),
    "parts": (
        lambda x, w: (tg.concat([tg.split(w, 2)[1] @ x, x[1:3] ** 2]) ** 3 * tg.stack([x, x])[1]).sum(),
        lambda x, w: (torch.cat([torch.split(w, 2)[1] @ x, x[1:3] ** 2]) ** 3 * torch.stack([x, x])[1]).sum(),
    ),
    "powers": (
        lambda x, w: ((x * x + 1) ** w.mean(0) * 2.0**x * tg.std(w, axis=1, correction=1)).sum(),
        lambda x, w: ((x * x + 1) ** w.mean(0) * 2.0**x * torch.std(w, dim=1, correction=1)).sum(),
    ),
}
every = pytest.mark.parametrize(("ours", "theirs"), PROGRAMS.values(), ids=PROGRAMS.keys())


def t(x: Any) -> Any:
    return torch.from_numpy(np.array(x))


def same(found: Any, expected: Any) -> None:
    if isinstance(found, tuple):
        for a, b in zip(found, expected, strict=True):
            same(a, b)
    else:
        assert_allclose(found, expected.detach().numpy(), **CLOSE)


@every
def test_value_and_gradient(ours: Any, theirs: Any) -> None:
    same(ours(tg.tensor(X), tg.tensor(W)), theirs(t(X), t(W)))
    same(tg.grad(ours, (0, 1))(X, W), torch.func.grad(theirs, (0, 1))(t(X), t(W)))


@every
def test_jvp(ours: Any, theirs: Any) -> None:
    found = tg.jvp(ours, (X, W), (V, W.T))
    same(found, torch.func.jvp(theirs, (t(X), t(W)), (t(V), t(W.T))))


@every
def test_hessian(ours: Any, theirs: Any) -> None:
    expected = torch.func.hessian(theirs)(t(X), t(W))
    forward = tg.vmap(lambda e: tg.jvp(lambda x: tg.grad(ours)(x, W), (X,), (e,))[1])(np.eye(4))
    reverse = tg.vmap(lambda e: tg.grad(lambda x: (tg.grad(ours)(x, W) * e).sum())(X))(np.eye(4))
    same(forward, expected)
    same(reverse, expected)


@every
def test_third_order(ours: Any, theirs: Any) -> None:
    def curvature(x: Any) -> Any:
        return (tg.jvp(lambda x: tg.grad(ours)(x, W), (x,), (V,))[1] * V).sum()

    def theirs_curvature(x: Any) -> Any:
        return (torch.func.jvp(lambda x: torch.func.grad(theirs)(x, t(W)), (x,), (t(V),))[1] * t(V)).sum()

    same(tg.grad(curvature)(X), torch.func.grad(theirs_curvature)(t(X)))


@every
def test_gradients_of_examples(ours: Any, theirs: Any) -> None:
    found = tg.vmap(tg.grad(ours, (0, 1)), (0, None))(XS, W)
    same(found, torch.func.vmap(torch.func.grad(theirs, (0, 1)), (0, None))(t(XS), t(W)))


@every
def test_gradients_of_a_batch_of_tangents(ours: Any, theirs: Any) -> None:
    def total(w: Any) -> Any:
        return tg.vmap(lambda x: tg.jvp(lambda x: ours(x, w), (x,), (V,))[1])(XS).sum()

    def theirs_total(w: Any) -> Any:
        return torch.func.vmap(lambda x: torch.func.jvp(lambda x: theirs(x, w), (x,), (t(V),))[1])(
            t(XS)
        ).sum()

    same(tg.grad(total)(W), torch.func.grad(theirs_total)(t(W)))


@every
def test_a_double_backward_with_captured_parameters(ours: Any, theirs: Any) -> None:
    """The penalty on an input gradient, by backward in both."""
    w, u = tg.tensor(W, requires_grad=True), t(W).requires_grad_()
    x, y = tg.tensor(X, requires_grad=True), t(X).requires_grad_()
    (g,) = tg.autograd.grad(ours(x, w), x, create_graph=True)
    (h,) = torch.autograd.grad(theirs(y, u), y, create_graph=True)
    (g * g).sum().backward()
    (h * h).sum().backward()
    same(w.grad, u.grad)
    same(x.grad, y.grad)


def test_per_example_losses_of_a_classifier() -> None:
    def ours(p: Any, x: Any, label: Any) -> Any:
        return -tg.log_softmax(tg.tanh(x @ p["w"]) + p["b"])[label]

    def theirs(p: Any, x: Any, label: Any) -> Any:
        logp = torch.log_softmax(torch.tanh(x @ p["w"]) + p["b"], dim=-1)
        return -logp.gather(0, label[None])[0]

    found = tg.vmap(tg.grad(ours), (None, 0, 0))({"w": W, "b": B}, XS, LABELS)
    expected = torch.func.vmap(torch.func.grad(theirs), (None, 0, 0))(
        {"w": t(W), "b": t(B)}, t(XS), t(LABELS)
    )
    for name in ("w", "b"):
        same(found[name], expected[name])


def test_grad_outputs_with_a_history() -> None:
    """Forward mode by two reverse passes: the gradient in the cotangent of a vector-Jacobian product."""
    x, y = tg.tensor(X, requires_grad=True), t(X).requires_grad_()
    v, u = tg.tensor(V, requires_grad=True), t(V).requires_grad_()
    (g,) = tg.autograd.grad(tg.softmax(x * x), x, grad_outputs=v, create_graph=True)
    (h,) = torch.autograd.grad(torch.softmax(y * y, dim=0), y, grad_outputs=u, create_graph=True)
    same(g, h)
    found = tg.autograd.grad(g, [x, v], grad_outputs=np.ones(4))
    same(found, torch.autograd.grad(h, [y, u], grad_outputs=torch.ones(4, dtype=torch.float64)))


def test_custom_functions_agree() -> None:
    class Ours(tg.Function):
        @staticmethod
        def forward(ctx: Any, x: Any, scale: float) -> Any:
            y = tg.exp(x) * scale
            ctx.save_for_backward(x, y)
            ctx.scale = scale
            return y, x * x

        @staticmethod
        def backward(ctx: Any, g: Any, h: Any) -> Any:
            x, _ = ctx.saved_tensors
            return g * tg.exp(x) * ctx.scale + 2 * x * h, None

    class Theirs(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any, scale: float) -> Any:
            y = torch.exp(x) * scale
            ctx.save_for_backward(x, y)
            ctx.scale = scale
            return y, x * x

        @staticmethod
        def backward(ctx: Any, g: Any, h: Any) -> Any:
            x, _ = ctx.saved_tensors
            return g * torch.exp(x) * ctx.scale + 2 * x * h, None

    x, y = tg.tensor(X, requires_grad=True), t(X).requires_grad_()
    a, b = Ours.apply(x, 0.5)
    c, d = Theirs.apply(y, 0.5)
    (g,) = tg.autograd.grad((a * b).sum(), x, create_graph=True)
    (h,) = torch.autograd.grad((c * d).sum(), y, create_graph=True)
    same(g, h)
    same(tg.autograd.grad((g * g).sum(), x), torch.autograd.grad((h * h).sum(), y))
