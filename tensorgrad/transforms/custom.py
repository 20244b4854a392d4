"""Ops made of whole functions, with a derivative of the user's own.

A call becomes one node on the tape. Its card is made for the call, and passes the strict gate like
every card that is not the library's. Where a derivative of the derivative is wanted, the forward
function is run again on values that are tracked, so that what it hands to the backward function is
differentiable too; a first-order pass uses what the forward function left.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any, Generic, ParamSpec

from .._config import no_grad
from .._data import as_data
from .._errors import GradientError, RuleMissingError, ShapeError
from .._fused import set_pull
from .._gates import gate, guarded
from .._levels import new_level
from .._primitive import Formula, Primitive, Value
from .._record import process
from .._specialise import ARRAYS
from .._tape import Leaf, fill, pick
from .._tensor import Over, Tensor, pull, wrap
from .._tree import Tree, flatten, unflatten
from .jvp import variable

P = ParamSpec("P")


class custom_vjp(Generic[P]):
    """Give a function a backward pass of its own.

    Args:
        f: the function; its arguments are arrays or tensors, or containers of them.

    Declare the pass by ``f.defvjp(forward, backward)``: ``forward(*args)`` returns the result and
    whatever is to be kept, ``backward(kept, g)`` returns a tuple with the gradient of each argument,
    None for zero.

    Example:
        >>> import tensorgrad as tg
        >>> @tg.custom_vjp
        ... def clipped(x):
        ...     return x
        >>> clipped.defvjp(lambda x: (x, None), lambda kept, g: (tg.maximum(tg.minimum(g, 1.0), -1.0),))
        >>> tg.grad(lambda x: 5 * clipped(x))(2.0)
        tensor(1.)
    """

    def __init__(self, f: Callable[P, Any]) -> None:
        functools.update_wrapper(self, f)
        self.f = f
        self._rules: tuple[Callable[..., Any], Callable[..., Any]] | None = None

    def defvjp(self, forward: Callable[..., Any], backward: Callable[..., Any]) -> None:
        """Declare the forward function, which keeps something, and the backward function."""
        self._rules = forward, backward

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> Any:
        """Call the function, and record the call as one op."""
        if self._rules is None:
            raise RuleMissingError(
                f"{self.f.__name__}: declare its pass first, by .defvjp(forward, backward)"
            )
        forward, backward = self._rules
        return call_with_vjp(self.f.__name__, forward, backward, by_position(self.f, args, kwargs))


class custom_jvp(Generic[P]):
    """Give a function a forward-mode derivative of its own; the backward pass is its transpose.

    Declare it by ``f.defjvp(rule)``: ``rule(primals, tangents)`` returns the result and its tangent,
    which must be linear in the tangents.

    Example:
        >>> import tensorgrad as tg
        >>> @tg.custom_jvp
        ... def softplus(x):
        ...     return tg.log(1 + tg.exp(x))
        >>> softplus.defjvp(lambda xs, ts: (softplus(xs[0]), ts[0] * tg.sigmoid(xs[0])))
        >>> tg.grad(softplus)(0.0)
        tensor(0.5)
    """

    def __init__(self, f: Callable[P, Any]) -> None:
        functools.update_wrapper(self, f)
        self.f = f
        self._rule: Callable[..., Any] | None = None

    def defjvp(self, rule: Callable[..., Any]) -> None:
        """Declare the rule ``rule(primals, tangents) -> (result, tangent)``."""
        self._rule = rule

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> Any:
        """Call the function, and record the call as one op."""
        name, rule = self.f.__name__, self._rule
        function: Callable[..., Any] = self.f
        if rule is None:
            raise RuleMissingError(f"{name}: declare its derivative first, by .defjvp(rule)")
        call = _Call(name, by_position(self.f, args, kwargs))

        def forward(*xs: Any) -> Any:
            with no_grad():
                return call.results(function(*call.arguments(xs)))

        def tangent(xs: Sequence[Any], ts: Sequence[Any]) -> tuple[Any, ...]:
            _, t = rule(call.arguments(xs), call.arguments(ts, fill=True))
            return tuple(flatten(t)[0])

        def transpose(g: Any, xs: Any) -> list[Any]:
            return transpose_of(lambda ts: tangent(xs, ts), xs, g)

        card = call.card(forward)
        card.formulas["xs"] = Formula(transpose, ("g", "xs"))
        card.tangents["xs"] = Formula(lambda xs, t: tangent(xs, t), ("xs", "t"))
        return call.run(card)


class Function:
    """PyTorch's protocol for an op of one's own: subclass, write both passes, call ``apply``.

    ``forward(ctx, *args)`` computes the result from tensors and keeps what it needs by
    ``ctx.save_for_backward(...)`` or as attributes of ``ctx``; ``backward(ctx, *grads)`` returns a
    gradient for each argument of ``forward``, None for those that have none.

    Example:
        >>> import tensorgrad as tg
        >>> class Square(tg.Function):
        ...     @staticmethod
        ...     def forward(ctx, x):
        ...         ctx.save_for_backward(x)
        ...         return x * x
        ...     @staticmethod
        ...     def backward(ctx, g):
        ...         (x,) = ctx.saved_tensors
        ...         return 2 * x * g
        >>> tg.grad(Square.apply)(3.0)
        tensor(6.)
    """

    @staticmethod
    def forward(ctx: Any, *args: Any) -> Any:
        """Compute the result."""
        raise NotImplementedError("write forward(ctx, *args)")

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        """Compute the gradient of each argument."""
        raise NotImplementedError("write backward(ctx, *grads)")

    @classmethod
    def apply(cls, *args: Any) -> Any:
        """Apply the op and record it."""
        needs = tuple([isinstance(arg, Value) and (arg.level > 0 or arg.requires_grad) for arg in args])  # type: ignore[attr-defined]

        def forward(*xs: Any) -> tuple[Any, Context]:
            ctx = Context(needs)
            return cls.forward(ctx, *xs), ctx

        def backward(ctx: Context, g: Any) -> tuple[Any, ...]:
            grads = cls.backward(ctx, *(g if isinstance(g, tuple) else (g,)))
            return grads if isinstance(grads, tuple) else (grads,)

        return call_with_vjp(cls.__name__, forward, backward, args)


class Context:
    """What the forward of a `Function` leaves for its backward."""

    def __init__(self, needs_input_grad: tuple[bool, ...]) -> None:
        self.needs_input_grad = needs_input_grad
        self.saved_tensors: tuple[Any, ...] = ()

    def save_for_backward(self, *tensors: Any) -> None:
        """Keep tensors; ``saved_tensors`` has them in the backward pass."""
        self.saved_tensors = tensors


# ---- how a call becomes a node


def call_with_vjp(
    name: str, forward: Callable[..., Any], backward: Callable[..., Any], args: tuple[Any, ...]
) -> Any:
    """Apply ``forward`` and record it as one op whose cotangents ``backward`` computes."""
    call = _Call(name, args)
    left: dict[int, tuple[Any, Any]] = {}  # by the array of the first result: that array, and what was kept

    def run_forward(*xs: Any) -> Any:
        with no_grad():
            y, kept = _pair(name, forward(*call.arguments(xs)))
        results = call.results(y)
        left[id(results[0])] = results[0], kept
        return results

    def vjp(g: Any, y: Any, xs: Any) -> list[Any]:
        if id(y[0]) in left and not any(isinstance(x, Value) for x in xs):
            kept = left[id(y[0])][1]
        else:  # a derivative of higher order, or a batch: what is kept must be tracked itself
            _, kept = _pair(name, forward(*call.arguments(xs)))
        grads = backward(kept, unflatten(call.result_tree, [_as_value(one) for one in g]))
        return call.gradients(grads, xs)

    card = call.card(run_forward)
    card.formulas["xs"] = Formula(vjp, ("g", "y", "xs"))
    return call.run(card)


class CallCard(Primitive):
    """The card of one call. It lives as long as the call's node, so nothing is generated for it."""

    saves = ("xs", "y", "outputs_", "xs_dtype")

    @property
    def op(self) -> Callable[..., Any]:  # type: ignore[override]
        """The op of this card."""
        return lambda *args: process(self, args, ())

    def pullback(self, g: Any, edges: Any, saved: Any, shape: Any) -> tuple[Any, ...]:
        """One cotangent for each input, checked by the gate."""
        xs, y, layouts, dtypes = saved
        (g,) = guarded((g,))
        rule = self.formulas["xs"]
        found = self.evaluate(rule, xs, (), y=y, g=fill(g, layouts))
        return tuple([
            None if edge is None else gate(self, f"argument {i}", c, edge.shape, dtype)
            for i, (c, edge, dtype) in enumerate(zip(found, edges, dtypes, strict=True))
        ])  # fmt: skip

    def revive(self, saved: Any, edges: Any, node: Any, wrap: Any) -> tuple[Any, ...]:
        """What was saved, as tensors on the nodes that it came from."""
        xs, y, layouts, dtypes = saved
        xs = tuple([x if edge is None else wrap(x, edge) for x, edge in zip(xs, edges, strict=True)])
        return xs, tuple([wrap(one, pick(node, i, one)) for i, one in enumerate(y)]), layouts, dtypes


