"""The columns of the table: which samples belong to each, what they go through, and what excuses an op.

A column has a class of samples (`fits`), the checks that they go through, an excuse for ops to which
the class means nothing, and a way to derive samples of the class for rows that have none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from ..._primitive import registry
from .. import checks
from ..case import Case, close, raw
from ..samples import OpSamples, Sample, is_floating
from . import variants

Check = Callable[[OpSamples, Sample], Any]
Fits = Callable[[OpSamples, Sample], bool]
Excuse = Callable[[OpSamples], str]


@dataclass(frozen=True)
class Column:
    """One column.

    Attributes:
        name: such as ``"float16"``.
        group: the columns of a group share a column of the page.
        letter: what stands for it there.
        checks: what its samples go through.
        fits: whether a sample belongs to it.
        excuse: why the class means nothing for an op, or the empty string.
        derive: makes samples of the class where a row has none; most of them may be refused.
        derived_checks: what those go through; the same checks where None.
    """

    name: str
    group: str
    letter: str
    checks: tuple[Check, ...]
    fits: Fits
    excuse: Excuse
    derive: Callable[[OpSamples], Iterator[Sample]] | None = None
    derived_checks: tuple[Check, ...] | None = None


# ---- excuses


def no_array(row: OpSamples) -> str:
    """The op takes no array."""
    return "" if any(sample.args for sample in row.samples) else "no array"


def no_floating_input(row: OpSamples) -> str:
    """No argument is differentiable by its dtype."""
    if excuse := no_array(row):
        return excuse
    return "" if any(is_floating(a) for s in row.samples for a in s.args) else "no floating input"


def no_derivative(row: OpSamples) -> str:
    """The card has no formula: its result is constant."""
    if excuse := no_floating_input(row):
        return excuse
    return "" if any(Case(row, sample).positions for sample in row.samples) else "no derivative"


def one_floating_input(row: OpSamples) -> str:
    """There are no two dtypes to mix."""
    if excuse := no_derivative(row):
        return excuse
    return "" if any(len(Case(row, s).positions) > 1 for s in row.samples) else "one floating input"


def one_array(row: OpSamples) -> str:
    """There is nothing to broadcast with."""
    if excuse := no_array(row):
        return excuse
    return "" if any(len(sample.args) > 1 for sample in row.samples) else "one array"


def only_complex(row: OpSamples) -> str:
    """There are no complex numbers of the size of float16."""
    if excuse := no_floating_input(row):
        return excuse
    kinds = {a.dtype.kind for s in row.samples for a in s.args if is_floating(a)}
    return "only complex numbers" if kinds == {"c"} else ""


# ---- classes of samples


def _has_args(row: OpSamples, sample: Sample) -> bool:
    return bool(sample.args)


def _differentiable(row: OpSamples, sample: Sample) -> bool:
    return sample.smooth and bool(Case(row, sample).positions)


def _in(dtype: str) -> Fits:
    def fits(row: OpSamples, sample: Sample) -> bool:
        return any(is_floating(a) for a in sample.args) and checks.written_in(sample, dtype)

    return fits


def _mixable(row: OpSamples, sample: Sample) -> bool:
    return len(Case(row, sample).positions) > 1


def _complex(row: OpSamples, sample: Sample) -> bool:
    return any(a.dtype.kind == "c" for a in sample.args)


def _integer(row: OpSamples, sample: Sample) -> bool:
    kinds = {a.dtype.kind for a in sample.args}
    return bool(kinds) and (row.numpy is not None or kinds <= set("iub"))


def _without_axes(row: OpSamples, sample: Sample) -> bool:
    return bool(sample.args) and all(a.ndim == 0 for a in sample.args)


def _size_one(row: OpSamples, sample: Sample) -> bool:
    return all(a.size == 1 for a in sample.args) and any(a.ndim for a in sample.args)


def _empty(row: OpSamples, sample: Sample) -> bool:
    return any(a.size == 0 for a in sample.args)


def _several_axes(row: OpSamples, sample: Sample) -> bool:
    return any(a.ndim > 1 for a in sample.args)


def _broadcast(row: OpSamples, sample: Sample) -> bool:
    shapes = {a.shape for a in sample.args}
    if len(shapes) < 2:
        return False
    try:
        np.broadcast_shapes(*shapes)
    except ValueError:
        return sample.label.startswith("broadcast")  # of the axes that do not take part in the product
    return True


def _laid_out(axes: int) -> Fits:
    """An array whose memory can be laid out in another way: at least so many axes longer than 1."""
    return lambda row, sample: any(sum(n > 1 for n in a.shape) >= axes for a in sample.args)


# ---- checks that only the table has


def of_dtypes(row: OpSamples, sample: Sample) -> None:
    """`checks.in_dtype` in double and single precision."""
    for dtype in ("float64", "float32"):
        if checks.written_in(sample, dtype):
            checks.in_dtype(row, sample, dtype)


def first_where_smooth(row: OpSamples, sample: Sample) -> None:
    """`checks.first`, where the sample is differentiable."""
    if _differentiable(row, sample):
        checks.first(row, sample)


def like_numpy(row: OpSamples, sample: Sample) -> None:
    """`checks.integers` where the row names NumPy's function, else the reference."""
    (checks.forward if row.numpy is None else checks.integers)(row, sample)


