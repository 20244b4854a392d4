"""Under the `no_grad` around a transformation its own level is recorded."""

from __future__ import annotations

from .._blocks import block_of
from .._config import TAPE, get_mode


class Around:
    """True where no other `no_grad` has begun since."""

    __slots__ = ("block",)

    def __init__(self, mode: int) -> None:
        self.block = block_of(mode)

    def __bool__(self) -> bool:
        return block_of(get_mode()) is self.block


def recorded_here() -> Around | bool:
    """Where the variables of a new level are recorded without a tape, as `Over` has it."""
    mode = get_mode()
    return False if mode & TAPE else Around(mode)
