"""Interpolation: images in another size, and values between the knots of a function."""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..._errors import DtypeError, ShapeError
from ..._primitive import constant
from ..compare import argsort, greater, less
from ..dtype import astype
from ..elementwise import where
from ..index import take_at
from ..rounding import lerp, remainder
from ..shape import broadcast_to, concat, lifted
from .adaptive import adaptive_mean
from .resample import Plan, resample

MODES = {
    "nearest": ("nearest", (1, 2, 3)),
    "nearest-exact": ("nearest-exact", (1, 2, 3)),
    "linear": ("linear", (1,)),
    "bilinear": ("linear", (2,)),
    "trilinear": ("linear", (3,)),
    "bicubic": ("cubic", (2,)),
    "area": ("area", (1, 2, 3)),
}
"""The rule along each axis, and for how many axes the mode is."""


def interpolate(
    x: Any,
    size: int | Sequence[int] | None = None,
    scale_factor: float | Sequence[float] | None = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
    recompute_scale_factor: bool | None = None,
) -> Any:
    """Images in another size; linear in ``x``.

    An element is an interval of length 1, and what is computed lies in the middles of the intervals of
    the result (``nearest`` takes their beginnings). Beyond the middle of the first and last element
    their values continue.

    Args:
        x: images; integers stay what they are in the two nearest modes, and become floats in others.
        size: of the result, one number or one for each axis.
        scale_factor: or how many times larger each axis becomes; the result is rounded down.
        mode: ``nearest``, ``nearest-exact``, ``area`` (the mean of what an element of the result covers,
            as `adaptive_avg_pool2d`), ``linear``, ``bilinear`` or ``trilinear`` for one, two or three
            axes, ``bicubic`` (Keys' kernel with ``a = -0.75``) for two.
        align_corners: let the middles of the corner elements lie on each other instead, in the linear
            modes and ``bicubic``.
        recompute_scale_factor: take the scales from the sizes that ``scale_factor`` gave, after rounding.

    Shape:
        x ``(N, C, L)``, ``(N, C, H, W)`` or ``(N, C, D, H, W)`` to the same with other last axes.

    Raises:
        ShapeError: both or neither of ``size`` and ``scale_factor`` given, a size below 1, a mode that
            does not exist or is not for that many axes, ``align_corners`` or ``recompute_scale_factor``
            where it means nothing.

    Example:
        >>> import tensorgrad as tg
        >>> tg.nn.functional.interpolate(tg.tensor([[[0.0, 4.0]]]), scale_factor=2, mode="linear")
        tensor([[[0., 1., 3., 4.]]])

    Source:
        Keys, Cubic convolution interpolation for digital image processing, 1981, equation 4.
    """
    x = lifted("interpolate", x)
    rank = x.ndim - 2
    if mode not in MODES:
        raise ShapeError(f"interpolate: mode is {mode!r}; one of {', '.join(MODES)} is needed")
    rule, ranks = MODES[mode]
    if rank not in ranks:
        raise ShapeError(
            f"interpolate: x has shape {x.shape}, and {mode} is for (N, C) and {' or '.join(map(str, ranks))} "
            "more axes"
        )
    if align_corners is not None and rule not in ("linear", "cubic"):
        raise ShapeError(f"interpolate: align_corners means nothing in mode {mode!r}; leave it out")
    if recompute_scale_factor and size is not None:
        raise ShapeError("interpolate: recompute_scale_factor means nothing with a size; leave it out")
    sizes, steps = _sizes(x.shape[2:], size, scale_factor)
    # As in PyTorch, a length that stays is no reason to move linear weights, whatever the scale.
    same = [rule == "linear" and new == old for new, old in zip(sizes, x.shape[2:], strict=True)]
    steps = [None if recompute_scale_factor or kept else step for step, kept in zip(steps, same, strict=True)]
    if rule == "area":
        return adaptive_mean("interpolate", rank, x, sizes)
    dtype = x.dtype if x.dtype.kind in "fc" or rule.startswith("nearest") else np.dtype(np.float64)
    wide = np.dtype(np.float32) if dtype.char == "e" else dtype
    x = x if x.dtype == wide else astype(x, wide)
    for axis in range(-1, -rank - 1, -1):
        x = resample(x, axis, Plan(rule, x.shape[axis], sizes[axis], steps[axis], bool(align_corners)))
    return x if dtype == wide else astype(x, dtype)


def _sizes(lengths: tuple[int, ...], size: Any, scale: Any) -> tuple[list[int], list[float | None]]:
    """The size of the result along each axis, and the distance of its elements if scales gave it."""
    if (size is None) == (scale is None):
        raise ShapeError(
            f"interpolate: size is {size} and scale_factor is {scale}; exactly one of them is needed"
        )
    value = scale if size is None else size
    given = list(value) if np.ndim(value) else [value] * len(lengths)
    if len(given) != len(lengths):
        raise ShapeError(
            f"interpolate: {value} has {len(given)} numbers, but there are {len(lengths)} axes to resize"
        )
    steps: list[float | None] = [None] * len(lengths)
    try:
        if size is None:
            if not all(0 < f < math.inf for f in given):
                raise ShapeError(f"interpolate: scale_factor is {scale}; positive finite numbers are needed")
            steps = [1 / f for f in given]
            sizes = [math.floor(n * f) for n, f in zip(lengths, given, strict=True)]
        else:
            sizes = [operator.index(n) for n in given]
    except TypeError:
        raise DtypeError(f"interpolate: {value!r} given; numbers are needed, for size integers") from None
    if min(*sizes, *lengths) < 1:
        raise ShapeError(f"interpolate: from {lengths} to {sizes}; at least one element is needed in both")
    return sizes, steps


