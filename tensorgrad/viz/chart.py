"""Line charts, such as a learning curve, as SVG."""

from __future__ import annotations

import math
import xml.etree.ElementTree as ET
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tensorgrad._errors import ShapeError
from tensorgrad.viz._draw import add, clean, number, picture, shorten, text_width, written
from tensorgrad.viz.layout import Point, spread
from tensorgrad.viz.svgfile import SVG

Array = np.ndarray[Any, np.dtype[Any]]
Series = Mapping[str, tuple[Any, Any]]

WIDTH, HEIGHT = 440.0, 240.0
MARGIN = 20.0
SMALL = 11.5
LINE = 16.0
BUCKETS = 600  # of a long series, each drawn by its extremes
DOTS = 40  # points up to which each has a dot
LARGEST = 1e307
NICE = (1.0, 2.0, 2.5, 5.0, 10.0)
COLOURS = ("blue", "orange", "green", "violet", "red", "teal")
DASHES = ("none", "6 3", "2 3")

_RULES = [
    (".tg .title", "font-size:16px;font-weight:600"),
    (".tg .label", f"font-size:{SMALL}px"),
    (".tg .head", "font-weight:600"),
    (".tg .tick", f"font-size:{SMALL}px;fill:$faint"),
    (".tg .grid", "stroke:$grid;stroke-width:1"),
    (".tg .axis", "stroke:$line;stroke-width:1"),
    (".tg .curve", "fill:none;stroke-width:2;stroke-linejoin:round;stroke-linecap:round"),
    (".tg .dot", "stroke:$paper;stroke-width:1.5"),
    (".tg .lead", "fill:none;stroke-width:1"),
    *((f".tg .s{i} .curve,.tg .s{i} .lead", f"stroke:${colour}") for i, colour in enumerate(COLOURS)),
    *((f".tg .s{i} .dot,.tg .s{i} text", f"fill:${colour}") for i, colour in enumerate(COLOURS)),
]


@dataclass(frozen=True, slots=True)
class Chart:
    """One panel of a picture.

    Args:
        series: for each name its x and y values, two sequences of the same length.
        title: a heading.
        x_label: what x counts.
        y_label: what y measures, with its unit.
        y_format: a format specification for y values such as ``".0%"``; by default as many
            decimals as the ticks need.
        x_format: the same for x values.
    """

    series: Series
    title: str = ""
    x_label: str = ""
    y_label: str = ""
    y_format: str | None = None
    x_format: str | None = None


def line_chart(
    series: Series,
    *,
    title: str = "",
    x_label: str = "",
    y_label: str = "",
    y_format: str | None = None,
    x_format: str | None = None,
) -> SVG:
    """Draw one or more series against x as lines, each labelled at its end.

    A value that is not finite leaves a gap in its line, and the picture says how many there are.

    Args:
        series: for each name its x and y values, two sequences of the same length.
        title: a heading.
        x_label: what x counts.
        y_label: what y measures, with its unit.
        y_format: a format specification for y values such as ``".0%"``.
        x_format: the same for x values.

    Returns:
        The text of an SVG file, for light and dark.

    Raises:
        ShapeError: the x and y of a series are not one-dimensional or not of one length.

    Example:
        >>> picture = line_chart({"loss": ([1, 2, 3], [0.9, 0.4, 0.2])}, x_label="epoch")
        >>> picture.count('class="curve"')
        1
    """
    return panels([Chart(series, title, x_label, y_label, y_format, x_format)])


def panels(charts: Sequence[Chart], *, title: str = "") -> SVG:
    """Draw charts side by side, such as loss and accuracy, which have different units.

    Args:
        charts: the panels from left to right.
        title: a heading over all of them.

    Returns:
        The text of an SVG file, for light and dark.

    Raises:
        ShapeError: the x and y of a series are not one-dimensional or not of one length.

    Example:
        >>> loss = Chart({"training": ([1, 2], [0.9, 0.4])}, title="loss")
        >>> accuracy = Chart({"training": ([1, 2], [0.5, 0.8])}, title="accuracy", y_format=".0%")
        >>> panels([loss, accuracy], title="Learning curve").count('class="panel"')
        2
    """
    top = MARGIN + (30 if title else 0)
    body = ET.Element("g")
    x, height = MARGIN, 0.0
    head = (24 if any(chart.title for chart in charts) else 0) + (
        18 if any(chart.y_label for chart in charts) else 6
    )
    summaries = []
    for chart in charts:
        lines = [_Line(name, *_points(name, *pair)) for name, pair in chart.series.items()]
        panel = add(body, "g", class_="panel")
        left, right, tall = _draw(panel, chart, lines, float(head))
        panel.set("transform", f"translate({number(x + left)} {number(top)})")
        summaries.append(_summary(chart, lines))
        x, height = x + left + WIDTH + right + MARGIN, max(height, tall)
    label = shorten(clean(title), 100)
    width = max(x, 2 * MARGIN + text_width(label, 16, bold=True))
    named = title or " and ".join(chart.title for chart in charts if chart.title) or "line chart"
    root = picture(width, top + height + MARGIN, named, " ".join(summaries), _RULES)
    if title:
        add(root, "text", label, class_="title", x=MARGIN, y=MARGIN + 14)
    root.append(body)
    return written(root)


