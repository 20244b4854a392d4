"""What callbacks do with a run: stop it, average it, show it, write it down; also when it is resumed."""

from __future__ import annotations

import csv
import io
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import nn
from tensorgrad.training import (
    Callback,
    Checkpoint,
    CSVLog,
    EarlyStopping,
    History,
    LivePlot,
    Progress,
    TensorBoard,
    Trainer,
    WeightAverage,
    balanced_weights,
)  # fmt: skip
from tensorgrad.training.progress import clock

draws = np.random.default_rng(0)
X = draws.normal(size=(32, 3)).astype(np.float32)
Y = (X @ np.array([[1.0], [-2.0], [0.5]]) + 0.3).astype(np.float32)


class Script(Callback):
    """Says what was measured in each epoch, so that a test can tell a story."""

    def __init__(self, values: list[Any], name: str = "val_loss") -> None:
        self.values, self.name = values, name

    def on_epoch_end(self, trainer: Trainer) -> None:
        trainer.history.rows[-1][self.name] = self.values[trainer.epoch - 1]


def trainer(*callbacks: Callback, lr: float = 0.05, **settings: Any) -> Trainer:
    model = nn.Sequential(nn.Linear(3, 4, generator=np.random.default_rng(1)), nn.BatchNorm1d(4))
    model.append(nn.Linear(4, 1, generator=np.random.default_rng(2)))
    optimizer = tg.optim.SGD(model.parameters(), lr=lr)
    return Trainer(model, nn.MSELoss(), optimizer, callbacks=callbacks, **settings)


def state(of: Trainer) -> dict[str, Any]:
    return {name: value.tolist() for name, value in of.model.state_dict().items()}


class Weights(Callback):
    """Keeps the state after each epoch."""

    def __init__(self) -> None:
        self.after: list[dict[str, Any]] = []

    def on_epoch_end(self, trainer: Trainer) -> None:
        self.after.append(state(trainer))


# ---- early stopping


@pytest.mark.parametrize(
    ("settings", "values", "epochs", "best"),
    [
        ({"patience": 0}, [3, 2, 2, 1], 3, 2),
        ({"patience": 1}, [3, 4, 2, 2, 2, 1], 5, 3),
        ({"patience": 0, "min_delta": 0.5}, [3, 2.6, 1], 2, 1),
        ({"patience": 1, "min_delta": 0.5}, [3, 2.6, 2.4, 2.5, 2.5], 5, 3),
        ({"patience": 0, "mode": "max"}, [0.1, 0.5, 0.4], 3, 2),
        ({"patience": 1}, [float("nan"), 2, float("nan"), 3], 4, 2),
    ],
)
def test_a_run_stops_when_it_gets_no_better(settings: Any, values: Any, epochs: int, best: int) -> None:
    weights = Weights()
    stop = EarlyStopping(**settings)
    ours = trainer(stop, Script([*values, *[0] * 10]), weights)
    ours.fit((X, Y), 10, batch_size=16, seed=0)
    assert ours.epoch == epochs
    assert state(ours) == weights.after[best - 1]
    assert stop.best == values[best - 1]


def test_the_last_weights_stay_where_the_best_are_not_wanted() -> None:
    weights = Weights()
    ours = trainer(EarlyStopping(patience=0, restore_best=False), Script([1, 2]), weights)
    ours.fit((X, Y), 10, batch_size=16)
    assert state(ours) == weights.after[1] != weights.after[0]


def test_a_resumed_run_keeps_waiting_and_one_that_stopped_stays_so(tmp_path: Path) -> None:
    def make(folder: str) -> Trainer:
        # The checkpoint comes first here, and yet keeps what early stopping knows after the epoch.
        return trainer(
            Checkpoint(tmp_path / folder, keep=9), EarlyStopping(patience=2), Script([3, 2, 4, 4, 4, 4, 4])
        )

    whole = make("whole")
    whole.fit((X, Y), 7, batch_size=16, seed=0)
    assert whole.epoch == 5
    for file in sorted((tmp_path / "whole").iterdir()):
        again = make("again").resume(file)
        again.fit((X, Y), 7, batch_size=16, seed=0)
        assert (again.epoch, state(again)) == (5, state(whole)), file.name


def test_early_stopping_says_what_it_cannot_monitor() -> None:
    with pytest.raises(
        tg.ShapeError, match=r"no number 'val_loss'.*epoch, loss, lr; monitor one.*validation"
    ):
        trainer(EarlyStopping()).fit((X, Y), 2)
    for wrong in ({"patience": -1}, {"min_delta": -0.1}, {"mode": "least"}):
        with pytest.raises(tg.ShapeError, match="EarlyStopping: patience"):
            EarlyStopping(**wrong)


