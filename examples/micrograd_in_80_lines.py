"""Reverse-mode differentiation of scalars in 80 lines: what every library like this one is at heart.

A value remembers which values it was computed from, and by a closure how to hand its gradient on to
them. Backward sorts the values so that each comes after all that use it, and calls the closures. At
the end the same network is written with tensorgrad, and the gradients are compared.
"""

from __future__ import annotations

import math
import random

import tensorgrad as tg


class Value:
    """A number, its gradient, and how to pass the gradient on."""

    def __init__(self, data: float, parents: tuple[Value, ...] = ()) -> None:
        self.data = data
        self.grad = 0.0
        self.parents = parents
        self.pass_on = lambda: None

    def __add__(self, other: Value | float) -> Value:
        other = other if isinstance(other, Value) else Value(other)
        out = Value(self.data + other.data, (self, other))

        def pass_on() -> None:
            self.grad += out.grad
            other.grad += out.grad

        out.pass_on = pass_on
        return out

    def __mul__(self, other: Value | float) -> Value:
        other = other if isinstance(other, Value) else Value(other)
        out = Value(self.data * other.data, (self, other))

        def pass_on() -> None:
            self.grad += other.data * out.grad
            other.grad += self.data * out.grad

        out.pass_on = pass_on
        return out

    def tanh(self) -> Value:
        out = Value(math.tanh(self.data), (self,))

        def pass_on() -> None:
            self.grad += (1 - out.data**2) * out.grad

        out.pass_on = pass_on
        return out

    def backward(self) -> None:
        order: list[Value] = []
        seen: set[int] = set()

        def visit(value: Value) -> None:
            if id(value) not in seen:
                seen.add(id(value))
                for parent in value.parents:
                    visit(parent)
                order.append(value)

        visit(self)
        self.grad = 1.0
        for value in reversed(order):
            value.pass_on()


def main() -> None:
    draw = random.Random(0).uniform
    weights = [[draw(-1, 1) for _ in range(3)] for _ in range(4)]  # 3 inputs, 4 hidden units, 1 output
    outer, inputs = [draw(-1, 1) for _ in range(4)], [0.5, -1.0, 2.0]

    ws, vs = [[Value(w) for w in row] for row in weights], [Value(v) for v in outer]
    out = Value(0.0)
    for row, v in zip(ws, vs, strict=True):
        hidden = Value(0.0)
        for w, x in zip(row, inputs, strict=True):
            hidden = hidden + w * x
        out = out + v * hidden.tanh()
    out.backward()

    w = tg.tensor(weights, dtype="float64", requires_grad=True)
    y = tg.tensor(outer, dtype="float64") @ tg.tanh(w @ tg.tensor(inputs, dtype="float64"))
    y.backward()
    print(f"the network gives     {out.data:.12f}  with closures")
    print(f"                      {y.item():.12f}  with tensorgrad")
    worst = max(abs(a.grad - b) for row, g in zip(ws, w.grad.tolist(), strict=True) for a, b in zip(row, g, strict=True))
    print(f"its 12 gradients agree to {worst:.1e}")
    assert worst < 1e-12


if __name__ == "__main__":
    main()
