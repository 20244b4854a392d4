"""Reports as text, as HTML and as JSON: they say what is wrong and where, and are safe to show."""

from __future__ import annotations

import contextlib
import io
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad.testing import Report, check, check_vjp, page
from tensorgrad.testing.error_map import CELLS

X = np.linspace(0.5, 2.0, 6).reshape(2, 3)
VOID = ("br", "hr", "img", "input", "link", "meta")


@tg.elementwise
def cube(x: Any) -> Any:
    return x * x * x


cube.derivative(x=lambda x: 2 * x * x)


@tg.elementwise
def cut(x: Any) -> Any:
    return x * x


cut.derivative(x=lambda x: tg.where(x > 1.6, 2.1 * x, 2 * x))


def composite(x: Any, w: Any) -> Any:
    return (cube(tg.tanh(x) * w) * 2).sum()


@pytest.fixture(scope="module")
def wrong() -> Report:
    return check(composite, [X, X.astype("float32")])


@pytest.fixture(scope="module")
def right() -> Report:
    return check(lambda x: tg.relu(x), np.zeros((3, 4)), clauses=["derivative", "unused results"])


class Nesting(HTMLParser):
    """Complains about tags that are not closed in their order, and keeps what it saw."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.said = ""
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.said += data


# ---- text


def test_the_first_line_says_whether_and_where(wrong: Report, right: Report) -> None:
    assert re.fullmatch(
        r"composite: wrong in 1 of 1\d clauses; look at cube, .*test_page.py:\d+", str(wrong).split("\n")[0]
    )
    assert str(right).split("\n")[0] == "<lambda>: right in 1 clause"


def test_the_line_of_the_culprit_is_quoted(wrong: Report) -> None:
    lines = str(wrong).split("\n")
    at = next(i for i, line in enumerate(lines) if line.startswith("culprit: cube, called at "))
    assert lines[at + 1] == "    return (cube(tg.tanh(x) * w) * 2).sum()"
    assert "    ratio      0.666667" in lines[at:]


def test_clauses_are_grouped_and_kinks_of_a_kind_told_once(wrong: Report, right: Report) -> None:
    assert len([line for line in str(wrong).split("\n") if line.startswith(("ok", "skipped"))]) == 3
    assert "skipped  unused results (one result only)" in str(right)
    assert str(right).count("not differentiable at") == 1
    assert "the same at x[0, 1], x[0, 2], x[0, 3], x[1, 0], and 7 more" in str(right)


def test_lines_keep_to_the_width(wrong: Report) -> None:
    for width in (60, 80, 100):
        lines = page.text(replace(wrong, reproducer=""), width=width).split("\n")[1:]
        assert max(map(len, lines)) <= width


def test_colours_change_nothing_else(wrong: Report) -> None:
    coloured = page.text(wrong, colour=True)
    assert "\x1b[1;31m" in coloured and "\x1b" not in str(wrong)
    assert re.sub("\x1b\\[[0-9;]*m", "", coloured) == str(wrong)


def test_ops_on_numbers_are_culprits_too() -> None:
    """A product of vectors is a NumPy scalar, not an array."""
    assert check(lambda a, b: tg.exp(cube(a @ b)), [X[0], X[1]]).culprits[0].op == "cube"


def test_calls_are_told_once_and_not_without_end() -> None:
    def deep(x: Any) -> Any:
        # fmt: off
        x = cube(x) / 4
        x = cube(x) / 4
        x = cube(x) / 4
        x = cube(x) / 4
        x = cube(x) / 4
        x = cube(x) / 4
        # fmt: on
        return cube(x)

    report = check(deep, np.array([1.5, 2.0]), clauses="derivative")
    lines = str(report).split("\n")
    assert len([line for line in lines if line.startswith(("culprit: cube", "then: cube"))]) == page.CALLS
    assert "and 2 more calls, in .culprits" in lines
    assert report._repr_html_().count("called at") == page.CALLS


# ---- map of errors


def test_a_map_shows_where_the_gradient_is_wrong() -> None:
    [found] = check(cut, X, clauses=["derivative"]).findings
    assert np.array_equal(np.array(found.error_map) > 0, X > 1.6)
    np.testing.assert_allclose(found.error_map[1][2], 0.05, rtol=1e-6)
    assert "errors     |   |" in str(check(cut, X, clauses=["derivative"]))


def test_a_large_map_is_reduced_to_the_largest_errors_of_blocks() -> None:
    x = np.ones((3, 6, 17))
    x[2, 5, 16] = 1.7
    [found] = check(cut, x, clauses=["derivative"], fast_mode=False).findings
    errors = np.array(found.error_map)
    assert errors.shape == (CELLS, CELLS) and (errors > 0).sum() == 1 and errors[-1, -1] > 0


def test_numbers_have_no_map_and_complex_entries_one_cell() -> None:
    assert check(cube, np.array(2.0), clauses=["derivative"]).findings[0].error_map == ()
    wrong = check_vjp(np.exp, lambda inputs, y, g: 2 * g * np.conj(y), np.array([1j, 2.0, 1.0 + 1j]))
    assert np.shape(wrong.findings[0].error_map) == (1, 3)


# ---- HTML


def reports() -> dict[str, Any]:
    return {
        "wrong": lambda: check(composite, [X, X]),
        "region": lambda: check(cut, X),
        "kinks": lambda: check(lambda x: tg.abs(x), np.zeros(3)),
        "several": lambda: check_vjp(
            lambda a, b: a * b, lambda inputs, y, g: (inputs[1], inputs[0] * g * 2), [X, X]
        ),
        "empty": lambda: Report("f", (), "full", ()),
    }


@pytest.mark.parametrize("name", reports())
def test_html_is_nested_and_stands_alone(name: str) -> None:
    report = reports()[name]()
    text = report._repr_html_()
    seen = Nesting(text)
    assert not {tag for tag, _ in seen.tags} & {"script", "link", "img", "iframe", "object"}
    assert not re.search(r"url\(|@import|https?:|\bsrc=|\bhref=|\bon\w+=", text)
    for rule in re.findall(
        r"^[^@}\n][^{]*(?=\{)", text[text.index("<style>") + 7 : text.index("</style>")], re.M
    ):
        assert all(one.startswith(".tg-check.tg-check") for one in rule.split(",")), rule
    assert ("✓ right" if report.ok else "✗ wrong") in seen.said
    for one in report.clauses:
        assert one.name in seen.said
    for one in (*report.findings, *report.culprits):
        assert one.message in seen.said


def test_html_says_by_words_what_colours_say() -> None:
    seen = Nesting(check(cut, X)._repr_html_())
    assert "✗derivative" in seen.said and "✓deterministic" in seen.said
    [label] = [attrs["aria-label"] for tag, attrs in seen.tags if tag == "table" and "aria-label" in attrs]
    assert label == "errors of the gradient of x: · right, ▄ below 10 %"


def test_html_escapes_what_is_the_users() -> None:
    evil = "<script>alert('&\x1b\u202e')</script>"
    report = replace(
        check(lambda x: cube(x) + 1, X), name=evil, inputs=(evil,), notes=(evil,), reproducer=evil, clauses=()
    )
    report = replace(
        report, findings=tuple([replace(one, message=evil, hint=evil) for one in report.findings])
    )
    text = report._repr_html_()
    assert "<script" not in text and "\x1b" not in text and "\u202e" not in text
    assert Nesting(text).said.count("<script>alert('&") >= 5
    assert "&lt;lambda&gt;" in check(lambda x: x * 1, X)._repr_html_()


# ---- JSON


def test_json_goes_round(wrong: Report) -> None:
    report = replace(
        wrong, findings=(replace(wrong.findings[0], numeric=float("nan"), error_map=((np.inf,),)),)
    )
    again = json.loads(report.to_json(indent=1))
    assert again == json.loads(json.dumps(report.to_dict()))
    assert again["ok"] is False and again["findings"][0]["numeric"] is None
    assert again["findings"][0]["error_map"] == [[None]]
    assert again["culprits"][0]["op"] == "cube" and again["reproducer"] == wrong.reproducer


# ---- reproducer


def lone(x: Any, many: Any, *, k: int = 1) -> Any:
    return cube(x * many["a"] * k) + many["b"][0]


RUNNABLE: dict[str, Any] = {
    "composite": lambda: check(composite, [X, X.astype("float32")]),
    "one array": lambda: check(cube, X, seed=5, clauses=["derivative", "linear in the upstream gradient"]),
    "containers": lambda: check(lone, [2.0, {"a": np.array(-0.5), "b": [tg.tensor([1.0, 2.0])]}]),
    "chosen": lambda: check(composite, [tg.tensor(X, requires_grad=True), X]),
    "complex": lambda: check(tg.exp, [np.array([1 + 2j, -0.5], "complex64")], atol=1e-3),
    "empty": lambda: check(tg.add, [np.zeros((0, 3)), 1.0]),
    "large": lambda: check(cube, np.linspace(1, 2, 99)),
    "constant": lambda: check(cube, np.ones(99, "float32")),
    "pair": lambda: check_vjp(np.tanh, lone, np.array([0.1, 0.2]), clauses="derivative"),
}


@pytest.mark.parametrize("name", RUNNABLE)
def test_a_reproducer_repeats_the_check(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Names of this module are at hand, as if the lines were pasted into it."""
    report = RUNNABLE[name]()
    space: dict[str, Any] = dict(globals())
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        exec(report.reproducer, space)
    assert untimed(said.getvalue()) == untimed(f"{report}\n") or name == "large"
    assert said.getvalue().split("\n")[0] == str(report).split("\n")[0]


def untimed(text: str) -> str:
    return re.sub(r"\d+\.\d\d s", "", text)


def test_a_reproducer_says_what_cannot_be_written() -> None:
    text = check(lambda x: tg.sin(x), X).reproducer
    assert re.search(r"# f = \.\.\.  # a lambda, .*test_page.py:\d+: text = check", text)
    assert "# Large arrays are others" in check(tg.sin, np.linspace(1, 2, 65)).reproducer
    assert "rng" not in check(tg.sin, np.linspace(1, 2, 64)).reproducer


def test_a_reproducer_has_the_inputs_as_they_were_before_the_check() -> None:
    def spoils(x: Any) -> Any:
        x *= 2
        return x + 0

    assert (
        "np.array([1.0, 2.0])"
        in check_vjp(spoils, lambda inputs, y, g: 2 * g, np.array([1.0, 2.0])).reproducer
    )
