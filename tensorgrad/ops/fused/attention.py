"""Scaled dot-product attention as one op: ``softmax(scale q k' + bias) v``.

A query that may look at no key, because all its biases are -inf, gets zeros, and gives no gradient.

Source: A. Vaswani et al., Attention Is All You Need, 2017, equation 1.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..._fused import fused
from ..contract import matmul
from ..elementwise import add, multiply
from ..normalise import logsumexp, shares
from ..shape import matrix_transpose, sum_to


def weighed(q: Any, k: Any, bias: Any, scale: float, causal: bool) -> Any:
    """How much each query takes of each key: rows that sum to 1, or to 0 where all is masked."""
    scores = matmul(multiply(q, scale), matrix_transpose(k))
    if causal:
        scores = add(scores, later(scores))
    if bias is not None:
        scores = add(scores, bias)
    if not scores.shape[-1]:
        return scores  # of no keys there is no largest
    return shares(scores, logsumexp(scores, -1, True))


def later(scores: Any) -> Any:
    """-inf where a key comes after its query, 0 elsewhere."""
    return np.triu(np.full(scores.shape[-2:], -np.inf, scores.dtype), 1)


def _composite(*operands: Any, scale: float, causal: bool, biased: bool) -> Any:
    q, k, v, bias, keep = _named(operands, biased)
    weights = weighed(q, k, bias, scale, causal)
    return matmul(weights if keep is None else multiply(weights, keep), v)


@fused(_composite, public=1)
def attention(*operands: Any, scale: float, causal: bool, biased: bool) -> Any:
    """For each query the values, weighed by how well their keys fit.

    Args:
        operands: ``q`` (..., queries, features), ``k`` (..., keys, features), ``v`` (..., keys, values); if
            ``biased`` what is added to the scores, such as -inf for what is masked; and, where dropout is wanted,
            what the weights are multiplied with. Both broadcast to (..., queries, keys).
        scale: of the scores.
        causal: whether key ``j`` is masked for query ``i < j``.
        biased: whether there is a bias.
    """
    q, k, v, bias, keep = _named(operands, biased)
    weights = np.matmul(q * np.asarray(scale, q.dtype), k.swapaxes(-1, -2))
    if causal:
        weights += later(weights)
    if bias is not None:
        weights = _into(np.add, weights, bias)
    top = np.maximum.reduce(weights, axis=-1, keepdims=True, initial=-np.inf)
    top[top == -np.inf] = 0
    weights -= top
    np.exp(weights, out=weights)
    total = np.add.reduce(weights, axis=-1, keepdims=True)
    total[total == 0] = 1
    weights /= total
    kept = weights if keep is None else weights * keep
    return _product(kept, v, like=q), weights


@attention.pull
def _(g: Any, operands: Any, y: Any, wanted: Any, scale: float, causal: bool, biased: bool) -> list[Any]:
    q, k, v, bias, keep = _named(operands, biased)
    (out, weights), g = y, g[0]
    found: list[Any] = [None] * len(operands)
    if wanted[2]:
        kept = weights if keep is None else weights * keep
        found[2] = _fitted(_product(kept.swapaxes(-1, -2), g, like=v), v.shape)
    if not any((*wanted[:2], *wanted[3:])):
        return found
    scores = np.matmul(g, v.swapaxes(-1, -2))
    if keep is not None:
        if wanted[-1]:
            found[-1] = _fitted(scores * weights, keep.shape)
        scores = _into(np.multiply, scores, keep)
    scores = _into(np.subtract, scores, np.add.reduce(g * out, axis=-1, keepdims=True))
    scores = _into(np.multiply, scores, weights)
    factor = np.asarray(scale, q.dtype)
    if wanted[0]:
        found[0] = _fitted(_product(scores, k * factor, like=q), q.shape)
    if wanted[1]:
        found[1] = _fitted(_product(scores.swapaxes(-1, -2), q * factor, like=k), k.shape)
    if biased and wanted[3]:
        found[3] = _fitted(scores, bias.shape)
    return found


def _named(operands: Any, biased: bool) -> tuple[Any, Any, Any, Any, Any]:
    q, k, v, *more = operands
    return q, k, v, more[0] if biased else None, more[biased] if len(more) > biased else None


def _into(ufunc: Any, a: Any, b: Any) -> Any:
    """``ufunc(a, b)``, in place where ``a`` has room for it."""
    shape = np.broadcast_shapes(a.shape, b.shape)
    return ufunc(a, b, out=a) if shape == a.shape else ufunc(a, b)


def _product(a: Any, b: Any, like: Any) -> Any:
    """A product that lies in memory as ``like`` does, so that what splits heads undoes it without a copy."""
    lead = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    if lead != like.shape[:-2]:
        return np.matmul(a, b)
    out = np.empty_like(like, shape=(*lead, a.shape[-2], b.shape[-1]))
    return np.matmul(a, b, out=out)


def _fitted(c: Any, shape: Any) -> Any:
    return c if c.shape == shape else sum_to(c, shape)
