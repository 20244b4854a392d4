"""What users hang on a node of the graph: hooks, a gradient to keep, notes of watchers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ._errors import DtypeError, ShapeError
from ._specialise import plain


class Extra:
    """What users hang on a node: hooks, whether to keep its gradient, notes of watchers."""

    __slots__ = ("grad", "hooks", "keeps_grad", "notes")

    def __init__(self) -> None:
        self.hooks: dict[int, Callable[[Any], Any]] = {}
        self.keeps_grad = False
        self.grad: Any = None
        self.notes: dict[str, Any] = {}


def extra_of(node: Any) -> Extra:
    """The extras of a node, made when first asked for."""
    if node.extra is None:
        node.extra = Extra()
    found: Extra = node.extra
    return found


class HookHandle:
    """Takes a hook away: by ``remove()``, or at the end of a ``with`` block."""

    _count = 0

    def __init__(self, hooks: dict[int, Callable[[Any], Any]], hook: Callable[[Any], Any]) -> None:
        HookHandle._count += 1
        self._hooks, self._key = hooks, HookHandle._count
        hooks[self._key] = hook

    def remove(self) -> None:
        """Take the hook away; a second time does nothing."""
        self._hooks.pop(self._key, None)

    def __enter__(self) -> HookHandle:
        return self

    def __exit__(self, *exception: object) -> None:
        self.remove()


def replacement(g: Any, new: Any, given: Any) -> Any:
    """What a hook returned, ``given``, as ``new`` data checked against the gradient that it replaces."""
    if isinstance(new, int | float | np.ndarray):
        new = plain(np.array(new, order="C"))
    if not hasattr(new, "shape") or not hasattr(new, "dtype"):
        raise DtypeError(
            f"hook: returned a {type(given).__name__}; return None, or a gradient like the one it got"
        )
    if new.shape != g.shape:
        raise ShapeError(
            f"hook: the gradient has shape {g.shape} and the hook returned {new.shape}; return None to "
            "leave it, or a gradient of the same shape"
        )
    if new.dtype.kind not in "biuf" and g.dtype.kind != "c":
        raise DtypeError(f"hook: the gradient has dtype {g.dtype} and the hook returned {new.dtype}")
    return new if new.dtype == g.dtype else new.astype(g.dtype)
