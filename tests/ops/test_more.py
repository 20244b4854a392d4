"""Corners of the smaller families that rows cannot say: bits, powers, remainders, pads, quantiles, sums."""

from __future__ import annotations

import math
import operator
from typing import Any

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad.ops.quantiles import PLACES

INF, NAN = math.inf, math.nan


def gradient(f: Any, x: Any) -> Any:
    """The gradient of the sum of ``f``."""
    t = tg.tensor(x, dtype="float64", requires_grad=True)
    with np.errstate(all="ignore"):
        (g,) = tg.autograd.grad(f(t).sum(), t)
    return g.numpy()


# ---- powers


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_corners_of_powers_are_numpys(dtype: str) -> None:
    bases = np.array([0.0, -0.0, 1.0, -1.0, -2.0, 2.0, INF, -INF, NAN, 300.0], dtype)
    exponents = np.array([0.0, 1.0, 2.0, 3.0, -1.0, -2.0, 0.5, -0.5, INF, -INF, NAN], dtype)
    with np.errstate(all="ignore"):
        expected = np.power(bases[:, None], exponents)
        got = tg.power(tg.tensor(bases)[:, None], tg.tensor(exponents))
    assert got.dtype == dtype
    np.testing.assert_array_equal(got.numpy(), expected)


@pytest.mark.parametrize("call", [lambda x: x**-1, lambda x: tg.power(2, -x), lambda x: np.power(x, -2)])
def test_integers_have_no_negative_integer_powers(call: Any) -> None:
    with pytest.raises(tg.ShapeError, match=r"power: .*negative integer powers"):
        call(tg.tensor([2, 3]))


def test_slopes_of_powers_of_negative_numbers() -> None:
    np.testing.assert_array_equal(gradient(lambda x: x**3, [-2.0, 0.0]), [12.0, 0.0])
    np.testing.assert_array_equal(gradient(lambda x: x**-1.0, [-2.0]), [-0.25])
    assert math.isnan(gradient(lambda b: tg.power(-2.0, b), 2.0))  # complex beside it on both sides
    assert math.isnan(gradient(lambda x: x**0.5, -2.0))


# ---- bits, signs, fractions


@pytest.mark.parametrize("op", [operator.and_, operator.or_, operator.xor, operator.lshift])
def test_bits_of_python_numbers_take_the_dtype_beside_them(op: Any) -> None:
    x = tg.tensor([1, 2], dtype="uint8")
    assert op(x, 3).dtype == np.uint8 == op(3, x).dtype


def test_the_whole_part_and_the_fraction_add_up() -> None:
    x = np.array([2.5, -2.5, 1e300, -0.0, 5e-324])
    fraction, whole = tg.modf(x)
    np.testing.assert_array_equal(fraction + whole, x)
    np.testing.assert_array_equal(gradient(lambda x: tg.modf(x)[0], [2.0, -1.5, INF]), [1.0, 1.0, 0.0])


def test_comparisons_of_tensors_that_require_gradients() -> None:
    x = tg.tensor([1.0, 2.0], requires_grad=True)
    assert bool(tg.allclose(x, x * 1.000001)) and not bool(tg.array_equal(x, x[:1]))
    traced = tg.trace(lambda a, b: tg.array_equal(a, b), np.ones(2), np.ones(2))
    assert not traced(np.ones(2), np.zeros(2))


# ---- other names


def test_other_names_are_the_same_objects() -> None:
    for name in (
        "absolute",
        "arcsin",
        "arctan2",
        "amax",
        "bitwise_not",
        "conj",
        "degrees",
        "pow",
        "mod",
        "fix",
    ):
        assert getattr(tg, name) is getattr(tg, getattr(tg, name).__name__)
        assert name in dir(tg)


# ---- sums


@pytest.mark.parametrize("layout", ["C", "F", "every second"])
@pytest.mark.parametrize(
    ("shape", "axis"), [((100_000, 3), 0), ((2, 70_001, 2), 1), ((300, 300, 2), (0, 1)), ((3, 100_000), 1)]
)
def test_long_sums_keep_their_digits(shape: Any, axis: Any, layout: str) -> None:
    x = np.full(shape, 0.1, np.float32)
    if layout != "C" and type(axis) is tuple:
        return  # several axes count as one only where they are one in memory
    if layout == "F":
        x = np.asfortranarray(x)
    elif layout == "every second":
        x = np.repeat(x, 2, axis=0)[::2]
    exact = x.astype(np.float64).sum(axis)
    for keepdims in (False, True):
        y = tg.sum(x, axis, keepdims)
        assert y.dtype == np.float32 and y.shape == x.sum(axis, keepdims=keepdims).shape
        np.testing.assert_allclose(y.reshape(exact.shape), exact, rtol=2e-5)


