"""What the loop takes as data: loaders, data sets and arrays, all as batches of input and target."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .._errors import DtypeError, ShapeError
from ..data import DataLoader, Dataset, TensorDataset


def as_batches(who: str, data: Any, batch_size: int, shuffle: Any, seed: Any) -> Any:
    """``data`` as something that gives batches each time it is iterated over.

    Raises:
        DtypeError: it can be read only once, or is of another kind.
        ShapeError: it is empty.
    """
    if isinstance(data, DataLoader):
        return data
    if isinstance(data, tuple) and len(data) == 2 and all(map(is_array, data)):
        data = TensorDataset(*data)
    if isinstance(data, Dataset):
        return DataLoader(data, batch_size, shuffle, generator=seed)
    if isinstance(data, Iterator) or not hasattr(data, "__iter__") or hasattr(data, "shape"):
        raise DtypeError(
            f"{who}: data is a {type(data).__name__}; a DataLoader, a data set, a pair of arrays (inputs, targets), or a "
            "list of batches (input, target) is needed"
        )
    if hasattr(data, "__len__") and not len(data):
        raise ShapeError(f"{who}: the data is empty")
    if isinstance(data, list | tuple) and not isinstance(data[0], list | tuple):
        raise DtypeError(
            f"{who}: data is a {type(data).__name__} of {len(data)} {type(data[0]).__name__}s; batches are pairs (input, "
            "target), and whole arrays are a tuple of two, (inputs, targets)"
        )
    return data


def is_array(value: Any) -> bool:
    """Whether a value is an array, a tensor, or numbers in nested lists; a list of arrays is batches."""
    if isinstance(value, list):
        return not any(isinstance(one, tuple) or getattr(one, "shape", ()) for one in value)
    return hasattr(value, "shape")


def split(batch: Any) -> tuple[tuple[Any, ...], Any]:
    """A batch as the arguments of the model and the target."""
    if not isinstance(batch, tuple | list) or len(batch) != 2:
        what = f"{len(batch)} parts" if isinstance(batch, tuple | list) else f"a {type(batch).__name__}"
        raise DtypeError(
            f"fit: a batch is {what}; a pair (input, target) is needed. For an autoencoder give the input twice; several "
            "inputs are a tuple"
        )
    inputs, target = batch
    return (tuple(inputs) if isinstance(inputs, tuple | list) else (inputs,)), target


def to_size(target: Any, inputs: tuple[Any, ...]) -> int:
    """How many examples a batch has."""
    for part in (target, *inputs):
        if getattr(part, "shape", ()):
            return int(part.shape[0])
    return 1
