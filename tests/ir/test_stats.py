"""Statistics of arrays against NumPy's, and what operations cost."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import tensorgrad as tg
from tensorgrad import ir

FLOATS = hnp.arrays(
    st.sampled_from([np.float16, np.float32, np.float64]),
    hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=5),
    elements={"allow_subnormal": True},
)


@given(FLOATS)
def test_statistics_are_those_of_the_finite_entries(array: Any) -> None:
    found = ir.stats_of(array)
    flat = np.asarray(array, np.float64).ravel()
    finite = flat[np.isfinite(flat)]
    assert (found.shape, found.dtype, found.size) == (array.shape, str(array.dtype), array.size)
    assert found.nans == np.isnan(flat).sum() and found.infs == np.isinf(flat).sum()
    assert found.zeros == (finite == 0).sum()
    if not finite.size:
        assert found.low is found.high is found.mean is found.std is None and found.norm == 0
        return
    assert (found.low, found.high) == (finite.min(), finite.max())
    scale = np.abs(finite).max() or 1.0
    assert found.norm / scale == pytest.approx(np.linalg.norm(finite / scale), rel=1e-12)
    assert found.mean is not None and found.std is not None and found.low <= found.mean <= found.high
    assert found.mean / scale == pytest.approx((finite / scale).mean(), rel=1e-12, abs=1e-15)
    assert found.std / scale == pytest.approx((finite / scale).std(), rel=1e-9, abs=1e-12)
    assert sum(found.histogram) == finite.size
    assert found.values is None or len(found.values) == array.size


def test_the_histogram_has_equal_bins() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=1000)
    assert ir.stats_of(x).histogram == tuple(np.histogram(x, 16)[0].tolist())
    assert ir.stats_of(np.full(5, 3.0)).histogram == (5,)


@pytest.mark.parametrize("dtype", [bool, np.int64, np.complex64])
def test_other_dtypes(dtype: Any) -> None:
    found = ir.stats_of(np.array([0, 1, 1], dtype))
    assert (found.zeros, found.low, found.high, found.values) == (
        1,
        0.0,
        1.0,
        tuple(np.array([0, 1, 1], dtype).tolist()),
    )


def test_only_small_arrays_are_kept() -> None:
    assert ir.stats_of(np.zeros(64)).values is not None
    assert ir.stats_of(np.zeros(65)).values is None and ir.stats_of(np.zeros(3), 2).values is None


@pytest.mark.parametrize(
    ("run", "flops"),
    [
        (lambda a, b: a @ b, 2 * 3 * 4 * 5),
        (lambda a, b: a + 1, 12),
        (lambda a, b: a.T, 0),
        (lambda a, b: a.sum(axis=0), 12),
        (lambda a, b: tg.einsum("ij,jk->ik", a, b), 2 * 3 * 4 * 5),
        (lambda a, b: tg.nn.functional.linear(a, b.T, tg.ones(5)), 2 * 3 * 4 * 5 + 15),
    ],
)
def test_flops(run: Any, flops: int) -> None:
    a, b = tg.ones((3, 4)), tg.ones((4, 5))
    with tg.record() as seen:
        run(a, b)
    assert sum(e.flops or 0 for e in seen.graph.equations) == flops


def test_counting_a_fused_op_shows_nothing_to_others() -> None:
    a = tg.ones((3, 4))
    with tg.record() as run:
        tg.nn.functional.gelu(a)
        assert run.graph.equations[0].flops  # counted here, by running the composite
        tg.nn.functional.gelu(a)
    assert [e.op for e in run.graph.equations] == ["gelu", "gelu"]
