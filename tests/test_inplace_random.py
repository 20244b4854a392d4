"""Random programs full of writes and views: value and gradient are those of the same program on arrays."""

from __future__ import annotations

import random

import numpy as np
import pytest

import tensorgrad as tg

MASK = np.array([True, False, True])
WRITES = [
    0,
    2,
    (slice(None), 1),
    MASK,
    [0, 2],
    (slice(1, None), slice(None, 2)),
    np.array([[0], [1]]),
    ...,
    (2, 2),
]


KINDS = ["add", "mul", "tanh", "T", "row", "take", "join", "mm", "where", "reshape", "+=", "*=", "-="]
KINDS += ["write", "number"] * 4


def program(seed):
    """Instructions: (kind, register, register, index, number)."""
    rng = random.Random(seed)

    def step():
        return rng.choice(KINDS), rng.randrange(6), rng.randrange(6), rng.choice(WRITES), rng.random()

    return [step() for _ in range(rng.randrange(4, 22))]


def run(steps, inputs):
    """Run a program on tensors or on arrays; arrays are copied before each write, as values demand."""
    arrays = isinstance(inputs[0], np.ndarray)
    registers = [x * 1 for x in inputs]
    for kind, i, j, index, number in steps:
        i, j = i % len(registers), j % len(registers)
        x, y = registers[i], registers[j]
        if kind in ("write", "number", "+=", "*=", "-="):
            x = x.copy() if arrays else x
            if kind == "write":
                x[index] = (y[index] * number)[()] if i == j else y[index]
            elif kind == "number":
                x[index] = np.float64(number)
            elif kind == "+=":
                x += y
            elif kind == "-=":
                x -= y[0] * number
            else:
                x *= y[1] + number
            registers[i] = x
            continue
        match kind:
            case "add":
                z = x + y * number
            case "mul":
                z = x * y * 0.5
            case "tanh":
                z = tg.tanh(x)
            case "T":
                z = x.T
            case "row":
                z = x[1] + y * 0.1
            case "take":
                z = x[[2, 0, 0]]
            case "join":
                z = tg.concat([x[:1], y[1:]])
            case "mm":
                z = x @ y * 0.3
            case "where":
                z = tg.where(MASK, x, y * 2)
            case _:
                z = x.reshape(9).reshape(3, 3) * number
        registers = [*registers[-5:], z]
    total = 0.0
    for x in registers:
        total = total + (tg.tanh(x) * x).sum() * 0.1
    return total


@pytest.mark.parametrize("seed", range(150))
def test_a_random_program(seed):
    steps, rng = program(seed), np.random.default_rng(seed)
    at, direction = rng.normal(size=(2, 3, 3, 3))
    x = [tg.tensor(one, requires_grad=True) for one in at]
    y = run(steps, x)
    h = 1e-6
    plus, minus = [run(steps, list(at + step * direction)) for step in (h, -h)]
    assert np.isclose(y.item(), run(steps, list(at)), rtol=1e-12)
    by_call = tg.autograd.grad(y, x, allow_unused=True, retain_graph=True)
    y.backward()
    slope = 0.0
    for leaf, given, along in zip(x, by_call, direction, strict=True):
        assert (leaf.grad is None) == (given is None)
        if given is not None:
            assert np.array_equal(leaf.grad.numpy(), given.numpy())
            slope += float((given.numpy() * along).sum())
    assert np.isclose(slope, (plus - minus) / (2 * h), rtol=1e-5, atol=1e-7)
    assert all(np.array_equal(leaf.numpy(), one) for leaf, one in zip(x, at, strict=True))
