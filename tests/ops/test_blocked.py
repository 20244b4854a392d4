"""Convolution in blocks, channels last: the same numbers as the general way, in any layout, in bounded memory."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad.nn import functional as F
from tensorgrad.ops.window import blocked
from tensorgrad.ops.window import correlation as cards

CONVOLUTIONS: dict[int, Callable[..., Any]] = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}
NEVER = 1 << 60


def drawn(seed: int) -> tuple[Any, Any, dict[str, Any]]:
    """Images, filters and settings that fit each other."""
    rng = np.random.default_rng(seed)
    rank = int(rng.integers(1, 4))
    extents, dilation, stride = (tuple(rng.integers(1, high, rank).tolist()) for high in (4, 3, 4))
    padding = tuple(rng.integers(0, 4, rank).tolist())
    room = [max(1, d * (k - 1) + 1 - 2 * p) for k, d, p in zip(extents, dilation, padding, strict=True)]
    lengths = [n + int(rng.integers(0, 7 - rank)) for n in room]
    channels, filters = rng.integers(1, 12, 2).tolist()
    x = rng.standard_normal((int(rng.integers(1, 5)), channels, *lengths))
    w = rng.standard_normal((filters, channels, *extents))
    return x, w, {"stride": stride, "padding": padding, "dilation": dilation}


def values(x: Any, w: Any, how: dict[str, Any]) -> list[Any]:
    """The convolution, and the gradients of first and second order of its cubes' sum."""
    conv = CONVOLUTIONS[x.ndim - 2]
    first = tg.grad(lambda x, w: (conv(x, w, **how) ** 3).sum(), argnums=(0, 1))

    def slope(x: Any, w: Any) -> Any:
        return sum([(g * g).sum() for g in first(x, w)])

    return [conv(x, w, **how), *first(x, w), *tg.grad(slope, argnums=(0, 1))(x, w)]


@pytest.mark.parametrize("flipped", [0, NEVER])
@pytest.mark.parametrize("seed", range(12))
def test_it_is_the_general_way(seed: int, flipped: int, monkeypatch: pytest.MonkeyPatch) -> None:
    x, w, how = drawn(seed)
    monkeypatch.setattr(cards, "RUN", NEVER)
    expected = values(x, w, how)
    monkeypatch.setattr(cards, "RUN", 0)
    monkeypatch.setattr(blocked, "FLIPPED", flipped)
    for block in (1, 2000, blocked.BLOCK):  # a row of places, some rows or images, all
        monkeypatch.setattr(blocked, "BLOCK", block)
        for found, wanted in zip(values(x, w, how), expected, strict=True):
            scale = np.abs(wanted).max(initial=1.0)
            np.testing.assert_allclose(found / scale, wanted / scale, rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("dtype", ["float32", "complex64", "complex128"])
def test_other_dtypes_are_as_wide_as_they_come(dtype: str) -> None:
    rng = np.random.default_rng(0)
    x, w = rng.standard_normal((2, 8, 5, 5)).astype(dtype), rng.standard_normal((3, 8, 2, 2)).astype(dtype)
    y = F.conv2d(x, w, padding=1)
    assert y.dtype == dtype
    np.testing.assert_allclose(y, F.conv2d(x.astype("D"), w.astype("D"), padding=1), atol=1e-5)


@pytest.mark.parametrize("lay", ["channels last", "reversed", "every other", "broadcast", "read-only"])
def test_any_layout_gives_the_same(lay: str) -> None:
    rng = np.random.default_rng(0)
    x, w = rng.standard_normal((3, 8, 6, 6)), rng.standard_normal((4, 8, 3, 3))
    if lay == "broadcast":
        x = np.broadcast_to(x[:1], x.shape)
    plain = x.copy()
    if lay == "channels last":
        x = np.ascontiguousarray(x.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2)
    elif lay == "reversed":
        x = np.ascontiguousarray(x[::-1, ::-1, ::-1, ::-1])[::-1, ::-1, ::-1, ::-1]
    elif lay == "every other":
        x = np.repeat(np.repeat(x, 2, 1), 2, 3)[:, ::2, :, ::2]
    elif lay == "read-only":
        x.flags.writeable = False
    before = x.copy()
    for how in ({}, {"padding": 1, "stride": 2}):
        for found, wanted in zip(values(x, w, how), values(plain, w, how), strict=True):
            np.testing.assert_allclose(found, wanted, rtol=1e-12, atol=1e-9)
    np.testing.assert_array_equal(x, before)


def test_channels_stay_last_through_a_network() -> None:
    x, w = np.ones((2, 8, 6, 6), np.float32), np.ones((16, 8, 3, 3), np.float32)
    y = tg.maximum(F.conv2d(x, w, np.ones(16, np.float32), padding=1), 0) * 2
    assert y.transpose(0, 2, 3, 1).flags.c_contiguous
    one = F.conv2d(x[:, :1], w[:, :1], padding=1)  # the general way as well
    assert one.transpose(0, 2, 3, 1).flags.c_contiguous


def test_no_images_and_no_filters() -> None:
    x, w = np.ones((0, 8, 4, 4)), np.ones((3, 8, 3, 3))
    y, gx, gw, *_ = values(x, w, {"padding": 1})
    assert y.shape == (0, 3, 4, 4) and gx.shape == x.shape and gw.shape == w.shape and not gw.any()
    y, gx, gw, *_ = values(np.ones((2, 8, 4, 4)), w[:0], {})
    assert y.shape == (2, 0, 2, 2) and not gx.any() and gw.shape == (0, 8, 3, 3)


def test_windows_take_the_memory_of_a_block() -> None:
    x, w = np.ones((16, 64, 32, 32), np.float32), np.ones((64, 64, 3, 3), np.float32)
    z = np.ones((16, 64, 32, 32), np.float32)
    how = ((1, 1), ((1, 1), (1, 1)), (1, 1), 1)
    for run in (
        lambda: cards.correlation(x, w, *how),
        lambda: cards.correlation_spread(z, w, *how, (32, 32)),
        lambda: cards.correlation_filters(x, z, *how, (3, 3)),
    ):
        tracemalloc.start()
        run()
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 2.5 * x.nbytes + 2 * blocked.BLOCK  # all windows together are 9 times the images


def test_channels_that_do_not_fit_are_refused() -> None:
    how = ((1,), ((0, 0),), (1,), 1)
    with pytest.raises(ValueError, match="correlation"):
        cards.correlation(np.ones((2, 8, 5)), np.ones((3, 9, 2)), *how)
    with pytest.raises(ValueError, match="correlation_spread"):
        cards.correlation_spread(np.ones((2, 6, 4)), np.ones((3, 8, 2)), *how, (5,))
