"""``x += v`` and ``x[i] = v``: the object keeps its identity and gets a new value."""

from __future__ import annotations

import copy
import operator

import numpy as np
import pytest

import tensorgrad as tg

IN_PLACE = {
    "+=": operator.iadd,
    "-=": operator.isub,
    "*=": operator.imul,
    "/=": operator.itruediv,
    "**=": operator.ipow,
    "[...] =": lambda x, v: operator.setitem(x, ..., v) or x,
    "[:1] =": lambda x, v: operator.setitem(x, slice(1), v) or x,
    "[[0]] =": lambda x, v: operator.setitem(x, [0], v) or x,
    "[mask] =": lambda x, v: operator.setitem(x, np.array([True, False]), v) or x,
}
every_way = pytest.mark.parametrize("write", IN_PLACE.values(), ids=IN_PLACE)


def leaf(data, dtype=None):
    return tg.tensor(data, dtype, requires_grad=True)


def numpy_result(write, x, v):
    after = np.array(x, np.float32)
    return write(after, v)


# ---- identity and value


@every_way
@pytest.mark.parametrize(
    "v", [3.0, 3, np.float32(3), np.array(3.0), tg.tensor(3.0)], ids=lambda v: type(v).__name__
)
def test_the_object_stays_and_gets_the_value_that_numpy_gives(write, v):
    x = tg.tensor([1.0, 2.0])
    same = x
    wanted = numpy_result(write, x, np.asarray(v))
    x = write(x, v)
    assert x is same
    assert np.array_equal(x.numpy(), wanted) and x.dtype == np.float32 and x.shape == (2,)


@every_way
def test_what_was_computed_or_looked_at_before_keeps_the_old_value(write):
    x = tg.tensor([1.0, 2.0])
    other, view, part, turned, array = x, x[:], x[0], x.reshape(2, 1), x.numpy()
    detached, twin, double, again = x.detach(), copy.copy(x), x * 2, np.asarray(x)
    write(x, 5.0)
    assert other is x and np.array_equal(other.numpy(), numpy_result(write, [1.0, 2.0], 5.0))
    for old in (view, array, detached, twin, again, turned.reshape(2)):
        assert old.tolist() == [1, 2]
    assert part.item() == 1 and double.tolist() == [2, 4]


@every_way
def test_writing_to_a_view_does_not_reach_what_it_was_taken_from(write):
    x = tg.tensor([[1.0, 2.0], [3.0, 4.0]])
    row = x[0]
    write(row, 9.0)
    assert x.tolist() == [[1, 2], [3, 4]]
    x[0] = row
    assert x[0].tolist() == row.tolist()


def test_boolean_operators_keep_identity_too():
    for op, wanted in ((operator.iand, [True, False]), (operator.ior, [True, True])):
        x = tg.tensor([True, True])
        same = x
        x = op(x, tg.tensor([True, False]))
        assert x is same and x.tolist() == wanted


def test_matmul_in_place():
    x = tg.tensor([[1.0, 2.0], [3.0, 4.0]])
    same = x
    x @= np.array([[0, 1], [1, 0]], np.float32)
    assert x is same and x.tolist() == [[2, 1], [4, 3]]


def test_a_tensor_may_be_written_with_itself():
    x = tg.tensor([1.0, 2.0, 3.0])
    x += x
    x[1:] = x[:2]
    x[::-1] = x
    assert x.tolist() == [4, 2, 2]


@pytest.mark.parametrize("data", [2.0, [], [[3.0]]])
def test_zero_d_empty_and_size_one(data):
    x = tg.tensor(data)
    wanted = np.array(data, np.float32)
    x += 1
    x *= 2
    x[...] = x + 1
    assert x.shape == wanted.shape and np.array_equal(x.numpy(), (wanted + 1) * 2 + 1)


# ---- with gradients on, a write is recorded


def test_a_write_is_recorded_and_both_sides_get_gradients():
    a, v = leaf([1.0, 2.0, 3.0]), leaf([10.0])
    x = a * 2
    old = x * 1
    x[1:2] = v * 3
    x *= x
    (x.sum() + old.sum() * 100).backward()
    assert a.grad.tolist() == [2 * 2 * 2 + 200, 200, 2 * 6 * 2 + 200]
    assert v.grad.tolist() == [2 * 30 * 3]


