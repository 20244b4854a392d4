"""Layers that change shape or size: flatten, resize, shuffle, windows as columns and back."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from ... import ops
from ..._errors import ShapeError
from ...ops.shape import normalise_axis
from .. import functional as F
from ..module import Module
from .settings import Configured, layer

Sizes = int | Sequence[int]


class Identity(Module):
    """Hands on its input; arguments are taken and ignored, so that it can stand for any layer."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        pass

    def forward(self, x: Any) -> Any:
        """The input itself."""
        return x


# ---- axes put together and taken apart


@layer
class Flatten(Configured):
    """Axes put together to one.

    Args:
        start_dim: the first of them.
        end_dim: the last.

    Raises:
        ShapeError: the input has no such axes, or they come in the wrong order.

    Example:
        >>> import tensorgrad as tg
        >>> tg.nn.Flatten()(tg.ones((2, 3, 4))).shape
        (2, 12)
    """

    start_dim: int = 1
    end_dim: int = -1

    def forward(self, x: Any) -> Any:
        """Put the axes together."""
        first = normalise_axis("Flatten", self.start_dim, max(x.ndim, 1))
        last = normalise_axis("Flatten", self.end_dim, max(x.ndim, 1))
        if first > last:
            raise ShapeError(
                f"Flatten: axis {first} to axis {last} of shape {x.shape}; they come in another order"
            )
        return ops.reshape(x, (*x.shape[:first], math.prod(x.shape[first : last + 1]), *x.shape[last + 1 :]))


@layer
class Unflatten(Configured):
    """One axis taken apart.

    Args:
        dim: the axis.
        unflattened_size: the lengths of what it becomes, one of them may be -1 for what is left.

    Raises:
        ShapeError: the input has no such axis, or the lengths do not fit it.

    Example:
        >>> import tensorgrad as tg
        >>> tg.nn.Unflatten(1, (3, -1))(tg.ones((2, 12))).shape
        (2, 3, 4)
    """

    dim: int
    unflattened_size: Sequence[int]

    def forward(self, x: Any) -> Any:
        """Take the axis apart."""
        axis = normalise_axis("Unflatten", self.dim, x.ndim)
        sizes, n = [*self.unflattened_size], x.shape[axis]
        known = math.prod([size for size in sizes if size != -1])
        if sizes.count(-1) == 1 and known > 0 and n % known == 0:
            sizes[sizes.index(-1)] = n // known
        if math.prod(sizes) != n or min(sizes, default=0) < 0:
            raise ShapeError(
                f"Unflatten: axis {axis} of shape {x.shape} cannot become {tuple(self.unflattened_size)}"
            )
        return ops.reshape(x, (*x.shape[:axis], *sizes, *x.shape[axis + 1 :]))


# ---- sizes


@layer
class Upsample(Configured):
    """Images, signals or volumes in another size.

    Args:
        size: of the result: a number, or one for each axis.
        scale_factor: instead of it, how many times as large the result is, likewise.
        mode: ``"nearest"``, ``"linear"``, ``"bilinear"``, ``"bicubic"`` or ``"trilinear"``; see
            `nn.functional.interpolate`.
        align_corners: whether the corners keep their places.
        recompute_scale_factor: whether the factor is taken from the sizes, after rounding.

    Example:
        >>> import tensorgrad as tg
        >>> tg.nn.Upsample(scale_factor=2)(tg.ones((1, 1, 2, 3))).shape
        (1, 1, 4, 6)
    """

    size: Any = None
    scale_factor: Any = None
    mode: str = "nearest"
    align_corners: bool | None = None
    recompute_scale_factor: bool | None = None

    def forward(self, x: Any) -> Any:
        """Apply `nn.functional.interpolate`."""
        return F.interpolate(
            x, self.size, self.scale_factor, self.mode, self.align_corners, self.recompute_scale_factor
        )

    def extra_repr(self) -> str:
        """The size or the factor, and the mode."""
        name = "scale_factor" if self.size is None else "size"
        return f"{name}={getattr(self, name)!r}, mode={self.mode!r}"


class UpsamplingNearest2d(Upsample):
    """`Upsample` of images with the nearest element."""

    def __init__(self, size: Any = None, scale_factor: Any = None) -> None:
        super().__init__(size, scale_factor, mode="nearest")


class UpsamplingBilinear2d(Upsample):
    """`Upsample` of images in straight lines, with the corners kept."""

    def __init__(self, size: Any = None, scale_factor: Any = None) -> None:
        super().__init__(size, scale_factor, mode="bilinear", align_corners=True)


# ---- pixels, channels and windows


@layer
class PixelShuffle(Configured):
    """Channels moved into the plane, which becomes ``upscale_factor`` times as high and wide."""

    upscale_factor: int

    def forward(self, x: Any) -> Any:
        """Apply `nn.functional.pixel_shuffle`."""
        return F.pixel_shuffle(x, self.upscale_factor)


@layer
class PixelUnshuffle(Configured):
    """The plane moved into channels: the inverse of `PixelShuffle`."""

    downscale_factor: int

    def forward(self, x: Any) -> Any:
        """Apply `nn.functional.pixel_unshuffle`."""
        return F.pixel_unshuffle(x, self.downscale_factor)


@layer
class ChannelShuffle(Configured):
    """Channels dealt out anew: the first of each group, then the second of each, and so on."""

    groups: int

    def forward(self, x: Any) -> Any:
        """Apply `nn.functional.channel_shuffle`."""
        return F.channel_shuffle(x, self.groups)


@layer
class Unfold(Configured):
    """Windows of images as columns ``(N, C * rows * columns, windows)``."""

    kernel_size: Sizes
    dilation: Sizes = 1
    padding: Sizes = 0
    stride: Sizes = 1

    def forward(self, x: Any) -> Any:
        """Apply `nn.functional.unfold`."""
        return F.unfold(x, self.kernel_size, self.dilation, self.padding, self.stride)


@layer
class Fold(Configured):
    """Columns put back as windows of images, and added where they overlap."""

    output_size: Sizes
    kernel_size: Sizes
    dilation: Sizes = 1
    padding: Sizes = 0
    stride: Sizes = 1

    def forward(self, x: Any) -> Any:
        """Apply `nn.functional.fold`."""
        return F.fold(x, self.output_size, self.kernel_size, self.dilation, self.padding, self.stride)
