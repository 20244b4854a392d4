"""Rows of joining, repeating, turning, padding, and diagonals, against NumPy's functions."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from ... import ops
from ..._errors import DtypeError, ShapeError
from .row import Fails, OpSamples, Sample, at, between, normal, row


def _copied(y: Any) -> Any:
    return tuple([np.array(one) for one in y]) if isinstance(y, tuple | list) else np.array(y)


def _as_numpy(name: str, *samples: Sample, errors: Any, exact: bool = True) -> OpSamples:
    """A row of a function that has NumPy's signature, the parameters by name."""
    op, function = getattr(ops, name), getattr(np, name)
    return row(
        name,
        *samples,
        reference=lambda *args, **params: _copied(function(*args, **params)),
        errors=errors,
        numpy=function if exact else None,
        op=op,
    )


def _joining(name: str, *samples: Sample) -> OpSamples:
    op, function = getattr(ops, name), getattr(np, name)
    return row(
        name,
        at("0-d", 1.5, 2.5),
        at("size 1", np.array([1.5]), np.array([2.5])),
        *samples,
        reference=lambda *arrays: function(arrays),
        errors=Fails(lambda: op([]), ShapeError, f"{name}: no arrays given"),
        numpy=lambda *arrays: function(arrays),
        op=lambda *arrays: op(arrays),
    )


def _by_name(name: str, key: str, *samples: Sample, errors: Any) -> OpSamples:
    """A row of a function whose second positional argument is a sample's parameter ``key``."""
    op, function = getattr(ops, name), getattr(np, name)

    def call(f: Any) -> Any:
        return lambda x, **params: f(x, params[key], **{k: v for k, v in params.items() if k != key})

    return row(
        name, *samples, reference=lambda x, **params: _copied(call(function)(x, **params)), errors=errors,
        numpy=call(function), op=call(op),
    )  # fmt: skip


def _too_far(name: str, call: Any) -> Fails:
    return Fails(call, ShapeError, f"{name}: axis 2 is out of range")


JOINING = [
    row(
        "concatenate",
        at("size 1", np.array([1.5])),
        at("axes", normal(2, 3), normal(2, 2, seed=1), axis=1),
        at("edge: one empty", normal(2, 3), np.zeros((0, 3))),
        reference=lambda *arrays, axis=0: np.concatenate(arrays, axis),
        errors=Fails(lambda: ops.concatenate([]), ShapeError, "concat: no arrays given"),
        op=lambda *arrays, axis=0: ops.concatenate(arrays, axis),
    ),
    _joining(
        "hstack", at("axes", normal(2, 3), normal(2, 1)), at("edge: empty", normal(2, 3), np.zeros((2, 0)))
    ),
    _joining(
        "vstack", at("axes", normal(2, 3), normal(1, 3)), at("edge: empty", normal(2, 3), np.zeros((0, 3)))
    ),
    _joining("dstack", at("axes", normal(2, 3), normal(2, 3, 2)), at("edge: empty", np.zeros((0, 3)))),
    _joining(
        "column_stack",
        at("axes", normal(2, 3), normal(2)),
        at("edge: empty", normal(2, 3), np.zeros((2, 0))),
    ),
    _as_numpy(
        "unstack",
        at("size 1", normal(1)),
        at("axes", normal(2, 3), axis=-1),
        at("edge: empty parts", np.zeros((2, 0))),
        errors=_too_far("unstack", lambda: ops.unstack(np.ones((2, 3)), axis=2)),
    ),
    _by_name(
        "array_split",
        "sections",
        at("size 1", normal(1), sections=1),
        at("axes", normal(5, 2), sections=3),
        at("axes, positions", normal(2, 5), sections=[1, -1], axis=1),
        at("edge: more parts than elements", normal(2), sections=3),
        errors=Fails(lambda: ops.array_split(np.ones(2), 0), ShapeError, "array_split: 0 parts"),
    ),
    *[
        _as_numpy(
            name,
            at("0-d", 2.5),
            at("axes", normal(2, 3)),
            at("axes, several", normal(2, 3), normal(2)),
            at("axes, three", normal(2, 3, 2)),
            at("edge: empty", np.zeros(0)),
            errors=Fails(partial(getattr(ops, name), [[1.0], [1.0, 2.0]]), DtypeError, f"{name}: "),
        )
        for name in ("atleast_1d", "atleast_2d", "atleast_3d")
    ],
    _as_numpy(
        "broadcast_arrays",
        at("0-d", 2.5, 1.5),
        at("broadcast", normal(2, 1), normal(3)),
        at("edge: empty", np.zeros((0, 1)), normal(3)),
        errors=Fails(
            lambda: ops.broadcast_arrays(np.ones(2), np.ones(3)),
            ShapeError,
            r"broadcast_arrays: shapes \[\(2,\), \(3,\)\]",
        ),
    ),
    _as_numpy(
        "meshgrid",
        at("0-d", 2.5, 1.5),
        at("size 1", normal(1)),
        at("axes", normal(2), normal(3), normal(4)),
        at("axes, in order", normal(2), normal(3), indexing="ij"),
        at("edge: empty", np.zeros(0), normal(2)),
        errors=(
            Fails(
                lambda: ops.meshgrid(np.ones((2, 2))), ShapeError, r"meshgrid: an array has shape \(2, 2\)"
            ),
            Fails(lambda: ops.meshgrid(np.ones(2), indexing="yx"), ShapeError, "meshgrid: indexing is 'yx'"),
        ),
    ),
]

