"""Where to cut a chain of blocks, so that its gradient fits into memory: measured, planned, applied.

Each block is run by itself, and its bytes are counted: what its nodes save, and the peaks of its forward and
backward pass. From these the peak of every way to cut follows. A block is *kept*, or several in a row are
*forgotten*: of these the input stays, and they are run again, all together, when their gradient is due.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from .._errors import GradientError, ShapeError
from .block_cost import BlockCost, measured
from .checkpoint import checkpoint

Functions = Iterable[Callable[[Any], Any]]
Segment = tuple[int, int, bool]


def checkpoint_sequential(functions: Functions, x: Any, segments: int | None = None) -> Any:
    """Apply functions one after another, in segments that are forgotten; see `checkpoint`.

    Args:
        functions: what to apply, such as the blocks of a ``Sequential``; each takes the result of the one before.
        x: what the first one takes.
        segments: how many; by default the square root of the number of functions, which keeps the memory of
            about two roots of them. The last segment is kept, since its gradient comes first.

    Returns:
        The result of the last function.

    Raises:
        ShapeError: there are not that many functions, or none.

    Example:
        >>> import tensorgrad as tg
        >>> model = tg.nn.Sequential(*[tg.nn.Linear(3, 3) for _ in range(9)])
        >>> tg.checkpoint_sequential(model, tg.ones((2, 3))).shape
        (2, 3)

    Source:
        Chen, Xu, Zhang and Guestrin, Training deep nets with sublinear memory cost, 2016, section 4.
    """
    blocks = _listed("checkpoint_sequential", functions)
    count = round(math.sqrt(len(blocks))) if segments is None else segments
    if not isinstance(count, int):
        raise ShapeError(
            f"checkpoint_sequential: segments is a {type(segments).__name__}, and a number is needed; unlike PyTorch's, "
            "the input comes before it: checkpoint_sequential(model, x, 2)"
        )
    if not 1 <= count <= len(blocks):
        raise ShapeError(
            f"checkpoint_sequential: {segments!r} segments of {len(blocks)} functions; 1 to {len(blocks)} are possible"
        )
    ends = [len(blocks) * i // count for i in range(count + 1)]
    for i, j in pairwise(ends[:-1]):
        x = checkpoint(_chained(blocks[i:j]))(x)
    return _chained(blocks[ends[-2] :])(x)


def plan_checkpoints(model: Functions, x: Any, budget: float | None = None) -> CheckpointPlan:
    """Measure a chain of blocks, and choose which of them to forget so that its gradient fits into a budget.

    Args:
        model: the blocks, in their order: a ``Sequential`` or a list of functions. They are run a few times;
            what they write to and draw from is put back.
        x: an example of what the first one takes, as large as in use. The plan is for this size.
        budget: the bytes that forward and backward pass may take at their peak, the result included, besides what
            is there before: parameters and ``x``. Without, the least that can be reached.

    Returns:
        The plan that computes least again. Call it in place of the model; print it to see what was measured.

    Raises:
        GradientError: no way to cut fits into the budget, or nothing has a gradient.

    Example:
        >>> import tensorgrad as tg
        >>> model = tg.nn.Sequential(*[tg.nn.Linear(50, 50) for _ in range(6)])
        >>> plan = tg.plan_checkpoints(model, tg.ones((200, 50)))
        >>> plan.peak < plan.peak_kept
        True
        >>> plan(tg.ones((200, 50))).shape
        (200, 50)

    Source:
        Beaumont, Eyraud-Dubois and Shilova, Efficient combination of rematerialization and offloading, 2021,
        for the model of a chain; the plan is a dynamic program over it.
    """
    blocks = _listed("plan_checkpoints", model)
    if isinstance(budget, str):
        raise GradientError(
            f"plan_checkpoints: budget is {budget!r}; a number of bytes is needed, such as 4e6"
        )
    table = _Table(measured(blocks, x))
    kept = table.peak([(i, i + 1, False) for i in range(len(blocks))])
    limit = table.least() if budget is None else float(budget)
    segments = table.cheapest(limit)
    if segments is None:
        raise GradientError(
            f"plan_checkpoints: no cut fits into {_size(limit)}; the least is {_size(table.least())}, and {_size(kept)} "
            "with nothing forgotten. Give that, a smaller batch, or finer blocks"
        )
    return CheckpointPlan(
        blocks, tuple(segments), table.costs, table.peak(segments), kept, sum(c.seconds for c in table.costs)
    )


@dataclass(frozen=True)
class CheckpointPlan:
    """Which blocks of a chain are forgotten; made by `plan_checkpoints`. Call it in place of the chain.

    Attributes:
        segments: ``(start, stop, forgotten)`` of blocks in a row.
        costs: what each block costs.
        peak: the bytes that a forward and a backward pass are predicted to take at their peak.
        peak_kept: the same with nothing forgotten.
        seconds: of the forward pass of all blocks; see `seconds_again`.
    """

    blocks: Sequence[Callable[[Any], Any]] = field(repr=False)
    segments: tuple[Segment, ...]
    costs: tuple[BlockCost, ...] = field(repr=False)
    peak: int
    peak_kept: int
    seconds: float

    @property
    def seconds_again(self) -> float:
        """The seconds of what is computed a second time."""
        return sum(c.seconds for i, j, forgotten in self.segments if forgotten for c in self.costs[i:j])

    def __call__(self, x: Any) -> Any:
        """Apply the blocks one after another."""
        for i, j, forgotten in self.segments:
            part = _chained(self.blocks[i:j])
            x = checkpoint(part)(x) if forgotten else part(x)
        return x

    def __str__(self) -> str:
        again = f"{self.seconds_again:.2g} s of {self.seconds:.2g} s forward computed again"
        lines = [f"peak {_size(self.peak)} instead of {_size(self.peak_kept)}, {again}"]
        for i, j, forgotten in self.segments:
            for k in range(i, j):
                c = self.costs[k]
                how = ("forgotten" if k == i else '"') if forgotten else "kept"
                lines.append(
                    f"{k:>4} {c.name:<24} saves {_size(c.saved):>9} {c.seconds * 1e3:>8.2f} ms  {how}"
                )
        return "\n".join(lines)


# ---- the plan


class _Table:
    """The peaks of all ways to cut, and the best of them. Bytes count from what is there before the first block."""

    def __init__(self, costs: Sequence[BlockCost]) -> None:
        self.costs = tuple(costs)
        n = len(costs)
        self.later = [sum(c.gradients for c in costs[i + 1 :]) for i in range(n)]
        self.known: dict[Any, int] = {}

    def peak(self, segments: Iterable[Segment]) -> int:
        """The peak of one way to cut."""
        stored, most, after = 0, 0, False
        for i, j, forgotten in segments:
            most = max(most, stored + self.needs(i, j, forgotten, after))
            stored += self.stores(i, forgotten, after)
            after = forgotten
        return most

    def stores(self, i: int, forgotten: bool, after: bool) -> int:
        """What stays between the passes of a block, or of a forgotten segment that begins with it.

        ``after``: what is before it is forgotten, and so has not saved what this block takes.
        """
        if forgotten:
            return self.entry(i, after)
        cost = self.costs[i]
        there = 0 if after or not i else self.costs[i - 1].held
        return cost.saved + (max(0, cost.taken - there) if i else 0)

    def entry(self, i: int, after: bool) -> int:
        """The bytes of what block ``i`` takes, besides what the block before it saves."""
        if not i:
            return 0
        return self.costs[i - 1].output - (0 if after else self.costs[i - 1].held)

    def needs(self, i: int, j: int, forgotten: bool, after: bool) -> int:
        """The peak of a segment in either pass, besides what stays of those before it."""
        last = self.costs[j - 1].output
        entry = self.entry(i, after)
        forward, backward, saved = 0, 0, entry if forgotten else 0
        for k in range(i, j):
            cost, inner = self.costs[k], after if k == i else False
            given = 0 if k == i and forgotten else self.entry(k, inner)
            forward = max(forward, saved + given + cost.forward)
            saved += self.stores(k, False, inner) if k > i or not forgotten else cost.saved
            backward = max(backward, saved + cost.backward + self.later[k])
        again = forward + last + self.later[j - 1] if forgotten else 0
        # Whoever called has the result while the pass goes backward.
        end = self.costs[-1]
        result = end.output - (end.held if j == len(self.costs) and not forgotten else 0)
        return max(forward, result + max(backward, again))

    def least(self) -> float:
        """The least peak that can be reached."""
        n = len(self.costs)
        low, high = 0.0, float(self.peak([(i, i + 1, False) for i in range(n)]))
        while high - low > 1e-4 * high:
            middle = (low + high) / 2
            found = self.cheapest(middle)
            low, high = (middle, high) if found is None else (low, float(self.peak(found)))
        return high

    def cheapest(self, limit: float) -> list[Segment] | None:
        """The way to cut that computes least again among those that stay under a limit; None if none does.

        For each position, and for how the block before it is treated, the ways to get there of which none has
        both less bytes and less seconds than another.
        """
        n = len(self.costs)
        ways: list[dict[bool, list[_Way]]] = [{False: [], True: []} for _ in range(n + 1)]
        ways[0][False] = [_Way(0, 0.0, None, None)]
        for i in range(n):
            for after in (False, True):
                for way in _best(ways[i][after]):
                    for forgotten in (False, True):
                        stored = way.stored + self.stores(i, forgotten, after)
                        seconds = way.seconds
                        for j in range(i + 1, n + 1) if forgotten else (i + 1,):
                            seconds += self.costs[j - 1].seconds if forgotten else 0.0
                            key = (i, j, forgotten, after)
                            if key not in self.known:
                                self.known[key] = self.needs(*key)
                            if way.stored + self.known[key] <= limit:
                                ways[j][forgotten].append(_Way(stored, seconds, way, (i, j, forgotten)))
        ends = ways[n][False] + ways[n][True]
        if not ends:
            return None
        way = min(ends, key=lambda one: (one.seconds, one.stored))
        segments: list[Segment] = []
        while way.segment is not None and way.before is not None:
            segments.append(way.segment)
            way = way.before
        return segments[::-1]


@dataclass
class _Way:
    stored: int
    seconds: float
    before: _Way | None
    segment: Segment | None


def _best(ways: list[_Way]) -> list[_Way]:
    """Those that no other one beats in both respects."""
    found: list[_Way] = []
    for way in sorted(ways, key=lambda one: (one.stored, one.seconds)):
        if not found or way.seconds < found[-1].seconds:
            found.append(way)
    return found


# ---- helpers


def _listed(what: str, functions: Functions) -> list[Callable[[Any], Any]]:
    blocks = list(functions) if isinstance(functions, Iterable) else []
    if not blocks or not all(callable(block) for block in blocks):
        raise ShapeError(
            f"{what}: a {type(functions).__name__} given; functions to apply one after another are needed, such as a "
            "Sequential or a list of modules"
        )
    return blocks


def _chained(blocks: Sequence[Callable[[Any], Any]]) -> Callable[[Any], Any]:
    def chain(x: Any) -> Any:
        for block in blocks:
            x = block(x)
        return x

    return chain


def _size(count: float) -> str:
    return f"{count / 1e6:.3g} MB" if count >= 1e6 else f"{count / 1e3:.3g} kB"
