"""A recorded run as `why` reads it: who made a value, who used it, what each step added to which gradient."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from contextvars import Context
from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import autograd
from .._tensor import tensor
from ..ir import Equation, Graph, Position, Var


@dataclass(frozen=True)
class Use:
    """One argument of one equation, and what the backward pass sent to it.

    Args:
        index: of the equation.
        equation: itself.
        position: which of its inputs.
        amount: the contribution to the gradient of this input; None if no gradient came here.
    """

    index: int
    equation: Equation
    position: int
    amount: Any = None


class Evidence:
    """The equations of a run, and one of its backward passes."""

    def __init__(self, run: Any, k: int | None = None) -> None:
        self.run = run
        self.graph: Graph = run.graph
        self.k = k
        self.producer: dict[int, int] = {}
        self.uses: dict[int, list[Use]] = defaultdict(list)
        for i, equation in enumerate(self.graph.equations):
            for out in equation.outputs:
                self.producer[out.index] = i
            for j, var in enumerate(equation.inputs):
                self.uses[var.index].append(Use(i, equation, j))
        self.backward = None if k is None else self.graph.passes[k]
        self.gradients: Any = {} if k is None else run.gradients(k)
        self.received: dict[int, list[Use]] = defaultdict(list)
        if self.backward is not None:
            amounts = run.contributions(k)
            for step, arrays in zip(self.backward.steps, amounts, strict=True):
                equation = self.graph.equations[step.equation]
                for given, array in zip(step.contributions, arrays, strict=True):
                    use = Use(step.equation, equation, given.position, array)
                    self.received[given.target.index].append(use)

    @property
    def seeds(self) -> set[int]:
        """Numbers of the values that the backward pass started from."""
        return {var.index for var, _ in self.seeded}

    @property
    def seeded(self) -> tuple[Any, ...]:
        """The values that the backward pass started from, each with the statistics of its cotangent."""
        return () if self.backward is None else self.backward.seeds

    @property
    def replaced(self) -> frozenset[int]:
        """Numbers of the values whose gradient a hook replaced, or may have."""
        return frozenset() if self.backward is None else self.backward.replaced

    def seed(self, var: Var) -> Any:
        """What the backward pass started with at a value, as far as it was more than what came from elsewhere."""
        return None if var.index in self.received else self.gradient(var)

    def summed(self, var: Var) -> Any:
        """The sum of the contributions to a gradient, before any hook; None if there are none."""
        amounts = [use.amount for use in self.received.get(var.index, ())]
        with np.errstate(all="ignore"):
            return None if not amounts else sum(amounts[1:], amounts[0])

    def was_replaced(self, var: Var) -> bool:
        """Whether a hook put another gradient in the place of the sum of the contributions."""
        before, after = self.summed(var), self.gradient(var)
        if var.index not in self.replaced or before is None or after is None:
            return False
        return not np.array_equal(before, after, equal_nan=True)

    def value(self, var: Var) -> Any:
        """The value as an array, or None if the run did not keep it."""
        found = self.run.arrays.get(var.index)
        if found is None:
            found = self.graph.values.get(var.index)
            found = getattr(found, "_d", found)
        return None if found is None else np.asarray(found)

    def gradient(self, var: Var) -> Any:
        """The finished gradient of a value in this pass, or None."""
        found = self.gradients.get(var.index)
        return None if found is None else np.asarray(found)

    def name(self, var: Var) -> str:
        """What to call a value: its label, the op that made it, or what it is."""
        if var.label:
            return var.label
        if var.index in self.producer:
            return f"the result of {self.graph.equations[self.producer[var.index]].op}"
        value = self.value(var)
        if value is not None and value.size == 1:
            return f"{value.item():.6g}" if value.dtype.kind == "f" else str(value.item())
        return f"a {'constant' if var.role == 'constant' else 'tensor'} of shape {var.shape}"

    def step(self, index: int) -> str:
        """An equation in a few letters: op and number of its result."""
        equation = self.graph.equations[index]
        return (
            f"{equation.op} ({equation.outputs[0].label or equation.outputs[0]})"
            if equation.outputs
            else equation.op
        )

    def position(self, index: int) -> Position | None:
        """Where an equation was called; for one without a place, where its result was first used."""
        equation = self.graph.equations[index]
        after = self.uses.get(equation.outputs[0].index, []) if equation.outputs else []
        return equation.position or (after[0].equation.position if after else None)

    def where(self, index: int) -> str:
        """``file:line`` of an equation, or its number."""
        position = self.graph.equations[index].position
        return str(position) if position is not None else f"equation {index}"

    def hooks(self, var: Var) -> str:
        """The hooks on a value: name and place of each."""
        node = self.run.node(var)
        extra = getattr(node, "extra", None)
        return described(extra.hooks.values()) if extra is not None else ""

    def path(self, var: Var, index: int, name: str, most: int = 6) -> tuple[str, ...]:
        """The steps of the backward pass from an equation to a value, shortened in the middle."""
        before: dict[int, tuple[int, str]] = {}
        todo = [var]
        for here in todo:
            for use in self.received.get(here.index, ()):
                if use.index == index:
                    steps = [self.step(index)]
                    number = here.index
                    while number in before:
                        number, step = before[number]
                        steps.append(step)
                    steps.append(name)
                    return (
                        (*steps[: most // 2], "...", *steps[-(most // 2) :])
                        if len(steps) > most + 1
                        else tuple(steps)
                    )
                for out in use.equation.outputs:
                    if out.index not in before and out.index != var.index:
                        before[out.index] = here.index, self.step(use.index)
                        todo.append(out)
        return ()

    # ---- an op alone

    def local(self, index: int, position: int, cotangents: Sequence[Any]) -> Any:
        """What one equation sends to one input for given cotangents of its outputs, in float64; None if unknown.

        Nothing of it is recorded, whoever is watching.
        """
        equation = self.graph.equations[index]
        data = [self.value(var) for var in equation.inputs]
        if equation.primitive is None or any(d is None for d in data):
            return None

        def run() -> Any:
            args = [tensor(wide(d)) for d in data]
            args[position].requires_grad = True
            made = equation.primitive.op(*args, **equation.params)
            made = made if isinstance(made, tuple) else (made,)
            known = [
                (y, g) for y, g in zip(made, cotangents, strict=True) if g is not None and y.requires_grad
            ]
            outputs, given = [y for y, _ in known], [tensor(wide(g)) for _, g in known]
            (found,) = autograd.grad(outputs, [args[position]], given)
            return None if found is None else found.numpy()

        def quietly() -> Any:  # a new context has NumPy's own error handling
            with np.errstate(all="ignore"):
                return run()

        try:
            return Context().run(quietly)
        except Exception:  # a user's op may do anything, and a guess that fails is only one clue less
            return None

    def again(self, index: int) -> Any:
        """The results of an equation from the same inputs in a wider dtype, None if that cannot be had."""
        equation = self.graph.equations[index]
        data = [self.value(var) for var in equation.inputs]
        if equation.primitive is None or any(d is None for d in data):
            return None
        widest = np.longdouble if any(d.dtype == np.float64 for d in data) else np.float64
        try:
            with np.errstate(all="ignore"):
                made = equation.primitive.forward(
                    *[d.astype(widest) if d.dtype.kind == "f" else d for d in data], **equation.params
                )
        except Exception:  # as above
            return None
        return made if isinstance(made, tuple) else (made,)

    def reach(self, index: int, position: int, mask: Any) -> list[Any]:
        """Which entries of each output depend on the entries ``mask`` of one input; True where all may."""
        equation = self.graph.equations[index]
        every: list[Any] = [np.ones(out.shape, bool) for out in equation.outputs]
        card = equation.primitive
        if card is None:
            return every
        if card.kind == "elementwise" or card.name == "where":
            return [np.broadcast_to(mask, out.shape) for out in equation.outputs]
        if card.kind not in ("linear", "view", "bilinear"):
            return [
                _along_axis(equation, out, mask, whole)
                for out, whole in zip(equation.outputs, every, strict=True)
            ]
        data: list[Any] = []
        for j, var in enumerate(equation.inputs):
            if j == position:
                data.append(mask.astype(np.float64))
            elif card.formula_for(j) is None:
                data.append(self.value(var))
            else:
                data.append(np.full(var.shape, 1.0 if card.kind == "bilinear" else 0.0))
        try:
            made = card.forward(*data, **equation.params)
        except Exception:  # as above
            return every
        parts = made if isinstance(made, tuple) else (made,)
        return [np.asarray(part) != 0 for part in parts]


def belongs(run: Any, x: Any) -> bool:
    """Whether a tensor is a parameter of a module that was called in a run."""
    return any(x is p for module in run.modules for p in module.parameters())


def described(hooks: Any) -> str:
    """Functions as people find them: name and ``file:line``."""
    texts = []
    for hook in hooks:
        code = getattr(hook, "__code__", None)
        texts.append(
            getattr(hook, "__name__", repr(hook))
            + (f" at {code.co_filename}:{code.co_firstlineno}" if code else "")
        )
    return ", ".join(texts)


def wide(data: Any) -> Any:
    """Floats as float64, complex as complex128, the rest as it is."""
    kind = np.asarray(data).dtype.kind
    return np.asarray(data, {"f": np.float64, "c": np.complex128}.get(kind))


def norm(array: Any) -> float:
    """The root of the sum of squares, without overflow."""
    if array is None:
        return 0.0
    magnitude = np.abs(wide(array))
    largest = float(magnitude.max(initial=0.0))
    if not largest or not np.isfinite(largest):
        return largest
    return largest * float(np.sqrt(np.square(magnitude / largest).sum()))


def percent(share: float) -> str:
    """A share for people; what is not all of it is never called 100 %."""
    text = f"{100 * share:.0f} %"
    return (
        text
        if share in (0.0, 1.0) or text not in ("0 %", "100 %")
        else ("under 1 %" if share < 0.5 else "over 99 %")
    )


def shown_as(value: Any) -> str:
    """One entry of an array for people."""
    return f"{value:.6g}" if np.asarray(value).dtype.kind in "fc" else str(value)


def entry(place: Any) -> str:
    """An index as people write it."""
    numbers = [int(i) for i in place]
    return f"[{', '.join(map(str, numbers))}]" if numbers else ""


def _along_axis(equation: Equation, out: Var, mask: Any, every: Any) -> Any:
    """For a reduction, or what mixes along an axis: the lines in which ``mask`` has an entry."""
    axis = equation.params.get("axis")
    if equation.op == "abs":
        return mask
    if axis is None or not isinstance(axis, int | tuple):
        return every
    lines = mask.any(axis=axis, keepdims=True)
    if out.shape == mask.shape:
        return np.broadcast_to(lines, out.shape)
    return lines.reshape(out.shape) if lines.size == every.size else every
