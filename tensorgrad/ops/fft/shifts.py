"""Where frequency 0 stands: first, or in the middle."""

from __future__ import annotations

from typing import Any

from ..arrange import roll
from ..shape import Axis, lifted, normalise_axes


def fftshift(x: Any, /, axes: Axis = None) -> Any:
    """``x`` with frequency 0 moved from the start to the middle, the negative frequencies before it.

    Args:
        x: a spectrum.
        axes: the axes to do so along, by default all.

    Raises:
        ShapeError: there is no such axis, or one is named twice.

    Example:
        >>> import tensorgrad as tg
        >>> tg.fft.fftshift(tg.fft.fftfreq(4))
        tensor([-0.5 , -0.25,  0.  ,  0.25])
    """
    x = lifted("fftshift", x)
    places = normalise_axes("fftshift", axes, x.ndim)
    return roll(x, [x.shape[i] // 2 for i in places], axis=places) if places else x


def ifftshift(x: Any, /, axes: Axis = None) -> Any:
    """``x`` with frequency 0 moved back from the middle to the start: the inverse of `fftshift`.

    For an odd number of points the two differ.

    Raises:
        ShapeError: there is no such axis, or one is named twice.

    Example:
        >>> import tensorgrad as tg
        >>> tg.fft.ifftshift(tg.fft.fftshift(tg.tensor([1.0, 2.0, 3.0])))
        tensor([1., 2., 3.])
    """
    x = lifted("ifftshift", x)
    places = normalise_axes("ifftshift", axes, x.ndim)
    return roll(x, [-(x.shape[i] // 2) for i in places], axis=places) if places else x
