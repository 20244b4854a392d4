"""How each op gets its tangent and its batch: from its kind, by a rule of its own, or not, and then why.

``python -m tensorgrad.testing.rules`` prints the table and the counts, for all ops or for those that are named.
What the rules compute is checked elsewhere: forward mode and batches of every sample, in the conformance table.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Sequence

from .._primitive import Primitive, registry
from ..transforms.batched import way_of

BATCHES = {
    "kind": "follows from the kind: the inputs broadcast, so the batch axis is one more axis in front",
    "rule": "a rule of the card",
    "composite": "its composite, whose ops have one",
    "draw": "a draw for each example or one for all, as `randomness` says",
    "loop": "none: the examples run one by one",
}
"""Where the batch of an op comes from."""

TANGENTS = {
    "slope": "follows from the kind: the tangent times dy/dx",
    "linear": "follows from the kind: the op itself, applied to the tangents",
    "product rule": "follows from the kind: one product for each input",
    "rule": "a rule of the card",
    "composite": "its composite, whose ops have one",
    "twice transposed": "the cotangent is linear in the cotangent of the result; its transpose is the tangent",
    "none": "no derivative: the result is constant",
    "missing": "none, though there is a cotangent",
}
"""Where the tangent of an op comes from."""

LIMIT = 0.1
"""The share of ops that may run example by example."""

REASONS: dict[tuple[str, str], str] = {}
"""Why an op has no rule, by its name and ``"batch"`` or ``"tangent"``."""


def tangent_of(card: Primitive) -> str:
    """Where the tangent of an op comes from: a key of `TANGENTS`.

    Example:
        >>> import tensorgrad as tg
        >>> tangent_of(tg.matmul.card), tangent_of(tg.sin.card), tangent_of(tg.floor.card)
        ('product rule', 'slope', 'none')
    """
    if card.composite is not None:
        return "composite"
    if card.kind == "general" and card.formulas:
        if not card.tangents:
            return "twice transposed"
        return "rule" if set(card.formulas) <= set(card.tangents) else "missing"
    by_kind = {"elementwise": "slope", "linear": "linear", "view": "linear", "bilinear": "product rule"}
    return by_kind.get(card.kind, "none") if card.formulas else "none"


def without(cards: Iterable[Primitive]) -> dict[tuple[str, str], str]:
    """Ops without a rule, by name and what is missing, with the reason; the empty string where none is given."""
    found = [(card.name, "batch") for card in cards if way_of(card) == "loop"]
    found += [(card.name, "tangent") for card in cards if tangent_of(card) == "missing"]
    return {key: REASONS.get(key, "") for key in found}


def text(cards: Sequence[Primitive]) -> str:
    """The table, what lacks a rule and why, and the counts."""
    rows = [("op", "kind", "tangent", "batch")]
    rows += [(card.name, card.kind, tangent_of(card), way_of(card)) for card in cards]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]
    lines += ["", *[f"{name}: no {what}: {why or '?'}" for (name, what), why in without(cards).items()]]
    for title, known, place in (("tangents", TANGENTS, 2), ("batches", BATCHES, 3)):
        counts = Counter([row[place] for row in rows[1:]])
        lines += [
            f"{title}:",
            *[f"  {counts[way]:4} {way}: {what}" for way, what in known.items() if counts[way]],
        ]
    looped = sum([way_of(card) == "loop" for card in cards])
    return "\n".join([*lines, f"{looped} of {len(cards)} ops run example by example"])


def main(argv: Sequence[str] | None = None) -> int:
    """Print the table for the named ops, or for all; 1 where an op lacks a rule without a reason.

    Example:
        >>> main(["sum"])
        op   kind    tangent  batch
        sum  linear  linear   rule
        ...
        0 of 1 ops run example by example
        0
    """
    names = list(sys.argv[1:] if argv is None else argv)
    from . import samples  # noqa: F401  (loads every family of ops)

    if unknown := [name for name in names if name not in registry]:
        print(f"no op is called {', '.join(unknown)}")
        return 2
    cards = [registry[name] for name in names or sorted(registry)]
    print(text(cards))
    return 0 if all(without(cards).values()) else 1


if __name__ == "__main__":
    sys.exit(main())
