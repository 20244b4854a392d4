"""Runs that end in the middle: by an error, an interruption, a full disk; and values that are no numbers."""

from __future__ import annotations

import errno
import math
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import nn
from tensorgrad.data import DataLoader, TensorDataset
from tensorgrad.training import Callback, Checkpoint, EarlyStopping, History, Trainer

X = np.linspace(-1, 1, 24, dtype=np.float32).reshape(12, 2)
Y = X.sum(1, keepdims=True)
DATA: dict[str, Callable[[], Any]] = {
    "arrays": lambda: (X, Y),
    "loader": lambda: DataLoader(TensorDataset(X, Y), 2, shuffle=True, generator=3),
    "workers": lambda: DataLoader(TensorDataset(X, Y), 2, shuffle=True, generator=3, num_workers=2),
    "list": lambda: [(X[i : i + 2], Y[i : i + 2]) for i in range(0, 12, 2)],
}


def trainer(**settings: Any) -> Trainer:
    tg.manual_seed(0)
    model = nn.Sequential(nn.Linear(2, 3), nn.Dropout(0.1), nn.Linear(3, 1))
    settings = {"loss": nn.MSELoss(), "optimizer": tg.optim.Adam(model.parameters())} | settings
    return Trainer(model, **settings)


def weights(one: Trainer) -> list[Any]:
    return [p.tolist() for p in one.model.parameters()]


class End(Callback):
    """Ends the run once, at a batch."""

    def __init__(self, turn: str, at: int, error: BaseException | None = None) -> None:
        self.count, self.at, self.error = 0, at, error
        setattr(self, turn, self.end)

    def end(self, trainer: Trainer) -> None:
        self.count += 1
        if self.count == self.at:
            trainer.stop = self.error is None
            if self.error is not None:
                raise self.error


@pytest.mark.parametrize("accumulate", [1, 4])
@pytest.mark.parametrize("error", [None, KeyboardInterrupt()], ids=["stopped", "interrupted"])
@pytest.mark.parametrize("kind", DATA)
def test_fit_again_goes_on_where_the_run_ended(kind: str, error: Any, accumulate: int) -> None:
    whole = trainer(accumulate=accumulate)
    whole.fit(DATA[kind](), 2, batch_size=2, seed=3)
    ours, data = trainer(accumulate=accumulate, callbacks=[End("on_batch_end", 9, error)]), DATA[kind]()
    for _ in range(2):
        try:
            ours.fit(data, 2, batch_size=2, seed=3)
        except KeyboardInterrupt:
            assert ours.batch == 3
    assert weights(ours) == weights(whole)
    assert ours.history.rows == whole.history.rows


class Fragile:
    """A metric that raises once."""

    def __init__(self, at: int) -> None:
        self.at = at

    def reset(self) -> None:
        self.count = 0

    def update(self, prediction: Any, target: Any) -> None:
        self.at -= 1
        if not self.at:
            raise RuntimeError("a metric of somebody's")
        self.count += len(target)

    def compute(self) -> float:
        return self.count


@pytest.mark.parametrize("accumulate", [1, 3])
@pytest.mark.parametrize("kind", DATA)
def test_a_batch_that_an_error_ended_is_learned_from_once(kind: str, accumulate: int) -> None:
    settings: dict[str, Any] = {"accumulate": accumulate}
    whole, ours = [trainer(**settings, metrics={"seen": Fragile(at)}) for at in (0, 5)]
    for one in (whole, ours):
        one.model.eval()  # no dropout: the batch that comes again would be another
        one.model.train = lambda mode=True, model=one.model: model  # type: ignore[method-assign, misc]
    data = DATA[kind]()
    whole.fit(DATA[kind](), 2, batch_size=2, seed=3)
    with pytest.raises(RuntimeError, match="of somebody's"):
        ours.fit(data, 2, batch_size=2, seed=3)
    ours.fit(data, 2, batch_size=2, seed=3)
    assert weights(ours) == weights(whole)
    assert ours.history.rows == whole.history.rows
    assert ours.history["seen"] == [12, 12]


def test_gradients_from_before_have_no_part_in_the_first_step() -> None:
    ours, whole = trainer(), trainer()
    (ours.model(X) ** 2).sum().backward()
    tg.manual_seed(1)
    ours.fit((X, Y), seed=0)
    tg.manual_seed(1)
    whole.fit((X, Y), seed=0)
    assert weights(ours) == weights(whole)


def test_a_callback_may_evaluate_within_an_epoch() -> None:
    class Evaluate(Callback):
        def on_batch_end(self, trainer: Trainer) -> None:
            assert trainer.evaluate((X[:1], Y[:1]))["seen"] == 1

    assert trainer(metrics={"seen": Fragile(0)}, callbacks=[Evaluate()]).fit((X, Y), batch_size=5)[
        "seen"
    ] == [12]


