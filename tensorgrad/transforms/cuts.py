"""Where to cut a chain of blocks, so that its gradient fits into memory: measured, planned, applied.

Each block is run by itself, and its bytes are counted: what its nodes save, and the peaks of its forward and
backward pass. From these the peak of every way to cut follows. A block is *kept*, or several in a row are
*forgotten*: of these the input stays, and they are run again, all together, when their gradient is due.
"""

from __future__ import annotations

import math
import tracemalloc
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from time import perf_counter
from typing import Any

import numpy as np

from .. import ops
from .._config import enable_grad
from .._errors import GradientError, ShapeError
from .._tape import Leaf, tick
from .._tensor import Tensor, pull, wrap
from .._touched import Touched
from .._tree import flatten, unflatten
from .checkpoint import checkpoint, inside, results_of

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
    if not isinstance(count, int) or not 1 <= count <= len(blocks):
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
        budget: the bytes that forward and backward pass may take at their peak, besides what is there before:
            parameters and ``x``. Without, the least that can be reached.

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
    table = _Table(_measured(blocks, x))
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
class BlockCost:
    """What one block of a chain costs, in bytes and seconds.

    Attributes:
        name: its type or name.
        seconds: of the forward pass.
        saved: the bytes that its nodes save, besides what the block takes.
        taken: those of what it takes that its nodes save too.
        output: those of what it returns.
        held: those of these that its nodes save.
        forward: the peak of its forward pass.
        backward: the peak of its backward pass, besides what is saved.
        gradients: those of the gradients of its parameters.
    """

    name: str
    seconds: float
    saved: int
    taken: int
    output: int
    held: int
    forward: int
    backward: int
    gradients: int


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
        self.result = costs[-1].output - costs[-1].held  # whoever called has it while the pass goes backward
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
        return max(forward, self.result + max(backward, again))

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


# ---- the measurement


def _measured(blocks: Sequence[Callable[[Any], Any]], x: Any) -> list[BlockCost]:
    """Run each block by itself: once to warm up, once for the time, once with every byte counted."""
    touched, costs = Touched(), list[BlockCost]()
    try:
        with touched.noting():
            _timed(blocks, x)
            seconds = _timed(blocks, x)
            with _tracing():
                for block, time in zip(blocks, seconds, strict=True):
                    cost, x = _counted(block, x, time)
                    costs.append(cost)
    finally:
        touched.put_back()
    if not any(cost.backward for cost in costs):
        raise GradientError(
            "plan_checkpoints: no block has a gradient; give parameters or x requires_grad=True, outside of tg.no_grad()"
        )
    return costs


def _timed(blocks: Sequence[Callable[[Any], Any]], x: Any) -> list[float]:
    found = []
    for block in blocks:
        began = perf_counter()
        y = block(x)
        found.append(perf_counter() - began)
        x = _entry(y)
    return found


def _counted(block: Callable[[Any], Any], x: Any, seconds: float) -> tuple[BlockCost, Any]:
    """The cost of a block, and what the next one takes."""
    start, base = tick(), _live()
    y = block(x)
    forward = _peak() - base
    made = results_of(flatten(y)[0], start)
    nodes, ends = [one._node for one in made], [ops.sum(one * 1.0) for one in made]
    after = _entry(y)
    del y, made
    given, returned, kept = _storage(x), _storage(after), _saved_by(nodes, start)
    loose = sum(n for key, n in returned.items() if key not in kept and key not in given)
    saved = max(0, _live() - base - loose)
    backward = gradients = 0
    if nodes:
        entries = {edge for one in flatten(x)[0] if isinstance(one, Tensor) for edge in _leaves_of(one)}
        del nodes
        base = _live()
        found, _ = pull(ends, [end.dtype.type(1) for end in ends])
        backward = _peak() - base
        gradients = sum(g.nbytes for leaf, g in found.items() if leaf not in entries)
    cost = BlockCost(
        name=getattr(block, "__name__", type(block).__name__),
        seconds=seconds,
        saved=saved,
        taken=sum(n for key, n in given.items() if key in kept),
        output=sum(returned.values()),
        held=sum(n for key, n in returned.items() if key in kept),
        forward=forward,
        backward=backward,
        gradients=gradients,
    )
    return cost, after


def _entry(y: Any) -> Any:
    """What the next block takes, with a graph of its own: not leaves, whose gradients are added up in place."""
    leaves, tree = flatten(y)
    return unflatten(
        tree, [_computed(one) if isinstance(one, Tensor) and one._node else one for one in leaves]
    )


def _computed(x: Tensor) -> Any:
    with enable_grad():
        return ops.reshape(wrap(x._d, Leaf(x.shape, x.dtype)), x.shape)


def _leaves_of(x: Tensor) -> tuple[Any, ...]:
    return (x._node, *x._node.edges) if x._node is not None else ()


def _saved_by(nodes: Iterable[Any], start: int) -> set[int]:
    """The identities of the arrays that nodes save, and those they lead to."""
    order, _ = inside(nodes, start)
    todo, found = [node.saved for node in order], set[int]()
    for value in todo:
        if isinstance(value, tuple | list):
            todo += value
        elif isinstance(value, np.ndarray):
            found.add(id(_base(value)))
        elif hasattr(value, "given"):  # what a checkpointed block keeps
            todo += [one._d if isinstance(one, Tensor) else one for one in value.given]
    return found


def _storage(value: Any) -> dict[int, int]:
    """The memory of a value's arrays: their bytes by identity."""
    data = [one._d if isinstance(one, Tensor) else one for one in flatten(value)[0]]
    return {id(_base(d)): _base(d).nbytes for d in data if isinstance(d, np.ndarray)}


def _base(array: Any) -> Any:
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array


@contextmanager
def _tracing() -> Iterator[None]:
    mine = not tracemalloc.is_tracing()
    if mine:
        tracemalloc.start()
    try:
        yield
    finally:
        if mine:
            tracemalloc.stop()


def _live() -> int:
    """The bytes in use now; the peak counts from here."""
    tracemalloc.reset_peak()
    return tracemalloc.get_traced_memory()[0]


def _peak() -> int:
    return tracemalloc.get_traced_memory()[1]


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
