"""What is asked of `attribute`: a tape, the parameters, and what things are called."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from .. import ir
from .._errors import DtypeError, GradientError, NoGraphError, ShapeError
from .._tape import PICK, Leaf, settle
from .._tensor import Tensor, made_by
from .._tree import Tree, flatten
from .._where import variables as variables_of
from ..ir import Equation
from ..ir.recorder import named_locals
from ..ir.tape import label
from .attribute_walk import Family, Tape


@dataclass(frozen=True)
class Piece:
    """One part as a splitter gives it: its label, what it is as data, a note, a gradient for each parameter."""

    label: str
    key: Any
    gradients: list[Any]
    note: str = ""


@dataclass(frozen=True)
class Split:
    """The parts, and the remainder, None if there is nothing; ``rest`` says what it consists of."""

    pieces: list[Piece]
    remainder: list[Any] | None = None
    rest: str = ""


@dataclass(frozen=True)
class Case:
    """The losses, the parameters, and names.

    Args:
        losses: tensors of one element each.
        loss_name: what they are called together.
        loss_names: of each.
        params: tensors that require a gradient.
        param_names: of each.
        tree: the structure that the parameters were given in.
        variables: the names of tensors in the caller's variables, by node.
        module_names: of modules in them, and of their parts, by identity.
        run: that has recorded the loss, or None.
    """

    losses: list[Tensor]
    loss_name: str
    loss_names: list[str]
    params: list[Tensor]
    param_names: list[str]
    tree: Tree
    variables: Mapping[Any, str]
    module_names: Mapping[int, str]
    run: ir.Run | None = field(repr=False)

    @cached_property
    def tape(self) -> Tape:
        """The way from the losses to the parameters."""
        return Tape(self.losses, self.params)

    @cached_property
    def equations(self) -> dict[Any, Equation]:
        """What the run has recorded of each node."""
        found: dict[Any, Equation] = {}
        if self.run is not None:
            for equation in self.run.graph.equations:
                for out in equation.outputs:
                    node = self.run.node(out)
                    found[node] = equation
                    if getattr(node, "prim", None) is PICK and node.edges:
                        found[node.edges[0]] = equation
        return found

    @cached_property
    def names(self) -> dict[Any, str]:
        """The names of nodes: those in the caller's variables, and those that the run found."""
        found: dict[Any, str] = {}
        if self.run is not None:
            for var in self.run.graph.variables:
                node = self.run.node(var)
                if var.label and node is not None:
                    found[node] = var.label
        return {**found, **self.variables}

    def called(self, node: Any) -> str:
        """The name of a value: of its variable, or of its op and its number on the tape."""
        if node in self.names:
            return self.names[node]
        if type(node) is Leaf:
            return "leaf"
        return f"{made_by(node)}#{self.tape.number[node]}" if node in self.tape.number else made_by(node)

    def place(self, node: Any) -> str:
        """Where the run has recorded a node: its module, and file and line; empty without a run."""
        equation = self.equations.get(node)
        if equation is None:
            return ""
        position = equation.position
        where = "" if position is None else f"{os.path.basename(position.file)}:{position.line}"
        return " at ".join(filter(None, [equation.scope, where]))

    def gradients(self, finished: Mapping[Any, Family]) -> dict[Any, list[Any]]:
        """The gradient of each parameter under each label."""
        labels = dict.fromkeys(one for family in finished.values() for one in family.labels)
        found: dict[Any, list[Any]] = {one: [] for one in labels}
        for param in self.params:
            family = finished.get(param._node)
            rows = {} if family is None else dict(zip(family.labels, family.stack, strict=True))
            for one in labels:
                g = rows.get(one)
                made = np.zeros(param.shape, param.dtype) if g is None else settle(np.asarray(g), param.dtype)
                found[one].append(made)
        return found

    def zeros(self) -> list[Any]:
        """A gradient of zeros for each parameter."""
        return [np.zeros(param.shape, param.dtype) for param in self.params]

    def total(self) -> list[Any]:
        """The whole gradient, from a pass in which nothing is split."""
        found = self.tape.whole()
        return [
            settle(np.array(found[p._node]), p.dtype) if p._node in found else np.zeros(p.shape, p.dtype)
            for p in self.params
        ]


def case_of(loss: Any, param: Any, frame: Any) -> Case:
    """Check what was given, and find out what it is called."""
    held = variables_of(frame)
    variables = {**_parameters(held), **named_locals(frame)}
    losses, loss_names = _losses(loss, variables)
    params, names, tree = _params(param, variables)
    run = ir.run_of(losses[0])
    case = Case(
        losses, loss_names[0] if len(losses) == 1 else "the sum of " + ", ".join(loss_names), loss_names,
        params, names, tree, variables, _modules(held), run,
    )  # fmt: skip
    if not case.tape.reached:
        one = f"{names[0]} {params[0].shape}" if len(params) == 1 else f"any of the {len(params)} parameters"
        raise GradientError(
            f"attribute: {case.loss_name} was not computed from {one}: give a parameter that it depends on, and if it "
            "should depend on this one, look with tg.why(param, of=loss) for where the history was cut"
        )
    return case