def test_a_full_disk_leaves_the_checkpoint_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ours = trainer(callbacks=[Checkpoint(tmp_path, keep=1)])
    ours.fit((X, Y), 1, seed=0)
    (file,) = tmp_path.iterdir()
    before = file.read_bytes()

    def full(_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space"):
            ours.fit((X, Y), 2, seed=0)
    assert [*tmp_path.iterdir()] == [file]
    assert file.read_bytes() == before
    assert trainer().resume(tmp_path).epoch == 1


def test_a_worker_that_fails_ends_the_run_with_its_batch() -> None:
    class Broken:
        def __len__(self) -> int:
            return 12

        def __getitem__(self, i: int) -> Any:
            return X[i], Y[1 // (7 - i)]

    ours = trainer()
    with pytest.raises(ZeroDivisionError) as caught:
        ours.fit(DataLoader(Broken(), 4, num_workers=2))  # type: ignore[arg-type]
    assert "batch 1 of epoch 0" in caught.value.__notes__[0]
    assert ours.step == ours.batch == 1
    assert ours.model.training


# ---- models of other kinds


class Slope(nn.Module):
    """A network by its derivatives, as in a loss from physics."""

    def __init__(self) -> None:
        self.net = nn.Sequential(nn.Linear(2, 4), nn.Tanh(), nn.Linear(4, 1))

    def forward(self, x: Any) -> Any:
        return tg.vmap(tg.grad(lambda one: self.net(one)[0]))(x).sum(1, keepdims=True)


def test_a_model_that_takes_gradients_is_trained_and_evaluated() -> None:
    tg.manual_seed(0)
    model = Slope()
    history = tg.fit(model, (X, Y), loss=nn.MSELoss(), epochs=3, validation=(X, Y), seed=0)
    assert history["val_loss"][-1] == pytest.approx(tg.evaluate(model, (X, Y), nn.MSELoss())["loss"])
    assert history["loss"][-1] < history["loss"][0]
    assert tg.predict(model, X).shape == (12, 1)


def test_several_inputs_and_predictions() -> None:
    class Two(nn.Module):
        def __init__(self) -> None:
            self.part = nn.Linear(2, 1)

        def forward(self, x: Any, z: Any) -> dict[str, Any]:
            return {"x": self.part(x), "both": (self.part(z), 1)}

    def loss(prediction: Any, target: Any) -> Any:
        return ((prediction["x"] + prediction["both"][0] - target) ** 2).mean()

    class Recorded(Fragile):
        def update(self, prediction: Any, target: Any) -> None:
            super().update(prediction, target)
            assert not prediction["both"][0].requires_grad

    history = tg.fit(Two(), [((X, X), Y)], loss=loss, epochs=2, metrics={"seen": Recorded(0)})
    assert history["seen"] == [12, 12]
    assert history["loss"][1] < history["loss"][0]


# ---- values that are no numbers


def test_the_best_of_a_column_is_a_number() -> None:
    history = History()
    history.append(1, {"loss": math.nan})
    with pytest.raises(tg.ShapeError, match="no value of 'loss' yet that is a number"):
        history.best("loss")
    for epoch, value in enumerate([2.0, 1.0, 3.0, math.nan], 2):
        history.append(epoch, {"loss": value})
    assert history.best("loss")["epoch"] == 3
    assert history.best("loss", "max")["epoch"] == 4


class Given(Fragile):
    """A metric with the values of each epoch."""

    def __init__(self, *values: float) -> None:
        super().__init__(0)
        self.values = list(values)

    def compute(self) -> float:
        return self.values.pop(0)


def test_stopping_and_the_best_checkpoint_pass_over_what_is_no_number(tmp_path: Path) -> None:
    values = [math.nan, 3.0, 2.0, math.nan, 1.0, 4.0, math.nan, 5.0]
    stop, keep = EarlyStopping("value", patience=2), Checkpoint(tmp_path, every_epochs=0, best="value")
    ours = trainer(metrics={"value": Given(*values)}, callbacks=[keep, stop])
    ours.fit((X, Y), 8)
    assert (ours.epoch, stop.best) == (8, 1.0)
    assert trainer(metrics={"value": Given()}).resume(tmp_path / "best.safetensors").epoch == 5


def test_nothing_but_nan_ends_the_run() -> None:
    ours = trainer(metrics={"value": Given(*[math.nan] * 9)}, callbacks=[EarlyStopping("value", patience=2)])
    ours.fit((X, Y), 9)
    assert ours.epoch == 3
