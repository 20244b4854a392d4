"""Dropout as layers: they draw in training, and hand on their input in evaluation."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

from ..._errors import ShapeError
from .. import functional as F
from .settings import FROM_CONTEXT, Configured, layer

if TYPE_CHECKING:
    from ..._random import Generator


@layer
class Dropout(Configured):
    """Elements set to 0 with probability ``p`` while training, the others divided by ``1 - p``.

    Args:
        p: the probability, from 0 to 1.
        inplace: give the result to the input itself.
        generator: the source, by default that of the thread or task at each call.

    Raises:
        ShapeError: ``p`` is not from 0 to 1.

    Example:
        >>> import tensorgrad as tg
        >>> tg.nn.Dropout(0.9).eval()(tg.ones(3))
        tensor([1., 1., 1.])
    """

    p: float = 0.5
    inplace: bool = False
    generator: Generator | None = FROM_CONTEXT
    function: ClassVar[Callable[..., Any]] = staticmethod(F.dropout)

    def __post_init__(self) -> None:
        if not 0 <= self.p <= 1:
            raise ShapeError(f"{type(self).__name__}: p is {self.p}; a probability from 0 to 1 is needed")

    def forward(self, x: Any) -> Any:
        """Apply the function."""
        return self.function(x, self.p, self.training, self.inplace, generator=self.generator)


class Dropout1d(Dropout):
    """`Dropout` of whole channels of ``(N, C, L)`` or ``(C, L)``."""

    function = staticmethod(F.dropout1d)


class Dropout2d(Dropout):
    """`Dropout` of whole channels of ``(N, C, H, W)``."""

    function = staticmethod(F.dropout2d)


class Dropout3d(Dropout):
    """`Dropout` of whole channels of ``(N, C, D, H, W)`` or ``(C, D, H, W)``."""

    function = staticmethod(F.dropout3d)


class AlphaDropout(Dropout):
    """`Dropout` that keeps mean 0 and variance 1 of what comes from `SELU`."""

    function = staticmethod(F.alpha_dropout)


class FeatureAlphaDropout(Dropout):
    """`AlphaDropout` of whole channels."""

    function = staticmethod(F.feature_alpha_dropout)