def _modules(held: Mapping[str, Any]) -> dict[int, str]:
    """The names of modules: paths inside of the outermost, and the variable for one that is in no other."""
    found: dict[int, str] = {}
    modules = {
        name: one for name, one in held.items() if hasattr(one, "named_modules") and not isinstance(one, type)
    }
    for one in modules.values():
        found.update({id(part): path for path, part in one.named_modules() if path})
    for name, one in modules.items():
        found.setdefault(id(one), name)
    return found


def _parameters(held: Mapping[str, Any]) -> dict[Any, str]:
    """The names of the parameters of modules: the variable of the module, and the path."""
    return {
        p._node: f"{name}.{path}"
        for name, one in held.items()
        if hasattr(one, "named_parameters") and not isinstance(one, type)
        for path, p in one.named_parameters()
        if p._node is not None
    }


def _losses(loss: Any, variables: Mapping[Any, str]) -> tuple[list[Tensor], list[str]]:
    leaves, tree = flatten(loss)
    names = [label(path) for path in tree.paths()]
    for i, one in enumerate(leaves):
        if getattr(one, "level", 0):
            raise NoGraphError(
                "attribute: the loss belongs to an open tg.grad or tg.vmap; compute it from tensors that require "
                "gradients, outside of any transformation"
            )
        if not isinstance(one, Tensor):
            raise DtypeError(
                f"attribute: loss is a {type(one).__name__}; give the tensor that a loss is, or a container of such "
                "tensors, whose sum is split"
            )
        known = variables.get(one._node, "loss")
        names[i] = (
            known if not names[i] else f"{names[i]}" if not names[i].isdigit() or known == "loss" else known
        )
        if one._node is None:
            raise NoGraphError(
                f"attribute: {names[i]} has no history: none of its inputs requires a gradient, or it was computed "
                "under no_grad; give requires_grad=True"
            )
        if one.size != 1:
            raise ShapeError(
                f"attribute: {names[i]} has shape {one.shape}, and the gradient of one number is split; give "
                f"{names[i]}.sum() or .mean(), with by='sample', samples={names[i]} for a part of each entry"
            )
        if one.dtype.kind == "c":
            raise DtypeError(f"attribute: {names[i]} is complex; take its real part or absolute value")
    if not leaves:
        raise DtypeError("attribute: loss is an empty container; give a tensor")
    return leaves, names


def _params(param: Any, variables: Mapping[Any, str]) -> tuple[list[Tensor], list[str], Tree]:
    if hasattr(param, "named_parameters"):
        param = {name: p for name, p in param.named_parameters() if p.requires_grad}
        if not param:
            raise GradientError("attribute: the module has no parameter that requires a gradient")
    leaves, tree = flatten(param)
    names = [label(path) for path in tree.paths()]
    for i, one in enumerate(leaves):
        if not isinstance(one, Tensor):
            raise DtypeError(
                f"attribute: param{' ' + names[i] if names[i] else ''} is a {type(one).__name__}; give a tensor, a "
                "container of tensors, or a module"
            )
        names[i] = names[i] or variables.get(one._node, "param")
        if one._node is None:
            raise GradientError(
                f"attribute: {names[i]} does not require a gradient; give requires_grad=True before the loss is computed"
            )
    if not leaves:
        raise GradientError("attribute: param is an empty container; give a tensor or a module")
    return leaves, names, tree


def node_of(value: Any, what: str) -> Any:
    """The node of a tensor that somebody named, or an error that says what was expected."""
    if not isinstance(value, Tensor):
        raise DtypeError(
            f"attribute: {what} is a {type(value).__name__}; give a tensor on the way to the loss"
        )
    if value._node is None:
        raise NoGraphError(
            f"attribute: {what} has no history: no gradient flows through it; give the tensor itself, not a detached copy"
        )
    return value._node


def check_on_the_way(case: Case, nodes: Sequence[Any], what: str) -> None:
    """Raise if none of these nodes leads from the loss to a parameter."""
    if not any(node in case.tape.leading for node in nodes):
        raise GradientError(
            f"attribute: {what} is not on a way from {case.loss_name} to {_few(case.param_names)}; give a tensor that was "
            "computed from a parameter and that the loss was computed from"
        )


def _few(names: Sequence[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