class _Call:
    """One call of a custom function: which of its arguments are inputs, and the shape of its result."""

    def __init__(self, name: str, args: tuple[Any, ...]) -> None:
        self.name = name
        self.leaves, self.tree = flatten(args)
        arrays = [i for i, leaf in enumerate(self.leaves) if isinstance(leaf, Value) or type(leaf) in ARRAYS]
        # Numbers are settings, unless there is nothing else.
        self.dynamic = arrays or [
            i for i, leaf in enumerate(self.leaves) if isinstance(leaf, float | complex)
        ]
        self.result_tree: Tree = Tree(None)

    def arguments(self, xs: Sequence[Any], *, fill: bool = False) -> Any:
        """The arguments with ``xs`` in the places of the inputs; ``fill`` puts zeros elsewhere."""
        leaves = (
            [0.0 if isinstance(one, float) else None for one in self.leaves] if fill else list(self.leaves)
        )
        for i, x in zip(self.dynamic, xs, strict=True):
            leaves[i] = _as_value(x)
        return unflatten(self.tree, leaves)

    def results(self, y: Any) -> tuple[Any, ...]:
        """What the function returned, as a tuple of arrays; its structure is noted."""
        leaves, self.result_tree = flatten(y)
        if not leaves:
            raise GradientError(
                f"{self.name}: the forward returned nothing; return at least one array or tensor"
            )
        return tuple([leaf._d if isinstance(leaf, Tensor) else as_data(leaf, copy=True) for leaf in leaves])

    def card(self, forward: Callable[..., Any]) -> Primitive:
        return CallCard(
            self.name, "general", forward, ("xs",), True, (), {}, several=True, trusted=False, adopted=True
        )

    def run(self, card: Primitive) -> Any:
        """Apply the card, and give the results the structure that the function gave them."""
        y = process(card, tuple([self.leaves[i] for i in self.dynamic]), ())
        return unflatten(self.result_tree, y)

    def gradients(self, grads: Any, xs: Sequence[Any]) -> list[Any]:
        """What ``backward`` returned, one for each input, as the engine's own kind of value."""
        top = tuple(self._split(grads))
        return [_like(g, x) for g, x in zip(top, xs, strict=True)]

    def _split(self, grads: Any) -> list[Any]:
        children = self.tree.children
        if not isinstance(grads, tuple | list) or len(grads) != len(children):
            got = f"{len(grads)}" if isinstance(grads, tuple | list) else f"a {type(grads).__name__}"
            raise GradientError(
                f"{self.name}: the backward returned {got} for {len(children)} arguments; return a tuple with one "
                "gradient for each, None for zero"
            )
        out: list[Any] = []
        for grad, child, position in zip(grads, children, range(len(children)), strict=True):
            if grad is None:
                out += [None] * child.size
                continue
            leaves, tree = flatten(grad)
            if len(leaves) != child.size:
                raise GradientError(
                    f"{self.name}: the gradient of argument {position} has {len(leaves)} leaves at {tree.paths()}, the "
                    f"argument {child.size} at {child.paths()}"
                )
            out += leaves
        return [out[i] for i in self.dynamic]


