"""Functions of other libraries as what the checks take: PyTorch, JAX and HIPS autograd.

No library is imported here before a function of it, or an array of it, is there to be checked.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Sequence
from typing import Any

from ..._tree import flatten
from ..subject import Subject
from .against import compare as compare
from .against import peer_of as peer_of
from .against import title as title
from .host import Call, imported
from .host import Foreign as Foreign

_HOSTS = {
    "torch": ("torch_host", "Torch"),
    "jax": ("jax_host", "Jax"),
    "autograd": ("hips_host", "Hips"),
}


def subject_of(f: Any, inputs: Any) -> Foreign | None:
    """``f`` as a subject if it is a function of another library, or ``inputs`` are arrays of one; else None.

    Its ``arrays`` are the inputs at which it is checked, in NumPy.

    Args:
        f: what is to be checked.
        inputs: its argument, or a sequence of its arguments: arrays of NumPy or of the library. Floating
            arrays are differentiated (of PyTorch's tensors those that require it, if any does); other
            arguments are constants of the subject.

    Raises:
        DtypeError: it is a function of another library, and there is no floating array among ``inputs``.
    """
    if isinstance(f, Foreign):
        return f.bound(inputs)
    if isinstance(f, Subject):
        return None
    name = host_of(f, inputs)
    return None if name is None else _host(name)(f, inputs)


def from_torch(f: Callable[..., Any], inputs: Any = None) -> Foreign:
    """A function of PyTorch tensors, to be checked like one of this library.

    Needed only where neither ``f`` (a ``torch.autograd.Function`` or its ``apply``, a function or custom op
    of PyTorch, a module) nor its inputs (tensors) tell that it is PyTorch's: a function of your own,
    to be checked at NumPy arrays.

    Args:
        f: takes tensors and returns a tensor, or a container of tensors.
        inputs: the arguments of the call that is checked, if they are not all arrays to differentiate.

    Example:
        >>> import numpy as np, pytest
        >>> torch = pytest.importorskip("torch")
        >>> subject = from_torch(lambda x: torch.exp(x).sum(), [np.zeros(2)])
        >>> results, pullback = subject.pullback(np.zeros(2))
        >>> results, pullback([np.array(3.0)])
        ([array(2.)], [array([3., 3.])])
    """
    return _host("torch")(f, inputs)


def from_jax(f: Callable[..., Any], inputs: Any = None) -> Foreign:
    """A function of JAX arrays, to be checked like one of this library.

    Needed only where neither ``f`` (a ``jax.custom_vjp``, ``jax.custom_jvp``, ``jax.jit``, or a function of
    JAX) nor its inputs (arrays of JAX) tell that it is JAX's. Arguments as of `from_torch`.
    """
    return _host("jax")(f, inputs)


def from_autograd(f: Callable[..., Any], inputs: Any = None) -> Foreign:
    """A function that HIPS autograd differentiates, to be checked like one of this library.

    Needed for all but a ``primitive``, as the arrays of HIPS autograd are NumPy's. Arguments as of `from_torch`.
    """
    return _host("autograd")(f, inputs)


def peer_subject(f: Any, against: Any, inputs: Any, slots: Sequence[int] | None = None) -> Subject | None:
    """What ``against=`` means, as a subject for the same inputs; None if it is no other library's.

    Args:
        f: what is checked.
        against: ``"torch"``, ``"jax"`` or ``"autograd"`` for its function with the name of ``f``, a function
            of one of them, or a subject.
        inputs: the arguments of ``f``.
        slots: which leaves of the arguments are differentiated; as `Call.of` says if not given.

    Raises:
        DtypeError: the library has no function of that name.
        ModuleNotFoundError: the library is not installed.
    """
    if isinstance(against, Subject) and not isinstance(against, Foreign):
        return against
    plain = Call.of(inputs).plain() if slots is None else Call.at_slots(inputs, slots).plain()
    if isinstance(against, str):
        return _host(against)(peer_of(f, against), plain)
    if isinstance(against, Foreign):
        return against if against.call else type(against)(against.f, plain, name=against.name)
    host = host_of(against)
    return None if host is None else _host(host)(against, plain)


def host_of(f: Any, inputs: Any = ()) -> str | None:
    """The library, of those that are imported, that ``f`` or an array in ``inputs`` belongs to."""
    if _belongs(f, __name__.split(".")[0]):
        return None
    for owned in (f, *flatten(inputs)[0]):
        for name in _HOSTS:
            if name in sys.modules and _belongs(owned, name):
                return name
    return None


def _belongs(value: Any, host: str) -> bool:
    """Whether the value is defined by the host, is of a class of its, or is a method of one."""
    owner = getattr(value, "__self__", value)
    kinds = [*type(value).__mro__, *type(owner).__mro__, *(owner.__mro__ if isinstance(owner, type) else ())]
    modules = [getattr(value, "__module__", None), *[kind.__module__ for kind in kinds]]
    return any(isinstance(m, str) and m.split(".")[0] in _packages(host) for m in modules)


def _packages(host: str) -> tuple[str, ...]:
    return ("jax", "jaxlib") if host == "jax" else (host,)


def _host(name: str) -> type[Foreign]:
    imported(name)
    module, cls = _HOSTS[name]
    found: type[Foreign] = getattr(importlib.import_module(f"{__name__}.{module}"), cls)
    return found
