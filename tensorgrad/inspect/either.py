"""`tensorgrad.diff`: one name for what NumPy calls so and for the difference of two computations."""

from __future__ import annotations

import operator
from typing import Any, SupportsIndex

from .. import ops
from .._tensor import Tensor


def diff(
    x: Any,
    n: Any = 1,
    axis: SupportsIndex = -1,
    prepend: Any = None,
    append: Any = None,
    *,
    rtol: float | None = None,
    atol: float | None = None,
) -> Any:
    """Each element minus the one before it, as in NumPy; or, of two computations, what differs between them.

    Args:
        x: an array or tensor. Or a computation: a graph, a run, a picture, a tensor with its tape.
        n: how often neighbours are subtracted. Or the other computation.
        axis: the axis to go along.
        prepend: what to put in front first: an array, or a number for one place.
        append: what to put behind first.
        rtol: of computations: how far values may be apart, see `tensorgrad.inspect.diff.diff`.
        atol: likewise.

    Returns:
        An array or tensor; or a `tensorgrad.inspect.diff.Difference`, which is true if anything differs.

    Raises:
        ShapeError: ``n`` is negative, or ``x`` has no axis.
        TypeError: ``n`` is neither a whole number nor a computation.

    Example:
        >>> import tensorgrad as tg
        >>> tg.diff(tg.tensor([1.0, 4.0, 9.0]), prepend=0)
        tensor([1., 3., 5.])
        >>> old = tg.trace(lambda x: tg.exp(x).sum(), tg.ones(3))
        >>> new = tg.trace(lambda x: tg.sin(x).sum(), tg.ones(3))
        >>> print(tg.diff(old, new))
        --- a: 2 ops
        +++ b: 2 ops
        1 changed
        @@ -1,4 +1,4 @@
          %0 x: float32[3] = input
        - %1: float32[3] = exp(%0)
        + %1: float32[3] = sin(%0)    <- op
          %2: float32[] = sum(%1)
          return %2
    """
    if _counts(n):
        return ops.diff(x, n, axis, prepend, append)
    from .diff import diff as difference

    return difference(x, n, rtol=rtol, atol=atol)


def _counts(n: Any) -> bool:
    """Whether it says how often: a whole number, also as an array or tensor; a loss is none."""
    if isinstance(n, Tensor):
        return n.dtype.kind in "iu" and not n.ndim
    try:
        operator.index(n)
    except TypeError:
        return False
    return True
