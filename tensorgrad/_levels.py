"""The levels of the transformations that are open in this thread or task.

No two transformations share a number, so that a value which outlives its own is not taken for one of
another; one that was opened later has the higher number, and processes a call first.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from itertools import count

from ._errors import TraceError

_numbers = count(1).__next__
_open: ContextVar[frozenset[float]] = ContextVar("tensorgrad_levels", default=frozenset())
opened = _open.get
"""The levels that are open in this thread or task; `reopened` opens them again."""


def open_levels() -> int:
    """How many transformations with a level of their own are open."""
    return len(opened())


@contextmanager
def new_level() -> Iterator[int]:
    """Open a level above all that are open."""
    level = _numbers()
    token = _open.set(_open.get() | {level})
    try:
        yield level
    finally:
        _open.reset(token)


def check_open(level: float) -> None:
    """Raise if the transformation that a value belongs to has ended, or runs in another thread."""
    if level not in _open.get():
        raise TraceError(
            "a value of a transformation (tg.grad, tg.vmap, tg.jvp) was used after it ended, or in another thread; "
            "return what is needed later from the transformed function"
        )


@contextmanager
def reopened(levels: frozenset[float]) -> Iterator[None]:
    """Open levels again that were open before: for what holds values of theirs and runs after they ended."""
    token = _open.set(_open.get() | levels)
    try:
        yield
    finally:
        _open.reset(token)
