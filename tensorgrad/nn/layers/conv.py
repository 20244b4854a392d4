"""Convolution layers of one to three axes and their transposes."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from ..._errors import ShapeError
from ...ops import pad
from ...ops.window.convolution import numbers
from .. import functional as F
from ..module import Module
from .linear import check_sizes, drawn

if TYPE_CHECKING:
    from numpy.random import Generator

Numbers = int | Sequence[int]
MODES = {"zeros": "constant", "reflect": "reflect", "replicate": "edge", "circular": "wrap"}


class _Convolution(Module):
    """The parameters and settings of convolutions; see `Conv2d`."""

    rank: ClassVar[int]
    _function: ClassVar[Callable[..., Any]]
    transposed: ClassVar[bool]

    def _make(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Numbers,
        settings: dict[str, Numbers],
        groups: int,
        bias: bool,
        dtype: Any,
        generator: Generator | None,
    ) -> None:
        name = type(self).__name__
        check_sizes(name, in_channels=in_channels, out_channels=out_channels)
        if groups < 1 or in_channels % groups or out_channels % groups:
            raise ShapeError(
                f"{name}: groups={groups} must divide in_channels {in_channels} and out_channels {out_channels}"
            )
        self.in_channels, self.out_channels, self.groups = in_channels, out_channels, groups
        self.kernel_size = numbers(name, "kernel_size", kernel_size, self.rank, 1)
        for key, value in settings.items():
            least = 0 if "padding" in key else 1
            found = value if isinstance(value, str) else numbers(name, key, value, self.rank, least)
            setattr(self, key, found)
        a, b = (in_channels, out_channels) if self.transposed else (out_channels, in_channels)
        shape = (a, b // groups, *self.kernel_size)
        seen = math.prod(shape[1:])
        bound = 1 / math.sqrt(seen) if seen else 0.0
        self.weight = drawn(shape, bound, dtype, generator)
        self.bias = drawn((out_channels,), bound, dtype, generator) if bias else None

    def extra_repr(self) -> str:
        """The sizes, and the settings that are not the usual ones."""
        usual: dict[str, Any] = {
            "padding": (0,) * self.rank,
            "output_padding": (0,) * self.rank,
            "dilation": (1,) * self.rank,
            "groups": 1,
            "padding_mode": "zeros",
        }
        own = {name: vars(self).get(name, value) for name, value in usual.items()}
        more = [f", {name}={value}" for name, value in own.items() if value != usual[name]]
        return (
            f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, stride={self.stride}{''.join(more)}"
            f"{'' if self.bias is not None else ', bias=False'}"
        )


class _Forward(_Convolution):
    transposed = False

    def __init__(
        self,
        in_channels: int,
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
        if padding_mode not in MODES:
            raise ShapeError(f"{type(self).__name__}: padding_mode is {padding_mode!r}; one of {list(MODES)}")
        self.padding_mode = padding_mode
        settings: dict[str, Any] = {"stride": stride, "padding": padding, "dilation": dilation}
        self._make(in_channels, out_channels, kernel_size, settings, groups, bias, dtype, generator)
        if isinstance(padding, str) and padding not in ("same", "valid"):
            raise ShapeError(
                f"{type(self).__name__}: padding is {padding!r}; numbers, 'same' or 'valid' are meant"
            )
        if padding == "same" and self.stride != (1,) * self.rank:
            raise ShapeError(f"{type(self).__name__}: padding 'same' is for stride 1; {self.stride} given")

    def forward(self, x: Any) -> Any:
        """Slide the filters over ``(N, C, ...)`` or ``(C, ...)``."""
        padding = self.padding
        if self.padding_mode != "zeros" and padding != "valid":
            ends = [(p, p) for p in padding] if padding != "same" else self._same()
            x, padding = pad(x, [(0, 0)] * (x.ndim - self.rank) + ends, MODES[self.padding_mode]), 0
        return type(self)._function(
            x, self.weight, self.bias, self.stride, padding, self.dilation, self.groups
        )

    def _same(self) -> list[tuple[int, int]]:
        reach = [d * (k - 1) for k, d in zip(self.kernel_size, self.dilation, strict=True)]
        return [(r // 2, r - r // 2) for r in reach]


class Conv1d(_Forward):
    """Convolution of sequences, see `Conv2d`.

    Args:
        in_channels: channels of the input.
        out_channels: channels of the result, the number of filters.
        kernel_size: length of the filters.
        stride: step of the window.
        padding: elements put on each side, or "same", "valid".
        dilation: distance of the elements that a filter sees.
        groups: how many groups the channels are in.
        bias: whether there is one.
        padding_mode: what is put on the sides: "zeros", "reflect", "replicate" or "circular".
        dtype: of the parameters; the default float if None.
        generator: to draw the parameters from.

    Shape:
        ``(N, in_channels, L)`` or ``(in_channels, L)``.
    """

    rank, _function = 1, F.conv1d


class Conv2d(_Forward):
    """Convolution of images: filters slide over them, and what each sees is multiplied and added up.

    Args:
        in_channels: channels of the input.
        out_channels: channels of the result, the number of filters.
        kernel_size: size of the filters, one number or ``(rows, columns)``.
        stride: step of the window, likewise.
        padding: rows and columns put on each side, likewise, or "same", "valid".
        dilation: distance of the elements that a filter sees, likewise.
        groups: how many groups the channels are in; a filter sees those of its own.
        bias: whether there is one.
        padding_mode: what is put on the sides: "zeros", "reflect", "replicate" or "circular".
        dtype: of the parameters; the default float if None.
        generator: to draw the parameters from; uniform in +-1/sqrt(elements of a filter).

    Shape:
        ``(N, in_channels, H, W)`` or ``(in_channels, H, W)``; see `functional.conv2d`.

    Example:
        >>> import tensorgrad as tg
        >>> layer = tg.nn.Conv2d(3, 8, 3, padding=1)
        >>> layer, layer(tg.ones((2, 3, 5, 5))).shape
        (Conv2d(3, 8, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1)), (2, 8, 5, 5))
    """

    rank, _function = 2, F.conv2d


class Conv3d(_Forward):
    """Convolution of volumes, see `Conv2d`.

    Args:
        in_channels: channels of the input.
        out_channels: channels of the result, the number of filters.
        kernel_size: size of the filters, one number or three.
        stride: step of the window, likewise.
        padding: elements put on each side, likewise, or "same", "valid".
        dilation: distance of the elements that a filter sees, likewise.
        groups: how many groups the channels are in.
        bias: whether there is one.
        padding_mode: what is put on the sides: "zeros", "reflect", "replicate" or "circular".
        dtype: of the parameters; the default float if None.
        generator: to draw the parameters from.

    Shape:
        ``(N, in_channels, D, H, W)`` or ``(in_channels, D, H, W)``.
    """

    rank, _function = 3, F.conv3d


class _Backward(_Convolution):
    transposed = True

    def __init__(
        self,
        in_channels: int,
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
        if padding_mode != "zeros":
            raise ShapeError(
                f"{type(self).__name__}: padding_mode is {padding_mode!r}; only 'zeros' is possible"
            )
        self.padding_mode = padding_mode
        settings = {
            "stride": stride, "padding": padding, "output_padding": output_padding, "dilation": dilation
        }  # fmt: skip
        self._make(in_channels, out_channels, kernel_size, settings, groups, bias, dtype, generator)

    def forward(self, x: Any, output_size: Sequence[int] | None = None) -> Any:
        """Put filters where the elements of ``(N, C, ...)`` or ``(C, ...)`` lie.

        Args:
            x: the input.
            output_size: the lengths of the result, or its whole shape, where several are possible.
        """
        more = self.output_padding if output_size is None else self._more(x, list(output_size))
        return type(self)._function(
            x, self.weight, self.bias, self.stride, self.padding, more, self.groups, self.dilation
        )

    def _more(self, x: Any, output_size: list[int]) -> tuple[int, ...]:
        least = [
            (n - 1) * s - 2 * p + d * (k - 1) + 1
            for n, s, p, d, k in zip(
                x.shape[-self.rank :], self.stride, self.padding, self.dilation, self.kernel_size, strict=True
            )
        ]
        wanted = output_size[-self.rank :]
        more = tuple([n - m for n, m in zip(wanted, least, strict=False)])
        fits = len(output_size) in (self.rank, x.ndim)
        if not fits or any(not 0 <= m < s for m, s in zip(more, self.stride, strict=True)):
            raise ShapeError(
                f"{type(self).__name__}: output_size {tuple(output_size)} for input {x.shape}; from {least} to less than "
                f"a stride {self.stride} more is possible"
            )
        return more


class ConvTranspose1d(_Backward):
    """The transpose of `Conv1d` in its input, see `ConvTranspose2d`.

    Shape:
        ``(N, in_channels, L)`` or ``(in_channels, L)``.
    """

    rank, _function = 1, F.conv_transpose1d


class ConvTranspose2d(_Backward):
    """The transpose of `Conv2d` in its images: each element times its filter, added up where the filter lies.

    Args:
        in_channels: channels of the input.
        out_channels: channels of the result.
        kernel_size: size of the filters, one number or ``(rows, columns)``.
        stride: step of the window, likewise.
        padding: rows and columns cut off on each side, likewise.
        output_padding: rows and columns more at the end, likewise.
        groups: how many groups the channels are in.
        bias: whether there is one.
        dilation: distance of the elements of a filter, likewise.
        padding_mode: "zeros", nothing else.
        dtype: of the parameters; the default float if None.
        generator: to draw the parameters from; uniform in +-1/sqrt(elements that a channel of the input writes).

    Shape:
        ``(N, in_channels, H, W)`` or ``(in_channels, H, W)``; see `functional.conv_transpose2d`.

    Example:
        >>> import tensorgrad as tg
        >>> layer = tg.nn.ConvTranspose2d(8, 3, 2, stride=2)
        >>> layer(tg.ones((2, 8, 5, 5))).shape, layer(tg.ones((2, 8, 5, 5)), output_size=(11, 10)).shape
        ((2, 3, 10, 10), (2, 3, 11, 10))
    """

    rank, _function = 2, F.conv_transpose2d


class ConvTranspose3d(_Backward):
    """The transpose of `Conv3d` in its input, see `ConvTranspose2d`.

    Shape:
        ``(N, in_channels, D, H, W)`` or ``(in_channels, D, H, W)``.
    """

    rank, _function = 3, F.conv_transpose3d
