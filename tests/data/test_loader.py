"""The loader: order, batches, position, threads."""

from __future__ import annotations

import gc
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import namedtuple
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad.data import (
    BatchSampler,
    ConcatDataset,
    DataLoader,
    Dataset,
    IterableDataset,
    RandomSampler,
    Subset,
    TensorDataset,
    WeightedRandomSampler,
)


class Noisy(Dataset):
    """Samples changed at random, one at a time; some take longer than others."""

    def __len__(self) -> int:
        return 23

    def __getitem__(self, index: int) -> tuple[Any, int]:
        time.sleep(0.0005 * (index % 3))
        return tg.default_generator().standard_normal(4), index


class Drawn(IterableDataset):
    """A stream of numbers drawn when it starts and at each sample."""

    def __iter__(self) -> Iterator[Any]:
        first = tg.default_generator().integers(100)
        for index in range(11):
            yield index + first, tg.default_generator().standard_normal(2)


def arrays(n: int = 10) -> TensorDataset:
    return TensorDataset(np.arange(2 * n, dtype=np.float32).reshape(n, 2), np.arange(n))


def numbers(loader: Any) -> list[list[int]]:
    return [batch[-1].tolist() for batch in loader]


def joined(batches: list[list[int]]) -> list[int]:
    return [number for batch in batches for number in batch]


def bits(batches: Any) -> list[Any]:
    return [[(part.dtype, part.shape, part.numpy().tobytes()) for part in batch] for batch in batches]


def threads(until: int = 0) -> int:
    """How many threads of loaders there are, once they had time to become as few."""
    end = time.monotonic() + 5
    while True:
        found = sum(thread.name.startswith("tensorgrad-data") for thread in threading.enumerate())
        if found <= until or time.monotonic() > end:
            return found
        time.sleep(0.005)


# ---- batches and their order


def test_batches_are_tensors_of_the_dtypes_of_the_arrays() -> None:
    x, y = next(iter(DataLoader(TensorDataset(np.zeros((5, 3), np.uint8), np.arange(5)), batch_size=2)))
    assert isinstance(x, tg.Tensor) and (x.dtype, x.shape, y.dtype) == (np.uint8, (2, 3), np.int64)


def test_the_last_batch_is_kept_unless_dropped() -> None:
    assert numbers(DataLoader(arrays(5), 2)) == [[0, 1], [2, 3], [4]]
    assert numbers(DataLoader(arrays(5), 2, drop_last=True)) == [[0, 1], [2, 3]]
    assert (len(DataLoader(arrays(5), 2)), len(DataLoader(arrays(5), 2, drop_last=True))) == (3, 2)
    assert len(DataLoader(arrays(4), 2)) == 2


def test_each_epoch_has_another_order_and_the_same_seed_the_same_orders() -> None:
    one, two, other = (DataLoader(arrays(50), 7, shuffle=True, generator=seed) for seed in (3, 3, 4))
    epochs = [numbers(one) for _ in range(3)]
    assert epochs == [numbers(two) for _ in range(3)]
    assert epochs[0] != epochs[1] != epochs[2] and epochs[0] != numbers(other)
    assert all(sorted(joined(epoch)) == list(range(50)) for epoch in epochs)


def test_shuffled_once_all_epochs_share_an_order() -> None:
    loader = DataLoader(arrays(50), 7, shuffle="once", generator=3)
    first = numbers(loader)
    assert first == numbers(loader) and sorted(joined(first)) == list(range(50)) != joined(first)


def test_the_seed_is_drawn_from_the_generator_given_or_the_default_one() -> None:
    rows = [
        numbers(DataLoader(arrays(30), 4, shuffle=True, generator=np.random.default_rng(1))) for _ in range(2)
    ]
    assert rows[0] == rows[1]
    tg.manual_seed(1)
    assert numbers(DataLoader(arrays(30), 4, shuffle=True)) == rows[0]


def test_a_batch_of_arrays_is_one_index_not_a_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Any, index: Any) -> Any:
        raise AssertionError("asked for a single sample")

    dataset = Subset(Subset(arrays(10), [9, 8, 7, 6]), [3, 0])
    monkeypatch.setattr(TensorDataset, "__getitem__", refuse)
    assert numbers(DataLoader(dataset, 2)) == [[6, 9]]


