"""Record a function as a program, by running it once and watching.

Values are concrete while a function is traced. The tracer knows a value by the array that holds it,
so it sees forward and backward passes, gradients that arrive at captured parameters, and updates,
without any other kind of tensor. What would make the recorded program untrue is an error: a branch
on a value, a number taken out of a tensor.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from .._config import direction, scope_path
from .._data import as_data
from .._errors import TraceError
from .._primitive import Primitive, Value
from .._specialise import SCALARS
from .._tape import Leaf
from .._tensor import Tensor, wrap
from .._tree import flatten, unflatten
from .._watch import Watcher, watching
from .._where import user_position
from .graph import Equation, Graph, Role, Var, Write
from .tape import label


def trace(f: Callable[..., Any], /, *examples: Any, names: Any = None) -> Graph:
    """Record what ``f`` does to the examples as a program that can be printed, drawn and run again.

    Args:
        f: takes tensors, or nested containers of them. It may use tensors from outside (they are
            captured, and read anew at each replay), compute gradients, call ``backward`` and update
            parameters; updates are part of the program.
        examples: its arguments. The program is for their shapes and dtypes.
        names: a nested container of tensors from outside, such as ``{"w": w, "b": b}``; pictures and
            prints call them by their keys. Arguments have the names that ``f`` gives them.

    Returns:
        The program. Call it with other arguments of the same shapes to run it.

    Raises:
        TraceError: ``f`` branches on a value or takes a number out of a tensor (``if x > 0``,
            ``x.item()``): the program could not know.

    Example:
        >>> import tensorgrad as tg
        >>> graph = tg.trace(lambda x: (x * x).sum(), tg.ones(3))
        >>> print(graph)
        program(%0 x: float32[3]):
          %1: float32[3] = multiply(%0, %0)
          %2: float32[] = sum(%1)
          return %2
        >>> graph(tg.tensor([1.0, 2.0, 3.0]))
        tensor(14.)
    """
    leaves, tree = flatten(examples)
    for leaf in leaves:
        if isinstance(leaf, Value) and leaf.level > 0:
            raise TraceError("trace: an example belongs to an open transformation; trace outside of it")
    tracer = _Tracer()
    arguments = [
        wrap(as_data(leaf.detach() if isinstance(leaf, Tensor) else leaf, copy=True), None) for leaf in leaves
    ]
    inputs = [
        tracer.new(x, "input", name) for x, name in zip(arguments, _argument_names(f, tree), strict=True)
    ]
    named, name_tree = flatten(names)
    tracer.names = {id(tensor): label(path) for tensor, path in zip(named, name_tree.paths(), strict=True)}
    with watching(tracer):
        results, result_tree = flatten(f(*unflatten(tree, arguments)))
        outputs = [tracer.var(result) for result in results]
    return tracer.graph(inputs, outputs, tree, result_tree)


class _Tracer(Watcher):
    """Writes down each operation that it is shown, in terms of the arrays that hold the values."""

    sees_formulas = True
    keeps = True

    def __init__(self) -> None:
        self.known: dict[int, Var] = {}  # by the identity of the array
        self.held: list[Any] = []  # the arrays, so that an identity is not used twice
        self.captured: dict[int, tuple[Tensor, Var]] = {}  # by the identity of the tensor
        self.constants: list[Var] = []
        self.values: dict[int, Any] = {}
        self.equations: list[Equation] = []
        self.before: dict[int, tuple[Any, Any]] = {}  # data and gradient of captured tensors at first sight
        self.names: dict[int, str] = {}
        self.count = 0

    def graph(self, inputs: list[Var], outputs: list[Var], input_tree: Any, result_tree: Any) -> Graph:
        writes = self.writes()
        used = {v for e in self.equations for v in e.inputs} | {w.value for w in writes} | set(outputs)
        constants = tuple([c for c in self.constants if c in used])
        return Graph(
            inputs=tuple(inputs),
            captured=tuple([var for _, var in self.captured.values()]),
            constants=constants,
            equations=tuple(self.equations),
            outputs=tuple(outputs),
            writes=writes,
            values=dict(self.values),
            input_tree=input_tree,
            result_tree=result_tree,
        )

    def new(self, tensor: Tensor, role: Role, label: str = "") -> Var:
        if (
            type(tensor._d) is np.bool_
        ):  # there are only two of these, so identity would not tell values apart
            tensor._d = np.array(tensor._d)
        data = tensor._d
        var = Var(self.count, tuple(data.shape), str(data.dtype), role, label)
        self.count += 1
        self.known[id(data)] = var
        self.held.append(data)
        return var

    def var(self, value: Any) -> Var:
        """The variable of a value; one that was not seen before is captured, or a constant."""
        data = value._d if isinstance(value, Tensor) else value
        if id(data) in self.known:
            return self.known[id(data)]
        if isinstance(value, Tensor):
            return self.capture(value)
        data = as_data(value)
        return self.constant(
            data, value if type(value) in SCALARS or type(value) is complex else np.array(data)
        )

    def constant(self, data: Any, value: Any) -> Var:
        var = Var(self.count, tuple(data.shape), str(data.dtype), "constant", "")
        self.count += 1
        self.constants.append(var)
        self.values[var.index] = value
        return var

    def capture(self, tensor: Tensor) -> Var:
        if id(tensor) in self.captured:
            return self.captured[id(tensor)][1]
        var = self.new(tensor, "captured", self.names.get(id(tensor), ""))
        self.captured[id(tensor)] = (tensor, var)
        self.values[var.index] = tensor
        self.before[id(tensor)] = (tensor._d, _gradient(tensor))
        return var

    def writes(self) -> tuple[Write, ...]:
        """What captured tensors hold now that they did not hold before."""
        found = []
        for key, (tensor, var) in list(self.captured.items()):
            data, grad = self.before[key]
            if tensor._d is not data and tensor.is_leaf:
                found.append(Write(var, self.var(tensor), "data"))
            now = _gradient(tensor)
            if now is not grad:
                found.append(Write(var, None if now is None else self.var(now), "grad"))
        return tuple(found)

    # ---- what a watcher is shown

    def adopt(self, data: Any) -> None:
        if id(data) in self.known:
            return
        self.known[id(data)] = self.constant(data, data)
        self.held.append(data)

    def op(
        self,
        primitive: Primitive,
        args: tuple[Any, ...],
        params: tuple[Any, ...],
        result: Any,
        seconds: float,
    ) -> None:
        inputs = tuple([self.var(arg) for arg in args])
        parts = result if isinstance(result, tuple) else (result,)
        outputs = [self.new(part, "result") for part in parts]
        named = dict(zip(primitive.params, params, strict=True))
        equation = Equation(
            primitive.name, inputs, tuple(outputs), named, scope_path(), direction(), primitive
        )
        self.equations.append(equation)

    def assign(self, target: Tensor, value: Tensor) -> None:
        if id(target._d) not in self.known:
            self.capture(target)

    def accumulate(self, leaf: Leaf, before: Any, value: Any) -> None:
        known = self.known.get(id(before._d)) if before is not None else None
        if before is not None and (known is None or known.role == "captured"):
            raise TraceError(
                "trace: backward adds to a .grad from before the program, which a replay could not know; set "
                ".grad = None first"
            )

    def leave(self, value: Tensor, how: str) -> None:
        known = self.known.get(id(value._d))
        if known is None or known.role != "constant":
            raise TraceError(
                f"trace: {how} at {user_position()} takes a value out of the program, which would fix what depends on "
                "it; use tg.where for a choice, and return what is to be looked at"
            )

    def reads(self, value: Tensor, name: str) -> None:
        known = self.known.get(id(value._d))
        if known is not None and known.role not in ("captured", "constant"):
            raise TraceError(
                f"trace: {name} reads a value {known.shape} of the program that is not one of its arguments, so every "
                "replay would see the present one; pass it as an argument"
            )
        if value.requires_grad:
            raise TraceError(
                f"trace: {name} reads a tensor {value.shape} that requires a gradient and is not one of its arguments, so "
                "a replay would give it none; pass it as an argument"
            )


def _argument_names(f: Callable[..., Any], tree: Any) -> list[str]:
    """A name for each leaf of the arguments: the parameter of ``f``, and the path from there."""
    try:  # of a module: what its `forward` calls them
        parameters = list(inspect.signature(getattr(f, "forward", f)).parameters.values())
    except (TypeError, ValueError):
        parameters = []
    parameters = [one for one in parameters if one.kind not in (one.KEYWORD_ONLY, one.VAR_KEYWORD)]
    names: list[str] = []
    for position, child in enumerate(tree.children):
        one = parameters[min(position, len(parameters) - 1)] if parameters else None
        listed = one is not None and one.kind is one.VAR_POSITIONAL
        name = "" if one is None else f"{one.name}{position - len(parameters) + 1}" if listed else one.name
        names += [label(path) for path in child.paths(name)]
    return names


def _gradient(tensor: Tensor) -> Any:
    return tensor._node.grad if type(tensor._node) is Leaf else None
