"""The training loop: what it measures, when it steps, and how it stops."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import nn
from tensorgrad.data import DataLoader, TensorDataset
from tensorgrad.training import Callback, Checkpoint, Trainer

draws = np.random.default_rng(0)
X = draws.normal(size=(50, 3)).astype(np.float32)
Y = (X @ np.array([[1.0], [-2.0], [0.5]]) + 0.3).astype(np.float32)
LABELS = (X[:, 0] > 0).astype(np.int64)


class Count:
    """A metric: how many examples it has seen, and the sum of their targets."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self.seen, self.total = 0, 0.0

    def update(self, prediction: Any, target: Any) -> None:
        assert not prediction.requires_grad
        self.seen += len(target)
        self.total += float(target.sum())

    def compute(self) -> float:
        return self.seen + self.total / 1e6


def trainer(seed: int = 0, dropout: float = 0.0, **settings: Any) -> Trainer:
    generator = np.random.default_rng(seed)
    model = nn.Sequential(
        nn.Linear(3, 8, generator=generator), nn.Tanh(), nn.Dropout(dropout, generator=generator),
        nn.Linear(8, 1, generator=generator),
    )  # fmt: skip
    optimizer = tg.optim.Adam(model.parameters(), lr=0.02)
    return Trainer(model, nn.MSELoss(), optimizer, **settings)


def weights(of: Trainer) -> list[Any]:
    return [p.tolist() for p in of.model.parameters()]


def test_the_loop_is_the_loop_that_one_would_write() -> None:
    """Weights, losses and validation equal those of a loop written out by hand."""
    ours = trainer()
    history = ours.fit((X, Y), 3, validation=(X[:20], Y[:20]), batch_size=16, shuffle=False)

    model = trainer().model
    optimizer = tg.optim.Adam(model.parameters(), lr=0.02)
    for epoch in range(3):
        total = 0.0
        for i in range(0, 50, 16):
            optimizer.zero_grad()
            loss = nn.functional.mse_loss(model(tg.tensor(X[i : i + 16])), tg.tensor(Y[i : i + 16]))
            loss.backward()
            optimizer.step()
            total += float(loss) * len(X[i : i + 16])
        assert history["loss"][epoch] == pytest.approx(total / 50, rel=1e-12)
    assert weights(ours) == [p.tolist() for p in model.parameters()]
    check = nn.functional.mse_loss(model(tg.tensor(X[:20])), tg.tensor(Y[:20]))
    assert history["val_loss"][-1] == pytest.approx(float(check), rel=1e-6)
    assert (ours.epoch, ours.step, history["epoch"], history["lr"]) == (3, 12, [1, 2, 3], [0.02] * 3)


def test_a_short_last_batch_counts_by_its_examples() -> None:
    history = trainer(metrics={"count": Count()}).fit((X, Y), 1, batch_size=16, validation=(X[:7], Y[:7]))
    assert round(history.last("count")) == 50
    assert round(history.last("val_count")) == 7


def test_accumulated_batches_give_the_step_of_one_large_batch() -> None:
    ours, large = trainer(accumulate=4), trainer()
    for one in (ours, large):
        one.model.double()
    data = X[:32].astype(np.float64), Y[:32].astype(np.float64)
    ours.fit(data, 2, batch_size=8, shuffle=False)
    large.fit(data, 2, batch_size=32, shuffle=False)
    assert ours.step == large.step == 2
    for a, b in zip(ours.model.parameters(), large.model.parameters(), strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-12)


def test_what_is_left_of_an_accumulation_counts_in_full() -> None:
    """One batch where two make a step: the step has the gradient of that batch, not half of it."""
    ours, plain = trainer(accumulate=2), trainer()
    for one in (ours, plain):
        one.optimizer = tg.optim.SGD(one.model.parameters(), lr=0.1)
        one.fit((X[:4], Y[:4]), 1, batch_size=4, shuffle=False)
    for a, b in zip(ours.model.parameters(), plain.model.parameters(), strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-6)


def test_data_and_regularisation_loss_are_reported_apart() -> None:
    ours = trainer()
    ours.penalty = tg.optim.Penalty(weight_l2=0.1)
    row = ours.fit((X, Y), 1, batch_size=25).rows[0]
    assert row["loss"] == pytest.approx(row["data_loss"] + row["reg_loss"], rel=1e-5)
    assert row["reg_loss"] > 0


def test_gradients_are_clipped_before_the_step() -> None:
    ours = trainer(clip_norm=1e-3)
    ours.optimizer = tg.optim.SGD(ours.model.parameters(), lr=1.0)
    before = [p.numpy().copy() for p in ours.model.parameters()]
    ours.fit((X, Y), 1, batch_size=50)
    moved = [p.numpy() - b for p, b in zip(ours.model.parameters(), before, strict=True)]
    assert np.sqrt(sum(float((m**2).sum()) for m in moved)) == pytest.approx(1e-3, rel=1e-3)


