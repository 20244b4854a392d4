"""Recipes for image classifiers: the models, and how they are trained, of ``python -m tensorgrad train``.

The settings of ``mlp`` were compared on a held-out part of the training images of Fashion-MNIST. ``cnn`` is the one of its
size that was tried on the test images, once, with seed 0, and was taken as it stood.
``book`` is the configuration of the book and notebooks that this library grew out of.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from .. import nn, optim
from .._creation import zeros

Shape = tuple[int, int, int]


@dataclass(frozen=True)
class Recipe:
    """How a classifier of images is made and trained.

    Attributes:
        describe: in a line, for people.
        model: makes it, for images of a shape (channels, height, width) and so many classes.
        optimizer: makes it, for parameters and a learning rate.
        lr: the learning rate, the greatest where there is a schedule.
        epochs: how often the data is gone through.
        batch_size: examples in a batch.
        schedule: makes it, for an optimizer, the learning rate and the number of steps; it steps with each update.
        label_smoothing: of the cross-entropy.
        flip: whether images are mirrored at random, where the data allows it.
        average: the decay of the averaged weights; None for none.
        shuffle: of the training data.
        symmetric: pixels from -1 to 1, instead of mean 0 and standard deviation 1.
    """

    describe: str
    model: Callable[[Shape, int, np.random.Generator], nn.Module]
    optimizer: Callable[[Any, float], Any]
    lr: float
    epochs: int
    batch_size: int = 128
    schedule: Callable[[Any, float, int], Any] | None = None
    label_smoothing: float = 0.0
    flip: bool = False
    average: float | None = None
    shuffle: bool | Literal["once"] = True
    symmetric: bool = False


def mlp(shape: Shape, classes: int, generator: np.random.Generator) -> nn.Module:
    """Two hidden layers of 1,024 and 512 with batch norm and dropout."""
    size = shape[0] * shape[1] * shape[2]
    model = nn.Sequential(
        nn.Flatten(),
        nn.Linear(size, 1024, generator=generator), nn.BatchNorm1d(1024), nn.ReLU(), nn.Dropout(0.2, generator=generator),
        nn.Linear(1024, 512, generator=generator), nn.BatchNorm1d(512), nn.ReLU(), nn.Dropout(0.2, generator=generator),
        nn.Linear(512, classes, generator=generator),
    )  # fmt: skip
    return _kaiming(model, generator)


def cnn(shape: Shape, classes: int, generator: np.random.Generator) -> nn.Module:
    """Four convolutions of 3x3, the first three with pooling, and a linear layer."""
    channels, height, width = shape
    layers: list[nn.Module] = []
    for filters, pool in ((24, True), (48, True), (96, True), (192, False)):
        layers.append(nn.Conv2d(channels, filters, 3, padding=1, bias=False, generator=generator))
        layers += [nn.MaxPool2d(2)] if pool else []
        layers += [nn.BatchNorm2d(filters), nn.ReLU()]
        channels = filters
        if pool:
            height, width = height // 2, width // 2
    model = nn.Sequential(
        *layers, nn.Flatten(), nn.Dropout(0.3, generator=generator),
        nn.Linear(channels * height * width, classes, generator=generator),
    )  # fmt: skip
    return _kaiming(model, generator)


def book(shape: Shape, classes: int, generator: np.random.Generator) -> nn.Module:
    """Two hidden layers of 128, weights 0.01 times normal, biases 0."""
    size = shape[0] * shape[1] * shape[2]
    layers: list[nn.Module] = [nn.Flatten()]
    for inputs, outputs in ((size, 128), (128, 128), (128, classes)):
        layer = nn.Linear(inputs, outputs)
        nn.init.small_normal_(layer.weight, generator=generator)
        layer.bias = nn.Parameter(zeros(outputs))
        layers += [layer, nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def _one_cycle(optimizer: Any, lr: float, steps: int) -> Any:
    return optim.lr_scheduler.OneCycleLR(
        optimizer, lr, total_steps=steps, pct_start=0.3, cycle_momentum=False
    )


def _adamw(decay: float) -> Callable[[Any, float], Any]:
    """AdamW that lets weights decay, but neither biases nor what batch norm learns."""

    def make(params: Any, lr: float) -> Any:
        params = list(params)
        weights = {"params": [p for p in params if p.ndim > 1], "weight_decay": decay}
        return optim.AdamW(
            [weights, {"params": [p for p in params if p.ndim < 2], "weight_decay": 0.0}], lr=lr
        )

    return make


def _kaiming(model: nn.Module, generator: np.random.Generator) -> nn.Module:
    """Weights that keep the variance through ReLU; the last layer stays as it was."""
    for weight in [p for p in model.parameters() if p.ndim > 1][:-1]:
        nn.init.kaiming_normal_(weight, nonlinearity="relu", generator=generator)
    return model


RECIPES = {
    "mlp": Recipe(
        "hidden layers of 1,024 and 512 with batch norm and dropout, AdamW, one cycle", mlp, _adamw(0.05), 4e-3, 30,
        schedule=_one_cycle, label_smoothing=0.1, flip=True,
    ),
    "cnn": Recipe(
        "4 convolutions of 24, 48, 96 and 192 filters with batch norm, AdamW, one cycle", cnn, _adamw(0.05), 5e-3, 12,
        schedule=_one_cycle, label_smoothing=0.1, flip=True,
    ),
    "book": Recipe(
        "hidden layers of 128 and 128, Adam with decay 1e-3, as the sources", book,
        lambda params, lr: optim.book.Adam(params, lr=lr, decay=1e-3), 1e-3, 10,
        shuffle="once", symmetric=True,
    ),
}  # fmt: skip
