"""Laws with a parameter of shape: the draw as the number at a fixed level of the distribution function."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from .. import ops
from .._errors import ShapeError
from .._primitive import Value
from .._random import check, draw, draw_given, parameters, shape_of
from .._tensor import Tensor
from ..ops.special import betainc, gammainc
from ..ops.special.incomplete import beta_density, gamma_density

if TYPE_CHECKING:
    from numpy.typing import DTypeLike

    from .._random import Generator, Size


def gamma(
    shape: Any,
    scale: Any = 1.0,
    size: Size = None,
    *,
    generator: Generator | None = None,
    dtype: DTypeLike | None = None,
) -> Tensor:
    """Numbers from the gamma law, differentiable in shape and scale.

    Args:
        shape: positive.
        scale: 0 or more; the mean is ``shape * scale``.
        size: the shape of the result, by default that of the parameters together.
        generator: the source, by default that of this thread or task.
        dtype: of the elements, by default that of the parameters, or the default float.

    Raises:
        ShapeError: ``shape`` is not positive, or ``scale`` is negative.

    Example:
        >>> import tensorgrad as tg
        >>> shape = tg.tensor(3.0, requires_grad=True)
        >>> tg.random.gamma(shape, size=4).sum().backward()
        >>> bool(shape.grad > 0)
        True

    Source:
        Figurnov, Mohamed and Mnih, Implicit reparameterization gradients, 2018.
    """
    check("gamma", "shape is not positive", lambda shape: shape > 0, shape)
    check("gamma", "scale is negative", lambda scale: scale >= 0, scale)
    a, scale = parameters("gamma", shape, scale, dtype=dtype)
    drawn = _positive(
        draw_given("standard_gamma", (a,), shape_of("gamma", size, a, scale), generator, a.dtype)
    )
    unit = _at_its_level(
        drawn,
        lambda x: gammainc(a, x),
        lambda x: gamma_density(a, x, order=0),
        a,
    )
    return cast(Tensor, ops.multiply(scale, unit))


def chisquare(
    df: Any, size: Size = None, *, generator: Generator | None = None, dtype: DTypeLike | None = None
) -> Tensor:
    """Numbers from the chi-square law with ``df > 0`` degrees of freedom, differentiable in them."""
    check("chisquare", "df is not positive", lambda df: df > 0, df)
    (df,) = parameters("chisquare", df, dtype=dtype)
    return gamma(df / 2, 2.0, size, generator=generator, dtype=dtype)


def standard_t(
    df: Any, size: Size = None, *, generator: Generator | None = None, dtype: DTypeLike | None = None
) -> Tensor:
    """Numbers from Student's law with ``df > 0`` degrees of freedom, differentiable in them."""
    check("standard_t", "df is not positive", lambda df: df > 0, df)
    (df,) = parameters("standard_t", df, dtype=dtype)
    shape = shape_of("standard_t", size, df)
    z = draw("normal", (0.0, 1.0), shape, generator, df.dtype)
    return cast(Tensor, z * ops.sqrt(df / chisquare(df, shape, generator=generator)))


def beta(
    a: Any, b: Any, size: Size = None, *, generator: Generator | None = None, dtype: DTypeLike | None = None
) -> Tensor:
    """Numbers from the beta law, differentiable in both parameters.

    Args:
        a: positive; the mean is ``a / (a + b)``.
        b: positive.
        size: the shape of the result, by default that of the parameters together.
        generator: the source, by default that of this thread or task.
        dtype: of the elements, by default that of the parameters, or the default float.

    Raises:
        ShapeError: a parameter is not positive.

    Example:
        >>> import tensorgrad as tg
        >>> y = tg.random.beta(2.0, 2.0, 100)
        >>> bool((y > 0).all() & (y < 1).all())
        True
    """
    check("beta", "a or b is not positive", lambda a, b: (a > 0) & (b > 0), a, b)
    a, b = parameters("beta", a, b, dtype=dtype)
    drawn = draw_given("beta", (a, b), shape_of("beta", size, a, b), generator, a.dtype)
    one = a.dtype.type(1)
    drawn = ops.minimum(_positive(drawn), np.nextafter(one, a.dtype.type(0)))
    return _at_its_level(
        drawn,
        lambda x: betainc(a, b, x),
        lambda x: beta_density(a, b, x, orders=(0, 0)),
        a,
        b,
    )


def dirichlet(
    alpha: Any, size: Size = None, *, generator: Generator | None = None, dtype: DTypeLike | None = None
) -> Tensor:
    """Points of the simplex from Dirichlet's law, differentiable in its parameters.

    Args:
        alpha: positive parameters along the last axis, at least two.
        size: the shape of the draw without this axis, by default that of the other axes of ``alpha``.
        generator: the source, by default that of this thread or task.
        dtype: of the elements, by default that of ``alpha``, or the default float.

    Shape:
        alpha ``(..., K)`` to ``(*size, K)``; each row of the result has the sum 1.

    Raises:
        ShapeError: a parameter is not positive, or there are fewer than two.

    Example:
        >>> import tensorgrad as tg
        >>> tg.random.dirichlet(tg.ones(3), 2).shape
        (2, 3)
    """
    check("dirichlet", "alpha is not positive", lambda alpha: alpha > 0, alpha)
    (alpha,) = parameters("dirichlet", alpha, dtype=dtype)
    if not alpha.ndim or alpha.shape[-1] < 2:
        raise ShapeError(
            f"dirichlet: alpha has shape {alpha.shape}; two or more along the last axis are needed"
        )
    lead = shape_of("dirichlet", size, alpha[..., 0])
    # A stick is broken, piece by piece: sums of small gammas, the other way, would be 0 / 0.
    rest, pieces = None, []
    above = ops.flip(ops.cumsum(ops.flip(alpha, axis=-1), axis=-1), axis=-1)
    for i in range(alpha.shape[-1] - 1):
        share = beta(alpha[..., i], above[..., i + 1], lead, generator=generator)
        pieces.append(share if rest is None else rest * share)
        rest = 1 - share if rest is None else rest * (1 - share)
    return cast(Tensor, ops.stack([*pieces, rest], axis=-1))


# ---- parts


def _positive(x: Any) -> Any:
    """What was rounded to 0 becomes the least normal number: logarithms follow."""
    return ops.maximum(x, np.finfo(x.dtype).tiny)


def _at_its_level(
    drawn: Any, distribution: Callable[[Any], Any], density: Callable[[Any], Any], *given: Any
) -> Tensor:
    """The draw as a function of the parameters, at the level of the distribution function where it lies.

    Newton's method for this equation starts at its root, so it changes no value; each of its steps
    doubles the number of derivatives that are right: with two, three.
    """
    if not any(
        isinstance(one, Value) and (one.level or getattr(one, "requires_grad", False)) for one in given
    ):
        return drawn  # type: ignore[no-any-return]
    x = ops.stop_gradient(drawn)
    level = ops.stop_gradient(distribution(x))
    for _ in range(2):
        x = x - (distribution(x) - level) / density(x)
    return cast(Tensor, x)
