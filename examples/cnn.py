"""A small convolutional network for Fashion-MNIST, and a picture of the filters that it found.

Shows images as (batch, channels, height, width), convolution, pooling and batch norm, a one-cycle learning rate that
changes with each step, and weights saved to a file and read back.

    python examples/cnn.py              # downloads Fashion-MNIST (30 MB) if it is missing
    python examples/cnn.py --small      # the digits that come with the library

prints a test accuracy of 90.8 % after 3 epochs, 2 minutes of processor time, and writes cnn.svg.
"""

from __future__ import annotations

import sys

import tensorgrad as tg
from tensorgrad import nn

EPOCHS, BATCH = 3, 64


def block(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 5, padding=2, bias=False),
        nn.MaxPool2d(2),
        nn.BatchNorm2d(outputs),
        nn.ReLU(),
    )


def data(small: bool):
    """Images for training and testing as floats with mean 0 and standard deviation 1, and their labels."""
    if small:
        images, labels = tg.data.load_digits()
        (x, y), (x_test, y_test) = (images[:600], labels[:600]), (images[1500:], labels[1500:])
    else:
        (x, y), (x_test, y_test), _ = tg.data.load_fashion_mnist(download=True)
    mean, std = tg.data.transforms.mean_std(x)
    x, x_test = (tg.data.transforms.normalise(part[:, None], mean, std) for part in (x, x_test))
    return (x, y), (x_test, y_test)


def main(small: bool = False) -> None:
    tg.manual_seed(0)
    train, test = data(small)
    side = train[0].shape[-1]
    model = nn.Sequential(
        block(1, 16), block(16, 32), nn.Flatten(), nn.Dropout(0.25), nn.Linear(32 * (side // 4) ** 2, 10)
    )
    print(nn.summary(model, train[0][:1]))

    epochs = 1 if small else EPOCHS
    steps = epochs * -(-len(train[0]) // BATCH)
    optimizer = tg.optim.AdamW(model.parameters(), lr=5e-3, weight_decay=0.05)
    tg.fit(
        model,
        train,
        loss=nn.CrossEntropyLoss(),
        optimizer=optimizer,
        schedule=tg.optim.lr_scheduler.OneCycleLR(optimizer, 5e-3, total_steps=steps),
        schedule_each="step",
        epochs=epochs,
        batch_size=BATCH,
        seed=0,
        metrics={"accuracy": tg.metrics.Accuracy()},
        callbacks=[tg.training.Progress(stream=sys.stdout)],
    )

    tg.save(model, "cnn.safetensors")
    model.load_state_dict(tg.load("cnn.safetensors"))
    measured = tg.evaluate(model, test, nn.CrossEntropyLoss(), {"accuracy": tg.metrics.Accuracy()})
    print(f"test accuracy {measured['accuracy']:.2%}, loss {measured['loss']:.3f}")
    tg.viz.filter_sheet(model[0][0].weight, title="The 16 filters of the first layer").save("cnn.svg")


if __name__ == "__main__":
    main(small="--small" in sys.argv)
