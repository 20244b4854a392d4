"""Data sets taken apart: for training, validation and test, at random or class by class."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._data import as_data
from .._errors import DtypeError, ShapeError
from .._tensor import Tensor, fresh
from ._draws import Draws, as_generator
from .dataset import Subset

Indices = NDArray[np.intp]


def random_split(dataset: Any, lengths: Sequence[float], generator: Draws = None) -> list[Subset]:
    """Parts of a data set at random, without overlap, that cover it.

    Args:
        dataset: anything with ``len`` and ``[i]``.
        lengths: the numbers of samples, or fractions that add up to 1; what rounding leaves over goes to the
            first parts, one each.
        generator: a seed or a generator.

    Raises:
        ShapeError: the lengths do not add up to the number of samples or to 1.

    Example:
        >>> [len(part) for part in random_split(range(10), [0.75, 0.25], generator=0)]
        [8, 2]
    """
    total = len(dataset)
    sizes = [int(length) for length in lengths]
    if sizes != list(lengths) or sum(sizes) != total:
        if not math.isclose(math.fsum(lengths), 1.0) or min(lengths) < 0:
            raise ShapeError(
                f"random_split: lengths {list(lengths)}; they must add up to {total}, the number of samples, or to 1"
            )
        sizes = [math.floor(length * total) for length in lengths]
        for part in range(total - sum(sizes)):
            sizes[part % len(sizes)] += 1
    if min(sizes) < 0:
        raise ShapeError(f"random_split: lengths {list(lengths)}; none may be negative")
    order = as_generator(generator).permutation(total)
    return [Subset(dataset, part) for part in np.split(order, np.cumsum(sizes)[:-1])]


def train_test_split(
    *arrays: Any,
    test_size: float = 0.25,
    stratify: Any = None,
    shuffle: bool = True,
    generator: Draws = None,
) -> list[Any]:
    """Rows of arrays for training and for testing, the same rows of each.

    Args:
        arrays: arrays or tensors of the same length; a list of strings will do, too.
        test_size: the number of rows for testing, or their fraction, which is rounded up.
        stratify: labels, one a row, of which both parts get their shares as nearly as numbers allow.
        shuffle: False takes the last rows for testing.
        generator: a seed or a generator.

    Returns:
        For each array two, in one list: ``x_train, x_test, y_train, y_test``.

    Raises:
        ShapeError: the lengths differ, or a part would be empty.

    Example:
        >>> train, test = train_test_split(np.arange(4), test_size=1, shuffle=False)
        >>> train, test
        (array([0, 1, 2]), array([3]))
    """
    raws = [_rows(array) for array in arrays]
    lengths = {len(raw) if raw.ndim else -1 for raw in raws}
    if len(lengths) != 1 or -1 in lengths:
        raise ShapeError(
            f"train_test_split: arrays of shapes {[raw.shape for raw in raws]}; one length is needed"
        )
    (total,) = lengths
    wanted = test_size if isinstance(test_size, int | np.integer) else math.ceil(test_size * total)
    if not 0 < wanted < total or not test_size > 0:
        raise ShapeError(f"train_test_split: test_size={test_size} of {total} rows leaves a part empty")
    if stratify is None:
        order = as_generator(generator).permutation(total) if shuffle else np.arange(total)
        train, test = order[:-wanted], order[-wanted:]
    else:
        train, test = _stratified(stratify, total, int(wanted), shuffle, generator)
    pairs = zip(arrays, raws, strict=True)
    return [
        fresh(raw[rows]) if isinstance(array, Tensor) else raw[rows]
        for array, raw in pairs
        for rows in (train, test)
    ]


def kfold(
    samples: Any, folds: int = 5, *, stratify: Any = None, shuffle: bool = True, generator: Draws = None
) -> list[tuple[Indices, Indices]]:
    """Numbers of samples for training and for validation, so that each sample is validated once.

    Args:
        samples: how many there are, or something with a length.
        folds: how many pairs to make, at least 2.
        stratify: labels, one a sample, which all folds share alike.
        shuffle: False makes folds of neighbours.
        generator: a seed or a generator.

    Returns:
        Pairs of sorted arrays of numbers, for `Subset` or for indexing.

    Raises:
        ShapeError: there are fewer samples, or fewer of a class, than folds.

    Example:
        >>> for train, test in kfold(4, 2, shuffle=False):
        ...     print(train, test)
        [2 3] [0 1]
        [0 1] [2 3]
    """
    total = int(samples) if isinstance(samples, int | np.integer) else len(samples)
    if not 2 <= folds <= total:
        raise ShapeError(f"kfold: {folds} folds of {total} samples; from 2 to {total} are possible")
    draw = as_generator(generator) if shuffle else None
    if stratify is None:
        order = draw.permutation(total) if draw else np.arange(total)
        parts = np.array_split(order, folds)
    else:
        # Class after class, dealt out like cards: each fold gets its share of each class.
        groups = _groups(stratify, total, draw)
        if min(map(len, groups)) < folds:
            raise ShapeError(
                f"kfold: a class has {min(map(len, groups))} samples, fewer than the {folds} folds"
            )
        dealt = np.concatenate(groups)
        parts = [dealt[first::folds] for first in range(folds)]
    return [(np.setdiff1d(np.arange(total), part), np.sort(part)) for part in parts]


def _rows(array: Any) -> NDArray[Any]:
    """What is split, as an array: numbers, or texts, which no tensor could hold."""
    if isinstance(array, np.ndarray):
        return array if array.dtype.kind == "U" else np.asarray(as_data(array))
    texts = isinstance(array, list) and all(isinstance(row, str) for row in array)
    return np.asarray(array if texts else as_data(array))


def _stratified(
    labels: Any, total: int, wanted: int, shuffle: bool, generator: Draws
) -> tuple[Indices, Indices]:
    """Rows for training and testing: of each class its share, remainders to the largest fractions."""
    draw = as_generator(generator) if shuffle else None
    groups = _groups(labels, total, draw)
    shares = np.array([len(group) * wanted / total for group in groups])
    sizes = np.floor(shares).astype(int)
    sizes[np.argsort(sizes - shares, kind="stable")[: wanted - sizes.sum()]] += 1
    cut = [len(group) - size for group, size in zip(groups, sizes, strict=True)]
    train = np.concatenate([group[:place] for group, place in zip(groups, cut, strict=True)])
    test = np.concatenate([group[place:] for group, place in zip(groups, cut, strict=True)])
    return (draw.permutation(train), draw.permutation(test)) if draw else (np.sort(train), np.sort(test))


def _groups(labels: Any, total: int, draw: np.random.Generator | None) -> list[Indices]:
    """The rows of each class, in random order if there is a generator."""
    found = np.asarray(labels if not isinstance(labels, Tensor) else as_data(labels))
    if found.shape != (total,):
        raise ShapeError(
            f"stratify: labels of shape {found.shape}; one for each of the {total} samples is needed"
        )
    if found.dtype.kind == "f":
        raise DtypeError(f"stratify: labels of dtype {found.dtype}; whole numbers or names are needed")
    groups = [np.flatnonzero(found == label) for label in np.unique(found)]
    return [draw.permutation(group) for group in groups] if draw else groups
