"""What `why` found about one tensor, put into words: from the facts and the causes to a `Diagnosis`."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from .._tape import collect
from .._tensor import Parameter, Tensor
from ..ir import Var
from .why_causes import CAUSES, MASKS
from .why_diagnosis import Diagnosis, assigns
from .why_evidence import Evidence, belongs, described, entry, norm, percent
from .why_gain import LARGEST, SMALLEST, exploding, gains, total, vanishing
from .why_none import broken, ending, lost, replaced_by
from .why_nonfinite import bad, behind, nonfinite, value_root
from .why_zero import BALANCE, Found, flat_share, zero

MOSTLY = 0.9
"""A gradient is partly zero if at least this share of it is 0, and one op holds back as large a share of its entries."""

ENOUGH = 32
"""Of an op with fewer entries nothing is said about shares: so few may be 0 by chance."""


class Teller:
    """Answers for one tensor.

    Args:
        x: the tensor.
        name: what the user calls it.
        stored: its ``.grad`` as an array, None if it has none or if it says nothing.
    """

    def __init__(self, x: Tensor, name: str, stored: Any) -> None:
        self.x, self.name, self.stored = x, name, stored
        self.typed = f"{name} ({x.dtype}{list(x.shape)})"

    def alone(self, loss: Any) -> Diagnosis:
        """Without a recorded run."""
        x, name, stored = self.x, self.name, self.stored
        if stored is not None:
            state = _state(stored)
            found = Found("not recorded", None, f"no recorded run has seen {name}")
            return self.ok(stored) if state == "ok" else self.say(state, found, None, stored)
        if not x.requires_grad:
            return self.not_required()
        if not x.is_leaf:
            return self.computed(None, None)
        if loss is not None and loss._node is not None and loss._node.edges:
            _, leaves = collect([loss._node])
            if x._node not in leaves:
                return self.none(
                    "unused", f"the loss is not computed from {name}, or its history was cut between them"
                )
        return self.none("no backward", f"no backward has reached {name}", CAUSES["not recorded"])

    def unreached(self, evidence: Evidence, seen: list[Var], targets: list[Var], called: bool) -> Diagnosis:
        """No backward pass of the run came here."""
        x, name = self.x, self.name
        if self.stored is not None:
            return self.alone(None)
        value = value_root(evidence, seen[-1]) if seen and not x.is_leaf else None
        if value is not None:
            return self.value(evidence, seen[-1], value)
        if not x.requires_grad:
            cut = lost(evidence, seen[-1]) if seen else None
            return self.not_required() if cut is None else self.none_by(evidence, cut)
        if not x.is_leaf and seen and self.rebinding(evidence, seen[-1]):
            return self.computed(evidence, seen[-1])
        targets = targets or ending(evidence, seen)
        used = {var.index for var in seen}
        if any(target.index in used for target in targets):
            return self.none(
                "no backward", f"{name} is the end of the computation, and no backward was called on it"
            )
        found = broken(evidence, seen, targets)
        if found is not None:
            gone = (
                found.index is None and called and isinstance(x, Parameter) and not belongs(evidence.run, x)
            )
            other = replaced_by(evidence, x, used) if gone else None
            if other is None:
                return self.none_by(evidence, found)
            now = other.label or "another"
            reason = f"no module of the recorded run has {name} any more; {now}, of its shape, got a gradient"
            return self.none("replaced", reason)
        ends = ", ".join(evidence.name(target) for target in targets) or "the result"
        if called:
            return self.none(
                "elsewhere", f"backward was called in the recorded run, but not through {name}: on {ends}"
            )
        return self.none(
            "no backward", f"{ends} depends on {name}, and no backward was called in the recorded run"
        )

    def reached(self, evidence: Evidence, var: Var, only_asked: bool) -> Diagnosis:
        """A backward pass sent a gradient here."""
        x, g = self.x, evidence.gradient(var)
        changed = self.changed(g) if x.is_leaf and not only_asked else None
        if changed is not None:
            return changed
        state = _state(g)
        if state in ("nan", "inf"):
            return self.say(state, nonfinite(evidence, var), evidence, g, var)
        if state == "zero":
            found = zero(evidence, var)
            if found is not None and found.cause == BALANCE:
                return replace(self.ok(g), reason=found.reason)
            return self.say("zero", behind(evidence, found) or found, evidence, g, var)
        gain = None if var.index in evidence.seeds else total(evidence, var)
        if gain is not None and gain < SMALLEST and (found := vanishing(evidence, var)) is not None:
            return self.say("vanishing", found, evidence, g, var)
        if gain is not None and gain > LARGEST:
            return self.say("exploding", exploding(evidence, var), evidence, g, var)
        part = _partly(evidence, var, g)
        if part is not None:
            return self.say("partly zero", part, evidence, g, var)
        for end in (var, *[seed for seed, _ in evidence.seeded]):
            value = value_root(evidence, end)
            if value is not None:
                return self.value(evidence, end, value, itself=end.index == var.index)
        if not x.is_leaf and self.stored is None and not only_asked:
            return self.computed(evidence, var)
        return self.ok(g if self.stored is None else self.stored)

    def changed(self, g: Any) -> Diagnosis | None:
        """What the leaf holds is not what arrived: it was cleared, zeroed, or a hook replaced it."""
        stored, arrived = self.stored, f"a gradient of norm {norm(g):.3g} arrived in the recorded run"
        if stored is None:
            return self.none("cleared", f"{arrived}; .grad was cleared since, or tg.grad returned it")
        state = _state(stored)
        if state == "ok" or _state(g) != "ok":
            return None
        hooks = _hooks(self.x)
        if hooks:
            found = Found("hook", None, f"a hook on {self.name} replaced the gradient: {hooks}", 1.0)
        elif state == "zero":
            found = Found("zeroed", None, f"{arrived}, and .grad was set to 0 since", 1.0)
        else:
            found = Found("not recorded", None, f"{arrived}; what .grad holds came from somewhere else")
        return self.say(state, found, None, stored)

    # ---- kinds of answer

    def say(
        self, verdict: str, found: Found | None, evidence: Evidence | None, g: Any, var: Var | None = None
    ) -> Diagnosis:
        """Something is wrong with a gradient: count the entries."""
        if verdict in ("vanishing", "exploding"):
            return self.made(
                verdict, found, evidence, f"the gradient of {self.typed} has norm {norm(g):.1e}", var
            )
        word, wrong = {"nan": ("NaN", np.isnan(g)), "inf": ("infinite", np.isinf(g))}.get(
            verdict, ("0", g == 0)
        )
        hits = int(np.count_nonzero(wrong))
        which = (
            f" in all {g.size} entries"
            if hits == g.size
            else f" in {hits} of {g.size} entries ({percent(hits / g.size)})"
        )
        finding = f"the gradient of {self.typed} is {word}{which if g.size > 1 else ''}"
        return self.made(verdict, found, evidence, finding, var)

    def made(
        self,
        verdict: str,
        found: Found | None,
        evidence: Evidence | None,
        finding: str,
        var: Var | None = None,
    ) -> Diagnosis:
        """A diagnosis of what was found, with the equation, its position and the path."""
        if found is None:
            return Diagnosis(
                verdict, "", self.name, finding, advice="draw the run to look further: tg.graph(run)"
            )
        equation, position = None, None
        path: tuple[str, ...] = ()
        if found.index is not None and evidence is not None:
            equation, position = evidence.graph.equations[found.index], evidence.position(found.index)
            if var is not None:
                path = evidence.path(var, found.index if found.via is None else found.via, self.name)
        advice = CAUSES[found.cause].format(x=self.name)
        why = (verdict, found.cause, self.name, finding, found.reason)
        return Diagnosis(*why, equation, found.index, position, found.share, path, advice)

    def none_by(self, evidence: Evidence, found: Found) -> Diagnosis:
        """No gradient, because of an equation."""
        return self.made("none", found, evidence, f"{self.name} has no gradient")

    def none(self, cause: str, reason: str, extra: str = "") -> Diagnosis:
        """No gradient, and no equation to blame."""
        advice = CAUSES[cause].format(x=self.name) + (f"; {extra}" if extra else "")
        return Diagnosis("none", cause, self.name, f"{self.name} has no gradient", reason, advice=advice)

    def not_required(self) -> Diagnosis:
        """Nobody asked for a gradient."""
        frozen = isinstance(self.x, Parameter)
        reason = f"{self.name} is frozen" if frozen else f"gradients of {self.name} are not wanted"
        return self.none("frozen" if frozen else "not required", f"{reason}: its requires_grad is False")

    def computed(self, evidence: Evidence | None, var: Var | None) -> Diagnosis:
        """Not a leaf: an intermediate value, or a variable that was given a new value."""
        reason = f"{self.name} was computed from others, and only leaves keep their gradient"
        index = evidence.producer.get(var.index) if evidence is not None and var is not None else None
        if evidence is None or var is None or index is None:
            return self.none("not a leaf", reason)
        g = evidence.gradient(var)
        flowed = "" if g is None else f"; one of norm {norm(g):.3g} came through in the recorded run"
        again, op = self.rebinding(evidence, var), evidence.graph.equations[index].op
        if again:
            reason = f"{again} was given the result of {op} here, which is not the leaf that it was before"
        found = Found("rebound" if again else "not a leaf", index, f"{reason}{flowed}")
        return self.made("none", found, evidence, f"{self.name} has no .grad")

    def rebinding(self, evidence: Evidence, var: Var) -> str:
        """The variable that the line which made a value both reads and assigns."""
        index = evidence.producer.get(var.index)
        position = evidence.graph.equations[index].position if index is not None else None
        return assigns(position) if position is not None else ""

    def value(self, evidence: Evidence, var: Var, found: Found, itself: bool = True) -> Diagnosis:
        """A value is not finite: that of the tensor, or that of the loss though the gradient is fine."""
        value = evidence.value(var)
        nans = int(np.isnan(value).sum())
        kind, word, hits = ("nan", "NaN", nans) if nans else ("inf", "infinite", int(np.isinf(value).sum()))
        which = f" in {hits} of {value.size} entries" if value.size > 1 else ""
        before = f"the gradient of {self.name} is finite, but {evidence.name(var)}"
        what = f"the value of {self.typed}" if itself else before
        return self.made(kind, found, evidence, f"{what} is {word}{which}", var)

    def ok(self, g: Any) -> Diagnosis:
        """Nothing is wrong."""
        if not g.size:
            return Diagnosis("ok", name=self.name, finding=f"the gradient of {self.typed} has no entries")
        zeros = float(np.mean(g == 0))
        some = f", {percent(zeros)} of its entries are 0" if zeros else ""
        largest = np.unravel_index(int(np.abs(g).argmax()), g.shape)
        at = f" {entry(largest)}" if g.shape else ""
        finding = f"the gradient of {self.typed} has norm {norm(g):.3g}, its largest entry{at} is {g[largest]:.3g}{some}"
        return Diagnosis("ok", name=self.name, finding=finding)


# ---- helpers


def _state(g: Any) -> str:
    if not g.size:
        return "ok"
    if bad(g):
        return "nan" if np.isnan(g).any() else "inf"
    return "ok" if g.any() else "zero"


def _hooks(x: Tensor) -> str:
    """The hooks of a tensor: name and place of each."""
    extra = getattr(x._node, "extra", None)
    return described(extra.hooks.values()) if extra is not None else ""


def _partly(evidence: Evidence, var: Var, g: Any) -> Found | None:
    """The op on the way that holds back nearly all entries, if nearly all of the gradient is zero."""
    if g.size < ENOUGH or np.mean(g == 0) < MOSTLY:
        return None
    for gain in gains(evidence, var):
        equation = gain.use.equation
        if equation.op not in MASKS or equation.outputs[0].size < ENOUGH:
            continue
        share = flat_share(evidence, gain.use)
        if share is not None and share >= MOSTLY:
            reason = f"{equation.op} lets nothing through in {percent(share)} of its {equation.outputs[0].size} entries"
            return Found(MASKS[equation.op], gain.use.index, reason, share)
    return None
