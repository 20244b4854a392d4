"""What stands at a place among the sorted elements: median, quantiles, percentiles.

A quantile's *place* is a position among the ``n`` sorted elements, counted from 0; between two
positions lies what is linear between their elements. The methods differ in where they put it.

Source: R. J. Hyndman and Y. Fan, Sample Quantiles in Statistical Packages, The American Statistician
50 (1996), 361-365, whose definitions 1 to 9 are the methods with names of more than one word, `weibull`,
`hazen` and `linear`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from .._errors import DtypeError, ShapeError
from .._primitive import Value
from .dtype import astype
from .elementwise import maximum, minimum, where
from .index import read, sort, take_along_axis
from .nans import is_number
from .reduce import mean, sum
from .rounding import ceil, floor, round
from .shape import Axis, lifted, moveaxis, normalise_axes, permute_dims, reshape


def median(x: Any, /, axis: Axis = None, keepdims: bool = False) -> Any:
    """The middle element along the axes, or the mean of both middle ones; NaN if there is a NaN.

    Raises:
        ShapeError: there are no elements.

    Example:
        >>> import tensorgrad as tg
        >>> tg.median(tg.tensor([5.0, 1.0, 2.0, 3.0])).item()
        2.5
    """
    rows, shape = _sorted_rows("median", x, axis, keepdims)
    n = rows.shape[-1]
    middle = mean(rows[..., (n - 1) // 2 : n // 2 + 1], -1)
    return reshape(_nan_wins(rows, middle), shape)


def nanmedian(x: Any, /, axis: Axis = None, keepdims: bool = False) -> Any:
    """The `median` along the axes of what is not NaN; NaN where there is nothing else.

    Example:
        >>> import tensorgrad as tg
        >>> tg.nanmedian(tg.tensor([5.0, float("nan"), 2.0, 3.0])).item()
        3.0
    """
    return _quantile("nanmedian", x, 0.5, 1, axis, "linear", keepdims)


def quantile(x: Any, q: Any, /, axis: Axis = None, *, method: str = "linear", keepdims: bool = False) -> Any:
    """The value below which a part ``q`` of the elements lies; NaN if there is a NaN.

    Args:
        x: an array or tensor of floating numbers.
        q: a number in [0, 1], or an array of them, whose axes come first in the result; a constant.
        axis: the axes, all if None.
        method: where the value lies between two elements: ``"linear"``, or another one of NumPy's.
        keepdims: keep the axes with length 1.

    Raises:
        DtypeError: ``q`` requires a gradient, or ``x`` is boolean or complex.
        ShapeError: there are no elements, ``q`` is out of range, or the method is unknown.

    Example:
        >>> import tensorgrad as tg
        >>> tg.quantile(tg.tensor([1.0, 2.0, 3.0, 5.0]), 0.5).item()
        2.5
    """
    return _quantile("quantile", x, q, 1, axis, method, keepdims)


def nanquantile(
    x: Any, q: Any, /, axis: Axis = None, *, method: str = "linear", keepdims: bool = False
) -> Any:
    """The `quantile` of what is not NaN; NaN where there is nothing else."""
    return _quantile("nanquantile", x, q, 1, axis, method, keepdims)


def percentile(
    x: Any, q: Any, /, axis: Axis = None, *, method: str = "linear", keepdims: bool = False
) -> Any:
    """The `quantile` for ``q`` in percent, so from 0 to 100.

    Example:
        >>> import tensorgrad as tg
        >>> tg.percentile(tg.tensor([1.0, 2.0, 3.0, 5.0]), [25, 50], method="lower")
        tensor([1., 2.])
    """
    return _quantile("percentile", x, q, 100, axis, method, keepdims)


def nanpercentile(
    x: Any, q: Any, /, axis: Axis = None, *, method: str = "linear", keepdims: bool = False
) -> Any:
    """The `percentile` of what is not NaN; NaN where there is nothing else."""
    return _quantile("nanpercentile", x, q, 100, axis, method, keepdims)


# ---- places


def _between(alpha: float, beta: float) -> Callable[[Any, Any], Any]:
    """The continuous methods, by their two parameters (Hyndman and Fan, p. 363)."""
    return lambda n, q: n * q + (alpha + q * (1 - alpha - beta)) - 1


def _averaged(n: Any, q: Any) -> Any:
    edge = n * q
    return where(edge == floor(edge), edge - 0.5, ceil(edge) - 1)


def _closest(n: Any, q: Any) -> Any:
    edge = n * q - 0.5
    low = floor(edge)
    return where((edge == low) & (low % 2 == 0), low - 1, low)


PLACES: dict[str, Callable[[Any, Any], Any]] = {
    "inverted_cdf": lambda n, q: ceil(n * q) - 1,
    "averaged_inverted_cdf": _averaged,
    "closest_observation": _closest,
    "interpolated_inverted_cdf": _between(0, 1),
    "hazen": _between(0.5, 0.5),
    "weibull": _between(0, 0),
    "linear": lambda n, q: (n - 1) * q,
    "median_unbiased": _between(1 / 3, 1 / 3),
    "normal_unbiased": _between(3 / 8, 3 / 8),
    "lower": lambda n, q: floor((n - 1) * q),
    "higher": lambda n, q: ceil((n - 1) * q),
    "midpoint": lambda n, q: (floor((n - 1) * q) + ceil((n - 1) * q)) / 2,
    "nearest": lambda n, q: round((n - 1) * q),
}
"""The place of a quantile among the sorted elements by each method, from their count and ``q``."""


# ---- helpers


def _quantile(op: str, x: Any, q: Any, whole: float, axis: Axis, method: str, keepdims: bool) -> Any:
    if isinstance(q, Value) and (q.level > 0 or getattr(q, "requires_grad", False)):
        raise DtypeError(
            f"{op}: q is a tensor that is differentiated; it is a constant here, give q.detach()"
        )
    if method not in PLACES:
        raise ShapeError(f"{op}: method is {method!r}; {', '.join(sorted(PLACES))} are known")
    if lifted(op, x).dtype.kind == "b" and op not in ("median", "nanmedian"):
        raise DtypeError(f"{op}: x is boolean, and there is nothing between its elements")
    part = np.asarray(q, np.float64) / whole
    if not ((part >= 0) & (part <= 1)).all():
        raise ShapeError(f"{op}: q is {q}; [0, {whole}] is the range")
    rows, shape = _sorted_rows(op, x, axis, keepdims)
    if op.startswith("nan"):
        y = _at_own_places(rows, part.ravel(), method)
    else:
        y = _nan_wins(rows[..., None, :], _at_places(rows, part.ravel(), method))
    return reshape(moveaxis(y, -1, 0), (*part.shape, *shape))


def _at_places(rows: Any, part: Any, method: str) -> Any:
    n = rows.shape[-1]
    place = np.clip(PLACES[method](n, part), 0, n - 1)
    low = np.floor(place).astype(np.intp)
    y = read(rows, (..., low))
    if (place > low).any():  # otherwise both are the same elements, and infinities stay what they are
        y = _mixed(y, read(rows, (..., np.ceil(place).astype(np.intp))), place - low)
    return y


def _at_own_places(rows: Any, part: Any, method: str) -> Any:
    """The same where each row has a length of its own: NaN stand at the end, and do not count."""
    n = sum(is_number(rows), -1, True)
    place = maximum(minimum(PLACES[method](n, part), n - 1), 0.0)
    low = floor(place)
    picked, next_one = [take_along_axis(rows, astype(p, np.int64), -1) for p in (low, ceil(place))]
    return _mixed(picked, next_one, place - low)


def _mixed(low: Any, high: Any, weight: Any) -> Any:
    """``low + (high - low) * weight``, and just ``low`` where the weight is 0: infinities have no difference."""
    weight = astype(weight, low.dtype)
    gap = where(weight == 0, 0, high) - where(weight == 0, 0, low)
    return low + gap * weight


def _sorted_rows(op: str, x: Any, axis: Axis, keepdims: bool) -> tuple[Any, tuple[int, ...]]:
    """``x`` with the axes as one, sorted, at the end; and the shape of what is picked from each row."""
    x = lifted(op, x)
    if x.dtype.kind == "c" and op not in ("median", "nanmedian"):  # these are NumPy's, by the order of `sort`
        raise DtypeError(f"{op}: x is complex, and complex numbers have no order")
    if x.dtype.kind not in "fc":
        x = astype(x, np.float64)
    axes = normalise_axes(op, axis, x.ndim)
    kept = [i for i in range(x.ndim) if i not in axes]
    lengths = [x.shape[i] for i in kept]
    count = math.prod([x.shape[a] for a in axes])
    if not count:
        raise ShapeError(f"{op}: x has shape {x.shape}; of no elements there is none in the middle")
    rows = sort(reshape(permute_dims(x, (*kept, *axes)), (*lengths, count)))
    shape = tuple([1 if i in axes else n for i, n in enumerate(x.shape)]) if keepdims else tuple(lengths)
    return rows, shape


def _nan_wins(rows: Any, picked: Any) -> Any:
    last = rows[..., -1]  # sorting puts NaN there
    return where(is_number(last), picked, last)
