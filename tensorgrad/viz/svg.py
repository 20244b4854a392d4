"""A recorded graph as an SVG picture, by the layered layout of this package."""

from __future__ import annotations

import xml.etree.ElementTree as ET

from tensorgrad.ir.graph import Graph
from tensorgrad.viz._draw import add, clean, number, picture, shorten, text_width, written
from tensorgrad.viz._scene import (
    KINDS,
    NODE_LIMIT,
    Box,
    BoxKind,
    Link,
    Scene,
    box_count,
    counts,
    headline,
    scene,
    shortened,
    type_text,
)
from tensorgrad.viz.layout import Point, layered
from tensorgrad.viz.svgfile import SVG

MARGIN = 24.0
NAME, DETAIL = 13.0, 11.0
LONGEST = 30  # characters of a name
ARROW = 7.0
ROWS = 40  # kinds of operation in a summary

FILL: dict[BoxKind, tuple[str, str]] = {
    "input": ("violet-fill", "violet"),
    "captured": ("green-fill", "green"),
    "constant": ("grey-fill", "grey"),
    "forward": ("blue-fill", "blue"),
    "backward": ("orange-fill", "orange"),
    "output": ("violet-fill", "violet"),
    "write": ("green-fill", "green"),
    "reference": ("paper", "grey"),
}
_RULES = [
    (".tg .name", f"font-size:{NAME}px;font-weight:600"),
    (".tg .detail", f"font-size:{DETAIL}px;fill:$faint"),
    (".tg .title", "font-size:17px;font-weight:600"),
    (".tg .link", "fill:none;stroke-width:1.3"),
    (".tg .box", "stroke-width:1.3"),
    *((f".tg .{kind} .box", f"fill:${fill};stroke:${stroke}") for kind, (fill, stroke) in FILL.items()),
    (".tg .output .box,.tg .write .box", "stroke-width:2.6"),
    (".tg .reference .box", "stroke-dasharray:3 3"),
    (".tg .reference .name", "font-weight:400;font-size:11px;fill:$faint"),
    (".tg .constant .name", "font-weight:400"),
    (".tg .forward .link", "stroke:$line"),
    (".tg .forward .head", "fill:$line"),
    (".tg .backward .link,.tg .saved .link", "stroke:$orange"),
    (".tg .backward .head,.tg .saved .head", "fill:$orange"),
    (".tg .saved .link", "stroke-dasharray:4 3;stroke-width:1.1"),
    (".tg .bar.forward", "fill:$blue"),
    (".tg .bar.backward", "fill:$orange"),
]


def graph_svg(graph: Graph, *, title: str = "", node_limit: int = NODE_LIMIT) -> SVG:
    """Draw a recorded graph, from its inputs at the top to its outputs and writes at the bottom.

    Forward and backward operations have different colours, values that the backward pass reads from
    the forward pass have dashed lines, and hovering shows parameters, dtypes and scopes. The picture
    follows the reader's light or dark setting and loads nothing from elsewhere.

    Args:
        graph: what to draw.
        title: a heading.
        node_limit: the most boxes to draw; a larger graph becomes a table of its operations.

    Returns:
        The text of an SVG file.

    Example:
        >>> graph_svg(Graph((), (), (), (), ()), title="nothing")[:40]
        '<svg xmlns="http://www.w3.org/2000/svg" '

    Source:
        The layout is described in `tensorgrad.viz.layout`.
    """
    boxes = box_count(graph)
    if boxes > node_limit:
        return _summary(graph, title, boxes, node_limit)
    return _drawing(graph, shortened(scene(graph)), title)


def _drawing(graph: Graph, shown: Scene, title: str) -> SVG:
    sizes = [_size(box) for box in shown.boxes]
    edges = [(link.source, link.target) for link in shown.links]
    plan = layered(sizes, edges, weights=[link.weight for link in shown.links])
    used = [kind for kind in KINDS if any(box.kind == kind for box in shown.boxes)]
    saved = any(link.kind == "saved" for link in shown.links)
    heading = ET.Element("g")
    wide, top = _heading(heading, title, headline(graph), max(plan.width, 560.0), used, saved=saved)
    width, height = max(plan.width, wide) + 2 * MARGIN, plan.height + top + MARGIN
    root = picture(width, height, title or "computation graph", _description(graph), _RULES)
    root.append(heading)
    body = add(root, "g", transform=f"translate({number((width - plan.width) / 2)} {number(top)})")
    for link, path in zip(shown.links, plan.paths, strict=True):
        _draw_link(body, link, path)
    for box, (x, y), (w, h) in zip(shown.boxes, plan.centres, sizes, strict=True):
        _draw_box(body, box, x, y, w, h)
    return written(root)


def _size(box: Box) -> tuple[float, float]:
    name, detail = _lines(box)
    if box.kind == "reference":
        return text_width(name, DETAIL) + 18, 22.0
    wide = max(text_width(name, NAME, bold=True), text_width(detail, DETAIL))
    return max(wide + (28 if _rounded(box) else 22), 64.0), 42.0


def _lines(box: Box) -> tuple[str, str]:
    return shorten(clean(box.name), LONGEST), shorten(clean(box.detail), LONGEST)


def _rounded(box: Box) -> bool:
    return box.kind not in {"forward", "backward"}


