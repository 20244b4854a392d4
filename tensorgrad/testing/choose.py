"""Inputs for a function of which nothing is known but its signature."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .._target import said
from .check import subject_of
from .point import Point, check_finite
from .subject import Subject

Shape = tuple[int, ...]

FIRST: Shape = (2, 3)
"""The shape that is tried first, for all inputs."""

MIXED: dict[int, tuple[tuple[Shape, ...], ...]] = {
    2: (((2, 3), (3, 4)), ((2, 3), (3,)), ((1, 2, 5, 5), (3, 2, 3, 3))),
    3: (
        ((2, 3), (3, 4), (4,)),
        ((2, 3), (4, 3), (4,)),
        ((2, 3), (3,), (3,)),
        ((1, 2, 5, 5), (3, 2, 3, 3), (3,)),
    ),
}
"""Shapes that are tried next for so many inputs: products, layers, convolutions."""

LAST: tuple[Shape, ...] = ((3, 3), (3,), (), (2, 3, 4))
"""Shapes that are tried for all inputs after that."""

RANGES: tuple[tuple[float, float] | None, ...] = (None, (0.5, 2.0), (0.1, 0.9))
"""Numbers that are tried: normal ones, and where the function is not finite there, those of a range."""

PLAIN = ("int", "bool", "str", "bytes", "tuple", "dtype")
"""Annotations of parameters that cannot be differentiated in."""


class Unusable(Exception):
    """No inputs can be chosen for a function; the message says why."""


@dataclass(frozen=True)
class Wish:
    """What is asked for.

    Attributes:
        shapes: one for all inputs, one for each, or none to have them chosen.
        dtype: of all inputs.
        low: the least number; None for normal numbers.
        high: the greatest.
        seed: of the numbers.
    """

    shapes: tuple[Shape, ...] = ()
    dtype: str = "float64"
    low: float | None = None
    high: float | None = None
    seed: int = 0

    @property
    def ranges(self) -> tuple[tuple[float, float] | None, ...]:
        """The ranges to try."""
        if self.low is None and self.high is None:
            return RANGES
        low = self.low if self.low is not None else (self.high or 0.0) - 1
        return ((low, self.high if self.high is not None else low + 1),)

    def arrays(self, shapes: Sequence[Shape], span: tuple[float, float] | None) -> list[Any]:
        """Arrays of these shapes with numbers of a range."""
        rng = np.random.default_rng(self.seed)
        return [_drawn(rng, shape, np.dtype(self.dtype), span) for shape in shapes]


@dataclass(frozen=True)
class Choice:
    """Inputs that the function takes: the arrays, their shapes, the range of their numbers."""

    arrays: list[Any]
    shapes: tuple[Shape, ...]
    span: tuple[float, float] | None

    def __str__(self) -> str:
        numbers = (
            "normal numbers" if self.span is None else f"numbers from {self.span[0]:g} to {self.span[1]:g}"
        )
        same = len(set(self.shapes)) == 1
        shapes = f"{self.shapes[0]}" if same else ", ".join(map(str, self.shapes))
        return f"{numbers} of shape{'' if same else 's'} {shapes}"


def required(f: Any) -> list[inspect.Parameter]:
    """The parameters of ``f`` that have no default; two for ``*args``, one where nothing is known.

    Raises:
        Unusable: one of them cannot be differentiated in, or must be given by its name.

    Example:
        >>> [one.name for one in required(lambda x, w, *, axis=0: x)]
        ['x', 'w']
    """
    first = inspect.Parameter("x", inspect.Parameter.POSITIONAL_ONLY)
    if isinstance(f, Subject):
        return [first.replace(name=f"input_{i}") for i in range(len(f.names))]
    try:
        parameters = list(inspect.signature(f).parameters.values())
    except (TypeError, ValueError):
        return [first]
    found = []
    for one in parameters:
        if one.kind is one.VAR_KEYWORD or one.default is not one.empty:
            continue
        annotation = getattr(one.annotation, "__name__", str(one.annotation)).partition("[")[0]
        if one.kind is one.KEYWORD_ONLY or annotation in PLAIN:
            raise Unusable(f"{one.name} is a parameter without a default; give it by --set {one.name}=...")
        if one.kind is not one.VAR_POSITIONAL:
            found.append(one)
        elif not found:
            found += [one.replace(name=f"{one.name}_{i}", kind=one.POSITIONAL_ONLY) for i in range(2)]
    if not found:
        raise Unusable("it takes no argument without a default, so there is nothing to differentiate in")
    return found


def chosen(f: Any, wish: Wish, *, host: Any = None) -> Choice:
    """Inputs that ``f`` takes and at which it is finite.

    Args:
        f: the function whose signature says how many there are.
        wish: what they should be like.
        host: what is checked in its place, such as a `Pair` made from it.

    Raises:
        Unusable: it takes none of those that were tried.
    """
    parameters = required(f)
    first = ""
    tried: list[tuple[Shape, ...]] = []
    for shapes in _shapes(parameters, wish):
        tried.append(shapes)
        for span in wish.ranges:
            choice = Choice(wish.arrays(shapes, span), shapes, span)
            problem = refusal(host or f, choice.arrays)
            if not problem:
                return choice
            first = first or f"with {choice}: {problem}"
    names = ", ".join(one.name for one in parameters)
    if wish.shapes:
        raise Unusable(f"the inputs are refused, {first}")
    some = ", ".join(" with ".join(map(str, one if len(set(one)) > 1 else one[:1])) for one in tried)
    raise Unusable(
        f"no inputs were found that it takes (for {names} tried shapes {some}); "
        f"{first}. Give a --shape for each, --low and --high, or --inputs"
    )


def refusal(f: Any, inputs: Sequence[Any]) -> str:
    """Why ``f`` cannot be checked at these inputs; empty if it can."""
    try:
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)
            subject, arrays = subject_of(f, list(inputs))
            point = Point(subject, arrays)
            check_finite(subject.name, point.ys)
            point.pullback()
    except Exception as error:
        return said(error)
    return "" if point.ys else "it returns nothing floating, so it has no gradient"


# ---- helpers


def _shapes(parameters: Sequence[inspect.Parameter], wish: Wish) -> Iterator[tuple[Shape, ...]]:
    n = len(parameters)
    if wish.shapes:
        if len(wish.shapes) not in (1, n):
            names = ", ".join(one.name for one in parameters)
            raise Unusable(
                f"{len(wish.shapes)} shapes are given for {n} inputs ({names}); give one for all or each"
            )
        yield wish.shapes * n if len(wish.shapes) == 1 else wish.shapes
        return
    scalar = [one.annotation in (float, complex, "float", "complex") for one in parameters]
    seen = set()
    for some in [(FIRST,) * n, *MIXED.get(n, ()), *[(shape,) * n for shape in LAST]]:
        shapes = tuple([() if plain else shape for plain, shape in zip(scalar, some, strict=True)])
        if shapes not in seen:
            seen.add(shapes)
            yield shapes


def _drawn(
    rng: np.random.Generator, shape: Shape, dtype: np.dtype[Any], span: tuple[float, float] | None
) -> Any:
    def real() -> Any:
        return rng.normal(size=shape) if span is None else rng.uniform(*span, size=shape)

    values = real() + 1j * real() if dtype.kind == "c" else real()
    return np.asarray(values).astype(dtype)
