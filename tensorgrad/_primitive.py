"""Primitives: the cards that say what an op computes and what its derivatives are.

An op is declared as a card: a function on arrays, then one formula per input. ::

    @elementwise
    def sin(x: Any, /) -> Any:
        '''Sine of each element, in radians.'''
        return np.sin(x)

    sin.derivative(x=lambda x: cos(x))

What stands before ``/`` is an input, what comes after it a parameter; ``*xs`` is a list of inputs.
The **kind** of a card says what its formulas mean, and interpreters derive the rest:

============  ======================================  =========================================
kind          formula per input                       cotangent; tangent
============  ======================================  =========================================
elementwise   ``derivative``: dy/dx, or a number      ``g * conj(d)``; sum of ``t * d``
linear        ``transpose``: of ``g``                 the transpose; the op itself on tangents
view          the same; the result shares storage     the same
bilinear      ``transpose`` in each input             the transpose; the product rule
general       ``vjp``, and ``jvp`` where wanted       the formulas
constant      none                                    none; none
============  ======================================  =========================================

**Names are the interface.** A formula asks for what it needs by parameter name: ``g`` (cotangent),
``t`` (tangent), an input, ``y`` (the result), ``x_shape`` or ``x_dtype`` of an input ``x``, a
parameter, ``wanted`` (which elements of a list of inputs need a gradient). What it asks for is
what is saved. Formulas are written with the ops themselves, so they are differentiable again.

This file holds the declarations and computes nothing with them. The body of an op, and the
function that pulls cotangents back through it, are written by `_specialise`.
"""

from __future__ import annotations

import functools
import importlib
import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import FunctionType
from typing import TYPE_CHECKING, Any, Concatenate, Generic, ParamSpec, Protocol, cast, overload

import numpy as np

from ._errors import DtypeError, GradientError, RuleMissingError
from ._specialise import SCALARS, forget, make_op, plain

if TYPE_CHECKING:
    from ._tensor import Tensor

P = ParamSpec("P")
Rule = Callable[..., Any]

KINDS = ("elementwise", "linear", "view", "bilinear", "general", "constant")
FORMULA_OF_KIND = {
    "elementwise": "derivative",
    "linear": "transpose",
    "view": "transpose",
    "bilinear": "transpose",
    "general": "vjp",
}

RESERVED = ("g", "t", "y", "wanted", "forward", "card", "op")
"""What formulas ask for and the generated entry closes over: no input or parameter can have these names."""

registry: dict[str, Primitive] = {}
"""Every library op by name; users' own ops are not entered."""


@dataclass(frozen=True)
class Formula:
    """One formula of a card: the function, and the names that it asks for.

    ``constant`` is set where the formula is a number, as in ``add.derivative(a=1, b=1)``.
    """

    function: Rule
    names: tuple[str, ...]
    constant: float | None = None


