"""The bodies of the ops, put in place at their first call.

A walk over the arguments of every call would cost more than everything else together, so an op's
body is written for its own inputs (see `_writer`): the *entry* that computes and records, the
*pullback* that turns the cotangent of the result into one per input, and the revival of saved values
for higher orders. To see them::

    print(tg.multiply.card.source)

The entry handles the usual case, plain tensors, arrays and numbers in an unwatched thread. All else
(a value of a transformation, a list, a watcher, mixed dtypes, somebody else's op) goes to `process`,
the general twin in `_record`; a test holds the two to building the same nodes.

The text reads global names that `_tensor` sets when it is imported, so that nothing down here imports upward:

==============================  ================================================================================
``Tensor, Parameter, Node``     the classes
``process``                     the way out of an entry: to its twin for watchers, or to the general path
``general``                     the general path
``explain``                     turns NumPy's error into ours
``tick``                        the clock that orders nodes and writes
``keep``                        copies an array of the user's before a node saves it
``watchers, Given, clock``      whom the twin tells; marks data of an input that was no tensor; seconds
``constants, picks, pick``      several results: without a graph, with each its place in it, one of them
``shapes_of, layouts_of``       of several results
``sum_to_, conjugate_``         undoes broadcasting; for complex cotangents
``refit_, gate_, slope_``       gates: for a cotangent of another shape, for formulas that are not the library's,
``listed_``                     for a derivative of an elementwise op, for a list of inputs
``guarded_, fill_``             what a user's formula gets, safe from being written to; completes the cotangents
                                of several results
==============================  ================================================================================
"""

from __future__ import annotations

import linecache
import threading
from collections.abc import Callable
from types import FunctionType
from typing import Any

import numpy as np
from numpy import ndarray

from ._config import get_mode  # noqa: F401  (read by generated text)
from ._writer import entry, pullback, revive, saved_names

ARRAYS = frozenset({np.ndarray, *np.sctypeDict.values()} - {np.object_, np.str_, np.bytes_, np.void})
"""The types of plain data with a dtype: arrays, and NumPy's scalars."""
SCALARS = frozenset({bool, int, float})
"""Python's real numbers. Their dtype is weak: they take that of the other operand."""
RAW = ARRAYS | SCALARS
NUMERIC = frozenset("biufc")
FORWARD_ERRORS = (ValueError, TypeError, IndexError, OverflowError)


class Unset:
    """Stands for `Tensor` and its like until `_tensor` is imported; nothing is an instance of it."""


class _Weak(dict[Any, Any]):
    """Python numbers in one dtype, ready made: NumPy computes with those twice as fast.

    For arrays they are read-only 0-d arrays, for NumPy's scalars such scalars.
    """

    def __init__(self, kind: Any) -> None:
        self.dtype = np.dtype(kind)
        self.scalar = isinstance(kind, type)

    def __missing__(self, value: Any) -> Any:
        if self.dtype.kind not in "fc":
            return value  # NumPy's own rules decide the dtype
        try:
            made = np.array(value, self.dtype)
        except OverflowError:
            return value
        made.flags.writeable = False
        result = made[()] if self.scalar else made
        # 0.0 == -0.0, 1 == True and nan != nan as keys: a zero would lose its sign, a NaN fill the table.
        if value == value and value != 0 and len(self) < 1024:
            self[value] = result
        return result


class _WeakTables(dict[Any, _Weak]):
    def __missing__(self, kind: Any) -> _Weak:
        table = self[kind] = _Weak(kind)
        return table


WEAK = _WeakTables()

Tensor: Any = Unset
Parameter: Any = Unset
shape: Any = np.shape
new = object.__new__


def plain(array: Any) -> Any:
    """An array as tensors hold it: what has no axes is a NumPy scalar, which is six times faster."""
    return array[()] if type(array) is ndarray and not array.ndim else array


def weak(value: Any, partner: Any) -> Any:
    """A Python number in the dtype of what it is combined with; a number beside a number stays one."""
    if not hasattr(partner, "dtype"):
        return value
    if type(value) is complex:
        return np.result_type(partner.dtype, 1j).type(value)
    return WEAK[type(partner) if isinstance(partner, np.generic) else partner.dtype][value]


_lock = threading.Lock()


def install(**names: Any) -> None:
    """Set the names that generated text reads; called once, as the last act of importing `_tensor`."""
    globals().update(names)


def make_op(card: Any) -> Callable[..., Any]:
    """A function that writes its own body at its first call."""
    forward = card.forward

    def op(*args: Any, **params: Any) -> Any:
        specialise(card)
        return op(*args, **params)
        forward  # noqa: B018  (unreachable: generated code must close over the same three names)

    card.blank = op.__code__
    forget(card)
    return op


def forget(card: Any) -> None:
    """Let the next call write the bodies of a card again: formulas may have been added."""

    def later(name: str) -> Callable[..., tuple[Any, ...]]:
        def write_and_call(*args: Any) -> Any:
            specialise(card)
            return getattr(card, name)(*args)

        return write_and_call

    with _lock:
        card.pullback, card.revive, card.shown = later("pullback"), later("revive"), _shown_later(card)
        card.pushforward = None
        if card.saves is not None:
            card.saves = None
            card.op.__code__ = card.blank
            card.op.__defaults__ = card.op.__kwdefaults__ = None


def _shown_later(card: Any) -> Callable[..., Any]:
    """The twin of an entry for watchers, written when somebody watches for the first time."""

    def write_and_call(*args: Any) -> Any:
        if card.saves is None:
            specialise(card)
        source = _closure(entry(card, shown=True), ["forward", "card"], ["entry"])
        card.shown = compiled(card, source, "shown op")["make"](card.forward, card)[0]
        return card.shown(*args)

    return write_and_call


def specialise(card: Any) -> None:
    """Write entry and pullback of a card, compile them, and put them in place."""
    with _lock:
        card.saves, card.pushforward = tuple(saved_names(card)), None
        source = "\n\n".join([entry(card), pullback(card), revive(card)])
        rules = {f"rule{i}_": one.function for i, one in enumerate(card.formulas.values())}
        wrapped = _closure(source, ["forward", "card", "op", *rules], ["entry", "pullback", "revive"])
        make = compiled(card, wrapped, "op")["make"]
        body, card.pullback, card.revive = make(card.forward, card, card.op, *rules.values())
        card.source = source
        op: FunctionType = card.op
        # Defaults before code: between the two, another thread may call.
        op.__defaults__, op.__kwdefaults__ = body.__defaults__, body.__kwdefaults__
        op.__code__ = body.__code__


def compiled(card: Any, source: str, what: str, names: dict[str, Any] | None = None) -> dict[str, Any]:
    """What ``source`` defines, reading ``names`` (by default those of this file); tracebacks show its lines."""
    file = f"<tensorgrad {what} {card.name} {id(card)}>"
    linecache.cache[file] = (len(source), None, source.splitlines(True), file)
    space: dict[str, Any] = {}
    exec(compile(source, file, "exec"), globals() if names is None else names, space)
    return space


def _closure(source: str, names: list[str], results: list[str]) -> str:
    """Wrap the functions in a factory. The entry must close over the stub's names, and no others."""
    parts = source.split("\n\n")
    body = "\n".join([parts[0], f"    {', '.join(names[:3])}", *parts[1:], f"return {', '.join(results)},"])
    return f"def make({', '.join(names)}):\n" + "\n".join("    " + line for line in body.splitlines()) + "\n"