# ---- averaged weights


class Follow(Callback):
    """The mean by its formula, in float64."""

    def __init__(self, decay: float) -> None:
        self.decay, self.mean = decay, None

    def on_batch_end(self, trainer: Trainer) -> None:
        now = np.concatenate([p.numpy().ravel() for p in trainer.model.parameters()]).astype(np.float64)
        d = min(self.decay, (1 + trainer.step) / (10 + trainer.step))
        self.mean = now if self.mean is None else d * self.mean + (1 - d) * now


def flat(of: Trainer) -> Any:
    return np.concatenate([p.numpy().ravel() for p in of.model.parameters()])


@pytest.mark.parametrize("decay", [0.3, 0.999])
def test_the_mean_follows_its_formula_and_is_what_stays(decay: float) -> None:
    follow = Follow(decay)
    ours = trainer(follow, WeightAverage(decay))
    ours.fit((X, Y), 3, batch_size=4, seed=0)
    np.testing.assert_allclose(flat(ours), follow.mean, rtol=1e-5, atol=1e-6)


def test_validation_measures_the_mean_and_training_goes_on_from_the_weights() -> None:
    plain, weights = trainer(), Weights()
    raw = Weights()
    plain.callbacks.append(raw)
    plain.fit((X, Y), 2, batch_size=8, seed=0)
    ours = trainer(WeightAverage(0.9), weights)
    history = ours.fit((X, Y), 2, batch_size=8, seed=0, validation=(X, Y))
    assert weights.after == raw.after
    assert history.last("val_loss") == tg.evaluate(ours.model, (X, Y), nn.MSELoss(), batch_size=8)["loss"]
    assert history.last("val_loss") != tg.evaluate(plain.model, (X, Y), nn.MSELoss(), batch_size=8)["loss"]


def test_an_error_in_validation_leaves_the_weights() -> None:
    weights = Weights()
    ours, plain = trainer(WeightAverage()), trainer(weights)
    plain.fit((X, Y), 1, batch_size=8, seed=0)
    with pytest.raises(tg.ShapeError):
        ours.fit((X, Y), 2, batch_size=8, seed=0, validation=(X[:, :2], Y))
    assert state(ours) == weights.after[0]


def test_the_step_of_what_is_left_of_an_accumulation_is_averaged_too() -> None:
    ours = trainer(WeightAverage(0.0), weights := Weights(), accumulate=3)
    # 4 batches: steps after the third, and after the last
    history = ours.fit((X, Y), 1, batch_size=8, seed=0, validation=(X, Y))
    assert ours.step == 2
    assert state(ours) == weights.after[0]  # a decay of 0 has no memory
    assert history.last("val_loss") == tg.evaluate(ours.model, (X, Y), nn.MSELoss(), batch_size=8)["loss"]


def test_averaging_resumes_bit_for_bit(tmp_path: Path) -> None:
    def make(folder: str) -> Trainer:
        return trainer(WeightAverage(0.9), Checkpoint(tmp_path / folder, every_steps=3, keep=99))

    data = {"validation": (X, Y), "batch_size": 8, "seed": 0}
    whole = make("whole")
    whole.fit((X, Y), 3, **data)
    files = sorted((tmp_path / "whole").iterdir())
    assert len(files) == 6
    for file in files:
        again = make("again").resume(file)
        again.fit((X, Y), 3, **data)
        assert state(again) == state(whole), file.name
        assert again.history.rows == whole.history.rows


@pytest.mark.parametrize("turned", [False, True])
def test_early_stopping_restores_the_mean_that_was_measured(turned: bool) -> None:
    callbacks = [WeightAverage(0.9), EarlyStopping(patience=0)]
    ours = trainer(*callbacks[:: -1 if turned else 1], lr=0.3)
    history = ours.fit((X, Y), 60, batch_size=8, seed=0, validation=(X, Y))
    assert ours.epoch < 60
    best = history.best("val_loss")["val_loss"]
    assert tg.evaluate(ours.model, (X, Y), nn.MSELoss(), batch_size=8)["loss"] == pytest.approx(
        best, rel=1e-5
    )
    with pytest.raises(tg.ShapeError, match="less than 1"):
        WeightAverage(1.0)


