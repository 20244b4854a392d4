"""The horizontal half of the layout: the x coordinate of every node, its place in its row being given.

Chains of edges that want to be straight form blocks. Four extreme placements of the blocks and their
middle are starts; from each, nodes are pulled together like springs, and the narrowest result wins.

Source:
    U. Brandes, B. Koepf, "Fast and simple horizontal coordinate assignment", 2001, for the blocks and
    their four placements. Added here: what is light or on a short path gives way, and the springs.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Set
from itertools import accumulate, pairwise
from math import inf

from tensorgrad.viz._ranks import Edge, Ranks, parts

Space = Callable[[int, int], float]

DUMMY_GAP = 0.55  # of the gap between boxes, beside a dummy
RIGID = 12  # nodes in a block that the springs do not bend
STIFFEST = 24  # nodes in a block beyond which its springs get no stronger
HELD = 1e9  # the pull on a node that must not move
FAR = (0.5, 0.25, 0.12, 0.06)  # of the width: longer edges do not hold a part together, round by round
SWEEPS = 12
FEW = 400  # nodes up to which all starts are tried
MANY = 3000  # nodes from which there is one start, and fewer rounds


def abscissas(ranks: Ranks, left: list[float], right: list[float], gap: float) -> list[float]:
    """The x of every node, the leftmost edge of a box being at 0.

    Args:
        ranks: the nodes in rows.
        left: how far each node reaches to the left of its x.
        right: how far it reaches to the right.
        gap: the least distance between two boxes; next to a dummy it is smaller.
    """

    def space(a: int, b: int) -> float:
        return right[a] + left[b] + (gap if a < ranks.real and b < ranks.real else DUMMY_GAP * gap)

    def extent(x: list[float]) -> tuple[float, float]:
        low = min([v - h for v, h in zip(x, left, strict=True)])
        return low, max([v + h for v, h in zip(x, right, strict=True)])

    if max(map(len, ranks.rows)) == 1:
        return [max(left)] * len(left)
    places = ranks.places()
    bent = _crossed(ranks, places) | _outweighed(ranks)
    bent |= {(b, a) for a, b in bent}
    starts = _starts(ranks, places, bent, space, extent)
    root = _aligned(ranks.rows, ranks.up, places, bent)
    springs = _Springs(ranks, root, places, space)
    for x in starts:
        springs.settle(x)
    best = min(starts, key=lambda x: extent(x)[1] - extent(x)[0])
    low, _ = extent(best)
    return [value - low for value in best]


def _crossed(ranks: Ranks, places: list[int]) -> set[Edge]:
    """Edges that cross the straight part of a long edge: they give way to it."""
    result: set[Edge] = set()
    for above, row in pairwise(ranks.rows):
        done, low = 0, 0
        for index, node in enumerate(row):
            inner = node >= ranks.real and bool(ranks.up[node]) and ranks.up[node][0] >= ranks.real
            if not inner and index < len(row) - 1:
                continue
            high = places[ranks.up[node][0]] if inner else len(above) - 1
            for other in row[done : index + 1]:
                result |= {(source, other) for source in ranks.up[other] if not low <= places[source] <= high}
            done, low = index + 1, high
    return result


def _outweighed(ranks: Ranks) -> set[Edge]:
    """Edges at one of whose ends, on the same side, there is a heavier one, or one on a longer path."""
    by_layer = sorted(ranks.chains, key=lambda edge: ranks.layer[edge[0]])
    above, below = [0] * len(ranks.layer), [0] * len(ranks.layer)
    for a, b in by_layer:
        above[b] = max(above[b], above[a] + 1)
    for a, b in reversed(by_layer):
        below[a] = max(below[a], below[b] + 1)
    steps: dict[Edge, tuple[int, int]] = {}
    for (a, b), chain in ranks.chains.items():
        steps |= dict.fromkeys(pairwise((a, *chain, b)), (ranks.weights[a, b], above[a] + below[b]))
    leaving, entering = [(0, 0)] * len(ranks.layer), [(0, 0)] * len(ranks.layer)
    for (a, b), value in steps.items():
        leaving[a], entering[b] = max(leaving[a], value), max(entering[b], value)
    return {(a, b) for (a, b), value in steps.items() if value < max(leaving[a], entering[b])}


def _starts(
    ranks: Ranks,
    places: list[int],
    bent: set[Edge],
    space: Space,
    extent: Callable[[list[float]], tuple[float, float]],
) -> list[list[float]]:
    """Placements to start from: all blocks far left or right, seen from above or below, and the middle."""
    found: list[list[float]] = []
    for flipped in (False, True):
        near = ranks.down if flipped else ranks.up
        for mirrored in (False, True):
            seen = [row[::-1] if mirrored else row for row in (ranks.rows[::-1] if flipped else ranks.rows)]
            rank = [-place for place in places] if mirrored else places
            x = _compact(seen, _aligned(seen, near, rank, bent), space)
            found.append([-value for value in x] if mirrored else x)
    sides = [extent(x) for x in found]
    narrow = min(range(4), key=lambda i: sides[i][1] - sides[i][0])
    if len(places) > MANY:
        return [found[narrow]]
    for i, x in enumerate(found):
        shift = sides[narrow][i % 2] - sides[i][i % 2]
        found[i] = [value + shift for value in x]
    middle = [sum(sorted(four)[1:3]) / 2 for four in zip(*found, strict=True)]
    return [*found, middle] if len(places) <= FEW else [found[narrow], middle]


def _aligned(rows: list[list[int]], near: list[list[int]], rank: list[int], bent: set[Edge]) -> list[int]:
    """The block of each node (the block's first node): a chain of nodes that share one x."""
    root = list(range(len(rank)))
    taken = [False] * len(rank)
    for row in rows:
        last: int | None = None
        for node in row:
            others = [other for other in near[node] if (other, node) not in bent]
            others.sort(key=rank.__getitem__)
            for other in others[(len(others) - 1) // 2 : len(others) // 2 + 1]:
                if not taken[other] and (last is None or last < rank[other]):
                    root[node], taken[other], last = root[other], True, rank[other]
                    break
    return root


def _compact(rows: list[list[int]], root: list[int], space: Space) -> list[float]:
    """Push all blocks to the left, then each to the right as far as its neighbours let it."""
    after: list[list[tuple[int, float]]] = [[] for _ in root]
    waiting = [0] * len(root)
    for row in rows:
        for a, b in pairwise(row):
            after[root[a]].append((root[b], space(a, b)))
            waiting[root[b]] += 1
    x = [0.0] * len(root)
    ready = deque(node for node, block in enumerate(root) if node == block and not waiting[node])
    blocks: list[int] = []
    while ready:
        block = ready.popleft()
        blocks.append(block)
        for other, least in after[block]:
            x[other] = max(x[other], x[block] + least)
            waiting[other] -= 1
            if not waiting[other]:
                ready.append(other)
    for block in reversed(blocks):
        if after[block]:
            x[block] = min(x[other] - least for other, least in after[block])
    return [x[block] for block in root]


class _Springs:
    """What pulls nodes together: each step of an edge, most strongly within a long block."""

    def __init__(self, ranks: Ranks, root: list[int], places: list[int], space: Space) -> None:
        size = Counter(root)
        self.ranks = ranks
        self.places = places
        self.gaps = [[space(a, b) for a, b in pairwise(row)] for row in ranks.rows]
        self.stiff = {
            (a, b): ranks.weights[edge] * (min(size[root[a]], STIFFEST) / 4 if root[a] == root[b] else 1.0)
            for edge, chain in ranks.chains.items()
            for a, b in pairwise((edge[0], *chain, edge[1]))
        }
        self.steps: list[list[tuple[int, float]]] = [[] for _ in root]
        for (a, b), stiffness in self.stiff.items():
            self.steps[a].append((b, stiffness))
            self.steps[b].append((a, stiffness))
        self.total = [sum([stiffness for _, stiffness in steps]) for steps in self.steps]
        blocks: dict[int, list[int]] = {}
        for row in ranks.rows:
            for node in row:
                if size[root[node]] > 1:
                    blocks.setdefault(root[node], []).append(node)
        self.blocks = list(blocks.values())
        self.blocked = {node for block in self.blocks for node in block}
        rigid = min(RIGID, max(3, 0.75 * len(ranks.rows)))  # a block through most rows is the spine
        self.rigid = {node for node in self.blocked if size[root[node]] >= rigid}

    def settle(self, x: list[float]) -> None:
        """Relax with the longest blocks held, straighten and move blocks, and at last relax single nodes."""
        for far in FAR if len(x) <= MANY else FAR[:2]:
            self.relax(x, self.rigid)
            for block in self.blocks:
                self.straighten(x, block)
            self.gather(x, far * (max(x) - min(x)))
        self.relax(x, self.blocked)

    def relax(self, x: list[float], held: Set[int]) -> None:
        """Pull nodes towards their neighbours, row by row, keeping the distances in a row."""
        steps, total = self.steps, self.total
        rows = [(row, gaps) for row, gaps in zip(self.ranks.rows, self.gaps, strict=True) if set(row) - held]
        for sweep in range(SWEEPS):
            moved = 0.0
            for row, gaps in reversed(rows) if sweep % 2 else rows:
                wanted, pulls, offsets = list[float](), list[float](), [0.0, *accumulate(gaps)]
                for node, offset in zip(row, offsets, strict=True):
                    if node in held:
                        place, pull = x[node], HELD
                    elif pull := total[node]:
                        place = sum([stiffness * x[other] for other, stiffness in steps[node]]) / pull
                    else:
                        place, pull = x[node], 0.01
                    wanted.append(place - offset)
                    pulls.append(pull)
                for node, place, offset in zip(row, pooled(wanted, pulls), offsets, strict=True):
                    moved = max(moved, abs(x[node] - place - offset))
                    x[node] = place + offset
            if moved < 0.5:
                break

    def straighten(self, x: list[float], block: list[int]) -> None:
        """Give the nodes of a block one x again, or as few different ones as the rows allow."""
        run: list[int] = []
        low, high = -inf, inf
        for node in block:
            least, most = self.room(x, node)
            if run and max(low, least) > min(high, most):
                self.stand(x, run, low, high)
                run, low, high = [], -inf, inf
            run.append(node)
            low, high = max(low, least), min(high, most)
        self.stand(x, run, low, high)

    def stand(self, x: list[float], run: list[int], low: float, high: float) -> None:
        if len(run) > 1:
            members = set(run)
            moment = total = 0.0
            for node in run:
                for other, stiffness in self.steps[node]:
                    if other not in members:
                        moment += stiffness * x[other]
                        total += stiffness
            place = min(max(moment / total if total else x[run[0]], low), high)
            for node in run:
                x[node] = place

    def room(self, x: list[float], node: int) -> tuple[float, float]:
        """The least and the greatest x that a node can have between its neighbours in the row."""
        layer, place = self.ranks.layer[node], self.places[node]
        row, gaps = self.ranks.rows[layer], self.gaps[layer]
        return (
            x[row[place - 1]] + gaps[place - 1] if place else -inf,
            x[row[place + 1]] - gaps[place] if place + 1 < len(row) else inf,
        )

    def gather(self, x: list[float], far: float) -> None:
        """Move parts that only far-reaching edges hold together towards each other, each as a whole."""
        split = parts(len(x), [(a, b) for a, b in self.stiff if abs(x[a] - x[b]) <= far])
        home = {node: index for index, members in enumerate(split) for node in members}
        for index, members in enumerate(split) if len(split) > 1 else ():
            low, high = -inf, inf
            moment = total = 0.0
            for node in members:
                row, place = self.ranks.rows[self.ranks.layer[node]], self.places[node]
                least, most = self.room(x, node)
                if place and home[row[place - 1]] != index:
                    low = max(low, least - x[node])
                if place + 1 < len(row) and home[row[place + 1]] != index:
                    high = min(high, most - x[node])
                for other, stiffness in self.steps[node]:
                    if home[other] != index:
                        moment += stiffness * (x[other] - x[node])
                        total += stiffness
            if total and low <= high:
                shift = min(max(moment / total, low), high)
                for node in members:
                    x[node] += shift


def pooled(wanted: list[float], pulls: list[float]) -> list[float]:
    """The ascending numbers nearest to `wanted` in weighted least squares.

    Neighbours in the wrong order are pooled and share their mean.

    Source:
        M. Ayer et al., "An empirical distribution function for sampling with incomplete
        information", 1955.
    """
    if len(wanted) == 1:
        return wanted
    pools: list[tuple[float, float, int]] = []
    for value, weight in zip(wanted, pulls, strict=True):
        place, pull, count = value, weight, 1
        while pools and pools[-1][0] >= place:
            other, more, others = pools.pop()
            place = (place * pull + other * more) / (pull + more)
            pull, count = pull + more, count + others
        pools.append((place, pull, count))
    return [place for place, _, count in pools for _ in range(count)]
