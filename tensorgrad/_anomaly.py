"""Anomaly mode: find the operation that first made a NaN or an infinity, in either direction."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from ._config import scope_path
from ._errors import AnomalyError
from ._hooks import extra_of
from ._primitive import Value
from ._tape import Node
from ._watch import Watcher, watching
from ._where import user_position


@contextmanager
def detect_anomaly(*, nan: bool = True, infinity: bool = True) -> Iterator[None]:
    """Raise at the first operation whose result, or whose gradient, is not finite.

    Args:
        nan: look for NaN.
        infinity: look for infinities.

    Raises:
        AnomalyError: names the op, its scope, the line of your code, and the values. For a gradient
            this is the line of the forward operation whose formula gave it.

    Every operation in the block is checked, which makes it several times slower.

    Example:
        >>> import tensorgrad as tg
        >>> x = tg.tensor([4.0, 0.0], requires_grad=True)
        >>> with tg.detect_anomaly():
        ...     y = tg.sqrt(x).sum()
        ...     try:
        ...         y.backward()
        ...     except tg.AnomalyError as error:
        ...         print(str(error).partition(" (")[0])
        backward of sqrt: the gradient of x is not finite in 1 of 2 entries
    """
    with np.errstate(all="ignore"), watching(_Anomaly(nan, infinity)):
        yield


class _Anomaly(Watcher):
    def __init__(self, nan: bool, infinity: bool) -> None:
        self._nan, self._infinity = nan, infinity

    def op(
        self, primitive: Any, args: tuple[Any, ...], params: tuple[Any, ...], result: Any, seconds: float
    ) -> None:
        where = _place()
        for part in result if isinstance(result, tuple) else (result,):
            node = getattr(part, "_node", None)
            if type(node) is Node:
                for one in (node, *node.edges) if node.prim.name == "pick" else (node,):
                    extra_of(one).notes.setdefault("where", where)
            if text := self._describe(getattr(part, "_d", part)):
                raise AnomalyError(
                    f"{primitive.name}: the result is not finite in {text}, computed at {where}"
                )

    def backward(
        self, walk: Any, node: Any, cotangent: Any, results: tuple[Any, ...], seconds: float
    ) -> None:
        extra = node.extra
        where = (
            extra.notes.get("where", "a place outside the block")
            if extra is not None
            else "a place outside the block"
        )
        for i, c in enumerate(results):
            if c is not None and (
                text := self._describe(c if getattr(c, "level", 0) else getattr(c, "_d", c))
            ):
                raise AnomalyError(
                    f"backward of {node.prim.name}: the gradient of {node.prim.input_of(i)} is not finite in {text}, "
                    f"for the operation at {where}"
                )

    def _describe(self, data: Any) -> str:
        if isinstance(data, Value) or not hasattr(data, "dtype") or data.dtype.kind not in "fc":
            return ""
        bad = (np.isnan(data) & self._nan) | (np.isinf(data) & self._infinity)
        count = int(np.count_nonzero(bad))
        if not count:
            return ""
        places = np.argwhere(bad)[:3].tolist()
        values = [f"{tuple(p)}: {np.asarray(data)[tuple(p)]}" for p in places]
        return f"{count} of {np.size(data)} entries ({', '.join(values)}{', ...' if count > 3 else ''})"


def _place() -> str:
    scope = scope_path()
    return user_position() + (f" in scope {scope}" if scope else "")
