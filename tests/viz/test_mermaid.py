"""Graphs as Mermaid: boxes, arrows and frames are those of the graph, labels are text, large graphs are cut."""

from __future__ import annotations

from collections.abc import Callable

import pytest

import tensorgrad as tg
from tensorgrad.ir import Equation, Graph, Var
from tensorgrad.viz import graph_mermaid
from tensorgrad.viz.mermaid import MOST_LINKS, MOST_TEXT
from tests.viz.mermaid_lines import read


def test_boxes_links_and_frames_are_those_of_the_graph(small: Graph) -> None:
    chart = read(graph_mermaid(small))
    assert chart.boxes == {
        "v0": "x\n%0 (2, 3)", "v1": "w\n%1 (3, 4)", "v2": "1\n%2 scalar", "e0": "matmul\n%3 (2, 4)",
        "e1": "add\n%4 (2, 4)", "e2": "tanh\n%5 (2, 4)", "e3": "mean\n%6 scalar", "o0": "output\n%6 scalar",
    }  # fmt: skip
    assert set(chart.links) == {
        ("v0", "e0"), ("v1", "e0"), ("e0", "e1"), ("v2", "e1"), ("e1", "e2"), ("e2", "e3"), ("e3", "o0"),
    }  # fmt: skip
    assert chart.frames == {"s0": ("layer", "")}
    assert {box for box, frame in chart.home.items() if frame} == {"v1", "e0"}


def test_frames_are_nested_and_tell_the_passes_apart() -> None:
    x = tg.tensor([0.5, 1.0], requires_grad=True)
    with tg.record() as run:
        with tg.scope("net"):
            with tg.scope("one"):
                y = tg.sin(x)
            with tg.scope("two"):
                y = tg.cos(y)
        y.sum().backward()
    chart = read(graph_mermaid(run.graph, passes="both"))
    around = {label: chart.frames.get(outer, ("",))[0] for label, outer in chart.frames.values()}
    assert around["one"] == around["two"] == "net" and around["net"] == ""
    assert around["two (backward)"] == "net (backward)"


def test_a_title_and_the_size_stand_above(small: Graph) -> None:
    chart = read(graph_mermaid(small, title="A small one"))
    assert chart.frames["heading"] == ("A small one: 4 operations", "")
    assert set(chart.home.values()) == {"heading", "s0"}


@pytest.mark.parametrize("count", [700, 100_000])
def test_a_long_graph_is_cut_with_a_sentence(count: int) -> None:
    source = graph_mermaid(chain(count))
    chart = read(source)
    assert len(source) <= MOST_TEXT and 200 < len(chart.links) < MOST_LINKS
    shown = len([box for box in chart.boxes if box.startswith("e")])
    said = f"These are the first {shown:,} of {count:,} operations,\nfor Mermaid draws no more than that."
    assert chart.boxes["more"] == said


def test_a_limit_of_boxes_holds(training_step: Callable[[int], Graph]) -> None:
    chart = read(graph_mermaid(training_step(3), node_limit=20))
    assert len(chart.boxes) - 1 <= 20 and "more" in chart.boxes
    assert "more" not in read(graph_mermaid(training_step(3))).boxes


def test_many_leaves_and_no_operation_are_cut_too() -> None:
    leaves = tuple(Var(i, (), "float32", "input") for i in range(3000))
    result = Var(3000, (), "float32", "result")
    chart = read(graph_mermaid(Graph(leaves, (), (), (Equation("stack", leaves, (result,), {}),), (result,))))
    assert list(chart.boxes) == ["more"]


def test_folding_and_details_are_options() -> None:
    model = tg.nn.Sequential(tg.nn.Linear(2, 2), tg.nn.Tanh())
    chart = read(graph_mermaid(tg.trace(model, tg.ones((1, 2))), depth=0, show="dtypes"))
    (operation,) = [label for box, label in chart.boxes.items() if box.startswith("e")]
    assert operation.startswith("Sequential\n") and "float32" in operation and "(1, 2)" not in operation


def chain(length: int) -> Graph:
    """A long chain of sines."""
    variables = [Var(i, (3,), "float32", "result" if i else "input") for i in range(length + 1)]
    equations = [Equation("sin", (variables[i],), (variables[i + 1],), {}) for i in range(length)]
    return Graph((variables[0],), (), (), tuple(equations), (variables[-1],))
