"""Pictures: what each option says, what can be drawn, and the forms it can be written in."""

from __future__ import annotations

import re
import shutil
import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import FrozenInstanceError, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import nn
from tensorgrad._errors import NoGraphError
from tensorgrad.ir.graph import Equation, Graph, Stats, Var
from tensorgrad.viz import Options, Picture
from tensorgrad.viz._details import amount, duration, plain, stats_text
from tensorgrad.viz._draw import COLOURS, text_width
from tensorgrad.viz.engines import ENGINES
from tests.viz.conftest import stats, with_gradients
from tests.viz.test_svg import contrast

SVG = "{http://www.w3.org/2000/svg}"
EACH = sorted(["shapes", "dtypes", "values", "gradients", "memory", "time", "flops"])


def boxes(picture: Picture) -> dict[str, list[str]]:
    """The lines of each box, by its key."""
    root = ET.fromstring(picture.to_svg())
    return {
        group.get("id", ""): [text.text or "" for text in group.iter(f"{SVG}text")]
        for group in root.iter(f"{SVG}g")
        if group.get("id")
    }


def classes(picture: Picture) -> dict[str, str]:
    """The classes of each box, by its first line."""
    root = ET.fromstring(picture.to_svg())
    return {
        next(group.iter(f"{SVG}text")).text or "": group.get("class", "")
        for group in root.iter(f"{SVG}g")
        if group.get("id")
    }


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


def test_functions_and_modules_are_traced() -> None:
    model = nn.Sequential(nn.Linear(3, 2), nn.Tanh())
    picture = tg.graph(model, tg.ones((4, 3)))
    assert [equation.op for equation in picture.graph.equations] == ["linear", "tanh"]
    assert [var.label for var in picture.graph.captured] == ["0.weight", "0.bias"]
    assert [
        var.label for var in tg.graph(model, tg.ones((4, 3)), names={"w": model[0].weight}).graph.captured
    ] == ["w", ""]
    assert tg.graph(lambda: tg.ones(3) * 2).graph.equations
    assert [var.label for var in tg.graph(lambda x, y: x + y, 1.0, 2.0).graph.inputs] == ["x", "y"]


