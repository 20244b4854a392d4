"""Layers without parameters that are their settings and a function of `nn.functional`."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any, TypeVar, dataclass_transform

from ..module import Module

Layer = TypeVar("Layer", bound="Configured")
FROM_CONTEXT: Any = field(default=None, kw_only=True)
"""What the setting ``generator`` is by default: that of the thread or task, when it is needed."""


class Configured(Module):
    """A layer whose annotated attributes are the arguments of its constructor."""

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
