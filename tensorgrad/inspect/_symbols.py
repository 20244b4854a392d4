"""Formulas as frozen data: the nodes, what makes them, what walks over them, and a reader.

A formula is a tree of `Number`, `Array`, `Name`, `Slope` (a derivative that has a name: dL/dw) and `Call`
(an op of the library, with its parameters). Every node knows its shape, so that ``x * 1`` is ``x`` only where
the 1 does not make it larger. Formulas stay small: whoever makes those of a long computation gives
intermediate values a name instead of writing them out.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import prod
from typing import Any, TypeAlias, cast

import numpy as np

Shape = tuple[int, ...]
Coefficient = Fraction | float


@dataclass(frozen=True, slots=True)
class Number:
    """A number: a fraction where it is exactly one, else a float."""

    value: Coefficient
    shape: Shape = ()


@dataclass(frozen=True, slots=True)
class Array:
    """An array written out: its entries in C order."""

    values: tuple[Any, ...]
    shape: Shape


@dataclass(frozen=True, slots=True)
class Name:
    """A value that has a name."""

    text: str
    shape: Shape = ()


@dataclass(frozen=True, slots=True)
class Slope:
    """The derivative of one named value by another; it has the shape of the latter.

    A ``partial`` one is that of a single step; else it is along all paths.
    """

    of: str
    by: str
    shape: Shape = ()
    partial: bool = False


@dataclass(frozen=True, slots=True)
class Call:
    """An op applied to formulas; ``params`` are pairs of name and value."""

    op: str
    args: tuple[Expr, ...]
    params: tuple[tuple[str, Any], ...] = ()
    shape: Shape = ()

    def param(self, name: str, default: Any = None) -> Any:
        """The value of a parameter."""
        return dict(self.params).get(name, default)


Expr: TypeAlias = Number | Array | Name | Slope | Call

ZERO, ONE = Number(Fraction(0)), Number(Fraction(1))

CONSTANTS = {
    math.pi: "pi",
    math.log(2): "log(2)",
    math.log(10): "log(10)",
    1 / math.log(2): "1 / log(2)",
    1 / math.log(10): "1 / log(10)",
    math.sqrt(2): "sqrt(2)",
    math.sqrt(math.pi): "sqrt(pi)",
    2 / math.sqrt(math.pi): "2 / sqrt(pi)",
    math.sqrt(2 * math.pi): "sqrt(2 * pi)",
    math.sqrt(math.pi) / 2: "sqrt(pi) / 2",
    math.pi / 180: "pi / 180",
    180 / math.pi: "180 / pi",
}
"""Numbers that are written as what they are."""

PI = Name("pi")


# ---- making formulas


def number(value: Any) -> Expr:
    """A Python or NumPy number; known constants are written as such, 0.5 and its like as fractions."""
    value = value.item() if isinstance(value, np.generic | np.ndarray) else value
    if isinstance(value, bool | int | Fraction):
        return Number(Fraction(value))
    if isinstance(value, complex):
        return Array((value,), ())
    if math.isfinite(value):
        exact = Fraction(value)
        if exact.denominator <= 64:
            return Number(exact)
        for known, text in CONSTANTS.items():
            if math.isclose(abs(value), known, rel_tol=4e-16):
                found = parse(text)
                return found if value > 0 else call("negative", found)
    return Number(float(value))


def array(value: Any) -> Expr:
    """An array as a formula: a number where all entries are equal, else written out."""
    value = np.asarray(value)
    if not value.shape:
        return number(value)
    entries = value.reshape(-1).tolist()
    if entries and all(one == entries[0] for one in entries):
        return filled(number(entries[0]), tuple(value.shape))
    return Array(tuple(entries), tuple(value.shape))


def filled(value: Expr, shape: Shape) -> Expr:
    """``value`` broadcast to ``shape``, if it does not have it."""
    return value if value.shape == shape else Call("broadcast_to", (value,), (("shape", shape),), shape)


def call(op: str, *args: Expr, shape: Shape | None = None, **params: Any) -> Call:
    """An op on formulas; the shape is worked out where it is not given."""
    if shape is None:
        shape = _shape(op, args, params)
    return Call(op, args, tuple(params.items()), shape)


def _shape(op: str, args: tuple[Expr, ...], params: Mapping[str, Any]) -> Shape:
    shapes = [one.shape for one in args]
    if op == "matmul":
        a, b = shapes
        rows, columns = a[-2:-1], b[-1:] if len(b) > 1 else ()
        return (*np.broadcast_shapes(a[:-2], b[:-2]), *rows, *columns)
    if op == "permute_dims":
        return tuple([shapes[0][i] for i in params["axes"]])
    if op in ("sum", "max", "min", "logsumexp"):
        rank, keep = len(shapes[0]), params.get("keepdims", False)
        gone = _axes(params.get("axis"), rank)
        kept = [1 if i in gone else n for i, n in enumerate(shapes[0])]
        return tuple(kept if keep else [n for i, n in enumerate(shapes[0]) if i not in gone])
    if op == "one_hot":
        return (*shapes[0], params["num_classes"])
    return np.broadcast_shapes(*shapes)


def _axes(axis: Any, rank: int) -> tuple[int, ...]:
    if axis is None or not rank:
        return tuple(range(rank))
    return tuple([a % rank for a in (axis if isinstance(axis, tuple | list) else (axis,))])


def total(x: Expr, axis: Any = None, keepdims: bool = False) -> Expr:
    """The sum of ``x`` over axes; axes are written as None where all are meant."""
    axes = _axes(axis, len(x.shape))
    if not axes:
        return x
    written = None if len(axes) == len(x.shape) else axes[0] if len(axes) == 1 else axes
    return call("sum", x, axis=written, keepdims=keepdims)


def transposed(x: Expr) -> Expr:
    """``x`` with its last two axes exchanged; a vector as it is."""
    rank = len(x.shape)
    return x if rank < 2 else call("permute_dims", x, axes=(*range(rank - 2), rank - 1, rank - 2))


def is_transpose(e: Expr) -> bool:
    """Whether ``e`` exchanges the last two axes of something."""
    rank = len(e.shape)
    return (
        isinstance(e, Call)
        and e.op == "permute_dims"
        and rank >= 2
        and tuple(e.param("axes")) == (*range(rank - 2), rank - 1, rank - 2)
    )


def summed_to(x: Expr, shape: Shape) -> Expr:
    """``x`` summed over the axes along which ``shape`` was repeated: the transpose of broadcasting."""
    if x.shape == shape:
        return x
    if prod(x.shape) == prod(shape) and prod(shape) != 0:
        return Call("reshape", (x,), (("shape", shape),), shape)
    before = len(x.shape) - len(shape)
    inner = [before + i for i, n in enumerate(shape) if n == 1 and x.shape[before + i] != 1]
    if inner:
        x = total(x, tuple(inner), keepdims=True)
    return total(x, tuple(range(before))) if before else x


@dataclass(frozen=True, slots=True)
class Range:
    """A slice; Python's own cannot be hashed before 3.12."""

    start: int | None
    stop: int | None
    step: int | None


