"""Bounds on gradients, between backward and the optimizer's step."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from ..._errors import DtypeError, GradientError
from ..._tensor import Tensor, tensor

Tensors = Iterable[Tensor] | Tensor


def get_total_norm(tensors: Tensors, norm_type: float = 2.0, error_if_nonfinite: bool = False) -> Tensor:
    """The norm of several tensors as if they were one vector.

    Args:
        tensors: one or several.
        norm_type: which p-norm, positive; ``float("inf")`` for the largest absolute value.
        error_if_nonfinite: raise where the norm is infinite or NaN.

    Raises:
        GradientError: the norm is not finite, and that is asked for.

    Example:
        >>> import tensorgrad as tg
        >>> tg.nn.utils.get_total_norm([tg.tensor([3.0]), tg.tensor([[4.0, 0.0]])])
        tensor(5.)
    """
    norm_type = float(norm_type)
    if not norm_type > 0:
        raise ValueError(f"get_total_norm: norm_type is {norm_type}; a positive number is needed")
    arrays = [np.abs(one.numpy()) for one in _listed("get_total_norm", tensors)]
    if not arrays:
        return tensor(0.0)
    with np.errstate(over="ignore", invalid="ignore"):
        largest = max(float(one.max(initial=0)) for one in arrays)
        if any(bool(np.isnan(one).any()) for one in arrays):
            total = math.nan
        elif math.isinf(norm_type) or largest in (0.0, math.inf):
            total = largest
        else:  # in parts of the largest, so that no power overflows
            powers = [float(np.sum((one / largest) ** norm_type, dtype=np.float64)) for one in arrays]
            total = largest * sum(powers) ** (1 / norm_type)
    if error_if_nonfinite and not math.isfinite(total):
        raise GradientError(
            f"get_total_norm: the norm of order {norm_type:g} is {total}, so that nothing can be clipped by it; look for "
            "the cause by tg.detect_anomaly(), or pass error_if_nonfinite=False"
        )
    return tensor(total, arrays[0].dtype)


def clip_grad_norm_(
    parameters: Tensors, max_norm: float, norm_type: float = 2.0, error_if_nonfinite: bool = False
) -> Tensor:
    """Scale the gradients of parameters so that their norm, taken together, is at most a bound.

    ::

        grad *= min(1, max_norm / (norm + 1e-6))

    Args:
        parameters: one or several; those without a gradient are left out.
        max_norm: the bound.
        norm_type: which p-norm; ``float("inf")`` for the largest absolute value.
        error_if_nonfinite: raise where the norm is infinite or NaN; otherwise the gradients become zero or NaN.

    Returns:
        The norm before.

    Raises:
        GradientError: the norm is not finite, and that is asked for. The gradients are as before.

    Example:
        >>> import tensorgrad as tg
        >>> w = tg.nn.Parameter([3.0, 4.0])
        >>> (w * w / 2).sum().backward()
        >>> tg.nn.utils.clip_grad_norm_([w], 1.0)
        tensor(5.)
        >>> tg.round(w.grad, 4)
        tensor([0.6, 0.8])

    Source: Pascanu, Mikolov and Bengio, On the difficulty of training recurrent neural networks, ICML 2013.
    """
    listed = _listed("clip_grad_norm_", parameters)
    gradients = [p.grad for p in listed if p.grad is not None]
    total = get_total_norm(gradients, norm_type, error_if_nonfinite)
    clip_grads_with_norm_(listed, max_norm, total)
    return total


def clip_grads_with_norm_(parameters: Tensors, max_norm: float, total_norm: Any) -> None:
    """Scale the gradients of parameters by ``min(1, max_norm / (total_norm + 1e-6))``.

    Args:
        parameters: one or several; those without a gradient are left out.
        max_norm: the bound.
        total_norm: the norm of all gradients, as `get_total_norm` gives it.

    Example:
        >>> import tensorgrad as tg
        >>> w = tg.nn.Parameter([3.0, 4.0])
        >>> (w * w / 2).sum().backward()
        >>> tg.nn.utils.clip_grads_with_norm_([w], 1.0, 10.0)
        >>> tg.round(w.grad, 4)
        tensor([0.3, 0.4])
    """
    if not max_norm >= 0:
        raise ValueError(f"clip_grad_norm_: max_norm is {max_norm!r}; a number of at least 0 is needed")
    share = float(max_norm) / (float(total_norm) + 1e-6)
    if share >= 1:
        return
    with np.errstate(invalid="ignore"):
        for p in _listed("clip_grads_with_norm_", parameters):
            if p.grad is not None:
                p.grad = p.grad.numpy() * p.dtype.type(share)


def clip_grad_value_(parameters: Tensors, clip_value: float) -> None:
    """Bound each element of the gradients of parameters by ``-clip_value`` and ``clip_value``.

    Args:
        parameters: one or several, real; those without a gradient are left out.
        clip_value: the bound.

    Example:
        >>> import tensorgrad as tg
        >>> w = tg.nn.Parameter([3.0, -4.0, 0.5])
        >>> (w * w / 2).sum().backward()
        >>> tg.nn.utils.clip_grad_value_([w], 1.0)
        >>> w.grad
        tensor([ 1. , -1. ,  0.5])
    """
    if not clip_value >= 0:
        raise ValueError(f"clip_grad_value_: clip_value is {clip_value!r}; a number of at least 0 is needed")
    listed = [p for p in _listed("clip_grad_value_", parameters) if p.grad is not None]
    for p in listed:
        if p.dtype.kind == "c":
            raise DtypeError(
                f"clip_grad_value_: a gradient of dtype {p.dtype}, whose elements have no order; clip by norm"
            )
    for p in listed:
        assert p.grad is not None
        p.grad = np.clip(p.grad.numpy(), -clip_value, clip_value)


def _listed(who: str, tensors: Tensors) -> list[Tensor]:
    listed = [tensors] if isinstance(tensors, Tensor) else list(tensors)
    for one in listed:
        if not isinstance(one, Tensor):
            raise DtypeError(
                f"{who}: a {type(one).__name__} given; tensors are needed, as model.parameters() gives them"
            )
    return listed
