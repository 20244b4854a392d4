"""Local derivatives as formulas: the card's own, run on placeholders.

A card says what its derivative is by functions written with ops. `trace` shows which ops such a function
applies; read as formulas these are the derivative, in terms of the inputs, the result ``y`` and the
cotangent ``g``. So every op is explained by the formulas that its gradients are computed with.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from .._config import no_grad
from .._errors import RuleMissingError
from .._primitive import Primitive
from ..ir import Graph, trace
from ._program import Step, from_op
from ._simplify import simplify
from ._symbols import (
    ZERO,
    Call,
    Expr,
    Name,
    array,
    call,
    filled,
    number,
    substitute,
    summed_to,
)

G, Y = "§g", "§y"


def local(step: Step, position: int) -> Expr | None:
    """dy/dx of an elementwise step for one of its inputs; None if the op does not work element by element."""
    card = step.equation.primitive
    if card is None or card.kind != "elementwise":
        return None
    formula = card.formula_for(position)
    if formula is None:
        return ZERO
    if formula.constant is not None:
        return number(formula.constant)
    return simplify(substitute(_formula(step, position), _bindings(step, None)))


def contribution(step: Step, position: int, g: Expr) -> Expr:
    """What the step adds to the gradient of one of its inputs, ``g`` being that of its result."""
    return simplify(_contribution(step, position, g))


def _contribution(step: Step, position: int, g: Expr) -> Expr:
    equation = step.equation
    shape = step.inputs[position].shape
    card = equation.primitive
    if card is None:
        raise RuleMissingError(
            f"explain: the card of {equation.op} is not known, so neither is its derivative"
        )
    if equation.op == "softmax_cross_entropy":
        labels, logits = step.inputs
        classes = logits.shape[-1]
        wrong = call(
            "subtract", call("softmax", logits, axis=-1), call("one_hot", labels, num_classes=classes)
        )
        return call("multiply", Call("reshape", (g,), (("shape", (*g.shape, 1)),), (*g.shape, 1)), wrong)
    if card.kind == "elementwise":
        slope = local(step, position)
        assert slope is not None
        return summed_to(simplify(call("multiply", g, slope, shape=step.name.shape)), shape)
    pulled = substitute(_formula(step, position), _bindings(step, g))
    return summed_to(pulled, shape) if card.broadcasts else filled(pulled, shape)


def is_differentiable(step: Step, position: int) -> bool:
    """Whether a gradient flows from the step's result to one of its inputs."""
    card = step.equation.primitive
    return (
        not step.cut
        and card is not None
        and card.kind != "constant"
        and card.formula_for(position) is not None
    )


def _bindings(step: Step, g: Expr | None) -> dict[Any, Expr]:
    """What stands for each placeholder."""
    table: dict[Any, Expr] = {Name(f"§{i}", one.shape): one for i, one in enumerate(step.inputs)}
    table[Name(Y, step.name.shape)] = step.name
    if g is not None:
        table[Name(G, step.name.shape)] = g
    return table


def _formula(step: Step, position: int) -> Expr:
    """The card's formula in placeholders."""
    equation = step.equation
    inputs = tuple(
        [(one.shape, var.dtype or "float64") for one, var in zip(step.inputs, equation.inputs, strict=True)]
    )
    outputs = tuple([(var.shape, var.dtype or "float64") for var in equation.outputs])
    params = tuple([equation.params[name] for name in equation.primitive.params])
    try:
        return _traced(equation.primitive, position, inputs, outputs, step.place, params)
    except TypeError:  # a parameter that cannot be hashed
        return _traced.__wrapped__(equation.primitive, position, inputs, outputs, step.place, params)


Layout = tuple[tuple[int, ...], str]


@lru_cache(maxsize=4096)
def _traced(
    card: Primitive,
    position: int,
    inputs: tuple[Layout, ...],
    outputs: tuple[Layout, ...],
    place: int,
    params: tuple[Any, ...],
) -> Expr:
    formula = card.formula_for(position)
    assert formula is not None
    parts = card.variadic and position >= len(card.inputs) - 1
    which = position - len(card.inputs) + 1
    wanted = tuple([i == which for i in range(len(inputs) - len(card.inputs) + 1)]) if parts else (True,)
    layouts = [*inputs, *outputs, outputs[place]]
    arrays = [_stand_in(*layout) for layout in layouts]

    def run(*values: Any) -> Any:
        args, ys, g = values[: len(inputs)], values[len(inputs) : -1], values[-1]
        several = card.several
        cotangent = tuple([g if i == place else np.zeros(*layout) for i, layout in enumerate(outputs)])
        extra = {"g": cotangent if several else g, "wanted": wanted}
        if card.kind == "elementwise":
            del extra["g"]
        found = card.evaluate(formula, args, params, y=tuple(ys) if several else ys[0], **extra)
        return found[which] if parts and isinstance(found, list | tuple) else found

    names = [Name(f"§{i}", shape) for i, (shape, _) in enumerate(inputs)]
    names += [Name(Y if i == place else f"{Y}{i}", shape) for i, (shape, _) in enumerate(outputs)]
    names.append(Name(G, outputs[place][0]))
    with np.errstate(all="ignore"), no_grad():
        graph = trace(run, *arrays)
    return _as_formula(graph, names)


def _as_formula(graph: Graph, names: Sequence[Name]) -> Expr:
    """The output of a traced formula, in terms of its inputs."""
    exprs: dict[int, Expr] = {var.index: name for var, name in zip(graph.inputs, names, strict=True)}
    for var in (*graph.constants, *graph.captured):
        exprs.setdefault(var.index, array(getattr(graph.values[var.index], "_d", graph.values[var.index])))
    for equation in graph.equations:
        inputs = tuple([exprs[var.index] for var in equation.inputs])
        for place, var in enumerate(equation.outputs):
            several = place if equation.primitive.several else None
            e = from_op(equation.op, inputs, equation.params, var.shape, several)
            exprs[var.index] = simplify(e)
    return exprs[graph.outputs[0].index]


def _stand_in(shape: tuple[int, ...], dtype: str) -> Any:
    kind = np.dtype(dtype)
    if kind.kind not in "fc":
        return np.zeros(shape, kind)
    made = np.full(shape, 0.5, kind)
    if len(shape) > 1 and shape[-1] == shape[-2]:  # a matrix that has an inverse and a factor
        made += np.eye(shape[-1], dtype=kind)
    return made
