"""What kind of mistake a wrong derivative is, told from the pattern of its errors.

Each suspect is a function that looks at a `Pattern`, the derivative rule's Jacobian beside the numeric
one, and returns a sentence if the pattern is its own. The first that recognises it names the diagnosis.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from functools import cached_property, partial

import numpy as np

from .comparison import Comparison
from .differences import entries
from .error_map import error_map
from .point import Point, RuleFailed
from .rearranged import Change, input_swaps, moves, result_swaps, swaps_on_both_sides
from .report import Finding
from .slopes import Row


def described(point: Point, one: Comparison, finding: Finding) -> Finding:
    """The finding with the worst entry, the count, the diagnosis and what to look for filled in."""
    row, column = one.worst()
    pattern = Pattern(point, one)
    label, hint = diagnosis(pattern)
    name = point.subject.names[one.which]
    columns = one.wrong.any(axis=0)
    count = f"{int(columns.sum())} of {columns.size} entries"
    if columns.size < pattern.x.size:
        count = f"{int(columns.sum())} of the {columns.size} entries looked at"
    return replace(
        finding,
        message=f"the gradient of {name} is wrong in {count}",
        input=name,
        place=f"d {point.result_place(int(one.rows[row]))} / d {point.input_place(one.which, int(one.columns[column]))}",
        analytic=float(one.analytic[row, column]),
        numeric=float(one.numeric.value[row, column]),
        bound=float(one.allowed[row, column]),
        wrong=int(columns.sum()),
        total=columns.size,
        diagnosis=label,
        hint=hint,
        error_map=error_map(point.arrays[one.which], one),
    )


def raised(finding: Finding, error: RuleFailed) -> Finding:
    """The finding about a rule that raised, or that returned what is no gradient."""
    text = str(error)
    if "read-only" in text:
        label, hint = "upstream mutated", "compute a new array: 2 * g instead of g *= 2"
    elif "has shape" in text or "broadcast" in text or "shape" in text.lower():
        label, hint = "missing sum", "if the op broadcasts its inputs, sum g back to the shape of the input"
    elif "dtype" in text or "the gradient is" in text:
        label, hint = "wrong dtype", "return the dtype of the input"
    else:
        label, hint = "unknown", "the derivative rule raised; run it alone on these inputs"
    return replace(finding, message=f"the derivative rule failed: {text}", diagnosis=label, hint=hint)


def diagnosis(pattern: Pattern) -> tuple[str, str]:
    """A label of `report.LABELS`, and a sentence on what to look for."""
    for label, suspect in SUSPECTS:
        if hint := suspect(pattern):
            return label, hint
    return "unknown", pattern.count


class Pattern:
    """A wrong Jacobian beside the right one.

    Attributes:
        a: by the rule; a row for each result entry that was looked at, a column for each input entry.
        n: by differences.
        near: how far apart two entries may be.
        whole: whether every entry is there, so that axes can be told apart.
    """

    def __init__(self, point: Point, one: Comparison) -> None:
        self.point, self.one = point, one
        self.a, self.n = one.analytic, one.numeric.value
        self.wrong = one.wrong
        self.near = 4 * np.where(np.isfinite(one.allowed), one.allowed, np.inf)
        self.x = entries(point.arrays[one.which]).astype(np.float64)
        self.whole = self.a.shape == (point.size, self.x.size)
        self.loud = np.abs(self.n) > self.near
        self.said = np.abs(self.a) > self.near

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the input; that of its real entries where it is complex."""
        x = self.point.arrays[self.one.which]
        return (*x.shape, 2) if x.dtype.kind == "c" else x.shape

    @property
    def result_shape(self) -> tuple[int, ...]:
        """The shape of the result, if there is only one; else the number of entries of all."""
        ys = self.point.ys
        if len(ys) != 1:
            return (self.point.size,)
        return (*ys[0].shape, 2) if ys[0].dtype.kind == "c" else ys[0].shape

    @cached_property
    def ratios(self) -> Row:
        """The rule's value by the right one, where that is not 0."""
        return np.asarray(self.a[self.loud] / self.n[self.loud])

    @property
    def count(self) -> str:
        """How many entries are right."""
        entry = self.loud.any(axis=0)
        right = int((entry & ~self.wrong.any(axis=0)).sum())
        if not right:
            return ""
        return f"{right} of {int(entry.sum())} that are not 0 agree: look at what sets the others apart"

    def agrees(self, other: Row) -> bool:
        """Whether the rule's Jacobian is this one."""
        scale = np.maximum(np.abs(other), np.abs(self.a))
        return bool((np.abs(self.a - other) <= self.near + 1e-7 * scale).all())

    def rearranged(self, change: Change) -> bool:
        """Whether the rule's Jacobian is the numeric one with its entries in other places."""
        other, near = change(self.n), np.maximum(self.near, change(self.near))
        scale = np.maximum(np.abs(other), np.abs(self.a))
        return bool((np.abs(self.a - other) <= near + 1e-7 * scale).all())

    @property
    def spread(self) -> int:
        """How many results an entry of the input goes into because it is broadcast, if it is."""
        x, y = self.point.arrays[self.one.which].shape, self.result_shape
        if len(self.point.ys) != 1 or self.x.size == 0 or self.point.size % max(self.x.size, 1):
            return 1
        padded = (1,) * (len(y) - len(x)) + x
        if len(padded) != len(y) or any(a not in (1, b) for a, b in zip(padded, y, strict=True)):
            return 1
        return math.prod(y) // max(math.prod(x), 1)


