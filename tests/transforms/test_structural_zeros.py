"""Structural zeros: a branch that is not taken, and a mask, add nothing to a derivative."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

import tensorgrad as tg
from tensorgrad._primitive import registry
from tensorgrad._zeros import MATRICES
from tensorgrad.testing.case import Case, random_like
from tensorgrad.testing.samples import ROWS

INF, NAN = np.inf, np.nan
x3 = np.array([0.0, 4.0, -1.0])
PAIRS = np.array([[1.0, 2.0], [3.0, 4.0], [0.0, 0.0]])
ROW = np.array([True, False])
SEEN = np.array([[True, True, True], [False, False, False]])


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """The forward passes of the untaken branches warn, as they should."""
    with np.errstate(all="ignore"):
        yield


def _root(x: Any) -> Any:
    r = tg.sqrt((x**2).sum(1))
    return tg.where(r > 0.5, r, 1.0).sum()


def _attention(x: Any) -> Any:
    scores = tg.where(SEEN, x, -INF)
    return tg.where(ROW[:, None], tg.softmax(scores, -1), 0.0)[:, 0].sum()


def _nested(x: Any) -> Any:
    return tg.where(x > -2, tg.where(x > 0, tg.log(x), 0.0), tg.sqrt(x)).sum()


def _log_loss(x: Any) -> Any:
    p = tg.relu(x)
    return (np.array([0.0, 1.0, 0.0]) * tg.log(p)).nansum()


def _normalised(x: Any) -> Any:
    r = tg.linalg.vector_norm(x, axis=1, keepdims=True)
    return (tg.where(r > 0, x / r, 0.0) * np.array([1.0, 2.0])).sum()


# What people reported elsewhere (the threads are named), and what lies near: function, point, gradient.
REPRODUCERS: dict[str, tuple[Callable[[Any], Any], Any, Any]] = {
    # jax-ml/jax 347, 1052, 5798, 20601; tinygrad 12409; pytorch 18287, 16317, 52248, 108618; tensorflow 38349
    "root of a zero row": (_root, PAIRS, np.array([[1 / 5**0.5, 2 / 5**0.5], [0.6, 0.8], [0, 0]])),
    "atan2 at 0": (lambda x: tg.where([False, True, False], 0.0, tg.atan2(x, x)).sum(), np.array([3.0, 0, -5]), [0, 0, 0]),
    "x or its root": (lambda x: tg.where(x < 1, x, tg.sqrt(x)).sum(), np.array([0.0, 4.0]), [1, 0.25]),
    "a false branch of NaN": (lambda b: tg.where(False, b * NAN, 1.0), np.array(2.3), 0),
    "x times its root": (lambda x: tg.where(x == 0, 0.0, x * tg.sqrt(x)).sum(), np.array([0.0, 4.0]), [0, 3]),
    "cos at infinity": (lambda x: tg.where(x < 1, tg.cos(x), 0.0).sum(), np.array([0.0, INF]), [-0.0, 0]),
    "divided by 0": (lambda x: tg.where(ROW, x / np.array([2.0, 0.0]), 0.0).sum(), np.array([1.0, 1.0]), [0.5, 0]),
    "a number over 0": (lambda x: tg.where(False, x / 0.0, 1.0), np.array(0.3), 0),
    "log2 or a line": (lambda x: tg.where(x > 2, tg.log2(x), 2 * x).sum(), np.array([0.0, 4.0]), [2, 0.25 / np.log(2)]),
    "overflow": (lambda x: tg.where(x < 15, x, 10 ** tg.exp(x)), np.array(10.0), 1),
    # masks that multiply, slopes that are 0
    "entropy": (lambda x: tg.where(x > 0, x * tg.log(x), 0.0).sum(), x3, [0, np.log(4) + 1, 0]),
    "relu of a log": (lambda x: tg.relu(tg.log(x)).sum(), x3, [0, 0.25, 0]),
    "root of a relu": (lambda x: tg.sqrt(tg.relu(x)).sum(), np.array([-1.0, 4.0]), [0, 0.25]),
    "maximum": (lambda x: tg.maximum(tg.log(x), 0.0).sum(), np.array([0.0, 4.0]), [0, 0.25]),
    "clip": (lambda x: tg.clip(tg.log(x), -1.0, 9.0).sum(), np.array([0.0, 4.0]), [0, 0.25]),
    "product with a mask": (lambda x: (tg.sqrt(x) * np.array([0.0, 1.0])).sum(), np.array([0.0, 4.0]), [0, 0.25]),
    "log loss": (_log_loss, x3, [0, 0.25, 0]),
    "root of 0": (lambda x: tg.where(x > 0, tg.sqrt(x), 0.0).sum(), x3, [0, 0.25, 0]),
    "norm at 0": (lambda x: tg.sqrt((x * x).sum()), np.zeros(3), [0, 0, 0]),
    "normalised rows": (_normalised, PAIRS, [[0, 0], [-8 / 125, 6 / 125], [0, 0]]),
    "sinc by hand": (lambda x: tg.where(x == 0, 1.0, tg.sin(x) / x).sum(), np.array([0.0, np.pi]), [0, -1 / np.pi]),
    "acos": (lambda x: tg.where(tg.abs(x) < 1, tg.acos(x), 0.0).sum(), np.array([-1.0, 0.0, 1.0]), [0, -1, 0]),
    "power": (lambda x: tg.where(x > 0, x**-0.5, 0.0).sum(), np.array([0.0, 4.0]), [0, -1 / 16]),
    "x to the x": (lambda x: tg.where(x > 0, x**x, 0.0).sum(), np.array([-1.0, 1.0]), [0, 1]),
    "nested": (_nested, np.array([-3.0, -1.0, 0.0, 4.0])[1:], [0, 0, 0.25]),
    "masked row of softmax": (_attention, np.array([0.0, 0.0, 0.0]), [2 / 9, -1 / 9, -1 / 9]),
    "empty logsumexp": (
        lambda x: tg.where(ROW, tg.log(tg.exp(tg.where(SEEN, x, -INF)).sum(-1)), 0.0).sum(), np.zeros(3), [1 / 3] * 3
    ),
    "matmul with NaN": (lambda x: tg.where(ROW, np.array([[1.0, 2.0], [NAN, INF]]) @ x, 0.0).sum(), np.ones(2), [1, 2]),
    "einsum with inf": (
        lambda x: tg.where(ROW, tg.einsum("ij,j->i", np.array([[1.0, 2.0], [INF, 1.0]]), x), 0.0).sum(), np.ones(2), [1, 2]
    ),
    "convolution": (
        lambda x: tg.where(np.array([True, True, False]), tg.convolve(np.array([1.0, 2.0, NAN, 1.0]), x, "valid"), 0.0)[0],
        np.array([3.0, 4.0]), [2, 1],
    ),
    "singular matrix": (
        lambda x: tg.where(ROW, tg.linalg.slogdet(tg.stack([tg.diag(x + 1), tg.diag(x)]))[1], 0.0).sum(),
        np.array([0.0, 1.0]), [1, 0.5],
    ),
}  # fmt: skip

def ways() -> dict[str, Callable[[Any, Any], Any]]:
    """Ways to differentiate ``f`` at ``x`` with structural zeros; each returns the gradient as an array."""

    def transformed(f: Any, x: Any) -> Any:
        with tg.structural_zeros():
            found = tg.grad(f)(x)
        assert not isinstance(found, tg.Tensor)
        return found

    def backward_inside(f: Any, x: Any) -> Any:
        t = tg.tensor(x, requires_grad=True)
        y = f(t)
        with tg.structural_zeros():
            y.backward()
        return t.grad.numpy()

    def recorded_inside(f: Any, x: Any) -> Any:
        t = tg.tensor(x, requires_grad=True)
        tg.structural_zeros()(f)(t).backward()
        return t.grad.numpy()

    def recorded_pass(f: Any, x: Any) -> Any:
        t = tg.tensor(x, requires_grad=True)
        with tg.structural_zeros():
            (found,) = tg.autograd.grad(f(t), t, create_graph=True)
        return found.numpy()

    def in_a_batch(f: Any, x: Any) -> Any:
        with tg.structural_zeros():
            return tg.vmap(tg.grad(f))(np.stack([x, x]))[1]

    def forward(f: Any, x: Any) -> Any:
        basis = np.eye(x.size).reshape(-1, *x.shape)
        with tg.structural_zeros():
            return np.reshape([tg.jvp(f, (x,), (e,))[1] for e in basis], x.shape)

    def watched(f: Any, x: Any) -> Any:
        t = tg.tensor(x, requires_grad=True)
        with tg.record(), tg.structural_zeros():
            f(t).backward()
        return t.grad.numpy()

    def traced(f: Any, x: Any) -> Any:
        with tg.structural_zeros():
            graph = tg.trace(tg.grad(f), tg.tensor(np.full_like(x, 0.7)))
        return np.asarray(graph(tg.tensor(x)))

    return {f.__name__: f for f in (
        transformed, backward_inside, recorded_inside, recorded_pass, in_a_batch, forward, watched, traced)}  # fmt: skip


@pytest.mark.parametrize("way", ways())
@pytest.mark.parametrize("name", REPRODUCERS)
def test_every_reproducer_gives_the_finite_answer(name, way):
    f, x, expected = REPRODUCERS[name]
    assert_allclose(ways()[way](f, x), np.broadcast_to(expected, x.shape), rtol=1e-12, atol=1e-15)


def test_most_reproducers_are_not_finite_without():
    bad = [name for name, (f, x, _) in REPRODUCERS.items() if not np.isfinite(tg.grad(f)(x)).all()]
    assert len(bad) >= len(REPRODUCERS) - 6, set(REPRODUCERS) - set(bad)
