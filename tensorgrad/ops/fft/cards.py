"""The three transforms that all others are made of, and what each is the transpose of.

A transform is a matrix F with entries ``factor * exp(-2 pi i j k / n)``, and its transpose, in the inner
product ``Re(sum(conj(a) * b))`` of `dtype`, is F with its entries conjugated: the transform in the other
direction, with the factor that this one has.

Of real signals only half of the spectrum is kept, since the rest is its mirror image. Then an element of
the half stands for two of the whole, save the first, and for even n the last: `rdft` and `irdft` are
transposes of each other but for these factors of two.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from ..._primitive import declare, linear
from ..dtype import cast, cast_back
from ..elementwise import multiply

MIRRORED = {"backward": "forward", "ortho": "ortho", "forward": "backward"}
"""The norm with which the transform in the other direction has the factor of this one."""


@linear
def dft(x: Any, /, axes: tuple[int, ...], inverse: bool, norm: str) -> Any:
    """Discrete Fourier transform over each of the axes; ``inverse`` turns the other way round."""
    transform = np.fft.ifft if inverse else np.fft.fft
    x = _wide(x)
    for axis in axes:
        x = transform(x, axis=axis, norm=norm)  # type: ignore[arg-type]
    return x


def _rdft(x: Any, /, axis: int, norm: str) -> Any:
    """Discrete Fourier transform of real numbers: the first ``n // 2 + 1`` of n frequencies."""
    return np.fft.rfft(_wide(x), axis=axis, norm=norm)  # type: ignore[arg-type]


def _irdft(x: Any, /, n: int, axis: int, norm: str) -> Any:
    """The n real numbers whose spectrum begins with ``x``, of length ``n // 2 + 1``.

    The imaginary parts of the first frequency and, for even n, of the last would belong to no real
    signal: they are not read.
    """
    y = np.fft.irfft(_wide(x), n, axis=axis, norm=norm)  # type: ignore[arg-type]
    return y.astype(x.dtype) if x.dtype.char == "e" else y


def _wide(x: Any) -> Any:
    """``x``, but not in float16: NumPy would round the factor to it."""
    return x.astype(np.float32) if x.dtype.char == "e" else x


# Not complex-differentiable: one takes no complex numbers, the other one gives none.
rdft = declare(_rdft, "linear", name="rdft")
irdft = declare(_irdft, "linear", name="irdft")

dft.transpose(
    x=lambda g, axes, inverse, norm, x_dtype: cast_back(dft(g, axes, not inverse, MIRRORED[norm]), x_dtype)
)
rdft.transpose(
    x=lambda g, axis, norm, x_shape, x_dtype: cast(
        irdft(multiply(g, times(g, axis, x_shape[axis], 0.5)), x_shape[axis], axis, MIRRORED[norm]), x_dtype
    )
)
irdft.transpose(
    x=lambda g, n, axis, norm, x_dtype: cast_back(
        multiply(rdft(g, axis, MIRRORED[norm]), times(g, axis, n, 2.0)), x_dtype
    )
)


@dft.batching
def _dft_batch(size: int, batched: Any, args: Any, axes: Any, inverse: bool, norm: str) -> Any:
    n = args[0].ndim - 1
    return dft(args[0], tuple([axis % n + 1 for axis in axes]), inverse, norm)


@rdft.batching
def _rdft_batch(size: int, batched: Any, args: Any, axis: int, norm: str) -> Any:
    return rdft(args[0], axis % (args[0].ndim - 1) + 1, norm)


@irdft.batching
def _irdft_batch(size: int, batched: Any, args: Any, n: int, axis: int, norm: str) -> Any:
    return irdft(args[0], n, axis % (args[0].ndim - 1) + 1, norm)


def times(g: Any, axis: int, n: int, factor: float) -> Any:
    """``factor`` for each frequency of a half spectrum that stands for two, else 1, along an axis of ``g``."""
    return _times(n, factor, g.ndim - axis % g.ndim - 1, np.finfo(g.dtype).dtype)


@lru_cache(maxsize=64)
def _times(n: int, factor: float, axes_behind: int, dtype: Any) -> Any:
    made = np.ones(n // 2 + 1, dtype)
    made[1 : (n + 1) // 2] = factor
    made.flags.writeable = False
    return made.reshape(-1, *[1] * axes_behind)
