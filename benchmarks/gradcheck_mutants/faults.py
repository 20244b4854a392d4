"""A copy of a card whose derivative has a fault, under the card's own name.

The copy is a general card: it computes the cotangent of each input by the card that it copies, and
hands the one of the input that is meant to the fault. It is planted like an op of the library (`trusted`:
the engine looks at the shape of what a formula returns and at nothing else) or like one of the user's,
whose cotangents pass the strict gate. Faults are written with ops, so that they may be differentiated,
batched and recorded like any formula.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import numpy as np

import tensorgrad as tg
from tensorgrad._primitive import Formula, Primitive
from tensorgrad._specialise import make_op
from tensorgrad._tape import layouts_of
from tensorgrad._writer import saved_names


@dataclass
class Call:
    """One call of the derivative: the cotangent of the result, and what the op saw.

    Attributes:
        card: the right card.
        position: of the input whose cotangent is asked for.
        g: the cotangent of the result; a tuple of them for an op with several results.
        values: inputs, the result ``y`` and parameters, by name.
        seen: inputs and result of the latest forward call.
    """

    card: Primitive
    position: int
    g: Any
    values: dict[str, Any]
    seen: dict[str, Any] = field(default_factory=dict)

    @property
    def x(self) -> Any:
        """The input whose cotangent is asked for."""
        return self.inputs()[self.position]

    def inputs(self) -> list[Any]:
        """All inputs, the list of them spread out."""
        values = [self.values[name] for name in self.card.inputs]
        return [*values[:-1], *values[-1]] if self.card.variadic else values

    def right(self, g: Any = None, shape: tuple[int, ...] | None = None, **values: Any) -> Any:
        """The right cotangent, or the one for another ``g``, other saved values, another shape to sum to."""
        table = {**self.values, **values}
        for i, name in enumerate(self.card.inputs):
            own = table[name]
            many = self.card.variadic and i == len(self.card.inputs) - 1
            for what in ("shape", "dtype"):
                table[f"{name}_{what}"] = (
                    tuple([getattr(one, what) for one in own]) if many else getattr(own, what)
                )
        if self.card.several:
            table["outputs_"] = layouts_of(table["y"])
        saved = tuple([table[name] for name in saved_names(self.card)])
        edges: list[Any] = [None] * len(self.inputs())
        edges[self.position] = SimpleNamespace(
            shape=self.x.shape if shape is None else shape, dtype=self.x.dtype
        )
        y = table["y"]
        found = self.card.pullback(
            self.g if g is None else g, tuple(edges), saved, None if self.card.several else y.shape
        )
        c = found[self.position]
        return self.x * 0 if c is None else c


Wrong = Callable[[Call], Any]
"""A fault: what the formula returns instead of `Call.right`."""


@dataclass
class Planted:
    """A faulty copy of a card.

    Attributes:
        right: the card that is copied.
        position: of the input whose cotangent is wrong.
        wrong: the fault.
        trusted: whether the copy is taken for an op of the library.
        seen: the inputs and the result of the last forward call.
    """

    right: Primitive
    position: int
    wrong: Wrong
    trusted: bool = True
    seen: dict[str, Any] = field(default_factory=dict)

    @functools.cached_property
    def card(self) -> Primitive:
        """The copy."""
        right = self.right

        @functools.wraps(right.forward)
        def forward(*args: Any, **params: Any) -> Any:
            y = right.forward(*args, **params)
            if all(isinstance(one, np.ndarray | np.generic) for one in args):
                many = len(right.inputs) - 1 if right.variadic else len(args)
                self.seen = dict(zip(right.inputs, args[:many], strict=False)) | {"y": y}
                if right.variadic:
                    self.seen[right.inputs[-1]] = tuple(args[many:])
            return y

        card = Primitive(
            right.name, "general", forward, right.inputs, right.variadic, right.params, right.defaults,
            right.several, right.analytic, right.broadcasts, self.trusted, self.trusted,
        )  # fmt: skip
        card.batch = right.batch
        names = ("g", *right.inputs, "y", *right.params)
        for name in right.formulas:
            card.formulas[name] = Formula(functools.partial(self._formula, name), names)
        op: Any = make_op(card)
        card.op = op
        functools.update_wrapper(op, right.op)
        op.card = card
        return card

    def _formula(self, name: str, g: Any, *values: Any) -> Any:
        right = self.right
        table = dict(zip((*right.inputs, "y", *right.params), values, strict=True))
        first = right.inputs.index(name)
        many = right.variadic and first == len(right.inputs) - 1
        if not many:
            return self._one(Call(right, first, g, table, self.seen))
        return [self._one(Call(right, first + k, g, table, self.seen)) for k in range(len(table[name]))]

    def _one(self, call: Call) -> Any:
        return self.wrong(call) if call.position == self.position else call.right()

    def call(self, xs: Sequence[Any], params: dict[str, Any], g: Any) -> Call:
        """The call of the derivative for plain arrays, to look at a fault alone."""
        right = self.right
        many = len(right.inputs) - 1 if right.variadic else len(xs)
        values = dict(zip(right.inputs, xs[:many], strict=False))
        if right.variadic:
            values[right.inputs[-1]] = tuple(xs[many:])
        values |= {name: params.get(name, right.defaults.get(name)) for name in right.params}
        values["y"] = right.forward(*xs, **{n: values[n] for n in right.params})
        return Call(right, self.position, g, values)


def array_of(value: Any) -> Any:
    """The array in a tensor."""
    return np.asarray(value._d if isinstance(value, tg.Tensor) else value)