def frozen(value: Any) -> Any:
    """A parameter in a form that can be hashed."""
    if isinstance(value, slice):
        return Range(value.start, value.stop, value.step)
    return tuple([frozen(one) for one in value]) if isinstance(value, tuple | list) else value


def thawed(value: Any) -> Any:
    """A parameter as ops take it."""
    if isinstance(value, Range):
        return slice(value.start, value.stop, value.step)
    return tuple([thawed(one) for one in value]) if isinstance(value, tuple) else value


# ---- walking


def nodes(e: Expr) -> Iterator[Expr]:
    """Every node of a formula, from left to right."""
    todo = [e]
    while todo:
        one = todo.pop()
        yield one
        if isinstance(one, Call):
            todo.extend(reversed(one.args))


def size(e: Expr) -> int:
    """How many nodes a formula has."""
    return sum(1 for _ in nodes(e))


def substitute(e: Expr, table: Mapping[Any, Expr]) -> Expr:
    """``e`` with other formulas in place of some of its names."""
    if e in table:
        return table[e]
    if not isinstance(e, Call):
        return e
    args = tuple([substitute(one, table) for one in e.args])
    return e if args == e.args else Call(e.op, args, e.params, e.shape)


# ---- reading

_OPERATORS = {
    ast.Add: "add", ast.Sub: "subtract", ast.Mult: "multiply", ast.Div: "divide", ast.Pow: "power",
    ast.MatMult: "matmul", ast.Eq: "equal", ast.NotEq: "not_equal", ast.Gt: "greater", ast.Lt: "less",
    ast.GtE: "greater_equal", ast.LtE: "less_equal",
    ast.BitAnd: "bitwise_and",
}  # fmt: skip
COMMUTE = frozenset(["add", "multiply", "equal", "not_equal", "bitwise_and"])


def parse(text: str) -> Expr:
    """A rule's side as a formula without shapes; the letters in it are `Name`."""
    return _read(ast.parse(text, mode="eval").body)


def _read(node: ast.AST) -> Expr:
    if isinstance(node, ast.Constant):
        return Number(Fraction(cast(int, node.value)))
    if isinstance(node, ast.Name):
        return Number(float(node.id)) if node.id in ("inf", "nan") else Name(node.id)
    if isinstance(node, ast.UnaryOp):
        inner = _read(node.operand)
        return Number(-inner.value) if isinstance(inner, Number) else Call("negative", (inner,))
    if isinstance(node, ast.BinOp):
        return Call(_OPERATORS[type(node.op)], (_read(node.left), _read(node.right)))
    if isinstance(node, ast.Compare):
        return Call(_OPERATORS[type(node.ops[0])], (_read(node.left), _read(node.comparators[0])))
    assert isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    return Call(node.func.id, tuple([_read(one) for one in node.args]))
