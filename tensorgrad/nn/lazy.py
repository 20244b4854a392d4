"""Layers that learn the size of their input at the first call."""

from __future__ import annotations

from typing import Any

from .._errors import ShapeError
from .module import Module, NeedsInput


class Lazy(Module, NeedsInput):
    """Base of lazy layers: the first call makes the parameters and turns the object into the finished layer.

    A subclass names the ``finished`` class and says in ``sizes`` what its constructor needs from an input;
    ``settings`` are the arguments that the user gave.
    """

    finished: type[Module]

    def __init__(self, **settings: Any) -> None:
        self.settings = settings

    def sizes(self, x: Any) -> dict[str, int]:
        """The missing arguments of the finished layer, read from an input."""
        raise NotImplementedError

    def is_ready(self) -> bool:
        """No: what is ready is of the finished class."""
        return False

    def forward(self, x: Any) -> Any:
        """Become the finished layer, and apply it."""
        if not getattr(x, "ndim", 0):
            raise ShapeError(
                f"{type(self).__name__}: an input without axes given; its features cannot be read"
            )
        kept = {name: value for name, value in vars(self).items() if name != "settings"}
        made = self.finished(**self.sizes(x), **self.settings)
        vars(self).clear()
        self.__class__ = self.finished  # type: ignore[assignment]
        vars(self).update({**vars(made), **kept})
        return self.forward(x)

    def extra_repr(self) -> str:
        """The settings."""
        return ", ".join(f"{name}={value}" for name, value in self.settings.items())
