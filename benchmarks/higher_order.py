"""Second order and Hessian-vector products; chains per op, the MLP per product.

"Second order" times, for ``y = tanh_chain(x, w, b)``: recording the chain, the three gradients of ``y``
with ``create_graph``, the sum of their squares, and ``backward`` from there to ``x, w, b``.

"H v" times the product of the Hessian of a scalar function f with a vector v, recording f included. Here
it is a call of ``grad(x -> sum(grad(f)(x) * v))``, which is made beforehand; with PyTorch the fastest of
``torch.autograd.functional.hvp``, of ``torch.autograd.functional.vhp`` (the same product, as Hessians are
symmetric), and of two calls of ``torch.autograd.grad``, the first with ``create_graph`` and the second with
``grad_outputs=v``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

import tensorgrad as tg

from .chains import OPS, SHAPES, leaves, tanh_chain
from .harness import Case, Implementation, Maker

SECOND_ORDER = (0.5, 0.8, 0.8)
PRODUCT = 1.0


def cases(torch: Any) -> Iterator[Case]:
    """Second order of the first chain, then products for the chain and for a small MLP."""
    for shape, must in zip(SHAPES, SECOND_ORDER, strict=True):
        peers: dict[str, Maker] = {"torch": partial(_second_order, torch, shape)} if torch else {}
        ours = partial(_second_order, tg, shape)
        yield Case("second order of the first chain", str(shape), ours, peers, must=must, per=OPS)
    for shape in SHAPES:
        yield _product("H v, first chain", str(shape), partial(_chain_sum, shape), torch, OPS)
    yield _product("H v, MLP 64-64-10, batch 16, first weights", "(64, 64)", _mlp_loss, torch, 1)


def _second_order(lib: Any, shape: tuple[int, ...]) -> Implementation:
    inputs = leaves(lib, shape)
    seed = lib.tensor(np.ones(shape, np.float32))

    def run() -> Any:
        for leaf in inputs:
            leaf.grad = None
        y = tanh_chain(lib, *inputs)
        a, b, c = lib.autograd.grad(y, inputs, seed, create_graph=True)
        ((a * a).sum() + (b * b).sum() + (c * c).sum()).backward()
        return a, b, c, [leaf.grad for leaf in inputs]

    return Implementation(run)


Function = Callable[[Any], Any]
MakeFunction = Callable[[Any], tuple[Function, np.ndarray[Any, Any]]]


def _chain_sum(shape: tuple[int, ...], lib: Any) -> tuple[Function, np.ndarray[Any, Any]]:
    x, w, b = (leaf.detach() for leaf in leaves(lib, shape))
    return lambda at: tanh_chain(lib, at, w, b).sum(), x.numpy()


def _mlp_loss(lib: Any) -> tuple[Function, np.ndarray[Any, Any]]:
    """The loss of a two-layer network, as a function of its first weights."""
    rng = np.random.default_rng(1)
    shapes = (16, 64), (64,), (64, 10), (16, 10)
    data, bias, last, target = (lib.tensor(rng.normal(0, 0.3, one).astype(np.float32)) for one in shapes)

    def loss(weights: Any) -> Any:
        error = lib.tanh(data @ weights + bias) @ last - target
        return (error * error).mean()

    return loss, rng.normal(0, 0.12, (64, 64)).astype(np.float32)


def _product(name: str, shape: str, make: MakeFunction, torch: Any, per: int) -> Case:
    forms = {"hvp": _torch_hvp, "vhp": _torch_vhp, "grads": _torch_two_grads} if torch else {}
    peers: dict[str, Maker] = {f"torch {form}": partial(maker, torch, make) for form, maker in forms.items()}
    return Case(name, shape, partial(_ours, make), peers, must=PRODUCT, per=per)


def _ours(make: MakeFunction) -> Implementation:
    f, x, v = _given(tg, make)
    gradient = tg.grad(f)
    return Implementation(partial(tg.grad(lambda at: (gradient(at) * v).sum()), x))


def _torch_hvp(torch: Any, make: MakeFunction) -> Implementation:
    f, x, v = _given(torch, make)
    return Implementation(lambda: torch.autograd.functional.hvp(f, x, v)[1])


def _torch_vhp(torch: Any, make: MakeFunction) -> Implementation:
    f, x, v = _given(torch, make)
    return Implementation(lambda: torch.autograd.functional.vhp(f, x, v)[1])


def _torch_two_grads(torch: Any, make: MakeFunction) -> Implementation:
    f, x, v = _given(torch, make)
    x.requires_grad_()

    def run() -> Any:
        (g,) = torch.autograd.grad(f(x), x, create_graph=True)
        return torch.autograd.grad(g, x, v)

    return Implementation(run, check=lambda: run()[0])


def _given(lib: Any, make: MakeFunction) -> tuple[Function, Any, Any]:
    f, x = make(lib)
    v = np.asarray(np.random.default_rng(2).normal(size=x.shape), np.float32)
    return f, lib.tensor(x), lib.tensor(v)
