"""Initial values, written into a parameter in place, by PyTorch's names.

Each function returns the tensor that it was given: the same object with the same memory. Weights have the
shape ``(out, in, *kernel)``. With the same generator the numbers are the same in every dtype, up to rounding.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from .._config import no_grad
from .._errors import DtypeError, ShapeError
from .._random import host_generator, normal, uniform
from .._tensor import Parameter, Tensor, overwrite

if TYPE_CHECKING:
    from .._random import Generator

T = TypeVar("T", bound=Tensor)

# ---- one law for all elements


def uniform_(tensor: T, a: float = 0.0, b: float = 1.0, generator: Generator | None = None) -> T:
    """Fill with uniform numbers in [a, b).

    Example:
        >>> import tensorgrad as tg
        >>> w = tg.nn.Parameter(tg.zeros(100))
        >>> tg.nn.init.uniform_(w, 2.0, 3.0) is w
        True
        >>> bool((w >= 2).all() & (w < 3).all())
        True
    """
    return _drawn(
        "uniform_", tensor, lambda shape: uniform(a, b, shape, generator=generator, dtype=tensor.dtype)
    )


def normal_(tensor: T, mean: float = 0.0, std: float = 1.0, generator: Generator | None = None) -> T:
    """Fill with numbers from a normal distribution."""
    return _drawn(
        "normal_", tensor, lambda shape: normal(mean, std, shape, generator=generator, dtype=tensor.dtype)
    )


def small_normal_(tensor: T, scale: float = 0.01, generator: Generator | None = None) -> T:
    """Fill with ``scale`` times standard normal numbers: the usual start of networks written by hand."""
    return normal_(tensor, 0.0, scale, generator)


def trunc_normal_(
    tensor: T,
    mean: float = 0.0,
    std: float = 1.0,
    a: float = -2.0,
    b: float = 2.0,
    generator: Generator | None = None,
) -> T:
    """Fill with numbers from a normal distribution under the condition that they lie in [a, b].

    Args:
        tensor: what is filled.
        mean: of the normal distribution before it is cut.
        std: its standard deviation.
        a: the lower end, in the units of the result and not in standard deviations.
        b: the upper end.
        generator: the source, by default that of this thread or task.
    """
    from ..random import truncated_normal

    def draw(shape: Any) -> Any:
        return truncated_normal(mean, std, a, b, shape, generator=generator, dtype=tensor.dtype)

    return _drawn("trunc_normal_", tensor, draw)


def constant_(tensor: T, val: float) -> T:
    """Fill with one number."""
    return _written("constant_", tensor, np.full(tensor.shape, val))


def ones_(tensor: T) -> T:
    """Fill with ones."""
    return constant_(tensor, 1.0)


def zeros_(tensor: T) -> T:
    """Fill with zeros."""
    return constant_(tensor, 0.0)


# ---- scaled by how many numbers go in and out


def xavier_uniform_(tensor: T, gain: float = 1.0, generator: Generator | None = None) -> T:
    """Fill with uniform numbers of variance ``gain**2 * 2 / (fan_in + fan_out)``, also known as Glorot's.

    Source:
        X. Glorot and Y. Bengio, "Understanding the difficulty of training deep feedforward neural networks",
        AISTATS 2010.
    """
    bound = gain * math.sqrt(6 / sum(fans("xavier_uniform_", tensor)))
    return uniform_(tensor, -bound, bound, generator)


def xavier_normal_(tensor: T, gain: float = 1.0, generator: Generator | None = None) -> T:
    """Fill with normal numbers of variance ``gain**2 * 2 / (fan_in + fan_out)``, also known as Glorot's."""
    return normal_(tensor, 0.0, gain * math.sqrt(2 / sum(fans("xavier_normal_", tensor))), generator)


def kaiming_uniform_(
    tensor: T,
    a: float = 0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Generator | None = None,
) -> T:
    """Fill with uniform numbers of variance ``gain**2 / fan``, also known as He's.

    Args:
        tensor: what is filled, with two axes or more.
        a: the negative slope of the leaky ReLU that follows.
        mode: ``"fan_in"`` keeps the variance forwards, ``"fan_out"`` backwards.
        nonlinearity: what follows, see `calculate_gain`.
        generator: the source, by default that of this thread or task.

    Raises:
        ShapeError: there are fewer than two axes, or ``mode`` or ``nonlinearity`` is unknown.

    Source:
        K. He et al., "Delving deep into rectifiers", ICCV 2015.
    """
    bound = math.sqrt(3) * _kaiming_std("kaiming_uniform_", tensor, a, mode, nonlinearity)
    return uniform_(tensor, -bound, bound, generator)


