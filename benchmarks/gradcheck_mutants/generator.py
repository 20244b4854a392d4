"""Instances of the suite by seed and number: a kind of fault, a card, a random graph around it.

An instance is kept only if it is **effective**: at the point where it is planted the cotangent differs from
the right one (by more than 1e-5 of its largest entry; 1e-7 where precision is lost), or an array is written
to, or the dtype is another, or a call leaves something behind that changes the next one; and at the inputs
of the whole graph the gradient is another by 1e-6 of its largest entry (1e-8). And it is kept only if it is **well
posed** for the diagnosis: two cotangents must not be the same under two labels at once. So a fault whose
entries are all off by one number is a factor and nothing else, one whose gradient vanishes is a missing path,
one that touches one entry is that of a single entry; the transpose of a symmetric matrix is none, and
reversing an axis of length 2 (which shifts it by one as well) is none. Two faults that are a
factor in the arrays count under the name of their cause: the mean for the sum of n broadcast parts
(1/n), and n - 1 or n + 1 for a count of n; the operator "factor" does not draw these numbers.
Where a draw fails these rules, the next draw for the same card is tried.

Operators come in turn, and each goes through the cards that it applies to in an order that the
seed decides, so both are spread evenly. Everything about an instance follows from its seed and number.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from zlib import crc32

import numpy as np

import tensorgrad as tg
from tensorgrad._errors import TensorgradError
from tensorgrad.testing.case import random_like

from .faults import Call, Planted, array_of
from .graphs import Graph, random_graph
from .operators import OPERATORS, Operator
from .points import Point, boxes, names

DEPTH = 50
"""Graphs have from 1 to so many layers."""

_DRAWS = 40
CARDS = 24
"""So many cards are tried for a fault that suits few of them, before giving up."""


@dataclass(eq=False)
class Instance:
    """A function, and the fault in it.

    Attributes:
        seed: of the run.
        number: in the run.
        operator: the kind of fault; None for a clean graph.
        graph: the function around the op.
        planted: the faulty copy of the op; None for a clean graph.
    """

    seed: int
    number: int
    operator: Operator | None
    graph: Graph
    planted: Planted | None = None

    @property
    def card(self) -> str:
        """The name of the op of interest."""
        return self.graph.point.card.name

    @property
    def inputs(self) -> list[Any]:
        """Arrays to check the function at."""
        return [np.array(x) for x in self.graph.inputs]

    @property
    def function(self) -> Callable[..., Any]:
        """The function with the fault in it, on tensors or arrays."""
        return self.graph.function(self.graph.point.card.op if self.planted is None else self.planted.card.op)

    def pair(self) -> tuple[Callable[..., Any], Callable[..., Any]]:
        """The function on arrays, and its derivative ``f_vjp(inputs, y, g)``, to those who know nothing of us."""
        function = self.function

        def f(*inputs: Any) -> Any:
            y = function(*[np.asarray(x) for x in inputs])
            return tuple([np.asarray(one) for one in y]) if isinstance(y, tuple) else np.asarray(y)

        def f_vjp(inputs: Any, y: Any, g: Any) -> tuple[Any, ...]:
            gs = list(g) if isinstance(g, tuple | list) else [g]
            return tuple(pulled(function, [np.asarray(x) for x in inputs], [np.asarray(one) for one in gs]))

        return f, f_vjp


def clean(seed: int, number: int, deepest: int = DEPTH) -> Instance:
    """A graph without a fault."""
    every = names()
    order = np.random.default_rng((seed, 1)).permutation(len(every))
    for draw in range(_DRAWS):
        name = every[order[(number + draw) % len(every)]]
        rng = np.random.default_rng((seed, 2, number, draw))
        point = boxes(name)[int(rng.integers(len(boxes(name))))]
        graph = random_graph(rng, point, int(rng.integers(1, deepest + 1)))
        if _is_tame(graph):
            return Instance(seed, number, None, graph)
    raise RuntimeError(f"no clean graph for seed {seed}, number {number}")


def mutant(seed: int, number: int, deepest: int = DEPTH) -> Instance:
    """A graph with a fault in it."""
    operator = OPERATORS[number % len(OPERATORS)]
    turn = number // len(OPERATORS)
    for draw in range(_DRAWS * CARDS):
        name = _card_at(seed, operator, turn + draw // _DRAWS)
        rng = np.random.default_rng((seed, 4, number, draw))
        if (found := _attempt(rng, operator, name, (seed, number), deepest)) is not None:
            return found
    raise RuntimeError(f"no {operator.label!r} for seed {seed}, number {number}")


def _card_at(seed: int, operator: Operator, turn: int) -> str:
    """The card of an operator's instance number ``turn``: in the order of the seed, then from the start again."""
    cards, rest = _cards(seed, operator)
    while rest and len(cards) <= turn:
        if applies(operator, name := rest.pop()):
            cards.append(name)
    return cards[turn % len(cards)]


