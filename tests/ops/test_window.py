"""Windows: convolutions of random geometry against loops, transposes against each other, limits of memory."""

from __future__ import annotations

import tracemalloc
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tensorgrad as tg
from tensorgrad.nn import functional
from tensorgrad.ops.window import correlation as cards
from tensorgrad.testing import gradcheck
from tensorgrad.testing.samples import COMPOSED, ROWS

CONVOLUTIONS = {1: functional.conv1d, 2: functional.conv2d, 3: functional.conv3d}
TRANSPOSED = {1: functional.conv_transpose1d, 2: functional.conv_transpose2d, 3: functional.conv_transpose3d}


@st.composite
def geometry(draw: Any) -> tuple[Any, Any, dict[str, Any]]:
    """Images, filters and settings that fit each other."""
    rank, groups, small = draw(st.integers(1, 3)), draw(st.integers(1, 2)), st.integers(1, 2)

    def each(low: int, high: int) -> tuple[int, ...]:
        return tuple(draw(st.integers(low, high)) for _ in range(rank))

    extents, dilation, stride, padding, spare = each(1, 2), each(1, 2), each(1, 2), each(0, 1), each(0, 2)
    lengths = [
        max(1, d * (k - 1) + 1 - 2 * p) + more
        for k, d, p, more in zip(extents, dilation, padding, spare, strict=True)
    ]
    rng = np.random.default_rng(rank)
    x = rng.standard_normal((draw(small), groups * draw(small), *lengths))
    w = rng.standard_normal((groups * draw(small), x.shape[1] // groups, *extents))
    return x, w, {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}


@given(geometry())
def test_convolutions_against_their_definition(drawn: Any) -> None:
    x, w, how = drawn
    conv = CONVOLUTIONS[x.ndim - 2]
    expected = COMPOSED["conv2d"].reference(x, w, **how)
    np.testing.assert_allclose(conv(x, w, **how), expected, rtol=1e-12, atol=1e-13)
    assert gradcheck(lambda x, w: conv(x, w, **how), [x, w])


@given(geometry(), st.data())
def test_transposed_convolutions_against_their_definition(drawn: Any, data: st.DataObject) -> None:
    x, w, how = drawn
    more = tuple(
        data.draw(st.integers(0, max(s, d) - 1)) for s, d in zip(how["stride"], how["dilation"], strict=True)
    )
    x = np.resize(x, (x.shape[0], w.shape[0], *[1 + 2 * p for p in how["padding"]]))
    conv = TRANSPOSED[x.ndim - 2]
    expected = COMPOSED["conv_transpose2d"].reference(x, w, output_padding=more, **how)
    y = conv(x, w, output_padding=more, **how)
    np.testing.assert_allclose(y, expected, rtol=1e-12, atol=1e-13)
    assert gradcheck(lambda x, w: conv(x, w, output_padding=more, **how), [x, w])


@given(geometry())
def test_a_transposed_convolution_is_the_adjoint(drawn: Any) -> None:
    """``<conv(x), z> = <x, conv_transpose(z)>``, with the rows that were left over given back."""
    x, w, how = drawn
    y = CONVOLUTIONS[x.ndim - 2](x, w, **how)
    z = np.random.default_rng(1).standard_normal(y.shape)
    spans = [d * (k - 1) + 1 for k, d in zip(w.shape[2:], how["dilation"], strict=True)]
    more = tuple(
        (n + 2 * p - k) % s
        for n, p, k, s in zip(x.shape[2:], how["padding"], spans, how["stride"], strict=True)
    )
    back = TRANSPOSED[x.ndim - 2](z, w, output_padding=more, **how)
    assert back.shape == x.shape
    np.testing.assert_allclose(np.sum(y * z), np.sum(x * back), rtol=1e-10, atol=1e-12)


def test_filters_are_not_flipped() -> None:
    x, w = np.zeros((1, 1, 3, 3)), np.arange(1.0, 5.0).reshape(1, 1, 2, 2)
    x[0, 0, 1, 1] = 1.0
    assert functional.conv2d(x, w)[0, 0].tolist() == [[4.0, 3.0], [2.0, 1.0]]


def test_same_puts_the_odd_zero_at_the_end() -> None:
    y = functional.conv1d(np.array([[1.0, 2.0, 4.0]]), np.array([[[1.0, 10.0]]]), padding="same")
    assert y.tolist() == [[21.0, 42.0, 4.0]]


def test_depthwise_filters_see_their_own_channel() -> None:
    x, w = np.arange(12.0).reshape(1, 3, 4), np.array([1.0, 10.0, 100.0]).reshape(3, 1, 1)
    np.testing.assert_array_equal(functional.conv1d(x, w, groups=3), x * w.reshape(3, 1))


@pytest.mark.parametrize("limit", [1, 200, 3000])
def test_cut_into_parts_the_result_is_the_same(limit: int, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    x, w = rng.standard_normal((3, 4, 7, 5)), rng.standard_normal((6, 2, 3, 2))
    how = ((2, 1), ((1, 1), (0, 2)), (1, 2), 2)
    y = cards.correlation(x, w, *how)
    z = rng.standard_normal(y.shape)
    back, filters = (
        cards.correlation_spread(z, w, *how, (7, 5)),
        cards.correlation_filters(x, z, *how, (3, 2)),
    )
    monkeypatch.setattr(cards, "COLUMNS", limit)
    np.testing.assert_allclose(cards.correlation(x, w, *how), y, rtol=1e-12)
    np.testing.assert_allclose(cards.correlation_spread(z, w, *how, (7, 5)), back, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(cards.correlation_filters(x, z, *how, (3, 2)), filters, rtol=1e-10, atol=1e-12)


def test_a_large_filter_does_not_take_the_memory_of_all_windows() -> None:
    x, w = np.ones((1, 1, 400_000), np.float32), np.ones((1, 1, 100), np.float32)
    tracemalloc.start()
    functional.conv1d(x, w)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 3 * cards.COLUMNS  # all windows together are 160 MB


@pytest.mark.parametrize("dtype", ["uint8", "int32", "int64"])
def test_integers(dtype: str) -> None:
    x, w = np.arange(8, dtype=dtype).reshape(1, 2, 4), np.ones((2, 2, 2), dtype)
    y = functional.conv1d(x, w)
    assert y.dtype == dtype and y[0].tolist() == [[10, 14, 18]] * 2
    assert functional.conv_transpose1d(x, w).dtype == dtype


def test_half_precision_is_added_up_in_single() -> None:
    x, w = np.full((1, 1, 4096), 1 / 3, np.float16), np.ones((1, 1, 4096), np.float16)
    assert functional.conv1d(x, w).item() == np.float16(4096 * float(np.float16(1 / 3)))
    assert tg.correlate(x[0, 0], w[0, 0]).dtype == np.float16


@pytest.mark.parametrize("name", ["convolve", "correlate"])
@given(data=st.data())
def test_sequences_against_numpy(name: str, data: st.DataObject) -> None:
    lengths = st.integers(1, 6)
    rng = np.random.default_rng(0)
    n, m = data.draw(lengths), data.draw(lengths)
    a, v = rng.standard_normal(n) + 1j * rng.standard_normal(n), rng.standard_normal(m) * 1j
    for mode in ("full", "same", "valid"):
        np.testing.assert_allclose(
            getattr(tg, name)(a, v, mode), getattr(np, name)(a, v, mode), rtol=1e-12, atol=1e-14
        )


def test_the_trio_refuses_channels_that_groups_do_not_divide() -> None:
    with pytest.raises(tg.ShapeError, match="correlation"):
        ROWS["correlation"](np.ones((1, 3, 2)), np.ones((2, 1, 1)), (1,), ((0, 0),), (1,), 2)


# ---- windows as views, images and columns


def test_windows_share_memory_and_cannot_be_written_to() -> None:
    a = np.arange(5.0)
    seen = tg.sliding_window_view(a, 3)
    assert np.shares_memory(seen, a) and not seen.flags.writeable
    t = tg.tensor(a)
    view = tg.sliding_window_view(t, 2)
    view[0, 1] = 9.0  # the second window has this element as well
    assert view[1, 0] == t[1] == 1.0
    later = tg.sliding_window_view(t, 2)
    t[1] = 7.0
    assert later[0].tolist() == [0.0, 1.0] and tg.sliding_window_view(t, 2)[0].tolist() == [0.0, 7.0]


def test_the_gradient_of_windows_counts_them() -> None:
    counts = tg.grad(lambda x: tg.sliding_window_view(x, (2, 2)).sum())(np.ones((3, 4)))
    assert counts.tolist() == [[1, 2, 2, 1], [2, 4, 4, 2], [1, 2, 2, 1]]
    assert tg.grad(lambda x: tg.unfold(x, 0, 2, 3).sum())(np.ones(6)).tolist() == [1, 1, 0, 1, 1, 0]


@st.composite
def columns(draw: Any) -> tuple[Any, dict[str, Any]]:
    """Images, and settings of windows that fit."""
    pair = st.tuples(st.integers(1, 2), st.integers(1, 3))
    how = {"kernel_size": draw(pair), "dilation": draw(pair), "padding": draw(pair), "stride": draw(pair)}
    spans = [d * (k - 1) + 1 for k, d in zip(how["kernel_size"], how["dilation"], strict=True)]
    lengths = [
        max(1, s - 2 * p) + draw(st.integers(0, 2)) for s, p in zip(spans, how["padding"], strict=True)
    ]
    return np.random.default_rng(0).standard_normal((2, 2, *lengths)), how


@given(columns())
def test_unfold_and_fold_are_adjoint(drawn: Any) -> None:
    x, how = drawn
    seen = functional.unfold(x, **how)
    c = np.random.default_rng(1).standard_normal(seen.shape)
    back = functional.fold(c, x.shape[2:], **how)
    assert back.shape == x.shape
    np.testing.assert_allclose(np.sum(seen * c), np.sum(x * back), rtol=1e-10, atol=1e-12)
    # Folded again, each element comes back as often as a window saw it.
    often = functional.fold(functional.unfold(np.ones_like(x), **how), x.shape[2:], **how)
    np.testing.assert_allclose(functional.fold(seen, x.shape[2:], **how), x * often, rtol=1e-12, atol=1e-13)


@given(columns())
def test_a_convolution_is_a_product_with_the_columns(drawn: Any) -> None:
    x, how = drawn
    w = np.random.default_rng(2).standard_normal((3, 2, *how["kernel_size"]))
    settings = {name: value for name, value in how.items() if name != "kernel_size"}
    y = functional.conv2d(x, w, **settings)
    flat = w.reshape(3, -1) @ functional.unfold(x, **how)
    np.testing.assert_allclose(y.reshape(flat.shape), flat, rtol=1e-12, atol=1e-13)
