"""The explorer's page without a browser: its data is the graph's, nothing in it can load or run, and it is small."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import tensorgrad as tg
from tensorgrad import nn
from tensorgrad.ir.graph import Contribution, Equation, Graph, Pass, Position, Stats, Step, Var
from tensorgrad.viz._draw import clean
from tensorgrad.viz.explorer import cards, explorer_html
from tensorgrad.viz.explorer.cards import card_facts
from tensorgrad.viz.explorer.data import DIGITS, as_json, bars, explorer_json
from tensorgrad.viz.explorer.page import SCRIPTS
from tests.viz.conftest import make_step

HOSTILE = [
    "</script><script>alert(1)</script>",
    "<!-- <script>",
    "]]><img src=x onerror=alert(1)>",
    "a\"b'c`d${e}",
    "&lt;b&gt; &amp;",
    "nul\x00bell\x07",
    "two\nlines\u2028three",
    "\u202eright to left",
    "\ud800 alone",
    "__proto__",
    "constructor",
    "",
]


class Page(HTMLParser):
    """Reads a page: its tags, and the text of its scripts and styles."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.inside: list[tuple[dict[str, str | None], list[str]]] = []
        self.title, self.open = "", ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self.open = tag
        if tag in {"script", "style"}:
            self.inside.append((dict(attrs) | {"tag": tag}, []))

    def handle_endtag(self, tag: str) -> None:
        self.open = ""

    def handle_data(self, data: str) -> None:
        if self.open in {"script", "style"}:
            self.inside[-1][1].append(data)
        elif self.open == "title":
            self.title += data

    def text(self, **wanted: str) -> str:
        (found,) = ["".join(text) for given, text in self.inside if wanted.items() <= given.items()]
        return found

    @property
    def script(self) -> str:
        (found,) = [
            "".join(text) for given, text in self.inside if given["tag"] == "script" and "type" not in given
        ]
        return found

    @property
    def data(self) -> Any:
        return json.loads(self.text(tag="script", type="application/json"))


@pytest.fixture(scope="module")
def run() -> Any:
    """A recorded step with a value that is used twice, so that its gradient has two contributions."""
    net = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))
    x = tg.tensor(np.linspace(-1, 1, 15).reshape(5, 3))
    with tg.record(statistics=True, values=64) as run:
        y = net(x)
        loss = tg.mean(y * y + tg.exp(y))
        loss.backward()
    return run


def test_the_data_says_what_the_graph_says(run: Any) -> None:
    graph, data = run.graph, Page(explorer_html(run.graph)).data
    equations, variables = data["equations"], data["vars"]
    assert [data["ops"][op]["name"] for op in equations["op"]] == [one.op for one in graph.equations]
    number = variables["index"]
    for column, of in (("inputs", lambda e: e.inputs), ("outputs", lambda e: e.outputs)):
        written = [[number[v] for v in row] for row in equations[column]]
        assert written == [[var.index for var in of(one)] for one in graph.equations]
    assert [data["scopes"][i] for i in equations["scope"]] == [one.scope for one in graph.equations]
    assert equations["flops"] == [one.flops for one in graph.equations]
    assert equations["ns"] == [round(one.seconds * 1e9) for one in graph.equations]
    for i, one in enumerate(graph.equations):
        file, line, function, text = data["lines"][equations["line"][i]]
        assert (file, line, function) == (one.position.file, one.position.line, one.position.function)
        assert text in Path(file).read_text(encoding="utf-8")
    for var in graph.variables:
        v = number.index(var.index)
        assert tuple(data["shapes"][variables["shape"][v]]) == var.shape
        assert data["dtypes"][variables["dtype"][v]] == var.dtype
        assert variables["bytes"][v] == var.nbytes
        assert variables["label"].get(str(v), "") == var.label


