"""Parametrisations of weights: by length and direction, and by the largest singular value."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..._errors import ShapeError
from ..._random import host_generator
from ..._tensor import Tensor, overwrite, tensor
from ...ops.contract import matmul
from ...ops.linalg import vector_norm
from ...ops.shape import moveaxis, reshape
from ..layers.conv import ConvTranspose1d, ConvTranspose2d, ConvTranspose3d
from ..module import Module
from .parametrize import register_parametrization


def weight_norm(module: Module, name: str = "weight", dim: int | None = 0) -> Module:
    """Train the length and the direction of a weight apart: ``g * v / |v|``.

    Args:
        module: whose weight it is.
        name: of the weight. ``parametrizations.<name>.original0`` is the length, ``original1`` the direction.
        dim: the axis that keeps a length of its own for each index; None for one length in all.

    Example:
        >>> import tensorgrad as tg
        >>> layer = tg.nn.utils.parametrizations.weight_norm(tg.nn.Linear(4, 2))
        >>> layer.parametrizations.weight.original0.shape
        (2, 1)

    Source:
        T. Salimans and D. Kingma, "Weight normalization", NeurIPS 2016.
    """
    return register_parametrization(module, name, _WeightNorm(dim), unsafe=True)


def spectral_norm(
    module: Module,
    name: str = "weight",
    n_power_iterations: int = 1,
    eps: float = 1e-12,
    dim: int | None = None,
) -> Module:
    """Divide a weight by its largest singular value, which is followed by power iteration.

    Args:
        module: whose weight it is.
        name: of the weight.
        n_power_iterations: steps of the iteration at each call in training, at least 1.
        eps: the least length that is divided by.
        dim: the axis of the results; 1 for transposed convolutions and 0 otherwise, if None.

    Raises:
        ShapeError: ``n_power_iterations`` is less than 1.

    Source:
        T. Miyato et al., "Spectral normalization for generative adversarial networks", ICLR 2018.
    """
    if dim is None:
        dim = 1 if isinstance(module, ConvTranspose1d | ConvTranspose2d | ConvTranspose3d) else 0
    return register_parametrization(
        module, name, _SpectralNorm(getattr(module, name), n_power_iterations, dim, eps)
    )


class _WeightNorm(Module):
    def __init__(self, dim: int | None) -> None:
        self.dim = dim

    def forward(self, g: Any, v: Any) -> Any:
        return v * (g / self._length(v))

    def right_inverse(self, weight: Any) -> tuple[Any, Any]:
        return self._length(weight), weight

    def _length(self, v: Any) -> Any:
        if self.dim is None:
            return vector_norm(v)
        kept = self.dim % v.ndim
        return vector_norm(v, axis=tuple([i for i in range(v.ndim) if i != kept]), keepdims=True)


class _SpectralNorm(Module):
    def __init__(self, weight: Tensor, iterations: int, dim: int, eps: float) -> None:
        if iterations < 1:
            raise ShapeError(f"spectral_norm: n_power_iterations={iterations}; at least 1 is needed")
        self.iterations, self.dim, self.eps = iterations, dim, eps
        if weight.ndim > 1:
            matrix = self._matrix(weight.detach()).numpy()
            source = host_generator("spectral_norm", None)
            rows, columns = (source.normal(size=n).astype(weight.dtype) for n in matrix.shape)
            self.register_buffer("_u", tensor(self._unit(rows)))
            self.register_buffer("_v", tensor(self._unit(columns)))
            self._iterate(matrix, 15)

    def forward(self, weight: Any) -> Any:
        if weight.ndim == 1:
            return weight / vector_norm(weight).clip(self.eps, None)
        matrix = self._matrix(weight)
        if self.training:
            self._iterate(matrix.detach().numpy(), self.iterations)
        # Copies: a second call in the same graph moves the buffers, and the first still needs these.
        u, v = tensor(self._u), tensor(self._v)
        return weight / matmul(u, matmul(matrix, v))

    def right_inverse(self, value: Any) -> Any:
        return value  # as spectral_norm leaves a weight whose largest singular value is 1

    def _matrix(self, weight: Any) -> Any:
        first = moveaxis(weight, self.dim, 0)
        return reshape(first, (first.shape[0], -1))

    def _iterate(self, matrix: Any, count: int) -> None:
        u, v = self._u.numpy(), self._v.numpy()
        for _ in range(count):
            u = self._unit(matrix @ v)
            v = self._unit(matrix.T @ u)
        overwrite(self._u, u, "spectral_norm")
        overwrite(self._v, v, "spectral_norm")

    def _unit(self, x: Any) -> Any:
        return x / max(float(np.linalg.norm(x)), self.eps)
