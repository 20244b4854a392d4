"""Where in the user's own code something happened, and what its variables hold there."""

from __future__ import annotations

import os
import sys
from inspect import CO_OPTIMIZED
from types import CodeType, FrameType
from typing import Any

_PACKAGE = os.path.dirname(__file__) + os.sep
_is_ours: dict[str, bool] = {}  # by file name


def user_frame(depth: int = 1) -> FrameType | None:
    """The innermost frame outside of this library, from ``depth`` frames above the caller on."""
    frame: FrameType | None = sys._getframe(depth)
    while frame is not None:
        file = frame.f_code.co_filename
        ours = _is_ours.get(file)
        if ours is None:
            # Generated op bodies have names in angle brackets; a notebook's cells are files by then.
            ours = _is_ours[file] = file.startswith((_PACKAGE, "<tensorgrad"))
        if not ours:
            return frame
        frame = frame.f_back
    return None


def user_position() -> str:
    """``file:line`` of the innermost frame outside of this library, or ``<unknown>``."""
    frame = user_frame(2)
    return "<unknown>" if frame is None else f"{frame.f_code.co_filename}:{frame.f_lineno}"


def variables(frame: FrameType | None) -> dict[str, Any]:
    """What the variables of a frame hold, and after them the globals that its code mentions; no private names."""
    if frame is None:
        return {}
    held = frame.f_locals
    found = dict(held)
    for name in frame.f_code.co_names:
        if name in frame.f_globals:
            found.setdefault(name, frame.f_globals[name])
    # Before Python 3.13 a function's frame keeps this copy, and all that is in it, alive. It is also what `locals()`
    # gives, so that it is the user's if more than the frame, this function and the count refer to it.
    if frame.f_code.co_flags & CO_OPTIMIZED and type(held) is dict and sys.getrefcount(held) <= 3:
        held.clear()
    return {name: value for name, value in found.items() if not name.startswith("_")}


def line_of(code: CodeType, instruction: int) -> int:
    """The line of an instruction, by its offset in bytes (``frame.f_lasti``)."""
    for start, end, line in code.co_lines():
        if start <= instruction < end and line is not None:
            return line
    return code.co_firstlineno
