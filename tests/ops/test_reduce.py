"""Corners of the reductions: ties, NaN, empty axes, precision of narrow floats, rows of -inf."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import tensorgrad as tg

INF, NAN = math.inf, math.nan


def gradient(f: Any, x: Any) -> Any:
    """The gradient of the sum of ``f``."""
    t = tg.tensor(x, dtype="float64", requires_grad=True)
    (g,) = tg.autograd.grad(f(t).sum(), t)
    return g.numpy()


# ---- extrema


@pytest.mark.parametrize(
    ("x", "axis", "expected"),
    [
        ([3.0, 3.0, 1.0], None, [0.5, 0.5, 0.0]),
        ([[1.0, 1.0], [1.0, 1.0]], None, [[0.25, 0.25], [0.25, 0.25]]),
        ([[1.0, 1.0], [1.0, 0.0]], 0, [[0.5, 1.0], [0.5, 0.0]]),
        ([0.0, -0.0], None, [0.5, 0.5]),
        ([INF, INF, 1.0], None, [0.5, 0.5, 0.0]),
        ([NAN, 5.0, NAN], None, [0.5, 0.0, 0.5]),
        ([[NAN, 1.0], [2.0, 3.0]], 1, [[1.0, 0.0], [0.0, 1.0]]),
    ],
    ids=["two", "all", "axis", "signed zeros", "infinities", "NaN", "NaN in one row"],
)
def test_max_shares_among_ties(x: Any, axis: Any, expected: Any) -> None:
    np.testing.assert_array_equal(gradient(lambda t: t.max(axis), x), expected)


def test_max_of_nothing_is_an_error() -> None:
    with pytest.raises(tg.ShapeError, match=r"max: x \(0,\).*no identity"):
        tg.tensor([]).max()
    assert tg.zeros((0, 3)).max(axis=1).shape == (0,)


def test_max_over_two_axes_is_one_contest() -> None:
    x = np.array([[[1.0, 7.0], [7.0, 0.0]], [[2.0, 2.0], [2.0, 2.0]]])
    expected = np.array([[[0.0, 0.5], [0.5, 0.0]], [[0.25, 0.25], [0.25, 0.25]]])
    np.testing.assert_array_equal(gradient(lambda t: t.max((1, 2)), x), expected)


@pytest.mark.parametrize("x", [[1.0, NAN], [NAN, 1.0], [NAN, INF]])
def test_a_nan_is_the_extremum(x: Any) -> None:
    assert math.isnan(tg.tensor(x).max().item())
    assert math.isnan(tg.tensor(x).min().item())


# ---- sums


def test_float16_sums_are_added_up_in_float32() -> None:
    ones = tg.ones(20_000, dtype="float16")  # beyond 2048, adding 1 changes nothing in float16
    assert ones.sum().dtype == np.float16
    assert ones.sum().item() == 20_000
    assert ones.reshape(2, 10_000).sum(axis=1).tolist() == [10_000, 10_000]
    assert ones.reshape(10_000, 2).sum(axis=0).tolist() == [10_000, 10_000]
    assert tg.sum_to(ones, (1,)).item() == 20_000


def test_float16_gradients_of_broadcast_inputs_are_added_up_in_float32() -> None:
    w = tg.tensor(1.0, dtype="float16", requires_grad=True)
    (w * tg.ones(20_000, dtype="float16")).sum().backward()
    assert w.grad is not None
    assert w.grad.dtype == np.float16
    assert w.grad.item() == 20_000


def test_float16_products_are_added_up_in_float32() -> None:
    ones = tg.ones((1, 20_000), dtype="float16")
    assert (ones @ ones.T).item() == 20_000
    assert tg.einsum("ij,ij->", ones, ones).item() == 20_000


def test_float16_mean_does_not_overflow_on_the_way() -> None:
    x = np.full(100, 6e4, np.float16)
    assert np.mean(x) == np.float16(6e4)
    assert tg.tensor(x).mean().dtype == np.float16
    assert tg.tensor(x).mean().item() == np.float16(6e4)


def test_sum_of_booleans_counts() -> None:
    y = tg.tensor([True, True, False]).sum()
    assert y.dtype == np.int64
    assert y.item() == 2


def test_sums_over_nothing() -> None:
    assert tg.zeros((0, 3)).sum(axis=0).tolist() == [0.0, 0.0, 0.0]
    assert gradient(lambda t: t.sum(axis=0), np.zeros((0, 3))).shape == (0, 3)
    assert tg.ones((2, 3)).sum(axis=()).shape == (2, 3)


@pytest.mark.parametrize(
    "op", [tg.sum, tg.max, tg.min, tg.mean, tg.var, tg.std, tg.logsumexp], ids=lambda op: op.__name__
)
@pytest.mark.parametrize("axis", [2, -3, (0, 0), (0, -2)], ids=str)
def test_wrong_axes_are_errors(op: Any, axis: Any) -> None:
    with pytest.raises(tg.ShapeError, match=r"axis|twice"):
        op(tg.ones((2, 3)), axis)


@pytest.mark.parametrize(
    "op", [tg.sum, tg.max, tg.mean, tg.var, tg.std, tg.logsumexp], ids=lambda op: op.__name__
)
def test_axis_may_be_a_numpy_integer_or_a_list(op: Any) -> None:
    x = tg.tensor(np.arange(6.0).reshape(2, 3))
    np.testing.assert_array_equal(op(x, np.int64(1)).numpy(), op(x, 1).numpy())
    np.testing.assert_array_equal(op(x, [0, 1]).numpy(), op(x).numpy())


# ---- composed


def test_std_of_equal_elements_has_gradient_0() -> None:
    np.testing.assert_array_equal(gradient(lambda t: t.std(), [2.0, 2.0]), [0.0, 0.0])
    rows = gradient(lambda t: t.std(axis=1), [[2.0, 2.0], [0.0, 2.0]])
    np.testing.assert_allclose(rows, [[0.0, 0.0], [-0.5, 0.5]])


def test_var_is_exact_beside_a_large_offset() -> None:
    x = np.array([1.0, 2.0, 4.0]) + 2**40
    assert tg.tensor(x).var().item() == pytest.approx(14 / 9, rel=1e-6)  # E[x^2] - E[x]^2 would leave nothing


def test_var_with_correction() -> None:
    x = np.array([[1.0, 2.0, 4.0], [0.0, 0.0, 3.0]])
    for correction in (0, 1, 0.5):
        np.testing.assert_allclose(
            tg.tensor(x).var(axis=1, correction=correction).numpy(),
            ((x - x.mean(1, keepdims=True)) ** 2).sum(1) / (3 - correction),
        )


# ---- softmax and its kin


def test_softmax_gives_masked_elements_exactly_0() -> None:
    x = tg.tensor([0.5, -INF, 1.0], requires_grad=True)
    y = tg.softmax(x)
    assert y[1].item() == 0.0
    assert y.sum().item() == pytest.approx(1.0)
    y[0].backward()
    assert x.grad is not None
    assert x.grad[1].item() == 0.0
    assert np.isfinite(x.grad.numpy()).all()


@pytest.mark.parametrize("op", [tg.softmax, tg.log_softmax], ids=lambda op: op.__name__)
def test_only_a_row_of_nothing_but_minus_infinity_is_nan(op: Any) -> None:
    x = np.array([[-INF, -INF], [0.0, 1.0]])
    with np.errstate(invalid="ignore"):
        y = op(tg.tensor(x)).numpy()
    assert np.isnan(y[0]).all()
    assert np.isfinite(y[1]).all()


@pytest.mark.parametrize("shift", [1e3, -1e3, 1e8])
def test_softmax_does_not_see_a_shift(shift: float) -> None:
    x = np.array([0.0, 1.0, 2.0])
    np.testing.assert_allclose(tg.softmax(x + shift), tg.softmax(x), rtol=1e-7)
    np.testing.assert_allclose(tg.log_softmax(x + shift), tg.log_softmax(x), rtol=1e-7)


def test_logsumexp_of_nothing_but_minus_infinity() -> None:
    x = tg.tensor([[-INF, -INF], [-INF, 3.0]], dtype="float64", requires_grad=True)
    y = tg.logsumexp(x, axis=1)
    assert y.tolist() == [-INF, 3.0]
    y.sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [[0.0, 0.0], [0.0, 1.0]]


def test_logsumexp_of_infinity_and_nan() -> None:
    assert tg.logsumexp(np.array([INF, 1.0])) == INF
    assert math.isnan(tg.logsumexp(np.array([NAN, 1.0])))


def test_log_softmax_is_exact_where_softmax_underflows() -> None:
    assert tg.log_softmax(np.array([0.0, 1000.0])).tolist() == [-1000.0, 0.0]
    assert tg.softmax(np.array([0.0, 1000.0])).tolist() == [0.0, 1.0]


# ---- axes


@pytest.mark.parametrize("name", ["softmax", "log_softmax", "sum", "max", "prod", "logsumexp"])
@pytest.mark.parametrize(
    ("x", "axis"), [(2.5, -1), (2.5, 0), (2.5, ()), ([[1.0, 2.0]], (0, 1)), ([1.0, 2.0], None)]
)
def test_what_a_reduction_takes_as_an_axis_it_takes_under_vmap(name: str, x: Any, axis: Any) -> None:
    def f(x: Any) -> Any:
        return getattr(tg, name)(x, axis)

    rows = np.stack([np.array(x), np.array(x) + 1])
    for of in (f, tg.grad(lambda x: (f(x) ** 2).sum()), lambda x: tg.jvp(f, (x,), (x,))[1]):
        np.testing.assert_allclose(
            tg.vmap(of)(rows), np.stack([of(tg.tensor(row)) for row in rows]), rtol=1e-14
        )


@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
def test_a_wrong_axis_is_one_under_vmap_too(name: str) -> None:
    with pytest.raises(tg.ShapeError, match=f"{name}: axis 2 is out of range for 1 axes"):
        tg.vmap(lambda x: getattr(tg, name)(x, axis=2))(np.ones((2, 3)))


def test_sums_over_images_with_channels_last_keep_their_digits() -> None:
    x = np.full((40, 50, 50, 3), 0.1, np.float32).transpose(0, 3, 1, 2)
    found = tg.sum(x, (0, 2, 3))
    np.testing.assert_allclose(found, [1e4] * 3, rtol=2e-6)  # row after row it is 1e-4
    assert tg.sum(x, (3, 0, -2), keepdims=True).shape == (1, 3, 1, 1)
    for axes in ((0, 4), (0, 0), (0, -4)):
        with pytest.raises(tg.TensorgradError):
            tg.sum(x, axes)
