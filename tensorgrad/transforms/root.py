"""The derivative of a solution: a solution that was found in any way becomes differentiable.

If ``f(x, theta) = 0`` defines ``x``, then ``dx = -J^-1 (df/dtheta) dtheta``, where ``J`` is the derivative in
``x``. `attach` gives the solution this derivative, one transformation after the other, the lowest first: for
each, ``f`` is called at the solution that has the derivatives of those below, so that the derivatives of
derivatives are right, to any order. What ``f`` depends on, by argument or by closure, is found by looking:
a dual number brings its tangent, and on a tape it is what the operations in ``f`` lead back to.

``f`` is a Python function that holds values of the transformations around it. A rule that runs later opens
their levels again, and takes the derivatives of its own level and of those above out of what ``f``
returns: to a rule of level L, they are no variables.

Source:
    Krantz and Parks, The Implicit Function Theorem, 2003. Blondel et al., Efficient and modular implicit
    differentiation, NeurIPS 2022.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from typing import Any, ClassVar

import numpy as np

from .. import ops
from .._config import TAPE, enable_grad, get_mode, no_grad
from .._errors import GradientError, MutatedError
from .._levels import new_level, opened, reopened
from .._primitive import Value
from .._tape import Leaf, Node, Walk, fill, layouts_of, pick, shapes_of, tick
from .._tensor import Over, Tensor, fresh, wrap
from .._tree import Tree, flatten, unflatten
from .jvp import Dual, _parts
from .strip import as_tensor, batches_of, derivatives_of, strip
from .transpose import pull_through
from .vmap import Batched

LinearMap = Callable[[Any], Any]
Solve = Callable[[LinearMap, LinearMap, Any], Any]
"""``solve(matvec, transposed, b)`` solves ``matvec(x) = b``, and is differentiable itself."""


class Root:
    """An equation, and how the linear systems of its derivative are solved.

    Args:
        name: of the function, for messages.
        residual: a function of the solution, a container like it.
        tree: the structure of the solution.
        solve: of the linear systems.
        maps: the derivative of the residual and its transpose, if the residual is linear; by default those at
            the solution.
    """

    def __init__(
        self,
        name: str,
        residual: Callable[[Any], Any],
        tree: Tree,
        solve: Solve,
        maps: tuple[LinearMap, LinearMap] | None = None,
    ) -> None:
        self.name = name
        self.residual = residual
        self.tree = tree
        self.solve = solve
        self.maps = maps
        self.levels = opened()

    def at(self, x: Sequence[Any]) -> list[Any]:
        """The residual; a level is open, so that a `grad` in it records whatever the tape does."""
        with reopened(self.levels), new_level():
            return flatten(self.residual(unflatten(self.tree, x)))[0]

    def solved(self, x: Sequence[Any], b: Sequence[Any], level: float, *, transposed: bool) -> list[Any]:
        """``-J^-1 b`` at the solution ``x``, without the derivatives of ``level`` and above; or the transpose."""

        def without(f: LinearMap) -> LinearMap:
            def lowered(u: Any) -> Any:
                with reopened(self.levels):
                    return unflatten(self.tree, [strip(leaf, level) for leaf in flatten(f(u))[0]])

            return lowered

        both = self.maps or maps_of(self.residual, x, self.tree)
        matvec, back = [without(one) for one in (reversed(both) if transposed else both)]
        return [-one for one in flatten(self.solve(matvec, back, unflatten(self.tree, b)))[0]]


def maps_of(f: Callable[[Any], Any], x: Sequence[Any], tree: Tree) -> tuple[LinearMap, LinearMap]:
    """The derivative of ``f`` at ``x`` as a linear map of containers, and its transpose."""

    def matvec(u: Any) -> Any:
        with new_level() as level:
            duals = [Dual(one, like(t, one), level) for one, t in zip(x, flatten(u)[0], strict=True)]
            return unflatten(tree, [_parts(r, level)[1] for r in flatten(f(unflatten(tree, duals)))[0]])

    def transposed(g: Any) -> Any:
        given = [like(c, one) for c, one in zip(flatten(g)[0], x, strict=True)]
        found = pull_through(lambda xs: flatten(f(unflatten(tree, xs)))[0], x, tuple(given))
        return unflatten(tree, [zeros(one) if c is None else c for c, one in zip(found, x, strict=True)])

    return matvec, transposed


def attach(root: Root, x: Sequence[Any]) -> list[Any]:
    """The solution ``x``, which has no derivative, with the one that the equation gives it at each level."""
    began = tick()
    residual = root.at(x)
    batches = batches_of((*x, *residual))
    for level in sorted(set().union(*[derivatives_of(r) for r in residual])):
        if not level and not get_mode() & TAPE:
            continue
        if residual is None:
            began = tick()
            residual = root.at(x)
        frame = _Frame(root, level, [(v, n) for v, n in batches if v > level])
        x = frame.attach([frame.peel(one) for one in x], [frame.peel(r) for r in residual], began)
        residual = None  # type: ignore[assignment]
    return list(x)


class _Frame:
    """One level, below some batches: their axes come first in its values."""

    def __init__(self, root: Root, level: float, batches: list[tuple[float, int]]) -> None:
        self.root = root
        self.level = level
        self.batches = batches  # highest first
        self.above = max(level, 0.5)  # the tape takes out the values of all transformations

    def peel(self, value: Any) -> Any:
        """A value as this level has it: without derivatives from above, batches as axes."""
        value = strip(value, self.level + 0.5)
        for level, size in self.batches:
            if isinstance(value, Batched) and value.level == level:
                value = value.batch
            else:
                value = ops.broadcast_to(value, (size, *value.shape))
        return value

    def wrap(self, value: Any) -> Any:
        """The reverse of `peel`."""
        value = as_tensor(value)
        for level, _ in reversed(self.batches):
            value = Batched(value, level)
        return value

    def solved(self, x: Sequence[Any], b: Sequence[Any], *, transposed: bool) -> list[Any]:
        """``-J^-1 b`` on values of this level."""
        with reopened(frozenset([level for level, _ in self.batches])):
            found = self.root.solved(
                [self.wrap(one) for one in x],
                [self.wrap(one) for one in b],
                self.above,
                transposed=transposed,
            )
            return [self.peel(one) for one in found]

    def attach(self, x: list[Any], residual: list[Any], began: int) -> list[Any]:
        """The solution with the derivative of this level."""
        level = self.level
        if any(isinstance(r, Dual) and r.level == level for r in residual):
            ts = [r.tangent if isinstance(r, Dual) and r.level == level else zeros(r) for r in residual]
            dx = self.solved(x, ts, transposed=False)
            return [self.wrap(Dual(one, t, level)) for one, t in zip(x, dx, strict=True)]
        ends = [r for r in residual if isinstance(r, Tensor) and r.level == level and r._node is not None]
        x = [one._d if isinstance(one, Tensor) and not level else one for one in x]
        node = Node()
        node.prim = RootCard(self)
        node.edges = tuple(between([r._node for r in ends], began)[1])
        node.saved = (node.edges, tuple(x), layouts_of(x))
        node.shape = shapes_of(x)
        node.seq = tick()
        node.extra = None
        always = next((r.always for r in ends if level and r.always is not False), False)  # type: ignore[attr-defined]
        made = []
        for i, one in enumerate(x):
            end = pick(node, i, one)
            made.append(self.wrap(Over(one, end, level, always) if level else wrap(one, end)))
        return made

    def pull(
        self, x: Sequence[Any], g: Sequence[Any], edges: Sequence[Any], wanted: Sequence[Any]
    ) -> list[Any]:
        """The cotangents of what the equation depends on at this level: ``-(df/dtheta)^T J^-T g``."""
        level, root = self.level, self.root
        create = any(isinstance(one, Tensor) and one._node is not None for one in x) and not level
        quietly = nullcontext() if level or create else no_grad()
        with quietly:
            values = self.solved(x, g, transposed=True)
        with reopened(frozenset([v for v, _ in self.batches])), nullcontext() if level else enable_grad():
            began = tick()
            residual = [self.peel(r) for r in root.at([self.wrap(one) for one in x])]
        roots = [
            (r._node, c)
            for r, c in zip(residual, values, strict=True)
            if isinstance(r, Tensor) and r.level == level and r._node is not None
        ]
        own = {one._node for one in x if isinstance(one, Tensor)} if create else set()
        order, ends = between([n for n, _ in roots], began, own)
        if not set(ends) <= set(edges):
            raise MutatedError(
                f"{root.name}: the function depends on other tensors now than when the solution was computed; it was "
                "changed in place, or the function is not the same at every call"
            )
        if not ends and any(e is not None for e in wanted):
            raise GradientError(
                f"{root.name}: the function did not record anything; call backward outside of no_grad"
            )
        plain = not any(isinstance(one, Value) for one in x)
        if plain:  # a pass over arrays
            roots = [(n, c._d if type(c) is Tensor and c._node is None else c) for n, c in roots]
        with quietly:
            return self.walk(roots, order, create, wanted)

    def walk(self, roots: Sequence[Any], order: list[Any], create: bool, wanted: Sequence[Any]) -> list[Any]:
        """Walk back through one call of the function, to what it depends on and no further."""
        tensors = not self.level and any(isinstance(c, Tensor) for _, c in roots)
        walk = Walk(
            wrap, retain=True, create=create, show=fresh if tensors and not create else None, keep=False
        )
        cotangents: dict[Any, Any] = {}
        for node, c in roots:
            cotangents[node] = cotangents[node] + c if node in cotangents else c
        while order:
            node = order.pop()
            c = cotangents.pop(node, None)
            if c is None:
                continue
            saved = walk.revive(node, node.saved, node.edges) if walk.tensors else node.saved
            for edge, part in zip(
                node.edges, node.prim.pullback(c, node.edges, saved, node.shape), strict=True
            ):
                if edge is not None and part is not None:
                    cotangents[edge] = cotangents[edge] + part if edge in cotangents else part
        return [None if edge is None else cotangents.get(edge) for edge in wanted]


class RootCard:
    """The card of a solution on one tape. Its inputs are what the equation depends on, as nodes."""

    kind = "general"
    inputs = ("parameters",)
    params: ClassVar[tuple[str, ...]] = ()
    formulas: ClassVar[dict[str, Any]] = {}
    tangents: ClassVar[dict[str, Any]] = {}
    variadic = several = True
    view = analytic = broadcasts = False
    trusted = adopted = True
    composite = batch = None
    saves = ("parameters", "y", "outputs_")

    def __init__(self, frame: _Frame) -> None:
        self.name = frame.root.name
        self.rules = frame

    def pullback(self, g: Any, edges: Any, saved: Any, shape: Any) -> tuple[Any, ...]:
        """One cotangent for each parameter."""
        known, x, layouts = saved  # a pass may leave out some of the edges
        return tuple(self.rules.pull(x, fill(g, layouts), known, edges))

    @staticmethod
    def revive(saved: Any, edges: Any, node: Any, wrap: Any) -> Any:
        """What was saved, as tensors on the nodes that it came from."""
        held, x, layouts = saved
        return held, tuple([wrap(one, pick(node, i, one)) for i, one in enumerate(x)]), layouts

    @staticmethod
    def input_of(position: int) -> str:
        """The name of an input."""
        return "parameters"


# ---- helpers


def between(roots: Sequence[Any], began: int, own: Any = frozenset()) -> tuple[list[Any], list[Any]]:
    """The nodes made since ``began`` that ``roots`` lead to, oldest first, and the older ones and leaves behind them."""
    order, ends = [], []
    seen = set(own)
    todo = list(roots)
    for node in todo:
        if node in seen:
            continue
        seen.add(node)
        if type(node) is Leaf or node.seq < began:
            ends.append(node)
            continue
        order.append(node)
        todo += [edge for edge in node.edges if edge is not None]
    order.sort(key=lambda node: node.seq)
    return order, ends


def like(t: Any, x: Any) -> Any:
    """What a user hands in for the unknown, as a value of its shape and dtype."""
    t = t if isinstance(t, Value) else as_tensor(np.asarray(t, x.dtype)[()])
    t = t if t.dtype == x.dtype else ops.astype(t, x.dtype)
    return t if t.shape == x.shape else ops.broadcast_to(t, x.shape)


def zeros(x: Any) -> Any:
    """Zeros of the shape and dtype of a value, as a tensor."""
    return as_tensor(np.zeros(x.shape, x.dtype)[()])
