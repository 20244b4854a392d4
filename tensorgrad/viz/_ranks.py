"""The vertical half of the layout: which layer each node is on, and the order within each layer.

Layers are those of the longest path, after which nodes, and groups of nodes that would push each
other, move to where their edges are short. Edges
longer than one layer are cut by dummy nodes, and sweeps over the layers remove crossings.

Sources:
    K. Sugiyama, S. Tagawa, M. Toda, "Methods for visual understanding of hierarchical system
    structures", 1981. E. Gansner et al., "A technique for drawing directed graphs", 1993.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from tensorgrad.viz._order import ordered

Edge = tuple[int, int]

DUMMIES_PER_NODE = 12
MOST_DUMMIES = 60_000
SETTLING = 12  # rounds of moving nodes to shorten edges
LARGEST_GROUP = 400  # nodes that move together in such a round


@dataclass(frozen=True, slots=True)
class Ranks:
    """The nodes of a graph on layers, and the dummy nodes that continue them.

    Args:
        real: how many nodes are boxes; ports on the border and dummies have the numbers from there on.
        layer: the layer of each node, dummies included.
        rows: the nodes of each layer from left to right.
        up: the neighbours of each node on the layer above it.
        down: those on the layer below it.
        chains: the dummies of each edge from top to bottom, none for a short edge.
        lanes: edges too long to have dummies; they run beside the drawing.
        weights: how much each edge wants to be short and straight.
        ports: whether the first row, and whether the last, consist of ports on the border.
    """

    real: int
    layer: list[int]
    rows: list[list[int]]
    up: list[list[int]]
    down: list[list[int]]
    chains: dict[Edge, range]
    lanes: list[Edge]
    weights: Mapping[Edge, int]
    ports: tuple[bool, bool] = (False, False)

    def place(self, node: int) -> int:
        """The place of one node within its row."""
        return self.rows[self.layer[node]].index(node)

    def places(self) -> list[int]:
        """The place of each node within its row."""
        places = [0] * len(self.layer)
        for row in self.rows:
            for index, node in enumerate(row):
                places[node] = index
        return places


def ranked(
    count: int,
    weights: Mapping[Edge, int],
    top: Sequence[int] = (),
    bottom: Mapping[int, float] | None = None,
) -> Ranks:
    """Put the nodes of an acyclic graph on layers and in order.

    Args:
        count: how many nodes there are, ports included, which have the last numbers.
        weights: how much each edge wants to be short and straight.
        top: ports that are a layer of their own above all others, from left to right.
        bottom: ports that are one below all others; those with equal keys are ordered as crossings want.
    """
    bottom = bottom or {}
    real = count - len(top) - len(bottom)
    layer = layers(real, {edge: weight for edge, weight in weights.items() if max(edge) < real})
    if top:
        layer = [value + 1 for value in layer]
    last = max(layer, default=0) + 1
    layer += [0 if node in top else last for node in range(real, count)]
    chains, lanes = _chains(layer, list(weights), count)
    layer += [layer[a] + 1 + step for (a, _), chain in chains.items() for step in range(len(chain))]
    up: list[list[int]] = [[] for _ in layer]
    down: list[list[int]] = [[] for _ in layer]
    for (a, b), chain in chains.items():
        for above, below in pairwise((a, *chain, b)):
            down[above].append(below)
            up[below].append(above)
    keys = {**{port: float(index) for index, port in enumerate(top)}, **bottom}
    rows = ordered(layer, up, down, keys)
    return Ranks(real, layer, rows, up, down, chains, lanes, weights, (bool(top), bool(bottom)))


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
