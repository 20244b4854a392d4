"""Where a program does the same again and again: equal blocks, each fed by the one before.

Equations get numbers that are equal where the operations are. A stretch of a sequence repeats with period p
where it equals itself p places further on, which NumPy compares at once for each likely p. What is
found is then checked: each block must be wired as the one before it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import takewhile
from typing import Any

import numpy as np

from .graph import Equation, Graph, Var

LEAST = 3  # blocks that follow one another
LONGEST = 400  # units in a block
NEAR = 8  # occurrences of an operation after another that suggest a period
PERIODS = 32  # that are tried

Maker = Mapping[Var, tuple[int, int, int]]  # of a value: its unit, the place in the unit, and which output


@dataclass(frozen=True, slots=True)
class Unit:
    """One equation, or those of one module: what blocks consist of."""

    op: str
    scope: str
    members: tuple[int, ...]
    module: bool = False


def repeated(graph: Graph, units: list[Unit]) -> Iterator[tuple[Unit, int]]:
    """The units in order, those of repeated blocks as one, each with how often its block repeats."""
    found = {start: (period, times) for start, period, times in _found(graph, units)}
    place = 0
    while place < len(units):
        if place in found:
            period, times = found[place]
            yield _named(graph, units[place : place + period * times], period), times
            place += period * times
        else:
            yield units[place], 1
            place += 1


def _found(graph: Graph, units: list[Unit]) -> list[tuple[int, int, int]]:
    """Start, period and count of repeats that do not overlap, those that cover most first."""
    if len(units) < LEAST:
        return []
    kinds = _kinds(graph, units)
    turns = np.array([graph.equations[unit.members[0]].direction == "backward" for unit in units])
    passes = np.cumsum(np.diff(turns, prepend=turns[:1]))  # blocks do not hold equations of both passes
    stretches = sorted(_stretches(kinds, passes), key=lambda s: (-((s[1] - s[0]) // s[2] * s[2]), s[2], s[0]))
    if not stretches:
        return []
    maker = {
        var: (place, inner, slot)
        for place, unit in enumerate(units)
        for inner, member in enumerate(unit.members)
        for slot, var in enumerate(graph.equations[member].outputs)
    }
    taken = np.zeros(len(units), bool)
    result = []
    for start, stop, period in stretches:
        free = np.flatnonzero(~taken[start:stop])
        if not len(free) or free[-1] - free[0] + 1 > len(free):
            continue
        start, stop = start + int(free[0]), start + int(free[-1]) + 1
        if stop - start < LEAST * period:
            continue
        start += _turn(graph, units, maker, start, stop, period)
        for first, times in _chained(graph, units, maker, start, (stop - start) // period, period):
            taken[first : first + times * period] = True
            result.append((first, period, times))
    return result


# ---- what is equal


def _kinds(graph: Graph, units: list[Unit]) -> np.ndarray[Any, Any]:
    """A number for each unit, the same for those that do the same to values of the same shapes."""
    known: dict[Any, int] = {}
    constants = {var.index: repr(graph.values.get(var.index)) for var in graph.constants if var.size == 1}

    def kind(place: int) -> int:
        e = graph.equations[place]
        values = [(var.shape, var.dtype, constants.get(var.index)) for var in e.inputs]
        results = [(var.shape, var.dtype) for var in e.outputs]
        params = repr(e.params) if e.params else ""
        own = (e.op, params, unnumbered(e.scope), e.direction, e.taped, *values, None, *results)
        return known.setdefault(own, len(known))

    single = [kind(place) for place in range(len(graph.equations))]
    result = []
    for unit in units:
        if unit.module:
            wires = _wires(graph, [unit])
            own = (unnumbered(unit.op), *(single[place] for place in unit.members), *wires)
            result.append(known.setdefault(own, len(known)))
        else:
            result.append(single[unit.members[0]])
    return np.array(result)


def _wires(graph: Graph, block: list[Unit]) -> list[tuple[int, int] | int]:
    """For each input in a block which equation of it makes the value, or which value from outside it is."""
    made: dict[Var, tuple[int, int]] = {}
    outside: dict[Var, int] = {}
    result: list[tuple[int, int] | int] = []
    for place, equation in enumerate(_equations(graph, block)):
        result += [made[v] if v in made else outside.setdefault(v, len(outside)) for v in equation.inputs]
        made.update((var, (place, slot)) for slot, var in enumerate(equation.outputs))
    return result


def _stretches(kinds: np.ndarray[Any, Any], passes: np.ndarray[Any, Any]) -> list[tuple[int, int, int]]:
    """Start, stop and period of stretches that are equal to themselves, one period further on."""
    result = []
    for period in _periods(kinds):
        equal = (kinds[:-period] == kinds[period:]) & (passes[:-period] == passes[period:])
        same = np.concatenate([[False], equal, [False]])
        starts, stops = np.flatnonzero(np.diff(same.astype(np.int8))).reshape(-1, 2).T
        for start, stop in zip(starts, stops, strict=True):
            if stop - start >= (LEAST - 1) * period:
                result.append((int(start), int(stop) + period, period))
    return result


def _periods(kinds: np.ndarray[Any, Any]) -> list[int]:
    """The distances at which the same operations most often come again."""
    order = np.argsort(kinds, kind="stable")
    counts = np.zeros(LONGEST + 1, int)
    for step in range(1, min(NEAR, len(kinds) - 1) + 1):
        far = (order[step:] - order[:-step])[kinds[order[step:]] == kinds[order[:-step]]]
        counts += np.bincount(far[far <= LONGEST], minlength=LONGEST + 1)
    likely = [period for period in range(1, len(counts)) if counts[period] >= LEAST - 1]
    return sorted(sorted(likely, key=lambda period: (-counts[period], period))[:PERIODS])


# ---- where blocks begin, and whether they are wired alike


def _turn(graph: Graph, units: list[Unit], maker: Maker, start: int, stop: int, period: int) -> int:
    """How far to move the start: to where few values cross from block to block, and scopes change."""
    crossing = [0] * (period + 1)
    latest: dict[Var, int] = {}
    for place in range(start + period, start + 2 * period + (stop - start) % period):
        for equation in _equations(graph, [units[place]]):
            latest.update((v, place) for v in equation.inputs if v in maker and place - maker[v][0] <= period)
    for var, last in latest.items():
        for border in range(max(maker[var][0] + 1, start + period), min(last, start + 2 * period) + 1):
            crossing[border - start - period] += 1

    def cost(turn: int) -> tuple[int, bool, int]:
        before, after = units[start + turn + period - 1], units[start + turn + period]
        return crossing[turn], before.scope == after.scope, -turn

    return min(range((stop - start) % period + 1), key=cost)


def _chained(
    graph: Graph, units: list[Unit], maker: Maker, start: int, times: int, period: int
) -> Iterator[tuple[int, int]]:
    """Start and count of the blocks that are wired alike, each reading from the one before."""
    first = start
    inner: list[Any] = []
    outer: list[Any] | None = None
    for begin in range(start, start + (times + 1) * period, period):
        here: tuple[list[Any], list[Any] | None] = ([], None)
        if begin < start + times * period:
            block = units[begin : begin + period]
            here = _wires(graph, block), _fed(graph, block, maker, begin, first, period)
        count = (begin - first) // period
        if count and (here[1] is None or here[0] != inner or (count > 1 and here[1] != outer)):
            if count >= LEAST:
                yield first, count
            first = begin
        inner, outer = here


def _fed(
    graph: Graph, block: list[Unit], maker: Maker, begin: int, first: int, period: int
) -> list[tuple[int, int, int] | None] | None:
    """Where the values from outside come from: from the block before (then its place there) or not.

    None if nothing comes from there, or something from a block before that.
    """
    result: list[tuple[int, int, int] | None] = []
    for var in dict.fromkeys(var for equation in _equations(graph, block) for var in equation.inputs):
        place, inner, slot = maker.get(var, (-1, 0, 0))
        if place >= begin:
            continue
        if first <= place < begin - period:
            return None
        result.append((begin - place, inner, slot) if place >= first else None)
    return result if any(result) else None


def _equations(graph: Graph, units: list[Unit]) -> Iterator[Equation]:
    return (graph.equations[member] for unit in units for member in unit.members)


# ---- names


def _named(graph: Graph, units: list[Unit], period: int) -> Unit:
    """All blocks as one unit, called after the modules that they are, or after their operations."""
    paths = [(unit.scope + "/" + unit.op if unit.module else unit.scope).strip("/") for unit in units]
    names = _shared(paths)
    scope = "/".join(names)
    heads = [
        path.split("/")[len(names)] if path.count("/") >= len(names) and path != scope else ""
        for path in paths
    ]
    if len(set(heads[:period])) == 1 and len(set(heads)) > 1:
        op = _range(heads[0], heads[-1])
        op = f"{names[-1]} {op}" if heads[0].isdigit() and names else op
    else:
        found = [_range(a.op, b.op) for a, b in zip(units[:period], units[-period:], strict=True)]
        op = ", ".join(found) if period <= LEAST else f"{found[0]}, …, {found[-1]}"
        scope = "/".join(_shared([unit.scope for unit in units]))
    return Unit(
        op, scope, tuple(sorted(member for unit in units for member in unit.members)), units[0].module
    )


def _shared(paths: list[str]) -> list[str]:
    """The names that all paths begin with."""
    split = zip(*(path.split("/") for path in dict.fromkeys(paths)), strict=False)
    return [names[0] for names in takewhile(lambda names: len(set(names)) == 1, split)]


def _range(first: str, last: str) -> str:
    """``fc0…4`` for fc0 to fc4."""
    shared = sum(
        1
        for _ in takewhile(
            lambda pair: pair[0] == pair[1] and not pair[0].isdigit(), zip(first, last, strict=False)
        )
    )
    return first if first == last else f"{first}…{last[shared:]}"


@lru_cache(4096)
def unnumbered(name: str) -> str:
    """A name without its numbers, which siblings differ by."""
    return re.sub(r"\d+", "#", name)
