"""Reverse mode, whole: the record of what was computed, and the walk back over it.

`Node` is one application of a primitive, `Leaf` a tensor that gradients are wanted for. A node
keeps raw arrays and points to the nodes of its inputs, never to a tensor and never forward, so the
graph has no cycle and goes away by reference counting, node by node.

`backward` collects the nodes, sorts them by the time they were made, and walks from the newest to
the oldest: each pullback turns the cotangent of its result into one per edge. First order runs on
arrays. For higher orders the saved values are revived as tensors on their own nodes, and the same
formulas record what they do.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from contextvars import ContextVar
from itertools import count
from operator import attrgetter
from time import perf_counter
from typing import Any, ClassVar

import numpy as np

from ._config import WATCHED, ZEROS, get_mode
from ._errors import MutatedError, NoGraphError
from ._gates import own_copy
from ._hooks import Extra, replacement
from ._specialise import ARRAYS
from ._touched import about_to_accumulate
from ._watch import watchers
from ._writer import saved_names
from ._zeros import absorbing

tick = count(1).__next__
"""The clock: a number for each node and for each write to a leaf, later ones higher."""

Wrap = Callable[[Any, Any], Any]

accumulation = threading.RLock()
walking: ContextVar[Walk] = ContextVar("tensorgrad_walking")
"""The walk that calls pullbacks in this thread or task, innermost."""
run_again: ContextVar[int] = ContextVar("tensorgrad_run_again", default=0)
"""Where a function is run again as it was run before: when that was."""
_oldest_first = attrgetter("seq")


class Node:
    """One application of a primitive.

    Attributes:
        prim: the card.
        edges: for each input, the `Node` or `Leaf` that it came from, or None.
        saved: the values that the formulas ask for, in the order of ``saved_names(prim)``; None once freed.
        shape: the shape of the result.
        seq: when it was made.
        extra: hooks and notes on this node (`Extra`), usually None.
    """

    __slots__ = ("edges", "extra", "prim", "saved", "seq", "shape")
    prim: Any
    edges: tuple[Any, ...]
    saved: tuple[Any, ...] | None
    shape: tuple[int, ...]
    seq: int
    extra: Extra | None


class Leaf:
    """Where a gradient ends: the record of a tensor that was not computed from others.

    It does not know its tensor. ``seq`` is the time of the last write to the tensor's storage, which
    is how backward sees that a value was overwritten after a node saved it. ``closed`` is the time when a `grad`
    whose variable it was returned, 0 before: what still depends on it is a constant to it.
    """

    __slots__ = ("closed", "dtype", "extra", "grad", "private", "seq", "shape")
    edges = ()

    def __init__(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
        self.shape = shape
        self.dtype = dtype
        self.grad: Any = None  # a tensor without history
        self.private = False  # whether nobody outside has seen `grad`, so that it may be added to in place
        self.seq = 0
        self.closed = 0
        self.extra: Extra | None = None


def is_closed(leaf: Leaf) -> bool:
    """Whether the `grad` of this variable has returned, or had when the function that runs again ran first."""
    return bool(leaf.closed) and leaf.closed < (run_again.get() or leaf.closed + 1)


class Parts:
    """The cotangents of an op with several results, as far as they are known: position -> cotangent.

    A sum belongs to the walk that made it, and takes more parts without a copy: ops have thousands of results.
    """

    __slots__ = ("own", "parts")

    def __init__(self, parts: dict[int, Any], own: bool = False) -> None:
        self.parts = parts
        self.own = own

    def __add__(self, other: Parts) -> Parts:
        total = self if self.own else Parts(dict(self.parts), own=True)
        joined = total.parts
        for i, part in other.parts.items():
            joined[i] = joined[i] + part if i in joined else part
        return total


# ---- the walk


class Walk:
    """One backward pass.

    Args:
        wrap: makes a tensor of data and a node (`_tensor` hands itself in here).
        retain: keep what the nodes saved.
        create: record the pass itself, for higher orders.
        show: makes tensors of saved arrays for someone who watches the operations inside the formulas.
        keep: let tensors that retain their gradient have it.
    """

    def __init__(
        self, wrap: Wrap, *, retain: bool, create: bool, show: Callable[[Any], Any] | None, keep: bool
    ) -> None:
        self.wrap = wrap
        self.show = show
        self.keep = keep
        self.retain = retain or create
        self.create = create
        self.tensors = create or show is not None
        self.cotangents: dict[Any, Any] = {}  # of what lies ahead, as far as they are known
        self.owned: set[Any] = set()  # where the cotangent is an array that nobody else holds

    def run(
        self,
        roots: Sequence[tuple[Any, Any]],
        stop: frozenset[Any] = frozenset(),
        collected: tuple[list[Any], set[Any]] | None = None,
    ) -> dict[Any, Any]:
        """Walk back from ``roots``, pairs of a node and its cotangent.

        Args:
            roots: where to start, each with its cotangent.
            stop: where to end besides leaves. If it is given, only what leads there is computed.
            collected: what `collect` found for the roots, if somebody has looked already.

        Returns:
            The cotangent of each leaf or stop that was reached.
        """
        cotangents = self.cotangents
        for node, g in roots:
            cotangents[node] = cotangents[node] + g if node in cotangents else g
        order, leaves = collected or collect(cotangents)
        check_not_stale(order, leaves)
        wanted = leading_to(order, stop) if stop and not leaves <= stop else None
        watching = watchers() if get_mode() & WATCHED else ()
        zeros = get_mode() & ZEROS
        for watcher in watching:
            watcher.start(self, roots, order)
        finished: dict[Any, Any] = {}
        token = walking.set(self)
        owned, retain, tensors = self.owned, self.retain, self.tensors
        take, known = cotangents.pop, cotangents.get
        while order:
            node = order.pop()
            g = take(node, None)
            if g is None:
                continue
            if node.extra is not None:
                g = self.through_hooks(node, g)
            if stop and node in stop:
                finished[node] = g
            edges, saved = node.edges, node.saved
            if saved is None:
                raise _freed(node)
            if not retain:
                node.saved = None
                node.edges = ()
            if wanted is not None:
                edges = tuple([edge if edge in wanted else None for edge in edges])
                if not any(edges):  # a stop, or a branch that leads to none
                    continue
            if watching:
                began = perf_counter()
            card = absorbing(node.prim) if zeros else node.prim
            results = c = old = None  # what the node before left must not live through this one
            results = card.pullback(
                g, edges, self.revive(node, saved, node.edges) if tensors else saved, node.shape
            )
            if watching:
                seconds = perf_counter() - began
                for watcher in watching:
                    watcher.backward(self, node, g, results, seconds)
            for edge, c in zip(edges, results):  # noqa: B905  (strict costs more than the multiplication)
                if c is None:
                    continue
                old = known(edge)
                if old is None:
                    # The first contribution is borrowed: it may be g, a saved value or a view.
                    cotangents[edge] = c
                    if type(edge) is Leaf and not watching and is_fresh(c, g, saved):
                        owned.add(
                            edge
                        )  # a watcher keeps what it is shown, so then nothing is written into it
                elif (
                    edge in owned
                    and type(c) is np.ndarray
                    and type(old) is np.ndarray
                    and old.dtype is c.dtype
                ):
                    np.add(old, c, out=old)
                else:
                    cotangents[edge] = old + c
                    owned.add(edge)
        for leaf in leaves:
            if leaf in cotangents:
                g = cotangents.pop(leaf)
                finished[leaf] = g if leaf.extra is None else self.through_hooks(leaf, g)
        walking.reset(token)
        return finished

    def revive(self, node: Node, saved: tuple[Any, ...], edges: tuple[Any, ...]) -> tuple[Any, ...]:
        """The saved values as tensors: where they stood in the graph, or only for watchers to see."""
        if self.create:
            saved = node.prim.revive(saved, edges, node, self.wrap)
        if self.show is None:
            return saved
        names = {*node.prim.inputs, "y"}
        return tuple([
            self.seen(value) if name in names else value
            for name, value in zip(saved_names(node.prim), saved, strict=True)
        ])  # fmt: skip

    def seen(self, value: Any) -> Any:
        """Arrays as tensors without history; what is not an array stays."""
        if isinstance(value, tuple):
            return tuple([self.seen(one) for one in value])
        return self.show(value) if type(value) in ARRAYS and self.show else value

    def through_hooks(self, node: Any, g: Any) -> Any:
        """Show a finished gradient to the hooks of its node; a hook may return another in its place."""
        extra = node.extra
        self.owned.discard(node)  # from here on somebody else may hold it
        for hook in tuple(extra.hooks.values()):
            given = hook(g if self.tensors else self.wrap(own_copy(g), None))
            if given is not None:
                g = replacement(g, given if self.tensors else raw_of(given), given)
        if extra.keeps_grad and self.keep:
            kept = self.wrap(raw_of(g) if self.tensors else own_copy(g), None)
            extra.grad = kept if extra.grad is None else extra.grad + kept
        return g


def collect(roots: Iterable[Any]) -> tuple[list[Any], set[Any]]:
    """Every node that ``roots`` were computed from, oldest first, and the leaves.

    A breadth list and one sort: no recursion, and nodes are found in nearly sorted order.
    """
    order: list[Any] = []
    leaves: set[Any] = set()
    for root in roots:
        leaves.add(root) if type(root) is Leaf else order.append(root)
    seen = set(order)
    for node in order:
        edges = node.edges
        if not edges:
            raise _freed(node)
        for edge in edges:
            if edge is not None and edge not in seen:
                seen.add(edge)
                if type(edge) is Leaf:
                    leaves.add(edge)
                else:
                    order.append(edge)
    order.sort(key=_oldest_first)
    return order, leaves


def leading_to(order: Sequence[Any], stop: frozenset[Any]) -> set[Any]:
    """The nodes from which some node of ``stop`` is reached; ``order`` is oldest first."""
    found = set(stop)
    for node in order:
        if not found.isdisjoint(node.edges):
            found.add(node)
    return found


def is_fresh(c: Any, g: Any, saved: tuple[Any, ...]) -> bool:
    """Whether a formula made the array ``c``, so that it may become a leaf's gradient without a copy."""
    return c is not g and type(c) is np.ndarray and c.base is None and not any(c is one for one in saved)


