"""The learning-rate range test: a rate that trains, and nothing changed by looking for it."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad.data import DataLoader, TensorDataset
from tensorgrad.training import RangeTest, lr_range_test

nn = tg.nn


def digits() -> tuple[np.ndarray, np.ndarray]:
    images, labels = tg.data.load_digits()
    return images.reshape(-1, 64).astype(np.float32) / 16, labels


def network(*more: Any) -> Any:
    rng = np.random.default_rng(0)
    return nn.Sequential(nn.Linear(64, 32, generator=rng), *more, nn.ReLU(), nn.Linear(32, 10, generator=rng))


class Watching(nn.Module):
    """Counts its calls in a buffer and draws from the default generator."""

    def __init__(self) -> None:
        self.register_buffer("calls", tg.zeros(()))

    def forward(self, x: Any) -> Any:
        self.calls += 1
        return x + 0.01 * tg.randn(x.shape)


def everything(model: Any, optimizer: Any, loader: Any) -> Any:
    """All that a range test could change, as plain data."""
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    return [
        {name: np.array(value).tobytes() for name, value in model.state_dict().items()},
        [module.training for module in model.modules()],
        {
            i: {name: np.array(value).tobytes() for name, value in entry.items()}
            for i, entry in optimizer.state_dict()["state"].items()
        },
        optimizer.state_dict()["param_groups"],
        [None if p.grad is None else np.array(p.grad).tobytes() for p in parameters],
        copy.deepcopy(tg.default_generator().bit_generator.state),
        loader.state_dict(),
        optimizer._stepped,
    ]


OPTIMIZERS: list[Callable[[Any], Any]] = [
    lambda p: tg.optim.SGD(p, lr=0.01),
    lambda p: tg.optim.SGD(p, lr=0.01, momentum=0.9),
    lambda p: tg.optim.Adam(p, lr=0.01),
    lambda p: tg.optim.LBFGS(p, lr=0.01),
]


@pytest.mark.parametrize("make", OPTIMIZERS)
@pytest.mark.parametrize("begun", [False, True])
@pytest.mark.parametrize("fails", [False, True])
def test_everything_is_put_back(make: Callable[[Any], Any], begun: bool, fails: bool) -> None:
    x, y = digits()
    model = network(Watching(), Watching())
    model[1].eval()
    optimizer = make(model.parameters())
    loader = DataLoader(TensorDataset(x, y), 32, shuffle=True, generator=5)
    loss = nn.CrossEntropyLoss()

    def closure() -> Any:
        optimizer.zero_grad()
        value = loss(model(x[:64]), y[:64])
        value.backward()
        return value

    if begun:
        optimizer.step(closure)
        next(iter(loader))
    before, calls = everything(model, optimizer, loader), [0]

    def counted(prediction: Any, target: Any) -> Any:
        calls[0] += 1
        if fails and calls[0] == 6:
            raise KeyError("mine")
        return loss(prediction, target)

    if fails:
        with pytest.raises(KeyError, match="mine"):
            lr_range_test(model, loader, counted, optimizer, steps=12)
    else:
        lr_range_test(model, loader, counted, optimizer, steps=12)
    assert calls[0] >= 6 and everything(model, optimizer, loader) == before


def test_the_suggestion_trains_and_the_end_diverges() -> None:
    data, loss = digits(), nn.CrossEntropyLoss()
    model = network()
    optimizer = tg.optim.SGD(model.parameters(), lr=1.0)
    test = lr_range_test(model, data, loss, optimizer, end=100.0, steps=120)
    assert test.diverged and len(test.rates) == len(test.losses) == len(test.smoothed) < 120
    assert test.rates[0] == pytest.approx(1e-6) and np.all(np.diff(test.rates) > 0)
    assert test.suggestion is not None and 1e-2 < test.suggestion < 1
    found = []
    for rate in (1e-6, test.suggestion):
        trained = network()
        history = tg.fit(
            trained, data, loss=loss, optimizer=tg.optim.SGD(trained.parameters(), lr=rate), epochs=3, seed=0
        )
        found.append(history["loss"][-1])
    assert found[1] < 0.5 * found[0]


def test_the_mean_is_the_one_it_says() -> None:
    model = nn.Linear(1, 1, generator=np.random.default_rng(0))
    data = [(np.full((4, 1), k, np.float32), np.zeros((4, 1), np.float32)) for k in (1, 2, 3)]
    optimizer = tg.optim.SGD(model.parameters(), lr=1.0)
    test = lr_range_test(
        model, data, nn.MSELoss(), optimizer, start=1e-9, end=1e-8, steps=5, smoothing=0.5, diverge=1e9
    )
    first = [float(nn.MSELoss()(model(x), y)) for x, y in data]
    assert test.losses == pytest.approx([*first, *first[:2]], rel=1e-5)
    mean, wanted = 0.0, []
    for n, value in enumerate(test.losses, 1):
        mean = 0.5 * mean + 0.5 * value
        wanted.append(mean / (1 - 0.5**n))
    assert test.smoothed == pytest.approx(wanted)


def test_groups_keep_their_proportions() -> None:
    a, b = (tg.tensor([1.0], requires_grad=True) for _ in range(2))
    optimizer = tg.optim.SGD([{"params": [a], "lr": 0.1}, {"params": [b], "lr": 0.4}], lr=1.0)
    seen = []

    def model(x: Any) -> Any:
        seen.append([group["lr"] for group in optimizer.param_groups])
        return x * (a + b)

    batches = [(np.ones(1, np.float32), np.ones(1, np.float32))]
    test = lr_range_test(model, batches, nn.MSELoss(), optimizer, start=1e-3, end=1e-1, steps=3)
    assert seen == [pytest.approx([rate / 4, rate]) for rate in test.rates]
    assert [group["lr"] for group in optimizer.param_groups] == [0.1, 0.4]
    assert (a.item(), b.item(), a.grad, b.grad) == (1, 1, None, None)


def test_suggestions_by_hand() -> None:
    rates = np.geomspace(1e-3, 10, 5).tolist()
    assert RangeTest(rates, [], [4, 3.5, 2, 1.9, 5], True).suggestion == rates[3] / 10
    assert RangeTest(rates, [], [1, 0.96, 3, 4, 5], True).suggestion is None
    assert RangeTest([], [], [], True).suggestion is None


def test_the_chart_marks_the_suggestion() -> None:
    test = RangeTest(np.geomspace(1e-3, 10, 5).tolist(), [], [4, 3.5, 2, 1.9, 5], True)
    picture = test.chart(title="Mine")
    assert picture.count('class="curve"') == 2 and "suggested 0.1, loss" in picture and "Mine" in picture
    assert test._repr_svg_().startswith("<svg")
    assert "no data" in RangeTest([], [], [], True).chart()


def test_a_loss_that_is_not_finite_ends_it() -> None:
    model = nn.Linear(1, 1)
    batches = [(np.ones((1, 1), np.float32), np.zeros((1, 1), np.float32))]

    def loss(prediction: Any, target: Any) -> Any:
        calls.append(1)
        return (prediction * (math.nan if len(calls) > 3 else 1.0)).sum()

    calls: list[int] = []
    test = lr_range_test(model, batches, loss, tg.optim.SGD(model.parameters(), lr=1.0))
    assert test.diverged and len(test.losses) == 3


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"start": 0.0}, "start is 0.0"),
        ({"start": 1.0, "end": 0.5}, "give rates that rise"),
        ({"steps": 1}, "steps=1"),
        ({"smoothing": 1.0}, "smoothing=1.0"),
        ({"diverge": 1.0}, "diverge=1.0"),
    ],
)
def test_what_cannot_be(setting: dict[str, Any], message: str) -> None:
    model = nn.Linear(1, 1)
    optimizer = tg.optim.SGD(model.parameters(), lr=1.0)
    with pytest.raises(ValueError, match=message):
        lr_range_test(model, [([1.0], [1.0])], nn.MSELoss(), optimizer, **setting)


def test_data_and_losses_that_cannot_be() -> None:
    model = nn.Linear(1, 1)
    optimizer = tg.optim.SGD(model.parameters(), lr=1.0)
    with pytest.raises(tg.ShapeError, match="data is empty"):
        lr_range_test(model, [], nn.MSELoss(), optimizer)
    one = np.ones((2, 1), np.float32)
    with pytest.raises(tg.ShapeError, match=r"the loss is \(2, 1\)"):
        lr_range_test(model, (one, one), nn.MSELoss(reduction="none"), optimizer)
