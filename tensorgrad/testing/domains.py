"""Where a function of real numbers may be looked at, declared or found by evaluating it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

NICE = (1.0, 2.0, 3.0, -1.0, -2.0, -3.0, 0.0, 0.5, -0.5, 1.5, -1.5, 0.25, 0.1, -0.1, 5.0, -5.0, 10.0, -10.0)
"""Numbers that a person would try, the plainest first: what examples shrink to."""

REACH = 10.0
"""Without a bound, most values are drawn up to so far away."""

OFFSETS = (0.5, 0.1, 0.01, 1e-3, 1e-4, 1e-6)
"""How far from a special point a value lies that is near it."""

POOLS = ("plain", "near", "magnitudes")
"""Kinds of values: those of few digits; special points (ends and marks of the domain, 0, 1, -1), what lies
around them, and integers; small and large powers of ten."""

LADDER = (0.001, 0.01, 0.1, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 7.0, 10.0, 20.0, 50.0, 100.0, 1000.0)
"""Where `probed` looks for the ends of a domain, with both signs."""

HUGE = 1e5
"""How many times larger than nearby a value is at a pole, at least."""

SCAN = np.linspace(-REACH, REACH, 401)
"""Where `marks` looks for kinks and jumps."""


@dataclass(frozen=True)
class Domain:
    """An open interval less some points: where a function has a derivative to check.

    Args:
        low: the lower end, which does not belong to it.
        high: the upper end, likewise.
        exclude: points inside that are left out, such as poles.
        marks: points inside that deserve a close look, such as kinks and the places where a formula
            switches to another one.

    Raises:
        ValueError: ``low`` is not below ``high``.

    Example:
        >>> from tensorgrad.testing import Domain
        >>> Domain(0, 5, exclude=[1])
        Domain(low=0, high=5, exclude=(1,), marks=())
        >>> [x in Domain(0, 5, exclude=[1]) for x in (0, 0.5, 1, 5)]
        [False, True, False, False]
    """

    low: float = -math.inf
    high: float = math.inf
    exclude: Sequence[float] = ()
    marks: Sequence[float] = ()

    def __post_init__(self) -> None:
        if not self.low < self.high:
            raise ValueError(f"Domain: low must be below high, but {self.low} is not below {self.high}")
        object.__setattr__(self, "exclude", tuple(self.exclude))
        object.__setattr__(self, "marks", tuple(self.marks))

    def __contains__(self, x: float) -> bool:
        return self.low < x < self.high and x not in self.exclude

    @property
    def window(self) -> tuple[float, float]:
        """The part from which most values are drawn: all of it if it is short, or else what is next to 0."""
        if self.high - self.low <= 10 * REACH:
            return self.low, self.high
        middle = min(max(0.0, self.low), self.high)
        return max(self.low, middle - REACH), min(self.high, middle + REACH)

    @property
    def nice(self) -> list[float]:
        """Plain numbers inside, the plainest first."""
        low, high = self.window
        between = [low + (high - low) * k / 4 for k in (2, 1, 3)]
        return [x for x in NICE if x in self] or [x for x in between if x in self]

    @property
    def special(self) -> list[float]:
        """The points whose surroundings deserve a look: the ends, the excluded ones, the marks, 0 and 1 and -1."""
        # An end far out is where something overflows, and no edge of the mathematics.
        ends = [x for x in (self.low, self.high) if abs(x) <= 10 * REACH]
        inside = [x for x in (0.0, 1.0, -1.0) if x in self]
        return list(dict.fromkeys([*map(float, self.marks), *ends, *map(float, self.exclude), *inside]))


@cache
def pool(domain: Domain, kind: str) -> list[float]:
    """The values to draw from, the plainest first.

    Example:
        >>> pool(Domain(0, 1), "near")[:4]
        [1e-06, 0.999999, 0.0001, 0.9999]
    """
    low, high = domain.window
    if kind == "plain":
        # Multiples of the golden ratio leave no gaps; the nice ones make up a third of all.
        digits = 3 - math.floor(math.log10(high - low))
        spread = [round(low + (high - low) * (k * 0.6180339887498949 % 1), digits) for k in range(1, 200)]
        found = 5 * domain.nice + sorted(spread, key=abs)
    elif kind == "near":
        # Marks thrice: a formula that is wrong in a narrow region shows there only.
        points = domain.special + 2 * list(domain.marks)
        found = points + [round(p + s * d, 12) for d in OFFSETS[::-1] for p in points for s in (1, -1)]
        found += [float(x) for x in range(math.ceil(low), math.floor(high) + 1)][:101]
    else:
        found = [s * m * 10.0**k for k in range(-4, 5) for m in (1, 3) for s in (1, -1)]
    # Signed zero is not a number to find by chance.
    return [x + 0.0 for x in found if x in domain] or domain.nice


def probed(f: Callable[[float], Any]) -> Domain:
    """The domain of a function of one number, found by evaluating it.

    It is the smallest interval around all numbers found at which ``f`` is finite; the ends of gaps inside
    of it, kinks and jumps become its ``marks``, and single numbers at which ``f`` is not finite are
    excluded. What lies between the numbers tried is not seen.

    Args:
        f: takes a float and returns a number or an array. Where it raises or is not finite, it is not defined.

    Returns:
        The domain; all numbers, if ``f`` is finite nowhere that was tried.

    Example:
        >>> import numpy as np
        >>> probed(np.log)
        Domain(low=0.0, high=inf, exclude=(), marks=())
        >>> probed(lambda x: abs(x - 1.25) / x)
        Domain(low=-inf, high=inf, exclude=(0.0,), marks=(1.25,))
        >>> probed(lambda x: np.sqrt(x * x - 4)).marks
        (-2.0, 2.0)
        >>> probed(np.tan).exclude[:2]
        (-7.853981634974479, -4.712388980388641)
    """
    xs = [*(-x for x in reversed(LADDER)), 0.0, *LADDER]
    inside = [finite_at(f, x) for x in xs]
    if not any(inside):
        return Domain()
    low, high = -math.inf, math.inf
    exclude: list[float] = []
    edges: list[float] = []
    first, last = inside.index(True), len(xs) - 1 - inside[::-1].index(True)
    if first:
        low = edge(f, xs[first - 1], xs[first])
    if last < len(xs) - 1:
        high = edge(f, xs[last + 1], xs[last])
    for i in range(first, last):
        if inside[i] and not inside[i + 1]:
            j = inside.index(True, i + 1)
            a, b = edge(f, xs[i + 1], xs[i]), edge(f, xs[j - 1], xs[j])
            # From both sides the same point: it alone is missing.
            (exclude if a == b else edges).extend({a, b})
    for x in marks(f):
        if low < x < high and x not in exclude:
            # At a pole rounding may leave a huge number in place of an infinite one.
            (exclude if abs(value_at(f, x)) > HUGE * abs(value_at(f, x + 0.01)) else edges).append(x)
    return Domain(low, high, sorted(set(exclude)), sorted(set(edges)))


def marks(f: Callable[[float], Any]) -> list[float]:
    """The kinks and jumps of a function of one number between -10 and 10, as far as a scan shows them.

    Example:
        >>> marks(lambda x: max(x, 0.3) + (x > 7))
        [0.3, 7.0]
        >>> marks(np.sin)
        []
    """
    found = [SCAN[i] for i in bends(f, SCAN)]
    return sorted({nice(refined(f, x, SCAN[1] - SCAN[0])) for x in found})


def bends(f: Callable[[float], Any], xs: Iterable[float]) -> list[int]:
    """The places in ``xs`` at which the slope of ``f`` changes far more than around it."""
    ys = np.array([value_at(f, x) for x in xs])
    with np.errstate(all="ignore"):
        turn = np.abs(np.diff(ys, 2))
        # The change a little to the left and to the right: a kink or a jump touches two places in a row.
        around = np.maximum(np.roll(turn, 3), np.roll(turn, -3))
        sharp = turn > 8 * around + 1e-9 * np.abs(ys[1:-1]) + 1e-12
    sharp[:3] = sharp[-3:] = False
    best = [i for i in np.flatnonzero(sharp) if turn[i] >= turn[max(i - 2, 0) : i + 3].max()]
    return [int(i) + 1 for i in best]


def refined(f: Callable[[float], Any], x: float, step: float) -> float:
    """A bend of ``f`` near ``x``, to about nine digits."""
    for _ in range(8):
        xs = x + step * np.linspace(-1.5, 1.5, 25)
        with np.errstate(all="ignore"):
            turn = np.nan_to_num(np.abs(np.diff([value_at(f, at) for at in xs], 2)))
        x, step = float(xs[1 + int(np.argmax(turn))]), step / 8
    return x


def edge(f: Callable[[float], Any], outside: float, inside: float) -> float:
    """Where ``f`` ceases to be finite between two numbers."""
    for _ in range(60):
        middle = (outside + inside) / 2
        if finite_at(f, middle):
            inside = middle
        else:
            outside = middle
    return nice(inside)


def nice(x: float) -> float:
    """The number with few digits that is next to ``x``, if there is one so near that it must be meant."""
    for digits in range(5):
        if abs(round(x, digits) - x) <= 1e-7 * max(abs(x), 1):
            return round(x, digits) + 0.0
    return x


def value_at(f: Callable[[float], Any], x: float) -> float:
    """The sum of what ``f`` returns, NaN where it raises."""
    try:
        with np.errstate(all="ignore"):
            return float(np.sum(np.asarray(f(float(x)), dtype=np.float64)))
    except Exception:  # whatever it is, f is not defined there
        return math.nan


def finite_at(f: Callable[[float], Any], x: float) -> bool:
    """Whether ``f`` is defined and finite there."""
    return math.isfinite(value_at(f, x))
