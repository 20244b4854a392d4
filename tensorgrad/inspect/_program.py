"""A recorded graph as steps with names: ``p = X @ w``, ``e = p - y``.

What a reader would not write down is left out: casts, copies, guards against division by 0, and comparisons,
which stand in the formulas where they are used. Fused ops are taken apart into what they are composed of, but
for those that `DIRECT` knows.
"""

from __future__ import annotations

import builtins
import keyword
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import count
from typing import Any

import numpy as np

from ..ir import Equation, Graph, Var, trace
from ._numbers import evaluate
from ._simplify import simplify
from ._symbols import (
    ONE,
    Call,
    Expr,
    Name,
    Number,
    Range,
    array,
    filled,
    frozen,
    nodes,
    number,
    substitute,
    summed_to,
)

DIRECT = frozenset(["softmax_cross_entropy"])
"""Fused ops whose derivative is simpler than that of what they are composed of."""

ALIASES = frozenset(["cast", "positive"])
"""Ops that change no value."""

VECTORS, MATRICES = "uvzpqrshkmnc", "UVZPQRSHKM"
"""Letters for values without a name: scalars and vectors, and what has more axes."""

TAKEN = frozenset([
    *keyword.kwlist, *dir(builtins), "pi", "inf", "nan", "exp", "log", "sqrt", "sin", "cos", "tan", "tanh", "sigmoid",
    "relu", "softmax", "log_softmax", "where", "ones", "zeros", "full", "broadcast", "reshape", "transpose", "outer",
    "one_hot", "logsumexp", "i", "d",
])  # fmt: skip
"""What a value cannot be called, as it has another meaning in a formula."""


@dataclass(frozen=True)
class Step:
    """One line of the forward pass: ``name = formula``.

    Args:
        name: of the result.
        formula: what is computed, in terms of names.
        equation: the application of an op that it stands for.
        inputs: the inputs of the equation as formulas.
        place: which of the equation's outputs it is.
        cut: no gradient flows through it: it was computed under `no_grad`, or detached.
    """

    name: Name
    formula: Expr
    equation: Equation
    inputs: tuple[Expr, ...]
    place: int = 0
    cut: bool = False


@dataclass
class Program:
    """The steps from what is given to a result.

    Attributes:
        result: the name of the result.
        steps: in order.
        given: the names that are not computed: inputs, parameters, data.
        names: the name, or the formula, of each variable of the graph, by its number.
        values: the arrays that are known, by name.
        labelled: the names that come from the user.
        unknown: names of values that nothing is known about.
    """

    result: Name
    steps: list[Step]
    given: list[Name]
    names: dict[int, Expr]
    values: dict[str, Any] = field(default_factory=dict)
    labelled: set[str] = field(default_factory=set)
    unknown: set[str] = field(default_factory=set)

    def is_named(self, name: Name) -> bool:
        """Whether the name is one that the user gave."""
        return name.text in self.labelled


def read(graph: Graph, target: Var, arrays: Mapping[int, Any]) -> Program:
    """The steps that lead to ``target``; ``arrays`` are values by the number of their variable."""
    equations = _leading_to(graph, target)
    long = len(equations) > 40
    equations = _taken_apart(equations, arrays, graph) if not long else equations
    reader = _Reader(graph, arrays, target, letters=len(equations) <= 14)
    for equation in equations:
        reader.apply(equation)
    result = reader.exprs.get(target.index)
    if not isinstance(result, Name):
        result = reader.given_name(target)
    return Program(
        result, reader.steps, reader.given, reader.exprs, reader.values, reader.labelled, reader.unknown
    )


def _leading_to(graph: Graph, target: Var) -> list[Equation]:
    """The forward equations that ``target`` depends on, in order."""
    needed = {target.index}
    found = []
    for equation in reversed(graph.equations):
        if needed.isdisjoint([var.index for var in equation.outputs]):
            continue
        found.append(equation)
        needed.update(var.index for var in equation.inputs)
    return found[::-1]