def kaiming_normal_(
    tensor: T,
    a: float = 0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Generator | None = None,
) -> T:
    """Fill with normal numbers of variance ``gain**2 / fan``; see `kaiming_uniform_`."""
    return normal_(tensor, 0.0, _kaiming_std("kaiming_normal_", tensor, a, mode, nonlinearity), generator)


def lecun_uniform_(tensor: T, generator: Generator | None = None) -> T:
    """Fill with uniform numbers of variance ``1 / fan_in``.

    Source:
        Y. LeCun et al., "Efficient BackProp", in: Neural Networks, Tricks of the Trade, Springer 1998.
    """
    bound = math.sqrt(3 / fans("lecun_uniform_", tensor)[0])
    return uniform_(tensor, -bound, bound, generator)


def lecun_normal_(tensor: T, generator: Generator | None = None) -> T:
    """Fill with normal numbers of variance ``1 / fan_in``, which `SELU` asks for; they are not cut off."""
    return normal_(tensor, 0.0, 1 / math.sqrt(fans("lecun_normal_", tensor)[0]), generator)


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """By how much weights must be larger for what follows to keep the variance.

    Args:
        nonlinearity: ``"linear"``, ``"conv2d"`` and so on, ``"sigmoid"``, ``"tanh"``, ``"relu"``, ``"leaky_relu"``
            or ``"selu"``.
        param: the negative slope of a leaky ReLU, 0.01 by default.

    Raises:
        ShapeError: the name is unknown, or ``param`` is no number.

    Example:
        >>> import tensorgrad as tg
        >>> round(tg.nn.init.calculate_gain("leaky_relu", 1.0), 6)
        1.0
    """
    if nonlinearity not in _GAINS:
        raise ShapeError(f"calculate_gain: nonlinearity is {nonlinearity!r}; {', '.join(_GAINS)} are known")
    if nonlinearity != "leaky_relu":
        return _GAINS[nonlinearity]
    slope = 0.01 if param is None else param
    if isinstance(slope, bool) or not isinstance(slope, int | float):
        raise ShapeError(f"calculate_gain: param is {param!r}; the negative slope, a number, is needed")
    return math.sqrt(2 / (1 + slope**2))


# ---- matrices and kernels with a structure


def eye_(tensor: T) -> T:
    """Fill a matrix with ones on the diagonal and zeros elsewhere."""
    _matrix("eye_", tensor)
    return _written("eye_", tensor, np.eye(tensor.shape[0], tensor.shape[1]))