@functools.cache
def _cards(seed: int, operator: Operator) -> tuple[list[str], list[str]]:
    rng = np.random.default_rng((seed, 3, crc32(operator.label.encode())))
    return [], [str(name) for name in rng.permutation(names())]


@functools.cache
def applies(operator: Operator, name: str) -> bool:
    """Whether an operator makes faults for a card, found by trying a few draws."""
    rng = np.random.default_rng(crc32(f"{operator.label} {name}".encode()))
    for _ in range(12):
        point = boxes(name)[int(rng.integers(len(boxes(name))))]
        if _drawn(rng, operator, point, [np.asarray(x) for x in point.draw(rng)]) is not None:
            return True
    return False


# ---- making one


def _attempt(
    rng: np.random.Generator, operator: Operator, name: str, which: tuple[int, int], deepest: int
) -> Instance | None:
    point = boxes(name)[int(rng.integers(len(boxes(name))))]
    depth = int(rng.integers(1, deepest + 1))
    if operator.make.__name__ == "upstream_mutated":
        y = point.call(point.card.op, [point.args[i] for i in point.positions])
        kinds = {one.dtype.kind for one in (y if isinstance(y, tuple) else (y,))}
        if "c" in kinds or "f" not in kinds:
            return None
    graph = random_graph(rng, point, depth, shares=operator.make.__name__ == "upstream_mutated")
    if not _is_tame(graph):
        return None
    args = graph.arguments()
    planted = _drawn(rng, operator, point, args)
    if planted is None:
        return None
    found = Instance(*which, operator, graph, planted)
    return found if _is_seen(found, rng) else None


def _is_tame(graph: Graph) -> bool:
    """Whether values and slopes are finite and of moderate size."""
    f = graph.function(graph.point.card.op)
    ys = _listed(f(*graph.inputs))
    if not all(np.isfinite(y).all() and np.abs(y).max(initial=0) < 1e6 for y in ys):
        return False
    found = pulled(f, graph.inputs, [random_like(np.asarray(y), 3) for y in ys])
    size = max(float(np.abs(c).max(initial=0)) for c in found)
    return all(np.isfinite(c).all() for c in found) and 1e-6 < size < 1e6


def _drawn(rng: np.random.Generator, operator: Operator, point: Point, xs: list[Any]) -> Planted | None:
    """A fault of this kind at the arguments ``xs``, if the draw gives an effective and well-posed one."""
    index = int(rng.integers(len(point.positions)))
    position = point.positions[index]
    trusted = not operator.gated or rng.random() < 0.7
    if operator.label == "wrong dtype" and point.card.broadcasts:
        trusted = True  # the gate casts what an op that broadcasts returns
    planted = Planted(point.card, position, lambda call: call.right(), trusted)
    with np.errstate(all="ignore"):
        calls = [_call(planted, point, xs, k) for k in range(3)]
        wrong = operator.make(rng, calls[0])
        if wrong is None:
            return None
        planted.wrong = wrong
        if not _is_effective(rng, operator, planted, point, xs, calls):
            return None
    return planted


def _call(planted: Planted, point: Point, xs: list[Any], seed: int) -> Call:
    """A call of the derivative at ``xs`` for a random cotangent."""
    args: list[Any] = []

    def look(*given: Any, **params: Any) -> Any:
        args.extend(given)
        return point.card.op(*given, **params)

    y = point.call(look, [np.array(x) for x in xs])
    parts = y if isinstance(y, tuple) else (y,)
    gs = [random_like(np.asarray(one), 50 + seed) for one in parts]
    gs = [g if one.dtype.kind in "fc" else np.zeros_like(one) for g, one in zip(gs, parts, strict=True)]
    call = planted.call(
        [np.asarray(a) for a in args], point.params, tuple(gs) if point.card.several else gs[0]
    )
    call.seen = dict(call.values)
    return call


