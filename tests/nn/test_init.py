"""Initial values: the laws they are drawn from, where they are written, and what is refused."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import nn
from tensorgrad.nn import init

SHAPE = (60, 40, 3, 3)  # fan_in 360, fan_out 540
RELU = math.sqrt(2)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def param(*shape: int, dtype: Any = np.float64) -> nn.Parameter:
    return nn.Parameter(np.full(shape, 7.0), dtype=dtype)


# name, arguments, standard deviation, bound of the values (inf: none)
SCALED: list[tuple[str, dict[str, Any], float, bool]] = [
    ("uniform_", {"a": -2.0, "b": 2.0}, 2 / math.sqrt(3), True),
    ("normal_", {"mean": 0.0, "std": 3.0}, 3.0, False),
    ("small_normal_", {}, 0.01, False),
    ("xavier_uniform_", {"gain": 2.0}, 2 * math.sqrt(2 / 900), True),
    ("xavier_normal_", {}, math.sqrt(2 / 900), False),
    ("kaiming_uniform_", {}, RELU / math.sqrt(360), True),
    ("kaiming_uniform_", {"a": math.sqrt(5)}, math.sqrt(1 / 3 / 360), True),
    ("kaiming_normal_", {"mode": "fan_out", "nonlinearity": "relu"}, RELU / math.sqrt(540), False),
    ("kaiming_normal_", {"nonlinearity": "tanh"}, 5 / 3 / math.sqrt(360), False),
    ("lecun_uniform_", {}, 1 / math.sqrt(360), True),
    ("lecun_normal_", {}, 1 / math.sqrt(360), False),
]


@pytest.mark.parametrize(("name", "given", "std", "uniform"), SCALED, ids=str)
def test_mean_variance_and_shape_of_the_law(
    name: str, given: dict[str, Any], std: float, uniform: bool
) -> None:
    w = param(*SHAPE)
    getattr(init, name)(w, generator=rng(), **given)
    values = w.detach().numpy()
    n = values.size
    assert abs(values.mean()) < 4 * std / math.sqrt(n)
    kurtosis = 1.8 if uniform else 3.0  # of the fourth moment, which tells the laws apart
    assert values.std() == pytest.approx(std, rel=4 * math.sqrt((kurtosis - 1) / n) / 2)
    assert np.mean((values / std) ** 4) == pytest.approx(kurtosis, rel=0.05)
    if uniform:
        assert std * math.sqrt(3) * 0.999 < np.abs(values).max() <= std * math.sqrt(3)


def test_the_truncated_law() -> None:
    w = init.trunc_normal_(param(200, 100), 1.0, 2.0, 0.0, 4.0, generator=rng())
    values = w.detach().numpy()
    assert values.min() >= 0 and values.max() <= 4 and values.max() > 3.99
    # Of the normal law cut at -0.5 and 1.5 standard deviations.
    density = [math.exp(-z * z / 2) / math.sqrt(2 * math.pi) for z in (-0.5, 1.5)]
    inside = 0.5 * (math.erf(1.5 / RELU) - math.erf(-0.5 / RELU))
    assert values.mean() == pytest.approx(1 + 2 * (density[0] - density[1]) / inside, abs=0.03)


def test_constants() -> None:
    assert (init.constant_(param(2, 3), 1.5).detach().numpy() == 1.5).all()
    assert (init.ones_(param(2)).detach().numpy() == 1).all() and not init.zeros_(
        param(2)
    ).detach().numpy().any()
    np.testing.assert_array_equal(init.eye_(param(2, 3)).detach().numpy(), np.eye(2, 3))


@pytest.mark.parametrize("shape", [(4, 6), (6, 4), (5, 5), (4, 2, 3), (8, 2, 3)], ids=str)
def test_orthogonal_rows_or_columns(shape: tuple[int, ...]) -> None:
    w = init.orthogonal_(param(*shape), gain=2.0, generator=rng()).detach().numpy().reshape(shape[0], -1)
    short = w if w.shape[0] <= w.shape[1] else w.T
    np.testing.assert_allclose(short @ short.T, 4 * np.eye(len(short)), atol=1e-12)


def test_orthogonal_matrices_are_uniform() -> None:
    """The mean of each entry is 0, which the QR decomposition alone does not give."""
    g = rng()
    mean = np.mean([init.orthogonal_(param(3, 3), generator=g).detach().numpy() for _ in range(400)], axis=0)
    assert np.abs(mean).max() < 4 / math.sqrt(3 * 400)


@pytest.mark.parametrize(("sparsity", "zeros"), [(0.0, 0), (0.3, 3), (0.31, 4), (1.0, 10)])
def test_sparse_columns(sparsity: float, zeros: int) -> None:
    w = init.sparse_(param(10, 50), sparsity, std=0.5, generator=rng()).detach().numpy()
    assert ((w == 0).sum(axis=0) == zeros).all()
    assert len({tuple(column) for column in (w == 0).T}) > 1 or zeros in (0, 10)
    if zeros < 10:
        assert w[w != 0].std() == pytest.approx(0.5, rel=0.15)


@pytest.mark.parametrize(("rank", "groups"), [(1, 1), (2, 1), (2, 2), (3, 2)])
def test_dirac_kernels_hand_on_their_input(rank: int, groups: int) -> None:
    w = init.dirac_(param(4, 4 // groups, *[3] * rank), groups)
    x = rng().standard_normal((2, 4, *[5] * rank))
    convolution = getattr(nn.functional, f"conv{rank}d")
    np.testing.assert_array_equal(convolution(x, w.detach().numpy(), None, 1, 1, 1, groups), x)


def test_gains() -> None:
    gains = {"linear": 1, "conv3d": 1, "sigmoid": 1, "tanh": 5 / 3, "relu": RELU, "selu": 0.75}
    assert {name: init.calculate_gain(name) for name in gains} == gains
    assert init.calculate_gain("leaky_relu") == math.sqrt(2 / 1.0001)
    assert init.calculate_gain("leaky_relu", 2) == math.sqrt(0.4)


DRAWN: dict[str, Callable[..., Any]] = {
    **{name: getattr(init, name) for name, *_ in SCALED},
    "trunc_normal_": init.trunc_normal_,
    "orthogonal_": init.orthogonal_,
    "sparse_": lambda w, generator=None: init.sparse_(w, 0.5, generator=generator),
}


@pytest.mark.parametrize("name", DRAWN)
def test_same_seed_same_numbers_in_every_dtype(name: str) -> None:
    f = DRAWN[name]
    first, again, other = [f(param(4, 6), generator=rng(seed)).detach().numpy() for seed in (1, 1, 2)]
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()
    tg.manual_seed(1)
    np.testing.assert_array_equal(f(param(4, 6)).detach().numpy(), first)
    narrow = f(param(4, 6, dtype=np.float32), generator=rng(1)).detach().numpy()
    assert narrow.dtype == np.float32
    np.testing.assert_allclose(narrow, first, rtol=1e-6)


@pytest.mark.parametrize("name", [*DRAWN, "ones_", "eye_"])
def test_the_parameter_stays_itself_and_who_holds_its_old_value_keeps_it(name: str) -> None:
    w = param(4, 6, dtype=np.float32)
    before, constant = w.numpy(), w.detach()
    old = before.copy()
    f = DRAWN.get(name) or getattr(init, name)
    assert f(w) is w and w.requires_grad and w.is_leaf
    assert (w.detach().numpy() != old).any()
    np.testing.assert_array_equal(before, old)
    np.testing.assert_array_equal(constant.numpy(), old)


def test_a_graph_that_saved_the_old_value_says_so() -> None:
    w = param(2, 2)
    y = (w * w).sum()
    init.ones_(w)
    with pytest.raises(tg.MutatedError):
        y.backward()


def test_other_tensors_do_not_change_with_a_view_of_them() -> None:
    base = tg.zeros(4)
    view = base.reshape(2, 2)
    assert init.ones_(view) is view
    assert view.tolist() == [[1.0, 1.0], [1.0, 1.0]] and base.tolist() == [0.0] * 4


def test_edges() -> None:
    assert init.constant_(nn.Parameter(1.0), 3.0).item() == 3.0
    assert init.uniform_(nn.Parameter(1.0), 5.0, 6.0).item() >= 5
    for f in (init.kaiming_uniform_, init.xavier_normal_, init.orthogonal_, init.lecun_normal_):
        assert f(param(0, 3)).shape == (0, 3)
    counts = tg.tensor([1, 2])
    assert init.constant_(counts, 3.0).tolist() == [3, 3]


@pytest.mark.parametrize(
    ("call", "error", "match"),
    [
        (lambda: init.xavier_uniform_(param(3)), tg.ShapeError, r"xavier_uniform_: .*\(3,\).*two axes"),
        (lambda: init.kaiming_normal_(param(3)), tg.ShapeError, r"kaiming_normal_: .*\(3,\)"),
        (lambda: init.lecun_normal_(param(3)), tg.ShapeError, "lecun_normal_"),
        (
            lambda: init.kaiming_uniform_(param(3, 2), mode="fan"),
            tg.ShapeError,
            "mode is 'fan'; 'fan_in' and",
        ),
        (
            lambda: init.kaiming_uniform_(param(3, 2), nonlinearity="x"),
            tg.ShapeError,
            "nonlinearity is 'x'; linear",
        ),
        (lambda: init.calculate_gain("leaky_relu", "1"), tg.ShapeError, "param is '1'"),  # type: ignore[arg-type]
        (lambda: init.eye_(param(3)), tg.ShapeError, "eye_: .* a matrix is needed"),
        (lambda: init.sparse_(param(3, 2), 1.5), tg.ShapeError, "sparsity is 1.5"),
        (lambda: init.sparse_(param(3), 0.5), tg.ShapeError, "sparse_: .* matrix"),
        (lambda: init.dirac_(param(3, 2)), tg.ShapeError, r"dirac_: .*\(3, 2\)"),
        (lambda: init.dirac_(param(3, 2, 2), 2), tg.ShapeError, "3 filters .* 2 groups"),
        (lambda: init.orthogonal_(param(3)), tg.ShapeError, "orthogonal_: .*two axes"),
        (lambda: init.normal_(param(3), std=-1.0), tg.ShapeError, "std is negative"),
        (lambda: init.uniform_(param(3), 1.0, 0.0), tg.ShapeError, "high is not low"),
        (lambda: init.normal_(tg.tensor([1, 2])), tg.DtypeError, "normal_: .*int64"),
        (lambda: init.normal_(param(3), generator=3), tg.DtypeError, "generator: a int"),  # type: ignore[arg-type]
        (lambda: init.sparse_(param(3, 2), 0.5, generator=3), tg.DtypeError, "generator: a int"),  # type: ignore[arg-type]
        (lambda: init.ones_(param(3) * 2), tg.GradientError, "computed from others"),
    ],
)
def test_what_is_refused(call: Callable[[], Any], error: type[Exception], match: str) -> None:
    with pytest.raises(error, match=match):
        call()


def test_a_refused_call_changes_nothing() -> None:
    w = param(3, 2)
    with pytest.raises(tg.ShapeError):
        init.kaiming_uniform_(w, mode="fan")
    assert (w.detach().numpy() == 7).all()
