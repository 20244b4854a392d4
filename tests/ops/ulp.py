"""How far a function is from the exact value, in units of the last place of float64; mpmath says what is exact.

A family of functions has a module beside this one with a list of cases. ::

    CASES = [
        Ulp("erf", mp.erf, [(-6, 6), (1e-300, 1, "log")]),
        Ulp("xlogy", lambda x, y: x * mp.log(y), lambda rng, n: (rng.uniform(0, 9, n), rng.uniform(0, 2, n))),
    ]

The points are the same on every run. What is a unit is decided by the exact value; for one below the normal
numbers it is the smallest subnormal. An exact value beyond the range of float64 asks for an infinity.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from zlib import crc32

import mpmath
import numpy as np

from tensorgrad import special

Range = tuple[Any, ...]
"""``(low, high)``, ``(low, high, "uniform")`` or ``(low, high, "log")``; in the last both have one sign."""

Points = Sequence[Range] | Callable[[np.random.Generator, int], Any]
"""Ranges, between which the points are shared out evenly, or a function that draws an array or a tuple of arrays."""


@dataclass(frozen=True)
class Ulp:
    """A function, what it should give, where, and how far off it may be.

    Attributes:
        name: of the function in ``tg.special``; also of the case, unless there is a ``label``.
        reference: the function of mpmath numbers, one for each array of points.
        points: see `Points`.
        bound: the largest error allowed, in ulp.
        args: what follows the points in the call, such as an order; the reference gets it as well.
        op: the function of arrays, where it is not the one of that name.
        digits: decimal digits that the reference works with.
        label: what is special about the case, where a function has several.
        params: keyword arguments of the call; the reference does not get them.
    """

    name: str
    reference: Callable[..., Any]
    points: Points
    bound: float = 4.0
    args: tuple[Any, ...] = ()
    op: Callable[..., Any] | None = None
    digits: int = 40
    label: str = ""
    params: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.name} {self.label}".strip()

    def draw(self, count: int) -> tuple[np.ndarray[Any, Any], ...]:
        """The same ``count`` points on every run."""
        rng = np.random.default_rng(crc32(f"{self} {count}".encode()))
        if callable(self.points):
            drawn = self.points(rng, count)
            return drawn if isinstance(drawn, tuple) else (drawn,)
        shares = np.array_split(np.empty(count), len(self.points))
        parts = [_drawn(rng, len(share), *one) for share, one in zip(shares, self.points, strict=True)]
        return (np.concatenate(parts),)


def worst(case: Ulp, count: int) -> tuple[float, tuple[float, ...]]:
    """The largest error over ``count`` points, in ulp, and the point where it is; infinite for a NaN."""
    points = case.draw(count)
    op = getattr(special, case.name) if case.op is None else case.op
    with np.errstate(all="ignore"):
        found = op(*points, *case.args, **case.params)
    assert found.dtype == np.float64
    errors = [
        _error(y, case, [mpmath.mpf(x) for x in xs])
        for y, *xs in zip(found.tolist(), *[p.tolist() for p in points], strict=True)
    ]
    at = int(np.argmax(errors))
    return errors[at], tuple([p[at].item() for p in points])


def _error(y: float, case: Ulp, xs: list[Any]) -> float:
    with mpmath.workdps(case.digits):
        exact = case.reference(*xs, *case.args)
        rounded = float(exact)
        if math.isnan(y) or math.isinf(y) or math.isinf(rounded):
            return 0.0 if y == rounded else math.inf
        # The unit of the binade of the exact value: rounding may carry it into the next.
        exponent = mpmath.frexp(exact)[1] - 53 if exact else -1074
        return float(abs(mpmath.mpf(y) - exact) / mpmath.ldexp(1, max(exponent, -1074)))


def _drawn(rng: np.random.Generator, count: int, low: float, high: float, kind: str = "uniform") -> Any:
    if kind == "log":
        sign = math.copysign(1, high)
        ends = sorted([math.log(abs(low)), math.log(abs(high))])
        return sign * np.exp(rng.uniform(*ends, count))
    assert kind == "uniform", kind
    return rng.uniform(low, high, count)
