"""The exponential of matrices, with its derivatives of every order."""

from __future__ import annotations

from math import factorial
from typing import Any

import numpy as np

from ._matrices import adjoint, square
from ._tower import tower

DEGREES = {3: 1.08e-2, 5: 2.00e-1, 7: 7.83e-1, 9: 1.78, 13: 4.74}
"""Up to which 1-norm the rational approximation of each degree is exact in double precision, with its derivative.

Source:
    Al-Mohy and Higham, Computing the Fréchet derivative of the matrix exponential, 2009, table 6.1.
"""

Numbers = list[Any]
"""A matrix in the algebra over numbers t1, t2, ... with squares 0: the coefficient of each product of some of them.

The entry at index i belongs to the product of those whose bits are set in i; None stands for 0. What a
function does to ``a + t1 e1 + t2 e2`` has its derivative along e1 and e2 as the coefficient of t1 t2.
"""


def _exponential(*operands: Any) -> Any:
    """The exponential of the first matrices, or its derivative along the others."""
    square("matrix_exp", operands[0])
    dtype = np.result_type(*operands)
    if dtype.kind not in "fc":
        dtype = np.dtype(np.float64)
    wide = np.dtype(np.float32) if dtype.char == "e" else dtype
    shape = operands[0].shape
    a, *directions = [
        x.astype(wide, copy=False).reshape((-1, *shape[-2:])) if x.size else x for x in operands
    ]
    if not a.size:
        return np.zeros(shape, dtype)
    x: Numbers = [a, *[None] * (2 ** len(directions) - 1)]
    for i, direction in enumerate(directions):
        x[1 << i] = direction
    y = _squared_back(x, np.abs(a).sum(-2).max(-1))[-1]
    return y.reshape(shape).astype(dtype, copy=False)


_matrix_exp = tower(_exponential, adjoint, "matrix_exp")


def matrix_exp(a: Any, /) -> Any:
    """Exponential of square matrices: the sum of ``a**k / k!``.

    Args:
        a: a matrix, or a stack of them in the last two axes.

    Raises:
        ShapeError: the matrices are not square.

    Example:
        >>> import tensorgrad as tg
        >>> tg.linalg.matrix_exp(tg.tensor([[0.0, 1.0], [0.0, 0.0]]))
        tensor([[1., 1.],
                [0., 1.]])

    Source:
        Higham, The scaling and squaring method for the matrix exponential revisited, 2005, algorithm 2.3.
    """
    return _matrix_exp(a)


# ---- scaling and squaring


def _squared_back(x: Numbers, size: Any) -> Numbers:
    """The exponential of ``x``, from that of a fraction of it so small that an approximation is exact."""
    largest = size.max()
    degree = next((m for m, limit in DEGREES.items() if largest <= limit), 13)
    ratio = np.where(np.isfinite(size), size, 0) / DEGREES[13]
    halvings = np.maximum(np.frexp(ratio)[1], 0) if degree == 13 else np.zeros(len(size), int)
    if halvings.any():
        scale = np.ldexp(np.ones(len(size), size.dtype), -halvings)[:, None, None]
        x = [None if c is None else c * scale for c in x]
    even, odd = _halves(x, degree)
    divisor = _plus(even, odd, -1)
    y = _quotient(_plus(even, odd), divisor)
    if halvings.any():
        above = np.diagonal(np.linalg.solve(divisor[0], 2 * odd[0]), axis1=-2, axis2=-1).copy()
        for i in range(halvings.max()):
            chosen = np.flatnonzero(halvings > i)
            squared, above[chosen] = _square([None if c is None else c[chosen] for c in y], above[chosen])
            for c, part in zip(y, squared, strict=True):
                if c is not None:
                    c[chosen] = part
    return y


def _square(y: Numbers, above: Any) -> tuple[Numbers, Any]:
    """The square of ``y``, and what of its diagonal is above 1, from that of ``y``.

    Where one element of the matrix is much larger than another, that other has become so small by the
    scaling that beside 1 nothing would be left of it.
    """
    along = np.arange(above.shape[-1])
    diagonal = y[0][:, along, along]
    rest = np.where(np.eye(len(along), dtype=bool), 0, y[0])
    product = rest @ rest
    others = product[:, along, along]
    sums = diagonal[:, :, None] + diagonal[:, None, :]
    product += np.multiply(rest, sums, where=rest != 0, out=np.zeros_like(rest))  # not 0 times infinity
    above = above * (2 + above) + others
    product[:, along, along] = np.where(np.abs(above) < 0.5, 1 + above, diagonal * diagonal + others)
    return [product, *[_coefficient(y, y, t) for t in range(1, len(y))]], above


def _halves(x: Numbers, degree: int) -> tuple[Numbers, Numbers]:
    """The even and odd terms of the polynomial p in Padé's approximation, p(x) / p(-x)."""
    m = degree
    b = [
        factorial(2 * m - j) * factorial(m) / (factorial(2 * m) * factorial(m - j) * factorial(j))
        for j in range(m + 1)
    ]
    one: Numbers = [np.eye(x[0].shape[-1], dtype=x[0].dtype), *[None] * (len(x) - 1)]
    powers = [one, _times(x, x)]
    while len(powers) <= min(m // 2, 3 if m == 13 else m):
        powers.append(_times(powers[-1], powers[1]))
    odd, even = (_combined(b[start : 8 if m == 13 else m + 1 : 2], powers) for start in (1, 0))
    if m == 13:  # the upper half of both polynomials has the sixth power as a factor
        high_odd, high_even = (_combined([0.0, *b[start::2]], powers) for start in (9, 8))
        odd, even = (
            _plus(low, _times(powers[3], high)) for low, high in ((odd, high_odd), (even, high_even))
        )
    return even, _times(x, odd)


# ---- the algebra


def _times(x: Numbers, y: Numbers) -> Numbers:
    return [_coefficient(x, y, t) for t in range(len(x))]


def _coefficient(x: Numbers, y: Numbers, t: int) -> Any:
    """One coefficient of the product: numbers with square 0 come from one of the two factors each."""
    pairs = [(x[s], y[t ^ s]) for s in range(t + 1) if s & t == s]
    return _total([a @ b for a, b in pairs if a is not None and b is not None])


def _quotient(p: Numbers, q: Numbers) -> Numbers:
    """The x with ``q @ x = p``: each coefficient from those before it."""
    x: Numbers = []
    for t, right in enumerate(p):
        known = _coefficient([None, *q[1:]], [*x, *[None] * (len(p) - t)], t)
        rest = _total([c for c in (right, None if known is None else -known) if c is not None])
        x.append(None if rest is None else np.linalg.solve(q[0], rest))
    return x


def _combined(weights: list[float], terms: list[Numbers]) -> Numbers:
    return [
        _total([w * c for w, c in zip(weights, column, strict=True) if c is not None and w])
        for column in zip(*terms, strict=True)
    ]


def _plus(x: Numbers, y: Numbers, sign: int = 1) -> Numbers:
    return [
        _total([c for c in (a, None if b is None else sign * b) if c is not None])
        for a, b in zip(x, y, strict=True)
    ]


def _total(parts: list[Any]) -> Any:
    total = None
    for part in parts:
        total = part if total is None else total + part
    return total
