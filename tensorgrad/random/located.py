"""Laws that are standard noise moved and stretched: differentiable in location and scale."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import numpy as np

from .. import ops
from .._random import check, draw, normal, parameters, shape_of
from .._tensor import Tensor
from ..ops.special import ndtr, ndtri

if TYPE_CHECKING:
    from numpy.typing import DTypeLike

    from .._random import Generator, Size


def exponential(
    scale: Any = 1.0, size: Size = None, *, generator: Generator | None = None, dtype: DTypeLike | None = None
) -> Tensor:
    """Numbers from the exponential law with mean ``scale``, differentiable in it.

    Raises:
        ShapeError: ``scale`` is negative.

    Example:
        >>> import tensorgrad as tg
        >>> scale = tg.tensor(2.0, requires_grad=True)
        >>> y = tg.random.exponential(scale, 5)
        >>> y.sum().backward()
        >>> bool(abs(scale.grad - y.detach().sum() / 2) < 1e-5)
        True
    """
    check("exponential", "scale is negative", lambda scale: scale >= 0, scale)
    (scale,) = parameters("exponential", scale, dtype=dtype)
    return _scaled("standard_exponential", (), None, scale, size, generator)


def laplace(
    loc: Any = 0.0,
    scale: Any = 1.0,
    size: Size = None,
    *,
    generator: Generator | None = None,
    dtype: DTypeLike | None = None,
) -> Tensor:
    """Numbers from Laplace's law, differentiable in location and scale."""
    return _located("laplace", (0.0, 1.0), loc, scale, size, generator, dtype)


def logistic(
    loc: Any = 0.0,
    scale: Any = 1.0,
    size: Size = None,
    *,
    generator: Generator | None = None,
    dtype: DTypeLike | None = None,
) -> Tensor:
    """Numbers from the logistic law, differentiable in location and scale."""
    return _located("logistic", (0.0, 1.0), loc, scale, size, generator, dtype)


def gumbel(
    loc: Any = 0.0,
    scale: Any = 1.0,
    size: Size = None,
    *,
    generator: Generator | None = None,
    dtype: DTypeLike | None = None,
) -> Tensor:
    """Numbers from Gumbel's law, differentiable in location and scale."""
    return _located("gumbel", (0.0, 1.0), loc, scale, size, generator, dtype)


def cauchy(
    loc: Any = 0.0,
    scale: Any = 1.0,
    size: Size = None,
    *,
    generator: Generator | None = None,
    dtype: DTypeLike | None = None,
) -> Tensor:
    """Numbers from Cauchy's law, differentiable in location and scale; it has no mean."""
    return _located("standard_cauchy", (), loc, scale, size, generator, dtype, "cauchy")


def lognormal(
    mean: Any = 0.0,
    sigma: Any = 1.0,
    size: Size = None,
    *,
    generator: Generator | None = None,
    dtype: DTypeLike | None = None,
) -> Tensor:
    """Numbers whose logarithm is normal with this mean and standard deviation, differentiable in both."""
    return ops.exp(normal(mean, sigma, size, generator=generator, dtype=dtype))


def weibull(
    a: Any, size: Size = None, *, generator: Generator | None = None, dtype: DTypeLike | None = None
) -> Tensor:
    """Numbers from Weibull's law with scale 1 and shape ``a > 0``, differentiable in it."""
    check("weibull", "a is not positive", lambda a: a > 0, a)
    (a,) = parameters("weibull", a, dtype=dtype)
    noise = draw("standard_exponential", (), shape_of("weibull", size, a), generator, a.dtype)
    return ops.power(noise, ops.reciprocal(a))


def truncated_normal(
    mean: Any = 0.0,
    std: Any = 1.0,
    low: Any = -2.0,
    high: Any = 2.0,
    size: Size = None,
    *,
    generator: Generator | None = None,
    dtype: DTypeLike | None = None,
) -> Tensor:
    """Numbers from a normal distribution under the condition that they lie in [low, high].

    Args:
        mean: of the normal distribution before it is cut.
        std: its standard deviation, positive.
        low: the lower end, in the units of the result; may be -inf.
        high: the upper end, greater than ``low``; may be inf.
        size: the shape, by default that of the parameters together.
        generator: the source, by default that of this thread or task.
        dtype: of the elements, by default that of the parameters, or the default float.

    Raises:
        ShapeError: ``std`` is not positive, ``high`` is not greater than ``low``, or the whole interval lies more
            than 37 standard deviations from the mean: float64 has no number for the share of the law that it holds.

    Example:
        >>> import tensorgrad as tg
        >>> y = tg.random.truncated_normal(0.0, 1.0, 0.5, 0.75, size=100)
        >>> bool((y >= 0.5).all() & (y <= 0.75).all())
        True
    """
    op = "truncated_normal"
    check(op, "std is not positive", lambda std: std > 0, std)
    check(op, "high is not greater than low", lambda low, high: high > low, low, high)
    check(
        op,
        "the interval lies more than 37 standard deviations from the mean",
        _within_reach,
        mean,
        std,
        low,
        high,
    )
    given = parameters(op, mean, std, low, high, dtype=dtype)
    shape, kind = shape_of(op, size, *given), given[0].dtype
    # float32 has no levels beyond 13 standard deviations.
    mean, std, low, high = [ops.astype(one, np.float64) for one in given]
    level = draw("uniform", (0.0, 1.0), shape, generator, np.dtype(np.float64))
    a, b = _standardised(low, mean, std), _standardised(high, mean, std)
    # In the tail on which most of the interval lies, levels have all their digits.
    mirrored = ops.stop_gradient(a) > -ops.stop_gradient(b)
    left, right = ops.where(mirrored, -b, a), ops.where(mirrored, -a, b)
    start, end = ndtr(left), ndtr(right)
    z = ndtri(ops.clip(ops.lerp(start, end, level), start, end))
    drawn = ops.astype(ops.clip(mean + std * ops.where(mirrored, -z, z), low, high), kind)
    return cast(
        Tensor, ops.clip(drawn, *[ops.stop_gradient(one) for one in given[2:]])
    )  # rounded beyond an end


# ---- parts


def _within_reach(mean: Any, std: Any, low: Any, high: Any) -> Any:
    return (low - mean <= 37 * std) & (mean - high <= 37 * std)


def _standardised(end: Any, mean: Any, std: Any) -> Any:
    """An end in standard deviations from the mean; an infinite one does not depend on them (inf * 0 is NaN)."""
    infinite = ops.isinf(end)
    return ops.where(infinite, end, (ops.where(infinite, 0.0, end) - mean) / std)


def _located(
    law: str,
    standard: tuple[float, ...],
    loc: Any,
    scale: Any,
    size: Size,
    generator: Any,
    dtype: Any,
    op: str = "",
) -> Tensor:
    op = op or law
    check(op, "scale is negative", lambda scale: scale >= 0, scale)
    loc, scale = parameters(op, loc, scale, dtype=dtype)
    return _scaled(law, standard, loc, scale, size, generator)


def _scaled(
    law: str, standard: tuple[float, ...], loc: Any, scale: Any, size: Size, generator: Any
) -> Tensor:
    shape = shape_of(law, size, *([scale] if loc is None else [loc, scale]))
    moved = ops.multiply(scale, draw(law, standard, shape, generator, scale.dtype))
    return cast(Tensor, moved if loc is None else ops.add(loc, moved))
