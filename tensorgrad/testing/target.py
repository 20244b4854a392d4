"""What can be checked of the objects that a command line names."""

from __future__ import annotations

import inspect
from typing import Any

from .._target import UsageError
from ..transforms import Function
from .subject import Subject


def checkable(value: Any, target: str) -> Any:
    """The function to check: a callable as it is, the op of a `tensorgrad.Function`, or a `Subject`.

    Raises:
        UsageError: it is no function.
    """
    owner = getattr(value, "__self__", None)
    kind = owner if isinstance(owner, type) and value == getattr(owner, "apply", None) else value
    if isinstance(kind, type) and issubclass(kind, Function):
        return applied(kind)
    if isinstance(value, type):
        raise UsageError(
            f"{target} is a class; name a function, an instance that can be called or a Function"
        )
    if not callable(value) and not isinstance(value, Subject):
        raise UsageError(f"{target} is of type {type(value).__name__}, not a function")
    return value


def applied(kind: type[Function]) -> Any:
    """``kind.apply`` as a function with the name of ``kind`` and the arguments of its ``forward``."""

    def apply(*args: Any) -> Any:
        return kind.apply(*args)

    parameters = list(inspect.signature(kind.forward).parameters.values())[1:]
    apply.__name__, apply.__module__ = kind.__name__, kind.__module__
    apply.__qualname__ = f"{kind.__qualname__}.apply"
    apply.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    apply.stands_for = kind.apply  # type: ignore[attr-defined]
    return apply
