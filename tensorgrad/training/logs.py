"""What was measured, written down while the run goes on: as CSV, for TensorBoard."""

from __future__ import annotations

import csv
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .callback import Callback

if TYPE_CHECKING:
    from .trainer import Trainer


class CSVLog(Callback):
    """Write the history to a CSV file, anew after each epoch, so that a resumed run goes on with it.

    Args:
        path: of the file.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)

    def on_epoch_end(self, trainer: Trainer) -> None:
        """Write the table."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("w", newline="", encoding="utf-8") as file:
            table = csv.DictWriter(file, trainer.history.names)
            table.writeheader()
            table.writerows(trainer.history.rows)


class TensorBoard(Callback):
    """Write the history for TensorBoard, by the package tensorboardX (extra ``tensorboard``).

    Args:
        folder: where to; ``tensorboard --logdir FOLDER`` shows it.

    Raises:
        ImportError: tensorboardX is not installed.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        try:
            from tensorboardX import SummaryWriter
        except ImportError:
            raise ImportError(
                "TensorBoard: tensorboardX is not installed; pip install 'tensorgrad[tensorboard]'"
            ) from None
        self.folder = os.fspath(folder)
        self._open: Any = SummaryWriter
        self._writer: Any = None

    def on_train_begin(self, trainer: Trainer) -> None:
        """Begin a file."""
        self._writer = self._open(self.folder)

    def on_epoch_end(self, trainer: Trainer) -> None:
        """Write the row of the epoch."""
        for name, value in trainer.history.rows[-1].items():
            if name != "epoch" and isinstance(value, int | float):
                self._writer.add_scalar(name, value, trainer.epoch)
        self._writer.flush()

    def on_train_end(self, trainer: Trainer) -> None:
        """End it."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None
