"""Random draws inside a batch: refused, one for each example, or one for all."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import tensorgrad as tg
from tensorgrad import random
from tensorgrad._draws import open_batches

F = tg.nn.functional
X = np.random.default_rng(0).normal(size=(5, 4))

DRAWS: dict[str, Callable[[Any], Any]] = {
    "randn": lambda x: tg.randn(3),
    "rand_like": tg.rand_like,
    "normal with parameters": lambda x: tg.normal(x, 0.5),
    "uniform with parameters": lambda x: tg.uniform(x, x + 1),
    "randint": lambda x: tg.randint(0, 10**6, 2),
    "permutation of a count": lambda x: tg.permutation(20),
    "permutation of rows": lambda x: tg.permutation(tg.arange(20)),
    "choice": lambda x: random.choice(np.arange(50.0), 6),
    "bernoulli": lambda x: tg.bernoulli(0.5, (30,)),
    "poisson": lambda x: random.poisson(50.0, 4),
    "poisson of an array": lambda x: random.poisson(np.array([1.0, 1e9])),
    "gamma": lambda x: random.gamma(2.0, 1.0, 3),
    "categorical": lambda x: random.categorical(np.zeros(9), 8),
    "multinomial": lambda x: random.multinomial(np.ones(40), 5),
    "dropout": lambda x: F.dropout(tg.ones(30), 0.5),
    "dropout of an array": lambda x: F.dropout(np.ones(30), 0.5),
    "gumbel_softmax": lambda x: F.gumbel_softmax(np.zeros(4)),
    "rrelu": lambda x: F.rrelu(-tg.ones(4), training=True),
}
every_draw = pytest.mark.parametrize("draw", DRAWS.values(), ids=DRAWS.keys())


def rows(y: Any) -> set[bytes]:
    return {row.tobytes() for row in np.asarray(y)}


@every_draw
def test_a_draw_means_nothing_unless_it_is_said(draw: Any) -> None:
    for f in (draw, lambda x: tg.grad(lambda x: x.sum() + 0.0 * draw(x).sum())(x)):
        with pytest.raises(tg.TraceError, match=r'randomness="different".*randomness="same".*draw outside'):
            tg.vmap(f)(X)
    assert open_batches() == ()


@every_draw
def test_each_example_its_own(draw: Any) -> None:
    tg.manual_seed(3)
    one = np.asarray(draw(tg.tensor(X[0])))
    y = np.asarray(tg.vmap(draw, randomness="different")(X))
    assert y.shape == (5, *one.shape) and y.dtype == one.dtype
    assert len(rows(y)) == 5


@every_draw
def test_one_for_all(draw: Any) -> None:
    takes_example = draw in (DRAWS["normal with parameters"], DRAWS["uniform with parameters"])
    x = np.tile(X[:1], (5, 1)) if takes_example else X
    tg.manual_seed(3)
    one = np.asarray(draw(tg.tensor(x[0])))
    for chunk in (None, 2):
        tg.manual_seed(3)
        y = np.asarray(tg.vmap(draw, randomness="same", chunk_size=chunk)(x))
        assert_allclose(y, np.stack([one] * 5), rtol=1e-6)  # the very draw of a call without a batch


@pytest.mark.parametrize("chunk", [None, 2])
@pytest.mark.parametrize("name", ["randn", "normal with parameters", "uniform with parameters"])
def test_with_one_seed_a_batch_draws_what_a_loop_draws(name: str, chunk: int | None) -> None:
    tg.manual_seed(7)
    expected = np.stack([np.asarray(DRAWS[name](tg.tensor(x))) for x in X])
    tg.manual_seed(7)
    assert_array_equal(tg.vmap(DRAWS[name], randomness="different", chunk_size=chunk)(X), expected)


def test_permutations_are_permutations() -> None:
    y = np.asarray(tg.vmap(lambda x: tg.permutation(x), randomness="different")(X))
    assert_array_equal(np.sort(y), np.sort(X))
    assert len(rows(y)) == 5
    assert tg.permutation(4).dtype == np.int64


def test_a_generator_of_ones_own() -> None:
    def draw(seed: int, **how: Any) -> Any:
        source = np.random.default_rng(seed)
        return np.asarray(tg.vmap(lambda x: x * 0 + tg.rand(generator=source), **how)(X[:, 0]))

    assert len(set(draw(1, randomness="different"))) == 5
    assert_array_equal(draw(1, randomness="different"), draw(1, randomness="different"))
    assert len(set(draw(1, randomness="same", chunk_size=3))) == 1


@pytest.mark.parametrize("law", [tg.rand, lambda: random.poisson(1e9)], ids=["uniform", "poisson"])
@pytest.mark.parametrize("outer", ["different", "same"])
@pytest.mark.parametrize("inner", ["different", "same"])
def test_batches_in_batches(law: Any, outer: Any, inner: Any) -> None:
    """Each level says for itself: a draw has an axis for each whose examples have their own."""
    for chunk in (None, 2):
        one = tg.vmap(lambda x: law(), randomness=inner, chunk_size=chunk)
        y = np.asarray(tg.vmap(lambda r, one=one: one(r), randomness=outer, chunk_size=chunk)(X))
        assert y.shape == (5, 4)
        assert len(rows(y)) == (5 if outer == "different" else 1)
        assert len(rows(y.T)) == (4 if inner == "different" else 1)


def test_a_level_that_refuses_refuses_for_all() -> None:
    for outer, inner in (("error", "different"), ("different", "error")):
        with pytest.raises(tg.TraceError, match="random draw"):
            tg.vmap(tg.vmap(lambda x: tg.rand(), randomness=inner), randomness=outer)(X)


def test_parameters_that_differ_cannot_have_one_draw_for_all() -> None:
    rates = np.array([1.0, 1e6])
    y = tg.vmap(lambda r: random.poisson(r), randomness="different")(rates)
    assert y[0] < 100 < y[1]
    with pytest.raises(tg.TraceError, match=r'poisson.*randomness="different"'):
        tg.vmap(lambda r: random.poisson(r), randomness="same")(rates)
    nested = tg.vmap(
        lambda r: tg.vmap(lambda x: random.poisson(1e8 * r), randomness="different")(X[0]),
        randomness="different",
    )(np.ones(3))
    assert len(set(np.ravel(nested))) == 12


@pytest.mark.parametrize("randomness", ["different", "same"])
def test_gradients_of_examples_with_dropout(randomness: Any) -> None:
    w = np.ones(40)
    x = np.ones((3, 40))

    def loss(w: Any, x: Any) -> Any:
        return (F.dropout(w, 0.5) * x).sum()

    g = tg.vmap(tg.grad(loss), (None, 0), randomness=randomness)(w, x)
    assert set(np.unique(g)) == {0.0, 2.0}
    assert len(rows(g)) == (3 if randomness == "different" else 1)


def test_one_function_under_many_directions() -> None:
    """What "same" is for: the columns of one Jacobian, not of one for each direction."""
    x = np.linspace(1, 2, 6)

    def f(x: Any) -> Any:
        return F.dropout(x, 0.5) ** 2

    tg.manual_seed(5)
    y = np.asarray(f(tg.tensor(x)))
    tg.manual_seed(5)
    columns = tg.vmap(lambda t: tg.jvp(f, (x,), (t,))[1], randomness="same")(np.eye(6))
    assert_allclose(columns, np.diag(2 * y / x), rtol=1e-12)


def test_recorded_programs() -> None:
    program = tg.trace(lambda x: 0 * x + tg.randn(4, dtype="float64"), tg.tensor(X[0]))
    with pytest.raises(tg.TraceError, match="randomness"):
        tg.vmap(program)(X)
    assert len(rows(tg.vmap(program, randomness="different")(X))) == 5
    batch = tg.trace(tg.vmap(lambda x: x * 0 + tg.rand(), randomness="different"), tg.tensor(X))
    first, second = batch(tg.tensor(X)), batch(tg.tensor(X))
    assert len(rows(first)) == 5 and not rows(first) & rows(second)


@pytest.mark.parametrize(
    "call",
    [
        lambda x: F.fractional_max_pool2d(tg.ones((1, 5, 5)), 2, 2),
        lambda x: tg.nn.init.normal_(tg.zeros(3)),
        lambda x: tg.nn.init.orthogonal_(tg.zeros((3, 3))),
    ],
    ids=["fractional_max_pool2d", "normal_", "orthogonal_"],
)
def test_draws_that_examples_must_share(call: Any) -> None:
    for randomness in ("error", "different"):
        with pytest.raises(tg.TraceError, match=r'_.*randomness="same"'):
            tg.vmap(call, randomness=randomness)(X)
    assert len(rows(tg.vmap(call, randomness="same")(X))) == 1


def test_nothing_is_left_open_after_an_error() -> None:
    def f(x: Any) -> Any:
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        tg.vmap(f, randomness="different")(X)
    assert open_batches() == () and tg.rand().shape == ()


def test_wrong_settings_are_refused_at_once() -> None:
    for settings, match in (
        ({"randomness": "diff"}, r"randomness is 'diff'.*different"),
        ({"chunk_size": 0}, "chunk_size is 0"),
        ({"chunk_size": 2.5}, r"chunk_size is 2\.5"),
    ):
        with pytest.raises(tg.ShapeError, match=match):
            tg.vmap(tg.sin, **settings)  # type: ignore[call-overload]
