"""Our error for one that NumPy raised: the op, its arguments with shapes and dtypes, what is wrong."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ._data import first_line
from ._errors import DtypeError, IndexingError, ShapeError, TensorgradError
from ._primitive import Primitive


def explain(card: Primitive, data: Sequence[Any], params: Sequence[Any], error: Exception) -> Exception:
    """Our error for one that NumPy raised: the op, its arguments with shapes and dtypes, what is wrong."""
    if isinstance(error, TensorgradError):
        return error
    shapes = [getattr(d, "shape", ()) for d in data]
    names = [card.input_of(i) for i in range(len(data))]
    if isinstance(error, TypeError):
        inputs = ", ".join(
            f"{n} {getattr(d, 'dtype', type(d).__name__)}" for n, d in zip(names, data, strict=True)
        )
        return DtypeError(f"{card.name}: cannot be applied to {inputs} ({first_line(error)})")
    known = [f"{n} {s}" for n, s in zip(names, shapes, strict=True)]
    if len(known) > 4:
        known = [*known[:2], "...", f"{known[-1]} ({len(known)} in all)"]
    inputs = " and ".join(known)
    if card.broadcasts and card.kind != "bilinear" and not _broadcast(shapes):
        return ShapeError(
            f"{card.name}: {inputs} do not broadcast; lengths must be equal or 1, counted from the last axis"
        )
    settings = "".join(f", {n}={p!r}" for n, p in zip(card.params, params, strict=True))
    kind = (
        IndexingError if isinstance(error, IndexError) and not isinstance(error, ValueError) else ShapeError
    )
    if isinstance(error, OverflowError):
        kind = DtypeError  # type: ignore[assignment]
    return kind(f"{card.name}: {inputs}{settings}: {first_line(error)}")


def _broadcast(shapes: Sequence[tuple[int, ...]]) -> bool:
    try:
        np.broadcast_shapes(*shapes)
    except ValueError:
        return False
    return True
