"""Fit a line by gradient descent, and compare with the solution of the normal equations."""

from __future__ import annotations

import numpy as np

import tensorgrad as tg


def main() -> None:
    generator = np.random.default_rng(0)
    x = generator.normal(size=(200, 3))
    y = x @ np.array([2.0, -1.0, 0.5]) + 3.0 + 0.1 * generator.normal(size=200)

    weight = tg.tensor(np.zeros(3), requires_grad=True)
    bias = tg.tensor(np.zeros(()), requires_grad=True)
    for step in range(101):
        loss = ((x @ weight + bias - y) ** 2).mean()
        loss.backward()
        with tg.no_grad():
            for p in (weight, bias):
                p -= 0.1 * p.grad
                p.grad = None
        if step in (0, 5, 10, 20, 50, 100):
            print(f"step {step:3}  loss {loss.item():.6f}")

    columns = np.column_stack([x, np.ones(200)])
    exact = np.linalg.lstsq(columns, y, rcond=None)[0]
    print("weight", np.round(weight.numpy(), 4), " bias", round(bias.item(), 4))
    print("exact ", np.round(exact[:3], 4), "     ", round(float(exact[3]), 4))
    assert np.allclose([*weight.tolist(), bias.item()], exact, atol=1e-4)


if __name__ == "__main__":
    main()
