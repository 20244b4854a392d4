"""Layers without parameters: padding, pooling, changes of shape and size; and the functions behind them."""

from __future__ import annotations

import copy
import inspect
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import nn
from tensorgrad.testing import gradcheck

F = nn.functional
LINE = np.array([[[1.0, 2.0, 3.0]]])


def count(*shape: int) -> Any:
    return np.arange(np.prod(shape), dtype=np.float64).reshape(shape)


# ---- padding


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("constant", [0, 0, 1, 2, 3, 0]),
        ("reflect", [3, 2, 1, 2, 3, 2]),
        ("replicate", [1, 1, 1, 2, 3, 3]),
        ("circular", [2, 3, 1, 2, 3, 1]),
    ],
)
def test_modes_of_padding(mode: str, expected: list[float]) -> None:
    y = F.pad(LINE, (2, 1), mode)
    np.testing.assert_array_equal(y[0, 0], expected)
    assert gradcheck(lambda x: F.pad(x, (2, 1), mode), LINE)


def test_the_last_axis_comes_first() -> None:
    assert F.pad(np.ones((2, 3)), (1, 2)).shape == (2, 6)
    assert F.pad(np.ones((2, 3)), (1, 2, 3, 4)).shape == (9, 6)
    assert F.pad(np.ones((2, 3)), ()).shape == (2, 3)


def test_negative_counts_take_away() -> None:
    np.testing.assert_array_equal(F.pad(LINE, (-1, 2))[0, 0], [2, 3, 0, 0])
    np.testing.assert_array_equal(F.pad(LINE, (-1, -1))[0, 0], [2])
    np.testing.assert_array_equal(F.pad(LINE, (-1, 2), "circular")[0, 0], [2, 3, 2, 3])
    np.testing.assert_array_equal(F.pad(LINE, (-2, 2), "reflect")[0, 0], [3, 2, 1])
    assert gradcheck(lambda x: F.pad(x, (-1, 2)), LINE)


def test_padding_keeps_kind_and_dtype() -> None:
    y = F.pad(tg.tensor([1, 2]), (1, 0), value=7)
    assert isinstance(y, tg.Tensor) and y.dtype == np.int64 and y.tolist() == [7, 1, 2]
    assert isinstance(F.pad(np.ones(2, np.float32), (1, 0)), np.ndarray)
    assert F.pad([1.0], (0, 1)).tolist() == [1.0, 0.0]


AXES = {1: (3,), 2: (3, 4), 3: (3, 4, 3)}


@pytest.mark.parametrize("rank", AXES)
@pytest.mark.parametrize(
    ("name", "mode", "given"),
    [
        ("ConstantPad", "constant", (1.5,)),
        ("ZeroPad", "constant", ()),
        ("ReflectionPad", "reflect", ()),
        ("ReplicationPad", "replicate", ()),
        ("CircularPad", "circular", ()),
    ],
)
def test_layers_of_padding(name: str, mode: str, given: tuple[float, ...], rank: int) -> None:
    x = count(2, 1, *AXES[rank])
    for padding in (1, tuple(range(2)) * rank):
        layer = getattr(nn, f"{name}{rank}d")(padding, *given)
        counts = (padding,) * 2 * rank if isinstance(padding, int) else padding
        expected = F.pad(x, counts, mode, *given)
        np.testing.assert_array_equal(layer(x), expected)
        np.testing.assert_array_equal(layer(x[0]), expected[0])
        assert f"padding={counts}" in repr(layer)


# ---- pixels, channels, windows


def test_pixels_go_from_channels_to_the_plane_and_back() -> None:
    x = count(1, 4, 1, 2)
    y = F.pixel_shuffle(x, 2)
    np.testing.assert_array_equal(y[0, 0], [[0, 2, 1, 3], [4, 6, 5, 7]])
    np.testing.assert_array_equal(F.pixel_unshuffle(y, 2), x)
    np.testing.assert_array_equal(nn.PixelUnshuffle(2)(nn.PixelShuffle(2)(x)), x)
    assert F.pixel_shuffle(np.ones((8, 2, 2)), 2).shape == (2, 4, 4)


def test_channels_are_dealt_out() -> None:
    x = count(1, 6, 1)
    np.testing.assert_array_equal(F.channel_shuffle(x, 2)[0, :, 0], [0, 3, 1, 4, 2, 5])
    np.testing.assert_array_equal(nn.ChannelShuffle(3)(nn.ChannelShuffle(2)(x)), x)


