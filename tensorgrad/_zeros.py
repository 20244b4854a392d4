"""Structural zeros: in the products of derivatives, zero times anything is zero.

A derivative is a sum over paths of products of slopes. In floating point one factor that is not finite makes NaN
of a path that another factor, a mask, has switched off. Here such a path counts nothing. This is the rule: **a
product in which one factor is exactly 0 is 0, whatever the others are**; sums stay as they are.

Inside of `structural_zeros` a node's card is replaced by its twin (`absorbing`). The twin pulls back as the card
does. Only where that gives something that is not finite, the formula runs once more, with its cotangent wrapped in
`Absorbing`, which multiplies by the rule; what was finite stays, bit for bit. Forward mode does the same to tangents.
"""

from __future__ import annotations

import cmath
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from . import _specialise, ops
from ._array import Array, check_become
from ._config import GENERAL, ZEROS, Switch, get_mode, set_bit, undo
from ._gates import gate, guarded, refit
from ._levels import new_level
from ._primitive import Formula, Primitive, Value
from ._specialise import ARRAYS
from ._writer import saved_names
from .ops.cumulative import delayed


class structural_zeros(Switch):
    """Let zeros win in derivatives: ``0 * inf`` and ``0 * nan`` count 0. A context and a decorator.

    A branch that `where` does not take, or that a mask, `relu` or `clip` holds back, then adds nothing to a
    gradient, even if its own slope is infinite or NaN. What is finite without it has the same gradient, bit for bit.

    It acts on what is differentiated inside, ``backward``, `grad`, `jvp` and the rest, and on what is recorded
    inside, wherever ``backward`` is called later; so a function that masks can be decorated once and for all.

    An exact zero that is no mask wins as well: docs/structural-zeros.md shows what that hides.

    Example:
        >>> import numpy as np, tensorgrad as tg
        >>> x = np.array([0.0, 2.0])
        >>> def f(x):
        ...     return tg.where(x > 0, 1 / x, 0.0).sum()
        >>> with np.errstate(divide="ignore"), tg.structural_zeros():
        ...     tg.grad(f)(x)
        array([ 0.  , -0.25])

    Source:
        The convention 0 * inf = 0 of measure theory (Rudin, Real and Complex Analysis, 1.22).
    """

    def __new__(cls, function: Any = None) -> Any:  # a decorator without parentheses
        return super().__new__(cls) if function is None else cls()(function)

    def __init__(self, function: Any = None) -> None:
        super().__init__(True, ZEROS)


def absorbing(card: Any) -> Any:
    """The twin of a card in whose derivative zeros win; the card itself, where it multiplies by nothing."""
    if isinstance(card, Twin):
        return card
    if not card.trusted:  # it may be the card of a single call, and go away with it
        return Twin(card)
    if card.kind in ("linear", "view") or all(one.constant is not None for one in card.formulas.values()):
        return card
    return _twins.setdefault(card, Twin(card))


PLAIN = ARRAYS | {type(None), bool, int, float, str}
"""Types of saved values that no tensor can be inside of."""


class Twin:
    """A card, but for its pullback."""

    __slots__ = ("card",)

    def __init__(self, card: Primitive) -> None:
        self.card = card

    def __getattr__(self, name: str) -> Any:
        return getattr(self.card, name)

    def __str__(self) -> str:
        return self.card.name

    def pullback(self, g: Any, edges: Any, saved: Any, shape: Any) -> tuple[Any, ...]:
        """One cotangent for each edge, as from the card where that is finite."""
        card = self.card
        # What is recorded in here has twins too; what is plain data needs none, and is faster without.
        recorded = not card.trusted or type(g) not in ARRAYS or not PLAIN.issuperset(map(type, saved))
        with np.errstate(divide="ignore", invalid="ignore"):
            token = set_bit(recorded, ZEROS)
            try:
                plain = card.pullback(g, edges, saved, shape)
            finally:
                undo(token)
            if all(map(is_finite, plain)):
                return plain
            with structural_zeros():
                return tuple(_repaired(card, plain, lambda: _pull(card, g, edges, saved), (g,)))


MATRICES = frozenset({
    "cofactors", "cholesky", "det", "eig", "eigh", "eigvalsh", "inv", "lu", "matrix_exp", "pinv", "qr", "slogdet", "svd",
    "svdvals",
})  # fmt: skip
"""Ops of stacks of matrices: where the formula does not say more, each matrix is taken by itself."""


