"""Tables from CSV files: a column of numbers or of categories under each name."""

from __future__ import annotations

import csv
import os
from collections.abc import Collection, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

import numpy as np
from numpy.typing import DTypeLike, NDArray

from .._config import get_default_dtype
from .._errors import DtypeError, FileFormatError

MISSING = ("", "?", "NA", "N/A", "NaN", "nan", "null", "None")


@dataclass(frozen=True)
class Table:
    """Columns by name.

    Args:
        columns: arrays of one length: int64, float64 with NaN where a number is missing, or codes of categories.
        categories: for the columns that hold codes, what each code means; a missing value has the code -1.
    """

    columns: dict[str, NDArray[Any]]
    categories: dict[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def names(self) -> list[str]:
        """The names of the columns, in their order."""
        return list(self.columns)

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()), ()))

    def __getitem__(self, name: str) -> NDArray[Any]:
        if name not in self.columns:
            raise KeyError(f"no column {name!r}; there are {self.names}")
        return self.columns[name]

    def matrix(
        self, names: Sequence[str] | None = None, *, one_hot: bool = False, dtype: DTypeLike | None = None
    ) -> NDArray[Any]:
        """Columns side by side, as the rows that a model takes.

        Args:
            names: which columns, by default all.
            one_hot: give a column of categories one column for each; a missing value has zeros in all.
            dtype: of the result, by default the default float.

        Raises:
            DtypeError: a column holds categories, and ``one_hot`` is False: codes are no quantities.
        """
        made = []
        for name in self.names if names is None else names:
            column = self[name]
            if name not in self.categories:
                made.append(column[:, None])
            elif one_hot:
                made.append(column[:, None] == np.arange(len(self.categories[name])))
            else:
                raise DtypeError(
                    f"Table.matrix: column {name!r} holds categories; leave it out, or give one_hot=True"
                )
        wanted = get_default_dtype() if dtype is None else dtype
        return np.concatenate([np.empty((len(self), 0)), *made], axis=1).astype(wanted)


def read_csv(
    path: str | os.PathLike[str] | TextIO,
    *,
    delimiter: str = ",",
    header: bool = True,
    names: Sequence[str] | None = None,
    missing: Collection[str] = MISSING,
    numbers: Collection[str] = (),
    categorical: Collection[str] = (),
    encoding: str = "utf-8-sig",
) -> Table:
    """Read a table from a CSV file. A column is one of numbers if all its values are, else of categories.

    Args:
        path: the file, or an open one. Quotes and line ends are those of Python's ``csv`` module; empty lines are left out.
        delimiter: what stands between the values of a line.
        header: whether the first line holds the names of the columns.
        names: their names, if there is no header or others are wanted.
        missing: what stands for a value that is missing; spaces around values do not count.
        numbers: names of columns that must be numbers; an error tells the line that has none.
        categorical: names of columns that are categories even where all values are numbers.
        encoding: of the file.

    Returns:
        A `Table`. Whole numbers are int64, numbers with points or gaps float64; categories are sorted.

    Raises:
        FileFormatError: a line has more or fewer values than the first one, or a value is no number where one must
            be; the message names the line and the column.

    Example:
        >>> import io
        >>> file = io.StringIO(chr(10).join(["name,age,weight", "Minka,3,4.5", "Tom,12,?"]))
        >>> table = read_csv(file)
        >>> table["age"], table["weight"], table["name"], table.categories
        (array([ 3, 12]), array([4.5, nan]), array([0, 1]), {'name': ('Minka', 'Tom')})
    """
    lines: list[int] = []
    rows: list[list[str]] = []
    with ExitStack() as stack:
        file: Any = path
        if isinstance(path, str | os.PathLike):
            file = stack.enter_context(Path(path).open(encoding=encoding, newline=""))
        reader = csv.reader(file, delimiter=delimiter, strict=True)
        try:
            for row in reader:
                if row:
                    rows.append([value.strip() for value in row])
                    lines.append(reader.line_num)
        except (csv.Error, UnicodeDecodeError) as error:
            raise FileFormatError(f"{path}: line {reader.line_num}: {error}") from None
    if not rows:
        raise FileFormatError(f"{path}: the file has no lines")
    first = rows.pop(0) if header else None
    lines = lines[1:] if header else lines
    titles = list(names or first or [str(place) for place in range(len(rows[0]))])
    if len(set(titles)) < len(titles):
        twice = next(name for name in titles if titles.count(name) > 1)
        raise FileFormatError(f"{path}: two columns are called {twice!r}; give names=")
    for line, row in zip(lines, rows, strict=True):
        if len(row) != len(titles):
            raise FileFormatError(
                f"{path}: line {line} has {len(row)} values; there are {len(titles)} columns: {titles}"
            )
    unknown = [name for name in (*numbers, *categorical) if name not in titles]
    if unknown:
        raise FileFormatError(f"{path}: no column {unknown[0]!r}; there are {titles}")

    table = Table({})
    for place, name in enumerate(titles):
        values = [row[place] for row in rows]
        gaps = [value in missing for value in values]
        parsed = None if name in categorical else _numbers(values, gaps)
        if isinstance(parsed, np.ndarray) and (name in numbers or not all(gaps)):
            table.columns[name] = parsed
        elif name in numbers:
            raise FileFormatError(
                f"{path}: line {lines[parsed or 0]}, column {name!r}: {values[parsed or 0]!r} is no number"
            )
        else:
            known = sorted({value for value, gap in zip(values, gaps, strict=True) if not gap})
            codes = {value: code for code, value in enumerate(known)}
            table.categories[name] = tuple(known)
            table.columns[name] = np.array(
                [-1 if gap else codes[value] for value, gap in zip(values, gaps, strict=True)], np.int64
            )
    return table


def _numbers(values: list[str], gaps: list[bool]) -> NDArray[Any] | int:
    """The values as numbers, or the place of the first one that is none."""
    found: list[float] = []
    for place, (value, gap) in enumerate(zip(values, gaps, strict=True)):
        try:
            found.append(float("nan") if gap else float(value))
        except ValueError:
            return place
        if "_" in value and not gap:  # digits are grouped so in Python, not in tables
            return place
    try:
        if not any(gaps):
            return np.array([int(value) for value in values], np.int64)
    except (ValueError, OverflowError):
        pass
    return np.array(found, np.float64)