# ---- suspects: each says what it recognises, or nothing


def not_finite(p: Pattern) -> str:
    """NaN or an infinity."""
    if not np.isfinite(p.a).all():
        return "the formula gives a value that is not finite: look for a division by 0 or an overflow"
    if not np.isfinite(p.one.numeric.error).any():
        return "the function is not finite beside this input: move it away from the edge of the domain"
    return ""


def silent(p: Pattern) -> str:
    """No gradient at all where there is one."""
    if p.loud.any() and not p.said.any():
        return "the gradient is missing: a formula gives 0, or the way leaves the library (.numpy())"
    return ""


def superfluous(p: Pattern) -> str:
    """A gradient where there is none."""
    return "" if p.loud.any() else "the gradient should be 0"


def opposite(p: Pattern) -> str:
    """Everything has the other sign."""
    return "every entry has the opposite sign: look for a minus in the formula" if p.agrees(-p.n) else ""


def lacks_sum(p: Pattern) -> str:
    """One slice, or the mean, in place of the sum over a broadcast axis."""
    times = p.spread
    if times < 2:
        return ""
    what = f"the input is broadcast to {times} times its size, and its gradient is "
    if p.agrees(p.n / times):
        return f"{what}the mean over the broadcast axes: it is the sum"
    kept = p.said & p.loud
    alone = p.loud.sum(axis=0) > p.said.sum(axis=0)
    if (
        kept.any()
        and alone.any()
        and (np.abs(p.a - p.n)[kept] <= p.near[kept]).all()
        and not (p.said & ~p.loud).any()
    ):
        return f"{what}only a part of the sum over the broadcast axes: sum g over all of them"
    return ""


def miscounted(p: Pattern) -> str:
    """Divided by n - 1 or n + 1 where n entries go into each result."""
    n = p.x.size // max(p.point.size, 1)
    if n < 3 or n * p.point.size != p.x.size:
        return ""
    for other in (n - 1, n + 1):
        if p.agrees(p.n * n / other):
            return f"{n} entries go into each result, and the gradient is divided by {other}: a count is off by one"
    return ""


def constant_factor(p: Pattern) -> str:
    """Everything is off by the same factor."""
    if p.ratios.size == 0:
        return ""
    k = float(np.median(p.ratios))
    if abs(k - 1) > 1e-9 and p.agrees(k * p.n) and abs(k) > 1e-12:
        return f"every entry is off by the same factor, {k:.6g}: look for a constant in the formula"
    return ""


def rounded(p: Pattern) -> str:
    """Right to some digits only, all over."""
    if (p.wrong & ~p.loud).any() and float(np.abs(p.a[p.wrong & ~p.loud]).max()) > 4e-3 * float(
        np.abs(p.n).max()
    ):
        return ""
    size = np.abs(p.n)
    with np.errstate(all="ignore"):
        off = np.where(p.loud, np.abs(p.a - p.n) / size, 0)
    many = p.wrong.sum() >= max(2, 0.25 * p.loud.sum())
    ratios = p.ratios[np.abs(p.ratios - 1) > 0]
    if (
        not many
        or off.max(initial=0) > 4e-3
        or np.ptp(ratios) < 0.2 * float(np.abs(ratios - 1).max(initial=0))
    ):
        return ""
    digits = -math.log10(max(float(off.max()), 1e-17))
    return f"right to {digits:.0f} digits only: look for a narrow dtype or a cancellation in the formula"


def swapped(p: Pattern) -> str:
    """Two axes of the gradient, or of the upstream gradient, are exchanged."""
    if any(p.rearranged(change) for change in (*input_swaps(p), *result_swaps(p))):
        return "two axes are exchanged: look for a transpose that is missing, or one too many"
    return ""


def along_wrong_axis(p: Pattern) -> str:
    """The right numbers along another axis, or in the other direction."""
    # Of a plain sum the gradient is that along another axis, transposed; of anything else it is not.
    adds_up = p.loud.any(axis=0).all() and np.ptp(p.n[p.loud]) <= 1e-6 * float(np.abs(p.n).max(initial=0))
    reduces = len(p.result_shape) < len(p.shape) and adds_up
    changes = input_swaps(p) if reduces else swaps_on_both_sides(p)
    if any(p.rearranged(change) for change in changes):
        return "the numbers are right along another axis: look at the axis in the formula"
    for axis, change in moves(p, np.flip):
        if p.rearranged(change):
            return f"the numbers are in reverse order along axis {axis}: look at the direction in the formula"
    return ""


