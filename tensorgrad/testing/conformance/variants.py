"""Samples of a shape class that a row has none of, derived from the samples that it has.

Parameters stay as they are, so that a derived call may mean nothing to the op; then it has to refuse.
Each function yields more candidates than are needed: the op takes those that it can take.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from ..case import random_like, vary
from ..checks import whole
from ..samples import OpSamples, Sample, is_floating

Change = Callable[[Any], Any]


def empty(row: OpSamples) -> Iterator[Sample]:
    """Arrays with an axis of length 0."""
    return _cut(row, 0)


def size_one(row: OpSamples) -> Iterator[Sample]:
    """Arrays of one element that have axes."""
    for sample in _cut(row, 1):
        if all(a.size == 1 for a in sample.args):
            yield sample


def without_axes(row: OpSamples) -> Iterator[Sample]:
    """The first element of each array."""
    return _changed(row, {"the first element": lambda a: a[(0,) * a.ndim] if a.size else a})


def several_axes(row: OpSamples) -> Iterator[Sample]:
    """Two different arrays of a sample side by side, along a new axis in front or at the end."""
    changes: dict[str, Change] = {
        f"stacked along axis {axis}": partial(_beside, axis=axis) for axis in (0, -1)
    }
    for sample in _changed(row, changes):
        if any(a.ndim > 1 for a in sample.args):
            yield sample


def broadcast(row: OpSamples) -> Iterator[Sample]:
    """Arrays of different shapes: one of them has an axis more, or an axis of length 1."""
    changes: dict[str, Change] = {
        "an axis more": partial(_beside, axis=0),
        "an axis of length 1": lambda a: a[:1] if a.ndim else a,
    }
    return _changed(row, changes, alone=True)


def complex_numbers(row: OpSamples) -> Iterator[Sample]:
    """Floating arrays with imaginary parts."""
    return _changed(
        row,
        {"complex": lambda a: a + 0.25j * random_like(np.asarray(a), 3) if a.dtype.kind == "f" else a},
    )


def whole_numbers(row: OpSamples) -> Iterator[Sample]:
    """Integers in place of floating arrays."""
    return _changed(row, {"integers": lambda a: whole(a, "int64") if is_floating(a) else a})


# ---- parts


def _cut(row: OpSamples, length: int) -> Iterator[Sample]:
    cuts: dict[str, Change] = {
        f"axis 0 of length {length}": lambda a: a[:length] if a.ndim else a,
        f"the last axis of length {length}": lambda a: a[..., :length] if a.ndim else a,
        f"all axes of length {length}": lambda a: a[(slice(length),) * a.ndim],
    }
    return _changed(row, cuts)


def _changed(row: OpSamples, changes: dict[str, Change], *, alone: bool = False) -> Iterator[Sample]:
    """Each change of each sample: of all arrays, of the floating ones, of each one by itself."""
    for what, change in changes.items():
        for sample in row.samples:
            n = len(sample.args)
            floating = tuple([i for i, a in enumerate(sample.args) if is_floating(a)])
            singles = [(i,) for i in range(n)]
            choices = singles if alone else list(dict.fromkeys([tuple(range(n)), floating, *singles]))
            for chosen in choices:
                args = tuple([change(a) if i in chosen else a for i, a in enumerate(sample.args)])
                if any(
                    a.shape != b.shape or a.dtype != b.dtype for a, b in zip(args, sample.args, strict=True)
                ):
                    label = f"{what} in {_numbers(chosen)} of '{sample.label}'"
                    yield replace(sample, label=label, args=args)


def _beside(a: Any, axis: int) -> Any:
    return np.stack([a, vary(a, 1)], axis=axis)


def _numbers(chosen: tuple[int, ...]) -> str:
    return "argument" + "s" * (len(chosen) > 1) + " " + ", ".join(map(str, chosen))
