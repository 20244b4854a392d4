"""Why a gradient is NaN or infinite: back along the poisoned contributions, then along the poisoned values.

The first step of the backward pass that makes a number that is not finite out of finite ones is found. If the
values it worked with were not finite themselves, the cause lies in the forward pass: the first op that made a
value that is not finite from finite ones, or the data that came in with it.
"""

from __future__ import annotations

import heapq
from dataclasses import replace
from typing import Any

import numpy as np

from ..ir import Var
from .why_causes import DIVISIONS, LOGS
from .why_evidence import Evidence, Use, entry, percent, shown_as
from .why_zero import Found, hook_reason


def nonfinite(evidence: Evidence, var: Var) -> Found | None:
    """The root of NaN and infinite entries in the gradient of ``var``."""
    known, queue, seen = {var.index: var}, [(evidence.producer.get(var.index, -1), var.index)], {var.index}
    roots: list[tuple[int, Found]] = []
    while queue:
        _, number = heapq.heappop(queue)
        here = known[number]
        received = evidence.received.get(number, [])
        poisoned = [use for use in received if bad(use.amount)]
        if evidence.was_replaced(here) and not poisoned:
            made = evidence.producer.get(number)
            roots.append(
                (len(evidence.graph.equations), Found("hook", made, hook_reason(evidence, here, "NaN"), 1.0))
            )
            continue
        if not poisoned:
            roots.append((-1, _start(evidence, here, received)))
        for use in poisoned:
            sources = [out for out in use.equation.outputs if bad(evidence.gradient(out))]
            inside = _value_root(evidence, use)
            if inside is not None and not sources:
                roots.append((use.index, _held_back(evidence, use, inside)))
            elif not sources:
                roots.append((use.index, _slope_root(evidence, use)))
            for out in sources:
                if out.index not in seen:
                    seen.add(out.index)
                    known[out.index] = out
                    heapq.heappush(queue, (use.index, out.index))
    return max(roots, key=lambda root: root[0])[1] if roots else None


def bad(array: Any) -> bool:
    """Whether an array has an entry that is NaN or infinite."""
    if array is None:
        return False
    array = np.asarray(array)
    return array.dtype.kind in "fc" and not bool(np.isfinite(array).all())


def value_root(evidence: Evidence, var: Var) -> Found | None:
    """The op, or the data, that a value that is not finite came from; None if the value is finite."""
    value = evidence.value(var)
    if not bad(value):
        return None
    here, newborn = var, None  # newborn: the last op on the way back that made NaN of what was not
    seen = {var.index}
    while True:
        index = evidence.producer.get(here.index)
        if index is None:
            meant = newborn is not None and _meant(evidence.value(here))
            return _operation(evidence, newborn) if meant and newborn is not None else _data(evidence, here)
        equation = evidence.graph.equations[index]
        values = [(source, evidence.value(source)) for source in equation.inputs]
        nans = [s for s, v in values if v is not None and v.dtype.kind in "fc" and np.isnan(v).any()]
        infs = [s for s, v in values if bad(v) and s not in nans]
        if not nans and not infs:
            return _operation(evidence, index)
        if np.isnan(evidence.value(here)).any() and not nans:
            newborn = index
        source = (nans or infs)[0]
        if source.index in seen:
            return _operation(evidence, index)
        seen.add(source.index)
        here = source


def behind(evidence: Evidence, found: Found | None) -> Found | None:
    """What made NaN of the values that a mask then held back, if that is why a gradient is zero."""
    if (
        found is None
        or found.index is None
        or found.cause not in ("relu", "mask", "clip", "selection", "stationary")
    ):
        return None
    for var in evidence.graph.equations[found.index].inputs:
        value = evidence.value(var)
        if var.tracked and value is not None and value.dtype.kind in "fc" and np.isnan(value).any():
            return value_root(evidence, var)
    return None


# ---- helpers


def _value_root(evidence: Evidence, use: Use) -> Found | None:
    """The root of values that are not finite among those that a pullback worked with."""
    for var in (*use.equation.inputs, *use.equation.outputs):
        if bad(evidence.value(var)):
            return value_root(evidence, var)
    return None


def _held_back(evidence: Evidence, use: Use, inside: Found) -> Found:
    """The root of a value that is not finite; it says so, where the value belongs to a branch that is not taken."""
    g, amount = evidence.gradient(use.equation.outputs[0]), np.asarray(use.amount)
    if g is None or g.shape != amount.shape or np.any(np.asarray(g)[~np.isfinite(amount)]):
        return inside
    more = "; the branch is not taken, and its gradient of 0 times inf is NaN: tg.structural_zeros() leaves it out"
    return replace(inside, reason=inside.reason + more)


def _meant(value: Any) -> bool:
    """Whether infinities are there on purpose: one number, or the -inf of a mask before softmax."""
    return not np.isnan(value).any() and (value.size == 1 or not np.isposinf(value).any())


