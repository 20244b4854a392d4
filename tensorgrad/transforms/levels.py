"""The levels of the transformations that are open in this thread or task."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from .._config import WATCHED, get_mode
from .._primitive import Value
from .._tensor import fresh

_depth: ContextVar[int] = ContextVar("tensorgrad_depth", default=0)


def open_levels() -> int:
    """How many transformations with a level of their own are open."""
    return _depth.get()


def watched(value: Any) -> Any:
    """Plain data as a tensor while somebody watches, since operations on plain data are not shown."""
    return fresh(value) if get_mode() & WATCHED and not isinstance(value, Value) else value


@contextmanager
def new_level() -> Iterator[int]:
    """Open a level above all that are open; its number is at least 1."""
    level = _depth.get() + 1
    token = _depth.set(level)
    try:
        yield level
    finally:
        _depth.reset(token)
