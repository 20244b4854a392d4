"""A recorded graph as an SVG picture, by the layered layout of this package."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from typing import Any

from tensorgrad.ir.graph import Graph
from tensorgrad.viz._clusters import Frame, modules
from tensorgrad.viz._details import type_text
from tensorgrad.viz._draw import add, clean, number, picture, shorten, text_width, written
from tensorgrad.viz._legend import MARGIN, Heading
from tensorgrad.viz._scene import (
    LONGEST,
    OPERATIONS,
    Box,
    Link,
    Scene,
    box_count,
    counts,
    headline,
    scene,
    shortened,
)
from tensorgrad.viz._select import selected
from tensorgrad.viz._style import DETAIL, NAME, RULES
from tensorgrad.viz._summary import summary
from tensorgrad.viz.layout import Cluster, Point, Rect, layered
from tensorgrad.viz.options import Options, changed
from tensorgrad.viz.svgfile import SVG

ARROW = 7.0
PAD, LINE, GAP = 10.0, 16.0, 16.0  # above the first line; from line to line; between a row's two parts
BAND = 19.0  # the height of an alarm


def graph_svg(graph: Graph, options: Options | None = None, **changes: Any) -> SVG:
    """Draw a recorded graph, from its inputs at the top to its outputs and writes at the bottom.

    Forward and backward operations have different colours, values that the backward pass reads from
    the forward pass have dashed lines, those that no gradient flows back to have dotted ones, and hovering
    shows parameters, dtypes and scopes. The picture follows the reader's light or dark setting and loads
    nothing from elsewhere.

    Args:
        graph: what to draw.
        options: what to show.
        **changes: fields of `Options` by name, such as ``title="a step"``, instead of or besides ``options``.

    Returns:
        The text of an SVG file.

    Raises:
        TypeError: there is no such option.
        ValueError: an option does not have this value, or the graph does not have what it asks for.

    Example:
        >>> graph_svg(Graph((), (), (), (), ()), title="nothing")[:40]
        '<svg xmlns="http://www.w3.org/2000/svg" '

    Source:
        The layout is described in `tensorgrad.viz.layout`.
    """
    options = changed(options, changes)
    graph = selected(graph, options)
    boxes = box_count(graph)
    if boxes > options.node_limit:
        return summary(graph, options, boxes, _description(graph))
    return _drawing(graph, shortened(scene(graph, options)), options)


def _drawing(graph: Graph, shown: Scene, options: Options) -> SVG:
    sizes = [_size(box) for box in shown.boxes]
    edges = [(link.source, link.target) for link in shown.links]
    frames, homes = modules(shown)
    labels = [shorten(clean(frame.label), LONGEST) for frame in frames]
    clusters = [
        Cluster(frame.parent, text_width(label, DETAIL, bold=True) + 24)
        for frame, label in zip(frames, labels, strict=True)
    ]
    weights = [link.weight for link in shown.links]
    plan = layered(sizes, edges, weights=weights, clusters=clusters, homes=homes)
    heading = Heading(options.title, headline(graph, options), max(plan.width, 560.0))
    heading.legend(shown, heat=options.colour == "gradient")
    top = heading.bottom
    width, height = max(plan.width, heading.wide) + 2 * MARGIN, plan.height + top + MARGIN
    root = picture(width, height, options.title or "computation graph", _description(graph), RULES)
    root.append(heading.element)
    body = add(root, "g", transform=f"translate({number((width - plan.width) / 2)} {number(top)})")
    for frame, rectangle in zip(frames, plan.clusters, strict=True):
        _draw_frame(body, frame, rectangle)
    for link, path in zip(shown.links, plan.paths, strict=True):
        if link.kind != "order":
            _draw_link(body, link, path)
    for label, (x, y, _, _) in zip(
        labels, plan.clusters, strict=True
    ):  # above the lines that enter at the top
        add(body, "text", label, class_="module-name", x=x + 12, y=y + 17)
    for box, (x, y), (w, h) in zip(shown.boxes, plan.centres, sizes, strict=True):
        _draw_box(body, box, x, y, w, h)
    return written(root)


def _size(box: Box) -> tuple[float, float]:
    name, detail = _lines(box)
    if box.kind == "reference":
        return text_width(name, DETAIL) + 18, 22.0
    words = [(clean(word), clean(value)) for word, value in box.rows]
    wide = max(text_width(name, NAME, bold=True), text_width(detail, DETAIL))
    if words:
        wide = max(
            wide,
            sum(max(text_width(text, DETAIL) for text in column) for column in zip(*words, strict=True))
            + GAP,
        )
    if box.alarm:
        wide = max(wide, text_width(f"! {box.alarm}", DETAIL, bold=True))
    tall = 2 * PAD - 10 + LINE * (1 + bool(detail) + len(words)) + (6 if words else 0)
    wide += 6 if box.folded else 0
    return max(wide + (28 if _rounded(box) else 22), 64.0), max(tall, 36.0) + (BAND if box.alarm else 0)


def _lines(box: Box) -> tuple[str, str]:
    return shorten(clean(box.name), LONGEST), shorten(clean(box.detail), LONGEST)


def _rounded(box: Box) -> bool:
    return box.kind not in OPERATIONS


def _draw_box(parent: ET.Element, box: Box, x: float, y: float, w: float, h: float) -> None:
    group = add(parent, "g", class_=f"{box.kind} {box.heat}".strip(), id=box.key)
    add(group, "title", *box.tip)
    left, top = x - w / 2, y - h / 2
    add(
        group,
        "rect",
        class_="box",
        x=left,
        y=top,
        width=w,
        height=h,
        rx=min(h / 2, 21.0) if _rounded(box) else 6.0,
    )
    if box.folded:
        frame = {"x": left + 3, "y": top + 3, "width": w - 6, "height": h - 6}
        add(group, "rect", class_="inner", rx=4.0, **frame)
    name, detail = _lines(box)
    inner = h - (BAND if box.alarm else 0)
    lines = 1 + bool(detail) + len(box.rows)
    if lines == 1:
        at = top + inner / 2 + 4
    else:
        at = top + (inner - LINE * lines - (6 if box.rows else 0)) / 2 + 13
    add(group, "text", name, class_="name", x=x, y=at, text_anchor="middle")
    if detail:
        at += LINE
        add(group, "text", detail, class_="detail", x=x, y=at, text_anchor="middle")
    if box.rows:
        at += 6
        add(group, "path", class_="rule", d=f"M{number(left + 10)} {number(at)}h{number(w - 20)}")
    side = 13.0 if _rounded(box) else 10.0
    for word, value in box.rows:
        at += LINE
        add(group, "text", word, class_="detail", x=left + side, y=at - 1)
        add(group, "text", value, class_="said", x=left + w - side, y=at - 1, text_anchor="end")
    if box.alarm:
        at = top + h - BAND - 4
        add(group, "rect", class_="alarm", x=left + 6, y=at, width=w - 12, height=BAND - 3, rx=4.0)
        add(group, "text", f"! {box.alarm}", class_="warning", x=x, y=at + 12, text_anchor="middle")


def _draw_frame(parent: ET.Element, frame: Frame, rectangle: Rect) -> None:
    x, y, w, h = rectangle
    group = add(parent, "g", class_="module")
    add(group, "title", frame.path)
    add(group, "rect", class_="module-frame", x=x, y=y, width=w, height=h, rx=8.0)


def _draw_link(parent: ET.Element, link: Link, path: tuple[Point, ...]) -> None:
    group = add(parent, "g", class_=link.kind)
    add(group, "title", f"{link.var}: {type_text(link.var)}")
    *body, (x, y) = path
    (x0, y0), *rest = (*body, (x, y - ARROW + 1))
    steps = (" ".join(f"{number(a)} {number(b)}" for a, b in rest[i : i + 3]) for i in range(0, len(rest), 3))
    add(group, "path", class_="link", d=f"M{number(x0)} {number(y0)}" + "".join(f"C{step}" for step in steps))
    tip = f"M{number(x)} {number(y)}l-{number(ARROW / 2)} -{number(ARROW)}h{number(ARROW)}z"
    add(group, "path", class_="head", d=tip)


def _description(graph: Graph) -> str:
    often = ", ".join(f"{op} {ahead + back}" for op, ahead, back in counts(graph)[:8])
    return f"{headline(graph)}. Most frequent: {often}." if often else headline(graph)
