"""Graphs as SVG: all of them there, all text inert, readable in light and dark, the same each time."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections import Counter, defaultdict
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tensorgrad.ir.graph import Equation, Graph, Var, Write
from tensorgrad.viz import graph_svg
from tensorgrad.viz._draw import COLOURS, clean, text_width
from tensorgrad.viz._scene import box_count, scene, shortened

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = [
    "<script>alert(1)</script>",
    "</title></svg><script>",
    "a\"b'c",
    "]]>",
    "a & b &amp; &#x41;",
    "nul\x00bell\x07escape\x1b",
    "two\nlines\r\n\ttab",
    "\u202eright to left",
    "\ud800 alone, \ufffe never",
    "rockets 🚀🚀 日本語 é",
    "<!-- --><![CDATA[ x",
    "",
]


def of_class(root: ET.Element, name: str) -> list[ET.Element]:
    return [element for element in root.iter() if name in element.get("class", "").split()]


def named(group: ET.Element) -> str:
    """The first line of a box."""
    return next(text.text or "" for text in group.iter(f"{SVG}text"))


def tip(group: ET.Element) -> str:
    return group.findtext(f"{SVG}title") or ""


def test_the_whole_small_graph_as_text(small: Graph) -> None:
    root = ET.fromstring(graph_svg(small, title="small"))
    body = next(element for element in root if element.get("transform"))
    lines = []
    for group in body:
        words = " | ".join(text.text or "" for text in group.iter(f"{SVG}text"))
        lines.append(f"{group.get('class')} {group.get('id', '-')}: {words or tip(group)}")
    assert lines == [
        "module -: layer",
        "forward -: %0: float32 (2, 3)",
        "forward -: %1: float32 (3, 4)",
        "forward -: %3: float32 (2, 4)",
        "forward -: %2: float32 scalar",
        "forward -: %4: float32 (2, 4)",
        "forward -: %5: float32 (2, 4)",
        "forward -: %6: float32 scalar",
        "module-name -: layer",
        "input v0: x | %0 (2, 3)",
        "captured v1: w | %1 (3, 4)",
        "constant v2: 1 | %2 scalar",
        "forward e0: matmul | %3 (2, 4)",
        "forward e1: add | %4 (2, 4)",
        "forward e2: tanh | %5 (2, 4)",
        "forward e3: mean | %6 scalar",
        "output o0: output | %6 scalar",
    ]


def test_modules_are_frames_around_their_boxes(build: Any) -> None:
    h = build.input((2, 3), "x")
    for name in ("net/fc<1>", "net/fc2"):
        h = build.op(
            "tanh", [build.op("matmul", [h, build.capture((3, 3))], (2, 3), scope=name)], (2, 3), scope=name
        )
    g = build.op("multiply", [h, h], (2, 3), "backward", scope="net")
    root = ET.fromstring(graph_svg(build.graph(build.op("sum", [g], (2, 3), "backward", scope="net"))))
    assert [tip(group) for group in of_class(root, "module")] == [
        "net",
        "net, backward",
        "net/fc<1>",
        "net/fc2",
    ]
    assert [text.text for text in of_class(root, "module-name")] == ["net", "net, backward", "fc<1>", "fc2"]

    def extent(rect: ET.Element) -> tuple[float, ...]:
        x, y, w, h = (float(rect.get(name, "nan")) for name in ("x", "y", "width", "height"))
        return x, y, x + w, y + h

    frames = [extent(rect) for rect in of_class(root, "module-frame")]
    boxes = {
        group.get("id"): extent(rect)
        for group in root.iter(f"{SVG}g")
        for rect in of_class(group, "box")
        if group.get("id")
    }
    inside = [
        {key for key, b in boxes.items() if f[0] < b[0] and f[1] < b[1] and b[2] < f[2] and b[3] < f[3]}
        for f in frames
    ]
    assert inside == [
        {"v1", "e0", "e1", "v4", "e2", "e3"},
        {"e4", "e5"},
        {"v1", "e0", "e1"},
        {"v4", "e2", "e3"},
    ]


def test_gradients_written_stand_in_the_frame_of_what_made_them(build: Any) -> None:
    w = build.capture((3,), "w")
    g = build.op("sin", [build.op("cos", [w], (3,), "backward", scope="net")], (3,), "backward", scope="net")
    build.writes.append(Write(w, g, "grad"))
    shown = scene(build.graph())
    assert {box.key: box.scope for box in shown.boxes} == {
        "v0": None,
        "e0": "net, backward",
        "e1": "net, backward",
        "w0": "net, backward",
    }


def test_hovering_tells_parameters_dtypes_and_scope(build: Any) -> None:
    x = build.input((3,), "x", "float64")
    y = build.op(
        "take", [x], (2,), scope="encoder/first", index=(np.arange(3), slice(1, None)), axis=-1, mode=None
    )
    root = ET.fromstring(graph_svg(build.graph(y)))
    said = tip(next(group for group in root.iter(f"{SVG}g") if group.get("id") == "e0"))
    assert said.split("\n") == [
        "%1 = take(%0)",
        "%1: float32 (2,)",
        "index = (int64 array (3,), slice(1, None, None))",
        "axis = -1",
        "mode = None",
        "in encoder/first",
        "forward operation",
    ]
    assert "float64 (3,)" in tip(next(group for group in root.iter(f"{SVG}g") if group.get("id") == "v0"))


def test_every_value_and_operation_appears_once(training_step: Callable[[int], Graph]) -> None:
    graph = training_step(4)
    assert box_count(graph) == len(scene(graph).boxes)
    root = ET.fromstring(graph_svg(graph))
    shown = Counter(group.get("class") for group in root.iter(f"{SVG}g") if group.get("id"))
    directions = Counter(equation.direction for equation in graph.equations)
    assert {kind: shown[kind] for kind in ("forward", "backward")} == directions
    assert shown["captured"] == len(graph.captured) and shown["constant"] == len(graph.constants)
    assert shown["input"] == 1 and shown["output"] == 1 and shown["write"] == len(graph.writes)
    keys = [group.get("id") for group in root.iter(f"{SVG}g") if group.get("id")]
    assert len(keys) == len(set(keys))


def test_writes_name_what_they_write(training_step: Callable[[int], Graph]) -> None:
    root = ET.fromstring(graph_svg(training_step(1)))
    names = {named(group) for group in of_class(root, "write") if group.get("id")}
    assert names == {"new w0", "w0.grad", "new b0", "b0.grad"}


def test_saved_values_look_different_from_the_gradient(training_step: Callable[[int], Graph]) -> None:
    graph = training_step(1)
    whole = scene(graph)
    kinds = {
        (whole.boxes[link.source].name, whole.boxes[link.target].name): link.kind for link in whole.links
    }
    assert kinds["tanh", "mean"] == "forward"
    assert kinds["x", "permute_dims"] == kinds["tanh", "multiply"] == "saved"
    assert kinds["broadcast_to", "multiply"] == "backward"


def test_a_deep_graph_gets_references_instead_of_long_lines(training_step: Callable[[int], Graph]) -> None:
    graph = training_step(12)
    whole, cut = scene(graph), shortened(scene(graph))
    extra = cut.boxes[len(whole.boxes) :]
    assert cut.boxes[: len(whole.boxes)] == whole.boxes
    assert extra and all(box.kind == "reference" for box in extra)
    # Each link still ends where it did, and begins at its source or at a box that names its value.
    for before, after in zip(whole.links, cut.links, strict=True):
        assert (before.target, before.var) == (after.target, after.var)
        origin, start = whole.boxes[before.source], cut.boxes[after.source]
        assert start == origin or (
            start.kind == "reference" and start.tip[0].startswith(f"{before.var} from")
        )
    root = ET.fromstring(graph_svg(graph))
    assert float(root.get("width", "")) < 2500


def test_a_shallow_graph_keeps_all_its_lines(training_step: Callable[[int], Graph]) -> None:
    whole = scene(training_step(1))
    assert shortened(whole) is whole


@pytest.mark.parametrize("label", HOSTILE)
def test_hostile_names_are_inert(build: Any, label: str) -> None:
    x, w = build.input((2,), label, dtype="float32"), build.capture((2,), label)
    y = build.op(label or "op", [x, w], (2,), scope=label, note=label)
    text = graph_svg(build.graph(y), title=label)
    root = ET.fromstring(text.encode("utf-8"))
    assert {element.tag.removeprefix(SVG) for element in root.iter()} <= {
        "svg", "title", "desc", "style", "rect", "g", "path", "text",
    }  # fmt: skip
    shown = clean(label)
    assert [named(group) for group in of_class(root, "input") if group.get("id")] == [shown or "%0"]
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", text)
    if label:
        assert root.findtext(f"{SVG}title") == shown


@given(st.text(max_size=40), st.text(max_size=40))
def test_any_text_can_be_a_name(label: str, op: str) -> None:
    x, y = Var(0, (2,), "float32", "input", label), Var(1, (2,), "float32", "result")
    graph = Graph((x,), (), (), (Equation(op, (x,), (y,), {}),), (y,))
    ET.fromstring(graph_svg(graph, title=label).encode("utf-8"))


def test_nothing_is_loaded_from_elsewhere(training_step: Callable[[int], Graph]) -> None:
    text = graph_svg(training_step(2), title="step").replace('xmlns="http://www.w3.org/2000/svg"', "", 1)
    assert not re.search(r"https?:|href|url\(|@import|<script|<image|\bon\w+=", text)


def test_every_box_and_line_has_its_colours_in_both_schemes(training_step: Callable[[int], Graph]) -> None:
    root = ET.fromstring(graph_svg(training_step(12)))
    style = root.findtext(f"{SVG}style") or ""
    light, dark = style.split("@media (prefers-color-scheme:dark){\n")
    assert dark.endswith("\n}")
    rules: list[defaultdict[str, str]] = []
    for part in (light, dark.removesuffix("}")):
        found = [re.fullmatch(r"([^{}]+)\{([^{}]+)\}", line) for line in part.strip().split("\n")]
        assert all(found)
        rules.append(defaultdict(str))
        for rule in found:
            for selector in rule[1].split(",") if rule else ():
                rules[-1][selector] += rule[2] + ";"
    for kind in ("input", "captured", "constant", "forward", "backward", "output", "write", "reference"):
        assert of_class(root, kind), kind
        for scheme in rules:
            assert re.match(r"fill:#\w{6};stroke:#\w{6};", scheme[f".tg .{kind} .box"])
        assert rules[0][f".tg .{kind} .box"] != rules[1][f".tg .{kind} .box"]
    for kind in ("forward", "backward", "saved"):
        for scheme in rules:
            assert "stroke:#" in scheme[f".tg .{kind} .link"] and "fill:#" in scheme[f".tg .{kind} .head"]


def test_the_picture_has_a_name_and_a_description(small: Graph) -> None:
    root = ET.fromstring(graph_svg(small, title="small"))
    assert root.get("role") == "img" and [child.tag for child in root][:2] == [f"{SVG}title", f"{SVG}desc"]
    assert root.findtext(f"{SVG}title") == "small"
    assert (root.findtext(f"{SVG}desc") or "").startswith("4 operations. Most frequent: add 1")
    assert ET.fromstring(graph_svg(small)).findtext(f"{SVG}title") == "computation graph"


def test_text_fits_into_its_box_and_boxes_into_the_picture(training_step: Callable[[int], Graph]) -> None:
    root = ET.fromstring(graph_svg(training_step(3), title="a step"))
    for group in root.iter(f"{SVG}g"):
        rect = group.find(f"{SVG}rect")
        if group.get("id") and rect is not None:
            width = float(rect.get("width", ""))
            assert all(text_width(text.text or "", 11) < width for text in group.iter(f"{SVG}text"))


def test_drawing_twice_gives_the_same_text(training_step: Callable[[int], Graph]) -> None:
    assert graph_svg(training_step(3)) == graph_svg(training_step(3))


def test_an_object_as_parameter_shows_no_address(build: Any) -> None:
    def chosen() -> None: ...

    graph = build.graph(build.op("custom", [build.input((1,), "x")], (1,), f=chosen, thing=object()))
    text = graph_svg(graph)
    assert "0x" not in text and "chosen" in text


def test_a_large_graph_becomes_a_summary_that_says_so(training_step: Callable[[int], Graph]) -> None:
    graph = training_step(3)
    root = ET.fromstring(graph_svg(graph, node_limit=20))
    words = [text.text or "" for text in root.iter(f"{SVG}text")]
    assert any("too many to draw (limit 20)" in word for word in words)
    runs = Counter(equation.op for equation in graph.equations)
    for op in runs:
        assert op in words
    matmuls = Counter(equation.direction for equation in graph.equations if equation.op == "matmul")
    assert f"{matmuls['forward']} + {matmuls['backward']}" in words


def test_a_graph_of_100_000_operations_is_summed_up() -> None:
    last = Var(0, (2,), "float32", "input", "x")
    equations = []
    for index in range(1, 100_001):
        result = Var(index, (2,), "float32", "result")
        equations.append(Equation(f"op{index % 97}", (last,), (result,), {}))
        last = result
    text = graph_svg(Graph((equations[0].inputs[0],), (), (), tuple(equations), (last,)))
    assert "100,000 operations" in text and "57 more kinds" in text and len(text) < 50_000


def test_an_empty_graph_and_several_outputs(build: Any) -> None:
    ET.fromstring(graph_svg(Graph((), (), (), (), ())))
    x = build.input((4,), "x")
    parts = tuple(build.var((2,), "result") for _ in range(2))
    build.equations.append(Equation("split", (x,), parts, {"sections": 2}))
    root = ET.fromstring(graph_svg(build.graph(*parts, x)))
    outputs = [named(group) for group in of_class(root, "output") if group.get("id")]
    assert outputs == ["output 0", "output 1", "x"]


def luminance(colour: str) -> float:
    channels = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    linear = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one: str, two: str) -> float:
    """The contrast ratio of WCAG 2."""
    high, low = sorted((luminance(one), luminance(two)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("paper", [0, 1], ids=["light", "dark"])
def test_text_and_lines_stand_out(paper: int) -> None:
    shade = {name: both[paper] for name, both in COLOURS.items()}
    grounds = [name for name in shade if name.endswith("-fill")] + ["paper", "ground"]
    for ground in grounds:
        assert contrast(shade["ink"], shade[ground]) >= 7, ground
        assert contrast(shade["faint"], shade[ground]) >= 4.5, ground
    for line in ("blue", "orange", "green", "violet", "red", "teal"):
        assert contrast(shade[line], shade["paper"]) >= 4, line
    for line in ("line", "grey"):
        assert contrast(shade[line], shade["paper"]) >= 3, line


@given(st.text(max_size=60))
def test_cleaning_leaves_only_printable_text(text: str) -> None:
    made = clean(text)
    assert len(made) == len(text) and clean(made) == made
    made.encode("utf-8")
    assert not any(ord(char) < 32 for char in made)
