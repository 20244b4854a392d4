"""A confusion matrix as a picture: how many, and which share of each true class."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Sequence
from typing import Any

import numpy as np

from tensorgrad._errors import ShapeError
from tensorgrad.viz._draw import add, as_array, clean, number, picture, shorten, text_width, written
from tensorgrad.viz.svgfile import SVG

Array = np.ndarray[Any, np.dtype[Any]]

MARGIN = 20.0
SIZES = ((10, 54.0), (20, 38.0), (40, 20.0))  # up to so many classes, the side of a cell
SMALLEST = 8.0
STRONGEST = 0.5  # of a colour over the paper: text in ink stays readable, in light and dark
NAME = 18

_RULES = [
    (".tg .title", "font-size:16px;font-weight:600"),
    (".tg .count", "font-size:13px;text-anchor:middle"),
    (".tg .share", "font-size:10.5px;text-anchor:middle"),
    (".tg .name", "font-size:11.5px"),
    (".tg .side", "font-size:11.5px;fill:$faint;text-anchor:middle"),
    (".tg .frame", "fill:none;stroke:$grid;stroke-width:1"),
    (".tg .right", "fill:$blue"),
    (".tg .wrong", "fill:$orange"),
]


def confusion_chart(counts: Any, names: Sequence[str] | None = None, *, title: str = "") -> SVG:
    """Draw a confusion matrix: a row for each true class, a column for each predicted one.

    The stronger a cell's colour, the greater its share of the row; blue is right, orange wrong.

    Args:
        counts: of shape (C, C), such as `tensorgrad.metrics.confusion_matrix` returns.
        names: of the classes; by default their numbers.
        title: a heading.

    Returns:
        The picture, for light and dark.

    Raises:
        ShapeError: `counts` is not square, or there are too few or many names.
        ValueError: a count is negative, or not a number.

    Example:
        >>> picture = confusion_chart([[8, 2], [1, 9]], ["cat", "dog"])
        >>> picture.count('class="count"')
        4
    """
    table, labels = _checked(counts, names)
    size = next((side for most, side in SIZES if len(table) <= most), SMALLEST)
    total = table.sum(1, keepdims=True)
    shares = table / np.maximum(total, 1)
    label = size > SMALLEST
    longest = max((text_width(name, 11.5) for name in labels), default=0.0) if label else 0.0
    slanted = longest > size - 4
    left = MARGIN + 22 + longest + (8 if label else 0)
    above = (longest * 0.72 + 12 if slanted else 18.0) if label else 0.0
    top = MARGIN + (30 if title else 0) + 20 + above
    side = size * len(table)
    # A slanted name leans to the right, past the last column.
    width = left + side + MARGIN + (max(0.0, longest * 0.72 - size / 2) if slanted else 0.0)
    height = top + side + MARGIN
    heading = shorten(clean(title), 80)
    right = int(np.trace(table))
    words = (
        f"Of {int(table.sum()):,} samples {right:,} ({right / max(table.sum(), 1):.1%}) are on the diagonal."
    )
    width = max(width, 2 * MARGIN + text_width(heading, 16, bold=True), left + 90)
    root = picture(width, height, title or "Confusion matrix", words, _RULES)
    if title:
        add(root, "text", heading, class_="title", x=MARGIN, y=MARGIN + 14)
    add(root, "text", "predicted", class_="side", x=left + side / 2, y=top - above - 8)
    turned = f"translate({number(MARGIN + 10)} {number(top + side / 2)}) rotate(-90)"
    add(root, "text", "true", class_="side", transform=turned)
    for row in range(len(table)):
        y = top + row * size
        if label:
            where = left - 8, y + size / 2 + 4
            add(root, "text", labels[row], class_="name", text_anchor="end", x=where[0], y=where[1])
            _column(root, labels[row], left + row * size + size / 2, top - 8, slanted)
        for column in range(len(table)):
            if table[row, column]:
                _cell(root, table, shares, labels, (row, column), (left + column * size, y, size))
    add(root, "rect", class_="frame", x=left, y=top, width=side, height=side)
    return written(root)


def _checked(counts: Any, names: Sequence[str] | None) -> tuple[Array, list[str]]:
    table = as_array(counts)
    if table.ndim != 2 or table.shape[0] != table.shape[1] or not table.size:
        raise ShapeError(f"confusion_chart: counts have shape {table.shape}; give a square table")
    if not (np.isfinite(table).all() and (table >= 0).all()):
        raise ValueError("confusion_chart: counts have a value that is negative or not a number")
    if names is not None and len(names) != len(table):
        raise ShapeError(f"confusion_chart: there are {len(names)} names for {len(table)} classes")
    labels = map(str, range(len(table))) if names is None else names
    return table, [shorten(clean(str(name)), NAME) for name in labels]


def _column(root: ET.Element, name: str, x: float, y: float, slanted: bool) -> None:
    if slanted:
        turned = f"translate({number(x)} {number(y)}) rotate(-45)"
        add(root, "text", name, class_="name", transform=turned)
    else:
        add(root, "text", name, class_="name", text_anchor="middle", x=x, y=y)


def _cell(
    root: ET.Element,
    table: Array,
    shares: Array,
    labels: list[str],
    place: tuple[int, int],
    box: tuple[float, float, float],
) -> None:
    (row, column), (x, y, size) = place, box
    count, share = table[place], float(shares[place])
    kind = "right" if row == column else "wrong"
    group = add(root, "g")
    told = f"true {labels[row]}, predicted {labels[column]}: {count:,.10g} of {table[row].sum():,.10g} ({share:.1%})"
    add(group, "title", told)
    strength = f"{STRONGEST * share**0.5:.3f}"  # the root, so that a few per cent are seen
    add(group, "rect", class_=kind, x=x, y=y, width=size, height=size, fill_opacity=strength)
    if size < SIZES[1][1]:
        return
    both = size >= SIZES[0][1]
    text = (
        f"{count:,.10g}" if count < 1e5 else f"{count / 1e6:.3g}M" if count >= 1e6 else f"{count / 1e3:.0f}k"
    )
    middle = x + size / 2, y + size / 2
    font = min(1.0, (size - 6) / text_width(text, 13)) * 13
    more = {} if font == 13 else {"style": f"font-size:{number(font)}px"}
    add(group, "text", text, class_="count", x=middle[0], y=middle[1] + (0 if both else 4.5), **more)
    if both:
        shown = f"{share:.0%}" if share >= 0.0995 or share == 0 else f"{share:.1%}"
        add(group, "text", shown, class_="share", x=middle[0], y=middle[1] + 14)
