"""Indexing: whatever form NumPy takes is read, differentiated and written as NumPy does it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import tensorgrad as tg
from tensorgrad.testing import gradcheck

SHAPES = hnp.array_shapes(min_dims=1, max_dims=4, min_side=1, max_side=4)


@st.composite
def mixed_indices(draw: st.DrawFn, shape: tuple[int, ...]) -> tuple[Any, ...]:
    """Slices, numbers, integer arrays that broadcast, masks, new axes and one ellipsis, in any order."""
    wide = draw(st.sampled_from([(2,), (3,), (2, 1), (1, 3)]))
    kinds = ["slice", "number", "array", "mask", "new", "ellipsis", "stop"]
    items: list[Any] = []
    axis = 0
    while axis < len(shape):
        kind = draw(st.sampled_from(kinds))
        n = shape[axis]
        if kind == "stop":
            break
        if kind == "new":
            items.append(None)
            continue
        if kind == "ellipsis":
            kinds.remove("ellipsis")
            items.append(Ellipsis)
            axis += draw(st.integers(0, len(shape) - axis))
            continue
        if kind == "slice":
            items.append(draw(st.slices(n)))
        elif kind == "number":
            items.append(draw(st.integers(-n, n - 1)))
        elif kind == "array":
            own = draw(st.sampled_from([wide, wide[-1:], (1,), ()]))
            items.append(draw(hnp.arrays(np.int64, own, elements=st.integers(-n, n - 1))))
        else:
            covered = draw(st.integers(1, len(shape) - axis))
            items.append(draw(hnp.arrays(bool, shape[axis : axis + covered])))
            axis += covered - 1
        axis += 1
    return tuple(items)


def any_index(shape: tuple[int, ...]) -> st.SearchStrategy[Any]:
    """Every form of index into an array of a shape."""
    return st.one_of(
        hnp.basic_indices(shape, allow_newaxis=True, max_dims=6),
        hnp.integer_array_indices(shape),
        hnp.arrays(bool, shape),
        hnp.arrays(bool, shape[:1]),
        mixed_indices(shape),
    )


@st.composite
def arrays_and_indices(draw: st.DrawFn) -> tuple[Any, Any]:
    shape = draw(SHAPES)
    return np.arange(1.0, math.prod(shape) + 1).reshape(shape), draw(any_index(shape))


def refused_by_numpy(x: Any, index: Any) -> bool:
    try:
        x[index]
    except IndexError:
        return True
    return False


@given(arrays_and_indices())
def test_reading(case: tuple[Any, Any]) -> None:
    x, index = case
    t = tg.tensor(x, requires_grad=True)
    if refused_by_numpy(x, index):
        with pytest.raises(IndexError):
            t[index]
        return
    y, expected = t[index], x[index]
    assert y.shape == expected.shape
    np.testing.assert_array_equal(y.numpy(), expected)
    g = np.arange(1.0, y.size + 1).reshape(y.shape)
    y.backward(g)
    scattered = np.zeros_like(x)
    np.add.at(scattered, index, g)  # repeated positions add up
    assert t.grad is not None
    np.testing.assert_array_equal(t.grad.numpy(), scattered)


@given(arrays_and_indices(), st.booleans())
def test_writing(case: tuple[Any, Any], broadcast: bool) -> None:
    x, index = case
    if refused_by_numpy(x, index):
        with pytest.raises(IndexError):
            tg.tensor(x)[index] = 0.0
        return
    shape = x[index].shape
    v = -np.arange(1.0, math.prod(shape) + 1).reshape(shape) if not broadcast else np.array(-7.0)
    expected = x.copy()
    expected[index] = v
    base, values = tg.tensor(x, requires_grad=True), tg.tensor(v, requires_grad=True)
    y = base * 1.0
    y[index] = values
    np.testing.assert_array_equal(y.numpy(), expected)
    plain = tg.tensor(x)
    plain[index] = v
    np.testing.assert_array_equal(plain.numpy(), expected)

    g = np.arange(1.0, x.size + 1).reshape(x.shape)
    y.backward(g)
    kept = g.copy()
    kept[index] = 0.0
    assert base.grad is not None
    np.testing.assert_array_equal(base.grad.numpy(), kept)
    assert values.grad is not None
    np.testing.assert_array_equal(values.grad.numpy(), pulled_from_a_write(x, index, v, g))


def pulled_from_a_write(x: Any, index: Any, v: Any, g: Any) -> Any:
    """A write is linear in ``v``: write each unit vector into zeros, and take its product with ``g``."""
    out = np.zeros(v.shape)
    for k in np.ndindex(v.shape):
        unit = np.zeros(v.shape)
        unit[k] = 1.0
        written = np.zeros_like(x)
        written[index] = unit
        out[k] = (written * g).sum()
    return out


@given(arrays_and_indices())
def test_reading_a_square_against_differences(case: tuple[Any, Any]) -> None:
    x, index = case
    if not refused_by_numpy(x, index) and x[index].size:
        assert gradcheck(lambda t: t[index] * t[index], [x])


@given(arrays_and_indices())
def test_a_tensor_reads_like_its_array(case: tuple[Any, Any]) -> None:
    """Integer arrays and masks in the index may be tensors."""
    x, index = case
    if refused_by_numpy(x, index):
        return
    items = index if isinstance(index, tuple) else (index,)
    as_tensors = tuple([tg.tensor(i) if isinstance(i, np.ndarray) else i for i in items])
    np.testing.assert_array_equal(tg.tensor(x)[as_tensors].numpy(), x[index])


# ---- named cases


def test_an_index_that_is_changed_afterwards_changes_nothing() -> None:
    x = tg.tensor([1.0, 2.0, 3.0], requires_grad=True)
    index, mask = np.array([0, 0]), np.array([True, False, False])
    y, z = x[index], x[mask]
    index[:] = 2
    mask[:] = ~mask
    (y.sum() + z.sum()).backward()
    assert x.grad is not None
    assert x.grad.tolist() == [3.0, 0.0, 0.0]


def test_repeated_positions_in_a_write_keep_the_last_value() -> None:
    x, v = tg.zeros(3), tg.tensor([1.0, 2.0, 3.0], requires_grad=True)
    y = x * 1.0
    y[[0, 0, 2]] = v
    assert y.tolist() == [2.0, 0.0, 3.0]
    y.sum().backward()
    assert v.grad is not None
    assert v.grad.tolist() == [0.0, 1.0, 1.0]


@pytest.mark.parametrize(
    ("index", "message"),
    [
        (3, "out of bounds"),
        ((0, 0), "too many indices|1-d|1-dimensional"),
        ("a", "integers, slices"),
        (1.0, "integers, slices"),
        (np.array([0.0]), "float64"),
        (np.ones(2, bool), r"mask has shape \(2,\)"),
        (True, "single boolean"),
        (slice(None, "b"), "'b' as an end"),
        ((..., ...), "ellipsis|Ellipsis"),
    ],
    ids=["number", "axes", "word", "float", "floats", "mask", "boolean", "slice", "two ellipses"],
)
def test_wrong_indices(index: Any, message: str) -> None:
    for x in (tg.ones(3), tg.tensor([1.0, 2.0, 3.0], requires_grad=True)):
        with pytest.raises(tg.IndexingError, match=message):
            x[index]
    y = tg.ones(3)
    with pytest.raises(tg.IndexingError, match=message):
        y[index] = 5.0
    assert y.tolist() == [1.0, 1.0, 1.0]


def test_a_write_of_a_wrong_shape_changes_nothing() -> None:
    for x in (tg.ones(3), tg.ones(3).requires_grad_() * 1.0):
        with pytest.raises(tg.ShapeError):
            x[:2] = np.zeros(3)
        assert x.tolist() == [1.0, 1.0, 1.0]


def test_a_write_keeps_the_dtype() -> None:
    x = tg.ones(3, dtype="float32")
    x[0] = np.float64(0.5)
    assert x.dtype == np.float32
    with pytest.raises(tg.DtypeError, match="float64 do not fit"):
        tg.tensor([1, 2])[0] = np.float64(0.5)


# ---- sorting


@given(hnp.arrays(np.float64, SHAPES, elements=st.integers(0, 3).map(float)), st.data())
def test_sort_is_stable_both_ways(x: Any, data: st.DataObject) -> None:
    axis = data.draw(st.integers(-x.ndim, x.ndim - 1))
    descending = data.draw(st.booleans())
    order = tg.argsort(x, axis=axis, descending=descending)
    np.testing.assert_array_equal(order, np.argsort(-x if descending else x, axis=axis, kind="stable"))
    t = tg.tensor(x, requires_grad=True)
    y = tg.sort(t, axis=axis, descending=descending)
    np.testing.assert_array_equal(y.numpy(), np.take_along_axis(x, order, axis))
    g = np.arange(1.0, x.size + 1).reshape(x.shape)
    y.backward(g)
    expected = np.zeros_like(x)
    np.put_along_axis(expected, order, g, axis)
    assert t.grad is not None
    np.testing.assert_array_equal(t.grad.numpy(), expected)


def test_sort_puts_nan_last() -> None:
    x = tg.tensor([math.nan, 1.0, -math.inf], requires_grad=True)
    y = tg.sort(x)
    np.testing.assert_array_equal(y.numpy(), np.array([-math.inf, 1.0, math.nan], np.float32))
    y[0].backward()
    assert x.grad is not None
    assert x.grad.tolist() == [0.0, 0.0, 1.0]


def test_take_along_axis_adds_up_repeated_positions() -> None:
    x = tg.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    tg.take_along_axis(x, np.array([[0, 0, 0], [1, 0, 1]]), axis=1).sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [[3.0, 0.0], [1.0, 2.0]]


@pytest.mark.parametrize("axis", [2, -3])
def test_a_wrong_axis_is_one_under_vmap_too(axis: int) -> None:
    x, index = np.ones((2, 3, 4)), np.zeros((2, 3, 4), int)
    with pytest.raises(tg.ShapeError, match="take_along_axis: axis"):
        tg.vmap(lambda x, i: tg.take_along_axis(x, i, axis=axis))(x, index)
    with pytest.raises(tg.ShapeError, match="concat: axis"):
        tg.vmap(lambda x: tg.concat([x, x], axis=axis))(x)
