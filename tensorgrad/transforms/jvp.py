"""Forward mode: dual numbers carry a tangent beside each value."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .. import _zeros, ops
from .._array import Array, check_become
from .._config import ZEROS, get_mode
from .._data import as_data, zero_like
from .._errors import DtypeError, GradientError, ShapeError
from .._gates import broadcasts_to, gate
from .._levels import new_level
from .._primitive import FORMULA_OF_KIND, Primitive, Value
from .._specialise import ARRAYS, RAW, SCALARS, compiled, plain
from .._tape import Leaf
from .._tensor import Over, Parameter, Tensor, fresh, pull, watched, wrap
from .._tree import flatten, map_leaves, unflatten
from ._pushforward import text
from .grad import check_function, result_and_aux
from .inside import Inside


def jvp(f: Callable[..., Any], primals: Sequence[Any], tangents: Sequence[Any], has_aux: bool = False) -> Any:
    """The value of ``f``, and its derivative in the direction ``tangents``.

    Args:
        f: takes arrays or tensors, or nested containers of them.
        primals: its arguments, as a sequence.
        tangents: a direction for each argument, of the same structure, shapes and dtypes.
        has_aux: ``f`` returns ``(result, aux)``; ``aux`` is handed on and not differentiated.

    Returns:
        ``(f(*primals), J @ tangents)``, both of the structure of the result; with ``has_aux``
        ``(result, J @ tangents, aux)``.

    Raises:
        ShapeError: a tangent does not have the shape of its primal.

    Example:
        >>> import numpy as np, tensorgrad as tg
        >>> tg.jvp(lambda x: x * x, (np.array([1.0, 2.0]),), (np.array([1.0, 0.0]),))
        (array([1., 4.]), array([2., 0.]))

    Source:
        Griewank and Walther, Evaluating Derivatives, 2008, chapter 3.
    """
    check_function("jvp", f)
    if not isinstance(primals, tuple | list) or not isinstance(tangents, tuple | list):
        raise DtypeError(
            "jvp: primals and tangents are sequences with one entry for each argument: jvp(f, (x,), (t,))"
        )
    with new_level() as level:
        arguments = map_leaves(
            lambda p, t: _dual(p, t, level), tuple(primals), tuple(tangents), what="jvp: tangents"
        )
        y, aux = result_and_aux("jvp", f(*arguments), has_aux)
        leaves, tree = flatten(y)
        pairs = [_parts(leaf, level) for leaf in leaves]
        aux = map_leaves(lambda leaf: _parts(leaf, level)[0], aux)
    both = _private([part for pair in pairs for part in pair])
    y, t = unflatten(tree, both[::2]), unflatten(tree, both[1::2])
    return (y, t, aux) if has_aux else (y, t)


class Dual(Inside):
    """A value and its tangent, both of a lower level."""

    __slots__ = ("level", "primal", "tangent")
    level: float

    def __init__(self, primal: Any, tangent: Any, level: float) -> None:
        self.primal = primal
        self.tangent = tangent
        self.level = level

    @property
    def under(self) -> Any:
        """The primal."""
        return self.primal

    def _alike(self, data: Any) -> Any:
        return Dual(data, zero_like(data), self.level)

    def __repr__(self) -> str:
        return f"Dual({self.primal!r}, {self.tangent!r}, level={self.level:g})"

    def __bool__(self) -> bool:
        return bool(self.primal)  # control flow follows the values

    def _leave(self, how: str) -> Any:
        if how != "bool":
            return super()._leave(how)
        return self.primal._leave(how) if isinstance(self.primal, Array) else self.primal

    def _become(self, new: Any, how: str) -> Dual:
        check_become(self, new, how)
        own = isinstance(new, Dual) and new.level == self.level
        self.primal = new.primal if own else new
        self.tangent = new.tangent if own else zero_like(new)
        return self

    def process(self, primitive: Primitive, args: tuple[Any, ...], params: tuple[Any, ...]) -> Any:
        """Apply an op to values of this level."""
        if primitive.composite is not None:
            return primitive.composite(*args, **dict(zip(primitive.params, params, strict=True)))
        return (primitive.pushforward or write_pushforward(primitive))(primitive, args, params, self.level)


def write_pushforward(card: Primitive) -> Any:
    """The rule of a card for plain arrays (see `_pushforward`), written when it is first needed."""
    made: Any = _any_level
    if card.trusted and (card.kind != "general" or (card.tangents and not card.variadic)):
        space = {
            **_SPACE, "op": card.op,
            **{f"slope_{name}_": one.function for name, one in card.formulas.items()},
            **{f"tangent_{name}_": one.function for name, one in card.tangents.items()},
        }  # fmt: skip
        made = compiled(card, text(card), "pushforward", space)["pushforward"]
    card.pushforward = made
    return made


def _any_level(card: Primitive, args: tuple[Any, ...], params: tuple[Any, ...], level: float) -> Any:
    """Value and tangent by ops, so that lower levels, the tape and watchers see them."""
    mine = [isinstance(arg, Dual) and arg.level == level for arg in args]
    primals = [arg.primal if own else arg for arg, own in zip(args, mine, strict=True)]
    tangents = [
        arg.tangent if own and has_tangent(card, i) else None
        for i, (arg, own) in enumerate(zip(args, mine, strict=True))
    ]
    y = apply(card, primals, params)
    if all(t is None for t in tangents):
        return y
    t = push(card, primals, tangents, params, y)
    if card.several:
        return tuple([Dual(part, fit(dt, part), level) for part, dt in zip(y, t, strict=True)])
    return Dual(y, fit(t, y), level) if y.dtype.kind in "fc" else y


def push(card: Primitive, primals: list[Any], tangents: list[Any], params: tuple[Any, ...], y: Any) -> Any:
    """The tangent of the result, by the kind of the card."""
    if get_mode() & ZEROS:
        return _zeros.push(push_plainly, card, primals, tangents, params, y)
    return push_plainly(card, primals, tangents, params, y)


def push_plainly(
    card: Primitive, primals: list[Any], tangents: list[Any], params: tuple[Any, ...], y: Any
) -> Any:
    """The same where zeros do not win."""
    if not card.trusted:
        return check_tangent(card, _push(card, primals, tangents, params, y), y)
    return _push(card, primals, tangents, params, y)


def _push(card: Primitive, primals: list[Any], tangents: list[Any], params: tuple[Any, ...], y: Any) -> Any:
    if card.kind in ("linear", "view"):
        full = [
            p if card.formula_for(i) is None else zero_like(p) if t is None else t
            for i, (p, t) in enumerate(zip(primals, tangents, strict=True))
        ]
        return apply(card, full, params)
    if card.kind == "general" and not card.tangents:
        return transposed_twice(card, primals, tangents, params, y)
    total = None
    for i, t in enumerate(tangents):
        if t is None:
            continue
        if card.kind == "bilinear":
            part = apply(card, [*primals[:i], t, *primals[i + 1 :]], params)
        elif card.kind == "elementwise":
            formula = card.formulas[card.input_of(i)]
            slope = formula.constant
            part = (
                t
                if slope == 1
                else t * (card.evaluate(formula, primals, params, y=y) if slope is None else slope)
            )
        elif card.variadic and card.input_of(i) == card.inputs[-1]:
            name, first = card.inputs[-1], len(card.inputs) - 1
            zeros = [zero_like(p) if t is None else t for p, t in zip(primals, tangents, strict=True)]
            return card.evaluate(card.tangents[name], primals, params, y=y, t=tuple(zeros[first:]))
        else:
            if card.input_of(i) not in card.tangents:
                raise card.missing("jvp")
            part = card.evaluate(card.tangents[card.input_of(i)], primals, params, y=y, t=t)
        total = part if total is None else total + part
    return total


def transposed_twice(
    card: Primitive, primals: list[Any], tangents: list[Any], params: tuple[Any, ...], y: Any
) -> Any:
    """The tangent of an op that only has a vjp: the cotangent is linear in ``g``; transpose that.

    Source:
        Townsend, A new trick for calculating Jacobian vector products, 2017.
    """
    with new_level() as level:
        results = y if card.several else (y,)
        seeds = tuple([variable(r, level) for r in results])
        pulled, directions = [], []
        g = seeds if card.several else seeds[0]
        wanted = tuple([t is not None for t in tangents])
        lists: dict[str, Any] = {}
        for i, t in enumerate(tangents):
            if t is None:
                continue
            name = card.input_of(i)
            formula = card.formulas[name]
            if card.variadic and name == card.inputs[-1]:
                first = len(card.inputs) - 1
                if name not in lists:
                    lists[name] = card.evaluate(formula, primals, params, y=y, g=g, wanted=wanted[first:])
                c = lists[name][i - first]
            else:
                c = card.evaluate(formula, primals, params, y=y, g=g)
            if not card.trusted:
                c = gate(card, name, c, primals[i].shape, primals[i].dtype)
            if c is not None and isinstance(c, Over) and c.level == level and c._node is not None:
                pulled.append(c)
                directions.append(t)
        found = (
            pull(pulled, directions, frozenset([s._node for s in seeds]), retain=True)[0] if pulled else {}
        )
    tangent = [found.get(s._node, zero_like(s)) for s in seeds]
    return tuple(tangent) if card.several else tangent[0]


def has_tangent(card: Primitive, position: int) -> bool:
    """Whether an input has a tangent rule, declared or derived; of a user's op each input must have one."""
    found = card.formula_for(position) is not None or card.input_of(position) in card.tangents
    if not found and not card.trusted and card.kind != "constant":
        raise card.missing(FORMULA_OF_KIND[card.kind])
    return found


