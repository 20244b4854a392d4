"""Readers of printed formulas: what the text, and the LaTeX, of an explanation says, in NumPy.

They share nothing with the printers: `text_value` reads Python by its own grammar, `latex_value` is a strict
recursive-descent parser of the LaTeX that may be used; anything else in a formula is an error.
"""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from tensorgrad._primitive import registry

SLOPE = re.compile(r"(?<![\w.])(d|∂)(\w+?)/\1(\w+)")


def softmax(x: Any, axis: Any = -1) -> Any:
    e = np.exp(x - x.max(axis, keepdims=True))
    return e / e.sum(axis, keepdims=True)


def cross_entropy(z: Any, labels: Any) -> Any:
    return -np.log(softmax(z))[np.arange(len(labels)), labels.astype(int)]


def share(x: Any, top: Any, axis: Any = None) -> Any:
    hit = x == top
    return hit / hit.sum(axis=axis, keepdims=True)


def reduction(f: Any) -> Any:
    return lambda x, axis=None, keepdims=False: f(x, axis=axis, keepdims=keepdims)


def one_hot(labels: Any, n: int) -> Any:
    return np.eye(n)[np.asarray(labels).astype(int)]


_NAMES = "exp log sqrt sin cos tan tanh sinh cosh abs sign"
FUNCTIONS: dict[str, Any] = {
    "sum": reduction(np.sum),
    "mean": reduction(np.mean),
    "max": reduction(np.max),
    "min": reduction(np.min),
    "logsumexp": lambda x, axis=None, keepdims=False: np.log(np.exp(x).sum(axis=axis, keepdims=keepdims)),
    "softmax": softmax,
    "log_softmax": lambda x, axis=-1: np.log(softmax(x, axis)),
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "relu": lambda x: np.maximum(x, 0),
    "where": np.where,
    "detach": lambda x: x,
    "heaviside": np.heaviside,
    "H": lambda x: np.heaviside(x, 0.5),
    "ones": np.ones,
    "zeros": np.zeros,
    "full": lambda shape, value: np.full(shape, value),
    "broadcast": np.broadcast_to,
    "reshape": np.reshape,
    "transpose": np.transpose,
    "outer": np.outer,
    "one_hot": one_hot,
    "onehot": one_hot,
    "cross_entropy": cross_entropy,
    "share": share,
    "concat": lambda *xs, axis=0: np.concatenate(xs, axis),
    "maximum": np.maximum,
    "minimum": np.minimum,
    **{name: getattr(np, name) for name in _NAMES.split()},
}

BINARY = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
    ast.Pow: operator.pow, ast.MatMult: operator.matmul,
}  # fmt: skip
COMPARE = {
    ast.Eq: operator.eq, ast.NotEq: operator.ne, ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}  # fmt: skip


def function(name: str) -> Any:
    return FUNCTIONS[name] if name in FUNCTIONS else registry[name].forward


def text_value(text: str, names: Mapping[str, Any]) -> Any:
    """The value of a formula in text; ``names`` has values, and derivatives as ``dL/dw``."""
    known = {plain(name): value for name, value in names.items()}
    return _value(ast.parse(plain(text), mode="eval").body, known)


def plain(text: str) -> str:
    """Derivatives as names that Python can read."""
    return SLOPE.sub(lambda found: f"{'whole' if found[1] == 'd' else 'part'}_{found[2]}_by_{found[3]}", text)


