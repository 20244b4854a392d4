"""Modules that hold modules or parameters: one after another, as a list, or by name."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Self, overload

import numpy as np

from .._errors import DtypeError, IndexingError
from .._primitive import Value
from .._tensor import Parameter, Tensor
from .module import Module


class _Listed(Module):
    """Parts under the names "0", "1", ...; what lists of modules and of parameters share."""

    def __len__(self) -> int:
        return len(self._names())

    def __iter__(self) -> Iterator[Any]:
        return iter([vars(self)[name] for name in self._names()])

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return self._of([vars(self)[name] for name in self._names()[index]])
        return vars(self)[self._name_at(index)]

    def __setitem__(self, index: Any, value: Any) -> None:
        vars(self)[self._name_at(index)] = self._checked(value)

    def __delitem__(self, index: Any) -> None:
        kept = list(self)
        del kept[index]
        self._replace(kept)

    def append(self, value: Any) -> Self:
        """Add one at the end."""
        vars(self)[str(len(self))] = self._checked(value)
        return self

    def extend(self, values: Iterable[Any]) -> Self:
        """Add several at the end."""
        for value in list(values):
            self.append(value)
        return self

    def insert(self, index: int, value: Any) -> None:
        """Put one before the position ``index``."""
        kept = list(self)
        kept.insert(index, self._checked(value))
        self._replace(kept)

    def pop(self, index: int) -> Any:
        """Take one out and return it."""
        kept = list(self)
        taken = kept.pop(index)
        self._replace(kept)
        return taken

    def _names(self) -> list[str]:
        return [name for name, value in vars(self).items() if isinstance(value, Module | Parameter)]

    def _name_at(self, index: Any) -> str:
        names = self._names()
        try:
            return names[operator.index(index)]
        except IndexError:
            raise IndexingError(
                f"{type(self).__name__}: index {index} is out of range for {len(names)}"
            ) from None

    def _replace(self, values: list[Any]) -> None:
        for name in self._names():
            del vars(self)[name]
        for i, value in enumerate(values):
            vars(self)[str(i)] = value

    def _of(self, values: list[Any]) -> Any:
        return type(self)(values)  # type: ignore[call-arg]

    def _checked(self, value: Any) -> Any:
        if not isinstance(value, Module):
            raise not_a_module(self, value)
        return value


class Sequential(_Listed):
    """Modules applied one after another.

    Args:
        *modules: in their order, or one dict of name -> module.

    Example:
        >>> import tensorgrad as tg
        >>> model = tg.nn.Sequential(tg.nn.Linear(2, 8), tg.nn.Linear(8, 1))
        >>> model(tg.ones((5, 2))).shape
        (5, 1)
    """

    def __init__(self, *modules: Any) -> None:
        if len(modules) == 1 and isinstance(modules[0], Mapping):
            for name, module in modules[0].items():
                self.add_module(name, self._checked(module))
        else:
            self.extend(modules)

    def forward(self, x: Any) -> Any:
        """Apply each module to the result of the one before."""
        for module in self:
            x = module(x)
        return x

    def _of(self, values: list[Any]) -> Any:
        return type(self)(*values)


class ModuleList(_Listed):
    """A list of modules; plain lists of modules work too, this one prints better and can be pickled by name.

    Args:
        modules: what it holds at first.
    """

    def __init__(self, modules: Iterable[Module] = ()) -> None:
        self.extend(modules)


class ParameterList(_Listed):
    """A list of parameters; tensors and arrays become parameters.

    Args:
        values: what it holds at first.
    """

    def __init__(self, values: Iterable[Any] = ()) -> None:
        self.extend(values)

    def _names(self) -> list[str]:
        return _names_of_values(self)

    def _checked(self, value: Any) -> Parameter:
        return _as_parameter(value)

    def extra_repr(self) -> str:
        """The shapes."""
        return ", ".join(f"{i}: {value.shape}" for i, value in enumerate(self))


class _Named(Module):
    """Parts by name; what dicts of modules and of parameters share."""

    def __len__(self) -> int:
        return len(self.keys())

    def __iter__(self) -> Iterator[str]:
        return iter(self.keys())

    def __contains__(self, name: object) -> bool:
        return name in self.keys()

    def __getitem__(self, name: str) -> Any:
        if name not in self:
            raise KeyError(f"{type(self).__name__} has no {name!r}; it has {self.keys()}")
        return vars(self)[name]

    def __setitem__(self, name: str, value: Any) -> None:
        value = self._checked(value)
        if isinstance(value, Module):
            self.add_module(name, value)
        else:
            self.register_parameter(name, value)

    def __delitem__(self, name: str) -> None:
        self[name]
        del vars(self)[name]

    def keys(self) -> list[str]:
        """The names."""
        return [name for name, value in vars(self).items() if isinstance(value, Module | Parameter)]

    def values(self) -> list[Any]:
        """The parts, in the order of the names."""
        return [vars(self)[name] for name in self.keys()]

    def items(self) -> list[tuple[str, Any]]:
        """Names and parts."""
        return [(name, vars(self)[name]) for name in self.keys()]

    def update(self, others: Mapping[str, Any] | Iterable[tuple[str, Any]]) -> None:
        """Add all of a dict, or of pairs."""
        for name, value in dict(others).items():
            self[name] = value

    def pop(self, name: str) -> Any:
        """Take one out and return it."""
        taken = self[name]
        del vars(self)[name]
        return taken

    def _checked(self, value: Any) -> Any:
        if not isinstance(value, Module):
            raise not_a_module(self, value)
        return value


class ModuleDict(_Named):
    """Modules by name; plain dicts of modules work too.

    Args:
        modules: what it holds at first.
    """

    def __init__(self, modules: Mapping[str, Module] | Iterable[tuple[str, Module]] = ()) -> None:
        self.update(modules)


class ParameterDict(_Named):
    """Parameters by name; tensors and arrays become parameters.

    Args:
        values: what it holds at first.
    """

    def __init__(self, values: Mapping[str, Any] | Iterable[tuple[str, Any]] = ()) -> None:
        self.update(values)

    def keys(self) -> list[str]:
        """The names."""
        return _names_of_values(self)

    def _checked(self, value: Any) -> Parameter:
        return _as_parameter(value)

    def extra_repr(self) -> str:
        """The shapes."""
        return ", ".join(f"{name}: {value.shape}" for name, value in self.items())


def _names_of_values(holder: Module) -> list[str]:
    """The names of parameters, or of what `functional_call` puts in their place."""
    kinds = (Module, Value, np.ndarray, np.generic)
    return [n for n, value in vars(holder).items() if isinstance(value, kinds) and n not in holder._buffers]


@overload
def _as_parameter(value: Parameter) -> Parameter: ...
@overload
def _as_parameter(value: Any) -> Parameter: ...
def _as_parameter(value: Any) -> Parameter:
    if isinstance(value, Parameter):
        return value
    return Parameter(value.detach() if isinstance(value, Tensor) else value)


def not_a_module(holder: Module, value: Any) -> DtypeError:
    """The error for what is no module, with the way out of the usual mistakes."""
    given = f"{type(holder).__name__}: a {type(value).__name__} given; it holds modules"
    if isinstance(value, type):
        return DtypeError(f"{given}, and {value.__name__} is a class: write {value.__name__}(...)")
    if isinstance(value, list | tuple) and type(holder) is Sequential:
        return DtypeError(f"{given} one by one: write Sequential(*layers)")
    if callable(value):
        return DtypeError(
            f"{given}: use the module of that name, such as nn.ReLU() for relu, or call it in forward"
        )
    return DtypeError(given)