def test_a_class_that_redefines_single_samples_is_asked_for_them() -> None:
    class Doubled(TensorDataset):
        def __getitem__(self, index: Any) -> Any:
            return tuple(2 * part for part in super().__getitem__(index))

    assert numbers(DataLoader(Doubled(np.arange(4)), 4)) == [[0, 2, 4, 6]]
    assert numbers(DataLoader(Subset(Doubled(np.arange(4)), [3, 1]), 4)) == [[6, 2]]


def test_an_array_or_a_list_is_a_data_set() -> None:
    assert [batch.tolist() for batch in DataLoader(np.arange(5), 3)] == [[0, 1, 2], [3, 4]]
    assert [batch.tolist() for batch in DataLoader(tg.arange(5), 3)] == [[0, 1, 2], [3, 4]]
    assert [batch.tolist() for batch in DataLoader([5, 6, 7], 2)] == [[5, 6], [7]]


def test_batches_are_copies() -> None:
    array = np.zeros((4, 2))
    batch = next(iter(DataLoader(array, 4)))
    array += 1
    assert not batch.numpy().any()


def test_without_a_batch_size_samples_come_unjoined() -> None:
    x, y = list(DataLoader([(np.ones(2), 3), (np.zeros(2), 4)], batch_size=None))[1]
    assert x.tolist() == [0.0, 0.0] and y.shape == () and y.item() == 4


def test_samplers_of_ones_own() -> None:
    assert numbers(DataLoader(arrays(), 2, sampler=[3, 1, 3])) == [[3, 1], [3]]
    assert numbers(DataLoader(arrays(), batch_sampler=[[3, 1], [2]])) == [[3, 1], [2]]
    drawn = DataLoader(arrays(), batch_sampler=BatchSampler(RandomSampler(range(10), generator=1), 5))
    assert numbers(drawn) != numbers(drawn)


def test_collate_fn_gets_the_samples() -> None:
    loader = DataLoader(arrays(3), 2, collate_fn=lambda samples: [int(y.item()) for _, y in samples])
    assert list(loader) == [[0, 1], [2]]


def test_transform_gets_the_parts_of_a_batch() -> None:
    loader = DataLoader(arrays(3), 3, transform=lambda x, y: (x.numpy() * 2, y + 1))
    ((x, y),) = loader
    assert isinstance(x, tg.Tensor) and x.tolist() == [[0, 2], [4, 6], [8, 10]] and y.tolist() == [1, 2, 3]
    assert [b.tolist() for b in DataLoader(np.arange(3), 3, transform=lambda x: x + 1)] == [[1, 2, 3]]


def test_a_stream_of_samples() -> None:
    loader = DataLoader(Drawn(), 4, generator=0)
    batches = list(loader)
    assert [len(index) for index, _ in batches] == [4, 4, 3]
    assert [len(index) for index, _ in DataLoader(Drawn(), 4, drop_last=True, generator=0)] == [4, 4]
    assert bits(batches) == bits(DataLoader(Drawn(), 4, generator=0)) != bits(loader)
    with pytest.raises(tg.DtypeError, match="no len"):
        len(loader)


# ---- position


def rest(loader: DataLoader, epochs: int) -> list[Any]:
    return [bits(loader) for _ in range(epochs)]


LOADERS = {
    "shuffled": lambda seed, workers: DataLoader(arrays(), 3, shuffle=True, generator=seed, num_workers=workers),
    "once": lambda seed, workers: DataLoader(arrays(), 3, shuffle="once", generator=seed, num_workers=workers),
    "noisy": lambda seed, workers: DataLoader(Noisy(), 3, shuffle=True, generator=seed, num_workers=workers),
    "stream": lambda seed, workers: DataLoader(Drawn(), 3, generator=seed, num_workers=workers),
    "weights": lambda seed, workers: DataLoader(
        Noisy(), 3, sampler=WeightedRandomSampler(range(23), 20, generator=seed), generator=seed, num_workers=workers
    ),
}  # fmt: skip


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("name", LOADERS)
def test_a_position_is_taken_up_by_another_loader(name: str, workers: int) -> None:
    loader = LOADERS[name](7, workers)
    rest(loader, 1)
    left, state = [], None
    for place, batch in enumerate(loader):
        if place == 1:
            state = loader.state_dict()
        if place > 1:
            left.append(batch)
    resumed = LOADERS[name](8, workers)  # another seed: the state decides
    resumed.load_state_dict(json.loads(json.dumps(state)))
    assert resumed.epoch == 1
    assert bits(left) == bits(resumed) and rest(loader, 2) == rest(resumed, 2)


