"""A progress bar in the terminal, or a line for each epoch where there is none."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TextIO

from .callback import Callback

if TYPE_CHECKING:
    from .trainer import Trainer

WIDTH = 24
REFRESH = 0.1  # seconds


class Progress(Callback):
    """Show how far the run is, what was measured, and how long it will take.

    In a terminal there is a bar that moves with each batch. Elsewhere (a file, a pipe) there is one line for each
    epoch, and one for every ``every`` steps.

    Args:
        every: print a line after so many steps; 0 for none.
        stream: where to; the standard error output if None.

    Example:
        >>> import sys, tensorgrad as tg
        >>> from tensorgrad.training import Progress
        >>> x, model = tg.zeros((4, 1)), tg.nn.Linear(1, 1, bias=False)
        >>> bar = Progress(stream=sys.stdout)
        >>> _ = tg.fit(model, (x, x), loss=tg.nn.MSELoss(), epochs=2, callbacks=[bar])
        epoch 1/2  loss 0  lr 0.001  ... s
        epoch 2/2  loss 0  lr 0.001  ... s
    """

    def __init__(self, every: int = 0, stream: TextIO | None = None) -> None:
        self.every = every
        self.stream = stream
        self._began = self._epoch_began = self._drawn = 0.0
        self._first = 0.0  # epochs, when the clock was started
        self._shown = 0  # steps, when a line was printed for one

    def on_train_begin(self, trainer: Trainer) -> None:
        """Start the clock."""
        self._began = time.perf_counter()
        self._first, self._shown = _epochs(trainer), trainer.step

    def on_epoch_begin(self, trainer: Trainer) -> None:
        """Start the clock of the epoch."""
        self._epoch_began = time.perf_counter()

    def on_batch_end(self, trainer: Trainer) -> None:
        """Draw the bar, or print the line of a step."""
        now = time.perf_counter()
        if self.every and trainer.step % self.every == 0 and trainer.step != self._shown:
            self._shown = trainer.step
            self._print(f"  step {trainer.step}  {_values(self._measured(trainer))}")
        if self._is_terminal() and now - self._drawn > REFRESH:
            self._drawn = now
            self._draw(self._bar(trainer, now))

    def on_epoch_end(self, trainer: Trainer) -> None:
        """Print the line of the epoch."""
        seconds = time.perf_counter() - self._epoch_began
        row = {name: value for name, value in trainer.history.rows[-1].items() if name != "epoch"}
        self._print(f"epoch {trainer.epoch}/{trainer.epochs}  {_values(row)}  {seconds:.1f} s")

    def on_train_end(self, trainer: Trainer) -> None:
        """Leave the terminal on a new line."""
        if self._is_terminal():
            self._draw("")

    def _measured(self, trainer: Trainer) -> dict[str, Any]:
        return trainer.running.compute() | {"lr": trainer.optimizer.param_groups[0]["lr"]}

    def _bar(self, trainer: Trainer, now: float) -> str:
        total = _batches(trainer)
        head = f"epoch {trainer.epoch + 1}/{trainer.epochs}"
        values = _values(trainer.running.compute())
        if not total:
            return f"{head}  batch {trainer.batch}  {values}"
        filled = round(WIDTH * trainer.batch / total)
        bar = "━" * filled + "─" * (WIDTH - filled)
        here = _epochs(trainer)
        left = (now - self._began) / (here - self._first) * (trainer.epochs - here)
        return f"{head} {bar} {trainer.batch}/{total}  {clock(left)} left  {values}"

    def _draw(self, text: str) -> None:
        width = shutil.get_terminal_size().columns - 1  # a line that wraps cannot be taken back
        print(f"\r\033[K{text[:width]}", end="", file=self.stream or sys.stderr, flush=True)

    def _print(self, text: str) -> None:
        start = "\r\033[K" if self._is_terminal() else ""
        print(start + text, file=self.stream or sys.stderr, flush=True)

    def _is_terminal(self) -> bool:
        return (self.stream or sys.stderr).isatty()


def _batches(trainer: Trainer) -> int:
    """How many an epoch has; 0 if nobody knows."""
    return len(trainer.loader) if hasattr(trainer.loader, "__len__") else 0


def _epochs(trainer: Trainer) -> float:
    """How many are done, with the part of the one under way."""
    return trainer.epoch + trainer.batch / (_batches(trainer) or 1)


def clock(seconds: float) -> str:
    """A duration as hours, minutes and seconds: ``1:02:03``, or ``2:03``."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _values(values: Mapping[str, Any]) -> str:
    return "  ".join(
        f"{name} {value:.4g}" if isinstance(value, float) else f"{name} {value}"
        for name, value in values.items()
        if value is None or isinstance(value, int | float)
    )
