"""Memory for time: functions that forget what they computed, and compute it again for their gradient.

A checkpointed call runs its function as ever, with the tape on, and then cuts the graph: one node
stands for all that was made inside. It keeps the arguments, and as edges whatever the function read
from outside, parameters of a model as well as arguments: nobody has to say what was captured. The
pullback of this node runs the function again, on the edges themselves, walks back to them, and lets
that graph go too.

What makes the second run equal to the first: the context of the call (levels, dtypes, scopes, modes)
is kept, and what the function touched outside of itself, such as running statistics and generators
of random numbers, is put back for the second run (`_touched`). What cannot be put back is noticed: the
results are compared with what is remembered of them.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import copy_context
from operator import attrgetter
from typing import Any, ParamSpec, TypeVar, cast, overload

import numpy as np

from .._config import TAPE, WATCHED, get_mode, set_watched
from .._data import keep
from .._errors import GradientError, MutatedError
from .._gates import own_copy
from .._primitive import Primitive, Value
from .._tape import Leaf, Node, Walk, layouts_of, pick, run_again, shapes_of, tick, walking
from .._tensor import Over, Shared, Tensor, fresh, wrap
from .._touched import Touched, about_to_draw
from .._tree import flatten, unflatten
from .._watch import only_watchers, watchers
from .batched import Batched
from .jvp import Dual

P = ParamSpec("P")
R = TypeVar("R")

BLOCKS = 64  # sums by which a result is recognised
ELSEWHERE = {
    "use_reentrant": "PyTorch",
    "preserve_rng_state": "PyTorch",
    "context_fn": "PyTorch",
    "determinism_check": "PyTorch",
    "early_stop": "PyTorch",
    "policy": "JAX",
    "prevent_cse": "JAX",
    "static_argnums": "JAX",
}


@overload
def checkpoint(f: Callable[P, R], /) -> Callable[P, R]: ...
@overload
def checkpoint(f: Callable[..., R], /, *args: Any, **kwargs: Any) -> R: ...
def checkpoint(f: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
    """Do not keep what ``f`` computes for its gradient; compute it again when the gradient is asked for.

    Both usual ways to write it: ``checkpoint(f)`` is a function, as a decorator makes one, and
    ``checkpoint(f, *args)`` is its result at once.

    Args:
        f: any function or module. It may read tensors from outside, such as parameters, draw random
            numbers, write in place, and take and return nested containers.
        args: its arguments, if it is to be called now. A function without arguments is called by
            ``checkpoint(f)()``.
        kwargs: its arguments by name.

    Returns:
        The function that computes the same, with the same gradients bit by bit, in one more run of ``f``;
        or its result. Of the tape only the arguments are kept, and the results as long as they are used.

    Random numbers are drawn again from the same state, and what ``f`` writes to outside of itself, such as
    running statistics, is written once. While a program is traced or recorded nothing is forgotten: the
    recording holds all values anyway. Inside of several nested `grad`, the innermost one forgets.

    Raises:
        GradientError: an option of PyTorch's or JAX's checkpoint that has no meaning here.
        MutatedError: in the backward pass, if ``f`` computes something else when it runs again: a value
            that it reads was changed in between, or it draws from a source of its own.

    Example:
        >>> import tensorgrad as tg
        >>> w = tg.tensor([1.0, 2.0], requires_grad=True)
        >>> block = tg.checkpoint(lambda x: tg.exp(tg.sin(w * x)))
        >>> block(tg.ones(2)).sum().backward()
        >>> w.grad
        tensor([ 1.2533808, -1.0331168])

    Source:
        Chen, Xu, Zhang and Guestrin, Training deep nets with sublinear memory cost, 2016.
    """
    if not callable(f):
        raise GradientError(
            f"checkpoint: a {type(f).__name__} given; the function comes first: checkpoint(f)(x), or checkpoint(f, x)"
        )
    if foreign := [name for name in kwargs if name in ELSEWHERE and name not in _names_of(f)]:
        raise GradientError(
            f"checkpoint: {foreign[0]} is an option of {ELSEWHERE[foreign[0]]}'s; leave it out: there is one way to "
            "checkpoint, random numbers are the same in both runs, and what is not a tensor is passed on as it is"
        )
    if args or kwargs:
        return _call(f, args, kwargs)

    @functools.wraps(f, updated=())
    def checkpointed(*args: Any, **kwargs: Any) -> Any:
        return _call(f, args, kwargs)

    return checkpointed


# ---- the call, and its node


def _call(f: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    if get_mode() & WATCHED and any(one.keeps for one in watchers()):
        return f(*args, **kwargs)
    run = _Run(f, args, kwargs)
    start = tick()
    with run.touched.noting():
        result = f(*args, **kwargs)
    leaves, tree = flatten(result)
    made = results_of(leaves, start)
    if not made:
        return result
    _, ends = inside([x._node for x in made], start)
    if not ends:
        return result
    run.note(made, start)
    node = Node()
    node.prim = CARD
    node.edges = tuple(ends)
    node.saved = ((None,) * len(ends), layouts_of(made), run)
    node.shape = shapes_of(made)
    node.extra = None
    node.seq = tick()
    cut = {x._node: like(x, pick(node, i, x)) for i, x in enumerate(made)}
    return unflatten(tree, [rebuilt(leaf, cut) for leaf in leaves])


class _Run:
    """What a call needs to be run again."""

    def __init__(self, f: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self.f = f
        leaves, self.tree = flatten((args, kwargs))
        self.given = [snapshot(leaf) for leaf in leaves]
        self.touched = Touched()
        with self.touched.noting():
            for leaf in leaves:
                if hasattr(leaf, "bit_generator"):
                    about_to_draw(leaf)

    def note(self, made: Sequence[Tensor], start: int) -> None:
        """Note, when the function has returned, where it ran and what came out."""
        self.start = start
        self.touched.forget_dead()
        self.context = copy_context()
        self.level = made[0].level
        self.marks = [mark(x) for x in made]

    def again(self) -> tuple[list[Tensor], int]:
        """The results, computed again on the same places of the graph, and the time when that began."""
        mode, seen_by = get_mode(), watchers()

        def run() -> tuple[list[Tensor], int]:
            set_watched(mode)
            if not run_again.get():
                run_again.set(self.start)
            args, kwargs = unflatten(self.tree, [snapshot(leaf) for leaf in self.given])
            with only_watchers(seen_by), self.touched.undone():
                start = tick()
                return results_of(flatten(self.f(*args, **kwargs))[0], start), start

        made, start = self.context.copy().run(run)
        if len(made) != len(self.marks) or not all(
            same(one, mark(x)) for one, x in zip(self.marks, made, strict=True)
        ):
            raise MutatedError(
                f"checkpoint: {getattr(self.f, '__name__', type(self.f).__name__)} computed something else when it "
                "was run again for its gradient. A value that it reads (a tensor, an array, a setting) was changed since "
                "its forward pass, or it draws from a random source that the library does not know: call backward "
                "before the change, pass what changes as an argument, and draw by tg.rand and its like"
            )
        return made, start


class _Card(Primitive):
    """The card of all checkpointed calls; what differs between them is in what a node saves."""

    saves = ("inputs", "outputs_", "run")

    def pullback(self, g: Any, edges: Any, saved: Any, shape: Any) -> tuple[Any, ...]:
        """Run the function again, and walk back through it."""
        run: _Run = saved[2]
        level, parts = run.level, g.parts
        tensors = any(isinstance(c, Tensor) and c.level == level for c in parts.values())
        # A cotangent may be a batch of a level that was opened later, and the pass around recorded all the same.
        create = walking.get().create or (tensors and bool(level or get_mode() & TAPE))
        with _seen_by_those_of_formulas():
            with _no_new_hooks(edges):
                made, start = run.again()
            walk = _Inner(
                lambda d, node: Over(d, node, level) if level else wrap(d, node),
                retain=create,
                create=create,
                show=fresh if tensors and not create else None,
                keep=False,
            )
            roots = [(made[i]._node, c) for i, c in parts.items()]
            del made, parts
            if not get_mode() & WATCHED:
                g.parts = {}  # nobody looks: what the walk has used can go
            order, ends = inside([node for node, _ in roots], start)
            walk.outside = set(ends)
            wanted = frozenset([edge for edge in edges if edge is not None])
            roots += walk.take_over(wanted)
            token = walking.set(walk)
            try:
                found = walk.run(_drained(roots), wanted, (order, walk.outside))
            finally:
                walking.reset(token)
        return tuple([_handed_out(walk, edge, found.get(edge)) for edge in edges])

    def revive(self, saved: Any, edges: Any, node: Any, wrap: Any) -> tuple[Any, ...]:
        """As it is: the arguments keep their places in the graph themselves."""
        return cast(tuple[Any, ...], saved)


class _Inner(Walk):
    """A walk inside of another one, which calls the hooks of what lies outside itself."""

    outside: set[Any]

    def take_over(self, edges: Iterable[Any]) -> list[tuple[Any, Any]]:
        """The cotangents that the outer walk has for these already: what is found here is added to them one by one.

        So sums are made in the order in which they are made without a checkpoint, and have the same bits.
        """
        outer = walking.get(None)
        if outer is None or get_mode() & WATCHED:  # watchers are shown what each node contributes
            return []
        known = [edge for edge in edges if edge in outer.cotangents]
        self.owned |= outer.owned.intersection(known)
        return [(edge, outer.cotangents.pop(edge)) for edge in known]

    def through_hooks(self, node: Any, g: Any) -> Any:
        return g if node in self.outside else super().through_hooks(node, g)


def _handed_out(walk: Walk, edge: Any, c: Any) -> Any:
    """A cotangent; one for a leaf must be nobody else's, since the leaf may add to what it gets first."""
    return own_copy(c) if type(edge) is Leaf and type(c) is np.ndarray and edge not in walk.owned else c


