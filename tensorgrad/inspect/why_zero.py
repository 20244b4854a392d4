"""Why a gradient is zero: the walk from the tensor towards the loss, to the ops that let nothing through.

The walk carries which entries depend on the tensor, so that a concatenation, whose other part has a gradient, is
not taken for the op that stopped this one.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..ir import Var
from .why_causes import CHOICES, CLIPS, MIXING, RANDOM, RESIDUALS, SATURATING
from .why_evidence import Evidence, Use, norm, percent, wide


@dataclass(frozen=True)
class Found:
    """A cause: its kind, the equation (by its place), one sentence, the share of entries."""

    cause: str
    index: int | None
    reason: str
    share: float | None = None
    weight: float = 0.0
    via: int | None = None  # the equation where the walk ended, if the cause lies further back


def zero(evidence: Evidence, var: Var) -> Found | None:
    """The op that makes the gradient of ``var`` zero in all entries."""
    roots: list[Found] = []
    masks: dict[int, Any] = {var.index: np.ones(var.shape, bool)}
    known = {var.index: var}
    queue = [(evidence.producer.get(var.index, -1), var.index)]
    while queue:
        _, number = heapq.heappop(queue)
        here, mask = known[number], masks[number]
        received = evidence.received.get(number, [])
        alive = [use for use in received if _any(use.amount, mask)]
        if here.index in evidence.replaced and alive:
            reason = hook_reason(evidence, here, "zeros")
            roots.append(Found("hook", evidence.producer.get(number), reason, 1.0, np.inf))
            continue
        if number in evidence.seeds and not alive and not _any(evidence.seed(here), mask):
            reason = f"backward was started from {evidence.name(here)} with zeros"
            roots.append(Found("seed", evidence.producer.get(number), reason, 1.0))
        if alive:
            roots.append(_cancelled(evidence, here, alive))
            continue
        for use in received:
            outs = evidence.reach(use.index, use.position, mask)
            cotangents = [evidence.gradient(out) for out in use.equation.outputs]
            chosen = any(reached.any() for reached in outs)
            if not chosen or any(_any(g, reached) for g, reached in zip(cotangents, outs, strict=True)):
                roots.append(stopped(evidence, use, cotangents, mask, outs))
                continue
            for out, g, reached in zip(use.equation.outputs, cotangents, outs, strict=True):
                if g is None:
                    continue
                if out.index in masks:
                    masks[out.index] = masks[out.index] | reached
                else:
                    masks[out.index], known[out.index] = reached, out
                    heapq.heappush(queue, (use.index, out.index))
    return max(roots, key=lambda root: root.weight) if roots else None


def stopped(evidence: Evidence, use: Use, cotangents: list[Any], mask: Any, outs: list[Any]) -> Found:
    """Say why an equation sends nothing to the entries ``mask`` of one input, which ``outs`` of its results depend on."""
    index, equation, position = use.index, use.equation, use.position
    weight = max((norm(g) for g in cotangents if g is not None and np.isfinite(g).all()), default=1.0)
    op, x = equation.op, equation.inputs[position]
    wider = evidence.local(index, position, [None if g is None else _scaled(g) for g in cotangents])
    if _any(wider, mask) and op not in COPIES:
        most = np.abs(wider[mask]).max()
        slope = (
            f"its slope is at most {most:.1e}" if most < 1e-3 else "the gradient times its slope is too small"
        )
        reason = f"{op} sends back numbers that {x.dtype} rounds to 0: {slope}"
        return Found("underflow", index, reason, 1.0, weight)
    for j, other in enumerate(equation.inputs if op in FACTORS else ()):
        factor = evidence.value(other)
        if j == position or other is x or factor is None or not factor.size:
            continue
        if not factor.any():
            return _zero_factor(evidence, use, other, weight)
        if op == "multiply" and not _any(factor, outs[0] & (np.asarray(cotangents[0]) != 0)):
            share = float(np.mean(factor == 0))
            reason = (
                f"multiply multiplies by 0 wherever there is a gradient, in {percent(share)} of its entries"
            )
            return Found("zero factor", index, reason, share, weight)
    value = evidence.value(x)
    if op in RESIDUALS and value is not None and value.size and not value.any():
        source, at = origin(evidence, x, _all_zero)
        residual = source is not None and evidence.graph.equations[source].op in ("subtract", "add")
        if source is not None and not (residual and _near_loss(evidence, index)):
            return _made_zero(evidence, source, at, f", where the derivative of {op} is 0", weight, index)
    cause, reason, share = _by_op(evidence, use, mask)
    return Found(cause, index, reason, share, weight)


def origin(evidence: Evidence, var: Var, same: Any) -> tuple[int | None, Var]:
    """Where a value became what it is: the equation that made it so from inputs that are not, or the leaf."""
    here = var
    while True:
        index = evidence.producer.get(here.index)
        if index is None:
            return None, here
        for source in evidence.graph.equations[index].inputs:
            value = evidence.value(source)
            if value is not None and value.size and source.shape and same(value):
                here = source
                break
        else:
            return index, here


def ignored(evidence: Evidence, condition: Var) -> bool:
    """Whether a mask says which targets a loss of classes does not ignore."""
    index = evidence.producer.get(condition.index)
    if index is None or evidence.graph.equations[index].op != "not_equal":
        return False
    labels = evidence.graph.equations[index].inputs[0]
    return any(use.equation.op == "class_positions" for use in evidence.uses[labels.index])


def hook_reason(evidence: Evidence, var: Var, what: str) -> str:
    """Name the hook that replaced a gradient."""
    names = evidence.hooks(var)
    return f"a hook on {evidence.name(var)} replaced the gradient by {what}{': ' + names if names else ''}"


def flat_share(evidence: Evidence, use: Use, mask: Any = True) -> float | None:
    """The share of entries of one input in which an elementwise op has derivative 0; None if unknown."""
    card, out = use.equation.primitive, use.equation.outputs[0]
    if use.equation.op == "where":
        condition = evidence.value(use.equation.inputs[0])
        taken = np.mean(condition) if condition is not None and condition.size else None
        return None if taken is None else float(1 - taken if use.position == 1 else taken)
    if card is None or card.kind != "elementwise":
        return None
    slope = evidence.local(use.index, use.position, [np.ones(out.shape)])
    return None if slope is None else float(np.mean(slope[np.broadcast_to(mask, slope.shape)] == 0))


BALANCE = "balance"
"""Contributions of examples to a bias that happen to sum to 0: a fact, no cause of anything."""

# ---- helpers

COPIES = CHOICES | {"reshape", "permute_dims", "broadcast_to", "cast"}
PLAIN = {"sum", "divide", "multiply", "sqrt", "where", "add", "reshape", "cast", "getitem", "sum_to"}
FACTORS = {
    "multiply", "matmul", "einsum", "linear", "correlation", "correlation_filters", "correlation_spread", "divide", "lerp",
    "attention", "solve",
}  # fmt: skip


def _by_op(evidence: Evidence, use: Use, mask: Any) -> tuple[str, str, float]:
    """What the op and its values say: a cause, a sentence, the share of entries."""
    op, x, out = use.equation.op, use.equation.inputs[use.position], use.equation.outputs[0]
    name, value = evidence.name(x), evidence.value(x)
    flat = flat_share(evidence, use, mask)
    share = 1.0 if flat is None else flat
    if op == "relu" and value is not None:
        share = float(np.mean(value <= 0))
        reason = f"relu lets nothing through: its input is <= 0 in {percent(share)} of {value.size} entries"
        return "relu", reason, share
    if op == "where":
        if ignored(evidence, use.equation.inputs[0]):
            return "ignored targets", "every target is one that the loss ignores", 1.0
        return "mask", f"where takes the other branch in {percent(share)} of its entries", share
    if (op in CLIPS and len(use.equation.inputs) > 1) or op == "hardtanh":
        return "clip", f"{op} gives back its bound, not {name}, in {percent(share)} of its entries", share
    if op in SATURATING:
        reason = f"{op} is flat: its slope is exactly 0 in {percent(share)} of its entries{_range(value)}"
        return "saturated", reason, share
    if op in CHOICES:
        return "selection", f"{op} chooses none of the entries that depend on {name}", 1.0
    known = value is not None and value.size > 0
    if known and not value.any() and op in RESIDUALS and _near_loss(evidence, use.index):
        return "minimum", f"the loss is at its minimum: what goes into {op} is exactly 0 everywhere", 1.0
    if (op == "linear" and use.position == 2) or (op in ("add", "subtract") and x.shape != out.shape):
        return BALANCE, f"what comes back to {name} from the examples balances exactly", 1.0
    if op in MIXING or op in FACTORS or x.shape != out.shape:
        return "cancel", f"what comes back through {op} to {name} cancels exactly", 1.0
    if known and len(np.unique(value)) == 1:
        reason = f"the derivative of {op} is exactly 0 at {value.flat[0]:.4g}, the value of all its entries"
        return "stationary", reason, 1.0
    return "stationary", f"the derivative of {op} is exactly 0 in {percent(share)} of its entries", share


def _zero_factor(evidence: Evidence, use: Use, other: Var, weight: float) -> Found:
    """A factor is zero in all entries: name the op that made it so, or the leaf that it is."""
    index, source = origin(evidence, other, _all_zero)
    op, name, size = use.equation.op, evidence.name(source), source.size
    if index is None:
        reason = f"{op} multiplies by {name} ({source.dtype}{list(source.shape)}), which is 0 in all {size} entries"
        if not source.shape:
            tiny = ", to which float16 rounds what is below 3e-8" if source.dtype == "float16" else ""
            reason = f"{op} multiplies by the number 0{tiny}"
        return Found("zero factor", use.index, reason, 1.0, weight)
    return _made_zero(evidence, index, source, f", and {op} multiplies by it", weight, use.index)


def _made_zero(evidence: Evidence, index: int, source: Var, tail: str, weight: float, via: int) -> Found:
    """An op made a value zero in all entries: say how."""
    maker = evidence.graph.equations[index].op
    if maker in RANDOM:
        return Found("dropout", via, "the random mask dropped all entries", 1.0, weight)
    cause, reason = "zero factor", f"{maker} gives 0 in all {source.size} entries"
    if maker == "relu":
        cause = "relu"
        reason = f"relu lets nothing through: its input is <= 0 in 100 % of {source.size} entries"
    elif maker == "where" or maker in CLIPS:
        cause = "mask" if maker == "where" else "clip"
    elif (again := evidence.again(index)) is not None and np.any(again[0]):
        cause, reason = "underflow", f"the result of {maker} is too small for {source.dtype} and became 0"
    return Found(cause, index, f"{reason}{tail}", 1.0, weight, via)


def _cancelled(evidence: Evidence, var: Var, alive: list[Use]) -> Found:
    """Contributions that are not zero have a sum that is."""
    nearest = max(alive, key=lambda use: use.index)
    places = {use.index: f"{use.equation.op} at {evidence.where(use.index)}" for use in alive}
    ops = ", ".join(places.values()) if len(places) > 1 else f"both from {nearest.equation.op}"
    reason = f"{len(alive)} contributions to the gradient of {evidence.name(var)} add up to exactly 0: {ops}"
    return Found("cancel", nearest.index, reason, 1.0, max(norm(use.amount) for use in alive))


def _any(array: Any, mask: Any) -> bool:
    """Whether an array has an entry that is not zero (NaN is not) where ``mask`` is true."""
    return array is not None and bool(np.any((np.asarray(array) != 0) & mask))


def _scaled(g: Any) -> Any:
    """A cotangent with the largest entry 1, so that only the op itself can make it underflow."""
    g = np.where(np.isfinite(g), wide(g), 0)
    largest = np.abs(g).max(initial=0.0)
    return g / largest if largest else g


def _all_zero(value: Any) -> bool:
    return not value.any()


def _range(value: Any) -> str:
    if value is None or not value.size or value.dtype.kind == "c":
        return ""
    return f", for inputs from {value.min():.3g} to {value.max():.3g}"


def _near_loss(evidence: Evidence, index: int) -> bool:
    """Whether only sums, means and products by numbers come after an equation."""
    here = index
    for _ in range(8):
        out = evidence.graph.equations[here].outputs[0]
        after = [use for use in evidence.uses.get(out.index, []) if any(
            evidence.gradient(o) is not None for o in use.equation.outputs)]  # fmt: skip
        if out.index in evidence.seeds:
            return True
        if len(after) != 1 or after[0].equation.op not in PLAIN:
            return False
        here = after[0].index
    return False
