"""Layered layout of a directed acyclic graph: where each box stands and how each edge runs.

Every edge points downwards, no two boxes overlap and no edge runs through a box. The nodes go onto
layers and into an order that few edges cross (`_ranks`, `_order`), get x coordinates that keep long edges
straight (`_columns`), and each edge becomes a smooth line (`_level`). Clusters are drawn as frames around
their nodes, with nothing else in them (`_nest`). All of it is iterative, and the same input always gives
the same picture.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tensorgrad.viz._level import Point, spread
from tensorgrad.viz._nest import Nest
from tensorgrad.viz._ranks import Edge

__all__ = ["Cluster", "Layout", "Point", "Rect", "Size", "layered", "spread"]

Size = tuple[float, float]
Rect = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Cluster:
    """A frame around some of the nodes.

    Args:
        parent: the number of the cluster that it is in, None if in none; it comes earlier.
        width: the least width of its frame, such as that of its label.
    """

    parent: int | None = None
    width: float = 0.0


@dataclass(frozen=True, slots=True)
class Layout:
    """Where everything stands, in pixels, y downwards, the origin at the top left.

    Args:
        width: extent of the picture along x.
        height: extent along y.
        centres: the centre of each node's box.
        paths: for each edge its start and then three points for each cubic Bezier piece
            (two control points and an end), so ``1 + 3 * pieces`` points.
        clusters: left, top, width and height of the frame of each cluster; at its top there is
            room for one line of text.
    """

    width: float
    height: float
    centres: tuple[Point, ...]
    paths: tuple[tuple[Point, ...], ...]
    clusters: tuple[Rect, ...] = ()


def layered(
    sizes: Sequence[Size],
    edges: Sequence[Edge],
    *,
    weights: Sequence[int] | None = None,
    clusters: Sequence[Cluster] = (),
    homes: Sequence[int | None] | None = None,
    node_gap: float = 28.0,
    layer_gap: float = 36.0,
) -> Layout:
    """Lay out a directed acyclic graph in layers, from the top down.

    Args:
        sizes: width and height of each node's box in pixels; nodes are numbered from 0.
        edges: pairs (source, target). An edge given twice has the same path twice.
        weights: how much each edge wants to be short and straight, from 1; all the same by default.
        clusters: frames to draw around nodes, each after the one that it is in.
        homes: the innermost cluster that each node is in, None for none; all None by default.
        node_gap: least distance in pixels between two boxes side by side.
        layer_gap: least distance in pixels between two layers.

    Returns:
        The positions and paths, in the order of the arguments.

    Raises:
        ValueError: an edge names a node that is not there, a weight is below 1 or missing, a home or parent is
            no cluster, or the edges form a cycle; also one through a cluster, which leaves it and comes back.

    Example:
        >>> plan = layered([(40, 20), (40, 20)], [(0, 1)])
        >>> plan.centres
        ((20.0, 10.0), (20.0, 66.0))
        >>> [(round(x), round(y)) for x, y in plan.paths[0]]
        [(20, 20), (20, 32), (20, 44), (20, 56)]
        >>> layered([(40, 20), (40, 20)], [(0, 1)], clusters=[Cluster()], homes=[None, 0]).clusters
        ((0.0, 56.0, 68.0, 66.0),)
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
    parents = [-1 if one.parent is None else one.parent for one in clusters]
    inside = [-1 if home is None else home for home in homes or [None] * len(sizes)]
    if len(inside) != len(sizes):
        raise ValueError(f"{len(sizes)} nodes and {len(inside)} homes; give one home for each node")
    for index, parent in enumerate(parents):
        if not -1 <= parent < index:
            raise ValueError(
                f"cluster {index} is in cluster {parent}; let it come after the one that it is in"
            )
    if any(not -1 <= home < len(clusters) for home in inside):
        raise ValueError(f"a node's home is none of the {len(clusters)} clusters")
    nest = Nest(sizes, weight, inside, parents, [one.width for one in clusters], node_gap, layer_gap)
    width, height = nest.draw()
    paths = {edge: nest.path(edge) for edge in weight}
    return Layout(
        width, height, tuple(nest.centres), tuple(paths[a, b] for a, b in edges), tuple(nest.frames)
    )
