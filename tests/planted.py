"""Faults to plant in the rules of an op, for tests of the checks: they must find them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from tensorgrad._primitive import Formula, Primitive
from tensorgrad._specialise import forget, specialise

WRONG = {"sign": lambda c: -1 * c, "factor": lambda c: 1.01 * c, "zero": lambda c: 0 * c}


@contextmanager
def planted(
    card: Primitive, table: dict[str, Formula], name: str, wrong: Callable[[Any], Any]
) -> Iterator[None]:
    """Change what one formula of a card returns; the generated text is written anew, and back again."""
    right = table[name]
    constant = None if right.constant is None else wrong(right.constant)
    table[name] = Formula(lambda *values: spoil(right.function(*values), wrong), right.names, constant)
    forget(card)
    specialise(card)
    try:
        yield
    finally:
        table[name] = right
        forget(card)
        specialise(card)


def spoil(result: Any, wrong: Callable[[Any], Any]) -> Any:
    if result is None:  # a batching rule that leaves it to the loop
        return None
    if isinstance(result, list | tuple):
        return type(result)(None if one is None else wrong(one) for one in result)
    return wrong(result)