@pytest.mark.parametrize(("each", "count"), [("epoch", 2), ("step", 8)])
def test_schedules_step_when_they_should(each: str, count: int) -> None:
    ours = trainer(schedule_each=each)
    ours.schedule = tg.optim.lr_scheduler.ExponentialLR(ours.optimizer, 0.5)
    ours.fit((X, Y), 2, batch_size=16)
    assert ours.optimizer.param_groups[0]["lr"] == pytest.approx(0.02 * 0.5**count)


def test_the_plateau_schedule_gets_the_validation_loss() -> None:
    ours = trainer()
    ours.schedule = tg.optim.lr_scheduler.ReduceLROnPlateau(
        ours.optimizer, patience=0, threshold=1e9, threshold_mode="abs"
    )
    ours.fit((X, Y), 3, validation=(X, Y), batch_size=50)
    assert ours.optimizer.param_groups[0]["lr"] < 0.02


def test_evaluation_leaves_the_model_as_it_was() -> None:
    model = nn.Sequential(nn.Linear(3, 2), nn.Dropout(0.5))
    model[1].eval()
    seen: list[bool] = []
    model.register_forward_hook(lambda module, args, y: seen.extend(m.training for m in module.modules()))
    first = tg.evaluate(model, (X, LABELS), nn.CrossEntropyLoss())
    assert first == tg.evaluate(model, (X, LABELS), nn.CrossEntropyLoss())
    assert seen
    assert not any(seen)
    assert [m.training for m in model.modules()] == [True, True, False]
    assert all(p.grad is None for p in model.parameters())


def test_predictions_come_in_batches_and_without_a_graph() -> None:
    model = nn.Linear(3, 2)
    whole = model(tg.tensor(X))
    for given in (X, tg.tensor(X), DataLoader(TensorDataset(X, LABELS), 7), [X[:30], X[30:], X[:0]]):
        said = tg.predict(model, given, batch_size=9)
        np.testing.assert_allclose(said.numpy(), whole.numpy(), rtol=1e-5, atol=1e-6)
        assert not said.requires_grad
    with pytest.raises(tg.ShapeError, match="at least one input"):
        tg.predict(model, X[:0])


# ---- callbacks


class Log(Callback):
    """Writes down every turn."""

    def __init__(self) -> None:
        self.turns: list[str] = []

    def __getattribute__(self, name: str) -> Any:
        if name.startswith("on_"):
            object.__getattribute__(self, "turns").append(name[3:])
        return object.__getattribute__(self, name)


def test_callbacks_are_called_at_every_turn_and_after_an_error() -> None:
    log = Log()
    trainer(callbacks=[log]).fit((X, Y), 2, batch_size=50)
    epoch = ["epoch_begin", "batch_begin", "batch_end", "epoch_end"]
    assert log.turns == ["train_begin", *epoch, *epoch, "train_end"]
    log.turns.clear()
    with pytest.raises(tg.ShapeError):
        trainer(callbacks=[log]).fit((X[:, :2], Y), 2, batch_size=50)
    assert log.turns[-1] == "train_end"


def test_a_run_that_a_callback_ended_goes_on_where_it_was() -> None:
    class Stop(Callback):
        def on_batch_end(self, trainer: Trainer) -> None:
            trainer.stop = trainer.step == 3

    batches = [(X[i : i + 10], Y[i : i + 10]) for i in range(0, 50, 10)]
    ours, whole = trainer(callbacks=[Stop()]), trainer()
    ours.fit(batches, 2)
    assert (ours.epoch, ours.batch, ours.step, len(ours.history)) == (0, 3, 3, 0)
    ours.fit(batches, 2)
    whole.fit(batches, 2)
    assert weights(ours) == weights(whole)
    assert ours.history.rows == whole.history.rows


# ---- mistakes


def test_a_loss_that_is_not_finite_ends_the_run_at_the_first_bad_op() -> None:
    class Root(nn.Module):
        def __init__(self) -> None:
            self.w = nn.Parameter([1.0])

        def forward(self, x: Any) -> Any:
            return tg.sqrt(x[:, :1]) * self.w

    model = Root()
    with np.errstate(all="ignore"), pytest.raises(tg.AnomalyError) as caught:
        tg.fit(model, (X, Y), loss=nn.MSELoss(), batch_size=10, shuffle=False)
    assert "the loss is nan in epoch 1, batch 1 (step 0): sqrt" in str(caught.value)
    assert "test_trainer.py" in str(caught.value)
    assert model.w.tolist() == [1.0]


def test_parameters_that_ran_away_are_named() -> None:
    ours = trainer()
    ours.optimizer = tg.optim.SGD(ours.model.parameters(), lr=1e38)
    with (
        np.errstate(all="ignore"),
        pytest.raises(tg.AnomalyError, match=r"not finite to .*\.weight; lower the learning"),
    ):
        ours.fit((X * 100, Y), 5, batch_size=10)


