"""Laws of batching: a batch is a loop, whatever stands inside or around it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from numpy.testing import assert_allclose

import tensorgrad as tg
from tests.laws.programs import ALL, N, Program, each_alone, programs, share_of_examples

CLOSE = {"rtol": 1e-9, "atol": 1e-10}
generator = np.random.default_rng(0)
XS, VS = generator.normal(size=(3, N)), generator.normal(size=(3, N))
WS = generator.normal(size=(3, N, N))


def loop(f: Any) -> Any:
    return np.stack([np.asarray(f(x, w, v)) for x, w, v in zip(XS, WS, VS, strict=True)])


def check_batches(program: Program) -> None:
    def slope(x: Any, w: Any, v: Any) -> Any:
        return tg.jvp(lambda x: program(x, w), (x,), (v,))[1]

    def product(x: Any, w: Any, v: Any) -> Any:
        return tg.jvp(lambda x: tg.grad(program)(x, w), (x,), (v,))[1]

    values = loop(lambda x, w, v: program(tg.tensor(x), tg.tensor(w)))
    gradients = loop(lambda x, w, v: tg.grad(program)(x, w))
    slopes = loop(slope)
    assert_allclose(tg.vmap(program)(XS, WS), values, **CLOSE)
    assert_allclose(tg.vmap(tg.grad(program))(XS, WS), gradients, **CLOSE)
    assert_allclose(
        tg.vmap(tg.grad(program, 1))(XS, WS), loop(lambda x, w, v: tg.grad(program, 1)(x, w)), **CLOSE
    )
    assert_allclose(tg.grad(lambda xs: tg.vmap(program)(xs, WS).sum())(XS), gradients, **CLOSE)
    assert_allclose(tg.jvp(lambda xs: tg.vmap(program)(xs, WS), (XS,), (VS,))[1], slopes, **CLOSE)
    assert_allclose(tg.vmap(slope)(XS, WS, VS), slopes, **CLOSE)
    products = loop(product)
    assert_allclose(tg.vmap(product)(XS, WS, VS), products, **CLOSE)
    assert_allclose(
        tg.jvp(tg.vmap(lambda x, w: tg.grad(program)(x, w)), (XS, WS), (VS, 0 * WS))[1], products, **CLOSE
    )
    along = tg.grad(lambda xs: (tg.vmap(tg.grad(program))(xs, WS) * VS).sum())(XS)
    assert_allclose(along, products, **CLOSE)


@pytest.mark.parametrize("program", each_alone(), ids=ALL)
def test_each_instruction(program: Program) -> None:
    check_batches(program)


@given(programs())
@share_of_examples(2)
def test_programs(program: Program) -> None:
    check_batches(program)


@given(programs())
@share_of_examples(2)
def test_a_shared_argument_and_every_pair(program: Program) -> None:
    """vmap of vmap: each example of one argument with each of the other."""
    shared = tg.vmap(program, (0, None))(XS, WS[0])
    assert_allclose(shared, [float(program(tg.tensor(x), tg.tensor(WS[0]))) for x in XS], **CLOSE)
    pairs = tg.vmap(lambda x: tg.vmap(lambda w: program(x, w))(WS))(XS)
    assert_allclose(pairs, [[float(program(tg.tensor(x), tg.tensor(w))) for w in WS] for x in XS], **CLOSE)
    turned = tg.vmap(lambda w: tg.vmap(lambda x: program(x, w))(XS), out_axes=1)(WS)
    assert_allclose(turned, pairs, **CLOSE)
    slopes = tg.vmap(lambda x: tg.vmap(tg.grad(lambda w: program(x, w)))(WS))(XS)
    assert_allclose(slopes[1][2], tg.grad(program, 1)(XS[1], WS[2]), **CLOSE)


@given(programs())
@share_of_examples(2)
def test_a_captured_parameter_gets_the_sum_of_the_gradients(program: Program) -> None:
    parameter = tg.tensor(WS[0], requires_grad=True)
    tg.vmap(lambda x: program(x, parameter))(XS).sum().backward()
    other = tg.tensor(WS[0], requires_grad=True)
    for x in XS:
        program(tg.tensor(x), other).backward()
    found, expected = [np.zeros_like(WS[0]) if p.grad is None else p.grad.numpy() for p in (parameter, other)]
    assert_allclose(found, expected, **CLOSE)
