"""Random functions around one op: chains and graphs with skip connections, of smooth, well-conditioned ops.

Between its ends a graph carries vectors of a fixed length. The op in question gets arguments that move in
their box (`points`) with the vector before it; its results are scaled and rotated into the vector after it.
Wherever values or slopes drift away from the order of 1, a layer shifts and scales them back, so that
what is wrong in the middle is still to be seen at the ends.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

import tensorgrad as tg

from .faults import array_of
from .points import Point

Vectors = list[Any]
Layer = Callable[[Vectors], Any]
"""From the vectors so far, the newest last, to the next one."""

LENGTHS = ((2, 2), (2, 3), (3, 2))
"""A vector is also taken for a matrix of such a shape."""


@dataclass
class Graph:
    """A function with one op of interest in it.

    Attributes:
        point: the box that the op is called in.
        depth: how many layers there are, the op included.
        place: the number of the layer that has the op.
        inputs: arrays to call the function with.
        before: makes the arguments of the op that are differentiated, the vectors before it, and what is
            added to its result, if anything.
        after: makes the result of the function of the op's results and these.
    """

    point: Point
    depth: int
    place: int
    inputs: list[Any]
    before: Callable[..., tuple[list[Any], Vectors, Any]]
    after: Callable[[Any, Vectors, Any], Any]

    def function(self, op: Any) -> Callable[..., Any]:
        """The function with ``op`` in its place."""

        def graph(*inputs: Any) -> Any:
            args, past, beside = self.before(*inputs)
            y = self.point.call(op, args)
            return self.after(y, past, beside)

        return graph

    def arguments(self) -> list[Any]:
        """The arguments that the op gets at the inputs of the graph, as arrays."""
        with tg.no_grad():
            return [array_of(a).copy() for a in self.before(*self.inputs)[0]]


def random_graph(rng: np.random.Generator, point: Point, depth: int, *, shares: bool = False) -> Graph:
    """Draw a graph of so many layers around an op.

    Args:
        rng: draws everything.
        point: the op and its box.
        depth: the number of layers, at least 1.
        shares: give a neighbour the cotangent that the op gets, and the arguments that it saves, so that
            others come to harm if the op writes to them. Without effect at depth 1.
    """
    shares = shares and depth > 1
    place = int(rng.integers(shares, depth)) if depth > 1 else 0
    builder = _Builder(rng, point, place)
    for _ in range(place - 1):
        builder.grow()
    head = list(builder.layers)
    spread = _spread(rng, point, builder.n) if place else None
    beside = _beside(rng, point) if shares else None

    def before(*inputs: Any) -> tuple[list[Any], Vectors, Any]:
        past: Vectors = []
        args = list(inputs)
        if spread is not None:
            past.append(builder.start(*inputs))
            for layer in head:
                past.append(layer(past))
            args = spread(past[-1])
        return args, past, None if beside is None else beside(args)

    if depth == place + 1 and beside is None:
        return Graph(point, depth, place, builder.inputs, before, lambda y, past, beside: y)
    gather = builder.gather(point, before)
    for _ in range(depth - place - 2):
        builder.grow()
    tail = builder.layers[len(head) :]
    finish = _finish(rng, builder.shape)

    def after(y: Any, past: Vectors, beside: Any) -> Any:
        past = [*past, gather(y, past, beside)]
        for layer in tail:
            past.append(layer(past))
        return finish(past)

    return Graph(point, depth, place, builder.inputs, before, after)


class _Builder:
    """Layers drawn one after the other, with the values that they have at two neighbouring inputs."""

    def __init__(self, rng: np.random.Generator, point: Point, place: int) -> None:
        self.rng = rng
        self.shape = LENGTHS[int(rng.integers(len(LENGTHS)))]
        self.n = int(np.prod(self.shape))
        self.layers: list[Layer] = []
        self.start, self.inputs = _start(rng, self.shape)
        if not place:
            self.inputs = [np.asarray(x) for x in point.draw(rng, 0.9)]
        self.beyond = [x + 1e-6 * rng.standard_normal(x.shape) for x in self.inputs]
        self.moved = _distance(self.inputs, self.beyond)
        self.here: Vectors = [self.start(*self.inputs)] if place else []
        self.near: Vectors = [self.start(*self.beyond)] if place else []

    def grow(self) -> None:
        """One layer more."""
        drawn = LAYERS[int(self.rng.integers(len(LAYERS)))](self.rng, self.shape, len(self.here))
        y, z = drawn(self.here), drawn(self.near)
        slope = _distance([y], [z]) / self.moved
        if float(np.abs(y).max()) > 2 or not 0.2 < slope < 5:
            drawn = _balanced(self.rng, drawn, y, slope)
            y, z = drawn(self.here), drawn(self.near)
        self.layers.append(drawn)
        self.here.append(y)
        self.near.append(z)

    def gather(self, point: Point, before: Callable[..., Any]) -> Callable[[Any, Vectors, Any], Any]:
        """The layer that makes a vector of the op's results, and of what is added to them."""
        rng, n = self.rng, self.n
        ends = []
        for inputs in (self.inputs, self.beyond):
            args, past, beside = before(*inputs)
            ends.append((point.call(point.card.op, args), past, beside))
        pairs = kinds(ends[0][0])
        slope = _distance(*[[array_of(joined(y, pairs))] for y, _, _ in ends]) / self.moved
        scale = 1.0 if slope == 0 else float(np.clip(1 / slope, 1e-6, 1e6))
        middle = array_of(joined(ends[0][0], pairs))
        turn = scale * _orthogonal(rng, n, middle.size)
        shift = rng.uniform(-0.8, 0.8, n) - turn @ middle
        skip = bool(self.here) and rng.random() < 0.6

        def gather(y: Any, past: Vectors, beside: Any) -> Any:
            if beside is not None:
                y = _added(y, beside / scale)
            h = tg.matmul(turn, joined(y, pairs)) + shift
            return h + past[-1] if skip else h

        for known, end in zip((self.here, self.near), ends, strict=True):
            known.append(gather(*end))
        return gather


