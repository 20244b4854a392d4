"""Fused ops: the pair, the composite and every transformation of either agree, whatever comes in."""

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose

import tensorgrad as tg
from tensorgrad._fused import Fused
from tensorgrad._tape import Node
from tensorgrad.ops import fused
from tests.collector import collector_off

OPS = {name: op for name, op in vars(fused).items() if isinstance(op, Fused)}


class Draw:
    """Random operands for each op, small and odd: lengths of 1 and sometimes 0."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)

    def __call__(self, name: str) -> tuple[list[Any], list[Any], dict[str, Any]]:
        """Fixed inputs, operands, parameters."""
        return getattr(self, name)()  # type: ignore[no-any-return]

    def normal(self, *shape: int) -> Any:
        return self.rng.normal(size=shape)

    def length(self, least: int = 1) -> int:
        return int(self.rng.integers(least, 4))

    def maybe(self, share: float = 0.5) -> bool:
        return bool(self.rng.random() < share)

    def linear(self) -> Any:
        lead = [self.length(0 if self.maybe(0.2) else 1) for _ in range(self.rng.integers(0, 4))]
        features, out = self.length(0 if self.maybe(0.2) else 1), self.length()
        more = [self.normal(out)] * self.maybe()
        return [], [self.normal(*lead, features), self.normal(out, features), *more], {}

    def softmax_cross_entropy(self) -> Any:
        rows, classes = self.length(0), self.length()
        return [self.rng.integers(0, classes, rows)], [self.normal(rows, classes)], {}

    def gelu(self) -> Any:
        return [], [3 * self.normal(*[self.length(0) for _ in range(self.rng.integers(0, 4))])], {}

    def attention(self) -> Any:
        lead = [self.length() for _ in range(self.rng.integers(0, 3))]
        queries, keys, features, values = self.length(0), self.length(0), self.length(), self.length()

        def broadcast(*shape: int) -> Any:
            return self.normal(*[1 if self.maybe(0.3) else n for n in shape])

        operands = [self.normal(*lead, queries, features), self.normal(*lead, keys, features)]
        operands += [self.normal(*[1 if self.maybe(0.3) else n for n in lead], keys, values)]
        biased = self.maybe()
        operands += [broadcast(*lead, queries, keys)] * biased
        operands += [broadcast(*lead, queries, keys)] * self.maybe()
        return [], operands, {"scale": 0.7, "causal": self.maybe(), "biased": biased}

    def recurrent(self, gates: int, states: int, **params: Any) -> Any:
        features, hidden, batch = self.length(0 if self.maybe(0.1) else 1), self.length(), self.length()
        sizes = tuple(sorted(self.rng.integers(1, batch + 1, self.length()).tolist(), reverse=True))
        out = self.length() if gates == 4 and self.maybe() else hidden
        operands = [self.normal(sum(sizes), features), self.normal(sizes[0], out)]
        operands += [self.normal(sizes[0], hidden) for _ in range(states - 1)]
        operands += [self.normal(gates * hidden, features), self.normal(gates * hidden, out)]
        operands += [self.normal(gates * hidden), self.normal(gates * hidden)] * self.maybe()
        operands += [self.normal(out, hidden)] * (out != hidden)
        return [], operands, {"sizes": sizes, "reverse": self.maybe(), **params}

    def lstm(self) -> Any:
        return self.recurrent(4, 2)

    def gru(self) -> Any:
        return self.recurrent(3, 1)

    def elman(self) -> Any:
        return self.recurrent(1, 1, nonlinearity="relu" if self.maybe() else "tanh")

    def batch_norm(self) -> Any:
        channels = self.length()
        x = self.normal(self.length(), channels, *[self.length() for _ in range(self.rng.integers(0, 3))])
        return [], [x, *[self.normal(channels) for _ in range(2 * self.maybe())]], {"eps": 0.1}

    def row_norm(self) -> Any:
        shape = [self.length() for _ in range(self.rng.integers(1, 4))]
        rank = int(self.rng.integers(1, len(shape) + 1))
        if len(shape) > rank and self.maybe(0.2):
            shape[0] = 0
        more = [self.normal(*shape[len(shape) - rank :]) for _ in range(self.rng.integers(0, 3))]
        return [], [self.normal(*shape), *more], {"rank": rank, "eps": 0.1, "centred": self.maybe()}

    def ctc(self) -> Any:
        frames, rows, classes, size = self.length(), self.length(0), self.length(2), self.length(0)
        labels = self.rng.integers(1, classes, (rows, size))
        lengths = [np.full(rows, frames), np.minimum(self.rng.integers(0, size + 1, rows), frames // 2)]
        return [labels, *lengths], [self.normal(frames, rows, classes)], {"blank": 0}

    # ---- how operands lie in memory, and what they are

    def laid(self, a: Any) -> Any:
        """The same numbers as a view of one kind or another; or, of equal rows, without a stride."""
        way = int(self.rng.integers(6)) if a.ndim else 0
        if way == 1:
            return np.asfortranarray(a)
        if way == 2:
            return np.repeat(a, 2, -1)[..., ::2]
        if way == 3:
            return a[::-1].copy()[::-1]
        if way == 4 and a.ndim > 1:
            return np.moveaxis(np.ascontiguousarray(np.moveaxis(a, 1, -1)), -1, 1)
        if way == 5 and len(a):
            return np.broadcast_to(a[:1], a.shape)  # read-only as well
        return a

    def wrapped(self, a: Any) -> Any:
        way = int(self.rng.integers(5))
        if way < 2 and a.dtype.kind == "f":
            return tg.nn.Parameter(a) if way else tg.tensor(a, requires_grad=True)
        if way == 2 and a.ndim:
            return tg.from_numpy(a)  # shares the memory
        return a if way == 3 else tg.tensor(a)


def data(x: Any) -> Any:
    return np.asarray(x.numpy() if isinstance(x, tg.Tensor) else x)


def results(y: Any) -> list[Any]:
    return list(y) if isinstance(y, tuple) else [y]


def forward_and_gradients(f: Any, fixed: Any, operands: Any, params: Any) -> list[Any]:
    ys = results(f(*fixed, *operands, **params))
    leaves = {id(x): x for x in operands if isinstance(x, tg.Tensor) and x.requires_grad}
    weights = np.random.default_rng(0)
    found: list[Any] = [(data(y), data(y).dtype) for y in ys]
    if leaves:
        parts = [tg.sum(y * weights.normal(size=y.shape).astype(y.dtype)) for y in ys]
        slopes = tg.autograd.grad(parts, list(leaves.values()), [np.ones((), p.dtype) for p in parts])
        for slope, leaf in zip(slopes, leaves.values(), strict=True):
            assert (slope.shape, slope.dtype) == (leaf.shape, leaf.dtype)
            found.append((data(slope), slope.dtype))
    return found


def agree(ours: Any, expected: Any, tolerance: float) -> None:
    for (a, dtype), (b, expected_dtype) in zip(ours, expected, strict=True):
        assert (a.shape, dtype) == (b.shape, expected_dtype)
        assert_allclose(a, b, rtol=tolerance, atol=10 * tolerance)


def test_every_op_is_drawn() -> None:
    assert set(OPS) == {name for name in OPS if hasattr(Draw, name)}
    assert len(OPS) >= 10


@pytest.mark.parametrize("name", OPS)
def test_the_pair_is_the_composite(name: str) -> None:
    """Layouts, dtypes also mixed, kinds of operands, and gradients of some of them."""
    op, draw = OPS[name], Draw(1)
    for turn in range(30):
        fixed, operands, params = draw(name)
        dtypes = [(np.float64, np.float32, np.float16)[turn % 3]] * len(operands)
        if turn % 5 == 4:
            dtypes = [draw.rng.choice([np.float64, np.float32]) for _ in operands]
        values = [draw.wrapped(draw.laid(x.astype(d))) for x, d in zip(operands, dtypes, strict=True)]
        for i in range(1, len(values)):  # one tensor may be two operands
            if values[i].shape == values[i - 1].shape and draw.maybe(0.1):
                values[i] = values[i - 1]
        least = min(x.dtype.itemsize for x in values)
        ours = forward_and_gradients(op, fixed, values, params)
        expected = forward_and_gradients(op.card.composite, fixed, values, params)
        agree(ours, expected, {2: 2e-2, 4: 1e-4, 8: 1e-9}[least])


@pytest.mark.parametrize("kind", [int, np.int32, complex])
def test_other_dtypes_go_to_the_composite(kind: Any) -> None:
    x, w, b = np.arange(12).reshape(2, 3, 2), np.ones((2, 2), np.float32), np.ones(2, np.float32)
    for operands in ([x.astype(kind), w, b], [x.astype(kind), w.astype(kind), b]):
        y = fused.linear(*operands)
        expected = operands[0] @ operands[1].T + b
        assert y.dtype == fused.linear.card.composite(*operands).dtype  # type: ignore[misc]
        assert_allclose(y, expected)


def transformed(f: Callable[..., Any], xs: list[Any], along: list[Any]) -> dict[str, Any]:
    """A number made of ``xs``, in every way that it is differentiated and batched."""
    every = tuple(range(len(xs)))

    def product(*xs: Any) -> Any:
        return sum(tg.sum(g * v) for g, v in zip(tg.grad(f, every)(*xs), along, strict=True))

    def recorded(*xs: Any) -> Any:
        leaves = [tg.tensor(x, requires_grad=True) for x in xs]
        slopes = tg.autograd.grad(f(*leaves), leaves, create_graph=True)
        weighed = sum((tg.sum(g * v) for g, v in zip(slopes, along, strict=True)), tg.tensor(0.0))
        curved = tg.autograd.grad(weighed, leaves, allow_unused=True)
        return [np.zeros(x.shape) if c is None else c for c, x in zip(curved, xs, strict=True)]

    def one_batched(g: Any, i: int) -> Any:
        def at(x: Any) -> Any:
            return g(*xs[:i], x, *xs[i + 1 :])

        return tg.vmap(at)(np.stack([xs[i], xs[i] / 2]))

    def sum_of_batch(*xs: Any) -> Any:
        pairs = [tg.stack([x, x / 2]) for x in xs]
        return tg.sum(tg.vmap(f)(*pairs))

    return {
        "jvp": tg.jvp(f, tuple(xs), tuple(along))[1],
        "grad": tg.grad(f, every)(*xs),
        "vmap of each": [one_batched(f, i) for i in every],
        "vmap of grad": [one_batched(tg.grad(f, every), i) for i in every],
        "grad of vmap": tg.grad(sum_of_batch, every)(*xs),
        "grad of grad": tg.grad(product, every)(*xs),
        "jvp of grad": tg.jvp(tg.grad(f, every), tuple(xs), tuple(along))[1],
        "grad of jvp": tg.grad(lambda *xs: tg.jvp(f, xs, tuple(along))[1], every)(*xs),
        "create_graph": recorded(*xs),
        "replay": tg.trace(tg.grad(f, every), *[tg.tensor(x) for x in xs])(*[x / 2 for x in xs]),
    }


def leaves_of(value: Any) -> list[Any]:
    return [leaf for one in value for leaf in leaves_of(one)] if isinstance(value, list | tuple) else [value]


@pytest.mark.parametrize("name", OPS)
def test_transformations_of_the_pair_are_those_of_the_composite(name: str) -> None:
    op, draw = OPS[name], Draw(2)
    for _ in range(2):
        fixed, operands, params = draw(name)
        along = [draw.normal(*x.shape) for x in operands]

        def ways(
            f: Any, fixed: Any = fixed, operands: Any = operands, params: Any = params, v: Any = along
        ) -> Any:
            def number(*xs: Any) -> Any:
                return sum(
                    tg.sum(tg.tanh(y) * (k + 1)) for k, y in enumerate(results(f(*fixed, *xs, **params)))
                )

            return transformed(number, operands, v)

        ours, expected = ways(op), ways(op.card.composite)
        for way, value in ours.items():
            for a, b in zip(leaves_of(value), leaves_of(expected[way]), strict=True):
                assert_allclose(data(a), data(b), rtol=1e-8, atol=1e-9, err_msg=way)
        for way in ("jvp of grad", "grad of jvp", "create_graph"):
            for a, b in zip(leaves_of(ours[way]), leaves_of(ours["grad of grad"]), strict=True):
                assert_allclose(data(a), data(b), rtol=1e-8, atol=1e-9, err_msg=f"{way} against grad of grad")
        halved = ways(op, operands=[x / 2 for x in operands])["grad"]
        for a, b in zip(leaves_of(ours["replay"]), leaves_of(halved), strict=True):
            assert_allclose(data(a), data(b), rtol=1e-9, atol=1e-10)


def drawn_leaves(name: str, seed: int = 3) -> tuple[Any, Any, Any]:
    draw = Draw(seed)
    fixed, operands, params = draw(name)
    while not all(x.size for x in operands):
        fixed, operands, params = draw(name)
    return fixed, [tg.tensor(x, requires_grad=True) for x in operands], params


def nodes() -> int:
    return sum(type(one) is Node for one in gc.get_objects())


def total(name: str, fixed: Any, xs: Any, params: Any) -> Any:
    return sum((tg.sum(y) for y in results(OPS[name](*fixed, *xs, **params))), tg.tensor(0.0))


@pytest.mark.parametrize("name", OPS)
def test_a_graph_is_used_twice_and_leaves_nothing_behind(name: str) -> None:
    fixed, xs, params = drawn_leaves(name)
    with collector_off():
        before = nodes()
        loss = total(name, fixed, xs, params)
        loss.backward(retain_graph=True)
        once = [x.grad.numpy().copy() for x in xs]  # type: ignore[union-attr]
        loss.backward()
        for x, g in zip(xs, once, strict=True):
            assert_allclose(x.grad, 2 * g)
        with pytest.raises(tg.GradientError):
            loss.backward()
        del loss
        assert nodes() == before
        assert gc.collect() == 0


@pytest.mark.parametrize("name", OPS)
def test_a_changed_operand_is_noticed(name: str) -> None:
    fixed, xs, params = drawn_leaves(name)
    loss = total(name, fixed, xs, params)
    with tg.no_grad():
        xs[0][...] = xs[0] + 1
    with pytest.raises(tg.MutatedError):
        loss.backward()


@pytest.mark.parametrize("name", ["linear", "attention", "lstm", "row_norm"])
def test_an_anomaly_inside_names_the_op(name: str) -> None:
    fixed, xs, params = drawn_leaves(name)
    with tg.no_grad():
        xs[0][...] = np.nan
    with tg.detect_anomaly(), pytest.raises(tg.AnomalyError, match=name):
        total(name, fixed, xs, params)
