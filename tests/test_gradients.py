"""What arrives in ``.grad``: an array of its own, with the dtype and shape of its tensor."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import tensorgrad as tg

x0 = np.array([1.0, 2.0, 3.0], np.float32)


def leaf(data, dtype=None):
    return tg.tensor(data, dtype, requires_grad=True)


# ---- what arrives in .grad


def test_a_gradient_never_aliases_anything_of_somebody_else():
    x, y = leaf(x0), leaf(x0)
    seed = np.ones(3, np.float32)
    kept = tg.tensor(seed)
    (x + y).backward(seed)
    x.backward(kept)
    y.reshape(3).backward(kept)
    for a, b in itertools.combinations(
        [x.grad.numpy(), y.grad.numpy(), x.numpy(), y.numpy(), seed, kept.numpy()], 2
    ):
        assert not np.shares_memory(a, b)
    x.backward(kept)
    (x * y).sum().backward()
    assert kept.tolist() == seed.tolist() == [1, 1, 1] and x.tolist() == y.tolist() == [1, 2, 3]
    assert x.grad.tolist() == [4, 5, 6] and y.grad.tolist() == [3, 4, 5]


def test_a_gradient_that_somebody_holds_is_not_changed_by_the_next_backward():
    x = leaf(x0)
    held, view = [], []
    for i in range(1, 4):
        (x * 2).sum().backward()
        held.append(x.grad)
        view.append(x.grad.numpy())
        assert [h.tolist() for h in held] == [[2 * k] * 3 for k in range(1, i + 1)]
        assert [v.tolist() for v in view] == [[2 * k] * 3 for k in range(1, i + 1)]


@pytest.mark.parametrize(
    "expand",
    [
        lambda x: x.sum(),
        lambda x: tg.broadcast_to(x, (4, 2, 3)).sum(),
        lambda x: x.T.sum(),
        lambda x: ((x * 2.0).T * np.ones((3, 2))).sum(),
    ],
)
def test_a_gradient_is_an_array_of_its_own_not_a_broadcast_view(expand):
    x = leaf(np.ones((2, 3)))
    expand(x).backward(np.array(1.0))
    array = x.grad._d
    assert array.flags.c_contiguous and array.flags.writeable and array.strides == (24, 8)


def written(x, index, value):
    x[index] = value
    return x


GRADS = {
    "wider": lambda x: x * np.array([1.0, 2.0, 3.0]),
    "int": lambda x: x * np.arange(3),
    "bool": lambda x: x * np.array([True, False, True]),
    "complex": lambda x: (x * np.array([1j, 2, 3])).abs(),
    "complex number": lambda x: (x * 1j).abs(),
    "complex number of an inner value": lambda x: (((x * 2).tanh() * 1j) ** 2).real,
    "cast": lambda x: x.astype("float64") ** 2,
    "cast down and up": lambda x: x.astype("float16").astype("float64"),
    "where": lambda x: tg.where([True, False, True], x, np.zeros(3)),
    "concat": lambda x: tg.concat([x, np.ones(2)]),
    "stack": lambda x: tg.stack([x, np.ones(3)]),
    "matmul": lambda x: x @ np.eye(3),
    "einsum": lambda x: tg.einsum("i,ij", x, np.eye(3)),
    "maximum": lambda x: tg.maximum(x, np.float64(2)),
    "power": lambda x: x ** np.array([1.0, 2.0, 3.0]),
    "double 0-d": lambda x: x[0] * np.float64(2),
    "write": lambda x: written(tg.tensor(np.zeros(3)), slice(None), x),
    "setitem of doubles": lambda x: written(x * 1, 0, np.float64(2)),
    "divide by int": lambda x: x / 3,
    "mean": lambda x: x.mean(),
    "conv2d": lambda x: tg.nn.functional.conv2d(x.reshape(1, 1, 1, 3), np.ones((1, 1, 1, 1))),
}


@pytest.mark.parametrize("f", GRADS.values(), ids=GRADS)
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_every_gradient_has_the_dtype_and_shape_of_its_tensor(f, dtype):
    x = leaf(x0, dtype)
    inner, seen = x * 1, []
    inner.register_hook(lambda g: seen.append((g.dtype, g.shape)))
    y = f(inner)
    loss = y.sum().real
    (given,) = tg.autograd.grad(loss, inner, retain_graph=True)
    inner.retain_grad()
    y.retain_grad()
    loss.backward()
    assert x.grad.dtype == inner.grad.dtype == given.dtype == x.dtype
    assert x.grad.shape == inner.grad.shape == given.shape == x.shape
    assert y.grad.dtype == y.dtype and y.grad.shape == y.shape
    assert all(one == (x.dtype, x.shape) for one in seen)


def test_tensorgrad_functions_of_arrays_have_no_graph_and_say_so():
    y = tg.sin(np.ones(3)).sum()
    with pytest.raises(tg.NoGraphError, match=r"tg\.tensor\(x, requires_grad=True\)"):
        tg.backward(y)
