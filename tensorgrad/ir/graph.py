"""The computation graph as frozen data: what every picture, replay and export reads.

A `Graph` is a straight-line program. Each `Equation` applies one primitive to values that were
there before it; each value is a `Var`, written down once with its shape and dtype. A recorded run
adds what was measured: positions in the user's code, times, `Stats` of values, and for each backward
pass (`Pass`) what every step contributed to which gradient. Nothing in here draws, runs or
differentiates: see `trace`, `replay`, `record` and `viz` for that.

=====================================  ========================================================
where a graph comes from               what it has
=====================================  ========================================================
`tensorgrad.trace`, a function         equations of both passes; can be run again
`tensorgrad.graph`, a result's tape    the differentiable equations that led to the result
`tensorgrad.record`, what a block ran  all equations, positions, times, statistics, passes
=====================================  ========================================================
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import prod
from typing import Any, Literal

import numpy as np

Role = Literal["input", "captured", "constant", "result", "unknown"]


@dataclass(frozen=True, slots=True)
class Var:
    """One value of a program.

    Args:
        index: its number, unique in the graph; printed as ``%3``.
        shape: its shape.
        dtype: its dtype by name, such as ``"float32"``.
        role: ``"input"`` (an argument), ``"captured"`` (a tensor from outside, read anew at each
            replay), ``"constant"`` (an array fixed when the graph was recorded), ``"result"``, or
            ``"unknown"`` (a value that a tape did not keep; its shape is () and its dtype empty).
        label: a name to show to people, or the empty string.
        tracked: whether gradients flow to it; a trace does not say.
    """

    index: int
    shape: tuple[int, ...]
    dtype: str
    role: Role
    label: str = ""
    tracked: bool = False

    def __str__(self) -> str:
        return f"%{self.index}"

    @property
    def size(self) -> int:
        """The number of its elements."""
        return prod(self.shape)

    @property
    def nbytes(self) -> int:
        """The bytes of its elements."""
        return self.size * np.dtype(self.dtype).itemsize if self.dtype else 0


@dataclass(frozen=True, slots=True)
class Position:
    """A place in somebody's code: file, line (from 1) and the function it is in."""

    file: str
    line: int
    function: str = ""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(frozen=True, slots=True)
class Equation:
    """One application of a primitive: ``outputs = op(*inputs, **params)``.

    A recorded run has two kinds of equation without a primitive: ``detach``, and ``leave`` where a value left for
    Python (its parameter ``how`` says by what: ``"item()"``), which has no outputs.

    Args:
        op: the name of the primitive.
        inputs: what it was applied to.
        outputs: its results.
        params: its parameters by name.
        scope: the path of named scopes and modules that were open (``"encoder/attention"``).
        direction: whether the forward or the backward pass ran it.
        primitive: its card, None where the graph was read from a file and the card is not known.
        taped: whether operations were recorded for gradients then (False under `no_grad`).
        position: where it was called, in a recorded run.
        seconds: how long the call took, in a recorded run.
        flops: additions, multiplications and functions of elements, counted from the shapes.
        saved_bytes: bytes of arrays that the tape keeps for its pullback.
    """

    op: str
    inputs: tuple[Var, ...]
    outputs: tuple[Var, ...]
    params: Mapping[str, Any]
    scope: str = ""
    direction: Literal["forward", "backward"] = "forward"
    primitive: Any = field(default=None, repr=False, compare=False)
    taped: bool = True
    position: Position | None = None
    seconds: float | None = None
    flops: int | None = None
    saved_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Write:
    """A tensor has a new value, or a new gradient (None: none).

    A traced program writes when it ends. In a recorded run ``after`` is the number of equations that had
    run before the write.
    """

    target: Var
    value: Var | None
    slot: Literal["data", "grad"] = "data"
    after: int | None = None


