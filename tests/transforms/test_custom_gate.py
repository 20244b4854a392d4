"""Functions with derivatives of their own: wrong ones are caught, calls are cheap and leave nothing."""

from __future__ import annotations

import gc
import linecache
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import tensorgrad as tg
from tests.collector import collector_off
from tests.transforms.custom_ways import ByFunction, by_jvp, by_vjp

X = np.array([0.3, -0.7, 1.1])
Y = np.array([1.5, 0.5, -0.4])


BAD_BACKWARDS = [
    (lambda kept, g: g, tg.GradientError, "return a tuple"),
    (lambda kept, g: (g,), tg.GradientError, "1 for 2 arguments"),
    (lambda kept, g: (g, g, g), tg.GradientError, "3 for 2 arguments"),
    (lambda kept, g: (g.sum(), g), tg.ShapeError, r"\(\).*\(3,\)"),
    (lambda kept, g: (tg.stack([g, g]), g), tg.ShapeError, r"\(2, 3\).*\(3,\)"),
    (lambda kept, g: (g.astype("float32"), g), tg.DtypeError, "float32.*float64"),
    (lambda kept, g: (g * 1j, g), tg.DtypeError, "complex128"),
    (lambda kept, g: ("text", g), tg.DtypeError, "str"),
    (lambda kept, g: ([g, g], g), tg.GradientError, "2 leaves"),
]


@pytest.mark.parametrize(("backward", "error", "words"), BAD_BACKWARDS)
def test_wrong_gradients_are_caught(backward: Any, error: Any, words: str) -> None:
    @tg.custom_vjp
    def mine(a: Any, b: Any) -> Any:
        return a * b

    mine.defvjp(lambda a, b: (a * b, None), backward)

    class Mine(tg.Function):
        @staticmethod
        def forward(ctx: Any, a: Any, b: Any) -> Any:
            return a * b

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return backward(None, g)

    for f in (mine, Mine.apply):
        name = "mine" if f is mine else "Mine"
        with pytest.raises(error, match=f"(?is){name}.*{words}" if words != "return a tuple" else name):
            tg.grad(lambda a, b, f=f: f(a, b).sum(), argnums=(0, 1))(X, Y)
        w = tg.tensor(X, requires_grad=True)
        v = tg.tensor(Y, requires_grad=True)
        with pytest.raises(error):
            f(w, v).sum().backward()
        assert w.grad is None and v.grad is None


def test_calls_before_and_beside_the_declaration() -> None:
    undeclared = tg.custom_vjp(lambda x: x)
    with pytest.raises(tg.RuleMissingError, match="defvjp"):
        undeclared(X)
    with pytest.raises(tg.RuleMissingError, match="defjvp"):
        tg.custom_jvp(lambda x: x)(X)
    no_pair = tg.custom_vjp(lambda x: x)
    no_pair.defvjp(lambda x: x, lambda kept, g: (g,))
    with pytest.raises(tg.GradientError, match="pair"):
        no_pair(tg.tensor(X))


def test_keywords_and_defaults_stand_where_the_signature_has_them() -> None:
    for f in (by_vjp, by_jvp):
        found = tg.grad(lambda a, f=f: f(b=Y, a=a).sum())(X)
        assert_allclose(found, 2 * X * np.sin(Y))

    @tg.custom_vjp
    def scaled(x: Any, by: float = 3.0) -> Any:
        return x * by

    scaled.defvjp(lambda x, by: (x * by, by), lambda by, g: (g * by, None))
    assert_array_equal(tg.grad(lambda x: scaled(x).sum())(X), [3, 3, 3])
    assert_array_equal(tg.grad(lambda x: scaled(x, by=2.0).sum())(X), [2, 2, 2])


def test_the_forward_runs_once_for_a_first_order_pass() -> None:
    calls = []
    counted = tg.custom_vjp(lambda x: x)
    counted.defvjp(lambda x: (calls.append("forward") or x * 2, None), lambda kept, g: (g * 2,))
    w = tg.tensor(X, requires_grad=True)
    counted(w).sum().backward()
    counted(w[0]).backward()
    assert calls == ["forward", "forward"]


def test_the_jvp_rule_must_fit_the_result() -> None:
    bad = tg.custom_jvp(lambda x: x.sum())
    bad.defjvp(lambda xs, ts: (xs[0].sum(), ts[0]))
    with pytest.raises(tg.ShapeError, match=r"\(3,\)"):
        tg.grad(bad)(X)
    with pytest.raises(tg.ShapeError, match=r"\(3,\)"):
        tg.jvp(bad, (X,), (Y,))


def test_a_function_without_methods_says_what_to_write() -> None:
    class Empty(tg.Function):
        pass

    with pytest.raises(NotImplementedError, match="forward"):
        Empty.apply(X)


def test_an_exception_inside_leaves_the_modes_alone() -> None:
    broken = tg.custom_vjp(lambda x: x)

    def fail(kept: Any, g: Any) -> Any:
        raise KeyboardInterrupt

    broken.defvjp(lambda x: (x * 1, None), fail)
    w = tg.tensor(X, requires_grad=True)
    with pytest.raises(KeyboardInterrupt):
        broken(w).sum().backward()
    assert tg.is_grad_enabled() and w.grad is None


# ---- what a call costs


@pytest.mark.parametrize(
    "f", [by_vjp, by_jvp, ByFunction.apply], ids=["custom_vjp", "custom_jvp", "Function"]
)
def test_calls_leave_nothing_behind(f: Any) -> None:
    w = tg.tensor(X, requires_grad=True)

    def step() -> None:
        w.grad = None
        f(w, Y).sum().backward()

    for _ in range(3):
        step()
    with collector_off():
        objects, sources = len(gc.get_objects()), len(linecache.cache)
        for _ in range(50):
            step()
        assert len(linecache.cache) == sources
        assert len(gc.get_objects()) - objects < 50
