"""What the values of transformations have in common: they are tensors to the user's code, without data of their own."""

from __future__ import annotations

from typing import Any

from .. import ops
from .._array import Array
from .._errors import GradientError
from .._tensor import Tensor


class Inside(Tensor):
    """A value that stands for a tensor while a function runs inside of a transformation.

    It is a `Tensor`, so that ``isinstance(x, tg.Tensor)`` in a model holds there too. What it is made of only
    its transformation sees: nothing here is recorded for ``backward``, and there are no numbers to look at.
    """

    __slots__ = ()

    @property
    def _node(self) -> None:  # type: ignore[override]
        return None

    @property
    def _d(self) -> Any:
        return self._leave("plain data")

    def requires_grad_(self, requires_grad: bool = True) -> Any:
        """Refused inside a transformation; ``False`` changes nothing."""
        if requires_grad:
            raise GradientError(
                "requires_grad: gradients of a value inside a transformation (tg.grad, tg.vmap, tg.jvp) come from tg.grad"
            )
        return self

    @property
    def requires_grad(self) -> bool:
        """Whether gradients flow to this value by ``backward``; never to a value of a transformation."""
        return False

    @requires_grad.setter
    def requires_grad(self, wanted: bool) -> None:
        self.requires_grad_(wanted)

    shape = Array.shape
    dtype = Array.dtype
    __setitem__ = Array.__setitem__
    _leave = Array._leave

    def __copy__(self) -> Any:
        return ops.positive(self) if self.dtype.kind != "b" else ops.logical_and(self, self)
