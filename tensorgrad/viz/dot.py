"""A recorded graph as DOT text, and as a picture file by Graphviz where it is installed."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from tensorgrad.ir.graph import Graph
from tensorgrad.viz._draw import COLOURS, clean, shorten
from tensorgrad.viz._scene import NODE_LIMIT, BoxKind, LinkKind, box_count, counts, headline, scene
from tensorgrad.viz.svg import FILL, LONGEST, graph_svg

LONG_TEXT = 200
FORMATS = ("svg", "png", "pdf")
_LINK: dict[LinkKind, dict[str, str]] = {
    "forward": {"color": COLOURS["line"][0]},
    "backward": {"color": COLOURS["orange"][0]},
    "saved": {"color": COLOURS["orange"][0], "style": "dashed"},
}


def graph_dot(graph: Graph, *, title: str = "", node_limit: int = NODE_LIMIT) -> str:
    """Write a recorded graph in the DOT language of Graphviz.

    All labels are plain text: angle brackets, quotes and backslashes in them have no effect.

    Args:
        graph: what to write.
        title: a heading.
        node_limit: the most nodes to write; a larger graph becomes one node that counts its operations.

    Returns:
        DOT source, the same for the same graph.

    Example:
        >>> print(graph_dot(Graph((), (), (), (), ())).splitlines()[0])
        digraph {

    Source:
        The Graphviz project, "DOT Language", https://graphviz.org/doc/info/lang.html
    """
    from graphviz import Digraph

    font = {"fontname": "Helvetica", "fontsize": "11"}
    dot = Digraph(
        graph_attr={"label": _plain([title, headline(graph)], LONG_TEXT), "labelloc": "t", **font},
        node_attr={"style": "filled,rounded", "shape": "box", "height": "0.4", **font},
        edge_attr={"arrowsize": "0.7"},
    )
    boxes = box_count(graph)
    if boxes > node_limit:
        rows = [f"{op}: {ahead:,} forward, {back:,} backward" for op, ahead, back in counts(graph)]
        heading = f"{boxes:,} boxes, too many to draw one by one (limit {node_limit:,})"
        dot.node("summary", _plain([heading, *rows], LONG_TEXT), **_look("constant"))
        return str(dot.source)
    whole = scene(graph)
    for box in whole.boxes:
        tip = _plain(box.tip, LONG_TEXT)
        dot.node(box.key, _plain([box.name, box.detail]), tooltip=tip, **_look(box.kind))
    for link in whole.links:
        ends = whole.boxes[link.source].key, whole.boxes[link.target].key
        dot.edge(*ends, weight=str(link.weight), tooltip=_plain([str(link.var)]), **_LINK[link.kind])
    return str(dot.source)


def render(
    graph: Graph, path: str | os.PathLike[str], *, title: str = "", node_limit: int = NODE_LIMIT
) -> Path:
    """Draw a recorded graph into a file.

    The `dot` program draws it where there is one, else pygraphviz; else an SVG file is drawn by the
    layout of this package.

    Args:
        graph: what to draw.
        path: the file to write; its ending (.svg, .png or .pdf) says in which format.
        title: a heading.
        node_limit: the most nodes to draw one by one.

    Returns:
        The path written.

    Raises:
        ValueError: the ending is another one.
        RuntimeError: a PNG or PDF file was asked for and no Graphviz is installed, or it failed.

    Example:
        >>> import tempfile
        >>> file = Path(tempfile.mkdtemp()) / "empty.svg"
        >>> render(Graph((), (), (), (), ()), file).name
        'empty.svg'
    """
    target = Path(path)
    kind = target.suffix.lower().lstrip(".")
    if kind not in FORMATS:
        raise ValueError(f"render: cannot write {target.name!r}; let the name end in .svg, .png or .pdf")
    source = graph_dot(graph, title=title, node_limit=node_limit)
    drawn = _by_program(source, kind) or _by_library(source, kind)
    if drawn is None and kind == "svg":
        drawn = graph_svg(graph, title=title, node_limit=node_limit).encode()
    if drawn is None:
        raise RuntimeError(
            f"render: a .{kind} file needs Graphviz, which is not installed; "
            "pip install 'tensorgrad[viz]', or apt-get install graphviz, or write an .svg file"
        )
    target.write_bytes(drawn)
    return target


def _by_program(source: str, kind: str) -> bytes | None:
    if shutil.which("dot") is None:
        return None
    from graphviz import CalledProcessError, Source

    try:
        return bytes(Source(source).pipe(format=kind, quiet=True))
    except CalledProcessError as error:
        said = (error.stderr or b"").decode(errors="replace").strip()
        raise RuntimeError(f"render: dot failed on the .{kind} file: {said or error}; try .svg") from error


def _by_library(source: str, kind: str) -> bytes | None:
    try:
        from pygraphviz import AGraph
    except ImportError:
        return None
    return bytes(AGraph(string=source).draw(format=kind, prog="dot"))


def _look(kind: BoxKind) -> dict[str, str]:
    fill, stroke = FILL[kind]
    width = "2" if kind in {"output", "write"} else "1"
    return {"fillcolor": COLOURS[fill][0], "color": COLOURS[stroke][0], "penwidth": width}


def _plain(lines: Sequence[str], most: int = LONGEST) -> str:
    """Lines as one label that Graphviz takes literally."""
    from graphviz import escape, nohtml

    shown = [shorten(clean(line), most).replace("&", "&amp;") for line in lines if line]
    label: str = nohtml("\\n".join(escape(line) for line in shown))
    return label
