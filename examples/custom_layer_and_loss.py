"""An activation, a layer and a loss of your own, each checked before it is used.

Shows that a function of tensors is all that an activation or a loss has to be, that a layer is a class with
parameters and `forward`, and that `tg.testing.check` compares their derivatives with numeric ones. The loss is that
of quantiles: with it a network says between which bounds a value will lie, not only where in the middle.

    python examples/custom_layer_and_loss.py

prints that 10, 47 and 84 % of new values lie below the lines for 10, 50 and 90 %, after 7 seconds.
"""

from __future__ import annotations

import sys

import numpy as np

import tensorgrad as tg
from tensorgrad import nn

QUANTILES = np.array([0.1, 0.5, 0.9], np.float32)


def snake(x, a=1.0):
    """X + sin(a x)**2 / a: rises as x does, in waves. Source: Ziyin, Hartwig and Ueda, 2020."""
    return x + tg.sin(a * x) ** 2 / a


class Snake(nn.Module):
    """The function as a layer, with a parameter for the length of the waves."""

    def __init__(self) -> None:
        self.a = nn.Parameter(1.0)

    def forward(self, x):
        return snake(x, self.a)


class Ordered(nn.Module):
    """A linear layer whose outputs rise from one to the next: the first, then what each one adds."""

    def __init__(self, inputs: int, outputs: int) -> None:
        self.weight = nn.Parameter(tg.empty((outputs, inputs)))
        self.bias = nn.Parameter(tg.zeros(outputs))
        nn.init.xavier_uniform_(self.weight)

    def forward(self, x):
        y = x @ self.weight.T + self.bias
        return tg.cumsum(tg.concat([y[:, :1], nn.functional.softplus(y[:, 1:])], axis=1), axis=1)


def quantile_loss(prediction, target):
    """Least when a share q of the targets lies below the prediction for q, for each q of QUANTILES."""
    over = target - prediction
    return tg.maximum(QUANTILES * over, (QUANTILES - 1) * over).mean()


def checked() -> None:
    """Each derivative against numeric ones; a report is true if nothing was found."""
    draw = np.random.default_rng(0)
    x, target = draw.normal(size=(4, 3)), draw.normal(size=(4, 1))
    layer, weights = Ordered(3, 3), {"weight": draw.normal(size=(3, 3)), "bias": draw.normal(size=3)}
    reports = {
        "snake": tg.testing.check(snake, [x, np.array(0.7)]),
        "Ordered": tg.testing.check(lambda x, w: nn.functional_call(layer, w, (x,)), [x, weights]),
        "quantile_loss": tg.testing.check(quantile_loss, [x, target]),
    }
    for name, report in reports.items():
        assert report, str(report)
        print(f"{name}: the derivative is right")


def main(small: bool = False) -> None:
    tg.manual_seed(0)
    checked()
    draw = np.random.default_rng(1)
    x = draw.uniform(-3, 3, (1500, 1)).astype(np.float32)
    noise = 0.1 + 0.15 * abs(x)  # more at both ends
    y = np.sin(2 * x) + noise * draw.normal(size=x.shape).astype(np.float32)
    x_train, x_test, y_train, y_test = tg.data.train_test_split(x, y, test_size=500, generator=0)
    model = nn.Sequential(nn.Linear(1, 32), Snake(), nn.Linear(32, 32), Snake(), Ordered(32, len(QUANTILES)))
    adam, epochs = tg.optim.Adam(model.parameters(), lr=3e-3), 5 if small else 100
    tg.fit(model, (x_train, y_train), loss=quantile_loss, optimizer=adam, epochs=epochs, seed=0)

    found = tg.predict(model, x_test).numpy()
    for q, share in zip(QUANTILES, (y_test < found).mean(axis=0), strict=True):
        print(f"{share:.1%} of new values lie below the line for {q:.0%}")
    order = np.argsort(x_test[:, 0])
    lines = np.concatenate(
        [np.hstack([x_test[order], found[order, i : i + 1]]) for i in range(len(QUANTILES))]
    )
    tg.viz.scatter_chart(
        np.concatenate([np.hstack([x_test, y_test]), lines]), [0] * len(x_test) + [1] * len(lines),
        names=["new values", "10, 50 and 90 %"], title="Between which bounds a value lies",
    ).save("custom_layer_and_loss.svg")  # fmt: skip


if __name__ == "__main__":
    main(small="--small" in sys.argv)
