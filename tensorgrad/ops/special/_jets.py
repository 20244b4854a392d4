"""Truncated Taylor series in two variables, with an array for each coefficient.

A function that is made of sums, products, quotients and exponentials, run on jets, also gives its
derivatives, term by term: that is how series and continued fractions are differentiated in a parameter.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

Array = Any
Place = tuple[int, int]


class Jet:
    """A series by the exponents of the two variables; what is missing is 0, what is beyond ``top`` is cut off."""

    def __init__(self, top: Place, parts: dict[Place, Array]) -> None:
        self.top = top
        self.parts = {at: c for at, c in parts.items() if at[0] <= top[0] and at[1] <= top[1]}

    def __add__(self, other: Any) -> Jet:
        parts = dict(self.parts)
        for at, c in self._jet(other).parts.items():
            parts[at] = parts[at] + c if at in parts else c
        return Jet(self.top, parts)

    def __mul__(self, other: Any) -> Jet:
        if not isinstance(other, Jet):
            return Jet(self.top, {at: c * other for at, c in self.parts.items()})
        parts: dict[Place, Array] = {}
        for (i, j), c in self.parts.items():
            for (k, m), d in other.parts.items():
                if i + k <= self.top[0] and j + m <= self.top[1]:
                    at = i + k, j + m
                    parts[at] = parts[at] + c * d if at in parts else c * d
        return Jet(self.top, parts)

    __radd__, __rmul__ = __add__, __mul__

    def __neg__(self) -> Jet:
        return self * -1.0

    def __sub__(self, other: Any) -> Jet:
        return self + -self._jet(other)

    def __truediv__(self, other: Any) -> Jet:
        other = self._jet(other)
        first = 1 / other.parts[0, 0]
        parts: dict[Place, Array] = {}
        for at in self._places():
            rest = self.parts.get(at, 0.0)
            for (k, m), d in other.parts.items():
                if (k or m) and (before := (at[0] - k, at[1] - m)) in parts:
                    rest = rest - d * parts[before]
            parts[at] = rest * first
        return Jet(self.top, parts)

    def grown(self, value: Array) -> Jet:
        """``value * exp(self)``; the constant term is not looked at."""
        # Of Euler's operator, which multiplies each coefficient by its degree.
        parts = {(0, 0): value}
        for at in self._places():
            if at != (0, 0):
                terms: Any = [
                    (k + m) * c * parts[at[0] - k, at[1] - m]
                    for (k, m), c in self.parts.items()
                    if (k or m) and k <= at[0] and m <= at[1]
                ]
                parts[at] = sum(terms) / sum(at)
        return Jet(self.top, parts)

    def last(self) -> Array:
        """The derivative of the highest orders in both variables."""
        found = self.parts.get(self.top, 0.0)
        shape = self.parts[0, 0].shape
        return np.zeros(shape) + found * math.factorial(self.top[0]) * math.factorial(self.top[1])

    def size(self) -> Array:
        """The sum of the absolute values of the coefficients."""
        return sum(np.abs(c) for c in self.parts.values())

    def _places(self) -> list[Place]:
        return [(i, j) for i in range(self.top[0] + 1) for j in range(self.top[1] + 1)]

    def _jet(self, other: Any) -> Jet:
        return other if isinstance(other, Jet) else Jet(self.top, {(0, 0): other})


def variable(top: Place, value: Array, which: int) -> Jet:
    """One of the two variables, at a value."""
    return Jet(top, {(0, 0): value, ((1, 0), (0, 1))[which]: 1.0})


def until_settled(step: Any, state: Any, limit: int) -> Jet:
    """Repeat ``state = step(n, state)`` until the jet in front no longer changes; NaN where it still does."""
    moving: Any = True
    for n in range(1, limit):
        following = step(n, state)
        moving = (following[0] - state[0]).size() > 1e-15 * following[0].size()
        state = following
        if not np.any(moving):
            return state[0]  # type: ignore[no-any-return]
    return state[0] * np.where(moving, np.nan, 1.0)  # type: ignore[no-any-return]
