"""In which order samples are taken.

A sampler is any iterable of numbers of samples. One that draws gets the number of the epoch by ``set_epoch``
before each pass of a loader, and its order depends on that and its seed alone: so a saved position can be
taken up again, without the state of a generator.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence, Sized
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._data import as_data
from .._errors import ShapeError
from ._draws import Draws, as_seed, stream


class Sampler:
    """Numbers of samples in some order: the base of samplers, with ``__iter__`` and ``__len__`` to be defined."""

    def __iter__(self) -> Iterator[Any]:
        raise NotImplementedError(f"{type(self).__name__} lacks __iter__, which gives numbers of samples")

    def __len__(self) -> int:
        raise NotImplementedError(f"{type(self).__name__} lacks __len__, how many numbers it gives")


class SequentialSampler(Sampler):
    """The samples in their order.

    Args:
        data_source: the data set, or anything with a length.
    """

    def __init__(self, data_source: Sized) -> None:
        self.data_source = data_source

    def __iter__(self) -> Iterator[int]:
        return iter(range(len(self)))

    def __len__(self) -> int:
        return len(self.data_source)


class SeededSampler(Sampler):
    """A sampler that draws: the order of an epoch depends on its seed and its number only.

    Args:
        generator: a seed, or a generator (by default `tensorgrad.default_generator`) that one is drawn from.
    """

    def __init__(self, generator: Draws = None) -> None:
        self.seed = as_seed(generator)
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Give the order of this epoch when iterated next."""
        self.epoch = epoch

    def state_dict(self) -> dict[str, int]:
        """The seed and the number of the next epoch."""
        return {"seed": self.seed, "epoch": self.epoch}

    def load_state_dict(self, state: dict[str, int]) -> None:
        """Draw from now on as the sampler does whose state this is."""
        self.seed, self.epoch = state["seed"], state["epoch"]

    def order(self, generator: np.random.Generator) -> NDArray[np.integer[Any]]:
        """The numbers of one epoch, drawn from ``generator``."""
        raise NotImplementedError(f"{type(self).__name__} lacks order, which draws the numbers of an epoch")

    def __iter__(self) -> Iterator[int]:
        drawn = self.order(stream(self.seed, self.epoch))
        self.epoch += 1
        return iter(drawn.tolist())


