"""Every function of tg.linalg against numpy.linalg: values, shapes and dtypes, or an error where NumPy has one.

Over dtypes from booleans to complex numbers, one matrix and stacks of them, of none, one or some rows, square
and not, and with the memory in another order. float16, which NumPy's LAPACK lacks, is compared with float32.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import linalg
from tensorgrad._errors import TensorgradError

# What NumPy gives for unusual arguments changed until 2.4.
pytestmark = pytest.mark.skipif(
    np.lib.NumpyVersion(np.__version__) < "2.4.0", reason="compared with NumPy 2.4"
)

DTYPES = "?", "u1", "i4", "i8", "f2", "f4", "f8", "c8", "c16"
SQUARE: list[tuple[int, ...]] = [
    (0, 0),
    (1, 1),
    (2, 2),
    (3, 3),
    (0, 2, 2),
    (2, 0, 0),
    (2, 3, 3),
    (2, 1, 2, 2),
]
ANY = [*SQUARE, (2, 3), (3, 2), (0, 3), (3, 0), (1, 3), (2, 3, 2), (2, 2, 3), (0, 2, 3), (2, 0, 3), (3,), ()]
TOLERANCES = {"e": 3e-2, "f": 5e-4, "F": 5e-4}


def some(shape: tuple[int, ...], dtype: str, seed: int = 0) -> Any:
    rng = np.random.default_rng((seed, *shape))
    x = rng.standard_normal(shape) * 3
    if dtype == "?":
        return x > 0
    if dtype in ("c8", "c16"):
        x = x + 1j * rng.standard_normal(shape)
    return (abs(x) if dtype == "u1" else x).astype(dtype)


def definite(shape: tuple[int, ...], dtype: str) -> Any:
    x = some(shape, dtype)
    if x.ndim < 2 or shape[-1] != shape[-2]:
        return x
    wide = np.result_type(x, np.float32)
    return (x.astype(wide) @ np.conj(x.swapaxes(-1, -2)).astype(wide) + np.eye(shape[-1])).astype(dtype)


def regular(shape: tuple[int, ...], dtype: str) -> Any:
    """Far from singular."""
    x = some(shape, dtype)
    return (x + 4 * np.eye(*shape[-2:])).astype(dtype) if x.ndim >= 2 and dtype != "?" else x


def attempt(f: Callable[..., Any], *args: Any, **settings: Any) -> Any:
    """The results as a list of arrays, or the error."""
    try:
        with np.errstate(all="ignore"):
            y = f(*args, **settings)
    except Exception as error:
        return error
    return [np.asarray(part) for part in y] if isinstance(y, tuple) else [np.asarray(y)]


def widened(x: Any) -> Any:
    return x.astype(np.float32) if isinstance(x, np.ndarray) and x.dtype.char == "e" else x


def agree(f: Callable[..., Any], theirs: Callable[..., Any], *args: Any, **settings: Any) -> None:
    found, expected = attempt(f, *args, **settings), attempt(theirs, *map(widened, args), **settings)
    if isinstance(expected, Exception):
        assert isinstance(found, TensorgradError), f"{found}, but NumPy: {expected!r}"
        return
    assert not isinstance(found, Exception), f"{found!r}, but NumPy: {expected}"
    half = any(isinstance(x, np.ndarray) and x.dtype.char == "e" for x in args)
    for y, z in zip(found, expected, strict=True):
        assert y.shape == z.shape
        assert y.dtype == z.dtype or (half and y.dtype.char == "e" and z.dtype.char == "f")
        allowed = TOLERANCES.get(y.dtype.char, 1e-9)
        np.testing.assert_allclose(y, z.astype(y.dtype), rtol=allowed, atol=allowed)


def layouts(x: Any) -> Iterator[Any]:
    """The same elements row by row, column by column, backwards, and every second one of more."""
    yield x
    if x.ndim >= 2:
        yield x.swapaxes(-1, -2).copy().swapaxes(-1, -2)
        yield x[..., ::-1].copy()[..., ::-1]
        yield np.repeat(x, 2, -1)[..., ::2]
    yield tg.tensor(x)


# ---- what stands for a result that is not unique, and compares well


def product(f: Callable[..., Any], **settings: Any) -> Callable[..., Any]:
    """What the factors multiply to, and those that are unique."""

    def multiplied(a: Any, module: Any) -> Any:
        parts = [np.asarray(part) for part in getattr(module, f)(a, **settings)]
        if f == "svd":
            u, s, vh = parts
            k = s.shape[-1]
            return (u[..., :k] * s[..., None, :]) @ vh[..., :k, :], s
        if f == "eigh":
            w, v = parts
            return (v * w[..., None, :]) @ np.conj(v.swapaxes(-1, -2)), w
        if f == "eig":
            w, v = parts
            return (a @ v - v * w[..., None, :]).astype(complex), np.sort_complex(w.astype(complex))
        q, r = parts
        return q, r

    return multiplied


ONE: dict[str, tuple[Any, Any]] = {
    "cholesky": (definite, {}), "cond": (regular, {}), "det": (some, {}), "diagonal": (some, {"offset": 1}),
    "eigvalsh": (definite, {}), "inv": (regular, {}), "matrix_norm": (some, {}), "matrix_rank": (some, {}),
    "matrix_transpose": (some, {}), "norm": (some, {}), "pinv": (regular, {}), "slogdet": (regular, {}),
    "svdvals": (some, {}), "trace": (some, {}), "vector_norm": (some, {}),
}  # fmt: skip


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ONE)
def test_functions_of_one_matrix(name: str, dtype: str) -> None:
    make, settings = ONE[name]
    if name == "cholesky" and dtype in ("?", "u1"):
        return  # there is no product to make a definite one of
    for shape in ANY:
        a = make(shape, dtype)
        if name in ("pinv", "matrix_rank") and (
            a.ndim < 2 or (a.size == 0 and dtype in ("?", "u1", "i4", "i8"))
        ):
            continue  # NumPy has the rank of vectors, and returns integers for no elements
        for x in layouts(a):
            ours = getattr(linalg, name)
            agree(
                lambda a, x=x, ours=ours: ours(x, **settings),
                lambda a: getattr(np.linalg, name)(a, **settings),
                a,
            )


@pytest.mark.parametrize("dtype", ["?", "i8", "f4", "f8", "c8", "c16"])
@pytest.mark.parametrize(
    ("name", "settings"),
    [("eig", {}), ("eigh", {}), ("eigh", {"UPLO": "U"}), ("qr", {}), ("qr", {"mode": "complete"}), ("svd", {}),
     ("svd", {"full_matrices": False})],
)  # fmt: skip
def test_factors(name: str, settings: dict[str, Any], dtype: str) -> None:
    for shape in ANY:
        make = {"qr": regular, "eig": regular, "eigh": definite}.get(name, some)
        a = make(shape, dtype)
        if 0 in shape[-2:] or a.ndim < 2 or dtype == "?":
            found, expected = (attempt(getattr(m, name), a, **settings) for m in (linalg, np.linalg))
            assert isinstance(found, TensorgradError if isinstance(expected, Exception) else list)
            if isinstance(found, list):
                assert [y.shape for y in found] == [z.shape for z in expected]
            continue
        f = product(name, **settings)
        agree(lambda a, f=f: f(a, linalg), lambda a, f=f: f(a, np.linalg), a)


@pytest.mark.parametrize("dtype", DTYPES)
def test_systems_of_equations(dtype: str) -> None:
    for left, right in [
        ((2, 2), (2,)), ((2, 2), (2, 3)), ((3, 2, 2), (2,)), ((3, 2, 2), (3, 2, 1)), ((3, 2, 2), (2, 2)),
        ((2, 2), (3, 2, 2)), ((0, 0), (0,)), ((0, 0), (0, 2)), ((2, 2), (2, 0)), ((0, 2, 2), (2, 1)),
        ((1, 1), (1,)), ((2, 3), (2,)), ((2, 2), (3,)), ((2, 2), ()), ((2,), (2,)), ((3, 2, 2), (4, 2, 2)),
    ]:  # fmt: skip
        a, b = regular(left, dtype), some(right, dtype)
        agree(linalg.solve, np.linalg.solve, a, b)
        agree(linalg.solve, np.linalg.solve, a, b.astype(np.result_type(b, np.float64)))
    for left, right in [((3, 2), (3,)), ((2, 3), (2,)), ((3, 2), (3, 2)), ((2, 2), (2, 1)), ((3, 0), (3,)),
                        ((3, 2), (2,)), ((3,), (3,)), ((3, 2), ())]:  # fmt: skip
        a, b = regular(left, dtype), some(right, dtype)
        for part in (0, 3):
            agree(
                lambda a, b, i=part: linalg.lstsq(a, b)[i],
                lambda a, b, i=part: np.linalg.lstsq(a, b)[i],
                a,
                b,
            )
    if dtype not in ("?", "u1"):
        agree(linalg.tensorinv, np.linalg.tensorinv, some((2, 3, 6), dtype))
        agree(linalg.tensorinv, np.linalg.tensorinv, some((6, 2, 3), dtype), ind=1)
        agree(linalg.tensorsolve, np.linalg.tensorsolve, some((2, 3, 6), dtype), some((2, 3), dtype))
        agree(
            linalg.tensorsolve, np.linalg.tensorsolve, some((2, 6, 3), dtype), some((2, 3), dtype), axes=(1,)
        )


@pytest.mark.parametrize("dtype", DTYPES)
def test_powers_and_products(dtype: str) -> None:
    for shape in [(2, 2), (3, 2, 2), (0, 0), (1, 1), (2, 3), (0, 2, 2)]:
        for n in (0, 1, 2, 3, 5, np.int64(2), 2.0, *((-1, -2) if dtype not in ("?", "u1") else ())):
            agree(linalg.matrix_power, np.linalg.matrix_power, regular(shape, dtype), n)
    for left, right in [
        ((3,), (3,)),
        ((2, 3), (3,)),
        ((2, 3), (2, 3)),
        ((2,), (2,)),
        ((2, 3), (1, 3)),
        ((0, 3), (3,)),
    ]:
        a, b = some(left, dtype), some(right, dtype, seed=1)
        for name in ("vecdot", "outer", "tensordot", "matmul") + (("cross",) if dtype != "?" else ()):
            settings = {"axes": 1} if name == "tensordot" else {}
            agree(getattr(linalg, name), getattr(np.linalg, name), a, b, **settings)
    for shapes in [((2, 3), (3, 4)), ((3,), (3, 4), (4,)), ((2, 3), (3, 4), (4, 2)), ((2, 3), (3,)), ((2, 3),),
                   ((2, 0), (0, 3), (3, 1)), ((2, 3), (2, 3), (3, 1))]:  # fmt: skip
        factors = [some(shape, dtype) for shape in shapes]
        agree(lambda *xs: linalg.multi_dot(xs), lambda *xs: np.linalg.multi_dot(xs), *factors)


@pytest.mark.parametrize(
    "order", [None, 1, -1, 2, -2, 0, math.inf, -math.inf, "fro", "nuc", 3, 0.5, -3, "none"]
)
def test_norms(order: Any) -> None:
    for dtype in ("?", "i4", "f2", "f4", "f8", "c16"):
        for shape in [(2, 3), (3,), (2, 3, 2), (0, 2), (2, 0), (0,), (3, 3), ()]:
            x = some(shape, dtype)
            for axis in (None, 0, -1, (0, 1), (-1, 0), (0, 0), 5, (0, 1, 2)):
                for keepdims in (False, True):
                    agree(linalg.norm, np.linalg.norm, x, order, axis, keepdims)
            agree(linalg.vector_norm, np.linalg.vector_norm, x, ord=2 if order is None else order)
            if len(shape) > 1 and order is not None:
                agree(linalg.matrix_norm, np.linalg.matrix_norm, x, ord=order, keepdims=True)
            if shape == (3, 3) and dtype != "?":
                agree(linalg.cond, np.linalg.cond, x, order)


def test_bounds_and_triangles_by_the_names_that_numpy_has() -> None:
    a = some((2, 3, 3), "f8")
    a = a @ a.swapaxes(-1, -2)
    for settings in ({"tol": 2.0}, {"tol": np.array([0.1, 20.0])}, {"rtol": 0.3}, {"tol": 2.0, "rtol": 0.3}):
        agree(linalg.matrix_rank, np.linalg.matrix_rank, a, **settings)
    for settings in ({"rcond": 0.1}, {"rtol": 0.1}, {"rcond": 0.1, "rtol": 0.2}):
        agree(linalg.pinv, np.linalg.pinv, a, **settings)
    half = some((3, 3), "c16")  # of which the lower triangle is read
    for name in ("pinv", "matrix_rank"):
        agree(getattr(linalg, name), getattr(np.linalg, name), half, hermitian=True)
        agree(getattr(linalg, name), getattr(np.linalg, name), half[:2], hermitian=True)
    agree(linalg.svd, np.linalg.svd, half, compute_uv=False, hermitian=True)
    u, s, vh = linalg.svd(half, hermitian=True)
    v, t, wh = np.linalg.svd(half, hermitian=True)
    np.testing.assert_allclose((u * s) @ vh, (v * t) @ wh, atol=1e-13)
    for f in (linalg.pinv, lambda a, hermitian: linalg.svd(a, hermitian=hermitian)[1]):
        read = np.tril(half) + np.conj(np.tril(half, -1)).T
        np.fill_diagonal(read, np.diag(read).real)
        found, expected = (
            tg.grad(lambda a, h=h, f=f: tg.sum(tg.real(f(a, hermitian=h) * np.arange(3.0))))(x)
            for x, h in ((half, True), (read, False))
        )
        np.testing.assert_allclose(found, (expected + np.conj(expected.T)) / 2, atol=1e-12)


@pytest.mark.parametrize(
    "name", ["inv", "det", "eigvals", "qr", "svdvals", "norm", "pinv", "cond", "matrix_rank"]
)
def test_arguments_that_are_no_arrays_of_numbers(name: str) -> None:
    f = getattr(linalg, name)
    for good in ([[1, 2], [3, 5]], ((1, 2), (3, 5)), [np.array([1, 2]), np.array([3, 5])]):
        np.testing.assert_array_equal(attempt(f, good)[0], attempt(f, np.array([[1, 2], [3, 5]]))[0])
    for bad in ("a", None, [[1, 2], [3]], [["a"]], np.eye(2, dtype=object), np.eye(2).astype("M8[s]")):
        assert isinstance(attempt(f, bad), TensorgradError), bad