def test_statistics_are_those_of_the_run(run: Any) -> None:
    data = Page(explorer_html(run.graph)).data
    number = data["vars"]["index"]
    assert len(data["stats"]) == len(run.graph.stats) > 5
    for v, row in data["stats"].items():
        array = run.arrays[number[int(v)]]
        norm, mean, std, low, high, zeros, nans, infs = row[:8]
        expected = [np.linalg.norm(array), array.mean(), array.std(), array.min(), array.max()]
        np.testing.assert_allclose([norm, mean, std, low, high], expected, rtol=1e-6, atol=1e-12)
        assert (zeros, nans, infs) == ((array == 0).sum(), 0, 0)
        if array.size <= 64:
            np.testing.assert_allclose(np.array(row[10]).reshape(array.shape), array, rtol=1e-6)


def test_contributions_sum_to_the_gradients(run: Any) -> None:
    data = Page(explorer_html(run.graph)).data
    (backward,) = data["passes"]
    gradients, sums = backward["gradients"], {}
    for v, row in backward["seeds"]:
        sums[v] = np.array(row[10])
    several = 0
    for _, contributions, _ in backward["steps"]:
        for _, target, row in contributions:
            row = gradients[str(target)] if row == 1 else row
            several += target in sums
            sums[target] = sums.get(target, 0) + np.array(row[10])
    assert several >= 2
    assert set(map(str, sums)) == set(gradients)
    for v, total in sums.items():
        np.testing.assert_allclose(total, gradients[str(v)][10], rtol=1e-5, atol=1e-7)


def test_a_contribution_that_is_not_the_whole_gradient_is_written() -> None:
    x, y = Var(0, (2,), "float64", "input", tracked=True), Var(1, (2,), "float64", "result")
    one, two = (Stats((2,), "float64", norm=n, values=(n, n)) for n in (1.0, 2.0))
    step = Step(0, (one,), (Contribution(0, x, one), Contribution(1, x, one)))
    graph = Graph(
        (x,),
        (),
        (),
        (Equation("add", (x, x), (y,), {}),),
        (y,),
        passes=(Pass(((y, one),), (step,), {0: two}),),
    )
    (written,) = json.loads(explorer_json(graph))["passes"][0]["steps"]
    assert [row[2][0] for row in written[1]] == [1, 1]
    whole = replace(
        graph, passes=(Pass(((y, one),), (replace(step, contributions=step.contributions[:1]),), {0: one}),)
    )
    (written,) = json.loads(explorer_json(whole))["passes"][0]["steps"]
    assert [row[2] for row in written[1]] == [1]


def test_numbers_that_json_lacks() -> None:
    x = Var(0, (4,), "float64", "input")
    values = (float("nan"), float("inf"), -float("inf"), 1 / 3)
    stats = Stats(
        (4,), "float64", nans=1, infs=2, low=1 / 3, high=1 / 3, mean=1 / 3, norm=float("inf"), values=values
    )
    data = json.loads(explorer_json(Graph((x,), (), (), (), (x,), stats={0: stats})))
    assert data["stats"]["0"][0] == "∞"
    assert data["stats"]["0"][10] == ["NaN", "∞", "-∞", 0.3333333]


def test_complex_boolean_and_unknown_values_can_be_written() -> None:
    kept = [(1 + 2j,), (True,), (np.int64(3),), (np.float32(0.5),), (None,)]
    variables = [Var(i, (1,), "complex128", "input") for i in range(len(kept))] + [Var(9, (), "", "unknown")]
    stats = {i: Stats((1,), "x", values=values) for i, values in enumerate(kept)}
    data = json.loads(explorer_json(Graph(tuple(variables), (), (), (), (), stats=stats)))
    assert [row[10][0] for row in data["stats"].values()] == ["1+2j", 1, 3, 0.5, None]


def test_histograms_keep_their_form() -> None:
    heights = [DIGITS.index(letter) for letter in bars((0, 3, 10_000, 5_000))]
    assert heights == [0, 1, 61, 30]
    assert bars(()) == "" and bars((0, 0)) == "00"


# ---- nothing loads, nothing runs


