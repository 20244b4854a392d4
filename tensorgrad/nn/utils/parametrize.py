"""Parametrisations: a parameter of a module computed from others, each time it is asked for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from ..._config import no_grad
from ..._errors import DtypeError, ShapeError
from ..._tensor import Parameter, Tensor, overwrite
from ..containers import ModuleDict
from ..module import Module

_cache: ContextVar[dict[int, Any] | None] = ContextVar("tensorgrad_parametrized", default=None)


class ParametrizationList(Module):
    """The originals of one parameter, and the modules that it is computed with, applied in order.

    Attributes:
        original: what is trained instead; ``original0``, ``original1``, ... if the first module takes several.
    """

    def __init__(self, tensor: Tensor) -> None:
        self.count = 0  # of modules
        self.several = 0  # originals, where the first module takes more than one
        self.original: Any = tensor

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> Any:
        return vars(self)[str(range(self.count)[index])]

    def add(self, module: Module, unsafe: bool) -> None:
        """Compute with one more module from here on; the value stays where it has a ``right_inverse``."""
        before = self().detach()
        originals = before
        if hasattr(module, "right_inverse"):
            with no_grad():
                for step in (module, *reversed([self[i] for i in range(self.count)])):
                    originals = step.right_inverse(originals) if hasattr(step, "right_inverse") else originals
        parts = originals if isinstance(originals, tuple) else (originals,)
        if len(parts) > 1 and self.count:
            raise DtypeError(
                "register_parametrization: only the first parametrisation may have several originals"
            )
        with no_grad():
            value = module(*parts) if len(parts) > 1 or not self.count else module(before)
        if not unsafe and (value.shape != before.shape or value.dtype != before.dtype):
            raise ShapeError(
                f"register_parametrization: the value becomes {value.shape} of {value.dtype} and was {before.shape} of "
                f"{before.dtype}; pass unsafe=True if that is meant"
            )
        if len(parts) > 1:
            del self.original
            self.several = len(parts)
            for i, part in enumerate(parts):
                setattr(self, f"original{i}", Parameter(part))
        elif hasattr(module, "right_inverse"):
            overwrite(self.original, parts[0].numpy(), "register_parametrization")
        vars(self)[str(self.count)] = module
        self.count += 1

    def originals(self) -> tuple[Any, ...]:
        """The parameters that are trained instead."""
        if self.several:
            return tuple([vars(self)[f"original{i}"] for i in range(self.several)])
        return (self.original,)

    def forward(self) -> Any:
        """The value of the parameter."""
        cache = _cache.get()
        if cache is not None and id(self) in cache:
            return cache[id(self)]
        values = self.originals()
        for i in range(self.count):
            values = (self[i](*values),)
        if cache is not None:
            cache[id(self)] = values[0]
        return values[0]

    def assign(self, value: Any) -> None:
        """Give the parameter a value, through the right inverses."""
        for i in reversed(range(self.count)):
            if not hasattr(self[i], "right_inverse"):
                raise DtypeError(
                    f"a parametrised tensor: {type(self[i]).__name__} has no right_inverse, so it cannot be assigned; "
                    "write to its originals"
                )
            with no_grad():
                value = self[i].right_inverse(value)
        parts = value if isinstance(value, tuple) else (value,)
        for original, part in zip(self.originals(), parts, strict=True):
            overwrite(original, part.numpy(), "assignment")


def register_parametrization(
    module: Module, tensor_name: str, parametrization: Module, *, unsafe: bool = False
) -> Module:
    """Compute a parameter or buffer of a module from others.

    Args:
        module: whose parameter it is.
        tensor_name: its name. Its place is taken by ``module.parametrizations.<name>.original``.
        parametrization: a module that computes the value from the original. With a method ``right_inverse``
            the value is kept, and can be assigned to.
        unsafe: whether shape or dtype may change.

    Raises:
        DtypeError: the module has no tensor of that name.
        ShapeError: the value would have another shape or dtype.

    Example:
        >>> import tensorgrad as tg
        >>> from tensorgrad.nn.utils import parametrize
        >>> class Symmetric(tg.nn.Module):
        ...     def forward(self, w):
        ...         return (w + w.T) / 2
        >>> layer = parametrize.register_parametrization(tg.nn.Linear(3, 3), "weight", Symmetric())
        >>> bool((layer.weight == layer.weight.T).all())
        True
    """
    if not is_parametrized(module, tensor_name):
        tensor = vars(module).get(tensor_name)
        if not isinstance(tensor, Tensor):
            raise DtypeError(
                f"register_parametrization: {type(module).__name__} has no tensor {tensor_name!r}"
            )
        made = ParametrizationList(tensor)
        made.add(parametrization, unsafe)
        if "parametrizations" not in vars(module):
            module.parametrizations = ModuleDict()
        del vars(module)[tensor_name]
        module.parametrizations[tensor_name] = made
    else:
        module.parametrizations[tensor_name].add(parametrization, unsafe)
    return module


def remove_parametrizations(module: Module, tensor_name: str, leave_parametrized: bool = True) -> Module:
    """Make a computed parameter an ordinary one again.

    Args:
        module: whose parameter it is.
        tensor_name: its name.
        leave_parametrized: whether it keeps its computed value; otherwise it is the original.

    Raises:
        DtypeError: it is not parametrised, or there are several originals and the value is not to be kept.
    """
    if not is_parametrized(module, tensor_name):
        raise DtypeError(
            f"remove_parametrizations: {tensor_name!r} of {type(module).__name__} is not parametrised"
        )
    parts = module.parametrizations[tensor_name]
    if not leave_parametrized and parts.several:
        raise DtypeError(
            "remove_parametrizations: there are several originals; only leave_parametrized=True can be"
        )
    if leave_parametrized:
        with no_grad():
            kept: Any = Parameter(parts())
        if not parts.several and kept.shape == parts.original.shape:  # an optimizer may hold it
            overwrite(parts.original, kept.numpy(), "remove_parametrizations")
            kept = parts.original
    else:
        kept = parts.original
    del module.parametrizations[tensor_name]
    if not len(module.parametrizations):
        del module.parametrizations
    setattr(module, tensor_name, kept)
    return module


def is_parametrized(module: Module, tensor_name: str | None = None) -> bool:
    """Whether a parameter, or any, of a module is computed from others."""
    computed = vars(module).get("parametrizations")
    return computed is not None and (tensor_name is None or tensor_name in computed)


@contextmanager
def cached() -> Iterator[None]:
    """Compute each parametrised tensor once in the block; what is written to originals in it is not seen."""
    token = _cache.set({})
    try:
        yield
    finally:
        _cache.reset(token)
