"""The layered layout: nothing overlaps, edges run downwards and around boxes, large graphs work."""

from __future__ import annotations

from itertools import combinations, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tensorgrad.viz._ranks import ranked
from tensorgrad.viz.layout import Layout, layered, spread
from tests.viz.crossings import program
from tests.viz.crossings import sizes as box_sizes

Sizes = list[tuple[float, float]]
Edges = list[tuple[int, int]]


@st.composite
def acyclic_graphs(draw: st.DrawFn) -> tuple[Sizes, Edges, list[int]]:
    count = draw(st.integers(1, 24))
    side = st.integers(10, 120).map(float)
    sizes = draw(st.lists(st.tuples(side, side), min_size=count, max_size=count))
    name = draw(st.permutations(range(count)))
    pairs = st.tuples(st.integers(0, count - 1), st.integers(0, count - 1)).filter(
        lambda pair: pair[0] < pair[1]
    )
    found = draw(st.lists(pairs, max_size=3 * count)) if count > 1 else []
    edges = [(name[a], name[b]) for a, b in found]
    weights = draw(st.lists(st.integers(1, 5), min_size=len(edges), max_size=len(edges)))
    return sizes, edges, weights


def boxes(sizes: Sizes, plan: Layout) -> list[tuple[float, float, float, float]]:
    """Left, top, right and bottom of each box."""
    return [
        (x - w / 2, y - h / 2, x + w / 2, y + h / 2)
        for (w, h), (x, y) in zip(sizes, plan.centres, strict=True)
    ]


def along(path: tuple[tuple[float, float], ...], parts: int = 8) -> list[tuple[float, float]]:
    """Points on a chain of cubic Bezier curves."""
    points = [path[0]]
    for start in range(0, len(path) - 1, 3):
        p0, p1, p2, p3 = path[start : start + 4]
        for step in range(1, parts + 1):
            t = step / parts
            k = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3)
            points.append(
                tuple(sum(c * p[i] for c, p in zip(k, (p0, p1, p2, p3), strict=True)) for i in (0, 1))
            )
    return points


def check(sizes: Sizes, edges: Edges, plan: Layout) -> None:
    """Everything that a layout promises."""
    near = 1e-6
    placed = boxes(sizes, plan)
    assert len(placed) == len(sizes) and len(plan.paths) == len(edges)
    for left, top, right, bottom in placed:
        assert -near <= left <= right <= plan.width + near
        assert -near <= top <= bottom <= plan.height + near
    for (l1, t1, r1, b1), (l2, t2, r2, b2) in combinations(placed, 2):
        assert r1 <= l2 + near or r2 <= l1 + near or b1 <= t2 + near or b2 <= t1 + near, "two boxes overlap"
    for (source, target), path in zip(edges, plan.paths, strict=True):
        points = along(path)
        (left, _, right, bottom), (low, top, high, _) = placed[source], placed[target]
        assert left <= points[0][0] <= right and abs(points[0][1] - bottom) < near
        assert low <= points[-1][0] <= high and abs(points[-1][1] - top) < near
        assert all(after[1] >= before[1] - near for before, after in pairwise(points)), "an edge turns up"
        for x, y in points[1:-1]:
            for low_x, low_y, high_x, high_y in placed:
                inside = low_x + near < x < high_x - near and low_y + near < y < high_y - near
                assert not inside, "an edge runs through a box"


@given(acyclic_graphs())
def test_boxes_do_not_overlap_and_edges_run_down_around_them(case: tuple[Sizes, Edges, list[int]]) -> None:
    sizes, edges, weights = case
    check(sizes, edges, layered(sizes, edges))
    check(sizes, edges, layered(sizes, edges, weights=weights))


@given(acyclic_graphs())
def test_the_same_graph_is_laid_out_the_same_way(case: tuple[Sizes, Edges, list[int]]) -> None:
    sizes, edges, weights = case
    assert layered(sizes, edges, weights=weights) == layered(sizes, edges, weights=weights)