def _taken_apart(equations: Iterable[Equation], arrays: Mapping[int, Any], graph: Graph) -> list[Equation]:
    """The equations with those of a composite in place of each fused one."""
    fresh = count(-1, -1)
    found = []
    for equation in equations:
        card = equation.primitive
        if card is None or card.composite is None or equation.op in DIRECT:
            found.append(equation)
        else:
            examples = [example(var, arrays, graph.values) for var in equation.inputs]
            inner = trace(lambda *xs, c=card, p=equation.params: c.composite(*xs, **p), *examples)
            found += _renamed(inner, equation, fresh, graph)
    return found


def _renamed(inner: Graph, equation: Equation, fresh: Iterator[int], graph: Graph) -> Iterator[Equation]:
    table = dict(zip([var.index for var in inner.inputs], equation.inputs, strict=True))
    table |= dict(zip([var.index for var in inner.outputs], equation.outputs, strict=False))

    def var(one: Var) -> Var:
        if one.index not in table:
            table[one.index] = Var(next(fresh), one.shape, one.dtype, one.role, one.label, True)
            if one.index in inner.values:
                graph.values[table[one.index].index] = inner.values[one.index]  # type: ignore[index]
        return table[one.index]

    for one in inner.equations:
        yield Equation(one.op, tuple(map(var, one.inputs)), tuple(map(var, one.outputs)), one.params,
                       primitive=one.primitive)  # fmt: skip


def example(var: Var, arrays: Mapping[int, Any], values: Mapping[int, Any]) -> Any:
    """An array of the shape and dtype of ``var``: its value if that is known, else one that does for most ops."""
    known = arrays.get(var.index, values.get(var.index))
    if known is not None:
        return np.asarray(getattr(known, "_d", known))
    dtype = np.dtype(var.dtype or np.float64)
    if dtype.kind not in "fc":
        return np.zeros(var.shape, dtype)
    made = np.full(var.shape, 0.5, dtype)
    if len(var.shape) > 1 and var.shape[-1] == var.shape[-2]:  # a matrix that has an inverse and a factor
        made += np.eye(var.shape[-1], dtype=dtype)
    return made