MOVING = [
    _by_name(
        "tile",
        "repetitions",
        at("0-d", 2.5, repetitions=2),
        at("axes", normal(2, 3), repetitions=(2, 2)),
        at("axes, new in front", normal(2, 3), repetitions=(2, 1, 3)),
        at("axes, fewer", normal(2, 3), repetitions=2),
        at("edge: no times", normal(2, 3), repetitions=(0, 1)),
        errors=Fails(lambda: ops.tile(np.ones(2), -1), ShapeError, "tile: -1 repetitions"),
    ),
    _by_name(
        "repeat",
        "repeats",
        at("0-d", 2.5, repeats=2),
        at("axes, flattened", normal(2, 3), repeats=2),
        at("axes", normal(2, 3), repeats=[2, 0, 1], axis=1),
        at("edge: no times", normal(2, 3), repeats=0, axis=0),
        errors=(
            Fails(lambda: ops.repeat(np.ones(2), [1, 2, 3]), ShapeError, r"repeat: repeats=\[1, 2, 3\]"),
            Fails(lambda: ops.repeat(np.ones(2), -1), ShapeError, "repeat: repeats=-1"),
            _too_far("repeat", lambda: ops.repeat(np.ones((2, 3)), 2, axis=2)),
        ),
    ),
    _as_numpy(
        "roll",
        at("0-d", 2.5, shift=1),
        at("axes, flattened", normal(2, 3), shift=-2),
        at("axes", normal(2, 3), shift=(1, -1), axis=(0, 1)),
        at("axes, one shift for all", normal(2, 3), shift=1, axis=(0, 1)),
        at("edge: empty", np.zeros((0, 3)), shift=1, axis=0),
        errors=(
            _too_far("roll", lambda: ops.roll(np.ones((2, 3)), 1, axis=2)),
            Fails(lambda: ops.roll(np.ones((2, 3)), (1, 2, 3), axis=(0, 1)), ShapeError, "roll: 3 shifts"),
        ),
    ),
    _as_numpy(
        "rot90",
        at("size 1", normal(1, 1)),
        at("axes", normal(2, 3)),
        at("axes, back", normal(2, 3), k=-1),
        at("axes, twice", normal(2, 3, 2), k=2, axes=(2, 0)),
        at("edge: not at all", normal(2, 3), k=4),
        errors=(
            _too_far("rot90", lambda: ops.rot90(np.ones((2, 3)), axes=(0, 2))),
            Fails(
                lambda: ops.rot90(np.ones((2, 3)), axes=(0, 0)), ShapeError, "rot90: .* names an axis twice"
            ),
        ),
    ),
    *[
        _as_numpy(
            name,
            at("size 1", normal(1, 1)),
            at("axes", normal(2, 3)),
            at("edge: empty", np.zeros((0, 2))),
            errors=Fails(partial(getattr(ops, name), 1.0), ShapeError, rf"{name}: x has shape \(\)"),
        )
        for name in ("fliplr", "flipud")
    ],
    row(
        "rollaxis",
        at("size 1", normal(1), axis=0),
        at("axes", normal(2, 3, 4), axis=2),
        at("axes, on", normal(2, 3, 4), axis=0, start=2),
        at("edge: to the end", normal(2, 3, 4), axis=-3, start=3),
        reference=lambda x, axis, start=0: np.rollaxis(x, axis, start).copy(),
        errors=(
            _too_far("rollaxis", lambda: ops.rollaxis(np.ones((2, 3)), 2)),
            Fails(
                lambda: ops.rollaxis(np.ones((2, 3)), 0, 3), ShapeError, "rollaxis: axis 3 is out of range"
            ),
        ),
        numpy=np.rollaxis,
        op=lambda x, axis, start=0: ops.rollaxis(x, axis, start),
    ),
    *[
        _by_name(
            name,
            "sections",
            at("size 1", np.ones((1, 1, 1)), sections=1),
            at("axes", normal(2, 2, 2), sections=2),
            at("axes, positions", normal(3, 3, 3), sections=[1]),
            at("edge: empty parts", np.zeros((2, 2, 2)), sections=[0]),
            errors=Fails(partial(getattr(ops, name), 1.0, 1), ShapeError, rf"{name}: x has shape \(\)"),
        )
        for name in ("hsplit", "vsplit", "dsplit")
    ],
    _as_numpy(
        "vander",
        at("size 1", normal(1)),
        at("axes", between(0.5, 1.5, 3)),
        at("axes, increasing", normal(3), N=2, increasing=True),
        at("edge: zero", np.array([0.0, 1.0, -2.0]), N=3),
        errors=Fails(lambda: ops.vander(np.ones((2, 2))), ShapeError, r"vander: x has shape \(2, 2\)"),
        exact=False,
    ),
]


