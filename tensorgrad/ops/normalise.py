"""Softmax and its kin, in forms that do not overflow."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._primitive import primitive
from .._specialise import plain
from .dtype import conjugate
from .elementwise import exp, where
from .reduce import numpy_axes, restore_axes, sum
from .shape import Axis, reduced_axes


@primitive
def softmax(x: Any, /, axis: int = -1) -> Any:
    """Exponentials scaled to sum to 1 along an axis."""
    x = x if x.dtype.kind in "fc" else x.astype(np.float64)
    e = np.exp(x - np.maximum.reduce(x.real, axis=axis, keepdims=True, initial=-np.inf))
    return e / np.add.reduce(e, axis=axis, keepdims=True)


@primitive
def log_softmax(x: Any, /, axis: int = -1) -> Any:
    """Logarithm of `softmax`, exact where softmax underflows."""
    x = x if x.dtype.kind in "fc" else x.astype(np.float64)
    shifted = x - np.maximum.reduce(x.real, axis=axis, keepdims=True, initial=-np.inf)
    if not x.size:  # the logarithm of an empty sum would warn
        return shifted
    return shifted - np.log(np.add.reduce(np.exp(shifted), axis=axis, keepdims=True))


@primitive
def logsumexp(x: Any, /, axis: Axis = None, keepdims: bool = False) -> Any:
    """``log(sum(exp(x)))`` over the axes without overflow; -inf, with gradient 0, where all are -inf."""
    axes = numpy_axes(axis)
    top = np.maximum.reduce(x.real, axis=axes, keepdims=True)
    top = np.where(np.isfinite(top), top, 0)
    total = np.add.reduce(np.exp(x - top), axis=axes, keepdims=True)
    with np.errstate(divide="ignore"):  # log(0) = -inf is the answer where all elements are -inf
        y = np.log(total) + top
    return plain(y if keepdims else np.squeeze(y, axis=axes) if axes is not None else y.reshape(()))


def _softmax_pull(g: Any, y: Any, axis: int) -> Any:
    y = conjugate(y) if y.dtype.kind == "c" else y
    return y * (g - sum(g * y, axis, True))


def _log_softmax_pull(g: Any, y: Any, axis: int) -> Any:
    y = conjugate(y) if y.dtype.kind == "c" else y
    return g - exp(y) * sum(g, axis, True)


def _logsumexp_pull(g: Any, x: Any, y: Any, axis: Axis, keepdims: bool) -> Any:
    share = shares(x, restore_axes(y, x.shape, axis, keepdims))
    share = conjugate(share) if share.dtype.kind == "c" else share
    return restore_axes(g, x.shape, axis, keepdims) * share


softmax.vjp(x=_softmax_pull)
softmax.jvp(x=lambda t, y, axis: y * (t - sum(t * y, axis, True)))
log_softmax.vjp(x=_log_softmax_pull)
log_softmax.jvp(x=lambda t, y, axis: t - sum(t * exp(y), axis, True))
logsumexp.vjp(x=_logsumexp_pull)
logsumexp.jvp(
    x=lambda t, x, y, axis, keepdims: sum(
        t * shares(x, restore_axes(y, x.shape, axis, keepdims)), axis, keepdims
    )
)


def shares(x: Any, y: Any) -> Any:
    """``exp(x - y)``, each element's share of the sum; 0 where all elements, and so ``y``, are -inf."""
    empty = y == -np.inf
    return exp(x - where(empty, 0, y))


for _op in (softmax, log_softmax):

    def _rule(size: int, batched: Any, args: Any, axis: int, _op: Any = _op) -> Any:
        return _op(args[0], tuple([a + 1 for a in reduced_axes(_op.card.name, axis, args[0].ndim - 1)]))

    _op.batching(_rule)


@logsumexp.batching
def _logsumexp_batch(size: int, batched: Any, args: Any, axis: Axis, keepdims: bool) -> Any:
    axes = reduced_axes("logsumexp", axis, args[0].ndim - 1)
    return logsumexp(args[0], tuple([a + 1 for a in axes]), keepdims)