def nice_ticks(low: float, high: float, most: int = 6) -> list[float]:
    """Round numbers that cover a range: steps of 1, 2, 2.5 or 5 times a power of ten.

    Args:
        low: the least value, finite.
        high: the greatest value, finite and greater than `low`.
        most: about how many ticks there may be.

    Returns:
        The ticks; the first is at most `low`, the last at least `high`.

    Example:
        >>> nice_ticks(0.13, 0.94)
        [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
    """
    rough = (high - low) / max(most - 1, 1)
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(nice * power for nice in NICE if nice * power >= rough * 0.999)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [float(f"{index * step:.12g}") for index in range(first, last + 1)]


@dataclass(frozen=True, slots=True)
class _Line:
    """A series as arrays, thinned to what a picture can show; `lost` values of it are not finite."""

    name: str
    x: Array
    y: Array
    lost: int

    @property
    def finite(self) -> Array:
        return np.isfinite(self.x) & np.isfinite(self.y)


def _points(name: str, xs: Any, ys: Any) -> tuple[Array, Array, int]:
    x, y = np.asarray(xs, dtype=np.float64), np.asarray(ys, dtype=np.float64)
    if x.ndim != 1 or x.shape != y.shape:
        raise ShapeError(
            f"line chart: series {name!r} has x of shape {x.shape} and y of shape {y.shape}; "
            "give two one-dimensional sequences of the same length"
        )
    finite = np.isfinite(x) & np.isfinite(y)
    lost = int(x.size - np.count_nonzero(finite))
    # Differences of larger values would overflow.
    x, y = (np.where(finite, np.clip(v, -LARGEST, LARGEST), v) for v in (x, y))
    if x.size > 4 * BUCKETS:
        keep: list[int] = []
        for bucket in np.array_split(np.arange(x.size), BUCKETS):
            seen = bucket[finite[bucket]]
            if seen.size:
                ends = (seen[0], seen[y[seen].argmin()], seen[y[seen].argmax()], seen[-1])
                keep += sorted({int(index) for index in ends})
            else:
                keep.append(int(bucket[0]))
        x, y = x[keep], y[keep]
    return x, y, lost


def _range(values: Array) -> tuple[float, float]:
    """The least and the greatest of finite values, with room around them where they are all the same."""
    low, high = float(values.min()), float(values.max())
    size = max(abs(low), abs(high))
    if high - low <= 1e-9 * size or high - low < 1e-290:
        room = 0.1 * size if size > 1e-280 else 1.0
        return low - room, high + room
    return low, high


