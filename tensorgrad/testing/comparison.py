"""What a comparison of two Jacobians consists of: tolerance, outcome, and the measures of both."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .differences import entries, joined
from .point import Point
from .slopes import Row, Slope

FLOOR = 128
"""What a rule may leave of terms that cancel, in units of the precision and of the largest entry."""

SMALLEST_SCALE = 0.125
"""Where an entry is smaller and steps in parts of it tell little, steps in parts of this are tried too."""


@dataclass(frozen=True)
class Tolerance:
    """How far the two may be apart, beyond the bound of the numeric error.

    Args:
        atol: absolute; None derives it from the precision and the largest entry nearby.
        rtol: relative; None takes two thirds of the digits of the precision.
        unit: the distance between 1 and the next float.
        eps: a step to use instead of a search for the best one.
    """

    atol: float | None
    rtol: float | None
    unit: float
    eps: float | None = None

    @property
    def relative(self) -> float:
        """The relative part."""
        return self.unit ** (2 / 3) if self.rtol is None else self.rtol

    def allowed(self, numeric: Slope, rounding: Row) -> Row:
        """The largest difference that says nothing, for each entry of a Jacobian.

        ``rounding`` is what a unit of precision in the result is worth there.
        """
        size = np.abs(np.where(np.isfinite(numeric.value), numeric.value, 0))
        own = self.relative * size + numeric.error
        if self.atol is not None:
            return np.asarray(self.atol + own)
        # Rounding in the rule is relative to what it adds up: entries in the same row and column.
        near = np.minimum(size.max(axis=0, initial=0)[None, :], size.max(axis=1, initial=0)[:, None])
        # Where all are exactly 0 there is no scale but that of the cotangents, which is 1.
        least = min(FLOOR * self.unit, self.relative) * (float(size.max(initial=0)) or 1.0)
        return np.asarray(own + self.relative * near + least + FLOOR / 8 * self.unit * rounding)


@dataclass
class Comparison:
    """One input: what the rule says beside what differences say.

    Attributes:
        which: the number of the input.
        analytic: the Jacobian by the rule; one row for each of ``rows``, one column for each of ``columns``.
        numeric: the same by differences, with bounds.
        allowed: how far they may be apart.
        wrong: where they are further apart, and it stood a second look.
        columns: the entries of the input that the columns belong to.
        rows: the entries of the results that the rows belong to.
        kinks: by column, what was seen there besides: one-sided slopes, edges of the domain.
        tied: whether slopes close by may differ, as far as was looked.
    """

    which: int
    analytic: Row
    numeric: Slope
    allowed: Row
    wrong: Row
    columns: Row
    rows: Row
    kinks: dict[int, str] = field(default_factory=dict)
    tied: bool = True

    @classmethod
    def nothing(cls, which: int, kinks: dict[int, str]) -> Comparison:
        """A comparison in which nothing is wrong and no entry was looked at."""
        none = np.zeros((0, 0))
        return cls(which, none, Slope(none, none), none, none > 0, np.arange(0), np.arange(0), kinks)

    @property
    def severity(self) -> float:
        """The largest error of a wrong entry, in parts of the largest entry."""
        if not self.wrong.any():
            return 0.0
        distance = np.abs(self.analytic - self.numeric.value)[self.wrong]
        size = float(np.abs(np.where(np.isfinite(self.numeric.value), self.numeric.value, 0)).max(initial=0))
        return float(np.max(np.where(np.isfinite(distance), distance, np.inf))) / (size or 1.0)

    def worst(self) -> tuple[int, int]:
        """Row and column of the wrong entry that is furthest out."""
        with np.errstate(all="ignore"):
            distance = np.where(self.wrong, np.abs(self.analytic - self.numeric.value), -1.0)
        distance = np.where(self.wrong & ~np.isfinite(distance), np.inf, distance)
        row, column = np.unravel_index(int(np.argmax(distance)), distance.shape)
        return int(row), int(column)


def apart(analytic: Any, numeric: Any, allowed: Any) -> Any:
    """Where two values are further apart than allowed; what is not finite is apart from all but itself."""
    with np.errstate(all="ignore"):
        distance = np.abs(analytic - numeric)
        return ~((distance <= allowed) | (analytic == numeric)) & (
            np.isfinite(allowed) | ~np.isfinite(analytic)
        )


def worth(point: Point, which: int, rows: Row, columns: Row) -> Row:
    """Result by input, entry by entry: what slopes are measured in. Small inputs count as if they were larger."""
    y, x = np.abs(joined(point.ys))[rows], np.abs(entries(point.arrays[which]))[columns]
    return np.asarray(y[:, None] / np.maximum(x.astype(np.float64), SMALLEST_SCALE)[None, :])


def away_from_zero(rng: np.random.Generator, shape: tuple[int, ...]) -> Row:
    """Random numbers between 1 and 2 in size, of either sign."""
    return np.asarray(rng.uniform(1, 2, shape) * rng.choice([-1.0, 1.0], shape))


def unit_vector(point: Point, which: int, entry: int) -> Row:
    """The direction of one real entry."""
    found = np.zeros(entries(point.arrays[which]).size)
    found[entry] = 1.0
    return found


def reach(point: Point, which: int, entry: int) -> float:
    """The scale of the steps of one entry: a power of two, so that steps along it are exact."""
    x = abs(float(entries(point.arrays[which])[entry]))
    return float(2.0 ** math.floor(math.log2(x))) if x else 1.0


def reaches(x: Any) -> Row:
    """How far each real entry may be moved at once: its own size, so that no step crosses 0, and 1 at most."""
    size = np.abs(entries(x)).astype(np.float64)
    return np.where(size == 0, 1.0, np.minimum(size, 1.0))


def is_symmetric(x: Any) -> bool:
    """Whether an array holds symmetric, or Hermitian, matrices that are not diagonal."""
    if x.ndim < 2 or x.shape[-1] != x.shape[-2] or x.shape[-1] < 2:
        return False
    return bool(np.array_equal(x, np.conj(np.swapaxes(x, -1, -2))))


def symmetrised(rows: Row, x: Any, *, signed: bool = True) -> Row:
    """The mean of each row, a gradient of ``x`` in real entries, and its conjugate transpose."""
    shape = (len(rows), *x.shape, 2) if x.dtype.kind == "c" else (len(rows), *x.shape, 1)
    full = rows.reshape(shape)
    sign = np.array([1.0, -1.0 if signed else 1.0])[: shape[-1]]
    return np.asarray((full + sign * np.swapaxes(full, -2, -3)) / 2).reshape(rows.shape)
