"""Dense layers."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from ..._errors import ShapeError
from ..._random import uniform
from ..._tensor import Parameter
from .. import functional as F
from ..lazy import Lazy
from ..module import Module

if TYPE_CHECKING:
    from numpy.random import Generator


class Linear(Module):
    """A dense layer: ``x @ weight.T + bias``.

    Args:
        in_features: the length of the last axis of the input, at least 0.
        out_features: the length of the last axis of the result, at least 0.
        bias: whether there is one.
        dtype: of the parameters; the default float if None.
        generator: to draw the parameters from; uniform in +-1/sqrt(in_features).

    Example:
        >>> import tensorgrad as tg
        >>> layer = tg.nn.Linear(3, 2)
        >>> layer, layer(tg.ones((5, 3))).shape
        (Linear(in_features=3, out_features=2, bias=True), (5, 2))
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        *,
        dtype: Any = None,
        generator: Generator | None = None,
    ) -> None:
        self.in_features, self.out_features = in_features, out_features
        check_sizes("Linear", in_features=in_features, out_features=out_features)
        bound = 1 / math.sqrt(in_features) if in_features else 0.0
        self.weight = drawn((out_features, in_features), bound, dtype, generator)
        self.bias = drawn((out_features,), bound, dtype, generator) if bias else None

    def forward(self, x: Any) -> Any:
        """Apply the layer to ``(..., in_features)``."""
        return F.linear(x, self.weight, self.bias)

    def extra_repr(self) -> str:
        """The sizes."""
        return (
            f"in_features={self.in_features}, out_features={self.out_features}, bias={self.bias is not None}"
        )


class LazyLinear(Lazy):
    """A `Linear` that reads ``in_features`` from its first input.

    Args:
        out_features: the length of the last axis of the result.
        bias: whether there is one.
        dtype: of the parameters.
        generator: to draw the parameters from.

    Example:
        >>> import tensorgrad as tg
        >>> layer = tg.nn.LazyLinear(2)
        >>> _ = layer(tg.ones((5, 3)))
        >>> layer
        Linear(in_features=3, out_features=2, bias=True)
    """

    finished = Linear

    def __init__(
        self, out_features: int, bias: bool = True, *, dtype: Any = None, generator: Generator | None = None
    ) -> None:
        check_sizes("LazyLinear", out_features=out_features)
        super().__init__(out_features=out_features, bias=bias, dtype=dtype, generator=generator)

    def sizes(self, x: Any) -> dict[str, int]:
        """The features of the input."""
        return {"in_features": x.shape[-1]}


class Bilinear(Module):
    """A layer that is linear in two inputs: ``x1 @ weight[k] @ x2 + bias[k]``.

    Args:
        in1_features: the length of the last axis of the first input, at least 1.
        in2_features: that of the second.
        out_features: that of the result.
        bias: whether there is one.
        dtype: of the parameters; the default float if None.
        generator: to draw the parameters from; uniform in +-1/sqrt(in1_features).
    """

    def __init__(
        self,
        in1_features: int,
        in2_features: int,
        out_features: int,
        bias: bool = True,
        *,
        dtype: Any = None,
        generator: Generator | None = None,
    ) -> None:
        check_sizes("Bilinear", in2_features=in2_features, out_features=out_features)
        if in1_features < 1:
            raise ShapeError(f"Bilinear: in1_features={in1_features}; at least 1 is needed")
        self.in1_features, self.in2_features, self.out_features = in1_features, in2_features, out_features
        bound = 1 / math.sqrt(in1_features)
        self.weight = drawn((out_features, in1_features, in2_features), bound, dtype, generator)
        self.bias = drawn((out_features,), bound, dtype, generator) if bias else None

    def forward(self, x1: Any, x2: Any) -> Any:
        """Apply the layer to two inputs with the same leading axes."""
        return F.bilinear(x1, x2, self.weight, self.bias)

    def extra_repr(self) -> str:
        """The sizes."""
        return (
            f"in1_features={self.in1_features}, in2_features={self.in2_features}, "
            f"out_features={self.out_features}, bias={self.bias is not None}"
        )


def drawn(shape: tuple[int, ...], bound: float, dtype: Any, generator: Generator | None) -> Parameter:
    """A parameter drawn uniformly from -bound to bound."""
    return Parameter(uniform(-bound, bound, shape, generator=generator, dtype=dtype).detach())


def check_sizes(layer: str, **sizes: int) -> None:
    """Raise where a size is not an integer of 0 or more."""
    for name, size in sizes.items():
        if not hasattr(size, "__index__") or size < 0:
            raise ShapeError(f"{layer}: {name}={size!r}; an integer of 0 or more is needed")
