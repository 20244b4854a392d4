"""Computations whose derivative has a closed form that is worth knowing.

Each pattern is a formula; letters stand for values of the computation. Where one is found, the gradient goes
from its result to its letters in one step, by the function that stands beside it, instead of through all that
lies between.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np

from ._derive import is_differentiable
from ._program import Step
from ._symbols import (
    COMMUTE,
    ONE,
    Call,
    Expr,
    Name,
    Number,
    Shape,
    call,
    filled,
    is_transpose,
    parse,
    summed_to,
    total,
    transposed,
)

BISHOP = "C. M. Bishop, Pattern Recognition and Machine Learning, 2006"
COOKBOOK = "K. B. Petersen, M. S. Pedersen, The Matrix Cookbook, 2012"
CALCULUS = "the chain rule"


@dataclass
class Match:
    """What a pattern was found to stand for.

    Attributes:
        step: whose result it is.
        g: the gradient of that.
        letters: what stands for each letter.
        inner: a parameter of the ops that were matched: the axis of a sum or of a softmax.
        values: arrays that are known, by name.
    """

    step: Step
    g: Expr
    letters: dict[str, Expr] = field(default_factory=dict)
    inner: dict[str, Any] = field(default_factory=dict)
    values: Mapping[str, Any] = field(default_factory=dict)

    def __getitem__(self, letter: str) -> Expr:
        return self.letters[letter]

    @property
    def y(self) -> Expr:
        """The result."""
        return self.step.name

    def restored(self, e: Expr, like: Expr) -> Expr:
        """A reduced value with the axes that it lost put back, to be used beside what was reduced."""
        kept = kept_shape(like.shape, self.inner.get("axis"))
        if not e.shape or e.shape == kept:
            return e
        return Call("reshape", (e,), (("shape", kept),), kept)


Rule = Callable[[Match], Expr]


@dataclass(frozen=True)
class Pattern:
    """A computation and what becomes of the gradient.

    Args:
        title: what it is called.
        forms: formulas of the computation; any of them.
        rules: for each letter that a gradient goes to, that gradient.
        source: where to read it up.
        fits: a further condition.
    """

    title: str
    forms: tuple[str, ...]
    rules: Mapping[str, Rule]
    source: str
    fits: Callable[[Match], bool] = lambda m: True


def kept_shape(shape: Shape, axis: Any) -> Shape:
    """The shape of a reduction that keeps its axes."""
    gone = (
        range(len(shape))
        if axis is None
        else [a % len(shape) for a in (axis if isinstance(axis, tuple) else (axis,))]
    )
    return tuple([1 if i in gone else n for i, n in enumerate(shape)])


# ---- what the rules are written with


def times(*parts: Expr) -> Expr:
    """A product."""
    e = parts[0]
    for one in parts[1:]:
        e = call("multiply", e, one)
    return e


def minus(a: Expr, b: Expr) -> Expr:
    """A difference."""
    return call("subtract", a, b)


def over(a: Expr, b: Expr) -> Expr:
    """A quotient."""
    return call("divide", a, b)


def softmax(m: Match) -> Expr:
    """The softmax of the letter x, along the axis of the match."""
    axis = m.inner.get("axis")
    return call("softmax", m["x"], axis=-1 if axis is None else axis)


def one_hot(m: Match) -> Expr:
    """The labels t as rows of zeros with a 1."""
    return call("one_hot", _labels(m["t"]), num_classes=m["x"].shape[-1])


def _labels(t: Expr) -> Expr:
    """Labels, without the axis of length 1 that was added to pick with them."""
    return t.args[0] if isinstance(t, Call) and t.op == "reshape" and len(t.shape) == 2 else t


def _column(g: Expr) -> Expr:
    """One number for each row, to be used beside rows."""
    return Call("reshape", (g,), (("shape", (*g.shape, 1)),), (*g.shape, 1)) if len(g.shape) == 1 else g


def _one_axis(m: Match) -> bool:
    return isinstance(m.inner.get("axis"), int) or (m.inner.get("axis") is None and len(m["x"].shape) == 1)


def _picks_one_of_each_row(m: Match) -> bool:
    """Whether one class is picked in each row of x, by the labels t."""
    x, t = m["x"], m["t"]
    if len(x.shape) != 2 or m.inner.get("axis", -1) not in (-1, 1):
        return False
    if "i" not in m.letters:  # along the axis, by a column of labels
        return t.shape == (x.shape[0], 1) and m.inner.get("along", -1) in (-1, 1)
    rows = m["i"]
    known: Any = m.values.get(rows.text) if isinstance(rows, Name) else getattr(rows, "values", None)
    if isinstance(rows, Number) and x.shape[0] == 1:
        known = [rows.value]
    return (
        known is not None
        and t.shape == (x.shape[0],)
        and np.array_equal(np.ravel(known), np.arange(x.shape[0]))
    )


def _weights(m: Match) -> Expr:
    """The sum of each row of targets: 1, if they are probabilities."""
    t = m["t"]
    known = m.values.get(t.text) if isinstance(t, Name) else None
    if (
        known is not None
        and known.shape == m["x"].shape
        and np.allclose(known.sum(-1), 1, rtol=1e-14, atol=0)
    ):
        return ONE
    return total(t, len(t.shape) - 1, keepdims=True)


def _spread(m: Match, e: Expr, x: Expr) -> Expr:
    return over(total(e, m.inner.get("axis"), keepdims=bool(m.inner.get("axis") is not None)), m["n"])


def _is_vector(m: Match) -> bool:
    return len(m["x"].shape) == 1 and len(m["A"].shape) == 2


def _euclidean(m: Match) -> bool:
    return bool(m.inner.get("ord", 2) == 2)


def _squared_error(m: Match) -> Expr:
    return times(m.g, over(Number(Fraction(2)), m["n"]), minus(m["p"], m["y"]))


PATTERNS = (
    Pattern(
        "softmax and cross-entropy",
        ("take_along_axis(log_softmax(x), t)", "take_along_axis(log(softmax(x)), t)",
         "log(take_along_axis(softmax(x), t))", "take_at(log_softmax(x), i, t)", "take_at(log(softmax(x)), i, t)",
         "log(take_at(softmax(x), i, t))"),
        {"x": lambda m: times(_column(m.g), minus(one_hot(m), softmax(m)))},
        f"{BISHOP}, (4.109)",
        _picks_one_of_each_row,
    ),
    Pattern(
        "softmax and cross-entropy with probabilities",
        ("sum(t * log_softmax(x))", "sum(t * log(softmax(x)))"),
        {"x": lambda m: times(_column(m.g), minus(m["t"], times(_weights(m), softmax(m))))},
        f"{BISHOP}, (4.109)",
        lambda m: m["t"].shape == m["x"].shape and len(m["x"].shape) == 2
        and (m.g.shape == () or m.inner.get("total") == 1),
    ),
    Pattern(
        "sigmoid and binary cross-entropy",
        ("binary_cross_entropy(sigmoid(x), t)", "-(t * log(sigmoid(x)) + (1 - t) * log(1 - sigmoid(x)))",
         "-t * log(sigmoid(x)) - (1 - t) * log(1 - sigmoid(x))"),
        {"x": lambda m: times(m.g, minus(call("sigmoid", m["x"]), m["t"]))},
        f"{BISHOP}, (4.91)",
    ),
    Pattern(
        "sigmoid and binary cross-entropy",
        ("t * log(sigmoid(x)) + (1 - t) * log(1 - sigmoid(x))",),
        {"x": lambda m: times(m.g, minus(m["t"], call("sigmoid", m["x"])))},
        f"{BISHOP}, (4.91)",
    ),
    Pattern(
        "logarithm of a sum of exponentials",
        ("log(sum(exp(x)))", "logsumexp(x)"),
        {"x": lambda m: times(m.restored(m.g, m["x"]), softmax(m))},
        f"{BISHOP}, (4.106)",
        _one_axis,
    ),
    Pattern(
        "softmax",
        ("exp(x) / sum(exp(x))",),
        {"x": lambda m: times(m.y, minus(m.g, total(times(m.g, m.y), m.inner.get("axis"), keepdims=True)))},
        f"{BISHOP}, (4.106)",
        _one_axis,
    ),
    Pattern(
        "standardisation",
        ("(x - sum(x) / n) / sqrt(sum((x - sum(x) / n) ** 2) / m)",
         "(x - sum(x) / n) / sqrt(sum((x - sum(x) / n) ** 2) / m + e)"),
        {"x": lambda m: over(
            minus(minus(m.g, over(total(m.g, m.inner["axis"], True), m["n"])),
                  times(m.y, over(total(times(m.g, m.y), m.inner["axis"], True), m["m"]))),
            _denominator(m.step))},
        f"{CALCULUS}, of three paths",
        lambda m: m.step.name.shape == m["x"].shape,
    ),
    Pattern(
        "variance",
        ("sum((x - sum(x) / n) ** 2) / m",),
        {"x": lambda m: times(
            m.restored(m.g, m["x"]), over(Number(Fraction(2)), m["m"]),
            minus(m["x"], over(total(m["x"], m.inner["axis"], True), m["n"])))},
        f"{CALCULUS}; deviations sum to 0",
    ),
    Pattern(
        "mean of squared errors",
        ("sum((p - y) ** 2) / n",),
        {"p": _squared_error, "y": lambda m: call("negative", _squared_error(m))},
        f"{COOKBOOK}, (84)",
        lambda m: not m.step.name.shape and isinstance(m["n"], Number),
    ),
    Pattern(
        "Euclidean norm",
        ("sqrt(sum(x * x))", "sqrt(sum(x ** 2))", "sqrt(x @ x)", "_vector_norm(x)"),
        {"x": lambda m: times(m.restored(m.g, m["x"]), over(m["x"], m.restored(m.y, m["x"])))},
        f"{COOKBOOK}, (129)",
        _euclidean,
    ),
    Pattern(
        "quadratic form",
        ("x @ A @ x", "x @ (A @ x)"),
        {"x": lambda m: times(m.g, call("matmul", call("add", m["A"], transposed(m["A"])), m["x"])),
         "A": lambda m: times(m.g, times(
             Call("reshape", (m["x"],), (("shape", (m["x"].shape[0], 1)),), (m["x"].shape[0], 1)),
             Call("reshape", (m["x"],), (("shape", (1, m["x"].shape[0])),), (1, m["x"].shape[0]))))},
        f"{COOKBOOK}, (81)",
        _is_vector,
    ),
    Pattern(
        "logistic function",
        ("1 / (1 + exp(-x))",),
        {"x": lambda m: times(m.g, m.y, minus(ONE, m.y))},
        f"{BISHOP}, (4.88)",
    ),
    Pattern(
        "hyperbolic tangent",
        ("(exp(x) - exp(-x)) / (exp(x) + exp(-x))",),
        {"x": lambda m: times(m.g, minus(ONE, times(m.y, m.y)))},
        f"{CALCULUS}, and the rule of quotients",
    ),
    Pattern(
        "softplus",
        ("log(1 + exp(x))", "log1p(exp(x))"),
        {"x": lambda m: times(m.g, call("sigmoid", m["x"]))},
        CALCULUS,
    ),
    Pattern(
        "inverse functions",
        ("exp(log(x))", "log(exp(x))"),
        {"x": lambda m: m.g},
        CALCULUS,
    ),
)  # fmt: skip
"""Tried in this order."""


def _denominator(step: Step) -> Expr:
    formula = step.formula
    assert isinstance(formula, Call)
    return formula.args[1]


# ---- finding them


def find(step: Step, g: Expr, steps: Mapping[str, Step], moving: set[str], values: Mapping[str, Any]) -> (
    tuple[Pattern, Match] | None
):  # fmt: skip
    """The first pattern that a step's result is computed by, if gradients can go to all that it moves with.

    Args:
        step: the step.
        g: the gradient of its result.
        steps: those of the program, by name.
        moving: the names that depend on what is differentiated with respect to.
        values: arrays that are known, by name.
    """
    for pattern in PATTERNS:
        for form in pattern.forms:
            m = Match(step, g, values=values)
            if not _fits(_parsed(form), step.name, m, steps):
                continue
            m.inner.setdefault("axis", None)
            letters = [k for k, e in m.letters.items() if isinstance(e, Name) and e.text in moving]
            if (
                letters
                and set(letters) <= set(pattern.rules)
                and pattern.fits(m)
                and _all_inside(form, m, steps, moving)
            ):
                return pattern, m
    return None


def pulled(pattern: Pattern, m: Match, letter: str) -> Expr:
    """The gradient that a pattern sends to one of its letters."""
    return summed_to(filled_to(pattern.rules[letter](m), m[letter].shape), m[letter].shape)


def filled_to(e: Expr, shape: Shape) -> Expr:
    """``e`` made as large as ``shape``."""
    return filled(e, np.broadcast_shapes(e.shape, shape))


_forms: dict[str, Expr] = {}


def _parsed(form: str) -> Expr:
    if form not in _forms:
        _forms[form] = parse(form)
    return _forms[form]


def _all_inside(form: str, m: Match, steps: Mapping[str, Step], moving: set[str]) -> bool:
    """Whether what the pattern goes through is computed with gradients."""
    return all(
        is_differentiable(m.step, i)
        for i, e in enumerate(m.step.inputs)
        if isinstance(e, Name) and e.text in moving
    )


def _fits(pattern: Expr, e: Expr, m: Match, steps: Mapping[str, Step]) -> bool:
    """Whether ``e``, names written out where that is needed, has the form of a pattern."""
    if isinstance(pattern, Name):
        return m.letters.setdefault(pattern.text, e) == e
    while isinstance(e, Call) and (
        e.op == "broadcast_to" or (e.op == "reshape" and pattern_op(pattern) != "reshape")
    ):
        e = e.args[0]
    if isinstance(pattern, Number):
        return isinstance(e, Number) and e.value == pattern.value
    if isinstance(e, Name) and e.text in steps:
        e = steps[e.text].formula
        return _fits(pattern, e, m, steps) if isinstance(e, Call) else False
    if not isinstance(e, Call) or not isinstance(pattern, Call) or is_transpose(e):
        return False
    if e.op != pattern.op or len(e.args) != len(pattern.args) or not _same_axes(e, m):
        return False
    for args in [e.args, e.args[::-1]] if e.op in COMMUTE else [e.args]:
        letters, inner = dict(m.letters), dict(m.inner)
        if all(_fits(p, one, m, steps) for p, one in zip(pattern.args, args, strict=True)):
            return True
        m.letters, m.inner = letters, inner
    return False


def pattern_op(pattern: Expr) -> str:
    """The op that a pattern begins with."""
    return pattern.op if isinstance(pattern, Call) else ""


def _same_axes(e: Call, m: Match) -> bool:
    """Remember the axis of a reduction; all in one pattern must agree."""
    if e.op == "_vector_norm":
        m.inner["ord"] = e.param("ord")
    if e.op == "take_along_axis":
        m.inner["along"] = e.param("axis")
    if e.op == "take_at":
        return all(one == "array" for one in e.param("pattern"))
    if e.op == "sum":
        rank = len(e.args[0].shape)
        m.inner["total"] = rank - 1 if e.param("axis") is None and rank == 1 else e.param("axis")
    if e.op in ("softmax", "log_softmax", "sum", "logsumexp", "_vector_norm"):
        axis = e.param("axis")
        axis = axis[0] if isinstance(axis, tuple) and len(axis) == 1 else axis
        rank = len(e.args[0].shape)
        if e.op == "_vector_norm" and isinstance(axis, tuple) and len(axis) == rank:
            axis = None
        axis = axis % rank if isinstance(axis, int) and rank else axis
        if rank == 1:
            axis = None
        if e.op == "sum" and m.inner.get("softmax"):
            return True
        if e.op in ("softmax", "log_softmax"):
            m.inner["softmax"] = True
            m.inner["axis"] = axis
            return True
        return bool(m.inner.setdefault("axis", axis) == axis)
    return True
