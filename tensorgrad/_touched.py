"""What a function touches outside of itself, so that it can be run again as if for the first time.

While a `Touched` is open, tensors tell it before they are written to, generators before they are drawn
from, and leaves before a gradient is added to theirs. It keeps the state of each before the first time.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

_open: ContextVar[tuple[Touched, ...]] = ContextVar("tensorgrad_touched", default=())


class Touched:
    """The states that tensors, generators and leaves had before a function touched them."""

    def __init__(self) -> None:
        self.tensors: dict[int, tuple[weakref.ref[Any], _Held]] = {}
        self.generators: dict[int, tuple[Any, Any]] = {}
        self.leaves: dict[int, tuple[Any, Any]] = {}

    @contextmanager
    def noting(self) -> Iterator[None]:
        """Note what is touched in the block, and afterwards forget the tensors that did not outlive it."""
        token = _open.set((*_open.get(), self))
        try:
            yield
        finally:
            _open.reset(token)

    def forget_dead(self) -> None:
        """Forget the tensors that nobody has any more: nobody can read them again."""
        self.tensors = {key: one for key, one in self.tensors.items() if one[0]() is not None}

    def put_back(self) -> None:
        """Make everything as it was before it was touched."""
        for ref, held in self.tensors.values():
            if (x := ref()) is not None:
                held.give(x)
        for source, state in self.generators.values():
            source.bit_generator.state = state
        for leaf, grad in self.leaves.values():
            leaf.grad, leaf.private = grad, False

    @contextmanager
    def undone(self) -> Iterator[None]:
        """Everything as it was before it was touched, for a block; then as it is now."""
        token = _open.set(())
        tensors = [x for ref, _ in self.tensors.values() if (x := ref()) is not None]
        states = [source.bit_generator.state for source, _ in self.generators.values()]
        grads = [leaf.grad for leaf, _ in self.leaves.values()]
        values = [_Held(x) for x in tensors]
        try:
            self.put_back()
            yield
        finally:
            for x, held in zip(tensors, values, strict=True):
                held.give(x)
            for (source, _), state in zip(self.generators.values(), states, strict=True):
                source.bit_generator.state = state
            for (leaf, _), grad in zip(self.leaves.values(), grads, strict=True):
                leaf.grad, leaf.private = grad, False
            _open.reset(token)


class _Held:
    """The value of a tensor, its place in the graph, and the time of the last write to its leaf."""

    __slots__ = ("data", "node", "seq")

    def __init__(self, x: Any) -> None:
        self.data, self.node = x._d, x._node
        self.seq = getattr(x._node, "seq", None)

    def give(self, x: Any) -> None:
        x._d, x._node = self.data, self.node
        if self.node is not None:
            self.node.seq = self.seq


def about_to_write(x: Any) -> None:
    """Note the value of a tensor. While it is noted its array has another holder, so that a write copies it."""
    for touched in _open.get():
        known = touched.tensors.get(id(x))
        if known is None or known[0]() is not x:
            touched.tensors[id(x)] = weakref.ref(x), _Held(x)


def about_to_draw(source: Any) -> None:
    """Note the state of a generator."""
    for touched in _open.get():
        if id(source) not in touched.generators:
            touched.generators[id(source)] = source, source.bit_generator.state


def about_to_accumulate(leaf: Any) -> None:
    """Note the gradient of a leaf, which must not be added to in place from here on."""
    for touched in _open.get():
        if id(leaf) not in touched.leaves:
            touched.leaves[id(leaf)] = leaf, leaf.grad
            leaf.private = False
