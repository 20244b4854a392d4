"""Fewer, larger equations: modules and repeated blocks each become one.

What results is a graph as before: every input is defined before it is used, and outputs, writes, times and
counts are those of the whole. Equations that were folded have no primitive, so a folded graph is for reading
and drawing, not for running.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from heapq import heapify, heappop, heappush
from itertools import accumulate, chain
from typing import Any

from .graph import Contribution, Equation, Graph, Pass, Step, Write
from .repeats import Unit, repeated

SEARCH = 1000  # groups looked at, to see whether a scope that is entered again would close a cycle


@dataclass(frozen=True, slots=True)
class Group:
    """Equations that are drawn as one.

    Args:
        op: what to call it; of a group of one that is not folded, the op itself.
        scope: the path of what it is part of.
        members: places of its equations in ``Graph.equations``, ascending.
        params: what the folded equation says of itself; empty where nothing is folded.
    """

    op: str
    scope: str
    members: tuple[int, ...]
    params: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Scope:
    """A named part of a program, with the parts in it.

    Args:
        path: the names of the scopes that it is in, and its own; empty for the whole program.
        equations: places in ``Graph.equations`` of those that are in no smaller part.
        children: its parts, in the order in which they first ran.
    """

    path: str
    equations: tuple[int, ...]
    children: tuple[Scope, ...]

    @property
    def name(self) -> str:
        """The last name in its path."""
        return self.path.rpartition("/")[2]

    def walk(self) -> Iterator[Scope]:
        """This scope and all in it, each before its parts."""
        stack = [self]
        while stack:
            one = stack.pop()
            yield one
            stack += reversed(one.children)


def fold(graph: Graph, depth: int | None = None, repeats: bool = True) -> Graph:
    """Draw together what belongs together, so that a large graph can be read.

    Forward and backward equations of a module fold apart. A scope that is entered again is one
    equation with what it was before, unless that would close a cycle, or it runs the same operations again
    (a layer that is called twice is drawn twice). Repeats are equal blocks, each fed by the one before, that
    follow one another at least three times; weights may differ, and the numbers in names.

    A folded equation is named after its module, or its operations. Its parameters are ``operations`` (how many
    it stands for), ``ops`` (which) and, for a repeated block, ``times``. Its inputs and outputs are the values
    that cross its border; seconds, FLOPs and saved bytes are sums, and its position is that of the first.
    Statistics of values inside are left out. The steps of a backward pass are put together likewise: a step has
    all contributions that its equations made to inputs of the whole, several to one input if there were
    several; what equations contributed to each other, also to an output of the whole, is left out.

    Args:
        graph: any graph.
        depth: how many levels of scopes to keep: 0 shows each outermost module as one equation. None
            keeps all.
        repeats: whether to fold repeated blocks.

    Returns:
        The smaller graph; the same one if there was nothing to fold.

    Raises:
        ValueError: ``depth`` is negative.

    Example:
        >>> import tensorgrad as tg
        >>> def f(x):
        ...     with tg.scope("scale"):
        ...         x = x * 2 + 1
        ...     for _ in range(4):
        ...         x = tg.tanh(x) + 1
        ...     return x
        >>> graph = tg.trace(f, tg.ones(3))
        >>> print(fold(graph, depth=0))
        program(%0 x: float32[3]):
          %4: float32[3] = scale(%0, 2, 1, operations=2, ops='multiply, add')
          %16: float32[3] = tanh, add(%4, 1, 1, 1, 1, operations=8, ops='4 tanh, 4 add', times=4)
          return %16
    """
    return folded(graph, groups(graph, depth, repeats))


def groups(graph: Graph, depth: int | None = None, repeats: bool = True) -> tuple[Group, ...]:
    """Which equations `fold` puts together.

    Args:
        graph: any graph.
        depth: how many levels of scopes to keep; None keeps all.
        repeats: whether to fold repeated blocks.

    Returns:
        The groups in the order of the folded graph; each equation is in one of them.

    Raises:
        ValueError: ``depth`` is negative.

    Example:
        >>> import tensorgrad as tg
        >>> [group.members for group in groups(tg.trace(lambda x: tg.sin(x) * 2, tg.ones(3)))]
        [(0,), (1,)]
    """
    if depth is not None and depth < 0:
        raise ValueError(f"fold: depth is {depth}; 0 folds the outermost modules, None folds no module")
    equations = graph.equations
    units = [Unit(e.op, e.scope, (i,)) for i, e in enumerate(equations)]
    if depth is not None and any(e.scope.count("/") >= depth and e.scope for e in equations):
        units = _modules(graph, depth)
    found = []
    for unit, times in repeated(graph, units) if repeats else ((unit, 1) for unit in units):
        params: dict[str, Any] = {}
        if times > 1 or unit.module:
            params = {"operations": len(unit.members), "ops": _ops(equations[i].op for i in unit.members)}
        if times > 1:
            params["times"] = times
        found.append(Group(unit.op, unit.scope, unit.members, params))
    return tuple(found)


def folded(graph: Graph, parts: tuple[Group, ...]) -> Graph:
    """The graph with one equation for each group; see `fold` for what it holds.

    Args:
        graph: any graph.
        parts: groups of its equations, in an order in which they could run.

    Returns:
        The smaller graph; the same one if no group is folded.

    Example:
        >>> import tensorgrad as tg
        >>> graph = tg.trace(lambda x: tg.sin(x) * 2, tg.ones(3))
        >>> print(folded(graph, (Group("twice sine", "", (0, 1), {"operations": 2}),)))
        program(%0 x: float32[3]):
          %3: float32[3] = twice sine(%0, 2, operations=2)
          return %3
    """
    if not any(part.params for part in parts):
        return graph
    home = [0] * len(graph.equations)
    for place, part in enumerate(parts):
        for member in part.members:
            home[member] = place
    crossing = _crossing(graph, home)
    equations = tuple(
        _equation(graph, part, crossing) if part.params else graph.equations[part.members[0]]
        for part in parts
    )
    leaves = (*graph.inputs, *graph.captured, *graph.constants)
    visible = {var.index for var in leaves} | {var.index for e in equations for var in e.outputs}
    # A write comes after all that ran before it, and so after the groups that any of that is in.
    done = list(accumulate((place + 1 for place in home), max, initial=0))
    return replace(
        graph,
        equations=equations,
        writes=tuple(_moved(write, done) for write in graph.writes),
        stats={index: stats for index, stats in graph.stats.items() if index in visible},
        passes=tuple(_pass(one, home, equations, parts, visible) for one in graph.passes),
    )


def tree(graph: Graph) -> Scope:
    """The scopes of a program and which equations are in each.

    Args:
        graph: any graph.

    Returns:
        The whole program, with the scopes in it.

    Example:
        >>> import tensorgrad as tg
        >>> def f(x):
        ...     with tg.scope("net"), tg.scope("first"):
        ...         x = tg.sin(x)
        ...     return x * 2
        >>> for part in tree(tg.trace(f, tg.ones(3))).walk():
        ...     print(repr(part.path), part.equations)
        '' (1,)
        'net' ()
        'net/first' (0,)
    """
    direct: dict[str, list[int]] = {"": []}
    inside: dict[str, list[str]] = {"": []}
    for place, equation in enumerate(graph.equations):
        path = equation.scope
        while path not in direct:
            direct[path], inside[path] = [], inside.get(path, [])
            parent = path.rpartition("/")[0]
            inside.setdefault(parent, []).append(path)
            path = parent
        direct[equation.scope].append(place)
    made: dict[str, Scope] = {}
    for path in sorted(direct, key=lambda path: -path.count("/") - bool(path)):
        children = tuple(made[child] for child in inside[path])
        made[path] = Scope(path, tuple(direct[path]), children)
    return made[""]


# ---- modules


def _modules(graph: Graph, depth: int) -> list[Unit]:
    """Equations below `depth` put together by module, in an order in which all inputs are there before."""
    equations = graph.equations
    path = {scope: _cut(scope, depth) for scope in {e.scope for e in equations}}
    maker = {var: place for place, e in enumerate(equations) for var in e.outputs}
    members: list[list[int]] = []
    above: list[set[int]] = []  # the groups that each reads from
    keys: list[tuple[str, str] | None] = []
    said: list[set[int]] = []  # hashes of the operations of each run that is in a group
    home: list[int] = []
    latest: dict[tuple[str, str], int] = {}
    for key, run in _runs(equations, path):
        sources = {maker[var] for place in run for var in equations[place].inputs if var in maker}
        read = {home[place] for place in sources if place < len(home)}
        does = hash(tuple((equations[i].op, tuple(v.shape for v in equations[i].outputs)) for i in run))
        group = latest.get(key) if key else None
        if group is None or does in said[group] or _reaches(group, read, above, members):
            group = len(members)
            members.append([])
            above.append(set())
            said.append(set())
            keys.append(key)
        if key:
            latest[key] = group
        members[group] += run
        above[group] |= read - {group}
        said[group].add(does)
        home += [group] * len(run)
    units = []
    for group in _sorted(above):
        first = equations[members[group][0]]
        key = keys[group]
        if key is None:
            units.append(Unit(first.op, first.scope, tuple(members[group])))
        else:
            scope, _, name = key[0].rpartition("/")
            # "0" alone says nothing: children of a container are called after it.
            shown = f"{scope.rpartition('/')[2]}.{name}" if name.isdigit() and scope else name
            units.append(Unit(shown or "module", scope, tuple(members[group]), module=True))
    return units


def _cut(scope: str, depth: int) -> str | None:
    """The path of the module that a scope folds into; None if it is not that deep."""
    names = scope.split("/") if scope else []
    return "/".join(names[: depth + 1]) if len(names) > depth else None


def _runs(
    equations: tuple[Equation, ...], path: Mapping[str, str | None]
) -> Iterator[tuple[tuple[str, str] | None, list[int]]]:
    """Stretches of equations of one module and direction; what is in no module stands alone."""
    run: list[int] = []
    before: tuple[str, str] | None = None
    for place, equation in enumerate(equations):
        cut = path[equation.scope]
        key = None if cut is None else (cut, equation.direction)
        if run and (key is None or key != before):
            yield before, run
            run = []
        run.append(place)
        before = key
    if run:
        yield before, run


def _reaches(group: int, read: set[int], above: list[set[int]], members: list[list[int]]) -> bool:
    """Whether what is read depends on the group by way of another; also if that takes long to find out."""
    start = members[group][0]
    stack = [one for one in read if one != group]
    seen = set(stack)
    while stack and len(seen) <= SEARCH:
        for one in above[stack.pop()]:
            if one == group:
                return True
            if one not in seen and members[one][-1] > start:
                seen.add(one)
                stack.append(one)
    return bool(stack)


def _sorted(above: list[set[int]]) -> list[int]:
    """An order in which each group stands below those that it reads from, near to the one given."""
    waiting = [len(sources) for sources in above]
    below: list[list[int]] = [[] for _ in above]
    for group, sources in enumerate(above):
        for source in sources:
            below[source].append(group)
    ready = [group for group, count in enumerate(waiting) if not count]
    heapify(ready)
    order = []
    while ready:
        order.append(heappop(ready))
        for group in below[order[-1]]:
            waiting[group] -= 1
            if not waiting[group]:
                heappush(ready, group)
    return order


# ---- the folded graph


def _crossing(graph: Graph, home: list[int]) -> set[int]:
    """Numbers of the values that are read outside of the group that makes them."""
    kept = {var.index for var in graph.outputs}
    kept |= {var.index for write in graph.writes for var in (write.target, write.value) if var is not None}
    kept |= {var.index for one in graph.passes for var, _ in one.seeds}
    maker = {var.index: home[place] for place, e in enumerate(graph.equations) for var in e.outputs}
    for place, equation in enumerate(graph.equations):
        kept.update(var.index for var in equation.inputs if maker.get(var.index) != home[place])
    return kept


def _equation(graph: Graph, part: Group, crossing: set[int]) -> Equation:
    inside = [graph.equations[member] for member in part.members]
    made = {var: None for equation in inside for var in equation.outputs}
    return Equation(
        op=part.op,
        inputs=tuple(dict.fromkeys(var for e in inside for var in e.inputs if var not in made)),
        outputs=tuple(var for var in made if var.index in crossing),
        params=part.params,
        scope=part.scope,
        direction=inside[0].direction,
        taped=any(e.taped for e in inside),
        position=next((e.position for e in inside if e.position is not None), None),
        seconds=_total(e.seconds for e in inside),
        flops=_total(e.flops for e in inside),
        saved_bytes=_total(e.saved_bytes for e in inside),
    )


def _pass(
    one: Pass, home: list[int], equations: tuple[Equation, ...], parts: tuple[Group, ...], visible: set[int]
) -> Pass:
    """A backward pass in which each folded equation has one step."""
    together: dict[int, list[Step]] = {}
    for step in one.steps:
        together.setdefault(home[step.equation], []).append(step)
    steps = []
    for place in sorted(together, reverse=True):
        own, equation = together[place], equations[place]
        if not parts[place].params:
            steps += [replace(step, equation=place) for step in own]
            continue
        slot = {var: index for index, var in enumerate(equation.inputs)}
        arriving = chain.from_iterable(step.contributions for step in own)
        steps.append(
            Step(
                place,
                tuple(one.gradients.get(var.index) for var in equation.outputs),
                tuple(Contribution(slot[c.target], c.target, c.stats) for c in arriving if c.target in slot),
                _total(step.seconds for step in own),
            )
        )
    gradients = {index: stats for index, stats in one.gradients.items() if index in visible}
    return Pass(one.seeds, tuple(steps), gradients, one.replaced & visible)


def _moved(write: Write, done: list[int]) -> Write:
    return write if write.after is None else replace(write, after=done[write.after])


def _total(values: Iterable[Any]) -> Any:
    """The sum of what is known; None if nothing is."""
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def _ops(names: Iterable[str]) -> str:
    """Which operations there are and how many of each."""
    return ", ".join(f"{count} {op}" if count > 1 else op for op, count in Counter(names).items())
