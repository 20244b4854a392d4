"""Transforms over several axes, one after the other: their order does not matter."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..._errors import ShapeError
from ..dtype import cast, conjugate
from ..shape import Axis
from .arguments import Lengths, known, length, mirrored, places, resized, signal
from .cards import dft, irdft, rdft

LAST_TWO = (-2, -1)


def fftn(x: Any, /, s: Lengths = None, axes: Axis = None, norm: str | None = "backward") -> Any:
    """Discrete Fourier transform over several axes.

    Args:
        x: the signal, real or complex.
        s: the number of points along each axis: a longer signal is cut, a shorter one gets zeros behind;
            -1 means all. By default all of each.
        axes: the axes; by default all, or as many of the last ones as ``s`` has lengths.
        norm: as for `fft`, where n is the product of the numbers of points.

    Returns:
        The frequencies as complex numbers, along each axis in the order of `fftfreq`.

    Raises:
        ShapeError: there is no such axis, one is named twice, the lengths do not fit the axes or are not
            positive, or the norm is unknown.

    Example:
        >>> import tensorgrad as tg
        >>> tg.fft.fftn(tg.ones((2, 2)))
        tensor([[4.+0.j, 0.+0.j],
                [0.+0.j, 0.+0.j]], dtype=complex64)
    """
    return _whole("fftn", x, s, axes, norm, False)


def ifftn(x: Any, /, s: Lengths = None, axes: Axis = None, norm: str | None = "backward") -> Any:
    """Inverse of `fftn`, with the same arguments and errors."""
    return _whole("ifftn", x, s, axes, norm, True)


def fft2(x: Any, /, s: Lengths = None, axes: Axis = LAST_TWO, norm: str | None = "backward") -> Any:
    """`fftn` over two axes, by default the last ones."""
    return _whole("fft2", x, s, axes, norm, False)


def ifft2(x: Any, /, s: Lengths = None, axes: Axis = LAST_TWO, norm: str | None = "backward") -> Any:
    """Inverse of `fft2`, with the same arguments and errors."""
    return _whole("ifft2", x, s, axes, norm, True)


def rfftn(x: Any, /, s: Lengths = None, axes: Axis = None, norm: str | None = "backward") -> Any:
    """`fftn` of a real signal: half of the frequencies along the last of the axes.

    Args:
        x: the signal, real.
        s: the number of points along each axis, as for `fftn`.
        axes: the axes, as for `fftn`, at least one; along the last of them `rfft` is taken.
        norm: as for `fftn`.

    Raises:
        DtypeError: ``x`` is complex.
        ShapeError: as for `fftn`, or there is no axis.

    Example:
        >>> import tensorgrad as tg
        >>> tg.fft.rfftn(tg.ones((2, 4))).shape
        (2, 3)
    """
    return _half("rfftn", x, s, axes, known("rfftn", norm))


def irfftn(x: Any, /, s: Lengths = None, axes: Axis = None, norm: str | None = "backward") -> Any:
    """Inverse of `rfftn`: a real signal.

    Args:
        x: the spectrum; along the last of the axes the half that `rfft` gives. Imaginary parts that no
            real signal has are not read, as by `irfft`, and their gradient is 0.
        s: the lengths of the signal. The last one is by default ``2 * (m - 1)``, where m is the length of
            ``x`` there: for a signal of odd length it has to be given. -1 means the length of ``x``, here too.
        axes: the axes, as for `rfftn`.
        norm: as for `fftn`; give both the same.

    Raises:
        ShapeError: as for `rfftn`.

    Example:
        >>> import tensorgrad as tg
        >>> tg.fft.irfftn(tg.ones((2, 2)), s=(2, 3)).shape
        (2, 3)
    """
    return _real("irfftn", x, s, axes, known("irfftn", norm))


def rfft2(x: Any, /, s: Lengths = None, axes: Axis = LAST_TWO, norm: str | None = "backward") -> Any:
    """`rfftn` over two axes, by default the last ones."""
    return _half("rfft2", x, s, axes, known("rfft2", norm))


def irfft2(x: Any, /, s: Lengths = None, axes: Axis = LAST_TWO, norm: str | None = "backward") -> Any:
    """`irfftn` over two axes, by default the last ones."""
    return _real("irfft2", x, s, axes, known("irfft2", norm))


def hfftn(x: Any, /, s: Lengths = None, axes: Axis = None, norm: str | None = "backward") -> Any:
    """`fftn` of a signal that mirrors itself, so that its spectrum is real; arguments as for `irfftn`.

    Example:
        >>> import tensorgrad as tg
        >>> tg.fft.hfftn(tg.tensor([[1.0, 0.5j]])).shape
        (1, 2)
    """
    return _real("hfftn", conjugate(signal("hfftn", x)), s, axes, mirrored("hfftn", norm))


def ihfftn(x: Any, /, s: Lengths = None, axes: Axis = None, norm: str | None = "backward") -> Any:
    """Inverse of `hfftn`: the half of the signal that has a real spectrum; arguments as for `rfftn`."""
    return conjugate(_half("ihfftn", x, s, axes, mirrored("ihfftn", norm)))


def hfft2(x: Any, /, s: Lengths = None, axes: Axis = LAST_TWO, norm: str | None = "backward") -> Any:
    """`hfftn` over two axes, by default the last ones."""
    return _real("hfft2", conjugate(signal("hfft2", x)), s, axes, mirrored("hfft2", norm))


def ihfft2(x: Any, /, s: Lengths = None, axes: Axis = LAST_TWO, norm: str | None = "backward") -> Any:
    """`ihfftn` over two axes, by default the last ones."""
    return conjugate(_half("ihfft2", x, s, axes, mirrored("ihfft2", norm)))


# ---- parts


def _whole(op: str, x: Any, s: Lengths, axes: Axis, norm: str | None, inverse: bool) -> Any:
    x = signal(op, x)
    chosen, lengths = places(op, x, s, axes)
    norm = known(op, norm)
    if not chosen:  # nothing to transform; the result is complex all the same
        return x if x.dtype.kind == "c" else cast(x, np.result_type(x.dtype, np.complex64))
    for axis, n in zip(chosen, lengths, strict=True):
        x = resized(x, axis, length(op, n, x.shape[axis]))
    return dft(x, chosen, inverse, norm)


def _half(op: str, x: Any, s: Lengths, axes: Axis, norm: str) -> Any:
    x = signal(op, x, real=True)
    chosen, lengths = _some(op, x, s, axes)
    for axis, n in zip(chosen, lengths, strict=True):
        x = resized(x, axis, length(op, n, x.shape[axis]))
    y = rdft(x, chosen[-1], norm)
    return dft(y, chosen[:-1], False, norm) if chosen[1:] else y


def _real(op: str, x: Any, s: Lengths, axes: Axis, norm: str) -> Any:
    x = signal(op, x)
    chosen, lengths = _some(op, x, s, axes)
    n = length(op, lengths[-1], 2 * (x.shape[chosen[-1]] - 1))
    points = [length(op, m, x.shape[axis]) for axis, m in zip(chosen[:-1], lengths[:-1], strict=True)]
    for axis, m in zip(chosen, [*points, n // 2 + 1], strict=True):
        x = resized(x, axis, m)
    if chosen[1:]:
        x = dft(x, chosen[:-1], True, norm)
    return irdft(x, n, chosen[-1], norm)


def _some(op: str, x: Any, s: Lengths, axes: Axis) -> tuple[tuple[int, ...], list[int | None]]:
    chosen, lengths = places(op, x, s, axes)
    if not chosen:
        raise ShapeError(f"{op}: no axis to transform along; at least one is needed")
    return chosen, lengths
