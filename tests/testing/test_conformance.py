"""The conformance table: no op without a row, no row without an op, and a fault turns its cell red."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad._primitive import Formula, registry
from tensorgrad._specialise import specialise
from tensorgrad.testing import samples
from tensorgrad.testing.conformance import Row, Table, conformance, public
from tensorgrad.testing.conformance.__main__ import main
from tensorgrad.testing.conformance.cells import CHECKED, DUE, FAILED, MISSING, NOT_APPLICABLE, REFUSED
from tensorgrad.testing.conformance.columns import COLUMNS
from tensorgrad.testing.conformance.page import GROUPS, MARKS, markdown, read, strip, text
from tensorgrad.testing.conformance.running import NAMES
from tensorgrad.testing.samples import COMPOSED, ROWS

PAGE = Path(__file__).parents[2] / "docs" / "conformance.md"
WRITE = "run `make conformance` and commit docs/conformance.md"
SEED = 4


@pytest.fixture(scope="module")
def page() -> dict[str, dict[str, str]]:
    return read(PAGE.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def outline() -> Table:
    """The table without running anything: what is due, and what is not applicable."""
    return conformance(run=False)


def cell(name: str, column: str) -> Any:
    return conformance([name]).rows[0].cells[column]


# ---- the page


def test_each_op_has_a_row_and_each_row_an_op(page: dict[str, dict[str, str]]) -> None:
    ops = {*registry, *COMPOSED, *public.without_row()}
    assert not ops - set(page), f"no row on the page: {sorted(ops - set(page))}; {WRITE}"
    assert not set(page) - ops, f"no such op: {sorted(set(page) - ops)}; {WRITE}"


def test_no_cell_of_the_page_is_failed_or_missing(page: dict[str, dict[str, str]]) -> None:
    bad = {MARKS[FAILED], MARKS[MISSING], MARKS[DUE]}
    assert not [name for name, cells in page.items() for value in cells.values() if bad & set(value)]


def test_the_page_agrees_with_the_samples(page: dict[str, dict[str, str]], outline: Table) -> None:
    """What is checked on an op's own samples, and what is not applicable, is known without running."""
    assert not outline.problems()
    for row in outline.rows:
        said = page[row.name]
        counts = [str(row.cells[name].count or MARKS[NOT_APPLICABLE]) for name in ("kinks", "errors")]
        assert [said["kind"], said["samples"], said["kinks"], said["errors"]] == [
            row.kind, str(row.samples), *counts,
        ], f"{row.name}: {WRITE}"  # fmt: skip
        for group, columns in GROUPS.items():
            for column, mark in zip(columns, said[group], strict=True):
                planned = row.cells[column.name]
                allowed = {MARKS[NOT_APPLICABLE]} if planned.state == NOT_APPLICABLE else {column.letter}
                allowed |= {MARKS[REFUSED]} if planned.derived else set()
                assert mark in allowed, f"{row.name}, {column.name}: {mark} on the page; {WRITE}"


def test_totals_and_families_are_on_the_page(outline: Table) -> None:
    written = PAGE.read_text(encoding="utf-8")
    cards = sum(row.kind != "composed" for row in outline.rows)
    assert f"{cards} cards and {len(outline.rows) - cards} functions" in written
    for title in outline.families():
        assert f"\n## {title}\n" in written
    for column in NAMES:
        assert f"\n| {column} | " in written


def some_ops(n: int) -> list[str]:
    """Ops of all families, drawn with a fixed seed: `make test` checks the same ones on every run."""
    return sorted(np.random.default_rng(SEED).choice([*ROWS, *COMPOSED], n, replace=False).tolist())


@pytest.mark.parametrize("name", some_ops(25))
def test_cells_are_what_the_page_says(name: str, page: dict[str, dict[str, str]]) -> None:
    table = conformance([name])
    assert not table.problems()
    assert {group: strip(table.rows[0], group) for group in GROUPS} == {g: page[name][g] for g in GROUPS}, (
        WRITE
    )


# ---- what is not there is reported


def test_an_op_without_samples_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(registry, "newcomer", dataclasses.replace(registry["sin"], name="newcomer"))
    (row,) = conformance(["newcomer"], run=False).rows
    assert {one.state for one in row.cells.values()} == {MISSING}
    assert "newcomer" in [one.name for one in conformance(run=False).rows]
    assert len(conformance(["newcomer"]).problems()) == len(NAMES)


def test_a_public_function_without_samples_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    def doubled(x: Any) -> Any:
        return x + x

    doubled.__module__ = "tensorgrad.ops.newcomers"
    space = ModuleType("newcomers")
    vars(space).update(doubled=doubled, sin=tg.sin, stack=tg.stack, nonzero=tg.nonzero)
    monkeypatch.setitem(sys.modules, "newcomers", space)
    monkeypatch.setattr(public, "NAMESPACES", ("newcomers",))
    assert public.without_row() == ["doubled"]
    assert "doubled, value: missing" in conformance(["doubled"]).problems()


def test_excuses_are_for_functions_that_are_there_and_have_no_row() -> None:
    excused = [name for names in public.EXCUSED.values() for name in names.split()]
    assert sorted(excused) == [name for name in public.functions_without_row() if name in excused]
    assert len(set(excused)) == len(excused)


def test_an_unknown_name_gets_a_hint() -> None:
    with pytest.raises(KeyError, match=r"sinn: no op of the table; near to it: .*\bsin\b"):
        conformance(["sinn"])


# ---- a fault turns a cell red


