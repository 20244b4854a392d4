"""Products: every form of einsum and matmul against plain loops."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import tensorgrad as tg
from tensorgrad.testing import gradcheck
from tensorgrad.testing.samples import ROWS

RNG = np.random.default_rng(0)
SIZE = dict(zip("abcde", (2, 3, 1, 2, 4), strict=True))


@pytest.mark.parametrize(
    ("subscripts", "shapes"),
    [
        ("ii->i", [(3, 3)]),
        ("ii->", [(3, 3)]),
        ("ii", [(3, 3)]),
        ("iij->j", [(2, 2, 3)]),
        ("iji->ij", [(2, 3, 2)]),
        ("iii->i", [(2, 2, 2)]),
        ("ii,ii->i", [(2, 2), (2, 2)]),
        ("ij->", [(2, 3)]),
        ("ij->j", [(2, 3)]),
        ("ijk->ik", [(2, 3, 2)]),
        ("ij,k->ik", [(2, 3), (4,)]),
        ("i,j->", [(2,), (3,)]),
        ("...i->...", [(2, 3, 4)]),
        ("...ij,...jk->...ik", [(2, 1, 2, 3), (4, 3, 2)]),
        ("i...,i...->...", [(2, 3), (2, 3)]),
        ("...,...", [(2, 3), (3,)]),
        ("ij...,jk->ik...", [(2, 3, 2), (3, 4)]),
        ("ab,bc,cd,de->ae", [(2, 3), (3, 2), (2, 4), (4, 2)]),
        ("bi,bj,bk->bijk", [(2, 2), (2, 3), (2, 2)]),
        (" i j , j k -> i k ", [(2, 3), (3, 2)]),
        ("ba", [(2, 3)]),
        ("zA->Az", [(2, 3)]),
        ("ij,jk", [(2, 1), (3, 2)]),
        ("ij,ij->", [(1, 3), (1, 1)]),
        ("i,i,j->j", [(3,), (1,), (2,)]),
    ],
)
def test_einsum(subscripts: str, shapes: Any) -> None:
    operands = [RNG.standard_normal(shape) for shape in shapes]
    y = tg.einsum(subscripts, *operands)
    np.testing.assert_allclose(y, np.einsum(subscripts, *operands), rtol=1e-12, atol=1e-14)
    assert gradcheck(lambda *xs: tg.einsum(subscripts, *xs), operands)
    assert gradcheck(
        lambda *xs: tg.grad(lambda x: (tg.einsum(subscripts, x, *xs[1:]) ** 2).sum())(xs[0]), operands
    )


@given(st.data())
def test_einsum_of_any_subscripts(data: st.DataObject) -> None:
    """Letters at random, repeated and left out at random, and some of length 1 in one operand."""
    letters = st.lists(st.sampled_from("abcde"), min_size=0, max_size=3)
    terms = ["".join(t) for t in data.draw(st.lists(letters, min_size=1, max_size=3))]
    used = sorted(set("".join(terms)))
    output = "".join(data.draw(st.permutations(used))[: data.draw(st.integers(0, len(used)))])
    subscripts = ",".join(terms) + "->" + output
    rng = np.random.default_rng(len(subscripts))
    ones = [data.draw(st.sets(st.sampled_from("abcde"), max_size=2)) for _ in terms]
    operands = [
        rng.standard_normal([1 if c in short else SIZE[c] for c in term])
        for term, short in zip(terms, ones, strict=True)
    ]
    y = tg.einsum(subscripts, *operands)
    np.testing.assert_allclose(
        y, ROWS["einsum"].reference(*operands, subscripts=subscripts), rtol=1e-10, atol=1e-12
    )
    assert gradcheck(lambda *xs: tg.einsum(subscripts, *xs), operands)


@pytest.mark.parametrize(
    ("subscripts", "shapes", "message"),
    [
        ("ij,jk->ik", [(2, 3)], "names 2 operands, 1 given"),
        ("ij->ii", [(2, 3)], "names a letter twice in the result"),
        ("ij->k", [(2, 3)], "'k' in the result but in no operand"),
        ("i1->i", [(2, 3)], "has '1'"),
        ("ijk->i", [(2, 3)], "to an operand of 2 axes"),
        ("ij,jk->ik", [(2, 3), (2, 3)], "einsum"),
        ("ii->i", [(2, 3)], "reads a diagonal of operand 0"),
        ("i,jj->i", [(2,), (3, 0)], "reads a diagonal of operand 1"),
    ],
)
def test_einsum_errors(subscripts: str, shapes: Any, message: str) -> None:
    with pytest.raises(tg.ShapeError, match=message):
        tg.einsum(subscripts, *[np.ones(shape) for shape in shapes])


# ---- matmul


@given(st.data())
def test_matmul_of_any_ranks(data: st.DataObject) -> None:
    k = data.draw(st.integers(0, 3))
    sides = st.integers(1, 3)
    batch = data.draw(st.lists(sides, max_size=2))

    def some_of(lengths: list[int]) -> list[int]:
        """A batch shape that broadcasts to ``lengths``."""
        kept = lengths[data.draw(st.integers(0, len(lengths))) :]
        return [n if data.draw(st.booleans()) else 1 for n in kept]

    a_shape = [k] if data.draw(st.booleans()) else [*some_of(batch), data.draw(sides), k]
    b_shape = [k] if data.draw(st.booleans()) else [*some_of(batch), k, data.draw(sides)]
    rng = np.random.default_rng(k)
    a, b = rng.standard_normal(a_shape), rng.standard_normal(b_shape)
    np.testing.assert_allclose(tg.matmul(a, b), ROWS["matmul"].reference(a, b), rtol=1e-12, atol=1e-13)
    assume(a.size and b.size)
    assert gradcheck(tg.matmul, [a, b])


@pytest.mark.parametrize(
    "shapes", [((3,), (2,)), ((2, 3), (2, 3)), ((), (2,)), ((2,), ()), ((2, 2, 3), (3, 3, 2))]
)
def test_matmul_errors(shapes: Any) -> None:
    with pytest.raises(tg.ShapeError, match="matmul: "):
        tg.matmul(*[np.ones(shape) for shape in shapes])


def test_a_weight_shared_by_many_rows_gets_one_gradient() -> None:
    x, w = np.ones((4, 5, 3)), tg.ones((3, 2)).requires_grad_()
    (tg.tensor(x) @ w).sum().backward()
    assert w.grad is not None
    assert w.grad.tolist() == [[20.0, 20.0]] * 3
