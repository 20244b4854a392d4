"""Options of pictures: each says its own, in words as well as in colours; bad ones are refused with the way out."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import FrozenInstanceError, replace
from typing import Any

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad.ir.graph import Equation, Graph, Var
from tensorgrad.viz import Options
from tensorgrad.viz._details import amount, duration, plain, stats_text
from tensorgrad.viz._draw import COLOURS
from tests.viz.conftest import boxes, classes, stats, with_gradients
from tests.viz.test_svg import contrast

SVG = "{http://www.w3.org/2000/svg}"


def test_a_recorded_neuron_as_text(neuron: Graph) -> None:
    assert boxes(tg.graph(neuron)) == {
        "v0": ["x1", "value", "2", "grad", "-3"],
        "v1": ["w1", "value", "-3", "grad", "2"],
        "v2": ["b", "value", "6.881", "grad", "1"],
        "v6": ["c", "value", "2"],
        "e0": ["x1w1 = multiply", "value", "-6", "grad", "1"],
        "e1": ["n = add", "value", "0.8814", "grad", "1"],
        "e2": ["o = tanh", "value", "0.7071", "grad", "2"],
        "e3": ["p = multiply", "value", "1.414", "grad", "1"],
        "o0": ["p"],
    }


@pytest.mark.parametrize(
    ("detail", "said"),
    [
        ("shapes", ["%3 scalar"]),
        ("dtypes", ["%3 float64"]),
        ("values", ["value", "-6"]),
        ("gradients", ["grad", "1"]),
        ("memory", ["memory", "8 B", "kept for backward", "8 B"]),
        ("time", ["time", "2 µs", "time backward", "3 µs"]),
        ("flops", ["FLOPs", "1"]),
    ],
)
def test_each_detail_says_its_own(neuron: Graph, detail: str, said: list[str]) -> None:
    assert boxes(tg.graph(neuron, show=detail))["e0"] == ["x1w1 = multiply", *said]
    everything = boxes(tg.graph(neuron, show="all"))["e0"]
    assert set(said) - {"%3 scalar", "%3 float64"} <= set(everything) and "%3 float64 scalar" in everything
    dot = tg.graph(neuron, show=detail).to_dot()
    assert " ".join(said[:2]) in next(line for line in dot.splitlines() if line.strip().startswith("e0 ["))


def test_nothing_but_names_when_asked_for(neuron: Graph) -> None:
    assert boxes(tg.graph(neuron, show=()))["e0"] == ["x1w1 = multiply"]


def test_the_headline_sums_up_what_is_shown(neuron: Graph) -> None:
    text = tg.graph(neuron, show=["time", "memory", "flops"]).to_svg()
    assert "4 operations, 8 µs forward, 12 µs backward, 32 B kept for backward, 4 FLOPs<" in text
    assert "kept" not in tg.graph(neuron, show="time").to_svg().split("<g")[1]


def test_numbers_show_values_by_themselves_and_arrays_shapes(neuron: Graph, small: Graph) -> None:
    assert tg.graph(neuron).options.show == {"values", "gradients"}
    assert tg.graph(small).options.show == {"shapes"}
    assert tg.graph(neuron, show="shapes").options.show == {"shapes"}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.70711, "0.7071"),
        ([1.0, -2.5, 0.0], "[1, -2.5, 0]"),
        ([123456.0, 234567.0, 345678.0, 456789.0], "mean 2.9e5 (1.2e5 to 4.6e5)"),
        (np.arange(10.0), "mean 4.5 (0 to 9)"),
        (np.zeros((3, 3)), "all 0"),
        ([np.nan, 1, 2, 3, np.inf], "1 of 5 NaN, 1 of 5 inf"),
        (np.nan, "NaN"),
        (-np.inf, "-inf"),
        (np.zeros((0,)), "empty"),
    ],
)
def test_values_in_few_characters(value: Any, text: str) -> None:
    assert stats_text(stats(value)) == text


def test_numbers_of_other_kinds() -> None:
    assert [plain(value) for value in (True, 7, 12345678, 1e-12, -0.0, 2 - 1j, np.float32(0.1))] == [
        "True", "7", "1.235e7", "1e-12", "0", "2-1j", "0.1"
    ]  # fmt: skip
    assert [duration(t) for t in (0, 3e-9, 9.999e-4, 0.25, 90, 4000)] == [
        "0 s", "3 ns", "1 ms", "250 ms", "90 s", "4,000 s"
    ]  # fmt: skip
    assert [amount(n, "B") for n in (0, 999, 1000, 1.5e6, 2e9, 5e12)] == [
        "0 B",
        "999 B",
        "1 kB",
        "1.5 MB",
        "2 GB",
        "5 TB",
    ]


def test_a_value_that_gradients_should_reach_but_did_not_says_so(neuron: Graph) -> None:
    shown = boxes(tg.graph(with_gradients(neuron, b=None), show="gradients"))
    assert shown["v2"] == ["b", "grad", "none"] and shown["v6"] == ["c"]


def test_gradients_give_the_colours(neuron: Graph) -> None:
    graph = with_gradients(neuron, x1=1e-9, w1=2e-2, b=0.0, x1w1=30.0, n=np.nan, o=np.inf, p=1.0)
    assert classes(tg.graph(graph, colour="gradient", show=())) == {
        "x1": "captured heat-0",
        "w1": "captured heat-1",
        "b": "captured heat-zero",
        "c": "constant heat-none",
        "x1w1 = multiply": "forward heat-4",
        "n = add": "forward heat-bad",
        "o = tanh": "forward heat-bad",
        "p = multiply": "forward heat-3",
        "p": "output",
    }


def test_colours_are_never_all_that_tells(neuron: Graph) -> None:
    graph = with_gradients(neuron, b=0.0, n=np.nan, o=np.inf, x1=np.array([[3.0], [4.0]]))
    picture = tg.graph(graph, colour="gradient", show=())
    shown = boxes(picture)
    assert shown["v0"] == ["x1", "gradient norm", "5"] and shown["v2"] == ["b", "gradient norm", "0"]
    assert shown["e1"] == ["n = add", "! NaN in gradient"]
    assert shown["e2"] == ["o = tanh", "! infinite in gradient"]
    words = [text.text for text in ET.fromstring(picture.to_svg()).iter(f"{SVG}text")]
    assert {"no gradient", "all zero", "NaN or infinite", "≤ 0.001", "1", "≥ 1000"} <= set(words)
    dot = picture.to_dot()
    assert "! NaN in gradient" in dot and "shape=octagon" in dot and "dotted" in dot


def test_a_value_that_is_not_finite_is_marked_in_every_picture(neuron: Graph) -> None:
    broken = replace(neuron, stats={**neuron.stats, 4: stats(np.nan)})
    assert boxes(tg.graph(broken, show=()))["e1"] == ["n = add", "! NaN in value"]


def test_gradients_of_one_size_have_one_colour_and_none_at_all_are_drawn(neuron: Graph) -> None:
    same = with_gradients(neuron, **dict.fromkeys(["x1", "w1", "b", "x1w1", "n", "o", "p"], 1e-30))
    marks = {name.split()[-1] for name in classes(tg.graph(same, colour="gradient")).values()}
    assert marks == {"heat-3", "heat-none", "output"}
    nothing = with_gradients(neuron, **dict.fromkeys(["x1", "w1", "b", "x1w1", "n", "o", "p"]))
    marks = {name.split()[-1] for name in classes(tg.graph(nothing, colour="gradient")).values()}
    assert marks == {"heat-none", "output"}


@pytest.mark.parametrize("paper", [0, 1], ids=["light", "dark"])
def test_text_stands_out_on_every_colour_of_the_scale(paper: int) -> None:
    shade = {name: both[paper] for name, both in COLOURS.items()}
    for step in range(7):
        assert contrast(shade["ink"], shade[f"heat-{step}"]) >= 4.5, step
    assert contrast(shade["paper"], shade["red"]) >= 4.5
    for step in range(6):
        assert shade[f"heat-{step}"] != shade[f"heat-{step + 1}"]


def test_lines_tell_where_gradients_flow(neuron: Graph, small: Graph) -> None:
    root = ET.fromstring(tg.graph(neuron).to_svg())
    dotted = [
        group
        for group in root.iter(f"{SVG}g")
        if group.get("class") == "untracked" and group.find(f"{SVG}title") is not None
    ]
    assert [group.findtext(f"{SVG}title") for group in dotted] == ["%6: float64 scalar"]
    assert "no gradient flows back here" in tg.graph(neuron).to_svg()
    assert "style=dotted" in tg.graph(neuron).to_dot()
    # A trace does not say what is tracked, and so no line claims it.
    assert "no gradient flows back here" not in tg.graph(small).to_svg()


def test_values_that_leave_the_graph_are_drawn_as_such(neuron: Graph) -> None:
    p = neuron.outputs[0]
    d = Var(99, (), "float64", "result", "", False)
    more = (Equation("detach", (p,), (d,), {}), Equation("leave", (d,), (), {"how": "item()"}))
    shown = classes(tg.graph(replace(neuron, equations=neuron.equations + more)))
    assert shown["detach"] == shown["leave"] == "cut"
    assert boxes(tg.graph(replace(neuron, equations=neuron.equations + more)))["e5"][:2] == [
        "leave",
        "item()",
    ]


def test_an_operation_tells_where_it_was_called(neuron: Graph) -> None:
    root = ET.fromstring(tg.graph(neuron).to_svg())
    tips = {group.get("id"): group.findtext(f"{SVG}title") or "" for group in root.iter(f"{SVG}g")}
    assert "at neuron.py:2" in tips["e1"].split("\n")


def test_one_pass_of_two(training_step: Callable[[int], Graph]) -> None:
    graph = training_step(2)
    whole = classes(tg.graph(graph))
    assert {"forward", "backward"} <= set(whole.values())
    forward, backward = (boxes(tg.graph(graph, passes=name)) for name in ("forward", "backward"))
    assert [lines[0] for key, lines in forward.items() if key[0] == "e"] == [
        "matmul", "add", "tanh", "matmul", "add", "tanh", "mean",
    ]  # fmt: skip
    assert not any(key[0] == "w" for key in forward)
    count = sum(equation.direction == "backward" for equation in graph.equations)
    assert sum(key[0] == "e" for key in backward) == count
    assert sorted(lines[0] for key, lines in backward.items() if key[0] == "w") == [
        "b0.grad", "b1.grad", "w0.grad", "w1.grad",
    ]  # fmt: skip
    kinds = classes(tg.graph(graph, passes="backward"))
    assert {name for name, kind in kinds.items() if kind == "value"} == {"%6", "%11"}
    assert tg.graph(graph, passes="both").to_svg() == tg.graph(graph).to_svg()


def test_the_title_and_the_limit(small: Graph) -> None:
    assert ">A title<" in tg.graph(small, title="A title").to_svg()
    assert "too many to draw (limit 3)" in tg.graph(small, node_limit=3).to_svg()
    assert "too many to draw one by one (limit 3)" in tg.graph(small, node_limit=3).to_dot()


@pytest.mark.parametrize(
    ("options", "error", "says"),
    [
        (
            {"passes": "back"},
            ValueError,
            "passes takes 'recorded', 'forward', 'backward', 'both', not 'back'",
        ),
        ({"colour": "gradients"}, ValueError, "did you mean 'gradient'"),
        ({"color": "gradient"}, TypeError, "did you mean 'colour'"),
        ({"direction": "LR"}, TypeError, "no option 'direction'; the options are passes"),
        ({"show": "shape"}, ValueError, "did you mean 'shapes'"),
        ({"show": {"shapes", 3}}, ValueError, "not 3"),
        ({"show": 3}, TypeError, "give names from 'shapes'"),
        ({"depth": -1}, ValueError, "give 0 to fold every module"),
        ({"depth": True}, TypeError, "depth is True"),
        ({"depth": "all"}, TypeError, "a number of levels, or None"),
        ({"fold_repeats": 3}, TypeError, "give True or False"),
        ({"title": None}, TypeError, "title is None; give a text"),
        ({"node_limit": 0}, ValueError, "give at least 1"),
        ({"node_limit": 1e3}, TypeError, "a number of boxes"),
        ({"colour": "gradient"}, ValueError, r"needs the gradients of a backward pass.*tg\.record\(\)"),
    ],
)
def test_bad_options_are_refused_with_the_way_out(
    small: Graph, options: dict[str, Any], error: type[Exception], says: str
) -> None:
    with pytest.raises(error, match=says):
        tg.graph(small, **options)


def test_options_are_frozen_and_equal_by_value() -> None:
    assert Options(show=["values", "shapes"]) == Options(show=frozenset({"shapes", "values"}))  # type: ignore[arg-type]
    with pytest.raises(FrozenInstanceError):
        Options().title = "new"  # type: ignore[misc]
