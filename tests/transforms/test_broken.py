"""What was found by trying to break the transformations: wrong numbers without an error."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import tensorgrad as tg

A = np.array([1.0, 2.0, 3.0])


def half(x: Any) -> Any:
    """x ** 3 of which two factors are constants."""
    with tg.no_grad():
        c = x * x
    return (c * x).sum()


def switched_back(x: Any) -> Any:
    with tg.no_grad(), tg.structural_zeros():
        c = x * x
        with tg.enable_grad():
            d = x * 1.0
    return (c * d).sum()


REVERSE: dict[str, Callable[[Any], Any]] = {
    "grad": tg.grad(half),
    "vjp": lambda x: tg.vjp(half, x)[1](1.0)[0],
    "jacrev": tg.jacrev(half),
    "checkpoint": tg.grad(tg.checkpoint(half)),
    "decorated": tg.grad(lambda x: (tg.no_grad()(tg.square)(x) * x).sum()),
    "record inside again": tg.grad(switched_back),
}


@pytest.mark.parametrize("name", REVERSE)
def test_a_no_grad_of_the_function_counts_inside_of_one_around_the_transformation(name: str) -> None:
    gradient = REVERSE[name]
    assert_allclose(gradient(A), A**2)
    assert_allclose(tg.vmap(gradient)(A[None])[0], A**2)
    with tg.no_grad():
        assert_allclose(gradient(A), A**2)
        assert_allclose(tg.vmap(gradient)(A[None])[0], A**2)
        assert_allclose(tg.vmap(tg.vmap(gradient))(A[None, None])[0, 0], A**2)
        with tg.structural_zeros():
            assert_allclose(tg.vmap(gradient)(A[None])[0], A**2)


def test_a_no_grad_around_an_inner_transformation_does_not_cut_it() -> None:
    def inner(x: Any) -> Any:
        with tg.no_grad():
            return tg.grad(lambda z: (z**3).sum())(x)

    with tg.no_grad():
        assert_allclose(tg.vmap(inner)(A[None])[0], 3 * A**2)
        assert_allclose(tg.vmap(tg.grad(lambda x: (inner(x) * x).sum()))(A[None])[0], 3 * A**2)
        assert_allclose(tg.vmap(tg.hessian(lambda x: (x**3).sum()))(A[None])[0], np.diag(6 * A))


def test_a_batch_of_what_was_captured_has_memory_of_its_own() -> None:
    w = A.copy()
    y = tg.vmap(lambda x: w)(A)
    w[:] = 5.0
    assert_array_equal(y, [A, A, A])
    y += 1.0
    assert_array_equal(w, [5.0, 5.0, 5.0])
    tg.jacfwd(lambda x: np.ones(2))(A)[:] = 1.0