def test_windows_as_columns_and_back() -> None:
    x = count(2, 3, 4, 5)
    columns = nn.Unfold((2, 3), stride=(2, 1))(x)
    assert columns.shape == (2, 18, 6)
    counts = nn.Fold((4, 5), (2, 3), stride=(2, 1))(nn.Unfold((2, 3), stride=(2, 1))(np.ones_like(x)))
    np.testing.assert_allclose(nn.Fold((4, 5), (2, 3), stride=(2, 1))(columns) / counts, x)


# ---- shapes and sizes


def test_flatten_and_unflatten() -> None:
    x = count(2, 3, 4)
    for layer, shape in [(nn.Flatten(), (2, 12)), (nn.Flatten(0), (24,)), (nn.Flatten(0, 1), (6, 4))]:
        assert layer(x).shape == shape
        np.testing.assert_array_equal(layer(x).ravel(), x.ravel())
    assert nn.Flatten(0)(np.array(3.0)).shape == (1,)
    assert nn.Unflatten(-1, (2, 2))(x).shape == (2, 3, 2, 2)
    assert nn.Unflatten(1, [-1, 1])(x).shape == (2, 3, 1, 4)
    assert nn.Unflatten(0, (2, -1))(np.ones((0, 3))).shape == (2, 0, 3)


def test_identity_takes_anything() -> None:
    x = tg.ones(2)
    assert nn.Identity(54, unused=0.1)(x) is x


def test_sizes() -> None:
    x = np.array([[[[1.0, 3.0]]]])
    np.testing.assert_array_equal(nn.Upsample(scale_factor=2)(x)[0, 0], [[1, 1, 3, 3]] * 2)
    np.testing.assert_array_equal(nn.UpsamplingNearest2d((1, 4))(x)[0, 0], [[1, 1, 3, 3]])
    np.testing.assert_allclose(nn.UpsamplingBilinear2d((1, 3))(x)[0, 0], [[1, 2, 3]])
    np.testing.assert_allclose(
        nn.Upsample((1, 5), mode="bilinear", align_corners=True)(x), F.upsample_bilinear(x, (1, 5))
    )
    assert repr(nn.Upsample(scale_factor=2)) == "Upsample(scale_factor=2, mode='nearest')"


def test_one_hot() -> None:
    y = F.one_hot(tg.tensor([[2, 0]]))
    assert y.dtype == np.int64 and y.tolist() == [[[0, 0, 1], [1, 0, 0]]]
    assert F.one_hot(np.array([1]), 4).tolist() == [[0, 1, 0, 0]]
    assert F.one_hot(np.zeros((0, 2), int), 3).shape == (0, 2, 3)


# ---- pools

IMAGE = np.random.default_rng(0).permutation(72).reshape(2, 6, 6) * 1.0


def test_pools_of_windows() -> None:
    blocks = IMAGE.reshape(2, 3, 2, 3, 2).transpose(0, 1, 3, 2, 4).reshape(2, 3, 3, 4)
    np.testing.assert_array_equal(nn.MaxPool2d(2)(IMAGE), blocks.max(-1))
    np.testing.assert_allclose(nn.AvgPool2d(2)(IMAGE), blocks.mean(-1))
    np.testing.assert_allclose(nn.AvgPool2d(2, divisor_override=1)(IMAGE), blocks.sum(-1))
    np.testing.assert_allclose(nn.LPPool2d(2, 2)(IMAGE), np.sqrt((blocks**2).sum(-1)))
    np.testing.assert_array_equal(nn.AdaptiveMaxPool2d(3)(IMAGE), blocks.max(-1))
    np.testing.assert_allclose(nn.AdaptiveAvgPool2d((3, None))(IMAGE).shape, (2, 3, 6))


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_maxima_are_put_back_where_they_come_from(rank: int) -> None:
    x = np.random.default_rng(0).permutation(2 * 4**rank).reshape(2, *[4] * rank) + 1.0
    y, places = getattr(nn, f"MaxPool{rank}d")(2, return_indices=True)(x)
    back = getattr(nn, f"MaxUnpool{rank}d")(2)(y, places)
    np.testing.assert_array_equal(back[back != 0], x[back != 0])
    assert (back != 0).sum() == y.size
    assert getattr(nn, f"AvgPool{rank}d")(2, 1)(x).shape == (2, *[3] * rank)
    assert getattr(nn, f"AdaptiveAvgPool{rank}d")(1)(x).shape == (2, *[1] * rank)


