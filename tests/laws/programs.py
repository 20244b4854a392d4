"""Small random programs, for laws that must hold of any function.

A program is a list of instructions over a pool of values. It takes a vector ``x`` and a matrix ``w``
and returns one number that depends on everything in the pool. Values stay of size about 1, so that
finite differences of every order are well behaved.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st

import tensorgrad as tg
from tests.laws.rows import N as N
from tests.laws.rows import instruction

MASK = np.array([True, False, True, True])
ORDER = np.array([2, 0, 3, 2])


def vector(a: Any) -> Any:
    """A value of any rank as a vector."""
    return tg.broadcast_to(a, (N,)) if a.ndim == 0 else a if a.ndim == 1 else a.mean(0) + a[:, -1]


def matrix(a: Any) -> Any:
    """A value of any rank as a square matrix."""
    return a if a.ndim == 2 else vector(a)[:, None] * np.linspace(0.5, 1.0, N) + vector(a)


def written(a: Any, b: Any) -> Any:
    out = vector(a) + 0 * vector(b)  # of the level of both, so that either can be written into it
    out[0] = vector(b)[1]
    out[[1, 3]] = vector(b)[:2] * 2
    out *= 0.5
    return out


def halves(a: Any, b: Any) -> Any:
    left, middle, right = tg.split(matrix(a), [1, 3], axis=1)
    return tg.concat([right * vector(b)[:, None], left, middle], axis=-1)


SMOOTH: dict[str, Callable[[Any, Any], Any]] = {
    "sin": lambda a, b: tg.sin(a),
    "exp": lambda a, b: tg.exp(-a * a),
    "log": lambda a, b: tg.log(1.5 + tg.tanh(a)),
    "sqrt": lambda a, b: tg.sqrt(1 + a * a),
    "sigmoid": lambda a, b: tg.sigmoid(a),
    "power": lambda a, b: (1.5 + tg.tanh(a)) ** (0.5 * tg.tanh(vector(b))),
    "number to a power": lambda a, b: 2.0 ** tg.tanh(a),
    "reciprocal power": lambda a, b: (2 + tg.sin(a)) ** -1.5,
    "add": lambda a, b: a + vector(b),
    "subtract": lambda a, b: vector(a) - b,
    "multiply": lambda a, b: tg.tanh(a) * b,
    "divide": lambda a, b: vector(a) / (2 + tg.cos(b)),
    "negative": lambda a, b: -a,
    "where": lambda a, b: tg.where(MASK, vector(a), vector(b) * vector(b)),
    "where with a number": lambda a, b: tg.where(MASK, 0.5, a),
    "sum": lambda a, b: vector(a).sum() * 0.5,
    "sum of an axis": lambda a, b: matrix(a).sum(axis=1) * 0.5,
    "mean": lambda a, b: (matrix(a).mean(0, keepdims=True) * vector(b))[0],
    "var": lambda a, b: matrix(a).var(axis=-1),
    "matmul": lambda a, b: matrix(a) @ vector(b) * 0.3,
    "matmul of matrices": lambda a, b: tg.tanh(matrix(a)) @ tg.tanh(matrix(b)) * 0.5,
    "inner product": lambda a, b: tg.tanh(vector(a)) @ tg.tanh(vector(b)),
    "einsum": lambda a, b: (
        tg.einsum("ij,kj,k->i", tg.tanh(matrix(a)), tg.tanh(matrix(b)), tg.tanh(vector(b))) * 0.3
    ),
    "diagonal": lambda a, b: tg.einsum("ii->i", matrix(a)),
    "transpose": lambda a, b: matrix(a).T * vector(b),
    "reshape": lambda a, b: (
        matrix(a).reshape(2, 2 * N)[:, ::2].reshape(-1)[:N] + matrix(b).reshape(-1, 2)[:N, 1]
    ),
    "basic index": lambda a, b: vector(a)[None, ::-1][0],
    "number as index": lambda a, b: vector(a)[-1] * vector(b)[0],
    "fixed positions": lambda a, b: vector(a)[ORDER],
    "fixed positions in two axes": lambda a, b: matrix(a)[ORDER, [0, 1, 1, 3]],
    "positions along an axis": lambda a, b: tg.take_along_axis(matrix(a), ORDER[:, None], 1)[:, 0],
    "written to": written,
    "split and concat": halves,
    "stack": lambda a, b: tg.stack([vector(a)[0], vector(b)[1], vector(a)[2], vector(b)[0]]),
    "softmax": lambda a, b: tg.softmax(matrix(a), axis=0),
    "log_softmax": lambda a, b: tg.log_softmax(vector(a)) * 0.5,
    "logsumexp": lambda a, b: tg.logsumexp(matrix(a), axis=1),
    "flip": lambda a, b: tg.flip(matrix(a), axis=0),
    "conv2d": lambda a, b: (
        tg.nn.functional.conv2d(
            matrix(a)[None, None], tg.tanh(matrix(b))[None, None, :2, 1:3], padding=(1, 0)
        )[0, 0, :N, 0]
        * 0.3
    ),
    "inner gradient": lambda a, b: tg.grad(lambda v: (tg.sin(v) * tg.tanh(vector(b))).sum())(vector(a)),
    "inner tangent": lambda a, b: tg.jvp(
        lambda v: tg.tanh(v) * tg.tanh(vector(a)), (vector(b),), (tg.sin(vector(a)),)
    )[1],
    "inner batch": lambda a, b: tg.vmap(lambda row, s: (tg.tanh(row) * vector(b)).sum() * 0.3 + s)(
        matrix(a), vector(b)
    ),
}
"""Instructions with derivatives of every order everywhere."""

PIECEWISE: dict[str, Callable[[Any, Any], Any]] = {
    "abs": lambda a, b: tg.abs(a),
    "relu": lambda a, b: tg.relu(a),
    "maximum": lambda a, b: tg.maximum(vector(a), vector(b)),
    "minimum with a number": lambda a, b: tg.minimum(a, 0.1),
    "max": lambda a, b: matrix(a).max(axis=1),
    "min": lambda a, b: vector(a).min() + vector(b),
    "sort": lambda a, b: tg.sort(vector(a), descending=True),
    "where of a comparison": lambda a, b: tg.where(vector(a) > vector(b), vector(a), 0.5 * vector(b)),
    "own order": lambda a, b: vector(b)[vector(a).argsort()],
    "sign": lambda a, b: tg.sign(a) * a,
    "stopped": lambda a, b: tg.stop_gradient(a) * 1.0,
}
"""Instructions with kinks, where only identities between the modes are checked."""

ALL = SMOOTH | PIECEWISE


def is_smooth(name: str) -> bool:
    """Whether an instruction has derivatives of every order."""
    return name in SMOOTH or (name not in PIECEWISE and instruction(name).smooth)


@dataclass(frozen=True)
class Program:
    """Instructions ``(name, i, j)``: apply to two values of the pool and put the result into it."""

    instructions: tuple[tuple[str, int, int], ...]

    def __call__(self, x: Any, w: Any) -> Any:
        pool = [x, tg.tanh(tg.asarray(w) if type(w) is np.ndarray else w)]
        for name, i, j in self.instructions:
            apply = ALL.get(name) or instruction(name)
            pool.append(apply(pool[i % len(pool)], pool[j % len(pool)]))
        total = 0.0
        for k, value in enumerate(pool):
            total = total + tg.sin(value + 0.3 * k).mean() * vector(x)[k % N]
        return total


def programs(names: Any = ALL, max_size: int = 5) -> st.SearchStrategy[Program]:
    """Programs over the named instructions."""
    step = st.tuples(st.sampled_from(sorted(names)), st.integers(0, 7), st.integers(0, 7))
    return st.lists(step, min_size=1, max_size=max_size).map(lambda steps: Program(tuple(steps)))


def share_of_examples(part: int) -> settings:
    """One in ``part`` of the examples of the profile, for laws that take long to check."""
    return settings(max_examples=max(1, settings().max_examples // part))


def each_alone(names: Any = ALL) -> list[Program]:
    """A program for every instruction: on ``x`` and ``w``, and on values made before."""
    return [Program((("sin", 0, 0), (name, 2, 1), (name, 0, 3))) for name in names]


def points(seed: int = 0) -> tuple[Any, Any, Any]:
    """A point, a direction and a matrix."""
    generator = np.random.default_rng(seed)
    return generator.normal(size=N), generator.normal(size=N), generator.normal(size=(N, N))
