"""`tg.attribute` by sample: parts are what a Python loop over the samples gives."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import data, nn
from tensorgrad.inspect import attribute_samples, attribute_walk
from tensorgrad.inspect.attribution import flat

F = nn.functional
N = 6
DRAWS = np.random.default_rng(0)
ROWS = DRAWS.standard_normal((N, 4))
IMAGES = DRAWS.standard_normal((N, 1, 6, 6))
TOKENS = DRAWS.integers(0, 5, (N, 3))
CLASSES = np.arange(N) % 3


def mlp() -> tuple[Any, Any]:
    model = nn.Sequential(nn.Linear(4, 5), nn.GELU(), nn.LayerNorm(5), nn.Linear(5, 3))
    return model, lambda i: F.cross_entropy(model(tg.tensor(ROWS[i])), CLASSES[i])


def cnn() -> tuple[Any, Any]:
    model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(8, 3))
    return model, lambda i: F.cross_entropy(model(tg.tensor(IMAGES[i])), CLASSES[i])


def recurrent() -> tuple[Any, Any]:
    model = nn.Sequential(nn.Embedding(5, 3), nn.GRU(3, 4, batch_first=True))

    def loss(i: Any) -> Any:
        states, _ = model(TOKENS[i])
        return (states[:, -1] ** 2).mean()

    return model, loss


def transposed() -> tuple[Any, Any]:
    """Batch and features change places, and rows are merged and parted, on the way."""
    model = nn.Sequential(nn.Linear(2, 3), nn.Tanh())

    def loss(i: Any) -> Any:
        x = tg.tensor(ROWS[i]).reshape(-1, 2)
        h = model(x).reshape(-1, 6).T
        return ((h**2).sum(axis=0) + tg.tanh(h).T.sum(axis=1)).mean()

    return model, loss


def transformer() -> tuple[Any, Any]:
    model = nn.TransformerEncoderLayer(4, 2, 5, batch_first=True, dropout=0.0, norm_first=True)
    rows = ROWS[:, None] * np.array([[1.0], [-0.5], [2.0]])
    return (
        model,
        lambda i: (tg.log_softmax(model(tg.tensor(rows[i])), -1)[:, 1:] ** 2).mean(axis=(1, 2)).mean(),
    )


ALL = [mlp, cnn, recurrent, transposed, transformer]


@pytest.mark.parametrize("together", ["all at once", "in chunks"])
@pytest.mark.parametrize("make", ALL)
def test_parts_are_those_of_a_loop(
    make: Callable[[], Any], together: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if together == "in chunks":
        monkeypatch.setattr(attribute_samples, "MEMORY", 3000)
    tg.manual_seed(0)
    model, loss_of = make()
    model.double()
    found = tg.attribute(loss_of(slice(None)), model, "sample")
    assert sorted(part.key for part in found.parts) == list(range(N)) and found.remainder is None
    assert [part.norm for part in found.parts] == sorted([part.norm for part in found.parts], reverse=True)
    for part in found.parts:
        loss = loss_of(slice(part.key, part.key + 1)) / N
        expected = tg.autograd.grad(loss, list(model.parameters()))
        for name, g in zip(found.parameters, expected, strict=True):
            np.testing.assert_allclose(part.gradient[name], g.numpy(), rtol=1e-9, atol=1e-12)  # type: ignore[union-attr]
    assert found.residue < 1e-12 * sum(part.norm for part in found.parts)


@pytest.mark.parametrize("make", ALL)
def test_rows_alone_give_what_all_rows_give(make: Callable[[], Any], monkeypatch: pytest.MonkeyPatch) -> None:
    tg.manual_seed(0)
    model, loss_of = make()
    model.double()
    loss, used = loss_of(slice(None)), []
    pulled = attribute_walk.pulled_rows

    def counted(node: Any, *args: Any) -> Any:
        found = pulled(node, *args)
        used.append(found is not None)
        return found

    monkeypatch.setattr(attribute_walk, "pulled_rows", counted)
    first = tg.attribute(loss, model, "sample")
    assert any(used) and (make not in (mlp, cnn, transformer) or all(used))
    monkeypatch.setattr(attribute_walk, "pulled_rows", lambda *args: None)
    second = tg.attribute(loss, model, "sample")
    for a, b in zip(first.parts, second.parts, strict=True):
        np.testing.assert_allclose(flat(a.gradient), flat(b.gradient), rtol=1e-9, atol=1e-13)


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_operations_on_rows_with_and_without_a_batch_axis(rank: int) -> None:
    """Factors that broadcast over the batch, are shared by it, or change its rows."""
    draws = np.random.default_rng(rank)
    w = tg.tensor(draws.standard_normal((3, 3)), requires_grad=True)
    b = tg.tensor(draws.standard_normal(3), requires_grad=True)
    scale = tg.tensor(draws.standard_normal((N, 1)), requires_grad=True)
    x = draws.standard_normal((N, *(2,) * (rank - 1), 3))

    def losses(i: Any) -> Any:
        rows = tg.tensor(x[i])
        h = (rows @ w + b) * rows / (1 + b * b)
        h = h.reshape(h.shape[0], -1) * scale[i] + tg.where(
            tg.tensor(x[i].reshape(len(x[i]), -1) > 0), 1.0, 2.0
        )
        return (tg.maximum(h, 0.1) ** 2).mean(axis=1) * (w @ b).sum()

    params = {"w": w, "b": b, "scale": scale}
    whole = losses(slice(None))
    found = tg.attribute(whole.sum(), params, "sample", samples=whole)
    for part in found.parts:
        expected = tg.autograd.grad(losses(slice(part.key, part.key + 1)).sum(), [w, b, scale])
        for g, e in zip(part.gradient.values(), expected, strict=True):
            np.testing.assert_allclose(g, e.numpy(), rtol=1e-9, atol=1e-12)  # type: ignore[union-attr]


def linear() -> tuple[Any, Any, Any]:
    w = tg.tensor(np.linspace(-1, 1, 4), requires_grad=True)
    losses = (tg.tensor(ROWS) @ w - 1.0) ** 2
    return w, losses, [2 * (row @ w.numpy() - 1) * row / N for row in ROWS]


def test_what_goes_around_the_samples_is_the_remainder() -> None:
    w, losses, expected = linear()
    loss = losses.mean() + 0.1 * (w**2).sum() + ((w - np.ones(4)) ** 2).mean()
    found = tg.attribute(loss, w, "sample")
    for part in found.parts:
        np.testing.assert_allclose(part.gradient, expected[part.key], rtol=1e-12)
    assert found.remainder is not None and found.remainder.label == "around the samples"
    np.testing.assert_allclose(found.remainder.gradient, 0.2 * w.numpy() + (w.numpy() - 1) / 2)
    assert found.residue < 1e-14


def test_weights_of_samples_and_several_losses_of_one_batch() -> None:
    w, losses, expected = linear()
    weights = np.arange(N) / 3.0
    loss = (losses * weights).sum() - tg.abs(losses).mean()
    found = tg.attribute(loss, w, "sample")
    for part in found.parts:
        np.testing.assert_allclose(
            part.gradient, expected[part.key] * (N * weights[part.key] - 1), atol=1e-12
        )


def test_samples_that_are_given_have_their_values_in_the_notes() -> None:
    w, losses, expected = linear()
    loss = tg.exp(losses.mean()) + (w**2).sum()
    found = tg.attribute(loss, w, "sample", samples=losses)
    factor = np.exp(losses.numpy().mean())
    for part in found.parts:
        np.testing.assert_allclose(part.gradient, factor * expected[part.key], rtol=1e-12)
        assert part.note == f"{losses.numpy()[part.key]:.4g}"


def test_an_inner_value_with_the_batch_along_another_axis() -> None:
    w = tg.tensor(np.linspace(-1, 1, 4), requires_grad=True)
    h = tg.tensor(ROWS).T * w.reshape(4, 1)  # (features, batch)
    loss = tg.log(tg.exp(h).sum())
    found = tg.attribute(loss, w, "sample", samples=h, axis=1)
    weights = np.exp(h.numpy()) / np.exp(h.numpy()).sum()
    for part in found.parts:
        np.testing.assert_allclose(part.gradient, weights[:, part.key] * ROWS[part.key], rtol=1e-10)
    assert len(found) == N


def test_where_samples_interact_parts_still_sum_to_the_whole() -> None:
    model = nn.Sequential(nn.Linear(4, 5), nn.BatchNorm1d(5), nn.Linear(5, 3))
    losses = F.cross_entropy(model(tg.tensor(ROWS, dtype="float32")), CLASSES, reduction="none")
    loss = losses.mean()
    found = tg.attribute(loss, model, "sample")
    assert found.residue < 1e-6 * found.total.norm
    for i, part in sorted(
        (part.key, part) for part in found.parts
    ):  # what came back from the loss of the sample
        expected = tg.autograd.grad(losses[i] / N, list(model.parameters()), retain_graph=True)
        np.testing.assert_allclose(flat(part.gradient), flat([g.numpy() for g in expected]), atol=1e-6)  # type: ignore[union-attr]


def test_top_holds_only_the_strongest() -> None:
    w, losses, _ = linear()
    loss = losses.mean()
    everything = tg.attribute(loss, w, "sample")
    found = tg.attribute(loss, w, "sample", top=2)
    assert [part.key for part in found.parts] == [part.key for part in everything.parts[:2]]
    assert found.remainder is not None and found.remainder.label == "4 more samples"
    np.testing.assert_allclose(found.remainder.gradient, sum(part.gradient for part in everything.parts[2:]))
    assert found.residue < 1e-14


def test_a_batch_of_one() -> None:
    w = tg.tensor(2.0, requires_grad=True)
    found = tg.attribute(((w * np.ones(1) - 1) ** 2).mean(), w, "sample")
    assert len(found) == 1 and found.parts[0].share == pytest.approx(1)


def test_errors_say_where_the_batch_may_be() -> None:
    w, losses, _ = linear()
    with pytest.raises(tg.GradientError, match=r"not a sum or mean over a value with axes; give the losses"):
        tg.attribute(w[0] * w[1], w, "sample")
    two = losses.mean() + tg.abs(tg.tensor(ROWS[:2]) @ w).mean()
    with pytest.raises(
        tg.GradientError, match=r"two is made .* losses \(6,\), abs#\d+ \(2,\).*give samples="
    ):
        tg.attribute(two, w, "sample")
    with pytest.raises(tg.ShapeError, match=r"samples has shape \(6,\), so it has no axis 1"):
        tg.attribute(losses.mean(), w, "sample", samples=losses, axis=1)
    with pytest.raises(tg.ShapeError, match=r"lengths \[4, 6\]"):
        tg.attribute((losses.mean() + (w**2).mean()), w, "sample", samples=[losses, w])
    with pytest.raises(tg.GradientError, match=r"samples is not on a way from loss to w"):
        tg.attribute((loss := losses.mean()), w, "sample", samples=tg.exp(losses))
    with pytest.raises(tg.DtypeError, match=r"samples is a ndarray"):
        tg.attribute(loss, w, "sample", samples=np.ones(6))


def test_a_wrong_label_is_found_among_real_digits() -> None:
    """Of a model that has learned a little, the example with the wrong label is among those that pull hardest."""
    images, labels = data.load_digits()
    x, y = (images[:200].reshape(200, 64) / 16).astype(np.float32), labels[:200].copy()
    planted = 17
    y[planted] = (y[planted] + 5) % 10
    model = nn.Linear(64, 10, generator=np.random.default_rng(0))
    optimizer = tg.optim.Adam(model.parameters(), lr=0.05)
    for _ in range(40):
        optimizer.zero_grad()
        F.cross_entropy(model(tg.tensor(x)), y).backward()
        optimizer.step()
    found = tg.attribute(F.cross_entropy(model(tg.tensor(x)), y), model, "sample", top=3)
    assert planted in [part.key for part in found.parts[:2]]


@pytest.mark.slow
def test_wrong_labels_are_found_in_fashion_mnist() -> None:
    try:
        (images, labels), _, _ = data.load_fashion_mnist()
    except FileNotFoundError:
        pytest.skip("TENSORGRAD_DATA has no fashion-mnist")
    x, y = (images[:2000].reshape(2000, 784) / 255).astype(np.float32), np.array(labels[:2000], copy=True)
    planted = {100, 500, 900, 1300, 1700}
    y[list(planted)] = (y[list(planted)] + 4) % 10
    draws = np.random.default_rng(0)
    model = nn.Sequential(nn.Linear(784, 32, generator=draws), nn.ReLU(), nn.Linear(32, 10, generator=draws))
    tg.fit(model, (x, y), loss=nn.CrossEntropyLoss(), optimizer=tg.optim.Adam(model.parameters(), lr=2e-3),
           epochs=6, batch_size=64, seed=0)  # fmt: skip
    found = tg.attribute(F.cross_entropy(model(tg.tensor(x)), y), model, "sample", top=100)
    assert planted <= {part.key for part in found.parts}  # five of 2,000, all among the first 100


def test_rows_of_other_samples_in_a_part_would_be_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    w, losses, expected = linear()
    rows = attribute_samples._rows

    def shifted(family: Any, axis: int, chunk: range) -> Any:
        made = rows(family, axis, chunk)
        made.rows = (*made.rows[1:], made.rows[0])
        return made

    monkeypatch.setattr(attribute_samples, "_rows", shifted)
    found = tg.attribute(losses.mean(), w, "sample")
    assert any(not np.allclose(part.gradient, expected[part.key]) for part in found.parts)