def test_a_pool_without_a_stride_shows_its_window() -> None:
    assert repr(nn.MaxPool2d(2)).startswith("MaxPool2d(kernel_size=2, stride=2, padding=0")
    assert nn.LPPool1d(2.0, 3).stride is None


@pytest.mark.parametrize("rank", [2, 3])
def test_fractional_pools(rank: int) -> None:
    x = np.random.default_rng(0).permutation(2 * 7**rank).reshape(2, *[7] * rank) * 1.0
    pool = getattr(F, f"fractional_max_pool{rank}d")
    y, places = pool(x, 2, 4, return_indices=True, generator=np.random.default_rng(1))
    assert y.shape == (2, *[4] * rank) and places.dtype == np.int64
    np.testing.assert_array_equal(
        np.take_along_axis(x.reshape(2, -1), places.reshape(2, -1), 1), y.reshape(2, -1)
    )
    np.testing.assert_array_equal(y, pool(x, 2, 4, generator=np.random.default_rng(1)))
    draws = [pool(x, 2, 4, generator=np.random.default_rng(seed)) for seed in range(8)]
    assert any((draw != y).any() for draw in draws)
    layer = getattr(nn, f"FractionalMaxPool{rank}d")(2, output_ratio=0.6, generator=np.random.default_rng(1))
    np.testing.assert_array_equal(layer(x), y)


def test_fractional_windows_are_where_the_number_says() -> None:
    """With u = 0 on an axis of 7: steps of 5/3, so windows at 0, 1, 3 and, the last always at the end, 5."""
    x = count(1, 7, 7)
    y = F.fractional_max_pool2d(x, 2, 4, _random_samples=np.zeros((1, 2)))
    np.testing.assert_array_equal(y[0, 0], [8, 9, 11, 13])
    np.testing.assert_array_equal(y[0, :, 0], [8, 15, 29, 43])
    assert gradcheck(lambda x: F.fractional_max_pool2d(x, 2, 4, _random_samples=np.zeros((1, 2))), x)
    np.testing.assert_array_equal(F.fractional_max_pool2d(x, 7, 1), [[[48.0]]])


# ---- all of them

EVERY = [
    nn.ConstantPad2d(1, 2.0), nn.Flatten(), nn.Unflatten(1, (2, 2)), nn.Upsample(scale_factor=2), nn.PixelShuffle(2),
    nn.Fold(3, 2), nn.MaxPool2d(2), nn.AvgPool1d(2), nn.FractionalMaxPool2d(2, 3), nn.LPPool3d(2, 2), nn.Dropout(0.1),
    nn.LeakyReLU(), nn.GELU(), nn.PReLU(), nn.Softmax(1),
]  # fmt: skip


@pytest.mark.parametrize("layer", EVERY, ids=repr)
def test_layers_can_be_copied_and_pickled(layer: nn.Module) -> None:
    for other in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        assert repr(other) == repr(layer) and other is not layer and other != layer
        assert hash(other) != hash(layer)


@pytest.mark.parametrize("name", [n for n in dir(nn) if inspect.isclass(getattr(nn, n))])
def test_layers_say_what_they_are(name: str) -> None:
    text = inspect.getdoc(getattr(nn, name))
    assert text and text.splitlines()[0].endswith(".")


# ---- refused

