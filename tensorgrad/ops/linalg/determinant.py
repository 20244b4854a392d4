"""Determinants, with derivatives that are exact at singular matrices too."""

from __future__ import annotations

from itertools import combinations, permutations
from math import sqrt
from string import ascii_letters
from typing import Any, NamedTuple

import numpy as np

from ..._errors import LinalgError, ShapeError
from ..._primitive import declare, primitive
from ..dtype import cast, conjugate, imag, real
from ..elementwise import multiply
from ..reduce import sum
from ..shape import expand_dims, matrix_transpose
from ._matrices import adjoint, lapack, square
from ._tower import tower
from .solve import inv

# ---- determinant


@primitive
def det(a: Any, /) -> Any:
    """Determinant of square matrices.

    Its derivatives of any order are exact, also where matrices are singular.

    Args:
        a: a matrix, or a stack of them in the last two axes.

    Raises:
        ShapeError: the matrices are not square.

    Example:
        >>> import tensorgrad as tg
        >>> tg.grad(tg.linalg.det)(tg.tensor([[0.0, 0.0], [0.0, 3.0]]))
        tensor([[3., 0.],
                [0., 0.]])
    """
    return lapack(np.linalg.det, square("det", a))


def _cofactors(*operands: Any) -> Any:
    """The gradient of the determinant of real matrices, and its derivatives along directions after it."""
    dtype = np.result_type(*operands)
    square("cofactors", operands[0])
    if len({x.shape for x in operands}) > 1:
        raise ShapeError(f"cofactors: the shapes are {[x.shape for x in operands]}; one shape is needed")
    a, *directions = [x.astype(np.float32) if x.dtype.char == "e" else x for x in operands]
    y = None if directions else _by_inverse(a)
    return (_by_singular_values(a, directions) if y is None else y).astype(dtype, copy=False)


cofactors = tower(_cofactors, lambda x: conjugate(x) if x.dtype.kind == "c" else x, "cofactors")

det.vjp(a=lambda g, a: expand_dims(g, (-2, -1)) * _conjugated(cofactors(a)))
det.jvp(a=lambda t, a: sum(t * cofactors(a), (-2, -1)))


@det.batching
def _det_batch(size: int, batched: Any, args: Any) -> Any:
    return det(args[0])


# ---- its logarithm


class SlogdetResult(NamedTuple):
    """What `slogdet` returns: the sign of the determinant, and the logarithm of its absolute value."""

    sign: Any
    logabsdet: Any


def _sign_and_logarithm(a: Any, /) -> tuple[Any, ...]:
    """Sign and logarithm of the absolute value of the determinant of square matrices."""
    return tuple(lapack(np.linalg.slogdet, square("slogdet", a)))


_slogdet = declare(_sign_and_logarithm, "general", several=True, name="slogdet")
_slogdet.vjp(a=lambda g, a, y: _logarithm_pull(g, a, y[0]))
_slogdet.jvp(a=lambda t, a, y: _logarithm_push(sum(matrix_transpose(_inverse(a)) * t, (-2, -1)), y[0]))


@_slogdet.batching
def _slogdet_batch(size: int, batched: Any, args: Any) -> Any:
    return _slogdet(args[0])


def slogdet(a: Any, /) -> SlogdetResult:
    """Sign of the determinant, and the logarithm of its absolute value, which does not overflow.

    Where the matrix is singular these are 0 and -inf, and there is no gradient.

    Args:
        a: a matrix, or a stack of them in the last two axes. For complex ones the sign is a number on the
            unit circle.

    Returns:
        A named tuple: ``sign`` and ``logabsdet``.

    Raises:
        ShapeError: the matrices are not square.

    Example:
        >>> import tensorgrad as tg
        >>> sign, logabsdet = tg.linalg.slogdet(tg.eye(3) * -1.0)
        >>> sign.item(), logabsdet.item()
        (-1.0, 0.0)
    """
    return SlogdetResult(*_slogdet(a))


def _logarithm_pull(g: Any, a: Any, sign: Any) -> Any:
    slope = g[1]
    if a.dtype.kind == "c":  # a change of phase turns the sign at a right angle
        slope = cast(slope, a.dtype) + 1j * imag(conjugate(sign) * g[0])
    return expand_dims(slope, (-2, -1)) * adjoint(_inverse(a))


def _inverse(a: Any) -> Any:
    try:
        return inv(a)
    except LinalgError as error:
        raise LinalgError(f"slogdet: log(0) has no derivative; that of det has one ({error})") from None