@dataclass(eq=False)
class Primitive:
    """A card: name, kind, forward function and formulas of one op. It computes nothing itself.

    Attributes:
        inputs: names of the inputs, the list of inputs (if there is one) last.
        variadic: whether the last input is a list.
        params: names of the parameters; ``defaults`` has those that may be left out.
        several: whether the op returns a tuple of results.
        analytic: whether the forward is complex-differentiable, so that a complex step may check it.
        broadcasts: whether inputs broadcast together; the engine then sums cotangents back down.
        trusted: whether it is the library's own; formulas of others pass a strict gate, and their
            forward functions get read-only arrays.
        adopted: whether its results may be used without a copy; what is not trusted may keep them.
        formulas: the reverse-mode formula of each differentiable input.
        tangents: declared forward-mode formulas, for general cards.
        batch: the batching rule, ``rule(size, batched, args, params) -> result``, batch axis first.
        composite: for a fused op, what computes the same with other ops; forward mode, batching and
            higher orders apply it instead of the card.
        draws: whether it draws random numbers, of the shape that its parameter ``size`` says.
    """

    name: str
    kind: str
    forward: Callable[..., Any]
    inputs: tuple[str, ...]
    variadic: bool
    params: tuple[str, ...]
    defaults: dict[str, Any]
    several: bool = False
    analytic: bool = False
    broadcasts: bool = False
    trusted: bool = True
    adopted: bool = True
    formulas: dict[str, Formula] = field(default_factory=dict)
    tangents: dict[str, Formula] = field(default_factory=dict)
    batch: Callable[..., Any] | None = None
    composite: Callable[..., Any] | None = None
    draws: bool = False
    op: Callable[..., Any] = field(init=False, repr=False)
    pullback: Callable[..., tuple[Any, ...]] = field(init=False, repr=False)
    revive: Callable[..., tuple[Any, ...]] = field(init=False, repr=False)
    shown: Callable[..., Any] = field(init=False, repr=False)
    pushforward: Callable[..., Any] | None = field(default=None, init=False, repr=False)
    saves: tuple[str, ...] | None = field(default=None, init=False, repr=False)
    blank: Any = field(default=None, init=False, repr=False)
    source: str = field(default="", init=False, repr=False)

    @property
    def view(self) -> bool:
        """Whether the result shares storage with the first input."""
        return self.kind == "view"

    def __str__(self) -> str:
        return self.name

    def __reduce__(self) -> Any:
        return (_card_named, (self.name, self.forward.__module__)) if self.trusted else (_card_of, (self.op,))

    def declare(self, which: str, formulas: dict[str, Any]) -> None:
        """Add formulas; a name that cannot be asked for is an error now, not at the first call."""
        if which != "jvp" and which != FORMULA_OF_KIND.get(self.kind):
            known = FORMULA_OF_KIND.get(self.kind)
            raise GradientError(
                f"{self.name}: a card of kind {self.kind} takes "
                + (f"its formulas by .{known}(...), not .{which}(...)" if known else "no formulas")
            )
        table = self.tangents if which == "jvp" else self.formulas
        table.update({name: self._formula(which, name, given) for name, given in formulas.items()})
        forget(self)

    def _formula(self, which: str, name: str, given: Any) -> Formula:
        if name not in self.inputs:
            raise GradientError(
                f"{self.name}.{which}: {name!r} is not an input; its inputs are {list(self.inputs)}"
            )
        if isinstance(given, int | float):
            return Formula(lambda: given, (), given)
        names = _parameter_names(given)
        allowed = {"derivative": (), "transpose": ("g",), "vjp": ("g",), "jvp": ("t",)}[which]
        askable = {*allowed, "y", "wanted", *self.inputs, *self.params}
        askable |= {f"{one}_{what}" for one in self.inputs for what in ("shape", "dtype")}
        if unknown := [one for one in names if one not in askable]:
            raise GradientError(
                f"{self.name}.{which}: the formula of {name} asks for {unknown}, but may only ask "
                f"for {sorted(askable)}"
            )
        return Formula(given, names)

    def evaluate(
        self, formula: Formula, args: Sequence[Any], params: Sequence[Any], *, y: Any, **extra: Any
    ) -> Any:
        """Call one formula with the values that it names; transformations other than backward use this."""
        values: dict[str, Any] = {"y": y, **extra, **dict(zip(self.params, params, strict=True))}
        # A formula may call ops on a number, and these would make a tensor of it.
        args = [
            plain(np.asarray(one, y.dtype)) if type(one) in SCALARS or type(one) is complex else one
            for one in args
        ]
        for i, name in enumerate(self.inputs):
            value = tuple(args[i:]) if self.variadic and i == len(self.inputs) - 1 else args[i]
            values[name] = value
            if f"{name}_shape" in formula.names:
                values[f"{name}_shape"] = _each(value, lambda one: one.shape)
            if f"{name}_dtype" in formula.names:
                values[f"{name}_dtype"] = _each(value, lambda one: one.dtype)
        return formula.function(*[values[name] for name in formula.names])

    def input_of(self, position: int) -> str:
        """The name of the input at a position of the argument list."""
        return self.inputs[min(position, len(self.inputs) - 1)]

    def formula_for(self, position: int) -> Formula | None:
        """The reverse-mode formula of the input at a position of the argument list."""
        return self.formulas.get(self.input_of(position))

    def missing(self, what: str) -> RuleMissingError:
        """The error to raise where a formula is needed that the card does not have."""
        return RuleMissingError(
            f"{self.name} has no {what} for an input that needs one; write {self.name}.{what}(...) beside the op, "
            "or wrap its argument in tg.stop_gradient(...) if no derivative is meant"
        )