def test_a_buffer_written_with_a_tracked_value_becomes_part_of_the_graph():
    v, buffer = leaf(2.0), tg.zeros(3)
    name = buffer
    for i in range(3):
        buffer[i] = v ** (i + 1)
    assert name is buffer and buffer.requires_grad and not buffer.is_leaf
    buffer.sum().backward()
    assert v.grad.item() == 1 + 2 * 2 + 3 * 4


def test_repeated_positions_give_the_gradient_to_the_value_that_stayed():
    v, x = leaf([5.0, 6.0]), tg.zeros(3)
    x[[0, 0]] = v
    (x * np.array([7.0, 1.0, 1.0], np.float32)).sum().backward()
    assert x[0].item() == 6 and v.grad.tolist() == [0, 7]


def test_a_broadcast_value_gets_the_sum_and_overwritten_places_get_nothing():
    a, v = leaf(np.ones((2, 3))), leaf(5.0)
    x = a * 1
    x[:, 1] = v
    x[np.array([True, False])] = 0.0
    (x * np.arange(6.0).reshape(2, 3)).sum().backward()
    assert a.grad.tolist() == [[0, 0, 0], [3, 0, 5]]
    assert v.grad.item() == 4


def test_a_list_of_tracked_tensors_keeps_its_history_or_is_refused():
    v = leaf(2.0)
    for make in (lambda: tg.zeros(2), lambda: tg.zeros(2) + v * 0):
        x = make()
        try:
            x[:] = [v * 3, 1.0]
        except tg.TensorgradError:
            assert x.tolist() == [0, 0]
        else:
            assert x.requires_grad


def test_the_dtype_stays_and_the_gradient_has_that_of_the_input():
    a, v = leaf([1.0, 2.0]), leaf([3.0, 4.0], "float64")
    x = a * 1
    x += v
    x[0] = v[1] * 2
    assert x.dtype == np.float32
    x.sum().backward()
    assert a.grad.dtype == np.float32 and a.grad.tolist() == [0, 1]
    assert v.grad.dtype == np.float64 and v.grad.tolist() == [0, 3]


# ---- leaves


@every_way
def test_a_leaf_is_not_written_while_gradients_are_on(write):
    for w in (leaf([1.0, 2.0]), tg.nn.Parameter([1.0, 2.0])):
        with pytest.raises(tg.GradientError, match="no_grad") as error:
            write(w, 5.0)
        assert "y = x + v" in str(error.value)
        assert w.tolist() == [1, 2] and w.is_leaf and w.requires_grad


@every_way
def test_a_leaf_is_written_under_no_grad_and_stays_a_leaf(write):
    for w in (leaf([1.0, 2.0]), tg.nn.Parameter([1.0, 2.0])):
        (w * w).sum().backward()
        before, view, kind = w, w.numpy(), type(w)
        with tg.no_grad():
            w = write(w, leaf([3.0]) * 1)
        assert w is before and w.is_leaf and w.requires_grad and type(w) is kind
        assert view.tolist() == [1, 2] and w.grad.tolist() == [2, 4]
        assert np.array_equal(w.numpy(), numpy_result(write, [1.0, 2.0], np.array([3.0])))
        w.grad = None
        (w * 2).sum().backward()
        assert w.grad.tolist() == [2, 2]


def test_the_hand_written_training_loop_learns():
    x, y = np.linspace(-1, 1, 20).reshape(-1, 1), np.linspace(-3, 5, 20).reshape(-1, 1)
    w, b = leaf([[0.0]], "float64"), leaf([0.0], "float64")
    for _ in range(200):
        loss = ((x @ w + b - y) ** 2).mean()
        loss.backward()
        with tg.no_grad():
            for p in (w, b):
                p -= 0.3 * p.grad
                p.grad = None
    assert abs(w.item() - 4) < 1e-6 and abs(b.item() - 1) < 1e-6


