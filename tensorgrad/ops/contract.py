"""Products that sum over shared axes: matmul and einsum."""

from __future__ import annotations

from collections import Counter
from functools import lru_cache
from math import prod
from string import ascii_letters
from typing import Any

import numpy as np

from .._errors import DtypeError, ShapeError
from .._primitive import bilinear, declare
from .shape import broadcast_to, expand_dims, lifted, matrix_transpose, reshape


@bilinear
def matmul(a: Any, b: Any, /) -> Any:
    """Matrix product over the last two axes, batched over the others; a 1-D input is one row or column."""
    if a.dtype.char == "e" and b.dtype.char == "e":  # products of float16 are added up in float32
        return np.matmul(a, b, dtype=np.float32).astype(np.float16)
    try:
        return a @ b
    except (TypeError, ValueError) as error:
        if isinstance(error, TypeError) and a.ndim and b.ndim:
            raise
        raise _misfit(a.shape, b.shape) from None


def _misfit(a: Any, b: Any) -> ShapeError:
    if not a or not b:
        return ShapeError(f"matmul: a {a} and b {b}; both need an axis, multiply by a number with *")
    if a[-1] != b[max(0, len(b) - 2)]:
        return ShapeError(
            f"matmul: a has {a[-1]} columns and b has {b[max(0, len(b) - 2)]} rows (a {a}, b {b})"
        )
    return ShapeError(f"matmul: the leading axes of a {a} and b {b} do not broadcast")


matmul.transpose(
    a=lambda g, b, a_shape, b_shape: _for_rows(g, b, a_shape, b_shape),
    b=lambda g, a, a_shape, b_shape: _for_columns(g, a, a_shape, b_shape),
)


def _for_rows(g: Any, b: Any, a_shape: Any, b_shape: Any) -> Any:
    if len(b_shape) == 1:
        return expand_dims(g, -1) * b
    if len(a_shape) == 1:
        return b @ g if len(b_shape) == 2 else (expand_dims(g, -2) @ matrix_transpose(b))[..., 0, :]
    return g @ matrix_transpose(b)


def _for_columns(g: Any, a: Any, a_shape: Any, b_shape: Any) -> Any:
    if len(a_shape) == 1:
        return a * g if len(b_shape) == 1 else expand_dims(a, -1) * expand_dims(g, -2)
    if len(b_shape) == 1:
        a = matrix_transpose(a)
        return a @ g if len(a_shape) == 2 else (a @ expand_dims(g, -1))[..., 0]
    if len(a_shape) > 2 and len(b_shape) == 2:  # one product over all rows, not one for each batch and a sum
        rows = prod(a_shape[:-1])
        a, g = reshape(a, (rows, a_shape[-1])), reshape(g, (rows, b_shape[-1]))
    return matrix_transpose(a) @ g


@matmul.batching
def _matmul_batch(size: int, batched: Any, args: Any) -> Any:
    (a, b), (a_batched, b_batched) = args, batched
    a_rank, b_rank = a.ndim - a_batched, b.ndim - b_batched
    # What all examples share makes one product of many small ones.
    if not b_batched and b_rank <= 2:
        return matmul(a, b)
    if not a_batched and a_rank <= 2 and b_rank == 1:
        return matmul(b, a if a_rank == 1 else matrix_transpose(a))
    if a_rank == b_rank > 1 or (a_rank == 1 and not a_batched):
        return matmul(a, b)
    # Otherwise a vector becomes a matrix, and the batch axis stands before all other axes of both.
    if a_rank == 1:
        a = expand_dims(a, -2)
    if b_rank == 1:
        b = expand_dims(b, -1)
    rank = max(a.ndim - a_batched, b.ndim - b_batched)
    if a_batched:
        a = reshape(a, (size, *[1] * (rank - a.ndim + 1), *a.shape[1:]))
    if b_batched:
        b = reshape(b, (size, *[1] * (rank - b.ndim + 1), *b.shape[1:]))
    y = matmul(a, b)
    if a_rank == 1:
        y = y[..., 0, :]
    return y[..., 0] if b_rank == 1 else y


# ---- einsum


def _sum_of_products(*operands: Any, subscripts: str) -> Any:
    """Products of the operands summed over the letters that the result lacks."""
    for k, i, j in _diagonals(subscripts):
        if operands[k].shape[i] != operands[k].shape[j]:  # NumPy reads past the end of an empty axis
            raise ShapeError(
                f"einsum: {subscripts!r} reads a diagonal of operand {k}, {operands[k].shape}; "
                "the axes of one letter need one length"
            )
    # optimize calls BLAS where it can; for one or two small operands its search costs more than it gains.
    return np.einsum(
        subscripts, *operands, optimize=len(operands) > 2 or max(x.size for x in operands) > 4096
    )


_einsum = declare(_sum_of_products, "bilinear", analytic=True, name="einsum")
_einsum.transpose(
    operands=lambda g, operands, operands_shape, wanted, subscripts: [
        _einsum_pull(i, g, operands, operands_shape, subscripts) if wanted[i] else None
        for i in range(len(operands))
    ]
)


