"""Positions as layers: added to embeddings, or rotating queries and keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ... import ops
from ..._errors import ShapeError
from ..._random import normal
from ..._tensor import Parameter
from .. import functional as F
from ..module import Buffer, Module
from .dropout import Dropout

if TYPE_CHECKING:
    from numpy.random import Generator


class SinusoidalPositionalEncoding(Module):
    """Add sines and cosines of the positions; see `nn.functional.sinusoidal_positions`.

    Args:
        d_model: features of the input.
        dropout: the probability with which an element of the sum is zeroed in training.
        max_len: the longest sequence.
        batch_first: whether the input is (batch, length, features) and not (length, batch, features).
        base: the longest wave is ``2 pi base``.
        dtype: of the table, which is a buffer and not saved; the default float if None.
        generator: to draw the dropout from.

    Example:
        >>> import tensorgrad as tg
        >>> tg.nn.SinusoidalPositionalEncoding(8)(tg.zeros((5, 3, 8))).shape
        (5, 3, 8)

    Source: A. Vaswani et al., Attention Is All You Need, 2017, section 3.5.
    """

    def __init__(
        self,
        d_model: int,
        dropout: float = 0.0,
        max_len: int = 5000,
        batch_first: bool = False,
        base: float = 10000.0,
        *,
        dtype: Any = None,
        generator: Generator | None = None,
    ) -> None:
        self.batch_first = batch_first
        self.dropout = Dropout(dropout, generator=generator)
        self.table = Buffer(F.sinusoidal_positions(max_len, d_model, base, dtype=dtype), persistent=False)

    def forward(self, x: Any) -> Any:
        """Add the first rows of the table to (length, batch, features), or as ``batch_first`` says."""
        return self.dropout(_added(self, x, self.table))


class LearnedPositionalEncoding(Module):
    """Add a trained vector for each position.

    Args:
        d_model: features of the input.
        dropout: the probability with which an element of the sum is zeroed in training.
        max_len: the longest sequence.
        batch_first: whether the input is (batch, length, features) and not (length, batch, features).
        dtype: of the vectors, ``weight``; the default float if None.
        generator: to draw the vectors, normal with standard deviation 0.02, and the dropout from.

    Source: J. Devlin et al., BERT, 2018; A. Radford et al., GPT-2, 2019, for the standard deviation.
    """

    def __init__(
        self,
        d_model: int,
        dropout: float = 0.0,
        max_len: int = 512,
        batch_first: bool = False,
        *,
        dtype: Any = None,
        generator: Generator | None = None,
    ) -> None:
        self.batch_first = batch_first
        self.dropout = Dropout(dropout, generator=generator)
        drawn = normal(0.0, 0.02, (max_len, d_model), generator=generator, dtype=dtype)
        self.weight = Parameter(drawn.detach())

    def forward(self, x: Any) -> Any:
        """Add the first vectors to (length, batch, features), or as ``batch_first`` says."""
        return self.dropout(_added(self, x, self.weight))


class RotaryEmbedding(Module):
    """Rotate queries or keys by their positions; see `nn.functional.rotary_embedding`.

    Args:
        base: the frequencies are ``base**(-2 i / features)``.
        interleaved: whether the pairs that are rotated are neighbours, or half of the features apart.

    Example:
        >>> import tensorgrad as tg
        >>> tg.nn.RotaryEmbedding()(tg.ones((2, 4, 5, 8))).shape
        (2, 4, 5, 8)

    Source: J. Su et al., RoFormer: Enhanced Transformer with Rotary Position Embedding, 2021.
    """

    def __init__(self, base: float = 10000.0, interleaved: bool = True) -> None:
        self.base, self.interleaved = base, interleaved

    def forward(self, x: Any, positions: Any = None) -> Any:
        """Rotate (..., length, features); the positions are 0, 1, 2 ... by default."""
        return F.rotary_embedding(x, positions, self.base, self.interleaved)

    def extra_repr(self) -> str:
        """The settings."""
        return f"base={self.base}, interleaved={self.interleaved}"


def _added(layer: Any, x: Any, table: Any) -> Any:
    """The input with the first rows of a table added, one for each position."""
    longest, size = table.shape
    axis = x.ndim - 2 if layer.batch_first or x.ndim == 2 else 0
    if x.ndim not in (2, 3) or x.shape[-1] != size or x.shape[axis] > longest:
        raise ShapeError(
            f"{type(layer).__name__}: input {x.shape}; {size} features are needed, and no more than {longest} positions "
            f"along axis {axis}"
        )
    rows = table[: x.shape[axis]]
    return ops.add(x, ops.expand_dims(rows, 1) if axis == 0 and x.ndim == 3 else rows)
