"""Tensors and NumPy: arrays on either side of an operator, NumPy's functions, read-only views."""

from __future__ import annotations

import operator

import numpy as np
import pytest

import tensorgrad as tg


def leaf(data, dtype=None):
    return tg.tensor(data, dtype, requires_grad=True)


# ---- arrays in, arrays out


def test_arrays_give_arrays_and_tensors_give_tensors():
    a = np.ones(2)
    assert type(tg.sin(a)) is np.ndarray
    assert type(tg.add(a, 1.0)) is type(tg.add(1.0, a)) is np.ndarray
    assert type(tg.concat([a, a])) is np.ndarray
    assert type(tg.add(a, tg.tensor(a))) is tg.Tensor
    for made in (
        tg.sin(0.5),
        tg.sin([0.5]),
        tg.add(1, 2),
        tg.add(1, 2.5),
        tg.multiply(2.0, 3),
        tg.where(True, 1.0, 2.0),
    ):
        assert type(made) is tg.Tensor
    assert tg.sin(0.5).dtype == tg.add(1, 2.5).dtype == np.float32
    assert tg.stack([tg.tensor(1.0), 2.0]).dtype == np.float32


def test_numpy_functions_keep_the_history_or_refuse():
    x, a = leaf([1.0, 4.0]), np.array([1.0, 2.0], np.float32)
    for f in (np.sin, np.exp, np.sqrt, np.negative, np.square, np.absolute, np.log):
        got = f(x)
        assert type(got) is tg.Tensor and got.requires_grad
        assert np.array_equal(got.numpy(), f(x.numpy()))
    for f in (np.add, np.subtract, np.multiply, np.divide, np.power, np.maximum, np.minimum, np.matmul):
        for args in ((x, a), (a, x), (x, x)):
            got = f(*args)
            assert type(got) is tg.Tensor and got.requires_grad
            assert np.allclose(got.numpy(), f(*[np.asarray(arg) for arg in args]))
    for call in (
        lambda: np.spacing(x),
        lambda: np.add.reduce(x),
        lambda: np.add.outer(x, a),
        lambda: np.exp(x, out=a),
        lambda: np.exp(x, dtype=np.float64),
        lambda: np.add(a, a, out=x),
        lambda: np.add(a, a, where=tg.tensor([True, False])),
    ):
        with pytest.raises(tg.TensorgradError, match=r"np\."):
            call()


@pytest.mark.parametrize(
    "call",
    [
        lambda x: np.concatenate([x, x]),
        lambda x: np.stack([x, x]),
        lambda x: np.dot(x, x),
        lambda x: np.where([True, False], x, 0.0),
        lambda x: np.sum(x),
        lambda x: np.mean(x),
        lambda x: np.einsum("i,i", x, x),
        lambda x: np.linalg.norm(x),
    ],
)
def test_functions_of_numpy_that_are_no_ufuncs_do_not_drop_the_history(call):
    try:
        got = call(leaf([1.0, 2.0]))
    except tg.TensorgradError:
        return
    assert isinstance(got, tg.Tensor) and got.requires_grad


@pytest.mark.parametrize(
    "op",
    [getattr(operator, name) for name in "add sub mul truediv pow matmul lt le gt ge eq ne".split()],  # noqa: SIM905
)
def test_operators_with_an_array_or_a_numpy_scalar_on_either_side(op):
    x, a = leaf([1.0, 2.0, 3.0]), np.array([3.0, 2.0, 1.0])
    assert np.allclose(op(x, a).numpy(), op(x.numpy(), a))
    assert np.allclose(op(a, x).numpy(), op(a, x.numpy()))
    assert type(op(a, x)) is type(op(x, a)) is tg.Tensor
    if op is not operator.matmul:
        s = np.float64(2)
        assert np.allclose(op(s, x).numpy(), op(s, x.numpy()))
        assert np.allclose(op(x, 2.0).numpy(), op(x.numpy(), 2.0))
        assert np.allclose(op(2.0, x).numpy(), op(2.0, x.numpy()))