def push(rule: Callable[..., Any], card: Any, primals: Any, tangents: Any, params: Any, y: Any) -> Any:
    """The tangent of a result by ``rule(card, primals, tangents, params, y)``, in which zeros win."""
    with np.errstate(divide="ignore", invalid="ignore"):
        plain = rule(card, primals, tangents, params, y)
        results = plain if card.several else (plain,)
        # A tangent that is transposed twice comes from a walk, which has seen to it.
        if all(map(is_finite, results)) or (card.kind == "general" and not card.tangents):
            return plain

        given = [t for t in tangents if t is not None]

        def anew() -> list[Any]:
            with new_level() as level:
                lifted = [t if t is None else Absorbing(t, level) for t in tangents]
                again = rule(card, primals, lifted, params, y)
                found = [_bare(t, level) for t in (again if card.several else (again,))]
            if card.name in MATRICES:
                found = [_silent(t, given, given[0].ndim - 2) for t in found]
            return found

        repaired = _repaired(card, results, anew, given)
    return tuple(repaired) if card.several else repaired[0]


class Absorbing(Array):
    """A cotangent or tangent inside a formula that is linear in it: where it is multiplied, zeros win."""

    __slots__ = ("level", "value")
    level: float

    def __init__(self, value: Any, level: float) -> None:
        self.value = value
        self.level = level

    @property
    def under(self) -> Any:
        """The value without the rule."""
        return self.value

    def __repr__(self) -> str:
        return f"Absorbing({self.value!r}, level={self.level:g})"

    def __bool__(self) -> bool:
        return bool(self.value)

    def _become(self, new: Any, how: str) -> Absorbing:
        check_become(self, new, how)
        self.value = _bare(new, self.level)
        return self

    def process(self, primitive: Primitive, args: tuple[Any, ...], params: tuple[Any, ...]) -> Any:
        """Apply an op to values of this level."""
        named = dict(zip(primitive.params, params, strict=True))
        if primitive.composite is not None:
            return primitive.composite(*args, **named)
        level = self.level
        mine = [isinstance(arg, Absorbing) and arg.level == level for arg in args]
        data = [arg.value if own else arg for arg, own in zip(args, mine, strict=True)]

        def apply(operands: Sequence[Any]) -> Any:
            return primitive.op(*operands, **named)

        y = apply(data)
        if primitive.kind == "constant":
            return y
        if primitive.several:
            return tuple([Absorbing(part, level) for part in y])
        if not is_finite(y):
            y = ops.where(ops.isfinite(y), y, _with_zeros(primitive, data, mine, params, apply, y))
        return Absorbing(y, level)


# ---- products in which zeros win


def _with_zeros(
    card: Primitive, data: list[Any], mine: list[bool], params: tuple[Any, ...], apply: Any, y: Any
) -> Any:
    """The result ``y`` of an op with the summands that have a factor 0 left out."""
    if card.name == "multiply":
        return ops.where(ops.logical_or(_is_zero(data[0]), _is_zero(data[1])), 0, y)
    if card.name == "divide" and mine[0]:
        return ops.where(ops.logical_or(_is_zero(data[0]), _is_zero(ops.reciprocal(data[1]))), 0, y)
    if card.kind == "bilinear":
        return _sums(data, apply, y)
    if card.name == "recurrence":
        return _recurrence(data, params[0], apply, y)
    if card.name in ("solve", "solve_triangular") and mine == [False, True]:
        return _silent(y, [data[1]], data[1].ndim - 2)
    return y


def _recurrence(data: list[Any], axis: int, apply: Any, y: Any) -> Any:
    """``y[k] = a[k] * y[k - 1] + b[k]``, where an ``a`` that is not finite counts only after a ``y`` that is not 0."""
    a, b = data
    finite = apply([ops.where(ops.isfinite(d), d, 0) for d in data])
    meets = ops.logical_and(_not_finite(a), ops.not_equal(delayed(finite, axis, 0), 0))
    begun = ops.logical_or(meets, _not_finite(b))
    spoilt = apply([ops.astype(ops.not_equal(a, 0), np.float64), ops.astype(begun, np.float64)])
    return ops.where(spoilt == 0, finite, y)


def _silent(c: Any, given: Sequence[Any], lead: int) -> Any:
    """Zeros for the examples, along the first ``lead`` axes, for which all that is given is zero."""
    idle: Any = np.bool_(True)
    for one in given:
        idle = ops.logical_and(idle, ops.all(_is_zero(one), axis=tuple(range(lead, one.ndim))))
    return ops.where(ops.reshape(idle, (*idle.shape, *[1] * (c.ndim - idle.ndim))), 0, c)


def _sums(data: list[Any], apply: Any, y: Any) -> Any:
    """Sums of products without the products that have a factor 0.

    The others are the products of what is finite, and those that are not finite and have no zero. These are
    counted, with their signs: where all have one sign, the sum is that infinity.
    """
    finite = apply([ops.where(ops.isfinite(d), d, 0) for d in data])
    known = [ops.astype(ops.isfinite(d), np.float64) for d in data]
    others = [ops.astype(ops.not_equal(d, 0), np.float64) for d in data]
    count = apply(others) - apply([a * b for a, b in zip(others, known, strict=True)])
    infinite: Any = np.nan
    if y.dtype.kind != "c":
        signs = [ops.astype(ops.where(ops.isnan(d), 0, ops.sign(d)), np.float64) for d in data]
        signed = apply(signs) - apply([a * b for a, b in zip(signs, known, strict=True)])
        infinite = ops.where(signed == count, np.inf, ops.where(signed == -count, -np.inf, np.nan))
        infinite = ops.astype(infinite, y.dtype)
    return ops.where(count == 0, finite, infinite)


