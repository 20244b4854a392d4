"""Transforms along one axis."""

from __future__ import annotations

from typing import Any, SupportsIndex

from ..dtype import conjugate
from ..shape import normalise_axis
from .arguments import known, length, mirrored, resized, signal
from .cards import dft, irdft, rdft


def fft(x: Any, /, n: int | None = None, axis: SupportsIndex = -1, norm: str | None = "backward") -> Any:
    """Discrete Fourier transform: ``y[k] = sum over j of x[j] * exp(-2j * pi * j * k / n)``.

    Args:
        x: the signal, real or complex.
        n: the number of points: a longer signal is cut, a shorter one gets zeros behind. By default all.
        axis: the axis to transform along.
        norm: where to divide by n: ``"backward"`` in the inverse transform, ``"forward"`` in this one;
            with ``"ortho"`` both divide by its square root, and no length changes.

    Returns:
        The n frequencies as complex numbers: 0 first, then the positive and the negative ones, as
        `fftfreq` gives them.

    Raises:
        ShapeError: there is no such axis, n is not positive, or the norm is unknown.

    Example:
        >>> import tensorgrad as tg
        >>> tg.fft.fft(tg.tensor([1.0, 0.0, -1.0, 0.0]))
        tensor([0.+0.j, 2.+0.j, 0.+0.j, 2.+0.j], dtype=complex64)
        >>> tg.grad(lambda x: (abs(tg.fft.fft(x)) ** 2).sum())(tg.tensor([1.0, 2.0]))  # Parseval: 2 n x
        tensor([4., 8.])

    Source: J. W. Cooley and J. W. Tukey, An algorithm for the machine calculation of complex Fourier
    series, Mathematics of Computation 19 (1965), 297-301; computed by NumPy.
    """
    return _whole("fft", x, n, axis, norm, False)


def ifft(x: Any, /, n: int | None = None, axis: SupportsIndex = -1, norm: str | None = "backward") -> Any:
    """Inverse of `fft`: ``y[j] = sum over k of x[k] * exp(2j * pi * j * k / n) / n``.

    Args:
        x: the spectrum.
        n: the number of points: a longer spectrum is cut, a shorter one gets zeros behind. By default all.
        axis: the axis to transform along.
        norm: as for `fft`; give both the same.

    Returns:
        The signal as complex numbers.

    Raises:
        ShapeError: there is no such axis, n is not positive, or the norm is unknown.

    Example:
        >>> import tensorgrad as tg
        >>> tg.fft.ifft(tg.tensor([0.0, 2.0, 0.0, 2.0]))
        tensor([ 1.+0.j,  0.+0.j, -1.+0.j,  0.+0.j], dtype=complex64)
    """
    return _whole("ifft", x, n, axis, norm, True)


def rfft(x: Any, /, n: int | None = None, axis: SupportsIndex = -1, norm: str | None = "backward") -> Any:
    """`fft` of a real signal: the first ``n // 2 + 1`` frequencies, of which the others are mirror images.

    Args:
        x: the signal, real.
        n: the number of points, by default all, as for `fft`.
        axis: the axis to transform along.
        norm: as for `fft`.

    Returns:
        The frequencies that `rfftfreq` gives. The first one is real, and for even n the last one.

    Raises:
        DtypeError: ``x`` is complex.
        ShapeError: there is no such axis, n is not positive, or the norm is unknown.

    Example:
        >>> import tensorgrad as tg
        >>> tg.fft.rfft(tg.tensor([1.0, 0.0, -1.0, 0.0]))
        tensor([0.+0.j, 2.+0.j, 0.+0.j], dtype=complex64)
    """
    return _half("rfft", x, n, axis, known("rfft", norm))


def irfft(x: Any, /, n: int | None = None, axis: SupportsIndex = -1, norm: str | None = "backward") -> Any:
    """Inverse of `rfft`: a real signal from the half of its spectrum that does not mirror the other.

    Args:
        x: the spectrum from frequency 0 on. The imaginary part of the first frequency, and for even n of
            the last one, is not read, and its gradient is 0.
        n: the length of the signal. By default ``2 * (m - 1)``, where m is the length of ``x``: to get
            back a signal of odd length it has to be given. ``n // 2 + 1`` frequencies are read.
        axis: the axis to transform along.
        norm: as for `fft`; give both the same.

    Returns:
        The signal as real numbers.

    Raises:
        ShapeError: there is no such axis, n is not positive, or the norm is unknown.

    Example:
        >>> import tensorgrad as tg
        >>> x = tg.tensor([1.0, 2.0, 4.0])
        >>> tg.allclose(tg.fft.irfft(tg.fft.rfft(x), n=3), x)
        tensor(True)
    """
    return _real("irfft", x, n, axis, known("irfft", norm))


def hfft(x: Any, /, n: int | None = None, axis: SupportsIndex = -1, norm: str | None = "backward") -> Any:
    """`fft` of a signal whose other half mirrors this one, so that its spectrum is real.

    Args:
        x: the first ``n // 2 + 1`` points; the others are their conjugates in reverse order.
        n: the number of points, by default ``2 * (m - 1)``, where m is the length of ``x``.
        axis: the axis to transform along.
        norm: as for `fft`.

    Returns:
        The n frequencies as real numbers.

    Raises:
        ShapeError: there is no such axis, n is not positive, or the norm is unknown.

    Example:
        >>> import tensorgrad as tg
        >>> tg.fft.hfft(tg.tensor([1.0, 0.5j]), n=3)
        tensor([1.       , 1.8660254, 0.1339746])
    """
    return _real("hfft", conjugate(signal("hfft", x)), n, axis, mirrored("hfft", norm))


def ihfft(x: Any, /, n: int | None = None, axis: SupportsIndex = -1, norm: str | None = "backward") -> Any:
    """Inverse of `hfft`: the first ``n // 2 + 1`` points of the signal that has a real spectrum.

    Args:
        x: the spectrum, real.
        n: the number of points, by default all, as for `fft`.
        axis: the axis to transform along.
        norm: as for `fft`; give both the same.

    Raises:
        DtypeError: ``x`` is complex.
        ShapeError: there is no such axis, n is not positive, or the norm is unknown.

    Example:
        >>> import tensorgrad as tg
        >>> tg.fft.ihfft(tg.tensor([1.0, 0.0, -1.0, 0.0]))
        tensor([0. -0.j, 0.5-0.j, 0. -0.j], dtype=complex64)
    """
    return conjugate(_half("ihfft", x, n, axis, mirrored("ihfft", norm)))


# ---- parts


def _whole(op: str, x: Any, n: int | None, axis: SupportsIndex, norm: str | None, inverse: bool) -> Any:
    x = signal(op, x)
    place = normalise_axis(op, axis, x.ndim)
    return dft(resized(x, place, length(op, n, x.shape[place])), (place,), inverse, known(op, norm))


def _half(op: str, x: Any, n: int | None, axis: SupportsIndex, norm: str) -> Any:
    x = signal(op, x, real=True)
    place = normalise_axis(op, axis, x.ndim)
    return rdft(resized(x, place, length(op, n, x.shape[place])), place, norm)


def _real(op: str, x: Any, n: int | None, axis: SupportsIndex, norm: str) -> Any:
    x = signal(op, x)
    place = normalise_axis(op, axis, x.ndim)
    n = length(op, n, 2 * (x.shape[place] - 1))
    return irdft(resized(x, place, n // 2 + 1), n, place, norm)
