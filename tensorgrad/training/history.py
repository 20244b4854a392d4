"""What was measured, one row for each epoch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._errors import ShapeError
from ..viz.curves import learning_curves
from ..viz.svgfile import SVG


class History:
    """A table with a row for each epoch: ``history["loss"]`` is a list with one value for each.

    A value that was not measured in an epoch is None.

    Example:
        >>> history = History()
        >>> history.append(1, {"loss": 2.0})
        >>> history.append(2, {"loss": 1.5, "val_loss": 1.75})
        >>> history["loss"], history["val_loss"]
        ([2.0, 1.5], [None, 1.75])
        >>> print(history)
        epoch  loss  val_loss
        1         2
        2       1.5      1.75
    """

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []

    def append(self, epoch: int, values: Mapping[str, Any]) -> None:
        """Add the row of an epoch."""
        self.rows.append({"epoch": epoch, **values})

    @property
    def names(self) -> list[str]:
        """The names of the columns, in the order in which they came."""
        return list(dict.fromkeys(name for row in self.rows for name in row))

    def __len__(self) -> int:
        return len(self.rows)

    def __contains__(self, name: object) -> bool:
        return name in self.names

    def __getitem__(self, name: str) -> list[Any]:
        if name not in self.names:
            raise KeyError(f"history has no {name!r}; it has {', '.join(self.names) or 'no rows yet'}")
        return [row.get(name) for row in self.rows]

    def columns(self) -> dict[str, list[Any]]:
        """The columns without the numbers of the epochs, as `tensorgrad.viz.learning_curves` takes them."""
        return {name: self[name] for name in self.names if name != "epoch"}

    def plot(self, *, title: str = "") -> SVG:
        """Draw the learning curves: a panel for each measure that is a number, training and validation in it.

        Args:
            title: a heading.

        Returns:
            The picture, which a notebook shows; ``picture.save("curves.svg")`` writes it.

        Raises:
            ShapeError: nothing was measured yet.
        """
        drawn = {
            name: values for name, values in self.columns().items() if name != "lr" and _are_numbers(values)
        }
        if not drawn:
            raise ShapeError("history: there is nothing to plot yet")
        return learning_curves({"epoch": self["epoch"], **drawn}, title=title)

    def last(self, name: str) -> Any:
        """The newest value of a column."""
        return self[name][-1]

    def best(self, name: str, mode: str = "min") -> dict[str, Any]:
        """The row with the least (or greatest, for "max") value in a column; NaN is neither."""
        rows = [row for row in self.rows if row.get(name) is not None and row[name] == row[name]]
        if not rows:
            raise ShapeError(f"history: there is no value of {name!r} yet that is a number")
        return (min if mode == "min" else max)(rows, key=lambda row: row[name])

    def __str__(self) -> str:
        cells = [self.names, *([_shown(row.get(name)) for name in self.names] for row in self.rows)]
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        return "\n".join(
            "  ".join(
                [
                    cell.ljust(w) if not i else cell.rjust(w)
                    for i, (cell, w) in enumerate(zip(row, widths, strict=True))
                ]
            ).rstrip()
            for row in cells
        )

    __repr__ = __str__


def _are_numbers(values: list[Any]) -> bool:
    return all(value is None or isinstance(value, int | float) for value in values)


def _shown(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:.4g}" if isinstance(value, float) else str(value)