@pytest.mark.parametrize("drop_last", [False, True])
def test_every_position_of_two_epochs_is_taken_up(drop_last: bool) -> None:
    def make(seed: int) -> DataLoader:
        return DataLoader(arrays(), 3, shuffle=True, drop_last=drop_last, generator=seed)

    loader, states, batches = make(0), [], []
    for _ in range(2):
        for batch in loader:
            states.append(loader.state_dict())
            batches.append(bits([batch])[0])
    for place, state in enumerate(states):
        resumed = make(1)
        resumed.load_state_dict(state)
        left: list[Any] = []
        while resumed.epoch < 2:
            left += bits(resumed)
        assert left == batches[place + 1 :]


def test_a_position_after_the_last_batch_has_an_empty_rest() -> None:
    loader = DataLoader(arrays(), 5, shuffle=True, generator=0)
    for _ in loader:
        state = loader.state_dict()
    resumed = DataLoader(arrays(), 5, shuffle=True)
    resumed.load_state_dict(state)
    assert numbers(resumed) == [] and numbers(resumed) == numbers(loader)


def test_a_position_between_epochs() -> None:
    loader = DataLoader(arrays(), 5, shuffle=True, generator=0)
    numbers(loader)
    resumed = DataLoader(arrays(), 5, shuffle=True)
    resumed.load_state_dict(loader.state_dict())
    assert resumed.state_dict() == loader.state_dict() and numbers(resumed) == numbers(loader)


def test_an_epoch_left_early_is_over() -> None:
    loader, other = (DataLoader(arrays(), 3, shuffle=True, generator=0) for _ in range(2))
    next(iter(loader))
    numbers(other)
    assert numbers(loader) == numbers(other) and loader.epoch == 2


def test_a_resumed_epoch_that_is_left_is_over_too() -> None:
    loader, other = (DataLoader(arrays(), 3, shuffle=True, generator=0) for _ in range(2))
    next(iter(loader))
    loader.load_state_dict(loader.state_dict())
    next(iter(loader))
    numbers(other)
    assert numbers(loader) == numbers(other)


def test_a_position_of_another_loader_is_refused_and_nothing_is_changed() -> None:
    loader = DataLoader(arrays(), 3, shuffle=True, generator=0)
    before = loader.state_dict()
    with pytest.raises(tg.ShapeError, match=r"'samples': 9.*'samples': 10"):
        loader.load_state_dict(DataLoader(arrays(9), 3, shuffle=True).state_dict())
    with pytest.raises(tg.ShapeError, match="keys"):
        loader.load_state_dict({"epoch": 1})
    assert loader.state_dict() == before


# ---- threads


@pytest.mark.parametrize("workers", [1, 3])
def test_threads_change_no_bit(workers: int) -> None:
    for dataset in (Noisy(), Drawn(), arrays(23)):
        plain, threaded = (
            DataLoader(dataset, 4, generator=5, num_workers=count, transform=lambda x, y: (x + tg.rand(1), y))
            for count in (0, workers)
        )
        assert rest(plain, 2) == rest(threaded, 2)


def test_threads_work_in_the_context_of_the_caller() -> None:
    with_floats = [1.0, 2.0, 3.0]
    tg.set_default_dtype(np.float64)
    try:
        assert [b.dtype for b in DataLoader(with_floats, 3, num_workers=1)] == [np.float64]
    finally:
        tg.set_default_dtype(np.float32)


def test_the_default_generator_of_the_caller_is_left_alone() -> None:
    tg.manual_seed(0)
    loader = DataLoader(Noisy(), 4, generator=0)
    before = tg.default_generator().bit_generator.state
    for _ in loader:
        assert tg.default_generator().bit_generator.state == before


@pytest.mark.parametrize("workers", [0, 2])
def test_an_error_travels_with_its_traceback_after_the_batches_before_it(workers: int) -> None:
    class Broken(Noisy):
        def __getitem__(self, index: int) -> Any:
            if index == 9:
                raise KeyError("the ninth")
            return super().__getitem__(index)

    seen: list[Any] = []
    with pytest.raises(KeyError, match="the ninth") as caught:
        seen.extend(DataLoader(Broken(), 4, num_workers=workers))
    assert len(seen) == 2
    assert any(entry.name == "__getitem__" for entry in caught.traceback)
    assert any("batch 2 of epoch 0" in note for note in caught.value.__notes__)
    assert threads() == 0


