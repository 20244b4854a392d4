"""Make the pictures of docs/training.md; run it from the repository root.

They are drawn from a run of a few seconds on the digits, with seeds, so that they come out the same on the same machine.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

import tensorgrad as tg
from tensorgrad import data, metrics, nn
from tensorgrad.training import lr_range_test
from tensorgrad.viz import confusion_chart

TARGET = Path(__file__).resolve().parents[1] / "docs" / "images"


def main() -> None:
    images, labels = data.load_digits()
    x = (images.reshape(-1, 64) / 16).astype(np.float32)
    x, x_test, y, y_test = data.train_test_split(x, labels, test_size=0.2, stratify=labels, generator=0)
    draws = np.random.default_rng(0)
    model = nn.Sequential(nn.Linear(64, 32, generator=draws), nn.ReLU(), nn.Linear(32, 10, generator=draws))
    loss, optimizer = nn.CrossEntropyLoss(), tg.optim.Adam(model.parameters(), lr=0.01)

    found = lr_range_test(model, (x, y), loss, optimizer, start=1e-4, steps=100, batch_size=64)
    found.chart().save(TARGET / "learning-rate.svg")
    history = tg.fit(
        model, (x, y), loss=loss, optimizer=optimizer, epochs=12, batch_size=64, seed=0,
        validation=(x_test, y_test), metrics={"accuracy": metrics.Accuracy()},
    )  # fmt: skip
    history.plot().save(TARGET / "learning-curves.svg")
    confusions = metrics.confusion_matrix(tg.predict(model, x_test), y_test)
    confusion_chart(confusions, [str(k) for k in range(10)]).save(TARGET / "confusion.svg")


if __name__ == "__main__":
    main()
