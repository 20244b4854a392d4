"""Hooks on modules: functions that are called before and after ``forward``, and as gradients pass.

A backward hook sees the gradients of all tensors that go into or out of a module. To catch them together,
inputs and results go through an op that does nothing but call the hooks on its way back.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .._errors import DtypeError, ShapeError
from .._hooks import HookHandle
from .._tensor import Tensor, asarray
from .._tree import flatten, unflatten
from ..transforms.custom import custom_vjp

if TYPE_CHECKING:
    from .module import Module

PreHook = Callable[["Module", tuple[Any, ...]], Any]
ForwardHook = Callable[["Module", tuple[Any, ...], Any], Any]
BackwardPreHook = Callable[["Module", tuple[Any, ...]], Any]
BackwardHook = Callable[["Module", tuple[Any, ...], tuple[Any, ...]], Any]


class Hooks:
    """The hooks of one module by their kind, in the order in which they were added."""

    def __init__(self) -> None:
        self.before: dict[int, PreHook] = {}
        self.after: dict[int, ForwardHook] = {}
        self.backward_before: dict[int, BackwardPreHook] = {}
        self.backward: dict[int, BackwardHook] = {}


def add(module: Module, kind: str, hook: Any) -> HookHandle:
    """Add a hook to a module; the handle takes it away."""
    if not callable(hook):
        raise DtypeError(f"hook: a {type(hook).__name__} given; a function is needed")
    if module._hooks is None:
        module._hooks = Hooks()
    return HookHandle(getattr(module._hooks, kind), hook)


def call(module: Module, hooks: Hooks, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Call ``forward`` with all hooks around it."""
    for before in tuple(hooks.before.values()):
        given = before(module, args)
        if given is not None:
            args = given if isinstance(given, tuple) else (given,)
    outputs: list[tuple[Any, ...]] = []  # the gradients of the result, once they are known
    if hooks.backward:

        def on_inputs(grads: tuple[Any, ...]) -> tuple[Any, ...]:
            for hook in tuple(hooks.backward.values()):
                grads = _replaced(grads, hook(module, grads, outputs[-1]))
            return grads

        args = _caught(args, on_inputs)
    result = module.forward(*args, **kwargs)
    for after in tuple(hooks.after.values()):
        given = after(module, args, result)
        if given is not None:
            result = given
    if not hooks.backward and not hooks.backward_before:
        return result

    def on_outputs(grads: tuple[Any, ...]) -> tuple[Any, ...]:
        for hook in tuple(hooks.backward_before.values()):
            grads = _replaced(grads, hook(module, grads))
        outputs.append(grads)
        return grads

    return _caught(result, on_outputs)


def _caught(values: Any, catch: Callable[[tuple[Any, ...]], tuple[Any, ...]]) -> Any:
    """The same tensors, whose gradients all go through ``catch`` together."""
    leaves, shape = flatten(values)
    places = [i for i, leaf in enumerate(leaves) if isinstance(leaf, Tensor) and leaf.requires_grad]
    if not places:
        return values
    passage = custom_vjp(lambda *xs: xs)
    passage.defvjp(lambda *xs: (xs, None), lambda kept, grads: catch(tuple([asarray(g) for g in grads])))
    for i, passed in zip(places, passage(*[leaves[i] for i in places]), strict=True):
        leaves[i] = passed
    return unflatten(shape, leaves)


def _replaced(grads: tuple[Any, ...], given: Any) -> tuple[Any, ...]:
    """The gradients, or what a hook returned in their place."""
    if given is None:
        return grads
    new: tuple[Any, ...] = given if isinstance(given, tuple) else (given,)
    if len(new) != len(grads):
        raise ShapeError(
            f"backward hook: {len(new)} gradients returned for {len(grads)}; return as many, or None"
        )
    return new
