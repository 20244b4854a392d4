"""The levels of the transformations that are open in this thread or task."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_depth: ContextVar[int] = ContextVar("tensorgrad_depth", default=0)


def open_levels() -> int:
    """How many transformations with a level of their own are open."""
    return _depth.get()


@contextmanager
def new_level() -> Iterator[int]:
    """Open a level above all that are open; its number is at least 1."""
    level = _depth.get() + 1
    token = _depth.set(level)
    try:
        yield level
    finally:
        _depth.reset(token)
