"""Checkpoints: a run goes on bit for bit, from a whole file or not at all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import nn
from tensorgrad.data import DataLoader, TensorDataset
from tensorgrad.training import Checkpoint, Trainer

draws = np.random.default_rng(0)
X = draws.normal(size=(50, 3)).astype(np.float32)
Y = (X @ np.array([[1.0], [-2.0], [0.5]]) + 0.3).astype(np.float32)


class Count:
    """A metric whose value depends on every batch since it was reset."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self.total = np.zeros(2)

    def update(self, prediction: Any, target: Any) -> None:
        self.total = self.total * 0.5 + [float(prediction.sum()), len(target)]

    def compute(self) -> float:
        return float(self.total.sum())


def run(folder: Path, seed: int = 0, **settings: Any) -> Trainer:
    """A run in which everything draws: shuffling, dropout from two generators; a schedule, momentum, a metric."""
    tg.manual_seed(seed)
    own = np.random.default_rng(seed)
    model = nn.Sequential(
        nn.Linear(3, 8, generator=own), nn.BatchNorm1d(8), nn.Tanh(), nn.Dropout(0.3, generator=own),
        nn.Linear(8, 1, generator=own), nn.Dropout(0.1),
    )  # fmt: skip
    optimizer = tg.optim.Adam(model.parameters(), lr=0.02)
    return Trainer(
        model, nn.MSELoss(), optimizer, metrics={"count": Count()}, schedule_each="step",
        schedule=tg.optim.lr_scheduler.CosineAnnealingLR(optimizer, 40),
        callbacks=[Checkpoint(folder, every_steps=3, keep=100, best="val_loss")], **settings,
    )  # fmt: skip


def loader(seed: int = 3) -> DataLoader:
    return DataLoader(TensorDataset(X, Y), 8, shuffle=True, generator=seed)


def state(of: Trainer) -> dict[str, Any]:
    return {name: value.tolist() for name, value in of.model.state_dict().items()}


def test_a_resumed_run_is_the_same_bit_for_bit_from_every_checkpoint(tmp_path: Path) -> None:
    whole = run(tmp_path / "whole")
    whole.fit(loader(), 4, validation=(X, Y))
    after = tg.randn(3).tolist()
    files = sorted((tmp_path / "whole").glob("step-*"))
    assert len(files) == 12  # 28 steps: every third, and the ends of 4 epochs, one of which is both
    for file in files[:-1]:
        again = run(tmp_path / "again", seed=7).resume(file)
        again.fit(loader(seed=8), 4, validation=(X, Y))
        assert state(again) == state(whole), file.name
        assert again.history.rows == whole.history.rows, file.name
        assert tg.randn(3).tolist() == after, file.name


def test_accumulation_is_saved_at_its_steps_only(tmp_path: Path) -> None:
    whole = run(tmp_path / "whole", accumulate=2)
    whole.fit(loader(), 2, validation=(X, Y))
    for file in sorted((tmp_path / "whole").glob("step-*"))[:-1]:
        again = run(tmp_path / "again", seed=7, accumulate=2).resume(file)
        again.fit(loader(seed=8), 2, validation=(X, Y))
        assert state(again) == state(whole), file.name


def test_the_newest_checkpoint_that_can_be_read_is_used(tmp_path: Path) -> None:
    run(tmp_path).fit(loader(), 2, validation=(X, Y))
    files = sorted(tmp_path.glob("step-*"))
    files[-1].write_bytes(files[-1].read_bytes()[:-5])
    with pytest.warns(UserWarning, match="damaged"):
        again = run(tmp_path / "again").resume(tmp_path)
    assert again.step == int(files[-2].stem[5:])
    with pytest.raises(FileNotFoundError, match="no checkpoint"):
        again.resume(tmp_path.parent)


def test_the_best_epoch_is_kept(tmp_path: Path) -> None:
    ours = run(tmp_path)
    ours.fit(loader(), 5, validation=(X, Y))
    best = run(tmp_path / "again").resume(tmp_path / "best.safetensors")
    assert best.epoch == ours.history.best("val_loss")["epoch"]


def test_only_the_newest_files_are_kept(tmp_path: Path) -> None:
    model = nn.Linear(3, 1)
    tg.fit(
        model, (X, Y), loss=nn.MSELoss(), epochs=5, batch_size=25, callbacks=[Checkpoint(tmp_path, keep=2)]
    )
    assert [path.name for path in sorted(tmp_path.iterdir())] == [
        f"step-{n:010d}.safetensors" for n in (8, 10)
    ]
    with pytest.raises(tg.ShapeError, match="keep at least 1"):
        Checkpoint(tmp_path, keep=0)


def test_a_checkpoint_that_does_not_fit_changes_nothing(tmp_path: Path) -> None:
    run(tmp_path).fit(loader(), 1, validation=(X, Y))
    other = run(tmp_path / "other", seed=1)
    other.model[4] = nn.Linear(8, 2)
    before = state(other)
    with pytest.raises(tg.StateDictError, match=r"4\.weight is \(1, 8\), expected \(2, 8\)"):
        other.resume(tmp_path)
    assert state(other) == before
    assert (other.step, len(other.history)) == (0, 0)
    other = run(tmp_path / "other", seed=1)
    other.optimizer.add_param_group({"params": [nn.Parameter([1.0])]})
    before = state(other)
    with pytest.raises(tg.StateDictError):
        other.resume(tmp_path)
    assert state(other) == before
    tg.save(other.model, tmp_path / "weights")
    with pytest.raises(tg.FileFormatError, match="is no checkpoint"):
        other.resume(tmp_path / "weights")
