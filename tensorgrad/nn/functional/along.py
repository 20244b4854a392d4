"""Activations that look along an axis: softmax and its kin, gates, the largest of several, unit length."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from ... import ops
from ..._errors import ShapeError
from ..._primitive import Value
from ..._random import draw
from ..._tensor import Tensor
from ...ops.linalg import vector_norm
from ...ops.shape import lifted, normalise_axis

if TYPE_CHECKING:
    from numpy.typing import DTypeLike

    from ..._random import Generator


# ---- shares


def softmax(input: Any, dim: int | None = None, *, dtype: DTypeLike | None = None) -> Any:
    """Exponentials scaled to sum to 1 along an axis.

    Args:
        input: of any shape.
        dim: the axis. Without, it is chosen as PyTorch does, with a warning: 0 for 0, 1 or 3 axes, else 1.
        dtype: what the input is converted to before.

    Raises:
        ShapeError: the input has no such axis.

    Example:
        >>> import tensorgrad as tg
        >>> tg.nn.functional.softmax(tg.tensor([1000.0, 1000.0]), dim=0)
        tensor([0.5, 0.5])
    """
    x, axis = _prepared("softmax", input, dim, dtype)
    return ops.softmax(x, axis)


def log_softmax(input: Any, dim: int | None = None, *, dtype: DTypeLike | None = None) -> Any:
    """The logarithm of `softmax`, exact where that underflows."""
    x, axis = _prepared("log_softmax", input, dim, dtype)
    return ops.log_softmax(x, axis)


def softmin(input: Any, dim: int | None = None, *, dtype: DTypeLike | None = None) -> Any:
    """`softmax` of ``-x``."""
    x, axis = _prepared("softmin", input, dim, dtype)
    return ops.softmax(-x, axis)


def gumbel_softmax(
    logits: Any,
    tau: float = 1.0,
    hard: bool = False,
    eps: float = 1e-10,
    dim: int = -1,
    *,
    generator: Generator | None = None,
) -> Any:
    """Draw from a categorical law in a way that is differentiable in its logits.

    Args:
        logits: of any shape.
        tau: the temperature, positive; the lower, the nearer the result is to one-hot.
        hard: give one-hot vectors, with the gradient of the soft ones.
        eps: without effect, there for PyTorch's sake.
        dim: the axis along which the alternatives lie.
        generator: the source, by default that of this thread or task.

    Raises:
        ShapeError: ``tau`` is not positive, or there is no such axis.

    Source:
        E. Jang et al., "Categorical reparameterization with Gumbel-softmax", ICLR 2017.
    """
    x, axis = _prepared("gumbel_softmax", logits, dim, None)
    if not tau > 0:
        raise ShapeError(f"gumbel_softmax: tau is {tau}; a positive temperature is needed")
    noise: Any = draw("gumbel", (0.0, 1.0), x.shape, generator, x.dtype)
    if type(noise) is Tensor and not isinstance(x, Value):
        noise = noise.numpy()
    soft = ops.softmax((x + noise) / tau, axis)
    if not hard:
        return soft
    chosen = ops.moveaxis(ops.one_hot(ops.argmax(soft, axis), x.shape[axis], dtype=x.dtype), -1, axis)
    return chosen - ops.stop_gradient(soft) + soft


def sparsemax(input: Any, dim: int = -1) -> Any:
    """The nearest point of the probability simplex, which may have zeros.

    Args:
        input: of any shape with at least one axis.
        dim: the axis along which the result sums to 1.

    Raises:
        ShapeError: there is no such axis, or it is empty.

    Example:
        >>> import tensorgrad as tg
        >>> tg.nn.functional.sparsemax(tg.tensor([2.0, 1.5, -1.0]))
        tensor([0.75, 0.25, 0.  ])

    Source:
        A. Martins and R. Astudillo, "From softmax to sparsemax", ICML 2016.
    """
    x, axis = _prepared("sparsemax", input, dim, None)
    if not x.shape[axis]:
        raise ShapeError(f"sparsemax: the input has shape {x.shape}; an axis with elements is needed")
    x = x - ops.stop_gradient(ops.max(x, axis, True))
    fixed = ops.stop_gradient(x)
    falling = -ops.sort(-fixed, axis=axis)
    ranks = np.arange(1, x.shape[axis] + 1, dtype=x.dtype).reshape(
        [-1 if i == axis else 1 for i in range(x.ndim)]
    )
    count = ops.sum(1 + ranks * falling > ops.cumsum(falling, axis), axis, True)
    least = ops.take_along_axis(falling, count - 1, axis)
    inside = fixed >= least  # equal elements share one fate: that of the last of them in the order
    level = (ops.sum(ops.where(inside, x, 0.0), axis, True) - 1) / ops.astype(
        ops.sum(inside, axis, True), x.dtype
    )
    return ops.where(inside, x - level, 0.0)


# ---- halves and groups


def glu(input: Any, dim: int = -1) -> Any:
    """The first half along an axis times the `sigmoid` of the second.

    Raises:
        ShapeError: there is no such axis, or its length is odd.

    Source:
        Y. Dauphin et al., "Language modeling with gated convolutional networks", ICML 2017.
    """
    x, axis = _prepared("glu", input, dim, None)
    if x.shape[axis] % 2:
        raise ShapeError(f"glu: an input of shape {x.shape} cannot be halved along axis {dim}")
    a, b = ops.split(x, 2, axis)
    return a * ops.sigmoid(b)


def maxout(input: Any, pool_size: int, dim: int = 1) -> Any:
    """The largest of each ``pool_size`` elements that lie side by side along an axis.

    Args:
        input: with an axis whose length is a multiple of ``pool_size``.
        pool_size: how many elements give one.
        dim: the axis.

    Raises:
        ShapeError: there is no such axis, or its length is no such multiple.

    Example:
        >>> import tensorgrad as tg
        >>> tg.nn.functional.maxout(tg.tensor([[1.0, 5.0, 2.0, -2.0]]), 2)
        tensor([[5., 2.]])

    Source:
        I. Goodfellow et al., "Maxout networks", ICML 2013.
    """
    x, axis = _prepared("maxout", input, dim, None)
    if pool_size < 1 or x.shape[axis] % pool_size:
        raise ShapeError(f"maxout: an input of shape {x.shape} has no groups of {pool_size} along axis {dim}")
    groups = (x.shape[axis] // pool_size, pool_size)
    return ops.max(ops.reshape(x, (*x.shape[:axis], *groups, *x.shape[axis + 1 :])), axis + 1)


def normalize(input: Any, p: float = 2.0, dim: int | tuple[int, ...] = 1, eps: float = 1e-12) -> Any:
    """The input divided by its norm along an axis.

    Args:
        input: with that axis.
        p: the order of the norm.
        dim: the axis, or several.
        eps: the least that is divided by.

    Raises:
        ShapeError: there is no such axis.

    Example:
        >>> import tensorgrad as tg
        >>> tg.nn.functional.normalize(tg.tensor([[3.0, 4.0], [0.0, 0.0]]))
        tensor([[0.6, 0.8],
                [0. , 0. ]])
    """
    x = lifted("normalize", input)
    for axis in dim if isinstance(dim, tuple | list) else (dim,):
        normalise_axis("normalize", axis, x.ndim)
    return x / ops.clip(vector_norm(x, axis=dim, keepdims=True, ord=p), eps, None)


# ---- helpers


def _prepared(op: str, input: Any, dim: int | None, dtype: DTypeLike | None) -> tuple[Any, int]:
    """The input in a floating dtype, and the axis as a number from 0."""
    x = lifted(op, input)
    if dim is None:
        dim = 0 if x.ndim in (0, 1, 3) else 1
        warnings.warn(f"{op}: no dim given, so axis {dim} is taken; say which one is meant", stacklevel=3)
    if dtype is not None:
        x = ops.astype(x, dtype)
    return x, normalise_axis(op, dim, x.ndim)