# ---- what is shown


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_without_a_terminal_there_is_a_line_for_each_epoch_and_for_steps() -> None:
    stream = io.StringIO()
    trainer(Progress(every=3, stream=stream), accumulate=2).fit((X, Y), 3, batch_size=8, seed=0)
    lines = stream.getvalue().splitlines()
    assert [line.split("  loss")[0] for line in lines] == [
        "epoch 1/3",
        "  step 3",
        "epoch 2/3",
        "  step 6",
        "epoch 3/3",
    ]
    assert lines[0].endswith(" s")
    assert "lr 0.05" in lines[0]


def test_in_a_terminal_a_bar_says_how_long_it_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = iter(range(0, 10**6, 10))
    monkeypatch.setattr("tensorgrad.training.progress.time.perf_counter", lambda: next(ticks))
    stream = Terminal()
    trainer(Progress(stream=stream)).fit((X, Y), 2, batch_size=8, seed=0)
    drawn = stream.getvalue().split("\r\033[K")
    # The clock moves by 10 s each time it is read: 20 s for the first batch of eight.
    assert drawn[1].startswith("epoch 1/2 ━━━━━━────────────────── 1/4  2:20 left  loss ")
    assert drawn[5].startswith("epoch 1/2  loss ")
    assert drawn[6].startswith("epoch 2/2 ━━━━━━─")
    assert drawn[-1] == ""


def test_a_resumed_run_reckons_from_where_it_went_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trainer(Checkpoint(tmp_path, every_steps=3, keep=9)).fit((X, Y), 1, batch_size=8, seed=0)
    stream = Terminal()
    again = trainer(Progress(stream=stream)).resume(tmp_path / "step-0000000003.safetensors")
    ticks = iter(range(0, 10**6, 10))
    monkeypatch.setattr("tensorgrad.training.progress.time.perf_counter", lambda: next(ticks))
    again.fit((X, Y), 2, batch_size=8, seed=0)
    assert " 4/4  1:20 left" in stream.getvalue().split("\r\033[K")[1]  # one batch in 20 s, four to go


def test_a_bar_is_never_wider_than_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setattr("tensorgrad.training.progress.REFRESH", -1.0)
    stream = Terminal()
    trainer(Progress(stream=stream)).fit((X, Y), 1, batch_size=8)
    bars = [part for part in stream.getvalue().split("\r\033[K") if "━" in part]
    assert len(bars) == 4
    assert max(map(len, bars)) <= 39


def test_data_whose_length_is_not_known_has_no_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    class Stream:
        def __iter__(self) -> Any:
            return iter([(X, Y)] * 2)

    monkeypatch.setattr("tensorgrad.training.progress.REFRESH", -1.0)
    stream = Terminal()
    trainer(Progress(stream=stream)).fit(Stream(), 1)
    assert "epoch 1/1  batch 2  loss " in stream.getvalue()


def test_durations() -> None:
    assert [clock(s) for s in (0, 59.6, 61, 3723)] == ["0:00", "1:00", "1:01", "1:02:03"]


# ---- what is written


def test_a_resumed_run_writes_the_whole_table(tmp_path: Path) -> None:
    path = tmp_path / "log" / "history.csv"
    trainer(CSVLog(path), Checkpoint(tmp_path)).fit((X, Y), 2, batch_size=8, seed=0)
    path.write_text("rubbish")
    history = trainer(CSVLog(path)).resume(tmp_path).fit((X, Y), 4, batch_size=8, seed=0, validation=(X, Y))
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["epoch"] for row in rows] == ["1", "2", "3", "4"]
    assert [float(row["loss"]) for row in rows] == history["loss"]
    assert [row["val_loss"] == "" for row in rows] == [True, True, False, False]