def test_a_computed_tensor_is_not_written_unrecorded():
    y = leaf([1.0, 2.0]) * 2
    for write in IN_PLACE.values():
        with tg.no_grad(), pytest.raises(tg.GradientError, match="detach"):
            write(y, 5.0)
    assert y.tolist() == [2, 4]


# ---- buffers


def test_a_buffer_updated_with_gradients_on_stays_a_buffer():
    buffer = tg.ones(2)
    for _ in range(3):
        buffer *= 0.5
        buffer += np.array([1.0, 2.0], np.float32) * 0.5
    assert not buffer.requires_grad and buffer.is_leaf
    assert np.allclose(buffer.numpy(), [1, 1.875])


def test_a_running_mean_of_tracked_values_stays_a_buffer_under_no_grad():
    w, running = leaf([2.0]), tg.zeros(1)
    for _ in range(2):
        y = w * 3
        with tg.no_grad():
            running *= 0.5
            running += 0.5 * y
        y.sum().backward()
    assert not running.requires_grad and running.tolist() == [4.5]
    assert w.grad.tolist() == [6]


def test_a_buffer_written_after_use_does_not_disturb_the_gradient():
    w, buffer = leaf([1.0, 2.0]), tg.tensor([3.0, 4.0])
    y = (w * buffer).sum()
    buffer[0] = 100.0
    buffer *= 7
    y.backward()
    assert w.grad.tolist() == [3, 4]


# ---- errors change nothing

BAD_WRITES = {
    "shape": (lambda x: operator.iadd(x, np.ones((2, 2))), ValueError),
    "float into int": (lambda x: operator.iadd(x.astype("int64"), 0.5), TypeError),
    "true division of ints": (lambda x: operator.itruediv(x.astype("int64"), 2), TypeError),
    "complex": (lambda x: operator.imul(x, 1j), TypeError),
    "complex item": (lambda x: operator.setitem(x, 0, 1j), TypeError),
    "complex list": (lambda x: operator.setitem(x, slice(None), [1j, 2]), TypeError),
    "None": (lambda x: operator.iadd(x, None), TypeError),
    "item None": (lambda x: operator.setitem(x, 0, None), TypeError),
    "item text": (lambda x: operator.setitem(x, 0, "5"), TypeError),
    "item object": (lambda x: operator.setitem(x, 0, object()), TypeError),
    "item datetime": (lambda x: operator.setitem(x, 0, np.datetime64("2020")), TypeError),
    "item sequence": (lambda x: operator.setitem(x, 0, [1, 2]), ValueError),
    "item out of range": (lambda x: operator.setitem(x, 2, 1.0), IndexError),
    "list out of range": (lambda x: operator.setitem(x, [0, 9], 1.0), IndexError),
    "text index": (lambda x: operator.setitem(x, "a", 1.0), IndexError),
    "float index": (lambda x: operator.setitem(x, 0.5, 1.0), IndexError),
    "float tensor index": (lambda x: operator.setitem(x, tg.tensor(0.5), 1.0), IndexError),
    "boolean index": (lambda x: operator.setitem(x, True, 1.0), IndexError),
    "short mask": (lambda x: operator.setitem(x, np.array([True]), 1.0), IndexError),
    "mask count": (lambda x: operator.setitem(x, np.array([True, False]), [1.0, 2.0]), ValueError),
    "masked value": (lambda x: operator.setitem(x, ..., np.ma.array([1.0, 2.0], mask=[0, 1])), TypeError),
    "masked index": (lambda x: operator.setitem(x, np.ma.array([0, 1], mask=[0, 1]), 1.0), TypeError),
    "huge number": (lambda x: operator.setitem(x, 0, 10**400), TypeError),
}


@pytest.mark.parametrize(("write", "kind"), BAD_WRITES.values(), ids=BAD_WRITES)
@pytest.mark.parametrize("tracked", [False, True], ids=["plain", "tracked"])
def test_a_bad_write_is_our_error_and_changes_nothing(write, kind, tracked):
    x = leaf([1.0, 2.0]) * 1 if tracked else tg.tensor([1.0, 2.0])
    node = x._node
    with pytest.raises(kind) as error:
        write(x)
    assert isinstance(error.value, tg.TensorgradError)
    assert x.tolist() == [1, 2] and x._node is node and x.dtype == np.float32


