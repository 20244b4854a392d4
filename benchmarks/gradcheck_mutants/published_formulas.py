"""Published bugs of formulas: a sign, a term, a mask or a branch of the derivative was wrong."""

from __future__ import annotations

from typing import Any

import numpy as np

from .published_pair import Published


def _signed(rng: np.random.Generator, low: float, high: float, *shape: int) -> Any:
    """Numbers with magnitudes between `low` and `high`, of both signs whatever is drawn."""
    signs = np.where(np.arange(np.prod(shape)) % 2, -1.0, 1.0)
    return (rng.permutation(signs) * rng.uniform(low, high, signs.size)).reshape(shape)


_SEEN = np.array([0.3, -1.2, 0.8])


def _normal_logpdf(mean: Any, cov: Any) -> Any:
    d = _SEEN - mean
    return np.asarray(-0.5 * (d @ np.linalg.solve(cov, d) + np.linalg.slogdet(2 * np.pi * cov)[1]))


def _normal_logpdf_vjp(sign_of_cov: float) -> Any:
    def vjp(inputs: Any, y: Any, g: Any) -> Any:
        mean, cov = inputs
        d, inverse = _SEEN - mean, np.linalg.inv(cov)
        of_cov = 0.5 * (inverse.T @ np.outer(d, d) @ inverse.T - inverse.T)
        return g * 0.5 * (inverse + inverse.T) @ d, sign_of_cov * g * of_cov

    return vjp


def _normal_logpdf_inputs(rng: np.random.Generator) -> Any:
    root = rng.standard_normal((3, 3))
    return rng.standard_normal(3), root @ root.T + np.eye(3)


def _batch_norm(x: Any) -> Any:
    return (x - x.mean(0)) / np.sqrt(x.var(0) + 1e-5)


def _batch_norm_right(inputs: Any, y: Any, g: Any) -> Any:
    (x,) = inputs
    return ((g - g.mean(0) - y * (g * y).mean(0)) / np.sqrt(x.var(0) + 1e-5),)


def _product_of_others(x: Any, *left_out: int) -> float:
    return float(np.prod(np.delete(x, left_out)))


def _prod_gradient(x: Any) -> Any:
    return np.array([_product_of_others(x, i) for i in range(x.size)])


def _prod_hessian_times(inputs: Any, y: Any, g: Any) -> Any:
    (x,) = inputs
    pairs = [[0.0 if i == j else _product_of_others(x, i, j) for j in range(x.size)] for i in range(x.size)]
    return (np.array(pairs) @ g,)


def _prod_hessian_gives_up(inputs: Any, y: Any, g: Any) -> Any:
    several_zeros = np.count_nonzero(inputs[0]) < inputs[0].size - 1
    return (np.zeros_like(g),) if several_zeros else _prod_hessian_times(inputs, y, g)


def _sin_cubed_gradient(x: Any, v: Any) -> Any:
    return 3 * v * np.sin(x) ** 2 * np.cos(x)


def _unit_lower_solve(a: Any, b: Any) -> Any:
    return np.linalg.solve(np.tril(a, -1) + np.eye(len(a)), b)


def _unit_lower_solve_vjp(diagonal: int) -> Any:
    def vjp(inputs: Any, y: Any, g: Any) -> Any:
        a, _ = inputs
        of_b = np.linalg.solve((np.tril(a, -1) + np.eye(len(a))).T, g)
        return -np.tril(np.outer(of_b, y), diagonal), of_b

    return vjp


_TAKEN = np.array([1, 0, 1, 0, 1])

