"""A subject at one point: what it evaluates to there, nearby, and what its derivative says."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .._errors import GradcheckError
from .differences import entries, joined
from .slopes import Line, Row
from .subject import Pullback, Subject

FAILURES = (ArithmeticError, LookupError, TypeError, ValueError, AttributeError, RuntimeError, AssertionError)
"""What a function may raise on inputs that it does not take, and a rule in which there is a mistake."""


class RuleFailed(Exception):
    """A derivative rule raised, or returned what cannot be a gradient."""


class Point:
    """A subject and the arrays that it is checked at.

    Attributes:
        evaluations: how often the function was evaluated so far, backward passes included.
        suspected_after: how many of them it took until something looked wrong.
        unit: the distance between 1 and the next float, in the narrowest dtype that takes part.
    """

    def __init__(self, subject: Subject, arrays: Sequence[Any]) -> None:
        self.subject = subject
        self.arrays = [np.asarray(a) for a in arrays]
        self.evaluations = 0
        self.suspected_after = 0
        self.ys = self.outputs(self.arrays)
        floating = [a for a in (*self.arrays, *self.ys) if a.dtype.kind in "fc"]
        self.unit = max([float(np.finfo(a.dtype).eps) for a in floating], default=float(np.finfo(float).eps))

    def suspect(self) -> None:
        """Note that something looks wrong; what is evaluated from here on only looks closer."""
        self.suspected_after = self.suspected_after or self.evaluations

    @property
    def size(self) -> int:
        """How many real numbers the results hold."""
        return sum(entries(y).size for y in self.ys)

    def outputs(self, arrays: Sequence[Any]) -> list[Any]:
        """The floating results."""
        self.evaluations += 1
        with np.errstate(all="ignore"):
            return [y for y in map(np.asarray, self.subject.results(*arrays)) if y.dtype.kind in "fc"]

    def row(self, arrays: Sequence[Any]) -> Row:
        """All results in one row; NaN where the function refuses these inputs or changes its shape."""
        try:
            ys = self.outputs(arrays)
        except FAILURES:
            ys = []
        if [y.shape for y in ys] != [y.shape for y in self.ys]:
            return np.full(self.size, np.nan)
        return joined(ys)

    def line(self, which: int, direction: Row) -> Line:
        """The results as input ``which`` moves along a direction, in real entries."""

        def at(t: float) -> Row:
            moved = list(self.arrays)
            moved[which] = shifted(self.arrays[which], t, direction)
            return self.row(moved)

        return at

    def complex_line(self, which: int, direction: Row) -> Any:
        """The same for complex ``t``; every input becomes complex."""
        lifted = [a.astype(np.complex128) for a in self.arrays]
        along = direction.reshape(self.arrays[which].shape)

        def at(t: complex) -> Any:
            moved = list(lifted)
            moved[which] = lifted[which] + t * along
            ys = self.outputs(moved)
            return np.concatenate([np.zeros(0), *[np.asarray(y, complex).reshape(-1) for y in ys]])

        return at

    def pullback(self) -> Pullback:
        """The derivative at this point, checked for number and shape of what it returns."""
        self.evaluations += 1
        with np.errstate(all="ignore"):
            ys, pull = self.subject.pullback(*self.arrays)
        kept = [np.asarray(y).dtype.kind in "fc" for y in ys]

        def checked(cotangents: Sequence[Any]) -> list[Any]:
            given = iter(cotangents)
            full = [next(given) if keep else None for keep in kept]
            try:
                with np.errstate(all="ignore"):
                    found = pull(full)
            except FAILURES as error:
                raise RuleFailed(f"{type(error).__name__}: {error}") from error
            if len(found) != len(self.arrays):
                raise RuleFailed(
                    f"the derivative returned {len(found)} gradients for {len(self.arrays)} inputs"
                )
            return [g if g is None else np.asarray(g) for g in found]

        return checked

    def rows(self, pull: Pullback, flat: Row) -> list[Row]:
        """For each input its gradients as real numbers, a row for each row of cotangents ``flat``."""
        out: list[list[Row]] = [[] for _ in self.arrays]
        for one in flat:
            for rows, x, g in zip(out, self.arrays, pull(self.shaped(one)), strict=True):
                rows.append(real_entries(g, x))
        return [
            np.stack(r) if r else np.zeros((0, entries(x).size))
            for r, x in zip(out, self.arrays, strict=True)
        ]

    def shaped(self, flat: Row) -> list[Any]:
        """A row of real numbers as one cotangent for each result."""
        ends = np.cumsum([entries(y).size for y in self.ys])[:-1]
        parts = np.split(flat, ends)
        return [
            p.astype(entries(y).dtype).view(y.dtype).reshape(y.shape)
            for p, y in zip(parts, self.ys, strict=True)
        ]

    def result_place(self, row: int) -> str:
        """An entry of the results, for people: ``result[0, 2]``."""
        for i, y in enumerate(self.ys):
            if row < entries(y).size:
                return place("result" if len(self.ys) == 1 else f"result {i}", y, row)
            row -= entries(y).size
        raise IndexError(row)

    def input_place(self, which: int, column: int) -> str:
        """An entry of an input, for people: ``x[0, 2]``."""
        return place(self.subject.names[which], self.arrays[which], column)


def real_entries(g: Any, x: Any) -> Row:
    """A gradient of ``x`` as a row of real numbers; None is zero.

    Raises:
        RuleFailed: it does not have the shape of ``x``, or it is complex where ``x`` is real.
    """
    if g is None:
        return np.zeros(entries(x).size)
    if g.shape != x.shape:
        raise RuleFailed(f"the gradient has shape {g.shape}, the input has {x.shape}")
    if g.dtype.kind == "c" and x.dtype.kind != "c":
        raise RuleFailed(f"the gradient is {g.dtype}, the input is {x.dtype}")
    wide = g.astype(np.complex128 if x.dtype.kind == "c" else np.float64)
    return entries(wide)


def shifted(array: Any, t: float, direction: Row) -> Any:
    """``array + t * direction`` in the dtype of the array, the direction given in real entries."""
    base = entries(array)
    return (base + (t * direction).astype(base.dtype)).view(array.dtype).reshape(array.shape)


def place(name: str, value: Any, entry: int) -> str:
    """An entry of an array, for people: ``x[0, 2]``; complex numbers have two parts."""
    pairs = np.asarray(value).dtype.kind == "c"
    index = np.unravel_index(entry // 2 if pairs else entry, np.shape(value))
    part = (" (real part)", " (imaginary part)")[entry % 2] if pairs else ""
    return name + (f"[{', '.join(str(int(i)) for i in index)}]" if index else "") + part


def check_finite(name: str, ys: Sequence[Any]) -> None:
    """Raise where differences could say nothing."""
    for i, y in enumerate(ys):
        if not np.isfinite(y).all():
            raise GradcheckError(
                f"{name}: result {i} is not finite at these inputs, so differences say nothing; choose "
                "inputs inside the domain"
            )