def _value(node: ast.AST, names: Mapping[str, Any]) -> Any:
    def value(one: ast.AST) -> Any:
        return _value(one, names)

    match node:
        case ast.Constant(value=found):
            return float(found) if isinstance(found, int) and not isinstance(found, bool) else found
        case ast.Name(id=name):
            return (
                {"pi": np.pi, "inf": np.inf, "nan": np.nan}[name]
                if name in ("pi", "inf", "nan")
                else names[name]
            )
        case ast.UnaryOp(operand=operand):
            return -value(operand)
        case ast.BinOp(left=a, op=op, right=b):
            return BINARY[type(op)](np.asarray(value(a)), np.asarray(value(b)))
        case ast.Compare(left=a, ops=[op], comparators=[b]):
            return np.asarray(COMPARE[type(op)](value(a), value(b)), float)  # 1 or 0
        case ast.List(elts=parts):
            return np.array([value(one) for one in parts])
        case ast.Attribute(value=inner, attr=("T" | "mT") as attr):
            return getattr(np.asarray(value(inner)), attr)
        case ast.Subscript(value=inner, slice=index):
            found = value(inner)
            return (
                np.asarray(found)[_index(index, names)]
                if not isinstance(found, tuple)
                else found[_index(index, names)]
            )
        case ast.Call(
            func=ast.Attribute(
                value=ast.Subscript(value=ast.Attribute(value=base, attr="at"), slice=index), attr="add"
            ),
            args=[what],
        ):
            out = value(base)
            np.add.at(out, _index(index, names), value(what))
            return out
        case ast.Call(func=ast.Name(id=name), args=args, keywords=keywords):
            given = [ast.literal_eval(one) if isinstance(one, ast.Tuple) else value(one) for one in args]
            if name in ("ones", "zeros", "full", "one_hot"):
                place = 1 if name == "one_hot" else 0
                given[place] = ast.literal_eval(args[place])
            if name not in FUNCTIONS:
                given = [np.asarray(one) for one in given]
            return function(name)(*given, **{one.arg: ast.literal_eval(one.value) for one in keywords})  # type: ignore[misc]
    raise SyntaxError(f"not a formula: {ast.dump(node)}")


def _index(node: ast.AST, names: Mapping[str, Any]) -> Any:
    if isinstance(node, ast.Tuple):
        return tuple([_index(one, names) for one in node.elts])
    if isinstance(node, ast.Slice):
        return slice(
            *[None if end is None else ast.literal_eval(end) for end in (node.lower, node.upper, node.step)]
        )
    try:
        return ast.literal_eval(node)
    except ValueError:
        return np.asarray(_value(node, names)).astype(int)


# ---- LaTeX

TOKEN = re.compile(r"\\[A-Za-z]+|\\\\|\\[_&%#${},]|\d+(?:\.\d+)?|[A-Za-z]|[-+=<>(){}\[\]|^_&:,.'*!]|\s+")
_GREEK = "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi pi rho sigma tau phi chi psi omega"
GREEK = set(_GREEK.split())
STARTS = {
    r"\frac",
    r"\left",
    r"\sqrt",
    r"\sum",
    r"\operatorname",
    r"\mathbf",
    r"\mathrm",
    r"\begin",
    r"\infty",
}
STARTS |= {rf"\{name}" for name in ["exp", "log", "sin", "cos", "tan", "tanh", "sinh", "cosh"]} | {
    rf"\{name}" for name in GREEK
}
COMPARISONS = {"=": operator.eq, r"\ne": operator.ne, "<": operator.lt, r"\le": operator.le, ">": operator.gt,
               r"\ge": operator.ge}  # fmt: skip


class Vector:
    """A value; a vector is a column, or a row once transposed."""

    def __init__(self, value: Any, row: bool = False) -> None:
        self.value, self.row = np.asarray(value, float), row


def latex_value(text: str, names: Mapping[str, Any]) -> Any:
    """The value of a formula in LaTeX; ``names`` has values by their LaTeX."""
    parser = Parser(
        text, {"".join(TOKEN.findall(key)).replace(" ", ""): value for key, value in names.items()}
    )
    found = parser.expr()
    assert parser.at == len(parser.tokens), f"left over: {parser.tokens[parser.at :]}"
    return found.value


