"""Corners of eigenvalues, singular values, pseudo-inverses and norms."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tensorgrad as tg
from tensorgrad import linalg

STEP = 1e-5


def normal(*shape: int, seed: int = 0, complex: bool = False) -> Any:
    rng = np.random.default_rng((seed, *shape))
    made = rng.standard_normal(shape)
    return made + 1j * rng.standard_normal(shape) if complex else made


def adjoint(a: Any) -> Any:
    return tg.matrix_transpose(tg.conjugate(a))


def diagonal(s: Any, like: Any) -> Any:
    return np.eye(s.shape[-1], dtype=like.dtype) * s[..., None, :]


def inner(a: Any, b: Any) -> Any:
    return float(np.sum(np.real(np.conj(a) * b)))


def agrees(f: Any, a: Any, t: Any, tolerance: float = 1e-7) -> None:
    """The gradient, and the gradient of the gradient, in a direction, equal differences."""
    down, up = a - STEP * t, a + STEP * t
    assert inner(tg.grad(f)(a), t) == pytest.approx(
        (float(f(up)) - float(f(down))) / (2 * STEP), rel=tolerance, abs=tolerance
    )


# ---- identities

SHAPES = st.tuples(st.integers(1, 5), st.integers(1, 5), st.booleans(), st.integers(0, 1000))


@given(SHAPES)
def test_factors_multiply_to_the_matrix_and_their_gradient_to_its_cotangent(drawn: Any) -> None:
    m, n, complex, seed = drawn
    a, g = (normal(2, m, n, seed=seed + i, complex=complex) for i in (0, 1))

    def through_svd(a: Any) -> Any:
        u, s, vh = linalg.svd(a, full_matrices=False)
        return (u * s[..., None, :]) @ vh

    def through_qr(a: Any) -> Any:
        q, r = linalg.qr(a)
        return q @ r

    def through_pinv(a: Any) -> Any:
        return a @ linalg.pinv(a) @ a

    for f in (through_svd, through_qr, through_pinv):
        np.testing.assert_allclose(f(a), a, atol=1e-12)
        found = tg.grad(lambda a, f=f: tg.sum(tg.real(np.conj(g) * f(a))))(a)
        np.testing.assert_allclose(found, g, atol=1e-6)


@given(SHAPES)
def test_bases_are_orthonormal_and_full_ones_complete(drawn: Any) -> None:
    m, n, complex, seed = drawn
    a = normal(2, m, n, seed=seed, complex=complex)
    u, s, vh = linalg.svd(a)
    q, r = linalg.qr(a, "complete")
    assert u.shape == q.shape == (2, m, m) and vh.shape == (2, n, n) and r.shape == (2, m, n)
    for v in (u, vh, q):
        np.testing.assert_allclose(adjoint(v) @ v, np.broadcast_to(np.eye(v.shape[-1]), v.shape), atol=1e-13)
    k = min(m, n)
    np.testing.assert_allclose((u[..., :k] * s[..., None, :]) @ vh[..., :k, :], a, atol=1e-12)
    np.testing.assert_allclose(q @ r, a, atol=1e-12)
    np.testing.assert_allclose(s, np.linalg.svd(a, compute_uv=False), atol=1e-13)


@given(st.integers(1, 5), st.booleans(), st.integers(0, 1000))
def test_eigenvectors_diagonalise(n: int, complex: bool, seed: int) -> None:
    a = normal(2, n, n, seed=seed, complex=complex)
    values, v = linalg.eig(a)
    np.testing.assert_allclose(a @ v, v * values[..., None, :], atol=1e-11)
    np.testing.assert_allclose(np.linalg.norm(v, axis=-2), 1, atol=1e-13)
    assert values.dtype == v.dtype == np.complex128
    h = (a + adjoint(a)) / 2
    values, v = linalg.eigh(h)
    np.testing.assert_allclose((v * values[..., None, :]) @ adjoint(v), h, atol=1e-12)
    np.testing.assert_allclose(linalg.eigvalsh(h), values, atol=1e-12)
    np.testing.assert_allclose(
        tg.grad(lambda a: tg.real(linalg.eigvals(a)).sum())(a), np.broadcast_to(np.eye(n), a.shape), atol=1e-5
    )


@given(SHAPES)
def test_pinv_meets_penroses_conditions_for_any_rank(drawn: Any) -> None:
    m, n, complex, seed = drawn
    a = normal(m, 2, seed=seed, complex=complex) @ normal(2, n, seed=seed + 1, complex=complex)
    p = linalg.pinv(a, 1e-9)
    for found, expected in ((a @ p @ a, a), (p @ a @ p, p), (a @ p, adjoint(a @ p)), (p @ a, adjoint(p @ a))):
        np.testing.assert_allclose(found, expected, atol=1e-9 * (1 + np.abs(p).max() ** 2))


# ---- phases


@pytest.mark.parametrize("shape", [(1, 1), (1, 3), (4, 1), (3, 4), (2, 5), (5, 2), (4, 4), (7, 3)])
@pytest.mark.parametrize("complex", [False, True])
def test_singular_vectors_have_the_gradient_of_those_returned(shape: Any, complex: bool) -> None:
    a, t = normal(*shape, complex=complex), normal(*shape, seed=1, complex=complex)
    k = min(shape)
    g, h = normal(shape[0], k, seed=2, complex=complex), normal(k, shape[1], seed=3, complex=complex)

    def f(a: Any) -> Any:
        u, _, vh = linalg.svd(a, full_matrices=False)
        return tg.sum(tg.real(u * g)) + tg.sum(tg.real(vh * h))

    agrees(f, a, t)


@pytest.mark.parametrize("n", [1, 2, 3, 5])
@pytest.mark.parametrize("UPLO", ["L", "U"])
def test_eigenvectors_have_the_gradient_of_those_returned(n: int, UPLO: str) -> None:
    a, t = (normal(n, n, seed=i, complex=True) for i in (0, 1))
    g = normal(n, n, seed=2, complex=True)
    agrees(lambda a: tg.sum(tg.real(linalg.eigh(a, UPLO)[1] * g)), a + adjoint(a), t + adjoint(t))
    agrees(lambda a: tg.sum(tg.real(linalg.eig(a)[1] * g)), a, t)


# ---- equal eigenvalues and singular values


def repeated(complex: bool = False) -> Any:
    """A Hermitian matrix with eigenvalues 1, 1, 2, 2."""
    q = np.linalg.qr(normal(4, 4, complex=complex))[0]
    a = q @ np.diag([1.0, 1.0, 2.0, 2.0]) @ np.conj(q.T)
    return (a + np.conj(a.T)) / 2


@pytest.mark.parametrize("complex", [False, True])
def test_functions_of_equal_eigenvalues_and_of_their_space_have_exact_gradients(complex: bool) -> None:
    a, b, t = repeated(complex), normal(4, 4, seed=1, complex=complex), normal(4, 4, seed=2, complex=complex)
    for sum_of_cubes in (lambda a: (linalg.eigvalsh(a) ** 3).sum(), lambda a: (linalg.eigh(a)[0] ** 3).sum()):
        np.testing.assert_allclose(tg.grad(sum_of_cubes)(a), 3 * a @ a, atol=1e-13)

    def projected(a: Any) -> Any:
        v = linalg.eigh(a)[1][:, :2]
        return tg.sum(tg.real((v @ adjoint(v)) * b))

    agrees(projected, a, t + adjoint(t))


@pytest.mark.parametrize("a", [np.eye(3), np.zeros((3, 3)), repeated(), np.zeros((2, 3)), np.ones((3, 2))])
def test_every_gradient_at_equal_values_is_finite_and_of_a_linear_function_so_is_the_next(a: Any) -> None:
    def moments(parts: Any) -> Any:
        return sum([tg.sum(part * normal(*part.shape, seed=i)) for i, part in enumerate(parts)], 0.0)

    square = a.shape[0] == a.shape[1]
    functions = [
        lambda a: moments(linalg.svd(a, full_matrices=False)),
        lambda a: moments([linalg.svdvals(a), linalg.pinv(a)]),
    ]
    functions += [lambda a: moments(linalg.eigh(a)), lambda a: linalg.eigvalsh(a)[0]] if square else []
    with np.errstate(all="raise"):
        assert np.isfinite(tg.grad(lambda a: moments(linalg.svd(a)))(a)).all()
        for f in functions:
            once = tg.grad(f)
            assert np.isfinite(once(a)).all()
            assert np.isfinite(
                tg.grad(lambda a, once=once: tg.sum(once(a) * np.arange(a.size).reshape(a.shape)))(a)
            ).all()


def test_nuclear_norm_of_equal_and_of_vanishing_singular_values() -> None:
    q = np.linalg.qr(normal(3, 3))[0]
    np.testing.assert_allclose(tg.grad(lambda a: linalg.matrix_norm(a, ord="nuc"))(2 * q), q, atol=1e-14)
    u, v = np.array([0.6, 0.8]), np.array([0.0, 1.0, 0.0])
    found = tg.grad(lambda a: linalg.matrix_norm(a, ord="nuc"))(np.outer(u, v) * 5)
    np.testing.assert_allclose(found, np.outer(u, v), atol=1e-14)


@pytest.mark.parametrize("n", [2, 20, 100])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_what_rounding_makes_of_equal_values_counts_as_equal(n: int, dtype: Any) -> None:
    """Otherwise a slope would have the inverse of rounding in it."""
    q = np.linalg.qr(normal(n, n))[0].astype(dtype)
    a = (q * np.where(np.arange(n) < n // 2, 1, 2).astype(dtype)) @ q.T
    low_rank = normal(n, 1).astype(dtype) @ normal(1, n, seed=1).astype(dtype)
    for f in (lambda a: linalg.eigh(a)[1].sum(), lambda a: linalg.svd(a)[0].sum() + linalg.svd(a)[2].sum()):
        for one in (a + a.T, low_rank @ low_rank.T):
            assert np.abs(tg.grad(f)(one)).max() < 1e3


def test_eigenvalues_that_are_close_are_not_taken_for_equal() -> None:
    """A gap of a thousandth has its large slope."""
    a = np.diag([1.0, 1.001])
    t = np.array([[0.0, 1.0], [1.0, 0.0]])
    turn = tg.jvp(lambda a: linalg.eigh(a)[1], (a,), (t,))[1]
    np.testing.assert_allclose(np.abs(turn), 1000 * t, rtol=1e-9)


def test_where_eigenvectors_do_not_span_the_space_slopes_are_infinite() -> None:
    a = np.array([[0.0, 1.0], [0.0, 0.0]])
    np.testing.assert_array_equal(linalg.eigvals(a), [0, 0])
    assert np.abs(tg.grad(lambda a: tg.real(linalg.eigvals(a))[0])(a)).max() > 1e15


def test_each_of_many_eigenvalues_has_its_own_gradient() -> None:
    """LAPACK orders them otherwise when it computes no vectors."""
    a = normal(150, 150)
    values, v = np.linalg.eig(a)
    np.testing.assert_allclose(linalg.eigvals(a), values)
    last = tg.grad(lambda a: tg.real(linalg.eigvals(a)[-1]))(a)
    left = np.linalg.inv(v)[-1]
    np.testing.assert_allclose(last, np.real(np.outer(left, v[:, -1])), atol=1e-10)


# ---- pseudo-inverse, least squares, rank, condition


def test_pinv_and_lstsq_of_dependent_columns() -> None:
    a, b = np.outer([1.0, 2.0, -1.0], [1.0, 2.0]), np.array([1.0, 0.0, 2.0])
    x, residuals, rank, s = linalg.lstsq(a, b)
    expected = np.linalg.lstsq(a, b)
    np.testing.assert_allclose(x, expected[0], atol=1e-15)
    np.testing.assert_allclose(s, expected[3], atol=1e-14)
    assert rank == 1 and residuals == pytest.approx(np.sum((a @ x - b) ** 2))
    # Along changes that keep the rank, differences of NumPy's solution are the gradient.
    for t in (np.outer([1.0, 2.0, -1.0], [0.5, -1.0]), np.outer([0.5, 1.0, 1.0], [1.0, 2.0])):
        agrees(lambda a: linalg.lstsq(a, b, rcond=1e-6).x[0], a, t)
    assert not tg.grad(lambda a: linalg.pinv(a).sum())(np.zeros((2, 3))).any()


def test_lstsq_is_numpys_for_many_columns_and_shapes() -> None:
    for m, n in ((5, 3), (3, 5), (3, 3)):
        a, b = normal(m, n), normal(m, 2)
        found, expected = linalg.lstsq(a, b), np.linalg.lstsq(a, b)
        np.testing.assert_allclose(found.x, expected[0], atol=1e-12)
        assert found.rank == expected[2]
        if m > n:
            np.testing.assert_allclose(found.residuals, expected[1])


def test_rank_has_no_gradient_and_condition_of_a_singular_matrix_is_infinite() -> None:
    stack = np.stack([np.diag([4.0, 0.5]), np.array([[1.0, 2.0], [2.0, 4.0]]), np.zeros((2, 2))])
    np.testing.assert_array_equal(linalg.matrix_rank(stack), [2, 1, 0])
    assert not linalg.matrix_rank(tg.tensor(stack, requires_grad=True)).requires_grad
    for p in (1, -1, "fro", np.inf):
        found = linalg.cond(stack, p)
        assert found[0] == pytest.approx(np.linalg.cond(stack[0], p)) and np.isinf(found[1:]).all()
        g = tg.grad(lambda a, p=p: linalg.cond(a, p)[0] + linalg.cond(a, p)[1])(stack)
        assert np.isfinite(g).all() and g[0].any() and not g[1:].any()
    assert (
        linalg.cond(stack[0]) == 8 and linalg.cond(stack[0], -2) == 0.125 and np.isinf(linalg.cond(stack[2]))
    )


def test_where_there_is_no_gradient_the_error_says_why() -> None:
    with pytest.raises(tg.LinalgError, match="qr: the first columns of some matrix are linearly dependent"):
        tg.grad(lambda a: linalg.qr(a).R.sum())(np.array([[1.0, 0.0], [1.0, 0.0]]))
    with pytest.raises(tg.DtypeError, match="pinv: the bound for singular values is a list"):
        linalg.pinv(np.eye(2), [0.1])  # type: ignore[arg-type]


# ---- norms at the ends of the range

SCALES = [1e300, 1e-300, 2.0**-1060, 1e3, -1e3]
ORDERS = [2, 1, 3, 1.5, 0.5, -1, -2.5, math.inf, -math.inf]


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("ord", ORDERS)
def test_norms_neither_overflow_nor_vanish(scale: float, ord: float) -> None:
    x = np.array([3.0, -4.0, 2.0])
    with np.errstate(over="raise", divide="raise", invalid="raise"):
        y, g = tg.value_and_grad(lambda x: linalg.vector_norm(x, ord=ord))(x * scale)
    tolerance = 1e-4 if abs(scale) < 1e-308 else 1e-13  # a subnormal number has few digits
    assert float(y / abs(scale)) == pytest.approx(np.linalg.norm(x, ord), rel=tolerance)
    expected = tg.grad(lambda x: linalg.vector_norm(x, ord=ord))(x)
    np.testing.assert_allclose(g, expected * np.sign(scale), rtol=tolerance)


@pytest.mark.parametrize("scale", [1e300, 1e-300])
@pytest.mark.parametrize("ord", ["fro", "nuc", 2, -2, 1, -1, math.inf, -math.inf])
def test_norms_of_matrices_neither_overflow_nor_vanish(scale: float, ord: Any) -> None:
    x = np.array([[3.0, 1.0], [-0.5, 2.0]])
    with np.errstate(over="raise", divide="raise", invalid="raise"):
        y, g = tg.value_and_grad(lambda x: linalg.matrix_norm(x, ord=ord))(x * scale)
    assert float(y / scale) == pytest.approx(np.linalg.norm(x, ord), rel=1e-12)
    np.testing.assert_allclose(g, tg.grad(lambda x: linalg.matrix_norm(x, ord=ord))(x), atol=1e-12)


@pytest.mark.parametrize("ord", [*ORDERS, 0])
def test_at_zeros_all_derivatives_of_norms_are_0(ord: float) -> None:
    zeros = np.zeros((2, 3))

    def f(x: Any) -> Any:
        return linalg.vector_norm(x, ord=ord, axis=1).sum()

    with np.errstate(all="raise"):
        assert not tg.grad(f)(zeros).any()
        assert not tg.grad(lambda x: (tg.grad(f)(x) * normal(2, 3)).sum())(zeros).any()


def test_norms_of_what_is_not_finite_and_of_nothing() -> None:
    inf, nan = math.inf, math.nan
    for ord in (2, 3.5, 1):
        np.testing.assert_array_equal(
            linalg.vector_norm(np.array([[inf, 1.0], [nan, 1.0], [0.0, 0.0]]), axis=1, ord=ord), [inf, nan, 0]
        )
        assert linalg.vector_norm(np.zeros(0), ord=ord) == 0
    assert (
        linalg.vector_norm(np.array([inf, 2.0]), ord=-1) == 2 and linalg.vector_norm(np.zeros(2), ord=-1) == 0
    )


def test_the_norm_of_half_precision_is_computed_in_single() -> None:
    x = np.full(4096, 100.0, np.float16)
    y = linalg.vector_norm(x)
    assert y.dtype == np.float16 and y == 6400
    small = np.full(4, 2.0**-20, np.float16)
    assert linalg.vector_norm(small) == np.float16(2.0**-19)


# ---- arguments


def test_only_the_triangle_that_is_named_is_read() -> None:
    a = normal(3, 3)
    lower, upper = np.tril(a), np.triu(a)
    np.testing.assert_array_equal(linalg.eigvalsh(a), linalg.eigvalsh(lower + np.tril(a, -1).T))
    np.testing.assert_array_equal(linalg.eigh(a, "u")[0], linalg.eigh(upper + np.triu(a, 1).T, UPLO="U")[0])
    g = tg.grad(lambda a: linalg.eigvalsh(a)[0])(a)
    np.testing.assert_array_equal(g, g.T)


def test_dtypes_lists_and_names_of_results() -> None:
    whole = [[2, 1], [1, 3]]
    assert linalg.eigvalsh(np.array(whole)).dtype == linalg.svdvals(np.array(whole)).dtype == np.float64
    assert (
        linalg.pinv(np.array(whole)).dtype
        == linalg.lstsq(np.array(whole), np.array([1, 2])).x.dtype
        == np.float64
    )
    np.testing.assert_allclose(linalg.eigh([[2.0, 0.0], [0.0, 1.0]]).eigenvalues.numpy(), [1, 2])
    assert linalg.eigvals(np.eye(2, dtype=np.float32)).dtype == np.complex64
    half = np.array(whole, np.float16)
    assert {part.dtype for part in (*linalg.svd(half), *linalg.qr(half), *linalg.eigh(half))} == {
        np.dtype("float16")
    }
    assert (
        linalg.lstsq(half, half).x.dtype == linalg.pinv(half).dtype == linalg.cond(half).dtype == np.float16
    )
    assert linalg.svd(half)._fields == ("U", "S", "Vh") and linalg.qr(half)._fields == ("Q", "R")
    assert linalg.eig(half)._fields == linalg.eigh(half)._fields == ("eigenvalues", "eigenvectors")
    assert linalg.lstsq(half, half)._fields == ("x", "residuals", "rank", "s")
    np.testing.assert_array_equal(linalg.svd(half, compute_uv=False), linalg.svdvals(half))
    assert tg.norm is linalg.norm


def test_matrices_without_rows_or_columns() -> None:
    assert linalg.eigh(np.zeros((2, 0, 0))).eigenvectors.shape == (2, 0, 0)
    assert [part.shape for part in linalg.svd(np.zeros((0, 3)))] == [(0, 0), (0,), (3, 3)]
    assert [part.shape for part in linalg.svd(np.zeros((4, 3, 0)))] == [(4, 3, 3), (4, 0), (4, 0, 0)]
    assert linalg.pinv(np.zeros((0, 3))).shape == (3, 0)
    assert linalg.matrix_rank(np.zeros((0, 3))) == 0 and linalg.matrix_norm(np.zeros((0, 3)), ord="nuc") == 0
    assert linalg.svdvals(np.zeros((0, 2, 3))).shape == (0, 2)
    g = tg.grad(lambda a: tg.sum(linalg.eigh(a)[1]) + tg.sum(linalg.svdvals(a)))(np.zeros((2, 0, 0)))
    assert g.shape == (2, 0, 0)


# ---- second derivatives where values are equal

OF_VALUES = {  # a function of a matrix, and whether its gradient in the values is constant
    "eigvalsh": (lambda a: (linalg.eigvalsh(a) ** 3).sum(), False),
    "eigh": (lambda a: (linalg.eigh(a)[0] ** 2).sum(), False),
    "projector": (lambda a: (linalg.eigh(a)[1][:, :2] @ linalg.eigh(a)[1][:, :2].mT)[0, 2] ** 2, False),
    "svdvals": (lambda a: (linalg.svdvals(a) ** 2).sum(), False),
    "svd": (lambda a: (linalg.svd(a)[1] ** 2).sum(), False),
    "eigvals": (lambda a: tg.real(linalg.eigvals(a) ** 2).sum(), False),
    "trace": (lambda a: linalg.eigvalsh(a).sum(), True),
    "largest": (lambda a: linalg.eigvalsh(a)[-1], True),
}


@pytest.mark.parametrize("name", OF_VALUES)
def test_a_second_derivative_that_is_not_known_is_no_number(name: str) -> None:
    """Nothing says by which cotangents of equal values would part: inf or NaN, and never a wrong number."""
    f, constant = OF_VALUES[name]
    direction = normal(3, 3, seed=5)
    direction = direction + direction.T
    with np.errstate(all="ignore"):
        for a, known in ((np.diag([1.0, 1.0, 5.0]), constant), (np.diag([1.0, 2.0, 5.0]), True)):
            back = tg.grad(lambda a: (tg.grad(f)(a) * direction).sum())(a)
            _, over = tg.jvp(tg.grad(f), (a,), (direction,))
            if not known:
                assert not np.isfinite(back).any() and not np.isfinite(over).any()
                continue
            step = 1e-5 * direction
            np.testing.assert_allclose(over, (tg.grad(f)(a + step) - tg.grad(f)(a - step)) / 2e-5, atol=1e-6)
            np.testing.assert_allclose(back, over, atol=1e-9)


def test_in_a_stack_only_the_matrix_with_equal_values_has_none() -> None:
    stack = np.stack([np.eye(2), np.diag([1.0, 2.0])])
    with np.errstate(all="ignore"):
        second = tg.grad(lambda a: tg.grad(lambda a: (linalg.eigvalsh(a) ** 3).sum())(a).sum())(stack)
    assert not np.isfinite(second[0]).any()
    np.testing.assert_allclose(second[1], [[6, 9], [9, 12]], atol=1e-12)


def test_the_gradient_of_r_is_not_lost_beside_that_of_q() -> None:
    a, v, w = np.diag([1.0, -2.0, 3.0]) * 1e-20, normal(3, 3), normal(3, 3, seed=1)

    def both(a: Any) -> Any:
        q, r = linalg.qr(a)
        return (q * w).sum() + (r * v).sum()

    signs = np.diag(np.linalg.qr(a)[0])
    np.testing.assert_allclose(np.diag(tg.grad(both)(a)), signs * np.diag(v), rtol=1e-12)