def _logarithm_push(change: Any, sign: Any) -> tuple[Any, Any]:
    """Tangents of sign and logarithm from that of the logarithm of the determinant itself."""
    if change.dtype.kind == "c":
        return 1j * imag(change) * sign, real(change)
    return multiply(change, 0), change


# ---- cofactors


def _by_inverse(a: Any) -> Any:
    """Cofactors of matrices that are all far from singular, or None: the fast way."""
    kind = np.finfo(a.dtype)
    with np.errstate(all="ignore"):
        try:
            inverse = np.linalg.inv(a)
        except np.linalg.LinAlgError:
            return None
        size = np.linalg.det(a)[..., None, None]
        y = size * np.swapaxes(inverse, -1, -2)
        condition = np.abs(a).sum(-1).max(-1, initial=0) * np.abs(inverse).sum(-1).max(-1, initial=0)
        trusted = (condition < float(kind.eps) ** (-1 / 3)).all() and (
            np.abs(size) > kind.tiny / kind.eps
        ).all()
        return y if trusted and np.isfinite(y).all() else None


def _by_singular_values(a: Any, directions: list[Any]) -> Any:
    """Cofactors and their derivatives at any matrix.

    With a = u s v, cofactors are those of u, of s and of v multiplied; those of a unitary matrix are its
    determinant times its conjugate. At the diagonal matrix s, the derivative of order m of the
    determinant is a sum over m different places of the diagonal: the product of the other singular
    values, times the determinant of what the directions have in those rows and columns. No division is
    needed, so it does not matter how many singular values are 0.
    """
    n = a.shape[-1]
    broken = ~np.isfinite(a).all((-2, -1), keepdims=True)
    u, s, v = np.linalg.svd(np.where(broken, 0, a))
    turned = [np.swapaxes(u, -1, -2).conj() @ e @ np.swapaxes(v, -1, -2).conj() for e in directions]
    order = len(turned) + 1
    others = products_of_others(s, order)
    letters = ascii_letters[:order]
    inner = np.zeros((*others.shape[: others.ndim - order], n, n), u.dtype)
    along = np.arange(n)
    for places in permutations(range(order)):
        terms = ["..." + letters[p] + letters[places[p]] for p in range(1, order)]
        sign = (-1) ** len([1 for p, q in combinations(places, 2) if p > q])
        target = letters[0] if places[0] == 0 else letters[0] + letters[places[0]]
        subscripts = ",".join(["..." + letters, *terms]) + "->..." + target
        part = sign * np.einsum(subscripts, others, *turned)
        if places[0] == 0:
            inner[..., along, along] += part
        else:
            inner += part
    scale = (np.linalg.det(u) * np.linalg.det(v))[..., None, None]
    with np.errstate(invalid="ignore"):  # where cofactors overflow
        y = scale * (u.conj() @ inner @ v.conj())
    return np.where(broken, np.nan, y)


def products_of_others(s: Any, order: int) -> Any:
    """For each tuple of ``order`` different places, the product of the elements of ``s`` elsewhere.

    Exponents are added up by themselves: the product of all may underflow where that of the others does not.
    """
    n = s.shape[-1]
    zero = s == 0
    fraction, exponent = np.frexp(np.where(zero, 1, s))
    low = fraction < sqrt(0.5)
    fraction, exponent = np.where(low, 2 * fraction, fraction), exponent - low
    lead = s.shape[:-1]
    product = fraction.prod(-1).reshape(*lead, *[1] * order)
    power = exponent.sum(-1).reshape(*lead, *[1] * order)
    zeros = zero.sum(-1).reshape(*lead, *[1] * order)
    for p in range(order):
        shape = (*lead, *[n if p == q else 1 for q in range(order)])
        product = product / fraction.reshape(shape)
        power = power - exponent.reshape(shape)
        zeros = zeros - zero.reshape(shape)
    kept = zeros == 0
    for p, q in combinations(range(order), 2):
        kept = kept & ~np.eye(n, dtype=bool).reshape([n if r in (p, q) else 1 for r in range(order)])
    with np.errstate(over="ignore", under="ignore"):
        return np.where(kept, np.ldexp(product, np.where(kept, power, 0)), 0).astype(s.dtype, copy=False)


def _conjugated(x: Any) -> Any:
    return conjugate(x) if x.dtype.kind == "c" else x
