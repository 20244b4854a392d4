"""From what was written down while a program ran to a frozen `Graph`.

The recorder (`recorder.py`) and the tape (`tape.py`) give events in the order in which they happened; values
are known by the nodes and the arrays that hold them. All arrays and nodes of the events must be alive, so that
no identity is used twice.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import CodeType
from typing import Any

import numpy as np

from .._record import Given
from .._tape import PICK, Leaf
from .._where import line_of
from .cost import flops_of
from .graph import Contribution, Equation, Graph, Pass, Position, Role, Stats, Step, Var, Write
from .stats import dtype_name, stats_of

Place = tuple[CodeType, int] | None
Measure = Callable[[Any], Stats]


@dataclass(frozen=True, slots=True)
class Applied:
    """An operation ran.

    Args:
        card: its card.
        data: of each input: an array, `Given` data, or `Missing`.
        nodes: of each input, None where no gradient flows.
        params: its parameters, in the order of the card.
        results: of each output its data (or `Missing`) and its node.
        owner: the node of the operation: that of its only output, or what the outputs' nodes point to.
        saved: what that node keeps for its pullback.
        place: the code object and the instruction that called it.
        scopes: the scopes that were open.
        direction: of the pass.
        taped: whether the tape was on.
        seconds: how long it took.
    """

    card: Any
    data: tuple[Any, ...]
    nodes: tuple[Any, ...]
    params: tuple[Any, ...]
    results: tuple[tuple[Any, Any], ...]
    owner: Any = None
    saved: Any = ()
    place: Place = None
    scopes: tuple[str, ...] = ()
    direction: Any = "forward"
    taped: bool = True
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Missing:
    """Stands for data that a tape did not keep; the dtype is empty where nobody knows it."""

    shape: tuple[int, ...]
    dtype: str


@dataclass(frozen=True, slots=True)
class Cut:
    """A value went on without its history: as another tensor (``result``), or out of the library (None)."""

    data: Any
    node: Any
    result: Any
    how: str
    place: Place
    scopes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Assigned:
    """A tensor got a new value: its data and node before, and those of the value."""

    data: Any
    node: Any
    new: Any
    new_node: Any


@dataclass(frozen=True, slots=True)
class Swept:
    """A backward pass: its roots with cotangents, and per node (node, cotangent, results, seconds, hooked)."""

    roots: list[tuple[Any, Any]]
    nodes: list[tuple[Any, Any, tuple[Any, ...], float, bool]]


@dataclass(frozen=True, slots=True)
class Arrays:
    """The numbers behind a recorded graph: values by variable, gradients and contributions by pass."""

    values: dict[int, Any]
    gradients: list[dict[int, Any]]
    contributions: list[list[tuple[Any, ...]]]


class Builder:
    """Turns events into equations, one by one.

    Args:
        names: a label for a node, or for the identity of an array.
        measure: makes the statistics of an array; None: none are made.
    """

    def __init__(self, names: Mapping[Any, str], measure: Measure | None = None) -> None:
        self.names = names
        self.measure = measure
        self.count = 0
        self.of_node: dict[Any, Var] = {}
        self.of_array: dict[int, Var] = {}
        self.arrays: dict[int, Any] = {}
        self.node_of: dict[int, Any] = {}
        self.home: dict[Any, int] = {}  # which equation a node belongs to
        self.inputs: list[Var] = []
        self.captured: list[Var] = []
        self.constants: list[Var] = []
        self.values: dict[int, Any] = {}
        self.equations: list[Equation] = []
        self.writes: list[Write] = []
        self.read: set[int] = set()
        self.lines: dict[Any, Position] = {}

    # ---- events

    def add(self, event: Any) -> None:
        """Take in one event."""
        if type(event) is Applied:
            self.apply(event)
        elif type(event) is Cut:
            self.cut(event)
        else:
            self.assign(event)

    def apply(self, event: Applied) -> None:
        """An operation: one equation."""
        card = event.card
        inputs = tuple([self.input(d, n) for d, n in zip(event.data, event.nodes, strict=True)])
        outputs = tuple([self._new(d, n, "result") for d, n in event.results])
        if event.owner is not None:
            self.home[event.owner] = len(self.equations)
        known = all(var.dtype for var in (*inputs, *outputs))
        self.equations.append(
            Equation(
                card.name,
                inputs,
                outputs,
                dict(zip(card.params, event.params, strict=True)),
                "/".join(event.scopes),
                event.direction,
                card,
                bool(event.taped),
                self._position(event.place),
                event.seconds,
                flops_of(card, inputs, event.params, outputs if card.several else outputs[0])
                if known
                else None,
                None if event.owner is None else _nbytes(event.saved),
            )
        )

    def cut(self, event: Cut) -> None:
        """A value without its history: an equation without a primitive."""
        source = self.input(event.data, event.node)
        leaves = event.result is None
        outputs = () if leaves else (self._new(event.result, None, "result"),)
        self.equations.append(
            Equation(
                "leave" if leaves else "detach",
                (source,),
                outputs,
                {"how": event.how},
                "/".join(event.scopes),
                position=self._position(event.place),
            )
        )

    def assign(self, event: Assigned) -> None:
        """A new value for a tensor."""
        target, value = self.input(event.data, event.node), self.input(event.new, event.new_node)
        self.writes.append(Write(target, value, "data", len(self.equations)))
        self.read.discard(target.index)

    # ---- variables

    def input(self, data: Any, node: Any) -> Var:
        """The variable that stands for an input of an operation."""
        var = self._input(data, node)
        self.read.add(var.index)
        return var

    def _input(self, data: Any, node: Any) -> Var:
        if type(data) is Given:
            return self._constant(data.data)
        missing = type(data) is Missing
        if node is not None:
            known = self.of_node.get(node)
            if known is not None and (missing or type(node) is not Leaf or self._holds(known, data)):
                return known
            return self._new(data, node, "captured" if type(node) is Leaf else "input")
        if missing:
            return self._new(data, None, "unknown" if not data.dtype else "constant")
        known = self.of_array.get(id(data))
        if known is None:
            return self._constant(data) if not np.ndim(data) else self._new(data, None, "input")
        if known.tracked:  # the same array without its history
            self.cut(Cut(data, self.node_of[known.index], data, "detach", None, ()))
            known = self.of_array[id(data)]
        return known

    def _holds(self, var: Var, data: Any) -> bool:
        """Whether a leaf still has the value that its variable stands for."""
        return var.index not in self.arrays or self.arrays[var.index] is data

    def _new(self, data: Any, node: Any, role: Role) -> Var:
        label = self.names.get(node, "") if node is not None else ""
        label = label or self.names.get(id(data), "")
        var = Var(self.count, tuple(data.shape), dtype_name(data.dtype), role, label, node is not None)
        self.count += 1
        if node is not None:
            self.of_node[node] = var
            self.node_of[var.index] = node
        if type(data) is not Missing:
            if type(data) is not np.bool_:  # there are only two of these
                self.of_array[id(data)] = var
            self.arrays[var.index] = data
        places = {"input": self.inputs, "captured": self.captured}
        places.get(role, self.constants).append(var) if role != "result" else None
        return var

    def _constant(self, data: Any) -> Var:
        array = np.asarray(data)
        label = self.names.get(id(data), "")
        var = Var(self.count, array.shape, dtype_name(array.dtype), "constant", label)
        self.count += 1
        self.constants.append(var)
        self.values[var.index] = self.arrays[var.index] = array
        return var

    def _position(self, place: Place) -> Position | None:
        if place is None:
            return None
        if place not in self.lines:
            code, instruction = place
            self.lines[place] = Position(code.co_filename, line_of(code, instruction), code.co_qualname)
        return self.lines[place]

    # ---- backward passes

    def sweep(self, swept: Swept) -> tuple[Pass, dict[int, Any], list[tuple[Any, ...]]]:
        """A backward pass in terms of the variables; its gradients and contributions as arrays."""
        gradients: dict[int, Any] = {}
        sums: dict[int, Any] = {}
        replaced: set[int] = set()
        steps: list[Step] = []
        arrays: list[tuple[Any, ...]] = []
        seeds = [(self.of_node[node], _raw(g)) for node, g in swept.roots if node in self.of_node]
        for var, g in seeds:
            sums[var.index] = sums[var.index] + g if var.index in sums else g
        for node, g, results, seconds, hooked in swept.nodes:
            out = self.of_node.get(node)
            if out is not None:
                gradients[out.index] = _raw(g)
                if hooked:
                    replaced.add(out.index)
            at = self.home.get(node)
            if at is None or node.prim is PICK:
                continue
            equation = self.equations[at]
            given = [(i, equation.inputs[i], _raw(c)) for i, c in enumerate(results) if c is not None]
            for _, var, c in given:
                sums[var.index] = sums[var.index] + c if var.index in sums else c
            arrays.append(tuple([c for _, _, c in given]))
            steps.append(
                Step(
                    at,
                    tuple([self._stats(gradients.get(var.index)) for var in equation.outputs]),
                    tuple([Contribution(i, var, self._stats(c)) for i, var, c in given]),
                    seconds,
                )
            )
        gradients = {**sums, **gradients}
        made = Pass(
            tuple([(var, self._stats(g)) for var, g in seeds]),
            tuple(steps),
            {index: self._stats(g) for index, g in sorted(gradients.items())},
            frozenset(replaced),
        )
        return made, gradients, arrays

    def _stats(self, array: Any) -> Stats | None:
        return None if array is None or self.measure is None else self.measure(array)

    # ---- the end

    def graph(self, passes: Iterable[Swept] = (), outputs: Sequence[Var] = ()) -> tuple[Graph, Arrays]:
        """The graph of all events so far; its outputs are those named, or what nothing has read."""
        with np.errstate(all="ignore"):  # what is wrong with the numbers was said when they were made
            swept = [self.sweep(one) for one in passes]
        written = {write.value.index for write in self.writes if write.value is not None}
        kept = {var.index for one, _, _ in swept for var, _ in one.seeds}
        for equation in self.equations:
            if self.read.isdisjoint([var.index for var in equation.outputs]):
                kept |= {var.index for var in equation.outputs} - written
        ends = [var for equation in self.equations for var in equation.outputs if var.index in kept]
        made = Graph(
            inputs=tuple(self.inputs),
            captured=tuple(self.captured),
            constants=tuple(self.constants),
            equations=tuple(self.equations),
            outputs=tuple(outputs) or tuple(ends),
            writes=tuple(self.writes),
            values=self.values,
            stats={i: self.measure(a) for i, a in self.arrays.items()} if self.measure else {},
            passes=tuple([one for one, _, _ in swept]),
        )
        return made, Arrays(self.arrays, [g for _, g, _ in swept], [c for _, _, c in swept])


# ---- helpers


@contextmanager
def without_collector() -> Iterator[None]:
    """Let the garbage collector rest: of a long program it would look at all that is made, again and again."""
    resting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if resting:
            gc.enable()


def measure(values: int) -> Measure:
    """Makes statistics of each array once, though it be in several places; the arrays must stay alive."""
    known: dict[int, Stats] = {}

    def stats(array: Any) -> Stats:
        if id(array) not in known:
            known[id(array)] = stats_of(array, values)
        return known[id(array)]

    return stats


def _raw(value: Any) -> Any:
    return getattr(value, "_d", value)


def _nbytes(saved: Any) -> int:
    """The bytes of the arrays among saved values, each counted once."""
    found, todo = {}, [saved]
    for one in todo:
        if isinstance(one, tuple):
            todo += one
        elif type(one) is np.ndarray:
            found[id(one)] = one.nbytes
    return sum(found.values())
