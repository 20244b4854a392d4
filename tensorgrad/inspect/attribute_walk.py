"""A backward pass whose cotangents have labels: what every way to split a gradient is made of.

A pullback is linear in its cotangent. So a cotangent may be taken apart anywhere into labelled parts that sum to it,
and each part walks on by itself: what arrives at a parameter under a label is that part of its gradient, and all labels
sum to the whole. The ways to split differ only in where a label is given:

- to what arrives at a node (``arriving`` of `Tape.sweep`): terms, samples, paths;
- to what a node sends to one of its inputs (``sending``): uses.

The parts of one value lie in one array, label by label, so that a node pulls all of them back at once, by `vmap`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from typing import Any

import numpy as np

from .. import transforms
from .._config import get_mode, no_grad, set_watched
from .._errors import NoGraphError, TensorgradError
from .._tape import PICK, Leaf, Parts, Walk, check_not_stale, collect, leading_to
from .._tensor import Tensor, wrap
from .attribute_rows import pulled_rows, spread_rows

Array = np.ndarray[Any, np.dtype[Any]]

FAILURES = (TensorgradError, AttributeError, IndexError, TypeError, ValueError)
"""What a formula may raise that cannot compute on many parts at once; then it computes on one after the other."""


class Mark(Enum):
    """Labels that no user's name can be equal to."""

    REST = "what no other label was given to"
    OTHERS = "what was added up on the way"


REST, OTHERS = Mark.REST, Mark.OTHERS


@dataclass(slots=True)
class Family:
    """The parts of one cotangent.

    Args:
        labels: of each part, all different.
        stack: the parts along the first axis; for an op with several results, `Parts` of such arrays.
        rows: if it is given, each part is zero but for this one row of the value's first axis, and ``stack`` has only
            that row, as a first axis of length 1.
    """

    labels: tuple[Any, ...]
    stack: Any
    rows: tuple[int, ...] | None = None

    def full(self, shape: Any) -> Family:
        """The parts with all rows of a value of this shape."""
        return self if self.rows is None else Family(self.labels, spread_rows(self.stack, self.rows, shape))

    def renamed(self, labels: Sequence[Any]) -> Family:
        """The same parts under other labels; those of one label are added."""
        kept = tuple(dict.fromkeys(labels))
        if len(kept) == len(labels):
            return Family(kept, self.stack)
        rows = [[i for i, label in enumerate(labels) if label == one] for one in kept]
        return Family(
            kept, _each(self.stack, lambda stack: np.stack([stack[some].sum(axis=0) for some in rows]))
        )

    def stacks(self) -> dict[int, Array]:
        """The stack of each result of an op with several, or the only one under 0."""
        return self.stack.parts if type(self.stack) is Parts else {0: self.stack}

    def part(self, i: int) -> Any:
        """One of the parts."""
        return _each(self.stack, lambda stack: stack[i])

    def norms(self) -> Array:
        """The norm of each part."""
        stacks = self.stacks().values()
        wide = [np.abs(stack.reshape(len(stack), -1)).astype(np.float64, copy=False) for stack in stacks]
        return np.sqrt(sum((one**2).sum(axis=1) for one in wide))  # type: ignore[no-any-return]


def together(families: Sequence[Family], shape: Any) -> Family:
    """The sum of contributions to the cotangent of a value, label by label."""
    if any(one.rows != families[0].rows for one in families):
        families = [one.full(shape) for one in families]
    first, *others = families
    if all(one.labels == first.labels for one in others):
        return Family(first.labels, sum([one.stack for one in others], first.stack), first.rows)
    families = [one.full(shape) for one in families]
    places = {label: i for i, label in enumerate(dict.fromkeys(one for f in families for one in f.labels))}
    made: dict[int, Array] = {}
    for family in families:
        rows = [places[label] for label in family.labels]
        for i, stack in family.stacks().items():
            if i not in made:
                made[i] = np.zeros((len(places), *stack.shape[1:]), stack.dtype)
            made[i][rows] += stack
    return Family(tuple(places), Parts(made) if type(first.stack) is Parts else made[0])


Arriving = Callable[[Any, Family], Family | None]
Sending = Callable[[Any, int, Family], Family]


