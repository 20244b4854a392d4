"""Which boxes of a picture belong to which module: the frames that are drawn around them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from heapq import heapify, heappop, heappush

from tensorgrad.viz._ranks import Edge
from tensorgrad.viz._scene import Scene

SEARCH = 1000  # boxes or groups looked at, to see whether one more box would close a cycle


@dataclass(frozen=True, slots=True)
class Frame:
    """A module, or a part of one, with its place among the frames: after the one that it is in.

    Args:
        name: its own name.
        path: the names of the modules that it is in, and its own, joined by ``/``.
        parent: the number of the frame that it is in, None if in none.
    """

    name: str
    path: str
    parent: int | None

    @property
    def label(self) -> str:
        """What to call it: "0" alone says nothing, so children of a container are called after it."""
        parts = self.path.replace(", backward/", "/").split("/")
        return ".".join(parts[-2:]) if self.name.isdigit() else self.name


def modules(shown: Scene) -> tuple[list[Frame], list[int | None]]:
    """The frames of a scene, and for each box the number of the innermost one that it is in."""
    if not any(box.scope for box in shown.boxes):
        return [], [None] * len(shown.boxes)
    edges = [(link.source, link.target) for link in shown.links]
    # A parameter belongs to the module that applies it, not to the backward pass that reads it again.
    owned = [link.kind != "saved" for link in shown.links]
    return framed([box.scope for box in shown.boxes], edges, owned)


def framed(
    paths: Sequence[str | None], edges: Sequence[Edge], owned: Sequence[bool] = ()
) -> tuple[list[Frame], list[int | None]]:
    """Put boxes into frames by their scopes, such that no line leaves a frame and comes back into it.

    A scope that was entered several times has several frames where it must. A frame that would hold nothing
    but one box is left out.

    Args:
        paths: the scope of each box, ``""`` outside all; None for a box that belongs to what reads it.
        edges: pairs of boxes, without a cycle.
        owned: for each edge whether its source can belong to its target; all of them if empty.

    Returns:
        The frames, and for each box the number of the innermost one that it is in.

    Example:
        >>> framed([None, "net/fc", "net/fc", "net", ""], [(0, 1), (1, 2), (2, 3), (3, 4)])[1]
        [1, 1, 1, 0, None]
    """
    up: list[list[int]] = [[] for _ in paths]
    down: list[list[int]] = [[] for _ in paths]
    for a, b in edges:
        up[b].append(a)
        down[a].append(b)
    order = _sorted(up, down)
    readers: list[list[int]] = [[] for _ in paths]
    for (a, b), own in zip(edges, owned or [True] * len(edges), strict=True):
        if own:
            readers[a].append(b)
    names = _adopted(paths, order, [own or every for own, every in zip(readers, down, strict=True)])
    frames: list[Frame] = []
    homes: list[int | None] = [None] * len(paths)
    waiting: list[tuple[int | None, int, list[int]]] = [(None, 0, order)]
    for parent, depth, members in waiting:
        for group in _convex(
            members, [names[v][depth] if len(names[v]) > depth else None for v in members], up
        ):
            name = names[group[0]]
            if len(name) > depth and len(group) > 1:
                frames.append(Frame(name[depth], "/".join(name[: depth + 1]), parent))
                for box in group:
                    homes[box] = len(frames) - 1
                waiting.append((len(frames) - 1, depth + 1, group))
    return frames, homes


def _sorted(up: list[list[int]], down: list[list[int]]) -> list[int]:
    """The boxes in their order, except that each comes after all that it reads."""
    waiting = [len(sources) for sources in up]
    ready = [box for box, count in enumerate(waiting) if not count]
    heapify(ready)
    order = []
    while ready:
        order.append(heappop(ready))
        for box in down[order[-1]]:
            waiting[box] -= 1
            if not waiting[box]:
                heappush(ready, box)
    return order


def _adopted(
    paths: Sequence[str | None], order: list[int], readers: list[list[int]]
) -> list[tuple[str, ...]]:
    """The scope of each box by names; that of one without is what those of its readers have in common."""
    names = [tuple(path.split("/")) if path else () for path in paths]
    for box in reversed(order):
        if paths[box] is None and readers[box]:
            shared = names[readers[box][0]]
            for reader in readers[box][1:]:
                same = 0
                for a, b in zip(shared, names[reader], strict=False):
                    if a != b:
                        break
                    same += 1
                shared = shared[:same]
            names[box] = shared
    return names


def _convex(members: list[int], keys: list[str | None], up: list[list[int]]) -> list[list[int]]:
    """Members of one key together, as far as no path leads out of a group and back; others alone."""
    home: dict[int, int] = {}
    groups: list[list[int]] = []
    above: list[set[int]] = []
    last: list[int] = []  # when the latest member of each group came
    first: list[int] = []
    latest: dict[str, int] = {}
    for time, (box, key) in enumerate(zip(members, keys, strict=True)):
        read = {home[source] for source in up[box] if source in home}
        group = latest.get(key) if key is not None else None
        if group is not None and _returns(group, read, above, first[group], last):
            group = None
        if group is None:
            group = len(groups)
            groups.append([])
            above.append(set())
            first.append(time)
            last.append(time)
        if key is not None:
            latest[key] = group
        home[box] = group
        groups[group].append(box)
        above[group] |= read - {group}
        last[group] = time
    return groups


def _returns(group: int, read: set[int], above: list[set[int]], since: int, last: list[int]) -> bool:
    """Whether what is read depends on the group by way of another; also if that takes long to find out."""
    stack = [one for one in read if one != group]
    seen = set(stack)
    while stack and len(seen) <= SEARCH:
        for one in above[stack.pop()]:
            if one == group:
                return True
            if one not in seen and last[one] > since:
                seen.add(one)
                stack.append(one)
    return bool(stack)
