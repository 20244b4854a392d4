"""The explorer in a real browser: it opens fast, asks for nothing, can be worked with mouse and keys, and adds up."""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import nn
from tensorgrad.ir.graph import Contribution, Equation, Graph, Pass, Stats, Step, Var
from tensorgrad.viz._draw import clean
from tensorgrad.viz.explorer import explorer_html
from tests.viz.conftest import make_step
from tests.viz.test_explorer import HOSTILE, hostile_graph, recorded_chain

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed (dev extra)")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium on the path"),
]
Opener = Callable[..., Any]


def until(page: Any, condition: str, argument: Any = None) -> None:
    """Waits; Playwright's own waiting needs ``eval``, which the page's policy forbids."""
    end = time.monotonic() + 25
    while not page.evaluate(f"(given) => {condition}", argument):
        assert time.monotonic() < end, condition
        time.sleep(0.01)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as tool:
        browser = tool.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser: Any, tmp_path: Path) -> Iterator[Opener]:
    """Opens a graph and gives the page; at the end nothing may have been asked for, said or thrown."""
    pages, requests, troubles = [], [], []

    def opened(
        graph: Graph, *, title: str = "graph", width: int = 1400, height: int = 900, **options: Any
    ) -> Any:
        file = tmp_path / f"{len(pages)}.html"
        file.write_text(explorer_html(graph, title=title), encoding="utf-8")
        page = browser.new_page(
            viewport={"width": width, "height": height}, **{"reduced_motion": "reduce"} | options
        )
        pages.append(page)
        page.on("request", lambda request: requests.append(request.url))
        page.on("console", lambda message: troubles.append(message.text))
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on("dialog", lambda dialog: troubles.append(dialog.message))
        page.goto(file.as_uri())
        until(page, "document.body.dataset.ready === '1'")
        return page

    yield opened
    for page in pages:
        page.close()
    assert troubles == []
    assert len(requests) == len(pages) > 0


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(3, 4), nn.Linear(4, 2)

    def forward(self, x: Any) -> Any:
        h = tg.tanh(self.fc1(x) * 2.0)
        return self.fc2(h + h * h)


@pytest.fixture(scope="module")
def graph() -> Graph:
    net, x = Net(), tg.tensor(np.linspace(-1, 1, 6).reshape(2, 3).astype(np.float32))
    with tg.record(statistics=True, values=64) as run:
        loss = tg.mean(tg.square(net(x)))
        loss.backward()
    return run.graph


@pytest.fixture(scope="module")
def deep() -> Graph:
    """Blocks in a stage, more than are shown at first."""
    with tg.record(statistics=True) as run:
        y = x = tg.tensor([0.5, 1.0], requires_grad=True)
        for stage in range(3):
            with tg.scope(f"stage{stage}"):
                for block in range(8):
                    with tg.scope(f"block{block}"):
                        for _ in range(4 + stage):
                            y = tg.tanh(y) + x
        tg.sum(y).backward()
    return run.graph


def boxes(page: Any) -> int:
    return int(page.evaluate("document.body.dataset.boxes"))


def node(page: Any, name: str) -> Any:
    return page.locator(f'[role=treeitem][aria-label^="{name}"]').first


def said(page: Any) -> str:
    return str(page.locator("#live").text_content())


def test_every_operation_is_drawn_and_nothing_overlaps(open_page: Opener, graph: Graph) -> None:
    page = open_page(graph)
    names = page.locator(".node.op .title").all_text_contents()
    assert sorted(names) == sorted(one.op for one in graph.equations)
    assert overlaps(page) == []
    assert upward_lines(page) == 0


def test_traced_steps_and_deep_graphs_do_not_overlap_either(open_page: Opener, deep: Graph) -> None:
    for one in (make_step(6), deep):
        page = open_page(one)
        for _ in range(3):
            page.keyboard.press("u")
            assert overlaps(page) == []
            assert upward_lines(page) == 0


