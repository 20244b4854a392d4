"""Running a program: equal to the function, to the last bit, with its updates."""

from __future__ import annotations

import weakref
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import tensorgrad as tg

X = np.array([1.0, 2.0, 3.0])


# ---- arguments


def test_arrays_give_arrays_and_tensors_give_tensors() -> None:
    graph = tg.trace(lambda x: tg.sin(x) + 1, tg.tensor(X))
    assert type(graph(X)) is np.ndarray
    assert type(graph(tg.tensor(X))) is tg.Tensor
    assert type(graph([1.0, 2.0, 3.0][:0] or tg.tensor(X))) is tg.Tensor


def test_gradients_flow_through_a_replay() -> None:
    w = tg.tensor(X, requires_grad=True)
    graph = tg.trace(lambda x: (x * w).sum(), tg.tensor(X))
    x = tg.tensor(2 * X, requires_grad=True)
    graph(x).backward()
    assert_array_equal(w.grad, 2 * X)
    assert_array_equal(x.grad, X)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ((X[:2],), r"float64\[3\], given float64\[2\]"),
        ((X[None],), r"float64\[3\], given float64\[1, 3\]"),
        ((X.astype(np.float32),), r"float64\[3\], given float32\[3\]"),
        ((np.float64(1.0),), r"given float64\[\]"),
    ],
)
def test_other_shapes_and_dtypes_are_refused(given: Any, words: str) -> None:
    graph = tg.trace(lambda x: (x * x).sum(), tg.tensor(X))
    with pytest.raises(tg.TraceError, match=words):
        graph(*given)
    for several in ((), (*given, X), ([X],)):
        with pytest.raises(tg.TensorgradError, match="replay"):
            graph(*several)


def test_a_captured_tensor_of_another_shape_is_not_possible() -> None:
    w = tg.tensor(X)
    graph = tg.trace(lambda x: x * w, tg.tensor(X))
    with pytest.raises(tg.ShapeError):
        w[...] = np.ones(4)
    assert_array_equal(graph(X), X * X)


def test_arguments_in_another_container_are_refused() -> None:
    graph = tg.trace(lambda p: p["a"] - p["b"], {"a": tg.tensor(X), "b": tg.tensor(X)})
    assert_array_equal(graph({"a": 3 * X, "b": X}), 2 * X)
    assert_array_equal(graph({"b": X, "a": 3 * X}), 2 * X)
    for other in ({"a": X, "c": X}, {"a": X}, [X, X], X):
        with pytest.raises(tg.TensorgradError, match="replay"):
            graph(other)


# ---- memory


def test_values_are_dropped_after_their_last_use() -> None:
    """At any time a replay of a chain holds one value, not all of them."""
    alive: list[Any] = []
    most = 0

    @tg.primitive
    def watched(x: Any) -> Any:
        nonlocal most
        made = x + 1
        most = max(most, sum(one() is not None for one in alive))
        alive.append(weakref.ref(made))
        return made

    def f(x: Any) -> Any:
        for _ in range(20):
            x = watched(x)
        return x

    graph = tg.trace(f, tg.tensor(X))
    alive.clear()
    most = 0
    assert_array_equal(graph(X), X + 20)
    assert len(alive) == 20 and most <= 2


def test_results_that_nobody_reads_are_dropped_too() -> None:
    alive: list[Any] = []
    counts: list[int] = []

    @tg.primitive
    def watched(x: Any) -> Any:
        made = x + 1
        counts.append(sum(one() is not None for one in alive))
        alive.append(weakref.ref(made))
        return made

    def f(x: Any) -> Any:
        for _ in range(5):
            watched(x)
        return x * 2

    graph = tg.trace(f, tg.tensor(X))
    alive.clear()
    counts.clear()
    graph(X)
    assert len(counts) == 5 and max(counts) <= 1


def test_a_program_can_be_run_many_times_from_several_places() -> None:
    graph = tg.trace(lambda x: tg.trace(tg.sin, tg.tensor(X))(x) * 2, tg.tensor(X))
    assert_array_equal(graph(X), 2 * np.sin(X))
    assert_array_equal(graph(-X), 2 * np.sin(-X))
