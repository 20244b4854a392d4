"""One function, a^2 sin(b), with a derivative declared in every way there is."""

from __future__ import annotations

from typing import Any

import numpy as np

import tensorgrad as tg


def plain(a: Any, b: Any) -> Any:
    return a * a * tg.sin(b)


@tg.custom_vjp
def by_vjp(a: Any, b: Any) -> Any:
    return a * a * tg.sin(b)


def _forward(a: Any, b: Any) -> Any:
    s = tg.sin(b)  # an intermediate value, which depends on b too
    return a * a * s, {"a": a, "s": s, "b": b}


def _backward(kept: Any, g: Any) -> Any:
    a, s, b = kept["a"], kept["s"], kept["b"]
    return 2 * a * s * g, a * a * tg.cos(b) * g


by_vjp.defvjp(_forward, _backward)


@tg.custom_jvp
def by_jvp(a: Any, b: Any) -> Any:
    return a * a * tg.sin(b)


def _rule(primals: Any, tangents: Any) -> Any:
    (a, b), (da, db) = primals, tangents
    s = tg.sin(b)
    return a * a * s, 2 * a * s * da + a * a * tg.cos(b) * db


by_jvp.defjvp(_rule)


class ByFunction(tg.Function):
    @staticmethod
    def forward(ctx: Any, a: Any, b: Any) -> Any:
        s = tg.sin(b)
        ctx.save_for_backward(a, b)
        ctx.s = s
        return a * a * s

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        a, b = ctx.saved_tensors
        da = 2 * a * ctx.s * g if ctx.needs_input_grad[0] else None
        db = a * a * tg.cos(b) * g if ctx.needs_input_grad[1] else None
        return da, db


@tg.elementwise
def by_elementwise(a: Any, b: Any) -> Any:
    return a * a * np.sin(b)


by_elementwise.derivative(a=lambda a, b: 2 * a * tg.sin(b), b=lambda a, b: a * a * tg.cos(b))


@tg.primitive
def by_primitive(a: Any, b: Any) -> Any:
    return a * a * np.sin(b)


by_primitive.vjp(a=lambda g, a, b: g * 2 * a * tg.sin(b), b=lambda g, a, b: g * a * a * tg.cos(b))


@tg.primitive
def by_both(a: Any, b: Any) -> Any:
    return a * a * np.sin(b)


by_both.vjp(a=lambda g, a, b: g * 2 * a * tg.sin(b), b=lambda g, a, b: g * a * a * tg.cos(b))
by_both.jvp(a=lambda t, a, b: t * 2 * a * tg.sin(b), b=lambda t, a, b: t * a * a * tg.cos(b))


@tg.primitive
def by_list(*xs: Any) -> Any:
    return xs[0] * xs[0] * np.sin(xs[1])


by_list.vjp(
    xs=lambda g, xs, wanted: [
        g * 2 * xs[0] * tg.sin(xs[1]) if wanted[0] else None,
        g * xs[0] * xs[0] * tg.cos(xs[1]) if wanted[1] else None,
    ]
)

WAYS = {
    "custom_vjp": by_vjp,
    "custom_jvp": by_jvp,
    "Function": ByFunction.apply,
    "elementwise": by_elementwise,
    "primitive with vjp": by_primitive,
    "primitive with both": by_both,
    "primitive of a list": by_list,
}
