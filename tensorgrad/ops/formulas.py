"""Short formulas that have a name in NumPy: polynomials, phases without jumps, matrices times vectors."""

from __future__ import annotations

import math
from typing import Any, SupportsIndex

import numpy as np

from .._errors import ShapeError
from .contract import matmul
from .cumulative import cumulative_sum
from .differences import diff
from .dtype import astype, conjugate, stop_gradient
from .elementwise import abs, add, multiply, subtract, where
from .reduce import sum
from .rounding import remainder
from .shape import broadcast_to, expand_dims, lifted, normalise_axis, squeeze


def polyval(p: Any, x: Any, /) -> Any:
    """The polynomial with coefficients ``p``, the highest power first, at each ``x``; by Horner's rule.

    Args:
        p: coefficients, 1-D.
        x: an array or tensor.

    Raises:
        ShapeError: ``p`` is not 1-D.

    Example:
        >>> import tensorgrad as tg
        >>> tg.polyval([1.0, 0.0, -2.0], tg.tensor([0.0, 3.0]))
        tensor([-2.,  7.])
    """
    p, x = lifted("polyval", p), lifted("polyval", x)
    if p.ndim != 1:
        raise ShapeError(f"polyval: p has shape {p.shape}; one axis is needed, for the coefficients")
    if not p.shape[0]:
        return where(
            np.zeros(x.shape, bool), x, astype(sum(p), p.dtype)
        )  # 0, and a tensor where one of the two is
    y = broadcast_to(np.zeros((), np.result_type(p.dtype, x.dtype)), x.shape)
    for i in range(p.shape[0]):
        y = add(multiply(y, x), p[i]) if i else add(y, p[0])
    return y


def unwrap(
    x: Any, /, discont: float | None = None, axis: SupportsIndex = -1, *, period: float = 2 * math.pi
) -> Any:
    """``x`` with whole periods added, so that no step along the axis is larger than half a period.

    Args:
        x: phases.
        discont: only steps that are at least as large are changed; half a period if None or less.
        axis: the axis.
        period: the length of a period. With an integer, integers stay integers.

    Raises:
        ShapeError: ``x`` does not have the axis.

    Example:
        >>> import tensorgrad as tg
        >>> tg.unwrap(tg.tensor([0.0, 5.0, 9.0, 2.0]), period=10)
        tensor([ 0.,  5.,  9., 12.])
    """
    x = lifted("unwrap", x)
    axis = normalise_axis("unwrap", axis, x.ndim)
    whole = x.dtype.kind in "biu" and isinstance(period, int)
    half = period // 2 if whole else period / 2
    step = stop_gradient(diff(x, axis=axis))  # what is added is constant between jumps
    rest = subtract(remainder(add(step, half), period), half)
    if not whole or period % 2 == 0:  # half a period up stays up
        rest = where((rest == -half) & (step > 0), half, rest)
    added = where(abs(step) < max(discont or 0, period / 2), 0, subtract(rest, step))
    return add(x, astype(cumulative_sum(added, axis=axis, include_initial=True), added.dtype))


def matvec(a: Any, v: Any, /) -> Any:
    """Matrices times vectors, of which there may be stacks.

    Args:
        a: ``(..., M, N)``.
        v: ``(..., N)``.

    Returns:
        The products ``(..., M)``.

    Raises:
        ShapeError: the lengths do not fit.

    Example:
        >>> import tensorgrad as tg
        >>> tg.matvec(tg.tensor([[1.0, 2.0], [3.0, 4.0]]), tg.tensor([1.0, -1.0]))
        tensor([-1., -1.])
    """
    a, v = _matrix_and_vector("matvec", a, v, -1)
    return squeeze(matmul(a, expand_dims(v, axis=-1)), axis=-1)


def vecmat(v: Any, a: Any, /) -> Any:
    """Vectors, conjugated where they are complex, times matrices, of which there may be stacks.

    Args:
        v: ``(..., M)``.
        a: ``(..., M, N)``.

    Returns:
        The products ``(..., N)``.

    Raises:
        ShapeError: the lengths do not fit.

    Example:
        >>> import tensorgrad as tg
        >>> tg.vecmat(tg.tensor([1.0, -1.0]), tg.tensor([[1.0, 2.0], [3.0, 4.0]]))
        tensor([-2., -2.])
    """
    a, v = _matrix_and_vector("vecmat", a, v, -2)
    v = conjugate(v) if v.dtype.kind == "c" else v
    return squeeze(matmul(expand_dims(v, axis=-2), a), axis=-2)


def _matrix_and_vector(op: str, a: Any, v: Any, axis: int) -> tuple[Any, Any]:
    a, v = lifted(op, a), lifted(op, v)
    if a.ndim < 2 or v.ndim < 1 or a.shape[axis] != v.shape[-1]:
        raise ShapeError(f"{op}: a matrix {a.shape} and a vector {v.shape} do not fit")
    return a, v
