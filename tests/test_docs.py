"""Every Python block of the README and of docs/ runs, in order, and prints what the page says."""

from __future__ import annotations

import contextvars
import doctest
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("**/*.md"))]
FLAGS = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
FENCE = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)


def blocks(page: Path) -> Iterator[tuple[int, str]]:
    """The Python blocks of a page, each with the number of its first line."""
    text = page.read_text(encoding="utf-8")
    for found in FENCE.finditer(text):
        indent, language, code = found.groups()
        if language in ("python", "py", "pycon"):
            lines = [line.removeprefix(indent) for line in code.splitlines(keepends=True)]
            yield text.count("\n", 0, found.start()) + 2, "".join(lines)


def run(page: Path) -> None:
    """Run the blocks of a page as one program; those with ``>>>`` must print what stands below."""
    space: dict[str, Any] = {"__name__": "__main__"}
    for line, code in blocks(page):
        where = f"{page.relative_to(ROOT)}:{line}"
        if ">>>" in code:
            test = doctest.DocTestParser().get_doctest(code, space, where, str(page), line - 1)
            report: list[str] = []
            result = doctest.DocTestRunner(optionflags=FLAGS).run(test, out=report.append, clear_globs=False)
            assert not result.failed, "".join(report)
            space = test.globs
        else:
            # Blank lines in front, so that a traceback shows the line of the page.
            exec(compile("\n" * (line - 1) + code, str(page), "exec"), space)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_page(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # a page may write files
    contextvars.copy_context().run(run, page)  # and switch modes


def test_blocks_are_found() -> None:
    assert any(True for _ in blocks(ROOT / "README.md"))


def test_a_wrong_page_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(f"{__name__}.ROOT", tmp_path)
    page = tmp_path / "page.md"
    page.write_text("```python\nx = 1\n```\ntext\n```python\n>>> x + 1\n3\n```\n", encoding="utf-8")
    with pytest.raises(AssertionError, match="Expected"):
        run(page)
    page.write_text("text\n\n```python\nx = 1\n\nraise KeyError(x)\n```\n", encoding="utf-8")
    with pytest.raises(KeyError) as caught:
        run(page)
    assert caught.traceback[-1].lineno == 5


def test_links_between_pages_lead_somewhere() -> None:
    for page in PAGES:
        for target in re.findall(
            r"\]\(([^)#\s]+?\.(?:md|py|svg|png))(?:#[^)]*)?\)", page.read_text(encoding="utf-8")
        ):
            if "://" not in target:
                assert (page.parent / target).exists(), f"{page.relative_to(ROOT)} links to {target}"
