"""Formulas as numbers: each op applied to arrays by the function of its card."""

from __future__ import annotations

import math
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import numpy as np

from .._primitive import registry
from ._symbols import Array, Call, Expr, Name, Number, Slope, thawed

Known = Mapping[Expr, Any]


def evaluate(e: Expr, known: Known) -> Any:
    """The value of a formula, None if that of a name in it is not known.

    Args:
        e: the formula.
        known: arrays by `Name` and `Slope`, whose shapes do not count.
    """
    if isinstance(e, Number):
        return np.float64(float(e.value))
    if isinstance(e, Array):
        return np.array(e.values).reshape(e.shape)
    if isinstance(e, Name | Slope):
        return math.pi if e == Name("pi") else known.get(bare(e))
    args = [evaluate(one, known) for one in e.args]
    if any(one is None for one in args):
        return None
    with np.errstate(all="ignore"):
        return _apply(e, [np.asarray(one) for one in args])


def bare(e: Name | Slope) -> Name | Slope:
    """A name without its shape, as a key."""
    return Name(e.text) if isinstance(e, Name) else Slope(e.of, e.by, (), e.partial)


def _apply(e: Call, args: list[Any]) -> Any:
    params = {name: thawed(value) for name, value in e.params}
    if e.op in ("place", "add_at"):
        params["shape"] = e.shape
    if e.op == "detach":
        return args[0]
    if e.op == "one_hot":
        return np.equal(args[0][..., None], np.arange(params["num_classes"])).astype(np.float64)
    if e.op == "cross_entropy":
        z, labels = args
        shifted = z - z.max(-1, keepdims=True)
        return np.log(np.exp(shifted).sum(-1)) - np.take_along_axis(shifted, labels[:, None], -1)[:, 0]
    if e.op == "power" and isinstance(e.args[1], Number) and isinstance(e.args[1].value, Fraction):
        return args[0] ** float(e.args[1].value)
    card = registry.get(e.op)
    if card is None or card.several:
        return None
    return card.forward(*args, **params)
