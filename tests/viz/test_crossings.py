"""Edges of the built-in layout cross about as rarely as those that Graphviz draws, on a fixed set of graphs."""

from __future__ import annotations

from itertools import combinations

import pytest

from tensorgrad.viz.layout import layered
from tests.viz.crossings import Edges, Point, Sizes, crossings, graphs

GRAPHS = graphs()
WORSE, MORE = 1.5, 2  # times as many crossings as Graphviz has, and so many more


def by_graphviz(sizes: Sizes, edges: Edges) -> list[list[Point]]:
    """The curves that `dot` draws between boxes of these sizes."""
    pygraphviz = pytest.importorskip("pygraphviz", reason="compares with Graphviz, by way of pygraphviz")
    graph = pygraphviz.AGraph(directed=True, strict=False)
    for node, (w, h) in enumerate(sizes):
        graph.add_node(node, shape="box", fixedsize="true", width=w / 72, height=h / 72, label="")
    for key, (a, b) in enumerate(edges):
        graph.add_edge(a, b, key=str(key), arrowhead="none")
    graph.layout(prog="dot")
    found = []
    for key, (a, b) in enumerate(edges):
        points = graph.get_edge(a, b, key=str(key)).attr["pos"].split()
        found.append([(float(x), -float(y)) for x, y in (point.split(",") for point in points)])
    return found


@pytest.mark.parametrize("name", GRAPHS)
def test_crossings_compared_with_graphviz(name: str) -> None:
    sizes, edges = GRAPHS[name]
    theirs = crossings(by_graphviz(sizes, edges))
    assert crossings(layered(sizes, edges).paths) <= WORSE * theirs + MORE


@pytest.mark.parametrize("name", GRAPHS)
def test_boxes_of_the_fixed_set_do_not_overlap(name: str) -> None:
    sizes, edges = GRAPHS[name]
    plan = layered(sizes, edges)
    boxes = list(zip(plan.centres, sizes, strict=True))
    for ((x1, y1), (w1, h1)), ((x2, y2), (w2, h2)) in combinations(boxes, 2):
        assert abs(x1 - x2) >= (w1 + w2) / 2 - 1e-6 or abs(y1 - y2) >= (h1 + h2) / 2 - 1e-6


def test_the_set_is_varied() -> None:
    assert len(GRAPHS) >= 12
    assert {len(sizes) for sizes, _ in GRAPHS.values()} >= {20, 120}


def test_crossings_are_counted() -> None:
    def line(*ends: Point) -> list[Point]:
        (x, y), (to_x, to_y) = ends
        return [ends[0], *[(x + (to_x - x) * t, y + (to_y - y) * t) for t in (1 / 3, 2 / 3)], ends[1]]

    across, falling, rising = line((0, 5), (10, 5.1)), line((0, 0), (10, 10)), line((0, 10), (10, 0))
    assert crossings([]) == crossings([across]) == crossings([across, across]) == 0
    assert crossings([falling, rising]) == crossings([across, falling]) == 1
    assert crossings([across, falling, line((5.5, 0), (5, 10))]) == 3
    assert crossings([falling, line((10, 10), (0, 20)), line((0, 0), (5, 21))]) == 1  # ends that meet do not