def _is_effective(
    rng: np.random.Generator,
    operator: Operator,
    planted: Planted,
    point: Point,
    xs: list[Any],
    calls: list[Call],
) -> bool:
    wrong, label = planted.wrong, operator.label
    rights = [np.array(array_of(call.right())) for call in calls]
    size = max(float(np.abs(c).max(initial=0)) for c in rights)
    if label == "wrong dtype":
        return size > 0
    if label == "upstream mutated":
        return size > 0
    if label == "stale value":
        other = _call(planted, point, [np.asarray(x) for x in point.draw(rng)], 0)
        c = array_of(calls[0].right(**{n: other.values[n] for n in (*point.card.inputs, "y")}))
        return bool(_differ(c, rights[0], 1e-3 * size) > min(1, c.size - 1))
    try:
        wrongs = [wrong(call) for call in calls]
    except TensorgradError:
        return label in ("missing sum",)
    wrongs = [np.zeros_like(c) if w is None else array_of(w) for w, c in zip(wrongs, rights, strict=True)]
    if any(w.shape != c.shape for w, c in zip(wrongs, rights, strict=True)):
        return label == "missing sum"
    if label == "not finite":
        return True
    if not all(np.isfinite(w).all() for w in wrongs) or size == 0:
        return False
    if label == "precision loss":
        return min(_gap(w, c) for w, c in zip(wrongs, rights, strict=True)) > 1e-7
    if min(_gap(w, c) for w, c in zip(wrongs, rights, strict=True)) < 1e-5:
        return False
    return _others(calls, wrongs, rights) <= {label} | ALIASES.get(label, set())


ALIASES = {"missing sum": {"factor"}, "off by one": {"factor"}}
"""Labels that are a factor in the arrays; `operators.factor` leaves their numbers to them."""


def _others(calls: list[Call], wrongs: list[Any], rights: list[Any]) -> set[str]:
    """The labels whose simplest forms give the same wrong arrays for every cotangent."""
    found: set[str] = set()

    def holds(label: str, make: Callable[[Call, Any], Any]) -> None:
        for call, w, c in zip(calls, wrongs, rights, strict=True):
            try:
                other = array_of(make(call, c))
            except Exception:  # this form does not exist for these shapes
                return
            if other.shape != w.shape or not np.allclose(other, w, rtol=1e-9, atol=1e-12 * np.abs(c).max()):
                return
        found.add(label)

    ratio = float(np.real(np.vdot(rights[0], wrongs[0]) / np.vdot(rights[0], rights[0])))
    if ratio:
        holds("sign flipped" if abs(ratio + 1) < 1e-9 else "factor", lambda call, c: ratio * c)
    holds("missing path", lambda call, c: 0 * c)
    holds("missing upstream factor", lambda call, c: _with_g(call, np.ones_like))
    if isinstance(calls[0].values.get("axis"), int):
        for axis in range(calls[0].x.ndim):
            if axis != calls[0].values["axis"] % calls[0].x.ndim:
                holds("wrong axis", lambda call, c, axis=axis: call.right(axis=axis))
    for axis in range(calls[0].x.ndim):
        holds("wrong axis", lambda call, c, axis=axis: np.flip(c, axis))
        for step in (-1, 1):
            holds("off by one", lambda call, c, axis=axis, step=step: np.roll(c, step, axis))
    for k, first in enumerate(calls[0].g if calls[0].card.several else [calls[0].g]):
        for axis in range(np.ndim(first)):
            turned = functools.partial(np.flip, axis=axis)
            holds("wrong axis", lambda call, c, k=k, change=turned: _with_g(call, change, k))
            for step in (-1, 1):
                moved = functools.partial(np.roll, shift=step, axis=axis)
                holds("off by one", lambda call, c, k=k, change=moved: _with_g(call, change, k))
        holds("transposed", lambda call, c, k=k: _with_g(call, _exchanged, k))
    holds("transposed", lambda call, c: _exchanged(c))
    touched = np.zeros(rights[0].shape, bool)
    for w, c in zip(wrongs, rights, strict=True):
        touched |= np.abs(w - c) > 1e-9 * np.abs(c).max()
    if touched.sum() == 1 and touched.size > 1:
        found.add("single entry")
    supports = [(w != 0, c != 0) for w, c in zip(wrongs, rights, strict=True)]
    if all((w != c).all() and c.any() and not c.all() for w, c in supports):
        found.add("wrong mask")
    return found


