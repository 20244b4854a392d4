"""Powers and products of several matrices, and the sum of a diagonal."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any, SupportsIndex

import numpy as np

from ..._errors import DtypeError, ShapeError
from .. import diagonals, products
from ..contract import matmul
from ..dtype import astype
from ..elementwise import where
from ..reduce import sum
from ..shape import lifted
from ._matrices import as_matrices, square
from .solve import inv


def matrix_power(a: Any, /, n: SupportsIndex) -> Any:
    """Power of square matrices with an integer exponent, by repeated squaring.

    Args:
        a: a matrix, or a stack of them in the last two axes.
        n: the exponent; a negative one is a power of the inverse.

    Raises:
        ShapeError: the matrices are not square.
        DtypeError: the exponent is not an integer.
        LinalgError: it is negative and a matrix is singular.

    Example:
        >>> import tensorgrad as tg
        >>> tg.linalg.matrix_power(tg.tensor([[1.0, 1.0], [0.0, 1.0]]), 5)
        tensor([[1., 5.],
                [0., 1.]])
    """
    a = square("matrix_power", lifted("matrix_power", a))
    try:
        exponent = operator.index(n)
    except TypeError:
        raise DtypeError(f"matrix_power: n is {n!r}; an integer is needed") from None
    if exponent == 0:
        return where(True, np.eye(a.shape[-1], dtype=a.dtype), a)
    if exponent < 0:
        a, exponent = inv(a), -exponent
    product, square_of = None, a
    while True:
        if exponent & 1:
            product = square_of if product is None else product @ square_of
        exponent >>= 1
        if not exponent:
            return product
        square_of = square_of @ square_of


def multi_dot(arrays: Sequence[Any], /) -> Any:
    """Product of two or more matrices, in the order that takes the fewest multiplications.

    Args:
        arrays: matrices; the first may be a vector, which is a row, and the last one, which is a column.

    Raises:
        ShapeError: there are fewer than two, one has another number of axes, or two neighbours do not fit.

    Example:
        >>> import tensorgrad as tg
        >>> tg.linalg.multi_dot([tg.ones((2, 3)), tg.ones((3, 4)), tg.ones(4)])
        tensor([12., 12.])

    Source:
        Cormen, Leiserson, Rivest and Stein, Introduction to Algorithms, 3rd edition, 2009, section 15.2.
    """
    factors = [lifted("multi_dot", x) for x in arrays]
    count = len(factors)
    if count < 2:
        raise ShapeError(f"multi_dot: {count} given; two matrices or more are needed")
    for i, x in enumerate(factors):
        if x.ndim != 2 and not (x.ndim == 1 and i in (0, count - 1)):
            raise ShapeError(f"multi_dot: number {i} has shape {x.shape}; a matrix is needed")
    # Matrix i has lengths[i] rows and lengths[i + 1] columns.
    lengths = [1 if factors[0].ndim == 1 else factors[0].shape[0]]
    for i, x in enumerate(factors):
        if i and x.shape[0] != lengths[-1]:
            raise ShapeError(
                f"multi_dot: number {i - 1} has {lengths[-1]} columns and number {i}, {x.shape}, has "
                f"{x.shape[0]} rows"
            )
        lengths.append(x.shape[-1] if x.ndim == 2 or i == 0 else 1)
    return _product(factors, _best_cuts(lengths), 0, count - 1)


def outer(a: Any, b: Any, /) -> Any:
    """The product of each element of one vector with each of another, as a matrix; `tensorgrad.outer` ravels.

    Raises:
        ShapeError: one of the two is no vector.

    Example:
        >>> import tensorgrad as tg
        >>> tg.linalg.outer(tg.tensor([1.0, 2.0]), tg.tensor([3.0, 4.0]))
        tensor([[3., 4.],
                [6., 8.]])
    """
    a, b = lifted("outer", a), lifted("outer", b)
    if not a.ndim == b.ndim == 1:
        raise ShapeError(f"outer: a has shape {a.shape} and b {b.shape}; two vectors are needed")
    return products.outer(a, b)


def trace(x: Any, /, *, offset: int = 0, dtype: Any = None) -> Any:
    """Sum of a diagonal of matrices.

    Args:
        x: matrices in the last two axes.
        offset: how far above the main diagonal; negative is below.
        dtype: of the sum.

    Raises:
        ShapeError: there are fewer than two axes.

    Example:
        >>> import tensorgrad as tg
        >>> tg.linalg.trace(tg.eye(3)).item()
        3.0
    """
    x = as_matrices("trace", lifted("trace", x), "x")
    return sum(diagonal(x if dtype is None else astype(x, dtype), offset=offset), -1)


def diagonal(x: Any, /, *, offset: int = 0) -> Any:
    """The elements on a diagonal of matrices, along a new last axis.

    Args:
        x: matrices in the last two axes.
        offset: how far above the main diagonal; negative is below.

    Raises:
        ShapeError: there are fewer than two axes.
    """
    return diagonals.diagonal(x, offset, -2, -1)


# ---- the order of products


def _best_cuts(lengths: Sequence[int]) -> dict[tuple[int, int], int]:
    """For each run of matrices, after which one to cut it in two."""
    count = len(lengths) - 1
    cost = {(i, i): 0 for i in range(count)}
    cuts: dict[tuple[int, int], int] = {}
    for width in range(1, count):
        for i in range(count - width):
            j = i + width
            cost[i, j], cuts[i, j] = min(
                (cost[i, k] + cost[k + 1, j] + lengths[i] * lengths[k + 1] * lengths[j + 1], k)
                for k in range(i, j)
            )
    return cuts


def _product(factors: Sequence[Any], cuts: dict[tuple[int, int], int], first: int, last: int) -> Any:
    if first == last:
        return factors[first]
    cut = cuts[first, last]
    return matmul(_product(factors, cuts, first, cut), _product(factors, cuts, cut + 1, last))
