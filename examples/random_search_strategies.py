"""Why gradients: three ways to find the weights of the same small network.

1. Draw all weights at random, many times, and keep the best.
2. Change the best weights a little at random, and keep the change if the loss falls.
3. Follow the gradient.

Shows them on clouds that stand side by side, which 2 can do, and on a spiral, where it stalls; with more neurons
there is more to try out at random, and only 3 gains by them. Arrays in, arrays out: the functions of the library
need no tensors where no gradient is wanted.

    python examples/random_search_strategies.py

prints for the large network on the spiral accuracies of 0.380, 0.413 and 0.897, after one minute of processor time.
"""

from __future__ import annotations

import sys

import numpy as np

import tensorgrad as tg
from tensorgrad import nn


def scores(weights, x):
    w1, b1, w2, b2 = weights
    return tg.relu(x @ w1 + b1) @ w2 + b2


def loss(weights, x, y):
    return nn.functional.cross_entropy(scores(weights, x), y)


def draw(generator: np.random.Generator, hidden: int) -> list[np.ndarray]:
    """Weights and biases of two layers: 2 inputs, so many hidden neurons, 3 classes."""
    shapes = ((2, hidden), (1, hidden), (hidden, 3), (1, 3))
    return [0.05 * generator.standard_normal(shape, dtype=np.float32) for shape in shapes]


def random_weights(x, y, hidden: int, tries: int):
    generator = np.random.default_rng(0)
    return min((draw(generator, hidden) for _ in range(tries)), key=lambda weights: loss(weights, x, y))


def random_changes(x, y, hidden: int, tries: int):
    generator = np.random.default_rng(0)
    best = draw(generator, hidden)
    least = loss(best, x, y)
    for _ in range(tries):
        tried = [w + change for w, change in zip(best, draw(generator, hidden), strict=True)]
        found = loss(tried, x, y)
        if found < least:
            best, least = tried, found
    return best


def gradients(x, y, hidden: int, tries: int):
    weights = [nn.Parameter(w) for w in draw(np.random.default_rng(0), hidden)]
    optimizer = tg.optim.Adam(weights, lr=0.02)
    for _ in range(tries):
        optimizer.zero_grad()
        loss(weights, x, y).backward()
        optimizer.step()
    return [w.detach().numpy() for w in weights]


def main(small: bool = False) -> None:
    share = 0.002 if small else 1
    print(f"chance is an accuracy of 0.333 and a loss of {np.log(3):.3f}")
    for data, hidden in ((tg.data.vertical_data, 3), (tg.data.spiral_data, 3), (tg.data.spiral_data, 64)):
        x, y = data(100, 3, seed=0, dtype=np.float32)
        print(f"{data.__name__}, {hidden} hidden neurons")
        for strategy, tries in ((random_weights, 100_000), (random_changes, 10_000), (gradients, 1_000)):
            tries = max(int(share * tries), 10)
            best = strategy(x, y, hidden, tries)
            accuracy = tg.metrics.accuracy(scores(best, x), y)
            print(
                f"  {strategy.__name__:15} {tries:7,} tries: accuracy {accuracy:.3f}, loss {loss(best, x, y):.3f}"
            )


if __name__ == "__main__":
    main(small="--small" in sys.argv)
