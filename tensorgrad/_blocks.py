"""Which `no_grad` is open, for a transformation that ignores the one around it and heeds those of its function.

The mode is an integer. In a `no_grad` that began inside of a transformation it is one of a kind, an `Unrecorded`.
"""

from __future__ import annotations

from ._levels import opened

TAPE = 1


class Unrecorded(int):
    """A mode without a tape; ``block`` is the first mode of its `no_grad`, if it is not that itself."""

    block: object


def within(mode: int, made: int, switched: bool = False) -> int:
    """The mode ``made`` of ``mode``, in the same `no_grad`; or in a new one, if it was the tape that was switched."""
    if switched:
        return made if made & TAPE or not opened() else Unrecorded(made)
    if type(mode) is not Unrecorded:
        return made
    again = Unrecorded(made)
    again.block = block_of(mode)
    return again


def block_of(mode: int) -> object:
    """The `no_grad` of a mode, None for all that began outside of transformations."""
    return getattr(mode, "block", mode) if type(mode) is Unrecorded else None