def test_lists_are_arrays_too() -> None:
    """A pair of nested lists is a pair of arrays, and lists of inputs are inputs: rows are not batches."""
    ours, plain = trainer(), trainer()
    ours.fit((X.tolist(), Y.tolist()), 1, shuffle=False)
    plain.fit((X, Y), 1, shuffle=False)
    assert weights(ours) == weights(plain)
    classifier = nn.Linear(3, 2, generator=np.random.default_rng(0))
    assert len(tg.fit(classifier, (X, list(LABELS)), loss=nn.CrossEntropyLoss())) == 1
    said = tg.predict(classifier, X.tolist())
    assert said.shape == (50, 2)
    assert said.tolist() == tg.predict(classifier, X).tolist()
    assert tg.predict(classifier, TensorDataset(X)).tolist() == said.tolist()


def test_an_optimizer_of_another_model_is_refused() -> None:
    model, other = nn.Linear(3, 1), nn.Linear(3, 1)
    with pytest.raises(tg.GradientError, match=r"holds no parameter of the model.*model\.parameters\(\)"):
        tg.fit(model, (X, Y), loss=nn.MSELoss(), optimizer=tg.optim.SGD(other.parameters(), lr=0.1))
    both = tg.optim.SGD([*model.parameters(), *other.parameters()], lr=0.1)
    assert len(tg.fit(model, (X, Y), loss=nn.MSELoss(), optimizer=both)) == 1


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"loss": nn.MSELoss}, r"loss is the class MSELoss; an object of it is needed, MSELoss\(\.\.\.\)"),
        ({"optimizer": tg.optim.SGD}, "optimizer is the class SGD"),
        ({"metrics": {"a": tg.metrics.accuracy}}, r"'a' is accuracy; an object with update.*Accuracy\(\)"),
        ({"metrics": {"a": tg.metrics.Accuracy}}, "'a' is Accuracy; an object"),
        ({"metrics": [tg.metrics.Accuracy()]}, "a list given; a dict is needed"),
    ],
)
def test_parts_of_another_kind_are_named(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(tg.DtypeError, match=message):
        tg.fit(nn.Linear(3, 1), (X, Y), **{"loss": nn.MSELoss(), **settings})


@pytest.mark.parametrize("epochs", [0, -1, 1.5])
def test_epochs_are_a_whole_number(epochs: Any) -> None:
    with pytest.raises(tg.ShapeError, match="a whole number of at least 1"):
        trainer().fit((X, Y), epochs)


@pytest.mark.parametrize("part", ["input", "target"])
def test_data_that_is_not_finite_is_told_apart_from_a_bad_op(part: str) -> None:
    x, y = X.copy(), Y.copy()
    (x if part == "input" else y)[7, 0] = np.nan
    with pytest.raises(
        tg.AnomalyError, match=rf"batch 1 \(step 0\): 1 of \d+ entries of the batch's {part} are not finite"
    ):
        trainer().fit((x, y), 1, batch_size=10, shuffle=False)


def test_mistakes_are_explained() -> None:
    ours = trainer()
    with pytest.raises(tg.DtypeError, match="a pair of arrays"):
        ours.fit(X, 1)
    with pytest.raises(tg.DtypeError, match="data is a generator"):
        ours.fit(((x, y) for x, y in [(X, Y)]), 1)
    with pytest.raises(tg.DtypeError, match=r"a batch is 3 parts; a pair \(input, target\)"):
        ours.fit([(X, Y, Y)], 1)
    with pytest.raises(
        tg.DtypeError, match=r"a list of 2 ndarrays; .* are a tuple of two, \(inputs, targets\)"
    ):
        ours.fit([X, Y], 1)
    with pytest.raises(tg.DtypeError, match="a tuple of 3 ndarrays"):
        ours.fit((X, Y, Y), 1)
    with pytest.raises(tg.ShapeError, match="the data is empty"):
        ours.fit([], 1)
    with pytest.raises(tg.ShapeError, match="no samples"):
        ours.fit((X[:0], Y[:0]), 1)
    with pytest.raises(tg.DtypeError, match="is no Callback"):
        trainer(callbacks=[Checkpoint])
    with pytest.raises(tg.DtypeError, match="'epoch' or 'step'"):
        trainer(schedule_each="batch")
    ours.loss = lambda p, y: (p - tg.asarray(y)) ** 2
    with pytest.raises(tg.ShapeError, match="a tensor with one number"):
        ours.fit((X, Y), 1)
    ours = trainer()
    ours.fit((X, Y), 2)
    with pytest.raises(tg.ShapeError, match="epochs=2 and 2 are done already"):
        ours.fit((X, Y), 2)