def check_not_stale(order: Sequence[Any], leaves: set[Any]) -> None:
    """Raise if a leaf was written to after a node saved its value, or a view of it.

    One comparison per leaf decides whether to look closer. A view carries the leaf whose storage it
    shares, so that ``x @ w.T`` is caught too, while ``w.reshape(-1) + 1``, which saves nothing, is not.
    """
    if not order or all(leaf.seq < order[0].seq for leaf in leaves):
        return
    storage: dict[Any, Leaf] = {leaf: leaf for leaf in leaves}
    for node in order:
        if node.prim.view and node.edges[0] in storage:
            storage[node] = storage[node.edges[0]]
        names = saved_names(node.prim)
        for position, edge in enumerate(node.edges):
            leaf = storage.get(edge)
            if leaf is None or leaf.seq < node.seq:
                continue
            name = node.prim.input_of(position)
            if name in names and node.saved[names.index(name)] is not None:
                raise MutatedError(
                    f"backward: {node.prim.name} saved {name} {edge.shape} at time {node.seq}, and the "
                    f"tensor was written to at time {leaf.seq}, so its gradient would be wrong; call "
                    "backward before the update, or compute the result again after it"
                )


def _freed(node: Any) -> NoGraphError:
    return NoGraphError(
        f"backward: the graph of {node.prim.name} was freed by an earlier backward; pass "
        "retain_graph=True to that one, or compute the result again"
    )


