"""A recorded graph as text in the DOT language of Graphviz."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tensorgrad.ir.graph import Graph
from tensorgrad.viz._clusters import Frame, modules
from tensorgrad.viz._details import plain
from tensorgrad.viz._draw import COLOURS, clean, shorten
from tensorgrad.viz._heat import DECADES
from tensorgrad.viz._scene import (
    LONGEST,
    OPERATIONS,
    Box,
    LinkKind,
    Scene,
    box_count,
    counts,
    headline,
    scene,
)
from tensorgrad.viz._select import selected
from tensorgrad.viz._style import FILL
from tensorgrad.viz.options import Options, changed

LONG_TEXT = 200
_LINK: dict[LinkKind, dict[str, str]] = {
    "forward": {"color": COLOURS["line"][0]},
    "untracked": {"color": COLOURS["line"][0], "style": "dotted"},
    "backward": {"color": COLOURS["orange"][0]},
    "saved": {"color": COLOURS["orange"][0], "style": "dashed"},
    "order": {"style": "invis"},
}


def graph_dot(graph: Graph, options: Options | None = None, **changes: Any) -> str:
    """Write a recorded graph in the DOT language of Graphviz.

    All labels are plain text: angle brackets, quotes and backslashes in them have no effect.

    Args:
        graph: what to write.
        options: what to show.
        **changes: fields of `Options` by name, such as ``title="a step"``, instead of or besides ``options``.

    Returns:
        DOT source, the same for the same graph.

    Raises:
        TypeError: there is no such option.
        ValueError: an option does not have this value, or the graph does not have what it asks for.

    Example:
        >>> print(graph_dot(Graph((), (), (), (), ())).splitlines()[0])
        digraph {

    Source:
        The Graphviz project, "DOT Language", https://graphviz.org/doc/info/lang.html
    """
    from graphviz import Digraph

    options = changed(options, changes)
    graph = selected(graph, options)
    boxes = box_count(graph)
    whole = scene(graph, options) if boxes <= options.node_limit else Scene((), ())
    heading = [options.title, headline(graph, options), *_scale(whole)]
    font = {"fontname": "Helvetica", "fontsize": "11"}
    dot = Digraph(
        graph_attr={"label": _plain(heading, LONG_TEXT), "labelloc": "t", **font},
        node_attr={"style": "filled,rounded", "shape": "box", "height": "0.4", **font},
        edge_attr={"arrowsize": "0.7"},
    )
    if boxes > options.node_limit:
        said = f"{boxes:,} boxes, too many to draw one by one (limit {options.node_limit:,})"
        rows = [f"{op}: {ahead:,} forward, {back:,} backward" for op, ahead, back in counts(graph)]
        fill, stroke = FILL["constant"]
        look = {"fillcolor": COLOURS[fill][0], "color": COLOURS[stroke][0], "penwidth": "1"}
        dot.node("summary", _plain([said, *rows], LONG_TEXT), **look)
    frames, homes = modules(whole)
    inside = [_module(index, frame, font) for index, frame in enumerate(frames)]
    for box, home in zip(whole.boxes, homes, strict=True):
        rows = [f"{word} {value}" for word, value in box.rows]
        label = [box.name, box.detail, *rows, f"! {box.alarm}" if box.alarm else ""]
        into = dot if home is None else inside[home]
        into.node(box.key, _plain(label, 2 * LONGEST), tooltip=_plain(box.tip, LONG_TEXT), **_look(box))
    for frame, module in reversed(list(zip(frames, inside, strict=True))):
        (dot if frame.parent is None else inside[frame.parent]).subgraph(module)
    for link in whole.links:
        ends = whole.boxes[link.source].key, whole.boxes[link.target].key
        dot.edge(*ends, weight=str(link.weight), tooltip=_plain([str(link.var)]), **_LINK[link.kind])
    return str(dot.source)


def _module(index: int, frame: Frame, font: dict[str, str]) -> Any:
    """The frame around a module, still empty."""
    from graphviz import Digraph

    look = {"style": "filled,rounded", "fillcolor": COLOURS["ground"][0], "color": COLOURS["frame"][0]}
    label = {"label": _plain([frame.label]), "labeljust": "l", "tooltip": _plain([frame.path], LONG_TEXT)}
    return Digraph(f"cluster_{index}", graph_attr={**label, **look, **font})


def _scale(whole: Scene) -> list[str]:
    """What the colours mean, where they stand for gradients."""
    if whole.usual is None:
        return []
    return [
        f"colours: norm of the gradient beside {plain(whole.usual, 3)}, the median near the result;",
        f"each step from blue by grey to red is a factor ten, up to {10**DECADES:,}",
    ]


def _look(box: Box) -> dict[str, str]:
    fill, stroke = FILL[box.kind]
    look = {"fillcolor": COLOURS[fill][0], "color": COLOURS[stroke][0], "penwidth": "1"}
    if box.kind in {"output", "write"}:
        look["penwidth"] = "2"
    if box.kind in {"value", "cut"}:
        look["style"] = "filled,rounded,dashed"
    if box.folded:
        look["peripheries"] = "2"
    if box.heat in COLOURS:
        look["fillcolor"] = COLOURS[box.heat][0]
    elif box.heat:
        look["fillcolor"] = COLOURS["paper"][0]
    if box.heat == "heat-zero":
        look |= {"style": "filled,rounded,dotted", "color": COLOURS["ink"][0], "penwidth": "2"}
    if box.alarm:
        look |= {
            "color": COLOURS["red"][0],
            "penwidth": "4",
            "shape": "octagon" if box.kind in OPERATIONS else "box",
        }
    return look


def _plain(lines: Sequence[str], most: int = LONGEST) -> str:
    """Lines as one label that Graphviz takes literally."""
    from graphviz import escape, nohtml

    shown = [shorten(clean(line), most).replace("&", "&amp;") for line in lines if line]
    label: str = nohtml("\\n".join(escape(line) for line in shown))
    return label