class Value:
    """Anything that ops can be applied to besides plain arrays.

    ``level`` orders the transformations that are open: the value with the highest level processes
    the call, and everything lower is data to it. Plain tensors have level 0. ``many`` says that it stands
    for many values at once, which differ.
    """

    __slots__ = ()
    level: float = 0
    many = False

    @property
    def shape(self) -> tuple[int, ...]:
        """The length of each axis; that of the value under it, unless a kind says otherwise."""
        return self.under.shape  # type: ignore[no-any-return]

    @property
    def dtype(self) -> np.dtype[Any]:
        """The dtype of the elements, likewise."""
        return self.under.dtype  # type: ignore[no-any-return]

    @property
    def under(self) -> Any:
        """The value of a lower level that this one of a transformation holds."""
        raise NotImplementedError

    def process(self, primitive: Primitive, args: tuple[Any, ...], params: tuple[Any, ...]) -> Any:
        """Apply ``primitive``; each kind of value says here what that means to it."""
        raise NotImplementedError


class Op(Protocol, Generic[P]):
    """An op as type checkers see it: a function, a method, and its card."""

    __name__: str
    card: Primitive

    @overload
    def __call__(self, x: Tensor, /, *args: P.args, **kwargs: P.kwargs) -> Tensor: ...
    @overload
    def __call__(self, x: Any, /, *args: P.args, **kwargs: P.kwargs) -> Any: ...
    @overload
    def __get__(self, obj: None, owner: Any = None) -> Op[P]: ...
    @overload
    def __get__(self, obj: Any, owner: Any = None) -> Callable[P, Tensor]: ...

    def derivative(self, **formulas: Any) -> None:
        """Declare dy/dx for inputs of an elementwise op: a formula, or a number."""

    def transpose(self, **formulas: Any) -> None:
        """Declare the transpose for inputs of a linear, view or bilinear op: a formula of ``g``."""

    def vjp(self, **formulas: Any) -> None:
        """Declare the cotangent for inputs of a general op: a formula of ``g``."""

    def jvp(self, **formulas: Any) -> None:
        """Declare the tangent that an input of a general op contributes: a formula of ``t``."""

    def batching(self, rule: Callable[..., Any]) -> None:
        """Declare how the op runs on a batch; without, `vmap` loops over the examples."""


def declare(
    forward: Callable[..., Any],
    kind: str,
    *,
    several: bool = False,
    analytic: bool = False,
    broadcasts: bool = False,
    name: str = "",
) -> Op[Any]:
    """Turn a function on arrays into an op with a card of the given kind.

    Args:
        forward: computes the op on arrays. Positional-only arguments are inputs, the rest parameters.
        kind: one of `KINDS`.
        several: it returns a tuple of results.
        analytic: it is complex-differentiable wherever it is differentiable.
        broadcasts: its inputs broadcast together, as those of elementwise and bilinear ops always do.
        name: to use instead of the function's own.
    """
    if not hasattr(forward, "__name__") and not name:
        raise DtypeError(
            f"{kind}: a {type(forward).__name__} given; an op is declared over a function with a name"
        )
    inputs, variadic, params, defaults = _read_signature(forward)
    name = name or forward.__name__
    trusted = (forward.__module__ or "").startswith(("tensorgrad.ops.", "tensorgrad._"))
    broadcasts = broadcasts or kind in ("elementwise", "bilinear")
    card = Primitive(
        name,
        kind,
        forward,
        inputs,
        variadic,
        params,
        defaults,
        several,
        analytic,
        broadcasts,
        trusted,
        trusted,
    )
    op = make_op(card)
    card.op = op
    functools.update_wrapper(op, forward)
    op.__name__ = op.__qualname__ = name
    op.card = card  # type: ignore[attr-defined]
    for which in ("derivative", "transpose", "vjp", "jvp"):
        setattr(op, which, _declarer(card, which))
    op.batching = functools.partial(setattr, card, "batch")  # type: ignore[attr-defined]
    if trusted:
        if name in registry:
            raise GradientError(
                f"{name}: there is a card of that name, in {registry[name].forward.__module__}"
            )
        registry[name] = card
    return cast("Op[Any]", op)


