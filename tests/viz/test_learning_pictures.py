"""Pictures of a training: curves, confusion matrix, points and regions in the plane, sheets of images."""

from __future__ import annotations

import base64
import re
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import viz
from tensorgrad.viz import matrix, plane
from tensorgrad.viz._draw import COLOURS

SVG = "{http://www.w3.org/2000/svg}"


def of_class(picture: str, name: str) -> list[ET.Element]:
    root = ET.fromstring(picture)
    return [one for one in root.iter() if name in (one.get("class") or "").split()]


def texts(picture: str, name: str) -> list[str]:
    return [one.text or "" for one in of_class(picture, name)]


def spots(path: ET.Element) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in re.findall(r"M(\S+) (\S+?)h", path.get("d", ""))]


# ---- what a picture is


def test_a_picture_is_text_that_can_be_shown_and_saved(tmp_path: Path) -> None:
    picture = viz.line_chart({"é": ([1, 2], [1, 2])})
    assert isinstance(picture, str) and picture._repr_svg_() == str(picture) == picture
    assert type(str(picture)) is str and repr(picture).startswith("<SVG of ")
    path = picture.save(tmp_path / "chart.svg")
    assert path.read_text(encoding="utf-8") == picture and ET.parse(path).getroot().tag == f"{SVG}svg"
    with pytest.raises(ValueError, match=r"'chart.png' does not end in .svg"):
        picture.save(tmp_path / "chart.png")
    assert isinstance(viz.graph_svg(tg.trace(lambda x: x * 2, tg.ones(2))), viz.SVG)


EVERY: list[tuple[str, Any]] = [
    ("curves", lambda text: viz.learning_curves({text: [0.9, 0.4]}, title=text, x_label=text)),
    ("matrix", lambda text: viz.confusion_chart([[3, 1], [0, 4]], [text, "b"], title=text)),
    (
        "points",
        lambda text: viz.scatter_chart([[0, 1], [2, 3]], [0, 1], names=[text, "b"], title=text, x_label=text),
    ),
    (
        "regions",
        lambda text: viz.decision_regions(lambda x: x[:, :1], [[0, 1], [2, 3]], [0, 1], names=[text, "b"]),
    ),
    ("images", lambda text: viz.image_sheet(np.ones((1, 2, 2)), [text], title=text, note=text)),
    ("filters", lambda text: viz.filter_sheet(np.ones((2, 1, 2, 2)), title=text, note=text)),
]


@pytest.mark.parametrize(("name", "draw"), EVERY)
def test_text_is_inert_and_nothing_is_loaded_from_elsewhere(name: str, draw: Any) -> None:
    made = draw('<script>alert("1")</script>]]>&\x00\u202e\'🚀')
    root = ET.fromstring(made.encode("utf-8"))
    assert not list(root.iter(f"{SVG}script")) and root.get("role") == "img"
    without = re.sub(r'href="data:image/png;base64,[^"]*"|xmlns\S*', "", made)
    assert not re.search(r"https?:|href|url\(|@import|\bon\w+=", without)
    assert "\x00" not in made and "\u202e" not in made and "prefers-color-scheme:dark" in made
    assert made == draw('<script>alert("1")</script>]]>&\x00\u202e\'🚀'), "the same data, the same picture"


@pytest.mark.parametrize(("name", "draw"), EVERY)
@pytest.mark.parametrize("text", ["a", "m" * 60])
def test_everything_lies_within_the_picture(name: str, draw: Any, text: str) -> None:
    root = ET.fromstring(draw(text))
    width, height = float(root.get("width", 0)), float(root.get("height", 0))
    for one in root.iter():
        x, y = float(one.get("x", 0)), float(one.get("y", 0))
        assert x <= width and y <= height
        if one.tag.endswith(("image", "rect")):
            assert x + float(one.get("width", 0)) <= width and y + float(one.get("height", 0)) <= height


# ---- curves


def test_each_measure_has_a_panel_with_training_and_validation() -> None:
    history = {"loss": [1.0, 0.5], "accuracy": [0.5, 0.75], "val_loss": [1.1, 0.6], "lr": [0.1, 0.05]}
    made = viz.learning_curves(history, title="Run")
    assert len(of_class(made, "panel")) == 3 and len(of_class(made, "curve")) == 4
    assert texts(made, "head") == ["loss", "accuracy", "lr"] and "training 75.0%" in texts(made, "label")
    assert "no data" in viz.learning_curves({"loss": []})


