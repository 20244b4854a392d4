"""The explorer: a graph as one page to walk around in, without a network or a server.

The page holds its data, its style and its scripts. A Content-Security-Policy names the two by their hashes and
forbids everything else, so that nothing a graph contains can run or load anything.
"""

from __future__ import annotations

import base64
import hashlib
import html
from importlib import resources
from string import Template
from typing import Literal

from tensorgrad.ir.graph import Graph
from tensorgrad.viz._draw import clean
from tensorgrad.viz.explorer.data import explorer_json

SCRIPTS = (
    "dom.js",
    "model.js",
    "folding.js",
    "ranks.js",
    "layout.js",
    "camera.js",
    "colours.js",
    "drawing.js",
    "tips.js",
    "view.js",
    "values.js",
    "panel.js",
    "search.js",
    "stepper.js",
    "main.js",
)
"""The page's scripts in the order in which they are joined into one."""

THEMES = ("auto", "light", "dark")


def explorer_html(graph: Graph, *, title: str = "", theme: Literal["auto", "light", "dark"] = "auto") -> str:
    """Draw a graph as a page that can be explored: one HTML file that works offline.

    Modules fold and unfold; each operation shows its formula, its place in the code, its values and what it
    cost, as far as that was recorded; recorded backward passes can be played step by step.

    Args:
        graph: any graph. Records of a run (`tensorgrad.record`) have the most to show.
        title: stands above the graph.
        theme: ``"auto"`` follows the reader's setting, which a switch on the page overrides.

    Returns:
        The text of the page.

    Raises:
        ValueError: there is no such theme.

    Example:
        >>> import tensorgrad as tg
        >>> page = explorer_html(tg.trace(lambda x: (x * x).sum(), tg.ones(3)), title="squares")
        >>> page[:15], "<title>squares</title>" in page
        ('<!DOCTYPE html>', True)
    """
    if theme not in THEMES:
        raise ValueError(f"explorer_html: theme={theme!r} is none of {', '.join(map(repr, THEMES))}")
    title = clean(title) or "Computation graph"
    style = _part("explorer.css")
    script = "(() => {\n'use strict';\n" + "\n".join(map(_part, SCRIPTS)) + "\n})();\n"
    policy = {
        "default-src": "'none'",
        "script-src": _hash(script),
        "style-src": _hash(style),
        "img-src": "data:",
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    return Template(_part("explorer.html")).substitute(
        policy=html.escape("; ".join(f"{name} {source}" for name, source in policy.items())),
        title=html.escape(title),
        theme=theme,
        style=style,
        data=explorer_json(graph, title=title),
        script=script,
    )


def _part(name: str) -> str:
    return (resources.files(__package__) / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
