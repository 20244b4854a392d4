"""Graphs drawn in a terminal: lines fit, columns stand below each other, rails go where values go."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tensorgrad as tg
from tensorgrad.ir import Equation, Graph, Position, Var
from tensorgrad.viz import graph_text
from tensorgrad.viz._cells import cells, fitted, padded
from tensorgrad.viz._rails import Stop, rails
from tests.ir.random_graphs import graphs
from tests.viz import golden
from tests.viz.test_mermaid import chain

WIDE = 120


# ---- files with what is expected


@pytest.mark.parametrize("name", golden.GRAPHS)
def test_the_drawing_is_the_one_on_file(name: str) -> None:
    found, kept = golden.drawn(name), golden.path(name).read_text(encoding="utf-8")
    assert found == kept, f"{golden.difference(name)}\n{golden.HOW}"


def test_another_process_draws_the_same() -> None:
    code = "from tests.viz import golden; print(*map(golden.drawn, golden.GRAPHS), sep='\\n')"
    texts = {
        subprocess.run(
            [sys.executable, "-c", code], cwd=Path(__file__).parents[2], capture_output=True, text=True, check=True,
            timeout=120, env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(filter(None, sys.path)), "PYTHONUTF8": "1"},
        ).stdout
        for seed in ("1", "2")
    }  # fmt: skip
    assert texts == {"\n".join(map(golden.drawn, golden.GRAPHS)) + "\n"}


# ---- lines


@given(graphs(), st.integers(1, 200), st.booleans())
def test_no_line_is_too_long_and_columns_are_aligned(graph: Graph, width: int, ascii: bool) -> None:
    text = graph_text(graph, width, ascii=ascii)
    assert all(cells(line) <= max(width, 20) for line in text.split("\n"))
    assert text.isascii() or not ascii
    assert all(char == "\n" or char.isprintable() for char in text)


@pytest.mark.parametrize("width", [20, 40, 60, 80, 100, 140, 250])
def test_every_row_is_there_whatever_the_width(width: int, training_step: Callable[[int], Graph]) -> None:
    graph = training_step(2)
    lines = graph_text(graph, width).split("\n")
    assert max(map(cells, lines)) <= width
    leaves = len(graph.inputs) + len(graph.captured)  # constants of one element stand where they are read
    count = leaves + len(graph.equations) + len(graph.writes) + len(graph.outputs)
    assert sum(sum(line.count(mark) for mark in "○●◆■◎") for line in lines[2:]) == count


def test_numbers_and_shapes_stand_below_each_other(small: Graph) -> None:
    rows = graph_text(small, WIDE).split("\n")[3:]
    assert len({row.index("%") for row in rows if "%" in row}) == 1
    assert len({row.rindex("(") for row in rows if "(2, 4)" in row}) == 1


def test_wide_and_combining_characters_are_measured() -> None:
    x, y = Var(0, (2,), "float32", "input", "输入"), Var(1, (2,), "float32", "result", "e\u0301te\u0301")
    rows = graph_text(Graph((x,), (), (), (Equation("op", (x,), (y,), {}),), (y,)), WIDE).split("\n")[3:]
    shapes = [cells(row[: row.index("(2,)")]) for row in rows if "(2,)" in row]
    assert len(shapes) == 2 and len(set(shapes)) == 1
    assert cells(fitted("输入输入", 5)) <= 5 and padded("输", 4) == "输  "


def test_the_width_is_that_of_the_terminal(monkeypatch: pytest.MonkeyPatch, small: Graph) -> None:
    monkeypatch.setenv("COLUMNS", "31")
    assert graph_text(small) == graph_text(small, 31) != graph_text(small, 80)


# ---- what rows say


def run_of_two() -> Any:
    x, w = tg.tensor([[1.0, -2.0]]), tg.tensor([[3.0], [0.5]], requires_grad=True)
    with tg.record(statistics=True) as run:
        loss = (x @ w).sum()
        loss.backward()
    return run


def test_a_recorded_run_shows_values_gradients_times_and_positions() -> None:
    head, *rows = graph_text(run_of_two().graph, 160).split("\n")[3:]
    assert head.split() == ["shape", "value", "|gradient|", "time", "back", "at"]
    loss = next(row for row in rows if "loss = sum" in row)
    for text in ("scalar", " 2 ", " 1 ", "s  ", "test_text.py:"):
        assert text in loss
    assert next(row for row in rows if " w " in row).split()[-1] == "2.24"


def test_columns_are_given_up_one_by_one_where_there_is_no_room() -> None:
    graph = run_of_two().graph
    found = {width: graph_text(graph, width).split("\n")[3].split() for width in range(40, 130)}
    assert {len(head) for head in found.values()} >= {2, 3, 4, 6}
    order = ["shape", "value", "|gradient|", "at", "time", "back"]
    for head in found.values():
        if head[0] == "shape":
            assert set(head) == set(order[: len(head)])


def test_parameters_numbers_and_names_stand_in_the_call() -> None:
    w = tg.tensor(np.ones((2, 2), "f4"))
    graph = tg.trace(lambda x: ((x @ w) * 2.5).sum(axis=0), tg.ones((3, 2)), names={"w": w})
    text = graph_text(graph, WIDE)
    assert "matmul(x, w)" in text and "multiply(%2, 2.5)" in text and "sum(%4, axis=0)" in text


def test_two_values_of_one_name_are_called_by_number() -> None:
    a, b = Var(0, (), "float32", "input", "h"), Var(1, (), "float32", "input", "h")
    graph = Graph((a, b), (), (), (Equation("f", (a, b), (Var(2, (), "float32", "result"),), {}),), ())
    assert "f(%0, %1)" in graph_text(graph, WIDE)


def test_files_of_one_name_are_told_apart_by_their_folders() -> None:
    x = Var(0, (), "float32", "input")
    files = ("/a/net/model.py", "/a/old/model.py", "C:\\code\\run.py")
    graph = Graph(
        (x,), (), (), tuple(Equation("f", (x,), (), {}, position=Position(file, 7)) for file in files), ()
    )
    text = graph_text(graph, WIDE)
    assert all(place in text for place in ("net/model.py:7", "old/model.py:7", " run.py:7"))


def test_folded_modules_say_what_is_in_them() -> None:
    model = tg.nn.Sequential(*[tg.nn.Sequential(tg.nn.Linear(2, 2), tg.nn.Tanh()) for _ in range(4)])
    graph = tg.trace(model, tg.ones((1, 2)))
    text = graph_text(graph, WIDE, depth=0)
    assert "▸ Sequential  8 operations: 4 linear, 4 tanh" in text
    assert "× 4" in graph_text(graph, WIDE, fold_repeats=True)
    assert "[+]" not in text and "+ Sequential" in graph_text(graph, WIDE, depth=0, ascii=True)


def test_a_value_that_is_detached_and_one_that_leaves() -> None:
    x = tg.tensor([1.0, 2.0], requires_grad=True)
    with tg.record() as run:
        y = (x * 2).detach()
        float(y.sum())
    text = graph_text(run.graph, WIDE)
    assert "✕ gradient stops" in text and "detach(%" in text and "leave(" in text


def test_nothing_at_all() -> None:
    assert graph_text(Graph((), (), (), (), ()), 80) == "0 operations"


# ---- rails


def test_rails_are_passed_without_joining() -> None:
    stops = [Stop("given", (), (i,)) for i in range(3)]
    stops += [Stop("forward", (0, 2), (3,)), Stop("forward", (1, 3), (4, 5)), Stop("result", (4, 5))]
    assert rails(stops, 8) == (["○", "│ ○", "│ │ ○", "●─│─╯", "●─┴─╮", "◎───╯"], set())


def test_where_there_is_no_room_a_rail_ends_and_the_value_is_named() -> None:
    stops = [Stop("given", (), (i,)) for i in range(3)]
    stops += [Stop("forward", (1, 2), (3,)), Stop("forward", (3, 0), ())]
    drawn, unseen = rails(stops, 2)
    assert drawn == ["○", "╵ ○", "○ │", "●─╯", "●"] and unseen == {(4, 0)}


@given(st.data())
def test_rails_join_exactly_what_is_read(data: Any) -> None:
    """Read back from the drawing: the branches of each row lead to the values that it reads, or these are named."""
    most = data.draw(st.integers(2, 7))
    stops: list[Stop] = []
    made = 0
    for _ in range(data.draw(st.integers(1, 25))):
        reads = data.draw(st.lists(st.integers(0, made - 1), max_size=3)) if made else []
        makes = tuple(range(made, made + data.draw(st.sampled_from([1, 1, 1, 0, 2]))))
        made += len(makes)
        stops.append(Stop("forward", tuple(reads), makes))
    drawn, unseen = rails(stops, most)
    lanes: dict[int, int] = {}  # the value in each column, as a reader would follow it
    for row, (stop, line) in enumerate(zip(stops, drawn, strict=True)):
        assert len(line) <= 2 * (most + 4)
        home = line.index("●")
        joined = {place for place, sign in enumerate(line) if sign in "╰┴╯├┼┤"}
        begun = [place for place, sign in enumerate(line) if sign in "╭┬╮"]
        above = {home} if home in lanes else set()
        read = {lanes[place] for place in joined | above}
        named = {value for at, value in unseen if at == row}
        assert read == set(stop.reads) - named, (drawn, row)
        for place in [place for place, sign in enumerate(line) if sign in "╰┴╯╵ ─"] + [home]:
            lanes.pop(place, None)
        lanes = {place: value for place, value in lanes.items() if place < len(line)}
        later = {value for other in stops[row + 1 :] for value in other.reads}
        living = [value for value in stop.makes if value in later]
        if living:
            lanes[home] = living[0]
        for place, value in zip(begun, living[1:], strict=False):
            lanes[place] = value


@pytest.mark.parametrize("count", [20_000, pytest.param(100_000, marks=pytest.mark.slow)])
def test_a_long_chain(count: int) -> None:
    text = graph_text(chain(count), 80)
    assert text.count("\n") == count + 4