def check_tangent(card: Primitive, t: Any, y: Any) -> Any:
    """Check the tangent that a user's formulas gave: one for each result, of its shape and kind."""
    ts, ys = (t, y) if card.several else ((t,), (y,))
    if not isinstance(ts, tuple | list) or len(ts) != len(ys):
        raise GradientError(
            f"{card.name}: the tangent formula must return one tangent for each of {len(ys)} results"
        )
    for one, result in zip(ts, ys, strict=True):
        if not hasattr(one, "shape") or not hasattr(one, "dtype") or one.dtype.kind not in "biufc":
            raise DtypeError(
                f"{card.name}: the tangent is a {type(one).__name__}; an array or a tensor is needed"
            )
        if one.shape != result.shape and not (card.broadcasts and broadcasts_to(one.shape, result.shape)):
            raise ShapeError(f"{card.name}: the tangent has shape {one.shape}, the result {result.shape}")
        if one.dtype != result.dtype and (
            not card.broadcasts or (one.dtype.kind == "c" and result.dtype.kind != "c")
        ):
            raise DtypeError(f"{card.name}: the tangent has dtype {one.dtype}, the result {result.dtype}")
    return t


def variable(like: Any, level: float) -> Over:
    """A zero of the shape of ``like`` to transpose with: what is computed from it is always recorded."""
    return Over(zero_like(like), Leaf(like.shape, like.dtype), level, always=True)


