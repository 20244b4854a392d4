"""Where a gradient is wrong: the relative error of each entry, as a small table."""

from __future__ import annotations

from typing import Any

import numpy as np

from .comparison import Comparison

CELLS = 16
"""Up to so many rows and columns."""

ErrorMap = tuple[tuple[float, ...], ...]


def error_map(x: Any, one: Comparison) -> ErrorMap:
    """The relative errors of the gradient of ``x``: 0 where it is right, the largest of a block where it is large.

    The last axis of ``x`` runs from left to right, all others from top to bottom.

    Args:
        x: the input.
        one: what the rule says about it beside what differences say.

    Returns:
        At most `CELLS` rows of at most `CELLS` numbers; nothing if not every entry was looked at, or there
        is only one.
    """
    parts = 2 if x.dtype.kind == "c" else 1
    if x.size < 2 or one.columns.size != x.size * parts:
        return ()
    numeric = np.where(np.isfinite(one.numeric.value), one.numeric.value, 0)
    size = np.abs(numeric).max(axis=0, initial=0)
    size = np.where(size > 0, size, np.abs(numeric).max(initial=0) or 1.0)
    with np.errstate(all="ignore"):
        off = np.where(one.wrong, np.abs(one.analytic - one.numeric.value) / size, 0)
    errors = np.nan_to_num(off, nan=np.inf).max(axis=0, initial=0)
    table = errors.reshape(-1, x.shape[-1], parts).max(axis=2)
    for axis, length in enumerate(table.shape):
        starts = np.arange(min(length, CELLS)) * length // min(length, CELLS)
        table = np.maximum.reduceat(table, starts, axis=axis)
    return tuple([tuple([float(v) for v in row]) for row in table])
