"""What is checked: a function on arrays, and the derivative that somebody claims for it.

A `Subject` takes arrays and returns arrays, whatever computes them. The numerics, the contracts and the
diagnosis see nothing else, so they serve every host alike: `Pair` is a NumPy function with a
hand-written derivative, `tensorgrad.testing.recorded` a function of tensors, and the modules in
`tensorgrad.testing.bridges` are functions of other libraries.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

Arrays = Sequence[Any]
Pullback = Callable[[Sequence[Any]], list[Any]]


@dataclass(frozen=True)
class Step:
    """One op that a function applied: a subject of its own, the arrays it saw, and who called it."""

    subject: Subject
    arrays: tuple[Any, ...]
    where: str


class Subject:
    """A function of arrays with a derivative.

    Attributes:
        name: of the function, for messages.
        names: of its inputs. Each input is a floating or complex array, and is differentiated.
        analytic: whether the function also takes complex numbers in place of real ones and is
            complex-differentiable, so that a complex step tells its derivative to all digits.
        general: whether the derivative claims to hold for all inputs that the function takes, whatever their
            shapes. Rules written by hand for one purpose do not.
        single: whether it is one op with one rule, and not made of others.
    """

    name: str
    names: tuple[str, ...]
    analytic: bool = False
    general: bool = True
    single: bool = False

    def results(self, *arrays: Any) -> list[Any]:
        """The floating results of the function."""
        raise NotImplementedError

    def pullback(self, *arrays: Any) -> tuple[list[Any], Pullback]:
        """The results, and the function from a cotangent of each to a gradient of each input.

        A cotangent of None means that the result is not used; a gradient of None means zero.
        """
        raise NotImplementedError

    def pushforward(self, arrays: Arrays, tangents: Arrays) -> list[Any] | None:
        """The tangent of each result, or None if the subject has no forward mode."""
        return None

    def batched(self, stacks: Arrays, cotangents: Arrays) -> tuple[list[Any], list[Any]] | None:
        """Results and gradients for a leading axis of examples at once, or None without such a way."""
        return None

    def accumulated(self, arrays: Arrays, cotangents: Arrays) -> list[Any] | None:
        """Gradients of a function that calls this one twice on the same inputs, halved; None without an engine."""
        return None

    def derived(self, results: int) -> Subject | None:
        """The gradient as a subject, or None if it cannot be differentiated.

        It takes the inputs and a cotangent for each of the ``results``, and returns the gradients.
        """
        return None

    def steps(self, *arrays: Any) -> list[Step]:
        """The ops that the function applied, in their order; none if it cannot be looked into."""
        return []

    def ends(self, *arrays: Any) -> list[str]:
        """Where the way of a gradient ends by design, in words: each may be why a gradient is missing."""
        return []


class Pair(Subject):
    """A NumPy function and its hand-written derivative.

    Args:
        f: takes arrays and returns an array, or a tuple of them.
        f_vjp: ``f_vjp(inputs, y, g)`` returns the gradient of each input, or just the one of the only input;
            ``inputs`` is the tuple of arrays, ``y`` what ``f`` returned, ``g`` has its structure.
        count: the number of inputs.
        name: for messages; the name of ``f`` if not given.
        f_jvp: ``f_jvp(inputs, y, tangents)`` returns the tangent of the result.
        analytic: whether ``f`` takes complex numbers too.
    """

    general = False
    single = True

    def __init__(
        self,
        f: Callable[..., Any],
        f_vjp: Callable[..., Any],
        count: int,
        *,
        name: str = "",
        f_jvp: Callable[..., Any] | None = None,
        analytic: bool = False,
    ) -> None:
        self.f, self.f_vjp, self.f_jvp = f, f_vjp, f_jvp
        self.name = name or getattr(f, "__name__", type(f).__name__)
        self.names = tuple(argument_names(f, count))
        self.analytic = analytic

    def results(self, *arrays: Any) -> list[Any]:
        """What ``f`` returns."""
        return [np.asarray(y) for y in listed(self.f(*arrays))]

    def pullback(self, *arrays: Any) -> tuple[list[Any], Pullback]:
        """What ``f`` returns, and ``f_vjp`` there."""
        y = self.f(*arrays)
        ys = [np.asarray(one) for one in listed(y)]

        def pull(cotangents: Sequence[Any]) -> list[Any]:
            gs = tuple(
                [np.zeros_like(one) if v is None else v for v, one in zip(cotangents, ys, strict=True)]
            )
            found = self.f_vjp(tuple(arrays), y, gs if isinstance(y, tuple | list) else gs[0])
            return listed(found)

        return ys, pull

    def pushforward(self, arrays: Arrays, tangents: Arrays) -> list[Any] | None:
        """The tangents by ``f_jvp``, if it was given."""
        if self.f_jvp is None:
            return None
        found = self.f_jvp(tuple(arrays), self.f(*arrays), tuple(tangents))
        return [np.asarray(t) for t in listed(found)]


def listed(value: Any) -> list[Any]:
    """A tuple or list as a list, anything else as the only member of one."""
    return list(value) if isinstance(value, tuple | list) else [value]


def argument_names(f: Callable[..., Any], n: int) -> list[str]:
    """The names of the first ``n`` positional parameters of ``f``."""
    names: list[str] = []
    try:
        parameters = list(inspect.signature(f).parameters.values())
    except (TypeError, ValueError):
        parameters = []
    for one in parameters:
        if one.kind is one.VAR_POSITIONAL:
            names += [f"{one.name}[{i}]" for i in range(n - len(names))]
        elif one.kind is not one.KEYWORD_ONLY:
            names.append(one.name)
    return [*names, *[f"input {i}" for i in range(len(names), n)]][:n]
