"""What the demo shows: the graph of a training step, the learning curve, and the hardest digits."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

import tensorgrad as tg
from tensorgrad.ir import Graph
from tensorgrad.viz import Chart, graph_svg, image_grid, panels

from .classifier import BATCH, Epoch, Examples, Tensors, new_parameters, scores, step


def training_step(examples: Examples) -> Graph:
    """The recorded program of one step of a new model: forward, backward and update."""
    params = new_parameters(np.random.default_rng(0))
    momentum = {name: tg.zeros_like(parameter) for name, parameter in params.items()}
    batch = examples[:BATCH]

    def one_step(images: tg.Tensor, labels: tg.Tensor) -> tg.Tensor:
        return step(params, momentum, images, labels, rate=0.1)

    return tg.trace(one_step, batch.images, batch.labels, names={**params, "momentum": momentum})


def step_picture(graph: Graph) -> str:
    """That program as an SVG picture."""
    return graph_svg(graph, title="One training step: forward, backward and update")


def learning_curve(history: Sequence[Epoch]) -> str:
    """Loss and accuracy after each epoch as an SVG picture."""
    epochs = range(1, len(history) + 1)
    train_loss, train_accuracy, test_loss, test_accuracy = zip(*history, strict=True)
    loss = {"training": (epochs, train_loss), "test": (epochs, test_loss)}
    accuracy = {"training": (epochs, train_accuracy), "test": (epochs, test_accuracy)}
    return panels(
        [
            Chart(loss, title="Loss", x_label="epoch", y_label="cross-entropy, nats"),
            Chart(accuracy, title="Accuracy", x_label="epoch", y_label="digits read rightly", y_format=".1%"),
        ],
        title="Learning curve",
    )


def hardest_digits(params: Tensors, examples: Examples, count: int = 24) -> str:
    """An HTML page of the digits that were misread, and after them the ones that nearly were."""
    with tg.no_grad():
        chances = tg.softmax(scores(params, examples.images)).numpy()
    read, sure = chances.argmax(axis=1), chances.max(axis=1)
    wrong = np.flatnonzero(read != examples.labels)
    right = np.flatnonzero(read == examples.labels)
    unsure = right[np.argsort(sure[right])]
    shown = np.concatenate([wrong, unsure])[: max(count, len(wrong))]
    captions = [
        f"{label} read as {guess}" if label != guess else f"{label} ({chance:.0%} sure)"
        for label, guess, chance in zip(examples.labels[shown], read[shown], sure[shown], strict=True)
    ]
    return image_grid(
        1 - examples.images[shown].reshape(-1, 8, 8),  # ink is dark
        captions,
        title=f"{len(wrong)} of {len(examples)} digits misread",
        note="The misread ones come first; after them those that were read rightly with the least certainty.",
    )
