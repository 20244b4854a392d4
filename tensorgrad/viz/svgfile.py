"""A picture as text that notebooks show and that can be saved."""

from __future__ import annotations

import os
import re
from pathlib import Path


class SVG(str):
    """The text of an SVG file: a string, which notebooks show as the picture.

    Example:
        >>> from tensorgrad.viz import line_chart
        >>> picture = line_chart({"loss": ([1, 2], [0.9, 0.4])})
        >>> picture.startswith("<svg"), picture
        (True, <SVG of 564 x 306>)
    """

    __slots__ = ()

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the picture to a file.

        Args:
            path: where to, with the ending ``.svg``.

        Returns:
            The path.

        Raises:
            ValueError: the ending is another one; what is written is SVG whatever the name says.
        """
        file = Path(path)
        if file.suffix.lower() != ".svg":
            raise ValueError(f"save: {file.name!r} does not end in .svg, and this picture is an SVG file")
        file.write_text(self, encoding="utf-8")
        return file

    def _repr_svg_(self) -> str:
        return str(self)

    def __str__(self) -> str:
        return self[:]

    def __repr__(self) -> str:
        sides = re.findall(r'(?:width|height)="([\d.]+)"', self[:1000])[:2]
        return f"<SVG of {' x '.join(f'{float(side):.0f}' for side in sides)}>"