# ---- arriving


def accumulate(leaf: Leaf, g: Any, wrap: Wrap, *, own: bool) -> None:
    """Add a finished gradient to ``leaf.grad``, in the leaf's own shape and dtype.

    What is stored is an array of its own: never a broadcast view, the user's seed or another leaf's.
    """
    if g.dtype != leaf.dtype:
        g, own = settle(g, leaf.dtype), True
    plain = isinstance(g, np.ndarray | np.generic)
    about_to_accumulate(leaf)
    with accumulation:
        before = leaf.grad
        if before is None:
            if plain:
                g = g if own and g.flags.c_contiguous else own_copy(g)
            leaf.grad = wrap(g, None) if plain else g
        elif plain and leaf.private and type(before._d) is np.ndarray:
            np.add(before._d, g, out=before._d)
        else:
            leaf.grad = wrap(before._d + g, None) if plain else before + g
        leaf.private = True
        after = leaf.grad
    if get_mode() & WATCHED:
        for watcher in watchers():
            watcher.accumulate(leaf, before, after)


def settle(g: Any, dtype: np.dtype[Any]) -> Any:
    """A gradient in its input's dtype; that of a real input is the real part."""
    if g.dtype == dtype:
        return g
    return (g.real if g.dtype.kind == "c" and dtype.kind != "c" else g).astype(dtype)


def raw_of(value: Any) -> Any:
    """The data of a tensor without a level, or the array itself."""
    return getattr(value, "_d", value)


# ---- several results


def fill(g: Any, layouts: Sequence[tuple[tuple[int, ...], np.dtype[Any]]]) -> tuple[Any, ...]:
    """The cotangents of all results of an op: zeros for those that nothing was computed from."""
    parts = g.parts if type(g) is Parts else dict(enumerate(g))
    return tuple([parts[i] if i in parts else np.zeros(*layout) for i, layout in enumerate(layouts)])


class _Pick:
    """The card of the hidden node behind each result of an op that returns several."""

    name = "pick"
    kind = "general"
    inputs = ("results",)
    params = ("index",)
    formulas: ClassVar[dict[str, Any]] = {}
    variadic = several = False
    view = True  # a part of a split view shares storage with what was split
    trusted = True
    saves = ("index",)

    @staticmethod
    def revive(saved: Any, edges: Any, node: Any, wrap: Any) -> Any:
        return saved

    @staticmethod
    def pullback(g: Any, edges: Any, saved: Any, shape: Any) -> tuple[Any, ...]:
        return (Parts({saved[0]: g}),)

    @staticmethod
    def input_of(position: int) -> str:
        return "results"


PICK = _Pick()


def pick(node: Node, index: int, result: Any) -> Node:
    """The node of one result of an op that returns several."""
    made = Node()
    made.prim = PICK
    made.edges = (node,)
    made.saved = (index,)
    made.shape = result.shape
    made.seq = tick()
    made.extra = None
    return made


def shapes_of(results: Sequence[Any]) -> tuple[Any, ...]:
    return tuple([result.shape for result in results])


def layouts_of(results: Sequence[Any]) -> tuple[Any, ...]:
    return tuple([(result.shape, result.dtype) for result in results])