def test_a_history_has_its_epochs_and_gaps() -> None:
    history = tg.training.History()
    for epoch in (1, 2, 3):
        history.append(epoch, {"loss": 1 / epoch} | ({"val_loss": 2 / epoch} if epoch != 2 else {}))
    made = viz.learning_curves(history)
    paths = [one.get("d", "").count("L") for one in of_class(made, "curve")]
    assert paths == [2, 1] and "left out" not in made and texts(made, "head") == ["loss"]
    with pytest.raises(tg.ShapeError, match="1 values for 2 epochs"):
        viz.learning_curves({"epoch": [1, 2], "loss": [0.5]})


# ---- confusion matrix


def test_cells_hold_counts_and_shares_of_their_row() -> None:
    made = viz.confusion_chart([[6, 2], [0, 5]], ["cat", "dog"], title="Pets")
    assert texts(made, "count") == ["6", "2", "5"] and texts(made, "share") == ["75%", "25%", "100%"]
    assert texts(made, "name") == ["cat", "cat", "dog", "dog"]
    assert [len(of_class(made, kind)) for kind in ("right", "wrong")] == [2, 1]
    assert "true cat, predicted dog: 2 of 8 (25.0%)" in made
    assert "Of 13 samples 11 (84.6%) are on the diagonal." in made
    assert viz.confusion_chart(tg.tensor([[1]])).count('class="count"') == 1
    assert texts(viz.confusion_chart([[0, 0], [3, 1]]), "count") == ["3", "1"]
    assert texts(viz.confusion_chart([[123456, 12_000_000], [1, 0]]), "count") == ["123k", "12M", "1"]


def test_text_can_be_read_on_every_colour() -> None:
    def light(colour: tuple[float, ...]) -> float:
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    def parts(name: str, paper: int) -> np.ndarray:
        return np.array([int(COLOURS[name][paper][i : i + 2], 16) / 255 for i in (1, 3, 5)])

    for paper in (0, 1):
        for colour in ("blue", "orange"):
            for share in np.linspace(0, matrix.STRONGEST, 9):
                ground = light((1 - share) * parts("paper", paper) + share * parts(colour, paper))
                ink = light(parts("ink", paper))
                contrast = (max(ink, ground) + 0.05) / (min(ink, ground) + 0.05)
                assert contrast >= 4.5, (paper, colour, share)


@pytest.mark.parametrize("classes", [1, 2, 10, 11, 20, 21, 40, 41, 100])
def test_any_number_of_classes(classes: int) -> None:
    made = viz.confusion_chart(np.eye(classes, dtype=int) * 1234, [f"class {i}" for i in range(classes)])
    assert len(of_class(made, "right")) == classes
    assert len(texts(made, "count")) == (classes if classes <= 20 else 0)
    assert float(ET.fromstring(made).get("width", 0)) < 1000


# ---- the plane


def test_points_lie_where_their_numbers_say() -> None:
    made = viz.scatter_chart([[0, 0], [1, 1], [2, 4]], [0, 0, 1], names=["a", "b"])
    first, second = (spots(one) for one in of_class(made, "dots")[:2])
    (x0, y0), (x1, y1), (x2, y2) = *first, *second
    assert x2 - x0 == pytest.approx(2 * (x1 - x0), abs=0.02) and y0 - y2 == pytest.approx(
        4 * (y0 - y1), abs=0.02
    )
    assert 0 < x0 < x2 < plane.WIDTH and texts(made, "label") == ["a (2)", "b (1)"]
    assert "label" not in [one.get("class") for one in ET.fromstring(viz.scatter_chart([[1, 2]])).iter()]


def test_many_points_are_thinned_and_the_picture_says_so() -> None:
    made = viz.scatter_chart(np.random.default_rng(0).normal(size=(12_000, 2)))
    assert len(spots(of_class(made, "dots")[0])) == 4000 and "1 in 3 points is drawn" in made


def test_regions_are_where_the_classifier_says() -> None:
    points = np.array([[0.0, 0.0], [1.0, 1.0]], np.float32)
    seen = []

    def predict(x: np.ndarray) -> tg.Tensor:
        seen.append((x.dtype, tg.is_grad_enabled()))
        return tg.tensor(np.stack([0.25 - x[:, 0], x[:, 0] - 0.25, x[:, 1] - 9], 1))

    made = viz.decision_regions(predict, points, [0, 1])
    assert seen == [(np.float32, False)] and tg.is_grad_enabled()
    left, right = of_class(made, "region")
    runs = [
        [float(n) for n in run]
        for path in (left, right)
        for run in re.findall(r"M(\S+) \S+?h(\S+?)v", path.get("d", ""))
    ]
    # From -0.06 to 1.06, so that 0.25 lies at 31 of 112.
    split = plane.WIDTH * 31 / 112
    assert {tuple(run) for run in runs} == {(0, runs[0][1]), (runs[0][1], plane.WIDTH - runs[0][1])}
    assert runs[0][1] == pytest.approx(split, abs=plane.CELL)


