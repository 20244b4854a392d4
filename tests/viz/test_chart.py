"""Line charts: right places, round ticks, and sense made of what cannot be drawn."""

from __future__ import annotations

import math
import re
import xml.etree.ElementTree as ET
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tensorgrad._errors import ShapeError
from tensorgrad.viz import Chart, line_chart, panels
from tensorgrad.viz.chart import HEIGHT, WIDTH, nice_ticks

SVG = "{http://www.w3.org/2000/svg}"


def parsed(text: str) -> ET.Element:
    return ET.fromstring(text.encode("utf-8"))


def words(root: ET.Element) -> list[str]:
    return [text.text or "" for text in root.iter(f"{SVG}text")]


def curves(root: ET.Element) -> list[str]:
    return [path.get("d", "") for path in root.iter(f"{SVG}path") if path.get("class") == "curve"]


def points(curve: str) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in re.findall(r"[ML](\S+) ([^ML]+)", curve)]


def test_points_stand_where_their_values_say() -> None:
    (curve,) = curves(parsed(line_chart({"loss": ([0, 1, 4], [0.0, 10.0, 5.0])})))
    found = points(curve)
    bottom = max(y for _, y in found)
    assert [x for x, _ in found] == pytest.approx([0, WIDTH / 4, WIDTH], abs=0.01)
    assert [bottom - y for _, y in found] == pytest.approx([0, HEIGHT, HEIGHT / 2], abs=0.01)


def test_title_labels_and_last_values_are_written() -> None:
    text = line_chart(
        {"training": ([1, 2], [0.5, 0.91]), "test": ([1, 2], [0.4, 0.88])},
        title="Accuracy", x_label="epoch", y_label="share right", y_format=".0%",
    )  # fmt: skip
    root = parsed(text)
    assert {"Accuracy", "epoch", "share right", "training 91%", "test 88%"} <= set(words(root))
    assert root.get("role") == "img" and root.findtext(f"{SVG}title") == "Accuracy"
    assert (
        root.findtext(f"{SVG}desc") == "Accuracy: training goes from 50% to 91%; test goes from 40% to 88%."
    )
    assert "prefers-color-scheme:dark" in text


def test_panels_stand_side_by_side_with_their_own_units() -> None:
    loss = Chart({"a": ([1, 2], [3.0, 1.0])}, title="Loss")
    share = Chart({"a": ([1, 2], [0.2, 0.9])}, title="Accuracy", y_format=".0%")
    root = parsed(panels([loss, share], title="Both"))
    corners = [g.get("transform", "") for g in root.iter(f"{SVG}g") if g.get("class") == "panel"]
    first, second = (float(re.findall(r"[\d.]+", corner)[0]) for corner in corners)
    assert second > first + WIDTH
    assert float(root.get("width", "")) > second + WIDTH
    assert {"100%", "3.0", "Both", "Loss", "Accuracy"} <= set(words(root))


def test_values_that_are_not_finite_leave_gaps_and_are_counted() -> None:
    ys = [1.0, 2.0, math.nan, 3.0, math.inf, 4.0, 5.0]
    root = parsed(line_chart({"loss": (range(7), ys)}))
    (curve,) = curves(root)
    assert curve.count("M") == 3 and curve.count("L") == 2
    assert "2 values are NaN or infinite and left out" in words(root)
    # A point alone between gaps has no line, so it must have a dot.
    assert sum(1 for _ in root.iter(f"{SVG}circle")) == 5


def test_lone_points_of_a_long_series_have_dots() -> None:
    ys = np.ones(200)
    ys[[50, 52]] = np.nan
    root = parsed(line_chart({"loss": (np.arange(200), ys)}))
    assert sum(1 for _ in root.iter(f"{SVG}circle")) == 2


@pytest.mark.parametrize("ys", [[], [math.nan, math.nan], [math.inf, -math.inf]])
def test_no_data_is_said(ys: list[float]) -> None:
    root = parsed(line_chart({"loss": (range(len(ys)), ys)}, x_label="epoch"))
    assert {"no data", "epoch"} <= set(words(root))
    assert "loss has no data" in (root.findtext(f"{SVG}desc") or "")
    assert "no data" in words(parsed(line_chart({})))


