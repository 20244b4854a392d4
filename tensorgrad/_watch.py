"""Watching: somebody to whom operations and backward passes are shown as they run.

Nothing in the engine needs it: with nobody there, it costs an entry the comparison of one number.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from ._config import GENERAL, WATCHED, get_mode, set_watched


class Watcher:
    """Somebody to whom operations are shown: a tracer, a recorder, anomaly mode. The methods here do nothing.

    A watched thread sends each operation on level-0 tensors to ``op`` after it ran, with arrays among
    the arguments made tensors; ``adopt`` is told of the data of those first. While all watchers of a thread
    are ``light``, operations on tensors, arrays and numbers stay on a fast path, which tells ``note`` what
    the entry of the op knows. With ``sees_formulas`` the backward pass runs on tensors, so that the operations
    inside the formulas are shown as well. One that ``keeps`` holds on to all that it is shown, so that
    nothing is gained by forgetting values and computing them again.
    """

    sees_formulas = False
    light = False
    keeps = False

    def op(self, primitive: Any, args: Any, params: Any, result: Any, seconds: float) -> None:
        """An operation ran, in so many seconds."""

    def note(
        self, primitive: Any, data: tuple[Any, ...], nodes: tuple[Any, ...], params: tuple[Any, ...],
        result: Any, taped: int, seconds: float,
    ) -> None:  # fmt: skip
        """The same, with the data and the node of each input; what was no tensor is `Given` data."""

    def adopt(self, data: Any) -> None:
        """Plain data takes part from here on."""

    def start(self, walk: Any, roots: Any, order: Any) -> None:
        """A backward pass begins at ``roots``, pairs of a node and a cotangent; ``order`` are all its nodes."""

    def backward(self, walk: Any, node: Any, cotangent: Any, results: Any, seconds: float) -> None:
        """A node of a backward pass returned cotangents for its inputs."""

    def accumulate(self, leaf: Any, before: Any, value: Any) -> None:
        """A gradient arrived at a leaf."""

    def assign(self, target: Any, value: Any) -> None:
        """A tensor that keeps its identity is about to have a new value."""

    def detach(self, value: Any, result: Any, how: str) -> None:
        """A tensor without history was made of another one."""

    def leave(self, value: Any, how: str) -> None:
        """A value leaves the library for Python."""

    def reads(self, value: Any, name: str) -> None:
        """A function that is shown as the one op ``name`` reads a tensor that is not among its inputs."""

    def enter(self, module: Any, name: str) -> None:
        """A module that is not inside of another is called."""


_nobody: tuple[Watcher, ...] = ()
_watchers: ContextVar[tuple[Watcher, ...]] = ContextVar("tensorgrad_watchers", default=_nobody)
watchers = _watchers.get
"""The watchers of this thread or task, innermost last."""


@contextmanager
def watching(watcher: Watcher, *, alone: bool = False) -> Iterator[None]:
    """Show every operation in the block to ``watcher``; ``alone``: and to nobody else."""
    before, mode = watchers(), get_mode()
    _watchers.set((watcher,) if alone else (*before, watcher))
    set_watched(mode | WATCHED | (0 if watcher.light else GENERAL))
    try:
        yield
    finally:
        _watchers.set(before)
        set_watched(mode)


@contextmanager
def only_watchers(some: tuple[Watcher, ...]) -> Iterator[None]:
    """Show the operations in the block to these watchers and to nobody else."""
    before, mode = watchers(), get_mode()
    _watchers.set(some)
    set_watched((WATCHED if some else 0) | (0 if all(one.light for one in some) else GENERAL))
    try:
        yield
    finally:
        _watchers.set(before)
        set_watched(mode)


def show(card: Any, args: tuple[Any, ...], params: tuple[Any, ...], result: Any, seconds: float) -> None:
    """Show an operation to whoever watches this thread."""
    for watcher in watchers():
        watcher.op(card, args, params, result, seconds)
