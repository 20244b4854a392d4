"""Diagonals and triangles of matrices."""

from __future__ import annotations

import builtins
from typing import Any

import numpy as np

from .._errors import ShapeError
from .arrange import atleast_2d
from .elementwise import where
from .index import add_at, read
from .padding import pad
from .shape import concat, lifted, normalise_axes, permute_dims, ravel


def tril(x: Any, /, k: int = 0) -> Any:
    """The lower triangle of the last two axes, 0 above the ``k``-th diagonal.

    Raises:
        ShapeError: there are fewer than two axes.

    Example:
        >>> import tensorgrad as tg
        >>> tg.tril(tg.ones((2, 3)))
        tensor([[1., 0., 0.],
                [1., 1., 0.]])
    """
    return _triangle("tril", x, k)


def triu(x: Any, /, k: int = 0) -> Any:
    """The upper triangle of the last two axes, 0 below the ``k``-th diagonal.

    Raises:
        ShapeError: there are fewer than two axes.
    """
    return _triangle("triu", x, k)


def diagonal(x: Any, /, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """The elements on a diagonal of two axes, along a new last axis.

    Args:
        x: an array or tensor with two axes or more.
        offset: how far above the main diagonal; negative is below.
        axis1: the axis of the rows.
        axis2: the axis of the columns.

    Raises:
        ShapeError: there are fewer than two axes, or both are the same.
    """
    return _diagonal("diagonal", lifted("diagonal", x), offset, axis1, axis2)


def diag(x: Any, /, k: int = 0) -> Any:
    """The ``k``-th diagonal of a matrix; of a vector, the matrix that has it there and is 0 elsewhere.

    Raises:
        ShapeError: ``x`` has neither one nor two axes.

    Example:
        >>> import tensorgrad as tg
        >>> tg.diag(tg.tensor([1.0, 2.0]))
        tensor([[1., 0.],
                [0., 2.]])
    """
    x = lifted("diag", x)
    if x.ndim == 2:
        return _diagonal("diag", x, k, 0, 1)
    if x.ndim != 1:
        raise ShapeError(f"diag: x has shape {x.shape}; one axis or two are needed")
    rows, columns = np.arange(x.size) + max(0, -k), np.arange(x.size) + max(0, k)
    n = x.size + abs(k)
    return add_at(x, rows, columns, pattern=("array", "array"), shape=(n, n))


def diag_embed(x: Any, /, offset: int = 0) -> Any:
    """Matrices with the last axis of ``x`` on a diagonal, 0 elsewhere.

    Args:
        x: an array or tensor with one axis or more.
        offset: how far above the main diagonal; negative is below.

    Shape:
        x ``(..., n)`` to ``(..., m, m)`` with ``m = n + abs(offset)``.

    Raises:
        ShapeError: ``x`` has no axis.

    Example:
        >>> import tensorgrad as tg
        >>> tg.diag_embed(tg.tensor([[1.0], [2.0]])).tolist()
        [[[1.0]], [[2.0]]]
    """
    x = lifted("diag_embed", x)
    if not x.ndim:
        raise ShapeError("diag_embed: x has no axis; one or more are needed")
    *lead, n = x.shape
    along, m = np.arange(n), n + abs(offset)
    rows, columns = along + max(0, -offset), along + max(0, offset)
    return add_at(x, rows, columns, pattern=(..., "array", "array"), shape=(*lead, m, m))


def block_diag(*matrices: Any) -> Any:
    """One matrix with the given ones along its diagonal, 0 elsewhere; numbers and vectors are rows.

    Raises:
        ShapeError: an argument has more than two axes, or there is none.

    Example:
        >>> import tensorgrad as tg
        >>> tg.block_diag(tg.ones((1, 2)), tg.full((1, 1), 3.0))
        tensor([[1., 1., 0.],
                [0., 0., 3.]])
    """
    parts = [atleast_2d(lifted("block_diag", x)) for x in matrices]
    if not parts or any(x.ndim > 2 for x in parts):
        raise ShapeError(f"block_diag: shapes {[x.shape for x in parts]}; one matrix or more are needed")
    width, start, rows = builtins.sum([x.shape[1] for x in parts]), 0, []
    for x in parts:
        n = x.shape[1]
        rows.append(pad(x, ((0, 0), (start, width - start - n))))
        start += n
    return concat(rows, axis=0)


def diagflat(x: Any, /, k: int = 0) -> Any:
    """The matrix that has all elements of ``x`` on its ``k``-th diagonal, and is 0 elsewhere."""
    return diag(ravel(lifted("diagflat", x)), k)


# ---- helpers


def _triangle(op: str, x: Any, k: int) -> Any:
    x = lifted(op, x)
    if x.ndim < 2:
        raise ShapeError(f"{op}: x has shape {x.shape}; two axes or more are needed")
    rows, columns = x.shape[-2:]
    below = np.tri(rows, columns, k if op == "tril" else k - 1, dtype=bool)
    kept = below if op == "tril" else ~below
    return where(kept, x, np.zeros((), x.dtype))


def _diagonal(op: str, x: Any, offset: int, axis1: int, axis2: int) -> Any:
    if x.ndim < 2:
        raise ShapeError(f"{op}: x has shape {x.shape}; two axes or more are needed")
    axes = normalise_axes(op, (axis1, axis2), x.ndim)
    x = permute_dims(x, (*[i for i in range(x.ndim) if i not in axes], *axes))
    rows, columns = x.shape[-2] - max(0, -offset), x.shape[-1] - max(0, offset)
    along = np.arange(max(0, min(rows, columns)))
    return read(x, (..., along + max(0, -offset), along + max(0, offset)))
