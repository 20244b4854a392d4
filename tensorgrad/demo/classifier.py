"""A classifier of handwritten digits, written in nothing but tensor expressions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import cos, pi, sqrt
from typing import Any, NamedTuple

import numpy as np

import tensorgrad as tg
from tensorgrad.data import load_digits

PIXELS, HIDDEN, DIGITS = 64, 128, 10
BATCH = 32
Tensors = dict[str, tg.Tensor]


@dataclass(frozen=True)
class Examples:
    """Images as rows of 64 grey values from 0 to 1, float32, and the digit that each one shows."""

    images: np.ndarray[Any, Any]
    labels: np.ndarray[Any, Any]

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, which: Any) -> Examples:
        return Examples(self.images[which], self.labels[which])


class Epoch(NamedTuple):
    """What was measured after one pass over the training examples."""

    train_loss: float
    train_accuracy: float
    test_loss: float
    test_accuracy: float


def load(seed: int = 0) -> tuple[Examples, Examples]:
    """The UCI digits in random order: 1,437 to learn from, and 360 held out for the test."""
    images, labels = load_digits()
    rows = (images.reshape(-1, PIXELS) / 16).astype(np.float32)
    shuffled = Examples(rows, labels)[np.random.default_rng(seed).permutation(len(labels))]
    return shuffled[:1437], shuffled[1437:]


# ---- the model


def new_parameters(rng: np.random.Generator) -> Tensors:
    """Random weights, of a size that keeps the signal's (He et al., 2015), and biases of 0."""

    def normal(rows: int, columns: int) -> tg.Tensor:
        return tg.normal(0, sqrt(2 / rows), (rows, columns), generator=rng)

    start = {
        "w1": normal(PIXELS, HIDDEN),
        "b1": tg.zeros(HIDDEN),
        "w2": normal(HIDDEN, DIGITS),
        "b2": tg.zeros(DIGITS),
    }
    return {name: tg.nn.Parameter(value) for name, value in start.items()}


def scores(params: Tensors, images: Any) -> tg.Tensor:
    """One score for each digit: 64 pixels, 128 hidden units, 10 scores."""
    hidden: tg.Tensor = tg.relu(images @ params["w1"] + params["b1"])
    return hidden @ params["w2"] + params["b2"]


def cross_entropy(scores: tg.Tensor, labels: Any) -> tg.Tensor:
    """How surprising the right answers are to the model: the mean of -log(probability)."""
    chosen = tg.take_along_axis(tg.log_softmax(scores), labels[:, None])
    loss: tg.Tensor = -chosen.mean()
    return loss


def step(params: Tensors, momentum: Tensors, images: Any, labels: Any, rate: float) -> tg.Tensor:
    """One step of gradient descent with momentum; returns the loss before it."""
    loss = cross_entropy(scores(params, images), labels)
    for parameter in params.values():
        parameter.grad = None
    loss.backward()
    with tg.no_grad():
        for name, parameter in params.items():
            momentum[name] *= 0.9
            momentum[name] += parameter.grad
            parameter -= rate * momentum[name]
    return loss


# ---- learning


def train(
    data: Examples,
    held_out: Examples,
    noise: float,
    epochs: int = 60,
    report: Callable[[int, int, Epoch], None] = lambda epoch, epochs, measured: None,
) -> tuple[Tensors, list[Epoch]]:
    """Learn from ``data`` and measure, after each epoch, how that helps with ``held_out``.

    Args:
        data: what to learn from.
        held_out: examples that are looked at only to measure.
        noise: standard deviation of the grey noise that each image gets, new in each epoch.
        epochs: how often to go through ``data``.
        report: called after each epoch as ``report(epoch, epochs, measured)``.

    Returns:
        The parameters, and what was measured after each epoch.
    """
    rng = np.random.default_rng(1)
    params = new_parameters(rng)
    momentum = {name: tg.zeros_like(parameter) for name, parameter in params.items()}
    history = []
    for epoch in range(epochs):
        rate = 0.05 * (1 + cos(pi * epoch / epochs))  # falls from 0.1 to 0
        for rows in np.array_split(rng.permutation(len(data)), len(data) // BATCH):
            batch = data[rows]
            noisy = batch.images + noise * tg.normal(size=batch.images.shape, generator=rng)
            step(params, momentum, noisy, batch.labels, rate)
        history.append(Epoch(*measure(params, data), *measure(params, held_out)))
        report(epoch + 1, epochs, history[-1])
    return params, history


@tg.no_grad()
def measure(params: Tensors, examples: Examples) -> tuple[float, float]:
    """The loss, and the share of examples that are recognised."""
    found = scores(params, examples.images)
    right = found.argmax(axis=-1) == examples.labels
    return cross_entropy(found, examples.labels).item(), right.mean().item()


def validate(data: Examples, noise: float, epochs: int = 30) -> float:
    """The accuracy on a fifth of ``data`` after learning from the other four: to choose ``noise`` by.

    The test examples have no part in it, so what they measure later is not flattered by the choice.
    """
    cut = len(data) * 4 // 5
    _, history = train(data[:cut], data[cut:], noise, epochs)
    return history[-1].test_accuracy
