"""The arguments that functions of windows share: sizes, one number or one for each axis."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..._errors import DtypeError, ShapeError
from ..shape import lifted
from .along import Window

Sizes = int | Sequence[int]


def images(op: str, rank: int, x: Any) -> Any:
    """``x`` as a tensor or array with ``rank`` axes to slide over, and one or two before them."""
    x = lifted(op, x)
    if x.ndim not in (rank + 1, rank + 2):
        axes = ", ".join("DHW"[-rank:] if rank > 1 else "L")
        raise ShapeError(f"{op}: x has shape {x.shape}; (N, C, {axes}) or (C, {axes}) is needed")
    return x


def per_axis(op: str, name: str, rank: int, value: Any, least: int) -> tuple[int, ...]:
    """One number, or one for each axis, as one for each axis."""
    try:
        given = [operator.index(n) for n in value] if np.ndim(value) else [operator.index(value)] * rank
    except TypeError:
        raise DtypeError(f"{op}: {name} is {value!r}; integers are needed") from None
    given = given * rank if len(given) == 1 else given
    if len(given) != rank:
        raise ShapeError(f"{op}: {name} {value} has {len(given)} numbers; one, or {rank}, are needed")
    if min(given) < least:
        raise ShapeError(f"{op}: {name} is {value}; at least {least} is needed")
    return tuple(given)


def windows_for(
    op: str,
    rank: int,
    shape: tuple[int, ...],
    kernel_size: Any,
    stride: Any,
    padding: Any,
    dilation: Any,
    ceil_mode: bool,
) -> tuple[Window, ...]:
    """The windows along each of the last axes of ``shape``."""
    kernel = per_axis(op, "kernel_size", rank, kernel_size, 1)
    steps = per_axis(op, "stride", rank, kernel if stride is None else stride, 1)
    pads = per_axis(op, "padding", rank, padding, 0)
    apart = per_axis(op, "dilation", rank, dilation, 1)
    made = []
    for n, k, s, p, d in zip(shape[-rank:], kernel, steps, pads, apart, strict=True):
        extent = d * (k - 1) + 1
        if 2 * p > extent:
            raise ShapeError(f"{op}: padding {p} is more than half of a window of extent {extent}")
        rest = n + 2 * p - extent
        count = (rest + (s - 1 if ceil_mode else 0)) // s + 1
        if n < 1 or count < 1:
            raise ShapeError(f"{op}: a window of extent {extent} does not fit {n} elements padded by {p}")
        # The last window has to start before the padding behind.
        count -= ceil_mode and (count - 1) * s >= n + p
        made.append(Window(k, s, p, d, count))
    return tuple(made)
