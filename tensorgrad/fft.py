"""Discrete Fourier transforms: of real and complex signals, along one axis or several, and their frequencies."""

from ._frequencies import fftfreq as fftfreq
from ._frequencies import rfftfreq as rfftfreq
from .ops.fft import *  # noqa: F403
from .ops.fft import __all__ as _transforms

__all__ = [*_transforms, "fftfreq", "rfftfreq"]
