"""Rows of the products that sum over shared axes: matmul, einsum."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from ... import ops
from ..._errors import ShapeError
from ...ops import contract
from .row import Fails, OpSamples, at, complex_normal, normal, row


def _matmul(a: Any, b: Any) -> Any:
    rows = a if a.ndim > 1 else a[None]
    columns = b if b.ndim > 1 else b[:, None]
    batch = np.broadcast_shapes(rows.shape[:-2], columns.shape[:-2])
    rows = np.broadcast_to(rows, (*batch, *rows.shape[-2:]))
    columns = np.broadcast_to(columns, (*batch, *columns.shape[-2:]))
    out = np.zeros((*batch, rows.shape[-2], columns.shape[-1]), np.result_type(a, b))
    for index in np.ndindex(out.shape):
        *where, i, j = index
        out[index] = sum(rows[(*where, i, k)] * columns[(*where, k, j)] for k in range(rows.shape[-1]))
    drop = [axis for axis, x in ((-2, a), (-1, b)) if x.ndim == 1]
    return np.squeeze(out, tuple(drop))


def _einsum(*operands: Any, subscripts: str) -> Any:
    left, _, output = subscripts.partition("->")
    terms = left.split(",")
    size: dict[str, int] = {}
    for term, x in zip(terms, operands, strict=True):
        size.update({c: n for c, n in zip(term, x.shape, strict=True) if n != 1 or c not in size})
    out = np.zeros([size[c] for c in output], np.result_type(*operands))
    for values in itertools.product(*[range(n) for n in size.values()]):
        at_letter = dict(zip(size, values, strict=True))
        product = 1
        for term, x in zip(terms, operands, strict=True):
            product = product * x[tuple([at_letter[c] % n for c, n in zip(term, x.shape, strict=True)])]
        out[tuple([at_letter[c] for c in output])] += product
    return out


PRODUCTS = [
    row(
        "matmul",
        at("size 1", np.array([[2.0]]), np.array([[3.0]])),
        at("0-d result", normal(3), normal(3, seed=1)),
        at("axes", normal(2, 3), normal(3, 4, seed=1)),
        at("axes, row", normal(3), normal(3, 4, seed=1)),
        at("axes, column", normal(2, 3), normal(3, seed=1)),
        at("axes, many rows", normal(2, 2, 3), normal(3, 2, seed=1)),
        at("axes, row with batch", normal(3), normal(2, 3, 2, seed=1)),
        at("axes, column with batch", normal(2, 2, 3), normal(3, seed=1)),
        at("broadcast (2,1) (3,)", normal(2, 1, 2, 3), normal(3, 3, 2, seed=1)),
        at("edge: nothing to sum", np.zeros((2, 0)), np.zeros((0, 3))),
        at("edge: no rows", np.zeros((0, 3)), normal(3, 2)),
        at("edge: nothing to sum in many rows", np.zeros((2, 2, 0)), np.zeros((0, 3))),
        at("complex", complex_normal(2, 3), complex_normal(3, 2, seed=1)),
        reference=_matmul,
        errors=(
            Fails(
                lambda: ops.matmul(np.ones((2, 3)), np.ones((2, 3))),
                ShapeError,
                r"matmul: a has 3 columns and b has 2 rows",
            ),
            Fails(
                lambda: ops.matmul(np.ones(3), np.float64(2.0)), ShapeError, r"matmul: a \(3,\) and b \(\)"
            ),
        ),
        numpy=np.matmul,
    ),
    row(
        "einsum",
        at("0-d", 1.5, 2.0, subscripts=",->"),
        at("size 1", np.array([[2.0]]), subscripts="ij->"),
        at("axes, matrix product", normal(2, 3), normal(3, 2, seed=1), subscripts="ij,jk->ik"),
        at("axes, three operands", normal(2), normal(2, 3, seed=1), normal(3, seed=2), subscripts="i,ij,j->"),
        at("axes, transposed", normal(2, 3), subscripts="ij->ji"),
        at("axes, a letter summed away", normal(2, 3), normal(3, seed=1), subscripts="ij,j->j"),
        at("broadcast (2,1) (3,2)", normal(2, 1), normal(3, 2, seed=1), subscripts="ij,jk->ik"),
        at(
            "broadcast a diagonal", normal(1, 1), normal(2, seed=1), normal(1, seed=2), subscripts="ii,i,i->i"
        ),
        at("edge: diagonal", normal(3, 3), subscripts="ii->i"),
        at("edge: trace and more", normal(2, 2, 3), normal(2, seed=1), subscripts="iij,i->j"),
        at("edge: triple diagonal", normal(2, 2, 2), subscripts="iii->"),
        at("edge: empty", np.zeros((0, 3)), normal(3), subscripts="ij,j->i"),
        at("complex", complex_normal(2, 3), complex_normal(3, seed=1), subscripts="ij,j->i"),
        reference=_einsum,
        errors=(
            Fails(
                lambda: ops.einsum("ij,jk->ik", np.ones((2, 3)), np.ones((2, 3))),
                ShapeError,
                r"einsum: operands \(2, 3\)",
            ),
            Fails(
                lambda: ops.einsum("ii->i", np.ones((0, 3))),
                ShapeError,
                r"einsum: 'ii->i' reads a diagonal of operand 0, \(0, 3\)",
            ),
        ),
        numpy=lambda *operands, subscripts: np.einsum(subscripts, *operands),
    ),
]

COMPOSED = [
    row(
        "einsum in words",
        at("0-d", 1.5, 2.0, subscripts=","),
        at("axes, output left out", normal(2, 3), normal(3, 2, seed=1), subscripts="ij, jk"),
        at("axes, alphabetical output", normal(2, 3), subscripts="ba"),
        at("broadcast by ...", normal(2, 2, 3), normal(3, 2, seed=1), subscripts="...ij,jk->...ik"),
        at("edge: ... in the middle", normal(2, 3, 2), subscripts="i...i->..."),
        at("edge: trace", normal(3, 3), subscripts="ii"),
        reference=lambda *operands, subscripts: np.einsum(subscripts, *operands, optimize=False),
        errors=(
            Fails(
                lambda: ops.einsum("ij->k", np.ones((2, 3))),
                ShapeError,
                "einsum: 'ij->k' has 'k' in the result",
            ),
            Fails(
                lambda: ops.einsum("ij,j", np.ones((2, 3))),
                ShapeError,
                "einsum: 'ij,j' names 2 operands, 1 given",
            ),
            Fails(
                lambda: ops.einsum("ijk->i", np.ones((2, 3))),
                ShapeError,
                "einsum: .* 'ijk' to an operand of 2 axes",
            ),
        ),
        op=lambda *operands, subscripts: contract.einsum(subscripts, *operands),
    ),
]

ROWS: list[OpSamples] = PRODUCTS