def kinds(y: Any) -> list[str]:
    """The kind of each result of an op, as its dtype has it; checkers may later call with complex numbers."""
    return [one.dtype.kind for one in (y if isinstance(y, tuple) else (y,))]


def joined(y: Any, kinds: Sequence[str]) -> Any:
    """All floating results as one vector, real and imaginary parts of the complex ones."""
    parts = []
    for one, kind in zip(y if isinstance(y, tuple) else (y,), kinds, strict=True):
        if kind == "c":
            parts += [tg.reshape(tg.real(one), (-1,)), tg.reshape(tg.imag(one), (-1,))]
        elif kind == "f":
            parts.append(tg.reshape(one, (-1,)))
    return parts[0] if len(parts) == 1 else tg.concat(parts)


# ---- ends


def _start(rng: np.random.Generator, shape: tuple[int, int]) -> tuple[Callable[..., Any], list[Any]]:
    """How the first vector is made of the inputs, and inputs."""
    n = shape[0] * shape[1]
    way = int(rng.integers(3))
    x = rng.uniform(-0.9, 0.9, n)
    if way == 0:
        return (lambda x: x), [x]
    if way == 1:
        return (lambda x: tg.reshape(x, (-1,))), [x.reshape(shape)]
    w = rng.uniform(0.6, 1.4, shape[1])
    return (lambda x, w: tg.reshape(x * w, (-1,))), [x.reshape(shape), w]


def _spread(rng: np.random.Generator, point: Point, n: int) -> Callable[[Any], list[Any]]:
    """How a vector moves the arguments of the op in their box."""
    maps = []
    for i, r in zip(point.positions, point.radii, strict=True):
        middle = point.args[i] + 0.5 * r * rng.uniform(-1, 1, np.shape(r))
        turns = [_orthogonal(rng, np.size(r), n) for _ in range(1 + (point.args[i].dtype.kind == "c"))]
        maps.append((middle, 0.5 * r / np.sqrt(len(turns)), turns))

    def spread(h: Any) -> list[Any]:
        args = []
        for middle, r, turns in maps:
            moves = [tg.reshape(tg.sin(tg.matmul(turn, h)), np.shape(r)) for turn in turns]
            move = moves[0] if len(moves) == 1 else moves[0] + 1j * moves[1]
            args.append(middle + r * move)
        return args

    return spread


def _beside(rng: np.random.Generator, point: Point) -> Callable[[Any], Any]:
    """What is added to the first floating result of the op: a vector of its shape, made of the same arguments."""
    args = [point.args[i] for i in point.positions]
    y = point.call(point.card.op, args)
    shape = next(one.shape for one in (y if isinstance(y, tuple) else (y,)) if one.dtype.kind == "f")
    turns = [_orthogonal(rng, int(np.prod(shape)), np.size(a)) for a in args]

    def beside(args: Any) -> Any:
        parts = [tg.matmul(t, tg.reshape(tg.sin(a), (-1,))) for t, a in zip(turns, args, strict=True)]
        return tg.reshape(sum(parts[1:], parts[0]), shape)

    return beside


def _added(y: Any, beside: Any) -> Any:
    """The results with ``beside`` added to the first floating one; the product sees to a cotangent of their own."""
    ys = list(y) if isinstance(y, tuple) else [y]
    k = next(i for i, one in enumerate(ys) if one.dtype.kind in "fc")
    ys[k] = (ys[k] + beside) * np.full(beside.shape, 1.5)
    return tuple(ys) if isinstance(y, tuple) else ys[0]


