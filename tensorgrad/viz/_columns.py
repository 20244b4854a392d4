"""The horizontal half of the layout: the x coordinate of every node, its place in its row being given.

Chains of edges that want to be straight form blocks. Four extreme placements of the blocks and their
middle are starts; from each, nodes are pulled together like springs, and the narrowest result wins.

Source:
    U. Brandes, B. Koepf, "Fast and simple horizontal coordinate assignment", 2001, for the blocks and
    their four placements. Added here: what is light or on a short path gives way, and the springs.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Mapping, Set
from itertools import pairwise
from math import inf

from tensorgrad.viz._ranks import Edge, Ranks, parts

Space = Callable[[int, int], float]
Stiffness = Mapping[Edge, float]

DUMMY_GAP = 0.55  # of the gap between boxes, beside a dummy
RIGID = 12  # nodes in a block that the springs do not bend
STIFFEST = 24  # nodes in a block beyond which its springs get no stronger
HELD = 1e9  # the pull on a node that must not move
FAR = (0.5, 0.25, 0.12, 0.06)  # of the width: longer edges do not hold a part together, round by round
SWEEPS = 12
FEW = 3000  # nodes up to which all starts and rounds are tried


def abscissas(ranks: Ranks, half: list[float], gap: float) -> list[float]:
    """The x of every node, from 0 for the leftmost edge of a box.

    Args:
        ranks: the nodes in rows.
        half: half the width of each node; zero for a dummy.
        gap: the least distance between two boxes; next to a dummy it is smaller.
    """

    def space(a: int, b: int) -> float:
        return half[a] + half[b] + (gap if a < ranks.real and b < ranks.real else DUMMY_GAP * gap)

    def extent(x: list[float]) -> tuple[float, float]:
        edges = [(v - h, v + h) for v, h in zip(x, half, strict=True)]
        return min(low for low, _ in edges), max(high for _, high in edges)

    if max(map(len, ranks.rows)) == 1:
        return [max(half)] * len(half)
    places = ranks.places()
    bent = _crossed(ranks, places) | _outweighed(ranks)
    bent |= {(b, a) for a, b in bent}
    starts = _starts(ranks, places, bent, space, extent)
    root = _aligned(ranks.rows, ranks.up, places, bent)
    stiff = _stiffness(ranks, root)
    for x in starts:
        _settle(ranks, x, root, places, stiff, space)
    best = min(starts, key=lambda x: extent(x)[1] - extent(x)[0])
    left, _ = extent(best)
    return [value - left for value in best]


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
    by_layer = sorted(ranks.chains, key=lambda edge: ranks.layer[edge[0]])
    above, below = [0] * ranks.real, [0] * ranks.real
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
    if len(places) > FEW:
        return [found[narrow]]
    for i, x in enumerate(found):
        shift = sides[narrow][i % 2] - sides[i][i % 2]
        found[i] = [value + shift for value in x]
    return [*found, [sum(sorted(four)[1:3]) / 2 for four in zip(*found, strict=True)]]


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


def _stiffness(ranks: Ranks, root: list[int]) -> Stiffness:
    """How strongly each step of an edge pulls its ends together: most within a long block."""
    size = Counter(root)
    return {
        (a, b): ranks.weights[edge] * (min(size[root[a]], STIFFEST) / 4 if root[a] == root[b] else 1.0)
        for edge, chain in ranks.chains.items()
        for a, b in pairwise((edge[0], *chain, edge[1]))
    }


def _settle(
    ranks: Ranks, x: list[float], root: list[int], places: list[int], stiff: Stiffness, space: Space
) -> None:
    """Relax with the longest blocks held, straighten and move blocks, and at last relax single nodes."""
    size = Counter(root)
    blocks: dict[int, list[int]] = {}
    for row in ranks.rows:
        for node in row:
            if size[root[node]] > 1:
                blocks.setdefault(root[node], []).append(node)
    rigid = {node for node, block in enumerate(root) if size[block] >= RIGID}
    for far in FAR if len(x) <= FEW else FAR[:2]:
        _relax(ranks, x, stiff, space, rigid)
        for block in blocks.values():
            _straighten(ranks, x, block, places, stiff, space)
        _gather(ranks, x, places, stiff, space, far * (max(x) - min(x)))
    _relax(ranks, x, stiff, space, {node for block in blocks.values() for node in block})


def _relax(ranks: Ranks, x: list[float], stiff: Stiffness, space: Space, held: Set[int]) -> None:
    """Pull nodes towards their neighbours like springs, row by row, keeping the distances in a row."""
    for sweep in range(SWEEPS):
        moved = 0.0
        for row in reversed(ranks.rows) if sweep % 2 else ranks.rows:
            offset, offsets, wanted, pulls = 0.0, list[float](), list[float](), list[float]()
            for index, node in enumerate(row):
                offset += space(row[index - 1], node) if index else 0.0
                place, pull = (x[node], HELD) if node in held else _balance(ranks, x, stiff, [node])
                offsets.append(offset)
                wanted.append(place - offset)
                pulls.append(pull)
            for node, place, offset in zip(row, pooled(wanted, pulls), offsets, strict=True):
                moved = max(moved, abs(x[node] - place - offset))
                x[node] = place + offset
        if moved < 0.5:
            break


def _straighten(
    ranks: Ranks, x: list[float], block: list[int], places: list[int], stiff: Stiffness, space: Space
) -> None:
    """Give the nodes of a block one x again, or as few different ones as the rows allow."""
    run: list[int] = []
    low, high = -inf, inf
    for node in block:
        row, place = ranks.rows[ranks.layer[node]], places[node]
        least = x[row[place - 1]] + space(row[place - 1], node) if place else -inf
        most = x[row[place + 1]] - space(node, row[place + 1]) if place + 1 < len(row) else inf
        if run and max(low, least) > min(high, most):
            _stand(ranks, x, run, stiff, low, high)
            run, low, high = [], -inf, inf
        run.append(node)
        low, high = max(low, least), min(high, most)
    _stand(ranks, x, run, stiff, low, high)


def _stand(ranks: Ranks, x: list[float], run: list[int], stiff: Stiffness, low: float, high: float) -> None:
    if len(run) > 1:
        place, _ = _balance(ranks, x, stiff, run)
        for node in run:
            x[node] = min(max(place, low), high)


def _gather(
    ranks: Ranks, x: list[float], places: list[int], stiff: Stiffness, space: Space, far: float
) -> None:
    """Move parts that only far-reaching edges hold together towards each other, each as a whole."""
    split = parts(len(x), [(a, b) for a, b in stiff if abs(x[a] - x[b]) <= far])
    for members in split if len(split) > 1 else []:
        group = set(members)
        low, high = -inf, inf
        for node in members:
            row, place = ranks.rows[ranks.layer[node]], places[node]
            if place and row[place - 1] not in group:
                low = max(low, x[row[place - 1]] + space(row[place - 1], node) - x[node])
            if place + 1 < len(row) and row[place + 1] not in group:
                high = min(high, x[row[place + 1]] - space(node, row[place + 1]) - x[node])
        pulls = [
            (stiff[step], x[other] - x[node])
            for node in members
            for other, step in _steps(ranks, node)
            if other not in group
        ]
        total = sum(pull for pull, _ in pulls)
        if total and low <= high:
            shift = min(max(sum(pull * way for pull, way in pulls) / total, low), high)
            for node in members:
                x[node] += shift


def _balance(ranks: Ranks, x: list[float], stiff: Stiffness, group: list[int]) -> tuple[float, float]:
    """Where a group that stands together is at rest, and how strongly it is pulled there."""
    members = set(group)
    moment = total = 0.0
    for node in group:
        for other, step in _steps(ranks, node):
            if other not in members:
                moment += stiff[step] * x[other]
                total += stiff[step]
    return (moment / total, total) if total else (x[group[0]], 0.01)


def _steps(ranks: Ranks, node: int) -> list[tuple[int, Edge]]:
    """The neighbours of a node above and below, each with the step of an edge that leads to it."""
    above = [(other, (other, node)) for other in ranks.up[node]]
    return above + [(other, (node, other)) for other in ranks.down[node]]


def pooled(wanted: list[float], pulls: list[float]) -> list[float]:
    """The ascending numbers nearest to `wanted` in weighted least squares.

    Neighbours in the wrong order are pooled and share their mean.

    Source:
        M. Ayer et al., "An empirical distribution function for sampling with incomplete
        information", 1955.
    """
    pools: list[tuple[float, float, int]] = []
    for value, weight in zip(wanted, pulls, strict=True):
        place, pull, count = value, weight, 1
        while pools and pools[-1][0] >= place:
            other, more, others = pools.pop()
            place = (place * pull + other * more) / (pull + more)
            pull, count = pull + more, count + others
        pools.append((place, pull, count))
    return [place for place, _, count in pools for _ in range(count)]