def _with_g(call: Call, change: Callable[[Any], Any], k: int | None = None) -> Any:
    """The right cotangent for another ``g``; of several ones only number ``k`` is changed, or all."""
    if not call.card.several:
        return call.right(g=change(call.g))
    return call.right(g=tuple([change(g) if k in (i, None) else g for i, g in enumerate(call.g)]))


def _exchanged(a: Any) -> Any:
    return np.swapaxes(a, -1, -2).reshape(a.shape)


def _is_seen(instance: Instance, rng: np.random.Generator) -> bool:
    """Whether the gradient of the whole graph is another than that of the clean one."""
    assert instance.planted is not None and instance.operator is not None
    graph, label = instance.graph, instance.operator.label
    f = graph.function(graph.point.card.op)
    gs = [random_like(np.asarray(y), 9) for y in _listed(f(*graph.inputs))]
    right = pulled(f, graph.inputs, gs)
    if label == "stale value":
        return _remembers(instance, rng, gs, right)
    try:
        with np.errstate(all="ignore"):
            wrong = pulled(instance.function, instance.inputs, gs)
    except TensorgradError:
        return label in ("wrong dtype", "missing sum")  # a gate of the engine finds it
    except (ValueError, TypeError):
        return False
    if label == "wrong dtype" or (label == "upstream mutated" and graph.depth == 1):
        return True
    if label == "not finite":
        return not all(np.isfinite(c).all() for c in wrong)
    least = 1e-8 if label == "precision loss" else 1e-6
    size = max(float(np.abs(c).max(initial=0)) for c in right)
    gap = max(float(np.abs(w - c).max(initial=0)) for w, c in zip(wrong, right, strict=True))
    return gap > least * size


def _remembers(instance: Instance, rng: np.random.Generator, gs: list[Any], right: list[Any]) -> bool:
    """Whether the gradient is another after a call elsewhere, before the backward pass and amid it."""
    graph, f = instance.graph, instance.function
    elsewhere = [x + 0.1 * rng.standard_normal(x.shape) for x in instance.inputs]
    if not graph.place:
        elsewhere = [np.asarray(x) for x in graph.point.draw(rng)]
    try:
        pulled(f, elsewhere, gs)
        wrong = pulled(f, instance.inputs, gs, meanwhile=lambda: f(*elsewhere))
        pulled(f, elsewhere, gs)  # the values that it will remember when the check begins
    except TensorgradError:
        return False
    return max(_gap(w, c) for w, c in zip(wrong, right, strict=True)) > 1e-4


def pulled(
    f: Callable[..., Any],
    inputs: list[Any],
    gs: list[Any],
    meanwhile: Callable[[], Any] = lambda: None,
) -> list[Any]:
    """The gradients of ``f`` at arrays for cotangents of its floating results, as arrays.

    ``meanwhile`` is called between the forward and the backward pass.
    """
    variables = [tg.tensor(x, requires_grad=True) for x in inputs]
    ys = _listed(f(*variables))
    meanwhile()
    floating = [y for y in ys if y.dtype.kind in "fc"]
    pairs = [(y, tg.tensor(g)) for y, g in zip(floating, gs, strict=True) if y.requires_grad]
    if not pairs:
        return [np.zeros(x.shape, x.dtype) for x in inputs]
    outputs, seeds = zip(*pairs, strict=True)
    found = tg.autograd.grad(list(outputs), variables, list(seeds), allow_unused=True)
    return [
        np.zeros(x.shape, x.dtype) if c is None else array_of(c) for c, x in zip(found, inputs, strict=True)
    ]


def _listed(y: Any) -> list[Any]:
    return [one for one in (y if isinstance(y, tuple) else (y,)) if one.dtype.kind in "fc"]


def _gap(w: Any, c: Any) -> float:
    """The largest difference as a share of the largest entry."""
    return float(np.abs(w - c).max(initial=0) / max(float(np.abs(c).max(initial=0)), 1e-300))


def _differ(w: Any, c: Any, by: float) -> int:
    """How many entries differ by more."""
    return int(np.sum(np.abs(w - c) > by))
