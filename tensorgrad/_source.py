"""Lines of the user's code, for people: where they are, and what stands there."""

from __future__ import annotations

import linecache
from pathlib import Path


def shown(where: str) -> str:
    """A position ``file:line``, relative to the working folder if it lies inside.

    Example:
        >>> import os
        >>> shown(os.path.join(os.getcwd(), "model.py") + ":7")
        'model.py:7'
    """
    file, colon, line = where.rpartition(":")
    try:
        return f"{Path(file).relative_to(Path.cwd())}{colon}{line}"
    except (OSError, ValueError):
        return where


def source_line(where: str) -> str:
    """What stands at a position ``file:line``, without indentation; empty if that cannot be read.

    Example:
        >>> source_line(f"{__file__}:3")
        'from __future__ import annotations'
    """
    file, _, line = where.rpartition(":")
    return linecache.getline(file, int(line)).strip() if line.isdigit() else ""


def shortened(line: str, width: int) -> str:
    """A line cut to a width, with dots where something is missing.

    Example:
        >>> shortened("return cube(h).sum()", 12)
        'return c ...'
    """
    return line if len(line) <= width else f"{line[: width - 4]} ..."
