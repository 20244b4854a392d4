"""Ops of your own, in three ways, each checked against finite differences.

A card is for an op with a formula for each input; `custom_vjp` for a whole function with a backward
pass; `Function` for code that comes from PyTorch. All of them work in every transformation.
"""

from __future__ import annotations

import numpy as np

import tensorgrad as tg


@tg.elementwise
def softsign(x):
    """Written with NumPy: x / (1 + |x|)."""
    return x / (1 + np.abs(x))


softsign.derivative(
    x=lambda x: 1 / (1 + tg.abs(x)) ** 2
)  # written with tensorgrad: so it has a derivative too


@tg.custom_vjp
def softplus(x):
    """log(1 + exp(x)), without overflow."""
    return tg.maximum(x, 0.0) + tg.log(1 + tg.exp(-tg.abs(x)))


# The forward returns the result and what the backward needs; the derivative is simpler than the function.
softplus.defvjp(
    lambda x: (softplus.f(x), x),
    lambda x, g: (g * tg.sigmoid(x),),
)


class Cube(tg.Function):
    """The protocol of PyTorch."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x**3

    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        return 3 * x * x * g


def worst_error(f, x, h=1e-6):
    """The largest difference between the gradient of sum(f) and central differences."""
    found = tg.grad(lambda x: f(x).sum())(x)
    steps = h * np.eye(len(x))
    differences = [(f(tg.tensor(x + s)).sum() - f(tg.tensor(x - s)).sum()).item() / (2 * h) for s in steps]
    return np.abs(found - differences).max()


def main() -> None:
    x = np.array([-1.5, -0.3, 0.4, 2.0])
    for name, f in (("softsign", softsign), ("softplus", softplus), ("Cube", Cube.apply)):
        first = worst_error(f, x)
        second = worst_error(lambda x, f=f: tg.grad(lambda y: (f(y) ** 2).sum())(x), x)
        tangent = tg.jvp(f, (x,), (np.ones(4),))[1]
        rows = tg.vmap(tg.grad(f))(x)
        agree = np.allclose(np.asarray(tangent), rows)
        print(
            f"{name:8} first order off by {first:.0e}, second by {second:.0e}, jvp equals vmap(grad): {agree}"
        )
        assert first < 1e-8 and second < 1e-7 and agree


if __name__ == "__main__":
    main()
