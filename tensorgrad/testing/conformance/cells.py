"""What a conformance table is made of: cells, rows, and the table that counts them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field

CHECKED = "checked"
REFUSED = "refused"
NOT_APPLICABLE = "not applicable"
DUE = "due"
FAILED = "failed"
MISSING = "missing"

STATES = {
    CHECKED: "samples of this class went through the checks",
    REFUSED: "every call of this class raised an error of ours",
    NOT_APPLICABLE: "the class means nothing for this op; the cell says why",
    DUE: "not run, but a run would check it; only in tables made with `run=False`",
    FAILED: "a check failed, or a call raised an error that is not one of ours",
    MISSING: "nothing covers the cell",
}
"""Each state of a cell, and what it means."""


@dataclass(frozen=True)
class Cell:
    """One op in one column.

    Attributes:
        state: one of `STATES`.
        count: how many samples were checked.
        why: the reason of a cell that is not applicable, the message of one that is refused or failed.
        derived: whether the samples were cut or stacked from others, because the row has none of the class.
    """

    state: str
    count: int = 0
    why: str = ""
    derived: bool = False


@dataclass(frozen=True)
class Row:
    """One op of the table.

    Attributes:
        name: of the op, as in the registry or in the table of samples.
        family: the title of its family.
        kind: the kind of its card, or ``"composed"`` for a function that is made of ops.
        samples: how many samples it has.
        cells: a cell for each column, by the column's name.
    """

    name: str
    family: str
    kind: str
    samples: int
    cells: dict[str, Cell] = field(default_factory=dict)

    def problems(self) -> list[str]:
        """A line for each cell that is failed or missing."""
        return [
            f"{self.name}, {column}: {cell.state}" + (f": {cell.why}" if cell.why else "")
            for column, cell in self.cells.items()
            if cell.state in (FAILED, MISSING)
        ]


@dataclass(frozen=True)
class Table:
    """The conformance of ops: one row for each, in the order of the families.

    Attributes:
        rows: the rows.
        columns: names of the columns.

    Example:
        >>> table = Table((Row("sin", "trigonometry", "elementwise", 5, {"first": Cell("checked", 5)}),), ("first",))
        >>> table.ok, table.count()["checked"]
        (True, 1)
    """

    rows: tuple[Row, ...]
    columns: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """Whether no cell is failed or missing."""
        return not self.problems()

    def problems(self) -> list[str]:
        """A line for each cell that is failed or missing."""
        return [line for row in self.rows for line in row.problems()]

    def count(self, column: str | None = None) -> Counter[str]:
        """How many cells are in each state, in one column or in all."""
        return Counter(
            cell.state for row in self.rows for name, cell in row.cells.items() if column in (None, name)
        )

    def families(self) -> dict[str, list[Row]]:
        """The rows by the title of their family."""
        found: dict[str, list[Row]] = {}
        for row in self.rows:
            found.setdefault(row.family, []).append(row)
        return found

    def cells(self, state: str) -> Iterator[tuple[Row, str, Cell]]:
        """Row, column and cell of every cell in a state."""
        for row in self.rows:
            for column, cell in row.cells.items():
                if cell.state == state:
                    yield row, column, cell

    def to_json(self) -> str:
        """The table for machines: a list of rows."""
        return json.dumps([asdict(row) for row in self.rows], indent=1)

    def __str__(self) -> str:
        from .page import text

        return text(self)
