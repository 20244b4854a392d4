"""Pooling and interpolation: random geometry against plain loops, ties, NaN, and NumPy's interp."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tensorgrad as tg
from tensorgrad.nn import functional as F
from tensorgrad.testing.samples import COMPOSED

RANKS = (1, 2, 3)
NAN, INF = float("nan"), float("inf")


def numbers(*shape: int, seed: int = 0) -> Any:
    return np.random.default_rng((seed, *shape)).standard_normal(shape)


def slope(f: Callable[[Any], Any], x: Any) -> Any:
    return tg.grad(lambda x: f(x).sum())(np.array(x, dtype=float)).tolist()


# ---- any geometry


@st.composite
def geometries(draw: st.DrawFn, *, gaps: bool) -> tuple[int, tuple[int, ...], dict[str, Any]]:
    rank = draw(st.sampled_from(RANKS))
    lines = []
    for _ in range(rank):
        k, d = draw(st.integers(1, 3)), draw(st.integers(1, 2)) if gaps else 1
        extent = (k - 1) * d + 1
        p = draw(st.integers(0, extent // 2))
        n = draw(st.integers(max(1, extent - p), 6))
        lines.append((n, k, draw(st.integers(1, 4)), p, d))
    lengths, kernel, stride, padding, dilation = zip(*lines, strict=True)
    settings = {"kernel_size": kernel, "stride": stride, "padding": padding, "ceil_mode": draw(st.booleans())}
    return rank, lengths, {**settings, "dilation": dilation} if gaps else settings


@given(geometries(gaps=True))
def test_max_pool_of_any_geometry(geometry: Any) -> None:
    rank, lengths, settings = geometry
    name = f"max_pool{rank}d"
    x = np.round(numbers(2, *lengths), 1)  # with ties
    y, at = getattr(F, name)(x, **settings, return_indices=True)
    z, places = COMPOSED[name].reference(x, **settings, return_indices=True)
    np.testing.assert_array_equal(y, z)
    np.testing.assert_array_equal(at, places)
    expected = np.zeros((2, x[0].size))
    np.add.at(expected, (np.arange(2)[:, None], places.reshape(2, -1)), 1.0)
    found = tg.grad(lambda x: getattr(F, name)(x, **settings).sum())(x)
    np.testing.assert_array_equal(found.reshape(2, -1), expected)


@given(geometries(gaps=False), st.booleans())
def test_avg_pool_of_any_geometry(geometry: Any, count_include_pad: bool) -> None:
    rank, lengths, settings = geometry
    name = f"avg_pool{rank}d"
    x = numbers(2, *lengths)
    y = getattr(F, name)(x, **settings, count_include_pad=count_include_pad)
    z = COMPOSED[name].reference(x, **settings, count_include_pad=count_include_pad)
    np.testing.assert_allclose(y, z, rtol=1e-12, atol=1e-13)


@given(
    st.sampled_from(RANKS), st.sampled_from(["avg", "max"]),
    st.lists(st.tuples(st.integers(1, 5), st.integers(1, 6)), min_size=3, max_size=3),
)  # fmt: skip
def test_adaptive_pool_of_any_size(rank: int, kind: str, lines: Any) -> None:
    lengths, counts = zip(*lines[:rank], strict=True)
    name = f"adaptive_{kind}_pool{rank}d"
    x = np.round(numbers(1, *lengths), 1)
    flags = {"return_indices": True} if kind == "max" else {}
    found, expected = getattr(F, name)(x, counts, **flags), COMPOSED[name].reference(x, counts, **flags)
    pairs = zip(found, expected, strict=True) if flags else [(found, expected)]
    for y, z in pairs:
        np.testing.assert_allclose(y, z, rtol=1e-12, atol=1e-13)


@given(
    st.sampled_from(["nearest", "nearest-exact", "linear", "bicubic", "area"]),
    st.lists(st.tuples(st.integers(1, 6), st.integers(1, 9)), min_size=2, max_size=2),
    st.booleans(),
)
def test_interpolate_to_any_size(mode: str, lines: Any, corners: bool) -> None:
    lines = lines[:1] if mode == "linear" else lines
    lengths, sizes = zip(*lines, strict=True)
    flags = {"align_corners": corners} if mode in ("linear", "bicubic") else {}
    x = numbers(1, 1, *lengths)
    y = F.interpolate(x, sizes, mode=mode, **flags)
    z = COMPOSED["interpolate"].reference(x, sizes, mode=mode, **flags)
    np.testing.assert_allclose(y, z, rtol=1e-12, atol=1e-12)


# ---- ties, NaN, infinities


@pytest.mark.parametrize("rank", RANKS)
def test_the_first_of_equals_wins_row_by_row(rank: int) -> None:
    x = np.zeros((1, *[2] * rank))
    x.reshape(-1)[1:] = 5.0
    y, at = getattr(F, f"max_pool{rank}d")(x, 2, return_indices=True)
    assert y.item() == 5 and at.item() == 1
    grad = tg.grad(lambda x: getattr(F, f"max_pool{rank}d")(x, 2).sum())(x)
    assert np.flatnonzero(grad).tolist() == [1]


def test_the_first_nan_is_the_maximum_and_gets_the_gradient() -> None:
    x = np.array([[1.0, NAN, NAN, 9.0, 2.0, 3.0]])
    y, at = F.max_pool1d(x, 4, 2, return_indices=True)
    np.testing.assert_array_equal(y, [[NAN, NAN]])
    assert at.tolist() == [[1, 2]]
    assert slope(lambda x: F.max_pool1d(x, 4, 2), x) == [[0, 1, 1, 0, 0, 0]]


def test_windows_of_infinities_have_a_place() -> None:
    x = np.full((1, 3), -INF)
    y, at = F.max_pool1d(x, 2, 1, padding=1, return_indices=True)
    assert y.tolist() == [[-INF] * 4] and at.tolist() == [[0, 0, 1, 2]]


@pytest.mark.parametrize("value", [INF, NAN])
def test_an_infinity_reaches_only_what_it_is_part_of(value: float) -> None:
    """Products with zeros, of a matrix or a mask, would make NaN of it elsewhere."""
    x = np.array([[[0.0, 1.0, 2.0, value, 4.0, 5.0]]])
    for mode in ("nearest", "linear", "area"):
        for n in (3, 12):
            y = F.interpolate(x, n, mode=mode)
            expected = F.interpolate(np.where(np.isfinite(x), x, 7.0), n, mode=mode)
            touched = F.interpolate((~np.isfinite(x)).astype(float), n, mode=mode) != 0
            np.testing.assert_array_equal(np.isfinite(y), ~touched)
            np.testing.assert_allclose(y[~touched], expected[~touched])
    pull = tg.grad(lambda x, v: (v * F.max_pool1d(x, 2)).sum())
    seeds = np.array([[[value, 1.0, 1.0]]])
    np.testing.assert_array_equal(pull(np.arange(6.0).reshape(1, 1, 6), seeds), [[[0, value, 0, 1, 0, 1]]])


def test_padding_is_lower_than_every_number_of_any_dtype() -> None:
    for dtype in ("int64", "int8", "uint8", "float16", "float32"):
        x = np.array([[[0, 0], [0, 0]]], dtype)
        y = F.max_pool2d(x, 3, 1, padding=1)
        assert y.dtype == dtype and y.shape == (1, 2, 2) and not y.any()
    assert F.max_pool1d(np.array([[-5, -7, -3]]), 2, 1, padding=1).tolist() == [[-5, -5, -3, -3]]
    assert F.max_pool1d(np.array([[False, True]]), 1).tolist() == [[False, True]]


# ---- sizes of numbers


def test_float16_is_added_up_in_float32() -> None:
    x = np.full((1, 64, 64), 1000.0, np.float16)
    assert F.avg_pool2d(x, 64).item() == F.adaptive_avg_pool2d(x, 1).item() == 1000
    assert F.lp_pool2d(x[:, :2, :2], 2, 2).item() == 2000
    y = F.interpolate(np.full((1, 1, 4), 60000, np.float16), 3, mode="area")
    assert (y.dtype == np.float16 and y.tolist() == [[[60000] * 3]]) or np.allclose(y, 60000, rtol=1e-3)


@pytest.mark.parametrize("size", [1e-300, 1e-3, 1e3, 1e300])
def test_norms_stay_in_range(size: float) -> None:
    x = size * np.array([[3.0, 4.0, 0.0, 0.0]])
    with np.errstate(all="raise"):
        y = F.lp_pool1d(x, 2, 2)
        grad = slope(lambda x: F.lp_pool1d(x, 2, 2), x)
    np.testing.assert_allclose(y, [[5 * size, 0]], rtol=1e-14)
    np.testing.assert_allclose(grad, [[0.6, 0.8, 0, 0]], rtol=1e-14)


def test_integers_have_float_means() -> None:
    x = np.arange(8).reshape(1, 2, 4)
    for y in (
        F.avg_pool2d(x, 2),
        F.adaptive_avg_pool2d(x, (1, 2)),
        F.interpolate(x[None], (1, 2), mode="area")[0],
    ):
        assert y.dtype == np.float64 and y.tolist() == [[[2.5, 4.5]]]
    assert F.interpolate(x, 2).dtype == x.dtype and F.interpolate(x, 2).tolist() == [[[0, 2], [4, 6]]]


# ---- the way back


@pytest.mark.parametrize("rank", RANKS)
def test_unpooling_puts_the_maxima_where_they_were(rank: int) -> None:
    x = np.abs(numbers(2, 3, *[4] * rank))
    y, at = getattr(F, f"max_pool{rank}d")(x, 2, return_indices=True)
    back = getattr(F, f"max_unpool{rank}d")(y, at, 2)
    kept = tg.grad(lambda x: getattr(F, f"max_pool{rank}d")(x, 2).sum())(x) == 1
    np.testing.assert_array_equal(back, np.where(kept, x, 0))


def test_the_last_of_repeated_indices_counts() -> None:
    x, at = np.array([[1.0, 2.0, 3.0]]), np.array([[0, 0, 4]])
    assert F.max_unpool1d(x, at, 2).tolist() == [[2, 0, 0, 0, 3, 0]]
    assert slope(lambda x: F.max_unpool1d(x, at, 2), x) == [[0, 1, 1]]


def test_unpooling_sees_a_bad_index_inside_of_a_batch() -> None:
    unpool = tg.vmap(lambda x, at: F.max_unpool1d(x, at, 2))
    with pytest.raises(tg.IndexingError, match="max_unpool1d: indices run from -1"):
        unpool(np.ones((2, 1, 1)), np.array([[[0]], [[-1]]]))


# ---- interp


@given(st.integers(1, 6), st.integers(0, 9), st.booleans(), st.booleans())
def test_interp_is_that_of_numpy(knots: int, seed: int, ends: bool, period: bool) -> None:
    xp, fp = np.sort(numbers(knots, seed=seed)), numbers(knots, seed=seed + 100)
    x = np.concatenate([2 * numbers(5, seed=seed), xp, [NAN, INF, -INF][: 1 if period else 3]])
    settings: dict[str, Any] = {"left": -5.0, "right": 5.0} if ends else {}
    settings |= {"period": 1.5} if period else {}
    # Of a single knot NumPy gives the value for NaN, too.
    expected = np.where(np.isnan(x), NAN, np.interp(x, xp, fp, **settings))
    np.testing.assert_allclose(tg.interp(x, xp, fp, **settings), expected, rtol=1e-9, atol=1e-9)


def test_interp_far_outside_of_the_knots() -> None:
    with np.errstate(all="raise"):
        x = np.array([-1e300, 1e300])
        assert tg.interp(x, np.array([0.0, 1e-300]), np.array([1.0, 2.0])).tolist() == [1, 2]
        assert slope(lambda x: tg.interp(x, np.array([0.0, 1.0]), np.array([1.0, 2.0])), x) == [0, 0]


def test_interp_jumps_where_knots_coincide() -> None:
    xp, fp = np.array([0.0, 1.0, 1.0, 2.0]), np.array([0.0, 1.0, 5.0, 6.0])
    x = np.array([0.5, 1.0, 1.5])
    assert tg.interp(x, xp, fp).tolist() == np.interp(x, xp, fp).tolist() == [0.5, 5, 5.5]


@given(st.integers(1, 9), st.integers(0, 9))
def test_interp_with_knots_of_their_own_for_each_example(knots: int, seed: int) -> None:
    xp, fp = np.sort(numbers(3, 2, knots, seed=seed)), numbers(3, 2, knots, seed=seed + 100)
    x = np.concatenate([2 * numbers(3, 2, 4, seed=seed), xp], axis=-1)
    y = tg.vmap(tg.vmap(tg.interp))(x, xp, fp)
    z = [[np.interp(x[i, j], xp[i, j], fp[i, j]) for j in range(2)] for i in range(3)]
    np.testing.assert_allclose(y, z, rtol=1e-9, atol=1e-12)
    one = tg.vmap(tg.interp, in_axes=(None, 0, None))(x[0, 0], xp[:, 0], fp[0, 0])
    np.testing.assert_allclose(one, [np.interp(x[0, 0], row, fp[0, 0]) for row in xp[:, 0]], atol=1e-12)


# ---- layouts


@pytest.mark.parametrize("how", [(2, 2, 0), (3, 2, 1), (3, 1, 1), (2, 3, 0), (4, 4, 0)])
@pytest.mark.parametrize("name", ["max_pool2d", "avg_pool2d"])
def test_results_lie_in_memory_as_images_do(name: str, how: tuple[int, int, int]) -> None:
    pool = getattr(F, name)
    first = np.round(numbers(2, 3, 9, 8), 1)  # with ties
    last = np.ascontiguousarray(first.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2)
    y = pool(first, *how)
    assert y.flags.c_contiguous
    z = pool(last, *how)
    assert z.transpose(0, 2, 3, 1).flags.c_contiguous
    np.testing.assert_array_equal(y, z)
    pull = tg.grad(lambda x: (pool(x, *how) * numbers(*y.shape)).sum())
    np.testing.assert_array_equal(pull(first), pull(last))


def test_a_gradient_has_no_negative_zeros() -> None:
    found = tg.grad(lambda x: -F.max_pool1d(x, 2).sum())(np.array([[1.0, 2.0, 4.0, 3.0]]))
    assert found.tolist() == [[0, -1, -1, 0]] and not np.signbit(found[found == 0]).any()
