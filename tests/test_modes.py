"""Recording on and off: contexts, decorators, generators, and what exceptions leave."""

from __future__ import annotations

import asyncio
import gc

import numpy as np
import pytest

import tensorgrad as tg

on = tg.is_grad_enabled


def records():
    return (tg.tensor(1.0, requires_grad=True) * 2).requires_grad


# ---- contexts


def test_no_grad_and_enable_grad_nest():
    seen = [on()]
    with tg.no_grad():
        seen.append(on() or records())
        with tg.enable_grad():
            seen.append(on() and records())
            with tg.no_grad(), tg.no_grad():
                seen.append(on())
            seen.append(on())
        seen.append(on())
    assert seen == [True, False, True, False, True, False] and on()
    assert tg.inference_mode is tg.no_grad


def test_nothing_is_recorded_under_no_grad_but_leaves_stay_leaves():
    x = tg.tensor([1.0, 2.0], requires_grad=True)
    with tg.no_grad():
        y, parts, new = x * x, tg.split(x, 2), tg.tensor(1.0, requires_grad=True)
    assert not y.requires_grad and not any(p.requires_grad for p in parts)
    assert new.requires_grad and x.requires_grad
    assert not (y * 2).requires_grad and (y * x).requires_grad


def test_set_grad_enabled_in_its_three_forms():
    with tg.set_grad_enabled(False):
        assert not on()
        with tg.set_grad_enabled(True):
            assert on()
        assert not on()
    assert on()
    tg.set_grad_enabled(False)
    assert not on() and not records()
    tg.set_grad_enabled(True)
    assert on()

    @tg.set_grad_enabled(False)
    def f():
        return on()

    assert on() and f() is False and on()
    switch = tg.set_grad_enabled(False)
    assert not on()
    with switch:
        assert not on()
    assert on()
    with switch:
        assert not on()
    assert on()


@pytest.mark.parametrize("make", [tg.no_grad, lambda: tg.set_grad_enabled(False)])
def test_one_object_may_be_entered_twice(make):
    off, force = make(), tg.enable_grad()
    with off:
        with off, force, off:
            assert not on()
        assert not on()
        with force:
            assert on()
            with off:
                assert not on()
            assert on()
    assert on()
    with off:
        assert not on()
    assert on()


def test_backward_inside_no_grad_and_gradients_of_functions():
    x = tg.tensor([1.0, 2.0], requires_grad=True)
    y = (x * x).sum()
    with tg.no_grad():
        y.backward()
        assert tg.grad(lambda v: (v * v).sum())(np.array([3.0])).tolist() == [6.0]
        assert not on()
    assert x.grad.tolist() == [2, 4] and not x.grad.requires_grad


# ---- exceptions


@pytest.mark.parametrize(
    "error", [ValueError, KeyboardInterrupt, SystemExit, GeneratorExit, asyncio.CancelledError]
)
def test_exceptions_restore_the_mode(error):
    for context in (tg.no_grad, lambda: tg.set_grad_enabled(False), tg.detect_anomaly, lambda: tg.scope("a")):
        with pytest.raises(error), context(), context():
            raise error("stop")
        assert on() and records()

    @tg.no_grad()
    def fail():
        raise error("stop")

    with pytest.raises(error):
        fail()
    assert on()
    with tg.no_grad():
        with pytest.raises(error), tg.enable_grad():
            raise error("stop")
        assert not on()


def test_an_exception_inside_an_op_or_a_transformation_restores_everything():
    x = tg.tensor([1.0, 2.0], requires_grad=True)

    def fail(v):
        with tg.no_grad():
            raise KeyboardInterrupt

    for run in (
        lambda: tg.grad(fail)(np.ones(2)),
        lambda: tg.vmap(fail)(np.ones(2)),
        lambda: tg.jvp(fail, (np.ones(2),), (np.ones(2),)),
        lambda: tg.trace(fail, tg.ones(2)),
        lambda: tg.grad(lambda v: tg.grad(fail)(v))(np.ones(2)),
    ):
        with pytest.raises(KeyboardInterrupt):
            run()
        assert on() and records()
        (x * x).sum().backward()
        assert x.grad.tolist() == [2, 4]
        x.grad = None


# ---- decorators


def test_decorated_functions_and_methods():
    class Model:
        @tg.no_grad()
        def predict(self, x, *, scale=1):
            """Doc."""
            return on(), x * scale

        @classmethod
        @tg.no_grad()
        def make(cls):
            return on()

        @staticmethod
        @tg.enable_grad()
        def train():
            return on()

    assert Model().predict(2, scale=3) == (False, 6) and Model.predict.__doc__ == "Doc."
    assert Model.make() is False
    with tg.no_grad():
        assert Model.train() is True
    assert on()

    @tg.no_grad()
    def recursive(n):
        return on() if n == 0 else recursive(n - 1)

    assert recursive(20) is False and on()


def test_a_decorated_generator_runs_each_piece_in_its_mode_and_leaves_the_callers():
    @tg.no_grad()
    def generate():
        got = yield on()
        try:
            yield got, on()
        except ZeroDivisionError:
            yield "caught", on()
        return on()

    g = generate()
    assert next(g) is False and on()
    assert g.send("sent") == ("sent", False) and on()
    assert g.throw(ZeroDivisionError) == ("caught", False) and on()
    with pytest.raises(StopIteration) as stop:
        next(g)
    assert stop.value.value is False and on()


def test_a_generator_that_is_closed_early_cleans_up_in_its_mode():
    seen = []

    @tg.no_grad()
    def generate():
        try:
            while True:
                yield on()
        finally:
            seen.append(on())

    g = generate()
    next(g)
    g.close()
    g = generate()
    next(g)
    del g
    gc.collect()
    for _ in generate():
        break
    gc.collect()
    assert seen == [False] * 3 and on()

    @tg.no_grad()
    def fails():
        yield 1
        raise ValueError("inside")

    g = fails()
    next(g)
    with pytest.raises(ValueError, match="inside"):
        next(g)
    assert on()


def test_a_generator_suspended_inside_another_context():
    @tg.no_grad()
    def generate():
        with tg.enable_grad():
            yield on()
            yield on()
        yield on()

    seen = [(inside, on(), records()) for inside in generate()]
    assert seen == [(True, True, True), (True, True, True), (False, True, True)] and on()
    with tg.no_grad():
        assert [(inside, on()) for inside in generate()] == [(True, False), (True, False), (False, False)]
    assert on()


def test_interleaved_generators():
    @tg.no_grad()
    def off():
        while True:
            yield on()

    @tg.enable_grad()
    def forced():
        while True:
            yield on()

    a, b = off(), forced()
    for _ in range(3):
        assert (next(a), next(b), on()) == (False, True, True)
        with tg.no_grad():
            assert (next(b), next(a), on()) == (True, False, False)
    a.close()
    b.close()
    assert on()


def test_yield_from_a_decorated_generator():
    @tg.no_grad()
    def inner():
        yield on()
        return "result"

    def outer():
        got = yield from inner()
        yield got, on()

    assert list(outer()) == [False, ("result", True)]