def test_tensorboard_gets_each_number(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[Any] = []

    class SummaryWriter:
        def __init__(self, folder: str) -> None:
            calls.append(("open", folder))

        def add_scalar(self, *args: Any) -> None:
            calls.append(args)

        def flush(self) -> None:
            calls.append("flush")

        def close(self) -> None:
            calls.append("close")

    monkeypatch.setitem(sys.modules, "tensorboardX", SimpleNamespace(SummaryWriter=SummaryWriter))
    history = trainer(Script(["a", 2], "words"), TensorBoard(Path("runs"))).fit((X, Y), 2)
    assert calls == [
        ("open", "runs"), ("loss", history["loss"][0], 1), ("lr", 0.05, 1), "flush",
        ("loss", history["loss"][1], 2), ("lr", 0.05, 2), ("words", 2, 2), "flush", "close",
    ]  # fmt: skip


def test_tensorboard_that_is_absent_is_said_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tensorboardX", None)
    with pytest.raises(ImportError, match=r"^TensorBoard: .* pip install 'tensorgrad\[tensorboard\]'$"):
        TensorBoard("runs")


def test_curves_are_drawn_to_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    trainer(LivePlot(), LivePlot(tmp_path / "new" / "a.svg")).fit((X, Y), 2, validation=(X, Y))
    drawn = (tmp_path / "learning-curves.svg").read_text(encoding="utf-8")
    assert drawn == (tmp_path / "new" / "a.svg").read_text(encoding="utf-8")
    assert drawn.count('class="curve"') == 2
    with pytest.raises(ValueError, match=r"does not end in \.svg"):
        LivePlot("curves.png")


def test_a_notebook_shows_curves_in_one_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[str] = []

    def display(picture: Any, *, display_id: bool) -> Any:
        assert display_id
        shown.append("new")
        assert picture._repr_svg_().startswith("<svg")
        return SimpleNamespace(update=lambda picture: shown.append("update"))

    ipython, inside = ModuleType("IPython"), ModuleType("IPython.display")
    ipython.get_ipython = lambda: SimpleNamespace(kernel=object())  # type: ignore[attr-defined]
    inside.display = display  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    monkeypatch.setitem(sys.modules, "IPython.display", inside)
    monkeypatch.chdir(tmp_path)
    ours = trainer(LivePlot())
    ours.fit((X, Y), 3)
    ours.fit((X, Y), 4)
    assert shown == ["new", "update", "update", "new"]
    assert not list(tmp_path.iterdir())
    ipython.get_ipython = lambda: object()  # type: ignore[attr-defined]
    trainer(LivePlot()).fit((X, Y), 1)
    assert [path.name for path in tmp_path.iterdir()] == ["learning-curves.svg"]


def test_a_history_draws_its_numbers() -> None:
    history = History()
    with pytest.raises(tg.ShapeError, match="nothing to plot"):
        history.plot()
    history.append(1, {"loss": 2.0, "lr": 0.1, "matrix": [[1]]})
    history.append(2, {"loss": 1.0, "lr": 0.1, "matrix": [[1]], "val_loss": 1.5})
    picture = history.plot(title="A & B")
    assert (picture.count('class="panel"'), picture.count('class="curve"')) == (1, 2)
    assert "A &amp; B" in picture


# ---- a folder with checkpoints in it


def test_a_new_run_does_not_mix_its_checkpoints_with_those_of_another(tmp_path: Path) -> None:
    trainer(Checkpoint(tmp_path)).fit((X, Y), 2, batch_size=8)
    names = sorted(path.name for path in tmp_path.iterdir())
    with pytest.raises(
        FileExistsError, match=r"step-0000000008\.safetensors, and this run is at step 0; go on"
    ):
        trainer(Checkpoint(tmp_path)).fit((X, Y), 2, batch_size=8)
    model = nn.Linear(2, 1)
    optimizer = tg.optim.SGD([*model.parameters(), nn.Parameter([1.0])])
    other = Trainer(model, nn.MSELoss(), optimizer, callbacks=[Checkpoint(tmp_path)])
    with pytest.raises(tg.StateDictError):
        other.resume(tmp_path)
    with pytest.raises(FileExistsError):  # nor where resuming failed
        other.fit((X[:, :2], Y), 2)
    assert sorted(path.name for path in tmp_path.iterdir()) == names


# ---- weights of classes


def test_balanced_weights_are_those_of_the_formula() -> None:
    labels = np.array([0] * 5 + [1] * 3 + [2] * 2)
    weights = balanced_weights(labels)
    np.testing.assert_allclose(weights.numpy(), [10 / 15, 10 / 9, 10 / 6], rtol=1e-6)
    assert weights.dtype == np.float32
    assert float(weights.numpy()[labels].sum()) == pytest.approx(10)
    assert balanced_weights(tg.tensor(labels), 3).tolist() == weights.tolist()
    nn.CrossEntropyLoss(weight=weights)(tg.zeros((10, 3)), tg.tensor(labels))


@pytest.mark.parametrize(
    ("labels", "classes", "error", "message"),
    [
        ([], None, tg.ShapeError, "no labels"),
        ([0.0, 1.0], None, tg.DtypeError, "float64; integers"),
        ([0, -1], None, tg.ShapeError, "labels from -1 to 0"),
        ([0, 3], 3, tg.ShapeError, "from 0 to 3; from 0 to 2 is possible"),
        ([0, 2], 4, tg.ShapeError, "no example of class 1, 3"),
    ],
)
def test_labels_that_cannot_be_balanced(labels: Any, classes: Any, error: Any, message: str) -> None:
    with pytest.raises(error, match=message):
        balanced_weights(labels, classes)
