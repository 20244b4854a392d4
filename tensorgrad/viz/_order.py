"""The order of nodes within each layer, so that few edges cross.

Sweeps over the layers sort each by the mean place of the neighbours on the layer before, and then swap nodes
side by side while that removes crossings. Several starts: walks through the graph, and shuffles of the
best order so far. Only rows whose neighbours moved are looked at again.

Sources:
    K. Sugiyama, S. Tagawa, M. Toda, "Methods for visual understanding of hierarchical system
    structures", 1981. E. Gansner et al., "A technique for drawing directed graphs", 1993, for the swaps.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Mapping
from random import Random

STARTS = 16
WORK = 6_000  # nodes looked at, over all starts: more starts for small graphs
SWEEPS = 24
PATIENCE = 5  # sweeps without a better order, after which a start is given up
SHUFFLED = 0.3  # of the rows, at each start after the first two
MANY = 64  # pairs of neighbours from which counting them one by one is slower than searching
ROUNDS = 4  # of swaps in one row

Near = list[list[int]]


def ordered(layer: list[int], up: Near, down: Near, keys: Mapping[int, float]) -> list[list[int]]:
    """The nodes of each layer from left to right.

    Args:
        layer: the layer of each node.
        up: the neighbours of each node on the layer above.
        down: those on the layer below.
        keys: places that must ascend within a row, for the nodes that have one; all nodes of a row or none.
    """
    chance = Random(len(layer))
    best: list[list[int]] = []
    fewest = -1
    starts = max(2, min(STARTS, WORK // len(layer)))
    for start in range(starts):
        if start < 2:
            rows = _walked(layer, *((down, up) if start else (up, down)))
        else:
            rows = [row.copy() for row in best]
            for row in rows:
                if chance.random() < SHUFFLED:
                    row.sort(key=lambda _: chance.random())
        if keys:
            for row in rows:
                row.sort(key=lambda node: keys.get(node, 0.0))
        found, count = _Sweeps(rows, up, down, keys).best()
        if fewest < 0 or count < fewest:
            best, fewest = found, count
        if not fewest:
            break
    return best


class _Sweeps:
    """Rows that are sorted again and again, with the crossings below each."""

    def __init__(self, rows: list[list[int]], up: Near, down: Near, keys: Mapping[int, float]) -> None:
        self.rows = rows
        self.near = (up, down)
        self.keys = keys
        self.pos = [0] * len(up)
        for row in rows:
            _number(row, self.pos)
        self.crossings = [0] * len(rows)
        self.wide = [index for index, row in enumerate(rows) if len(row) > 1]
        self.stale = set(range(len(rows)))  # rows below which crossings must be counted again
        # For each row: whether a neighbour changed since it was sorted by it, or swapped.
        self.unsorted: tuple[set[int], set[int]] = (set(self.wide), set(self.wide))
        self.unswapped = set(self.wide)

    def best(self) -> tuple[list[list[int]], int]:
        """Sweep up and down until that does not help any more; the best order and its crossings."""
        rows, fewest, patience = [row.copy() for row in self.rows], self.count(), PATIENCE
        for sweep in range(max(4, min(SWEEPS, 600_000 // len(self.pos)))):
            if not fewest or not patience:
                break
            way = sweep % 2
            for index in reversed(self.wide) if way else self.wide:
                if index in self.unsorted[way]:
                    self.unsorted[way].discard(index)
                    self.sort(index, way, mirrored=sweep % 4 > 1)
            for index in self.wide:
                if index in self.unswapped:
                    self.unswapped.discard(index)
                    self.swap(index)
            count = self.count()
            patience -= 1
            if count < fewest:
                rows, fewest, patience = [row.copy() for row in self.rows], count, PATIENCE
        return rows, fewest

    def count(self) -> int:
        for index in self.stale:
            self.crossings[index] = _crossings(self.rows[index], self.near[1], self.pos)
        self.stale.clear()
        return sum(self.crossings)

    def sort(self, index: int, way: int, *, mirrored: bool) -> None:
        """Sort a row by the mean place of its neighbours; nodes without any stay where they are."""
        row, near, pos, keys = self.rows[index], self.near[way], self.pos, self.keys
        mean: dict[int, float] = {}
        for node in row:
            others = near[node]
            if len(others) == 1:
                mean[node] = pos[others[0]]
            elif others:
                mean[node] = sum([pos[other] for other in others]) / len(others)
        tied = [node for node in (reversed(row) if mirrored else row) if node in mean]
        tied.sort(key=mean.__getitem__)
        free = iter(tied)
        new = [next(free) if node in mean else node for node in row]
        if keys and new[0] in keys:
            new.sort(key=keys.__getitem__)
        if new != row:
            row[:] = new
            self.changed(index)

    def swap(self, index: int) -> None:
        """Swap neighbours in a row while that removes crossings."""
        row, (up, down), pos, keys = self.rows[index], self.near, self.pos, self.keys
        above = [sorted([pos[other] for other in up[node]]) for node in row]
        below = [sorted([pos[other] for other in down[node]]) for node in row]
        swapped, changed, rounds = True, False, 0
        while swapped and rounds < ROUNDS:
            swapped, rounds = False, rounds + 1
            for i in range(len(row) - 1):
                j = i + 1
                gain = _gain(above[i], above[j]) + _gain(below[i], below[j])
                if gain > 0 and not (keys and keys.get(row[i], 0.0) != keys.get(row[j], 0.0)):
                    row[i], row[j] = row[j], row[i]
                    above[i], above[j] = above[j], above[i]
                    below[i], below[j] = below[j], below[i]
                    swapped = changed = True
        if changed:
            self.changed(index)

    def changed(self, index: int) -> None:
        _number(self.rows[index], self.pos)
        self.stale |= {index, index - 1} if index else {index}
        for other, way in ((index - 1, 1), (index + 1, 0)):
            if 0 <= other < len(self.rows) and len(self.rows[other]) > 1:
                self.unsorted[way].add(other)
                self.unswapped.add(other)
        # Sorted by one side and moved by the other, a row may be sorted again.
        self.unsorted[0].add(index)
        self.unsorted[1].add(index)


def _gain(left: list[int], right: list[int]) -> int:
    """How many crossings go if the node with edges to `right` goes to the other side of that to `left`."""
    if not left or not right:
        return 0
    if len(left) * len(right) > MANY:
        return sum([bisect_left(right, p) - len(right) + bisect_right(right, p) for p in left])
    gain = 0
    for p in left:
        for q in right:
            if p > q:
                gain += 1
            elif p < q:
                gain -= 1
    return gain


def _crossings(row: list[int], down: Near, pos: list[int]) -> int:
    """How many pairs of edges cross between this row and the next."""
    if len(row) < 2:
        return 0
    ends: list[int] = []
    total = 0
    for node in row:
        others = down[node]
        if len(others) == 1:
            target = pos[others[0]]
            if ends and ends[-1] > target:
                total += len(ends) - bisect_right(ends, target)
                insort(ends, target)
            else:
                ends.append(target)
        else:
            targets = [pos[other] for other in others]
            total += sum([len(ends) - bisect_right(ends, target) for target in targets])
            for target in targets:
                insort(ends, target)
    return total


def _walked(layer: list[int], back: Near, onwards: Near) -> list[list[int]]:
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


def _number(row: list[int], pos: list[int]) -> None:
    for index, node in enumerate(row):
        pos[node] = index