class _Reader:
    """Turns equations into steps, one after another."""

    def __init__(self, graph: Graph, arrays: Mapping[int, Any], target: Var, letters: bool) -> None:
        self.graph, self.arrays, self.target = graph, arrays, target
        self.exprs: dict[int, Expr] = {}
        self.steps: list[Step] = []
        self.given: list[Name] = []
        self.values: dict[str, Any] = {}
        self.used: dict[str, int] = {}
        self.letters = letters
        self.tracks = any(var.tracked for var in graph.variables)
        self.varies: set[int] = set()  # what depends on values that may be varied
        self.labelled: set[str] = set()
        self.unknown: set[str] = set()
        self.numbers = {"t": count(1), "c": count(1)}
        for var in graph.variables:  # labels first: a letter for another value must not be one of them
            if var.label:
                self.used.setdefault(identifier(var.label), 0)

    def apply(self, equation: Equation) -> None:
        inputs = tuple([self.input(var) for var in equation.inputs])
        fixed = not any(var.index in self.varies for var in equation.inputs)
        self.varies.update(() if fixed else [var.index for var in equation.outputs])
        for place, var in enumerate(equation.outputs[:1] if equation.op in DIRECT else equation.outputs):
            known = self.known(var)
            e = self.formula(equation, inputs, place, var)
            if fixed and known is not None and var.dtype[:1] not in ("f", "c", ""):
                e = _constant(known) or e
            is_target = var.index == self.target.index
            plain = isinstance(e, Name | Number) or (
                isinstance(e, Call) and e.op == "broadcast_to" and isinstance(e.args[0], Number)
            )
            is_mask = equation.op == "cast" and not isinstance(e, Name)
            if ((plain or is_mask) and not is_target) or (
                var.dtype[:1] not in ("f", "c", "") and not var.label
            ):
                self.exprs[var.index] = e
                continue
            name = Name(self.name(var), var.shape)
            self.exprs[var.index] = name
            cut = equation.primitive is None or not equation.taped or (self.tracks and not var.tracked)
            self.steps.append(Step(name, e, equation, inputs, place, cut))
            if known is not None:
                self.values[name.text] = known

    def formula(self, equation: Equation, inputs: tuple[Expr, ...], place: int, var: Var) -> Expr:
        several = place if len(equation.outputs) > 1 or equation.op == "split" else None
        return simplify(from_op(equation.op, inputs, equation.params, var.shape, several))

    def input(self, var: Var) -> Expr:
        if var.index not in self.exprs:
            value = self.graph.values.get(var.index) if var.role == "constant" else None
            value = getattr(value, "_d", value)
            known = self.known(var)
            if (
                value is not None
                and not var.label
                and (not np.shape(value) or _constant(value) is not None or np.size(value) <= 4)
            ):
                self.exprs[var.index] = array(value)
            elif (
                known is not None
                and not var.label
                and not np.shape(known)
                and var.role in ("constant", "unknown")
            ):
                self.exprs[var.index] = number(known)
            else:
                self.given_name(var)
        return self.exprs[var.index]

    def given_name(self, var: Var) -> Name:
        if (same := self.same(var)) is not None:
            self.exprs[var.index] = same
            return same
        name = Name(self.name(var, "c"), var.shape)
        self.exprs[var.index] = name
        self.given.append(name)
        if var.tracked or not self.tracks:
            self.varies.add(var.index)
        if (known := self.known(var)) is not None:
            self.values[name.text] = known
        elif var.role == "unknown":
            self.unknown.add(name.text)
        return name

    def same(self, var: Var) -> Name | None:
        """What is given already under the same label and has the same value: a number is a new variable at each use."""
        name, value = Name(identifier(var.label), var.shape), self.known(var)
        if not var.label or var.tracked or value is None or name not in self.given:
            return None
        other = self.values.get(name.text)
        return name if other is not None and np.array_equal(other, value) else None

    def known(self, var: Var) -> Any:
        value = self.arrays.get(var.index)
        if value is None:
            value = self.graph.values.get(var.index)
        if (
            value is None
            and (stats := self.graph.stats.get(var.index)) is not None
            and stats.values is not None
        ):
            value = np.array(stats.values, stats.dtype).reshape(stats.shape)
        return None if value is None else np.asarray(getattr(value, "_d", value))

    def name(self, var: Var, stem: str = "t") -> str:
        if var.label:
            name = identifier(var.label)
        elif var.index == self.target.index:
            name = "y" if var.shape else "L"
        else:
            name = next(self.candidates(var, stem))
        times = self.used[name] = self.used.get(name, 0) + 1
        while times > 1 and f"{name}_{times}" in self.used:
            times += 1
        unique = name if times == 1 else f"{name}_{times}"
        self.used.setdefault(unique, 1)
        if var.label:
            self.labelled.add(unique)
        return unique

    def candidates(self, var: Var, stem: str) -> Iterator[str]:
        """Names for a value without one, that nothing else has: a letter, or a letter with a number."""
        if self.letters and stem == "t":
            yield from [one for one in (MATRICES if len(var.shape) > 1 else VECTORS) if one not in self.used]
        yield from (f"{stem}{i}" for i in self.numbers[stem] if f"{stem}{i}" not in self.used)


def _constant(value: Any) -> Expr | None:
    """The number that all entries of an array are, None if they differ."""
    value = np.asarray(value)
    if not value.size or (value.size > 1 and not bool((value == value.flat[0]).all())):
        return None
    return filled(number(value.flat[0]), tuple(value.shape))


def identifier(label: str) -> str:
    """A label as a name that formulas can have: ``fc1.weight`` becomes ``fc1_weight``."""
    name = re.sub(r"\W", "_", label, flags=re.ASCII)
    name = name if name[:1].isalpha() else f"v{name}"
    return f"{name}_" if name in TAKEN else name


