"""Modules: parts of a model that hold their parameters.

A module is an ordinary object. Its parameters, buffers and submodules are its attributes: whatever is
asked of them is found by walking ``vars(module)``, through lists, tuples and dicts of modules too, so
that nothing is registered and ``super().__init__()`` may be forgotten. ::

    class Net(nn.Module):
        def __init__(self):
            self.layers = [nn.Linear(2, 64), nn.Linear(64, 3)]

        def forward(self, x):
            for layer in self.layers[:-1]:
                x = tg.relu(layer(x))
            return self.layers[-1](x)

Names are PyTorch's: ``layers.0.weight``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from typing import Any, NamedTuple, Self

import numpy as np

from .._config import WATCHED, get_mode, scope
from .._errors import DtypeError, GradientError, StateDictError
from .._hooks import HookHandle
from .._names import missing
from .._tape import Leaf
from .._tensor import Parameter, Tensor, overwrite, tensor
from .._watch import watchers
from . import hooks


class Buffer:
    """Marks a tensor that belongs to a module's state but is not trained, such as a running mean.

    Args:
        data: the tensor, or anything that `tensorgrad.tensor` takes; None for one that comes later.
        persistent: whether it is part of ``state_dict``.

    Example:
        >>> import tensorgrad as tg
        >>> class Counter(tg.nn.Module):
        ...     def __init__(self):
        ...         self.seen = tg.nn.Buffer(tg.zeros(1))
        >>> Counter().state_dict()
        {'seen': tensor([0.])}
    """

    def __init__(self, data: Any, persistent: bool = True) -> None:
        self.data = data if data is None or isinstance(data, Tensor) else tensor(data)
        self.persistent = persistent


class LoadResult(NamedTuple):
    """What `Module.load_state_dict` did not match, when it was not strict."""

    missing_keys: list[str]
    unexpected_keys: list[str]


class Module:
    """Base of every model and layer: override ``forward``, call the object.

    Attributes:
        training: whether layers such as dropout behave as in training; set by `train` and `eval`.

    Example:
        >>> import tensorgrad as tg
        >>> class Scale(tg.nn.Module):
        ...     def __init__(self, size):
        ...         self.factor = tg.nn.Parameter(tg.ones(size))
        ...     def forward(self, x):
        ...         return x * self.factor
        >>> model = Scale(3)
        >>> model(tg.tensor([1.0, 2.0, 3.0])).sum().backward()
        >>> model.factor.grad
        tensor([1., 2., 3.])
    """

    training: bool = True
    _buffers: Mapping[str, bool] = {}  # name -> whether it is persistent; the tensors are attributes
    _hooks: hooks.Hooks | None = None

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Compute the result; each module says here what it does."""
        raise NotImplementedError(f"{type(self).__name__} has no forward; define forward(self, ...)")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call ``forward``, with the hooks around it."""
        if get_mode() & WATCHED:
            return self._call_named(args, kwargs)
        if self._hooks is None:
            return self.forward(*args, **kwargs)
        return hooks.call(self, self._hooks, args, kwargs)

    def _call_named(self, args: Any, kwargs: Any) -> Any:
        """The call while somebody watches: operations are shown under the name of this module."""
        outer = _running.get()
        if outer is None:
            for watcher in watchers():
                watcher.enter(self, type(self).__name__)
        token = _running.set(self)
        try:
            with scope(self._name_in(outer)):
                if self._hooks is None:
                    return self.forward(*args, **kwargs)
                return hooks.call(self, self._hooks, args, kwargs)
        finally:
            _running.reset(token)

    def _name_in(self, outer: Module | None) -> str:
        """What the module that calls this one calls it; ``"blocks.3"`` if it is in a list, which is not called."""
        for parts in (outer.named_children(), outer.named_modules()) if outer is not None else ():
            for name, part in parts:
                if part is self and name:
                    return name
        return type(self).__name__

    def __setattr__(self, name: str, value: Any) -> None:
        if isinstance(value, Buffer):
            self.register_buffer(name, value.data, value.persistent)
            return
        computed = self.__dict__.get("parametrizations")
        if computed is not None and name in computed:
            computed[name].assign(value)
            return
        before = self.__dict__.get(name)
        if isinstance(before, Parameter) and not isinstance(value, Parameter | Module) and value is not None:
            raise DtypeError(
                f"{type(self).__name__}.{name} is a parameter, and a {type(value).__name__} is given; for a new value "
                f"write `with tg.no_grad(): module.{name}[...] = value`, for another parameter nn.Parameter(value)"
            )
        if name in self._buffers and not isinstance(value, Tensor) and value is not None:
            raise DtypeError(
                f"{type(self).__name__}.{name} is a buffer, and a {type(value).__name__} is given; it takes a tensor or None"
            )
        object.__setattr__(self, name, value)

    def __delattr__(self, name: str) -> None:
        super().__delattr__(name)
        if name in self._buffers:
            self.__dict__["_buffers"] = {n: p for n, p in self._buffers.items() if n != name}

    def __getattr__(self, name: str) -> Any:
        # A parametrised tensor is no attribute any more: it is computed when it is asked for (`utils.parametrize`).
        computed = self.__dict__.get("parametrizations")
        if computed is not None and name in computed:
            return computed[name]()
        raise missing(f"{type(self).__name__!r} object", name, dir(self))

    # ---- what it holds

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """Make ``self.name`` a buffer: part of the state, moved with the module, not trained."""
        _check_name(self, "register_buffer", name)
        if tensor is not None and not isinstance(tensor, Tensor):
            raise DtypeError(
                f"register_buffer: {name} is a {type(tensor).__name__}; a tensor or None is needed"
            )
        self.__dict__["_buffers"] = {**self._buffers, name: persistent}
        self.__dict__[name] = tensor

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """Make ``self.name`` a parameter; the same as setting the attribute."""
        _check_name(self, "register_parameter", name)
        if param is not None and not isinstance(param, Parameter):
            raise DtypeError(
                f"register_parameter: {name} is a {type(param).__name__}; an nn.Parameter is needed"
            )
        setattr(self, name, param)

    def add_module(self, name: str, module: Module | None) -> None:
        """Make ``self.name`` a submodule; the same as setting the attribute."""
        _check_name(self, "add_module", name)
        setattr(self, name, module)

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """The modules that are attributes of this one, with their names, each once."""
        seen = set()
        for name, part in _parts(self):
            if isinstance(part, Module) and id(part) not in seen:
                seen.add(id(part))
                yield name, part

    def children(self) -> Iterator[Module]:
        """The modules that are attributes of this one, each once."""
        return (child for _, child in self.named_children())

    def named_modules(
        self, memo: set[int] | None = None, prefix: str = "", remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Module]]:
        """This module and all below it, with the path to each; ``""`` is this one."""
        memo = set() if memo is None else memo
        if id(self) in memo:
            return
        memo.add(id(self))
        yield prefix, self
        for name, part in _parts(self):
            if isinstance(part, Module):
                yield from part.named_modules(memo, _join(prefix, name), remove_duplicate)
        if not remove_duplicate:
            memo.discard(id(self))  # then it holds the way down only, which ends a circle

    def modules(self) -> Iterator[Module]:
        """This module and all below it, each once."""
        return (module for _, module in self.named_modules())

    def named_parameters(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Parameter]]:
        """Every parameter with its path; one that is used in several places comes once."""
        return self._named(_own_parameters, prefix, recurse, remove_duplicate)

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        """Every parameter, each once: what an optimizer takes."""
        return (param for _, param in self.named_parameters(recurse=recurse))

    def named_buffers(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Tensor]]:
        """Every buffer with its path."""
        return self._named(_own_buffers, prefix, recurse, remove_duplicate)

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]:
        """Every buffer, each once."""
        return (buffer for _, buffer in self.named_buffers(recurse=recurse))

    def _named(self, own: Callable[[Module], Any], prefix: str, recurse: bool, once: bool) -> Iterator[Any]:
        seen: set[int] = set()
        modules = self.named_modules(None, prefix, once) if recurse else [(prefix, self)]
        for path, module in modules:
            for name, value in own(module):
                if not once or id(value) not in seen:
                    seen.add(id(value))
                    yield _join(path, name), value

    def get_submodule(self, target: str) -> Module:
        """The module at a path such as ``"encoder.layers.0"``; this one for ``""``."""
        found = dict(self.named_modules(remove_duplicate=False)).get(target)
        if found is None:
            raise StateDictError(f"get_submodule: {type(self).__name__} has no module {target!r}")
        return found

    def get_parameter(self, target: str) -> Parameter:
        """The parameter at a path such as ``"encoder.layers.0.weight"``."""
        found = dict(self.named_parameters(remove_duplicate=False)).get(target)
        if found is None:
            raise StateDictError(f"get_parameter: {type(self).__name__} has no parameter {target!r}")
        return found

    # ---- the state

    def state_dict(self, prefix: str = "") -> dict[str, Tensor]:
        """Copies of every parameter and persistent buffer by its path.

        Example:
            >>> import tensorgrad as tg
            >>> list(tg.nn.Linear(2, 3).state_dict())
            ['weight', 'bias']
        """
        return {prefix + name: tensor(value.detach()) for name, value in self._state().items()}

    def load_state_dict(self, state_dict: Mapping[str, Any], strict: bool = True) -> LoadResult:
        """Write saved values into the parameters and buffers, all or none.

        Args:
            state_dict: for each path a tensor or an array; see `state_dict`.
            strict: whether a missing or unexpected path is an error. A wrong shape always is.

        Returns:
            ``missing_keys`` and ``unexpected_keys``.

        Raises:
            StateDictError: names that are missing, unexpected, or of another shape or kind, all of them.
        """
        own = self._state()
        if not isinstance(state_dict, Mapping):
            raise StateDictError(
                f"load_state_dict: a {type(state_dict).__name__} given; a dict of path -> tensor is needed, tg.load(file) "
                "for a file"
            )
        given = {name: np.asarray(state_dict[name]) for name in own if name in state_dict}
        absent = [name for name in own if name not in state_dict]
        unexpected = [name for name in state_dict if name not in own]
        faults = [fault for name, array in given.items() if (fault := _misfit(name, array, own[name]))]
        if strict:
            faults = [
                *(f"missing {name}" for name in absent), *(f"unexpected {name}" for name in unexpected), *faults,
            ]  # fmt: skip
        if faults:
            raise StateDictError(f"load_state_dict of {type(self).__name__}: {'; '.join(faults)}")
        for name, array in given.items():
            overwrite(own[name], array, "load_state_dict")
        return LoadResult(absent, unexpected)

    def _state(self) -> dict[str, Tensor]:
        """The tensors of the state themselves, by path."""
        found: dict[str, Tensor] = {}
        for path, module in self.named_modules(remove_duplicate=False):
            if isinstance(module, NeedsInput) and not module.is_ready():
                raise module.not_ready("state_dict")
            found |= {_join(path, name): value for name, value in _own_parameters(module)}
            found |= {_join(path, name): b for name, b in _own_buffers(module) if module._buffers[name]}
        return found

    # ---- changes to all of it

    def train(self, mode: bool = True) -> Self:
        """Set this module and all below to training, or to evaluation where ``mode`` is False."""
        for module in self.modules():
            module.training = bool(mode)
        return self

    def eval(self) -> Self:
        """Set this module and all below to evaluation."""
        return self.train(False)

    def apply(self, function: Callable[[Module], Any]) -> Self:
        """Call ``function`` on every module below, and on this one last."""
        for module in reversed(list(self.modules())):
            function(module)
        return self

    def requires_grad_(self, requires_grad: bool = True) -> Self:
        """Freeze (False) or thaw all parameters."""
        for param in self.parameters():
            param.requires_grad = requires_grad
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients of all parameters."""
        for param in self.parameters():
            if param.requires_grad and param.grad is not None:
                param.grad = None if set_to_none else param.grad * 0

    def to(self, dtype: Any) -> Self:
        """Convert all floating parameters and buffers to ``dtype``, each staying the same object."""
        if isinstance(dtype, str) and dtype.partition(":")[0] in ("cpu", "cuda", "mps"):
            raise DtypeError(
                f"to: {dtype!r} is no dtype; there is one device, the CPU, so leave the line out"
            )
        dtype = np.dtype(dtype)
        if dtype.kind not in "fc":
            raise DtypeError(f"to: {dtype} given; parameters need a floating or complex dtype")
        others = [value for value in (*self.parameters(), *self.buffers()) if value.dtype.kind in "fc"]
        for value in others:
            if value.dtype.kind == "c" and dtype.kind != "c":
                raise DtypeError(f"to: {value.dtype} cannot become {dtype}, which would lose a part")
        for value in others:
            if value.dtype != dtype:
                _convert(value, dtype)
        return self

    def float(self) -> Self:
        """Convert to float32."""
        return self.to(np.float32)

    def double(self) -> Self:
        """Convert to float64."""
        return self.to(np.float64)

    def half(self) -> Self:
        """Convert to float16."""
        return self.to(np.float16)

    # ---- hooks

    def register_forward_pre_hook(self, hook: hooks.PreHook) -> HookHandle:
        """Call ``hook(module, args)`` before ``forward``; what it returns replaces the arguments."""
        return hooks.add(self, "before", hook)

    def register_forward_hook(self, hook: hooks.ForwardHook) -> HookHandle:
        """Call ``hook(module, args, result)`` after ``forward``; what it returns replaces the result."""
        return hooks.add(self, "after", hook)

    def register_full_backward_pre_hook(self, hook: hooks.BackwardPreHook) -> HookHandle:
        """Call ``hook(module, grad_output)`` when the gradients of the result are known."""
        return hooks.add(self, "backward_before", hook)

    def register_full_backward_hook(self, hook: hooks.BackwardHook) -> HookHandle:
        """Call ``hook(module, grad_input, grad_output)`` when the gradients of the inputs are known."""
        return hooks.add(self, "backward", hook)

    # ---- looks

    def extra_repr(self) -> str:
        """The settings that ``repr`` shows in parentheses."""
        return ""

    def __repr__(self) -> str:
        children = list(_children_for_repr(self))
        head = f"{type(self).__name__}({self.extra_repr()}"
        if not children:
            return head + ")"
        body = "".join(f"  ({name}): " + repr(child).replace("\n", "\n  ") + "\n" for name, child in children)
        return f"{head}\n{body})"


