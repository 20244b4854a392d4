"""Functions with a derivative of the user's own.

A call becomes one node on the tape; `call` says how. Where a derivative of the derivative is wanted,
the forward function is run again on values that are tracked, so that what it hands to the backward
function is differentiable too; a first-order pass uses what the forward function left.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from types import MethodType
from typing import Any, Generic, ParamSpec, cast

from .._errors import GradientError, RuleMissingError
from .._primitive import Value
from .._tree import flatten, flatten_like, unflatten
from .call import Call, JvpRules, VjpRules
from .call_card import apply_rules

P = ParamSpec("P")


class _Custom(Generic[P]):
    """What `custom_vjp` and `custom_jvp` share: the function, its arguments, and being a method."""

    def __init__(self, f: Callable[P, Any], nondiff_argnums: int | Sequence[int] = ()) -> None:
        functools.update_wrapper(cast(Any, self), f)
        self.f: Callable[..., Any] = f
        self.name = getattr(f, "__name__", type(f).__name__)
        given = (nondiff_argnums,) if isinstance(nondiff_argnums, int) else tuple(nondiff_argnums)
        signature = inspect.signature(f)
        kinds = [one.kind for one in signature.parameters.values()]
        names = [
            n for n, one in signature.parameters.items() if one.kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD)
        ]  # fmt: skip
        many = inspect.Parameter.VAR_POSITIONAL in kinds
        if wrong := [i for i in given if not (isinstance(i, int) and i >= 0 and (many or i < len(names)))]:
            raise GradientError(
                f"{self.name}: nondiff_argnums has {wrong[0]!r}, but the arguments are {names}, counted from 0"
            )
        self._signature = signature
        self._names = names
        self._simple = not many and len(names) == len(kinds)
        self.static = frozenset(given)
        self._free = [n for i, n in enumerate(names) if i not in self.static]

    def __get__(self, obj: Any, owner: Any = None) -> Any:
        """The function bound to an object, so that a method can be decorated; ``self`` is its first argument."""
        return self if obj is None else MethodType(cast(Any, self), obj)

    def _bind(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, ...]:
        """The arguments as three: those with a derivative, those without, and those given by keyword only."""
        if kwargs or not self._simple or len(args) != len(self._names):
            bound = self._signature.bind(*args, **kwargs)
            bound.apply_defaults()
            args, kwargs = bound.args, bound.kwargs
        if not self.static:
            return args, [], kwargs
        free = tuple([arg for i, arg in enumerate(args) if i not in self.static])
        return free, [arg for i, arg in enumerate(args) if i in self.static], kwargs

    def _whole(self, function: Callable[..., Any], static: list[Any], kwargs: dict[str, Any]) -> Any:
        """``function`` of the arguments with a derivative alone; it gets all in the order of the signature."""
        if not self.static:
            return functools.partial(function, **kwargs) if kwargs else function

        def whole(*free: Any) -> Any:
            others, own = iter(static), iter(free)
            count = len(static) + len(free)
            return function(
                *[next(others) if i in self.static else next(own) for i in range(count)], **kwargs
            )

        return whole


class custom_vjp(_Custom[P]):
    """Give a function a backward pass of its own.

    Args:
        f: the function; its arguments are arrays or tensors, or containers of them. What is neither is
            handed on as it is, and has no gradient.
        nondiff_argnums: positions of arguments without a derivative; ``backward`` gets them first.

    Declare the pass by ``f.defvjp(forward, backward)``: ``forward(*args)`` returns the result and
    whatever is to be kept, ``backward(kept, g)`` returns a tuple with the gradient of each argument,
    None for zero; ``g`` has the structure of the result, with zeros where nothing depends on it.

    Forward mode takes the transpose of the backward pass, which must be linear in ``g`` for that;
    derivatives of higher order differentiate ``forward`` (for what it keeps) and ``backward``.

    Raises:
        RuleMissingError: it is called before ``defvjp``.
        GradientError: the result depends on a tensor that requires a gradient and is no argument; the
            backward pass returned another number of gradients or another structure; it is not linear
            and forward mode was asked for.
        ShapeError, DtypeError: a gradient does not have the shape or dtype of its argument.

    Example:
        >>> import tensorgrad as tg
        >>> @tg.custom_vjp
        ... def clipped(x):
        ...     return x
        >>> clipped.defvjp(lambda x: (x, None), lambda kept, g: (tg.maximum(tg.minimum(g, 1.0), -1.0),))
        >>> tg.grad(lambda x: 5 * clipped(x))(2.0)
        tensor(1.)
    """

    def __new__(cls, f: Any = None, nondiff_argnums: int | Sequence[int] = ()) -> Any:
        """Decorate at once, or with settings: ``@tg.custom_vjp(nondiff_argnums=1)``."""
        return functools.partial(cls, nondiff_argnums=nondiff_argnums) if f is None else object.__new__(cls)

    def __init__(self, f: Callable[P, Any], nondiff_argnums: int | Sequence[int] = ()) -> None:
        super().__init__(f, nondiff_argnums)
        self._rules: tuple[Callable[..., Any], Callable[..., Any]] | None = None

    def defvjp(self, forward: Callable[..., Any], backward: Callable[..., Any]) -> None:
        """Declare the forward function, which keeps something, and the backward function."""
        self._rules = forward, backward

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> Any:
        """Call the function, and record the call as one op."""
        if self._rules is None:
            raise RuleMissingError(f"{self.name}: declare its pass first, by .defvjp(forward, backward)")
        forward, backward = self._rules
        free, static, named = self._bind(args, kwargs)
        if static or named:
            forward, backward = self._whole(forward, static, named), functools.partial(backward, *static)
        call = Call(self.name, free, self._free)
        return apply_rules(VjpRules(call, forward, backward))


class custom_jvp(_Custom[P]):
    """Give a function a forward-mode derivative of its own; the backward pass is its transpose.

    Args:
        f: the function; its arguments are arrays or tensors, or containers of them.
        nondiff_argnums: positions of arguments without a derivative; the rule gets them first.

    Declare it by ``f.defjvp(rule)``: ``rule(primals, tangents)`` returns the result and its tangent,
    which must be linear in the tangents; or one argument at a time, by ``f.defjvps``. The tangent of a
    number that is a mere setting is 0.0, that of anything else without a derivative is None.

    Raises:
        RuleMissingError: it is called before ``defjvp``.
        GradientError: the result depends on a tensor that requires a gradient and is no argument; the
            tangent is not linear in the tangents.
        ShapeError, DtypeError: a tangent does not have the structure, shape or dtype of its result.

    Example:
        >>> import tensorgrad as tg
        >>> @tg.custom_jvp
        ... def softplus(x):
        ...     return tg.log(1 + tg.exp(x))
        >>> softplus.defjvp(lambda xs, ts: (softplus(xs[0]), ts[0] * tg.sigmoid(xs[0])))
        >>> tg.grad(softplus)(0.0)
        tensor(0.5)
    """

    def __new__(cls, f: Any = None, nondiff_argnums: int | Sequence[int] = ()) -> Any:
        """Decorate at once, or with settings: ``@tg.custom_jvp(nondiff_argnums=1)``."""
        return functools.partial(cls, nondiff_argnums=nondiff_argnums) if f is None else object.__new__(cls)

    def __init__(self, f: Callable[P, Any], nondiff_argnums: int | Sequence[int] = ()) -> None:
        super().__init__(f, nondiff_argnums)
        self._rule: Callable[..., Any] | None = None

    def defjvp(self, rule: Callable[..., Any]) -> None:
        """Declare the rule ``rule(primals, tangents) -> (result, tangent)``."""
        self._rule = rule

    def defjvps(self, *rules: Callable[..., Any] | None) -> None:
        """Declare what each argument contributes to the tangent.

        Args:
            rules: one for each argument with a derivative, ``rule(t, y, *primals)``: the tangent of the
                result ``y`` if only this argument moves, by ``t``. None for an argument without influence.

        Example:
            >>> import tensorgrad as tg
            >>> @tg.custom_jvp
            ... def product(a, b):
            ...     return a * b
            >>> product.defjvps(lambda t, y, a, b: t * b, lambda t, y, a, b: a * t)
            >>> tg.grad(product, argnums=(0, 1))(2.0, 3.0)
            (tensor(3.), tensor(2.))
        """
        if len(rules) != len(self._free):
            raise GradientError(
                f"{self.name}: {len(rules)} rules for the arguments {self._free}; give one for each, None for no "
                "influence"
            )

        def rule(*given: Any) -> Any:
            *static, primals, tangents = given
            y = self._whole(self, static, {})(*primals)
            ends, tree = flatten(y)
            total: list[Any] = [0.0] * len(ends)
            for one, t in zip(rules, tangents, strict=True):
                if one is not None and flatten(t)[0]:
                    part = flatten_like(tree, one(t, y, *primals), f"{self.name}: the tangent")
                    total = [a + b for a, b in zip(total, part, strict=True)]
            return y, unflatten(tree, total)

        self._rule = rule

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> Any:
        """Call the function, and record the call as one op."""
        rule, function = self._rule, self.f
        if rule is None:
            raise RuleMissingError(f"{self.name}: declare its derivative first, by .defjvp(rule)")
        free, static, named = self._bind(args, kwargs)
        if static or named:
            function = self._whole(function, static, named)
            rule = functools.partial(rule, *static, **named)
        call = Call(self.name, free, self._free)
        return apply_rules(JvpRules(call, function, rule))


class Function:
    """PyTorch's protocol for an op of one's own: subclass, write both passes, call ``apply``.

    ``forward(ctx, *args)`` computes the result from tensors and keeps what it needs by
    ``ctx.save_for_backward(...)`` or as attributes of ``ctx``; ``backward(ctx, *grads)`` returns a
    gradient for each argument of ``forward``, None for those that have none. A subclass that defines
    ``setup_context(ctx, inputs, output)`` has a ``forward(*args)`` without ``ctx``.

    Example:
        >>> import tensorgrad as tg
        >>> class Square(tg.Function):
        ...     @staticmethod
        ...     def forward(ctx, x):
        ...         ctx.save_for_backward(x)
        ...         return x * x
        ...     @staticmethod
        ...     def backward(ctx, g):
        ...         (x,) = ctx.saved_tensors
        ...         return 2 * x * g
        >>> tg.grad(Square.apply)(3.0)
        tensor(6.)
    """

    setup_context: Callable[..., None] | None = None

    def __init__(self, *args: Any) -> None:
        name = type(self).__name__
        raise GradientError(f"{name}: a Function has no instances; call {name}.apply(...)")

    @staticmethod
    def forward(ctx: Any, *args: Any) -> Any:
        """Compute the result."""
        raise NotImplementedError("Function: write forward(ctx, *args) as a staticmethod of the subclass")

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        """Compute the gradient of each argument."""
        raise NotImplementedError("Function: write backward(ctx, *grads) as a staticmethod of the subclass")

    @classmethod
    def apply(cls, *args: Any) -> Any:
        """Apply the op and record it."""
        needs = tuple([isinstance(arg, Value) and (arg.level > 0 or arg.requires_grad) for arg in args])  # type: ignore[attr-defined]

        def forward(*xs: Any) -> tuple[Any, Context]:
            ctx = Context(needs)
            if cls.setup_context is None:
                return cls.forward(ctx, *xs), ctx
            y = cls.forward(*xs)
            cls.setup_context(ctx, xs, y)
            return y, ctx

        def backward(ctx: Context, g: Any) -> tuple[Any, ...]:
            grads = cls.backward(ctx, *(g if isinstance(g, tuple) else (g,)))
            return grads if isinstance(grads, tuple) else (grads,)

        call = Call(cls.__name__, args)
        return apply_rules(VjpRules(call, forward, backward))


class Context:
    """What the forward of a `Function` leaves for its backward."""

    def __init__(self, needs_input_grad: tuple[bool, ...]) -> None:
        self.needs_input_grad = needs_input_grad
        self.saved_tensors: tuple[Any, ...] = ()

    def save_for_backward(self, *tensors: Any) -> None:
        """Keep tensors; ``saved_tensors`` has them in the backward pass."""
        self.saved_tensors = tensors
