"""Formulas made short: numbers collected, equal factors joined, and a table of rules.

`simplify` rewrites a formula from its leaves up until nothing changes. Sums and products are taken apart into
numbers, terms and factors and put together again in one form, so that equal ones look equal.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from functools import lru_cache
from math import prod
from typing import Any

from ._symbols import (
    COMMUTE,
    ONE,
    ZERO,
    Array,
    Call,
    Coefficient,
    Expr,
    Name,
    Number,
    Range,
    Shape,
    call,
    filled,
    is_transpose,
    nodes,
    number,
    parse,
    transposed,
)

RULES = (
    # what stands there                                what is written instead
    ("exp(log(a))", "a"),
    ("log(exp(a))", "a"),
    ("sqrt(a) ** 2", "a"),
    ("exp(log_softmax(a))", "softmax(a)"),
    ("log(softmax(a))", "log_softmax(a)"),
    ("exp(a - logsumexp(a))", "softmax(a)"),
    ("transpose(transpose(a))", "a"),
    ("rsqrt(a)", "1 / sqrt(a)"),
    ("one_minus_square(a)", "1 - a ** 2"),
    ("hypot(a, 1)", "sqrt(1 + a ** 2)"),
    ("exp(-logaddexp(b - a, 0))", "sigmoid(a - b)"),
    ("log1p(a)", "log(1 + a)"),
    ("expit(a)", "sigmoid(a)"),
    ("wins(a, a)", "1 / 2"),
    ("(a == 0) == 0", "a != 0"),
    ("(a != b) == 0", "a == b"),
    # Guards, against 0 * inf and 0 / 0: they change nothing where the formula can be used as it is read.
    ("a + (a == 0)", "a"),
    ("a + (a == 0) * (b == 0)", "a"),
    ("a * (b != 0)", "a"),
    ("where(a == -inf, 0, a)", "a"),
    ("a * (b > -inf)", "a"),
    ("a + isnan(b)", "a"),
    ("a + (isnan(b) & c)", "a"),
    ("where(a == 0, nan, a)", "a"),
    ("where(a == 0, inf, a)", "a"),
    ("where((a == b) & isinf(a), 0, a)", "a"),
    ("at_most(at_least(a, -40), 40)", "a"),
)
"""Rewritten from left to right wherever they fit; any formula can stand for a letter."""

LINEAR = frozenset(["matmul", "sum", "permute_dims", "reshape", "getitem", "take_at", "place", "add_at",
                    "take_along_axis", "add_along_axis", "broadcast_to"])  # fmt: skip
"""Ops that a factor can be taken out of; the first argument only, but for ``matmul``."""


@lru_cache(maxsize=1 << 14)
def simplify(e: Expr) -> Expr:
    """The same value, written shorter: numbers collected, equal factors joined, `RULES` applied."""
    if not isinstance(e, Call):
        return e
    for _ in range(20):
        args = tuple([simplify(one) for one in e.args])
        now = _step(Call(e.op, args, e.params, e.shape))
        now = filled(now, e.shape)
        if now == e or not isinstance(now, Call):
            return now
        e = now
    return e


def _step(e: Call) -> Expr:
    """One round of rewriting, of a call whose arguments are simple."""
    if e.op in _HANDLERS and (found := _HANDLERS[e.op](e)) != e:
        return found
    if e.op in LINEAR and (outside := _factor_out(e)) is not None:
        return outside
    for pattern, instead in _rules().get(e.op, ()):
        bound: dict[str, Expr] = {}
        if match(pattern, e, bound) and all(name in bound for name in _letters(instead)):
            return _filled_in(instead, bound, _axis(e))
    return e


def _axis(e: Expr) -> int:
    """The axis of the softmax, or of the logsumexp, in a formula that a rule fits."""
    for one in nodes(e):
        if isinstance(one, Call) and one.op in ("softmax", "log_softmax", "logsumexp"):
            axis = one.param("axis", -1)
            if isinstance(axis, int):
                return axis
    return -1


def _filled_in(pattern: Expr, bound: Mapping[str, Expr], axis: int) -> Expr:
    """The side of a rule with formulas in place of its letters."""
    if isinstance(pattern, Name):
        return bound[pattern.text]
    if not isinstance(pattern, Call):
        return pattern
    args = [_filled_in(one, bound, axis) for one in pattern.args]
    return call(pattern.op, *args, axis=axis) if "softmax" in pattern.op else call(pattern.op, *args)


def factors(e: Expr) -> tuple[Coefficient, dict[Expr, int]]:
    """A product as its number and its factors, each with its exponent, in the order that they are met."""
    number_: Coefficient = Fraction(1)
    found: dict[Expr, int] = {}
    todo: list[tuple[Expr, int]] = [(e, 1)]
    while todo:
        one, exponent = todo.pop()
        if isinstance(one, Number) and one.value != 0 and math.isfinite(one.value) and exponent in (1, -1):
            number_ = number_ * one.value if exponent == 1 else number_ / one.value
        elif isinstance(one, Number) and one.value == 0 and exponent == 1:
            return Fraction(0), {}
        elif isinstance(one, Call) and one.op == "multiply":
            todo += [(one.args[1], exponent), (one.args[0], exponent)]
        elif isinstance(one, Call) and one.op == "divide":
            todo += [(one.args[1], -exponent), (one.args[0], exponent)]
        elif isinstance(one, Call) and one.op == "negative" and exponent in (1, -1):
            number_ = -number_
            todo.append((one.args[0], exponent))
        elif isinstance(one, Call) and one.op == "broadcast_to":
            todo.append((one.args[0], exponent))
        elif isinstance(one, Call) and one.op == "power" and _whole(one.args[1]):
            todo.append((one.args[0], exponent * int(one.args[1].value)))  # type: ignore[union-attr]
        else:
            found[one] = found.get(one, 0) + exponent
    return number_, {one: n for one, n in found.items() if n != 0}


def _whole(e: Expr) -> bool:
    return isinstance(e, Number) and isinstance(e.value, Fraction) and e.value.denominator == 1


def _joined(number_: Coefficient, found: Mapping[Expr, int], shape: Shape) -> Expr:
    """The product of a number and factors, as it is written: ``2 / 5 * a * b``, ``(a * b) / (c * 5)``."""
    if number_ == 0:
        return filled(ZERO, shape)
    above = [_power(one, n) for one, n in found.items() if n > 0]
    below = [_power(one, -n) for one, n in found.items() if n < 0]
    sign, size_ = (-1, -number_) if number_ < 0 else (1, number_)
    fraction = isinstance(size_, Fraction)
    if fraction and (below or (size_.numerator == 1 and above)):  # type: ignore[union-attr]
        top, bottom = Fraction(size_.numerator), Fraction(size_.denominator)  # type: ignore[union-attr]
        above = above if top == 1 and above else [Number(top), *above]
        below = below if bottom == 1 else [Number(bottom), *below]
    elif size_ != 1 or not above:
        above = [Number(size_), *above]
    e = _fold("multiply", above)
    if below:
        e = call("divide", e, _fold("multiply", below))
    return (
        filled(call("negative", e) if sign < 0 else e, shape)
        if not isinstance(e, Number)
        else filled(Number(sign * e.value), shape)
    )


def _power(base: Expr, n: int) -> Expr:
    return base if n == 1 else call("power", base, Number(Fraction(n)))


def _fold(op: str, parts: list[Expr]) -> Expr:
    e = parts[0]
    for one in parts[1:]:
        e = call(op, e, one)
    return e


def _turned(parts: list[Expr]) -> list[Expr] | None:
    """Factors times -1: the first difference turned round, so that no minus is needed; None if there is none."""
    for i, one in enumerate(parts):
        if isinstance(one, Call) and one.op == "subtract":
            return [*parts[:i], call("subtract", one.args[1], one.args[0], shape=one.shape), *parts[i + 1 :]]
    return None


def _product(e: Call) -> Expr:
    number_, found = factors(e)
    if number_ < 0 and (turned := _turned([one for one, n in found.items() if n == 1])) is not None:
        others = {one: n for one, n in found.items() if n != 1}
        number_, found = -number_, {**dict.fromkeys(turned, 1), **others}
    return _joined(number_, found, e.shape)


def split(e: Expr) -> tuple[Coefficient, Expr]:
    """A formula as a number times the rest."""
    if isinstance(e, Number):
        return e.value, ONE
    number_, found = factors(e)
    if number_ in (0, 1):
        return (Fraction(1), e) if number_ else (Fraction(0), filled(ZERO, e.shape))
    return number_, _joined(Fraction(1), found, e.shape)


def _addition(e: Call) -> Expr:
    terms: dict[Expr, Coefficient] = {}
    todo: list[tuple[Expr, Coefficient]] = [(e, Fraction(1))]
    while todo:
        one, weight = todo.pop()
        if isinstance(one, Call) and one.op in ("add", "subtract"):
            todo += [(one.args[1], weight if one.op == "add" else -weight), (one.args[0], weight)]
            continue
        number_, rest = split(one)
        if isinstance(rest, Call) and rest.op in ("add", "subtract") and abs(number_) == 1:
            todo.append((rest, weight * number_))
            continue
        if isinstance(rest, Call) and rest.op == "broadcast_to":
            rest = rest.args[0]
        terms[rest] = terms.get(rest, Fraction(0)) + weight * number_
    found = [(one, n) for one, n in terms.items() if n != 0]
    if not found:
        return filled(ZERO, e.shape)
    sizes = {_size(n) for _, n in found}
    common: Coefficient = Fraction(1)
    if len(found) > 1 and len(sizes) == 1 and ONE not in terms:
        common = next(iter(sizes))
        found = [(one, n / common) for one, n in found]
    # A sum does not begin with a minus where it can begin without.
    first = next((i for i, (_, n) in enumerate(found) if n > 0), 0)
    found.insert(0, found.pop(first))
    made: Expr | None = None
    for one, n in found:
        term = _joined(_size(n), factors_of(one), one.shape)
        if made is None:
            made = term if n > 0 else simplify_sign(term)
        else:
            made = call("add" if n > 0 else "subtract", made, term)
    assert made is not None
    if common != 1:
        made = _joined(common, {made: 1}, made.shape)
    return filled(made, e.shape)


def _size(n: Coefficient) -> Coefficient:
    return -n if n < 0 else n


def factors_of(e: Expr) -> Mapping[Expr, int]:
    """The factors of a formula whose number is 1."""
    return {} if e == ONE else factors(e)[1]


def simplify_sign(e: Expr) -> Expr:
    """Minus ``e``."""
    return Number(-e.value) if isinstance(e, Number) else call("negative", e)


def _powered(e: Call) -> Expr:
    base, exponent = e.args
    if isinstance(exponent, Number):
        if exponent.value == 0:
            return filled(ONE, e.shape)
        if exponent.value == 1:
            return filled(base, e.shape)
        if isinstance(base, Number) and _whole(exponent) and base.value != 0:
            return Number(base.value**exponent.value)
        if exponent.value == Fraction(1, 2):
            return call("sqrt", base)
        if _whole(exponent):
            number_, found = factors(e)
            if found.get(base) != exponent.value:
                return (
                    _joined(number_ if number_ == 1 else number_**exponent.value, found, e.shape)
                    if number_ == 1
                    else e
                )
    return e


def _summed(e: Call) -> Expr:
    (x,) = e.args
    number_, rest = split(x)
    if isinstance(rest, Call) and rest.op == "broadcast_to" and not rest.args[0].shape:
        count = prod(x.shape) // max(1, prod(e.shape))
        return simplify(
            call("multiply", Number(number_ * count), filled(rest.args[0], e.shape), shape=e.shape)
        )
    if isinstance(x, Array) and e.param("axis") is None and len(x.values) <= 16:
        return filled(number(sum(x.values)), e.shape)
    if not x.shape or prod(x.shape) == prod(e.shape):
        return Call("reshape", (x,), (("shape", e.shape),), e.shape) if x.shape != e.shape else x
    return e


def _moved(e: Call) -> Expr:
    """A reshape, a transpose or a broadcast that changes nothing, or one after another."""
    (x,) = e.args
    inner = x.args[0] if isinstance(x, Call) and x.args else x
    if x.shape == e.shape and e.op != "permute_dims":
        return x
    if e.op == "broadcast_to":
        if isinstance(x, Call) and (x.op == "broadcast_to" or _adds_leading_axes(x)):
            return filled(inner, e.shape)
        return e
    if isinstance(x, Call) and x.op == "broadcast_to" and not inner.shape:
        return filled(inner, e.shape)
    if e.op == "reshape":
        if not x.shape:
            return filled(x, e.shape)
        return Call("reshape", x.args, e.params, e.shape) if isinstance(x, Call) and x.op == "reshape" else e
    if tuple(e.param("axes")) == tuple(range(len(e.shape))):
        return x
    if isinstance(x, Call) and len(e.shape) == 2:
        if x.op == "matmul" and all(len(one.shape) == 2 for one in x.args):
            return call("matmul", transposed(x.args[1]), transposed(x.args[0]))
        if x.op == "reshape" and len(inner.shape) == 1:
            return Call("reshape", (inner,), (("shape", e.shape),), e.shape)
        if x.op in ("multiply", "add", "subtract") and all(_turns(one) for one in x.args):
            return call(x.op, *[transposed(one) for one in x.args], shape=e.shape)
    if isinstance(x, Call) and x.op == "permute_dims":
        axes = tuple([x.param("axes")[i] for i in e.param("axes")])
        return inner if axes == tuple(range(len(axes))) else call("permute_dims", inner, axes=axes)
    return e


def _turns(x: Expr) -> bool:
    """Whether the transpose of a matrix is as short as the matrix."""
    return len(x.shape) == 2 and (is_transpose(x) or (isinstance(x, Call) and x.op == "reshape"))


def _adds_leading_axes(x: Call) -> bool:
    """Whether ``x`` is a reshape that puts axes of length 1 in front, as broadcasting does anyway."""
    shape = x.args[0].shape
    return x.op == "reshape" and x.shape == (*[1] * (len(x.shape) - len(shape)), *shape)


def _selected(e: Call) -> Expr:
    """A product of a matrix with one column or one row, read as that of a matrix and a vector."""
    (x,) = e.args
    if not isinstance(x, Call) or x.op != "matmul":
        return e
    a, b = x.args
    index = e.param("index")
    if index in ((..., 0), (0,)) or (index == (Range(None, None, None), 0) and len(x.shape) == 2):
        if (
            isinstance(b, Call)
            and b.op == "reshape"
            and b.shape == (*b.args[0].shape, 1)
            and len(b.shape) == 2
        ):
            return call("matmul", a, b.args[0])
    elif (
        index == (..., 0, Range(None, None, None))
        and isinstance(a, Call)
        and a.op == "reshape"
        and len(a.shape) == 2
        and a.shape == (1, *a.args[0].shape)
    ):
        return call("matmul", a.args[0], b)
    return e


def _compared(e: Call) -> Expr:
    a, b = e.args
    if isinstance(a, Number) and isinstance(b, Number):
        return Number(Fraction(int(_COMPARE[e.op](a.value, b.value))))
    return e


def _chosen(e: Call) -> Expr:
    condition, a, b = e.args
    while isinstance(condition, Call) and condition.op == "broadcast_to":
        condition = condition.args[0]
    if isinstance(condition, Number):
        return filled(a if condition.value else b, e.shape)
    return filled(a, e.shape) if a == b else e


def _matrix_product(e: Call) -> Expr:
    """A product with a transposed vector, (A^T)^T, and factors in front."""
    numbers = [split(one) for one in e.args]
    common = numbers[0][0] * numbers[1][0]
    parts = [rest for _, rest in numbers]
    if common < 0 and (turned := _turned(parts)) is not None:
        common, parts = -common, turned
    made = Call("matmul", tuple(parts), (), e.shape)
    return made if common == 1 else _joined(common, {made: 1}, e.shape)


def _factor_out(e: Call) -> Expr | None:
    number_, rest = split(e.args[0])
    if number_ == 1 or (e.op == "broadcast_to" and rest == ONE):
        return None
    made = Call(e.op, (rest, *e.args[1:]), e.params, e.shape)
    return _joined(number_, {made: 1}, e.shape)


_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "equal": lambda a, b: a == b,
    "not_equal": lambda a, b: a != b,
    "less": lambda a, b: a < b,
    "less_equal": lambda a, b: a <= b,
    "greater": lambda a, b: a > b,
    "greater_equal": lambda a, b: a >= b,
}

_HANDLERS: dict[str, Callable[[Call], Expr]] = {
    **dict.fromkeys(["multiply", "divide", "negative"], _product),
    **dict.fromkeys(["add", "subtract"], _addition),
    **dict.fromkeys(["reshape", "permute_dims", "broadcast_to"], _moved),
    **dict.fromkeys(_COMPARE, _compared),
    "getitem": _selected,
    "power": _powered,
    "sum": _summed,
    "where": _chosen,
    "matmul": _matrix_product,
}


# ---- rules

_parsed: dict[str, list[tuple[Expr, Expr]]] = {}


def _rules() -> Mapping[str, Sequence[tuple[Expr, Expr]]]:
    """The rules, by the op that they begin with."""
    if not _parsed:
        for pattern, instead in RULES:
            read = parse(pattern)
            assert isinstance(read, Call)
            op = "permute_dims" if read.op == "transpose" else read.op
            _parsed.setdefault(op, []).append((read, parse(instead)))
    return _parsed


def _letters(e: Expr) -> set[str]:
    return {one.text for one in nodes(e) if isinstance(one, Name)}


def match(pattern: Expr, e: Expr, bound: dict[str, Expr]) -> bool:
    """Whether ``e`` has the form of ``pattern``; ``bound`` gets what stands for each letter."""
    while isinstance(e, Call) and e.op == "broadcast_to":
        e = e.args[0]
    if isinstance(pattern, Name):
        return bound.setdefault(pattern.text, e) == e
    if isinstance(pattern, Number):
        both_nan = isinstance(e, Number) and e.value != e.value and pattern.value != pattern.value
        return both_nan or (isinstance(e, Number) and e.value == pattern.value)
    assert isinstance(pattern, Call)
    if pattern.op == "transpose":
        return is_transpose(e) and match(pattern.args[0], e.args[0], bound)  # type: ignore[union-attr]
    if not isinstance(e, Call) or e.op != pattern.op or len(e.args) != len(pattern.args):
        return False
    orders = [e.args, e.args[::-1]] if e.op in COMMUTE else [e.args]
    for order in orders:
        trial = dict(bound)
        if all(match(p, one, trial) for p, one in zip(pattern.args, order, strict=True)):
            bound.update(trial)
            return True
    return False
