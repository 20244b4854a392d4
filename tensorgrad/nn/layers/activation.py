"""Activations as layers; what each computes, and where it comes from, is said at the function of that name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..._config import get_default_dtype
from ..._errors import ShapeError
from ..._tensor import Parameter
from .. import functional as F
from ..init import constant_
from ..module import Module
from .settings import FROM_CONTEXT, Configured, layer

if TYPE_CHECKING:
    from ..._random import Generator

# ---- of each element


@layer
class ReLU(Configured):
    """``max(x, 0)``."""

    inplace: bool = False

    def forward(self, x: Any) -> Any:
        """Apply `nn.functional.relu`."""
        return F.relu(x, self.inplace)


@layer
class ReLU6(Configured):
    """``min(max(x, 0), 6)``."""

    inplace: bool = False

    def forward(self, x: Any) -> Any:
        """Apply `nn.functional.relu6`."""
        return F.relu6(x, self.inplace)


@layer
class LeakyReLU(Configured):
    """``x`` where it is positive, else ``negative_slope * x``."""

    negative_slope: float = 0.01
    inplace: bool = False

    def forward(self, x: Any) -> Any:
        """Apply `nn.functional.leaky_relu`."""
        return F.leaky_relu(x, self.negative_slope, self.inplace)


@layer
class RReLU(Configured):
    """`LeakyReLU` with slopes drawn from [lower, upper) in training, and their mean in evaluation."""

    lower: float = 1 / 8
    upper: float = 1 / 3
    inplace: bool = False
    generator: Generator | None = FROM_CONTEXT

    def forward(self, x: Any) -> Any:
        """Apply `nn.functional.rrelu`."""
        return F.rrelu(x, self.lower, self.upper, self.training, self.inplace, generator=self.generator)


@layer
class Hardtanh(Configured):
    """``x`` between two bounds, else the nearer of them."""

    min_val: float = -1.0
    max_val: float = 1.0
    inplace: bool = False

    def forward(self, x: Any) -> Any:
        """Apply `nn.functional.hardtanh`."""
        return F.hardtanh(x, self.min_val, self.max_val, self.inplace)


@layer
class Hardsigmoid(Configured):
    """``relu6(x + 3) / 6``."""

    inplace: bool = False

    def forward(self, x: Any) -> Any:
        """Apply `nn.functional.hardsigmoid`."""
        return F.hardsigmoid(x, self.inplace)


@layer
class Hardswish(Configured):
    """``x * relu6(x + 3) / 6``."""

    inplace: bool = False

    def forward(self, x: Any) -> Any:
        """Apply `nn.functional.hardswish`."""
        return F.hardswish(x, self.inplace)


@layer
class Threshold(Configured):
    """``x`` where it is greater than ``threshold``, else ``value``."""

    threshold: float
    value: float
    inplace: bool = False

    def forward(self, x: Any) -> Any:
        """Apply `nn.functional.threshold`."""
        return F.threshold(x, self.threshold, self.value, self.inplace)


@layer
class Softshrink(Configured):
    """``x`` moved towards 0 by ``lambd``, and 0 where it would pass it."""

    lambd: float = 0.5

    def forward(self, x: Any) -> Any:
        """Apply `nn.functional.softshrink`."""
        return F.softshrink(x, self.lambd)


@layer
class Hardshrink(Configured):
    """``x``, and 0 where it lies between ``-lambd`` and ``lambd``."""

    lambd: float = 0.5

    def forward(self, x: Any) -> Any:
        """Apply `nn.functional.hardshrink`."""
        return F.hardshrink(x, self.lambd)


@layer
class ELU(Configured):
    """``x`` where it is positive, else ``alpha * (exp(x) - 1)``."""

    alpha: float = 1.0
    inplace: bool = False

    def forward(self, x: Any) -> Any:
        """Apply `nn.functional.elu`."""
        return F.elu(x, self.alpha, self.inplace)


@layer
class SELU(Configured):
    """`ELU` with the scale and alpha that keep mean 0 and variance 1; start from `init.lecun_normal_`."""

    inplace: bool = False

    def forward(self, x: Any) -> Any:
        """Apply `nn.functional.selu`."""
        return F.selu(x, self.inplace)


@layer
class CELU(Configured):
    """``x`` where it is positive, else ``alpha * (exp(x / alpha) - 1)``."""

    alpha: float = 1.0
    inplace: bool = False

    def forward(self, x: Any) -> Any:
        """Apply `nn.functional.celu`."""
        return F.celu(x, self.alpha, self.inplace)


@layer
class GELU(Configured):
    """The input times the normal distribution function of it; ``approximate="tanh"`` by a formula."""

    approximate: str = "none"

    def forward(self, x: Any) -> Any:
        """Apply `nn.functional.gelu`."""
        return F.gelu(x, self.approximate)


@layer
class SiLU(Configured):
    """``x * sigmoid(x)``, also known as swish."""

    inplace: bool = False

    def forward(self, x: Any) -> Any:
        """Apply `nn.functional.silu`."""
        return F.silu(x, self.inplace)


@layer
class Mish(Configured):
    """``x * tanh(softplus(x))``."""

    inplace: bool = False

    def forward(self, x: Any) -> Any:
        """Apply `nn.functional.mish`."""
        return F.mish(x, self.inplace)


@layer
class Softplus(Configured):
    """``log(1 + exp(beta * x)) / beta``, and ``x`` where ``beta * x > threshold``."""

    beta: float = 1.0
    threshold: float = 20.0

    def forward(self, x: Any) -> Any:
        """Apply `nn.functional.softplus`."""
        return F.softplus(x, self.beta, self.threshold)


class Softsign(Module):
    """``x / (1 + abs(x))``."""

    def forward(self, x: Any) -> Any:
        """Apply `nn.functional.softsign`."""
        return F.softsign(x)


class Sigmoid(Module):
    """``1 / (1 + exp(-x))``."""

    def forward(self, x: Any) -> Any:
        """Apply `nn.functional.sigmoid`."""
        return F.sigmoid(x)


class LogSigmoid(Module):
    """The logarithm of the sigmoid."""

    def forward(self, x: Any) -> Any:
        """Apply `nn.functional.logsigmoid`."""
        return F.logsigmoid(x)


class Tanh(Module):
    """The hyperbolic tangent."""

    def forward(self, x: Any) -> Any:
        """Apply `nn.functional.tanh`."""
        return F.tanh(x)


class Tanhshrink(Module):
    """``x - tanh(x)``."""

    def forward(self, x: Any) -> Any:
        """Apply `nn.functional.tanhshrink`."""
        return F.tanhshrink(x)


class PReLU(Module):
    """`LeakyReLU` with slopes that are learned.

    Args:
        num_parameters: 1, or as many as there are channels.
        init: what the slopes start with.
        dtype: of the slopes; the default float if None.

    Example:
        >>> import tensorgrad as tg
        >>> tg.nn.PReLU()(tg.tensor([-2.0, 2.0])).tolist()
        [-0.5, 2.0]
    """

    def __init__(self, num_parameters: int = 1, init: float = 0.25, *, dtype: Any = None) -> None:
        if num_parameters < 1:
            raise ShapeError(f"PReLU: num_parameters is {num_parameters}; at least 1 is needed")
        self.num_parameters, self.init = num_parameters, init
        self.weight = Parameter(np.full(num_parameters, init), dtype or get_default_dtype())

    def reset_parameters(self) -> None:
        """Start again."""
        constant_(self.weight, self.init)

    def forward(self, x: Any) -> Any:
        """Apply `nn.functional.prelu`."""
        return F.prelu(x, self.weight)

    def extra_repr(self) -> str:
        """The number of slopes."""
        return f"num_parameters={self.num_parameters}"


# ---- along an axis


@layer
class Softmax(Configured):
    """Exponentials scaled to sum to 1 along an axis."""

    dim: int | None = None

    def forward(self, x: Any) -> Any:
        """Apply `nn.functional.softmax`."""
        return F.softmax(x, self.dim)


@layer
class LogSoftmax(Configured):
    """The logarithm of `Softmax`."""

    dim: int | None = None

    def forward(self, x: Any) -> Any:
        """Apply `nn.functional.log_softmax`."""
        return F.log_softmax(x, self.dim)


@layer
class Softmin(Configured):
    """`Softmax` of ``-x``."""

    dim: int | None = None

    def forward(self, x: Any) -> Any:
        """Apply `nn.functional.softmin`."""
        return F.softmin(x, self.dim)


@layer
class Sparsemax(Configured):
    """The nearest point of the probability simplex along an axis."""

    dim: int = -1

    def forward(self, x: Any) -> Any:
        """Apply `nn.functional.sparsemax`."""
        return F.sparsemax(x, self.dim)


@layer
class GLU(Configured):
    """The first half along an axis times the sigmoid of the second."""

    dim: int = -1

    def forward(self, x: Any) -> Any:
        """Apply `nn.functional.glu`."""
        return F.glu(x, self.dim)


@layer
class Maxout(Configured):
    """The largest of each ``pool_size`` elements side by side along an axis."""

    pool_size: int
    dim: int = 1

    def forward(self, x: Any) -> Any:
        """Apply `nn.functional.maxout`."""
        return F.maxout(x, self.pool_size, self.dim)


class Softmax2d(Module):
    """`Softmax` over the channels of ``(N, C, H, W)`` or ``(C, H, W)``."""

    def forward(self, x: Any) -> Any:
        """Apply `nn.functional.softmax` to the third axis from the end."""
        if x.ndim not in (3, 4):
            raise ShapeError(f"Softmax2d: an input of shape {x.shape} given; 3 or 4 axes are needed")
        return F.softmax(x, -3)
