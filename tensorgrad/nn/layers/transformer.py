"""Transformers: layers of encoder and decoder, stacks of them, and both together."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from ... import ops
from ..._config import get_default_dtype
from ..._errors import ShapeError
from ..._random import uniform
from ..._tensor import Tensor, overwrite, tensor
from .. import functional as F
from ..containers import ModuleList
from ..module import Module
from .attention import MultiheadAttention
from .dropout import Dropout
from .linear import Linear
from .norm import LayerNorm

if TYPE_CHECKING:
    from numpy.random import Generator

Activation = str | Callable[[Any], Any]


class TransformerEncoderLayer(Module):
    """Self-attention and a network of two dense layers, each with dropout, a way around it, and a layer norm.

    Args:
        d_model: features of input and result.
        nhead: how many heads the attention has; they divide ``d_model``.
        dim_feedforward: features between the two dense layers.
        dropout: the probability of each dropout.
        activation: 'relu', 'gelu', or a function.
        layer_norm_eps: what the norms add to the variance.
        batch_first: whether input and result are (batch, length, features) and not (length, batch, features).
        norm_first: whether the norms stand before attention and network, and not after the ways around them.
        bias: whether dense layers and norms have biases.
        dtype: of the parameters; the default float if None.
        generator: to draw the parameters and the dropout from.

    Raises:
        ShapeError: a setting does not fit.

    Example:
        >>> import tensorgrad as tg
        >>> tg.nn.TransformerEncoderLayer(8, 2, batch_first=True)(tg.ones((3, 5, 8))).shape
        (3, 5, 8)

    Source: A. Vaswani et al., Attention Is All You Need, 2017; for ``norm_first`` R. Xiong et al., On Layer
    Normalization in the Transformer Architecture, 2020.
    """

    def __init__(
        self,
        d_model: int,
        nhead: int,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: Activation = ops.relu,
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        *,
        dtype: Any = None,
        generator: Generator | None = None,
    ) -> None:
        new: dict[str, Any] = {"dtype": dtype, "generator": generator}
        self.self_attn = MultiheadAttention(d_model, nhead, dropout, bias, batch_first=batch_first, **new)
        self.linear1 = Linear(d_model, dim_feedforward, bias, **new)
        self.dropout = Dropout(dropout, generator=generator)
        self.linear2 = Linear(dim_feedforward, d_model, bias, **new)
        self.norm_first = norm_first
        self.norm1 = LayerNorm(d_model, layer_norm_eps, bias=bias, dtype=dtype)
        self.norm2 = LayerNorm(d_model, layer_norm_eps, bias=bias, dtype=dtype)
        self.dropout1, self.dropout2 = (Dropout(dropout, generator=generator) for _ in range(2))
        self.activation = _activation("TransformerEncoderLayer", activation)

    def forward(
        self, src: Any, src_mask: Any = None, src_key_padding_mask: Any = None, is_causal: bool = False
    ) -> Any:
        """Apply the layer; the masks are those of `MultiheadAttention`, ``attn_mask`` and ``key_padding_mask``."""

        def attend(x: Any) -> Any:
            y, _ = self.self_attn(x, x, x, src_key_padding_mask, False, src_mask, is_causal=is_causal)
            return self.dropout1(y)

        x = _around(src, attend, self.norm1, self.norm_first)
        return _around(x, self._feed, self.norm2, self.norm_first)

    def _feed(self, x: Any) -> Any:
        return self.dropout2(self.linear2(self.dropout(self.activation(self.linear1(x)))))


class TransformerDecoderLayer(Module):
    """Self-attention, attention to an encoder's result, and a network of two dense layers.

    The arguments are those of `TransformerEncoderLayer`.

    Args:
        d_model: features of input and result.
        nhead: how many heads the attentions have.
        dim_feedforward: features between the two dense layers.
        dropout: the probability of each dropout.
        activation: 'relu', 'gelu', or a function.
        layer_norm_eps: what the norms add to the variance.
        batch_first: whether input and result are (batch, length, features).
        norm_first: whether the norms stand before what they belong to.
        bias: whether dense layers and norms have biases.
        dtype: of the parameters; the default float if None.
        generator: to draw the parameters and the dropout from.

    Example:
        >>> import tensorgrad as tg
        >>> layer = tg.nn.TransformerDecoderLayer(8, 2)
        >>> layer(tg.ones((4, 3, 8)), memory=tg.ones((5, 3, 8))).shape
        (4, 3, 8)
    """

    def __init__(
        self,
        d_model: int,
        nhead: int,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: Activation = ops.relu,
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        *,
        dtype: Any = None,
        generator: Generator | None = None,
    ) -> None:
        new: dict[str, Any] = {"dtype": dtype, "generator": generator}
        self.self_attn = MultiheadAttention(d_model, nhead, dropout, bias, batch_first=batch_first, **new)
        self.multihead_attn = MultiheadAttention(
            d_model, nhead, dropout, bias, batch_first=batch_first, **new
        )
        self.linear1 = Linear(d_model, dim_feedforward, bias, **new)
        self.dropout = Dropout(dropout, generator=generator)
        self.linear2 = Linear(dim_feedforward, d_model, bias, **new)
        self.norm_first = norm_first
        self.norm1 = LayerNorm(d_model, layer_norm_eps, bias=bias, dtype=dtype)
        self.norm2 = LayerNorm(d_model, layer_norm_eps, bias=bias, dtype=dtype)
        self.norm3 = LayerNorm(d_model, layer_norm_eps, bias=bias, dtype=dtype)
        self.dropout1, self.dropout2, self.dropout3 = (
            Dropout(dropout, generator=generator) for _ in range(3)
        )
        self.activation = _activation("TransformerDecoderLayer", activation)

    def forward(
        self,
        tgt: Any,
        memory: Any,
        tgt_mask: Any = None,
        memory_mask: Any = None,
        tgt_key_padding_mask: Any = None,
        memory_key_padding_mask: Any = None,
        tgt_is_causal: bool = False,
        memory_is_causal: bool = False,
    ) -> Any:
        """Apply the layer to ``tgt``, with ``memory`` from the encoder; the masks are those of `MultiheadAttention`."""

        def attend(x: Any) -> Any:
            y, _ = self.self_attn(x, x, x, tgt_key_padding_mask, False, tgt_mask, is_causal=tgt_is_causal)
            return self.dropout1(y)

        def look(x: Any) -> Any:
            y, _ = self.multihead_attn(
                x, memory, memory, memory_key_padding_mask, False, memory_mask, is_causal=memory_is_causal
            )
            return self.dropout2(y)

        x = _around(tgt, attend, self.norm1, self.norm_first)
        x = _around(x, look, self.norm2, self.norm_first)
        return _around(x, self._feed, self.norm3, self.norm_first)

    def _feed(self, x: Any) -> Any:
        return self.dropout3(self.linear2(self.dropout(self.activation(self.linear1(x)))))


class TransformerEncoder(Module):
    """A stack of encoder layers: copies of one, which begin with the same weights, as in PyTorch.

    Args:
        encoder_layer: the layer to copy.
        num_layers: how many copies.
        norm: what is applied to the result, such as a layer norm.
        enable_nested_tensor: taken for PyTorch's sake; there are no nested tensors.
        mask_check: likewise.

    Example:
        >>> import tensorgrad as tg
        >>> encoder = tg.nn.TransformerEncoder(tg.nn.TransformerEncoderLayer(8, 2), 2)
        >>> encoder(tg.ones((5, 3, 8))).shape
        (5, 3, 8)
    """

    def __init__(
        self,
        encoder_layer: Module,
        num_layers: int,
        norm: Module | None = None,
        enable_nested_tensor: bool = True,
        mask_check: bool = True,
    ) -> None:
        self.layers = _copies(encoder_layer, num_layers)
        self.num_layers, self.norm = num_layers, norm
        self.enable_nested_tensor, self.mask_check = enable_nested_tensor, mask_check

    def forward(
        self, src: Any, mask: Any = None, src_key_padding_mask: Any = None, is_causal: bool | None = None
    ) -> Any:
        """Apply the layers one after the other; ``is_causal`` without a mask makes the attention causal."""
        for layer in self.layers:
            src = layer(src, mask, src_key_padding_mask, bool(is_causal))
        return src if self.norm is None else self.norm(src)


class TransformerDecoder(Module):
    """A stack of decoder layers: copies of one, which begin with the same weights, as in PyTorch.

    Args:
        decoder_layer: the layer to copy.
        num_layers: how many copies.
        norm: what is applied to the result, such as a layer norm.
    """

    def __init__(self, decoder_layer: Module, num_layers: int, norm: Module | None = None) -> None:
        self.layers = _copies(decoder_layer, num_layers)
        self.num_layers, self.norm = num_layers, norm

    def forward(
        self,
        tgt: Any,
        memory: Any,
        tgt_mask: Any = None,
        memory_mask: Any = None,
        tgt_key_padding_mask: Any = None,
        memory_key_padding_mask: Any = None,
        tgt_is_causal: bool | None = None,
        memory_is_causal: bool = False,
    ) -> Any:
        """Apply the layers one after the other, each with the same ``memory``."""
        for layer in self.layers:
            tgt = layer(
                tgt, memory, tgt_mask, memory_mask, tgt_key_padding_mask, memory_key_padding_mask, bool(tgt_is_causal),
                memory_is_causal,
            )  # fmt: skip
        return tgt if self.norm is None else self.norm(tgt)


class Transformer(Module):
    """Encoder and decoder, from one sequence to another.

    Args:
        d_model: features of inputs and result.
        nhead: how many heads the attentions have.
        num_encoder_layers: how many layers the encoder has.
        num_decoder_layers: how many layers the decoder has.
        dim_feedforward: features between the two dense layers of each.
        dropout: the probability of each dropout.
        activation: 'relu', 'gelu', or a function.
        custom_encoder: a module in place of the encoder.
        custom_decoder: a module in place of the decoder.
        layer_norm_eps: what the norms add to the variance.
        batch_first: whether inputs and result are (batch, length, features).
        norm_first: whether the norms stand before what they belong to.
        bias: whether dense layers and norms have biases.
        dtype: of the parameters; the default float if None.
        generator: to draw the parameters and the dropout from; matrices by Xavier's uniform rule.

    Example:
        >>> import tensorgrad as tg
        >>> model = tg.nn.Transformer(8, 2, num_encoder_layers=1, num_decoder_layers=1, dim_feedforward=16)
        >>> model(tg.ones((5, 3, 8)), tg.ones((4, 3, 8))).shape
        (4, 3, 8)

    Source: A. Vaswani et al., Attention Is All You Need, 2017.
    """

    def __init__(
        self,
        d_model: int = 512,
        nhead: int = 8,
        num_encoder_layers: int = 6,
        num_decoder_layers: int = 6,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: Activation = ops.relu,
        custom_encoder: Module | None = None,
        custom_decoder: Module | None = None,
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        *,
        dtype: Any = None,
        generator: Generator | None = None,
    ) -> None:
        settings = (
            d_model,
            nhead,
            dim_feedforward,
            dropout,
            activation,
            layer_norm_eps,
            batch_first,
            norm_first,
            bias,
        )
        new: dict[str, Any] = {"dtype": dtype, "generator": generator}

        def norm() -> LayerNorm:
            return LayerNorm(d_model, layer_norm_eps, bias=bias, dtype=dtype)

        self.encoder = custom_encoder or TransformerEncoder(
            TransformerEncoderLayer(*settings, **new), num_encoder_layers, norm()
        )
        self.decoder = custom_decoder or TransformerDecoder(
            TransformerDecoderLayer(*settings, **new), num_decoder_layers, norm()
        )
        self.d_model, self.nhead, self.batch_first = d_model, nhead, batch_first
        for p in self.parameters():
            if p.ndim > 1:
                bound = math.sqrt(6 / (p.shape[0] + p.shape[1]))
                drawn = uniform(-bound, bound, p.shape, generator=generator, dtype=p.dtype)
                overwrite(p, drawn.numpy(), "Transformer")

    def forward(
        self,
        src: Any,
        tgt: Any,
        src_mask: Any = None,
        tgt_mask: Any = None,
        memory_mask: Any = None,
        src_key_padding_mask: Any = None,
        tgt_key_padding_mask: Any = None,
        memory_key_padding_mask: Any = None,
        src_is_causal: bool | None = None,
        tgt_is_causal: bool | None = None,
        memory_is_causal: bool = False,
    ) -> Any:
        """Encode ``src``, and decode ``tgt`` with it; the masks are those of `MultiheadAttention`."""
        batch = 0 if self.batch_first else 1
        if (src.ndim == 3 and src.shape[batch] != tgt.shape[batch]) or src.ndim != tgt.ndim:
            raise ShapeError(f"Transformer: src {src.shape} and tgt {tgt.shape}; they need one batch")
        if src.shape[-1] != self.d_model or tgt.shape[-1] != self.d_model:
            raise ShapeError(
                f"Transformer: src {src.shape} and tgt {tgt.shape}; the last axis has d_model features, {self.d_model}"
            )
        memory = self.encoder(src, src_mask, src_key_padding_mask, src_is_causal)
        return self.decoder(
            tgt, memory, tgt_mask, memory_mask, tgt_key_padding_mask, memory_key_padding_mask, tgt_is_causal,
            memory_is_causal,
        )  # fmt: skip

    @staticmethod
    def generate_square_subsequent_mask(sz: int, dtype: Any = None) -> Tensor:
        """A causal mask to add to scores: -inf where a key comes after its query, 0 elsewhere.

        Args:
            sz: the length of the sequence.
            dtype: of the mask; the default float if None.

        Example:
            >>> import tensorgrad as tg
            >>> tg.nn.Transformer.generate_square_subsequent_mask(2)
            tensor([[  0., -inf],
                    [  0.,   0.]])
        """
        return tensor(np.triu(np.full((sz, sz), -np.inf, dtype or get_default_dtype()), 1))


# ---- parts


def _around(x: Any, part: Callable[[Any], Any], norm: Module, norm_first: bool) -> Any:
    """A part with a way around it, and its norm."""
    return ops.add(x, part(norm(x))) if norm_first else norm(ops.add(x, part(x)))


def _activation(layer: str, activation: Activation) -> Callable[[Any], Any]:
    if callable(activation):
        return activation
    if activation not in ("relu", "gelu"):
        raise ShapeError(f"{layer}: activation is {activation!r}; it is 'relu', 'gelu', or a function")
    return ops.relu if activation == "relu" else F.gelu


def _copies(layer: Module, count: int) -> ModuleList:
    """Copies that draw from the generators of the original: copies of these would draw the same for all."""
    shared = [getattr(module, "generator", None) for module in layer.modules()]
    return ModuleList([copy.deepcopy(layer, {id(one): one for one in shared}) for _ in range(count)])