def test_gradients_of_what_is_repeated_over_a_long_batch_keep_their_digits() -> None:
    w = tg.tensor(np.zeros(3, np.float32), requires_grad=True)
    (w * np.full((200_000, 3), 0.1, np.float32)).sum().backward()
    assert w.grad is not None
    np.testing.assert_allclose(w.grad.numpy(), 20_000.000298, rtol=2e-6)


@pytest.mark.parametrize("dtype", ["float16", "int8", "uint8", "bool", "complex64", "float64"])
@pytest.mark.parametrize("n", [511, 512, 513, 1024, 2048 + 7])
def test_long_sums_are_numpys_in_every_dtype(dtype: str, n: int) -> None:
    x = (np.arange(3 * n).reshape(n, 3) % 5 > 1).astype(dtype)
    y = tg.sum(x, 0)
    assert y.dtype == x.sum(0).dtype
    wide = np.complex128 if y.dtype.kind == "c" else np.float64
    np.testing.assert_array_equal(y, x.astype(wide).sum(0).astype(y.dtype))


# ---- quantiles, averages, covariance


@pytest.mark.parametrize("method", sorted(PLACES))
@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 8, 9])
def test_places_of_quantiles_are_numpys(n: int, method: str) -> None:
    x = np.random.default_rng(n).permutation(n) * 1.5
    q = np.linspace(0, 1, 33)
    np.testing.assert_allclose(tg.quantile(x, q, method=method), np.quantile(x, q, method=method), rtol=1e-12)
    holes = np.append(x, [NAN, NAN])
    found = tg.nanquantile(holes, q, method=method)
    np.testing.assert_allclose(found, np.quantile(x, q, method=method), rtol=1e-12)
    assert np.isnan(tg.quantile(holes, q, method=method)).all()


def test_quantiles_between_infinities() -> None:
    x = np.array([-INF, 1.0, 2.0, INF, INF])
    assert tg.quantile(x, [0, 0.25, 0.375, 0.5, 0.625, 0.75, 1]).tolist() == [-INF, 1, 1.5, 2, INF, INF, INF]
    assert tg.nanquantile(x, [0, 0.25, 0.375, 0.5, 0.625, 0.75, 1]).tolist() == [
        -INF,
        1,
        1.5,
        2,
        INF,
        INF,
        INF,
    ]


def test_q_may_be_a_tensor_that_needs_no_gradient() -> None:
    assert tg.quantile(np.arange(5.0), tg.tensor([0.25, 0.5])).tolist() == [1.0, 2.0]
    with pytest.raises(tg.DtypeError, match="quantile: q is a tensor"):
        tg.quantile(np.arange(5.0), tg.tensor(0.5, requires_grad=True))
    with pytest.raises(tg.DtypeError, match="quantile: q is a tensor"):
        tg.grad(lambda q: tg.quantile(np.arange(5.0), q))(np.array(0.5))


def test_averages_give_the_sum_of_the_weights_back() -> None:
    x, w = np.arange(6.0).reshape(2, 3), np.array([1.0, 3.0, 0.0])
    for weights in (None, w):
        for y, z in zip(
            tg.average(x, 1, weights, returned=True), np.average(x, 1, weights, returned=True), strict=True
        ):
            np.testing.assert_array_equal(y, z)
    with pytest.raises(tg.ShapeError, match="average: the weights add up to 0"):
        tg.average(tg.tensor(x), 1, tg.tensor([1.0, -1.0, 0.0]))
    half = np.full(4000, 30.0, np.float16)
    assert tg.average(half, weights=half) == 30.0, "float16 is added up in float32"


def test_variances_of_complex_numbers_are_real() -> None:
    z = np.array([1.0, 1j, -2.0 + 1j])
    for ours, numpys in ((tg.var, np.var), (tg.std, np.std), (tg.nanvar, np.nanvar), (tg.nanstd, np.nanstd)):
        assert ours(z).dtype == np.float64
        np.testing.assert_allclose(ours(z, ddof=1), numpys(z, ddof=1), rtol=1e-14)


def test_equal_nanstd_has_slope_0() -> None:
    np.testing.assert_array_equal(gradient(tg.nanstd, [2.0, NAN, 2.0]), [0.0, 0.0, 0.0])
    np.testing.assert_array_equal(gradient(tg.nanvar, [1.0, NAN, 3.0]), [-1.0, 0.0, 1.0])


# ---- differences


def test_numbers_beside_arrays_keep_them_arrays() -> None:
    x = np.ones(3, np.float32)
    for y in (
        tg.diff(x, prepend=0.0), tg.ediff1d(x, to_end=1.0), tg.gradient(x), tg.gradient(x, 0.5), tg.trapezoid(x),
        tg.modf(x)[0], tg.quantile(x, 0.5), tg.nanvar(x), tg.cov(x),
    ):  # fmt: skip
        assert isinstance(y, np.ndarray | np.generic) and y.dtype == np.float32


