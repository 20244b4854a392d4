"""Losses of numbers: how far each prediction is from its target.

Everywhere ``reduction`` is 'none', 'mean' or 'sum'. What PyTorch calls ``size_average`` and ``reduce``, and
has deprecated, is not there; what stands behind them is given by keyword.
"""

from __future__ import annotations

import math
from typing import Any

from ..._errors import ShapeError
from ...ops import (
    abs,
    add,
    broadcast_to,
    divide,
    exp,
    expand_dims,
    log,
    multiply,
    square,
    stop_gradient,
    subtract,
    sum,
    where,
)
from ...ops import losses as cards
from ...ops.rounding import clip
from .loss_parts import fitting, like, pair, reduced, weighted


def mse_loss(input: Any, target: Any, *, reduction: str = "mean", weight: Any = None) -> Any:
    """The mean squared error, ``(input - target)**2``.

    Args:
        input: predictions, an array or tensor of floats.
        target: numbers of the same shape. Other shapes are an error, also where they would broadcast:
            (N, 1) beside (N,) would give N * N differences.
        reduction: 'none', 'mean' or 'sum'.
        weight: of each element, or broadcast to them; the mean is then divided by the sum of the weights.

    Raises:
        ShapeError: the shapes differ.
        DtypeError: ``input`` is not floating.

    Example:
        >>> import tensorgrad as tg
        >>> tg.nn.functional.mse_loss(tg.tensor([1.0, 3.0]), tg.tensor([1.0, 1.0])).item()
        2.0
    """
    x, t = pair("mse_loss", input, target)
    return _weighted_mean("mse_loss", square(subtract(x, t)), weight, reduction)


def l1_loss(input: Any, target: Any, *, reduction: str = "mean", weight: Any = None) -> Any:
    """The mean absolute error, ``abs(input - target)``; its slope is 0 where they are equal. See `mse_loss`.

    Example:
        >>> import tensorgrad as tg
        >>> tg.nn.functional.l1_loss(tg.tensor([1.0, 3.0]), tg.tensor([1.0, 1.0])).item()
        1.0
    """
    x, t = pair("l1_loss", input, target)
    return _weighted_mean("l1_loss", abs(subtract(x, t)), weight, reduction)


def huber_loss(
    input: Any, target: Any, reduction: str = "mean", delta: float = 1.0, weight: Any = None
) -> Any:
    """Half the squared error up to a distance ``delta``, and from there on a straight line.

    Args:
        input: predictions.
        target: numbers of the same shape.
        reduction: 'none', 'mean' or 'sum'.
        delta: where the line begins, and its slope.
        weight: of each element; unlike in `mse_loss`, the mean is over the number of elements.

    Raises:
        ShapeError: the shapes differ, or ``delta`` is not positive.

    Example:
        >>> import tensorgrad as tg
        >>> tg.nn.functional.huber_loss(tg.tensor([0.5, 3.0]), tg.tensor([0.0, 0.0]), "none")
        tensor([0.125, 2.5  ])

    Source:
        P. J. Huber, Robust estimation of a location parameter, 1964.
    """
    if not delta > 0:
        raise ShapeError(f"huber_loss: delta is {delta}; it must be positive")
    losses = _huber(*pair("huber_loss", input, target), delta)
    return reduced("huber_loss", weighted("huber_loss", losses, weight), reduction)


def smooth_l1_loss(input: Any, target: Any, *, reduction: str = "mean", beta: float = 1.0) -> Any:
    """`huber_loss` with ``delta = beta``, divided by ``beta``; `l1_loss` for ``beta = 0``.

    Raises:
        ShapeError: the shapes differ, or ``beta`` is negative.

    Example:
        >>> import tensorgrad as tg
        >>> tg.nn.functional.smooth_l1_loss(tg.tensor([0.5, 3.0]), tg.tensor([0.0, 0.0]), reduction="none")
        tensor([0.125, 2.5  ])
    """
    if not beta >= 0:
        raise ShapeError(f"smooth_l1_loss: beta is {beta}; it must not be negative")
    x, t = pair("smooth_l1_loss", input, target)
    losses = divide(_huber(x, t, beta), beta) if beta else abs(subtract(x, t))
    return reduced("smooth_l1_loss", losses, reduction)


def log_cosh_loss(input: Any, target: Any, *, reduction: str = "mean") -> Any:
    """``log(cosh(input - target))``: half the squared error near 0, the distance less log 2 far away.

    Its slope is ``tanh(input - target)``. Nothing overflows, and small errors keep their digits.

    Example:
        >>> import tensorgrad as tg
        >>> tg.nn.functional.log_cosh_loss(tg.tensor([1000.0]), tg.tensor([0.0])).item()
        999.306...
    """
    x, t = pair("log_cosh_loss", input, target)
    return reduced("log_cosh_loss", cards.log_cosh(subtract(x, t)), reduction)


