"""The chain rule on the steps of a program: local derivatives, gradients, products along paths, closed forms."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from ._derive import contribution, is_differentiable, local
from ._lines import Known, Line
from ._numbers import bare, evaluate
from ._patterns import find, pulled
from ._program import Program, Step
from ._simplify import simplify
from ._symbols import (
    ONE,
    ZERO,
    Array,
    Expr,
    Name,
    Number,
    Slope,
    call,
    filled,
    nodes,
    size,
    substitute,
)

PATHS, FACTORS = 4, 12
"""At most so many products of at most so many factors are written out; beyond, gradients get names."""

LARGEST = 40
"""The size of a formula beyond which a gradient keeps its name in a closed form."""

SMALL = 4
"""Arrays of at most so many entries are written out where numbers stand for names."""

ARRIVING = "G"
"""The gradient that arrives at a result that is not a scalar."""


class Derivation:
    """All that is derived for some names of a program.

    Args:
        program: the steps.
        wanted: the names to differentiate with respect to.
        values: work out numbers.
        limit: how many steps to show at most.
    """

    def __init__(self, program: Program, wanted: Sequence[Name], *, values: bool, limit: int) -> None:
        self.program, self.wanted, self.values = program, wanted, values
        self.result = program.result
        self.steps = {step.name.text: step for step in program.steps}
        self.moving = self._moving()
        self.users = self._users()
        self.inside = self._inside()
        self.on_the_way = [s for s in program.steps if s.name.text in self.moving]
        half = limit // 2
        self.omitted = max(0, len(program.steps) - 2 * half)
        ends = program.steps if not self.omitted else [*program.steps[:half], *program.steps[-half:]]
        self.shown = {step.name.text for step in ends}
        self.ends = ends
        self.known: dict[Any, Any] = {Name(k): np.asarray(v) for k, v in program.values.items()}
        self.patterns: list[Known] = []

    def parts(self) -> dict[str, Any]:
        """What an `Explanation` is made of."""
        forward = [self.line(step.name, [step.formula]) for step in self.ends]
        given = [
            Line(name, value=self.known.get(bare(name)) if self.values else None)
            for name in self.program.given
        ]
        used = {one for step in self.ends for one in nodes(step.formula)} if self.omitted else None
        given = [one for one in given if used is None or one.name in used or one.name in self.wanted]
        self.seed()
        local_lines = self.locals()
        chain = self.chain()
        return {
            "result": self.result.text,
            "given": tuple(given),
            "composed": self.composed(),
            "forward": tuple(forward),
            "local": tuple(local_lines),
            "chain": tuple(chain),
            "simplified": tuple(self.closed(chain)),
            "patterns": tuple(self.patterns),
            "omitted": self.omitted,
            "notes": tuple(self.notes()),
            "values": self.values,
        }

    # ---- the graph of names

    def _moving(self) -> set[str]:
        """The names that gradients flow through: computed from what is wanted, and used for the result."""
        moving = {name.text for name in self.wanted}
        for step in self.program.steps:
            if any(
                isinstance(e, Name) and e.text in moving and is_differentiable(step, i)
                for i, e in enumerate(step.inputs)
            ):
                moving.add(step.name.text)
        reaching = {self.result.text}
        for step in reversed(self.program.steps):
            if step.name.text in reaching and step.name.text in moving:
                reaching |= {
                    e.text
                    for i, e in enumerate(step.inputs)
                    if isinstance(e, Name) and is_differentiable(step, i)
                }
        return moving & reaching

    def _users(self) -> dict[str, list[tuple[Step, list[int]]]]:
        """For each name the steps that use it, with the positions, last step first."""
        users: dict[str, list[tuple[Step, list[int]]]] = {}
        for step in reversed(self.program.steps):
            if step.name.text not in self.moving:
                continue
            places: dict[str, list[int]] = {}
            for i, e in enumerate(step.inputs):
                if isinstance(e, Name) and e.text in self.moving and is_differentiable(step, i):
                    places.setdefault(e.text, []).append(i)
            for name, where in places.items():
                users.setdefault(name, []).append((step, where))
        return users

    def _inside(self) -> dict[str, Step]:
        """The steps that a pattern may go through: where gradients flow, or nothing is that they could flow to."""
        depends = {name.text for name in self.wanted}
        found = {}
        for step in self.program.steps:
            if any(isinstance(one, Name) and one.text in depends for e in step.inputs for one in nodes(e)):
                depends.add(step.name.text)
            if not step.cut or step.name.text not in depends:
                found[step.name.text] = step
        return found

    def seed(self) -> None:
        """The gradient of the result by itself."""
        self.start: Expr = ONE if not self.result.shape else Name(ARRIVING, self.result.shape)
        self.known.setdefault(Slope(self.result.text, self.result.text), np.ones(self.result.shape))
        if self.result.shape:
            self.known[Name(ARRIVING)] = np.ones(self.result.shape)

    def arriving(self, step: Step) -> Expr:
        """The gradient of a step's result, by name."""
        return (
            self.start
            if step.name == self.result
            else Slope(self.result.text, step.name.text, step.name.shape)
        )

    def slope(self, step: Step, places: Iterable[int]) -> Expr | None:
        """The local derivative by an input that stands at some positions; None if there is no such factor."""
        found: Expr | None = None
        for i in places:
            if step.inputs[i].shape != step.name.shape:
                return None
            one = local(step, i)
            if one is None:
                return None
            found = one if found is None else simplify(call("add", found, one))
        return found

    # ---- lines

    def locals(self) -> list[Line]:
        """The derivative of each step by each input that gradients flow to."""
        found = []
        for step in reversed(self.ends):
            if step.name.text not in self.moving:
                continue
            places: dict[str, list[int]] = {}
            for i, e in enumerate(step.inputs):
                if isinstance(e, Name) and e.text in self.moving and is_differentiable(step, i):
                    places.setdefault(e.text, []).append(i)
            for name, where in places.items():
                shape = step.inputs[where[0]].shape
                about = Slope(step.name.text, name, shape, True)
                factor = self.slope(step, where)
                if factor is not None:
                    found.append(self.line(about, [factor]))
                elif step.name == self.result and not self.result.shape:
                    found.append(self.line(about, [self.sent(step, where, ONE)]))
                else:
                    arriving = Name(ARRIVING, step.name.shape)
                    found.append(Line(about, (self.sent(step, where, arriving),), linear=True))
        return found

    def sent(self, step: Step, places: Iterable[int], g: Expr) -> Expr:
        """What a step adds to the gradient of an input."""
        total_: Expr | None = None
        for i in places:
            one = contribution(step, i, g)
            total_ = one if total_ is None else simplify(call("add", total_, one))
        assert total_ is not None
        return total_

    def chain(self) -> list[Line]:
        """The gradient of each value on the way; or, where that is short, one product of slopes for each wanted."""
        paths = [self.along_paths(name) for name in self.wanted] if not self.omitted else [None]
        if all(one is not None for one in paths):
            return [
                self.line(self.gradient(name), forms)
                for name, forms in zip(self.wanted, paths, strict=True)
                if forms
            ]
        names = [
            step.name
            for step in reversed(self.ends)
            if step.name.text in self.moving and step.name != self.result
        ]
        names += [name for name in self.wanted if name not in names]
        return [self.line(self.gradient(name), self.rule(name)) for name in names]

    def gradient(self, name: Name) -> Slope:
        """The gradient of a value, as it is named."""
        return Slope(self.result.text, name.text, name.shape)

    def rule(self, name: Name) -> list[Expr]:
        """The gradient of a value from those of the values it is used for."""
        rule: Expr | None = None
        found: Expr | None = None
        is_product = True
        for step, places in self.users.get(name.text, []):
            g = self.arriving(step)
            sent = self.sent(step, places, g)
            found = sent if found is None else simplify(call("add", found, sent))
            is_product &= self.slope(step, places) is not None
            if is_product:
                factor: Expr = Slope(step.name.text, name.text, name.shape, True)
                term = factor if g == ONE else call("multiply", g, factor)
                rule = term if rule is None else call("add", rule, term)
        if found is None:  # nothing that the result depends on
            return [filled(ZERO, name.shape)] if name != self.result else [self.start]
        return [found] if not is_product or rule is None or rule == self.gradient(name) else [rule, found]

    def along_paths(self, name: Name) -> list[Expr] | None:
        """The product of the slopes along each path to the result, summed; None if that cannot be written so."""
        if self.start != ONE:
            return None
        paths: list[tuple[list[Slope], list[Expr], str]] = [([], [], name.text)]
        done: list[tuple[list[Slope], list[Expr]]] = []
        while paths:
            slopes, exprs, at = paths.pop()
            if at == self.result.text:
                done.append((slopes, exprs))
                continue
            for step, places in reversed(self.users.get(at, [])):
                factor = self.slope(step, places)
                if factor is None:
                    return None
                paths.append(
                    ([Slope(step.name.text, at, name.shape, True), *slopes], [factor, *exprs], step.name.text)
                )
            if len(paths) + len(done) > PATHS or len(slopes) >= FACTORS:
                return None
        if not done:
            return [filled(ZERO, name.shape)]
        rule, product = [_sum([_product(one[k]) for one in done]) for k in (0, 1)]
        return [rule, simplify(product)] if rule != self.gradient(name) else [simplify(product)]

    def composed(self) -> Line | None:
        """The whole computation as one formula, if it is short."""
        if len(self.program.steps) > 20:
            return None
        e: Expr = self.result
        for step in reversed(self.program.steps):
            e = substitute(e, {step.name: step.formula})
            if size(e) > LARGEST:
                return None
        return Line(self.result, (simplify(e),)) if len(self.program.steps) > 1 else None

    # ---- closed forms

    def closed(self, chain: Sequence[Line]) -> list[Line]:
        """The gradients that were asked for in one formula each, by way of patterns where there are some."""
        if self.omitted:
            return []
        gradients: dict[str, Expr] = {self.result.text: self.start}
        for step in reversed(self.on_the_way):
            g = gradients.get(step.name.text)
            if g is None:
                continue
            if size(g) > LARGEST:
                g = self.gradient(step.name)
            self.send(step, g, gradients)
        last = {line.name: line.forms[-1] for line in chain}
        defined = {line.name for line in chain}
        found = []
        for name in self.wanted:
            e = gradients.get(name.text)
            if e is None:
                continue
            e = self.written_out(simplify(e))
            if not defined.issuperset(one for one in nodes(e) if isinstance(one, Slope)):
                continue
            if e != last.get(self.gradient(name)) and size(e) <= 3 * LARGEST:
                found.append(self.line(self.gradient(name), [e]))
        return found

    def send(self, step: Step, g: Expr, gradients: dict[str, Expr]) -> None:
        """Add what a step, or a pattern that ends there, contributes."""
        recognised = find(step, g, self.inside, self.moving, self.program.values)
        if recognised is not None:
            pattern, m = recognised
            self.patterns.append(Known(pattern.title, step.name.text, pattern.source))
            sent = {m[k].text: simplify(pulled(pattern, m, k)) for k in pattern.rules  # type: ignore[union-attr]
                    if isinstance(m[k], Name) and m[k].text in self.moving}  # type: ignore[union-attr]  # fmt: skip
        else:
            places: dict[str, list[int]] = {}
            for i, e in enumerate(step.inputs):
                if isinstance(e, Name) and e.text in self.moving and is_differentiable(step, i):
                    places.setdefault(e.text, []).append(i)
            sent = {name: self.sent(step, where, g) for name, where in places.items()}
        for name, e in sent.items():
            gradients[name] = simplify(call("add", gradients[name], e)) if name in gradients else e

    def written_out(self, e: Expr) -> Expr:
        """A formula with the values that are used once, and that nobody has named, written out."""
        for step in reversed(self.program.steps):
            if (
                not self.program.is_named(step.name)
                and step.name != self.result
                and sum(one == step.name for one in nodes(e)) == 1
            ):
                longer = simplify(substitute(e, {step.name: step.formula}))
                if size(longer) <= LARGEST:
                    e = longer
        return e

    # ---- numbers

    def line(self, name: Name | Slope, forms: Sequence[Expr]) -> Line:
        """A line, with numbers if they are wanted."""
        if not self.values:
            return Line(name, tuple(forms))
        key = bare(name)
        value = self.known.get(key)
        for form in reversed(forms):
            if value is None:
                value = evaluate(form, self.known)
        if value is None:
            return Line(name, tuple(forms))
        value = np.asarray(value)
        if value.shape != name.shape:
            value = np.broadcast_to(value, name.shape)
        self.known.setdefault(key, value)
        return Line(
            name, tuple(forms), self.with_numbers(forms[0] if isinstance(name, Slope) else forms[-1]), value
        )

    def with_numbers(self, e: Expr) -> Expr | None:
        """A formula with numbers in place of names, None if some are unknown or large."""
        table: dict[Any, Expr] = {}
        for one in nodes(e):
            if isinstance(one, Name | Slope) and one != Name("pi"):
                value = self.known.get(bare(one))
                if value is None or np.size(value) > SMALL:
                    return None
                table[one] = literal(value)
        return substitute(e, table) if table and e not in table else None

    def notes(self) -> list[str]:
        """What else a reader should know."""
        found = []
        if self.result.shape:
            found.append(f"{self.result.text} is not a scalar: {ARRIVING} stands for the gradient that arrives at it"
                         + (", here all ones" if self.values else "") + ".")  # fmt: skip
        unknown = [one.text for one in self.program.given if one.text in self.program.unknown]
        if unknown:
            found.append(
                f"The tape did not keep {', '.join(unknown)}, as no gradient needs it; record the computation, "
                "with tg.record() as run: ..., to see what it is."
            )
        return found


def literal(value: Any) -> Expr:
    """A number or an array, rounded to what people read."""
    value = np.asarray(value)
    if not value.shape:
        return rounded(value.item())
    return Array(tuple([_value_of(rounded(one)) for one in value.reshape(-1).tolist()]), tuple(value.shape))


def rounded(value: Any) -> Number:
    """A number with four digits; those of whole numbers all."""
    if isinstance(value, complex) or value != value:
        return Number(float("nan"))
    if isinstance(value, bool | int) or (abs(value) < 1e6 and value == int(value)):
        return Number(Fraction(int(value)))
    short = float(f"{value:.4g}")
    return Number(Fraction(int(short)) if abs(short) < 1e6 and short == int(short) else short)


def _value_of(e: Number) -> Any:
    return int(e.value) if isinstance(e.value, Fraction) else e.value


def _product(factors: Sequence[Expr]) -> Expr:
    if not factors:
        return ONE
    e = factors[0]
    for one in factors[1:]:
        e = call("multiply", e, one)
    return e


def _sum(terms: Sequence[Expr]) -> Expr:
    e = terms[0]
    for one in terms[1:]:
        e = call("add", e, one)
    return e
