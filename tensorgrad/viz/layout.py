"""Layered layout of a directed acyclic graph: where each box stands and how each edge runs.

Every edge points downwards, no two boxes overlap and no edge runs through a box. The nodes go onto
layers and into an order that few edges cross (`_ranks`), get x coordinates that keep long edges
straight (`_columns`), and each edge becomes a smooth line. All of it is iterative, and the same
input always gives the same picture.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tensorgrad.viz._columns import abscissas, pooled
from tensorgrad.viz._ranks import Edge, Ranks, parts, ranked

Point = tuple[float, float]
Size = tuple[float, float]
Stop = tuple[float, float, float]

PORT_GAP = 12.0
LANES = 12
LANE_GAP = 10.0


@dataclass(frozen=True, slots=True)
class Layout:
    """Where everything stands, in pixels, y downwards, the origin at the top left.

    Args:
        width: extent of the picture along x.
        height: extent along y.
        centres: the centre of each node's box.
        paths: for each edge its start and then three points for each cubic Bezier piece
            (two control points and an end), so ``1 + 3 * pieces`` points.
    """

    width: float
    height: float
    centres: tuple[Point, ...]
    paths: tuple[tuple[Point, ...], ...]


def layered(
    sizes: Sequence[Size],
    edges: Sequence[Edge],
    *,
    weights: Sequence[int] | None = None,
    node_gap: float = 28.0,
    layer_gap: float = 36.0,
) -> Layout:
    """Lay out a directed acyclic graph in layers, from the top down.

    Args:
        sizes: width and height of each node's box in pixels; nodes are numbered from 0.
        edges: pairs (source, target). An edge given twice has the same path twice.
        weights: how much each edge wants to be short and straight, from 1; all the same by default.
        node_gap: least distance in pixels between two boxes side by side.
        layer_gap: least distance in pixels between two layers.

    Returns:
        The positions and paths, in the order of the arguments.

    Raises:
        ValueError: an edge names a node that is not there, a weight is below 1 or missing, or the
            edges form a cycle.

    Example:
        >>> plan = layered([(40, 20), (40, 20)], [(0, 1)])
        >>> plan.centres
        ((20.0, 10.0), (20.0, 66.0))
        >>> [(round(x), round(y)) for x, y in plan.paths[0]]
        [(20, 20), (20, 32), (20, 44), (20, 56)]
    """
    for source, target in edges:
        if not (0 <= source < len(sizes) and 0 <= target < len(sizes)):
            raise ValueError(f"edge ({source}, {target}) names a node outside 0 to {len(sizes) - 1}")
    if weights is not None and len(weights) != len(edges):
        raise ValueError(f"{len(edges)} edges and {len(weights)} weights; give one weight for each edge")
    weight: dict[Edge, int] = {}
    for edge, value in zip(edges, weights or [1] * len(edges), strict=True):
        if value < 1:
            raise ValueError(f"edge {edge} has weight {value}; give it at least 1")
        weight[edge] = max(weight.get(edge, 1), value)
    centres: list[Point] = [(0.0, 0.0)] * len(sizes)
    paths: dict[Edge, tuple[Point, ...]] = {}
    width = height = 0.0
    split = _split(len(sizes), sorted(weight))
    plans = []
    for nodes, own in split:
        heavy = {(a, b): weight[nodes[a], nodes[b]] for a, b in own}
        plans.append(_laid_out([sizes[node] for node in nodes], heavy, node_gap, layer_gap))
    for (nodes, own), part, (dx, dy) in zip(split, plans, _packed(plans, node_gap, layer_gap), strict=True):
        width, height = max(width, dx + part.width), max(height, dy + part.height)
        for node, (x, y) in zip(nodes, part.centres, strict=True):
            centres[node] = (x + dx, y + dy)
        for (a, b), path in zip(own, part.paths, strict=True):
            paths[nodes[a], nodes[b]] = tuple((x + dx, y + dy) for x, y in path)
    return Layout(width, height, tuple(centres), tuple(paths[a, b] for a, b in edges))


def spread(wanted: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Move ascending numbers as little as possible until neighbours are `gap` apart, within bounds.

    Args:
        wanted: the places asked for, ascending.
        gap: the least distance between neighbours; made smaller where the bounds leave less room.
        low: the lowest place allowed.
        high: the highest place allowed.

    Returns:
        The places: the least-squares fit to `wanted`.

    Example:
        >>> spread([1.0, 1.0, 9.0], 2.0, 0.0, 10.0)
        [0.0, 2.0, 9.0]
    """
    count = len(wanted)
    gap = min(gap, (high - low) / (count - 1)) if count > 1 else gap
    top = high - (count - 1) * gap
    level = pooled([value - index * gap for index, value in enumerate(wanted)], [1.0] * count)
    return [min(max(place, low), top) + index * gap for index, place in enumerate(level)]


def _split(count: int, edges: list[Edge]) -> list[tuple[list[int], list[Edge]]]:
    """The connected parts: the nodes of each, and its edges in the part's own numbers."""
    found = parts(count, edges)
    home = {node: (index, place) for index, members in enumerate(found) for place, node in enumerate(members)}
    own: list[list[Edge]] = [[] for _ in found]
    for a, b in edges:
        own[home[a][0]].append((home[a][1], home[b][1]))
    return list(zip(found, own, strict=True))


