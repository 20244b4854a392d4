"""The page of a difference: safe, complete, and usable by keyboard in a browser."""

from __future__ import annotations

import shutil
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from tensorgrad.inspect.diff import diff
from tensorgrad.viz.compare import MOST, Cell, Row, fragment, page
from tests.inspect.edits import draft, edited

HOSTILE = "<script>alert(1)</script>\"'&\x00\n\u202e]]>"


class Tags(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.text += data


def rows(count: int) -> list[Row]:
    return [Row("same", Cell(f"line {i}"), Cell(f"line {i}")) for i in range(count)]


def test_text_of_users_is_escaped() -> None:
    cell = Cell(HOSTILE, HOSTILE, HOSTILE)
    row = Row("changed", cell, Cell(HOSTILE + "x"), (HOSTILE,), (HOSTILE,))
    for text in (page([row], [HOSTILE], HOSTILE, HOSTILE, title=HOSTILE), fragment([row], [HOSTILE], "", "")):
        found = Tags(text)
        assert found.tags.count("script") == (1 if text.startswith("<!doctype") else 0)
        assert "alert(1)" in found.text and "\x00" not in text and "\u202e" not in text
        assert not [name for name, _ in found.attributes if name.startswith("on")]


def test_nothing_is_loaded_from_elsewhere() -> None:
    found = Tags(page(rows(3), ["no difference"], "a", "b"))
    links = [value for name, value in found.attributes if name in ("src", "href")]
    assert links == ["data:,"] and "default-src 'none'" in str(found.attributes)


def test_stretches_without_a_difference_are_folded_and_long_ones_cut() -> None:
    long = [*rows(50), Row("added", None, Cell("new")), *rows(3 * MOST)]
    text = page(long, ["1 added"], "a", "b")
    assert text.count("<details>") == 2 and "47 rows without a difference" in text
    assert f"{3 * MOST - 3:,} rows without" in text and "rows are left out" in text
    assert text.count('class="row ') == 47 + 7 + MOST and "added: " in text
    assert page(long, ["1 added"], "a", "b") == text


def test_words_that_differ_are_marked() -> None:
    text = page([Row("changed", Cell("sum(%1, axis=0)"), Cell("sum(%1, axis=1)"))], [""], "a", "b")
    assert "<mark>0</mark>" in text and "<mark>1</mark>" in text and text.count("<mark>") == 2


@pytest.fixture(scope="module")
def browser() -> Any:
    executable = shutil.which("chromium")
    if executable is None:
        pytest.skip("no chromium")
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as p:
        found = p.chromium.launch(executable_path=executable, args=["--no-sandbox"])
        yield found
        found.close()


def test_in_a_browser(browser: Any, tmp_path: Path) -> None:
    before = draft(5, 300)
    after = edited(before, 7, 3, ("insert", "parameter"))
    path = tmp_path / "diff.html"
    difference = diff(before.graph(), after.graph())
    difference.to_html(path)
    tab = browser.new_page()
    complaints: list[str] = []
    requests: list[str] = []
    tab.on("console", lambda message: complaints.append(message.text))
    tab.on("pageerror", lambda error: complaints.append(str(error)))
    tab.on("request", lambda request: requests.append(request.url))
    tab.goto(path.as_uri())
    stops = tab.locator(".stop").count()
    assert stops >= 2
    tab.keyboard.press("n")
    assert tab.locator("#at").inner_text() == f"difference 1 of {stops}"
    assert tab.evaluate("document.activeElement.classList.contains('stop')")
    tab.keyboard.press("p")
    assert tab.locator("#at").inner_text() == f"difference {stops} of {stops}"
    tab.locator("#fold").click()
    assert tab.locator("details:not([open])").count() == 0
    assert not complaints and len([url for url in requests if not url.startswith("data:")]) == 1
    tab.close()