@pytest.mark.parametrize("workers", [0, 2])
def test_an_error_of_a_sampler_or_a_stream_comes_at_its_turn(workers: int) -> None:
    def failing() -> Iterator[int]:
        yield from range(4)
        raise OSError("the tape tore")

    class Torn(IterableDataset):
        def __iter__(self) -> Iterator[int]:
            return failing()

    class Order:
        def __iter__(self) -> Iterator[int]:
            return failing()

    for loader in (
        DataLoader(Torn(), 2, num_workers=workers),
        DataLoader(np.arange(9), 2, sampler=Order(), num_workers=workers),
    ):
        seen: list[Any] = []
        with pytest.raises(OSError, match="tore"):
            seen.extend(loader)
        assert [batch.tolist() for batch in seen] == [[0, 1], [2, 3]]


def test_leaving_the_loop_ends_the_threads() -> None:
    assert threads() == 0
    for leave in ("break", "raise", "forget", "finish"):
        loader = DataLoader(Noisy(), 2, num_workers=4)
        try:
            batches = iter(loader)
            next(batches)
            assert threads(until=4) == 4
            if leave == "raise":
                raise ZeroDivisionError
            if leave == "finish":
                list(batches)
        except ZeroDivisionError:
            pass
        del batches, loader
        gc.collect()
        assert threads() == 0, leave


def test_no_more_batches_are_made_ahead_than_agreed() -> None:
    made: list[int] = []

    class Counted(Noisy):
        def __getitem__(self, index: int) -> int:
            made.append(index)
            return index

    batches = iter(DataLoader(Counted(), num_workers=2, prefetch_factor=3))
    next(batches)
    end = time.monotonic() + 5
    while len(made) < 1 + 2 * 3 and time.monotonic() < end:
        time.sleep(0.005)
    time.sleep(0.05)  # for more than agreed
    assert len(made) == 1 + 2 * 3


@pytest.mark.skipif(os.name == "nt", reason="signals are sent in another way there")
@pytest.mark.parametrize("workers", [0, 2])
def test_ctrl_c_ends_a_program_whose_samples_take_long(workers: int) -> None:
    program = f"""
import signal, time, tensorgrad.data as data
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs begin with it ignored
class Slow(data.Dataset):
    def __len__(self): return 9
    def __getitem__(self, index):
        if index: time.sleep(60)
        return index
for batch in data.DataLoader(Slow(), num_workers={workers}):
    print("first", flush=True)
"""
    with subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout and child.stdout.readline() == "first\n"
        time.sleep(0.1)
        start = time.monotonic()
        child.send_signal(signal.SIGINT)
        said = child.communicate(timeout=30)[1]
    assert "KeyboardInterrupt" in said and time.monotonic() - start < 20


# ---- refusals


@pytest.mark.parametrize(
    ("arguments", "kind", "message"),
    [
        ({"dataset": []}, tg.ShapeError, "no samples"),
        ({"dataset": [1, 2], "batch_size": 3, "drop_last": True}, tg.ShapeError, "no batch of 2 samples"),
        ({"dataset": [1], "batch_size": 0}, tg.ShapeError, "batch_size 0"),
        ({"dataset": [1], "batch_size": 2.0}, tg.ShapeError, "batch_size 2.0"),
        ({"dataset": (np.ones(3), np.ones(3))}, tg.DtypeError, r"TensorDataset\(\*arrays\)"),
        ({"dataset": 3}, tg.DtypeError, "int given, which lacks len"),
        ({"dataset": [1], "shuffle": "twice"}, tg.DtypeError, "'twice'"),
        ({"dataset": [1], "shuffle": True, "sampler": [0]}, tg.DtypeError, "shuffle and sampler"),
        ({"dataset": [1], "batch_sampler": [[0]], "batch_size": 2}, tg.DtypeError, "batch_sampler"),
        ({"dataset": [1], "batch_size": None, "drop_last": True}, tg.DtypeError, "without a batch_size"),
        ({"dataset": Drawn(), "shuffle": True}, tg.DtypeError, "decides the order"),
        ({"dataset": [1], "num_workers": -1}, tg.ShapeError, "num_workers=-1"),
        ({"dataset": [1], "prefetch_factor": 0}, tg.ShapeError, "prefetch_factor=0"),
        ({"dataset": [1], "generator": -1}, tg.ShapeError, "negative"),
        ({"dataset": [1], "generator": "a"}, tg.DtypeError, "str given"),
    ],
)
def test_what_makes_no_sense_is_refused(arguments: Any, kind: type[Exception], message: str) -> None:
    with pytest.raises(kind, match=message):
        DataLoader(**arguments)


