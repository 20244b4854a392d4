"""Calling a module with other parameters and buffers than its own, without changing it."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from .._errors import ShapeError, StateDictError
from .._tensor import Tensor, tensor
from .module import Module

_calling = threading.RLock()  # while a module has other values, no second call may take them for its own


def functional_call(
    module: Module,
    parameters_and_buffers: Mapping[str, Any] | Sequence[Mapping[str, Any]],
    args: Any = (),
    kwargs: Mapping[str, Any] | None = None,
    *,
    tie_weights: bool = True,
    strict: bool = False,
) -> Any:
    """Call a module as a pure function of its parameters and buffers.

    Args:
        module: what to call; it holds the same tensors before and after.
        parameters_and_buffers: for each path of a parameter or buffer, such as ``"layers.0.weight"``, the value to
            use in its place: a tensor, an array, or a value of a transformation such as `tensorgrad.grad` or
            `tensorgrad.vmap`. The others are the module's own. Several dicts may be given as a tuple.
        args: the arguments, a tuple, or one that is none.
        kwargs: the arguments by name.
        tie_weights: whether a value stands for every path of a shared parameter.
        strict: whether each parameter and buffer must be given.

    What the call writes to a buffer, such as the running statistics of batch norm, it writes to the tensor that was
    given for it, or, if none was, to the module's own; there only plain values are stored, never those of a
    transformation, and an error puts back what was there. To get new statistics from inside a transformation, give
    the buffers and return them. What a forward writes to other attributes is not looked after.

    Calls from several threads wait for each other; a plain ``module(x)`` in another thread does not wait, and would
    see the values of the call, so give each thread a copy (``copy.deepcopy``) of a module that it calls plainly.

    Raises:
        StateDictError: a path that the module does not have, or has twice given, or with ``strict`` one too few.
        ShapeError: a value of another shape.

    Example:
        >>> import tensorgrad as tg
        >>> model = tg.nn.Linear(2, 1)
        >>> weights = dict(model.named_parameters())
        >>> loss = lambda weights: tg.nn.functional_call(model, weights, tg.ones((3, 2))).sum()
        >>> tg.grad(loss)(weights)["weight"]
        tensor([[3., 3.]])
    """
    given = _joined(parameters_and_buffers)
    with _calling, _replaced(module, given, tie_weights, strict) as held, _kept(held):
        return module(*(args if isinstance(args, tuple) else (args,)), **(kwargs or {}))


def stack_module_state(models: Sequence[Module]) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """The parameters and buffers of several models of one kind, stacked: an ensemble that runs as one.

    Args:
        models: of the same class and shapes, all training or all in evaluation.

    Returns:
        ``(parameters, buffers)``, two dicts of path -> tensor with a first axis for the models. They are copies; a
        parameter that requires a gradient gives a leaf that does.

    Raises:
        StateDictError: there is no model, or they differ in class, mode, names or shapes.

    Example:
        >>> import tensorgrad as tg
        >>> models = [tg.nn.Linear(2, 1) for _ in range(3)]
        >>> params, buffers = tg.nn.stack_module_state(models)
        >>> params["weight"].shape
        (3, 1, 2)
        >>> def one(params, x):
        ...     return tg.nn.functional_call(models[0], params, x)
        >>> tg.vmap(one, in_axes=(0, None))(params, tg.ones((5, 2))).shape
        (3, 5, 1)
    """
    models = list(models)
    if not models:
        raise StateDictError("stack_module_state: no models were given; at least one is needed")
    first = models[0]
    for i, model in enumerate(models):
        if type(model) is not type(first) or model.training != first.training:
            what = [
                f"{type(one).__name__} in {'training' if one.training else 'evaluation'}"
                for one in (first, model)
            ]
            raise StateDictError(
                f"stack_module_state: model 0 is {what[0]} and model {i} {what[1]}; they must be alike"
            )
    parameters = _stacked([dict(model.named_parameters()) for model in models])
    return parameters, _stacked([dict(model.named_buffers()) for model in models])


# ---- the values in place of the module's own


def _joined(given: Any) -> dict[str, Any]:
    if isinstance(given, Mapping):
        return dict(given)
    if not isinstance(given, tuple | list) or not all(isinstance(one, Mapping) for one in given):
        raise StateDictError(
            f"functional_call: a {type(given).__name__} is given for the parameters; a dict of path -> value is needed, "
            "such as dict(model.named_parameters()), or a tuple of such dicts"
        )
    joined: dict[str, Any] = {}
    for one in given:
        if twice := [name for name in one if name in joined]:
            raise StateDictError(f"functional_call: {', '.join(twice)} is in two of the dicts; give it once")
        joined |= one
    return joined


@contextmanager
def _replaced(module: Module, values: dict[str, Any], tie: bool, strict: bool) -> Iterator[list[Any]]:
    places = _places(module)
    kind = type(module).__name__
    if unknown := [name for name in values if name not in places]:
        raise StateDictError(
            f"functional_call: {kind} has no {', '.join(map(str, unknown))}; it has {_some(list(places))}"
        )
    own = {name: _held(*place) for name, place in places.items()}
    for name, value in values.items():
        shape = getattr(value, "shape", None)
        if shape != own[name].shape:
            stacked = shape is not None and shape[1:] == own[name].shape
            raise ShapeError(
                f"functional_call: {name} has shape {own[name].shape} and is given "
                f"{shape if shape is not None else f'a {type(value).__name__}'}"
                + ("; for values with a batch axis call it under tg.vmap" if stacked else "")
            )
    new = dict(values)
    if tie:
        by_identity = {id(own[name]): value for name, value in values.items()}
        new = {name: by_identity[id(held)] for name, held in own.items() if id(held) in by_identity} | new
    if strict and (missing := [name for name in own if name not in new]):
        raise StateDictError(
            f"functional_call: nothing is given for {_some(missing)} of {kind}, and strict is set"
        )
    for name in new:
        if isinstance(places[name][0], tuple):
            raise StateDictError(
                f"functional_call: {name} is held in a tuple and cannot be replaced; hold it in a list"
            )
    try:
        for name, value in new.items():
            _put(*places[name], value)
        yield [new.get(name, held) for name, held in own.items()]
    finally:
        for name in new:
            _put(*places[name], own[name])


@contextmanager
def _kept(tensors: list[Any]) -> Iterator[None]:
    """Put back what the buffers held if the call fails. A write to data that is held here makes a copy."""
    before = [(buffer, buffer._d) for buffer in tensors if type(buffer) is Tensor and buffer._node is None]
    try:
        yield
    except BaseException:
        for buffer, data in before:
            buffer._d = data
        raise


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
    container[int(key) if isinstance(container, Sequence) else key] = value


# ---- stacking


def _stacked(states: list[dict[str, Any]]) -> dict[str, Tensor]:
    first = states[0]
    for i, state in enumerate(states):
        if differ := sorted(first.keys() ^ state.keys()):
            raise StateDictError(f"stack_module_state: only one of model 0 and model {i} has {_some(differ)}")
        if wrong := [name for name in first if first[name].shape != state[name].shape]:
            raise StateDictError(
                f"stack_module_state: {wrong[0]} has shape {first[wrong[0]].shape} in model 0 and "
                f"{state[wrong[0]].shape} in model {i}; models of one shape can be stacked"
            )
    return {
        name: tensor(
            np.stack([state[name].numpy() for state in states]), requires_grad=bool(own.requires_grad)
        )
        for name, own in first.items()
    }


def _some(names: list[str]) -> str:
    return ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")
