"""Function transformations against the plain way: products with Hessians, Hessians, gradients of each example.

Rows of jvp compare it with the function itself, or for small arrays with recording it and pulling back once.
Rows named "one gradient" compare this library with itself: how many gradients does a product with the Hessian
cost. "loop" is a Python loop over rows or examples, which the batched call replaces. "torch" is the same call in
``torch.func``, without a bar. The MLP has two layers, 64-32-10.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

import tensorgrad as tg

from .chains import OPS, leaves, tanh_chain
from .harness import Case, Implementation, Maker

DTYPES = "float32", "float64"
WIDTHS, EXAMPLES, INPUTS = (64, 32, 10), 128, 50
Parameters = dict[str, Any]


def cases(torch: Any) -> Iterator[Case]:
    """Products, then whole Hessians and Jacobians, gradients of each example, linear programs."""
    for shape in ((), (32, 32), (128, 256)):
        yield Case("hvp of the first chain", str(shape), partial(_chain_hvp, shape),
                   {"one gradient": partial(_chain_gradient, shape)}, must=5.0, per=OPS)  # fmt: skip
    mlp = f"MLP {'-'.join(map(str, WIDTHS))}, batch {EXAMPLES}"
    yield Case("hvp, all weights", mlp, _mlp_hvp, {"one gradient": _mlp_gradient}, must=5.0)
    for n in (4, 16, 64, 256):
        against = {"the function": (_value, 3.0)} if n >= 64 else {"recording and backward": (_reverse, 1.5)}
        for name, program in PROGRAMS.items():
            for other, (make, bar) in against.items():
                yield Case(f"jvp of {name}", f"({n},{n})", partial(_forward, program, n),
                           {other: partial(make, program, n)}, must=bar)  # fmt: skip
    hessian = f"{INPUTS} inputs, 3 layers"
    yield Case("hessian", hessian, _hessian, {"loop": _hessian_rows}, must=0.2)
    yield Case("jacrev", hessian, partial(_jacobian, tg.jacrev), {"loop": _jacobian_rows}, must=0.5)
    yield Case("jacfwd", hessian, partial(_jacobian, tg.jacfwd), {"loop": _jacobian_columns}, must=0.5)
    yield Case("vmap(grad)", f"{mlp}, each example", _each, {"loop": _each_alone}, must=0.1)
    yield Case("linearize, second evaluation", hessian, _program, {"jvp": _jvp}, must=1.0)
    if torch:
        forms: list[tuple[str, str, Maker, Callable[[Any], Implementation]]] = [
            ("hessian", hessian, _hessian, _torch_hessian),
            ("vmap(grad)", f"{mlp}, each example", _each, _torch_each),
        ]
        for name, shape, ours, theirs in forms:
            yield Case(name, shape, ours, {"torch": partial(theirs, torch)})


def notes(torch: Any) -> Iterator[str]:
    """How often the function itself runs."""
    calls: list[tuple[int, ...]] = []

    @tg.elementwise
    def seen(x: Any) -> Any:
        calls.append(x.shape)
        return x * 1

    seen.derivative(x=1)
    f, x = _deep(tg)
    run: dict[str, Callable[[Any], Any]] = {
        "hessian": tg.hessian(lambda x: f(seen(x))),
        "jacrev": tg.jacrev(lambda x: tg.sin(seen(x))),
        "jacfwd": tg.jacfwd(lambda x: tg.sin(seen(x)), chunk_size=10),
    }
    for name, transformed in run.items():
        del calls[:]
        transformed(x)
        yield f"{name} of {INPUTS} inputs: an op of the function was called {len(calls)} time(s), on {calls[0]}"


# ---- forward mode


def _layers(x: Any, w: Any, b: Any) -> Any:
    return tg.tanh(tg.tanh(x @ w + b) @ w + b) @ w


def _attention(x: Any, w: Any, b: Any) -> Any:
    q = x @ w + b
    return tg.softmax(q @ x.T / x.shape[-1] ** 0.5, axis=-1) @ x


def _elementwise(x: Any, w: Any, b: Any) -> Any:
    for _ in range(5):
        x = tg.tanh(x * w + b) * 0.9
    return x


PROGRAMS = {"three layers": _layers, "attention": _attention, "an elementwise chain": _elementwise}
"""Of an input, in whose direction they are differentiated, a matrix and a row."""


def _drawn(n: int) -> tuple[Any, Any, Any, Any]:
    rng = np.random.default_rng(4)
    x, v, w = (tg.tensor(rng.normal(size=(n, n))) for _ in range(3))
    return x, v, w / n**0.5, tg.tensor(rng.normal(size=n))


def _forward(program: Any, n: int) -> Implementation:
    x, v, w, b = _drawn(n)
    return Implementation(lambda: tg.jvp(lambda x: program(x, w, b), (x,), (v,))[1])


def _by_program(program: Any, n: int) -> Any:
    x, v, w, b = _drawn(n)
    return tg.linearize(lambda x: program(x, w, b), x)[1](v)


def _value(program: Any, n: int) -> Implementation:
    x, _, w, b = _drawn(n)
    return Implementation(lambda: program(x, w, b), check=lambda: _by_program(program, n))


def _reverse(program: Any, n: int) -> Implementation:
    x, _, w, b = _drawn(n)
    seed = tg.ones_like(x)
    leaf = x.clone().requires_grad_()

    def run() -> Any:
        leaf.grad = None
        program(leaf, w, b).backward(seed)
        return leaf.grad

    return Implementation(run, check=lambda: _by_program(program, n))


# ---- products with the Hessian


def _chain(shape: tuple[int, ...]) -> tuple[Any, Any, Any]:
    x, w, b = (leaf.detach() for leaf in leaves(tg, shape))
    direction = np.random.default_rng(2).normal(size=shape).astype(np.float32)
    return lambda at: tanh_chain(tg, at, w, b).sum(), x, tg.tensor(direction)


def _chain_hvp(shape: tuple[int, ...]) -> Implementation:
    f, x, v = _chain(shape)
    return Implementation(lambda: tg.hvp(f, x, v)[1])


def _chain_gradient(shape: tuple[int, ...]) -> Implementation:
    f, x, v = _chain(shape)
    gradient = tg.grad(f)
    return Implementation(lambda: gradient(x), check=lambda: tg.grad(lambda at: (gradient(at) * v).sum())(x))


def _mlp(lib: Any) -> tuple[Parameters, Any, Any, Callable[..., Any]]:
    """Weights, examples, labels one-hot, and the loss of one example or of several."""
    rng = np.random.default_rng(0)
    a, b, c = WIDTHS
    weights = {
        name: lib.tensor(rng.normal(0, 0.2, shape).astype(np.float32))
        for name, shape in {"w1": (a, b), "b1": (b,), "w2": (b, c), "b2": (c,)}.items()
    }
    examples = lib.tensor(rng.normal(size=(EXAMPLES, a)).astype(np.float32))
    targets = lib.tensor(rng.normal(size=(EXAMPLES, c)).astype(np.float32))

    def loss(p: Parameters, x: Any, target: Any) -> Any:
        error = lib.tanh(x @ p["w1"] + p["b1"]) @ p["w2"] + p["b2"] - target
        return (error * error).sum()

    return weights, examples, targets, loss


def _mlp_hvp() -> Implementation:
    weights, x, target, loss = _mlp(tg)
    return Implementation(lambda: tg.hvp(lambda p: loss(p, x, target), weights, weights)[1])


def _mlp_gradient() -> Implementation:
    weights, x, target, loss = _mlp(tg)
    gradient = tg.grad(loss)

    def product() -> Any:
        return tg.jvp(lambda p: gradient(p, x, target), (weights,), (weights,))[1]

    return Implementation(lambda: gradient(weights, x, target), check=product)


# ---- whole matrices


def _deep(lib: Any) -> tuple[Callable[[Any], Any], Any]:
    """A number that depends on a vector through three layers."""
    rng = np.random.default_rng(3)
    layers = [lib.tensor(rng.normal(size=(INPUTS, INPUTS)) / np.sqrt(INPUTS)) for _ in range(3)]

    def f(x: Any) -> Any:
        for layer in layers:
            x = lib.tanh(layer @ x)
        return (x * x).sum()

    return f, lib.tensor(rng.normal(size=INPUTS))


def _hessian() -> Implementation:
    f, x = _deep(tg)
    return Implementation(partial(tg.hessian(f), x))


def _hessian_rows() -> Implementation:
    f, x = _deep(tg)
    basis = [tg.tensor(row) for row in np.eye(INPUTS)]
    return Implementation(lambda: tg.stack([tg.hvp(f, x, e)[1] for e in basis]))


def _torch_hessian(torch: Any) -> Implementation:
    f, x = _deep(torch)
    return Implementation(lambda: torch.func.hessian(f)(x))


def _jacobian(transform: Callable[..., Any]) -> Implementation:
    gradient, x = _slope()
    return Implementation(partial(transform(gradient), x))


def _slope() -> tuple[Callable[[Any], Any], Any]:
    f, x = _deep(tg)
    return tg.grad(f), x


def _jacobian_rows() -> Implementation:
    gradient, x = _slope()
    basis = [tg.tensor(row) for row in np.eye(INPUTS)]

    def rows() -> Any:
        _, pull = tg.vjp(gradient, x)
        return tg.stack([pull(e)[0] for e in basis])

    return Implementation(rows)


def _jacobian_columns() -> Implementation:
    gradient, x = _slope()
    basis = [tg.tensor(row) for row in np.eye(INPUTS)]
    return Implementation(lambda: tg.stack([tg.jvp(gradient, (x,), (e,))[1] for e in basis], axis=-1))


# ---- examples, and linear programs


def _each() -> Implementation:
    weights, x, target, loss = _mlp(tg)
    return Implementation(partial(tg.vmap(tg.grad(loss), in_axes=(None, 0, 0)), weights, x, target))


def _each_alone() -> Implementation:
    weights, x, target, loss = _mlp(tg)
    gradient = tg.grad(loss)

    def loop() -> Any:
        found = [gradient(weights, x[i], target[i]) for i in range(EXAMPLES)]
        return {name: tg.stack([one[name] for one in found]) for name in weights}

    return Implementation(loop)


def _torch_each(torch: Any) -> Implementation:
    weights, x, target, loss = _mlp(torch)
    each = torch.func.vmap(torch.func.grad(loss), in_dims=(None, 0, 0))
    return Implementation(lambda: each(weights, x, target))


def _program() -> Implementation:
    gradient, x = _slope()
    return Implementation(partial(tg.linearize(gradient, x)[1], x))


def _jvp() -> Implementation:
    gradient, x = _slope()
    return Implementation(lambda: tg.jvp(gradient, (x,), (x,))[1])
