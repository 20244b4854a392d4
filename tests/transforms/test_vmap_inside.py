"""What a user's code sees inside of a batch: tensors, places to write to, and errors that name the way out."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import tensorgrad as tg

X = np.random.default_rng(2).normal(size=(4, 3)) + 2
COUNTS = X.astype(int)


# ---- values are tensors


def squared(x: Any) -> Any:
    """Model code as it is often written."""
    if not isinstance(x, tg.Tensor):
        raise TypeError(f"a tensor is needed, not {type(x).__name__}")
    return (x * x).sum()


@pytest.mark.parametrize(
    "run",
    [
        lambda: tg.vmap(squared)(X),
        lambda: tg.jvp(squared, (X[0],), (X[1],)),
        lambda: tg.grad(squared)(X[0]),
        lambda: tg.vmap(tg.grad(squared))(X),
        lambda: tg.vmap(lambda x, t: tg.jvp(tg.grad(squared), (x,), (t,)))(X, X),
        lambda: tg.jvp(tg.vmap(tg.grad(squared)), (X,), (X,)),
        lambda: tg.trace(tg.vmap(squared), tg.tensor(X)),
    ],
    ids=[
        "vmap",
        "jvp",
        "grad",
        "vmap of grad",
        "vmap of jvp of grad",
        "jvp of vmap of grad",
        "trace of vmap",
    ],
)
def test_values_are_tensors(run: Any) -> None:
    run()


def test_but_plain_arrays_stay_plain() -> None:
    """That a value inside is a tensor does not make tensors of what is handed out."""
    assert type(tg.vmap(lambda x: x)(X)) is np.ndarray
    assert type(tg.vmap(tg.jacobian(lambda x: 2 * x))(X)) is np.ndarray
    assert type(tg.vmap(lambda x: tg.vjp(tg.sin, x)[1](x)[0])(X)) is np.ndarray
    assert type(tg.vmap(tg.asarray)(X)) is np.ndarray


def test_they_have_no_place_in_a_graph() -> None:
    def f(x: Any) -> Any:
        assert not x.requires_grad and x.grad is None and x.is_leaf
        assert x.requires_grad_(False) is x
        y = copy.copy(x)
        y += 1
        return x + 0 * y

    assert_array_equal(tg.vmap(f)(X), X)
    assert_array_equal(tg.jvp(f, (X,), (X,))[0], X)
    for wants in (lambda x: x.requires_grad_(), lambda x: setattr(x, "requires_grad", True)):
        for transform in (lambda f: tg.vmap(f)(X), lambda f: tg.jvp(f, (X,), (X,))):
            with pytest.raises(tg.GradientError, match=r"tg\.grad"):
                transform(wants)


# ---- writing


def shifted(x: Any) -> Any:
    y = tg.zeros_like(x)
    y[1:] = x[:-1] ** 2
    y[0] -= x[-1]
    return y


def summed(x: Any) -> Any:
    total = tg.zeros_like(x[0])
    for i in range(len(x)):
        total += x[i] * x[i - 1]
    return total * tg.ones_like(x)


def filled(x: Any) -> Any:
    y = tg.full_like(x, 3.0)
    y[np.array([2, 0])] = x[:2]
    y *= x
    return y


WRITES = pytest.mark.parametrize("f", [shifted, summed, filled], ids=lambda f: f.__name__)


@WRITES
def test_what_is_like_a_value_can_be_written_to(f: Any) -> None:
    loop = np.stack([np.asarray(f(tg.tensor(x))) for x in X])
    assert_allclose(tg.vmap(f)(X), loop, rtol=1e-14)
    assert_allclose(tg.vmap(tg.vmap(f))(X[None]), loop[None], rtol=1e-14)
    assert_allclose(tg.trace(tg.vmap(f), tg.tensor(X))(tg.tensor(X)), loop, rtol=1e-14)


@WRITES
def test_and_derivatives_flow_through(f: Any) -> None:
    def total(x: Any) -> Any:
        return (f(x) ** 2).sum()

    slopes = np.stack([tg.grad(total)(x) for x in X])
    h = 1e-6
    for k in range(3):
        e = h * np.eye(3)[k]
        differences = [(total(tg.tensor(x + e)).item() - total(tg.tensor(x - e)).item()) / (2 * h) for x in X]
        assert_allclose(slopes[:, k], differences, rtol=1e-6)
    assert_allclose(tg.vmap(tg.grad(total))(X), slopes, rtol=1e-12)
    assert_allclose(tg.grad(lambda x: tg.vmap(total)(x).sum())(X), slopes, rtol=1e-12)
    assert_allclose(tg.jvp(tg.vmap(total), (X,), (X,))[1], (slopes * X).sum(1), rtol=1e-12)
    assert_allclose(tg.vmap(lambda x: tg.jvp(total, (x,), (x,))[1])(X), (slopes * X).sum(1), rtol=1e-12)


def test_the_callers_arrays_stay_as_they_are() -> None:
    def f(x: Any, shared: Any) -> Any:
        x[0] = 7.0
        x *= 2
        return x + shared

    before, tensor = X.copy(), tg.tensor(X)
    tg.vmap(f, (0, None))(X, X[0])
    tg.vmap(f, (0, None))(tensor, X[0])
    assert_array_equal(X, before)
    assert_array_equal(tensor, before)


def test_writing_many_examples_into_one_tensor_is_refused_and_changes_nothing() -> None:
    outside = tg.zeros(3, dtype="float64")

    def write(make: Callable[[], Any], x: Any) -> Any:
        y = make()
        y[0] = x[0]
        return y

    def add(make: Callable[[], Any], x: Any) -> Any:
        y = make()
        y += x
        return y

    for how in (write, add):
        for make in (lambda: outside, lambda: tg.zeros(3, dtype="float64")):
            with pytest.raises(tg.GradientError, match=r"tg\.zeros_like\(x\)"):
                tg.vmap(lambda x, how=how, make=make: how(make, x))(X)
    assert_array_equal(outside, np.zeros(3))


def test_a_wider_value_is_not_written_into_a_narrower_batch() -> None:
    def f(x: Any, v: Any) -> Any:
        x += v
        return x

    y = tg.vmap(f)(X.astype(np.float32), X)
    assert y.dtype == np.float32
    with pytest.raises(tg.DtypeError, match="dtype"):
        tg.vmap(f)(COUNTS, X)


# ---- what a batch cannot do, and the way out

SHAPES = {
    "nonzero": tg.nonzero,
    "argwhere": tg.argwhere,
    "unique": tg.unique,
    "x[mask]": lambda x: x[x > 2],
    "masked_select": lambda x: tg.masked_select(x, x > 2),
    "compress": lambda x: tg.compress(x > 2, x),
    "bincount": lambda x: tg.bincount(tg.astype(x, int)),
    "repeat": lambda x: tg.repeat(x, tg.astype(x, int)),
    "trim_zeros": tg.trim_zeros,
    "intersect1d": lambda x: tg.intersect1d(x, X[0]),
}
NUMBERS = {
    "float": float,
    "int": int,
    "complex": complex,
    "item": lambda x: x.item(),
    "tolist": lambda x: x.tolist(),
    "numpy": lambda x: x.numpy(),
    "data": lambda x: x.data,
    "np.asarray": np.asarray,
    "format": lambda x: f"{x:.2f}",
    "round": round,
    "range": lambda x: range(x.astype(int)),
    "list[x]": lambda x: [1, 2, 3][x.astype(int)],
    "slice": lambda x: X[0][: x.astype(int)],
    "tg.zeros": lambda x: tg.zeros(x.astype(int)),
}
DECISIONS = {
    "if": lambda x: x if x > 0 else -x,
    "while": lambda x: [None for _ in iter(lambda: bool(x > 0), False)],
    "and": lambda x: x > 0 and x < 1,
    "not": lambda x: not x,
    "max": lambda x: max(x, 1.0),
    "sorted": lambda x: sorted([x, x + 1]),
    "in": lambda x: 3.0 in (x + tg.zeros(2)),
}
OTHERS: dict[str, tuple[Any, type[Exception], str]] = {
    "np.dot": (lambda x: np.dot(x, x), tg.DtypeError, "use tg"),
    "np.mean": (np.mean, tg.DtypeError, "use tg"),
    "tg.tensor": (tg.tensor, tg.DtypeError, r"use it as it is, or x\.clone\(\)"),
    "Parameter": (tg.nn.Parameter, tg.DtypeError, r"use it as it is"),
    "tg.tensor of a list": (lambda x: tg.tensor([x[0], x[1]]), tg.GradientError, r"tg\.stack"),
    "deepcopy": (copy.deepcopy, tg.GradientError, "deepcopy"),
    "a text": (lambda x: "text", tg.DtypeError, "vmap: a result.*return arrays"),
}  # fmt: skip


@pytest.mark.parametrize("name", SHAPES)
def test_results_of_many_shapes(name: str) -> None:
    with pytest.raises(tg.IndexingError, match=r"under vmap.*tg\.where\(mask, x, 0\)"):
        tg.vmap(SHAPES[name])(X)


@pytest.mark.parametrize("name", NUMBERS)
def test_numbers_for_python(name: str) -> None:
    with pytest.raises(tg.DtypeError, match=r"under vmap a value stands for many examples.*in_axes"):
        tg.vmap(NUMBERS[name])(X[:, 0])


@pytest.mark.parametrize("name", DECISIONS)
def test_decisions(name: str) -> None:
    with pytest.raises(tg.TraceError, match=r"under vmap.*tg\.where\(condition, a, b\)"):
        tg.vmap(DECISIONS[name])(X[:, 0])


@pytest.mark.parametrize("name", OTHERS)
def test_other_ways_out_of_a_batch(name: str) -> None:
    f, error, words = OTHERS[name]
    with pytest.raises(error, match=words):
        tg.vmap(f)(X)


def test_what_all_examples_share_may_decide() -> None:
    """The way out that the messages name."""

    def f(x: Any, flag: Any, n: Any) -> Any:
        return (x if flag > 0 else -x)[: int(n)]

    assert_array_equal(tg.vmap(f, (0, None, None))(X, tg.tensor(-1.0), tg.tensor(2)), -X[:, :2])
    assert_array_equal(
        tg.vmap(lambda x, mask: x[mask], (0, None))(X, np.array([True, False, True])), X[:, ::2]
    )
