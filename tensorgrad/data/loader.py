"""Batches of a data set, epoch after epoch: shuffled, joined, changed at random, prepared by threads.

Everything drawn for a batch, its order and its augmentation, comes from generators made of the seed, the number of
the epoch and the number of the batch. So the batches do not depend on which thread prepares them, and a
position is three numbers: seed, epoch, batch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from itertools import count, islice
from typing import Any, Literal

import numpy as np

from .._errors import DtypeError, ShapeError
from .._random import default_generator_set
from .._tensor import Tensor
from ._draws import Draws, as_seed, stream
from .collate import default_collate, to_tensors
from .dataset import IterableDataset, fetch, only_copies
from .samplers import BatchSampler, RandomSampler, SequentialSampler, checked_batch_size
from .workers import ordered_map


class DataLoader:
    """Batches of a data set, as tensors; iterate once for each epoch.

    Args:
        dataset: a `Dataset`, an `IterableDataset`, an array or tensor, or anything with ``len`` and ``[i]``.
        batch_size: how many samples there are to a batch. With None, samples come one by one, unjoined.
        shuffle: True for another order each epoch; ``"once"`` for a random order that all epochs share.
        sampler: an iterable of numbers of samples, instead of ``shuffle``.
        batch_sampler: an iterable of lists of such numbers, instead of all of these and ``drop_last``.
        num_workers: threads that prepare batches ahead; the batches are the same, bit for bit.
        collate_fn: makes a batch of a list of samples. By default the data set joins them itself
            (`Dataset.batch`), or `default_collate` does.
        drop_last: leave out a last batch that is not full.
        generator: a seed for the order and for what is drawn while a batch is made, or a generator
            (by default `tensorgrad.default_generator`) that one is drawn from, once.
        prefetch_factor: how many batches each thread may be ahead.
        transform: called with the parts of each batch (one argument where it is not a tuple); what it
            returns is the batch. Arrays that it returns become tensors.

    While a batch is made, the default generator is one that belongs to it. Functions of
    `tensorgrad.data.transforms` and `Dataset.__getitem__` that draw from ``tg.default_generator()`` are
    thus reproducible, whatever ``num_workers`` is. What a data set keeps open must bear several threads.

    Raises:
        ShapeError: the data set is empty, or ``drop_last`` leaves no batch; or a number is out of range.
        DtypeError: arguments that exclude one another, or of a kind that cannot be used.

    Example:
        >>> from tensorgrad.data import TensorDataset
        >>> loader = DataLoader(TensorDataset(range(5), [0.0, 0.1, 0.2, 0.3, 0.4]), batch_size=2)
        >>> for x, y in loader:
        ...     print(x, y)
        tensor([0, 1]) tensor([0. , 0.1])
        tensor([2, 3]) tensor([0.2, 0.3])
        tensor([4]) tensor([0.4])
    """

    def __init__(
        self,
        dataset: Any,
        batch_size: int | None = 1,
        shuffle: bool | Literal["once"] | None = False,
        sampler: Iterable[Any] | None = None,
        batch_sampler: Iterable[Any] | None = None,
        num_workers: int = 0,
        collate_fn: Callable[[list[Any]], Any] | None = None,
        *,
        drop_last: bool = False,
        generator: Draws = None,
        prefetch_factor: int = 2,
        transform: Callable[..., Any] | None = None,
    ) -> None:
        self.dataset = dataset
        self.batch_size = None if batch_size is None else checked_batch_size("DataLoader", batch_size)
        self.shuffle = shuffle or False  # None is PyTorch's default
        self.sampler = sampler
        self.batch_sampler = batch_sampler
        self.num_workers = num_workers
        self.collate_fn = collate_fn
        self.drop_last = drop_last
        self.prefetch_factor = prefetch_factor
        self.transform = transform
        self._iterable = isinstance(dataset, IterableDataset)
        self._check()
        self.seed = as_seed(generator)
        self._position = _Position(0, 0)
        self._resume = False
        if not self._iterable and not len(dataset):
            raise ShapeError("DataLoader: the data set has no samples; at least one is needed")
        self._numbers: Any = None if self._iterable else self._order()
        if self._numbers is not None and sampler is None and batch_sampler is None and not len(self):
            raise ShapeError(
                f"DataLoader: drop_last leaves no batch of {len(dataset)} samples with batch_size {batch_size}"
            )

    @property
    def epoch(self) -> int:
        """The number of the epoch that runs, or else of the next one."""
        return self._position.epoch

    def __len__(self) -> int:
        """The number of batches of an epoch."""
        if self._numbers is None:
            raise DtypeError("DataLoader: an IterableDataset has no len; count the batches of a pass")
        return len(self._numbers)

    def __iter__(self) -> Iterator[Any]:
        """The batches of the next epoch, or the rest of the one whose position was loaded."""
        last = self._position
        if not self._resume and last.batch:  # that epoch was left early
            last = _Position(last.epoch + 1, 0)
        self._resume = False
        self._position = _Position(last.epoch, last.batch)
        return self._epoch(self._position)

    def state_dict(self) -> dict[str, Any]:
        """The position: numbers and names only, fit for JSON.

        Taken in the loop's body, it counts the current batch as done: a loader that loads it goes on with
        the next one. A position after the last batch has an empty rest, and then the next epoch.
        """
        return {
            "seed": self.seed,
            "epoch": self._position.epoch,
            "batch": self._position.batch,
            "sampler": self._numbers.state_dict() if hasattr(self._numbers, "state_dict") else {},
            "made_of": self._made_of(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a position; the next iteration gives the batches that were left there.

        The data set, and a sampler or data set of your own, must be as they were. An `IterableDataset`
        is read again from its beginning.

        Args:
            state: what `state_dict` returned.

        Raises:
            ShapeError: keys are missing or unknown, or the number of samples, the size of batches or the way of
                shuffling is another one. Nothing is changed then.
        """
        wanted = {"seed", "epoch", "batch", "sampler", "made_of"}
        if set(state) != wanted:
            raise ShapeError(
                f"DataLoader.load_state_dict: keys {sorted(state)} given, {sorted(wanted)} needed"
            )
        made_of = self._made_of()
        if state["made_of"] != made_of:
            raise ShapeError(
                f"DataLoader.load_state_dict: the position is of a loader with {state['made_of']}, "
                f"this one has {made_of}; the batches would not be the same"
            )
        seed, position = int(state["seed"]), _Position(int(state["epoch"]), int(state["batch"]))
        if hasattr(self._numbers, "load_state_dict"):  # first: a sampler of somebody else's may refuse
            self._numbers.load_state_dict(state["sampler"])
        self.seed, self._position, self._resume = seed, position, True
        if self.shuffle == "once":
            self._numbers = self._order()

    def _epoch(self, position: _Position) -> Iterator[Any]:
        epoch = position.epoch
        if hasattr(self._numbers, "set_epoch"):
            self._numbers.set_epoch(epoch)

        # A generator takes longer to make than a small batch to copy.
        nothing_drawn = not self.transform and not self.collate_fn and only_copies(self.dataset)

        def make(task: tuple[int, Any]) -> Any:
            place, chosen = task
            try:
                with (
                    nullcontext() if nothing_drawn else default_generator_set(stream(self.seed, epoch, place))
                ):
                    return self._make(chosen)
            except Exception as error:
                error.add_note(f"DataLoader: raised while batch {place} of epoch {epoch} was made")
                raise

        chosen = self._samples(epoch) if self._numbers is None else iter(self._numbers)
        tasks = islice(enumerate(chosen), position.batch, None)
        ahead = self.num_workers * self.prefetch_factor
        for batch in ordered_map(make, tasks, self.num_workers, ahead) if ahead else map(make, tasks):
            position.batch += 1
            yield batch
        position.epoch, position.batch = epoch + 1, 0

    def _make(self, chosen: Any) -> Any:
        """A batch: of samples, of numbers of samples, or of one of either without a batch size."""
        single = self.batch_size is None
        join = self.collate_fn or (to_tensors if single else default_collate)
        if self._iterable:
            batch = join(chosen)
        elif single:
            batch = join(self.dataset[int(chosen)])
        elif self.collate_fn:
            batch = join([self.dataset[int(number)] for number in chosen])
        else:
            batch = fetch(self.dataset, chosen)
        if self.transform is None:
            return batch
        return to_tensors(self.transform(*batch) if type(batch) is tuple else self.transform(batch))

    def _samples(self, epoch: int) -> Iterator[Any]:
        """The samples of an `IterableDataset`, batch by batch."""
        with default_generator_set(stream(self.seed, epoch)):
            samples = iter(self.dataset)
        for place in count():
            with default_generator_set(stream(self.seed, epoch, place, 0)):
                chosen = list(islice(samples, self.batch_size or 1))
            if not chosen or (self.drop_last and len(chosen) < (self.batch_size or 1)):
                return
            yield chosen[0] if self.batch_size is None else chosen

    def _order(self) -> Any:
        """What gives the numbers of the samples, batch by batch, or one by one without a batch size."""
        if self.batch_sampler is not None:
            return self.batch_sampler
        numbers: Any = self.sampler
        if numbers is None:
            numbers = (
                RandomSampler(self.dataset, generator=self.seed)
                if self.shuffle
                else SequentialSampler(self.dataset)
            )
        if self.shuffle == "once":
            numbers = list(numbers)
        return numbers if self.batch_size is None else BatchSampler(numbers, self.batch_size, self.drop_last)

    def _made_of(self) -> dict[str, Any]:
        """What the batches of an epoch depend on, besides the seed and the samples themselves."""
        return {
            "samples": None if self._iterable else len(self.dataset),
            "batch_size": self.batch_size,
            "drop_last": self.drop_last,
            "shuffle": self.shuffle,
        }

    def _check(self) -> None:
        """Refuse arguments that exclude one another, or are out of their range."""
        dataset, sized = self.dataset, ("__len__", "__getitem__")
        orders = {"shuffle": self.shuffle, "sampler": self.sampler, "batch_sampler": self.batch_sampler}
        given = [name for name, value in orders.items() if value is not None and value is not False]
        wrong = ""
        if isinstance(dataset, tuple) and all(isinstance(one, np.ndarray | Tensor) for one in dataset):
            wrong = "a tuple of arrays given; TensorDataset(*arrays) makes a data set of it"
        elif not self._iterable and not all(hasattr(dataset, name) for name in sized):
            wrong = (
                f"a {type(dataset).__name__} given, which lacks len or [i]; an IterableDataset needs neither"
            )
        elif self.shuffle not in (True, False, "once"):
            wrong = f"shuffle={self.shuffle!r} given; it is True, False or 'once'"
        elif self._iterable and given:
            wrong = f"{given[0]} given, but an IterableDataset decides the order of its samples"
        elif len(given) > 1:
            wrong = f"{' and '.join(given)} given; one of them decides the order"
        elif self.batch_sampler is not None and (self.batch_size != 1 or self.drop_last):
            wrong = "batch_sampler given with batch_size or drop_last, which it decides"
        elif self.batch_size is None and self.drop_last:
            wrong = "drop_last given without a batch_size"
        if wrong:
            raise DtypeError(f"DataLoader: {wrong}")
        for name, least in (("num_workers", 0), ("prefetch_factor", 1)):
            value = getattr(self, name)
            if not isinstance(value, int) or isinstance(value, bool) or value < least:
                raise ShapeError(
                    f"DataLoader: {name}={value!r} given; a whole number of at least {least} is needed"
                )


@dataclass
class _Position:
    """How far an iteration is: batches before ``batch`` were handed out."""

    epoch: int
    batch: int
