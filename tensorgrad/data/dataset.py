"""Data sets: samples by their number, or one after another.

A data set is anything with ``__len__`` and ``__getitem__``; a list will do. One that can fetch many
samples at once says how in `Dataset.batch`, and a loader asks once for a batch rather than for each sample.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._data import as_data
from .._errors import DtypeError, IndexingError, ShapeError
from .._specialise import plain
from .._tensor import Tensor, fresh
from .collate import default_collate


class Dataset:
    """Samples by their number: the base of data sets, with ``__len__`` and ``__getitem__`` to be defined.

    Example:
        >>> class Squares(Dataset):
        ...     def __len__(self):
        ...         return 10
        ...     def __getitem__(self, index):
        ...         return float(index), index**2
        >>> Squares().batch([2, 3])
        (tensor([2., 3.]), tensor([4, 9]))
    """

    def __len__(self) -> int:
        """The number of samples."""
        raise NotImplementedError(f"{type(self).__name__} lacks __len__, the number of its samples")

    def __getitem__(self, index: Any) -> Any:
        """The sample of a number."""
        raise NotImplementedError(f"{type(self).__name__} lacks __getitem__, which gives a sample")

    def batch(self, indices: Sequence[int] | NDArray[np.integer[Any]]) -> Any:
        """The samples of these numbers, joined; define it where that is faster than one at a time."""
        return default_collate([self[int(index)] for index in indices])

    def __add__(self, other: Any) -> ConcatDataset:
        return ConcatDataset([self, other])


class TensorDataset(Dataset):
    """Arrays side by side: sample ``i`` is the tuple of their rows ``i``, as tensors of the same dtypes.

    Args:
        arrays: arrays, tensors without gradients, or lists, all of the same length. Arrays are not copied.

    Raises:
        ShapeError: the lengths differ, or nothing was given.

    Example:
        >>> dataset = TensorDataset([[1.0, 2.0], [3.0, 4.0]], [0, 1])
        >>> dataset[1]
        (tensor([3., 4.]), tensor(1))
        >>> dataset.batch([1, 0])
        (tensor([[3., 4.],
                [1., 2.]]), tensor([1, 0]))
    """

    def __init__(self, *arrays: Any) -> None:
        self.arrays: tuple[NDArray[Any], ...] = tuple(np.asarray(as_data(array)) for array in arrays)
        shapes = [array.shape for array in self.arrays]
        if not shapes or () in shapes or len({shape[0] for shape in shapes}) > 1:
            raise ShapeError(
                f"TensorDataset: arrays of shapes {shapes}; one number of rows is needed for all"
            )

    @property
    def tensors(self) -> tuple[Tensor, ...]:
        """The whole arrays, copied, as tensors."""
        return tuple(fresh(array.copy()) for array in self.arrays)

    def __len__(self) -> int:
        return len(self.arrays[0])

    def __getitem__(self, index: Any) -> tuple[Tensor, ...]:
        return tuple(fresh(plain(np.array(array[index]))) for array in self.arrays)

    def batch(self, indices: Sequence[int] | NDArray[np.integer[Any]]) -> tuple[Tensor, ...]:
        """The rows of these numbers: one copy of each array."""
        rows = np.asarray(indices)
        return tuple(fresh(array.take(rows, axis=0)) for array in self.arrays)


class Subset(Dataset):
    """The samples of another data set at the given numbers, in the given order.

    Args:
        dataset: where the samples are.
        indices: their numbers there.

    Raises:
        IndexingError: a number lies outside the data set.
    """

    def __init__(self, dataset: Any, indices: Sequence[int] | NDArray[np.integer[Any]]) -> None:
        self.dataset = dataset
        self.indices = checked_indices("Subset", indices, len(dataset))

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return Subset(self.dataset, self.indices[index])
        return self.dataset[int(self.indices[index])]

    def batch(self, indices: Sequence[int] | NDArray[np.integer[Any]]) -> Any:
        """The samples of these numbers, joined as the other data set does."""
        return fetch(self.dataset, self.indices[np.asarray(indices)])


class ConcatDataset(Dataset):
    """Data sets one after another, as one; ``a + b`` makes it of two.

    Args:
        datasets: at least one.

    Example:
        >>> both = TensorDataset([1.0, 2.0]) + TensorDataset([3.0])
        >>> len(both), both[2]
        (3, (tensor(3.),))
    """

    def __init__(self, datasets: Iterable[Any]) -> None:
        self.datasets = list(datasets)
        if not self.datasets:
            raise ShapeError("ConcatDataset: no data sets were given; it needs at least one")
        self.ends = np.cumsum([len(dataset) for dataset in self.datasets])

    def __len__(self) -> int:
        return int(self.ends[-1])

    def __getitem__(self, index: Any) -> Any:
        (place,) = checked_indices("ConcatDataset", [index], len(self))
        part = int(np.searchsorted(self.ends, place, side="right"))
        return self.datasets[part][int(place - self.ends[part]) + len(self.datasets[part])]


class StackDataset(Dataset):
    """Data sets side by side: sample ``i`` has sample ``i`` of each, in a tuple or by name.

    Args:
        args: data sets of the same length.
        kwargs: the same, by name; either these or those.

    Raises:
        ShapeError: the lengths differ, or none or both were given.

    Example:
        >>> StackDataset([1.0, 2.0], [3, 4])[1], StackDataset(x=[1.0, 2.0], y=[3, 4])[0]
        ((2.0, 4), {'x': 1.0, 'y': 3})
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.datasets: Any = kwargs or args
        lengths = {len(dataset) for dataset in (*args, *kwargs.values())}
        if len(lengths) != 1 or (args and kwargs):
            raise ShapeError(
                f"StackDataset: data sets of lengths {sorted(lengths)}; one length, and all or none by name, are needed"
            )

    def __len__(self) -> int:
        return len(
            next(iter(self.datasets.values())) if isinstance(self.datasets, dict) else self.datasets[0]
        )

    def __getitem__(self, index: Any) -> Any:
        if isinstance(self.datasets, dict):
            return {name: dataset[index] for name, dataset in self.datasets.items()}
        return tuple(dataset[index] for dataset in self.datasets)