def _drained(roots: list[Any]) -> Any:
    """The roots one by one, of which the list keeps none."""
    while roots:
        yield roots.pop(0)


@contextmanager
def _no_new_hooks(edges: Iterable[Any]) -> Iterator[None]:
    """Hooks that the second run sets on what lies outside are there already, from the first."""
    outside = [edge for edge in edges if edge is not None]
    known = [set(edge.extra.hooks) if edge.extra is not None else set() for edge in outside]
    yield
    for edge, before in zip(outside, known, strict=True):
        if edge.extra is not None:
            for key in [one for one in edge.extra.hooks if one not in before]:
                del edge.extra.hooks[key]


def _forward(*inputs: Any) -> Any:
    raise GradientError("checkpoint: this is no op; call checkpoint(f)")


CARD = _Card("checkpoint", "general", _forward, ("inputs",), True, (), {}, several=True)


# ---- what lies inside


def inside(roots: Iterable[Any], start: int) -> tuple[list[Any], list[Any]]:
    """The nodes made since ``start`` that ``roots`` were computed from, oldest first, and what these came from."""
    order: list[Any] = list(dict.fromkeys(roots))
    ends: list[Any] = []
    seen = set(order)
    for node in order:
        for edge in node.edges:
            if edge is not None and edge not in seen:
                seen.add(edge)
                (order if type(edge) is Node and edge.seq > start else ends).append(edge)
    order.sort(key=attrgetter("seq"))
    return order, ends


