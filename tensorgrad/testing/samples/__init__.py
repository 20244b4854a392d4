"""One table that describes every op to the tests.

A row (`OpSamples`) names an op and gives arguments to call it with, a reference that computes the
same in another way, calls that must raise, and what its derivative is where that is a convention.
`ROWS` has one for each primitive, `COMPOSED` one for each public function that is made of them.
Generic tests run every row through every check; an op without a row fails them.
"""

from __future__ import annotations

from . import (
    activations,
    arrange,
    bits,
    choose,
    compare,
    contract,
    cumulative,
    dtype,
    edit,
    elementwise,
    explog,
    fourier,
    fused,
    index,
    interpolate,
    linalg_solve,
    linalg_spectral,
    losses,
    more,
    order,
    pool,
    products,
    reduce,
    rounding,
    sequences,
    shape,
    special_error,
    special_gamma,
    statistics,
    trig,
    window,
)
from .row import Fails as Fails
from .row import Fresh as Fresh
from .row import Kink as Kink
from .row import OpSamples as OpSamples
from .row import Sample as Sample
from .row import at as at
from .row import is_floating as is_floating
from .row import kink as kink
from .row import row as row

_MODULES = (
    elementwise,
    explog,
    trig,
    rounding,
    bits,
    special_error,
    special_gamma,
    compare,
    dtype,
    reduce,
    shape,
    index,
    choose,
    order,
    contract,
    cumulative,
    arrange,
    edit,
    products,
    statistics,
    linalg_solve,
    linalg_spectral,
    fourier,
    window,
    pool,
    interpolate,
    more,
    activations,
    fused,
    losses,
    sequences,
)


def _table(name: str) -> dict[str, OpSamples]:
    return {one.name: one for family in _MODULES for one in getattr(family, name, ())}


ROWS: dict[str, OpSamples] = _table("ROWS")
"""A row for each primitive, by its name."""

COMPOSED: dict[str, OpSamples] = _table("COMPOSED")
"""A row for each public function that is made of primitives."""


def _titles() -> dict[str, tuple[OpSamples, ...]]:
    found = {}
    for family in _MODULES:
        title = (
            (family.__doc__ or "").split("\n")[0].removeprefix("Rows of ").rstrip(".").split(", against ")[0]
        )
        rows = (*getattr(family, "ROWS", ()), *getattr(family, "COMPOSED", ()))
        found[title[:1].upper() + title[1:]] = rows
    return found


FAMILIES: dict[str, tuple[OpSamples, ...]] = _titles()
"""The rows of each family, by its title: what its module says its rows are of."""
