"""The computation graph as frozen data: what every picture, replay and export reads.

A `Graph` is a straight-line program. Each `Equation` applies one primitive to values that were
there before it; each value is a `Var`, written down once with its shape and dtype. Nothing in
here draws, runs or differentiates: see `trace`, `replay` and `viz` for that.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Role = Literal["input", "captured", "constant", "result"]


@dataclass(frozen=True, slots=True)
class Var:
    """One value of a program.

    Args:
        index: its number, unique in the graph; printed as ``%3``.
        shape: its shape.
        dtype: its dtype by name, such as ``"float32"``.
        role: ``"input"`` (an argument), ``"captured"`` (a tensor from outside, read anew at each
            replay), ``"constant"`` (an array fixed when the graph was recorded) or ``"result"``.
        label: a name to show to people, or the empty string.
    """

    index: int
    shape: tuple[int, ...]
    dtype: str
    role: Role
    label: str = ""

    def __str__(self) -> str:
        return f"%{self.index}"


@dataclass(frozen=True, slots=True)
class Equation:
    """One application of a primitive: ``outputs = op(*inputs, **params)``.

    ``scope`` is the path of named scopes that were open (``"encoder/attention"``), ``direction``
    says whether the forward or the backward pass ran it.
    """

    op: str
    inputs: tuple[Var, ...]
    outputs: tuple[Var, ...]
    params: Mapping[str, Any]
    scope: str = ""
    direction: Literal["forward", "backward"] = "forward"
    primitive: Any = field(default=None, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Write:
    """A captured tensor has a new value, or a new gradient (None: none), when the program ends."""

    target: Var
    value: Var | None
    slot: Literal["data", "grad"] = "data"


@dataclass(frozen=True, slots=True)
class Graph:
    """A program: inputs, what it captured, its equations in order, its outputs and its writes.

    ``values`` holds what the program needs besides its arguments: for each constant its array,
    for each captured variable the tensor itself.
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

    def __call__(self, *args: Any) -> Any:
        """Run the program on other arguments; see `tensorgrad.ir.replay`."""
        from .replayer import replay

        return replay(self, *args)

    def __str__(self) -> str:
        from .printer import text

        return text(self)