def _start(evidence: Evidence, var: Var, received: list[Use]) -> Found:
    """A gradient is not finite though nothing that was added to it is."""
    name = evidence.name(var)
    if not received:
        return Found("seed", None, f"backward was started from {name} with numbers that are not finite", 1.0)
    ops = ", ".join(dict.fromkeys(f"{use.equation.op} at {evidence.where(use.index)}" for use in received))
    reason = f"contributions to the gradient of {name} are finite, and their sum overflows: from {ops}"
    return Found("overflow", max(use.index for use in received), reason, 1.0)


def _data(evidence: Evidence, var: Var) -> Found:
    """The value came in as it is."""
    value, name = evidence.value(var), evidence.name(var)
    places = np.argwhere(~np.isfinite(value))
    first = tuple(places[0])
    used = evidence.uses.get(var.index, [])
    what = f"{len(places)} of {value.size} entries of {name} are not finite before any operation, the first "
    what += f"{name}{entry(first)} = {shown_as(value[first])}"
    return Found("data", used[0].index if used else None, what, len(places) / value.size)


def _operation(evidence: Evidence, index: int) -> Found:
    """The op made numbers that are not finite in the forward pass: say which, from what."""
    equation = evidence.graph.equations[index]
    out = next((o for o in equation.outputs if bad(evidence.value(o))), equation.outputs[0])
    result = evidence.value(out)
    inputs = [(var, evidence.value(var)) for var in equation.inputs]
    undefined = any(bad(d) for _, d in inputs)  # then only NaN is news
    places = np.argwhere(np.isnan(result) if undefined and np.isnan(result).any() else ~np.isfinite(result))
    first = tuple(places[0])
    at = [_at(data, first, out) for _, data in inputs]
    shown = [
        f"{evidence.name(v)}{one[0]} = {shown_as(one[1])}"
        for (v, _), one in zip(inputs, at, strict=True)
        if one
    ]
    got = f" for {' and '.join(shown)}" if shown else _extremes(evidence, inputs)
    share = len(places) / result.size
    counted = f"in {len(places)} of {result.size} entries ({percent(share)})"
    reason = f"{equation.op} gives {shown_as(result[first])}{got}, {counted}"
    cause = _forward_cause(equation.op, result, [data for _, data in inputs], at)
    wider = evidence.again(index) if cause in ("overflow", "undefined") else None
    if wider is not None and not bad(wider[equation.outputs.index(out)]):
        return Found("overflow", index, f"{reason}: too large for {out.dtype}", share)
    return Found(cause, index, reason, share)


def _forward_cause(op: str, result: Any, inputs: list[Any], at: list[Any]) -> str:
    if any(bad(d) for d in inputs):
        return "undefined"
    if op in LOGS:
        return "log"
    if op in DIVISIONS:
        return "division" if not at[-1] or at[-1][1] == 0 else "overflow"
    if op == "power" and at[0] and at[0][1] == 0:
        return "division"
    if np.isnan(result).any() or op in ("atanh", "erfinv", "tan", "ndtri", "gamma"):
        return "domain"
    return "overflow"


def _slope_root(evidence: Evidence, use: Use) -> Found:
    """Finite values, finite gradient, and yet the pullback made a number that is not finite."""
    equation, x = use.equation, use.equation.inputs[use.position]
    op, name, value = equation.op, evidence.name(x), evidence.value(x)
    amount, g = np.asarray(use.amount), evidence.gradient(equation.outputs[0])
    places = np.argwhere(~np.isfinite(amount))
    first = tuple(places[0])
    share = len(places) / amount.size
    alike = value is not None and value.shape == amount.shape
    at = f"{name}{entry(first)} = {shown_as(value[first])}" if alike else name
    counted = f"in {len(places)} of {amount.size} entries ({percent(share)})"
    wider = evidence.local(use.index, use.position, [evidence.gradient(out) for out in equation.outputs])
    if wider is not None and not bad(wider):
        reason = f"the gradient of {op} at {at} is too large for {amount.dtype}, {counted}"
        return Found("overflow", use.index, reason, share)
    if g is not None and g.shape == amount.shape and np.isnan(amount[first]) and g[first] == 0:
        reason = f"the slope of {op} is infinite at {at}; these entries are masked later, and 0 * inf is NaN, {counted}"
        return Found("masked", use.index, reason, share)
    reason = f"the slope of {op} is infinite at {at}, {counted}; its value is finite"
    return Found("infinite slope", use.index, reason, share)


def _at(data: Any, first: tuple[int, ...], out: Var) -> Any:
    """The entry of an input that an entry of the result was computed from, by broadcasting: (index, value)."""
    if data is None or data.ndim > len(out.shape):
        return None
    try:
        np.broadcast_to(data, out.shape)
    except ValueError:
        return None
    tail = first[len(first) - data.ndim :] if data.ndim else ()
    index = tuple([int(i) if n != 1 else 0 for i, n in zip(tail, data.shape, strict=True)])
    return entry(index), data[index]


def _extremes(evidence: Evidence, inputs: list[Any]) -> str:
    known = [(v, d) for v, d in inputs if d is not None and d.size and d.dtype.kind == "f"]
    shown = [f"{evidence.name(v)} from {np.nanmin(d):.3g} to {np.nanmax(d):.3g}" for v, d in known[:2]]
    return f" for {' and '.join(shown)}" if shown else ""
