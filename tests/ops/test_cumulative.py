"""Corners of products, running sums and extrema, quantiles and padding."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tensorgrad as tg

NAN = math.nan


def gradient(f: Any, x: Any) -> Any:
    """The gradient of the sum of ``f``."""
    t = tg.tensor(x, dtype="float64", requires_grad=True)
    (g,) = tg.autograd.grad(f(t).sum(), t)
    return g.numpy()


def others(x: Any, *gone: int) -> float:
    """The product of the elements, but for some."""
    return math.prod(v for i, v in enumerate(x) if i not in gone)


SMALL = st.lists(st.sampled_from([0.0, 0.0, 1.5, -2.0, 0.25]), min_size=1, max_size=6)


@given(SMALL)
def test_prod_is_exact_at_zeros_to_the_third_order(x: list[float]) -> None:
    n = range(len(x))
    np.testing.assert_array_equal(gradient(tg.prod, x), [others(x, i) for i in n])
    hessian = [gradient(lambda t, i=i: tg.grad(tg.prod)(t)[i], x) for i in n]
    np.testing.assert_array_equal(hessian, [[others(x, i, j) * (i != j) for j in n] for i in n])
    if len(x) > 2:
        third = gradient(lambda t: tg.grad(lambda u: tg.grad(tg.prod)(u)[0])(t)[1], x)
        np.testing.assert_array_equal(third, [others(x, 0, 1, j) * (j > 1) for j in n])


@given(SMALL)
def test_cumprod_is_exact_at_zeros(x: list[float]) -> None:
    n = range(len(x))
    jacobian = [gradient(lambda t, k=k: tg.cumprod(t)[k], x) for k in n]
    expected = [[others(x[: k + 1], i) * (i <= k) for i in n] for k in n]
    np.testing.assert_array_equal(jacobian, expected)


def test_products_that_underflow_have_their_derivatives() -> None:
    np.testing.assert_array_equal(gradient(tg.prod, [1e-200, 1e-200, 1.0]), [1e-200, 1e-200, 0.0])
    np.testing.assert_array_equal(gradient(lambda x: tg.cumprod(x)[1], [1e-200, 1e-200]), [1e-200, 1e-200])


def test_float16_products_and_running_sums_pass_through_float32() -> None:
    assert tg.prod(np.array([300.0, 300.0, 1 / 256], np.float16)) == np.float16(90000 / 256)
    assert tg.cumsum(tg.ones(20_000, dtype="float16"))[-1].item() == 20_000


@pytest.mark.parametrize("op", [tg.cummax, tg.cummin], ids=lambda op: op.__name__)
def test_of_equal_extrema_the_first_gets_the_gradient(op: Any) -> None:
    np.testing.assert_array_equal(gradient(op, [0.0, -0.0, 0.0]), [3.0, 0.0, 0.0])
    np.testing.assert_array_equal(gradient(op, [NAN, 1.0, NAN]), [3.0, 0.0, 0.0])


def test_running_extrema_against_numpy() -> None:
    for x in itertools.product([0.0, 1.0, 2.0, NAN], repeat=4):
        np.testing.assert_array_equal(tg.cummax(np.array(x)), np.maximum.accumulate(x))
        np.testing.assert_array_equal(tg.cummin(np.array(x)), np.minimum.accumulate(x))


def test_nan_gets_no_gradient_where_it_is_left_out() -> None:
    x = [1.0, NAN, 3.0]
    np.testing.assert_array_equal(gradient(tg.nansum, x), [1.0, 0.0, 1.0])
    np.testing.assert_array_equal(gradient(tg.nanmean, x), [0.5, 0.0, 0.5])
    np.testing.assert_array_equal(gradient(tg.nanmax, x), [0.0, 0.0, 1.0])
    np.testing.assert_array_equal(gradient(tg.nanmin, x), [1.0, 0.0, 0.0])


def test_a_quantile_is_lerped_and_its_part_is_a_constant() -> None:
    np.testing.assert_allclose(gradient(lambda x: tg.quantile(x, 0.25), [5.0, 1.0, 3.0]), [0.0, 0.5, 0.5])
    assert tg.quantile(np.array([-np.inf, 0.0, np.inf]), 0.5) == 0.0
    with pytest.raises(tg.DtypeError, match="quantile: q is a tensor"):
        tg.quantile(np.ones(2), tg.tensor(0.5, requires_grad=True))
    with pytest.raises(tg.DtypeError, match="quantile: x is boolean"):
        tg.quantile([True], 0.5)


@given(st.data())
def test_pad_follows_numpy(data: st.DataObject) -> None:
    x = np.arange(float(data.draw(st.integers(1, 4))))
    widths = data.draw(st.tuples(st.integers(0, 9), st.integers(0, 9)))
    mode: Any = data.draw(st.sampled_from(["constant", "edge", "reflect", "symmetric", "wrap"]))
    np.testing.assert_array_equal(tg.pad(x, widths, mode), np.pad(x, widths, mode))


@pytest.mark.parametrize(
    "name", ["prod", "cumsum", "cumprod", "cummax", "diff", "median", "tril", "tile", "dot"]
)
def test_lists_become_tensors(name: str) -> None:
    more = [2] if name == "tile" else [[[1.0, 0.0], [2.0, 1.0]]] if name == "dot" else []
    rows = [[3.0, 1.0], [2.0, 5.0]]
    y = getattr(tg, name)(rows, *more)
    assert isinstance(y, tg.Tensor)
    np.testing.assert_array_equal(y, getattr(tg, name)(np.array(rows), *more))


def test_a_product_of_no_axes_has_a_slope() -> None:
    """NumPy takes ``axis=0`` of a 0-d array, and so did `prod`, but not its derivative."""
    assert tg.grad(lambda x: tg.prod(x, axis=0))(np.array(2.0)) == 1.0
