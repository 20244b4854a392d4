"""Pictures: what can be drawn, the forms it can be written in, and that text stays text, in its box."""

from __future__ import annotations

import re
import shutil
import sys
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import nn
from tensorgrad._errors import NoGraphError
from tensorgrad.ir.graph import Equation, Graph, Stats, Var
from tensorgrad.ir.json import from_json
from tensorgrad.viz import Options
from tensorgrad.viz._draw import text_width
from tensorgrad.viz.engines import ENGINES
from tests.viz.conftest import boxes, stats, with_gradients

SVG = "{http://www.w3.org/2000/svg}"
EACH = sorted(["shapes", "dtypes", "values", "gradients", "memory", "time", "flops"])


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


def test_notebooks_show_the_drawing(neuron: Graph) -> None:
    picture = tg.graph(neuron)
    bundle = picture._repr_mimebundle_()
    assert bundle == {"image/svg+xml": picture.to_svg(), "text/plain": repr(picture)}
    assert type(bundle["image/svg+xml"]) is str


def test_every_form_can_be_written(neuron: Graph, tmp_path: Path) -> None:
    picture = tg.graph(neuron, title="a neuron")
    assert picture.to_mermaid().startswith("flowchart")
    assert from_json(picture.to_json()).equations[2].op == "tanh"
    page = picture.to_html(tmp_path / "neuron.html")
    assert "a neuron" in page and (tmp_path / "neuron.html").read_text(encoding="utf-8") == page
    assert picture.to_svg().save(tmp_path / "neuron.svg").exists()


@pytest.mark.parametrize(
    ("engine", "says"),
    [("dot", "apt-get install graphviz"), ("pygraphviz", r"pip install 'tensorgrad\[viz\]'")],
)
def test_an_engine_that_is_not_installed_says_how_to_get_it(
    tmp_path: Path, small: Graph, monkeypatch: pytest.MonkeyPatch, engine: Any, says: str
) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    monkeypatch.setitem(sys.modules, "pygraphviz", None)
    with pytest.raises(RuntimeError, match=f"engine='{engine}' needs .*{says}, or leave engine out"):
        tg.graph(small).render(tmp_path / "graph.png", engine=engine)


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
    with pytest.raises(NoGraphError, match=r"freed the history of the result.*tg\.record\(\)"):
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
