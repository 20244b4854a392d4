"""What the functions of all hosts have in common: which of their arguments are differentiated."""

from __future__ import annotations

import importlib
import inspect
import os
import sys
import warnings
from abc import abstractmethod
from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import dataclass, replace
from types import FrameType
from typing import Any, Self

import numpy as np

from ..._errors import DtypeError, ShapeError
from ..._tree import Tree, flatten, unflatten
from ..subject import Arrays, Pullback, Subject, argument_names, listed

_TESTING = os.path.dirname(os.path.dirname(__file__)) + os.sep


class Late:
    """A module of a host, imported when something of it is first asked for."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # what inspects modules asks for these, and imports nothing by it
            raise AttributeError(name)
        return getattr(importlib.import_module(self._name), name)


@dataclass(frozen=True)
class Call:
    """The arguments of a call, taken apart into leaves.

    Attributes:
        leaves: all of them, in order.
        tree: how they make up the arguments.
        slots: which leaves are differentiated; the others are constants.
    """

    leaves: tuple[Any, ...]
    tree: Tree
    slots: tuple[int, ...]

    @classmethod
    def of(cls, inputs: Any) -> Call:
        """The call with these arguments.

        Floating arrays are differentiated, or only those with ``requires_grad`` where some have it.
        Numbers are differentiated if there are no arrays, and are constants beside arrays.
        """
        leaves, tree = arguments_of(inputs)
        for wanted in (_requires_grad, _is_floating_array, _is_floating_number):
            slots = tuple([i for i, leaf in enumerate(leaves) if wanted(leaf)])
            if slots:
                return cls(tuple(leaves), tree, slots)
        raise DtypeError(
            "nothing to differentiate: none of the inputs is a floating or complex array"
            f" ({', '.join([type(leaf).__name__ for leaf in leaves]) or 'there are no inputs'});"
            " convert integers to float64"
        )

    @classmethod
    def at_slots(cls, inputs: Any, slots: Sequence[int]) -> Call:
        """The call with these arguments, of which these leaves are differentiated."""
        leaves, tree = arguments_of(inputs)
        return cls(tuple(leaves), tree, tuple(slots))

    def plain(self) -> Call:
        """The same with arrays of NumPy for those of any library."""
        return replace(self, leaves=tuple([plain_array(leaf) for leaf in self.leaves]))

    def at(self, inputs: Any) -> Call:
        """The same call, at other arrays for what is differentiated."""
        leaves = list(self.leaves)
        for i, array in zip(self.slots, listed(inputs), strict=True):
            leaves[i] = array
        return replace(self, leaves=tuple(leaves))

    @property
    def arrays(self) -> list[Any]:
        """Copies of the differentiated leaves as NumPy arrays."""
        return [as_array(self.leaves[i]) for i in self.slots]

    @property
    def places(self) -> list[int]:
        """For each differentiated leaf the number of the argument that it is, or is part of."""
        owners = [place for place, child in enumerate(self.tree.children) for _ in range(child.size)]
        return [owners[i] for i in self.slots]

    def names(self, f: Callable[..., Any]) -> list[str]:
        """The names of the differentiated leaves, by the signature of ``f``."""
        own = argument_names(f, len(self.tree.children))
        paths = [p for name, child in zip(own, self.tree.children, strict=True) for p in child.paths(name)]
        return [paths[i] for i in self.slots]

    def arguments(self, values: Sequence[Any], constant: Callable[[Any], Any]) -> tuple[Any, ...]:
        """The arguments with ``values`` for what is differentiated, and ``constant`` applied to the rest."""
        leaves = [constant(leaf) for leaf in self.leaves]
        for i, value in zip(self.slots, values, strict=True):
            leaves[i] = value
        arguments: tuple[Any, ...] = unflatten(self.tree, leaves)
        return arguments


class Foreign(Subject):
    """A function of another library.

    Args:
        f: takes and returns arrays of that library.
        inputs: the arguments of the call that is checked, as for `Call.of`, or the call. Without them every argument
            of ``f`` is a floating array, and is differentiated.
        name: of ``f``; its own if not given.
        names: of the differentiated arguments; those of the signature of ``f`` if not given.
    """

    host = ""

    def __init__(
        self, f: Callable[..., Any], inputs: Any = None, *, name: str = "", names: Sequence[str] = ()
    ) -> None:
        self.f = f
        self.call = inputs if inputs is None or isinstance(inputs, Call) else Call.of(inputs)
        self.name = name or self.title()
        self._names = tuple(names) or tuple(self.call.names(self.signature()) if self.call else ())

    @property
    def names(self) -> tuple[str, ...]:  # type: ignore[override]
        """Of the differentiated arguments."""
        return self._names or tuple(required_arguments(self.signature()))

    @property
    def arrays(self) -> list[Any]:
        """Copies, in NumPy, of the inputs that were given; none if none were."""
        return self.call.arrays if self.call else []

    def bound(self, inputs: Any) -> Self:
        """The same function for a call with these arguments; if it has a call, at these arrays."""
        other = copy(self)
        other.call = Call.of(inputs) if self.call is None else self.call.at(inputs)
        other._names = self._names or tuple(other.call.names(self.signature()))
        return other

    def results(self, *arrays: Any) -> list[Any]:
        """What ``f`` returns, as far as it is floating."""
        return [self.lower(y) for y in self.outputs([self.lift(a) for a in arrays])]

    def derived(self, results: int) -> Subject | None:
        """The gradient, if the host can differentiate it; that takes inputs to try."""
        if self.call is None:
            return None
        arrays = self.arrays
        cotangents = [np.ones_like(y) for y in self.results(*arrays)]
        upstream = ["g"] if results == 1 else [f"g[{i}]" for i in range(results)]
        second = type(self)(
            self.gradient(len(arrays)), [*arrays, *cotangents],
            name=f"gradient of {self.name}", names=[*self.names, *upstream],
        )  # fmt: skip
        return second if second.is_differentiable() else None

    def accumulated(self, arrays: Arrays, cotangents: Arrays) -> list[Any] | None:
        """The gradients that the host's own engine sums up for two calls, halved."""
        twice = type(self)(lambda *values: [*self.outputs(values), *self.outputs(values)], arrays)
        found = twice.pullback(*arrays)[1]([np.array(g) for _ in range(2) for g in cotangents])
        return [None if g is None else g / 2 for g in found]

    # What each host does in its own way.

    @abstractmethod
    def lift(self, array: Any) -> Any:
        """A NumPy array as one of the host; sharing memory if possible."""

    @abstractmethod
    def lower(self, value: Any) -> Any:
        """An array of the host as one of NumPy."""

    @abstractmethod
    def is_floating(self, value: Any) -> bool:
        """Whether ``value`` is a floating or complex array of the host."""

    @abstractmethod
    def pullback(self, *arrays: Any) -> tuple[list[Any], Pullback]:
        """The host's reverse mode."""

    @abstractmethod
    def gradient(self, count: int) -> Callable[..., Any]:
        """The function from ``count`` inputs and then cotangents to gradients, on arrays of the host."""

    @abstractmethod
    def is_differentiable(self) -> bool:
        """Whether the host differentiates the function at the inputs that were given."""

    def signature(self) -> Callable[..., Any]:
        """A callable with the parameters that users call ``f`` with."""
        return self.f

    def title(self) -> str:
        """The name of ``f``."""
        return str(getattr(self.f, "__name__", type(self.f).__name__))

    # Parts of the above.

    def outputs(self, values: Sequence[Any]) -> list[Any]:
        """The floating results for arrays of the host, in its own kind."""
        return self.floating(self.applied(values))

    def applied(self, values: Sequence[Any]) -> Any:
        """Whatever ``f`` returns for arrays of the host."""
        return self.f(*(self.call.arguments(values, self.constant) if self.call else values))

    def constant(self, leaf: Any) -> Any:
        """A leaf of the call that is not differentiated, as the host takes it."""
        return self.lift(leaf) if isinstance(leaf, np.ndarray) else leaf

    def floating(self, result: Any) -> list[Any]:
        """The floating arrays in what ``f`` returned."""
        leaves = flatten(result)[0]
        found = [leaf for leaf in leaves if self.is_floating(leaf)]
        if not found:
            kinds = ", ".join([type(leaf).__name__ for leaf in leaves]) or "None"
            raise DtypeError(
                f"{self.name}: no result is a floating array of {self.host}, it returned {kinds}; return one,"
                f" or give the function by the constructor of its library, such as testing.from_torch"
            )
        return found

    def cotangents(self, given: Arrays, results: Arrays) -> list[Any]:
        """The cotangents as arrays of the host, zeros for None."""
        return [self.lift(np.zeros_like(y) if v is None else v) for v, y in zip(given, results, strict=True)]


