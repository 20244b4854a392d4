"""Layers that normalise; those with statistics of batches keep running ones for evaluation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from ..._config import no_grad
from ..._creation import ones, zeros
from ..._errors import ShapeError
from ..._tensor import Parameter, Tensor, overwrite, tensor
from ...ops import astype, reshape
from .. import functional as F
from ..module import Module
from .linear import check_sizes


class _Running(Module):
    """What batch and instance normalisation share: weight and bias, and running statistics."""

    rank: ClassVar[int]
    running_mean: Tensor | None
    running_var: Tensor | None
    num_batches_tracked: Tensor | None

    def _make(
        self,
        num_features: int,
        eps: float,
        momentum: float | None,
        affine: bool,
        track: bool,
        bias: bool,
        dtype: Any,
    ) -> None:
        check_sizes(type(self).__name__, num_features=num_features)
        self.num_features, self.eps, self.momentum = num_features, eps, momentum
        self.affine, self.track_running_stats = affine, track
        self.weight = Parameter(ones(num_features, dtype=dtype)) if affine else None
        self.bias = Parameter(zeros(num_features, dtype=dtype)) if affine and bias else None
        self.register_buffer("running_mean", zeros(num_features, dtype=dtype) if track else None)
        self.register_buffer("running_var", ones(num_features, dtype=dtype) if track else None)
        self.register_buffer("num_batches_tracked", tensor(np.int64(0)) if track else None)

    def reset_running_stats(self) -> None:
        """Forget the running statistics."""
        if self.running_mean is not None and self.running_var is not None:
            self.running_mean[...] = 0
            self.running_var[...] = 1
            self.num_batches_tracked = tensor(np.int64(0))

    def reset_parameters(self) -> None:
        """Forget the running statistics, and start from weight 1 and bias 0 again."""
        self.reset_running_stats()
        _restart(self)

    def _check(self, x: Any, axis: int, *ranks: int) -> None:
        if x.ndim not in ranks or x.shape[axis] != self.num_features:
            raise ShapeError(
                f"{type(self).__name__}: input has shape {x.shape}; {' or '.join(map(str, ranks))} axes and "
                f"{self.num_features} channels are needed"
            )

    def extra_repr(self) -> str:
        """The settings."""
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, affine={self.affine}, "
            f"track_running_stats={self.track_running_stats}"
        )


class _BatchNorm(_Running):
    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        *,
        bias: bool = True,
        dtype: Any = None,
    ) -> None:
        self._make(num_features, eps, momentum, affine, track_running_stats, bias, dtype)

    def forward(self, x: Any) -> Any:
        """Normalise; in training by the batch, which is noted, in evaluation by what was noted."""
        self._check(x, 1, *((2, 3) if self.rank == 1 else (self.rank + 2,)))
        tracked = self.num_batches_tracked
        kept: tuple[Any, Any] = (self.running_mean, self.running_var) if tracked is not None else (None, None)
        momentum: Any = 0.0 if self.momentum is None else self.momentum
        if not self.training or tracked is None:
            return F.batch_norm(x, *kept, self.weight, self.bias, tracked is None, momentum, self.eps)
        if self.momentum is None:  # the mean of all batches
            momentum = astype(1 / (tracked + 1), kept[0].dtype)
        y = F.batch_norm(x, *kept, self.weight, self.bias, True, momentum, self.eps)
        with no_grad():
            tracked[...] = tracked + 1
        return y


class BatchNorm1d(_BatchNorm):
    """Batch normalisation of features (N, C) or sequences (N, C, L), see `BatchNorm2d`."""

    rank = 1


class BatchNorm2d(_BatchNorm):
    """Batch normalisation of images (N, C, H, W): each channel with mean 0 and variance 1, then weight and bias.

    In training the mean and variance are those of the batch, and mixed into running ones; in evaluation the
    running ones are used.

    Args:
        num_features: the number of channels.
        eps: added to the variance.
        momentum: the share of a batch in the running statistics; None for the mean of all batches.
        affine: whether there are weight and bias.
        track_running_stats: whether running statistics are kept; without, those of the batch are always used.
        bias: whether there is a bias, if there is a weight.
        dtype: of the parameters; the default float if None.

    Example:
        >>> import tensorgrad as tg
        >>> layer = tg.nn.BatchNorm2d(3)
        >>> layer(tg.ones((2, 3, 4, 4))).shape, layer.running_mean
        ((2, 3, 4, 4), tensor([0.1, 0.1, 0.1]))
    """

    rank = 2


class BatchNorm3d(_BatchNorm):
    """Batch normalisation of volumes (N, C, D, H, W), see `BatchNorm2d`."""

    rank = 3


class _InstanceNorm(_Running):
    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float = 0.1,
        affine: bool = False,
        track_running_stats: bool = False,
        *,
        bias: bool = True,
        dtype: Any = None,
    ) -> None:
        self._make(num_features, eps, momentum, affine, track_running_stats, bias, dtype)

    def forward(self, x: Any) -> Any:
        """Normalise each image, or one without a batch axis."""
        self._check(x, -self.rank - 1, self.rank + 1, self.rank + 2)
        single = x.ndim == self.rank + 1
        y = F.instance_norm(
            reshape(x, (1, *x.shape)) if single else x,
            self.running_mean,
            self.running_var,
            self.weight,
            self.bias,
            self.training or self.running_mean is None,
            0.0 if self.momentum is None else self.momentum,
            self.eps,
        )
        return reshape(y, x.shape) if single else y


class InstanceNorm1d(_InstanceNorm):
    """Instance normalisation of sequences (N, C, L) or (C, L), see `InstanceNorm2d`."""

    rank = 1


class InstanceNorm2d(_InstanceNorm):
    """Each channel of each image (N, C, H, W) or (C, H, W) with mean 0 and variance 1.

    Args:
        num_features: the number of channels.
        eps: added to the variance.
        momentum: the share of new images in the running statistics.
        affine: whether there are weight and bias.
        track_running_stats: whether running statistics are kept, and used in evaluation.
        bias: whether there is a bias, if there is a weight.
        dtype: of the parameters; the default float if None.

    Example:
        >>> import tensorgrad as tg
        >>> tg.nn.InstanceNorm2d(3)(tg.ones((2, 3, 4, 4))).sum()
        tensor(0.)
    """

    rank = 2


class InstanceNorm3d(_InstanceNorm):
    """Instance normalisation of volumes (N, C, D, H, W) or (C, D, H, W), see `InstanceNorm2d`."""

    rank = 3


class LayerNorm(Module):
    """Layer normalisation: the elements over the last axes with mean 0 and variance 1, then weight and bias.

    Args:
        normalized_shape: the lengths of the last axes.
        eps: added to the variance.
        elementwise_affine: whether there is a weight, and a bias.
        bias: whether there is a bias, if there is a weight.
        dtype: of the parameters; the default float if None.

    Example:
        >>> import tensorgrad as tg
        >>> tg.nn.LayerNorm(2)(tg.tensor([[1.0, 3.0], [5.0, 9.0]])).round(3)
        tensor([[-1.,  1.],
                [-1.,  1.]])
    """

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
        *,
        dtype: Any = None,
    ) -> None:
        self.normalized_shape, self.eps = _sizes(normalized_shape), eps
        self.elementwise_affine = elementwise_affine
        affine = elementwise_affine
        self.weight = Parameter(ones(self.normalized_shape, dtype=dtype)) if affine else None
        self.bias = Parameter(zeros(self.normalized_shape, dtype=dtype)) if affine and bias else None

    def reset_parameters(self) -> None:
        """Start from weight 1 and bias 0 again."""
        _restart(self)

    def forward(self, x: Any) -> Any:
        """Normalise ``(..., *normalized_shape)``."""
        return F.layer_norm(x, self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        """The settings."""
        return f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}"


class RMSNorm(Module):
    """The elements over the last axes divided by the root of their mean square, then times a weight.

    Args:
        normalized_shape: the lengths of the last axes.
        eps: added to the mean square; the distance from 1 to the next number of the dtype if None.
        elementwise_affine: whether there is a weight.
        dtype: of the weight; the default float if None.
    """

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float | None = None,
        elementwise_affine: bool = True,
        *,
        dtype: Any = None,
    ) -> None:
        self.normalized_shape, self.eps = _sizes(normalized_shape), eps
        self.elementwise_affine = elementwise_affine
        self.weight = Parameter(ones(self.normalized_shape, dtype=dtype)) if elementwise_affine else None

    def reset_parameters(self) -> None:
        """Start from weight 1 again."""
        _restart(self)

    def forward(self, x: Any) -> Any:
        """Normalise ``(..., *normalized_shape)``."""
        return F.rms_norm(x, self.normalized_shape, self.weight, self.eps)

    def extra_repr(self) -> str:
        """The settings."""
        return f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}"


class GroupNorm(Module):
    """Groups of channels of each example with mean 0 and variance 1, then weight and bias.

    Args:
        num_groups: how many groups the channels are in.
        num_channels: the number of channels, a multiple of it.
        eps: added to the variance.
        affine: whether there are weight and bias.
        bias: whether there is a bias, if there is a weight.
        dtype: of the parameters; the default float if None.
    """

    def __init__(
        self,
        num_groups: int,
        num_channels: int,
        eps: float = 1e-5,
        affine: bool = True,
        *,
        bias: bool = True,
        dtype: Any = None,
    ) -> None:
        check_sizes("GroupNorm", num_groups=num_groups, num_channels=num_channels)
        if not num_groups or num_channels % num_groups:
            raise ShapeError(f"GroupNorm: {num_groups} groups do not divide {num_channels} channels")
        self.num_groups, self.num_channels, self.eps, self.affine = num_groups, num_channels, eps, affine
        self.weight = Parameter(ones(num_channels, dtype=dtype)) if affine else None
        self.bias = Parameter(zeros(num_channels, dtype=dtype)) if affine and bias else None

    def reset_parameters(self) -> None:
        """Start from weight 1 and bias 0 again."""
        _restart(self)

    def forward(self, x: Any) -> Any:
        """Normalise ``(N, C, ...)``."""
        return F.group_norm(x, self.num_groups, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        """The settings."""
        return f"{self.num_groups}, {self.num_channels}, eps={self.eps}, affine={self.affine}"


class LocalResponseNorm(Module):
    """Each element divided by a power of the mean square of its neighbours in other channels.

    Args:
        size: how many channels.
        alpha: factor of the mean square.
        beta: the power.
        k: added to the mean square.
    """

    def __init__(self, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> None:
        self.size, self.alpha, self.beta, self.k = size, alpha, beta, k

    def forward(self, x: Any) -> Any:
        """Normalise ``(N, C, ...)``."""
        return F.local_response_norm(x, self.size, self.alpha, self.beta, self.k)

    def extra_repr(self) -> str:
        """The settings."""
        return f"{self.size}, alpha={self.alpha}, beta={self.beta}, k={self.k}"


# ---- helpers


def _restart(module: Any) -> None:
    for name, value in (("weight", 1), ("bias", 0)):
        if (param := vars(module).get(name)) is not None:
            overwrite(param, value, f"{type(module).__name__}.reset_parameters")


def _sizes(normalized_shape: int | Sequence[int]) -> tuple[int, ...]:
    return tuple(normalized_shape) if isinstance(normalized_shape, Sequence) else (normalized_shape,)