def test_samples_outside_the_data_set_are_refused() -> None:
    with pytest.raises(IndexError, match="10"):
        list(DataLoader(arrays(10), sampler=[10]))


# ---- joining samples


Point = namedtuple("Point", "x y")


def test_samples_join_in_their_structure() -> None:
    samples = [
        {"p": Point(1, 2.5), "s": "a", "l": [np.float64(1), tg.ones(2)], "b": True, "n": None},
        {"p": Point(3, 4), "s": "b", "l": [np.float64(2), tg.zeros(2)], "b": False, "n": None},
    ]
    batch = tg.data.default_collate(samples)
    assert isinstance(batch["p"], Point) and batch["s"] == ["a", "b"] and batch["n"] is None
    assert [batch["p"].x.dtype, batch["p"].y.dtype, batch["b"].dtype] == [np.int64, np.float32, np.bool_]
    assert batch["p"].y.tolist() == [2.5, 4.0]
    assert batch["l"][0].dtype == np.float64 and batch["l"][1].tolist() == [[1, 1], [0, 0]]


def test_samples_that_do_not_go_together() -> None:
    collate = tg.data.default_collate
    with pytest.raises(tg.ShapeError, match=r"sample\[1\] has shapes \[\(2,\), \(3,\)\]"):
        collate([(0, np.ones(2)), (0, np.ones(3))])
    with pytest.raises(tg.ShapeError, match="structure"):
        collate([(0, 1), (0,)])
    with pytest.raises(tg.DtypeError, match=r"int.*str"):
        collate([1, "a"])
    with pytest.raises(tg.DtypeError, match="object"):
        collate([object(), object()])
    with pytest.raises(tg.ShapeError, match="no samples"):
        collate([])
    with pytest.raises(tg.GradientError, match="detach"):
        collate([tg.ones(2).requires_grad_()])


# ---- data sets


def test_data_sets_of_data_sets() -> None:
    both = arrays(3) + Subset(arrays(10), [9, -1, 4])
    assert len(both) == 6 and numbers(DataLoader(both, 6)) == [[0, 1, 2, 9, 9, 4]]
    assert both[-1][1].item() == 4 and isinstance(both, ConcatDataset)
    assert numbers(DataLoader(Subset(arrays(10), [9, 8, 7])[1:], 3)) == [[8, 7]]
    for wrong in (6, -7):
        with pytest.raises(tg.IndexingError, match="6 samples"):
            both[wrong]


def test_data_sets_refuse_what_does_not_fit() -> None:
    with pytest.raises(tg.ShapeError, match=r"\(3,\), \(4,\)"):
        TensorDataset(np.ones(3), np.ones(4))
    with pytest.raises(tg.ShapeError, match="one number of rows"):
        TensorDataset()
    with pytest.raises(tg.GradientError, match="detach"):
        TensorDataset(tg.ones(3).requires_grad_())
    with pytest.raises(tg.DtypeError):
        TensorDataset(np.array(["a", "b"]))
    with pytest.raises(tg.IndexingError, match="index 3 given, but there are 3"):
        Subset(arrays(3), [3])
    with pytest.raises(tg.DtypeError, match="whole numbers"):
        Subset(arrays(3), [True, False, True])
    with pytest.raises(tg.ShapeError, match="at least one"):
        ConcatDataset([])


# ---- samplers


def test_weighted_draws() -> None:
    drawn = list(WeightedRandomSampler([1, 0, 3], 4000, generator=0))
    assert abs(drawn.count(2) / 4000 - 0.75) < 0.03 and drawn.count(1) == 0
    assert sorted(WeightedRandomSampler([1, 1, 5], 3, replacement=False, generator=0)) == [0, 1, 2]
    for wrong in ([-1.0, 2.0], [np.nan, 1.0], [0.0, 0.0], [[1.0]]):
        with pytest.raises(tg.ShapeError, match="weights"):
            WeightedRandomSampler(wrong, 1)
    with pytest.raises(tg.ShapeError, match="too few"):
        WeightedRandomSampler([1, 0], 2, replacement=False)


def test_random_draws() -> None:
    twice = list(RandomSampler(range(4), num_samples=8, generator=0))
    assert sorted(twice[:4]) == sorted(twice[4:]) == [0, 1, 2, 3]
    assert len(set(RandomSampler(range(100), replacement=True, generator=0))) < 90
    with pytest.raises(tg.ShapeError, match="empty"):
        list(RandomSampler([], generator=0))
    with pytest.raises(tg.ShapeError, match="num_samples 0"):
        RandomSampler(range(3), num_samples=0)
