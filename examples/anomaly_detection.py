"""Find what does not belong: an autoencoder that saw only one kind of digit.

Shows learning without labels: the network squeezes a picture through 8 numbers and draws it anew. It learned to do
so for one digit only, so it draws others badly, and the error tells them apart.

    python examples/anomaly_detection.py

prints an area under the ROC curve of 0.998 after 4 seconds, and writes anomaly_detection.svg.
"""

from __future__ import annotations

import sys

import numpy as np

import tensorgrad as tg
from tensorgrad import nn

NORMAL = 3


def main(small: bool = False) -> None:
    tg.manual_seed(0)
    images, labels = tg.data.load_digits()
    x = images.reshape(-1, 64).astype(np.float32) / 16
    known, held_out = tg.data.train_test_split(x[labels == NORMAL], test_size=60, generator=0)
    mixed = np.concatenate([held_out, x[labels != NORMAL]])  # what comes in later: mostly strangers
    kinds = np.concatenate([np.full(len(held_out), NORMAL), labels[labels != NORMAL]])

    model = nn.Sequential(
        nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 8),
        nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 64), nn.Sigmoid(),
    )  # fmt: skip
    history = tg.fit(
        model,
        (known, known),  # the target is the input itself
        loss=nn.MSELoss(),
        optimizer=tg.optim.Adam(model.parameters(), lr=3e-3),
        epochs=20 if small else 400,
        batch_size=16,
        seed=0,
    )
    print(f"squared error a pixel: {history['loss'][0]:.4f} at first, {history.last('loss'):.4f} in the end")

    drawn = tg.predict(model, mixed).numpy()
    error = ((drawn - mixed) ** 2).mean(axis=1)
    for kind in range(10):
        mine = error[kinds == kind]
        note = "known, new pictures" if kind == NORMAL else "never seen"
        print(f"digit {kind}: mean error {mine.mean():.4f}  ({note})")
    auc = tg.metrics.roc_auc(error, (kinds != NORMAL).astype(int))
    print(f"area under the ROC curve of 'the error is large, so it is no {NORMAL}': {auc:.4f}")

    order = np.argsort(error)
    shown = np.concatenate([order[:4], order[len(order) // 2 :][:4], order[-4:]])
    pairs = np.stack([mixed[shown], drawn[shown]], axis=1).reshape(-1, 8, 8)
    captions = [text for i in shown for text in (f"a {kinds[i]}", f"drawn anew\noff by {error[i]:.3f}")]
    tg.viz.image_sheet(
        pairs, captions, title=f"Only {NORMAL}s were learned: the least, middle and largest errors"
    ).save("anomaly_detection.svg")


if __name__ == "__main__":
    main(small="--small" in sys.argv)