def test_nothing_comes_from_elsewhere(run: Any) -> None:
    text = explorer_html(run.graph, title="page")
    page = Page(text)
    for tag, attributes in page.tags:
        assert tag not in {"iframe", "object", "embed", "base", "img", "audio", "video", "frame"}
        assert not {"src", "srcset", "action", "background", "style"} & set(attributes), (tag, attributes)
        assert attributes.get("href") in {None, "data:,"}
        assert not any(name.startswith("on") for name in attributes)
    style = page.text(tag="style")
    assert "@import" not in style and "@font-face" not in style
    assert set(re.findall(r"url\(([^)]*)\)", style)) == {"#hatch", "#cross", "#dots"}
    assert re.findall(r"https?://[^'\"\s]*", page.script + style) == ["http://www.w3.org/2000/svg"]


def test_the_scripts_cannot_make_markup_of_text() -> None:
    source = Page(explorer_html(Graph((), (), (), (), ()))).script
    for word in (
        "innerHTML",
        "outerHTML",
        "insertAdjacentHTML",
        "document.write",
        "eval(",
        "new Function",
        "DOMParser",
    ):
        assert word not in source
    for word in ("fetch(", "XMLHttpRequest", "WebSocket", "sendBeacon", "import(", "localStorage", "Worker("):
        assert word not in source


def test_the_policy_allows_this_script_and_this_style_and_nothing_else(run: Any) -> None:
    page = Page(explorer_html(run.graph))
    (content,) = [
        given["content"] or ""
        for tag, given in page.tags
        if given.get("http-equiv") == "Content-Security-Policy"
    ]
    policy = dict(part.split(" ", 1) for part in content.split("; "))

    def digest(text: str) -> str:
        return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"

    assert policy == {
        "default-src": "'none'",
        "script-src": digest(page.script),
        "style-src": digest(page.text(tag="style")),
        "img-src": "data:",
        "base-uri": "'none'",
        "form-action": "'none'",
    }


def hostile_graph(text: str) -> Graph:
    """A graph with the text wherever a user's text can stand."""
    x, y = Var(0, (2,), "float32", "input", text), Var(1, (2,), "float32", "result", text)
    where = Position(f"/nowhere/{text}", 3, text)
    equation = Equation(text or "op", (x,), (y,), {text or "p": text}, text, position=where)
    return Graph((x,), (), (), (equation,), (y,))


def with_examples(test: Any) -> Any:
    for text in HOSTILE:
        test = example(text, text)(test)
    return test


@settings(max_examples=15)
@given(st.text(max_size=40), st.text(max_size=20))
@with_examples
def test_hostile_names_are_inert(text: str, title: str) -> None:
    page, plain = (
        Page(explorer_html(hostile_graph(text), title=title)),
        Page(explorer_html(hostile_graph("plain"))),
    )
    assert [tag for tag, _ in page.tags] == [tag for tag, _ in plain.tags]
    assert page.script == plain.script
    assert page.title.split() == (clean(title) or "Computation graph").split()
    raw = page.text(tag="script", type="application/json")
    assert raw.isascii() and not set("<>&") & set(raw)
    data = json.loads(raw)
    assert data["vars"]["label"] == ({"0": clean(text), "1": clean(text)} if text else {})
    assert data["ops"][0]["name"] == clean(text or "op")
    assert data["scopes"] == [clean(text)]
    assert data["equations"]["params"]["0"] == [[clean(text or "p"), clean(repr(text))]]
    assert data["lines"][0][0] == clean(f"/nowhere/{text}")


@given(st.text())
def test_json_of_any_text_reads_back(text: str) -> None:
    assert json.loads(as_json([text])) == [text]


# ---- formulas


@pytest.mark.parametrize(
    ("op", "name", "formula"),
    [
        ("tanh", "x", "1 - y * y"),
        ("add", "a", "1"),
        ("multiply", "a", "b"),
        ("matmul", "b", "_for_columns(g, a, a_shape, b_shape)"),
    ],
)
def test_formulas_are_found_in_their_source(op: str, name: str, formula: str) -> None:
    text, helpers = card_facts(op, tg._primitive.registry[op])["formulas"][name]
    assert text == formula
    assert ("def _for_columns" in helpers) == (op == "matmul")


