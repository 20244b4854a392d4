"""What an explanation consists of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ._symbols import Expr, Name, Slope


@dataclass(frozen=True)
class Line:
    """``name = form = form = numbers = value``.

    Args:
        name: what the line is about: a value, or a derivative.
        forms: equal formulas, from the rule to the result.
        numbers: the last form with numbers in place of names, if they were asked for and are few.
        value: the value, if values were asked for and it is known.
        linear: the line is about a derivative that is a linear map; the form says what becomes of a gradient
            ``G`` that arrives at the result.
    """

    name: Name | Slope
    forms: tuple[Expr, ...] = ()
    numbers: Expr | None = None
    value: Any = None
    linear: bool = False

    def __str__(self) -> str:
        from ._layout import line_text

        return line_text(self)


@dataclass(frozen=True)
class Known:
    """A pattern that was recognised: its name, where it was found, and where it can be read up.

    Args:
        title: what it is called.
        at: the name of the value that is computed so.
        source: a book, with the number of the equation.
    """

    title: str
    at: str
    source: str
