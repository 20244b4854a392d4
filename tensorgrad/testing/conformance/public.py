"""The public functions that need a row of samples, and why the others need none."""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable
from typing import Any

from ..samples import COMPOSED, ROWS

NAMESPACES = (
    "tensorgrad",
    "tensorgrad.fft",
    "tensorgrad.linalg",
    "tensorgrad.special",
    "tensorgrad.nn.functional",
)
"""Where the ops are public."""

EXCUSED = {
    "describes dtypes or shapes, not values": "broadcast_shapes can_cast finfo iinfo isdtype result_type",
    "makes positions from numbers, not from arrays": "diag_indices indices tril_indices triu_indices",
    "the size of the result depends on the values, which no batch and no program can hold": (
        "argwhere flatnonzero intersect1d nonzero setdiff1d setxor1d trim_zeros union1d "
        "unique unique_all unique_consecutive unique_counts unique_inverse unique_values"
    ),
}
"""Public functions without a row, by the reason."""


def without_row() -> list[str]:
    """Public functions of the library's ops that have neither a row nor an excuse."""
    excused = {name for names in EXCUSED.values() for name in names.split()}
    return [name for name in functions_without_row() if name not in excused]


def functions_without_row() -> list[str]:
    """Public functions of the library's ops that are not cards, and have no row under their name or another."""
    rows = [*ROWS.values(), *COMPOSED.values()]
    tested = {row.name for row in rows} | {_name(row.op) for row in rows if row.op is not None}
    return sorted(
        {name for name, f in _functions() if not hasattr(f, "card") and _name(f) not in tested | {""}}
    )


def _functions() -> list[tuple[str, Callable[..., Any]]]:
    found = []
    for space in NAMESPACES:
        module = importlib.import_module(space)
        for name in dir(module):
            value = getattr(module, name)
            ours = getattr(value, "__module__", "") or ""
            if (
                not name.startswith("_")
                and callable(value)
                and not isinstance(value, type)
                and ours.startswith("tensorgrad.ops")
            ):
                found.append((name, value))
    return found


def _name(f: Any) -> str:
    return str(getattr(f.func if isinstance(f, functools.partial) else f, "__name__", ""))
