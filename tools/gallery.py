"""Make docs/gallery: run the functions of docs/gallery/pictures.py, and write what they return and the page of it.

    python tools/gallery.py                  all of it
    python tools/gallery.py neuron cost      some pictures, and the page
    python tools/gallery.py --measure        with new times, instead of those kept in times.json

Two runs on one machine write the same bytes: seeds are fixed, and measured times are kept in a file.
Screenshots of pages are taken where Playwright and Chromium are installed, and left as they are elsewhere.
"""

from __future__ import annotations

import ast
import json
import re
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from textwrap import dedent
from typing import Any
from unittest import mock

from tensorgrad.ir import Graph
from tensorgrad.viz import SVG, Picture

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "docs" / "gallery"
SOURCE = FOLDER / "pictures.py"
TIMES = FOLDER / "times.json"
TIMED = {"cost", "text", "explorer"}  # where seconds are shown
WIDEST, TALLEST = 760, 1800  # a larger picture is a link in the page
WINDOW = {"width": 1440, "height": 900}
SCHEMES = ("light", "dark")
HEAD = """\
# Gallery

Pictures of real computations, each with the code that made it. They follow the light or dark setting of the reader;
[both.html](both.html) shows them in both. `make gallery` makes this page and all of them from [pictures.py](pictures.py).
[Seeing a computation](../graphs.md) says how to read them.

All programs below begin with

```python
{shared}
```
"""


@dataclass(frozen=True)
class Entry:
    """A picture: its name, what the page says of it, and its code, as it would stand in a program."""

    name: str
    heading: str
    words: str
    code: str


def entries() -> tuple[str, list[Entry]]:
    """The code that all pictures need, and the pictures in their order."""
    source = SOURCE.read_text(encoding="utf-8")
    module = ast.parse(source)
    found: list[Entry] = []
    shared: list[str] = []
    before: list[str] = []
    for node in module.body[1:]:
        lines = "".join(source.splitlines(keepends=True)[node.lineno - 1 : node.end_lineno])
        if not isinstance(node, ast.FunctionDef | ast.ClassDef):
            if "__future__" not in lines:
                shared.append(lines)
        elif isinstance(node, ast.FunctionDef) and ast.unparse(node.returns or node) in (
            "tg.viz.Picture",
            "str",
        ):
            heading, _, words = (ast.get_docstring(node) or "").partition("\n\n")
            code = "\n\n".join([*before, _program(source, node)])
            found.append(Entry(node.name, heading.rstrip("."), words, code))
            before = []
        else:
            before.append(lines)
    return "".join(shared).rstrip(), found


def made(names: set[str] | None = None, measure: bool = False) -> Iterator[tuple[str, str]]:
    """The files of some pictures, or of all: names and texts."""
    space: dict[str, Any] = {"__name__": "pictures"}
    # The name of the file is what positions in the code will say: it is the same on every machine.
    name = SOURCE.relative_to(ROOT).as_posix()
    exec(compile(SOURCE.read_text(encoding="utf-8"), name, "exec"), space)
    times = json.loads(TIMES.read_text(encoding="utf-8")) if TIMES.exists() and not measure else {}
    for entry in entries()[1]:
        if names is None or entry.name in names:
            with settled(entry.name, times):
                shown = space[entry.name]()
            text = shown.to_svg() if isinstance(shown, Picture) else str(shown)
            yield entry.name + ending(text), text.rstrip("\n") + "\n"
    yield TIMES.name, json.dumps(times, indent=1, sort_keys=True) + "\n"


def ending(text: str) -> str:
    """What a file with this text is called."""
    begin = text[:20].lower()
    kinds = {"<svg": ".svg", "<!doctype": ".html", "flowchart": ".mmd"}
    return next((kind for word, kind in kinds.items() if begin.startswith(word)), ".txt")


def settled(name: str, times: dict[str, Any]) -> Any:
    """While this is open, pictures have the times that were kept of them, or none where none are shown."""
    usual: Callable[..., None] = Picture.__init__

    def init(self: Picture, graph: Graph, options: Any = None) -> None:
        steps = [step for one in graph.passes for step in one.steps]
        taken = [[_rounded(part.seconds) for part in parts] for parts in (graph.equations, steps)]
        if name in TIMED and [len(part) for part in times.get(name, ())] != [len(part) for part in taken]:
            times[name] = taken
        kept = times[name] if name in TIMED else [[None] * len(part) for part in taken]
        equations = tuple(replace(e, seconds=s) for e, s in zip(graph.equations, kept[0], strict=True))
        rest = iter(kept[1])
        passes = tuple(
            replace(one, steps=tuple(replace(step, seconds=next(rest)) for step in one.steps))
            for one in graph.passes
        )
        usual(self, replace(graph, equations=equations, passes=passes), options)

    return mock.patch.object(Picture, "__init__", init)