def like_floats(row: OpSamples, sample: Sample) -> None:
    """The same numbers as integers and as floats give the same result."""
    case = Case(row, sample)
    floats = [a.astype(np.float64) if k.dtype.kind == "f" else a for a, k in _with_kinds(row, sample)]
    for y, z in zip(case.call(*sample.args), case.call(*floats), strict=True):
        close(y, z, rtol=1e-6, atol=1e-12, what="result for integers and for floats")


def continues_the_real(row: OpSamples, sample: Sample) -> None:
    """On the real axis a complex argument gives the real result, where that is finite."""
    case = Case(row, sample)
    real = [a.real.copy() if a.dtype.kind == "c" else a for a in sample.args]
    again = [r + 0j if a.dtype.kind == "c" else r for r, a in zip(real, sample.args, strict=True)]
    for y, z in zip(case.call(*real), case.call(*again), strict=True):
        y, z = np.asarray(raw(y)), np.asarray(raw(z))
        finite = np.isfinite(y) if y.shape == z.shape else ...
        close(z[finite], y[finite], rtol=1e-9, atol=1e-12, what="result on the real axis and real result")


def _with_kinds(row: OpSamples, sample: Sample) -> list[tuple[Any, Any]]:
    """Each argument beside the one of the row's sample that it was derived from."""
    origin = next(s for s in row.samples if sample.label.endswith(f"of '{s.label}'"))
    return list(zip(sample.args, origin.args, strict=True))


# ---- the table


def has_card(row: OpSamples) -> bool:
    """Whether the row is that of a card."""
    return row.name in registry


_ANY = (checks.forward, of_dtypes, first_where_smooth)
_PROBE = (checks.unchanged, of_dtypes, first_where_smooth)


def _dtype(name: str, letter: str, excuse: Excuse) -> Column:
    return Column(name, "dtype", letter, (partial(checks.in_dtype, dtype=name),), _in(name), excuse)


def _shape(name: str, letter: str, fits: Fits, derive: Any, excuse: Excuse = no_array) -> Column:
    return Column(name, "shape", letter, _ANY, fits, excuse, derive, _PROBE)


def _order(name: str, letter: str, check: Check) -> Column:
    return Column(name, "order", letter, (check,), _differentiable, no_derivative)


def _layout(name: str, letter: str, axes: int) -> Column:
    check = partial(checks.in_layout, name=name)
    return Column(name, "layout", letter, (check,), _laid_out(axes), no_array, variants.several_axes)


COLUMNS = (
    Column("value", "value", "=", (checks.forward,), lambda row, sample: True, lambda row: ""),
    Column("unchanged", "value", "u", (checks.unchanged,), _has_args, no_array),
    _dtype("float16", "h", only_complex),
    _dtype("float32", "s", no_floating_input),
    _dtype("float64", "d", no_floating_input),
    Column("mixed", "dtype", "m", (checks.mixed_dtypes,), _mixable, one_floating_input),
    Column(
        "complex", "dtype", "c", (checks.forward, first_where_smooth), _complex, no_floating_input,
        variants.complex_numbers, (continues_the_real, first_where_smooth),
    ),
    Column(
        "integer", "dtype", "i", (like_numpy,), _integer, no_array, variants.whole_numbers, (like_floats,)
    ),
    _shape("0-d", "0", _without_axes, variants.without_axes),
    _shape("size 1", "1", _size_one, variants.size_one),
    _shape("empty", "e", _empty, variants.empty),
    _shape("several axes", "n", _several_axes, variants.several_axes),
    _shape("broadcast", "b", _broadcast, variants.broadcast, one_array),
    _order("first", "1", checks.first),
    _order("second", "2", checks.second),
    _order("third", "3", checks.third),
    _order("forward mode", "f", checks.forward_mode),
    _layout("Fortran", "F", 2),
    _layout("strided", "S", 1),
    _layout("reversed", "N", 1),
    _layout("read-only", "R", 1),
    Column("batching", "programs", "v", (checks.batching,), _has_args, no_array),
    Column("replay", "programs", "t", (checks.replay,), _has_args, no_array),
)  # fmt: skip
"""The columns that samples are checked for; kinks and errors of a row have columns of their own."""

QUIET = {checks.batching, checks.replay, checks.integers, like_numpy, like_floats, continues_the_real}
"""Checks that leave the domain of an op, so that NumPy's warnings mean nothing in them."""