@pytest.mark.parametrize("depth", [2, 5])
def test_a_tree_is_drawn_without_crossings(depth: int) -> None:
    edges = [((child - 1) // 2, child) for child in range(1, 2**depth - 1)]
    ranks = ranked(2**depth - 1, dict.fromkeys(edges, 1))
    places = ranks.places()
    for row in ranks.rows:
        ends = [places[below] for node in row for below in sorted(ranks.down[node], key=places.__getitem__)]
        assert ends == sorted(ends)


def test_crossings_are_removed_where_they_can_be() -> None:
    # A ladder whose rungs are given in an order that would cross: sorted, none need to.
    edges = [(a, 6 + (a * 5) % 6) for a in range(6)] + [(6 + b, 12) for b in range(6)]
    ranks = ranked(13, dict.fromkeys(edges, 1))
    assert [ranks.down[node][0] for node in ranks.rows[0]] == ranks.rows[1]


def test_a_chain_is_a_straight_line() -> None:
    plan = layered([(40.0, 20.0)] * 6, [(i, i + 1) for i in range(5)])
    assert len({x for x, _ in plan.centres}) == 1
    assert [y for _, y in plan.centres] == sorted(y for _, y in plan.centres)


def test_heavy_edges_are_the_short_ones() -> None:
    # 3 could stand anywhere between 0 and 2; it goes to the end of its heavier edge.
    edges = [(0, 1), (1, 4), (4, 2), (0, 3), (3, 2)]

    def layer_of_3(up: int, down: int) -> int:
        plan = layered([(10.0, 10.0)] * 5, edges, weights=[1, 1, 1, up, down])
        return [plan.centres[node][1] for node in (0, 1, 4, 2)].index(plan.centres[3][1])

    assert (layer_of_3(5, 1), layer_of_3(1, 5)) == (1, 2)


def test_a_group_moves_down_together_when_that_shortens_its_edges() -> None:
    # 5 feeds 6 and 6 feeds the end of a long chain: both belong beside the end, not at the top.
    edges = [(0, 1), (1, 2), (2, 3), (3, 4), (0, 5), (5, 6), (6, 4)]
    plan = layered([(10.0, 10.0)] * 7, edges, weights=[4, 4, 4, 4, 1, 4, 4])
    assert plan.centres[6][1] == plan.centres[3][1] and plan.centres[5][1] == plan.centres[2][1]


def test_parts_without_connection_stand_beside_each_other() -> None:
    sizes = [(40.0, 20.0)] * 60
    plan = layered(sizes, [(i, i + 1) for i in range(0, 60, 2)])
    check(sizes, [(i, i + 1) for i in range(0, 60, 2)], plan)
    assert 0.3 < plan.width / plan.height < 4


def test_a_value_read_everywhere_below_does_not_blow_up_the_picture() -> None:
    count = 600
    sizes = [(40.0, 20.0)] * count
    edges = [(i, i + 1) for i in range(count - 1)] + [(0, i) for i in range(2, count)]
    plan = layered(sizes, edges)
    assert plan.width < 3000
    for path in plan.paths:
        ys = [y for _, y in along(path)]
        assert ys == sorted(ys)


@pytest.mark.parametrize("count", [20_000, pytest.param(100_000, marks=pytest.mark.slow)])
def test_a_long_chain_works(count: int) -> None:
    plan = layered([(40.0, 20.0)] * count, [(i, i + 1) for i in range(count - 1)])
    assert len(plan.paths) == count - 1 and plan.width == 40.0


def test_no_nodes_and_parallel_edges() -> None:
    assert layered([], []) == Layout(0.0, 0.0, (), ())
    one, two = layered([(9.0, 9.0)] * 2, [(0, 1), (0, 1)]).paths
    assert one == two


@pytest.mark.parametrize(
    ("edges", "weights", "message"),
    [
        ([(0, 1), (1, 2), (2, 0)], None, "cycle"),
        ([(1, 1)], None, "cycle"),
        ([(0, 3)], None, "outside 0 to 2"),
        ([(-1, 1)], None, "outside 0 to 2"),
        ([(0, 1)], [0], "weight 0"),
        ([(0, 1)], [], "one weight for each"),
    ],
)
def test_bad_edges_are_refused(edges: Edges, weights: list[int] | None, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        layered([(10.0, 10.0)] * 3, edges, weights=weights)


@given(st.lists(st.floats(0, 100), min_size=1, max_size=12), st.floats(0.5, 20))
def test_spreading_keeps_order_distance_and_bounds(wanted: list[float], gap: float) -> None:
    wanted.sort()
    places = spread(wanted, gap, 0.0, 100.0)
    least = min(gap, 100.0 / max(len(wanted) - 1, 1))
    assert all(b - a >= least - 1e-9 for a, b in pairwise(places))
    assert places[0] >= -1e-9 and places[-1] <= 100 + 1e-9
    if all(b - a >= gap for a, b in pairwise(wanted)):
        assert places == pytest.approx(wanted)


def test_a_large_program_is_laid_out() -> None:
    edges = program(800, 5)
    assert len(layered(box_sizes(edges), edges).centres) == 800
