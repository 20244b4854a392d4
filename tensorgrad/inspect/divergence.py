"""The first value, and the first gradient, that two computations disagree on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..ir import Equation, Pass, Stats, Var
from .statements import position_of

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class Divergence:
    """Where two computations first have other numbers, and by how much.

    Args:
        what: ``"value"``; ``"gradient"``, the finished one of a result; or ``"contribution"``: the gradients
            of the op's results agree, and what its pullback makes of them for one argument does not.
        before: the op in the first computation (a leaf is an equation without arguments).
        after: its mate in the second.
        place: which result; of a contribution, which argument.
        error: the greatest absolute difference; infinite if only one of two entries is NaN or infinite.
        index: where that is; None where only statistics were at hand.
        values: what the two have there; of statistics, the two numbers that differ.
        share: the share of entries that differ; None where only statistics were at hand.
        note: what else there is to say, such as which statistic differs.
    """

    what: str
    before: Equation
    after: Equation
    place: int
    error: float
    index: tuple[int, ...] | None
    values: tuple[Any, Any]
    share: float | None
    note: str = ""

    @property
    def var(self) -> Var:
        """The variable of the first computation that it is about."""
        return (self.before.inputs if self.what == "contribution" else self.before.outputs)[self.place]

    @property
    def positions(self) -> tuple[str, str]:
        """``file:line`` of both sides, empty where it was not recorded."""
        return position_of(self.before), position_of(self.after)

    def __str__(self) -> str:
        label = f" {self.var.label}" if self.var.label else ""
        op = " and ".join(dict.fromkeys([self.before.op, self.after.op]))
        subject = {
            "value": f"value of {op}{label}",
            "gradient": f"gradient of {op}{label}",
            "contribution": f"gradient that {op} gives its argument {self.place}{label}",
        }[self.what]
        places = " and ".join([place for place in dict.fromkeys(self.positions) if place])
        return f"{subject}: {self.measure()}{f', at {places}' if places else ''}"

    def measure(self) -> str:
        """By how much, in words."""
        if self.index is None:
            return self.note
        entry = f"[{', '.join(map(str, self.index))}]" if self.index else "its only entry"
        share = "" if self.share is None or not self.index else f", {_percent(self.share)} of entries differ"
        return (
            f"{self.error:.3g} apart at {entry} ({_number(self.values[0])}, {_number(self.values[1])}){share}"
        )


@dataclass(frozen=True)
class Source:
    """What there is to compare of one side: arrays of a run where they were kept, else statistics."""

    arrays: Mapping[int, Any]
    stats: Mapping[int, Stats | None]

    def of(self, var: Var) -> Any:
        """An array, `Stats`, or None."""
        found = self.arrays.get(var.index)
        return self.stats.get(var.index) if found is None else found


Pairs = Iterator[tuple[Equation, Equation]]


def first_value(pairs: Pairs, left: Source, right: Source, tolerance: Tolerance) -> Divergence | None:
    """The first of the pairs, in their order, one of whose results differs."""
    for before, after in pairs:
        for place, (x, y) in enumerate(zip(before.outputs, after.outputs, strict=False)):
            wrong = apart(left.of(x), right.of(y), tolerance)
            if wrong is not None:
                return Divergence("value", before, after, place, *wrong)
    return None


@dataclass(frozen=True)
class Backward:
    """A backward pass of one side: its steps, the gradients, and each step's contributions as arrays."""

    steps: Pass
    gradients: Source
    arrays: Any = None

    def contribution(self, step: int, j: int) -> Any:
        """What step number ``step`` gives in its ``j``-th contribution: an array, `Stats`, or None."""
        try:
            found = self.arrays[step][j]
        except (IndexError, KeyError, TypeError):
            found = None
        return self.steps.steps[step].contributions[j].stats if found is None else found


def first_gradient(
    left: Backward,
    right: Backward,
    mate: Callable[[int], int | None],
    equations: tuple[tuple[Equation, ...], tuple[Equation, ...]],
    leaves: Pairs,
    tolerance: Tolerance,
) -> Divergence | None:
    """The first in the order of the backward pass: gradients of results, then what an op makes of them.

    Args:
        left: the pass of the first computation.
        right: that of the second.
        mate: the number of an equation of the first in the second.
        equations: of both.
        leaves: pairs of leaves, whose gradients are looked at last.
        tolerance: what counts as a difference.
    """
    step_of = {step.equation: s for s, step in enumerate(right.steps.steps)}
    for s, step in enumerate(left.steps.steps):
        j = mate(step.equation)
        if j is None:
            continue
        before, after = equations[0][step.equation], equations[1][j]
        t = step_of.get(j)
        for place, (x, y) in enumerate(zip(before.outputs, after.outputs, strict=False)):
            found = left.gradients.of(x)
            if found is None:
                continue
            if t is None:
                return Divergence("gradient", before, after, place, np.inf, None, (found, None), None,
                                  "no gradient arrives in the second")  # fmt: skip
            wrong = apart(found, right.gradients.of(y), tolerance)
            if wrong is not None:
                return Divergence("gradient", before, after, place, *wrong)
        if t is None:
            continue
        others = {one.position: k for k, one in enumerate(right.steps.steps[t].contributions)}
        for k, one in enumerate(step.contributions):
            if one.position not in others:
                return Divergence("contribution", before, after, one.position, np.inf, None, (None, None), None,
                                  "none in the second")  # fmt: skip
            wrong = apart(left.contribution(s, k), right.contribution(t, others[one.position]), tolerance)
            if wrong is not None:
                return Divergence("contribution", before, after, one.position, *wrong)
    for before, after in leaves:
        wrong = apart(left.gradients.of(before.outputs[0]), right.gradients.of(after.outputs[0]), tolerance)
        if wrong is not None:
            return Divergence("gradient", before, after, 0, *wrong)
    return None


