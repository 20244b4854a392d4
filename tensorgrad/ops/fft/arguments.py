"""What the transforms are called with: signals, lengths, axes, norms."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any, SupportsIndex

import numpy as np

from ..._errors import DtypeError, ShapeError
from ..dtype import astype
from ..shape import Axis, as_sequence, concat, lifted, normalise_axes
from .cards import MIRRORED

Lengths = Sequence[SupportsIndex] | None


def signal(op: str, x: Any, real: bool = False) -> Any:
    """``x`` with axes and a floating dtype."""
    x = lifted(op, x)
    if real and x.dtype.kind == "c":
        raise DtypeError(
            f"{op}: x has dtype {x.dtype}; only real signals have a spectrum of which half says it all, "
            f"use tg.fft.{'ifft' if 'ih' in op else 'fft'}{op.rpartition('fft')[2]} for complex ones"
        )
    return x if x.dtype.kind in "fc" else astype(x, np.float64)


def known(op: str, norm: str | None) -> str:
    """The norm, or an error."""
    if norm is None:
        return "backward"
    if not isinstance(norm, str) or norm not in MIRRORED:
        raise ShapeError(f"{op}: norm is {norm!r}; 'backward', 'ortho' or 'forward' is meant")
    return norm


def mirrored(op: str, norm: str | None) -> str:
    """The norm that has the factor on the other side."""
    return MIRRORED[known(op, norm)]


def places(op: str, x: Any, s: Lengths, axes: Axis) -> tuple[tuple[int, ...], list[int | None]]:
    """The axes as numbers from 0, and the length meant for each: None for the one that it has."""
    if s is None:
        chosen = normalise_axes(op, axes, x.ndim)
        return chosen, [None] * len(chosen)
    given = as_sequence(s)
    if axes is None:
        if len(given) > x.ndim:
            raise ShapeError(f"{op}: s is {tuple(given)}, for more axes than x of shape {x.shape} has")
        axes = range(x.ndim - len(given), x.ndim)
    chosen = normalise_axes(op, axes, x.ndim)
    if len(given) != len(chosen):
        raise ShapeError(f"{op}: s is {tuple(given)} for axes {chosen}; one length for each is needed")
    lengths = [_index(op, "s", n) for n in given]
    return chosen, [x.shape[axis] if n == -1 else n for n, axis in zip(lengths, chosen, strict=True)]


def length(op: str, n: SupportsIndex | None, default: int) -> int:
    """The number of points to transform."""
    points = default if n is None else _index(op, "n", n)
    if points < 1:
        raise ShapeError(f"{op}: {points} points to transform; 1 or more are needed, which n can say")
    return points


def resized(x: Any, axis: int, n: int) -> Any:
    """``x`` of length n along an axis, cut or with zeros behind."""
    before = x.shape[axis]
    if n == before:
        return x
    if n < before:
        return x[(*(slice(None),) * axis, slice(n))]
    zeros = np.zeros((*x.shape[:axis], n - before, *x.shape[axis + 1 :]), x.dtype)
    return concat([x, zeros], axis=axis)


def _index(op: str, name: str, n: Any) -> int:
    try:
        return operator.index(n)
    except TypeError:
        raise DtypeError(f"{op}: {name} has {n!r} in it; whole numbers are needed") from None