def overlaps(page: Any) -> Any:
    """Pairs of boxes that overlap, and boxes that leave the frame of their module."""
    return page.evaluate("""() => {
        const rect = (element, part) => {
            const { left, top, right, bottom } = element.querySelector(part).getBoundingClientRect();
            return { left, top, right, bottom, name: element.getAttribute('aria-label') };
        };
        const nodes = [...document.querySelectorAll('.node')].map((e) => rect(e, '.box'));
        const frames = [...document.querySelectorAll('.frame')].map((e) => rect(e, '.ground'));
        const before = (a, b) => a.right <= b.left + .01 || a.bottom <= b.top + .01;
        const apart = (a, b) => before(a, b) || before(b, a);
        const within = (a, b) => a.left >= b.left && a.top >= b.top && a.right <= b.right && a.bottom <= b.bottom;
        const bad = [];
        nodes.forEach((a, i) => nodes.slice(i + 1).forEach((b) => {
            if (!apart(a, b)) bad.push([a.name, b.name]);
        }));
        frames.forEach((f, i) => [...nodes, ...frames.slice(i + 1)].forEach((a) => {
            if (!apart(a, f) && !within(a, f) && !within(f, a)) bad.push([a.name, f.name]);
        }));
        return bad;
    }""")


def upward_lines(page: Any) -> Any:
    return page.evaluate("""() => [...document.querySelectorAll('#edges .line')].filter((line) => {
        const end = line.getTotalLength();
        return line.getPointAtLength(end).y < line.getPointAtLength(0).y;
    }).length""")


def test_a_click_shows_all_that_is_known(open_page: Opener, graph: Graph) -> None:
    page = open_page(graph)
    node(page, "tanh").click()
    text = page.locator("#panel").inner_text()
    equation = next(one for one in graph.equations if one.op == "tanh")
    for part in (
        "Hyperbolic tangent of each element.",
        "1 - y * y",
        "Net",
        f"{Path(equation.position.file).name}:{equation.position.line}",
        "h = tg.tanh(self.fc1(x) * 2.0)",
        "float32 (2, 4)",
        "32 B",
        "FLOPS",
        "FORWARD TIME",
        "BACKWARD TIME",
    ):
        assert part.lower() in text.lower(), part
    assert page.locator("#panel table.values").count() == 2  # the value and the gradient
    stats = graph.stats[equation.outputs[0].index]
    cells = page.locator("#panel table.values").first.locator("td").all_text_contents()
    shown = [float(cell.replace("−", "-")) for cell in cells]
    np.testing.assert_allclose(shown, stats.values, rtol=6e-3, atol=1e-4)
    page.locator("#panel button.row", has_text="→ multiply").click()
    assert page.locator("#panel h2").text_content() == "multiply"
    assert page.locator(".node.selected .title").text_content() == "multiply"


def test_large_arrays_have_a_histogram(open_page: Opener) -> None:
    page = open_page(recorded_chain(3, (20, 20)))
    node(page, "tanh").click()
    assert page.locator("#panel .histogram").count() == 2
    assert page.locator("#panel .histogram rect").count() >= 20


def test_search_goes_round_and_unfolds(open_page: Opener, deep: Graph) -> None:
    page = open_page(deep)
    before = boxes(page)
    assert page.locator(".node.folded").count() > 0
    page.keyboard.press("/")
    page.keyboard.type("stage2/block7 tanh")
    until(page, "document.querySelector('#found').textContent === given", "6 matches")
    seen = []
    for _ in range(7):
        page.keyboard.press("Enter")
        seen.append(page.locator("#found").text_content())
    assert seen == [*(f"{k} of 6" for k in range(1, 7)), "1 of 6"]
    page.keyboard.press("Shift+Enter")
    assert page.locator("#found").text_content() == "6 of 6"
    assert boxes(page) > before
    assert "in stage2/block7" in (page.locator(".selected").get_attribute("aria-label") or "")
    for query, count in (("(2,)", 241), ("sum", 1), ("test_explorer_browser.py", 241), ("nowhere", 0)):
        page.locator("#query").fill(query)
        wanted = "no match" if not count else "1 match" if count == 1 else f"{count} matches"
        until(page, "document.querySelector('#found').textContent === given", wanted)


