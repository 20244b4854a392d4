"""Where in the user's own code something happened."""

from __future__ import annotations

import os
import sys
from types import FrameType

_PACKAGE = os.path.dirname(__file__) + os.sep


def user_position() -> str:
    """``file:line`` of the innermost frame outside of this library, or ``<unknown>``."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        file = frame.f_code.co_filename
        # Generated op bodies have names in angle brackets; a notebook's cells are files by then.
        if not file.startswith((_PACKAGE, "<tensorgrad")):
            return f"{file}:{frame.f_lineno}"
        frame = frame.f_back
    return "<unknown>"