def _draw_box(parent: ET.Element, box: Box, x: float, y: float, w: float, h: float) -> None:
    group = add(parent, "g", class_=box.kind, id=box.key)
    add(group, "title", *box.tip)
    radius = h / 2 if _rounded(box) else 6.0
    add(group, "rect", class_="box", x=x - w / 2, y=y - h / 2, width=w, height=h, rx=radius)
    name, detail = _lines(box)
    add(group, "text", name, class_="name", x=x, y=y - 3 if detail else y + 4, text_anchor="middle")
    if detail:
        add(group, "text", detail, class_="detail", x=x, y=y + 13, text_anchor="middle")


def _draw_link(parent: ET.Element, link: Link, path: tuple[Point, ...]) -> None:
    group = add(parent, "g", class_=link.kind)
    add(group, "title", f"{link.var}: {type_text(link.var)}")
    *body, (x, y) = path
    (x0, y0), *rest = (*body, (x, y - ARROW + 1))
    steps = (" ".join(f"{number(a)} {number(b)}" for a, b in rest[i : i + 3]) for i in range(0, len(rest), 3))
    add(group, "path", class_="link", d=f"M{number(x0)} {number(y0)}" + "".join(f"C{step}" for step in steps))
    tip = f"M{number(x)} {number(y)}l-{number(ARROW / 2)} -{number(ARROW)}h{number(ARROW)}z"
    add(group, "path", class_="head", d=tip)


def _heading(
    parent: ET.Element, title: str, line: str, width: float, kinds: list[BoxKind], *, saved: bool
) -> tuple[float, float]:
    """Title, one line on the size and the legend; how wide it is and where the drawing begins."""
    y, wide = MARGIN, text_width(line, 12)
    if title:
        add(parent, "text", shorten(clean(title), 120), class_="title", x=MARGIN, y=y + 14)
        y, wide = y + 26, max(wide, text_width(shorten(clean(title), 120), 17, bold=True))
    add(parent, "text", line, class_="faint", x=MARGIN, y=y + 12, font_size=12.0)
    y += 28
    x = MARGIN
    for kind in kinds:
        step = 24 + text_width(KINDS[kind], DETAIL) + 18
        if x + step > MARGIN + width:
            x, y = MARGIN, y + 20
        entry = add(parent, "g", class_=kind)
        radius = 3.0 if kind in {"forward", "backward"} else 6.0
        add(entry, "rect", class_="box", x=x, y=y, width=18.0, height=12.0, rx=radius)
        add(entry, "text", KINDS[kind], class_="detail", x=x + 24, y=y + 10)
        x, wide = x + step, max(wide, x + step - MARGIN)
    if saved:
        entry = add(parent, "g", class_="saved")
        label = "forward value read by the backward pass"
        if x + 30 + text_width(label, DETAIL) > MARGIN + width:
            x, y = MARGIN, y + 20
        add(entry, "path", class_="link", d=f"M{number(x)} {number(y + 6)}h22")
        add(entry, "text", label, class_="detail", x=x + 28, y=y + 10)
        wide = max(wide, x + 28 + text_width(label, DETAIL) - MARGIN)
    return wide, y + 12 + MARGIN


def _description(graph: Graph) -> str:
    often = ", ".join(f"{op} {ahead + back}" for op, ahead, back in counts(graph)[:8])
    return f"{headline(graph)}. Most frequent: {often}." if often else headline(graph)


def _summary(graph: Graph, title: str, boxes: int, limit: int) -> SVG:
    """A bar chart of how often each operation runs, for a graph too large to draw."""
    rows = counts(graph)
    shown, rest = rows[:ROWS], rows[ROWS:]
    label = max((text_width(shorten(clean(op), LONGEST), 12) for op, _, _ in shown), default=0.0) + 12
    most = max((ahead + back for _, ahead, back in shown), default=1)
    note = f"{boxes:,} boxes are too many to draw (limit {limit:,}); this is how often each operation runs."
    width = max(640.0, text_width(note, 12) + 2 * MARGIN, label + 420 + 2 * MARGIN)
    heading = ET.Element("g")
    directions = {equation.direction for equation in graph.equations}
    kinds: list[BoxKind] = [kind for kind in KINDS if kind in directions]
    _, top = _heading(heading, title, headline(graph), width, kinds, saved=False)
    height = top + 20 + 22 * (len(shown) + bool(rest)) + MARGIN
    root = picture(width, height, title or "computation graph", f"{_description(graph)} {note}", _RULES)
    root.append(heading)
    add(root, "text", note, class_="faint", x=MARGIN, y=top - 2, font_size=12.0)
    room = width - 2 * MARGIN - label - 110
    for place, (op, ahead, back) in enumerate(shown):
        y = top + 20 + 22 * place
        x = MARGIN + label
        short = shorten(clean(op), LONGEST)
        name = add(root, "text", short, x=x - 10, y=y + 11, font_size=12.0, text_anchor="end")
        add(name, "title", op)
        for kind, count in (("forward", ahead), ("backward", back)):
            long = room * count / most
            add(root, "rect", class_=f"bar {kind}", x=x, y=y, width=long, height=14.0)
            x += long
        text = f"{ahead:,} + {back:,}" if ahead and back else f"{ahead + back:,}"
        add(root, "text", text, class_="faint", x=x + 6, y=y + 11, font_size=11.0)
    if rest:
        others = sum(ahead + back for _, ahead, back in rest)
        text = f"and {len(rest):,} more kinds of operation, run {others:,} times"
        add(root, "text", text, class_="faint", x=MARGIN, y=height - MARGIN, font_size=11.0)
    return written(root)
