"""Never silently wrong: a gradient is right, or there is an error that says why not."""

from __future__ import annotations

import numpy as np
import pytest

import tensorgrad as tg


def leaf(data, dtype=None):
    return tg.tensor(data, dtype, requires_grad=True)


def step(*weights):
    with tg.no_grad():
        for w in weights:
            w -= 0.5


# ---- a step between forward and backward

W = np.array([[1.0, 2.0], [3.0, 4.0]])

SAVES_THE_WEIGHT = {
    "w * w": lambda w, x: w * w,
    "x @ w": lambda w, x: x @ w,
    "x @ w.T": lambda w, x: x @ w.T,
    "x @ w.mT": lambda w, x: x @ w.mT,
    "x @ w.transpose(1, 0)": lambda w, x: x @ w.transpose(1, 0),
    "reshape": lambda w, x: x.reshape(4) * w.reshape(4),
    "reshape of transpose": lambda w, x: x.reshape(4) * w.T.reshape(2, 2).ravel(),
    "row": lambda w, x: x[0] * w[0],
    "rows of rows": lambda w, x: x[0] * w[:][0][::-1],
    "new axis": lambda w, x: x * w[None][0],
    "split": lambda w, x: tg.split(w, 2)[0] * x[0],
    "split of transpose": lambda w, x: tg.split(w.T, 2, axis=1)[1] * x[:, :1],
    "broadcast": lambda w, x: tg.broadcast_to(w, (3, 2, 2)) * x,
    "swapaxes": lambda w, x: tg.swapaxes(w, 0, 1) * x,
    "squeeze": lambda w, x: w.expand_dims(0).squeeze(0) * x,
    "flip": lambda w, x: tg.flip(w, axis=0) * x,
    "exp of a view, negated": lambda w, x: tg.log(w.T),
    "divide": lambda w, x: x / w,
    "power": lambda w, x: w**3,
    "maximum": lambda w, x: tg.maximum(w, x),
    "einsum": lambda w, x: tg.einsum("ij,jk->ik", x, w),
    "captured 0-d": lambda w, x: w[0, 0] * x,
    "max": lambda w, x: w.max(axis=0),
}


@pytest.mark.parametrize("f", SAVES_THE_WEIGHT.values(), ids=SAVES_THE_WEIGHT)
def test_a_step_between_forward_and_backward_is_found(f):
    w, x = tg.nn.Parameter(W), leaf(W + 1)
    y = f(w, x).sum()
    step(w)
    with pytest.raises(tg.MutatedError, match="backward before the update") as error:
        y.backward()
    assert "time" in str(error.value) and w.grad is None and x.grad is None
    with pytest.raises(tg.MutatedError):
        tg.autograd.grad(y, [w], allow_unused=True)


@pytest.mark.parametrize(
    "write",
    [
        lambda w: w.__setitem__((0, 0), 9.0),
        lambda w: w.__setitem__(np.array([[True, False], [False, False]]), 9.0),
        lambda w: w.__setitem__(..., w.detach() * 1),
        lambda w: w.__isub__(0.0),
        lambda w: w.__imul__(2.0),
    ],
)
def test_every_kind_of_write_to_a_leaf_counts(write):
    w = leaf(W)
    y = (w * w).sum()
    with tg.no_grad():
        write(w)
    with pytest.raises(tg.MutatedError, match="multiply"):
        y.backward()


DOES_NOT_SAVE_IT = {
    "add": lambda w, c: w + c,
    "times a constant": lambda w, c: w * c,
    "constant @ w.T": lambda w, c: c @ w.T,
    "reshape + 1": lambda w, c: w.reshape(-1) + 1,
    "mean": lambda w, c: w.mean(axis=0),
    "exp keeps its result": lambda w, c: tg.exp(w.T),
    "copy": lambda w, c: (w + 0) * (w + 0),
    "split and concat": lambda w, c: tg.concat(tg.split(w, 2)[::-1]),
    "take": lambda w, c: w[[0, 0, 1]],
    "where": lambda w, c: tg.where(w > 2, w, 0.0),
}


@pytest.mark.parametrize("f", DOES_NOT_SAVE_IT.values(), ids=DOES_NOT_SAVE_IT)
def test_innocent_steps_are_not_refused(f):
    w, c = tg.nn.Parameter(W), tg.tensor(W)
    y = f(w, c).sum()
    y.backward(retain_graph=True)
    wanted = w.grad.numpy().copy()
    w.grad = None
    step(w)
    y.backward()
    assert np.array_equal(w.grad.numpy(), wanted)


