"""Why there is no gradient: the walk along the recorded equations to the place where the history ends."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np

from ..ir import Equation, Var
from .why_causes import COMPARISONS, POSITIONS, ROUNDING
from .why_evidence import Evidence, Use
from .why_zero import Found


def broken(evidence: Evidence, versions: list[Var], targets: list[Var]) -> Found | None:
    """The equation at which the way from a tensor to the loss loses its history; None if it does not."""
    flows, depends = _reach(evidence, versions)
    if any(target.index in flows for target in targets):
        return None
    ancestors = _ancestors(evidence, targets)
    breaks = [use for index in flows for use in evidence.uses.get(index, []) if not _passes(use)]
    breaks.sort(key=lambda use: use.index)
    direct = [use for use in breaks if any(out.index in ancestors for out in use.equation.outputs)]
    if direct:
        found = [_named(evidence, use) for use in direct]
        # Conditions and positions are often taken beside the main path, which goes on.
        return max(
            found, key=lambda one: (one.cause not in ("comparison", "positions", "no formula"), one.index)
        )
    left = [use for use in breaks if use.equation.op == "leave"]
    came_back = [use for use in left if _comes_back(evidence, use, ancestors)]
    if came_back:
        return _named(evidence, came_back[0])
    other = [var for var in _losses(evidence, flows) if var.index not in ancestors]
    if other and evidence.seeds:
        goal = " and ".join(evidence.name(target) for target in targets)
        return Found("elsewhere", evidence.producer[other[-1].index], f"backward was called on {goal}, not on "
                     f"{evidence.name(other[-1])}, which {evidence.name(versions[-1])} is used for")  # fmt: skip
    if left:
        return _named(evidence, left[0])
    return _unused(evidence, versions, depends)


def lost(evidence: Evidence, var: Var) -> Found | None:
    """Where a value that was computed lost its history; None if it never had any."""
    todo, seen = [var], {var.index}
    breaks: list[Use] = []
    for here in todo:
        index = evidence.producer.get(here.index)
        if index is None:
            continue
        equation = evidence.graph.equations[index]
        for j, source in enumerate(equation.inputs):
            if source.tracked:
                breaks.append(Use(index, equation, j))
            elif source.index not in seen:
                seen.add(source.index)
                todo.append(source)
    return _named(evidence, max(breaks, key=lambda use: use.index)) if breaks else None


def ending(evidence: Evidence, seen: list[Var]) -> list[Var]:
    """What is taken for the loss if backward was not called.

    The last number that a tensor's gradient could come from, if nothing was computed from it; else the last number,
    or value, that was computed at all.
    """
    flows, _ = _reach(evidence, seen)
    results = [out for e in evidence.graph.equations for out in e.outputs]
    numbers = [out for out in results if out.size == 1]
    return (_losses(evidence, flows) or numbers or results)[-1:]


# ---- helpers


def _losses(evidence: Evidence, flows: Collection[int]) -> list[Var]:
    """The numbers that gradients could flow from, and that nothing was computed from."""
    numbers = [
        out for e in evidence.graph.equations for out in e.outputs if out.size == 1 and out.index in flows
    ]
    return [
        out for out in numbers if not any(use.equation.outputs for use in evidence.uses.get(out.index, []))
    ]


def _passes(use: Use) -> bool:
    """Whether gradients flow through an equation to one of its inputs."""
    equation = use.equation
    card = equation.primitive
    if card is None or not equation.taped or not any(out.tracked for out in equation.outputs):
        return False
    return card.kind != "constant" and card.formula_for(use.position) is not None


def _reach(evidence: Evidence, versions: list[Var]) -> tuple[dict[int, None], set[int]]:
    """What a tensor's gradient can come from, in order, and all that was computed from it."""
    flows = dict.fromkeys(var.index for var in versions)
    depends = set(flows)
    for i, equation in enumerate(evidence.graph.equations):
        if any(var.index in depends for var in equation.inputs):
            depends.update(out.index for out in equation.outputs)
        if any(var.index in flows and _passes(Use(i, equation, j)) for j, var in enumerate(equation.inputs)):
            flows.update(dict.fromkeys(out.index for out in equation.outputs if out.tracked))
    return flows, depends