def from_op(
    op: str,
    inputs: tuple[Expr, ...],
    params: Mapping[str, Any],
    shape: tuple[int, ...],
    place: int | None = None,
) -> Expr:
    """An op on formulas as a formula, with one form for what has several; ``place`` is which of several results."""
    if op == "split":
        rank, axis = len(shape), int(params["axis"]) % len(shape)
        cuts = (0, *params["sections"], inputs[0].shape[axis])
        part = Range(cuts[place or 0], cuts[(place or 0) + 1], None)
        index = tuple([part if i == axis else Range(None, None, None) for i in range(rank)])
        return Call("getitem", inputs, (("index", index[: axis + 1]),), shape)
    if place is not None and op not in DIRECT:
        whole = Call(op, inputs, tuple([(k, frozen(v)) for k, v in params.items()]), shape)
        return Call("getitem", (whole,), (("index", place),), shape)
    if op in ALIASES:
        return inputs[0]
    if op == "square":
        return Call("power", (inputs[0], Number(Fraction(2))), (), shape)
    if op == "reciprocal":
        return Call("divide", (ONE, inputs[0]), (), shape)
    if op == "softmax_cross_entropy":
        return Call("cross_entropy", (inputs[1], inputs[0]), (("reduction", "none"),), shape)
    if op == "class_positions":
        return inputs[0]
    if op in ("detach", "stop_gradient"):
        return Call("detach", inputs, (), shape)
    if op == "_vector_norm" and params["ord"] == 2:
        squares = Call("power", (inputs[0], Number(Fraction(2))), (), inputs[0].shape)
        return Call("sqrt", (from_op("sum", (squares,), params, shape),), (), shape)
    if op == "sum_to":
        return summed_to(inputs[0], shape)
    if op in ("sum", "max", "min", "logsumexp"):
        rank = len(inputs[0].shape)
        given = params.get("axis")
        chosen = given if isinstance(given, tuple | list) else (given,)
        axes = sorted(range(rank) if given is None or not rank else [int(a) % rank for a in chosen])
        written: Any = None if len(axes) == rank else axes[0] if len(axes) == 1 else tuple(axes)
        return Call(op, inputs, (("axis", written), ("keepdims", bool(params.get("keepdims")))), shape)
    if op == "reshape" or op == "broadcast_to":
        return Call(op, inputs[:1], (("shape", shape),), shape)
    if op == "permute_dims":
        rank = len(shape)
        return Call(op, inputs, (("axes", tuple([int(a) % rank for a in params["axes"]])),), shape)
    kept = {k: frozen(v) for k, v in params.items() if not (op in ("place", "add_at") and k == "shape")}
    return Call(op, inputs, tuple(kept.items()), shape)


def name_unknown(program: Program, candidates: Mapping[str, Any]) -> None:
    """Find out what a tape did not keep: the one of the candidates that gives the result that is known.

    Args:
        program: is changed: unknown names in its formulas are replaced.
        candidates: the user's variables, by name; whole numbers up to 10 are tried besides.
    """
    tried: list[tuple[Expr, Any]] = [
        (Name(identifier(k), np.shape(v)), np.asarray(v)) for k, v in candidates.items()
    ]
    tried += [(number(n), np.float64(n)) for n in (1, 2, *range(3, 11), 0, -1, 0.5)]
    known: dict[Expr, Any] = {Name(k): np.asarray(v) for k, v in program.values.items()}
    table: dict[Any, Expr] = {}
    for one in program.given:
        value = program.values.get(one.text)
        if value is not None and value.size > 1 and not program.is_named(one):
            same = [e for e, v in tried if v.shape == value.shape and np.array_equal(v, value)]
            if same:
                table[one] = same[0]
                known[Name(same[0].text)] = program.values[same[0].text] = value  # type: ignore[union-attr]
    for i, step in enumerate(program.steps):
        formula = substitute(step.formula, table)
        missing = [
            one
            for one in dict.fromkeys(nodes(formula))
            if isinstance(one, Name) and Name(one.text) not in known
        ]
        value = known.get(Name(step.name.text))
        if value is not None and len(missing) == 1 and missing[0].text in program.unknown:
            for e, candidate in tried:
                try:
                    found = evaluate(formula, {**known, Name(missing[0].text): candidate})
                except (ValueError, TypeError):  # a candidate that does not fit
                    continue
                if (
                    found is not None
                    and np.shape(found) == value.shape
                    and np.allclose(found, value, 1e-6, 0, True)
                ):
                    table[missing[0]] = e
                    known[Name(missing[0].text)] = candidate
                    if isinstance(e, Name):
                        known[Name(e.text)] = program.values[e.text] = candidate
                        program.labelled.add(e.text)
                    formula = simplify(substitute(formula, table))
                    break
        elif value is None and not missing:
            known[Name(step.name.text)] = evaluate(formula, known)
        inputs = tuple([substitute(one, table) for one in step.inputs])
        program.steps[i] = replace(step, formula=formula, inputs=inputs)
    new = [table.get(one, one) for one in program.given]
    program.given[:] = dict.fromkeys([one for one in new if isinstance(one, Name)])
