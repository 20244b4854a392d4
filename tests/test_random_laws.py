"""Laws to draw from: their moments, their ranges, and gradients through draws against those of expectations."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

import tensorgrad as tg
from tensorgrad import random, special

N = 40_000


def seeded(f):
    tg.manual_seed(0)
    return f()


# ---- moments

EULER = 0.5772156649015329
LAWS = {  # the draw, its mean, its standard deviation
    "uniform": (lambda **k: tg.uniform(-1.0, 3.0, **k), 1, 4 / 12**0.5),
    "normal": (lambda **k: tg.normal(2.0, 3.0, **k), 2, 3),
    "exponential": (lambda **k: random.exponential(2.0, **k), 2, 2),
    "laplace": (lambda **k: random.laplace(1.0, 2.0, **k), 1, 8**0.5),
    "logistic": (lambda **k: random.logistic(1.0, 2.0, **k), 1, 2 * np.pi / 3**0.5),
    "gumbel": (lambda **k: random.gumbel(1.0, 2.0, **k), 1 + 2 * EULER, 2 * np.pi / 6**0.5),
    "lognormal": (lambda **k: random.lognormal(0.0, 0.5, **k), np.exp(1 / 8), 0.6039),
    "weibull": (lambda **k: random.weibull(2.0, **k), np.pi**0.5 / 2, 0.4633),
    "truncated_normal": (lambda **k: random.truncated_normal(0.0, 1.0, -1.0, 1.0, **k), 0, 0.5396),
    "gamma": (lambda **k: random.gamma(3.0, 2.0, **k), 6, 12**0.5),
    "chisquare": (lambda **k: random.chisquare(4.0, **k), 4, 8**0.5),
    "standard_t": (lambda **k: random.standard_t(9.0, **k), 0, (9 / 7) ** 0.5),
    "beta": (lambda **k: random.beta(2.0, 3.0, **k), 0.4, 0.2),
    "bernoulli": (lambda **k: tg.bernoulli(0.3, **k), 0.3, 0.21**0.5),
    "binomial": (lambda **k: random.binomial(10, 0.3, **k), 3, 2.1**0.5),
    "poisson": (lambda **k: tg.poisson(4.0, **k), 4, 2),
    "geometric": (lambda **k: random.geometric(0.5, **k), 2, 2**0.5),
}
every_law = pytest.mark.parametrize("name", LAWS)


@every_law
def test_moments(name):
    draw, mean, std = LAWS[name]
    found = seeded(lambda: draw(size=N)).numpy().astype(float)
    assert abs(found.mean() - mean) < 6 * std / N**0.5
    assert abs(found.std() / std - 1) < 0.05


@every_law
def test_seeds_generators_shapes_and_dtypes(name):
    draw, _, _ = LAWS[name]
    a = seeded(lambda: draw(size=(2, 3)))
    assert a.shape == (2, 3) and draw(size=()).shape == draw().shape == ()
    assert seeded(lambda: draw(size=(2, 3))).tolist() == a.tolist()
    assert draw(size=(2, 3), generator=np.random.default_rng(0)).tolist() == a.tolist()
    assert a.dtype in (np.float32, np.int64) and not a.requires_grad
    if a.dtype == np.float32:
        assert draw(size=3, dtype="float64").dtype == np.float64
    with pytest.raises(tg.TensorgradError):
        draw(size=-1)


def test_cauchy_has_its_quartiles():
    found = seeded(lambda: random.cauchy(1.0, 2.0, N)).numpy()
    assert_allclose(np.quantile(found, [0.25, 0.5, 0.75]), [-1, 1, 3], atol=0.1)


def test_parameters_of_tensors_broadcast_with_the_size():
    scale = tg.tensor([[1.0], [100.0]])
    drawn = seeded(lambda: random.exponential(scale, (2, N)))
    assert_allclose(drawn.numpy().mean(1), [1, 100], rtol=0.05)
    assert random.gamma(tg.ones((2, 1)), tg.ones(3)).shape == (2, 3)
    counts = seeded(lambda: random.binomial(np.array([1, 100]), np.array([[0.0], [1.0]])))
    assert counts.tolist() == [[0, 0], [1, 100]]
    with pytest.raises(tg.ShapeError, match=r"exponential|parameters of shapes"):
        random.exponential(scale, 3)


def test_a_truncated_normal_far_out_keeps_its_digits():
    """Between 10 and 11 standard deviations on either side, where levels next to 1 have no digits left."""
    for sign in (1, -1):
        low, high = sorted([sign * 10.0, sign * 11.0])
        drawn = seeded(
            lambda low=low, high=high: random.truncated_normal(0.0, 1.0, low, high, N, dtype="float64")
        )
        inside = abs(drawn.numpy()) - 10
        assert inside.min() >= 0 and inside.max() <= 1 and len(np.unique(inside)) > N - 100
        assert abs(inside.mean() - 0.0980) < 0.003  # the hazard of the normal law: 10.098 - 10
    half = seeded(lambda: random.truncated_normal(0.0, 1.0, 0.0, float("inf"), N)).numpy()
    assert half.min() >= 0 and abs(half.mean() - (2 / np.pi) ** 0.5) < 0.02


def test_points_of_the_simplex():
    alpha = np.array([1.0, 2.0, 5.0])
    drawn = seeded(lambda: random.dirichlet(alpha, N)).numpy()
    assert_allclose(drawn.sum(-1), 1, rtol=1e-12)
    assert_allclose(drawn.mean(0), alpha / 8, atol=0.01)
    assert_allclose(drawn.var(0), alpha * (8 - alpha) / (64 * 9), rtol=0.05)
    tiny = seeded(lambda: random.dirichlet(tg.full(3, 1e-3), 1000)).numpy()
    assert np.isfinite(tiny).all() and abs((tiny > 0.99).sum() - 990) < 30, "most of the mass in a corner"


def test_positions():
    weights = tg.tensor([1.0, 0.0, 3.0])
    drawn = seeded(lambda: tg.multinomial(weights, N, replacement=True)).numpy()
    assert_allclose(np.bincount(drawn, minlength=3) / N, [0.25, 0, 0.75], atol=0.02)
    rows = seeded(lambda: tg.multinomial(tg.ones((N, 3)), 2)).numpy()
    assert (rows[:, 0] != rows[:, 1]).all()
    assert_allclose(np.bincount(rows[:, 0]) / N, 1 / 3, atol=0.02)
    logits = np.log([[0.2, 0.8], [1.0, 1.0]])
    found = seeded(lambda: random.categorical(logits, (N, 2))).numpy()
    assert_allclose(found.mean(0), [0.8, 0.5], atol=0.02)
    assert random.categorical(logits.T, axis=0).shape == (2,)


def test_choices():
    x = tg.tensor([[1.0, 10.0], [2.0, 20.0], [3.0, 30.0]], requires_grad=True)
    drawn = random.choice(x, 3, replace=False)
    assert sorted(drawn[:, 0].tolist()) == [1, 2, 3]
    drawn.sum().backward()
    assert x.grad.tolist() == [[1, 1]] * 3
    assert random.choice(x, (2, 2), axis=1).shape == (3, 2, 2)
    assert random.choice(5, 4).shape == (4,) and random.choice(np.arange(4)).shape == ()
    assert set(random.choice(3, 50, p=[0.5, 0, 0.5]).tolist()) == {0, 2}
    moved = tg.permutation(x, axis=1)
    assert sorted(moved[0].tolist()) == [1, 10] and moved.requires_grad


BAD = {
    "exponential": lambda: random.exponential(-1.0),
    "normal": lambda: tg.normal(tg.zeros(2), tg.tensor([1.0, -1.0])),
    "uniform": lambda: tg.uniform(tg.tensor([0.0, 3.0]), 2.0),
    "laplace": lambda: random.laplace(0.0, -1.0),
    "gamma": lambda: random.gamma(0.0),
    "beta": lambda: random.beta(1.0, tg.tensor([1.0, 0.0])),
    "dirichlet": lambda: random.dirichlet(tg.ones(1)),
    "truncated_normal": lambda: random.truncated_normal(0.0, 1.0, 2.0, 2.0),
    "bernoulli": lambda: tg.bernoulli(1.5),
    "binomial": lambda: random.binomial(2.5, 0.5),
    "poisson": lambda: tg.poisson(-1.0),
    "geometric": lambda: random.geometric(0.0),
    "multinomial": lambda: tg.multinomial(tg.tensor([1.0, 0.0]), 2),
    "multinomial: num_samples": lambda: tg.multinomial(tg.ones(3), -1),
    "multinomial: weights": lambda: tg.multinomial(tg.tensor(1.0), 1),
    "categorical: a row": lambda: random.categorical(np.array([[0.0, 1.0], [-np.inf, -np.inf]])),
    "categorical: a logit": lambda: random.categorical(np.array([np.nan, 1.0])),
    "truncated_normal: the interval": lambda: random.truncated_normal(0.0, 1.0, 40.0, 41.0),
    "choice": lambda: random.choice(3, 4, replace=False),
    "permutation": lambda: tg.permutation(2.5),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_parameters_are_named(name):
    with pytest.raises(tg.ShapeError, match=name):
        BAD[name]()


# ---- gradients

EXPECTATIONS = {  # a draw of one parameter, a function of it, the parameter, the derivative of the expectation
    "normal": (lambda s, n: tg.normal(tg.zeros(n) * s, s), lambda x: x * x, 1.5, 3.0),
    "uniform": (lambda h, n: tg.uniform(0.0, h, n), lambda x: x * x, 2.0, 4 / 3),
    "exponential": (lambda s, n: random.exponential(s, n), lambda x: x * x, 1.5, 6.0),
    "lognormal": (lambda s, n: random.lognormal(0.0, s, n), lambda x: x, 0.5, 0.5 * np.exp(1 / 8)),
    "truncated_normal": (lambda m, n: random.truncated_normal(m, 1.0, -9.0, 9.0, n), lambda x: x * x, 1.0, 2.0),
    "gamma": (lambda a, n: random.gamma(a, 1.0, n), lambda x: x, 0.7, 1.0),
    "gamma, logarithm": (lambda a, n: random.gamma(a, 1.0, n), tg.log, 2.0, 0.6449340668482264),
    "gamma, large": (lambda a, n: random.gamma(a, 1.0, n), lambda x: x * x, 50.0, 101.0),
    "beta, first": (lambda a, n: random.beta(a, 3.0, n), lambda x: x, 2.0, 3 / 25),
    "beta, second": (lambda b, n: random.beta(2.0, b, n), lambda x: x, 3.0, -2 / 25),
    "chisquare": (lambda k, n: random.chisquare(k, n), lambda x: x, 3.0, 1.0),
    "dirichlet": (
        lambda a, n: random.dirichlet(tg.stack([a, a * 0 + 1, a * 0 + 2]), n)[:, 0], lambda x: x, 2.0, 3 / 25,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", EXPECTATIONS)
def test_the_mean_gradient_is_that_of_the_expectation(name):
    draw, f, at, expected = EXPECTATIONS[name]
    count = 4000
    parameter = tg.tensor(at, dtype="float64", requires_grad=True)
    drawn = seeded(lambda: draw(parameter, count))
    seen = f(drawn)
    (slope,) = tg.autograd.grad(seen.mean(), parameter)
    assert abs(slope.item() - expected) < 0.15 * abs(expected)
    plain = seeded(lambda: draw(tg.tensor(at, dtype="float64"), count))
    assert_allclose(drawn.numpy(), plain.numpy(), rtol=1e-15)  # gradients change no value


def quantile(distribution, level, high):
    """Where a distribution function reaches a level, by bisection."""
    low, high = np.float64(0), np.float64(high)
    for _ in range(70):
        middle = (low + high) / 2
        low, high = (middle, high) if distribution(middle) < level else (low, middle)
    return high


PATHS = {  # a law of one parameter at a fixed level: its distribution function, the draw, where it ends
    "gamma": (special.gammainc, random.gamma, lambda a: 50 + 2 * a),
    "beta, first": (lambda a, x: special.betainc(a, 3.0, x), lambda a: random.beta(a, 3.0), lambda a: 1),
    "beta, second": (lambda b, x: special.betainc(2.0, b, x), lambda b: random.beta(2.0, b), lambda b: 1),
}


@pytest.mark.parametrize("a", [0.3, 1.0, 4.0, 50.0])
@pytest.mark.parametrize("name", PATHS)
def test_a_draw_moves_along_its_level(name, a):
    """The draw is the quantile function at its level, here by bisection, to second order in the parameter."""
    distribution, draw, end = PATHS[name]
    a, h = np.float64(a), 2e-3 * a
    drawn = seeded(lambda: draw(a))
    at = [
        quantile(lambda x, b=b: distribution(b, x), distribution(a, drawn.item()), end(b))
        for b in (a - h, a, a + h)
    ]
    assert_allclose(at[1], drawn.item(), rtol=1e-9)
    slope = tg.grad(lambda a: seeded(lambda: draw(a)))
    assert_allclose(slope(a), (at[2] - at[0]) / (2 * h), rtol=1e-4)
    curvature = (at[2] - 2 * at[1] + at[0]) / h**2
    assert_allclose(tg.grad(slope)(a), curvature, rtol=2e-2, atol=1e-3 * abs(slope(a)) / a)


def test_float32_draws_with_large_parameters_keep_their_gradients():
    """Densities made of float32 logarithms would have lost all digits."""
    for draw in (lambda a: random.gamma(a, 1.0, 200), lambda a: random.beta(a, 7e4, 200)):
        slopes = []
        for dtype in ("float32", "float64"):
            a = tg.tensor(5e4, dtype=dtype, requires_grad=True)
            seeded(lambda draw=draw, a=a: draw(a)).mean().backward()
            slopes.append(a.grad.item())
        assert_allclose(slopes[0], slopes[1], rtol=1e-3)


def test_a_truncated_normal_with_infinite_ends_has_finite_gradients():
    mean, std = tg.tensor(0.2, requires_grad=True), tg.tensor(1.5, requires_grad=True)
    with np.errstate(over="raise", divide="raise", invalid="raise"):
        seeded(lambda: random.truncated_normal(mean, std, 0.0, np.inf, N)).mean().backward()
        # E = mean + std * phi(alpha) / (1 - Phi(alpha)) with alpha = -mean / std, and the slopes of that
        alpha = -0.2 / 1.5
        hazard = np.exp(-(alpha**2) / 2) / np.sqrt(2 * np.pi) / special.ndtr(-alpha)
        bend = hazard * (hazard - alpha)
        assert_allclose(mean.grad.item(), 1 - bend, atol=0.02)
        assert_allclose(std.grad.item(), hazard - alpha * bend, atol=0.02)
        whole = seeded(lambda: random.truncated_normal(mean, std, -np.inf, np.inf, 5))
        (slope,) = tg.autograd.grad(whole.sum(), mean)
    assert slope.item() == pytest.approx(5)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("low", [5.0, 20.0, 36.0])
def test_a_truncated_normal_far_out_is_not_one_number(dtype, low):
    drawn = seeded(lambda: random.truncated_normal(0.0, 1.0, low, low + 1, 1000, dtype=dtype)).numpy()
    assert drawn.dtype == dtype and drawn.min() >= low and drawn.max() <= low + 1
    assert abs(drawn.astype(float).mean() - low - 1 / low) < 0.2 / low
    assert drawn.max() > drawn.min()


def test_scalars_of_numpy_keep_their_dtype():
    for dtype in (np.float16, np.float32, np.float64):
        for made in (random.gamma(dtype(2)), tg.normal(dtype(1), 1.0), random.exponential(dtype(1), 3)):
            assert made.dtype == dtype


def test_draws_under_transformations():
    slopes = tg.grad(lambda a: seeded(lambda: random.gamma(a, 1.0, 50)).sum())(np.float64(2.0))
    _, tangent = tg.jvp(
        lambda a: seeded(lambda: random.gamma(a, 1.0, 50)).sum(), (np.float64(2.0),), (np.float64(1.0),)
    )
    assert slopes == pytest.approx(tangent)
    each = {"randomness": "different"}
    batch = tg.vmap(lambda p: seeded(lambda: tg.bernoulli(p, 3)), **each)(np.array([0.0, 1.0]))
    assert batch.tolist() == [[0, 0, 0], [1, 1, 1]]
    counts = tg.vmap(lambda n: random.binomial(n, np.ones(2)), **each)(np.array([3, 4]))
    assert counts.tolist() == [[3, 3], [4, 4]]
    graph = tg.trace(lambda rate: random.poisson(rate), tg.tensor([5.0, 1e6]))
    first, second = graph(tg.tensor([5.0, 1e6])), graph(tg.tensor([0.0, 1e6]))
    assert first.tolist() != second.tolist() and second[0].item() == 0, "a replay draws again"


# ---- ranges


def test_ranges_are_differentiable():
    start, stop = tg.tensor(1.0, requires_grad=True), tg.tensor(3.0, requires_grad=True)
    tg.linspace(start, stop, 5).sum().backward()
    assert (start.grad.item(), stop.grad.item()) == (2.5, 2.5)
    rows = tg.linspace(np.zeros(2), np.array([1.0, 2.0]), 3)
    assert rows.tolist() == np.linspace([0, 0], [1, 2], 3).tolist()
    assert tg.linspace(np.zeros(2), 1.0, 3, axis=1).shape == (2, 3)
    assert_allclose(tg.logspace(0, 3, 4).numpy(), [1, 10, 100, 1000], rtol=1e-6)
    assert_allclose(tg.geomspace(tg.tensor(-1.0), tg.tensor(-8.0), 4).numpy(), [-1, -2, -4, -8], rtol=1e-6)
    with pytest.raises(tg.ShapeError, match="geomspace"):
        tg.geomspace(-1, 1)


@pytest.mark.parametrize("name", ["bartlett", "blackman", "hamming", "hanning"])
def test_windows(name):
    assert_allclose(getattr(tg, name)(7, dtype="float64").numpy(), getattr(np, name)(7), rtol=1e-15)
    assert getattr(tg, name)(5).dtype == np.float32
    assert_allclose(tg.kaiser(5, 3.0).numpy(), np.kaiser(5, 3.0), rtol=1e-6)
