"""What the blocks of a chain cost: bytes and seconds of each, measured by running it by itself."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import numpy as np

from .. import ops
from .._config import enable_grad
from .._errors import GradientError
from .._tape import Leaf, tick
from .._tensor import Tensor, pull, wrap
from .._touched import Touched
from .._tree import flatten, unflatten
from .checkpoint import inside, results_of


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


def measured(blocks: Sequence[Callable[[Any], Any]], x: Any) -> list[BlockCost]:
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
    given, returned, kept = _storage(x), _storage(y), _saved_by(nodes, start)
    after = y
    del y, made
    loose = sum(n for key, n in returned.items() if key not in kept and key not in given)
    saved = max(0, _live() - base - loose)
    backward = gradients = 0
    if nodes:
        entries = {edge for one in flatten(x)[0] if isinstance(one, Tensor) for edge in _leaves_of(one)}
        del nodes
        after = _entry(after)  # of its own memory: that of the result is the graph's to let go
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
        return ops.reshape(wrap(np.array(x._d)[()], Leaf(x.shape, x.dtype)), x.shape)


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
