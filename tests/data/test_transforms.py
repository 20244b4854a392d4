"""Transforms of batches, against plain loops and closed forms."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad.data import MinMaxScaler, StandardScaler
from tensorgrad.data import transforms as T

DRAW = np.random.default_rng(0)
BYTES = DRAW.integers(0, 256, (6, 3, 8, 9), dtype=np.uint8)
FLOATS = DRAW.random((6, 8, 9)).astype(np.float32)
RANDOM = {
    "random_crop": lambda x, g: T.random_crop(x, 5, padding=1, generator=g),
    "random_shift": lambda x, g: T.random_shift(x, 2, generator=g),
    "random_flip": lambda x, g: T.random_flip(x, generator=g),
    "random_rotation": lambda x, g: T.random_rotation(x, 30, generator=g),
    "cutout": lambda x, g: T.cutout(x, 4, generator=g),
    "mixup": lambda x, g: T.mixup(x, np.arange(6), num_classes=6, generator=g)[0],
    "cutmix": lambda x, g: T.cutmix(x, np.arange(6), num_classes=6, generator=g)[0],
}


# ---- what all have in common


@pytest.mark.parametrize("name", RANDOM)
def test_the_same_seed_gives_the_same_and_another_seed_something_else(name: str) -> None:
    change = RANDOM[name]
    before = BYTES.copy()
    assert np.array_equal(change(BYTES, 1), change(BYTES, np.random.default_rng(1)))
    assert not np.array_equal(change(BYTES, 1), change(BYTES, 2))
    tg.manual_seed(1)
    assert np.array_equal(change(BYTES, None), change(BYTES, 1))
    assert np.array_equal(BYTES, before)


@pytest.mark.parametrize("name", RANDOM)
def test_tensors_give_tensors_and_dtypes_stay(name: str) -> None:
    change = RANDOM[name]
    made = change(tg.tensor(FLOATS), 1)
    assert isinstance(made, tg.Tensor) and np.array_equal(made.numpy(), change(FLOATS, 1))
    assert made.dtype == np.float32
    assert change(BYTES, 1).dtype == (np.float32 if name == "mixup" else np.uint8)


@pytest.mark.parametrize("name", sorted(set(RANDOM) - {"mixup", "cutmix"}))
def test_no_samples_stay_none(name: str) -> None:
    assert RANDOM[name](BYTES[:0], 0).shape[:2] == (0, 3)


def test_no_samples_mix_to_none() -> None:
    for mix in (T.mixup, T.cutmix):
        x, y = mix(BYTES[:0], np.arange(0), num_classes=4)
        assert x.shape == (0, 3, 8, 9) and y.shape == (0, 4)


@pytest.mark.parametrize("name", sorted(set(RANDOM) - {"mixup"}))
def test_images_need_two_axes_and_samples(name: str) -> None:
    with pytest.raises(tg.ShapeError, match=rf"{name}|random_crop.*\(6, 8\)"):
        RANDOM[name](np.zeros((6, 8)), 0)


# ---- numbers


def test_to_float() -> None:
    assert T.to_float(np.array([0, 255], np.uint8)).tolist() == [0.0, 1.0]
    assert T.to_float(np.array([0, 255])).tolist() == [0.0, 255.0]
    assert T.to_float(BYTES, np.float64).dtype == np.float64 and T.to_float(FLOATS).dtype == np.float32
    assert T.to_float(tg.tensor(3)).item() == 3.0


def test_mean_std_are_those_of_float64(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tensorgrad.data.transforms.numbers.BLOCK", 50)
    mean, std = T.mean_std(BYTES)
    exact = BYTES.astype(np.float64)
    assert math.isclose(mean, exact.mean()) and math.isclose(std, exact.std())
    means, stds = T.mean_std(BYTES, channel_axis=1)
    np.testing.assert_allclose(means, exact.mean(axis=(0, 2, 3)), rtol=1e-14)
    np.testing.assert_allclose(stds, exact.std(axis=(0, 2, 3)), rtol=1e-14)


def test_normalise() -> None:
    made = T.normalise(BYTES, *T.mean_std(BYTES, 1), channel_axis=1)
    assert made.dtype == np.float32
    np.testing.assert_allclose(made.mean(axis=(0, 2, 3)), 0, atol=1e-6)
    np.testing.assert_allclose(made.std(axis=(0, 2, 3)), 1, atol=1e-6)
    np.testing.assert_allclose(T.normalise(FLOATS.astype(float), 0.5, 2.0), (FLOATS.astype(float) - 0.5) / 2)
    for std in (0.0, np.nan, [1.0, 0.0, 1.0]):
        with pytest.raises(tg.ShapeError, match="above 0"):
            T.normalise(BYTES, 0.0, std, channel_axis=1)
    with pytest.raises(tg.ShapeError, match="channel_axis"):
        T.normalise(BYTES, [1.0, 2.0], 1.0, channel_axis=1)
    with pytest.raises(tg.ShapeError, match="channel_axis"):
        T.normalise(BYTES, [1.0, 2.0, 3.0], 1.0)
    with pytest.raises(tg.ShapeError, match="no numbers"):
        T.mean_std(np.zeros((0, 3)))
    with pytest.raises(tg.ShapeError, match="channel_axis 4"):
        T.mean_std(BYTES, 4)


def test_one_hot() -> None:
    assert T.one_hot([[1], [0]], 3).tolist() == [[[0, 1, 0]], [[1, 0, 0]]]
    assert isinstance(T.one_hot(tg.tensor([1])), tg.Tensor)
    assert T.one_hot(np.array([], np.int64)).shape == (0, 0)
    for labels, wrong in (([0, 3], "label 3 is outside 0 to 2"), ([-1], "label -1")):
        with pytest.raises(tg.ShapeError, match=wrong):
            T.one_hot(labels, 3)
    with pytest.raises(tg.DtypeError, match="float32"):
        T.one_hot([0.0], 3)


# ---- size and place


def test_crops_are_parts() -> None:
    assert np.array_equal(T.center_crop(BYTES, (4, 3)), BYTES[..., 2:6, 3:6])
    padded = np.pad(BYTES, [(0, 0), (0, 0), (2, 2), (2, 2)], constant_values=7)
    for image, whole in zip(T.random_crop(BYTES, (5, 6), 2, 7, generator=0), padded, strict=True):
        places = [(i, j) for i in range(8) for j in range(8)]
        assert any(np.array_equal(image, whole[:, i : i + 5, j : j + 6]) for i, j in places)
    assert np.array_equal(T.random_crop(FLOATS, (8, 9), generator=0), FLOATS)
    with pytest.raises(tg.ShapeError, match=r"\(9, 9\) is more than the images' \(8, 9\)"):
        T.random_crop(BYTES, 9)
    with pytest.raises(tg.ShapeError, match="at least 1"):
        T.center_crop(BYTES, 0)


def test_every_place_of_a_crop_is_drawn() -> None:
    image = np.broadcast_to(np.arange(9).reshape(3, 3), (500, 3, 3))
    assert set(T.random_crop(image, 1, generator=0).ravel().tolist()) == set(range(9))


def test_flips() -> None:
    flipped = T.random_flip(BYTES, generator=3)
    either = [
        np.array_equal(new, old) + 2 * np.array_equal(new, old[..., ::-1])
        for new, old in zip(flipped, BYTES, strict=True)
    ]
    assert set(either) == {1, 2}
    assert np.array_equal(T.random_flip(BYTES, 1.0, axis=-2), BYTES[..., ::-1, :])
    with pytest.raises(tg.ShapeError, match="probability"):
        T.random_flip(BYTES, 2)


def test_rotation_is_linear_interpolation_at_the_turned_place() -> None:
    angles = np.deg2rad(np.random.default_rng(5).uniform(-40, 40, 6))

    def at(image: Any, row: float, column: float) -> float:
        top, left = math.floor(row), math.floor(column)
        total = 0.0
        for i, j in ((top, left), (top, left + 1), (top + 1, left), (top + 1, left + 1)):
            value = image[i, j] if 0 <= i < 8 and 0 <= j < 9 else 0.25
            total += value * (1 - abs(row - i)) * (1 - abs(column - j))
        return total

    wanted = np.empty((6, 8, 9))
    for n, angle in enumerate(angles):
        cos, sin = math.cos(angle), math.sin(angle)
        for i in range(8):
            for j in range(9):
                y, x = i - 3.5, j - 4.0
                wanted[n, i, j] = at(FLOATS[n], cos * y + sin * x + 3.5, cos * x - sin * y + 4.0)
    np.testing.assert_allclose(T.random_rotation(FLOATS, 40, 0.25, generator=5), wanted, atol=1e-6)
    channels = np.stack([FLOATS, 2 * FLOATS], axis=1)
    turned = T.random_rotation(channels, 40, generator=5)
    np.testing.assert_allclose(turned[:, 1], 2 * turned[:, 0], atol=1e-6)
    assert np.array_equal(T.random_rotation(BYTES, 0), BYTES)


def test_resizing() -> None:
    assert np.array_equal(T.resize(BYTES, (8, 9)), BYTES)
    ramp = np.arange(8.0)[:, None] * np.ones(8)
    np.testing.assert_allclose(T.resize(ramp, 4)[1:-1, 0], [2.5, 4.5])  # middles of pairs of rows
    np.testing.assert_allclose(T.resize(ramp, 16)[1:-1, 0], np.arange(0.25, 7, 0.5))
    assert (T.resize(np.full((2, 7, 7), 9, np.uint8), (3, 20)) == 9).all()


# ---- parts left out, samples mixed


def test_cutout_paints_a_box() -> None:
    made = T.cutout(np.ones((300, 2, 8, 9)), (4, 3), fill=-1, generator=0)
    gone = made == -1
    assert np.array_equal(gone[:, 0], gone[:, 1])
    rows, columns = gone[:, 0].any(axis=2).sum(axis=1), gone[:, 0].any(axis=1).sum(axis=1)
    assert np.array_equal(gone[:, 0].sum(axis=(1, 2)), rows * columns)
    assert set(rows) == {2, 3, 4} and set(columns) == {2, 3}
    assert gone.any(axis=(0, 1)).all()
    with pytest.raises(tg.DtypeError, match=r"fill=-1 does not fit images of uint8"):
        T.cutout(BYTES, 2, fill=-1)


def test_mixup_mixes_samples_and_targets_alike() -> None:
    x = np.eye(5)
    mixed, y = T.mixup(x, np.arange(5), alpha=1.0, num_classes=5, generator=0)
    np.testing.assert_allclose(mixed, y, rtol=1e-6)
    np.testing.assert_allclose(y.sum(axis=1), 1, rtol=1e-6)
    again = T.mixup(x, T.one_hot(np.arange(5)), alpha=1.0, generator=0)
    assert np.array_equal(again[1], y)


def test_cutmix_mixes_targets_by_area() -> None:
    x = np.broadcast_to(np.arange(5.0)[:, None, None, None], (5, 2, 10, 10))
    mixed, y = T.cutmix(x, np.arange(5), num_classes=5, generator=1)
    for n in range(5):
        shares = np.bincount(mixed[n].astype(int).ravel(), minlength=5) / 200
        np.testing.assert_allclose(y[n], shares, atol=1e-6)
    assert (y.max(axis=1) < 1).any()


@pytest.mark.parametrize("mix", [T.mixup, T.cutmix])
def test_mixing_refuses_what_it_cannot_mix(mix: Any) -> None:
    with pytest.raises(tg.ShapeError, match="num_classes is needed"):
        mix(BYTES, np.arange(6))
    with pytest.raises(tg.ShapeError, match=r"mix(up)?: label 3 is outside 0 to 2"):
        mix(BYTES, np.arange(6), num_classes=3)
    with pytest.raises(tg.ShapeError, match="6 labels"):
        mix(BYTES, np.arange(5), num_classes=6)
    with pytest.raises(tg.ShapeError, match="alpha"):
        mix(BYTES, np.arange(6), alpha=0.0, num_classes=6)


def test_compose_hands_on_one_value_or_several() -> None:
    both = T.compose(lambda x, y: (x + 1, y), lambda x, y: (x * 2, y - 1))
    assert both(1, 1) == (4, 0)
    assert T.compose()(3) == 3


# ---- columns


def test_scalers_there_and_back() -> None:
    x = np.column_stack([np.arange(5.0), np.full(5, 3.0), DRAW.random(5)])
    for scaler, low, high in ((StandardScaler(), None, None), (MinMaxScaler(-2, 3), -2, 3)):
        scaled = scaler.fit_transform(x)
        np.testing.assert_allclose(scaler.inverse_transform(scaled), x, atol=1e-12)
        if low is None:
            np.testing.assert_allclose(scaled.mean(axis=0), 0, atol=1e-15)
            np.testing.assert_allclose(scaled.std(axis=0), [1, 0, 1], atol=1e-15)
        else:
            np.testing.assert_allclose(scaled.min(axis=0), low)
            np.testing.assert_allclose(scaled.max(axis=0), [high, low, high])
        assert scaler.transform(tg.tensor(x.astype(np.float32))).dtype == np.float32
    assert StandardScaler().fit_transform([[1], [3]]).dtype == np.float32


def test_scalers_refuse() -> None:
    with pytest.raises(tg.ShapeError, match="fit first"):
        StandardScaler().transform(np.ones((2, 2)))
    with pytest.raises(tg.ShapeError, match=r"x\[1, 0\] is nan"):
        StandardScaler().fit(np.array([[1.0], [np.nan]]))
    with pytest.raises(tg.ShapeError, match=r"fitted to rows of shape \(2,\)"):
        MinMaxScaler().fit(np.ones((3, 2))).transform(np.ones((3, 3)))
    with pytest.raises(tg.ShapeError, match="no rows"):
        StandardScaler().fit(np.ones((0, 2)))
    with pytest.raises(tg.ShapeError, match="low must be less"):
        MinMaxScaler(1, 1)