def test_a_picture_of_a_picture_keeps_its_options(neuron: Graph) -> None:
    first = tg.graph(neuron, title="neuron", show="time")
    again = tg.graph(first, colour="gradient")
    assert again.graph is neuron is first.graph
    assert again.options == Options(title="neuron", show="time", colour="gradient")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("what", "says"),
    [
        ("x * y", "cannot look at a str; give a tensor or a list of tensors"),
        (3.0, "cannot look at a float"),
        ([], "cannot look at a list of nothing"),
        ({"a": 3}, "cannot look at a dict of int"),
        (None, "cannot look at a NoneType"),
        (nn.Linear, "cannot look at a class Linear"),
        (nn.Linear(2, 3), r"Linear takes arguments; give examples of them, as in tg\.graph\(f, x\)"),
        (lambda x: x, "takes arguments; give examples"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_cannot_be_drawn_is_refused_with_the_ways(what: Any, says: str) -> None:
    with pytest.raises(TypeError, match=says):
        tg.graph(what)


def test_examples_go_with_functions_only(small: Graph) -> None:
    with pytest.raises(TypeError, match="arguments for a function or a module, and this is a Graph"):
        tg.graph(small, tg.ones(3))


def test_a_picture_tells_what_it_is_and_what_it_can_do(neuron: Graph) -> None:
    picture = tg.graph(neuron)
    assert repr(picture).startswith("<Picture of 4 operations: to_svg, ")
    for name in re.findall(r"\bto_\w+|\brender\b", repr(picture)):
        assert callable(getattr(picture, name))
    assert not hasattr(picture, "__dict__")


def test_files_by_the_engine_that_is_asked_for(tmp_path: Path, small: Graph) -> None:
    own = tg.graph(small).render(tmp_path / "own.svg", engine="builtin")
    assert own.read_text(encoding="utf-8") == tg.graph(small).to_svg()
    with pytest.raises(ValueError, match=r"'builtin' writes \.svg only, not \.png"):
        tg.graph(small).render(tmp_path / "own.png", engine="builtin")
    with pytest.raises(ValueError, match="engine takes 'dot', 'pygraphviz', 'builtin' or None, not 'neato'"):
        tg.graph(small).render(tmp_path / "own.svg", engine="neato")  # type: ignore[arg-type]
    assert [path.name for path in tmp_path.iterdir()] == ["own.svg"]
    assert ENGINES == ("dot", "pygraphviz", "builtin")


HOSTILE = [
    "</text><script>alert(1)</script>",
    'a"b\\N',
    "\u202egnirts\x00",
    "two\nlines",
    "W" * 300,
    "日本" * 40,
]


@pytest.mark.parametrize("label", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_names_stay_text_with_all_details(neuron: Graph, label: str) -> None:
    renamed = {var: replace(var, label=label) for var in neuron.variables}
    equations = tuple(
        replace(
            equation,
            op=label,
            inputs=tuple(renamed[var] for var in equation.inputs),
            outputs=tuple(renamed[var] for var in equation.outputs),
            scope=label,
        )
        for equation in neuron.equations
    )
    graph = replace(neuron, captured=tuple(renamed[var] for var in neuron.captured), equations=equations)
    text = tg.graph(graph, show="all", colour="gradient", title=label).to_svg()
    root = ET.fromstring(text)
    assert not [element for element in root.iter() if "script" in element.tag]
    inside(root)


def inside(root: ET.Element) -> None:
    """All text of each box lies in its frame, by the table of widths."""
    for group in root.iter(f"{SVG}g"):
        if not group.get("id"):
            continue
        frame = group.find(f"{SVG}rect")
        assert frame is not None
        left, top, wide, tall = (float(frame.get(name, "")) for name in ("x", "y", "width", "height"))
        for text in group.iter(f"{SVG}text"):
            name = text.get("class")
            size = text_width(text.text or "", 13 if name == "name" else 11, bold=name in {"name", "warning"})
            x, y = float(text.get("x", "")), float(text.get("y", ""))
            start = {"middle": x - size / 2, "end": x - size, None: x}[text.get("text-anchor")]
            assert left + 3 <= start and start + size <= left + wide - 3, text.text
            assert top + 8 <= y <= top + tall - 3, text.text


@pytest.mark.parametrize(
    "options", [{"show": "all"}, {"colour": "gradient"}, {"show": ()}, {"show": EACH[:3]}]
)
def test_text_stays_in_its_box_and_lines_do_not_run_into_each_other(
    neuron: Graph, options: dict[str, Any]
) -> None:
    broken = replace(
        with_gradients(neuron, n=np.nan, b=np.arange(100.0)), stats={**neuron.stats, 0: stats([np.inf, 1])}
    )
    root = ET.fromstring(tg.graph(broken, **options).to_svg())
    inside(root)
    for group in root.iter(f"{SVG}g"):
        if group.get("id"):
            pairs = {}
            for text in group.iter(f"{SVG}text"):
                pairs.setdefault(text.get("y"), []).append(text)
            for same_line in pairs.values():
                if len(same_line) == 2:
                    word, value = same_line
                    end = float(word.get("x", "")) + text_width(word.text or "", 11)
                    assert end + 8 <= float(value.get("x", "")) - text_width(value.text or "", 11)


def test_the_same_graph_gives_the_same_picture(neuron: Graph) -> None:
    for options in ({"show": "all"}, {"colour": "gradient"}):
        assert tg.graph(neuron, **options).to_svg() == tg.graph(neuron, **options).to_svg()
        assert tg.graph(neuron, **options).to_dot() == tg.graph(neuron, **options).to_dot()


def test_a_graph_that_reads_what_nothing_made_is_drawn_all_the_same() -> None:
    lost, y = Var(7, (), "", "unknown"), Var(8, (2,), "float32", "result")
    graph = Graph((), (), (), (Equation("mystery", (lost,), (y,), {}),), (y,))
    assert boxes(tg.graph(graph)) == {
        "v7": ["not kept", "%7"],
        "e0": ["mystery", "%8 (2,)"],
        "o0": ["output", "%8 (2,)"],
    }


def test_statistics_without_entries_are_no_trouble(neuron: Graph) -> None:
    empty = replace(neuron, stats={0: Stats((0,), "float32")})
    assert boxes(tg.graph(empty, show="values"))["v0"] == ["x1", "value", "empty"]


class Block(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.up, self.down = nn.Linear(3, 5), nn.Linear(5, 3)

    def forward(self, x: tg.Tensor) -> tg.Tensor:
        return x + self.down(tg.tanh(self.up(x)))


@pytest.fixture(scope="module")
def blocks() -> Graph:
    """A recorded step of four blocks."""
    model = nn.Sequential(*[Block() for _ in range(4)])
    x = tg.ones((2, 3))
    with tg.record() as run:
        loss = model(x).sum()
        loss.backward()
    return run.graph


def test_modules_fold_with_their_parameters(blocks: Graph) -> None:
    shown = boxes(tg.graph(blocks, depth=1))
    assert [lines[0] for lines in shown.values()] == [
        "x", "Sequential.0", "Sequential.1", "Sequential.2", "Sequential.3", "loss = sum", "loss",
    ]  # fmt: skip
    assert shown["e0"][1:] == ["%8 (2, 3)", "operations", "4", "parameters", "4 tensors of 38 numbers"]
    whole = boxes(tg.graph(blocks))
    assert len(whole) > 3 * len(shown)
    assert "peripheries=2" in tg.graph(blocks, depth=1).to_dot()
    assert "several operations" in tg.graph(blocks, depth=1).to_svg()
    assert "several operations" not in tg.graph(blocks).to_svg()


def test_repeats_fold_and_say_how_often(blocks: Graph) -> None:
    shown = boxes(tg.graph(blocks, depth=1, fold_repeats=True))
    assert [key for key in shown if key[0] == "e"] == ["e0", "e1"]
    assert shown["e0"][0].endswith(" × 4")
    assert shown["e0"][2:] == ["operations", "16", "parameters", "16 tensors of 152 numbers"]


def test_a_folded_module_tells_of_bad_gradients_inside(blocks: Graph) -> None:
    weight = next(var for var in blocks.captured if var.label.endswith("down.weight"))
    gradients = {**blocks.gradients, weight.index: stats([np.nan])}
    broken = replace(blocks, passes=(replace(blocks.passes[-1], gradients=gradients),))
    shown = boxes(tg.graph(broken, depth=1, colour="gradient"))
    assert [lines[-1] for lines in shown.values() if lines[-1].startswith("!")] == [
        "! NaN in gradient of a parameter"
    ]


def test_both_passes_of_folded_modules_stay_small(blocks: Graph) -> None:
    shown = boxes(tg.graph(blocks, depth=1, passes="both"))
    assert sum(key[0] == "e" for key in shown) == 10
    assert not any(key[0] == "w" for key in shown), "gradients of parameters are in the boxes"
    assert any("gradients" in lines for lines in shown.values())
    edges = [line for line in tg.graph(blocks, depth=1, passes="both").to_dot().splitlines() if "->" in line]
    assert len({line.split("[")[0] + str("dashed" in line) for line in edges}) == len(edges), (
        "one line for many values"
    )


def test_the_backward_pass_of_a_run_is_drawn_from_what_it_recorded(blocks: Graph) -> None:
    both, backward = (tg.graph(blocks, passes=name) for name in ("both", "backward"))
    assert {"forward", "backward", "write"} <= set(classes(both).values())
    assert "forward" not in classes(backward).values() and "write" in classes(backward).values()
    heat = classes(tg.graph(blocks, passes="both", colour="gradient", show=()))
    assert all(
        " heat-" in name for name in heat.values() if name.startswith(("backward", "forward", "captured"))
    )


def test_a_tape_is_drawn_with_the_names_of_the_callers_variables() -> None:
    weight = tg.tensor([1.0, 2.0], requires_grad=True)
    loss = (weight * weight).sum()
    shown = boxes(tg.graph(loss))
    assert [lines[0] for lines in shown.values()] == ["weight", "multiply", "loss = sum", "loss"]
    assert boxes(tg.graph([loss], names={"w": weight}))["v0"][0] == "w"
    assert boxes(tg.graph({"a": loss, "b": weight.sum()}))


def test_a_tape_that_is_gone_is_found_in_a_run() -> None:
    weight = tg.tensor(3.0, requires_grad=True)
    with tg.record() as run:
        loss = weight * weight
        loss.backward()
    shown = boxes(tg.graph(loss))
    assert shown["v0"] == ["weight", "value", "3", "grad", "6"] and shown == boxes(tg.graph(run))
    other = weight * 2
    other.backward()
    with pytest.raises(
        NoGraphError, match=r"freed the history of the result.*tg\.record\(\)"
    ):
        tg.graph(other)


def test_text_stays_in_its_box_in_a_browser(neuron: Graph, blocks: Graph) -> None:
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("chromium is not installed")
    label = {var: replace(var, label="Wide MMMM @ Ünïcode 日本語 🚀 ílıj") for var in neuron.captured}
    wide = replace(
        neuron,
        captured=tuple(label.values()),
        equations=tuple(
            replace(e, inputs=tuple(label.get(v, v) for v in e.inputs)) for e in neuron.equations
        ),
    )
    pictures = [
        tg.graph(with_gradients(neuron, n=np.nan), show="all", colour="gradient"),
        tg.graph(wide, show="all"),
        tg.graph(blocks, show="all"),
        tg.graph(blocks, show="all", depth=1, passes="both"),
    ]
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page()
        for picture in pictures:
            page.set_content(picture.to_svg().replace('style="max-width:100%;height:auto"', ""))
            assert page.evaluate(OUTSIDE) == []
        browser.close()


OUTSIDE = """() => [...document.querySelectorAll('g[id]')].flatMap(g => {
    const box = g.querySelector('rect').getBBox();
    return [...g.querySelectorAll('text')].filter(text => {
        const t = text.getBBox();
        return t.x < box.x + 1 || t.x + t.width > box.x + box.width - 1
            || t.y < box.y - 1 || t.y + t.height > box.y + box.height + 1;
    }).map(text => g.id + ': ' + text.textContent);
})"""
