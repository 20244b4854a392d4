"""One level of a drawing: boxes and the ports on the border of the cluster that holds them.

A level is a whole drawing, or the inside of one cluster. A cluster in it is a box with ports of its own, where
edges reach the level below. An edge can carry several values, from ports of one box to those of another.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tensorgrad.viz._columns import abscissas, pooled
from tensorgrad.viz._ranks import Edge, Ranks

Point = tuple[float, float]
Stop = tuple[float, float, float]
Wire = tuple[int, int, int]  # an edge and a value that it carries

PORT_GAP = 12.0
LANES = 12
LANE_GAP = 10.0
TOP_GAP, BOTTOM_GAP = 32.0, 20.0  # between a border with ports and the layer next to it


@dataclass(frozen=True, slots=True)
class Block:
    """A box in a level: how far it reaches from its x to both sides, its height, and its ports if they are fixed.

    Args:
        left: how far it reaches to the left.
        right: how far it reaches to the right.
        height: from top to bottom.
        leaving: of a cluster, where each value leaves, from its x.
        entering: of a cluster, where each value enters.
    """

    left: float
    right: float
    height: float
    leaving: Mapping[int, float] = field(default_factory=dict)
    entering: Mapping[int, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Drawn:
    """A level in its own coordinates, from the origin at its top left."""

    width: float
    height: float
    x: list[float]
    y: list[float]
    paths: dict[Wire, tuple[Point, ...]]


def drawn(
    ranks: Ranks, blocks: list[Block], carried: Mapping[Edge, list[int]], node_gap: float, layer_gap: float
) -> Drawn:
    """Place a level whose layers and rows are known.

    Args:
        ranks: the boxes, then the ports of the border, in rows.
        blocks: the boxes.
        carried: the values of each edge, those of one edge from left to right.
        node_gap: least distance between boxes side by side.
        layer_gap: least distance between layers.
    """
    beside = [0.0] * len(ranks.layer)
    for edge, chain in ranks.chains.items():
        for dummy in chain:
            beside[dummy] = (len(carried[edge]) - 1) * PORT_GAP / 2
    left = [*(block.left for block in blocks), *beside[len(blocks) :]]
    right = [*(block.right for block in blocks), *beside[len(blocks) :]]
    x = abscissas(ranks, left, right, node_gap)
    bands = _bands(ranks, x, [block.height for block in blocks], layer_gap)
    width = max(c + reach for c, reach in zip(x, right, strict=True))
    y = [sum(bands[layer]) / 2 for layer in ranks.layer]
    stops: dict[Wire, list[Stop]] = {}
    for (a, b), chain in ranks.chains.items():
        for place, value in enumerate(carried[a, b]):
            aside = (place - (len(carried[a, b]) - 1) / 2) * PORT_GAP
            stops[a, b, value] = [(x[dummy] + aside, *bands[ranks.layer[dummy]]) for dummy in chain]
    lanes = [(a, b, value) for a, b in ranks.lanes for value in carried[a, b]]
    for index, (a, b, value) in enumerate(lanes):
        lane = width + LANE_GAP * (1 + index % LANES)
        stops[a, b, value] = [(lane, bands[ranks.layer[a] + 1][0], bands[ranks.layer[b] - 1][1])]
    leaving, entering = _ports(x, blocks, stops)
    paths = {}
    for wire, between in stops.items():
        a, b, _ = wire
        bottom = y[a] + blocks[a].height / 2 if a < len(blocks) else bands[ranks.layer[a]][1]
        top = y[b] - blocks[b].height / 2 if b < len(blocks) else bands[ranks.layer[b]][0]
        start = (leaving[wire], bottom, bands[ranks.layer[a]][1])
        end = (entering[wire], bands[ranks.layer[b]][0], top)
        paths[wire] = _curve([start, *between, end])
    return Drawn(width + LANE_GAP * min(len(lanes), LANES), bands[-1][1], x, y, paths)


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


def _bands(ranks: Ranks, x: list[float], tall: list[float], layer_gap: float) -> list[tuple[float, float]]:
    """Top and bottom of each layer; where edges go far sideways the layers stand further apart."""
    bands: list[tuple[float, float]] = []
    top = 0.0
    for index, row in enumerate(ranks.rows):
        bands.append((top, top + max((tall[v] for v in row if v < ranks.real), default=0.0)))
        sideways = max((abs(x[v] - x[w]) for v in row for w in ranks.down[v]), default=0.0)
        gap = layer_gap
        if index == 0 and ranks.ports[0]:
            gap = TOP_GAP
        elif index == len(ranks.rows) - 2 and ranks.ports[1]:
            gap = BOTTOM_GAP
        top = bands[-1][1] + min(max(gap, 0.16 * sideways), 2 * layer_gap)
    return bands


def _ports(
    x: list[float], blocks: list[Block], stops: Mapping[Wire, list[Stop]]
) -> tuple[dict[Wire, float], dict[Wire, float]]:
    """The x at which each wire leaves its source and enters its target, spread over the middle of a box."""

    def end(node: int, value: int, fixed: Mapping[int, float]) -> tuple[float, float]:
        """The x of an end and how far it can move."""
        if node >= len(blocks):
            return x[node], 0.0
        if value in fixed:
            return x[node] + fixed[value], 0.0
        return x[node], 0.3 * (blocks[node].left + blocks[node].right)

    leaving: list[list[tuple[float, float, Wire]]] = [[] for _ in blocks]
    entering: list[list[tuple[float, float, Wire]]] = [[] for _ in blocks]
    found: tuple[dict[Wire, float], dict[Wire, float]] = ({}, {})
    for wire, between in stops.items():
        a, b, value = wire
        start = end(a, value, blocks[a].leaving if a < len(blocks) else {})
        stop = end(b, value, blocks[b].entering if b < len(blocks) else {})
        first = (between[0][0], 0.0) if between else stop
        last = (between[-1][0], 0.0) if between else start
        if start[1]:
            leaving[a].append((_towards(*start, *first), first[0], wire))
        else:
            found[0][wire] = start[0]
        if stop[1]:
            entering[b].append((_towards(*stop, *last), last[0], wire))
        else:
            found[1][wire] = stop[0]
    for side, ports in zip((leaving, entering), found, strict=True):
        for node, wanted in enumerate(side):
            if wanted:
                wanted.sort()
                centre, wide = end(node, -1, {})
                free = spread([want for want, _, _ in wanted], PORT_GAP, centre - wide, centre + wide)
                ports.update((wire, port) for (_, _, wire), port in zip(wanted, free, strict=True))
    return found


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
