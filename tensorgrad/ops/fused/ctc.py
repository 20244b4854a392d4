"""Connectionist temporal classification: all ways of saying a sequence of labels, summed, as one op.

The states of a sequence are its labels with a blank before, between and behind them. A way goes from one
of the first two states to one of the last two; in each frame it stays, moves on by one state, or skips a
blank between two different labels. The sums over all ways are logarithms, frame by frame.

Source: A. Graves et al., Connectionist temporal classification, 2006.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..._errors import ShapeError
from ..._fused import fused
from ..compare import logical_and, not_equal
from ..elementwise import where
from ..index import getitem, take_along_axis
from ..normalise import logsumexp
from ..shape import concat, expand_dims, reshape, stack

INF = np.inf


def _composite(labels: Any, input_lengths: Any, target_lengths: Any, *operands: Any, blank: int) -> Any:
    (x,) = operands
    _check(labels, input_lengths, target_lengths, x)
    states, skips = _states(labels, blank)
    emitted = take_along_axis(x, expand_dims(states, 0), 2)
    n, size = states.shape
    first = np.arange(size) < 2
    nothing = _nothing(size).astype(x.dtype)
    behind = np.full((n, 2), -INF, x.dtype)
    ways = where(input_lengths[:, None] > 0, where(first, getitem(emitted, 0), -INF), nothing)
    for t in range(1, x.shape[0]):
        padded = concat([behind, ways], axis=1)
        one, two = getitem(padded, (slice(None), slice(1, -1))), getitem(padded, (slice(None), slice(0, -2)))
        further = logsumexp(stack([ways, one, where(skips, two, -INF)]), 0) + getitem(emitted, t)
        ways = where(t < input_lengths[:, None], further, ways)
    return -logsumexp(where(_last(target_lengths, size), ways, -INF), 1)


@fused(_composite, public=1)
def ctc(labels: Any, input_lengths: Any, target_lengths: Any, /, *operands: Any, blank: int) -> Any:
    """Minus the logarithm of the probability of each row of labels, from ``log_probs`` (T, N, C).

    The labels (N, S) must be in [0, C), also behind the lengths (N,); who calls it checks that. What cannot be
    said in so many frames costs infinitely much, with gradient 0.
    """
    (x,) = operands
    _check(labels, input_lengths, target_lengths, x)
    if input_lengths.max(initial=0) > len(x) or target_lengths.max(initial=0) > labels.shape[1]:
        raise ShapeError(f"ctc: a length is larger than labels {labels.shape} or log_probs {x.shape}")
    states, skips = _states(labels, blank)
    n, size = states.shape
    emitted = np.take_along_axis(x, states[None], 2)
    # ways[t, :, s + 2] is state s; two columns before the first let a shift be a slice.
    ways = np.full((len(x), n, size + 2), -INF, x.dtype)
    barred = np.where(skips, 0, -INF).astype(x.dtype)
    least = np.finfo(x.dtype).min  # the largest of three -inf, for which exp(a - top) is 0 and not NaN
    with np.errstate(all="ignore"):  # what lies behind the last frame of a row may be anything
        ways[0, :, 2:4] = emitted[0, :, :2]
        for t in range(1, len(x)):
            stay, one, two = ways[t - 1, :, 2:], ways[t - 1, :, 1:-1], ways[t - 1, :, :-2] + barred
            top = np.maximum(np.maximum(np.maximum(stay, one), two), least)
            total = np.exp(stay - top)
            total += np.exp(one - top)
            total += np.exp(two - top)
            np.log(total, out=total)
            total += top
            np.add(total, emitted[t], out=ways[t, :, 2:])
        ends = np.where(_last(target_lengths, size), _final(ways, input_lengths), -INF)
        top = np.maximum(ends.max(axis=1, initial=-INF), least)
        y = -(np.log(np.exp(ends - top[:, None]).sum(axis=1)) + top)
    return y.astype(x.dtype, copy=False), ways, emitted


@ctc.pull
def _(
    g: Any,
    labels: Any,
    input_lengths: Any,
    target_lengths: Any,
    operands: Any,
    y: Any,
    wanted: Any,
    blank: int,
) -> Any:
    """The share of all ways that is in each state, walked back from the last frame of each row."""
    (x,) = operands
    losses, ways, emitted = y
    states, skips = _states(labels, blank)
    n, size = states.shape
    barred, least = np.where(skips, 0, -INF).astype(x.dtype), np.finfo(x.dtype).min
    shares = np.zeros((len(x), n, size), x.dtype)
    shortest = input_lengths.min(initial=len(x))
    with np.errstate(all="ignore"):
        ends = np.where(_last(target_lengths, size), _final(ways, input_lengths), -INF)
        ends = np.where(np.isfinite(losses)[:, None], np.exp(ends + losses[:, None]), 0)
        # Of a sum in the next frame each of its three terms, exp(term - log(sum)), goes back where it came from.
        came = emitted[1:] - np.maximum(ways[1:, :, 2:], least)
        stay, one = np.exp(ways[:-1, :, 2:] + came), np.exp(ways[:-1, :, 1:-1] + came)
        two = np.exp(ways[:-1, :, :-2] + barred + came)
        for t in range(len(x) - 1, -1, -1):
            share = shares[t]
            if t + 1 < len(x):
                later = shares[t + 1]
                np.multiply(stay[t], later, out=share)
                share[:, :-1] += (one[t] * later)[:, 1:]
                share[:, :-2] += (two[t] * later)[:, 2:]
            if t >= shortest - 1:
                share[t >= input_lengths - 1] = 0
                last = t == input_lengths - 1
                share[last] = ends[last]
    out = np.zeros(x.shape, x.dtype)
    out[:, :, blank] = -shares[:, :, ::2].sum(axis=2)
    for k in range(labels.shape[1]):
        out[:, np.arange(n), labels[:, k]] -= shares[:, :, 2 * k + 1]
    out *= g[0][:, None]
    return [out]


def _check(labels: Any, input_lengths: Any, target_lengths: Any, x: Any) -> None:
    shapes = labels.shape, input_lengths.shape, target_lengths.shape, x.shape
    if [len(one) for one in shapes] != [2, 1, 1, 3] or not x.shape[0]:
        raise ShapeError(
            f"ctc: labels, lengths, lengths and log_probs of {shapes}; (N, S), (N,), (N,), (T, N, C) needed"
        )
    if {shapes[0][0], shapes[1][0], shapes[2][0]} != {x.shape[1]}:
        raise ShapeError(
            f"ctc: labels, lengths, lengths and log_probs of {shapes}, not all for {x.shape[1]} sequences"
        )


def _states(labels: Any, blank: int) -> tuple[Any, Any]:
    """The labels with blanks around them, and whether a way may skip to a state from the one before the last."""
    n, count = labels.shape
    blanks = np.full((n, count, 1), blank)
    pairs = reshape(concat([blanks, expand_dims(labels, -1)], axis=2), (n, 2 * count))
    states = concat([pairs, np.full((n, 1), blank)], axis=1)
    late, early = getitem(states, (slice(None), slice(2, None))), getitem(states, (slice(None), slice(0, -2)))
    skips = logical_and(not_equal(late, blank), not_equal(late, early))
    return states, concat([np.zeros((n, min(2, 2 * count + 1)), bool), skips], axis=1)


def _last(target_lengths: Any, size: int) -> Any:
    """Whether a way may end in a state: the last label, and the blank behind it."""
    place = np.arange(size)
    end = 2 * target_lengths[:, None]
    return (place == end) | (place == end - 1)


def _nothing(size: int) -> Any:
    """Before any frame, all is in the first blank."""
    return np.where(np.arange(size) > 0, -INF, 0.0)


def _final(ways: Any, input_lengths: Any) -> Any:
    """The sums at the last frame of each row."""
    final = ways[np.maximum(input_lengths - 1, 0), np.arange(len(input_lengths)), 2:]
    return np.where(input_lengths[:, None] > 0, final, _nothing(final.shape[1]).astype(ways.dtype))