class RandomSampler(SeededSampler):
    """The samples in random order, another one each epoch.

    Args:
        data_source: the data set, or anything with a length.
        replacement: draw each number independently, so that a sample may come again.
        num_samples: how many numbers an epoch has, by default as many as there are samples.
        generator: a seed, or a generator that one is drawn from.

    Example:
        >>> sampler = RandomSampler(range(5), generator=0)
        >>> list(sampler) != list(sampler), sorted(sampler)
        (True, [0, 1, 2, 3, 4])
    """

    def __init__(
        self,
        data_source: Sized,
        replacement: bool = False,
        num_samples: int | None = None,
        generator: Draws = None,
    ) -> None:
        super().__init__(generator)
        self.data_source = data_source
        self.replacement = replacement
        self.num_samples = _count("RandomSampler", num_samples)

    def __len__(self) -> int:
        return len(self.data_source) if self.num_samples is None else self.num_samples

    def order(self, generator: np.random.Generator) -> NDArray[np.integer[Any]]:
        """One permutation after another, or independent draws with replacement."""
        length, wanted = len(self.data_source), len(self)
        if not length:
            raise ShapeError("RandomSampler: the data source is empty; there is nothing to draw from")
        if self.replacement:
            return generator.integers(length, size=wanted)
        rounds = [generator.permutation(length) for _ in range(-(-wanted // length))]
        return np.concatenate(rounds)[:wanted]


class SubsetRandomSampler(SeededSampler):
    """Some of the samples in random order, another one each epoch.

    Args:
        indices: their numbers.
        generator: a seed, or a generator that one is drawn from.

    Example:
        >>> sorted(SubsetRandomSampler([1, 3, 5], generator=0))
        [1, 3, 5]
    """

    def __init__(self, indices: Sequence[int], generator: Draws = None) -> None:
        super().__init__(generator)
        self.indices = indices

    def __len__(self) -> int:
        return len(self.indices)

    def order(self, generator: np.random.Generator) -> NDArray[np.integer[Any]]:
        """A permutation of the numbers."""
        return generator.permutation(np.asarray(self.indices, np.intp))


class WeightedRandomSampler(SeededSampler):
    """Samples drawn in proportion to weights, such as one over the frequency of their class.

    Args:
        weights: one for each sample, 0 or more; they need not add up to 1.
        num_samples: how many numbers an epoch has.
        replacement: draw independently; otherwise each sample comes at most once.
        generator: a seed, or a generator that one is drawn from.

    Example:
        >>> set(WeightedRandomSampler([0.0, 1.0, 2.0], 20, generator=0))
        {1, 2}
    """

    def __init__(
        self, weights: Any, num_samples: int, replacement: bool = True, generator: Draws = None
    ) -> None:
        super().__init__(generator)
        self.weights = np.asarray(as_data(weights), np.float64)
        self.num_samples = _count("WeightedRandomSampler", num_samples)
        self.replacement = replacement
        if self.weights.ndim != 1 or not np.isfinite(self.weights).all() or (self.weights < 0).any():
            raise ShapeError("WeightedRandomSampler: weights must be a list of finite numbers of 0 or more")
        possible = np.count_nonzero(self.weights)
        if possible < (1 if replacement else num_samples):
            raise ShapeError(
                f"WeightedRandomSampler: {possible} weights are above 0, too few to draw {num_samples} samples"
            )

    def __len__(self) -> int:
        return self.num_samples or 0

    def order(self, generator: np.random.Generator) -> NDArray[np.integer[Any]]:
        """Draws in proportion to the weights."""
        share = self.weights / self.weights.sum()
        return generator.choice(len(share), size=len(self), replace=self.replacement, p=share)


class BatchSampler(Sampler):
    """Lists of numbers of samples, of one length, from a sampler.

    Args:
        sampler: an iterable of numbers of samples.
        batch_size: how many there are to a batch.
        drop_last: leave out a last batch that is not full.

    Example:
        >>> list(BatchSampler(range(5), batch_size=2))
        [[0, 1], [2, 3], [4]]
    """

    def __init__(self, sampler: Iterable[Any], batch_size: int, drop_last: bool = False) -> None:
        self.sampler = sampler
        self.batch_size = checked_batch_size("BatchSampler", batch_size)
        self.drop_last = drop_last

    def __iter__(self) -> Iterator[Sequence[Any]]:
        numbers = iter(self.sampler)
        while batch := list(islice(numbers, self.batch_size)):
            if len(batch) == self.batch_size or not self.drop_last:
                yield batch

    def set_epoch(self, epoch: int) -> None:
        """Tell the sampler, if it wants to know, which epoch is next."""
        if hasattr(self.sampler, "set_epoch"):
            self.sampler.set_epoch(epoch)

    def state_dict(self) -> dict[str, Any]:
        """The state of the sampler, empty if it has none."""
        return self.sampler.state_dict() if hasattr(self.sampler, "state_dict") else {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Hand a state on to the sampler."""
        if hasattr(self.sampler, "load_state_dict"):
            self.sampler.load_state_dict(state)

    def __len__(self) -> int:
        full, rest = divmod(len(self.sampler), self.batch_size)  # type: ignore[arg-type]
        return full + bool(rest and not self.drop_last)


def checked_batch_size(what: str, batch_size: Any) -> int:
    """``batch_size``, if it is a whole number of at least 1."""
    if not isinstance(batch_size, int | np.integer) or isinstance(batch_size, bool) or batch_size < 1:
        raise ShapeError(f"{what}: batch_size {batch_size!r} given; it must be a whole number of at least 1")
    return int(batch_size)


def _count(what: str, num_samples: int | None) -> int | None:
    if num_samples is None:
        return None
    if not isinstance(num_samples, int | np.integer) or isinstance(num_samples, bool) or num_samples < 1:
        raise ShapeError(
            f"{what}: num_samples {num_samples!r} given; it must be a whole number of at least 1"
        )
    return int(num_samples)
