"""Clusters in the layout: frames hold exactly what is in them, and lines still run down and around."""

from __future__ import annotations

from itertools import combinations, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tensorgrad.viz._clusters import Frame, framed
from tensorgrad.viz.layout import Cluster, Layout, layered
from tests.viz.crossings import crossings

Edges = list[tuple[int, int]]
NEAR = 1e-6
SCOPES = [None, "", "a", "a/b", "a/c", "b", "b/d", "b/d/e"]


@st.composite
def scoped_graphs(draw: st.DrawFn) -> tuple[list[tuple[float, float]], Edges, list[str | None]]:
    count = draw(st.integers(1, 20))
    side = st.integers(10, 120).map(float)
    sizes = draw(st.lists(st.tuples(side, side), min_size=count, max_size=count))
    pairs = st.tuples(st.integers(0, count - 1), st.integers(0, count - 1)).filter(lambda p: p[0] < p[1])
    edges = draw(st.lists(pairs, max_size=2 * count)) if count > 1 else []
    return sizes, edges, draw(st.lists(st.sampled_from(SCOPES), min_size=count, max_size=count))


def drawing(
    sizes: list[tuple[float, float]], edges: Edges, paths: list[str | None]
) -> tuple[list[Frame], list[int | None], Layout]:
    frames, homes = framed(paths, edges)
    clusters = [Cluster(frame.parent, 60.0) for frame in frames]
    return frames, homes, layered(sizes, edges, clusters=clusters, homes=homes)


def around(home: int | None, frames: list[Frame]) -> set[int]:
    found = set()
    while home is not None:
        found.add(home)
        home = frames[home].parent
    return found


def curve(path: tuple[tuple[float, float], ...], parts: int = 8) -> list[tuple[float, float]]:
    points = [path[0]]
    for i in range(0, len(path) - 1, 3):
        for step in range(1, parts + 1):
            t = step / parts
            weights = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3)
            points.append(
                tuple(sum(w * p[k] for w, p in zip(weights, path[i : i + 4], strict=True)) for k in (0, 1))
            )
    return points


@given(scoped_graphs())
def test_frames_hold_their_boxes_and_nothing_else(
    case: tuple[list[tuple[float, float]], Edges, list[str | None]],
) -> None:
    sizes, edges, paths = case
    frames, homes, plan = drawing(sizes, edges, paths)
    boxes = [
        (x - w / 2, y - h / 2, x + w / 2, y + h / 2)
        for (w, h), (x, y) in zip(sizes, plan.centres, strict=True)
    ]
    rects = [(x, y, x + w, y + h) for x, y, w, h in plan.clusters]
    for left, top, right, bottom in [*boxes, *rects]:
        assert left >= -NEAR and right <= plan.width + NEAR and top >= -NEAR and bottom <= plan.height + NEAR

    def inside(one: tuple[float, ...], two: tuple[float, ...]) -> bool:
        return all(a >= b - NEAR for a, b in zip(one[:2], two[:2], strict=True)) and all(
            a <= b + NEAR for a, b in zip(one[2:], two[2:], strict=True)
        )

    def apart(one: tuple[float, ...], two: tuple[float, ...]) -> bool:
        return any(one[2 + k] <= two[k] + NEAR or two[2 + k] <= one[k] + NEAR for k in (0, 1))

    assert all(apart(one, two) for one, two in combinations(boxes, 2))
    for number, rect in enumerate(rects):
        for box, home in zip(boxes, homes, strict=True):
            assert inside(box, rect) if number in around(home, frames) else apart(box, rect)
            if number == home:
                assert box[1] >= rect[1] + 20, "no room for the label"
        for before, other in enumerate(rects[:number]):
            nested = before in around(number, frames)
            assert inside(rect, other) if nested else apart(rect, other)
        assert rect[2] - rect[0] >= 60
    for (source, target), path in zip(edges, plan.paths, strict=True):
        points = curve(path)
        assert abs(points[0][1] - boxes[source][3]) < NEAR
        assert boxes[source][0] - NEAR <= points[0][0] <= boxes[source][2] + NEAR
        assert abs(points[-1][1] - boxes[target][1]) < NEAR
        assert boxes[target][0] - NEAR <= points[-1][0] <= boxes[target][2] + NEAR
        assert all(b[1] >= a[1] - NEAR for a, b in pairwise(points)), "a line turns up"
        for x, y in points[1:-1]:
            for low, high, right, bottom in boxes:
                assert not (low + NEAR < x < right - NEAR and high + NEAR < y < bottom - NEAR), (
                    "through a box"
                )
        mine = around(homes[source], frames) | around(homes[target], frames)
        for number, (left, top, right, bottom) in enumerate(rects):
            if number not in mine:
                for x, y in points:
                    assert not (left + NEAR < x < right - NEAR and top + NEAR < y < bottom - NEAR)


