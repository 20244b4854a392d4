"""PyTorch: functions of tensors, ``torch.autograd.Function`` and custom ops."""

from __future__ import annotations

import functools
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Any

import numpy as np

from ..._errors import DtypeError
from ..._tree import flatten, unflatten
from ..subject import Arrays, Pullback, Step, listed
from .host import Foreign, Late, calling_position, expected_count

torch: Any = Late("torch")
forward_ad: Any = Late("torch.autograd.forward_ad")

_ONCE = "Error"
"""The node in place of a backward with ``once_differentiable``; `torch.autograd.grad` walks around it."""

_UNSUPPORTED = (RuntimeError, NotImplementedError, TypeError, ValueError)


@contextmanager
def _without_deprecations() -> Iterator[None]:
    """PyTorch's transforms warn of parts of PyTorch that they use themselves."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        yield


class Torch(Foreign):
    """A function of PyTorch tensors.

    Of a ``torch.autograd.Function`` (the class, or its ``apply``) the backward is called itself, as
    PyTorch's engine would: the engine casts what a backward returns to the dtype of the input, and so
    hides a backward that returns another. The sum over broadcast axes, which a backward may leave to the
    engine, is taken here too. Cotangents share their memory with the arrays that are given, unless a stride is
    negative, so a backward that writes into its upstream gradient is seen.

    Forward mode, batching and second order are there for functions with which PyTorch can do them;
    a ``jvp`` or ``vmap`` of the Function's own that raises is not excused.
    """

    host = "PyTorch"

    @property
    def function(self) -> Any:
        """The ``torch.autograd.Function`` that this is, or None."""
        return function_class(self.f)

    def title(self) -> str:
        """The name of the Function, of the op, or of the callable."""
        name = getattr(self.f, "_qualname", None)  # of a custom op
        return str(name) if name else str(getattr(self.function, "__name__", super().title()))

    def signature(self) -> Callable[..., Any]:
        """For a Function the signature of its forward, without the context."""
        function = self.function
        if function is None:
            return getattr(self.f, "_init_fn", self.f)
        if _has_setup_context(function):
            return function.forward  # type: ignore[no-any-return]
        return functools.partial(function.forward, None)

    def applied(self, values: Sequence[Any]) -> Any:
        """Whatever ``f`` returns for tensors."""
        function = self.function
        apply = self.f if function is None else function.apply
        return apply(*(self.call.arguments(values, self.constant) if self.call else values))

    def lift(self, array: Any) -> Any:
        """The array as a tensor, in the same memory unless it is read-only or runs backwards."""
        array = np.asarray(array)
        if not array.flags.writeable or not array.dtype.isnative or any(s < 0 for s in array.strides):
            array = np.array(array, array.dtype.newbyteorder("="), order="C")
        if array.dtype.kind in "fc" and array.dtype.itemsize // (1 + (array.dtype.kind == "c")) > 8:
            raise DtypeError(f"{self.name}: PyTorch has no {array.dtype}; use float64 or complex128")
        return torch.from_numpy(array)

    def lower(self, value: Any) -> Any:
        """The tensor as an array, in the same memory if it is dense and on the CPU."""
        if not isinstance(value, torch.Tensor):
            raise DtypeError(f"{self.name}: a gradient is a tensor or None, got {type(value).__name__}")
        value = value.detach()
        if value.layout is not torch.strided:
            value = value.to_dense()
        if value.dtype is torch.bfloat16:
            value = value.to(torch.float32)
        return value.cpu().resolve_conj().resolve_neg().numpy()

    def is_floating(self, value: Any) -> bool:
        """Whether it is a floating or complex tensor."""
        return isinstance(value, torch.Tensor) and (value.is_floating_point() or value.is_complex())

    def pullback(self, *arrays: Any) -> tuple[list[Any], Pullback]:
        """The Function's own backward, or ``torch.autograd.grad``."""
        with torch.enable_grad():
            variables = [self.lift(a).requires_grad_() for a in arrays]
            returned = self.applied(variables)
        outputs = self.floating(returned)
        results = [self.lower(y) for y in outputs]
        node = self._node(returned, outputs)

        def pull(cotangents: Sequence[Any]) -> list[Any]:
            if node is not None and all(v is not None for v in cotangents):
                found = self._by_node(node, self.cotangents(cotangents, results))
                return [self._returned(g, x) for g, x in zip(found, variables, strict=True)]
            used = [i for i, y in enumerate(outputs) if y.requires_grad and cotangents[i] is not None]
            if not used:
                return [None] * len(variables)
            found = torch.autograd.grad(
                [outputs[i] for i in used], variables, [self.lift(cotangents[i]) for i in used],
                retain_graph=True, allow_unused=True,
            )  # fmt: skip
            return [None if g is None else self.lower(g) for g in found]

        return results, pull

    @_without_deprecations()
    def pushforward(self, arrays: Arrays, tangents: Arrays) -> list[Any] | None:
        """PyTorch's forward mode, where every op on the path has it."""
        try:
            with forward_ad.dual_level():
                duals = [
                    forward_ad.make_dual(self.lift(a), self.lift(t))
                    for a, t in zip(arrays, tangents, strict=True)
                ]
                found = [forward_ad.unpack_dual(y) for y in self.outputs(duals)]
        except _UNSUPPORTED:
            if _overrides(self.function, "jvp"):
                raise
            return None
        # Through a custom op without a forward rule PyTorch passes no tangent, and does not say so.
        return None if any(y.tangent is None for y in found) else [self.lower(y.tangent) for y in found]

    @_without_deprecations()
    def batched(self, stacks: Arrays, cotangents: Arrays) -> tuple[list[Any], list[Any]] | None:
        """`torch.func.vmap` over function and gradient at once."""

        def one(xs: Any, gs: Any) -> Any:
            ys, pull = torch.func.vjp(lambda *values: tuple(self.outputs(values)), *xs)
            return ys, pull(gs)

        lifted = [tuple([self.lift(a) for a in group]) for group in (stacks, cotangents)]
        try:
            ys, gradients = torch.func.vmap(one)(*lifted)
        except _UNSUPPORTED:
            if _overrides(self.function, "vmap"):
                raise
            return None
        return [self.lower(y) for y in ys], [self.lower(g) for g in gradients]

    def gradient(self, count: int) -> Callable[..., Any]:
        """``torch.autograd.grad`` with a graph of its own."""

        def gradient(*values: Any) -> Any:
            xs = [x if x.requires_grad else x.detach().requires_grad_() for x in values[:count]]
            with torch.enable_grad():
                outputs = self.outputs(xs)
            return torch.autograd.grad(
                [y for y in outputs if y.requires_grad], xs,
                [g for g, y in zip(values[count:], outputs, strict=True) if y.requires_grad],
                create_graph=True, materialize_grads=True,
            )  # fmt: skip

        return gradient

    def is_differentiable(self) -> bool:
        """Whether a gradient depends on what it came from, and nothing says that it is for one time only."""
        variables = [self.lift(a).requires_grad_() for a in self.arrays]
        try:
            outputs = [y for y in self.outputs(variables) if y.requires_grad]
            torch.autograd.grad(outputs, variables, [torch.ones_like(y) for y in outputs], allow_unused=True)
        except RuntimeError:
            return False
        return bool(outputs) and not any(
            type(n).__name__ == _ONCE for y in outputs for n in _nodes(y.grad_fn)
        )

    def steps(self, *arrays: Any) -> list[Step]:
        """The Functions and custom ops that ``f`` applied.

        PyTorch's own ops are not among them: they are not suspected.
        """
        if self.function is not None:
            return []
        found: list[Step] = []
        with torch.enable_grad(), _watching(found):
            self.applied([self.lift(a).requires_grad_() for a in arrays])
        return found

    def _node(self, returned: Any, outputs: Sequence[Any]) -> Any:
        """The context of the Function, if all that it returned takes part in the gradient."""
        if self.function is None or len(listed(returned)) != len(outputs):
            return None
        node = outputs[0].grad_fn
        if getattr(node, "_forward_cls", None) is not self.function:
            return None  # nothing to differentiate, or it returned a view of an input
        return node if all(y.grad_fn is node for y in outputs) else None

    def _by_node(self, node: Any, cotangents: Sequence[Any]) -> list[Any]:
        count = len(node.needs_input_grad)
        with torch.no_grad():
            found = expected_count(self.name, node.apply(*cotangents), count)
        places = self.call.places if self.call else range(count)
        return [found[i] for i in places]

    def _returned(self, gradient: Any, variable: Any) -> Any:
        """What a backward returned for an input; broadcast axes are summed as PyTorch's engine does."""
        if gradient is None or not isinstance(gradient, torch.Tensor) or gradient.shape == variable.shape:
            return None if gradient is None else self.lower(gradient)
        own, other = tuple(variable.shape), tuple(gradient.shape)
        aligned = zip(own[::-1], other[::-1], strict=False)
        expandable = len(own) <= len(other) and all(n in (1, m) for n, m in aligned)
        return self.lower(gradient.sum_to_size(own) if expandable else gradient)