@dataclass(frozen=True, slots=True)
class Stats:
    """A value, or a gradient, in numbers. Those of NaN and infinite entries are counted and then left out.

    Args:
        shape: its shape.
        dtype: its dtype by name.
        nans: how many entries are NaN.
        infs: how many are infinite.
        zeros: how many are exactly zero.
        low: the least finite entry (of a complex value: the least magnitude), None if there is none.
        high: the greatest.
        mean: the mean of the finite entries (of a complex value: of their magnitudes).
        std: their standard deviation.
        norm: the root of the sum of their squared magnitudes.
        histogram: how many finite entries lie in each of equally wide bins from ``low`` to ``high``; empty
            if none was made.
        values: all entries in C order, if the value is small enough to keep; else None.
    """

    shape: tuple[int, ...]
    dtype: str
    nans: int = 0
    infs: int = 0
    zeros: int = 0
    low: float | None = None
    high: float | None = None
    mean: float | None = None
    std: float | None = None
    norm: float = 0.0
    histogram: tuple[int, ...] = ()
    values: tuple[Any, ...] | None = None

    @property
    def size(self) -> int:
        """The number of entries."""
        return prod(self.shape)


@dataclass(frozen=True, slots=True)
class Contribution:
    """What one step of a backward pass adds to the gradient of one of its inputs.

    Args:
        position: which input of the equation.
        target: that input.
        stats: of what is added.
    """

    position: int
    target: Var
    stats: Stats | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """The pullback of one equation in a backward pass: the gradients of its outputs become contributions.

    Args:
        equation: its place in ``Graph.equations``.
        cotangents: the finished gradient of each output, None for an output that nothing depends on.
        contributions: one for each input that a gradient flows to.
        seconds: how long the pullback took.
    """

    equation: int
    cotangents: tuple[Stats | None, ...]
    contributions: tuple[Contribution, ...]
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Pass:
    """One backward pass: where it started, its steps in the order they ran, and the gradients.

    Args:
        seeds: the values it started from, each with its cotangent.
        steps: from the last equation to the first.
        gradients: of each value that was reached, by its number; that of a leaf is what this pass adds to it.
        replaced: numbers of values whose gradient a hook replaced, so that contributions do not sum to it.
    """

    seeds: tuple[tuple[Var, Stats | None], ...]
    steps: tuple[Step, ...]
    gradients: Mapping[int, Stats | None]
    replaced: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Graph:
    """A program: inputs, what it captured, its equations in order, its outputs and its writes.

    ``values`` holds what the program needs besides its arguments: for each constant its array,
    for each captured variable the tensor itself. ``stats`` (by the number of a variable) and ``passes``
    are those of a recorded run.
    """

    inputs: tuple[Var, ...]
    captured: tuple[Var, ...]
    constants: tuple[Var, ...]
    equations: tuple[Equation, ...]
    outputs: tuple[Var, ...]
    writes: tuple[Write, ...] = ()
    values: Mapping[int, Any] = field(default_factory=dict, repr=False, compare=False)
    input_tree: Any = field(default=None, repr=False, compare=False)
    result_tree: Any = field(default=None, repr=False, compare=False)
    stats: Mapping[int, Stats] = field(default_factory=dict, repr=False)
    passes: tuple[Pass, ...] = ()

    def __call__(self, *args: Any) -> Any:
        """Run the program on other arguments; see `tensorgrad.ir.replay`."""
        from .replayer import replay

        return replay(self, *args)

    def __str__(self) -> str:
        from .printer import text

        return text(self)

    @property
    def variables(self) -> tuple[Var, ...]:
        """Every value once: inputs, captured tensors, constants, then results in their order."""
        leaves = (*self.inputs, *self.captured, *self.constants)
        results = [var for equation in self.equations for var in equation.outputs]
        return tuple(dict.fromkeys((*leaves, *results)))

    @property
    def gradients(self) -> Mapping[int, Stats | None]:
        """Those of the last backward pass, by the number of the variable; empty if there was none."""
        return self.passes[-1].gradients if self.passes else {}
