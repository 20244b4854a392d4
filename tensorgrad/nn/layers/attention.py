"""Attention with several heads, as a layer."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from ..._errors import ShapeError
from ..._random import normal
from ..._tensor import Parameter
from .. import functional as F
from ..module import Module
from .linear import Linear, check_sizes, drawn

if TYPE_CHECKING:
    from numpy.random import Generator


class MultiheadAttention(Module):
    """Attention with several heads, each on a projection of its own of queries, keys and values.

    The parameters are ``in_proj_weight`` (or ``q_proj_weight``, ``k_proj_weight`` and ``v_proj_weight`` where keys or
    values have sizes of their own), ``in_proj_bias``, ``out_proj.weight`` and ``out_proj.bias``.

    A query that may look at no key gets zeros before the last projection. PyTorch gives NaN there when weights are
    asked for, and zeros when they are not.

    Args:
        embed_dim: the embedding, features of queries and of the result; the heads divide it.
        num_heads: how many heads.
        dropout: the probability with which a weight is zeroed in training.
        bias: whether the projections have biases.
        add_bias_kv: whether there is one more key and value, that are trained.
        add_zero_attn: whether a key and a value of zeros are added.
        kdim: features of keys; those of queries if None.
        vdim: features of values; those of queries if None.
        batch_first: whether all are (batch, length, features) and not (length, batch, features).
        dtype: of the parameters; the default float if None.
        generator: to draw the parameters and the dropout from.

    Raises:
        ShapeError: the heads do not divide the embedding.

    Example:
        >>> import tensorgrad as tg
        >>> layer, x = tg.nn.MultiheadAttention(8, 2, batch_first=True), tg.ones((3, 5, 8))
        >>> y, weights = layer(x, x, x)
        >>> y.shape, weights.shape
        ((3, 5, 8), (3, 5, 5))

    Source: A. Vaswani et al., Attention Is All You Need, 2017, section 3.2.2.
    """

    def __init__(
        self,
        embed_dim: int,
        num_heads: int,
        dropout: float = 0.0,
        bias: bool = True,
        add_bias_kv: bool = False,
        add_zero_attn: bool = False,
        kdim: int | None = None,
        vdim: int | None = None,
        batch_first: bool = False,
        *,
        dtype: Any = None,
        generator: Generator | None = None,
    ) -> None:
        check_sizes("MultiheadAttention", embed_dim=embed_dim, num_heads=num_heads)
        if not embed_dim or not num_heads or embed_dim % num_heads:
            raise ShapeError(
                f"MultiheadAttention: embed_dim={embed_dim}, num_heads={num_heads}; both are 1 or more, and the heads "
                "divide the embedding"
            )
        self.embed_dim, self.num_heads, self.head_dim = embed_dim, num_heads, embed_dim // num_heads
        self.dropout, self.batch_first, self.add_zero_attn = dropout, batch_first, add_zero_attn
        self.kdim = embed_dim if kdim is None else kdim
        self.vdim = embed_dim if vdim is None else vdim
        self.generator = generator

        def drawn_as_xavier(rows: int, columns: int) -> Parameter:
            return drawn((rows, columns), math.sqrt(6 / (rows + columns)), dtype, generator)

        def zeros() -> Parameter:
            return Parameter(np.zeros(3 * embed_dim, self.out_proj.weight.dtype))

        def row() -> Parameter:
            std = math.sqrt(1 / embed_dim)  # of Xavier's rule for (1, 1, embedding): sqrt(2 / (2 embedding))
            return Parameter(normal(0.0, std, (1, 1, embed_dim), generator=generator, dtype=dtype).detach())

        same = self.kdim == embed_dim and self.vdim == embed_dim
        self.q_proj_weight = None if same else drawn_as_xavier(embed_dim, embed_dim)
        self.k_proj_weight = None if same else drawn_as_xavier(embed_dim, self.kdim)
        self.v_proj_weight = None if same else drawn_as_xavier(embed_dim, self.vdim)
        self.in_proj_weight = drawn_as_xavier(3 * embed_dim, embed_dim) if same else None
        self.in_proj_bias: Parameter | None = None
        self.out_proj = Linear(embed_dim, embed_dim, bias, dtype=dtype, generator=generator)
        if self.out_proj.bias is not None:
            self.in_proj_bias = zeros()
            self.out_proj.bias = Parameter(np.zeros(embed_dim, self.out_proj.weight.dtype))
        self.bias_k = row() if add_bias_kv else None
        self.bias_v = row() if add_bias_kv else None

    def forward(
        self,
        query: Any,
        key: Any,
        value: Any,
        key_padding_mask: Any = None,
        need_weights: bool = True,
        attn_mask: Any = None,
        average_attn_weights: bool = True,
        is_causal: bool = False,
    ) -> tuple[Any, Any]:
        """The result, and how much each query took of each key; see `nn.functional.multi_head_attention_forward`.

        Args:
            query: (queries, batch, embedding), or as ``batch_first`` says, or without the batch axis.
            key: likewise, with ``kdim`` features.
            value: likewise, with ``vdim`` features.
            key_padding_mask: (batch, keys), True for a key that nobody may look at, or numbers to add to the scores.
            need_weights: whether weights are returned; None takes their place, and that is faster.
            attn_mask: (queries, keys) or (batch * heads, queries, keys), True where a query may not look at a key, or
                numbers to add to the scores.
            average_attn_weights: whether the weights are averaged over the heads.
            is_causal: that ``attn_mask`` is causal; without a mask, it makes the attention so.
        """
        return F.multi_head_attention_forward(
            query, key, value, self.embed_dim, self.num_heads, self.in_proj_weight, self.in_proj_bias,
            self.bias_k, self.bias_v, self.add_zero_attn, self.dropout, self.out_proj.weight, self.out_proj.bias,
            self.training, key_padding_mask, need_weights, attn_mask, self.in_proj_weight is None,
            self.q_proj_weight, self.k_proj_weight, self.v_proj_weight,
            average_attn_weights=average_attn_weights, is_causal=is_causal, batch_first=self.batch_first,
            generator=self.generator,
        )  # fmt: skip
