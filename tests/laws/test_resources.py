"""Transformations leave nothing behind, go deep without recursion, and keep to their thread."""

from __future__ import annotations

import gc
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose

import tensorgrad as tg
from tensorgrad._levels import open_levels
from tests.collector import collector_off

X = np.array([0.1, 0.2, 0.3])
W = tg.tensor(np.outer(X, X), requires_grad=True)


def energy(x: Any) -> Any:
    return (tg.tanh(W @ x) ** 2).sum()


@tg.custom_vjp
def squared(x: Any) -> Any:
    return x * x


squared.defvjp(lambda x: (x * x, x), lambda x, g: (2 * x * g,))


@tg.custom_jvp
def doubled(x: Any) -> Any:
    return x + x


doubled.defjvp(lambda xs, ts: (xs[0] + xs[0], 2 * ts[0]))
GRAPH = tg.trace(lambda x: tg.jvp(tg.grad(energy), (x,), (x,)), tg.tensor(X))


def fail_inside() -> None:
    with pytest.raises(tg.ShapeError):
        tg.vmap(tg.grad(lambda x: x @ np.ones(7)))(np.stack([X, X]))


STEPS: dict[str, Callable[[], Any]] = {
    "grad": lambda: tg.grad(lambda x: (x * x).sum())(X),
    "grad with captured": lambda: tg.grad(energy)(X),
    "grad of grad": lambda: tg.grad(lambda x: tg.grad(energy)(x).sum())(X),
    "jvp": lambda: tg.jvp(energy, (X,), (X,)),
    "jvp of grad": lambda: tg.jvp(tg.grad(energy), (X,), (X,)),
    "vmap of grad": lambda: tg.vmap(tg.grad(energy))(np.stack([X, X])),
    "trace": lambda: tg.trace(lambda x: tg.jvp(tg.grad(energy), (x,), (x,)), tg.tensor(X)),
    "replay": lambda: GRAPH(X),
    "custom_vjp": lambda: tg.jvp(tg.grad(lambda x: squared(x).sum()), (X,), (X,)),
    "custom_jvp": lambda: tg.vmap(tg.grad(lambda x: doubled(x) * x))(X),
    "an error": fail_inside,
}


@pytest.mark.parametrize("name", STEPS)
def test_nothing_stays_alive_without_the_collector(name: str) -> None:
    with collector_off():
        for _ in range(5):
            STEPS[name]()
        before = len(gc.get_objects())
        for _ in range(30):
            STEPS[name]()
        assert len(gc.get_objects()) - before < 15, "objects per step stay alive"
        assert gc.collect() < 15, "a cycle of references"


def chain(x: Any, n: int) -> Any:
    for _ in range(n):
        x = x * 1.0001
    return x


def test_long_chains_need_no_recursion() -> None:
    n = 3 * sys.getrecursionlimit()
    slope = 1.0001**n
    one = np.float64(1.0)
    graph = tg.trace(lambda x: chain(x, n), tg.tensor(one))
    for found in (
        tg.grad(lambda x: chain(x, n))(one),
        tg.jvp(lambda x: chain(x, n), (one,), (one,))[1],
        tg.jvp(tg.grad(lambda x: chain(x, n) ** 2), (one,), (one,))[1] / (2 * slope),
        tg.vmap(tg.grad(lambda x: chain(x, n)))(np.ones(2))[1],
        graph(one),
        tg.grad(graph)(one),
    ):
        assert float(found) == pytest.approx(slope)


def test_many_levels() -> None:
    def by_jvp(f: Any) -> Any:
        return lambda x: tg.jvp(f, (x,), (np.float64(1.0),))[1]

    n = 6
    for pattern in ([by_jvp] * n, [tg.grad] * n, [by_jvp, tg.grad] * (n // 2), [tg.grad, by_jvp] * (n // 2)):

        def f(x: Any) -> Any:
            return x ** (n + 1)

        for d in pattern:
            f = d(f)
        assert float(f(np.float64(2.0))) == pytest.approx(5040 * 2)


def test_threads_have_levels_of_their_own() -> None:
    ready = threading.Barrier(4, timeout=30)

    def work(seed: int) -> Any:
        x = np.random.default_rng(seed).normal(size=3)

        def f(x: Any) -> Any:
            ready.wait()  # all threads are inside their transformations at the same time
            assert open_levels() == 2
            return energy(x)

        return tg.vmap(lambda s: tg.jvp(f, (x * s,), (x,))[1])(np.ones(2)), tg.jvp(energy, (x,), (x,))[1]

    with ThreadPoolExecutor(4) as pool:
        for rows, slope in pool.map(work, range(4)):
            assert_allclose(rows, [float(slope)] * 2)


@pytest.mark.parametrize("error", [KeyError, KeyboardInterrupt, GeneratorExit])
def test_levels_are_closed_after_any_exception(error: Any) -> None:
    def fail(x: Any) -> Any:
        raise error

    for f in (
        lambda: tg.vmap(fail)(X),
        lambda: tg.jvp(fail, (X,), (X,)),
        lambda: tg.vmap(tg.grad(lambda x: tg.jvp(fail, (x,), (x,))[1]))(X),
        lambda: tg.trace(lambda x: tg.vmap(fail)(x), tg.tensor(X)),
    ):
        with pytest.raises(error):
            f()
        assert open_levels() == 0 and tg.is_grad_enabled()
    assert float(tg.tensor(1.0)) == 1.0


def test_a_value_that_escapes_its_transformation_is_not_mistaken() -> None:
    """It belongs to a level that is closed; using it later must not give wrong numbers."""
    kept: list[Any] = []
    tg.vmap(lambda x: kept.append(x) or x)(X)
    tg.jvp(lambda x: kept.append(x) or x, (X,), (X,))
    tg.vmap(tg.grad(lambda x: kept.append(x) or x * x))(X)
    for value in kept:
        for use in (
            lambda v=value: tg.grad(lambda y: (y * v).sum())(X),
            lambda v=value: tg.vmap(lambda y: y * v)(X),
            lambda v=value: tg.jvp(lambda y: y * v, (X,), (X,)),
            lambda v=value: np.asarray(v),
        ):
            with pytest.raises(tg.TensorgradError):
                use()
