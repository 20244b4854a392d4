"""HIPS autograd: functions of its NumPy, and primitives with a ``defvjp``."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..subject import Arrays, Pullback, Step, argument_names
from .host import Foreign, Late, calling_position

core: Any = Late("autograd.core")
tracer: Any = Late("autograd.tracer")
anp: Any = Late("autograd.numpy")

_UNSUPPORTED = (TypeError, ValueError, NotImplementedError, AttributeError)


class Hips(Foreign):
    """A function that HIPS autograd traces.

    Inputs, cotangents and gradients are the very arrays of HIPS autograd, so a VJP that writes into its
    upstream gradient or returns another dtype is seen. Complex gradients are conjugated, from its
    convention to the one of this library and of PyTorch. It has no batching. Of a primitive with several
    results HIPS autograd copies the cotangents, so writing into these is not seen.
    """

    host = "HIPS autograd"

    def signature(self) -> Callable[..., Any]:
        """For a primitive that of the function it wraps."""
        return getattr(self.f, "fun", self.f)

    def lift(self, array: Any) -> Any:
        """The array itself."""
        return array

    def lower(self, value: Any) -> Any:
        """The array itself; a number as an array without axes."""
        return np.asarray(value)

    def applied(self, values: Sequence[Any]) -> Any:
        """Whatever ``f`` returns; what a primitive with several results returns is taken apart."""
        returned = super().applied(values)
        several = tracer.isbox(returned) and isinstance(returned._value, tuple | list)
        return [returned[i] for i in range(len(returned._value))] if several else returned

    def is_floating(self, value: Any) -> bool:
        """Whether it is a floating or complex array or number, or a box around one."""
        value = tracer.getval(value)
        return (
            isinstance(value, float | complex | np.ndarray | np.generic)
            and np.asarray(value).dtype.kind in "fc"
        )

    def pullback(self, *arrays: Any) -> tuple[list[Any], Pullback]:
        """One pass over the nodes of the trace."""
        ys, transposed = self._transposed(arrays)
        results = [self.lower(y) for y in ys]

        def pull(cotangents: Sequence[Any]) -> list[Any]:
            found = transposed([None if g is None else _conjugate(g) for g in cotangents])
            return [None if g is None else _conjugate(self.lower(g)) for g in found]

        return results, pull

    def pushforward(self, arrays: Arrays, tangents: Arrays) -> list[Any] | None:
        """Its forward mode, where every primitive on the path has a ``defjvp``."""
        roots = [core.JVPNode.new_root(t) for t in tangents]
        try:
            ys, nodes = self._traced(roots, arrays)
        except NotImplementedError:
            return None
        return [np.zeros_like(y) if n is None else self.lower(n.g) for y, n in zip(ys, nodes, strict=True)]

    def gradient(self, count: int) -> Callable[..., Any]:
        """The reverse pass as a function to be traced."""

        def gradient(*values: Any) -> Any:
            _, transposed = self._transposed(values[:count])
            found = transposed([anp.conj(g) if _is_complex(g) else g for g in values[count:]])
            zeros = [core.vspace(x).zeros() if g is None else g for g, x in zip(found, values, strict=False)]
            return [anp.conj(g) if _is_complex(g) else g for g in zeros]

        return gradient

    def is_differentiable(self) -> bool:
        """Whether every primitive that the gradient applies can be differentiated."""
        arrays = self.arrays
        try:
            ys, transposed = self._transposed(arrays)
            transposed([np.ones_like(y) for y in ys])
        except _UNSUPPORTED:
            return False
        return True

    def steps(self, *arrays: Any) -> list[Step]:
        """All primitives that ``f`` applied, those of HIPS autograd included."""
        if getattr(self.f, "_is_autograd_primitive", False):
            return []
        found: list[Step] = []

        class Watched(core.VJPNode):  # type: ignore[misc]
            """A node that notes what is applied, and needs no derivative of it."""

            def __init__(
                self, value: Any, fun: Any, args: Any, kwargs: Any, argnums: Any, parents: Any
            ) -> None:
                subject = _applied(fun, args, kwargs, argnums)
                if subject is not None:
                    found.append(Step(subject, tuple(subject.arrays), calling_position("autograd")))

            def initialize_root(self) -> None:
                """A root has nothing to note."""

        functions = tracer.notrace_primitives
        functions[Watched] = functions[core.VJPNode]
        try:
            self._traced([Watched.new_root() for _ in arrays], arrays)
        finally:
            del functions[Watched]
        return found

    def _traced(self, roots: Sequence[Any], values: Sequence[Any]) -> tuple[list[Any], list[Any]]:
        """The floating results, and the node of each; None for one that does not depend on the inputs."""
        importlib.import_module("autograd.builtins")  # boxes of tuples, for primitives with several results
        with tracer.trace_stack.new_trace() as level:
            boxes = [tracer.new_box(v, level, root) for v, root in zip(values, roots, strict=True)]
            ys = self.outputs(boxes)
        own = [tracer.isbox(y) and y._trace == level for y in ys]
        return (
            [y._value if mine else y for y, mine in zip(ys, own, strict=True)],
            [y._node if mine else None for y, mine in zip(ys, own, strict=True)],
        )

    def _transposed(self, values: Sequence[Any]) -> tuple[list[Any], Any]:
        """The results, and the function from cotangents (or None) to gradients (or None)."""
        roots = [core.VJPNode.new_root() for _ in values]
        ys, nodes = self._traced(roots, values)

        def transposed(cotangents: Sequence[Any]) -> list[Any]:
            arrived: dict[Any, Any] = {}
            used = [(n, g) for n, g in zip(nodes, cotangents, strict=True) if n is not None and g is not None]
            for node, g in used:
                arrived[node] = core.add_outgrads(arrived.get(node), g)
            end = core.VJPNode.new_root()
            end.parents = [node for node, _ in used]  # so one walk comes by all results
            for node in core.toposort(end):
                if node is end or node in roots:
                    continue
                for parent, g in zip(node.parents, node.vjp(arrived.pop(node)[0]), strict=True):
                    arrived[parent] = core.add_outgrads(arrived.get(parent), g)
            return [arrived[root][0] if root in arrived else None for root in roots]

        return ys, transposed


def _applied(f: Any, args: Sequence[Any], kwargs: dict[str, Any], slots: Sequence[int]) -> Hips | None:
    """A primitive as a function of the arguments that are traced, or None if one is not an array."""
    kept = [
        np.array(args[i]) if isinstance(args[i], np.ndarray | np.generic | float) else None for i in slots
    ]
    if any(array is None or array.dtype.kind not in "fc" for array in kept):
        return None
    constants = [np.array(a) if isinstance(a, np.ndarray) else a for a in args]

    def primitive(*values: Any) -> Any:
        arguments = list(constants)
        for i, value in zip(slots, values, strict=True):
            arguments[i] = value
        return f(*arguments, **kwargs)

    own = argument_names(getattr(f, "fun", f), len(args))
    return Hips(primitive, kept, name=str(getattr(f, "__name__", f)), names=[own[i] for i in slots])


def _is_complex(value: Any) -> bool:
    return np.asarray(tracer.getval(value)).dtype.kind == "c"


def _conjugate(array: Any) -> Any:
    """The conjugate; of a real array the array itself, so that writing into it is seen."""
    return np.conj(array) if _is_complex(array) else array