# ---- comparing numbers

Wrong = tuple[float, tuple[int, ...] | None, tuple[Any, Any], float | None, str]
"""Error, index, values, share and note of a `Divergence`."""


@dataclass(frozen=True)
class Tolerance:
    """What counts as equal: ``|x - y| <= atol + rtol * max(|x|, |y|)``, and NaN beside NaN.

    By default for the coarser dtype of the two: ``rtol`` is two thirds of its digits (2e-5 for float32, 4e-11
    for float64), ``atol`` so much of the greatest entry. Integers and bools are compared exactly.
    """

    rtol: float | None = None
    atol: float | None = None

    def of(self, *dtypes: str, scale: float) -> tuple[float, float]:
        """Both numbers for values of these dtypes whose greatest entry is ``scale``."""
        kinds = [np.dtype(name) for name in dtypes if name]
        eps = max([float(np.finfo(kind).eps) for kind in kinds if kind.kind in "fc"], default=0.0)
        rtol = eps ** (2 / 3) if self.rtol is None else self.rtol
        if self.atol is not None:
            return rtol, self.atol
        return rtol, rtol * scale if self.rtol is None else 0.0


def apart(x: Any, y: Any, tolerance: Tolerance) -> Wrong | None:
    """How far two values are apart, None if they are equal or one of them is not known."""
    if x is None or y is None:
        return None
    if isinstance(x, Stats) or isinstance(y, Stats):
        return _stats_apart(_as_stats(x), _as_stats(y), tolerance)
    x, y = np.asarray(x), np.asarray(y)
    if x.shape != y.shape:
        return np.inf, None, (x.shape, y.shape), None, f"shape {_shape(x)} and {_shape(y)}"
    wide = np.result_type(x, y, np.float64) if x.dtype.kind in "fc" or y.dtype.kind in "fc" else None
    p, q = (x, y) if wide is None else (x.astype(wide), y.astype(wide))
    with np.errstate(all="ignore"):
        wrong = p != q
        if wide is None:
            gap = np.abs(p.astype(np.float64) - q.astype(np.float64))
        else:
            wrong &= ~(np.isnan(p) & np.isnan(q))
            gap = np.abs(p - q)
            finite = np.isfinite(p) & np.isfinite(q)
            size = np.maximum(np.abs(p), np.abs(q))
            rtol, atol = tolerance.of(str(x.dtype), str(y.dtype), scale=float(size[finite].max(initial=0.0)))
            wrong &= ~finite | (gap > atol + rtol * size)
            gap = np.where(finite, gap, np.inf)
    if not wrong.any():
        return None
    gap = np.where(wrong, gap, -1.0)
    index = tuple(int(i) for i in np.unravel_index(int(np.argmax(gap)), x.shape))
    return float(gap[index]), index, (x[index].item(), y[index].item()), float(wrong.mean()), ""


def _as_stats(x: Any) -> Stats:
    """What can be said of an array that is compared with statistics."""
    if isinstance(x, Stats):
        return x
    x = np.asarray(x)
    numbers = np.abs(x) if x.dtype.kind == "c" else x.astype(np.float64)
    finite = numbers[np.isfinite(numbers)]
    with np.errstate(all="ignore"):
        return Stats(
            x.shape,
            str(x.dtype),
            nans=int(np.isnan(x).sum()),
            infs=int(np.isinf(x).sum()),
            low=float(finite.min()) if finite.size else None,
            high=float(finite.max()) if finite.size else None,
            mean=float(finite.mean()) if finite.size else None,
            std=float(finite.std()) if finite.size else None,
            norm=float(np.sqrt((finite * finite).sum())),
        )


def _stats_apart(x: Stats, y: Stats, tolerance: Tolerance) -> Wrong | None:
    """As `apart`, for what was kept of values."""
    if x.shape != y.shape:
        return np.inf, None, (x.shape, y.shape), None, f"shape {list(x.shape)} and {list(y.shape)}"
    if x.values is not None and y.values is not None:
        left, right = [np.array(one.values, one.dtype).reshape(one.shape) for one in (x, y)]
        return apart(left, right, tolerance)
    ends = [abs(v) for v in (x.low, x.high, y.low, y.high) if v is not None]
    rtol, atol = tolerance.of(x.dtype, y.dtype, scale=max(ends, default=0.0))
    for name in ("nans", "infs", "low", "high", "mean", "std", "norm"):
        p, q = getattr(x, name), getattr(y, name)
        if p is None or q is None or name in ("nans", "infs"):
            near = p == q
        else:
            grown = x.size**0.5 if name == "norm" else 1.0  # the scale of a norm
            near = p == q or abs(p - q) <= atol * grown + rtol * max(abs(p), abs(q))
        if not near:
            error = abs(p - q) if p is not None and q is not None else np.inf
            note = f"{name} {_number(p)} and {_number(q)}"
            return float(error), None, (p, q), None, note
    return None


# ---- words


def _shape(x: Array) -> str:
    return f"[{','.join(map(str, x.shape))}]"


def _number(x: Any) -> str:
    return f"{x:.6g}" if isinstance(x, float | complex) else str(x)


def _percent(share: float) -> str:
    return f"{100 * share:.3g} %"
