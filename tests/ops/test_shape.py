"""Ops that move elements: lists as arguments, views, axes that do not exist, parts that are empty."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import tensorgrad as tg

LIST = [[1.0, 2.0], [3.0, 4.0]]


OF_A_LIST = {
    "flip": tg.flip, "matrix_transpose": tg.matrix_transpose, "transpose": tg.transpose, "ravel": tg.ravel,
    "sort": tg.sort, "squeeze": tg.squeeze, "mean": tg.mean, "var": tg.var, "std": tg.std,
    "split": lambda x: tg.split(x, 2)[0],
    "swapaxes": lambda x: tg.swapaxes(x, 0, 1),
    "moveaxis": lambda x: tg.moveaxis(x, 0, 1),
    "expand_dims": lambda x: tg.expand_dims(x, 0),
    "reshape": lambda x: tg.reshape(x, 4),
    "einsum": lambda x: tg.einsum("ij->", x),
    "concat": lambda x: tg.concat([x, x]),
    "stack": lambda x: tg.stack([x, x]),
    "astype": lambda x: tg.astype(x, "float64"),
    "conv2d": lambda x: tg.nn.functional.conv2d(tg.reshape(x, (1, 1, 2, 2)).tolist(), [[[[1.0]]]]),
    "broadcast_to": lambda x: tg.broadcast_to(x, (2, 2, 2)),
}  # fmt: skip


@pytest.mark.parametrize("name", OF_A_LIST)
def test_lists_become_tensors(name: str) -> None:
    call = OF_A_LIST[name]
    y = call(LIST)
    assert isinstance(y, tg.Tensor)
    np.testing.assert_array_equal(y.numpy(), call(tg.tensor(LIST)).numpy())


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda x: tg.swapaxes(x, 0, 2), "swapaxes"),
        (lambda x: tg.moveaxis(x, 2, 0), "moveaxis"),
        (lambda x: tg.flip(x, axis=-3), "flip"),
        (lambda x: tg.squeeze(x, 2), "squeeze"),
        (lambda x: tg.expand_dims(x, 4), "expand_dims"),
        (lambda x: tg.split(x, 2, axis=2), "split"),
        (lambda x: tg.stack([x, x], axis=4), "stack"),
        (lambda x: tg.concat([x, x], axis=2), "concat"),
        (lambda x: tg.sort(x, axis=2), "sort"),
        (lambda x: tg.transpose(x, (0, 2)), "transpose"),
    ],
    ids=[
        "swapaxes",
        "moveaxis",
        "flip",
        "squeeze",
        "expand_dims",
        "split",
        "stack",
        "concat",
        "sort",
        "transpose",
    ],
)
def test_an_axis_that_does_not_exist(call: Any, name: str) -> None:
    with pytest.raises(tg.ShapeError, match=f"{name}: "):
        call(tg.ones((2, 3)))


VIEWS = {
    "reshape": lambda x: x.reshape(3, 2),
    "T": lambda x: x.T,
    "slice": lambda x: x[1:],
    "row": lambda x: x[0, ::-1],
    "split": lambda x: tg.split(x, 2)[1],
    "broadcast_to": lambda x: x.broadcast_to((4, 2, 3)),
    "squeeze": lambda x: tg.squeeze(tg.expand_dims(x, 0)),
}


@pytest.mark.parametrize("name", VIEWS)
def test_views_share_storage_and_keep_their_value(name: str) -> None:
    x = tg.tensor(np.arange(6.0).reshape(2, 3))
    y = VIEWS[name](x)
    before = y.tolist()
    assert np.shares_memory(x.numpy(), y.numpy())
    x[...] = 0.0  # a new value for x: what was computed from the old one keeps it
    assert y.tolist() == before


@given(hnp.arrays(np.float64, hnp.array_shapes(max_dims=3, max_side=6)), st.data())
def test_split_then_concat_is_the_same(x: Any, data: st.DataObject) -> None:
    axis = data.draw(st.integers(-x.ndim, x.ndim - 1))
    n = x.shape[axis]
    cuts = sorted(data.draw(st.lists(st.integers(-n, n + 2), max_size=4)), key=lambda i: i + n * (i < 0))
    parts = tg.split(x, cuts, axis=axis)
    for part, expected in zip(parts, np.split(x, cuts, axis), strict=True):
        np.testing.assert_array_equal(part, expected)
    np.testing.assert_array_equal(tg.concat(parts, axis=axis), x)


@given(st.data())
def test_broadcast_and_sum_to_are_transposes(data: st.DataObject) -> None:
    big = data.draw(hnp.array_shapes(max_dims=4, max_side=3, min_side=0))
    small = tuple([n if data.draw(st.booleans()) else 1 for n in big[data.draw(st.integers(0, len(big))) :]])
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal(small), rng.standard_normal(big)
    assert tg.sum(tg.broadcast_to(x, big) * y) == pytest.approx(tg.sum(x * tg.sum_to(y, small)), abs=1e-12)


def test_only_the_parts_of_a_split_that_are_used_cost_a_gradient() -> None:
    x = tg.tensor(np.arange(5.0), requires_grad=True)
    _, middle, _ = tg.split(x, [1, 3])
    (middle * middle).sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [0.0, 2.0, 4.0, 0.0, 0.0]


def test_concat_of_mixed_dtypes_gives_each_its_own_back() -> None:
    a = tg.ones(2, dtype="float32").requires_grad_()
    b = tg.ones(1, dtype="float64").requires_grad_()
    y = tg.concat([a, b, tg.tensor([3])])
    assert y.dtype == np.float64
    y.sum().backward()
    assert a.grad is not None and b.grad is not None
    assert a.grad.dtype == np.float32
    assert b.grad.dtype == np.float64


def test_reshape_of_nothing() -> None:
    assert tg.reshape(tg.zeros((0, 3)), (3, 0)).shape == (3, 0)
    assert tg.ravel(tg.zeros((0, 3))).shape == (0,)
    assert tg.reshape(tg.tensor(1.0), (1, 1)).shape == (1, 1)


# ---- forms of arguments that NumPy takes


def test_lists_and_numbers_beside_tensors() -> None:
    x = tg.tensor([1.0, 2.0])
    assert tg.stack([x, [3, 4]]).tolist() == [[1.0, 2.0], [3.0, 4.0]]
    assert tg.stack([x[0], 3]).dtype == tg.concat([x, 3], None).dtype == np.float32
    assert tg.einsum("i,i", x, [3.0, 4.0]).item() == 11.0
    with pytest.raises(tg.DtypeError, match="einsum: the subscripts are Tensor"):
        tg.einsum(x, [0], x, [0])  # type: ignore[arg-type]


def test_an_axis_named_twice_or_a_negative_length_is_refused() -> None:
    for call in (
        lambda: tg.flip(np.ones((2, 2)), (0, -2)),
        lambda: tg.squeeze(np.ones((1, 1)), (0, -2)),
        lambda: tg.moveaxis(np.ones((2, 2)), (0, 0), (0, 1)),
        lambda: tg.moveaxis(np.ones((2, 2)), (0, 1), 0),
        lambda: tg.broadcast_to(1.0, (-1,)),
    ):
        with pytest.raises(tg.ShapeError):
            call()


def test_a_length_as_the_shape_in_a_batch() -> None:
    assert tg.vmap(lambda x: tg.broadcast_to(x, 3))(np.ones(2)).shape == (2, 3)


def test_the_ends_of_a_row_of_numbers_keep_their_dtype() -> None:
    assert tg.linspace(np.float64(0), 1, 3).dtype == np.float64
    assert tg.linspace(0.0, 1, 3).dtype == tg.linspace(np.int64(0), 1, 3).dtype == np.float32
