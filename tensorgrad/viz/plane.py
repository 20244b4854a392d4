"""Data of two numbers a sample: the points, and the regions that a classifier divides the plane into."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from tensorgrad._config import no_grad
from tensorgrad._errors import ShapeError
from tensorgrad.viz._draw import add, as_array, clean, number, picture, shorten, text_width, written
from tensorgrad.viz.chart import COLOURS, MARGIN, SMALL, nice_ticks, tick_texts
from tensorgrad.viz.svgfile import SVG

Array = np.ndarray[Any, np.dtype[Any]]

WIDTH = 420.0
ROOM = 0.06  # around the points, as a share of their range
MOST = 5000  # points that are drawn
CELL = 2.0  # the side of a spot of a region, in pixels
LINE = 19.0

_RULES = [
    (".tg .title", "font-size:16px;font-weight:600"),
    (".tg .label", f"font-size:{SMALL}px"),
    (".tg .tick", f"font-size:{SMALL}px;fill:$faint"),
    (".tg .frame", "fill:none;stroke:$line;stroke-width:1"),
    (".tg .dots", "fill:none;stroke-width:5"),
    (".tg .halo", "fill:none;stroke:$paper;stroke-width:7.5"),
    (".tg .round", "stroke-linecap:round"),
    (".tg .square", "stroke-linecap:square"),
    (".tg .region", "fill-opacity:0.22"),
    *((f".tg .s{i} .dots", f"stroke:${colour}") for i, colour in enumerate(COLOURS)),
    *((f".tg .s{i} .region", f"fill:${colour}") for i, colour in enumerate(COLOURS)),
]


def scatter_chart(
    points: Any,
    labels: Any = None,
    *,
    names: Sequence[str] | None = None,
    title: str = "",
    x_label: str = "",
    y_label: str = "",
) -> SVG:
    """Draw points in the plane, each class in its own colour.

    Args:
        points: of shape (N, 2); of more than 5,000 some are left out, and the picture says so.
        labels: the class of each, from 0 on; without them all are of one.
        names: of the classes; by default their numbers.
        title: a heading.
        x_label: what the first number is.
        y_label: what the second number is.

    Returns:
        The picture, for light and dark.

    Raises:
        ShapeError: the points are no pairs, or there are not as many labels or names.
        ValueError: a point is NaN or infinite, or a label is no class.

    Example:
        >>> picture = scatter_chart([[0, 0], [1, 2], [2, 1]], [0, 1, 1], names=["left", "right"])
        >>> picture.count('class="dots'), "right (2)" in picture
        (4, True)
    """
    data = _data("scatter_chart", points, labels, names)
    return _drawn(data, None, title, x_label, y_label)


def decision_regions(
    predict: Callable[[Array], Any],
    points: Any,
    labels: Any,
    *,
    names: Sequence[str] | None = None,
    title: str = "",
    x_label: str = "",
    y_label: str = "",
    threshold: float = 0.5,
) -> SVG:
    """Draw what a classifier says everywhere in the plane, and the points over it.

    Args:
        predict: takes an array of shape (M, 2) in the dtype of `points` and returns scores of shape
            (M, C), single scores of shape (M,) or (M, 1), or classes as whole numbers. A model should be
            in evaluation mode.
        points: of shape (N, 2).
        labels: the class of each, from 0 on.
        names: of the classes; by default their numbers.
        title: a heading.
        x_label: what the first number is.
        y_label: what the second number is.
        threshold: a single score above it means class 1; give 0 for logits.

    Returns:
        The picture, for light and dark.

    Raises:
        ShapeError: the points are no pairs, or there are not as many labels, names or predictions.
        ValueError: a point or a score is NaN, or a label is no class.

    Example:
        >>> picture = decision_regions(lambda x: x[:, 0] > 0.5, [[0.0, 0.0], [1.0, 1.0]], [0, 1])
        >>> picture.count('class="region"')
        2
    """
    data = _data("decision_regions", points, labels, names)
    kind = as_array(points).dtype
    dtype = kind if kind.kind == "f" else np.dtype(np.float64)

    def regions(columns: Array, rows: Array) -> Array:
        grid = np.stack(np.meshgrid(columns, rows), -1).reshape(-1, 2).astype(dtype)
        with no_grad():
            found = _classes(as_array(predict(grid)), len(grid), threshold)
        return found.reshape(len(rows), len(columns))

    return _drawn(data, regions, title, x_label, y_label)


@dataclass(frozen=True, slots=True)
class _Data:
    points: Array
    labels: Array
    names: Sequence[str] | None
    several: bool

    def name(self, label: int) -> str:
        known = self.names is not None and label < len(self.names)
        return shorten(clean(self.names[label]), 24) if self.names and known else f"class {label}"


def _data(what: str, points: Any, labels: Any, names: Sequence[str] | None) -> _Data:
    places = as_array(points)
    if places.ndim != 2 or places.shape[1] != 2 or not len(places):
        raise ShapeError(f"{what}: points have shape {places.shape}; give pairs, shape (N, 2)")
    if not np.isfinite(places).all():
        raise ValueError(f"{what}: a point is NaN or infinite")
    classes = np.zeros(len(places), np.int64) if labels is None else as_array(labels)
    if classes.shape != (len(places),):
        raise ShapeError(
            f"{what}: labels have shape {classes.shape} for {len(places)} points; give one for each"
        )
    if not ((classes >= 0).all() and (classes == np.rint(classes)).all()):
        raise ValueError(f"{what}: a label is negative or a fraction; classes count from 0")
    if names is not None and len(names) <= classes.max():
        raise ShapeError(f"{what}: there are {len(names)} names, and a label is {int(classes.max())}")
    return _Data(places.astype(np.float64), classes.astype(np.int64), names, labels is not None)


def _classes(found: Array, count: int, threshold: float) -> Array:
    flat = found.reshape(count, -1) if found.size and found.shape[:1] == (count,) else found
    if flat.ndim != 2 or found.ndim > 2:
        raise ShapeError(
            f"decision_regions: predict returned shape {found.shape} for {count} points; give one row for each"
        )
    if flat.dtype.kind == "f" and np.isnan(flat).any():
        raise ValueError("decision_regions: predict returned NaN")
    if flat.shape[1] > 1:
        made: Array = flat.argmax(1)
        return made
    return (flat[:, 0] > threshold if flat.dtype.kind == "f" else flat[:, 0]).astype(np.int64)


def _drawn(
    data: _Data, regions: Callable[[Array, Array], Array] | None, title: str, x_label: str, y_label: str
) -> SVG:
    low, high = data.points.min(0), data.points.max(0)
    span = np.where(high > low, high - low, np.maximum(np.abs(high), 1.0))
    low, high = low - ROOM * span, high + ROOM * span
    # One unit is as long upwards as across, unless that made the picture a strip.
    height = float(np.clip(WIDTH * (high[1] - low[1]) / (high[0] - low[0]), 0.55 * WIDTH, WIDTH))
    height = CELL * round(height / CELL)  # whole spots leave no seams
    body = ET.Element("g")

    def across(x: Any) -> Any:
        return WIDTH * (x - low[0]) / (high[0] - low[0])

    def down(y: Any) -> Any:
        return height - height * (y - low[1]) / (high[1] - low[1])

    shown: list[int] = []
    if regions is not None:
        shown = _regions(body, regions, low, high, height)
    left = _axes(body, low, high, height, across, down)
    add(body, "rect", class_="frame", x=0.0, y=0.0, width=WIDTH, height=height)
    step = -(-len(data.points) // MOST)
    for label in map(int, np.unique(data.labels)):
        places = data.points[data.labels == label][::step]
        dots = "".join(
            f"M{number(x)} {number(y)}h0"
            for x, y in zip(across(places[:, 0]), down(places[:, 1]), strict=True)
        )
        group = add(body, "g", class_=f"s{label % len(COLOURS)}")
        add(group, "path", class_=f"halo {_shape(label)}", d=dots)
        add(group, "path", class_=f"dots {_shape(label)}", d=dots)
    right = _legend(body, data, sorted({*shown, *map(int, np.unique(data.labels))}))
    foot = height + 20.0
    for text in (x_label, f"1 in {step} points is drawn" if step > 1 else ""):
        if text:
            foot += 16
            add(
                body,
                "text",
                shorten(clean(text), 60),
                class_="tick",
                x=WIDTH / 2,
                y=foot,
                text_anchor="middle",
            )
    top = MARGIN + (30 if title else 0) + (18 if y_label else 0)
    if y_label:
        add(body, "text", shorten(clean(y_label), 48), class_="tick", x=0.0, y=-8.0)
    heading = shorten(clean(title), 80)
    width = max(MARGIN + left + WIDTH + right + MARGIN, 2 * MARGIN + text_width(heading, 16, bold=True))
    counts = ", ".join(
        f"{data.name(int(c))}: {int(n):,}"
        for c, n in zip(*np.unique(data.labels, return_counts=True), strict=True)
    )
    root = picture(
        width,
        top + foot + MARGIN,
        title or "points in the plane",
        f"{len(data.points):,} points. {counts}.",
        _RULES,
    )
    if title:
        add(root, "text", heading, class_="title", x=MARGIN, y=MARGIN + 14)
    body.set("transform", f"translate({number(MARGIN + left)} {number(top)})")
    root.append(body)
    return written(root)


def _regions(
    body: ET.Element, regions: Callable[[Array, Array], Array], low: Array, high: Array, height: float
) -> list[int]:
    """Fill the plane with the predicted classes; which there are."""
    columns, rows = round(WIDTH / CELL), round(height / CELL)
    x = low[0] + (np.arange(columns) + 0.5) / columns * (high[0] - low[0])
    y = high[1] - (np.arange(rows) + 0.5) / rows * (high[1] - low[1])
    found = regions(x, y)
    runs: dict[int, list[str]] = {}
    wide, tall = WIDTH / columns, height / rows
    for row, classes in enumerate(found):
        ends = [0, *(np.flatnonzero(np.diff(classes)) + 1).tolist(), columns]
        for start, end in pairwise(ends):
            run = (
                f"M{number(start * wide)} {number(row * tall)}h{number((end - start) * wide)}v{number(tall)}"
            )
            runs.setdefault(int(classes[start]), []).append(f"{run}h-{number((end - start) * wide)}z")
    for label, path in sorted(runs.items()):
        group = add(body, "g", class_=f"s{label % len(COLOURS)}")
        add(group, "path", class_="region", d="".join(path), shape_rendering="crispEdges")
    return list(runs)


def _axes(
    body: ET.Element,
    low: Array,
    high: Array,
    height: float,
    across: Callable[[Any], Any],
    down: Callable[[Any], Any],
) -> float:
    """The ticks of both axes; how wide those at the left are."""
    xs, ys = ([t for t in nice_ticks(a, b, 6) if a <= t <= b] for a, b in zip(low, high, strict=True))
    for tick, text in zip(xs, tick_texts(xs), strict=True):
        add(body, "path", class_="frame", d=f"M{number(across(tick))} {number(height)}v4")
        add(body, "text", text, class_="tick", x=float(across(tick)), y=height + 17, text_anchor="middle")
    texts = tick_texts(ys)
    for tick, text in zip(ys, texts, strict=True):
        add(body, "path", class_="frame", d=f"M0 {number(down(tick))}h-4")
        add(body, "text", text, class_="tick", x=-8.0, y=float(down(tick)) + 4, text_anchor="end")
    return max((text_width(text, SMALL) for text in texts), default=0.0) + 8


def _legend(body: ET.Element, data: _Data, labels: list[int]) -> float:
    """The name of each class and how many points it has; how wide they are."""
    if not data.several:
        return 0.0
    widest = 0.0
    for index, label in enumerate(labels):
        y = 8 + index * LINE
        group = add(body, "g", class_=f"s{label % len(COLOURS)}")
        add(group, "path", class_=f"dots {_shape(label)}", d=f"M{number(WIDTH + 20)} {number(y)}h0")
        text = f"{data.name(label)} ({int((data.labels == label).sum()):,})"
        add(body, "text", text, class_="label", x=WIDTH + 30, y=y + 4)
        widest = max(widest, text_width(text, SMALL))
    return 30 + widest


def _shape(label: int) -> str:
    return "round" if label // len(COLOURS) % 2 == 0 else "square"
