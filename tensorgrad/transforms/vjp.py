"""Reverse mode with the cotangents left open: one record, pulled back as often as wanted.

With no other transformation open the function runs on the tape of plain tensors, which is fast. Inside
another transformation the variables stand on a level of their own; what their nodes saved are values of
lower levels, so that the record may be walked after its level has ended, and is recorded where those are.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .. import ops
from .._config import enable_grad, is_grad_enabled
from .._data import as_data
from .._errors import MutatedError, ShapeError
from .._levels import new_level, open_levels
from .._primitive import Value
from .._specialise import ARRAYS
from .._specialise import plain as scalar_if_0d
from .._tape import Leaf, collect, is_closed, settle, tick
from .._tensor import Over, Tensor, pull_from, wrap
from .._tree import Tree, flatten, map_leaves, unflatten
from .around import recorded_here
from .grad import CLOSE_OVER, check_differentiable, check_function, private, result_and_aux
from .like import Like, from_tensors


def vjp(f: Callable[..., Any], *primals: Any, has_aux: bool = False) -> Any:
    """The value of ``f``, and the function that pulls cotangents of it back to the arguments.

    Args:
        f: takes arrays or tensors, or nested containers of them, and returns such.
        primals: its arguments.
        has_aux: ``f`` returns ``(result, aux)``; ``aux`` is handed on and not differentiated.

    Returns:
        ``(y, pull)``, with ``has_aux`` ``(y, pull, aux)``. ``pull(cotangent)`` takes one value of the
        structure and shapes of ``y`` and returns a tuple: for each argument its gradient, of the structure
        of the argument. It may be called any number of times, inside other transformations too, and keeps
        what ``f`` computed alive for as long as it lives.

    Raises:
        ShapeError: the cotangent does not have the structure or the shapes of the result.
        DtypeError: a primal has no derivative, such as integers; a complex cotangent for a real result.
        MutatedError: a tensor that ``f`` used was written to before ``pull`` was called.

    For complex values a cotangent is multiplied with the conjugate of the derivative, as in `grad`.

    Example:
        >>> import numpy as np, tensorgrad as tg
        >>> y, pull = tg.vjp(lambda a, b: a * b, np.array([1.0, 2.0]), np.array([3.0, 5.0]))
        >>> y
        array([ 3., 10.])
        >>> pull(np.array([1.0, 0.0]))
        (array([3., 0.]), array([1., 0.]))

    Source:
        Griewank and Walther, Evaluating Derivatives, 2008, section 3.2.
    """
    check_function("vjp", f)
    leaves, tree = flatten(primals)
    for number, leaf in enumerate(leaves):
        check_differentiable("vjp", "primal ", leaf, tree, number, CLOSE_OVER)
    plain = not from_tensors(leaves)
    if open_levels():
        with new_level() as level:
            data = [leaf if isinstance(leaf, Value) else as_data(leaf, copy=True) for leaf in leaves]
            # Under no_grad only this level is recorded, and not in a no_grad of the function's own.
            variables = [Over(d, Leaf(d.shape, d.dtype), level, always=recorded_here()) for d in data]
            return _record(f, tree, variables, plain, has_aux, level)
    with enable_grad():
        return _record(f, tree, [_on_tape(leaf) for leaf in leaves], plain, has_aux, 0)


class Pullback:
    """What `vjp` returns: call it with a cotangent of the result."""

    def __init__(self, name: str, ends: list[Any], tree: Tree, plain: bool, level: float) -> None:
        self.name, self.plain, self.level, self.tree = name, plain, level, tree
        self.ends = ends  # the node of each argument
        self.layouts: list[Any] = []  # and its shape and dtype

    def keep(self, y: Like, roots: list[Any]) -> None:
        """Take over what led to the result; ``roots`` has a node for each leaf of it, or None."""
        self.y, self.roots = y, roots
        self.order, leaves = collect([root for root in dict.fromkeys(roots) if root is not None])
        self.free = leaves - set(self.ends)  # leaves that somebody else differentiates by
        self.made = tick()
        self.held = _hold(self.order) if self.level else set()

    @property
    def outer(self) -> bool:
        """Whether somebody else differentiates by what the function used."""
        return not self.level and any(not is_closed(leaf) for leaf in self.free)

    def __call__(self, cotangent: Any, *more: Any) -> tuple[Any, ...]:
        """One gradient for each argument."""
        if more:
            raise ShapeError(
                f"vjp: pull takes one cotangent of the structure of the result, {1 + len(more)} were given; for a "
                "result that is a tuple write pull((g1, g2))"
            )
        given = self.y.leaves_of(cotangent)
        pairs = [(root, g) for root, g in zip(self.roots, given, strict=True) if root is not None]
        found, recorded = self._walk(pairs)
        results = []
        for end, (shape, dtype) in zip(self.ends, self.layouts, strict=True):
            g = found.get(end)
            g = plain_zeros(shape, dtype) if g is None else settle(g, dtype)
            if type(g) in ARRAYS:
                g = private(g) if self.plain and not recorded else wrap(private(g), None)
            results.append(g)
        return unflatten(self.tree, results)  # type: ignore[no-any-return]

    def __repr__(self) -> str:
        return f"<pull of {self.name}: cotangent {self.y}, {len(self.order)} operations recorded>"

    def _walk(self, pairs: list[tuple[Any, Any]]) -> tuple[dict[Any, Any], bool]:
        """The cotangents of the ends, and whether the walk was recorded on the tape of plain tensors."""
        if not pairs:
            return {}, False
        if any(leaf.seq > self.made for leaf in self.held):
            raise MutatedError(
                f"vjp: a tensor that {self.name} used was written to after it ran, so the gradient would be wrong; call "
                "pull before the update, or vjp again after it"
            )
        create = not self.level and is_grad_enabled() and (self.outer or any(_tracked(g) for _, g in pairs))
        collected = list(self.order), {*self.free, *[end for end in self.ends if type(end) is Leaf]}
        found, _ = pull_from(
            pairs, self.level, frozenset(self.ends), retain=True, create=create, collected=collected
        )
        return found, create


# ---- the record


def _record(f: Any, tree: Tree, variables: list[Any], plain: bool, has_aux: bool, level: float) -> Any:
    """Run the function on its variables, and hand out what it returned without them."""
    name = getattr(f, "__name__", type(f).__name__)
    pull = Pullback(name, [v._node for v in variables], tree, plain, level)  # the function may write to them
    pull.layouts = [(v.shape, v.dtype) for v in variables]
    y, aux = result_and_aux("vjp", f(*unflatten(tree, variables)), has_aux)
    leaves, y_tree = flatten(y)
    leaves = [leaf if isinstance(leaf, Value) else as_data(leaf) for leaf in leaves]
    for end in pull.ends:
        if type(end) is Leaf:
            end.closed = tick()
    pull.keep(
        Like("vjp", "the cotangent", "the result", y_tree, leaves),
        [
            leaf._node
            if isinstance(leaf, Tensor) and leaf.level == level and leaf.dtype.kind in "fc"
            else None
            for leaf in leaves
        ],
    )
    outer = pull.outer
    y = unflatten(y_tree, [_hand_out(leaf, plain, outer, level) for leaf in leaves])
    aux = map_leaves(lambda leaf: _hand_out(leaf, plain, outer, level), aux)
    return (y, pull, aux) if has_aux else (y, pull)


def _on_tape(leaf: Any) -> Tensor:
    """A variable for an argument: with a history it is continued, without it begins one."""
    if isinstance(leaf, Tensor) and leaf._node is not None:
        return ops.positive(leaf)
    data = leaf._d if type(leaf) is Tensor else as_data(leaf, copy=True)
    return wrap(data, Leaf(data.shape, data.dtype))


def _hand_out(leaf: Any, plain: bool, outer: bool, level: float) -> Any:
    """A result without the history that was made for the pull only, so that writing to it harms nothing."""
    if level and isinstance(leaf, Over) and leaf.level == level:
        leaf = leaf._d
    if type(leaf) in ARRAYS:
        return private(leaf)
    if not isinstance(leaf, Tensor) or leaf.level:
        return leaf
    if level or outer:
        return private(leaf._d) if plain and leaf._node is None else leaf
    return private(leaf._d) if plain else leaf.detach()


def _hold(order: Sequence[Any]) -> set[Leaf]:
    """Keep the values that the nodes saved as they are now, whatever is written to them; the leaves among them."""
    leaves: set[Leaf] = set()

    def held(value: Any) -> Any:
        if isinstance(value, tuple):
            return tuple([held(one) for one in value]) if any(isinstance(v, Value) for v in value) else value
        if not isinstance(value, Value):
            return value
        if type(getattr(value, "_node", None)) is Leaf:
            leaves.add(value._node)  # type: ignore[attr-defined]
        return frozen(value)

    for node in order:
        if node.saved is not None:
            node.saved = tuple([held(value) for value in node.saved])
    return leaves


def frozen(value: Value) -> Value:
    """The same value as another object, which no assignment to the first one reaches."""
    made = object.__new__(type(value))
    for kind in type(value).__mro__:
        for name in kind.__dict__.get("__slots__", ()):
            slot = kind.__dict__[name]  # the descriptor: a subclass may have a property of that name
            if name != "__weakref__":
                with contextlib.suppress(AttributeError):  # never set
                    slot.__set__(made, slot.__get__(value))
    return made


def plain_zeros(shape: tuple[int, ...], dtype: Any) -> Any:
    """Zeros as plain data."""
    return scalar_if_0d(np.zeros(shape, dtype))


def _tracked(g: Any) -> bool:
    return isinstance(g, Tensor) and not g.level and g._node is not None
