"""Small made-up data sets, to try models on.

Each function returns ``X``, float64 with a row for each sample, and ``y``: whole numbers for classes, rows of
floats for regression. `spiral_data`, `vertical_data` and `sine_data` follow the formulas of the ``nnfs`` package
to the last bit: ``spiral_data(100, 3, seed=0)`` is what its function gives after ``np.random.seed(0)``,
and with ``dtype=np.float32`` after ``nnfs.init()``, on the same machine and version of NumPy. NumPy's global
state is neither read nor changed.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from .._errors import DtypeError, ShapeError
from ._draws import Draws, as_generator, checked_seed

Legacy = np.random.RandomState | np.random.Generator | None
Classes = tuple[NDArray[Any], NDArray[Any]]
Curve = tuple[NDArray[np.float64], NDArray[np.float64]]


# ---- as in the nnfs package


def spiral_data(
    samples: int,
    classes: int,
    *,
    seed: int | None = None,
    generator: Legacy = None,
    dtype: DTypeLike = np.float64,
) -> Classes:
    """Arms of a spiral, one for each class.

    Args:
        samples: how many there are of each class.
        classes: how many arms there are.
        seed: draws as NumPy's global functions do after ``np.random.seed(seed)``.
        generator: where to draw from instead; a ``RandomState`` goes on as those functions would.
        dtype: of ``X``. The noise is rounded to it first, as ``nnfs.init()`` makes NumPy do.

    Returns:
        ``X`` of shape (samples * classes, 2), and ``y``, uint8.

    Example:
        >>> X, y = spiral_data(100, 3, seed=0)
        >>> X.shape, X[1], y[[0, 100, 200]]
        ((300, 2), array([0.00299556, 0.00964661]), array([0, 1, 2], dtype=uint8))

    Source:
        A. Karpathy, CS231n, case study of a network on toy data; H. Kinsley and D. Kukieła, the nnfs package.
    """
    draw = _legacy("spiral_data", seed, generator)
    radius = np.linspace(0.0, 1.0, _count("spiral_data", samples))
    arms = []
    for arm in range(_count("spiral_data", classes)):
        noise = draw.standard_normal(samples).astype(dtype) * 0.2
        angle = np.linspace(arm * 4, (arm + 1) * 4, samples) + noise
        arms.append(np.stack([radius * np.sin(angle * 2.5), radius * np.cos(angle * 2.5)], axis=1))
    return np.concatenate(arms).astype(dtype), np.repeat(np.arange(classes, dtype=np.uint8), samples)


def vertical_data(
    samples: int,
    classes: int,
    *,
    seed: int | None = None,
    generator: Legacy = None,
    dtype: DTypeLike = np.float64,
) -> Classes:
    """Clouds side by side, one for each class.

    Args:
        samples: how many there are of each class.
        classes: how many clouds there are.
        seed: draws as NumPy's global functions do after ``np.random.seed(seed)``.
        generator: where to draw from instead; a ``RandomState`` goes on as those functions would.
        dtype: of ``X``. The noise is rounded to it first, as ``nnfs.init()`` makes NumPy do.

    Returns:
        ``X`` of shape (samples * classes, 2), and ``y``, uint8.

    Source:
        H. Kinsley and D. Kukieła, the nnfs package.
    """
    draw = _legacy("vertical_data", seed, generator)
    clouds = []
    for cloud in range(_count("vertical_data", classes)):
        across = draw.standard_normal(_count("vertical_data", samples)).astype(dtype) * 0.1 + cloud / 3
        along = draw.standard_normal(samples).astype(dtype) * 0.1 + 0.5
        clouds.append(np.stack([across, along], axis=1))
    return np.concatenate(clouds), np.repeat(np.arange(classes, dtype=np.uint8), samples)


def sine_data(samples: int = 1000) -> Curve:
    """A period of the sine, from 0 up to 1, without noise.

    Args:
        samples: how many points there are.

    Returns:
        ``X`` and ``y``, both of shape (samples, 1).

    Source:
        H. Kinsley and D. Kukieła, the nnfs package.
    """
    x = np.arange(_count("sine_data", samples)).reshape(-1, 1) / samples
    return x, np.sin(2 * np.pi * x)


# ---- classes


def moons_data(samples: int = 200, noise: float = 0.1, *, generator: Draws = None) -> Classes:
    """Two half circles, one inside the other's mouth.

    Args:
        samples: how many there are in all.
        noise: the standard deviation of what is added to both coordinates.
        generator: a seed or a generator.
    """
    y = _halves("moons_data", samples)
    angle = np.concatenate([np.linspace(0, np.pi, n) for n in np.bincount(y, minlength=2)])
    x = np.where(y, 1 - np.cos(angle), np.cos(angle)), np.where(y, 0.5 - np.sin(angle), np.sin(angle))
    return _noisy("moons_data", np.stack(x, axis=1), noise, generator), y


def circles_data(
    samples: int = 200, noise: float = 0.05, factor: float = 0.5, *, generator: Draws = None
) -> Classes:
    """A circle of radius 1, class 0, around a smaller one.

    Args:
        samples: how many there are in all.
        noise: the standard deviation of what is added to both coordinates.
        factor: the radius of the inner circle, from 0 to 1.
        generator: a seed or a generator.
    """
    if not 0 <= factor < 1:
        raise ShapeError(f"circles_data: factor={factor} given; it is a radius from 0 up to 1")
    y = _halves("circles_data", samples)
    angle = np.concatenate(
        [np.linspace(0, 2 * np.pi, n, endpoint=False) for n in np.bincount(y, minlength=2)]
    )
    x = np.stack([np.cos(angle), np.sin(angle)], axis=1) * np.where(y, factor, 1.0)[:, None]
    return _noisy("circles_data", x, noise, generator), y


def blobs_data(
    samples: int = 300, classes: int = 3, features: int = 2, spread: float = 1.0, *, generator: Draws = None
) -> Classes:
    """Normal clouds about middles that lie anywhere from -10 to 10.

    Args:
        samples: how many there are in all; the classes differ by one at most.
        classes: how many clouds there are.
        features: how many coordinates there are.
        spread: the standard deviation of a cloud.
        generator: a seed or a generator.
    """
    draw = as_generator(generator)
    middles = draw.uniform(-10, 10, (_count("blobs_data", classes), _count("blobs_data", features)))
    y = np.sort(np.arange(_count("blobs_data", samples)) % classes)
    return _noisy("blobs_data", middles[y], spread, draw), y


def xor_data(samples: int = 200, noise: float = 0.1, *, generator: Draws = None) -> Classes:
    """The corners of a square, noisy; the class is whether the two coordinates differ.

    Args:
        samples: how many there are in all, corner after corner in turn.
        noise: the standard deviation of what is added to both coordinates.
        generator: a seed or a generator.

    Example:
        >>> xor_data(4, noise=0)
        (array([[0., 0.], [0., 1.], [1., 0.], [1., 1.]]), array([0, 1, 1, 0]))
    """
    corner = np.arange(_count("xor_data", samples)) % 4
    x = np.stack([corner // 2, corner % 2], axis=1)
    return _noisy("xor_data", x.astype(np.float64), noise, generator), x[:, 0] ^ x[:, 1]


# ---- regression


def line_data(
    samples: int = 100,
    slope: float = 2.0,
    intercept: float = 1.0,
    noise: float = 0.1,
    *,
    generator: Draws = None,
) -> Curve:
    """Points about a straight line, from -1 to 1.

    Args:
        samples: how many points there are.
        slope: of the line.
        intercept: its value at 0.
        noise: the standard deviation of what is added to ``y``.
        generator: a seed or a generator.
    """
    x = np.linspace(-1, 1, _count("line_data", samples))[:, None]
    return x, _noisy("line_data", slope * x + intercept, noise, generator)


def sinc_data(
    samples: int = 200, width: float = 10.0, noise: float = 0.0, *, generator: Draws = None
) -> Curve:
    """The curve ``sin(x) / x``, with ``x`` from ``-width`` to ``width``.

    Args:
        samples: how many points there are.
        width: where the curve ends.
        noise: the standard deviation of what is added to ``y``.
        generator: a seed or a generator.
    """
    x = np.linspace(-width, width, _count("sinc_data", samples))[:, None]
    return x, _noisy("sinc_data", np.sinc(x / np.pi), noise, generator)


def regression_data(
    samples: int = 100,
    features: int = 10,
    informative: int = 5,
    noise: float = 0.1,
    *,
    generator: Draws = None,
) -> Curve:
    """Normal features, of which the first few determine ``y`` linearly.

    Args:
        samples: how many rows there are.
        features: how many columns ``X`` has.
        informative: how many of them matter; their weights come from 1 to 10.
        noise: the standard deviation of what is added to ``y``.
        generator: a seed or a generator.
    """
    if not 0 <= informative <= features:
        raise ShapeError(f"regression_data: {informative} informative columns of {features}")
    draw = as_generator(generator)
    x = draw.standard_normal((_count("regression_data", samples), _count("regression_data", features)))
    weights = draw.uniform(1, 10, (informative, 1))
    return x, _noisy("regression_data", x[:, :informative] @ weights, noise, draw)


# ---- their parts


def _legacy(what: str, seed: int | None, generator: Legacy) -> np.random.RandomState | np.random.Generator:
    if seed is not None and generator is not None:
        raise DtypeError(f"{what}: seed and generator given; one of them decides what is drawn")
    if seed is not None:
        return np.random.RandomState(checked_seed(seed))
    return generator if isinstance(generator, np.random.RandomState) else as_generator(generator)


def _count(what: str, count: int) -> int:
    if not isinstance(count, int | np.integer) or isinstance(count, bool) or count < 1:
        raise ShapeError(f"{what}: {count!r} given where a whole number of at least 1 is needed")
    return int(count)


def _halves(what: str, samples: int) -> NDArray[np.int64]:
    return np.sort(np.arange(_count(what, samples)) % 2)


def _noisy(what: str, x: NDArray[Any], noise: float, generator: Draws) -> NDArray[np.float64]:
    if not noise >= 0:
        raise ShapeError(f"{what}: a standard deviation of {noise} given; it must be 0 or more")
    return x + noise * as_generator(generator).standard_normal(x.shape)
