"""`why`: the cause of a gradient that is missing, zero, NaN, infinite, vanishing or exploding.

The tensor and its ``.grad`` say what is wrong; a recorded run says why. Each part of the answer is in a module of
its own: the end of a history (`why_none`), what lets nothing through (`why_zero`), the first number that is not
finite (`why_nonfinite`), gains along the way (`why_gain`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import autograd, ir
from .._errors import DtypeError, NoGraphError
from .._tensor import Tensor
from .._where import user_frame, variables
from .why_diagnosis import Diagnosis
from .why_evidence import Evidence
from .why_nonfinite import bad
from .why_words import Teller

if TYPE_CHECKING:
    from ..nn import Module

SEVERITY = {
    "nan": 0,
    "inf": 0,
    "none": 1,
    "zero": 1,
    "exploding": 2,
    "vanishing": 2,
    "partly zero": 3,
    "ok": 4,
}
"""The lower, the worse; of equals the cause that concerns most parameters is told first."""


def why(x: Tensor | Module, of: ir.Run | Tensor | Callable[[], Any] | None = None) -> Diagnosis:
    """Say why a gradient is None, zero, NaN, infinite, vanishing or exploding: the op, its line, the way out.

    A gradient vanishes if its norm is below that of the seed (1 for a loss) times the eps of float32, 1.2e-7, and
    explodes if it is above that by the inverse. Where nothing is wrong the verdict is ``"ok"``, and nothing is accused:
    zeros in some entries are what relu, dropout and indexing are for.

    Args:
        x: a tensor, or a module: its worst parameter is told about, and the others that have something.
        of: what the gradient is of: a run that `tensorgrad.record` gave, a loss that was computed in one, or a
            function without arguments that is recorded now and returns the loss. By default the newest recorded
            run, of those you still hold, that has seen ``x``. Without any run only the tensor itself is looked at.

    Returns:
        The diagnosis: print it. It is true if nothing is wrong.

    Raises:
        DtypeError: ``x`` is neither a tensor nor a module, or ``of`` is none of the above.

    Example:
        >>> import tensorgrad as tg
        >>> w = tg.tensor([1.0, -2.0], requires_grad=True)
        >>> with tg.record() as run:
        ...     loss = tg.relu(w - 3).sum()
        ...     loss.backward()
        >>> answer = tg.why(w)
        >>> answer.verdict, answer.cause, answer.equation.op, answer.share
        ('zero', 'relu', 'relu', 1.0)
        >>> print(str(answer).partition(" at ")[0].rstrip())
        zero: the gradient of w (float32[2]) is 0 in all 2 entries
          because relu lets nothing through: its input is <= 0 in 100 % of 2 entries
    """
    if hasattr(x, "named_parameters"):
        found = list(x.named_parameters())
        if not found:
            return Diagnosis("ok", finding=f"{type(x).__name__} has no parameters")
        case = _case([p for _, p in found], of)
        return _worst([_answer(p, path, case) for path, p in found])
    if not isinstance(x, Tensor):
        raise DtypeError(
            f"why: x is a {type(x).__name__}; give a tensor that should have a gradient, or a module"
        )
    return _answer(x, _called(x), _case([x], of))


# ---- what is asked about


@dataclass(frozen=True)
class _Case:
    """A run, the loss that was named, and whether the pass was made only to ask, so that ``.grad`` says nothing."""

    run: Any = None
    loss: Any = None
    only_asked: bool = False
    known: dict[int | None, Evidence] = field(default_factory=dict)

    def evidence(self, k: int | None) -> Evidence:
        """The run with one of its backward passes, worked out once."""
        if k not in self.known:
            self.known[k] = Evidence(self.run, k)
        return self.known[k]


def _case(tensors: list[Tensor], of: Any) -> _Case:
    if of is None:
        runs = [run for run in map(ir.run_of, tensors) if run is not None] or [
            run for run in ir.runs() if run.graph.passes
        ]
        return _Case(max(runs, key=lambda run: run.number, default=None))
    if isinstance(of, ir.Run):
        return _Case(of)
    if isinstance(of, Tensor):
        return _Case(ir.run_of(of), of)
    if not callable(of):
        raise DtypeError(
            f"why: of is a {type(of).__name__}; give a run, a loss, or a function that returns a loss"
        )
    with ir.record() as run:
        try:
            loss = of()
        except NoGraphError:  # it calls backward itself; why there is no graph is what is asked
            loss = None
        wanted = [t for t in tensors if t.requires_grad]
        if isinstance(loss, Tensor) and loss.requires_grad and not run.graph.passes and wanted:
            with np.errstate(all="ignore"):
                autograd.grad(loss.sum(), wanted, allow_unused=True)
    return _Case(run, loss if isinstance(loss, Tensor) else None, only_asked=True)


def _called(x: Tensor) -> str:
    """The variable of the caller that holds ``x``."""
    return next((name for name, value in variables(user_frame(2)).items() if value is x), "x")


def _worst(found: list[Diagnosis]) -> Diagnosis:
    alike = Counter((one.verdict, one.cause, one.index) for one in found)
    ranked = sorted(found, key=lambda one: (SEVERITY[one.verdict], -alike[one.verdict, one.cause, one.index]))
    if ranked[0].ok:
        return replace(
            ranked[0], name="", finding=f"the gradients of all {len(found)} parameters are healthy"
        )
    return replace(ranked[0], others=tuple([one for one in ranked[1:] if not one.ok]))


# ---- one tensor


def _answer(x: Tensor, name: str, case: _Case) -> Diagnosis:
    if not x.size:
        return Diagnosis("ok", name=name, finding=f"{name} has no entries, and so no gradient to speak of")
    seen = case.run.versions(x) if case.run is not None else []
    name = next((var.label for var in reversed(seen) if var.label and name == "x"), name)
    teller = Teller(x, name, None if case.only_asked else _stored(x))
    if case.run is None or (not seen and (teller.stored is not None or not x.is_leaf or not x.requires_grad)):
        return teller.alone(case.loss)
    loss = case.run.var(case.loss) if case.loss is not None else None
    for k in reversed(range(len(case.run.graph.passes))):
        gradients = case.run.gradients(k)
        if loss is not None and loss.index not in gradients:
            continue  # a pass of another loss
        var = next((var for var in reversed(seen) if gradients.get(var.index) is not None), None)
        if var is not None and (not bad(teller.stored) or bad(gradients[var.index]) or not k):
            return teller.reached(case.evidence(k), var, case.only_asked)
    if loss is not None and case.run.graph.passes:
        teller = Teller(x, name, None)  # what is in .grad came from another loss
    passes = len(case.run.graph.passes)
    evidence = case.evidence(passes - 1 if passes else None)
    seeds = [var for one in case.run.graph.passes for var, _ in one.seeds]
    return teller.unreached(evidence, seen, [loss] if loss is not None else seeds, bool(seeds))


def _stored(x: Tensor) -> Any:
    grad = x.grad
    return None if grad is None else np.asarray(grad._d)