def test_modules_fold_and_unfold(open_page: Opener, graph: Graph) -> None:
    page = open_page(graph)
    everything = boxes(page)
    page.locator(".frame .handle").first.click()
    assert boxes(page) < everything and "folded" in said(page)
    folded = page.locator(".node.folded").first
    assert folded.get_attribute("aria-expanded") == "false"
    folded.dblclick()
    assert boxes(page) == everything and "unfolded" in said(page)
    page.locator("#fold-all").click()
    assert page.locator(".frame").count() == 0
    while page.locator(".node.folded").count():
        page.keyboard.press("u")
    assert boxes(page) == everything


def test_all_of_it_works_with_keys_alone(open_page: Opener, graph: Graph) -> None:
    page = open_page(graph)
    for _ in range(30):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.matches('.node, .frame')"):
            break
    visited = set()
    for _ in range(12):
        visited.add(page.evaluate("document.activeElement.getAttribute('aria-label')"))
        page.keyboard.press("ArrowDown")
    assert any("a result" in label for label in visited) and len(visited) >= 5
    page.keyboard.press("ArrowUp")
    assert "square" in said(page) or "sum" in said(page) or "mean" in said(page)
    page.keyboard.press("Enter")
    assert page.locator("#panel").is_visible()
    page.keyboard.press("Escape")
    assert page.locator("#panel").is_hidden()
    assert page.evaluate("document.activeElement.matches('.node, .frame')")
    while "Net" not in said(page):
        page.keyboard.press("ArrowUp")
    before = boxes(page)
    page.keyboard.press("Backspace")
    assert boxes(page) < before
    page.keyboard.press(" ")
    assert boxes(page) == before
    zoom = page.locator("#world").get_attribute("transform")
    for key in ("+", "-", "f", "Shift+ArrowLeft"):
        page.keyboard.press(key)
    assert page.locator("#world").get_attribute("transform") != zoom
    page.keyboard.press("?")
    assert page.locator("#help").is_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("m")
    assert page.evaluate("document.body.dataset.mode") == "flow"


def test_wheel_drag_and_buttons_move_the_picture(open_page: Opener, graph: Graph) -> None:
    page = open_page(graph)

    def at() -> list[float]:
        found = re.findall(r"-?[\d.]+", page.locator("#world").get_attribute("transform"))
        return [float(number) for number in found]

    start = at()
    page.mouse.move(300, 300)
    page.mouse.wheel(0, -240)
    until(
        page,
        "!document.querySelector('#world').getAttribute('transform').endsWith(`scale(${given})`)",
        start[2],
    )
    zoomed = at()
    assert zoomed[2] > start[2]
    # The point under the pointer stays where it is.
    top = page.locator("#stage").bounding_box()["y"]
    for before, after, pointer in ((start[0], zoomed[0], 300), (start[1], zoomed[1], 300 - top)):
        assert abs((pointer - before) / start[2] - (pointer - after) / zoomed[2]) < 1
    page.mouse.down()
    page.mouse.move(340, 280, steps=4)
    page.mouse.up()
    np.testing.assert_allclose(np.subtract(at()[:2], zoomed[:2]), [40, -20], atol=1)
    page.locator("#fit").click()
    np.testing.assert_allclose(at(), start, rtol=1e-3)


def test_the_backward_pass_plays_to_the_end_and_adds_up(open_page: Opener, graph: Graph) -> None:
    page = open_page(graph)
    backward = graph.passes[-1]
    events = [c for step in backward.steps for c in step.contributions]
    assert int(page.locator("#step-at").get_attribute("max")) == len(events)
    page.keyboard.press("[")
    assert "starts with 1" in said(page)
    several = 0
    for k, contribution in enumerate(events, 1):
        page.keyboard.press(".")
        assert said(page).startswith(f"Step {k} of {len(events)}")
        sums = page.locator("#running-sum")
        title = sums.locator("h3").text_content() or ""
        done, of = map(int, re.findall(r"\d+", title))
        several += of > 1
        if done == of:
            assert sums.locator("[data-agrees]").get_attribute("data-agrees") == "true"
            total = backward.gradients[contribution.target.index]
            texts = sums.locator("td, .number").all_text_contents()
            np.testing.assert_allclose(
                [float(t.replace("−", "-")) for t in texts], total.values, rtol=6e-3, atol=1e-4
            )
        else:
            assert sums.locator("[data-agrees]").count() == 0
    assert several >= 3
    assert page.locator(".node.partial, .node.waiting").count() == 0
    finished = page.locator(".node.finished").count()
    page.keyboard.press(",")
    assert page.evaluate("document.body.dataset.step") == str(len(events) - 1)
    assert page.locator(".node.finished").count() == finished - 1
    page.keyboard.press("]")
    assert page.locator(".node.finished").count() == finished
    page.locator("#step-at").fill("3")
    assert said(page).startswith("Step 3 of")
    page.keyboard.press("[")
    page.select_option("#speed", "16")
    page.keyboard.press("k")
    until(page, "document.body.dataset.step === given", str(len(events)))


