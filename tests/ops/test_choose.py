"""Choosing, scattering, order and counts against NumPy, and what must be refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.testing import assert_allclose, assert_array_equal

import tensorgrad as tg
from tensorgrad.testing import gradcheck

NAN, INF = float("nan"), float("inf")
SHAPES = hnp.array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=4)
NUMBERS = st.sampled_from([0.0, -0.0, 1.0, -2.5, 3.0, INF, -INF, NAN])
DTYPES = st.sampled_from(["float64", "float32", "float16", "int64", "uint8", "bool"])


@st.composite
def with_axis(draw: st.DrawFn, least: int = 0) -> tuple[Any, int]:
    """An array with ties, NaN and infinities in it, and one of its axes."""
    shape = draw(hnp.array_shapes(min_dims=1, max_dims=3, min_side=least, max_side=4))
    x = draw(hnp.arrays(np.float64, shape, elements=NUMBERS))
    dtype = draw(DTYPES)
    x = (
        x.astype(dtype)
        if dtype.startswith("float")
        else np.nan_to_num(x, posinf=7, neginf=5).astype("i8").astype(dtype)
    )
    return x, draw(st.integers(-x.ndim, x.ndim - 1))


@st.composite
def positions_along(draw: st.DrawFn) -> tuple[Any, Any, int]:
    """An array, an axis, and positions for `gather`: shorter than the array along the other axes."""
    shape = draw(hnp.array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=4))
    axis = draw(st.integers(0, len(shape) - 1))
    own = [draw(st.integers(0, 5 if i == axis else n)) for i, n in enumerate(shape)]
    n = shape[axis]
    index = draw(hnp.arrays(np.int64, tuple(own), elements=st.integers(-n, n - 1)))
    return np.arange(1.0, np.prod(shape) + 1).reshape(shape), index, axis


def same(ours: Any, theirs: Any) -> None:
    ours = ours.numpy() if isinstance(ours, tg.Tensor) else ours
    assert ours.dtype == theirs.dtype
    assert_array_equal(ours, theirs)


# ---- against NumPy and plain loops


@given(positions_along())
def test_gather_and_scatter_follow_the_loops(case: Any) -> None:
    x, index, axis = case
    src = -np.arange(1.0, index.size + 1).reshape(index.shape)
    read, put, added = np.zeros(index.shape), x.copy(), x.copy()
    for place in np.ndindex(index.shape):
        target = (*place[:axis], index[place], *place[axis + 1 :])
        read[place] = x[target]
        put[target] = src[place]
        added[target] += src[place]
    same(tg.gather(x, axis, index), read)
    same(tg.scatter(x, axis, index, src), put)
    same(tg.scatter_add(x, axis, index, src), added)
    same(tg.gather(tg.tensor(x), axis, tg.tensor(index)), read)
    if not index.size:
        return
    assert gradcheck(lambda x, src: tg.scatter_add(x, axis, index, src), [x, src])
    assert gradcheck(lambda x, src: tg.scatter(tg.gather(x, axis, index), axis, index * 0, src), [x, src])


@given(with_axis(1), st.sampled_from(["raise", "wrap", "clip"]), st.data())
def test_take_is_numpys(case: Any, mode: str, data: st.DataObject) -> None:
    x, axis = case
    n = x.shape[axis]
    low, high = (-n, n - 1) if mode == "raise" else (-9, 9)
    index = data.draw(hnp.arrays(np.int64, SHAPES, elements=st.integers(low, high)))
    same(tg.take(x, index, axis=axis, mode=mode), np.take(x, index, axis, mode=mode))  # type: ignore[call-overload]


@given(with_axis())
def test_order_is_numpys(case: Any) -> None:
    x, axis = case
    y, t = tg.tensor(x), np.sort(x, axis)
    same(tg.sort(x, axis=axis, stable=False), t)
    n = x.shape[axis]
    for k in range(n + 1):
        smallest = tg.topk(y, k, axis, largest=False)
        same(smallest.values, np.take(t, range(k), axis))
        same(smallest.indices, np.take(np.argsort(x, axis, kind="stable"), range(k), axis))
        largest = tg.topk(x, k, axis)
        same(largest.values, np.take(np.flip(t, axis), range(k), axis))
        same(np.take_along_axis(x, largest.indices, axis), largest.values)
    for k in range(1, n + 1):
        same(tg.kthvalue(x, k, axis).values, np.take(t, k - 1, axis))
        same(tg.partition(y, k - 1, axis), t)
    keys = np.stack([x, np.roll(x, 1, axis)])
    same(tg.lexsort(keys, axis=axis), np.lexsort(keys, axis))  # type: ignore[call-overload]


@given(
    hnp.arrays(np.float64, st.integers(0, 6), elements=NUMBERS),
    hnp.arrays(np.float64, SHAPES, elements=NUMBERS),
    st.sampled_from(["left", "right"]),
)
def test_searching_is_numpys(a: Any, v: Any, side: Any) -> None:
    ordered = np.sort(a)
    expected = np.searchsorted(ordered, v, side)
    same(tg.searchsorted(ordered, v, side=side), expected)
    same(tg.searchsorted(tg.tensor(a), v, side=side, sorter=np.argsort(a)), expected)
    same(tg.vmap(lambda a, v: tg.searchsorted(a, v, side=side))(ordered[None], v[None])[0], expected)
    same(tg.vmap(lambda a: tg.searchsorted(a, v, side=side))(ordered[None])[0], expected)
    same(tg.isin(v, a), np.isin(v, a))
    edges = np.unique(a[np.isfinite(a)])
    for bins in (edges, edges[::-1]):
        same(tg.digitize(v, bins, side == "left"), np.digitize(v, bins, side == "left"))


@given(with_axis(), st.booleans(), st.booleans())
def test_unique_is_numpys(case: Any, of_parts: bool, equal_nan: bool) -> None:
    x, axis = case
    if of_parts and (not x.size or x.dtype.kind == "f"):
        return  # NumPy compares parts of NaN byte by byte
    given = axis if of_parts else None
    ours = tg.unique(
        tg.tensor(x),
        return_index=True,
        return_inverse=True,
        return_counts=True,
        axis=given,
        equal_nan=equal_nan,
    )
    theirs = np.unique(x, True, True, True, axis=given, equal_nan=equal_nan)
    for y, z in zip(ours, theirs, strict=True):
        same(y, z.reshape(y.shape))
    if not of_parts:
        assert ours[2].shape == x.shape
        same(tg.unique(x, equal_nan=equal_nan), theirs[0])
        whole = tg.unique_all(x)
        for y, z in zip(whole, np.unique_all(x), strict=True):
            same(y, z)
        assert_array_equal(tg.unique_counts(x).counts, whole.counts)
        same(tg.unique_inverse(x).values, tg.unique_values(x))


@given(with_axis(), with_axis())
def test_sets_and_places_are_numpys(first: Any, second: Any) -> None:
    a, b = first[0], second[0]
    same(tg.union1d(a, b), np.union1d(a, b))
    if not (np.isnan(a.astype(float)).any() or np.isnan(b.astype(float)).any()):
        assert_array_equal(tg.intersect1d(a, b), np.intersect1d(a, b))
        assert_array_equal(tg.setdiff1d(a, b), np.setdiff1d(a, b))
    for y, z in zip(tg.nonzero(tg.tensor(a)), np.nonzero(a), strict=True):
        same(y, z)
    same(tg.argwhere(a), np.argwhere(a))
    same(tg.flatnonzero(a), np.flatnonzero(a))
    mask = a.astype(bool)
    same(tg.masked_select(tg.tensor(a), mask), a[mask])
    same(tg.extract(mask, a), np.extract(mask, a))
    axis = first[1]
    row = np.arange(a.shape[axis]) % 2 == 0
    same(tg.compress(row[:-1], a, axis=axis), np.compress(row[:-1], a, axis))
    same(tg.compress(row, a, axis=axis), np.compress(row, a, axis))


@given(hnp.arrays(np.int64, st.integers(0, 8), elements=st.integers(0, 5)), st.integers(0, 9))
def test_counts_are_numpys(x: Any, least: int) -> None:
    weights = np.linspace(-1, 1, x.size)
    same(tg.bincount(x, minlength=least), np.bincount(x, minlength=least))
    ours = tg.bincount(tg.tensor(x), weights, minlength=least)
    assert_allclose(ours.numpy(), np.bincount(x, weights, least), atol=1e-15)
    assert gradcheck(lambda w: tg.bincount(x, w, length=6), [weights])


@given(
    hnp.arrays(np.float64, st.integers(1, 8), elements=st.sampled_from([0.0, 0.1, 0.3, 1.0, 2.0, -7.5])),
    st.sampled_from([1, 3, 10, [0.0, 0.1, 0.5, 2.0]]),
    st.sampled_from([None, (0, 1), (-1.0, 2.0)]),
    st.booleans(),
)
def test_histograms_are_numpys(x: Any, bins: Any, limits: Any, density: bool) -> None:
    weights = np.linspace(0.5, 1, x.size)
    for w in (None, weights):
        with np.errstate(invalid="ignore"):
            hist, edges = np.histogram(x, bins, limits, density, w)
            ours = tg.histogram(tg.tensor(x), bins, limits, density=density, weights=w)
        assert_allclose(ours.hist.numpy(), hist, rtol=1e-14, atol=1e-15)
        same(ours.bin_edges, edges)
        assert ours.hist.dtype == hist.dtype


@given(hnp.array_shapes(min_dims=1, max_dims=4, max_side=4), st.integers(-3, 3))
def test_positions_from_shapes_are_numpys(shape: Any, k: int) -> None:
    total = np.arange(np.prod(shape))
    for y, z in zip(tg.unravel_index(total, shape), np.unravel_index(total, shape), strict=True):
        same(y, z)
    same(tg.ravel_multi_index(tg.unravel_index(tg.tensor(total), shape), shape), total)
    same(tg.indices(shape), np.indices(shape))
    n, m = shape[0], shape[-1]
    for name in ("tril_indices", "triu_indices"):
        for y, z in zip(getattr(tg, name)(n, k, m), getattr(np, name)(n, k, m), strict=True):
            same(y, z)
    for y, z in zip(tg.diag_indices(n, 3), np.diag_indices(n, 3), strict=True):
        same(y, z)
    for y, z in zip(tg.indices(shape, sparse=True), np.indices(shape, sparse=True), strict=True):
        same(y, z)


def test_choices_are_numpys() -> None:
    x, a, b = np.array([0, 1, 1]), np.arange(3), np.arange(3) * 0.5
    same(tg.choose(x, [a, b]), np.choose(x, [a, b]))
    same(tg.choose(x, np.stack([a, a + 5])), np.choose(x, [a, a + 5]))
    same(tg.select([a > 1, a > 0], [b, -b], 9.0), np.select([a > 1, a > 0], [b, -b], 9.0))
    values = np.array([[5.0, 6.0]])
    for axis, index in ((0, [[1, 0]]), (1, [[1, 0]]), (None, [3, 3])):
        expected = np.arange(4.0).reshape(2, 2)
        ours = tg.put_along_axis(expected, index, values.ravel() if axis is None else values, axis)
        np.put_along_axis(expected, np.array(index), values.ravel() if axis is None else values, axis)
        same(ours, expected)


def test_one_number_may_be_written_or_added() -> None:
    x = tg.zeros(3)
    assert tg.scatter(x, 0, [0, 2], 1.5).tolist() == [1.5, 0.0, 1.5]
    assert tg.scatter_add(x, 0, [0, 0], 1.5).tolist() == [3.0, 0.0, 0.0]
    assert tg.scatter_add(x, 0, [0, 0], 1.5).dtype == x.dtype
    assert tg.masked_fill(x, [True, False, True], -INF).dtype == x.dtype
    assert tg.masked_fill(tg.zeros(2, dtype="float16"), [True, False], np.float64(2)).dtype == "float16"


def test_no_function_writes_to_its_arguments() -> None:
    x = np.zeros(3)
    for y in (
        tg.put_along_axis(x, [1], 5.0, 0),
        tg.scatter(x, 0, [1], 5.0),
        tg.index_copy(x, 0, [1], np.ones(1)),
    ):
        y[0] = 9.0
    assert not x.any()


@pytest.mark.parametrize("dtype", ["int64", "uint8", "bool", "float16"])
@pytest.mark.parametrize("reduce", ["amax", "amin", "prod"])
def test_what_goes_to_one_place_is_combined(dtype: str, reduce: str) -> None:
    x, src, index = np.array([1, 1, 0], dtype), np.array([0, 1, 0, 1], dtype), np.array([0, 0, 1, 2])
    expected = x.copy()
    getattr(np, {"amax": "maximum", "amin": "minimum", "prod": "multiply"}[reduce]).at(expected, index, src)
    same(tg.scatter_reduce(x, 0, index, src, reduce), expected)


@pytest.mark.parametrize("reduce", ["amax", "amin"])
def test_an_extremum_beside_nan_is_nan(reduce: str) -> None:
    src = np.array([NAN, 1.0, -INF, INF, 2.0])
    for order in (src, src[::-1]):
        y = tg.scatter_reduce(np.zeros(2), 0, [0] * 5, order, reduce)
        assert np.isnan(y[0]) and y[1] == 0


def test_products_of_many() -> None:
    rng = np.random.default_rng(0)
    index, src, x = rng.integers(0, 5, 50), rng.uniform(0.5, 2, 50), np.ones(6)
    expected = x.copy()
    np.multiply.at(expected, index, src)
    assert_allclose(tg.scatter_reduce(x, 0, index, src, "prod"), expected, rtol=1e-13)


def test_half_precision_counts_beyond_2048() -> None:
    ones = np.ones(5000, "float16")
    assert tg.bincount(np.zeros(5000, int), ones).tolist() == [5000.0]
    x = tg.tensor([1.0], dtype="float16", requires_grad=True)
    assert tg.autograd.grad(tg.take(x, np.zeros(5000, int)), [x], [ones])[0].tolist() == [5000.0]


# ---- gradients


def test_repeated_positions_accumulate() -> None:
    x = tg.tensor([1.0, 2.0, 3.0], requires_grad=True)
    for y in (x.take([2, 2, -1, 0]), x.gather(0, [2, 2, -1, 0]), x.index_select(0, [2, 2, -1, 0])):
        (g,) = tg.autograd.grad(y.sum(), [x])
        assert g.tolist() == [1.0, 0.0, 3.0]


def test_of_repeated_writes_the_last_gets_the_gradient() -> None:
    src = np.array([1.0, 2.0, 3.0])
    for f in (
        lambda v: tg.scatter(np.zeros(2), 0, [0, 0, 1], v),
        lambda v: tg.put_along_axis(np.zeros(2), [0, -2, 1], v, 0),
        lambda v: tg.index_copy(np.zeros(2), 0, [0, -2, 1], v),
    ):
        y, g = tg.value_and_grad(lambda v, f=f: f(v).sum())(src)  # type: ignore[misc]
        assert (y, g.tolist()) == (5.0, [0.0, 1.0, 1.0])


def test_where_a_tie_sends_its_gradient() -> None:
    x = np.array([2.0, 1.0, 2.0, 1.0])
    assert tg.grad(lambda x: tg.topk(x, 1).values.sum())(x).tolist() == [1, 0, 0, 0]
    assert tg.grad(lambda x: tg.topk(x, 1, largest=False).values.sum())(x).tolist() == [0, 1, 0, 0]
    assert tg.grad(lambda x: tg.kthvalue(x, 1).values)(x).tolist() == [0, 1, 0, 0]
    assert tg.grad(lambda x: (tg.unique(x) * np.array([1.0, 10.0])).sum())(x).tolist() == [10, 1, 0, 0]
    ones = np.ones(2)
    both = tg.grad(lambda x, s: tg.scatter_reduce(x, 0, [0, 0], s, "amax").sum(), argnums=(0, 1))(ones, ones)
    assert [g.tolist() for g in both] == [[0.5, 1.0], [0.0, 0.5]]


def test_what_the_elements_decide_can_be_differentiated_to_any_order() -> None:
    x, mask = np.array([3.0, -1.0, 3.0, 0.5]), np.array([True, False, True, True])
    cases: list[Any] = [
        lambda x: tg.unique(x) ** 3,
        lambda x: tg.masked_select(x**3, mask),
        lambda x: tg.compress(x > 0, x**3),
        lambda x: tg.extract(x > 0, x**3),
        lambda x: tg.take(x, tg.nonzero(x > 0)[0]) ** 3,
        lambda x: tg.setdiff1d(x**3, [27.0]),
        lambda x: (x**3)[x > 0],
    ]
    for f in cases:
        first = tg.grad(lambda x, f=f: f(x).sum())  # type: ignore[misc]
        kept = first(x) != 0
        assert_allclose(first(x), 3 * x**2 * kept)
        assert_allclose(tg.grad(lambda x, g=first: g(x).sum())(x), 6 * x * kept)  # type: ignore[misc]
        assert_allclose(tg.jvp(first, (x,), (np.ones(4),))[1], 6 * x * kept)
        assert_allclose(tg.grad(lambda x, f=f: tg.jvp(f, (x,), (np.ones(4),))[1].sum())(x), 6 * x * kept)  # type: ignore[misc]


# ---- what cannot be recorded or batched


X = np.array([1.0, 0.0, 2.0])
DEPEND_ON_VALUES: dict[str, Any] = {
    "nonzero": lambda x: tg.nonzero(x)[0],
    "flatnonzero": tg.flatnonzero,
    "argwhere": tg.argwhere,
    "unique": tg.unique,
    "unique_all": lambda x: tg.unique_all(x).values,
    "unique_counts": lambda x: tg.unique_counts(x).counts,
    "unique_inverse": lambda x: tg.unique_inverse(x).inverse_indices,
    "unique_values": tg.unique_values,
    "union1d": lambda x: tg.union1d(x, x),
    "intersect1d": lambda x: tg.intersect1d(x, x),
    "setdiff1d": lambda x: tg.setdiff1d(np.ones(2), x),
    "masked_select": lambda x: tg.masked_select(x, x > 0),
    "compress": lambda x: tg.compress(x > 0, x),
    "extract": lambda x: tg.extract(x > 0, x),
    "bincount": lambda x: tg.bincount(x.astype("int64")),
    "histogram": lambda x: tg.histogram(x, 3).hist,
    "histogram with edges": lambda x: tg.histogram(X, x).hist,
    "digitize": lambda x: tg.digitize(X, x),
    "mask": lambda x: x[x > 0],
}


@pytest.mark.parametrize("name", DEPEND_ON_VALUES)
def test_what_depends_on_values_is_never_recorded(name: str) -> None:
    f, x = DEPEND_ON_VALUES[name], np.sort(X)
    f(x)
    with pytest.raises(tg.TraceError, match="takes a value out of the program"):
        tg.trace(f, x)
    captured = tg.tensor(x)
    with pytest.raises(tg.TraceError, match="takes a value out of the program"):
        tg.trace(lambda y: f(captured) * y, 1.0)
    with pytest.raises(tg.TraceError, match="takes a value out of the program"):
        tg.trace(tg.grad(lambda x: tg.sum(x * x) + f(x).sum()), x)
    with pytest.raises(tg.IndexingError, match=r"vmap|transformation"):
        tg.vmap(f)(np.stack([x, x]))
    with pytest.raises(tg.TensorgradError, match=r"vmap|transformation|takes a value"):
        tg.vmap(tg.grad(lambda x: tg.sum(x * x) + f(x).sum()))(np.stack([x, x]))


def test_constants_may_decide_inside_of_a_recorded_program() -> None:
    graph = tg.trace(lambda x: tg.compress([True, False, True], x) * tg.nonzero(X)[0], X)
    assert graph(X + 1).tolist() == [0.0, 6.0]


FIXED: dict[str, Any] = {
    "take": lambda x, i: tg.take(x, i),
    "gather": lambda x, i: tg.gather(x, 0, i),
    "scatter": lambda x, i: tg.scatter(x, 0, i, x),
    "index_add": lambda x, i: tg.index_add(x, 0, i, x),
    "scatter_reduce": lambda x, i: tg.scatter_reduce(x, 0, i, x, "amax"),
    "bincount": lambda x, i: tg.bincount(i, x, length=3),
    "choose": lambda x, i: tg.choose(i, [x, -x, x * x]),
    "unravel_index": lambda x, i: tg.unravel_index(i, (1, 3))[1] * x,
    "ravel_multi_index": lambda x, i: tg.ravel_multi_index((i * 0, i), (1, 3)) * x,
}


@pytest.mark.parametrize("name", FIXED)
def test_a_replay_and_a_batch_check_their_own_positions(name: str) -> None:
    f, good, other = FIXED[name], np.array([0, 1, 1]), np.array([2, 0, 1])
    graph = tg.trace(f, X, good)
    assert_array_equal(graph(X + 1, other), f(X + 1, other))
    for wrong in ([0, 1, 3], [-4, 0, 0]):
        bad = np.array(wrong)
        for call in (lambda: f(X, bad), lambda: graph(X, bad), lambda: tg.vmap(f)(X[None], bad[None])):  # noqa: B023
            with pytest.raises(
                tg.IndexingError, match=rf"{name}: index -?\d is out of range for axis .* of length"
            ):
                call()


def test_fixed_shapes_are_batched() -> None:
    rows = np.array([[1.0, NAN, 2.0], [5.0, 4.0, 3.0]])
    for f in (
        lambda x: tg.masked_fill(x, x > 1, 0.0),
        lambda x: tg.topk(x, 2).values,
        lambda x: tg.nanargmin(x),
        lambda x: tg.isin(x, x[:1]),
        lambda x: tg.histogram(x, 3, (0, 5)).hist,
        lambda x: tg.digitize(x, [0.0, 2.0]),
        lambda x: tg.select([x > 1, x > 0], [x, -x]),
    ):
        assert_array_equal(tg.vmap(f)(rows), np.stack([f(row) for row in rows]))
    assert_array_equal(
        tg.vmap(lambda i: tg.bincount(i, length=4))(np.array([[0, 1], [3, 3]])), [[1, 1, 0, 0], [0, 0, 0, 2]]
    )


# ---- arguments


@pytest.mark.parametrize(
    ("call", "error", "match"),
    [
        (lambda: tg.take(X, 3), tg.IndexingError, "take: index 3 is out of range for axis 0 of length 3"),
        (lambda: tg.take(X, np.uint64(2**64 - 1)), tg.IndexingError, "take: index 18446744073709551615"),
        (lambda: tg.take(X, X > 0), tg.DtypeError, "take: the indices have dtype bool"),
        (lambda: tg.take(X, [[0], [1, 2]]), tg.DtypeError, "take: the indices cannot become an array"),
        (lambda: tg.take(np.float64(1), 0, axis=0), tg.ShapeError, "take: axis 0 is out of range for 0 axes"),
        (lambda: tg.gather(X, 0, [0.0]), tg.DtypeError, "gather: the indices have dtype float64"),
        (lambda: tg.scatter(X, 1, [0], X), tg.ShapeError, "scatter: axis 1 is out of range"),
        (lambda: tg.compress([True] * 4, X), tg.IndexingError, "compress: index 3 is out of range"),
        (lambda: tg.compress([[True]], X), tg.ShapeError, r"compress: the condition has shape \(1, 1\)"),
        (lambda: tg.masked_select(X, [1, 0, 1]), tg.DtypeError, "masked_select: the mask has dtype int64"),
        (lambda: tg.masked_select(X, [True] * 2), tg.ShapeError, "masked_select: shapes .* do not broadcast"),
        (lambda: tg.nonzero(1.0), tg.ShapeError, "nonzero: x has no axes"),
        (lambda: tg.topk(X, -1), tg.ShapeError, "topk: k is -1"),
        (lambda: tg.tril_indices(-1), tg.ShapeError, "tril_indices: .*negative"),
        (lambda: tg.unravel_index([-1], (2, 3)), tg.IndexingError, "unravel_index: index -1 .*negative"),
        (lambda: tg.histogram(X * 1j), tg.DtypeError, "histogram: x is complex"),
        (lambda: tg.lexsort([]), tg.ShapeError, "lexsort: the keys have shapes"),
    ],
)
def test_bad_arguments_name_the_op_and_what_is_wrong(call: Any, error: Any, match: str) -> None:
    with pytest.raises(error, match=match):
        call()


def test_empty_and_single() -> None:
    none = np.zeros((0, 3))
    assert tg.take(none, [], axis=0).shape == (0, 3)
    assert tg.take(none, [[]], axis=1).shape == (0, 1, 0)
    assert tg.unique(none).shape == (0,)
    assert tg.bincount([]).shape == (0,)
    assert tg.bincount([], minlength=2).tolist() == [0, 0]
    assert tg.masked_select(tg.tensor(2.0), True).tolist() == [2.0]
    assert tg.unique(tg.tensor(2.0)).tolist() == [2.0]
    assert tg.topk(none, 0, 0).indices.shape == (0, 3)
    assert tg.scatter(none, 0, np.zeros((0, 3), int), none).shape == (0, 3)
    assert tg.isin(none, []).shape == (0, 3)


def test_results_are_of_the_kind_of_the_arguments() -> None:
    for f in (
        lambda x: tg.take(x, [0, 1]),
        lambda x: tg.gather(x, 0, [0]),
        lambda x: tg.nonzero(x)[0],
        lambda x: tg.unique(x, return_counts=True)[1],
        lambda x: tg.histogram(x, 2).bin_edges,
        lambda x: tg.masked_fill(x, X > 0, 0.0),
        lambda x: tg.compress([True], x),
    ):
        assert isinstance(f(X), np.ndarray)
        assert isinstance(f(tg.tensor(X)), tg.Tensor)
        assert isinstance(f(X.tolist()), tg.Tensor)
