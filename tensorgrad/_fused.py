"""Fused ops: a composite of ops, and a fast pair in NumPy that computes the same.

The composite is the definition. The pair, a forward and a backward function on arrays, runs where it
pays: on float32 and float64, first order. Everything else decomposes: forward mode, batching and
derivatives of derivatives apply the composite, so a fused op needs no formulas for them. ::

    @fused(composite_of_layer_norm, public=1)
    def layer_norm(*operands: Any, eps: float) -> Any:
        '''...'''
        return y, mean, scale  # what is behind the public results is kept for the backward


    @layer_norm.pull
    def _(g, operands, y, wanted, eps): ...  # one cotangent for each operand, None if not wanted

Inputs before the list of operands, such as labels, have no derivative. An op whose cotangents share
no work has ordinary formulas instead of a pull: ``op.vjp(x=..., w=...)``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, cast

from ._primitive import Formula, Primitive, Value, declare

FAST = ("f", "d")
"""The type codes that the pairs are written for."""

Pull = Callable[[Callable[[Sequence[Any]], Sequence[Any]], Sequence[Any], Any], list[Any]]
pull_through: Pull | None = None


def set_pull(function: Pull) -> None:
    """Told by `transforms` how to pull back through a composite; nothing down here imports it."""
    global pull_through
    pull_through = function


class Fused:
    """A fused op: call it, and it takes the pair or the composite.

    Attributes:
        card: of the pair; ``card.composite`` is what it computes.
        public: how many of its results are handed out, if it returns a tuple.
        fixed: how many inputs without a derivative stand before its operands.
    """

    def __init__(
        self, forward: Callable[..., Any], composite: Callable[..., Any], public: int | None
    ) -> None:
        op = declare(forward, "general", several=public is not None)
        self.card: Primitive = op.card
        self.card.composite = composite
        self.public = public
        self.fixed = len(self.card.inputs) - 1 if self.card.variadic else 0
        self.vjp = op.vjp
        self.__name__ = self.card.name
        self.__doc__ = forward.__doc__

    def __call__(self, *args: Any, **params: Any) -> Any:
        kind = None
        for arg in args[self.fixed :]:
            dtype = getattr(arg, "dtype", None)
            if kind is None:
                kind = dtype
            if dtype is None or (dtype is not kind and dtype != kind):
                return self.card.composite(*args, **params)  # type: ignore[misc]
        if kind is None or kind.char not in FAST:
            return self.card.composite(*args, **params)  # type: ignore[misc]
        y = self.card.op(*args, **params)
        if (
            self.public is None or type(y) is not tuple
        ):  # where a batch is open, it was the composite's result
            return y
        return y[0] if self.public == 1 else y[: self.public]

    def pull(self, backward: Callable[..., Sequence[Any]]) -> Callable[..., Sequence[Any]]:
        """Declare the fast backward: ``backward(g, *inputs, y, wanted, *params)``, all on arrays."""
        card = self.card
        *fixed, operands = card.inputs

        def rule(g: Any, y: Any, wanted: Any, *values: Any) -> Sequence[Any]:
            leading, xs, params = values[: len(fixed)], values[len(fixed)], values[len(fixed) + 1 :]
            parts = g if isinstance(g, tuple) else (g,)
            if not any(isinstance(one, Value) for one in (*parts, *leading, *xs)):
                return backward(g, *leading, xs, y, wanted, *params)
            return self._pull_composite(
                parts, leading, xs, wanted, dict(zip(card.params, params, strict=True))
            )

        names = ("g", "y", "wanted", *fixed, operands, *card.params)
        card.formulas[operands] = Formula(rule, names)
        return backward

    def _pull_composite(
        self, g: Any, leading: Any, xs: Any, wanted: Any, params: dict[str, Any]
    ) -> Sequence[Any]:
        places = [i for i, asked in enumerate(wanted) if asked]

        def at(variables: Sequence[Any]) -> Sequence[Any]:
            full = list(xs)
            for i, variable in zip(places, variables, strict=True):
                full[i] = variable
            results = self.card.composite(*leading, *full, **params)  # type: ignore[misc]
            return results if isinstance(results, tuple) else (results,)

        count = self.public or 1
        found = cast(Pull, pull_through)(at, [xs[i] for i in places], tuple(g[:count]))
        out: list[Any] = [None] * len(xs)
        for i, c in zip(places, found, strict=True):
            out[i] = c
        return out


def fused(composite: Callable[..., Any], public: int | None = None) -> Callable[[Callable[..., Any]], Fused]:
    """Declare a fast pair for a composite.

    Args:
        composite: computes the same with ops; takes the same arguments and returns the public results.
        public: how many results of the forward are public, if it returns a tuple; the rest is kept for
            the backward.
    """
    return lambda forward: Fused(forward, composite, public)