def shifted_by_one(p: Pattern) -> str:
    """The neighbours' numbers; or a power that is one too high or too low."""
    for step in (1, -1):
        for axis, change in moves(p, partial(np.roll, shift=step)):
            if p.rearranged(change):
                return f"each entry has the number of its neighbour along axis {axis}: an index is off by one"
    x = np.broadcast_to(p.x[p.one.columns], p.n.shape)[p.loud]
    if p.ratios.size > 2 and np.ptp(x) > 0 and not (p.said & ~p.loud).any():
        for power in (1, -1):
            with np.errstate(all="ignore"):
                k = p.ratios / x**power
            if np.isfinite(k).all() and np.ptp(k) <= 1e-6 * abs(float(np.median(k))):
                return f"the ratio is {np.median(k):.4g} times the input to the power of {power}: an exponent is off by one"
    return ""


def inverted_mask(p: Pattern) -> str:
    """Nothing where there is something, and the other way round."""
    if (p.loud & ~p.said).any() and (p.said & ~p.loud).any() and not (p.loud & p.said & ~p.wrong).any():
        columns_lost = (p.loud & ~p.said).any(axis=0)
        columns_new = (p.said & ~p.loud).any(axis=0)
        if not (p.loud & p.said).any() or not (columns_lost & columns_new).all():
            return "0 where a gradient belongs, and a gradient where 0 belongs: look for an inverted mask"
    return ""


def one_entry(p: Pattern) -> str:
    """One wrong entry among right ones."""
    columns = np.asarray(p.wrong.any(axis=0))
    if p.point.arrays[p.one.which].dtype.kind == "c" and p.whole:
        columns = np.asarray(columns.reshape(-1, 2).any(axis=1))
    if (
        columns.sum() == 1
        and columns.size > 2
        and (p.wrong.sum() == 1 or not _by_threshold(p, np.asarray(p.wrong.any(axis=0))))
    ):
        return f"all other entries of {columns.size} are right: look at what is special about this one"
    return ""


def in_a_region(p: Pattern) -> str:
    """Wrong only where an input is beyond a threshold."""
    columns = np.asarray(p.wrong.any(axis=0))
    if columns.all() or columns.sum() == 0:
        return _by_other_input(p)
    where = _by_threshold(p, columns)
    if where:
        return f"wrong only where {p.point.subject.names[p.one.which]} {where}"
    return _by_other_input(p) or (p.count if (p.loud.any(axis=0) & ~columns).any() else "")


SUSPECTS: tuple[tuple[str, Callable[[Pattern], str]], ...] = (
    ("not finite", not_finite),
    ("missing path", silent),
    ("unknown", superfluous),
    ("sign flipped", opposite),
    ("missing sum", lacks_sum),
    ("off by one", miscounted),
    ("factor", constant_factor),
    ("wrong axis", along_wrong_axis),
    ("transposed", swapped),
    ("off by one", shifted_by_one),
    ("wrong mask", inverted_mask),
    ("single entry", one_entry),
    ("precision loss", rounded),
    ("wrong in a region", in_a_region),
)
"""In this order: what a later one would also recognise stands before it."""


# ---- helpers


def _by_threshold(p: Pattern, columns: Row) -> str:
    """``< 0.5`` if that tells wrong columns from right ones; columns whose gradient is 0 tell nothing."""
    x = p.x[p.one.columns]
    wrong, right = x[columns], x[~columns & p.loud.any(axis=0)]
    return _separated(wrong, right)


def _separated(wrong: Row, right: Row) -> str:
    if wrong.size == 0 or right.size == 0:
        return ""
    if wrong.max() < right.min():
        return f"< {(wrong.max() + right.min()) / 2:.4g}"
    if wrong.min() > right.max():
        return f"> {(wrong.min() + right.max()) / 2:.4g}"
    return ""


def _by_other_input(p: Pattern) -> str:
    """The same for another input that goes with the results entry by entry."""
    if not p.whole or len(p.point.ys) != 1 or p.point.ys[0].dtype.kind == "c":
        return ""
    rows = p.wrong.any(axis=1)
    told = p.loud.any(axis=1)
    for i, (name, other) in enumerate(zip(p.point.subject.names, p.point.arrays, strict=True)):
        if other.dtype.kind != "f":
            continue
        try:
            x = np.broadcast_to(other, p.point.ys[0].shape).reshape(-1)
        except ValueError:
            continue
        if where := _separated(x[rows], x[~rows & told]):
            return f"wrong only where {name} {where}"
        del i
    return ""
