"""Graphs as DOT: labels stay text, the same each time; files by Graphviz or by the own layout."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tensorgrad.ir.graph import Equation, Graph, Var
from tensorgrad.viz import engines as module
from tensorgrad.viz import graph_dot, render
from tensorgrad.viz._draw import clean

needs_dot = pytest.mark.skipif(
    shutil.which("dot") is None, reason="the dot program of Graphviz is not installed"
)
SIGNATURES = {"svg": b"<?xml", "png": b"\x89PNG", "pdf": b"%PDF"}
GOLDEN = r"""digraph {
    graph [fontname=Helvetica fontsize=11 label="small\n4 operations" labelloc=t]
    node [fontname=Helvetica fontsize=11 height=0.4 shape=box style="filled,rounded"]
    edge [arrowsize=0.7]
    v0 [label="x\n%0 (2, 3)" color="#7d4cc2" fillcolor="#f1e8fd" penwidth=1]
    v2 [label="1\n%2 scalar" color="#7c8692" fillcolor="#f1f3f6" penwidth=1]
    e1 [label="add\n%4 (2, 4)" color="#2f6fc4" fillcolor="#e3efff" penwidth=1]
    e2 [label="tanh\n%5 (2, 4)" color="#2f6fc4" fillcolor="#e3efff" penwidth=1]
    e3 [label="mean\n%6 scalar" color="#2f6fc4" fillcolor="#e3efff" penwidth=1]
    o0 [label="output\n%6 scalar" color="#7d4cc2" fillcolor="#f1e8fd" penwidth=2]
    subgraph cluster_0 {
        graph [color="#d3d8df" fillcolor="#f8f9fb" fontname=Helvetica fontsize=11 label=layer labeljust=l style="filled,rounded"]
        v1 [label="w\n%1 (3, 4)" color="#1f8350" fillcolor="#e0f5e8" penwidth=1]
        e0 [label="matmul\n%3 (2, 4)" color="#2f6fc4" fillcolor="#e3efff" penwidth=1]
    }
    v0 -> e0 [color="#8a94a1" weight=1]
    v1 -> e0 [color="#8a94a1" weight=1]
    e0 -> e1 [color="#8a94a1" weight=4]
    v2 -> e1 [color="#8a94a1" weight=1]
    e1 -> e2 [color="#8a94a1" weight=4]
    e2 -> e3 [color="#8a94a1" weight=4]
    e3 -> o0 [color="#8a94a1" weight=4]
}
"""  # noqa: E501


def one_op(label: str, op: str) -> Graph:
    x, y = Var(0, (2,), "float32", "input", label), Var(1, (2,), "float32", "result")
    return Graph((x,), (), (), (Equation(op, (x,), (y,), {}),), (y,))


def attribute(source: str, node: str, name: str) -> str:
    """What Graphviz shows for an attribute of a node: quoting, escapes and HTML entities undone."""
    line = next(line for line in source.splitlines() if line.strip().startswith(f"{node} ["))
    found = re.search(rf'{name}="((?:[^"\\]|\\.)*)"', line)
    assert found, line
    plain = re.sub(r"\\(.)", lambda escape: "\n" if escape[1] == "n" else escape[1], found[1])
    return plain.replace("&amp;", "&")


def test_the_whole_small_graph(small: Graph) -> None:
    source = graph_dot(small, title="small").replace("\t", "    ")
    assert re.sub(r' tooltip=("[^"]*"|\w+)', "", source) == GOLDEN


def test_hovering_tells_inputs_dtype_and_scope(small: Graph) -> None:
    tip = attribute(graph_dot(small), "e0", "tooltip")
    assert tip == "%3 = matmul(%0, %1)\n%3: float32 (2, 4)\nin layer\nforward operation"


@given(st.text(max_size=25), st.text(max_size=25))
@example("<b>x</b>", "<i>")
@example('say "hi"', 'ends in \\"')
@example("back\\slash", "\\N\\G\\n\\")
@example("a &lt; b &amp; c", "&#60;b&#62;")
@example("two\nlines\r", "nul\x00 \u202e \ud800")
@example('"', "\\")
def test_labels_are_text_whatever_they_contain(label: str, op: str) -> None:
    source = graph_dot(one_op(label, op), title=label)
    assert not re.search(r"(label|tooltip)=<", source)
    assert attribute(source, "v0", "label") == (f"{clean(label)}\n%0 (2,)" if label else "%0\n(2,)")
    assert attribute(source, "e0", "label") == (f"{clean(op)}\n" if op else "") + "%1 (2,)"


@needs_dot
@pytest.mark.parametrize(
    ("label", "op"),
    [("<b>x</b>", '"\\N\\"'), ("a &lt; b", "]]><script>"), ("\\G", "nul\x00\n"), ("é 日本", "x'")],
)
def test_graphviz_reads_hostile_labels_back(tmp_path: Path, label: str, op: str) -> None:
    path = render(one_op(label, op), tmp_path / "graph.svg")
    words = [
        (text.text or "").replace("\xa0", " ")
        for text in ET.parse(path).iter("{http://www.w3.org/2000/svg}text")
    ]
    assert clean(label) in words and clean(op) in words


def test_writing_twice_gives_the_same_text(training_step: Callable[[int], Graph]) -> None:
    assert graph_dot(training_step(3)) == graph_dot(training_step(3))


def test_a_large_graph_becomes_a_count(training_step: Callable[[int], Graph]) -> None:
    source = graph_dot(training_step(3), node_limit=20)
    assert "->" not in source and "too many to draw one by one (limit 20)" in source
    assert "matmul: 3 forward, 6 backward" in source


@needs_dot
@pytest.mark.parametrize("kind", SIGNATURES)
def test_files_by_the_dot_program(tmp_path: Path, small: Graph, kind: str) -> None:
    path = render(small, tmp_path / f"graph.{kind}", title="small")
    assert path.read_bytes().startswith(SIGNATURES[kind])


@pytest.mark.parametrize("kind", SIGNATURES)
def test_files_by_pygraphviz(
    tmp_path: Path, small: Graph, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("pygraphviz", reason="the extra viz (pygraphviz) is not installed")
    monkeypatch.setattr(module.shutil, "which", lambda name: None)
    path = render(small, str(tmp_path / f"graph.{kind}"))
    assert path.read_bytes().startswith(SIGNATURES[kind])


def without_graphviz(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module.shutil, "which", lambda name: None)
    monkeypatch.setitem(sys.modules, "pygraphviz", None)


def test_without_graphviz_the_own_layout_draws_svg(
    tmp_path: Path, small: Graph, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_graphviz(monkeypatch)
    text = render(small, tmp_path / "graph.SVG", title="small").read_text(encoding="utf-8")
    assert ET.fromstring(text).get("role") == "img"


@pytest.mark.parametrize("kind", ["png", "pdf"])
def test_without_graphviz_other_formats_name_the_ways_out(
    tmp_path: Path, small: Graph, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    without_graphviz(monkeypatch)
    with pytest.raises(RuntimeError, match=r"tensorgrad\[viz\].*apt-get install graphviz.*\.svg"):
        render(small, tmp_path / f"graph.{kind}")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["graph", "graph.jpg", "svg"])
def test_other_endings_are_refused(tmp_path: Path, small: Graph, name: str) -> None:
    with pytest.raises(ValueError, match=r"\.svg, \.png or \.pdf"):
        render(small, tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_graphviz_is_imported_only_to_write_dot() -> None:
    code = "import sys, tensorgrad.viz as v; assert 'graphviz' not in sys.modules, 'imported'"
    subprocess.run([sys.executable, "-c", code], check=True)
