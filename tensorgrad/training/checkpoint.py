"""Checkpoints: all that a run depends on in one file, so that it can go on bit for bit.

The file holds the model, the optimizer, the schedule, the callbacks, every generator that draws in the
run, the position in the data, what was measured so far, and the counters.
"""

from __future__ import annotations

import math
import os
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from .._errors import FileFormatError, ShapeError, StateDictError
from .._io import load, save
from .._random import default_generator
from .._version import __version__
from ..nn.module import Module
from .callback import Callback

if TYPE_CHECKING:
    from .trainer import Trainer

FORMAT = 1
PATTERN = "step-*.safetensors"


class Checkpoint(Callback):
    """Save the run to a folder, the newest files only, and the best one by a measure.

    Args:
        folder: where to; it is made if it is not there.
        every_epochs: save after so many epochs; 0 for never.
        every_steps: save after so many steps as well, also within an epoch; 0 for never.
        keep: how many files to keep besides the best, at least 1.
        best: a column of the history such as "val_loss"; the epoch with the best value is kept as
            ``best.safetensors``.
        mode: whether the least ("min") or the greatest ("max") value is the best.

    Raises:
        ShapeError: no file would be kept.
        FileExistsError: as training begins, the folder has checkpoints of later steps, which are another run's.

    Go on with ``trainer.resume(folder)``.
    """

    rank = 2  # what it keeps of the others must be what they know after this turn

    def __init__(
        self,
        folder: str | os.PathLike[str],
        *,
        every_epochs: int = 1,
        every_steps: int = 0,
        keep: int = 3,
        best: str | None = None,
        mode: Literal["min", "max"] = "min",
    ) -> None:
        if keep < 1 or every_epochs < 0 or every_steps < 0:
            raise ShapeError(
                f"Checkpoint: keep={keep}, every_epochs={every_epochs}, every_steps={every_steps}; keep at least 1 file"
            )
        self.folder = Path(folder)
        self.every_epochs, self.every_steps, self.keep = every_epochs, every_steps, keep
        self.best, self.mode = best, mode
        self._saved = -1

    def on_train_begin(self, trainer: Trainer) -> None:
        """Make the folder, so that what is wrong with it shows before hours of training."""
        self.folder.mkdir(parents=True, exist_ok=True)
        newest = max((path.name for path in self.folder.glob(PATTERN)), default="")
        if newest > _name(trainer.step) and not trainer.resumed:
            raise FileExistsError(
                f"Checkpoint: {self.folder} has {newest}, and this run is at step {trainer.step}; go on from there by "
                "resume, or choose another folder, or delete the files"
            )

    def on_batch_end(self, trainer: Trainer) -> None:
        """Save where a step was made whose number is due."""
        due = self.every_steps and trainer.step % self.every_steps == 0
        if due and trainer.step != self._saved and trainer.batch % trainer.accumulate == 0:
            self._save(trainer)

    def on_epoch_end(self, trainer: Trainer) -> None:
        """Save after the epochs that are due, and where the epoch was the best so far."""
        if self.every_epochs and trainer.epoch % self.every_epochs == 0:
            self._save(trainer)
        if self.best is None or math.isnan(trainer.history.last(self.best) or 0):
            return
        if trainer.history.best(self.best, self.mode)["epoch"] == trainer.epoch:
            save(state_of(trainer), self.folder / "best.safetensors")

    def _save(self, trainer: Trainer) -> None:
        self._saved = trainer.step
        save(state_of(trainer), self.folder / _name(trainer.step))
        files = [path for path in sorted(self.folder.glob(PATTERN)) if path.name <= _name(trainer.step)]
        for old in files[: -self.keep]:
            old.unlink()


def read(path: str | os.PathLike[str]) -> dict[str, Any]:
    """The state in a checkpoint file, or in the newest one of a folder that can be read.

    Raises:
        FileNotFoundError: there is none.
        FileFormatError: none can be read, or the file is no checkpoint.
    """
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(f"resume: there is no checkpoint {path}")
    if not path.is_dir():
        return _checked(load(path), path)
    files = sorted(path.glob(PATTERN), reverse=True)
    if not files:
        raise FileNotFoundError(f"resume: there is no checkpoint ({PATTERN}) in {path}")
    for file in files:
        try:
            return _checked(load(file), file)
        except FileFormatError as error:
            warnings.warn(f"resume: {error}; trying the one before", stacklevel=3)
    raise FileFormatError(f"resume: none of the {len(files)} checkpoints in {path} can be read")