def elementwise(forward: Callable[Concatenate[Any, P], Any]) -> Op[P]:
    """Declare an op that works on each element by itself, inputs broadcast together.

    Give ``.derivative(x=...)``: dy/dx as a formula of the inputs and ``y``, or a number.

    Example:
        >>> import numpy as np, tensorgrad as tg
        >>> @tg.elementwise
        ... def cube(x):
        ...     return x * x * x
        >>> cube.derivative(x=lambda x: 3 * x * x)
        >>> tg.grad(lambda x: cube(x).sum())(np.array([1.0, 2.0]))
        array([ 3., 12.])
    """
    return declare(forward, "elementwise")


def analytic(forward: Callable[Concatenate[Any, P], Any]) -> Op[P]:
    """Declare an elementwise op that is complex-differentiable, so that a complex step can check it."""
    return declare(forward, "elementwise", analytic=True)


def linear(forward: Callable[Concatenate[Any, P], Any]) -> Op[P]:
    """Declare an op that is linear in the inputs for which ``.transpose(x=...)`` is given."""
    return declare(forward, "linear", analytic=True)


def view(forward: Callable[Concatenate[Any, P], Any]) -> Op[P]:
    """Declare a linear op whose result shares storage with its first input."""
    return declare(forward, "view", analytic=True)


def bilinear(forward: Callable[Concatenate[Any, P], Any]) -> Op[P]:
    """Declare an op that is linear in each input by itself; give ``.transpose(a=..., b=...)``."""
    return declare(forward, "bilinear", analytic=True)


def constant(forward: Callable[Concatenate[Any, P], Any]) -> Op[P]:
    """Declare an op without derivatives: comparisons, ``argmax``, rounding."""
    return declare(forward, "constant")


def primitive(forward: Callable[Concatenate[Any, P], Any]) -> Op[P]:
    """Declare an op that gives its ``.vjp(x=...)`` and, where wanted, its ``.jvp(x=...)`` itself.

    Without a ``.jvp`` the tangent is derived from the ``.vjp``, by transposing it twice.
    """
    return declare(forward, "general")


def _declarer(card: Primitive, which: str) -> Callable[..., None]:
    def declare_formulas(**formulas: Any) -> None:
        card.declare(which, formulas)

    return declare_formulas


def _read_signature(
    forward: Any,
) -> tuple[tuple[str, ...], bool, tuple[str, ...], dict[str, Any]]:
    parameters = inspect.signature(forward).parameters.values()
    kind = inspect.Parameter
    marked = any(one.kind is kind.POSITIONAL_ONLY for one in parameters)
    inputs: list[str] = []
    params: list[str] = []
    defaults: dict[str, Any] = {}
    variadic = False
    for one in parameters:
        if one.kind is kind.VAR_KEYWORD:
            raise GradientError(f"{forward.__name__}: **{one.name} cannot be a parameter; name each one")
        variadic |= one.kind is kind.VAR_POSITIONAL
        positional = one.kind is kind.POSITIONAL_OR_KEYWORD
        # Without `/`, what has no default is an input.
        is_param = one.kind is kind.KEYWORD_ONLY or (positional and (marked or one.default is not kind.empty))
        (params if is_param else inputs).append(one.name)
        if one.default is not kind.empty:
            defaults[one.name] = one.default
        if one.name.endswith("_") or one.name in RESERVED:
            raise GradientError(f"{forward.__name__}: {one.name!r} is a reserved name; choose another")
    return tuple(inputs), variadic, tuple(params), defaults


def _parameter_names(function: Any) -> tuple[str, ...]:
    if isinstance(function, FunctionType):  # much cheaper than inspect.signature, and imports have many
        code = function.__code__
        return code.co_varnames[: code.co_argcount]
    return tuple(inspect.signature(function).parameters)


def _each(value: Any, get: Callable[[Any], Any]) -> Any:
    return tuple(get(one) for one in value) if isinstance(value, tuple) else get(value)


def _card_named(name: str, module: str) -> Primitive:
    importlib.import_module(module)  # a family that loads on first use
    return registry[name]


def _card_of(op: Any) -> Primitive:
    return cast(Primitive, op.card)
