"""Clipping of gradients, and parameters as one vector."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad.nn import utils

GRADIENTS = [np.array([[3.0, -1.0], [0.5, 2.0]]), np.array(-2.0), None, np.zeros(0)]


def parameters(scale: float = 1.0, dtype: Any = np.float64) -> list[Any]:
    made = []
    for g in GRADIENTS:
        p = tg.nn.Parameter(np.zeros((2,) if g is None else g.shape, dtype))
        p.grad = None if g is None else (g * scale).astype(dtype)
        made.append(p)
    return made


def flat(ps: list[Any]) -> Any:
    return np.concatenate([p.grad.numpy().ravel() for p in ps if p.grad is not None])


@pytest.mark.parametrize("order", [1.0, 2.0, 2.5, float("inf")])
@pytest.mark.parametrize("bound", [0.5, 100.0])
def test_the_norm_of_all_gradients_is_bounded(order: float, bound: float) -> None:
    ps = parameters()
    before = flat(ps)
    norm = np.linalg.norm(before, order)
    total = utils.clip_grad_norm_(ps, bound, order)
    assert total.item() == pytest.approx(norm, rel=1e-12)
    np.testing.assert_allclose(flat(ps), before * min(1, bound / (norm + 1e-6)), rtol=1e-12)
    assert ps[2].grad is None


@pytest.mark.parametrize("scale", [1e-30, 1e30])
def test_no_power_overflows(scale: float) -> None:
    ps = parameters(scale, np.float32)
    before = flat(ps).astype(np.float64)
    total = utils.clip_grad_norm_(ps, 1.0)
    assert total.dtype == np.float32
    assert total.item() == pytest.approx(np.linalg.norm(before), rel=1e-6)
    if scale > 1:
        assert np.linalg.norm(flat(ps)) == pytest.approx(1.0, rel=1e-6)


def test_complex_gradients_have_a_norm() -> None:
    p = tg.nn.Parameter(np.zeros(2, complex))
    p.grad = np.array([3j, 4.0])
    assert utils.clip_grad_norm_(p, 1.0).item() == pytest.approx(5.0)
    np.testing.assert_allclose(p.grad.numpy(), [0.6j, 0.8], rtol=1e-6)
    with pytest.raises(tg.DtypeError, match="no order"):
        utils.clip_grad_value_(p, 1.0)


@pytest.mark.parametrize("bad", [np.inf, np.nan])
def test_norms_that_are_not_finite(bad: float) -> None:
    ps = parameters()
    ps[1].grad = bad
    before = flat(ps)
    with pytest.raises(tg.GradientError, match="detect_anomaly"):
        utils.clip_grad_norm_(ps, 1.0, error_if_nonfinite=True)
    np.testing.assert_array_equal(flat(ps), before)
    total = utils.clip_grad_norm_(ps, 1.0)
    assert np.array_equal(total.item(), bad, equal_nan=True)
    np.testing.assert_array_equal(flat(ps)[:4], np.zeros(4) if bad == np.inf else np.full(4, np.nan))


def test_what_a_held_gradient_shows_is_kept() -> None:
    ps = parameters()
    held = ps[0].grad
    utils.clip_grad_norm_(ps, 0.1)
    np.testing.assert_array_equal(held.numpy(), GRADIENTS[0])


def test_values_are_bounded() -> None:
    ps = parameters()
    utils.clip_grad_value_(ps, 1.5)
    np.testing.assert_array_equal(flat(ps), [1.5, -1.0, 0.5, 1.5, -1.5])
    utils.clip_grad_value_(ps[0], 0)
    np.testing.assert_array_equal(ps[0].grad.numpy(), np.zeros((2, 2)))


def test_nothing_to_clip() -> None:
    assert utils.clip_grad_norm_([], 1.0).item() == 0.0
    assert utils.get_total_norm([]).item() == 0.0
    ps = parameters(0.0)
    assert utils.clip_grad_norm_(ps, 1.0).item() == 0.0
    np.testing.assert_array_equal(flat(ps), np.zeros(5))


def test_arguments_that_cannot_be() -> None:
    for call, says in (
        (lambda: utils.clip_grad_norm_(parameters(), -1.0), "max_norm is -1"),
        (lambda: utils.clip_grad_norm_(parameters(), 1.0, 0), "norm_type is 0"),
        (lambda: utils.clip_grad_value_(parameters(), float("nan")), "clip_value is nan"),
        (
            lambda: utils.vector_to_parameters(tg.ones(3), parameters()),
            r"shape \(3,\), and the parameters have 7",
        ),
        (lambda: utils.parameters_to_vector([]), "no parameters"),
    ):
        with pytest.raises(ValueError, match=says):
            call()
    with pytest.raises(tg.DtypeError, match="a ndarray given"):
        utils.clip_grad_norm_([np.ones(2)], 1.0)  # type: ignore[list-item]
    with pytest.raises(tg.DtypeError, match="imaginary"):
        utils.vector_to_parameters(tg.ones(7) * 1j, parameters())


def test_parameters_become_a_vector_and_come_back() -> None:
    rng = np.random.default_rng(0)
    ps = [tg.nn.Parameter(rng.normal(size=shape)) for shape in ((2, 3), (), (4,))]
    vector = utils.parameters_to_vector(ps)
    np.testing.assert_array_equal(vector.numpy(), np.concatenate([p.numpy().ravel() for p in ps]))
    (vector * vector).sum().backward()
    np.testing.assert_allclose(ps[0].grad.numpy(), 2 * ps[0].numpy())
    others = [tg.nn.Parameter(np.zeros(p.shape)) for p in ps]
    first = others[0]
    utils.vector_to_parameters(vector, others)
    assert others[0] is first
    for p, q in zip(ps, others, strict=True):
        np.testing.assert_array_equal(p.numpy(), q.numpy())
