"""Where in a sequence an element stands, as numbers that attention can use."""

from __future__ import annotations

from typing import Any

import numpy as np

from ... import ops
from ..._config import get_default_dtype
from ..._errors import ShapeError
from ..._tensor import Tensor, tensor
from ...ops.shape import lifted


def sinusoidal_positions(length: int, dim: int, base: float = 10000.0, *, dtype: Any = None) -> Tensor:
    """Sines and cosines of positions at falling frequencies, (length, dim).

    Column ``2 i`` holds ``sin(p / base**(2 i / dim))``, column ``2 i + 1`` the cosine.

    Args:
        length: how many positions.
        dim: how many columns.
        base: the longest wave is ``2 pi base``.
        dtype: of the result; the default float if None.

    Example:
        >>> import tensorgrad as tg
        >>> tg.nn.functional.sinusoidal_positions(2, 2)
        tensor([[0.    , 1.    ],
                [0.8415, 0.5403]])

    Source: A. Vaswani et al., Attention Is All You Need, 2017, section 3.5.
    """
    if length < 0 or dim < 1:
        raise ShapeError(f"sinusoidal_positions: length {length}, dim {dim}; 0 and 1 are the least")
    angles = _angles(np.arange(length), dim + dim % 2, base)
    both = np.stack([np.sin(angles), np.cos(angles)], -1).reshape(length, -1)[:, :dim]
    return tensor(both.astype(dtype or get_default_dtype()))


def rotary_embedding(x: Any, positions: Any = None, base: float = 10000.0, interleaved: bool = True) -> Any:
    """Rotate pairs of features by angles that grow with the position (RoPE).

    The product of a query and a key that were rotated depends on the distance of their positions only.

    Args:
        x: queries or keys, (..., length, features); the number of features is even.
        positions: (length,), by default 0, 1, 2 ...; an offset makes a cache of earlier keys possible.
        base: the frequencies are ``base**(-2 i / features)``.
        interleaved: whether pairs are neighbours, as in the paper, or stand half of the features apart, as in many
            models that were published later.

    Raises:
        ShapeError: the number of features is odd, or there is not one position for each row.

    Example:
        >>> import numpy as np, tensorgrad as tg
        >>> tg.nn.functional.rotary_embedding(np.array([[1.0, 0.0], [1.0, 0.0]]))
        array([[1.        , 0.        ],
               [0.54030231, 0.84147098]])

    Source: J. Su et al., RoFormer: Enhanced Transformer with Rotary Position Embedding, 2021, equation 34.
    """
    x = lifted("rotary_embedding", x)
    if x.ndim < 2 or x.shape[-1] % 2:
        raise ShapeError(
            f"rotary_embedding: x {x.shape}; (..., length, features), an even number of features"
        )
    *lead, length, size = x.shape
    place = np.arange(length) if positions is None else np.asarray(positions)
    if place.shape != (length,):
        raise ShapeError(f"rotary_embedding: positions {place.shape} for x {x.shape}; ({length},) is needed")
    angles = _angles(place, size, base)
    kind = x.dtype if x.dtype.kind == "f" else get_default_dtype()
    cos, sin = np.cos(angles).astype(kind), np.sin(angles).astype(kind)
    if interleaved:
        pairs = ops.reshape(x, (*lead, length, size // 2, 2))
        a, b = pairs[..., 0], pairs[..., 1]
    else:
        a, b = ops.split(x, 2, axis=-1)
    turned = [
        ops.subtract(ops.multiply(a, cos), ops.multiply(b, sin)),
        ops.add(ops.multiply(a, sin), ops.multiply(b, cos)),
    ]
    return ops.reshape(ops.stack(turned, axis=-1), x.shape) if interleaved else ops.concat(turned, axis=-1)


def _angles(positions: Any, dim: int, base: float) -> Any:
    return positions[:, None] / base ** (np.arange(0, dim, 2) / dim)
