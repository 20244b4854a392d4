"""Data sets taken apart."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad.data import kfold, random_split, train_test_split

LABELS = np.repeat([0, 1, 2], [60, 30, 10])


def test_random_split_covers_without_overlap() -> None:
    for lengths, sizes in (
        ([7, 3], [7, 3]),
        ([0.5, 0.25, 0.25], [6, 2, 2]),
        ([1.0], [10]),
        ([10, 0], [10, 0]),
    ):
        parts = random_split(range(10), lengths, generator=0)
        assert [len(part) for part in parts] == sizes
        assert sorted(np.concatenate([part.indices for part in parts])) == list(range(10))
    assert [p.indices.tolist() for p in random_split(range(9), [4, 5], generator=1)] == [
        p.indices.tolist() for p in random_split(range(9), [4, 5], generator=np.random.default_rng(1))
    ]


@pytest.mark.parametrize("lengths", [[4, 5], [0.5, 0.6], [11, -1], [1.5, -0.5]])
def test_random_split_refuses_lengths_that_do_not_add_up(lengths: Any) -> None:
    with pytest.raises(tg.ShapeError, match="lengths"):
        random_split(range(10), lengths)


def test_train_test_split_takes_the_same_rows() -> None:
    x = np.arange(100) * 2
    x_train, x_test, y_train, y_test = train_test_split(x, tg.arange(100), test_size=0.21, generator=0)
    assert (len(x_train), len(x_test)) == (79, 21) and isinstance(y_test, tg.Tensor)
    assert np.array_equal(x_train, 2 * y_train.numpy()) and np.array_equal(x_test, 2 * y_test.numpy())
    assert sorted([*x_train, *x_test]) == x.tolist() != [*x_train, *x_test]


@pytest.mark.parametrize("shuffle", [True, False])
def test_stratified_parts_have_their_shares(shuffle: bool) -> None:
    for test_size, shares in ((0.1, [6, 3, 1]), (0.25, [15, 8, 2]), (13, [8, 4, 1])):
        train, test = train_test_split(
            np.arange(100), test_size=test_size, stratify=LABELS, shuffle=shuffle, generator=0
        )
        found = np.bincount(LABELS[test], minlength=3)
        assert found.tolist() == shares
        assert sorted([*train, *test]) == list(range(100))
    named = train_test_split(np.arange(4), test_size=2, stratify=["a", "b", "a", "b"], generator=0)[1]
    assert sorted(named % 2) == [0, 1]


def test_train_test_split_of_texts() -> None:
    train, test = train_test_split(["ada", "emmy", "grace"], test_size=1, shuffle=False)
    assert train.tolist() == ["ada", "emmy"] and test.tolist() == ["grace"]


def test_train_test_split_refuses() -> None:
    with pytest.raises(tg.ShapeError, match=r"\(3,\), \(4,\)"):
        train_test_split(np.ones(3), np.ones(4))
    for size in (0, 3, 0.0, 1.0, -1, -0.5):
        with pytest.raises(tg.ShapeError, match="test_size"):
            train_test_split(np.ones(3), test_size=size)
    with pytest.raises(tg.ShapeError, match="stratify"):
        train_test_split(np.ones(3), stratify=[0, 1])
    with pytest.raises(tg.DtypeError, match="stratify"):
        train_test_split(np.ones(3), stratify=[0.5, 1.0, 1.5])


@pytest.mark.parametrize("stratify", [None, LABELS])
@pytest.mark.parametrize("shuffle", [True, False])
def test_each_sample_is_validated_once(stratify: Any, shuffle: bool) -> None:
    pairs = kfold(100, 7, stratify=stratify, shuffle=shuffle, generator=0)
    assert sorted(np.concatenate([test for _, test in pairs])) == list(range(100))
    for train, test in pairs:
        assert sorted([*train, *test]) == list(range(100)) and len(test) in (14, 15)
        if stratify is not None:
            shares = np.bincount(LABELS[test], minlength=3) - np.array([60, 30, 10]) / 7
            assert np.abs(shares).max() < 1


def test_kfold_refuses() -> None:
    for folds in (1, 4):
        with pytest.raises(tg.ShapeError, match="from 2 to 3"):
            kfold(range(3), folds)
    with pytest.raises(tg.ShapeError, match="a class has 1 samples"):
        kfold(4, 2, stratify=[0, 0, 0, 1])
