"""Laws of whole numbers, and what is chosen by them; through such draws no gradient flows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import numpy as np

from .. import ops
from .._errors import ShapeError
from .._random import as_value, check, draw, draw_given, parameters, permutation, randint, shape_of
from .._tensor import Tensor, asarray
from ..ops.shape import normalise_axis

if TYPE_CHECKING:
    from numpy.typing import DTypeLike

    from .._random import Generator, Size


def bernoulli(
    p: Any = 0.5, size: Size = None, *, generator: Generator | None = None, dtype: DTypeLike | None = None
) -> Tensor:
    """Ones with probability ``p``, else zeros.

    Args:
        p: from 0 to 1.
        size: the shape, by default that of ``p``.
        generator: the source, by default that of this thread or task.
        dtype: of the elements, by default that of ``p``, or the default float.

    Raises:
        ShapeError: ``p`` is not from 0 to 1.

    Example:
        >>> import tensorgrad as tg
        >>> tg.bernoulli(tg.tensor([0.0, 1.0])).tolist()
        [0.0, 1.0]
    """
    check("bernoulli", "p is not from 0 to 1", lambda p: (p >= 0) & (p <= 1), p)
    (p,) = parameters("bernoulli", p)
    noise = draw("uniform", (0.0, 1.0), shape_of("bernoulli", size, p), generator, np.dtype(np.float64))
    return cast(Tensor, ops.astype(ops.less(noise, p), np.dtype(dtype or p.dtype)))


def binomial(n: Any, p: Any, size: Size = None, *, generator: Generator | None = None) -> Tensor:
    """How many of ``n`` trials succeed, each with probability ``p``, as int64.

    Raises:
        ShapeError: ``n`` is negative, or ``p`` not from 0 to 1.
    """
    check("binomial", "n is not a count", lambda n: (n >= 0) & (n == np.floor(n)), n)
    check("binomial", "p is not from 0 to 1", lambda p: (p >= 0) & (p <= 1), p)
    given = (ops.astype(as_value(n), np.int64), ops.astype(as_value(p), np.float64))
    return draw_given("binomial", given, size, generator, np.int64)


def poisson(lam: Any = 1.0, size: Size = None, *, generator: Generator | None = None) -> Tensor:
    """Counts from Poisson's law with mean ``lam``, as int64.

    Raises:
        ShapeError: ``lam`` is negative, or too large for int64.
    """
    check("poisson", "lam is not from 0 to 9e18", lambda lam: (lam >= 0) & (lam <= 9e18), lam)
    return draw_given("poisson", (ops.astype(as_value(lam), np.float64),), size, generator, np.int64)


def geometric(p: Any, size: Size = None, *, generator: Generator | None = None) -> Tensor:
    """How many trials, each a success with probability ``p``, until the first success, as int64.

    Raises:
        ShapeError: ``p`` is not above 0 and at most 1.
    """
    check("geometric", "p is not above 0 and at most 1", lambda p: (p > 0) & (p <= 1), p)
    return draw_given("geometric", (ops.astype(as_value(p), np.float64),), size, generator, np.int64)


def categorical(
    logits: Any, size: Size = None, *, axis: int = -1, generator: Generator | None = None
) -> Tensor:
    """Positions along an axis, each with the probability that the softmax of ``logits`` gives it.

    Args:
        logits: logarithms of weights, one may be -inf.
        size: the shape of the draw, by default that of ``logits`` without the axis.
        axis: where the alternatives lie.
        generator: the source, by default that of this thread or task.

    Raises:
        ShapeError: a logit is NaN or inf, or all in a row are -inf.

    Example:
        >>> import tensorgrad as tg
        >>> tg.random.categorical(tg.tensor([0.0, float("-inf")]), 3).tolist()
        [0, 0, 0]

    Source:
        Gumbel, Statistical theory of extreme values, 1954: the largest of logits plus Gumbel noise.
    """
    (logits,) = parameters("categorical", logits)
    check("categorical", "a logit is NaN or inf", lambda x: x < np.inf, logits)
    axis = normalise_axis("categorical", axis, logits.ndim)
    logits = ops.moveaxis(logits, axis, -1)
    check("categorical", "a row has no finite logit", lambda x: (x > -np.inf).any(-1), logits)
    shape = shape_of("categorical", size, logits[..., 0])
    noise = draw("gumbel", (0.0, 1.0), (*shape, logits.shape[-1]), generator, np.dtype(np.float64))
    return ops.argmax(ops.add(noise, ops.stop_gradient(logits)), axis=-1)


def multinomial(
    weights: Any, num_samples: int, replacement: bool = False, *, generator: Generator | None = None
) -> Tensor:
    """Positions along the last axis, drawn with probabilities in proportion to the weights.

    Args:
        weights: 0 or more, along the last axis; their sum need not be 1.
        num_samples: how many are drawn from each row.
        replacement: whether a position may be drawn again.
        generator: the source, by default that of this thread or task.

    Shape:
        weights ``(..., K)`` to ``(..., num_samples)``.

    Raises:
        ShapeError: a weight is negative or not finite, all are 0, or without replacement fewer than
            ``num_samples`` are positive; or ``num_samples`` is no count.

    Example:
        >>> import tensorgrad as tg
        >>> sorted(tg.multinomial(tg.tensor([1.0, 0.0, 3.0]), 2).tolist())
        [0, 2]

    Source:
        Efraimidis and Spirakis, Weighted random sampling with a reservoir, 2006.
    """
    if not isinstance(num_samples, int | np.integer) or num_samples < 0:
        raise ShapeError(f"multinomial: num_samples is {num_samples}; a count of 0 or more is needed")
    (weights,) = parameters("multinomial", weights)
    if not weights.ndim:
        raise ShapeError(
            "multinomial: weights have no axis; one or more are needed, positions lie along the last"
        )
    check("multinomial", "a weight is negative or not finite", lambda w: (w >= 0) & np.isfinite(w), weights)
    least = 1 if replacement else num_samples
    check("multinomial", f"fewer than {least} positive weights", lambda w: (w > 0).sum(-1) >= least, weights)
    with np.errstate(divide="ignore"):
        logits = ops.log(ops.stop_gradient(weights))
    if replacement:
        drawn = categorical(logits, (num_samples, *logits.shape[:-1]), generator=generator)
        return cast(Tensor, ops.moveaxis(drawn, 0, -1))
    noise = draw("gumbel", (0.0, 1.0), logits.shape, generator, np.dtype(np.float64))
    order = ops.argsort(ops.add(noise, logits), axis=-1, descending=True)
    return cast(Tensor, order[..., :num_samples])


def choice(
    a: Any,
    size: Size = None,
    replace: bool = True,
    p: Any = None,
    *,
    axis: int = 0,
    generator: Generator | None = None,
) -> Tensor:
    """Elements of ``a`` along an axis, or integers below ``a``, picked at random.

    Args:
        a: an array or tensor, or a count; gradients flow to the elements that were picked.
        size: the shape of the draw.
        replace: whether an element may be picked again.
        p: the probability of each, all the same if None.
        axis: along which ``a`` is read.
        generator: the source, by default that of this thread or task.

    Raises:
        ShapeError: ``p`` does not fit ``a``, or without replacement there are too few elements.

    Example:
        >>> import tensorgrad as tg
        >>> tg.random.choice(tg.tensor([10.0, 20.0]), 3).shape
        (3,)
    """
    parts = asarray(a)
    axis = normalise_axis("choice", axis, parts.ndim) if parts.ndim else 0
    n = parts.shape[axis] if parts.ndim else int(parts)
    shape = shape_of("choice", () if size is None else size)
    count = int(np.prod(shape, dtype=np.int64))
    if n < 1 or (not replace and count > n):
        raise ShapeError(f"choice: {count} of {n} elements {'with' if replace else 'without'} replacement")
    if p is not None and np.shape(p) != (n,):
        raise ShapeError(f"choice: p has shape {np.shape(p)} for {n} elements; one for each is needed")
    if p is not None:
        chosen = multinomial(p, count, replace, generator=generator)
    elif replace:
        chosen = randint(0, n, count, generator=generator)
    else:
        chosen = permutation(n, generator=generator)[:count]
    chosen = ops.reshape(chosen, shape)
    return cast(Tensor, parts[(slice(None),) * axis + (chosen,)] if parts.ndim else chosen)
