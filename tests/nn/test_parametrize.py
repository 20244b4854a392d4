"""Parametrised tensors: computed from their originals, assigned through right inverses, removed again."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import nn
from tensorgrad.nn.utils import parametrize
from tensorgrad.nn.utils.parametrizations import spectral_norm, weight_norm


class Doubled(nn.Module):
    def forward(self, w: Any) -> Any:
        return 2 * w

    def right_inverse(self, value: Any) -> Any:
        return value / 2


class Squared(nn.Module):
    def forward(self, w: Any) -> Any:
        return w * w


def layer(seed: int = 0) -> nn.Linear:
    return nn.Linear(3, 2, generator=np.random.default_rng(seed)).double()


def test_the_value_stays_and_the_gradient_goes_to_the_original() -> None:
    made = layer()
    before = made.weight.numpy().copy()
    parametrize.register_parametrization(made, "weight", Doubled())
    np.testing.assert_array_equal(made.weight.numpy(), before)
    assert [name for name, _ in made.named_parameters()] == ["bias", "parametrizations.weight.original"]
    made(tg.ones(3, dtype="float64")).sum().backward()
    assert made.parametrizations.weight.original.grad.tolist() == [[2.0] * 3] * 2
    made.weight = tg.zeros((2, 3), dtype="float64") + 6
    assert made.parametrizations.weight.original.tolist() == [[3.0] * 3] * 2


def test_parametrisations_follow_one_another_and_go_away() -> None:
    made = layer()
    original = made.weight
    parametrize.register_parametrization(made, "weight", Squared())
    parametrize.register_parametrization(made, "weight", Doubled())
    np.testing.assert_allclose(made.weight.numpy(), 2 * original.numpy() ** 2)
    with pytest.raises(tg.DtypeError, match="Squared has no right_inverse"):
        made.weight = made.weight.detach()
    value = made.weight.numpy().copy()
    assert parametrize.is_parametrized(made, "weight")
    parametrize.remove_parametrizations(made, "weight")
    assert not parametrize.is_parametrized(made)
    assert made.weight is original
    np.testing.assert_array_equal(made.weight.numpy(), value)
    with pytest.raises(tg.DtypeError, match="is not parametrised"):
        parametrize.remove_parametrizations(made, "weight")


def test_copies_and_pickles_keep_the_parametrisation() -> None:
    made = weight_norm(layer())
    for twin in (copy.deepcopy(made), pickle.loads(pickle.dumps(made))):
        assert twin.weight.tolist() == made.weight.tolist()
        assert set(twin.state_dict()) == {
            "bias", "parametrizations.weight.original0", "parametrizations.weight.original1"
        }  # fmt: skip
        twin.load_state_dict(made.state_dict())


def test_in_a_cache_the_value_is_computed_once() -> None:
    made = parametrize.register_parametrization(layer(), "weight", Squared())
    with parametrize.cached():
        assert made.weight is made.weight
    assert made.weight is not made.weight


def test_a_value_of_another_shape_is_refused_and_nothing_changes() -> None:
    class Short(nn.Module):
        def forward(self, w: Any) -> Any:
            return w[:1]

    made = layer()
    with pytest.raises(tg.ShapeError, match=r"becomes \(1, 3\)"):
        parametrize.register_parametrization(made, "weight", Short())
    assert made.weight.shape == (2, 3)
    assert not parametrize.is_parametrized(made)
    with pytest.raises(tg.DtypeError, match="has no tensor 'wieght'"):
        parametrize.register_parametrization(made, "wieght", Short())


def test_weight_norm_has_the_length_that_is_set() -> None:
    made = layer()
    before = made.weight.numpy().copy()
    weight_norm(made)
    np.testing.assert_allclose(made.weight.numpy(), before, rtol=1e-12)
    with tg.no_grad():
        made.parametrizations.weight.original0[...] = tg.tensor([[2.0], [5.0]])
    np.testing.assert_allclose(np.linalg.norm(made.weight.numpy(), axis=1), [2.0, 5.0])


def test_spectral_norm_divides_by_the_largest_singular_value() -> None:
    tg.manual_seed(0)
    made = spectral_norm(nn.Linear(6, 4).double(), n_power_iterations=20)
    for _ in range(5):
        value = made.weight
    assert np.linalg.svd(value.numpy(), compute_uv=False)[0] == pytest.approx(1.0, abs=1e-6)
    u = made.parametrizations.weight[0]._u.tolist()
    made.eval()
    made(tg.ones(6, dtype="float64")).sum().backward()
    assert made.parametrizations.weight[0]._u.tolist() == u
    assert made.parametrizations.weight.original.grad is not None
    with pytest.raises(tg.ShapeError, match="at least 1"):
        spectral_norm(nn.Linear(2, 2), n_power_iterations=0)