def test_classifiers_of_other_kinds() -> None:
    points, labels = [[0, 0], [1, 1]], [0, 1]
    for predict, count in (
        (lambda x: x[:, 0] > 0.5, 2),
        (lambda x: x[:, 0], 2),
        (lambda x: x[:, :1], 2),
        (lambda x: (3 * x[:, 0]).astype(int) + 1, 4),
        (lambda x: np.zeros(len(x)), 1),
    ):
        assert len(of_class(viz.decision_regions(predict, points, labels), "region")) == count
    seven = viz.decision_regions(lambda x: np.full(len(x), 7), points, labels, names=["a", "b"])
    assert texts(seven, "label") == ["a (1)", "b (1)", "class 7 (0)"] and len(of_class(seven, "square")) == 1


@pytest.mark.parametrize(
    ("points", "labels", "names", "message"),
    [
        ([[1, 2, 3]], [0], None, r"shape \(1, 3\); give pairs"),
        (np.zeros((0, 2)), [], None, "give pairs"),
        ([[1, 2]], [0, 1], None, r"labels have shape \(2,\) for 1 points"),
        ([[1, np.nan]], [0], None, "NaN or infinite"),
        ([[1, 2]], [-1], None, "classes count from 0"),
        ([[1, 2]], [0.5], None, "classes count from 0"),
        ([[1, 2]], [1], ["a"], "1 names, and a label is 1"),
    ],
)
def test_points_that_cannot_be_drawn(points: Any, labels: Any, names: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        viz.scatter_chart(points, labels, names=names)


def test_predictions_that_cannot_be_drawn() -> None:
    with pytest.raises(tg.ShapeError, match=r"returned shape \(3,\) for"):
        viz.decision_regions(lambda x: np.zeros(3), [[0, 0], [1, 1]], [0, 1])
    with pytest.raises(ValueError, match="returned NaN"):
        viz.decision_regions(lambda x: np.full(len(x), np.nan), [[0, 0], [1, 1]], [0, 1])


# ---- sheets


def test_images_stand_in_rows_with_their_captions() -> None:
    images = np.arange(5 * 4).reshape(5, 2, 2)
    made = viz.image_sheet(images, ["3 as 9\n87 %", *"bcde"], columns=2, title="Wrong", side=50)
    found = list(ET.fromstring(made).iter(f"{SVG}image"))
    assert [float(one.get("x", 0)) for one in found] == [20, 80, 20, 80, 20]
    assert len({one.get("y") for one in found}) == 3
    assert texts(made, "caption") == ["3 as 9", "87 %", "b", "c", "d", "e"]
    data = [base64.b64decode((one.get("href") or "").partition(",")[2]) for one in found]
    assert all(one.startswith(b"\x89PNG") for one in data) and len(set(data)) == 5
    long = viz.image_sheet(images[:1], ["a caption that is wider than its image"])
    assert texts(long, "caption")[0].endswith("…")


def test_filters_are_grey_or_in_colour_or_by_input() -> None:
    rng = np.random.default_rng(0)
    count = [viz.filter_sheet(rng.normal(size=(4, n, 3, 3))).count("<image") for n in (1, 3, 2)]
    assert count == [4, 4, 8]
    assert viz.filter_sheet(tg.zeros((2, 1, 3, 3))).count("<image") == 2


@pytest.mark.parametrize(
    ("draw", "message"),
    [
        (lambda: viz.image_sheet(np.ones((2, 2))), r"shape \(2, 2\); give \(N, H, W\)"),
        (lambda: viz.image_sheet(np.ones((2, 2, 2, 2))), "give"),
        (lambda: viz.image_sheet(np.ones((2, 2, 2)), ["a"]), "2 images and 1 captions"),
        (lambda: viz.image_sheet(np.ones((2, 2, 2)), columns=0), "columns is 0"),
        (lambda: viz.image_sheet(np.full((2, 2, 2), np.nan)), "NaN or infinite"),
        (lambda: viz.filter_sheet(np.ones((2, 2, 2))), "weight has shape"),
        (lambda: viz.confusion_chart([[1, 2]]), "give a square table"),
        (lambda: viz.confusion_chart([[1, -2], [0, 1]]), "negative"),
        (lambda: viz.confusion_chart([[1, 2], [0, 1]], ["a"]), "1 names for 2 classes"),
    ],
)
def test_what_cannot_be_shown(draw: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        draw()
