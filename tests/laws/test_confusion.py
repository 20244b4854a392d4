"""Nested transformations must not take one variable for another.

The classical trap of implementations without levels or tags; see Siskind and Pearlmutter,
"Nesting forward-mode AD in a functional framework", 2008.
"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose

import tensorgrad as tg

ONE = np.float64(1.0)


def by_grad(f: Any) -> Any:
    return tg.grad(f)


def by_jvp(f: Any) -> Any:
    return lambda x: tg.jvp(f, (x,), (np.float64(1.0),))[1]


def by_vmap_of_grad(f: Any) -> Any:
    return lambda x: tg.vmap(tg.grad(f))(tg.stack([x, x]) if isinstance(x, tg.Tensor) else _pair(x))[1]


def by_grad_of_vmap(f: Any) -> Any:
    return lambda x: tg.grad(lambda v: tg.vmap(f)(_pair(v))[1])(x)


def by_line(f: Any) -> Any:
    return lambda x: tg.grad(lambda s: f(x + s))(np.float64(0.0))


def _pair(x: Any) -> Any:
    return tg.concat([tg.reshape(x * 1.0, (1,)), tg.reshape(x * 1.0, (1,))])


DERIVATIVES = [by_grad, by_jvp, by_vmap_of_grad, by_grad_of_vmap, by_line]
pairs = pytest.mark.parametrize(("outer", "inner"), list(itertools.product(DERIVATIVES, DERIVATIVES)))
triples = pytest.mark.parametrize("d", list(itertools.product([by_grad, by_jvp, by_vmap_of_grad], repeat=3)))


def value(x: Any) -> float:
    return float(np.asarray(x))


@pairs
def test_the_classical_example(outer: Any, inner: Any) -> None:
    """d/dx x (d/dy (x + y)) = 1, and 2 where x and y are taken for one another."""
    assert value(outer(lambda x: x * inner(lambda y: x + y)(ONE))(ONE)) == 1.0


@pairs
def test_a_product_inside(outer: Any, inner: Any) -> None:
    """d/dx x (d/dy x y) = d/dx x^2 = 2 x."""
    assert value(outer(lambda x: x * inner(lambda y: x * y)(np.float64(2.0)))(np.float64(3.0))) == 6.0


@pairs
def test_the_inner_point_depends_on_the_outer_variable(outer: Any, inner: Any) -> None:
    """d/dx (d/dy y^3 at y = 2 x) = d/dx 12 x^2 = 24 x."""
    assert value(outer(lambda x: inner(lambda y: y * y * y)(2 * x))(ONE)) == pytest.approx(24.0)


@pairs
def test_the_inner_derivative_at_the_outer_point(outer: Any, inner: Any) -> None:
    """d/dx (d/dy sin(x y) at y = x) = d/dx x cos(x^2)."""
    x = 0.7
    found = value(outer(lambda x: inner(lambda y: tg.sin(x * y))(x))(np.float64(x)))
    assert found == pytest.approx(np.cos(x * x) - 2 * x * x * np.sin(x * x))


@pairs
def test_a_function_that_closes_over_a_derivative(outer: Any, inner: Any) -> None:
    """The inner derivative is a function of the outer variable that is called twice."""

    def f(x: Any) -> Any:
        slope = inner(lambda y: x * y * y)
        return slope(np.float64(1.0)) * slope(x)  # 2 x * 2 x^2

    assert value(outer(f)(np.float64(2.0))) == pytest.approx(12 * 4)


@triples
def test_three_deep(d: Any) -> None:
    """d/dx x d/dy y d/dz (x y z + x + y) = d/dx x d/dy (x y^2) = d/dx 2 x^2 y = 4 x y."""
    a, b, c = d
    f = a(lambda x: x * b(lambda y: y * c(lambda z: x * y * z + x + y)(ONE))(np.float64(3.0)))
    assert value(f(np.float64(2.0))) == pytest.approx(24.0)


@triples
def test_the_same_function_at_three_levels(d: Any) -> None:
    a, b, c = d
    assert value(a(b(c(lambda x: x**5)))(np.float64(1.5))) == pytest.approx(60 * 1.5**2)


def test_batches_and_gradients_are_kept_apart() -> None:
    b = np.array([1.0, 2.0, 3.0])
    assert_allclose(tg.vmap(lambda b: tg.grad(lambda w: w * b)(2.0))(b), b)
    assert_allclose(tg.vmap(lambda b: tg.grad(lambda w: w * w)(b))(b), 2 * b)
    assert_allclose(tg.vmap(lambda b: tg.grad(lambda w: w * w * b)(b))(b), 2 * b * b)
    assert_allclose(tg.vmap(lambda b: tg.jvp(lambda w: w * b, (b,), (b,))[1])(b), b * b)
    assert_allclose(tg.grad(lambda s: tg.vmap(lambda b: s * b)(b).sum())(np.float64(2.0)), 6.0)
    assert_allclose(tg.jvp(lambda s: tg.vmap(lambda b: s * b)(b), (np.float64(2.0),), (ONE,))[1], b)


def test_batches_in_batches_are_kept_apart() -> None:
    a, b = np.arange(3.0), np.arange(10.0, 14.0)
    table = tg.vmap(lambda x: tg.vmap(lambda y: x - y)(b))(a)
    assert_allclose(table, a[:, None] - b)
    sums = tg.vmap(lambda x: tg.vmap(lambda y: x - y)(b).sum() + x)(a)
    assert_allclose(sums, (a[:, None] - b).sum(1) + a)
    square = tg.vmap(lambda x: tg.vmap(lambda y: x * y)(a))(a)
    assert_allclose(square, np.outer(a, a))
    same = tg.vmap(lambda row: tg.vmap(lambda y: row * y)(row))(np.outer(a, a))
    assert_allclose(same, np.einsum("ij,ik->ikj", np.outer(a, a), np.outer(a, a)))


def test_a_leaf_of_the_user_in_the_middle() -> None:
    """A tensor with a gradient, used at every level, gets its whole gradient once."""
    w = tg.tensor(2.0, dtype="float64", requires_grad=True)
    y = tg.grad(lambda x: w * x * tg.grad(lambda y: w * x * y * y)(w))(np.float64(3.0))
    # d/dx (w x * 2 w^2 x) = 4 w^3 x;  d/dw = 12 w^2 x
    assert value(y) == pytest.approx(4 * 8 * 3)
    y.backward()
    assert value(w.grad) == pytest.approx(12 * 4 * 3)


def test_a_tensor_created_inside_belongs_to_no_level() -> None:
    def f(x: Any) -> Any:
        inner = tg.tensor(3.0, dtype="float64", requires_grad=True)
        (g,) = tg.autograd.grad(inner * inner, inner)
        return g * x

    for d in DERIVATIVES:
        assert value(d(f)(np.float64(5.0))) == 6.0


def test_a_fixed_point_inside() -> None:
    """An inner optimisation by gradients, differentiated from outside: argmin (y - x)^2 is x."""

    def solve(x: Any) -> Any:
        y = 0.0 * x
        for _ in range(4):
            y = y - 0.5 * tg.grad(lambda y: (y - x) * (y - x))(y)
        return y * y

    for d in DERIVATIVES:
        assert value(d(solve)(np.float64(1.5))) == pytest.approx(3.0)
