"""Small recorded graphs to draw, written down by hand so that these tests need no recorder."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import nn
from tensorgrad.ir.graph import Equation, Graph, Pass, Position, Stats, Step, Var, Write
from tensorgrad.viz import Picture

SVG = "{http://www.w3.org/2000/svg}"


class Builder:
    """Writes a graph down step by step; variables are numbered as they come."""

    def __init__(self) -> None:
        self.inputs: list[Var] = []
        self.captured: list[Var] = []
        self.constants: list[Var] = []
        self.equations: list[Equation] = []
        self.writes: list[Write] = []
        self.values: dict[int, Any] = {}
        self.count = 0

    def var(self, shape: tuple[int, ...], role: Any, label: str = "", dtype: str = "float32") -> Var:
        self.count += 1
        return Var(self.count - 1, shape, dtype, role, label)

    def input(self, shape: tuple[int, ...], label: str = "", dtype: str = "float32") -> Var:
        self.inputs.append(self.var(shape, "input", label, dtype))
        return self.inputs[-1]

    def capture(self, shape: tuple[int, ...], label: str = "") -> Var:
        self.captured.append(self.var(shape, "captured", label))
        return self.captured[-1]

    def constant(self, value: Any) -> Var:
        self.constants.append(self.var(np.shape(value), "constant"))
        self.values[self.constants[-1].index] = value
        return self.constants[-1]

    def op(
        self, name: str, inputs: list[Var], to: tuple[int, ...], direction: Any = "forward", **more: Any
    ) -> Var:
        result = self.var(to, "result")
        scope = more.pop("scope", "")
        self.equations.append(Equation(name, tuple(inputs), (result,), more, scope, direction))
        return result

    def graph(self, *outputs: Var) -> Graph:
        parts = map(tuple, (self.inputs, self.captured, self.constants, self.equations, outputs, self.writes))
        return Graph(*parts, values=self.values)  # type: ignore[arg-type]


@pytest.fixture
def build() -> Builder:
    return Builder()


@pytest.fixture
def small(build: Builder) -> Graph:
    """``mean(tanh(x @ w + 1))``."""
    x, w, one = build.input((2, 3), "x"), build.capture((3, 4), "w"), build.constant(np.float32(1.0))
    product = build.op("matmul", [x, w], (2, 4), scope="layer")
    total = build.op("add", [product, one], (2, 4))
    return build.graph(build.op("mean", [build.op("tanh", [total], (2, 4))], (), axis=None))


@pytest.fixture
def training_step() -> Callable[[int], Graph]:
    return make_step


def make_step(depth: int) -> Graph:
    """Forward, backward and update of a network of `depth` tanh layers on 8 rows."""
    b = Builder()
    x, rate = b.input((8, 4), "x"), b.constant(0.1)
    saved, h = [], x
    for layer in range(depth):
        w, c = b.capture((4, 4), f"w{layer}"), b.capture((4,), f"b{layer}")
        y = b.op("add", [b.op("matmul", [h, w], (8, 4), scope=f"layer{layer}"), c], (8, 4))
        saved.append((h, w, c, b.op("tanh", [y], (8, 4))))
        h = saved[-1][3]
    loss = b.op("mean", [h], (), axis=None)
    g = b.op("broadcast_to", [b.constant(1 / 32)], (8, 4), "backward", shape=(8, 4))
    for h, w, c, y in reversed(saved):
        slope = b.op(
            "subtract", [b.constant(1), b.op("multiply", [y, y], (8, 4), "backward")], (8, 4), "backward"
        )
        g = b.op("multiply", [g, slope], (8, 4), "backward")
        h_t = b.op("permute_dims", [h], (4, 8), "backward", axes=(1, 0))
        for target, grad in (
            (w, b.op("matmul", [h_t, g], (4, 4), "backward")),
            (c, b.op("sum", [g], (4,), "backward", axis=0)),
        ):
            b.writes.append(Write(target, grad, "grad"))
            change = b.op("multiply", [rate, grad], target.shape)
            b.writes.append(Write(target, b.op("subtract", [target, change], target.shape)))
        w_t = b.op("permute_dims", [w], (4, 4), "backward", axes=(1, 0))
        g = b.op("matmul", [g, w_t], (8, 4), "backward")
    return b.graph(loss)


def stats(value: Any, dtype: str = "float64") -> Stats:
    """The numbers of an array, as a recorded run has them."""
    array = np.asarray(value, np.float64)
    finite = array[np.isfinite(array)]
    return Stats(
        array.shape,
        dtype,
        nans=int(np.isnan(array).sum()),
        infs=int(np.isinf(array).sum()),
        zeros=int((array == 0).sum()),
        low=float(finite.min()) if finite.size else None,
        high=float(finite.max()) if finite.size else None,
        mean=float(finite.mean()) if finite.size else None,
        norm=float(np.linalg.norm(finite)),
        values=tuple(array.ravel().tolist()) if array.size <= 64 else None,
    )


@pytest.fixture
def neuron() -> Graph:
    """``o = tanh(x1 * w1 + b)`` of numbers, recorded with its backward pass; ``c`` is a constant."""
    names = ("x1", "w1", "b", "x1w1", "n", "o", "c", "p")
    values = (2.0, -3.0, 6.8813735870195432, -6.0, 0.8813735870195432, 0.70710678, 2.0, 1.41421356)
    grads = (-3.0, 2.0, 1.0, 1.0, 1.0, 2.0, None, 1.0)
    x1, w1, b, x1w1, n, o, c, p = (
        Var(
            i,
            (),
            "float64",
            "captured" if i < 3 else "constant" if name == "c" else "result",
            name,
            name != "c",
        )
        for i, name in enumerate(names)
    )
    equations = tuple(
        Equation(
            op,
            inputs,
            (output,),
            {},
            seconds=2e-6,
            flops=1,
            saved_bytes=8,
            position=Position("neuron.py", line),
        )
        for line, (op, inputs, output) in enumerate(
            [("multiply", (x1, w1), x1w1), ("add", (x1w1, b), n), ("tanh", (n,), o), ("multiply", (o, c), p)],
            1,
        )
    )
    steps = tuple(Step(index, (None,), (), seconds=3e-6) for index in (3, 2, 1, 0))
    gradients = {i: stats(g) for i, g in enumerate(grads) if g is not None}
    return Graph(
        (), (x1, w1, b), (c,), equations, (p,),
        values={6: np.float64(2.0)},
        stats={i: stats(value) for i, value in enumerate(values)},
        passes=(Pass(((p, stats(1.0)),), steps, gradients),),
    )  # fmt: skip


def with_gradients(graph: Graph, **norms: Any) -> Graph:
    """The graph with other gradients, by the labels of its values; None for none."""
    numbers = {var.label: var.index for var in graph.variables}
    given = dict(graph.gradients)
    for label, value in norms.items():
        given.pop(numbers[label], None)
        if value is not None:
            given[numbers[label]] = stats(value)
    return replace(graph, passes=(replace(graph.passes[-1], gradients=given),))


def boxes(picture: Picture) -> dict[str, list[str]]:
    """The lines of each box, by its key."""
    root = ET.fromstring(picture.to_svg())
    return {
        group.get("id", ""): [text.text or "" for text in group.iter(f"{SVG}text")]
        for group in root.iter(f"{SVG}g")
        if group.get("id")
    }


def classes(picture: Picture) -> dict[str, str]:
    """The classes of each box, by its first line."""
    root = ET.fromstring(picture.to_svg())
    return {
        next(group.iter(f"{SVG}text")).text or "": group.get("class", "")
        for group in root.iter(f"{SVG}g")
        if group.get("id")
    }


class Block(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.up, self.down = nn.Linear(3, 5), nn.Linear(5, 3)

    def forward(self, x: tg.Tensor) -> tg.Tensor:
        return x + self.down(tg.tanh(self.up(x)))


@pytest.fixture(scope="module")
def blocks() -> Graph:
    """A recorded step of four blocks."""
    model = nn.Sequential(*[Block() for _ in range(4)])
    x = tg.ones((2, 3))
    with tg.record() as run:
        loss = model(x).sum()
        loss.backward()
    return run.graph