def test_a_wrong_sum_is_seen(open_page: Opener) -> None:
    """What the page checks can fail: here a contribution is missing."""
    x, y = Var(0, (2,), "float64", "input", "x", True), Var(1, (2,), "float64", "result", "y", True)
    one, two = (Stats((2,), "float64", norm=n, mean=n, values=(n, n)) for n in (1.0, 2.0))
    step = Step(0, (one,), (Contribution(0, x, one),))
    broken = Pass(((y, one),), (step,), {0: two, 1: one})
    page = open_page(Graph((x,), (), (), (Equation("add", (x, x), (y,), {}),), (y,), passes=(broken,)))
    page.keyboard.press("]")
    assert page.locator("[data-agrees]").get_attribute("data-agrees") == "false"


def test_one_of_several_passes_is_chosen(open_page: Opener) -> None:
    x = tg.tensor([1.0, 2.0], requires_grad=True)
    with tg.record() as run:
        tg.sum(x * x).backward()
        tg.sum(tg.exp(x)).backward()
    page = open_page(run.graph)
    assert page.locator("#pass option").count() == 2
    page.keyboard.press("]")
    assert "exp" in said(page)
    page.select_option("#pass", "0")
    page.keyboard.press("]")
    assert "multiply" in said(page)


def test_gradient_flow_differs_by_sign_and_pattern(open_page: Opener) -> None:
    x, w, z = (tg.tensor(one, requires_grad=True) for one in ([0.0, 1.0], [-1.0, -2.0], [1.0, 2.0]))
    with np.errstate(all="ignore"), tg.record() as run:
        loss = (
            tg.sum(tg.relu(w * 3.0))
            + tg.sum(tg.sqrt(x))
            + tg.sum(tg.sqrt(z * 0.0) * 0.0)
            + tg.sum(x.detach())
        )
        loss.backward()
    page = open_page(run.graph)
    page.select_option("#mode", "flow")
    signs = set(page.locator(".sign text").all_text_contents())
    assert signs == {"0", "NaN", "∞"}
    assert (
        page.locator(".s-zero").count()
        and page.locator(".node.s-nan").count()
        and page.locator(".node.s-inf").count()
    )
    assert page.locator(".node.s-none").count() and page.locator(".node.k-painted").count()
    for mode in page.locator("#mode option").evaluate_all("(all) => all.map((one) => one.value)"):
        page.select_option("#mode", mode)
        assert page.locator("#legend .key").count() > 0


def test_dark_mode_follows_the_setting_and_the_switch(open_page: Opener, graph: Graph) -> None:
    def ground(page: Any) -> int:
        colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
        return sum(map(int, re.findall(r"\d+", colour)[:3]))

    light, dark = open_page(graph, color_scheme="light"), open_page(graph, color_scheme="dark")
    assert ground(light) > 600 and ground(dark) < 150
    dark.locator("#theme").click()
    assert ground(dark) > 600
    light.keyboard.press("d")
    assert ground(light) < 150


def test_hostile_names_are_shown_and_do_nothing(open_page: Opener) -> None:
    every = [hostile_graph(text).equations[0] for text in HOSTILE]
    last = Var(2, (2,), "float32", "result")
    chain = tuple(
        replace(one, inputs=(one.inputs[0], last), outputs=(replace(last, index=i + 3),))
        for i, one in enumerate(every)
    )
    page = open_page(Graph(chain[0].inputs, (), (), chain, chain[-1].outputs), title=HOSTILE[0])
    assert page.locator(".node.op").count() == len(HOSTILE)
    for i, text in enumerate(HOSTILE):
        page.locator(".node.op").nth(i).click(force=True)
        assert page.locator("#panel img, #panel script, #nodes script").count() == 0
        assert page.locator("#panel h2").text_content() in {clean(one or "op") for one in HOSTILE}, text
    assert page.evaluate("document.querySelectorAll('script').length") == 2
    assert page.locator("#title").text_content() == page.title() == HOSTILE[0]