def test_a_step_before_the_forward_or_after_the_backward_is_fine():
    w = leaf(W)
    for _ in range(3):
        step(w)
        (w * w).sum().backward()
        step(w)
        assert np.array_equal(w.grad.numpy(), 2 * (w.numpy() + 0.5))
        w.grad = None


def test_a_step_before_the_use_of_a_weight_in_an_older_graph_is_innocent():
    v, w = leaf(W), leaf(W)
    y = v * v
    step(w)
    (y * w + w * w).sum().backward()
    assert np.array_equal(w.grad.numpy(), W * W + 2 * (W - 0.5))


def test_only_the_weight_that_was_written_matters():
    w, v = leaf(W), leaf(W)
    y, z = (w * w).sum(), (v * v).sum()
    step(v)
    y.backward()
    with pytest.raises(tg.MutatedError):
        z.backward()
    assert v.grad is None and np.array_equal(w.grad.numpy(), 2 * W)


def test_a_retained_graph_is_checked_each_time():
    w = leaf(W)
    y = (w * w).sum()
    y.backward(retain_graph=True)
    step(w)
    with pytest.raises(tg.MutatedError):
        y.backward()
    assert np.array_equal(w.grad.numpy(), 2 * W)


def test_second_order_is_checked_too():
    w = leaf(W)
    (g,) = tg.autograd.grad((w * w * w).sum(), w, create_graph=True)
    step(w)
    with pytest.raises(tg.MutatedError):
        g.sum().backward()


# ---- the user's own arrays, changed afterwards

x0 = np.array([1.0, 2.0, 3.0], np.float32)

USERS_ARRAYS = {
    "operand": (x0 + 1, lambda x, a: x * a),
    "operand on the left": (x0 + 1, lambda x, a: a * x),
    "operand twice": (x0 + 1, lambda x, a: x * a * a),
    "matmul": (x0 + 1, lambda x, a: a @ x),
    "einsum": (x0 + 1, lambda x, a: tg.einsum("i,i->i", a, x)),
    "exponent": (x0 + 1, lambda x, a: x**a),
    "divisor": (x0 + 1, lambda x, a: x / a),
    "maximum": (x0[::-1].copy(), lambda x, a: tg.maximum(x, a)),
    "index": (np.array([0, 2, 2]), lambda x, a: x[a]),
    "index in a tuple": (np.array([0, 0, 1]), lambda x, a: x[None][..., a]),
    "written index": (np.array([0, 2]), lambda x, a: written(x * 1, a, 5.0)),
    "written value": (np.array([7.0], np.float32), lambda x, a: written(x * 1, slice(1), a) * x),
    "mask": (np.array([True, False, True]), lambda x, a: x[a]),
    "written mask": (np.array([True, False, True]), lambda x, a: written(x * 1, a, 5.0)),
    "condition": (np.array([True, False, True]), lambda x, a: tg.where(a, x, 0.0)),
    "positions": (np.array([2, 0]), lambda x, a: tg.take_along_axis(x, a)),
    "shape": (np.array([3, 1]), lambda x, a: x.reshape(a)),
    "shape to broadcast to": (np.array([2, 3]), lambda x, a: tg.broadcast_to(x, a)),
    "sections": (
        np.array([1, 2]),
        lambda x, a: tg.concat([p * (i + 1) for i, p in enumerate(tg.split(x, a))]),
    ),
    "of a view": (x0 + 1, lambda x, a: x * tg.reshape(a, (3,))),
    "part": (x0 + 1, lambda x, a: x * tg.split(a, 1)[0]),
    "joined": (x0 + 1, lambda x, a: x * tg.concat([a[:1], a[1:]])),
    "tensor of it": (x0 + 1, lambda x, a: x * tg.tensor(a)),
    "asarray": (x0 + 1, lambda x, a: x * tg.asarray(a)),
    "custom": (x0 + 1, lambda x, a: scaled(x, a)),
}


def written(x, index, value):
    x[index] = value
    return x


@tg.elementwise
def scaled(x, s):
    """Times."""
    return x * s


scaled.derivative(x=lambda s: s, s=lambda x: x)


@pytest.mark.parametrize(("array", "f"), USERS_ARRAYS.values(), ids=USERS_ARRAYS)
@pytest.mark.parametrize("second_order", [False, True])
def test_an_array_changed_after_use_changes_no_gradient(array, f, second_order):
    def gradient(change):
        mine, x = array.copy(), leaf(x0)
        y = (f(x, mine) ** 2).sum()
        if change:
            mine[...] = mine[::-1].copy() if mine.dtype.kind != "f" else 77
        (g,) = tg.autograd.grad(y, x, create_graph=second_order)
        if second_order:
            if change:
                mine[...] = 0
            (g,) = tg.autograd.grad((g * g).sum(), x)
        return g.numpy()

    assert np.array_equal(gradient(True), gradient(False))


