"""What is called at every turn of a training run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .trainer import Trainer


class Callback:
    """Base of callbacks: override the turns that matter; each gets the `Trainer`.

    At the turns, ``trainer.epoch`` counts the epochs that are done and ``trainer.batch`` the batches of the one under
    way. ``trainer.stop = True`` ends the run.

    Attributes:
        rank: callbacks of a higher rank are told later: `EarlyStopping` sees what others did to the model, and
            `Checkpoint` keeps what all others know.

    Example:
        >>> import tensorgrad as tg
        >>> class Shout(tg.training.Callback):
        ...     def on_epoch_end(self, trainer):
        ...         print(f"epoch {trainer.epoch} of {trainer.epochs}!")
        >>> model = tg.nn.Linear(1, 1)
        >>> _ = tg.fit(model, (tg.ones((4, 1)), tg.ones((4, 1))), loss=tg.nn.MSELoss(), epochs=2, callbacks=[Shout()])
        epoch 1 of 2!
        epoch 2 of 2!
    """

    rank: int = 0

    def on_train_begin(self, trainer: Trainer) -> None:
        """Before the first epoch of a call of ``fit``."""

    def on_epoch_begin(self, trainer: Trainer) -> None:
        """Before the first batch of an epoch, or the first after resuming."""

    def on_batch_begin(self, trainer: Trainer) -> None:
        """Before a batch."""

    def on_batch_end(self, trainer: Trainer) -> None:
        """After a batch, and the step that it may have led to."""

    def on_validation_begin(self, trainer: Trainer) -> None:
        """Before the validation data is measured."""

    def on_validation_end(self, trainer: Trainer) -> None:
        """After that."""

    def on_epoch_end(self, trainer: Trainer) -> None:
        """After an epoch: its row is in ``trainer.history``."""

    def on_train_end(self, trainer: Trainer) -> None:
        """When ``fit`` ends, also by an error."""

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint must keep of this callback."""
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from what a checkpoint kept."""