def test_everything_that_can_be_worked_has_a_name(open_page: Opener, graph: Graph) -> None:
    page = open_page(graph)
    node(page, "tanh").click()
    session = page.context.new_cdp_session(page)
    tree = session.send("Accessibility.getFullAXTree")["nodes"]
    roles: dict[str, int] = {}
    for one in tree:
        role = one.get("role", {}).get("value", "")
        if one.get("ignored") or role not in {
            "button",
            "slider",
            "searchbox",
            "combobox",
            "checkbox",
            "treeitem",
            "tree",
            "image",
            "region",
        }:
            continue
        roles[role] = roles.get(role, 0) + 1
        assert one.get("name", {}).get("value", "").strip(), one
    assert {"button", "slider", "searchbox", "combobox", "checkbox", "treeitem", "tree"} <= set(roles)
    assert roles["treeitem"] >= len(graph.equations)
    unnamed = "[...document.querySelectorAll('#canvas [tabindex=\"0\"]')].length"
    assert page.evaluate(unnamed) == 1  # one stop for Tab, arrows from there


def test_small_screens_and_paper(open_page: Opener, graph: Graph) -> None:
    for width, height in ((800, 600), (390, 740)):
        page = open_page(graph, width=width, height=height)
        node(page, "tanh").click(force=True)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.locator("#panel").is_visible()
    page.emulate_media(media="print")
    assert page.locator("#stepper").is_hidden() and page.locator("#nodes").is_visible()


def test_motion_is_reduced_where_that_is_wished(open_page: Opener, graph: Graph) -> None:
    page = open_page(graph)
    page.keyboard.press(".")
    page.keyboard.press(".")
    assert page.locator(".active-edge").count() >= 1 and page.locator(".active-flow").count() == 0
    lively = open_page(graph, reduced_motion="no-preference")
    lively.keyboard.press(".")
    lively.keyboard.press(".")
    assert lively.locator(".active-flow").count() == 1


def test_ten_thousand_nodes_open_fast_and_few_boxes_are_shown(open_page: Opener) -> None:
    graph = recorded_chain(6_700, (2,))
    assert len(graph.equations) > 10_000
    page = open_page(graph)
    assert 2 <= boxes(page) <= 150
    page.evaluate("document.querySelector('#unfold-all').click()")
    assert boxes(page) <= 1200


@pytest.mark.parametrize("count", [20_000, pytest.param(100_000, marks=pytest.mark.slow)])
def test_a_long_chain(open_page: Opener, count: int) -> None:
    every = [Var(i, (2,), "float32", "input" if i == 0 else "result") for i in range(count + 1)]
    names = ("sin", "exp", "tanh", "sin", "cos")
    equations = tuple(
        [Equation(names[i * 7919 % 104_729 % 5], (every[i],), (every[i + 1],), {}) for i in range(count)]
    )
    page = open_page(Graph((every[0],), (), (), equations, (every[-1],)))
    assert 2 <= boxes(page) <= 150
    page.locator("#query").fill(f"%{count}")
    page.keyboard.press("Enter")
    until(page, "document.querySelector('#found').textContent === '1 of 1'")
    assert "a result" in (page.locator(".selected").get_attribute("aria-label") or "")


def test_deeply_nested_modules(open_page: Opener) -> None:
    every = [Var(i, (), "float32", "result") for i in range(400)]
    equations = [
        Equation("sin", (every[i],), (every[i + 1],), {}, "/".join(f"m{k}" for k in range(i)))
        for i in range(399)
    ]
    page = open_page(Graph((), (), (), tuple(equations), (every[-1],)))
    for _ in range(60):
        page.keyboard.press("u")
    assert page.locator(".node.folded").count() == 0
    assert overlaps(page) == []
