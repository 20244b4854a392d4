"""Discrete Fourier transforms of signals along one axis or several.

Loaded on first use, so that importing tensorgrad stays light.
"""

from __future__ import annotations

from .grids import fft2, fftn, hfft2, hfftn, ifft2, ifftn, ihfft2, ihfftn, irfft2, irfftn, rfft2, rfftn
from .lines import fft, hfft, ifft, ihfft, irfft, rfft
from .shifts import fftshift, ifftshift

__all__ = [
    "fft",
    "fft2",
    "fftn",
    "fftshift",
    "hfft",
    "hfft2",
    "hfftn",
    "ifft",
    "ifft2",
    "ifftn",
    "ifftshift",
    "ihfft",
    "ihfft2",
    "ihfftn",
    "irfft",
    "irfft2",
    "irfftn",
    "rfft",
    "rfft2",
    "rfftn",
]
