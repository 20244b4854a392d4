"""What the Fourier transforms are called in PyTorch, and where the two differ on purpose."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.reference.peer import torch


def line(name: str) -> Callable[..., Any]:
    """A transform along one axis, for PyTorch ``dim``."""
    f = getattr(torch.fft, name)
    return lambda x, n=None, axis=-1, norm="backward": f(x, n, axis, norm)


def grid(name: str) -> Callable[..., Any]:
    f = getattr(torch.fft, name)

    def call(x: Any, s: Any = None, axes: Any = None, norm: str = "backward") -> Any:
        return f(x, s, (-2, -1) if axes is None and name.endswith("2") else axes, norm)

    return call


def shift(name: str) -> Callable[..., Any]:
    f = getattr(torch.fft, name)
    return lambda x, axes=None: f(x, axes) if x.ndim else x


def dft(x: Any, axes: Any, inverse: bool, norm: str) -> Any:
    return (torch.fft.ifftn if inverse else torch.fft.fftn)(x, dim=axes, norm=norm)


TORCH: dict[str, Callable[..., Any]] = {
    "dft": dft,
    "rdft": lambda x, axis, norm: torch.fft.rfft(x, None, axis, norm),
    "irdft": lambda x, n, axis, norm: torch.fft.irfft(x, n, axis, norm),
    **{name: line(name) for name in ("fft", "ifft", "rfft", "irfft", "hfft", "ihfft")},
    **{
        f"{name}{ending}": grid(f"{name}{ending}")
        for name in ("fft", "ifft", "rfft", "irfft", "hfft", "ihfft")
        for ending in ("n", "2")
    },
    **{name: shift(name) for name in ("fftshift", "ifftshift")},
}

WITHOUT_COUNTERPART: dict[str, str] = {}
DIFFERENT: dict[tuple[str, str], str] = {
    (name, "edge: no rows"): "empty here, an error of MKL in PyTorch"
    for name in ("dft", "rdft", "irdft", "fft", "ifft", "rfft", "irfft", "hfft", "ihfft")
}
SECOND_ORDER_DIFFERS: dict[tuple[str, str], str] = {}
KINKS_THAT_DIFFER: dict[tuple[str, str], str] = {}
