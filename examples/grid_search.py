"""Choose hyper-parameters: every combination of a grid, each measured by cross-validation.

Shows what scikit-learn's GridSearchCV does, in plain Python: `tg.data.kfold` cuts the training data so that each
part is the validation data once, the best combination by the mean over the parts is trained again on all of it,
and only then the test data is looked at, once.

    python examples/grid_search.py

prints the twelve combinations from 97.3 % to 74.7 %, and a test accuracy of 98.9 %, after 22 seconds.
"""

from __future__ import annotations

import itertools
import sys

import numpy as np

import tensorgrad as tg
from tensorgrad import nn

GRID = {"lr": (3e-4, 3e-3, 3e-2), "hidden": (16, 64), "dropout": (0.0, 0.3)}


def trained(x, y, epochs: int, lr: float, hidden: int, dropout: float) -> nn.Module:
    """A model with these settings, fitted to this data."""
    tg.manual_seed(0)
    model = nn.Sequential(nn.Linear(64, hidden), nn.ReLU(), nn.Dropout(dropout), nn.Linear(hidden, 10))
    optimizer = tg.optim.Adam(model.parameters(), lr=lr)
    tg.fit(
        model, (x, y), loss=nn.CrossEntropyLoss(), optimizer=optimizer, epochs=epochs, batch_size=64, seed=0
    )
    return model


def accuracy(model: nn.Module, x, y) -> float:
    return tg.metrics.accuracy(tg.predict(model, x), y)


def search(x, y, grid: dict[str, tuple], folds: int, epochs: int) -> list[tuple[dict, np.ndarray]]:
    """Each combination and its accuracy in each fold, the best mean first."""
    parts = tg.data.kfold(len(x), folds, stratify=y, generator=0)
    found = []
    for values in itertools.product(*grid.values()):
        settings = dict(zip(grid, values, strict=True))
        marks = [
            accuracy(trained(x[train], y[train], epochs, **settings), x[held], y[held])
            for train, held in parts
        ]
        found.append((settings, np.array(marks)))
    return sorted(found, key=lambda one: -one[1].mean())


def main(small: bool = False) -> None:
    images, labels = tg.data.load_digits()
    x = images.reshape(-1, 64).astype(np.float32) / 16
    x, x_test, y, y_test = tg.data.train_test_split(x, labels, test_size=360, stratify=labels, generator=0)
    grid = {**GRID, "hidden": (16,), "dropout": (0.0,)} if small else GRID
    folds, epochs = (2, 2) if small else (5, 20)

    found = search(x, y, grid, folds, epochs)
    print("  ".join(f"{name:>8}" for name in grid), " accuracy (mean and deviation over folds)")
    for settings, marks in found:
        print(
            "  ".join(f"{value:8g}" for value in settings.values()),
            f" {marks.mean():.4f} +- {marks.std():.4f}",
        )
    best = found[0][0]
    measured = accuracy(trained(x, y, epochs, **best), x_test, y_test)
    print(f"best: {best}; trained on all training data it has a test accuracy of {measured:.1%}")


if __name__ == "__main__":
    main(small="--small" in sys.argv)