def results_of(leaves: Iterable[Any], start: int) -> list[Tensor]:
    """The tensors of the highest level among results, or beneath them, that were made since ``start``."""
    found = {
        x._node: x for leaf in leaves for x in beneath(leaf) if type(x._node) is Node and x._node.seq > start
    }
    level = max([x.level for x in found.values()], default=0)
    return [x for x in found.values() if x.level == level]


def beneath(value: Any) -> Iterator[Tensor]:
    """The tensors that a value of a transformation holds; a tensor itself."""
    if isinstance(value, Batched):
        yield from beneath(value.batch)
    elif isinstance(value, Dual):
        yield from beneath(value.primal)
        yield from beneath(value.tangent)
    elif isinstance(value, Tensor):
        yield value


def rebuilt(value: Any, cut: dict[Any, Tensor]) -> Any:
    """A value with tensors replaced by those of ``cut``, which has them by their nodes."""
    if isinstance(value, Batched):
        return Batched(rebuilt(value.batch, cut), value.level)
    if isinstance(value, Dual):
        return Dual(rebuilt(value.primal, cut), rebuilt(value.tangent, cut), value.level)
    return cut.get(value._node, value) if isinstance(value, Tensor) else value


def like(x: Tensor, node: Any) -> Tensor:
    """A tensor of the same data and kind at another place in the graph."""
    if isinstance(x, Over):
        return Over(x._d, node, x.level, x.always)
    return Shared(x._d, node) if type(x) is Shared else wrap(x._d, node)


def snapshot(leaf: Any) -> Any:
    """An argument as it is now: the same data at the same place in the graph, whatever is written to it later."""
    if isinstance(leaf, Batched | Dual):
        return rebuilt(leaf, {})
    if type(leaf) is Shared:
        return Shared(keep(leaf._d), leaf._node)
    if isinstance(leaf, Tensor):
        return like(leaf, leaf._node)
    return keep(leaf) if type(leaf) is np.ndarray else leaf


@contextmanager
def _seen_by_those_of_formulas() -> Iterator[None]:
    """Watchers who look at the pass itself are not shown the one inside of it; it has its own nodes."""
    if not get_mode() & WATCHED:
        yield
        return
    with only_watchers(tuple([one for one in watchers() if one.sees_formulas or not one.keeps])):
        yield


# ---- whether it is the same


def mark(x: Tensor) -> Any:
    """What is remembered of a result: shape, dtype, and sums over its parts, which a changed value changes too."""
    d = x._d
    while isinstance(d, Value):  # the numbers under the levels
        d = d.under if isinstance(d, Batched | Dual) else d._d  # type: ignore[attr-defined]
    flat = np.ravel(d)
    many = max(1, min(BLOCKS, flat.size // BLOCKS))
    size = flat.size // many
    wide = np.complex128 if d.dtype.kind == "c" else np.float64
    with np.errstate(all="ignore"):
        sums = [
            *flat[: many * size].reshape(many, size).sum(1, dtype=wide),
            flat[many * size :].sum(dtype=wide),
        ]
        norm = float(np.linalg.norm(flat.astype(np.float32) if d.dtype.itemsize < 4 else flat))
    return d.shape, d.dtype, np.array(sums), norm


def same(before: Any, now: Any) -> bool:
    """Whether a result is the one that is remembered, up to the order in which a library adds numbers up."""
    if before[:2] != now[:2]:
        return False
    if np.array_equal(before[2], now[2], equal_nan=True):
        return True
    room = 64 * np.finfo(before[1]).eps * max(before[3], now[3])
    return bool(np.allclose(before[2], now[2], rtol=0, atol=room, equal_nan=True))


def _names_of(f: Any) -> Iterable[str]:
    try:
        return inspect.signature(getattr(f, "forward", f)).parameters
    except (TypeError, ValueError):
        return ()
