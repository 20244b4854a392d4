"""Penalties on weights and biases, and bounds on their norms.

A penalty is a tensor of its own, so that the data loss and the regularisation loss are reported apart::

    penalty = Penalty(weight_l2=5e-4, bias_l2=5e-4)
    data_loss = loss_function(model(x), y)
    regularisation_loss = penalty(model.named_parameters())
    (data_loss + regularisation_loss).backward()
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from .. import ops
from .._config import no_grad
from .._errors import DtypeError, ShapeError
from .._tensor import Tensor, tensor


class Penalty:
    """L1 and L2 penalties, with strengths of their own for weights and for biases.

    ::

        sum over weights of weight_l1 * sum(abs(w)) + weight_l2 * sum(w**2), and likewise over biases

    A bias is a parameter whose name ends in "bias", or in "bias_" and a suffix. There is no factor of one half, as
    in the sources; an optimizer's ``weight_decay`` of ``2 * l2`` has the same gradient.

    Args:
        weight_l1: strength of the sum of absolute weights.
        weight_l2: strength of the sum of squared weights.
        bias_l1: strength of the sum of absolute biases.
        bias_l2: strength of the sum of squared biases.
        at_zero: the derivative of ``abs`` at zero: 0, or 1 as "Neural networks from scratch" takes it.

    Raises:
        ValueError: a strength is negative, or ``at_zero`` is neither 0 nor 1.

    Example:
        >>> import tensorgrad as tg
        >>> weight, bias = tg.nn.Parameter([1.0, -2.0]), tg.nn.Parameter([3.0])
        >>> penalty = tg.optim.regularise.Penalty(weight_l1=0.5, bias_l2=0.25)
        >>> penalty([("layer.weight", weight), ("layer.bias", bias)]).item()
        3.75
    """

    def __init__(
        self,
        weight_l1: float = 0.0,
        weight_l2: float = 0.0,
        bias_l1: float = 0.0,
        bias_l2: float = 0.0,
        at_zero: int = 0,
    ) -> None:
        _check(weight_l1=weight_l1, weight_l2=weight_l2, bias_l1=bias_l1, bias_l2=bias_l2)
        _check_at_zero(at_zero)
        self.weight_l1 = weight_l1
        self.weight_l2 = weight_l2
        self.bias_l1 = bias_l1
        self.bias_l2 = bias_l2
        self.at_zero = at_zero

    def __call__(self, named_parameters: Iterable[tuple[str, Tensor]]) -> Tensor:
        """The penalty of parameters with names, as ``model.named_parameters()`` gives them."""
        weights: list[Tensor] = []
        biases: list[Tensor] = []
        for name, p in named_parameters:
            (biases if is_bias(name) else weights).append(p)
        terms = [
            penalty(members, l1, l2, self.at_zero)
            for members, l1, l2 in (
                (weights, self.weight_l1, self.weight_l2),
                (biases, self.bias_l1, self.bias_l2),
            )
            if members and (l1 or l2)
        ]
        return sum(terms[1:], terms[0]) if terms else tensor(0.0)

    def __repr__(self) -> str:
        named = ("weight_l1", "weight_l2", "bias_l1", "bias_l2", "at_zero")
        return f"Penalty({', '.join(f'{name}={getattr(self, name)}' for name in named)})"


def penalty(
    parameters: Iterable[Tensor] | Tensor, l1: float = 0.0, l2: float = 0.0, at_zero: int = 0
) -> Tensor:
    """The sum of ``l1 * sum(abs(p)) + l2 * sum(p**2)`` over parameters, differentiable in them.

    Args:
        parameters: one or several tensors.
        l1: strength of the sum of absolute values.
        l2: strength of the sum of squares.
        at_zero: the derivative of ``abs`` at zero: 0 or 1.

    Raises:
        ValueError: a strength is negative, or ``at_zero`` is neither 0 nor 1.

    Example:
        >>> import tensorgrad as tg
        >>> w = tg.nn.Parameter([1.0, 0.0, -2.0])
        >>> tg.optim.regularise.penalty(w, l1=1.0, at_zero=1).backward()
        >>> w.grad
        tensor([ 1.,  1., -1.])
    """
    _check(l1=l1, l2=l2)
    _check_at_zero(at_zero)
    total: Any = None
    for p in [parameters] if isinstance(parameters, Tensor) else parameters:
        size = ops.where(p < 0, -p, p) if at_zero else ops.abs(p)
        term = l1 * ops.sum(size) if l1 else 0.0
        if l2:
            term = term + l2 * ops.sum(ops.square(size if p.dtype.kind == "c" else p))
        total = term if total is None else total + term
    return total if isinstance(total, Tensor) else tensor(0.0)


def max_norm_(
    parameters: Iterable[Tensor] | Tensor,
    max_norm: float,
    axis: int | tuple[int, ...] | None = None,
    norm_type: float = 2.0,
) -> None:
    """Shrink the vectors of parameters whose norm is above a bound, in place: for use after each step.

    Args:
        parameters: one or several leaves.
        max_norm: the largest norm that is left as it is.
        axis: along which the vectors lie. By default all but the first one, so that each row of a weight, what
            one unit sees of its inputs, is a vector; vectors and scalars are taken whole.
        norm_type: which p-norm; ``float("inf")`` for the largest absolute value.

    Raises:
        ValueError: a bound or an order that is not positive.

    Example:
        >>> import tensorgrad as tg
        >>> w = tg.nn.Parameter([[3.0, 4.0], [0.3, 0.4]])
        >>> tg.optim.regularise.max_norm_(w, 1.0)
        >>> w.detach()
        tensor([[0.6, 0.8],
                [0.3, 0.4]])

    Source: Srivastava and others, Dropout: a simple way to prevent neural networks from overfitting, JMLR 15,
    2014, section 5.1.
    """
    if not max_norm > 0 or not norm_type > 0:
        raise ValueError(f"max_norm_: max_norm {max_norm!r} and norm_type {norm_type!r} must be positive")
    listed = [parameters] if isinstance(parameters, Tensor) else list(parameters)
    for p in listed:
        if not isinstance(p, Tensor) or not p.is_leaf:
            raise DtypeError("max_norm_: only leaves can be bounded in place")
        if axis is not None and max([axis] if isinstance(axis, int) else axis, default=0) >= p.ndim:
            raise ShapeError(f"max_norm_: axis {axis} is none of a parameter of shape {p.shape}")
    with no_grad():
        for p in listed:
            along = axis if axis is not None else tuple(range(1, p.ndim)) if p.ndim > 1 else None
            size = np.abs(p.numpy())
            if norm_type == float("inf"):
                norms = size.max(axis=along, keepdims=True, initial=0)
            else:
                norms = (size**norm_type).sum(axis=along, keepdims=True) ** (1 / norm_type)
            if (norms > max_norm).any():
                p[...] = p.numpy() * np.where(
                    norms > max_norm, max_norm / np.maximum(norms, max_norm), 1
                ).astype(size.dtype)


def is_bias(name: str) -> bool:
    """Whether a parameter of this name is a bias: ``layer.bias``, ``lstm.bias_ih_l0``, ``in_proj_bias``."""
    last = name.rpartition(".")[2]
    return last.endswith("bias") or last.startswith("bias_")


def _check(**strengths: float) -> None:
    for name, value in strengths.items():
        if not value >= 0:
            raise ValueError(f"penalty: {name} is {value!r}; a number of at least 0 is needed")


def _check_at_zero(at_zero: int) -> None:
    if at_zero not in (0, 1):
        raise ValueError(f"penalty: at_zero is {at_zero!r}; 0 and 1 are possible")
