"""`vmap` against loops over the examples, and against torch.func.vmap.

"Gradients of examples" is ``vmap(grad(loss))`` of a two-layer network over a batch: the gradient of each example by
itself in all four parameters. The loop calls ``grad(loss)`` once for each example and stacks. "An op on a batch" is a
chain of small ops inside ``vmap`` against the same ops on the whole array, so it shows what the batch costs per op.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

import tensorgrad as tg

from .harness import Case, Implementation, Maker

EXAMPLES = 128
SIZES = (16, 32, 4)
OPS = 60
LOOP = 0.1


def cases(torch: Any) -> Iterator[Case]:
    """One row with a bar, two without."""
    shape = f"{'-'.join(map(str, SIZES))}, {EXAMPLES} examples"
    yield Case("gradients of examples", shape, partial(_batched, tg), {"loop": _looped}, must=LOOP)
    if torch:
        yield Case("gradients of examples", shape, partial(_batched, tg), {"torch": partial(_batched, torch)})
    peers: dict[str, Maker] = {"no batch": partial(_chain, False)}
    yield Case("an op on a batch", f"({EXAMPLES}, 8)", partial(_chain, True), peers, per=OPS)


def _problem(lib: Any) -> tuple[Callable[..., Any], Any, Any, Any]:
    """The loss of one example, the parameters, and all examples."""
    rng = np.random.default_rng(0)
    inner, hidden, outer = SIZES
    shapes = {"w": (inner, hidden), "b": (hidden,), "v": (hidden, outer), "c": (outer,)}
    weights = {name: lib.tensor(rng.normal(0, 0.3, one).astype(np.float32)) for name, one in shapes.items()}
    xs, ys = (lib.tensor(rng.normal(size=(EXAMPLES, n)).astype(np.float32)) for n in (inner, outer))

    def loss(p: Any, x: Any, y: Any) -> Any:
        error = lib.tanh(x @ p["w"] + p["b"]) @ p["v"] + p["c"] - y
        return (error * error).sum()

    return loss, weights, xs, ys


def _batched(lib: Any) -> Implementation:
    loss, weights, xs, ys = _problem(lib)
    func = lib if lib is tg else lib.func
    each = func.vmap(func.grad(loss), (None, 0, 0))
    return Implementation(lambda: list(each(weights, xs, ys).values()))


def _looped() -> Implementation:
    loss, weights, xs, ys = _problem(tg)
    gradient = tg.grad(loss)

    def run() -> Any:
        found = [gradient(weights, x, y) for x, y in zip(xs, ys, strict=True)]
        return [tg.stack([one[name] for one in found]) for name in weights]

    return Implementation(run)


def _chain(batched: bool) -> Implementation:
    x = np.random.default_rng(0).normal(size=(EXAMPLES, 8)).astype(np.float32)

    def f(x: Any) -> Any:
        y = x
        for _ in range(OPS // 3):
            y = tg.tanh(y * x + 0.5)
        return y

    run = partial(tg.vmap(f) if batched else f, tg.tensor(x))
    return Implementation(run)