def dirac_(tensor: T, groups: int = 1) -> T:
    """Fill the kernel of a convolution so that it hands on as many channels as it can.

    Args:
        tensor: ``(out, in / groups, *kernel)`` with one to three axes of the kernel.
        groups: of the convolution; each hands on channels of its own.

    Raises:
        ShapeError: ``tensor`` is no such kernel, or ``groups`` does not divide its length.
    """
    shape = tensor.shape
    if len(shape) not in (3, 4, 5):
        raise ShapeError(f"dirac_: a tensor of shape {shape} given; a kernel with 3, 4 or 5 axes is needed")
    if groups < 1 or shape[0] % groups:
        raise ShapeError(f"dirac_: {shape[0]} filters cannot be divided into {groups} groups")
    values: Any = np.zeros(shape)
    each = shape[0] // groups
    middle = tuple([n // 2 for n in shape[2:]])
    for channel in range(min(each, shape[1])):
        values[(slice(channel, None, each), channel, *middle)] = 1
    return _written("dirac_", tensor, values)


def orthogonal_(tensor: T, gain: float = 1, generator: Generator | None = None) -> T:
    """Fill with a random matrix whose rows, or whose columns if these are fewer, are orthonormal times ``gain``.

    Args:
        tensor: what is filled; axes behind the second are taken together with it.
        gain: the factor.
        generator: the source, by default that of this thread or task.

    Raises:
        ShapeError: there are fewer than two axes.

    Source:
        A. Saxe et al., "Exact solutions to the nonlinear dynamics of learning in deep linear neural networks",
        ICLR 2014; F. Mezzadri, "How to generate random matrices from the classical compact groups", Notices of
        the AMS 54 (2007), for the signs.
    """
    if tensor.ndim < 2:
        raise ShapeError(f"orthogonal_: a tensor of shape {tensor.shape} given; two axes or more are needed")

    def draw(shape: tuple[int, ...]) -> Any:
        rows, columns = shape[0], math.prod(shape[1:])
        if not rows * columns:
            return np.zeros(shape)
        noise = host_generator("orthogonal_", generator).standard_normal(
            (max(rows, columns), min(rows, columns))
        )
        q, r = np.linalg.qr(noise)
        q = q * np.copysign(gain, np.diag(r))  # without the signs the law would not be uniform
        return (q if rows >= columns else q.T).reshape(shape)

    return _drawn("orthogonal_", tensor, draw)


def sparse_(tensor: T, sparsity: float, std: float = 0.01, generator: Generator | None = None) -> T:
    """Fill a matrix with normal numbers, and the same share of each column with zeros.

    Args:
        tensor: a matrix.
        sparsity: the share of zeros in a column, from 0 to 1; their count is rounded up.
        std: the standard deviation of the others.
        generator: the source, by default that of this thread or task.

    Raises:
        ShapeError: ``tensor`` is no matrix, or ``sparsity`` not from 0 to 1.

    Source:
        J. Martens, "Deep learning via Hessian-free optimization", ICML 2010.
    """
    _matrix("sparse_", tensor)
    if not 0 <= sparsity <= 1:
        raise ShapeError(f"sparse_: sparsity is {sparsity}; a share from 0 to 1 is needed")

    def draw(shape: tuple[int, ...]) -> Any:
        source = host_generator("sparse_", generator)
        values = source.normal(0.0, std, shape)
        order = source.permuted(np.broadcast_to(np.arange(shape[0])[:, None], shape), axis=0)
        values[order < math.ceil(sparsity * shape[0])] = 0
        return values

    return _drawn("sparse_", tensor, draw)


# ---- parts


def fans(op: str, tensor: Any) -> tuple[int, int]:
    """How many numbers of the input make one of the output, and the other way round."""
    if tensor.ndim < 2:
        raise ShapeError(
            f"{op}: a tensor of shape {tensor.shape} given; two axes (out, in) or more are needed"
        )
    field = math.prod(tensor.shape[2:])
    return max(1, tensor.shape[1] * field), max(1, tensor.shape[0] * field)


_GAINS = {
    "linear": 1.0,
    **{f"conv{way}{rank}d": 1.0 for way in ("", "_transpose") for rank in (1, 2, 3)},
    "sigmoid": 1.0,
    "tanh": 5 / 3,
    "relu": math.sqrt(2),
    "leaky_relu": math.sqrt(2 / (1 + 0.01**2)),
    "selu": 3 / 4,
}


def _kaiming_std(op: str, tensor: Tensor, a: float, mode: str, nonlinearity: str) -> float:
    modes = ("fan_in", "fan_out")
    if mode not in modes:
        raise ShapeError(f"{op}: mode is {mode!r}; 'fan_in' and 'fan_out' are known")
    return calculate_gain(nonlinearity, a) / math.sqrt(fans(op, tensor)[modes.index(mode)])


def _matrix(op: str, tensor: Tensor) -> None:
    if tensor.ndim != 2:
        raise ShapeError(f"{op}: a tensor of shape {tensor.shape} given; a matrix is needed")


def _drawn(op: str, tensor: T, draw: Callable[[tuple[int, ...]], Any]) -> T:
    if tensor.dtype.kind not in "f":
        raise DtypeError(f"{op}: a tensor of dtype {tensor.dtype} given; random numbers need a floating one")
    host_generator(op, None)  # what all examples of a batch share must not have a draw for each
    return _written(op, tensor, np.asarray(draw(tensor.shape)))


def _written(op: str, tensor: T, values: Any) -> T:
    values = values.astype(tensor.dtype)
    if isinstance(tensor, Parameter):
        overwrite(tensor, values, op)
    else:  # other tensors may share their memory, and keep it to themselves only as `[...] =` does
        with no_grad():
            tensor[...] = values
    return tensor
