"""Activations that work on each element, in forms that neither overflow nor lose digits.

Where a function has a kink its slope is PyTorch's: 0 at 0 for `relu`, at both bounds for `hardtanh` and its kin,
and that of the left side for `leaky_relu`, `elu` and theirs. ``inplace=True`` gives the result to the input itself.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from ... import ops
from ..._errors import ShapeError
from ..._primitive import Value
from ..._random import uniform
from ...ops import activations as cards
from ...ops import fused
from ...ops import sigmoid as sigmoid
from ...ops import tanh as tanh
from ...ops.shape import lifted
from .inplace import settled

if TYPE_CHECKING:
    from ..._random import Generator

# The fixed point of mean 0 and variance 1, to the digits of float64.
SELU_ALPHA, SELU_SCALE = 1.6732632423543772, 1.0507009873554805

# ---- straight pieces


def relu(input: Any, inplace: bool = False) -> Any:
    """``max(x, 0)``.

    Example:
        >>> import tensorgrad as tg
        >>> tg.nn.functional.relu(tg.tensor([-1.0, 0.0, 2.0]))
        tensor([0., 0., 2.])
    """
    return settled(input, ops.relu(input), inplace)


def relu6(input: Any, inplace: bool = False) -> Any:
    """``min(max(x, 0), 6)``."""
    return hardtanh(input, 0.0, 6.0, inplace)


def hardtanh(input: Any, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> Any:
    """``x`` between two bounds, else the nearer of them.

    Raises:
        ShapeError: ``min_val`` is greater than ``max_val``.
    """
    if not min_val <= max_val:
        raise ShapeError(f"hardtanh: min_val {min_val} is greater than max_val {max_val}")
    return settled(input, cards.hardtanh(input, low=min_val, high=max_val), inplace)


def hardsigmoid(input: Any, inplace: bool = False) -> Any:
    """``relu6(x + 3) / 6``, a sigmoid of three straight pieces."""
    return settled(input, _hard_gate(lifted("hardsigmoid", input)), inplace)


def hardswish(input: Any, inplace: bool = False) -> Any:
    """``x * relu6(x + 3) / 6``.

    Source:
        A. Howard et al., "Searching for MobileNetV3", ICCV 2019.
    """
    x = lifted("hardswish", input)
    return settled(input, x * _hard_gate(x), inplace)


def leaky_relu(input: Any, negative_slope: float = 0.01, inplace: bool = False) -> Any:
    """``x`` where it is positive, else ``negative_slope * x``."""
    return settled(input, _two_slopes(lifted("leaky_relu", input), negative_slope), inplace)


def prelu(input: Any, weight: Any) -> Any:
    """``x`` where it is positive, else ``weight * x`` with a weight that is learned.

    Args:
        input: ``(N, C, ...)``, or of any shape for a single weight.
        weight: ``(C,)`` or ``(1,)``.

    Raises:
        ShapeError: there is neither one weight nor one for each channel.

    Source:
        K. He et al., "Delving deep into rectifiers", ICCV 2015.
    """
    x, weight = lifted("prelu", input), lifted("prelu", weight)
    channels = x.shape[1] if x.ndim > 1 else 1
    count = math.prod(weight.shape)
    if weight.ndim > 1 or count not in (1, channels):
        raise ShapeError(
            f"prelu: weights of shape {weight.shape} for an input of shape {x.shape}; one is needed, or {channels}"
        )
    shape = (count, *[1] * (x.ndim - 2)) if x.ndim > 1 else (1,) * x.ndim
    return _two_slopes(x, ops.reshape(weight, shape))


def rrelu(
    input: Any,
    lower: float = 1 / 8,
    upper: float = 1 / 3,
    training: bool = False,
    inplace: bool = False,
    *,
    generator: Generator | None = None,
) -> Any:
    """`leaky_relu` with a slope drawn for each element from [lower, upper), or their mean when not training.

    Raises:
        ShapeError: ``lower`` is greater than ``upper``.

    Source:
        B. Xu et al., "Empirical evaluation of rectified activations in convolution network", arXiv:1505.00853.
    """
    x = lifted("rrelu", input)
    if not lower <= upper:
        raise ShapeError(f"rrelu: lower {lower} is greater than upper {upper}")
    slope: Any = (lower + upper) / 2
    if training:
        slope = uniform(lower, upper, x.shape, generator=generator, dtype=x.dtype)
        slope = slope if isinstance(x, Value) else slope.numpy()
    return settled(input, _two_slopes(x, slope), inplace)


def threshold(input: Any, threshold: float, value: float, inplace: bool = False) -> Any:
    """``x`` where it is greater than ``threshold``, else ``value``."""
    x = lifted("threshold", input)
    return settled(input, ops.where(x <= threshold, value, x), inplace)


def softshrink(input: Any, lambd: float = 0.5) -> Any:
    """``x`` moved towards 0 by ``lambd``, and 0 where it would pass it.

    Raises:
        ShapeError: ``lambd`` is negative.
    """
    x = lifted("softshrink", input)
    if not lambd >= 0:
        raise ShapeError(f"softshrink: lambd is {lambd}; 0 or more is needed")
    return x - ops.clip(x, -lambd, lambd)


def hardshrink(input: Any, lambd: float = 0.5) -> Any:
    """``x``, and 0 where it lies between ``-lambd`` and ``lambd``."""
    x = lifted("hardshrink", input)
    return ops.where((x >= -lambd) & (x <= lambd), 0.0, x)


# ---- exponentials on the left


def elu(input: Any, alpha: float = 1.0, inplace: bool = False) -> Any:
    """``x`` where it is positive, else ``alpha * (exp(x) - 1)``.

    Source:
        D.-A. Clevert et al., "Fast and accurate deep network learning by exponential linear units", ICLR 2016.
    """
    return settled(input, _exponential_left(lifted("elu", input), alpha, 1.0), inplace)


def selu(input: Any, inplace: bool = False) -> Any:
    """`elu` with the scale and alpha that keep activations at mean 0 and variance 1.

    Source:
        G. Klambauer et al., "Self-normalizing neural networks", NeurIPS 2017.
    """
    return settled(input, SELU_SCALE * _exponential_left(lifted("selu", input), SELU_ALPHA, 1.0), inplace)


def celu(input: Any, alpha: float = 1.0, inplace: bool = False) -> Any:
    """``x`` where it is positive, else ``alpha * (exp(x / alpha) - 1)``, which is smooth at 0.

    Raises:
        ShapeError: ``alpha`` is 0.

    Source:
        J. T. Barron, "Continuously differentiable exponential linear units", arXiv:1704.07483.
    """
    if alpha == 0:
        raise ShapeError("celu: alpha is 0, and x is divided by it")
    return settled(input, _exponential_left(lifted("celu", input), alpha, alpha), inplace)


# ---- smooth


def gelu(input: Any, approximate: str = "none") -> Any:
    """``x`` times the normal distribution function of ``x``.

    Args:
        input: of any shape.
        approximate: ``"none"``, or ``"tanh"`` for the formula with a hyperbolic tangent.

    Raises:
        ShapeError: ``approximate`` is something else.

    Example:
        >>> import numpy as np, tensorgrad as tg
        >>> tg.nn.functional.gelu(np.array([-1.0, 0.0, 1.0]))
        array([-0.15865525,  0.        ,  0.84134475])

    Source:
        D. Hendrycks and K. Gimpel, "Gaussian error linear units", arXiv:1606.08415.
    """
    x = lifted("gelu", input)
    if approximate == "none":
        return fused.gelu(x)
    if approximate != "tanh":
        raise ShapeError(f"gelu: approximate is {approximate!r}; 'none' and 'tanh' are known")
    z = ops.clip(x, -10.0, 10.0)  # the tangent is -1 or 1 farther out, and the cube could overflow
    slope = math.sqrt(2 / math.pi)
    return 0.5 * x * (1 + tanh(z * (slope + 0.044715 * slope * (z * z))))


def silu(input: Any, inplace: bool = False) -> Any:
    """``x * sigmoid(x)``, also known as swish.

    Source:
        S. Elfwing et al., "Sigmoid-weighted linear units", Neural Networks 107 (2018).
    """
    x = lifted("silu", input)
    return settled(input, x * sigmoid(x), inplace)


def mish(input: Any, inplace: bool = False) -> Any:
    """``x * tanh(softplus(x))``.

    Source:
        D. Misra, "Mish: a self regularized non-monotonic activation function", BMVC 2020.
    """
    x = lifted("mish", input)
    return settled(input, x * tanh(cards.softplus(x)), inplace)


def softplus(input: Any, beta: float = 1.0, threshold: float = 20.0) -> Any:
    """``log(1 + exp(beta * x)) / beta``, and ``x`` where ``beta * x`` is greater than ``threshold``.

    Raises:
        ShapeError: ``beta`` is 0.

    Example:
        >>> import numpy as np, tensorgrad as tg
        >>> tg.nn.functional.softplus(np.array([-50.0, 0.0, 50.0]))
        array([1.92874985e-22, 6.93147181e-01, 5.00000000e+01])
    """
    if beta == 0:
        raise ShapeError("softplus: beta is 0, and the result is divided by it")
    return cards.softplus(input, beta=beta, threshold=threshold)


def logsigmoid(input: Any) -> Any:
    """The logarithm of `sigmoid`, exact where that underflows."""
    return -cards.softplus(-lifted("logsigmoid", input))


def softsign(input: Any) -> Any:
    """``x / (1 + abs(x))``."""
    x = lifted("softsign", input)
    return x / (1 + ops.abs(x))


def tanhshrink(input: Any) -> Any:
    """``x - tanh(x)``."""
    x = lifted("tanhshrink", input)
    return x - tanh(x)


# ---- the same, given to the input itself


def relu_(input: Any) -> Any:
    """`relu` in place."""
    return relu(input, inplace=True)


def leaky_relu_(input: Any, negative_slope: float = 0.01) -> Any:
    """`leaky_relu` in place."""
    return leaky_relu(input, negative_slope, inplace=True)


def rrelu_(
    input: Any,
    lower: float = 1 / 8,
    upper: float = 1 / 3,
    training: bool = False,
    *,
    generator: Generator | None = None,
) -> Any:
    """`rrelu` in place."""
    return rrelu(input, lower, upper, training, inplace=True, generator=generator)


def elu_(input: Any, alpha: float = 1.0) -> Any:
    """`elu` in place."""
    return elu(input, alpha, inplace=True)


def selu_(input: Any) -> Any:
    """`selu` in place."""
    return selu(input, inplace=True)


def celu_(input: Any, alpha: float = 1.0) -> Any:
    """`celu` in place."""
    return celu(input, alpha, inplace=True)


def hardtanh_(input: Any, min_val: float = -1.0, max_val: float = 1.0) -> Any:
    """`hardtanh` in place."""
    return hardtanh(input, min_val, max_val, inplace=True)


def threshold_(input: Any, threshold: float, value: float) -> Any:
    """`threshold` in place."""
    return _threshold(input, threshold, value, inplace=True)


_threshold = threshold  # an argument has that name, too


# ---- parts


def _two_slopes(x: Any, slope: Any) -> Any:
    # At 0 the first part has slope 0 and the second all of its own.
    return ops.relu(x) + slope * ops.clip(x, None, 0)


def _exponential_left(x: Any, alpha: float, width: float) -> Any:
    left = ops.clip(x, None, 0)
    return ops.relu(x) + alpha * ops.expm1(left if width == 1 else left / width)


def _hard_gate(x: Any) -> Any:
    return cards.hardtanh(x + 3.0, low=0.0, high=6.0) / 6