def state_of(trainer: Trainer) -> dict[str, Any]:
    """All that the rest of a run depends on."""
    state: dict[str, Any] = {
        "format": FORMAT,
        "tensorgrad": __version__,
        "epoch": trainer.epoch,
        "step": trainer.step,
        "batch": trainer.batch,
        "stop": trainer.stop,
        "history": trainer.history.rows,
        "model": trainer.model.state_dict(),
        "optimizer": trainer.optimizer.state_dict(),
        "schedule": trainer.schedule.state_dict() if trainer.schedule is not None else None,
        "callbacks": [[type(c).__name__, c.state_dict()] for c in trainer.callbacks],
        "generators": {name: one.bit_generator.state for name, one in generators_of(trainer.model).items()},
        "loader": trainer.loader.state_dict() if hasattr(trainer.loader, "state_dict") else None,
        "running": None,
    }
    if trainer.batch:
        running = trainer.running
        metrics = {name: _state_of_metric(metric) for name, metric in running.metrics.items()}
        state["running"] = {"count": running.count, "sums": running.sums, "metrics": metrics}
    return state


def restore(trainer: Trainer, state: dict[str, Any]) -> None:
    """Put a trainer where the state was taken; after an error it is as before."""
    before = state_of(trainer)
    try:
        _restore(trainer, state)
    except Exception:
        _restore(trainer, before)
        raise
    trainer.resumed = True


def _restore(trainer: Trainer, state: dict[str, Any]) -> None:
    names = [type(c).__name__ for c in trainer.callbacks]
    if (trainer.schedule is None) != (state["schedule"] is None):
        raise StateDictError(
            "resume: the checkpoint and the trainer do not both have a schedule; make them alike"
        )
    trainer.model.load_state_dict(state["model"])
    trainer.optimizer.load_state_dict(state["optimizer"])
    if trainer.schedule is not None:
        trainer.schedule.load_state_dict(state["schedule"])
    kept = list(state["callbacks"])
    for name, callback in zip(names, trainer.callbacks, strict=True):
        # A callback may be new, or gone: it was not part of what is computed.
        own = next((entry for entry in kept if entry[0] == name), None)
        if own is not None:
            kept.remove(own)
            callback.load_state_dict(own[1])
    generators = generators_of(trainer.model)
    if set(generators) != set(state["generators"]):
        raise StateDictError(
            f"resume: the checkpoint has generators {sorted(state['generators'])} and the model {sorted(generators)}"
        )
    for name, generator in generators.items():
        generator.bit_generator.state = state["generators"][name]
    trainer.epoch, trainer.step, trainer.batch = state["epoch"], state["step"], state["batch"]
    trainer.stop = state.get("stop", False)
    trainer.history.rows[:] = [dict(row) for row in state["history"]]
    trainer.loader_state = state["loader"]
    trainer.running.reset()
    if state["running"] is not None:
        trainer.running.count = state["running"]["count"]
        trainer.running.sums = dict(state["running"]["sums"])
        for name, metric in trainer.running.metrics.items():
            _restore_metric(metric, state["running"]["metrics"][name])


def generators_of(model: Module) -> dict[str, np.random.Generator]:
    """What draws in a run: the default generator, and those that modules hold."""
    found = {"": default_generator()}
    for path, module in model.named_modules():
        for name, value in vars(module).items():
            if isinstance(value, np.random.Generator) and all(value is not one for one in found.values()):
                found[f"{path}.{name}" if path else name] = value
    return found


def _name(step: int) -> str:
    return PATTERN.replace("*", f"{step:010d}")


def _checked(state: Any, path: Path) -> dict[str, Any]:
    if not isinstance(state, dict) or not {"format", "model", "optimizer", "generators"} <= set(state):
        raise FileFormatError(f"resume: {path} is no checkpoint of a training run; load weights by tg.load")
    if state["format"] != FORMAT:
        raise FileFormatError(f"resume: {path} has format {state['format']}, and this version reads {FORMAT}")
    return state


def _state_of_metric(metric: Any) -> dict[str, Any]:
    return dict(metric.state_dict() if hasattr(metric, "state_dict") else vars(metric))


def _restore_metric(metric: Any, state: dict[str, Any]) -> None:
    if hasattr(metric, "load_state_dict"):
        metric.load_state_dict(state)
    else:
        vars(metric).update(state)