class Tape:
    """The part of a tape that leads from losses to parameters.

    Args:
        losses: tensors with a history, each of one element.
        params: tensors that require a gradient.

    Raises:
        NoGraphError: the history was freed.
        MutatedError: a leaf was written to after its value was saved.
    """

    def __init__(self, losses: Sequence[Tensor], params: Sequence[Tensor]) -> None:
        try:
            self.order, self.leaves = collect(dict.fromkeys([loss._node for loss in losses]))
        except NoGraphError:
            raise NoGraphError(
                "attribute: the graph of the loss was freed by a backward pass; call attribute before it, pass "
                "retain_graph=True to it, or compute the loss again"
            ) from None
        check_not_stale(self.order, self.leaves)
        self.losses = losses
        self.targets = frozenset([param._node for param in params])
        self.reached = self.targets & {*self.order, *self.leaves}
        self.leading = leading_to(self.order, self.reached)
        self.number = {node: i + 1 for i, node in enumerate(self.order)}

    def between(self) -> list[Any]:
        """The nodes on the way, oldest first."""
        return [node for node in self.order if node in self.leading]

    def edges(self, node: Any) -> tuple[Any, ...]:
        """Those on the way, and None for the others."""
        return tuple([edge if edge in self.leading else None for edge in node.edges])

    def start(self) -> dict[Any, Family]:
        """The cotangent that a pass begins with: 1 for each loss, under the label `REST`."""
        found: dict[Any, list[Family]] = {}
        for loss in self.losses:
            seed = Family((REST,), np.ones((1, *loss.shape), loss.dtype))
            found.setdefault(loss._node, []).append(seed)
        return {node: together(seeds, node.shape) for node, seeds in found.items()}

    def whole(self) -> dict[Any, Any]:
        """The gradient of each target by the engine's own backward pass, without hooks."""
        seeds = [(loss._node, np.ones(loss.shape, loss.dtype)) for loss in self.losses]
        walk = _WithoutHooks(wrap, retain=True, create=False, show=None, keep=False)
        return walk.run(seeds, self.targets)

    def sweep(
        self,
        start: Mapping[Any, Family],
        arriving: Arriving | None = None,
        sending: Sending | None = None,
    ) -> dict[Any, Family]:
        """Walk back from ``start``; hooks are not run, and nothing is freed or stored.

        Args:
            start: the cotangents to begin with, by node.
            arriving: is shown the finished cotangent of each node and gives the one to go on with; None ends it.
            sending: is shown what a node sends to the input at a position, and gives what arrives there.

        Returns:
            The finished cotangent of each target that was reached.
        """
        known = {node: [family] for node, family in start.items()}
        finished: dict[Any, Family] = {}
        leaves = [node for node in self.reached if type(node) is Leaf]
        for node in (*reversed(self.order), *leaves):
            received = known.pop(node, None)
            if received is None or node not in self.leading:
                continue
            family = together(received, node.shape)
            if arriving is not None:
                changed = arriving(node, family)
                if changed is None:
                    continue
                family = changed
            if node in self.targets:
                finished[node] = family.full(node.shape)
            edges = self.edges(node)
            if not any(edges):
                continue
            for position, (edge, part) in enumerate(zip(edges, pulled(node, family, edges), strict=True)):
                if edge is None or part is None:
                    continue
                sent = part if sending is None else sending(node, position, part)
                known.setdefault(edge, []).append(sent)
        return finished


def pulled(node: Any, family: Family, edges: tuple[Any, ...]) -> list[Family | None]:
    """What a node sends to each of its inputs, all parts at once where its formulas can do that."""
    labels, rows_of = family.labels, family.rows
    if node.prim is PICK:
        return [Family(labels, Parts({node.saved[0]: family.stack}), rows_of)]
    if rows_of is not None:
        try:
            sent = pulled_rows(node, family.stack, rows_of, edges)
        except FAILURES:
            sent = None  # all rows at once is always right
        if sent is not None:
            return [one and Family(labels, one[0], rows_of if one[1] else None) for one in sent]
        family = family.full(node.shape)
    if len(labels) > 1 and node.prim.trusted:
        try:
            return _batched(node, family, edges)
        except FAILURES:
            pass  # one by one is always right
    rows = [node.prim.pullback(family.part(i), edges, node.saved, node.shape) for i in range(len(labels))]
    return [
        None if edge is None or any(c is None for c in cs) else Family(labels, _stacked(cs))
        for edge, cs in zip(edges, zip(*rows, strict=True), strict=True)
    ]


@contextmanager
def quietly() -> Iterator[None]:
    """Whoever watches is not shown what is computed in the block, and nothing is recorded for gradients."""
    with no_grad(), np.errstate(all="ignore"):
        mode = get_mode()
        set_watched(0)
        try:
            yield
        finally:
            set_watched(mode)


# ---- helpers


class _WithoutHooks(Walk):
    """A backward pass that shows gradients to nobody."""

    def through_hooks(self, node: Any, g: Any) -> Any:
        return g


def _batched(node: Any, family: Family, edges: tuple[Any, ...]) -> list[Family | None]:
    places: list[int] = []
    several = type(family.stack) is Parts

    def pull(parts: dict[int, Any]) -> list[Any]:
        results = node.prim.pullback(Parts(parts) if several else parts[0], edges, node.saved, node.shape)
        places[:] = [i for i, c in enumerate(results) if c is not None and edges[i] is not None]
        return [results[i] for i in places]

    found: list[Family | None] = [None] * len(edges)
    made = transforms.vmap(pull)(family.stacks())
    for i, stack in zip(places, made, strict=True):
        found[i] = Family(family.labels, np.asarray(stack._d if isinstance(stack, Tensor) else stack))
    return found


def _stacked(parts: Sequence[Any]) -> Any:
    return np.stack([np.asarray(one._d if isinstance(one, Tensor) else one) for one in parts])


def _each(stack: Any, change: Callable[[Array], Any]) -> Any:
    if type(stack) is Parts:
        return Parts({i: change(one) for i, one in stack.parts.items()})
    return change(stack)