def _draw(parent: ET.Element, chart: Chart, lines: list[_Line], top: float) -> tuple[float, float, float]:
    """One panel, its plot's corner at (0, top); the room it needs to the left and right, and its height."""
    if chart.title:
        add(parent, "text", shorten(clean(chart.title), 48), class_="label head", x=0.0, y=16.0)
    if chart.y_label:
        add(parent, "text", shorten(clean(chart.y_label), 48), class_="tick", x=0.0, y=top - 8)
    bottom = top + HEIGHT
    add(parent, "path", class_="axis", d=f"M0 {number(bottom)}h{number(WIDTH)}")
    shown = [line for line in lines if line.finite.any()]
    if not shown:
        add(parent, "text", "no data", class_="tick", x=WIDTH / 2, y=top + HEIGHT / 2, text_anchor="middle")
        return 0.0, 0.0, _foot(parent, chart, lines, bottom)
    xs = np.concatenate([line.x[line.finite] for line in shown])
    ys = np.concatenate([line.y[line.finite] for line in shown])
    x_low, x_high = _range(xs)
    y_low, y_high = _range(ys)
    y_ticks = nice_ticks(0.0 if 0 <= y_low < 0.3 * y_high else y_low, y_high)
    x_ticks = [tick for tick in nice_ticks(x_low, x_high, 7) if x_low <= tick <= x_high]
    if (xs == np.round(xs)).all():
        x_ticks = [tick for tick in x_ticks if tick == round(tick)]

    def across(x: float) -> float:
        return WIDTH * ((x - x_low) / (x_high - x_low))

    def down(y: float) -> float:
        return bottom - HEIGHT * ((y - y_ticks[0]) / (y_ticks[-1] - y_ticks[0]))

    y_texts = tick_texts(y_ticks, chart.y_format)
    for tick, text in zip(y_ticks, y_texts, strict=True):
        if tick > y_ticks[0]:
            add(parent, "path", class_="grid", d=f"M0 {number(down(tick))}h{number(WIDTH)}")
        add(parent, "text", text, class_="tick", x=-8.0, y=down(tick) + 4, text_anchor="end")
    for tick, text in zip(x_ticks, tick_texts(x_ticks, chart.x_format), strict=True):
        add(parent, "path", class_="axis", d=f"M{number(across(tick))} {number(bottom)}v4")
        add(parent, "text", text, class_="tick", x=across(tick), y=bottom + 17, text_anchor="middle")
    ends = []
    for index, line in enumerate(lines):
        if line.finite.any():
            group = add(parent, "g", class_=f"s{index % len(COLOURS)}")
            last = _curve(group, line, across, down, chart, DASHES[index // len(COLOURS) % len(DASHES)])
            value = _text(line.y[line.finite][-1], chart.y_format)
            ends.append((last, group, f"{shorten(clean(line.name), 28)} {value}".strip()))
    left = max(text_width(text, SMALL) for text in y_texts) + 8
    return left, _label(parent, ends, top), _foot(parent, chart, lines, bottom)


def _curve(
    group: ET.Element,
    line: _Line,
    across: Callable[[float], float],
    down: Callable[[float], float],
    chart: Chart,
    dash: str,
) -> Point:
    """Draw one series with gaps where it is not finite; where its last point is."""
    finite = line.finite
    points = [(across(x), down(y)) if ok else None for x, y, ok in zip(line.x, line.y, finite, strict=True)]
    steps, alone = list[str](), set[int]()
    for index, point in enumerate(points):
        if point is not None:
            first = index == 0 or points[index - 1] is None
            steps.append(f"{'M' if first else 'L'}{number(point[0])} {number(point[1])}")
            if first and (index + 1 == len(points) or points[index + 1] is None):
                alone.add(index)
    add(group, "path", class_="curve", d="".join(steps), stroke_dasharray=dash)
    last = int(np.flatnonzero(finite)[-1])
    dots = range(len(points)) if len(points) <= DOTS else sorted(alone | {last})
    for index in dots:
        point = points[index]
        if point is not None:
            radius = 4.5 if index == last else 3.0
            dot = add(group, "circle", class_="dot", cx=point[0], cy=point[1], r=radius)
            value, place = _text(line.y[index], chart.y_format), _text(line.x[index], chart.x_format)
            add(dot, "title", f"{line.name}: {value} at {chart.x_label or 'x ='} {place}")
    return points[last] or (0.0, 0.0)


def _label(parent: ET.Element, ends: list[tuple[Point, ET.Element, str]], top: float) -> float:
    """Name each series beside its end, as many as there is room for; how wide the names are."""
    most = int(HEIGHT / LINE)
    rest, ends = len(ends) - most, sorted(ends[:most], key=lambda end: end[0][1])
    places = spread([y for (_, y), _, _ in ends], LINE, top, top + HEIGHT)
    for ((_, y), group, text), place in zip(ends, places, strict=True):
        if abs(place - y) > 2:
            add(group, "path", class_="lead", d=f"M{WIDTH + 6:g} {number(y)}L{WIDTH + 15:g} {number(place)}")
        add(group, "text", text, class_="label", x=WIDTH + 19, y=place + 4)
    if rest > 0:
        add(parent, "text", f"and {rest:,} more", class_="tick", x=WIDTH + 19, y=top + HEIGHT + LINE)
    return 19 + max(text_width(text, SMALL) for _, _, text in ends)


def _foot(parent: ET.Element, chart: Chart, lines: list[_Line], bottom: float) -> float:
    """The label of the x axis, and a note on values that cannot be drawn; the height of the panel."""
    y = bottom + 20
    if chart.x_label:
        y += 16
        label = shorten(clean(chart.x_label), 60)
        add(parent, "text", label, class_="tick", x=WIDTH / 2, y=y, text_anchor="middle")
    lost = sum(line.lost for line in lines)
    if lost:
        y += LINE
        note = f"{lost:,} value{' is' if lost == 1 else 's are'} NaN or infinite and left out"
        add(parent, "text", note, class_="tick", x=0.0, y=y)
    return y


def tick_texts(ticks: list[float], spec: str | None = None) -> list[str]:
    """Ticks as text, all with the same number of decimals, or by a format."""
    if spec is not None:
        return [format(tick, spec) for tick in ticks]
    plain = [f"{tick:.10g}" for tick in ticks]
    if any("e" in text for text in plain):
        return plain
    decimals = max((len(text.partition(".")[2]) for text in plain), default=0)
    return [f"{tick:,.{decimals}f}" for tick in ticks]


def _text(value: float, spec: str | None) -> str:
    """One value in a few digits."""
    return format(float(value), spec or (",.0f" if 1000 <= abs(value) < 1e9 else ".3g"))


def _summary(chart: Chart, lines: list[_Line]) -> str:
    """The chart in words."""
    parts = []
    for line in lines:
        y = line.y[line.finite]
        if y.size:
            first, last = (_text(value, chart.y_format) for value in (y[0], y[-1]))
            parts.append(f"{line.name} goes from {first} to {last}")
        else:
            parts.append(f"{line.name} has no data")
    what = chart.title or chart.y_label or "A line chart"
    return f"{what}: {'; '.join(parts) or 'no data'}."
