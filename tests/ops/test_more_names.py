"""What rows cannot say of arrangements and short formulas: sets and runs, jumps of phases, close points."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

import tensorgrad as tg

SMALL = arrays(
    float, array_shapes(max_dims=2, max_side=6), elements=st.sampled_from([0.0, 1.0, 2.0, math.nan])
)


@given(SMALL, SMALL)
def test_setxor1d_is_numpys(a: np.ndarray, b: np.ndarray) -> None:
    np.testing.assert_array_equal(tg.setxor1d(a, b), np.setxor1d(a, b))


def test_gradients_of_a_set_go_to_the_elements_that_stay() -> None:
    grads = tg.grad(lambda a, b: (tg.setxor1d(a, b) ** 2).sum(), argnums=(0, 1))
    ga, gb = grads(tg.tensor([3.0, 1.0, 3.0]), tg.tensor([1.0, 5.0]))
    assert ga.tolist() == [6, 0, 0] and gb.tolist() == [0, 10]


@given(SMALL)
def test_runs_are_those_of_itertools(x: np.ndarray) -> None:
    values, run, counts = tg.unique_consecutive(tg.tensor(x), return_inverse=True, return_counts=True)
    groups = [(value, len(list(some))) for value, some in itertools.groupby(x.ravel().tolist())]
    np.testing.assert_array_equal(values, [value for value, _ in groups])
    assert counts.tolist() == [n for _, n in groups]
    assert run.shape == x.shape
    np.testing.assert_array_equal(values.numpy()[run.numpy()], x)


def test_runs_of_rows_and_of_nothing() -> None:
    x = tg.tensor([[1, 1, 2], [1, 1, 2], [1, 1, 3]])
    assert tg.unique_consecutive(x, axis=0).tolist() == [[1, 1, 2], [1, 1, 3]]
    assert tg.unique_consecutive(x, axis=1).tolist() == [[1, 2], [1, 2], [1, 3]]
    empty, counts = tg.unique_consecutive(np.zeros(0), return_counts=True)
    assert empty.shape == counts.shape == (0,)
    with pytest.raises(tg.TraceError, match="unique_consecutive"):
        tg.trace(tg.unique_consecutive, x)


@given(
    arrays(float, array_shapes(max_dims=2, max_side=5), elements=st.integers(-40, 40).map(lambda n: n / 4)),
    st.sampled_from([None, 1.0, 3.0, 6.0]),
    st.sampled_from([2.0, 5.0, 2 * math.pi]),
)
def test_unwrap_is_numpys(x: np.ndarray, discont: float | None, period: float) -> None:
    got = tg.unwrap(x, discont, period=period)
    np.testing.assert_allclose(got, np.unwrap(x, discont, period=period), rtol=1e-12, atol=1e-12)


@given(arrays(int, 6, elements=st.integers(-20, 20)), st.integers(1, 9))
def test_unwrap_of_integers_is_numpys(x: np.ndarray, period: int) -> None:
    got, expected = tg.unwrap(x, period=period), np.unwrap(x, period=period)
    assert got.dtype == expected.dtype
    np.testing.assert_array_equal(got, expected)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_dtypes_are_kept(dtype: str) -> None:
    x = tg.ones((2, 2), dtype=dtype)
    for y in (tg.unwrap(x), tg.cdist(x, x), tg.pdist(x), tg.polyval(x[0], x), tg.index_fill(x, 0, [0], 2.5)):
        assert y.dtype == dtype


def test_close_points_keep_their_distance() -> None:
    a, b = np.array([[1e8, 1.0]]), np.array([[1e8, 1.0 + 1e-8]])
    assert tg.cdist(a, b).item() == pytest.approx(1e-8, rel=1e-7)


def test_values_that_do_not_fit_are_refused() -> None:
    with pytest.raises(tg.DtypeError, match="index_fill"):
        tg.index_fill(tg.tensor([1, 2]), 0, [0], 0.5)
