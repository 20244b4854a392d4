"""The vertical half of the layout: which layer each node is on, and the order within each layer.

Layers are those of the longest path, after which nodes, and groups of nodes that would push each
other, move to where their edges are short. Edges
longer than one layer are cut by dummy nodes, and sweeps over the layers remove crossings.

Sources:
    K. Sugiyama, S. Tagawa, M. Toda, "Methods for visual understanding of hierarchical system
    structures", 1981. E. Gansner et al., "A technique for drawing directed graphs", 1993.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from random import Random

Edge = tuple[int, int]

DUMMIES_PER_NODE = 12
MOST_DUMMIES = 60_000
SETTLING = 12  # rounds of moving nodes to shorten edges
LARGEST_GROUP = 400  # nodes that move together in such a round
STARTS = 24
SHUFFLED = 0.3  # of the rows, at each start after the first two


@dataclass(frozen=True, slots=True)
class Ranks:
    """The nodes of a graph on layers, and the dummy nodes that continue them.

    Args:
        real: how many nodes are the graph's own; dummies have the numbers from there on.
        layer: the layer of each node, dummies included.
        rows: the nodes of each layer from left to right.
        up: the neighbours of each node on the layer above it.
        down: those on the layer below it.
        chains: the dummies of each edge from top to bottom, none for a short edge.
        lanes: edges too long to have dummies; they run beside the drawing.
        weights: how much each edge wants to be short and straight.
    """

    real: int
    layer: list[int]
    rows: list[list[int]]
    up: list[list[int]]
    down: list[list[int]]
    chains: dict[Edge, range]
    lanes: list[Edge]
    weights: Mapping[Edge, int]

    def places(self) -> list[int]:
        """The place of each node within its row."""
        places = [0] * len(self.layer)
        for row in self.rows:
            for index, node in enumerate(row):
                places[node] = index
        return places


def ranked(count: int, weights: Mapping[Edge, int]) -> Ranks:
    """Put the nodes of a connected acyclic graph on layers and in order; each edge has a weight."""
    layer = layers(count, weights)
    chains, lanes = _chains(layer, list(weights), count)
    layer += [layer[a] + 1 + step for (a, _), chain in chains.items() for step in range(len(chain))]
    up: list[list[int]] = [[] for _ in layer]
    down: list[list[int]] = [[] for _ in layer]
    for (a, b), chain in chains.items():
        for above, below in pairwise((a, *chain, b)):
            down[above].append(below)
            up[below].append(above)
    return Ranks(count, layer, _ordered(layer, up, down), up, down, chains, lanes, weights)


def layers(count: int, weights: Mapping[Edge, int]) -> list[int]:
    """The layer of each node of an acyclic graph: 0 at the top, edges downwards, their weighted sum small."""
    up: list[list[int]] = [[] for _ in range(count)]
    down: list[list[int]] = [[] for _ in range(count)]
    pull = [0] * count
    for (a, b), weight in weights.items():
        up[b].append(a)
        down[a].append(b)
        pull[a] += weight
        pull[b] -= weight
    waiting = [len(sources) for sources in up]
    order = [node for node in range(count) if not waiting[node]]
    layer = [0] * count
    for node in order:
        for below in down[node]:
            layer[below] = max(layer[below], layer[node] + 1)
            waiting[below] -= 1
            if not waiting[below]:
                order.append(below)
    if len(order) < count:
        raise ValueError(
            f"the edges form a cycle, so {count - len(order)} nodes have no layer; leave out one edge of it"
        )
    for _ in range(SETTLING):
        before = layer.copy()
        for node in reversed(order):
            _settle(node, down, pull, layer, 1)
        for node in order:
            _settle(node, up, pull, layer, -1)
        if layer == before:
            break
    rank = {value: index for index, value in enumerate(sorted(set(layer)))}
    return [rank[value] for value in layer]


def _settle(node: int, ahead: list[list[int]], pull: list[int], layer: list[int], way: int) -> None:
    """Move a node down (`way` 1) or up (-1), with all that it would push, if that shortens the edges."""
    most = min(LARGEST_GROUP, 1_000_000 // len(layer))
    while pull[node] * way > 0:
        group = [node]
        members = {node}
        slack, gain = len(layer), 0
        for one in group:
            gain += pull[one] * way
            for other in ahead[one]:
                room = (layer[other] - layer[one]) * way - 1
                if other not in members and room:
                    slack = min(slack, room)
                elif other not in members:
                    members.add(other)
                    group.append(other)
            if len(group) > most:
                return
        if gain <= 0:
            return
        for one in group:
            layer[one] += way * slack


def _chains(layer: list[int], edges: list[Edge], count: int) -> tuple[dict[Edge, range], list[Edge]]:
    """The dummy nodes of each edge, and the edges that get none.

    A value used a thousand layers later would need a thousand dummies, so there is a budget, spent
    on the short edges first.
    """
    budget, following = min(DUMMIES_PER_NODE * count + 500, MOST_DUMMIES), count
    chains: dict[Edge, range] = {}
    lanes: list[Edge] = []
    for edge in sorted(edges, key=lambda edge: layer[edge[1]] - layer[edge[0]]):
        steps = layer[edge[1]] - layer[edge[0]] - 1
        if following + steps - count > budget:
            lanes.append(edge)
        else:
            chains[edge] = range(following, following + steps)
            following += steps
    return chains, lanes


def _ordered(layer: list[int], up: list[list[int]], down: list[list[int]]) -> list[list[int]]:
    """Order each layer so that few edges cross: barycentre sweeps and transpositions, several starts."""
    best: list[list[int]] = []
    fewest = -1
    chance = Random(len(layer))
    for start in range(max(2, min(STARTS, 10_000 // len(layer)))):
        if start < 2:
            rows = _walked(layer, *((down, up) if start else (up, down)))
        else:
            rows = [row.copy() for row in best]
            for row in rows:
                if chance.random() < SHUFFLED:
                    row.sort(key=lambda _: chance.random())
        pos = [0] * len(layer)
        for row in rows:
            _number(row, pos)
        least = stale = -1
        for sweep in range(max(4, min(24, 600_000 // len(layer)))):
            crossings = sum(_crossings(row, down, pos) for row in rows)
            stale = stale + 1 if 0 <= least <= crossings else 0
            least = crossings if least < 0 else min(least, crossings)
            if fewest < 0 or crossings < fewest:
                best, fewest = [row.copy() for row in rows], crossings
            if not crossings or stale > 5:
                break
            for row in reversed(rows) if sweep % 2 else rows:
                _sort(row, down if sweep % 2 else up, pos, mirrored=sweep % 4 > 1)
            for row in rows:
                _transpose(row, up, down, pos)
        if not fewest:
            break
    return best


def _walked(layer: list[int], back: list[list[int]], onwards: list[list[int]]) -> list[list[int]]:
    """Rows in the order of a depth-first walk, so that connected nodes start near each other."""
    rows: list[list[int]] = [[] for _ in range(max(layer) + 1)]
    seen = [False] * len(layer)
    stack = [node for node in reversed(range(len(layer))) if not back[node]]
    while stack:
        node = stack.pop()
        if not seen[node]:
            seen[node] = True
            rows[layer[node]].append(node)
            stack += reversed(onwards[node])
    return rows


def _crossings(row: list[int], down: list[list[int]], pos: list[int]) -> int:
    """How many pairs of edges cross between this row and the next."""
    if len(row) < 2:
        return 0
    ends: list[int] = []
    total = 0
    for node in row:
        targets = [pos[below] for below in down[node]]
        total += sum(len(ends) - bisect_right(ends, target) for target in targets)
        for target in targets:
            insort(ends, target)
    return total


def _sort(row: list[int], near: list[list[int]], pos: list[int], *, mirrored: bool) -> None:
    """Sort a row by the mean place of its neighbours; nodes without any stay where they are."""
    if len(row) < 2:
        return
    tied = [node for node in (reversed(row) if mirrored else row) if near[node]]
    tied.sort(key=lambda node: sum(pos[other] for other in near[node]) / len(near[node]))
    free = iter(tied)
    row[:] = [next(free) if near[node] else node for node in row]
    _number(row, pos)


def _transpose(row: list[int], up: list[list[int]], down: list[list[int]], pos: list[int]) -> None:
    """Swap neighbours in a row while that removes crossings."""
    if len(row) < 2:
        return
    above = {node: sorted(pos[other] for other in up[node]) for node in row}
    below = {node: sorted(pos[other] for other in down[node]) for node in row}
    swapped, rounds = True, 0
    while swapped and rounds < 4:
        swapped, rounds = False, rounds + 1
        for i in range(len(row) - 1):
            a, b = row[i], row[i + 1]
            now = _inverted(above[a], above[b]) + _inverted(below[a], below[b])
            if now and now > _inverted(above[b], above[a]) + _inverted(below[b], below[a]):
                row[i], row[i + 1], swapped = b, a, True
    _number(row, pos)


def _inverted(left: list[int], right: list[int]) -> int:
    """Crossings of the edges to `left` and to `right` when the first node stands left of the second."""
    return sum(bisect_left(right, place) for place in left)


def _number(row: list[int], pos: list[int]) -> None:
    for index, node in enumerate(row):
        pos[node] = index


def parts(count: int, edges: Iterable[Edge]) -> list[list[int]]:
    """The connected parts of a graph, each with its nodes in ascending order."""
    near: list[list[int]] = [[] for _ in range(count)]
    for a, b in edges:
        near[a].append(b)
        near[b].append(a)
    seen = [False] * count
    found: list[list[int]] = []
    for first in range(count):
        if not seen[first]:
            seen[first], members = True, [first]
            for node in members:
                for other in near[node]:
                    if not seen[other]:
                        seen[other] = True
                        members.append(other)
            found.append(sorted(members))
    return found
