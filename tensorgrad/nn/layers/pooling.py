"""Pooling as layers: the settings here, the rest in `nn.functional`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from ..._errors import ShapeError
from .. import functional as F
from ..module import Buffer
from .settings import FROM_CONTEXT, Configured, layer

if TYPE_CHECKING:
    from ..._random import Generator

Sizes = int | Sequence[int]


class _Windows(Configured):
    """Windows that follow one another with a stride, which is their size where none is given."""

    kernel_size: Sizes
    stride: Sizes | None

    def __post_init__(self) -> None:
        if self.stride is None:
            self.stride = self.kernel_size


# ---- the largest


@layer
class _MaxPool(_Windows):
    """The largest element of each window; see `nn.functional.max_pool2d`."""

    kernel_size: Sizes
    stride: Sizes | None = None
    padding: Sizes = 0
    dilation: Sizes = 1
    return_indices: bool = False
    ceil_mode: bool = False
    function: ClassVar[Callable[..., Any]]

    def forward(self, x: Any) -> Any:
        """Apply the function; with ``return_indices`` there are two results."""
        window = (self.kernel_size, self.stride, self.padding, self.dilation)
        return self.function(x, *window, self.ceil_mode, self.return_indices)


@layer
class _MaxUnpool(_Windows):
    """Maxima put back to where they come from, zeros elsewhere; see `nn.functional.max_unpool2d`."""

    kernel_size: Sizes
    stride: Sizes | None = None
    padding: Sizes = 0
    function: ClassVar[Callable[..., Any]]

    def forward(self, x: Any, indices: Any, output_size: Any = None) -> Any:
        """Apply the function to maxima and their positions."""
        return self.function(x, indices, self.kernel_size, self.stride, self.padding, output_size)


@layer
class _AdaptiveMaxPool(Configured):
    """The largest element of each of so many windows; see `nn.functional.adaptive_max_pool2d`."""

    output_size: Any
    return_indices: bool = False
    function: ClassVar[Callable[..., Any]]

    def forward(self, x: Any) -> Any:
        """Apply the function; with ``return_indices`` there are two results."""
        return self.function(x, self.output_size, self.return_indices)


@layer
class _FractionalMaxPool(Configured):
    """The largest element in windows at random places; see `nn.functional.fractional_max_pool2d`."""

    kernel_size: Sizes
    output_size: Any = None
    output_ratio: Any = None
    return_indices: bool = False
    _random_samples: Any = None
    generator: Generator | None = FROM_CONTEXT
    function: ClassVar[Callable[..., Any]]

    def __post_init__(self) -> None:
        if (self.output_size is None) == (self.output_ratio is None):
            raise ShapeError(f"{type(self).__name__}: give one of output_size and output_ratio")
        if self._random_samples is not None:
            self._random_samples = Buffer(self._random_samples)

    def forward(self, x: Any) -> Any:
        """Apply the function; with ``return_indices`` there are two results."""
        size = (self.kernel_size, self.output_size, self.output_ratio)
        return self.function(x, *size, self.return_indices, self._random_samples, generator=self.generator)


class MaxPool1d(_MaxPool):
    """The largest element of each window of ``(N, C, L)``."""

    function = staticmethod(F.max_pool1d)


class MaxPool2d(_MaxPool):
    """The largest element of each window of ``(N, C, H, W)``."""

    function = staticmethod(F.max_pool2d)


class MaxPool3d(_MaxPool):
    """The largest element of each window of ``(N, C, D, H, W)``."""

    function = staticmethod(F.max_pool3d)


class MaxUnpool1d(_MaxUnpool):
    """Maxima of ``(N, C, L)`` put back to where they come from, zeros elsewhere."""

    function = staticmethod(F.max_unpool1d)


class MaxUnpool2d(_MaxUnpool):
    """Maxima of ``(N, C, H, W)`` put back to where they come from, zeros elsewhere."""

    function = staticmethod(F.max_unpool2d)


class MaxUnpool3d(_MaxUnpool):
    """Maxima of ``(N, C, D, H, W)`` put back to where they come from, zeros elsewhere."""

    function = staticmethod(F.max_unpool3d)


class AdaptiveMaxPool1d(_AdaptiveMaxPool):
    """The largest element of each of ``output_size`` windows of ``(N, C, L)``."""

    function = staticmethod(F.adaptive_max_pool1d)


class AdaptiveMaxPool2d(_AdaptiveMaxPool):
    """The largest element of each of ``output_size`` windows of ``(N, C, H, W)``."""

    function = staticmethod(F.adaptive_max_pool2d)


class AdaptiveMaxPool3d(_AdaptiveMaxPool):
    """The largest element of each of ``output_size`` windows of ``(N, C, D, H, W)``."""

    function = staticmethod(F.adaptive_max_pool3d)


class FractionalMaxPool2d(_FractionalMaxPool):
    """The largest element in windows of ``(N, C, H, W)`` whose places are drawn."""

    function = staticmethod(F.fractional_max_pool2d)


class FractionalMaxPool3d(_FractionalMaxPool):
    """The largest element in windows of ``(N, C, D, H, W)`` whose places are drawn."""

    function = staticmethod(F.fractional_max_pool3d)


# ---- means and norms


@layer
class AvgPool1d(_Windows):
    """The mean of each window of ``(N, C, L)``."""

    kernel_size: Sizes
    stride: Sizes | None = None
    padding: Sizes = 0
    ceil_mode: bool = False
    count_include_pad: bool = True

    def forward(self, x: Any) -> Any:
        """Apply `nn.functional.avg_pool1d`."""
        window = (self.kernel_size, self.stride, self.padding)
        return F.avg_pool1d(x, *window, self.ceil_mode, self.count_include_pad)


@layer
class _AvgPool(_Windows):
    """The mean of each window, or their sum divided by another number; see `nn.functional.avg_pool2d`."""

    kernel_size: Sizes
    stride: Sizes | None = None
    padding: Sizes = 0
    ceil_mode: bool = False
    count_include_pad: bool = True
    divisor_override: float | None = None
    function: ClassVar[Callable[..., Any]]

    def forward(self, x: Any) -> Any:
        """Apply the function."""
        window = (self.kernel_size, self.stride, self.padding)
        return self.function(x, *window, self.ceil_mode, self.count_include_pad, self.divisor_override)


class AvgPool2d(_AvgPool):
    """The mean of each window of ``(N, C, H, W)``."""

    function = staticmethod(F.avg_pool2d)


class AvgPool3d(_AvgPool):
    """The mean of each window of ``(N, C, D, H, W)``."""

    function = staticmethod(F.avg_pool3d)


@layer
class _AdaptiveAvgPool(Configured):
    """The mean of each of so many windows; see `nn.functional.adaptive_avg_pool2d`."""

    output_size: Any
    function: ClassVar[Callable[..., Any]]

    def forward(self, x: Any) -> Any:
        """Apply the function."""
        return self.function(x, self.output_size)


@layer
class _LPPool(Configured):
    """The norm of each window; see `nn.functional.lp_pool2d`."""

    norm_type: float
    kernel_size: Sizes
    stride: Sizes | None = None
    ceil_mode: bool = False
    function: ClassVar[Callable[..., Any]]

    def forward(self, x: Any) -> Any:
        """Apply the function."""
        return self.function(x, self.norm_type, self.kernel_size, self.stride, self.ceil_mode)


class AdaptiveAvgPool1d(_AdaptiveAvgPool):
    """The mean of each of ``output_size`` windows of ``(N, C, L)``."""

    function = staticmethod(F.adaptive_avg_pool1d)


class AdaptiveAvgPool2d(_AdaptiveAvgPool):
    """The mean of each of ``output_size`` windows of ``(N, C, H, W)``."""

    function = staticmethod(F.adaptive_avg_pool2d)


class AdaptiveAvgPool3d(_AdaptiveAvgPool):
    """The mean of each of ``output_size`` windows of ``(N, C, D, H, W)``."""

    function = staticmethod(F.adaptive_avg_pool3d)


class LPPool1d(_LPPool):
    """The norm of each window of ``(N, C, L)``, of order ``norm_type``."""

    function = staticmethod(F.lp_pool1d)


class LPPool2d(_LPPool):
    """The norm of each window of ``(N, C, H, W)``, of order ``norm_type``."""

    function = staticmethod(F.lp_pool2d)


class LPPool3d(_LPPool):
    """The norm of each window of ``(N, C, D, H, W)``, of order ``norm_type``."""

    function = staticmethod(F.lp_pool3d)
