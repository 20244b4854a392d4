"""What a picture of a graph shows: one frozen set of options, checked when it is made."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from difflib import get_close_matches
from typing import Any, Literal, get_args

Passes = Literal["recorded", "forward", "backward", "both"]
Detail = Literal["shapes", "dtypes", "values", "gradients", "memory", "time", "flops"]
Colour = Literal["kind", "gradient"]

DETAILS: tuple[Detail, ...] = get_args(Detail)
NODE_LIMIT = 600


@dataclass(frozen=True, kw_only=True, slots=True)
class Options:
    """How to show a graph. Every field has a default; a bad value is refused when the options are made.

    Args:
        passes: ``"recorded"`` draws the equations that the graph has; ``"forward"`` and ``"backward"`` one
            pass of them, and ``"both"`` all. Where the graph has no backward equations, the last two make them
            from the chain rule (`tensorgrad.ir.with_backward`).
        depth: modules nested deeper than this become one box each; 0 folds every module, None unfolds all.
        fold_repeats: whether equal modules that follow each other become one box, "x 12".
        show: what the boxes say besides names; any of ``"shapes"``, ``"dtypes"``, ``"values"``, ``"gradients"``,
            ``"memory"``, ``"time"`` and ``"flops"``, or ``"all"``. What was not recorded is left out.
        colour: ``"kind"`` tells inputs, parameters and passes apart; ``"gradient"`` tells where gradients vanish,
            explode, or are not finite.
        title: a heading.
        node_limit: the most boxes to draw; a larger graph becomes a table of its operations.

    Raises:
        TypeError: an option has a value of a kind that it does not take.
        ValueError: a value is not one of those above; the message names them.

    Example:
        >>> Options(show="values").show
        frozenset({'values'})
        >>> Options(depth=-1)
        Traceback (most recent call last):
            ...
        ValueError: graph: depth is -1; give 0 to fold every module, a larger number, or None to fold nothing
    """

    passes: Passes = "recorded"
    depth: int | None = None
    fold_repeats: bool = False
    show: frozenset[Detail] = frozenset({"shapes"})
    colour: Colour = "kind"
    title: str = ""
    node_limit: int = NODE_LIMIT

    def __post_init__(self) -> None:
        object.__setattr__(self, "show", _details(self.show))
        _one_of("passes", self.passes, get_args(Passes))
        _one_of("colour", self.colour, get_args(Colour))
        _kind("title", self.title, str, "a text")
        _kind("fold_repeats", self.fold_repeats, bool, "True or False")
        _kind("node_limit", self.node_limit, int, "a number of boxes")
        if self.node_limit < 1:
            raise ValueError(f"graph: node_limit is {self.node_limit}; give at least 1")
        if self.depth is not None:
            _kind("depth", self.depth, int, "a number of levels, or None")
            if self.depth < 0:
                raise ValueError(
                    f"graph: depth is {self.depth}; "
                    "give 0 to fold every module, a larger number, or None to fold nothing"
                )


def changed(options: Options | None, changes: dict[str, Any]) -> Options:
    """The options with some of them changed, and an unknown name explained.

    Example:
        >>> changed(None, {"color": "gradient"})
        Traceback (most recent call last):
            ...
        TypeError: graph: there is no option 'color'; did you mean 'colour'? The options are passes, depth, \
fold_repeats, show, colour, title, node_limit
    """
    known = [one.name for one in fields(Options)]
    for name in changes:
        if name not in known:
            meant = get_close_matches(name, known, 1)
            hint = f"did you mean {meant[0]!r}? " if meant else ""
            raise TypeError(
                f"graph: there is no option {name!r}; {hint}{'T' if hint else 't'}he options are {', '.join(known)}"
            )
    now = {name: getattr(options, name) for name in known} if options is not None else {}
    return Options(**{**now, **changes})


def _details(given: Any) -> frozenset[Detail]:
    if isinstance(given, str):
        given = DETAILS if given == "all" else [given]
    if not isinstance(given, Iterable):
        raise TypeError(
            f"graph: show is {given!r}; give names from {', '.join(map(repr, DETAILS))}, or 'all'"
        )
    names = list(given)
    for name in names:
        _one_of("show", name, (*DETAILS, "all"))
    return frozenset(DETAILS if "all" in names else names)


def _one_of(option: str, value: Any, known: tuple[str, ...]) -> None:
    if not (isinstance(value, str) and value in known):
        meant = get_close_matches(value, known, 1) if isinstance(value, str) else []
        hint = f"; did you mean {meant[0]!r}?" if meant else ""
        raise ValueError(f"graph: {option} takes {', '.join(map(repr, known))}, not {value!r}{hint}")


def _kind(option: str, value: Any, kind: type, wanted: str) -> None:
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise TypeError(f"graph: {option} is {value!r}; give {wanted}")
