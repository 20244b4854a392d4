"""Recording: what would make a program untrue is an error that names the line, or is recorded."""

from __future__ import annotations

import copy
import gc
import pickle
import weakref
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import tensorgrad as tg

X = np.array([1.0, 2.0, 3.0])


def line_of(text: str) -> int:
    """The line of this file on which ``text`` stands as a comment."""
    with open(__file__, encoding="utf-8") as file:
        return next(n for n, line in enumerate(file, 1) if line.rstrip().endswith(f"# {text}"))


# ---- copies


COPIES: dict[str, Any] = {
    "tensor": tg.tensor,
    "asarray": tg.asarray,
    "other dtype": lambda x: tg.tensor(x, dtype="float32"),
    "Parameter": tg.nn.Parameter,
    "deepcopy": copy.deepcopy,
    "copy": copy.copy,
    "pickle": lambda x: pickle.loads(pickle.dumps(x)),
    "list": lambda x: tg.tensor([x[0], x[1], x[2]]),
    "full": lambda x: tg.full((3,), x.sum()),
    "full_like": lambda x: tg.full_like(x, x[0]),
    "one_hot": lambda x: tg.one_hot(x.astype("int64"), 9),
    "ones_like": tg.ones_like,
    "arange": lambda x: tg.arange(x.max()),
    "linspace": lambda x: tg.linspace(0, x.max(), 3),
    "size": lambda x: tg.zeros(x.astype("int64")[0]),
    "slice": lambda x: x[: x.astype("int64")[0]],
    "sum over an axis": lambda x: x.sum(x.astype("int64")[0] * 0),
}


@pytest.mark.parametrize("name", COPIES)
def test_no_copy_turns_a_value_into_a_constant(name: str) -> None:
    """Either it is recorded, or it is refused; never do the numbers of the recording come back."""

    def f(x: Any) -> Any:
        return COPIES[name](x) * 1

    try:
        graph = tg.trace(f, tg.tensor(X))
    except tg.TensorgradError:
        return
    assert_array_equal(graph(tg.tensor(2 * X)), f(tg.tensor(2 * X)))


# ---- values that leave


def branch(x: Any) -> Any:
    return x if x.sum() > 0 else -x  # a branch


def take_item(x: Any) -> Any:
    return x * x[0].item()  # an item


def take_array(x: Any) -> Any:
    return np.asarray(x).sum() * x  # an array


def take_numpy(x: Any) -> Any:
    return x.numpy()[0] * x  # numpy


def take_float(x: Any) -> Any:
    return float(x.mean()) * x  # a float


def take_list(x: Any) -> Any:
    return x * x.tolist()[0]  # a list


def take_int(x: Any) -> Any:
    return x * int(x.argmax())  # an int


def take_index(x: Any) -> Any:
    return x * [1, 2, 3][x.argmax()]  # an index


def mask(x: Any) -> Any:
    return x[x > 1]  # a mask


def take_format(x: Any) -> Any:
    return x * len(f"{x[0]:.3f}")  # a format


def contains(x: Any) -> Any:
    return x * (2.0 in x)  # contains


@pytest.mark.parametrize(
    ("f", "where"),
    [
        (branch, "a branch"),
        (take_item, "an item"),
        (take_array, "an array"),
        (take_numpy, "numpy"),
        (take_float, "a float"),
        (take_list, "a list"),
        (take_int, "an int"),
        (take_index, "an index"),
        (mask, "a mask"),
        (take_format, "a format"),
        (contains, "contains"),
    ],
)
def test_taking_a_value_out_names_the_line(f: Any, where: str) -> None:
    with pytest.raises(tg.TraceError, match=r"test_trace_limits\.py:" + str(line_of(where))):
        tg.trace(f, tg.tensor(X))
    assert_array_equal(tg.trace(lambda x: x * 2, tg.tensor(X))(X), 2 * X)


def test_a_captured_tensor_cannot_leave_either() -> None:
    """It is read anew at each replay, so a number taken out of it would be a thing of the past."""
    for w in (tg.tensor(2.0), tg.tensor(2.0, requires_grad=True), tg.tensor(2)):
        with pytest.raises(tg.TraceError, match="takes a value out"):
            tg.trace(lambda x, w=w: x * w.item(), tg.tensor(X))
        with pytest.raises(tg.TraceError, match="takes a value out"):
            tg.trace(lambda x, w=w: (x * w) * w.item(), tg.tensor(X))


def test_what_does_not_depend_on_the_program_may_leave() -> None:
    def f(x: Any) -> Any:
        weights = np.arange(1.0, 4.0)
        return x * weights * len(x) * float(weights[0]) * int(x.shape[0])

    assert_array_equal(tg.trace(f, tg.tensor(X))(X), X * X * 9)


def test_old_gradients_cannot_be_added_to() -> None:
    w = tg.tensor(X, requires_grad=True)
    (w * w).sum().backward()
    held = w.grad

    def f(x: Any) -> Any:
        (w * x).sum().backward()
        return w.grad

    with pytest.raises(tg.TraceError, match=r"\.grad = None"):
        tg.trace(f, tg.tensor(X))
    assert_array_equal(held, 2 * X)
    w.grad = None
    graph = tg.trace(f, tg.tensor(X))
    assert_array_equal(graph(2 * X), 2 * X)
    assert_array_equal(w.grad, 2 * X)


def test_gradients_that_are_kept_in_the_middle() -> None:
    w = tg.tensor(X, requires_grad=True)

    def f(x: Any) -> Any:
        w.grad = None
        y = w * x
        y.retain_grad()
        y.register_hook(lambda g: g * x)
        (y * y).sum().backward()
        return y.grad, w.grad

    graph = tg.trace(f, tg.tensor(X))
    for got, want in zip(graph(tg.tensor(5 * X)), f(tg.tensor(5 * X)), strict=True):
        assert_array_equal(got, want)


def test_old_gradients_may_be_dropped_inside() -> None:
    w = tg.tensor(X, requires_grad=True)
    (w * w).sum().backward()

    def f(x: Any) -> Any:
        w.grad = None
        (w * x).sum().backward()
        (w * x * x).sum().backward()
        return w.grad * 1

    graph = tg.trace(f, tg.tensor(X))
    assert_allclose(graph(2 * X), 2 * X + 4 * X * X)
    assert_allclose(w.grad, 2 * X + 4 * X * X)


def test_a_value_of_an_open_transformation_is_no_example() -> None:
    with pytest.raises(tg.TraceError, match="trace outside of it"):
        tg.vmap(lambda x: tg.trace(tg.sin, x)(x))(X)
    with pytest.raises(tg.TraceError, match="trace outside of it"):
        tg.jvp(lambda x: tg.trace(tg.sin, x)(x), (X,), (X,))


def test_an_error_inside_leaves_nothing_watching() -> None:
    def f(x: Any) -> Any:
        raise KeyError

    with pytest.raises(KeyError):
        tg.trace(f, tg.tensor(X))
    assert float(tg.tensor(X).sum()) == 6.0


def test_a_program_does_not_keep_the_values_it_was_recorded_with() -> None:
    """Only what is captured and the constants; every intermediate array is gone."""
    kept: list[Any] = []

    @tg.primitive
    def noted(x: Any) -> Any:
        made = x * 2
        kept.append(weakref.ref(made))
        return made

    def f(x: Any) -> Any:
        return tg.exp(noted(x))

    graph = tg.trace(f, tg.tensor(X))
    gc.collect()
    assert kept[0]() is None
    assert set(graph.values) == {v.index for v in (*graph.captured, *graph.constants)}