def _finish(rng: np.random.Generator, shape: tuple[int, int]) -> Callable[[Vectors], Any]:
    """The result of the function, made of its vectors."""
    way = int(rng.integers(4))
    if way == 0:
        weights = rng.uniform(0.5, 1.5, shape[0] * shape[1])
        return lambda past: tg.sum(past[-1] * weights)
    if way == 1:
        return lambda past: (past[-1], past[len(past) // 2])
    if way == 2:
        return lambda past: tg.reshape(past[-1], shape)
    return lambda past: past[-1]


def _distance(a: Sequence[Any], b: Sequence[Any]) -> float:
    return float(np.sqrt(sum(np.sum(np.abs(x - y) ** 2) for x, y in zip(a, b, strict=True))))


# ---- layers


def _balanced(rng: np.random.Generator, layer: Layer, y: Any, slope: float) -> Layer:
    """The layer, shifted and scaled to values below 0.8 and a slope of 1 from the inputs."""
    scale = 1.0 if slope == 0 else float(np.clip(1 / slope, 1e-6, 1e6))
    shift = rng.uniform(-0.8, 0.8, y.shape) - array_of(y) * scale
    return lambda past: layer(past) * scale + shift


def _orthogonal(rng: np.random.Generator, rows: int, columns: int) -> Any:
    """A matrix with orthonormal rows or columns, whichever are fewer."""
    q, _ = np.linalg.qr(rng.standard_normal((max(rows, columns), min(rows, columns))))
    return np.ascontiguousarray(q if rows >= columns else q.T)


def _sine(rng: np.random.Generator, shape: Any, count: int) -> Layer:
    return lambda past: tg.sin(past[-1])


def _tanh(rng: np.random.Generator, shape: Any, count: int) -> Layer:
    return lambda past: tg.tanh(past[-1])


def _softplus(rng: np.random.Generator, shape: Any, count: int) -> Layer:
    return lambda past: tg.logaddexp(past[-1], 0.0)


def _exponential(rng: np.random.Generator, shape: Any, count: int) -> Layer:
    return lambda past: tg.exp(past[-1])


def _asinh(rng: np.random.Generator, shape: Any, count: int) -> Layer:
    return lambda past: tg.asinh(past[-1])


def _quotient(rng: np.random.Generator, shape: Any, count: int) -> Layer:
    return lambda past: past[-1] / (3.0 + past[-1])


def _weights(rng: np.random.Generator, shape: Any, count: int) -> Layer:
    w = rng.uniform(0.7, 1.3, shape[0] * shape[1])
    return lambda past: past[-1] * w


def _rotation(rng: np.random.Generator, shape: Any, count: int) -> Layer:
    q = _orthogonal(rng, shape[0] * shape[1], shape[0] * shape[1])
    return lambda past: tg.matmul(q, past[-1])


def _matrix_product(rng: np.random.Generator, shape: Any, count: int) -> Layer:
    q = _orthogonal(rng, shape[1], shape[1])
    return lambda past: tg.reshape(tg.matmul(tg.reshape(past[-1], shape), q), (-1,))


def _less_the_mean(rng: np.random.Generator, shape: Any, count: int) -> Layer:
    def layer(past: Vectors) -> Any:
        m = tg.reshape(past[-1], shape)
        return tg.reshape(m - 0.3 * tg.sum(m, axis=1, keepdims=True), (-1,))

    return layer


def _turned(rng: np.random.Generator, shape: Any, count: int) -> Layer:
    order = rng.permutation(shape[0] * shape[1])
    return lambda past: tg.take(past[-1], order, axis=0)


def _halves(rng: np.random.Generator, shape: Any, count: int) -> Layer:
    k = shape[0] * shape[1] // 2
    return lambda past: tg.concat([past[-1][k:], tg.sin(past[-1][:k])])


def _skip(rng: np.random.Generator, shape: Any, count: int) -> Layer:
    back = int(rng.integers(1, min(count, 6) + 1)) if count else 1
    return lambda past: past[-1] + past[-back]


def _gate(rng: np.random.Generator, shape: Any, count: int) -> Layer:
    back = int(rng.integers(1, min(count, 6) + 1)) if count else 1
    return lambda past: past[-1] * tg.cos(past[-back])


def _attention(rng: np.random.Generator, shape: Any, count: int) -> Layer:
    return lambda past: past[-1] + tg.softmax(past[-1])


LAYERS: Sequence[Callable[[np.random.Generator, Any, int], Layer]] = (
    _sine, _tanh, _softplus, _exponential, _asinh, _quotient, _weights, _rotation, _matrix_product,
    _less_the_mean, _turned, _halves, _skip, _gate, _attention,
)  # fmt: skip