class Parser:
    def __init__(self, text: str, names: Mapping[str, Any]) -> None:
        tokens = TOKEN.findall(text)
        assert "".join(tokens) == text, f"not LaTeX that may be used: {text}"
        self.tokens = [one for one in tokens if not one.isspace()]
        self.names, self.at = names, 0

    def peek(self, ahead: int = 0) -> str:
        return self.tokens[self.at + ahead] if self.at + ahead < len(self.tokens) else ""

    def take(self, *wanted: str) -> str:
        found = self.peek()
        assert not wanted or found in wanted, f"{found!r} where {wanted} should be, in {self.tokens}"
        self.at += 1
        return found

    def raw(self) -> str:
        """What stands in braces, verbatim."""
        self.take("{")
        depth, found = 1, []
        while depth:
            token = self.take()
            depth += (token == "{") - (token == "}")
            found.append(token)
        return "".join(found[:-1])

    def expr(self) -> Vector:
        if self.peek() == "-":
            self.take()
            total = Vector(-self.term().value)
        else:
            total = self.term()
        while self.peek() in ("+", "-"):
            sign = self.take()
            other = self.term()
            total = Vector(total.value + other.value if sign == "+" else total.value - other.value)
        return total

    def term(self) -> Vector:
        found = self.factor()
        while True:
            token = self.peek()
            if token in (r"\odot", r"\cdot"):
                self.take()
                found = Vector(found.value * self.factor().value)
            elif token and (token in STARTS or token[0].isalnum()):
                found = together(found, self.factor())
            else:
                return found

    def factor(self) -> Vector:
        found = self.atom()
        before = ""
        while self.peek() in ("^", "_"):
            assert self.peek() != before, "two subscripts, or two powers"
            before = self.peek()
            if self.take() == "^":
                self.take("{")
                if self.peek() == r"\top":
                    self.take()
                    found = transpose(found)
                else:
                    dot = self.peek() == r"\odot"
                    if dot:
                        self.take()
                    assert dot == bool(found.value.ndim), "powers of arrays are marked"
                    found = Vector(found.value ** self.expr().value)
                self.take("}")
            else:
                subscript = self.raw()
                if subscript.startswith("["):
                    found = Vector(
                        found.value[
                            eval(f"np.s_{subscript}".replace(r"\dots", "..."), {"np": np, "__builtins__": {}})
                        ]
                    )
                else:
                    axes = iter(found.value.shape)
                    found = Vector(
                        found.value.reshape([1 if one == "1" else next(axes) for one in subscript])
                    )
        return found

    def atom(self) -> Vector:
        token = self.take()
        if token[0].isdigit():
            return Vector(float(token))
        if token == r"\infty":
            return Vector(np.inf)
        if token == r"\frac":
            return self.fraction()
        if token == r"\sqrt":
            self.take("{")
            found = Vector(np.sqrt(self.expr().value))
            self.take("}")
            return found
        if token == r"\left":
            return self.bracket()
        if token == r"\sum":
            return self.sum()
        if token == r"\mathbf":
            assert self.raw() == "1"
            self.take("_")
            return Vector(np.ones([int(n) for n in self.raw().split(r"\times")]))
        if token == r"\begin":
            return self.matrix()
        if token == r"\operatorname":
            name = self.raw().replace("\\", "")
            return self.call(name)
        if token == r"\sigma" and self.peek() == r"\left":
            return self.call("sigmoid")
        if token[1:] in FUNCTIONS and token[0] == "\\":
            return self.call(token[1:])
        return self.name(token)

    def name(self, token: str, bare: bool = False) -> Vector:
        if token == r"\pi" and token not in self.names:
            return Vector(np.pi)
        shown = token + ("{" + self.raw() + "}" if token == r"\mathrm" else "")
        if self.peek() == "_" and not bare and self.peek(2) != "[":
            mark = self.at
            self.take()
            shown += "_{" + self.raw() + "}"
            if shown not in self.names:
                self.at = mark
            else:
                assert self.peek() != "_", "two subscripts"
        return Vector(self.names[shown])

    def fraction(self) -> Vector:
        if self.peek(1) == r"\partial" or self.tokens[self.at + 1 : self.at + 5] == [
            r"\mathrm",
            "{",
            "d",
            "}",
        ]:
            return Vector(self.names[rf"\frac{{{self.raw()}}}{{{self.raw()}}}"])
        parts = []
        for _ in range(2):
            self.take("{")
            parts.append(self.expr())
            self.take("}")
        return Vector(parts[0].value / parts[1].value)

    def bracket(self) -> Vector:
        opened = self.take("(", "[", "|")
        found = self.expr()
        if opened == "[" and self.peek() in COMPARISONS:
            found = Vector(COMPARISONS[self.take()](found.value, self.expr().value))
        self.take(r"\right")
        self.take({"(": ")", "[": "]", "|": "|"}[opened])
        return Vector(abs(found.value)) if opened == "|" else found

    def sum(self) -> Vector:
        self.take("_")
        below = self.raw().split(",")
        if self.peek() == r"\left":
            self.take()
            inside = self.bracket()
        else:
            inside = self.name(self.take(), bare=True)
        self.take("_")
        letters = self.raw()
        assert len(letters) == inside.value.ndim and set(below) <= set(letters)
        return Vector(inside.value.sum(axis=tuple([letters.index(one) for one in below])))

    def matrix(self) -> Vector:
        assert self.raw() == "bmatrix"
        rows: list[list[Any]] = [[]]
        while True:
            rows[-1].append(self.expr().value)
            token = self.take("&", r"\\", r"\end")
            if token == r"\\":
                rows.append([])
            if token == r"\end":
                assert self.raw() == "bmatrix"
                return Vector(np.array(rows)[:, 0] if len(rows[0]) == 1 else np.array(rows))

    def call(self, name: str) -> Vector:
        subscript = ""
        if self.peek() == "_":
            self.take()
            subscript = self.raw()
        self.take(r"\left")
        self.take("(")
        args = [self.expr().value]
        while self.peek() == ",":
            self.take()
            args.append(self.expr().value)
        self.take(r"\right")
        self.take(")")
        shape = [int(n) for n in re.findall(r"\d+", subscript.rpartition(r"\to")[2])]
        if name == "onehot":
            return Vector(one_hot(args[0], int(subscript)))
        if name in ("reshape", "broadcast"):
            return Vector(
                np.reshape(args[0], shape) if name == "reshape" else np.broadcast_to(args[0], shape)
            )
        if name == "transpose":
            return Vector(np.transpose(args[0], shape))
        if name in ("scatter", "pick"):
            arrays = iter(args[1:])
            pattern = (
                subscript.partition(r"\to")[0].strip("[]").replace(r"\cdot", "a").replace(r"\dots", "...")
            )
            index = eval(f"np.s_[{pattern}]", {"np": np, "a": "a"})
            index = tuple(
                [
                    next(arrays).astype(int) if one == "a" else one
                    for one in (index if isinstance(index, tuple) else (index,))
                ]
            )
            if name == "pick":
                return Vector(args[0][index])
            out = np.zeros(shape)
            np.add.at(out, index, args[0])
            return Vector(out)
        options = (
            subscript.replace(r"\mathrm", "")
            .replace("{", "")
            .replace("}", "")
            .replace("\\,", "")
            .replace("\\", "")
        )
        keywords = eval(f"dict({options})", {"dict": dict})
        return Vector(function(name)(*[np.asarray(one) for one in args], **keywords))


def transpose(x: Vector) -> Vector:
    return Vector(x.value, True) if x.value.ndim == 1 else Vector(x.value.mT)


def together(a: Vector, b: Vector) -> Vector:
    """What two formulas side by side mean: a multiple, or a matrix product."""
    x, y = a.value, b.value
    if not x.ndim or not y.ndim:
        return Vector(x * y, a.row or b.row)
    if x.ndim == y.ndim == 1:
        assert a.row != b.row, "two columns side by side"
        return Vector(x @ y if a.row else np.outer(x, y))
    assert not (y.ndim == 1 and b.row) and not (x.ndim == 1 and not a.row), (
        "a row or column on the wrong side"
    )
    return Vector(x @ y, x.ndim == 1)
