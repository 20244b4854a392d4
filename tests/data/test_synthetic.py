"""Made-up data: the nnfs package's to the last bit, the others by their shapes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import data

SIZES = [(100, 3), (1, 1), (7, 5), (1000, 2)]


def spiral(draw: np.random.RandomState, samples: int, classes: int, dtype: Any) -> Any:
    """The published formula, with what `nnfs.init()` does to `zeros` and `randn` if `dtype` is float32."""
    x, y = np.zeros((samples * classes, 2), dtype), np.zeros(samples * classes, "uint8")
    for c in range(classes):
        rows = range(samples * c, samples * (c + 1))
        r = np.linspace(0.0, 1, samples)
        t = np.linspace(c * 4, (c + 1) * 4, samples) + draw.randn(samples).astype(dtype) * 0.2
        x[rows] = np.c_[r * np.sin(t * 2.5), r * np.cos(t * 2.5)]
        y[rows] = c
    return x, y


def vertical(draw: np.random.RandomState, samples: int, classes: int, dtype: Any) -> Any:
    x, y = np.zeros((samples * classes, 2), dtype), np.zeros(samples * classes, "uint8")
    for c in range(classes):
        rows = range(samples * c, samples * (c + 1))
        across = draw.randn(samples).astype(dtype) * 0.1 + c / 3
        x[rows] = np.c_[across, draw.randn(samples).astype(dtype) * 0.1 + 0.5]
        y[rows] = c
    return x, y


def identical(ours: Any, theirs: Any) -> bool:
    return all(
        a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
        for a, b in zip(ours, theirs, strict=True)
    )


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize(("samples", "classes"), SIZES)
def test_spiral_and_vertical_are_the_published_ones(samples: int, classes: int, dtype: Any) -> None:
    for ours, theirs in ((data.spiral_data, spiral), (data.vertical_data, vertical)):
        for seed in (0, 5):
            wanted = theirs(np.random.RandomState(seed), samples, classes, dtype)
            assert identical(ours(samples, classes, seed=seed, dtype=dtype), wanted)


def test_a_random_state_goes_on_where_it_is() -> None:
    one, two = np.random.RandomState(0), np.random.RandomState(0)
    for ours, theirs in (
        (data.spiral_data, spiral),
        (data.vertical_data, vertical),
        (data.spiral_data, spiral),
    ):
        assert identical(ours(10, 3, generator=one), theirs(two, 10, 3, np.float64))


def test_numpys_global_state_is_left_alone() -> None:
    before = np.random.get_state()[1].copy()  # type: ignore[index]  # noqa: NPY002
    data.spiral_data(10, 2, seed=0)
    data.vertical_data(10, 2)
    assert np.array_equal(before, np.random.get_state()[1])  # type: ignore[index]  # noqa: NPY002


def test_sine_is_the_published_one() -> None:
    for samples in (1000, 77):
        x = np.arange(samples).reshape(-1, 1) / samples
        assert identical(data.sine_data(samples), (x, np.sin(2 * np.pi * x).reshape(-1, 1)))


def test_seeds_and_generators_of_the_others() -> None:
    made = [
        data.spiral_data, data.vertical_data, data.moons_data, data.circles_data, data.blobs_data, data.xor_data,
        data.line_data, data.regression_data,
    ]  # fmt: skip
    for function in made:
        arguments: Any = (20, 3) if function in made[:2] else ()

        def draw(seed: int, function: Any = function, arguments: Any = arguments) -> Any:
            return function(*arguments, generator=np.random.default_rng(seed))

        assert identical(draw(0), draw(0)) and not identical(draw(0), draw(1))


def test_moons_and_circles_without_noise() -> None:
    x, y = data.moons_data(101, noise=0)
    assert np.bincount(y).tolist() == [51, 50]
    centre = np.where(y[:, None], [1.0, 0.5], [0.0, 0.0])
    np.testing.assert_allclose(np.linalg.norm(x - centre, axis=1), 1)
    assert (x[y == 0, 1] > -1e-12).all() and (x[y == 1, 1] < 0.5 + 1e-12).all()
    x, y = data.circles_data(60, noise=0, factor=0.3)
    np.testing.assert_allclose(np.linalg.norm(x, axis=1), np.where(y, 0.3, 1.0))
    assert len(np.unique(x.round(9), axis=0)) == 60


def test_blobs_are_normal_about_their_middles() -> None:
    x, y = data.blobs_data(3001, 3, 4, spread=0.5, generator=0)
    assert x.shape == (3001, 4) and np.bincount(y).tolist() == [1001, 1000, 1000]
    for label in range(3):
        np.testing.assert_allclose(x[y == label].std(axis=0), 0.5, atol=0.05)


def test_regression_sets_without_noise_are_their_formulas() -> None:
    x, y = data.line_data(9, 3.0, -1.0, noise=0)
    np.testing.assert_allclose(y, 3 * x - 1)
    x, y = data.sinc_data(11, 5.0)
    assert y[5, 0] == 1.0
    np.testing.assert_allclose(np.delete(y, 5), np.delete(np.sin(x) / np.where(x == 0, 1, x), 5))
    x, y = data.regression_data(50, 6, 2, noise=0, generator=0)
    weights = np.linalg.lstsq(x, y, rcond=None)[0][:, 0]
    assert ((weights[:2] >= 1) & (weights[:2] <= 10)).all()
    np.testing.assert_allclose(weights[2:], 0, atol=1e-12)


@pytest.mark.parametrize(
    ("call", "kind", "message"),
    [
        (lambda: data.spiral_data(0, 3), tg.ShapeError, "spiral_data: 0 given"),
        (lambda: data.vertical_data(3, 2.0), tg.ShapeError, "vertical_data: 2.0"),
        (lambda: data.sine_data(-1), tg.ShapeError, "sine_data: -1"),
        (
            lambda: data.spiral_data(3, 3, seed=0, generator=np.random.RandomState(0)),
            tg.DtypeError,
            "seed and",
        ),
        (lambda: data.spiral_data(3, 3, generator="x"), tg.DtypeError, "str given"),
        (lambda: data.moons_data(noise=-1), tg.ShapeError, "-1"),
        (lambda: data.circles_data(factor=1.0), tg.ShapeError, "factor"),
        (
            lambda: data.regression_data(features=2, informative=3),
            tg.ShapeError,
            "3 informative columns of 2",
        ),
    ],
)
def test_refusals(call: Any, kind: type[Exception], message: str) -> None:
    with pytest.raises(kind, match=message):
        call()
