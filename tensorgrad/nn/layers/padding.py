"""Padding as layers; the counts are (before, after) of the last axis, then of the one before it, and so on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from ..._errors import ShapeError
from .. import functional as F
from .settings import Configured, layer


@layer
class _Pad(Configured):
    """Elements added at the ends of the last axes, or taken away where a count is negative.

    Args:
        padding: one count for all ends, or two for each axis, the last axis first.

    Raises:
        ShapeError: there are not two counts for each axis.
    """

    padding: int | Sequence[int]
    rank: ClassVar[int]
    mode: ClassVar[str] = "constant"

    def __post_init__(self) -> None:
        counts = (self.padding,) * 2 * self.rank if isinstance(self.padding, int) else tuple(self.padding)
        if len(counts) != 2 * self.rank:
            raise ShapeError(
                f"{type(self).__name__}: padding is {self.padding}; one count, or {2 * self.rank}, are needed"
            )
        self.padding = counts

    def forward(self, x: Any) -> Any:
        """Apply `nn.functional.pad` to ``(N, C, ...)`` or ``(C, ...)``."""
        if x.ndim not in (self.rank + 1, self.rank + 2):
            raise ShapeError(
                f"{type(self).__name__}: an input of shape {x.shape} given; {self.rank + 1} or {self.rank + 2} axes "
                "are needed"
            )
        return F.pad(x, self.padding, self.mode, getattr(self, "value", None))  # type: ignore[arg-type]


@layer
class _ConstantPad(_Pad):
    """A number put at the ends.

    Args:
        padding: one count for all ends, or two for each axis, the last axis first.
        value: the number.
    """

    value: float


class ConstantPad1d(_ConstantPad):
    """A number put at the ends of the last axis of ``(N, C, L)``."""

    rank = 1


class ConstantPad2d(_ConstantPad):
    """A number put at the ends of the last 2 axes of ``(N, C, H, W)``."""

    rank = 2


class ConstantPad3d(_ConstantPad):
    """A number put at the ends of the last 3 axes of ``(N, C, D, H, W)``."""

    rank = 3


class ReflectionPad1d(_Pad):
    """The elements in reverse order, the last one not repeated, for ``(N, C, L)``."""

    rank = 1
    mode = "reflect"


class ReflectionPad2d(_Pad):
    """The elements in reverse order, the last one not repeated, for ``(N, C, H, W)``."""

    rank = 2
    mode = "reflect"


class ReflectionPad3d(_Pad):
    """The elements in reverse order, the last one not repeated, for ``(N, C, D, H, W)``."""

    rank = 3
    mode = "reflect"


class ReplicationPad1d(_Pad):
    """The last element repeated, for ``(N, C, L)``."""

    rank = 1
    mode = "replicate"


class ReplicationPad2d(_Pad):
    """The last element repeated, for ``(N, C, H, W)``."""

    rank = 2
    mode = "replicate"


class ReplicationPad3d(_Pad):
    """The last element repeated, for ``(N, C, D, H, W)``."""

    rank = 3
    mode = "replicate"


class CircularPad1d(_Pad):
    """The elements from the other end, for ``(N, C, L)``."""

    rank = 1
    mode = "circular"


class CircularPad2d(_Pad):
    """The elements from the other end, for ``(N, C, H, W)``."""

    rank = 2
    mode = "circular"


class CircularPad3d(_Pad):
    """The elements from the other end, for ``(N, C, D, H, W)``."""

    rank = 3
    mode = "circular"


class ZeroPad1d(_Pad):
    """Zeros put at the ends, for ``(N, C, L)``."""

    rank = 1


class ZeroPad2d(_Pad):
    """Zeros put at the ends, for ``(N, C, H, W)``."""

    rank = 2


class ZeroPad3d(_Pad):
    """Zeros put at the ends, for ``(N, C, D, H, W)``."""

    rank = 3