def test_lists_given_as_parameters_may_be_changed_afterwards():
    x = leaf(np.ones((2, 3)))
    shape, axes, axis, index, cuts = [3, 2], [1, 0], [0], [0, 1, 1], [1]
    y = (
        x.reshape(shape).sum()
        + (x.transpose(axes) * np.arange(6.0).reshape(3, 2)).sum()
        + (x.sum(axis) ** 2).sum()
    )
    y = y + (x[0][index] * 3).sum() + (tg.split(x, cuts)[1] * 5).sum()
    for one in (shape, axes, axis, index, cuts):
        one[:] = [0] * len(one)
    y.backward()
    assert x.grad.tolist() == [[0 + 5 + 3, 2 + 5 + 6, 4 + 5], [1 + 5 + 5, 3 + 5 + 5, 5 + 5 + 5]]


SHARED = {
    "itself": lambda s: s,
    "transpose": lambda s: s.T,
    "reshape": lambda s: s.reshape(3),
    "slice": lambda s: s[:],
    "new axis": lambda s: s[None][0],
    "broadcast": lambda s: tg.broadcast_to(s, (3,)),
    "flip": lambda s: tg.flip(s)[::-1],
    "split": lambda s: tg.split(s, 1)[0],
    "split of split": lambda s: tg.split(tg.split(s, [0])[1], 1)[0],
    "detach": lambda s: s.detach(),
    "stop_gradient": tg.stop_gradient,
    "real": tg.real,
    "x.real": lambda s: s.real,
    "conjugate": tg.conjugate,
    "einsum": lambda s: tg.einsum("i->i", s),
    "einsum diagonal": lambda s: tg.einsum("ii->i", tg.broadcast_to(s, (3, 3))),
    "positive": tg.positive,
    "clone": lambda s: s.clone(),
    "astype": lambda s: s.astype("float32"),
    "asarray": tg.asarray,
    "sum_to": lambda s: tg.sum_to(s, (3,)),
    "sum over nothing": lambda s: tg.sum(s, axis=()),
    "max over nothing": lambda s: tg.max(s, axis=()),
    "concat of one": lambda s: tg.concat([s]),
    "sort": tg.sort,
    "where": lambda s: tg.where(True, s, 0.0),
    "maximum": lambda s: tg.maximum(s, s),
    "squeeze": lambda s: s.expand_dims(0).squeeze(0),
    "ravel": lambda s: s.ravel(),
    "swapaxes": lambda s: tg.swapaxes(s, 0, 0),
    "moveaxis": lambda s: tg.moveaxis(s, 0, 0),
    "vmap": lambda s: tg.vmap(lambda v: v)(s),
}


@pytest.mark.parametrize("f", SHARED.values(), ids=SHARED)
def test_shared_memory_is_copied_when_a_node_saves_it(f):
    memory = np.array([2.0, 2.0, 2.0], np.float32)
    shared, x = tg.asarray(memory, copy=False), leaf(x0)
    y = (x * f(shared)).sum() + (f(shared) @ x)
    memory[:] = 100
    assert shared.tolist() == [100, 100, 100]
    y.backward()
    assert x.grad.tolist() == [4, 4, 4]


def test_shared_memory_as_index_value_and_cotangent():
    memory, x = np.array([0, 2]), leaf(x0)
    y = x[tg.asarray(memory, copy=False)]
    memory[:] = 1
    y.sum().backward()
    assert x.grad.tolist() == [1, 0, 1]
    seed = np.ones(3, np.float32)
    shared = tg.asarray(seed, copy=False)
    x.grad = None
    x.backward(shared)
    (g,) = tg.autograd.grad(x**3, x, shared, create_graph=True)
    seed[:] = 50
    assert x.grad.tolist() == [1, 1, 1]
    assert tg.autograd.grad(g.sum(), x)[0].tolist() == [6, 12, 18]


def test_shared_memory_is_not_written_by_a_tensor_that_was_copied_from_it():
    memory = np.ones(3)
    other, taken = tg.asarray(memory), tg.asarray(memory, copy=False)[:2]
    other[0] = taken[0] = 9.0
    other += 1
    assert memory.tolist() == [1, 1, 1]