ONES = tg.ones((1, 4, 4))
BAD: list[tuple[Callable[[], Any], type[Exception], str]] = [
    (
        lambda: F.pad(ONES, (1,)),
        tg.ShapeError,
        r"pad: \(1,\) given for an input of shape \(1, 4, 4\); a pair",
    ),
    (lambda: F.pad(ONES, (1,) * 8), tg.ShapeError, "pad: .*a pair"),
    (lambda: F.pad(ONES, (1, 1), "edge"), tg.ShapeError, "pad: mode is 'edge'; constant, reflect, replicate"),
    (
        lambda: F.pad(ONES, (1, 1), "reflect", 2.0),
        tg.ShapeError,
        "pad: value is 2.0, and mode 'reflect' takes none",
    ),
    (
        lambda: F.pad(ONES, (4, 0), "reflect"),
        tg.ShapeError,
        r"pad: \(4, 0\) .* axis 2 .*'reflect' has too few",
    ),
    (lambda: F.pad(ONES, (5, 0), "circular"), tg.ShapeError, "'circular' has too few"),
    (lambda: F.pad(tg.ones((1, 0)), (1, 0), "replicate"), tg.ShapeError, "'replicate' has too few"),
    (lambda: F.pad(ONES, (-3, -2)), tg.ShapeError, "'constant' has too few"),
    (lambda: F.pad(tg.tensor([1]), (1, 0), value=0.5), tg.DtypeError, "pad: value is 0.5, .*int64"),
    (
        lambda: nn.ReflectionPad2d((1, 2)),
        tg.ShapeError,
        r"ReflectionPad2d: padding is \(1, 2\); one count, or 4",
    ),
    (lambda: nn.ZeroPad2d(1)(tg.ones((2, 2))), tg.ShapeError, r"ZeroPad2d: an input of shape \(2, 2\)"),
    (lambda: F.pixel_shuffle(ONES, 2), tg.ShapeError, r"pixel_shuffle: 1 channels .* no multiple of 2\*\*2"),
    (lambda: F.pixel_shuffle(ONES, 0), tg.ShapeError, "pixel_shuffle: .*factor 0"),
    (
        lambda: F.pixel_unshuffle(ONES, 3),
        tg.ShapeError,
        "pixel_unshuffle: height and width .* no multiples of 3",
    ),
    (lambda: F.pixel_unshuffle(ONES[0], 2), tg.ShapeError, r"pixel_unshuffle: a shape \(4, 4\)"),
    (lambda: F.channel_shuffle(ONES, 3), tg.ShapeError, "channel_shuffle: .*3 groups"),
    (lambda: F.one_hot(tg.tensor([1.0])), tg.DtypeError, "one_hot: .*float32"),
    (lambda: F.one_hot(tg.tensor([-1])), tg.ShapeError, "one_hot: labels run from -1"),
    (lambda: F.one_hot(tg.tensor([3]), 3), tg.ShapeError, r"one_hot: labels run from 3 to 3; \[0, 3\)"),
    (lambda: F.one_hot(np.zeros(0, int)), tg.ShapeError, "one_hot: no index"),
    (lambda: nn.Flatten(2, 1)(ONES), tg.ShapeError, "Flatten: axis 2 to axis 1"),
    (lambda: nn.Flatten(1, 3)(ONES), tg.ShapeError, "Flatten: axis 3 is out of range"),
    (lambda: nn.Unflatten(1, (3, -1))(ONES), tg.ShapeError, r"Unflatten: axis 1 of shape .* \(3, -1\)"),
    (lambda: nn.Unflatten(1, (-1, -1))(ONES), tg.ShapeError, "Unflatten: axis 1"),
    (lambda: nn.Unflatten(1, (-2, -2))(ONES), tg.ShapeError, "Unflatten: axis 1"),
    (lambda: nn.Unflatten(3, (2, 2))(ONES), tg.ShapeError, "Unflatten: axis 3"),
    (lambda: F.fractional_max_pool2d(ONES, 2), tg.ShapeError, "give one of output_size and output_ratio"),
    (lambda: nn.FractionalMaxPool2d(2, 2, 0.5), tg.ShapeError, "FractionalMaxPool2d: give one of"),
    (lambda: F.fractional_max_pool2d(ONES, 2, 4), tg.ShapeError, r"\[4, 4\] windows of \[2, 2\] do not fit"),
    (lambda: F.fractional_max_pool2d(ONES, 2, output_ratio=1.0), tg.ShapeError, "output_ratio is 1.0"),
    (
        lambda: F.fractional_max_pool2d(ONES, (2, 2, 2), 2),
        tg.ShapeError,
        "kernel_size is .* or 2, are needed",
    ),
    (lambda: F.fractional_max_pool3d(ONES, 2, 2), tg.ShapeError, r"fractional_max_pool3d: .*\(1, 4, 4\)"),
    (
        lambda: F.fractional_max_pool2d(ONES, 2, 2, _random_samples=np.ones(3)),
        tg.ShapeError,
        "random samples",
    ),
    (
        lambda: F.fractional_max_pool2d(ONES, 2, 2, _random_samples=np.ones(2)),
        tg.ShapeError,
        r"from 1.0 to 1.0 given",
    ),
    (lambda: F.fractional_max_pool2d(ONES * 1j, 2, 2), tg.DtypeError, "fractional_max_pool2d: .*complex"),
    (lambda: F.fractional_max_pool2d(ONES, 2, 2, generator=1), tg.DtypeError, "generator: a int"),  # type: ignore[arg-type]
]


@pytest.mark.parametrize(("call", "error", "match"), BAD)
def test_what_is_refused(call: Callable[[], Any], error: type[Exception], match: str) -> None:
    with pytest.raises(error, match=match):
        call()