@given(scoped_graphs())
def test_pieces_of_a_line_meet(case: tuple[list[tuple[float, float]], Edges, list[str | None]]) -> None:
    _, _, plan = drawing(*case)
    for path in plan.paths:
        assert len(path) % 3 == 1
        # Within one piece the ends are as far apart as the control points allow; a jump would break that.
        for i in range(0, len(path) - 1, 3):
            a, c, d, b = path[i : i + 4]
            assert abs(c[0] - a[0]) < 0.02 and abs(d[0] - b[0]) < 0.02


@given(scoped_graphs())
def test_frames_have_the_scopes_of_their_boxes(
    case: tuple[list[tuple[float, float]], Edges, list[str | None]],
) -> None:
    _, edges, paths = case
    frames, homes = framed(paths, edges)
    for path, home in zip(paths, homes, strict=True):
        if path is not None and home is not None:
            assert f"{path}/".startswith(f"{frames[home].path}/")
    for number, frame in enumerate(frames):
        assert frame.parent is None or frame.parent < number
        assert frame.path == (
            f"{frames[frame.parent].path}/{frame.name}" if frame.parent is not None else frame.name
        )


def test_a_chain_of_modules_is_a_straight_line() -> None:
    # x -> [w -> matmul, b -> add] -> [w -> matmul, b -> add] -> sum
    paths: list[str | None] = [None, None, "net/fc1", None, "net/fc1", None, "net/fc2", None, "net/fc2", ""]
    edges = [(0, 2), (1, 2), (2, 4), (3, 4), (4, 6), (5, 6), (6, 8), (7, 8), (8, 9)]
    weights = [1, 1, 4, 1, 4, 1, 4, 1, 4]
    frames, homes = framed(paths, edges)
    assert [frame.path for frame in frames] == ["net", "net/fc1", "net/fc2"]
    assert homes == [1, 1, 1, 1, 1, 2, 2, 2, 2, None]
    clusters = [Cluster(frame.parent) for frame in frames]
    plan = layered([(80.0, 42.0)] * 10, edges, weights=weights, clusters=clusters, homes=homes)
    assert max(abs(plan.centres[a][0] - plan.centres[b][0]) for a, b in [(2, 4), (4, 6), (6, 8), (8, 9)]) < 30
    assert all(max(plan.paths[k])[0] - min(plan.paths[k])[0] < 0.02 for k in (2, 4, 6, 8))


def test_a_scope_that_lines_leave_and_enter_again_has_two_frames() -> None:
    frames, homes = framed(["a", "a", "", "a", "a"], [(0, 1), (1, 2), (2, 3), (3, 4)])
    assert [frame.name for frame in frames] == ["a", "a"] and homes == [0, 0, None, 1, 1]


def test_several_values_between_two_clusters_do_not_cross() -> None:
    edges = [(0, 1), (0, 2), (0, 3), (1, 6), (2, 5), (3, 4), (4, 7), (5, 7), (6, 7)]
    homes: list[int | None] = [0, 0, 0, 0, 1, 1, 1, 1]
    plan = layered([(60.0, 30.0)] * 8, edges, clusters=[Cluster(), Cluster()], homes=homes)
    xs = [plan.centres[node][0] for node in (1, 2, 3)], [plan.centres[node][0] for node in (6, 5, 4)]
    assert sorted(range(3), key=xs[0].__getitem__) == sorted(range(3), key=xs[1].__getitem__)


def test_lines_enter_a_cluster_in_the_order_in_which_they_arrive() -> None:
    edges = [(0, 1), (0, 2), (2, 3), (1, 4)]
    plan = layered([(60.0, 30.0)] * 5, edges, clusters=[Cluster()], homes=[None, None, None, 0, 0])
    assert crossings(plan.paths) == 0


def test_an_empty_cluster_has_no_extent() -> None:
    assert (
        layered([(9.0, 9.0)], [], clusters=[Cluster(), Cluster(0)], homes=[None]).clusters
        == ((0.0,) * 4,) * 2
    )


@pytest.mark.parametrize(
    ("clusters", "homes", "message"),
    [
        ([Cluster(0)], [None] * 3, "let it come after"),
        ([Cluster(1), Cluster()], [None] * 3, "let it come after"),
        ([Cluster()], [1, None, None], "none of the 1 clusters"),
        ([Cluster()], [0], "one home for each node"),
        ([Cluster()], [0, None, 0], "cycle"),
    ],
)
def test_bad_clusters_are_refused(clusters: list[Cluster], homes: list[int | None], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        layered([(9.0, 9.0)] * 3, [(0, 1), (1, 2)], clusters=clusters, homes=homes)


def test_many_nested_clusters_work() -> None:
    count = 300
    clusters = [Cluster(k - 1 if k else None) for k in range(count)]
    plan = layered([(9.0, 9.0)] * 2, [(0, 1)], clusters=clusters, homes=[None, count - 1])
    assert plan.clusters[-1][2] < plan.clusters[0][2]