# ---- a function of one variable, given by its knots


@constant
def segment_of(x: Any, xp: Any, /) -> Any:
    """The segment of rising knots in which each ``x`` lies; a knot begins one, but the last ends one.

    Knots with axes in front of their own are rows for as many first axes of ``x``.
    """
    if not xp.ndim or not xp.shape[-1]:
        raise ShapeError(f"interp: xp has shape {xp.shape}; at least one knot is needed")
    if np.less(xp[..., 1:], xp[..., :-1]).any():
        raise ShapeError("interp: xp does not rise; sort xp, and fp in the same order")
    places = np.searchsorted(xp, x, side="right") if xp.ndim == 1 else _places_in_rows(x, xp)
    return np.clip(places - 1, 0, max(xp.shape[-1] - 2, 0))


def _places_in_rows(x: Any, xp: Any) -> Any:
    """How many knots of its row are not larger than each ``x``, by bisection of all rows at once."""
    rows = x.reshape((*xp.shape[:-1], -1)) if x.size else x.reshape((*xp.shape[:-1], 0))
    low, high = np.zeros(rows.shape, np.intp), np.full(rows.shape, xp.shape[-1])
    for _ in range(xp.shape[-1].bit_length()):
        middle = (low + high) // 2
        behind = np.take_along_axis(xp, np.minimum(middle, xp.shape[-1] - 1), -1) <= rows
        low, high = np.where(behind & (low < high), middle + 1, low), np.where(behind, high, middle)
    return low.reshape(x.shape)


@segment_of.batching
def _segment_batch(size: int, batched: Any, args: Any) -> Any:
    x, xp = args
    if not batched[1] and xp.ndim == 1:
        return segment_of(x, xp)
    return segment_of(
        *[a if own else broadcast_to(a, (size, *a.shape)) for a, own in zip(args, batched, strict=True)]
    )


def interp(x: Any, xp: Any, fp: Any, left: Any = None, right: Any = None, period: float | None = None) -> Any:
    """The piecewise linear function through the knots ``(xp, fp)``, at ``x``.

    It is differentiable in ``x``, ``xp`` and ``fp``. At a knot the slope in ``x`` is that of the segment
    on its right, at the last knot that of the last segment; outside of the knots it is 0.

    Args:
        x: where to evaluate, of any shape; NaN gives NaN.
        xp: the knots, rising; with a period in any order.
        fp: the values at the knots, of floats or complex numbers.
        left: the value before the first knot, ``fp[0]`` if None.
        right: the value behind the last knot, ``fp[-1]`` if None.
        period: the function repeats after it, and ``left`` and ``right`` mean nothing.

    Raises:
        ShapeError: ``xp`` and ``fp`` are not two rows of one length, ``xp`` does not rise, or the period is 0.
        DtypeError: ``x`` or ``xp`` is complex.

    Example:
        >>> import tensorgrad as tg
        >>> tg.interp(tg.tensor([0.5, 3.0]), [0.0, 1.0, 2.0], [0.0, 4.0, 6.0])
        tensor([2., 6.])
    """
    x, xp, fp = _floating(x), _floating(xp), _floating(fp)
    if xp.ndim != 1 or xp.shape != fp.shape or not xp.shape[0]:
        raise ShapeError(
            f"interp: xp has shape {xp.shape} and fp {fp.shape}; two rows of one length are needed"
        )
    if "c" in (x.dtype.kind, xp.dtype.kind):
        raise DtypeError(f"interp: x has dtype {x.dtype} and xp {xp.dtype}; complex numbers have no order")
    if period is not None:
        if period == 0:
            raise ShapeError("interp: the period is 0; another number is needed")
        span = abs(period)
        x, xp, left, right = remainder(x, span), remainder(xp, span), None, None
        order = argsort(xp)
        xp, fp = take_at(xp, order, pattern=("array",)), take_at(fp, order, pattern=("array",))
        xp = concat([xp[-1:] - span, xp, xp[:1] + span])
        fp = concat([fp[-1:], fp, fp[:1]])
    before, behind = less(x, xp[0]), greater(x, xp[-1])
    y: Any = fp[0]
    if xp.shape[0] > 1:
        i = segment_of(x, xp)
        x0, x1, y0, y1 = [take_at(values, j, pattern=("array",)) for values in (xp, fp) for j in (i, i + 1)]
        # Only inside: the weight of a point far away would be large, and infinite for knots in one place.
        inside = (before | behind | (x1 == x0)) == 0
        weight = where(inside, x - x0, 0.0) / where(inside, x1 - x0, 1.0)
        y = lerp(y0, y1, weight)
    y = where(before, fp[0] if left is None else left, y)
    y = where(behind, fp[-1] if right is None else right, y)
    return where(x == x, y, x)


def _floating(x: Any) -> Any:
    x = lifted("interp", x)
    return x if x.dtype.kind in "fc" else astype(x, np.float64)
