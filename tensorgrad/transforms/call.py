"""One call of a function with a derivative of its own, and the rules that run and differentiate it.

Rules work on flat lists of values, so that a batch of calls is a call again: `BatchRules` runs the rules
of one example under `vmap`. `call_card` makes an op of them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from .. import ops
from .._data import as_data
from .._errors import GradientError
from .._levels import new_level, reopened
from .._primitive import Value
from .._specialise import ARRAYS
from .._tape import collect
from .._tree import Tree, flatten, flatten_like, unflatten
from .transpose import transpose_of
from .vmap import Batched


class Call:
    """One call: which of its arguments are inputs of the op, and the structure of arguments and results.

    Arrays and tensors are inputs; numbers are settings, unless there is nothing else.
    """

    def __init__(self, name: str, args: tuple[Any, ...], names: Sequence[str] = ()) -> None:
        self.name = name
        self.names = names
        self.leaves, self.tree = flatten(args)
        self.dynamic = [
            i for i, leaf in enumerate(self.leaves) if isinstance(leaf, Value) or type(leaf) in ARRAYS
        ] or [i for i, leaf in enumerate(self.leaves) if isinstance(leaf, float | complex)]
        self.result_tree: Tree = Tree(None)

    def arguments(self, xs: Sequence[Any], *, fill: bool = False) -> Any:
        """The arguments with ``xs`` in the places of the inputs; ``fill`` puts zeros elsewhere."""
        leaves = (
            [0.0 if isinstance(one, float) else None for one in self.leaves] if fill else list(self.leaves)
        )
        for i, x in zip(self.dynamic, xs, strict=True):
            leaves[i] = x
        return unflatten(self.tree, leaves)

    def results(self, y: Any) -> list[Any]:
        """The leaves of what the function returned; its structure is noted."""
        leaves, self.result_tree = flatten(y)
        if not leaves:
            raise GradientError(
                f"{self.name}: the forward returned nothing; return at least one array or tensor"
            )
        return leaves

    def label(self, position: int) -> str:
        """What an input is called in messages: its argument, and the path from there."""
        path = self.paths()[self.dynamic[position]]
        return path if self.names else f"argument {path}"

    def paths(self) -> list[str]:
        """A readable path for each leaf of the arguments."""
        return [p for i, child in enumerate(self.tree.children) for p in child.paths(self.argument(i))]

    def argument(self, i: int) -> str:
        """The name of an argument; its position where the function has ``*args``."""
        return self.names[i] if i < len(self.names) else str(i)

    def gradients(self, grads: Any) -> list[Any]:
        """What a backward function returned, as one cotangent for each input."""
        children = self.tree.children
        if not isinstance(grads, tuple | list) or len(grads) != len(children):
            got = f"{len(grads)}" if isinstance(grads, tuple | list) else f"a {type(grads).__name__}"
            raise GradientError(
                f"{self.name}: the backward returned {got} for {len(children)} arguments; return a tuple with one "
                "gradient for each, None for zero"
            )
        found: list[Any] = []
        for i, (grad, child) in enumerate(zip(grads, children, strict=True)):
            self._spread(grad, child, self.argument(i), found)
        return [found[i] for i in self.dynamic]

    def _spread(self, grad: Any, tree: Tree, path: str, found: list[Any]) -> None:
        """Add the leaves of a gradient in the order of its argument; None is zero for all below it."""
        if grad is None:
            found += [None] * tree.size
            return
        leaves, given = flatten(grad)
        if tree.kind is None and given.kind is None:
            found += leaves
            return
        if (tree.kind is None) != (given.kind is None) or set(given.keys) != set(tree.keys):
            raise GradientError(
                f"{self.name}: the gradient of argument {path} has {len(leaves)} leaves at {given.paths()}, the "
                f"argument {tree.size} at {tree.paths()}; return the structure of the argument, None for zero"
            )
        entries = grad if isinstance(grad, dict) else None
        for i, (key, child) in enumerate(zip(tree.keys, tree.children, strict=True)):
            if entries is not None:
                part = entries[key]
            elif isinstance(grad, tuple | list):
                part = grad[i]
            else:
                part = getattr(grad, key)
            self._spread(part, child, f"{path}[{key!r}]", found)


# ---- rules: what a card asks


class Rules:
    """How one call is run and differentiated, on flat lists of values.

    Attributes:
        call: the call that it belongs to.
    """

    def __init__(self, call: Call) -> None:
        self.call = call

    def run(self, xs: Sequence[Any]) -> tuple[list[Any], Any]:
        """The results, and what is kept of the run for `pull`."""
        raise NotImplementedError

    def pull(self, kept: Any, g: Sequence[Any], xs: Sequence[Any]) -> list[Any]:
        """The cotangent of each input, None for zero."""
        raise NotImplementedError

    def push(self, xs: Sequence[Any], ts: Sequence[Any]) -> Sequence[Any] | None:
        """The tangent of each result, or None if it is to be derived from `pull`."""
        return None

    def label(self, position: int) -> str:
        """What an input is called in messages."""
        return self.call.label(position)


class VjpRules(Rules):
    """A forward function that keeps something, and a backward function."""

    def __init__(self, call: Call, forward: Callable[..., Any], backward: Callable[..., Any]) -> None:
        super().__init__(call)
        self.forward = forward
        self.backward = backward

    def run(self, xs: Sequence[Any]) -> tuple[list[Any], Any]:
        """Run the forward function."""
        result = self.forward(*self.call.arguments(xs))
        if not isinstance(result, tuple) or len(result) != 2:
            raise GradientError(
                f"{self.call.name}: the forward must return a pair, the result and what the backward needs; it returned "
                f"a {type(result).__name__}"
            )
        return self.call.results(result[0]), result[1]

    def pull(self, kept: Any, g: Sequence[Any], xs: Sequence[Any]) -> list[Any]:
        """Run the backward function."""
        return self.call.gradients(self.backward(kept, unflatten(self.call.result_tree, g)))


class JvpRules(Rules):
    """A function, and a rule that gives its tangent."""

    def __init__(self, call: Call, function: Callable[..., Any], rule: Callable[..., Any]) -> None:
        super().__init__(call)
        self.function = function
        self.rule = rule

    def run(self, xs: Sequence[Any]) -> tuple[list[Any], Any]:
        """Run the function."""
        return self.call.results(self.function(*self.call.arguments(xs))), None

    def pull(self, kept: Any, g: Sequence[Any], xs: Sequence[Any]) -> list[Any]:
        """The transpose of the rule."""
        return transpose_of(self.call.name, lambda ts: self.push(xs, ts), xs, g)

    def push(self, xs: Sequence[Any], ts: Sequence[Any]) -> Sequence[Any]:
        """Run the rule."""
        name = self.call.name
        both = self.rule(self.call.arguments(xs), self.call.arguments(ts, fill=True))
        if not isinstance(both, tuple | list) or len(both) != 2:
            raise GradientError(
                f"{name}: the rule must return a pair, the result and its tangent; it returned a {type(both).__name__}"
            )
        return flatten_like(self.call.result_tree, both[1], f"{name}: the rule's tangent")


class BatchRules(Rules):
    """The rules of one example, for a batch of them; the batch axis of what has one is the first."""

    def __init__(self, one: Rules, size: int, batched: Sequence[bool]) -> None:
        super().__init__(one.call)
        self.one = one
        self.size = size
        self.batched = batched

    def run(self, xs: Sequence[Any]) -> tuple[list[Any], Any]:
        """Run the examples at once."""
        with new_level() as level:
            results, kept = self.one.run(self.examples(xs, level))
            return [self.together(y, level) for y in results], (level, kept)

    def pull(self, kept: Any, g: Sequence[Any], xs: Sequence[Any]) -> list[Any]:
        """Pull back the examples at once."""
        level, kept = kept
        # What was kept holds values of the level of that run.
        with reopened(frozenset([level])):
            gs = [Batched(one, level) for one in g]
            found = self.one.pull(kept, gs, self.examples(xs, level))
            return [
                None if c is None else self.together(c, level) if own else self.summed(c, level)
                for c, own in zip(found, self.batched, strict=True)
            ]

    def push(self, xs: Sequence[Any], ts: Sequence[Any]) -> Sequence[Any] | None:
        """Push the examples forward at once."""
        with new_level() as level:
            found = self.one.push(self.examples(xs, level), self.examples(ts, level))
            return None if found is None else [self.together(t, level) for t in found]

    def examples(self, xs: Sequence[Any], level: float) -> list[Any]:
        """Inputs as one example sees them."""
        return [Batched(x, level) if own else x for x, own in zip(xs, self.batched, strict=True)]

    def together(self, value: Any, level: float) -> Any:
        """The batch that a value stands for; what is the same for all examples is repeated."""
        if isinstance(value, Batched) and value.level == level:
            return value.batch
        if isinstance(value, Value) and value.level > level:
            raise captured(self.call.name, value)
        value = value if isinstance(value, Value) else as_data(value)
        return ops.broadcast_to(value, (self.size, *value.shape))

    def summed(self, value: Any, level: float) -> Any:
        """The cotangent of an input that all examples share: the sum of theirs."""
        return ops.sum(self.together(value, level), axis=0)

    def label(self, position: int) -> str:
        """What an input is called in messages."""
        return f"{self.one.label(position)} (a batch of {self.size})"


def captured(name: str, value: Any) -> GradientError:
    """The error for a value with a derivative that a function took from elsewhere than its arguments."""
    node = getattr(value, "_node", None)
    shapes = sorted({leaf.shape for leaf in collect([node])[1]}) if node is not None else []
    which = f" of shape {shapes[0]}" if len(shapes) == 1 else f"s of shapes {shapes}" if shapes else ""
    return GradientError(
        f"{name}: its result depends on a value{which} that is being differentiated or batched and is not one of its "
        "differentiable arguments (captured from outside, an attribute, keyword-only, or in nondiff_argnums), so that "
        "its derivative would be lost; pass it as an argument, or tg.stop_gradient of it if it is meant as a constant"
    )
