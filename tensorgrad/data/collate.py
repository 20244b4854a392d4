"""Samples joined to a batch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .._data import as_data
from .._errors import DtypeError, ShapeError
from .._specialise import plain
from .._tensor import fresh
from .._tree import flatten, flatten_like, unflatten

NUMERIC = np.ndarray | np.generic | bool | int | float | complex


def default_collate(samples: Sequence[Any]) -> Any:
    """Join samples to a batch: what stands at the same place in each is stacked into one tensor.

    Args:
        samples: at least one. They may be nested tuples, lists, dicts and dataclasses, all of the same
            structure. Arrays keep their dtype; Python's floats become the default one.

    Returns:
        The structure of one sample, with tensors that have one axis more, in front. Strings and bytes
        become lists.

    Raises:
        ShapeError: the structures or the shapes differ, or there are no samples.
        DtypeError: something is neither a number, an array, a tensor nor a string.

    Example:
        >>> default_collate([{"x": [1.0, 2.0], "name": "a"}, {"x": [3.0, 4.0], "name": "b"}])
        {'x': [tensor([1., 3.]), tensor([2., 4.])], 'name': ['a', 'b']}
    """
    if not samples:
        raise ShapeError("default_collate: no samples were given; it needs at least one")
    tree = flatten(samples[0])[1]
    columns = zip(*[flatten_like(tree, sample, "default_collate") for sample in samples], strict=True)
    return unflatten(
        tree, [_join(column, path) for column, path in zip(columns, tree.paths("sample"), strict=True)]
    )


def to_tensors(value: Any) -> Any:
    """The arrays and numbers in nested containers as tensors; anything else stays."""
    leaves, tree = flatten(value)
    return unflatten(
        tree,
        [fresh(plain(np.array(as_data(leaf)))) if isinstance(leaf, NUMERIC) else leaf for leaf in leaves],
    )


def _join(column: Sequence[Any], path: str) -> Any:
    if all(isinstance(one, str | bytes) for one in column):
        return list(column)
    if any(isinstance(one, str | bytes) or one is None for one in column):
        kinds = sorted({type(one).__name__ for one in column})
        raise DtypeError(
            f"default_collate: {path} is of kinds {kinds}, which do not go together; give collate_fn="
        )
    if all(type(one) in (bool, int, float) for one in column):
        return fresh(np.asarray(as_data(list(column))))
    arrays = [as_data(one) for one in column]
    shapes = list(dict.fromkeys(np.shape(one) for one in arrays))
    if len(shapes) > 1:
        raise ShapeError(
            f"default_collate: {path} has shapes {shapes}; pad them to one shape, or give collate_fn="
        )
    return fresh(np.stack(arrays))