# ---- padding and editing


@pytest.mark.parametrize("mode", ["reflect", "symmetric"])
@pytest.mark.parametrize("kind", ["even", "odd"])
@pytest.mark.parametrize("width", [(0, 7), (7, 0), (1, 9), (9, 9)])
@pytest.mark.parametrize("n", [1, 2, 3, 5])
def test_wide_reflections_are_numpys(n: int, width: Any, kind: str, mode: str) -> None:
    x = np.random.default_rng(n).standard_normal(n)
    np.testing.assert_allclose(
        tg.pad(x, width, mode, reflect_type=kind), np.pad(x, width, mode, reflect_type=kind), atol=1e-13
    )


def test_an_empty_pad_is_zeros() -> None:
    assert tg.pad(np.ones(1), 1, "empty").tolist() == [0.0, 1.0, 0.0]


@pytest.mark.parametrize("trim", ["f", "b", "fb", ""])
@pytest.mark.parametrize("x", [[0.0, 1.0, 0.0, 2.0, 0.0, 0.0], [0.0, 0.0], [1.0], []])
def test_trim_zeros(x: Any, trim: str) -> None:
    expected = np.trim_zeros(np.array(x), trim) if trim else np.array(x)
    np.testing.assert_array_equal(tg.trim_zeros(np.array(x), trim), expected)


def test_what_depends_on_values_is_refused_inside_transformations() -> None:
    assert gradient(tg.trim_zeros, [0.0, 2.0, 0.0]).tolist() == [0.0, 1.0, 0.0]
    with pytest.raises(tg.TraceError, match="takes a value out of the program"):
        tg.trace(tg.trim_zeros, tg.ones(2))
    with pytest.raises(tg.IndexingError, match="trim_zeros: under vmap"):
        tg.vmap(tg.trim_zeros)(np.ones((2, 2)))
    for call in (lambda i: tg.delete(np.ones(3), i), lambda i: tg.insert(np.ones(3), i, 1.0)):
        with pytest.raises(tg.DtypeError, match="the places are a tensor"):
            call(tg.tensor([1]))


def test_triangles_of_ones() -> None:
    assert tg.tri(2, 3, 1).tolist() == np.tri(2, 3, 1).tolist()
    assert tg.tri(2).dtype == np.float32 and tg.tri(2, dtype="int64").dtype == np.int64
    with pytest.raises(tg.ShapeError, match="tri: "):
        tg.tri(-1)
    assert tg.broadcast_shapes((2, 1), 3) == (2, 3)
    with pytest.raises(tg.ShapeError, match="broadcast_shapes: "):
        tg.broadcast_shapes((2,), (3,))


# ---- nothing overflows where the result is finite


def test_no_exception_where_results_are_finite() -> None:
    far = np.array([1e300, -1e300, 1e3, -1e3, 5e-324, 0.0])
    with np.errstate(over="raise", divide="raise", invalid="raise"):
        for f in (
            lambda x: tg.logcumsumexp(x), lambda x: tg.modf(x)[0], lambda x: tg.fmod(x, 3.0), lambda x: tg.angle(x),
            lambda x: tg.nanmedian(x), lambda x: tg.percentile(x, 30), lambda x: tg.rint(x),
            lambda x: tg.trapezoid(x, dx=0.5), lambda x: tg.pad(x, 2, "reflect"), lambda x: tg.nancumsum(x),
        ):  # fmt: skip
            assert np.isfinite(f(far)).all()
            assert np.isfinite(tg.grad(lambda x, f=f: f(x).sum())(far)).all()
        assert np.isfinite(tg.grad(lambda x: tg.logcumsumexp(x).sum())(np.array([-INF, 1e3, -1e3]))).all()
        tg.isclose(np.array([INF, 1e308]), np.array([-INF, -1e308])), tg.modf(np.array([INF, -INF]))


def test_numbers_put_beside_whole_numbers_keep_their_kind() -> None:
    """NumPy's own: half a number in front of integers is not cut off."""
    np.testing.assert_array_equal(tg.diff(tg.tensor([1, 4]), prepend=0.5), np.diff([1, 4], prepend=0.5))
    np.testing.assert_array_equal(tg.diff(tg.tensor([1.0, 4.0]), append=1j), [3.0, -4 + 1j])
    assert tg.diff(np.float32([1, 4]), prepend=0.5).dtype == np.float32


def test_nanvar_without_a_value_has_no_slope() -> None:
    assert np.isnan(gradient(lambda x: tg.nanvar(x, correction=1), [2.0])).all()