def imported(host: str) -> Any:
    """A library, imported without what it warns of while it starts."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return importlib.import_module(host)


def arguments_of(inputs: Any) -> tuple[list[Any], Tree]:
    """The leaves and the structure of the arguments, of which a single one need not be in a sequence."""
    return flatten(tuple(inputs) if isinstance(inputs, list | tuple) else (inputs,))


def as_array(leaf: Any) -> Any:
    """A copy, in NumPy, of a floating array of any library."""
    try:
        found = np.array(plain_array(leaf))
    except TypeError as error:
        raise DtypeError(f"NumPy has no dtype for {leaf.dtype}: use float32 or float64") from error
    if found.dtype.kind not in "fc":
        raise DtypeError(f"NumPy has no dtype for {leaf.dtype}: use float32 or float64")
    return found


def plain_array(leaf: Any) -> Any:
    """An array of any library as one of NumPy; anything else as it is."""
    if not hasattr(leaf, "dtype") or not hasattr(leaf, "shape"):
        return leaf
    leaf = leaf.detach() if hasattr(leaf, "detach") else leaf
    if hasattr(leaf, "resolve_conj"):  # of PyTorch
        return leaf.cpu().resolve_conj().resolve_neg().numpy()
    return np.asarray(leaf)


def required_arguments(f: Callable[..., Any]) -> list[str]:
    """The names of the positional parameters of ``f`` that have no default; "input 0" if there is no telling."""
    try:
        parameters = list(inspect.signature(f).parameters.values())
    except (TypeError, ValueError):
        parameters = []
    places = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return [p.name for p in parameters if p.kind in places and p.default is p.empty] or ["input 0"]


def calling_position(host: str, frame: FrameType | None = None) -> str:
    """``file:line`` of the innermost frame outside of the package ``host`` and of this library's checks."""
    frame = frame or sys._getframe(1)
    package = folder(host)
    found: FrameType | None = frame
    while found is not None:
        file = found.f_code.co_filename
        if not file.startswith((package, _TESTING, "<frozen")):
            return f"{file}:{found.f_lineno}"
        found = found.f_back
    return "<unknown>"


def folder(host: str) -> str:
    """The folder of an imported package, with a separator at its end."""
    return os.path.dirname(str(sys.modules[host].__file__)) + os.sep


def expected_count(name: str, gradients: Any, count: int) -> list[Any]:
    """The gradients that a backward returned, of which there must be ``count``; more Nones do no harm."""
    found = listed(gradients)
    if len(found) < count or any(g is not None for g in found[count:]):
        raise ShapeError(f"{name}: its backward returned {len(found)} gradients for {count} arguments")
    return found[:count]


def _requires_grad(leaf: Any) -> bool:
    return _is_floating_array(leaf) and bool(getattr(leaf, "requires_grad", False))


def _is_floating_array(leaf: Any) -> bool:
    if isinstance(leaf, np.ndarray | np.generic):
        return leaf.dtype.kind in "fc"
    dtype = getattr(leaf, "dtype", None)
    return dtype is not None and ("float" in str(dtype) or "complex" in str(dtype))


def _is_floating_number(leaf: Any) -> bool:
    return isinstance(leaf, float | complex)
