"""The table itself: every op in every column, by running the checks on its samples."""

from __future__ import annotations

import traceback
import warnings
from collections.abc import Callable, Iterable, Sequence
from difflib import get_close_matches
from functools import partial
from itertools import islice
from typing import Any

import numpy as np

from ..._errors import TensorgradError
from ..._primitive import registry
from .. import checks
from ..case import Case
from ..samples import FAMILIES, OpSamples, Sample
from .cells import CHECKED, DUE, FAILED, MISSING, NOT_APPLICABLE, REFUSED, Cell, Row, Table
from .columns import COLUMNS, QUIET, Check, Column
from .public import without_row

ENOUGH = 3
"""Derived samples of a class that are checked, of those that the op accepts."""

TRIES = 40
"""Derived samples of a class that are tried."""

NAMES = (*[column.name for column in COLUMNS], "kinks", "errors")
"""The names of all columns."""


def conformance(names: Iterable[str] | None = None, run: bool = True) -> Table:
    """The conformance of ops: for each class of dtypes, shapes, orders and layouts, whether the op conforms.

    Every state is found by running the checks of `tensorgrad.testing.checks` on the samples of the op;
    where it has none of a class, samples are derived: cut to length 0 or 1, stacked, made complex. A call
    that raises an error of ours is refused; any other error is a failure. A card or public function
    that has no row in the table of samples has a row of missing cells here.

    Args:
        names: the ops, or all.
        run: whether to run the checks; without, what would be run is ``"due"``, in a second for all ops.

    Raises:
        KeyError: an op that has no samples, and is neither a card nor a public function.

    Example:
        >>> table = conformance(["negative"])
        >>> cells = table.rows[0].cells
        >>> cells["first"].state, cells["mixed"].why, table.ok
        ('checked', 'one floating input', True)
    """
    families = {row.name: (title, row) for title, rows in FAMILIES.items() for row in rows}
    left = [name for name in registry if name not in families] + without_row()
    chosen = [*families, *left] if names is None else list(names)
    for name in chosen:
        if name not in families and name not in left:
            near = get_close_matches(name, [*families, *left])
            raise KeyError(
                f"{name}: no op of the table" + (f"; near to it: {', '.join(near)}" if near else "")
            )
    found = []
    for name in chosen:
        title, samples = families.get(name, ("Without a row", None))
        kind = registry[name].kind if name in registry else "composed"
        cells = dict.fromkeys(NAMES, Cell(MISSING)) if samples is None else _cells(samples, run)
        found.append(Row(name, title, kind, len(samples.samples) if samples else 0, cells))
    return Table(tuple(found), NAMES)


# ---- parts


def _cells(row: OpSamples, run: bool) -> dict[str, Cell]:
    attempt = _Attempts(row)
    cells = {column.name: _cell(row, column, attempt, run) for column in COLUMNS}
    cells["kinks"] = _counted(row, checks.kinks, row.kinks, Cell(NOT_APPLICABLE, why="none declared"), run)
    cells["errors"] = _counted(row, checks.errors, row.errors, Cell(MISSING), run)
    return cells


def _cell(row: OpSamples, column: Column, attempt: _Attempts, run: bool) -> Cell:
    if excuse := column.excuse(row):
        return Cell(NOT_APPLICABLE, why=excuse)
    own = [sample for sample in row.samples if column.fits(row, sample)]
    if not own and column.derive is None:
        return Cell(MISSING)
    if not run:
        return Cell(DUE, len(own), derived=not own)
    for sample in own:
        for check in column.checks:
            if problem := attempt(check, sample):
                return Cell(FAILED, why=problem)
    return Cell(CHECKED, len(own)) if own else _derived(row, column, attempt)


def _derived(row: OpSamples, column: Column, attempt: _Attempts) -> Cell:
    """The cell of a class that the row has no sample of: what the op does with derived ones."""
    assert column.derive is not None
    passed, refusal = 0, ""
    for sample in islice(column.derive(row), TRIES):
        problem = attempt(_call, sample)
        if isinstance(problem, _Refusal):
            refusal = refusal or problem
            continue
        # Once there is a result, there has to be a gradient.
        for check in column.derived_checks or column.checks:
            problem = problem or attempt(check, sample, quiet=True)
        if problem:
            return Cell(FAILED, why=problem, derived=True)
        passed += 1
        if passed == ENOUGH:
            break
    if passed:
        return Cell(CHECKED, passed, derived=True)
    return Cell(REFUSED, why=refusal, derived=True) if refusal else Cell(MISSING)


def _counted(
    row: OpSamples, check: Callable[[OpSamples, Any], None], given: Sequence[Any], none: Cell, run: bool
) -> Cell:
    """The cell of what a row lists itself: kinks, errors."""
    if not given or not run:
        return Cell(DUE, len(given)) if given else none
    for i, one in enumerate(given):
        if problem := _problem(partial(check, row, one), f"number {i}", quiet=False):
            return Cell(FAILED, why=problem)
    return Cell(CHECKED, len(given))


class _Refusal(str):
    """What an error of ours says."""


class _Attempts:
    """Checks of one row; each is run once for a sample, whatever number of columns asks for it."""

    def __init__(self, row: OpSamples) -> None:
        self.row = row
        self.known: dict[tuple[Check, str], str] = {}

    def __call__(self, check: Check, sample: Sample, *, quiet: bool = False) -> str:
        """The problem that a check finds with a sample, or the empty string."""
        key = (check, sample.label)
        if key not in self.known:
            quiet = quiet or check in QUIET
            self.known[key] = _problem(lambda: check(self.row, sample), sample.label, quiet=quiet)
        return self.known[key]


def _call(row: OpSamples, sample: Sample) -> None:
    with np.errstate(all="ignore"):
        Case(row, sample).call(*sample.args)


def _problem(check: Callable[[], None], label: str, *, quiet: bool) -> str:
    try:
        # As in the tests, a warning is an error.
        with warnings.catch_warnings(), np.errstate(all="ignore" if quiet else None):
            warnings.simplefilter("error")
            check()
    except (TensorgradError, np.exceptions.ComplexWarning) as error:
        return _Refusal(f"{label}: {type(error).__name__}: {_first_line(error)}")
    except AssertionError as error:
        return f"{label}: {_first_line(error)}"
    except Exception as error:  # an op that raises anything else is what the table has to show
        if _raised_by_samples(error):
            return _Refusal(f"{label}: {_first_line(error)}")
        return f"{label}: {type(error).__name__}: {_first_line(error)}"
    return ""


def _raised_by_samples(error: Exception) -> bool:
    """Whether an error comes from the code of a row, such as a function that it makes of an op."""
    *_, last = traceback.walk_tb(error.__traceback__)
    return str(last[0].f_globals.get("__name__", "")).startswith(
        f"{OpSamples.__module__.rpartition('.')[0]}."
    )


def _first_line(error: Exception) -> str:
    """What an error says; NumPy's comparisons put their point on the fourth line."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return "; ".join(lines[1:4] if len(lines) > 3 else lines[:1]) or type(error).__name__
