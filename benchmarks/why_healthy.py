"""Programs with nothing wrong, for `benchmarks.why_pathologies`: `tensorgrad.why` must say ``"ok"`` of each.

Zeros in some entries are part of them: relu, dropout, max-pooling, rows of an embedding that no example uses.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np

import tensorgrad as tg
from tensorgrad import nn
from tensorgrad.nn import functional as F

from .why_programs import plan, written

INITIALISERS = ("default", "xavier_uniform_", "kaiming_normal_", "orthogonal_", "small")


def healthy(seed: tuple[int, ...]) -> tuple[str, Any]:
    """What `why` says about the parameters of a healthy program: its name, and the diagnosis."""
    rng = np.random.default_rng(seed)
    if seed[-1] % 5 == 0:
        return _written(rng, seed)
    name = list(MODELS)[seed[-1] % len(MODELS)]
    tg.manual_seed(int(rng.integers(2**31)))
    dtype = ("float32", "float64")[int(rng.integers(2))]
    before = tg.get_default_dtype()
    tg.set_default_dtype(dtype)
    try:
        model, data, loss_of = MODELS[name](rng)
        _initialise(model, rng)
        with tg.record(statistics=False) as run:
            loss = loss_of(model(data))
            loss.backward()
        answer = tg.why(model)
        del run
        return f"{name} {seed}", answer
    finally:
        tg.set_default_dtype(before)


def _written(rng: np.random.Generator, seed: tuple[int, ...]) -> tuple[str, Any]:
    """A program of the kind that pathologies are planted in, wide enough that no layer of relu dies by chance."""
    made = plan(rng)
    made.n, made.widths = made.n + 12, [width + 8 for width in made.widths]
    made.activations = (*made.activations, "tg.relu(h)", "tg.tanh(tg.relu(h))")
    made.dtype = ("float32", "float64")[int(rng.integers(2))]
    made.ask = "net" if made.modules else f"w{int(rng.integers(len(made.widths) - 1))}"
    program = written(made, f"/generated/healthy_{'_'.join(map(str, seed))}.py")
    target, space = program.run()
    answer = tg.why(target)
    del space
    return f"program {seed}\n{program.text}", answer


def _initialise(model: Any, rng: np.random.Generator) -> None:
    """Matrices by one of several customs; "small" is 0.01 times standard normal, as in books."""
    how = INITIALISERS[int(rng.integers(len(INITIALISERS)))]
    if how == "default":
        return
    if how == "small" and sum(p.ndim > 1 for p in model.parameters()) > 3:
        return  # of many layers the gradient does vanish then
    for p in model.parameters():
        if p.ndim == 2:
            if how == "small":
                with tg.no_grad():
                    p[...] = 0.01 * rng.standard_normal(p.shape)
            else:
                getattr(nn.init, how)(p)


def _mlp(rng: np.random.Generator) -> Any:
    sizes = [int(s) for s in rng.integers(4, 40, int(rng.integers(2, 6)))]
    activation = (nn.ReLU, nn.Tanh, nn.GELU, nn.ELU, nn.LeakyReLU, nn.SiLU)[int(rng.integers(6))]
    layers: list[Any] = []
    for a, b in pairwise(sizes):
        layers += [nn.Linear(a, b), activation()]
        if rng.random() < 0.3:
            layers.append(nn.Dropout(float(rng.uniform(0.1, 0.6))))
        if rng.random() < 0.2:
            layers.append(nn.LayerNorm(b))
    model = nn.Sequential(*layers, nn.Linear(sizes[-1], 3))
    labels = rng.integers(0, 3, 32)
    return model, _normal(rng, 32, sizes[0]), lambda y: F.cross_entropy(y, tg.tensor(labels))


def _regression(rng: np.random.Generator) -> Any:
    model = nn.Sequential(nn.Linear(6, 24), nn.ReLU(), nn.Linear(24, 24), nn.ReLU(), nn.Linear(24, 1))
    goal, loss = (
        _normal(rng, 40, 1),
        (F.mse_loss, F.l1_loss, F.huber_loss, F.smooth_l1_loss)[int(rng.integers(4))],
    )
    return model, _normal(rng, 40, 6), lambda y: loss(y, goal)


def _convolutional(rng: np.random.Generator) -> Any:
    model = nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(4, 6, 3), nn.ReLU(), nn.Flatten(),
        nn.Dropout(0.25), nn.Linear(24, 5),
    )  # fmt: skip
    labels = rng.integers(0, 5, 8)
    return model, _normal(rng, 8, 1, 8, 8), lambda y: F.cross_entropy(y, tg.tensor(labels))


def _normalised(rng: np.random.Generator) -> Any:
    model = nn.Sequential(nn.Linear(5, 16, bias=False), nn.BatchNorm1d(16), nn.ReLU(), nn.Linear(16, 1))
    labels = rng.integers(0, 2, (32, 1)).astype(str(tg.get_default_dtype()))
    return model, _normal(rng, 32, 5), lambda y: F.binary_cross_entropy_with_logits(y, tg.tensor(labels))


def _recurrent(rng: np.random.Generator) -> Any:
    class Last(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.cell = (nn.RNN, nn.GRU, nn.LSTM)[int(rng.integers(3))](4, 8, batch_first=True)
            self.head = nn.Linear(8, 2)

        def forward(self, x: Any) -> Any:
            return self.head(self.cell(x)[0][:, -1])

    goal = _normal(rng, 6, 2)
    return Last(), _normal(rng, 6, 7, 4), lambda y: F.mse_loss(y, goal)


def _embedded(rng: np.random.Generator) -> Any:
    model = nn.Sequential(nn.Embedding(200, 8), nn.Flatten(), nn.Linear(24, 4))
    labels = rng.integers(0, 4, 10)
    return model, tg.tensor(rng.integers(0, 200, (10, 3))), lambda y: F.cross_entropy(y, tg.tensor(labels))


def _residual(rng: np.random.Generator) -> Any:
    class Block(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.norm, self.up, self.down = nn.LayerNorm(12), nn.Linear(12, 24), nn.Linear(24, 12)

        def forward(self, x: Any) -> Any:
            return x + self.down(F.relu(self.up(self.norm(x))))

    model = nn.Sequential(*[Block() for _ in range(int(rng.integers(2, 9)))], nn.Linear(12, 3))
    labels = rng.integers(0, 3, 16)
    return model, _normal(rng, 16, 12), lambda y: F.cross_entropy(y, tg.tensor(labels), label_smoothing=0.1)


def _transformer(rng: np.random.Generator) -> Any:
    model = nn.Sequential(nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), nn.Linear(8, 2))
    goal = _normal(rng, 3, 5, 2)
    return model, _normal(rng, 3, 5, 8), lambda y: ((y - goal) ** 2).sum()


def _normal(rng: np.random.Generator, *shape: int) -> Any:
    return tg.tensor(rng.standard_normal(shape).astype(str(tg.get_default_dtype())))


MODELS: dict[str, Callable[[np.random.Generator], Any]] = {
    "mlp": _mlp,
    "regression": _regression,
    "convolutional": _convolutional,
    "batch norm": _normalised,
    "recurrent": _recurrent,
    "embedding": _embedded,
    "residual": _residual,
    "transformer": _transformer,
}