def by_position(f: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, ...]:
    """The arguments of a call in the order of the signature, defaults filled in: each has its gradient."""
    bound = inspect.signature(f).bind(*args, **kwargs)
    bound.apply_defaults()
    if bound.kwargs:
        raise GradientError(
            f"{getattr(f, '__name__', 'function')}: {', '.join(bound.kwargs)} can only be given by keyword, and so "
            "have no place for a gradient; make them positional"
        )
    return bound.args


def transpose_of(f: Callable[[Sequence[Any]], Sequence[Any]], xs: Sequence[Any], g: Any) -> list[Any]:
    """The transpose of the linear function ``f`` of tangents of ``xs``, applied to ``g``."""
    with new_level() as level:
        return _pulled(f, [variable(x, level) for x in xs], g, level)


def pull_through(f: Callable[[Sequence[Any]], Sequence[Any]], xs: Sequence[Any], g: Any) -> list[Any]:
    """The cotangents of ``xs`` for the cotangents ``g`` of the results of ``f``, recorded where lower levels record."""
    with new_level() as level:
        variables = [Over(x, Leaf(x.shape, x.dtype), level, always=True) for x in xs]
        return _pulled(f, variables, g, level)


def _pulled(
    f: Callable[[Sequence[Any]], Sequence[Any]], ts: Sequence[Over], g: Any, level: float
) -> list[Any]:
    """Walk back through ``f`` from ``g`` to its variables ``ts``."""
    results = f(ts)
    cotangents = g if isinstance(g, tuple) else (g,)
    pairs = [
        (r, c) for r, c in zip(results, cotangents, strict=True)
        if isinstance(r, Over) and r.level == level and r._node is not None
    ]  # fmt: skip
    if not pairs:
        return [None] * len(ts)
    for r, c in pairs:
        if r.shape != c.shape:
            raise ShapeError(
                f"custom_jvp: the rule returned a tangent of shape {r.shape} for a result of {c.shape}"
            )
    found, _ = pull(
        [r for r, _ in pairs], [c for _, c in pairs], frozenset([t._node for t in ts]), retain=True
    )
    return [found.get(t._node) for t in ts]


def _pair(name: str, result: Any) -> tuple[Any, Any]:
    if not isinstance(result, tuple) or len(result) != 2:
        raise GradientError(f"{name}: the forward must return a pair, the result and what the backward needs")
    return result


def _as_value(x: Any) -> Any:
    """Arrays as tensors, so that a user's function sees what it was called with."""
    return wrap(x, None) if type(x) in ARRAYS else x


def _like(g: Any, x: Any) -> Any:
    return g._d if isinstance(g, Tensor) and g.level == 0 and type(x) in ARRAYS else g


set_pull(pull_through)
