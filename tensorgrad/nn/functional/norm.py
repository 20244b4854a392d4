"""Normalisation: shift and scale by statistics of batches, of examples, or kept from training."""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from ... import ops
from ..._array import Array
from ..._config import no_grad
from ..._errors import DtypeError, GradientError, ShapeError
from ..._tensor import Over
from ...ops import fused
from ...ops.dtype import stop_gradient
from ...ops.shape import lifted
from ...ops.window.along import Window, window_sum


def batch_norm(
    input: Any,
    running_mean: Any,
    running_var: Any,
    weight: Any = None,
    bias: Any = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Any:
    """Each channel shifted and scaled: in training by the mean and variance of the batch, else by those given.

    Args:
        input: (N, C) or (N, C, ...).
        running_mean: (C,), or None in training. In training the mean of the batch is mixed into it, in place.
        running_var: (C,), likewise; the variance that is mixed in is the unbiased one.
        weight: (C,), what the result is multiplied with, or None.
        bias: (C,), what is added to it, or None.
        training: whether the statistics are those of the batch.
        momentum: the share of the batch in the new running statistics.
        eps: added to the variance.

    Raises:
        ShapeError: an argument does not have an element for each channel, the statistics are missing, or in
            training a channel has fewer than 2 elements.

    Example:
        >>> import tensorgrad as tg
        >>> x = tg.tensor([[1.0, 5.0], [3.0, 5.0]])
        >>> tg.nn.functional.batch_norm(x, None, None, training=True).round(3)
        tensor([[-1.,  0.],
                [ 1.,  0.]])

    Source:
        S. Ioffe and C. Szegedy, Batch Normalization, 2015.
    """
    x = _floats("batch_norm", input)
    if x.ndim < 2:
        raise ShapeError(f"batch_norm: input has shape {x.shape}; (N, C, ...) is needed")
    affine = _affine("batch_norm", x, (x.shape[1],), weight, bias)
    kept = _statistics("batch_norm", x.shape[1], running_mean, running_var, needed=not training)
    if not training:
        return _by_given(x, *kept, affine, eps)
    count = math.prod(x.shape) // x.shape[1] if x.shape[1] else 0
    if count < 2:
        raise ShapeError(
            f"batch_norm: input {x.shape} has {count} elements for each channel; in training at least 2 are needed, "
            "in evaluation (training=False, module.eval()) any number will do"
        )
    y, centre, variance = _widened(fused.batch_norm, x, affine, eps=eps)
    _mix(kept, (centre, variance), count, momentum)
    return y


def instance_norm(
    input: Any,
    running_mean: Any = None,
    running_var: Any = None,
    weight: Any = None,
    bias: Any = None,
    use_input_stats: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Any:
    """Each channel of each image shifted and scaled to mean 0 and variance 1, or by statistics that are given.

    Args:
        input: (N, C, ...), at least one axis after the channels.
        running_mean: (C,), or None; what the means of the images are mixed into, in place.
        running_var: (C,), likewise, of the unbiased variances.
        weight: (C,), what the result is multiplied with, or None.
        bias: (C,), what is added to it, or None.
        use_input_stats: whether the statistics are those of each image; else the running ones.
        momentum: the share of the images in the new running statistics.
        eps: added to the variance.

    Raises:
        ShapeError: as `batch_norm`; a channel of an image has fewer than 2 elements.

    Example:
        >>> import tensorgrad as tg
        >>> tg.nn.functional.instance_norm(tg.tensor([[[1.0, 3.0], [5.0, 9.0]]])).round(3)
        tensor([[[-1.,  1.],
                 [-1.,  1.]]])

    Source:
        D. Ulyanov, A. Vedaldi and V. Lempitsky, Instance Normalization, 2016.
    """
    x = _floats("instance_norm", input)
    if x.ndim < 3:
        raise ShapeError(f"instance_norm: input has shape {x.shape}; (N, C, ...) with more axes is needed")
    affine = _affine("instance_norm", x, (x.shape[1],), weight, bias)
    kept = _statistics("instance_norm", x.shape[1], running_mean, running_var, needed=not use_input_stats)
    if not use_input_stats:
        return _by_given(x, *kept, affine, eps)
    count = math.prod(x.shape[2:])
    if count < 2:
        raise ShapeError(
            f"instance_norm: input {x.shape} has {count} elements for each channel of an image; at least 2 are needed"
        )
    axes = tuple(range(2, x.ndim))
    y = _widened(fused.row_norm, x, (), rank=len(axes), eps=eps, centred=True)
    if kept[0] is not None:
        fixed = stop_gradient(x)
        means, variances = ops.mean(fixed, axes), ops.var(fixed, axis=axes)
        _mix(kept, (ops.mean(means, 0), ops.mean(variances, 0)), count, momentum)
    return _scaled(y, affine)


def layer_norm(
    input: Any, normalized_shape: int | Sequence[int], weight: Any = None, bias: Any = None, eps: float = 1e-5
) -> Any:
    """The elements over the last axes shifted and scaled to mean 0 and variance 1.

    Args:
        input: (..., *normalized_shape).
        normalized_shape: the lengths of the last axes.
        weight: of this shape, what the result is multiplied with, or None.
        bias: of this shape, what is added to it, or None.
        eps: added to the variance.

    Raises:
        ShapeError: the last axes of the input are others, or weight or bias have another shape.

    Example:
        >>> import tensorgrad as tg
        >>> tg.nn.functional.layer_norm(tg.tensor([[1.0, 3.0], [5.0, 5.0]]), (2,)).round(3)
        tensor([[-1.,  1.],
                [ 0.,  0.]])

    Source:
        J. Ba, J. Kiros and G. Hinton, Layer Normalization, 2016.
    """
    x = _floats("layer_norm", input)
    sizes = _last_axes("layer_norm", x, normalized_shape)
    affine = _affine("layer_norm", x, sizes, weight, bias)
    return _widened(fused.row_norm, x, affine, rank=len(sizes), eps=eps, centred=True)


def rms_norm(
    input: Any, normalized_shape: int | Sequence[int], weight: Any = None, eps: float | None = None
) -> Any:
    """The elements over the last axes divided by the root of their mean square.

    Args:
        input: (..., *normalized_shape).
        normalized_shape: the lengths of the last axes.
        weight: of this shape, what the result is multiplied with, or None.
        eps: added to the mean square; the distance from 1 to the next number of the dtype if None.

    Raises:
        ShapeError: the last axes of the input are others, or weight has another shape.

    Example:
        >>> import tensorgrad as tg
        >>> tg.nn.functional.rms_norm(tg.tensor([1.0, 7.0]), (2,))
        tensor([0.2, 1.4])

    Source:
        B. Zhang and R. Sennrich, Root Mean Square Layer Normalization, 2019.
    """
    x = _floats("rms_norm", input)
    sizes = _last_axes("rms_norm", x, normalized_shape)
    affine = _affine("rms_norm", x, sizes, weight, None)[:1]
    least = float(np.finfo(x.dtype).eps) if eps is None else eps
    return _widened(fused.row_norm, x, affine, rank=len(sizes), eps=least, centred=False)


def group_norm(input: Any, num_groups: int, weight: Any = None, bias: Any = None, eps: float = 1e-5) -> Any:
    """The channels of each example shifted and scaled to mean 0 and variance 1, some of them together.

    Args:
        input: (N, C, ...).
        num_groups: how many groups the channels are in, a divisor of C.
        weight: (C,), what the result is multiplied with, or None.
        bias: (C,), what is added to it, or None.
        eps: added to the variance.

    Raises:
        ShapeError: the groups do not divide the channels, or weight or bias do not fit them.

    Example:
        >>> import tensorgrad as tg
        >>> tg.nn.functional.group_norm(tg.tensor([[1.0, 3.0, 5.0, 9.0]]), 2).round(3)
        tensor([[-1.,  1., -1.,  1.]])

    Source:
        Y. Wu and K. He, Group Normalization, 2018.
    """
    x = _floats("group_norm", input)
    if x.ndim < 2 or num_groups < 1 or x.shape[1] % num_groups:
        raise ShapeError(
            f"group_norm: input has shape {x.shape} and num_groups is {num_groups}; (N, C, ...) is needed, and groups "
            "that divide C"
        )
    affine = _affine("group_norm", x, (x.shape[1],), weight, bias)
    size = math.prod(x.shape[1:]) // num_groups
    groups = ops.reshape(x, (x.shape[0], num_groups, size))
    y = _widened(fused.row_norm, groups, (), rank=1, eps=eps, centred=True) if size else groups
    return _scaled(ops.reshape(y, x.shape), affine)


def local_response_norm(
    input: Any, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0
) -> Any:
    """Each element divided by a power of the mean square of its neighbours in other channels.

    It is ``x / (k + alpha mean(x ** 2)) ** beta``, where the mean is over ``size`` channels around, of which
    those outside count as zeros.

    Args:
        input: (N, C, ...), at least one axis after the channels.
        size: how many channels, at least 1; of an even number one more lies before.
        alpha: factor of the mean square.
        beta: the power.
        k: added to the mean square.

    Raises:
        ShapeError: the input has fewer than 3 axes, or ``size`` is less than 1.

    Example:
        >>> import tensorgrad as tg
        >>> tg.nn.functional.local_response_norm(tg.tensor([[[1.0], [3.0]]]), 1, alpha=1.0, beta=1.0)
        tensor([[[0.5],
                 [0.3]]])

    Source:
        A. Krizhevsky, I. Sutskever and G. Hinton, ImageNet Classification with Deep Convolutional Neural
        Networks, 2012, section 3.3.
    """
    x = _floats("local_response_norm", input)
    if x.ndim < 3 or size < 1:
        raise ShapeError(
            f"local_response_norm: input has shape {x.shape} and size is {size}; (N, C, ...) with more axes and at "
            "least 1 are needed"
        )
    around = Window(size, 1, size // 2, 1, x.shape[1])
    squares = window_sum(ops.square(x), 1 - x.ndim, around) if x.size else x
    return x / (squares * (alpha / size) + k) ** beta


# ---- parts


def _widened(op: Any, x: Any, affine: Any, **settings: Any) -> Any:
    """Apply a fused op; float16 in float32, since squares leave its range."""
    if x.dtype != np.float16:
        return op(x, *affine, **settings)
    y = op(*[ops.astype(one, np.float32) for one in (x, *affine)], **settings)
    return (ops.astype(y[0], np.float16), *y[1:]) if isinstance(y, tuple) else ops.astype(y, np.float16)


def _scaled(x: Any, affine: Any) -> Any:
    """Times the weight plus the bias of each channel."""
    if not affine:
        return x
    each = (x.shape[1], *[1] * (x.ndim - 2))
    return x * ops.reshape(affine[0], each) + ops.reshape(affine[1], each)


def _by_given(x: Any, centre: Any, variance: Any, affine: Any, eps: float) -> Any:
    """Shift and scale by statistics from elsewhere: one product and one sum for each element."""
    slope = ops.astype(1 / ops.sqrt(variance + eps), x.dtype)
    slope = affine[0] * slope if affine else slope
    rise = ops.astype(-(centre * slope), x.dtype)
    return _scaled(x, (slope, affine[1] + rise if affine else rise))


def _mix(kept: Any, found: Any, count: int, momentum: float) -> None:
    """Mix statistics of a batch into the running ones, in place."""
    centre, variance = [_below(stop_gradient(one)) for one in found]
    unbiased = variance * (count / (count - 1))
    with no_grad():
        for running, new in zip(kept, (centre, unbiased), strict=True):
            if running is not None:
                mixed = running * (1 - momentum) + new * momentum
                try:
                    running[...] = mixed if isinstance(running, Array) else np.asarray(mixed)
                except GradientError:
                    raise GradientError(
                        "batch_norm: running statistics that all examples share cannot take those of each inside tg.vmap; "
                        "give them a batch axis (tg.nn.stack_module_state) and pass them to tg.nn.functional_call, "
                        "evaluate by them (module.eval()), or go without (track_running_stats=False)"
                    ) from None


def _below(value: Any) -> Any:
    """A value without history, without the levels of the gradients that it is a constant to."""
    while isinstance(value, Over) and value._node is None:
        value = value._d
    return value


# ---- arguments


def _floats(op: str, x: Any) -> Any:
    x = lifted(op, x)
    if x.dtype.kind != "f":
        raise DtypeError(f"{op}: input has dtype {x.dtype}; floats are needed")
    return x


def _affine(op: str, x: Any, shape: tuple[int, ...], weight: Any, bias: Any) -> tuple[Any, ...]:
    """Weight and bias, or nothing if both are None; one that is None has no effect."""
    given = []
    for name, value, neutral in (("weight", weight, np.ones), ("bias", bias, np.zeros)):
        one = lifted(op, value) if value is not None else neutral(shape, x.dtype)
        if one.shape != shape:
            raise ShapeError(f"{op}: {name} has shape {one.shape} and input {x.shape}; {shape} is needed")
        given.append(one)
    return () if weight is None and bias is None else tuple(given)


def _statistics(op: str, channels: int, centre: Any, variance: Any, *, needed: bool) -> tuple[Any, Any]:
    for name, one in (("running_mean", centre), ("running_var", variance)):
        if one is None and needed:
            raise ShapeError(
                f"{op}: {name} is None; it is needed where the statistics are not those of the input"
            )
        if one is not None and tuple(one.shape) != (channels,):
            raise ShapeError(
                f"{op}: {name} has shape {one.shape}; ({channels},) is needed, one for each channel"
            )
    return centre, variance


def _last_axes(op: str, x: Any, normalized_shape: Any) -> tuple[int, ...]:
    given = normalized_shape if isinstance(normalized_shape, Sequence) else (normalized_shape,)
    sizes = tuple([operator.index(n) for n in given])
    if not sizes or x.shape[-len(sizes) :] != sizes or 0 in sizes:
        raise ShapeError(
            f"{op}: input has shape {x.shape} and normalized_shape is {sizes}; the last axes must have these lengths, "
            "of 1 or more"
        )
    return sizes
