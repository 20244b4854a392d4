"""A value or a gradient in numbers: extremes, moments, a histogram, and what is wrong with it."""

from __future__ import annotations

from functools import lru_cache
from math import isfinite
from typing import Any

import numpy as np

from .graph import Stats

BINS = 16


def stats_of(array: Any, values: int = 64) -> Stats:
    """Measure an array.

    Args:
        array: of any dtype.
        values: keep all entries of an array of at most this size.

    Returns:
        Its `Stats`. Sums are made in float64, so that those of half precision do not overflow.

    Example:
        >>> import numpy as np
        >>> found = stats_of(np.array([0.0, 3.0, 4.0, np.nan]))
        >>> found.nans, found.zeros, found.high, found.norm
        (1, 1, 4.0, 5.0)
    """
    array = np.asarray(array)
    shape, dtype = array.shape, dtype_name(array.dtype)
    kept = tuple(array.ravel().tolist()) if array.size <= values else None
    if not array.ndim and array.dtype.kind == "f":
        return _of_number(float(array), dtype, kept)
    flat = np.abs(array).ravel() if array.dtype.kind == "c" else array.ravel()
    nans = infs = 0
    if flat.size and flat.dtype.kind == "f":
        with np.errstate(invalid="ignore", over="ignore"):
            extremes = float(flat.min()), float(flat.max())
        if not np.isfinite(extremes).all():
            finite = np.isfinite(flat)
            nans = int(np.count_nonzero(np.isnan(flat)))
            infs = flat.size - int(np.count_nonzero(finite)) - nans
            flat = flat[finite]
    if not flat.size:
        return Stats(shape, dtype, nans, infs, values=kept)
    zeros = flat.size - int(np.count_nonzero(flat))
    wide = flat.astype(np.float64, copy=False)
    low, high = float(wide.min()), float(wide.max())
    # Scaled, so that squares of numbers near the largest float64 do not overflow.
    scale = max(abs(low), abs(high)) or 1.0
    scaled = wide / scale if scale > 1e150 or scale < 1e-150 else wide
    unit = scale if scaled is not wide else 1.0
    mean = float(scaled.mean())
    centred = scaled - mean
    return Stats(
        shape=shape,
        dtype=dtype,
        nans=nans,
        infs=infs,
        zeros=zeros,
        low=low,
        high=high,
        mean=min(max(mean * unit, low), high),
        std=float(np.sqrt(np.dot(centred, centred) / flat.size)) * unit,
        norm=float(np.sqrt(np.dot(scaled, scaled))) * unit,
        histogram=_histogram(wide, low, high),
        values=kept,
    )


@lru_cache
def dtype_name(dtype: Any) -> str:
    """The name of a dtype; NumPy puts it together anew each time."""
    return str(dtype)


def _of_number(x: float, dtype: str, kept: tuple[Any, ...] | None) -> Stats:
    """The same for a single number, of which a long chain has very many."""
    if not isfinite(x):
        return Stats((), dtype, nans=int(x != x), infs=int(x == x), values=kept)
    return Stats((), dtype, 0, 0, int(x == 0), x, x, x, 0.0, abs(x), (1,), kept)


def _histogram(wide: Any, low: float, high: float) -> tuple[int, ...]:
    """How many entries lie in each of `BINS` equal bins, the last of which holds its upper end too."""
    width = high - low
    if not 0 < width < float("inf"):
        return (wide.size,)
    places = ((wide - low) * (BINS / width)).astype(np.intp) if BINS / width < float("inf") else None
    if places is None:
        return (wide.size,)
    return tuple(np.bincount(np.minimum(places, BINS - 1), minlength=BINS).tolist())
