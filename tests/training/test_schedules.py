"""Schedules and metrics in a training run, stopped and resumed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

import tensorgrad as tg
from tensorgrad import metrics as M
from tensorgrad.optim import lr_scheduler as S
from tensorgrad.training import Callback, Checkpoint, Trainer

X = np.linspace(-1, 1, 24, dtype=np.float32)[:, None]
DATA = (X, (X > 0.2).astype(np.float32))


class Rates(Callback):
    """Notes the rate after every batch."""

    def __init__(self) -> None:
        self.seen: list[float] = []

    def on_batch_end(self, trainer: Any) -> None:
        self.seen.append(trainer.optimizer.param_groups[0]["lr"])


def trainer(make: Any, each: str, *callbacks: Callback) -> Trainer:
    model = tg.nn.Linear(1, 1, generator=np.random.default_rng(0))
    optimizer = tg.optim.SGD(model.parameters(), lr=0.5, momentum=0.9)
    return Trainer(
        model, tg.nn.BCEWithLogitsLoss(), optimizer,
        metrics={"accuracy": M.Accuracy(threshold=0.0), "auc": M.ROCAUC(), "f1": M.F1(threshold=0.0)},
        schedule=make(optimizer), schedule_each=each, callbacks=callbacks,
    )  # fmt: skip


def test_the_decay_of_the_sources_is_per_step() -> None:
    rates = Rates()
    trainer(lambda o: S.InverseTimeDecay(o, 0.1), "step", rates).fit(DATA, 2, batch_size=8, seed=0)
    assert rates.seen == [0.5 * (1 / (1 + 0.1 * step)) for step in range(1, 7)]


def test_a_plateau_within_a_warm_up_gets_its_measure() -> None:
    run = trainer(lambda o: S.WarmupLR(o, 2, S.ReduceLROnPlateau(o, patience=0, threshold=1.0)), "epoch")
    run.fit(DATA, 6, batch_size=8, seed=0)
    assert run.optimizer.param_groups[0]["lr"] < 0.01


def test_schedule_and_metrics_go_on_in_the_middle_of_an_epoch(tmp_path: Path) -> None:
    def make(optimizer: Any) -> Any:
        return S.WarmupLR(optimizer, 4, S.CosineAnnealingLR(optimizer, 10))

    straight = trainer(make, "step", Checkpoint(tmp_path, every_steps=1, keep=50))
    straight.fit(DATA, 4, batch_size=8, seed=0)
    for step in (2, 3, 7):
        again = trainer(make, "step", Checkpoint(tmp_path / "other"))
        again.resume(tmp_path / f"step-{step:010d}.safetensors")
        again.fit(DATA, 4, batch_size=8, seed=0)
        assert [again.history[name] for name in ("accuracy", "auc", "f1", "loss")] == [
            straight.history[name] for name in ("accuracy", "auc", "f1", "loss")
        ]
        assert again.schedule.state_dict() == straight.schedule.state_dict()
        assert again.model.weight.tolist() == straight.model.weight.tolist()
