"""Convolutions and normalisations that learn their number of channels from the first input."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from ..._errors import ShapeError
from ..lazy import Lazy
from . import conv, norm
from .conv import Numbers
from .linear import check_sizes

if TYPE_CHECKING:
    from numpy.random import Generator


class _Channels(Lazy):
    """What they share: the channels lie before the axes that the finished layer works along."""

    name: ClassVar[str]
    single: ClassVar[bool] = True  # whether an input without a batch axis is meant, too

    def sizes(self, x: Any) -> dict[str, int]:
        """The channels of the input."""
        rank: int = self.finished.rank  # type: ignore[attr-defined]
        if x.ndim != rank + 2 and not (self.single and x.ndim == rank + 1):
            raise ShapeError(
                f"{type(self).__name__}: input has shape {x.shape}; {rank + 2} axes are needed, "
                f"(N, C{', ...' if rank else ''})"
            )
        return {self.name: x.shape[-rank - 1]}


class _LazyConv(_Channels):
    name = "in_channels"

    def __init__(
        self,
        out_channels: int,
        kernel_size: Numbers,
        stride: Numbers = 1,
        padding: Numbers | str = 0,
        dilation: Numbers = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        *,
        dtype: Any = None,
        generator: Generator | None = None,
    ) -> None:
        check_sizes(type(self).__name__, out_channels=out_channels)
        super().__init__(
            out_channels=out_channels,
            kernel_size=kernel_size,
            stride=stride,
            padding=padding,
            dilation=dilation,
            groups=groups,
            bias=bias,
            padding_mode=padding_mode,
            dtype=dtype,
            generator=generator,
        )


class LazyConv1d(_LazyConv):
    """A `Conv1d` that reads ``in_channels`` from its first input, see `LazyConv2d`."""

    finished = conv.Conv1d


class LazyConv2d(_LazyConv):
    """A `Conv2d` that reads ``in_channels`` from its first input; the other arguments are the same.

    Example:
        >>> import tensorgrad as tg
        >>> layer = tg.nn.LazyConv2d(8, 3)
        >>> _ = layer(tg.ones((2, 3, 5, 5)))
        >>> layer
        Conv2d(3, 8, kernel_size=(3, 3), stride=(1, 1))
    """

    finished = conv.Conv2d


class LazyConv3d(_LazyConv):
    """A `Conv3d` that reads ``in_channels`` from its first input, see `LazyConv2d`."""

    finished = conv.Conv3d


class _LazyConvTranspose(_Channels):
    name = "in_channels"

    def __init__(
        self,
        out_channels: int,
        kernel_size: Numbers,
        stride: Numbers = 1,
        padding: Numbers = 0,
        output_padding: Numbers = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: Numbers = 1,
        padding_mode: str = "zeros",
        *,
        dtype: Any = None,
        generator: Generator | None = None,
    ) -> None:
        check_sizes(type(self).__name__, out_channels=out_channels)
        super().__init__(
            out_channels=out_channels,
            kernel_size=kernel_size,
            stride=stride,
            padding=padding,
            output_padding=output_padding,
            groups=groups,
            bias=bias,
            dilation=dilation,
            padding_mode=padding_mode,
            dtype=dtype,
            generator=generator,
        )


class LazyConvTranspose1d(_LazyConvTranspose):
    """A `ConvTranspose1d` that reads ``in_channels`` from its first input, see `LazyConv2d`."""

    finished = conv.ConvTranspose1d


class LazyConvTranspose2d(_LazyConvTranspose):
    """A `ConvTranspose2d` that reads ``in_channels`` from its first input, see `LazyConv2d`."""

    finished = conv.ConvTranspose2d


class LazyConvTranspose3d(_LazyConvTranspose):
    """A `ConvTranspose3d` that reads ``in_channels`` from its first input, see `LazyConv2d`."""

    finished = conv.ConvTranspose3d


class _LazyBatchNorm(_Channels):
    name, single = "num_features", False

    def __init__(
        self,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        *,
        dtype: Any = None,
    ) -> None:
        super().__init__(
            eps=eps, momentum=momentum, affine=affine, track_running_stats=track_running_stats, dtype=dtype
        )


class LazyBatchNorm1d(_LazyBatchNorm):
    """A `BatchNorm1d` that reads ``num_features`` from its first input, (N, C) or (N, C, L)."""

    finished = norm.BatchNorm1d

    def sizes(self, x: Any) -> dict[str, int]:
        """The features of (N, C), or the channels of (N, C, L)."""
        return {self.name: x.shape[1]} if x.ndim == 2 else super().sizes(x)


class LazyBatchNorm2d(_LazyBatchNorm):
    """A `BatchNorm2d` that reads ``num_features`` from its first input; the other arguments are the same.

    Example:
        >>> import tensorgrad as tg
        >>> layer = tg.nn.LazyBatchNorm2d()
        >>> layer(tg.ones((2, 3, 5, 5))).shape, layer.num_features
        ((2, 3, 5, 5), 3)
    """

    finished = norm.BatchNorm2d


class LazyBatchNorm3d(_LazyBatchNorm):
    """A `BatchNorm3d` that reads ``num_features`` from its first input, see `LazyBatchNorm2d`."""

    finished = norm.BatchNorm3d


class _LazyInstanceNorm(_Channels):
    name = "num_features"

    def __init__(
        self,
        eps: float = 1e-5,
        momentum: float = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        *,
        dtype: Any = None,
    ) -> None:
        super().__init__(
            eps=eps, momentum=momentum, affine=affine, track_running_stats=track_running_stats, dtype=dtype
        )


class LazyInstanceNorm1d(_LazyInstanceNorm):
    """An `InstanceNorm1d` that reads ``num_features`` from its first input, see `LazyInstanceNorm2d`."""

    finished = norm.InstanceNorm1d


class LazyInstanceNorm2d(_LazyInstanceNorm):
    """An `InstanceNorm2d` that reads ``num_features`` from its first input.

    As in PyTorch, and unlike `InstanceNorm2d`, it has weight and bias and keeps running statistics by default.

    Args:
        eps: added to the variance.
        momentum: the share of new images in the running statistics.
        affine: whether there are weight and bias.
        track_running_stats: whether running statistics are kept, and used in evaluation.
        dtype: of the parameters; the default float if None.
    """

    finished = norm.InstanceNorm2d


class LazyInstanceNorm3d(_LazyInstanceNorm):
    """An `InstanceNorm3d` that reads ``num_features`` from its first input, see `LazyInstanceNorm2d`."""

    finished = norm.InstanceNorm3d
