"""Words of transformations, and what each must give, computed another way.

A letter makes of a function ``f`` of a vector another one: a derivative along a direction, a weighted sum of
shifted copies, or the same function again; and all multiply it by a number that depends on the point and is
captured, not an argument. So every word of letters is a function of a vector, and derivatives at different
depths, of captured values too, must be kept apart. What must come out follows from the mixed derivatives of
``f`` along the directions of the letters, at the shifted points: a sum over subsets, by the product rule.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np

import tensorgrad as tg

Function = Callable[[Any], Any]
Meaning = str

N, DEPTH = 4, 3
ONE = np.float64(1.0)
generator = np.random.default_rng(11)
DIRECTIONS = generator.normal(size=(DEPTH, N))
TILTS = generator.normal(size=(DEPTH, N))
SHIFTS = generator.normal(size=(DEPTH, 2, N)) * 0.3
WEIGHTS = generator.normal(size=(DEPTH, 2))


def factor(x: Any, i: int) -> Any:
    """The number that the letter at depth ``i`` multiplies by; ``x`` is captured."""
    return 1 + 0.3 * tg.sin((TILTS[i] * x).sum())


# ---- the letters


def by_grad(f: Function, i: int) -> Function:
    return lambda x: (tg.grad(lambda z: f(z) * factor(x, i))(x) * DIRECTIONS[i]).sum()


def by_jvp(f: Function, i: int) -> Function:
    return lambda x: tg.jvp(lambda z: f(z) * factor(x, i), (x,), (DIRECTIONS[i],))[1]


def by_line(f: Function, i: int) -> Function:
    """The derivative in a number, at which the vector is captured."""
    return lambda x: tg.grad(lambda s: f(x + s * DIRECTIONS[i]) * factor(x, i))(np.float64(0.0))


def by_batch_of_tangents(f: Function, i: int) -> Function:
    """The gradient by a batch of unit directions."""

    def derivative(x: Any) -> Any:
        rows = tg.vmap(lambda e: tg.jvp(lambda z: f(z) * factor(x, i), (x,), (e,))[1])(np.eye(N))
        return (rows * DIRECTIONS[i]).sum()

    return derivative


def by_vmap(f: Function, i: int) -> Function:
    """The shifts are batched, the vector is captured."""
    return lambda x: (tg.vmap(lambda c: f(x + c) * factor(x, i))(SHIFTS[i]) * WEIGHTS[i]).sum()


def by_vmap_of_points(f: Function, i: int) -> Function:
    """The points are batched along the last axis, and so is the factor."""

    def batched(x: Any) -> Any:
        points = tg.stack([x + c for c in SHIFTS[i]], axis=-1)
        factors = tg.broadcast_to(factor(x, i), (2,))
        values = tg.vmap(lambda p, s: f(p) * s, in_axes=(-1, 0))
        return (values(points, factors) * WEIGHTS[i]).sum()

    return batched


def by_trace(f: Function, i: int) -> Function:
    """Recorded once, at another point; examples must not belong to an open transformation."""
    recorded = tg.trace(lambda z, s: f(z) * s, tg.tensor(TILTS[i]), tg.tensor(2.0, dtype="float64"))
    return lambda x: recorded(x, factor(x, i))


def by_vjp(f: Function, i: int) -> Function:
    return lambda x: (tg.vjp(lambda z: f(z) * factor(x, i), x)[1](ONE)[0] * DIRECTIONS[i]).sum()


def by_linearize(f: Function, i: int) -> Function:
    return lambda x: tg.linearize(lambda z: f(z) * factor(x, i), x)[1](DIRECTIONS[i])


def by_transposed_linearize(f: Function, i: int) -> Function:
    def derivative(x: Any) -> Any:
        _, linear = tg.linearize(lambda z: f(z) * factor(x, i), x)
        return (linear.transpose(ONE)[0] * DIRECTIONS[i]).sum()

    return derivative


def by_jacobian(f: Function, i: int, jacobian: Any = None) -> Function:
    """Of a function with two results."""

    def derivative(x: Any) -> Any:
        rows = (jacobian or tg.jacobian)(lambda z: tg.stack([f(z), 3 * f(z)]) * factor(x, i))(x)
        return ((rows[1] - rows[0]) * DIRECTIONS[i]).sum() / 2

    return derivative


def by_jacfwd(f: Function, i: int) -> Function:
    return by_jacobian(f, i, tg.jacfwd)


def by_jacrev(f: Function, i: int) -> Function:
    return by_jacobian(f, i, tg.jacrev)


def by_hessian(f: Function, i: int) -> Function:
    """A mixed derivative: once in a number that the function is multiplied by."""

    def derivative(x: Any) -> Any:
        mixed = tg.hessian(lambda t, z: t * f(z) * factor(x, i), (0, 1))(ONE, x)[0][1]
        return (mixed * DIRECTIONS[i]).sum()

    return derivative


def by_hvp(f: Function, i: int) -> Function:
    def derivative(x: Any) -> Any:
        return tg.hvp(lambda t, z: t * f(z) * factor(x, i), (ONE, x), (0 * ONE, DIRECTIONS[i]))[1][0]

    return derivative


def by_checkpoint(f: Function, i: int) -> Function:
    return lambda x: tg.checkpoint(lambda z: f(z) * factor(x, i))(x)


def by_scan(f: Function, i: int) -> Function:
    """The sum as the state of a loop; the vector is captured, and each step is run again."""

    def loop(x: Any) -> Any:
        def step(total: Any, one: Any) -> Any:
            shift, weight = one
            return total + f(x + shift) * factor(x, i) * weight, None

        return tg.scan(step, 0 * ONE, (SHIFTS[i], WEIGHTS[i]), checkpoint=1)[0]

    return loop


def by_custom_vjp(f: Function, i: int) -> Function:
    @tg.custom_vjp
    def product(z: Any, s: Any) -> Any:
        return f(z) * s

    product.defvjp(
        lambda z, s: (f(z) * s, (z, s)),
        lambda kept, g: (g * kept[1] * tg.grad(f)(kept[0]), g * f(kept[0])),
    )
    return lambda x: product(x, factor(x, i))


def by_custom_jvp(f: Function, i: int) -> Function:
    @tg.custom_jvp
    def product(z: Any, s: Any) -> Any:
        return f(z) * s

    def rule(primals: Any, tangents: Any) -> Any:
        (z, s), (dz, ds) = primals, tangents
        return f(z) * s, (tg.grad(f)(z) * dz).sum() * s + f(z) * ds

    product.defjvp(rule)
    return lambda x: product(x, factor(x, i))


LETTERS: dict[str, tuple[Meaning, Callable[[Function, int], Function]]] = {
    "grad": ("derivative", by_grad),
    "vjp": ("derivative", by_vjp),
    "jvp": ("derivative", by_jvp),
    "linearize": ("derivative", by_linearize),
    "vmap": ("sum", by_vmap),
    "checkpoint": ("same", by_checkpoint),
    "trace": ("same", by_trace),
    "custom_vjp": ("same", by_custom_vjp),
}
"""The transformations of which all words are tried."""

MORE = {
    "custom_jvp": ("same", by_custom_jvp),
    "scan": ("sum", by_scan),
    "jacobian": ("derivative", by_jacobian),
    "jacfwd": ("derivative", by_jacfwd),
    "jacrev": ("derivative", by_jacrev),
    "hessian": ("derivative", by_hessian),
    "hvp": ("derivative", by_hvp),
    "transpose of linearize": ("derivative", by_transposed_linearize),
    "grad of a line": ("derivative", by_line),
    "vmap of jvp": ("derivative", by_batch_of_tangents),
    "vmap of points": ("sum", by_vmap_of_points),
}
"""More transformations, and other ways to use them: tried in shorter words."""


def spelled(word: tuple[str, ...], f: Function) -> Function:
    """The function that a word makes of ``f``; the first letter is the outermost."""
    for i in reversed(range(len(word))):
        f = (LETTERS | MORE)[word[i]][1](f, i)
    return f


# ---- what must come out

Jet = dict[frozenset[int], Any]
"""The mixed derivatives of a function at a point, by the set of the directions."""

SUBSETS = [frozenset(s) for k in range(DEPTH + 1) for s in itertools.combinations(range(DEPTH), k)]


def expected(word: tuple[str, ...], jet_of: Callable[[Any], Jet], x: Any) -> Any:
    """The value of a word at ``x``, from the derivatives of the function itself that ``jet_of`` gives."""
    return _meant([(LETTERS | MORE)[letter][0] for letter in word], jet_of, x, 0)[frozenset()]


def _meant(meanings: list[Meaning], jet_of: Callable[[Any], Jet], x: Any, i: int) -> Jet:
    if i == len(meanings):
        return jet_of(x)
    if meanings[i] == "sum":
        parts = [_meant(meanings, jet_of, x + c, i + 1) for c in SHIFTS[i]]
        inner = {s: sum(w * part[s] for w, part in zip(WEIGHTS[i], parts, strict=True)) for s in parts[0]}
    else:
        inner = _meant(meanings, jet_of, x, i + 1)
        if meanings[i] == "derivative":
            inner = {s - {i}: d for s, d in inner.items() if i in s}
    return product(inner, jet_of_factor(x, i))


def product(a: Jet, b: Jet) -> Jet:
    """The product rule: the derivatives in a set are shared out among the factors in all ways."""
    return {s: sum(a[t] * b[s - t] for t in SUBSETS if t <= s) for s in a}


def jet_of_factor(x: Any, i: int) -> Jet:
    angle = TILTS[i] @ x
    found: Jet = {}
    for s in SUBSETS:
        slope = np.prod([TILTS[i] @ DIRECTIONS[k] for k in s])
        found[s] = 0.3 * np.sin(angle + len(s) * np.pi / 2) * slope + (not s)
    return found


def jet_by_reverse_mode(f: Function) -> Callable[[Any], Jet]:
    """Mixed derivatives by passes over one tape: no levels, no batches, no dual numbers. Points are kept."""
    kept: dict[bytes, Jet] = {}

    def jet_of(x: Any) -> Jet:
        if x.tobytes() not in kept:
            kept[x.tobytes()] = new_jet(x)
        return kept[x.tobytes()]

    def new_jet(x: Any) -> Jet:
        variable = tg.tensor(x, requires_grad=True)
        values: dict[frozenset[int], Any] = {frozenset(): f(variable)}
        for s in SUBSETS[1:]:
            i = max(s)
            lower = values[s - {i}]
            (g,) = (
                tg.autograd.grad(lower, variable, create_graph=True, allow_unused=True)
                if lower.requires_grad
                else (None,)
            )
            values[s] = tg.tensor(np.float64(0.0)) if g is None else (g * DIRECTIONS[i]).sum()
        return {s: float(value) for s, value in values.items()}

    return jet_of