def _is_zero(d: Any) -> Any:
    return ops.equal(d, 0) if hasattr(d, "dtype") else np.bool_(d == 0)


def _not_finite(d: Any) -> Any:
    return ops.logical_not(ops.isfinite(d))


def _all_zero(d: Any) -> bool:
    data = raw(d)
    return data is not None and not np.any(data)


# ---- the formulas of a card, once more


def _repaired(card: Any, plain: Sequence[Any], again: Callable[[], list[Any]], given: Any) -> list[Any]:
    """What is finite of ``plain``, and for the rest what ``again`` computes."""
    try:
        found = again()
    except Exception:
        if card.trusted:
            raise
        # The formula is not the library's, and needs plain arrays: then only all zeros give zeros.
        zero = all(_all_zero(one) for one in given)
        found = [ops.where(True, 0, c) if zero and c is not None else c for c in plain]
    return [
        c if c is None or new is None or is_finite(c) else ops.where(ops.isfinite(c), c, new)
        for c, new in zip(plain, found, strict=True)
    ]


def _pull(card: Any, g: Any, edges: Any, saved: Any) -> list[Any]:
    """What `_writer` writes as a pullback, in plain Python, with a cotangent that absorbs."""
    values = dict(zip(saved_names(card), saved if card.trusted else guarded(saved), strict=True))
    if card.several:
        g = _specialise.fill_(g, values["outputs_"])  # type: ignore[attr-defined]
    elif g.dtype.kind == "c" and card.kind == "bilinear":
        for name in card.inputs:
            if isinstance(value := values.get(name), tuple):
                values[name] = tuple(map(ops.conjugate, value))
            elif value is not None:
                values[name] = ops.conjugate(value)
    first = len(card.inputs) - 1
    found: list[Any] = [None] * len(edges)
    with new_level() as level:
        values["g"] = tuple([Absorbing(one, level) for one in g]) if card.several else Absorbing(g, level)
        for name, formula in card.formulas.items():
            at = card.inputs.index(name)
            many = card.variadic and at == first
            places = range(first, len(edges)) if many else range(at, at + 1)
            values["wanted"] = tuple([edges[i] is not None for i in places])
            if formula.constant is not None or not any(values["wanted"]):
                continue
            cs = _call(card, formula, values)
            for i, c in zip(places, cs if many else (cs,), strict=True):
                if edges[i] is not None and c is not None:
                    dtype = values.get(f"{name}_dtype")
                    found[i] = _fitted(
                        card, name, _bare(c, level), edges[i], dtype[i - at] if many and dtype else dtype
                    )
    if card.name in MATRICES:
        given = g if card.several else [g]
        found = [c if c is None else _silent(c, given, c.ndim - 2) for c in found]
    return found


def _call(card: Any, formula: Formula, values: dict[str, Any]) -> Any:
    """One formula: a cotangent, or for a list of inputs one for each."""
    if hasattr(card, "pull"):  # the card of a call of a custom function, which has rules and no formulas
        return card.pull(values["g"], values["y"], values["xs"])
    if card.kind != "elementwise":
        return formula.function(*[values[name] for name in formula.names])
    g = values["g"]
    slope = formula.function(*[values[name] for name in formula.names])
    if g.dtype.kind == "c":
        slope = slope.conjugate() if type(slope) is complex else ops.conjugate(slope)
    return g * slope


def _fitted(card: Any, name: str, c: Any, edge: Any, dtype: Any) -> Any:
    if not card.trusted:
        return gate(card, name, c, edge.shape, dtype)
    return c if c.shape == edge.shape else refit(card, name, c, edge.shape)


# ---- helpers

_twins: dict[Any, Twin] = {}


def is_finite(c: Any) -> bool:
    """Whether all of ``c`` is finite, as far as it can be known: a traced program may get other numbers later."""
    if c is None:
        return True
    if get_mode() & GENERAL:
        return False
    data = raw(c)
    if type(data) is np.ndarray:
        return bool(np.count_nonzero(np.isfinite(data)) == data.size)
    return data is not None and cmath.isfinite(data)


def raw(value: Any) -> Any:
    """The numbers inside a value of any level."""
    while isinstance(value, Value):
        value = value.under if value.level else getattr(value, "_d", None)
    return value


def _bare(c: Any, level: float) -> Any:
    return c.value if isinstance(c, Absorbing) and c.level == level else c
