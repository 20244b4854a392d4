"""Rows of padding, and what is put in, taken out or written over, against NumPy's functions."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from ... import ops
from ..._errors import DtypeError, IndexingError, ShapeError
from .row import Fails, OpSamples, at, normal, row, spread


def _width(f: Any) -> Any:
    return lambda x, pad_width, **settings: f(x, pad_width, **settings)


def _pad_numbers(x: Any, pad_width: Any, **settings: Any) -> Any:
    if isinstance(pad_width, dict):  # NumPy takes one from 2.2 on
        widths = {axis % x.ndim: width for axis, width in pad_width.items()}
        pairs = [widths.get(axis, 0) for axis in range(x.ndim)]
        pad_width = [(pair, pair) if isinstance(pair, int) else pair for pair in pairs]
    if x.dtype.kind == "b" and settings.get("reflect_type") == "odd":
        raise TypeError("NumPy's result depends on the order in which it goes round")
    return np.pad(x, pad_width, **settings)


def _index(f: Any) -> Any:
    return lambda x, *values, index, **settings: f(x, index, *values, **settings)


def _filled(x: Any, value: Any, wrap: bool = False) -> Any:
    out = x.copy()
    np.fill_diagonal(out, value, wrap=wrap)
    return out


def _nested(f: Any) -> Any:
    """A call with blocks as arguments, two in the first row and one in the second."""
    return lambda a, b, c: f([[a, b], [c]])


PADDING = [
    row(
        "pad",
        at("0-d", 2.5, pad_width=0),
        at("axes", normal(2, 3), pad_width=((1, 0), (2, 1))),
        at("axes, numbers", normal(2, 2), pad_width=1, constant_values=((1.5, 2.5), (1.0, 0.5))),
        at("axes, by axis", normal(2, 2), pad_width={-1: (1, 2), 0: 1}),
        *[
            at(f"axes, {mode}", normal(3, 3), pad_width=(1, 2), mode=mode)
            for mode in ("edge", "reflect", "symmetric", "wrap", "linear_ramp", "mean")
        ],
        *[
            at(f"axes, {mode} near", spread(2, 5), pad_width=(1, 2), mode=mode, stat_length=((1, 2), (3, 2)))
            for mode in ("maximum", "mean", "median", "minimum")
        ],
        at("axes, ramp to", normal(3), pad_width=(2, 3), mode="linear_ramp", end_values=(1.5, -1.0)),
        *[
            at(f"axes, odd {mode}", normal(2, 3), pad_width=(2, 4), mode=mode, reflect_type="odd")
            for mode in ("reflect", "symmetric")
        ],
        *[at(f"edge: wide {m}", normal(2), pad_width=5, mode=m) for m in ("reflect", "symmetric", "wrap")],
        at("edge: one alone", normal(1), pad_width=2, mode="reflect"),
        reference=_width(_pad_numbers),
        errors=(
            Fails(
                lambda: ops.pad(np.ones(2), ((1, 1), (1, 1))), ShapeError, "pad: pad_width=.* does not fit 1"
            ),
            Fails(lambda: ops.pad(np.ones(2), -1), ShapeError, "pad: pad_width=-1 has a negative width"),
            Fails(lambda: ops.pad(np.ones(2), 1.5), DtypeError, "pad: pad_width=1.5 is of dtype float64"),
            Fails(lambda: ops.pad(np.ones(2), 1, "zeros"), ShapeError, "pad: mode is 'zeros'"),
            Fails(lambda: ops.pad(np.ones(2), 1, "edge", end_values=1), ShapeError, "pad: mode 'edge' takes"),
            Fails(
                partial(_width(ops.pad), np.ones(2), 1, mode=np.sum), DtypeError, "pad: mode is a function"
            ),
            Fails(lambda: ops.pad(np.ones(0), 1, "edge"), ShapeError, "pad: axis 0 has length 0"),
            Fails(lambda: ops.pad(np.ones(2), 1, "mean", stat_length=0), ShapeError, "pad: stat_length is 0"),
            Fails(
                lambda: ops.pad(np.ones(2), 1, "reflect", reflect_type="no"),
                ShapeError,
                "pad: reflect_type is",
            ),
        ),
        numpy=_width(_pad_numbers),
        op=_width(ops.pad),
    ),
]

COMPOSED: list[OpSamples] = [
    *PADDING,
    row(
        "append",
        at("0-d", 2.5, 1.5),
        at("axes", normal(2, 3), normal(2, 1, seed=1), axis=-1),
        at("axes, rows", normal(2, 3), normal(2, seed=1)),
        at("edge: empty", normal(2, 3), np.zeros((0, 3)), axis=0),
        reference=lambda x, values, axis=None: np.append(x, values, axis),
        errors=Fails(
            lambda: ops.append(np.ones(2), np.ones(2), 1), ShapeError, "append: axis 1 is out of range"
        ),
        numpy=lambda x, values, axis=None: np.append(x, values, axis),
        op=ops.append,
    ),
    row(
        "delete",
        at("size 1", normal(1), index=0),
        at("axes", normal(2, 4), index=[0, -1, 0], axis=1),
        at("axes, a slice", normal(4, 2), index=slice(None, None, 2), axis=0),
        at("axes, a mask", normal(2, 3), index=[True, False, True], axis=-1),
        at("axes, flattened", normal(2, 3), index=-2),
        at("edge: nothing", normal(3), index=[]),
        reference=_index(np.delete),
        errors=(
            Fails(partial(ops.delete, np.ones(2), 2), IndexingError, "delete: place 2 is out of range"),
            Fails(partial(ops.delete, np.ones(2), 0.5), DtypeError, "delete: places of dtype float64"),
            Fails(partial(ops.delete, np.ones(2), [True]), IndexingError, r"delete: a mask of shape \(1,\)"),
        ),
        numpy=_index(np.delete),
        op=_index(ops.delete),
    ),
    row(
        "insert",
        at("0-d", 2.5, 1.5, index=0),
        at("axes", normal(2, 3), normal(2, seed=1), index=1, axis=1),
        at("axes, one place", normal(2, 2), normal(3, 2, seed=1), index=-1, axis=0),
        at("axes, each", normal(2, 3), normal(2, 3, seed=1), index=[3, 0, 3], axis=1),
        at("axes, the same", normal(4), 1.5, index=[2, 2, 0]),
        at("axes, a slice", normal(4), normal(2, seed=1), index=slice(1, 3)),
        at("axes, several at one", normal(4), normal(2, seed=1), index=1),
        at("edge: at the end", normal(2), 0.5, index=2),
        reference=_index(np.insert),
        errors=(
            Fails(partial(ops.insert, np.ones(2), 3, 1.0), IndexingError, "insert: place 3 is out of range"),
            Fails(
                partial(ops.insert, np.ones(2), [0, 1], np.ones(3)),
                ShapeError,
                r"insert: values \(3,\) do not",
            ),
        ),
        numpy=_index(np.insert),
        op=_index(ops.insert),
    ),
    row(
        "fill_diagonal",
        at("size 1", normal(1, 1), 1.5),
        at("axes", normal(3, 2), normal(2, seed=1)),
        at("axes, wide", normal(2, 3), 1.5),
        at("axes, three", normal(2, 2, 2), normal(1, seed=1)),
        at("axes, tall, on and on", normal(5, 2), normal(3, seed=1), wrap=True),
        at("axes, more than there is room for", normal(2, 2), normal(5, seed=1)),
        at("edge: empty", np.zeros((0, 0)), 1.5),
        reference=_filled,
        errors=(
            Fails(lambda: ops.fill_diagonal(np.ones(2), 0), ShapeError, r"fill_diagonal: x has shape \(2,\)"),
            Fails(lambda: ops.fill_diagonal(np.ones((2, 2, 3)), 0), ShapeError, "fill_diagonal: x has shape"),
        ),
        numpy=_filled,
        op=ops.fill_diagonal,
    ),
    row(
        "block",
        at("0-d", 2.5, 1.5, np.ones((1, 2))),
        at("axes", normal(2, 2), normal(2, 1), normal(1, 3)),
        at("axes, three", normal(2, 2, 1), normal(2, 2, 2), normal(2, 1, 3)),
        at("edge: empty", np.zeros((1, 0)), normal(1, 2), normal(3, 2)),
        reference=_nested(np.block),
        errors=(
            Fails(lambda: ops.block([]), ShapeError, "block: a list is empty"),
            Fails(lambda: ops.block([[1.0], 2.0]), ShapeError, "block: .* not equally deep"),
        ),
        numpy=_nested(np.block),
        op=_nested(ops.block),
    ),
]