class IterableDataset:
    """Samples one after another, of a number that need not be known: define ``__iter__``.

    A loader draws them in its own thread. Where they are drawn at random, take the numbers from
    ``tg.default_generator()``: the loader sets it for each batch.

    Example:
        >>> class Countdown(IterableDataset):
        ...     def __iter__(self):
        ...         return iter([3, 2, 1])
        >>> from tensorgrad.data import DataLoader
        >>> list(DataLoader(Countdown(), batch_size=2))
        [tensor([3, 2]), tensor([1])]
    """

    def __iter__(self) -> Iterator[Any]:
        raise NotImplementedError(f"{type(self).__name__} lacks __iter__, which gives the samples")


class ChainDataset(IterableDataset):
    """Iterable data sets one after another, as one.

    Args:
        datasets: each anything that can be iterated.

    Example:
        >>> list(ChainDataset([[1, 2], [3]]))
        [1, 2, 3]
    """

    def __init__(self, datasets: Iterable[Any]) -> None:
        self.datasets = datasets

    def __iter__(self) -> Iterator[Any]:
        return chain.from_iterable(self.datasets)


def fetch(dataset: Any, indices: Sequence[int] | NDArray[np.integer[Any]]) -> Any:
    """The samples of these numbers, joined: at once if the data set can, else one at a time."""
    if isinstance(dataset, np.ndarray | Tensor):
        return TensorDataset(dataset).batch(indices)[0]
    if _fetches_batches(dataset):
        return dataset.batch(indices)
    return default_collate([dataset[int(index)] for index in indices])


def only_copies(dataset: Any) -> bool:
    """Whether `fetch` copies rows of arrays and does nothing else, so that nothing can be drawn."""
    if type(dataset) is Subset:
        return only_copies(dataset.dataset)
    return type(dataset) in (TensorDataset, np.ndarray, Tensor)


def checked_indices(
    what: str, indices: Sequence[int] | NDArray[np.integer[Any]], length: int
) -> NDArray[np.intp]:
    """Numbers of samples, counted from the front, if there are samples of these numbers."""
    found = np.asarray(indices)
    if found.ndim != 1:
        raise ShapeError(f"{what}: indices of shape {found.shape}; a list of numbers is needed")
    if found.size and found.dtype.kind not in "iu":
        raise DtypeError(f"{what}: indices of dtype {found.dtype}; whole numbers are needed")
    outside = found[(found < -length) | (found >= length)]
    if outside.size:
        raise IndexingError(f"{what}: index {outside[0]} given, but there are {length} samples")
    found = found.astype(np.intp)
    return np.where(found < 0, found + length, found)


def _fetches_batches(dataset: Any) -> bool:
    """Whether ``batch`` knows of ``__getitem__``: a class that redefines the latter alone means it for batches, too."""
    if isinstance(dataset, Dataset):
        for kind in type(dataset).__mro__:
            if "batch" in vars(kind) or "__getitem__" in vars(kind):
                return "batch" in vars(kind)
    return False