@pytest.mark.parametrize(
    ("dtype", "value"),
    [("int64", 1.5), ("int64", [1.5, 2.5]), ("bool", 2.5), ("bool", [0.5, 1]), ("int8", 300)],
)
@pytest.mark.parametrize("tensor_value", [False, True])
def test_a_value_that_does_not_fit_the_dtype_is_refused(dtype, value, tensor_value):
    x = tg.zeros(2, dtype=dtype)
    with pytest.raises(tg.DtypeError):
        x[:] = tg.tensor(value, None if dtype != "int8" else "float32") if tensor_value else value
    assert x.tolist() == [0, 0]


@pytest.mark.parametrize("tracked", [False, True], ids=["plain", "tracked"])
@pytest.mark.parametrize("held", [False, True], ids=["free", "held"])
def test_python_numbers_and_lists_are_written_in_the_precision_of_the_tensor(tracked, held):
    x = leaf(np.zeros(4)) * 1 if tracked else tg.tensor(np.zeros(4))
    view = x.numpy() if held else None
    x[0] = 0.1
    x[1:3] = [0.1, 0.2]
    x[[3]] = 0.3
    assert x.tolist() == [0.1, 0.1, 0.2, 0.3]
    x += 0.1
    x *= 0.3
    assert x.tolist() == [(n + 0.1) * 0.3 for n in (0.1, 0.1, 0.2, 0.3)]
    assert view is None or not view.any()


# ---- cost: an array that nobody else holds is written in place


def copies_made(x, write, n):
    made, last = 0, id(x._d)
    for i in range(n):
        write(x, i)
        if id(x._d) != last:
            made, last = made + 1, id(x._d)
    return made


def put(value):
    return lambda x, i: operator.setitem(x, i, value)


def bump(x, i):
    x[i] += 1


MAKERS = {
    "tensor": lambda n: tg.tensor(np.zeros(n)),
    "zeros": lambda n: tg.zeros(n),
    "full": lambda n: tg.full(n, 2.0),
    "computed": lambda n: tg.ones(n) + 1,
    "random": lambda n: tg.randn(n),
    "after a slow write": lambda n: IN_PLACE["[[0]] ="](tg.ones(n), leaf(1.0).detach()),
    "after +=": lambda n: operator.iadd(tg.ones(n), 1),
    "unpickled": lambda n: copy.deepcopy(tg.ones(n)),
}


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
def test_filling_ten_thousand_entries_does_not_copy_each_time(make):
    x = make(10_000)
    assert copies_made(x, put(7.0), 10_000) <= 1
    assert x.tolist() == [7.0] * 10_000


@pytest.mark.parametrize(
    "write",
    [
        put(np.float32(1)),
        put(tg.tensor(1.0)),
        put([[1.0]][0][0]),
        lambda x, i: operator.setitem(x, slice(i, i + 1), [1.0]),
        lambda x, i: operator.setitem(x, tg.tensor(i), 1.0),
        lambda x, i: operator.setitem(x, [i], 1.0),
        bump,
    ],
    ids=["numpy scalar", "tensor", "number", "list", "tensor index", "list index", "x[i] += 1"],
)
def test_every_kind_of_untracked_value_is_written_in_place(write):
    assert copies_made(tg.tensor(np.zeros(200)), write, 200) <= 2


def test_a_parameter_is_filled_in_place_under_no_grad():
    w, source = tg.nn.Parameter(np.zeros(200)), leaf(np.ones(200))
    with tg.no_grad():
        assert copies_made(w, put(2.0), 200) == 0
        assert copies_made(w, lambda x, i: operator.setitem(x, i, source[i]), 200) <= 2
    assert w.is_leaf and w.tolist() == [1.0] * 200


def test_an_array_that_somebody_holds_is_copied_once():
    x = tg.tensor(np.zeros(100))
    view = x.numpy()
    assert copies_made(x, put(1.0), 100) == 1
    assert not view.any() and x.numpy().all()