def test_logic_of_boolean_tensors_and_arrays_on_either_side():
    x, a = tg.tensor([True, True, False]), np.array([True, False, False])
    for op in (operator.and_, operator.or_):
        for left, right in ((x, a), (a, x), (x, tg.tensor(a)), (x, True), (True, x)):
            got = op(left, right)
            assert got.tolist() == op(np.asarray(left), np.asarray(right)).tolist()
    assert (~x).tolist() == [False, False, True]


def test_bits_of_integers_on_either_side():
    x, a = tg.tensor([5, 0, 3]), np.array([6, 2, 1])
    for op in (operator.and_, operator.or_, operator.xor, operator.lshift, operator.rshift):
        for left, right in ((x, a), (a, x), (x, tg.tensor(a)), (x, 3), (3, x)):
            got = op(left, right)
            assert isinstance(got, tg.Tensor)
            assert got.tolist() == op(np.asarray(left), np.asarray(right)).tolist()
    assert (~x).tolist() == [-6, -1, -4]
    for op in (operator.iand, operator.ior, operator.ixor, operator.ilshift, operator.irshift):
        y = tg.tensor([5, 0, 3])
        assert op(y, a) is y and y.tolist() == op(np.array([5, 0, 3]), a).tolist()
    for bad in (lambda: ~tg.tensor([1.0]), lambda: x & tg.tensor([2.0]), lambda: 1.0 | x, lambda: x << 0.5):
        with pytest.raises(tg.DtypeError, match="bitwise_"):
            bad()


def test_an_array_is_never_written_by_a_tensor():
    a, x = np.ones(2, np.float32), tg.tensor([1.0, 2.0])
    for op in (operator.iadd, operator.imul, operator.isub, operator.itruediv):
        with pytest.raises(tg.DtypeError, match="out="):
            op(a, x)
    assert a.tolist() == [1, 1]


# ---- views for NumPy


def test_numpy_is_a_read_only_view_and_zero_d_is_an_array():
    x = leaf([1.0, 2.0])
    for view in (x.numpy(), x.data, np.asarray(x)):
        assert np.shares_memory(view, x.numpy())
        with pytest.raises(ValueError, match="read-only"):
            view[0] = 5
    assert type(tg.tensor(1.5).numpy()) is np.ndarray and tg.tensor(1.5).numpy().shape == ()
    own = np.array(x)
    own[0] = 9
    assert x.tolist() == [1, 2]
    assert np.asarray(x, dtype="float64").dtype == np.float64
    with pytest.raises(ValueError, match="copy"):
        np.asarray(x, dtype="float64", copy=False)


# ---- integers, booleans and broadcasting where a function might forget them


@pytest.mark.parametrize(
    "name", ["sin", "cos", "tanh", "exp", "sqrt", "sigmoid", "square", "abs", "sign", "relu"]
)
@pytest.mark.parametrize("dtype", ["int8", "int64", "uint8"])
def test_functions_of_integers_have_the_value_of_those_of_floats(name, dtype):
    f, data = getattr(tg, name), np.array([0, 1, 2], dtype)
    wanted = f(data.astype(np.float64))
    for got in (
        f(data),
        f(tg.tensor(data)).numpy(),
        np.stack([np.asarray(f(tg.tensor(one))) for one in data]),
    ):
        assert np.allclose(got, wanted, rtol=2e-3)
    assert np.allclose(float(f(2)), wanted[2])


def test_numbers_alone_get_the_default_float():
    assert tg.where(tg.tensor([0, 1]), 1.0, 2.0).dtype == np.float32
    assert tg.maximum(1.0, 2).dtype == tg.multiply(2, 0.5).dtype == np.float32


def test_indices_that_broadcast_work_backward_too():
    x = leaf([[1.0, 2.0], [3.0, 4.0]])
    tg.take_along_axis(x, np.array([[0]]), axis=1).sum().backward()
    assert x.grad.tolist() == [[1, 0], [1, 0]]