def _einsum_pull(i: int, g: Any, operands: Any, shapes: Any, subscripts: str) -> Any:
    """The cotangent of operand ``i``: the einsum of ``g`` and the others, with the letters moved."""
    inputs, output = _terms(subscripts)
    mine = inputs[i]
    distinct = "".join(dict.fromkeys(mine))
    others = [(letters, x) for j, (letters, x) in enumerate(zip(inputs, operands, strict=True)) if j != i]
    size = dict(zip(mine, shapes[i], strict=True))
    # A letter that only this operand has was summed away: its cotangent is the same all along. Along an axis
    # of length 1 that was repeated it is the sum, and along one for which all others were repeated the same.
    longer = _longer(inputs, shapes)
    have = set(output).union(*[letters for letters, _ in others])
    have -= {letter for letter in distinct if size[letter] == 1 and letter in longer}
    target = "".join(letter for letter in distinct if letter in have)
    terms = ",".join([output, *[letters for letters, _ in others]])
    c = _einsum(g, *[x for _, x in others], subscripts=f"{terms}->{target}")
    if target != distinct:
        c = expand_dims(c, [k for k, letter in enumerate(distinct) if letter not in have])
    if c.shape != (lengths := tuple([size[letter] for letter in distinct])):
        c = broadcast_to(c, lengths)
    if distinct != mine:
        # A repeated letter read a diagonal; elsewhere the cotangent is 0.
        c = _spread(c, distinct, mine, size)
    return c


def _longer(inputs: list[str], shapes: Any) -> set[str]:
    """The letters of an axis that is not of length 1."""
    return {
        letter
        for letters, shape in zip(inputs, shapes, strict=True)
        for letter, n in zip(letters, shape, strict=True)
        if n != 1
    }


def _spread(c: Any, distinct: str, mine: str, size: dict[str, int]) -> Any:
    fresh = iter(letter for letter in ascii_letters if letter not in mine)
    target, eyes, terms = [], [], [distinct]
    seen: set[str] = set()
    for letter in mine:
        if letter in seen:
            new = next(fresh)
            target.append(new)
            terms.append(letter + new)
            eyes.append(np.eye(size[letter], dtype=c.dtype))
        else:
            seen.add(letter)
            target.append(letter)
    return _einsum(c, *eyes, subscripts=",".join(terms) + "->" + "".join(target))


@_einsum.batching
def _einsum_batch(size: int, batched: Any, args: Any, subscripts: str) -> Any:
    inputs, output = _terms(subscripts)
    batch = next(letter for letter in ascii_letters if letter not in subscripts)
    terms = [batch + letters if b else letters for letters, b in zip(inputs, batched, strict=True)]
    return _einsum(*args, subscripts=",".join(terms) + "->" + batch + output)


def einsum(subscripts: str, /, *operands: Any) -> Any:
    """Sum of products, in Einstein's notation.

    Args:
        subscripts: a letter for each axis of each operand, as in ``"ij,jk->ik"``; without ``->`` the
            letters that occur once, in alphabetical order, form the result. ``...`` stands for any
            further axes, and a letter twice in one operand reads its diagonal. An axis of length 1 is
            repeated to the length that its letter has in another operand.
        operands: arrays or tensors.

    Raises:
        ShapeError: letters and axes do not match.

    Example:
        >>> import tensorgrad as tg
        >>> tg.einsum("ij,ij->i", tg.ones((2, 3)), tg.ones((2, 3)))
        tensor([3., 3.])
    """
    if not isinstance(subscripts, str):
        raise DtypeError(
            f"einsum: the subscripts are {type(subscripts).__name__}; a text as 'ij,jk' is needed"
        )
    operands = tuple([lifted("einsum", x) for x in operands])
    return _einsum(*operands, subscripts=_explicit(subscripts, tuple([x.ndim for x in operands])))


@lru_cache(maxsize=1024)
def _diagonals(subscripts: str) -> list[tuple[int, int, int]]:
    """Where a letter stands twice in one operand: which operand, the first place, and another."""
    return [
        (k, letters.index(letter), j)
        for k, letters in enumerate(_terms(subscripts)[0])
        for j, letter in enumerate(letters)
        if letters.index(letter) < j
    ]


@lru_cache(maxsize=1024)
def _explicit(subscripts: str, ranks: tuple[int, ...]) -> str:
    """Subscripts with the output written out and every ellipsis replaced by letters."""
    text = subscripts.replace(" ", "")
    left, arrow, output = text.partition("->")
    inputs = left.split(",")
    if len(inputs) != len(ranks):
        raise ShapeError(f"einsum: {subscripts!r} names {len(inputs)} operands, {len(ranks)} given")
    if wrong := [c for c in text.replace("...", "").replace("->", "") if c not in ascii_letters + ","]:
        raise ShapeError(
            f"einsum: {subscripts!r} has {wrong[0]!r}; letters, commas, '...' and '->' are meant"
        )
    spare = [letter for letter in ascii_letters if letter not in text]
    wide = 0
    for term, rank in zip(inputs, ranks, strict=True):
        named = len(term.replace("...", ""))
        if named > rank or ("..." not in term and named != rank):
            raise ShapeError(f"einsum: {subscripts!r} gives {term!r} to an operand of {rank} axes")
        if "..." in term:
            wide = max(wide, rank - named)
    ellipsis = "".join(spare[:wide])
    full = []
    for term, rank in zip(inputs, ranks, strict=True):
        own = rank - len(term.replace("...", ""))
        full.append(term.replace("...", ellipsis[wide - own :]))
    if arrow:
        result = output.replace("...", ellipsis)
        if unknown := set(result) - set("".join(full)):
            raise ShapeError(
                f"einsum: {subscripts!r} has {sorted(unknown)[0]!r} in the result but in no operand"
            )
        if len(set(result)) != len(result):
            raise ShapeError(f"einsum: {subscripts!r} names a letter twice in the result")
    else:
        counts = Counter("".join(full))
        result = ellipsis + "".join(sorted(c for c, n in counts.items() if n == 1 and c not in ellipsis))
    return ",".join(full) + "->" + result


def _terms(subscripts: str) -> tuple[list[str], str]:
    left, _, output = subscripts.partition("->")
    return left.split(","), output
