"""Attention: of queries to keys, and with several heads."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from ... import ops
from ..._errors import DtypeError, ShapeError
from ..._primitive import Value
from ..._tensor import tensor
from ...ops.fused.attention import attention, weighed
from ...ops.shape import lifted
from .dropout import dropout
from .linear import linear

if TYPE_CHECKING:
    Generator = np.random.Generator


def scaled_dot_product_attention(
    query: Any,
    key: Any,
    value: Any,
    attn_mask: Any = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
    *,
    generator: Generator | None = None,
) -> Any:
    """``softmax(scale q k' + mask) v``: for each query the values, weighed by how well their keys fit.

    A query that may look at no key gets zeros and gives no gradient, as in PyTorch.

    Args:
        query: (..., queries, features).
        key: (..., keys, features).
        value: (..., keys, values).
        attn_mask: booleans, True where a query may look at a key; or numbers to add to the scores. It broadcasts to
            (..., queries, keys).
        dropout_p: the probability with which a weight is zeroed; there is no training flag, so give 0 in evaluation.
        is_causal: whether query ``i`` may look at keys 0 to ``i`` only; a mask holds besides.
        scale: of the scores, by default 1 / sqrt(features).
        enable_gqa: whether several heads of ``query``, axis -3, share one head of ``key`` and ``value``.
        generator: the source of the dropout, by default that of this thread.

    Returns:
        (..., queries, values).

    Raises:
        ShapeError: the shapes do not fit together.
        DtypeError: the mask is neither boolean nor floating.

    Example:
        >>> import numpy as np, tensorgrad as tg
        >>> q, k, v = np.ones((2, 4)), np.ones((2, 4)), np.array([[1.0], [5.0]])
        >>> tg.nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        array([[1.],
               [3.]])

    Source: A. Vaswani et al., Attention Is All You Need, 2017; for shared heads J. Ainslie et al., GQA, 2023.
    """
    op = "scaled_dot_product_attention"
    query, key, value = lifted(op, query), lifted(op, key), lifted(op, value)
    _check_rows(op, query, key, value)
    if enable_gqa:
        key, value = (_shared(op, query, one) for one in (key, value))
    operands = [query, key, value]
    bias = None if attn_mask is None else _additive(op, attn_mask, query.dtype, allowed=True)
    shape = _scores_shape(op, query, key, bias)
    if bias is not None:
        operands.append(bias)
    if dropout_p:
        kept: Any = np.ones(shape, query.dtype)
        if any(isinstance(one, Value) for one in operands):
            kept = tensor(kept)  # so that the draw is part of a traced program
        operands.append(dropout(kept, dropout_p, True, generator=generator))
    scale = 1 / math.sqrt(query.shape[-1]) if scale is None else float(scale)
    return attention(*operands, scale=scale, causal=is_causal, biased=bias is not None)


def multi_head_attention_forward(
    query: Any,
    key: Any,
    value: Any,
    embed_dim_to_check: int,
    num_heads: int,
    in_proj_weight: Any,
    in_proj_bias: Any,
    bias_k: Any,
    bias_v: Any,
    add_zero_attn: bool,
    dropout_p: float,
    out_proj_weight: Any,
    out_proj_bias: Any,
    training: bool = True,
    key_padding_mask: Any = None,
    need_weights: bool = True,
    attn_mask: Any = None,
    use_separate_proj_weight: bool = False,
    q_proj_weight: Any = None,
    k_proj_weight: Any = None,
    v_proj_weight: Any = None,
    static_k: Any = None,
    static_v: Any = None,
    average_attn_weights: bool = True,
    is_causal: bool = False,
    *,
    batch_first: bool = False,
    generator: Generator | None = None,
) -> tuple[Any, Any]:
    """Attention with several heads, each on a projection of its own; see `nn.MultiheadAttention`.

    A query that may look at no key gets zeros before the last projection, whether weights are asked for or not.

    Args:
        query: (queries, batch, embedding), or without the batch axis.
        key: (keys, batch, features of keys).
        value: (keys, batch, features of values).
        embed_dim_to_check: the embedding that is expected.
        num_heads: how many heads the embedding is divided into.
        in_proj_weight: (3 embedding, embedding), for queries, keys and values.
        in_proj_bias: (3 embedding), or None.
        bias_k: (1, 1, embedding), one more key; or None.
        bias_v: one more value, likewise.
        add_zero_attn: whether a key and a value of zeros are added.
        dropout_p: the probability with which a weight is zeroed in training.
        out_proj_weight: (embedding, embedding).
        out_proj_bias: (embedding), or None.
        training: whether dropout is done.
        key_padding_mask: (batch, keys): True for a key that nobody may look at, or numbers to add to the scores.
        need_weights: whether the weights are returned too.
        attn_mask: (queries, keys) or (batch * heads, queries, keys): True where a query may not look at a key, or
            numbers to add to the scores.
        use_separate_proj_weight: whether the next three are used in place of ``in_proj_weight``.
        q_proj_weight: (embedding, embedding).
        k_proj_weight: (embedding, features of keys).
        v_proj_weight: (embedding, features of values).
        static_k: (batch * heads, keys, head), in place of the keys' projection.
        static_v: likewise, of the values.
        average_attn_weights: whether the weights are averaged over the heads.
        is_causal: that ``attn_mask`` is causal; without a mask, it makes the attention so.
        batch_first: whether queries, keys, values and the result are (batch, length, features).
        generator: the source of the dropout, by default that of this thread.

    Returns:
        The result (queries, batch, embedding), and the weights (batch, queries, keys), with an axis for the heads
        after the batch if they are not averaged; None if they are not needed.

    Raises:
        ShapeError: the shapes do not fit together.
        DtypeError: a mask is neither boolean nor floating.
    """
    op = "multi_head_attention_forward"
    single = query.ndim == 2
    axis = 0 if batch_first else 1  # of the batch
    if query.ndim not in (2, 3) or key.ndim != query.ndim or value.ndim != query.ndim:
        raise ShapeError(
            f"{op}: query {query.shape}, key {key.shape}, value {value.shape}; all are (length, batch, features), or "
            "(length, features)"
        )
    if query.shape[-1] != embed_dim_to_check or embed_dim_to_check % num_heads:
        raise ShapeError(
            f"{op}: query {query.shape}, embedding {embed_dim_to_check}, {num_heads} heads; the query has the embedding as "
            "its last axis, and the heads divide it"
        )
    if key.shape[:-1] != value.shape[:-1] or (not single and key.shape[axis] != query.shape[axis]):
        raise ShapeError(
            f"{op}: query {query.shape}, key {key.shape}, value {value.shape}; keys and values have one length, "
            "and all one batch"
        )
    weights = [q_proj_weight, k_proj_weight, v_proj_weight] if use_separate_proj_weight else in_proj_weight
    q, k, v = _projected(query, key, value, weights, in_proj_bias)
    if single:
        q, k, v = (ops.expand_dims(one, axis) for one in (q, k, v))
        if key_padding_mask is not None:
            key_padding_mask = ops.expand_dims(lifted(op, key_padding_mask), 0)
    batch = q.shape[axis]
    added = 0
    if bias_k is not None:
        k, v = (_with_row(x, one, axis) for x, one in ((k, bias_k), (v, bias_v)))
        added += 1
    q = _heads(q, num_heads, axis)
    k, v = (
        _heads(x, num_heads, axis)
        if static is None
        else ops.reshape(static, (batch, num_heads, *static.shape[1:]))
        for x, static in ((k, static_k), (v, static_v))
    )
    if add_zero_attn:
        k, v = (ops.concat([x, np.zeros((*x.shape[:2], 1, x.shape[3]), x.dtype)], axis=2) for x in (k, v))
        added += 1
    length = q.shape[2], k.shape[2]
    bias = _bias(op, attn_mask, key_padding_mask, (batch, num_heads, *length), added, q.dtype)
    causal = is_causal and attn_mask is None
    p = dropout_p if training else 0.0
    if not need_weights:
        y = scaled_dot_product_attention(q, k, v, bias, p, causal, generator=generator)
        share = None
    else:
        share = weighed(q, k, bias, 1 / math.sqrt(q.shape[3]), causal)
        share = dropout(share, p, True, generator=generator) if p else share
        y = ops.matmul(share, v)
        share = ops.mean(share, 1) if average_attn_weights else share
    rows = ops.permute_dims(y, (0, 2, 1, 3) if batch_first else (2, 0, 1, 3))
    result = linear(ops.reshape(rows, (*rows.shape[:2], embed_dim_to_check)), out_proj_weight, out_proj_bias)
    if single:
        result, share = ops.squeeze(result, axis), None if share is None else share[0]
    return result, share


# ---- parts


def _projected(query: Any, key: Any, value: Any, weights: Any, bias: Any) -> list[Any]:
    """Queries, keys and values: in one product where they come from one tensor."""
    if not isinstance(weights, list):
        size = weights.shape[0] // 3
        if query is key is value:
            return list(ops.split(linear(query, weights, bias), 3, axis=-1))
        if key is value:
            q = linear(query, weights[:size], None if bias is None else bias[:size])
            both = linear(key, weights[size:], None if bias is None else bias[size:])
            return [q, *ops.split(both, 2, axis=-1)]
        weights = ops.split(weights, 3)
    biases = (None, None, None) if bias is None else ops.split(bias, 3)
    return [linear(x, w, b) for x, w, b in zip((query, key, value), weights, biases, strict=True)]


def _heads(x: Any, heads: int, batch: int) -> Any:
    """The embedding in parts: (batch, heads, length, head), from axes of which ``batch`` is the batch."""
    parts = ops.reshape(x, (*x.shape[:2], heads, x.shape[2] // heads))
    return ops.permute_dims(parts, (1, 2, 0, 3) if batch else (0, 2, 1, 3))


def _with_row(x: Any, row: Any, batch: int) -> Any:
    """Keys or values, and one more behind them."""
    shape = (1, x.shape[1], x.shape[2]) if batch else (x.shape[0], 1, x.shape[2])
    return ops.concat([x, ops.broadcast_to(row, shape)], axis=1 - batch)


def _bias(op: str, mask: Any, padding: Any, shape: Any, added: int, dtype: Any) -> Any:
    """Both masks as what is added to the scores; the keys that were added are masked for nobody."""
    batch, heads, queries, keys = shape
    keys -= added
    found = []
    if mask is not None:
        mask = _additive(op, mask, dtype, allowed=False)
        if mask.shape not in ((queries, keys), (batch * heads, queries, keys)):
            raise ShapeError(
                f"{op}: attn_mask {mask.shape}; {(queries, keys)} or {(batch * heads, queries, keys)} is needed"
            )
        found.append(mask if mask.ndim == 2 else ops.reshape(mask, (batch, heads, queries, keys)))
    if padding is not None:
        padding = _additive(op, padding, dtype, allowed=False)
        if padding.shape != (batch, keys):
            raise ShapeError(f"{op}: key_padding_mask {padding.shape}; {(batch, keys)} is needed")
        found.append(ops.reshape(padding, (batch, 1, 1, keys)))
    if added:
        found = [ops.concat([one, np.zeros((*one.shape[:-1], added), dtype)], axis=-1) for one in found]
    return None if not found else found[0] if len(found) == 1 else ops.add(*found)


def _additive(op: str, mask: Any, dtype: Any, allowed: bool) -> Any:
    """A mask as numbers to add: -inf where a boolean one is not ``allowed``."""
    mask = lifted(op, mask)
    if mask.dtype.kind == "f":
        return mask if mask.dtype == dtype else ops.astype(mask, dtype)
    if mask.dtype.kind != "b":
        raise DtypeError(f"{op}: a mask has dtype {mask.dtype}; booleans, or numbers to add to the scores")
    zero, hidden = np.zeros((), dtype), np.full((), -np.inf, dtype)
    return ops.where(mask, zero, hidden) if allowed else ops.where(mask, hidden, zero)


def _check_rows(op: str, query: Any, key: Any, value: Any) -> None:
    shapes = query.shape, key.shape, value.shape
    if min(map(len, shapes)) < 2 or query.shape[-1] != key.shape[-1] or key.shape[-2] != value.shape[-2]:
        raise ShapeError(
            f"{op}: query {query.shape}, key {key.shape}, value {value.shape}; query and key have as many features, key and "
            "value as many rows"
        )


def _shared(op: str, query: Any, x: Any) -> Any:
    """Keys or values with their heads repeated to as many as the queries have."""
    if x.ndim < 3 or query.ndim < 3 or query.shape[-3] % x.shape[-3]:
        raise ShapeError(
            f"{op}: query {query.shape} and {x.shape}; with enable_gqa the heads, axis -3, of keys and values divide those "
            "of the query"
        )
    return ops.repeat(x, query.shape[-3] // x.shape[-3], axis=-3)


def _scores_shape(op: str, query: Any, key: Any, bias: Any) -> tuple[int, ...]:
    matrix = query.shape[-2], key.shape[-2]
    try:
        shape = (*np.broadcast_shapes(query.shape[:-2], key.shape[:-2]), *matrix)
        if bias is not None and np.broadcast_shapes(shape, bias.shape) != shape:
            raise ValueError
    except ValueError:
        raise ShapeError(
            f"{op}: query {query.shape}, key {key.shape}, mask {None if bias is None else bias.shape}; the axes in front "
            f"broadcast together, and the mask to (..., {matrix[0]}, {matrix[1]})"
        ) from None
    return shape