class NeedsInput:
    """What a lazy layer answers before it has seen its first input; `Module._state` asks."""

    def is_ready(self) -> bool:
        """Whether the parameters are made."""
        raise NotImplementedError

    def not_ready(self, how: str) -> GradientError:
        """The error for who asks for parameters too early."""
        return GradientError(
            f"{how}: {type(self).__name__} has not seen an input, so its parameters have no shape yet; call the model once "
            "on an example first"
        )


_running: ContextVar[Module | None] = ContextVar("tensorgrad_module", default=None)


# ---- walking


def _join(prefix: str, name: str) -> str:
    return f"{prefix}.{name}" if prefix else name


def _parts(module: Module) -> Iterator[tuple[str, Any]]:
    """The modules and parameters among the attributes, those in lists, tuples and dicts with a dotted name."""
    for name, value in vars(module).items():
        if isinstance(value, Parameter | Module):
            yield name, value
        elif type(value) in (list, tuple, dict):
            yield from _within(name, value)


def _within(path: str, container: Any) -> Iterator[tuple[str, Any]]:
    for key, value in container.items() if isinstance(container, dict) else enumerate(container):
        if isinstance(value, Parameter | Module):
            yield f"{path}.{key}", value
        elif type(value) in (list, tuple, dict):
            yield from _within(f"{path}.{key}", value)