def with_row(monkeypatch: pytest.MonkeyPatch, name: str, **changes: Any) -> None:
    """Change the row of an op in the table of samples."""
    rows = {
        title: tuple([dataclasses.replace(row, **changes) if row.name == name else row for row in rows])
        for title, rows in samples.FAMILIES.items()
    }
    monkeypatch.setattr("tensorgrad.testing.conformance.running.FAMILIES", rows)


def spoiled(
    op: Callable[..., Any], when: Callable[[Any], Any], how: Callable[[Any], Any]
) -> Callable[..., Any]:
    return lambda x, *rest, **params: (how if when(x) else lambda y: y)(op(x, *rest, **params))


def test_a_wrong_formula_is_failed_in_each_order() -> None:
    card = registry["sinh"]
    right = card.formulas["x"]
    card.formulas["x"] = Formula(lambda *values: -1 * right.function(*values), right.names)
    specialise(card)
    try:
        cells = conformance(["sinh"]).rows[0].cells
    finally:
        card.formulas["x"] = right
        specialise(card)
    assert cells["first"].state == cells["0-d"].state == cells["forward mode"].state == FAILED
    assert "gradient of argument 0" in cells["first"].why
    assert cells["value"].state == cells["errors"].state == CHECKED
    assert conformance(["sinh"]).ok


FAULTS: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any], set[str]]] = {
    "a float16 result in float32": (
        lambda x: x.dtype == np.float16,
        lambda y: tg.astype(y, np.float32),
        {"float16"},
    ),
    "wrong for Fortran order": (
        lambda x: x.ndim > 1 and not x.flags["C_CONTIGUOUS"] if isinstance(x, np.ndarray) else False,
        lambda y: y + 1,
        {"Fortran", "strided", "reversed"},
    ),
    "wrong without elements": (lambda x: 0 in x.shape, lambda y: y[..., None], {"value", "empty"}),
    "wrong for integers": (lambda x: x.dtype.kind == "i", lambda y: y + 1, {"integer"}),
    "wrong for complex numbers": (lambda x: x.dtype.kind == "c", lambda y: y.real, {"complex"}),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_of_one_class_is_failed_there(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    when, how, columns = FAULTS[fault]
    with_row(monkeypatch, "sinh", op=spoiled(tg.sinh, when, how))
    table = conformance(["sinh"])
    failed = {name for _, name, _ in table.cells(FAILED)}
    assert columns <= failed
    assert not table.ok and len(table.problems()) == len(failed)
    assert MARKS[FAILED] in text(table)


def test_derived_samples_find_a_fault_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """No sample of `nanstd` is empty: what it does with nothing is tried on samples that are cut."""
    assert cell("nanstd", "empty").derived

    def foreign(x: Any, *rest: Any, **params: Any) -> Any:
        if x.size == 0:
            raise RuntimeError("no elements")
        return tg.nanstd(x, *rest, **params)

    foreign.__module__ = "elsewhere"
    with_row(monkeypatch, "nanstd", op=foreign)
    found = cell("nanstd", "empty")
    assert found.state == FAILED and "RuntimeError: no elements" in found.why


def test_an_op_that_refuses_is_not_an_op_that_fails() -> None:
    found = cell("floor", "complex")
    assert found.state == REFUSED and "DtypeError: floor" in found.why
    assert cell("equal", "first").why == "no derivative"
    assert cell("bitwise_count", "float32").why == "no floating input"


def test_without_samples_of_a_class_it_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    row = ROWS["tanh"]
    rough = tuple([dataclasses.replace(sample, smooth=False) for sample in row.samples])
    with_row(monkeypatch, "tanh", samples=rough, errors=())
    cells = conformance(["tanh"]).rows[0].cells
    assert cells["first"].state == cells["third"].state == cells["errors"].state == MISSING


# ---- text


def test_the_page_can_be_read_back() -> None:
    table = conformance(["sin", "equal", "clip"])
    back = read(markdown(table))
    assert list(back) == ["sin", "equal", "clip"]
    assert back["sin"] == {
        "kind": "elementwise", "samples": "6", **{g: strip(table.rows[0], g) for g in GROUPS}, "kinks": "·", "errors": "1",
    }  # fmt: skip
    assert {column.group for column in COLUMNS[2:]} == set(GROUPS)
    letters = ["".join([column.letter for column in columns]) for columns in GROUPS.values()]
    assert all(len(set(one)) == len(one) for one in letters)


def test_the_command_prints_writes_and_fails(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main(["square", "--json"]) == 0
    assert '"name": "square"' in capsys.readouterr().out
    small = {"Some": (ROWS["square"],)}
    monkeypatch.setattr("tensorgrad.testing.conformance.running.FAMILIES", small)
    monkeypatch.setattr("tensorgrad.testing.conformance.running.registry", {"square": registry["square"]})
    monkeypatch.setattr("tensorgrad.testing.conformance.running.without_row", list)
    assert main(["--write", str(tmp_path / "page.md")]) == 0
    assert list(read((tmp_path / "page.md").read_text(encoding="utf-8"))) == ["square"]
    with_row(monkeypatch, "square", op=lambda x: tg.square(x) + 1)
    assert main(["square"]) == 1
    assert "square, value: failed" in capsys.readouterr().out
    with pytest.raises(SystemExit, match="2"):
        main(["sinn"])


def test_rows_are_plain_data() -> None:
    (row,) = conformance(["square"], run=False).rows
    assert isinstance(row, Row) and row.samples == len(ROWS["square"].samples)
    assert row.cells["first"].state == DUE