def test_every_card_has_facts_that_can_be_written() -> None:
    shown = total = 0
    for name, card in tg._primitive.registry.items():
        facts = card_facts(name, card)
        json.loads(as_json(facts))
        total += len(facts["formulas"])
        shown += sum(bool(text) for text, _ in facts["formulas"].values())
    assert shown == total > 200


def test_a_formula_without_a_source_costs_only_its_text() -> None:
    space: dict[str, Any] = {"tg": tg}
    exec("@tg.elementwise\ndef cube(x):\n    return x * x * x\ncube.derivative(x=lambda x: 3 * x * x)", space)
    facts = card_facts("cube", space["cube"].card)
    assert facts["formulas"] == {"x": ["", ""]} and facts["inputs"] == ["x"]
    assert card_facts("gone", None)["formulas"] == {}


def test_long_functions_are_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cards, "MOST_LINES", 3)
    text = cards._source(test_long_functions_are_cut)
    assert text.splitlines()[-1] == "…" and len(text.splitlines()) == 4


# ---- sizes


def recorded_chain(length: int, shape: tuple[int, ...], values: int = 64) -> Graph:
    x = tg.tensor(np.linspace(0.1, 1, int(np.prod(shape))).reshape(shape), requires_grad=True)
    with tg.record(statistics=True, values=values) as run:
        y = x
        for k in range(length):
            y = tg.tanh(y) + x if k % 2 else tg.sin(y)
        tg.sum(y).backward()
    return run.graph


@pytest.mark.parametrize("shape", [(8, 8), (40, 40)])
def test_a_thousand_nodes_with_statistics_take_at_most_a_megabyte(shape: tuple[int, ...]) -> None:
    graph = recorded_chain(700, shape)
    assert len(graph.equations) >= 1000 and graph.stats and graph.passes[0].steps
    page = explorer_html(graph)
    assert len(page) <= 1e6 * len(graph.equations) / 1000
    assert len(Page(page).data["stats"]) == len(graph.stats)


def test_values_are_the_first_to_go() -> None:
    few, many = (json.loads(explorer_json(recorded_chain(n, (8, 8)))) for n in (10, 1500))
    assert all(
        len(row) == 11 and len(row[10]) == 64 for row in few["stats"].values() if len(few["shapes"][row[8]])
    )
    assert not any(len(row) == 11 and len(row[10]) == 64 for row in many["stats"].values())
    assert all(row[0] is not None for row in many["stats"].values())


def test_the_whole_page_is_a_file_of_ours() -> None:
    here = resources.files("tensorgrad.viz.explorer")
    scripts = sorted(one.name for one in here.iterdir() if one.name.endswith(".js"))
    assert sorted(SCRIPTS) == scripts
    assert len(explorer_html(Graph((), (), (), (), ()))) < 160_000


def test_the_same_graph_gives_the_same_page(run: Any) -> None:
    assert explorer_html(run.graph) == explorer_html(run.graph)


def test_a_traced_step_and_an_empty_graph_have_pages() -> None:
    data = Page(explorer_html(make_step(4))).data
    assert sum(data["equations"]["backward"]) == 33 and len(data["writes"]) == 16
    assert Page(explorer_html(Graph((), (), (), (), ()))).data["equations"]["op"] == []


def test_a_theme_must_exist() -> None:
    with pytest.raises(ValueError, match="theme='pink' is none of 'auto', 'light', 'dark'"):
        explorer_html(Graph((), (), (), (), ()), theme="pink")  # type: ignore[arg-type]
    assert (
        dict(Page(explorer_html(Graph((), (), (), (), ()), theme="dark")).tags)["html"]["data-theme"]
        == "dark"
    )