def kl_div(input: Any, target: Any, *, reduction: str = "mean", log_target: bool = False) -> Any:
    """The divergence of a target distribution from the predicted one, ``target * (log(target) - input)``.

    Args:
        input: logarithms of the predicted probabilities.
        target: probabilities of the same shape, or with ``log_target`` their logarithms.
        reduction: 'none', 'mean' over all elements, 'batchmean' or 'sum'. The divergence of distributions as
            mathematics has it is 'batchmean': the sum divided by the length of the first axis.
        log_target: whether the target is given as logarithms.

    Raises:
        ShapeError: the shapes differ, or a probability is negative.

    Example:
        >>> import tensorgrad as tg
        >>> half = tg.tensor([[0.5, 0.5]])
        >>> tg.nn.functional.kl_div(tg.log(half), half, reduction="batchmean").item()
        0.0

    Source:
        S. Kullback and R. A. Leibler, On information and sufficiency, 1951.
    """
    from ...ops.special import xlogy

    x, t = pair("kl_div", input, target)
    if log_target:
        losses = multiply(exp(t), subtract(t, x))
    else:
        cards.within(t, 0, math.inf, 0.0, "kl_div", "target")
        losses = subtract(xlogy(t, t), multiply(t, x))
    if reduction == "batchmean":
        return divide(sum(losses), losses.shape[0] if losses.ndim else 1)
    return reduced("kl_div", losses, reduction)


def poisson_nll_loss(
    input: Any,
    target: Any,
    log_input: bool = True,
    full: bool = False,
    *,
    eps: float = 1e-8,
    reduction: str = "mean",
) -> Any:
    """The negative log-likelihood of counts that are Poisson distributed, ``exp(input) - target * input``.

    Args:
        input: logarithms of the expected counts, or the counts themselves.
        target: counts of the same shape.
        log_input: whether the input is given as logarithms; else ``input - target * log(input + eps)``.
        full: also add Stirling's approximation of ``log(target!)``, where the count is above 1.
        eps: keeps the logarithm of the input finite.
        reduction: 'none', 'mean' or 'sum'.

    Raises:
        ShapeError: the shapes differ.

    Example:
        >>> import tensorgrad as tg
        >>> tg.nn.functional.poisson_nll_loss(tg.tensor([0.0]), tg.tensor([3.0])).item()
        1.0
    """
    x, t = pair("poisson_nll_loss", input, target)
    if log_input:
        losses = subtract(exp(x), multiply(t, x))
    else:
        losses = subtract(x, multiply(t, log(add(x, eps))))
    if full:
        many = t > 1
        count = where(many, t, 1.0)
        stirling = count * log(count) - count + 0.5 * log(2 * math.pi * count)
        losses = add(losses, where(many, stirling, 0.0))
    return reduced("poisson_nll_loss", losses, reduction)


def gaussian_nll_loss(
    input: Any,
    target: Any,
    var: Any,
    full: bool = False,
    eps: float = 1e-6,
    reduction: str = "mean",
) -> Any:
    """The negative log-likelihood of numbers that are normally distributed about the predictions.

    ``(log(var) + (input - target)**2 / var) / 2``.

    Args:
        input: expected numbers.
        target: numbers of the same shape.
        var: variances, of the same shape, without the last axis, with one axis of length 1, or one number.
        full: also add the constant ``log(2 pi) / 2``.
        eps: variances below are taken for it, and their gradient is the one there.
        reduction: 'none', 'mean' or 'sum'.

    Raises:
        ShapeError: the shapes do not fit, a variance is negative, or ``eps`` is not positive.

    Example:
        >>> import tensorgrad as tg
        >>> tg.nn.functional.gaussian_nll_loss(tg.tensor([1.0]), tg.tensor([3.0]), 4.0).item()
        1.19314...

    Source:
        D. A. Nix and A. S. Weigend, Estimating the mean and variance of the target probability
        distribution, 1994.
    """
    name = "gaussian_nll_loss"
    if not eps > 0:
        raise ShapeError(f"{name}: eps is {eps}; it must be positive")
    x, t = pair(name, input, target)
    v = like(name, "var", x.dtype.type(var) if isinstance(var, int | float) else var, x)
    if x.ndim and v.ndim and v.shape == x.shape[:-1]:
        v = expand_dims(v, axis=-1)
    if v.ndim and (v.ndim != x.ndim or len([1 for m, n in zip(v.shape, x.shape, strict=True) if m != n]) > 1):
        raise ShapeError(f"{name}: var {v.shape} for input {x.shape}; it has that shape, or lacks one axis")
    v = fitting(name, "var", v, x)
    cards.within(v, 0, math.inf, 0.0, name, "var")
    small = v < eps
    v = where(small, eps + (v - stop_gradient(v)), v)
    losses = 0.5 * (log(v) + divide(square(subtract(x, t)), v))
    return reduced(name, losses + 0.5 * math.log(2 * math.pi) if full else losses, reduction)


# ---- parts


def _huber(x: Any, t: Any, delta: float) -> Any:
    """With the difference cut at ``delta`` as a factor, so that the slopes at 0 are exact to any order."""
    difference = subtract(x, t)
    near = clip(difference, -delta, delta)
    return multiply(near, subtract(difference, multiply(0.5, near)))


def _weighted_mean(loss: str, losses: Any, weight: Any, reduction: str) -> Any:
    if weight is None:
        return reduced(loss, losses, reduction)
    w = broadcast_to(fitting(loss, "weight", weight, losses), losses.shape)
    losses = multiply(losses, w)
    if reduction != "mean":
        return reduced(loss, losses, reduction)
    return divide(sum(losses), sum(w))
