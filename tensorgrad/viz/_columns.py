"""The horizontal half of the layout: the x coordinate of every node, its place in its row being given.

Source:
    U. Brandes, B. Koepf, "Fast and simple horizontal coordinate assignment", 2001. Added here: edges
    have weights, what is
    light or on a short path gives way, and single nodes move to their neighbours.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Mapping, Set
from itertools import pairwise
from math import inf

from tensorgrad.viz._ranks import Edge, Ranks

DUMMY_GAP = 0.55
RELAXING = 12
ROUNDS = 3
STIFFEST = 24
RIGID = 10


def abscissas(ranks: Ranks, half: list[float], gap: float) -> list[float]:
    """The x of every node, from 0: four extreme placements that keep chains straight, and their middle.

    Args:
        ranks: the nodes in rows.
        half: half the width of each node; zero for a dummy.
        gap: the least distance between two boxes; next to a dummy it is smaller.
    """

    def space(a: int, b: int) -> float:
        return half[a] + half[b] + (gap if a < ranks.real and b < ranks.real else DUMMY_GAP * gap)

    places = ranks.places()
    bent = _crossed(ranks, places) | _outweighed(ranks)
    found: list[list[float]] = []
    for flipped in (False, True):
        near = ranks.down if flipped else ranks.up
        for mirrored in (False, True):
            seen = [row[::-1] if mirrored else row for row in (ranks.rows[::-1] if flipped else ranks.rows)]
            rank = [-place for place in places] if mirrored else places
            x = _compact(seen, _aligned(seen, near, rank, bent), space)
            found.append([-value for value in x] if mirrored else x)
    lows = [min(v - h for v, h in zip(x, half, strict=True)) for x in found]
    highs = [max(v + h for v, h in zip(x, half, strict=True)) for x in found]
    narrow = min(range(4), key=lambda i: highs[i] - lows[i])
    for i, x in enumerate(found):
        shift = highs[narrow] - highs[i] if i % 2 else lows[narrow] - lows[i]
        found[i] = [value + shift for value in x]
    middle = [sum(sorted(four)[1:3]) / 2 for four in zip(*found, strict=True)]
    root = _aligned(ranks.rows, ranks.up, places, bent)
    stiff = _stiffness(ranks, root)
    size = Counter(root)
    best=None
    for middle in ([*found, middle] if len(half)<3000 else [found[narrow]]):
        for least in (*[RIGID] * ROUNDS, 2):
            _relax(ranks, middle, space, stiff, {node for node, block in enumerate(root) if size[block] >= least})
            if least > 2: _straighten(ranks, middle, root, space, stiff)
        left = min(v - h for v, h in zip(middle, half, strict=True))
        right = max(v + h for v, h in zip(middle, half, strict=True))
        cost = SCORE(stiff,middle,right-left)
        if best is None or cost<best[0]: best=(cost,middle)
    middle=best[1]
    left = min(v - h for v, h in zip(middle, half, strict=True))
    return [value - left for value in middle]


def SCORE(stiff,x,width):
    return sum(k*abs(x[a]-x[b]) for (a,b),k in stiff.items())

def _crossed(ranks: Ranks, places: list[int]) -> set[Edge]:
    """Edges that cross the straight part of a long edge: they give way to it."""
    result: set[Edge] = set()
    for above, row in pairwise(ranks.rows):
        done, low = 0, 0
        for index, node in enumerate(row):
            inner = node >= ranks.real and ranks.up[node][0] >= ranks.real
            if not inner and index < len(row) - 1:
                continue
            high = places[ranks.up[node][0]] if inner else len(above) - 1
            for other in row[done : index + 1]:
                result |= {(source, other) for source in ranks.up[other] if not low <= places[source] <= high}
            done, low = index + 1, high
    return result


def _outweighed(ranks: Ranks) -> set[Edge]:
    """Edges at one of whose ends, on the same side, there is a heavier one, or one on a longer path."""
    length = _lengths(ranks)
    steps: dict[Edge, tuple[int, int]] = {}
    for (a, b), chain in ranks.chains.items():
        steps |= dict.fromkeys(pairwise((a, *chain, b)), (ranks.weights[a, b], length[a, b]))
    leaving, entering = [(0, 0)] * len(ranks.layer), [(0, 0)] * len(ranks.layer)
    for (a, b), value in steps.items():
        leaving[a], entering[b] = max(leaving[a], value), max(entering[b], value)
    return {(a, b) for (a, b), value in steps.items() if value < max(leaving[a], entering[b])}


def _lengths(ranks: Ranks) -> dict[Edge, int]:
    """For each edge the length of the longest path through it."""
    by_layer = sorted(ranks.chains, key=lambda edge: ranks.layer[edge[0]])
    above, below = [0] * ranks.real, [0] * ranks.real
    for a, b in by_layer:
        above[b] = max(above[b], above[a] + 1)
    for a, b in reversed(by_layer):
        below[a] = max(below[a], below[b] + 1)
    return {(a, b): above[a] + below[b] + 1 for a, b in by_layer}


def _aligned(rows: list[list[int]], near: list[list[int]], rank: list[int], bent: set[Edge]) -> list[int]:
    """The block of each node (the block's first node): a chain of nodes that share one x."""
    root = list(range(len(rank)))
    taken = [False] * len(rank)
    for row in rows:
        last: int | None = None
        for node in row:
            others = [other for other in near[node] if (other, node) not in bent and (node, other) not in bent]
            others.sort(key=rank.__getitem__)
            for other in others[(len(others) - 1) // 2 : len(others) // 2 + 1]:
                if not taken[other] and (last is None or last < rank[other]):
                    root[node], taken[other], last = root[other], True, rank[other]
                    break
    return root


def _compact(rows: list[list[int]], root: list[int], space: Callable[[int, int], float]) -> list[float]:
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


def _stiffness(ranks: Ranks, root: list[int]) -> dict[Edge, float]:
    """How strongly each step of an edge pulls its ends together: most within a long block."""
    size = Counter(root)
    return {
        (a, b): weight * (1.0 if root[a] != root[b] else min(size[root[a]], STIFFEST)/4)
        for (source, target), weight in ranks.weights.items() if (source, target) in ranks.chains
        for a, b in pairwise((source, *ranks.chains[source, target], target))
    }


def _relax(
    ranks: Ranks, x: list[float], space: Callable[[int, int], float], stiff: Mapping[Edge, float], held: Set[int]
) -> None:
    """Pull nodes towards their neighbours like springs, row by row, keeping the distances in a row."""
    for sweep in range(RELAXING):
        moved = 0.0
        for row in reversed(ranks.rows) if sweep % 2 else ranks.rows:
            shift, pools = 0.0, list[tuple[float, float, int]]()
            shifts = []
            for index, node in enumerate(row):
                shift += space(row[index - 1], node) if index else 0.0
                shifts.append(shift)
                springs = [(stiff[other, node], x[other]) for other in ranks.up[node]]
                springs += [(stiff[node, other], x[other]) for other in ranks.down[node]]
                weight = sum(spring for spring, _ in springs)
                wanted = sum(spring * place for spring, place in springs) / weight if springs else x[node]
                if node in held:
                    wanted, weight = x[node], 1e9
                mean, weight, count = wanted - shift, weight or 0.01, 1
                while pools and pools[-1][0] >= mean:
                    other_mean, other_weight, other_count = pools.pop()
                    mean = (mean * weight + other_mean * other_weight) / (weight + other_weight)
                    weight, count = weight + other_weight, count + other_count
                pools.append((mean, weight, count))
            flat = [mean for mean, _, count in pools for _ in range(count)]
            for node, mean, offset in zip(row, flat, shifts, strict=True):
                moved = max(moved, abs(x[node] - mean - offset))
                x[node] = mean + offset
        if moved < 0.5:
            break


def _straighten(
    ranks: Ranks, x: list[float], root: list[int], space: Callable[[int, int], float], stiff: Mapping[Edge, float]
) -> None:
    """Give the nodes of each block one x again, or as few different ones as their neighbours allow."""
    places = ranks.places()
    blocks: dict[int, list[int]] = {}
    for row in ranks.rows:
        for node in row:
            blocks.setdefault(root[node], []).append(node)
    for block in blocks.values():
        run: list[int] = []
        low, high = -inf, inf
        for node in block:
            row, place = ranks.rows[ranks.layer[node]], places[node]
            least = x[row[place - 1]] + space(row[place - 1], node) if place else -inf
            most = x[row[place + 1]] - space(node, row[place + 1]) if place + 1 < len(row) else inf
            if run and max(low, least) > min(high, most):
                _stand(ranks, run, low, high, x, stiff)
                run, low, high = [], -inf, inf
            run.append(node)
            low, high = max(low, least), min(high, most)
        _stand(ranks, run, low, high, x, stiff)


def _stand(ranks, run: list[int], low: float, high: float, x: list[float], stiff) -> None:
    """Give these nodes the same x, the mean of theirs, within bounds."""
    if len(run) < 2:
        return
    mean=weight=0.0
    members=set(run)
    for node in run:
        for other in ranks.up[node]:
            if other not in members:
                mean+=stiff[other,node]*x[other]; weight+=stiff[other,node]
        for other in ranks.down[node]:
            if other not in members:
                mean+=stiff[node,other]*x[other]; weight+=stiff[node,other]
    mean = mean/weight if weight else x[run[0]]
    for node in run:
        x[node] = min(max(mean, low), high)