def _packed(plans: list[Layout], gap: float, layer_gap: float) -> list[Point]:
    """Where each plan goes: side by side in rows, the tallest first, in about the shape of a page."""
    area = sum((plan.width + 2 * gap) * (plan.height + layer_gap) for plan in plans)
    limit = max([(1.5 * area) ** 0.5, *(plan.width for plan in plans)])
    corners: list[Point] = [(0.0, 0.0)] * len(plans)
    x = y = row = 0.0
    for index in sorted(range(len(plans)), key=lambda index: -plans[index].height):
        if x > 0 and x + plans[index].width > limit:
            x, y, row = 0.0, y + row + layer_gap, 0.0
        corners[index] = (x, y)
        x, row = x + plans[index].width + 2 * gap, max(row, plans[index].height)
    return corners


def _laid_out(box: list[Size], weights: dict[Edge, int], node_gap: float, layer_gap: float) -> Layout:
    """The layout of one connected part; its paths are in the order of the keys of `weights`."""
    ranks = ranked(len(box), weights)
    half = [w / 2 for w, _ in box] + [0.0] * (len(ranks.layer) - len(box))
    x = abscissas(ranks, half, half, node_gap)
    bands = _bands(ranks, x, [h for _, h in box], layer_gap)
    width = max(c + h for c, h in zip(x, half, strict=True))
    centres = [(x[v], sum(bands[ranks.layer[v]]) / 2) for v in range(len(box))]
    stops = {edge: [(x[v], *bands[ranks.layer[v]]) for v in chain] for edge, chain in ranks.chains.items()}
    for index, (a, b) in enumerate(ranks.lanes):
        lane = width + LANE_GAP * (1 + index % LANES)
        stops[a, b] = [(lane, bands[ranks.layer[a] + 1][0], bands[ranks.layer[b] - 1][1])]
    leaving, entering = _ports(centres, box, stops)
    paths = []
    for a, b in weights:
        start = (leaving[a, b], centres[a][1] + box[a][1] / 2, bands[ranks.layer[a]][1])
        end = (entering[a, b], bands[ranks.layer[b]][0], centres[b][1] - box[b][1] / 2)
        paths.append(_curve([start, *stops[a, b], end]))
    width += LANE_GAP * min(len(ranks.lanes), LANES)
    return Layout(width, bands[-1][1], tuple(centres), tuple(paths))


def _bands(ranks: Ranks, x: list[float], tall: list[float], layer_gap: float) -> list[tuple[float, float]]:
    """Top and bottom of each layer; where edges go far sideways the layers stand further apart."""
    bands: list[tuple[float, float]] = []
    top = 0.0
    for row in ranks.rows:
        bands.append((top, top + max((tall[v] for v in row if v < ranks.real), default=0.0)))
        sideways = max((abs(x[v] - x[w]) for v in row for w in ranks.down[v]), default=0.0)
        top = bands[-1][1] + min(max(layer_gap, 0.16 * sideways), 2 * layer_gap)
    return bands


def _ports(
    centres: list[Point], box: list[Size], stops: dict[Edge, list[Stop]]
) -> tuple[dict[Edge, float], dict[Edge, float]]:
    """The x at which each edge leaves its source and enters its target, spread over the boxes' middle."""
    reach = [0.3 * w for w, _ in box]
    leaving: list[list[tuple[float, float, Edge]]] = [[] for _ in box]
    entering: list[list[tuple[float, float, Edge]]] = [[] for _ in box]
    for (a, b), between in stops.items():
        xa, xb = centres[a][0], centres[b][0]
        first, first_reach = (between[0][0], 0.0) if between else (xb, reach[b])
        last, last_reach = (between[-1][0], 0.0) if between else (xa, reach[a])
        leaving[a].append((_towards(xa, reach[a], first, first_reach), first, (a, b)))
        entering[b].append((_towards(xb, reach[b], last, last_reach), last, (a, b)))
    sides: list[dict[Edge, float]] = []
    for side in (leaving, entering):
        sides.append({})
        for (x, _), wide, wanted in zip(centres, reach, side, strict=True):
            wanted.sort()
            free = spread([want for want, _, _ in wanted], PORT_GAP, x - wide, x + wide)
            sides[-1].update((edge, port) for (_, _, edge), port in zip(wanted, free, strict=True))
    return sides[0], sides[1]


def _towards(x: float, reach: float, other: float, other_reach: float) -> float:
    """Where within ``x - reach`` to ``x + reach`` an edge to the other box leaves: straight if it can."""
    low, high = max(x - reach, other - other_reach), min(x + reach, other + other_reach)
    if low <= high:
        return min(max((x + other) / 2, low), high)
    return x + reach if other > x else x - reach


def _curve(stops: list[Stop]) -> tuple[Point, ...]:
    """Straight down within each stop (x, top, bottom), an S-curve between one and the next."""
    x, top, bottom = stops[0]
    points: list[Point] = [(x, top)]
    for following, top, end in stops[1:]:
        if abs(following - x) >= 0.01:
            _straight(points, x, bottom)
            middle = (bottom + top) / 2
            points += [(x, middle), (following, middle), (following, top)]
            x = following
        bottom = end
    _straight(points, x, bottom)
    return tuple(points)


def _straight(points: list[Point], x: float, y: float) -> None:
    start = points[-1][1]
    if y > start:
        points += [(x, start + (y - start) / 3), (x, start + (y - start) * 2 / 3), (x, y)]