def _embedded(x: Any, offset: int = 0) -> Any:
    m = x.shape[-1] + abs(offset)
    out = np.zeros((*x.shape[:-1], m, m))
    for index in np.ndindex(x.shape):
        i = index[-1]
        out[(*index[:-1], i + max(0, -offset), i + max(0, offset))] = x[index]
    return out


def _blocks(*parts: Any) -> Any:
    parts = tuple([np.atleast_2d(x) for x in parts])
    out = np.zeros(np.sum([x.shape for x in parts], axis=0))
    row = column = 0
    for x in parts:
        out[row : row + x.shape[0], column : column + x.shape[1]] = x
        row, column = row + x.shape[0], column + x.shape[1]
    return out


DIAGONALS = [
    *[
        _as_numpy(
            name,
            at("size 1", normal(1, 1)),
            at("axes", normal(3, 4)),
            at("axes, batched, above", normal(2, 3, 3), k=1),
            at("axes, below", normal(3, 4), k=-1),
            at("edge: far away", normal(2, 3), k=7),
            errors=Fails(partial(getattr(ops, name), np.ones(2)), ShapeError, rf"{name}: x has shape \(2,\)"),
        )
        for name in ("tril", "triu")
    ],
    _as_numpy(
        "diagonal",
        at("size 1", normal(1, 1)),
        at("axes", normal(3, 4)),
        at("axes, above", normal(3, 4), offset=2),
        at("axes, others, below", normal(2, 3, 4), offset=-1, axis1=2, axis2=0),
        at("edge: beyond", normal(2, 3), offset=3),
        errors=(
            _too_far("diagonal", lambda: ops.diagonal(np.ones((2, 3)), axis2=2)),
            Fails(lambda: ops.diagonal(np.ones(2)), ShapeError, r"diagonal: x has shape \(2,\)"),
        ),
    ),
    row(
        "diag_embed",
        at("size 1", normal(1)),
        at("axes", normal(2, 3)),
        at("axes, above", normal(2, 2), offset=1),
        at("edge: empty, below", np.zeros((2, 0)), offset=-1),
        reference=_embedded,
        errors=Fails(lambda: ops.diag_embed(np.float64(1)), ShapeError, "diag_embed: x has no axis"),
        op=ops.diag_embed,
    ),
    row(
        "block_diag",
        at("0-d", 1.5),
        at("axes", normal(2, 1), normal(1, 3, seed=1), normal(2, seed=2)),
        at("edge: empty", np.zeros((0, 2)), normal(1, 1)),
        reference=_blocks,
        errors=Fails(
            lambda: ops.block_diag(np.ones((1, 1, 1))), ShapeError, r"block_diag: shapes \[\(1, 1, 1\)\]"
        ),
        op=ops.block_diag,
    ),
    _as_numpy(
        "diagflat",
        at("0-d", 2.5),
        at("axes", normal(2, 2)),
        at("axes, below", normal(2), k=-1),
        at("edge: empty", np.zeros(0)),
        errors=Fails(lambda: ops.diagflat(["word"]), DtypeError, "diagflat: "),
    ),
    _as_numpy(
        "diag",
        at("size 1", normal(1)),
        at("axes, of a matrix", normal(3, 4), k=-1),
        at("axes, of a vector", normal(3), k=1),
        at("axes, of a vector, below", normal(2), k=-2),
        at("edge: empty", np.zeros(0)),
        errors=Fails(lambda: ops.diag(np.ones((1, 1, 1))), ShapeError, r"diag: x has shape \(1, 1, 1\)"),
    ),
]

COMPOSED: list[OpSamples] = [*JOINING, *MOVING, *DIAGONALS]
