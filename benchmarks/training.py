"""Training steps of an MLP: zero the gradients, forward, cross-entropy, backward, Adam.

Ours are plain tensor expressions and an Adam of a few NumPy calls over one flat array of all parameters
(`FlatAdam`); PyTorch's are Linear layers, relu, cross_entropy and ``Adam(fused=True)``. Both begin with the
same weights and see one batch. What must agree are the gradients of the first step and the losses of ten
steps, which depend on every constant of Adam. The parameters themselves agree less: where a gradient is tiny,
Adam divides one rounding error by another.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np

import tensorgrad as tg
from tensorgrad._tape import tick

from .harness import Case, Implementation

RATE, DECAY, SQUARE_DECAY, EPSILON = 1e-3, 0.9, 0.999, 1e-8
CHECKED_STEPS = 10


def cases(torch: Any) -> Iterator[Case]:
    """A small network with the bar, a larger one without."""
    for sizes, batch, must in (((64, 64, 10), 16, 0.6), ((784, 256, 128, 10), 128, None)):
        yield Case(
            f"MLP {'-'.join(map(str, sizes))}, Adam",
            f"batch {batch}",
            partial(_ours, sizes, batch),
            {"torch fused": partial(_torch, torch, sizes, batch)} if torch else {},
            must=must,
        )


class FlatAdam:
    """Adam (Kingma and Ba, 2015, algorithm 1) on all parameters at once, as views of one array.

    Args:
        parameters: leaves; their storage moves into the flat array, and each step tells them that it was
            written to, so that a graph recorded before the step cannot be used after it.
    """

    def __init__(self, parameters: Sequence[tg.Tensor]) -> None:
        self.parameters = parameters
        self.values = np.concatenate([p.numpy().reshape(-1) for p in parameters])
        self.mean, self.square, self.gradient, self.work = (np.zeros_like(self.values) for _ in range(4))
        ends = np.cumsum([p.size for p in parameters])[:-1]
        self.parts = np.split(self.gradient, ends)
        for p, part in zip(parameters, np.split(self.values, ends), strict=True):
            p._d = part.reshape(p.shape)
        self.steps = 0

    def step(self) -> None:
        g, m, v, work = self.gradient, self.mean, self.square, self.work
        for p, part in zip(self.parameters, self.parts, strict=True):
            leaf: Any = p._node
            part[:] = leaf.grad._d.reshape(-1)
            leaf.grad = None
            leaf.seq = tick()
        self.steps += 1
        np.subtract(g, m, out=work)
        work *= 1 - DECAY
        m += work
        np.multiply(g, g, out=work)
        work -= v
        work *= 1 - SQUARE_DECAY
        v += work
        np.sqrt(v, out=work)
        # The bias corrections, moved from the arrays to two numbers.
        correction = math.sqrt(1 - SQUARE_DECAY**self.steps)
        work += EPSILON * correction
        np.divide(m, work, out=work)
        work *= RATE * correction / (1 - DECAY**self.steps)
        self.values -= work


def _ours(sizes: Sequence[int], batch: int) -> Implementation:
    data, labels, weights = _problem(sizes, batch)
    parameters = [tg.tensor(array, requires_grad=True) for pair in weights for array in pair]
    layers = list(zip(parameters[::2], parameters[1::2], strict=True))
    x, target = tg.tensor(data), tg.tensor(np.eye(sizes[-1], dtype=np.float32)[labels])
    optimizer = FlatAdam(parameters)

    def step() -> Any:
        h = x
        for w, b in layers[:-1]:
            h = tg.relu(h @ w + b)
        w, b = layers[-1]
        loss = -(tg.log_softmax(h @ w + b, axis=1) * target).sum() / batch
        loss.backward()
        optimizer.step()
        return loss

    def check() -> Any:
        first = step()
        gradients = [
            np.array(part).reshape(p.shape) for p, part in zip(parameters, optimizer.parts, strict=True)
        ]
        return gradients, first, [step() for _ in range(CHECKED_STEPS - 1)]

    return Implementation(step, check)


def _torch(torch: Any, sizes: Sequence[int], batch: int) -> Implementation:
    data, labels, weights = _problem(sizes, batch)
    modules: list[Any] = []
    for w, b in weights:
        linear = torch.nn.Linear(*w.shape)
        with torch.no_grad():
            linear.weight.copy_(torch.tensor(w.T))
            linear.bias.copy_(torch.tensor(b))
        modules += [linear, torch.nn.ReLU()]
    model = torch.nn.Sequential(*modules[:-1])
    optimizer = torch.optim.Adam(
        model.parameters(), lr=RATE, betas=(DECAY, SQUARE_DECAY), eps=EPSILON, fused=True
    )
    x, target = torch.tensor(data), torch.tensor(labels)
    cross_entropy = torch.nn.functional.cross_entropy

    def step() -> Any:
        optimizer.zero_grad()
        loss = cross_entropy(model(x), target)
        loss.backward()
        optimizer.step()
        return loss

    def check() -> Any:
        first = step()
        gradients = [p.grad.mT.clone() if p.ndim > 1 else p.grad.clone() for p in model.parameters()]
        return gradients, first, [step() for _ in range(CHECKED_STEPS - 1)]

    return Implementation(step, check)


Weights = list[tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]]


def _problem(sizes: Sequence[int], batch: int) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any], Weights]:
    """Data, labels, and for each layer weights (inputs, outputs) and biases, uniform as in a Linear layer."""
    rng = np.random.default_rng(3)
    data = rng.normal(size=(batch, sizes[0])).astype(np.float32)
    labels = rng.integers(0, sizes[-1], batch)
    weights = [
        (
            rng.uniform(-1, 1, (fan_in, fan_out)).astype(np.float32) / np.float32(math.sqrt(fan_in)),
            rng.uniform(-1, 1, fan_out).astype(np.float32) / np.float32(math.sqrt(fan_in)),
        )
        for fan_in, fan_out in pairwise(sizes)
    ]
    return data, labels, weights
