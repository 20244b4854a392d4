"""Corners of solving, determinants, factorisations and the exponential of matrices."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tensorgrad as tg
from tensorgrad import linalg
from tensorgrad.ops.linalg import determinant, products
from tensorgrad.ops.linalg.determinant import cofactors

SEEDS = st.integers(0, 2**32 - 1)
SIZES = st.integers(1, 5)


def matrix(seed: int, *shape: int, kind: str = "f") -> Any:
    """Normal numbers."""
    rng = np.random.default_rng(seed)
    made = rng.standard_normal(shape)
    return made + 1j * rng.standard_normal(shape) if kind == "c" else made


def regular(seed: int, n: int, kind: str = "f") -> Any:
    """A matrix whose singular values lie between 0.5 and 2."""
    rng = np.random.default_rng(seed)
    u, v = (np.linalg.qr(matrix(seed + i, n, n, kind=kind))[0] for i in (1, 2))
    return u * np.exp2(rng.uniform(-1, 1, n)) @ v


def pick(f: Any, *places: tuple[int, int]) -> Any:
    """The partial derivative of a function of a matrix in these elements, one after the other."""
    if not places:
        return f
    return pick(lambda x: tg.grad(f)(x)[places[0]], *places[1:])


# ---- identities


@given(SEEDS, SIZES, st.sampled_from("fc"))
def test_what_is_known_of_inverses_and_determinants(seed: int, n: int, kind: str) -> None:
    a, b = regular(seed, n, kind), regular(seed + 5, n, kind)
    near = {"rtol": 1e-11, "atol": 1e-12}
    np.testing.assert_allclose(a @ linalg.inv(a), np.eye(n), **near)
    np.testing.assert_allclose(linalg.inv(a @ b), linalg.inv(b) @ linalg.inv(a), **near)
    np.testing.assert_allclose(linalg.det(a @ b), linalg.det(a) * linalg.det(b), **near)
    sign, logabsdet = linalg.slogdet(a)
    np.testing.assert_allclose(sign * np.exp(logabsdet), linalg.det(a), **near)
    np.testing.assert_allclose(linalg.matrix_exp(a) @ linalg.matrix_exp(-a), np.eye(n), rtol=1e-9, atol=1e-10)
    np.testing.assert_allclose(linalg.det(linalg.matrix_exp(a)), np.exp(linalg.trace(a)), rtol=1e-9)
    np.testing.assert_allclose(linalg.matrix_power(a, -3), linalg.inv(a @ a @ a), **near)


@given(SEEDS, st.integers(0, 6), st.integers(0, 6), st.sampled_from("fc"))
def test_factors_multiply_to_what_was_factorised(seed: int, m: int, n: int, kind: str) -> None:
    a = matrix(seed, 2, m, n, kind=kind)
    p, low, u = linalg.lu(a)
    np.testing.assert_allclose(p @ low @ u, a, rtol=1e-12, atol=1e-13)
    np.testing.assert_array_equal(low, np.tril(low, -1) + np.eye(*low.shape[-2:]))
    np.testing.assert_array_equal(u, np.triu(u))
    assert np.abs(low).max(initial=0) <= (1 if kind == "f" else math.sqrt(2)) + 1e-12
    h = a @ a.conj().swapaxes(-1, -2) + np.eye(m)
    root = linalg.cholesky(h)
    np.testing.assert_allclose(root @ root.conj().swapaxes(-1, -2), h, rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(linalg.cholesky(h, upper=True), root.conj().swapaxes(-1, -2), rtol=1e-12)


# ---- more than one block


@pytest.mark.parametrize("shape", [(100, 100), (100, 40), (40, 100), (2, 70, 65)])
def test_lu_of_several_panels(shape: tuple[int, ...]) -> None:
    a = matrix(0, *shape)
    p, low, u = linalg.lu(a)
    np.testing.assert_allclose(p @ low @ u, a, rtol=0, atol=1e-12)
    assert np.abs(low).max() == 1
    np.testing.assert_array_equal(u, np.triu(u))


@pytest.mark.parametrize("upper", [False, True])
@pytest.mark.parametrize("unit", [False, True])
def test_triangles_of_several_blocks_read_one_triangle_only(upper: bool, unit: bool) -> None:
    n = 150
    a = matrix(0, n, n) / n + np.eye(n)
    part = np.triu(a) if upper else np.tril(a)
    unread = (np.tril if upper else np.triu)(np.ones((n, n)), -1 if upper else 1) != 0
    if unit:
        np.fill_diagonal(part, 1)
        unread |= np.eye(n, dtype=bool)
    b = matrix(1, n, 3)
    x = linalg.solve_triangular(np.where(unread, np.nan, a), b, upper=upper, unitriangular=unit)
    np.testing.assert_allclose(part @ x, b, rtol=0, atol=1e-13)


def test_a_triangle_is_solved_row_by_row_whatever_its_condition() -> None:
    """Elimination would exchange rows here; substitution is exact to the last digit."""
    a = np.array([[1e-8, 0.0, 0.0], [1.0, 1e-8, 0.0], [1.0, 1.0, 1e-310]])
    x = linalg.solve_triangular(a, a @ np.array([1.0, 2.0, 3.0]), upper=False)
    np.testing.assert_allclose(a @ x, a @ np.array([1.0, 2.0, 3.0]), rtol=1e-15)


def test_an_ill_conditioned_system_has_a_small_residual() -> None:
    n = 10
    hilbert = 1 / (np.arange(n)[:, None] + np.arange(n) + 1)
    b = np.ones(n)
    x = linalg.solve(hilbert, b)
    assert np.abs(hilbert @ x - b).max() < 1e-15 * n * np.abs(hilbert).max() * np.abs(x).max()


# ---- determinants where no inverse exists


def minor(a: Any, rows: tuple[int, ...], columns: tuple[int, ...]) -> float:
    """The derivative of a determinant in as many elements: of what is left without their rows and columns."""
    if len(set(rows)) < len(rows) or len(set(columns)) < len(columns):
        return 0.0
    left = np.delete(np.delete(a, rows, 0), columns, 1)
    inversions = sum(p > q for some in (rows, columns) for p, q in itertools.combinations(some, 2))
    return float((-1) ** (sum(rows) + sum(columns) + inversions) * exact_det(left.tolist()))


def exact_det(rows: list[list[float]]) -> float:
    if not rows:
        return 1
    return sum(
        (-1) ** j * rows[0][j] * exact_det([[*row[:j], *row[j + 1 :]] for row in rows[1:]])
        for j in range(len(rows))
    )


@pytest.mark.parametrize("rank", range(5))
def test_derivatives_of_det_are_those_of_the_polynomial_at_any_rank(rank: int) -> None:
    n = 4
    rng = np.random.default_rng(rank)
    a = (rng.integers(-3, 4, (n, rank)) @ rng.integers(-3, 4, (rank, n))).astype(float)
    size = max(1.0, np.abs(a).max())
    places = list(itertools.product(range(n), range(n)))
    first = tg.grad(linalg.det)(a)
    np.testing.assert_allclose(
        first, [[minor(a, (i,), (j,)) for j in range(n)] for i in range(n)], rtol=0, atol=1e-13 * size**3
    )
    for i, j in places[::3]:
        second = tg.grad(pick(linalg.det, (i, j)))(a)
        expected = [[minor(a, (i, k), (j, m)) for m in range(n)] for k in range(n)]
        np.testing.assert_allclose(second, expected, rtol=0, atol=1e-13 * size**2)
    for (i, j), (k, m) in [((0, 1), (2, 3)), ((1, 1), (2, 0)), ((3, 0), (3, 1))]:
        third = tg.grad(pick(linalg.det, (i, j), (k, m)))(a)
        expected = [[minor(a, (i, k, p), (j, m, q)) for q in range(n)] for p in range(n)]
        np.testing.assert_allclose(third, expected, rtol=0, atol=1e-13 * size)
    fourth = tg.grad(pick(linalg.det, (0, 0), (1, 1), (2, 3)))(a)
    np.testing.assert_allclose(fourth, -np.eye(n)[3][:, None] * np.eye(n)[2], rtol=0, atol=1e-13)


@pytest.mark.parametrize("kind", ["f", "c"])
def test_both_ways_to_cofactors_agree(kind: str) -> None:
    a = matrix(0, 3, 4, 4, kind=kind) + 3 * np.eye(4)
    fast, slow = determinant._by_inverse(a), determinant._by_singular_values(a, [])
    np.testing.assert_allclose(fast, slow, rtol=1e-11, atol=1e-11)


def test_complex_cofactors_of_a_singular_matrix() -> None:
    a = matrix(0, 3, 2, kind="c") @ matrix(1, 2, 3, kind="c")
    expected = [
        [(-1) ** (i + j) * np.linalg.det(np.delete(np.delete(a, i, 0), j, 1)) for j in range(3)]
        for i in range(3)
    ]
    np.testing.assert_allclose(cofactors(a), expected, rtol=0, atol=1e-13)


def test_cofactors_of_a_batch_do_not_share_what_is_broken() -> None:
    a = np.stack([np.eye(2), np.full((2, 2), np.nan), np.ones((2, 2))])
    y = cofactors(a)
    np.testing.assert_allclose(y[[0, 2]], [np.eye(2), [[1, -1], [-1, 1]]], rtol=0, atol=1e-15)
    assert np.isnan(y[1]).all()


@pytest.mark.parametrize(
    ("diagonal", "expected"),
    [
        ((1e-200, 1e-200), (1e-200, 1e-200)),
        ((1e200, 1e-200, 1.0), (1e-200, 1e200, 1.0)),
        ((1e300, 1e300, 0.0, 0.0), (0.0, 0.0, 0.0, 0.0)),
        ((1e160, 1e-160, 0.0), (0.0, 0.0, 1.0)),
        ((5e-324, 1.0), (1.0, 5e-324)),
    ],
)
def test_cofactors_do_not_overflow_before_they_must(diagonal: Any, expected: Any) -> None:
    with np.errstate(over="raise", divide="raise", invalid="raise"):
        found = tg.grad(linalg.det)(np.diag(diagonal))
    np.testing.assert_allclose(found, np.diag(expected), rtol=1e-14)


def test_slogdet_where_the_determinant_overflows() -> None:
    a = np.diag(np.full(200, 1e3))
    assert linalg.slogdet(a).logabsdet == pytest.approx(600 * math.log(10))
    np.testing.assert_allclose(tg.grad(lambda a: linalg.slogdet(a).logabsdet)(a), np.eye(200) / 1e3)
    sign, logabsdet = linalg.slogdet(np.ones((2, 2)))
    assert (sign, logabsdet) == (0, -np.inf)
    with pytest.raises(tg.LinalgError, match=r"slogdet: log\(0\) has no derivative"):
        tg.grad(lambda a: linalg.slogdet(a)[1])(np.ones((2, 2)))


# ---- errors


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda a: linalg.inv(a), r"inv: the matrix a\[1, 0\] of 2 x 2 is singular; linalg.pinv"),
        (lambda a: linalg.solve(a, np.ones(2)), r"solve: the matrix a\[1, 0\] of 2 x 2 is singular"),
        (lambda a: linalg.cholesky(a), r"cholesky: the matrix a\[1, 0\] of 2 x 2 is not positive definite"),
        (
            lambda a: linalg.solve_triangular(a, np.ones(2), upper=True),
            r"solve_triangular: of a\[1, 0\] an element on the diagonal is 0",
        ),
        (lambda a: linalg.matrix_power(a, -1), r"a\[1, 0\] of 2 x 2 is singular"),
    ],
)
def test_errors_name_the_matrix_and_are_those_of_numpy(call: Any, match: str) -> None:
    a = np.tile(np.eye(2), (2, 2, 1, 1))
    a[1, 0] = 0
    for make in (lambda a: a, tg.tensor):
        with pytest.raises(np.linalg.LinAlgError, match=match) as caught:
            call(make(a))
        assert isinstance(caught.value, tg.LinalgError)


def test_a_singular_matrix_has_factors_but_no_derivative_of_them() -> None:
    a = np.array([[0.0, 1.0, 2.0], [0.0, 2.0, 2.0], [0.0, 0.0, 0.0]])
    p, low, u = linalg.lu(a)
    np.testing.assert_array_equal(p @ low @ u, a)
    with pytest.raises(
        tg.LinalgError, match="lu: where columns are dependent, the factors have no derivative"
    ):
        tg.grad(lambda a: linalg.lu(a).U.sum())(a)


# ---- conventions


def test_cholesky_reads_one_triangle_and_its_gradient_is_symmetric() -> None:
    a = np.array([[4.0, np.nan], [2.0, 5.0]])
    np.testing.assert_array_equal(linalg.cholesky(a), [[2, 0], [1, 2]])
    np.testing.assert_array_equal(linalg.cholesky(a.T, upper=True), [[2, 1], [0, 2]])
    for upper in (False, True):
        g = tg.grad(lambda a, upper=upper: linalg.cholesky(a, upper=upper)[0, 0])(np.diag([4.0, 1.0]))
        np.testing.assert_array_equal(g, [[0.25, 0], [0, 0]])
        g = tg.grad(lambda a, upper=upper: linalg.cholesky(a, upper=upper).sum())(
            np.array([[2.0, 1], [1, 3]])
        )
        np.testing.assert_array_equal(g, g.T)


def test_only_one_axis_makes_a_vector() -> None:
    a, b = np.stack([np.eye(2), 2 * np.eye(2)]), np.array([[2.0, 4.0], [6.0, 8.0]])
    np.testing.assert_array_equal(linalg.solve(a, b), np.linalg.solve(a, b))
    np.testing.assert_array_equal(linalg.solve(a, b[0]), [[2, 4], [1, 2]])


def test_chains_are_multiplied_in_the_cheapest_order() -> None:
    cuts = products._best_cuts([30, 35, 15, 5, 10, 20, 25])  # the example of Cormen et al., page 376
    assert cuts[0, 5] == 2 and cuts[0, 2] == 0 and cuts[3, 5] == 4
    column = tg.trace(lambda a, v: linalg.multi_dot([a, a, a, v]), tg.ones((9, 9)), tg.ones(9))
    assert all(e.outputs[0].shape == (9,) for e in column.equations if str(e.primitive) == "matmul")


# ---- the exponential


def test_exponential_of_matrices_with_a_known_one() -> None:
    turn = np.array([[0.0, -20.0], [20.0, 0.0]])
    expected = [[math.cos(20), -math.sin(20)], [math.sin(20), math.cos(20)]]
    np.testing.assert_allclose(linalg.matrix_exp(turn), expected, rtol=0, atol=1e-13)
    shift = np.diag(np.ones(5), 1)
    series = [[1 / math.factorial(j - i) if j >= i else 0 for j in range(6)] for i in range(6)]
    np.testing.assert_allclose(linalg.matrix_exp(shift), series, rtol=1e-14)
    with np.errstate(over="raise", divide="raise", invalid="raise"):
        for x in ([-1e300, 0, 1], [-1e3, 0, 700], [-5e-324, 0, 1e-300]):
            np.testing.assert_allclose(linalg.matrix_exp(np.diag(x)), np.diag(np.exp(x)), rtol=1e-12)
        with np.errstate(over="ignore"):
            np.testing.assert_array_equal(linalg.matrix_exp(np.diag([1e3, 0.0])), [[np.inf, 0], [0, 1]])
        steep = np.array([[0, 1e300], [0, 0]])
        np.testing.assert_array_equal(linalg.matrix_exp(steep), steep + np.eye(2))


@pytest.mark.parametrize("scale", [1e-4, 0.01, 0.1, 0.5, 1.0, 3.0, 50.0])
def test_every_degree_of_the_exponential_is_exact(scale: float) -> None:
    """By eigenvalues, of symmetric matrices, where these are well conditioned; and its derivative."""
    a = matrix(0, 5, 5)
    a = (a + a.T) * scale / np.abs(a + a.T).sum(0).max()
    values, vectors = np.linalg.eigh(a)
    size = np.exp(values[-1])
    expected = vectors * np.exp(values) @ vectors.T
    np.testing.assert_allclose(linalg.matrix_exp(a), expected, rtol=0, atol=1e-14 * size * (1 + scale))
    gaps = values[:, None] - values
    slopes = np.exp((values[:, None] + values) / 2) * np.where(
        np.abs(gaps) > 1e-12, np.sinh(gaps / 2) / np.where(gaps == 0, 1, gaps / 2), 1
    )
    g = matrix(1, 5, 5)
    expected = vectors @ (slopes * (vectors.T @ g @ vectors)) @ vectors.T
    found = tg.grad(lambda a: (linalg.matrix_exp(a) * g).sum())(a)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-13 * size * (1 + scale))


def test_each_matrix_of_a_batch_is_scaled_by_itself() -> None:
    a = np.stack(
        [np.diag([300.0, -300.0]), np.diag([600.0, 2.0]), np.diag([1e-3, 0.0]), np.full((2, 2), np.nan)]
    )
    with np.errstate(over="raise"):
        y = linalg.matrix_exp(a)
    for k in range(3):
        np.testing.assert_allclose(y[k], np.diag(np.exp(np.diag(a[k]))), rtol=1e-11)
    assert np.isnan(y[3]).all()


def test_powers_of_integers_stay_integers() -> None:
    a = np.array([[1, 1], [1, 0]])
    assert linalg.matrix_power(a, 10).tolist() == [[89, 55], [55, 34]]
    assert linalg.matrix_power(a, 0).dtype == a.dtype
    np.testing.assert_array_equal(linalg.matrix_power(np.array([[np.inf, 1], [0, 1]]), 0), np.eye(2))
    assert linalg.trace(a, dtype=np.float32).dtype == np.float32
