"""One table that describes every op to the tests.

A row (`OpSamples`) names an op and gives arguments to call it with, a reference that computes the
same in another way, calls that must raise, and what its derivative is where that is a convention.
`ROWS` has one for each primitive, `COMPOSED` one for each public function that is made of them.
Generic tests run every row through every check; an op without a row fails them.
"""

from __future__ import annotations

from . import (
    arrange,
    compare,
    contract,
    cumulative,
    dtype,
    elementwise,
    explog,
    index,
    products,
    reduce,
    rounding,
    shape,
    statistics,
    trig,
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

_FAMILIES = (elementwise, explog, trig, rounding, compare, dtype, reduce, shape, index, contract, cumulative)

ROWS: dict[str, OpSamples] = {one.name: one for family in _FAMILIES for one in family.ROWS}
"""A row for each primitive, by its name."""

COMPOSED: dict[str, OpSamples] = {
    one.name: one
    for rows in (
        dtype.COMPOSED,
        rounding.COMPOSED,
        reduce.COMPOSED,
        shape.COMPOSED,
        index.COMPOSED,
        contract.COMPOSED,
        cumulative.COMPOSED,
        arrange.COMPOSED,
        products.COMPOSED,
        statistics.COMPOSED,
    )
    for one in rows
}
"""A row for each public function that is made of primitives."""
