"""Reverse-mode differentiation of scalars in 80 lines: what every library like this one is at heart.

A value remembers what it was computed from, and, by a closure, how its gradient goes on to each of
these. Backward sorts the values so that each comes after all that use it, and calls the closures.
At the end the same network is written with tensorgrad, and the gradients are compared.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable

import tensorgrad as tg


class Value:
    """A number, its gradient, and how to hand the gradient on."""

    def __init__(
        self,
        data: float,
        parents: tuple[Value, ...] = (),
        pass_on: Callable[[float], tuple[float, ...]] = lambda g: (),
    ) -> None:
        self.data, self.grad = data, 0.0
        self.parents, self.pass_on = parents, pass_on

    def __add__(self, other: Value) -> Value:
        return Value(self.data + other.data, (self, other), lambda g: (g, g))

    def __mul__(self, other: Value) -> Value:
        return Value(self.data * other.data, (self, other), lambda g: (g * other.data, g * self.data))

    def tanh(self) -> Value:
        y = math.tanh(self.data)
        return Value(y, (self,), lambda g: (g * (1 - y * y),))

    def backward(self) -> None:
        order: list[Value] = []

        def visit(value: Value) -> None:
            if value not in order:
                for parent in value.parents:
                    visit(parent)
                order.append(value)

        visit(self)
        self.grad = 1.0
        for value in reversed(order):
            for parent, g in zip(value.parents, value.pass_on(value.grad), strict=True):
                parent.grad += g


def main() -> None:
    draw = random.Random(0).uniform
    inner = [[draw(-1, 1) for _ in range(3)] for _ in range(4)]  # 3 inputs, 4 hidden units
    outer, inputs = [draw(-1, 1) for _ in range(4)], [0.5, -1.0, 2.0]

    weights = [[Value(w) for w in row] for row in inner]
    out = Value(0.0)
    for row, v in zip(weights, outer, strict=True):
        hidden = Value(0.0)
        for w, x in zip(row, inputs, strict=True):
            hidden = hidden + w * Value(x)
        out = out + hidden.tanh() * Value(v)
    out.backward()

    tg.set_default_dtype("float64")
    w = tg.tensor(inner, requires_grad=True)
    y = tg.tanh(w @ tg.tensor(inputs)) @ tg.tensor(outer)
    y.backward()
    ours = [value.grad for row in weights for value in row]
    worst = max(abs(a - b) for a, b in zip(ours, w.grad.ravel().tolist(), strict=True))
    print(f"with closures    {out.data:.15f}\nwith tensorgrad  {y.item():.15f}")
    print(f"the {len(ours)} gradients differ by at most {worst:.0e}")


if __name__ == "__main__":
    main()
