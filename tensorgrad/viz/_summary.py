"""A graph that is too large to draw, as a bar chart of its operations."""

from __future__ import annotations

from tensorgrad.ir.graph import Graph
from tensorgrad.viz._draw import add, clean, picture, shorten, text_width, written
from tensorgrad.viz._legend import MARGIN, Heading
from tensorgrad.viz._scene import KINDS, LONGEST, counts, headline
from tensorgrad.viz._style import RULES
from tensorgrad.viz.options import Options
from tensorgrad.viz.svgfile import SVG

ROWS = 40  # kinds of operation


def summary(graph: Graph, options: Options, boxes: int, description: str) -> SVG:
    """How often each operation runs, forward and backward."""
    rows = counts(graph)
    shown, rest = rows[:ROWS], rows[ROWS:]
    label = max((text_width(shorten(clean(op), LONGEST), 12) for op, _, _ in shown), default=0.0) + 12
    most = max((ahead + back for _, ahead, back in shown), default=1)
    note = (
        f"{boxes:,} boxes are too many to draw (limit {options.node_limit:,}); "
        "this is how often each operation runs. Fold with depth=0 or fold_repeats=True to see how they hang together."
    )
    width = max(640.0, text_width(note, 12) + 2 * MARGIN, label + 420 + 2 * MARGIN)
    heading = Heading(options.title, headline(graph, options), width)
    directions = {equation.direction for equation in graph.equations}
    for kind in KINDS:
        if kind in directions:
            heading.kind(kind)
    top = heading.bottom
    height = top + 20 + 22 * (len(shown) + bool(rest)) + MARGIN
    root = picture(width, height, options.title or "computation graph", f"{description} {note}", RULES)
    root.append(heading.element)
    add(root, "text", note, class_="faint", x=MARGIN, y=top - 2, font_size=12.0)
    room = width - 2 * MARGIN - label - 110
    for place, (op, ahead, back) in enumerate(shown):
        y = top + 20 + 22 * place
        x = MARGIN + label
        short = shorten(clean(op), LONGEST)
        name = add(root, "text", short, x=x - 10, y=y + 11, font_size=12.0, text_anchor="end")
        add(name, "title", op)
        for direction, count in (("forward", ahead), ("backward", back)):
            long = room * count / most
            add(root, "rect", class_=f"bar {direction}", x=x, y=y, width=long, height=14.0)
            x += long
        text = f"{ahead:,} + {back:,}" if ahead and back else f"{ahead + back:,}"
        add(root, "text", text, class_="faint", x=x + 6, y=y + 11, font_size=11.0)
    if rest:
        others = sum(ahead + back for _, ahead, back in rest)
        text = f"and {len(rest):,} more kinds of operation, run {others:,} times"
        add(root, "text", text, class_="faint", x=MARGIN, y=height - MARGIN, font_size=11.0)
    return written(root)
