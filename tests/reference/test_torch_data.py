"""Data sets and loaders against PyTorch's: arguments, lengths, batches without shuffling."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import pytest

from tensorgrad import data as ours
from tests.reference.peer import torch

theirs = torch.utils.data

# What PyTorch's loader has and this one has not: other memory, other processes, and what goes with them.
PROCESSES = {
    "pin_memory", "pin_memory_device", "timeout", "worker_init_fn", "multiprocessing_context", "persistent_workers",
    "in_order",
}  # fmt: skip
MORE = {"transform"}


def parameters(of: Any) -> list[str]:
    return list(inspect.signature(of).parameters)


@pytest.mark.parametrize(
    "name",
    ["DataLoader", "RandomSampler", "SequentialSampler", "WeightedRandomSampler", "BatchSampler", "Subset",
     "ConcatDataset", "random_split"],
)  # fmt: skip
def test_arguments_have_the_same_names_and_order(name: str) -> None:
    mine, other = parameters(getattr(ours, name)), parameters(getattr(theirs, name))
    assert [one for one in mine if one not in MORE] == [one for one in other if one not in PROCESSES]


def test_what_may_be_given_by_position_means_the_same() -> None:
    kinds = inspect.signature(ours.DataLoader).parameters
    by_position = [name for name, one in kinds.items() if one.kind is one.POSITIONAL_OR_KEYWORD]
    assert by_position == parameters(theirs.DataLoader)[: len(by_position)]


@pytest.mark.parametrize("options", [{}, {"drop_last": True}, {"sampler": [5, 0, 5, 2]}, {"num_workers": 0}])
@pytest.mark.parametrize("size", [1, 3, 10, 20])
def test_batches_without_shuffling_are_the_same(size: int, options: Any) -> None:
    if size == 20 and options.get("drop_last"):
        return  # PyTorch gives no batch; here that is refused
    x, y = np.random.default_rng(0).random((10, 2)), np.arange(10)
    mine = ours.DataLoader(ours.TensorDataset(x, y), size, **options)
    other = theirs.DataLoader(theirs.TensorDataset(torch.from_numpy(x), torch.from_numpy(y)), size, **options)
    assert len(mine) == len(other)
    for one, two in zip(mine, other, strict=True):
        for a, b in zip(one, two, strict=True):
            assert a.numpy().dtype == b.numpy().dtype and np.array_equal(a.numpy(), b.numpy())


def test_samples_join_alike() -> None:
    samples = [
        {"a": (1, 2.0), "b": np.ones(3, np.float32), "c": "x"},
        {"a": (3, 4.5), "b": np.zeros(3, np.float32), "c": "y"},
    ]
    mine, other = ours.default_collate(samples), theirs.default_collate(samples)
    assert mine["c"] == other["c"] and np.array_equal(mine["b"].numpy(), other["b"].numpy())
    for a, b in zip(mine["a"], other["a"], strict=True):
        assert np.array_equal(a.numpy(), b.numpy())


@pytest.mark.parametrize("lengths", [[7, 3], [0.7, 0.3], [0.5, 0.25, 0.25], [0.33, 0.33, 0.34], [1.0]])
def test_splits_have_the_same_lengths(lengths: list[float]) -> None:
    mine, other = ours.random_split(range(10), lengths), theirs.random_split(range(10), lengths)
    assert [len(part) for part in mine] == [len(part) for part in other]
