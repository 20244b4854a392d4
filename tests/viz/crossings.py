"""Counting the crossings of drawn edges, of any drawing in the same way, and the graphs to count them on."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

import numpy as np

Point = tuple[float, float]
Edges = list[tuple[int, int]]
Sizes = list[tuple[float, float]]


def polyline(path: Sequence[Point], pieces: int = 25) -> np.ndarray:
    """Points along a chain of cubic Bezier curves; their middles, where symmetric ones cross, are not among them."""
    points = np.asarray(path, float)
    t = np.linspace(0, 1, pieces + 1)[1:, None]
    found = [points[:1]]
    for start in range(0, len(points) - 1, 3):
        p0, p1, p2, p3 = points[start : start + 4]
        found.append((1 - t) ** 3 * p0 + 3 * t * (1 - t) ** 2 * p1 + 3 * t * t * (1 - t) * p2 + t**3 * p3)
    return np.concatenate(found)


def crossings(paths: Sequence[Sequence[Point]]) -> int:
    """How often curves properly cross each other; parallel edges, which lie on one another, count once."""
    lines = [polyline(path) for path in dict.fromkeys(tuple(map(tuple, path)) for path in paths)]
    if not lines:
        return 0
    a = np.concatenate([line[:-1] for line in lines])
    b = np.concatenate([line[1:] for line in lines])
    owner = np.repeat(np.arange(len(lines)), [len(line) - 1 for line in lines])
    order = np.argsort(np.minimum(a[:, 1], b[:, 1]), kind="stable")
    a, b, owner = a[order], b[order], owner[order]
    top, bottom = np.minimum(a[:, 1], b[:, 1]), np.maximum(a[:, 1], b[:, 1])
    # Only segments that begin above the end of this one, and after it in the order, can cross it.
    last = np.searchsorted(top, bottom, side="right")
    total = 0
    for i in range(len(a)):
        c, d = a[i + 1 : last[i]], b[i + 1 : last[i]]
        other = owner[i + 1 : last[i]] != owner[i]
        sides = _side(a[i], b[i], c) * _side(a[i], b[i], d) < 0
        total += int(np.count_nonzero(other & sides & (_side(c, d, a[i]) * _side(c, d, b[i]) < 0)))
    return total


def _side(a: np.ndarray, b: np.ndarray, p: np.ndarray) -> np.ndarray:
    """On which side of the line from a to b each point is; 0 within rounding of it."""
    cross = (b[..., 0] - a[..., 0]) * (p[..., 1] - a[..., 1]) - (b[..., 1] - a[..., 1]) * (
        p[..., 0] - a[..., 0]
    )
    return np.where(np.abs(cross) < 1e-6, 0.0, cross)


def graphs() -> dict[str, tuple[Sizes, Edges]]:
    """The fixed set: by name the boxes and the edges of each graph."""
    found: dict[str, Edges] = {
        "mlp tape": mlp(3),
        "training step": training_step(3),
        "deep training step": training_step(6),
        "residual net": residual(6),
        "attention": attention(2),
        "diamond ladder": ladder(8),
        "shuffled ladder": ladder(6, rungs=4),
        "lstm over 4 steps": lstm(4),
        "binary tree": [((child - 1) // 2, child) for child in range(1, 63)],
        "bipartite": bipartite(8, 10, 24, 1),
        "sparse bipartite": bipartite(12, 14, 26, 2),
    }
    for count, extra, seed in [(20, 8, 1), (30, 15, 2), (40, 14, 3), (60, 30, 4), (80, 24, 5), (120, 40, 6)]:
        found[f"random {count}"] = tree_and_more(count, extra, seed)
    for count, each, seed in [(20, 30, 7), (40, 60, 8), (70, 100, 9)]:
        found[f"random pairs {count}"] = pairs(count, each, seed)
    for count, seed in [(50, 10), (90, 11)]:
        found[f"program {count}"] = program(count, seed)
    return {name: (sizes(edges), edges) for name, edges in found.items()}


def sizes(edges: Edges) -> Sizes:
    """Boxes of different widths, as the labels of operations have."""
    chance = Random(len(edges))
    return [(chance.choice((64.0, 80.0, 110.0, 140.0)), 42.0) for _ in range(1 + max(map(max, edges)))]


class Counter:
    def __init__(self) -> None:
        self.count = 0
        self.edges: Edges = []

    def __call__(self, *sources: int) -> int:
        """A new node that reads from others."""
        self.edges += [(source, self.count) for source in dict.fromkeys(sources)]
        self.count += 1
        return self.count - 1


def mlp(depth: int) -> Edges:
    node = Counter()
    x = node()
    for _ in range(depth):
        x = node(node(node(x, node()), node()))  # tanh(x @ w + b)
    node(node(x, node()))
    return node.edges


def training_step(depth: int) -> Edges:
    node = Counter()
    x, rate, saved = node(), node(), []
    for _ in range(depth):
        w, b = node(), node()
        y = node(node(node(x, w), b))
        saved.append((x, w, b, y))
        x = y
    loss = node(x)
    node(loss)
    g = node(loss)
    for x, w, b, y in reversed(saved):
        g = node(g, node(node(y)))
        for target, grad in ((w, node(node(x), g)), (b, node(g))):
            node(node(target, node(grad, rate)))
        g = node(g, node(w))
    return node.edges


def residual(blocks: int) -> Edges:
    node = Counter()
    x = node()
    for _ in range(blocks):
        y = node(node(node(x, node()), node()))
        x = node(x, node(node(y, node()), node()))
    node(x)
    return node.edges


def attention(blocks: int) -> Edges:
    node = Counter()
    x, mask = node(), node()
    for _ in range(blocks):
        h = node(x, node(), node())
        q, k, v = (node(node(node(h, node()), node())) for _ in range(3))
        scores = node(node(node(q, node(k)), mask))
        mixed = node(node(scores, v))
        x = node(x, node(mixed, node(), node()))
        h = node(x, node(), node())
        x = node(x, node(node(node(h, node(), node())), node(), node()))
    node(x)
    return node.edges


def ladder(steps: int, rungs: int = 2) -> Edges:
    """Diamonds one below another, the rungs given in an order that would cross."""
    node = Counter()
    last = [node()]
    for step in range(steps):
        middle = [node(last[(i * 3 + step) % len(last)]) for i in range(rungs)]
        last = [node(*middle)] if step % 3 == 0 else [node(middle[(i + 1) % rungs]) for i in range(rungs)]
    node(*last)
    return node.edges


def lstm(steps: int) -> Edges:
    node = Counter()
    w, u, b, h, c = (node() for _ in range(5))
    for _ in range(steps):
        both = node(node(node(node(), w), node(h, u)), b)
        gates = [node(node(both)) for _ in range(4)]
        c = node(node(gates[0], c), node(gates[1], gates[2]))
        h = node(gates[3], node(c))
    node(h)
    return node.edges


def bipartite(above: int, below: int, count: int, seed: int) -> Edges:
    chance = Random(seed)
    every = [(a, above + b) for a in range(above) for b in range(below)]
    return sorted(chance.sample(every, count) + [(0, above + below)] + [(a, above) for a in range(above)])


def tree_and_more(count: int, extra: int, seed: int) -> Edges:
    """A random tree and some more edges."""
    chance = Random(seed)
    edges = {(chance.randrange(max(0, node - 12), node), node) for node in range(1, count)}
    while len(edges) < count - 1 + extra:
        a, b = sorted(chance.sample(range(count), 2))
        edges.add((a, b))
    return sorted(edges)


def pairs(count: int, edges: int, seed: int) -> Edges:
    chance = Random(seed)
    found = {tuple(sorted(chance.sample(range(count), 2))) for _ in range(edges)}
    return [*sorted((a, b) for a, b in found), (count - 1, count)]


def program(count: int, seed: int) -> Edges:
    """Each node reads one or two that came not long before, as operations do."""
    chance = Random(seed)
    edges: set[tuple[int, int]] = set()
    for node in range(1, count):
        for _ in range(chance.choice((1, 1, 2))):
            edges.add((max(0, node - 1 - int(chance.expovariate(0.25))), node))
    return sorted(edges)
