"""Published bugs of single points and ranges: NaN, a wrong value, or digits lost where the derivative is plain."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .published_pair import Published


def _one_zero(rng: np.random.Generator, *shape: int) -> Any:
    """Numbers of which exactly one is zero."""
    x = rng.uniform(0.5, 1.5, math.prod(shape))
    x[rng.integers(x.size)] = 0.0
    return x.reshape(shape)


def _cumprod_right(inputs: Any, y: Any, g: Any) -> Any:
    (x,) = inputs
    before, after = np.append(1.0, y[:-1]), np.empty_like(x)
    for i in reversed(range(x.size)):
        after[i] = g[i] + (x[i + 1] * after[i + 1] if i + 1 < x.size else 0.0)
    return (before * after,)


def _cumprod_divided(inputs: Any, y: Any, g: Any) -> Any:
    with np.errstate(invalid="ignore"):
        return (np.cumsum((g * y)[::-1])[::-1] / inputs[0],)


def _cumprod_divided_or_zero(inputs: Any, y: Any, g: Any) -> Any:
    (x,) = inputs
    return (np.divide(np.cumsum((g * y)[::-1])[::-1], x, out=np.zeros_like(x), where=x != 0),)


_BASES = np.array([0.5, 0.0, 2.0, 3.0])


def _pow_right(inputs: Any, y: Any, g: Any) -> Any:
    return (g * y * np.log(np.where(_BASES == 0, 1.0, _BASES)),)


def _pow_unguarded(inputs: Any, y: Any, g: Any) -> Any:
    with np.errstate(divide="ignore", invalid="ignore"):
        return (g * y * np.log(_BASES),)


_KEPT = np.array([True, False, True, True])


def _masked_logsumexp(x: Any) -> Any:
    return np.asarray(np.logaddexp.reduce(x[_KEPT]))


def _masked_logsumexp_right(inputs: Any, y: Any, g: Any) -> Any:
    return (g * np.exp(np.where(_KEPT, inputs[0], -np.inf) - y),)


def _masked_logsumexp_late(inputs: Any, y: Any, g: Any) -> Any:
    with np.errstate(over="ignore", invalid="ignore"):
        return (g * (np.exp(inputs[0] - y) * _KEPT),)


def _softplus_from_pieces(inputs: Any, y: Any, g: Any) -> Any:
    (x,) = inputs
    return (g * (np.heaviside(x, 0.0) - np.sign(x) / (1 + np.exp(np.abs(x)))),)


_erf = np.vectorize(math.erf, otypes=[float])


def _erf_right(inputs: Any, y: Any, g: Any) -> Any:
    return (g * 2 / math.sqrt(math.pi) * np.exp(-(inputs[0] ** 2)),)


def _sinc_right(inputs: Any, y: Any, g: Any) -> Any:
    (x,) = inputs
    far = np.where(np.abs(x) < 0.01, 1.0, x)
    near = -x * np.pi**2 * (1 / 3 - (np.pi * x) ** 2 / 30 + (np.pi * x) ** 4 / 840)
    return (g * np.where(np.abs(x) < 0.01, near, (np.cos(np.pi * far) - np.sinc(far)) / far),)


def _sinc_quotient(inputs: Any, y: Any, g: Any) -> Any:
    t = np.pi * inputs[0]
    return (g * (np.pi * np.cos(t) / t - np.pi * np.sin(t) * (1 / (t * t))),)


def _sinc_inputs(rng: np.random.Generator) -> Any:
    return (np.append(rng.uniform(0.3, 2.0, 3), 10.0 ** rng.uniform(-11, -10, 20)),)


def _logsigmoid_curvature(inputs: Any, y: Any, g: Any) -> Any:
    s = 1 / (1 + np.exp(-inputs[0]))
    return (-g * s * (1 - s),)


POINTS: tuple[Published, ...] = (
    Published(
        name="cumprod over a zero, divided",
        issue="Theano/Theano#5197",
        what="the gradient divides by the input, which is 0 / 0 where that is zero",
        label="not finite",
        f=np.cumprod,
        f_vjp=_cumprod_divided,
        right_vjp=_cumprod_right,
        inputs=lambda rng: (_one_zero(rng, 6),),
    ),
    Published(
        name="power of zero, in the exponent",
        issue="pytorch/pytorch#27134",
        what="at a base of zero the product of 0 and log(0) came out, where the derivative is 0",
        label="not finite",
        f=lambda b: _BASES**b,
        f_vjp=_pow_unguarded,
        right_vjp=_pow_right,
        inputs=lambda rng: (rng.uniform(1.0, 2.0, 4),),
    ),
    Published(
        name="logsumexp with large entries masked out",
        issue="jax-ml/jax#23842",
        what="a masked entry far above the others overflowed before the mask made a zero of it",
        label="not finite",
        f=_masked_logsumexp,
        f_vjp=_masked_logsumexp_late,
        right_vjp=_masked_logsumexp_right,
        inputs=lambda rng: (np.where(_KEPT, rng.standard_normal(4), 1000.0),),
    ),
    Published(
        name="cumprod over a zero, with 0 / 0 made 0",
        issue="tensorflow/tensorflow#119430",
        what="a division that gives 0 for 0 / 0 hid the derivative at the zero",
        label="single entry",
        f=np.cumprod,
        f_vjp=_cumprod_divided_or_zero,
        right_vjp=_cumprod_right,
        inputs=lambda rng: (_one_zero(rng, 6),),
    ),
    Published(
        name="softplus at zero",
        issue="jax-ml/jax#2107",
        what="differentiating max and abs apart gave 0 at zero, where both have kinks and their sum has none",
        label="single entry",
        f=lambda x: np.logaddexp(x, 0.0),
        f_vjp=_softplus_from_pieces,
        right_vjp=lambda inputs, y, g: (g / (1 + np.exp(-inputs[0])),),
        inputs=lambda rng: (_one_zero(rng, 5),),
    ),
    Published(
        name="erf at zero",
        issue="tinygrad/tinygrad#17861",
        what="erf as sign(x) times a function of abs(x) lost its slope at zero, where both have gradient 0",
        label="single entry",
        f=_erf,
        f_vjp=lambda inputs, y, g: (_erf_right(inputs, y, g)[0] * np.sign(inputs[0]) ** 2,),
        right_vjp=_erf_right,
        inputs=lambda rng: (_one_zero(rng, 2, 3),),
    ),
    Published(
        name="sinc close to zero",
        issue="jax-ml/jax#40629",
        what="the quotient rule subtracts two large numbers that agree in nearly all their digits",
        label="precision loss",
        f=np.sinc,
        f_vjp=_sinc_quotient,
        right_vjp=_sinc_right,
        inputs=_sinc_inputs,
    ),
    Published(
        name="logsigmoid of large numbers, twice",
        issue="pytorch/pytorch#195530",
        what="on the positive tail the curvature was rounded away, though its mirror image on the left was kept",
        label="precision loss",
        f=lambda x: 1 / (1 + np.exp(x)),
        f_vjp=_logsigmoid_curvature,
        right_vjp=lambda inputs, y, g: (-g * y * (1 - y),),
        inputs=lambda rng: (rng.uniform(33.0, 36.0, 5),),
        order=2,
    ),
)
