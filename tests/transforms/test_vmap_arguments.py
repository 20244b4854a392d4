"""Batching: axes, containers, what stands beside a batch, and what cannot be done with one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import tensorgrad as tg

generator = np.random.default_rng(11)
X = generator.normal(size=(4, 3, 5))


@pytest.mark.parametrize("axis", [0, 1, 2, -1, -3])
@pytest.mark.parametrize("out", [0, 1, -1])
def test_in_axes_and_out_axes(axis: int, out: int) -> None:
    got = tg.vmap(lambda x: x * 2, in_axes=axis, out_axes=out)(X)
    assert_array_equal(got, np.moveaxis(2 * X, axis, out))


def test_axes_of_several_arguments_and_results() -> None:
    a, b, w = generator.normal(size=(2, 7)), generator.normal(size=(7, 3)), generator.normal(size=3)

    def f(a: Any, b: Any, w: Any) -> Any:
        return a.sum() * b, {"w": w, "s": b @ w}

    first, rest = tg.vmap(f, in_axes=(1, 0, None), out_axes=(1, {"w": None, "s": 0}))(a, b, w)
    assert_allclose(first, (a.sum(0)[:, None] * b).T)
    assert_array_equal(rest["w"], w)
    assert_allclose(rest["s"], b @ w)


def test_containers_share_the_axis_of_their_argument() -> None:
    batch = {"x": X, "y": [X[:, 0], None]}
    got = tg.vmap(lambda p, scale: p["x"].sum() * scale + p["y"][0].sum(), (0, None))(batch, 2.0)
    assert_allclose(got, 2 * X.sum((1, 2)) + X[:, 0].sum(1))


def test_axes_may_go_on_into_containers() -> None:
    params = {"w": np.arange(3.0), "b": np.arange(4.0)}
    got = tg.vmap(lambda p, x: p["w"] * x + p["b"], ({"w": None, "b": 0}, 1), out_axes=-1)(
        params, X[:, :, 0].T
    )
    assert_allclose(got, (X[:, :, 0] * np.arange(3.0) + np.arange(4.0)[:, None]).T)


def test_none_as_out_axis_is_for_what_all_examples_share() -> None:
    assert tg.vmap(lambda x: 2.0, out_axes=None)(X) == 2.0
    with pytest.raises(tg.ShapeError, match="differs between the examples"):
        tg.vmap(lambda x: x, out_axes=None)(X)


def test_a_result_that_does_not_depend_on_the_batch_is_repeated() -> None:
    one, two = tg.vmap(lambda x: (np.arange(2), 3.0))(X)
    assert_array_equal(one, np.tile(np.arange(2), (4, 1)))
    assert_array_equal(two, [3, 3, 3, 3])


def test_keywords_are_shared() -> None:
    assert_array_equal(tg.vmap(lambda x, *, by: x * by)(X, by=np.arange(5.0)), X * np.arange(5.0))


def test_tensors_in_tensors_out() -> None:
    got = tg.vmap(tg.sin)(tg.tensor(X))
    assert type(got) is tg.Tensor
    assert_allclose(got, np.sin(X))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: tg.vmap(tg.sin, (0, 0))(X), r"in_axes is \(0, 0\)"),
        (lambda: tg.vmap(tg.sin, 3)(X), r"no axis 3"),
        (lambda: tg.vmap(tg.sin)(2.0), r"no axis 0"),
        (lambda: tg.vmap(tg.add)(X, X[:2]), r"4 in argument \[0\], 2 in argument \[1\]"),
        (lambda: tg.vmap(tg.add, None)(X, X), "none"),
        (lambda: tg.vmap(lambda x: x, out_axes=(0, 1))(X), r"out_axes is \(0, 1\)"),
        (lambda: tg.vmap(lambda x: x.sum(), out_axes=1)(X), "out_axes|axis 1"),
        (lambda: tg.vmap(lambda x: x @ np.ones(4))(X), "matmul"),
    ],
)
def test_shape_errors(call: Any, words: str) -> None:
    with pytest.raises(tg.ShapeError, match=words):
        call()


@pytest.mark.parametrize(
    "take",
    [
        bool,
        float,
        int,
        lambda x: x.item(),
        lambda x: x.numpy(),
        np.asarray,
        lambda x: [1, 2, 3][x.astype(int)],
    ],
    ids=["bool", "float", "int", "item", "numpy", "asarray", "index"],
)
def test_a_number_cannot_be_taken_out(take: Any) -> None:
    with pytest.raises(tg.TensorgradError):
        tg.vmap(lambda x: take(x) * 1.0)(np.array([0.5, 1.5]))


def test_backward_belongs_outside() -> None:
    w = tg.tensor(np.ones(3), requires_grad=True)
    for transform in (
        lambda f: tg.vmap(f)(X[:, 0, :3]),
        lambda f: tg.jvp(f, (X[0, 0, :3],), (X[0, 0, :3],)),
        lambda f: tg.vmap(tg.grad(f))(X[:, 0, :3]),
    ):
        with pytest.raises(tg.GradientError, match=r"tg\.grad"):
            transform(lambda x: (w * x).sum().backward())
        with pytest.raises(tg.GradientError, match=r"tg\.grad"):
            transform(lambda x: tg.autograd.grad((w * x).sum(), w)[0])
    assert w.grad is None


def test_code_may_ask_whether_a_gradient_is_wanted() -> None:
    def f(x: Any) -> Any:
        assert not x.requires_grad and x.grad is None
        return x * 2

    tg.vmap(f)(X)
    tg.jvp(f, (X,), (X,))


def test_a_branch_names_the_way_out() -> None:
    with pytest.raises(tg.TraceError, match=r"tg\.where"):
        tg.vmap(lambda x: x if x > 0 else -x)(np.ones(2))
    with pytest.raises(tg.TensorgradError, match=r"mask|boolean"):
        tg.vmap(lambda x: x[x > 0])(X)


def test_lists_and_numbers_beside_batches() -> None:
    x = X[:, 0, :3]
    assert_array_equal(
        tg.vmap(lambda r: tg.concat([r, [1.0, 2.0]]))(x), np.hstack([x, np.tile([1.0, 2.0], (4, 1))])
    )
    assert_array_equal(tg.vmap(lambda r: tg.where([True, False, True], r, 0.0))(x), x * [1, 0, 1])
    assert_allclose(tg.vmap(lambda r: tg.matmul(r, [1.0, 2.0, 3.0]))(x), x @ [1.0, 2.0, 3.0])
    assert_array_equal(tg.vmap(lambda r: tg.stack([r[0], 1.0]))(x), np.stack([x[:, 0], np.ones(4)], 1))
    assert_array_equal(tg.vmap(lambda r: tg.concat([r, x[0]]))(x)[:, 3:], np.tile(x[0], (4, 1)))


def test_labels_of_a_batch() -> None:
    assert_array_equal(tg.vmap(lambda i: tg.one_hot(i, 4))(np.array([2, 0, 3])), np.eye(4)[[2, 0, 3]])


def test_anomalies_are_found_inside() -> None:
    for x in (np.array([0.0, 1.0]), tg.tensor([0.0, 1.0])):
        for f in (tg.log, tg.grad(tg.log), lambda v: tg.jvp(tg.log, (v,), (v,))[0]):
            with pytest.raises(tg.AnomalyError, match="log"), tg.detect_anomaly():
                tg.vmap(f)(x)