FORMULAS: tuple[Published, ...] = (
    Published(
        name="log-density of the multivariate normal",
        issue="HIPS/autograd#401",
        what="the gradient in the covariance had the opposite sign, while that in the mean was right",
        label="sign flipped",
        f=_normal_logpdf,
        f_vjp=_normal_logpdf_vjp(-1.0),
        right_vjp=_normal_logpdf_vjp(1.0),
        inputs=_normal_logpdf_inputs,
    ),
    Published(
        name="sum of equal constants",
        issue="tinygrad/tinygrad#9597",
        what="operands of equal value were taken for one node, and each got the gradients of both",
        label="factor",
        f=lambda a, b: a + b,
        f_vjp=lambda inputs, y, g: (2 * g, 2 * g) if np.array_equal(*inputs) else (g, g),
        right_vjp=lambda inputs, y, g: (g, g),
        inputs=lambda rng: (np.full((2, 3), 3.0), np.full((2, 3), 3.0)),
    ),
    Published(
        name="batch normalisation while training",
        issue="facebookresearch/CrypTen#143",
        what="mean and variance were treated as constants, though both depend on the input",
        label="missing path",
        f=_batch_norm,
        f_vjp=lambda inputs, y, g: (g / np.sqrt(inputs[0].var(0) + 1e-5),),
        right_vjp=_batch_norm_right,
        inputs=lambda rng: (rng.standard_normal((5, 3)),),
    ),
    Published(
        name="matrix times its own transpose",
        issue="NervanaSystems/neon#169",
        what="what reached the matrix through its transpose was not added to its gradient",
        label="missing path",
        f=lambda x: x @ x.T,
        f_vjp=lambda inputs, y, g: (g @ inputs[0],),
        right_vjp=lambda inputs, y, g: ((g + g.T) @ inputs[0],),
        inputs=lambda rng: (rng.standard_normal((3, 2)),),
    ),
    Published(
        name="prod of factors of which two are zero, twice",
        issue="pytorch/pytorch#106789",
        what="with two zeros the gradient was a constant zero, so nothing was left to differentiate again",
        label="missing path",
        f=_prod_gradient,
        f_vjp=_prod_hessian_gives_up,
        right_vjp=_prod_hessian_times,
        inputs=lambda rng: (rng.permutation(np.append(_signed(rng, 0.5, 2, 3), [0.0, 0.0])),),
        order=2,
    ),
    Published(
        name="custom function that keeps an intermediate, twice",
        issue="pytorch/pytorch#58509",
        what="an intermediate kept from the forward pass was a constant when the backward pass was differentiated",
        label="missing path",
        f=_sin_cubed_gradient,
        f_vjp=lambda inputs, y, g: (
            -3 * g * inputs[1] * np.sin(inputs[0]) ** 3,
            3 * g * np.sin(inputs[0]) ** 2 * np.cos(inputs[0]),
        ),
        right_vjp=lambda inputs, y, g: (
            3 * g * inputs[1] * (2 * np.sin(inputs[0]) * np.cos(inputs[0]) ** 2 - np.sin(inputs[0]) ** 3),
            3 * g * np.sin(inputs[0]) ** 2 * np.cos(inputs[0]),
        ),
        inputs=lambda rng: (_signed(rng, 0.3, 1.2, 5), rng.standard_normal(5)),
        order=2,
    ),
    Published(
        name="leaky relu of negative slope, in place",
        issue="pytorch/pytorch#31938",
        what="the branch was read off the result, whose sign says nothing about the input's if the slope is negative",
        label="wrong mask",
        f=lambda x: np.where(x > 0, x, -2 * x),
        f_vjp=lambda inputs, y, g: (np.where(y > 0, g, -2 * g),),
        right_vjp=lambda inputs, y, g: (np.where(inputs[0] > 0, g, -2 * g),),
        inputs=lambda rng: (_signed(rng, 0.2, 2, 6),),
    ),
    Published(
        name="where with a number as the other choice",
        issue="apache/mxnet#17893",
        what="the gradient went to the entries that were not chosen",
        label="wrong mask",
        f=lambda b: np.where(_TAKEN, b, -1.0),
        f_vjp=lambda inputs, y, g: (np.where(_TAKEN, 0.0, g),),
        right_vjp=lambda inputs, y, g: (np.where(_TAKEN, g, 0.0),),
        inputs=lambda rng: (rng.standard_normal(5),),
    ),
    Published(
        name="triangular solve with a diagonal taken as one",
        issue="pymc-devs/pytensor#1230",
        what="the diagonal, which the solver does not read, got a gradient",
        label="wrong mask",
        f=_unit_lower_solve,
        f_vjp=_unit_lower_solve_vjp(0),
        right_vjp=_unit_lower_solve_vjp(-1),
        inputs=lambda rng: (rng.standard_normal((4, 4)), rng.standard_normal(4)),
    ),
    Published(
        name="leaky relu left of zero",
        issue="pluskid/Mocha.jl#94",
        what="for negative inputs the value 0.01 x stood where its slope 0.01 belongs",
        label="wrong in a region",
        f=lambda x: np.where(x > 0, x, 0.01 * x),
        f_vjp=lambda inputs, y, g: (g * np.where(inputs[0] > 0, 1.0, 0.01 * inputs[0]),),
        right_vjp=lambda inputs, y, g: (g * np.where(inputs[0] > 0, 1.0, 0.01),),
        inputs=lambda rng: (_signed(rng, 0.2, 3, 8),),
    ),
    Published(
        name="copysign of negative numbers",
        issue="chalk-lab/Mooncake.jl#1195",
        what="the sign of the first argument was left out of the rule, which shows where that is negative",
        label="wrong in a region",
        f=np.copysign,
        f_vjp=lambda inputs, y, g: (g * np.sign(inputs[1]), np.zeros_like(g)),
        right_vjp=lambda inputs, y, g: (g * np.sign(inputs[0] * inputs[1]), np.zeros_like(g)),
        inputs=lambda rng: (_signed(rng, 0.2, 3, 8), _signed(rng, 0.2, 3, 8)),
    ),
)
