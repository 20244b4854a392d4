"""One stretch of memory for many parameters, so that an update runs over all of them in one call.

Parameters become views of it. Tensors are values, though: whoever holds an array of a parameter, by
``p.numpy()``, ``p.detach()`` or a recorded graph, keeps what it showed. So an arena looks before each
step whether anybody else holds its memory, and moves to new memory if so.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from .._specialise import plain
from .._tensor import Tensor

Array = np.ndarray[Any, Any]
ALIGNMENT = 64  # bytes: a cache line, and the widest vector register


class Status:
    """How far a parameter is: numbers such as its count of steps, and the states that it has.

    The parameters that an update took along share one, so that comparing them is comparing identities.
    """

    __slots__ = ("held", "numbers")

    def __init__(self, numbers: Mapping[str, float], held: frozenset[str]) -> None:
        self.numbers = numbers
        self.held = held

    def matches(self, other: Status) -> bool:
        """Whether one update may run over both."""
        return self is other or (self.numbers == other.numbers and self.held == other.held)


class Slot:
    """The place of one parameter: elements ``start`` to ``stop`` of the arrays of ``arena``."""

    __slots__ = ("arena", "gradient", "index", "parameter", "shape", "start", "status", "stop", "view")
    parameter: Any  # a tensor; its node is a leaf whenever a step looks at it
    view: Array
    gradient: Array  # where its gradient is gathered

    def __init__(self, arena: Arena, index: int, parameter: Tensor, start: int, status: Status) -> None:
        self.arena = arena
        self.index = index
        self.parameter = parameter
        self.shape = parameter.shape
        self.start = start
        self.stop = start + parameter.size * arena.width
        self.status = status

    def fits(self) -> bool:
        """Whether the parameter still has the dtype and shape that the slot was made for."""
        d = self.parameter._d
        return d.dtype == self.arena.dtype and d.shape == self.shape  # type: ignore[no-any-return]

    def is_shared(self) -> bool:
        """Whether somebody else holds the view."""
        return holders(self) > (SOLE if self.parameter._d is self.view else SOLE - 1)

    def flat(self, values: Array) -> Array:
        """The part of a flat array that belongs to this parameter."""
        return values[self.start : self.stop]

    def shaped(self, values: Array) -> Array:
        """The same, in the shape and dtype of the parameter."""
        return self.flat(values).view(self.arena.dtype).reshape(self.shape)


class Arena:
    """Memory for parameters of one dtype: their values, gradients and states, each one flat array.

    The arrays are real: a complex number is two elements, on which all updates act alike.

    Args:
        parameters: whose values move here.
        statuses: how far each of them is.
    """

    def __init__(self, parameters: Sequence[Tensor], statuses: Iterable[Status]) -> None:
        self.dtype = parameters[0].dtype
        self.real = np.zeros(0, self.dtype).real.dtype
        self.width = self.dtype.itemsize // self.real.itemsize
        self.slots: list[Slot] = []
        self.size = 0
        step = ALIGNMENT // self.real.itemsize
        for index, (p, status) in enumerate(zip(parameters, statuses, strict=True)):
            self.slots.append(Slot(self, index, p, self.size, status))
            self.size = math.ceil(self.slots[-1].stop / step) * step
        self.states: dict[str, Array] = {}
        self.gradients = aligned_zeros(self.size, self.real)
        for slot in self.slots:
            slot.gradient = slot.shaped(self.gradients)
        self.move()

    def move(self) -> None:
        """Take new memory, with what the parameters hold now."""
        self.values = aligned_zeros(self.size, self.real)
        self.memory = self.values.base
        for slot in self.slots:
            slot.view = slot.shaped(self.values)
            if slot.fits():
                slot.view[...] = slot.parameter._d
                slot.parameter._d = plain(slot.view)
        self.sole = sys.getrefcount(self.memory)

    def is_shared(self) -> bool:
        """Whether somebody else holds memory of this arena."""
        return sys.getrefcount(self.memory) > self.sole or any(slot.is_shared() for slot in self.slots)

    def refresh(self) -> None:
        """See that the parameters are views of this arena that nobody else looks at."""
        if self.is_shared():
            self.move()
            return
        for slot in self.slots:
            if slot.parameter._d is not slot.view and slot.fits():  # it got another array, or has no axes
                slot.view[...] = slot.parameter._d
                slot.parameter._d = plain(slot.view)

    def state(self, name: str) -> Array:
        """The flat array of a state."""
        if name not in self.states:
            self.states[name] = aligned_zeros(self.size, self.real)
        return self.states[name]


def aligned_zeros(size: int, dtype: np.dtype[Any]) -> Array:
    """A flat array of zeros that begins at a cache line."""
    memory = np.zeros(size * dtype.itemsize + ALIGNMENT, np.uint8)
    start = -memory.ctypes.data % ALIGNMENT
    return memory[start : start + size * dtype.itemsize].view(dtype)


def holders(slot: Slot) -> int:
    """How many references to the view of a slot exist, counted the same way every time."""
    return sys.getrefcount(slot.view)


def _sole() -> int:
    """The count for a view that only its slot and its parameter hold."""
    arena = Arena([Tensor([1.0])], [Status({}, frozenset())])
    return holders(arena.slots[0])


SOLE = 0
# A free-threaded build counts references by thread, and a count proves nothing there: always move.
SOLE = _sole() if getattr(sys, "_is_gil_enabled", lambda: True)() else -1
