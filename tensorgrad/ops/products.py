"""Products of arrays by the names that NumPy has for them, all made of `matmul` and `multiply`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from .._errors import ShapeError
from .contract import matmul
from .dtype import astype, conjugate
from .elementwise import multiply, subtract
from .index import read
from .reduce import sum
from .shape import as_sequence, lifted, moveaxis, normalise_axes, normalise_axis, permute_dims, ravel, reshape


def dot(a: Any, b: Any, /) -> Any:
    """Sum of products over the last axis of ``a`` and the last but one of ``b``, or its only one.

    Raises:
        ShapeError: the two axes differ in length.

    Example:
        >>> import tensorgrad as tg
        >>> tg.dot(tg.tensor([1.0, 2.0]), tg.tensor([3.0, 4.0])).item()
        11.0
    """
    a, b = lifted("dot", a), lifted("dot", b)
    if not a.ndim or not b.ndim:
        return multiply(a, b)
    return _contract("dot", a, b, (a.ndim - 1,), (max(0, b.ndim - 2),))


def vdot(a: Any, b: Any, /) -> Any:
    """Sum of the products of all elements, those of ``a`` conjugated.

    Raises:
        ShapeError: the two differ in their number of elements.
    """
    a, b = ravel(lifted("vdot", a)), ravel(lifted("vdot", b))
    return _contract("vdot", _conjugated(a), b, (0,), (0,))


def inner(a: Any, b: Any, /) -> Any:
    """Sum of products over the last axes of both.

    Raises:
        ShapeError: they differ in length.
    """
    a, b = lifted("inner", a), lifted("inner", b)
    if not a.ndim or not b.ndim:
        return multiply(a, b)
    return _contract("inner", a, b, (a.ndim - 1,), (b.ndim - 1,))


def outer(a: Any, b: Any, /) -> Any:
    """The product of each element of ``a`` with each of ``b``, both read row by row, as a matrix.

    Example:
        >>> import tensorgrad as tg
        >>> tg.outer(tg.tensor([1.0, 2.0]), tg.tensor([3.0, 4.0]))
        tensor([[3., 4.],
                [6., 8.]])
    """
    a, b = ravel(lifted("outer", a)), ravel(lifted("outer", b))
    return multiply(reshape(a, (a.size, 1)), b)


def tensordot(a: Any, b: Any, /, axes: int | Sequence[Any] = 2) -> Any:
    """Sum of products over some axes of both.

    Args:
        a: an array or tensor; its other axes come first in the result.
        b: an array or tensor; its other axes come last.
        axes: how many: the last of ``a`` with the first of ``b``; or a pair, the axes of ``a`` and those
            of ``b``.

    Raises:
        ShapeError: the axes differ in number or length.

    Example:
        >>> import tensorgrad as tg
        >>> tg.tensordot(tg.ones((2, 3, 4)), tg.ones((4, 3, 5)), axes=((1, 2), (1, 0))).shape
        (2, 5)
    """
    a, b = lifted("tensordot", a), lifted("tensordot", b)
    if isinstance(axes, int):
        if not 0 <= axes <= min(a.ndim, b.ndim):
            raise ShapeError(f"tensordot: axes={axes}, but a has {a.ndim} axes and b has {b.ndim}")
        return _contract("tensordot", a, b, tuple(range(a.ndim - axes, a.ndim)), tuple(range(axes)))
    if len(axes) != 2:
        raise ShapeError(f"tensordot: axes={axes}; a number or a pair, axes of a and axes of b, is needed")
    of_a = normalise_axes("tensordot", tuple(as_sequence(axes[0])), a.ndim)
    of_b = normalise_axes("tensordot", tuple(as_sequence(axes[1])), b.ndim)
    return _contract("tensordot", a, b, of_a, of_b)


def kron(a: Any, b: Any, /) -> Any:
    """Kronecker product: blocks of ``b``, each times one element of ``a``.

    Example:
        >>> import tensorgrad as tg
        >>> tg.kron(tg.tensor([1.0, 10.0]), tg.tensor([2.0, 3.0]))
        tensor([ 2.,  3., 20., 30.])
    """
    a, b = lifted("kron", a), lifted("kron", b)
    rank = max(a.ndim, b.ndim)
    m, n = [(*[1] * (rank - x.ndim), *x.shape) for x in (a, b)]
    blocks = multiply(
        reshape(a, tuple([k for length in m for k in (length, 1)])),
        reshape(b, tuple([k for length in n for k in (1, length)])),
    )
    return reshape(blocks, tuple([i * j for i, j in zip(m, n, strict=True)]))


def vecdot(a: Any, b: Any, /, *, axis: int = -1) -> Any:
    """Sum of products along an axis, the elements of ``a`` conjugated; the other axes broadcast.

    Args:
        a: an array or tensor.
        b: an array or tensor.
        axis: the axis of the vectors, which both have.

    Raises:
        ShapeError: the vectors differ in length.
    """
    a, b = lifted("vecdot", a), lifted("vecdot", b)
    a = moveaxis(a, normalise_axis("vecdot", axis, a.ndim), a.ndim - 1)
    b = moveaxis(b, normalise_axis("vecdot", axis, b.ndim), b.ndim - 1)
    if a.shape[-1] != b.shape[-1]:
        raise ShapeError(
            f"vecdot: vectors of {a.shape[-1]} and of {b.shape[-1]} elements; one length is needed"
        )
    products = multiply(_conjugated(a), b)
    y = sum(products, -1)
    return y if y.dtype == products.dtype else astype(y, products.dtype)  # sums of small integers are wide


def cross(a: Any, b: Any, /, *, axis: int = -1) -> Any:
    """Cross product of vectors of three elements along an axis; the other axes broadcast.

    Raises:
        ShapeError: the vectors have another length.

    Example:
        >>> import tensorgrad as tg
        >>> tg.cross(tg.tensor([1.0, 0.0, 0.0]), tg.tensor([0.0, 1.0, 0.0]))
        tensor([0., 0., 1.])
    """
    a, b = lifted("cross", a), lifted("cross", b)
    a = moveaxis(a, normalise_axis("cross", axis, a.ndim), a.ndim - 1)
    b = moveaxis(b, normalise_axis("cross", axis, b.ndim), b.ndim - 1)
    if a.shape[-1] != 3 or b.shape[-1] != 3:
        raise ShapeError(
            f"cross: vectors of {a.shape[-1]} and of {b.shape[-1]} elements; three each are needed"
        )
    (a1, b1), (a2, b2) = [[read(x, (..., order)) for x in (a, b)] for order in ([1, 2, 0], [2, 0, 1])]
    y = subtract(multiply(a1, b2), multiply(a2, b1))
    return moveaxis(y, y.ndim - 1, normalise_axis("cross", axis, y.ndim))


# ---- helpers


def _contract(op: str, a: Any, b: Any, of_a: tuple[int, ...], of_b: tuple[int, ...]) -> Any:
    """One matrix product: the free axes of ``a`` as rows, those of ``b`` as columns."""
    if [a.shape[i] for i in of_a] != [b.shape[i] for i in of_b]:
        raise ShapeError(f"{op}: axes {of_a} of a {a.shape} and {of_b} of b {b.shape} differ")
    free_a = tuple([i for i in range(a.ndim) if i not in of_a])
    free_b = tuple([i for i in range(b.ndim) if i not in of_b])
    rows, columns = [a.shape[i] for i in free_a], [b.shape[i] for i in free_b]
    shared = math.prod([a.shape[i] for i in of_a])
    left = reshape(permute_dims(a, (*free_a, *of_a)), (math.prod(rows), shared))
    right = reshape(permute_dims(b, (*of_b, *free_b)), (shared, math.prod(columns)))
    return reshape(matmul(left, right), (*rows, *columns))


def _conjugated(x: Any) -> Any:
    return conjugate(x) if x.dtype.kind == "c" else x