def _ancestors(evidence: Evidence, targets: list[Var]) -> set[int]:
    """Everything that the targets were computed from, with history or without."""
    found = {target.index for target in targets}
    todo = list(found)
    while todo:
        index = evidence.producer.get(todo.pop())
        for var in evidence.graph.equations[index].inputs if index is not None else ():
            if var.index not in found:
                found.add(var.index)
                todo.append(var.index)
    return found


def _comes_back(evidence: Evidence, use: Use, ancestors: set[int]) -> bool:
    """Whether a value that left is found again, as it was, in what the loss was computed from."""
    value = evidence.value(use.equation.inputs[0])
    for index, var in [(v.index, v) for v in evidence.graph.variables]:
        if index in ancestors and index not in evidence.producer and var.size == use.equation.inputs[0].size:
            found = evidence.value(var)
            if (
                value is not None
                and found is not None
                and np.allclose(np.ravel(found), np.ravel(value), equal_nan=True)
            ):
                return True
    return False


def _named(evidence: Evidence, use: Use) -> Found:
    """The kind of an equation that ends the history, in a sentence."""
    equation, x = use.equation, evidence.name(use.equation.inputs[use.position])
    op = equation.op
    kind, reason = _kind(equation, use.position, x)
    found = Found(kind, use.index, reason, 1.0)
    if kind == "no formula" and op == "where":
        return Found("comparison", use.index, f"where only asks {x} which branch to take", 1.0)
    return found


def _kind(equation: Equation, position: int, x: str) -> tuple[str, str]:
    op, how = equation.op, equation.params.get("how", "")
    out = equation.outputs[0].dtype if equation.outputs else ""
    if op == "leave":
        return "left", f"{x} leaves for Python here, by {how}, and what comes back has no history"
    if op in ("detach", "stop_gradient"):
        return "detached", f"{op} gives the value of {x} without its history"
    if not equation.taped:
        return "no_grad", f"{op} of {x} ran under no_grad, so nothing was recorded"
    if op in ("cast", "truncate") and out and np.dtype(out).kind in "iub":
        return "integer", f"{op} turns {x} into {out}, which has no gradient"
    if op in POSITIONS:
        return "positions", f"{op} gives positions in {x}, which do not change with it"
    if op in COMPARISONS:
        return "comparison", f"{op} of {x} gives true or false"
    if op in ROUNDING:
        return "rounding", f"{op} of {x} is a step function, its derivative is 0 everywhere"
    if out and np.dtype(out).kind in "iub":
        return "integer", f"{op} turns {x} into {out}, which has no gradient"
    if equation.primitive is not None and equation.primitive.kind != "constant":
        name = equation.primitive.input_of(position)
        return "no formula", f"{op} has no derivative with respect to {name}, and {x} is its {name}"
    return "rounding", f"{op} of {x} has no derivative"


def _unused(evidence: Evidence, versions: list[Var], depends: set[int]) -> Found:
    """The tensor leads nowhere: say what it was used for, if anything."""
    name = evidence.name(versions[-1]) if versions else "it"
    last = [
        i for i, e in enumerate(evidence.graph.equations) if any(var.index in depends for var in e.inputs)
    ]
    if not last:
        return Found("unused", None, f"the loss is not computed from {name}: no recorded operation uses it")
    op = evidence.graph.equations[last[-1]].op
    reason = f"the loss is not computed from {name}: the last operation on its way, {op}, leads nowhere"
    return Found("unused", last[-1], reason)


def replaced_by(evidence: Evidence, x: Any, used: set[int]) -> Var | None:
    """The only other leaf of the shape and dtype of ``x`` that has a gradient, where ``x`` has none."""
    leaves = [v for v in evidence.graph.captured if v.index not in used and evidence.gradient(v) is not None]
    alike = [v for v in leaves if v.shape == x.shape and v.dtype == str(x.dtype)]
    return alike[0] if len(alike) == 1 else None
