"""Calling a module with other parameters than its own, without changing it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from .._errors import ShapeError, StateDictError
from .module import Module


def functional_call(
    module: Module,
    parameters: Mapping[str, Any],
    args: Any = (),
    kwargs: Mapping[str, Any] | None = None,
    *,
    tie_weights: bool = True,
) -> Any:
    """Call a module as a pure function of its parameters and buffers.

    Args:
        module: what to call; it is the same before and after.
        parameters: for each path of a parameter or buffer the value to use in its place: a tensor, or a value
            of a transformation such as `tensorgrad.grad` or `tensorgrad.vmap`. The others are the module's own.
        args: the arguments, a tuple, or one that is none.
        kwargs: the arguments by name.
        tie_weights: whether a value stands for every path of a shared parameter.

    Raises:
        StateDictError: a path that the module does not have, or a buffer was given a new value by the call.
        ShapeError: a value of another shape.

    Example:
        >>> import tensorgrad as tg
        >>> model = tg.nn.Linear(2, 1)
        >>> weights = dict(model.named_parameters())
        >>> loss = lambda weights: tg.nn.functional_call(model, weights, tg.ones((3, 2))).sum()
        >>> tg.grad(loss)(weights)["weight"]
        tensor([[3., 3.]])
    """
    with _replaced(module, parameters, tie_weights):
        return module(*(args if isinstance(args, tuple) else (args,)), **(kwargs or {}))


@contextmanager
def _replaced(module: Module, values: Mapping[str, Any], tie: bool) -> Iterator[None]:
    places = _places(module)
    if unknown := [name for name in values if name not in places]:
        raise StateDictError(f"functional_call: {type(module).__name__} has no {', '.join(unknown)}")
    own = {name: _held(*places[name]) for name in values}
    for name, value in values.items():
        if getattr(value, "shape", None) != own[name].shape:
            raise ShapeError(
                f"functional_call: {name} has shape {own[name].shape} and is given {getattr(value, 'shape', type(value))}"
            )
    new = dict(values)
    if tie:
        by_identity = {id(own[name]): value for name, value in values.items()}
        shared = {name: by_identity.get(id(_held(*place))) for name, place in places.items()}
        new = {name: value for name, value in shared.items() if value is not None} | new
    before = [(places[name], _held(*places[name])) for name in new]
    try:
        for name, value in new.items():
            _put(*places[name], value)
        yield
    finally:
        for place, value in before:
            _put(*place, value)


def _places(module: Module) -> dict[str, tuple[Any, Any]]:
    """Where each parameter and buffer is held: a container, and the key in it."""
    found: dict[str, tuple[Any, Any]] = {}
    for path, part in module.named_modules(remove_duplicate=False):
        prefix = f"{path}." if path else ""
        names = [*(n for n, _ in part.named_parameters(recurse=False, remove_duplicate=False))]
        names += [n for n, _ in part.named_buffers(recurse=False)]
        for name in names:
            found[prefix + name] = _walk(part, name)
    return found


def _walk(part: Module, name: str) -> tuple[Any, Any]:
    container: Any = vars(part)
    *way, last = name.split(".")
    for step in way:
        container = _held(container, step)
    return container, last


def _held(container: Any, key: Any) -> Any:
    return container[int(key)] if isinstance(container, Sequence) else container[key]


def _put(container: Any, key: Any, value: Any) -> None:
    if isinstance(container, tuple):
        raise StateDictError("functional_call: a parameter in a tuple cannot be replaced; hold it in a list")
    container[int(key) if isinstance(container, Sequence) else key] = value
