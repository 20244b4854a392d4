"""Data sets made of others, side by side and one after another, and samples of some of them."""

from __future__ import annotations

from typing import Any

import pytest

import tensorgrad as tg
from tensorgrad.data import ChainDataset, DataLoader, StackDataset, SubsetRandomSampler, TensorDataset


def test_side_by_side() -> None:
    rows, labels = TensorDataset([[1.0], [2.0], [3.0]]), [0, 1, 2]
    assert len(StackDataset(rows, labels)) == 3
    (x,), y = next(iter(DataLoader(StackDataset(rows, labels), batch_size=2)))
    assert x.tolist() == [[1.0], [2.0]] and y.tolist() == [0, 1]
    named = next(iter(DataLoader(StackDataset(y=labels), batch_size=3)))
    assert named["y"].tolist() == [0, 1, 2]


@pytest.mark.parametrize(("args", "named"), [([[1], [1, 2]], {}), ([], {}), ([[1]], {"y": [1]})])
def test_sets_that_do_not_stand_side_by_side(args: Any, named: Any) -> None:
    with pytest.raises(tg.ShapeError, match="StackDataset: data sets of lengths"):
        StackDataset(*args, **named)


def test_one_after_another() -> None:
    joined = ChainDataset([[1.0, 2.0], [3.0]])
    assert [batch.tolist() for batch in DataLoader(joined, batch_size=2)] == [[1.0, 2.0], [3.0]]


def test_some_of_the_samples_in_random_order() -> None:
    sampler = SubsetRandomSampler(range(10, 30), generator=0)
    first, second = list(sampler), list(sampler)
    assert len(sampler) == 20 and first != second and sorted(first) == sorted(second) == list(range(10, 30))
    assert list(SubsetRandomSampler(range(10, 30), generator=0)) == first
    assert list(SubsetRandomSampler([], generator=0)) == []
