"""Modules in pictures: frames around their boxes, one for each pass, and the parameters where they are read."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest

import tensorgrad as tg
from tensorgrad import nn
from tensorgrad.ir.backward import with_backward
from tensorgrad.ir.graph import Graph
from tensorgrad.viz import Picture
from tensorgrad.viz._scene import scene, shortened

SVG = "{http://www.w3.org/2000/svg}"
Rect = tuple[float, float, float, float]


class Pair(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.up, self.down = nn.Linear(3, 5), nn.Linear(5, 3)

    def forward(self, x: tg.Tensor) -> tg.Tensor:
        return x + self.down(tg.tanh(self.up(x)))


@pytest.fixture(scope="module")
def step() -> Graph:
    model = Pair()
    x = tg.ones((2, 3))
    with tg.record() as run:
        loss = model(x).sum()
        loss.backward()
    return run.graph


def drawn(picture: Picture) -> tuple[dict[str, Rect], dict[str, Rect]]:
    """The frames by their paths, and the boxes by their names."""
    frames: dict[str, Rect] = {}
    boxes: dict[str, Rect] = {}
    for group in ET.fromstring(picture.to_svg()).iter(f"{SVG}g"):
        rectangle = group.find(f"{SVG}rect")
        if rectangle is None or not (group.get("id") or group.get("class") == "module"):
            continue
        x, y, w, h = (float(rectangle.get(name, "")) for name in ("x", "y", "width", "height"))
        title = group.findtext(f"{SVG}title") or ""
        if group.get("class") == "module":
            frames[title] = (x, y, x + w, y + h)
        else:
            boxes[next(group.iter(f"{SVG}text")).text or ""] = (x, y, x + w, y + h)
    return frames, boxes


def holds(outer: Rect, inner: Rect) -> bool:
    return outer[0] < inner[0] and outer[1] < inner[1] and inner[2] < outer[2] and inner[3] < outer[3]


def test_frames_hold_their_boxes_and_nothing_else(step: Graph) -> None:
    frames, boxes = drawn(tg.graph(step))
    assert list(frames) == ["Pair", "Pair/up", "Pair/down"]
    assert holds(frames["Pair"], frames["Pair/up"]) and holds(frames["Pair"], frames["Pair/down"])
    inside = {
        path: {name for name, box in boxes.items() if holds(frame, box)} for path, frame in frames.items()
    }
    assert inside["Pair/up"] == {"up.weight", "up.bias", "linear"} - {
        "linear"
    }  # the last linear is that of down
    assert {"down.weight", "down.bias", "linear"} == inside["Pair/down"]
    assert inside["Pair"] == {*inside["Pair/up"], *inside["Pair/down"], "tanh", "add"}


def test_each_pass_has_frames_of_its_own(step: Graph) -> None:
    frames, boxes = drawn(tg.graph(step, passes="both"))
    assert {"Pair", "Pair/up", "Pair, backward", "Pair, backward/up"} <= set(frames)
    assert holds(frames["Pair, backward/up"], boxes["up.weight.grad"])
    # A weight that both passes read stays with its module.
    assert holds(frames["Pair/down"], boxes["down.weight"])


def test_what_several_modules_read_belongs_to_what_they_have_in_common() -> None:
    shared = tg.ones(3, requires_grad=True)
    with tg.record() as run:
        with tg.scope("net"), tg.scope("a"):
            y = tg.sin(shared) + 1
        with tg.scope("net"), tg.scope("b"):
            z = tg.cos(shared) + y
        z.sum()
    frames, boxes = drawn(tg.graph(run))
    assert holds(frames["net"], boxes["shared"])
    assert not any(holds(frames[path], boxes["shared"]) for path in ("net/a", "net/b"))


def test_references_stand_beside_their_readers(step: Graph) -> None:
    whole = shortened(scene(step))
    assert all(box.scope is None for box in whole.boxes if box.kind == "reference")


def test_graphviz_gets_the_modules_as_clusters(step: Graph) -> None:
    source = tg.graph(step).to_dot()
    assert source.count("subgraph cluster_") == 3
    outer, up = source.index("label=Pair"), source.index("label=up")
    assert outer > 0 and up > 0


def test_a_graph_without_modules_has_no_frames() -> None:
    frames, _ = drawn(tg.graph(lambda x: tg.tanh(x) + 1, tg.ones(3)))
    assert not frames


@pytest.mark.parametrize("name", ["<script>", 'a"b\\N', "\u202eabc\x00", "x" * 200, "two\nlines"])
def test_hostile_module_names_are_inert(step: Graph, name: str) -> None:
    scopes = {e.scope for e in step.equations if e.scope}
    assert scopes
    graph = replace(
        step, equations=tuple(replace(e, scope=e.scope.replace("Pair", name)) for e in step.equations)
    )
    picture = tg.graph(graph)
    frames, _ = drawn(picture)
    assert len(frames) == 3
    labels = [
        text for text in ET.fromstring(picture.to_svg()).iter(f"{SVG}text") if text.get("class") == "label"
    ]
    assert all(len(text.text or "") <= 30 for text in labels)
    assert picture.to_dot().count("subgraph cluster_") == 3 and "label=<" not in picture.to_dot()


def test_the_backward_pass_begins_below_what_it_starts_from(step: Graph) -> None:
    _, boxes = drawn(tg.graph(step, passes="both"))
    assert boxes["loss = sum"][3] < boxes["seed"][1]
    order = [link for link in scene(with_backward(step)).links if link.kind == "order"]
    assert len(order) == 1
    source = tg.graph(step, passes="both").to_dot()
    assert source.count("style=invis") == 1 and tg.graph(step, passes="both").to_mermaid().count("~~~") == 1
    # A value of the user's that is called so is none.
    seed = tg.tensor(2.0, requires_grad=True)
    assert not [link for link in scene(tg.graph(seed * seed).graph).links if link.kind == "order"]