def _own_parameters(module: Module) -> Iterator[tuple[str, Parameter]]:
    if isinstance(module, NeedsInput) and not module.is_ready():
        raise module.not_ready("parameters")
    return ((name, part) for name, part in _parts(module) if isinstance(part, Parameter))


def _own_buffers(module: Module) -> Iterator[tuple[str, Tensor]]:
    return ((name, vars(module)[name]) for name in module._buffers if vars(module)[name] is not None)


def _children_for_repr(module: Module) -> Iterator[tuple[str, Any]]:
    return ((name, part) for name, part in _parts(module) if isinstance(part, Module))


def _check_name(module: Module, how: str, name: str) -> None:
    if not isinstance(name, str) or not name or "." in name:
        raise DtypeError(f"{how}: {name!r} given; a name is a string without a dot")
    if name not in vars(module) and hasattr(type(module), name):
        raise DtypeError(
            f"{how}: {name!r} is a method or attribute of {type(module).__name__}; choose another name"
        )


# ---- values


def _misfit(name: str, array: np.ndarray[Any, Any], own: Tensor) -> str:
    """Why an array cannot be loaded, or an empty string."""
    if array.shape != own.shape:
        return f"{name} is {array.shape}, expected {own.shape}"
    if array.dtype.kind not in "biufc":
        return f"{name} has dtype {array.dtype}, expected numbers"
    if not np.can_cast(array.dtype, own.dtype, "same_kind"):
        return f"{name} has dtype {array.dtype}, which does not fit {own.dtype}"
    return ""


def _convert(value: Tensor, dtype: np.dtype[Any]) -> None:
    grad = value.grad if isinstance(value._node, Leaf) else None
    value._d = value._d.astype(dtype)
    if isinstance(value._node, Leaf):
        value._node = Leaf(value.shape, dtype)
        if grad is not None:
            value.grad = tensor(grad, dtype)
