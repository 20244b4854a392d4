"""Laws of recording: a program replayed on other inputs is the function called on them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from numpy.testing import assert_allclose, assert_array_equal

import tensorgrad as tg
from tests.laws.programs import ALL, N, Program, each_alone, points, programs, share_of_examples

CLOSE = {"rtol": 1e-12, "atol": 1e-13}
X, V, W = points(20)
OTHER, TURN, MATRIX = points(21)


def functions(program: Program) -> dict[str, Any]:
    """What is recorded: the program, and transformations of it."""

    def product(x: Any, w: Any, v: Any) -> Any:
        return tg.jvp(lambda x: tg.grad(program)(x, w), (x,), (v,))[1]

    return {
        "plain": lambda x, w, v: program(x, w),
        "grad": lambda x, w, v: tg.grad(program, (0, 1))(x, w),
        "jvp": lambda x, w, v: tg.jvp(lambda x: program(x, w), (x,), (v,)),
        "vmap": lambda x, w, v: tg.vmap(program)(tg.stack([x, v]), tg.stack([w, w.T])),
        "grad of grad": lambda x, w, v: tg.grad(lambda x: (tg.grad(program)(x, w) * v).sum())(x),
        "hessian": lambda x, w, v: tg.vmap(lambda e: product(x, w, e))(tg.eye(N, dtype="float64")),
        "vmap of products": lambda x, w, v: tg.vmap(lambda x, v: product(x, w, v))(
            tg.stack([x, v]), tg.stack([v, x])
        ),
        "third": lambda x, w, v: tg.grad(lambda x: (product(x, w, v) * v).sum())(x),
        "backward": lambda x, w, v: after_backward(program, x, w),
    }


def after_backward(program: Program, x: Any, w: Any) -> Any:
    leaf = tg.tensor(V, requires_grad=True)
    (program(x * leaf, w) ** 2).backward()
    return leaf.grad


def assert_same(found: Any, expected: Any, way: str) -> None:
    found, expected = [one if isinstance(one, tuple) else (one,) for one in (found, expected)]
    for a, b in zip(found, expected, strict=True):
        assert type(a) is tg.Tensor and a.dtype == b.dtype
        assert_allclose(a, b, err_msg=way, **CLOSE)


def check_replay(program: Program) -> None:
    for way, f in functions(program).items():
        graph = tg.trace(f, tg.tensor(X), tg.tensor(W), tg.tensor(V))
        for arguments in ((OTHER, MATRIX, TURN), (X, W, V)):
            given_ = [tg.tensor(a) for a in arguments]
            assert_same(graph(*given_), f(*given_), way)


@pytest.mark.parametrize("program", each_alone(), ids=ALL)
def test_each_instruction(program: Program) -> None:
    check_replay(program)


@given(programs())
@share_of_examples(3)
def test_programs(program: Program) -> None:
    check_replay(program)


@given(programs())
@share_of_examples(3)
def test_training_steps(program: Program) -> None:
    """Ten steps by a recorded program equal ten steps, bit for bit; the trace makes the first."""

    def run(parameter: Any, velocity: Any) -> Any:
        def step(x: Any) -> Any:
            nonlocal parameter, velocity
            parameter.grad = None
            loss = program(x, parameter)
            loss.backward()
            if parameter.grad is not None:
                with tg.no_grad():
                    velocity *= 0.9
                    velocity += parameter.grad
                    parameter -= 0.01 * velocity
            return loss

        return step

    inputs = np.random.default_rng(2).normal(size=(10, N))
    p, q = [tg.tensor(W, requires_grad=True) for _ in range(2)]
    u, v = [tg.tensor(np.zeros((N, N))) for _ in range(2)]
    eager = run(p, u)
    losses = [eager(tg.tensor(x)).item() for x in inputs]
    graph = tg.trace(run(q, v), tg.tensor(inputs[0]))
    assert [graph(tg.tensor(x)).item() for x in inputs[1:]] == losses[1:]
    assert_array_equal(p, q)
    assert_array_equal(u, v)


@given(programs())
@share_of_examples(3)
def test_transformations_of_a_program(program: Program) -> None:
    """A recorded program is a function like any other."""
    graph = tg.trace(program, tg.tensor(X), tg.tensor(W))
    assert_allclose(tg.grad(graph)(OTHER, MATRIX), tg.grad(program)(OTHER, MATRIX), **CLOSE)
    found = tg.jvp(lambda x: tg.grad(graph)(x, MATRIX), (OTHER,), (TURN,))[1]
    assert_allclose(
        found, tg.jvp(lambda x: tg.grad(program)(x, MATRIX), (OTHER,), (TURN,))[1], rtol=1e-10, atol=1e-11
    )
    xs = np.stack([X, OTHER])
    assert_allclose(tg.vmap(graph, (0, None))(xs, W), tg.vmap(program, (0, None))(xs, W), **CLOSE)
    again = tg.trace(graph, tg.tensor(X), tg.tensor(W))
    assert_array_equal(again(tg.tensor(OTHER), tg.tensor(MATRIX)), graph(tg.tensor(OTHER), tg.tensor(MATRIX)))
