"""JAX: functions of its arrays, among them ``jax.custom_vjp`` and ``jax.custom_jvp``."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any, Self

import numpy as np

from ..subject import Arrays, Pullback, Step
from .host import Foreign, Late, folder

jax: Any = Late("jax")
jnp: Any = Late("jax.numpy")
core: Any = Late("jax.extend.core")
source_info: Any = Late("jax._src.source_info_util")

_UNSUPPORTED = (TypeError, ValueError, NotImplementedError)
UNCOMPILED = 16
"""So many evaluations with inputs of the same shapes run op by op."""

_CUSTOM = ("custom_vjp_call", "custom_vjp_call_jaxpr", "custom_jvp_call")
_NESTED = ("jit", "pjit", "closed_call", "core_call", "remat", "remat2", "checkpoint")


class Jax(Foreign):
    """A function of JAX arrays.

    Double precision is switched on while a double precision input is looked at, and only then. JAX's
    arrays cannot be written into, so neither can an upstream gradient. Complex gradients are conjugated,
    from JAX's convention to the one of this library and of PyTorch.
    """

    host = "JAX"

    def __init__(self, f: Callable[..., Any], inputs: Any = None, **options: Any) -> None:
        super().__init__(f, inputs, **options)
        self._calls: dict[Any, int] = {}
        self._compiled: dict[Any, Callable[..., Any]] = {}

    def bound(self, inputs: Any) -> Self:
        """The same function for a call with these arguments."""
        other = super().bound(inputs)
        other._calls, other._compiled = {}, {}
        return other

    def title(self) -> str:
        """The name of the function."""
        return str(getattr(self.f, "__name__", None) or type(self.f).__name__)

    def lift(self, array: Any) -> Any:
        """A copy as an array of JAX."""
        return jnp.array(np.asarray(array))

    def lower(self, value: Any) -> Any:
        """A copy as an array of NumPy."""
        found = np.array(value)
        return found.astype(np.float32) if found.dtype.name == "bfloat16" else found

    def is_floating(self, value: Any) -> bool:
        """Whether it is a floating or complex array of JAX."""
        return isinstance(value, jax.Array) and bool(jnp.issubdtype(value.dtype, jnp.inexact))

    def results(self, *arrays: Any) -> list[Any]:
        """What ``f`` returns, as far as it is floating.

        The first calls with inputs of some shapes run op by op, so that they show a function that has a
        memory or draws random numbers; differences, which take thousands, run what JAX compiles.
        """
        key = tuple([(a.shape, a.dtype) for a in map(np.asarray, arrays)])
        self._calls[key] = self._calls.get(key, 0) + 1
        with precision(arrays):
            if self._calls[key] <= UNCOMPILED:
                return super().results(*arrays)
            return [self.lower(y) for y in self._evaluator(key)(*arrays)]

    def _evaluator(self, key: Any) -> Callable[..., Any]:
        """The function, compiled if it can be."""
        if key not in self._compiled:
            xs = [jnp.zeros(shape, dtype) for shape, dtype in key]
            try:
                self._compiled[key] = jax.jit(self._function).lower(*xs).compile()
            except Exception:  # whatever a function may raise that looks at values
                self._compiled[key] = lambda *arrays: self.outputs([self.lift(a) for a in arrays])
        return self._compiled[key]

    def pullback(self, *arrays: Any) -> tuple[list[Any], Pullback]:
        """``jax.vjp``."""
        with precision(arrays):
            ys, transposed = jax.vjp(self._function, *[self.lift(a) for a in arrays])
            results = [self.lower(y) for y in ys]

        def pull(cotangents: Sequence[Any]) -> list[Any]:
            with precision(arrays):
                gs = [self.lift(np.conj(g)) for g in _filled(cotangents, results)]
                try:
                    found = transposed(tuple(gs))
                except AssertionError as error:  # what JAX says to gradients of other dtypes that it adds
                    raise TypeError(f"{self.name}: JAX cannot go on with its gradient: {error}") from error
                return [np.conj(self.lower(g)) for g in found]

        return results, pull

    def pushforward(self, arrays: Arrays, tangents: Arrays) -> list[Any] | None:
        """``jax.jvp``; None for what has a ``custom_vjp`` in it, which JAX does not push through."""
        with precision(arrays):
            primals, directions = (tuple([self.lift(a) for a in group]) for group in (arrays, tangents))
            try:
                found = jax.jvp(self._function, primals, directions)[1]
            except _UNSUPPORTED:
                return None
            return [self.lower(t) for t in found]

    def batched(self, stacks: Arrays, cotangents: Arrays) -> tuple[list[Any], list[Any]] | None:
        """``jax.vmap`` over function and gradient at once."""

        def one(xs: Any, gs: Any) -> Any:
            ys, transposed = jax.vjp(self._function, *xs)
            return ys, transposed(gs)

        with precision(stacks):
            xs = tuple([self.lift(a) for a in stacks])
            try:
                ys, found = jax.vmap(one)(xs, tuple([self.lift(np.conj(g)) for g in cotangents]))
            except _UNSUPPORTED:
                return None
            return [self.lower(y) for y in ys], [np.conj(self.lower(g)) for g in found]

    def gradient(self, count: int) -> Callable[..., Any]:
        """``jax.vjp`` as a function of inputs and cotangents."""

        def gradient(*values: Any) -> Any:
            _, transposed = jax.vjp(self._function, *values[:count])
            return tuple([jnp.conj(g) for g in transposed(tuple([jnp.conj(g) for g in values[count:]]))])

        return gradient

    def is_differentiable(self) -> bool:
        """Whether JAX differentiates it; a host callback for example it does not."""
        arrays = self.arrays
        try:
            with precision(arrays):
                ys, transposed = jax.vjp(self._function, *[self.lift(a) for a in arrays])
                transposed(tuple([jnp.ones_like(y) for y in ys]))
        except (*_UNSUPPORTED, AssertionError):  # the latter for a gradient of another dtype
            return False
        return True

    def steps(self, *arrays: Any) -> list[Step]:
        """The functions with a ``custom_vjp`` or ``custom_jvp`` that ``f`` applied, also inside of ``jit``.

        JAX's own primitives are not among them: they are not suspected. Nor is what runs inside
        of a loop or a condition of JAX.
        """
        if type(self.f).__name__ in ("custom_vjp", "custom_jvp"):
            return []
        with precision(arrays):
            values = [self.lift(a) for a in arrays]
            try:
                traced = jax.make_jaxpr(self._function)(*values)
            except _UNSUPPORTED:  # it looks at values, so there is no tracing it
                return []
            return list(_walked(traced, values, [True] * len(values)))

    def _function(self, *values: Any) -> tuple[Any, ...]:
        """``f`` as JAX traces it: all results that are floating, as a tuple."""
        return tuple(self.outputs(values))


@contextmanager
def precision(arrays: Arrays) -> Iterator[None]:
    """Double precision in JAX meanwhile, if any of the arrays has it."""
    wide = any(np.asarray(a).dtype.name in ("float64", "complex128") for a in arrays)
    with _enable_x64() if wide else nullcontext():
        yield


def _enable_x64() -> Any:
    early = Late("jax.experimental")  # where it was before JAX 0.8
    return early.enable_x64() if hasattr(early, "enable_x64") else jax.enable_x64(True)


def _filled(cotangents: Sequence[Any], results: Sequence[Any]) -> list[Any]:
    return [np.zeros_like(y) if v is None else v for v, y in zip(cotangents, results, strict=True)]


def _walked(closed: Any, values: Sequence[Any], active: Sequence[bool]) -> Iterator[Step]:
    """The custom functions in a traced function at these values; ``active`` says which are differentiated."""
    jaxpr = closed.jaxpr
    wanted = [e for e in jaxpr.eqns if e.primitive.name in (*_CUSTOM, *_NESTED)]
    inputs = list({v: None for e in wanted for v in e.invars if not hasattr(v, "val")})
    seen = dict(zip(inputs, _evaluated(closed, jaxpr.eqns, inputs)(*values), strict=True)) if inputs else {}
    differentiated = {v for v, flag in zip(jaxpr.invars, active, strict=True) if flag}
    for equation in jaxpr.eqns:
        flags = [not hasattr(v, "val") and v in differentiated for v in equation.invars]
        if any(flags):
            differentiated.update(equation.outvars)
        if equation not in wanted or not any(flags):
            continue
        taken = [v.val if hasattr(v, "val") else seen[v] for v in equation.invars]
        if equation.primitive.name in _CUSTOM:
            yield from _step(closed, equation, taken, flags)
        else:
            inner = equation.params["jaxpr"]
            closed_inner = inner if hasattr(inner, "consts") else core.ClosedJaxpr(inner, ())
            yield from _walked(closed_inner, taken, flags)


def _step(closed: Any, equation: Any, taken: Sequence[Any], flags: Sequence[bool]) -> list[Step]:
    """The application of a custom function as a step, unless it is one of JAX's own."""
    about = equation.params["call_jaxpr"].jaxpr.debug_info
    if folder("jax") in str(about.func_src_info):
        return []
    slots = [i for i, flag in enumerate(flags) if flag and np.asarray(taken[i]).dtype.kind in "fc"]
    variables = [v for v in equation.invars if not hasattr(v, "val")]
    alone = closed.replace(jaxpr=closed.jaxpr.replace(constvars=[], invars=variables), consts=[])
    compute = _evaluated(alone, [equation], equation.outvars)

    def custom(*values: Any) -> Any:
        arguments = list(taken)
        for i, value in zip(slots, values, strict=True):
            arguments[i] = value
        return compute(*[a for a, v in zip(arguments, equation.invars, strict=True) if not hasattr(v, "val")])

    arrays = [np.array(taken[i]) for i in slots]
    own = tuple(about.arg_names or ())
    names = [str(own[i]) if len(own) == len(taken) else f"input {i}" for i in slots]
    subject = Jax(custom, arrays, name=str(about.func_name), names=names)
    frame = source_info.user_frame(equation.source_info.traceback)
    where = f"{frame.file_name}:{frame.start_line}" if frame else "<unknown>"
    return [Step(subject, tuple(arrays), where)] if slots else []


def _evaluated(closed: Any, equations: Sequence[Any], results: Sequence[Any]) -> Callable[..., Any]:
    """The function that runs ``equations`` of a traced function and returns the variables ``results``."""
    about = closed.jaxpr.debug_info._replace(arg_names=None, result_paths=None)
    jaxpr = closed.jaxpr.replace(eqns=list(equations), outvars=list(results), debug_info=about)
    run: Callable[..., Any] = core.jaxpr_as_fun(closed.replace(jaxpr=jaxpr))
    return run
