"""Elements added around an array: NumPy's modes of padding, one axis after the other."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from .._errors import DtypeError, ShapeError
from .dtype import astype
from .elementwise import subtract
from .index import read, setitem
from .quantiles import median
from .reduce import max, mean, min
from .rounding import round
from .shape import broadcast_to, concat, lifted, normalise_axis

_numpy_pad: Any = np.pad

# What each mode takes besides the widths, as in NumPy.
SETTINGS: dict[str, tuple[str, ...]] = {
    "constant": ("constant_values",),
    "edge": (),
    "empty": (),
    "linear_ramp": ("end_values",),
    "maximum": ("stat_length",),
    "mean": ("stat_length",),
    "median": ("stat_length",),
    "minimum": ("stat_length",),
    "reflect": ("reflect_type",),
    "symmetric": ("reflect_type",),
    "wrap": (),
}
REDUCTIONS: dict[str, Callable[..., Any]] = {"maximum": max, "mean": mean, "median": median, "minimum": min}


def pad(x: Any, pad_width: Any, /, mode: str = "constant", **settings: Any) -> Any:
    """``x`` with elements added at both ends of each axis.

    Args:
        x: an array or tensor.
        pad_width: how many: a number, a pair (before, after) for all axes, a pair for each axis, or a
            dictionary from axes to numbers or pairs.
        mode: ``"constant"`` puts in numbers, ``"empty"`` zeros; ``"edge"`` repeats the last element;
            ``"linear_ramp"`` goes straight to a number; ``"maximum"``, ``"mean"``, ``"median"`` and
            ``"minimum"`` repeat what the elements near the end have; ``"reflect"`` goes back without
            repeating the last element, ``"symmetric"`` with it; ``"wrap"`` goes on at the other end.
        settings: what the mode takes: ``constant_values`` and ``end_values``, the numbers, by default 0;
            ``stat_length``, how many elements are near an end, by default all; each as a number, a pair
            for all axes, or a pair for each. ``reflect_type="odd"`` mirrors values, too, at the last element.

    Raises:
        ShapeError: the widths do not fit the axes, or the mode or a setting is unknown.
        DtypeError: ``mode`` is a function, or ``x`` boolean where values are mirrored.

    Example:
        >>> import tensorgrad as tg
        >>> tg.pad(tg.tensor([1.0, 2.0, 3.0]), (1, 2), "reflect")
        tensor([2., 1., 2., 3., 2., 1.])
        >>> tg.pad(tg.tensor([1.0, 2.0]), {0: (0, 2)}, "linear_ramp", end_values=4.0)
        tensor([1., 2., 3., 4.])
    """
    x = lifted("pad", x)
    if callable(mode):
        raise DtypeError("pad: mode is a function; it would write in place, give the name of a mode")
    if mode not in SETTINGS:
        raise ShapeError(f"pad: mode is {mode!r}; {', '.join(SETTINGS)} are known")
    if unknown := [name for name in settings if name not in SETTINGS[mode]]:
        raise ShapeError(f"pad: mode {mode!r} takes {list(SETTINGS[mode])}, not {unknown}")
    widths = _widths(pad_width, x.ndim)
    if mode in ("constant", "empty"):
        return _in_constants(x, widths, settings.get("constant_values", 0))
    for place, pair in enumerate(widths):
        if any(pair):
            if not x.shape[place]:
                raise ShapeError(f"pad: axis {place} has length 0, and mode {mode!r} nothing to take from")
            x = _padded(x, place, pair, mode, settings)
    return x


# ---- parts


def _in_constants(x: Any, widths: list[tuple[int, int]], values: Any) -> Any:
    shape = tuple([b + n + a for n, (b, a) in zip(x.shape, widths, strict=True)])
    inside = tuple([slice(b, b + n) for n, (b, _) in zip(x.shape, widths, strict=True)])
    whole = np.zeros(shape, x.dtype)
    for place, pair in enumerate(_pairs("constant_values", values, x.ndim)):
        (before, after), lead = widths[place], (slice(None),) * place
        whole[(*lead, slice(before))] = pair[0]
        whole[(*lead, slice(shape[place] - after, None))] = pair[1]
    return setitem(whole, x, inside)


def _padded(x: Any, axis: int, pair: tuple[int, int], mode: str, settings: Mapping[str, Any]) -> Any:
    n = x.shape[axis]
    if mode in ("reflect", "symmetric"):
        kind = settings.get("reflect_type", "even")
        if kind not in ("even", "odd"):
            raise ShapeError(f"pad: reflect_type is {kind!r}; 'even' or 'odd' is meant")
        if kind == "odd":
            return _turned(x, axis, pair, mode)
    if mode in ("edge", "reflect", "symmetric", "wrap"):
        return _taken(x, _numpy_pad(np.arange(n), pair, mode=mode), axis)
    if mode == "linear_ramp":
        to = _pairs("end_values", settings.get("end_values", 0), x.ndim)[axis]
        ends = [_ramp(x, axis, k, side, to[side]) for side, k in enumerate(pair)]
    else:
        near = _pairs("stat_length", settings.get("stat_length"), x.ndim)[axis]
        ends = [_flat(x, axis, k, side, mode, near[side]) for side, k in enumerate(pair)]
    return concat([ends[0], x, ends[1]], axis=axis)


def _turned(x: Any, axis: int, pair: tuple[int, int], mode: str) -> Any:
    """Mirrored at the ends in place and value, so that each period is one span ``last - first`` higher."""
    n = x.shape[axis]
    repeats = mode == "symmetric" or n == 1  # of the last element
    period = n if repeats else n - 1
    if x.dtype.kind == "b":
        raise DtypeError(
            "pad: x is boolean, and reflect_type 'odd' goes beyond the values; convert by .astype"
        )
    first, last = _taken(x, [0], axis), _taken(x, [n - 1], axis)
    both, span = first + last, subtract(last, first)
    ends = []
    for places in (np.arange(-pair[0], 0), np.arange(n, n + pair[1])):
        which, rest = np.divmod(places, period)
        odd = which % 2 == 1
        source = np.where(odd, n - 1 - rest, rest)
        turned, which = [
            v.astype(x.dtype).reshape([-1 if i == axis else 1 for i in range(x.ndim)]) for v in (odd, which)
        ]
        ends.append(_taken(x, source, axis) * (1 - 2 * turned) + both * turned + span * which)
    return concat([ends[0], x, ends[1]], axis=axis)


def _ramp(x: Any, axis: int, k: int, side: int, to: Any) -> Any:
    """``k`` elements from ``to`` at the very end, straight to the last element of ``x`` but without it."""
    dtype = x.dtype
    edge = _taken(x, [-1 if side else 0], axis)
    if dtype.kind not in "fc":
        edge = astype(edge, np.float64)
    weight = np.arange(k) / k if k else np.zeros(0)
    weight = (weight[::-1] if side else weight).reshape([-1 if i == axis else 1 for i in range(x.ndim)])
    end = np.asarray(to, edge.dtype)
    ramp = end + (edge - end) * weight.astype(np.zeros((), edge.dtype).real.dtype)
    return ramp if dtype.kind in "fc" else astype(ramp, dtype)


def _flat(x: Any, axis: int, k: int, side: int, mode: str, near: int | None) -> Any:
    """``k`` times what a reduction gives for the elements that are near an end."""
    n = x.shape[axis]
    count = n if near is None or near > n else near
    if count < 1:
        raise ShapeError(f"pad: stat_length is {near}; of no elements there is no {mode}")
    part = _taken(x, np.arange(n - count, n) if side else np.arange(count), axis)
    y = REDUCTIONS[mode](part, axis, True)
    if y.dtype != x.dtype:  # the mean of integers
        y = astype(round(y) if x.dtype.kind in "iu" else y, x.dtype)
    return broadcast_to(y, (*x.shape[:axis], k, *x.shape[axis + 1 :]))


# ---- helpers


def _widths(pad_width: Any, ndim: int) -> list[tuple[int, int]]:
    if isinstance(pad_width, Mapping):
        given = {normalise_axis("pad", axis, ndim): value for axis, value in pad_width.items()}
        pad_width = [np.broadcast_to(given.get(i, 0), 2).tolist() for i in range(ndim)] or 0
    widths = [
        (operator.index(b), operator.index(a)) for b, a in _pairs("pad_width", pad_width, ndim, whole=True)
    ]
    if any(n < 0 for pair in widths for n in pair):
        raise ShapeError(f"pad: pad_width={pad_width} has a negative width")
    return widths


def _pairs(name: str, value: Any, ndim: int, whole: bool = False) -> list[Any]:
    """A number, a pair or a pair for each axis, as pairs."""
    if value is None:
        return [(None, None)] * ndim
    found = np.asarray(value)
    if whole and found.dtype.kind not in "iu":
        raise DtypeError(f"pad: {name}={value} is of dtype {found.dtype}; whole numbers are needed")
    try:
        pairs = list(np.broadcast_to(found, (ndim, 2)))
    except ValueError:
        raise ShapeError(f"pad: {name}={value} does not fit {ndim} axes; give a pair for each") from None
    return pairs


def _taken(x: Any, positions: Any, axis: int) -> Any:
    return read(x, (*(slice(None),) * axis, np.asarray(positions, np.intp)))
