"""Clusters in the layout: a drawing in levels, where a cluster is one box of the level that it is in.

From the outermost level inwards, each is put into layers and rows; edges that reach into a cluster end at
ports on its border, in the order in which they arrive. Then, from the innermost outwards, each level is
drawn, which gives the sizes of the clusters, and at last all of it is moved to where it belongs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tensorgrad.viz._level import Block, Drawn, Point, drawn
from tensorgrad.viz._ranks import Edge, Ranks, parts, ranked

PAD = 14.0  # between a frame and what is in it
LABEL = 28.0  # at the top of a frame
FAR = 1e9

Item = tuple[str, int]  # ("box", node), ("cluster", number), ("in", source), ("out", source)
Segment = tuple[int, Item, Item]  # of an edge: the level that it runs in, and between what


class Level:
    """One level: what is in it, and once known its rows and its drawing."""

    def __init__(self, items: list[Item]) -> None:
        self.items = items
        self.weights: dict[tuple[Item, Item], int] = {}
        self.carried: dict[tuple[Item, Item], dict[int, None]] = {}
        self.number: dict[Item, int] = {}
        self.ranks: Ranks
        self.plan: Drawn
        self.corner = (0.0, 0.0)
        self.inset = (0.0, 0.0)  # of the drawing in its frame

    def rank(self, entries: list[int], exits: Mapping[int, float]) -> None:
        """Number and order everything, ports on the border included, and ports there by where they lead."""
        ports: list[Item] = [*(("in", value) for value in entries), *(("out", value) for value in exits)]
        self.number = {item: index for index, item in enumerate([*self.items, *ports])}
        weights = {(self.number[a], self.number[b]): weight for (a, b), weight in self.weights.items()}
        top = [self.number["in", value] for value in entries]
        bottom = {self.number["out", value]: key for value, key in exits.items()}
        self.ranks = ranked(len(self.number), weights, top, bottom)


class Nest:
    """All levels of a drawing; see `tensorgrad.viz.layout.layered` for the arguments."""

    def __init__(
        self,
        sizes: Sequence[tuple[float, float]],
        weights: Mapping[Edge, int],
        homes: list[int],
        parents: list[int],
        widths: list[float],
        node_gap: float,
        layer_gap: float,
    ) -> None:
        self.sizes = sizes
        self.widths = widths
        self.gaps = node_gap, layer_gap
        self.centres: list[Point] = [(0.0, 0.0)] * len(sizes)
        self.frames = [(0.0, 0.0, 0.0, 0.0)] * len(parents)
        self.blocks: dict[Item, Block] = {
            ("box", node): Block(w / 2, w / 2, h) for node, (w, h) in enumerate(sizes)
        }
        self.segments: dict[Edge, list[Segment]] = {}
        items: dict[int, list[Item]] = {level: [] for level in range(-1, len(parents))}
        for node, home in enumerate(homes):
            items[home].append(("box", node))
        # A cluster with nothing in it has no place in the drawing.
        for cluster in reversed(range(len(parents))):
            if items[cluster]:
                items[parents[cluster]].append(("cluster", cluster))
        # The outermost level is drawn in connected parts, which have numbers from -1 downwards.
        self.home: dict[Item, int] = {item: level for level, members in items.items() for item in members}
        for edge in weights:
            self.segments[edge] = _segments(edge, homes, parents)
        self.levels = {level: Level(members) for level, members in items.items() if members and level >= 0}
        self.split(items[-1])
        for (source, target), segments in self.segments.items():
            for level, a, b in segments:
                one = self.levels[self.home[a] if level < 0 else level]
                one.weights[a, b] = one.weights.get((a, b), 0) + weights[source, target]
                one.carried.setdefault((a, b), {})[source] = None

    def split(self, outermost: list[Item]) -> None:
        number = {item: index for index, item in enumerate(outermost)}
        edges = [
            (number[a], number[b])
            for segments in self.segments.values()
            for level, a, b in segments
            if level < 0
        ]
        for index, members in enumerate(parts(len(outermost), edges)):
            self.levels[-1 - index] = Level([outermost[member] for member in members])
            self.home.update((outermost[member], -1 - index) for member in members)

    def draw(self) -> tuple[float, float]:
        """Lay out all levels; the extent of the whole."""
        order = self.rank()
        for level in reversed(order):
            self.place(level)
        roots = [level for level in order if level < 0]
        plans = [self.levels[level].plan for level in roots]
        width = height = 0.0
        for level, plan, (x, y) in zip(roots, plans, _packed(plans, *self.gaps), strict=True):
            self.levels[level].corner = (x, y)
            width, height = max(width, x + plan.width), max(height, y + plan.height)
        for level in order:
            self.move(level)
        return width, height

    def rank(self) -> list[int]:
        """Order all levels, the outer before the inner, and siblings from the top down."""
        order = sorted((level for level in self.levels if level < 0), reverse=True)
        for level in order:
            self.levels[level].rank([], {})
        for level in order:
            one = self.levels[level]
            clusters = [item for item in one.items if item[0] == "cluster"]
            clusters.sort(key=lambda item: one.ranks.layer[one.number[item]])
            arriving, going = self.ends(one)
            for cluster in clusters:
                keys = {
                    value: self.arrival(one, wire, value) for value, wire in arriving.get(cluster, {}).items()
                }
                entries = sorted(keys, key=keys.__getitem__)
                exits = {value: sum(to) / len(to) for value, to in going.get(cluster, {}).items()}
                self.levels[cluster[1]].rank(entries, exits)
                order.append(cluster[1])
        return order

    def ends(
        self, level: Level
    ) -> tuple[dict[Item, dict[int, tuple[Item, Item]]], dict[Item, dict[int, list[float]]]]:
        """For each cluster of a level, by value: the edge that it enters by, and the places that it leaves to."""
        places = level.ranks.places()
        arriving: dict[Item, dict[int, tuple[Item, Item]]] = {}
        going: dict[Item, dict[int, list[float]]] = {}
        for (a, b), values in level.carried.items():
            edge = level.number[a], level.number[b]
            chain = level.ranks.chains.get(edge)
            to = FAR if chain is None else float(places[chain[0] if chain else edge[1]])
            for value in values:
                arriving.setdefault(b, {})[value] = (a, b)
                going.setdefault(a, {}).setdefault(value, []).append(to)
        return arriving, going

    def arrival(self, level: Level, wire: tuple[Item, Item], value: int) -> tuple[float, float]:
        """Where a value comes from: the place of that in its row, and of its port there."""
        source = wire[0]
        edge = level.number[source], level.number[wire[1]]
        chain = level.ranks.chains.get(edge)
        above = FAR if chain is None else float(level.ranks.place(chain[-1] if chain else edge[0]))
        if source[0] != "cluster":
            return above, 0.0
        inner = self.levels[source[1]]
        return above, float(inner.ranks.place(inner.number["out", value]))

    def place(self, level: int) -> None:
        """Draw one level, the clusters in it being drawn already, and with it the block that it is outside."""
        one = self.levels[level]
        blocks = [self.blocks[item] for item in one.items]
        carried = {
            (one.number[a], one.number[b]): sorted(values, key=lambda value: self.leaving(a, value))
            for (a, b), values in one.carried.items()
        }
        one.plan = drawn(one.ranks, blocks, carried, *self.gaps)
        if level < 0:
            return
        width = max(one.plan.width + 2 * PAD, self.widths[level])
        top, bottom = one.ranks.ports
        one.inset = (width - one.plan.width) / 2, 0.0 if top else LABEL
        height = one.inset[1] + one.plan.height + (0.0 if bottom else PAD)
        ports: dict[str, dict[int, float]] = {"in": {}, "out": {}}
        for (kind, value), number in one.number.items():
            if kind in ports:
                ports[kind][value] = one.plan.x[number] + one.inset[0]
        middle = _anchor(list(ports["in"].values()), list(ports["out"].values()), width)
        self.blocks["cluster", level] = Block(
            middle,
            width - middle,
            height,
            {value: x - middle for value, x in ports["out"].items()},
            {value: x - middle for value, x in ports["in"].items()},
        )

    def leaving(self, item: Item, value: int) -> float:
        return self.blocks[item].leaving.get(value, 0.0) if item in self.blocks else 0.0

    def move(self, level: int) -> None:
        """Move all that is in a level to where it belongs, the level itself being there."""
        one = self.levels[level]
        for item in one.items:
            kind, index = item
            x = one.corner[0] + one.plan.x[one.number[item]]
            y = one.corner[1] + one.plan.y[one.number[item]]
            if kind == "box":
                self.centres[index] = (x, y)
            else:
                block, inner = self.blocks[item], self.levels[index]
                left, top = x - block.left, y - block.height / 2
                self.frames[index] = (left, top, block.left + block.right, block.height)
                inner.corner = (left + inner.inset[0], top + inner.inset[1])

    def path(self, edge: Edge) -> tuple[Point, ...]:
        """The line of an edge through all levels that it runs in."""
        points: list[Point] = []
        for level, a, b in self.segments[edge]:
            one = self.levels[self.home[a] if level < 0 else level]
            dx, dy = one.corner
            piece = one.plan.paths[one.number[a], one.number[b], edge[0]]
            points += [(x + dx, y + dy) for x, y in (piece[1:] if points else piece)]
        return tuple(points)


def _segments(edge: Edge, homes: list[int], parents: list[int]) -> list[Segment]:
    """What an edge consists of: out of clusters by their ports, across, and into others."""
    source, target = edge
    before: list[Segment] = []
    after: list[Segment] = []
    a: Item = ("box", source)
    b: Item = ("box", target)
    above, below = homes[source], homes[target]
    while above != below:
        # The one with the greater number is the one further in, or it is in another branch.
        if above > below:
            before.append((above, a, ("out", source)))
            a, above = ("cluster", above), parents[above]
        else:
            after.append((below, ("in", source), b))
            b, below = ("cluster", below), parents[below]
    return [*before, (above, a, b), *reversed(after)]


def _anchor(entries: list[float], exits: list[float], width: float) -> float:
    """The x that stands for a cluster in its row: where a line runs straight through, or its middle."""
    if entries and exits:
        gap, _, x = min((abs(a - b), abs(a - width / 2), (a + b) / 2) for a in entries for b in exits)
        return x if gap < width / 4 else width / 2
    ports = sorted(entries or exits)
    return ports[len(ports) // 2] if ports else width / 2


def _packed(plans: list[Drawn], gap: float, layer_gap: float) -> list[Point]:
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
