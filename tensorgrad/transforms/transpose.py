"""The transpose of a linear function of values, and whether a function is linear."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from .._errors import GradientError, ShapeError
from .._fused import set_pull
from .._levels import new_level
from .._tape import Leaf, collect
from .._tensor import Over, pull
from .jvp import variable


def transpose_of(
    name: str, f: Callable[[Sequence[Any]], Sequence[Any]], xs: Sequence[Any], g: Sequence[Any]
) -> list[Any]:
    """The transpose of the linear function ``f`` of tangents of ``xs``, applied to ``g``."""
    with new_level() as level:
        return _pulled(f, [variable(x, level) for x in xs], g, level, name)


def pull_through(f: Callable[[Sequence[Any]], Sequence[Any]], xs: Sequence[Any], g: Any) -> list[Any]:
    """The cotangents of ``xs`` for the cotangents ``g`` of the results of ``f``, recorded where lower levels record."""
    with new_level() as level:
        variables = [Over(x, Leaf(x.shape, x.dtype), level, always=True) for x in xs]
        return _pulled(f, variables, g, level)


def _pulled(
    f: Callable[[Sequence[Any]], Sequence[Any]], ts: Sequence[Over], g: Any, level: float, name: str = ""
) -> list[Any]:
    """Walk back through ``f`` from ``g`` to its variables ``ts``; with a name, ``f`` must be linear."""
    results = f(ts)
    cotangents = g if isinstance(g, tuple | list) else (g,)
    pairs = [
        (r, c) for r, c in zip(results, cotangents, strict=True)
        if isinstance(r, Over) and r.level == level and r._node is not None
    ]  # fmt: skip
    if not pairs:
        return [None] * len(ts)
    for r, c in pairs:
        if r.shape != c.shape:
            raise ShapeError(
                f"{name}: the rule returned a tangent of shape {r.shape} for a result of {c.shape}; a tangent has the "
                "shape of its result"
            )
    if name:
        check_linear(name, "rule", "the tangents", [r for r, _ in pairs])
    found, _ = pull(
        [r for r, _ in pairs], [c for _, c in pairs], frozenset([t._node for t in ts]), retain=True
    )
    return [found.get(t._node) for t in ts]


def check_linear(name: str, what: str, of: str, ends: Sequence[Over]) -> None:
    """Raise if ``ends`` were not computed linearly from the variables of their level.

    It looks at the kinds of the ops on the way. What goes through an op without derivatives, as `sign`, is not
    seen, and a call of another custom function is taken for linear.
    """
    for node in collect([end._node for end in ends])[0]:
        card = node.prim
        tied = [i for i, edge in enumerate(node.edges) if edge is not None]
        if card.kind in ("linear", "view") or hasattr(card, "rules") or card.name == "pick":
            continue
        if (card.kind == "bilinear" or card.variadic) and len(node.edges) > 1:
            bent = len(tied) > 1
        else:
            own = {card.input_of(i) for i in tied} | {"y"}
            bent = any(own & set(card.formula_for(i).names) for i in tied)
        if bent:
            raise GradientError(
                f"{name}: the {what} is not linear in {of} ({card.name} of it), so the derivative has no transpose, "
                + (
                    "and forward mode (tg.jvp, and what is built on it) cannot follow; take reverse mode, tg.grad of "
                    "tg.grad, or declare it by tg.custom_jvp"
                    if what == "backward"
                    else "and reverse mode cannot follow; a tangent is a sum of products with the given tangents"
                )
            )


set_pull(pull_through)