def apply(card: Primitive, args: Sequence[Any], params: Sequence[Any]) -> Any:
    """Call the op of a card."""
    return card.op(*args, **dict(zip(card.params, params, strict=True)))


def fit(t: Any, y: Any) -> Any:
    """A tangent in the shape and dtype of its value; some inputs may have been broadcast or promoted."""
    if t.shape != y.shape:
        t = ops.broadcast_to(t, y.shape)
    return plain(t if t.dtype == y.dtype else ops.astype(t, y.dtype))


def _dual_of(y: Any, t: Any, boxed: bool, level: float) -> Any:
    """One result of an op and its tangent, as tensors if one of its arguments was; a result without slope as it is."""
    if y.dtype.kind not in "fc":
        return wrap(y, None) if boxed else y
    t = fit(t, y)
    return Dual(wrap(y, None), wrap(t, None), level) if boxed else Dual(y, t, level)


_SPACE = {
    "ARRAYS": ARRAYS, "RAW": RAW, "SCALARS": SCALARS, "Tensor": Tensor, "Parameter": Parameter, "Dual": Dual,
    "new": object.__new__, "get_mode": get_mode, "ndarray": np.ndarray, "add": np.add, "multiply": np.multiply,
    "zeros_like": np.zeros_like, "slow_": _any_level, "fit_": fit, "dual_": _dual_of,
    "box_": lambda y: wrap(y, None),
}  # fmt: skip
"""The names that the text of `_pushforward` reads."""


def _dual(primal: Any, tangent: Any, level: int) -> Dual:
    p = primal if isinstance(primal, Value) else as_data(primal, copy=True)
    t = tangent if isinstance(tangent, Value) else as_data(tangent, copy=True)
    if p.dtype.kind not in "fc":
        raise DtypeError(f"jvp: a primal has dtype {p.dtype}; only floating and complex ones have tangents")
    if t.dtype.kind == "c" and p.dtype.kind != "c":
        raise DtypeError(f"jvp: a tangent has dtype {t.dtype}, its primal {p.dtype}; take its real part")
    if p.shape != t.shape:
        raise ShapeError(
            f"jvp: a primal has shape {p.shape} and its tangent {t.shape}; they must be the same"
        )
    p, t = watched(p), watched(t)
    return Dual(p, t if t.dtype == p.dtype else ops.astype(t, p.dtype), level)


def _parts(leaf: Any, level: int) -> tuple[Any, Any]:
    if isinstance(leaf, Dual) and leaf.level == level:
        both = (leaf.primal, leaf.tangent)
        one_is_tensor = any(type(part) is Tensor for part in both)
        return tuple(
            [fresh(part) if one_is_tensor and not isinstance(part, Value) else part for part in both]
        )  # type: ignore[return-value]
    data = leaf if isinstance(leaf, Value) else as_data(leaf)
    zero = zero_like(data)
    return leaf, fresh(zero) if type(leaf) is Tensor else zero


def _private(parts: Sequence[Any]) -> list[Any]:
    """Each array with memory of its own, since the caller may write to what he gets."""
    seen: set[int] = set()
    made = []
    for part in parts:
        if type(part) is np.ndarray and (part.base is not None or id(part) in seen):
            part = part.copy()
        seen.add(id(part))
        made.append(part)
    return made