def page() -> str:
    """The text of README.md, from pictures.py and the files that are there."""
    shared, found = entries()
    parts = [HEAD.format(shared=shared)]
    for entry in found:
        file = next(file for file in sorted(FOLDER.glob(f"{entry.name}.*")) if file.suffix != ".png")
        parts.append(
            f"## {entry.heading}\n\n{entry.words}\n\n{_view(file, entry)}\n\n```python\n{entry.code}\n```\n"
        )
    return "\n".join(parts)


def sheet() -> str:
    """The text of both.html: every picture on light and on dark paper."""
    rows: list[tuple[str, list[str]]] = []
    for entry in entries()[1]:
        pairs = [f"{entry.name}.svg"] * 2, [f"{entry.name}-{scheme}.png" for scheme in SCHEMES]
        rows += [(entry.heading, files) for files in pairs if all((FOLDER / file).exists() for file in files)]
    body = "\n".join(
        f'<h2>{heading}</h2><div class="row">'
        + "".join(
            f'<div class="{scheme}"><img loading="lazy" src="{file}" alt=""></div>'
            for scheme, file in zip(SCHEMES, files, strict=True)
        )
        + "</div>"
        for heading, files in rows
    )
    return (
        '<!doctype html>\n<html lang="en"><meta charset="utf-8"><title>Gallery, light and dark</title>\n<style>\n'
        "body{font:15px sans-serif;margin:24px;background:#8a94a1}h2{font-size:17px}\n"
        ".row{display:grid;grid-template-columns:1fr 1fr;gap:12px}.row div{padding:16px;text-align:center}\n"
        "img{max-width:100%}.light{color-scheme:light;background:#fff}.dark{color-scheme:dark;background:#14171c}\n"
        f"</style>\n{body}\n</html>\n"
    )


def screenshots() -> None:
    """Each page of the gallery as a light and a dark picture, where there is a browser."""
    browser = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        browser = None
    if browser is None:
        print("no Playwright or no Chromium: screenshots stay as they are")
        return
    with sync_playwright() as tool:
        chromium = tool.chromium.launch(executable_path=browser, args=["--no-sandbox"])
        for file in sorted(FOLDER.glob("*.html")):
            for scheme in SCHEMES if file.name != "both.html" else ():
                view = chromium.new_page(viewport=WINDOW, color_scheme=scheme, reduced_motion="reduce")
                view.goto(file.as_uri())
                view.wait_for_timeout(1000)
                for key in ("u", "[", *"." * 30, "m"):
                    view.keyboard.press(key)
                    view.wait_for_timeout(100)
                view.screenshot(path=str(file.with_name(f"{file.stem}-{scheme}.png")))
                view.close()
        chromium.close()


def main(arguments: list[str]) -> None:
    """Make the pictures that are named, or all."""
    names = {argument for argument in arguments if not argument.startswith("-")}
    for name, text in made(names or None, "--measure" in arguments):
        print(f"{len(text.encode()):9,}  {name}")
        (FOLDER / name).write_text(text, encoding="utf-8")
    screenshots()
    (FOLDER / "README.md").write_text(page(), encoding="utf-8")
    (FOLDER / "both.html").write_text(sheet(), encoding="utf-8")


def _program(source: str, node: ast.FunctionDef) -> str:
    """The body of a function as it would stand in a program, with what it returns given a name or printed."""
    lines = source.splitlines(keepends=True)
    first, last = node.body[1], node.body[-1]
    assert isinstance(last, ast.Return)
    start = first.decorator_list[0].lineno if getattr(first, "decorator_list", None) else first.lineno
    code = dedent("".join(lines[start - 1 : node.end_lineno]))
    body, _, result = code.rpartition("return ")
    if ast.unparse(node.returns or node) == "tg.viz.Picture":
        return f'{body}picture = {result.rstrip()}\npicture.to_svg().save("{node.name}.svg")'
    if result.rstrip().endswith(".to_html()"):
        return f'{body}page = {result.rstrip()[:-1]}"{node.name}.html")'
    return f"{body}print({result.rstrip()})"


def _view(file: Path, entry: Entry) -> str:
    """How a page of Markdown shows a file."""
    if file.suffix == ".html":
        return "\n".join(f"![{entry.heading}, {scheme}]({entry.name}-{scheme}.png)\n" for scheme in SCHEMES)
    text = file.read_text(encoding="utf-8")
    if file.suffix == ".svg":
        width, height = (float(side) for side in re.findall(r"\d+", repr(SVG(text)))[:2])
        if height > TALLEST:
            return f"[A picture of {width:.0f} x {height:.0f}]({file.name})"
        return f'<img src="{file.name}" alt="{entry.heading}" width="{min(width, WIDEST):.0f}">'
    return f"```{'mermaid' if file.suffix == '.mmd' else 'text'}\n{text.rstrip()}\n```"


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else float(f"{seconds:.3g}")


if __name__ == "__main__":
    main(sys.argv[1:])
