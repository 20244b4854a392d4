"""Fit a curve to noisy measurements of a sine: regression.

Shows what changes against classification: the loss is the mean squared error, the metrics are R2 and the mean
absolute error, and the target is put on a common scale for training, then back again.

    python examples/regression.py

prints an R2 of 0.922 on test points, off by 0.83 where the noise alone is off by 0.80, after 3 seconds, and writes
regression.svg.
"""

from __future__ import annotations

import sys

import numpy as np

import tensorgrad as tg
from tensorgrad import nn


def main(small: bool = False) -> None:
    tg.manual_seed(0)
    x, clean = tg.data.sine_data(400)
    draw = np.random.default_rng(0)
    y = 20 + 5 * clean + draw.normal(size=clean.shape)  # a day's temperature, say: 20 degrees, 5 up and down
    x, y = x.astype(np.float32), y.astype(np.float32)
    x_train, x_test, y_train, y_test = tg.data.train_test_split(x, y, test_size=100, generator=0)
    inputs, target = tg.data.StandardScaler().fit(x_train), tg.data.StandardScaler().fit(y_train)

    model = nn.Sequential(nn.Linear(1, 64), nn.Tanh(), nn.Linear(64, 64), nn.Tanh(), nn.Linear(64, 1))
    optimizer = tg.optim.Adam(model.parameters(), lr=5e-3)
    epochs = 20 if small else 200
    history = tg.fit(
        model,
        (inputs.transform(x_train), target.transform(y_train)),
        loss=nn.MSELoss(),
        optimizer=optimizer,
        schedule=tg.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs),
        epochs=epochs,
        seed=0,
        metrics={"r2": tg.metrics.R2()},
    )
    print(f"training: R2 {history['r2'][0]:.3f} in the first epoch, {history.last('r2'):.3f} in the last")

    def predict(x):
        return target.inverse_transform(tg.predict(model, inputs.transform(x))).numpy()

    found = predict(x_test)
    print(f"test: R2 {tg.metrics.r2_score(found, y_test):.3f}")
    error = tg.metrics.mean_absolute_error(found, y_test)
    print(f"test: off by {error:.2f} degrees on average; the noise alone is off by {np.sqrt(2 / np.pi):.2f}")

    grid = np.linspace(0, 1, 400, dtype=np.float32)[:, None]
    points = np.concatenate([np.hstack([x_train, y_train]), np.hstack([grid, predict(grid)])])
    tg.viz.scatter_chart(
        points, [0] * len(x_train) + [1] * len(grid), names=["measured", "model"],
        title="A sine from noisy measurements", x_label="day", y_label="temperature",
    ).save("regression.svg")  # fmt: skip


if __name__ == "__main__":
    main(small="--small" in sys.argv)
