"""Names of labels, scopes, operations, parameters and files as bad as can be: they come out as text, in every format.

The graphs are those of `tests.ir.random_graphs`. What is written is read back by a real parser: it has the nodes of
the graph, nothing active, and no character that changes what is shown around it.
"""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from collections import Counter

import pytest
from hypothesis import given, settings

from tensorgrad.ir import Equation, Graph, Position, Var, from_json, to_json
from tensorgrad.viz import graph_dot, graph_mermaid, graph_svg, graph_text
from tensorgrad.viz._scene import scene
from tensorgrad.viz.explorer import explorer_html
from tests.ir.random_graphs import HOSTILE, graphs
from tests.viz.mermaid_lines import read
from tests.viz.test_explorer import Page

UNSEEN = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff0-\ufffb\ufffe\uffff\ud800-\udfff]"
)
"""Control and bidirectional characters, halves of others; line feeds are part of most formats."""

SVG = "{http://www.w3.org/2000/svg}"
SAFE_TAGS = {"svg", "title", "desc", "style", "rect", "g", "path", "text", "tspan", "circle", "line"}
SAFE_ATTRIBUTES = {
    "width", "height", "viewBox", "role", "class", "style", "id", "x", "y", "rx", "ry", "d", "transform", "text-anchor",
    "font-size", "aria-label", "aria-labelledby", "fill", "stroke", "cx", "cy", "r", "x1", "x2", "y1", "y2",
}  # fmt: skip


def full_of(name: str) -> Graph:
    """A graph in which everything is called the same."""
    x, y = Var(0, (2,), "float32", "input", name), Var(1, (2,), "float32", "result", name)
    equation = Equation(name, (x,), (y,), {name: name}, f"{name}/{name}", position=Position(name, 3, name))
    return Graph((x,), (), (), (equation,), (y,))


DOT_ATTRIBUTES = {
    "label", "tooltip", "fillcolor", "color", "penwidth", "style", "shape", "height", "fontname", "fontsize",
}  # fmt: skip

NAMES = pytest.mark.parametrize("name", HOSTILE, ids=lambda name: ascii(name)[1:25])


# ---- DOT


def check_dot(graph: Graph) -> None:
    pygraphviz = pytest.importorskip("pygraphviz", reason="the extra viz (pygraphviz) is not installed")
    source = graph_dot(graph, title=graph.equations[0].op if graph.equations else "")
    assert not UNSEEN.search(source.replace("\t", "")), "a control character"
    assert "<" not in re.sub(r'"(?:[^"\\]|\\.)*"', "", source), "a label in HTML"
    shown = scene(graph)
    parsed = pygraphviz.AGraph(string=source)
    assert sorted(parsed.nodes()) == sorted(box.key for box in shown.boxes)
    keys = [box.key for box in shown.boxes]
    assert Counter(parsed.edges()) == Counter((keys[link.source], keys[link.target]) for link in shown.links)
    for node in parsed.nodes():
        assert set(node.attr.keys()) <= DOT_ATTRIBUTES


@NAMES
def test_dot(name: str) -> None:
    check_dot(full_of(name))


@settings(max_examples=20)
@given(graphs())
def test_dot_of_any_graph(graph: Graph) -> None:
    check_dot(graph)


# ---- SVG


def check_svg(graph: Graph) -> None:
    text = str(graph_svg(graph, title=graph.equations[0].op if graph.equations else ""))
    assert not UNSEEN.search(text)
    root = ET.fromstring(text)
    keys = Counter(element.get("id") for element in root.iter() if element.get("id"))
    boxes = {box.key for box in scene(graph).boxes}
    assert {key for key in keys if re.fullmatch(r"[veow]\d+", str(key))} == boxes and set(keys.values()) <= {
        1
    }
    for element in root.iter():
        assert element.tag.removeprefix(SVG) in SAFE_TAGS, element.tag
        assert set(element.keys()) <= SAFE_ATTRIBUTES, element.keys()
        if element.tag != f"{SVG}style":
            assert not re.search("url|import|expression", element.get("style", ""))


@NAMES
def test_svg(name: str) -> None:
    check_svg(full_of(name))


@settings(max_examples=20)
@given(graphs(most=4))
def test_svg_of_any_graph(graph: Graph) -> None:
    check_svg(graph)


# ---- Mermaid


def check_mermaid(graph: Graph) -> None:
    source = graph_mermaid(graph, title=graph.equations[0].op if graph.equations else "", show="all")
    assert not UNSEEN.search(source)
    chart = read(source)
    shown = scene(graph)
    keys = [box.key for box in shown.boxes]
    assert sorted(chart.boxes) == sorted(keys)
    assert Counter(chart.links) == Counter((keys[link.source], keys[link.target]) for link in shown.links)


@NAMES
def test_mermaid(name: str) -> None:
    check_mermaid(full_of(name))


@settings(max_examples=20)
@given(graphs())
def test_mermaid_of_any_graph(graph: Graph) -> None:
    check_mermaid(graph)


# ---- text


def check_text(graph: Graph) -> None:
    for ascii in (False, True):
        text = graph_text(graph, 200, title=graph.equations[0].op if graph.equations else "", ascii=ascii)
        assert not UNSEEN.search(text) and (text.isascii() or not ascii)
        assert all(char == "\n" or char.isprintable() for char in text)
    assert "\x1b" not in text and "\r" not in text


@NAMES
def test_text(name: str) -> None:
    check_text(full_of(name))
    lines = graph_text(full_of(name), 100).split("\n")
    assert sum("op" not in line and bool(re.search(r"^(│ )*[○●◎]", line)) for line in lines[3:]) == 3


@settings(max_examples=20)
@given(graphs())
def test_text_of_any_graph(graph: Graph) -> None:
    check_text(graph)


# ---- HTML


def check_html(graph: Graph) -> None:
    title = graph.equations[0].op if graph.equations else ""
    text = explorer_html(graph, title=title)
    page = Page(text)
    assert [tag for tag, _ in page.tags] == [tag for tag, _ in EMPTY.tags] and page.script == EMPTY.script
    assert not UNSEEN.search(text.replace("\t", ""))
    assert len(page.data["equations"]["op"]) == len(graph.equations)
    assert not BIDIRECTIONAL.search(json.dumps(page.data, ensure_ascii=False))


BIDIRECTIONAL = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
EMPTY = Page(explorer_html(Graph((), (), (), (), ())))


@NAMES
def test_html(name: str) -> None:
    check_html(full_of(name))


@settings(max_examples=20)
@given(graphs(most=4))
def test_html_of_any_graph(graph: Graph) -> None:
    check_html(graph)


# ---- JSON


def check_json(graph: Graph) -> None:
    text = to_json(graph)
    assert not UNSEEN.search(text) and not set("<>&\u2028\n") & set(text)
    again = json.loads(text)
    assert len(again["equations"]) == len(graph.equations)
    found = from_json(text)
    assert isomorphic(found, graph)


def isomorphic(a: Graph, b: Graph) -> bool:
    """The same names and operations, joined in the same way."""
    return [(e.op, e.scope, e.inputs, e.outputs, e.position) for e in a.equations] == [
        (e.op, e.scope, e.inputs, e.outputs, e.position) for e in b.equations
    ] and (a.inputs, a.captured, a.constants, a.outputs) == (b.inputs, b.captured, b.constants, b.outputs)


@NAMES
def test_json(name: str) -> None:
    check_json(full_of(name))


@settings(max_examples=20)
@given(graphs())
def test_json_of_any_graph(graph: Graph) -> None:
    check_json(graph)