@pytest.mark.parametrize("value", [0.0, 0.5, -3.0, 1e-300, 1e300, 123456.789])
def test_a_constant_series_and_a_single_point_are_drawn_in_the_middle(value: float) -> None:
    for count in (1, 5):
        root = parsed(line_chart({"loss": (range(count), [value] * count)}))
        (curve,) = curves(root)
        (height,) = {y for _, y in points(curve)}
        axis = next(path.get("d", "") for path in root.iter(f"{SVG}path") if path.get("class") == "axis")
        bottom = float(re.findall(r"M0 ([\d.]+)h", axis)[0])
        assert 0.2 * HEIGHT < bottom - height < 0.8 * HEIGHT


def test_thousands_of_points_are_thinned_without_losing_the_extremes() -> None:
    ys = np.zeros(100_000)
    ys[77_777], ys[12_345] = 10.0, -10.0
    text = line_chart({"loss": (np.arange(100_000), ys)})
    heights = [y for _, y in points(curves(parsed(text))[0])]
    assert len(text) < 100_000 and max(heights) - min(heights) == pytest.approx(HEIGHT, abs=0.01)


def test_more_series_than_fit_are_counted() -> None:
    root = parsed(line_chart({f"s{i}": ([0, 1], [i, i]) for i in range(30)}))
    labels = [float(text.get("y", "")) for text in root.iter(f"{SVG}text") if text.get("class") == "label"]
    assert "and 15 more" in words(root) and len(labels) == 15
    labels.sort()
    assert all(b - a >= 15 for a, b in pairwise(labels))


def test_each_series_has_a_colour_of_its_own_in_both_schemes() -> None:
    root = parsed(line_chart({f"s{i}": ([0, 1], [i, i]) for i in range(8)}))
    light, dark = (root.findtext(f"{SVG}style") or "").split("@media (prefers-color-scheme:dark){")
    used = {g.get("class", "") for g in root.iter(f"{SVG}g")} - {"panel", ""}
    for style in (light, dark):
        colours = {name: re.findall(rf"\.tg \.{name} \.curve[^{{]*\{{stroke:(#\w+)", style) for name in used}
        assert all(colours.values()) and len({tuple(colour) for colour in colours.values()}) == 6
    # The seventh and eighth share colours with the first two and differ in their dashes.
    dashes = [p.get("stroke-dasharray") for p in root.iter(f"{SVG}path") if p.get("class") == "curve"]
    assert dashes == ["none"] * 6 + ["6 3"] * 2


def test_names_are_inert() -> None:
    name = '<script>"]]>&\x00\u202e🚀'
    text = line_chart({name: ([1, 2], [1, 2])}, title=name, x_label=name, y_label=name)
    root = parsed(text)
    assert "<script" not in text and words(root)[0].startswith("<script>")
    assert not re.search(r"https?:|href|url\(", text.replace("http://www.w3.org/2000/svg", "", 1))


@pytest.mark.parametrize("pair", [([1, 2], [1]), (1, 2), ([[1]], [[2]])])
def test_shapes_that_do_not_fit_are_refused(pair: tuple[object, object]) -> None:
    with pytest.raises(ShapeError, match="series 'loss'"):
        line_chart({"loss": pair})


@given(
    st.floats(-1e12, 1e12),
    st.floats(1e-6, 1e12),
    st.integers(3, 10),
)
def test_ticks_are_round_cover_the_range_and_are_not_too_many(low: float, size: float, most: int) -> None:
    high = low + max(size, 1e-6 * abs(low))
    ticks = nice_ticks(low, high, most)
    step = ticks[1] - ticks[0]
    assert ticks[0] <= low + 1e-6 * step and ticks[-1] >= high - 1e-6 * step
    assert 2 <= len(ticks) <= most + 2
    mantissa = float(f"{step:.6e}".split("e")[0])
    assert any(mantissa == pytest.approx(nice, rel=1e-4) for nice in (1, 2, 2.5, 5, 10))


@given(st.lists(st.tuples(st.floats(), st.floats()), max_size=12))
def test_any_numbers_can_be_drawn(pairs: list[tuple[float, float]]) -> None:
    xs, ys = [x for x, _ in pairs], [y for _, y in pairs]
    text = line_chart({"anything": (xs, ys)})
    parsed(text)
    assert "nan" not in "".join(curves(parsed(text))) and "inf" not in "".join(curves(parsed(text)))
