"""What random draws mean to a batch: the batches (`tg.vmap`) that are open in this thread or task."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from typing import Any, NamedTuple

from ._errors import TraceError
from ._levels import new_level

_batches: ContextVar[tuple[Batch, ...]] = ContextVar("tensorgrad_batches", default=())
open_batches = _batches.get
"""The batches that are open, outermost first."""


class Kept:
    """The draws of a batch that runs in parts: all parts get those of the first, in the order in which they ask."""

    def __init__(self) -> None:
        self._made: list[Any] = []
        self._place = 0

    def rewind(self) -> None:
        """Begin another part."""
        self._place = 0

    def next(self, make: Callable[[], Any]) -> Any:
        """The next draw, made if this is the first part."""
        if self._place == len(self._made):
            self._made.append(make())
        self._place += 1
        return self._made[self._place - 1]


class Batch(NamedTuple):
    """A batch that is open.

    Attributes:
        size: how many examples it has.
        randomness: what a draw means to them: ``"error"``, ``"different"`` or ``"same"``.
        wrap: makes a value of ``level`` of one that has the axis of the batch in front.
        kept: where the draws are the same for all and the batch runs in parts, those of the first part.
    """

    level: float
    size: int
    randomness: str
    wrap: Callable[[Any, float], Any]
    kept: Kept | None = None


@contextmanager
def new_batch(
    size: int, randomness: str, wrap: Callable[[Any, float], Any], kept: Kept | None = None
) -> Iterator[int]:
    """Open a level above all that are open, whose values are batches."""
    with new_level() as level:
        token = _batches.set((*_batches.get(), Batch(level, size, randomness, wrap, kept)))
        try:
            yield level
        finally:
            _batches.reset(token)


def check_draw(what: str) -> None:
    """Raise if a batch is open that does not say what a random draw means."""
    if any(batch.randomness == "error" for batch in _batches.get()):
        raise TraceError(
            f"{what}: a random draw inside tg.vmap, which does not say whether the examples share it; "
            'write tg.vmap(f, randomness="different") for a draw of its own for each example, randomness="same" for one '
            "draw for all, or draw outside and pass the numbers as an argument"
        )


def drawn(what: str, size: tuple[int, ...], make: Callable[[tuple[int, ...]], Any]) -> Any:
    """What ``make(size)`` draws, with an axis in front for each open batch whose examples have their own."""
    check_draw(what)
    batches = _batches.get()
    own = [batch for batch in batches if batch.randomness == "different"]
    draw = partial(make, (*[batch.size for batch in own], *size))
    for batch in batches:
        if batch.kept is not None:
            draw = partial(batch.kept.next, draw)
    value = draw()
    for batch in own:
        value = batch.wrap(value, batch.level)
    return value


def draw(card: Any, params: tuple[Any, ...], from_nothing: Callable[[Any, tuple[Any, ...]], Any]) -> Any:
    """Apply an op that draws numbers and has no inputs; ``from_nothing`` applies it to what no batch is open for."""
    place = card.params.index("size")

    def make(size: tuple[int, ...]) -> Any:
        return from_nothing(card, (*params[:place], size, *params[place + 1 :]))

    size = params[place]
    what = str(params[card.params.index("law")] if "law" in card.params else card.name)
    return drawn(what, tuple(size) if isinstance(size, tuple | list) else (size,), make)
