"""Pooling to a size that is given: windows as even as can be, the size of which follows."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..._errors import DtypeError, ShapeError
from ..dtype import astype
from ..elementwise import divide
from ..index import take_at
from .along import Window, window_sum
from .arguments import images
from .pool import maxima
from .resample import Plan, resample

Outputs = int | None | Sequence[int | None]


def adaptive_avg_pool1d(x: Any, output_size: Outputs) -> Any:
    """The means of ``output_size`` windows over the last axis, see `adaptive_avg_pool2d`.

    Shape:
        x ``(N, C, L)`` or ``(C, L)``.
    """
    return adaptive_mean("adaptive_avg_pool1d", 1, x, output_size)


def adaptive_avg_pool2d(x: Any, output_size: Outputs) -> Any:
    """The means of ``output_size`` windows along each of the last two axes.

    Window ``i`` of ``m`` over ``n`` elements runs from ``floor(i n / m)`` to ``ceil((i + 1) n / m)``, so
    neighbours may overlap by one element, and ``m`` may be larger than ``n``.

    Args:
        x: images, ``(N, C, H, W)`` or ``(C, H, W)``; the mean of integers is a float.
        output_size: the number of windows, one number or one for each axis; None keeps an axis as it is.

    Raises:
        ShapeError: ``output_size`` is less than 1, or an axis of ``x`` is empty.

    Example:
        >>> import tensorgrad as tg
        >>> tg.nn.functional.adaptive_avg_pool2d(tg.tensor([[[1.0, 2.0, 6.0]]]), (1, 2))
        tensor([[[1.5, 4. ]]])
    """
    return adaptive_mean("adaptive_avg_pool2d", 2, x, output_size)


def adaptive_avg_pool3d(x: Any, output_size: Outputs) -> Any:
    """The means of ``output_size`` windows along each of the last three axes, see `adaptive_avg_pool2d`.

    Shape:
        x ``(N, C, D, H, W)`` or ``(C, D, H, W)``.
    """
    return adaptive_mean("adaptive_avg_pool3d", 3, x, output_size)


def adaptive_max_pool1d(x: Any, output_size: Outputs, return_indices: bool = False) -> Any:
    """The maxima of ``output_size`` windows over the last axis, see `adaptive_max_pool2d`.

    Shape:
        x ``(N, C, L)`` or ``(C, L)``.
    """
    return _adaptive_max("adaptive_max_pool1d", 1, x, output_size, return_indices)


def adaptive_max_pool2d(x: Any, output_size: Outputs, return_indices: bool = False) -> Any:
    """The maxima of ``output_size`` windows along each of the last two axes.

    The windows are those of `adaptive_avg_pool2d`; of equal elements the first gets the gradient.

    Args:
        x: images, ``(N, C, H, W)`` or ``(C, H, W)``, of floats or integers.
        output_size: the number of windows, one number or one for each axis; None keeps an axis as it is.
        return_indices: also return the position of each maximum in its flattened image, as int64.

    Raises:
        ShapeError: ``output_size`` is less than 1, or an axis of ``x`` is empty.
        DtypeError: complex numbers, which have no order.

    Example:
        >>> import tensorgrad as tg
        >>> tg.nn.functional.adaptive_max_pool2d(tg.tensor([[[1.0, 2.0, 6.0]]]), (1, 2))
        tensor([[[2., 6.]]])
    """
    return _adaptive_max("adaptive_max_pool2d", 2, x, output_size, return_indices)


def adaptive_max_pool3d(x: Any, output_size: Outputs, return_indices: bool = False) -> Any:
    """The maxima of ``output_size`` windows along each of the last three axes, see `adaptive_max_pool2d`.

    Shape:
        x ``(N, C, D, H, W)`` or ``(C, D, H, W)``.
    """
    return _adaptive_max("adaptive_max_pool3d", 3, x, output_size, return_indices)


# ---- for any number of axes


def adaptive_mean(op: str, rank: int, x: Any, output_size: Any) -> Any:
    """The means of windows whose number is given for each of the last ``rank`` axes."""
    x = images(op, rank, x)
    counts = _counts(op, rank, x.shape, output_size)
    if x.dtype == np.float16:  # sums may be larger than float16 can hold
        return astype(adaptive_mean(op, rank, astype(x, np.float32), output_size), np.float16)
    x = x if x.dtype.kind in "fc" else astype(x, np.float64)
    for axis in range(-1, -rank - 1, -1):
        n, m = x.shape[axis], counts[axis]
        if n % m == 0:
            x = divide(window_sum(x, axis, Window(n // m, n // m, 0, 1, m)), n // m)
        else:
            x = resample(x, axis, Plan("area", n, m))
    return x


def _adaptive_max(op: str, rank: int, x: Any, output_size: Any, return_indices: bool) -> Any:
    x = images(op, rank, x)
    lengths, windows, tables = x.shape[-rank:], [], []
    for axis, m in enumerate(_counts(op, rank, x.shape, output_size)):
        n = lengths[axis]
        starts = np.arange(m) * n // m
        sizes = -(-np.arange(1, m + 1) * n // m) - starts
        k = int(sizes.max())
        # Windows of one size next to each other: shorter ones have their last element once more.
        table = (starts[:, None] + np.minimum(np.arange(k), sizes[:, None] - 1)).ravel()
        windows.append(Window(k, k, 0, 1, m))
        tables.append(table)
        if len(table) != n or sizes.min() < k:
            x = take_at(x, table, pattern=(..., "array", *[slice(None)] * (rank - axis - 1)))
    if not return_indices:
        return maxima(op, x, windows, False)
    y, found = maxima(op, x, windows, True)
    plane: Any = 0
    for table, n in zip(tables, lengths, strict=True):
        plane = np.add.outer(plane * n, table)
    return y, take_at(np.ravel(plane), found, pattern=("array",))


def _counts(op: str, rank: int, shape: tuple[int, ...], output_size: Any) -> list[int]:
    given = list(output_size) if isinstance(output_size, list | tuple) else [output_size] * rank
    if len(given) != rank:
        raise ShapeError(f"{op}: output_size {output_size} has {len(given)} numbers; {rank} are needed")
    try:
        counts = [n if m is None else operator.index(m) for n, m in zip(shape[-rank:], given, strict=True)]
    except TypeError:
        raise DtypeError(f"{op}: output_size is {output_size!r}; integers are needed") from None
    if min(*counts, *shape[-rank:]) < 1:
        raise ShapeError(f"{op}: output_size is {output_size} for x {shape}; at least 1 is needed of both")
    return counts
