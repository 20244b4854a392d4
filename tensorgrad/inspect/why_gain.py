"""Why a gradient vanishes or explodes: the gain of each equation on the way from the loss to the tensor.

The gain of an equation is the norm of what it sends back over the norm of the gradient it got. Norms do not
change when a gradient is reshaped, copied or picked apart, so the product of the gains is the norm of the
gradient over that of the seed.
"""

from __future__ import annotations

import math
import os
from dataclasses import dataclass

import numpy as np

from ..ir import Var
from .why_causes import MIXING, SATURATING, SUMS
from .why_evidence import Evidence, Use, norm, percent
from .why_zero import Found

SMALLEST = float(np.finfo(np.float32).eps)
"""Below this gain from seed to tensor a gradient vanishes: in a sum with the seed, float32 would not notice it."""

LARGEST = 1 / SMALLEST
"""Above it a gradient explodes."""

FLAT = 1e-3
"""An entry of an activation is saturated where its slope is below this."""

HALF = 0.5


@dataclass(frozen=True)
class Gain:
    """One equation on the way, and the factor by which it changes the norm of the gradient."""

    use: Use
    factor: float


def total(evidence: Evidence, var: Var) -> float | None:
    """The norm of the gradient of a value over that of the seeds; None if either is not known, or is 0."""
    g = evidence.gradient(var)
    seeds = (
        [evidence.gradient(v) for v, _ in evidence.backward.seeds] if evidence.backward is not None else []
    )
    size = math.hypot(*[norm(seed) for seed in seeds if seed is not None]) if seeds else 0.0
    return None if g is None or not size or not math.isfinite(size) else norm(g) / size


def gains(evidence: Evidence, var: Var) -> list[Gain]:
    """The equations on the way from ``var`` to the seed, the strongest contribution at each fork."""
    found: list[Gain] = []
    here: Var | None = var
    while here is not None and here.index not in evidence.seeds:
        received = evidence.received.get(here.index, [])
        if not received:
            break
        use = max(received, key=lambda one: norm(one.amount))
        outs = [(norm(evidence.gradient(out)), out) for out in use.equation.outputs]
        arrived = math.hypot(*[size for size, _ in outs])
        found.append(Gain(use, norm(use.amount) / arrived if arrived else math.inf))
        here = max(outs, key=lambda pair: pair[0])[1]
    return found


def vanishing(evidence: Evidence, var: Var) -> Found | None:
    """The op, or the layers, that make a gradient vanish; None if it is only a sum over examples that balances."""
    way = gains(evidence, var)
    logs = [math.log(max(gain.factor, 1e-300)) for gain in way]
    lost = -sum(logs)
    worst = min(range(len(way)), key=lambda i: logs[i])
    use = way[worst].use
    flat = _saturated(evidence, use)
    saturated = [_saturated(evidence, gain.use) for gain in way]
    flattened = [i for i, share in enumerate(saturated) if share is not None and share > HALF]
    if flattened and -sum(logs[i] for i in flattened) >= HALF * lost:
        i = min(flattened, key=lambda i: logs[i])
        use, flat = way[i].use, saturated[i]
        more = len(flattened) - 1
        also = f", and {more} more like it on the way" if more else ""
        reason = (
            f"{use.equation.op} is saturated in {percent(flat or 0.0)} of its entries (slope below {FLAT:g}), which leaves "
            f"{way[i].factor:.1e} of the gradient{also}"
        )
        return Found("saturated", use.index, reason, flat)
    if -logs[worst] >= HALF * lost:
        if use.equation.op in MIXING and _cancels(evidence, use):
            return Found(
                "cancel", use.index, f"what comes back through {use.equation.op} cancels up to rounding", 1.0
            )
        if _balances(evidence, way[worst]):
            return None
        return Found(
            "small factor",
            use.index,
            f"{use.equation.op} leaves {way[worst].factor:.1e} of the gradient{_factor(evidence, use)}",
            1.0,
        )
    return Found("small gains", use.index, _layers(evidence, way, least=True), None)