def function_class(f: Any) -> Any:
    """The ``torch.autograd.Function`` that ``f`` is, or is the ``apply`` of; None if it is another callable."""
    cls = getattr(f, "__self__", None) if getattr(f, "__name__", "") == "apply" else f
    is_function = isinstance(cls, type) and issubclass(cls, torch.autograd.Function)
    return cls if is_function else None


def _nodes(root: Any) -> set[Any]:
    """The nodes of the graph behind a tensor."""
    seen: set[Any] = set()
    stack = [root]
    while stack:
        node = stack.pop()
        if node is not None and node not in seen:
            seen.add(node)
            stack.extend([parent for parent, _ in node.next_functions])
    return seen


def _has_setup_context(function: Any) -> bool:
    return _overrides(function, "setup_context")


def _overrides(function: Any, method: str) -> bool:
    base = torch.autograd.Function
    return function is not None and getattr(function, method) is not getattr(base, method)


@contextmanager
def _watching(found: list[Step]) -> Iterator[None]:
    """Note each Function and custom op that is applied meanwhile.

    A profile function sees the calls whatever name the user gave to ``apply``, which patching would not.
    """
    apply = torch.autograd.Function.apply.__func__.__code__
    custom_op: Any = torch.library.CustomOpDef
    codes = {apply: "cls", custom_op.__call__.__code__: "self"}
    depth = 0

    def watch(frame: FrameType, event: str, _: Any) -> None:
        nonlocal depth
        owner = codes.get(frame.f_code)
        if owner is None or event not in ("call", "return"):
            return
        depth += 1 if event == "call" else -1
        if event == "call" and depth == 1 and torch.is_grad_enabled():
            values = frame.f_locals
            found.extend(_step(values[owner], values["args"], values["kwargs"], frame.f_back))

    before = sys.getprofile()
    sys.setprofile(watch)
    try:
        yield
    finally:
        sys.setprofile(before)


def _step(f: Any, args: tuple[Any, ...], kwargs: dict[str, Any], frame: FrameType | None) -> list[Step]:
    """The application of ``f`` as a step, unless nothing that it takes is differentiated."""
    leaves, tree = flatten(args)
    tensors = [leaf for leaf in leaves if isinstance(leaf, torch.Tensor)]
    if not any(leaf.requires_grad for leaf in tensors) or torch._C._are_functorch_transforms_active():
        return []
    kept = [_snapshot(leaf) if isinstance(leaf, torch.Tensor) else leaf for leaf in leaves]
    subject = Torch(f, unflatten(tree, kept))
    if kwargs:
        call = subject.function.apply if subject.function is not None else f
        subject = Torch(functools.partial(call, **kwargs), unflatten(tree, kept), name=subject.name)
    return [Step(subject, tuple(subject.arrays), calling_position("torch", frame))]


def _snapshot(tensor: Any) -> Any:
    return tensor.detach().clone().requires_grad_(tensor.requires_grad)
