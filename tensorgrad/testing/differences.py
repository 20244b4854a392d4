"""Derivatives without formulas: how much a result moves when an input is moved a little.

Complex arrays are handled as pairs of real numbers, so there is one kind of entry, one kind of
step, and nothing else in here knows of complex numbers.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

Results = Callable[..., Sequence[Any]]


def step_for(dtype: np.dtype[Any]) -> float:
    """The step of central differences that loses least to rounding and curvature together.

    Rounding costs ``e / h`` and curvature ``h**2``, with ``e`` the spacing of floats at 1; the sum is
    smallest near the cube root of ``e``.
    """
    return math.cbrt(np.finfo(dtype).eps)


def entries(array: Any) -> np.ndarray[Any, Any]:
    """The real numbers in an array, in one row; a complex number is two of them."""
    flat = np.ascontiguousarray(array).reshape(-1)
    return flat.view(flat.real.dtype)


def joined(arrays: Sequence[Any]) -> np.ndarray[Any, Any]:
    """The real numbers in all arrays, in one row, in double precision."""
    return np.concatenate([np.zeros(0), *[entries(a).astype(np.float64) for a in arrays]])


def moved(array: Any, position: int, step: float) -> Any:
    """A copy of ``array`` with one real entry moved; 0-d arrays stay 0-d."""
    copy = entries(np.array(array))
    copy[position] += copy.dtype.type(step)
    return copy.view(np.asarray(array).dtype).reshape(np.shape(array))


def central(f: Results, args: Sequence[Any], which: int, eps: float) -> np.ndarray[Any, Any]:
    """The Jacobian of ``f`` in one argument, by central differences.

    Args:
        f: takes arrays and returns a sequence of arrays.
        args: where to differentiate.
        which: the number of the argument that is moved.
        eps: the step, relative to entries larger than 1.

    Returns:
        An array with a row for each real entry of the results and a column for each of the argument.

    Example:
        >>> import numpy as np
        >>> central(lambda x: [x * x], [np.array([1.0, 3.0])], 0, 1e-6).round(6)
        array([[2., 0.],
               [0., 6.]])
    """
    base = entries(args[which])
    columns = []
    for i in range(base.size):
        h = eps * max(1.0, abs(float(base[i])))
        ends = [moved(args[which], i, s) for s in (h, -h)]
        up, down = (joined(f(*args[:which], end, *args[which + 1 :])) for end in ends)
        taken = float(entries(ends[0])[i]) - float(entries(ends[1])[i])  # what was left of 2h after rounding
        columns.append((up - down) / taken)
    rows = joined(f(*args)).size if not columns else 0
    return np.stack(columns, axis=1) if columns else np.zeros((rows, 0))


def complex_step(f: Results, args: Sequence[Any], which: int) -> np.ndarray[Any, Any]:
    """The Jacobian of a complex-differentiable ``f`` in one real argument, exact to rounding.

    Nothing is subtracted, so the step may be as small as one likes.

    Source:
        Squire and Trapp, Using complex variables to estimate derivatives of real functions, 1998.
    """
    h = 1e-40
    lifted = [np.asarray(a, np.complex128) if np.asarray(a).dtype.kind == "f" else a for a in args]
    columns = []
    for i in range(np.size(args[which])):
        end = np.array(lifted[which])
        end.reshape(-1)[i] += 1j * h
        results = f(*lifted[:which], end, *lifted[which + 1 :])
        columns.append(np.concatenate([np.imag(np.asarray(y)).reshape(-1) for y in results]) / h)
    return np.stack(columns, axis=1) if columns else np.zeros((joined(f(*args)).size, 0))