def exploding(evidence: Evidence, var: Var) -> Found:
    """The op, or the layers, that make a gradient explode."""
    way = gains(evidence, var)
    logs = [math.log(max(gain.factor, 1e-300)) for gain in way]
    worst = max(range(len(way)), key=lambda i: logs[i])
    use = way[worst].use
    if logs[worst] >= HALF * sum(logs):
        return Found("large factor", use.index, f"{use.equation.op} multiplies the gradient by {way[worst].factor:.1e}"
                     f"{_factor(evidence, use)}", 1.0)  # fmt: skip
    return Found("large gains", use.index, _layers(evidence, way, least=False), None)


# ---- helpers


def _saturated(evidence: Evidence, use: Use) -> float | None:
    """The share of saturated entries of an activation, None if the op is none."""
    if use.equation.op not in SATURATING or use.equation.primitive is None:
        return None
    if use.equation.op in ("softmax", "log_softmax"):
        y = evidence.value(use.equation.outputs[0])
        y = y if use.equation.op == "softmax" or y is None else np.exp(y)
        return None if y is None else float(np.mean(y * (1 - y) < FLAT))
    if use.equation.primitive.kind != "elementwise":
        return None
    slope = evidence.local(use.index, use.position, [np.ones(use.equation.outputs[0].shape)])
    return None if slope is None else float(np.mean(np.abs(slope) < FLAT))


def _cancels(evidence: Evidence, use: Use) -> bool:
    """Whether a softmax or a norm sends back next to nothing though its slopes are not small."""
    share = _saturated(evidence, use)
    return use.equation.op in ("row_norm", "batch_norm") or (share is not None and share < HALF)


def _balances(evidence: Evidence, gain: Gain) -> bool:
    """Whether a sum of contributions, none of them small, comes out small: as for a bias with balanced examples."""
    equation, position = gain.use.equation, gain.use.position
    if equation.op not in SUMS and equation.inputs[position].shape == equation.outputs[0].shape:
        return False
    factors = [evidence.value(v) for j, v in enumerate(equation.inputs) if j != position]
    sizes = [np.abs(f).max() for f in factors if f is not None and f.size and f.dtype.kind in "fc"]
    strength = (
        1.0
        if equation.op in ("add", "subtract") or equation.inputs[position].shape == (1,)
        else max(sizes, default=1.0)
    )
    return bool(gain.factor < FLAT * strength)


def _factor(evidence: Evidence, use: Use) -> str:
    """The size of what an op multiplies by, if that is what it does."""
    for j, var in enumerate(use.equation.inputs):
        value = evidence.value(var)
        if j == 1 and use.position == 0 and use.equation.op == "divide" and value is not None and value.size:
            return f": it divides by {evidence.name(var)}, at least {np.abs(value).min():.2g}"
        if j != use.position and value is not None and value.size and value.dtype.kind in "fc":
            return f": the other factor, {evidence.name(var)}, is at most {np.abs(value).max():.2g}"
    value = evidence.value(use.equation.inputs[use.position])
    if value is None or not value.size or value.dtype.kind != "f":
        return ""
    return f", for inputs from {value.min():.3g} to {value.max():.3g}"


def _layers(evidence: Evidence, way: list[Gain], *, least: bool, shown: int = 3) -> str:
    """The layers with the least, or the greatest, gains: by module where there are any, else by line."""
    product: dict[str, float] = {}
    uses: dict[str, int] = {}
    for gain in way:
        equation = gain.use.equation
        place = equation.scope or f"{equation.op} at {os.path.basename(evidence.where(gain.use.index))}"
        product[place] = product.get(place, 1.0) * gain.factor
        uses[place] = uses.get(place, 0) + 1
    ranked = sorted(product.items(), key=lambda item: item[1], reverse=not least)[:shown]
    texts = [
        f"{place} ({f'{uses[place]} times, ' if uses[place] > 1 else ''}{factor:.2g} in all)"
        for place, factor in ranked
    ]
    typical = math.exp(sum(math.log(max(gain.factor, 1e-300)) for gain in way) / len(way))
    return (
        f"{len(way)} steps on the way multiply the gradient by {typical:.2g} each on average, and no single one is to "
        f"blame; the {'least' if least else 'greatest'}: {', '.join(texts)}"
    )
