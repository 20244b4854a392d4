"""Layers without parameters that are their settings and a function of `nn.functional`."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any, TypeVar, dataclass_transform

from ..._errors import DtypeError
from ..module import Module

Layer = TypeVar("Layer", bound="Configured")
FROM_CONTEXT: Any = field(default=None, kw_only=True)
"""What the setting ``generator`` is by default: that of the thread or task, when it is needed."""


class Configured(Module):
    """A layer whose annotated attributes are the arguments of its constructor."""

    def __post_init__(self) -> None:
        for one in fields(self):  # type: ignore[arg-type]
            if getattr(getattr(self, one.name), "shape", ()):
                name = type(self).__name__
                raise DtypeError(
                    f"{name}: {one.name} is an array; make the layer first, then call it: nn.{name}()(x)"
                )

    def extra_repr(self) -> str:
        """The settings, but for a generator, and for ``inplace`` where it is not set."""
        names = [one.name for one in fields(self) if not one.name.startswith("_")]  # type: ignore[arg-type]
        shown = {name: getattr(self, name) for name in names}
        shown.pop("generator", None)
        if not shown.get("inplace"):
            shown.pop("inplace", None)
        return ", ".join([f"{name}={value!r}" for name, value in shown.items()])


@dataclass_transform(eq_default=False, field_specifiers=(field,))
def layer(cls: type[Layer]) -> type[Layer]:
    """Make the constructor of a `Configured` class from its annotations."""
    return dataclass(eq=False, repr=False)(cls)
