"""Dropout: rates, scales, seeds, channels, modes, what flows back, and what is refused."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import nn
from tensorgrad._random import BLOCK, random_mask

F = nn.functional
PLAIN = ["dropout", "dropout1d", "dropout2d", "dropout3d"]
ALPHA = ["alpha_dropout", "feature_alpha_dropout"]
SHAPES = {"dropout": (6, 5), "dropout1d": (4, 3, 5), "dropout2d": (4, 3, 2, 5), "dropout3d": (2, 3, 2, 2, 3),
          "alpha_dropout": (6, 5), "feature_alpha_dropout": (4, 3, 5)}  # fmt: skip


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def apply(name: str, x: Any, p: float = 0.5, training: bool = True, seed: int = 0) -> Any:
    return getattr(F, name)(x, p, training, generator=rng(seed))


# ---- the mask


@pytest.mark.parametrize("keep", [0.0, 1e-6, 0.1, 0.3, 0.5, 0.9, 1 - 1e-6, 1.0])
def test_masks_keep_as_many_as_they_should(keep: float) -> None:
    n = 4 * BLOCK + 3
    share = random_mask(keep=keep, size=(n,), generator=rng()).numpy().mean()
    assert abs(share - keep) <= 5 * math.sqrt(keep * (1 - keep) / n)


def test_masks_resolve_more_than_16_bits() -> None:
    """What the first bits leave open, further ones decide, with the right probability."""
    keep, n = 2.5 / 2**16, 40 * BLOCK
    kept = int(random_mask(keep=keep, size=(n,), generator=rng()).numpy().sum())
    assert abs(kept - keep * n) < 5 * math.sqrt(keep * n)
    assert abs(kept - 2 * n / 2**16) > 5 and abs(kept - 3 * n / 2**16) > 5  # of the rounded rates


def test_elements_of_a_mask_are_independent() -> None:
    mask = random_mask(keep=0.3, size=(200_000,), generator=rng()).numpy() - 0.3
    for lag in (1, 2, 3, 4, 8, BLOCK):
        assert abs(np.mean(mask[lag:] * mask[:-lag])) < 5 * 0.21 / math.sqrt(200_000 - lag)


@pytest.mark.parametrize("generator", [np.random.MT19937, np.random.Philox, np.random.SFC64])
def test_masks_from_other_generators(generator: Any) -> None:
    mask = random_mask(keep=0.9, size=(100, 1000), generator=np.random.Generator(generator(0))).numpy()
    assert abs(mask.mean() - 0.9) < 5 * 0.3 / math.sqrt(mask.size)


# ---- dropout


@pytest.mark.parametrize("p", [0.1, 0.5, 0.75])
def test_what_is_kept_is_scaled_so_that_the_mean_stays(p: float) -> None:
    y = apply("dropout", np.full(50_000, 3.0), p)
    np.testing.assert_allclose(y[y != 0], 3 / (1 - p), rtol=1e-15)
    assert y.mean() == pytest.approx(3, abs=5 * 3 * math.sqrt(p / (1 - p) / 50_000))


@pytest.mark.parametrize("name", SHAPES)
def test_same_seed_same_result_in_every_dtype(name: str) -> None:
    x = rng(5).standard_normal(SHAPES[name])
    y = apply(name, x)
    np.testing.assert_array_equal(y, apply(name, x))
    assert (y != apply(name, x, seed=1)).any()
    tg.manual_seed(0)
    np.testing.assert_array_equal(y, getattr(F, name)(x, 0.5, True))
    narrow = apply(name, tg.tensor(x.astype(np.float32)))
    assert isinstance(y, np.ndarray) and isinstance(narrow, tg.Tensor) and narrow.dtype == np.float32
    np.testing.assert_allclose(narrow.numpy(), y, rtol=2e-6, atol=1e-6)


@pytest.mark.parametrize("name", SHAPES)
def test_no_probability_and_evaluation_give_the_input_itself(name: str) -> None:
    x = tg.tensor(rng().standard_normal(SHAPES[name]))
    assert apply(name, x, 0.0) is x
    assert apply(name, x, 0.5, training=False) is x


@pytest.mark.parametrize("name", SHAPES)
def test_probability_one_leaves_nothing(name: str) -> None:
    x = tg.tensor(rng().standard_normal(SHAPES[name]), requires_grad=True)
    y = apply(name, x, 1.0)
    assert not y.detach().numpy().any()
    y.sum().backward()
    assert not x.grad.numpy().any()  # type: ignore[union-attr]


@pytest.mark.parametrize("name", SHAPES)
def test_the_gradient_has_the_mask_of_the_result(name: str) -> None:
    x = tg.tensor(rng().standard_normal(SHAPES[name]), requires_grad=True)
    y = apply(name, x, 0.4)
    y.sum().backward()
    slope = apply(name, np.ones(SHAPES[name]), 0.4) - apply(name, np.zeros(SHAPES[name]), 0.4)
    np.testing.assert_allclose(x.grad.numpy(), slope, atol=1e-12)  # type: ignore[union-attr]
    assert len(np.unique(np.round(slope, 9))) == 2


@pytest.mark.parametrize(
    ("name", "shape", "own"),
    [
        ("dropout1d", (40, 3, 5), 2),
        ("dropout1d", (40, 5), 1),
        ("dropout2d", (40, 3, 2, 4), 2),
        ("dropout2d", (40, 3, 4), 2),
        ("dropout3d", (40, 3, 2, 2, 2), 2),
        ("dropout3d", (40, 2, 2, 2), 1),
        ("feature_alpha_dropout", (40, 3, 4), 2),
        ("feature_alpha_dropout", (40, 3), 2),
    ],
)
def test_whole_channels_share_one_fate(name: str, shape: tuple[int, ...], own: int) -> None:
    y = apply(name, np.ones(shape)).reshape(*shape[:own], -1)
    assert (y == y[..., :1]).all()
    assert len(np.unique(y)) == 2 and (
        own == 1 or len(np.unique(y[0, :, 0])) + len(np.unique(y[1, :, 0])) > 2
    )


@pytest.mark.parametrize("name", ALPHA)
@pytest.mark.parametrize("p", [0.1, 0.5])
def test_alpha_dropout_keeps_mean_and_variance(name: str, p: float) -> None:
    x = rng(1).standard_normal((400, 500, 1))
    y = apply(name, x, p)
    assert abs(y.mean()) < 0.02 and y.var() == pytest.approx(1, abs=0.02)
    floor = -1.7580993408473766
    scale = 1 / math.sqrt((1 - p) * (1 + p * floor**2))
    assert np.isclose(y, scale * floor * (1 - p)).mean() == pytest.approx(p, abs=0.01)


def test_in_place() -> None:
    for name in SHAPES:
        array = rng(5).standard_normal(SHAPES[name])
        expected = apply(name, array)
        assert getattr(F, name)(array, 0.5, True, True, generator=rng()) is array
        np.testing.assert_array_equal(array, expected)
    x = tg.ones(4)
    assert F.dropout(x, 1.0, inplace=True) is x and x.tolist() == [0.0] * 4


def test_a_recorded_program_draws_again() -> None:
    program = tg.trace(lambda x: F.dropout(x, 0.5), tg.ones(100))
    tg.manual_seed(0)
    first, second = program(tg.ones(100)).numpy(), program(tg.ones(100)).numpy()
    assert (first != second).any()
    tg.manual_seed(0)
    np.testing.assert_array_equal(program(tg.ones(100)).numpy(), first)


def test_edges() -> None:
    assert apply("dropout", np.zeros((0, 3))).shape == (0, 3)
    assert apply("dropout", np.array(2.0)).shape == ()
    assert isinstance(F.dropout([1.0, 2.0], training=False), tg.Tensor)
    z = F.dropout(tg.tensor([1 + 1j] * 10), 0.5, generator=rng())
    assert set(z.tolist()) == {0j, 2 + 2j}


# ---- layers

LAYERS = {"Dropout": "dropout", "Dropout1d": "dropout1d", "Dropout2d": "dropout2d", "Dropout3d": "dropout3d",
          "AlphaDropout": "alpha_dropout", "FeatureAlphaDropout": "feature_alpha_dropout"}  # fmt: skip


@pytest.mark.parametrize("name", LAYERS)
def test_layers_draw_in_training_only(name: str) -> None:
    layer = getattr(nn, name)(0.4, generator=rng())
    x = tg.tensor(rng(5).standard_normal(SHAPES[LAYERS[name]]))
    np.testing.assert_array_equal(layer(x).numpy(), apply(LAYERS[name], x, 0.4).numpy())
    assert layer.eval()(x) is x
    assert repr(layer) == f"{name}(p=0.4)" and not list(layer.parameters())


def test_layers_in_a_model_draw_masks_of_their_own() -> None:
    tg.manual_seed(0)
    model = nn.Sequential(nn.Dropout(), nn.Dropout())
    y = model(tg.ones(1000)).numpy()
    assert (y > 0).mean() == pytest.approx(0.25, abs=0.06)
    assert model.eval()(tg.ones(3)).tolist() == [1.0] * 3


# ---- refused

BAD: list[tuple[Callable[[], Any], type[Exception], str]] = [
    *[(lambda n=n: apply(n, tg.ones(SHAPES[n]), -0.1), tg.ShapeError, f"{n}: p is -0.1") for n in SHAPES],
    *[(lambda n=n: apply(n, tg.ones(SHAPES[n]), 1.5), tg.ShapeError, f"{n}: p is 1.5") for n in SHAPES],
    *[(lambda n=n: getattr(nn, n)(2.0), tg.ShapeError, f"{n}: p is 2.0") for n in LAYERS],
    (lambda: F.dropout(tg.ones(2), math.nan), tg.ShapeError, "dropout: p is nan"),
    (lambda: F.dropout(tg.ones(2), -1.0, False), tg.ShapeError, "dropout: p is -1.0"),
    (lambda: F.dropout(tg.tensor([1, 2])), tg.DtypeError, "dropout: an input of dtype int64"),
    (lambda: F.dropout(tg.ones(2), generator=3), tg.DtypeError, "generator: a int given"),  # type: ignore[arg-type]
    (lambda: F.dropout1d(tg.ones(2)), tg.ShapeError, r"dropout1d: .*\(2,\) given; \[2, 3\] axes"),
    (lambda: F.dropout2d(tg.ones((2, 2))), tg.ShapeError, r"dropout2d: .*\(2, 2\)"),
    (lambda: F.dropout3d(tg.ones((2, 2))), tg.ShapeError, r"dropout3d: .*\(2, 2\)"),
    (lambda: F.feature_alpha_dropout(tg.ones(2), training=True), tg.ShapeError, "feature_alpha_dropout"),
]


@pytest.mark.parametrize(("call", "error", "match"), BAD)
def test_what_is_refused(call: Callable[[], Any], error: type[Exception], match: str) -> None:
    with pytest.raises(error, match=match):
        call()


@pytest.mark.parametrize(
    "drop", [F.dropout, F.alpha_dropout, F.feature_alpha_dropout], ids=lambda f: f.__name__
)
@pytest.mark.parametrize("make", [np.array, tg.tensor], ids=["array", "tensor"])
def test_examples_of_a_batch_share_a_mask_or_not_as_is_said(drop: Any, make: Any) -> None:
    def masked(x: Any) -> Any:
        return drop(x, 0.5, training=True)

    x = make(np.ones((3, 40, 2), np.float32))
    with pytest.raises(tg.TraceError, match=r'random_mask.*randomness="different"'):
        tg.vmap(masked)(x)
    tg.manual_seed(0)
    y = np.asarray(tg.vmap(masked, randomness="same")(x))
    assert y.tolist() == [y[0].tolist()] * 3 and len(np.unique(y)) == 2
    y = np.asarray(tg.vmap(masked, randomness="different")(x))
    assert len({row.tobytes() for row in y}) == 3 and len(np.unique(y)) == 2
    tg.vmap(lambda x: drop(x, 0.5, training=False))(x)  # nothing is drawn


def test_replays_draw_anew() -> None:
    graph = tg.trace(lambda x: nn.functional.dropout(x, 0.5), tg.ones(40))
    assert graph(tg.ones(40)).tolist() != graph(tg.ones(40)).tolist()
