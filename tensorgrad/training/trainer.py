"""The training loop: batches in, gradients, updates, and callbacks at every turn.

`Trainer` holds what a run is made of, and where it stands: ``epoch``, ``step``, ``history``. What happens
around the loop (progress, early stopping, checkpoints, plots) is done by callbacks, see `callback`.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import deepcopy
from typing import Any, Self

import numpy as np

from .._anomaly import detect_anomaly
from .._config import no_grad
from .._errors import AnomalyError, DtypeError, GradientError, ShapeError
from .._random import default_generator
from .._tensor import Tensor
from .._tree import map_leaves
from ..nn.module import Module
from ..nn.utils import clip_grad_norm_, clip_grad_value_
from ..optim import Adam
from . import checkpoint
from .batches import as_batches, split, to_size
from .callback import Callback
from .evaluation import Running, check_metrics, evaluate, in_mode
from .history import History

Loss = Callable[..., Any]


class Trainer:
    """A training run: a model, its loss and optimizer, and where it stands.

    Args:
        model: what is trained.
        loss: ``loss(prediction, target)`` -> a tensor with one number, the mean over the batch.
        optimizer: holds the parameters of the model.
        metrics: by name, objects with ``update(prediction, target)``, ``compute()`` and ``reset()``.
        schedule: changes the learning rate; something with ``step()``.
        schedule_each: when that is called, after each "epoch" or each "step".
        penalty: ``penalty(model.named_parameters())`` -> a tensor that is added to the loss, such as
            `tensorgrad.optim.Penalty`. It is reported apart: ``reg_loss`` beside ``data_loss``.
        accumulate: how many batches make up one step, at least 1.
        clip_norm: the greatest norm of all gradients together; none if None.
        clip_value: the greatest absolute value of a gradient's entry; none if None.
        callbacks: called in this order at every turn, those of a higher rank later.

    Attributes:
        epoch: how many epochs are done.
        step: how many updates were made.
        batch: how many batches of the epoch under way are done.
        history: what was measured, one row for each epoch.
        stop: set it to end the run after this batch.

    Example:
        >>> import numpy as np, tensorgrad as tg
        >>> model = tg.nn.Linear(1, 1, generator=np.random.default_rng(0))
        >>> x = np.linspace(-1, 1, 64, dtype=np.float32)[:, None]
        >>> trainer = tg.training.Trainer(model, tg.nn.MSELoss(), tg.optim.SGD(model.parameters(), lr=0.5))
        >>> history = trainer.fit((x, 3 * x + 1), epochs=40, batch_size=16, seed=0)
        >>> bool(history["loss"][-1] < 1e-6)
        True
    """

    def __init__(
        self,
        model: Module,
        loss: Loss,
        optimizer: Any,
        *,
        metrics: Mapping[str, Any] | None = None,
        schedule: Any = None,
        schedule_each: str = "epoch",
        penalty: Callable[[Any], Any] | None = None,
        accumulate: int = 1,
        clip_norm: float | None = None,
        clip_value: float | None = None,
        callbacks: Sequence[Callback] = (),
    ) -> None:
        if schedule_each not in ("epoch", "step"):
            raise DtypeError(f"Trainer: schedule_each={schedule_each!r}; 'epoch' or 'step' is needed")
        if accumulate < 1:
            raise ShapeError(f"Trainer: accumulate={accumulate}; at least 1 batch makes a step")
        if foreign := [c for c in callbacks if not isinstance(c, Callback)]:
            raise DtypeError(
                f"Trainer: the callback {foreign[0]!r} is no Callback; make an object of a subclass of it"
            )
        _check_parts(model, loss, optimizer)
        self.model, self.loss, self.optimizer = model, loss, optimizer
        self.metrics = check_metrics(metrics or {})
        self.schedule, self.schedule_each = schedule, schedule_each
        self.penalty, self.accumulate = penalty, accumulate
        self.clip_norm, self.clip_value = clip_norm, clip_value
        self.callbacks = sorted(callbacks, key=lambda callback: callback.rank)
        self.epoch = self.step = self.batch = 0
        self.epochs = 0  # to reach
        self.history = History()
        self.running = Running(self.metrics)
        self.loader: Any = None
        self.loader_state: Any = None  # of a checkpoint; the data comes later
        self.stop = False
        self.resumed = False  # and not trained since

    @property
    def ended(self) -> bool:
        """Whether the run is over: all epochs are done, or a callback ended it after one."""
        return not self.batch and (self.stop or self.epoch == self.epochs)

    def fit(
        self,
        data: Any,
        epochs: int = 1,
        *,
        validation: Any = None,
        batch_size: int = 32,
        shuffle: bool | str = True,
        seed: Any = None,
    ) -> History:
        """Train until ``epoch`` is ``epochs``.

        Args:
            data: batches ``(input, target)``: a `DataLoader` or another iterable that can be read again; or a
                data set, or a pair of arrays, which are cut into batches here.
            epochs: how many in all, with those that this trainer or the checkpoint has behind it.
            validation: measured after each epoch, likewise.
            batch_size: for arrays and data sets.
            shuffle: for arrays and data sets: anew each epoch, or ``"once"``.
            seed: of that shuffling; from the default generator if None.

        Returns:
            The history, also in ``self.history``.

        Raises:
            AnomalyError: the loss is not finite; it names the step and the first operation that was not.
            ShapeError: there is no data, or so many epochs were trained already. A run that was resumed after its last
                epoch just ends.
        """
        if not hasattr(epochs, "__index__") or epochs < 1:
            raise ShapeError(f"fit: epochs={epochs}; a whole number of at least 1 is needed")
        if epochs <= self.epoch and not (self.resumed and epochs == self.epoch):
            raise ShapeError(
                f"fit: epochs={epochs} and {self.epoch} are done already; epochs counts all of them, pass a higher number"
            )
        drawn = default_generator().bit_generator.state
        self.loader = as_batches("fit", data, batch_size, shuffle, seed)
        if self.loader_state is not None:
            default_generator().bit_generator.state = (
                drawn  # a seed for shuffling was drawn before the checkpoint
            )
            if hasattr(self.loader, "load_state_dict"):
                self.loader.load_state_dict(self.loader_state)
            self.loader_state = None
        held_out = None if validation is None else as_batches("fit", validation, batch_size, False, 0)
        self.epochs, self.stop = epochs, self.stop and self.resumed
        self._tell("on_train_begin")
        self.resumed = False
        try:
            while self.epoch < self.epochs and not self.stop:
                self._run_epoch(held_out)
        finally:
            self._keep_position()
            self._tell("on_train_end")
        return self.history

    def evaluate(self, data: Any, batch_size: int = 256) -> dict[str, float]:
        """Loss and metrics over ``data``, in evaluation mode and without gradients."""
        return evaluate(self.model, data, self.loss, deepcopy(self.metrics), batch_size=batch_size)

    def resume(self, path: str | os.PathLike[str]) -> Self:
        """Go on where a checkpoint was saved; `fit` then trains the rest, bit for bit as it would have been.

        Args:
            path: a file that `Checkpoint` wrote, or its folder: the newest one that can be read.

        Raises:
            FileNotFoundError: there is none.
            FileFormatError: it cannot be read.
            StateDictError: it does not fit the model, optimizer or schedule; nothing has changed then.
        """
        checkpoint.restore(self, checkpoint.read(path))
        return self

    # ---- one epoch, one batch

    def _keep_position(self) -> None:
        """Where the data is left within an epoch: the next `fit` goes on behind the last whole batch."""
        if self.batch and hasattr(self.loader, "load_state_dict"):
            self.loader_state = self.loader.state_dict()
            if "batch" in self.loader_state:
                self.loader_state["batch"] = self.batch

    def _run_epoch(self, validation: Any) -> None:
        if not self.batch:
            self.running.reset()
        self._tell("on_epoch_begin")
        with in_mode(self.model, training=True):
            for batch in self._rest():
                inputs, target = split(batch)
                self._tell("on_batch_begin")
                held = [(p, p.grad) for p in self.model.parameters()] if self.accumulate > 1 else []
                try:
                    self._learn(inputs, target)
                except BaseException:  # the batch comes again if the run goes on
                    for p, g in held:
                        p.grad = g
                    raise
                self.batch += 1
                self._tell("on_batch_end")
                if self.stop:
                    return
            if not self.batch:
                raise ShapeError("fit: the data has no batches; at least one is needed")
            if left := self.batch % self.accumulate:
                self._update(left)
        logs = self.running.compute()
        logs["lr"] = self.optimizer.param_groups[0]["lr"]
        if validation is not None:
            self._tell("on_validation_begin")
            measured = evaluate(self.model, validation, self.loss, self.metrics)
            self._tell("on_validation_end")
            logs |= {f"val_{name}": value for name, value in measured.items()}
        if self.schedule is not None and self.schedule_each == "epoch":
            measure = (
                (logs.get("val_loss", logs["loss"]),)
                if getattr(self.schedule, "needs_metrics", False)
                else ()
            )
            self.schedule.step(*measure)
        self.epoch, self.batch = self.epoch + 1, 0
        self.history.append(self.epoch, logs)
        self._tell("on_epoch_end")

    def _rest(self) -> Iterator[Any]:
        """The batches of this epoch that are not done yet."""
        batches: Iterator[Any] = iter(self.loader)
        if not hasattr(self.loader, "load_state_dict"):  # a loader with a position goes on from there itself
            for _ in range(self.batch):
                next(batches, None)
        return batches

    def _learn(self, inputs: tuple[Any, ...], target: Any) -> None:
        if self.batch % self.accumulate == 0:
            self.optimizer.zero_grad()  # somebody, or a batch that an error ended, may have left some
        prediction = self.model(*inputs)
        data_loss = self.loss(prediction, target)
        reg_loss = self.penalty(self.model.named_parameters()) if self.penalty is not None else None
        loss = data_loss if reg_loss is None else data_loss + reg_loss
        value = self._checked(loss, inputs, target)
        (loss if self.accumulate == 1 else loss / self.accumulate).backward()
        parts = {"loss": value}
        if reg_loss is not None:
            parts |= {"data_loss": float(data_loss), "reg_loss": float(reg_loss)}
        with no_grad():
            self.running.update(to_size(target, inputs), parts, map_leaves(_detached, prediction), target)
        if (self.batch + 1) % self.accumulate == 0:
            self._update(self.accumulate)

    def _checked(self, loss: Any, inputs: tuple[Any, ...], target: Any) -> float:
        """The loss as a number; if it is not finite, the run ends before anything is changed."""
        if not isinstance(loss, Tensor) or loss.size != 1:
            shape = getattr(loss, "shape", type(loss).__name__)
            raise ShapeError(f"fit: the loss is {shape}; a tensor with one number is needed, such as a mean")
        value = float(loss)
        if math.isfinite(value):
            return value
        where = (
            f"fit: the loss is {value} in epoch {self.epoch + 1}, batch {self.batch + 1} (step {self.step})"
        )
        lost = [name for name, p in self.model.named_parameters() if not np.isfinite(p.numpy()).all()]
        if lost:
            raise AnomalyError(
                f"{where}: the step before gave numbers that are not finite to {', '.join(lost)}; lower the learning "
                "rate or clip gradients"
            )
        for what, part in (*[("input", one) for one in inputs], ("target", target)):
            if bad := _not_finite(part):
                raise AnomalyError(
                    f"{where}: {bad} of {part.size} entries of the batch's {what} are not finite"
                )
        try:
            with detect_anomaly():
                self.loss(self.model(*inputs), target)
                if self.penalty is not None:
                    self.penalty(self.model.named_parameters())
        except AnomalyError as error:
            raise AnomalyError(f"{where}: {error}") from None
        raise AnomalyError(f"{where}; the same batch gave finite numbers when it was computed again")

    def _update(self, batches: int) -> None:
        """One step of the optimizer with the gradients that so many batches left."""
        params = [p for group in self.optimizer.param_groups for p in group["params"] if p.grad is not None]
        if batches < self.accumulate:  # they were divided by more
            for p in params:
                p.grad = p.grad * (self.accumulate / batches)
        if self.clip_value is not None:
            clip_grad_value_(params, self.clip_value)
        if self.clip_norm is not None:
            clip_grad_norm_(params, self.clip_norm)
        self.optimizer.step()
        self.optimizer.zero_grad()
        self.step += 1
        if self.schedule is not None and self.schedule_each == "step":
            self.schedule.step()

    def _tell(self, turn: str) -> None:
        for callback in self.callbacks:
            getattr(callback, turn)(self)


def _check_parts(model: Any, loss: Any, optimizer: Any) -> None:
    """Refuse what would train nothing, or fail far from its cause."""
    for name, given in (("model", model), ("loss", loss), ("optimizer", optimizer)):
        if isinstance(given, type):
            raise DtypeError(
                f"Trainer: {name} is the class {given.__name__}; an object of it is needed, {given.__name__}(...)"
            )
    learned = {id(p) for part in (model, loss) if isinstance(part, Module) for p in part.parameters()}
    held = {id(p) for group in optimizer.param_groups for p in group["params"]}
    if learned and not learned & held:
        raise GradientError(
            "Trainer: the optimizer holds no parameter of the model, so nothing would be learned; make it of this model's "
            "model.parameters()"
        )


def _not_finite(part: Any) -> int:
    """How many entries of an array or tensor are NaN or infinite."""
    if getattr(getattr(part, "dtype", None), "kind", "") not in ("f", "c"):
        return 0
    return int(np.count_nonzero(~np.isfinite(np.asarray(part))))


def _detached(x: Any) -> Any:
    return x.detach() if isinstance(x, Tensor) else x


def fit(
    model: Module,
    data: Any,
    *,
    loss: Any,
    optimizer: Any = None,
    epochs: int = 1,
    validation: Any = None,
    batch_size: int = 32,
    shuffle: bool | str = True,
    seed: Any = None,
    **settings: Any,
) -> History:
    """Train a model: a `Trainer` made and run in one call.

    Args:
        model: what is trained.
        data: a `DataLoader`, a data set, a pair of arrays ``(inputs, targets)``, or a list of batches.
        loss: ``loss(prediction, target)``, the mean over a batch.
        optimizer: by default Adam with a learning rate of 0.001.
        epochs: how many times to go through the data.
        validation: data to measure after each epoch.
        batch_size: for arrays and data sets.
        shuffle: for arrays and data sets: anew each epoch, or ``"once"``.
        seed: of that shuffling.
        settings: further arguments of `Trainer`: metrics, schedule, callbacks, clip_norm and so on.

    Returns:
        The history: ``history["loss"]`` has one value for each epoch.

    Raises:
        AnomalyError: the loss is not finite; it names the step and the first operation that was not.

    Example:
        >>> import numpy as np, tensorgrad as tg
        >>> x = np.linspace(-1, 1, 64, dtype=np.float32)[:, None]
        >>> history = tg.fit(tg.nn.Linear(1, 1), (x, 2 * x), loss=tg.nn.MSELoss(), epochs=3, seed=0)
        >>> len(history["loss"])
        3
    """
    optimizer = Adam(model.parameters()) if optimizer is None else optimizer
    trainer = Trainer(model, loss, optimizer, **settings)
    return trainer.fit(data, epochs, validation=validation, batch_size=batch_size, shuffle=shuffle, seed=seed)
