"""NaN replaced, or left out of reductions and running sums; a NaN gets no gradient."""

from __future__ import annotations

import math
from typing import Any, SupportsIndex

import numpy as np

from .._errors import ShapeError
from .compare import all, not_equal
from .complexes import joined
from .cumulative import cumprod, cumsum, prod
from .dtype import astype, imag, real
from .elementwise import divide, maximum, subtract, where
from .reduce import max, mean, min, root, squared_size, sum, var
from .rounding import with_numbers
from .shape import Axis, lifted, reduced_axes, stack


def nan_to_num(
    x: Any, /, *, nan: float = 0.0, posinf: float | None = None, neginf: float | None = None
) -> Any:
    """Each element, with numbers in place of NaN and infinities, through which nothing flows.

    Infinities become the largest and the smallest number of the dtype, unless others are given. Of complex
    numbers the parts are looked at one by one.

    Example:
        >>> import numpy as np, tensorgrad as tg
        >>> tg.nan_to_num(np.array([np.nan, 1.0])), tg.nan_to_num(np.array([complex(np.nan, 1.0)]))
        (array([0., 1.]), array([0.+1.j]))
    """
    x = lifted("nan_to_num", x)
    if x.dtype.kind != "c":
        return with_numbers(x, nan, posinf, neginf)
    return joined(stack([with_numbers(part, nan, posinf, neginf) for part in (real(x), imag(x))], axis=-1))


def nansum(x: Any, /, axis: Axis = None, keepdims: bool = False) -> Any:
    """Sum over the axes of what is not NaN; a NaN gets no gradient."""
    x = lifted("nansum", x)
    return sum(without_nan(x, 0), reduced_axes("nansum", axis, x.ndim), keepdims)


def nanprod(x: Any, /, axis: Axis = None, keepdims: bool = False) -> Any:
    """Product over the axes of what is not NaN; a NaN gets no gradient."""
    x = lifted("nanprod", x)
    return prod(without_nan(x, 1), reduced_axes("nanprod", axis, x.ndim), keepdims)


def nancumsum(x: Any, /, axis: SupportsIndex | None = None) -> Any:
    """The sum of each element and those before it, as `cumsum`; a NaN counts as 0."""
    return cumsum(without_nan(lifted("nancumsum", x), 0), axis)


def nancumprod(x: Any, /, axis: SupportsIndex | None = None) -> Any:
    """The product of each element and those before it, as `cumprod`; a NaN counts as 1."""
    return cumprod(without_nan(lifted("nancumprod", x), 1), axis)


def nanmean(x: Any, /, axis: Axis = None, keepdims: bool = False) -> Any:
    """Mean over the axes of what is not NaN; NaN where there is nothing else.

    Example:
        >>> import tensorgrad as tg
        >>> tg.nanmean(tg.tensor([1.0, float("nan"), 3.0])).item()
        2.0
    """
    x = lifted("nanmean", x)
    axes = reduced_axes("nanmean", axis, x.ndim)
    if x.dtype.kind not in "fc":
        return mean(x, axes, keepdims)
    if x.dtype == np.float16:  # the sum may be larger than float16 can hold
        return astype(nanmean(astype(x, np.float32), axes, keepdims), np.float16)
    count = sum(astype(is_number(x), x.dtype), axes, keepdims)
    return divide(sum(without_nan(x, 0), axes, keepdims), count)


def nanvar(
    x: Any, /, axis: Axis = None, correction: float = 0, keepdims: bool = False, *, ddof: float | None = None
) -> Any:
    """Variance over the axes of what is not NaN; NaN where there are no more elements than ``correction``.

    Args:
        x: an array or tensor.
        axis: the axes, all if None.
        correction: subtracted from the count of elements; 1 gives the unbiased estimate.
        keepdims: keep the axes with length 1.
        ddof: NumPy's name for ``correction``.

    Example:
        >>> import tensorgrad as tg
        >>> tg.nanvar(tg.tensor([1.0, float("nan"), 3.0])).item()
        1.0
    """
    return _nan_variance("nanvar", x, axis, correction if ddof is None else ddof, keepdims)


def nanstd(
    x: Any, /, axis: Axis = None, correction: float = 0, keepdims: bool = False, *, ddof: float | None = None
) -> Any:
    """Standard deviation over the axes of what is not NaN, the root of `nanvar`; 0 has the slope 0."""
    return root(_nan_variance("nanstd", x, axis, correction if ddof is None else ddof, keepdims))


def nanmax(x: Any, /, axis: Axis = None, keepdims: bool = False) -> Any:
    """The largest element along the axes that is not NaN; equal ones share the gradient evenly."""
    return _nan_extremum("nanmax", max, -math.inf, x, axis, keepdims)


def nanmin(x: Any, /, axis: Axis = None, keepdims: bool = False) -> Any:
    """The smallest element along the axes that is not NaN; equal ones share the gradient evenly."""
    return _nan_extremum("nanmin", min, math.inf, x, axis, keepdims)


# ---- helpers


def is_number(x: Any) -> Any:
    """Whether each element is not NaN."""
    return x == x  # only a NaN differs from itself


def without_nan(x: Any, value: complex) -> Any:
    """``x`` with ``value`` in place of NaN."""
    return where(is_number(x), x, np.asarray(value, x.dtype)) if x.dtype.kind in "fc" else x


def _nan_variance(op: str, x: Any, axis: Axis, correction: float, keepdims: bool) -> Any:
    x = lifted(op, x)
    axes = reduced_axes(op, axis, x.ndim)
    if x.dtype.kind not in "fc":
        return var(x, axes, correction, keepdims)
    if x.dtype == np.float16:
        return astype(_nan_variance(op, astype(x, np.float32), axes, correction, keepdims), np.float16)
    number = is_number(x)
    real = np.zeros((), x.dtype).real.dtype
    count = sum(astype(number, real), axes, True)
    centre = divide(sum(without_nan(x, 0), axes, True), maximum(count, 1))
    total = sum(squared_size(where(number, subtract(x, centre), np.zeros((), x.dtype))), axes, keepdims)
    free = (count if keepdims else sum(count, axes)) - correction
    return divide(total, where(free > 0, free, np.asarray(math.nan, real)))


def _nan_extremum(op: str, reduce: Any, least: float, x: Any, axis: Axis, keepdims: bool) -> Any:
    x = lifted(op, x)
    axes = reduced_axes(op, axis, x.ndim)
    if not math.prod([x.shape[a] for a in axes]):
        raise ShapeError(f"{op}: x has shape {x.shape}; of no elements there is no extremum")
    if x.dtype.kind not in "fc":
        return reduce(x, axes, keepdims)
    bound = complex(least, least) if x.dtype.kind == "c" else least
    y = reduce(without_nan(x, bound), axes, keepdims)
    return where(all(not_equal(x, x), axes, keepdims), np.asarray(math.nan, x.dtype), y)
